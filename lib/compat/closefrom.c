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

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#define FD_DIR	"/proc/self/fd"
#else
#define FD_DIR	"/dev/fd"
#endif

/*
 * The kernel's own call where there is one; else what the directory of our
 * descriptors names; else every number the system allows, however slow.
 * RLIMIT_NOFILE is no bound: it may have been lowered after the opening.
 */
void
closefrom(int low)
{
	struct dirent *e;
	DIR *dir;
	char *end;
	long fd, max;

	if (low < 0)
		low = 0;
#if defined(SYS_close_range)
	if (syscall(SYS_close_range, (unsigned int)low, UINT_MAX, 0) == 0)
		return;
#endif
	if ((dir = opendir(FD_DIR)) != NULL) {
		while ((e = readdir(dir)) != NULL) {
			fd = strtol(e->d_name, &end, 10);
			if (end != e->d_name && *end == '\0' && fd >= low &&
			    fd <= INT_MAX && fd != dirfd(dir))
				(void)close((int)fd);
		}
		(void)closedir(dir);
		return;
	}
	if ((max = sysconf(_SC_OPEN_MAX)) < 65536)
		max = 65536;
	for (fd = low; fd < max && fd <= INT_MAX; fd++)
		(void)close((int)fd);
}
