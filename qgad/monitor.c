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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "channel.h"
#include "imsg.h"
#include "log.h"
#include "monitor.h"
#include "request.h"
#include "value.h"

#define FRAME_START	4096		/* first size of a frame's buffer */

static struct {
	struct imsgbuf	*ibuf;
	struct event	 rev, wev;
	int		 writing;	/* wev is added */
	int		 limits;	/* they have come */
} mon;

/*
 * One frame as it arrives: its header, then its bytes.  A small one comes
 * with one read.
 */
static struct feed {
	int		 fd;
	struct event	 event;
	unsigned char	 in[FRAME_START];
	size_t		 at, end;	/* of in: not looked at yet */
	unsigned char	 header[FRAME_HEADER];
	unsigned char	*buf;		/* NULL: the header is not complete */
	size_t		 have, size;
	struct frame	 frame;
} queries = { .fd = -1 }, result = { .fd = -1 };

static struct event_base *base;

static void	 on_read(evutil_socket_t, short, void *);
static void	 on_write(evutil_socket_t, short, void *);
static void	 dispatch(struct imsg *);
static int	 take_limits(struct imsg *);
static int	 take_policy(struct imsg *);
static int	 take_channel(struct imsg *);
static int	 take_data(struct imsg *);
static int	 take_result(struct imsg *);
static int	 take_go(struct imsg *);
static int	 take_reply(struct imsg *);
static int	 feed_open(struct feed *, struct imsg *);
static void	 on_feed(evutil_socket_t, short, void *);
static void	 feed_frame(struct feed *);
static ssize_t	 feed_read(struct feed *);
static ssize_t	 feed_take(struct feed *, unsigned char *, size_t);
static int	 feed_header(struct feed *);
static void	 feed_grow(struct feed *);
static void	 feed_close(struct feed *);

static int	(*const takes[MSG_MAX])(struct imsg *) = {
	[MSG_LIMITS] = take_limits,
	[MSG_POLICY] = take_policy,
	[MSG_CHANNEL] = take_channel,
	[MSG_DATA] = take_data,
	[MSG_RESULT] = take_result,
	[MSG_GO] = take_go,
	[MSG_REPLY] = take_reply,
};

void
monitor_init(struct event_base *b, struct imsgbuf *ibuf)
{
	base = b;
	mon.ibuf = ibuf;
	imsgbuf_allow_fdpass(ibuf);
	if (imsgbuf_set_maxsize(ibuf, MSG_SIZE_MAX) == -1)
		fatal("imsgbuf_set_maxsize");
	if (event_assign(&mon.rev, b, ibuf->fd, EV_READ | EV_PERSIST, on_read,
	    NULL) == -1 || event_assign(&mon.wev, b, ibuf->fd,
	    EV_WRITE | EV_PERSIST, on_write, NULL) == -1 ||
	    event_add(&mon.rev, NULL) == -1)
		fatalx("monitor: event");
}

struct imsgbuf *
monitor_imsg(void)
{
	return (mon.ibuf);
}

void
monitor_flush(void)
{
	int want;

	if (imsgbuf_queuelen(mon.ibuf) > 0 && imsgbuf_write(mon.ibuf) == -1) {
		if (errno == EPIPE || errno == ECONNRESET)
			exit(0);	/* the monitor has gone */
		fatal("imsgbuf_write");
	}
	want = imsgbuf_queuelen(mon.ibuf) > 0;
	if (want == mon.writing)
		return;
	if ((want ? event_add(&mon.wev, NULL) : event_del(&mon.wev)) == -1)
		fatalx("monitor: event");
	mon.writing = want;
}

void
monitor_channel_end(enum channel_end how)
{
	if (msg_send_channel_end(mon.ibuf, how) == -1)
		fatal("MSG_CHANNEL_END");
	monitor_flush();
}

static void
on_write(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	monitor_flush();
}

static void
on_read(evutil_socket_t fd, short what, void *arg)
{
	struct imsg imsg;
	int n;

	(void)fd;
	(void)what;
	(void)arg;
	n = imsgbuf_read(mon.ibuf);
	if (n == 0 || (n == -1 && errno == ECONNRESET))
		exit(0);		/* the monitor has gone */
	if (n == -1)
		fatal("imsgbuf_read");
	while ((n = imsgbuf_get(mon.ibuf, &imsg)) == 1) {
		dispatch(&imsg);
		imsg_free(&imsg);
	}
	if (n == -1)
		fatal("imsgbuf_get");
	monitor_flush();
}

static void
dispatch(struct imsg *imsg)
{
	uint32_t type = imsg_get_type(imsg);

	if (type >= MSG_MAX || takes[type] == NULL || msg_check(imsg) == -1)
		fatalx("message %s from the monitor", msg_name(type));
	if (!mon.limits && type != MSG_LIMITS)
		fatalx("message %s before the limits", msg_name(type));
	if (takes[type](imsg) == -1)
		fatal("message %s from the monitor", msg_name(type));
}

