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
 * The query worker's system half, Linux: /etc/os-release, utmp and rtnetlink.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmp.h>

#include "imsg.h"
#include "log.h"
#include "query.h"
#include "value.h"

#define OS_RELEASE	"/etc/os-release"
#define OS_RELEASE_LIB	"/usr/lib/os-release"
#define LOCALTIME	"/etc/localtime"

#define DUMP_TRIES	8
#define DUMP_BUFFER	(64 * 1024)	/* the kernel fills 32 KiB at most, */
#define DUMP_BUFFER_MAX	(4 * 1024 * 1024)	/* or one message's size */

static int	 q_osinfo(struct value_writer *, char *, size_t);
static int	 q_timezone(struct value_writer *, char *, size_t);
static int	 q_users(struct value_writer *, char *, size_t);
static int	 q_interfaces(struct value_writer *, char *, size_t);
static int	 open_named(const char *);
static ssize_t	 read_release(char *, size_t);
static ssize_t	 read_path(const char *, char *, size_t);
static int	 netlink_open(void);
static void	 netlink_close(void);
static int	 dump(struct netifs *, uint16_t, int *);
static int	 dump_ask(uint16_t);
static ssize_t	 dump_receive(void);
static int	 dump_buffer(void);
static int	 link_parse(struct netifs *, struct ibuf *);
static void	 link_attribute(struct netif *, uint16_t, struct ibuf *);
static int	 address_parse(struct netifs *, struct ibuf *);
static int	 attribute(struct ibuf *, uint16_t *, struct ibuf *);
static int	 end_parse(struct ibuf *, uint16_t);
static int	 skip_padding(struct ibuf *, size_t);

const query_fn system_queries[CMD_MAX] = {
	[CMD_GUEST_GET_OSINFO] = q_osinfo,
	[CMD_GUEST_GET_TIMEZONE] = q_timezone,
	[CMD_GUEST_GET_USERS] = q_users,
	[CMD_GUEST_NETWORK_GET_INTERFACES] = q_interfaces,
	[CMD_GUEST_GET_DISKS] = linux_disks,
	[CMD_GUEST_GET_DISKSTATS] = linux_diskstats,
	[CMD_GUEST_GET_FSINFO] = linux_fsinfo,
	[CMD_GUEST_GET_VCPUS] = linux_vcpus,
	[CMD_GUEST_GET_MEMORY_BLOCKS] = linux_memory_blocks,
	[CMD_GUEST_GET_MEMORY_BLOCK_INFO] = linux_memory_block_info,
	[CMD_GUEST_GET_CPUSTATS] = linux_cpustats,
	[CMD_GUEST_NETWORK_GET_ROUTE] = linux_routes
};

/*
 * Landlock's rules hold for the files that had these names at our start, not
 * for the ones that an upgrade put there since.
 */
static struct named {
	const char	*path;
	dev_t		 dev;		/* both 0: there was none */
	ino_t		 ino;
} named[] = {
	{ OS_RELEASE, 0, 0 },
	{ OS_RELEASE_LIB, 0, 0 },
	{ LOCALTIME, 0, 0 },
	{ _PATH_UTMP, 0, 0 }
};
int		 query_outlived;

static struct utsname kernel;		/* what is used of it never changes */
static int	 release_fd = -1;	/* of QGA_OS_RELEASE */
static int	 release_env;		/* it was set: nothing else is read */

/* One socket for all dumps; closed when one ends before its end. */
static int	 netlink_fd = -1;
static uint32_t	 netlink_seq;
static char	*netlink_buf;
static size_t	 netlink_size;

void
query_open(void)
{
	const char	*path;
	struct stat	 st;
	size_t		 i;

	/* The sandbox lets nobody but the usual places be read. */
	if ((path = getenv("QGA_OS_RELEASE")) != NULL) {
		release_env = 1;
		release_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (release_fd == -1)
			log_warn("QGA_OS_RELEASE: %s", path);
	}
	if (netlink_open() == -1)
		log_warn("netlink");
	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (stat(named[i].path, &st) == -1)
			continue;
		named[i].dev = st.st_dev;
		named[i].ino = st.st_ino;
	}
}

