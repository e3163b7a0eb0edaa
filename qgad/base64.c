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

#include <string.h>

#include "base64.h"

#define XX	0xff		/* not of the alphabet: sets bits past 0x3f */

static int	 slow(struct base64 *, unsigned char *, unsigned char);

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const unsigned char values[256] = {
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, XX, XX, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, XX, XX, XX, XX, XX, XX,
	XX,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, XX,
	XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
};

size_t
base64_encode(char *dst, const void *vsrc, size_t n)
{
	const unsigned char *src = vsrc;
	char *d = dst;
	uint32_t v;

	for (; n >= 3; n -= 3, src += 3, d += 4) {
		v = (uint32_t)src[0] << 16 | (uint32_t)src[1] << 8 | src[2];
		d[0] = alphabet[v >> 18];
		d[1] = alphabet[v >> 12 & 0x3f];
		d[2] = alphabet[v >> 6 & 0x3f];
		d[3] = alphabet[v & 0x3f];
	}
	if (n > 0) {
		v = (uint32_t)src[0] << 16;
		if (n == 2)
			v |= (uint32_t)src[1] << 8;
		d[0] = alphabet[v >> 18];
		d[1] = alphabet[v >> 12 & 0x3f];
		d[2] = d[3] = '=';
		if (n == 2)
			d[2] = alphabet[v >> 6 & 0x3f];
		d += 4;
	}
	return ((size_t)(d - dst));
}

void
base64_start(struct base64 *b)
{
	memset(b, 0, sizeof(*b));
}

size_t
base64_decode(struct base64 *b, unsigned char *dst, const char *vsrc, size_t n)
{
	const unsigned char *src = (const unsigned char *)vsrc;
	const unsigned char *end = src + n;
	unsigned char *d = dst;
	unsigned int v0, v1, v2, v3;

	while (src < end && !b->bad) {
		/* Whole groups at a time; the rest, and what is odd, singly. */
		while (b->have == 0 && b->pad == 0 && end - src >= 4) {
			v0 = values[src[0]];
			v1 = values[src[1]];
			v2 = values[src[2]];
			v3 = values[src[3]];
			if ((v0 | v1 | v2 | v3) > 0x3f)
				break;
			d[0] = (unsigned char)(v0 << 2 | v1 >> 4);
			d[1] = (unsigned char)(v1 << 4 | v2 >> 2);
			d[2] = (unsigned char)(v2 << 6 | v3);
			d += 3;
			src += 4;
		}
		if (src < end)
			d += slow(b, d, *src++);
	}
	return ((size_t)(d - dst));
}

/* One character; returns the bytes written if it completed a group. */
static int
slow(struct base64 *b, unsigned char *d, unsigned char c)
{
	int n;

	if (c == '\n' || c == '\r')
		return (0);
	if (c == '=' && b->have >= 2) {
		b->pad++;
		b->bits <<= 6;
	} else if (values[c] <= 0x3f && b->pad == 0)
		b->bits = b->bits << 6 | values[c];
	else {
		b->bad = 1;
		return (0);
	}
	if (++b->have < 4)
		return (0);
	n = 3 - (int)b->pad;
	d[0] = (unsigned char)(b->bits >> 16);
	if (n > 1)
		d[1] = (unsigned char)(b->bits >> 8);
	if (n > 2)
		d[2] = (unsigned char)b->bits;
	b->have = 0;
	b->bits = 0;
	return (n);
}

int
base64_finish(struct base64 *b)
{
	return (b->bad || b->have != 0 ? -1 : 0);
}
