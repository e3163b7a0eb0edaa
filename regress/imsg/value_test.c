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

#include <sys/types.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "imsg.h"
#include "value.h"

static struct ibuf	*sample(void);
static int		 walk(const void *, size_t, char *, size_t);

static struct ibuf *
sample(void)
{
	struct value_writer	 w;

	value_start(&w, VALUE_SIZE);
	value_object(&w, NULL);
	value_string(&w, "s", "text");
	value_bytes(&w, "b", "\0\377", 2);
	value_array(&w, "a");
	value_int(&w, NULL, INT64_MIN);
	value_uint(&w, NULL, UINT64_MAX);
	value_double(&w, NULL, -0.5);
	value_array(&w, NULL);
	value_close(&w);
	value_close(&w);
	value_object(&w, "");
	value_close(&w);
	value_bool(&w, "t", 42);
	value_bool(&w, "f", 0);
	value_null(&w, "n");
	value_string(&w, "e", "");
	value_close(&w);
	return (value_done(&w));
}

/* What the tree says, one line; -1 if it is malformed. */
static int
walk(const void *data, size_t len, char *text, size_t size)
{
	struct value_reader	 r;
	struct value_item	 item;
	size_t			 n = 0;
	int			 more;

	value_read(&r, data, len);
	while ((more = value_next(&r, &item)) == 1) {
		if (n + 100 > size)
			continue;
		n += (size_t)snprintf(text + n, size - n, "%c", item.type);
		switch (item.type) {
		case VALUE_KEY:
		case VALUE_STR:
			n += (size_t)snprintf(text + n, size - n, "%zu:%.*s",
			    item.len, (int)(item.len > 50 ? 50 : item.len),
			    item.str);
			break;
		case VALUE_INT:
			n += (size_t)snprintf(text + n, size - n, "%lld",
			    (long long)item.num.i);
			break;
		case VALUE_UINT:
			n += (size_t)snprintf(text + n, size - n, "%llu",
			    (unsigned long long)item.num.u);
			break;
		case VALUE_DOUBLE:
			n += (size_t)snprintf(text + n, size - n, "%g",
			    item.num.d);
			break;
		default:
			break;
		}
		text[n++] = ' ';
	}
	text[n] = '\0';
	/* The end is the end, an error an error, however often asked. */
	ATF_REQUIRE_EQ(more, value_next(&r, &item));
	return (more);
}

ATF_TC_WITHOUT_HEAD(roundtrip);
ATF_TC_BODY(roundtrip, tc)
{
	char		 text[1024];
	struct ibuf	*b;

	ATF_REQUIRE((b = sample()) != NULL);
	ATF_REQUIRE_EQ(0, walk(ibuf_data(b), ibuf_size(b), text,
	    sizeof(text)));
	ATF_REQUIRE_STREQ("o k1:s s4:text k1:b s2: k1:a a "
	    "i-9223372036854775808 u18446744073709551615 d-0.5 a c c "
	    "k0: o c k1:t t k1:f f k1:n n k1:e s0: c ", text);
	ibuf_free(b);
}

ATF_TC_WITHOUT_HEAD(scalars);
ATF_TC_BODY(scalars, tc)
{
	char			 text[128];
	struct value_writer	 w;
	struct ibuf		*b;

	value_start(&w, 9);
	value_int(&w, NULL, -2);
	ATF_REQUIRE((b = value_done(&w)) != NULL);
	ATF_REQUIRE_EQ(0, memcmp(ibuf_data(b),
	    "i\377\377\377\377\377\377\377\376", 9));
	ATF_REQUIRE_EQ(0, walk(ibuf_data(b), 9, text, sizeof(text)));
	ATF_REQUIRE_STREQ("i-2 ", text);
	ibuf_free(b);
	ATF_REQUIRE_EQ(0, walk("n", 1, text, sizeof(text)));
	ATF_REQUIRE_EQ(0, walk("s\0\0\0\1\200", 6, text, sizeof(text)));
}

/* Every part of a tree is malformed, and so is the tree and something. */
ATF_TC_WITHOUT_HEAD(wrong_length);
ATF_TC_BODY(wrong_length, tc)
{
	char		 text[1024];
	unsigned char	*copy;
	struct ibuf	*b;
	size_t		 len;

	ATF_REQUIRE((b = sample()) != NULL);
	for (len = 0; len < ibuf_size(b); len++) {
		ATF_REQUIRE((copy = malloc(len + 1)) != NULL);
		memcpy(copy, ibuf_data(b), len);
		ATF_CHECK_ERRNO(EBADMSG,
		    walk(copy, len, text, sizeof(text)) == -1);
		free(copy);
	}
	ATF_REQUIRE_EQ(0, ibuf_add_n8(b, VALUE_NULL));
	ATF_CHECK_EQ(-1, walk(ibuf_data(b), ibuf_size(b), text,
	    sizeof(text)));
	ibuf_free(b);
}

