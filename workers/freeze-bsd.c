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
 * OpenBSD, NetBSD and macOS: no file system is frozen here, and the freeze
 * commands are not in their tables.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "freeze.h"

int
freeze_find(char *const *mounts, size_t n, const char *exclude,
    struct freeze_list *list, char *text, size_t size)
{
	(void)mounts;
	(void)n;
	(void)exclude;
	memset(list, 0, sizeof(*list));
	(void)snprintf(text, size, "this system freezes no file system");
	return (-1);
}

int
freeze_plan(const char *exclude, freeze_plan_fn *show, void *arg)
{
	(void)exclude;
	(void)show;
	(void)arg;
	errno = EOPNOTSUPP;
	return (-1);
}

int
freeze_reach(struct freeze_fs *fs)
{
	fs->fd = -1;
	errno = EOPNOTSUPP;
	return (-1);
}

int
fs_freeze(int fd)
{
	(void)fd;
	return (EOPNOTSUPP);
}

int
fs_thaw(int fd)
{
	(void)fd;
	return (EINVAL);
}

int
fs_flush(int fd)
{
	(void)fd;
	return (EOPNOTSUPP);
}

const char *
freeze_lock_memory(void)
{
	return (NULL);
}
