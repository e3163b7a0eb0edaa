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
 * What a host may send and what it must see, against the shipped daemon on
 * its socket: the stream, the lexer's bounds, the form of requests, back
 * pressure, clients that come and go, guest-exec.
 */

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

#define SYNC(id)	"{\"execute\": \"guest-sync\", \"arguments\": "	\
			"{\"id\": " id "}}\n"
#define NOT_INTEGER	GENERIC("Invalid parameter type for 'id', "	\
			"expected: integer")
#define NOT_OBJECT	GENERIC("QMP input must be a JSON object")
#define STRAY		"{\"error\": {\"class\": \"GenericError\", "	\
			"\"desc\": \"JSON parse error, stray '"
#define BAD_UTF8	GENERIC("JSON parse error, invalid UTF-8 "	\
			"sequence in string")
#define DUPLICATE	GENERIC("JSON parse error, duplicate key")
#define BAD_BASE64	GENERIC("Base64 data contains invalid characters")
#define NO_STDIN	"\"path\": \"touch\", \"arg\": [\"marker\"]"
#define RETURN(x)	"{\"return\": " x "}"
#define EXITED		RETURN("{\"exited\": true, \"exitcode\": 0}")

#define TEST(name, what)						\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", "%s", what);		\
	}								\
	ATF_TC_BODY(name, tc)
#define ROOT_TEST(name, what)						\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", "%s", what);		\
		atf_tc_set_md_var(tc, "require.user", "root");		\
	}								\
	ATF_TC_BODY(name, tc)

struct ask {
	const char	*request, *reply;
};

static struct wire h;

static void
begin(const atf_tc_t *tc)
{
	daemon_listen(tc, NULL);
	wire_connect(&h);
}

/* What was sent before was all answered, and the next one is. */
static void
finish(void)
{
	wire_ask(&h, PING, PONG);
	wire_close(&h);
	daemon_stop();
}

static void
ask_all(const struct ask *asks, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		wire_say(&h, asks[i].request);
		wire_say(&h, "\n");
		wire_expect(&h, asks[i].reply);
	}
}

#define ASK_ALL(asks)	ask_all(asks, sizeof(asks) / sizeof((asks)[0]))

/* --- the stream --- */

TEST(split, "A request split at every byte")
{
	static const char request[] = "{'execute' : \"gu\\u0065st-sync\",\r\n"
	    "\t\"arguments\": {\"id\":-12345 } , \"id\": [\"\xc3\xa9\\n\", "
	    "1.50e+3, {\"a\\\"\": null}, true]}\n";
	static const char reply[] = "{\"return\": -12345, \"id\": "
	    "[\"\\u00e9\\n\", 1.50e+3, {\"a\\\"\": null}, true]}";
	size_t i, len = sizeof(request) - 1;

	begin(tc);
	for (i = 1; i < len; i++) {
		wire_piece(&h, request, i);
		wire_piece(&h, request + i, len - i);
		wire_expect(&h, reply);
	}
	for (i = 0; i < len; i++)
		wire_piece(&h, request + i, 1);
	wire_expect(&h, reply);
	finish();
}

TEST(pipelined, "A thousand requests in one write, answered in order")
{
	static const struct ask asks[] = {
		{ "{\"execute\": \"guest-ping\", \"id\": %d}",
		    "{\"return\": {}, \"id\": %d}" },
		{ "{\"execute\": \"guest-get-host-name\", \"id\": %d}", NULL },
		{ "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": 5}, "
		    "\"id\": %d}", "{\"return\": 5, \"id\": %d}" },
		{ "{\"execute\": \"no\", \"id\": %d}",
		    "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
		    "\"The command no has not been found\"}, \"id\": %d}" },
		{ "{\"execute\": \"guest-ping\", \"arguments\": {\"x\": 1}, "
		    "\"id\": %d}", "{\"error\": {\"class\": \"GenericError\", "
		    "\"desc\": \"Parameter 'x' is unexpected\"}, "
		    "\"id\": %d}" },
	};
	struct text all = { 0 };
	char end[512];
	const char *line, *p;
	size_t n = sizeof(asks) / sizeof(asks[0]);
	int i, id;

	for (i = 0; i < 1000; i++) {
		for (p = asks[(size_t)i % n].request; *p != '\0'; p++)
			if (p[0] == '%' && p[1] == 'd')
				text_add(&all, "%d", i), p++;
			else
				text_put(&all, p, 1);
		if (i % 3 == 0)
			text_put(&all, "\n", 1);
	}
	begin(tc);
	wire_send(&h, all.p, all.len);
	for (i = 0; i < 1000; i++) {
		line = wire_line(&h);
		if (asks[(size_t)i % n].reply == NULL) {
			ATF_CHECK_MSG(strstr(line, "\"host-name\": \"") !=
			    NULL, "%s", line);
			snprintf(end, sizeof(end), "}, \"id\": %d}", i);
			ATF_REQUIRE_STREQ(end, strstr(line, "}, \"id\""));
			continue;
		}
		p = strstr(asks[(size_t)i % n].reply, "%d");
		id = (int)(p - asks[(size_t)i % n].reply);
		snprintf(end, sizeof(end), "%.*s%d}", id,
		    asks[(size_t)i % n].reply, i);
		ATF_REQUIRE_STREQ(end, line);
	}
	text_free(&all);
	finish();
}

TEST(ff_within, "0xFF at every byte of a request")
{
	static const char request[] = "{\"execute\": \"guest-sync\", "
	    "\"arguments\": {\"id\": 77, \"a\": [true]}}";
	size_t i, len = sizeof(request) - 1;
	const char *line;

	begin(tc);
	for (i = 1; i < len; i++) {
		wire_send(&h, request, i);
		wire_send(&h, "\xff", 1);
		line = wire_line(&h);
		ATF_REQUIRE_MSG(strncmp(line, STRAY, sizeof(STRAY) - 1) == 0,
		    "at %zu: %s", i, line);
		ATF_REQUIRE_MSG(strstr(line, "\\uFFFD'\"}}") != NULL,
		    "at %zu: %s", i, line);
		/* One line for all of it: the next request is the next. */
		wire_ask(&h, PING, PONG);

		/* And with the rest behind it. */
		wire_send(&h, request, i);
		wire_send(&h, "\xff", 1);
		wire_send(&h, request + i, len - i);
		(void)wire_resync(&h);
		wire_ask(&h, PING, PONG);
	}
	finish();
}

TEST(ff_between, "Each 0xFF between requests is one line")
{
	static const char stray[] = GENERIC("JSON parse error, stray "
	    "'\\uFFFD'");
	static const unsigned char others[] = { 0x00, 0x01, 0x0b, 0x1f, 0xfe };
	size_t i;

	begin(tc);
	wire_say(&h, PING "\xff\xff\xff" PING "\xff" PING);
	wire_expect(&h, PONG);
	for (i = 0; i < 3; i++)
		wire_expect(&h, stray);
	wire_expect(&h, PONG);
	wire_expect(&h, stray);
	wire_expect(&h, PONG);
	/* What acts alike; each a line of its own, the message is dropped. */
	for (i = 0; i < sizeof(others); i++) {
		wire_say(&h, "{\"execute\": ");
		wire_send(&h, &others[i], 1);
		wire_send(&h, &others[i], 1);
		wire_say(&h, PING);
		ATF_CHECK(strncmp(wire_line(&h), STRAY, sizeof(STRAY) - 1) ==
		    0);
		ATF_CHECK(strncmp(wire_line(&h), STRAY, sizeof(STRAY) - 1) ==
		    0);
		wire_expect(&h, PONG);
	}
	finish();
}

TEST(delimited, "guest-sync-delimited puts 0xFF before its own reply only")
{
	begin(tc);
	wire_say(&h, "\xff{\"execute\": \"guest-sync-delimited\", "
	    "\"arguments\": {\"id\": 99}}\n" PING);
	wire_expect(&h, GENERIC("JSON parse error, stray '\\uFFFD'"));
	wire_expect(&h, "\xff{\"return\": 99}");
	wire_expect(&h, PONG);
	wire_ask(&h, "{\"execute\": \"guest-sync-delimited\", \"id\": 1, "
	    "\"arguments\": {\"id\": -9223372036854775808}}",
	    "\xff{\"return\": -9223372036854775808, \"id\": 1}");
	/* Not before an error. */
	wire_ask(&h, "{\"execute\": \"guest-sync-delimited\"}",
	    GENERIC("Parameter 'id' is missing"));
	wire_ask(&h, "{\"execute\": \"guest-sync-delimited\", "
	    "\"arguments\": {\"id\": 1.0}}", NOT_INTEGER);
	finish();
}

