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
 * The freezer's half of a system, without the freezer: finds, freezes in
 * order, thaws in reverse, and thaws the first once more.
 * Arguments: -p what it would do, -x PREFIXES left out, mount points.
 */

#include <stdio.h>
#include <string.h>

#include "freeze.h"

static void	 show(void *, enum freeze_verdict, const char *, const char *,
		    const char *);

static void
show(void *arg, enum freeze_verdict verdict, const char *point,
    const char *type, const char *why)
{
	(void)arg;
	printf("%d %s %s: %s\n", (int)verdict, type, point, why);
}

int
main(int argc, char *argv[])
{
	struct freeze_list l;
	const char *exclude = "";
	char text[1024];
	size_t i;

	if (argc > 1 && strcmp(argv[1], "-p") == 0)
		return (freeze_plan("/home", show, NULL) == -1);
	if (argc > 2 && strcmp(argv[1], "-x") == 0) {
		exclude = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (freeze_find(argc > 1 ? argv + 1 : NULL, (size_t)argc - 1, exclude,
	    &l, text, sizeof(text)) == -1) {
		printf("failed: %s\n", text);
		return (0);
	}
	for (i = 0; i < l.n; i++)
		printf("found %s %u\n", l.fs[i].path,
		    (unsigned int)l.fs[i].minor);
	if (freeze_lock_memory() != NULL)
		return (1);
	text[0] = '\0';
	for (i = 0; i < l.n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s %s %d", i == 0 ? "frozen:" : ",", l.fs[i].path,
		    fs_freeze(l.fs[i].fd));
	printf("%s\n", text);
	text[0] = '\0';
	for (i = l.n; i > 0; i--)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s %s %d", i == l.n ? "thawed:" : ",", l.fs[i - 1].path,
		    fs_thaw(l.fs[i - 1].fd));
	printf("%s\n", text);
	if (l.n > 0)
		printf("again: %d\n", fs_thaw(l.fs[0].fd));
	return (0);
}
