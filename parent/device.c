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
 * Opening a serial device as the way to the host.  Whose it is besides,
 * device-<system>.c knows.
 */

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "parent.h"

static int	 device_raw(int, const char *, enum method);
static int	 device_console(const char *, const struct stat *);

int
device_open(const char *path, enum method method, const char **why)
{
	char *named = NULL;
	struct stat st;
	int fd, saved;

	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT && method == METHOD_VIRTIO_SERIAL &&
	    (named = device_named(path)) != NULL)
		fd = open(named, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	free(named);
	if (fd == -1) {
		*why = errno == EBUSY || errno == EMFILE ?
		    "it is busy: another guest agent (qemu-ga?) has it" :
		    errno == ENOENT ? "No such file or directory (is the "
		    "port configured in the virtual machine?)" :
		    strerror(errno);
		return (-1);
	}
	if (fstat(fd, &st) == -1) {
		saved = errno;
		close(fd);
		*why = strerror(saved);
		return (-1);
	}
	if (!S_ISCHR(st.st_mode)) {
		close(fd);
		*why = "it is not a character device";
		return (-1);
	}
	if (isatty(fd)) {
		if (device_console(path, &st)) {
			close(fd);
			*why = "it is a console or has a terminal session";
			return (-1);
		}
		if (device_raw(fd, path, method) == -1) {
			saved = errno;
			close(fd);
			*why = strerror(saved);
			return (-1);
		}
	}
	return (fd);
}

/*
 * Raw before anybody reads, and read back: an echo would send the host its
 * own requests.  viocon(4) of OpenBSD and NetBSD stops its queue by CRTSCTS,
 * so on a virtio port that flag is left as the driver set it.
 */
static int
device_raw(int fd, const char *path, enum method method)
{
	struct termios want, got;
	tcflag_t flow;

	if (tcgetattr(fd, &want) == -1)
		return (-1);
#ifdef CRTSCTS
	flow = want.c_cflag & CRTSCTS;
#else
	flow = 0;
#endif
	cfmakeraw(&want);
	want.c_cflag |= CLOCAL | CREAD | CS8;
#ifdef CRTSCTS
	want.c_cflag &= ~(tcflag_t)CRTSCTS;
#endif
	if (method != METHOD_ISA_SERIAL)
		want.c_cflag |= flow;
	want.c_cc[VMIN] = 1;
	want.c_cc[VTIME] = 0;
	if (cfsetispeed(&want, B115200) == -1 ||
	    cfsetospeed(&want, B115200) == -1 ||
	    tcsetattr(fd, TCSANOW, &want) == -1 ||
	    tcflush(fd, TCIOFLUSH) == -1 || tcgetattr(fd, &got) == -1)
		return (-1);
	if (got.c_lflag & (ECHO | ICANON | ISIG | IEXTEN) ||
	    got.c_iflag & (ICRNL | IXON | ISTRIP | INLCR | IGNCR) ||
	    got.c_oflag & OPOST || (got.c_cflag & CSIZE) != CS8) {
		errno = ENOTSUP;
		return (-1);
	}
	if (ioctl(fd, TIOCEXCL) == -1)
		log_warn("TIOCEXCL on %s", path);
	return (0);
}

/* A console, or the terminal of somebody's session (a getty). */
static int
device_console(const char *path, const struct stat *st)
{
	static const char *const consoles[] = { "/dev/console", "/dev/tty",
	    "/dev/tty0", "/dev/ttyv0", "/dev/ttyC0", "/dev/ttyE0" };
	struct stat other;
	size_t i;

	for (i = 0; i < sizeof(consoles) / sizeof(consoles[0]); i++)
		if (stat(consoles[i], &other) == 0 &&
		    other.st_rdev == st->st_rdev)
			return (1);
	return (device_kernel(path, st) || device_session(path, st));
}
