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
 * Jobs: one exec worker each, a spare one kept ready.  A job is found by its
 * real pid among the workers' slots; the worker leaves it unreaped until it
 * is released, so the pid cannot be another process's meanwhile.
 */

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "request.h"

#define REPLY_OVERHEAD	4096		/* of a status line, id included */
#define SPARE_DELAY	1000		/* ms after a spare that died */
#define BUSY		1000		/* ms after a job: more may come */
/*
 * A client that asks for the end without a pause between (Ansible's does)
 * takes the processors from the job it waits for: while a job is young, an
 * answer that it runs waits a moment for its end.
 */
#define YOUNG		50		/* ms since its start */
#define MOMENT		2

static const struct limits *limits;
static uint64_t		 spare_at, endings;
static uint64_t		 last_start, busy_until;	/* 0: not busy */

static int		 is_spare(const struct child *);
static struct child	*spare_find(void);
static struct child	*job_find(int64_t);
static int		 may_run(struct exec_grant *);
static void		 job_send(struct child *);
static void		 job_answer(struct child *);
static void		 job_collect(struct child *);
static void		 drop_oldest(void);
static void		 share(uint32_t *, uint32_t *);

void
jobs_init(const struct limits *l)
{
	limits = l;
}

/*
 * One worker waits for a job; two while a host runs one job after another,
 * since a worker takes as long to start as a small job to run.
 */
void
jobs_spare(void)
{
	struct child *c;
	int have = 0, want = busy_until == 0 ? 1 : 2;

	/* None is started while one could find its disk frozen. */
	if (spare_at != 0 || freeze_state() != FREEZE_STATE_THAWED)
		return;
	for (c = NULL; (c = child_each(c)) != NULL;)
		if (is_spare(c))
			have++;
	for (; have < want; have++)
		if (child_spawn(ROLE_EXEC_SPARE, -1) == NULL) {
			log_warn("start of an exec worker");
			spare_at = now_ms() + SPARE_DELAY;
			return;
		}
	for (; have > want && (c = spare_find()) != NULL; have--)
		child_release(c);
}

static int
is_spare(const struct child *c)
{
	return (c->role == ROLE_EXEC_SPARE && (c->state == CHILD_STARTING ||
	    c->state == CHILD_READY));
}

/* A spare, one that is ready if there is one; NULL: none. */
static struct child *
spare_find(void)
{
	struct child *c, *found = NULL;

	for (c = NULL; (c = child_each(c)) != NULL;)
		if (is_spare(c) && (found == NULL ||
		    found->state != CHILD_READY))
			found = c;
	return (found);
}

void
jobs_timers(uint64_t now, uint64_t *next)
{
	if (request.active && request.answer != 0) {
		if (now < request.answer)
			sooner(next, request.answer);
		else
			job_answer(request.worker);
	}
	if (busy_until != 0 && now < busy_until)
		sooner(next, busy_until);
	else if (busy_until != 0) {
		busy_until = 0;
		jobs_spare();
	}
	if (spare_at != 0 && now < spare_at)
		sooner(next, spare_at);
	else if (spare_at != 0) {
		spare_at = 0;
		jobs_spare();
	}
	if (spare_at != 0)
		sooner(next, spare_at);
}

void
exec_begin(struct msg_exec *msg, struct imsg *imsg)
{
	struct exec_grant grant;
	struct child *c;
	uint64_t running = 0;

	request.exec = *msg;
	request.imsg = *imsg;
	imsg->buf = NULL;
	request.held = 1;
	if (!may_run(&grant))
		return;
	for (c = NULL; (c = child_each(c)) != NULL;) {
		if (c->role != ROLE_EXEC || c->state != CHILD_READY)
			continue;
		/* Output that nobody takes keeps its worker as well. */
		if (c->ended == 0 || c->status != JOB_KEPT)
			running++;
	}
	if (running >= limits->max_jobs) {
		request_error("guest-exec: %llu programs are running, the "
		    "bound is max-jobs = %llu", (unsigned long long)running,
		    (unsigned long long)limits->max_jobs);
		return;
	}
	if ((c = spare_find()) == NULL &&
	    (c = child_spawn(ROLE_EXEC_SPARE, -1)) == NULL) {
		request_error("guest-exec: start of a worker: %s",
		    strerror(errno));
		return;
	}
	request.worker = c;
	if (c->state == CHILD_READY)
		job_send(c);
}

