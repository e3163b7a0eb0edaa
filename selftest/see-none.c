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
 * Systems for which nobody has written it yet.
 */

#include <errno.h>

#include "see.h"

int
see_processes(struct process **procs, size_t *n)
{
	*procs = NULL;
	*n = 0;
	errno = ENOSYS;
	return (-1);
}

int
see_holds(pid_t pid, const char *path)
{
	(void)pid;
	(void)path;
	errno = ENOSYS;
	return (-1);
}

int
see_listens(const char *path)
{
	(void)path;
	return (0);
}

enum password
see_password(const char *user)
{
	(void)user;
	return (PASSWORD_UNSEEN);
}

void
see_tie(void)
{
}
