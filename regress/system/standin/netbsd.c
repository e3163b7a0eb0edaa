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

/* NetBSD's own. */

#include <sys/types.h>
#include <sys/cpuio.h>
#include <sys/ioctl.h>
#include <sys/iostat.h>
#include <sys/sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include <net/route.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmpx.h>

#include "standin.h"

#define CPUCTL_FD	78
#define MANY		500

const size_t	 route_round = sizeof(uint64_t);
const int	 route_neighbour = RTF_LLDATA;

void
route_header(struct rt_msghdr *h)
{
	(void)h;
}

int
uname(struct utsname *u)
{
	int e;

	if ((e = host_error("uname")) != 0)
		return (refuse(e));
	memset(u, 0, sizeof(*u));
	(void)snprintf(u->sysname, sizeof(u->sysname), "NetBSD");
	(void)snprintf(u->release, sizeof(u->release), "11.0");
	(void)snprintf(u->version, sizeof(u->version),
	    "NetBSD 11.0 (GENERIC)");
	(void)snprintf(u->machine, sizeof(u->machine), "amd64");
	return (0);
}

/* --- sysctl --- */

static int
answer_stats(void *old, size_t *oldlen)
{
	static struct io_sysctl v[MANY];
	size_t i, n = 3;

	if (host_shape() == SHAPE_HUGE)
		n = MANY;
	else if (host_shape() == SHAPE_EMPTY)
		n = 0;
	memset(v, 0, sizeof(v));
	for (i = 0; i < n; i++) {
		(void)snprintf(v[i].name, sizeof(v[i].name), "wd%zu", i);
		v[i].type = i == 1 ? IOSTAT_TAPE : IOSTAT_DISK;
		v[i].busy = 1;
		v[i].rxfer = 100;
		v[i].wxfer = 200;
		v[i].rbytes = 51200;
		v[i].wbytes = 1024;
		v[i].time_sec = 12;
		v[i].time_usec = 345678;
		if (host_shape() == SHAPE_HOSTILE) {
			memset(&v[i], 0xff, sizeof(v[i]));
			v[i].type = IOSTAT_DISK;
		}
	}
	return (answer(old, oldlen, v, n * sizeof(v[0]) -
	    (host_shape() == SHAPE_CUT ? 3 : 0)));
}

static int
answer_names(void *old, size_t *oldlen)
{
	static char huge[MANY * 16];
	static const char hostile[] = "  \377\"\\ dk dkx "
	    "a-name-that-is-far-too-long-to-be-that-of-any-disk-of-theirs "
	    "wd0";
	static const char names[] = "wd0 cd0 dk0 dk1";
	size_t i, len = 0;

	switch (host_shape()) {
	case SHAPE_HUGE:
		for (i = 0; i < MANY; i++)
			len += (size_t)snprintf(huge + len,
			    sizeof(huge) - len, "%swd%zu", i > 0 ? " " : "",
			    i);
		return (answer(old, oldlen, huge, len + 1));
	case SHAPE_HOSTILE:
		/* Without its NUL. */
		return (answer(old, oldlen, hostile, sizeof(hostile) - 1));
	case SHAPE_EMPTY:
		return (answer(old, oldlen, "", 1));
	default:
		return (answer(old, oldlen, names, sizeof(names)));
	}
}

static int
answer_cpu(int cpu, void *old, size_t *oldlen)
{
	uint64_t t[CPUSTATES];

	memset(t, 0, sizeof(t));
	if (host_shape() == SHAPE_HOSTILE)
		memset(t, 0xff, sizeof(t));
	else {
		t[CP_USER] = 128 + (uint64_t)cpu;
		t[CP_NICE] = 256;
		t[CP_SYS] = 128;
		t[CP_INTR] = 32;
		t[CP_IDLE] = 128000;
	}
	return (answer(old, oldlen, t, sizeof(t)));
}

int
sysctl(const int *mib, u_int n, void *old, size_t *oldlen, const void *new,
    size_t newlen)
{
	struct clockinfo ci;
	int e, value;

	if (new != NULL || newlen != 0)
		abort();
	if ((e = host_error("sysctl")) != 0)
		return (refuse(e));
	if (n == 6 && mib[0] == CTL_NET && mib[1] == PF_ROUTE &&
	    mib[4] == NET_RT_DUMP)
		return (answer_routes(old, oldlen));
	if (n == 3 && mib[0] == CTL_KERN && mib[1] == KERN_CP_TIME)
		return (answer_cpu(mib[2], old, oldlen));
	if (n == 3 && mib[0] == CTL_HW && mib[1] == HW_IOSTATS &&
	    mib[2] == (int)sizeof(struct io_sysctl))
		return (answer_stats(old, oldlen));
	if (n == 2 && mib[0] == CTL_KERN && mib[1] == KERN_CLOCKRATE) {
		memset(&ci, 0, sizeof(ci));
		ci.hz = 100;
		ci.stathz = 128;
		return (answer(old, oldlen, &ci, sizeof(ci)));
	}
	if (n == 2 && mib[0] == CTL_HW && mib[1] == HW_DISKNAMES)
		return (answer_names(old, oldlen));
	if (n == 2 && mib[0] == CTL_HW && mib[1] == HW_NCPU)
		value = host_shape() == SHAPE_HOSTILE ? INT32_MAX : 3;
	else if (n == 2 && mib[0] == CTL_HW && mib[1] == HW_NCPUONLINE)
		value = host_shape() == SHAPE_HOSTILE ? INT32_MIN : 2;
	else if (n == 2 && mib[0] == CTL_KERN && mib[1] == KERN_RAWPARTITION)
		value = host_shape() == SHAPE_HOSTILE ? -5 : 3;
	else
		abort();
	return (answer(old, oldlen, &value, sizeof(value)));
}

