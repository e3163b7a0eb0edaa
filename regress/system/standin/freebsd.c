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

/* FreeBSD's own. */

#include <sys/param.h>
#include <sys/devicestat.h>
#include <sys/mount.h>
#include <sys/resource.h>
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
#include <utmpx.h>

#include "standin.h"

#define RELEASE_FD	79
#define MANY		500
#define NAMED		77		/* of the sysctls below, then which */

const size_t	 route_round = sizeof(long);
const int	 route_neighbour = RTF_BROADCAST;

void
route_header(struct rt_msghdr *h)
{
	(void)h;
}

/* What uname(3) is in its header. */
int
__xuname(int size, void *to)
{
	struct utsname *u = to;
	int e;

	if (size != sizeof(u->release))
		abort();
	if ((e = host_error("uname")) != 0)
		return (refuse(e));
	memset(u, 0, sizeof(*u));
	(void)snprintf(u->sysname, sizeof(u->sysname), "FreeBSD");
	(void)snprintf(u->release, sizeof(u->release), "14.3-RELEASE-p2");
	(void)snprintf(u->version, sizeof(u->version),
	    "FreeBSD 14.3-RELEASE-p2 GENERIC");
	(void)snprintf(u->machine, sizeof(u->machine), "amd64");
	return (0);
}

/* --- GEOM --- */

/* A disk of GPT partitions one of which has a label, a mirror of two disks. */
static const char mesh[] =
"<mesh>\n"
"  <class id=\"0xffffffff81a0\">\n"
"    <name>DISK</name>\n"
"    <geom id=\"0xfffff80001\">\n"
"      <class ref=\"0xffffffff81a0\"/>\n"
"      <name>vtbd0</name>\n"
"      <rank>1</rank>\n"
"      <config>\n"
"      </config>\n"
"      <provider id=\"0xfffff80002\">\n"
"        <geom ref=\"0xfffff80001\"/>\n"
"        <mode>r2w2e3</mode>\n"
"        <name>vtbd0</name>\n"
"        <mediasize>21474836480</mediasize>\n"
"        <sectorsize>512</sectorsize>\n"
"        <config>\n"
"          <fwheads>0</fwheads>\n"
"          <rotationrate>unknown</rotationrate>\n"
"          <ident>disk&amp;1&#x22;</ident>\n"
"          <lunid></lunid>\n"
"          <descr>VirtIO Block Device</descr>\n"
"        </config>\n"
"      </provider>\n"
"    </geom>\n"
"    <geom id=\"0xfffff80003\">\n"
"      <class ref=\"0xffffffff81a0\"/>\n"
"      <name>da0</name>\n"
"      <provider id=\"0xfffff80004\">\n"
"        <geom ref=\"0xfffff80003\"/>\n"
"        <name>da0</name>\n"
"        <mediasize>1048576</mediasize>\n"
"        <config><ident></ident></config>\n"
"      </provider>\n"
"    </geom>\n"
"    <geom id=\"0xfffff80005\">\n"
"      <name>cd0</name>\n"
"      <provider id=\"0xfffff80006\">\n"
"        <name>cd0</name>\n"
"        <mediasize>0</mediasize>\n"
"      </provider>\n"
"    </geom>\n"
"    <geom id=\"0xfffff80007\">\n"
"      <name>ada0</name>\n"
"      <provider id=\"0xfffff80008\">\n"
"        <name>ada0</name>\n"
"        <mediasize>1048576</mediasize>\n"
"      </provider>\n"
"    </geom>\n"
"  </class>\n"
"  <class id=\"0xffffffff81a1\">\n"
"    <name>PART</name>\n"
"    <geom id=\"0xfffff80010\">\n"
"      <name>vtbd0</name>\n"
"      <config><scheme>GPT</scheme></config>\n"
"      <consumer id=\"0xfffff80011\">\n"
"        <geom ref=\"0xfffff80010\"/>\n"
"        <provider ref=\"0xfffff80002\"/>\n"
"        <mode>r2w2e3</mode>\n"
"      </consumer>\n"
"      <provider id=\"0xfffff80012\">\n"
"        <geom ref=\"0xfffff80010\"/>\n"
"        <name>vtbd0p1</name>\n"
"        <mediasize>524288</mediasize>\n"
"        <config><label>boot</label><type>freebsd-boot</type></config>\n"
"      </provider>\n"
"      <provider id=\"0xfffff80013\">\n"
"        <name>vtbd0p2</name>\n"
"        <mediasize>20971520</mediasize>\n"
"      </provider>\n"
"    </geom>\n"
"  </class>\n"
"  <class id=\"0xffffffff81a2\">\n"
"    <name>LABEL</name>\n"
"    <geom id=\"0xfffff80020\">\n"
"      <consumer id=\"0xfffff80021\">\n"
"        <provider ref=\"0xfffff80013\"/>\n"
"      </consumer>\n"
"      <provider id=\"0xfffff80022\">\n"
"        <name>gpt/root</name>\n"
"        <mediasize>20971520</mediasize>\n"
"      </provider>\n"
"    </geom>\n"
"  </class>\n"
"  <class id=\"0xffffffff81a3\">\n"
"    <name>MIRROR</name>\n"
"    <geom id=\"0xfffff80030\">\n"
"      <consumer id=\"0xfffff80031\">\n"
"        <provider ref=\"0xfffff80004\"/>\n"
"      </consumer>\n"
"      <consumer id=\"0xfffff80032\">\n"
"        <provider ref=\"0xfffff80008\"/>\n"
"      </consumer>\n"
"      <provider id=\"0xfffff80033\">\n"
"        <name>mirror/m</name>\n"
"        <mediasize>1048064</mediasize>\n"
"      </provider>\n"
"    </geom>\n"
"  </class>\n"
"</mesh>\n";

