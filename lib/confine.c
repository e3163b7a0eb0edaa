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
 * How every child starts and what it gives up: the table, and the one
 * prologue that obeys it.  The system's half is sandbox-<system>.c.
 *
 * The order: chroot, groups and gid; what only root can give up (the
 * bounding set: dropping it needs CAP_SETPCAP); the uid; the capability
 * sets; then the proof that nothing of it comes back, which must stand after
 * the sets, since kept capabilities could; rlimits; the system's sandbox,
 * system calls last, since each step before it needs some.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "control.h"
#include "imsg.h"
#include "log.h"
#include "messages.h"

#define CAP_BIT_DAC_READ_SEARCH	(UINT64_C(1) << 2)
#define CAP_BIT_SYS_ADMIN	(UINT64_C(1) << 21)
#define LOG_QUEUE		(64 * 1024)	/* bytes; past it lines drop */

extern char **environ;

static void	 step_chroot(void);
static void	 step_groups(const struct ids *);
static void	 step_uid(const struct ids *);
static void	 step_proof(const struct ids *);
static void	 step_core(void);
static void	 step_rlimits(const struct confinement *, const struct ids *);
static void	 lower(struct rlimit *, rlim_t);
static void	 parse_ids(const char *, struct ids *);
static int	 parse_number(const char **, uintmax_t, uintmax_t *);
static enum log_level parse_level(const char *);
static void	 start_signals(void);
static void	 start_socket(const struct confinement *);
static void	 child_sink(enum log_level, const char *);

/*
 * The monitor and the roles that start foreign programs give up nothing that
 * a program started by them would then lack.
 */
const struct confinement confinements[ROLE_MAX] = {
	[ROLE_MONITOR] = {
		ROLE_MONITOR, "monitor", "qgad-parent",
		ACCOUNT_ROOT, 0, 0, 0
	},
	[ROLE_FRONTEND] = {
		ROLE_FRONTEND, "frontend", "qgad",
		ACCOUNT_FRONTEND, STEP_ALL, 0, 64
	},
	/* Reads /proc and /sys, hence no chroot. */
	[ROLE_QUERY] = {
		ROLE_QUERY, "query", "qgad-query",
		ACCOUNT_WORKER, STEP_ALL & ~STEP_CHROOT,
		CAP_BIT_DAC_READ_SEARCH, 32
	},
	[ROLE_EXEC_SPARE] = {
		ROLE_EXEC_SPARE, "exec-spare", "qgad-exec",
		ACCOUNT_WORKER, STEP_ALL, 0, 32
	},
	[ROLE_EXEC] = {
		ROLE_EXEC, "exec", "qgad-exec",
		ACCOUNT_WORKER, STEP_ALL, 0, 32
	},
	/* What a host may open is what root may, but for the rules' word. */
	[ROLE_FILE_OPENING] = {
		ROLE_FILE_OPENING, "file-opening", "qgad-file",
		ACCOUNT_ROOT, 0, 0, 0
	},
	[ROLE_FILE] = {
		ROLE_FILE, "file", "qgad-file",
		ACCOUNT_WORKER, STEP_ALL | MAY_WRITE, 0, 16
	},
	[ROLE_SYSTEM] = {
		ROLE_SYSTEM, "system", "qgad-system",
		ACCOUNT_ROOT, 0, 0, 0
	},
	[ROLE_HOOK] = {
		ROLE_HOOK, "hook", "qgad-hook",
		ACCOUNT_ROOT, 0, 0, 0
	},
	/* Holds a password for a moment, and starts foreign programs. */
	[ROLE_ACCOUNT] = {
		ROLE_ACCOUNT, "account", "qgad-account",
		ACCOUNT_ROOT, STEP_UNDUMP, 0, 0
	},
	/*
	 * From the first file system frozen on; it holds a descriptor of each,
	 * and FIFREEZE and FITHAW are all it may do with them.
	 */
	[ROLE_FREEZE] = {
		ROLE_FREEZE, "freeze", "qgad-freeze",
		ACCOUNT_WORKER, STEP_ALL | KEEP_CAPS, CAP_BIT_SYS_ADMIN, 0
	},
	[ROLE_KEEPER] = {
		ROLE_KEEPER, "keeper", "qgad-freeze",
		ACCOUNT_WORKER, STEP_ALL | KEEP_CAPS, CAP_BIT_SYS_ADMIN, 0
	},
	/* Its log is open before; on a file it may grow. */
	[ROLE_LOG] = {
		ROLE_LOG, "log", "qgad-log",
		ACCOUNT_WORKER, STEP_ALL | MAY_WRITE, 0, 16
	}
};

static struct imsgbuf	*sink_imsg;
static unsigned int	 sink_lost;

