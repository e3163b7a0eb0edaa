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

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * Close-on-exec and non-blocking at birth, where the kernel cannot: set just
 * after.  No program of ours has a second thread that could fork between.
 */

#undef socket
#undef socketpair

static int	set_flags(int, int, int);
static int	set_both(int[2], int, int);

static int
set_flags(int fd, int cloexec, int nonblock)
{
	int flags, save;

	if (cloexec && fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		goto fail;
	if (nonblock && ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1))
		goto fail;
	return (0);
fail:
	save = errno;
	(void)close(fd);
	errno = save;
	return (-1);
}

static int
set_both(int fds[2], int cloexec, int nonblock)
{
	int save;

	if (set_flags(fds[0], cloexec, nonblock) == -1) {
		save = errno;
		(void)close(fds[1]);
		errno = save;
		return (-1);
	}
	if (set_flags(fds[1], cloexec, nonblock) == -1) {
		save = errno;
		(void)close(fds[0]);
		errno = save;
		return (-1);
	}
	return (0);
}

#if !defined(HAVE_SOCK_CLOEXEC)
int
compat_socket(int domain, int type, int protocol)
{
	int fd;

	fd = socket(domain, type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), protocol);
	if (fd == -1)
		return (-1);
	if (set_flags(fd, type & SOCK_CLOEXEC, type & SOCK_NONBLOCK) == -1)
		return (-1);
	return (fd);
}

int
compat_socketpair(int domain, int type, int protocol, int fds[2])
{
	if (socketpair(domain, type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK),
	    protocol, fds) == -1)
		return (-1);
	return (set_both(fds, type & SOCK_CLOEXEC, type & SOCK_NONBLOCK));
}
#endif

#if !defined(HAVE_ACCEPT4)
int
accept4(int s, struct sockaddr *sa, socklen_t *len, int flags)
{
	int fd, old;

	if ((fd = accept(s, sa, len)) == -1)
		return (-1);
	/* The BSDs hand the listener's O_NONBLOCK on. */
	if ((old = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, old & ~O_NONBLOCK) == -1) {
		(void)close(fd);
		return (-1);
	}
	if (set_flags(fd, flags & SOCK_CLOEXEC, flags & SOCK_NONBLOCK) == -1)
		return (-1);
	return (fd);
}
#endif

#if !defined(HAVE_PIPE2)
int
compat_pipe2(int fds[2], int flags)
{
	if (pipe(fds) == -1)
		return (-1);
	return (set_both(fds, flags & O_CLOEXEC, flags & O_NONBLOCK));
}
#endif
