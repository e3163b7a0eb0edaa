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
 * h_load [-e] [-t seconds] SOCKET N REQUEST: asks N times, one after another
 * on one connection, and prints how many were answered and how long that
 * took.  -e: REQUEST is guest-exec; the status is asked for until the job
 * has ended.  Exit status: 0 all were; 2 a reply did not come in time; 1
 * something else failed.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STATUS	"{\"execute\": \"guest-exec-status\", \"arguments\": " \
		"{\"pid\": %ld}}"

static void	 usage(void) __attribute__((noreturn));
static int64_t	 now_us(void);
static int	 dial(const char *);
static char	*ask(int, const char *);
static void	 status(int, const char *);
static void	 summary(void);
static int	 compare(const void *, const void *);

static long	 patience = 10;		/* seconds */
static int64_t	*took;			/* us, of each request */
static size_t	 answered;

int
main(int argc, char *argv[])
{
	const char *reply;
	int64_t began;
	size_t n;
	int c, exec = 0, fd;

	while ((c = getopt(argc, argv, "et:")) != -1) {
		if (c == 'e')
			exec = 1;
		else if (c == 't')
			patience = strtol(optarg, NULL, 10);
		else
			usage();
	}
	if (argc - optind != 3)
		usage();
	n = (size_t)strtoul(argv[optind + 1], NULL, 10);
	if (n == 0 || (took = calloc(n, sizeof(*took))) == NULL)
		usage();
	fd = dial(argv[optind]);
	while (answered < n) {
		began = now_us();
		reply = ask(fd, argv[optind + 2]);
		took[answered++] = now_us() - began;
		if (exec)
			status(fd, reply);
	}
	summary();
	return (0);
}

static void
usage(void)
{
	fprintf(stderr, "usage: h_load [-e] [-t seconds] SOCKET N REQUEST\n");
	exit(1);
}

static int64_t
now_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1) {
		perror("clock_gettime");
		exit(1);
	}
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static int
dial(const char *path)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		perror(path);
		exit(1);
	}
	return (fd);
}

/* The reply, valid until the next one. */
static char *
ask(int fd, const char *request)
{
	static char line[65536];
	char out[4096];
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t have = 0;
	ssize_t n;
	int len;

	len = snprintf(out, sizeof(out), "%s\n", request);
	if (len < 0 || (size_t)len >= sizeof(out) ||
	    send(fd, out, (size_t)len, MSG_NOSIGNAL) != len) {
		perror("send");
		exit(1);
	}
	while (have == 0 || line[have - 1] != '\n') {
		if (poll(&pfd, 1, (int)patience * 1000) == 0) {
			summary();
			exit(2);
		}
		n = read(fd, line + have, sizeof(line) - 1 - have);
		if (n <= 0) {
			fprintf(stderr, "h_load: the agent has closed\n");
			exit(1);
		}
		have += (size_t)n;
	}
	line[have] = '\0';
	return (line);
}

static void
status(int fd, const char *reply)
{
	char request[128];
	const char *s;

	if ((s = strstr(reply, "\"pid\": ")) == NULL) {
		fprintf(stderr, "h_load: no job: %s", reply);
		exit(1);
	}
	snprintf(request, sizeof(request), STATUS, strtol(s + 7, NULL, 10));
	while (strstr(s = ask(fd, request), "\"exited\": true") == NULL)
		if (strstr(s, "\"error\"") != NULL) {
			fprintf(stderr, "h_load: no status: %s", s);
			exit(1);
		}
}

static void
summary(void)
{
	qsort(took, answered, sizeof(*took), compare);
	printf("answered=%zu", answered);
	if (answered > 0)
		printf(" p50=%ldus p99=%ldus max=%ldus",
		    (long)took[answered / 2],
		    (long)took[answered * 99 / 100],
		    (long)took[answered - 1]);
	printf("\n");
}

static int
compare(const void *a, const void *b)
{
	int64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x < y ? -1 : x > y);
}
