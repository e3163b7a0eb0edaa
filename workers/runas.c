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

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "job.h"
#include "runas.h"
#include "users.h"

#define LINKS_MAX	40
#define GUARD_FD	3
#define GUARD_GRACE	2000		/* ms from SIGTERM to SIGKILL */

/* OpenBSD has no bound on addresses; data is most of them. */
#ifndef RLIMIT_AS
#define RLIMIT_AS	RLIMIT_DATA
#endif

static int	 ids(struct runas *, struct user *, char *, size_t);
static int	 environment(struct runas *, const struct user *,
		    const struct msg_exec *);
static int	 put(char **, const char *, const char *);
static int	 judge_program(const char *, uid_t, char *, size_t);
static const char *judge(const struct stat *, uid_t);
static int	 follow(const char *, char *);
static int	 guard_start(const struct runas *);
static void	 guard_main(int, uint64_t) __attribute__((noreturn));
static int	 bound_set(enum exec_bound, uint64_t);
static int	 drop(const struct runas *);

int
runas_init(struct runas *r, const struct msg_exec_rule *rule,
    const struct msg_exec *exec, char *why, size_t size)
{
	struct user user;
	int n;

	memset(r, 0, sizeof(*r));
	memset(&user, 0, sizeof(user));
	r->rule = rule;
	r->guard = -1;
	if (ids(r, &user, why, size) == -1)
		return (-1);
	if (DEFENCE(CONTROL_PROGRAM) &&
	    (n = judge_program(rule->program, r->uid, why, size)) != 0) {
		r->refused = n == 1;
		return (-1);
	}
	if (environment(r, &user, exec) == -1) {
		snprintf(why, size, "%s", strerror(errno));
		return (-1);
	}
	return (0);
}

/* --- who --- */

static int
ids(struct runas *r, struct user *user, char *why, size_t size)
{
	const struct msg_exec_rule *rule = r->rule;
	gid_t gid;
	int n;

	r->gid = getgid();
	if (rule->user[0] != '\0') {
		if ((n = user_find(rule->user, user)) != 1) {
			snprintf(why, size, "user %s: %s", rule->user,
			    n == 0 ? "there is none" : strerror(errno));
			return (-1);
		}
		r->uid = user->uid;
		r->gid = user->gid;
		if ((r->ngroups = user_groups(user, r->groups,
		    RUNAS_GROUPS)) == -1) {
			snprintf(why, size, "groups of user %s: %s",
			    rule->user, strerror(errno));
			return (-1);
		}
		r->drop = 1;
	}
	if (rule->group[0] != '\0') {
		if ((n = group_find(rule->group, &gid)) != 1) {
			snprintf(why, size, "group %s: %s", rule->group,
			    n == 0 ? "there is none" : strerror(errno));
			return (-1);
		}
		/* In the place of the user's own, which is the first. */
		r->gid = gid;
		r->groups[0] = gid;
		if (r->ngroups == 0)
			r->ngroups = 1;
		r->drop = 1;
	}
	return (0);
}

/* --- what it finds in its environment --- */

/*
 * A clean one; then what the rule says, then what the host said, which the
 * monitor has found to be of names that it may set.
 */
static int
environment(struct runas *r, const struct user *user,
    const struct msg_exec *exec)
{
	const char *text, *name;
	char pair[1280];
	uint32_t i;

	if ((r->envp = calloc((size_t)5 + r->rule->envc + exec->envc + 1,
	    sizeof(*r->envp))) == NULL)
		return (-1);
	if (put(r->envp, "PATH=" JOB_PATH, NULL) == -1)
		return (-1);
	if (user->name[0] != '\0' && (put(r->envp, "HOME=", user->home) == -1 ||
	    put(r->envp, "SHELL=", user->shell) == -1 ||
	    put(r->envp, "USER=", user->name) == -1 ||
	    put(r->envp, "LOGNAME=", user->name) == -1))
		return (-1);
	for (i = 0; i < r->rule->envc; i++) {
		name = r->rule->envp[i];
		if (strchr(name, '=') != NULL) {
			if (put(r->envp, name, NULL) == -1)
				return (-1);
		} else if ((text = getenv(name)) != NULL) {
			snprintf(pair, sizeof(pair), "%.1000s=", name);
			if (put(r->envp, pair, text) == -1)
				return (-1);
		}
	}
	for (i = 0; i < exec->envc; i++)
		if (put(r->envp, exec->envp[i], NULL) == -1)
			return (-1);
	return (0);
}

