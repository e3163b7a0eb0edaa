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
 * Result trees: what a worker writes, what the frontend may believe.  Writer
 * and reader keep the same stack of open objects and arrays and hold the
 * bytes to the same rules.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "imsg.h"
#include "value.h"

#define EXPONENT	0x7ff0000000000000ULL	/* all ones: no number */

static int		 fail(struct value_writer *, int);
static int		 put_bytes(struct value_writer *, char, const void *,
			    size_t);
static int		 place(struct value_writer *, const char *);
static void		 scalar(struct value_writer *, const char *, char);
static void		 number(struct value_writer *, const char *, char,
			    uint64_t);
static void		 open_level(struct value_writer *, const char *, char);
static const unsigned char *take(struct value_reader *, size_t);
static int		 take_bytes(struct value_reader *,
			    struct value_item *);
static int		 take_number(struct value_reader *,
			    struct value_item *);
static int		 may_follow(const struct value_reader *, char);
static int		 read_item(struct value_reader *, struct value_item *);

/* --- writing --- */

static int
fail(struct value_writer *w, int error)
{
	if (w->error == 0)
		w->error = error;
	return (-1);
}

void
value_start(struct value_writer *w, size_t max)
{
	memset(w, 0, sizeof(*w));
	if (max > VALUE_SIZE)
		max = VALUE_SIZE;
	if ((w->buf = ibuf_dynamic(max < 1024 ? max : 1024, max)) == NULL)
		w->error = errno;
}

static int
put_bytes(struct value_writer *w, char tag, const void *data, size_t len)
{
	if (len > VALUE_STRING)
		return (fail(w, ERANGE));
	if (ibuf_add(w->buf, &tag, 1) == -1 ||
	    ibuf_add_n32(w->buf, len) == -1 ||
	    ibuf_add(w->buf, data, len) == -1)
		return (fail(w, errno));
	return (0);
}

/* May a value stand here?  Write its key if it needs one. */
static int
place(struct value_writer *w, const char *key)
{
	int	 object;

	if (w->error != 0)
		return (-1);
	object = w->depth > 0 && w->stack[w->depth - 1] == VALUE_OBJECT;
	if (w->complete || object != (key != NULL))
		return (fail(w, EINVAL));
	if (!object)
		return (0);
	return (put_bytes(w, VALUE_KEY, key, strlen(key)));
}

static void
open_level(struct value_writer *w, const char *key, char tag)
{
	if (place(w, key) == -1)
		return;
	if (w->depth == VALUE_DEPTH) {
		(void)fail(w, EINVAL);
		return;
	}
	if (ibuf_add(w->buf, &tag, 1) == -1) {
		(void)fail(w, errno);
		return;
	}
	w->stack[w->depth++] = tag;
}

void
value_object(struct value_writer *w, const char *key)
{
	open_level(w, key, VALUE_OBJECT);
}

void
value_array(struct value_writer *w, const char *key)
{
	open_level(w, key, VALUE_ARRAY);
}

void
value_close(struct value_writer *w)
{
	if (w->error != 0)
		return;
	if (w->depth == 0) {
		(void)fail(w, EINVAL);
		return;
	}
	if (ibuf_add_n8(w->buf, VALUE_CLOSE) == -1) {
		(void)fail(w, errno);
		return;
	}
	w->complete = --w->depth == 0;
}

void
value_string(struct value_writer *w, const char *key, const char *str)
{
	value_bytes(w, key, str, strlen(str));
}

void
value_bytes(struct value_writer *w, const char *key, const void *data,
    size_t len)
{
	if (place(w, key) == -1 || put_bytes(w, VALUE_STR, data, len) == -1)
		return;
	w->complete = w->depth == 0;
}

static void
scalar(struct value_writer *w, const char *key, char tag)
{
	if (place(w, key) == -1)
		return;
	if (ibuf_add(w->buf, &tag, 1) == -1)
		(void)fail(w, errno);
	w->complete = w->depth == 0;
}

static void
number(struct value_writer *w, const char *key, char tag, uint64_t bits)
{
	scalar(w, key, tag);
	if (w->error == 0 && ibuf_add_n64(w->buf, bits) == -1)
		(void)fail(w, errno);
}

void
value_int(struct value_writer *w, const char *key, int64_t value)
{
	number(w, key, VALUE_INT, (uint64_t)value);
}

void
value_uint(struct value_writer *w, const char *key, uint64_t value)
{
	number(w, key, VALUE_UINT, value);
}

void
value_double(struct value_writer *w, const char *key, double value)
{
	uint64_t	 bits;

	memcpy(&bits, &value, sizeof(bits));
	if ((bits & EXPONENT) == EXPONENT) {
		(void)fail(w, EINVAL);
		return;
	}
	number(w, key, VALUE_DOUBLE, bits);
}

