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
 * qgad-exec: one job of guest-exec, and what it writes.  Two processes.  The
 * relay is _qgadw, chrooted and confined before anything is asked of it: it
 * relays pipes and waits for its child.  The child, the starter, is what the
 * service is, root with every power; it waits for the monitor's MSG_EXEC,
 * tells the relay what the job is and becomes the program.  It stays a zombie
 * until the monitor lets go, so its pid cannot be used again.
 * Peers: the monitor on fd 3, read by the starter until it has the job and
 * by the relay after that; a socket on which the frontend sends the input or
 * takes the output.
 * Own arguments: bytes kept of each stream; seconds that a pipe which
 * something else still holds open is waited for after the job's end.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "exec.h"
#include "imsg.h"
#include "job.h"
#include "log.h"
#include "messages.h"

#define STREAM_FIRST	4096		/* a buffer's first size, then doubled */
#define DISCARD_SIZE	16384
#define LAST_LOOK	(1024 * 1024)	/* more than a pipe holds */

/* What the job writes to one pipe: the first max bytes are kept. */
struct stream {
	int		 fd;		/* -1: not captured, or at its end */
	unsigned char	*buf;
	size_t		 len, size, max;
	int		 cut;
};

struct input {
	int		 fd;		/* -1: all written, or unwanted */
	unsigned char	*buf;
	size_t		 len, pos;
};

/* An answer to MSG_EXEC_SEND under way. */
struct sending {
	int		 fd;		/* -1: none */
	uint64_t	 id;
	size_t		 out, err, pos;
};

struct job {
	struct imsgbuf	*ib;
	int		 watch;		/* readable: the child may have ended */
	int		 guard;		/* to tell the guard so, -1: none */
	pid_t		 pid;
	struct job_end	 end;
	int		 ended;
	int		 reported;
	int		 gone;		/* the monitor is, or let us go */
	int		 wait;		/* OUTPUT_WAIT, seconds */
	int64_t		 deadline;	/* ms, for pipes still open */
	struct input	 in;
	struct stream	 out, err;
	struct sending	 send;
};

enum { EV_IMSG, EV_WATCH, EV_IN, EV_OUT, EV_ERR, EV_SEND, EV_MAX };

static long long number(const char *, long long);
static void	 open_pipes(struct job *, int *);
static void	 new_pipe(int *, int *, int);
static void	 start(struct job *, int);
static int	 take_order(struct job *, int, struct order *);
static void	 keep_pipes(struct job *, const struct order *);
static int	 read_input(struct job *, int, size_t);
static int	 wait_for(struct imsgbuf *, int);
static void	 not_started(struct job *, const struct order *, int)
		    __attribute__((noreturn));
static void	 relay(struct job *);
static void	 fill(struct job *, struct pollfd *);
static int	 timeout(const struct job *);
static int64_t	 now_ms(void);
static void	 imsg_event(struct job *);
static void	 message(struct job *, struct imsg *);
static void	 let_go(struct job *);
static void	 child_event(struct job *);
static int	 finished(const struct job *);
static void	 report(struct job *);
static void	 feed(struct input *);
static void	 input_free(struct input *);
static size_t	 stream_read(struct stream *);
static int	 stream_grow(struct stream *);
static void	 stream_last_look(struct stream *);
static void	 stream_free(struct stream *);
static void	 send_more(struct job *);
static void	 send_end(struct job *, int);

