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
 * What the hook worker makes sure of before it runs anything.
 */

#ifndef HOOK_H
#define HOOK_H

#include <sys/stat.h>

#define HOOK_MAX	256	/* scripts of a directory; more: none is run */

enum hook_kind { HOOK_DIRECTORY, HOOK_SCRIPT, HOOK_EITHER };

/*
 * Walk an absolute path from / by descriptors, no link followed: each
 * component must be root's and not writable by group or others, the last one
 * of that kind and, a script, neither setuid nor setgid.  Nobody but root can
 * then put something else there, so the path may be used afterwards.
 * 0, and what the last one is in *st; or -1, the reason in why with the
 * component that is wrong, and errno: ENOENT if one is not there.
 */
int	 hook_check(const char *path, enum hook_kind, struct stat *st,
	    char *why, size_t);

struct hook_list {
	char		*names[HOOK_MAX];
	size_t		 n;
};

/*
 * The names in a directory, in byte order, without those that begin with a
 * dot or end as an editor's or a package tool's backups do.  -1: errno,
 * E2BIG for more than HOOK_MAX; nothing is to be freed then.
 */
int	 hook_list(const char *dir, struct hook_list *);
void	 hook_list_free(struct hook_list *);

#endif
