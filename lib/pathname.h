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
 * Absolute paths as text: nothing is looked up.
 */

#ifndef PATHNAME_H
#define PATHNAME_H

/*
 * 1: path is base, or below it.  Neither has a slash at its end, a double one
 * or "..", but "/" is a base.
 */
int	 path_below(const char *path, const char *base);
/* The same of one of several bases, with commas between; "" has none. */
int	 path_below_any(const char *path, const char *bases);
/*
 * In place, of /proc and markers: \ and three octal digits of at most 377 are
 * a byte, anything else itself.
 */
void	 path_unescape(char *);

#endif
