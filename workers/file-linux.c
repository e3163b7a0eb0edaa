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
 * Linux has openat2 since 5.6; before that, and where a filter refuses it,
 * the path is walked.
 */

#include <sys/types.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

/* Newer than many a system's headers, so our own words. */
#ifndef __NR_openat2
#define __NR_openat2		437
#endif
#define HOW_NO_MAGICLINKS	UINT64_C(0x02)
#define HOW_NO_SYMLINKS		UINT64_C(0x04)
#define HOW_BENEATH		UINT64_C(0x08)

#define TRIES		64	/* EAGAIN: a name was moved meanwhile */

struct how {
	uint64_t	 flags;
	uint64_t	 mode;
	uint64_t	 resolve;
};

int
file_beneath(int dir, const char *path, int flags, mode_t mode, int exact)
{
	struct how how;
	long fd;
	int i;

	memset(&how, 0, sizeof(how));
	how.flags = (uint64_t)(unsigned int)flags;
	how.mode = flags & O_CREAT ? mode : 0;
	how.resolve = HOW_BENEATH | HOW_NO_MAGICLINKS;
	if (exact)
		how.resolve |= HOW_NO_SYMLINKS;
	for (i = 0; i < TRIES; i++) {
		fd = syscall(__NR_openat2, dir, path, &how, sizeof(how));
		if (fd != -1 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	if (fd == -1 && (errno == ENOSYS || errno == EPERM))
		return (file_walk(dir, path, flags, mode));
	return ((int)fd);
}
