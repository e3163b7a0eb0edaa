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
 * Children: started by fork and exec of a fixed path with a fixed descriptor
 * map, reaped with WNOHANG only.  A child's pid is ours until we have reaped
 * it, so a kill can never meet another process.
 *
 *	0, 1	/dev/null
 *	2	/dev/null; standard error for the log worker
 *	3	imsg to the monitor
 *	4	what the role starts with (a data socket), else closed
 */

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "parent.h"

#define LAST_WORDS	64		/* reads of what a dead one has said */
#define OWN_FILES	64		/* descriptors that are no child's */

#define QUOTED(n)	#n
#define NUMBER(n)	QUOTED(n)	/* a macro's value as text */

extern char		**environ;

static struct child	**children;	/* a slot each, NULL: empty */
static size_t		 nchildren;
static size_t		 highest;	/* slot in use, and one more */
static unsigned int	 lost[ROLE_MAX];
static const struct conf *conf;
static char		*name0;
static int		 errfd;		/* standard error as we were given it */
static struct rlimit	 given;		/* of descriptors, as we were started */

static void	 child_main(enum role, int, int) __attribute__((noreturn));
static void	 child_close(struct child *);
static void	 files_limit(void);
static unsigned int *lost_of(enum role);
static uint64_t	 patience(const struct child *);
static char	**scanty(void);
static void	 fd_place(int, int);

void
spawn_init(const struct conf *c, char *argv0, int fd)
{
	conf = c;
	name0 = argv0;
	errfd = fd;
	/* Jobs that run, as many ended ones, files, and all other roles. */
	nchildren = (size_t)(c->limits.max_jobs * 2 + c->limits.max_files) +
	    64;
	if ((children = calloc(nchildren, sizeof(*children))) == NULL)
		fatal("calloc");
	files_limit();
}

/*
 * A descriptor for each slot, and ours: else a host that opens all the files
 * it may would leave none to accept it, or a new frontend, with.
 */
static void
files_limit(void)
{
	struct rlimit rl;
	rlim_t want = (rlim_t)nchildren + OWN_FILES;

	if (getrlimit(RLIMIT_NOFILE, &given) == -1)
		fatal("getrlimit");
	rl = given;
	if (rl.rlim_cur == RLIM_INFINITY || rl.rlim_cur >= want)
		return;
	rl.rlim_cur = want;
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < want)
		rl.rlim_max = want;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		log_warn("%llu descriptors, which max-files and max-jobs need",
		    (unsigned long long)want);
}

void
spawn_limits(void)
{
	if (setrlimit(RLIMIT_NOFILE, &given) == -1)
		log_warn("setrlimit");
}

size_t
spawn_slots(void)
{
	return (nchildren);
}

struct child *
child_each(struct child *c)
{
	size_t i;

	for (i = c == NULL ? 0 : c->slot + 1; i < highest; i++)
		if (children[i] != NULL)
			return (children[i]);
	return (NULL);
}

struct child *
child_find(enum role role)
{
	struct child *c;

	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c->role == role && (c->state == CHILD_STARTING ||
		    c->state == CHILD_READY))
			return (c);
	return (NULL);
}

struct child *
child_spawn(enum role role, int data)
{
	struct child *c;
	size_t slot;
	int pair[2] = { -1, -1 }, saved;

	for (slot = 0; slot < nchildren && children[slot] != NULL; slot++)
		;
	if (slot == nchildren || *lost_of(role) >= LOST_MAX) {
		if (data != -1)
			close(data);
		errno = EAGAIN;
		return (NULL);
	}
	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    pair) == -1 || imsgbuf_init(&c->ibuf, pair[0]) == -1 ||
	    imsgbuf_set_maxsize(&c->ibuf, MSG_SIZE_MAX) == -1 ||
	    (c->pid = fork()) == -1) {
		saved = errno;
		if (pair[0] != -1) {
			close(pair[0]);
			close(pair[1]);
		}
		if (data != -1)
			close(data);
		if (c != NULL && c->ibuf.tail != NULL)
			imsgbuf_clear(&c->ibuf);
		free(c);
		errno = saved;
		return (NULL);
	}
	if (c->pid == 0)
		child_main(role, pair[1], data);
	close(pair[1]);
	if (data != -1)
		close(data);
	children[slot] = c;
	if (slot >= highest)
		highest = slot + 1;
	c->slot = slot;
	c->role = role;
	c->state = CHILD_STARTING;
	c->started = c->used = now_ms();
	/* We send descriptors; no child has one for us. */
	if (!DEFENCE(CONTROL_MESSAGES))
		imsgbuf_allow_fdpass(&c->ibuf);
	log_debug("%s started, pid %d", confinements[role].name, (int)c->pid);
	return (c);
}