/*
 * open(2) for reading.  One of the named files that is another now and is
 * refused: ESTALE, and our time is over.
 */
static int
open_named(const char *path)
{
	struct stat	 st;
	size_t		 i;
	int		 fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd != -1 || errno != EACCES)
		return (fd);
	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (strcmp(named[i].path, path) == 0 &&
		    stat(path, &st) == 0 && (st.st_dev != named[i].dev ||
		    st.st_ino != named[i].ino)) {
			query_outlived = 1;
			errno = ESTALE;
			return (-1);
		}
	}
	errno = EACCES;
	return (-1);
}

/* --- guest-get-osinfo --- */

static int
q_osinfo(struct value_writer *w, char *err, size_t size)
{
	static char	 file[OSINFO_FILE];
	struct osinfo	 o;
	ssize_t		 n;

	if (kernel.release[0] == '\0' && uname(&kernel) == -1)
		return (query_fail(err, size, "uname failed"));
	memset(&o, 0, sizeof(o));
	osinfo_set(&o, OSINFO_KERNEL_RELEASE, kernel.release);
	osinfo_set(&o, OSINFO_KERNEL_VERSION, kernel.version);
	osinfo_set(&o, OSINFO_MACHINE, kernel.machine);
	/* A file that is not there leaves its members out. */
	n = read_release(file, sizeof(file));
	if (n == -1 && errno == ESTALE)
		return (query_fail(err, size, "os-release was replaced"));
	if (n > 0)
		osinfo_parse(&o, file, (size_t)n);
	osinfo_write(w, &o);
	return (0);
}

static ssize_t
read_release(char *buf, size_t size)
{
	ssize_t	 n;

	if (release_env)
		return (query_read(release_fd, buf, size));
	n = read_path(OS_RELEASE, buf, size);
	if (n == -1 && errno != ESTALE)
		n = read_path(OS_RELEASE_LIB, buf, size);
	return (n);
}

static ssize_t
read_path(const char *path, char *buf, size_t size)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = open_named(path)) == -1)
		return (-1);
	n = query_read(fd, buf, size);
	if (close(fd) == -1)
		log_warn("close: %s", path);
	return (n);
}

/* --- guest-get-timezone --- */

static int
q_timezone(struct value_writer *w, char *err, size_t size)
{
	int	 fd;

	/* libc takes a file that it may not read for UTC. */
	if ((fd = open_named(LOCALTIME)) == -1 && errno == ESTALE)
		return (query_fail(err, size, LOCALTIME " was replaced"));
	if (fd != -1 && close(fd) == -1)
		log_warn("close: %s", LOCALTIME);
	return (query_timezone(w, err, size));
}

/* --- guest-get-users --- */

static int
q_users(struct value_writer *w, char *err, size_t size)
{
	struct users	 us;
	int		 rv = 0;

	memset(&us, 0, sizeof(us));
	if (linux_utmp(&us, NULL) == -1)
		rv = query_fail(err, size, _PATH_UTMP);
	else
		users_write(w, &us);
	users_free(&us);
	return (rv);
}

/*
 * Read here and not by getutxent(3), which locks the file and would need the
 * right to.  A file that cannot be had is nobody logged in: hosts ask for
 * users together with all else and take one error for the failure of all.
 */
