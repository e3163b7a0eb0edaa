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
 * The freezer with thaws that fail while the first byte of /run/broken is 1,
 * and file systems that know no freeze while the third is: linked with --wrap
 * for both.  It is memory by then, and the second says that a thaw failed.
 */

#include <sys/mman.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

int	 __wrap_fs_freeze(int);
int	 __real_fs_freeze(int);
int	 __wrap_fs_thaw(int);
int	 __real_fs_thaw(int);

static volatile char *broken;

static void	 look(void) __attribute__((constructor));

static void
look(void)
{
	int fd;

	if ((fd = open("/run/broken", O_RDWR)) == -1 || (broken = mmap(NULL,
	    3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
		err(1, "/run/broken");
}

int
__wrap_fs_freeze(int fd)
{
	return (broken[2] == '1' ? EOPNOTSUPP : __real_fs_freeze(fd));
}

int
__wrap_fs_thaw(int fd)
{
	if (broken[0] != '1')
		return (__real_fs_thaw(fd));
	broken[1] = '!';
	return (EIO);
}
