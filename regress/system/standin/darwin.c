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

/* macOS's own. */

#include <sys/param.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include <mach/mach.h>
#include <net/if.h>
#include <net/if_var.h>
#include <net/route.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmpx.h>

#include "standin.h"

#define MANY		500
#define THIS_HOST	0x707

const size_t	 route_round = sizeof(uint32_t);
const int	 route_neighbour = RTF_LLINFO;

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
	(void)snprintf(u->sysname, sizeof(u->sysname), "Darwin");
	(void)snprintf(u->release, sizeof(u->release), "24.1.0");
	(void)snprintf(u->version, sizeof(u->version),
	    "Darwin Kernel Version 24.1.0");
	(void)snprintf(u->machine, sizeof(u->machine), "x86_64");
	return (0);
}

/* --- sysctl --- */

int
sysctlbyname(const char *name, void *old, size_t *oldlen, void *new,
    size_t newlen)
{
	static const char version[] = "15.1", build[] = "24B83";
	char odd[31];
	int e;

	if (new != NULL || newlen != 0 || old == NULL)
		abort();
	if ((e = host_error("sysctlbyname")) != 0)
		return (refuse(e));
	if (host_shape() == SHAPE_EMPTY)
		return (refuse(ENOENT));
	if (host_shape() == SHAPE_HOSTILE) {
		/* As much as there is room for, without its NUL. */
		memset(odd, 0xff, sizeof(odd));
		return (answer(old, oldlen, odd, *oldlen < sizeof(odd) ?
		    *oldlen : sizeof(odd)));
	}
	if (strcmp(name, "kern.osproductversion") == 0)
		return (answer(old, oldlen, version, sizeof(version)));
	if (strcmp(name, "kern.osversion") != 0)
		abort();
	return (answer(old, oldlen, build, sizeof(build)));
}

/* What getifaddrs(3) cannot say: what needs more than 32 bits. */
static int
answer_links(void *old, size_t *oldlen)
{
	static unsigned char dump[64 * 1024];
	static const unsigned short links[] = { 1, 3, 4, 99 };
	struct ifa_msghdr other;
	struct if_msghdr2 h;
	size_t i, len = 0;

	for (i = 0; i < 4 && host_shape() != SHAPE_EMPTY; i++) {
		memset(&h, 0, sizeof(h));
		h.ifm_msglen = (unsigned short)sizeof(h);
		h.ifm_version = RTM_VERSION;
		h.ifm_type = RTM_IFINFO2;
		h.ifm_index = links[i];
		h.ifm_data.ifi_ibytes = 1000 + links[i];
		h.ifm_data.ifi_ipackets = 10 + links[i];
		h.ifm_data.ifi_ierrors = 1;
		h.ifm_data.ifi_iqdrops = 2;
		h.ifm_data.ifi_obytes = UINT64_C(1) << 40;
		h.ifm_data.ifi_opackets = 20 + links[i];
		h.ifm_data.ifi_oerrors = 3;
		memcpy(dump + len, &h, sizeof(h));
		len += sizeof(h);
		memset(&other, 0xff, sizeof(other));
		other.ifam_msglen = (unsigned short)sizeof(other);
		other.ifam_version = RTM_VERSION;
		other.ifam_type = RTM_NEWADDR;
		memcpy(dump + len, &other, sizeof(other));
		len += sizeof(other);
	}
	if (host_shape() == SHAPE_CUT)
		len -= 3;
	if (host_shape() == SHAPE_HOSTILE)
		for (i = 4; i < len; i += 7)
			dump[i] ^= (unsigned char)(i * 37 + 11);
	return (answer(old, oldlen, dump, len));
}

int
sysctl(int *mib, u_int n, void *old, size_t *oldlen, void *new,
    size_t newlen)
{
	int e, value;

	if (new != NULL || newlen != 0)
		abort();
	if ((e = host_error("sysctl")) != 0)
		return (refuse(e));
	if (n == 6 && mib[0] == CTL_NET && mib[1] == PF_ROUTE &&
	    mib[4] == NET_RT_DUMP)
		return (answer_routes(old, oldlen));
	if (n == 6 && mib[0] == CTL_NET && mib[1] == PF_ROUTE &&
	    mib[4] == NET_RT_IFLIST2)
		return (answer_links(old, oldlen));
	if (n != 2 || mib[0] != CTL_HW || mib[1] != HW_NCPU)
		abort();
	value = host_shape() == SHAPE_HOSTILE ? INT32_MAX : 2;
	return (answer(old, oldlen, &value, sizeof(value)));
}

/* --- Mach --- */

mach_port_t	 mach_task_self_ = 0x103;

static int	*ticks;
static size_t	 ticks_size;

mach_port_t
mach_host_self(void)
{
	return (THIS_HOST);
}

kern_return_t
host_processor_info(host_t host, processor_flavor_t flavor, natural_t *n,
    processor_info_array_t *info, mach_msg_type_number_t *len)
{
	size_t i;

	if (host != THIS_HOST || flavor != PROCESSOR_CPU_LOAD_INFO ||
	    ticks != NULL)
		abort();
	if (host_error("host_processor_info") != 0)
		return (KERN_FAILURE);
	*n = host_shape() == SHAPE_HUGE ? MANY : 2;
	*len = *n * CPU_STATE_MAX;
	ticks_size = *len * sizeof(*ticks);
	if ((ticks = calloc(*len, sizeof(*ticks))) == NULL)
		abort();
	for (i = 0; i < *n; i++) {
		ticks[4 * i + CPU_STATE_USER] = 100 + (int)i;
		ticks[4 * i + CPU_STATE_NICE] = 200;
		ticks[4 * i + CPU_STATE_SYSTEM] = 100;
		ticks[4 * i + CPU_STATE_IDLE] = (int)0xfffffffe;
	}
	/* More processors than numbers. */
	if (host_shape() == SHAPE_HOSTILE)
		*n = UINT32_MAX;
	*info = ticks;
	return (KERN_SUCCESS);
}

