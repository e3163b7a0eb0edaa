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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "base64.h"

static int	 decode(const char *, size_t, unsigned char *, size_t *);
static void	 gives(const char *, const char *);
static void	 is_bad(const char *);

/* In pieces of step characters; checks the room that the header promises. */
static int
decode(const char *in, size_t step, unsigned char *out, size_t *len)
{
	struct base64 b;
	size_t left = strlen(in), n, got;

	base64_start(&b);
	for (*len = 0; left > 0; left -= n, in += n) {
		n = left < step ? left : step;
		got = base64_decode(&b, out + *len, in, n);
		ATF_REQUIRE(got <= n / 4 * 3 + 3);
		*len += got;
	}
	return (base64_finish(&b));
}

static void
gives(const char *in, const char *want)
{
	unsigned char out[256];
	size_t len, step;

	for (step = 1; step <= 80; step++) {
		ATF_CHECK_EQ_MSG(decode(in, step, out, &len), 0, "%s", in);
		ATF_CHECK_MSG(len == strlen(want) &&
		    memcmp(out, want, len) == 0, "%s by %zu", in, step);
	}
}

static void
is_bad(const char *in)
{
	unsigned char out[256];
	size_t len, first, step;

	decode(in, 80, out, &first);
	for (step = 1; step <= 80; step++) {
		ATF_CHECK_EQ_MSG(decode(in, step, out, &len), -1, "%s", in);
		ATF_CHECK_EQ(len, first);
	}
}

ATF_TC_WITHOUT_HEAD(known);
ATF_TC_BODY(known, tc)
{
	static const char *const vectors[][2] = {	/* RFC 4648, 10 */
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\376\377\373\357", "/v/77w==" },
	};
	char out[32];
	size_t i, n;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		n = strlen(vectors[i][0]);
		memset(out, 0, sizeof(out));
		ATF_CHECK_EQ(base64_encode(out, vectors[i][0], n),
		    BASE64_LEN(n));
		ATF_CHECK_STREQ(out, vectors[i][1]);
		gives(vectors[i][1], vectors[i][0]);
	}
}

ATF_TC_WITHOUT_HEAD(line_breaks);
ATF_TC_BODY(line_breaks, tc)
{
	gives("Zm9v\nYmFy", "foobar");
	gives("Z\rm\n9\r\nv\n", "foo");
	gives("\n\nZg=\n=\r\n\n", "f");
	gives("Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9v\nYmFyZm8=\n",
	    "foobarfoobarfoobarfoobarfoobarfo");
	gives("\n", "");
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	static const char *const bad[] = {
		"Z", "Zm", "Zm9", "Zg=", "Zm9vY", "Zm9vYm", "Zm9vYmE",
		"=", "==", "====", "Z===", "Zg===", "Zg==Zg==", "Zm8=\nZg==",
		"Zg==Z", "Zg=A", "Zm=v", "=m9v", "Zm9v=", "Zm9v====",
		"Zm 9v", "Zm9v Zm9v", "Zm9-", "Zm9_", "Zm9v\t", "Zm9\200",
		"Zm9v*Zm9v", "*Zm9vZm9vZm9v", "Zm9vZm\3779v",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_bad(bad[i]);
}

/* Each byte value alone: the alphabet is what it is, no more. */
ATF_TC_WITHOUT_HEAD(alphabet);
ATF_TC_BODY(alphabet, tc)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	struct base64 b;
	unsigned char out[8];
	const char *p;
	char in[4] = "AAA";
	int c;

	for (c = 0; c < 256; c++) {
		in[3] = (char)c;
		p = c == 0 ? NULL : strchr(letters, c);
		base64_start(&b);
		memset(out, 0xee, sizeof(out));
		base64_decode(&b, out, in, 4);
		if (p != NULL) {
			ATF_CHECK_EQ(base64_finish(&b), 0);
			ATF_CHECK_EQ(out[2], p - letters);
		} else
			ATF_CHECK_EQ(base64_finish(&b), c == '=' ? 0 : -1);
	}
}

ATF_TC_WITHOUT_HEAD(round_trip);
ATF_TC_BODY(round_trip, tc)
{
	unsigned char data[512], out[520];
	char text[BASE64_LEN(sizeof(data)) + 1];
	uint32_t seed = 7;
	size_t n, i, len, step;

	for (n = 0; n <= sizeof(data); n++) {
		for (i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			data[i] = (unsigned char)(seed >> 24);
		}
		text[BASE64_LEN(n)] = '!';
		len = base64_encode(text, data, n);
		ATF_REQUIRE_EQ(len, BASE64_LEN(n));
		ATF_REQUIRE_EQ(text[len], '!');
		text[len] = '\0';
		for (step = 1; step < 14; step++) {
			ATF_REQUIRE_EQ(decode(text, step, out, &len), 0);
			ATF_REQUIRE(len == n && memcmp(out, data, n) == 0);
		}
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, known);
	ATF_TP_ADD_TC(tp, line_breaks);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, alphabet);
	ATF_TP_ADD_TC(tp, round_trip);
	return (atf_no_error());
}
