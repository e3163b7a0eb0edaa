/*
 * Copyright (c) 2026 The qgad authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

/*
 * Workers that take a request and answer it: which messages each role may
 * send, the query worker that is kept while it is used, the system worker
 * that lives for one request.
 */

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "parent.h"
#include "request.h"

#define QUERY_IDLE	60000		/* then the query worker may go */
#define QUERY_AGAIN	4		/* new workers for one request */
#define QUERY_LAZY	20		/* ms in which a query's end can wait */

#define FROM(role)	(1U << (role))
#define FROM_ANY	0xffffffffU

#define WHEN_NEW	0x1		/* before its hello */
#define WHEN_READY	0x2		/* after */

static int	 take_hello(struct child *, struct imsg *);
static int	 take_log(struct child *, struct imsg *);
static int	 take_smart(struct child *, struct imsg *);
static int	 take_done(struct child *, struct imsg *);
static void	 query_again(struct child *);
static void	 worker_ready(struct child *);
static void	 worker_send(struct child *);
static int	 single_send(struct child *);
static int	 is_smart(const struct child *);
static struct child *worker_spawn(enum role, enum msg_type);

/* The system worker that reads disks' logs for the query worker. */
static struct {
	pid_t		 pid;		/* of the last one */
	uint64_t	 id;		/* of the request */
} smart;

static const struct {
	uint32_t	 from;
	int		 when;
	int		(*take)(struct child *, struct imsg *);
} messages[MSG_MAX] = {
	[MSG_HELLO] =	{ FROM_ANY,		WHEN_NEW,	take_hello },
	[MSG_LOG] =	{ FROM_ANY,		WHEN_NEW | WHEN_READY,
						take_log },
	[MSG_SMART] =	{ FROM(ROLE_QUERY),	WHEN_READY,	take_smart },
	[MSG_DONE] =	{ FROM(ROLE_QUERY) | FROM(ROLE_SYSTEM) |
			  FROM(ROLE_ACCOUNT) | FROM(ROLE_EXEC) |
			  FROM(ROLE_HOOK),
						WHEN_READY,	take_done },
	[MSG_EXEC_STARTED] = { FROM(ROLE_EXEC),	WHEN_READY,	job_started },
	[MSG_EXEC_ENDED] = { FROM(ROLE_EXEC),	WHEN_READY,	exec_ended },
	[MSG_FILE_DONE] = { FROM(ROLE_FILE_OPENING) | FROM(ROLE_FILE),
						WHEN_READY,	file_done },
	[MSG_FILE_WAITING] = { FROM(ROLE_FILE),	WHEN_READY,	file_waiting },
	[MSG_FREEZE_DONE] = { FROM(ROLE_FREEZE), WHEN_READY,	freeze_done },
};

void
worker_message(struct child *c, struct imsg *imsg)
{
	uint32_t type = imsg_get_type(imsg);
	int when = c->state == CHILD_STARTING ? WHEN_NEW : WHEN_READY;
	char why[128];

	if (type < MSG_MAX && messages[type].take != NULL &&
	    (messages[type].from & FROM(c->role)) &&
	    (messages[type].when & when) && msg_check(imsg) == 0 &&
	    messages[type].take(c, imsg) == 0)
		return;
	snprintf(why, sizeof(why), "message %s of %zu bytes is unexpected",
	    msg_name(type), imsg_get_len(imsg));
	child_kill(c, why);
	worker_gone(c);
}

static int
take_hello(struct child *c, struct imsg *imsg)
{
	struct msg_hello msg;

	if (msg_recv_hello(imsg, &msg) == -1 || msg.role != c->role)
		return (-1);
	if (memcmp(msg.build, build_id, sizeof(msg.build) - 1) != 0) {
		child_kill(c, "it is of another build");
		worker_gone(c);
		want_reexec();
		return (0);
	}
	c->state = CHILD_READY;
	worker_ready(c);
	return (0);
}

static int
take_log(struct child *c, struct imsg *imsg)
{
	struct msg_log msg;

	if (msg_recv_log(imsg, &msg) == -1)
		return (-1);
	logger_child(c, &msg);
	return (0);
}

/*
 * For guest-get-disks alone, once a request.  A disk that hangs holds one
 * system worker, not more: while that lives nothing is known of the others
 * either.
 */
