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
 * The freeze: the states, and who does what next.  Workers do all of it, for
 * each part of it can block; nothing here waits for any of them longer than
 * its patience, and the file systems are never taken for thawed before
 * somebody who knows has said so.
 *
 *	freezer: write the marker	freeze hooks	freezer: freeze
 *	... frozen ...
 *	freezer, or keeper, or sweeper: thaw	thaw hooks
 *	sweeper: remove the marker
 *
 * Whatever fails goes to the thaw, and from there the same way.
 */

#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "request.h"

#define MARK_PATIENCE	30000	/* ms */
#define OPEN_PATIENCE	30000	/* to find and open before the first freeze */
#define ABORT_PATIENCE	2000	/* from "thaw" to SIGKILL, and a timer's own */
#define THAW_PATIENCE	30000
#define SWEEP_PATIENCE	60000
#define SWEEP_AGAIN	30000	/* to the next, when one did not thaw all */
#define HOOK_PATIENCE	(HOOK_TOTAL + 5 * HOOK_GRACE + 5000)
#define TRIES		3	/* of what must be done and whose worker died */

enum doing {
	IDLE,
	MARKING,
	HOOKS_BEFORE,
	WAITING,		/* for file operations that were ended */
	FREEZING,
	HOLDING,		/* frozen */
	THAWING,
	SWEEPING,
	HOOKS_AFTER,
	CLEARING,
	DOINGS
};

static void	 late_idle(void);
static void	 late_mark(void);
static void	 late_hooks(void);
static void	 late_files(void);
static void	 late_freeze(void);
static void	 late_hold(void);
static void	 late_thaw(void);
static void	 late_sweep(void);
static void	 late_clear(void);
static void	 died_before(void);
static void	 died_freezer(void);
static void	 died_sweep(void);
static void	 died_clear(void);

/* What the host sees; what happens when it takes too long, or a worker dies. */
static const struct {
	enum freeze_state state;
	void		(*late)(void);
	void		(*died)(void);
} doings[DOINGS] = {
	[IDLE] =	{ FREEZE_STATE_THAWED, late_idle, NULL },
	[MARKING] =	{ FREEZE_STATE_FREEZING, late_mark, died_before },
	[HOOKS_BEFORE] = { FREEZE_STATE_FREEZING, late_hooks, died_before },
	[WAITING] =	{ FREEZE_STATE_FREEZING, late_files, died_before },
	[FREEZING] =	{ FREEZE_STATE_FREEZING, late_freeze, died_freezer },
	[HOLDING] =	{ FREEZE_STATE_FROZEN, late_hold, died_freezer },
	[THAWING] =	{ FREEZE_STATE_THAWING, late_thaw, died_freezer },
	[SWEEPING] =	{ FREEZE_STATE_THAWING, late_sweep, died_sweep },
	[HOOKS_AFTER] =	{ FREEZE_STATE_THAWING, late_clear, died_clear },
	[CLEARING] =	{ FREEZE_STATE_THAWING, late_clear, died_clear },
};

static struct {
	enum doing	 doing;
	uint64_t	 until;		/* its patience; 0: none */
	struct child	*freezer;	/* NULL: has gone, or is let go */
	struct child	*helper;	/* a hook worker or a sweeper */
	int		 fd;		/* records of freezer and keeper */
	unsigned char	 bytes[FREEZE_RECORD];
	size_t		 have;
	int		 hooks;		/* thaw hooks are owed */
	int		 recovering;	/* a start, or --thaw */
	int		 trouble;	/* some order failed: --thaw tells */
	int		 kept;		/* the marker, for another sweep */
	int		 stuck;		/* the thaw is, nobody waits for it */
	int		 asked;		/* the host's thaw found it frozen */
	unsigned int	 tries;
	uint32_t	 count;		/* frozen; then thawed */
	uint64_t	 began;
	uint64_t	 ids;		/* of what hook workers are asked */
	char		 path[FREEZE_PATH];	/* being frozen */
	char		 failed[512];	/* why there is no freeze; "" */
} f = { .fd = -1 };

static const struct conf *conf;
static int	 closing;