TEST(framing, "Line ends or none, blanks, scalars, arrays")
{
	static const struct ask asks[] = {
		{ "17", NOT_OBJECT },
		{ "-1.5e3", NOT_OBJECT },
		{ "\"text\"", NOT_OBJECT },
		{ "'text'", NOT_OBJECT },
		{ "true", NOT_OBJECT },
		{ "null", NOT_OBJECT },
		{ "[]", NOT_OBJECT },
		{ "[{\"execute\": \"guest-ping\"}]", NOT_OBJECT },
		{ "{}", GENERIC("QMP input lacks member 'execute'") },
		{ "nul}], 5", GENERIC("JSON parse error, invalid keyword "
		    "'nul'") },
		{ "{} }", GENERIC("QMP input lacks member 'execute'") },
	};

	begin(tc);
	ASK_ALL(asks);
	wire_expect(&h, GENERIC("JSON parse error, expecting value"));
	/* Complete with the bracket; nothing need follow. */
	wire_ask(&h, "{\"execute\": \"guest-ping\"}", PONG);
	wire_ask(&h, "{\"execute\": \"guest-ping\"}\r\n", PONG);
	wire_ask(&h, " \t\r\n\n\n {\r\n\"execute\"\t:\n\"guest-ping\"\r}",
	    PONG);
	wire_say(&h, "{'execute':'guest-ping'}{'execute':'guest-ping'}"
	    SYNC("1"));
	wire_expect(&h, PONG);
	wire_expect(&h, PONG);
	wire_expect(&h, RETURN("1"));
	/* A NUL is garbage like any other. */
	wire_send(&h, "\0{\"execute\": \"guest-ping\"}\0\n", 27);
	wire_expect(&h, GENERIC("JSON parse error, stray '\\uFFFD'"));
	wire_expect(&h, PONG);
	wire_expect(&h, GENERIC("JSON parse error, stray '\\uFFFD'"));
	wire_send(&h, "{\"execute\": \"guest-\0ping\"}\n", 26);
	ATF_CHECK(strncmp(wire_line(&h), STRAY, sizeof(STRAY) - 1) == 0);
	finish();
}

/* --- what the lexer bears --- */

TEST(garbage, "A mebibyte of noise, then the next request")
{
	struct text t = { 0 };
	uint64_t x = 88172645463325252U;
	size_t i, n;
	char c;

	begin(tc);
	for (i = 0; i < 1024 * 1024; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		c = (char)(x >> 24);
		text_put(&t, &c, 1);
	}
	wire_send(&h, t.p, t.len);
	n = wire_resync(&h);
	ATF_CHECK_MSG(n >= 1024 * 1024 / 512, "%zu lines", n);
	wire_ask(&h, PING, PONG);

	/* A word without end is one error. */
	t.len = 0;
	text_fill(&t, 'x', 1024 * 1024);
	text_add(&t, "\n" PING);
	wire_send(&h, t.p, t.len);
	ATF_CHECK(strstr(wire_line(&h), "invalid keyword 'xxxx") != NULL);
	wire_expect(&h, PONG);

	/* So is text that is no JSON, whatever is in it but brackets. */
	t.len = 0;
	for (i = 0; i < 20000; i++)
		text_add(&t, "%%the quick; brown fox: jumps = over \"%zu\n", i);
	text_add(&t, PING);
	wire_send(&h, t.p, t.len);
	wire_expect(&h, GENERIC("JSON parse error, stray '%'"));
	wire_expect(&h, PONG);
	text_free(&t);
	finish();
}

TEST(depth, "Nesting of 100,000 is one error, 32 is none")
{
	static const char *const openers[] = { "[", "{\"a\":", "[{\"b\":",
	    "{\"execute\": [" };
	static const char deep[] = GENERIC("JSON nesting depth limit "
	    "exceeded (more than 32 levels)");
	struct text t = { 0 };
	size_t i, j;

	begin(tc);
	for (i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
		t.len = 0;
		for (j = 0; j < 100000; j++)
			text_put(&t, openers[i], strlen(openers[i]));
		text_add(&t, "\n" PING);
		wire_send(&h, t.p, t.len);
		wire_expect(&h, deep);
		wire_expect(&h, PONG);
	}
	/* Closed again on the same line: the request behind it counts. */
	t.len = 0;
	text_fill(&t, '[', 100000);
	text_fill(&t, ']', 100000);
	text_add(&t, "{\"execute\": \"guest-ping\"}\n");
	wire_send(&h, t.p, t.len);
	wire_expect(&h, deep);
	wire_expect(&h, PONG);

	for (i = 31; i <= 32; i++) {
		t.len = 0;
		text_add(&t, "{\"execute\": \"guest-ping\", \"id\": ");
		text_fill(&t, '[', i);
		text_fill(&t, ']', i);
		text_add(&t, "}\n");
		wire_send(&h, t.p, t.len);
		if (i == 32) {
			wire_expect(&h, deep);
			break;
		}
		t.len = 0;
		text_add(&t, "{\"return\": {}, \"id\": ");
		text_fill(&t, '[', i);
		text_fill(&t, ']', i);
		text_add(&t, "}");
		wire_expect(&h, t.p);
	}
	text_free(&t);
	finish();
}

TEST(many_keys, "An object of 100,000 keys is one error, of 1,024 none")
{
	static const size_t counts[] = { 100000, 1025, 1024 };
	struct text t = { 0 };
	size_t i, j;

	begin(tc);
	for (i = 0; i < 3; i++) {
		t.len = 0;
		text_add(&t, "{\"execute\": \"guest-sync\", \"arguments\": "
		    "{\"id\": 5}, \"id\": {");
		for (j = 0; j < counts[i]; j++)
			text_add(&t, "%s\"k%zu\": %zu", j == 0 ? "" : ", ", j,
			    j);
		text_add(&t, "}}\n");
		wire_send(&h, t.p, t.len);
		if (counts[i] > 1024)
			wire_expect(&h, GENERIC("JSON parse error, more than "
			    "1024 members in an object"));
		else {
			/* The id comes back whole. */
			t.p[t.len - 1] = '\0';
			ATF_CHECK_STREQ(strstr(t.p, "\"id\": {\"k0\""),
			    strstr(wire_line(&h), "\"id\": {"));
		}
		wire_ask(&h, PING, PONG);
	}
	text_free(&t);
	finish();
}

TEST(duplicate_keys, "A key twice is an error, however it is written")
{
	static const struct ask asks[] = {
		{ "{\"execute\": \"guest-ping\", \"execute\": "
		    "\"guest-shutdown\"}", DUPLICATE },
		{ "{\"execute\": \"guest-ping\", 'exec\\u0075te': \"x\"}",
		    DUPLICATE },
		{ "{\"\\u0065xecute\": \"guest-ping\", \"execute\": \"x\"}",
		    DUPLICATE },
		{ "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": 1, "
		    "\"id\": 2}}", DUPLICATE },
		{ "{\"execute\": \"guest-ping\", \"id\": [{\"a\": 1, \"b\": 2, "
		    "\"\\u0061\": 3}]}", DUPLICATE },
		{ "{\"execute\": \"guest-ping\", \"id\": {\"\": 1, \"\": 1}}",
		    DUPLICATE },
		/* The same key in two objects is none. */
		{ "{\"execute\": \"guest-ping\", \"id\": [{\"a\": {\"a\": 1}}, "
		    "{\"a\": 1}, \"a\"]}",
		    "{\"return\": {}, \"id\": [{\"a\": {\"a\": 1}}, "
		    "{\"a\": 1}, \"a\"]}" },
	};

	begin(tc);
	ASK_ALL(asks);
	finish();
}

#define BAD(esc)	GENERIC("JSON parse error, " esc " is not a valid " \
			"Unicode character")
#define WITH(s)		"{\"execute\": \"guest-ping\", \"id\": \"" s "\"}"
#define ECHO(s)		"{\"return\": {}, \"id\": \"" s "\"}"

