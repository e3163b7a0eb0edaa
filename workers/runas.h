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
 * What a rule of [exec] makes of a job: its user, its groups and no others,
 * its environment, directory and bounds, and a guard that ends it in time.
 */

#ifndef RUNAS_H
#define RUNAS_H

#include <sys/types.h>

#include "messages.h"

#define RUNAS_GROUPS	64

struct runas {
	const struct msg_exec_rule *rule;
	int	 drop;			/* uid, gid and groups are set */
	uid_t	 uid;
	gid_t	 gid;
	gid_t	 groups[RUNAS_GROUPS + 1];
	int	 ngroups;
	int	 guard;			/* its end of the pipe, -1: no guard */
	int	 refused;		/* the program is another's to put */
	char	**envp;			/* malloc'd, NULL at the end */
};

/*
 * Look up what the rule names, judge the program that it names, and put the
 * environment together; exec's is what the host asked for and may set.
 * 0, or -1 with a text in why.
 */
int	 runas_init(struct runas *, const struct msg_exec_rule *,
	    const struct msg_exec *, char *why, size_t size);
/* In the process that becomes the job, still root: 0, or -1 with errno. */
int	 runas_become(void *);

#endif
