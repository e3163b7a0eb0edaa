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
 * qgad-parent, the monitor.  Runs as root (under --test as who started it),
 * unconfined: what it starts, jobs of guest-exec above all, must get every
 * power that qemu-ga's would.  Its safety is that it is small, parses
 * nothing that a host shaped, and never blocks.  Peers: the frontend, which
 * asks and is taken for hostile; workers, which are told; nobody else.
 */

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "parent.h"
#include "request.h"
#include "users.h"

#define LOG_PATIENCE	10000	/* ms for the log worker's start */
#define UNREAD_MAX	65536	/* bytes of answers not taken */
#define REEXEC_DELAY	1000	/* ms, while the new program is not there */

struct ids		 frontend_ids, worker_ids;

static struct conf	 conf;
static char		**arguments;
static char		*started_in;		/* a daemon's */
static struct pollfd	*polls;
static int		 pidfd = -1;
static int		 reexeced;	/* we were a monitor before */
static int		 same_build;	/* of this very build */
static int		 errfd;		/* standard error as it was given */
static uint64_t		 reexec;	/* when; 0: not */
static const char	*ending;	/* why, once all is thawed */
static int		 ending_status;
static volatile sig_atomic_t got_child, got_end, got_hup,
			 got_usr1;

static void	 ids_init(void);
static void	 chroot_check(void);
static void	 statedir_init(void);
static void	 recover(const sigset_t *);
static int	 daemonise(void);
static void	 daemon_ready(int);
static void	 pidfile_write(void);
static void	 signals_init(sigset_t *);
static void	 signal_handler(int);
static void	 loop(const sigset_t *) __attribute__((noreturn));
static uint64_t	 timers(uint64_t);
static int	 frontend_rest(void);
static void	 turn(const sigset_t *);
static void	 child_act(struct child *, short);
static void	 start_anew(void);
static int	 frontend_served(void);
static void	 frontend_end(void);
static int	 frontend_ending(void);
static int	 null_open(void);
static int	 frontend_heard(const struct child *);
static void	 child_messages(struct child *, int, int);

int
main(int argc, char *argv[])
{
	struct policy policy;
	sigset_t unblocked;
	const char *before;
	int notify = -1, nullfd;

	arguments = argv;
	/* What our caller had open is its own: a lock, a pipe it reads. */
	if (DEFENCE(CONTROL_CLOSEFROM) && getenv("LISTEN_FDS") == NULL)
		closefrom(3);
	nullfd = null_open();
	log_init(confinements[ROLE_MONITOR].name, LEVEL_INFO);
	if ((before = getenv("QGAD_REEXEC")) != NULL) {
		reexeced = 1;
		same_build = strcmp(before, build_id) == 0;
	}
	unsetenv("QGAD_REEXEC");
	if (selftest_asked(argc, argv) != SELFTEST_NONE) {
		execv(PATH_LIBEXEC "/qgad-selftest", argv);
		fatal("%s", PATH_LIBEXEC "/qgad-selftest");
	}
	options(argc, argv, &conf);
	if (conf.verbose)
		log_set_level(LEVEL_DEBUG);
	if (geteuid() != 0 && !conf.test)
		fatalx("root is needed; --test starts without");
	ids_init();
	signals_init(&unblocked);
	if ((errfd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10)) == -1)
		fatal("standard descriptors");
	spawn_init(&conf, argv[0], errfd);
	audit_init(&conf);
	freeze_init(&conf);
	if ((polls = calloc(spawn_slots() + 4, sizeof(*polls))) == NULL)
		fatal("calloc");
	if (DEFENCE(CONTROL_MARKER) || conf.thaw)
		recover(&unblocked);
	statedir_init();
	files_init(&conf.limits, conf.statedir);
	if (channel_open(&conf) == -1)
		exit(1);
	if (conf.daemon) {
		if ((started_in = realpath(".", NULL)) == NULL)
			fatal("working directory");
		if (!reexeced)
			notify = daemonise();
		if (chdir("/") == -1)
			fatal("chdir /");
		pidfile_write();
	}
	policy_make(&policy, &conf);
	policy_start(&policy, geteuid() == 0);
	if (dup2(nullfd, STDIN_FILENO) == -1 ||
	    dup2(nullfd, STDOUT_FILENO) == -1)
		fatal("standard descriptors");
	jobs_init(&conf.limits);

	logger_start();
	frontend_start(&conf);
	jobs_spare();
	daemon_ready(notify);
	loop(&unblocked);
}

