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
 * Descriptors with messages: each arrives with the message that it was sent
 * with, whatever the kernel does to the bytes; whatever should not have come
 * ends the channel and leaks nothing.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "imsg.h"

#define MARK		0x80000000U
#define NFILES		8

static int	 nfds(void);
static void	 pair(int [2], struct imsgbuf *);
static void	 unpair(int [2], struct imsgbuf *);
static int	 file(int);
static void	 want(struct imsgbuf *, uint32_t, int);
static size_t	 header(unsigned char *, uint32_t, size_t, int);
static void	 put(int, const unsigned char *, size_t, int);
static void	 send_fds(int, const void *, size_t, const int *, int);

static int
nfds(void)
{
	int	 fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return (n);
}

static void
pair(int s[2], struct imsgbuf *b)
{
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	ATF_REQUIRE_EQ(0, fcntl(s[1], F_SETFL, O_NONBLOCK));
	ATF_REQUIRE_EQ(0, imsgbuf_init(b, s[1]));
	imsgbuf_allow_fdpass(b);
}

static void
unpair(int s[2], struct imsgbuf *b)
{
	imsgbuf_clear(b);
	close(s[0]);
	close(s[1]);
}

/* A file that is n + 1 bytes long, to be known again by that. */
static int
file(int n)
{
	char	 name[] = "fdpass.XXXXXX";
	int	 fd;

	ATF_REQUIRE((fd = mkstemp(name)) != -1);
	ATF_REQUIRE_EQ(0, unlink(name));
	ATF_REQUIRE_EQ(0, ftruncate(fd, n + 1));
	return (fd);
}

/* The next message, with file n or (-1) with none. */
static void
want(struct imsgbuf *b, uint32_t type, int n)
{
	struct imsg	 imsg;
	struct stat	 sb;
	int		 fd;

	ATF_REQUIRE_EQ(1, imsgbuf_get(b, &imsg));
	ATF_REQUIRE_EQ(type, imsg_get_type(&imsg));
	ATF_REQUIRE_EQ(n != -1, imsg_has_fd(&imsg));
	fd = imsg_get_fd(&imsg);
	if (n == -1)
		ATF_REQUIRE_EQ(-1, fd);
	else {
		ATF_REQUIRE_EQ(0, fstat(fd, &sb));
		ATF_REQUIRE_EQ(n + 1, sb.st_size);
		ATF_REQUIRE_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		ATF_REQUIRE(!imsg_has_fd(&imsg));
		close(fd);
	}
	imsg_free(&imsg);
}

static size_t
header(unsigned char *to, uint32_t type, size_t payload, int mark)
{
	struct imsg_hdr	 hdr;

	memset(&hdr, 0, sizeof(hdr));
	hdr.type = type;
	hdr.len = (uint32_t)(sizeof(hdr) + payload);
	if (mark)
		hdr.len |= MARK;
	memcpy(to, &hdr, sizeof(hdr));
	memset(to + sizeof(hdr), (int)type, payload);
	return (sizeof(hdr) + payload);
}

static void
put(int s, const unsigned char *p, size_t len, int fd)
{
	struct iovec	 iov;

	if (len == 0)
		return;
	iov.iov_base = (void *)p;
	iov.iov_len = len;
	ATF_REQUIRE_EQ((ssize_t)len, sendfd(s, &iov, 1, fd));
}

static void
send_fds(int s, const void *p, size_t len, const int *fds, int n)
{
	union {
		struct cmsghdr	 hdr;
		unsigned char	 buf[CMSG_SPACE(sizeof(int) * 64)];
	} control;
	struct msghdr	 msg;
	struct iovec	 iov;
	struct cmsghdr	*cmsg;
	size_t		 size = sizeof(int) * (size_t)n;

	memset(&msg, 0, sizeof(msg));
	memset(&control, 0, sizeof(control));
	iov.iov_base = (void *)p;
	iov.iov_len = len;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = &control;
	msg.msg_controllen = CMSG_SPACE(size);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_len = CMSG_LEN(size);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(cmsg), fds, size);
	ATF_REQUIRE_EQ((ssize_t)len, sendmsg(s, &msg, 0));
}

