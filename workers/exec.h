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
 * Between the two processes of qgad-exec.
 */

#ifndef EXEC_H
#define EXEC_H

#include <stdint.h>

#define SHOWN_PATH	1024		/* bytes of a path in an error */
#define SHOWN_WHY	640		/* of what a rule's job cannot have */

/* What the starter tells the relay; the input's socket goes with it. */
struct order {
	uint64_t	 id;
	uint64_t	 input;
	uint32_t	 capture;
	uint32_t	 hasinput;
	uint64_t	 output;	/* bytes kept of a stream, if less */
	uint32_t	 guarded;	/* another descriptor comes behind */
	uint32_t	 refused;	/* a rule is why */
	char		 path[SHOWN_PATH + 1];	/* cut, for an error */
	char		 why[SHOWN_WHY];	/* "", or it does not start */
};

struct imsgbuf;

/*
 * The child: reads the job from the monitor, sends its order over control and
 * becomes the program.  ends are the job's of its three pipes.
 */
void	 starter(struct imsgbuf *, const int *ends, int control)
	    __attribute__((noreturn));

#endif
