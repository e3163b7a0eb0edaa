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
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "imsg.h"

#define MARKER	"hunter2-hunter2"

static void	 pair(int, int [2], struct imsgbuf [2]);
static void	 unpair(int [2], struct imsgbuf [2]);
static void	 want(struct imsgbuf *, uint32_t, const void *, size_t);
static size_t	 raw(uint32_t, uint32_t, const void *, size_t,
		    unsigned char *);
static int	 holds(const struct imsgbuf *, const char *);

static void
pair(int type, int s[2], struct imsgbuf b[2])
{
	int	 i;

	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, type, 0, s));
	for (i = 0; i < 2; i++) {
		ATF_REQUIRE_EQ(0, fcntl(s[i], F_SETFL, O_NONBLOCK));
		ATF_REQUIRE_EQ(0, imsgbuf_init(&b[i], s[i]));
	}
}

static void
unpair(int s[2], struct imsgbuf b[2])
{
	int	 i;

	for (i = 0; i < 2; i++) {
		imsgbuf_clear(&b[i]);
		close(s[i]);
	}
}

/* The next message there is has to be this one. */
static void
want(struct imsgbuf *b, uint32_t type, const void *data, size_t len)
{
	struct imsg	 imsg;

	ATF_REQUIRE_EQ(1, imsgbuf_get(b, &imsg));
	ATF_REQUIRE_EQ(type, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(len, imsg_get_len(&imsg));
	ATF_REQUIRE_EQ(0, memcmp(ibuf_data(imsg.buf), data, len));
	ATF_REQUIRE_EQ(-1, imsg_get_fd(&imsg));
	imsg_free(&imsg);
}

/* A message as it lies on the wire, with that length in its header. */
static size_t
raw(uint32_t type, uint32_t hdrlen, const void *data, size_t len,
    unsigned char *to)
{
	struct imsg_hdr	 hdr;

	memset(&hdr, 0, sizeof(hdr));
	hdr.type = type;
	hdr.len = hdrlen;
	memcpy(to, &hdr, sizeof(hdr));
	memcpy(to + sizeof(hdr), data, len);
	return (sizeof(hdr) + len);
}

static int
holds(const struct imsgbuf *b, const char *marker)
{
	return (memmem(b->rbuf, b->rsize, marker, strlen(marker)) != NULL);
}

ATF_TC_WITHOUT_HEAD(compose);
ATF_TC_BODY(compose, tc)
{
	struct imsgbuf	 b[2];
	struct iovec	 iov[2];
	struct imsg	 imsg;
	struct ibuf	*msg, part;
	char		 data[4];
	int		 s[2];

	pair(SOCK_STREAM, s, b);
	ATF_REQUIRE_EQ(1, imsg_compose(&b[0], 7, 8, 9, -1, "data", 4));
	iov[0].iov_base = iov[1].iov_base = (void *)"abc";
	iov[0].iov_len = 3;
	iov[1].iov_len = 2;
	ATF_REQUIRE_EQ(1, imsg_composev(&b[0], 10, 0, 0, -1, iov, 2));
	ATF_REQUIRE((msg = imsg_create(&b[0], 11, 0, 0, 0)) != NULL);
	ATF_REQUIRE_EQ(3, imsg_add(msg, "xyz", 3));
	imsg_close(&b[0], msg);
	ATF_REQUIRE_EQ(1, imsg_compose(&b[0], 12, 0, 0, -1, NULL, 0));
	ATF_REQUIRE_EQ(4, imsgbuf_queuelen(&b[0]));
	ATF_REQUIRE_EQ(4 * IMSG_HEADER_SIZE + 4 + 5 + 3,
	    imsgbuf_queuebytes(&b[0]));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&b[0]));
	ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&b[0]));
	ATF_REQUIRE_EQ(0, imsgbuf_queuebytes(&b[0]));

	ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&b[1], &imsg));
	ATF_REQUIRE_EQ(7, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(8, imsg_get_id(&imsg));
	ATF_REQUIRE_EQ(9, imsg_get_pid(&imsg));
	ATF_REQUIRE_ERRNO(EBADMSG, imsg_get_data(&imsg, data, 3) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, imsg_get_data(&imsg, data, 5) == -1);
	ATF_REQUIRE_EQ(0, imsg_get_data(&imsg, data, 4));
	ATF_REQUIRE_EQ(0, memcmp(data, "data", 4));
	/* A message that was read is still forwarded whole. */
	ATF_REQUIRE_EQ(1, imsg_forward(&b[1], &imsg));
	imsg_free(&imsg);

	ATF_REQUIRE_EQ(1, imsgbuf_get(&b[1], &imsg));
	ATF_REQUIRE_EQ(getpid(), imsg_get_pid(&imsg));
	ATF_REQUIRE_EQ(0, imsg_get_ibuf(&imsg, &part));
	ATF_REQUIRE_EQ(0, memcmp(ibuf_data(&part), "abcab", 5));
	ATF_REQUIRE_EQ(0, imsg_get_len(&imsg));
	imsg_free(&imsg);
	want(&b[1], 11, "xyz", 3);
	want(&b[1], 12, "", 0);
	ATF_REQUIRE_EQ(0, imsgbuf_get(&b[1], &imsg));

	ATF_REQUIRE_EQ(0, imsgbuf_flush(&b[1]));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b[0]));
	want(&b[0], 7, "data", 4);
	unpair(s, b);
}

