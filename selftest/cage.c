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
 * The sandbox at work.  The kernel is asked what it holds against each
 * process of the service, and of a daemon that is started for this: the same
 * programs in a directory of its own, with a socket that nobody else reaches,
 * and with no more commands than these few and the configuration allow.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "confcheck.h"
#include "selftest.h"

#define PATIENCE	10000	/* ms: to start, to answer, to end */
#define SETTLING	5000	/* ms: until each process is confined */
#define NAP		50	/* ms */
#define ANSWER		65536

static const char parent_path[] = PATH_LIBEXEC "/qgad-parent";

/* What was seen of the processes of one role. */
struct seen {
	unsigned int	 n, bad;
	unsigned int	 properties;	/* of one process */
	char		 text[768];	/* of the first that is bad */
};

/* During one look at one process. */
struct look {
	struct seen	*seen;
	char		 text[640];
};

struct private {
	char		 dir[64];
	pid_t		 pid;
	char		 commands[256];
	char		 why[512];	/* it does not work */
};

static int	 runs_parent(const struct process *);
static void	 look_property(void *, const char *, int, const char *,
		    const char *);
static enum role role_of(const struct process *, pid_t);
static unsigned int look(const struct self *, pid_t, struct seen *);
static void	 settle(struct self *, pid_t, struct seen *, const char *);
static void	 tell(const char *, const struct seen *);
static void	 check_private(struct self *);
static int	 private_start(const struct self *, struct private *);
static void	 private_main(const struct private *)
		    __attribute__((noreturn));
static int	 private_file(const char *, const char *, const char *);
static int	 private_connect(struct private *);
static int	 ask(struct private *, int, const char *);
static void	 ask_all(const struct self *, struct private *);
static void	 private_end(struct private *);
static void	 private_empty(const char *);
static void	 last_line(const struct private *, const char *, char *,
		    size_t);
static void	 check_landlock(const struct private *);
static int	 waited(pid_t, int);
static void	 nap(void);

static int
runs_parent(const struct process *p)
{
	if (strcmp(p->name, "qgad-parent") != 0)
		return (0);
	/* Without root the name must do. */
	return (*p->exe == '\0' ? p->uid == 0 && geteuid() != 0 :
	    strcmp(p->exe, parent_path) == 0);
}

/* Its children are that program too, until they execute their own. */
int
is_monitor(const struct self *self, const struct process *p)
{
	size_t i;

	if (!runs_parent(p))
		return (0);
	for (i = 0; i < self->nprocs; i++)
		if (self->procs[i].pid == p->ppid)
			return (!runs_parent(&self->procs[i]));
	return (1);
}

void
check_cage(struct self *self)
{
	struct seen seen[ROLE_MAX];
	pid_t *monitors;
	size_t i, n = 0;

	if (self->procs == NULL)
		return;
	if (!self->root) {
		unseen("the sandbox of each process");
		return;
	}
	if (!self->ids[ACCOUNT_FRONTEND].drop ||
	    !self->ids[ACCOUNT_WORKER].drop)
		return;		/* nothing would start */
	if ((monitors = calloc(self->nprocs, sizeof(*monitors))) == NULL)
		fatal("calloc");
	for (i = 0; i < self->nprocs; i++)
		if (is_monitor(self, &self->procs[i]) &&
		    self->procs[i].uid == 0)
			monitors[n++] = self->procs[i].pid;
	for (i = 0; i < n; i++)
		settle(self, monitors[i], seen, "service");
	free(monitors);
	check_private(self);
}

/* --- one look --- */

static void
look_property(void *arg, const char *property, int ok, const char *expected,
    const char *seen)
{
	struct look *l = arg;
	size_t len = strlen(l->text);

	l->seen->properties++;
	if (!ok)
		snprintf(l->text + len, sizeof(l->text) - len, "%s%s is '%s' "
		    "and not '%s'", len > 0 ? ", " : "", property, seen,
		    expected);
}

