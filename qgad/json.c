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

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "json.h"
#include "log.h"
#include "value.h"

#define OUT_START	4096
#define OUT_KEEP	(512 * 1024)	/* above this an empty buffer shrinks */
#define BAD_CHARACTER	0xfffdU

static char	*out_reserve(struct out *, size_t);
static void	 out_commit(struct out *, size_t);
static size_t	 utf8_next(const unsigned char *, size_t, uint32_t *);
static void	 json_escape(struct out *, uint32_t);
static void	 json_item(struct out *, const struct value_item *);

void
out_init(struct out *o)
{
	o->off = o->len = 0;
	o->cap = OUT_START;
	if ((o->buf = malloc(o->cap)) == NULL)
		fatal("output buffer");
}

size_t
out_pending(const struct out *o)
{
	return (o->len - o->off);
}

/* Room for n bytes; out_commit() says how many of them were written. */
static char *
out_reserve(struct out *o, size_t n)
{
	size_t cap;
	char *buf;

	if (o->cap - o->len >= n)
		return (o->buf + o->len);
	if (o->off > 0) {
		memmove(o->buf, o->buf + o->off, o->len - o->off);
		o->len -= o->off;
		o->off = 0;
	}
	for (cap = o->cap; cap - o->len < n; cap *= 2)
		if (cap > SIZE_MAX / 2)
			fatalx("output buffer too large");
	if (cap != o->cap) {
		if ((buf = realloc(o->buf, cap)) == NULL)
			fatal("output buffer");
		o->buf = buf;
		o->cap = cap;
	}
	return (o->buf + o->len);
}

static void
out_commit(struct out *o, size_t n)
{
	o->len += n;
}

void
out_add(struct out *o, const void *data, size_t n)
{
	memcpy(out_reserve(o, n), data, n);
	o->len += n;
}

void
out_str(struct out *o, const char *s)
{
	out_add(o, s, strlen(s));
}

void
out_consume(struct out *o, size_t n)
{
	o->off += n;
	if (o->off < o->len)
		return;
	o->off = o->len = 0;
	if (o->cap > OUT_KEEP) {
		free(o->buf);
		out_init(o);
	}
}

void
out_rollback(struct out *o, size_t mark)
{
	o->len = o->off + mark;
	if (mark == 0)
		out_consume(o, 0);
}

/*
 * The character at p and how many bytes it takes.  Overlong forms, surrogates,
 * noncharacters and stray bytes are BAD_CHARACTER, one byte at a time.
 */