/* Do the rules let the request in hand run?  0: that has been answered. */
static int
may_run(struct exec_grant *grant)
{
	const char *why;
	struct child *c;
	uint64_t alike = 0;

	if (policy_exec(&request.exec, grant, &request.ruling, &why) == -1) {
		request_refuse("guest-exec of '%.512s' is refused: %s",
		    request.exec.path, why);
		return (0);
	}
	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c->role == ROLE_EXEC && c->state == CHILD_READY &&
		    c->ended == 0 && strcmp(c->rule, grant->name) == 0)
			alike++;
	if (!grant->ruled || alike < grant->jobs)
		return (1);
	request_refuse("guest-exec: %llu programs of the rule %s are "
	    "running, the bound is max-jobs = %llu",
	    (unsigned long long)alike, request.ruling.key,
	    (unsigned long long)grant->jobs);
	return (0);
}

/* A spare said hello. */
void
job_ready(struct child *c)
{
	if (request.active && request.worker == c && request.held)
		job_send(c);
}

/* Give the request to the worker, and the input's socket to both sides. */
static void
job_send(struct child *c)
{
	struct child *frontend = child_find(ROLE_FRONTEND);
	struct exec_grant grant;
	int pair[2] = { -1, -1 };

	/*
	 * A grant points to the rules, which may have been read anew while
	 * this was starting: what they say now counts.
	 */
	if (!may_run(&grant))
		return;
	if (request.exec.input > 0) {
		if (frontend == NULL || socketpair(AF_UNIX, SOCK_STREAM |
		    SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1 ||
		    msg_send_data(&frontend->ibuf, MSG_GO, request.id,
		    pair[0]) == -1) {
			if (pair[1] != -1)
				close(pair[1]);
			request_error("guest-exec: %s", strerror(errno));
			return;
		}
	}
	if ((grant.ruled && msg_send_exec_rule(&c->ibuf, &grant.msg) == -1)) {
		if (pair[1] != -1)
			close(pair[1]);
		request_error("guest-exec: %s", strerror(errno));
		return;
	}
	if (msg_send_exec(&c->ibuf, &request.exec, pair[1]) == -1) {
		request_error("guest-exec: %s", strerror(errno));
		/* The next job is not to run under this one's rule. */
		child_release(c);
		return;
	}
	policy_bytes(request.exec.input);
	strlcpy(c->rule, grant.name, sizeof(c->rule));
	/* A worker that was given a job is a spare no more. */
	c->role = ROLE_EXEC;
	request.sent = 1;
	(void)child_send(c);
	if (pair[0] != -1)
		(void)child_send(frontend);
}

int
job_started(struct child *c, struct imsg *imsg)
{
	struct msg_exec_started msg;
	struct msg_reply reply;

	if (msg_recv_exec_started(imsg, &msg) == -1 || c->jobpid != 0 ||
	    msg.pid < 0)
		return (-1);
	if (request.active && request.worker == c && request.id != msg.id)
		return (-1);
	c->jobpid = msg.pid;
	c->until = 0;
	c->used = now_ms();
	if (c->used < last_start + BUSY)
		busy_until = c->used + BUSY;
	last_start = c->used;
	if (request.active && request.worker == c && request.id == msg.id) {
		if (msg.pid > 0) {
			snprintf(request.note, sizeof(request.note),
			    " pid=%lld", (long long)msg.pid);
			memset(&reply, 0, sizeof(reply));
			reply.kind = REPLY_NUMBER;
			reply.number = msg.pid;
			reply.text = "";
			request_reply(&reply, -1);
		} else if (msg.refused)
			request_refuse("%s", msg.text);
		else
			request_error("%s", msg.text);
	}
	if (msg.pid == 0)
		child_release(c);
	jobs_spare();
	return (0);
}

int
exec_ended(struct child *c, struct imsg *imsg)
{
	struct exec_result result;

	if (msg_recv_exec_ended(imsg, &result) == -1 || c->jobpid == 0 ||
	    c->ended != 0 || !result.exited ||
	    result.out > limits->max_output || result.err > limits->max_output)
		return (-1);
	c->result = result;
	c->ended = ++endings;
	audit_line("command=guest-exec pid=%lld event=end %s=%u output=%llu "
	    "worker=%s[%d] ms=%llu", (long long)c->jobpid,
	    result.signaled ? "signal" : "exit", result.code,
	    (unsigned long long)result.out + result.err,
	    confinements[c->role].name, (int)c->pid,
	    (unsigned long long)(now_ms() - c->used));
	if (request.active && request.answer != 0 && request.worker == c)
		job_answer(c);
	drop_oldest();
	return (0);
}

/* Nobody asks for some of them, ever. */
static void
drop_oldest(void)
{
	struct child *c, *oldest = NULL;
	uint64_t kept = 0;

	for (c = NULL; (c = child_each(c)) != NULL;) {
		if (c->role != ROLE_EXEC || c->state != CHILD_READY ||
		    c->ended == 0)
			continue;
		kept++;
		if (c->status == JOB_KEPT && (oldest == NULL ||
		    c->ended < oldest->ended))
			oldest = c;
	}
	if (kept <= limits->max_jobs || oldest == NULL)
		return;
	log_info("the record of pid %lld is dropped: %llu ended programs "
	    "were never asked for", (long long)oldest->jobpid,
	    (unsigned long long)kept);
	child_release(oldest);
}

static struct child *
job_find(int64_t pid)
{
	struct child *c;

	if (pid <= 0)
		return (NULL);
	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c->role == ROLE_EXEC && c->state == CHILD_READY &&
		    c->jobpid == pid && c->status == JOB_KEPT)
			return (c);
	return (NULL);
}

