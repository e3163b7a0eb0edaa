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
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "channel.h"
#include "control.h"
#include "json.h"
#include "log.h"
#include "request.h"
#include "stream.h"

#define CHUNK		(48 * 1024)	/* whole groups of base64 */
#define TRAILER		256		/* more than what follows the data */

struct part {
	const char	*name, *cutname;
	size_t		 take, skip;	/* still to come: to send, to drop */
	int		 begun, cut;
	int		 named;		/* is in the reply, so its flag is */
};

static struct {
	int		 fd;
	struct event	 event;
	int		 waiting;	/* the event is added */
	struct exec_result result;
	struct part	 part[2];
	struct json_base64 base64;
	int		 members;	/* written so far */
	/* of a file: */
	int		 file;
	size_t		 got;
	int		 known;		/* the monitor has said how it ended */
	size_t		 total;
	int		 eof;
} st = { .fd = -1 };

static struct {
	int		 fd;
	struct event	 event;
	const unsigned char *data;
	size_t		 left;
	void		*secret;	/* all of it; NULL: it is none */
	size_t		 len;
} push = { .fd = -1 };

static struct event_base *base;

static void	 stream_open(int);
static void	 stream_close(void);
static int	 file_pump(void);
static void	 file_finish(void);
static void	 on_stream(evutil_socket_t, short, void *);
static void	 stream_want(int);
static void	 stream_fit(void);
static int	 stream_read(struct part *);
static void	 part_begin(struct part *);
static void	 part_end(struct part *);
static void	 stream_end(void);
static void	 member(const char *);
static void	 on_push(evutil_socket_t, short, void *);

void
stream_init(struct event_base *b)
{
	base = b;
}

void
stream_start(const struct exec_result *result, int fd)
{
	static const struct part parts[2] = {
		{ .name = "out-data", .cutname = "out-truncated" },
		{ .name = "err-data", .cutname = "err-truncated" },
	};

	st.result = *result;
	memcpy(st.part, parts, sizeof(parts));
	if (result->exited) {
		st.part[0].take = result->out;
		st.part[0].cut = result->outcut != 0;
		st.part[1].take = result->err;
		st.part[1].cut = result->errcut != 0;
	}
	stream_fit();
	stream_open(fd);
	answer_begin();
	out_str(channel_out(), "{");
}

static void
stream_open(int fd)
{
	st.fd = fd;
	st.file = 0;
	st.members = 0;
	if (fd != -1 && (evutil_make_socket_nonblocking(fd) == -1 ||
	    event_assign(&st.event, base, fd, EV_READ | EV_PERSIST,
	    on_stream, NULL) == -1))
		fatalx("stream: event");
}

void
stream_stop(void)
{
	stream_close();
	st.file = 0;
}

static void
stream_close(void)
{
	if (st.fd == -1)
		return;
	stream_want(0);
	close(st.fd);
	st.fd = -1;
}

size_t
stream_room(void)
{
	size_t line = requests_bounds()->max_reply;
	size_t around = answer_overhead() + TRAILER;

	return (line > around ? (line - around) / 4 * 3 : 0);
}

/*
 * The monitor has made it fit the line, but does not know the id: half of
 * the room each, and what one leaves goes to the other.
 */
static void
stream_fit(void)
{
	size_t room = stream_room(), other, i;

	for (i = 0; i < 2; i++) {
		other = i == 1 ? st.part[0].take : st.part[1].take;
		if (i == 0 && other > room / 2)
			other = room / 2;
		if (st.part[i].take <= room - other)
			continue;
		st.part[i].skip = st.part[i].take - (room - other);
		st.part[i].take = room - other;
		st.part[i].cut = 1;
	}
}

static void
on_stream(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	channel_work();
}

static void
stream_want(int want)
{
	if (want == st.waiting)
		return;
	if ((want ? event_add(&st.event, NULL) : event_del(&st.event)) == -1)
		fatalx("stream: event");
	st.waiting = want;
}

int
stream_pump(void)
{
	int i, n, some = 0;

	if (st.file)
		return (file_pump());
	for (i = 0; i < 2; i++) {
		while (st.part[i].take + st.part[i].skip > 0) {
			if (channel_full()) {
				stream_want(0);
				return (some);
			}
			if ((n = stream_read(&st.part[i])) == 0) {
				stream_want(1);
				return (some);
			}
			some = 1;
			if (n == -1) {
				/* Nothing more comes of this or the next. */
				log_warnx("guest-exec-status: the output "
				    "broke off");
				for (; i < 2; i++)
					part_end(&st.part[i]);
				stream_end();
				return (1);
			}
		}
		part_end(&st.part[i]);
	}
	stream_end();
	return (1);
}

