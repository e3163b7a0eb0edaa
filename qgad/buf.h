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
 * A buffer that grows and leaves no copy of what was in it behind.  Zeroed,
 * it is empty.  ENOMEM ends the process.
 */

#ifndef BUF_H
#define BUF_H

#include <stddef.h>

struct buf {
	char		*p;		/* NULL: nothing was ever put in */
	size_t		 len, cap;	/* bytes */
};

/* Room for n more bytes, doubling up to max bytes but never below that. */
void	 buf_grow(struct buf *, size_t n, size_t max);
/* Copies n bytes to the end; always leaves room for a NUL. */
void	 buf_put(struct buf *, const void *, size_t n);
void	 buf_free(struct buf *);	/* wipes, and is empty again */
/*
 * Gives the bytes away, without the room they do not need, to be free()d;
 * empty again.  Not for a buffer that never held anything.
 */
char	*buf_take(struct buf *);

#endif
