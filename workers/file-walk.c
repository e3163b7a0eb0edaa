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
 * Step by step: each directory is opened in the one before it, and no step
 * is a link, so that none leads out.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

#define STEP_MAX	256		/* a name and its NUL */
#define LINKS_MAX	40		/* as Linux has it */

#ifdef O_PATH
#define STEP_FLAGS	(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#else
#define STEP_FLAGS	(O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW | \
			    O_CLOEXEC)
#endif

static int	 follow(int, const char *, const char *, char *, int);
static void	 leave(int, int);

int
file_walk(int dir, const char *path, int flags, mode_t mode)
{
	char step[STEP_MAX];
	size_t len;
	int at = dir, next;

	for (;;) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0 || len >= sizeof(step)) {
			errno = len == 0 ? ENOENT : ENAMETOOLONG;
			break;
		}
		memcpy(step, path, len);
		step[len] = '\0';
		path += len;
		if (strcmp(step, "..") == 0) {
			errno = EXDEV;
			break;
		}
		if (*path == '\0') {
			next = openat(at, step, flags | O_NOFOLLOW, mode);
			leave(at, dir);
			return (next);
		}
		if ((next = openat(at, step, STEP_FLAGS)) == -1)
			break;
		leave(at, dir);
		at = next;
	}
	leave(at, dir);
	return (-1);
}

int
file_base(const char *base)
{
	char left[PATH_MAX], step[STEP_MAX], *p = left;
	int at, links = 0, next;
	size_t len;

	if (strlcpy(left, base, sizeof(left)) >= sizeof(left)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	at = open(*left == '/' ? "/" : ".", STEP_FLAGS);
	while (at != -1) {
		p += strspn(p, "/");
		if ((len = strcspn(p, "/")) == 0)
			break;
		if (len >= sizeof(step)) {
			errno = ENAMETOOLONG;
			leave(at, -1);
			return (-1);
		}
		memcpy(step, p, len);
		step[len] = '\0';
		p += len;
		next = openat(at, step, STEP_FLAGS);
		if (next == -1) {
			next = follow(at, step, p, left, ++links);
			p = left;
		}
		leave(at, -1);
		at = next;
	}
	return (at);
}

/*
 * What openat(2) refused may be a link: where it begins, and in left what is
 * to be walked from there.
 */
static int
follow(int at, const char *step, const char *rest, char *left, int links)
{
	char link[PATH_MAX], path[PATH_MAX];
	struct stat st;
	int error = errno, len;
	ssize_t n;

	if ((n = readlinkat(at, step, link, sizeof(link) - 1)) == -1) {
		errno = error;
		return (-1);
	}
	link[n] = '\0';
	if (fstat(at, &st) == -1)
		return (-1);
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    links > LINKS_MAX) {
		errno = ELOOP;
		return (-1);
	}
	len = snprintf(path, sizeof(path), "%s/%s", link, rest);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	memcpy(left, path, (size_t)len + 1);
	return (*link == '/' ? open("/", STEP_FLAGS) :
	    openat(at, ".", STEP_FLAGS));
}

/* The first is the caller's. */
static void
leave(int at, int dir)
{
	int saved = errno;

	if (at != dir)
		close(at);
	errno = saved;
}
