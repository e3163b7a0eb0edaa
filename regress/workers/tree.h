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

/* Result trees as text, for tests to compare.  Failures end the test. */

#ifndef TREE_H
#define TREE_H

#include <stddef.h>

struct value_writer;

/* Text that grows; starts zeroed. */
struct text {
	char	*s;
	size_t	 len, size;
};
void	 add(struct text *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
void	 addb(struct text *, const void *, size_t);

/* The tree as compact JSON, strings as they are; the caller's to free. */
char	*render(const void *, size_t);
/* The same of the tree that was written. */
char	*finish(struct value_writer *);
void	 write_file(const char *path, const void *, size_t);

#endif