/*
 * Before anything is written: a log, a pid file or standard error may lie on
 * what the one before us left frozen.
 */
static void
recover(const sigset_t *unblocked)
{
	if (geteuid() != 0) {
		if (conf.thaw)
			fatalx("--thaw needs root");
		return;
	}
	logger_queue();
	freeze_recover();
	while (freeze_state() != FREEZE_STATE_THAWED) {
		if (got_child) {
			got_child = 0;
			child_reap();
		}
		turn(unblocked);
	}
	if (!conf.thaw) {
		log_set_sink(NULL);
		return;
	}
	logger_print();
	exit(freeze_trouble());
}

/* 0 to 2 must be open before anything else is; returns /dev/null, above. */
static int
null_open(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			_exit(1);
	} while (fd <= STDERR_FILENO);
	close(fd);
	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		_exit(1);
	return (fd);
}

/* The last look at a name service. */
static void
ids_init(void)
{
	static const struct {
		const char *name;
		struct ids *ids;
	} users[] = {
		{ USER_FRONTEND, &frontend_ids },
		{ USER_WORKER, &worker_ids },
	};
	struct user user;
	size_t i;

	if (geteuid() != 0) {
		log_warnx("--test without root: nothing separates the "
		    "processes' users, commands that need root are refused");
		return;
	}
	for (i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		if (user_find(users[i].name, &user) != 1)
			fatalx("the user %s does not exist; make install "
			    "makes it", users[i].name);
		if (user.uid == 0 || user.gid == 0)
			fatalx("the user %s has uid or gid 0",
			    users[i].name);
		users[i].ids->uid = user.uid;
		users[i].ids->gid = user.gid;
		users[i].ids->drop = 1;
	}
	if (frontend_ids.uid == worker_ids.uid)
		fatalx("the users %s and %s have one uid", USER_FRONTEND,
		    USER_WORKER);
	chroot_check();
}

/* Better now than when the first job runs and its worker cannot hide. */
static void
chroot_check(void)
{
	struct stat st;

	if (stat(PATH_CHROOT, &st) == -1)
		fatal("%s", PATH_CHROOT);
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		fatalx("%s is not a directory that only root can write",
		    PATH_CHROOT);
}

static void
statedir_init(void)
{
	struct stat st;

	if (mkdir(conf.statedir, 0700) == -1 && errno != EEXIST)
		fatal("state directory %s", conf.statedir);
	if (stat(conf.statedir, &st) == -1)
		fatal("state directory %s", conf.statedir);
	if (!S_ISDIR(st.st_mode))
		fatalx("state directory %s: not a directory", conf.statedir);
	/* What lies there says what to thaw, and whose turn it is. */
	if (st.st_uid != 0 && st.st_uid != geteuid())
		fatalx("state directory %s: belongs to uid %lu, not to root",
		    conf.statedir, (unsigned long)st.st_uid);
	/* In a sticky one ours stay ours, and whose a file is is looked at. */
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return;
	if ((st.st_mode & S_ISVTX) == 0)
		fatalx("state directory %s: writable by group or others",
		    conf.statedir);
	log_warnx("state directory %s: writable by group or others, sticky",
	    conf.statedir);
}

/*
 * The process that was started waits until the daemon is ready, so that a
 * mistake is still seen and counted by who started it.
 */