int
linux_utmp(struct users *us, const char *path)
{
	struct utmp	 v[32];
	ssize_t		 n;
	size_t		 i, have = 0;
	int		 fd, rv = 0, saved;

	if (path == NULL)
		path = _PATH_UTMP;
	if ((fd = open_named(path)) == -1) {
		if (errno == ESTALE)
			return (-1);
		if (errno != ENOENT)
			log_warn("%s", path);
		return (0);
	}
	while (rv == 0) {
		n = read(fd, (char *)v + have, sizeof(v) - have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			log_warn("%s", path);
		if (n <= 0)
			break;
		have += (size_t)n;
		for (i = 0; i < have / sizeof(v[0]) && rv == 0; i++) {
			if (v[i].ut_type != USER_PROCESS)
				continue;
			rv = users_add(us, v[i].ut_user, sizeof(v[i].ut_user),
			    (double)v[i].ut_tv.tv_sec +
			    (double)v[i].ut_tv.tv_usec / 1e6);
		}
		/* Half a record waits for its other half. */
		i = have - have % sizeof(v[0]);
		have -= i;
		memmove(v, (char *)v + i, have);
	}
	saved = errno;
	if (close(fd) == -1)
		log_warn("close: %s", path);
	errno = saved;
	return (rv);
}

/* --- guest-network-get-interfaces --- */

static int
q_interfaces(struct value_writer *w, char *err, size_t size)
{
	static struct netifs	 ns;
	int			 changed, tries;

	/*
	 * A dump during which something changed may lack what never moved:
	 * ask again.  Where changes never cease, the last one must do.
	 */
	for (tries = 0; tries < DUMP_TRIES; tries++) {
		changed = 0;
		netifs_reset(&ns);
		if (dump(&ns, RTM_GETLINK, &changed) == -1 ||
		    dump(&ns, RTM_GETADDR, &changed) == -1) {
			if (errno == EAGAIN)
				continue;
			return (query_fail(err, size, "getifaddrs failed"));
		}
		if (!changed)
			break;
	}
	if (tries == DUMP_TRIES && !changed)
		return (query_fail(err, size, "getifaddrs failed"));
	netifs_write(w, &ns);
	return (0);
}

static int
netlink_open(void)
{
	if (netlink_fd != -1)
		return (0);
	netlink_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
	    NETLINK_ROUTE);
	return (netlink_fd == -1 ? -1 : 0);
}

static void
netlink_close(void)
{
	int	 saved = errno;

	if (netlink_fd != -1 && close(netlink_fd) == -1)
		log_warn("close: netlink");
	netlink_fd = -1;
	errno = saved;
}

/*
 * -1 with errno; EAGAIN: worth another try.  A dump that is not read to its
 * end would stand in the way of the next one, so its socket goes with it.
 */
static int
dump(struct netifs *ns, uint16_t type, int *changed)
{
	ssize_t	 n;
	int	 more = 1;

	if (netlink_open() == -1)
		return (-1);
	if (dump_buffer() == -1 || dump_ask(type) == -1)
		more = -1;
	while (more == 1) {
		if ((n = dump_receive()) == -1)
			more = -1;
		else
			more = linux_netlink(ns, netlink_buf, (size_t)n,
			    netlink_seq, changed);
	}
	if (more == -1)
		netlink_close();
	return (more);
}

static int
dump_buffer(void)
{
	if (netlink_buf != NULL)
		return (0);
	if ((netlink_buf = malloc(DUMP_BUFFER)) == NULL)
		return (-1);
	netlink_size = DUMP_BUFFER;
	return (0);
}

/* The kernel binds the socket itself; it looks at the family alone. */
static int
dump_ask(uint16_t type)
{
	struct {
		struct nlmsghdr		 h;
		struct ifinfomsg	 i;	/* the longer of the two */
	} ask;
	struct sockaddr_nl	 to;
	ssize_t			 n;

	memset(&ask, 0, sizeof(ask));
	ask.h.nlmsg_len = sizeof(ask);
	ask.h.nlmsg_type = type;
	ask.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	ask.h.nlmsg_seq = ++netlink_seq;
	ask.i.ifi_family = AF_UNSPEC;
	memset(&to, 0, sizeof(to));
	to.nl_family = AF_NETLINK;
	do {
		n = sendto(netlink_fd, &ask, sizeof(ask), 0,
		    (struct sockaddr *)&to, sizeof(to));
	} while (n == -1 && errno == EINTR);
	return (n == -1 ? -1 : 0);
}