void
confine(enum role role, const struct ids *ids)
{
	const struct confinement *row = &confinements[role];
	const char *what = "sandbox";
	uint32_t steps;

	steps = row->steps & ~sandbox_without(role);
	if ((steps & STEP_ALL) == 0)
		return;
	if (ids->drop) {
		if (steps & STEP_CHROOT && DEFENCE(CONTROL_CHROOT))
			step_chroot();
		if (steps & STEP_IDS)
			step_groups(ids);
		if (sandbox_prepare(row, &what) == -1)
			fatal("confine %s: %s", row->name, what);
		if (steps & STEP_IDS && DEFENCE(CONTROL_IDS))
			step_uid(ids);
	}
	if (sandbox_privs(row, &what) == -1)
		fatal("confine %s: %s", row->name, what);
	if (ids->drop && steps & STEP_IDS && DEFENCE(CONTROL_IDS))
		step_proof(ids);
	if (row->steps & STEP_RLIMITS && DEFENCE(CONTROL_RLIMITS))
		step_rlimits(row, ids);
	else if (row->steps & STEP_UNDUMP && DEFENCE(CONTROL_RLIMITS))
		step_core();
	setproctitle("%s", row->name);
	if (sandbox_enter(row, &what) == -1)
		fatal("confine %s: %s", row->name, what);
	log_debug("confined: %s", sandbox_name());
}

/* A directory that is not root's alone would be no cage. */
static void
step_chroot(void)
{
	struct stat st;

	if (stat(PATH_CHROOT, &st) == -1)
		fatal("confine: %s", PATH_CHROOT);
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		fatalx("confine: %s: not a directory that only root can write",
		    PATH_CHROOT);
	if (chroot(PATH_CHROOT) == -1)
		fatal("confine: chroot %s", PATH_CHROOT);
	if (chdir("/") == -1)
		fatal("confine: chdir /");
}

static void
step_groups(const struct ids *ids)
{
	if (ids->uid == 0 || ids->gid == 0)
		fatalx("confine: uid %lu, gid %lu: root is no account to end"
		    " as", (unsigned long)ids->uid, (unsigned long)ids->gid);
	if (DEFENCE(CONTROL_GROUPS) && setgroups(1, &ids->gid) == -1)
		fatal("confine: setgroups");
	if (DEFENCE(CONTROL_IDS) &&
	    setresgid(ids->gid, ids->gid, ids->gid) == -1)
		fatal("confine: setresgid");
}

static void
step_uid(const struct ids *ids)
{
	if (setresuid(ids->uid, ids->uid, ids->uid) == -1)
		fatal("confine: setresuid");
}

/* Nothing of root is left, and none of it can be had again. */
static void
step_proof(const struct ids *ids)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid, group;
	int n;

	if (getresuid(&ruid, &euid, &suid) == -1 ||
	    getresgid(&rgid, &egid, &sgid) == -1)
		fatal("confine: getresuid, getresgid");
	if (ruid != ids->uid || euid != ids->uid || suid != ids->uid)
		fatalx("confine: setresuid left uids %lu %lu %lu",
		    (unsigned long)ruid, (unsigned long)euid,
		    (unsigned long)suid);
	if (rgid != ids->gid || egid != ids->gid || sgid != ids->gid)
		fatalx("confine: setresgid left gids %lu %lu %lu",
		    (unsigned long)rgid, (unsigned long)egid,
		    (unsigned long)sgid);
	if (DEFENCE(CONTROL_GROUPS)) {
		n = getgroups(1, &group);	/* -1: more than one */
		if (n == -1 || (n == 1 && group != ids->gid))
			fatalx("confine: setgroups left other groups");
	}
	if (setuid(0) != -1 || seteuid(0) != -1)
		fatalx("confine: uid 0 can be had again");
	if (setgid(0) != -1 || setegid(0) != -1)
		fatalx("confine: gid 0 can be had again");
}

/* A hard limit that is lower already stays. */
static void
lower(struct rlimit *rl, rlim_t max)
{
	if (rl->rlim_max == RLIM_INFINITY || rl->rlim_max > max)
		rl->rlim_max = max;
	rl->rlim_cur = rl->rlim_max;
}

