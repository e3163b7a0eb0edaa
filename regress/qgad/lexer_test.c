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
 * What the lexer makes of each input is written as a list of events, one a
 * line, and must be the same however the input is cut:
 *	R text [id=IDTEXT] [KEY=DATA or KEY! if bad] [secret=S]
 *	E error		H hold		F the same, but at end of input
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>
#include <json-c/json.h>

#include "lexer.h"

#define S(s)		(s), sizeof(s) - 1
#define PE		"E JSON parse error, "
#define BADOBJ		"E QMP input must be a JSON object\n"
#define FFFD		"\357\277\275"
#define PING		"{\"execute\":\"guest-ping\"}"
#define PINGED		"R {\"execute\": \"guest-ping\"}\n"
#define STRAY		PE "stray '" FFFD "'\n"
#define EOI		"F JSON parse error, premature EOI\n"
#define UTF		PE "invalid UTF-8 sequence in string\n"
#define ARGS(s)		"{\"arguments\":{" s "}}"
#define RARGS(s)	"R {\"arguments\": {" s "}}"

struct rule {
	const char	*in;
	size_t		 len;
	const char	*events;
};

struct list {
	char		*p;
	size_t		 len, cap;
};

static void	 add(struct list *, const char *, size_t);
static void	 adds(struct list *, const char *);
static void	 event(struct list *, enum lexer_event, struct request *);
static char	*run(const struct lexer_limits *, const char *, size_t,
		    size_t (*)(size_t), int);
static void	 check(const struct lexer_limits *, const char *, size_t,
		    const char *);
static void	 check_all(const struct rule *, size_t);
static size_t	 all(size_t);
static size_t	 one(size_t);
static size_t	 few(size_t);
static uint32_t	 rnd(uint32_t);
static void	 agree(const char *, size_t);
static char	*repeat(const char *, size_t, const char *, size_t *);
static unsigned int count(const char *, const char *);

static const struct lexer_limits limits = { 1 << 20, 48 << 20, 32, 1024 };
static uint32_t seed = 1;

static const struct rule good[] = {
	{ S(PING), PINGED },
	{ S("\n \t\r\n{ \"execute\" :\n\"guest-ping\" }\r\n"), PINGED },
	{ S("{'execute':'guest-ping'}"), PINGED },
	{ S(PING PING "\n" PING), PINGED PINGED PINGED },
	{ S("{\"exec\\u0075te\":\"guest-ping\"}"), PINGED },
	{ S("{}[]{}"), "R {}\n" BADOBJ "R {}\n" },
	{ S("{\"a\":[1,-2,3.5,1e3,1E+2,1e-2,[],{},true,false,null]}"),
	    "R {\"a\": [1, -2, 3.5, 1e3, 1E+2, 1e-2, [], {}, true, false, "
	    "null]}\n" },
	{ S("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"),
	    "R {\"a\": {\"a\": {\"a\": 1}}, \"b\": {\"a\": 1}}\n" },
	/* Strings. */
	{ S("{\"a\":\"\\b\\f\\n\\r\\t\\\"\\'\\\\\\/\"}"),
	    "R {\"a\": \"\\b\\f\\n\\r\\t\\\"'\\\\/\"}\n" },
	{ S("{'a\"b':'\"\\'\"'}"), "R {\"a\\\"b\": \"\\\"'\\\"\"}\n" },
	{ S("{\"a\":\"'\"}"), "R {\"a\": \"'\"}\n" },
	{ S("{\"a\":\"\\u0041\\u00E9\303\251\342\202\254\177\"}"),
	    "R {\"a\": \"A\\u00e9\\u00e9\\u20ac\\u007f\"}\n" },
	{ S("{\"a\":\"\\uD83D\\ude00\360\237\230\200\"}"),
	    "R {\"a\": \"\\ud83d\\ude00\\ud83d\\ude00\"}\n" },
	{ S("{\"a\":\"\364\217\277\275\\u0001\"}"),
	    "R {\"a\": \"\\udbff\\udffd\\u0001\"}\n" },
	{ S("{\"a\":\"x\\u0000y\300\200z\"}"),
	    "R {\"a\": \"x\300\200y\300\200z\"}\n" },
	/* Numbers. */
	{ S("{\"a\":[0,-0,-0.0,9223372036854775807,-9223372036854775808]}"),
	    "R {\"a\": [0, -0, -0.0, 9223372036854775807, "
	    "-9223372036854775808]}\n" },
	{ S("{\"a\":[9223372036854775808,-9223372036854775809,"
	    "18446744073709551616,1e999]}"),
	    "R {\"a\": [9223372036854775808e0, -9223372036854775809e0, "
	    "18446744073709551616e0, 1e999]}\n" },
	/* The echoed id. */
	{ S("{\"id\":1}"), "R {\"id\": 1} id=1\n" },
	{ S("{'id':'a\\'\\u00e9\300\200\\u0000'}"),
	    "R {\"id\": \"a'\\u00e9\300\200\300\200\"} "
	    "id=\"a'\\u00e9\\u0000\\u0000\"\n" },
	{ S("{\"id\":[9223372036854775808,0.1,{'id':-0}],\"a\":1}"),
	    "R {\"id\": [9223372036854775808e0, 0.1, {\"id\": -0}], \"a\": 1}"
	    " id=[9223372036854775808, 0.1, {\"id\": -0}]\n" },
	{ S("{\"\\u0069d\":{},\"b\":{\"id\":2}}"),
	    "R {\"id\": {}, \"b\": {\"id\": 2}} id={}\n" },
	{ S("{\"a\":1,\"id\":null,\"b\":2}"),
	    "R {\"a\": 1, \"id\": null, \"b\": 2} id=null\n" },
	{ S("{\"a\":{\"id\":2},\"idx\":3}"),
	    "R {\"a\": {\"id\": 2}, \"idx\": 3}\n" },
	/* Partial at end of input. */
	{ S("{\"a\":"), EOI },
	{ S("\"abc"), EOI },
	{ S("-"), EOI },
	{ S("12"), "F QMP input must be a JSON object\n" },
	{ S("nul"), "F JSON parse error, invalid keyword 'nul'\n" },
	{ S("{\"a\":01"), PE "stray '01'\n" },
	{ S(""), "" },
};