int
main(int argc, char *argv[])
{
	struct imsgbuf ib;
	struct ids ids;
	struct job job;
	int control[2], ends[3], i;

	child_start(ROLE_EXEC_SPARE, argc, argv, &ib, &ids);
	if (argc != 6)
		fatalx("usage: qgad-exec --worker ids level max wait");
	memset(&job, 0, sizeof(job));
	job.ib = &ib;
	job.in.fd = job.out.fd = job.err.fd = job.send.fd = job.guard = -1;
	job.out.max = job.err.max = (size_t)number(argv[4], UINT32_MAX);
	job.wait = (int)number(argv[5], INT_MAX / 1000);
	imsgbuf_allow_fdpass(&ib);
	if (imsgbuf_set_maxsize(&ib, MSG_SIZE_MAX) == -1)
		fatal("imsgbuf_set_maxsize");
	if ((job.watch = job_watch()) == -1)
		fatal("pipe");
	open_pipes(&job, ends);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) == -1)
		fatal("socketpair");
	if ((job.pid = fork()) == -1)
		fatal("fork");
	if (job.pid == 0) {
		/* Its end must be seen on each of them. */
		close(control[0]);
		close(job.in.fd);
		close(job.out.fd);
		close(job.err.fd);
		starter(&ib, ends, control[1]);
	}
	for (i = 0; i < 3; i++)
		close(ends[i]);
	close(control[1]);
	confine(ROLE_EXEC_SPARE, &ids);
	child_ready(ROLE_EXEC_SPARE, &ib);

	start(&job, control[0]);
	setproctitle("%s", confinements[ROLE_EXEC].name);
	relay(&job);
	job_reap(job.pid);
	return (0);
}

static long long
number(const char *s, long long max)
{
	const char *why;
	long long n;

	n = strtonum(s, 0, max, &why);
	if (why != NULL)
		fatalx("argument %s: %s", s, why);
	return (n);
}

/* All three, before it is known which the job needs; its ends to ends[]. */
static void
open_pipes(struct job *j, int *ends)
{
	new_pipe(&ends[0], &j->in.fd, 0);
	new_pipe(&j->out.fd, &ends[1], 1);
	new_pipe(&j->err.fd, &ends[2], 1);
}

/* Our end does not block; the job's does, as a program expects. */
static void
new_pipe(int *rd, int *wr, int ours)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1 ||
	    fcntl(fds[ours == 1 ? 0 : 1], F_SETFL, O_NONBLOCK) == -1)
		fatal("pipe");
	*rd = fds[0];
	*wr = fds[1];
}

/* --- the relay, until the job runs --- */

/* From the order to a running job; does not return without one. */
static void
start(struct job *j, int control)
{
	struct msg_exec_started started;
	struct order order;
	int error, fd;

	fd = take_order(j, control, &order);
	if (order.why[0] != '\0') {
		job_reap(j->pid);
		not_started(j, &order, 0);
	}
	keep_pipes(j, &order);
	if (fd != -1) {
		if (read_input(j, fd, (size_t)order.input) == -1)
			not_started(j, &order, errno);
		close(fd);
		if (write(control, "", 1) != 1)
			not_started(j, &order, EPIPE);
	} else if (order.hasinput)
		input_free(&j->in);
	/*
	 * An execve can hang (a dead file server); a monitor that has given
	 * up by then has told the host so.
	 */
	if (!wait_for(j->ib, control))
		exit(0);
	if ((error = job_status(control)) != 0) {
		job_reap(j->pid);
		not_started(j, &order, error);
	}
	memset(&started, 0, sizeof(started));
	started.id = order.id;
	started.pid = j->pid;
	started.text = "";
	if (msg_send_exec_started(j->ib, &started) == -1 ||
	    imsgbuf_write(j->ib) == -1)
		let_go(j);
}

/*
 * The monitor's socket is the starter's to read until it has the job; its
 * end is seen all the same.  Returns the input's socket, -1: no input.
 */
static int
take_order(struct job *j, int control, struct order *order)
{
	struct pollfd pfd[2];
	int fd = -1;
	ssize_t n;
	char byte;

	for (;;) {
		memset(pfd, 0, sizeof(pfd));
		pfd[0].fd = j->ib->fd;
		pfd[0].events = imsgbuf_queuelen(j->ib) > 0 ? POLLOUT : 0;
		pfd[1].fd = control;
		pfd[1].events = POLLIN;
		if (poll(pfd, 2, -1) == -1) {
			if (errno == EINTR)
				continue;
			fatal("poll");
		}
		if (pfd[1].revents != 0)
			break;
		if (pfd[0].revents & (POLLHUP | POLLERR) ||
		    imsgbuf_write(j->ib) == -1)
			exit(0);
	}
	if ((n = recvfd(control, order, sizeof(*order), &fd)) == -1)
		fatal("the starter's order");
	if (n == 0)		/* the starter has ended: for that reason? */
		exit(pfd[0].revents & POLLHUP ? 0 : 1);
	if (n != (ssize_t)sizeof(*order) || order->capture >= CAPTURE_MODES ||
	    (order->input > 0) != (fd != -1))
		fatalx("the starter's order makes no sense");
	order->path[SHOWN_PATH] = '\0';
	order->why[SHOWN_WHY - 1] = '\0';
	if (order->guarded && (recvfd(control, &byte, 1, &j->guard) != 1 ||
	    j->guard == -1))
		fatalx("the starter's order has no guard");
	return (fd);
}