/* One datagram of the kernel's; anyone else's are dropped. */
static ssize_t
dump_receive(void)
{
	struct sockaddr_nl	 from;
	struct msghdr		 mh;
	struct iovec		 iov;
	char			*larger;
	ssize_t			 n;

	for (;;) {
		memset(&from, 0, sizeof(from));
		memset(&mh, 0, sizeof(mh));
		iov.iov_base = netlink_buf;
		iov.iov_len = netlink_size;
		mh.msg_name = &from;
		mh.msg_namelen = sizeof(from);
		mh.msg_iov = &iov;
		mh.msg_iovlen = 1;
		if ((n = recvmsg(netlink_fd, &mh, 0)) == -1) {
			if (errno == EINTR)
				continue;
			if (errno == ENOBUFS)
				errno = EAGAIN;
			return (-1);
		}
		if (mh.msg_namelen == sizeof(from) && from.nl_pid == 0)
			break;
	}
	if ((mh.msg_flags & MSG_TRUNC) == 0)
		return (n);
	if (netlink_size >= DUMP_BUFFER_MAX) {
		errno = EMSGSIZE;
		return (-1);
	}
	if ((larger = realloc(netlink_buf, netlink_size * 2)) == NULL)
		return (-1);
	netlink_buf = larger;
	netlink_size *= 2;
	errno = EAGAIN;
	return (-1);
}

int
linux_netlink(struct netifs *ns, const void *bytes, size_t len, uint32_t seq,
    int *changed)
{
	struct nlmsghdr	 h;
	struct ibuf	 in, msg;
	int		 rv = 0;

	ibuf_from_buffer(&in, (void *)(uintptr_t)bytes, len);
	while (ibuf_size(&in) > 0) {
		if (ibuf_get(&in, &h, sizeof(h)) == -1)
			return (-1);
		if (h.nlmsg_len < sizeof(h)) {
			errno = EBADMSG;
			return (-1);
		}
		if (ibuf_get_ibuf(&in, h.nlmsg_len - sizeof(h), &msg) == -1 ||
		    skip_padding(&in, h.nlmsg_len) == -1)
			return (-1);
		if (h.nlmsg_seq != seq)		/* a dump given up on */
			continue;
		if (h.nlmsg_flags & NLM_F_DUMP_INTR)
			*changed = 1;
		if (h.nlmsg_type == NLMSG_DONE || h.nlmsg_type == NLMSG_ERROR)
			return (end_parse(&msg, h.nlmsg_type));
		if (h.nlmsg_type == NLMSG_OVERRUN)
			*changed = 1;
		else if (h.nlmsg_type == RTM_NEWLINK)
			rv = link_parse(ns, &msg);
		else if (h.nlmsg_type == RTM_NEWADDR)
			rv = address_parse(ns, &msg);
		if (rv == -1)
			return (-1);
	}
	return (1);
}

/* Of what was len bytes long, to the next multiple of 4; at the end: none. */
static int
skip_padding(struct ibuf *in, size_t len)
{
	size_t	 pad = (4 - len % 4) % 4;

	if (pad > ibuf_size(in))
		pad = ibuf_size(in);
	return (pad == 0 ? 0 : ibuf_skip(in, pad));
}

/* Both begin with an error number, 0 or negative; a bare end is none. */
static int
end_parse(struct ibuf *msg, uint16_t type)
{
	int	 e = 0;

	if (ibuf_size(msg) > 0 && ibuf_get(msg, &e, sizeof(e)) == -1)
		return (-1);
	if (type == NLMSG_DONE && e >= 0)
		return (0);
	errno = e == -EBUSY || e == -EINTR ? EAGAIN : e < 0 ? -e : EBADMSG;
	return (-1);
}

