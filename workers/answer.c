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

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "confine.h"
#include "imsg.h"
#include "log.h"
#include "messages.h"
#include "value.h"

static void	 send_frame(const struct frame *, const void *);
static void	 wait_for(int);

/* The result first: the monitor's MSG_DONE says that it can be read. */
void
answer_value(struct imsgbuf *monitor, uint64_t id, struct value_writer *w,
    enum done how, const char *err)
{
	struct frame	 f;
	struct ibuf	*tree = NULL;
	char		 text[128];

	memset(&f, 0, sizeof(f));
	f.id = id;
	if (how != DONE_OK)
		value_abort(w);
	else if ((tree = value_done(w)) == NULL) {
		(void)snprintf(text, sizeof(text), "the result%s%s",
		    errno == ERANGE ? "" : ": ",
		    errno == ERANGE ? " is too large" : strerror(errno));
		err = text;
		how = DONE_FAILED;
	}
	if (tree != NULL) {
		f.kind = FRAME_VALUE;
		f.len = (uint32_t)ibuf_size(tree);
		send_frame(&f, ibuf_data(tree));
		ibuf_free(tree);
		answer_done(monitor, id, DONE_OK, "");
	} else {
		f.kind = FRAME_ERROR;
		f.len = (uint32_t)strlen(err);
		send_frame(&f, err);
		answer_done(monitor, id, how, err);
	}
}

/* All of it, or the process ends: half a frame is worth nothing. */
static void
send_frame(const struct frame *f, const void *bytes)
{
	unsigned char	 header[FRAME_HEADER];
	struct msghdr	 mh;
	struct iovec	 iov[2];
	size_t		 done = 0;
	ssize_t		 n;

	frame_encode(f, header);
	while (done < sizeof(header) + f->len) {
		memset(&mh, 0, sizeof(mh));
		mh.msg_iov = iov;
		mh.msg_iovlen = 0;
		if (done < sizeof(header)) {
			iov[0].iov_base = header + done;
			iov[0].iov_len = sizeof(header) - done;
			iov[1].iov_base = (void *)(uintptr_t)bytes;
			iov[1].iov_len = f->len;
			mh.msg_iovlen = f->len > 0 ? 2 : 1;
		} else {
			iov[0].iov_base = (unsigned char *)(uintptr_t)bytes +
			    (done - sizeof(header));
			iov[0].iov_len = f->len - (done - sizeof(header));
			mh.msg_iovlen = 1;
		}
		n = sendmsg(CHILD_DATA_FD, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			wait_for(CHILD_DATA_FD);
		else if (errno == EPIPE || errno == ECONNRESET)
			exit(0);
		else if (errno != EINTR)
			fatal("writing a result");
	}
}

void
answer_done(struct imsgbuf *monitor, uint64_t id, enum done how,
    const char *text)
{
	struct msg_done	 d;

	memset(&d, 0, sizeof(d));
	d.id = id;
	d.ok = how;
	d.text = text;
	if (msg_send_done(monitor, &d) == -1)
		fatal("answering the monitor");
	for (;;) {
		if (imsgbuf_write(monitor) == -1)
			exit(0);
		if (imsgbuf_queuelen(monitor) == 0)
			return;
		wait_for(CHILD_IMSG_FD);
	}
}

/*
 * Sleep until fd takes more, or its peer or the monitor is gone.  Descriptor
 * 4 may be anything where there is no data socket: looked at only if asked.
 */
static void
wait_for(int fd)
{
	struct pollfd	 pfd[2];

	memset(pfd, 0, sizeof(pfd));
	pfd[0].fd = CHILD_IMSG_FD;
	pfd[0].events = fd == CHILD_IMSG_FD ? POLLOUT : 0;
	pfd[1].fd = fd == CHILD_DATA_FD ? fd : -1;
	pfd[1].events = POLLOUT;
	if (poll(pfd, 2, -1) == -1) {
		if (errno != EINTR)
			fatal("poll");
		return;
	}
	if (((pfd[0].revents | pfd[1].revents) &
	    (POLLHUP | POLLERR | POLLNVAL)) != 0)
		exit(0);
}
