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
 * The query worker on the BSDs: what they do alike, by getifaddrs(3) and
 * sysctl(3), and how it is told.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/utsname.h>

#include <net/if.h>
#include <net/if_dl.h>
#include <net/route.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query-bsd.h"
#include "value.h"

#define SYSCTL_MAX	(64 * 1024 * 1024)	/* bytes */
#define SYSCTL_TRIES	8
#define ROUTE_ADDRS	8		/* RTA_DST, _GATEWAY, _NETMASK first */
#define SECTOR		512		/* of the schema, whatever a disk's is */

struct bsd_route {
	int		 family;
	unsigned char	 to[16], via[16], mask[16];
	int		 hasmask;
};

static int	 interfaces_collect(struct netifs *, const struct ifaddrs *);
static int	 link_add(struct netifs *, const struct ifaddrs *);
static int	 address_add(struct netifs *, struct netif *,
		    const struct ifaddrs *);
static size_t	 address_copy(const struct sockaddr *, size_t, int,
		    unsigned char *);
static void	 scope_clear(int, unsigned char *);
static unsigned int prefix_length(const unsigned char *, size_t);
static struct netif *netif_named(struct netifs *, struct netif *,
		    const char *);
static int	 route_addresses(struct bsd_route *, int, const unsigned char *,
		    size_t);
static void	 route_write(struct value_writer *, const struct bsd_route *,
		    const struct rt_msghdr *, const struct netif *);
static int	 begins(const char *, size_t, const char *);
static uint64_t	 milliseconds(uint64_t, uint64_t);

/* --- sysctl --- */

int
bsd_sysctl(const int *mib, unsigned int n, void **buf, size_t *len)
{
	int	*name = (int *)(uintptr_t)mib;	/* const on some systems */
	size_t	 size;
	int	 i;

	for (i = 0; i < SYSCTL_TRIES; i++) {
		*len = 0;
		if (sysctl(name, n, NULL, len, NULL, 0) == -1)
			return (-1);
		if (*len > SYSCTL_MAX) {
			errno = EFBIG;
			return (-1);
		}
		/*
		 * It may grow before the next call, which then says so, and
		 * grow faster than we ask.
		 */
		size = (*len + *len / 4 + 1024) << i;
		if (size > 2 * SYSCTL_MAX)
			size = 2 * SYSCTL_MAX;
		/* One more, for who needs an end to a text. */
		if ((*buf = calloc(1, size + 1)) == NULL)
			return (-1);
		*len = size;
		if (sysctl(name, n, *buf, len, NULL, 0) == 0 && *len <= size)
			return (0);
		free(*buf);
		*buf = NULL;
		if (errno != ENOMEM)
			return (-1);
	}
	errno = ENOMEM;
	return (-1);
}

int
bsd_sysctl_int(int top, int second, int *value)
{
	int	 mib[2];
	size_t	 len = sizeof(*value);

	mib[0] = top;
	mib[1] = second;
	if (sysctl(mib, 2, value, &len, NULL, 0) == -1)
		return (-1);
	if (len != sizeof(*value)) {
		errno = EINVAL;
		return (-1);
	}
	return (0);
}

/* --- guest-network-get-interfaces --- */

int
bsd_netifs(struct netifs *ns, char *err, size_t size)
{
	struct ifaddrs	*list;
	int		 rv;

	memset(ns, 0, sizeof(*ns));
	if (getifaddrs(&list) == -1)
		return (query_fail(err, size, "getifaddrs failed"));
	if ((rv = interfaces_collect(ns, list)) == -1) {
		(void)query_fail(err, size, "interfaces");
		netifs_free(ns);
	}
	freeifaddrs(list);
	return (rv);
}

int
bsd_interfaces(struct value_writer *w, char *err, size_t size)
{
	struct netifs	 ns;

	if (bsd_netifs(&ns, err, size) == -1)
		return (-1);
	netifs_write(w, &ns);
	netifs_free(&ns);
	return (0);
}

/*
 * Every interface has one link address, which tells its number; addresses of
 * other families come in any order, most often next to it.
 */