ATF_TC_WITHOUT_HEAD(compose_too_big);
ATF_TC_BODY(compose_too_big, tc)
{
	static char	 big[MAX_IMSGSIZE];
	struct imsgbuf	 b[2];
	struct iovec	 iov[3];
	int		 s[2], p[2];

	pair(SOCK_STREAM, s, b);
	ATF_REQUIRE_EQ(0, pipe(p));
	ATF_REQUIRE_ERRNO(ERANGE, imsg_compose(&b[0], 1, 0, 0, p[0], big,
	    sizeof(big) - IMSG_HEADER_SIZE + 1) == -1);
	ATF_REQUIRE_ERRNO(EBADF, fcntl(p[0], F_GETFD) == -1);
	iov[0].iov_len = iov[1].iov_len = SIZE_MAX / 2 + 1;
	iov[2].iov_len = 1;
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsg_composev(&b[0], 1, 0, 0, -1, iov, 3) == -1);
	ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&b[0]));
	ATF_REQUIRE_EQ(1, imsg_compose(&b[0], 1, 0, 0, -1, big,
	    sizeof(big) - IMSG_HEADER_SIZE));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&b[0]));
	/* The small buffer has to grow: two reads. */
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
	want(&b[1], 1, big, sizeof(big) - IMSG_HEADER_SIZE);
	ATF_REQUIRE_ERRNO(ERANGE, imsgbuf_set_maxsize(&b[0], 0) == -1);
	ATF_REQUIRE_ERRNO(ERANGE,
	    imsgbuf_set_maxsize(&b[0], 0x80000000U) == -1);
	close(p[1]);
	unpair(s, b);
}

ATF_TC_WITHOUT_HEAD(byte_by_byte);
ATF_TC_BODY(byte_by_byte, tc)
{
	unsigned char	 wire[128];
	struct imsgbuf	 b[2];
	struct imsg	 imsg;
	size_t		 i, first, len;
	int		 s[2];

	pair(SOCK_STREAM, s, b);
	first = raw(3, 21, "hello", 5, wire);
	len = first + raw(4, 16, "", 0, wire + first);
	for (i = 0; i < len; i++) {
		ATF_REQUIRE_EQ(0, imsgbuf_get(&b[1], &imsg));
		ATF_REQUIRE_EQ(1, write(s[0], wire + i, 1));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
		if (i == first - 1)
			want(&b[1], 3, "hello", 5);
	}
	want(&b[1], 4, "", 0);
	/* Nothing there: not an error, not an end. */
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
	ATF_REQUIRE_EQ(0, imsgbuf_get(&b[1], &imsg));
	unpair(s, b);
}

/* A length out of bounds ends the channel, whatever comes after it. */
ATF_TC_WITHOUT_HEAD(bad_length);
ATF_TC_BODY(bad_length, tc)
{
	static const uint32_t	 bad[] = { 0, 1, 15, 1017, 0x10000,
				    0x7fffffff, 0x80000000, 0x8000000f,
				    0x800003f9, 0xffffffff };
	unsigned char		 wire[64];
	struct imsgbuf		 b[2];
	struct imsg		 imsg;
	size_t			 i, len;
	int			 s[2];

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pair(SOCK_STREAM, s, b);
		ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&b[1], 1000));
		len = raw(1, 17, "a", 1, wire);
		ATF_REQUIRE_EQ((ssize_t)len, write(s[0], wire, len));
		len = raw(2, bad[i], "b", 1, wire);
		ATF_REQUIRE_EQ((ssize_t)len, write(s[0], wire, len));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
		want(&b[1], 1, "a", 1);
		ATF_REQUIRE_ERRNO(ERANGE, imsgbuf_get(&b[1], &imsg) == -1);
		len = raw(3, 17, "c", 1, wire);
		ATF_REQUIRE_EQ((ssize_t)len, write(s[0], wire, len));
		ATF_REQUIRE_ERRNO(ERANGE, imsgbuf_read(&b[1]) == -1);
		ATF_REQUIRE_ERRNO(ERANGE, imsgbuf_get(&b[1], &imsg) == -1);
		ATF_REQUIRE(b[1].rsize <= 1024);
		unpair(s, b);
	}
}