/* Through the queue: plain and fd-bearing messages in turn. */
ATF_TC_WITHOUT_HEAD(queue);
ATF_TC_BODY(queue, tc)
{
	struct imsgbuf	 b, out;
	struct imsg	 imsg;
	uint32_t	 i, got = 0;
	int		 s[2], before = nfds();

	pair(s, &b);
	ATF_REQUIRE_EQ(0, imsgbuf_init(&out, s[0]));
	for (i = 0; i < 100; i++)
		ATF_REQUIRE_EQ(1, imsg_compose(&out, i, 0, 0,
		    i % 3 == 0 ? file((int)i) : -1, "data", 4));
	ATF_REQUIRE(nfds() > before + 30);
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&out));
	ATF_REQUIRE_EQ(before + 2, nfds());	/* closed once sent */
	while (got < 100) {
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		while (b.rend != 0) {
			want(&b, got, got % 3 == 0 ? (int)got : -1);
			got++;
		}
		ATF_REQUIRE_EQ(0, imsgbuf_get(&b, &imsg));
	}
	imsgbuf_clear(&out);
	unpair(s, &b);
	ATF_REQUIRE_EQ(before, nfds());
}

/*
 * The bytes of a message with a descriptor and of one without behind it,
 * delivered in two parts cut anywhere, and alone or behind a plain message.
 */
ATF_TC_WITHOUT_HEAD(cut);
ATF_TC_BODY(cut, tc)
{
	unsigned char	 wire[64];
	struct imsgbuf	 b;
	struct imsg	 imsg;
	size_t		 at, len, plain;
	int		 s[2], fd, round, before = nfds();

	fd = file(5);
	for (round = 0; round < 2; round++) {
		plain = round == 1 ? header(wire, 1, 0, 0) : 0;
		len = plain;
		len += header(wire + len, 2, 4, 1);
		len += header(wire + len, 3, 0, 0);
		for (at = 0; at <= 32; at++) {
			pair(s, &b);
			put(s[0], wire, plain, -1);
			put(s[0], wire + plain, at, at > 0 ? fd : -1);
			ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
			if (plain)
				want(&b, 1, -1);
			if (at >= 20)
				want(&b, 2, 5);
			ATF_REQUIRE_EQ(0, imsgbuf_get(&b, &imsg));
			put(s[0], wire + plain + at, len - plain - at,
			    at > 0 ? -1 : fd);
			ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
			if (at < 20)
				want(&b, 2, 5);
			want(&b, 3, -1);
			ATF_REQUIRE_EQ(0, imsgbuf_get(&b, &imsg));
			unpair(s, &b);
		}
	}
	close(fd);
	ATF_REQUIRE_EQ(before, nfds());
}

ATF_TC_WITHOUT_HEAD(byte_by_byte);
ATF_TC_BODY(byte_by_byte, tc)
{
	unsigned char	 wire[64];
	struct imsgbuf	 b;
	struct imsg	 imsg;
	size_t		 i, k, len;
	int		 s[2], fd, before = nfds();

	pair(s, &b);
	for (k = 0; k < 5; k++) {
		fd = file((int)k);
		len = header(wire, 1, k, 1);
		for (i = 0; i < len; i++) {
			ATF_REQUIRE_EQ(0, imsgbuf_get(&b, &imsg));
			put(s[0], wire + i, 1, i == 0 ? fd : -1);
			ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		}
		want(&b, 1, (int)k);
		close(fd);
	}
	unpair(s, &b);
	ATF_REQUIRE_EQ(before, nfds());
}

