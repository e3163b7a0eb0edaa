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

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "channel.h"
#include "control.h"
#include "lexer.h"
#include "log.h"
#include "monitor.h"
#include "request.h"

/* Four pages, with what libsodium puts before it. */
#define INPUT_SIZE	(16 * 1024 - 16)
#define OVERFLOW_SIZE	(1024 * 1024)

enum drop {
	DROP_NONE,
	DROP_ALL,	/* the overflow is full; until it is worked off */
	DROP_LINE	/* then up to the next 0xFF or newline */
};

struct input {
	unsigned char	*buf;
	size_t		 pos, len;
};

static struct {
	enum channel_kind kind;
	int		 rfd, wfd;		/* -1: none */
	int		 outfd;			/* waits for CHANNEL_STDIN */
	struct event	 rev, wev;
	int		 reading, writing;	/* which of them are added */
	int		 always;		/* a file: ready, but not polled */
	int		 eof;			/* nothing more comes in */
	int		 gone;			/* what goes out, nobody reads */
	int		 lost;			/* the device went away */
	uint64_t	 arrived;		/* when we last read, ms */
	struct input	 in;			/* locked in memory */
	struct input	 over;			/* ISA: what the queue refused */
	enum drop	 drop;
	int		 dropclean;		/* at the end of a line */
	unsigned long long dropped;
	struct out	 out;
	struct lexer	*lexer;
} ch;

static struct event_base *base;

static void	 on_read(evutil_socket_t, short, void *);
static void	 on_write(evutil_socket_t, short, void *);
static int	 take_input(void);
static void	 took_nothing(ssize_t);
static int	 serial(void);
static struct input *unparsed(void);
static void	 wipe(struct input *, size_t);
static void	 overflow(void);
static void	 overflow_end(void);
static void	 skip_line(void);
static int	 parse(void);
static void	 flush(void);
static void	 want_read(int);
static void	 want_write(int);
static void	 lost(void);
static void	 close_fds(void);
static void	 end_if_done(void);

void
channel_init(struct event_base *b)
{
	base = b;
	ch.rfd = ch.wfd = ch.outfd = -1;
	if ((ch.in.buf = sodium_malloc(INPUT_SIZE)) == NULL)
		fatal("channel buffer");
	out_init(&ch.out);
}

void
channel_limits(const struct limits *l)
{
	const struct lexer_limits ll = {
		.request = l->max_request,
		.bulk = l->max_bulk,
		.depth = (unsigned int)l->max_depth,
		.members = MAX_MEMBERS,
	};

	if (ch.lexer != NULL)
		fatalx("limits sent twice");
	ch.lexer = lexer_new(&ll);
}

void
channel_open(const struct msg_channel *msg, int fd)
{
	short et = msg->kind == CHANNEL_PORT ? EV_ET : 0;

	if (ch.lexer == NULL)
		fatalx("a channel before the limits");
	if (evutil_make_socket_nonblocking(fd) == -1)
		log_warn("channel: O_NONBLOCK");
	if (msg->kind == CHANNEL_STDOUT) {
		ch.outfd = fd;
		return;
	}
	if (ch.rfd != -1) {
		log_warnx("a new channel while one is open");
		lost();
	}
	ch.kind = (enum channel_kind)msg->kind;
	ch.rfd = ch.wfd = fd;
	if (ch.kind == CHANNEL_STDIN) {
		ch.wfd = ch.outfd;
		ch.outfd = -1;
	}
	ch.always = ch.eof = ch.gone = ch.lost = 0;
	/*
	 * A port with no host behind it is always "ready"; edge-triggered it
	 * wakes us once, and again when a host comes.
	 */
	if (event_assign(&ch.rev, base, ch.rfd, EV_READ | EV_PERSIST | et,
	    on_read, NULL) == -1 || event_assign(&ch.wev, base, ch.wfd,
	    EV_WRITE | EV_PERSIST | et, on_write, NULL) == -1)
		fatalx("event_assign");
	if (msg->newline)
		out_str(&ch.out, "\n");
	channel_work();
}

struct out *
channel_out(void)
{
	return (&ch.out);
}

int
channel_full(void)
{
	return (out_pending(&ch.out) > WATERMARK);
}

void
channel_bulk(int busy)
{
	lexer_bulk(ch.lexer, !busy ? 1 : ch.kind == CHANNEL_ISA ? 2 : 0);
}

int
channel_serial(void)
{
	return (serial());
}

