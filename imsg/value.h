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
 * A typed result tree in one flat buffer: what a worker found, on its way to
 * the frontend, which alone knows JSON.  Workers write it with value_*();
 * the frontend walks it with value_next(), one item a call, no recursion.
 *
 * Encoding: one tag byte, then for a key or a string a 32-bit length and the
 * bytes, for a number 64 bits, for a boolean the tag alone; integers are big
 * endian, a double is the 64 bits of its IEEE 754 form and finite.  A key has
 * no NUL in it; that keys and strings are UTF-8 is for the frontend to see to.
 */

#ifndef VALUE_H
#define VALUE_H

#include <sys/types.h>

#include <stdint.h>

#define VALUE_DEPTH	16		/* nesting, bound of both sides */
#define VALUE_STRING	0x10000		/* 64 KiB, bytes of one string or key */
#define VALUE_SIZE	0x4000000	/* 64 MiB, of a tree, hard bound */

struct ibuf;

enum value_type {
	VALUE_END = 0,		/* of the tree; not in the encoding */
	VALUE_OBJECT = 'o',	/* begin; keys and values follow */
	VALUE_ARRAY = 'a',	/* begin */
	VALUE_CLOSE = 'c',	/* end of the innermost object or array */
	VALUE_KEY = 'k',
	VALUE_STR = 's',
	VALUE_INT = 'i',	/* signed 64 bits */
	VALUE_UINT = 'u',	/* unsigned 64 bits */
	VALUE_DOUBLE = 'd',
	VALUE_TRUE = 't',
	VALUE_FALSE = 'f',
	VALUE_NULL = 'n'
};

/*
 * Writing.  Errors are sticky: check value_done() alone.  key is the member's
 * name, or NULL for an element of an array or the root.
 */
struct value_writer {
	struct ibuf	*buf;
	char		 stack[VALUE_DEPTH];	/* 'o' or 'a' */
	int		 depth;
	int		 complete;	/* the root is there */
	int		 error;		/* errno, 0: none */
};

void	 value_start(struct value_writer *, size_t max);
void	 value_object(struct value_writer *, const char *key);
void	 value_array(struct value_writer *, const char *key);
void	 value_close(struct value_writer *);
void	 value_string(struct value_writer *, const char *key, const char *);
void	 value_bytes(struct value_writer *, const char *key, const void *,
	    size_t);
void	 value_int(struct value_writer *, const char *key, int64_t);
void	 value_uint(struct value_writer *, const char *key, uint64_t);
void	 value_double(struct value_writer *, const char *key, double);
void	 value_bool(struct value_writer *, const char *key, int);
void	 value_null(struct value_writer *, const char *key);
/*
 * The finished tree, owned by the caller; NULL with errno: ENOMEM, ERANGE
 * (past max or VALUE_STRING; nothing is ever cut), EINVAL (a key too many or
 * too few, an unclosed object, too deep, a double that is no number).
 */
struct ibuf *value_done(struct value_writer *);
void	 value_abort(struct value_writer *);

/* Reading.  The bytes are a peer's: every rule above is checked again. */
struct value_reader {
	const unsigned char *p;
	size_t		 left;
	char		 stack[VALUE_DEPTH];
	int		 depth;
	int		 wantvalue;	/* a key was read */
	int		 complete;
	int		 error;		/* sticky */
};

struct value_item {
	enum value_type	 type;
	const char	*str;		/* KEY, STR: points into the tree, */
	size_t		 len;		/* not terminated, any bytes */
	union {
		int64_t	 i;
		uint64_t u;
		double	 d;
	} num;
};

void	 value_read(struct value_reader *, const void *, size_t);
/*
 * 1: *item is next; 0: the tree ended where it should; -1: malformed, EBADMSG,
 * and so from then on.
 */
int	 value_next(struct value_reader *, struct value_item *);

#endif