static int
interfaces_collect(struct netifs *ns, const struct ifaddrs *list)
{
	const struct ifaddrs	*a;
	struct netif		*n = NULL;

	for (a = list; a != NULL; a = a->ifa_next)
		if (a->ifa_name != NULL && a->ifa_addr != NULL &&
		    a->ifa_addr->sa_family == AF_LINK &&
		    link_add(ns, a) == -1)
			return (-1);
	for (a = list; a != NULL; a = a->ifa_next) {
		if (a->ifa_name == NULL || a->ifa_addr == NULL ||
		    (a->ifa_addr->sa_family != AF_INET &&
		    a->ifa_addr->sa_family != AF_INET6))
			continue;
		n = netif_named(ns, n, a->ifa_name);
		if (n != NULL && address_add(ns, n, a) == -1)
			return (-1);
	}
	return (0);
}

static int
link_add(struct netifs *ns, const struct ifaddrs *a)
{
	struct sockaddr_dl	 dl;
	struct netif		*n;
	const unsigned char	*bytes = (const void *)a->ifa_addr;
	size_t			 len = a->ifa_addr->sa_len;
	size_t			 at = offsetof(struct sockaddr_dl, sdl_data);

	if (len < at)
		return (0);
	memset(&dl, 0, sizeof(dl));
	memcpy(&dl, bytes, len < sizeof(dl) ? len : sizeof(dl));
	if ((n = netif_add(ns, dl.sdl_index)) == NULL)
		return (-1);
	n->len = strnlen(a->ifa_name, sizeof(n->name));
	memcpy(n->name, a->ifa_name, n->len);
	at += dl.sdl_nlen;
	/* Not of those that have none and say so with zeros. */
	if (dl.sdl_alen == sizeof(n->mac) && at + sizeof(n->mac) <= len) {
		memcpy(n->mac, bytes + at, sizeof(n->mac));
		n->hasmac = memcmp(n->mac, "\0\0\0\0\0", 6) != 0;
	}
	if (a->ifa_data != NULL) {
		bsd_counters(a->ifa_data, &n->counters);
		n->hascounters = 1;
	}
	return (0);
}

/* at: where to look first; NULL: there is none of that name. */
static struct netif *
netif_named(struct netifs *ns, struct netif *at, const char *name)
{
	size_t	 i, len = strnlen(name, NETIF_NAME);

	if (at != NULL && at->len == len && memcmp(at->name, name, len) == 0)
		return (at);
	for (i = 0; i < ns->n; i++)
		if (ns->v[i].len == len &&
		    memcmp(ns->v[i].name, name, len) == 0)
			return (&ns->v[i]);
	return (NULL);
}

static int
address_add(struct netifs *ns, struct netif *n, const struct ifaddrs *a)
{
	unsigned char	 address[16], mask[16];
	size_t		 size;
	int		 family = a->ifa_addr->sa_family;

	size = address_copy(a->ifa_addr, a->ifa_addr->sa_len, family,
	    address);
	memset(mask, 0xff, sizeof(mask));
	if (a->ifa_netmask != NULL)
		(void)address_copy(a->ifa_netmask, a->ifa_netmask->sa_len,
		    family, mask);
	scope_clear(family, address);
	return (netaddr_add(ns, n, family, prefix_length(mask, size),
	    address));
}

/*
 * The address within a sockaddr of so many bytes, of which a mask's trailing
 * zeros may be cut off.  Returns how many bytes such an address has.
 */
static size_t
address_copy(const struct sockaddr *sa, size_t len, int family,
    unsigned char *to)
{
	size_t	 at, size;

	if (family == AF_INET) {
		at = offsetof(struct sockaddr_in, sin_addr);
		size = 4;
	} else {
		at = offsetof(struct sockaddr_in6, sin6_addr);
		size = 16;
	}
	memset(to, 0, 16);
	if (len > at)
		memcpy(to, (const unsigned char *)sa + at,
		    len - at < size ? len - at : size);
	return (size);
}

