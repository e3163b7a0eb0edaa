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
 * The query worker's system half, NetBSD, whose sysctl(3) answers everybody.
 */

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

#include <net/if.h>
#include <net/route.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "query-bsd.h"
#include "value.h"

#define CPUCTL		"/dev/cpuctl"
#define MOUNTS_MAX	65536
#define CPUS_MAX	4096

static int	 q_osinfo(struct value_writer *, char *, size_t);
static int	 q_fsinfo(struct value_writer *, char *, size_t);
static int	 q_disks(struct value_writer *, char *, size_t);
static int	 q_diskstats(struct value_writer *, char *, size_t);
static int	 q_vcpus(struct value_writer *, char *, size_t);
static int	 q_cpustats(struct value_writer *, char *, size_t);
static int	 disk_path(char *, size_t, const char *, size_t);
static void	 iostat_write(struct value_writer *,
		    const struct io_sysctl *);
static uint64_t	 clock_hz(void);

const query_fn system_queries[CMD_MAX] = {
	[CMD_GUEST_GET_OSINFO] = q_osinfo,
	[CMD_GUEST_GET_TIMEZONE] = query_timezone,
	[CMD_GUEST_GET_USERS] = bsd_users,
	[CMD_GUEST_NETWORK_GET_INTERFACES] = bsd_interfaces,
	[CMD_GUEST_GET_DISKS] = q_disks,
	[CMD_GUEST_GET_DISKSTATS] = q_diskstats,
	[CMD_GUEST_GET_FSINFO] = q_fsinfo,
	[CMD_GUEST_GET_VCPUS] = q_vcpus,
	[CMD_GUEST_GET_CPUSTATS] = q_cpustats,
	[CMD_GUEST_NETWORK_GET_ROUTE] = bsd_routes
};

const size_t	 bsd_route_round = sizeof(uint64_t);
const int	 bsd_route_hidden = RTF_LLDATA | RTF_LOCAL | RTF_BROADCAST;

int		 query_outlived;

static int	 cpuctl_fd = -1;	/* root's alone to open */

void
query_open(void)
{
	if ((cpuctl_fd = open(CPUCTL, O_RDONLY | O_CLOEXEC)) == -1)
		log_debug("%s: %s", CPUCTL, strerror(errno));
}

static int
q_osinfo(struct value_writer *w, char *err, size_t size)
{
	return (bsd_osinfo(w, "netbsd", "NetBSD", err, size));
}

/* --- guest-get-fsinfo --- */

static int
q_fsinfo(struct value_writer *w, char *err, size_t size)
{
	struct statvfs	*v;
	struct bsd_mount m;
	int		 i, n, room;

	if ((n = getvfsstat(NULL, 0, ST_NOWAIT)) == -1)
		return (query_fail(err, size, "getvfsstat"));
	if (n > MOUNTS_MAX)
		n = MOUNTS_MAX;
	room = n + 16;			/* of mounts made meanwhile */
	if ((v = calloc((size_t)room, sizeof(*v))) == NULL ||
	    (n = getvfsstat(v, (size_t)room * sizeof(*v), ST_NOWAIT)) ==
	    -1) {
		(void)query_fail(err, size, "getvfsstat");
		free(v);
		return (-1);
	}
	/* The newest first. */
	value_array(w, NULL);
	for (i = n < room ? n : room; i > 0; i--) {
		memset(&m, 0, sizeof(m));
		m.dir = v[i - 1].f_mntonname;
		m.dirmax = sizeof(v[0].f_mntonname);
		m.from = v[i - 1].f_mntfromname;
		m.frommax = sizeof(v[0].f_mntfromname);
		m.type = v[i - 1].f_fstypename;
		m.typemax = sizeof(v[0].f_fstypename);
		m.local = (v[i - 1].f_flag & ST_LOCAL) != 0;
		m.unit = v[i - 1].f_frsize;
		m.blocks = v[i - 1].f_blocks;
		m.free = v[i - 1].f_bfree;
		m.avail = v[i - 1].f_bavail <= INT64_MAX ?
		    (int64_t)v[i - 1].f_bavail : 0;
		bsd_mount_write(w, &m);
	}
	value_close(w);
	free(v);
	return (0);
}

/* --- guest-get-disks, guest-get-diskstats --- */

/*
 * Of the node of a whole disk: its raw partition's, which differs from port
 * to port.  A wedge has no partitions.  1: it is one.
 */
static int
disk_path(char *path, size_t size, const char *name, size_t len)
{
	int	 raw, wedge;

	wedge = len > 2 && memcmp(name, "dk", 2) == 0 && name[2] >= '0' &&
	    name[2] <= '9';
	if (wedge)
		(void)snprintf(path, size, "/dev/%.*s", (int)len, name);
	else {
		if (bsd_sysctl_int(CTL_KERN, KERN_RAWPARTITION, &raw) == -1 ||
		    raw < 0 || raw > 'z' - 'a')
			raw = 'd' - 'a';
		(void)snprintf(path, size, "/dev/%.*s%c", (int)len, name,
		    'a' + raw);
	}
	return (wedge);
}

/* "wd0 cd0 dk0" */
static int
q_disks(struct value_writer *w, char *err, size_t size)
{
	static const int	 mib[2] = { CTL_HW, HW_DISKNAMES };
	char			 path[64];
	const char		*p, *end;
	void			*names;
	size_t			 len;
	int			 wedge;

	if (bsd_sysctl(mib, 2, &names, &len) == -1)
		return (query_fail(err, size, "hw.disknames"));
	value_array(w, NULL);
	p = names;
	for (end = p + strnlen(p, len); p < end; p += len) {
		if ((len = strcspn(p, " ")) == 0) {
			len = 1;
			continue;
		}
		if (len >= sizeof(path) - sizeof("/dev/d"))
			continue;
		wedge = disk_path(path, sizeof(path), p, len);
		bsd_disk_write(w, path, wedge);
	}
	value_close(w);
	free(names);
	return (0);
}