/* Of what was opened before the job was known. */
static void
keep_pipes(struct job *j, const struct order *order)
{
	if (order->output < j->out.max)
		j->out.max = j->err.max = (size_t)order->output;
	if (order->capture == CAPTURE_NONE ||
	    order->capture == CAPTURE_STDERR) {
		close(j->out.fd);
		j->out.fd = -1;
	}
	if (order->capture != CAPTURE_STDERR &&
	    order->capture != CAPTURE_SEPARATED) {
		close(j->err.fd);
		j->err.fd = -1;
	}
	if (!order->hasinput)
		input_free(&j->in);
}

/* All of it, before the job starts. */
static int
read_input(struct job *j, int fd, size_t len)
{
	ssize_t n;

	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    (j->in.buf = malloc(len)) == NULL)
		return (-1);
	while (j->in.len < len) {
		n = read(fd, j->in.buf + j->in.len, len - j->in.len);
		if (n > 0)
			j->in.len += (size_t)n;
		else if (n == 0) {
			errno = ECONNABORTED;
			return (-1);
		} else if (errno == EAGAIN) {
			if (!wait_for(j->ib, fd))
				exit(0);
		} else if (errno != EINTR)
			return (-1);
	}
	return (0);
}

/*
 * Wait until fd can be read.  1: it can; 0: the monitor has gone, or sent
 * what it should not before it had an answer.
 */
static int
wait_for(struct imsgbuf *ib, int fd)
{
	struct pollfd pfd[2];
	struct imsg imsg;

	for (;;) {
		memset(pfd, 0, sizeof(pfd));
		pfd[0].fd = ib->fd;
		pfd[0].events = POLLIN;
		if (imsgbuf_queuelen(ib) > 0)
			pfd[0].events |= POLLOUT;
		pfd[1].fd = fd;
		pfd[1].events = POLLIN;
		if (poll(pfd, 2, -1) == -1) {
			if (errno == EINTR)
				continue;
			fatal("poll");
		}
		if (imsgbuf_queuelen(ib) > 0 && imsgbuf_write(ib) == -1)
			return (0);
		if ((pfd[0].revents & ~POLLOUT) != 0) {
			if (imsgbuf_read(ib) != 1 ||
			    imsgbuf_get(ib, &imsg) != 0)
				return (0);
		}
		if (pfd[1].revents != 0)
			return (1);
	}
}

static void
not_started(struct job *j, const struct order *order, int error)
{
	struct msg_exec_started started;
	char text[SHOWN_PATH + SHOWN_WHY + 256];

	snprintf(text, sizeof(text), "Failed to execute child process "
	    "\xe2\x80\x9c%s\xe2\x80\x9d (%s)", order->path,
	    order->why[0] != '\0' ? order->why : strerror(error));
	memset(&started, 0, sizeof(started));
	started.id = order->id;
	started.refused = order->refused != 0;
	started.text = text;
	if (msg_send_exec_started(j->ib, &started) == -1)
		fatal("msg_send_exec_started");
	job_flush(j->ib);
	input_free(&j->in);
	exit(0);
}

/* --- the relay, while it runs and after --- */

