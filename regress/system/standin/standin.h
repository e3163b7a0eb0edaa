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
 * Another system's back end, run on Linux: its own object code makes its
 * system calls to the functions here, which answer as that system would from
 * what is recorded.  They are compiled for it too, with its headers; host.c
 * alone is this system's.
 */

#ifndef STANDIN_H
#define STANDIN_H

#include <stddef.h>

enum shape {
	SHAPE_NORMAL,
	SHAPE_GROWS,		/* each first look sees half of it */
	SHAPE_HUGE,
	SHAPE_HOSTILE,		/* lengths lie, strings have no end */
	SHAPE_EMPTY,
	SHAPE_CUT		/* dumps end in the middle */
};

/* --- host.c --- */

/* 0, or the errno, of that system, with which this call is to fail. */
int	 host_error(const char *call);
enum shape host_shape(void);
const char *host_ntop(int six, const void *, char *, size_t);

void	 host_tell(const char *);	/* a line of what was done */

/* --- bsd.c --- */

/* sysctl(3)'s manners: data goes to where the caller wants it. */
int	 answer(void *old, size_t *oldlen, const void *data, size_t len);
/* The routing table. */
int	 answer_routes(void *old, size_t *oldlen);
/* An errno, and -1. */
int	 refuse(int);

/* --- <system>.c --- */

struct rt_msghdr;
extern const size_t route_round;
void	 route_header(struct rt_msghdr *);	/* what else it has */
extern const int route_neighbour;		/* such a route's flag */

#endif