TEST(strings, "Strings: UTF-8, surrogates, escapes, quotes")
{
	static const struct ask asks[] = {
		{ WITH("\x80"), BAD_UTF8 },
		{ WITH("\xc3("), BAD_UTF8 },
		{ WITH("\xc1\xbf"), BAD_UTF8 },
		{ WITH("\xe0\x80\x80"), BAD_UTF8 },
		{ WITH("\xe2\x82"), BAD_UTF8 },
		{ WITH("\xed\xa0\x80"), BAD_UTF8 },
		{ WITH("\xf0\x80\x80\x80"), BAD_UTF8 },
		{ WITH("\xf4\x90\x80\x80"), BAD_UTF8 },
		{ WITH("\xf8\x88\x80\x80\x80"), BAD_UTF8 },
		{ WITH("\xef\xbf\xbf"), BAD_UTF8 },
		{ "{\"exec\xfcute\": 1}", BAD_UTF8 },
		{ "{\"execute\": \"guest-\xe9\"}", BAD_UTF8 },
		{ WITH("\\ud800"), BAD("\\\\ud800") },
		{ WITH("\\ud800x"), BAD("\\\\ud800") },
		{ WITH("\\ud800\\n"), BAD("\\\\ud800") },
		{ WITH("\\udc00"), BAD("\\\\udc00") },
		{ WITH("\\ud83d\\ud83d"), BAD("\\\\ud83d") },
		{ WITH("\\uffff"), BAD("\\\\uffff") },
		{ WITH("\\q"), GENERIC("JSON parse error, invalid escape "
		    "sequence in string") },
		{ WITH("\\ud83d\\ude00 \xf0\x9f\x98\x80"),
		    ECHO("\\ud83d\\ude00 \\ud83d\\ude00") },
		{ WITH("\\u0041\\u00e9\xc3\xa9\x7f"),
		    ECHO("A\\u00e9\\u00e9\\u007f") },
		{ WITH("\\\"\\\\\\/\\b\\f\\n\\r\\t\\'"),
		    ECHO("\\\"\\\\/\\b\\f\\n\\r\\t'") },
		{ WITH("a\\u0000b"), ECHO("a\\u0000b") },
		{ "{\"exec\\u0075te\": \"guest\\u002dping\"}", PONG },
		{ "{'execute': 'guest-ping', 'id': 'it\\'s \"so\"'}",
		    ECHO("it's \\\"so\\\"") },
		{ "{'execute': \"guest-ping\", \"id\": \"it's\"}",
		    ECHO("it's") },
		{ "{\"execute\": \"guest-sync\", \"argument\\u0073\": "
		    "{\"\\u0069d\": 3}, \"\\u0069\\u0064\": 4}",
		    "{\"return\": 3, \"id\": 4}" },
	};

	begin(tc);
	ASK_ALL(asks);
	/* A raw control byte: the string is not closed by it. */
	wire_say(&h, "{\"execute\": \"guest-\nping\"}\n" PING);
	ATF_CHECK(strncmp(wire_line(&h), STRAY, sizeof(STRAY) - 1) == 0);
	wire_expect(&h, PONG);
	finish();
}

TEST(integers, "An integer is 64 bits, and nothing else is one")
{
	static const char *const bad[] = { "9223372036854775808",
	    "-9223372036854775809", "18446744073709551616", "1e3", "1.0",
	    "0.0", "1E0", "-1e-3", "true", "false", "null", "\"1\"", "[1]",
	    "{}", "99999999999999999999999999999999" };
	static const char *const good[] = { "0", "1", "-1", "1764003600000",
	    "9007199254740993", "9223372036854775807",
	    "-9223372036854775808" };
	static const char *const broken[] = { "01", "-", "1.", ".5", "+1",
	    "1e", "0x10", "1e+", "--1", "NaN", "Infinity" };
	char request[256], reply[256];
	size_t i;

	begin(tc);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(request, sizeof(request), SYNC("%s"), bad[i]);
		wire_ask(&h, request, NOT_INTEGER);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(request, sizeof(request), SYNC("%s"), good[i]);
		snprintf(reply, sizeof(reply), RETURN("%s"), good[i]);
		wire_ask(&h, request, reply);
	}
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		snprintf(request, sizeof(request), SYNC("%s"), broken[i]);
		wire_say(&h, request);
		ATF_CHECK_MSG(strstr(wire_line(&h), "JSON parse error, ") !=
		    NULL, "%s", broken[i]);
	}
	finish();
}

/* --- requests --- */

TEST(ids, "The id comes back as the same value, in errors too")
{
	static const char *const same[] = { "0", "0.1", "1e3", "1E+3", "-0.0",
	    "1.10", "18446744073709551616", "9223372036854775808",
	    "-9223372036854775809", "123456789012345678901234567890.5",
	    "null", "true", "false", "[]", "{}", "\"\"", "\"text\"",
	    "\"\\\"q\\\\ \\n\"", "[1, [2, {\"a\": [null, \"b\"]}], 0.30]",
	    "{\"id\": {\"id\": 1e400}, \"execute\": \"guest-ping\"}" };
	static const struct ask asks[] = {
		{ "{\"execute\": \"guest-ping\", \"id\": %s}\n",
		    "{\"return\": {}, \"id\": %s}" },
		{ "{\"id\": %s, \"execute\": \"guest-nothing\"}\n",
		    "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
		    "\"The command guest-nothing has not been found\"}, "
		    "\"id\": %s}" },
		{ "{\"id\": %s}\n", "{\"error\": {\"class\": \"GenericError\","
		    " \"desc\": \"QMP input lacks member 'execute'\"}, "
		    "\"id\": %s}" },
		{ "{\"execute\": \"guest-sync\", \"id\": %s}\n",
		    "{\"error\": {\"class\": \"GenericError\", \"desc\": "
		    "\"Parameter 'id' is missing\"}, \"id\": %s}" },
		{ "{\"id\": %s, \"execute\": \"guest-exec-status\", "
		    "\"arguments\": {\"pid\": 1}}\n",
		    "{\"error\": {\"class\": \"GenericError\", \"desc\": "
		    "\"PID 1 does not exist\"}, \"id\": %s}" },
	};
	struct text t = { 0 };
	const char *form, *p;
	size_t i, j, k;

	begin(tc);
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		for (j = 0; j < sizeof(asks) / sizeof(asks[0]); j++)
			for (k = 0; k < 2; k++) {
				form = k == 0 ? asks[j].request :
				    asks[j].reply;
				p = strstr(form, "%s");
				t.len = 0;
				text_put(&t, form, (size_t)(p - form));
				text_add(&t, "%s%s", same[i], p + 2);
				if (k == 0)
					wire_say(&h, t.p);
				else
					wire_expect(&h, t.p);
			}
	text_free(&t);
	finish();
}

TEST(forms, "What is wrong with a request is said as qemu-ga says it")
{
	static const struct ask asks[] = {
		{ "{\"execute\": \"guest-frobnicate\"}",
		    ABSENT("The command guest-frobnicate has not been found") },
		{ "{\"execute\": \"\"}",
		    ABSENT("The command  has not been found") },
		{ "{\"execute\": \"Guest-Ping\"}",
		    ABSENT("The command Guest-Ping has not been found") },
		{ "{\"execute\": 5}", GENERIC("QMP input member 'execute' must "
		    "be a string") },
		{ "{\"execute\": null}", GENERIC("QMP input member 'execute' "
		    "must be a string") },
		{ "{\"execute\": \"guest-ping\", \"arguments\": []}",
		    GENERIC("QMP input member 'arguments' must be an object") },
		{ "{\"execute\": \"guest-ping\", \"arguments\": null}",
		    GENERIC("QMP input member 'arguments' must be an object") },
		{ "{\"execute\": \"guest-ping\", \"argument\": {}}",
		    GENERIC("QMP input member 'argument' is unexpected") },
		{ "{\"exec-oob\": \"guest-ping\"}",
		    GENERIC("QMP input member 'exec-oob' is unexpected") },
		{ "{\"execute\": \"guest-ping\", \"arguments\": {}}", PONG },
		{ "{\"execute\": \"guest-ping\", \"arguments\": {\"a\": 1}}",
		    GENERIC("Parameter 'a' is unexpected") },
		{ "{\"execute\": \"guest-get-osinfo\", \"arguments\": "
		    "{\"id\": 1}}", GENERIC("Parameter 'id' is unexpected") },
		{ "{\"execute\": \"guest-sync\"}",
		    GENERIC("Parameter 'id' is missing") },
		{ "{\"execute\": \"guest-sync\", \"arguments\": {}}",
		    GENERIC("Parameter 'id' is missing") },
		{ "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": 1, "
		    "\"x\": 2}}", GENERIC("Parameter 'x' is unexpected") },
		{ "{\"execute\": \"guest-exec-status\", \"arguments\": "
		    "{\"pid\": \"1\"}}", GENERIC("Invalid parameter type for "
		    "'pid', expected: integer") },
		{ "{\"execute\": \"guest-ping\", \"arguments\": "
		    "{\"input-data\": \"YQ==\"}}",
		    GENERIC("Parameter 'input-data' is unexpected") },
		{ "{\"execute\": \"guest-ping\" \"id\": 1}",
		    GENERIC("JSON parse error, expected separator in dict") },
		{ "{\"execute\" \"guest-ping\"}",
		    GENERIC("JSON parse error, missing : in object pair") },
		{ "{\"execute\": }",
		    GENERIC("JSON parse error, expecting value") },
		{ "{\"execute\": \"guest-ping\", \"id\": [1 2]}",
		    GENERIC("JSON parse error, expected separator in list") },
		{ "{5: 1}",
		    GENERIC("JSON parse error, key is not a string in "
		    "object") },
	};

	begin(tc);
	ASK_ALL(asks);
	finish();
}