static int
daemonise(void)
{
	int pair[2];
	char byte;

	if (pipe2(pair, O_CLOEXEC) == -1)
		fatal("pipe");
	switch (fork()) {
	case -1:
		fatal("fork");
	case 0:
		break;
	default:
		close(pair[1]);
		_exit(read(pair[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(pair[0]);
	if (setsid() == -1)
		fatal("setsid");
	umask(077);
	return (pair[1]);
}

/*
 * The log can be written, the frontend can start; then whoever waits is told
 * and standard error belongs to the log worker alone.
 */
static void
daemon_ready(int notify)
{
	struct child *c;
	struct pollfd pfd;
	uint64_t until = now_ms() + LOG_PATIENCE;

	while ((c = child_find(ROLE_LOG)) != NULL &&
	    c->state == CHILD_STARTING && now_ms() < until) {
		pfd.fd = c->ibuf.fd;
		pfd.events = POLLIN;
		if (poll(&pfd, 1, 100) > 0)
			child_read(c);
	}
	/* A log that was named must be there; syslogd may come later. */
	if (c == NULL && (conf.logfile != NULL || !conf.daemon))
		end(1, "no log: the log worker ended");
	logger_sink();
	if (dup2(STDIN_FILENO, STDERR_FILENO) == -1)
		fatal("standard error");
	/* Who started us may wait for the end of what it reads from us. */
	if (conf.daemon && (dup2(STDIN_FILENO, errfd) == -1 ||
	    fcntl(errfd, F_SETFD, FD_CLOEXEC) == -1))
		fatal("standard error");
	if (notify != -1) {
		if (write(notify, "", 1) == -1)
			log_debug("who started us has gone");
		close(notify);
	}
	log_info("qgad %s, build %s, %s on %s", QGAD_VERSION, build_id,
	    conf.method, conf.path);
}

static void
pidfile_write(void)
{
	struct stat held, there;
	char text[32];
	int len;

	/* One that ends unlinks its file between our open and our lock. */
	for (;;) {
		if ((pidfd = open(conf.pidfile, O_RDWR | O_CREAT | O_CLOEXEC |
		    O_NONBLOCK, 0644)) == -1)
			fatal("Cannot open pid file %s", conf.pidfile);
		if (flock(pidfd, LOCK_EX | LOCK_NB) == -1)
			fatal("Cannot lock pid file %s", conf.pidfile);
		if (fstat(pidfd, &held) == -1)
			fatal("pid file %s", conf.pidfile);
		if (stat(conf.pidfile, &there) == 0 &&
		    held.st_dev == there.st_dev && held.st_ino == there.st_ino)
			break;
		close(pidfd);
	}
	len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(pidfd, 0) == -1 || write(pidfd, text, (size_t)len) !=
	    len)
		fatal("pid file %s", conf.pidfile);
}

/* Signals come while ppoll(2) waits and at no other time. */
static void
signals_init(sigset_t *unblocked)
{
	static const int handled[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP,
#ifdef SIGINFO
	    SIGINFO,
#endif
	    SIGUSR1 };
	struct sigaction sa;
	sigset_t blocked;
	size_t i;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sigemptyset(&blocked);
	sa.sa_handler = signal_handler;
	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
		sigaddset(&blocked, handled[i]);
		if (sigaction(handled[i], &sa, NULL) == -1)
			fatal("sigaction");
	}
	sa.sa_handler = SIG_IGN;
	if (sigaction(SIGPIPE, &sa, NULL) == -1 ||
	    sigprocmask(SIG_BLOCK, &blocked, NULL) == -1)
		fatal("signals");
	/* Whoever started us may have blocked them. */
	if (sigprocmask(SIG_BLOCK, NULL, unblocked) == -1)
		fatal("signals");
	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigdelset(unblocked, handled[i]);
}

static void
signal_handler(int signo)
{
	if (signo == SIGCHLD)
		got_child = 1;
	else if (signo == SIGHUP)
		got_hup = 1;
	else if (signo == SIGTERM || signo == SIGINT)
		got_end = 1;
	else
		got_usr1 = 1;
}

static void
loop(const sigset_t *unblocked)
{
	for (;;) {
		if (got_end)
			want_end(0, "asked to end");
		if (ending != NULL && freeze_close(ending))
			end(ending_status, ending);
		if (got_child) {
			got_child = 0;
			child_reap();
		}
		if (got_usr1) {
			got_usr1 = 0;
			report(&conf);
		}
		/* The rest opens files, which waits for the thaw. */
		if (freeze_state() != FREEZE_STATE_THAWED) {
			turn(unblocked);
			continue;
		}
		if (got_hup) {
			got_hup = 0;
			logger_reopen();
			reload_start(&conf);
		}
		if (reexec != 0 && now_ms() >= reexec && frontend_served())
			start_anew();
		turn(unblocked);
	}
}

/* Have happen what is due; returns when the next is. */
static uint64_t
timers(uint64_t now)
{
	uint64_t next = UINT64_MAX;

	if (reexec != 0 && freeze_state() == FREEZE_STATE_THAWED)
		sooner(&next, reexec);
	frontend_timers(now, &next);
	query_timers(now, &next);
	jobs_timers(now, &next);
	workers_timers(now, &next);
	channel_timers(now, &next);
	audit_timers(now, &next);
	logger_timers(now, &next);
	freeze_timers(now, &next);
	/* Last: it sees to what the others ended. */
	spawn_timers(now, &next);
	return (next);
}

/*
 * What came with a request waits until that one is answered.  1: one of them
 * has begun.
 */
static int
frontend_rest(void)
{
	struct child *c;

	if ((c = child_find(ROLE_FRONTEND)) == NULL || c->ibuf.fd == -1 ||
	    !frontend_heard(c))
		return (0);
	child_messages(c, c->ibuf.fd, 1);
	return (!frontend_idle());
}

/* 1: nothing is in hand, and of an answer no byte is here. */
static int
frontend_served(void)
{
	struct child *c = child_find(ROLE_FRONTEND);

	return (frontend_idle() && (c == NULL || c->ibuf.fd == -1 ||
	    imsgbuf_queuelen(&c->ibuf) == 0));
}

/* One wait, and what came of it. */
static void
turn(const sigset_t *unblocked)
{
	struct pollfd *listener, *reloader, *freezer, *taker, *pfd = polls;
	struct child *c, *frontend = NULL;
	struct timespec wait;
	uint64_t next, now;
	sigset_t blocked;
	int n;

	/* A request that begins has timers of its own. */
	do
		next = timers(now_ms());
	while (frontend_rest());
	/* Before the wait: what the timers and the last turn have to say. */
	logger_flush();

	/*
	 * The frontend stands first: what a worker sent before the frontend
	 * sent its next request is then always seen with or before it.
	 */
	if ((frontend = child_find(ROLE_FRONTEND)) != NULL) {
		pfd->fd = frontend->ibuf.fd;
		pfd->events = frontend_heard(frontend) ||
		    request.lazy != 0 ? POLLIN : 0;
		frontend->poll = pfd++;
	}
	for (c = NULL; (c = child_each(c)) != NULL;) {
		if (c == frontend)
			continue;
		c->poll = NULL;
		if (c->ibuf.fd == -1)
			continue;
		pfd->fd = c->ibuf.fd;
		pfd->events = c == request.worker && request.lazy != 0 ? 0 :
		    POLLIN;
		c->poll = pfd++;
	}
	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c->poll != NULL && imsgbuf_queuelen(&c->ibuf) > 0)
			c->poll->events |= POLLOUT;
	listener = pfd;
	pfd->fd = channel_pollfd();
	(pfd++)->events = POLLIN;
	reloader = pfd;
	pfd->fd = reload_pollfd();
	(pfd++)->events = POLLIN;
	freezer = pfd;
	pfd->fd = freeze_pollfd();
	(pfd++)->events = POLLIN;
	taker = pfd;
	pfd->fd = file_pollfd();
	(pfd++)->events = POLLOUT;

	if (next != UINT64_MAX) {
		now = now_ms();
		next = next > now ? next - now : 0;
		wait.tv_sec = (time_t)(next / 1000);
		wait.tv_nsec = (long)(next % 1000) * 1000000;
	}
	n = ppoll(polls, (nfds_t)(pfd - polls), next == UINT64_MAX ? NULL :
	    &wait, unblocked);
	if (n == -1) {
		if (errno != EINTR)
			fatal("ppoll");
		return;
	}
	/* Where something is always ready Linux delivers no signal in it. */
	if (n > 0 && (sigprocmask(SIG_SETMASK, unblocked, &blocked) == -1 ||
	    sigprocmask(SIG_SETMASK, &blocked, NULL) == -1))
		fatal("sigprocmask");
	/*
	 * The frontend has a query's result from the worker itself; that the
	 * query has ended we read when we are awake for the next one.
	 */
	if (request.lazy != 0 && frontend != NULL &&
	    frontend->poll->revents != 0) {
		request.lazy = 0;
		child_read(request.worker);
	}
	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c != frontend && c->poll != NULL && c->poll->revents != 0)
			child_act(c, c->poll->revents);
	if (frontend != NULL && frontend->poll->revents != 0 &&
	    frontend->ibuf.fd == frontend->poll->fd)
		child_act(frontend, frontend->poll->revents);
	if (freezer->fd != -1 && freezer->revents != 0 &&
	    freezer->fd == freeze_pollfd())
		(void)freeze_read();
	if (taker->fd != -1 && taker->revents != 0)
		file_taken();
	if (listener->fd != -1 && listener->revents != 0)
		channel_accept();
	if (reloader->fd != -1 && reloader->revents != 0)
		reload_read();
}

