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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agents.h"
#include "proc.h"

static int	 ascending(const void *, const void *);
static void	 agent_errors(const struct agent *);
static void	 agent_exec(struct agent *);
static void	 agent_connect(struct agent *, double);
static size_t	 fill(struct agent *);
static void	 line_add(struct line *, const char *, size_t);

struct agent	 agents[2];
double		 samples[MAX_SAMPLES];

void
die(const char *fmt, ...)
{
	va_list ap;
	int i;

	fflush(stdout);
	fprintf(stderr, "bench: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	for (i = 0; i < 2; i++)
		agent_errors(&agents[i]);
	exit(1);
}

double
now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		die("clock_gettime: %s", strerror(errno));
	return ((double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3);
}

void
pause_us(long us)
{
	struct timespec ts;

	ts.tv_sec = us / 1000000;
	ts.tv_nsec = us % 1000000 * 1000;
	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		;
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return ((x > y) - (x < y));
}

double
quantile(double *v, int n, double q)
{
	int i = (int)(q * (n - 1) + 0.5);

	qsort(v, (size_t)n, sizeof(*v), ascending);
	return (n % 2 == 0 && q == 0.5 ? (v[n / 2 - 1] + v[n / 2]) / 2 : v[i]);
}

/* --- starting and stopping --- */

void
agent_prepare(struct agent *a, const char *program)
{
	const char *slash = strrchr(program, '/');

	a->program = program;
	a->name = slash == NULL ? program : slash + 1;
	a->fd = -1;
	if (access(program, X_OK) == -1)
		die("%s: %s", program, strerror(errno));
	strcpy(a->dir, "/tmp/qgad-bench.XXXXXX");
	if (mkdtemp(a->dir) == NULL)
		die("mkdtemp %s: %s", a->dir, strerror(errno));
	snprintf(a->sock, sizeof(a->sock), "%s/sock", a->dir);
	snprintf(a->errors, sizeof(a->errors), "%s/errors", a->dir);
	snprintf(a->conf, sizeof(a->conf), "%s/conf", a->dir);
}

void
agent_configure(struct agent *a, const char *text)
{
	FILE *f;

	if (strcmp(a->name, "qgad") != 0)
		return;
	if ((a->configured = text != NULL) == 0)
		return;
	if ((f = fopen(a->conf, "w")) == NULL || fputs(text, f) == EOF ||
	    fclose(f) == EOF)
		die("%s: %s", a->conf, strerror(errno));
}

/* The child's half. */
static void
agent_exec(struct agent *a)
{
	int in, out;

	in = open("/dev/null", O_RDWR);
	out = open(a->errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (in == -1 || out == -1 || dup2(in, 0) == -1 ||
	    dup2(in, 1) == -1 || dup2(out, 2) == -1)
		_exit(127);
	signal(SIGPIPE, SIG_DFL);
	execl(a->program, a->program, "-m", "unix-listen", "-p", a->sock,
	    "-t", a->dir, a->configured ? "-c" : (char *)NULL, a->conf,
	    (char *)NULL);
	_exit(127);
}

/* Spins, since the time until it answers is measured. */
static void
agent_connect(struct agent *a, double deadline)
{
	const struct timeval limit = { 60, 0 };
	struct sockaddr_un sun;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, a->sock, strlen(a->sock));
	for (;;) {
		if ((a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
		    0)) == -1)
			die("socket: %s", strerror(errno));
		if (connect(a->fd, (struct sockaddr *)&sun,
		    sizeof(sun)) == 0)
			break;
		close(a->fd);
		a->fd = -1;
		if (now() > deadline)
			die("%s does not listen", a->program);
		if (waitpid(a->pid, NULL, WNOHANG) == a->pid) {
			a->pid = 0;
			die("%s has ended", a->program);
		}
		sched_yield();
	}
	if (setsockopt(a->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
	    sizeof(limit)) == -1 || setsockopt(a->fd, SOL_SOCKET,
	    SO_SNDTIMEO, &limit, sizeof(limit)) == -1)
		die("setsockopt: %s", strerror(errno));
	a->start = a->end = 0;
}

double
agent_start(struct agent *a)
{
	double began;

	if (unlink(a->sock) == -1 && errno != ENOENT)
		die("unlink %s: %s", a->sock, strerror(errno));
	began = now();
	if ((a->pid = fork()) == -1)
		die("fork: %s", strerror(errno));
	if (a->pid == 0)
		agent_exec(a);
	agent_connect(a, began + 10e6);
	ask(a, PING);
	return (now() - began);
}

/*
 * The signal before the connection's end: qemu-ga often does not end when it
 * meets both at once, and seldom when it meets the signal alone.
 */
void
agent_stop(struct agent *a)
{
	int i;

	if (a->pid > 0)
		kill(a->pid, SIGTERM);
	for (i = 0; a->pid > 0 && i < 2000; i++) {
		if (waitpid(a->pid, NULL, WNOHANG) != 0)
			a->pid = 0;
		else
			pause_us(1000);
	}
	if (a->pid > 0) {
		fprintf(stderr, "bench: %s had to be killed\n", a->name);
		kill(a->pid, SIGKILL);
		(void)waitpid(a->pid, NULL, 0);
		a->pid = 0;
	}
	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
}

static void
agent_errors(const struct agent *a)
{
	char text[4096];

	if (a->program != NULL && read_file(a->errors, text,
	    sizeof(text)) > 0)
		fprintf(stderr, "%s said:\n%s", a->name, text);
}