static void	 go(enum doing, uint64_t);
static void	 fail(const char *, ...) __attribute__((format(printf, 1, 2)));
static void	 freezer_start(void);
static void	 freezer_drop(const char *);
static void	 freezer_order(void);
static void	 files_stop(void);
static struct child *file_left(void);
static void	 thaw_order(uint64_t);
static void	 helper_start(enum role, enum doing, uint64_t);
static void	 helper_drop(const char *);
static void	 sweep_start(void);
static void	 thawed(void);
static void	 hooks_after(void);
static void	 clear_start(void);
static void	 finish(void);
static void	 answer(void);
static void	 take_record(const struct freeze_record *);
static void	 take_thawed(const struct freeze_record *);
static int	 again(const char *);

void
freeze_init(const struct conf *c)
{
	conf = c;
}

enum freeze_state
freeze_state(void)
{
	return (doings[f.doing].state);
}

int
freeze_pollfd(void)
{
	return (f.fd);
}

static void
go(enum doing doing, uint64_t patience)
{
	enum freeze_state before = freeze_state();

	f.doing = doing;
	f.until = patience == 0 ? 0 : now_ms() + patience;
	if (freeze_state() == before)
		return;
	log_debug("freeze: state %d", (int)freeze_state());
	policy_frozen(freeze_state() != FREEZE_STATE_THAWED);
	frontend_policy();
}

/* --- what the host asks for --- */

void
freeze_begin(struct imsg *imsg)
{
	struct msg_reply reply;
	struct child *c;

	memset(&reply, 0, sizeof(reply));
	reply.kind = REPLY_NUMBER;
	reply.text = "";
	if (f.doing == HOLDING) {
		reply.number = f.count;
		request_reply(&reply, -1);
		return;
	}
	if (f.doing != IDLE || closing) {
		request_error("Command %s failed: %s",
		    commands[request.command].name,
		    f.doing != IDLE ? "a thaw is under way" :
		    "the agent is ending");
		return;
	}
	if (f.kept) {
		request_error("Command %s failed: what was frozen before "
		    "could not be thawed", commands[request.command].name);
		return;
	}
	request.imsg = *imsg;
	imsg->buf = NULL;
	request.held = 1;
	/* Nothing of ours is to look at a disk meanwhile. */
	if ((c = child_find(ROLE_QUERY)) != NULL)
		child_release(c);
	f.hooks = f.asked = f.recovering = f.stuck = 0;
	f.count = 0;
	f.tries = 0;
	f.began = now_ms();
	files_stop();
	f.path[0] = f.failed[0] = '\0';
	go(MARKING, MARK_PATIENCE);
	freezer_start();
}

void
freeze_status_begin(void)
{
	struct msg_reply reply;

	memset(&reply, 0, sizeof(reply));
	reply.kind = REPLY_NUMBER;
	reply.number = f.doing != IDLE || f.kept;
	reply.text = "";
	request_reply(&reply, -1);
}

/* One that finds it being thawed waits for that, and has thawed nothing. */
void
freeze_thaw_begin(void)
{
	if (f.doing == IDLE && f.kept && !closing) {
		f.asked = 1;
		late_idle();
	} else if (f.doing == IDLE)
		answer();
	else if (f.doing == HOLDING) {
		f.asked = 1;
		thaw_order(THAW_PATIENCE);
	}
}

/* The request in hand, if it is one of ours, ends with what came of it. */
static void
answer(void)
{
	struct msg_reply reply;

	if (!request.active ||
	    commands[request.command].class != CLASS_FREEZE)
		return;
	if (request.command != CMD_GUEST_FSFREEZE_THAW &&
	    f.failed[0] != '\0') {
		request_error("%s", f.failed);
		return;
	}
	if (request.command == CMD_GUEST_FSFREEZE_THAW && f.kept) {
		f.asked = 0;
		request_error("Command %s failed: not all could be thawed",
		    commands[request.command].name);
		return;
	}
	memset(&reply, 0, sizeof(reply));
	reply.kind = REPLY_NUMBER;
	reply.text = "";
	if (f.doing == HOLDING ||
	    (request.command == CMD_GUEST_FSFREEZE_THAW && f.asked))
		reply.number = f.count;
	f.asked = 0;
	request_reply(&reply, -1);
}

