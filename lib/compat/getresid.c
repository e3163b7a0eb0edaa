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

#include <sys/types.h>
#include <sys/sysctl.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The kernel's own record of this process: the saved ids are in no libc. */

#if defined(__APPLE__)
static int
saved(uid_t *uid, gid_t *gid)
{
	int mib[4] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, getpid() };
	struct kinfo_proc kp;
	size_t len = sizeof(kp);

	memset(&kp, 0, sizeof(kp));
	if (sysctl(mib, 4, &kp, &len, NULL, 0) == -1)
		return (-1);
	if (len != sizeof(kp)) {
		errno = ESRCH;
		return (-1);
	}
	*uid = kp.kp_eproc.e_pcred.p_svuid;
	*gid = kp.kp_eproc.e_pcred.p_svgid;
	return (0);
}
#elif defined(__NetBSD__)
static int
saved(uid_t *uid, gid_t *gid)
{
	struct kinfo_proc2 kp;
	int mib[6] = { CTL_KERN, KERN_PROC2, KERN_PROC_PID, getpid(),
	    (int)sizeof(kp), 1 };
	size_t len = sizeof(kp);

	memset(&kp, 0, sizeof(kp));
	if (sysctl(mib, 6, &kp, &len, NULL, 0) == -1)
		return (-1);
	if (len != sizeof(kp)) {
		errno = ESRCH;
		return (-1);
	}
	*uid = kp.p_svuid;
	*gid = kp.p_svgid;
	return (0);
}
#else
#error "getresuid: how does this system tell a process's saved ids?"
#endif

int
getresuid(uid_t *r, uid_t *e, uid_t *s)
{
	gid_t unused;

	*r = getuid();
	*e = geteuid();
	return (saved(s, &unused));
}

int
getresgid(gid_t *r, gid_t *e, gid_t *s)
{
	uid_t unused;

	*r = getgid();
	*e = getegid();
	return (saved(&unused, s));
}
