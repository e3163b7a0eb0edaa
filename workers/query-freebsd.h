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
 * FreeBSD's storage: query-geom-freebsd.c, what query-freebsd.c has of it.
 */

#ifndef QUERY_FREEBSD_H
#define QUERY_FREEBSD_H

#include <stddef.h>
#include <stdint.h>

struct bsd_mount;
struct value_writer;

/* query_fn */
int	 freebsd_disks(struct value_writer *, char *, size_t);
int	 freebsd_diskstats(struct value_writer *, char *, size_t);

/* bsd_sysctl() by name; the caller frees *buf. */
int	 freebsd_sysctl(const char *, void **buf, size_t *len);

/*
 * What GEOM has: classes of geoms, each of which may provide devices and
 * consume those that others provide.
 */
struct geom_provider {
	uint64_t	 id, size;	/* bytes */
	const char	*name, *serial;	/* NULL: none */
	size_t		 geom;
};
struct geom_consumer {
	uint64_t	 provider;	/* its id */
	size_t		 geom;
};
struct geom_one {
	const char	*class;
	size_t		 consumer, nconsumers;	/* the first one */
};
struct geom {
	struct geom_provider *provider;
	struct geom_consumer *consumer;
	struct geom_one	*one;
	size_t		*byid, *byname;	/* providers, in order */
	size_t		 nproviders, nconsumers, n;
	size_t		 pmax, cmax, max;
	char		*text;		/* what the names point into */
};

/* kern.geom.confxml; on -1 with errno it is empty, good to use and free. */
int	 geom_read(struct geom *);
/*
 * Takes the text over, which ends with a NUL at text[len], malloc'd.  -1 with
 * errno: EBADMSG, ENOMEM, ERANGE (too many).
 */
int	 geom_parse(struct geom *, char *text, size_t len);
void	 geom_free(struct geom *);
/* For a bsd_mount: the disks below its device; arg is a struct geom. */
void	 geom_addresses(struct value_writer *, const struct bsd_mount *,
	    const void *arg);
/* guest-get-disks of what was read. */
void	 geom_disks_write(struct value_writer *, const struct geom *);
/*
 * kern.devstat.all; major and minor come from dev, which is -1 for what has
 * no device.  -1, EBADMSG: of another version.
 */
int	 devstat_write(struct value_writer *, const void *, size_t,
	    int (*dev)(const char *, uint64_t *, uint64_t *));
/* "slot=5 function=0 dbsf=pci0:0:5:0": 0; -1: no place. */
int	 pci_parse(const char *, int64_t pci[4]);

#endif
