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
 * What a system shows of its processes: see-<system>.c.
 */

#ifndef SEE_H
#define SEE_H

#include <sys/types.h>

struct process {
	pid_t	 pid, ppid;
	uid_t	 uid;
	char	 name[32];	/* of its program, cut */
	char	 exe[512];	/* "": not ours to see */
	char	 title[256];	/* as ps(1) has it; "": it is ending */
};

/* All there are, to be freed.  0, or -1: this system shows none. */
int	 see_processes(struct process **, size_t *);
/* 1: it has that device or file open; -1: errno. */
int	 see_holds(pid_t, const char *path);
/* 1: some process listens on that Unix socket. */
int	 see_listens(const char *path);

enum password { PASSWORD_LOCKED, PASSWORD_SET, PASSWORD_EMPTY,
	PASSWORD_UNSEEN };
enum password see_password(const char *user);

/* In a child: it is not to outlive who forked it. */
void	 see_tie(void);

#endif
