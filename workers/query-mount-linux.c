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

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "query.h"
#include "value.h"

#define MOUNTINFO	"/proc/self/mountinfo"
#define MOUNTINFO_MAX	(32 * 1024 * 1024)	/* bytes */
#define MOUNTS_MAX	200000		/* the kernel's own bound is 100000 */

struct mount {
	unsigned int	 major, minor;
	const char	*dir, *type, *source;	/* decoded */
	int		 waits;		/* who looks at it may have to wait */
};

struct mounts {
	struct mount	*v;
	size_t		 n, size;
	const char	**waits;	/* their directories, sorted */
	size_t		 nwaits;
};

/* A path, or the beginning of one. */
struct prefix {
	const char	*path;
	size_t		 len;
};

static int	 mounts_read(struct mounts *, char *, size_t);
static int	 mounts_waits(struct mounts *);
static void	 mounts_free(struct mounts *);
static int	 mount_parse(struct mount *, char *);
static void	 decode(char *);
static int	 waits(const struct mount *);
static int	 ascending(const void *, const void *);
static int	 prefix_compare(const void *, const void *);
static int	 may_walk(const struct mounts *, const char *);
static int	 may_list(const struct mounts *, struct mount *);
static void	 mount_write(struct value_writer *, const struct mounts *,
		    const struct mount *);
static void	 sizes_write(struct value_writer *, const char *);

/*
 * Without a block device, and yet nobody but this kernel answers for them.
 * What is not named here, networks' and fuse's above all, is not touched.
 */
static const char *const local_types[] = {
	"autofs", "bcachefs", "binfmt_misc", "bpf", "btrfs", "cgroup",
	"cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
	"erofs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "overlay", "proc",
	"pstore", "ramfs", "rootfs", "securityfs", "selinuxfs", "sysfs",
	"tmpfs", "tracefs", "zfs"
};
#define LOCAL_TYPES	(sizeof(local_types) / sizeof(local_types[0]))

/* On a block device, and yet a daemon or other machines answer. */
static const char *const shared_types[] = { "fuseblk", "gfs2", "ocfs2" };
#define SHARED_TYPES	(sizeof(shared_types) / sizeof(shared_types[0]))

int
linux_fsinfo(struct value_writer *w, char *err, size_t size)
{
	struct mounts	 ms;
	char		*text;
	size_t		 i, len;
	int		 fd, rv;

	if ((fd = linux_open(MOUNTINFO, 0)) == -1)
		return (query_fail(err, size, "open(\"" MOUNTINFO "\")"));
	memset(&ms, 0, sizeof(ms));
	if ((rv = query_read_all(fd, &text, &len, MOUNTINFO_MAX)) == 0 &&
	    (rv = mounts_read(&ms, text, len)) == 0)
		rv = mounts_waits(&ms);
	if (rv == -1)
		(void)query_fail(err, size, "read(\"" MOUNTINFO "\")");
	(void)close(fd);
	if (rv == 0) {
		/* The newest first. */
		value_array(w, NULL);
		for (i = ms.n; i > 0; i--)
			if (may_list(&ms, &ms.v[i - 1]))
				mount_write(w, &ms, &ms.v[i - 1]);
		value_close(w);
	}
	mounts_free(&ms);
	free(text);
	return (rv);
}

/* --- the table --- */

/* The text is taken to pieces: what is found points into it. */
static int
mounts_read(struct mounts *ms, char *text, size_t len)
{
	struct mount	*v, m;
	char		*line, *end = text + len;
	size_t		 size;

	while ((line = text) < end) {
		if ((text = memchr(line, '\n', (size_t)(end - line))) == NULL)
			text = end;
		*text++ = '\0';
		if (mount_parse(&m, line) == -1)
			continue;
		if (ms->n == ms->size) {
			if (ms->n >= MOUNTS_MAX) {
				errno = ERANGE;
				return (-1);
			}
			size = ms->size == 0 ? 64 : ms->size * 2;
			if ((v = reallocarray(ms->v, size, sizeof(*v))) ==
			    NULL)
				return (-1);
			ms->v = v;
			ms->size = size;
		}
		ms->v[ms->n++] = m;
	}
	return (0);
}