static const struct rule bad[] = {
	/* Not an object: one line a message. */
	{ S("1 -2.5 \"x\" true [1,{}] " PING),
	    BADOBJ BADOBJ BADOBJ BADOBJ BADOBJ PINGED },
	{ S("12" PING), BADOBJ PINGED },
	/* Garbage: one line up to the next bracket or 0xFF. */
	{ S("abc def \n x 1 \"2\" } : \0 \376\n" PING),
	    PE "invalid keyword 'abc'\n" PINGED },
	{ S("}" PING), PE "expecting value\n" PINGED },
	{ S(", 1" PING), PE "expecting value\n" PINGED },
	{ S("\357\273\277" PING), STRAY PINGED },
	{ S("SSH\n\377" PING), PE "stray 'S'\n" STRAY PINGED },
	{ S("\"a\\q\"" PING),
	    PE "invalid escape sequence in string\n" PINGED },
	{ S("01 2" PING), PE "stray '01'\n" PINGED },
	{ S("-x" PING), PE "stray '-x'\n" PINGED },
	{ S("trueX" PING), BADOBJ PE "stray 'X'\n" PINGED },
	/* Tokens inside: one line, then skipped to the balance. */
	{ S("{\"a\":$}" PING), PE "stray '$'\n" PINGED },
	{ S("{\"a\":True,\"b\":{\"c\":[\"}\"]}}" PING),
	    PE "stray 'T'\n" PINGED },
	{ S("{\"a\":nul}" PING), PE "invalid keyword 'nul'\n" PINGED },
	{ S("{\"a\":NaN}" PING), PE "stray 'N'\n" PINGED },
	{ S("{\"a\":1}// x\n" PING), "R {\"a\": 1}\n" PE "stray '/'\n" PINGED },
	{ S("{\"a\":1.}" PING), PE "stray '1.}'\n" PINGED },
	{ S("{\"a\":-}" PING), PE "stray '-}'\n" PINGED },
	{ S("{\"a\":1e+}" PING), PE "stray '1e+}'\n" PINGED },
	{ S("{\"a\":-00}" PING), PE "stray '-00'\n" PINGED },
	{ S("{\"a\":.5}" PING), PE "stray '.'\n" PINGED },
	{ S("{\"a\":+5}" PING), PE "stray '+'\n" PINGED },
	{ S("{\"a\":-\"}\"}" PING), PE "stray '-\"'\n" PINGED },
	/* Structure. */
	{ S("{1:2}" PING), PE "key is not a string in object\n" PINGED },
	{ S("{[]:2}" PING), PE "key is not a string in object\n" PINGED },
	{ S("{true:2}" PING), PE "key is not a string in object\n" PINGED },
	{ S("{foo:2}" PING), PE "invalid keyword 'foo'\n" PINGED },
	{ S("{,}" PING), PE "expecting value\n" PINGED },
	{ S("{\"a\":1,}" PING), PE "expecting value\n" PINGED },
	{ S("{\"a\" 1}" PING), PE "missing : in object pair\n" PINGED },
	{ S("{\"a\"}" PING), PE "missing : in object pair\n" PINGED },
	{ S("{\"a\" true}" PING), PE "missing : in object pair\n" PINGED },
	{ S("{\"a\":}" PING), PE "expecting value\n" PINGED },
	{ S("{\"a\"::}" PING), PE "expecting value\n" PINGED },
	{ S("{\"a\":1 2}" PING), PE "expected separator in dict\n" PINGED },
	{ S("{\"a\":1:2}" PING), PE "expected separator in dict\n" PINGED },
	{ S("{\"a\":1\"}\":2}" PING), PE "expected separator in dict\n"
	    PINGED },
	{ S("{\"a\":1{}}" PING), PE "expected separator in dict\n" PINGED },
	{ S("[1 2]" PING), PE "expected separator in list\n" PINGED },
	{ S("[1,]" PING), PE "expecting value\n" PINGED },
	{ S("[,]" PING), PE "expecting value\n" PINGED },
	{ S("{]" PING), PE "expecting value\n" PINGED },
	{ S("[}" PING), PE "expecting value\n" PINGED },
	{ S("{\"a\":[1}]" PING), PE "expected separator in list\n" PINGED },
	/* Duplicate keys, compared after unescaping. */
	{ S("{\"a\":1,\"a\":2}" PING), PE "duplicate key\n" PINGED },
	{ S("{\"a\":1,'\\u0061':2}" PING), PE "duplicate key\n" PINGED },
	{ S("{\"\\u0000\":1,\"\300\200\":2}" PING), PE "duplicate key\n"
	    PINGED },
	{ S("{\"b\":[{\"a\":{\"a\":1},\"b\":2,\"a\":\"}\"}]}" PING),
	    PE "duplicate key\n" PINGED },
	{ S("{\"\":1,\"\":2}" PING), PE "duplicate key\n" PINGED },
	/* Escapes. */
	{ S("{\"a\":\"\\q\"}" PING),
	    PE "invalid escape sequence in string\n" PINGED },
	{ S("{\"a\":\"\\x\\\"}\"}" PING),
	    PE "invalid escape sequence in string\n" PINGED },
	{ S("{\"a\":\"\\u12\"}" PING),
	    PE "\\u12 is not a valid Unicode character\n" PINGED },
	{ S("{\"a\":\"\\u\"}" PING),
	    PE "\\u is not a valid Unicode character\n" PINGED },
	{ S("{\"a\":\"\\uD800\"}" PING),
	    PE "\\uD800 is not a valid Unicode character\n" PINGED },
	{ S("{\"a\":\"\\ud800\\\"}\"}" PING),
	    PE "\\ud800 is not a valid Unicode character\n" PINGED },
	{ S("{\"a\":\"\\ud800\\u0041\"}" PING),
	    PE "\\ud800 is not a valid Unicode character\n" PINGED },
	{ S("{\"a\":\"\\udc00\"}" PING),
	    PE "\\udc00 is not a valid Unicode character\n" PINGED },
	{ S("{\"a\":\"\\ufffe\"}" PING),
	    PE "\\ufffe is not a valid Unicode character\n" PINGED },
	{ S("{\"a\":\"\\uFDD0\"}" PING),
	    PE "\\uFDD0 is not a valid Unicode character\n" PINGED },
	{ S("{\"a\":\"\\ud83f\\udffe\"}" PING),
	    PE "\\ud83f\\udffe is not a valid Unicode character\n" PINGED },
	/* UTF-8. */
	{ S("{\"a\":\"\200\"}" PING), UTF PINGED },
	{ S("{\"a\":\"\343\"}" PING), UTF PINGED },
	{ S("{\"a\":\"\301\201\"}" PING), UTF PINGED },
	{ S("{\"a\":\"\300\201\"}" PING), UTF PINGED },
	{ S("{\"a\":\"\340\200\200\"}" PING), UTF PINGED },
	{ S("{\"a\":\"\360\200\200\200\"}" PING), UTF PINGED },
	{ S("{\"a\":\"\355\240\200\"}" PING), UTF PINGED },
	{ S("{\"a\":\"\357\277\276\"}" PING), UTF PINGED },
	{ S("{\"a\":\"\357\267\220\"}" PING), UTF PINGED },
	{ S("{\"a\":\"\364\220\200\200\"}" PING), UTF PINGED },
	{ S("{\"a\":\"\375\"}" PING), UTF PINGED },
	{ S("{\"\376\":1}" PING), PE "stray '\"" FFFD "'\n" PINGED },
};

