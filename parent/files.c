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
 * Files: one worker each, found by the handle among the workers' slots.  The
 * monitor attaches the rule to an open, gives out the numbers, and tells the
 * worker each operation; the bytes go past it.  Handles outlive the host's
 * connection and the frontend.
 */

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "filemode.h"
#include "parent.h"
#include "request.h"

#define HANDLE_FIRST	1000		/* as qemu-ga's */
#define HANDLE_BLOCK	((int64_t)1 << 20)
#define HANDLE_LAST	(INT64_MAX - 4 * HANDLE_BLOCK)
#define HANDLE_FILE	"qgad.handles"	/* in it: the first that is free */
#define WRITE_PATIENCE	10		/* s, of the child that reserves */

static const struct limits *limits;
static char		*numbers;		/* the path of that file */
static int64_t		 next_handle, reserved;	/* up to, but not this one */

static int64_t		 numbers_read(void);
static int		 numbers_write(int64_t);
static int64_t		 handle_new(void);
static struct child	*file_find(int64_t);
static void		 file_send(struct child *);
static int		 file_opened(struct child *,
			    const struct msg_file_done *);
static void		 file_answer(struct child *,
			    const struct msg_file_done *);
static void		 file_end(struct child *, const char *);
static int		 writable(int);

/* --- the numbers --- */

void
files_init(const struct limits *l, const char *statedir)
{
	size_t size = strlen(statedir) + sizeof("/" HANDLE_FILE);

	limits = l;
	if (size > MSG_PATH_MAX)
		fatalx("state directory %s: too long", statedir);
	if ((numbers = malloc(size)) == NULL)
		fatal("malloc");
	snprintf(numbers, size, "%s/%s", statedir, HANDLE_FILE);
	next_handle = numbers_read();
	reserved = next_handle + HANDLE_BLOCK;
	/* No reason not to start: they may begin anew next time. */
	if (numbers_write(reserved) == -1)
		log_warn("%s", numbers);
}

static int64_t
numbers_read(void)
{
	const char *why;
	char text[32];
	int64_t number = HANDLE_FIRST;
	ssize_t n;
	int fd;

	if ((fd = open(numbers, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC)) == -1) {
		if (errno != ENOENT)
			log_warn("%s", numbers);
		return (number);
	}
	if ((n = read(fd, text, sizeof(text) - 1)) > 0) {
		text[n] = '\0';
		text[strcspn(text, "\n")] = '\0';
		number = strtonum(text, HANDLE_FIRST, HANDLE_LAST, &why);
		if (why != NULL) {
			log_warnx("%s: number of a handle: %s", numbers, why);
			number = HANDLE_FIRST;
		}
	}
	close(fd);
	return (number);
}

/* A new file, renamed: there is an old number or the new one. */
static int
numbers_write(int64_t number)
{
	char text[32], unfinished[MSG_PATH_MAX + 8];
	int fd, len, saved;

	snprintf(unfinished, sizeof(unfinished), "%s.new", numbers);
	len = snprintf(text, sizeof(text), "%lld\n", (long long)number);
	if (unlink(unfinished) == -1 && errno != ENOENT)
		return (-1);
	if ((fd = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600)) == -1)
		return (-1);
	if (write(fd, text, (size_t)len) != len || fsync(fd) == -1 ||
	    rename(unfinished, numbers) == -1) {
		saved = errno;
		close(fd);
		unlink(unfinished);
		errno = saved;
		return (-1);
	}
	return (close(fd));
}

/*
 * The next block is reserved long before this one is used up, and not by us:
 * it takes a disk.
 */
static int64_t
handle_new(void)
{
	if (reserved - next_handle <= HANDLE_BLOCK / 2 &&
	    reserved <= HANDLE_LAST) {
		switch (fork()) {
		case -1:
			log_warn("%s", numbers);
			break;
		case 0:
			logger_off();
			closefrom(3);
			signal(SIGALRM, SIG_DFL);
			alarm(WRITE_PATIENCE);
			_exit(numbers_write(reserved + HANDLE_BLOCK) == -1);
		default:
			reserved += HANDLE_BLOCK;
		}
	}
	return (next_handle++);
}

/* --- opening --- */

