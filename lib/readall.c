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

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "readall.h"

int
read_all(int fd, char **buf, size_t *len, size_t max)
{
	char	*larger;
	ssize_t	 n;
	size_t	 size = 0;

	*buf = NULL;
	*len = 0;
	for (;;) {
		/* Room for a byte past max, which tells, and for the NUL. */
		if (size - *len < 2) {
			size = size == 0 ? 16384 : size * 2;
			if (size > max + 2)
				size = max + 2;
			if ((larger = realloc(*buf, size)) == NULL)
				break;
			*buf = larger;
		}
		n = read(fd, *buf + *len, size - *len - 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;
		*len += (size_t)n;
		(*buf)[*len] = '\0';
		if (n == 0)
			return (0);
		if (*len > max) {
			errno = EFBIG;
			break;
		}
	}
	free(*buf);
	*buf = NULL;
	return (-1);
}