static int
take_limits(struct imsg *imsg)
{
	struct limits limits;

	if (msg_recv_limits(imsg, &limits) == -1)
		return (-1);
	requests_limits(&limits);
	channel_limits(&limits);
	mon.limits = 1;
	return (0);
}

static int
take_policy(struct imsg *imsg)
{
	struct msg_policy policy;

	if (msg_recv_policy(imsg, &policy) == -1)
		return (-1);
	requests_policy(&policy);
	return (0);
}

static int
take_channel(struct imsg *imsg)
{
	struct msg_channel msg;

	if (msg_recv_channel(imsg, &msg) == -1)
		return (-1);
	channel_open(&msg, imsg_get_fd(imsg));
	return (0);
}

static int
take_data(struct imsg *imsg)
{
	return (feed_open(&queries, imsg));
}

static int
take_result(struct imsg *imsg)
{
	return (feed_open(&result, imsg));
}

static int
take_go(struct imsg *imsg)
{
	uint64_t id;

	if (msg_recv_data(imsg, &id) == -1)
		return (-1);
	requests_go(id, imsg_get_fd(imsg));
	return (0);
}

static int
take_reply(struct imsg *imsg)
{
	struct msg_reply reply;

	if (msg_recv_reply(imsg, &reply) == -1)
		return (-1);
	requests_reply(&reply, imsg_get_fd(imsg));
	return (0);
}

/* --- results --- */

static int
feed_open(struct feed *f, struct imsg *imsg)
{
	uint64_t id;

	if (msg_recv_data(imsg, &id) == -1)
		return (-1);
	feed_close(f);
	f->fd = imsg_get_fd(imsg);
	if (evutil_make_socket_nonblocking(f->fd) == -1 ||
	    event_assign(&f->event, base, f->fd, EV_READ | EV_PERSIST,
	    on_feed, f) == -1 || event_add(&f->event, NULL) == -1)
		fatalx("data: event");
	return (0);
}

static void
on_feed(evutil_socket_t fd, short what, void *arg)
{
	struct feed *f = arg;

	(void)fd;
	(void)what;
	do
		feed_frame(f);
	while (f->at < f->end);
}

static void
feed_frame(struct feed *f)
{
	struct frame frame;
	unsigned char *buf;
	ssize_t n;

	while (f->buf == NULL || f->have < f->frame.len) {
		n = feed_read(f);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			/* The worker ended; what that means, the monitor says. */
			feed_close(f);
			return;
		}
		f->have += (size_t)n;
		if (f->buf == NULL && f->have == FRAME_HEADER &&
		    feed_header(f) == -1)
			return;
	}
	frame = f->frame;
	buf = f->buf;
	f->buf = NULL;
	f->have = 0;
	requests_frame(&frame, buf);
	free(buf);
}

static ssize_t
feed_read(struct feed *f)
{
	size_t want;

	if (f->buf == NULL)
		return (feed_take(f, f->header + f->have,
		    FRAME_HEADER - f->have));
	if (f->have == f->size)
		feed_grow(f);
	want = f->size - f->have;
	if (want > f->frame.len - f->have)
		want = f->frame.len - f->have;
	return (feed_take(f, f->buf + f->have, want));
}

/* As read(2); few bytes come by way of f->in. */
static ssize_t
feed_take(struct feed *f, unsigned char *dst, size_t want)
{
	ssize_t n;

	if (f->at == f->end) {
		if (want >= sizeof(f->in))
			return (read(f->fd, dst, want));
		if ((n = read(f->fd, f->in, sizeof(f->in))) <= 0)
			return (n);
		f->at = 0;
		f->end = (size_t)n;
	}
	if (want > f->end - f->at)
		want = f->end - f->at;
	memcpy(dst, f->in + f->at, want);
	f->at += want;
	return ((ssize_t)want);
}

static int
feed_header(struct feed *f)
{
	if (frame_decode(f->header, &f->frame) == -1 ||
	    f->frame.kind >= FRAME_KINDS || f->frame.len > VALUE_SIZE) {
		log_warnx("a worker sent a malformed frame");
		feed_close(f);
		requests_malformed();
		return (-1);
	}
	f->have = 0;
	f->size = f->frame.len < FRAME_START ? f->frame.len + 1 :
	    FRAME_START;
	if ((f->buf = malloc(f->size)) == NULL)
		fatal("frame");
	return (0);
}

/* Memory for what came, not for what was promised. */
static void
feed_grow(struct feed *f)
{
	unsigned char *buf;

	if ((buf = realloc(f->buf, f->size * 2)) == NULL)
		fatal("frame");
	f->buf = buf;
	f->size *= 2;
}

static void
feed_close(struct feed *f)
{
	if (f->fd == -1)
		return;
	(void)event_del(&f->event);
	close(f->fd);
	f->fd = -1;
	free(f->buf);
	f->buf = NULL;
	f->have = f->at = f->end = 0;
}