/* By its title, which each child has from the start; ROLE_MAX: none yet. */
static enum role
role_of(const struct process *p, pid_t monitor)
{
	const char *at;
	size_t len;
	int role;

	if (p->pid == monitor)
		return (ROLE_MONITOR);
	if ((at = strstr(p->title, ": ")) == NULL)
		return (ROLE_MAX);
	at += 2;
	len = strcspn(at, " ");
	for (role = 0; role < ROLE_MAX; role++)
		if (strlen(confinements[role].name) == len &&
		    strncmp(confinements[role].name, at, len) == 0)
			break;
	return ((enum role)role);
}

/* The monitor and its children; how many are not as they should be. */
static unsigned int
look(const struct self *self, pid_t monitor, struct seen *all)
{
	const struct process *p;
	struct look l;
	enum role role;
	unsigned int bad = 0;
	size_t i;

	memset(all, 0, sizeof(*all) * ROLE_MAX);
	for (i = 0; i < self->nprocs; i++) {
		p = &self->procs[i];
		/* No title: it is ending. */
		if ((p->pid != monitor && p->ppid != monitor) ||
		    *p->title == '\0')
			continue;
		if ((role = role_of(p, monitor)) == ROLE_MAX) {
			bad++;
			continue;
		}
		l.seen = &all[role];
		l.seen->n++;
		l.seen->properties = 0;
		*l.text = '\0';
		if (confinement_check(p->pid, role,
		    &self->ids[confinements[role].account], PATH_CHROOT,
		    look_property, &l) == 0 || (kill(p->pid, 0) == -1 &&
		    errno == ESRCH))
			continue;
		bad++;
		if (l.seen->bad++ == 0)
			snprintf(l.seen->text, sizeof(l.seen->text),
			    "pid %ld: %s", (long)p->pid, l.text);
	}
	return (bad);
}

/* One that has just been started is confined in a moment. */
static void
settle(struct self *self, pid_t monitor, struct seen *seen, const char *whose)
{
	int ms;

	for (ms = 0; ; ms += NAP) {
		free(self->procs);
		if (see_processes(&self->procs, &self->nprocs) == -1)
			fatal("processes");
		if (look(self, monitor, seen) == 0 || ms >= SETTLING)
			break;
		nap();
	}
	tell(whose, seen);
}

static void
tell(const char *whose, const struct seen *all)
{
	const struct confinement *row;
	const struct seen *seen;
	char line[64];
	int role;

	for (role = 0; role < ROLE_MAX; role++) {
		row = &confinements[role];
		seen = &all[role];
		if (seen->n == 0)
			continue;
		snprintf(line, sizeof(line), "%s %s", whose, row->name);
		if (seen->bad == 0 && (row->steps & STEP_ALL) == 0)
			say(OK, line, "%u, unconfined, as it must be for what "
			    "it starts", seen->n);
		else if (seen->bad == 0)
			say(OK, line, "%u, confined: %u properties are as "
			    "they should be", seen->n, seen->properties);
		else if ((row->steps & STEP_ALL) == 0)
			say(WARNING, line, "%s; what it starts is less free "
			    "than qemu-ga's would be: see the service "
			    "manager's settings", seen->text);
		else
			say(FAILURE, line, "%s; the sandbox is not in force: "
			    "do not give this process a host", seen->text);
	}
}

/* --- a daemon of our own --- */

static void
check_private(struct self *self)
{
	struct seen seen[ROLE_MAX];
	struct private p;
	char text[512];

	memset(&p, 0, sizeof(p));
	if (private_start(self, &p) == 0)
		ask_all(self, &p);
	if (*p.why == '\0') {
		say(OK, "sandbox", "a daemon started for this answers %s",
		    p.commands);
		settle(self, p.pid, seen, "sandbox");
		check_landlock(&p);
	} else {
		last_line(&p, "error", text, sizeof(text));
		say(FAILURE, "sandbox", "a daemon started for this does not "
		    "work: %s%s%s", p.why, *text != '\0' ? ": " : "", text);
	}
	private_end(&p);
}

