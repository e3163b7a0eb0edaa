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
 * One thing a back end does to its process or its system, so that its calls
 * are told:
 *	confine ROLE [UID GID]	as confine() does; without ids, they are kept
 *	shutdown MODE, suspend MODE, settime [NS]
 *	device PATH		whose it is: steps.c's device()
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "confine.h"
#include "log.h"
#include "messages.h"
#include "system.h"

int		 standin_device(const char *);
static void	 program(const char *, const struct system_program *);
static int	 role(const char *, const struct ids *);
static int	 suspend(unsigned int);

static void
program(const char *what, const struct system_program *p)
{
	size_t i;

	printf("%s", what);
	for (i = 0; p->argv[i] != NULL; i++)
		printf(" %s", p->argv[i]);
	printf("\n");
}

static int
role(const char *name, const struct ids *ids)
{
	int i;

	for (i = 0; i < ROLE_MAX; i++)
		if (strcmp(confinements[i].name, name) == 0) {
			confine((enum role)i, ids);
			printf("confined: %s\n", sandbox_name());
			return (0);
		}
	return (2);
}

static int
suspend(unsigned int mode)
{
	const struct system_suspend *s;
	char err[256] = "";
	unsigned int i;

	for (i = 0; (s = system_suspend(mode, i)) != NULL; i++) {
		printf("if %s, and %s: %d to %d\n", s->need, s->check.argv[0],
		    s->yes, s->yesmax);
		program("by", &s->act);
	}
	printf("sleep: %d %s\n", system_sleep(mode, err, sizeof(err)), err);
	return (0);
}

int
main(int argc, char *argv[])
{
	const struct system_program *p;
	struct ids ids;
	char err[256] = "";
	unsigned int i, mode;

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	log_init("steps", LEVEL_INFO);
	if (argc < 2)
		return (2);
	mode = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;
	if (strcmp(argv[1], "confine") == 0 && argc > 2) {
		memset(&ids, 0, sizeof(ids));
		if (argc > 4) {
			ids.uid = (uid_t)atoi(argv[3]);
			ids.gid = (gid_t)atoi(argv[4]);
			ids.drop = 1;
		}
		return (role(argv[2], &ids));
	}
	if (strcmp(argv[1], "shutdown") == 0)
		for (i = 0; (p = system_shutdown(mode, i)) != NULL; i++)
			program("by", p);
	else if (strcmp(argv[1], "suspend") == 0)
		return (suspend(mode));
	else if (strcmp(argv[1], "settime") == 0)
		printf("set: %d %s\n", system_set_time(argc > 2, argc > 2 ?
		    strtoull(argv[2], NULL, 10) : 0, err, sizeof(err)), err);
	else if (strcmp(argv[1], "device") == 0 && argc > 2)
		printf("device: %d\n", standin_device(argv[2]));
	else
		return (2);
	return (0);
}
