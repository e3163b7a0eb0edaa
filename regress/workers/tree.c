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

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "tree.h"
#include "value.h"

void
addb(struct text *t, const void *bytes, size_t len)
{
	while (t->len + len + 1 > t->size) {
		t->size = t->size == 0 ? 4096 : t->size * 2;
		ATF_REQUIRE((t->s = realloc(t->s, t->size)) != NULL);
	}
	memcpy(t->s + t->len, bytes, len);
	t->len += len;
	t->s[t->len] = '\0';
}

void
add(struct text *t, const char *fmt, ...)
{
	char	 buf[4096];
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	ATF_REQUIRE(n >= 0 && (size_t)n < sizeof(buf));
	addb(t, buf, (size_t)n);
}

char *
render(const void *bytes, size_t len)
{
	struct value_reader	 r;
	struct value_item	 item;
	struct text		 t;
	char			 close[VALUE_DEPTH];
	int			 depth = 0, comma = 0, n;

	memset(&t, 0, sizeof(t));
	value_read(&r, bytes, len);
	while ((n = value_next(&r, &item)) == 1) {
		if (comma && item.type != VALUE_CLOSE)
			add(&t, ",");
		comma = 1;
		switch (item.type) {
		case VALUE_OBJECT:
		case VALUE_ARRAY:
			add(&t, item.type == VALUE_OBJECT ? "{" : "[");
			ATF_REQUIRE(depth < VALUE_DEPTH);
			close[depth++] = item.type == VALUE_OBJECT ? '}' : ']';
			comma = 0;
			break;
		case VALUE_CLOSE:
			ATF_REQUIRE(depth > 0);
			add(&t, "%c", close[--depth]);
			break;
		case VALUE_KEY:
		case VALUE_STR:
			add(&t, "\"");
			addb(&t, item.str, item.len);
			add(&t, item.type == VALUE_KEY ? "\":" : "\"");
			comma = item.type == VALUE_STR;
			break;
		case VALUE_INT:
			add(&t, "%lld", (long long)item.num.i);
			break;
		case VALUE_UINT:
			add(&t, "%llu", (unsigned long long)item.num.u);
			break;
		case VALUE_DOUBLE:
			add(&t, "%.6f", item.num.d);
			break;
		case VALUE_TRUE:
		case VALUE_FALSE:
			add(&t, item.type == VALUE_TRUE ? "true" : "false");
			break;
		default:
			add(&t, "null");
			break;
		}
	}
	ATF_REQUIRE_EQ_MSG(0, n, "malformed tree after %s", t.s);
	return (t.s);
}

char *
finish(struct value_writer *w)
{
	struct ibuf	*tree;
	char		*s;

	ATF_REQUIRE_MSG((tree = value_done(w)) != NULL, "%s",
	    strerror(errno));
	s = render(ibuf_data(tree), ibuf_size(tree));
	ibuf_free(tree);
	return (s);
}

void
write_file(const char *path, const void *bytes, size_t len)
{
	int	 fd;

	ATF_REQUIRE((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC,
	    0644)) != -1);
	ATF_REQUIRE_EQ((ssize_t)len, write(fd, bytes, len));
	ATF_REQUIRE_EQ(0, close(fd));
}