/* guest-exec's and guest-shutdown's, which plain users are refused first. */
ROOT_TEST(exec_forms, "Arguments of guest-exec and guest-shutdown are judged")
{
	static const struct ask asks[] = {
		{ "{\"execute\": \"guest-exec\"}",
		    GENERIC("Parameter 'path' is missing") },
		{ "{\"execute\": \"guest-exec\", \"arguments\": "
		    "{\"input-data\": \"YQ==\"}}",
		    GENERIC("Parameter 'path' is missing") },
		{ "{\"execute\": \"guest-exec\", \"arguments\": "
		    "{\"path\": null}}", GENERIC("Invalid parameter type for "
		    "'path', expected: string") },
		{ "{\"execute\": \"guest-exec\", \"arguments\": "
		    "{\"path\": \"true\", \"arg\": \"x\"}}",
		    GENERIC("Invalid parameter type for 'arg', expected: "
		    "array") },
		{ "{\"execute\": \"guest-exec\", \"arguments\": "
		    "{\"path\": \"true\", \"arg\": [\"x\", 1]}}",
		    GENERIC("Invalid parameter type for 'arg[1]', expected: "
		    "string") },
		{ "{\"execute\": \"guest-exec\", \"arguments\": "
		    "{\"path\": \"true\", \"env\": [null]}}",
		    GENERIC("Invalid parameter type for 'env[0]', expected: "
		    "string") },
		{ "{\"execute\": \"guest-exec\", \"arguments\": "
		    "{\"path\": \"true\", \"input-data\": 5}}",
		    GENERIC("Invalid parameter type for 'input-data', "
		    "expected: string") },
		{ "{\"execute\": \"guest-exec\", \"arguments\": "
		    "{\"path\": \"true\", \"capture-output\": \"all\"}}",
		    GENERIC("Parameter 'capture-output' does not accept value "
		    "'all'") },
		{ "{\"execute\": \"guest-exec\", \"arguments\": "
		    "{\"path\": \"true\", \"capture-output\": 1}}",
		    GENERIC("Invalid parameter type for 'capture-output', "
		    "expected: GuestExecCaptureOutput") },
		{ "{\"execute\": \"guest-exec\", \"arguments\": "
		    "{\"path\": \"true\", \"cwd\": \"/\"}}",
		    GENERIC("Parameter 'cwd' is unexpected") },
		{ "{\"execute\": \"guest-shutdown\", \"arguments\": "
		    "{\"mode\": \"fast\"}}",
		    GENERIC("mode is invalid (valid values are: "
		    "halt|powerdown|reboot") },
		{ "{\"execute\": \"guest-shutdown\", \"arguments\": "
		    "{\"mode\": 1}}", GENERIC("Invalid parameter type for "
		    "'mode', expected: string") },
	};

	begin(tc);
	ASK_ALL(asks);
	finish();
}

/* --- bounds --- */

static const char too_large[] = GENERIC("JSON token size limit exceeded "
    "(request larger than 1048576 bytes without its bulk argument)");

TEST(request_bound, "A request past max-request is one error")
{
	static const char head[] = "{\"execute\": \"guest-ping\", \"id\": \"";
	static const size_t bound = 1024 * 1024;
	struct text t = { 0 };
	size_t n, around = sizeof(head) - 1 + 2;

	begin(tc);
	for (n = bound - around; n <= bound - around + 1; n++) {
		t.len = 0;
		text_add(&t, "%s", head);
		text_fill(&t, 'x', n);
		text_add(&t, "\"}\n");
		wire_send(&h, t.p, t.len);
		if (n > bound - around) {
			wire_expect(&h, too_large);
			break;
		}
		/* Exactly the bound: echoed whole. */
		ATF_CHECK_EQ(n + sizeof(ECHO("")) - 1,
		    strlen(wire_line(&h)));
	}
	/* Much more of it, and what is in it is nobody's. */
	t.len = 0;
	text_add(&t, "%s", head);
	text_fill(&t, 'x', 4 * bound);
	text_add(&t, "{\\\"execute\\\": \\\"guest-info\\\"}\"}\n" PING);
	wire_send(&h, t.p, t.len);
	wire_expect(&h, too_large);
	wire_expect(&h, PONG);
	/* Many small tokens. */
	t.len = 0;
	text_add(&t, "{\"execute\": \"guest-ping\", \"id\": [0");
	for (n = 0; n < bound; n++)
		text_put(&t, ",0", 2);
	text_add(&t, "]}\n" PING);
	wire_send(&h, t.p, t.len);
	wire_expect(&h, too_large);
	wire_expect(&h, PONG);
	text_free(&t);
	finish();
}

TEST(configured_bounds, "[limits] moves them, and the errors say so")
{
	struct text t = { 0 };

	daemon_conf("[limits]\nmax-request=4K\nmax-depth=4\nmax-bulk=8K\n"
	    "max-pending=2\n");
	daemon_listen(tc, "-c", DAEMON_CONF, NULL);
	wire_connect(&h);
	text_add(&t, "{\"execute\": \"guest-ping\", \"id\": \"");
	text_fill(&t, 'x', 5000);
	text_add(&t, "\"}\n");
	wire_send(&h, t.p, t.len);
	wire_expect(&h, GENERIC("JSON token size limit exceeded (request "
	    "larger than 4096 bytes without its bulk argument)"));
	wire_ask(&h, "{\"id\": [[[[1]]]]}\n", GENERIC("JSON nesting depth "
	    "limit exceeded (more than 4 levels)"));
	t.len = 0;
	text_add(&t, "{\"execute\": \"guest-ping\", \"arguments\": "
	    "{\"input-data\": \"");
	text_fill(&t, 'A', 8192 / 3 * 4 + 8);
	text_add(&t, "\"}}\n");
	wire_send(&h, t.p, t.len);
	wire_expect(&h, GENERIC("argument 'input-data' is larger than 8192 "
	    "bytes"));
	text_free(&t);
	finish();
}

ROOT_TEST(bulk_bound, "Bulk data past max-bulk is an error, nothing runs")
{
	struct text t = { 0 };

	begin(tc);
	text_add(&t, "{\"execute\": \"guest-exec\", \"arguments\": "
	    "{" NO_STDIN ", \"input-data\": \"");
	text_fill(&t, 'A', (size_t)48 * 1024 * 1024 / 3 * 4);
	text_add(&t, "AAAA\"}}\n");
	wire_send(&h, t.p, t.len);
	wire_expect(&h, GENERIC("argument 'input-data' is larger than "
	    "50331648 bytes"));
	wire_ask(&h, PING, PONG);
	ATF_CHECK(!file_there("marker"));
	text_free(&t);
	finish();
}

ROOT_TEST(bad_base64, "Bad base64 is an error and nothing is executed")
{
	static const char *const bad[] = { "YWI", "Y", "YWJj=", "YW=j", "=",
	    "====", "YWJ*", "YW Jj", "YWI=!", "\\u00e9", "YWJjZA", "YQ=" };
	char request[256];
	size_t i;

	begin(tc);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(request, sizeof(request), "{\"execute\": "
		    "\"guest-exec\", \"arguments\": {" NO_STDIN
		    ", \"input-data\": \"%s\"}}\n", bad[i]);
		wire_ask(&h, request, BAD_BASE64);
	}
	/* A job that runs now runs after all that could have run. */
	exec_expect(&h, "\"path\": \"true\"", EXITED);
	ATF_CHECK(!file_there("marker"));
	finish();
}

ROOT_TEST(base64_lines, "Base64 with line breaks, as Perl writes it")
{
	begin(tc);
	exec_output(&h, "\"path\": \"cat\", \"input-data\": "
	    "\"aGVsbG8sIHdvcmxk\\n\"", "hello, world");
	exec_output(&h, "\"path\": \"cat\", \"input-data\": "
	    "\"aGVs\\nbG\\n8sIHd\\r\\nvcmxk\\n\\nIQ\\n=\\n=\\n\"",
	    "hello, world!");
	exec_output(&h, "\"path\": \"sh\", \"arg\": [\"-c\", \"cat; echo "
	    "end\"], \"input-data\": \"\"", "end\n");
	exec_output(&h, "\"path\": \"cat\", \"input-data\": "
	    "\"\\u0061GVs\\u0062G8=\"", "hello");
	finish();
}

