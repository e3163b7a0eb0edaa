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
 * The query worker's system half, FreeBSD: by sysctl(3), which answers
 * everybody, and getfsstat(2), which with MNT_NOWAIT waits for no server.
 */

#include <sys/param.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/utsname.h>

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
#include "query-freebsd.h"
#include "value.h"

#define CPUS_MAX	4096
#define MOUNTS_MAX	65536

static int	 q_osinfo(struct value_writer *, char *, size_t);
static int	 q_fsinfo(struct value_writer *, char *, size_t);
static int	 q_vcpus(struct value_writer *, char *, size_t);
static int	 q_cpustats(struct value_writer *, char *, size_t);
static ssize_t	 read_release(char *, size_t);

const query_fn system_queries[CMD_MAX] = {
	[CMD_GUEST_GET_OSINFO] = q_osinfo,
	[CMD_GUEST_GET_TIMEZONE] = query_timezone,
	[CMD_GUEST_GET_USERS] = bsd_users,
	[CMD_GUEST_NETWORK_GET_INTERFACES] = bsd_interfaces,
	[CMD_GUEST_GET_DISKS] = freebsd_disks,
	[CMD_GUEST_GET_DISKSTATS] = freebsd_diskstats,
	[CMD_GUEST_GET_FSINFO] = q_fsinfo,
	[CMD_GUEST_GET_VCPUS] = q_vcpus,
	[CMD_GUEST_GET_CPUSTATS] = q_cpustats,
	[CMD_GUEST_NETWORK_GET_ROUTE] = bsd_routes
};

const size_t	 bsd_route_round = sizeof(long);
const int	 bsd_route_hidden = RTF_LOCAL | RTF_BROADCAST | RTF_MULTICAST;

int		 query_outlived;

void
query_open(void)
{
}