static int
q_diskstats(struct value_writer *w, char *err, size_t size)
{
	/* The size of what we know of a record goes with the question. */
	static const int	 mib[3] = { CTL_HW, HW_IOSTATS,
				    sizeof(struct io_sysctl) };
	const struct io_sysctl	*s;
	void			*stats;
	size_t			 i, len;

	if (bsd_sysctl(mib, 3, &stats, &len) == -1)
		return (query_fail(err, size, "hw.iostats"));
	value_array(w, NULL);
	s = stats;
	for (i = 0; i < len / sizeof(*s); i++)
		if (s[i].type == IOSTAT_DISK)
			iostat_write(w, &s[i]);
	value_close(w);
	free(stats);
	return (0);
}

static void
iostat_write(struct value_writer *w, const struct io_sysctl *s)
{
	struct bsd_diskstat	 d;
	struct stat		 st;
	char			 path[64];

	memset(&d, 0, sizeof(d));
	d.name = s->name;
	d.len = strnlen(s->name, sizeof(s->name));
	(void)disk_path(path, sizeof(path), d.name, d.len);
	if (stat(path, &st) == 0) {
		d.major = (uint64_t)major(st.st_rdev);
		d.minor = (uint64_t)minor(st.st_rdev);
	}
	d.reads = s->rxfer;
	d.writes = s->wxfer;
	d.rbytes = s->rbytes;
	d.wbytes = s->wbytes;
	d.busy = s->busy > 0 ? (uint64_t)s->busy : 0;
	d.ms = (uint64_t)s->time_sec * 1000 + s->time_usec / 1000;
	bsd_diskstat_write(w, &d);
}

/* --- guest-get-vcpus, guest-get-cpustats --- */

static int
q_vcpus(struct value_writer *w, char *err, size_t size)
{
	cpustate_t	 cs;
	int		 i, n, online;

	if (bsd_sysctl_int(CTL_HW, HW_NCPU, &n) == -1)
		return (query_fail(err, size, "hw.ncpu"));
	if (bsd_sysctl_int(CTL_HW, HW_NCPUONLINE, &online) == -1)
		return (query_fail(err, size, "hw.ncpuonline"));
	value_array(w, NULL);
	for (i = 0; i < n && i < CPUS_MAX; i++) {
		memset(&cs, 0, sizeof(cs));
		cs.cs_id = (unsigned int)i;
		/* Which one is off only cpuctl(4) knows. */
		if (online < n && ioctl(cpuctl_fd, IOC_CPU_GETSTATE, &cs) ==
		    -1)
			return (query_fail(err, size, CPUCTL));
		bsd_vcpu_write(w, (uint64_t)i, online >= n || cs.cs_online);
	}
	value_close(w);
	return (0);
}

/* 0: unknown. */
static uint64_t
clock_hz(void)
{
	static const int	 mib[2] = { CTL_KERN, KERN_CLOCKRATE };
	struct clockinfo	 ci;
	size_t			 len = sizeof(ci);

	memset(&ci, 0, sizeof(ci));
	if (sysctl(mib, 2, &ci, &len, NULL, 0) == -1 || ci.hz < 0)
		return (0);
	return ((uint64_t)(ci.stathz > 0 ? ci.stathz : ci.hz));
}

static int
q_cpustats(struct value_writer *w, char *err, size_t size)
{
	struct bsd_cpustat	 c;
	uint64_t		 hz, t[CPUSTATES];
	size_t			 len;
	int			 i, mib[3] = { CTL_KERN, KERN_CP_TIME, 0 }, n;

	if ((hz = clock_hz()) == 0)
		return (query_fail(err, size, "kern.clockrate"));
	if (bsd_sysctl_int(CTL_HW, HW_NCPU, &n) == -1)
		return (query_fail(err, size, "hw.ncpu"));
	value_array(w, NULL);
	for (i = 0; i < n && i < CPUS_MAX; i++) {
		memset(t, 0, sizeof(t));
		mib[2] = i;
		len = sizeof(t);
		if (sysctl(mib, 3, t, &len, NULL, 0) == -1)
			return (query_fail(err, size, "kern.cp_time"));
		c.user = t[CP_USER];
		c.nice = t[CP_NICE];
		c.system = t[CP_SYS];
		c.irq = t[CP_INTR];
		c.idle = t[CP_IDLE];
		bsd_cpustat_write(w, (uint64_t)i, &c, hz);
	}
	value_close(w);
	return (0);
}

/* --- what query-bsd.c asks --- */

size_t
bsd_route_header(const struct rt_msghdr *h)
{
	return (sizeof(*h));
}

/* What it dropped on the way out it does not count here. */
void
bsd_counters(const void *data, struct netcounters *c)
{
	const struct if_data	*d = data;

	c->rx_bytes = d->ifi_ibytes;
	c->rx_packets = d->ifi_ipackets;
	c->rx_errs = d->ifi_ierrors;
	c->rx_dropped = d->ifi_iqdrops;
	c->tx_bytes = d->ifi_obytes;
	c->tx_packets = d->ifi_opackets;
	c->tx_errs = d->ifi_oerrors;
}
