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
 * Linux: shadow's chpasswd(8) where distributions have it, or busybox's; the
 * label of SELinux by its extended attribute, as libselinux would be one
 * library more for one system call.
 */

#include <sys/types.h>
#include <sys/xattr.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "log.h"

#define SELINUX		ACCOUNT_PREFIX "/sys/fs/selinux/enforce"
#define LABEL		"security.selinux"
#define LABEL_MAX	256

#define PLACES		6
#define ARGS		3

static const char *const programs[2][PLACES][ARGS + 1] = {
	{
		{ ACCOUNT_PREFIX "/usr/sbin/chpasswd" },
		{ ACCOUNT_PREFIX "/sbin/chpasswd" },
		{ ACCOUNT_PREFIX "/usr/bin/chpasswd" },
		{ ACCOUNT_PREFIX "/bin/chpasswd" },
		{ ACCOUNT_PREFIX "/bin/busybox", "chpasswd" },
		{ ACCOUNT_PREFIX "/usr/bin/busybox", "chpasswd" }
	},
	{	/* hashed already */
		{ ACCOUNT_PREFIX "/usr/sbin/chpasswd", "-e" },
		{ ACCOUNT_PREFIX "/sbin/chpasswd", "-e" },
		{ ACCOUNT_PREFIX "/usr/bin/chpasswd", "-e" },
		{ ACCOUNT_PREFIX "/bin/chpasswd", "-e" },
		{ ACCOUNT_PREFIX "/bin/busybox", "chpasswd", "-e" },
		{ ACCOUNT_PREFIX "/usr/bin/busybox", "chpasswd", "-e" }
	}
};

const char *const *
account_chpasswd(int crypted, unsigned int n)
{
	return (n < PLACES ? programs[crypted != 0][n] : NULL);
}

/* user:role:type:level, and the level has colons too. */
void
account_label(int to, int like, const char *type)
{
	char label[LABEL_MAX + 1], other[2 * LABEL_MAX];
	char *old, *rest;
	ssize_t n;
	int len;

	if (access(SELINUX, F_OK) == -1)
		return;
	if ((n = fgetxattr(like, LABEL, label, LABEL_MAX)) == -1) {
		if (errno != ENODATA && errno != ENOTSUP)
			log_warn("reading a label");
		return;
	}
	label[n] = '\0';
	if (type != NULL) {
		if ((old = strchr(label, ':')) == NULL ||
		    (old = strchr(old + 1, ':')) == NULL)
			return;
		rest = old + 1 + strcspn(old + 1, ":");
		len = snprintf(other, sizeof(other), "%.*s%s%s",
		    (int)(old + 1 - label), label, type, rest);
	} else
		len = snprintf(other, sizeof(other), "%s", label);
	/* Its NUL belongs to it. */
	if (len < 0 || (size_t)len >= sizeof(other) ||
	    fsetxattr(to, LABEL, other, (size_t)len + 1, 0) == -1)
		log_warn("setting the label %s", other);
}
