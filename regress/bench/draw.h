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

/* A sheet of plots with logarithmic axes, as SVG. */

#ifndef DRAW_H
#define DRAW_H

#define DRAW_POINTS	16

struct plot {
	const char	*title, *unit;
	int		 count;
	double		 x[DRAW_POINTS];	/* bytes, ascending */
	double		 y[2][DRAW_POINTS];	/* 0 or less: left out */
};

/* Two plots in a row; -1: errno. */
int	 draw(const char *, const char *, const char *const [2],
	    const struct plot *, int);

#endif /* DRAW_H */
