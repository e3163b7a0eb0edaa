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
 * Is a process confined as its role's row says?  Not what it says itself:
 * what the system says of it, confcheck-<system>.c.  For the self-test and
 * the tests; to be run as root.  Landlock is not to be seen from outside.
 */

#ifndef CONFCHECK_H
#define CONFCHECK_H

#include <sys/types.h>

#include "confine.h"

/* Called for each property, a constant; the others are valid meanwhile. */
typedef void confcheck_fn(void *, const char *property, int ok,
    const char *expected, const char *seen);

/*
 * ids: of the account it should have ended as; emptydir: the directory that a
 * role with STEP_CHROOT should have as its root.  How many properties are not
 * as they should be; -1: this system does not show them.
 */
int	 confinement_check(pid_t, enum role, const struct ids *,
	    const char *emptydir, confcheck_fn *, void *);

#endif
