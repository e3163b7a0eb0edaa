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

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

#if defined(__NetBSD__)
int
ppoll(struct pollfd *fds, nfds_t n, const struct timespec *ts,
    const sigset_t *mask)
{
	return (pollts(fds, n, ts, mask));
}
#elif defined(__APPLE__)
#include <sys/select.h>

#include <errno.h>
#include <stdlib.h>

/*
 * By pselect(2), which does change the mask and wait in one step, and which
 * works on the ttys that Darwin's poll(2) refuses.  A descriptor past
 * FD_SETSIZE is EINVAL: this project's stay far below.
 */
int
ppoll(struct pollfd *fds, nfds_t n, const struct timespec *ts,
    const sigset_t *mask)
{
	fd_set rd, wr;
	nfds_t i;
	int max = -1, ready, count = 0;

	FD_ZERO(&rd);
	FD_ZERO(&wr);
	for (i = 0; i < n; i++) {
		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		if (fds[i].fd >= FD_SETSIZE) {
			errno = EINVAL;
			return (-1);
		}
		if (fds[i].events & POLLIN)
			FD_SET(fds[i].fd, &rd);
		if (fds[i].events & POLLOUT)
			FD_SET(fds[i].fd, &wr);
		if (fds[i].fd > max)
			max = fds[i].fd;
	}
	if ((ready = pselect(max + 1, &rd, &wr, NULL, ts, mask)) <= 0)
		return (ready);
	for (i = 0; i < n; i++) {
		if (fds[i].fd < 0)
			continue;
		if (FD_ISSET(fds[i].fd, &rd))
			fds[i].revents |= POLLIN;
		if (FD_ISSET(fds[i].fd, &wr))
			fds[i].revents |= POLLOUT;
		if (fds[i].revents != 0)
			count++;
	}
	return (count);
}
#else
#error "ppoll: no call that sets the signal mask and waits in one step"
#endif