/* At the end: their directories go, too. */
void
agents_stop(void)
{
	struct dirent *de;
	char path[512];
	DIR *dir;
	int i;

	for (i = 0; i < 2; i++) {
		agent_stop(&agents[i]);
		if (agents[i].dir[0] == '\0' ||
		    (dir = opendir(agents[i].dir)) == NULL)
			continue;
		while ((de = readdir(dir)) != NULL) {
			snprintf(path, sizeof(path), "%s/%s", agents[i].dir,
			    de->d_name);
			if (de->d_name[0] != '.' && unlink(path) == -1)
				fprintf(stderr, "bench: unlink %s: %s\n",
				    path, strerror(errno));
		}
		closedir(dir);
		if (rmdir(agents[i].dir) == -1)
			fprintf(stderr, "bench: rmdir %s: %s\n",
			    agents[i].dir, strerror(errno));
	}
}

/* --- talking --- */

char *
reply(struct agent *a)
{
	char *line, *nl;

	for (;;) {
		line = a->buf + a->start;
		nl = memchr(line, '\n', a->end - a->start);
		if (nl != NULL)
			break;
		if (a->start > 0) {
			memmove(a->buf, line, a->end - a->start);
			a->end -= a->start;
			a->start = 0;
		}
		if (a->end == sizeof(a->buf))
			die("%s: reply too long", a->name);
		a->end += fill(a);
	}
	*nl = '\0';
	a->start = (size_t)(nl + 1 - a->buf);
	return (line);
}

/* Bytes read behind a->end. */
static size_t
fill(struct agent *a)
{
	ssize_t n;

	do
		n = read(a->fd, a->buf + a->end, sizeof(a->buf) - a->end);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		die("%s: %s", a->name, n == 0 ? "it closed" :
		    strerror(errno));
	return ((size_t)n);
}

char *
ask(struct agent *a, const char *request)
{
	size_t len = strlen(request);
	char *line;

	if (write(a->fd, request, len) != (ssize_t)len)
		die("%s: write: %s", a->name, strerror(errno));
	line = reply(a);
	if (strncmp(line, "{\"return\"", 9) != 0)
		die("%s: %.*s: %s", a->name, (int)len - 1, request, line);
	return (line);
}

void
send_all(struct agent *a, struct iovec *iov, int count)
{
	ssize_t n;

	while (count > 0) {
		if (iov->iov_len == 0) {
			iov++;
			count--;
			continue;
		}
		n = writev(a->fd, iov, count);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			die("%s: write: %s", a->name, strerror(errno));
		for (; count > 0 && (size_t)n >= iov->iov_len; iov++, count--)
			n -= (ssize_t)iov->iov_len;
		if (count > 0) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
}

void
reply_line(struct agent *a, struct line *l)
{
	char *piece, *nl;
	size_t len;

	l->len = 0;
	l->head[0] = l->tail[0] = '\0';
	do {
		if (a->start == a->end) {
			a->start = a->end = 0;
			a->end = fill(a);
		}
		piece = a->buf + a->start;
		nl = memchr(piece, '\n', a->end - a->start);
		len = nl == NULL ? a->end - a->start : (size_t)(nl - piece);
		line_add(l, piece, len);
		a->start += len + (nl != NULL);
	} while (nl == NULL);
}

static void
line_add(struct line *l, const char *piece, size_t len)
{
	size_t room, keep;

	if (l->len < ENDS - 1) {
		room = ENDS - 1 - l->len;
		memcpy(l->head + l->len, piece, len < room ? len : room);
		l->head[l->len + (len < room ? len : room)] = '\0';
	}
	l->len += len;
	if (len > ENDS - 1) {
		piece += len - (ENDS - 1);
		len = ENDS - 1;
	}
	keep = strlen(l->tail);
	if (keep + len > ENDS - 1) {
		room = keep + len - (ENDS - 1);
		memmove(l->tail, l->tail + room, keep - room);
		keep -= room;
	}
	memcpy(l->tail + keep, piece, len);
	l->tail[keep + len] = '\0';
}

int
ask_line(struct agent *a, const char *request, struct line *l)
{
	struct iovec iov;

	memset(&iov, 0, sizeof(iov));
	iov.iov_len = strlen(request);
	/* writev(2) does not write to it. */
	iov.iov_base = (void *)(uintptr_t)request;
	send_all(a, &iov, 1);
	reply_line(a, l);
	return (strncmp(l->head, "{\"return\"", 9) == 0 ? 0 : -1);
}

long
line_number(const struct line *l, const char *member)
{
	char name[64];
	const char *p;

	snprintf(name, sizeof(name), "\"%s\": ", member);
	if ((p = strstr(l->head, name)) == NULL &&
	    (p = strstr(l->tail, name)) == NULL)
		return (-1);
	return (strtol(p + strlen(name), NULL, 10));
}

int
line_has(const struct line *l, const char *text)
{
	return (strstr(l->head, text) != NULL ||
	    strstr(l->tail, text) != NULL);
}

double
latency(struct agent *a, const char *request, int n, double budget,
    double *p99)
{
	struct line l;
	double began, end = now() + budget;
	int i;

	for (i = 0; n > 1 && i < n / 10 + 1 && now() < end; i++)
		(void)ask_line(a, request, &l);
	for (i = 0; i < n && (i < 1 || now() < end); i++) {
		began = now();
		if (ask_line(a, request, &l) == -1)
			die("%s: %s: %s", a->name, request, l.head);
		samples[i] = now() - began;
	}
	if (p99 != NULL)
		*p99 = quantile(samples, i, 0.99);
	return (quantile(samples, i, 0.5));
}
