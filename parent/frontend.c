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
 * What the frontend may ask, and the one request in hand.
 *
 * The frontend is taken for hostile.  requests[] says which messages it may
 * send, in which state; msg_check() has already held each one to its size
 * and its descriptor, the recv functions to its form.  A message that breaks
 * any of this ends the frontend.  policy_decide() then says whether the
 * command may run; a refusal is answered.
 *
 * While a request is in hand the frontend is not read, so there is never
 * more than one, whatever it sends.
 */

#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "parent.h"
#include "request.h"

#define WHEN_NEW	0x1	/* before its hello */
#define WHEN_READY	0x2	/* after */

static int	 take_hello(struct child *, struct imsg *);
static int	 take_log(struct child *, struct imsg *);
static int	 take_channel_end(struct child *, struct imsg *);
static int	 take_ask(struct child *, struct imsg *);
static int	 take_query(struct child *, struct imsg *);
static int	 take_exec(struct child *, struct imsg *);
static int	 take_exec_status(struct child *, struct imsg *);
static int	 take_file_open(struct child *, struct imsg *);
static int	 take_file(struct child *, struct imsg *);
static int	 take_shutdown(struct child *, struct imsg *);
static int	 take_set_time(struct child *, struct imsg *);
static int	 take_units(struct child *, struct imsg *);
static int	 take_fstrim(struct child *, struct imsg *);
static int	 take_suspend(struct child *, struct imsg *);
static int	 take_password(struct child *, struct imsg *);
static int	 take_ssh_keys(struct child *, struct imsg *);
static void	 account_begin(uint64_t, enum command_id, const char *,
		    struct imsg *, size_t);
static void	 system_begin(uint64_t, enum command_id, const char *,
		    struct imsg *);
static int	 take_freeze(struct child *, struct imsg *);
static int	 take_fsfreeze(struct child *, struct imsg *);
static void	 mounts_text(char *, size_t, const struct msg_freeze *);

static const struct {
	int		 when;
	int		(*take)(struct child *, struct imsg *);
} requests[MSG_MAX] = {
	[MSG_HELLO] =		{ WHEN_NEW,	take_hello },
	[MSG_LOG] =		{ WHEN_NEW | WHEN_READY, take_log },
	[MSG_CHANNEL_END] =	{ WHEN_READY,	take_channel_end },
	[MSG_ASK] =		{ WHEN_READY,	take_ask },
	[MSG_QUERY] =		{ WHEN_READY,	take_query },
	[MSG_EXEC] =		{ WHEN_READY,	take_exec },
	[MSG_EXEC_STATUS] =	{ WHEN_READY,	take_exec_status },
	[MSG_FILE_OPEN] =	{ WHEN_READY,	take_file_open },
	[MSG_FILE_CLOSE] =	{ WHEN_READY,	take_file },
	[MSG_FILE_READ] =	{ WHEN_READY,	take_file },
	[MSG_FILE_WRITE] =	{ WHEN_READY,	take_file },
	[MSG_FILE_SEEK] =	{ WHEN_READY,	take_file },
	[MSG_FILE_FLUSH] =	{ WHEN_READY,	take_file },
	[MSG_SHUTDOWN] =	{ WHEN_READY,	take_shutdown },
	[MSG_SET_TIME] =	{ WHEN_READY,	take_set_time },
	[MSG_SET_VCPUS] =	{ WHEN_READY,	take_units },
	[MSG_SET_MEMORY_BLOCKS] = { WHEN_READY,	take_units },
	[MSG_FSTRIM] =		{ WHEN_READY,	take_fstrim },
	[MSG_SUSPEND] =		{ WHEN_READY,	take_suspend },
	[MSG_PASSWORD] =	{ WHEN_READY,	take_password },
	[MSG_SSH_KEYS] =	{ WHEN_READY,	take_ssh_keys },
	[MSG_FREEZE] =		{ WHEN_READY,	take_freeze },
	[MSG_FSFREEZE] =	{ WHEN_READY,	take_fsfreeze },
};

static void	 frontend_ready(struct child *);
static void	 request_drop(void);
static int	 request_begin(uint64_t, enum command_id, const char *);

struct request request = { .data = -1 };

static const struct conf *conf;
static uint64_t	 restart_at;		/* of the frontend, 0: none due */
static uint64_t	 minute, deaths;	/* in that minute */
static uint64_t	 last_id;		/* each must be above it */

