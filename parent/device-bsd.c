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
 * The BSDs and macOS: whose a terminal is, by sysctl(3).  A serial line has
 * two nodes, one to call out and one to be called on; what has a getty or the
 * kernel's messages is the latter, and the line is the same.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/sysctl.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "device-bsd.h"

/*
 * At most one record is asked for: that there are more is an error of its
 * own, and as good an answer.
 */
int
bsd_has_process(const int *mib, unsigned int n, size_t size)
{
	int	*name = (int *)(uintptr_t)mib;	/* const on some systems */
	void	*record;
	size_t	 len = size;
	int	 found;

	if ((record = calloc(1, size)) == NULL)
		return (0);
	if (sysctl(name, n, record, &len, NULL, 0) == -1)
		found = errno == ENOMEM;
	else
		found = len > 0;
	free(record);
	return (found);
}

int
bsd_console(int id, dev_t *dev)
{
	int	 mib[2];
	size_t	 len = sizeof(*dev);

	mib[0] = CTL_KERN;
	mib[1] = id;
	return (sysctl(mib, 2, dev, &len, NULL, 0) == -1 ||
	    len != sizeof(*dev) ? -1 : 0);
}

/* Nothing but its path says which port one is. */
char *
device_named(const char *path)
{
	(void)path;
	return (NULL);
}
