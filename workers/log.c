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
 * qgad-log: writes the log.  Opens its one destination as root (standard
 * error, a file, or syslog's socket), then is _qgadw, chrooted and confined,
 * and writes what the monitor sends it.  It may block as long as it likes:
 * the monitor does not wait for it.  Peers: the monitor on fd 3.
 * Own arguments: stderr, syslog, or file and its path.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "confine.h"
#include "imsg.h"
#include "log.h"
#include "messages.h"

#define ROOM	128		/* for what stands before a line's text */

struct dest {
	int		 fd;
	int		 datagrams;	/* syslog's socket */
	long		 pid;		/* shown in syslog: the monitor's */
	uint64_t	 lost;		/* lines not written */
	int		 error;		/* why the last of them was not */
	int		 midline;	/* a line was written in part */
};

static const char *const syslog_paths[] = { "/dev/log", "/var/run/log" };

static const int priorities[LEVEL_MAX] = {
	[LEVEL_ERROR] = LOG_DAEMON | LOG_ERR,
	[LEVEL_WARN] = LOG_DAEMON | LOG_WARNING,
	[LEVEL_INFO] = LOG_DAEMON | LOG_INFO,
	[LEVEL_DEBUG] = LOG_DAEMON | LOG_DEBUG,
	[LEVEL_AUDIT] = LOG_AUTHPRIV | LOG_INFO
};

static void	 open_dest(struct dest *, int, char **);
static int	 open_file(const char *);
static int	 open_syslog(void);
static void	 serve(struct dest *, struct imsgbuf *);
static void	 line(struct dest *, const struct msg_log *);
static int	 put(struct dest *, const struct msg_log *);
static int	 put_bytes(struct dest *, const char *, size_t);
static int	 put_datagram(struct dest *, const char *, size_t);

int
main(int argc, char *argv[])
{
	struct imsgbuf ib;
	struct ids ids;
	struct dest dest;

	child_start(ROLE_LOG, argc, argv, &ib, &ids);
	/* A file that may not grow is an error of write(2), no more. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		fatal("signal");
	memset(&dest, 0, sizeof(dest));
	dest.pid = (long)getppid();
	open_dest(&dest, argc - 4, argv + 4);
	/* Standard error was for what can go wrong up to here. */
	if (dest.fd != STDERR_FILENO && dup2(STDIN_FILENO, STDERR_FILENO) == -1)
		fatal("standard error");
	confine(ROLE_LOG, &ids);
	child_ready(ROLE_LOG, &ib);
	serve(&dest, &ib);
	return (0);
}

static void
open_dest(struct dest *d, int argc, char **argv)
{
	if (argc == 1 && strcmp(argv[0], "stderr") == 0)
		d->fd = STDERR_FILENO;
	else if (argc == 2 && strcmp(argv[0], "file") == 0)
		d->fd = open_file(argv[1]);
	else if (argc == 1 && strcmp(argv[0], "syslog") == 0) {
		d->fd = open_syslog();
		d->datagrams = 1;
	} else
		fatalx("usage: qgad-log --worker ids level "
		    "stderr | syslog | file path");
}

static int
open_file(const char *path)
{
	int fd, flags;

	/* O_NONBLOCK for the open only: a FIFO nobody reads is an error. */
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK, 0640);
	if (fd == -1)
		fatal("log file %s", path);
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == -1)
		fatal("log file %s: fcntl", path);
	return (fd);
}

/* Not syslog(3): it opens files again whenever it likes. */
static int
open_syslog(void)
{
	struct sockaddr_un sun;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(syslog_paths) / sizeof(syslog_paths[0]); i++) {
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd == -1)
			fatal("socket");
		memset(&sun, 0, sizeof(sun));
		sun.sun_family = AF_UNIX;
		snprintf(sun.sun_path, sizeof(sun.sun_path), "%s",
		    syslog_paths[i]);
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return (fd);
		close(fd);
	}
	fatal("no syslog at /dev/log or /var/run/log");
}