/*
 * One request at a time, and none while it does not read our answers: what
 * it could make us keep is bounded.
 */
static int
frontend_heard(const struct child *frontend)
{
	return (frontend_idle() &&
	    imsgbuf_queuebytes(&frontend->ibuf) < UNREAD_MAX);
}

static void
child_act(struct child *c, short events)
{
	if ((events & POLLOUT) && child_send(c) == -1)
		child_lost(c, NULL);
	else if (c->role == ROLE_FRONTEND && !frontend_heard(c) &&
	    (events & (POLLHUP | POLLERR)))
		child_lost(c, NULL);
	else if (events & (POLLIN | POLLHUP | POLLERR))
		child_read(c);
}

void
child_lost(struct child *c, const char *why)
{
	child_kill(c, why);
	if (c->role == ROLE_FRONTEND)
		frontend_died();
	else
		worker_gone(c);
}

void
child_read(struct child *c)
{
	int fd = c->ibuf.fd;

	if (fd != -1)
		child_messages(c, fd, imsgbuf_read(&c->ibuf));
}

/* n is what the read said: 1, 0 for the end of file, -1 for an error. */
static void
child_messages(struct child *c, int fd, int n)
{
	struct imsg imsg;
	int error = errno, got = 0;

	while (c->ibuf.fd == fd && (c->role != ROLE_FRONTEND ||
	    frontend_heard(c)) && (got = imsgbuf_get(&c->ibuf, &imsg)) == 1) {
		if (c->role == ROLE_FRONTEND)
			frontend_message(c, &imsg);
		else
			worker_message(c, &imsg);
		imsg_free(&imsg);
	}
	if (c->ibuf.fd != fd)
		return;
	if (got == -1)
		child_lost(c, strerror(errno));
	else if (n != 1)
		child_lost(c, n == 0 ? NULL : strerror(error));
}

