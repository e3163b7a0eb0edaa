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
 * A push lexer and parser in one: each byte moves a state machine, brackets
 * go on a stack of fixed depth, and what is understood is written at once to
 * the sink of its kind.  Rules that hold all through:
 *  - a handler steps past a byte only when it has done all that the byte
 *    asks for; on an error the byte stays, for S_SKIP or S_JUNK to judge;
 *  - runs are a matter of speed only: any split gives the same events;
 *  - bulk and secret strings are never written to text, tok or an error.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base64.h"
#include "buf.h"
#include "control.h"
#include "keys.h"
#include "lexer.h"
#include "log.h"
#include "utf8.h"

#define BULK_CHUNK	((size_t)16384)	/* characters decoded at a time */
#define TOK_MAX		64		/* bytes of a token that errors show */

enum state {
	S_GAP,			/* between tokens */
	S_STRING,		/* from here to S_UTF8: in a string */
	S_ESCAPE,		/* after the backslash */
	S_HEX,			/* in \uXXXX */
	S_PAIR,			/* after \ud8XX: the backslash */
	S_PAIR_U,		/* then the u */
	S_UTF8,			/* in a sequence of bytes */
	S_NUMBER,
	S_WORD,
	S_SKIP,			/* in the rest of a message found bad */
	S_JUNK			/* between messages, after garbage */
};

enum expect {
	E_VALUE,
	E_FIRST,		/* value or ] */
	E_KEY,
	E_FIRSTKEY,		/* key or } */
	E_COLON,
	E_NEXT			/* comma or end */
};

enum kind { K_TEXT, K_KEY, K_BULK, K_SECRET };	/* of the string at hand */

/* States of a number, and what may not go on from one. */
enum num {
	N_SIGN, N_ZERO, N_INT, N_DOT, N_FRAC, N_E, N_ESIGN, N_EXP, N_END, N_BAD
};

struct frame {			/* an open bracket */
	unsigned int	 members;
	char		 type;	/* '{' or '[' */
};

struct lexer {
	struct lexer_limits limits;
	struct request	*req;		/* where events go, while feeding */
	enum state	 state;
	enum expect	 expect;
	int		 bulkmode;	/* lexer_bulk() */

	unsigned int	 depth;
	struct frame	*stack;

	/* The message so far. */
	struct buf	 text, id, data;
	char		*secret;
	size_t		 secretlen;
	const char	*bulkkey;
	enum bulk_state	 bulk;
	struct base64	 b64;
	int		 inid;		/* in the id's value: copied to id */
	int		 toparg, topid;	/* the last key at depth 1 */
	int		 inargs;
	enum kind	 argkind;	/* of a string at this arguments key */
	const char	*argkey;

	/* The token at hand. */
	enum kind	 kind;
	enum num	 num;
	unsigned char	 quote;
	size_t		 start;		/* where it begins in text */
	struct utf8	 utf8;
	uint32_t	 hex, high;
	unsigned int	 hexn;
	char		 esc[13];	/* \uXXXX\uXXXX as it came */
	unsigned int	 escn;
	unsigned char	 tok[TOK_MAX];
	unsigned int	 tokn;
	int		 tokmore;

	/* S_SKIP */
	size_t		 skipdepth;
	unsigned char	 skipquote;
	int		 skipesc;

	struct keys	 keys;		/* of all open objects, in text */
};

typedef const unsigned char *bytes;