/* "NAME=" and more of it, in the place of one of that name. */
static int
put(char **envp, const char *text, const char *more)
{
	size_t len = strcspn(text, "=") + 1, size;
	char *copy;

	size = strlen(text) + (more != NULL ? strlen(more) : 0) + 1;
	if ((copy = malloc(size)) == NULL)
		return (-1);
	snprintf(copy, size, "%s%s", text, more != NULL ? more : "");
	while (*envp != NULL && strncmp(*envp, text, len) != 0)
		envp++;
	free(*envp);
	*envp = copy;
	return (0);
}

/* --- which program --- */

/*
 * Nobody but root and the one it runs as may have put there what will be
 * executed: every directory and every link on the way is looked at.  What
 * these two do meanwhile they could do without us.  1: it is refused; -1: it
 * could not be looked at; *why says why.
 */
static int
judge_program(const char *path, uid_t uid, char *why, size_t size)
{
	char done[PATH_MAX] = "", rest[PATH_MAX];
	const char *wrong = NULL;
	struct stat st;
	int links = 0;
	size_t len, n;
	char *p;

	if (strlcpy(rest, path, sizeof(rest)) >= sizeof(rest))
		goto too_long;
	if (stat("/", &st) == -1 || (wrong = judge(&st, uid)) != NULL)
		goto fail;
	for (p = rest + strspn(rest, "/"); *p != '\0';
	    p = rest + strspn(rest, "/")) {
		n = strcspn(p, "/");
		len = strlen(done);
		if (n == 2 && memcmp(p, "..", 2) == 0) {
			if (len > 0)
				*strrchr(done, '/') = '\0';
		} else if (n != 1 || *p != '.') {
			if (len + n + 2 > sizeof(done))
				goto too_long;
			snprintf(done + len, sizeof(done) - len, "/%.*s",
			    (int)n, p);
		}
		memmove(rest, p + n, strlen(p + n) + 1);
		if (lstat(done[0] == '\0' ? "/" : done, &st) == -1 ||
		    (wrong = judge(&st, uid)) != NULL)
			goto fail;
		if (S_ISLNK(st.st_mode)) {
			if (++links > LINKS_MAX) {
				errno = ELOOP;
				goto fail;
			}
			if (follow(done, rest) == -1)
				goto fail;
			if (*rest == '/')
				done[0] = '\0';
			else
				*strrchr(done, '/') = '\0';
		} else if (*rest != '\0' && !S_ISDIR(st.st_mode)) {
			errno = ENOTDIR;
			goto fail;
		}
	}
	if (S_ISREG(st.st_mode))
		return (0);
	wrong = "is not a regular file";
	goto fail;
too_long:
	errno = ENAMETOOLONG;
fail:
	if (wrong != NULL) {
		snprintf(why, size, "%.512s %s", done[0] == '\0' ? "/" : done,
		    wrong);
		return (1);
	}
	snprintf(why, size, "%.512s: %s", done[0] == '\0' ? path : done,
	    strerror(errno));
	return (-1);
}

/* NULL: nothing is wrong. */
static const char *
judge(const struct stat *st, uid_t uid)
{
	if (st->st_uid != 0 && st->st_uid != uid)
		return ("belongs neither to root nor to the user it is "
		    "run as");
	/* Nobody takes another's file away from a sticky directory. */
	if (!S_ISLNK(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)) &&
	    !(S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)))
		return ("is writable by group or others");
	return (NULL);
}

