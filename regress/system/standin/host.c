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
 * This system's side of the stand-ins.  What they are to do is in the file
 * "standin" beside the program, read before main():
 *	shape N			an enum shape
 *	fail CALL ERRNO NTH	the NTH such call, 0: each
 */

#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "standin.h"

static char	 failing[32];
static int	 fail_errno, fail_nth, calls;
static int	 shape;

int	*__errno(void);
int	*__error(void);

/* Another system's errno is a call of one of these names. */
int *
__errno(void)
{
	return (&errno);
}

int *
__error(void)
{
	return (&errno);
}

static void __attribute__((constructor))
start(void)
{
	char path[4096], *slash;
	FILE *f;
	ssize_t n;

	if ((n = readlink("/proc/self/exe", path, sizeof(path) - 16)) == -1)
		abort();
	path[n] = '\0';
	if ((slash = strrchr(path, '/')) == NULL)
		abort();
	strcpy(slash + 1, "standin");
	if ((f = fopen(path, "r")) == NULL)
		return;
	if (fscanf(f, " shape %d", &shape) != 1)
		abort();
	if (fscanf(f, " fail %31s %d %d", failing, &fail_errno, &fail_nth) !=
	    3)
		failing[0] = '\0';
	fclose(f);
}

int
host_error(const char *call)
{
	if (strcmp(call, failing) != 0)
		return (0);
	calls++;
	return (fail_nth == 0 || fail_nth == calls ? fail_errno : 0);
}

enum shape
host_shape(void)
{
	return ((enum shape)shape);
}

const char *
host_ntop(int six, const void *from, char *to, size_t size)
{
	return (inet_ntop(six ? AF_INET6 : AF_INET, from, to,
	    (socklen_t)size));
}

void
host_tell(const char *line)
{
	puts(line);
}
