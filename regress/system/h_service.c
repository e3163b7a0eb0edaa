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
 * Stands where a service's script expects qgad: adds a line with its
 * arguments to PROGRAM.args and becomes PROGRAM.real under the name it was
 * called by, for scripts look for that.  A --thaw is only written down.
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	char path[PATH_MAX];
	FILE *file;
	int i, thaw = 0;

	snprintf(path, sizeof(path), "%s.args", argv[0]);
	if ((file = fopen(path, "a")) == NULL)
		return (1);
	for (i = 1; i < argc; i++) {
		fprintf(file, "%s%s", i > 1 ? " " : "", argv[i]);
		thaw |= strcmp(argv[i], "--thaw") == 0;
	}
	fputc('\n', file);
	if (fclose(file) != 0)
		return (1);
	if (thaw)
		return (0);
	snprintf(path, sizeof(path), "%s.real", argv[0]);
	execv(path, argv);
	perror(path);
	return (1);
}