/* A macro: the first argument's type differs among systems. */
#define LIMIT(which, max) do {						\
	struct rlimit rl;						\
									\
	if (getrlimit(which, &rl) == -1)				\
		fatal("confine: getrlimit %s", #which);			\
	lower(&rl, max);						\
	if (setrlimit(which, &rl) == -1)				\
		fatal("confine: setrlimit %s", #which);			\
} while (0)

/* What it starts may hold the same secret, and is dumpable again. */
static void
step_core(void)
{
	LIMIT(RLIMIT_CORE, 0);
}

/* The floor that every system has, under the sandbox that some have. */
static void
step_rlimits(const struct confinement *row, const struct ids *ids)
{
	step_core();
	if (!(row->steps & MAY_WRITE) && !ids->files)
		LIMIT(RLIMIT_FSIZE, 0);
	if (row->nofile > 0)
		LIMIT(RLIMIT_NOFILE, (rlim_t)row->nofile);
	LIMIT(RLIMIT_NPROC, 0);
}

/* At *s, up to max; moves *s past it. */
static int
parse_number(const char **s, uintmax_t max, uintmax_t *n)
{
	char *end;

	if (**s < '0' || **s > '9')
		return (-1);
	errno = 0;
	*n = strtoumax(*s, &end, 10);
	if (errno != 0 || *n > max)
		return (-1);
	*s = end;
	return (0);
}

static void
parse_ids(const char *s, struct ids *ids)
{
	uintmax_t uid, gid;

	memset(ids, 0, sizeof(*ids));
	if (strcmp(s, "-") == 0) {
		ids->uid = getuid();
		ids->gid = getgid();
		return;
	}
	if (parse_number(&s, (uid_t)-2, &uid) == -1 || *s++ != ':' ||
	    parse_number(&s, (gid_t)-2, &gid) == -1 || *s != '\0')
		fatalx("bad ids on the command line");
	ids->uid = (uid_t)uid;
	ids->gid = (gid_t)gid;
	ids->drop = 1;
}

static enum log_level
parse_level(const char *s)
{
	uintmax_t n;

	if (parse_number(&s, LEVEL_MAX - 1, &n) == -1 || *s != '\0')
		fatalx("bad log level on the command line");
	return ((enum log_level)n);
}

/*
 * What the monitor had must not shape a child: all signals as they were made,
 * none blocked.  A child ends by end of file on fd 3; a signal meant for the
 * service must not end it first.
 */
static void
start_signals(void)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGTERM, SIGUSR1,
	    SIGPIPE };
	struct sigaction sa;
	sigset_t none;
	size_t i;
	int sig;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_DFL;
	/* KILL, STOP and libc's own cannot be set; nothing to do then. */
	for (sig = 1; sig < NSIG; sig++)
		if (sigaction(sig, &sa, NULL) == -1 && errno != EINVAL)
			fatal("sigaction %d", sig);
	sa.sa_handler = SIG_IGN;
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (sigaction(ignored[i], &sa, NULL) == -1)
			fatal("sigaction %d", ignored[i]);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		fatal("sigprocmask");
}

static void
start_socket(const struct confinement *row)
{
	struct stat st;
	int flags;

	if (fstat(CHILD_IMSG_FD, &st) == -1 || !S_ISSOCK(st.st_mode))
		fatalx("%s is started by qgad-parent, not by hand",
		    row->program);
	if ((flags = fcntl(CHILD_IMSG_FD, F_GETFL)) == -1 ||
	    fcntl(CHILD_IMSG_FD, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(CHILD_IMSG_FD, F_SETFD, FD_CLOEXEC) == -1)
		fatal("fcntl of descriptor %d", CHILD_IMSG_FD);
}

void
child_start(enum role role, int argc, char *argv[], struct imsgbuf *ib,
    struct ids *ids)
{
	const struct confinement *row = &confinements[role];

	log_init(row->name, LEVEL_INFO);
	start_socket(row);
	if (argc < 4 || strcmp(argv[1], role == ROLE_FRONTEND ? "--frontend" :
	    "--worker") != 0)
		fatalx("%s is started by qgad-parent, not by hand",
		    row->program);
	parse_ids(argv[2], ids);
	log_set_level(parse_level(argv[3]));
	start_signals();
	/* EPERM: the leader already, when that which forked us made us so. */
	if (DEFENCE(CONTROL_SETSID) && setsid() == -1 && errno != EPERM)
		fatal("setsid");
	if (imsgbuf_init(ib, CHILD_IMSG_FD) == -1 ||
	    imsgbuf_set_maxsize(ib, MSG_SIZE_MAX) == -1)
		fatal("imsgbuf_init");
	sink_imsg = ib;
	log_set_sink(child_sink);
	setproctitle_init(argc, argv, environ);
	setproctitle("%s", row->name);
}

/*
 * To the monitor, never waiting for it.  Past LOG_QUEUE lines are dropped
 * and counted: a log that the host can make us write must not fill memory.
 */
static void
child_sink(enum log_level level, const char *line)
{
	struct msg_log msg;
	char note[64];

	if (imsgbuf_queuebytes(sink_imsg) > LOG_QUEUE) {
		sink_lost++;
		return;
	}
	if (sink_lost > 0) {
		snprintf(note, sizeof(note), "%u log lines were lost",
		    sink_lost);
		msg.when = 0;
		msg.level = LEVEL_WARN;
		msg.line = note;
		if (msg_send_log(sink_imsg, MSG_LOG, &msg) == 0)
			sink_lost = 0;
	}
	msg.when = 0;
	msg.level = level;
	msg.line = line;
	if (msg_send_log(sink_imsg, MSG_LOG, &msg) == -1)
		sink_lost++;
	/* What fails here the role's own loop meets again, and handles. */
	(void)imsgbuf_write(sink_imsg);
}

void
child_ready(enum role role, struct imsgbuf *ib)
{
	struct msg_hello hello;

	memset(&hello, 0, sizeof(hello));
	memcpy(hello.build, build_id, sizeof(hello.build) - 1);
	hello.role = role;
	if (msg_send_hello(ib, &hello) == -1 || imsgbuf_write(ib) == -1)
		fatal("hello");
}
