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

/* FreeBSD: what shutdown(8) is told, and sleeping by acpi(4). */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/sysctl.h>

#include <dev/acpica/acpiio.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "system-bsd.h"

#define SHUTDOWN	SYSTEM_PREFIX "/sbin/shutdown"
#define ACPI	"/dev/acpi"

static int	 fail(char *, size_t, const char *);

const struct system_program bsd_shutdowns[SHUTDOWN_MODES] = {
	[SHUTDOWN_POWERDOWN] = { { SHUTDOWN, "-p", "now" } },
	[SHUTDOWN_HALT] = { { SHUTDOWN, "-h", "now" } },
	[SHUTDOWN_REBOOT] = { { SHUTDOWN, "-r", "now" } }
};

const struct system_suspend bsd_suspends[SUSPEND_MODES];

/*
 * The kernel says which states it has: "S3 S4 S5".  S4 it lists and cannot
 * do; who is told of a suspend, devd(8)'s scripts, may take a while, and the
 * machine sleeps only then: this returns before.
 */
int
system_sleep(unsigned int mode, char *err, size_t size)
{
	char	 states[64];
	size_t	 len = sizeof(states) - 1;
	int	 fd, rv, error, state = 3;

	if (mode != SUSPEND_RAM || sysctlbyname("hw.acpi."
	    "supported_sleep_state", states, &len, NULL, 0) == -1)
		return (0);
	states[len] = '\0';
	if (strstr(states, "S3") == NULL)
		return (0);
	if ((fd = open(SYSTEM_PREFIX ACPI, O_RDWR | O_CLOEXEC)) == -1)
		return (fail(err, size, ACPI));
	rv = ioctl(fd, ACPIIO_REQSLPSTATE, &state);
	error = errno;
	(void)close(fd);
	errno = error;
	return (rv == -1 ? fail(err, size, "suspending") : 1);
}

static int
fail(char *err, size_t size, const char *what)
{
	(void)snprintf(err, size, "%s: %s", what, strerror(errno));
	return (-1);
}
