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
 * Running one foreign program to its end for a worker that does nothing else
 * meanwhile: by absolute path, fixed arguments and environment.
 */

#ifndef TOOL_H
#define TOOL_H

#include <stddef.h>

#include "job.h"

#define TOOL_OUTPUT	1024	/* of what it writes; the rest is dropped */

struct imsgbuf;

struct tool {
	const char *const *argv;	/* argv[0] is the path */
	int		 input;		/* its standard input, taken over; */
					/* -1: /dev/null */
	int		 limit;		/* ms; then it is ended: SIGTERM, and */
					/* 2 s later SIGKILL, to its session; */
					/* 0: it may take for ever */
	/* what came of it */
	int		 error;		/* errno: it could not be started */
	int		 gone;		/* the monitor went meanwhile */
	int		 late;		/* it was ended */
	struct job_end	 end;
	char		 out[TOOL_OUTPUT + 1];	/* what it said, one line */
};

/* Once, before any tool_run(). */
void	 tool_init(void);
/* 1: a regular file that we may execute. */
int	 tool_there(const char *path);
/*
 * Returns when it has ended.  A monitor that goes meanwhile is no reason to
 * leave: a program that writes into a pipe without a reader would die of it.
 */
void	 tool_run(struct tool *, struct imsgbuf *);
/*
 * text is "" if it ended with status 0; else failed, a colon, and what it
 * said or how it ended.
 */
void	 tool_explain(const struct tool *, const char *failed, char *text,
	    size_t);

#endif