/* No room for the descriptor: the message must not arrive without it. */
ATF_TC_WITHOUT_HEAD(emfile);
ATF_TC_BODY(emfile, tc)
{
	unsigned char	 wire[64];
	struct rlimit	 old, rl;
	struct imsgbuf	 b;
	struct imsg	 imsg;
	size_t		 len;
	int		 s[2], fd, before = nfds();

	pair(s, &b);
	fd = file(0);
	len = header(wire, 1, 4, 1);
	put(s[0], wire, len, fd);
	ATF_REQUIRE_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	rl = old;
	rl.rlim_cur = 0;
	ATF_REQUIRE_EQ(0, setrlimit(RLIMIT_NOFILE, &rl));
	ATF_REQUIRE_EQ(-1, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(-1, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(-1, imsgbuf_get(&b, &imsg));
	ATF_REQUIRE_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	ATF_REQUIRE_EQ(-1, imsgbuf_read(&b));
	close(fd);
	unpair(s, &b);
	ATF_REQUIRE_EQ(before, nfds());
}

/* More than one in a control message: all closed, channel dead. */
ATF_TC_WITHOUT_HEAD(several);
ATF_TC_BODY(several, tc)
{
	unsigned char	 wire[64];
	struct imsgbuf	 b;
	struct imsg	 imsg;
	size_t		 len;
	int		 fds[64], s[2], n, i, before = nfds();

	for (i = 0; i < 64; i++)
		fds[i] = i == 0 ? file(0) : fds[0];
	for (n = 2; n <= 64; n++) {
		pair(s, &b);
		len = header(wire, 1, 4, 1);
		send_fds(s[0], wire, len, fds, n);
		ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_read(&b) == -1);
		ATF_REQUIRE_EQ(before + 3, nfds());
		ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_get(&b, &imsg) == -1);
		ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_read(&b) == -1);
		unpair(s, &b);
	}
	close(fds[0]);
	ATF_REQUIRE_EQ(before, nfds());
}

ATF_TC_WITHOUT_HEAD(not_allowed);
ATF_TC_BODY(not_allowed, tc)
{
	unsigned char	 wire[64];
	struct imsgbuf	 b;
	struct imsg	 imsg;
	size_t		 len;
	int		 s[2], fd, mark, before = nfds();

	fd = file(0);
	for (mark = 0; mark < 2; mark++) {
		pair(s, &b);
		b.fdpass = 0;
		len = header(wire, 1, 4, mark);
		put(s[0], wire, len, fd);
		ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_read(&b) == -1);
		ATF_REQUIRE_EQ(before + 3, nfds());
		ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_get(&b, &imsg) == -1);
		unpair(s, &b);
	}
	/* The mark alone is refused as well. */
	pair(s, &b);
	b.fdpass = 0;
	put(s[0], wire, len, -1);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_get(&b, &imsg) == -1);
	unpair(s, &b);
	close(fd);
	ATF_REQUIRE_EQ(before, nfds());
}

/* One that no header claims, whole or cut, first or last. */
ATF_TC_WITHOUT_HEAD(unclaimed);
ATF_TC_BODY(unclaimed, tc)
{
	unsigned char	 wire[64];
	struct imsgbuf	 b;
	struct imsg	 imsg;
	size_t		 at, len;
	int		 s[2], fd, before = nfds();

	fd = file(0);
	len = header(wire, 1, 4, 0);
	for (at = 16; at <= len; at++) {
		pair(s, &b);
		put(s[0], wire, at, fd);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_REQUIRE_EQ(before + 4, nfds());
		ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_get(&b, &imsg) == -1);
		ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_read(&b) == -1);
		unpair(s, &b);
		ATF_REQUIRE_EQ(before + 1, nfds());
	}
	/* Two for a message that claims one. */
	pair(s, &b);
	len = header(wire, 1, 4, 1);
	put(s[0], wire, 4, fd);
	put(s[0], wire + 4, len - 4, fd);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(0, imsgbuf_get(&b, &imsg));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_get(&b, &imsg) == -1);
	unpair(s, &b);
	close(fd);
	ATF_REQUIRE_EQ(before, nfds());
}

