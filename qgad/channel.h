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
 * The channel to the host: bytes in, through the lexer into the queue of
 * requests; reply lines out.  One channel at a time, given by the monitor.
 */

#ifndef CHANNEL_H
#define CHANNEL_H

#include <stdint.h>

#include "bounds.h"
#include "json.h"
#include "messages.h"

struct event_base;

/* With more than this unsent no request is begun, no stream read on. */
#define WATERMARK	(256 * 1024)

void	 channel_init(struct event_base *);	/* before the sandbox */
void	 channel_limits(const struct limits *);	/* before the first channel */
void	 channel_open(const struct msg_channel *, int);	/* takes the fd over */

/*
 * To be called when anything has changed: parses, carries out and writes as
 * far as it goes, and ends a channel that is done.
 */
void	 channel_work(void);

struct out *channel_out(void);
int	 channel_full(void);		/* past the watermark */
/* 1: a bulk argument is in memory, no second one may be begun. */
void	 channel_bulk(int);
/* 1: nobody is there any more to see the answer. */
int	 channel_gone(void);
/* 1: a port on which a host that leaves is not seen. */
int	 channel_serial(void);

uint64_t monotonic_ms(void);

#endif
