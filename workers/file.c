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
 * qgad-file: one open file of guest-file-open.  Root until it has opened
 * what the monitor's first message names, below the directory of the rule if
 * one came with it, and has judged what it got; then _qgadw, in an empty
 * root directory, with system calls filtered and that one descriptor.
 * Peers: the monitor on fd 3, which tells it each operation; with a read or
 * a write comes a socket on which the bytes go to or come from the frontend,
 * as many as the monitor said and not one more.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "control.h"
#include "file.h"
#include "filemode.h"
#include "imsg.h"
#include "job.h"
#include "log.h"
#include "messages.h"

#define PIECE		(64 * 1024)
#define PATIENCE	1000		/* ms; then the monitor hears of it */
#define NEW_MODE	0666		/* as qemu-ga's, whatever the umask */

struct file {
	struct imsgbuf	*ib;
	int		 fd;		/* -1: closed */
	uint64_t	 id;		/* of the operation in hand */
	int		 data;		/* its socket, -1: none */
};

static void	 open_first(struct file *);
static int	 open_file(const struct msg_file_open *, const char **);
static int	 open_base(const char *);
static int	 open_at(const struct msg_file_open *, int, int);
static const char *reason(const struct msg_file_open *);
static const char *judge(const struct msg_file_open *, int, int);
static void	 operation(struct file *);
static void	 do_close(struct file *, const struct msg_file *,
		    struct msg_file_done *);
static void	 do_read(struct file *, const struct msg_file *,
		    struct msg_file_done *);
static void	 do_write(struct file *, const struct msg_file *,
		    struct msg_file_done *);
static void	 do_seek(struct file *, const struct msg_file *,
		    struct msg_file_done *);
static void	 do_flush(struct file *, const struct msg_file *,
		    struct msg_file_done *);
static int	 send_piece(struct file *, const unsigned char *, size_t);
static ssize_t	 take_piece(struct file *, unsigned char *, size_t);
static int	 write_piece(struct file *, const unsigned char *, size_t,
		    int64_t *);
static void	 wait_for(struct file *, short, int);
static void	 waiting(struct file *, uint32_t);
static void	 failed(struct msg_file_done *, const char *, int);
static void	 done(struct file *, struct msg_file_done *);

static const struct {
	void	(*run)(struct file *, const struct msg_file *,
		    struct msg_file_done *);
	int	  data;			/* its number of bytes comes or goes */
} operations[MSG_MAX] = {
	[MSG_FILE_CLOSE] = { do_close, 0 },
	[MSG_FILE_READ] = { do_read, 1 },
	[MSG_FILE_WRITE] = { do_write, 1 },
	[MSG_FILE_SEEK] = { do_seek, 0 },
	[MSG_FILE_FLUSH] = { do_flush, 0 },
};

/* What is not an error but the rule's no. */
static const char	 leads_out[] = "it leads out of what the "
			    "configuration allows";
static const char	 not_regular[] = "it is no regular file, and the "
			    "configuration allows no other here";

static unsigned char	 piece[PIECE];
static char		 text[MSG_TEXT_MAX];

