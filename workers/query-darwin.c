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
 * The query worker's system half, macOS: by sysctl(3), getfsstat(2), which
 * with MNT_NOWAIT waits for no server, and Mach for processors.  What IOKit
 * alone knows, statistics of disks and where they hang, is not asked for: it
 * is no library of ours.
 */

#include <sys/param.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include <mach/mach.h>
#include <net/if.h>
#include <net/route.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "query-bsd.h"
#include "query-darwin.h"
#include "value.h"

#define CPUS_MAX	4096
#define MOUNTS_MAX	65536
#define DATA		"/System/Volumes/Data"
#define DEVICES		"/dev"

static int	 q_osinfo(struct value_writer *, char *, size_t);
static int	 q_interfaces(struct value_writer *, char *, size_t);
static int	 q_disks(struct value_writer *, char *, size_t);
static int	 q_fsinfo(struct value_writer *, char *, size_t);
static int	 q_vcpus(struct value_writer *, char *, size_t);
static int	 q_cpustats(struct value_writer *, char *, size_t);
static int	 text(const char *, char *, size_t);
static int	 is_hidden(const struct statfs *);

const query_fn system_queries[CMD_MAX] = {
	[CMD_GUEST_GET_OSINFO] = q_osinfo,
	[CMD_GUEST_GET_TIMEZONE] = query_timezone,
	[CMD_GUEST_GET_USERS] = bsd_users,
	[CMD_GUEST_NETWORK_GET_INTERFACES] = q_interfaces,
	[CMD_GUEST_GET_DISKS] = q_disks,
	[CMD_GUEST_GET_FSINFO] = q_fsinfo,
	[CMD_GUEST_GET_VCPUS] = q_vcpus,
	[CMD_GUEST_GET_CPUSTATS] = q_cpustats,
	[CMD_GUEST_NETWORK_GET_ROUTE] = bsd_routes
};

const size_t	 bsd_route_round = sizeof(uint32_t);
const int	 bsd_route_hidden = RTF_LLINFO | RTF_WASCLONED | RTF_LOCAL |
		    RTF_BROADCAST | RTF_MULTICAST;

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

/* These have 32 bits; darwin_counters() knows better. */
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

/* --- guest-get-osinfo --- */

/* A sysctl's text; -1: there is none. */
static int
text(const char *name, char *to, size_t size)
{
	size_t	 len = size - 1;

	if (sysctlbyname(name, to, &len, NULL, 0) == -1)
		return (-1);
	to[len] = '\0';
	return (to[0] == '\0' ? -1 : 0);
}

static int
q_osinfo(struct value_writer *w, char *err, size_t size)
{
	struct utsname	 u;
	struct osinfo	 o;
	char		 version[32], build[32], full[80], pretty[96];

	if (uname(&u) == -1)
		return (query_fail(err, size, "uname failed"));
	memset(&o, 0, sizeof(o));
	osinfo_set(&o, OSINFO_KERNEL_RELEASE, u.release);
	osinfo_set(&o, OSINFO_KERNEL_VERSION, u.version);
	osinfo_set(&o, OSINFO_MACHINE, u.machine);
	osinfo_set(&o, OSINFO_ID, "macos");
	osinfo_set(&o, OSINFO_NAME, "macOS");
	osinfo_set(&o, OSINFO_PRETTY_NAME, "macOS");
	/* What uname(3) has is Darwin's version, not macOS's. */
	if (text("kern.osproductversion", version, sizeof(version)) == 0) {
		(void)snprintf(full, sizeof(full), "%s", version);
		if (text("kern.osversion", build, sizeof(build)) == 0)
			(void)snprintf(full, sizeof(full), "%s (%s)",
			    version, build);
		(void)snprintf(pretty, sizeof(pretty), "macOS %s", version);
		osinfo_set(&o, OSINFO_PRETTY_NAME, pretty);
		osinfo_set(&o, OSINFO_VERSION, full);
		osinfo_set(&o, OSINFO_VERSION_ID, version);
	}
	osinfo_write(w, &o);
	return (0);
}

/* --- guest-network-get-interfaces --- */

static int
q_interfaces(struct value_writer *w, char *err, size_t size)
{
	static const int mib[6] = { CTL_NET, PF_ROUTE, 0, 0, NET_RT_IFLIST2,
			    0 };
	struct netifs	 ns;
	void		*buf;
	size_t		 i, len;
	int		 rv = -1;

	if (bsd_netifs(&ns, err, size) == -1)
		return (-1);
	buf = NULL;
	if (bsd_sysctl(mib, 6, &buf, &len) == -1)
		log_warn("counters of interfaces");
	else if ((rv = darwin_counters(&ns, buf, len)) == -1)
		log_warnx("the counters of interfaces make no sense");
	free(buf);
	/* Hosts want to know of interfaces most of all: none beats wrong ones. */
	for (i = 0; i < ns.n && rv == -1; i++)
		ns.v[i].hascounters = 0;
	netifs_write(w, &ns);
	netifs_free(&ns);
	return (0);
}

