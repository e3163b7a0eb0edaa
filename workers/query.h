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
 * The query worker's inner seams.  query.c is the process and the commands
 * that any POSIX system answers alike; query-util.c turns what was found
 * into result trees, the same on every system; query-<system>.c finds it.
 * A new command is one function and one row in portable_queries[] or, where
 * it needs the system's half, in that system's system_queries[].
 */

#ifndef QUERY_H
#define QUERY_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "commands.h"

struct value_writer;

/*
 * Writes one complete value.  -1: err holds the text for the host, what was
 * written is thrown away.  Nothing that can change is kept from one call to
 * the next: whatever is answered was read for this answer.
 */
typedef int (*query_fn)(struct value_writer *, char *err, size_t);

/* query-<system>.c.  NULL: this half does not answer it. */
extern const query_fn system_queries[CMD_MAX];
/* Opens what the sandbox would forbid, before it is entered. */
void	 query_open(void);
/*
 * Set when a file that the sandbox let us read has been replaced by one that
 * it does not: nothing is answered, this process ends, the monitor asks the
 * next one, which may read it.
 */
extern int query_outlived;

/* --- query-util.c --- */

/* err becomes "what: strerror(errno)"; returns -1. */
int	 query_fail(char *err, size_t, const char *what);
/*
 * The first bytes of a regular file, from its start, in one read.  Returns
 * how many, or -1 with errno.
 */
ssize_t	 query_read(int, char *, size_t);

/*
 * The digits at *s, unsigned, base 10 or 16; moves *s past them.  -1: there
 * are none, or too many for 64 bits.
 */
int	 query_number(const char **s, int base, uint64_t *);

/* A text file line by line, in memory that does not grow with it. */
#define LINES_BUFFER	(64 * 1024)
struct lines {
	int		 fd;
	int		 error;		/* errno of a read, 0: none */
	int		 eof, skip;	/* skip: within a line too long */
	size_t		 at, have;
	char		 buf[LINES_BUFFER];
};
int	 lines_open(struct lines *, const char *);	/* 0, or -1 and errno */
/*
 * The next line without its end, ours to write on until the next call; NULL:
 * there is none, or error is set.  One too long for the buffer is left out.
 */
char	*lines_next(struct lines *);
void	 lines_close(struct lines *);

/* guest-get-osinfo; the order is that of the reply. */
enum osinfo_member {
	OSINFO_KERNEL_RELEASE, OSINFO_KERNEL_VERSION, OSINFO_MACHINE,
	OSINFO_ID, OSINFO_NAME, OSINFO_PRETTY_NAME, OSINFO_VERSION,
	OSINFO_VERSION_ID, OSINFO_VARIANT, OSINFO_VARIANT_ID,
	OSINFO_MEMBERS
};
#define OSINFO_FILE	(64 * 1024)	/* bytes of os-release looked at */
struct osinfo {
	const char	*str[OSINFO_MEMBERS];	/* borrowed; NULL: left out */
	size_t		 len[OSINFO_MEMBERS];
};
void	 osinfo_set(struct osinfo *, enum osinfo_member, const char *);
/* os-release(5), unquoted in place: buf must outlive the osinfo. */
void	 osinfo_parse(struct osinfo *, char *buf, size_t);
void	 osinfo_write(struct value_writer *, const struct osinfo *);

/* guest-get-timezone, by localtime_r(3); a query_fn. */
int	 query_timezone(struct value_writer *, char *, size_t);

/* guest-get-users: sessions go in, one line a user comes out. */
#define USERS_MAX	4096
#define USER_NAME	256
struct user {
	double		 login;		/* the earliest; s since the epoch */
	size_t		 len;
	char		 name[USER_NAME];
};
struct users {
	struct user	*v;
	size_t		 n, size;
};
/*
 * The name ends at a NUL or after max bytes.  -1 with errno: ENOMEM, ERANGE
 * (too many users).
 */
int	 users_add(struct users *, const char *, size_t max, double);
void	 users_write(struct value_writer *, const struct users *);
void	 users_free(struct users *);

