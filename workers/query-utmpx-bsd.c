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

/* FreeBSD, NetBSD and macOS: who is logged in, by getutxent(3). */

#include <sys/types.h>
#include <sys/time.h>

#include <string.h>
#include <utmpx.h>

#include "query-bsd.h"
#include "value.h"

/* A file that cannot be had is nobody logged in. */
int
bsd_users(struct value_writer *w, char *err, size_t size)
{
	const struct utmpx	*u;
	struct users		 us;
	int			 rv = 0;

	memset(&us, 0, sizeof(us));
	setutxent();
	while (rv == 0 && (u = getutxent()) != NULL)
		if (u->ut_type == USER_PROCESS)
			rv = users_add(&us, u->ut_user, sizeof(u->ut_user),
			    (double)u->ut_tv.tv_sec +
			    (double)u->ut_tv.tv_usec / 1e6);
	if (rv == -1)
		(void)query_fail(err, size, "utmpx");
	else
		users_write(w, &us);
	endutxent();
	users_free(&us);
	return (rv);
}
