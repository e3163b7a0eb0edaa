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

/* What the host would see of strings, numbers, trees and base64. */

#include <atf-c.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "imsg.h"
#include "json.h"
#include "value.h"

static const char *
text(struct out *o)
{
	out_add(o, "", 1);
	o->len--;
	return (o->buf + o->off);
}

ATF_TC_WITHOUT_HEAD(strings);
ATF_TC_BODY(strings, tc)
{
	static const struct {
		const char	*in, *want;
	} cases[] = {
		{ "", "\"\"" },
		{ "plain", "\"plain\"" },
		{ "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
		{ "\b\f\n\r\t\x01\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u007F\"" },
		{ "\xc3\xa9\xe2\x82\xac", "\"\\u00E9\\u20AC\"" },
		{ "\xf0\x9f\x90\xa1", "\"\\uD83D\\uDC21\"" },
		{ "\xf4\x8f\xbf\xbd", "\"\\uDBFF\\uDFFD\"" },
		/* overlong, surrogate, stray, cut short, too high, 0xff */
		{ "\xc0\x80", "\"\\uFFFD\\uFFFD\"" },
		{ "\xed\xa0\x80", "\"\\uFFFD\\uFFFD\\uFFFD\"" },
		{ "\x80" "a", "\"\\uFFFDa\"" },
		{ "a\xe2\x82", "\"a\\uFFFD\\uFFFD\"" },
		{ "\xf4\x90\x80\x80", "\"\\uFFFD\\uFFFD\\uFFFD\\uFFFD\"" },
		{ "\xff", "\"\\uFFFD\"" },
		{ "\xef\xbf\xbf", "\"\\uFFFD\"" },
	};
	struct out o;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		out_init(&o);
		json_string(&o, cases[i].in, strlen(cases[i].in));
		ATF_CHECK_STREQ(cases[i].want, text(&o));
		free(o.buf);
	}
	out_init(&o);
	json_string(&o, "a\0b", 3);
	ATF_CHECK_STREQ("\"a\\u0000b\"", text(&o));
	free(o.buf);
}

ATF_TC_WITHOUT_HEAD(numbers);
ATF_TC_BODY(numbers, tc)
{
	struct out o;

	out_init(&o);
	json_int(&o, INT64_MIN);
	out_str(&o, " ");
	json_int(&o, INT64_MAX);
	out_str(&o, " ");
	json_uint(&o, UINT64_MAX);
	out_str(&o, " ");
	json_double(&o, 0.1);
	out_str(&o, " ");
	json_double(&o, 1);
	out_str(&o, " ");
	json_double(&o, (double)NAN);
	ATF_CHECK_STREQ("-9223372036854775808 9223372036854775807 "
	    "18446744073709551615 0.10000000000000001 1 null", text(&o));
	free(o.buf);
}

static struct ibuf *
sample(void)
{
	struct value_writer w;

	value_start(&w, 4096);
	value_array(&w, NULL);
	value_object(&w, NULL);
	value_string(&w, "name", "lo");
	value_array(&w, "empty");
	value_close(&w);
	value_object(&w, "none");
	value_close(&w);
	value_uint(&w, "big", UINT64_MAX);
	value_close(&w);
	value_bool(&w, NULL, 1);
	value_bool(&w, NULL, 0);
	value_null(&w, NULL);
	value_double(&w, NULL, 0.5);
	value_close(&w);
	return (value_done(&w));
}

static const char sample_text[] = "[{\"name\": \"lo\", \"empty\": [], "
    "\"none\": {}, \"big\": 18446744073709551615}, true, false, null, 0.5]";

ATF_TC_WITHOUT_HEAD(tree);
ATF_TC_BODY(tree, tc)
{
	struct ibuf *tree = sample();
	struct value_writer w;
	struct out o;

	ATF_REQUIRE(tree != NULL);
	out_init(&o);
	ATF_REQUIRE_EQ(0, json_value(&o, ibuf_data(tree), ibuf_size(tree),
	    4096));
	ATF_CHECK_STREQ(sample_text, text(&o));
	ibuf_free(tree);
	/* a number alone is a tree, too */
	value_start(&w, 64);
	value_int(&w, NULL, -5);
	tree = value_done(&w);
	ATF_REQUIRE(tree != NULL);
	out_consume(&o, out_pending(&o));
	ATF_REQUIRE_EQ(0, json_value(&o, ibuf_data(tree), ibuf_size(tree),
	    2));
	ATF_CHECK_STREQ("-5", text(&o));
	ibuf_free(tree);
	free(o.buf);
}

/* Cut anywhere, or past the bound by one: nothing of it is left behind. */
ATF_TC_WITHOUT_HEAD(tree_refused);
ATF_TC_BODY(tree_refused, tc)
{
	struct ibuf *tree = sample();
	struct out o;
	size_t n, full = sizeof(sample_text) - 1;

	ATF_REQUIRE(tree != NULL);
	out_init(&o);
	out_str(&o, "before");
	for (n = 0; n < ibuf_size(tree); n++) {
		ATF_REQUIRE_ERRNO(EBADMSG, json_value(&o, ibuf_data(tree), n,
		    4096) == -1);
		ATF_REQUIRE_STREQ("before", text(&o));
	}
	for (n = 0; n < full; n++)
		ATF_REQUIRE_ERRNO(ERANGE, json_value(&o, ibuf_data(tree),
		    ibuf_size(tree), n) == -1);
	ATF_REQUIRE_STREQ("before", text(&o));
	ATF_CHECK_EQ(0, json_value(&o, ibuf_data(tree), ibuf_size(tree),
	    full));
	ibuf_free(tree);
	free(o.buf);
}

ATF_TC_WITHOUT_HEAD(base64_pieces);
ATF_TC_BODY(base64_pieces, tc)
{
	struct json_base64 b;
	unsigned char in[64];
	char want[BASE64_LEN(sizeof(in)) + 1];
	struct out o;
	size_t len, piece, i;

	for (i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 37);
	for (len = 0; len <= sizeof(in); len++) {
		want[base64_encode(want, in, len)] = '\0';
		for (piece = 1; piece <= len; piece++) {
			memset(&b, 0, sizeof(b));
			out_init(&o);
			for (i = 0; i < len; i += piece)
				json_base64(&o, &b, in + i, len - i < piece ?
				    len - i : piece);
			json_base64_end(&o, &b);
			ATF_REQUIRE_STREQ(want, text(&o));
			free(o.buf);
		}
	}
}

ATF_TC_WITHOUT_HEAD(buffer_grows_and_shrinks);
ATF_TC_BODY(buffer_grows_and_shrinks, tc)
{
	struct out o;
	size_t first, i;

	out_init(&o);
	first = o.cap;
	for (i = 0; i < 100000; i++)
		out_str(&o, "0123456789");
	ATF_REQUIRE_EQ(1000000, out_pending(&o));
	for (i = 0; i < 1000000; i += 1000) {
		ATF_REQUIRE(memcmp(o.buf + o.off, "0123456789", 10) == 0);
		out_consume(&o, 500);
		out_str(&o, "");
		out_consume(&o, 500);
	}
	ATF_CHECK_EQ(0, out_pending(&o));
	ATF_CHECK_EQ(first, o.cap);
	free(o.buf);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, strings);
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, tree);
	ATF_TP_ADD_TC(tp, tree_refused);
	ATF_TP_ADD_TC(tp, base64_pieces);
	ATF_TP_ADD_TC(tp, buffer_grows_and_shrinks);
	return (atf_no_error());
}