int
darwin_counters(struct netifs *ns, const void *buf, size_t len)
{
	const unsigned char	*p = buf;
	struct if_msghdr2	 h;
	struct netif		*n;
	size_t			 msglen;

	for (; len > 0; p += msglen, len -= msglen) {
		memset(&h, 0, sizeof(h));
		memcpy(&h, p, len < sizeof(h) ? len : sizeof(h));
		msglen = h.ifm_msglen;
		if (msglen < offsetof(struct if_msghdr2, ifm_type) + 1 ||
		    msglen > len)
			return (-1);
		if (h.ifm_version != RTM_VERSION ||
		    h.ifm_type != RTM_IFINFO2 || msglen < sizeof(h) ||
		    (n = netif_find(ns, h.ifm_index)) == NULL)
			continue;
		n->hascounters = 1;
		n->counters.rx_bytes = h.ifm_data.ifi_ibytes;
		n->counters.rx_packets = h.ifm_data.ifi_ipackets;
		n->counters.rx_errs = h.ifm_data.ifi_ierrors;
		n->counters.rx_dropped = h.ifm_data.ifi_iqdrops;
		n->counters.tx_bytes = h.ifm_data.ifi_obytes;
		n->counters.tx_packets = h.ifm_data.ifi_opackets;
		n->counters.tx_errs = h.ifm_data.ifi_oerrors;
		n->counters.tx_dropped = h.ifm_snd_drops > 0 ?
		    (uint64_t)h.ifm_snd_drops : 0;
	}
	return (0);
}

/* --- guest-get-disks --- */

static int
q_disks(struct value_writer *w, char *err, size_t size)
{
	const struct dirent	*d;
	DIR			*dir;

	if ((dir = opendir(DEVICES)) == NULL)
		return (query_fail(err, size, DEVICES));
	value_array(w, NULL);
	for (;;) {
		errno = 0;
		if ((d = readdir(dir)) == NULL)
			break;
		darwin_disk_write(w, d->d_name);
	}
	value_close(w);
	if (errno != 0) {
		(void)query_fail(err, size, DEVICES);
		(void)closedir(dir);
		return (-1);
	}
	(void)closedir(dir);
	return (0);
}

/* diskN, diskNsM, diskNsMsK: a volume of a slice, or its snapshot. */
void
darwin_disk_write(struct value_writer *w, const char *name)
{
	const char	*p = name + strlen("disk"), *on = NULL;
	char		 path[64];
	uint64_t	 n;

	if (strncmp(name, "disk", 4) != 0 || strlen(name) > 32)
		return;
	while (query_number(&p, 10, &n) == 0 && *p == 's')
		on = p++;
	if (*p != '\0' || p[-1] < '0' || p[-1] > '9')
		return;
	(void)snprintf(path, sizeof(path), DEVICES "/%s", name);
	value_object(w, NULL);
	value_string(w, "name", path);
	value_bool(w, "partition", on != NULL);
	if (on != NULL) {
		(void)snprintf(path, sizeof(path), DEVICES "/%.*s",
		    (int)(on - name), name);
		value_array(w, "dependencies");
		value_string(w, NULL, path);
		value_close(w);
	}
	value_close(w);
}

/* --- guest-get-fsinfo --- */

static int
q_fsinfo(struct value_writer *w, char *err, size_t size)
{
	struct statfs	*v = NULL;
	struct bsd_mount m;
	int		 i, n, room;

	if ((n = getfsstat(NULL, 0, MNT_NOWAIT)) == -1)
		return (query_fail(err, size, "getfsstat"));
	/* More may be mounted meanwhile. */
	room = (n > MOUNTS_MAX ? MOUNTS_MAX : n) + 16;
	if ((v = calloc((size_t)room, sizeof(*v))) == NULL ||
	    (n = getfsstat(v, room * (int)sizeof(*v), MNT_NOWAIT)) == -1) {
		(void)query_fail(err, size, "getfsstat");
		free(v);
		return (-1);
	}
	value_array(w, NULL);
	for (i = n < room ? n : room; i > 0; i--) {
		if (is_hidden(&v[i - 1]))
			continue;
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
		m.avail = v[i - 1].f_bavail <= INT64_MAX ?
		    (int64_t)v[i - 1].f_bavail : 0;
		bsd_mount_write(w, &m);
	}
	value_close(w);
	free(v);
	return (0);
}

/* The system's own volumes; all that users have is on one of them. */
static int
is_hidden(const struct statfs *f)
{
	return ((f->f_flags & MNT_DONTBROWSE) != 0 &&
	    strncmp(f->f_mntonname, DATA, sizeof(DATA)) != 0);
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

static int
q_cpustats(struct value_writer *w, char *err, size_t size)
{
	struct bsd_cpustat	 c;
	processor_info_array_t	 info = NULL;
	mach_msg_type_number_t	 len;
	natural_t		 i, n;
	const int		*v;
	kern_return_t		 rv;
	long			 hz;

	rv = host_processor_info(mach_host_self(), PROCESSOR_CPU_LOAD_INFO,
	    &n, &info, &len);
	if (rv != KERN_SUCCESS) {
		(void)snprintf(err, size, "host_processor_info: error %d",
		    (int)rv);
		return (-1);
	}
	if ((hz = sysconf(_SC_CLK_TCK)) <= 0)
		hz = 100;
	value_array(w, NULL);
	memset(&c, 0, sizeof(c));
	for (i = 0; i < n && i < CPUS_MAX && i < len / CPU_STATE_MAX; i++) {
		/* Unsigned, though an array of integer_t carries them. */
		v = info + i * CPU_STATE_MAX;
		c.user = (unsigned int)v[CPU_STATE_USER];
		c.nice = (unsigned int)v[CPU_STATE_NICE];
		c.system = (unsigned int)v[CPU_STATE_SYSTEM];
		c.idle = (unsigned int)v[CPU_STATE_IDLE];
		bsd_cpustat_write(w, i, &c, (uint64_t)hz);
	}
	value_close(w);
	(void)vm_deallocate(mach_task_self(), (vm_address_t)info,
	    len * sizeof(*info));
	return (0);
}
