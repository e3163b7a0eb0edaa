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
 * What every system's half of the query worker shares: findings in, result
 * trees out.
 */

#include <sys/socket.h>

#include <arpa/inet.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "query.h"
#include "value.h"

static void	*grow(void *, size_t, size_t *, size_t, size_t);
static void	 osinfo_line(struct osinfo *, char *, size_t);
static size_t	 unquote(char *, size_t);
static void	 write_mac(struct value_writer *, const unsigned char *);
static void	 write_addresses(struct value_writer *, const struct netifs *,
		    const struct netif *);
static void	 write_counters(struct value_writer *,
		    const struct netcounters *);

int
query_fail(char *err, size_t size, const char *what)
{
	(void)snprintf(err, size, "%s: %s", what, strerror(errno));
	return (-1);
}

ssize_t
query_read(int fd, char *buf, size_t size)
{
	ssize_t	 n;

	/* A regular file's read is short at its end alone. */
	do {
		n = pread(fd, buf, size, 0);
	} while (n == -1 && errno == EINTR);
	return (n);
}

int
query_number(const char **s, int base, uint64_t *n)
{
	const char	*p;
	uint64_t	 v = 0, b = (uint64_t)base;
	unsigned int	 digit;

	for (p = *s;; p++) {
		if (*p >= '0' && *p <= '9')
			digit = (unsigned int)(*p - '0');
		else if (base == 16 && ((*p >= 'a' && *p <= 'f') ||
		    (*p >= 'A' && *p <= 'F')))
			digit = (unsigned int)(*p & 7) + 9;
		else
			break;
		if (v > (UINT64_MAX - digit) / b)
			return (-1);
		v = v * b + digit;
	}
	if (p == *s)
		return (-1);
	*s = p;
	*n = v;
	return (0);
}

int
lines_open(struct lines *l, const char *path)
{
	l->error = l->eof = l->skip = 0;
	l->at = l->have = 0;
	l->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return (l->fd == -1 ? -1 : 0);
}

void
lines_close(struct lines *l)
{
	if (close(l->fd) == -1)
		log_warn("close");
}

char *
lines_next(struct lines *l)
{
	char	*line, *end;
	ssize_t	 n;
	int	 skip;

	for (;;) {
		line = l->buf + l->at;
		end = memchr(line, '\n', l->have - l->at);
		if (end == NULL && l->eof && l->at < l->have)
			end = l->buf + l->have;	/* the last has no newline */
		if (end != NULL) {
			*end = '\0';
			l->at = (size_t)(end - l->buf) + 1;
			if (l->at > l->have)
				l->at = l->have;
			skip = l->skip;
			l->skip = 0;
			if (!skip)
				return (line);
			continue;
		}
		if (l->eof || l->error != 0)
			return (NULL);
		l->have -= l->at;
		memmove(l->buf, line, l->have);
		l->at = 0;
		if (l->have == sizeof(l->buf) - 1) {
			l->have = 0;
			l->skip = 1;
		}
		n = read(l->fd, l->buf + l->have,
		    sizeof(l->buf) - 1 - l->have);
		if (n > 0)
			l->have += (size_t)n;
		else if (n == 0)
			l->eof = 1;
		else if (errno != EINTR)
			l->error = errno;
	}
}

/*
 * Room for one more element behind n.  NULL with errno; the old memory is
 * untouched then.
 */
static void *
grow(void *v, size_t n, size_t *size, size_t max, size_t element)
{
	size_t	 want;

	if (n < *size)
		return (v);
	if (n >= max) {
		errno = ERANGE;
		return (NULL);
	}
	want = *size == 0 ? 16 : *size * 2;
	if (want > max)
		want = max;
	if ((v = realloc(v, want * element)) != NULL)
		*size = want;
	return (v);
}

/* --- guest-get-osinfo --- */

static const struct {
	const char	*member;	/* of the reply */
	const char	*key;		/* in os-release; NULL: from uname */
} osinfo_names[OSINFO_MEMBERS] = {
	[OSINFO_KERNEL_RELEASE] = { "kernel-release", NULL },
	[OSINFO_KERNEL_VERSION] = { "kernel-version", NULL },
	[OSINFO_MACHINE] = { "machine", NULL },
	[OSINFO_ID] = { "id", "ID" },
	[OSINFO_NAME] = { "name", "NAME" },
	[OSINFO_PRETTY_NAME] = { "pretty-name", "PRETTY_NAME" },
	[OSINFO_VERSION] = { "version", "VERSION" },
	[OSINFO_VERSION_ID] = { "version-id", "VERSION_ID" },
	[OSINFO_VARIANT] = { "variant", "VARIANT" },
	[OSINFO_VARIANT_ID] = { "variant-id", "VARIANT_ID" }
};

