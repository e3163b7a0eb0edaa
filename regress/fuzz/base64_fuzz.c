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
 * Base64: whole and in pieces decode alike, within the room that the header
 * promises, and what was decoded encodes to what it came from.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"

#define MUST(x)	do { if (!(x)) abort(); } while (0)

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static size_t	 decode(const char *, size_t, size_t, unsigned char *, int *);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *a, *b, *c;
	char *text;
	size_t n, step;
	int bad, bad2;

	if (size == 0)
		return (0);
	step = 1 + (data[0] & 0x1f);
	MUST((a = malloc(size * 2 + 8)) != NULL);
	MUST((b = malloc(size * 2 + 8)) != NULL);
	n = decode((const char *)data + 1, size - 1, size, a, &bad);
	MUST(decode((const char *)data + 1, size - 1, step, b, &bad2) == n);
	MUST(bad == bad2 && memcmp(a, b, n) == 0);

	MUST((text = malloc(BASE64_LEN(size))) != NULL);
	MUST((c = malloc(size * 2 + 8)) != NULL);
	n = base64_encode(text, data, size);
	MUST(n == BASE64_LEN(size));
	MUST(decode(text, n, step, c, &bad) == size && !bad);
	MUST(memcmp(c, data, size) == 0);
	free(a);
	free(b);
	free(c);
	free(text);
	return (0);
}

/* Each piece into memory of exactly its room. */
static size_t
decode(const char *p, size_t len, size_t step, unsigned char *out, int *bad)
{
	struct base64 b;
	unsigned char *d;
	size_t n, k, sum = 0;

	base64_start(&b);
	for (; len > 0; p += n, len -= n) {
		n = len < step ? len : step;
		MUST((d = malloc(n / 4 * 3 + 3)) != NULL);
		k = base64_decode(&b, d, p, n);
		memcpy(out + sum, d, k);
		sum += k;
		free(d);
	}
	*bad = base64_finish(&b) == -1;
	return (sum);
}
