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
 * Base64 for data, RFC 4648 table; fast, not constant time: never for
 * secrets.
 */

#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>
#include <stdint.h>

#define BASE64_LEN(n)	(((n) + 2) / 3 * 4)

/* Encode all of src, padded; returns the length. dst has BASE64_LEN(n). */
size_t	 base64_encode(char *dst, const void *src, size_t n);

/*
 * Incremental decoder.  Line breaks (CR, LF) are skipped anywhere.  Padding
 * may only end the data; an incomplete last group is an error.  What is left
 * over in the last character's low bits is not looked at, as in GLib.
 */
struct base64 {
	uint32_t	 bits;
	unsigned int	 have;		/* characters of the group so far */
	unsigned int	 pad;		/* '=' seen: the data must end */
	int		 bad;
};
void	 base64_start(struct base64 *);
/*
 * Decode n characters; returns bytes written to dst (room for n / 4 * 3 + 3
 * needed), whole groups only.  A bad character sets bad; the rest is then
 * ignored.
 */
size_t	 base64_decode(struct base64 *, unsigned char *dst, const char *,
	    size_t n);
/*
 * The same of whole groups of the alphabet alone, as many as there are before
 * anything else; *used is how many characters that were.  Room for n / 4 * 3
 * needed; base64_whole() says when it may be called: once base64_start() was,
 * and between groups.
 */
size_t	 base64_groups(unsigned char *dst, const char *, size_t n,
	    size_t *used);
int	 base64_whole(const struct base64 *);
/* 0: the data ended where it may; -1: it did not, or was bad. */
int	 base64_finish(struct base64 *);

#endif
