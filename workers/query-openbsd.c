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
 * The query worker's system half, OpenBSD.
 *
 * pledge(2) has no promise for hw.disknames and hw.diskstats: they are read
 * before it is made, for one answer each.  The next question about disks ends
 * this process, and the monitor asks another, which has read them anew.
 */

#include <sys/types.h>
#include <sys/disk.h>
#include <sys/mount.h>
#include <sys/sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/time.h>

#include <net/if.h>
#include <net/route.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "log.h"
#include "query-bsd.h"
#include "value.h"

#define UTMP_AT_ONCE	64		/* records */
#define MOUNTS_MAX	65536
#define CPUS_MAX	4096
#define FRESH		5		/* s */

static int	 q_osinfo(struct value_writer *, char *, size_t);
static int	 q_users(struct value_writer *, char *, size_t);
static int	 q_fsinfo(struct value_writer *, char *, size_t);
static int	 q_disks(struct value_writer *, char *, size_t);
static int	 q_diskstats(struct value_writer *, char *, size_t);
static int	 q_vcpus(struct value_writer *, char *, size_t);
static int	 q_cpustats(struct value_writer *, char *, size_t);
static void	 early_read(void);
static int	 early_use(char *, size_t);
static dev_t	 disk_device(const char *, size_t);
static int	 utmp_parse(struct users *, const struct utmp *, size_t);
static int	 cpu_read(int, struct cpustats *);

const query_fn system_queries[CMD_MAX] = {
	[CMD_GUEST_GET_OSINFO] = q_osinfo,
	[CMD_GUEST_GET_TIMEZONE] = query_timezone,
	[CMD_GUEST_GET_USERS] = q_users,
	[CMD_GUEST_NETWORK_GET_INTERFACES] = bsd_interfaces,
	[CMD_GUEST_GET_DISKS] = q_disks,
	[CMD_GUEST_GET_DISKSTATS] = q_diskstats,
	[CMD_GUEST_GET_FSINFO] = q_fsinfo,
	[CMD_GUEST_GET_VCPUS] = q_vcpus,
	[CMD_GUEST_GET_CPUSTATS] = q_cpustats,
	[CMD_GUEST_NETWORK_GET_ROUTE] = bsd_routes
};

const size_t	 bsd_route_round = sizeof(long);
const int	 bsd_route_hidden = RTF_LLINFO | RTF_CLONED | RTF_LOCAL |
		    RTF_BROADCAST;

int		 query_outlived;

static struct {
	int		 used;
	time_t		 when;		/* monotonic; 0: unknown */
	char		*names;
	size_t		 nameslen;
	struct diskstats *stats;
	size_t		 n;
	dev_t		*dev;		/* of each of stats */
	int		 error;		/* errno; 0: it is all there */
	uint64_t	 hz;		/* of statclock; it and */
	int		 ncpu;		/* how many were found never change */
} early;

void
query_open(void)
{
	static const int	 mib[2] = { CTL_KERN, KERN_CLOCKRATE };
	struct clockinfo	 ci;
	size_t			 len = sizeof(ci);
	struct timespec		 ts;

	free(early.names);
	free(early.stats);
	free(early.dev);
	memset(&early, 0, sizeof(early));
	if (sysctl(mib, 2, &ci, &len, NULL, 0) == -1 || len != sizeof(ci))
		log_warn("kern.clockrate");
	else
		early.hz = (uint64_t)(ci.stathz > 0 ? ci.stathz : ci.hz);
	if (bsd_sysctl_int(CTL_HW, HW_NCPUFOUND, &early.ncpu) == -1)
		log_warn("hw.ncpufound");
	early_read();
	if (clock_gettime(CLOCK_MONOTONIC, &ts) == 0)
		early.when = ts.tv_sec;
}

static void
early_read(void)
{
	static const int	 names[2] = { CTL_HW, HW_DISKNAMES };
	static const int	 stats[2] = { CTL_HW, HW_DISKSTATS };
	void			*p;
	size_t			 i, len;

	early.error = 0;
	if (bsd_sysctl(names, 2, &p, &early.nameslen) == -1)
		goto fail;
	early.names = p;
	if (bsd_sysctl(stats, 2, &p, &len) == -1)
		goto fail;
	early.stats = p;
	early.n = len / sizeof(*early.stats);
	if ((early.dev = calloc(early.n + 1, sizeof(*early.dev))) == NULL)
		goto fail;
	for (i = 0; i < early.n; i++)
		early.dev[i] = disk_device(early.stats[i].ds_name,
		    sizeof(early.stats[i].ds_name));
	return;
fail:
	early.error = errno;
	early.n = 0;
}