/* The kernel keeps a link-local address's interface in these two bytes. */
static void
scope_clear(int family, unsigned char *a)
{
	if (family == AF_INET6 && ((a[0] == 0xfe && (a[1] & 0xc0) == 0x80) ||
	    (a[0] == 0xff && ((a[1] & 0x0f) == 1 || (a[1] & 0x0f) == 2))))
		a[2] = a[3] = 0;
}

static unsigned int
prefix_length(const unsigned char *mask, size_t size)
{
	unsigned int	 n = 0;

	while (n < size * 8 && mask[n / 8] & (0x80 >> n % 8))
		n++;
	return (n);
}

/* --- guest-network-get-route --- */

int
bsd_routes(struct value_writer *w, char *err, size_t size)
{
	static const int	 mib[6] = { CTL_NET, PF_ROUTE, 0, 0,
				    NET_RT_DUMP, 0 };
	struct netifs		 ns;
	void			*buf;
	size_t			 len;
	int			 rv;

	if (bsd_netifs(&ns, err, size) == -1)
		return (-1);
	if ((rv = bsd_sysctl(mib, 6, &buf, &len)) == -1)
		(void)query_fail(err, size, "the routing table");
	else {
		if ((rv = bsd_routes_parse(w, &ns, buf, len)) == -1)
			(void)snprintf(err, size,
			    "the routing table makes no sense");
		free(buf);
	}
	netifs_free(&ns);
	return (rv);
}

int
bsd_routes_parse(struct value_writer *w, struct netifs *ns, const void *buf,
    size_t len)
{
	const unsigned char	*p = buf;
	struct rt_msghdr	 h;
	struct bsd_route		 r;
	size_t			 msglen, header;

	value_array(w, NULL);
	for (; len > 0; p += msglen, len -= msglen) {
		memset(&h, 0, sizeof(h));
		memcpy(&h, p, len < sizeof(h) ? len : sizeof(h));
		msglen = h.rtm_msglen;
		if (msglen < offsetof(struct rt_msghdr, rtm_type) + 1 ||
		    msglen > len)
			return (-1);
		if (h.rtm_version != RTM_VERSION || h.rtm_type != RTM_GET ||
		    !(h.rtm_flags & RTF_UP) ||
		    h.rtm_flags & bsd_route_hidden)
			continue;
		header = bsd_route_header(&h);
		if (header < sizeof(h) || header > msglen)
			return (-1);
		memset(&r, 0, sizeof(r));
		if (route_addresses(&r, h.rtm_addrs, p + header,
		    msglen - header) == -1)
			return (-1);
		if (r.family == AF_INET || r.family == AF_INET6)
			route_write(w, &r, &h, netif_find(ns, h.rtm_index));
	}
	value_close(w);
	return (0);
}

static int
route_addresses(struct bsd_route *r, int addrs, const unsigned char *p,
    size_t len)
{
	const size_t		 families = offsetof(struct sockaddr, sa_data);
	const struct sockaddr	*sa;
	size_t			 salen, step, i;

	for (i = 0; i < ROUTE_ADDRS; i++) {
		if (!(addrs & 1 << i))
			continue;
		if (len < families)
			return (-1);
		sa = (const void *)p;
		salen = p[offsetof(struct sockaddr, sa_len)];
		step = salen == 0 ? bsd_route_round : (salen +
		    bsd_route_round - 1) / bsd_route_round * bsd_route_round;
		if (salen > len)
			return (-1);
		if (i == 0) {
			r->family = p[offsetof(struct sockaddr, sa_family)];
			(void)address_copy(sa, salen, r->family, r->to);
		} else if (i == 1 && r->family ==
		    p[offsetof(struct sockaddr, sa_family)])
			(void)address_copy(sa, salen, r->family, r->via);
		else if (i == 2) {
			(void)address_copy(sa, salen, r->family, r->mask);
			r->hasmask = 1;
		}
		if (step > len)		/* the last needs no padding */
			step = len;
		p += step;
		len -= step;
	}
	return (0);
}

