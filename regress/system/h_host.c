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


#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "h_host.h"

static void	 spawn(const char *, pid_t *);
static int	 answers(void);
static int	 try_open(void);
static int	 vsend(struct host *, const char *, va_list)
		    __attribute__((format(printf, 2, 0)));
static ssize_t	 more(struct host *);
static int	 proc_read(pid_t, const char *, char *, size_t);
static int	 proc_get(pid_t, struct proc *);
static pid_t	 find(pid_t, const char *);

int64_t
host_ms(void)
{
	struct timespec ts;

	ATF_REQUIRE(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

void
host_nap(void)
{
	static const struct timespec nap = { 0, 3000000 };

	nanosleep(&nap, NULL);
}

/* --- the daemon --- */

void
host_needs(void)
{
	if (access("/proc/self/status", R_OK) == -1)
		atf_tc_skip("needs Linux's /proc");
}

pid_t
host_start(const atf_tc_t *tc, const char *limits)
{
	pid_t pid;
	FILE *fp;

	ATF_REQUIRE((fp = fopen("qgad.conf", "w")) != NULL);
	fprintf(fp, "[limits]\n%s", limits);
	ATF_REQUIRE(fclose(fp) == 0);
	spawn(atf_tc_get_config_var_wd(tc, "prefix", "/usr/local"), &pid);
	UNTIL(answers() || proc_gone(pid));
	ATF_REQUIRE_MSG(!proc_gone(pid), "qgad ended at once");
	return (pid);
}

static void
spawn(const char *prefix, pid_t *pid)
{
	static const char *const names[5] = { "sock", "qgad.conf",
	    "qgad.log", "state", "pid" };
	char program[1024], here[1024], path[5][1100];
	size_t i;
	int fd;

	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	snprintf(program, sizeof(program), "%s/sbin/qgad", prefix);
	for (i = 0; i < 5; i++)
		snprintf(path[i], sizeof(path[i]), "%s/%s", here, names[i]);
	ATF_REQUIRE((*pid = fork()) != -1);
	if (*pid != 0)
		return;
	if ((fd = open("qgad.err", O_WRONLY | O_CREAT | O_APPEND, 0600)) ==
	    -1 || dup2(fd, STDOUT_FILENO) == -1 ||
	    dup2(fd, STDERR_FILENO) == -1)
		_exit(126);
	execl(program, program, "-m", "unix-listen", "-p", path[0], "-c",
	    path[1], "-l", path[2], "-t", path[3], "-f", path[4],
	    (char *)NULL);
	_exit(127);
}

static int
answers(void)
{
	struct host h = { .fd = -1 };
	char *line;

	if ((h.fd = try_open()) == -1)
		return (0);
	line = host_send(&h, PING) == 0 ? host_line(&h) : NULL;
	host_close(&h);
	return (line != NULL);
}

int
host_ended(pid_t pid)
{
	int status;

	UNTIL(waitpid(pid, &status, WNOHANG) == pid);
	return (status);
}

void
host_stop(pid_t pid)
{
	int status;

	ATF_REQUIRE(kill(pid, SIGTERM) == 0);
	status = host_ended(pid);
	ATF_REQUIRE_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "the monitor's status is %#x", (unsigned int)status);
}

/* Whatever has this directory in its arguments: monitors, jobs. */
void
host_cleanup(void)
{
	struct dirent *entry;
	char args[4096], here[1024];
	pid_t pid;
	DIR *dir;
	int i, n;

	if (getcwd(here, sizeof(here) - 1) == NULL ||
	    (dir = opendir("/proc")) == NULL)
		return;
	strcat(here, "/");
	while ((entry = readdir(dir)) != NULL) {
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid <= 1 || pid == getpid() || (n = proc_read(pid,
		    "cmdline", args, sizeof(args))) <= 0)
			continue;
		for (i = 0; i < n; i++)
			if (args[i] == '\0')
				args[i] = ' ';
		if (strstr(args, here) != NULL)
			kill(pid, SIGKILL);
	}
	closedir(dir);
}