static void
mounts_free(struct mounts *ms)
{
	free(ms->v);
	free(ms->waits);
}

/*
 * ID PARENT MAJOR:MINOR ROOT DIRECTORY OPTIONS [TAG ...] - TYPE SOURCE ...
 * One space between two of them, none within: an empty one stays one.
 */
static int
mount_parse(struct mount *m, char *line)
{
	char		*f[6], *type, *source, *tag;
	unsigned int	 dev[2];
	size_t		 i;

	for (i = 0; i < 6; i++)
		if ((f[i] = strsep(&line, " ")) == NULL)
			return (-1);
	do {
		if ((tag = strsep(&line, " ")) == NULL)
			return (-1);
	} while (strcmp(tag, "-") != 0);
	if ((type = strsep(&line, " ")) == NULL ||
	    (source = strsep(&line, " ")) == NULL ||
	    (i = linux_scan(f[2], "u:u", dev)) == 0 || f[2][i] != '\0' ||
	    f[4][0] != '/')
		return (-1);
	decode(f[4]);
	decode(type);
	decode(source);
	m->major = dev[0];
	m->minor = dev[1];
	m->dir = f[4];
	m->type = type;
	m->source = source;
	m->waits = waits(m);
	return (0);
}

/* In place: \ and three octal digits are a byte, anything else itself. */
static void
decode(char *s)
{
	char	*to = s;

	for (; *s != '\0'; s++, to++) {
		*to = *s;
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
		    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0'));
			s += 3;
		}
	}
	*to = '\0';
}

/* --- who may have to wait --- */

static int
waits(const struct mount *m)
{
	size_t	 i;

	if (m->major != 0) {
		for (i = 0; i < SHARED_TYPES; i++)
			if (strcmp(shared_types[i], m->type) == 0)
				return (1);
		return (strncmp(m->type, "fuseblk.", 8) == 0);
	}
	for (i = 0; i < LOCAL_TYPES; i++)
		if (strcmp(local_types[i], m->type) == 0)
			return (0);
	return (1);
}

static int
ascending(const void *a, const void *b)
{
	return (strcmp(*(const char *const *)a, *(const char *const *)b));
}

/* Where the root waits everybody does, this program included: not counted. */
static int
mounts_waits(struct mounts *ms)
{
	size_t	 i;

	if ((ms->waits = reallocarray(NULL, ms->n + 1, sizeof(char *))) ==
	    NULL)
		return (-1);
	for (i = 0; i < ms->n; i++)
		if (ms->v[i].waits && strcmp(ms->v[i].dir, "/") != 0)
			ms->waits[ms->nwaits++] = ms->v[i].dir;
	qsort(ms->waits, ms->nwaits, sizeof(char *), ascending);
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
may_walk(const struct mounts *ms, const char *path)
{
	struct prefix	 p;

	p.path = path;
	p.len = 0;
	while (ms->nwaits > 0 && path[p.len] != '\0') {
		p.len += 1 + strcspn(path + p.len + 1, "/");
		if (bsearch(&p, ms->waits, ms->nwaits, sizeof(char *),
		    prefix_compare) != NULL)
			return (0);
	}
	return (1);
}

/* --- the answer --- */

/* btrfs alone hides its device: the mount's source names it. */
static int
may_list(const struct mounts *ms, struct mount *m)
{
	char		 path[PATH_MAX];
	struct stat	 st;

	/* Past every path that could be used, and past a value's bound. */
	if (strlen(m->dir) > VALUE_STRING || strlen(m->type) > VALUE_STRING)
		return (0);
	if (m->major != 0)
		return (1);
	if (strcmp(m->type, "btrfs") != 0 || m->source[0] != '/' ||
	    !may_walk(ms, m->source) ||
	    snprintf(path, sizeof(path), "%s%s", linux_root, m->source) >=
	    (int)sizeof(path) || stat(path, &st) == -1 ||
	    !S_ISBLK(st.st_mode))
		return (0);
	m->major = major(st.st_rdev);
	m->minor = minor(st.st_rdev);
	return (1);
}

static void
mount_write(struct value_writer *w, const struct mounts *ms,
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
	if (!m->waits && may_walk(ms, m->dir))
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