static enum lexer_event fail(struct lexer *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static enum lexer_event fail_stray(struct lexer *, unsigned char);
static enum lexer_event stray(struct lexer *, bytes *);
static enum lexer_event unexpected(struct lexer *, int);
static void	 set_error(struct lexer *, const char *);
static void	 stray_text(const struct lexer *, unsigned char, char *,
		    size_t);
static void	 drop(struct lexer *);
static void	 fresh(struct lexer *);

static void	 tok_add(struct lexer *, bytes, size_t);
static int	 put(struct lexer *, const void *, size_t);
static int	 put_char(struct lexer *, uint32_t);
static int	 put_nul(struct lexer *);
static int	 put_string(struct lexer *, const void *, size_t);
static size_t	 bulk_room(struct lexer *, size_t);
static int	 bulk_check(struct lexer *);
static int	 bulk_run(struct lexer *, bytes *, bytes);
static int	 put_bulk(struct lexer *, const char *, size_t);
static int	 put_secret(struct lexer *, const char *, size_t);

static enum lexer_event do_gap(struct lexer *, bytes *, bytes);
static enum lexer_event do_string(struct lexer *, bytes *, bytes);
static enum lexer_event do_inner(struct lexer *, bytes *, bytes);
static enum lexer_event do_number(struct lexer *, bytes *, bytes);
static enum lexer_event do_word(struct lexer *, bytes *, bytes);
static enum lexer_event do_skip(struct lexer *, bytes *, bytes);
static enum lexer_event do_junk(struct lexer *, bytes *, bytes);

static enum lexer_event begin_token(struct lexer *, bytes *);
static enum lexer_event open_bracket(struct lexer *, bytes *);
static enum lexer_event close_bracket(struct lexer *, bytes *);
static enum lexer_event colon(struct lexer *, bytes *);
static enum lexer_event comma(struct lexer *, bytes *);
static enum lexer_event begin_string(struct lexer *, bytes *);
static enum lexer_event begin_taken(struct lexer *);
static enum lexer_event end_string(struct lexer *, bytes *);
static enum lexer_event end_key(struct lexer *);
static enum lexer_event do_escape(struct lexer *, unsigned char);
static enum lexer_event do_hex(struct lexer *, unsigned char);
static enum lexer_event end_hex(struct lexer *);
static enum lexer_event bad_unicode(struct lexer *);
static int	 number_whole(enum num);
static int	 beyond_int64(const char *, size_t);
static enum lexer_event end_number(struct lexer *);
static enum lexer_event end_word(struct lexer *);
static enum lexer_event end_value(struct lexer *, int);

enum class {
	BAD, SPACE, OPEN, CLOSE, COLON, COMMA, QUOTE, NUMBER, WORD,
	RESET			/* drops the message: control bytes, FE, FF */
};

static const unsigned char class[256] = {
	RESET, RESET, RESET, RESET, RESET, RESET, RESET, RESET,
	RESET, SPACE, SPACE, RESET, RESET, SPACE, RESET, RESET,
	RESET, RESET, RESET, RESET, RESET, RESET, RESET, RESET,
	RESET, RESET, RESET, RESET, RESET, RESET, RESET, RESET,
	SPACE, BAD, QUOTE, BAD, BAD, BAD, BAD, QUOTE,
	BAD, BAD, BAD, BAD, COMMA, NUMBER, BAD, BAD,
	NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER,
	NUMBER, NUMBER, COLON, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, OPEN, BAD, CLOSE, BAD, BAD,
	BAD, WORD, WORD, WORD, WORD, WORD, WORD, WORD,
	WORD, WORD, WORD, WORD, WORD, WORD, WORD, WORD,
	WORD, WORD, WORD, WORD, WORD, WORD, WORD, WORD,
	WORD, WORD, WORD, OPEN, BAD, CLOSE, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, RESET, RESET,
};

/* What goes through a string as it is, whichever quote it has. */
static const unsigned char plain[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

/* By state and character: 0, 1-9, point, e, sign, anything else. */
static const unsigned char numbers[N_END][6] = {
	[N_SIGN] =  { N_ZERO, N_INT,  N_END, N_END, N_END,   N_END },
	[N_ZERO] =  { N_BAD,  N_BAD,  N_DOT, N_E,   N_END,   N_END },
	[N_INT] =   { N_INT,  N_INT,  N_DOT, N_E,   N_END,   N_END },
	[N_DOT] =   { N_FRAC, N_FRAC, N_END, N_END, N_END,   N_END },
	[N_FRAC] =  { N_FRAC, N_FRAC, N_END, N_E,   N_END,   N_END },
	[N_E] =     { N_EXP,  N_EXP,  N_END, N_END, N_ESIGN, N_END },
	[N_ESIGN] = { N_EXP,  N_EXP,  N_END, N_END, N_END,   N_END },
	[N_EXP] =   { N_EXP,  N_EXP,  N_END, N_END, N_END,   N_END },
};

static const struct {
	const char	*name;
	enum kind	 kind;
} taken[] = {
	{ "buf-b64",	K_BULK },
	{ "input-data",	K_BULK },
	{ "password",	K_SECRET },
};

/*
 * Outside.
 */

struct lexer *
lexer_new(const struct lexer_limits *limits)
{
	struct lexer *lx;

	if (sodium_init() == -1)
		fatalx("libsodium cannot start");
	if ((lx = calloc(1, sizeof(*lx))) == NULL)
		fatal("calloc of a lexer");
	lx->limits = *limits;
	if (lx->limits.depth == 0)
		lx->limits.depth = 1;
	if ((lx->stack = calloc(lx->limits.depth, sizeof(*lx->stack))) == NULL)
		fatal("calloc of %u brackets", lx->limits.depth);
	lx->bulkmode = 1;
	keys_init(&lx->keys);
	fresh(lx);
	return (lx);
}

void
lexer_free(struct lexer *lx)
{
	if (lx == NULL)
		return;
	drop(lx);
	keys_free(&lx->keys);
	free(lx->stack);
	explicit_bzero(lx, sizeof(*lx));
	free(lx);
}

void
lexer_reset(struct lexer *lx)
{
	drop(lx);
	fresh(lx);
}

int
lexer_partial(const struct lexer *lx)
{
	if (lx->state == S_SKIP || lx->state == S_JUNK)
		return (0);
	return (lx->state != S_GAP || lx->depth > 0);
}

void
lexer_bulk(struct lexer *lx, int mode)
{
	lx->bulkmode = mode;
}

size_t
lexer_feed(struct lexer *lx, const void *buf, size_t len,
    enum lexer_event *ev, struct request *req)
{
	static enum lexer_event (*const handlers[])(struct lexer *, bytes *,
	    bytes) = {
		[S_GAP] = do_gap,
		[S_STRING] = do_string,
		[S_ESCAPE] = do_inner,
		[S_HEX] = do_inner,
		[S_PAIR] = do_inner,
		[S_PAIR_U] = do_inner,
		[S_UTF8] = do_inner,
		[S_NUMBER] = do_number,
		[S_WORD] = do_word,
		[S_SKIP] = do_skip,
		[S_JUNK] = do_junk,
	};
	bytes p = buf, end = p + len;

	lx->req = req;
	*ev = LEXER_MORE;
	while (p < end && *ev == LEXER_MORE)
		*ev = handlers[lx->state](lx, &p, end);
	lx->req = NULL;
	return ((size_t)(p - (bytes)buf));
}

enum lexer_event
lexer_finish(struct lexer *lx, struct request *req)
{
	enum lexer_event ev = LEXER_MORE;

	lx->req = req;
	if (lexer_partial(lx)) {
		if (lx->depth == 0 && lx->state == S_WORD)
			ev = end_word(lx);
		else if (lx->depth == 0 && lx->state == S_NUMBER &&
		    number_whole(lx->num))
			ev = end_number(lx);
		else
			ev = fail(lx, "JSON parse error, premature EOI");
	}
	lx->req = NULL;
	lexer_reset(lx);
	return (ev);
}

void
request_clear(struct request *r)
{
	if (r->text != NULL)
		explicit_bzero(r->text, r->len);
	if (r->idtext != NULL)
		explicit_bzero(r->idtext, r->idlen);
	if (r->data != NULL)
		explicit_bzero(r->data, r->datalen);
	free(r->text);
	free(r->idtext);
	free(r->data);
	free(r->error);
	if (DEFENCE(CONTROL_WIPE))
		sodium_free(r->secret);		/* wipes */
	memset(r, 0, sizeof(*r));
}

/*
 * Errors.
 */

/* Forget the message at hand, wiping it. */
static void
drop(struct lexer *lx)
{
	buf_free(&lx->text);
	buf_free(&lx->id);
	buf_free(&lx->data);
	sodium_free(lx->secret);
	lx->secret = NULL;
	lx->secretlen = 0;
	lx->bulk = BULK_NONE;
	lx->inid = lx->inargs = lx->topid = lx->toparg = 0;
	explicit_bzero(lx->tok, sizeof(lx->tok));
	lx->tokn = 0;
	lx->tokmore = 0;
	explicit_bzero(&lx->b64, sizeof(lx->b64));
	keys_clear(&lx->keys);
}

static void
fresh(struct lexer *lx)
{
	lx->state = S_GAP;
	lx->expect = E_VALUE;
	lx->depth = 0;
}

static void
set_error(struct lexer *lx, const char *s)
{
	memset(lx->req, 0, sizeof(*lx->req));
	if ((lx->req->error = strdup(s)) == NULL)
		fatal("strdup");
}

/*
 * The message is bad: report it, and skip what is left of it, beginning with
 * the byte at hand.
 */
static enum lexer_event
fail(struct lexer *lx, const char *fmt, ...)
{
	char s[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s, sizeof(s), fmt, ap);
	va_end(ap);
	set_error(lx, s);
	lx->skipquote = 0;
	lx->skipesc = 0;
	if (lx->state >= S_STRING && lx->state <= S_UTF8) {
		lx->skipquote = lx->quote;
		lx->skipesc = lx->state == S_ESCAPE || lx->state == S_PAIR_U;
	}
	lx->skipdepth = lx->depth;
	lx->state = lx->depth > 0 ? S_SKIP : S_JUNK;
	drop(lx);
	return (LEXER_ERROR);
}

static enum lexer_event
fail_stray(struct lexer *lx, unsigned char b)
{
	char s[4 * TOK_MAX];

	stray_text(lx, b, s, sizeof(s));
	return (fail(lx, "JSON parse error, stray '%s'", s));
}

/* A byte that drops the message and leaves nothing to skip. */
static enum lexer_event
stray(struct lexer *lx, bytes *pp)
{
	fail_stray(lx, *(*pp)++);
	fresh(lx);
	return (LEXER_ERROR);
}

/* A token of its own that cannot stand here; value: it could be a value. */
static enum lexer_event
unexpected(struct lexer *lx, int value)
{
	const char *what = "expecting value";

	if (lx->expect == E_COLON)
		what = "missing : in object pair";
	else if (lx->expect == E_NEXT && lx->stack[lx->depth - 1].type == '{')
		what = "expected separator in dict";
	else if (lx->expect == E_NEXT)
		what = "expected separator in list";
	else if (value)
		what = "key is not a string in object";
	return (fail(lx, "JSON parse error, %s", what));
}

/* The token so far and the byte that broke it, as valid UTF-8. */
static void
stray_text(const struct lexer *lx, unsigned char b, char *s, size_t size)
{
	static const char bad[] = "\357\277\275";	/* U+FFFD */
	struct utf8 u;
	unsigned int i, j;
	size_t n = 0;
	int r;

	for (i = 0; i < lx->tokn && n + 10 < size; i = j) {
		j = i + 1;
		r = utf8_start(&u, lx->tok[i]);
		while (r == 0 && j < lx->tokn)
			r = utf8_next(&u, lx->tok[j++]);
		if (r == 1 && u.cp != 0) {
			memcpy(s + n, lx->tok + i, j - i);
			n += j - i;
		} else {
			memcpy(s + n, bad, sizeof(bad) - 1);
			n += sizeof(bad) - 1;
			j = i + 1;
		}
	}
	(void)snprintf(s + n, size - n, "%s%.*s", lx->tokmore ? "..." : "",
	    b > 0 && b < 0x80 ? 1 : 3, b > 0 && b < 0x80 ? (char *)&b : bad);
}

/*
 * Sinks.  Each returns -1 after fail().
 */

static void
tok_add(struct lexer *lx, bytes p, size_t n)
{
	size_t room = TOK_MAX - lx->tokn;

	if (room == 0 && lx->tokmore)
		return;
	if (n > room || lx->kind >= K_BULK) {
		lx->tokmore = 1;
		n = lx->kind >= K_BULK ? 0 : room;
	}
	memcpy(lx->tok + lx->tokn, p, n);
	lx->tokn += (unsigned int)n;
}

/* Canonical text. */
static int
put(struct lexer *lx, const void *p, size_t n)
{
	if (n > lx->limits.request - lx->text.len) {
		fail(lx, "JSON token size limit exceeded (request larger than "
		    "%zu bytes without its bulk argument)", lx->limits.request);
		return (-1);
	}
	buf_put(&lx->text, p, n);
	if (lx->inid)
		buf_put(&lx->id, p, n);
	return (0);
}

/* Bytes of the string at hand that need no escape. */
static int
put_string(struct lexer *lx, const void *p, size_t n)
{
	if (lx->kind == K_BULK)
		return (put_bulk(lx, p, n));
	if (lx->kind == K_SECRET)
		return (put_secret(lx, p, n));
	return (put(lx, p, n));
}

/* Any character of the string at hand. */
static int
put_char(struct lexer *lx, uint32_t cp)
{
	char s[12];

	if (lx->kind >= K_BULK)
		return (put_string(lx, s, utf8_encode(s, cp)));
	if (cp == 0)
		return (put_nul(lx));
	return (put(lx, s, utf8_escape(s, cp)));
}

static int
put_nul(struct lexer *lx)
{
	int inid = lx->inid, r;

	lx->inid = 0;
	r = put(lx, "\300\200", 2);
	lx->inid = inid;
	if (r == 0 && inid)
		buf_put(&lx->id, "\\u0000", 6);
	return (r);
}

/* Room to decode that many characters, or as many as are done at a time. */
static size_t
bulk_room(struct lexer *lx, size_t n)
{
	size_t k = n < BULK_CHUNK ? n : BULK_CHUNK, need = k / 4 * 3 + 3;

	if (lx->data.cap - lx->data.len < need)
		buf_grow(&lx->data, need, lx->limits.bulk + BULK_CHUNK);
	return (k);
}

static int
bulk_check(struct lexer *lx)
{
	if (lx->data.len <= lx->limits.bulk)
		return (0);
	fail(lx, "argument '%s' is larger than %zu bytes", lx->bulkkey,
	    lx->limits.bulk);
	return (-1);
}

/*
 * What is nothing but base64 goes straight to its decoder: whole groups, up
 * to a byte that is something else, the end of the string most likely.
 */
static int
bulk_run(struct lexer *lx, bytes *pp, bytes end)
{
	size_t k, used;

	if (end - *pp < 4 || lx->bulk != BULK_DATA || !base64_whole(&lx->b64))
		return (0);
	do {
		k = bulk_room(lx, (size_t)(end - *pp));
		lx->data.len += base64_groups((unsigned char *)lx->data.p +
		    lx->data.len, (const char *)*pp, k, &used);
		if (bulk_check(lx) == -1)
			return (-1);
		if (used > 0)
			tok_add(lx, *pp, used);
		*pp += used;
	} while (used == k && end - *pp >= 4);
	return (0);
}

static int
put_bulk(struct lexer *lx, const char *p, size_t n)
{
	size_t k;

	for (; n > 0 && lx->bulk == BULK_DATA; p += k, n -= k) {
		k = bulk_room(lx, n);
		lx->data.len += base64_decode(&lx->b64,
		    (unsigned char *)lx->data.p + lx->data.len, p, k);
		if (bulk_check(lx) == -1)
			return (-1);
		if (lx->b64.bad) {
			lx->bulk = BULK_BADBASE64;
			buf_free(&lx->data);
		}
	}
	return (0);
}

static int
put_secret(struct lexer *lx, const char *p, size_t n)
{
	if (n > LEXER_SECRET_MAX - lx->secretlen) {
		fail(lx, "argument '%s' is larger than %d bytes", lx->argkey,
		    LEXER_SECRET_MAX);
		return (-1);
	}
	memcpy(lx->secret + lx->secretlen, p, n);
	lx->secretlen += n;
	return (0);
}

/*
 * Between tokens.
 */

static enum lexer_event
do_gap(struct lexer *lx, bytes *pp, bytes end)
{
	enum lexer_event ev = LEXER_MORE;
	bytes p;

	while (ev == LEXER_MORE && lx->state == S_GAP) {
		for (p = *pp; p < end && class[*p] == SPACE; p++)
			;
		*pp = p;
		if (p == end)
			break;
		switch (class[*p]) {
		case OPEN:
			ev = open_bracket(lx, pp);
			break;
		case CLOSE:
			ev = close_bracket(lx, pp);
			break;
		case COLON:
			ev = colon(lx, pp);
			break;
		case COMMA:
			ev = comma(lx, pp);
			break;
		default:
			ev = begin_token(lx, pp);
		}
	}
	return (ev);
}

static enum lexer_event
begin_token(struct lexer *lx, bytes *pp)
{
	unsigned char b = **pp;

	lx->tokn = 0;
	lx->tokmore = 0;
	lx->kind = K_TEXT;
	switch (class[b]) {
	case QUOTE:
		return (begin_string(lx, pp));
	case NUMBER:
		if (lx->expect > E_FIRST)
			return (unexpected(lx, 1));
		lx->start = lx->text.len;
		lx->num = b == '-' ? N_SIGN : b == '0' ? N_ZERO : N_INT;
		if (put(lx, *pp, 1) == -1)
			return (LEXER_ERROR);
		tok_add(lx, (*pp)++, 1);
		lx->state = S_NUMBER;
		return (LEXER_MORE);
	case WORD:
		/* A key is judged at its end: QEMU names a bad keyword. */
		if (lx->expect > E_FIRSTKEY)
			return (unexpected(lx, 1));
		lx->state = S_WORD;
		return (LEXER_MORE);
	case RESET:
		return (stray(lx, pp));
	default:
		return (fail_stray(lx, b));
	}
}

static enum lexer_event
open_bracket(struct lexer *lx, bytes *pp)
{
	struct frame *f;

	if (lx->expect > E_FIRST)
		return (unexpected(lx, 1));
	if (lx->depth == lx->limits.depth)
		return (fail(lx, "JSON nesting depth limit exceeded "
		    "(more than %u levels)", lx->limits.depth));
	if (put(lx, *pp, 1) == -1)
		return (LEXER_ERROR);
	f = &lx->stack[lx->depth++];
	f->members = 0;
	f->type = (char)*(*pp)++;
	lx->expect = f->type == '{' ? E_FIRSTKEY : E_FIRST;
	if (lx->depth == 2)
		lx->inargs = lx->toparg && f->type == '{';
	return (LEXER_MORE);
}

static enum lexer_event
close_bracket(struct lexer *lx, bytes *pp)
{
	struct frame *f;
	int object = **pp == '}';

	if (lx->depth == 0)
		return (unexpected(lx, 0));
	f = &lx->stack[lx->depth - 1];
	if (object != (f->type == '{') || (lx->expect != E_NEXT &&
	    lx->expect != (object ? E_FIRSTKEY : E_FIRST)))
		return (unexpected(lx, 0));
	if (put(lx, *pp, 1) == -1)
		return (LEXER_ERROR);
	(*pp)++;
	if (object)
		keys_pop(&lx->keys, f->members);
	lx->depth--;
	return (end_value(lx, object));
}

static enum lexer_event
colon(struct lexer *lx, bytes *pp)
{
	if (lx->expect != E_COLON)
		return (unexpected(lx, 0));
	if (put(lx, ": ", 2) == -1)
		return (LEXER_ERROR);
	(*pp)++;
	lx->expect = E_VALUE;
	if (lx->depth == 1)
		lx->inid = lx->topid;
	return (LEXER_MORE);
}

static enum lexer_event
comma(struct lexer *lx, bytes *pp)
{
	if (lx->expect != E_NEXT)
		return (unexpected(lx, 0));
	if (put(lx, ", ", 2) == -1)
		return (LEXER_ERROR);
	(*pp)++;
	lx->expect = lx->stack[lx->depth - 1].type == '{' ? E_KEY : E_VALUE;
	return (LEXER_MORE);
}

/* A value has ended, and perhaps the message with it. */
static enum lexer_event
end_value(struct lexer *lx, int object)
{
	struct request *r = lx->req;

	if (lx->depth <= 1)
		lx->inid = lx->inargs = 0;
	if (lx->depth > 0) {
		lx->expect = E_NEXT;
		return (LEXER_MORE);
	}
	if (!object) {
		set_error(lx, "QMP input must be a JSON object");
		drop(lx);
		fresh(lx);
		return (LEXER_ERROR);
	}
	memset(r, 0, sizeof(*r));
	lx->text.p[lx->text.len] = '\0';
	r->len = lx->text.len;
	r->text = buf_take(&lx->text);
	if (lx->id.p != NULL) {
		lx->id.p[lx->id.len] = '\0';
		r->idlen = lx->id.len;
		r->idtext = buf_take(&lx->id);
	}
	r->bulk = lx->bulk;
	if (r->bulk != BULK_NONE)
		(void)snprintf(r->bulkkey, sizeof(r->bulkkey), "%s",
		    lx->bulkkey);
	if ((r->datalen = lx->data.len) > 0)
		r->data = (unsigned char *)buf_take(&lx->data);
	r->secret = lx->secret;
	r->secretlen = lx->secretlen;
	lx->secret = NULL;
	drop(lx);
	fresh(lx);
	return (LEXER_REQUEST);
}

/*
 * Strings.
 */

static enum lexer_event
begin_string(struct lexer *lx, bytes *pp)
{
	struct frame *f = NULL;
	enum lexer_event ev;

	if (lx->expect == E_KEY || lx->expect == E_FIRSTKEY) {
		f = &lx->stack[lx->depth - 1];
		if (f->members == lx->limits.members)
			return (fail(lx, "JSON parse error, more than %u "
			    "members in an object", lx->limits.members));
	} else if (lx->expect > E_FIRST)
		return (unexpected(lx, 1));
	else if (lx->depth == 2 && lx->inargs && lx->argkind >= K_BULK) {
		if ((ev = begin_taken(lx)) != LEXER_MORE)
			return (ev);
	}
	if (put(lx, "\"", 1) == -1)
		return (LEXER_ERROR);
	tok_add(lx, *pp, 1);
	if (f != NULL)
		lx->kind = K_KEY;
	else if (lx->depth == 2 && lx->inargs)
		lx->kind = lx->argkind;
	lx->start = lx->text.len;
	lx->quote = *(*pp)++;
	lx->state = S_STRING;
	return (LEXER_MORE);
}

/* A bulk or secret string is about to begin. */
static enum lexer_event
begin_taken(struct lexer *lx)
{
	if (lx->argkind == K_SECRET) {
		/* One at most: a second would be a duplicate key. */
		if ((lx->secret = sodium_malloc(LEXER_SECRET_MAX + 1)) == NULL)
			fatal("sodium_malloc");
		return (LEXER_MORE);
	}
	if (lx->bulk != BULK_NONE)
		return (fail(lx, "only one bulk argument is allowed in a "
		    "request: '%s' after '%s'", lx->argkey, lx->bulkkey));
	if (lx->bulkmode == 0)
		return (LEXER_HOLD);
	if (lx->bulkmode == 2)
		return (fail(lx, "argument '%s' is refused: an earlier bulk "
		    "argument is still in hand", lx->argkey));
	lx->bulk = BULK_DATA;
	lx->bulkkey = lx->argkey;
	base64_start(&lx->b64);
	return (LEXER_MORE);
}

static enum lexer_event
do_string(struct lexer *lx, bytes *pp, bytes end)
{
	bytes q, stop = end;
	size_t n, room = lx->limits.request - lx->text.len;
	unsigned char b;

	if (lx->kind == K_BULK) {
		if (bulk_run(lx, pp, end) == -1)
			return (LEXER_ERROR);
		/* To the end of a group; then that goes on. */
		if (lx->bulk == BULK_DATA && stop - *pp > 4)
			stop = *pp + 4 - lx->b64.have;
	}
	q = *pp;
	while (q < stop && plain[*q])
		q++;
	if ((n = (size_t)(q - *pp)) > 0) {
		/* Fill up first: the byte that is too many is then known. */
		if (lx->kind < K_BULK && n > room && room > 0)
			n = room;
		tok_add(lx, *pp, n);
		if (put_string(lx, *pp, n) == -1)
			return (LEXER_ERROR);
		*pp += n;
		if (*pp < q || q == stop)
			return (LEXER_MORE);
	}
	if (q == end)
		return (LEXER_MORE);
	b = *q;
	if (b == lx->quote)
		return (end_string(lx, pp));
	if (b == '\\') {
		lx->state = S_ESCAPE;
		lx->escn = 0;
	} else if (b < 0x80 && b >= 0x20) {
		if (put_char(lx, b) == -1)
			return (LEXER_ERROR);
	} else if (b == 0xff)
		return (stray(lx, pp));
	else if (b < 0x20 || b == 0xfe)
		return (fail_stray(lx, b));
	else if (utf8_start(&lx->utf8, b) == -1)
		return (fail(lx, "JSON parse error, "
		    "invalid UTF-8 sequence in string"));
	else
		lx->state = S_UTF8;
	tok_add(lx, (*pp)++, 1);
	return (LEXER_MORE);
}

/* One byte inside of an escape or of a character. */
static enum lexer_event
do_inner(struct lexer *lx, bytes *pp, bytes end)
{
	enum lexer_event ev = LEXER_MORE;
	unsigned char b = **pp;
	int r;

	(void)end;
	if (b == 0xff)
		return (stray(lx, pp));
	if (b < 0x20 || b == 0xfe)
		return (fail_stray(lx, b));
	if (lx->state == S_ESCAPE)
		ev = do_escape(lx, b);
	else if (lx->state == S_HEX)
		ev = do_hex(lx, b);
	else if (lx->state == S_UTF8) {
		if ((r = utf8_next(&lx->utf8, b)) == -1)
			ev = fail(lx, "JSON parse error, "
			    "invalid UTF-8 sequence in string");
		else if (r == 1 && put_char(lx, lx->utf8.cp) == -1)
			ev = LEXER_ERROR;
		else if (r == 1)
			lx->state = S_STRING;
	} else if (b != (lx->state == S_PAIR ? '\\' : 'u'))
		ev = bad_unicode(lx);
	else if (lx->state == S_PAIR)
		lx->state = S_PAIR_U;
	else {
		lx->state = S_HEX;
		lx->hex = lx->hexn = 0;
	}
	if (ev == LEXER_MORE)
		tok_add(lx, (*pp)++, 1);
	return (ev);
}

static enum lexer_event
do_escape(struct lexer *lx, unsigned char b)
{
	static const char from[] = "bfnrt\"'\\/", to[] = "\b\f\n\r\t\"'\\/";
	const char *e;

	if (b == 'u') {
		lx->state = S_HEX;
		lx->hex = lx->hexn = lx->high = 0;
		return (LEXER_MORE);
	}
	if ((e = strchr(from, b)) == NULL)
		return (fail(lx, "JSON parse error, "
		    "invalid escape sequence in string"));
	if (put_char(lx, (unsigned char)to[e - from]) == -1)
		return (LEXER_ERROR);
	lx->state = S_STRING;
	return (LEXER_MORE);
}

static enum lexer_event
do_hex(struct lexer *lx, unsigned char b)
{
	unsigned int v;

	if (b >= '0' && b <= '9')
		v = b - '0';
	else if ((b | 0x20) >= 'a' && (b | 0x20) <= 'f')
		v = (b | 0x20) - 'a' + 10U;
	else
		return (bad_unicode(lx));
	if (lx->hexn == 0) {
		lx->esc[lx->escn++] = '\\';
		lx->esc[lx->escn++] = 'u';
	}
	lx->esc[lx->escn++] = (char)b;
	lx->hex = lx->hex << 4 | v;
	if (++lx->hexn < 4)
		return (LEXER_MORE);
	return (end_hex(lx));
}

static enum lexer_event
end_hex(struct lexer *lx)
{
	uint32_t cp = lx->hex;

	if (lx->high == 0 && cp >= 0xd800 && cp < 0xdc00) {
		lx->high = cp;
		lx->state = S_PAIR;
		return (LEXER_MORE);
	}
	if (lx->high != 0) {
		if (cp < 0xdc00 || cp > 0xdfff) {
			lx->escn = 6;	/* the first half is what is wrong */
			return (bad_unicode(lx));
		}
		cp = 0x10000 + ((lx->high & 0x3ff) << 10 | (cp & 0x3ff));
	}
	if (!utf8_valid(cp))
		return (bad_unicode(lx));
	if (put_char(lx, cp) == -1)
		return (LEXER_ERROR);
	lx->state = S_STRING;
	return (LEXER_MORE);
}

static enum lexer_event
bad_unicode(struct lexer *lx)
{
	if (lx->kind >= K_BULK)
		return (fail(lx, "JSON parse error, invalid escape sequence "
		    "in string"));
	return (fail(lx, "JSON parse error, %.*s is not a valid Unicode "
	    "character", lx->escn > 0 ? (int)lx->escn : 2,
	    lx->escn > 0 ? lx->esc : "\\u"));
}

static enum lexer_event
end_string(struct lexer *lx, bytes *pp)
{
	enum lexer_event ev;

	if (lx->kind == K_KEY) {
		if ((ev = end_key(lx)) == LEXER_MORE)
			(*pp)++;
		return (ev);
	}
	if (put(lx, "\"", 1) == -1)
		return (LEXER_ERROR);
	(*pp)++;
	if (lx->kind == K_SECRET)
		lx->secret[lx->secretlen] = '\0';
	if (lx->kind == K_BULK && lx->bulk == BULK_DATA &&
	    base64_finish(&lx->b64) == -1) {
		lx->bulk = BULK_BADBASE64;
		buf_free(&lx->data);
	}
	lx->state = S_GAP;
	return (end_value(lx, 0));
}

static enum lexer_event
end_key(struct lexer *lx)
{
	const char *key;
	size_t i;

	if (keys_add(&lx->keys, lx->text.p, lx->start, lx->text.len - lx->start,
	    lx->depth) == -1)
		return (fail(lx, "JSON parse error, duplicate key"));
	lx->stack[lx->depth - 1].members++;
	if (put(lx, "\"", 1) == -1)
		return (LEXER_ERROR);
	lx->text.p[lx->text.len] = '\0';
	key = lx->text.p + lx->start;
	if (lx->depth == 1) {
		lx->toparg = strcmp(key, "arguments\"") == 0;
		lx->topid = strcmp(key, "id\"") == 0;
	} else if (lx->depth == 2 && lx->inargs) {
		lx->argkind = K_TEXT;
		for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
			if (lx->text.len - 1 - lx->start ==
			    strlen(taken[i].name) && strncmp(key,
			    taken[i].name, strlen(taken[i].name)) == 0) {
				lx->argkind = taken[i].kind;
				lx->argkey = taken[i].name;
			}
	}
	lx->state = S_GAP;
	lx->expect = E_COLON;
	return (LEXER_MORE);
}

/*
 * Numbers and words: they end before the first byte that is not theirs.
 */

static enum lexer_event
do_number(struct lexer *lx, bytes *pp, bytes end)
{
	unsigned int next = N_END, c;
	bytes q;

	for (q = *pp; q < end; q++) {
		c = *q == '0' ? 0 : *q >= '1' && *q <= '9' ? 1 :
		    *q == '.' ? 2 : *q == 'e' || *q == 'E' ? 3 :
		    *q == '+' || *q == '-' ? 4 : 5;
		if ((next = numbers[lx->num][c]) >= N_END)
			break;
		lx->num = (enum num)next;
	}
	tok_add(lx, *pp, (size_t)(q - *pp));
	if (put(lx, *pp, (size_t)(q - *pp)) == -1)
		return (LEXER_ERROR);
	*pp = q;
	if (q == end)
		return (LEXER_MORE);
	if (next == N_END && number_whole(lx->num))
		return (end_number(lx));
	return (class[*q] == RESET ? stray(lx, pp) : fail_stray(lx, *q));
}

static int
number_whole(enum num n)
{
	return (n == N_ZERO || n == N_INT || n == N_FRAC || n == N_EXP);
}

static enum lexer_event
end_number(struct lexer *lx)
{
	int inid = lx->inid, r;

	if ((lx->num == N_ZERO || lx->num == N_INT) && beyond_int64(
	    lx->text.p + lx->start, lx->text.len - lx->start)) {
		lx->inid = 0;		/* the echo stays as it came */
		r = put(lx, "e0", 2);
		lx->inid = inid;
		if (r == -1)
			return (LEXER_ERROR);
	}
	lx->state = S_GAP;
	return (end_value(lx, 0));
}

static int
beyond_int64(const char *s, size_t n)
{
	const char *most = "9223372036854775807";

	if (*s == '-') {
		most = "9223372036854775808";
		s++;
		n--;
	}
	return (n > 19 || (n == 19 && memcmp(s, most, 19) > 0));
}

static enum lexer_event
do_word(struct lexer *lx, bytes *pp, bytes end)
{
	bytes q = *pp;

	while (q < end && class[*q] == WORD)
		q++;
	tok_add(lx, *pp, (size_t)(q - *pp));
	*pp = q;
	if (q == end)
		return (LEXER_MORE);
	if (lx->depth > 0 && class[*q] == RESET) {
		lx->tokn = 0;		/* one line for both */
		return (stray(lx, pp));
	}
	return (end_word(lx));
}

static enum lexer_event
end_word(struct lexer *lx)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t i;

	for (i = 0; i < 3; i++)
		if (lx->tokn == strlen(words[i]) &&
		    memcmp(lx->tok, words[i], lx->tokn) == 0)
			break;
	if (i == 3)
		return (fail(lx, "JSON parse error, invalid keyword '%.*s%s'",
		    (int)lx->tokn, (const char *)lx->tok,
		    lx->tokmore ? "..." : ""));
	if (lx->expect > E_FIRST)
		return (unexpected(lx, 1));
	if (put(lx, words[i], strlen(words[i])) == -1)
		return (LEXER_ERROR);
	lx->state = S_GAP;
	return (end_value(lx, 0));
}

/*
 * After an error.
 */

/*
 * Up to where the brackets balance, a newline or 0xFF, and from there to the
 * next bracket: a client which sends lines loses one line and hears of it
 * once.
 */
static enum lexer_event
do_skip(struct lexer *lx, bytes *pp, bytes end)
{
	unsigned char b;

	while (*pp < end) {
		b = **pp;
		if (b == 0xff)
			return (stray(lx, pp));
		(*pp)++;
		if (b == '\n') {
			lx->state = S_JUNK;
			return (LEXER_MORE);
		}
		if (lx->skipquote != 0) {
			if (lx->skipesc)
				lx->skipesc = 0;
			else if (b == '\\')
				lx->skipesc = 1;
			else if (b == lx->skipquote)
				lx->skipquote = 0;
		} else if (class[b] == QUOTE)
			lx->skipquote = b;
		else if (class[b] == OPEN)
			lx->skipdepth++;
		else if (class[b] == CLOSE && --lx->skipdepth == 0) {
			lx->state = S_JUNK;
			return (LEXER_MORE);
		}
	}
	return (LEXER_MORE);
}

static enum lexer_event
do_junk(struct lexer *lx, bytes *pp, bytes end)
{
	while (*pp < end && class[**pp] != OPEN && **pp != 0xff)
		(*pp)++;
	if (*pp == end)
		return (LEXER_MORE);
	fresh(lx);
	lx->tokn = 0;
	lx->tokmore = 0;
	return (LEXER_MORE);
}
