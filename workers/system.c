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
 * qgad-system: ends the system.  Runs as root, unconfined as the programs it
 * starts must be, for one MSG_SHUTDOWN: one program of a fixed table, by
 * absolute path, with fixed arguments and environment, never a shell.
 * Peers: the monitor on fd 3.  Nothing the host sent gets here but a mode.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "imsg.h"
#include "job.h"
#include "log.h"
#include "messages.h"
#include "system.h"

#define OUTPUT_MAX	1024		/* of a program, for the error */
#define LAST_LOOK	(1024 * 1024)	/* more than a pipe holds */

struct run {
	struct imsgbuf	*ib;
	int		 gone;		/* nobody waits for the answer */
	int		 watch;
	pid_t		 pid;
	int		 fd;		/* what the program writes; -1: all read */
	char		 out[OUTPUT_MAX + 1];
	size_t		 len;
};

static const struct system_program *choose(unsigned int, char *, size_t);
static int	 executable(const char *);
static void	 shut_down(struct run *, unsigned int, char *, size_t);
static int	 start(struct run *, const struct system_program *);
static void	 wait_for_end(struct run *, struct job_end *);
static void	 monitor_event(struct run *);
static size_t	 output(struct run *);
static void	 explain(struct run *, const struct job_end *, char *, size_t);
static void	 trim(struct run *);

int
main(int argc, char *argv[])
{
	char text[OUTPUT_MAX + 256];
	struct imsgbuf ib;
	struct imsg imsg;
	struct ids ids;
	struct msg_shutdown m;
	struct msg_done done;
	struct run run;

	child_start(ROLE_SYSTEM, argc, argv, &ib, &ids);
	memset(&run, 0, sizeof(run));
	run.ib = &ib;
	run.fd = -1;
	if ((run.watch = job_watch()) == -1)
		fatal("pipe");
	confine(ROLE_SYSTEM, &ids);
	child_ready(ROLE_SYSTEM, &ib);

	job_message(&ib, &imsg);
	if (imsg_get_type(&imsg) != MSG_SHUTDOWN || msg_check(&imsg) == -1 ||
	    msg_recv_shutdown(&imsg, &m) == -1)
		fatalx("bad message: %s", msg_name(imsg_get_type(&imsg)));
	imsg_free(&imsg);
	shut_down(&run, m.mode, text, sizeof(text));
	if (run.gone)
		return (0);
	memset(&done, 0, sizeof(done));
	done.id = m.id;
	done.ok = *text == '\0';
	done.text = text;
	if (msg_send_done(&ib, &done) == -1)
		fatal("msg_send_done");
	job_flush(&ib);
	return (0);
}

/* The first way whose program is here; NULL: text names what was missed. */
static const struct system_program *
choose(unsigned int mode, char *text, size_t size)
{
	const struct system_program *sp;
	unsigned int i;
	size_t len;

	snprintf(text, size, "no program to shut down with, looked for");
	for (i = 0; (sp = system_shutdown(mode, i)) != NULL; i++) {
		if (executable(sp->argv[0]))
			return (sp);
		len = strlen(text);
		snprintf(text + len, size - len, "%s %s", i == 0 ? "" : ",",
		    sp->argv[0]);
	}
	return (NULL);
}

static int
executable(const char *path)
{
	struct stat st;

	return (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0);
}

/* text is "" if it was done, else why not. */
static void
shut_down(struct run *r, unsigned int mode, char *text, size_t size)
{
	const struct system_program *sp;
	struct job_end end;
	int error;

	if ((sp = choose(mode, text, size)) == NULL)
		return;
	if ((error = start(r, sp)) != 0) {
		snprintf(text, size, "child process has failed to shutdown: "
		    "%s: %s", sp->argv[0], strerror(error));
		return;
	}
	wait_for_end(r, &end);
	explain(r, &end, text, size);
	job_reap(r->pid);
}

