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
 * Characters of JSON strings, one at a time: no allocation, no failure but
 * that of the bytes.  Valid is what QEMU takes: no surrogate, no noncharacter,
 * and of overlong forms only C0 80, which is U+0000.
 */

#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

struct utf8 {				/* a character being read */
	uint32_t	 cp, min;
	unsigned int	 need;		/* bytes to come */
};

/*
 * The first byte of a character, then each that follows.  1: it is complete
 * in cp; 0: more is needed; -1: invalid.
 */
int	 utf8_start(struct utf8 *, unsigned char);
int	 utf8_next(struct utf8 *, unsigned char);
int	 utf8_valid(uint32_t);			/* 1: a code point that may be */
/*
 * Both write without a NUL and return how many bytes.  As UTF-8 (at most 4;
 * U+0000 is one zero byte), as canonical JSON (at most 12).
 */
size_t	 utf8_encode(char *, uint32_t);
size_t	 utf8_escape(char *, uint32_t);

#endif