void
exec_status_begin(int64_t pid)
{
	struct child *c;
	uint64_t now = now_ms();

	if ((c = job_find(pid)) == NULL) {
		request_error("PID %lld does not exist", (long long)pid);
		return;
	}
	request.worker = c;
	if (c->ended == 0 && now < c->used + YOUNG)
		request.answer = now + MOMENT;
	else
		job_answer(c);
}

/* The request in hand asks for this job: as it stands now. */
static void
job_answer(struct child *c)
{
	struct msg_reply reply;

	request.answer = 0;
	if (c->ended != 0 && c->result.out + c->result.err > 0) {
		job_collect(c);
		return;
	}
	memset(&reply, 0, sizeof(reply));
	reply.kind = REPLY_EXEC;
	reply.result = c->result;
	reply.text = "";
	if (c->ended != 0)
		c->status = JOB_SENT;
	request_reply(&reply, -1);
}

/*
 * Worker and frontend get the two ends of a socket, and how much of each
 * stream fits the line.
 */
static void
job_collect(struct child *c)
{
	struct msg_exec_send send;
	struct msg_reply reply;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    pair) == -1) {
		request_error("guest-exec-status: %s", strerror(errno));
		return;
	}
	memset(&reply, 0, sizeof(reply));
	reply.kind = REPLY_EXEC;
	reply.result = c->result;
	reply.text = "";
	share(&reply.result.out, &reply.result.err);
	reply.result.outcut |= reply.result.out < c->result.out;
	reply.result.errcut |= reply.result.err < c->result.err;
	send.id = request.id;
	send.out = reply.result.out;
	send.err = reply.result.err;
	if (msg_send_exec_send(&c->ibuf, &send, pair[1]) == -1) {
		close(pair[0]);
		request_error("guest-exec-status: %s", strerror(errno));
		return;
	}
	policy_bytes((uint64_t)send.out + send.err);
	c->status = JOB_SENDING;
	(void)child_send(c);
	request_reply(&reply, pair[0]);
}

/* Half of the line each; what one leaves goes to the other. */
static void
share(uint32_t *out, uint32_t *err)
{
	uint64_t room, half, o, e;

	room = (limits->max_reply - REPLY_OVERHEAD) / 4 * 3;
	half = room / 2;
	o = *out < half ? *out : half;
	e = *err < room - o ? *err : room - o;
	o = *out < room - e ? *out : room - e;
	*out = (uint32_t)o;
	*err = (uint32_t)e;
}

int
job_done(struct child *c, uint32_t ok)
{
	if (c->status != JOB_SENDING && c->status != JOB_RETURNED)
		return (-1);
	c->status = ok && c->status == JOB_SENDING ? JOB_SENT : JOB_KEPT;
	return (0);
}

/*
 * What was sent may wait in the frontend for a host that reads slowly, and
 * be lost with it.  So the record goes only when the frontend comes with the
 * next thing; if it dies instead, the status can be asked for again.
 */
void
jobs_taken(void)
{
	struct child *c;

	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c->role == ROLE_EXEC && c->state == CHILD_READY &&
		    c->status == JOB_SENT)
			child_release(c);
}

void
jobs_returned(void)
{
	struct child *c;

	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c->role == ROLE_EXEC && c->status == JOB_SENDING)
			c->status = JOB_RETURNED;
		else if (c->role == ROLE_EXEC && c->status == JOB_SENT)
			c->status = JOB_KEPT;
}

void
job_gone(struct child *c)
{
	if (c->jobpid == 0 && spare_at == 0)
		spare_at = now_ms() + SPARE_DELAY;
	else if (c->role == ROLE_EXEC && c->jobpid != 0) {
		log_warnx("the worker of pid %lld died; its end and output "
		    "are not known any more", (long long)c->jobpid);
		if (c->ended == 0)
			audit_line("command=guest-exec pid=%lld event=lost "
			    "worker=%s[%d] ms=%llu", (long long)c->jobpid,
			    confinements[c->role].name, (int)c->pid,
			    (unsigned long long)(now_ms() - c->used));
		c->ended = ++endings;
	}
}
