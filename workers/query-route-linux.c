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
 * The query worker on Linux: routes.  From /proc/net and not by netlink,
 * which knows neither use counts nor a v6 route's flags.
 */

#include <sys/socket.h>

#include <arpa/inet.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "query.h"
#include "value.h"

#define ROUTE4		"/proc/net/route"
#define ROUTE6		"/proc/net/ipv6_route"

#define FIELDS4		11
#define FIELDS6		10

typedef void	 route_fn(struct value_writer *, char *[]);

static int	 routes(struct value_writer *, const char *, int, route_fn *,
		    char *, size_t);
static int	 split(char *, char *[], int);
static route_fn	 route4, route6;
static int	 number(const char *, int, uint64_t *);
static int	 address4(const char *, char *);
static int	 address6(const char *, char *);

int
linux_routes(struct value_writer *w, char *err, size_t size)
{
	return (linux_routes_in(w, ROUTE4, ROUTE6, err, size));
}

int
linux_routes_in(struct value_writer *w, const char *v4, const char *v6,
    char *err, size_t size)
{
	int	 rv;

	value_array(w, NULL);
	if ((rv = routes(w, v4, FIELDS4, route4, err, size)) == 0)
		rv = routes(w, v6, FIELDS6, route6, err, size);
	value_close(w);
	return (rv);
}

/* What is no route, such as the line of headings, is left out. */
static int
routes(struct value_writer *w, const char *path, int fields, route_fn *fn,
    char *err, size_t size)
{
	static struct lines	 in;
	char			 what[256], *field[FIELDS4], *line;
	int			 rv = 0;

	(void)snprintf(what, sizeof(what), "open(\"%s\")", path);
	if (lines_open(&in, path) == -1)
		return (query_fail(err, size, what));
	while ((line = lines_next(&in)) != NULL) {
		if (split(line, field, fields) == 0)
			fn(w, field);
	}
	if (in.error != 0) {
		errno = in.error;
		rv = query_fail(err, size, path);
	}
	lines_close(&in);
	return (rv);
}

/* No interface has white space in its name.  -1: fewer than max fields. */
static int
split(char *s, char *field[], int max)
{
	int	 n;

	for (n = 0; n < max; n++) {
		s += strspn(s, " \t");
		if (*s == '\0')
			return (-1);
		field[n] = s;
		s += strcspn(s, " \t");
		if (*s != '\0')
			*s++ = '\0';
	}
	return (0);
}

static int
number(const char *s, int base, uint64_t *n)
{
	return (query_number(&s, base, n) == -1 || *s != '\0' ? -1 : 0);
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT */
static void
route4(struct value_writer *w, char *f[])
{
	char		 destination[INET_ADDRSTRLEN];
	char		 gateway[INET_ADDRSTRLEN], mask[INET_ADDRSTRLEN];
	uint64_t	 flags, refcnt, use, metric, mtu, window, irtt;

	if (address4(f[1], destination) == -1 ||
	    address4(f[2], gateway) == -1 || number(f[3], 16, &flags) == -1 ||
	    number(f[4], 10, &refcnt) == -1 || number(f[5], 10, &use) == -1 ||
	    number(f[6], 10, &metric) == -1 || address4(f[7], mask) == -1 ||
	    number(f[8], 10, &mtu) == -1 || number(f[9], 10, &window) == -1 ||
	    number(f[10], 10, &irtt) == -1)
		return;
	value_object(w, NULL);
	value_bytes(w, "iface", f[0], strlen(f[0]));
	value_string(w, "destination", destination);
	value_uint(w, "metric", metric);
	value_string(w, "gateway", gateway);
	value_string(w, "mask", mask);
	value_uint(w, "irtt", irtt);
	value_uint(w, "flags", flags);
	value_uint(w, "refcnt", refcnt);
	value_uint(w, "use", use);
	value_uint(w, "window", window);
	value_uint(w, "mtu", mtu);
	value_int(w, "version", 4);
	value_close(w);
}

/* destination length source length next-hop metric refcnt use flags iface */
static void
route6(struct value_writer *w, char *f[])
{
	char		 destination[INET6_ADDRSTRLEN];
	char		 source[INET6_ADDRSTRLEN], nexthop[INET6_ADDRSTRLEN];
	char		 text[24];
	uint64_t	 len, srclen, metric, refcnt, use, flags;

	if (address6(f[0], destination) == -1 ||
	    number(f[1], 16, &len) == -1 || address6(f[2], source) == -1 ||
	    number(f[3], 16, &srclen) == -1 || address6(f[4], nexthop) == -1 ||
	    number(f[5], 16, &metric) == -1 ||
	    number(f[6], 16, &refcnt) == -1 || number(f[7], 16, &use) == -1 ||
	    number(f[8], 16, &flags) == -1)
		return;
	value_object(w, NULL);
	value_bytes(w, "iface", f[9], strlen(f[9]));
	value_string(w, "destination", destination);
	value_uint(w, "metric", metric);
	(void)snprintf(text, sizeof(text), "%" PRIu64, len);
	value_string(w, "desprefixlen", text);
	value_string(w, "source", source);
	(void)snprintf(text, sizeof(text), "%" PRIu64, srclen);
	value_string(w, "srcprefixlen", text);
	value_string(w, "nexthop", nexthop);
	value_uint(w, "flags", flags);
	value_uint(w, "refcnt", refcnt);
	value_uint(w, "use", use);
	value_int(w, "version", 6);
	value_close(w);
}

/* The address's four bytes taken for a number of this machine's. */
static int
address4(const char *s, char *text)
{
	uint64_t	 n;
	uint32_t	 bytes;

	if (number(s, 16, &n) == -1 || n > UINT32_MAX)
		return (-1);
	bytes = (uint32_t)n;
	return (inet_ntop(AF_INET, &bytes, text, INET_ADDRSTRLEN) == NULL ?
	    -1 : 0);
}

static int
address6(const char *s, char *text)
{
	unsigned char	 bytes[16];
	const char	*p;
	char		 pair[3];
	uint64_t	 n;
	size_t		 i;

	if (strlen(s) != 2 * sizeof(bytes))
		return (-1);
	for (i = 0; i < sizeof(bytes); i++) {
		memcpy(pair, s + 2 * i, 2);
		pair[2] = '\0';
		p = pair;
		if (query_number(&p, 16, &n) == -1 || *p != '\0')
			return (-1);
		bytes[i] = (unsigned char)n;
	}
	return (inet_ntop(AF_INET6, bytes, text, INET6_ADDRSTRLEN) == NULL ?
	    -1 : 0);
}