static const struct rule recovery[] = {
	/* 0xFF, 0xFE and control bytes outside strings. */
	{ S("\377" PING), STRAY PINGED },
	{ S("\377\377\376"), STRAY STRAY STRAY },
	{ S("\0\0" PING), STRAY STRAY PINGED },
	{ S("\001" PING), PE "stray '\001'\n" PINGED },
	{ S("12\377" PING), BADOBJ STRAY PINGED },
	{ S("foo\377" PING), PE "invalid keyword 'foo'\n" STRAY PINGED },
	{ S("-\377" PING), PE "stray '-" FFFD "'\n" PINGED },
	{ S("{\"a\":1,\377" PING), STRAY PINGED },
	{ S("{\"a\":12\377" PING), STRAY PINGED },
	{ S("{\"a\":foo\377" PING), STRAY PINGED },
	{ S("{\"a\":true\001" PING), PE "stray '\001'\n" PINGED },
	{ S("{\"a\":$}] foo\n" PING), PE "stray '$'\n" PINGED },
	{ S("{\"a\":$}\377" PING), PE "stray '$'\n" STRAY PINGED },
	{ S("{\"a\":1,\001" PING), PE "stray '\001'\n" PINGED },
	{ S("{\"a\":-\376" PING), PE "stray '-" FFFD "'\n" PINGED },
	/* 0xFF in strings; other control bytes only spoil the message. */
	{ S("{\"a\377" PING), PE "stray '\"a" FFFD "'\n" PINGED },
	{ S("{\"a\\\377" PING), PE "stray '\"a\\" FFFD "'\n" PINGED },
	{ S("{\"a\\u1\377" PING), PE "stray '\"a\\u1" FFFD "'\n" PINGED },
	{ S("{\"\303\251\343\201\377" PING),
	    PE "stray '\"\303\251" FFFD FFFD FFFD "'\n" PINGED },
	{ S("{\"a\0}\",\"b\":{}}" PING), PE "stray '\"a" FFFD "'\n" PINGED },
	{ S("{\"a\001}\",\"b\":{}}" PING), PE "stray '\"a\001'\n" PINGED },
	{ S("{\"0123456789012345678901234567890123456789012345678901234567"
	    "8901234567\001\"}" PING),
	    PE "stray '\"0123456789012345678901234567890123456789012345678901"
	    "23456789012...\001'\n" PINGED },
	/* The end of the skip: balance, newline, 0xFF. */
	{ S("{\"a\":$ \001 \376 '}' \"\\\"}\" [{}]}" PING), PE "stray '$'\n"
	    PINGED },
	{ S("{\"a\":$ \377" PING), PE "stray '$'\n" STRAY PINGED },
	{ S("{\"a\":$ \"\377" PING), PE "stray '$'\n" STRAY PINGED },
	{ S("{\"a\":$ {{{\n" PING), PE "stray '$'\n" PINGED },
	{ S("{\"a\":$ \"\n" PING), PE "stray '$'\n" PINGED },
	{ S("{\"a\":$ \"\\\n" PING), PE "stray '$'\n" PINGED },
	{ S("{\"a\":$\n 1,\"b\":2}\n \001 x" PING), PE "stray '$'\n" PINGED },
	{ S("{\"a\":$\n\377" PING), PE "stray '$'\n" STRAY PINGED },
	{ S("{\"a\":-\n" PING), PE "stray '-\n'\n" PINGED },
	{ S("{\"a\":\"x\n" PING), PE "stray '\"x\n'\n" PINGED },
	{ S("{\"a\":\"x\r\n" PING), PE "stray '\"x\r'\n" PINGED },
	{ S("{\"a\":\"x\\\n" PING), PE "stray '\"x\\\n'\n" PINGED },
	/* A newline between tokens is only white space. */
	{ S("{\"execute\":\n\"guest-ping\"\n}\n"), PINGED },
	/* Each bad line of a client that sends lines costs one error. */
	{ S("{\"a\":1,,}\n{{\n{\"a\" \"\n[}]\n" PING "\n"),
	    PE "expecting value\n" PE "key is not a string in object\n"
	    PE "missing : in object pair\n" PE "expecting value\n" PINGED },
};

