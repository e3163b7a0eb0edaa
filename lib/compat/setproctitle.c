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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * ps shows the bytes that execve(2) laid out for argv and, right behind, for
 * the environment: a title is written over the former, so main()'s strings
 * are copied away first.  Without setproctitle_init() nothing happens.
 */

static char	*area;
static size_t	 arealen;

void
setproctitle_init(int argc, char *argv[], char *envp[])
{
	char *copy, *end = NULL;
	int i;

	(void)envp;
	if (area != NULL || argc < 1 || argv[0] == NULL)
		return;
	for (i = 0; i < argc; i++) {
		if (end != NULL && argv[i] != end)
			break;		/* not in one piece: use the first */
		end = argv[i] + strlen(argv[i]) + 1;
	}
	arealen = (size_t)(end - argv[0]);
	copy = argv[0];
	for (i = 0; i < argc; i++) {
		if ((argv[i] = strdup(argv[i])) == NULL)
			abort();
	}
#if defined(__GLIBC__)
	/* They point into what is about to be overwritten. */
	program_invocation_name = argv[0];
	program_invocation_short_name = strrchr(argv[0], '/');
	if (program_invocation_short_name == NULL)
		program_invocation_short_name = argv[0];
	else
		program_invocation_short_name++;
#endif
	area = copy;
}

void
setproctitle(const char *fmt, ...)
{
	char title[256];
	va_list ap;
	int n = 0;

	if (area == NULL || fmt == NULL)
		return;
	if (fmt[0] == '-')
		fmt++;
	else
		n = snprintf(title, sizeof(title), "%s: ", getprogname());
	if (n < 0 || (size_t)n >= sizeof(title))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(title + n, sizeof(title) - (size_t)n, fmt, ap);
	va_end(ap);
	memset(area, 0, arealen);
	(void)strlcpy(area, title, arealen);
}
