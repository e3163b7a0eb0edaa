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
#include <limits.h>
#include <stdlib.h>

long long
strtonum(const char *s, long long min, long long max, const char **errstr)
{
	long long n = 0;
	int error = 0, save = errno;
	const char *why = NULL;
	char *end;

	errno = 0;
	if (min > max) {
		error = EINVAL;
		why = "invalid";
	} else {
		n = strtoll(s, &end, 10);
		if (end == s || *end != '\0') {
			error = EINVAL;
			why = "invalid";
		} else if (n < min || (n == LLONG_MIN && errno == ERANGE)) {
			error = ERANGE;
			why = "too small";
		} else if (n > max || (n == LLONG_MAX && errno == ERANGE)) {
			error = ERANGE;
			why = "too large";
		}
	}
	if (errstr != NULL)
		*errstr = why;
	errno = error != 0 ? error : save;
	return (error != 0 ? 0 : n);
}