static size_t
utf8_next(const unsigned char *p, size_t n, uint32_t *cp)
{
	static const struct {
		unsigned char	 mask, lead;
		size_t		 len;
		uint32_t	 min;
	} forms[] = {
		{ 0x80, 0x00, 1, 0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};
	size_t f, i;
	uint32_t c;

	*cp = BAD_CHARACTER;
	for (f = 0; f < sizeof(forms) / sizeof(forms[0]); f++)
		if ((p[0] & forms[f].mask) == forms[f].lead)
			break;
	if (f == sizeof(forms) / sizeof(forms[0]) || forms[f].len > n)
		return (1);
	c = p[0] & (unsigned char)~forms[f].mask;
	for (i = 1; i < forms[f].len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return (1);
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < forms[f].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return (1);
	if ((c & 0xfffe) != 0xfffe && !(c >= 0xfdd0 && c <= 0xfdef))
		*cp = c;
	return (forms[f].len);
}

static void
json_escape(struct out *o, uint32_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *p;
	char *dst;

	dst = out_reserve(o, 13);	/* a pair, and snprintf's NUL */
	if (c != 0 && c < 0x80 && (p = strchr(from, (int)c)) != NULL) {
		dst[0] = '\\';
		dst[1] = to[p - from];
		out_commit(o, 2);
	} else if (c < 0x10000) {
		(void)snprintf(dst, 13, "\\u%04" PRIX32, c);
		out_commit(o, 6);
	} else {
		c -= 0x10000;
		(void)snprintf(dst, 13, "\\u%04" PRIX32 "\\u%04" PRIX32,
		    0xd800 | (c >> 10), 0xdc00 | (c & 0x3ff));
		out_commit(o, 12);
	}
}

void
json_string(struct out *o, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t c;
	size_t i, run;

	out_add(o, "\"", 1);
	for (i = 0; i < n; ) {
		for (run = i; run < n && p[run] >= 0x20 && p[run] < 0x7f &&
		    p[run] != '"' && p[run] != '\\'; run++)
			;
		out_add(o, p + i, run - i);
		if ((i = run) < n) {
			i += utf8_next(p + i, n - i, &c);
			json_escape(o, c);
		}
	}
	out_add(o, "\"", 1);
}

void
json_int(struct out *o, int64_t i)
{
	char num[24];

	(void)snprintf(num, sizeof(num), "%" PRId64, i);
	out_str(o, num);
}

void
json_uint(struct out *o, uint64_t u)
{
	char num[24];

	(void)snprintf(num, sizeof(num), "%" PRIu64, u);
	out_str(o, num);
}

void
json_double(struct out *o, double d)
{
	char num[40];

	if (!isfinite(d)) {
		out_str(o, "null");
		return;
	}
	(void)snprintf(num, sizeof(num), "%.17g", d);
	out_str(o, num);
}

void
json_boolean(struct out *o, int b)
{
	out_str(o, b ? "true" : "false");
}

static void
json_item(struct out *o, const struct value_item *item)
{
	switch (item->type) {
	case VALUE_KEY:
		json_string(o, item->str, item->len);
		out_str(o, ": ");
		break;
	case VALUE_STR:
		json_string(o, item->str, item->len);
		break;
	case VALUE_INT:
		json_int(o, item->num.i);
		break;
	case VALUE_UINT:
		json_uint(o, item->num.u);
		break;
	case VALUE_DOUBLE:
		json_double(o, item->num.d);
		break;
	case VALUE_TRUE:
	case VALUE_FALSE:
		json_boolean(o, item->type == VALUE_TRUE);
		break;
	case VALUE_NULL:
		out_str(o, "null");
		break;
	case VALUE_OBJECT:
	case VALUE_ARRAY:
	case VALUE_CLOSE:
	case VALUE_END:
		break;		/* json_value's own */
	}
}

int
json_value(struct out *o, const void *tree, size_t len, size_t max)
{
	struct value_reader r;
	struct value_item item;
	char closer[VALUE_DEPTH];
	size_t mark = out_pending(o);
	int depth = 0, first = 1, n;

	value_read(&r, tree, len);
	while ((n = value_next(&r, &item)) == 1) {
		if (item.type == VALUE_CLOSE) {
			out_add(o, &closer[--depth], 1);
			first = 0;
			continue;
		}
		if (!first)
			out_str(o, ", ");
		if (item.type == VALUE_OBJECT || item.type == VALUE_ARRAY) {
			/* value_next() has checked the depth. */
			closer[depth++] = item.type == VALUE_OBJECT ? '}' : ']';
			out_str(o, item.type == VALUE_OBJECT ? "{" : "[");
			first = 1;
		} else {
			json_item(o, &item);
			first = item.type == VALUE_KEY;
		}
		if (out_pending(o) - mark > max)
			break;
	}
	if (n == 0 && out_pending(o) - mark <= max)
		return (0);
	out_rollback(o, mark);
	errno = n == -1 ? EBADMSG : ERANGE;
	return (-1);
}

void
json_base64(struct out *o, struct json_base64 *b, const void *data, size_t n)
{
	const unsigned char *p = data;
	unsigned char group[3];
	size_t whole;

	if (b->n > 0) {
		memcpy(group, b->carry, b->n);
		for (; b->n < 3 && n > 0; n--)
			group[b->n++] = *p++;
		if (b->n < 3) {
			memcpy(b->carry, group, b->n);
			return;
		}
		out_commit(o, base64_encode(out_reserve(o, 4), group, 3));
	}
	whole = n / 3 * 3;
	out_commit(o, base64_encode(out_reserve(o, BASE64_LEN(whole)), p,
	    whole));
	b->n = n - whole;
	memcpy(b->carry, p + whole, b->n);
}

void
json_base64_end(struct out *o, struct json_base64 *b)
{
	out_commit(o, base64_encode(out_reserve(o, 4), b->carry, b->n));
	b->n = 0;
}
