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

/* NetBSD: a terminal's processes, and the kernel's console. */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/sysctl.h>

#include "device-bsd.h"

#define CALL_OUT	0x80000U	/* in the minor number of such a node */

static dev_t	 called(dev_t);

static dev_t
called(dev_t dev)
{
	return (makedev((unsigned int)major(dev),
	    (unsigned int)minor(dev) & ~CALL_OUT));
}

int
device_session(const char *path, const struct stat *st)
{
	int	 mib[6] = { CTL_KERN, KERN_PROC2, KERN_PROC_TTY, 0,
		    (int)sizeof(struct kinfo_proc2), 1 };

	(void)path;
	mib[3] = (int)called(st->st_rdev);
	return (bsd_has_process(mib, 6, (size_t)mib[4]));
}

int
device_kernel(const char *path, const struct stat *st)
{
	dev_t	 dev;

	(void)path;
	return (bsd_console(KERN_CONSDEV, &dev) == 0 &&
	    called(dev) == called(st->st_rdev));
}