/* Made of itself, of what is not there, of no name; tags in odd places. */
static const char hostile_mesh[] =
"<?xml?><!-- --><mesh><name>no</name><provider id=\"1\"/><class><geom>"
"<name></name><consumer><provider ref=\"0x5\"/><provider ref=\"x\"/>"
"</consumer><consumer></consumer><provider id=\"0x5\"><name>vtbd0p2</name>"
"<mediasize>99999999999999999999999999</mediasize></provider>"
"<provider id=\"0x5\"><name>\377&#xff;&#x;&#x0;&bad;&</name>"
"<mediasize>18446744073709551615</mediasize><config><ident>\"\\\377"
"</ident></config></provider><provider/><provider></provider></geom>"
"<geom/><geom><provider id=\"0x6\"><name>vtbd99999999999999999999</name>"
"<mediasize>1</mediasize></provider></geom></class></mesh>";

static int
answer_mesh(void *old, size_t *oldlen)
{
	static const char head[] = "<mesh><class><name>DISK</name>";
	char *huge;
	size_t i, at, room = MANY * 20 * 160;
	int rv;

	switch (host_shape()) {
	case SHAPE_HUGE:
		if ((huge = malloc(room)) == NULL)
			abort();
		at = (size_t)snprintf(huge, room, "%s", head);
		for (i = 0; i < MANY * 20; i++)
			at += (size_t)snprintf(huge + at, room - at,
			    "<geom><name>da%zu</name><provider id=\"0x%zx\">"
			    "<name>da%zu</name><mediasize>512</mediasize>"
			    "</provider></geom>", i, i + 1, i);
		at += (size_t)snprintf(huge + at, room - at,
		    "</class></mesh>");
		rv = answer(old, oldlen, huge, at + 1);
		free(huge);
		return (rv);
	case SHAPE_HOSTILE:
		return (answer(old, oldlen, hostile_mesh,
		    sizeof(hostile_mesh) - 1));
	case SHAPE_EMPTY:
		return (answer(old, oldlen, "", 1));
	case SHAPE_CUT:
		return (answer(old, oldlen, mesh, sizeof(mesh) - 9));
	default:
		return (answer(old, oldlen, mesh, sizeof(mesh)));
	}
}

