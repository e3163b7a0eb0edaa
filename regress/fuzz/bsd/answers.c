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
 * A kernel that answers what the tape has.  Structures are filled with it
 * whole; what is of a size that is asked for first is a length and as many
 * bytes.
 */

#include <sys/param.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/utsname.h>
#ifdef __NetBSD__
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#endif
#ifdef __APPLE__
#include <mach/mach.h>
#include <dirent.h>
#endif
#ifdef __OpenBSD__
#include <utmp.h>
#else
#include <utmpx.h>
#endif

#include <net/if.h>
#include <net/if_dl.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tape.h"

#define FD		50
#define MOUNTS		32
#define ADDRS		32

static int	 fails(void);
static int	 answer(void *, size_t *);

/* One call in sixteen, where the tape has such a byte. */
static int
fails(void)
{
	unsigned char b = tape_peek();

	if ((b & 0xf0) != 0xe0)
		return (0);
	tape_take(&b, 1);
	errno = b & 0x0f ? b & 0x0f : ENOMEM;
	return (1);
}

/* A size is asked for, and so much is there then, or more. */
static int
answer(void *old, size_t *len)
{
	static size_t asked;
	size_t n;

	if (fails())
		return (-1);
	if (old == NULL) {
		*len = asked = tape_length();
		return (0);
	}
	if (asked == 0) {
		/* All of it most often, else as much as a byte says. */
		if (tape_peek() == 0xd0) {
			n = tape_length() & 0xff;
			if (n < *len)
				*len = n;
		}
		tape_take(old, *len);
		return (0);
	}
	n = asked;
	asked = 0;
	if (n > *len) {
		tape_take(old, *len);
		errno = ENOMEM;
		return (-1);
	}
	tape_take(old, n);
	*len = n;
	return (0);
}

int
sysctl(
#if defined(__OpenBSD__) || defined(__NetBSD__) || defined(__FreeBSD__)
    const int *mib,
#else
    int *mib,
#endif
    u_int n, void *old, size_t *len,
#if defined(__NetBSD__) || defined(__FreeBSD__)
    const
#endif
    void *new, size_t newlen)
{
	(void)mib;
	(void)n;
	if (new != NULL || newlen != 0)
		abort();
	return (answer(old, len));
}

#if defined(__FreeBSD__) || defined(__APPLE__)
int
sysctlbyname(const char *name, void *old, size_t *len,
#ifdef __FreeBSD__
    const
#endif
    void *new, size_t newlen)
{
	(void)name;
	if (new != NULL || newlen != 0)
		abort();
	return (answer(old, len));
}
#endif

#ifdef __FreeBSD__
int
sysctlnametomib(const char *name, int *mib, size_t *n)
{
	(void)name;
	if (fails())
		return (-1);
	mib[0] = 1;
	*n = 1;
	return (0);
}

int
__xuname(int size, void *to)
{
	struct utsname *u = to;

	if (size != (int)sizeof(u->release))
		abort();
	if (fails())
		return (-1);
	tape_take(u, sizeof(*u));
	u->release[sizeof(u->release) - 1] = '\0';
	u->version[sizeof(u->version) - 1] = '\0';
	u->machine[sizeof(u->machine) - 1] = '\0';
	return (0);
}
#else
int
uname(struct utsname *u)
{
	if (fails())
		return (-1);
	tape_take(u, sizeof(*u));
	u->release[sizeof(u->release) - 1] = '\0';
	u->version[sizeof(u->version) - 1] = '\0';
	u->machine[sizeof(u->machine) - 1] = '\0';
	return (0);
}
#endif

/* --- interfaces: what sockaddr a length says, in memory of that size --- */

static void	*sockaddr(void);

static void *
sockaddr(void)
{
	unsigned char len, *p;

	tape_take(&len, 1);
	if (len < 2)
		return (NULL);
	/* A sockaddr is never smaller than that, whatever its length is. */
	if ((p = malloc(len < 16 ? 16 : len)) == NULL)
		abort();
	memset(p, 0, 16);
	tape_take(p + 1, (size_t)len - 1);
	p[0] = len;
	return (p);
}

int
getifaddrs(struct ifaddrs **list)
{
	struct ifaddrs *a;
	unsigned char n;

	*list = NULL;
	if (fails())
		return (-1);
	tape_take(&n, 1);
	for (n %= ADDRS; n > 0; n--) {
		if ((a = calloc(1, sizeof(*a))) == NULL ||
		    (a->ifa_name = calloc(1, 8)) == NULL)
			abort();
		tape_take(a->ifa_name, 5);
		a->ifa_addr = sockaddr();
		a->ifa_netmask = sockaddr();
		if (a->ifa_addr != NULL && a->ifa_addr->sa_family ==
		    AF_LINK && tape_peek() & 1) {
			if ((a->ifa_data = malloc(sizeof(struct if_data))) ==
			    NULL)
				abort();
			tape_take(a->ifa_data, sizeof(struct if_data));
		}
		a->ifa_next = *list;
		*list = a;
	}
	return (0);
}