ROOT_TEST(bulk_order, "The bulk argument may stand anywhere")
{
	static const char *const requests[] = {
		"{\"arguments\": {\"input-data\": \"aGVsbG8=\", \"path\": "
		    "\"cat\", \"capture-output\": true}, \"execute\": "
		    "\"guest-exec\"}\n",
		"{\"id\": 1, \"arguments\": {\"capture-output\": true, "
		    "\"input-dat\\u0061\": \"aGVsbG8=\", \"path\": \"cat\"}, "
		    "\"execute\": \"guest-exec\"}\n",
	};
	static const char out[] = RETURN("{\"out-data\": \"aGVsbG8=\", "
	    "\"exited\": true, \"exitcode\": 0, \"out-truncated\": false}");
	long long pids[2];
	size_t i;

	begin(tc);
	/* Both at once: the second waits for the first. */
	for (i = 0; i < 2; i++)
		wire_say(&h, requests[i]);
	for (i = 0; i < 2; i++)
		pids[i] = reply_number(wire_line(&h), "pid");
	for (i = 0; i < 2; i++)
		ATF_CHECK_STREQ(out, exec_end(&h, pids[i]));
	/* One that has none and one too many. */
	wire_ask(&h, "{\"execute\": \"guest-exec\", \"arguments\": {"
	    NO_STDIN ", \"input-data\": \"YQ==\", \"buf-b64\": \"YQ==\"}}\n",
	    GENERIC("only one bulk argument is allowed in a request: "
	    "'buf-b64' after 'input-data'"));
	/* It is a key of arguments only. */
	wire_ask(&h, "{\"execute\": \"guest-ping\", \"id\": "
	    "{\"input-data\": \"*\"}}\n",
	    "{\"return\": {}, \"id\": {\"input-data\": \"*\"}}");
	ATF_CHECK(!file_there("marker"));
	finish();
}

/* --- clients that come and go --- */

ROOT_TEST(half_closed, "A client that has closed one way gets its answers")
{
	static const int counts[] = { 1, 63, 64, 65, 1000 };
	char request[128], reply[128];
	size_t i;
	int j;

	daemon_listen(tc, NULL);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		wire_connect(&h);
		for (j = 0; j < counts[i]; j++) {
			snprintf(request, sizeof(request), SYNC("%d"), j);
			wire_say(&h, j % 7 == 3 ?
			    "{\"execute\": \"guest-get-timezone\"}" : request);
		}
		wire_say(&h, "{\"execute\": \"guest-exec\", \"arguments\": {"
		    NO_STDIN "}}\n");
		ATF_REQUIRE(shutdown(h.fd, SHUT_WR) == 0);
		for (j = 0; j < counts[i]; j++) {
			snprintf(reply, sizeof(reply), RETURN("%d"), j);
			if (j % 7 == 3)
				ATF_CHECK(strstr(wire_line(&h),
				    "\"offset\": ") != NULL);
			else
				wire_expect(&h, reply);
		}
		ATF_CHECK(reply_number(wire_line(&h), "pid") > 0);
		wire_expect_end(&h);
		wire_close(&h);
	}
	/* What is not complete has no answer. */
	wire_connect(&h);
	wire_say(&h, PING "{\"execute\": \"guest-ping\"");
	ATF_REQUIRE(shutdown(h.fd, SHUT_WR) == 0);
	wire_expect(&h, PONG);
	wire_expect_end(&h);
	wire_close(&h);
	wire_connect(&h);
	exec_output(&h, "\"path\": \"ls\", \"arg\": [\"marker\"]", "marker\n");
	finish();
}

TEST(reply_unread, "A client that leaves replies unread harms nobody")
{
	struct text t = { 0 };
	pid_t monitor;
	int i, j;

	daemon_listen(tc, NULL);
	monitor = daemon_pid();
	for (i = 0; i < 20; i++) {
		wire_connect(&h);
		t.len = 0;
		for (j = 0; j < (i % 2 == 0 ? 1 : 500); j++)
			text_add(&t, "{\"execute\": \"guest-info\"}\n");
		(void)wire_push(&h, t.p, t.len);
		if (i % 4 < 2)
			(void)wire_line(&h);
		wire_close(&h);
		wire_connect(&h);
		wire_ask(&h, PING, PONG);
		wire_close(&h);
	}
	ATF_CHECK_EQ(monitor, daemon_pid());
	ATF_CHECK(!file_has(DAEMON_LOG, "a new one is started"));
	text_free(&t);
	wire_connect(&h);
	finish();
}

TEST(half_request, "Half a request of a client that left is nobody's")
{
	static const char *const halves[] = { "{", "{\"execute\": \"guest-pi",
	    "{\"execute\": \"guest-ping\"", "[1, 2", "\"", "tru", "12",
	    "{\"arguments\": {\"input-data\": \"AAAA",
	    "{\"execute\": \"guest-ping\", \"id\": \"\\ud83d" };
	size_t i;

	daemon_listen(tc, NULL);
	for (i = 0; i < sizeof(halves) / sizeof(halves[0]); i++) {
		wire_connect(&h);
		wire_piece(&h, halves[i], strlen(halves[i]));
		wire_close(&h);
		wire_connect(&h);
		wire_ask(&h, "{\"execute\": \"guest-ping\", \"id\": 3}",
		    "{\"return\": {}, \"id\": 3}");
		wire_close(&h);
	}
	wire_connect(&h);
	finish();
}

ROOT_TEST(gone_client, "A program that a client has left behind is not run")
{
	need_proc();
	begin(tc);
	wire_say(&h, "{\"execute\": \"guest-get-timezone\"}");
	(void)wire_line(&h);
	(void)daemon_halt("query");
	wire_say(&h, "{\"execute\": \"guest-get-timezone\"}\n");
	wire_piece(&h, "{\"execute\": \"guest-exec\", \"arguments\": {"
	    NO_STDIN "}}\n", sizeof("{\"execute\": \"guest-exec\", "
	    "\"arguments\": {" NO_STDIN "}}\n") - 1);
	wire_close(&h);
	/* Served when the query's time is up. */
	wire_connect(&h);
	wire_ask(&h, PING, PONG);
	exec_expect(&h, "\"path\": \"true\"", EXITED);
	ATF_CHECK(!file_there("marker"));
	file_await(DAEMON_LOG, "guest-exec is dropped: its client has gone");
	finish();
}

/* --- back pressure --- */

TEST(never_reads, "A host that does not read costs no memory")
{
	static const int requests = 10000;
	static const long growth = 8 * 1024;	/* kB */
	struct text t = { 0 };
	size_t sent;
	long before, after;
	char end[64];
	const char *line;
	int i;

	need_proc();
	begin(tc);
	for (i = 0; i < 100; i++) {
		wire_say(&h, "{\"execute\": \"guest-info\"}\n");
		(void)wire_line(&h);
	}
	before = daemon_rss();
	for (i = 0; i < requests; i++) {
		text_add(&t, "{\"execute\": \"guest-info\", \"id\": [%d, \"",
		    i);
		text_fill(&t, 'x', 1000);
		text_add(&t, "\"]}\n");
	}
	sent = wire_push(&h, t.p, t.len);
	ATF_CHECK_MSG(sent < t.len / 2, "it took %zu of %zu bytes", sent,
	    t.len);
	after = daemon_rss();
	printf("%ld kB, then %ld kB; %zu of %zu bytes taken\n", before, after,
	    sent, t.len);
	if (strcmp(atf_tc_get_config_var_wd(tc, "sanitized", "no"), "yes") !=
	    0)
		ATF_CHECK_MSG(after - before < growth, "from %ld to %ld kB",
		    before, after);
	/* Now it reads: every one is answered, in order. */
	wire_send(&h, t.p + sent, t.len - sent);
	for (i = 0; i < requests; i++) {
		line = wire_line(&h);
		snprintf(end, sizeof(end), "}, \"id\": [%d, \"x", i);
		ATF_REQUIRE_MSG(strstr(line, end) != NULL, "not %d: %s", i,
		    line);
	}
	text_free(&t);
	finish();
}

ROOT_TEST(deadline, "A hung query is answered, what waits behind it too")
{
	int64_t began;
	pid_t query;

	need_proc();
	begin(tc);
	wire_say(&h, "{\"execute\": \"guest-get-host-name\"}\n");
	(void)wire_line(&h);
	query = daemon_halt("query");
	began = now_ms();
	wire_say(&h, "{\"execute\": \"guest-get-host-name\", \"id\": 8}\n"
	    PING);
	wire_expect(&h, "{\"error\": {\"class\": \"GenericError\", "
	    "\"desc\": \"Command guest-get-host-name timed out after 5 "
	    "seconds\"}, \"id\": 8}");
	ATF_CHECK_MSG(now_ms() - began >= 4900, "after %lld ms",
	    (long long)(now_ms() - began));
	wire_expect(&h, PONG);
	/* The stuck one is not used again. */
	gone_await(query);
	wire_say(&h, "{\"execute\": \"guest-get-host-name\"}\n");
	ATF_CHECK(strstr(wire_line(&h), "\"host-name\": \"") != NULL);
	finish();
}