void
freeze_abort(const char *why)
{
	switch (f.doing) {
	case MARKING:
	case HOOKS_BEFORE:
	case WAITING:
		fail("%s", why);
		break;
	case FREEZING:
	case HOLDING:
		log_warnx("thawing: %s", why);
		strlcpy(f.failed, why, sizeof(f.failed));
		thaw_order(f.doing == FREEZING ? ABORT_PATIENCE :
		    THAW_PATIENCE);
		break;
	default:
		break;
	}
}

int
freeze_close(const char *why)
{
	closing = 1;
	freeze_abort(why);
	return (f.doing == IDLE || f.stuck);
}

/* --- until it is frozen --- */

static void
fail(const char *fmt, ...)
{
	va_list ap;

	if (f.failed[0] == '\0') {
		va_start(ap, fmt);
		vsnprintf(f.failed, sizeof(f.failed), fmt, ap);
		va_end(ap);
		log_warnx("no freeze: %s", f.failed);
	}
	/* Nothing is frozen yet: these are from before it was ordered. */
	freezer_drop(NULL);
	helper_drop(NULL);
	thawed();
}

static void
freezer_start(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    pair) == -1) {
		fail("freeze worker: %s", strerror(errno));
		return;
	}
	if ((f.freezer = child_spawn(ROLE_FREEZE, pair[1])) == NULL) {
		close(pair[0]);
		fail("freeze worker: %s", strerror(errno));
		return;
	}
	f.fd = pair[0];
	f.have = 0;
}

static void
freezer_drop(const char *why)
{
	struct child *c = f.freezer;

	if (f.fd != -1)
		close(f.fd);
	f.fd = -1;
	f.freezer = NULL;
	if (c == NULL)
		return;
	if (why != NULL)
		child_kill(c, why);
	else
		child_release(c);
}

/* A helper that cannot be started is one that died. */
static void
helper_start(enum role role, enum doing doing, uint64_t patience)
{
	go(doing, patience);
	if ((f.helper = child_spawn(role, -1)) == NULL) {
		log_warn("%s worker", confinements[role].name);
		doings[doing].died();
	}
}

static void
helper_drop(const char *why)
{
	struct child *c = f.helper;

	f.helper = NULL;
	if (c == NULL)
		return;
	if (why != NULL)
		child_kill(c, why);
	else
		child_release(c);
}

/* It said hello. */
void
freeze_ready(struct child *c)
{
	struct msg_hook hook;
	int error;

	if (c == f.freezer && f.doing == MARKING)
		error = msg_send_freeze_order(&c->ibuf, ORDER_MARK);
	else if (c == f.helper && c->role == ROLE_HOOK) {
		memset(&hook, 0, sizeof(hook));
		hook.id = ++f.ids;
		hook.phase = f.doing == HOOKS_BEFORE ? HOOK_FREEZE :
		    HOOK_THAW;
		/* From here on they may have begun. */
		f.hooks = 1;
		hook.abort = (uint32_t)conf->hook_abort;
		error = msg_send_hook(&c->ibuf, &hook);
	} else if (c == f.helper)
		error = msg_send_freeze_order(&c->ibuf, f.doing == SWEEPING ?
		    ORDER_SWEEP : ORDER_CLEAR);
	else {
		child_release(c);
		return;
	}
	if (error == -1)
		child_kill(c, strerror(errno));
	else
		(void)child_send(c);
}

