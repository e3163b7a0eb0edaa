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

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"

#define BUF_MIN		128
#define BUF_REMAP	((size_t)128 * 1024)	/* realloc moves pages */
#define BUF_SLACK	4096		/* more than this is given back */

static void	*xmalloc(size_t);

/*
 * Small buffers are copied by hand so that the old one can be wiped; a large
 * one is remapped, which leaves nothing behind and needs no second one
 * meanwhile.
 */
void
buf_grow(struct buf *b, size_t n, size_t max)
{
	size_t cap = b->cap * 2;
	char *p;

	if (cap > max)
		cap = max;
	if (cap < b->len + n)
		cap = b->len + n;
	if (cap < BUF_MIN)
		cap = BUF_MIN;
	if (b->cap >= BUF_REMAP) {
		if ((p = realloc(b->p, cap)) == NULL)
			fatal("realloc of %zu bytes", cap);
	} else {
		p = xmalloc(cap);
		if (b->p != NULL) {
			memcpy(p, b->p, b->len);
			explicit_bzero(b->p, b->cap);
			free(b->p);
		}
	}
	b->p = p;
	b->cap = cap;
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
	if (b->cap - b->len < n + 1)
		buf_grow(b, n + 1, SIZE_MAX);
	if (n == 1)
		b->p[b->len] = *(const char *)p;
	else
		memcpy(b->p + b->len, p, n);
	b->len += n;
}

void
buf_free(struct buf *b)
{
	if (b->p == NULL)
		return;
	explicit_bzero(b->p, b->len);
	free(b->p);
	memset(b, 0, sizeof(*b));
}

char *
buf_take(struct buf *b)
{
	char *p = b->p, *small;

	if (b->cap - b->len > BUF_SLACK) {
		if (b->cap >= BUF_REMAP) {
			if ((small = realloc(p, b->len + 1)) != NULL)
				p = small;
		} else {
			small = xmalloc(b->len + 1);
			memcpy(small, p, b->len);
			explicit_bzero(p, b->len);
			free(p);
			p = small;
		}
	}
	memset(b, 0, sizeof(*b));
	return (p);
}

static void *
xmalloc(size_t n)
{
	void *p;

	if ((p = malloc(n)) == NULL)
		fatal("malloc of %zu bytes", n);
	return (p);
}