int
host_logged(const char *text)
{
	static char *buf;
	struct stat st;
	ssize_t n;
	int fd, found;

	if ((fd = open("qgad.log", O_RDONLY)) == -1)
		return (0);
	ATF_REQUIRE(fstat(fd, &st) == 0);
	free(buf);
	ATF_REQUIRE((buf = malloc((size_t)st.st_size + 1)) != NULL);
	ATF_REQUIRE((n = read(fd, buf, (size_t)st.st_size)) != -1);
	buf[n] = '\0';
	close(fd);
	found = strstr(buf, text) != NULL;
	return (found);
}

/* --- its processes --- */

static int
proc_read(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	if ((fd = open(path, O_RDONLY)) == -1)
		return (-1);
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return (-1);
	buf[n] = '\0';
	return ((int)n);
}

/* Its parent and state, and what it calls itself behind the colon. */
static int
proc_get(pid_t pid, struct proc *p)
{
	char buf[1024], *s;
	long parent;
	int n;

	memset(p, 0, sizeof(*p));
	p->pid = pid;
	if (proc_read(pid, "stat", buf, sizeof(buf)) == -1 ||
	    (s = strrchr(buf, ')')) == NULL ||
	    sscanf(s + 1, " %c %ld", &p->state, &parent) != 2)
		return (-1);
	p->parent = (pid_t)parent;
	if ((n = proc_read(pid, "cmdline", buf, sizeof(buf))) == -1)
		return (-1);
	for (; n > 0 && (buf[n - 1] == ' ' || buf[n - 1] == '\0'); n--)
		buf[n - 1] = '\0';
	if ((s = strstr(buf, ": ")) != NULL)
		snprintf(p->role, sizeof(p->role), "%.23s", s + 2);
	return (0);
}

size_t
procs_of(pid_t parent, struct proc *procs, size_t max)
{
	struct dirent *entry;
	struct proc p;
	size_t n = 0;
	pid_t pid;
	DIR *dir;

	if ((dir = opendir("/proc")) == NULL)
		return (0);
	while ((entry = readdir(dir)) != NULL) {
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid <= 0 || proc_get(pid, &p) == -1 ||
		    p.parent != parent)
			continue;
		if (n < max)
			procs[n] = p;
		n++;
	}
	closedir(dir);
	return (n);
}

size_t
procs_count(pid_t parent, const char *role)
{
	struct proc procs[HOST_PROCS];
	size_t i, n, count = 0;

	n = procs_of(parent, procs, HOST_PROCS);
	for (i = 0; i < n && i < HOST_PROCS; i++)
		if (procs[i].state != 'Z' &&
		    strcmp(procs[i].role, role) == 0)
			count++;
	return (count);
}

pid_t
procs_one(pid_t parent, const char *role)
{
	pid_t pid;

	UNTIL((pid = find(parent, role)) != -1);
	return (pid);
}

static pid_t
find(pid_t parent, const char *role)
{
	struct proc procs[HOST_PROCS];
	size_t i, n;

	n = procs_of(parent, procs, HOST_PROCS);
	for (i = 0; i < n && i < HOST_PROCS; i++)
		if (procs[i].state != 'Z' &&
		    strcmp(procs[i].role, role) == 0)
			return (procs[i].pid);
	return (-1);
}

void
procs_shape(pid_t parent, char *buf, size_t size)
{
	static const char *const roles[] = { "frontend", "log", "query",
	    "exec-spare", "exec", "" };
	struct proc procs[HOST_PROCS];
	size_t count[sizeof(roles) / sizeof(roles[0])] = { 0 };
	size_t i, k, n, len = 0, zombies = 0;

	n = procs_of(parent, procs, HOST_PROCS);
	for (i = 0; i < n && i < HOST_PROCS; i++) {
		if (procs[i].state == 'Z') {
			zombies++;
			continue;
		}
		for (k = 0; k < sizeof(roles) / sizeof(roles[0]) - 1; k++)
			if (strcmp(procs[i].role, roles[k]) == 0)
				break;
		count[k]++;
	}
	buf[0] = '\0';
	for (k = 0; k < sizeof(roles) / sizeof(roles[0]) && len < size; k++)
		len += (size_t)snprintf(buf + len, size - len, "%s=%zu ",
		    roles[k][0] != '\0' ? roles[k] : "other", count[k]);
	if (len < size)
		snprintf(buf + len, size - len, "zombies=%zu", zombies);
}

