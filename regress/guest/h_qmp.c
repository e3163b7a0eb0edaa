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
 * h_qmp [-e EVENT] [-t seconds] SOCKET [COMMAND ...]: tells qemu what to do,
 * over its QMP socket.  Each COMMAND is a line of JSON; its reply is printed.
 * With -e it then waits for that event, which may have come before.  Status
 * 2 if a command was refused or the time (60 s) was over, 1 for the rest.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void	 usage(void) __attribute__((noreturn));
static void	 die(const char *) __attribute__((noreturn));
static long	 seconds(void);
static void	 reach(const char *);
static const char *line(void);
static const char *reply(const char *);
static int	 is_event(const char *);
static void	 tell(const char *);

static struct {
	int	 fd;
	char	*buf;
	size_t	 len, size, taken;
} qmp;

static const char	*event;		/* NULL: none, or it has come */
static long		 deadline;

int
main(int argc, char *argv[])
{
	const char *answer;
	long patience = 60;
	int c;

	while ((c = getopt(argc, argv, "e:t:")) != -1) {
		if (c == 'e')
			event = optarg;
		else if (c != 't' || (patience = strtol(optarg, NULL, 10)) < 1)
			usage();
	}
	argc -= optind;
	argv += optind;
	if (argc < 1)
		usage();
	deadline = seconds() + patience;
	reach(argv[0]);
	if (strncmp(line(), "{\"QMP\"", 6) != 0)
		die("no greeting");
	tell("{\"execute\": \"qmp_capabilities\"}");
	(void)reply("return");
	while (*++argv != NULL) {
		tell(*argv);
		answer = reply(NULL);
		puts(answer);
		if (strncmp(answer, "{\"error\"", 8) == 0)
			return (2);
	}
	if (fflush(stdout) != 0)
		die("standard output");
	while (event != NULL)
		(void)is_event(line());
	return (0);
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: h_qmp [-e EVENT] [-t seconds] SOCKET [COMMAND ...]\n");
	exit(1);
}

static void
die(const char *what)
{
	fprintf(stderr, "h_qmp: %s: %s\n", what,
	    errno != 0 ? strerror(errno) : "not as expected");
	exit(1);
}

static long
seconds(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		die("clock_gettime");
	return ((long)ts.tv_sec);
}

/* qemu may be starting still, or just taking leave of another. */
static void
reach(const char *path)
{
	const struct timespec nap = { .tv_nsec = 100 * 1000 * 1000 };
	struct sockaddr_un sun;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun.sun_path))
		die("the socket's path is too long");
	memcpy(sun.sun_path, path, strlen(path));
	if ((qmp.fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		die("socket");
	while (connect(qmp.fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		if (seconds() >= deadline)
			die(path);
		(void)nanosleep(&nap, NULL);
	}
}

/* The next one, without its end; valid until the next call. */
static const char *
line(void)
{
	struct pollfd pfd;
	char *end;
	ssize_t n;

	if (qmp.taken > 0)
		memmove(qmp.buf, qmp.buf + qmp.taken,
		    qmp.len - qmp.taken);
	qmp.len -= qmp.taken;
	qmp.taken = 0;
	while ((end = qmp.len == 0 ? NULL : memchr(qmp.buf, '\n', qmp.len)) ==
	    NULL) {
		if (qmp.size - qmp.len < 4096 && (qmp.buf = realloc(qmp.buf,
		    qmp.size += 65536)) == NULL)
			die("realloc");
		memset(&pfd, 0, sizeof(pfd));
		pfd.fd = qmp.fd;
		pfd.events = POLLIN;
		if (seconds() >= deadline) {
			fprintf(stderr, "h_qmp: waited in vain%s%s\n",
			    event != NULL ? " for " : "",
			    event != NULL ? event : "");
			exit(2);
		}
		if (poll(&pfd, 1, 1000) == -1)
			die("poll");
		if (pfd.revents == 0)
			continue;
		errno = 0;
		if ((n = read(qmp.fd, qmp.buf + qmp.len,
		    qmp.size - qmp.len)) <= 0)
			die("qemu has closed");
		qmp.len += (size_t)n;
	}
	qmp.taken = (size_t)(end - qmp.buf) + 1;
	while (end > qmp.buf && end[-1] == '\r')
		end--;
	*end = '\0';
	return (qmp.buf);
}

/* The next line that is no event, of that kind if one is named. */
static const char *
reply(const char *kind)
{
	const char *l;

	while (is_event(l = line()))
		;
	errno = 0;
	if (kind != NULL && strncmp(l + 2, kind, strlen(kind)) != 0)
		die(l);
	return (l);
}

static int
is_event(const char *l)
{
	char name[80];

	if (strncmp(l, "{\"timestamp\"", 12) != 0)
		return (0);
	snprintf(name, sizeof(name), "\"event\": \"%s\"",
	    event != NULL ? event : "");
	if (strstr(l, name) != NULL)
		event = NULL;
	return (1);
}

static void
tell(const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	while (len > 0) {
		if ((n = write(qmp.fd, text, len)) == -1)
			die("write");
		text += n;
		len -= (size_t)n;
	}
	if (write(qmp.fd, "\n", 1) != 1)
		die("write");
}
