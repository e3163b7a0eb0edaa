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
 * What is mounted, mounts-<system>.c, for workers that act on file systems.
 */

#ifndef MOUNTS_H
#define MOUNTS_H

#include <stddef.h>

struct mount {
	unsigned int	 major, minor;	/* of the file system's device */
	const char	*dir, *type;	/* any bytes; borrowed */
	const char	*source;	/* as those; may be "" */
	int		 readonly;
	int		 waits;		/* others answer for it, a network, a */
					/* daemon: a look may take for ever */
};

struct mounts {
	struct mount	*v;		/* the oldest first */
	size_t		 n, size;
	char		*text;		/* what the strings point into */
};

/*
 * fd: the system's list, to be read from its start; it stays open.  0, or -1
 * with errno and nothing to free; EFBIG, ERANGE: too long, too many.
 */
int	 mounts_read(struct mounts *, int fd);
void	 mounts_free(struct mounts *);
/*
 * 1: no mount but the root's, on the way to this one of them or mounted over
 * it, is one that waits.
 */
int	 mounts_reachable(const struct mounts *, const struct mount *);

#endif
