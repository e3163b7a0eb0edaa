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
 * The lines, kept until all is known, then printed for a terminal of 80
 * columns or as one JSON object.  What they name may be anything: it is made
 * visible first, and no byte of it is other than printable ASCII then.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selftest.h"

#define COLUMNS		79
#define MARGIN		9	/* of the text */

struct line {
	enum status	 status;
	char		*name, *detail;
};

static const char *const statuses[STATUS_MAX] = {
	[OK] = "ok",
	[WARNING] = "warning",
	[FAILURE] = "failure"
};

static struct line	*lines;
static size_t		 nlines;

static char	*keep(const char *);
static void	 print_text(const struct line *);
static void	 print_json(const char *);

static char *
keep(const char *text)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p;
	char *copy, *to;

	if ((copy = malloc(strlen(text) * 4 + 1)) == NULL)
		fatal("malloc");
	for (p = (const unsigned char *)text, to = copy; *p != '\0'; p++)
		if (*p < ' ' || *p > '~') {
			*to++ = '\\';
			*to++ = 'x';
			*to++ = hex[*p >> 4];
			*to++ = hex[*p & 15];
		} else
			*to++ = (char)*p;
	*to = '\0';
	return (copy);
}

void
say(enum status status, const char *name, const char *fmt, ...)
{
	char text[4096];
	struct line *more;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if ((more = reallocarray(lines, nlines + 1, sizeof(*lines))) == NULL)
		fatal("reallocarray");
	lines = more;
	lines[nlines].status = status;
	lines[nlines].name = keep(name);
	lines[nlines++].detail = keep(text);
}

enum status
worst(const char *name)
{
	enum status status = OK;
	size_t i;

	for (i = 0; i < nlines; i++)
		if ((name == NULL || strcmp(lines[i].name, name) == 0) &&
		    lines[i].status > status)
			status = lines[i].status;
	return (status);
}

void
failing(char *names, size_t size)
{
	size_t i, len = 0;

	*names = '\0';
	for (i = 0; i < nlines; i++) {
		if (lines[i].status != FAILURE || len >= size)
			continue;
		len += (size_t)snprintf(names + len, size - len, "%s%s",
		    len > 0 ? ", " : "", lines[i].name);
	}
}

/* "status   name: detail", broken at blanks. */
static void
print_text(const struct line *l)
{
	const char *p;
	size_t column, word;

	column = MARGIN + strlen(l->name) + 1;
	printf("%-*s%s:", MARGIN, statuses[l->status], l->name);
	for (p = l->detail; *p != '\0'; p += word) {
		p += strspn(p, " ");
		word = strcspn(p, " ");
		if (column + 1 + word > COLUMNS && column > MARGIN) {
			printf("\n%*s", MARGIN, "");
			column = MARGIN;
		} else {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)word, p);
		column += word;
	}
	putchar('\n');
}

static void
print_json(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

size_t
say_all(int json)
{
	size_t i, count[STATUS_MAX] = { 0 };

	for (i = 0; i < nlines; i++)
		count[lines[i].status]++;
	if (json)
		printf("{\"version\": \"%s\", \"status\": \"%s\", "
		    "\"checks\": [", QGAD_VERSION, statuses[worst(NULL)]);
	for (i = 0; i < nlines; i++) {
		if (!json) {
			print_text(&lines[i]);
			continue;
		}
		printf("%s{\"name\": ", i > 0 ? ",\n" : "\n");
		print_json(lines[i].name);
		printf(", \"status\": \"%s\", \"detail\": ",
		    statuses[lines[i].status]);
		print_json(lines[i].detail);
		putchar('}');
	}
	if (json)
		printf("\n]}\n");
	else
		printf("\n%zu ok, warnings: %zu, failures: %zu\n", count[OK],
		    count[WARNING], count[FAILURE]);
	if (fflush(stdout) == EOF)
		fatal("standard output");
	return (count[FAILURE]);
}
