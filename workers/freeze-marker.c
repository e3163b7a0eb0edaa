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
 * The marker: lines of text, written whole under another name, synced, and
 * only then given its own.
 *
 *	qgad-freeze 1
 *	boot ID
 *	fs MAJOR:MINOR PATH	in the order of freezing; blanks, newlines
 *				and backslashes of the path as \ooo
 *	end
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "freeze.h"
#include "pathname.h"

#define MARKER		"qgad.frozen"
#define MARKER_NEW	"qgad.frozen.new"
#define FIRST_LINE	"qgad-freeze 1\n"

static int	 write_list(FILE *, const struct freeze_list *);
static int	 marker_parse(FILE *, struct freeze_marker *);
static int	 fs_parse(char *, struct freeze_list *);
static int	 place(char *, size_t, const char *, const char *);
static int	 sync_dir(const char *);

static int
place(char *path, size_t size, const char *dir, const char *name)
{
	int n;

	n = snprintf(path, size, "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= size) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (0);
}

/* A name that was given or taken away is not on disk before this. */
static int
sync_dir(const char *dir)
{
	int fd, rv;

	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	rv = fsync(fd);
	/* A directory in memory may not know how. */
	if (rv == -1 && (errno == EINVAL || errno == EROFS))
		rv = 0;
	close(fd);
	return (rv);
}

int
marker_write(const char *dir, const struct freeze_list *list)
{
	char name[PATH_MAX], temp[PATH_MAX], boot[BOOT_ID_MAX];
	FILE *f;
	int fd, failed, saved;

	if (place(name, sizeof(name), dir, MARKER) == -1 ||
	    place(temp, sizeof(temp), dir, MARKER_NEW) == -1 ||
	    freeze_boot(boot) == -1)
		return (-1);
	if (unlink(temp) == -1 && errno != ENOENT)
		return (-1);
	if ((fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600)) == -1)
		return (-1);
	if ((f = fdopen(fd, "w")) == NULL) {
		close(fd);
		return (-1);
	}
	failed = fprintf(f, FIRST_LINE "boot %s\n", boot) < 0 ||
	    write_list(f, list) == -1 || fprintf(f, "end\n") < 0 ||
	    fflush(f) == EOF || fsync(fd) == -1;
	saved = errno;
	if (fclose(f) == EOF && !failed) {
		failed = 1;
		saved = errno;
	}
	if (!failed && rename(temp, name) == 0)
		return (sync_dir(dir));
	if (failed)
		errno = saved;
	saved = errno;
	(void)unlink(temp);
	errno = saved;
	return (-1);
}

static int
write_list(FILE *f, const struct freeze_list *list)
{
	const char *p;
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (fprintf(f, "fs %u:%u ", list->fs[i].major,
		    list->fs[i].minor) < 0)
			return (-1);
		for (p = list->fs[i].path; *p != '\0'; p++)
			if ((strchr(" \n\t\\", *p) != NULL ? fprintf(f,
			    "\\%03o", (unsigned int)(unsigned char)*p) :
			    fputc(*p, f)) < 0)
				return (-1);
		if (fputc('\n', f) == EOF)
			return (-1);
	}
	return (0);
}

int
marker_read(const char *dir, struct freeze_marker *m)
{
	char name[PATH_MAX];
	struct stat st;
	FILE *f;
	int fd, rv;

	memset(m, 0, sizeof(*m));
	if (place(name, sizeof(name), dir, MARKER) == -1)
		return (-1);
	if ((fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC)) == -1)
		return (errno == ENOENT || errno == ENOTDIR ? 0 : -1);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != geteuid() ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		close(fd);
		errno = EPERM;
		return (-1);
	}
	if ((f = fdopen(fd, "r")) == NULL) {
		close(fd);
		return (-1);
	}
	rv = marker_parse(f, m);
	fclose(f);
	return (rv);
}

static int
marker_parse(FILE *f, struct freeze_marker *m)
{
	char *line = NULL;
	size_t size = 0, n;
	ssize_t len;
	int state = 0;

	while (state < 3 && (len = getline(&line, &size, f)) > 0) {
		if (line[len - 1] != '\n')
			break;
		line[len - 1] = '\0';
		if (state == 0 && strncmp(line, FIRST_LINE,
		    sizeof(FIRST_LINE) - 2) == 0)
			state = 1;
		else if (state == 1 && strncmp(line, "boot ", 5) == 0 &&
		    (n = strlen(line + 5)) < sizeof(m->boot)) {
			memcpy(m->boot, line + 5, n + 1);
			state = 2;
		} else if (state == 2 && strcmp(line, "end") == 0)
			state = 3;
		else if (state != 2 || fs_parse(line, &m->list) == -1)
			break;
	}
	free(line);
	if (state == 3)
		return (1);
	errno = EINVAL;
	return (-1);
}

static int
fs_parse(char *line, struct freeze_list *list)
{
	struct freeze_fs *fs;
	const char *end;
	uint32_t major, minor;
	size_t at;

	if (strncmp(line, "fs ", 3) != 0 ||
	    freeze_device(line + 3, &major, &minor, &end) == -1 ||
	    end[0] != ' ' || end[1] != '/' || list->n == FREEZE_FS_MAX)
		return (-1);
	at = (size_t)(end + 1 - line);
	path_unescape(line + at);
	if ((fs = reallocarray(list->fs, list->n + 1, sizeof(*fs))) == NULL)
		return (-1);
	list->fs = fs;
	fs += list->n;
	fs->major = major;
	fs->minor = minor;
	fs->fd = -1;
	if ((fs->path = strdup(line + at)) == NULL)
		return (-1);
	list->n++;
	return (0);
}

int
freeze_device(const char *s, uint32_t *major, uint32_t *minor,
    const char **end)
{
	uint32_t *out[] = { major, minor };
	unsigned long n;
	char *p;
	int i;

	for (i = 0; i < 2; i++) {
		if (*s < '0' || *s > '9')
			return (-1);
		errno = 0;
		n = strtoul(s, &p, 10);
		if (errno != 0 || n > UINT32_MAX)
			return (-1);
		*out[i] = (uint32_t)n;
		*end = p;
		s = p + 1;
		if (i == 0 && *p != ':')
			return (-1);
	}
	return (0);
}

int
marker_remove(const char *dir)
{
	char name[PATH_MAX];

	if (place(name, sizeof(name), dir, MARKER) == -1)
		return (-1);
	if (unlink(name) == -1)
		return (errno == ENOENT ? 0 : -1);
	return (sync_dir(dir));
}
