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
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "imsg.h"
#include "job.h"
#include "log.h"
#include "tool.h"

#define ARGS		8		/* of a program */
#define LAST_LOOK	(1024 * 1024)	/* more than a pipe holds */
#define GRACE		2000		/* ms between SIGTERM and SIGKILL */

struct run {
	struct tool	*tool;
	struct imsgbuf	*ib;
	pid_t		 pid;
	int		 fd;		/* what it writes; -1: all read */
	int64_t		 until;		/* ms of the clock; 0: no bound */
	int		 signals;	/* sent so far */
	size_t		 len;		/* of what it said */
};

static int64_t	 now_ms(void);
static int	 start(struct run *);
static void	 wait_for_end(struct run *);
static int	 patience(struct run *);
static void	 monitor_event(struct run *);
static size_t	 output(struct run *);
static void	 trim(struct run *);

static int	 watch = -1;

void
tool_init(void)
{
	if ((watch = job_watch()) == -1)
		fatal("pipe");
}

int
tool_there(const char *path)
{
	struct stat st;

	return (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0);
}

void
tool_run(struct tool *t, struct imsgbuf *ib)
{
	struct run r;

	memset(&r, 0, sizeof(r));
	r.tool = t;
	r.ib = ib;
	t->gone = t->late = 0;
	if ((t->error = start(&r)) == 0) {
		if (t->limit > 0)
			r.until = now_ms() + t->limit;
		wait_for_end(&r);
		job_reap(r.pid);
	}
	trim(&r);
	if (r.fd != -1)
		close(r.fd);		/* something it left holds it */
}

void
tool_explain(const struct tool *t, const char *failed, char *text,
    size_t size)
{
	if (t->error != 0)
		snprintf(text, size, "%s: %s: %s", failed, t->argv[0],
		    strerror(t->error));
	else if (!t->end.signaled && t->end.code == 0)
		*text = '\0';
	else if (t->late)
		snprintf(text, size, "%s: %s did not end within %d seconds",
		    failed, t->argv[0], t->limit / 1000);
	else if (*t->out != '\0')
		snprintf(text, size, "%s: %s", failed, t->out);
	else if (t->end.signaled)
		snprintf(text, size, "%s: terminated by signal %d", failed,
		    t->end.code);
	else
		snprintf(text, size, "%s: exit status %d", failed,
		    t->end.code);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* 0, or an errno. */
static int
start(struct run *r)
{
	const struct tool *t = r->tool;
	char *argv[ARGS + 1];
	struct job_start js;
	int error, fds[2], i, null, status;

	memset(&js, 0, sizeof(js));
	memset(argv, 0, sizeof(argv));
	for (i = 0; i < ARGS && t->argv[i] != NULL; i++)
		argv[i] = (char *)(uintptr_t)t->argv[i];
	if (pipe2(fds, O_CLOEXEC) == -1 ||
	    fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1)
		fatal("pipe");
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		fatal("/dev/null");
	js.path = argv[0];
	js.argv = argv;
	js.envp = job_environment;
	js.fd[0] = t->input != -1 ? t->input : null;
	js.fd[1] = js.fd[2] = fds[1];
	if ((r->pid = job_start(&js, &status)) == -1)
		fatal("fork");
	close(null);
	close(fds[1]);
	if (t->input != -1)
		close(t->input);
	r->fd = fds[0];
	if ((error = job_status(status)) != 0)
		job_reap(r->pid);
	return (error);
}

/*
 * Its own end is what counts: something it left behind may hold the pipe for
 * ever.
 */
static void
wait_for_end(struct run *r)
{
	struct pollfd pfd[3];
	size_t n, total = 0;
	int ended;

	while ((ended = job_ended(r->pid, &r->tool->end)) == 0) {
		memset(pfd, 0, sizeof(pfd));
		pfd[0].fd = r->tool->gone ? -1 : r->ib->fd;
		pfd[1].fd = watch;
		pfd[2].fd = r->fd;
		pfd[0].events = pfd[1].events = pfd[2].events = POLLIN;
		if (poll(pfd, 3, patience(r)) == -1) {
			if (errno == EINTR)
				continue;
			fatal("poll");
		}
		if (pfd[0].revents != 0)
			monitor_event(r);
		if (pfd[1].revents != 0)
			job_noticed(watch);
		if (pfd[2].revents != 0)
			(void)output(r);
	}
	if (ended == -1)
		fatal("waitid");
	while (r->fd != -1 && total < LAST_LOOK && (n = output(r)) > 0)
		total += n;
}

/* How long to sleep; past the bound, it is told to end, then made to. */
static int
patience(struct run *r)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	int64_t left;

	if (r->until == 0)
		return (-1);
	if ((left = r->until - now_ms()) > 0)
		return ((int)left);
	if (r->signals == 2)
		return (-1);
	/* Its session is its own, and it is not reaped: nobody else's. */
	if (kill(-r->pid, signals[r->signals++]) == -1)
		log_warn("kill of pid %d", (int)r->pid);
	r->tool->late = 1;
	r->until = now_ms() + GRACE;
	return (GRACE);
}

/* Nothing may come now, so it can only be the end. */
static void
monitor_event(struct run *r)
{
	struct imsg imsg;

	if (imsgbuf_read(r->ib) != 1 || imsgbuf_get(r->ib, &imsg) != 0)
		r->tool->gone = 1;
}

/* One read; returns its bytes, 0 when there is nothing or the end came. */
static size_t
output(struct run *r)
{
	char scratch[TOOL_OUTPUT];
	size_t keep;
	ssize_t n;

	if ((n = read(r->fd, scratch, sizeof(scratch))) == -1 &&
	    (errno == EAGAIN || errno == EINTR))
		return (0);
	if (n <= 0) {
		close(r->fd);
		r->fd = -1;
		return (0);
	}
	keep = TOOL_OUTPUT - r->len;
	if ((size_t)n < keep)
		keep = (size_t)n;
	memcpy(r->tool->out + r->len, scratch, keep);
	r->len += keep;
	return ((size_t)n);
}

/* To one line without control characters or space around it. */
static void
trim(struct run *r)
{
	char *out = r->tool->out;
	size_t i, skip = 0;

	for (i = 0; i < r->len; i++) {
		if ((unsigned char)out[i] < ' ' || out[i] == 0x7f)
			out[i] = ' ';
	}
	while (r->len > 0 && out[r->len - 1] == ' ')
		r->len--;
	while (skip < r->len && out[skip] == ' ')
		skip++;
	r->len -= skip;
	memmove(out, out + skip, r->len);
	out[r->len] = '\0';
}