static const struct rule taken[] = {
	{ S(ARGS("\"buf-b64\":\"aGVsbG8=\"")),
	    RARGS("\"buf-b64\": \"\"") " buf-b64=hello\n" },
	{ S(ARGS("'x':1,'input-data':'aGVsbG8h','y':'z'")),
	    RARGS("\"x\": 1, \"input-data\": \"\", \"y\": \"z\"")
	    " input-data=hello!\n" },
	{ S(ARGS("\"buf-\\u006264\":\"aGV\\u0073\\nbG8=\\r\\n\"")),
	    RARGS("\"buf-b64\": \"\"") " buf-b64=hello\n" },
	{ S(ARGS("\"buf-b64\":\"\\/\\/\\/\\/\"")),
	    RARGS("\"buf-b64\": \"\"") " buf-b64=\377\377\377\n" },
	{ S(ARGS("\"buf-b64\":\"\"")), RARGS("\"buf-b64\": \"\"")
	    " buf-b64=\n" },
	{ S(ARGS("\"buf-b64\":\"YWI\"")), RARGS("\"buf-b64\": \"\"")
	    " buf-b64!\n" },
	{ S(ARGS("\"buf-b64\":\"YW*jYWJj\"")), RARGS("\"buf-b64\": \"\"")
	    " buf-b64!\n" },
	{ S(ARGS("\"buf-b64\":\"YW\303\251jYWJj\"")),
	    RARGS("\"buf-b64\": \"\"") " buf-b64!\n" },
	{ S(ARGS("\"buf-b64\":\"YW'\\\"j\\u0000\"")),
	    RARGS("\"buf-b64\": \"\"") " buf-b64!\n" },
	/* Elsewhere, or not a string: it stays. */
	{ S("{\"buf-b64\":\"YWJj\",\"arguments\":{\"a\":{\"buf-b64\":\"YQ\"},"
	    "\"input-data\":[\"YQ\"],\"buf-b64\":null}}"),
	    "R {\"buf-b64\": \"YWJj\", \"arguments\": {\"a\": {\"buf-b64\": "
	    "\"YQ\"}, \"input-data\": [\"YQ\"], \"buf-b64\": null}}\n" },
	{ S("{\"arguments\":[{\"buf-b64\":\"YQ\"}],\"x\":{\"buf-b64\":\"YQ\"}"
	    "}"), "R {\"arguments\": [{\"buf-b64\": \"YQ\"}], \"x\": "
	    "{\"buf-b64\": \"YQ\"}}\n" },
	{ S(ARGS("\"buf-b64x\":\"a\",\"buf-b6\":\"a\",\"buf-b64\\\"\":\"a\"")),
	    RARGS("\"buf-b64x\": \"a\", \"buf-b6\": \"a\", \"buf-b64\\\"\": "
	    "\"a\"") "\n" },
	/* One in a request; what is wrong in it is still an error. */
	{ S(ARGS("\"buf-b64\":\"YQ==\",\"input-data\":\"}\"") PING),
	    "E only one bulk argument is allowed in a request: 'input-data' "
	    "after 'buf-b64'\n" PINGED },
	{ S(ARGS("\"buf-b64\":\"YQ==\",\"buf-b64\":\"}\"") PING),
	    PE "duplicate key\n" PINGED },
	{ S(ARGS("\"buf-b64\":\"YQ\\q}==\"") PING),
	    PE "invalid escape sequence in string\n" PINGED },
	/* Secrets: as they came, and in no error text. */
	{ S(ARGS("\"username\":\"u\",\"password\":\"c2Vj\\ncmV0\"")),
	    RARGS("\"username\": \"u\", \"password\": \"\"")
	    " secret=c2Vj\ncmV0\n" },
	{ S(ARGS("\"password\":\"\"")), RARGS("\"password\": \"\"")
	    " secret=\n" },
	{ S(ARGS("\"password\":1")), RARGS("\"password\": 1") "\n" },
	{ S(ARGS("\"password\":\"c2Vj\001\"") PING),
	    PE "stray '\"...\001'\n" PINGED },
	{ S("{\"arguments\":{\"password\":\"c2Vj\377" PING),
	    PE "stray '\"..." FFFD "'\n" PINGED },
	{ S(ARGS("\"password\":\"\\u00zz\"") PING),
	    PE "invalid escape sequence in string\n" PINGED },
	{ S(ARGS("\"buf-b64\":\"c2Vj\377") PING),
	    PE "stray '\"..." FFFD "'\n" PE "expecting value\n" PINGED },
};

static void
add(struct list *l, const char *p, size_t n)
{
	if (l->len + n + 1 > l->cap) {
		l->cap = (l->len + n + 1) * 2;
		ATF_REQUIRE((l->p = realloc(l->p, l->cap)) != NULL);
	}
	memcpy(l->p + l->len, p, n);
	l->len += n;
	l->p[l->len] = '\0';
}

static void
adds(struct list *l, const char *s)
{
	add(l, s, strlen(s));
}

