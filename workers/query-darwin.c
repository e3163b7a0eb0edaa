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

/* The query worker's system half, macOS. */

#include <sys/utsname.h>

#include <string.h>

#include "query.h"
#include "value.h"

static int	 q_osinfo(struct value_writer *, char *, size_t);

const query_fn system_queries[CMD_MAX] = {
	[CMD_GUEST_GET_OSINFO] = q_osinfo,
	[CMD_GUEST_GET_TIMEZONE] = query_timezone
};

int		 query_outlived;

void
query_open(void)
{
}

static int
q_osinfo(struct value_writer *w, char *err, size_t size)
{
	struct utsname	 u;
	struct osinfo	 o;

	if (uname(&u) == -1)
		return (query_fail(err, size, "uname failed"));
	memset(&o, 0, sizeof(o));
	osinfo_set(&o, OSINFO_KERNEL_RELEASE, u.release);
	osinfo_set(&o, OSINFO_KERNEL_VERSION, u.version);
	osinfo_set(&o, OSINFO_MACHINE, u.machine);
	osinfo_write(w, &o);
	return (0);
}