void
freeifaddrs(struct ifaddrs *a)
{
	struct ifaddrs *next;

	for (; a != NULL; a = next) {
		next = a->ifa_next;
		free(a->ifa_name);
		free(a->ifa_addr);
		free(a->ifa_netmask);
		free(a->ifa_data);
		free(a);
	}
}

/* --- mounts: as many as the first call says, or others --- */

static int	 mounts(void *, size_t, size_t);

static int
mounts(void *v, size_t size, size_t one)
{
	unsigned char n;

	if (fails())
		return (-1);
	tape_take(&n, 1);
	n %= MOUNTS;
	if (v == NULL)
		return (n);
	if (n * one > size)
		n = (unsigned char)(size / one);
	tape_take(v, n * one);
	return (n);
}

#ifdef __NetBSD__
int
getvfsstat(struct statvfs *v, size_t size, int how)
{
	(void)how;
	return (mounts(v, size, sizeof(*v)));
}
#else
int
getfsstat(struct statfs *v,
#if defined(__OpenBSD__)
    size_t size,
#elif defined(__FreeBSD__)
    long size,
#else
    int size,
#endif
    int how)
{
	(void)how;
	return (mounts(v, (size_t)size, sizeof(*v)));
}
#endif

/* --- files --- */

int
stat(const char *restrict path, struct stat *restrict st)
{
	(void)path;
	if (fails())
		return (-1);
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFCHR;
	tape_take(&st->st_rdev, sizeof(st->st_rdev));
	return (0);
}

int
open(const char *path, int flags, ...)
{
	(void)path;
	(void)flags;
	return (fails() ? -1 : FD);
}

int
close(int fd)
{
	if (fd != FD)
		abort();
	return (0);
}

ssize_t
read(int fd, void *buf, size_t size)
{
	size_t n;

	if (fd != FD)
		abort();
	if (fails())
		return (errno == EINTR ? 0 : -1);
	if ((n = tape_length()) > size)
		n = size;
	tape_take(buf, n);
	return ((ssize_t)n);
}

ssize_t
pread(int fd, void *buf, size_t size, off_t at)
{
	return (at > 65536 ? 0 : read(fd, buf, size));
}

#ifdef __NetBSD__
int
ioctl(int fd, unsigned long request, ...)
{
	(void)request;
	if (fd == -1)
		errno = EBADF;
	return (fd == -1 || fails() ? -1 : 0);
}
#endif

#ifndef __OpenBSD__
void
setutxent(void)
{
}

void
endutxent(void)
{
}

struct utmpx *
getutxent(void)
{
	static struct utmpx u;
	unsigned char more;

	tape_take(&more, 1);
	if (!(more & 1))
		return (NULL);
	tape_take(&u, sizeof(u));
	return (&u);
}
#endif

#ifdef __APPLE__
mach_port_t	 mach_task_self_ = 1;

mach_port_t
mach_host_self(void)
{
	return (2);
}

kern_return_t
mach_port_deallocate(ipc_space_t task, mach_port_name_t name)
{
	(void)task;
	(void)name;
	return (KERN_SUCCESS);
}

kern_return_t
host_processor_info(host_t host, processor_flavor_t flavor, natural_t *n,
    processor_info_array_t *info, mach_msg_type_number_t *len)
{
	unsigned char count;

	(void)host;
	(void)flavor;
	if (fails())
		return (KERN_FAILURE);
	tape_take(&count, 1);
	*len = count;
	if ((*info = malloc(*len * sizeof(**info) + 1)) == NULL)
		abort();
	tape_take(*info, *len * sizeof(**info));
	tape_take(n, sizeof(*n));
	return (KERN_SUCCESS);
}

kern_return_t
vm_deallocate(vm_map_t task, vm_address_t at, vm_size_t size)
{
	(void)task;
	(void)size;
	free((void *)at);
	return (KERN_SUCCESS);
}

long
sysconf(int name)
{
	(void)name;
	return (100);
}

DIR *
opendir(const char *path)
{
	static int dir;

	(void)path;
	return (fails() ? NULL : (DIR *)(uintptr_t)&dir);
}

struct dirent *
readdir(DIR *dir)
{
	static struct dirent d;
	unsigned char len;

	(void)dir;
	tape_take(&len, 1);
	if (len == 0)
		return (NULL);
	memset(&d, 0, sizeof(d));
	tape_take(d.d_name, len);
	return (&d);
}

int
closedir(DIR *dir)
{
	(void)dir;
	return (0);
}
#endif

/* --- pure, but for numbers that differ between systems --- */

const char *
inet_ntop(int af, const void *restrict from, char *restrict to,
    socklen_t size)
{
	(void)snprintf(to, size, "%d:%x", af,
	    (unsigned int)((const unsigned char *)from)[af == AF_INET ? 3 :
	    15]);
	return (to);
}

char *
strerror(int error)
{
	static char text[32];

	(void)snprintf(text, sizeof(text), "error %d", error);
	return (text);
}

void
tzset(void)
{
}

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	memset(ts, 0, sizeof(*ts));
	return (0);
}

struct tm *
localtime_r(const time_t *restrict t, struct tm *restrict tm)
{
	static char zone[] = "EEST";

	(void)t;
	memset(tm, 0, sizeof(*tm));
	tm->tm_zone = zone;
	return (tm);
}