/* 0, or an errno. */
static int
start(struct run *r, const struct system_program *sp)
{
	char *argv[SYSTEM_ARGS + 1];
	struct job_start js;
	int error, fds[2], i, null, status;

	memset(&js, 0, sizeof(js));
	for (i = 0; i <= SYSTEM_ARGS; i++)
		argv[i] = (char *)(uintptr_t)sp->argv[i];
	if (pipe2(fds, O_CLOEXEC) == -1 ||
	    fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1)
		fatal("pipe");
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		fatal("/dev/null");
	js.path = argv[0];
	js.argv = argv;
	js.envp = job_environment;
	js.fd[0] = null;
	js.fd[1] = js.fd[2] = fds[1];
	if ((r->pid = job_start(&js, &status)) == -1)
		fatal("fork");
	close(null);
	close(fds[1]);
	r->fd = fds[0];
	if ((error = job_status(status)) != 0)
		job_reap(r->pid);
	return (error);
}

/*
 * The program's own end is what counts: something it left behind may hold
 * the pipe for ever.  A monitor that goes meanwhile is no reason to leave,
 * since a program that writes into a pipe without a reader would die of it.
 */
static void
wait_for_end(struct run *r, struct job_end *end)
{
	struct pollfd pfd[3];
	size_t n, total = 0;
	int ended;

	while ((ended = job_ended(r->pid, end)) == 0) {
		memset(pfd, 0, sizeof(pfd));
		pfd[0].fd = r->gone ? -1 : r->ib->fd;
		pfd[1].fd = r->watch;
		pfd[2].fd = r->fd;
		pfd[0].events = pfd[1].events = pfd[2].events = POLLIN;
		if (poll(pfd, 3, -1) == -1) {
			if (errno == EINTR)
				continue;
			fatal("poll");
		}
		if (pfd[0].revents != 0)
			monitor_event(r);
		if (pfd[1].revents != 0)
			job_noticed(r->watch);
		if (pfd[2].revents != 0)
			(void)output(r);
	}
	if (ended == -1)
		fatal("waitid");
	while (r->fd != -1 && total < LAST_LOOK && (n = output(r)) > 0)
		total += n;
}

/* Nothing may come now, so it can only be the end. */
static void
monitor_event(struct run *r)
{
	struct imsg imsg;

	if (imsgbuf_read(r->ib) != 1 || imsgbuf_get(r->ib, &imsg) != 0)
		r->gone = 1;
}

/* One read; returns its bytes, 0 when there is nothing or the end came. */
static size_t
output(struct run *r)
{
	char scratch[OUTPUT_MAX];
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
	keep = OUTPUT_MAX - r->len;
	if ((size_t)n < keep)
		keep = (size_t)n;
	memcpy(r->out + r->len, scratch, keep);
	r->len += keep;
	return ((size_t)n);
}

static void
explain(struct run *r, const struct job_end *end, char *text, size_t size)
{
	static const char failed[] = "child process has failed to shutdown";

	trim(r);
	if (!end->signaled && end->code == 0)
		*text = '\0';
	else if (*r->out != '\0')
		snprintf(text, size, "%s: %s", failed, r->out);
	else if (end->signaled)
		snprintf(text, size, "%s: terminated by signal %d", failed,
		    end->code);
	else
		snprintf(text, size, "%s: exit status %d", failed, end->code);
}

/* To one line without control characters or space around it. */
static void
trim(struct run *r)
{
	size_t i, skip = 0;

	for (i = 0; i < r->len; i++) {
		if ((unsigned char)r->out[i] < ' ' || r->out[i] == 0x7f)
			r->out[i] = ' ';
	}
	while (r->len > 0 && r->out[r->len - 1] == ' ')
		r->len--;
	while (skip < r->len && r->out[skip] == ' ')
		skip++;
	r->len -= skip;
	memmove(r->out, r->out + skip, r->len);
	r->out[r->len] = '\0';
}
