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
 * What the account worker's files share; account-<system>.c is the system's
 * half.  Paths are absolute and fixed when it is built; ACCOUNT_PREFIX is set
 * by a test alone.
 */

#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <sys/types.h>

#include <stdint.h>

#include "messages.h"

struct imsg;
struct imsgbuf;
struct value_writer;

#ifndef ACCOUNT_PREFIX
#define ACCOUNT_PREFIX	""
#endif

/* What an order came to. */
struct outcome {
	uint64_t	 id;
	struct value_writer *value;	/* to be filled, if one is wanted */
	int		 wanted;
	uint32_t	 notroot;	/* a rule: no user with uid 0 */
	int		 refused;	/* it is that rule that says no */
	char		 text[MSG_TEXT_MAX];	/* "": done, else why not */
};

/* printf to o->text; -1 always. */
int	 account_fail(struct outcome *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

/* Does the rule let this user be changed?  0, or -1 with o->text. */
int	 account_judge(struct outcome *, const char *name, uid_t);

/* An order of the monitor's, whose size is right; what else it is ends us. */
void	 password_order(struct imsgbuf *, struct imsg *, struct outcome *);
void	 ssh_keys_order(struct imsgbuf *, struct imsg *, struct outcome *);

/*
 * The nth way, best first, to have a password set: argv, whose [0] is the
 * path; NULL: there are no more.  On its standard input it wants a line
 * "user:password"; where an argument is "", which the user's name then
 * replaces, the password alone.
 */
#define ACCOUNT_ARGS	6
const char *const *account_chpasswd(int crypted, unsigned int n);

/*
 * Where the system labels files, give to what like has, its type replaced by
 * type unless that is NULL.  What fails is logged: the file is good, but
 * sshd(8) may not see it.
 */
void	 account_label(int to, int like, const char *type);

#endif