int
main(int argc, char *argv[])
{
	struct imsgbuf ib;
	struct file file;
	struct ids ids;
	struct msg_file_done opened = { .ok = 1, .text = "" };

	child_start(ROLE_FILE_OPENING, argc, argv, &ib, &ids);
	imsgbuf_allow_fdpass(&ib);
	/* A limit on the size of files is an error of a write. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		fatal("signal");
	memset(&file, 0, sizeof(file));
	file.ib = &ib;
	file.fd = file.data = -1;
	confine(ROLE_FILE_OPENING, &ids);
	child_ready(ROLE_FILE_OPENING, &ib);
	open_first(&file);
	confine(ROLE_FILE, &ids);
	done(&file, &opened);
	while (file.fd != -1)
		operation(&file);
	job_flush(&ib);
	return (0);
}

/* --- root --- */

/* Does not return without an open file. */
static void
open_first(struct file *f)
{
	struct msg_file_done answer = { .ok = 0, .text = text };
	struct msg_file_open m;
	struct imsg imsg;
	const char *why;

	job_message(f->ib, &imsg);
	if (imsg_get_type(&imsg) != MSG_FILE_OPEN || msg_check(&imsg) == -1 ||
	    msg_recv_file_open(&imsg, &m) == -1)
		fatalx("bad message: %s", msg_name(imsg_get_type(&imsg)));
	f->id = m.id;
	if ((f->fd = open_file(&m, &why)) == -1) {
		snprintf(text, sizeof(text), "failed to open file "
		    "'%s%s%.1024s' (mode: '%s'): %s", m.base,
		    m.base[0] == '\0' || m.base[1] == '\0' ? "" : "/",
		    m.path, file_modes[m.mode].name, why);
		answer.refused = why == leads_out || why == not_regular;
		done(f, &answer);
		job_flush(f->ib);
		exit(0);
	}
	imsg_free(&imsg);
}

/* -1: *why says why not. */
static int
open_file(const struct msg_file_open *m, const char **why)
{
	int dir = -1, fd, flags = file_modes[m->mode].flags, new = 0;

	*why = NULL;
	if (m->base[0] != '\0' && (dir = open_base(m->base)) == -1) {
		*why = reason(m);
		return (-1);
	}
	/* Emptied only once it is known what it is. */
	flags = (flags & ~O_TRUNC) | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
	if (flags & O_CREAT) {
		fd = open_at(m, dir, flags | O_EXCL);
		new = fd != -1;
		if (fd == -1 && errno == EEXIST)
			fd = open_at(m, dir, flags & ~O_CREAT);
	} else
		fd = open_at(m, dir, flags);
	*why = fd == -1 ? reason(m) : judge(m, fd, new);
	if (dir != -1)
		close(dir);
	if (fd != -1 && *why != NULL) {
		close(fd);
		fd = -1;
	}
	return (fd);
}

static int
open_base(const char *base)
{
	if (!DEFENCE(CONTROL_BENEATH))
		return (open(base, O_RDONLY | O_DIRECTORY | O_NONBLOCK |
		    O_CLOEXEC));
	return (file_base(base));
}

/* Of errno. */
static const char *
reason(const struct msg_file_open *m)
{
	if (m->base[0] != '\0' && (errno == EXDEV || errno == ELOOP))
		return (leads_out);
	return (strerror(errno));
}

static int
open_at(const struct msg_file_open *m, int dir, int flags)
{
	if (dir == -1)
		return (open(m->path, flags, 0));
	if (!DEFENCE(CONTROL_BENEATH))
		return (openat(dir, m->path, flags, 0));
	return (file_beneath(dir, m->path, flags, 0,
	    (m->rule & FILE_RULE_EXACT) != 0));
}

/* What was opened, not what was named.  NULL, or what is wrong with it. */
static const char *
judge(const struct msg_file_open *m, int fd, int new)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return (strerror(errno));
	if (S_ISDIR(st.st_mode))
		return (strerror(EISDIR));
	if (m->base[0] != '\0' && !S_ISREG(st.st_mode) &&
	    !(m->rule & FILE_RULE_ANY))
		return (not_regular);
	if (new && fchmod(fd, NEW_MODE) == -1)
		return (strerror(errno));
	if (!new && (file_modes[m->mode].flags & O_TRUNC) &&
	    S_ISREG(st.st_mode) && ftruncate(fd, 0) == -1)
		return (strerror(errno));
	return (NULL);
}

/* --- _qgadw --- */

static void
operation(struct file *f)
{
	struct msg_file_done answer;
	struct msg_file m;
	struct imsg imsg;
	uint32_t type;

	job_message(f->ib, &imsg);
	type = imsg_get_type(&imsg);
	if (type >= MSG_MAX || operations[type].run == NULL ||
	    msg_check(&imsg) == -1 || msg_recv_file(&imsg, &m) == -1 ||
	    imsg_has_fd(&imsg) != (operations[type].data && m.number > 0))
		fatalx("bad message: %s", msg_name(type));
	f->id = m.id;
	f->data = imsg_get_fd(&imsg);
	imsg_free(&imsg);
	if (f->data != -1 && fcntl(f->data, F_SETFL, O_NONBLOCK) == -1)
		fatal("data socket");
	memset(&answer, 0, sizeof(answer));
	answer.ok = 1;
	answer.text = "";
	operations[type].run(f, &m, &answer);
	/* First: its end of file is nothing that the frontend goes by. */
	if (f->data != -1)
		close(f->data);
	f->data = -1;
	done(f, &answer);
}

static void
do_close(struct file *f, const struct msg_file *m, struct msg_file_done *d)
{
	(void)m;
	/* Whatever it says, the descriptor is gone. */
	if (close(f->fd) == -1)
		failed(d, "failed to close handle", errno);
	f->fd = -1;
}

/*
 * Short only at the end of the file, or before something that the next read
 * will meet again, and then says.
 */
static void
do_read(struct file *f, const struct msg_file *m, struct msg_file_done *d)
{
	size_t want;
	ssize_t n;

	while (d->number < m->number) {
		want = sizeof(piece);
		if (m->number - d->number < (int64_t)want)
			want = (size_t)(m->number - d->number);
		n = read(f->fd, piece, want);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && d->number == 0)
			failed(d, "failed to read file", errno);
		if (n == 0)
			d->eof = 1;
		if (n <= 0 || send_piece(f, piece, (size_t)n) == -1)
			break;
		d->number += n;
	}
	explicit_bzero(piece, sizeof(piece));
}

