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
 * Linux: guest-get-fsinfo, from /proc/self/mountinfo.  Listed is what has a
 * block device, as qemu-ga and its freeze see it.
 *
 * Nothing here may wait for a server or a daemon that has died: a path is
 * walked only if no file system on its way can make that wait, and one that
 * others answer for is listed without its sizes.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mounts.h"
#include "query.h"
#include "value.h"

#define MOUNTINFO	"/proc/self/mountinfo"

/* The directories of those where who looks may have to wait, sorted. */
struct waiting {
	const char	**v;
	size_t		 n;
};

/* A path, or the beginning of one. */
struct prefix {
	const char	*path;
	size_t		 len;
};

static int	 waiting_set(struct waiting *, const struct mounts *);
static int	 ascending(const void *, const void *);
static int	 prefix_compare(const void *, const void *);
static int	 may_walk(const struct waiting *, const char *);
static int	 may_list(const struct waiting *, struct mount *);
static void	 mount_write(struct value_writer *, const struct waiting *,
		    const struct mount *);
static void	 sizes_write(struct value_writer *, const char *);

int
linux_fsinfo(struct value_writer *w, char *err, size_t size)
{
	struct mounts	 ms;
	struct waiting	 waiting;
	size_t		 i;
	int		 fd, rv;

	if ((fd = linux_open(MOUNTINFO, 0)) == -1)
		return (query_fail(err, size, "open(\"" MOUNTINFO "\")"));
	memset(&waiting, 0, sizeof(waiting));
	if ((rv = mounts_read(&ms, fd)) == 0)
		rv = waiting_set(&waiting, &ms);
	if (rv == -1)
		(void)query_fail(err, size, "read(\"" MOUNTINFO "\")");
	(void)close(fd);
	if (rv == 0) {
		/* The newest first. */
		value_array(w, NULL);
		for (i = ms.n; i > 0; i--)
			if (may_list(&waiting, &ms.v[i - 1]))
				mount_write(w, &waiting, &ms.v[i - 1]);
		value_close(w);
	}
	free(waiting.v);
	mounts_free(&ms);
	return (rv);
}

/* --- who may have to wait --- */

static int
ascending(const void *a, const void *b)
{
	return (strcmp(*(const char *const *)a, *(const char *const *)b));
}

/* Where the root waits everybody does, this program included: not counted. */
static int
waiting_set(struct waiting *waiting, const struct mounts *ms)
{
	size_t	 i;

	if ((waiting->v = reallocarray(NULL, ms->n + 1, sizeof(char *))) ==
	    NULL)
		return (-1);
	for (i = 0; i < ms->n; i++)
		if (ms->v[i].waits && strcmp(ms->v[i].dir, "/") != 0)
			waiting->v[waiting->n++] = ms->v[i].dir;
	qsort(waiting->v, waiting->n, sizeof(char *), ascending);
	return (0);
}

static int
prefix_compare(const void *a, const void *b)
{
	const struct prefix	*p = a;
	const char		*dir = *(const char *const *)b;
	int			 c;

	if ((c = strncmp(p->path, dir, p->len)) != 0)
		return (c);
	return (dir[p->len] == '\0' ? 0 : -1);
}

/* Neither the path nor a directory on its way is one that waits. */
static int
may_walk(const struct waiting *waiting, const char *path)
{
	struct prefix	 p;

	p.path = path;
	p.len = 0;
	while (waiting->n > 0 && path[p.len] != '\0') {
		p.len += 1 + strcspn(path + p.len + 1, "/");
		if (bsearch(&p, waiting->v, waiting->n, sizeof(char *),
		    prefix_compare) != NULL)
			return (0);
	}
	return (1);
}

/* --- the answer --- */

/* btrfs alone hides its device: the mount's source names it. */
static int
may_list(const struct waiting *waiting, struct mount *m)
{
	char		 path[PATH_MAX];
	struct stat	 st;

	/* Past every path that could be used, and past a value's bound. */
	if (strlen(m->dir) > VALUE_STRING || strlen(m->type) > VALUE_STRING)
		return (0);
	if (m->major != 0)
		return (1);
	if (strcmp(m->type, "btrfs") != 0 || m->source[0] != '/' ||
	    !may_walk(waiting, m->source) ||
	    snprintf(path, sizeof(path), "%s%s", linux_root, m->source) >=
	    (int)sizeof(path) || stat(path, &st) == -1 ||
	    !S_ISBLK(st.st_mode))
		return (0);
	m->major = major(st.st_rdev);
	m->minor = minor(st.st_rdev);
	return (1);
}

static void
mount_write(struct value_writer *w, const struct waiting *waiting,
    const struct mount *m)
{
	char		 device[64], path[PATH_MAX];
	const char	*name;
	int		 known;

	(void)snprintf(device, sizeof(device), "/sys/dev/block/%u:%u",
	    m->major, m->minor);
	/* A container may not see it. */
	known = linux_link(device, path, sizeof(path)) == 0;
	name = strrchr(known ? path : device, '/') + 1;
	value_object(w, NULL);
	value_string(w, "name", name);
	value_string(w, "mountpoint", m->dir);
	value_string(w, "type", m->type);
	if (!m->waits && may_walk(waiting, m->dir))
		sizes_write(w, m->dir);
	value_array(w, "disk");
	if (known)
		linux_addresses(w, path);
	value_close(w);
	value_close(w);
}

/* Numbers that make no sense, as some file systems have them, are left out. */
static void
sizes_write(struct value_writer *w, const char *dir)
{
	char		 path[PATH_MAX];
	struct statfs	 st;
	uint64_t	 unit, used, total, all;

	if (snprintf(path, sizeof(path), "%s%s", linux_root, dir) >=
	    (int)sizeof(path) || statfs(path, &st) == -1)
		return;
	unit = (uint64_t)(st.f_frsize != 0 ? st.f_frsize : st.f_bsize);
	all = (uint64_t)st.f_blocks;
	if (unit == 0 || all > INT64_MAX / unit || st.f_bfree > st.f_blocks ||
	    st.f_bavail > st.f_blocks)
		return;
	used = all - (uint64_t)st.f_bfree;
	total = used + (uint64_t)st.f_bavail;
	if (total > INT64_MAX / unit)
		return;
	value_uint(w, "used-bytes", used * unit);
	value_uint(w, "total-bytes", total * unit);
	value_uint(w, "total-bytes-privileged", all * unit);
}
