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
 * FreeBSD: a terminal's processes, and the kernel's consoles.  Nodes have
 * names alone: cuau0 is the line of ttyu0.
 */

#include <sys/types.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/user.h>

#include <stdio.h>
#include <string.h>

#include "device-bsd.h"

static void	 called(const char *, char *, size_t);

/* The node to be called on, without the directory. */
static void
called(const char *path, char *name, size_t size)
{
	const char	*p = strrchr(path, '/');

	p = p != NULL ? p + 1 : path;
	if (strncmp(p, "cua", 3) == 0)
		(void)snprintf(name, size, "tty%s", p + 3);
	else
		(void)snprintf(name, size, "%s", p);
}

int
device_session(const char *path, const struct stat *st)
{
	struct stat	 other;
	char		 name[64], node[80];
	int		 mib[4] = { CTL_KERN, KERN_PROC, KERN_PROC_TTY, 0 };

	called(path, name, sizeof(name));
	(void)snprintf(node, sizeof(node), "/dev/%s", name);
	mib[3] = (int)(stat(node, &other) == 0 && S_ISCHR(other.st_mode) ?
	    other.st_rdev : st->st_rdev);
	return (bsd_has_process(mib, 4, sizeof(struct kinfo_proc)));
}

/* "ttyu0,/ttyv0,ttyu0,": those in use before the slash. */
int
device_kernel(const char *path, const struct stat *st)
{
	char		 list[512], name[64];
	const char	*p;
	size_t		 len = sizeof(list) - 1, n;

	(void)st;
	if (sysctlbyname("kern.console", list, &len, NULL, 0) == -1)
		return (0);
	list[len] = '\0';
	list[strcspn(list, "/")] = '\0';
	called(path, name, sizeof(name));
	for (p = list; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		if (n == strlen(name) && memcmp(p, name, n) == 0)
			return (1);
	}
	return (0);
}
