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
 * FreeBSD: capability mode, and rights on the fixed descriptors.  Two roles
 * cannot have capability mode: query (most of the sysctls and getfsstat that
 * it reads are refused there) and exec (waiting for a child is).  They keep
 * the ids, chroot where they have it, rlimits and the limited descriptors,
 * and the log says which it is.  Not yet run on the system.
 */

#include <sys/types.h>
#include <sys/capsicum.h>
#include <sys/procctl.h>

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "confine.h"
#include "control.h"

static int	 in_mode;

static int	 limit_rights(int, cap_rights_t *);
static int	 limit_descriptors(void);

const char *
sandbox_name(void)
{
	return (in_mode ? "capsicum" : "descriptor rights, no capsicum");
}

/*
 * The kernel lets nobody but root suspend a file system: the freezer stays
 * root, in capability mode, with descriptors that do that and nothing else.
 */
uint32_t
sandbox_without(enum role role)
{
	return (role == ROLE_FREEZE || role == ROLE_KEEPER ? STEP_IDS : 0);
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
limit_rights(int fd, cap_rights_t *rights)
{
	/* EBADF: not open, which is as limited as it gets */
	return (cap_rights_limit(fd, rights) == -1 && errno != EBADF ? -1 :
	    0);
}

static int
limit_descriptors(void)
{
	cap_rights_t rights;

	cap_rights_init(&rights, CAP_READ, CAP_FSTAT);
	if (limit_rights(STDIN_FILENO, &rights) == -1)
		return (-1);
	cap_rights_init(&rights, CAP_WRITE, CAP_FSTAT);
	if (limit_rights(STDOUT_FILENO, &rights) == -1 ||
	    limit_rights(STDERR_FILENO, &rights) == -1)
		return (-1);
	cap_rights_init(&rights, CAP_READ, CAP_WRITE, CAP_EVENT, CAP_FSTAT,
	    CAP_GETSOCKOPT);
	return (limit_rights(CHILD_IMSG_FD, &rights));
}

int
sandbox_enter(const struct confinement *row, const char **what)
{
	int ctl;

	*what = "PROC_TRACE_CTL";
	ctl = PROC_TRACE_CTL_DISABLE;
	if (row->steps & STEP_UNDUMP && DEFENCE(CONTROL_UNDUMP) &&
	    procctl(P_PID, getpid(), PROC_TRACE_CTL, &ctl) == -1)
		return (-1);
#ifdef PROC_NO_NEW_PRIVS_CTL
	*what = "PROC_NO_NEW_PRIVS_CTL";
	ctl = PROC_NO_NEW_PRIVS_ENABLE;
	if (row->steps & STEP_NONEWPRIVS && DEFENCE(CONTROL_NONEWPRIVS) &&
	    procctl(P_PID, getpid(), PROC_NO_NEW_PRIVS_CTL, &ctl) == -1)
		return (-1);
#endif
	if (!(row->steps & STEP_SYSCALLS) || !DEFENCE(CONTROL_SYSCALLS))
		return (0);
	*what = "cap_rights_limit";
	if (limit_descriptors() == -1)
		return (-1);
	if (row->role == ROLE_QUERY || row->role == ROLE_EXEC_SPARE ||
	    row->role == ROLE_EXEC)
		return (0);
	*what = "cap_enter";
	if (cap_enter() == -1)
		return (-1);
	in_mode = 1;
	return (0);
}
