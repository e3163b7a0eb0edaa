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

/* OpenBSD's own. */

#include <sys/types.h>
#include <sys/disk.h>
#include <sys/mount.h>
#include <sys/sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include <net/route.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmp.h>

#include "standin.h"

#define UTMP_FD		77
#define MANY		500

const size_t	 route_round = sizeof(long);
const int	 route_neighbour = RTF_LLINFO | RTF_CLONED;

void
route_header(struct rt_msghdr *h)
{
	h->rtm_hdrlen = (unsigned short)sizeof(*h);
}

int
uname(struct utsname *u)
{
	int e;

	if ((e = host_error("uname")) != 0)
		return (refuse(e));
	memset(u, 0, sizeof(*u));
	strlcpy(u->sysname, "OpenBSD", sizeof(u->sysname));
	strlcpy(u->release, "7.8", sizeof(u->release));
	strlcpy(u->version, "GENERIC.MP#54", sizeof(u->version));
	strlcpy(u->machine, "amd64", sizeof(u->machine));
	return (0);
}

/* --- sysctl --- */

static int
answer_stats(void *old, size_t *oldlen)
{
	static struct diskstats v[MANY];
	size_t i, n = 2;

	if (host_shape() == SHAPE_HUGE)
		n = MANY;
	else if (host_shape() == SHAPE_EMPTY)
		n = 0;
	memset(v, 0, sizeof(v));
	for (i = 0; i < n; i++) {
		(void)snprintf(v[i].ds_name, sizeof(v[i].ds_name), "sd%zu",
		    i);
		v[i].ds_busy = 1;
		v[i].ds_rxfer = 100;
		v[i].ds_wxfer = 200;
		v[i].ds_rbytes = 51200;
		v[i].ds_wbytes = 1024;
		v[i].ds_time.tv_sec = 12;
		v[i].ds_time.tv_usec = 345678;
		if (host_shape() == SHAPE_HOSTILE)
			memset(&v[i], 0xff, sizeof(v[i]));
	}
	return (answer(old, oldlen, v, n * sizeof(v[0]) -
	    (host_shape() == SHAPE_CUT ? 3 : 0)));
}

