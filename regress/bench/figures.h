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

/* What is measured, by round and side, and its printing. */

#ifndef FIGURES_H
#define FIGURES_H

#include <stdio.h>

#define MAX_ROUNDS	50
#define NONE		(-1.0)	/* a side has no such value */

enum how {
	REPORTED,		/* no target */
	AT_MOST, AT_LEAST,	/* of the ratio of the sides */
	EXACTLY,		/* of the first side's own number */
	GROWTH			/* no ratio, no target */
};

struct figure {
	const char	*name, *unit;
	enum how	 how;
	double		 target;
	double		 value[2][MAX_ROUNDS];
};

struct sizes {
	int		 rounds, starts, pings, pipelined, queries, execs;
	int		 idle;		/* seconds */
	int		 quick;
};

/* A group of figures, measured together. */
struct group {
	const char	*name, *title;
	struct figure	*figures;
	int		 count;
	void		(*run)(const struct sizes *);
};

/* Who goes first changes from round to round. */
#define EACH(a, side, round)						\
	for ((side) = 0; (side) < 2 &&					\
	    ((a) = &agents[((side) + (round)) % 2]) != NULL; (side)++)
#define SIDE(a)	((a) == &agents[1])

/* The number of targets missed. */
int	 figures_print(const struct group *, int);
void	 figures_csv(FILE *, const struct group *, int);
void	 figures_targets(const struct group *);

/* The middle one of the values that are there; NONE: none is. */
double	 figure_median(const double *, int);

#endif /* FIGURES_H */