void
value_bool(struct value_writer *w, const char *key, int value)
{
	scalar(w, key, value ? VALUE_TRUE : VALUE_FALSE);
}

void
value_null(struct value_writer *w, const char *key)
{
	scalar(w, key, VALUE_NULL);
}

struct ibuf *
value_done(struct value_writer *w)
{
	struct ibuf	*buf = w->buf;

	if (w->error == 0 && !w->complete)
		(void)fail(w, EINVAL);
	if (w->error != 0) {
		value_abort(w);
		errno = w->error;
		return (NULL);
	}
	w->buf = NULL;
	return (buf);
}

void
value_abort(struct value_writer *w)
{
	ibuf_free(w->buf);
	w->buf = NULL;
	if (w->error == 0)
		w->error = EINVAL;
}

/* --- reading --- */

void
value_read(struct value_reader *r, const void *data, size_t len)
{
	memset(r, 0, sizeof(*r));
	r->p = data;
	r->left = len;
	r->error = len > VALUE_SIZE;
}

/* The one place where the cursor moves. */
static const unsigned char *
take(struct value_reader *r, size_t len)
{
	const unsigned char	*p = r->p;

	if (len > r->left)
		return (NULL);
	r->p += len;
	r->left -= len;
	return (p);
}

static int
take_bytes(struct value_reader *r, struct value_item *item)
{
	const unsigned char	*p;

	if ((p = take(r, 4)) == NULL)
		return (-1);
	item->len = (size_t)p[0] << 24 | (size_t)p[1] << 16 |
	    (size_t)p[2] << 8 | p[3];
	if (item->len > VALUE_STRING || (p = take(r, item->len)) == NULL)
		return (-1);
	item->str = (const char *)p;
	/* The name of a member ends up as a C string. */
	if (item->type == VALUE_KEY && memchr(p, '\0', item->len) != NULL)
		return (-1);
	return (0);
}

static int
take_number(struct value_reader *r, struct value_item *item)
{
	const unsigned char	*p;
	uint64_t		 bits = 0;
	int			 i;

	if ((p = take(r, sizeof(bits))) == NULL)
		return (-1);
	for (i = 0; i < 8; i++)
		bits = bits << 8 | p[i];
	if (item->type == VALUE_DOUBLE && (bits & EXPONENT) == EXPONENT)
		return (-1);
	/* All three members are these 64 bits. */
	memcpy(&item->num, &bits, sizeof(bits));
	return (0);
}

/* May an item with this tag stand here? */
static int
may_follow(const struct value_reader *r, char tag)
{
	int	 object = 0;

	if (r->depth > 0)
		object = r->stack[r->depth - 1] == VALUE_OBJECT;
	switch (tag) {
	case VALUE_KEY:
		return (object && !r->wantvalue);
	case VALUE_CLOSE:
		return (r->depth > 0 && !r->wantvalue);
	case VALUE_OBJECT:
	case VALUE_ARRAY:
		return (object == r->wantvalue && r->depth < VALUE_DEPTH);
	default:
		return (object == r->wantvalue);
	}
}

static int
read_item(struct value_reader *r, struct value_item *item)
{
	const unsigned char	*tag;

	memset(item, 0, sizeof(*item));
	if ((tag = take(r, 1)) == NULL || !may_follow(r, (char)*tag))
		return (-1);
	item->type = (enum value_type)*tag;
	switch (*tag) {
	case VALUE_KEY:
		r->wantvalue = 1;
		return (take_bytes(r, item));
	case VALUE_OBJECT:
	case VALUE_ARRAY:
		r->stack[r->depth++] = (char)*tag;
		r->wantvalue = 0;
		return (0);
	case VALUE_CLOSE:
		r->complete = --r->depth == 0;
		return (0);
	}
	r->wantvalue = 0;
	r->complete = r->depth == 0;
	switch (*tag) {
	case VALUE_STR:
		return (take_bytes(r, item));
	case VALUE_INT:
	case VALUE_UINT:
	case VALUE_DOUBLE:
		return (take_number(r, item));
	case VALUE_TRUE:
	case VALUE_FALSE:
	case VALUE_NULL:
		return (0);
	}
	return (-1);
}

int
value_next(struct value_reader *r, struct value_item *item)
{
	item->type = VALUE_END;
	if (!r->error && r->complete && r->left == 0)
		return (0);
	if (r->error || r->complete || read_item(r, item) == -1) {
		r->error = 1;
		errno = EBADMSG;
		return (-1);
	}
	return (1);
}