void
file_open_begin(const struct msg_file_open *m)
{
	const struct file_mode *mode = &file_modes[m->mode];
	struct file_grant grant;
	const char *why;
	struct child *c;
	char shown[1032];
	uint64_t n = 0;

	snprintf(request.note, sizeof(request.note), " mode=%s", mode->name);
	if (policy_file(m->path, mode->access, &grant, &request.ruling,
	    &why) == -1) {
		request_refuse("failed to open file '%.512s' (mode: '%s'): %s",
		    m->path, mode->name, why);
		return;
	}
	for (c = NULL; (c = child_each(c)) != NULL;)
		if ((c->role == ROLE_FILE || c->role == ROLE_FILE_OPENING) &&
		    c->state != CHILD_RELEASED)
			n++;
	if (n >= limits->max_files) {
		request_error("guest-file-open: %llu files are open, the "
		    "bound is max-files = %llu", (unsigned long long)n,
		    (unsigned long long)limits->max_files);
		return;
	}
	request.open = *m;
	request.open.rule = grant.rule;
	request.open.base = strdup(grant.base);
	request.open.path = strdup(grant.path);
	if (request.open.base == NULL || request.open.path == NULL ||
	    (c = child_spawn(ROLE_FILE_OPENING, -1)) == NULL) {
		request_error("guest-file-open: start of a worker: %s",
		    errno == EAGAIN ? "too many of them are stuck" :
		    strerror(errno));
		return;
	}
	c->shown = strdup(audit_text(shown, sizeof(shown), request.object));
	request.worker = c;
}

/* The worker is there. */
int
file_open_send(struct child *c)
{
	c->op = request.id;
	return (msg_send_file_open(&c->ibuf, &request.open));
}

/* It has opened the file, or not. */
static int
file_opened(struct child *c, const struct msg_file_done *m)
{
	struct msg_reply reply;
	size_t len;

	if (!request.active || request.worker != c || !m->ok) {
		if (request.active && request.worker == c && m->refused)
			request_refuse("%s", m->text);
		else if (request.active && request.worker == c)
			request_error("%s", m->text);
		child_release(c);
		return (0);
	}
	c->role = ROLE_FILE;
	c->handle = handle_new();
	len = strlen(request.note);
	snprintf(request.note + len, sizeof(request.note) - len,
	    " handle=%lld", (long long)c->handle);
	memset(&reply, 0, sizeof(reply));
	reply.kind = REPLY_NUMBER;
	reply.number = c->handle;
	reply.text = "";
	request_reply(&reply, -1);
	return (0);
}

/* --- operations --- */

static struct child *
file_find(int64_t handle)
{
	struct child *c;

	if (handle <= 0)
		return (NULL);
	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c->role == ROLE_FILE && c->state == CHILD_READY &&
		    c->handle == handle)
			return (c);
	return (NULL);
}

void
file_begin(enum msg_type type, const struct msg_file *m)
{
	struct child *c;

	if ((c = file_find(m->handle)) == NULL) {
		request_error("handle '%lld' has not been found",
		    (long long)m->handle);
		return;
	}
	request.worker = c;
	request.type = type;
	request.file = *m;
	/* It may have something to end that a dead frontend began. */
	if (c->op == 0)
		file_send(c);
}

