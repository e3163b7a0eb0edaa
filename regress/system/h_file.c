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
 * h_file socket get|put|slow path bytes-at-a-time
 *
 * A file of the guest to standard output, or standard input to a file of the
 * guest, by guest-file-open, -read or -write, -close, as fast as it goes; slow
 * is get with eight seconds of doing nothing within each reply.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int		 sock;
static char		*line;
static size_t		 len, size;
static unsigned char	 value[256];
static int		 slow;

static void	 die(const char *) __attribute__((noreturn));

static void
die(const char *what)
{
	fprintf(stderr, "h_file: %s: %s\n", what, errno != 0 ?
	    strerror(errno) : line);
	exit(1);
}

static void
put_all(int fd, const void *data, size_t n)
{
	const char *p = data;
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w)
		if ((w = write(fd, p, n)) <= 0)
			die("write");
}

/* One line; it must be no error. */
static void
reply(void)
{
	ssize_t n;

	len = 0;
	do {
		if (size - len < 65536) {
			size = size * 2 + 131072;
			if ((line = realloc(line, size)) == NULL)
				die("realloc");
		}
		if ((n = read(sock, line + len, size - 1 - len)) <= 0)
			die("read");
		if (slow && len < 100000 && len + (size_t)n >= 100000)
			sleep(8);
		len += (size_t)n;
	} while (line[len - 1] != '\n');
	line[len] = '\0';
	if (strncmp(line, "{\"return\": ", 11) != 0) {
		errno = 0;
		die("reply");
	}
}

static void	 ask(const char *, ...) __attribute__((format(printf, 1, 2)));

static void
ask(const char *fmt, ...)
{
	char request[8192];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(request, sizeof(request), fmt, ap);
	va_end(ap);
	put_all(sock, request, (size_t)n);
	reply();
}

static void
get(long long handle, size_t chunk)
{
	unsigned char *out, *p;
	const unsigned char *in;
	uint32_t v;

	if ((out = malloc(chunk + 3)) == NULL)
		die("malloc");
	do {
		ask("{\"execute\": \"guest-file-read\", \"arguments\": "
		    "{\"handle\": %lld, \"count\": %zu}}\n", handle, chunk);
		in = (unsigned char *)strstr(line, "\"buf-b64\": \"");
		if (in == NULL)
			die("no data");
		for (in += 12, p = out; *in != '"'; in += 4) {
			v = (uint32_t)value[in[0]] << 18 |
			    (uint32_t)value[in[1]] << 12 |
			    (uint32_t)value[in[2]] << 6 | value[in[3]];
			*p++ = (unsigned char)(v >> 16);
			if (in[2] != '=')
				*p++ = (unsigned char)(v >> 8);
			if (in[3] != '=')
				*p++ = (unsigned char)v;
		}
		put_all(STDOUT_FILENO, out, (size_t)(p - out));
	} while (strcmp(line + len - 7, "true}}\n") != 0);
}

static size_t
encode(char *dst, const unsigned char *s, size_t n)
{
	char *d = dst;
	uint32_t v;

	for (; n > 0; n -= n < 3 ? n : 3, s += 3, d += 4) {
		v = (uint32_t)s[0] << 16 | (n > 1 ? (uint32_t)s[1] << 8 : 0) |
		    (n > 2 ? s[2] : 0);
		d[0] = alphabet[v >> 18];
		d[1] = alphabet[v >> 12 & 63];
		d[2] = n > 1 ? alphabet[v >> 6 & 63] : '=';
		d[3] = n > 2 ? alphabet[v & 63] : '=';
	}
	return ((size_t)(d - dst));
}

static void
put(long long handle, size_t chunk)
{
	unsigned char *in;
	char *out;
	size_t have, at;
	ssize_t n;

	if ((in = malloc(chunk)) == NULL ||
	    (out = malloc(chunk / 3 * 4 + 256)) == NULL)
		die("malloc");
	do {
		for (have = 0; have < chunk; have += (size_t)n) {
			n = read(STDIN_FILENO, in + have, chunk - have);
			if (n == -1)
				die("read");
			if (n == 0)
				break;
		}
		at = (size_t)sprintf(out, "{\"execute\": \"guest-file-write\","
		    " \"arguments\": {\"handle\": %lld, \"buf-b64\": \"",
		    handle);
		at += encode(out + at, in, have);
		at += (size_t)sprintf(out + at, "\"}}\n");
		put_all(sock, out, at);
		reply();
	} while (have == chunk);
}

int
main(int argc, char *argv[])
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	long long handle;
	size_t i;
	int getting;

	if (argc != 5)
		return (2);
	for (i = 0; i < 64; i++)
		value[(unsigned char)alphabet[i]] = (unsigned char)i;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", argv[1]);
	if ((sock = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(sock, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		die(argv[1]);
	slow = strcmp(argv[2], "slow") == 0;
	getting = slow || strcmp(argv[2], "get") == 0;
	ask("{\"execute\": \"guest-file-open\", \"arguments\": "
	    "{\"path\": \"%s\", \"mode\": \"%s\"}}\n", argv[3],
	    getting ? "r" : "w");
	if (sscanf(line, "{\"return\": %lld}", &handle) != 1)
		die("open");
	(getting ? get : put)(handle, strtoul(argv[4], NULL, 10));
	ask("{\"execute\": \"guest-file-close\", \"arguments\": "
	    "{\"handle\": %lld}}\n", handle);
	return (0);
}
