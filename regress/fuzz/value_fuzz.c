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
 * Result trees.  A tree has one encoding only: what the reader accepts, the
 * writer makes again, byte by byte.
 */

#include <sys/types.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imsg.h"
#include "value.h"

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static void	 need(int);
static void	 write_item(struct value_writer *, const char *,
		    const struct value_item *);

static void
need(int true)
{
	if (!true)
		abort();
}

static void
write_item(struct value_writer *w, const char *key,
    const struct value_item *item)
{
	switch (item->type) {
	case VALUE_OBJECT:
		value_object(w, key);
		break;
	case VALUE_ARRAY:
		value_array(w, key);
		break;
	case VALUE_CLOSE:
		value_close(w);
		break;
	case VALUE_STR:
		value_bytes(w, key, item->str, item->len);
		break;
	case VALUE_INT:
		value_int(w, key, item->num.i);
		break;
	case VALUE_UINT:
		value_uint(w, key, item->num.u);
		break;
	case VALUE_DOUBLE:
		value_double(w, key, item->num.d);
		break;
	case VALUE_TRUE:
	case VALUE_FALSE:
		value_bool(w, key, item->type == VALUE_TRUE);
		break;
	case VALUE_NULL:
		value_null(w, key);
		break;
	default:
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct value_reader	 r;
	struct value_writer	 w;
	struct value_item	 item;
	struct ibuf		*b;
	char			*key = NULL;
	int			 more;

	value_read(&r, data, size);
	value_start(&w, VALUE_SIZE);
	while ((more = value_next(&r, &item)) == 1) {
		need(r.depth <= VALUE_DEPTH && item.len <= VALUE_STRING);
		if (item.type == VALUE_KEY) {
			need((key = strndup(item.str, item.len)) != NULL);
			need(strlen(key) == item.len);
			continue;
		}
		write_item(&w, key, &item);
		free(key);
		key = NULL;
	}
	free(key);
	need(value_next(&r, &item) == more);
	if (more == -1) {
		value_abort(&w);
		return (0);
	}
	need((b = value_done(&w)) != NULL);
	need(ibuf_size(b) == size);
	need(memcmp(ibuf_data(b), data, size) == 0);
	ibuf_free(b);
	return (0);
}
