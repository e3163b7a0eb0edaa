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

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

#define STEP_MAX	256		/* a name and its NUL */

#ifdef O_PATH
#define STEP_FLAGS	(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#else
#define STEP_FLAGS	(O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW | \
			    O_CLOEXEC)
#endif

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

/* The first is the caller's. */
static void
leave(int at, int dir)
{
	int saved = errno;

	if (at != dir)
		close(at);
	errno = saved;
}