ATF_TC_WITHOUT_HEAD(largest_length);
ATF_TC_BODY(largest_length, tc)
{
	unsigned char	 wire[2048], data[1000];
	struct imsgbuf	 b[2];
	size_t		 len;
	int		 s[2];

	memset(data, 'x', sizeof(data));
	pair(SOCK_STREAM, s, b);
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&b[1], 1000));
	len = raw(1, 1016, data, 1000, wire);
	ATF_REQUIRE_EQ((ssize_t)len, write(s[0], wire, len));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
	want(&b[1], 1, data, 1000);
	unpair(s, b);
}

ATF_TC_WITHOUT_HEAD(eof);
ATF_TC_BODY(eof, tc)
{
	unsigned char	 wire[64];
	struct imsgbuf	 b[2];
	struct imsg	 imsg;
	size_t		 cut, len;
	int		 s[2];

	len = raw(1, 20, "abcd", 4, wire);
	for (cut = 0; cut <= len; cut++) {
		pair(SOCK_STREAM, s, b);
		ATF_REQUIRE_EQ((ssize_t)cut, write(s[0], wire, cut));
		ATF_REQUIRE_EQ(0, shutdown(s[0], SHUT_WR));
		if (cut > 0)
			ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
		if (cut == len)
			want(&b[1], 1, "abcd", 4);
		ATF_REQUIRE_EQ(0, imsgbuf_get(&b[1], &imsg));
		ATF_REQUIRE_EQ(0, imsgbuf_read(&b[1]));
		ATF_REQUIRE_EQ(0, imsgbuf_get(&b[1], &imsg));
		unpair(s, b);
	}
}

/* The peer is gone: an error, and no signal. */
ATF_TC_WITHOUT_HEAD(epipe);
ATF_TC_BODY(epipe, tc)
{
	struct imsgbuf	 b[2];
	int		 s[2];

#ifndef MSG_NOSIGNAL
	signal(SIGPIPE, SIG_IGN);
#endif
	pair(SOCK_STREAM, s, b);
	ATF_REQUIRE_EQ(1, imsg_compose(&b[0], 1, 0, 0, -1, "x", 1));
	close(s[1]);
	ATF_REQUIRE_ERRNO(EPIPE, imsgbuf_write(&b[0]) == -1);
	imsgbuf_clear(&b[0]);
	ATF_REQUIRE_EQ(0, imsgbuf_queuelen(&b[0]));
	imsgbuf_clear(&b[1]);
	close(s[0]);
}

/* Queued messages leave together; a datagram socket shows each sendmsg. */
ATF_TC_WITHOUT_HEAD(coalesce);
ATF_TC_BODY(coalesce, tc)
{
	unsigned char	 buf[8192];
	struct imsgbuf	 b[2];
	uint32_t	 i;
	int		 s[2];

	pair(SOCK_DGRAM, s, b);
	for (i = 0; i < 100; i++)
		ATF_REQUIRE_EQ(1, imsg_compose(&b[0], i, 0, 0, -1, &i, 4));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&b[0]));
	ATF_REQUIRE_EQ(64 * 20, recv(s[1], buf, sizeof(buf), 0));
	ATF_REQUIRE_EQ(36 * 20, recv(s[1], buf, sizeof(buf), 0));
	ATF_REQUIRE_ERRNO(EAGAIN, recv(s[1], buf, sizeof(buf), 0) == -1);
	unpair(s, b);
}

