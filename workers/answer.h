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
 * How a worker answers: a result or an error as one frame to the frontend,
 * then, or alone, MSG_DONE to the monitor.  Nothing here returns when the
 * one that waits for the answer has gone: the process ends with status 0.
 */

#ifndef ANSWER_H
#define ANSWER_H

#include <stdint.h>

#include "messages.h"

struct imsgbuf;
struct value_writer;

/*
 * Not DONE_OK: err says why, and what was written is thrown away; else the
 * tree in w, or what is wrong with it.  w is done with either way.
 */
void	 answer_value(struct imsgbuf *, uint64_t id, struct value_writer *w,
	    enum done, const char *err);
/* MSG_DONE alone.  text: "" unless it failed. */
void	 answer_done(struct imsgbuf *, uint64_t id, enum done, const char *text);

#endif