/* guest-network-get-interfaces */
#define NETIF_NAME	32
#define NETIFS_MAX	(64 * 1024)	/* and as many addresses */
#define NETIF_NONE	SIZE_MAX
struct netcounters {
	uint64_t	 rx_bytes, rx_packets, rx_errs, rx_dropped;
	uint64_t	 tx_bytes, tx_packets, tx_errs, tx_dropped;
};
struct netif {
	struct netcounters counters;
	size_t		 first, last;	/* its addresses, or NETIF_NONE */
	size_t		 len;		/* of the name: any bytes */
	uint32_t	 index;
	uint8_t		 hasmac, hascounters;
	unsigned char	 mac[6];
	char		 name[NETIF_NAME];
};
struct netaddr {
	size_t		 next;		/* of the same interface */
	int		 family;	/* AF_INET, AF_INET6 */
	unsigned int	 prefix;
	unsigned char	 bytes[16];	/* first 4 or all, as sent */
};
struct netifs {
	struct netif	*v;
	struct netaddr	*addr;
	size_t		 n, size, naddr, addrsize;
	size_t		 hint;		/* where the last look-up ended */
};
void	 netifs_reset(struct netifs *);		/* keeps the memory */
void	 netifs_free(struct netifs *);
/* Zeroed but for the index; NULL with errno: ENOMEM, ERANGE. */
struct netif *netif_add(struct netifs *, uint32_t index);
struct netif *netif_find(struct netifs *, uint32_t index);	/* or NULL */
int	 netaddr_add(struct netifs *, struct netif *, int family,
	    unsigned int prefix, const void *);	/* 0, or -1 as above */
void	 netifs_write(struct value_writer *, const struct netifs *);

/* --- query-cpu-linux.c and query-route-linux.c --- */

int	 linux_vcpus(struct value_writer *, char *, size_t);
int	 linux_memory_blocks(struct value_writer *, char *, size_t);
int	 linux_memory_block_info(struct value_writer *, char *, size_t);
int	 linux_cpustats(struct value_writer *, char *, size_t);
int	 linux_routes(struct value_writer *, char *, size_t);

/* The same of a directory or file elsewhere. */
int	 linux_vcpus_in(struct value_writer *, const char *, char *, size_t);
int	 linux_memory_blocks_in(struct value_writer *, const char *, char *,
	    size_t);
int	 linux_memory_block_info_in(struct value_writer *, const char *,
	    char *, size_t);
int	 linux_cpustats_in(struct value_writer *, const char *, char *, size_t);
int	 linux_routes_in(struct value_writer *, const char *v4,
	    const char *v6, char *, size_t);

/* --- query-linux.c, for its tests --- */

/*
 * One datagram of the netlink dump with that number: 1 there is more to
 * come, 0 it was the last, -1 errno.  *changed is set when the kernel says
 * that the dump may be incomplete.
 */
int	 linux_netlink(struct netifs *, const void *, size_t, uint32_t seq,
	    int *changed);
/* path NULL: the system's own file.  0, or -1 as users_add(). */
int	 linux_utmp(struct users *, const char *path);

/* --- query-disk-linux.c, query-mount-linux.c: block devices --- */

int	 linux_disks(struct value_writer *, char *, size_t);
int	 linux_diskstats(struct value_writer *, char *, size_t);
int	 linux_fsinfo(struct value_writer *, char *, size_t);
/* Put before every path that they look at; a test has its own system. */
extern const char *linux_root;
/* open(2) for reading, of a path below it; flags are added. */
int	 linux_open(const char *path, int flags);
/*
 * Where a symbolic link of sysfs leads, its last component alone being one.
 * 0, or -1 with errno.
 */
int	 linux_link(const char *path, char *to, size_t);
/*
 * One element for each disk below the device with that path in sysfs, itself
 * or what a virtual one is made of.
 */
void	 linux_addresses(struct value_writer *, const char *path);
/*
 * Numbers in a text: of the pattern 'x' is a hexadecimal and 'u' a decimal
 * one that goes to *v++, 'X' and 'U' are such that go nowhere, any other
 * character is itself.  How many bytes of the text matched, 0: it does not.
 */
size_t	 linux_scan(const char *, const char *pattern, unsigned int *v);

/* --- query-smart.c: guest-get-disks, logs of NVMe disks --- */

struct imsg;
struct imsgbuf;
/* Before each request: who to ask.  NULL: nobody, then nothing is known. */
void	 smart_begin(struct imsgbuf *, uint64_t id);
/* SMART_LOG bytes of the disk of that name, until the next request, or NULL. */
const unsigned char *smart_find(const char *);
/* Is it an answer that nobody waits for any more?  Then it is gone. */
int	 smart_late(struct imsg *);
void	 smart_write(struct value_writer *, const unsigned char *);

#endif
