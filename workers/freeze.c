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
 * qgad-freeze: the freezer.  Starts as root, to find and to open; before the
 * first freeze it becomes _qgadw, chrooted, with a filter that leaves of its
 * ioctls FIFREEZE and FITHAW and of root's powers the one that they need,
 * and allocates, opens, logs and executes nothing more.  Its child, the
 * keeper, holds the same descriptors and does nothing until the freezer has
 * gone.  Peers: the monitor, orders on fd 3; on fd 4 (not of a sweeper, which
 * only obeys orders) records to it and one byte from it: thaw.
 * Arguments: the state directory, seconds until it thaws by itself, 1 to
 * flush what cannot be frozen, prefixes left out.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "control.h"
#include "freeze.h"
#include "imsg.h"
#include "job.h"
#include "log.h"
#include "messages.h"

#define STACK_TOUCHED	(64 * 1024)
#define KEEPER_PATIENCE	10000		/* ms for its start */
#define LAST_PATIENCE	5000		/* ms for the last record */
#define THAW_AGAIN	1000		/* ms from a thaw that failed */
#define FREEZER_TRIES	10		/* and how often by whom */
#define KEEPER_TRIES	60

enum fs_state { FS_THAWED, FS_TRYING, FS_FROZEN, FS_FLUSHED };

/* What the keeper must know in the end; memory that both have. */
struct shared {
	volatile sig_atomic_t reported;	/* that all is thawed */
	volatile uint8_t state[];	/* of each file system */
};

struct freezer {
	struct imsgbuf	 ib;
	struct ids	 ids;
	const char	*dir;
	int64_t		 seconds;
	int		 flush;
	const char	*exclude;
	struct freeze_list list;
	struct shared	*shared;
	int		 keeper;	/* the socket to it */
	uint32_t	 count;		/* frozen, or thawed again */
	uint32_t	 error;		/* and the path of a failure */
	const char	*path;
};

static void	 order(struct freezer *, struct imsg *);
static void	 done(struct freezer *, struct msg_freeze_done *);
static void	 sweep(struct freezer *, struct msg_freeze_done *);
static void	 freeze(struct freezer *, struct imsg *)
		    __attribute__((noreturn));
static int	 prepare(struct freezer *, struct imsg *);
static void	 touch_stack(void);
static void	 signals(void);
static void	 on_term(int);
static int	 keeper_start(struct freezer *);
static void	 keeper(struct freezer *, int) __attribute__((noreturn));
static int	 freeze_all(struct freezer *, enum freeze_why *);
static int	 thaw_all(struct freezer *, int);
static size_t	 thaw_once(struct freezer *, int);
static int	 told(struct freezer *, int64_t, enum freeze_why *);
static int64_t	 now_ms(void);
static void	 refuse(const char *, int, const char *)
		    __attribute__((noreturn));
static int	 record(enum freeze_event, uint32_t, enum freeze_why, uint32_t,
		    const char *);
static void	 last_record(struct freezer *, enum freeze_why);

static volatile sig_atomic_t	 got_term;

int
main(int argc, char *argv[])
{
	static struct freezer f;
	struct imsg imsg;

	child_start(ROLE_FREEZE, argc, argv, &f.ib, &f.ids);
	if (argc != 8)
		fatalx("four arguments are needed");
	f.dir = argv[4];
	f.seconds = strtoll(argv[5], NULL, 10);
	f.flush = strcmp(argv[6], "1") == 0;
	f.exclude = argv[7];
	if (chdir("/") == -1)
		fatal("chdir /");
	child_ready(ROLE_FREEZE, &f.ib);
	for (;;) {
		job_message(&f.ib, &imsg);
		if (msg_check(&imsg) == -1)
			fatalx("bad message: %s",
			    msg_name(imsg_get_type(&imsg)));
		if (imsg_get_type(&imsg) == MSG_FREEZE)
			freeze(&f, &imsg);
		order(&f, &imsg);
		imsg_free(&imsg);
	}
}

/* --- orders, with nothing frozen by us --- */