/* Until the monitor lets us go and the job has ended. */
static void
relay(struct job *j)
{
	struct pollfd pfd[EV_MAX];

	child_event(j);
	for (;;) {
		if (j->ended && !j->reported && finished(j))
			report(j);
		if (j->gone && j->reported)
			return;
		fill(j, pfd);
		if (poll(pfd, EV_MAX, timeout(j)) == -1) {
			if (errno == EINTR)
				continue;
			fatal("poll");
		}
		if (pfd[EV_WATCH].revents != 0)
			child_event(j);
		if (pfd[EV_IN].revents != 0)
			feed(&j->in);
		if (pfd[EV_OUT].revents != 0)
			(void)stream_read(&j->out);
		if (pfd[EV_ERR].revents != 0)
			(void)stream_read(&j->err);
		if (pfd[EV_SEND].revents != 0)
			send_more(j);
		if (pfd[EV_IMSG].revents != 0)
			imsg_event(j);
	}
}

static void
fill(struct job *j, struct pollfd *pfd)
{
	memset(pfd, 0, EV_MAX * sizeof(*pfd));
	pfd[EV_IMSG].fd = j->gone ? -1 : j->ib->fd;
	pfd[EV_IMSG].events = POLLIN;
	if (!j->gone && imsgbuf_queuelen(j->ib) > 0)
		pfd[EV_IMSG].events |= POLLOUT;
	pfd[EV_WATCH].fd = j->ended ? -1 : j->watch;
	pfd[EV_WATCH].events = POLLIN;
	pfd[EV_IN].fd = j->in.fd;
	pfd[EV_IN].events = POLLOUT;
	pfd[EV_OUT].fd = j->out.fd;
	pfd[EV_OUT].events = POLLIN;
	pfd[EV_ERR].fd = j->err.fd;
	pfd[EV_ERR].events = POLLIN;
	pfd[EV_SEND].fd = j->send.fd;
	pfd[EV_SEND].events = POLLOUT;
}

