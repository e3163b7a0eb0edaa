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
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fake_monitor.h"

static void	 message(struct fake *, struct imsg *);
static void	 take_exec(struct fake *, struct imsg *);
static void	 take_account(struct fake *, struct imsg *);
static void	 ask_input(struct fake *);
static void	 reply(struct fake *, enum reply_kind, const char *);
static void	 reply_frame(struct fake *, int);
static void	 reply_result(struct fake *);
static void	 flush(struct fake *);
static void	 take_input(struct fake *);
static void	 give_output(struct fake *);
static int64_t	 now_ms(void);

static void
pair(int fd[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1 ||
	    fcntl(fd[0], F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fd[1], F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fd[0], F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(fd[1], F_SETFL, O_NONBLOCK) == -1)
		err(1, "socketpair");
}

void
fake_start(struct fake *f, const char *program, const struct limits *l)
{
	struct limits limits = LIMITS_DEFAULT;
	int fd[2];

	(void)signal(SIGPIPE, SIG_IGN);
	pair(fd);
	f->data = f->gofd = f->outfd = -1;
	if ((f->pid = fork()) == -1)
		err(1, "fork");
	if (f->pid == 0) {
		if (dup2(fd[1], 3) == -1)
			_exit(126);
		if (fd[1] == 3 && fcntl(3, F_SETFD, 0) == -1)
			_exit(126);
		execl(program, "qgad", "--frontend", "-", "3", (char *)NULL);
		warn("%s", program);
		_exit(127);
	}
	close(fd[1]);
	if (imsgbuf_init(&f->ibuf, fd[0]) == -1 ||
	    imsgbuf_set_maxsize(&f->ibuf, MSG_SIZE_MAX) == -1)
		err(1, "imsgbuf");
	while (f->seen[MSG_HELLO] == 0) {
		if (f->eof)
			errx(1, "no hello from the frontend: %s", f->log);
		(void)fake_serve(f, -1, 100);
	}
	if (msg_send_limits(&f->ibuf, l != NULL ? l : &limits) == -1)
		err(1, "limits");
	fake_policy(f, 1);
	fake_query_worker(f);
}

void
fake_policy(struct fake *f, int enabled)
{
	struct msg_policy p;

	memset(&p, 0, sizeof(p));
	memset(p.enabled, enabled, sizeof(p.enabled));
	if (msg_send_policy(&f->ibuf, &p) == -1)
		err(1, "policy");
	flush(f);
}

void
fake_channel(struct fake *f, enum channel_kind kind, int newline, int fd)
{
	struct msg_channel m;

	f->hostpos = f->hostlen = 0;
	m.kind = kind;
	m.newline = (uint32_t)newline;
	if (msg_send_channel(&f->ibuf, &m, fd) == -1)
		err(1, "channel");
	flush(f);
}

int
fake_connect(struct fake *f, enum channel_kind kind)
{
	int fd[2];

	pair(fd);
	fake_channel(f, kind, 0, fd[1]);
	return (fd[0]);
}

void
fake_query_worker(struct fake *f)
{
	int fd[2];

	if (f->data != -1)
		close(f->data);
	pair(fd);
	f->data = fd[0];
	if (msg_send_data(&f->ibuf, MSG_DATA, 0, fd[1]) == -1)
		err(1, "data");
	flush(f);
}

static void
flush(struct fake *f)
{
	struct pollfd pfd;

	while (imsgbuf_queuelen(&f->ibuf) > 0) {
		if (imsgbuf_write(&f->ibuf) == -1) {
			f->eof = 1;
			return;
		}
		pfd.fd = f->ibuf.fd;
		pfd.events = POLLOUT;
		if (imsgbuf_queuelen(&f->ibuf) > 0)
			(void)poll(&pfd, 1, 1000);
	}
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

int
fake_serve(struct fake *f, int fd, int ms)
{
	int64_t until = now_ms() + ms, left;
	struct pollfd pfd[4];
	struct imsg imsg;
	int n;

	while (!f->eof && (left = until - now_ms()) > 0) {
		memset(pfd, 0, sizeof(pfd));
		pfd[0].fd = f->ibuf.fd;
		pfd[1].fd = fd;
		pfd[2].fd = f->gofd;
		pfd[0].events = pfd[1].events = pfd[2].events = POLLIN;
		pfd[3].fd = f->outfd;
		pfd[3].events = POLLOUT;
		if (poll(pfd, 4, (int)left) == -1)
			err(1, "poll");
		if (pfd[2].revents != 0)
			take_input(f);
		if (pfd[3].revents != 0)
			give_output(f);
		if (pfd[0].revents != 0) {
			if (imsgbuf_read(&f->ibuf) != 1)
				f->eof = 1;
			while ((n = imsgbuf_get(&f->ibuf, &imsg)) == 1) {
				message(f, &imsg);
				imsg_free(&imsg);
			}
			if (n == -1)
				err(1, "imsgbuf_get");
			if (fd == -1)
				return (0);
		}
		if (pfd[1].revents != 0)
			return (1);
	}
	return (0);
}

static void
message(struct fake *f, struct imsg *imsg)
{
	uint32_t type = imsg_get_type(imsg);
	struct msg_hello hello;
	struct msg_log line;
	struct msg_request request;
	struct msg_exec_status status;
	struct msg_file_open open;
	struct msg_freeze freeze;
	struct msg_shutdown down;
	struct msg_suspend suspend;
	uint64_t last = f->lastid;
	size_t used;
	int bad = 0;

	if (msg_check(imsg) == -1)
		errx(1, "the frontend sent a bad %s", msg_name(type));
	f->seen[type]++;
	f->lasttype = type;
	switch (type) {
	case MSG_HELLO:
		bad = msg_recv_hello(imsg, &hello);
		return;
	case MSG_LOG:
		bad = msg_recv_log(imsg, &line);
		used = strlen(f->log);
		snprintf(f->log + used, sizeof(f->log) - used, "%s\n",
		    bad == 0 ? line.line : "?");
		return;
	case MSG_CHANNEL_END:
		bad = msg_recv_channel_end(imsg, &f->ended);
		break;
	case MSG_ASK:
	case MSG_QUERY:
		bad = msg_recv_request(imsg, &request);
		f->lastid = request.id;
		break;
	case MSG_EXEC:
		take_exec(f, imsg);
		break;
	case MSG_EXEC_STATUS:
		bad = msg_recv_exec_status(imsg, &status);
		f->lastid = status.id;
		break;
	case MSG_FILE_OPEN:
		bad = msg_recv_file_open(imsg, &open);
		f->lastid = open.id;
		f->openmode = open.mode;
		if (bad == 0 && (*open.base != '\0' || open.rule != 0))
			bad = -1;
		break;
	case MSG_FILE_CLOSE:
	case MSG_FILE_READ:
	case MSG_FILE_WRITE:
	case MSG_FILE_SEEK:
	case MSG_FILE_FLUSH:
		bad = msg_recv_file(imsg, &f->file);
		f->lastid = f->file.id;
		break;
	case MSG_FSFREEZE:
		bad = msg_recv_request(imsg, &request);
		f->lastid = request.id;
		break;
	case MSG_FREEZE:
		if ((bad = msg_recv_freeze(imsg, &freeze)) == 0) {
			f->lastid = freeze.id;
			f->mounts = freeze.listed ? (long)freeze.n : -1;
			msg_freeze_free(&freeze);
		}
		break;
	case MSG_SHUTDOWN:
		bad = msg_recv_shutdown(imsg, &down);
		f->lastid = down.id;
		f->mode = down.mode;
		break;
	case MSG_SET_TIME:
		bad = msg_recv_set_time(imsg, &f->settime);
		f->lastid = f->settime.id;
		break;
	case MSG_SET_VCPUS:
	case MSG_SET_MEMORY_BLOCKS:
		if ((bad = msg_recv_units(imsg, &f->units)) == 0) {
			if (f->units.n > 0)
				f->unit = f->units.v[f->units.n - 1];
			msg_units_free(&f->units);
		}
		f->lastid = f->units.id;
		break;
	case MSG_FSTRIM:
		bad = msg_recv_fstrim(imsg, &f->fstrim);
		f->lastid = f->fstrim.id;
		break;
	case MSG_SUSPEND:
		bad = msg_recv_suspend(imsg, &suspend);
		f->lastid = suspend.id;
		f->mode = suspend.mode;
		break;
	case MSG_PASSWORD:
	case MSG_SSH_KEYS:
		take_account(f, imsg);
		break;
	default:
		bad = -1;
	}
	if (bad == -1)
		errx(1, "the frontend sent a bad %s", msg_name(type));
	if (type == MSG_CHANNEL_END)
		return;
	if (f->lastid <= last)
		errx(1, "request id %llu after %llu",
		    (unsigned long long)f->lastid, (unsigned long long)last);
	if (!f->hold)
		fake_answer(f);
}

static void
take_exec(struct fake *f, struct imsg *imsg)
{
	if (msg_recv_exec(imsg, &f->exec) == -1)
		errx(1, "the frontend sent a bad MSG_EXEC");
	f->lastid = f->exec.id;
	snprintf(f->path, sizeof(f->path), "%s", f->exec.path);
	snprintf(f->arg0, sizeof(f->arg0), "%s", f->exec.argc > 0 ?
	    f->exec.argv[0] : "");
	msg_exec_free(&f->exec);
}

/* What is said of it is kept where exec's is: who, and the first key. */
static void
take_account(struct fake *f, struct imsg *imsg)
{
	struct msg_password password;
	struct msg_ssh_keys keys;

	memset(&f->exec, 0, sizeof(f->exec));
	f->arg0[0] = '\0';
	if (imsg_get_type(imsg) == MSG_PASSWORD) {
		if (msg_recv_password(imsg, &password) == -1)
			errx(1, "the frontend sent a bad MSG_PASSWORD");
		f->lastid = password.id;
		f->exec.input = password.secret;
		f->mode = password.crypted;
		snprintf(f->path, sizeof(f->path), "%s", password.username);
		return;
	}
	if (msg_recv_ssh_keys(imsg, &keys) == -1)
		errx(1, "the frontend sent a bad MSG_SSH_KEYS");
	f->lastid = keys.id;
	f->command = keys.command;
	f->mode = keys.reset;
	f->exec.argc = keys.n;
	snprintf(f->path, sizeof(f->path), "%s", keys.username);
	if (keys.n > 0)
		snprintf(f->arg0, sizeof(f->arg0), "%s", keys.keys[0]);
	msg_ssh_keys_free(&keys);
}

static void
ask_input(struct fake *f)
{
	int fd[2];

	pair(fd);
	f->gofd = fd[0];
	free(f->input);
	f->inputlen = 0;
	if ((f->input = malloc((size_t)f->exec.input)) == NULL)
		err(1, "malloc");
	if (msg_send_data(&f->ibuf, MSG_GO, f->lastid, fd[1]) == -1)
		err(1, "go");
	flush(f);
}

void
fake_answer(struct fake *f)
{
	switch (f->lasttype) {
	case MSG_ASK:
		reply(f, f->refuse != NULL ? REPLY_REFUSED : REPLY_EMPTY,
		    f->refuse != NULL ? f->refuse : "");
		break;
	case MSG_QUERY:
		reply_frame(f, f->data);
		break;
	case MSG_EXEC:
		if (f->exec.input == 0) {
			reply(f, REPLY_NUMBER, "");
			break;
		}
		ask_input(f);
		break;
	case MSG_PASSWORD:
		if (f->exec.input == 0)
			reply(f, REPLY_EMPTY, "");
		else
			ask_input(f);
		break;
	case MSG_SSH_KEYS:
		if (f->command == CMD_GUEST_SSH_GET_AUTHORIZED_KEYS)
			reply_frame(f, f->data);
		else
			reply(f, REPLY_EMPTY, "");
		break;
	case MSG_EXEC_STATUS:
		reply(f, REPLY_EXEC, "");
		break;
	case MSG_FILE_OPEN:
	case MSG_FREEZE:
	case MSG_FSFREEZE:
		reply(f, REPLY_NUMBER, "");
		break;
	case MSG_SHUTDOWN:
	case MSG_SET_TIME:
	case MSG_SUSPEND:
		reply(f, REPLY_EMPTY, "");
		break;
	case MSG_SET_VCPUS:
	case MSG_SET_MEMORY_BLOCKS:
	case MSG_FSTRIM:
		reply_result(f);
		break;
	}
}

static void
reply(struct fake *f, enum reply_kind kind, const char *text)
{
	struct msg_reply r;
	int fd[2] = { -1, -1 };

	memset(&r, 0, sizeof(r));
	r.id = f->lastid;
	r.kind = kind;
	r.number = 4242;
	r.result = f->status;
	r.text = text;
	if (kind == REPLY_EXEC && f->status.out + f->status.err > 0) {
		pair(fd);
		f->outfd = fd[0];
		f->outbyte = 0;
		f->outleft = (size_t)f->status.out + f->status.err -
		    f->short_by;
	}
	if (msg_send_reply(&f->ibuf, &r, fd[1]) == -1)
		err(1, "reply");
	flush(f);
}

/* As the monitor does for one request: a socket for its result alone. */
static void
reply_result(struct fake *f)
{
	int fd[2];

	pair(fd);
	if (msg_send_data(&f->ibuf, MSG_RESULT, f->lastid, fd[1]) == -1)
		err(1, "result");
	flush(f);
	reply_frame(f, fd[0]);
	close(fd[0]);
}

static void
reply_frame(struct fake *f, int fd)
{
	unsigned char header[FRAME_HEADER];
	struct frame frame;
	struct pollfd pfd;
	size_t sent = 0;
	ssize_t n;

	frame.kind = FRAME_VALUE;
	frame.id = f->lastid;
	frame.len = (uint32_t)f->treelen;
	frame_encode(&frame, header);
	if (write(fd, header, sizeof(header)) != sizeof(header))
		err(1, "frame");
	pfd.fd = fd;
	pfd.events = POLLOUT;
	while (sent < f->treelen) {
		n = write(fd, (const char *)f->tree + sent,
		    f->treelen - sent);
		if (n == -1 && errno == EAGAIN)
			(void)poll(&pfd, 1, 1000);
		else if (n == -1)
			return;		/* the frontend has hung up */
		else
			sent += (size_t)n;
	}
}

static void
take_input(struct fake *f)
{
	ssize_t n;

	n = read(f->gofd, f->input + f->inputlen,
	    (size_t)f->exec.input - f->inputlen);
	if (n > 0)
		f->inputlen += (size_t)n;
	if (n > 0 && f->inputlen < f->exec.input)
		return;
	close(f->gofd);
	f->gofd = -1;
	reply(f, n <= 0 ? REPLY_ERROR : f->lasttype == MSG_EXEC ?
	    REPLY_NUMBER : REPLY_EMPTY, n > 0 ? "" : "the input broke off");
}

/* Bytes that count up, so that a lost one shows. */
static void
give_output(struct fake *f)
{
	unsigned char buf[8192];
	size_t i, n = f->outleft < sizeof(buf) ? f->outleft : sizeof(buf);
	ssize_t sent;

	for (i = 0; i < n; i++)
		buf[i] = (unsigned char)(f->outbyte + i);
	sent = write(f->outfd, buf, n);
	if (sent == -1 && errno == EAGAIN)
		return;
	if (sent > 0) {
		f->outbyte = (unsigned char)(f->outbyte + sent);
		f->outleft -= (size_t)sent;
	}
	if (sent == -1 || f->outleft == 0) {
		close(f->outfd);
		f->outfd = -1;
	}
}

void
fake_stop(struct fake *f)
{
	int status;

	imsgbuf_clear(&f->ibuf);
	close(f->ibuf.fd);
	if (f->data != -1)
		close(f->data);
	free(f->input);
	if (waitpid(f->pid, &status, 0) == -1)
		err(1, "waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "the frontend ended with status %#x: %s", status,
		    f->log);
}

void
host_send(struct fake *f, int fd, const void *data, size_t len)
{
	const char *p = data;
	int64_t until = now_ms() + FAKE_WAIT;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1 && errno != EAGAIN)
			err(1, "write to the frontend");
		if (n == -1) {
			if (f->eof || now_ms() > until)
				errx(1, "the frontend does not read: %s",
				    f->log);
			(void)fake_serve(f, -1, 10);
			continue;
		}
		p += n;
		len -= (size_t)n;
	}
}

void
host_say(struct fake *f, int fd, const char *s)
{
	host_send(f, fd, s, strlen(s));
}

char *
host_line(struct fake *f, int fd)
{
	size_t len = 0, size = 0;
	char *line = NULL, c;
	ssize_t n;

	for (;;) {
		if (f->hostpos == f->hostlen) {
			n = read(fd, f->host, sizeof(f->host));
			if (n == -1 && errno == EAGAIN) {
				if (fake_serve(f, fd, FAKE_WAIT) == 0)
					errx(1, "no line from the frontend: "
					    "%s", f->log);
				continue;
			}
			if (n <= 0 && len > 0)
				errx(1, "the connection ended within a line");
			if (n <= 0)
				return (NULL);
			f->hostpos = 0;
			f->hostlen = (size_t)n;
		}
		c = f->host[f->hostpos++];
		if (len + 1 >= size) {
			size = size == 0 ? 256 : size * 2;
			if ((line = realloc(line, size)) == NULL)
				err(1, "realloc");
		}
		if (c == '\n') {
			line[len] = '\0';
			return (line);
		}
		line[len++] = c;
	}
}