/* Worker and frontend get the two ends of a socket, if there are bytes. */
static void
file_send(struct child *c)
{
	struct child *frontend = child_find(ROLE_FRONTEND);
	int pair[2] = { -1, -1 };

	if ((request.type == MSG_FILE_READ ||
	    request.type == MSG_FILE_WRITE) && request.file.number > 0) {
		if (frontend == NULL || socketpair(AF_UNIX, SOCK_STREAM |
		    SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1 ||
		    msg_send_data(&frontend->ibuf, MSG_GO, request.id,
		    pair[0]) == -1) {
			if (pair[1] != -1)
				close(pair[1]);
			request_error("%s: %s",
			    commands[request.command].name, strerror(errno));
			return;
		}
		/* Without one the deadline runs on. */
		if (request.type == MSG_FILE_READ)
			request.data = fcntl(pair[1], F_DUPFD_CLOEXEC, 0);
	}
	if (msg_send_file(&c->ibuf, request.type, &request.file, pair[1]) ==
	    -1) {
		request_error("%s: %s", commands[request.command].name,
		    strerror(errno));
		return;
	}
	c->op = request.id;
	c->optype = request.type;
	request.sent = 1;
	(void)child_send(c);
	if (pair[0] != -1)
		(void)child_send(frontend);
}

int
file_done(struct child *c, struct imsg *imsg)
{
	struct msg_file_done msg;

	if (msg_recv_file_done(imsg, &msg) == -1 || c->op == 0 ||
	    msg.id != c->op || (msg.refused && c->role != ROLE_FILE_OPENING))
		return (-1);
	c->op = c->until = 0;
	if (c->role == ROLE_FILE_OPENING)
		return (file_opened(c, &msg));
	c->ops++;
	if (!msg.ok)
		c->errors++;
	if (c->optype == MSG_FILE_READ)
		c->bytesout += (uint64_t)msg.number;
	else if (c->optype == MSG_FILE_WRITE)
		c->bytesin += (uint64_t)msg.number;
	if (c->optype == MSG_FILE_READ || c->optype == MSG_FILE_WRITE)
		policy_bytes((uint64_t)msg.number);
	if (request.active && request.worker == c) {
		if (request.sent)
			file_answer(c, &msg);
		else if (c->optype != MSG_FILE_CLOSE)
			file_send(c);
	}
	if (c->optype == MSG_FILE_CLOSE) {
		file_end(c, msg.ok ? "closed" : msg.text);
		if (request.active && request.worker == c)
			request_error("handle '%lld' has not been found",
			    (long long)request.file.handle);
		child_release(c);
	}
	return (0);
}

static void
file_answer(struct child *c, const struct msg_file_done *m)
{
	struct msg_reply reply;

	if (!m->ok) {
		request_error("%s", m->text);
		return;
	}
	memset(&reply, 0, sizeof(reply));
	reply.text = "";
	reply.number = m->number;
	reply.eof = m->eof;
	switch (c->optype) {
	case MSG_FILE_READ:
		reply.kind = REPLY_FILE;
		break;
	case MSG_FILE_WRITE:
	case MSG_FILE_SEEK:
		reply.kind = REPLY_NUMBER;
		break;
	default:
		reply.kind = REPLY_EMPTY;
		break;
	}
	request_reply(&reply, -1);
}

/*
 * The deadline is for the worker, not for a host that reads slowly.  Which of
 * the two it is, the kernel says: while nobody takes what the worker has
 * written, its socket cannot be written.
 */
int
file_waiting(struct child *c, struct imsg *imsg)
{
	struct msg_file_waiting msg;
	uint64_t now = now_ms();

	if (msg_recv_file_waiting(imsg, &msg) == -1 || c->op == 0 ||
	    msg.id != c->op || c->optype != MSG_FILE_READ)
		return (-1);
	if (!request.active || request.worker != c || !request.sent ||
	    request.data == -1)
		return (0);
	if (!msg.on)
		file_taken();
	else if (request.deadline != 0 && !(DEFENCE(CONTROL_WAITING) &&
	    writable(request.data))) {
		request.left = request.deadline > now ?
		    request.deadline - now : 0;
		request.deadline = 0;
	}
	return (0);
}

static int
writable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return (poll(&pfd, 1, 0) != 0);
}

int
file_pollfd(void)
{
	return (DEFENCE(CONTROL_WAITING) && request.active &&
	    request.deadline == 0 ? request.data : -1);
}

void
file_taken(void)
{
	if (request.active && request.data != -1 && request.deadline == 0)
		request.deadline = now_ms() + request.left;
}

/* --- the end of a handle, one line of the log --- */

static void
file_end(struct child *c, const char *how)
{
	char text[256];

	if (c->handle == 0)
		return;
	audit_text(text, sizeof(text), how);
	audit_line("command=guest-file-close handle=%lld object=\"%s\" "
	    "operations=%llu read=%llu written=%llu errors=%llu end=\"%s\"",
	    (long long)c->handle, c->shown != NULL ? c->shown : "",
	    (unsigned long long)c->ops, (unsigned long long)c->bytesout,
	    (unsigned long long)c->bytesin, (unsigned long long)c->errors,
	    text);
	c->handle = 0;
}

/* It died or was killed; may be told twice. */
void
file_gone(struct child *c)
{
	file_end(c, c->op != 0 ? "the worker ended within an operation" :
	    "the worker ended");
}

void
files_end(void)
{
	struct child *c;

	for (c = NULL; (c = child_each(c)) != NULL;)
		if (c->role == ROLE_FILE)
			file_end(c, "the agent ended");
}
