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

#include <stddef.h>
#include <string.h>

#include "pathname.h"

static int	 below(const char *, const char *, size_t);

int
path_below(const char *path, const char *base)
{
	return (below(path, base, strlen(base)));
}

int
path_below_any(const char *path, const char *bases)
{
	size_t len;

	for (;; bases += len + 1) {
		len = strcspn(bases, ",");
		if (below(path, bases, len))
			return (1);
		if (bases[len] == '\0')
			return (0);
	}
}

static int
below(const char *path, const char *base, size_t len)
{
	/* "/" is all there is. */
	if (len == 1 && *base == '/')
		return (1);
	return (len > 0 && strncmp(path, base, len) == 0 &&
	    (path[len] == '/' || path[len] == '\0'));
}

void
path_unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++, to++) {
		*to = *s;
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
		    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0'));
			s += 3;
		}
	}
	*to = '\0';
}
