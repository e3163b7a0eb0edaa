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
 * OpenBSD: unveil and pledge.  A promise that is broken ends the process
 * with SIGABRT.  A process whose uid changed cannot be traced, and keeps no
 * capability: nothing to do for those steps.  Not yet run on the system.
 */

#include <sys/types.h>

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "confine.h"
#include "control.h"

static int	 unveil_query(void);

static const char *const promises[ROLE_MAX] = {
	[ROLE_FRONTEND] = "stdio recvfd",	/* channel, data sockets */
	[ROLE_QUERY] = "stdio rpath route vminfo",
	[ROLE_EXEC_SPARE] = "stdio recvfd",
	[ROLE_EXEC] = "stdio recvfd",		/* where output goes */
	[ROLE_FILE] = "stdio recvfd",		/* its file is open */
	[ROLE_LOG] = "stdio"			/* its log is open */
};

/* One that is not there is left out. */
static const char *const query_paths[] = {
	"/etc/localtime",
	"/usr/share/zoneinfo",
	"/var/run/utmp"
};

const char *
sandbox_name(void)
{
	return ("pledge, unveil");
}

uint32_t
sandbox_without(enum role role)
{
	(void)role;
	return (0);
}

int
sandbox_prepare(const struct confinement *row, const char **what)
{
	(void)row;
	(void)what;
	return (0);
}

int
sandbox_privs(const struct confinement *row, const char **what)
{
	(void)row;
	(void)what;
	return (0);
}

static int
unveil_query(void)
{
	size_t i;

	for (i = 0; i < sizeof(query_paths) / sizeof(query_paths[0]); i++)
		if (unveil(query_paths[i], "r") == -1 && errno != ENOENT)
			return (-1);
	return (0);
}

int
sandbox_enter(const struct confinement *row, const char **what)
{
	if (!(row->steps & STEP_SYSCALLS) || !DEFENCE(CONTROL_SYSCALLS))
		return (0);
	*what = "unveil";
	if (row->role == ROLE_QUERY) {
		if (unveil_query() == -1)
			return (-1);
	} else if (unveil("/", "") == -1)
		return (-1);
	if (unveil(NULL, NULL) == -1)
		return (-1);
	*what = "pledge";
	if (promises[row->role] == NULL) {
		errno = EINVAL;
		return (-1);
	}
	return (pledge(promises[row->role], NULL));
}
