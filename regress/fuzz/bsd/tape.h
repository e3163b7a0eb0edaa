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
 * What a fuzzer has for the calls of another system's back end, one after the
 * other.  tape.c is this system's, answers.c that system's.
 */

#ifndef TAPE_H
#define TAPE_H

#include <stddef.h>

void	 tape_start(const void *, size_t);
/* So many bytes, zeros behind the end. */
void	 tape_take(void *, size_t);
/* A length of two bytes, and how many such bytes there really are. */
size_t	 tape_length(void);
/* The next byte, not taken; behind the end 0. */
unsigned char tape_peek(void);

/* errno is a call of one of these names there. */
int	*__errno(void);
int	*__error(void);

#endif