size_t
bsd_route_header(const struct rt_msghdr *h)
{
	return (sizeof(*h));
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

/* --- guest-get-osinfo --- */

/* Where there is no os-release, hosts still want to know what this is. */
static int
q_osinfo(struct value_writer *w, char *err, size_t size)
{
	static char	 file[OSINFO_FILE];
	struct utsname	 u;
	struct osinfo	 o;
	char		 version[sizeof(u.release)];
	char		 pretty[sizeof(u.release) + 16];
	ssize_t		 n;

	if (uname(&u) == -1)
		return (query_fail(err, size, "uname failed"));
	memset(&o, 0, sizeof(o));
	osinfo_set(&o, OSINFO_KERNEL_RELEASE, u.release);
	osinfo_set(&o, OSINFO_KERNEL_VERSION, u.version);
	osinfo_set(&o, OSINFO_MACHINE, u.machine);
	/* "14.2-RELEASE-p1" */
	(void)snprintf(version, sizeof(version), "%.*s",
	    (int)strcspn(u.release, "-"), u.release);
	(void)snprintf(pretty, sizeof(pretty), "FreeBSD %s", u.release);
	osinfo_set(&o, OSINFO_ID, "freebsd");
	osinfo_set(&o, OSINFO_NAME, "FreeBSD");
	osinfo_set(&o, OSINFO_PRETTY_NAME, pretty);
	osinfo_set(&o, OSINFO_VERSION, u.release);
	osinfo_set(&o, OSINFO_VERSION_ID, version);
	if ((n = read_release(file, sizeof(file))) > 0)
		osinfo_parse(&o, file, (size_t)n);
	osinfo_write(w, &o);
	return (0);
}

/* /etc has a link to the one that is written at every boot. */
static ssize_t
read_release(char *buf, size_t size)
{
	static const char *const paths[] = { "/etc/os-release",
				    "/var/run/os-release" };
	ssize_t			 n = -1;
	size_t			 i;
	int			 fd;

	for (i = 0; i < 2 && n <= 0; i++) {
		if ((fd = open(paths[i], O_RDONLY | O_CLOEXEC |
		    O_NONBLOCK)) == -1)
			continue;
		n = query_read(fd, buf, size);
		if (close(fd) == -1)
			log_warn("close: %s", paths[i]);
	}
	return (n);
}

/* --- guest-get-fsinfo --- */

static int
q_fsinfo(struct value_writer *w, char *err, size_t size)
{
	struct statfs	*v = NULL;
	struct bsd_mount m;
	struct geom	 g;
	int		 i, n, room;

	if ((n = getfsstat(NULL, 0, MNT_NOWAIT)) == -1)
		return (query_fail(err, size, "getfsstat"));
	/* More may be mounted meanwhile. */
	room = (n > MOUNTS_MAX ? MOUNTS_MAX : n) + 16;
	if ((v = calloc((size_t)room, sizeof(*v))) == NULL ||
	    (n = getfsstat(v, room * (long)sizeof(*v), MNT_NOWAIT)) == -1) {
		(void)query_fail(err, size, "getfsstat");
		free(v);
		return (-1);
	}
	/* Without it the file systems are still known. */
	if (geom_read(&g) == -1)
		log_warn("kern.geom.confxml");
	value_array(w, NULL);
	for (i = n < room ? n : room; i > 0; i--) {
		memset(&m, 0, sizeof(m));
		m.dir = v[i - 1].f_mntonname;
		m.dirmax = sizeof(v->f_mntonname);
		m.from = v[i - 1].f_mntfromname;
		m.frommax = sizeof(v->f_mntfromname);
		m.type = v[i - 1].f_fstypename;
		m.typemax = sizeof(v->f_fstypename);
		m.local = (v[i - 1].f_flags & MNT_LOCAL) != 0;
		m.unit = v[i - 1].f_bsize;
		m.blocks = v[i - 1].f_blocks;
		m.free = v[i - 1].f_bfree;
		m.avail = v[i - 1].f_bavail;
		m.disks = geom_addresses;
		m.arg = &g;
		bsd_mount_write(w, &m);
	}
	value_close(w);
	geom_free(&g);
	free(v);
	return (0);
}

/* --- guest-get-vcpus, guest-get-cpustats --- */

static int
q_vcpus(struct value_writer *w, char *err, size_t size)
{
	int	 i, n;

	if (bsd_sysctl_int(CTL_HW, HW_NCPU, &n) == -1)
		return (query_fail(err, size, "hw.ncpu"));
	value_array(w, NULL);
	for (i = 0; i < n && i < CPUS_MAX; i++)
		bsd_vcpu_write(w, (uint64_t)i, 1);
	value_close(w);
	return (0);
}

/* Of each up to the highest number; one that is not there has done nothing. */
static int
q_cpustats(struct value_writer *w, char *err, size_t size)
{
	static const int	 mib[2] = { CTL_KERN, KERN_CLOCKRATE };
	struct clockinfo	 clock;
	struct bsd_cpustat	 c;
	long			 v[CPUSTATES];
	void			*clocks, *times;
	size_t			 i, len;

	memset(&clock, 0, sizeof(clock));
	if (bsd_sysctl(mib, 2, &clocks, &len) == -1)
		return (query_fail(err, size, "kern.clockrate"));
	memcpy(&clock, clocks, len < sizeof(clock) ? len : sizeof(clock));
	free(clocks);
	if (clock.stathz <= 0) {
		(void)snprintf(err, size, "kern.clockrate makes no sense");
		return (-1);
	}
	if (freebsd_sysctl("kern.cp_times", &times, &len) == -1)
		return (query_fail(err, size, "kern.cp_times"));
	value_array(w, NULL);
	for (i = 0; i < len / sizeof(v) && i < CPUS_MAX; i++) {
		memcpy(v, (char *)times + i * sizeof(v), sizeof(v));
		c.user = (uint64_t)v[CP_USER];
		c.nice = (uint64_t)v[CP_NICE];
		c.system = (uint64_t)v[CP_SYS];
		c.irq = (uint64_t)v[CP_INTR];
		c.idle = (uint64_t)v[CP_IDLE];
		if ((c.user | c.nice | c.system | c.irq | c.idle) != 0)
			bsd_cpustat_write(w, i, &c, (uint64_t)clock.stathz);
	}
	value_close(w);
	free(times);
	return (0);
}

/* --- sysctl by name --- */

int
freebsd_sysctl(const char *name, void **buf, size_t *len)
{
	int	 mib[CTL_MAXNAME];
	size_t	 n = CTL_MAXNAME;

	if (sysctlnametomib(name, mib, &n) == -1)
		return (-1);
	return (bsd_sysctl(mib, (unsigned int)n, buf, len));
}
