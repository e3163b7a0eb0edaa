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
 * FreeBSD's /dev/ufssuspend: one file system a descriptor.  Each call that
 * matters is told in its order.
 */

#include <sys/param.h>
#include <sys/capsicum.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/procctl.h>
#include <sys/resource.h>
#include <ufs/ffs/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "standin.h"

#define FIRST_FD	100
#define FDS		8

static struct {
	int		 open, rights, commands;
	int		 holds;		/* a file system's number, 0: none */
} fds[FDS];

int
refuse(int error)
{
	errno = error;
	return (-1);
}

char *
strerror(int error)
{
	static char noent[] = "No such file or directory";
	static char io[] = "Input/output error";
	static char other[] = "another error";

	return (error == ENOENT ? noent : error == EIO ? io : other);
}

static void
tell(const char *what, int fd)
{
	char line[32];

	(void)snprintf(line, sizeof(line), "%s %d", what, fd);
	host_tell(line);
}

static int
at(int fd)
{
	if (fd < FIRST_FD || fd >= FIRST_FD + FDS ||
	    !fds[fd - FIRST_FD].open)
		abort();
	return (fd - FIRST_FD);
}

int
getfsstat(struct statfs *v, long size, int how)
{
	static const struct {
		const char	*from, *on, *type;
		uint64_t	 flags;
	} mounts[] = {
		{ "/dev/gpt/root", "/", "ufs", MNT_LOCAL },
		{ "devfs", "/dev", "devfs", MNT_LOCAL },
		{ "/dev/mirror/m", "/home/a \"b\"", "ufs", MNT_LOCAL },
		{ "server:/export", "/nfs", "nfs", 0 },
		{ "zroot/data", "/data", "zfs", MNT_LOCAL },
		{ "/dev/md0", "/memory", "ufs", MNT_LOCAL },
		{ "/dev/cd0", "/media", "ufs", MNT_LOCAL | MNT_RDONLY }
	};
	size_t i, n = sizeof(mounts) / sizeof(mounts[0]);
	int e;

	if (how != MNT_NOWAIT)
		abort();
	if ((e = host_error("getfsstat")) != 0)
		return (refuse(e));
	if (v == NULL)
		return ((int)n);
	for (i = 0; i < n && i < (size_t)size / sizeof(*v); i++) {
		memset(&v[i], 0, sizeof(v[i]));
		(void)snprintf(v[i].f_mntfromname,
		    sizeof(v[i].f_mntfromname), "%s", mounts[i].from);
		(void)snprintf(v[i].f_mntonname, sizeof(v[i].f_mntonname),
		    "%s", mounts[i].on);
		(void)snprintf(v[i].f_fstypename, sizeof(v[i].f_fstypename),
		    "%s", mounts[i].type);
		v[i].f_flags = mounts[i].flags;
		v[i].f_fsid.val[0] = -3;
		v[i].f_fsid.val[1] = (int)i + 5;
	}
	return ((int)i);
}

int
getrlimit(int which, struct rlimit *rl)
{
	if (which != RLIMIT_NOFILE)
		abort();
	rl->rlim_cur = 64;
	rl->rlim_max = 4096;
	return (0);
}

int
setrlimit(int which, const struct rlimit *rl)
{
	if (which != RLIMIT_NOFILE || rl->rlim_cur != 4096)
		abort();
	return (0);
}

int
open(const char *path, int flags, ...)
{
	char line[64];
	int e, i;

	if ((e = host_error("open")) != 0)
		return (refuse(e));
	if ((flags & O_ACCMODE) != O_RDWR || !(flags & O_CLOEXEC))
		abort();
	for (i = 0; i < FDS && fds[i].open; i++)
		;
	if (i == FDS)
		abort();
	memset(&fds[i], 0, sizeof(fds[i]));
	fds[i].open = 1;
	(void)snprintf(line, sizeof(line), "open %s %d", path, FIRST_FD + i);
	host_tell(line);
	return (FIRST_FD + i);
}

int
close(int fd)
{
	fds[at(fd)].open = 0;
	tell("close", fd);
	return (0);
}

cap_rights_t *
__cap_rights_init(int version, cap_rights_t *rights, ...)
{
	va_list ap;

	/* The one right, and the end of the list. */
	va_start(ap, rights);
	if (version != CAP_RIGHTS_VERSION ||
	    va_arg(ap, unsigned long long) != CAP_IOCTL ||
	    va_arg(ap, unsigned long long) != 0)
		abort();
	va_end(ap);
	memset(rights, 0, sizeof(*rights));
	return (rights);
}

int
cap_rights_limit(int fd, const cap_rights_t *rights)
{
	int e;

	(void)rights;
	if ((e = host_error("cap_rights_limit")) != 0)
		return (refuse(e));
	fds[at(fd)].rights = 1;
	return (0);
}

int
cap_ioctls_limit(int fd, const cap_ioctl_t *commands, size_t n)
{
	int e;

	if (n != 2 || commands[0] != UFSSUSPEND || commands[1] != UFSRESUME)
		abort();
	if ((e = host_error("cap_ioctls_limit")) != 0)
		return (refuse(e));
	fds[at(fd)].commands = 1;
	tell("limit", fd);
	return (0);
}

int
ioctl(int fd, unsigned long command, ...)
{
	const fsid_t *id;
	va_list ap;
	int e, i = at(fd);
	char text[48];

	if (!fds[i].rights || !fds[i].commands)
		abort();
	if (command == UFSRESUME) {
		tell("resume", fd);
		if (fds[i].holds == 0)
			return (refuse(ENOENT));
		fds[i].holds = 0;
		return (0);
	}
	if (command != UFSSUSPEND)
		abort();
	va_start(ap, command);
	id = va_arg(ap, const fsid_t *);
	va_end(ap);
	(void)snprintf(text, sizeof(text), "suspend %d %d", fd, id->val[1]);
	host_tell(text);
	if (id->val[0] != -3)
		abort();
	if ((e = host_error("suspend")) != 0)
		return (refuse(e));
	if (fds[i].holds != 0)
		return (refuse(EBUSY));
	fds[i].holds = id->val[1];
	return (0);
}

void
sync(void)
{
	abort();
}

int
mlockall(int how)
{
	if (how != (MCL_CURRENT | MCL_FUTURE))
		abort();
	return (0);
}

pid_t
getpid(void)
{
	return (4711);
}

int
procctl(idtype_t type, id_t id, int command, void *data)
{
	if (type != P_PID || id != 4711 || command != PROC_SPROTECT ||
	    *(int *)data != PPROT_SET)
		abort();
	host_tell("lock");
	return (0);
}
