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
 * Everything the host gets is written here: into one growing buffer, ASCII
 * only, one line a reply.  Out of memory ends the process.
 */

#ifndef JSON_H
#define JSON_H

#include <stddef.h>
#include <stdint.h>

struct out {
	char	*buf;
	size_t	 off;		/* start of what is not yet sent */
	size_t	 len;		/* end of it */
	size_t	 cap;
};

void	 out_init(struct out *);
size_t	 out_pending(const struct out *);
void	 out_add(struct out *, const void *, size_t);
void	 out_str(struct out *, const char *);
/* n bytes were sent; a large buffer shrinks when it is empty. */
void	 out_consume(struct out *, size_t);
/* Take back what was added since out_pending() returned mark. */
void	 out_rollback(struct out *, size_t mark);

/* A quoted string of any bytes; what is not valid UTF-8 becomes U+FFFD. */
void	 json_string(struct out *, const char *, size_t);
void	 json_int(struct out *, int64_t);
void	 json_uint(struct out *, uint64_t);
void	 json_double(struct out *, double);	/* null if not finite */
void	 json_boolean(struct out *, int);
/*
 * A value tree (value.h), at most max bytes of text.  0, or -1 with errno and
 * nothing added: EBADMSG (malformed tree), ERANGE (more than max).
 */
int	 json_value(struct out *, const void *, size_t, size_t max);

/* Base64 that arrives in pieces of any size. */
struct json_base64 {
	unsigned char	 carry[2];
	size_t		 n;
};
void	 json_base64(struct out *, struct json_base64 *, const void *, size_t);
void	 json_base64_end(struct out *, struct json_base64 *);

#endif