/* What the link says, before the rest. */
static int
follow(const char *link, char *rest)
{
	char text[PATH_MAX], whole[PATH_MAX];
	ssize_t n;
	int len;

	if ((n = readlink(link, text, sizeof(text) - 1)) == -1)
		return (-1);
	text[n] = '\0';
	len = snprintf(whole, sizeof(whole), "%s%s", text, rest);
	if (n == 0 || len < 0 || (size_t)len >= sizeof(whole)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(rest, whole, (size_t)len + 1);
	return (0);
}

/* --- becoming it --- */

int
runas_become(void *arg)
{
	const struct runas *r = arg;
	int i;

	if (r->guard != -1 && guard_start(r) == -1)
		return (-1);
	for (i = 0; i < EXEC_BOUNDS; i++)
		if (r->rule->bound[i] != EXEC_FREE &&
		    bound_set((enum exec_bound)i, r->rule->bound[i]) == -1)
			return (-1);
	if (r->drop && drop(r) == -1)
		return (-1);
	/* As that user: he may not be let into it. */
	return (chdir(r->rule->directory));
}

static int
bound_set(enum exec_bound which, uint64_t to)
{
	struct rlimit rl;

	rl.rlim_cur = rl.rlim_max = (rlim_t)to;
	switch (which) {
	case BOUND_CPU:
		return (setrlimit(RLIMIT_CPU, &rl));
	case BOUND_MEMORY:
		return (setrlimit(RLIMIT_AS, &rl));
	case BOUND_FILE_SIZE:
		return (setrlimit(RLIMIT_FSIZE, &rl));
	case BOUND_OPEN_FILES:
		return (setrlimit(RLIMIT_NOFILE, &rl));
	case BOUND_PROCESSES:
		return (setrlimit(RLIMIT_NPROC, &rl));
	case BOUND_CORE:
		return (setrlimit(RLIMIT_CORE, &rl));
	case EXEC_BOUNDS:
		break;
	}
	errno = EINVAL;
	return (-1);
}

/* And it must not come back. */
static int
drop(const struct runas *r)
{
	/* Systems differ in its type; of this one each makes its own. */
	if (setgroups((unsigned short)r->ngroups, r->groups) == -1 ||
	    setresgid(r->gid, r->gid, r->gid) == -1 ||
	    setresuid(r->uid, r->uid, r->uid) == -1)
		return (-1);
	if (r->uid != 0 && (setuid(0) == 0 || getuid() != r->uid ||
	    geteuid() != r->uid)) {
		errno = EPERM;
		return (-1);
	}
	return (0);
}

/* --- the guard --- */

/*
 * Of the job's process group, so that its number is this group's as long as
 * there is a guard; root, so that the job cannot end it; nobody's child, so
 * that the job has none that it does not know of.
 */
static int
guard_start(const struct runas *r)
{
	pid_t pid;
	int status;

	switch (pid = fork()) {
	case -1:
		return (-1);
	case 0:
		switch (fork()) {
		case -1:
			_exit(errno & 0xff);
		case 0:
			guard_main(r->guard, r->rule->time);
		}
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return (-1);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
		return (-1);
	}
	return (0);
}

/*
 * A byte says that the job has ended: what it left behind in its group ends
 * then.  The pipe's end says nothing: the worker has gone, the job has not.
 */
static void
guard_main(int fd, uint64_t seconds)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM,
	    SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM };
	struct timespec end, now;
	struct pollfd pfd;
	int64_t left;
	size_t i;
	char byte;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	setproctitle("exec-guard");
	if (dup2(fd, GUARD_FD) == -1)
		_exit(1);
	closefrom(GUARD_FD + 1);
	for (i = 0; i < GUARD_FD; i++)
		close((int)i);
	if (clock_gettime(CLOCK_MONOTONIC, &end) == -1)
		_exit(1);
	end.tv_sec += (time_t)seconds;
	pfd.fd = GUARD_FD;
	pfd.events = POLLIN;
	for (;;) {
		if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
			_exit(1);
		left = (int64_t)(end.tv_sec - now.tv_sec) * 1000 +
		    (end.tv_nsec - now.tv_nsec) / 1000000;
		if (left <= 0)
			break;
		if (poll(&pfd, 1, left > INT_MAX ? INT_MAX : (int)left) != 1)
			continue;
		if (read(GUARD_FD, &byte, 1) == 1)
			kill(0, SIGKILL);
		pfd.fd = -1;
	}
	kill(0, SIGTERM);
	poll(&pfd, 1, GUARD_GRACE);
	kill(0, SIGKILL);
	_exit(0);
}
