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
 * Linux: /proc/self/mountinfo, of which a line is
 *	ID PARENT MAJOR:MINOR ROOT DIR OPTIONS [TAG ...] - TYPE SOURCE OPTIONS
 * with one space between two of them.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mounts.h"
#include "pathname.h"
#include "readall.h"

#define TEXT_MAX	(32 * 1024 * 1024)	/* bytes */
#define MOUNTS_MAX	200000		/* the kernel's own bound is 100,000 */

static int	 parse(struct mount *, char *);
static int	 device(struct mount *, const char *);
static int	 readonly(const char *);
static int	 waits(const struct mount *);
static int	 add(struct mounts *, const struct mount *);

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

int
mounts_read(struct mounts *ms, int fd)
{
	struct mount m;
	char *line, *rest;
	size_t len;
	int error;

	memset(ms, 0, sizeof(*ms));
	if (read_all(fd, &ms->text, &len, TEXT_MAX) == -1)
		return (-1);
	rest = ms->text;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (parse(&m, line) == 0 && add(ms, &m) == -1) {
			error = errno;
			mounts_free(ms);
			errno = error;
			return (-1);
		}
	return (0);
}

void
mounts_free(struct mounts *ms)
{
	free(ms->v);
	free(ms->text);
	memset(ms, 0, sizeof(*ms));
}

static int
add(struct mounts *ms, const struct mount *m)
{
	struct mount *v;
	size_t size;

	if (ms->n == ms->size) {
		if (ms->n >= MOUNTS_MAX) {
			errno = ERANGE;
			return (-1);
		}
		size = ms->size == 0 ? 64 : ms->size * 2;
		if ((v = reallocarray(ms->v, size, sizeof(*v))) == NULL)
			return (-1);
		ms->v = v;
		ms->size = size;
	}
	ms->v[ms->n++] = *m;
	return (0);
}

/* -1: not such a line. */
static int
parse(struct mount *m, char *line)
{
	char *f[6], *source, *tag, *type;
	size_t i;

	for (i = 0; i < 6; i++)
		if ((f[i] = strsep(&line, " ")) == NULL)
			return (-1);
	do {
		if ((tag = strsep(&line, " ")) == NULL)
			return (-1);
	} while (strcmp(tag, "-") != 0);
	if ((type = strsep(&line, " ")) == NULL ||
	    (source = strsep(&line, " ")) == NULL || line == NULL ||
	    f[4][0] != '/' || device(m, f[2]) == -1)
		return (-1);
	path_unescape(f[4]);
	path_unescape(type);
	path_unescape(source);
	m->dir = f[4];
	m->type = type;
	m->source = source;
	m->readonly = readonly(f[5]) || readonly(line);
	m->waits = waits(m);
	return (0);
}

static int
device(struct mount *m, const char *s)
{
	unsigned long n;
	char *end;

	if (*s < '0' || *s > '9')
		return (-1);
	n = strtoul(s, &end, 10);
	if (n > UINT32_MAX || *end != ':' || end[1] < '0' || end[1] > '9')
		return (-1);
	m->major = (unsigned int)n;
	n = strtoul(end + 1, &end, 10);
	if (n > UINT32_MAX || *end != '\0')
		return (-1);
	m->minor = (unsigned int)n;
	return (0);
}

/* "rw" or "ro" is always the first of the options. */
static int
readonly(const char *options)
{
	return (strncmp(options, "ro", 2) == 0 &&
	    (options[2] == ',' || options[2] == '\0'));
}

/* On a block device a daemon or other machines may answer, too. */
static int
waits(const struct mount *m)
{
	size_t i;

	if (m->major != 0)
		return (strncmp(m->type, "fuse", 4) == 0 ||
		    strcmp(m->type, "gfs2") == 0 ||
		    strcmp(m->type, "ocfs2") == 0);
	for (i = 0; i < sizeof(local_types) / sizeof(local_types[0]); i++)
		if (strcmp(local_types[i], m->type) == 0)
			return (0);
	return (1);
}

int
mounts_reachable(const struct mounts *ms, const struct mount *m)
{
	const char *above;
	size_t i, len;

	for (i = 0; i < ms->n; i++) {
		above = ms->v[i].dir;
		if (!ms->v[i].waits || strcmp(above, "/") == 0)
			continue;
		len = strlen(above);
		if (strncmp(m->dir, above, len) == 0 &&
		    (m->dir[len] == '/' ||
		    (m->dir[len] == '\0' && &ms->v[i] > m)))
			return (0);
	}
	return (1);
}