static void
event(struct list *l, enum lexer_event ev, struct request *r)
{
	if (ev == LEXER_HOLD)
		adds(l, "H");
	if (ev == LEXER_ERROR) {
		adds(l, "E ");
		adds(l, r->error);
	}
	if (ev == LEXER_REQUEST) {
		ATF_CHECK_EQ(strlen(r->text), r->len);
		adds(l, "R ");
		adds(l, r->text);
		if (r->idtext != NULL) {
			ATF_CHECK_EQ(strlen(r->idtext), r->idlen);
			adds(l, " id=");
			adds(l, r->idtext);
		}
		if (r->bulk != BULK_NONE) {
			adds(l, " ");
			adds(l, r->bulkkey);
			adds(l, r->bulk == BULK_DATA ? "=" : "!");
			ATF_CHECK(r->bulk == BULK_DATA || r->data == NULL);
			if (r->data != NULL)
				add(l, (char *)r->data, r->datalen);
		}
		if (r->secret != NULL) {
			ATF_CHECK_EQ(strlen(r->secret), r->secretlen);
			adds(l, " secret=");
			adds(l, r->secret);
		}
	}
	adds(l, "\n");
	if (ev == LEXER_REQUEST || ev == LEXER_ERROR)
		request_clear(r);
}

/* cut says how many of the bytes left are fed at once. */
static char *
run(const struct lexer_limits *lim, const char *in, size_t len,
    size_t (*cut)(size_t), int mode)
{
	struct lexer *lx = lexer_new(lim);
	struct list l = { 0 };
	struct request r;
	enum lexer_event ev;
	size_t off = 0, n, k;

	adds(&l, "");
	lexer_bulk(lx, mode);
	while (off < len) {
		for (n = cut(len - off); n > 0; n -= k) {
			k = lexer_feed(lx, in + off, n, &ev, &r);
			ATF_REQUIRE(k <= n);
			off += k;
			if (ev == LEXER_MORE)
				ATF_REQUIRE_EQ(k, n);
			else
				event(&l, ev, &r);
			if (ev == LEXER_HOLD)
				lexer_bulk(lx, 1);
		}
	}
	if ((ev = lexer_finish(lx, &r)) != LEXER_MORE) {
		n = l.len;
		event(&l, ev, &r);
		l.p[n] = 'F';
	}
	ATF_CHECK_EQ(lexer_partial(lx), 0);
	lexer_free(lx);
	return (l.p);
}

static size_t
all(size_t left)
{
	return (left);
}

static size_t
one(size_t left)
{
	(void)left;
	return (1);
}

static size_t
few(size_t left)
{
	size_t n = 1 + rnd(9);

	return (n < left ? n : left);
}

static uint32_t
rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return ((seed >> 8) % n);
}

static void
check(const struct lexer_limits *lim, const char *in, size_t len,
    const char *events)
{
	char *got;
	int i;

	for (i = 0; i < 10; i++) {
		got = run(lim, in, len, i == 0 ? all : i == 1 ? one : few, 1);
		if (strcmp(got, events) != 0)
			atf_tc_fail_nonfatal("%.*s, cut %d\ngot:\n%sexpected:"
			    "\n%s", (int)len, in, i, got, events);
		free(got);
	}
}

static void
check_all(const struct rule *rules, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		check(&limits, rules[i].in, rules[i].len, rules[i].events);
}

static unsigned int
count(const char *s, const char *what)
{
	unsigned int n = 0;

	for (; (s = strstr(s, what)) != NULL; s += strlen(what))
		n++;
	return (n);
}

/* n times s, then end. */
static char *
repeat(const char *s, size_t n, const char *end, size_t *len)
{
	struct list l = { 0 };

	while (n-- > 0)
		adds(&l, s);
	adds(&l, end);
	*len = l.len;
	return (l.p);
}

ATF_TC_WITHOUT_HEAD(accepted);
ATF_TC_BODY(accepted, tc)
{
	check_all(good, sizeof(good) / sizeof(good[0]));
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	check_all(bad, sizeof(bad) / sizeof(bad[0]));
}

ATF_TC_WITHOUT_HEAD(recovers);
ATF_TC_BODY(recovers, tc)
{
	check_all(recovery, sizeof(recovery) / sizeof(recovery[0]));
}

ATF_TC_WITHOUT_HEAD(bulk_and_secret);
ATF_TC_BODY(bulk_and_secret, tc)
{
	check_all(taken, sizeof(taken) / sizeof(taken[0]));
}

/* Wherever a client breaks off, one 0xFF makes the next request count. */
ATF_TC_WITHOUT_HEAD(ff_everywhere);
ATF_TC_BODY(ff_everywhere, tc)
{
	static const char req[] = "{'execute':\"guest\\u002d\303\251ping\","
	    "\"id\":[-1.5e+3,{},true],\"arguments\":{\"buf-b64\":\"YWJj\"}}";
	static const char *const after[] = { "\377" PING, "$\377" PING };
	char in[256], *got, *err;
	size_t i, j, n;

	for (i = 0; i < sizeof(req) - 1; i++) {
		for (j = 0; j < 2; j++) {
			(void)snprintf(in, sizeof(in), "%.*s%s", (int)i, req,
			    after[j]);
			n = strlen(in);
			got = run(&limits, in, n, all, 1);
			check(&limits, in, n, got);
			err = strstr(got, PINGED);
			ATF_CHECK_MSG(err != NULL && strcmp(err, PINGED) == 0,
			    "%.*s: %s", (int)n, in, got);
			ATF_CHECK(count(got, "\n") <= 2 + j);
			ATF_CHECK(strncmp(got, PE, strlen(PE)) == 0);
			free(got);
		}
	}
}