/* --- devstat --- */

static int
answer_stats(void *old, size_t *oldlen)
{
	static struct {
		long		 generation;
		struct devstat	 v[MANY];
	} all;
	struct devstat *d;
	size_t i, n = 3;
	int rv;

	if (host_shape() == SHAPE_HUGE)
		n = MANY;
	else if (host_shape() == SHAPE_EMPTY)
		n = 0;
	memset(&all, 0, sizeof(all));
	all.generation = 7;
	for (i = 0; i < n; i++) {
		d = &all.v[i];
		(void)snprintf(d->device_name, sizeof(d->device_name), "%s",
		    i == 1 ? "pass" : "vtbd");
		d->unit_number = (int)(i / 2);
		d->device_type = i == 1 ? DEVSTAT_TYPE_PASS :
		    DEVSTAT_TYPE_DIRECT;
		d->operations[DEVSTAT_READ] = 100;
		d->operations[DEVSTAT_WRITE] = 200;
		d->operations[DEVSTAT_FREE] = 4;
		d->bytes[DEVSTAT_READ] = 51200;
		d->bytes[DEVSTAT_WRITE] = 1024;
		d->bytes[DEVSTAT_FREE] = 4096;
		d->duration[DEVSTAT_READ].sec = 1;
		d->duration[DEVSTAT_READ].frac = UINT64_C(1) << 63;
		d->busy_time.sec = 12;
		d->busy_time.frac = UINT64_C(1) << 62;
		d->start_count = 1;
		d->end_count = 0xffffffff;
		if (host_shape() == SHAPE_HOSTILE) {
			memset(d, 0xff, sizeof(*d));
			d->device_type = DEVSTAT_TYPE_DIRECT;
			memcpy(d->device_name, "vtbd", 4);
		}
	}
	rv = answer(old, oldlen, &all, sizeof(all.generation) +
	    n * sizeof(all.v[0]) - (host_shape() == SHAPE_CUT ? 3 : 0));
	return (rv);
}

/* Of three, the second of which is not there. */
static int
answer_times(void *old, size_t *oldlen)
{
	long v[3][CPUSTATES];
	int i;

	memset(v, 0, sizeof(v));
	for (i = 0; i < 3; i += 2) {
		v[i][CP_USER] = 127 + i;
		v[i][CP_NICE] = 254;
		v[i][CP_SYS] = 127;
		v[i][CP_INTR] = 0;
		v[i][CP_IDLE] = 127000;
	}
	if (host_shape() == SHAPE_HOSTILE)
		memset(v, 0xff, sizeof(v));
	return (answer(old, oldlen, v, sizeof(v) -
	    (host_shape() == SHAPE_CUT ? 1 : 0)));
}

/* --- sysctl --- */

enum named { CONFXML, DEVSTAT_VERS, DEVSTAT_ALL, CP_TIMES, PARENT, LOCATION,
	NAMES };

static const char *const names[NAMES] = {
	[CONFXML] = "kern.geom.confxml",
	[DEVSTAT_VERS] = "kern.devstat.version",
	[DEVSTAT_ALL] = "kern.devstat.all",
	[CP_TIMES] = "kern.cp_times",
	[PARENT] = "dev.vtblk.0.%parent",
	[LOCATION] = "dev.virtio_pci.2.%location"
};

int
sysctlnametomib(const char *name, int *mib, size_t *n)
{
	int e, i;

	if ((e = host_error("sysctlnametomib")) != 0)
		return (refuse(e));
	for (i = 0; i < NAMES; i++)
		if (strcmp(names[i], name) == 0)
			break;
	if (i == NAMES)
		return (refuse(ENOENT));
	if (*n < 2)
		abort();
	mib[0] = NAMED;
	mib[1] = i;
	*n = 2;
	return (0);
}