static void
route_write(struct value_writer *w, const struct bsd_route *r,
    const struct rt_msghdr *h, const struct netif *n)
{
	unsigned char	 to[16], via[16], mask[16];
	char		 text[INET6_ADDRSTRLEN];

	memcpy(to, r->to, sizeof(to));
	memcpy(via, r->via, sizeof(via));
	memset(mask, h->rtm_flags & RTF_HOST ? 0xff : 0, sizeof(mask));
	if (r->hasmask)
		memcpy(mask, r->mask, sizeof(mask));
	scope_clear(r->family, to);
	scope_clear(r->family, via);
	value_object(w, NULL);
	if (n != NULL)
		value_bytes(w, "iface", n->name, n->len);
	else
		value_string(w, "iface", "");
	if (inet_ntop(r->family, to, text, sizeof(text)) == NULL)
		text[0] = '\0';
	value_string(w, "destination", text);
	value_uint(w, "metric", 0);
	if (inet_ntop(r->family, via, text, sizeof(text)) == NULL)
		text[0] = '\0';
	if (r->family == AF_INET) {
		value_string(w, "gateway", text);
		if (inet_ntop(r->family, mask, text, sizeof(text)) == NULL)
			text[0] = '\0';
		value_string(w, "mask", text);
	} else {
		value_string(w, "nexthop", text);
		(void)snprintf(text, sizeof(text), "%u",
		    prefix_length(mask, 16));
		value_string(w, "desprefixlen", text);
	}
	value_uint(w, "flags", (uint64_t)(unsigned int)h->rtm_flags);
	value_uint(w, "mtu", (uint64_t)h->rtm_rmx.rmx_mtu);
	value_int(w, "version", r->family == AF_INET ? 4 : 6);
	value_close(w);
}

/* --- guest-get-fsinfo --- */

static int
begins(const char *s, size_t len, const char *with)
{
	return (len >= strlen(with) && memcmp(s, with, strlen(with)) == 0);
}

/*
 * Listed is what a disk of this machine holds: a device's, or ZFS's, which
 * has many.  No path is looked at, so that no server is waited for.
 */
void
bsd_mount_write(struct value_writer *w, const struct bsd_mount *m)
{
	size_t	 dir = strnlen(m->dir, m->dirmax);
	size_t	 from = strnlen(m->from, m->frommax);
	size_t	 type = strnlen(m->type, m->typemax), skip = 0, i;
	struct bsd_disk disk;
	uint64_t used, total;

	if (begins(m->from, from, "/dev/"))
		skip = strlen("/dev/");
	else if (type != 3 || memcmp(m->type, "zfs", 3) != 0)
		return;
	if (!m->local || begins(m->type, type, "fuse") ||
	    begins(m->type, type, "puffs"))
		return;
	value_object(w, NULL);
	value_bytes(w, "name", m->from + skip, from - skip);
	value_bytes(w, "mountpoint", m->dir, dir);
	value_bytes(w, "type", m->type, type);
	/* Numbers that make no sense are left out. */
	used = m->blocks - m->free;
	total = used + (m->avail > 0 ? (uint64_t)m->avail : 0);
	if (m->unit != 0 && m->free <= m->blocks && total >= used &&
	    total <= INT64_MAX / m->unit &&
	    m->blocks <= INT64_MAX / m->unit) {
		value_uint(w, "used-bytes", used * m->unit);
		value_uint(w, "total-bytes", total * m->unit);
		value_uint(w, "total-bytes-privileged", m->blocks * m->unit);
	}
	value_array(w, "disk");
	if (m->disks != NULL)
		m->disks(w, m, m->arg);
	else if (skip > 0) {
		/* Where it hangs nobody but the host knows. */
		memset(&disk, 0, sizeof(disk));
		disk.bustype = "unknown";
		disk.dev = m->from;
		disk.len = from;
		for (i = 0; i < BSD_PCI; i++)
			disk.pci[i] = -1;
		bsd_address_write(w, NULL, &disk);
	}
	value_close(w);
	value_close(w);
}

