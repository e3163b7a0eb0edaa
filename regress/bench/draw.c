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

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "draw.h"

#define WIDTH		460		/* of one plot, with what is around */
#define HEIGHT		330
#define LEFT		64		/* of the plot's own area */
#define TOP		44
#define RIGHT		16
#define BOTTOM		50
#define HEADER		64
#define FONT		"font-family=\"sans-serif\""

/* Told apart without their colours, too. */
static const char *const colours[2] = { "#0b62a4", "#c8500a" };

struct area {
	double		 x, y;		/* its upper left corner */
	double		 xmin, xmax, ymin, ymax;	/* logarithms */
};

static void	 put(const char *, ...) __attribute__((format(printf, 1, 2)));
static void	 put_text(double, double, int, const char *, const char *);
static void	 legend(const char *const [2]);
static void	 scale(struct area *, const struct plot *, int, int);
static double	 rounded(double, int);
static void	 grid_x(const struct area *, const struct plot *);
static void	 grid_y(const struct area *, const struct plot *);
static void	 line(const struct area *, const struct plot *, int);
static void	 mark(double, double, int);
static double	 at_x(const struct area *, double);
static double	 at_y(const struct area *, double);

static FILE	*out;
static int	 bad;

int
draw(const char *path, const char *caption, const char *const names[2],
    const struct plot *plots, int count)
{
	struct area area;
	int i, j, row, rows = (count + 1) / 2;

	if ((out = fopen(path, "w")) == NULL)
		return (-1);
	bad = 0;
	put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg "
	    "xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
	    "viewBox=\"0 0 %d %d\" role=\"img\">\n", 2 * WIDTH,
	    HEADER + rows * HEIGHT, 2 * WIDTH, HEADER + rows * HEIGHT);
	put("<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n");
	legend(names);
	put_text(LEFT, 50, 12, "start", caption);
	for (i = 0; i < count; i++) {
		row = i / 2;
		area.x = i % 2 * WIDTH + LEFT;
		area.y = HEADER + row * HEIGHT + TOP;
		scale(&area, plots, count, i);
		put_text(area.x, area.y - 12, 14, "start", plots[i].title);
		grid_x(&area, &plots[i]);
		grid_y(&area, &plots[i]);
		for (j = 1; j >= 0; j--)
			line(&area, &plots[i], j);
	}
	put("</svg>\n");
	if (fclose(out) == EOF || bad) {
		if (errno == 0)
			errno = EIO;
		return (-1);
	}
	return (0);
}

static void
put(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vfprintf(out, fmt, ap) < 0)
		bad = 1;
	va_end(ap);
}

static void
put_text(double x, double y, int size, const char *anchor, const char *text)
{
	put("<text x=\"%.1f\" y=\"%.1f\" " FONT " font-size=\"%d\" "
	    "text-anchor=\"%s\">", x, y, size, anchor);
	for (; *text != '\0'; text++)
		if (strchr("<>&\"", *text) != NULL || *text < ' ')
			put("&#%d;", *text < ' ' ? '?' : *text);
		else
			put("%c", *text);
	put("</text>\n");
}

static void
legend(const char *const names[2])
{
	double x;
	int i;

	for (i = 0; i < 2; i++) {
		x = LEFT + i * 160;
		put("<path d=\"M%.1f 24h36\" stroke=\"%s\" "
		    "stroke-width=\"2\"/>\n", x, colours[i]);
		mark(x + 18, 24, i);
		put_text(x + 44, 29, 15, "start", names[i]);
	}
}

/* A row has one unit and one scale, so that its plots can be compared. */
static void
scale(struct area *a, const struct plot *plots, int count, int which)
{
	const struct plot *p;
	double lowest = HUGE_VAL, highest = 0;
	int i, j, k;

	for (k = which / 2 * 2; k < which / 2 * 2 + 2 && k < count; k++)
		for (p = &plots[k], i = 0; i < p->count; i++)
			for (j = 0; j < 2; j++) {
				if (p->y[j][i] <= 0)
					continue;
				lowest = fmin(lowest, p->y[j][i]);
				highest = fmax(highest, p->y[j][i]);
			}
	if (highest <= 0)
		lowest = highest = 1;
	p = &plots[which];
	a->ymin = log10(rounded(lowest, 0));
	a->ymax = log10(rounded(highest, 1));
	a->xmin = log10(p->x[0]) - 0.1;
	a->xmax = log10(p->x[p->count - 1]) + 0.1;
}