static int
answer_named(int which, void *old, size_t *oldlen)
{
	static const char parent[] = "virtio_pci2";
	static const char location[] =
	    "slot=5 function=0 dbsf=pci0:0:5:0 handle=\\_SB_.PCI0.S28_";
	int version = DEVSTAT_VERSION;

	switch (which) {
	case CONFXML:
		return (answer_mesh(old, oldlen));
	case DEVSTAT_VERS:
		if (host_shape() == SHAPE_CUT)
			version++;
		return (answer(old, oldlen, &version, sizeof(version)));
	case DEVSTAT_ALL:
		return (answer_stats(old, oldlen));
	case CP_TIMES:
		return (answer_times(old, oldlen));
	case PARENT:
		return (answer(old, oldlen, parent, sizeof(parent)));
	case LOCATION:
		return (answer(old, oldlen, location, sizeof(location)));
	}
	abort();
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
	if (n == 2 && mib[0] == CTL_KERN && mib[1] == KERN_CLOCKRATE) {
		memset(&ci, 0, sizeof(ci));
		ci.hz = 1000;
		ci.stathz = host_shape() == SHAPE_HOSTILE ? -1 : 127;
		return (answer(old, oldlen, &ci, sizeof(ci)));
	}
	if (n == 2 && mib[0] == NAMED)
		return (answer_named(mib[1], old, oldlen));
	if (n != 2 || mib[0] != CTL_HW || mib[1] != HW_NCPU)
		abort();
	value = host_shape() == SHAPE_HOSTILE ? INT32_MAX : 2;
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
	if (strncmp(path, "/dev/vtbd", 9) != 0)
		return (refuse(ENOENT));
	st->st_mode = S_IFCHR | 0640;
	st->st_rdev = makedev(0, 90 + path[9] - '0');
	return (0);
}

/* The link in /etc leads nowhere before the first boot's end. */
int
open(const char *path, int flags, ...)
{
	int e;

	if ((e = host_error("open")) != 0)
		return (refuse(e));
	if ((flags & O_ACCMODE) != O_RDONLY || !(flags & O_CLOEXEC))
		abort();
	if (strcmp(path, "/var/run/os-release") != 0 ||
	    host_shape() == SHAPE_EMPTY)
		return (refuse(ENOENT));
	return (RELEASE_FD);
}

int
close(int fd)
{
	if (fd != RELEASE_FD)
		abort();
	return (0);
}

ssize_t
pread(int fd, void *buf, size_t size, off_t at)
{
	static const char text[] = "NAME=FreeBSD\nVERSION=\"14.3-RELEASE\"\n"
	    "VERSION_ID=\"14.3\"\nID=freebsd\nANSI_COLOR=\"0;31\"\n"
	    "PRETTY_NAME=\"FreeBSD 14.3-RELEASE\"\n";
	size_t len = sizeof(text) - 1;
	int e;

	if (fd != RELEASE_FD || at != 0)
		abort();
	if ((e = host_error("pread")) != 0)
		return (refuse(e));
	memset(buf, 0xff, size);
	if (host_shape() == SHAPE_HOSTILE)
		return ((ssize_t)size);
	memcpy(buf, text, len);
	return ((ssize_t)len);
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
		{ "/dev/fuse", "/ssh", "fusefs.sshfs", MNT_LOCAL },
		{ "/dev/vtbd9", "/gone", "ufs", MNT_LOCAL }
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
			memcpy(v[i].f_mntfromname, "/dev/vtbd0p2",
			    i & 1 ? 13 : 5);
			continue;
		}
		(void)snprintf(v[i].f_mntfromname,
		    sizeof(v[i].f_mntfromname), "%s", mounts[i % 7].from);
		(void)snprintf(v[i].f_mntonname, sizeof(v[i].f_mntonname),
		    "%s", mounts[i % 7].on);
		(void)snprintf(v[i].f_fstypename, sizeof(v[i].f_fstypename),
		    "%s", mounts[i % 7].type);
		v[i].f_flags = mounts[i % 7].flags;
		v[i].f_bsize = 2048;
		v[i].f_blocks = 1000;
		v[i].f_bfree = 400;
		/* What is kept for root is used up, and more. */
		v[i].f_bavail = i == 2 ? -50 : 350;
	}
	return ((int)i);
}