void
bsd_address_write(struct value_writer *w, const char *key,
    const struct bsd_disk *d)
{
	static const char *const places[BSD_PCI] = {
		"domain", "bus", "slot", "function"
	};
	size_t	 i;

	value_object(w, key);
	value_object(w, "pci-controller");
	for (i = 0; i < BSD_PCI; i++)
		value_int(w, places[i], d->pci[i]);
	value_close(w);
	value_string(w, "bus-type", d->bustype);
	value_uint(w, "bus", 0);
	value_uint(w, "target", 0);
	value_uint(w, "unit", 0);
	if (d->serial != NULL)
		value_string(w, "serial", d->serial);
	value_bytes(w, "dev", d->dev, d->len);
	value_close(w);
}

/* --- disks, processors --- */

void
bsd_disk_write(struct value_writer *w, const char *path, int partition)
{
	value_object(w, NULL);
	value_string(w, "name", path);
	value_bool(w, "partition", partition);
	value_close(w);
}

void
bsd_diskstat_write(struct value_writer *w, const struct bsd_diskstat *d)
{
	value_object(w, NULL);
	value_bytes(w, "name", d->name, d->len);
	value_uint(w, "major", d->major);
	value_uint(w, "minor", d->minor);
	value_object(w, "stats");
	value_uint(w, "read-ios", d->reads);
	value_uint(w, "read-sectors", d->rbytes / SECTOR);
	value_uint(w, "write-ios", d->writes);
	value_uint(w, "write-sectors", d->wbytes / SECTOR);
	value_uint(w, "ios-pgr", d->busy);
	value_uint(w, "total-ticks", d->ms);
	value_close(w);
	value_close(w);
}

static uint64_t
milliseconds(uint64_t ticks, uint64_t hz)
{
	if (hz == 0)
		return (0);
	if (ticks / hz >= UINT64_MAX / 1000)
		return (UINT64_MAX);
	return (ticks / hz * 1000 + ticks % hz * 1000 / hz);
}

/* The schema knows one type, and hosts add its members up. */
void
bsd_cpustat_write(struct value_writer *w, uint64_t cpu,
    const struct bsd_cpustat *c, uint64_t hz)
{
	value_object(w, NULL);
	value_string(w, "type", "linux");
	value_uint(w, "cpu", cpu);
	value_uint(w, "user", milliseconds(c->user, hz));
	value_uint(w, "nice", milliseconds(c->nice, hz));
	value_uint(w, "system", milliseconds(c->system, hz));
	value_uint(w, "idle", milliseconds(c->idle, hz));
	value_uint(w, "irq", milliseconds(c->irq, hz));
	value_close(w);
}

void
bsd_vcpu_write(struct value_writer *w, uint64_t cpu, int online)
{
	value_object(w, NULL);
	value_uint(w, "logical-id", cpu);
	value_bool(w, "online", online);
	value_bool(w, "can-offline", 0);
	value_close(w);
}

/* --- guest-get-osinfo --- */

int
bsd_osinfo(struct value_writer *w, const char *id, const char *name,
    char *err, size_t size)
{
	struct utsname	 u;
	struct osinfo	 o;
	char		 pretty[sizeof(u.release) + 32];

	if (uname(&u) == -1)
		return (query_fail(err, size, "uname failed"));
	(void)snprintf(pretty, sizeof(pretty), "%s %s", name, u.release);
	memset(&o, 0, sizeof(o));
	osinfo_set(&o, OSINFO_KERNEL_RELEASE, u.release);
	osinfo_set(&o, OSINFO_KERNEL_VERSION, u.version);
	osinfo_set(&o, OSINFO_MACHINE, u.machine);
	osinfo_set(&o, OSINFO_ID, id);
	osinfo_set(&o, OSINFO_NAME, name);
	osinfo_set(&o, OSINFO_PRETTY_NAME, pretty);
	osinfo_set(&o, OSINFO_VERSION, u.release);
	osinfo_set(&o, OSINFO_VERSION_ID, u.release);
	osinfo_write(w, &o);
	return (0);
}
