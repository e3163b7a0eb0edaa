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
 * A file below a directory, however links and names in between are moved
 * about meanwhile.
 */

#ifndef FILE_H
#define FILE_H

#include <sys/types.h>

/*
 * As openat(2), of a relative path without "..", and never of anything that
 * is not below dir.  exact: nor of anything behind a link.  -1: errno; EXDEV
 * and ELOOP say that it led out, or by a link that may not be followed.
 */
int	 file_beneath(int dir, const char *, int flags, mode_t, int exact);
/* The same where the system has no call for it: no link is followed. */
int	 file_walk(int dir, const char *, int flags, mode_t);
/*
 * The directory that a rule names.  A link on the way is followed only where
 * none but root can have put it: ELOOP, if another could.
 */
int	 file_base(const char *);

#endif
