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
 * The lexer, whatever the host sends.  The first byte chooses bounds and the
 * size of the pieces.  Whole and in pieces must give the same events, json-c
 * must take every request, and what is to be echoed must be clean.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "lexer.h"

#define MUST(x)	do { if (!(x)) abort(); } while (0)

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static uint64_t	 run(const struct lexer_limits *, const uint8_t *, size_t,
		    size_t, int);
static uint64_t	 mix(uint64_t, const void *, size_t);
static uint64_t	 request(uint64_t, const struct request *);
static void	 utf8(const unsigned char *);

static const struct lexer_limits wide = { 1 << 20, 1 << 20, 32, 1024 };
static const struct lexer_limits tight = { 64, 16, 4, 3 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct lexer_limits *lim;
	size_t step;
	int mode;

	if (size == 0)
		return (0);
	lim = data[0] & 0x80 ? &tight : &wide;
	mode = (data[0] >> 5 & 3) % 3;
	step = 1 + (data[0] & 0x1f);
	MUST(run(lim, data + 1, size - 1, size, mode) ==
	    run(lim, data + 1, size - 1, step, mode));
	return (0);
}

/* A sum of all events. */
static uint64_t
run(const struct lexer_limits *lim, const uint8_t *p, size_t len, size_t step,
    int mode)
{
	struct lexer *lx = lexer_new(lim);
	struct request r;
	enum lexer_event ev;
	uint64_t sum = 1;
	size_t n, k;

	lexer_bulk(lx, mode);
	for (; len > 0; p += k, len -= k) {
		n = len < step ? len : step;
		k = lexer_feed(lx, p, n, &ev, &r);
		MUST(k <= n && (ev != LEXER_MORE || k == n));
		if (ev != LEXER_MORE)
			sum = mix(sum, &ev, sizeof(ev));
		if (ev == LEXER_HOLD)
			lexer_bulk(lx, 1);
		if (ev == LEXER_REQUEST || ev == LEXER_ERROR) {
			sum = request(sum, &r);
			request_clear(&r);
			lexer_bulk(lx, mode);
		}
	}
	ev = lexer_finish(lx, &r);
	sum = mix(sum, &ev, sizeof(ev));
	if (ev != LEXER_MORE) {
		sum = request(sum, &r);
		request_clear(&r);
	}
	MUST(!lexer_partial(lx));
	lexer_free(lx);
	return (sum);
}

static uint64_t
mix(uint64_t sum, const void *vp, size_t n)
{
	const unsigned char *p = vp;

	while (n-- > 0)
		sum = (sum ^ *p++) * 0x100000001b3;
	return (sum);
}

static uint64_t
request(uint64_t sum, const struct request *r)
{
	struct json_tokener *tok;
	struct json_object *o;
	size_t i;

	if (r->error != NULL) {
		utf8((unsigned char *)r->error);
		return (mix(sum, r->error, strlen(r->error)));
	}
	tok = json_tokener_new_ex(40);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tok, r->text, (int)r->len + 1);
	MUST(json_object_is_type(o, json_type_object));
	MUST(json_tokener_get_parse_end(tok) == r->len);
	json_object_put(o);
	json_tokener_free(tok);
	for (i = 0; i < r->idlen; i++)
		MUST(r->idtext[i] >= 0x20 && r->idtext[i] < 0x7f);
	sum = mix(sum, r->text, r->len);
	sum = mix(sum, r->idtext, r->idlen);
	sum = mix(sum, r->data, r->datalen);
	sum = mix(sum, r->secret, r->secretlen);
	return (mix(sum, &r->bulk, sizeof(r->bulk)));
}

static void
utf8(const unsigned char *p)
{
	int n;

	while (*p != 0) {
		n = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
		MUST(*p < 0x80 || (*p >= 0xc2 && *p < 0xf5));
		for (p++; n > 0; n--, p++)
			MUST((*p & 0xc0) == 0x80);
	}
}
