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

/* One frame as it arrives: its header, then its bytes. */
static struct {
	int		 fd;
	struct event	 event;
	unsigned char	 header[FRAME_HEADER];
	unsigned char	*buf;		/* NULL: the header is not complete */
	size_t		 have, size;
	struct frame	 frame;
} data = { .fd = -1 };

static struct event_base *base;

static void	 on_read(evutil_socket_t, short, void *);
static void	 on_write(evutil_socket_t, short, void *);
static void	 dispatch(struct imsg *);
static int	 take_limits(struct imsg *);
static int	 take_policy(struct imsg *);
static int	 take_channel(struct imsg *);
static int	 take_data(struct imsg *);
static int	 take_go(struct imsg *);
static int	 take_reply(struct imsg *);
static void	 on_data(evutil_socket_t, short, void *);
static ssize_t	 data_read(void);
static int	 data_header(void);
static void	 data_grow(void);
static void	 data_close(void);

static int	(*const takes[MSG_MAX])(struct imsg *) = {
	[MSG_LIMITS] = take_limits,
	[MSG_POLICY] = take_policy,
	[MSG_CHANNEL] = take_channel,
	[MSG_DATA] = take_data,
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
	uint64_t id;

	if (msg_recv_data(imsg, &id) == -1)
		return (-1);
	data_close();
	data.fd = imsg_get_fd(imsg);
	if (evutil_make_socket_nonblocking(data.fd) == -1 ||
	    event_assign(&data.event, base, data.fd, EV_READ | EV_PERSIST,
	    on_data, NULL) == -1 || event_add(&data.event, NULL) == -1)
		fatalx("data: event");
	return (0);
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

static void
on_data(evutil_socket_t fd, short what, void *arg)
{
	unsigned char *buf;
	ssize_t n;

	(void)fd;
	(void)what;
	(void)arg;
	while (data.buf == NULL || data.have < data.frame.len) {
		n = data_read();
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			/* The worker ended; what that means, the monitor says. */
			data_close();
			return;
		}
		data.have += (size_t)n;
		if (data.buf == NULL && data.have == FRAME_HEADER &&
		    data_header() == -1)
			return;
	}
	buf = data.buf;
	data.buf = NULL;
	data.have = 0;
	/* The last use of what is static here: it leads to the next one. */
	requests_frame(&data.frame, buf);
	free(buf);
}

static ssize_t
data_read(void)
{
	size_t want;

	if (data.buf == NULL)
		return (read(data.fd, data.header + data.have,
		    FRAME_HEADER - data.have));
	if (data.have == data.size)
		data_grow();
	want = data.size - data.have;
	if (want > data.frame.len - data.have)
		want = data.frame.len - data.have;
	return (read(data.fd, data.buf + data.have, want));
}

static int
data_header(void)
{
	if (frame_decode(data.header, &data.frame) == -1 ||
	    data.frame.kind >= FRAME_KINDS || data.frame.len > VALUE_SIZE) {
		log_warnx("the query worker sent a malformed frame");
		data_close();
		requests_malformed();
		return (-1);
	}
	data.have = 0;
	data.size = data.frame.len < FRAME_START ? data.frame.len + 1 :
	    FRAME_START;
	if ((data.buf = malloc(data.size)) == NULL)
		fatal("frame");
	return (0);
}

/* Memory for what came, not for what was promised. */
static void
data_grow(void)
{
	unsigned char *buf;

	if ((buf = realloc(data.buf, data.size * 2)) == NULL)
		fatal("frame");
	data.buf = buf;
	data.size *= 2;
}

static void
data_close(void)
{
	if (data.fd == -1)
		return;
	(void)event_del(&data.event);
	close(data.fd);
	data.fd = -1;
	free(data.buf);
	data.buf = NULL;
	data.have = 0;
}