/* Descriptors that pile up while nothing is got are bounded. */
ATF_TC_WITHOUT_HEAD(flood);
ATF_TC_BODY(flood, tc)
{
	unsigned char	 wire[64];
	struct imsgbuf	 b;
	int		 s[2], fd, i, before = nfds();

	pair(s, &b);
	fd = file(0);
	(void)header(wire, 1, 4, 1);
	for (i = 0; i < IMSG_FDS; i++) {
		put(s[0], wire, 1, fd);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	}
	put(s[0], wire, 1, fd);
	ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_read(&b) == -1);
	ATF_REQUIRE_EQ(before + 3 + IMSG_FDS, nfds());
	unpair(s, &b);
	close(fd);
	ATF_REQUIRE_EQ(before, nfds());
}

/* A header that claims a descriptor that did not come. */
ATF_TC_WITHOUT_HEAD(missing);
ATF_TC_BODY(missing, tc)
{
	unsigned char	 wire[64];
	struct imsgbuf	 b;
	struct imsg	 imsg;
	size_t		 at, len;
	int		 s[2];

	len = header(wire, 1, 4, 1);
	for (at = 16; at <= len; at++) {
		pair(s, &b);
		put(s[0], wire, at, -1);
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_REQUIRE_ERRNO(EPROTO, imsgbuf_get(&b, &imsg) == -1);
		unpair(s, &b);
	}
}

/* The peer ends between a descriptor and its message. */
ATF_TC_WITHOUT_HEAD(eof);
ATF_TC_BODY(eof, tc)
{
	unsigned char	 wire[64];
	struct imsgbuf	 b;
	struct imsg	 imsg;
	size_t		 at, len;
	int		 s[2], fd, before = nfds();

	fd = file(0);
	len = header(wire, 1, 4, 1);
	for (at = 1; at < len; at++) {
		pair(s, &b);
		put(s[0], wire, at, fd);
		ATF_REQUIRE_EQ(0, shutdown(s[0], SHUT_WR));
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_REQUIRE_EQ(0, imsgbuf_get(&b, &imsg));
		ATF_REQUIRE_EQ(0, imsgbuf_read(&b));
		unpair(s, &b);
		ATF_REQUIRE_EQ(before + 1, nfds());
	}
	close(fd);
}

/* imsg_free closes what nobody took; imsg_forward does not pass it on. */
ATF_TC_WITHOUT_HEAD(ownership);
ATF_TC_BODY(ownership, tc)
{
	unsigned char	 wire[64];
	struct imsgbuf	 b;
	struct imsg	 imsg;
	size_t		 len;
	int		 s[2], fd, before = nfds();

	pair(s, &b);
	fd = file(0);
	len = header(wire, 1, 4, 1);
	put(s[0], wire, len, fd);
	close(fd);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&b, &imsg));
	ATF_REQUIRE_EQ(before + 3, nfds());
	ATF_REQUIRE_EQ(1, imsg_forward(&b, &imsg));
	ATF_REQUIRE_EQ(-1, b.head->fd);
	imsg_free(&imsg);
	ATF_REQUIRE_EQ(before + 2, nfds());
	ATF_REQUIRE_EQ(0, imsgbuf_write(&b));
	ATF_REQUIRE_EQ((ssize_t)len, read(s[0], wire, sizeof(wire)));
	ATF_REQUIRE_EQ(0, wire[7] & 0x80);
	unpair(s, &b);
	ATF_REQUIRE_EQ(before, nfds());
}