/* 1: the next attribute; 0: there is none; -1: errno. */
static int
attribute(struct ibuf *msg, uint16_t *type, struct ibuf *payload)
{
	struct rtattr	 a;

	if (ibuf_size(msg) == 0)
		return (0);
	if (ibuf_get(msg, &a, sizeof(a)) == -1)
		return (-1);
	if (a.rta_len < sizeof(a)) {
		errno = EBADMSG;
		return (-1);
	}
	if (ibuf_get_ibuf(msg, a.rta_len - sizeof(a), payload) == -1 ||
	    skip_padding(msg, a.rta_len) == -1)
		return (-1);
	*type = a.rta_type;
	return (1);
}

static int
link_parse(struct netifs *ns, struct ibuf *msg)
{
	struct ifinfomsg	 i;
	struct netif		*n;
	struct ibuf		 payload;
	uint16_t		 type;
	int			 rv;

	if (ibuf_get(msg, &i, sizeof(i)) == -1)
		return (-1);
	if ((n = netif_add(ns, (uint32_t)i.ifi_index)) == NULL)
		return (-1);
	/* One without a hardware address has zeros, as SIOCGIFHWADDR says. */
	n->hasmac = 1;
	while ((rv = attribute(msg, &type, &payload)) == 1)
		link_attribute(n, type, &payload);
	return (rv);
}

static void
link_attribute(struct netif *n, uint16_t type, struct ibuf *payload)
{
	struct rtnl_link_stats64 s;
	size_t			 len = ibuf_size(payload);

	switch (type) {
	case IFLA_IFNAME:
		if (len > sizeof(n->name))
			len = sizeof(n->name);
		memcpy(n->name, ibuf_data(payload), len);
		n->len = strnlen(n->name, len);
		break;
	case IFLA_ADDRESS:
		/* Shorter: the rest is zero; longer: its first six bytes. */
		if (len > sizeof(n->mac))
			len = sizeof(n->mac);
		memcpy(n->mac, ibuf_data(payload), len);
		break;
	case IFLA_STATS64:
		/* Kernels append members, never move any. */
		memset(&s, 0, sizeof(s));
		if (len > sizeof(s))
			len = sizeof(s);
		memcpy(&s, ibuf_data(payload), len);
		n->hascounters = 1;
		n->counters.rx_bytes = s.rx_bytes;
		n->counters.rx_packets = s.rx_packets;
		n->counters.rx_errs = s.rx_errors;
		/* The sum that /proc/net/dev, and so every host, shows. */
		n->counters.rx_dropped = s.rx_dropped + s.rx_missed_errors;
		n->counters.tx_bytes = s.tx_bytes;
		n->counters.tx_packets = s.tx_packets;
		n->counters.tx_errs = s.tx_errors;
		n->counters.tx_dropped = s.tx_dropped;
		break;
	}
}

static int
address_parse(struct netifs *ns, struct ibuf *msg)
{
	struct ifaddrmsg	 i;
	struct netif		*n;
	struct ibuf		 payload;
	const void		*address = NULL;
	size_t			 size;
	uint16_t		 type;
	int			 rv;

	if (ibuf_get(msg, &i, sizeof(i)) == -1)
		return (-1);
	if (i.ifa_family != AF_INET && i.ifa_family != AF_INET6)
		return (0);
	size = i.ifa_family == AF_INET ? 4 : 16;
	/* Where there are two, IFA_ADDRESS is the other end's. */
	while ((rv = attribute(msg, &type, &payload)) == 1) {
		if (ibuf_size(&payload) == size && (type == IFA_LOCAL ||
		    (type == IFA_ADDRESS && address == NULL)))
			address = ibuf_data(&payload);
	}
	/* An interface younger than our list of them is not in the answer. */
	if (rv == -1 || address == NULL ||
	    (n = netif_find(ns, i.ifa_index)) == NULL)
		return (rv);
	if (i.ifa_prefixlen > size * 8)
		i.ifa_prefixlen = (uint8_t)(size * 8);
	return (netaddr_add(ns, n, i.ifa_family, i.ifa_prefixlen, address));
}