/* --- guest-exec --- */

ROOT_TEST(exec_environment, "env replaces the environment")
{
	begin(tc);
	exec_output(&h, "\"path\": \"/usr/bin/env\", \"env\": "
	    "[\"FOO=b a\\nr\", \"X=\\u00e9\"]", "FOO=b a\nr\nX=\xc3\xa9\n");
	exec_expect(&h, "\"path\": \"/usr/bin/env\", \"env\": [], "
	    "\"capture-output\": true", EXITED);
	/* Its PATH is the one that counts. */
	wire_ask(&h, "{\"execute\": \"guest-exec\", \"arguments\": "
	    "{\"path\": \"true\", \"env\": [\"PATH=/nonexistent\"]}}\n",
	    GENERIC("Failed to execute child process \\u201Ctrue\\u201D (No "
	    "such file or directory)"));
	exec_output(&h, "\"path\": \"env\", \"env\": [\"PATH=/usr/bin:/bin\"]",
	    "PATH=/usr/bin:/bin\n");
	/* Without it: the agent's. */
	ATF_REQUIRE(setenv("QGAD_TEST_VARIABLE", "seen", 1) == 0);
	wire_close(&h);
	daemon_stop();
	begin(tc);
	exec_output(&h, "\"path\": \"sh\", \"arg\": [\"-c\", \"echo "
	    "$QGAD_TEST_VARIABLE\"]", "seen\n");
	exec_output(&h, "\"path\": \"/bin/sh\", \"env\": [\"A=b\"], "
	    "\"arg\": [\"-c\", \"echo $A$QGAD_TEST_VARIABLE\"]", "b\n");
	finish();
}

ROOT_TEST(exec_arguments, "Arguments arrive as they were sent; 1024 of them")
{
	struct text t = { 0 };
	int i, n;

	begin(tc);
	exec_output(&h, "\"path\": \"printf\", \"arg\": [\"%s|\", \"\", "
	    "\" a  b \", \"\\t\\n\\\"'\\\\\", \"$(id) `id`;*\", "
	    "\"\\u0001\\u007f\\u00e9\\ud83d\\ude00\", \"\\u0000\"]",
	    "| a  b |\t\n\"'\\|$(id) `id`;*|\x01\x7f\xc3\xa9\xf0\x9f\x98\x80|"
	    "\xc0\x80|");
	for (n = 1024; n <= 1025; n++) {
		t.len = 0;
		text_add(&t, "\"path\": \"sh\", \"arg\": [\"-c\", \"echo $#\", "
		    "\"sh\"");
		for (i = 3; i < n; i++)
			text_add(&t, ", \"%d\"", i);
		text_add(&t, "]");
		if (n == 1024) {
			exec_output(&h, t.p, "1021\n");
			continue;
		}
		wire_say(&h, "{\"execute\": \"guest-exec\", \"arguments\": {");
		wire_say(&h, t.p);
		wire_ask(&h, "}}", GENERIC("guest-exec: more than 1024 "
		    "arguments"));
	}
	for (n = 1024; n <= 1025; n++) {
		t.len = 0;
		text_add(&t, "\"path\": \"/bin/sh\", \"arg\": [\"-c\", \"echo "
		    "$A5 $A1023\"], \"env\": [\"A0=0\"");
		for (i = 1; i < n; i++)
			text_add(&t, ", \"A%d=%d\"", i, i);
		text_add(&t, "]");
		if (n == 1024) {
			exec_output(&h, t.p, "5 1023\n");
			continue;
		}
		wire_say(&h, "{\"execute\": \"guest-exec\", \"arguments\": {");
		wire_say(&h, t.p);
		wire_ask(&h, "}}", GENERIC("guest-exec: more than 1024 "
		    "environment strings"));
	}
	text_free(&t);
	finish();
}

ROOT_TEST(exec_large, "Arguments past 1 MiB are an error that says so")
{
	struct text t = { 0 };
	int i;

	daemon_conf("[limits]\nmax-request = 4M\n");
	daemon_listen(tc, "-c", DAEMON_CONF, NULL);
	wire_connect(&h);
	text_add(&t, "{\"execute\": \"guest-exec\", \"arguments\": {"
	    NO_STDIN ", \"env\": [\"PATH=/bin:/usr/bin\"");
	for (i = 0; i < 17; i++) {
		text_add(&t, ", \"");
		text_fill(&t, 'x', 65536);
		text_add(&t, "\"");
	}
	text_add(&t, "]}}\n");
	wire_send(&h, t.p, t.len);
	wire_expect(&h, GENERIC("guest-exec: path, arguments and environment "
	    "are larger than 1048576 bytes"));
	/* One string that this system has no room for. */
	t.len = 0;
	text_add(&t, "{\"execute\": \"guest-exec\", \"arguments\": "
	    "{\"path\": \"touch\", \"arg\": [\"marker\", \"");
	text_fill(&t, 'x', 1000000);
	text_add(&t, "\"]}}\n");
	wire_send(&h, t.p, t.len);
	ATF_CHECK(strstr(wire_line(&h), "Failed to execute child process "
	    "\\u201Ctouch\\u201D (") != NULL);
	exec_expect(&h, "\"path\": \"true\"", EXITED);
	ATF_CHECK(!file_there("marker"));
	text_free(&t);
	finish();
}

ROOT_TEST(exec_capture, "Every capture mode")
{
	static const char *const none[] = { "", ", \"capture-output\": false",
	    ", \"capture-output\": \"none\"" };
	static const char *const both[] = { ", \"capture-output\": true",
	    ", \"capture-output\": \"separated\"" };
	static const char job[] = "\"path\": \"sh\", \"arg\": [\"-c\", "
	    "\"echo out; echo err >&2\"]%s";
	char arguments[256];
	size_t i;

	begin(tc);
	for (i = 0; i < 3; i++) {
		snprintf(arguments, sizeof(arguments), job, none[i]);
		exec_expect(&h, arguments, EXITED);
	}
	for (i = 0; i < 2; i++) {
		snprintf(arguments, sizeof(arguments), job, both[i]);
		exec_expect(&h, arguments, RETURN("{\"out-data\": "
		    "\"b3V0Cg==\", \"err-data\": \"ZXJyCg==\", "
		    "\"exited\": true, \"exitcode\": 0, "
		    "\"out-truncated\": false, "
		    "\"err-truncated\": false}"));
	}
	snprintf(arguments, sizeof(arguments), job,
	    ", \"capture-output\": \"stdout\"");
	exec_expect(&h, arguments, RETURN("{\"out-data\": \"b3V0Cg==\", "
	    "\"exited\": true, \"exitcode\": 0, \"out-truncated\": false}"));
	snprintf(arguments, sizeof(arguments), job,
	    ", \"capture-output\": \"stderr\"");
	exec_expect(&h, arguments, RETURN("{\"err-data\": \"ZXJyCg==\", "
	    "\"exited\": true, \"exitcode\": 0, \"err-truncated\": false}"));
	snprintf(arguments, sizeof(arguments), job,
	    ", \"capture-output\": \"merged\"");
	exec_expect(&h, arguments, RETURN("{\"out-data\": \"b3V0CmVycgo=\", "
	    "\"exited\": true, \"exitcode\": 0, \"out-truncated\": false}"));
	finish();
}

