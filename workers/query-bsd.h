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
 * What the query worker's halves of the BSDs share.  query-bsd.c is compiled
 * for each with its own headers; where they differ in more than a structure's
 * layout, the system's file says how.  What reads bytes of the kernel's takes
 * them as they come, and believes no length in them.
 */

#ifndef QUERY_BSD_H
#define QUERY_BSD_H

#include "query.h"

/* --- query-bsd.c --- */

/*
 * sysctl(3) of something whose size changes: the caller frees *buf, which is
 * aligned for anything, with a NUL behind its *len bytes.  0, or -1 with
 * errno; EFBIG: more than is ever right.
 */
int	 bsd_sysctl(const int *mib, unsigned int, void **buf, size_t *len);
/* The same of one int. */
int	 bsd_sysctl_int(int, int, int *);

/* All of getifaddrs(3); netifs_free() it.  -1: err says why, and it is free. */
int	 bsd_netifs(struct netifs *, char *, size_t);
/* query_fn of guest-network-get-interfaces, guest-network-get-route */
int	 bsd_interfaces(struct value_writer *, char *, size_t);
int	 bsd_routes(struct value_writer *, char *, size_t);
/* The dump itself; interfaces have names.  -1: it makes no sense. */
int	 bsd_routes_parse(struct value_writer *, struct netifs *,
	    const void *, size_t);

/* guest-get-fsinfo; bytes are units times the numbers. */
struct bsd_mount {
	const char	*dir, *from, *type;
	size_t		 dirmax, frommax, typemax;	/* where no NUL is */
	int		 local;
	uint64_t	 unit, blocks, free;
	int64_t		 avail;		/* may be below nothing */
	/* Writes its disks' addresses; NULL: nothing is known of them. */
	void		 (*disks)(struct value_writer *, const struct bsd_mount *,
			    const void *);
	const void	*arg;		/* of disks */
};
/* Nothing, if it is on no disk of this machine. */
void	 bsd_mount_write(struct value_writer *, const struct bsd_mount *);

/*
 * One element of a list of disk addresses.  bustype as the schema names it;
 * dev is of len bytes; serial may be NULL.  Nothing is known of its target
 * and unit.
 */
#define BSD_PCI		4		/* domain, bus, slot, function */
struct bsd_disk {
	const char	*bustype, *dev, *serial;
	size_t		 len;
	int64_t		 pci[BSD_PCI];	/* -1: unknown */
};
void	 bsd_address_write(struct value_writer *, const char *key,
	    const struct bsd_disk *);

/* guest-get-disks */
void	 bsd_disk_write(struct value_writer *, const char *path,
	    int partition);

/* guest-get-diskstats */
struct bsd_diskstat {
	const char	*name;
	size_t		 len;
	uint64_t	 major, minor;
	uint64_t	 reads, writes, rbytes, wbytes, busy, ms;
};
void	 bsd_diskstat_write(struct value_writer *,
	    const struct bsd_diskstat *);

/* guest-get-cpustats; ticks, of which there are hz a second. */
struct bsd_cpustat {
	uint64_t	 user, nice, system, irq, idle;
};
void	 bsd_cpustat_write(struct value_writer *, uint64_t cpu,
	    const struct bsd_cpustat *, uint64_t hz);

/* guest-get-vcpus: one of them. */
void	 bsd_vcpu_write(struct value_writer *, uint64_t cpu, int online);

/* guest-get-osinfo: uname(3)'s words, and what os-release would have. */
int	 bsd_osinfo(struct value_writer *, const char *id, const char *name,
	    char *, size_t);

/* --- query-utmpx-bsd.c --- */

/* query_fn of guest-get-users */
int	 bsd_users(struct value_writer *, char *, size_t);

/* --- query-<system>.c --- */

struct rt_msghdr;

extern const size_t bsd_route_round;	/* what a sockaddr's size is a */
					/* multiple of in a dump */
extern const int bsd_route_hidden;	/* flags of what is no route: */
					/* neighbours, our own addresses */
size_t	 bsd_route_header(const struct rt_msghdr *);	/* its size */
/* From an AF_LINK address's ifa_data. */
void	 bsd_counters(const void *, struct netcounters *);

#endif