/* An answer of a freezer or a sweeper. */
int
freeze_done(struct child *c, struct imsg *imsg)
{
	struct msg_freeze_done msg;

	if (msg_recv_freeze_done(imsg, &msg) == -1)
		return (-1);
	if (c == f.freezer && f.doing == MARKING &&
	    msg.order == ORDER_MARK) {
		/* Without it nobody would thaw what a crash leaves. */
		if (msg.text[0] != '\0')
			fail("the marker in %s: %s", conf->statedir,
			    msg.text);
		else
			helper_start(ROLE_HOOK, HOOKS_BEFORE, HOOK_PATIENCE);
		return (0);
	}
	if (c != f.helper) {
		child_release(c);
		return (0);
	}
	if (msg.text[0] != '\0') {
		log_error("the marker in %s: %s", conf->statedir, msg.text);
		f.trouble = 1;
	}
	helper_drop(NULL);
	if (f.doing == SWEEPING && msg.order == ORDER_SWEEP) {
		f.kept = msg.text[0] != '\0';
		if (msg.count > 0)
			log_warnx("%u file systems were left frozen and are "
			    "thawed", msg.count);
		if (f.recovering)
			f.hooks = (int)msg.hooks;
		f.count = msg.count;
		if (msg.found)
			thawed();
		else
			finish();
	} else
		finish();
	return (0);
}

/* An answer of a hook worker. */
int
freeze_hooks_done(struct child *c, const struct msg_done *msg)
{
	if (c != f.helper) {
		child_release(c);
		return (0);
	}
	if (msg->id != f.ids)
		return (-1);
	helper_drop(NULL);
	if (f.doing == HOOKS_AFTER) {
		if (!msg->ok)
			log_warnx("thaw hooks: %s", msg->text);
		clear_start();
	} else if (!msg->ok)
		fail("%s", msg->text);
	else
		freezer_order();
	return (0);
}

/* From here on something may be frozen, so the log worker may block. */
static void
freezer_order(void)
{
	if (!request.active) {
		fail("nobody waits for it");
		return;
	}
	if (file_left() != NULL) {
		go(WAITING, KILL_PATIENCE);
		return;
	}
	if (msg_forward(&f.freezer->ibuf, &request.imsg, -1) == -1) {
		fail("freeze worker: %s", strerror(errno));
		return;
	}
	log_debug("freeze: hooks done, freezing");
	go(FREEZING, OPEN_PATIENCE);
	logger_hold(1);
	if (child_send(f.freezer) == -1)
		child_kill(f.freezer, strerror(errno));
}

/*
 * No operation on a file may be open when the first is frozen: one that is
 * there still had its deadline, or nobody waits for it.
 */
static void
files_stop(void)
{
	struct child *c;

	for (c = NULL; (c = child_each(c)) != NULL;) {
		if (c->role != ROLE_FILE && c->role != ROLE_FILE_OPENING)
			continue;
		if (c->state == CHILD_LOST)
			log_warnx("%s: an operation on it never ended",
			    c->shown == NULL ? "a file" : c->shown);
		else if (c->state == CHILD_STARTING ||
		    (c->state == CHILD_READY && (c->op != 0 ||
		    c->role == ROLE_FILE_OPENING))) {
			child_kill(c, "a freeze begins");
			worker_gone(c);
		}
	}
}

/* One that is there still, and was not written off when this began. */
static struct child *
file_left(void)
{
	struct child *c;

	for (c = NULL; (c = child_each(c)) != NULL;)
		if ((c->role == ROLE_FILE || c->role == ROLE_FILE_OPENING) &&
		    !c->reaped && (c->state == CHILD_KILLED ||
		    (c->state == CHILD_LOST &&
		    c->killed + KILL_PATIENCE > f.began)))
			return (c);
	return (NULL);
}

/* --- records --- */

int
freeze_read(void)
{
	struct freeze_record r;
	ssize_t n;

	n = read(f.fd, f.bytes + f.have, sizeof(f.bytes) - f.have);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return (0);
	if (n > 0) {
		f.have += (size_t)n;
		if (f.have < sizeof(f.bytes))
			return (1);
		f.have = 0;
		if (freeze_record_decode(f.bytes, &r) == 0) {
			take_record(&r);
			return (1);
		}
		log_error("a freezer's record is malformed");
	}
	/* Freezer and keeper have gone, and neither said that it is thawed. */
	close(f.fd);
	f.fd = -1;
	if (f.doing == FREEZING || f.doing == HOLDING || f.doing == THAWING) {
		if (f.failed[0] == '\0')
			strlcpy(f.failed, "freezer and keeper have gone",
			    sizeof(f.failed));
		log_warnx("freezer and keeper have gone: sweeping");
		f.tries = 0;
		sweep_start();
	}
	return (0);
}

