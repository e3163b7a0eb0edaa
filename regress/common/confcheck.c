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
 * confcheck pid role [uid:gid|- [chroot]]
 *
 * Compares what the system says of a running process with its role's row of
 * confinements[]: one line a property, "ok" or "BAD", what was expected and
 * what was seen.  Status 1 if anything is BAD.  The ids default to those of
 * _qgad or _qgadw, the root directory to this build's.  Landlock is not to be
 * seen from outside; the tests of lib/ show it.  Linux; to be run as root.
 */

#include <sys/types.h>

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "confcheck.h"

static int	 confcheck(pid_t, enum role, const struct ids *);

static const char *bad[64];	/* properties of the last confcheck() */
static size_t	 nbad;
static const char *empty_root = PATH_CHROOT;

static void
say(void *arg, const char *property, int ok, const char *expected,
    const char *seen)
{
	(void)arg;
	printf("%s %s: expected %s, seen %s\n", ok ? "ok" : "BAD", property,
	    expected, seen);
	if (!ok && nbad < sizeof(bad) / sizeof(bad[0]))
		bad[nbad++] = property;
}

/* How many properties are BAD. */
static int
confcheck(pid_t pid, enum role role, const struct ids *ids)
{
	nbad = 0;
	return (confinement_check(pid, role, ids, empty_root, say, NULL));
}

#ifdef CONFCHECK_TEST		/* included by a test, which asks: */
/* 1: the property was found BAD. */
static int
confcheck_bad(const char *property)
{
	size_t i;

	for (i = 0; i < nbad; i++)
		if (strcmp(bad[i], property) == 0)
			return (1);
	return (0);
}

#else
static int
account_ids(const struct confinement *row, struct ids *ids)
{
	const char *name;
	struct passwd *pw;

	memset(ids, 0, sizeof(*ids));
	if (row->account == ACCOUNT_ROOT)
		return (0);
	name = row->account == ACCOUNT_FRONTEND ? "_qgad" : "_qgadw";
	if ((pw = getpwnam(name)) == NULL) {
		fprintf(stderr, "confcheck: no user %s\n", name);
		return (-1);
	}
	ids->uid = pw->pw_uid;
	ids->gid = pw->pw_gid;
	return (0);
}

int
main(int argc, char *argv[])
{
	const struct confinement *row;
	unsigned long uid, gid;
	struct ids ids;
	int role;

	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: confcheck pid role "
		    "[uid:gid|- [chroot]]\n");
		return (2);
	}
	for (role = 0; role < ROLE_MAX; role++)
		if (strcmp(confinements[role].name, argv[2]) == 0)
			break;
	if (role == ROLE_MAX) {
		fprintf(stderr, "confcheck: no role %s\n", argv[2]);
		return (2);
	}
	row = &confinements[role];
	if (argc == 3 || strcmp(argv[3], "-") == 0) {
		if (account_ids(row, &ids) == -1)
			return (2);
	} else if (sscanf(argv[3], "%lu:%lu", &uid, &gid) == 2) {
		ids.uid = (uid_t)uid;
		ids.gid = (gid_t)gid;
	} else {
		fprintf(stderr, "confcheck: bad ids %s\n", argv[3]);
		return (2);
	}
	if (argc == 5)
		empty_root = argv[4];
	return (confcheck((pid_t)atol(argv[1]), row->role, &ids) > 0);
}
#endif
