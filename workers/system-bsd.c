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
 * The BSDs and macOS: the clock, whose hardware the kernel sets by it, and
 * what none of them can do.  The orders for that do not come: the commands
 * are not in these systems' tables.
 */

#include <sys/types.h>
#include <sys/time.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "messages.h"
#include "system-bsd.h"

#define NS	UINT64_C(1000000000)	/* a second */

static int	 cannot(char *, size_t);

int
system_set_time(int given, uint64_t ns, char *err, size_t size)
{
	struct timeval	 tv;

	if (!given) {
		(void)snprintf(err, size, "the hardware clock cannot be read"
		    " here: give the time");
		return (-1);
	}
	memset(&tv, 0, sizeof(tv));
	tv.tv_sec = (time_t)(ns / NS);
	tv.tv_usec = (int)(ns % NS / 1000);
	if ((uint64_t)tv.tv_sec != ns / NS) {
		(void)snprintf(err, size, "Time %llu is too large",
		    (unsigned long long)ns);
		return (-1);
	}
	if (settimeofday(&tv, NULL) == -1) {
		(void)snprintf(err, size, "Failed to set time to guest: %s",
		    strerror(errno));
		return (-1);
	}
	return (0);
}

int
system_rtc(time_t *t)
{
	*t = 0;
	errno = EOPNOTSUPP;
	return (-1);
}

static int
cannot(char *err, size_t size)
{
	(void)snprintf(err, size, "not supported by this system");
	return (-1);
}

const struct system_program *
system_shutdown(unsigned int mode, unsigned int n)
{
	return (mode < SHUTDOWN_MODES && n == 0 ? &bsd_shutdowns[mode] :
	    NULL);
}

const struct system_suspend *
system_suspend(unsigned int mode, unsigned int n)
{
	return (mode < SUSPEND_MODES && n == 0 && bsd_suspends[mode].need !=
	    NULL ? &bsd_suspends[mode] : NULL);
}

size_t
system_smart(struct smart_record *v)
{
	(void)v;
	return (0);
}

int
system_vcpu(int64_t number, int online, char *err, size_t size)
{
	(void)number;
	(void)online;
	return (cannot(err, size));
}

enum block_response
system_memory_block(uint64_t number, int online, int *error)
{
	(void)number;
	(void)online;
	*error = ENOTSUP;
	return (BLOCK_UNSUPPORTED);
}

int
system_fstrim(uint64_t minimum, struct value_writer *w, char *err,
    size_t size)
{
	(void)minimum;
	(void)w;
	return (cannot(err, size));
}