static int
take_smart(struct child *c, struct imsg *imsg)
{
	struct child *helper = NULL;
	uint64_t id;
	int pair[2] = { -1, -1 };

	if (msg_recv_data(imsg, &id) == -1 || imsg_has_fd(imsg) ||
	    !request.active || request.worker != c || !request.sent ||
	    request.id != id || request.smart ||
	    request.command != CMD_GUEST_GET_DISKS)
		return (-1);
	while ((helper = child_each(helper)) != NULL && !is_smart(helper))
		;
	if (helper == NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, pair) == 0) {
		if ((helper = child_spawn(ROLE_SYSTEM, pair[1])) != NULL)
			smart.pid = helper->pid;
		else {
			log_warn("system worker");
			close(pair[0]);
			pair[0] = -1;
		}
	}
	request.smart = 1;
	smart.id = id;
	if (msg_send_data(&c->ibuf, MSG_SMART, id, pair[0]) == -1)
		return (-1);
	(void)child_send(c);
	return (0);
}

static int
is_smart(const struct child *c)
{
	return (c->role == ROLE_SYSTEM && !c->reaped && c->pid == smart.pid);
}

static int
take_done(struct child *c, struct imsg *imsg)
{
	static const struct msg_reply done = { .kind = REPLY_EMPTY,
	    .text = "" };
	struct msg_done msg;

	if (msg_recv_done(imsg, &msg) == -1 ||
	    (msg.ok == DONE_AGAIN && c->role != ROLE_QUERY) ||
	    (msg.ok == DONE_REFUSED && c->role != ROLE_ACCOUNT))
		return (-1);
	if (c->role == ROLE_EXEC)
		return (job_done(c, msg.ok));
	if (c->role == ROLE_HOOK)
		return (freeze_hooks_done(c, &msg));
	if (!request.active || request.worker != c) {
		/* The frontend that asked has gone. */
		child_release(c);
		return (0);
	}
	if (!request.sent || msg.id != request.id)
		return (-1);
	c->used = now_ms();
	if (msg.ok == DONE_AGAIN) {
		query_again(c);
		return (0);
	}
	request.refused = msg.ok == DONE_REFUSED;
	/* A value has gone to the frontend, as has what went wrong with it. */
	if (c->role == ROLE_QUERY ||
	    (commands[request.command].flags & CMD_VALUE))
		request_done(msg.ok == DONE_OK ? "ok" : msg.text);
	else if (msg.ok == DONE_OK)
		request_reply(&done, -1);
	else
		request_error("%s", msg.text);
	if (c->role != ROLE_QUERY)
		child_release(c);
	return (0);
}

/*
 * A file that its sandbox let it read has been replaced: a new one may read
 * the new file.  The deadline runs on.
 */
static void
query_again(struct child *c)
{
	child_release(c);
	request.worker = NULL;
	request.sent = 0;
	request.lazy = 0;
	request.smart = 0;
	if (++request.again > QUERY_AGAIN)
		request_error("Command %s failed: what it reads is replaced "
		    "all the time", commands[request.command].name);
	else
		query_begin();
}

static void
worker_ready(struct child *c)
{
	switch (c->role) {
	case ROLE_LOG:
		logger_flush();
		break;
	case ROLE_EXEC_SPARE:
		job_ready(c);
		break;
	case ROLE_FREEZE:
	case ROLE_HOOK:
		freeze_ready(c);
		break;
	default:
		if (request.active && request.worker == c) {
			if (!request.sent)
				worker_send(c);
		} else if (is_smart(c) && request.active && request.smart &&
		    request.id == smart.id) {
			if (msg_send_data(&c->ibuf, MSG_SMART, smart.id,
			    -1) == -1)
				child_kill(c, strerror(errno));
			else
				(void)child_send(c);
		} else if (c->role != ROLE_QUERY)
			child_release(c);	/* its request has gone */
		break;
	}
}

/* Give the request in hand to its worker. */
static void
worker_send(struct child *c)
{
	struct msg_request msg;
	int error;

	if (c->role == ROLE_QUERY) {
		msg.id = request.id;
		msg.command = request.command;
		error = msg_send_request(&c->ibuf, MSG_QUERY, &msg);
		request.lazy = now_ms() + QUERY_LAZY;
	} else if (c->role == ROLE_FILE_OPENING)
		error = file_open_send(c);
	else
		error = single_send(c);
	if (error == -1) {
		request_error("%s: %s", commands[request.command].name,
		    strerror(errno));
		return;
	}
	request.sent = 1;
	(void)child_send(c);
}

/*
 * The message as it came, and one end of a socket for the secret, whose
 * other end the frontend gets: it is never ours.
 */