void
frontend_message(struct child *c, struct imsg *imsg)
{
	uint32_t type = imsg_get_type(imsg);
	int when = c->state == CHILD_STARTING ? WHEN_NEW : WHEN_READY;
	char why[128];

	if (type >= MSG_MAX || requests[type].take == NULL)
		snprintf(why, sizeof(why), "message %s is not the "
		    "frontend's to send", msg_name(type));
	else if ((requests[type].when & when) == 0)
		snprintf(why, sizeof(why), "message %s %s the hello",
		    msg_name(type), when == WHEN_NEW ? "before" : "after");
	else if (DEFENCE(CONTROL_MESSAGES) && msg_check(imsg) == -1)
		snprintf(why, sizeof(why), "message %s of %zu bytes%s",
		    msg_name(type), imsg_get_len(imsg),
		    imsg_has_fd(imsg) ? " with a descriptor" : "");
	else if (requests[type].take(c, imsg) == -1)
		snprintf(why, sizeof(why), "message %s is malformed",
		    msg_name(type));
	else
		return;
	child_kill(c, why);
	frontend_died();
}

static int
take_hello(struct child *c, struct imsg *imsg)
{
	struct msg_hello msg;

	if (msg_recv_hello(imsg, &msg) == -1 || msg.role != ROLE_FRONTEND)
		return (-1);
	if (memcmp(msg.build, build_id, sizeof(msg.build) - 1) != 0) {
		child_kill(c, "it is of another build");
		frontend_died();
		want_reexec();
		return (0);
	}
	c->state = CHILD_READY;
	frontend_ready(c);
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

static int
take_channel_end(struct child *c, struct imsg *imsg)
{
	uint32_t how;

	(void)c;
	if (msg_recv_channel_end(imsg, &how) == -1)
		return (-1);
	jobs_taken();
	return (channel_end((enum channel_end)how));
}

/* A command that the frontend holds disabled: said, and on record. */
static int
take_ask(struct child *c, struct imsg *imsg)
{
	static const struct msg_reply allowed = { .kind = REPLY_EMPTY,
	    .text = "" };
	struct msg_request msg;
	struct msg_reply reply = allowed;

	(void)c;
	if (msg_recv_request(imsg, &msg) == -1 || msg.id <= last_id)
		return (-1);
	if (request_begin(msg.id, (enum command_id)msg.command, "") == 0) {
		request.asked = 1;
		request_reply(&reply, -1);
	}
	return (0);
}

static int
take_query(struct child *c, struct imsg *imsg)
{
	struct msg_request msg;

	(void)c;
	if (msg_recv_request(imsg, &msg) == -1 || msg.id <= last_id ||
	    commands[msg.command].class != CLASS_QUERY)
		return (-1);
	if (request_begin(msg.id, (enum command_id)msg.command, "") == 0)
		query_begin();
	return (0);
}

static int
take_exec(struct child *c, struct imsg *imsg)
{
	struct msg_exec msg;

	(void)c;
	if (msg_recv_exec(imsg, &msg) == -1)
		return (-1);
	if (msg.id <= last_id || msg.input > conf->limits.max_bulk) {
		msg_exec_free(&msg);
		return (-1);
	}
	if (request_begin(msg.id, CMD_GUEST_EXEC, msg.path) == -1)
		msg_exec_free(&msg);
	else
		exec_begin(&msg, imsg);
	return (0);
}

static int
take_exec_status(struct child *c, struct imsg *imsg)
{
	struct msg_exec_status msg;
	char pid[32];

	(void)c;
	if (msg_recv_exec_status(imsg, &msg) == -1 || msg.id <= last_id)
		return (-1);
	snprintf(pid, sizeof(pid), "%lld", (long long)msg.pid);
	if (request_begin(msg.id, CMD_GUEST_EXEC_STATUS, pid) == 0)
		exec_status_begin(msg.pid);
	return (0);
}

static int
take_file_open(struct child *c, struct imsg *imsg)
{
	struct msg_file_open msg;

	(void)c;
	/* The rule is ours to attach. */
	if (msg_recv_file_open(imsg, &msg) == -1 || msg.id <= last_id ||
	    msg.base[0] != '\0')
		return (-1);
	if (request_begin(msg.id, CMD_GUEST_FILE_OPEN, msg.path) == 0)
		file_open_begin(&msg);
	return (0);
}

static int
take_file(struct child *c, struct imsg *imsg)
{
	static const enum command_id command[MSG_MAX] = {
		[MSG_FILE_CLOSE] = CMD_GUEST_FILE_CLOSE,
		[MSG_FILE_READ] = CMD_GUEST_FILE_READ,
		[MSG_FILE_WRITE] = CMD_GUEST_FILE_WRITE,
		[MSG_FILE_SEEK] = CMD_GUEST_FILE_SEEK,
		[MSG_FILE_FLUSH] = CMD_GUEST_FILE_FLUSH,
	};
	enum msg_type type = imsg_get_type(imsg);
	struct msg_file msg;
	char handle[32];

	(void)c;
	if (msg_recv_file(imsg, &msg) == -1 || msg.id <= last_id ||
	    (type == MSG_FILE_WRITE &&
	    (uint64_t)msg.number > conf->limits.max_bulk))
		return (-1);
	snprintf(handle, sizeof(handle), "%lld", (long long)msg.handle);
	if (request_begin(msg.id, command[type], handle) == 0)
		file_begin(type, &msg);
	return (0);
}

static int
take_shutdown(struct child *c, struct imsg *imsg)
{
	static const char *const modes[SHUTDOWN_MODES] = { "powerdown",
	    "halt", "reboot" };
	struct msg_shutdown msg;

	(void)c;
	if (msg_recv_shutdown(imsg, &msg) == -1 || msg.id <= last_id)
		return (-1);
	if (request_begin(msg.id, CMD_GUEST_SHUTDOWN, modes[msg.mode]) == -1)
		return (0);
	if (policy_shutdown(msg.mode == SHUTDOWN_REBOOT, &request.ruling) ==
	    -1)
		request_refuse("guest-shutdown is refused: the configuration "
		    "does not allow mode %s", modes[msg.mode]);
	else
		single_begin(ROLE_SYSTEM, imsg, 0);
	return (0);
}

static int
take_set_time(struct child *c, struct imsg *imsg)
{
	struct msg_set_time msg;
	char ns[32] = "";

	(void)c;
	if (msg_recv_set_time(imsg, &msg) == -1 || msg.id <= last_id)
		return (-1);
	if (msg.given)
		snprintf(ns, sizeof(ns), "%llu", (unsigned long long)msg.ns);
	system_begin(msg.id, CMD_GUEST_SET_TIME, ns, imsg);
	return (0);
}

/* Processors and memory blocks: "1=off,2=on". */
static int
take_units(struct child *c, struct imsg *imsg)
{
	struct msg_units msg;
	char list[sizeof(request.object) + 32] = "";
	size_t len = 0;
	uint32_t i;

	(void)c;
	if (msg_recv_units(imsg, &msg) == -1)
		return (-1);
	for (i = 0; i < msg.n && len < sizeof(request.object); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len,
		    "%s%lld=%s", i == 0 ? "" : ",",
		    (long long)msg.v[i].number, msg.v[i].online ? "on" :
		    "off");
	msg_units_free(&msg);
	if (msg.id <= last_id)
		return (-1);
	system_begin(msg.id, imsg_get_type(imsg) == MSG_SET_VCPUS ?
	    CMD_GUEST_SET_VCPUS : CMD_GUEST_SET_MEMORY_BLOCKS, list, imsg);
	return (0);
}

static int
take_fstrim(struct child *c, struct imsg *imsg)
{
	struct msg_fstrim msg;
	char minimum[32];

	(void)c;
	if (msg_recv_fstrim(imsg, &msg) == -1 || msg.id <= last_id)
		return (-1);
	snprintf(minimum, sizeof(minimum), "%llu",
	    (unsigned long long)msg.minimum);
	system_begin(msg.id, CMD_GUEST_FSTRIM, minimum, imsg);
	return (0);
}

static int
take_suspend(struct child *c, struct imsg *imsg)
{
	static const enum command_id ids[SUSPEND_MODES] = {
		[SUSPEND_DISK] = CMD_GUEST_SUSPEND_DISK,
		[SUSPEND_RAM] = CMD_GUEST_SUSPEND_RAM,
		[SUSPEND_HYBRID] = CMD_GUEST_SUSPEND_HYBRID,
	};
	struct msg_suspend msg;

	(void)c;
	if (msg_recv_suspend(imsg, &msg) == -1 || msg.id <= last_id)
		return (-1);
	system_begin(msg.id, ids[msg.mode], "", imsg);
	return (0);
}

static void
system_begin(uint64_t id, enum command_id command, const char *object,
    struct imsg *imsg)
{
	if (request_begin(id, command, object) == 0)
		single_begin(ROLE_SYSTEM, imsg, 0);
}

/* The password itself goes past us. */
static int
take_password(struct child *c, struct imsg *imsg)
{
	struct msg_password msg;

	(void)c;
	if (msg_recv_password(imsg, &msg) == -1 || msg.id <= last_id)
		return (-1);
	account_begin(msg.id, CMD_GUEST_SET_USER_PASSWORD, msg.username, imsg,
	    msg.secret);
	return (0);
}

static int
take_ssh_keys(struct child *c, struct imsg *imsg)
{
	struct msg_ssh_keys msg;

	(void)c;
	if (msg_recv_ssh_keys(imsg, &msg) == -1)
		return (-1);
	msg_ssh_keys_free(&msg);
	if (msg.id <= last_id || commands[msg.command].class != CLASS_ACCOUNT ||
	    msg.command == CMD_GUEST_SET_USER_PASSWORD)
		return (-1);
	account_begin(msg.id, (enum command_id)msg.command, msg.username,
	    imsg, 0);
	return (0);
}

static void
account_begin(uint64_t id, enum command_id command, const char *user,
    struct imsg *imsg, size_t secret)
{
	uint32_t notroot;

	if (request_begin(id, command, user) == -1)
		return;
	if (policy_account(command, user, &request.ruling, &notroot) == -1) {
		request_refuse("%s is refused: the configuration does not "
		    "name user '%.256s'", commands[command].name, user);
		return;
	}
	request.notroot = notroot;
	single_begin(ROLE_ACCOUNT, imsg, secret);
}

static int
take_freeze(struct child *c, struct imsg *imsg)
{
	struct msg_freeze msg;
	char mounts[256];

	(void)c;
	if (msg_recv_freeze(imsg, &msg) == -1)
		return (-1);
	mounts_text(mounts, sizeof(mounts), &msg);
	msg_freeze_free(&msg);
	if (msg.id <= last_id ||
	    (msg.command != CMD_GUEST_FSFREEZE_FREEZE_LIST &&
	    (msg.command != CMD_GUEST_FSFREEZE_FREEZE || msg.listed)))
		return (-1);
	if (request_begin(msg.id, (enum command_id)msg.command, mounts) == 0)
		freeze_begin(imsg);
	return (0);
}

/* For the audit line. */
static void
mounts_text(char *text, size_t size, const struct msg_freeze *msg)
{
	uint32_t i;

	strlcpy(text, msg->listed ? "" : "all", size);
	for (i = 0; i < msg->n; i++) {
		if (i > 0)
			(void)strlcat(text, ",", size);
		if (strlcat(text, msg->mounts[i], size) >= size)
			return;
	}
}

static int
take_fsfreeze(struct child *c, struct imsg *imsg)
{
	struct msg_request msg;

	(void)c;
	if (msg_recv_request(imsg, &msg) == -1 || msg.id <= last_id ||
	    (msg.command != CMD_GUEST_FSFREEZE_STATUS &&
	    msg.command != CMD_GUEST_FSFREEZE_THAW))
		return (-1);
	if (request_begin(msg.id, (enum command_id)msg.command, "") == -1)
		return (0);
	if (msg.command == CMD_GUEST_FSFREEZE_STATUS)
		freeze_status_begin();
	else
		freeze_thaw_begin();
	return (0);
}

/*
 * The request is in hand from here on.  0: it may run; -1: it may not, and
 * has been answered.
 */
static int
request_begin(uint64_t id, enum command_id command, const char *object)
{
	struct msg_reply reply;
	char text[256];
	enum verdict verdict;

	last_id = id;
	jobs_taken();
	memset(&request, 0, sizeof(request));
	request.active = 1;
	request.data = -1;
	request.id = id;
	request.command = command;
	request.began = now_ms();
	if (commands[command].deadline != 0)
		request.deadline = request.began +
		    (uint64_t)commands[command].deadline *
		    (DEFENCE(CONTROL_DEADLINES) ? 1000 : 25);
	if (strlcpy(request.object, object, sizeof(request.object)) >=
	    sizeof(request.object))
		memcpy(request.object + sizeof(request.object) - 4, "...", 4);
	verdict = policy_decide(command, &request.ruling);
	if (verdict == VERDICT_ALLOWED)
		verdict = policy_measure(command, &conf->limits,
		    request.began, &request.ruling);
	report_counters()->requests++;
	if (verdict == VERDICT_ALLOWED)
		return (0);
	if (verdict == VERDICT_REQUESTS || verdict == VERDICT_BYTES) {
		report_counters()->limited++;
		request.ruling.line = verdict == VERDICT_BYTES ?
		    conf->bytesline : conf->requestsline;
	}
	request.refused = 1;
	memset(&reply, 0, sizeof(reply));
	reply.kind = policy_refusal(verdict, command, text, sizeof(text));
	reply.text = text;
	request_reply(&reply, -1);
	return (-1);
}

void
request_reply(const struct msg_reply *how, int fd)
{
	struct msg_reply reply = *how;
	struct child *frontend;

	if (!request.active) {
		if (fd != -1)
			close(fd);
		return;
	}
	reply.id = request.id;
	request_audit(reply.kind == REPLY_ERROR ||
	    reply.kind == REPLY_REFUSED ? reply.text : "ok");
	request_drop();
	if ((frontend = child_find(ROLE_FRONTEND)) == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	if (msg_send_reply(&frontend->ibuf, &reply, fd) == -1) {
		/* The host would wait for ever. */
		child_kill(frontend, strerror(errno));
		frontend_died();
		return;
	}
	(void)child_send(frontend);
}

void
request_refuse(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	request.refused = 1;
	request_error("%s", text);
}

void
request_error(const char *fmt, ...)
{
	struct msg_reply reply;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memset(&reply, 0, sizeof(reply));
	reply.kind = REPLY_ERROR;
	reply.text = text;
	request_reply(&reply, -1);
}

/* It ended on a data socket: nothing is left to say but the record. */
void
request_done(const char *result)
{
	if (!request.active)
		return;
	request_audit(result);
	request_drop();
}

static void
request_drop(void)
{
	if (request.held) {
		msg_exec_free(&request.exec);	/* nothing unless guest-exec */
		imsg_free(&request.imsg);
	}
	free((void *)(uintptr_t)request.open.base);
	free((void *)(uintptr_t)request.open.path);
	memset(&request.open, 0, sizeof(request.open));
	if (request.data != -1)
		close(request.data);
	request.data = -1;
	request.held = 0;
	request.active = 0;
	request.lazy = 0;
	request.worker = NULL;
}

/* --- the frontend's life --- */

static void
frontend_ready(struct child *c)
{
	if (msg_send_limits(&c->ibuf, &conf->limits) == -1)
		fatal("limits to the frontend");
	frontend_policy();
	channel_offer(c);
}

void
frontend_policy(void)
{
	struct child *c;
	struct msg_policy msg;

	if ((c = child_find(ROLE_FRONTEND)) == NULL ||
	    c->state != CHILD_READY)
		return;
	policy_fill(&msg);
	if (msg_send_policy(&c->ibuf, &msg) == -1)
		fatal("policy to the frontend");
	(void)child_send(c);
}

int
frontend_idle(void)
{
	return (!request.active);
}

void
frontend_start(const struct conf *c)
{
	conf = c;
	if (child_spawn(ROLE_FRONTEND, -1) == NULL)
		fatal("start of the frontend");
}

/*
 * It is gone or was ended.  A query in hand ends with it, as its worker
 * writes to nobody now; a job that is being started, a program that is being
 * run, live on.  The next one is started after a moment; when that has
 * happened too often the service manager is to start us anew.
 */
void
frontend_died(void)
{
	struct child *c;
	uint64_t now = now_ms();

	workers_returned();
	if (request.active)
		request_done("the frontend has gone");
	jobs_returned();
	/* Nobody is left who could thaw. */
	freeze_abort("the frontend has gone");
	if ((c = child_find(ROLE_QUERY)) != NULL)
		child_release(c);
	channel_frontend_died();
	last_id = 0;
	report_counters()->deaths++;
	if (now >= minute + 60000) {
		minute = now;
		deaths = 0;
	}
	if (++deaths > conf->limits.restarts)
		want_end(75, "the frontend ended too often");
	restart_at = now + (deaths < 6 ? 10U << deaths : 500);
	log_warnx("the frontend has gone; a new one is started");
}

void
frontend_timers(uint64_t now, uint64_t *next)
{
	struct child *worker;
	enum command_id command;

	if (restart_at != 0) {
		if (now < restart_at)
			sooner(next, restart_at);
		else {
			restart_at = 0;
			if (child_spawn(ROLE_FRONTEND, -1) == NULL) {
				log_warn("start of the frontend");
				restart_at = now + 1000;
				sooner(next, restart_at);
			}
		}
	}
	if (!request.active || request.deadline == 0)
		return;
	if (now < request.deadline) {
		sooner(next, request.deadline);
		return;
	}
	command = request.command;
	worker = request.worker;
	request_error("Command %s timed out after %u seconds",
	    commands[command].name, (unsigned int)commands[command].deadline);
	if (commands[command].class == CLASS_FREEZE)
		freeze_abort("its deadline has passed");
	if (worker != NULL && worker->jobpid == 0) {
		child_kill(worker, "its request's deadline has passed");
		worker_gone(worker);
	}
}