ATF_TC_WITHOUT_HEAD(hold);
ATF_TC_BODY(hold, tc)
{
	static const char in[] = PING ARGS("\"buf-b64\":\"aGVsbG8=\"") PING;
	static const char later[] = ARGS("\"buf-b64\":[1]") PING;
	struct lexer *lx;
	struct request r;
	enum lexer_event ev;
	size_t n;
	char *got;
	int i;

	got = run(&limits, in, sizeof(in) - 1, all, 0);
	ATF_CHECK_STREQ(got, PINGED "H\n" RARGS("\"buf-b64\": \"\"")
	    " buf-b64=hello\n" PINGED);
	free(got);
	got = run(&limits, in, sizeof(in) - 1, one, 0);
	ATF_CHECK_STREQ(got, PINGED "H\n" RARGS("\"buf-b64\": \"\"")
	    " buf-b64=hello\n" PINGED);
	free(got);
	got = run(&limits, in, sizeof(in) - 1, few, 2);
	ATF_CHECK_STREQ(got, PINGED "E argument 'buf-b64' is refused: an "
	    "earlier bulk argument is still in hand\n" PINGED);
	free(got);
	got = run(&limits, later, sizeof(later) - 1, few, 0);
	ATF_CHECK_STREQ(got, RARGS("\"buf-b64\": [1]") "\n" PINGED);
	free(got);

	/* It holds as long as it is told to, and stops at the quote. */
	lx = lexer_new(&limits);
	lexer_bulk(lx, 0);
	n = lexer_feed(lx, in, sizeof(in) - 1, &ev, &r);
	ATF_REQUIRE_EQ(ev, LEXER_REQUEST);
	request_clear(&r);
	n += lexer_feed(lx, in + n, sizeof(in) - 1 - n, &ev, &r);
	for (i = 0; i < 3; i++) {
		ATF_CHECK_EQ(ev, LEXER_HOLD);
		ATF_CHECK_EQ(lexer_partial(lx), 1);
		ATF_CHECK_EQ(strncmp(in + n, "\"aGV", 4), 0);
		n += lexer_feed(lx, in + n, sizeof(in) - 1 - n, &ev, &r);
	}
	lexer_reset(lx);
	ATF_CHECK_EQ(lexer_partial(lx), 0);
	lexer_feed(lx, PING, strlen(PING), &ev, &r);
	ATF_CHECK_EQ(ev, LEXER_REQUEST);
	request_clear(&r);
	lexer_free(lx);
}

/* A reset in the middle of anything leaves nothing of it. */
ATF_TC_WITHOUT_HEAD(reset);
ATF_TC_BODY(reset, tc)
{
	static const char in[] = "{\"arguments\":{\"password\":\"x\",\"a\":"
	    "{\"b\":[1,\"\\ud800\\udc00\"]},\"buf-b64\":\"YWJj$\"},$ \"";
	struct lexer *lx = lexer_new(&limits);
	struct request r;
	enum lexer_event ev;
	size_t i, n;

	for (i = 1; i < sizeof(in); i++) {
		n = lexer_feed(lx, in, i, &ev, &r);
		if (ev == LEXER_ERROR) {
			request_clear(&r);
			lexer_feed(lx, in + n, i - n, &ev, &r);
		}
		ATF_CHECK_EQ(ev, LEXER_MORE);
		lexer_reset(lx);
		ATF_CHECK_EQ(lexer_partial(lx), 0);
		n = lexer_feed(lx, PING, strlen(PING), &ev, &r);
		ATF_REQUIRE_EQ(ev, LEXER_REQUEST);
		ATF_CHECK_EQ(n, strlen(PING));
		ATF_CHECK(r.bulk == BULK_NONE && r.secret == NULL &&
		    r.idtext == NULL && r.data == NULL);
		request_clear(&r);
	}
	lexer_free(lx);
}

ATF_TC_WITHOUT_HEAD(bounds);
ATF_TC_BODY(bounds, tc)
{
	static const struct lexer_limits low = { 60, 8, 3, 2 };

	/* Depth. */
	check(&low, S("{\"a\":[[]]}"), "R {\"a\": [[]]}\n");
	check(&low, S("{\"a\":[[[]]]}" PING), "E JSON nesting depth limit "
	    "exceeded (more than 3 levels)\n" PINGED);
	/* Members. */
	check(&low, S("{\"a\":{\"a\":1,\"b\":2},\"b\":3}"),
	    "R {\"a\": {\"a\": 1, \"b\": 2}, \"b\": 3}\n");
	check(&low, S("{\"a\":1,\"b\":2,\"c\":{}}" PING), PE
	    "more than 2 members in an object\n" PINGED);
	/* Text: 60 bytes pass, one more does not, wherever it is. */
	check(&low, S("{\"a\":\"01234567890123456789012345678901234567890123"
	    "4567890\"}"), "R {\"a\": \"01234567890123456789012345678901234567"
	    "8901234567890\"}\n");
	check(&low, S("{\"a\":\"01234567890123456789012345678901234567890123"
	    "45678901\"}" PING), "E JSON token size limit exceeded (request "
	    "larger than 60 bytes without its bulk argument)\n" PINGED);
	check(&low, S("{\"a\":\"012345678901234567890123456789012345678901234"
	    "}\303\251\\\"}\"}" PING), "E JSON token size limit exceeded "
	    "(request larger than 60 bytes without its bulk argument)\n"
	    PINGED);
	check(&low, S("{\"a\":10000000000000000000000000000000000000000000000"
	    "000000}" PING), "E JSON token size limit exceeded (request "
	    "larger than 60 bytes without its bulk argument)\n" PINGED);
	/* White space is not text. */
	check(&low, S("{\"a\":                                               "
	    "                                   1}"), "R {\"a\": 1}\n");
	/* Bulk: 8 bytes pass; an escaped quote ends neither string nor skip. */
	check(&low, S(ARGS("\"buf-b64\":\"MDEyMzQ1Njc=\"")),
	    RARGS("\"buf-b64\": \"\"") " buf-b64=01234567\n");
	check(&low, S(ARGS("\"buf-b64\":\"MDEyMzQ1Njc4\\\"}YWJj\"") PING),
	    "E argument 'buf-b64' is larger than 8 bytes\n" PINGED);
	check(&low, S(ARGS("\"buf-b64\":\"MDEy*zQ1Njc4YWJjYWJjYWJj\"")),
	    RARGS("\"buf-b64\": \"\"") " buf-b64!\n");
}

