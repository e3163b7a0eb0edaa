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

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "utf8.h"

static size_t	 escape_u(char *, uint32_t);

size_t
utf8_escape(char *s, uint32_t cp)
{
	static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
	const char *e;

	if (cp < 0x80 && (e = strchr(from, (int)cp)) != NULL) {
		s[0] = '\\';
		s[1] = to[e - from];
		return (2);
	}
	if (cp >= 0x20 && cp < 0x7f) {
		s[0] = (char)cp;
		return (1);
	}
	if (cp < 0x10000)
		return (escape_u(s, cp));
	cp -= 0x10000;
	return (escape_u(s, 0xd800 | cp >> 10) +
	    escape_u(s + 6, 0xdc00 | (cp & 0x3ff)));
}

static size_t
escape_u(char *s, uint32_t v)
{
	static const char digits[] = "0123456789abcdef";

	s[0] = '\\';
	s[1] = 'u';
	s[2] = digits[v >> 12 & 15];
	s[3] = digits[v >> 8 & 15];
	s[4] = digits[v >> 4 & 15];
	s[5] = digits[v & 15];
	return (6);
}

int
utf8_start(struct utf8 *u, unsigned char b)
{
	u->need = 0;
	u->min = 0;
	u->cp = b;
	if (b < 0x80)
		return (1);
	if (b < 0xc0 || b > 0xf4)
		return (-1);
	if (b < 0xe0) {
		u->need = 1;
		u->min = 0x80;
		u->cp = b & 0x1f;
	} else if (b < 0xf0) {
		u->need = 2;
		u->min = 0x800;
		u->cp = b & 0xf;
	} else {
		u->need = 3;
		u->min = 0x10000;
		u->cp = b & 7;
	}
	return (0);
}

int
utf8_next(struct utf8 *u, unsigned char b)
{
	unsigned int len = u->min == 0x80;

	if ((b & 0xc0) != 0x80)
		return (-1);
	u->cp = u->cp << 6 | (b & 0x3f);
	if (--u->need > 0)
		return (0);
	/* C0 80 is U+0000; any other overlong form is wrong. */
	if (u->cp < u->min && !(len && u->cp == 0))
		return (-1);
	return (utf8_valid(u->cp) ? 1 : -1);
}

int
utf8_valid(uint32_t cp)
{
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return (0);
	return ((cp < 0xfdd0 || cp > 0xfdef) && (cp & 0xfffe) != 0xfffe);
}

size_t
utf8_encode(char *s, uint32_t cp)
{
	unsigned int n, i;

	if (cp < 0x80) {
		s[0] = (char)cp;
		return (1);
	}
	n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (i = n - 1; i > 0; i--, cp >>= 6)
		s[i] = (char)(0x80 | (cp & 0x3f));
	s[0] = (char)((0xf00 >> n & 0xff) | cp);
	return (n);
}
