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
 * What each command does, once its arguments are right: answered here, or
 * asked of the monitor.
 */

#ifndef HANDLERS_H
#define HANDLERS_H

#include "request.h"

struct handler {
	void		(*start)(struct hand *);
	enum reply_kind	 success;	/* of the monitor's reply, and then */
	void		(*reply)(const struct msg_reply *);
};

extern const struct handler handlers[CMD_MAX];

void	 handler_ask(const struct msg_request *);
/* The result of a query, or of another command that has a value. */
void	 handler_frame(struct hand *, const struct frame *,
	    const unsigned char *);

#endif
