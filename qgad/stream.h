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
 * Bytes on their way through us, at constant memory: a job's output to the
 * reply line, a job's input to its worker.  One of each at a time.
 */

#ifndef STREAM_H
#define STREAM_H

#include <stddef.h>

#include "messages.h"

struct event_base;

void	 stream_init(struct event_base *);
/* The reply of guest-exec-status; takes the fd over, -1: no output. */
void	 stream_start(const struct exec_result *, int);
/* Read on.  1: something came, or the reply is finished. */
int	 stream_pump(void);

/*
 * Send len bytes, which stay the caller's until push_stop(); takes the fd.
 * A secret is wiped as soon as it was sent or given up.
 */
void	 push_start(int, void *, size_t, int secret);
void	 push_stop(void);

#endif