ATF_TC_WITHOUT_HEAD(malformed);
ATF_TC_BODY(malformed, tc)
{
	static const struct {
		const char	*bytes;
		size_t		 len;
	} bad[] = {
		{ "", 0 }, { "c", 1 }, { "k\0\0\0\1a", 6 }, { "x", 1 },
		{ "\0", 1 }, { "\377", 1 }, { "nn", 2 }, { "oco", 3 },
		{ "ocn", 3 }, { "occ", 3 }, { "o", 1 }, { "aac", 3 },
		{ "onc", 3 },				/* value, no key */
		{ "ooc", 3 },
		{ "ok\0\0\0\1ac", 8 },			/* key, no value */
		{ "ok\0\0\0\1ak\0\0\0\1bnc", 15 },	/* two keys */
		{ "ok\0\0\0\1annc", 10 },		/* two values */
		{ "ak\0\0\0\1anc", 9 },			/* key in an array */
		{ "ok\0\0\0\1\0nc", 9 },		/* NUL in a key */
		{ "s\0\0\0\2a", 6 }, { "s\377\377\377\377a", 6 },
		{ "s\0\1\0\1a", 6 }, { "s\0\0\0", 4 },
		{ "i\0\0\0\0\0\0\0", 8 }, { "i\0\0\0\0\0\0\0\0\0", 10 },
		{ "d\177\360\0\0\0\0\0\0", 9 },		/* infinite */
		{ "d\377\370\0\0\0\0\0\0", 9 },		/* not a number */
	};
	char	 text[256];
	size_t	 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ATF_CHECK_EQ_MSG(-1, walk(bad[i].bytes, bad[i].len, text,
		    sizeof(text)), "%zu: %s", i, text);
	/* Told a size past the bound, it reads nothing. */
	ATF_CHECK_EQ(-1, walk("n", (size_t)VALUE_SIZE + 1, text,
	    sizeof(text)));
}

ATF_TC_WITHOUT_HEAD(depth);
ATF_TC_BODY(depth, tc)
{
	char			 bytes[2 * VALUE_DEPTH + 2], text[256];
	struct value_writer	 w;
	struct ibuf		*b;
	size_t			 n, i;

	for (n = VALUE_DEPTH; n <= VALUE_DEPTH + 1; n++) {
		memset(bytes, VALUE_ARRAY, n);
		memset(bytes + n, VALUE_CLOSE, n);
		ATF_CHECK_EQ(n == VALUE_DEPTH ? 0 : -1,
		    walk(bytes, 2 * n, text, sizeof(text)));
		value_start(&w, 1000);
		for (i = 0; i < n; i++)
			value_array(&w, NULL);
		for (i = 0; i < n; i++)
			value_close(&w);
		errno = 0;
		b = value_done(&w);
		ATF_CHECK_EQ(n == VALUE_DEPTH, b != NULL);
		if (b == NULL)
			ATF_CHECK_EQ(EINVAL, errno);
		ibuf_free(b);
	}
}

/* The longest string passes both sides, one byte more neither. */
ATF_TC_WITHOUT_HEAD(longest);
ATF_TC_BODY(longest, tc)
{
	static char		 str[VALUE_STRING + 2];
	char			 text[256];
	struct value_writer	 w;
	struct ibuf		*b;

	memset(str, 's', VALUE_STRING);
	value_start(&w, VALUE_SIZE);
	value_string(&w, NULL, str);
	ATF_REQUIRE((b = value_done(&w)) != NULL);
	ATF_REQUIRE_EQ(VALUE_STRING + 5, ibuf_size(b));
	ATF_REQUIRE_EQ(0, walk(ibuf_data(b), ibuf_size(b), text,
	    sizeof(text)));
	ATF_REQUIRE_EQ(0, ibuf_add_n8(b, 's'));
	ATF_REQUIRE_EQ(0, ibuf_set_n32(b, 1, VALUE_STRING + 1));
	ATF_REQUIRE_EQ(-1, walk(ibuf_data(b), ibuf_size(b), text,
	    sizeof(text)));
	ibuf_free(b);
	str[VALUE_STRING] = 's';
	value_start(&w, VALUE_SIZE);
	value_string(&w, NULL, str);
	ATF_REQUIRE_ERRNO(ERANGE, value_done(&w) == NULL);
}

/* What a worker could do wrong is reported at the end, never written. */
ATF_TC_WITHOUT_HEAD(writer_errors);
ATF_TC_BODY(writer_errors, tc)
{
	struct value_writer	 w;
	int			 i;

	for (i = 0; i < 11; i++) {
		value_start(&w, i == 10 ? 20 : 1000);
		if (i > 2)
			value_object(&w, NULL);
		switch (i) {
		case 0:			/* nothing */
			break;
		case 1:			/* a key at the root */
			value_int(&w, "key", 1);
			break;
		case 2:			/* two roots */
			value_null(&w, NULL);
			value_null(&w, NULL);
			break;
		case 3:			/* no key in an object */
			value_bool(&w, NULL, 1);
			break;
		case 4:			/* a key in an array */
			value_array(&w, "a");
			value_null(&w, "k");
			value_close(&w);
			break;
		case 5:			/* not closed */
			value_array(&w, "a");
			break;
		case 6:			/* closed too often */
			value_close(&w);
			break;
		case 7:
			value_double(&w, "d", (double)INFINITY);
			break;
		case 8:
			value_double(&w, "d", (double)NAN);
			break;
		case 9:			/* something behind the root */
			value_close(&w);
			value_null(&w, NULL);
			value_object(&w, NULL);
			break;
		case 10:		/* past the size */
			value_string(&w, "k", "0123456789");
			break;
		}
		if (i > 2 && i != 5 && i != 9)
			value_close(&w);
		ATF_CHECK_MSG(value_done(&w) == NULL, "case %d", i);
		ATF_CHECK_EQ(i == 10 ? ERANGE : EINVAL, errno);
	}
	value_start(&w, 1000);
	value_object(&w, NULL);
	value_abort(&w);
	value_abort(&w);
	ATF_CHECK_ERRNO(EINVAL, value_done(&w) == NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, roundtrip);
	ATF_TP_ADD_TC(tp, scalars);
	ATF_TP_ADD_TC(tp, wrong_length);
	ATF_TP_ADD_TC(tp, malformed);
	ATF_TP_ADD_TC(tp, depth);
	ATF_TP_ADD_TC(tp, longest);
	ATF_TP_ADD_TC(tp, writer_errors);
	return (atf_no_error());
}