static void
order(struct freezer *f, struct imsg *imsg)
{
	struct msg_freeze_done msg;

	memset(&msg, 0, sizeof(msg));
	msg.text = "";
	if (imsg_get_type(imsg) != MSG_FREEZE_ORDER ||
	    msg_recv_freeze_order(imsg, &msg.order) == -1)
		fatalx("bad message: %s", msg_name(imsg_get_type(imsg)));
	switch (msg.order) {
	case ORDER_MARK:
		if (marker_write(f->dir, &f->list) == -1)
			msg.text = strerror(errno);
		break;
	case ORDER_SWEEP:
		sweep(f, &msg);
		break;
	case ORDER_CLEAR:
		if (marker_remove(f->dir) == -1)
			msg.text = strerror(errno);
		break;
	}
	done(f, &msg);
}

static void
done(struct freezer *f, struct msg_freeze_done *msg)
{
	if (msg_send_freeze_done(&f->ib, msg) == -1)
		fatal("msg_send_freeze_done");
	job_flush(&f->ib);
}

/* Whoever wrote it has gone, or goes: it sees the end of its monitor. */
static void
sweep(struct freezer *f, struct msg_freeze_done *msg)
{
	char boot[BOOT_ID_MAX];
	struct freeze_marker m;
	struct freeze_fs *fs;
	size_t i;
	int error;

	if ((error = marker_read(f->dir, &m)) == -1) {
		log_warn("the marker in %s", f->dir);
		return;
	}
	if (error == 0)
		return;
	if (freeze_boot(boot) == -1) {
		msg->text = strerror(errno);
		return;
	}
	if (strcmp(boot, m.boot) != 0) {
		log_info("the marker in %s is of another boot", f->dir);
		if (marker_remove(f->dir) == -1)
			log_warn("the marker in %s", f->dir);
		return;
	}
	msg->found = msg->hooks = 1;
	for (i = m.list.n; i > 0; i--) {
		fs = &m.list.fs[i - 1];
		if (freeze_reach(fs) == -1) {
			/* Without a mount of it there is no way to it. */
			if (errno != ENOENT)
				msg->text = "not all could be thawed";
			log_warn("%s, which may be frozen, is not there",
			    fs->path);
			continue;
		}
		if ((error = fs_thaw(fs->fd)) == 0) {
			log_info("%s was frozen and is thawed", fs->path);
			msg->count++;
		} else if (error != EINVAL) {
			errno = error;
			log_warn("%s cannot be thawed", fs->path);
			msg->text = "not all could be thawed";
		}
		close(fs->fd);
	}
}

/* --- the freeze; this process does nothing after it --- */

static void
freeze(struct freezer *f, struct imsg *imsg)
{
	enum freeze_why why;

	if (prepare(f, imsg) == -1)
		exit(0);
	/* Past this nothing is allocated, opened, logged or executed. */
	if (freeze_all(f, &why)) {
		if (record(FREEZE_FROZEN, f->count, WHY_ASKED, 0, "") == -1)
			why = WHY_GONE;
		else
			(void)told(f, now_ms() + f->seconds * 1000, &why);
	}
	if (thaw_all(f, FREEZER_TRIES) == 0)
		last_record(f, why);
	_exit(0);
}