/* The 1, 2 or 5 times a power of ten that is next below, or above. */
static double
rounded(double v, int up)
{
	static const double steps[] = { 1, 2, 5, 10 };
	double power = pow(10, floor(log10(v)));
	int i = up ? 0 : 2;

	if (up)
		while (i < 3 && steps[i] * power <= v)
			i++;
	else
		while (i > 0 && steps[i] * power >= v)
			i--;
	return (steps[i] * power);
}

static double
at_x(const struct area *a, double v)
{
	return (a->x + (log10(v) - a->xmin) / (a->xmax - a->xmin) *
	    (WIDTH - LEFT - RIGHT));
}

static double
at_y(const struct area *a, double v)
{
	return (a->y + (a->ymax - log10(v)) / (a->ymax - a->ymin) *
	    (HEIGHT - TOP - BOTTOM));
}

/* A line and a label at each size that was measured. */
static void
grid_x(const struct area *a, const struct plot *p)
{
	char text[32];
	int i;

	for (i = 0; i < p->count; i++) {
		put("<path d=\"M%.1f %.1fv%d\" stroke=\"#e4e4e4\"/>\n",
		    at_x(a, p->x[i]), a->y, HEIGHT - TOP - BOTTOM);
		if (p->x[i] < 1048576)
			snprintf(text, sizeof(text), "%.0fK",
			    p->x[i] / 1024);
		else
			snprintf(text, sizeof(text), "%.0fM",
			    p->x[i] / 1048576);
		put_text(at_x(a, p->x[i]), a->y + HEIGHT - TOP - BOTTOM + 16,
		    11, "middle", text);
	}
	put_text(a->x + (WIDTH - LEFT - RIGHT) / 2.0,
	    a->y + HEIGHT - TOP - BOTTOM + 36, 12, "middle",
	    "bytes of one request");
}

static void
grid_y(const struct area *a, const struct plot *p)
{
	char text[32];
	double v;
	int i, power;

	for (power = (int)floor(a->ymin); power <= a->ymax + 1e-9; power++)
		for (i = 1; i < 10; i++) {
			v = i * pow(10, power);
			if (log10(v) < a->ymin - 1e-9 ||
			    log10(v) > a->ymax + 1e-9)
				continue;
			put("<path d=\"M%.1f %.1fh%d\" stroke=\"%s\"/>\n",
			    a->x, at_y(a, v), WIDTH - LEFT - RIGHT,
			    i == 1 ? "#b0b0b0" : "#eeeeee");
			if (i != 1 && i != 2 && i != 5)
				continue;
			snprintf(text, sizeof(text), "%g", v);
			put_text(a->x - 6, at_y(a, v) + 4, 11, "end", text);
		}
	put_text(a->x - 6, a->y - 12, 12, "end", p->unit);
}

static void
line(const struct area *a, const struct plot *p, int side)
{
	const char *sep = "M";
	int i;

	put("<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"",
	    colours[side]);
	for (i = 0; i < p->count; i++) {
		if (p->y[side][i] <= 0)
			continue;
		put("%s%.1f %.1f", sep, at_x(a, p->x[i]),
		    at_y(a, p->y[side][i]));
		sep = "L";
	}
	put("\"/>\n");
	for (i = 0; i < p->count; i++)
		if (p->y[side][i] > 0)
			mark(at_x(a, p->x[i]), at_y(a, p->y[side][i]), side);
}

static void
mark(double x, double y, int side)
{
	if (side == 0)
		put("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n",
		    x, y, colours[side]);
	else
		put("<rect x=\"%.1f\" y=\"%.1f\" width=\"8\" height=\"8\" "
		    "fill=\"%s\"/>\n", x - 4, y - 4, colours[side]);
}
