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
 * What a process gives up and what a system is told, each call in its order:
 * ids as the BSDs keep them, and a sandbox after which nothing else may come.
 * Kernels that do not what they say: shape 1 leaves the groups, 3 gives back
 * every id, 5 leaves the saved uid.
 */

#include <sys/types.h>
#include <sys/param.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#ifdef __FreeBSD__
#include <sys/capsicum.h>
#include <sys/procctl.h>
#include <sys/user.h>
#endif
#ifdef __OpenBSD__
#include <sys/proc.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "standin.h"

#define FD	90		/* of a device */

/* Of parent/parent.h, which is too much here. */
int	 device_session(const char *, const struct stat *);
int	 device_kernel(const char *, const struct stat *);

static dev_t	 node(const char *);

static struct {
	unsigned int	 real, effective, saved;
} uids, gids;
static unsigned int	 groups[16] = { 0, 1, 2, 3 };
static int		 ngroups = 4;
static int		 sandboxed;

static int	 enter(const char *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

/* An errno that this call is to have; nothing comes after the sandbox. */
static int
enter(const char *call, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	n = snprintf(line, sizeof(line), "%s%s", sandboxed ?
	    "after the sandbox: " : "", call);
	line[n++] = ' ';
	va_start(ap, fmt);
	(void)vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	host_tell(line);
	if (sandboxed)
		abort();
	return (host_error(call));
}

int
refuse(int error)
{
	errno = error;
	return (-1);
}

char *
strerror(int error)
{
	static char text[32];

	(void)snprintf(text, sizeof(text), "error %d", error);
	return (text);
}

/* --- the root directory, ids --- */

int
stat(const char *restrict path, struct stat *restrict st)
{
	int e;

	if ((e = enter("stat", "%s", path)) != 0)
		return (refuse(e));
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFDIR | 0755;
	if (strncmp(path, "/dev/", 5) == 0) {
		st->st_mode = S_IFCHR | 0600;
		st->st_rdev = node(path);
	}
	return (0);
}

int
chroot(const char *path)
{
	int e;

	if ((e = enter("chroot", "%s", path)) != 0)
		return (refuse(e));
	return (uids.effective != 0 ? refuse(EPERM) : 0);
}

int
chdir(const char *path)
{
	int e;

	return ((e = enter("chdir", "%s", path)) != 0 ? refuse(e) : 0);
}

int
setgroups(int n, const gid_t *v)
{
	int e;

	if ((e = enter("setgroups", "%d: %u", n, (unsigned int)v[0])) != 0)
		return (refuse(e));
	if (uids.effective != 0)
		return (refuse(EPERM));
	if (host_shape() == SHAPE_GROWS)
		return (0);
	ngroups = n;
	memcpy(groups, v, (size_t)n * sizeof(v[0]));
	return (0);
}

int
getgroups(int n, gid_t *v)
{
	if (n < ngroups)
		return (refuse(EINVAL));
	memcpy(v, groups, (size_t)ngroups * sizeof(v[0]));
	return (ngroups);
}

/* By root, or to what one of them is; by a hostile kernel always. */
static int
allowed(unsigned int to, int group)
{
	if (uids.effective == 0 || host_shape() == SHAPE_HOSTILE)
		return (1);
	if (group)
		return (to == gids.real || to == gids.saved);
	return (to == uids.real || to == uids.saved);
}

int
setuid(uid_t to)
{
	int e;

	if ((e = enter("setuid", "%u", (unsigned int)to)) != 0)
		return (refuse(e));
	if (!allowed(to, 0))
		return (refuse(EPERM));
	if (uids.effective == 0) {
		uids.real = to;
		if (host_shape() != SHAPE_CUT)
			uids.saved = to;
	}
	uids.effective = to;
	return (0);
}

int
seteuid(uid_t to)
{
	int e;

	if ((e = enter("seteuid", "%u", (unsigned int)to)) != 0)
		return (refuse(e));
	if (!allowed(to, 0))
		return (refuse(EPERM));
	uids.effective = to;
	return (0);
}

int
setgid(gid_t to)
{
	int e;

	if ((e = enter("setgid", "%u", (unsigned int)to)) != 0)
		return (refuse(e));
	if (!allowed(to, 1))
		return (refuse(EPERM));
	if (uids.effective == 0)
		gids.real = gids.saved = to;
	gids.effective = to;
	return (0);
}

int
setegid(gid_t to)
{
	int e;

	if ((e = enter("setegid", "%u", (unsigned int)to)) != 0)
		return (refuse(e));
	if (!allowed(to, 1))
		return (refuse(EPERM));
	gids.effective = to;
	return (0);
}

uid_t
getuid(void)
{
	return (uids.real);
}

uid_t
geteuid(void)
{
	return (uids.effective);
}

gid_t
getgid(void)
{
	return (gids.real);
}

gid_t
getegid(void)
{
	return (gids.effective);
}

#if defined(__OpenBSD__) || defined(__FreeBSD__)
int
setresuid(uid_t r, uid_t e, uid_t s)
{
	int error;

	if ((error = enter("setresuid", "%u %u %u", (unsigned int)r,
	    (unsigned int)e, (unsigned int)s)) != 0)
		return (refuse(error));
	if (!allowed(r, 0) || !allowed(e, 0) || !allowed(s, 0))
		return (refuse(EPERM));
	uids.real = r;
	uids.effective = e;
	if (host_shape() != SHAPE_CUT)
		uids.saved = s;
	return (0);
}

int
setresgid(gid_t r, gid_t e, gid_t s)
{
	int error;

	if ((error = enter("setresgid", "%u %u %u", (unsigned int)r,
	    (unsigned int)e, (unsigned int)s)) != 0)
		return (refuse(error));
	if (!allowed(r, 1) || !allowed(e, 1) || !allowed(s, 1))
		return (refuse(EPERM));
	gids.real = r;
	gids.effective = e;
	gids.saved = s;
	return (0);
}

int
getresuid(uid_t *r, uid_t *e, uid_t *s)
{
	*r = uids.real;
	*e = uids.effective;
	*s = uids.saved;
	return (0);
}

int
getresgid(gid_t *r, gid_t *e, gid_t *s)
{
	*r = gids.real;
	*e = gids.effective;
	*s = gids.saved;
	return (0);
}
#endif

pid_t
getpid(void)
{
	return (4711);
}

/* --- terminals: line 0 is the kernel's, 1 has a getty --- */

int	 device(const char *);

static dev_t
node(const char *path)
{
	unsigned int n = (unsigned int)(path[strlen(path) - 1] - '0');

#if defined(__OpenBSD__)
	return (makedev(8U, n | (strstr(path, "cua") ? 0x80U : 0)));
#elif defined(__NetBSD__)
	return (makedev(8U, n | (strstr(path, "dty") ? 0x80000U : 0)));
#elif defined(__FreeBSD__)
	return (makedev(0, (int)n + (strstr(path, "cua") ? 0x60 : 0x50)));
#else
	return (makedev(9, (int)n * 2 + (strstr(path, "/cu.") != NULL)));
#endif
}

/* 1: the kernel's console, 2: somebody's terminal, 0: nobody's. */
int
device(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return (-1);
	return (device_kernel(path, &st) ? 1 : device_session(path, &st) ? 2 :
	    0);
}

static int	 processes(int, void *, size_t *);

static int
processes(int dev, void *old, size_t *len)
{
#if defined(__OpenBSD__)
	static const char line[] = "/dev/tty01";
	const size_t size = sizeof(struct kinfo_proc);
#elif defined(__NetBSD__)
	static const char line[] = "/dev/tty01";
	const size_t size = sizeof(struct kinfo_proc2);
#elif defined(__FreeBSD__)
	static const char line[] = "/dev/ttyu1";
	const size_t size = sizeof(struct kinfo_proc);
#else
	static const char line[] = "/dev/tty.serial1";
	const size_t size = sizeof(struct kinfo_proc);
#endif
	int e;

	if (*len != size)
		abort();
	if ((e = host_error("sysctl")) != 0)
		return (refuse(e));
	*len = dev == (int)node(line) ? size : 0;
	memset(old, 0, *len);
	return (0);
}

/*
 * Processes of a terminal; of this one the saved ids, where the kernel's
 * record of it alone has them; the console.
 */
int
sysctl(
#ifdef __APPLE__
    int *mib,
#else
    const int *mib,
#endif
    u_int n, void *old, size_t *len,
#if defined(__NetBSD__) || defined(__FreeBSD__)
    const
#endif
    void *new, size_t newlen)
{
#if defined(__NetBSD__)
	struct kinfo_proc2 kp;
	const int which = KERN_PROC2;
#else
	struct kinfo_proc kp;
	const int which = KERN_PROC;
#endif

	if (mib[0] != CTL_KERN || new != NULL || newlen != 0)
		abort();
#ifdef KERN_CONSDEV
	if (n == 2 && mib[1] == KERN_CONSDEV && *len == sizeof(dev_t)) {
		dev_t console = node("/dev/tty00");

		memcpy(old, &console, sizeof(console));
		return (0);
	}
#endif
	if (n < 4 || mib[1] != which ||
	    (n == 6 && (mib[4] != (int)sizeof(kp) || mib[5] != 1)))
		abort();
	if (mib[2] == KERN_PROC_TTY)
		return (processes(mib[3], old, len));
	if (mib[2] != KERN_PROC_PID || mib[3] != 4711 || *len != sizeof(kp))
		abort();
	memset(&kp, 0, sizeof(kp));
#if defined(__NetBSD__)
	kp.p_svuid = uids.saved;
	kp.p_svgid = gids.saved;
#elif defined(__APPLE__)
	kp.kp_eproc.e_pcred.p_svuid = uids.saved;
	kp.kp_eproc.e_pcred.p_svgid = gids.saved;
#else
	abort();
#endif
	memcpy(old, &kp, sizeof(kp));
	return (0);
}

/* --- limits --- */

static const char *
limit(int which)
{
	switch (which) {
	case RLIMIT_CORE:
		return ("core");
	case RLIMIT_FSIZE:
		return ("fsize");
	case RLIMIT_NOFILE:
		return ("nofile");
	case RLIMIT_NPROC:
		return ("nproc");
	default:
		abort();
	}
}

int
getrlimit(int which, struct rlimit *rl)
{
	(void)limit(which);
	rl->rlim_cur = rl->rlim_max = RLIM_INFINITY;
	return (0);
}

int
setrlimit(int which, const struct rlimit *rl)
{
	int e;

	if ((e = enter("setrlimit", "%s %llu %llu", limit(which),
	    (unsigned long long)rl->rlim_cur,
	    (unsigned long long)rl->rlim_max)) != 0)
		return (refuse(e));
	return (0);
}

void
setproctitle(const char *fmt, ...)
{
	(void)fmt;
	if (sandboxed)
		abort();
}

/* --- sandboxes --- */

#if defined(__OpenBSD__)
static int	 veiled;

int
unveil(const char *path, const char *permissions)
{
	int e;

	if ((e = enter("unveil", "%s %s", path != NULL ? path : "NULL",
	    permissions != NULL ? permissions : "NULL")) != 0)
		return (refuse(e));
	if (veiled)
		return (refuse(EPERM));
	veiled = path == NULL && permissions == NULL;
	return (0);
}

int
pledge(const char *promises, const char *exec)
{
	int e;

	if (exec != NULL)
		abort();
	if ((e = enter("pledge", "%s", promises)) != 0)
		return (refuse(e));
	sandboxed = 1;
	return (0);
}
#elif defined(__FreeBSD__)
static uint64_t	 rights[16];
static size_t	 nrights;

cap_rights_t *
__cap_rights_init(int version, cap_rights_t *r, ...)
{
	va_list ap;

	if (version != CAP_RIGHTS_VERSION)
		abort();
	va_start(ap, r);
	for (nrights = 0; nrights < 16; nrights++)
		if ((rights[nrights] = va_arg(ap, unsigned long long)) == 0)
			break;
	va_end(ap);
	memset(r, 0, sizeof(*r));
	return (r);
}

int
cap_rights_limit(int fd, const cap_rights_t *r)
{
	static const struct {
		uint64_t	 right;
		const char	*name;
	} names[] = {
		{ CAP_READ, "read" }, { CAP_WRITE, "write" },
		{ CAP_EVENT, "event" }, { CAP_FSTAT, "fstat" },
		{ CAP_GETSOCKOPT, "getsockopt" }
	};
	char line[128] = "";
	size_t i, k, len = 0;
	int e;

	(void)r;
	for (i = 0; i < nrights; i++) {
		for (k = 0; k < 5 && names[k].right != rights[i]; k++)
			;
		if (k == 5)
			abort();
		len += (size_t)snprintf(line + len, sizeof(line) - len,
		    " %s", names[k].name);
	}
	if ((e = enter("cap_rights_limit", "%d%s", fd, line)) != 0)
		return (refuse(e));
	return (0);
}

int
cap_enter(void)
{
	int e;

	if ((e = enter("cap_enter", "%s", "")) != 0)
		return (refuse(e));
	sandboxed = 1;
	return (0);
}

int
procctl(idtype_t type, id_t id, int command, void *data)
{
	int e;

	if (type != P_PID || id != 4711)
		abort();
	if ((e = enter("procctl", "%s", command == PROC_TRACE_CTL &&
	    *(int *)data == PROC_TRACE_CTL_DISABLE ? "no trace" :
	    command == PROC_NO_NEW_PRIVS_CTL &&
	    *(int *)data == PROC_NO_NEW_PRIVS_ENABLE ? "no new privs" :
	    "?")) != 0)
		return (refuse(e));
	return (0);
}
#elif defined(__APPLE__)
int	 ptrace(int, pid_t, void *, int);
int	 sandbox_init(const char *, uint64_t, char **);
void	 sandbox_free_error(char *);

int
ptrace(int request, pid_t pid, void *addr, int data)
{
	int e;

	if (pid != 0 || addr != NULL || data != 0)
		abort();
	return ((e = enter("ptrace", "%d", request)) != 0 ? refuse(e) : 0);
}

int
sandbox_init(const char *profile, uint64_t flags, char **error)
{
	static char why[] = "no such profile";
	char line[1000];
	size_t i;
	int e;

	if (flags != 0)
		abort();
	(void)snprintf(line, sizeof(line), "%s", profile);
	for (i = 0; line[i] != '\0'; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	if ((e = enter("sandbox_init", "%s", line)) != 0) {
		*error = why;
		return (refuse(e));
	}
	sandboxed = 1;
	return (0);
}

void
sandbox_free_error(char *error)
{
	(void)error;
}
#endif

/* --- the machine --- */

#ifdef __NetBSD__
int
settimeofday(const struct timeval *restrict tv, const void *restrict tz)
#else
int
settimeofday(const struct timeval *tv, const struct timezone *tz)
#endif
{
	int e;

	if (tz != NULL)
		abort();
	if ((e = enter("settimeofday", "%lld.%06ld", (long long)tv->tv_sec,
	    (long)tv->tv_usec)) != 0)
		return (refuse(e));
	return (0);
}

#if defined(__FreeBSD__)
int
sysctlbyname(const char *name, void *old, size_t *len, const void *new,
    size_t newlen)
{
	static const char states[] = "S3 S4 S5";
	static const char consoles[] = "ttyv0,ttyu0,/ttyv0,ttyu0,ttyu2,";
	int e;

	if (strcmp(name, "kern.console") == 0) {
		*len = sizeof(consoles);
		memcpy(old, consoles, sizeof(consoles));
		return (0);
	}
	if (new != NULL || newlen != 0 || *len < sizeof(states))
		abort();
	if ((e = enter("sysctl", "%s", name)) != 0)
		return (refuse(e));
	*len = host_shape() == SHAPE_EMPTY ? 1 : sizeof(states);
	memcpy(old, host_shape() == SHAPE_EMPTY ? "" : states, *len);
	return (0);
}
#endif

#if defined(__OpenBSD__) || defined(__FreeBSD__)
int
open(const char *path, int flags, ...)
{
	int e;

	if (!(flags & O_CLOEXEC) || (flags & O_ACCMODE) == O_RDONLY)
		abort();
	return ((e = enter("open", "%s", path)) != 0 ? refuse(e) : FD);
}

int
ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	int e, state = 0;

	if (fd != FD)
		abort();
	/* What goes with it, if anything does. */
	if (IOCPARM_LEN(request) == sizeof(state)) {
		va_start(ap, request);
		state = *va_arg(ap, int *);
		va_end(ap);
	}
	if ((e = enter("ioctl", "%c %lu %d", (int)IOCGROUP(request),
	    request & 0xff, state)) != 0)
		return (refuse(e));
	return (0);
}

int
close(int fd)
{
	if (fd != FD)
		abort();
	return (enter("close", "%d", fd) != 0 ? refuse(EIO) : 0);
}
#endif