/* What the frontend sends past the number is not read. */
static void
do_write(struct file *f, const struct msg_file *m, struct msg_file_done *d)
{
	int64_t left;
	size_t want;
	ssize_t n;

	while (d->number < m->number) {
		left = m->number - d->number;
		want = left < (int64_t)sizeof(piece) ? (size_t)left :
		    sizeof(piece);
		if ((n = take_piece(f, piece, want)) == -1) {
			failed(d, "failed to write to file", errno);
			break;
		}
		if (write_piece(f, piece, (size_t)n, &d->number) == -1) {
			failed(d, "failed to write to file", errno);
			break;
		}
	}
	explicit_bzero(piece, sizeof(piece));
}

static void
do_seek(struct file *f, const struct msg_file *m, struct msg_file_done *d)
{
	static const int whences[FILE_WHENCES] = { SEEK_SET, SEEK_CUR,
	    SEEK_END };
	off_t at;

	if ((at = lseek(f->fd, (off_t)m->number, whences[m->whence])) == -1)
		failed(d, "failed to seek file", errno);
	else
		d->number = (int64_t)at;
}

static void
do_flush(struct file *f, const struct msg_file *m, struct msg_file_done *d)
{
	(void)m;
	/* EINVAL: it is of a kind that is on no disk. */
	if (fsync(f->fd) == -1 && errno != EINVAL && errno != EROFS &&
	    errno != ENOTSUP)
		failed(d, "failed to flush file", errno);
}

/* -1: the frontend has gone. */
static int
send_piece(struct file *f, const unsigned char *p, size_t len)
{
	size_t pos = 0;
	ssize_t n;

	while (pos < len) {
		n = write(f->data, p + pos, len - pos);
		if (n >= 0)
			pos += (size_t)n;
		else if (errno == EAGAIN)
			wait_for(f, POLLOUT, 1);
		else if (errno != EINTR)
			return (-1);
	}
	return (0);
}

/* Some of it, as it comes; -1: errno. */
static ssize_t
take_piece(struct file *f, unsigned char *p, size_t len)
{
	ssize_t n;

	for (;;) {
		n = read(f->data, p, len);
		if (n > 0)
			return (n);
		if (n == 0) {
			errno = ECONNABORTED;
			return (-1);
		}
		if (errno == EAGAIN)
			wait_for(f, POLLIN, 0);
		else if (errno != EINTR)
			return (-1);
	}
}

static int
write_piece(struct file *f, const unsigned char *p, size_t len, int64_t *total)
{
	size_t pos = 0;
	ssize_t n;

	while (pos < len) {
		n = write(f->fd, p + pos, len - pos);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		pos += (size_t)n;
		*total += n;
	}
	return (0);
}

/*
 * Until the data socket is ready.  tell: it is the host that does not read,
 * so the monitor is told, whose deadline counts our own time.
 */
static void
wait_for(struct file *f, short events, int tell)
{
	struct pollfd pfd[2];
	int n, told = 0;

	for (;;) {
		memset(pfd, 0, sizeof(pfd));
		pfd[0].fd = f->ib->fd;
		pfd[0].events = POLLIN;
		if (imsgbuf_queuelen(f->ib) > 0)
			pfd[0].events |= POLLOUT;
		pfd[1].fd = f->data;
		pfd[1].events = events;
		n = poll(pfd, 2, tell && !told ? PATIENCE : -1);
		if (n == -1 && errno != EINTR)
			fatal("poll");
		if (n == 0) {
			told = 1;
			waiting(f, 1);
		}
		if (n <= 0)
			continue;
		if ((pfd[0].revents & POLLOUT) && imsgbuf_write(f->ib) == -1)
			exit(0);
		/* No message can come now: it is the monitor's end. */
		if ((pfd[0].revents & ~POLLOUT) && imsgbuf_read(f->ib) != 1)
			exit(0);
		if (pfd[1].revents != 0)
			break;
	}
	if (told)
		waiting(f, 0);
}

static void
waiting(struct file *f, uint32_t on)
{
	struct msg_file_waiting m = { .id = f->id, .on = on };

	if (msg_send_file_waiting(f->ib, &m) == -1)
		fatal("msg_send_file_waiting");
	if (imsgbuf_write(f->ib) == -1)
		exit(0);
}

static void
failed(struct msg_file_done *d, const char *what, int error)
{
	snprintf(text, sizeof(text), "%s: %s", what, strerror(error));
	d->ok = 0;
	d->text = text;
}

static void
done(struct file *f, struct msg_file_done *d)
{
	d->id = f->id;
	if (msg_send_file_done(f->ib, d) == -1)
		fatal("msg_send_file_done");
	if (imsgbuf_write(f->ib) == -1)
		exit(0);
}