ROOT_TEST(exec_endings, "Exit codes, signals, and asking again")
{
	char request[128], reply[128];
	long long pid;

	begin(tc);
	exec_expect(&h, "\"path\": \"sh\", \"arg\": [\"-c\", \"exit 255\"]",
	    RETURN("{\"exited\": true, \"exitcode\": 255}"));
	exec_expect(&h, "\"path\": \"false\"",
	    RETURN("{\"exited\": true, \"exitcode\": 1}"));
	exec_expect(&h, "\"path\": \"sh\", \"arg\": [\"-c\", \"kill -9 $$\"]",
	    RETURN("{\"exited\": true, \"signal\": 9}"));
	exec_expect(&h, "\"path\": \"sh\", \"arg\": [\"-c\", \"echo x; "
	    "kill -15 $$\"], \"capture-output\": true",
	    RETURN("{\"out-data\": \"eAo=\", \"exited\": true, "
	    "\"signal\": 15, \"out-truncated\": false}"));

	pid = exec_start(&h, "\"path\": \"sleep\", \"arg\": [\"1000\"]");
	snprintf(request, sizeof(request), "{\"execute\": "
	    "\"guest-exec-status\", \"arguments\": {\"pid\": %lld}}\n", pid);
	wire_ask(&h, request, RETURN("{\"exited\": false}"));
	wire_ask(&h, request, RETURN("{\"exited\": false}"));
	/* The pid is the program's own. */
	ATF_REQUIRE(kill((pid_t)pid, SIGTERM) == 0);
	ATF_CHECK_STREQ(RETURN("{\"exited\": true, \"signal\": 15}"),
	    exec_end(&h, pid));
	snprintf(reply, sizeof(reply), GENERIC("PID %lld does not exist"),
	    pid);
	wire_ask(&h, request, reply);
	gone_await((pid_t)pid);
	wire_ask(&h, "{\"execute\": \"guest-exec-status\", \"arguments\": "
	    "{\"pid\": 1}}", GENERIC("PID 1 does not exist"));
	wire_ask(&h, "{\"execute\": \"guest-exec-status\", \"arguments\": "
	    "{\"pid\": 0}}", GENERIC("PID 0 does not exist"));
	wire_ask(&h, "{\"execute\": \"guest-exec-status\", \"arguments\": "
	    "{\"pid\": -5}}", GENERIC("PID -5 does not exist"));
	wire_ask(&h, "{\"execute\": \"guest-exec-status\", \"arguments\": "
	    "{\"pid\": 9223372036854775807}}",
	    GENERIC("PID 9223372036854775807 does not exist"));
	finish();
}

#define FAILED(path, why)						\
	GENERIC("Failed to execute child process \\u201C" path "\\u201D ("  \
	    why ")")

ROOT_TEST(exec_path, "Where programs are found, and why not")
{
	static const struct ask asks[] = {
		{ "no-such-program", FAILED("no-such-program",
		    "No such file or directory") },
		{ "/no/such/program", FAILED("/no/such/program",
		    "No such file or directory") },
		{ "./plain", FAILED("./plain", "Permission denied") },
		{ "/etc", FAILED("/etc", "Permission denied") },
		{ "/etc/passwd/x", FAILED("/etc/passwd/x",
		    "Not a directory") },
		{ "n\\u00f6\\n", FAILED("n\\u00F6\\n",
		    "No such file or directory") },
	};
	char request[256];
	size_t i;
	FILE *f;

	ATF_REQUIRE((f = fopen("plain", "w")) != NULL);
	ATF_REQUIRE(fputs("#!/bin/sh\necho \"$0 $1\"\n", f) >= 0);
	ATF_REQUIRE(fclose(f) == 0);
	begin(tc);
	for (i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		snprintf(request, sizeof(request), "{\"execute\": "
		    "\"guest-exec\", \"arguments\": {\"path\": \"%s\"}}\n",
		    asks[i].request);
		wire_ask(&h, request, asks[i].reply);
	}
	ATF_REQUIRE(chmod("plain", 0755) == 0);
	exec_output(&h, "\"path\": \"./plain\", \"arg\": [\"x\"]",
	    "./plain x\n");
	exec_output(&h, "\"path\": \"echo\", \"arg\": [\"found\"]", "found\n");
	exec_output(&h, "\"path\": \"/bin/echo\", \"arg\": [\"there\"]",
	    "there\n");
	finish();
}

/* 48 MiB whose every part differs, as base64; the same to a file. */
static void
make_input(struct text *t, const char *file)
{
	static unsigned char block[48 * 1024];
	uint32_t x = 1;
	size_t i, j;
	FILE *f;

	ATF_REQUIRE((f = fopen(file, "w")) != NULL);
	for (i = 0; i < 1024; i++) {
		for (j = 0; j < sizeof(block); j++) {
			x = x * 1664525 + 1013904223;
			block[j] = (unsigned char)(x >> 24);
		}
		text_base64(t, block, sizeof(block));
		ATF_REQUIRE(fwrite(block, 1, sizeof(block), f) ==
		    sizeof(block));
	}
	ATF_REQUIRE(fclose(f) == 0);
}

ROOT_TEST(exec_input, "48 MiB of input, to one who reads and one who does not")
{
	struct text t = { 0 };
	long long pid;

	begin(tc);
	text_add(&t, "\"input-data\": \"");
	make_input(&t, "copy");
	text_add(&t, "\", ");
	text_add(&t, "\"path\": \"cmp\", \"arg\": [\"-\", \"copy\"]");
	exec_expect(&h, t.p, EXITED);
	t.len = (size_t)(strstr(t.p, "\"path\"") - t.p);
	text_add(&t, "\"path\": \"sleep\", \"arg\": [\"1000\"]");
	pid = exec_start(&h, t.p);
	text_free(&t);
	wire_ask(&h, PING, PONG);
	exec_output(&h, "\"path\": \"echo\", \"arg\": [\"other\"]", "other\n");
	ATF_REQUIRE(kill((pid_t)pid, SIGTERM) == 0);
	ATF_CHECK_STREQ(RETURN("{\"exited\": true, \"signal\": 15}"),
	    exec_end(&h, pid));
	finish();
}

ROOT_TEST(exec_jobs, "max-jobs bounds those that run")
{
	static const char full[] = GENERIC("guest-exec: 3 programs are "
	    "running, the bound is max-jobs = 3");
	long long pids[3];
	int i;

	daemon_conf("[limits]\nmax-jobs = 3\n");
	daemon_listen(tc, "-c", DAEMON_CONF, NULL);
	wire_connect(&h);
	for (i = 0; i < 3; i++)
		pids[i] = exec_start(&h, "\"path\": \"sleep\", "
		    "\"arg\": [\"1000\"]");
	wire_ask(&h, "{\"execute\": \"guest-exec\", \"arguments\": {"
	    NO_STDIN "}}\n", full);
	wire_ask(&h, "{\"execute\": \"guest-exec\", \"arguments\": {"
	    NO_STDIN "}}\n", full);
	ATF_REQUIRE(kill((pid_t)pids[1], SIGKILL) == 0);
	ATF_CHECK_STREQ(RETURN("{\"exited\": true, \"signal\": 9}"),
	    exec_end(&h, pids[1]));
	ATF_CHECK(!file_there("marker"));
	exec_expect(&h, NO_STDIN, EXITED);
	ATF_CHECK(file_there("marker"));
	for (i = 0; i < 3; i += 2) {
		ATF_REQUIRE(kill((pid_t)pids[i], SIGKILL) == 0);
		(void)exec_end(&h, pids[i]);
	}
	finish();
}

ROOT_TEST(exec_forgotten, "Of ended programs the newest are remembered")
{
	char text[128], request[128];
	long long pids[7];
	int i;

	daemon_conf("[limits]\nmax-jobs = 3\n");
	daemon_listen(tc, "-c", DAEMON_CONF, NULL);
	wire_connect(&h);
	for (i = 0; i < 7; i++) {
		snprintf(text, sizeof(text), "\"path\": \"sh\", \"arg\": "
		    "[\"-c\", \"exit %d\"]", i);
		pids[i] = exec_start(&h, text);
		snprintf(text, sizeof(text), "pid=%lld event=end exit=%d ",
		    pids[i], i);
		file_await(DAEMON_LOG, text);
	}
	for (i = 0; i < 7; i++) {
		snprintf(request, sizeof(request), "{\"execute\": "
		    "\"guest-exec-status\", \"arguments\": {\"pid\": "
		    "%lld}}\n", pids[i]);
		if (i < 4) {
			gone_await((pid_t)pids[i]);
			snprintf(text, sizeof(text), GENERIC("PID %lld does "
			    "not exist"), pids[i]);
		} else
			snprintf(text, sizeof(text), RETURN("{\"exited\": "
			    "true, \"exitcode\": %d}"), i);
		wire_ask(&h, request, text);
	}
	finish();
}

/* Both streams of a job, how much of each came, that it was cut. */
static void
cut(const char *job, size_t *out, size_t *err, int *outcut, int *errcut)
{
	const char *line = exec_end(&h, exec_start(&h, job));
	char *data;

	ATF_CHECK(strlen(line) + 1 < LINE_BOUND);
	*out = *err = 0;
	if ((data = reply_data(line, "out-data", out)) != NULL)
		ATF_CHECK(data[0] == '\0' && data[*out - 1] == '\0');
	free(data);
	if ((data = reply_data(line, "err-data", err)) != NULL)
		ATF_CHECK(data[0] == 'e' && data[*err - 1] == 'e');
	free(data);
	*outcut = strstr(line, "\"out-truncated\": true") != NULL;
	*errcut = strstr(line, "\"err-truncated\": true") != NULL;
	ATF_CHECK(strstr(line, "\"exited\": true, \"exitcode\": 0") != NULL);
	wire_ask(&h, PING, PONG);
}

