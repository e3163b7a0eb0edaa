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
#include <unistd.h>

/*
 * For systems without the calls (NetBSD, macOS).  The one use this project
 * has is giving root up for good, all three ids the same; anything else
 * fails rather than be done by halves.  There setuid(2) and setgid(2) by
 * root set the saved id too.
 */

#if !defined(HAVE_SETRESGID)
int
setresgid(gid_t r, gid_t e, gid_t s)
{
	if (r != e || e != s) {
		errno = ENOSYS;
		return (-1);
	}
	if (setgid(r) == -1)
		return (-1);
	if (getgid() != r || getegid() != r) {
		errno = EPERM;
		return (-1);
	}
	return (0);
}
#endif

#if !defined(HAVE_SETRESUID)
int
setresuid(uid_t r, uid_t e, uid_t s)
{
	if (r != e || e != s) {
		errno = ENOSYS;
		return (-1);
	}
	if (setuid(r) == -1)
		return (-1);
	if (getuid() != r || geteuid() != r) {
		errno = EPERM;
		return (-1);
	}
	/* A saved id of root's would let this succeed. */
	if (r != 0 && (seteuid(0) != -1 || setuid(0) != -1)) {
		errno = EPERM;
		return (-1);
	}
	return (0);
}
#endif