ATF_TC_WITHOUT_HEAD(large_bulk);
ATF_TC_BODY(large_bulk, tc)
{
	static const char head[] = "{\"arguments\":{\"buf-b64\":\"";
	struct lexer_limits lim = limits;
	struct list l = { 0 };
	struct lexer *lx;
	struct request r;
	enum lexer_event ev;
	size_t i, n, off;

	lim.bulk = 3 << 20;
	adds(&l, head);
	for (i = 0; i < (1 << 20); i++)		/* lines of 64 characters */
		adds(&l, i % 16 == 15 ? "QUJD\\n" : "QUJD");
	adds(&l, "\"}}" PING);
	lx = lexer_new(&lim);
	for (off = 0, ev = LEXER_MORE; ev == LEXER_MORE; off += n) {
		n = l.len - off < 4096 ? l.len - off : 4096;
		n = lexer_feed(lx, l.p + off, n, &ev, &r);
	}
	ATF_REQUIRE_EQ(ev, LEXER_REQUEST);
	ATF_REQUIRE_EQ(r.datalen, 3 << 20);
	for (i = 0; i < r.datalen; i++)
		ATF_REQUIRE_EQ(r.data[i], "ABC"[i % 3]);
	ATF_CHECK_STREQ(r.text, "{\"arguments\": {\"buf-b64\": \"\"}}");
	request_clear(&r);
	ATF_CHECK(r.data == NULL && r.text == NULL && r.datalen == 0);
	lexer_free(lx);

	lim.bulk = (3 << 20) - 1;
	lx = lexer_new(&lim);
	n = lexer_feed(lx, l.p, l.len, &ev, &r);
	ATF_REQUIRE_EQ(ev, LEXER_ERROR);
	ATF_CHECK_STREQ(r.error,
	    "argument 'buf-b64' is larger than 3145727 bytes");
	request_clear(&r);
	lexer_feed(lx, l.p + n, l.len - n, &ev, &r);
	ATF_REQUIRE_EQ(ev, LEXER_REQUEST);
	ATF_CHECK_STREQ(r.text, "{\"execute\": \"guest-ping\"}");
	request_clear(&r);
	lexer_free(lx);
	free(l.p);
}

ATF_TC_WITHOUT_HEAD(long_secret);
ATF_TC_BODY(long_secret, tc)
{
	static const char head[] = "{\"arguments\":{\"password\":\"";
	char a[LEXER_SECRET_MAX + 1], in[LEXER_SECRET_MAX + 100], *got;

	memset(a, 'A', LEXER_SECRET_MAX);
	a[LEXER_SECRET_MAX] = '\0';
	(void)snprintf(in, sizeof(in), "%s%s\"}}", head, a);
	got = run(&limits, in, strlen(in), few, 1);
	ATF_CHECK_EQ(count(got, "secret=AAAA"), 1);
	free(got);
	(void)snprintf(in, sizeof(in), "%s%sA\"}}" PING, head, a);
	got = run(&limits, in, strlen(in), few, 1);
	ATF_CHECK_STREQ(got, "E argument 'password' is larger than 4096 bytes"
	    "\n" PINGED);
	free(got);
}

ATF_TC_WITHOUT_HEAD(floods);
ATF_TC_BODY(floods, tc)
{
	struct list l = { 0 };
	char *in, *got, key[32];
	size_t len, i;

	/* 100,000 levels: one error, and the end is found. */
	in = repeat("[", 100000, "", &len);
	got = run(&limits, in, len, all, 1);
	ATF_CHECK_STREQ(got, "E JSON nesting depth limit exceeded (more than "
	    "32 levels)\n");
	free(got);
	free(in);
	for (i = 0; i < 200000; i++)
		adds(&l, i < 100000 ? "[" : "]");
	adds(&l, PING);
	got = run(&limits, l.p, l.len, few, 1);
	ATF_CHECK_STREQ(got, "E JSON nesting depth limit exceeded (more than "
	    "32 levels)\n" PINGED);
	free(got);
	free(l.p);

	/* A million keys. */
	l = (struct list){ 0 };
	adds(&l, "{");
	for (i = 0; i < 1000000; i++) {
		(void)snprintf(key, sizeof(key), "%s\"%zu\":{}",
		    i > 0 ? "," : "", i);
		adds(&l, key);
	}
	adds(&l, "}" PING);
	got = run(&limits, l.p, l.len, all, 1);
	ATF_CHECK_STREQ(got, PE "more than 1024 members in an object\n"
	    PINGED);
	free(got);
	free(l.p);

	/* As many keys as fit, in many objects. */
	in = repeat("{\"a\":1,\"b\":2,\"c\":3,\"d\":{}},", 29000, "", &len);
	in[len - 1] = ']';
	l = (struct list){ 0 };
	adds(&l, "{\"x\":[");
	add(&l, in, len);
	adds(&l, "}");
	got = run(&limits, l.p, l.len, all, 1);
	ATF_CHECK_EQ(count(got, "R {\"x\": [{"), 1);
	ATF_CHECK_EQ(count(got, "\n"), 1);
	free(got);
	free(in);
	free(l.p);

	/* Garbage and white space of any length. */
	in = repeat("garbage ", 131072, PING, &len);
	got = run(&limits, in, len, all, 1);
	ATF_CHECK_STREQ(got, PE "invalid keyword 'garbage'\n" PINGED);
	free(got);
	free(in);
	in = repeat("x", 1 << 20, PING, &len);
	got = run(&limits, in, len, few, 1);
	ATF_CHECK_EQ(count(got, "\n"), 2);
	ATF_CHECK_EQ(count(got, "xxx...'\n"), 1);
	free(got);
	free(in);
	in = repeat("        ", 262144, PING, &len);
	got = run(&limits, in, len, all, 1);
	ATF_CHECK_STREQ(got, PINGED);
	free(got);
	free(in);
	/* An endless string. */
	l = (struct list){ 0 };
	adds(&l, "{\"a\":\"");
	for (i = 0; i < 262144; i++)
		adds(&l, "01234567");
	adds(&l, "\"}" PING);
	got = run(&limits, l.p, l.len, few, 1);
	ATF_CHECK_STREQ(got, "E JSON token size limit exceeded (request larger"
	    " than 1048576 bytes without its bulk argument)\n" PINGED);
	free(got);
	free(l.p);
}