/* In the child: descriptors to their places, nothing else of ours kept. */
static void
child_main(enum role role, int imsg, int data)
{
	const struct confinement *row = &confinements[role];
	const struct ids *ids;
	char path[1024], idtext[64], level[16], size[32], wait[32], lock[1024];
	const char *argv[10];
	sigset_t none;
	int argc = 0, from = CHILD_DATA_FD;

	logger_off();
	ids = row->account == ACCOUNT_FRONTEND ? &frontend_ids : &worker_ids;
	if (ids->drop)
		snprintf(idtext, sizeof(idtext), "%lu:%lu",
		    (unsigned long)ids->uid, (unsigned long)ids->gid);
	else
		strlcpy(idtext, "-", sizeof(idtext));
	snprintf(level, sizeof(level), "%d", conf->verbose ? LEVEL_DEBUG :
	    LEVEL_INFO);
	snprintf(path, sizeof(path), "%s/%s", role == ROLE_FRONTEND ?
	    PATH_SBIN : PATH_LIBEXEC, row->program);
	argv[argc++] = role == ROLE_FRONTEND ? name0 : path;
	argv[argc++] = role == ROLE_FRONTEND ? "--frontend" : "--worker";
	argv[argc++] = idtext;
	argv[argc++] = level;
	if (role == ROLE_EXEC_SPARE) {
		snprintf(size, sizeof(size), "%llu",
		    (unsigned long long)conf->limits.max_output);
		snprintf(wait, sizeof(wait), "%llu",
		    (unsigned long long)conf->limits.output_wait);
		argv[argc++] = size;
		argv[argc++] = wait;
	} else if (role == ROLE_FRONTEND && conf->methodno == METHOD_STDIO) {
		argv[argc++] = "stdio";
	} else if (role == ROLE_FREEZE) {
		snprintf(size, sizeof(size), "%llu",
		    (unsigned long long)conf->auto_thaw);
		argv[argc++] = conf->statedir;
		argv[argc++] = size;
		argv[argc++] = conf->quiesce ? "1" : "0";
		argv[argc++] = conf->exclude != NULL ? conf->exclude : "";
	} else if (role == ROLE_HOOK) {
		snprintf(lock, sizeof(lock), "%s/qgad.hooks", conf->statedir);
		argv[argc++] = conf->hook != NULL ? conf->hook : "-";
		argv[argc++] = lock;
		argv[argc++] = NUMBER(HOOK_EACH);
		argv[argc++] = NUMBER(HOOK_TOTAL);
		argv[argc++] = NUMBER(HOOK_GRACE);
	} else if (role == ROLE_LOG) {
		argv[argc++] = conf->logfile != NULL ? "file" :
		    conf->daemon ? "syslog" : "stderr";
		if (conf->logfile != NULL)
			argv[argc++] = conf->logfile;
	}
	argv[argc] = NULL;

	/* imsg and data may stand in each other's place. */
	if (data != -1 && data <= CHILD_DATA_FD &&
	    (data = fcntl(data, F_DUPFD_CLOEXEC, CHILD_DATA_FD + 1)) == -1)
		_exit(1);
	fd_place(imsg, CHILD_IMSG_FD);
	if (data != -1)
		fd_place(data, from++);
	fd_place(role == ROLE_LOG ? errfd : STDIN_FILENO, STDERR_FILENO);
	if (DEFENCE(CONTROL_CLOSEFROM))
		closefrom(from);
	/* How many we may have is ours alone, as is the mask. */
	spawn_limits();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execve(path, (char **)(uintptr_t)argv, row->account == ACCOUNT_ROOT ||
	    role == ROLE_EXEC_SPARE ? environ : scanty());
	fatal("%s", path);
}

/*
 * What starts no program needs of our environment at most where the time
 * zone and, as qemu-ga has it, the os-release file are.
 */
static char **
scanty(void)
{
	static const char *const names[] = { "TZ=", "QGA_OS_RELEASE=" };
	static char *env[3];
	char **e;
	size_t i, n = 0;

	for (i = 0; i < 2; i++)
		for (e = environ; e != NULL && *e != NULL; e++)
			if (strncmp(*e, names[i], strlen(names[i])) == 0) {
				env[n++] = *e;
				break;
			}
	return (env);
}

