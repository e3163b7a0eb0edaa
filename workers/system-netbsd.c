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

/* NetBSD: what shutdown(8) is told. */

#include <stddef.h>
#include <stdint.h>

#include "system-bsd.h"

#define SHUTDOWN	SYSTEM_PREFIX "/sbin/shutdown"

const struct system_program bsd_shutdowns[SHUTDOWN_MODES] = {
	[SHUTDOWN_POWERDOWN] = { { SHUTDOWN, "-p", "now" } },
	[SHUTDOWN_HALT] = { { SHUTDOWN, "-h", "now" } },
	[SHUTDOWN_REBOOT] = { { SHUTDOWN, "-r", "now" } }
};

const struct system_suspend bsd_suspends[SUSPEND_MODES];

int
system_sleep(unsigned int mode, char *err, size_t size)
{
	(void)mode;
	(void)err;
	(void)size;
	return (0);
}