/* 1: some bytes; 0: not now; -1: it broke. */
static int
stream_read(struct part *p)
{
	static unsigned char buf[CHUNK];
	size_t want = p->take > 0 ? p->take : p->skip;
	ssize_t n;

	n = read(st.fd, buf, want < sizeof(buf) ? want : sizeof(buf));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return (0);
	if (n <= 0)
		return (-1);
	part_begin(p);
	if (p->take > 0) {
		json_base64(channel_out(), &st.base64, buf, (size_t)n);
		p->take -= (size_t)n;
	} else
		p->skip -= (size_t)n;
	return (1);
}

static void
part_begin(struct part *p)
{
	if (p->begun)
		return;
	if (st.file) {
		answer_begin();
		out_str(channel_out(), "{");
	}
	member(p->name);
	out_str(channel_out(), "\"");
	memset(&st.base64, 0, sizeof(st.base64));
	p->begun = p->named = 1;
}

static void
part_end(struct part *p)
{
	if (p->take + p->skip > 0)
		p->cut = 1;
	if (p->begun) {
		json_base64_end(channel_out(), &st.base64);
		out_str(channel_out(), "\"");
	}
	p->take = p->skip = 0;
	p->begun = 0;
}

static void
member(const char *name)
{
	struct out *o = channel_out();

	out_str(o, st.members++ == 0 ? "\"" : ", \"");
	out_str(o, name);
	out_str(o, "\": ");
}

static void
stream_end(void)
{
	struct out *o = channel_out();
	int i;

	stream_close();
	member("exited");
	json_boolean(o, st.result.exited != 0);
	if (st.result.exited) {
		member(st.result.signaled ? "signal" : "exitcode");
		json_uint(o, st.result.code);
		for (i = 0; i < 2; i++)
			if (st.part[i].named || st.part[i].cut) {
				member(st.part[i].cutname);
				json_boolean(o, st.part[i].cut);
			}
	}
	out_str(o, "}");
	answer_end();
}

/* --- of a file --- */

void
stream_file(int fd, size_t max)
{
	static const struct part part = { .name = "buf-b64" };

	stream_open(fd);
	st.file = 1;
	st.part[0] = part;
	st.part[0].take = max;
	st.got = 0;
	st.known = 0;
	if (fd != -1)
		stream_want(1);
}

int
stream_begun(void)
{
	return (st.file && st.part[0].begun);
}

void
stream_file_end(const struct msg_reply *reply)
{
	if (!st.file)
		stream_file(-1, 0);
	st.known = 1;
	st.eof = 0;
	if (reply->kind == REPLY_FILE) {
		st.eof = reply->eof != 0;
		st.total = (uint64_t)reply->number < st.got + st.part[0].take ?
		    (size_t)reply->number : st.got + st.part[0].take;
	} else
		st.total = st.got;
}

static int
file_pump(void)
{
	struct part *p = &st.part[0];
	size_t before = p->take;
	int n = 1, some = 0;

	while (st.fd != -1 && p->take > 0 &&
	    (!st.known || st.got < st.total)) {
		if (channel_full() || (n = stream_read(p)) == 0) {
			stream_want(n == 0);
			return (some);
		}
		if (n == -1) {
			/* Why, the monitor will say. */
			stream_close();
			break;
		}
		st.got += before - p->take;
		before = p->take;
		some = 1;
	}
	if (!st.known) {
		/* What a worker sends past the number would wait in it. */
		stream_close();
		return (some);
	}
	file_finish();
	return (1);
}

/* What was sent is what the line says was read. */
static void
file_finish(void)
{
	struct out *o = channel_out();

	stream_close();
	part_begin(&st.part[0]);
	part_end(&st.part[0]);
	member("count");
	json_uint(o, st.got);
	member("eof");
	json_boolean(o, st.eof && st.got == st.total);
	out_str(o, "}");
	st.file = 0;
	answer_end();
}

/* --- the other way --- */

void
push_start(int fd, void *data, size_t len, int secret)
{
	push_stop();
	push.fd = fd;
	push.data = data;
	push.secret = secret ? data : NULL;
	push.len = len;
	push.left = len;
	if (evutil_make_socket_nonblocking(fd) == -1 ||
	    event_assign(&push.event, base, fd, EV_WRITE | EV_PERSIST,
	    on_push, NULL) == -1 || event_add(&push.event, NULL) == -1)
		fatalx("push: event");
}

void
push_stop(void)
{
	if (push.fd == -1)
		return;
	(void)event_del(&push.event);
	close(push.fd);
	push.fd = -1;
	push.data = NULL;
	if (push.secret != NULL && DEFENCE(CONTROL_WIPE))
		explicit_bzero(push.secret, push.len);
	push.secret = NULL;
}

static void
on_push(evutil_socket_t fd, short what, void *arg)
{
	ssize_t n;

	(void)fd;
	(void)what;
	(void)arg;
	n = write(push.fd, push.data, push.left);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		push.data += n;
		push.left -= (size_t)n;
	}
	/* A worker that does not want it says why to the monitor. */
	if (n <= 0 || push.left == 0)
		push_stop();
}
