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

#include <sys/types.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "hook.h"

/* Opens no FIFO, no device, follows nothing, waits for nobody. */
#define OPEN_DIR	(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | \
			    O_CLOEXEC)

static int	 walk(const char *, enum hook_kind, struct stat *,
		    const char **, int *, size_t *);
static const char *judge(const struct stat *, enum hook_kind);
static int	 ignored(const char *);
static int	 compare(const void *, const void *);

int
hook_check(const char *path, enum hook_kind kind, struct stat *st, char *why,
    size_t size)
{
	const char *wrong = NULL;
	size_t len = 0;
	int dir = -1, error, r;

	if (*path != '/') {
		snprintf(why, size, "%s: not an absolute path", path);
		errno = EINVAL;
		return (-1);
	}
	if (DEFENCE(CONTROL_HOOKS))
		r = walk(path, kind, st, &wrong, &dir, &len);
	else
		r = stat(path, st);
	error = errno;
	if (dir != -1)
		close(dir);
	if (r == -1) {
		snprintf(why, size, "%.*s%s%s", (int)len, path,
		    wrong != NULL ? " " : ": ",
		    wrong != NULL ? wrong : strerror(error));
		errno = wrong != NULL ? EPERM : error;
	}
	return (r);
}

/* *len is how much of the path was looked at, *wrong NULL for an errno. */
static int
walk(const char *path, enum hook_kind kind, struct stat *st,
    const char **wrong, int *dir, size_t *len)
{
	const char *p = path + strspn(path, "/");
	char part[NAME_MAX + 1] = "";
	size_t n;
	int next;

	*len = 1;
	if ((*dir = open("/", OPEN_DIR)) == -1 || fstat(*dir, st) == -1)
		return (-1);
	for (;;) {
		*wrong = judge(st, *p != '\0' ? HOOK_DIRECTORY : kind);
		if (*wrong != NULL)
			return (-1);
		if (*p == '\0')
			return (0);
		/* Into it, now that it was judged; / is open already. */
		if (*part != '\0') {
			if ((next = openat(*dir, part, OPEN_DIR)) == -1)
				return (-1);
			close(*dir);
			*dir = next;
		}
		n = strcspn(p, "/");
		*len = (size_t)(p - path) + n;
		if (n >= sizeof(part)) {
			errno = ENAMETOOLONG;
			return (-1);
		}
		memcpy(part, p, n);
		part[n] = '\0';
		if (fstatat(*dir, part, st, AT_SYMLINK_NOFOLLOW) == -1)
			return (-1);
		p += n;
		p += strspn(p, "/");
	}
}

/* NULL: nothing is wrong. */
static const char *
judge(const struct stat *st, enum hook_kind kind)
{
	if (S_ISLNK(st->st_mode))
		return ("is a symbolic link");
	if (kind == HOOK_EITHER)
		kind = S_ISDIR(st->st_mode) ? HOOK_DIRECTORY : HOOK_SCRIPT;
	if (kind == HOOK_DIRECTORY && !S_ISDIR(st->st_mode))
		return ("is not a directory");
	if (kind == HOOK_SCRIPT && !S_ISREG(st->st_mode))
		return ("is not a regular file");
	if (st->st_uid != 0)
		return ("does not belong to root");
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return ("is writable by group or others");
	if (kind == HOOK_SCRIPT && st->st_mode & (S_ISUID | S_ISGID))
		return ("is setuid or setgid");
	return (NULL);
}

int
hook_list(const char *path, struct hook_list *list)
{
	struct dirent *de;
	DIR *dir;
	int error, fd;

	list->n = 0;
	if ((fd = open(path, OPEN_DIR)) == -1)
		return (-1);
	if ((dir = fdopendir(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	while (errno = 0, (de = readdir(dir)) != NULL) {
		if (ignored(de->d_name))
			continue;
		if (list->n == HOOK_MAX) {
			errno = E2BIG;
			break;
		}
		if ((list->names[list->n] = strdup(de->d_name)) == NULL)
			break;
		list->n++;
	}
	error = errno;
	closedir(dir);
	if (error != 0) {
		hook_list_free(list);
		errno = error;
		return (-1);
	}
	qsort(list->names, list->n, sizeof(list->names[0]), compare);
	return (0);
}

void
hook_list_free(struct hook_list *list)
{
	while (list->n > 0)
		free(list->names[--list->n]);
}

/* The endings that the fsfreeze-hook script of qemu-ga passes over. */
static int
ignored(const char *name)
{
	static const char *const endings[] = { "~", ".bak", ".orig",
	    ".rpmnew", ".rpmorig", ".rpmsave", ".sample", ".dpkg-new",
	    ".dpkg-old", ".dpkg-tmp", ".dpkg-dist", ".dpkg-bak",
	    ".dpkg-backup", ".dpkg-remove" };
	size_t i, len = strlen(name), n;

	if (*name == '.')
		return (1);
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		n = strlen(endings[i]);
		if (len >= n && strcmp(name + len - n, endings[i]) == 0)
			return (1);
	}
	return (0);
}

static int
compare(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}
