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

#define XX	0xff		/* not of the alphabet */
#define BAD	0xff000000U	/* that, in a group */

static void	 tables(void);
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

/* Twelve bits at a time, both ways: made once, 12 KiB that stay cached. */
static char	 pairs[4096][2];
static uint32_t	 parts[4][256];		/* shifted to their place */

static void
tables(void)
{
	unsigned int i, j;

	if (pairs[0][0] != '\0')
		return;
	for (i = 0; i < 256; i++)
		for (j = 0; j < 4; j++)
			parts[j][i] = values[i] == XX ? BAD :
			    (uint32_t)values[i] << (18 - 6 * j);
	for (i = 0; i < 4096; i++) {
		pairs[i][0] = alphabet[i >> 6];
		pairs[i][1] = alphabet[i & 0x3f];
	}
}

size_t
base64_encode(char *dst, const void *vsrc, size_t n)
{
	const unsigned char *src = vsrc;
	char *d = dst;
	uint32_t v;

	tables();
	for (; n >= 3; n -= 3, src += 3, d += 4) {
		v = (uint32_t)src[0] << 16 | (uint32_t)src[1] << 8 | src[2];
		memcpy(d, pairs[v >> 12], 2);
		memcpy(d + 2, pairs[v & 0xfff], 2);
	}
	if (n > 0) {
		v = (uint32_t)src[0] << 16;
		if (n == 2)
			v |= (uint32_t)src[1] << 8;
		memcpy(d, pairs[v >> 12], 2);
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
	tables();
	memset(b, 0, sizeof(*b));
}

size_t
base64_groups(unsigned char *dst, const char *vsrc, size_t n, size_t *used)
{
	const unsigned char *src = (const unsigned char *)vsrc;
	const unsigned char *end = src + n / 4 * 4;
	unsigned char *d = dst;
	uint32_t v;

	for (; src < end; src += 4, d += 3) {
		v = parts[0][src[0]] | parts[1][src[1]] | parts[2][src[2]] |
		    parts[3][src[3]];
		if (v & BAD)
			break;
		d[0] = (unsigned char)(v >> 16);
		d[1] = (unsigned char)(v >> 8);
		d[2] = (unsigned char)v;
	}
	*used = (size_t)(src - (const unsigned char *)vsrc);
	return ((size_t)(d - dst));
}

size_t
base64_decode(struct base64 *b, unsigned char *dst, const char *src, size_t n)
{
	const char *end = src + n;
	unsigned char *d = dst;
	size_t used;

	while (src < end && !b->bad) {
		/* Whole groups at a time; the rest, and what is odd, singly. */
		if (base64_whole(b)) {
			d += base64_groups(d, src, (size_t)(end - src), &used);
			src += used;
		}
		if (src < end)
			d += slow(b, d, (unsigned char)*src++);
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

int
base64_whole(const struct base64 *b)
{
	return (b->have == 0 && b->pad == 0 && !b->bad);
}
