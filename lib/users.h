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
 * Users and groups by name.  A static program has no name service: there the
 * files /etc/passwd and /etc/group are read, and users that are elsewhere do
 * not exist.  May block on a disk or a name service: not for a monitor that
 * has begun its work.
 */

#ifndef USERS_H
#define USERS_H

#include <sys/types.h>

struct user {
	uid_t	 uid;
	gid_t	 gid;
	char	 name[256];
	char	 home[1024];
	char	 shell[1024];
};

/* 1: found; 0: there is none; -1: errno. */
int	 user_find(const char *name, struct user *);
int	 group_find(const char *name, gid_t *);
/*
 * All the groups of that user, the one of its entry first, to a vector of
 * size.  How many; -1: errno, ERANGE: there are more.
 */
int	 user_groups(const struct user *, gid_t *, int size);

#endif