static int
timeout(const struct job *j)
{
	int64_t left;

	if (!j->ended || j->reported)
		return (-1);
	left = j->deadline - now_ms();
	return (left > 0 ? (int)left : 0);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void
imsg_event(struct job *j)
{
	struct imsg imsg;
	int n;

	if (imsgbuf_queuelen(j->ib) > 0 && imsgbuf_write(j->ib) == -1) {
		let_go(j);
		return;
	}
	if (imsgbuf_read(j->ib) != 1) {
		let_go(j);
		return;
	}
	while (!j->gone && (n = imsgbuf_get(j->ib, &imsg)) != 0) {
		if (n == -1) {
			let_go(j);
			return;
		}
		message(j, &imsg);
		imsg_free(&imsg);
	}
}

static void
message(struct job *j, struct imsg *imsg)
{
	struct msg_exec_send m;

	if (imsg_get_type(imsg) != MSG_EXEC_SEND || msg_check(imsg) == -1 ||
	    msg_recv_exec_send(imsg, &m) == -1) {
		/* Ending here would leave the job without a reader. */
		log_warnx("bad message: %s", msg_name(imsg_get_type(imsg)));
		let_go(j);
		return;
	}
	if (j->send.fd != -1)
		close(j->send.fd);
	j->send.fd = imsg_get_fd(imsg);
	j->send.id = m.id;
	j->send.out = m.out;
	j->send.err = m.err;
	j->send.pos = 0;
	if (!j->reported || m.out > j->out.len || m.err > j->err.len ||
	    fcntl(j->send.fd, F_SETFL, O_NONBLOCK) == -1)
		send_end(j, 0);
	else
		send_more(j);
}

/* Nobody will ask any more: keep no output, see the job through. */
static void
let_go(struct job *j)
{
	if (j->send.fd != -1)
		close(j->send.fd);
	j->send.fd = -1;
	stream_free(&j->out);
	stream_free(&j->err);
	j->gone = 1;
}

static void
child_event(struct job *j)
{
	int n;

	job_noticed(j->watch);
	if ((n = job_ended(j->pid, &j->end)) == 0)
		return;
	if (n == -1)
		fatal("waitid");
	j->ended = 1;
	/* What it left in its group would hold the pipes open. */
	if (j->guard != -1 && write(j->guard, "", 1) == -1)
		log_warn("the guard of pid %lld", (long long)j->pid);
	j->deadline = now_ms() + (int64_t)j->wait * 1000;
}

static int
finished(const struct job *j)
{
	return ((j->out.fd == -1 && j->err.fd == -1) ||
	    now_ms() >= j->deadline);
}

static void
report(struct job *j)
{
	struct exec_result r;

	/* What the job wrote is in the pipe even if we were slow. */
	stream_last_look(&j->out);
	stream_last_look(&j->err);
	j->reported = 1;
	if (j->gone)
		return;
	memset(&r, 0, sizeof(r));
	r.exited = 1;
	r.signaled = j->end.signaled != 0;
	r.code = (uint32_t)j->end.code;
	r.out = (uint32_t)j->out.len;
	r.err = (uint32_t)j->err.len;
	r.outcut = j->out.cut != 0;
	r.errcut = j->err.cut != 0;
	/* From here on whatever else comes is read and thrown away. */
	j->out.max = j->out.len;
	j->err.max = j->err.len;
	if (msg_send_exec_ended(j->ib, &r) == -1 ||
	    imsgbuf_write(j->ib) == -1)
		let_go(j);
}

static void
feed(struct input *in)
{
	ssize_t n;

	n = write(in->fd, in->buf + in->pos, in->len - in->pos);
	if (n == -1) {
		/* EPIPE: the job does not want the rest. */
		if (errno != EAGAIN && errno != EINTR)
			input_free(in);
		return;
	}
	in->pos += (size_t)n;
	if (in->pos == in->len)
		input_free(in);
}

/* Also the job's end of file. */
static void
input_free(struct input *in)
{
	if (in->fd != -1)
		close(in->fd);
	in->fd = -1;
	if (in->buf != NULL)
		explicit_bzero(in->buf, in->len);
	free(in->buf);
	in->buf = NULL;
	in->len = in->pos = 0;
}

/* One read; returns its bytes, 0 when there is nothing or the end came. */
static size_t
stream_read(struct stream *s)
{
	unsigned char scratch[DISCARD_SIZE];
	ssize_t n;
	int keep;

	keep = s->len < s->max && stream_grow(s);
	if (keep)
		n = read(s->fd, s->buf + s->len, s->size - s->len);
	else
		n = read(s->fd, scratch, sizeof(scratch));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return (0);
	if (n <= 0) {
		close(s->fd);
		s->fd = -1;
		return (0);
	}
	if (keep)
		s->len += (size_t)n;
	else
		s->cut = 1;
	return ((size_t)n);
}

/* 1 if there is room. */
static int
stream_grow(struct stream *s)
{
	unsigned char *p;
	size_t size;

	if (s->len < s->size)
		return (1);
	size = s->size == 0 ? STREAM_FIRST : s->size * 2;
	if (size > s->max)
		size = s->max;
	if ((p = realloc(s->buf, size)) == NULL) {
		/* Later bytes must not follow a gap. */
		s->max = s->len;
		return (0);
	}
	s->buf = p;
	s->size = size;
	return (1);
}

static void
stream_last_look(struct stream *s)
{
	size_t n, total = 0;

	while (s->fd != -1 && total < LAST_LOOK && (n = stream_read(s)) > 0)
		total += n;
}

static void
stream_free(struct stream *s)
{
	free(s->buf);
	s->buf = NULL;
	s->len = s->size = s->max = 0;
}

static void
send_more(struct job *j)
{
	struct sending *s = &j->send;
	const unsigned char *p;
	size_t n;
	ssize_t w;

	while (s->pos < s->out + s->err) {
		if (s->pos < s->out) {
			p = j->out.buf + s->pos;
			n = s->out - s->pos;
		} else {
			p = j->err.buf + (s->pos - s->out);
			n = s->out + s->err - s->pos;
		}
		if ((w = write(s->fd, p, n)) == -1) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN)
				send_end(j, 0);
			return;
		}
		s->pos += (size_t)w;
	}
	send_end(j, 1);
}

static void
send_end(struct job *j, int ok)
{
	struct msg_done m;

	close(j->send.fd);
	j->send.fd = -1;
	memset(&m, 0, sizeof(m));
	m.id = j->send.id;
	m.ok = ok ? 1 : 0;
	m.text = ok ? "" : "the output could not be sent";
	if (msg_send_done(j->ib, &m) == -1 || imsgbuf_write(j->ib) == -1)
		let_go(j);
}
