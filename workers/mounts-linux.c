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
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mounts.h"

#define TEXT_MAX	(32 * 1024 * 1024)	/* bytes; the kernel allows */
						/* 100,000 mounts */
#define TEXT_START	(64 * 1024)

static char	*read_all(int);
static int	 parse(struct mount *, char *);
static int	 device(struct mount *, const char *);
static void	 decode(char *);
static int	 readonly(const char *);
static int	 waits(const struct mount *);
static int	 add(struct mounts *, const struct mount *);

/* No block device, and yet nobody but this kernel answers for them. */
static const char *const local_types[] = {
	"autofs", "bcachefs", "binfmt_misc", "bpf", "btrfs", "cgroup",
	"cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
	"erofs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "overlay", "proc",
	"pstore", "ramfs", "rootfs", "securityfs", "selinuxfs", "sysfs",
	"tmpfs", "tracefs", "zfs"
};

int
mounts_read(struct mounts *ms, const char *path)
{
	struct mount m;
	char *line, *rest;
	int error, fd;

	memset(ms, 0, sizeof(*ms));
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	ms->text = read_all(fd);
	error = errno;
	close(fd);
	if ((rest = ms->text) == NULL) {
		errno = error;
		return (-1);
	}
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

/* The kernel's list is of no known size; NULL with errno. */
static char *
read_all(int fd)
{
	char *text = NULL, *more;
	size_t len = 0, size = 0;
	ssize_t n = 1;
	int error;

	while (n != 0) {
		if (size - len < 2) {
			size = size == 0 ? TEXT_START : size * 2;
			if (size > TEXT_MAX) {
				errno = EFBIG;
				break;
			}
			if ((more = realloc(text, size)) == NULL)
				break;
			text = more;
		}
		n = read(fd, text + len, size - len - 1);
		if (n == -1 && errno != EINTR)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	if (n == 0) {
		text[len] = '\0';
		return (text);
	}
	error = errno;
	free(text);
	errno = error;
	return (NULL);
}

static int
add(struct mounts *ms, const struct mount *m)
{
	struct mount *v;
	size_t size;

	if (ms->n == ms->size) {
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
	char *f[6], *tag, *type;
	size_t i;

	for (i = 0; i < 6; i++)
		if ((f[i] = strsep(&line, " ")) == NULL)
			return (-1);
	do {
		if ((tag = strsep(&line, " ")) == NULL)
			return (-1);
	} while (strcmp(tag, "-") != 0);
	if ((type = strsep(&line, " ")) == NULL ||
	    strsep(&line, " ") == NULL || line == NULL ||
	    f[4][0] != '/' || device(m, f[2]) == -1)
		return (-1);
	decode(f[4]);
	decode(type);
	m->dir = f[4];
	m->type = type;
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
	if (n > 0xfff || *end != ':' || end[1] < '0' || end[1] > '9')
		return (-1);
	m->major = (unsigned int)n;
	n = strtoul(end + 1, &end, 10);
	if (n > 0xfffff || *end != '\0')
		return (-1);
	m->minor = (unsigned int)n;
	return (0);
}

/* In place: \ and three octal digits are a byte. */
static void
decode(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++)
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
		    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0'));
			s += 3;
		} else
			*to++ = *s;
	*to = '\0';
}

/* "rw" or "ro" is always the first of the options. */
static int
readonly(const char *options)
{
	return (strncmp(options, "ro", 2) == 0 &&
	    (options[2] == ',' || options[2] == '\0'));
}

static int
waits(const struct mount *m)
{
	size_t i;

	if (m->major != 0)
		return (strncmp(m->type, "fuse", 4) == 0);
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
