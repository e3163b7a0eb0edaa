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
 * OpenBSD: what shutdown(8) is told; suspending by zzz(8) where apmd(8) runs,
 * since it holds apm(4), which only one may have for writing; else by that.
 */

#include <sys/types.h>
#include <sys/ioctl.h>

#include <machine/apmvar.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "system-bsd.h"

#define APM		SYSTEM_PREFIX "/dev/apmctl"
#define APMD		SYSTEM_PREFIX "/var/run/apmdev"
#define SHUTDOWN	SYSTEM_PREFIX "/sbin/shutdown"
#define TRUE		SYSTEM_PREFIX "/usr/bin/true"
#define ZZZ		SYSTEM_PREFIX "/usr/sbin/zzz"
#define ZZZ_DISK	SYSTEM_PREFIX "/usr/sbin/ZZZ"

const struct system_program bsd_shutdowns[SHUTDOWN_MODES] = {
	[SHUTDOWN_POWERDOWN] = { { SHUTDOWN, "-hp", "now" } },
	[SHUTDOWN_HALT] = { { SHUTDOWN, "-h", "now" } },
	[SHUTDOWN_REBOOT] = { { SHUTDOWN, "-r", "now" } }
};

const struct system_suspend bsd_suspends[SUSPEND_MODES] = {
	[SUSPEND_RAM] = { APMD, { { TRUE } }, 0, 0, { { ZZZ } } },
	[SUSPEND_DISK] = { APMD, { { TRUE } }, 0, 0, { { ZZZ_DISK } } }
};

int
system_sleep(unsigned int mode, char *err, size_t size)
{
	unsigned long	 request;
	int		 error = 0, fd;

	if (mode == SUSPEND_RAM)
		request = APM_IOC_SUSPEND;
	else if (mode == SUSPEND_DISK)
		request = APM_IOC_HIBERNATE;
	else
		return (0);
	if ((fd = open(APM, O_WRONLY | O_CLOEXEC)) == -1)
		error = errno;
	else {
		if (ioctl(fd, request) == -1)
			error = errno;
		(void)close(fd);
	}
	if (error == 0)
		return (1);
	/* No apm on this machine, or none that can do it. */
	if (error == ENXIO || error == ENOENT || error == EOPNOTSUPP)
		return (0);
	(void)snprintf(err, size, "%s: %s", APM, strerror(error));
	return (-1);
}
