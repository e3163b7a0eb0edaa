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
#include <stdio.h>
#include <string.h>

#include "agents.h"
#include "figures.h"

static int	 print_row(const struct figure *, int);
static double	 median_ratio(const struct figure *, int);
static int	 is_missed(const struct figure *, double, double);

int
figures_print(const struct group *g, int rounds)
{
	int i, missed = 0;

	printf("\n%-29s %12s %12s %7s  %s\n", g->title, agents[0].name,
	    agents[1].name, "ratio", "target");
	for (i = 0; i < g->count; i++)
		missed += print_row(&g->figures[i], rounds);
	return (missed);
}

/* Returns 1 if the target is missed. */
static int
print_row(const struct figure *f, int rounds)
{
	static const char *const signs[] = {
		[AT_MOST] = "<=", [AT_LEAST] = ">=", [EXACTLY] = "is"
	};
	double r, v[2];
	char text[3][32] = { "-", "-", "-" };
	int i, missed;

	for (i = 0; i < 2; i++) {
		v[i] = figure_median(f->value[i], rounds);
		if (v[i] != NONE)
			snprintf(text[i], sizeof(text[i]),
			    f->how == GROWTH ? "%.2f" : "%.1f", v[i]);
	}
	/* Nothing of either: it was not measured. */
	if (v[0] == NONE && v[1] == NONE)
		return (0);
	r = median_ratio(f, rounds);
	if (r != NONE)
		snprintf(text[2], sizeof(text[2]), "%.2f", r);
	missed = is_missed(f, r, v[0]);
	printf("%-25s %3s %12s %12s %7s", f->name, f->unit, text[0], text[1],
	    text[2]);
	if (f->how != REPORTED && f->how != GROWTH)
		printf("  %s %-5.3g %s", signs[f->how], f->target, !missed ?
		    (r == NONE && f->how != EXACTLY ? "" : "ok") :
		    f->how == AT_LEAST ? "under" : "over");
	putchar('\n');
	return (missed);
}

double
figure_median(const double *values, int rounds)
{
	double v[MAX_ROUNDS];
	int i, n = 0;

	for (i = 0; i < rounds; i++)
		if (values[i] != NONE)
			v[n++] = values[i];
	return (n == 0 ? NONE : quantile(v, n, 0.5));
}

/* Of the rounds' ratios. */
static double
median_ratio(const struct figure *f, int rounds)
{
	double ratio[MAX_ROUNDS];
	int i;

	for (i = 0; i < rounds; i++)
		ratio[i] = f->value[0][i] == NONE || f->value[1][i] <= 0 ||
		    f->how == EXACTLY || f->how == GROWTH ? NONE :
		    f->value[0][i] / f->value[1][i];
	return (figure_median(ratio, rounds));
}

static int
is_missed(const struct figure *f, double ratio, double own)
{
	switch (f->how) {
	case AT_MOST:
		return (ratio != NONE && ratio > f->target);
	case AT_LEAST:
		return (ratio != NONE && ratio < f->target);
	case EXACTLY:
		return (own > f->target || own < f->target);
	default:
		return (0);
	}
}

void
figures_csv(FILE *out, const struct group *g, int rounds)
{
	const struct figure *f;
	int i, j;

	for (i = 0; i < g->count; i++)
		for (f = &g->figures[i], j = 0; j < rounds; j++)
			if (f->value[0][j] != NONE || f->value[1][j] != NONE)
				fprintf(out, "%s,\"%s\",%s,%d,%.3f,%.3f\n",
				    g->name, f->name, f->unit, j + 1,
				    f->value[0][j], f->value[1][j]);
}

void
figures_targets(const struct group *g)
{
	const struct figure *f;
	int i;

	for (i = 0; i < g->count; i++) {
		f = &g->figures[i];
		if (f->how == EXACTLY)
			printf("%-29s %g\n", f->name, f->target);
		else if (f->how == AT_MOST || f->how == AT_LEAST)
			printf("%-29s at %s %.3g times\n", f->name,
			    f->how == AT_MOST ? "most" : "least", f->target);
	}
}