/* The whole disk is its third partition.  Without a node: 0. */
static dev_t
disk_device(const char *name, size_t max)
{
	struct stat	 st;
	char		 path[64];

	(void)snprintf(path, sizeof(path), "/dev/%.*sc",
	    (int)strnlen(name, max), name);
	return (stat(path, &st) == -1 ? 0 : st.st_rdev);
}

/* -1: it was used, or is old; the process ends. */
static int
early_use(char *err, size_t size)
{
	struct timespec	 ts;

	if (early.used || (early.when != 0 &&
	    clock_gettime(CLOCK_MONOTONIC, &ts) == 0 &&
	    ts.tv_sec - early.when > FRESH)) {
		query_outlived = 1;
		(void)snprintf(err, size, "the disks are to be read anew");
		return (-1);
	}
	early.used = 1;
	if (early.error != 0) {
		errno = early.error;
		return (query_fail(err, size, "hw.disknames, hw.diskstats"));
	}
	return (0);
}

static int
q_osinfo(struct value_writer *w, char *err, size_t size)
{
	return (bsd_osinfo(w, "openbsd", "OpenBSD", err, size));
}

/* --- guest-get-users --- */

static int
q_users(struct value_writer *w, char *err, size_t size)
{
	static struct utmp	 u[UTMP_AT_ONCE];
	struct users		 us;
	ssize_t			 n;
	size_t			 have = 0;
	int			 fd, rv = 0;

	if ((fd = open(_PATH_UTMP, O_RDONLY | O_CLOEXEC)) == -1)
		return (query_fail(err, size, _PATH_UTMP));
	memset(&us, 0, sizeof(us));
	for (;;) {
		n = read(fd, (char *)u + have, sizeof(u) - have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
		if (utmp_parse(&us, u, have / sizeof(u[0])) == -1) {
			n = -1;
			break;
		}
		/* Half a record waits for its other half. */
		n = (ssize_t)(have / sizeof(u[0]) * sizeof(u[0]));
		have -= (size_t)n;
		memmove(u, (char *)u + n, have);
	}
	if (n == -1)
		rv = query_fail(err, size, _PATH_UTMP);
	else
		users_write(w, &us);
	users_free(&us);
	(void)close(fd);
	return (rv);
}

static int
utmp_parse(struct users *us, const struct utmp *u, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (u[i].ut_name[0] != '\0' && u[i].ut_line[0] != '\0' &&
		    users_add(us, u[i].ut_name, sizeof(u[i].ut_name),
		    (double)u[i].ut_time) == -1)
			return (-1);
	return (0);
}

/* --- guest-get-fsinfo --- */

static int
q_fsinfo(struct value_writer *w, char *err, size_t size)
{
	struct statfs	*v;
	struct bsd_mount m;
	int		 i, n, room;

	if ((n = getfsstat(NULL, 0, MNT_NOWAIT)) == -1)
		return (query_fail(err, size, "getfsstat"));
	if (n > MOUNTS_MAX)
		n = MOUNTS_MAX;
	room = n + 16;			/* of mounts made meanwhile */
	if ((v = calloc((size_t)room, sizeof(*v))) == NULL ||
	    (n = getfsstat(v, (size_t)room * sizeof(*v), MNT_NOWAIT)) == -1) {
		(void)query_fail(err, size, "getfsstat");
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
		m.local = (v[i - 1].f_flags & MNT_LOCAL) != 0;
		m.unit = v[i - 1].f_bsize;
		m.blocks = v[i - 1].f_blocks;
		m.free = v[i - 1].f_bfree;
		m.avail = v[i - 1].f_bavail;
		bsd_mount_write(w, &m);
	}
	value_close(w);
	free(v);
	return (0);
}

/* --- guest-get-disks, guest-get-diskstats --- */

/* "sd0:0123456789abcdef,cd0:": names, and labels where there are. */
static int
q_disks(struct value_writer *w, char *err, size_t size)
{
	char		 path[64];
	const char	*p, *end;
	size_t		 len;

	if (early_use(err, size) == -1)
		return (-1);
	value_array(w, NULL);
	p = early.names;
	for (end = p + strnlen(p, early.nameslen); p < end; p += len) {
		len = strcspn(p, ":,");
		if (len > 0 && len < sizeof(path) - sizeof("/dev/c")) {
			(void)snprintf(path, sizeof(path), "/dev/%.*sc",
			    (int)len, p);
			bsd_disk_write(w, path, 0);
		}
		len += strcspn(p + len, ",");
		if (p + len < end)
			len++;
	}
	value_close(w);
	return (0);
}

static int
q_diskstats(struct value_writer *w, char *err, size_t size)
{
	const struct diskstats	*s;
	struct bsd_diskstat	 d;
	size_t			 i;

	if (early_use(err, size) == -1)
		return (-1);
	value_array(w, NULL);
	for (i = 0; i < early.n; i++) {
		s = &early.stats[i];
		memset(&d, 0, sizeof(d));
		d.name = s->ds_name;
		d.len = strnlen(s->ds_name, sizeof(s->ds_name));
		d.major = (uint64_t)major(early.dev[i]);
		d.minor = (uint64_t)minor(early.dev[i]);
		d.reads = s->ds_rxfer;
		d.writes = s->ds_wxfer;
		d.rbytes = s->ds_rbytes;
		d.wbytes = s->ds_wbytes;
		d.busy = s->ds_busy > 0 ? (uint64_t)s->ds_busy : 0;
		if (s->ds_time.tv_sec >= 0)
			d.ms = (uint64_t)s->ds_time.tv_sec * 1000 +
			    (uint64_t)s->ds_time.tv_usec / 1000;
		bsd_diskstat_write(w, &d);
	}
	value_close(w);
	return (0);
}

/* --- guest-get-vcpus, guest-get-cpustats --- */

/* A kernel for one processor uses one: the others are found and are off. */
static int
cpu_read(int cpu, struct cpustats *cs)
{
	int	 mib[3] = { CTL_KERN, KERN_CPUSTATS, cpu };
	size_t	 len = sizeof(*cs);

	memset(cs, 0, sizeof(*cs));
	if (sysctl(mib, 3, cs, &len, NULL, 0) == -1) {
		memset(cs, 0, sizeof(*cs));
		return (errno == ENOENT ? 0 : -1);
	}
	return (0);
}

static int
q_vcpus(struct value_writer *w, char *err, size_t size)
{
	struct cpustats	 cs;
	int		 i;

	value_array(w, NULL);
	for (i = 0; i < early.ncpu && i < CPUS_MAX; i++) {
		if (cpu_read(i, &cs) == -1)
			return (query_fail(err, size, "kern.cpustats"));
		bsd_vcpu_write(w, (uint64_t)i,
		    (cs.cs_flags & CPUSTATS_ONLINE) != 0);
	}
	value_close(w);
	return (0);
}

static int
q_cpustats(struct value_writer *w, char *err, size_t size)
{
	struct cpustats		 cs;
	struct bsd_cpustat	 c;
	int			 i;

	value_array(w, NULL);
	for (i = 0; i < early.ncpu && i < CPUS_MAX; i++) {
		if (cpu_read(i, &cs) == -1)
			return (query_fail(err, size, "kern.cpustats"));
		if (!(cs.cs_flags & CPUSTATS_ONLINE))
			continue;
		c.user = cs.cs_time[CP_USER];
		c.nice = cs.cs_time[CP_NICE];
		/* Waiting for another processor is the kernel's time too. */
		c.system = cs.cs_time[CP_SYS] + cs.cs_time[CP_SPIN];
		c.irq = cs.cs_time[CP_INTR];
		c.idle = cs.cs_time[CP_IDLE];
		bsd_cpustat_write(w, (uint64_t)i, &c, early.hz);
	}
	value_close(w);
	return (0);
}

/* --- what query-bsd.c asks --- */

size_t
bsd_route_header(const struct rt_msghdr *h)
{
	return (h->rtm_hdrlen);
}

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
	c->tx_dropped = d->ifi_oqdrops;
}
