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

/* A monitor for one worker, played by a test. */

#ifndef DRIVER_H
#define DRIVER_H

#include <sys/types.h>

#include "imsg.h"

struct worker {
	struct imsgbuf	 ib;
	int		 fd;		/* ours; -1: closed */
	pid_t		 pid;
};

/*
 * Start a worker: name is looked for in $QGAD_WORKERS, else where the tree
 * is built.  ids is driver_ids() or "-".  Every function here ends the test
 * as failed when something takes a minute.
 */
void	 driver_start(struct worker *, const char *dir, const char *name,
	    const char *ids, const char *const *args);
/* The same of a main() within the test program. */
void	 driver_call(struct worker *, int (*)(int, char **), const char *ids);
/* $QGAD_IDS, or "uid:gid" of _qgadw if we are root and it is there, or "-". */
const char *driver_ids(void);
/* 1: a message, those for the log printed and left out; 0: end of file. */
int	 driver_get(struct worker *, struct imsg *);
void	 driver_expect(struct worker *, struct imsg *, unsigned int type);
void	 driver_flush(struct worker *);
void	 driver_close(struct worker *);
int	 driver_wait(struct worker *);		/* the exit status, -1: signal */
const char *driver_last_log(void);		/* the last line it sent */
/* All lines since driver_start(), each with a newline; the first 128 KiB. */
const char *driver_log(void);

#endif
