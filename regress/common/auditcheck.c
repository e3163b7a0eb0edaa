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
 * auditcheck [FILE]: reads a log and holds each audit line to its form, as
 * a program that acts on it would: fields of "key=value" with one blank
 * between, a value bare (letters, digits and a few signs) or between quotes
 * (printable, no quote, a backslash only before xHH), the first three seq,
 * time and mono, seq one more than the line before has, mono not less.
 * Prints each as "key<TAB>value" lines, quotes undone, an empty line behind.
 * Exit status 1 at the first that is otherwise, with its number and a reason.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE	8192
#define MARK		": audit: "

static long	 number;
static char	 line[LINE_SIZE];

static void
die(const char *why, const char *at)
{
	fprintf(stderr, "line %ld: %s at '%.40s': %s", number, why, at, line);
	exit(1);
}

static int
hex(int c)
{
	return (isdigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	    -1);
}

static const char *
key(const char *p, char *out)
{
	const char *start = p;

	while (islower((unsigned char)*p) || *p == '-')
		p++;
	if (p == start || *p != '=' || p - start >= 64)
		die("no key", start);
	memcpy(out, start, (size_t)(p - start));
	out[p - start] = '\0';
	return (p + 1);
}

static const char *
quoted(const char *p, char *out)
{
	const char *start = p;

	for (; *p != '"'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			die("a control character or no end", start);
		if (*p != '\\') {
			*out++ = *p;
			continue;
		}
		if (p[1] != 'x' || hex(p[2]) == -1 || hex(p[3]) == -1)
			die("not \\xHH", p);
		*out++ = (char)(hex(p[2]) * 16 + hex(p[3]));
		p += 3;
	}
	*out = '\0';
	return (p + 1);
}

static const char *
bare(const char *p, char *out)
{
	const char *start = p;

	while (isalnum((unsigned char)*p) || (*p != '\0' &&
	    strchr("-._:/[]", *p) != NULL))
		*out++ = *p++;
	if (p == start)
		die("no value", start);
	*out = '\0';
	return (p);
}

static void
check(const char *p)
{
	static const char *const first[] = { "seq", "time", "mono" };
	static unsigned long long seq;
	static double mono;
	char name[64], value[LINE_SIZE];
	int n;

	for (n = 0;; n++) {
		p = key(p, name);
		p = *p == '"' ? quoted(p + 1, value) : bare(p, value);
		if (n < 3 && strcmp(name, first[n]) != 0)
			die("not the first", name);
		if (n == 0 && strtoull(value, NULL, 10) != ++seq)
			die("a gap", value);
		if (n == 2 && strtod(value, NULL) < mono)
			die("back in time", value);
		if (n == 2)
			mono = strtod(value, NULL);
		printf("%s\t%s\n", name, value);
		if (*p == '\n')
			break;
		if (*p++ != ' ')
			die("no blank", p - 1);
	}
	if (n < 3)
		die("too short", p);
	printf("\n");
}

int
main(int argc, char *argv[])
{
	const char *p;
	FILE *file = stdin;

	if (argc > 1 && (file = fopen(argv[1], "r")) == NULL) {
		perror(argv[1]);
		return (1);
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		number++;
		if (strchr(line, '\n') == NULL)
			die("too long", line);
		/* The log's own time stands before it, and nothing else. */
		p = line + strspn(line, "0123456789.");
		if (strncmp(p, MARK, strlen(MARK)) == 0)
			check(p + strlen(MARK));
	}
	return (0);
}