static int
answer_names(void *old, size_t *oldlen)
{
	static char huge[MANY * 16];
	static const char hostile[] = ",,::,\377\"\\:x,"
	    "a-name-that-is-far-too-long-to-be-that-of-any-disk-of-theirs:1,"
	    "sd0";
	static const char names[] = "sd0:0011223344556677,sd1:,cd0:";
	size_t i, len = 0;

	switch (host_shape()) {
	case SHAPE_HUGE:
		for (i = 0; i < MANY; i++)
			len += (size_t)snprintf(huge + len,
			    sizeof(huge) - len, "%ssd%zu:", i > 0 ? "," : "",
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
	struct cpustats cs;

	memset(&cs, 0, sizeof(cs));
	if (host_shape() == SHAPE_HOSTILE)
		memset(&cs, 0xff, sizeof(cs));
	else if (cpu < 2) {
		cs.cs_time[CP_USER] = 128 + (uint64_t)cpu;
		cs.cs_time[CP_NICE] = 256;
		cs.cs_time[CP_SYS] = 64;
		cs.cs_time[CP_SPIN] = 64;
		cs.cs_time[CP_INTR] = 32;
		cs.cs_time[CP_IDLE] = 128000;
		cs.cs_flags = CPUSTATS_ONLINE;
	} else if (cpu > 2)
		return (refuse(ENOENT));
	return (answer(old, oldlen, &cs, sizeof(cs)));
}

int
sysctl(const int *mib, u_int n, void *old, size_t *oldlen, void *new,
    size_t newlen)
{
	struct clockinfo ci;
	int e, ncpu = 4;

	if (new != NULL || newlen != 0)
		abort();
	if ((e = host_error("sysctl")) != 0)
		return (refuse(e));
	if (n == 6 && mib[0] == CTL_NET && mib[1] == PF_ROUTE &&
	    mib[4] == NET_RT_DUMP)
		return (answer_routes(old, oldlen));
	if (n == 3 && mib[0] == CTL_KERN && mib[1] == KERN_CPUSTATS)
		return (answer_cpu(mib[2], old, oldlen));
	if (n == 2 && mib[0] == CTL_KERN && mib[1] == KERN_CLOCKRATE) {
		memset(&ci, 0, sizeof(ci));
		ci.hz = 100;
		ci.stathz = 128;
		return (answer(old, oldlen, &ci, sizeof(ci)));
	}
	if (n == 2 && mib[0] == CTL_HW && mib[1] == HW_NCPUFOUND) {
		if (host_shape() == SHAPE_HOSTILE)
			ncpu = INT32_MAX;
		return (answer(old, oldlen, &ncpu, sizeof(ncpu)));
	}
	if (n == 2 && mib[0] == CTL_HW && mib[1] == HW_DISKNAMES)
		return (answer_names(old, oldlen));
	if (n == 2 && mib[0] == CTL_HW && mib[1] == HW_DISKSTATS)
		return (answer_stats(old, oldlen));
	abort();
}

/* --- files --- */

int
stat(const char *path, struct stat *st)
{
	int e;

	if ((e = host_error("stat")) != 0)
		return (refuse(e));
	memset(st, 0, sizeof(*st));
	if (strncmp(path, "/dev/sd", 7) != 0)
		return (refuse(ENOENT));
	st->st_rdev = makedev(4, 2 + 16 * (path[7] - '0'));
	return (0);
}

static size_t	 utmp_at;

int
open(const char *path, int flags, ...)
{
	int e;

	if ((e = host_error("open")) != 0)
		return (refuse(e));
	if (strcmp(path, _PATH_UTMP) != 0 ||
	    (flags & O_ACCMODE) != O_RDONLY || !(flags & O_CLOEXEC))
		abort();
	utmp_at = 0;
	return (UTMP_FD);
}

int
close(int fd)
{
	if (fd != UTMP_FD)
		abort();
	return (0);
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

/* A thousand bytes at a time: records come in halves. */
ssize_t
read(int fd, void *buf, size_t size)
{
	static const struct {
		const char	*line, *name;
		time_t		 when;
	} who[] = {
		{ "ttyC0", "root", 1700000100 },
		{ "ttyC1", "", 0 },		/* has left */
		{ "ttyp0", "eve", 1700000300 },
		{ "ttyp1", "root", 1700000050 }
	};
	static struct utmp file[6000];
	size_t i, len, n;
	int e;

	if (fd != UTMP_FD)
		abort();
	if ((e = host_error("read")) != 0)
		return (refuse(e));
	n = sizeof(who) / sizeof(who[0]);
	memset(file, 0, sizeof(file));
	for (i = 0; i < n; i++) {
		strlcpy(file[i].ut_line, who[i].line, sizeof(file[i].ut_line));
		strlcpy(file[i].ut_name, who[i].name, sizeof(file[i].ut_name));
		file[i].ut_time = who[i].when;
	}
	if (host_shape() == SHAPE_EMPTY)
		n = 0;
	if (host_shape() == SHAPE_HUGE)
		for (n = 0; n < sizeof(file) / sizeof(file[0]); n++) {
			file[n].ut_line[0] = 't';
			(void)snprintf(file[n].ut_name,
			    sizeof(file[n].ut_name), "u%zu", n % 4000);
		}
	if (host_shape() == SHAPE_HOSTILE)
		memset(file, 0xff, n * sizeof(file[0]));
	len = n * sizeof(file[0]) - (host_shape() == SHAPE_CUT ? 5 : 0);
	if (size > 1000)
		size = 1000;
	if (size > len - utmp_at)
		size = len - utmp_at;
	memcpy(buf, (char *)file + utmp_at, size);
	utmp_at += size;
	return ((ssize_t)size);
}

/* --- mounts --- */

int
getfsstat(struct statfs *v, size_t size, int how)
{
	static const struct {
		const char	*from, *on, *type;
		unsigned int	 flags;
	} mounts[] = {
		{ "/dev/sd0a", "/", "ffs", MNT_LOCAL },
		{ "/dev/sd0d", "/home/a \"b\"", "ffs", MNT_LOCAL },
		{ "mfs:123", "/tmp", "mfs", MNT_LOCAL },
		{ "server:/export", "/nfs", "nfs", 0 },
		{ "/dev/cd0a", "/mnt", "cd9660", MNT_LOCAL | MNT_RDONLY }
	};
	size_t i, n = sizeof(mounts) / sizeof(mounts[0]);
	int e;

	if (how != MNT_NOWAIT)
		abort();
	if ((e = host_error("getfsstat")) != 0)
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
		strlcpy(v[i].f_mntfromname, mounts[i % 5].from,
		    sizeof(v[i].f_mntfromname));
		strlcpy(v[i].f_mntonname, mounts[i % 5].on,
		    sizeof(v[i].f_mntonname));
		strlcpy(v[i].f_fstypename, mounts[i % 5].type,
		    sizeof(v[i].f_fstypename));
		v[i].f_flags = mounts[i % 5].flags;
		v[i].f_bsize = 2048;
		v[i].f_blocks = 1000;
		v[i].f_bfree = 400;
		v[i].f_bavail = i == 1 ? -50 : 350;
	}
	return ((int)i);
}