static void
take_record(const struct freeze_record *r)
{
	switch (r->event) {
	case FREEZE_BEGUN:
		memcpy(f.path, r->path, sizeof(f.path));
		log_debug("freeze: %s", f.path);
		if (f.doing == FREEZING)
			go(FREEZING, conf->stuck_after * 1000);
		break;
	case FREEZE_FROZEN:
		if (f.doing != FREEZING)
			break;
		f.count = r->count;
		log_info("%u file systems are frozen", f.count);
		go(HOLDING, conf->auto_thaw * 1000 + ABORT_PATIENCE);
		answer();
		break;
	case FREEZE_STUCK:
		log_error("%s cannot be thawed: %s", r->path,
		    strerror((int)r->error));
		break;
	case FREEZE_THAWED:
		take_thawed(r);
		break;
	}
}

/* Nothing is frozen any more; why tells whether anybody asked for that. */
static void
take_thawed(const struct freeze_record *r)
{
	static const char *const whys[FREEZE_WHYS] = {
		[WHY_ASKED] = "as asked",
		[WHY_TIMER] = "the time for a freeze, auto-thaw, is over",
		[WHY_SIGNAL] = "the freeze worker was asked to end",
		[WHY_GONE] = "the freeze worker lost its monitor",
		[WHY_KEEPER] = "the keeper has gone",
		[WHY_FREEZER] = "the freeze worker has gone",
	};
	char text[512];

	switch (r->why) {
	case WHY_NOTHING:
		text[0] = '\0';
		break;
	case WHY_OPEN:
		snprintf(text, sizeof(text), "%s", r->path);
		break;
	case WHY_FAILED:
		snprintf(text, sizeof(text), "failed to freeze %s: %s",
		    r->path, strerror((int)r->error));
		break;
	case WHY_SETUP:
		snprintf(text, sizeof(text), "freeze worker: %s: %s", r->path,
		    strerror((int)r->error));
		break;
	default:
		snprintf(text, sizeof(text), "%s", whys[r->why]);
		break;
	}
	if (f.failed[0] == '\0')
		strlcpy(f.failed, text, sizeof(f.failed));
	f.count = r->count;
	freezer_drop(NULL);
	logger_hold(0);
	if (f.asked)
		log_info("%u file systems are thawed", f.count);
	else if (r->why != WHY_NOTHING)
		log_warnx("no freeze any more, %u file systems thawed: %s",
		    f.count, f.failed);
	thawed();
}

/* --- from the thaw on --- */

static void
thaw_order(uint64_t patience)
{
	go(THAWING, patience);
	if (f.fd != -1 && send(f.fd, "", 1, MSG_NOSIGNAL) == -1)
		log_debug("the freezer is not there to be told");
}

static void
sweep_start(void)
{
	helper_start(ROLE_FREEZE, SWEEPING, SWEEP_PATIENCE);
}

/* All that we froze is thawed. */
static void
thawed(void)
{
	logger_hold(0);
	f.tries = 0;
	if (f.hooks)
		hooks_after();
	else
		clear_start();
}

static void
hooks_after(void)
{
	helper_start(ROLE_HOOK, HOOKS_AFTER, HOOK_PATIENCE);
}

/* The marker is all that the next sweep knows. */
static void
clear_start(void)
{
	if (f.kept) {
		finish();
		return;
	}
	f.tries = 0;
	helper_start(ROLE_FREEZE, CLEARING, SWEEP_PATIENCE);
}

static void
finish(void)
{
	freezer_drop(NULL);
	helper_drop(NULL);
	logger_hold(0);
	go(IDLE, f.kept ? SWEEP_AGAIN : 0);
	answer();
	if (f.recovering)
		return;
	jobs_spare();
}

/* --- what takes too long, who dies --- */

/* Another sweep; the thaw hooks had their turn after the first. */
static void
late_idle(void)
{
	f.hooks = f.recovering = f.stuck = 0;
	f.count = 0;
	f.tries = 0;
	sweep_start();
}