static void
serve(struct dest *d, struct imsgbuf *ib)
{
	struct pollfd pfd;
	struct msg_log m;
	struct imsg imsg;
	int n;

	for (;;) {
		while ((n = imsgbuf_get(ib, &imsg)) == 1) {
			if (imsg_get_type(&imsg) != MSG_LINE ||
			    msg_check(&imsg) == -1 ||
			    msg_recv_log(&imsg, &m) == -1 ||
			    m.level >= LEVEL_MAX)
				fatalx("bad message: %s",
				    msg_name(imsg_get_type(&imsg)));
			line(d, &m);
			imsg_free(&imsg);
		}
		if (n == -1)
			fatal("imsgbuf_get");
		memset(&pfd, 0, sizeof(pfd));
		pfd.fd = ib->fd;
		pfd.events = POLLIN;
		if (imsgbuf_queuelen(ib) > 0)
			pfd.events |= POLLOUT;
		if (poll(&pfd, 1, -1) == -1 && errno != EINTR)
			fatal("poll");
		/* A monitor that has gone may have left lines to be read. */
		if (imsgbuf_queuelen(ib) > 0 && imsgbuf_write(ib) == -1)
			imsgbuf_clear(ib);
		/* A reset is an end with something of ours left unread. */
		if ((n = imsgbuf_read(ib)) == 0 ||
		    (n == -1 && errno == ECONNRESET))
			return;
		if (n == -1)
			fatal("imsgbuf_read");
	}
}

/* One line out; one that cannot be written is counted, and told of later. */
static void
line(struct dest *d, const struct msg_log *m)
{
	struct msg_log note;
	char text[ROOM];

	if (d->lost > 0) {
		snprintf(text, sizeof(text), "%" PRIu64 " lines of the log "
		    "were lost: %s", d->lost, strerror(d->error));
		note.level = LEVEL_WARN;
		note.when = m->when;
		note.line = text;
		if (put(d, &note) == -1) {
			d->error = errno;
			d->lost++;
			return;
		}
		d->lost = 0;
	}
	if (put(d, m) == -1) {
		d->error = errno;
		d->lost++;
	}
}

static int
put(struct dest *d, const struct msg_log *m)
{
	char buf[MSG_LINE_MAX + ROOM];
	size_t len;
	int n;

	if (d->datagrams)
		n = snprintf(buf, sizeof(buf), "<%d>qgad[%ld]: %s",
		    priorities[m->level], d->pid, m->line);
	else
		n = snprintf(buf, sizeof(buf), "%s%" PRIu64 ".%06" PRIu64
		    ": %s: %s\n", d->midline ? "\n" : "", m->when / 1000000,
		    m->when % 1000000, log_level_name(m->level), m->line);
	if (n < 0 || (size_t)n >= sizeof(buf)) {
		errno = EMSGSIZE;
		return (-1);
	}
	len = (size_t)n;
	return (d->datagrams ? put_datagram(d, buf, len) :
	    put_bytes(d, buf, len));
}

/* Whole, or -1 with errno. */
static int
put_bytes(struct dest *d, const char *p, size_t len)
{
	struct pollfd pfd;
	ssize_t n;

	while (len > 0) {
		if ((n = write(d->fd, p, len)) == -1) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN)
				return (-1);
			/* Standard error as we got it may not block. */
			memset(&pfd, 0, sizeof(pfd));
			pfd.fd = d->fd;
			pfd.events = POLLOUT;
			if (poll(&pfd, 1, -1) == -1 && errno != EINTR)
				return (-1);
			continue;
		}
		p += n;
		len -= (size_t)n;
		d->midline = len > 0;
	}
	return (0);
}

static int
put_datagram(struct dest *d, const char *p, size_t len)
{
	while (send(d->fd, p, len, 0) == -1) {
		switch (errno) {
		case EINTR:
			continue;
		case ECONNREFUSED:
		case ENOTCONN:
		case ECONNRESET:
		case EPIPE:
		case EDESTADDRREQ:
			/* syslogd began anew: so must we, outside the chroot. */
			fatal("syslog");
		default:
			return (-1);
		}
	}
	return (0);
}