/* -1: why not was told. */
static int
prepare(struct freezer *f, struct imsg *imsg)
{
	struct msg_freeze msg;
	const char *why;
	char text[1024];
	size_t size;

	if (msg_recv_freeze(imsg, &msg) == -1)
		fatal("MSG_FREEZE");
	if (freeze_find(msg.listed ? msg.mounts : NULL, msg.n, f->exclude,
	    &f->list, text, sizeof(text)) == -1) {
		(void)record(FREEZE_THAWED, 0, WHY_OPEN, 0, text);
		return (-1);
	}
	msg_freeze_free(&msg);
	if (f->list.n == 0) {
		(void)record(FREEZE_THAWED, 0, WHY_NOTHING, 0, "");
		return (-1);
	}
	if (marker_write(f->dir, &f->list) == -1)
		refuse("the marker", errno, "");
	size = sizeof(*f->shared) + f->list.n;
	if ((f->shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
		refuse("memory", errno, "");
	memset(f->shared, 0, size);
	signals();
	if (keeper_start(f) == -1)
		refuse("the keeper", errno, "");
	touch_stack();
	if ((why = freeze_lock_memory()) != NULL)
		log_warn("%s", why);
	confine(ROLE_FREEZE, &f->ids);
	(void)imsgbuf_write(&f->ib);
	return (0);
}

static void
refuse(const char *what, int error, const char *more)
{
	char text[128];

	snprintf(text, sizeof(text), "%s%s", what, more);
	(void)record(FREEZE_THAWED, 0, WHY_SETUP, (uint32_t)error, text);
	exit(0);
}

/* What is to be locked must be there. */
static void
touch_stack(void)
{
	volatile char stack[STACK_TOUCHED];
	size_t i;

	for (i = 0; i < sizeof(stack); i += 512)
		stack[i] = 0;
}

/* Only where it is waited for: a call in between is never cut short. */
static void
signals(void)
{
	struct sigaction sa;
	sigset_t set;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_term;
	sigemptyset(&sa.sa_mask);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1 ||
	    sigaction(SIGTERM, &sa, NULL) == -1)
		refuse("signals", errno, "");
}

static void
on_term(int sig)
{
	(void)sig;
	got_term = 1;
}

/* 1: all that can be is frozen; 0: why not. */
static int
freeze_all(struct freezer *f, enum freeze_why *why)
{
	struct freeze_fs *fs;
	size_t i;
	int error;

	for (i = 0; i < f->list.n; i++) {
		if (told(f, 0, why))
			return (0);
		fs = &f->list.fs[i];
		(void)record(FREEZE_BEGUN, (uint32_t)i, WHY_ASKED, 0,
		    fs->path);
		f->shared->state[i] = FS_TRYING;
		if ((error = fs_freeze(fs->fd)) == 0) {
			f->shared->state[i] = FS_FROZEN;
			f->count++;
			continue;
		}
		f->shared->state[i] = FS_THAWED;
		if (error == EBUSY)
			continue;
		if (error == EOPNOTSUPP && !f->flush)
			continue;
		if (error == EOPNOTSUPP && (error = fs_flush(fs->fd)) == 0) {
			f->shared->state[i] = FS_FLUSHED;
			f->count++;
			continue;
		}
		f->error = (uint32_t)error;
		f->path = fs->path;
		*why = WHY_FAILED;
		return (0);
	}
	*why = WHY_NOTHING;
	return (f->count > 0 && !told(f, 0, why));
}

/*
 * What we froze and nothing else.  -1: some are frozen still, and whoever
 * comes next, keeper or sweeper, is to try: it is not said that all is well.
 */
static int
thaw_all(struct freezer *f, int tries)
{
	int i;

	f->count = 0;
	for (i = 0; thaw_once(f, i == 0) > 0; i++) {
		if (i + 1 == tries)
			return (-1);
		(void)poll(NULL, 0, THAW_AGAIN);
	}
	return (0);
}

/* In reverse order; how many could not be. */
static size_t
thaw_once(struct freezer *f, int tell)
{
	volatile uint8_t *state = f->shared->state;
	size_t i, failed = 0;
	int error;

	for (i = f->list.n; i > 0; i--) {
		if (state[i - 1] == FS_THAWED)
			continue;
		error = state[i - 1] == FS_FLUSHED ? 0 :
		    fs_thaw(f->list.fs[i - 1].fd);
		if (error != 0 && error != EINVAL) {
			failed++;
			if (tell)
				(void)record(FREEZE_STUCK, 0, WHY_ASKED,
				    (uint32_t)error, f->list.fs[i - 1].path);
			continue;
		}
		if (error == 0)
			f->count++;
		state[i - 1] = FS_THAWED;
	}
	return (failed);
}

/*
 * Is it to be thawed, and why?  Waits for that until then (0: looks once);
 * past it the answer is the timer.
 */
static int
told(struct freezer *f, int64_t until, enum freeze_why *why)
{
	static const struct timespec none;
	struct timespec wait;
	struct pollfd pfd[3];
	sigset_t empty;
	int64_t left;
	int n;

	sigemptyset(&empty);
	memset(pfd, 0, sizeof(pfd));
	pfd[0].fd = f->ib.fd;
	pfd[1].fd = CHILD_DATA_FD;
	pfd[2].fd = f->keeper;
	pfd[0].events = pfd[1].events = pfd[2].events = POLLIN;
	for (;;) {
		left = until - now_ms();
		if (left < 0)
			left = 0;
		wait.tv_sec = (time_t)(left / 1000);
		wait.tv_nsec = (long)(left % 1000) * 1000000;
		n = ppoll(pfd, 3, until == 0 ? &none : &wait, &empty);
		if (got_term)
			*why = WHY_SIGNAL;
		else if (n == -1 && errno == EINTR)
			continue;
		else if (n == 0 && until == 0)
			return (0);
		else if (n == 0 && now_ms() < until)
			continue;
		else if (n <= 0)
			*why = WHY_TIMER;
		else if (pfd[0].revents != 0 || pfd[1].revents & ~POLLIN)
			*why = WHY_GONE;
		else if (pfd[1].revents != 0)
			*why = WHY_ASKED;
		else
			*why = WHY_KEEPER;
		return (1);
	}
}

static int64_t
now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		return (0);
	return ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* Never waits: what the monitor does not read is lost.  -1: it has gone. */
static int
record(enum freeze_event event, uint32_t count, enum freeze_why why,
    uint32_t error, const char *path)
{
	static unsigned char bytes[FREEZE_RECORD];
	static struct freeze_record r;
	ssize_t n;

	memset(&r, 0, sizeof(r));
	r.event = event;
	r.count = count;
	r.why = why;
	r.error = error;
	strlcpy(r.path, path, sizeof(r.path));
	freeze_record_encode(&r, bytes);
	n = send(CHILD_DATA_FD, bytes, sizeof(bytes), MSG_DONTWAIT |
	    MSG_NOSIGNAL);
	if (n == -1)
		return (errno == EAGAIN ? 0 : -1);
	return (n == (ssize_t)sizeof(bytes) ? 0 : -1);
}

/* All is thawed, so waiting a little harms nobody. */
static void
last_record(struct freezer *f, enum freeze_why why)
{
	struct pollfd pfd;

	memset(&pfd, 0, sizeof(pfd));
	pfd.fd = CHILD_DATA_FD;
	pfd.events = POLLOUT;
	(void)poll(&pfd, 1, LAST_PATIENCE);
	if (record(FREEZE_THAWED, f->count, why, f->error, f->path == NULL ?
	    "" : f->path) == 0)
		f->shared->reported = 1;
}

/* --- the keeper --- */

static int
keeper_start(struct freezer *f)
{
	struct pollfd pfd;
	int pair[2];
	char byte;

	if (!DEFENCE(CONTROL_KEEPER)) {
		f->keeper = -1;
		return (0);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return (-1);
	switch (fork()) {
	case -1:
		return (-1);
	case 0:
		close(pair[0]);
		keeper(f, pair[1]);
	}
	close(pair[1]);
	f->keeper = pair[0];
	memset(&pfd, 0, sizeof(pfd));
	pfd.fd = f->keeper;
	pfd.events = POLLIN;
	while (poll(&pfd, 1, KEEPER_PATIENCE) == -1)
		if (errno != EINTR)
			return (-1);
	if (pfd.revents == 0) {
		errno = ETIMEDOUT;
		return (-1);
	}
	if (read(f->keeper, &byte, 1) == 1)
		return (0);
	errno = ECHILD;
	return (-1);
}

/*
 * The end of file comes when the freezer has really gone, after a freeze
 * that it was stuck in even when killed; a second thawer any sooner would be
 * stuck with it.
 */
static void
keeper(struct freezer *f, int fd)
{
	char byte = 0;
	ssize_t n;

	/* Its orders are the freezer's, and so is its log. */
	log_set_sink(NULL);
	close(f->ib.fd);
	if (signal(SIGTERM, SIG_IGN) == SIG_ERR)
		fatal("signal");
	if (setsid() == -1)
		fatal("setsid");
	touch_stack();
	(void)freeze_lock_memory();
	confine(ROLE_KEEPER, &f->ids);
	if (write(fd, &byte, 1) != 1)
		_exit(1);
	do {
		n = read(fd, &byte, 1);
	} while (n == 1 || (n == -1 && errno == EINTR));
	if (f->shared->reported)
		_exit(0);
	if (thaw_all(f, KEEPER_TRIES) == 0)
		last_record(f, WHY_FREEZER);
	_exit(0);
}