static int
single_send(struct child *c)
{
	struct child *frontend;
	int pair[2] = { -1, -1 };

	if (request.notroot &&
	    msg_send_account_rule(&c->ibuf, request.notroot) == -1)
		return (-1);
	if (request.secret > 0) {
		if ((frontend = child_find(ROLE_FRONTEND)) == NULL) {
			errno = EPIPE;
			return (-1);
		}
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
		    SOCK_NONBLOCK, 0, pair) == -1)
			return (-1);
		if (msg_send_data(&frontend->ibuf, MSG_GO, request.id,
		    pair[0]) == -1) {
			close(pair[1]);
			return (-1);
		}
		(void)child_send(frontend);
	}
	return (msg_forward(&c->ibuf, &request.imsg, pair[1]));
}

/*
 * A worker of the role whose fd 4 is one end of a socket that the frontend
 * gets the other end of, by a message of that type.  NULL: the request has
 * been answered.
 */
static struct child *
worker_spawn(enum role role, enum msg_type type)
{
	struct child *c, *frontend;
	const char *name = confinements[role].name;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    pair) == -1) {
		request_error("%s worker: %s", name, strerror(errno));
		return (NULL);
	}
	if ((c = child_spawn(role, pair[1])) == NULL) {
		request_error("%s worker: %s", name, strerror(errno));
		close(pair[0]);
		return (NULL);
	}
	if ((frontend = child_find(ROLE_FRONTEND)) == NULL)
		close(pair[0]);
	if (frontend == NULL || msg_send_data(&frontend->ibuf, type,
	    request.id, pair[0]) == -1) {
		child_kill(c, "it has no frontend");
		request_error("%s worker: %s", name, strerror(errno));
		return (NULL);
	}
	(void)child_send(frontend);
	return (c);
}

void
query_begin(void)
{
	struct child *c;

	if ((c = child_find(ROLE_QUERY)) == NULL &&
	    (c = worker_spawn(ROLE_QUERY, MSG_DATA)) == NULL)
		return;
	request.worker = c;
	c->used = request.began;
	if (c->state == CHILD_READY)
		worker_send(c);
}

/* A guest that nobody asks keeps no worker for questions. */
void
query_timers(uint64_t now, uint64_t *next)
{
	struct child *c;

	if (request.lazy != 0 && now >= request.lazy)
		request.lazy = 0;
	else if (request.lazy != 0)
		sooner(next, request.lazy);
	if ((c = child_find(ROLE_QUERY)) == NULL || request.worker == c)
		return;
	if (now >= c->used + QUERY_IDLE)
		child_release(c);
	else
		sooner(next, c->used + QUERY_IDLE);
}

/*
 * A file's operation, a job's start, what a single worker does: each is seen
 * through, but its deadline stands.
 */
void
workers_returned(void)
{
	struct child *c = request.worker;

	if (!request.active || c == NULL || !request.sent || c->until != 0 ||
	    c->role == ROLE_QUERY || c->jobpid != 0)
		return;
	c->until = request.deadline != 0 ? request.deadline :
	    now_ms() + request.left;
}

void
workers_timers(uint64_t now, uint64_t *next)
{
	struct child *c;

	for (c = NULL; (c = child_each(c)) != NULL;) {
		if (c->until == 0 || c->state != CHILD_READY)
			continue;
		if (now < c->until) {
			sooner(next, c->until);
			continue;
		}
		child_kill(c, "what it was doing has passed its deadline");
		worker_gone(c);
	}
}

void
single_begin(enum role role, struct imsg *imsg, size_t secret)
{
	struct child *c;

	request.imsg = *imsg;
	imsg->buf = NULL;
	request.held = 1;
	request.secret = secret;
	if (commands[request.command].flags & CMD_VALUE)
		c = worker_spawn(role, MSG_RESULT);
	else if ((c = child_spawn(role, -1)) == NULL)
		request_error("%s worker: %s", confinements[role].name,
		    strerror(errno));
	request.worker = c;
}

/* It died, was killed or broke the protocol; may be told twice. */
void
worker_gone(struct child *c)
{
	if (c->role == ROLE_EXEC || c->role == ROLE_EXEC_SPARE)
		job_gone(c);
	if (c->role == ROLE_FILE)
		file_gone(c);
	freeze_gone(c);
	if (request.active && request.worker == c) {
		request_error("Command %s failed: its worker ended",
		    commands[request.command].name);
	}
}