/* -1: p->why. */
static int
private_start(const struct self *self, struct private *p)
{
	static const char *const names[] = { "guest-ping", "guest-get-osinfo",
	    "guest-exec", "guest-file-open" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (allowed(self, names[i]))
			snprintf(p->commands + strlen(p->commands),
			    sizeof(p->commands) - strlen(p->commands), "%s%s",
			    *p->commands != '\0' ? "," : "", names[i]);
	strlcpy(p->dir, "/tmp/qgad-selftest.XXXXXX", sizeof(p->dir));
	if (mkdtemp(p->dir) == NULL) {
		snprintf(p->why, sizeof(p->why), "%s: %s", p->dir,
		    strerror(errno));
		*p->dir = '\0';
		return (-1);
	}
	if (private_file(p->dir, "conf", "[general]\n") == -1 ||
	    private_file(p->dir, "stderr", "") == -1 ||
	    (p->pid = fork()) == -1) {
		snprintf(p->why, sizeof(p->why), "%s: %s", p->dir,
		    strerror(errno));
		p->pid = 0;
		return (-1);
	}
	if (p->pid == 0)
		private_main(p);
	return (0);
}

static int
private_file(const char *dir, const char *name, const char *text)
{
	char path[96];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) ==
	    -1)
		return (-1);
	n = write(fd, text, strlen(text));
	close(fd);
	return (n == (ssize_t)strlen(text) ? 0 : -1);
}

static void
private_main(const struct private *p)
{
	char conf[96], sock[96], log[96], err[96];
	const char *argv[] = { "qgad", "-v", "-c", conf, "-m", "unix-listen",
	    "-p", sock, "-t", p->dir, "-l", log, "-a", p->commands, NULL };
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = { path, NULL };
	int fd;

	see_tie();
	snprintf(conf, sizeof(conf), "%s/conf", p->dir);
	snprintf(sock, sizeof(sock), "%s/sock", p->dir);
	snprintf(log, sizeof(log), "%s/log", p->dir);
	snprintf(err, sizeof(err), "%s/stderr", p->dir);
	if ((fd = open(err, O_WRONLY)) == -1 ||
	    dup2(fd, STDERR_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1 ||
	    setsid() == -1)
		_exit(1);
	execve(parent_path, (char **)(uintptr_t)argv, env);
	fatal("%s", parent_path);
}

/* The requests that have it start its processes, each if it is allowed. */
static void
ask_all(const struct self *self, struct private *p)
{
	const char *program = access("/bin/true", X_OK) == 0 ? "/bin/true" :
	    "/usr/bin/true";
	char run[128], open[192];
	const char *const requests[][2] = {
		{ "guest-ping", "{\"execute\":\"guest-ping\"}\n" },
		{ "guest-get-osinfo", "{\"execute\":\"guest-get-osinfo\"}\n" },
		{ "guest-exec", run },
		{ "guest-file-open", open }
	};
	size_t i;
	int fd;

	snprintf(run, sizeof(run), "{\"execute\":\"guest-exec\","
	    "\"arguments\":{\"path\":\"%s\"}}\n", program);
	snprintf(open, sizeof(open), "{\"execute\":\"guest-file-open\","
	    "\"arguments\":{\"path\":\"%s/conf\"}}\n", p->dir);
	if ((fd = private_connect(p)) == -1)
		return;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (allowed(self, requests[i][0]) &&
		    ask(p, fd, requests[i][1]) == -1)
			break;
	close(fd);
}

static int
private_connect(struct private *p)
{
	struct sockaddr_un sun;
	int fd, ms;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/sock", p->dir);
	for (ms = 0; ms < PATIENCE; ms += NAP) {
		if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) ==
		    -1)
			break;
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return (fd);
		close(fd);
		if (waited(p->pid, WNOHANG)) {
			p->pid = 0;
			strlcpy(p->why, "it ends at once", sizeof(p->why));
			return (-1);
		}
		nap();
	}
	snprintf(p->why, sizeof(p->why), "it does not listen");
	return (-1);
}