/* A large message with a descriptor over a small socket buffer. */
ATF_TC_WITHOUT_HEAD(partial_write);
ATF_TC_BODY(partial_write, tc)
{
	static char	 data[500000];
	struct imsgbuf	 b, out;
	int		 s[2], size = 4096, before = nfds();

	pair(s, &b);
	ATF_REQUIRE_EQ(0, fcntl(s[0], F_SETFL, O_NONBLOCK));
	ATF_REQUIRE_EQ(0, setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof(size)));
	ATF_REQUIRE_EQ(0, imsgbuf_init(&out, s[0]));
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&out, sizeof(data)));
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&b, sizeof(data)));
	ATF_REQUIRE_EQ(1, imsg_compose(&out, 1, 0, 0, file(3), data,
	    sizeof(data)));
	ATF_REQUIRE_EQ(1, imsg_compose(&out, 2, 0, 0, file(4), "x", 1));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&out));
	ATF_REQUIRE_EQ(2, imsgbuf_queuelen(&out));
	ATF_REQUIRE_EQ(before + 3, nfds());	/* the first one went */
	while (b.rend != sizeof(data) + IMSG_HEADER_SIZE) {
		ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
		ATF_REQUIRE_EQ(0, imsgbuf_write(&out));
	}
	want(&b, 1, 3);
	ATF_REQUIRE_EQ(0, imsgbuf_write(&out));
	ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
	want(&b, 2, 4);
	imsgbuf_clear(&out);
	unpair(s, &b);
	ATF_REQUIRE_EQ(before, nfds());
}

/*
 * Ten thousand random conversations: messages of random sizes, some with
 * descriptors, their bytes cut at random, read at random moments.
 */
ATF_TC_WITHOUT_HEAD(random_splits);
ATF_TC_BODY(random_splits, tc)
{
	unsigned char	 wire[1024];
	struct imsgbuf	 b;
	struct imsg	 imsg;
	uint32_t	 i, n, got;
	size_t		 len, at, end, start[8];
	int		 with[8], files[NFILES], s[2], before, fd;
	unsigned int	 seed;

	for (i = 0; i < NFILES; i++)
		files[i] = file((int)i);
	before = nfds();
	for (seed = 1; seed <= 10000; seed++) {
		srandom(seed);
		pair(s, &b);
		n = 1 + (uint32_t)random() % 7;
		for (i = 0, len = 0; i < n; i++) {
			with[i] = random() % 2 ? (int)(random() % NFILES) : -1;
			start[i] = len;
			len += header(wire + len, i, (size_t)random() % 40,
			    with[i] != -1);
		}
		start[n] = len;
		for (i = 0, at = 0, got = 0; at < len; at = end) {
			end = at + 1 + (size_t)random() % 30;
			/* A descriptor's first byte begins a sendmsg. */
			fd = -1;
			if (i < n && at == start[i])
				fd = with[i++] == -1 ? -1 : files[with[i - 1]];
			while (i < n && with[i] == -1 && start[i] < end)
				i++;
			if (end > start[i])
				end = start[i];
			put(s[0], wire + at, end - at, fd);
			if (random() % 2 && end != len)
				continue;
			while (b.rend - b.rstart + start[got] < end) {
				ATF_REQUIRE_EQ(1, imsgbuf_read(&b));
				while (got < n && b.rend - b.rstart >=
				    start[got + 1] - start[got]) {
					want(&b, got, with[got]);
					got++;
				}
				ATF_REQUIRE_EQ(0, imsgbuf_get(&b, &imsg));
			}
		}
		ATF_REQUIRE_EQ_MSG(n, got, "seed %u", seed);
		unpair(s, &b);
		ATF_REQUIRE_EQ_MSG(before, nfds(), "seed %u", seed);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, queue);
	ATF_TP_ADD_TC(tp, cut);
	ATF_TP_ADD_TC(tp, byte_by_byte);
	ATF_TP_ADD_TC(tp, emfile);
	ATF_TP_ADD_TC(tp, several);
	ATF_TP_ADD_TC(tp, not_allowed);
	ATF_TP_ADD_TC(tp, unclaimed);
	ATF_TP_ADD_TC(tp, flood);
	ATF_TP_ADD_TC(tp, missing);
	ATF_TP_ADD_TC(tp, eof);
	ATF_TP_ADD_TC(tp, ownership);
	ATF_TP_ADD_TC(tp, partial_write);
	ATF_TP_ADD_TC(tp, random_splits);
	return (atf_no_error());
}