void
osinfo_set(struct osinfo *o, enum osinfo_member m, const char *s)
{
	o->str[m] = s;
	o->len[m] = strlen(s);
}

void
osinfo_parse(struct osinfo *o, char *buf, size_t len)
{
	char	*end, *line = buf;

	while (len > 0) {
		if ((end = memchr(line, '\n', len)) == NULL)
			end = line + len;
		osinfo_line(o, line, (size_t)(end - line));
		len -= (size_t)(end - line);
		line = end;
		if (len > 0) {		/* the newline */
			line++;
			len--;
		}
	}
}

/* KEY=value; anything else, comments too, is skipped.  The last one wins. */
static void
osinfo_line(struct osinfo *o, char *line, size_t len)
{
	char	*value;
	size_t	 i, keylen;

	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if ((value = memchr(line, '=', len)) == NULL)
		return;
	keylen = (size_t)(value++ - line);
	for (i = 0; i < OSINFO_MEMBERS; i++) {
		if (osinfo_names[i].key == NULL ||
		    strlen(osinfo_names[i].key) != keylen ||
		    memcmp(osinfo_names[i].key, line, keylen) != 0)
			continue;
		o->str[i] = value;
		o->len[i] = unquote(value, len - keylen - 1);
		return;
	}
}

/*
 * In place; returns the new length.  Quotes count only around the whole
 * value; a backslash is itself within single quotes, and elsewhere unless it
 * is before a character that the shell would have it protect.
 */
static size_t
unquote(char *s, size_t len)
{
	size_t	 in = 0, out = 0;
	char	 quote = '\0';

	while (in < len && (s[in] == ' ' || s[in] == '\t'))
		in++;
	while (len > in && (s[len - 1] == ' ' || s[len - 1] == '\t' ||
	    s[len - 1] == '\r'))
		len--;
	if (in < len && (s[in] == '"' || s[in] == '\''))
		quote = s[in++];
	for (; in < len; in++) {
		if (quote != '\0' && s[in] == quote)
			break;
		if (s[in] == '\\' && quote != '\'' && in + 1 < len &&
		    s[in + 1] != '\0' && strchr("\"'\\$`", s[in + 1]) != NULL)
			in++;
		s[out++] = s[in];
	}
	return (out);
}

void
osinfo_write(struct value_writer *w, const struct osinfo *o)
{
	size_t	 i;

	value_object(w, NULL);
	for (i = 0; i < OSINFO_MEMBERS; i++) {
		if (o->str[i] != NULL)
			value_bytes(w, osinfo_names[i].member, o->str[i],
			    o->len[i]);
	}
	value_close(w);
}

/* --- guest-get-timezone --- */

int
query_timezone(struct value_writer *w, char *err, size_t size)
{
	struct timespec	 ts;
	struct tm	 tm;

	/* Looks again, so that a zone that was changed is seen. */
	tzset();
	if (clock_gettime(CLOCK_REALTIME, &ts) == -1 ||
	    localtime_r(&ts.tv_sec, &tm) == NULL)
		return (query_fail(err, size,
		    "Couldn't retrieve local timezone"));
	value_object(w, NULL);
	if (tm.tm_zone != NULL && tm.tm_zone[0] != '\0')
		value_string(w, "zone", tm.tm_zone);
	value_int(w, "offset", tm.tm_gmtoff);
	value_close(w);
	return (0);
}

/* --- guest-get-users --- */

int
users_add(struct users *us, const char *name, size_t max, double login)
{
	struct user	*u;
	size_t		 i, len;

	if (max > USER_NAME)
		max = USER_NAME;
	len = strnlen(name, max);
	if (len == 0)
		return (0);
	for (i = 0; i < us->n; i++) {
		u = &us->v[i];
		if (u->len != len || memcmp(u->name, name, len) != 0)
			continue;
		if (login < u->login)
			u->login = login;
		return (0);
	}
	u = grow(us->v, us->n, &us->size, USERS_MAX, sizeof(*us->v));
	if (u == NULL)
		return (-1);
	us->v = u;
	u = &us->v[us->n++];
	u->login = login;
	u->len = len;
	memcpy(u->name, name, len);
	return (0);
}

void
users_write(struct value_writer *w, const struct users *us)
{
	size_t	 i;

	value_array(w, NULL);
	for (i = 0; i < us->n; i++) {
		value_object(w, NULL);
		value_bytes(w, "user", us->v[i].name, us->v[i].len);
		value_double(w, "login-time", us->v[i].login);
		value_close(w);
	}
	value_close(w);
}

