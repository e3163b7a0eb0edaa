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
 * Each query of the back end once, without a daemon: a line each.  One that
 * is for a new process to answer goes to one.
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "query.h"
#include "tree.h"
#include "value.h"

int
main(int argc, char *argv[])
{
	struct value_writer w;
	char err[1024], next[16];
	int first = argc > 1 ? atoi(argv[1]) : 0, i;

	query_open();
	for (i = first; i < CMD_MAX; i++) {
		if (system_queries[i] == NULL)
			continue;
		err[0] = '\0';
		value_start(&w, VALUE_SIZE);
		if (system_queries[i](&w, err, sizeof(err)) == -1) {
			value_abort(&w);
			if (query_outlived) {
				if (i == first)
					return (2);
				snprintf(next, sizeof(next), "%d", i);
				fflush(stdout);
				execl(argv[0], argv[0], next, (char *)NULL);
				return (3);
			}
			printf("%s! %s\n", commands[i].name, err);
			if (err[0] == '\0')
				return (1);
		} else
			printf("%s: %s\n", commands[i].name, finish(&w));
	}
	return (0);
}