static void
late_mark(void)
{
	freezer_drop("the marker is not written");
	fail("the marker in %s takes too long", conf->statedir);
}

static void
late_hooks(void)
{
	helper_drop("the hooks take too long");
	fail("the freeze hooks took too long");
}

static void
late_files(void)
{
	struct child *c;

	if ((c = file_left()) == NULL)
		freezer_order();
	else
		fail("an operation on the file %s does not end",
		    c->shown == NULL ? "" : c->shown);
}

static void
late_freeze(void)
{
	snprintf(f.failed, sizeof(f.failed), f.path[0] == '\0' ?
	    "finding the file systems took too long" : "failed to freeze "
	    "%s: it takes longer than %llu seconds", f.path,
	    (unsigned long long)conf->stuck_after);
	log_error("%s", f.failed);
	thaw_order(ABORT_PATIENCE);
	/* The host has it now; the thaw may have to wait for the disk. */
	answer();
}

/* It should have thawed by itself. */
static void
late_hold(void)
{
	log_error("the freeze worker's timer is late");
	thaw_order(ABORT_PATIENCE);
}

/*
 * What it froze is thawed by the keeper, once it has really gone.  That can
 * take as long as the disk does, and a host that asks is told so.
 */
static void
late_thaw(void)
{
	f.until = now_ms() + THAW_PATIENCE;
	if (f.freezer != NULL && f.freezer->state == CHILD_READY) {
		child_kill(f.freezer, "it does not thaw");
		return;
	}
	f.stuck = 1;
	if (request.active &&
	    commands[request.command].class == CLASS_FREEZE)
		request_error("Command %s failed: the thaw is stuck and goes "
		    "on when it can", commands[request.command].name);
}

static void
late_sweep(void)
{
	helper_drop("it does not end");
	log_error("what was frozen may be frozen still");
	f.trouble = f.kept = 1;
	if (f.recovering)
		finish();
	else
		thawed();
}

static void
late_clear(void)
{
	helper_drop("it does not end");
	if (f.doing == HOOKS_AFTER)
		clear_start();
	else
		finish();
}

static void
died_before(void)
{
	fail(f.doing == MARKING ? "the freeze worker ended" :
	    "the worker of the freeze or of its hooks ended");
}

/* The keeper thaws; both were closed: freeze_read() sees that. */
static void
died_freezer(void)
{
	if (f.failed[0] == '\0')
		strlcpy(f.failed, "the freeze worker ended",
		    sizeof(f.failed));
	log_warnx("the freeze worker ended");
	go(THAWING, THAW_PATIENCE);
}

static int
again(const char *what)
{
	if (++f.tries < TRIES)
		return (1);
	log_error("%s failed %d times", what, TRIES);
	return (0);
}

static void
died_sweep(void)
{
	if (again("the sweep"))
		sweep_start();
	else
		late_sweep();
}

static void
died_clear(void)
{
	if (f.doing == HOOKS_AFTER) {
		if (again("the worker of the thaw hooks"))
			hooks_after();
		else
			clear_start();
	} else if (again("removing the marker"))
		helper_start(ROLE_FREEZE, CLEARING, SWEEP_PATIENCE);
	else
		finish();
}

/* May be told of one twice, and of one that was let go. */
void
freeze_gone(struct child *c)
{
	if (f.doing == WAITING && c != f.freezer && file_left() == NULL)
		freezer_order();
	/* Its last words may say that all is well. */
	while (c == f.freezer && f.fd != -1 && freeze_read() == 1)
		;
	if (c == f.freezer) {
		f.freezer = NULL;
		doings[f.doing].died();
	} else if (c == f.helper) {
		f.helper = NULL;
		doings[f.doing].died();
	}
}

void
freeze_timers(uint64_t now, uint64_t *next)
{
	if (f.until == 0)
		return;
	if (now >= f.until)
		doings[f.doing].late();
	if (f.until != 0)
		sooner(next, f.until);
}

/* --- a start --- */

void
freeze_recover(void)
{
	f.recovering = 1;
	sweep_start();
}

int
freeze_trouble(void)
{
	return (f.trouble);
}