ROOT_TEST(exec_output_bound, "Output is cut so that the line stays small")
{
	static const size_t most = LINE_BOUND / 4 * 3 - 16384;
	size_t out, err;
	int outcut, errcut;

	begin(tc);
	cut("\"path\": \"sh\", \"arg\": [\"-c\", \"head -c 33554432 /dev/zero; "
	    "head -c 33554432 /dev/zero | tr '\\\\0' e >&2\"], "
	    "\"capture-output\": true", &out, &err, &outcut, &errcut);
	printf("32 MiB each: %zu and %zu\n", out, err);
	ATF_CHECK(outcut && errcut);
	ATF_CHECK(out >= most / 2 && err >= most / 2);
	/* What one does not use, the other may. */
	cut("\"path\": \"sh\", \"arg\": [\"-c\", \"head -c 1000 /dev/zero; "
	    "head -c 33554432 /dev/zero | tr '\\\\0' e >&2\"], "
	    "\"capture-output\": true", &out, &err, &outcut, &errcut);
	ATF_CHECK(out == 1000 && !outcut);
	ATF_CHECK(err >= most - 1000 && errcut);
	cut("\"path\": \"head\", \"arg\": [\"-c\", \"33554432\", "
	    "\"/dev/zero\"], \"capture-output\": true", &out, &err, &outcut,
	    &errcut);
	ATF_CHECK(out >= most && outcut);
	ATF_CHECK(err == 0 && !errcut);
	/* 7 MiB fit. */
	cut("\"path\": \"head\", \"arg\": [\"-c\", \"7340032\", "
	    "\"/dev/zero\"], \"capture-output\": true", &out, &err, &outcut,
	    &errcut);
	ATF_CHECK(out == 7340032 && !outcut);
	finish();
}

ROOT_TEST(exec_grandchild, "Who holds a job's pipe holds nobody up for long")
{
	const char *line;
	char *data;
	size_t len;
	long holder;

	daemon_conf("[limits]\noutput-wait = 1\n");
	daemon_listen(tc, "-c", DAEMON_CONF, NULL);
	wire_connect(&h);
	line = exec_end(&h, exec_start(&h, "\"path\": \"sh\", \"arg\": "
	    "[\"-c\", \"sleep 1000 & echo $!\"], \"capture-output\": true"));
	ATF_CHECK_MSG(strstr(line, "\"exited\": true, \"exitcode\": 0, "
	    "\"out-truncated\": false}}") != NULL, "%s", line);
	ATF_REQUIRE((data = reply_data(line, "out-data", &len)) != NULL);
	holder = strtol(data, NULL, 10);
	free(data);
	/* It lives on. */
	ATF_REQUIRE(holder > 1);
	ATF_CHECK(kill((pid_t)holder, 0) == 0);
	ATF_CHECK(kill((pid_t)holder, SIGKILL) == 0);
	finish();
}

TEST(blocked, "A blocked command is refused, and nothing runs")
{
	static const char refused[] = ABSENT("Command guest-exec has been "
	    "disabled: the command is not allowed");

	daemon_listen(tc, "-b", "guest-exec,guest-get-time,guest-shutdown",
	    NULL);
	wire_connect(&h);
	wire_ask(&h, "{\"execute\": \"guest-exec\", \"arguments\": {"
	    NO_STDIN "}}\n", refused);
	wire_ask(&h, "{\"execute\": \"guest-exec\", \"arguments\": {"
	    NO_STDIN ", \"input-data\": \"YQ==\"}}\n", refused);
	/* Whatever its arguments are. */
	wire_ask(&h, "{\"execute\": \"guest-exec\", \"arguments\": "
	    "{\"a\": 1}, \"id\": 4}\n", "{\"error\": {\"class\": "
	    "\"CommandNotFound\", \"desc\": \"Command guest-exec has been "
	    "disabled: the command is not allowed\"}, \"id\": 4}");
	wire_ask(&h, "{\"execute\": \"guest-get-time\"}",
	    ABSENT("Command guest-get-time has been disabled: the command is "
	    "not allowed"));
	wire_ask(&h, "{\"execute\": \"guest-shutdown\"}",
	    ABSENT("Command guest-shutdown has been disabled: the command is "
	    "not allowed"));
	wire_say(&h, "{\"execute\": \"guest-get-timezone\"}");
	ATF_CHECK(strstr(wire_line(&h), "\"offset\": ") != NULL);
	wire_say(&h, "{\"execute\": \"guest-info\"}");
	ATF_CHECK(strstr(wire_line(&h), "{\"enabled\": false, \"name\": "
	    "\"guest-exec\", ") != NULL);
	ATF_CHECK(!file_there("marker"));
	finish();
}

/* --- without root --- */

ROOT_TEST(plain_user, "--test as a plain user: what needs root is refused")
{
	static const char *const queries[] = { "guest-get-osinfo",
	    "guest-get-host-name", "guest-get-time", "guest-get-timezone",
	    "guest-get-users", "guest-network-get-interfaces",
	    "guest-get-disks", "guest-get-diskstats", "guest-get-fsinfo" };
	char request[128];
	const char *line;
	size_t i;

	daemon_as(61234);
	begin(tc);
	wire_ask(&h, "{\"execute\": \"guest-exec\", \"arguments\": {"
	    NO_STDIN "}}\n", ABSENT("Command guest-exec has been disabled: "
	    "it needs root, which the agent was started without"));
	wire_ask(&h, "{\"execute\": \"guest-shutdown\"}\n",
	    ABSENT("Command guest-shutdown has been disabled: it needs root, "
	    "which the agent was started without"));
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		snprintf(request, sizeof(request), "{\"execute\": \"%s\"}\n",
		    queries[i]);
		wire_say(&h, request);
		line = wire_line(&h);
		ATF_CHECK_MSG(strncmp(line, "{\"return\": ", 11) == 0,
		    "%s: %s", queries[i], line);
	}
	ATF_CHECK(!file_there("marker"));
	ATF_CHECK(file_has(DAEMON_STDERR, "nothing separates") ||
	    file_has(DAEMON_LOG, "nothing separates"));
	finish();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, split);
	ATF_TP_ADD_TC(tp, pipelined);
	ATF_TP_ADD_TC(tp, ff_within);
	ATF_TP_ADD_TC(tp, ff_between);
	ATF_TP_ADD_TC(tp, delimited);
	ATF_TP_ADD_TC(tp, framing);
	ATF_TP_ADD_TC(tp, garbage);
	ATF_TP_ADD_TC(tp, depth);
	ATF_TP_ADD_TC(tp, many_keys);
	ATF_TP_ADD_TC(tp, duplicate_keys);
	ATF_TP_ADD_TC(tp, strings);
	ATF_TP_ADD_TC(tp, integers);
	ATF_TP_ADD_TC(tp, ids);
	ATF_TP_ADD_TC(tp, forms);
	ATF_TP_ADD_TC(tp, exec_forms);
	ATF_TP_ADD_TC(tp, request_bound);
	ATF_TP_ADD_TC(tp, configured_bounds);
	ATF_TP_ADD_TC(tp, bulk_bound);
	ATF_TP_ADD_TC(tp, bad_base64);
	ATF_TP_ADD_TC(tp, base64_lines);
	ATF_TP_ADD_TC(tp, bulk_order);
	ATF_TP_ADD_TC(tp, half_closed);
	ATF_TP_ADD_TC(tp, reply_unread);
	ATF_TP_ADD_TC(tp, half_request);
	ATF_TP_ADD_TC(tp, gone_client);
	ATF_TP_ADD_TC(tp, never_reads);
	ATF_TP_ADD_TC(tp, deadline);
	ATF_TP_ADD_TC(tp, exec_environment);
	ATF_TP_ADD_TC(tp, exec_arguments);
	ATF_TP_ADD_TC(tp, exec_large);
	ATF_TP_ADD_TC(tp, exec_capture);
	ATF_TP_ADD_TC(tp, exec_endings);
	ATF_TP_ADD_TC(tp, exec_path);
	ATF_TP_ADD_TC(tp, exec_input);
	ATF_TP_ADD_TC(tp, exec_jobs);
	ATF_TP_ADD_TC(tp, exec_forgotten);
	ATF_TP_ADD_TC(tp, exec_output_bound);
	ATF_TP_ADD_TC(tp, exec_grandchild);
	ATF_TP_ADD_TC(tp, blocked);
	ATF_TP_ADD_TC(tp, plain_user);
	return (atf_no_error());
}
