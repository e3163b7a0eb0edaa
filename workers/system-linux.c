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
 * Linux: the init system's own short names first, as qemu-ga 10.2 has it,
 * then the shutdown(8) that every one of them brings along.
 */

#include <stddef.h>
#include <stdint.h>

#include "messages.h"
#include "system.h"

#define SHUTDOWN	SYSTEM_PREFIX "/sbin/shutdown"
#define WAYS		2
#define WHY		"hypervisor initiated shutdown"

static const struct system_program programs[SHUTDOWN_MODES][WAYS] = {
	[SHUTDOWN_POWERDOWN] = {
		{ { SYSTEM_PREFIX "/sbin/poweroff" } },
		{ { SHUTDOWN, "-h", "-P", "+0", WHY } }
	},
	[SHUTDOWN_HALT] = {
		{ { SYSTEM_PREFIX "/sbin/halt" } },
		{ { SHUTDOWN, "-h", "-H", "+0", WHY } }
	},
	[SHUTDOWN_REBOOT] = {
		{ { SYSTEM_PREFIX "/sbin/reboot" } },
		{ { SHUTDOWN, "-r", "+0", WHY } }
	}
};

const struct system_program *
system_shutdown(unsigned int mode, unsigned int n)
{
	if (mode >= SHUTDOWN_MODES || n >= WAYS)
		return (NULL);
	return (&programs[mode][n]);
}
