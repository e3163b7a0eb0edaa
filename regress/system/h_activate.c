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
 * What a service manager does for a socket-activated service: binds, listens
 * and hands the sockets over from descriptor 3 on, with LISTEN_PID and
 * LISTEN_FDS in the environment, in the pid that it then gives the program.
 */

#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD	3

static void	 usage(void) __attribute__((noreturn));
static void	 die(const char *) __attribute__((noreturn));
static int	 listen_unix(const char *);
static int	 listen_inet(void);

static void
usage(void)
{
	fprintf(stderr, "usage: h_activate [-i] [-n number] [-p pid] path "
	    "program [argument ...]\n"
	    " -i an Internet socket, path is not used\n"
	    " -n so many sockets, all the same one\n"
	    " -p LISTEN_PID, if not our own\n");
	exit(2);
}

static void
die(const char *what)
{
	fprintf(stderr, "h_activate: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(sun.sun_path, path, strlen(path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 8) == -1)
		die(path);
	return (fd);
}

static int
listen_inet(void)
{
	struct sockaddr_in sin;
	int fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 8) == -1)
		die("127.0.0.1");
	return (fd);
}

int
main(int argc, char *argv[])
{
	char count[32], self[32];
	const char *pid = self;
	int ch, fd, i, inet = 0, n = 1;

	snprintf(self, sizeof(self), "%ld", (long)getpid());
	while ((ch = getopt(argc, argv, "+in:p:")) != -1)
		switch (ch) {
		case 'i':
			inet = 1;
			break;
		case 'n':
			n = atoi(optarg);
			break;
		case 'p':
			pid = optarg;
			break;
		default:
			usage();
		}
	argc -= optind;
	argv += optind;
	if (argc < 2 || n < 1 || n > 16)
		usage();
	fd = inet ? listen_inet() : listen_unix(argv[0]);
	for (i = 0; i < n; i++)
		if (fd != FIRST_FD + i && dup2(fd, FIRST_FD + i) == -1)
			die("dup2");
	if (fd >= FIRST_FD + n)
		close(fd);
	snprintf(count, sizeof(count), "%d", n);
	if (setenv("LISTEN_PID", pid, 1) == -1 ||
	    setenv("LISTEN_FDS", count, 1) == -1)
		die("setenv");
	execv(argv[1], argv + 1);
	die(argv[1]);
}