/* What Mach gave is given back, all of it. */
kern_return_t
vm_deallocate(vm_map_t task, vm_address_t at, vm_size_t size)
{
	if (task != mach_task_self_ || at != (vm_address_t)ticks ||
	    size != ticks_size)
		abort();
	free(ticks);
	ticks = NULL;
	return (KERN_SUCCESS);
}

long
sysconf(int name)
{
	if (name != _SC_CLK_TCK)
		abort();
	return (host_error("sysconf") != 0 ? -1 : 100);
}

/* --- files --- */

static size_t	 dir_at;
static int	 dir_open;

DIR *
opendir(const char *path)
{
	int e;

	if (strcmp(path, "/dev") != 0 || dir_open)
		abort();
	if ((e = host_error("opendir")) != 0) {
		(void)refuse(e);
		return (NULL);
	}
	dir_open = 1;
	dir_at = 0;
	return ((DIR *)(uintptr_t)&dir_open);
}

struct dirent *
readdir(DIR *dir)
{
	static const char *const names[] = { ".", "disk0", "rdisk0",
	    "disk0s1", "disk0s2", "disk3s1s1", "disk", "disks1", "disk1s",
	    "disk1\377", "disk 1", "ttys000" };
	static struct dirent d;
	int e;

	(void)dir;
	if ((e = host_error("readdir")) != 0) {
		(void)refuse(e);
		return (NULL);
	}
	if (dir_at == sizeof(names) / sizeof(names[0]) ||
	    host_shape() == SHAPE_EMPTY)
		return (NULL);
	memset(&d, 0, sizeof(d));
	(void)snprintf(d.d_name, sizeof(d.d_name), "%s", names[dir_at++]);
	if (host_shape() == SHAPE_HOSTILE)
		memset(d.d_name, '1', sizeof(d.d_name) - 1);
	if (host_shape() == SHAPE_HOSTILE)
		memcpy(d.d_name, "disk", 4);
	return (&d);
}

int
closedir(DIR *dir)
{
	(void)dir;
	dir_open = 0;
	return (0);
}

int
open(const char *path, int flags, ...)
{
	(void)path;
	(void)flags;
	abort();
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

/* --- users --- */

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
		short		 type;
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
		(void)snprintf(u.ut_user, sizeof(u.ut_user), "u%zu",
		    utmpx_at++ % 4000);
		return (&u);
	}
	if (utmpx_at >= sizeof(who) / sizeof(who[0]) ||
	    host_shape() == SHAPE_EMPTY)
		return (NULL);
	if (host_shape() == SHAPE_HOSTILE)
		memset(&u, 0xff, sizeof(u));
	else
		(void)snprintf(u.ut_user, sizeof(u.ut_user), "%s",
		    who[utmpx_at].name);
	u.ut_type = who[utmpx_at].type;
	u.ut_tv.tv_sec = who[utmpx_at].when;
	u.ut_tv.tv_usec = 500000;
	utmpx_at++;
	return (&u);
}

/* --- mounts --- */

int
getfsstat(struct statfs *v, int size, int how)
{
	static const struct {
		const char	*from, *on, *type;
		uint32_t	 flags;
	} mounts[] = {
		{ "/dev/disk3s1s1", "/", "apfs", MNT_LOCAL },
		{ "devfs", "/dev", "devfs", MNT_LOCAL | MNT_DONTBROWSE },
		{ "/dev/disk3s6", "/System/Volumes/VM", "apfs",
		    MNT_LOCAL | MNT_DONTBROWSE },
		{ "/dev/disk3s5", "/System/Volumes/Data", "apfs",
		    MNT_LOCAL | MNT_DONTBROWSE },
		{ "//user@server/share", "/Volumes/share", "smbfs", 0 },
		{ "/dev/disk4s2", "/Volumes/a \"b\"", "hfs", MNT_LOCAL }
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
		n = 5000;
	if (v == NULL)
		return ((int)(host_shape() == SHAPE_GROWS ? n - 2 : n));
	for (i = 0; i < n && i < (size_t)size / sizeof(*v); i++) {
		memset(&v[i], 0, sizeof(v[i]));
		if (host_shape() == SHAPE_HOSTILE) {
			memset(&v[i], 0xff, sizeof(v[i]));
			v[i].f_flags = MNT_LOCAL;
			memcpy(v[i].f_mntfromname, "/dev/", 5);
			continue;
		}
		(void)snprintf(v[i].f_mntfromname,
		    sizeof(v[i].f_mntfromname), "%s", mounts[i % 6].from);
		(void)snprintf(v[i].f_mntonname, sizeof(v[i].f_mntonname),
		    "%s", mounts[i % 6].on);
		(void)snprintf(v[i].f_fstypename, sizeof(v[i].f_fstypename),
		    "%s", mounts[i % 6].type);
		v[i].f_flags = mounts[i % 6].flags;
		v[i].f_bsize = 2048;
		v[i].f_blocks = 1000;
		v[i].f_bfree = 400;
		v[i].f_bavail = 350;
	}
	return ((int)i);
}
