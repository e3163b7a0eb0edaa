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

/* macOS: a terminal's processes.  cu.serial1 is the line of tty.serial1. */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/sysctl.h>

#include <stdio.h>
#include <string.h>

#include "device-bsd.h"

#define CALL_OUT	"/dev/cu."

int
device_session(const char *path, const struct stat *st)
{
	struct stat	 other;
	char		 node[256];
	int		 mib[4] = { CTL_KERN, KERN_PROC, KERN_PROC_TTY,
			    st->st_rdev };

	if (bsd_has_process(mib, 4, sizeof(struct kinfo_proc)))
		return (1);
	if (strncmp(path, CALL_OUT, strlen(CALL_OUT)) != 0)
		return (0);
	(void)snprintf(node, sizeof(node), "/dev/tty.%s",
	    path + strlen(CALL_OUT));
	if (stat(node, &other) == -1)
		return (0);
	mib[3] = other.st_rdev;
	return (bsd_has_process(mib, 4, sizeof(struct kinfo_proc)));
}

/* Its console is the screen, and /dev/console. */
int
device_kernel(const char *path, const struct stat *st)
{
	(void)path;
	(void)st;
	return (0);
}
