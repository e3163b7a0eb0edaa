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
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "imsg.h"
#include "job.h"
#include "log.h"

#define STATUS_FD	3	/* in the child: closed by a good execve */

static void	 child_ended(int);
static void	 become(const struct job_start *, int);
static int	 reset(void);
static void	 oom_reset(void);
static void	 run(const struct job_start *);
static void	 fail(int) __attribute__((noreturn));

char *const job_environment[] = {
	(char []){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" },
	(char []){ "LC_ALL=C" },
	NULL
};

static int	 watch_fd = -1;		/* the handler's end of the pipe */

static void
child_ended(int sig)
{
	int save = errno;

	(void)sig;
	/* A full pipe is as good: the reader will wake up. */
	if (write(watch_fd, "", 1) == -1)
		errno = save;
}

void
job_message(struct imsgbuf *ib, struct imsg *imsg)
{
	struct pollfd pfd;
	int n;

	for (;;) {
		if ((n = imsgbuf_get(ib, imsg)) == 1)
			return;
		if (n == -1)
			fatal("imsgbuf_get");
		memset(&pfd, 0, sizeof(pfd));
		pfd.fd = ib->fd;
		pfd.events = POLLIN;
		if (imsgbuf_queuelen(ib) > 0)
			pfd.events |= POLLOUT;
		if (poll(&pfd, 1, -1) == -1 && errno != EINTR)
			fatal("poll");
		if (imsgbuf_queuelen(ib) > 0 && imsgbuf_write(ib) == -1)
			exit(0);
		/* A reset is an end with something of ours left unread. */
		if ((n = imsgbuf_read(ib)) == 0 ||
		    (n == -1 && errno == ECONNRESET))
			exit(0);
		if (n == -1)
			fatal("imsgbuf_read");
	}
}

void
job_flush(struct imsgbuf *ib)
{
	struct pollfd pfd;

	while (imsgbuf_queuelen(ib) > 0) {
		if (imsgbuf_write(ib) == -1)
			return;
		memset(&pfd, 0, sizeof(pfd));
		pfd.fd = ib->fd;
		pfd.events = POLLOUT;
		if (imsgbuf_queuelen(ib) > 0 && poll(&pfd, 1, -1) == -1 &&
		    errno != EINTR)
			return;
	}
}

int
job_watch(void)
{
	struct sigaction sa;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return (-1);
	watch_fd = fds[1];
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = child_ended;
	sa.sa_flags = SA_RESTART | SA_NOCLDSTOP;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGCHLD, &sa, NULL) == -1)
		return (-1);
	return (fds[0]);
}

void
job_noticed(int fd)
{
	char buf[64];
	ssize_t n;

	do {
		n = read(fd, buf, sizeof(buf));
	} while (n > 0 || (n == -1 && errno == EINTR));
}

void
job_exec(const struct job_start *js, int status)
{
	become(js, status);
	run(js);
	fail(STATUS_FD);
}

pid_t
job_start(const struct job_start *js, int *status)
{
	int fds[2], save;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return (-1);
	switch (pid = fork()) {
	case -1:
		save = errno;
		close(fds[0]);
		close(fds[1]);
		errno = save;
		return (-1);
	case 0:
		job_exec(js, fds[1]);
	}
	close(fds[1]);
	*status = fds[0];
	return (pid);
}

int
job_status(int status)
{
	int error = 0;
	ssize_t n;

	while ((n = read(status, &error, sizeof(error))) == -1 &&
	    errno == EINTR)
		continue;
	close(status);
	/* Less than sizeof(error) can only be none: a pipe write is atomic. */
	return (n == (ssize_t)sizeof(error) ? error : 0);
}

int
job_ended(pid_t pid, struct job_end *end)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	while (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) ==
	    -1) {
		if (errno != EINTR)
			return (-1);
	}
	if (si.si_pid == 0)
		return (0);
	end->signaled = si.si_code != CLD_EXITED;
	end->code = si.si_status;
	return (1);
}

void
job_reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}

/* In the child: what differs from how the worker itself was started. */
static void
become(const struct job_start *js, int status)
{
	int i;

	if (DEFENCE(CONTROL_SETSID) && setsid() == -1)
		fail(status);
	if (DEFENCE(CONTROL_JOBRESET) && reset() == -1)
		fail(status);
	oom_reset();
	if (js->become != NULL && js->become(js->arg) == -1)
		fail(status);
	for (i = 0; i < 3; i++) {
		/* One that is 0 to 3 would be overwritten, or stay closed. */
		if (js->fd[i] <= STATUS_FD) {
			errno = EBADF;
			fail(status);
		}
		if (dup2(js->fd[i], i) == -1)
			fail(status);
	}
	if (status <= STATUS_FD || dup2(status, STATUS_FD) == -1 ||
	    fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC) == -1)
		fail(status);
	if (DEFENCE(CONTROL_CLOSEFROM))
		closefrom(STATUS_FD + 1);
}

static int
reset(void)
{
	/* What child_start() ignores; execve undoes handlers by itself. */
	static const int ignored[] = { SIGINT, SIGHUP, SIGTERM, SIGUSR1,
	    SIGPIPE };
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (signal(ignored[i], SIG_DFL) == SIG_ERR)
			return (-1);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		return (-1);
	umask(022);
	return (0);
}

/* The monitor may have made itself hard to kill; a job must not inherit it. */
static void
oom_reset(void)
{
	int fd;

	/* Absent on most systems, and no reason not to run the job. */
	if ((fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)) ==
	    -1)
		return;
	if (write(fd, "0", 1) == -1)
		errno = 0;
	close(fd);
}

/* Returns when nothing could be executed, with errno. */
static void
run(const struct job_start *js)
{
	char full[PATH_MAX];
	const char *dir, *end;
	int denied = 0, n;

	if (js->search == NULL || strchr(js->path, '/') != NULL) {
		execve(js->path, js->argv, js->envp);
		return;
	}
	if (*js->path == '\0') {
		errno = ENOENT;
		return;
	}
	for (dir = js->search;; dir = end + 1) {
		end = dir + strcspn(dir, ":");
		/* As everywhere, an empty entry is the current directory. */
		n = snprintf(full, sizeof(full), "%.*s%s%s", (int)(end - dir),
		    dir, end == dir ? "" : "/", js->path);
		if (n > 0 && (size_t)n < sizeof(full)) {
			execve(full, js->argv, js->envp);
			if (errno == EACCES)
				denied = 1;
			else if (errno != ENOENT && errno != ENOTDIR &&
			    errno != ESTALE && errno != ENODEV &&
			    errno != ETIMEDOUT)
				return;
		}
		if (*end == '\0')
			break;
	}
	errno = denied ? EACCES : ENOENT;
}

static void
fail(int status)
{
	int error = errno;

	if (write(status, &error, sizeof(error)) == -1)
		_exit(126);
	_exit(127);
}
