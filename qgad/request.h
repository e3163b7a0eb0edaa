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
 * The queue of requests and the one in hand: the next is begun when the last
 * is answered, so replies come in order.
 */

#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "lexer.h"
#include "messages.h"
#include "schema.h"

struct event_base;
struct json_object;

enum waiting {
	WAIT_NONE,
	WAIT_ASK,		/* may it run after all? */
	WAIT_FRAME,		/* a result on the data socket */
	WAIT_REPLY,		/* a reply of the monitor */
	WAIT_DATA,		/* that, and bytes on their way through us */
	WAIT_STREAM		/* output on its way through us */
};

struct hand {
	struct request	*req;		/* NULL: nothing is in hand */
	struct json_object *root;	/* the message, and in it */
	struct json_object *args;	/* its arguments, or NULL */
	struct arg	 arg[SCHEMA_ARGS];
	enum command_id	 cmd;
	enum waiting	 wait;
	uint64_t	 id;		/* which answer is waited for */
	size_t		 bytes;		/* of bulk data that go, or may come */
};

void	 requests_init(struct event_base *);	/* before the sandbox */
void	 requests_limits(const struct limits *);
void	 requests_policy(const struct msg_policy *);

int	 requests_room(void);		/* may another be queued? */
void	 requests_push(struct request *);	/* takes its contents over */
int	 requests_idle(void);		/* nothing queued or in hand */
/* Carry out what can be.  1: something was done, 0: nothing can be now. */
int	 requests_run(void);

/* What the monitor and the workers say; each ends in channel_work(). */
void	 requests_reply(const struct msg_reply *, int);	/* takes the fd */
void	 requests_frame(const struct frame *, const unsigned char *);
void	 requests_malformed(void);	/* the result could not be read */
void	 requests_go(uint64_t, int);			/* takes the fd */

/* For the handlers of the commands: */
const struct limits *requests_bounds(void);
int	 command_enabled(enum command_id);
/* Wait for an answer that bears the id returned, a new one each time. */
uint64_t request_wait(enum waiting);
/* Bytes of a reply line around the value. */
size_t	 answer_overhead(void);
void	 answer_begin(void);		/* the value follows, in channel_out() */
void	 answer_end(void);		/* the request is answered */
void	 answer_nothing(void);
/* A GenericError; the text is malloc'd and taken over. */
void	 answer_error(char *);

#endif
