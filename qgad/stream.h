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
 * Bytes on their way through us, at constant memory: a job's output or what
 * was read of a file to the reply line; a job's input or what is to be written
 * to the worker.  One of each at a time.
 */

#ifndef STREAM_H
#define STREAM_H

#include <stddef.h>

#include "messages.h"

struct event_base;

void	 stream_init(struct event_base *);
/* The reply of guest-exec-status; takes the fd over, -1: no output. */
void	 stream_start(const struct exec_result *, int);
/* Bytes of data for which a reply line has room. */
size_t	 stream_room(void);
/*
 * The reply of guest-file-read: at most that many bytes come on the fd, which
 * is taken over.  How many it were, and how it ended, the monitor says: then
 * stream_file_end(), which may come without a start.
 */
void	 stream_file(int, size_t);
void	 stream_file_end(const struct msg_reply *);
int	 stream_begun(void);		/* 1: some of the reply is written */
/* Whatever is under way is not wanted any more. */
void	 stream_stop(void);
/* Read on.  1: something came, or the reply is finished. */
int	 stream_pump(void);

/*
 * Send len bytes, which stay the caller's until push_stop(); takes the fd.
 * A secret is wiped as soon as it was sent or given up.
 */
void	 push_start(int, void *, size_t, int secret);
void	 push_stop(void);

#endif