/* End of file may be half a close: only then is a closer look worth it. */
int
channel_gone(void)
{
	struct pollfd pfd = { .fd = ch.wfd };

	if (!ch.gone && ch.eof && poll(&pfd, 1, 0) == 1 && pfd.revents != 0)
		ch.gone = 1;
	return (ch.gone);
}

uint64_t
monotonic_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock_gettime");
	return ((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

void
channel_work(void)
{
	int full;

	do {
		while (parse() | requests_run())
			;
		full = channel_full();
		flush();
	} while (full && !channel_full());
	want_read(ch.rfd != -1 && !ch.eof && (ch.kind == CHANNEL_ISA ||
	    (unparsed()->pos == unparsed()->len && requests_room())));
	end_if_done();
	monitor_flush();	/* what the log has left */
}

static int
serial(void)
{
	return (ch.kind == CHANNEL_PORT || ch.kind == CHANNEL_TTY ||
	    ch.kind == CHANNEL_ISA);
}

static void
on_read(evutil_socket_t fd, short what, void *arg)
{
	int more;

	(void)fd;
	(void)what;
	(void)arg;
	do {
		more = take_input();
		channel_work();
	} while (more && ch.kind == CHANNEL_PORT && ch.reading);
}

static void
on_write(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	channel_work();
}

/* One read.  1: there may be more. */
static int
take_input(void)
{
	ssize_t n;

	if (ch.rfd == -1 || ch.eof)
		return (0);
	if (ch.in.pos < ch.in.len) {
		if (ch.kind != CHANNEL_ISA)
			return (0);
		overflow();
	}
	n = read(ch.rfd, ch.in.buf, INPUT_SIZE);
	if (n <= 0) {
		took_nothing(n);
		return (0);
	}
	ch.arrived = monotonic_ms();
	ch.in.len = (size_t)n;
	if (ch.drop == DROP_LINE)
		skip_line();
	if (ch.over.buf != NULL || ch.drop == DROP_ALL)
		overflow();
	return (1);
}

static void
took_nothing(ssize_t n)
{
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (serial()) {
		/*
		 * On a virtio port 0 is no host: it may come, or come back.
		 * The half of a request that it left is nobody's now.
		 */
		if (n == 0 && ch.kind == CHANNEL_PORT) {
			lexer_reset(ch.lexer);
			return;
		}
		if (n == -1)
			log_warn("channel: read");
		lost();
		return;
	}
	ch.eof = 1;
	if (n == -1)
		ch.gone = 1;		/* ECONNRESET */
}

static struct input *
unparsed(void)
{
	return (ch.over.buf != NULL ? &ch.over : &ch.in);
}

/* Its first n bytes were consumed. */
static void
wipe(struct input *i, size_t n)
{
	if (DEFENCE(CONTROL_WIPE))
		explicit_bzero(i->buf + i->pos, n);
	i->pos += n;
	if (i->pos < i->len)
		return;
	i->pos = i->len = 0;
	if (i == &ch.over) {
		free(i->buf);
		i->buf = NULL;
	}
}

/* A port without flow control: keep what the queue has no room for. */
static void
overflow(void)
{
	size_t n = ch.in.len - ch.in.pos, fit = 0;

	if (n == 0)
		return;
	if (ch.over.buf == NULL && ch.drop == DROP_NONE &&
	    (ch.over.buf = malloc(OVERFLOW_SIZE)) == NULL)
		fatal("overflow buffer");
	if (ch.drop == DROP_NONE) {
		memmove(ch.over.buf, ch.over.buf + ch.over.pos,
		    ch.over.len - ch.over.pos);
		ch.over.len -= ch.over.pos;
		ch.over.pos = 0;
		fit = OVERFLOW_SIZE - ch.over.len;
		if (fit > n)
			fit = n;
		memcpy(ch.over.buf + ch.over.len, ch.in.buf + ch.in.pos, fit);
		ch.over.len += fit;
	}
	if (fit < n) {
		ch.drop = DROP_ALL;
		ch.dropped += n - fit;
		ch.dropclean = ch.in.buf[ch.in.len - 1] == '\n' ||
		    ch.in.buf[ch.in.len - 1] == 0xff;
	}
	wipe(&ch.in, n);
}

/* All that was kept is worked off: say what is missing after it. */
static void
overflow_end(void)
{
	struct request req;

	lexer_reset(ch.lexer);
	memset(&req, 0, sizeof(req));
	req.error = text_format("input overrun: %llu bytes lost, the bound "
	    "is %d", ch.dropped, OVERFLOW_SIZE);
	log_warnx("channel: %s", req.error);
	req.arrived = ch.arrived;
	requests_push(&req);
	ch.drop = ch.dropclean ? DROP_NONE : DROP_LINE;
	ch.dropped = 0;
}

static void
skip_line(void)
{
	size_t i;

	for (i = ch.in.pos; i < ch.in.len; i++)
		if (ch.in.buf[i] == '\n' || ch.in.buf[i] == 0xff) {
			ch.drop = DROP_NONE;
			break;
		}
	wipe(&ch.in, i - ch.in.pos);
}

/* Bytes to requests while the queue has room.  1: there was one. */
static int
parse(void)
{
	enum lexer_event event;
	struct request req;
	struct input *i;
	size_t n;
	int some = 0;

	while (requests_room()) {
		i = unparsed();
		if (i->pos == i->len)
			break;
		n = lexer_feed(ch.lexer, i->buf + i->pos, i->len - i->pos,
		    &event, &req);
		wipe(i, n);
		if (event == LEXER_HOLD)
			return (some);
		if (event == LEXER_MORE)
			continue;
		req.arrived = ch.arrived;
		requests_push(&req);
		some = 1;
	}
	if (unparsed()->pos < unparsed()->len)
		return (some);
	if (ch.drop == DROP_ALL && requests_room()) {
		overflow_end();
		some = 1;
	}
	/* Half a message of a client that has ended is nobody's. */
	if (ch.eof && lexer_finish(ch.lexer, &req) == LEXER_ERROR)
		request_clear(&req);
	return (some);
}

static void
flush(void)
{
	size_t left;
	ssize_t n;

	while ((left = out_pending(&ch.out)) > 0 && ch.kind != CHANNEL_NONE) {
		if (ch.gone) {
			out_consume(&ch.out, left);
			break;
		}
		n = write(ch.wfd, ch.out.buf + ch.out.off, left);
		if (n > 0)
			out_consume(&ch.out, (size_t)n);
		else if (n == 0 || errno == EAGAIN) {
			want_write(1);
			return;
		} else if (errno != EINTR) {
			if (serial()) {
				log_warn("channel: write");
				lost();
			} else
				ch.gone = 1;
		}
	}
	want_write(0);
}

static void
want_read(int want)
{
	if (ch.always && want)
		event_active(&ch.rev, EV_READ, 0);
	if (ch.always || want == ch.reading)
		return;
	if (want && event_add(&ch.rev, NULL) == -1) {
		/* A file, which epoll does not take. */
		ch.always = 1;
		event_active(&ch.rev, EV_READ, 0);
		return;
	}
	if (!want && event_del(&ch.rev) == -1)
		fatalx("event_del");
	ch.reading = want;
}

static void
want_write(int want)
{
	if (want == ch.writing)
		return;
	if ((want ? event_add(&ch.wev, NULL) : event_del(&ch.wev)) == -1)
		fatalx("channel: write event");
	ch.writing = want;
}

/*
 * The device went away.  What is in the queue is still worked off, unseen;
 * the monitor is told when that is done, and opens the device anew.
 */
static void
lost(void)
{
	ch.eof = ch.gone = ch.lost = 1;
	close_fds();
	if (ch.in.len > ch.in.pos)
		wipe(&ch.in, ch.in.len - ch.in.pos);
	if (ch.over.buf != NULL)
		wipe(&ch.over, ch.over.len - ch.over.pos);
	ch.drop = DROP_NONE;
	ch.dropped = 0;
	lexer_reset(ch.lexer);
}

static void
close_fds(void)
{
	want_read(0);
	want_write(0);
	if (ch.always)
		(void)event_del(&ch.rev);
	if (ch.wfd != ch.rfd && ch.wfd != -1)
		close(ch.wfd);
	if (ch.rfd != -1)
		close(ch.rfd);
	ch.rfd = ch.wfd = -1;
}

static void
end_if_done(void)
{
	if (ch.kind == CHANNEL_NONE || !ch.eof || !requests_idle() ||
	    unparsed()->pos < unparsed()->len ||
	    (out_pending(&ch.out) > 0 && !ch.gone))
		return;
	close_fds();
	ch.kind = CHANNEL_NONE;
	if (out_pending(&ch.out) > 0)
		out_consume(&ch.out, out_pending(&ch.out));
	monitor_channel_end(ch.lost ? CHANNEL_LOST : CHANNEL_CLOSED);
}
