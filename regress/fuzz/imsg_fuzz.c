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
 * A hostile peer's bytes and descriptors on the wire.  The input is a list of
 * chunks: one byte that says how long the chunk is (low six bits) and how
 * many descriptors go with it (high two), then its bytes.  Whatever comes, a
 * message that is delivered is within its bounds, a dead channel stays dead,
 * and no descriptor is left.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

#define MAXPAYLOAD	300

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static void	 need(int);
static void	 chunk(int, const uint8_t *, size_t, int, int);
static int	 drain(struct imsgbuf *);
static int	 nfds(void);

static void
need(int true)
{
	if (!true)
		abort();
}

static int
nfds(void)
{
	int	 fd, n = 0;

	for (fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return (n);
}

static void
chunk(int s, const uint8_t *p, size_t len, int fd, int n)
{
	union {
		struct cmsghdr	 hdr;
		unsigned char	 buf[CMSG_SPACE(sizeof(int) * 3)];
	} control;
	struct msghdr	 msg;
	struct iovec	 iov;
	struct cmsghdr	*cmsg;
	int		 fds[3] = { fd, fd, fd };
	size_t		 size = sizeof(int) * (size_t)n;

	memset(&msg, 0, sizeof(msg));
	memset(&control, 0, sizeof(control));
	iov.iov_base = (void *)p;
	iov.iov_len = len;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	if (n > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(size);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_len = CMSG_LEN(size);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(cmsg), fds, size);
	}
	need(sendmsg(s, &msg, 0) == (ssize_t)len);
}

static int
drain(struct imsgbuf *b)
{
	struct imsg	 imsg;
	int		 n;

	need(b->rsize <= 4096 && b->nrfd <= IMSG_FDS);
	while ((n = imsgbuf_get(b, &imsg)) == 1) {
		need(imsg_get_len(&imsg) <= MAXPAYLOAD);
		need(imsg_get_len(&imsg) + IMSG_HEADER_SIZE ==
		    imsg.hdr.len);
		need(b->fdpass || !imsg_has_fd(&imsg));
		need(!imsg_has_fd(&imsg) ||
		    fcntl(imsg.buf->fd, F_GETFD) == FD_CLOEXEC);
		imsg_free(&imsg);
	}
	if (n == -1) {
		need(imsgbuf_get(b, &imsg) == -1);
		need(imsgbuf_read(b) == -1);
	}
	return (n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int	 null = -1;
	struct imsgbuf	 b;
	size_t		 len;
	int		 s[2], n, before;

	if (null == -1)
		need((null = open("/dev/null", O_RDONLY)) != -1);
	if (size == 0)
		return (0);
	before = nfds();
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	need(fcntl(s[1], F_SETFL, O_NONBLOCK) == 0);
	need(imsgbuf_init(&b, s[1]) == 0);
	need(imsgbuf_set_maxsize(&b, MAXPAYLOAD) == 0);
	if (data[0] & 1)
		imsgbuf_allow_fdpass(&b);
	data++;
	size--;
	while (size > 1) {
		len = (size_t)(data[0] & 0x3f) + 1;
		n = data[0] >> 6;
		data++;
		size--;
		if (len > size)
			len = size;
		chunk(s[0], data, len, null, n);
		data += len;
		size -= len;
		if (imsgbuf_read(&b) == -1 || drain(&b) == -1)
			break;
	}
	imsgbuf_clear(&b);
	need(close(s[0]) == 0 && close(s[1]) == 0);
	need(nfds() == before);
	return (0);
}