void
child_overdue(struct child *c)
{
	if (c->state == CHILD_STARTING)
		child_lost(c, "it does not start");
	else
		child_kill(c, "it does not end");
}

/* Reaped.  One that was killed has had its consequences already. */
void
child_gone(struct child *c, int status)
{
	(void)status;
	if (c->state == CHILD_STARTING || c->state == CHILD_READY) {
		c->state = CHILD_RELEASED;
		if (c->role == ROLE_FRONTEND)
			frontend_died();
		else
			worker_gone(c);
	}
	/* It was let go, and yet the request in hand is its. */
	if (request.active && request.worker == c)
		worker_gone(c);
	freeze_gone(c);
	if (c->role == ROLE_LOG)
		logger_gone();
}

void
want_reexec(void)
{
	/* To start anew once more would bring nothing else. */
	if (same_build)
		end(75, "programs of different builds are installed");
	reexec = now_ms();
}

void
want_end(int status, const char *why)
{
	if (ending == NULL) {
		ending = why;
		ending_status = status;
	}
}

/* An upgrade: the new monitor takes our pid, as at a restart. */
static void
start_anew(void)
{
	char path[] = PATH_LIBEXEC "/qgad-parent";

	/* Half of a package may be there yet. */
	if (access(path, X_OK) == -1) {
		reexec = now_ms() + REEXEC_DELAY;
		return;
	}
	log_info("another build is installed: starting it");
	files_end();
	audit_end();
	logger_flush();
	frontend_end();
	channel_keep();
	spawn_limits();
	if ((conf.daemon && chdir(started_in) == -1) ||
	    setenv("QGAD_REEXEC", build_id, 1) == -1 ||
	    dup2(errfd, STDERR_FILENO) == -1)
		fatal("start of another build");
	execv(path, arguments);
	fatal("%s", path);
}

/* Children end by end of file. */
void
end(int status, const char *why)
{
	if (status == 0)
		log_info("ending: %s", why);
	else
		log_error("ending: %s", why);
	if (request.active)
		request_done("ending");
	files_end();
	audit_end();
	logger_flush();
	frontend_end();
	channel_close();
	if (pidfd != -1)
		unlink(conf.pidfile);
	exit(status);
}

/*
 * The frontend is waited for a moment: what it was told it tells the host,
 * and a port is free again.  One that hangs, or was taken and does not heed
 * the end of file, is not to keep the channel.
 */
static void
frontend_end(void)
{
	static const struct timespec moment = { 0, 5000000 };
	struct child *c;
	int i;

	if ((c = child_find(ROLE_FRONTEND)) != NULL)
		child_release(c);
	for (i = 0; i < 100 && frontend_ending(); i++) {
		child_reap();
		logger_flush();
		nanosleep(&moment, NULL);
	}
	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c->role == ROLE_FRONTEND && c->state == CHILD_RELEASED)
			child_kill(c, NULL);
}

static int
frontend_ending(void)
{
	struct child *c;

	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c->role == ROLE_FRONTEND && c->state == CHILD_RELEASED)
			return (1);
	return (0);
}

uint64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return ((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

void
sooner(uint64_t *next, uint64_t at)
{
	if (at < *next)
		*next = at;
}
