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
 * A system without a sandbox of its own (NetBSD), or one for which none was
 * found: the ids, the empty root directory and the rlimits of confine.c are
 * all there is, and the log says so.
 */

#include <sys/types.h>

#include "confine.h"
#include "log.h"

const char *
sandbox_name(void)
{
	return ("rlimits alone");
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

int
sandbox_enter(const struct confinement *row, const char **what)
{
	(void)what;
	if (row->steps & STEP_SYSCALLS)
		log_info("this system has no sandbox: system calls are not"
		    " limited");
	return (0);
}