static void
fd_place(int from, int to)
{
	if (from == to) {
		if (fcntl(to, F_SETFD, 0) == -1)
			_exit(1);
	} else if (dup2(from, to) == -1)
		_exit(1);
}

/* What is queued, as much as the socket takes; -1: it is of no use now. */
int
child_send(struct child *c)
{
	return (c->ibuf.fd == -1 ? 0 : imsgbuf_write(&c->ibuf));
}

static void
child_close(struct child *c)
{
	if (c->ibuf.fd == -1)
		return;
	if (c->role == ROLE_LOG)
		logger_lost(imsgbuf_queuelen(&c->ibuf));
	imsgbuf_clear(&c->ibuf);
	close(c->ibuf.fd);
	c->ibuf.fd = -1;
}

/* End of file is every child's order to end. */
void
child_release(struct child *c)
{
	child_close(c);
	if (c->state == CHILD_STARTING || c->state == CHILD_READY)
		c->state = CHILD_RELEASED;
	c->killed = now_ms();
}

void
child_kill(struct child *c, const char *why)
{
	if (c->state == CHILD_KILLED || c->state == CHILD_LOST)
		return;
	if (why != NULL)
		log_warnx("%s, pid %d: killed: %s", confinements[c->role].name,
		    (int)c->pid, why);
	child_close(c);
	if (!c->reaped && kill(c->pid, SIGKILL) == -1)
		log_warn("kill of pid %d", (int)c->pid);
	c->state = CHILD_KILLED;
	c->killed = now_ms();
}

void
child_reap(void)
{
	struct child *c;
	pid_t pid;
	int n, status;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		for (c = NULL; (c = child_each(c)) != NULL;)
			if (c->pid == pid)
				break;
		if (c == NULL)
			continue;
		if (WIFSTOPPED(status)) {
			/* A worker has its deadline, this one has none. */
			if (c->role == ROLE_FRONTEND &&
			    (c->state == CHILD_STARTING ||
			    c->state == CHILD_READY))
				child_lost(c, "it was stopped");
			continue;
		}
		if (c->state == CHILD_LOST)
			(*lost_of(c->role))--;
		if (WIFSIGNALED(status))
			log_info("%s, pid %d: ended by signal %d",
			    confinements[c->role].name, (int)pid,
			    WTERMSIG(status));
		else
			log_debug("%s, pid %d: ended with status %d",
			    confinements[c->role].name, (int)pid,
			    WEXITSTATUS(status));
		c->reaped = 1;
		/* Its last words may wait in the socket still. */
		for (n = 0; n < LAST_WORDS && c->ibuf.fd != -1; n++)
			child_read(c);
		child_close(c);
		child_gone(c, status);
		children[c->slot] = NULL;
		free(c->shown);
		free(c);
		while (highest > 0 && children[highest - 1] == NULL)
			highest--;
	}
}

/* An exec worker that has its job is of one kind with those that wait. */
static unsigned int *
lost_of(enum role role)
{
	return (&lost[role == ROLE_EXEC ? ROLE_EXEC_SPARE :
	    role == ROLE_FILE ? ROLE_FILE_OPENING : role]);
}

/* How long it may stay as it is; 0: for ever. */
static uint64_t
patience(const struct child *c)
{
	switch (c->state) {
	case CHILD_STARTING:
		return (START_PATIENCE);
	case CHILD_RELEASED:
		/* One sees its job through. */
		return (c->role == ROLE_EXEC ? 0 : END_PATIENCE);
	case CHILD_KILLED:
		return (KILL_PATIENCE);
	default:
		return (0);
	}
}

void
spawn_timers(uint64_t now, uint64_t *next)
{
	struct child *c;
	uint64_t until;

	for (c = NULL; (c = child_each(c)) != NULL;) {
		if ((until = patience(c)) == 0)
			continue;
		until += c->state == CHILD_STARTING ? c->started : c->killed;
		if (now < until) {
			sooner(next, until);
			continue;
		}
		if (c->state != CHILD_KILLED) {
			child_overdue(c);
			sooner(next, now + KILL_PATIENCE);
			continue;
		}
		c->state = CHILD_LOST;
		log_error("%s, pid %d: does not die, written off (%u of %u)",
		    confinements[c->role].name, (int)c->pid,
		    ++*lost_of(c->role), LOST_MAX);
	}
}
