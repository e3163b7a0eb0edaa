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
 * h_syslog SOCKET OUT: a syslogd that is stuck.  Binds the socket and reads
 * nothing until SIGUSR1; from then on each datagram becomes a line of OUT.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void	 wake(int);

static volatile sig_atomic_t	 awake;

static void
wake(int signo)
{
	(void)signo;
	awake = 1;
}

int
main(int argc, char *argv[])
{
	struct sockaddr_un sun;
	struct sigaction sa;
	sigset_t blocked, unblocked;
	char buf[65536];
	ssize_t n;
	int fd, out;

	if (argc != 3) {
		fprintf(stderr, "usage: h_syslog SOCKET OUT\n");
		return (1);
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = wake;
	sigemptyset(&sa.sa_mask);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", argv[1]);
	if (sigprocmask(SIG_BLOCK, &blocked, &unblocked) == -1 ||
	    sigaction(SIGUSR1, &sa, NULL) == -1 ||
	    (out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0600)) ==
	    -1 || (fd = socket(AF_UNIX, SOCK_DGRAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		perror("h_syslog");
		return (1);
	}
	while (!awake)
		sigsuspend(&unblocked);
	while ((n = recv(fd, buf, sizeof(buf) - 1, 0)) != -1) {
		buf[n++] = '\n';
		if (write(out, buf, (size_t)n) != n)
			break;
	}
	perror("h_syslog");
	return (1);
}
