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
 * The one lexer of what the host sends: QEMU's JSON (single quotes too),
 * incremental, no recursion, the same cost a byte however the bytes arrive.
 * It gives whole requests as canonical JSON and every parse error.
 *
 * Canonical: double quotes, printable ASCII with \uXXXX for the rest, no
 * white space but one after ':' and ','.  Two things are said so that json-c
 * understands them as QEMU does: U+0000 (\u0000, or modified UTF-8) stands
 * as the two raw bytes C0 80, and an integer that int64 cannot hold gets
 * "e0", which makes it a double.
 *
 * Looked at here: tokens, brackets, separators, duplicate keys, bounds, and
 * that the message is an object.  What its members mean is not.
 */

#ifndef LEXER_H
#define LEXER_H

#include <stddef.h>
#include <stdint.h>

#define LEXER_SECRET_MAX	4096	/* bytes of a secret string */

struct lexer;

struct lexer_limits {
	size_t	 request;	/* bytes of canonical text */
	size_t	 bulk;		/* decoded bytes */
	unsigned int depth;
	unsigned int members;	/* of one object */
};

enum lexer_event {
	LEXER_MORE,		/* all was consumed, nothing is complete */
	LEXER_REQUEST,		/* *req is filled */
	LEXER_ERROR,		/* req->error is filled: one error line */
	LEXER_HOLD		/* stopped before a bulk string, see below */
};

enum bulk_state { BULK_NONE, BULK_DATA, BULK_BADBASE64 };

/*
 * One request, or one error (then nothing else is set).  Owned by the caller;
 * request_clear() frees and wipes.
 *
 * A string that is a member of the top-level "arguments" object under a bulk
 * key ("buf-b64", "input-data") or the secret key ("password") is taken out
 * as it arrives and stands as "" in text; since all of them are, a string at
 * that place is always the marker.  A value of another type stays and fails
 * its schema.  A request has at most one bulk string.
 */
struct request {
	char		*text;		/* canonical JSON, NUL-terminated */
	size_t		 len;
	char		*idtext;	/* see below; NULL: no id member */
	size_t		 idlen;
	char		 bulkkey[16];	/* "buf-b64", "input-data" */
	enum bulk_state	 bulk;
	unsigned char	*data;		/* decoded, malloc'd; NULL if empty */
	size_t		 datalen;
	char		*secret;	/* as it came, still base64: in memory */
	size_t		 secretlen;	/* of sodium_malloc, NUL-terminated */
	char		*error;		/* desc of a GenericError: UTF-8 */
	uint64_t	 arrived;	/* set by who read it: monotonic ms */
	struct request	*next;
};
/*
 * idtext is the top-level id member's value to be echoed as it stands:
 * canonical, but all ASCII (\u0000) and with each number as it came.
 */

/* Also initializes libsodium.  Neither this nor any other call fails. */
struct lexer	*lexer_new(const struct lexer_limits *);
void		 lexer_free(struct lexer *);
/* Drop a partial message without an error: the connection ended. */
void		 lexer_reset(struct lexer *);
/*
 * 1 if bytes of an incomplete message are held; not while the rest of a bad
 * one is skipped.
 */
int		 lexer_partial(const struct lexer *);
/*
 * 1: bulk strings are taken (so at start).
 * 0: no bulk string may be begun (one is in memory already): feeding stops
 * with LEXER_HOLD before its opening quote, and goes on from there when it is
 * allowed again.  2: instead of holding, the request becomes an error.
 */
void		 lexer_bulk(struct lexer *, int);
/*
 * Feed up to len bytes; returns how many were consumed, stopping after the
 * first event.  The caller calls again with the rest, also when an event came
 * with none consumed: the next call goes past it (LEXER_HOLD excepted).
 * *req is written for LEXER_REQUEST and LEXER_ERROR only.  ENOMEM ends the
 * process.
 */
size_t		 lexer_feed(struct lexer *, const void *, size_t,
		    enum lexer_event *, struct request *);
/*
 * End of input: what is held becomes an error, or nothing was held
 * (LEXER_MORE).  The lexer is then as new.
 */
enum lexer_event lexer_finish(struct lexer *, struct request *);

/* Free, wipe and zero all of it. */
void		 request_clear(struct request *);

#endif
