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
 * What the self-test's files share.  Each check looks, changes nothing that
 * stays, and says one line or several.
 */

#ifndef SELFTEST_H
#define SELFTEST_H

#include <stddef.h>

#include "confine.h"
#include "parent/parent.h"
#include "see.h"

/* --- report.c --- */

enum status { OK, WARNING, FAILURE, STATUS_MAX };

/* A line: what was looked at, what was found and what is to be done. */
void	 say(enum status, const char *name, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
/* The worst so far of the lines of that name; NULL: of all. */
enum status worst(const char *name);
/* The names of those lines that are failures, with commas between. */
void	 failing(char *, size_t);
/* Print all lines; how many are failures. */
size_t	 say_all(int json);

/* --- selftest.c --- */

struct self {
	int		 argc;
	char		**argv;
	struct conf	 conf;
	struct policy	 policy;
	int		 root;		/* we may look everywhere */
	struct ids	 ids[3];	/* by enum account, drop: it exists */
	struct process	*procs;		/* NULL: not to be seen here */
	size_t		 nprocs;
};

int	 allowed(const struct self *, const char *command);
/* What nobody but root can see; one line names it all. */
void	 unseen(const char *what);

/* --- installed.c --- */

/*
 * Nobody but root can write the file or directory, or put another in its
 * place.  0, or -1 with what is wrong, and what to do, in why.
 */
int	 trusted(const char *path, char *why, size_t);

void	 check_configuration(struct self *, const char *error);
void	 check_rules(const struct self *);
void	 check_users(struct self *);
void	 check_chroot(void);
void	 check_programs(void);
void	 check_statedir(const struct self *);

/* --- machine.c --- */

void	 check_service(const struct self *);
void	 check_channel(const struct self *);
void	 check_mounts(const struct self *);
/* 1: what is written to a disk may wait. */
int	 check_marker(const struct self *);
void	 check_hooks(const struct self *);
void	 check_clock(const struct self *);
void	 check_tools(const struct self *);

/* --- cage.c --- */

/* A process is the monitor of this installation. */
int	 is_monitor(const struct self *, const struct process *);
/* The processes of the service, and those of a daemon started for it. */
void	 check_cage(struct self *);

#endif
