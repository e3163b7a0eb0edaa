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
 * Descriptors over Unix sockets.  What differs between systems, and what is
 * done about it everywhere: the control buffer has room for more descriptors
 * than are ever wanted (macOS installs all of them and then truncates, which
 * would leak), msg_controllen is CMSG_SPACE (FreeBSD drops the descriptor
 * for less), a truncated control message is an error (Linux reports a full
 * descriptor table no other way).
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL	0		/* SIGPIPE is ignored everywhere */
#endif
#ifdef MSG_CMSG_CLOEXEC
#define RECV_FLAGS	MSG_CMSG_CLOEXEC
#else
#define RECV_FLAGS	0
#endif

static unsigned int	collect_fds(struct msghdr *, int *);
static int		set_cloexec(int);

ssize_t
sendfd(int sock, const struct iovec *iov, int niov, int fd)
{
	union {
		struct cmsghdr	 hdr;
		unsigned char	 buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr	 msg;
	struct cmsghdr	*cmsg;
	ssize_t		 n;

	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = (struct iovec *)iov;
	msg.msg_iovlen = (__typeof__(msg.msg_iovlen))niov;
	if (fd != -1) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	return (n);
}

ssize_t
recvfd(int sock, void *buf, size_t len, int *fd)
{
	union {
		struct cmsghdr	 hdr;
		unsigned char	 buf[CMSG_SPACE(sizeof(int) * SENDFD_MAX)];
	} control;
	struct msghdr	 msg;
	struct iovec	 iov;
	unsigned int	 nfd;
	ssize_t		 n;

	*fd = -1;
	iov.iov_base = buf;
	iov.iov_len = len;
	memset(&msg, 0, sizeof(msg));
	do {
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		n = recvmsg(sock, &msg, RECV_FLAGS);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return (-1);

	nfd = collect_fds(&msg, fd);
	if (nfd > 1 || (msg.msg_flags & MSG_CTRUNC) ||
	    (nfd == 1 && set_cloexec(*fd) == -1)) {
		if (*fd != -1)
			close(*fd);
		*fd = -1;
		errno = EPROTO;
		return (-1);
	}
	return (n);
}

/*
 * Keep the first descriptor, close the others, return how many there were.
 * A truncated message may claim more than the buffer holds.
 */
static unsigned int
collect_fds(struct msghdr *msg, int *first)
{
	struct cmsghdr		*cmsg;
	const unsigned char	*p, *end;
	unsigned int		 count = 0;
	size_t			 n;
	int			 fd;

	end = (const unsigned char *)msg->msg_control + msg->msg_controllen;
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	    cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS ||
		    cmsg->cmsg_len < CMSG_LEN(0))
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		p = CMSG_DATA(cmsg);
		for (; n > 0 && (size_t)(end - p) >= sizeof(int); n--) {
			memcpy(&fd, p, sizeof(fd));
			p += sizeof(fd);
			if (count++ == 0)
				*first = fd;
			else
				close(fd);
		}
	}
	return (count);
}

static int
set_cloexec(int fd)
{
#ifdef MSG_CMSG_CLOEXEC
	(void)fd;
	return (0);
#else
	return (fcntl(fd, F_SETFD, FD_CLOEXEC));
#endif
}