void
users_free(struct users *us)
{
	free(us->v);
	memset(us, 0, sizeof(*us));
}

/* --- guest-network-get-interfaces --- */

void
netifs_reset(struct netifs *ns)
{
	ns->n = ns->naddr = ns->hint = 0;
}

void
netifs_free(struct netifs *ns)
{
	free(ns->v);
	free(ns->addr);
	memset(ns, 0, sizeof(*ns));
}

struct netif *
netif_add(struct netifs *ns, uint32_t index)
{
	struct netif	*n;

	n = grow(ns->v, ns->n, &ns->size, NETIFS_MAX, sizeof(*ns->v));
	if (n == NULL)
		return (NULL);
	ns->v = n;
	n = &ns->v[ns->n++];
	memset(n, 0, sizeof(*n));
	n->index = index;
	n->first = n->last = NETIF_NONE;
	return (n);
}

/*
 * Addresses come in the order of their interfaces, so that the search, which
 * starts where the last one ended, is short however many there are.
 */
struct netif *
netif_find(struct netifs *ns, uint32_t index)
{
	size_t	 i, at;

	for (i = 0, at = ns->hint; i < ns->n; i++, at++) {
		if (at >= ns->n)
			at = 0;
		if (ns->v[at].index == index) {
			ns->hint = at;
			return (&ns->v[at]);
		}
	}
	return (NULL);
}

int
netaddr_add(struct netifs *ns, struct netif *n, int family,
    unsigned int prefix, const void *bytes)
{
	struct netaddr	*a;

	a = grow(ns->addr, ns->naddr, &ns->addrsize, NETIFS_MAX,
	    sizeof(*ns->addr));
	if (a == NULL)
		return (-1);
	ns->addr = a;
	a = &ns->addr[ns->naddr];
	memset(a, 0, sizeof(*a));
	a->next = NETIF_NONE;
	a->family = family;
	a->prefix = prefix;
	memcpy(a->bytes, bytes, family == AF_INET ? 4 : 16);
	if (n->first == NETIF_NONE)
		n->first = ns->naddr;
	else
		ns->addr[n->last].next = ns->naddr;
	n->last = ns->naddr++;
	return (0);
}

void
netifs_write(struct value_writer *w, const struct netifs *ns)
{
	const struct netif	*n;
	size_t			 i;

	value_array(w, NULL);
	for (i = 0; i < ns->n; i++) {
		n = &ns->v[i];
		value_object(w, NULL);
		value_bytes(w, "name", n->name, n->len);
		if (n->hasmac)
			write_mac(w, n->mac);
		if (n->first != NETIF_NONE) {
			write_addresses(w, ns, n);
			/* Counters go with addresses: hosts expect so. */
			if (n->hascounters)
				write_counters(w, &n->counters);
		}
		value_close(w);
	}
	value_close(w);
}

static void
write_mac(struct value_writer *w, const unsigned char *mac)
{
	static const char	 hex[] = "0123456789abcdef";
	char			 s[18];
	size_t			 i;

	for (i = 0; i < 6; i++) {
		s[3 * i] = hex[mac[i] >> 4];
		s[3 * i + 1] = hex[mac[i] & 15];
		s[3 * i + 2] = i == 5 ? '\0' : ':';
	}
	value_string(w, "hardware-address", s);
}

static void
write_addresses(struct value_writer *w, const struct netifs *ns,
    const struct netif *n)
{
	const struct netaddr	*a;
	char			 text[INET6_ADDRSTRLEN];
	size_t			 i;

	value_array(w, "ip-addresses");
	for (i = n->first; i != NETIF_NONE; i = a->next) {
		a = &ns->addr[i];
		if (inet_ntop(a->family, a->bytes, text,
		    sizeof(text)) == NULL)
			continue;
		value_object(w, NULL);
		value_string(w, "ip-address", text);
		value_string(w, "ip-address-type",
		    a->family == AF_INET ? "ipv4" : "ipv6");
		value_uint(w, "prefix", a->prefix);
		value_close(w);
	}
	value_close(w);
}

static void
write_counters(struct value_writer *w, const struct netcounters *c)
{
	value_object(w, "statistics");
	value_uint(w, "rx-bytes", c->rx_bytes);
	value_uint(w, "rx-packets", c->rx_packets);
	value_uint(w, "rx-errs", c->rx_errs);
	value_uint(w, "rx-dropped", c->rx_dropped);
	value_uint(w, "tx-bytes", c->tx_bytes);
	value_uint(w, "tx-packets", c->tx_packets);
	value_uint(w, "tx-errs", c->tx_errs);
	value_uint(w, "tx-dropped", c->tx_dropped);
	value_close(w);
}