pid_t
proc_parent(pid_t pid)
{
	struct proc p;

	return (proc_get(pid, &p) == -1 ? -1 : p.parent);
}

int
proc_gone(pid_t pid)
{
	struct proc p;

	return (proc_get(pid, &p) == -1 || p.state == 'Z' || p.state == 'X');
}

size_t
proc_fds(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	ATF_REQUIRE_MSG((dir = opendir(path)) != NULL, "%s", path);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			n++;
	closedir(dir);
	return (n);
}

long
proc_kb(pid_t pid, const char *name)
{
	char buf[8192], *s;

	ATF_REQUIRE(proc_read(pid, "status", buf, sizeof(buf)) != -1);
	ATF_REQUIRE_MSG((s = strstr(buf, name)) != NULL, "no %s", name);
	return (strtol(s + strlen(name) + 1, NULL, 10));
}

/* --- the host's side --- */

static int
try_open(void)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "sock");
	ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return (fd);
	close(fd);
	return (-1);
}

void
host_open(struct host *h)
{
	memset(h, 0, sizeof(*h));
	UNTIL((h->fd = try_open()) != -1);
}

void
host_close(struct host *h)
{
	if (h->fd != -1)
		close(h->fd);
	free(h->buf);
	memset(h, 0, sizeof(*h));
	h->fd = -1;
}

int
host_send(struct host *h, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vsend(h, fmt, ap);
	va_end(ap);
	return (r);
}

static int
vsend(struct host *h, const char *fmt, va_list ap)
{
	char buf[4096];
	size_t len, off;
	ssize_t n;
	int r;

	r = vsnprintf(buf, sizeof(buf) - 1, fmt, ap);
	ATF_REQUIRE(r > 0 && (size_t)r < sizeof(buf) - 1);
	len = (size_t)r;
	buf[len++] = '\n';
	for (off = 0; off < len; off += (size_t)n) {
		n = send(h->fd, buf + off, len - off, MSG_NOSIGNAL);
		if (n == -1)
			return (-1);
	}
	return (0);
}

/* One read: 0 or -1 at the end, which the host sees either way. */
static ssize_t
more(struct host *h)
{
	struct pollfd pfd = { .fd = h->fd, .events = POLLIN };
	ssize_t n;

	if (h->size - h->have < 65536) {
		h->size = h->size * 2 + 131072;
		ATF_REQUIRE((h->buf = realloc(h->buf, h->size)) != NULL);
	}
	ATF_REQUIRE_MSG(poll(&pfd, 1, HOST_PATIENCE) == 1, "no reply");
	if ((n = read(h->fd, h->buf + h->have, 65536)) > 0)
		h->have += (size_t)n;
	return (n);
}

char *
host_line(struct host *h)
{
	char *end;
	size_t seen = 0;

	if (h->line > 0) {
		memmove(h->buf, h->buf + h->line, h->have - h->line);
		h->have -= h->line;
		h->line = 0;
	}
	for (;;) {
		if (h->have > seen && (end = memchr(h->buf + seen, '\n',
		    h->have - seen)) != NULL)
			break;
		seen = h->have;
		if (more(h) <= 0)
			return (NULL);
	}
	*end = '\0';
	h->line = (size_t)(end - h->buf) + 1;
	return (h->buf);
}

void
host_read(struct host *h, size_t n)
{
	ATF_REQUIRE(h->line == 0 || h->line == h->have);
	h->have = h->line = 0;
	while (h->have < n)
		ATF_REQUIRE_MSG(more(h) > 0, "closed after %zu bytes",
		    h->have);
}

char *
host_ask(struct host *h, const char *fmt, ...)
{
	va_list ap;
	char *line;
	int r;

	va_start(ap, fmt);
	r = vsend(h, fmt, ap);
	va_end(ap);
	ATF_REQUIRE_MSG(r == 0, "the agent has closed");
	ATF_REQUIRE_MSG((line = host_line(h)) != NULL, "no reply to %s", fmt);
	return (line);
}

long long
host_number(const char *reply, const char *name)
{
	char key[64];
	const char *s;

	snprintf(key, sizeof(key), "\"%s\": ", name);
	ATF_REQUIRE_MSG((s = strstr(reply, key)) != NULL, "no %s in %s", name,
	    reply);
	return (strtoll(s + strlen(key), NULL, 10));
}