/* One line each way; -1: p->why. */
static int
ask(struct private *p, int fd, const char *request)
{
	static char answer[ANSWER];
	struct pollfd pfd;
	size_t have = 0;
	ssize_t n = 0;

	if (send(fd, request, strlen(request), MSG_NOSIGNAL) !=
	    (ssize_t)strlen(request)) {
		snprintf(p->why, sizeof(p->why), "send: %s", strerror(errno));
		return (-1);
	}
	while (have < sizeof(answer) - 1 && memchr(answer, '\n', have) ==
	    NULL) {
		pfd.fd = fd;
		pfd.events = POLLIN;
		if (poll(&pfd, 1, PATIENCE) != 1 || (n = read(fd, answer +
		    have, sizeof(answer) - 1 - have)) <= 0)
			break;
		have += (size_t)n;
	}
	answer[have] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	if (strncmp(answer, "{\"return\"", 9) == 0)
		return (0);
	snprintf(p->why, sizeof(p->why), "%.60s is answered by '%.200s'",
	    request, answer);
	p->why[strcspn(p->why, "\n")] = ' ';
	return (-1);
}

/* The last line of its log, else of standard error, with that in it. */
static void
last_line(const struct private *p, const char *with, char *text, size_t size)
{
	static const char *const files[] = { "log", "stderr" };
	char path[96], line[512];
	size_t i;
	FILE *f;

	*text = '\0';
	for (i = 0; i < 2 && *text == '\0' && *p->dir != '\0'; i++) {
		snprintf(path, sizeof(path), "%s/%s", p->dir, files[i]);
		if ((f = fopen(path, "re")) == NULL)
			continue;
		while (fgets(line, sizeof(line), f) != NULL)
			if (strstr(line, with) != NULL)
				strlcpy(text, line, size);
		fclose(f);
	}
	text[strcspn(text, "\n")] = '\0';
}

/* Not to be seen from outside: the query worker says it of itself. */
static void
check_landlock(const struct private *p)
{
	char text[512], *at;

	last_line(p, "landlock", text, sizeof(text));
	if ((at = strstr(text, "landlock")) == NULL)
		return;
	if (strstr(text, "no landlock") != NULL)
		say(WARNING, "landlock", "this kernel has none: queries are "
		    "confined by system calls alone, and do not see mounts "
		    "below a directory with mode 0700");
	else
		say(OK, "landlock", "version%s is in force",
		    at + strlen("landlock"));
}

static void
private_end(struct private *p)
{
	int ms;

	if (p->pid != 0) {
		(void)kill(p->pid, SIGTERM);
		for (ms = 0; ms < PATIENCE && !waited(p->pid, WNOHANG);
		    ms += NAP)
			nap();
		if (ms >= PATIENCE) {
			(void)kill(p->pid, SIGKILL);
			(void)waited(p->pid, 0);
		}
	}
	if (*p->dir == '\0')
		return;
	private_empty(p->dir);
	if (rmdir(p->dir) == -1)
		say(WARNING, "sandbox", "%s stays: %s", p->dir,
		    strerror(errno));
}

/* Of files; there is nothing else in it. */
static void
private_empty(const char *path)
{
	struct dirent *de;
	DIR *dir;
	int fd;

	if ((dir = opendir(path)) == NULL)
		return;
	while ((fd = dirfd(dir)) != -1 && (de = readdir(dir)) != NULL)
		(void)unlinkat(fd, de->d_name, 0);
	closedir(dir);
}

static int
waited(pid_t pid, int how)
{
	int status;
	pid_t got;

	while ((got = waitpid(pid, &status, how)) == -1 && errno == EINTR)
		;
	return (got != 0);
}

static void
nap(void)
{
	static const struct timespec moment = { 0, NAP * 1000000L };

	(void)nanosleep(&moment, NULL);
}