/* 1,024 members are told apart, in nested objects too, and the next is not. */
ATF_TC_WITHOUT_HEAD(members);
ATF_TC_BODY(members, tc)
{
	struct list l = { 0 };
	char key[64], *got;
	unsigned int i, dup;

	for (dup = 0; dup < 2; dup++) {
		l = (struct list){ 0 };
		adds(&l, "{");
		for (i = 0; i < 1024; i++) {
			(void)snprintf(key, sizeof(key), "%s\"k%u\":{\"k%u\":1,"
			    "\"k%u\":2}", i > 0 ? "," : "",
			    i == 1023 && dup ? 7 : i, i, i + 1);
			adds(&l, key);
		}
		adds(&l, "}");
		got = run(&limits, l.p, l.len, few, 1);
		if (dup)
			ATF_CHECK_STREQ(got, PE "duplicate key\n");
		else
			ATF_CHECK_EQ(strncmp(got, "R {\"k0\"", 7), 0);
		free(got);
		free(l.p);
	}
}

/* json-c, strict, takes whatever the lexer passed, and whole. */
static void
agree(const char *in, size_t len)
{
	struct lexer *lx = lexer_new(&limits);
	struct json_tokener *tok = json_tokener_new_ex(40);
	struct json_object *o;
	struct request r;
	enum lexer_event ev;
	size_t off = 0, i;

	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	while (off < len) {
		off += lexer_feed(lx, in + off, len - off, &ev, &r);
		if (ev == LEXER_REQUEST) {
			json_tokener_reset(tok);
			o = json_tokener_parse_ex(tok, r.text, (int)r.len + 1);
			ATF_CHECK_MSG(o != NULL && json_tokener_get_parse_end(
			    tok) == r.len, "%s", r.text);
			ATF_CHECK(json_object_is_type(o, json_type_object));
			json_object_put(o);
			for (i = 0; i < r.idlen; i++)
				ATF_CHECK(r.idtext[i] >= 0x20 &&
				    r.idtext[i] < 0x7f);
		}
		if (ev == LEXER_REQUEST || ev == LEXER_ERROR)
			request_clear(&r);
	}
	json_tokener_free(tok);
	lexer_free(lx);
}

ATF_TC_WITHOUT_HEAD(json_c_agrees);
ATF_TC_BODY(json_c_agrees, tc)
{
	static const char *const pieces[] = { "{", "}", "[", "]", ",", ":",
	    "\"a\"", "'b'", "\"id\":", "\"", "0", "-0", "-", "1", "9", ".5",
	    "e9", "E-3", "1e999", "true", "null", "\\", "\\u0000", "\\ud83d",
	    "\\ude00", "\300\200", "\303\251", "\360\237\230\200", "\n", " ",
	    "9223372036854775808", "-9223372036854775809",
	    "18446744073709551616", "\177", "{\"a\":", "{\"a\":1}", "[1,",
	    "\377", "/", "\"arguments\":{\"buf-b64\":\"YQ==\"}" };
	struct list l;
	struct rule const *sets[] = { good, bad, recovery, taken };
	size_t sizes[] = { sizeof(good), sizeof(bad), sizeof(recovery),
	    sizeof(taken) }, i, j, k;
	char *whole, *cut;

	for (i = 0; i < 4; i++)
		for (j = 0; j < sizes[i] / sizeof(struct rule); j++)
			agree(sets[i][j].in, sets[i][j].len);
	for (i = 0; i < 20000; i++) {
		l = (struct list){ 0 };
		adds(&l, i % 2 ? "{\"id\":[" : "{\"x\":");
		for (j = rnd(8) + 1; j > 0; j--) {
			k = rnd(sizeof(pieces) / sizeof(pieces[0]));
			adds(&l, pieces[k]);
		}
		adds(&l, i % 2 ? "]}" : "}");
		agree(l.p, l.len);
		whole = run(&limits, l.p, l.len, all, 1);
		cut = run(&limits, l.p, l.len, few, 1);
		ATF_CHECK_STREQ(whole, cut);
		free(whole);
		free(cut);
		free(l.p);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, accepted);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, recovers);
	ATF_TP_ADD_TC(tp, bulk_and_secret);
	ATF_TP_ADD_TC(tp, ff_everywhere);
	ATF_TP_ADD_TC(tp, hold);
	ATF_TP_ADD_TC(tp, reset);
	ATF_TP_ADD_TC(tp, bounds);
	ATF_TP_ADD_TC(tp, large_bulk);
	ATF_TP_ADD_TC(tp, long_secret);
	ATF_TP_ADD_TC(tp, floods);
	ATF_TP_ADD_TC(tp, members);
	ATF_TP_ADD_TC(tp, json_c_agrees);
	return (atf_no_error());
}