/* A socket that takes little at a time delays a message and loses nothing. */
ATF_TC_WITHOUT_HEAD(partial_write);
ATF_TC_BODY(partial_write, tc)
{
	static unsigned char	 data[1000000];
	struct imsgbuf		 b[2];
	struct imsg		 imsg;
	size_t			 i;
	int			 s[2], n, size = 4096, got = 0, waited = 0;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 31 / 7);
	pair(SOCK_STREAM, s, b);
	ATF_REQUIRE_EQ(0, setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof(size)));
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&b[0], sizeof(data)));
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&b[1], sizeof(data)));
	for (i = 0; i < 3; i++)
		ATF_REQUIRE_EQ(1, imsg_compose(&b[0], 1, 0, 0, -1, data,
		    sizeof(data) - i));
	while (got < 3) {
		ATF_REQUIRE_EQ(0, imsgbuf_write(&b[0]));
		waited += imsgbuf_queuelen(&b[0]) != 0;
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
		/* Grown to what was announced, never past the bound. */
		ATF_REQUIRE(b[1].rsize <= b[1].maxsize);
		while ((n = imsgbuf_get(&b[1], &imsg)) == 1) {
			i = sizeof(data) - (size_t)got++;
			ATF_REQUIRE_EQ(i, imsg_get_len(&imsg));
			ATF_REQUIRE_EQ(0, memcmp(data,
			    ibuf_data(imsg.buf), i));
			imsg_free(&imsg);
		}
		ATF_REQUIRE_EQ(0, n);
	}
	ATF_REQUIRE(waited > 10);
	ATF_REQUIRE_EQ(0, imsgbuf_queuebytes(&b[0]));
	ATF_REQUIRE_EQ(1024, b[1].rsize);	/* small again */
	unpair(s, b);
}

/*
 * Nothing of a message stays in the read buffer once it was got, wherever
 * the message behind it was cut, which makes bytes move.
 */
ATF_TC_WITHOUT_HEAD(wiped);
ATF_TC_BODY(wiped, tc)
{
	unsigned char	 wire[256];
	struct imsgbuf	 b[2];
	struct imsg	 imsg;
	size_t		 i, cut, len, first;
	int		 s[2];

	len = raw(1, 32, MARKER, 16, wire);
	first = len += raw(2, 32, MARKER, 16, wire + len);
	len += raw(3, 18, "zz", 2, wire + len);
	for (cut = first; cut <= len; cut++) {
		pair(SOCK_STREAM, s, b);
		memset(b[1].rbuf, 0, b[1].rsize);
		ATF_REQUIRE_EQ((ssize_t)cut, write(s[0], wire, cut));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
		ATF_REQUIRE(holds(&b[1], MARKER));
		want(&b[1], 1, MARKER, 16);
		want(&b[1], 2, MARKER, 16);
		ATF_REQUIRE(!holds(&b[1], MARKER));
		if (cut < len) {
			ATF_REQUIRE_EQ(0, imsgbuf_get(&b[1], &imsg));
			ATF_REQUIRE_EQ((ssize_t)(len - cut),
			    write(s[0], wire + cut, len - cut));
			ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
		}
		want(&b[1], 3, "zz", 2);
		for (i = 0; i < b[1].rsize; i++)
			ATF_REQUIRE_EQ(0, b[1].rbuf[i]);
		unpair(s, b);
	}
}

ATF_TC_WITHOUT_HEAD(clear);
ATF_TC_BODY(clear, tc)
{
	struct imsgbuf	 b[2];
	int		 s[2], p[2];

	pair(SOCK_STREAM, s, b);
	ATF_REQUIRE_EQ(0, pipe(p));
	ATF_REQUIRE_EQ(1, imsg_compose(&b[0], 1, 0, 0, p[0], "x", 1));
	ATF_REQUIRE_EQ(1, imsg_compose(&b[0], 1, 0, 0, p[1], "x", 1));
	imsgbuf_clear(&b[0]);
	ATF_REQUIRE_ERRNO(EBADF, fcntl(p[0], F_GETFD) == -1);
	ATF_REQUIRE_ERRNO(EBADF, fcntl(p[1], F_GETFD) == -1);
	/* The descriptor itself is the caller's, the buffer usable. */
	ATF_REQUIRE_EQ(1, imsg_compose(&b[0], 2, 0, 0, -1, "y", 1));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&b[0]));
	imsgbuf_clear(&b[1]);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b[1]));
	want(&b[1], 2, "y", 1);
	unpair(s, b);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, compose);
	ATF_TP_ADD_TC(tp, compose_too_big);
	ATF_TP_ADD_TC(tp, byte_by_byte);
	ATF_TP_ADD_TC(tp, bad_length);
	ATF_TP_ADD_TC(tp, largest_length);
	ATF_TP_ADD_TC(tp, eof);
	ATF_TP_ADD_TC(tp, epipe);
	ATF_TP_ADD_TC(tp, coalesce);
	ATF_TP_ADD_TC(tp, partial_write);
	ATF_TP_ADD_TC(tp, wiped);
	ATF_TP_ADD_TC(tp, clear);
	return (atf_no_error());
}