/* --- files --- */

int
stat(const char *restrict path, struct stat *restrict st)
{
	int e;

	if ((e = host_error("stat")) != 0)
		return (refuse(e));
	memset(st, 0, sizeof(*st));
	if (strncmp(path, "/dev/wd", 7) != 0)
		return (refuse(ENOENT));
	st->st_rdev = makedev(0, 3 + 8 * (path[7] - '0'));
	return (0);
}

int
open(const char *path, int flags, ...)
{
	int e;

	if ((e = host_error("open")) != 0)
		return (refuse(e));
	if (strcmp(path, "/dev/cpuctl") != 0 ||
	    (flags & O_ACCMODE) != O_RDONLY || !(flags & O_CLOEXEC))
		abort();
	return (CPUCTL_FD);
}

int
close(int fd)
{
	(void)fd;
	abort();
}

ssize_t
pread(int fd, void *buf, size_t size, off_t at)
{
	(void)fd;
	(void)buf;
	(void)size;
	(void)at;
	abort();
}

ssize_t
read(int fd, void *buf, size_t size)
{
	(void)fd;
	(void)buf;
	(void)size;
	abort();
}

int
ioctl(int fd, unsigned long request, ...)
{
	cpustate_t *cs;
	va_list ap;
	int e;

	if (fd == -1)
		return (refuse(EBADF));
	if (fd != CPUCTL_FD || request != IOC_CPU_GETSTATE)
		abort();
	if ((e = host_error("ioctl")) != 0)
		return (refuse(e));
	va_start(ap, request);
	cs = va_arg(ap, cpustate_t *);
	va_end(ap);
	cs->cs_online = cs->cs_id != 1;
	return (0);
}

static size_t	 utmpx_at;

void
setutxent(void)
{
	utmpx_at = 0;
}

void
endutxent(void)
{
}

struct utmpx *
getutxent(void)
{
	static const struct {
		uint16_t	 type;
		const char	*name;
		time_t		 when;
	} who[] = {
		{ BOOT_TIME, "", 1699999999 },
		{ USER_PROCESS, "root", 1700000100 },
		{ DEAD_PROCESS, "gone", 1700000200 },
		{ USER_PROCESS, "eve", 1700000300 },
		{ USER_PROCESS, "root", 1700000050 }
	};
	static struct utmpx u;

	memset(&u, 0, sizeof(u));
	if (host_shape() == SHAPE_HUGE && utmpx_at < 6000) {
		u.ut_type = USER_PROCESS;
		(void)snprintf(u.ut_name, sizeof(u.ut_name), "u%zu",
		    utmpx_at++ % 4000);
		return (&u);
	}
	if (utmpx_at >= sizeof(who) / sizeof(who[0]) ||
	    host_shape() == SHAPE_EMPTY)
		return (NULL);
	if (host_shape() == SHAPE_HOSTILE)
		memset(&u, 0xff, sizeof(u));
	else
		(void)snprintf(u.ut_name, sizeof(u.ut_name), "%s",
		    who[utmpx_at].name);
	u.ut_type = who[utmpx_at].type;
	u.ut_tv.tv_sec = who[utmpx_at].when;
	u.ut_tv.tv_usec = 500000;
	utmpx_at++;
	return (&u);
}

/* --- mounts --- */

int
getvfsstat(struct statvfs *v, size_t size, int how)
{
	static const struct {
		const char	*from, *on, *type;
		unsigned long	 flags;
	} mounts[] = {
		{ "/dev/dk0", "/", "ffs", ST_LOCAL },
		{ "/dev/wd0e", "/home/a \"b\"", "ffs", ST_LOCAL },
		{ "tmpfs", "/tmp", "tmpfs", ST_LOCAL },
		{ "server:/export", "/nfs", "nfs", 0 },
		{ "tank/data", "/tank", "zfs", ST_LOCAL },
		{ "/dev/puffs", "/ssh", "puffs|psshfs", ST_LOCAL }
	};
	size_t i, n = sizeof(mounts) / sizeof(mounts[0]);
	int e;

	if (how != ST_NOWAIT)
		abort();
	if ((e = host_error("getvfsstat")) != 0)
		return (refuse(e));
	if (host_shape() == SHAPE_EMPTY)
		n = 0;
	if (host_shape() == SHAPE_HUGE)
		n = 10000;
	if (v == NULL)
		return ((int)(host_shape() == SHAPE_GROWS ? n - 2 : n));
	for (i = 0; i < n && i < size / sizeof(*v); i++) {
		memset(&v[i], 0, sizeof(v[i]));
		if (host_shape() == SHAPE_HOSTILE) {
			memset(&v[i], 0xff, sizeof(v[i]));
			memcpy(v[i].f_mntfromname, "/dev/", 5);
			continue;
		}
		(void)snprintf(v[i].f_mntfromname,
		    sizeof(v[i].f_mntfromname), "%s", mounts[i % 6].from);
		(void)snprintf(v[i].f_mntonname, sizeof(v[i].f_mntonname),
		    "%s", mounts[i % 6].on);
		(void)snprintf(v[i].f_fstypename, sizeof(v[i].f_fstypename),
		    "%s", mounts[i % 6].type);
		v[i].f_flag = mounts[i % 6].flags;
		v[i].f_frsize = 2048;
		v[i].f_blocks = 1000;
		v[i].f_bfree = 400;
		v[i].f_bavail = i == 1 ? 0 : 350;
	}
	return ((int)i);
}
