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

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "users.h"

static int	 user_take(struct user *, const struct passwd *);

#ifdef HAVE_FGETPWENT
#define PATH_PASSWD	"/etc/passwd"
#define PATH_GROUP	"/etc/group"

int
user_find(const char *name, struct user *user)
{
	const struct passwd *pw;
	FILE *file;
	int found = 0;

	if ((file = fopen(PATH_PASSWD, "re")) == NULL)
		return (-1);
	while (found == 0 && (pw = fgetpwent(file)) != NULL)
		if (strcmp(pw->pw_name, name) == 0)
			found = user_take(user, pw);
	fclose(file);
	return (found);
}

int
group_find(const char *name, gid_t *gid)
{
	const struct group *gr;
	FILE *file;
	int found = 0;

	if ((file = fopen(PATH_GROUP, "re")) == NULL)
		return (-1);
	while (!found && (gr = fgetgrent(file)) != NULL)
		if (strcmp(gr->gr_name, name) == 0) {
			*gid = gr->gr_gid;
			found = 1;
		}
	fclose(file);
	return (found);
}

int
user_groups(const struct user *user, gid_t *groups, int size)
{
	const struct group *gr;
	char **member;
	FILE *file;
	int n = 0, more = 0;

	if (size < 1 || (file = fopen(PATH_GROUP, "re")) == NULL)
		return (-1);
	groups[n++] = user->gid;
	while (!more && (gr = fgetgrent(file)) != NULL) {
		if (gr->gr_gid == user->gid)
			continue;
		for (member = gr->gr_mem; *member != NULL; member++)
			if (strcmp(*member, user->name) == 0)
				break;
		if (*member == NULL)
			continue;
		if (n == size)
			more = 1;
		else
			groups[n++] = gr->gr_gid;
	}
	fclose(file);
	if (more) {
		errno = ERANGE;
		return (-1);
	}
	return (n);
}
#else
int
user_find(const char *name, struct user *user)
{
	const struct passwd *pw;

	errno = 0;
	if ((pw = getpwnam(name)) == NULL)
		return (errno == 0 || errno == ENOENT ? 0 : -1);
	return (user_take(user, pw));
}

int
group_find(const char *name, gid_t *gid)
{
	const struct group *gr;

	errno = 0;
	if ((gr = getgrnam(name)) == NULL)
		return (errno == 0 || errno == ENOENT ? 0 : -1);
	*gid = gr->gr_gid;
	return (1);
}

int
user_groups(const struct user *user, gid_t *groups, int size)
{
	int n = size;

	if (getgrouplist(user->name, user->gid, (void *)groups, &n) == -1) {
		errno = ERANGE;
		return (-1);
	}
	return (n);
}
#endif

static int
user_take(struct user *user, const struct passwd *pw)
{
	user->uid = pw->pw_uid;
	user->gid = pw->pw_gid;
	if (strlcpy(user->name, pw->pw_name, sizeof(user->name)) >=
	    sizeof(user->name) || strlcpy(user->home, pw->pw_dir,
	    sizeof(user->home)) >= sizeof(user->home) ||
	    strlcpy(user->shell, pw->pw_shell, sizeof(user->shell)) >=
	    sizeof(user->shell)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (1);
}
