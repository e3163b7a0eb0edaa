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
 * h_race socket rounds mode dir name path
 *
 * Asks the agent at the socket to open path, over and over, while dir/name
 * and dir/name.link, a link that leads elsewhere, are exchanged without a
 * pause.  Of each file that is opened the first byte is read, or in mode "w"
 * one is written.  Prints how often which byte was read, "w" for a write, and
 * "refused" for an open that failed.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXCHANGE	2U		/* RENAME_EXCHANGE */

static int	 sock;
static char	 reply[65536];

static void
die(const char *what)
{
	fprintf(stderr, "h_race: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void	 ask(const char *, ...) __attribute__((format(printf, 1, 2)));

static void
ask(const char *fmt, ...)
{
	char request[8192];
	size_t have = 0;
	ssize_t n;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(request, sizeof(request), fmt, ap);
	va_end(ap);
	if (write(sock, request, (size_t)len) != len)
		die("write");
	do {
		n = read(sock, reply + have, sizeof(reply) - 1 - have);
		if (n <= 0)
			die("read");
		have += (size_t)n;
	} while (reply[have - 1] != '\n');
	reply[have] = '\0';
}

static void
exchanger(const char *dir, const char *name)
{
	char link[256];
	int fd;

	snprintf(link, sizeof(link), "%s.link", name);
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY)) == -1)
		die(dir);
	for (;;)
		if (syscall(SYS_renameat2, fd, name, fd, link, EXCHANGE) == -1)
			die("renameat2");
}

int
main(int argc, char *argv[])
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	unsigned long seen[256] = { 0 }, refused = 0, rounds, i;
	long long handle;
	const char *data;
	pid_t pid;

	if (argc != 7)
		return (2);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", argv[1]);
	if ((sock = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(sock, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		die(argv[1]);
	rounds = strtoul(argv[2], NULL, 10);
	if ((pid = fork()) == -1)
		die("fork");
	if (pid == 0)
		exchanger(argv[4], argv[5]);
	for (i = 0; i < rounds; i++) {
		ask("{\"execute\": \"guest-file-open\", \"arguments\": "
		    "{\"path\": \"%s\", \"mode\": \"%s\"}}", argv[6], argv[3]);
		if (sscanf(reply, "{\"return\": %lld}", &handle) != 1) {
			if (refused++ == 0)
				printf("%s", reply);
			continue;
		}
		if (*argv[3] == 'w')
			ask("{\"execute\": \"guest-file-write\", \"arguments\""
			    ": {\"handle\": %lld, \"buf-b64\": \"dw==\"}}",
			    handle);
		else
			ask("{\"execute\": \"guest-file-read\", \"arguments\""
			    ": {\"handle\": %lld, \"count\": 1}}", handle);
		/* The first of the base64 of one letter tells it. */
		data = strstr(reply, "\"buf-b64\": \"");
		seen[data != NULL ? (unsigned char)data[12] : 'w']++;
		ask("{\"execute\": \"guest-file-close\", \"arguments\": "
		    "{\"handle\": %lld}}", handle);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (i = 0; i < 256; i++)
		if (seen[i] > 0)
			printf("%c %lu\n", (int)i, seen[i]);
	printf("refused %lu\n", refused);
	return (0);
}
