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
 * Linux: capabilities, no_new_privs, landlock and a seccomp filter by role.
 *
 * The filter lists what a role calls, and what libc (glibc and musl),
 * libevent and libsodium call for it.  Everything else ends the process,
 * except numbers newer than NEWEST_CALL: those get ENOSYS, as from an older
 * kernel, so that a newer libc falls back.  What a role does once (an event
 * base, a time zone, a first random number) it does before confine().
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "control.h"
#include "log.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH	AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCH	AUDIT_ARCH_I386
#elif defined(__aarch64__) && !defined(__ILP32__)
#define ARCH	(__BYTE_ORDER == __LITTLE_ENDIAN ? AUDIT_ARCH_AARCH64 : 0)
#elif defined(__arm__)
#define ARCH	(__BYTE_ORDER == __LITTLE_ENDIAN ? AUDIT_ARCH_ARM : \
		    AUDIT_ARCH_ARMEB)
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH	AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__)
#define ARCH	(__BYTE_ORDER == __LITTLE_ENDIAN ? AUDIT_ARCH_PPC64LE : \
		    AUDIT_ARCH_PPC64)
#else
#error "no system call list for this architecture: use sandbox-rlimit.c"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED	1
#endif
#endif

/* Of Linux 5.17; a libc must live without anything newer. */
#define NEWEST_CALL	450
#define X32_CALL	0x40000000U	/* bit of the other ABI of x86_64 */
#define FILTER_MAX	512		/* instructions */

/* --- who may call what --- */

#define F	(1U << ROLE_FRONTEND)
#define Q	(1U << ROLE_QUERY)
#define X	(1U << ROLE_EXEC_SPARE | 1U << ROLE_EXEC)
#define W	(1U << ROLE_FILE)
#define L	(1U << ROLE_LOG)
#define Z	(1U << ROLE_FREEZE | 1U << ROLE_KEEPER)
#define ALL	(F | Q | X | W | L | Z)

enum check_kind {
	CHECK_NONE,
	CHECK_CLEAR,		/* none of these bits */
	CHECK_ONE_OF,
	CHECK_SELF		/* our own pid, which is our thread's id too */
};

/* Of the low 32 bits of an argument: the kernel looks at no more of these. */
struct check {
	enum check_kind	 kind;
	unsigned int	 arg;
	uint32_t	 bits;
	const uint32_t	*values;	/* ended by VALUES_END */
};

struct rule {
	uint32_t	 nr;
	uint32_t	 roles;
	struct check	 check[2];
};

#define VALUES_END	UINT32_MAX

#define NO_CHECK	{ CHECK_NONE, 0, 0, NULL }
#define CALL(name, roles)						\
	{ __NR_##name, roles, { NO_CHECK, NO_CHECK } }
#define CALL_IF(name, roles, kind, arg, bits, values)			\
	{ __NR_##name, roles, { { kind, arg, bits, values }, NO_CHECK } }

/* Not F_SETOWN and its like, which send signals. */
static const uint32_t fcntl_commands[] = {
	F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC,
	VALUES_END
};

/* What stdio asks of a terminal, what libevent asks of a socket. */
#define TCGETS2_ANY	0x802c542aU	/* its header clashes with libc's */
static const uint32_t ioctl_commands[] = {
	FIONREAD, TCGETS, TCGETS2_ANY, TIOCGWINSZ, VALUES_END
};

/* In place of these: a freezer needs no terminal. */
static const uint32_t freeze_commands[] = { FIFREEZE, FITHAW, VALUES_END };

static const uint32_t netlink_domain[] = { AF_NETLINK, VALUES_END };
static const uint32_t netlink_route[] = { NETLINK_ROUTE, VALUES_END };

static const struct rule rules[] = {
	/* descriptors that are open */
	CALL(read, ALL),
	CALL(write, ALL),
	CALL(readv, ALL),
	CALL(writev, ALL),
	CALL(recvmsg, ALL),
	CALL(sendmsg, ALL),
	CALL(recvfrom, ALL),
	CALL(sendto, ALL),
	CALL(shutdown, F | X),
	CALL(getsockopt, F),
	CALL(close, ALL),
	CALL(lseek, ALL),
	CALL(fsync, W),
	CALL_IF(fcntl, ALL, CHECK_ONE_OF, 1, 0, fcntl_commands),
	CALL_IF(ioctl, ALL & ~Z, CHECK_ONE_OF, 1, 0, ioctl_commands),
	CALL_IF(ioctl, Z, CHECK_ONE_OF, 1, 0, freeze_commands),
	CALL(syncfs, Z),
#ifdef __NR_fstat
	CALL(fstat, ALL),
#endif
#ifdef __NR_newfstatat
	CALL(newfstatat, ALL),		/* glibc's fstat */
#endif
	CALL(statx, ALL),		/* the same on some */

	/* waiting */
	CALL(ppoll, ALL),
	CALL(epoll_ctl, F),
	CALL(epoll_pwait, F),
#ifdef __NR_epoll_pwait2
	CALL(epoll_pwait2, F),
#endif
	CALL(wait4, X),
	CALL(waitid, X),
	CALL(clock_gettime, ALL),
	CALL(gettimeofday, ALL),
	CALL(restart_syscall, ALL),	/* poll after a stop and continue */

	/* memory: never executable */
#ifndef __NR_mmap2
	CALL_IF(mmap, ALL, CHECK_CLEAR, 2, PROT_EXEC, NULL),
#endif
	CALL_IF(mprotect, ALL, CHECK_CLEAR, 2, PROT_EXEC, NULL),
	CALL(munmap, ALL),
	CALL(mremap, ALL),
	CALL(brk, ALL),
	CALL(madvise, ALL),
	CALL(mlock, F),			/* secrets: sodium_malloc */
	CALL(munlock, F),

	/* libc's own; abort() */
	CALL(futex, ALL),
	CALL(getrandom, ALL),
	CALL(rt_sigaction, ALL),
	CALL(rt_sigprocmask, ALL),
	CALL(rt_sigreturn, ALL),
	CALL(sched_yield, ALL),
	CALL(getpid, ALL),
	CALL(gettid, ALL),
	CALL_IF(tgkill, ALL, CHECK_SELF, 0, 0, NULL),
	CALL_IF(tkill, ALL, CHECK_SELF, 0, 0, NULL),
	CALL(exit, ALL),
	CALL(exit_group, ALL),

	/* looking at the system; landlock says at which files */
	CALL_IF(openat, Q, CHECK_CLEAR, 2, O_ACCMODE | O_CREAT | O_TRUNC,
	    NULL),
	CALL(pread64, Q),
	CALL(readlinkat, Q),
	CALL(getdents64, Q),
	CALL(faccessat, Q),
#ifdef __NR_faccessat2
	CALL(faccessat2, Q),
#endif
	CALL(statfs, Q),
	CALL(fstatfs, Q),
	CALL(uname, Q),
	CALL(sysinfo, Q),
	CALL(sched_getaffinity, Q),	/* sysconf: how many processors */
	{ __NR_socket, Q, {
	    { CHECK_ONE_OF, 0, 0, netlink_domain },
	    { CHECK_ONE_OF, 2, 0, netlink_route } } },
	CALL(bind, Q),
	CALL(getsockname, Q),

	/* the older calls, of machines that have them all */
#ifdef __NR_epoll_wait
	CALL(poll, ALL),
	CALL(epoll_wait, F),
	CALL_IF(open, Q, CHECK_CLEAR, 1, O_ACCMODE | O_CREAT | O_TRUNC, NULL),
	CALL(stat, Q),
	CALL(lstat, Q),
	CALL(access, Q),
	CALL(readlink, Q),
#endif

	/* 32 bits */
#ifdef __NR_mmap2
	CALL_IF(mmap2, ALL, CHECK_CLEAR, 2, PROT_EXEC, NULL),
	CALL_IF(fcntl64, ALL, CHECK_ONE_OF, 1, 0, fcntl_commands),
	CALL(fstat64, ALL),
	CALL(fstatat64, ALL),
	CALL(_llseek, ALL),
	CALL(sigreturn, ALL),
	CALL(stat64, Q),
	CALL(lstat64, Q),
	CALL(statfs64, Q),
	CALL(fstatfs64, Q),
#ifdef __NR_clock_gettime64
	CALL(clock_gettime64, ALL),
	CALL(ppoll_time64, ALL),
	CALL(futex_time64, ALL),
#endif
#endif

	/* A test build alone: what the sanitizer's report calls. */
#ifdef SANITIZED
	CALL(openat, F | X | W | L),
	CALL(readlinkat, F | X | W | L),
	CALL(prlimit64, ALL),
	CALL(prctl, ALL),
	CALL(sigaltstack, ALL),
	CALL(getuid, ALL),
	CALL(geteuid, ALL),
	CALL(getppid, ALL),
	CALL(sched_getaffinity, F | X | W | L),
	CALL(uname, F | X | W | L),
#ifdef __NR_epoll_wait
	CALL(open, F | X | W | L),
	CALL(readlink, F | X | W | L),
	CALL(stat, F | X | W | L),
#endif
#endif
};

/* --- landlock: newer than many a system's headers, so our own words --- */

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset	444
#define __NR_landlock_add_rule		445
#define __NR_landlock_restrict_self	446
#endif

#define LL_VERSION	1U		/* flag: ask for the ABI */
#define LL_PATH_BENEATH	1U
#define LL_READ_FILE	(UINT64_C(1) << 2)
#define LL_READ_DIR	(UINT64_C(1) << 3)
#define LL_TCP		UINT64_C(3)	/* bind, connect */
#define LL_SCOPES	UINT64_C(3)	/* abstract sockets, signals */

struct ll_ruleset {
	uint64_t	 fs;
	uint64_t	 net;
	uint64_t	 scoped;
};

struct ll_path {
	uint64_t	 allowed;
	int32_t		 fd;
} __attribute__((packed));

/* One that is not there is left out. */
static const char *const query_paths[] = {
	"/proc",
	"/sys",
	"/etc/os-release",
	"/usr/lib/os-release",
	"/run/udev/data",
	"/run/utmp",
	"/var/run/utmp",
	"/etc/localtime",
	"/etc/timezone",
	"/usr/share/zoneinfo"
};

static int	 landlock_abi;		/* in force with this; 0: not */
static int	 seccomp_on;

static int	 bounding_drop(void);
static int	 caps_set(uint64_t);
static int	 landlock_enter(enum role);
static int	 landlock_path(int, const char *);
static uint64_t	 landlock_fs(int);
static int	 seccomp_enter(enum role);
static void	 emit(uint16_t, uint8_t, uint8_t, uint32_t);
static void	 emit_rule(const struct rule *);
static void	 emit_check(const struct check *);

const char *
sandbox_name(void)
{
	static char name[48];

	snprintf(name, sizeof(name), "%s, ", seccomp_on ? "seccomp" :
	    "no seccomp");
	if (landlock_abi > 0)
		snprintf(name + strlen(name), sizeof(name) - strlen(name),
		    "landlock %d", landlock_abi);
	else
		snprintf(name + strlen(name), sizeof(name) - strlen(name),
		    "no landlock");
	return (name);
}

uint32_t
sandbox_without(enum role role)
{
	(void)role;
	return (0);
}

int
sandbox_prepare(const struct confinement *row, const char **what)
{
	if (!(row->steps & STEP_CAPS) || !DEFENCE(CONTROL_CAPS))
		return (0);
	*what = "capability bounding set";
	if (bounding_drop() == -1)
		return (-1);
	*what = "PR_SET_KEEPCAPS";
	return (prctl(PR_SET_KEEPCAPS, row->keepcaps != 0 ? 1L : 0L, 0L, 0L,
	    0L));
}

int
sandbox_privs(const struct confinement *row, const char **what)
{
	if (!(row->steps & STEP_CAPS) || !DEFENCE(CONTROL_CAPS))
		return (0);
	*what = "ambient capabilities";
	/* EINVAL: a kernel that has no ambient set */
	if (prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L,
	    0L) == -1 && errno != EINVAL)
		return (-1);
	*what = "capabilities";
	if (caps_set(row->keepcaps) == -1)
		return (-1);
	*what = "PR_SET_KEEPCAPS";
	return (prctl(PR_SET_KEEPCAPS, 0L, 0L, 0L, 0L));
}

int
sandbox_enter(const struct confinement *row, const char **what)
{
	*what = "PR_SET_DUMPABLE";
	if (row->steps & STEP_UNDUMP && DEFENCE(CONTROL_UNDUMP) &&
	    prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) == -1)
		return (-1);
	*what = "PR_SET_NO_NEW_PRIVS";
	if (row->steps & STEP_NONEWPRIVS && DEFENCE(CONTROL_NONEWPRIVS) &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == -1)
		return (-1);
	*what = "landlock";
	if (row->steps & STEP_LANDLOCK && DEFENCE(CONTROL_LANDLOCK) &&
	    landlock_enter(row->role) == -1)
		return (-1);
	/* What is kept is harmless only behind landlock's list of paths. */
	*what = "capabilities";
	if (row->keepcaps != 0 && landlock_abi == 0 &&
	    !(row->steps & KEEP_CAPS) &&
	    DEFENCE(CONTROL_CAPS) && caps_set(0) == -1)
		return (-1);
	*what = "seccomp";
	if (row->steps & STEP_SYSCALLS && DEFENCE(CONTROL_SYSCALLS) &&
	    seccomp_enter(row->role) == -1)
		return (-1);
	return (0);
}

/* Every one there is, those that this file was built before included. */
static int
bounding_drop(void)
{
	long cap;

	for (cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0L, 0L, 0L) == -1) {
			if (errno == EINVAL && cap > 0)
				return (0);
			return (-1);
		}
	return (0);
}

/* Permitted and effective, of those that we have; inheritable is emptied. */
static int
caps_set(uint64_t keep)
{
	struct __user_cap_header_struct hdr;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	int i;

	memset(&hdr, 0, sizeof(hdr));
	memset(data, 0, sizeof(data));
	hdr.version = _LINUX_CAPABILITY_VERSION_3;
	if (syscall(SYS_capget, &hdr, data) == -1)
		return (-1);
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(keep >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return (syscall(SYS_capset, &hdr, data) == -1 ? -1 : 0);
}

/* Rights on files that this ABI knows; another bit would be EINVAL. */
static uint64_t
landlock_fs(int abi)
{
	int bits;

	if (abi >= 5)
		bits = 16;		/* device ioctl */
	else if (abi >= 3)
		bits = 15;		/* truncate */
	else if (abi == 2)
		bits = 14;		/* refer */
	else
		bits = 13;
	return ((UINT64_C(1) << bits) - 1);
}

static int
landlock_enter(enum role role)
{
	struct ll_ruleset set;
	size_t i;
	long abi, fd;
	int error;

	if ((abi = syscall(__NR_landlock_create_ruleset, NULL, (size_t)0,
	    LL_VERSION)) == -1) {
		if (errno != ENOSYS && errno != EOPNOTSUPP)
			return (-1);
		log_info("this kernel has no landlock: one fence less");
		return (0);
	}
	memset(&set, 0, sizeof(set));
	set.fs = landlock_fs((int)abi);
	if (abi >= 4)
		set.net = LL_TCP;
	if (abi >= 6)
		set.scoped = LL_SCOPES;
	if ((fd = syscall(__NR_landlock_create_ruleset, &set, sizeof(set),
	    0U)) == -1)
		return (-1);
	if (role == ROLE_QUERY)
		for (i = 0; i < sizeof(query_paths) / sizeof(query_paths[0]);
		    i++)
			if (landlock_path((int)fd, query_paths[i]) == -1)
				goto fail;
	if (syscall(__NR_landlock_restrict_self, (int)fd, 0U) == -1)
		goto fail;
	close((int)fd);
	landlock_abi = (int)abi;
	return (0);
fail:
	error = errno;
	close((int)fd);
	errno = error;
	return (-1);
}

static int
landlock_path(int ruleset, const char *path)
{
	struct ll_path rule;
	struct stat st;
	int error, rv = -1;

	memset(&rule, 0, sizeof(rule));
	if ((rule.fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return (errno == ENOENT || errno == ENOTDIR ? 0 : -1);
	if (fstat(rule.fd, &st) == 0) {
		rule.allowed = LL_READ_FILE;
		if (S_ISDIR(st.st_mode))
			rule.allowed |= LL_READ_DIR;
		rv = (int)syscall(__NR_landlock_add_rule, ruleset,
		    LL_PATH_BENEATH, &rule, 0U);
	}
	error = errno;
	close(rule.fd);
	errno = error;
	return (rv);
}

/* --- seccomp --- */

static struct sock_filter	 filter[FILTER_MAX];
static size_t			 filter_len;	/* may pass FILTER_MAX */

/* jt and jf count the instructions to leap over. */
static void
emit(uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	struct sock_filter *insn;

	if (filter_len < FILTER_MAX) {
		insn = &filter[filter_len];
		insn->code = code;
		insn->jt = jt;
		insn->jf = jf;
		insn->k = k;
	}
	filter_len++;
}

#define LOAD	(BPF_LD | BPF_W | BPF_ABS)
#define IF_EQ	(BPF_JMP | BPF_JEQ | BPF_K)
#define IF_GT	(BPF_JMP | BPF_JGT | BPF_K)
#define IF_SET	(BPF_JMP | BPF_JSET | BPF_K)
#define RETURN	(BPF_RET | BPF_K)

/* Ends the process unless the argument is as it should be. */
static void
emit_check(const struct check *c)
{
	uint32_t offset;
	unsigned int n;

	offset = (uint32_t)(offsetof(struct seccomp_data, args) +
	    c->arg * sizeof(uint64_t));
	if (__BYTE_ORDER == __BIG_ENDIAN)
		offset += (uint32_t)sizeof(uint32_t);
	emit(LOAD, 0, 0, offset);
	switch (c->kind) {
	case CHECK_NONE:
		break;
	case CHECK_CLEAR:
		emit(IF_SET, 0, 1, c->bits);
		emit(RETURN, 0, 0, SECCOMP_RET_KILL_PROCESS);
		break;
	case CHECK_ONE_OF:
		for (n = 0; c->values[n] != VALUES_END; n++)
			;
		for (; n > 0; n--)
			emit(IF_EQ, (uint8_t)n, 0, c->values[n - 1]);
		emit(RETURN, 0, 0, SECCOMP_RET_KILL_PROCESS);
		break;
	case CHECK_SELF:
		emit(IF_EQ, 1, 0, (uint32_t)getpid());
		emit(RETURN, 0, 0, SECCOMP_RET_KILL_PROCESS);
		break;
	}
}

/* The number is loaded, and still is when the rule was not meant. */
static void
emit_rule(const struct rule *r)
{
	size_t i, from = filter_len;

	emit(IF_EQ, 0, 0, r->nr);
	for (i = 0; i < sizeof(r->check) / sizeof(r->check[0]); i++)
		if (r->check[i].kind != CHECK_NONE)
			emit_check(&r->check[i]);
	emit(RETURN, 0, 0, SECCOMP_RET_ALLOW);
	if (from < FILTER_MAX)
		filter[from].jf = (uint8_t)(filter_len - from - 1);
}

static int
seccomp_enter(enum role role)
{
	struct sock_fprog prog;
	size_t i;

	filter_len = 0;
	emit(LOAD, 0, 0, (uint32_t)offsetof(struct seccomp_data, arch));
	emit(IF_EQ, 1, 0, ARCH);
	emit(RETURN, 0, 0, SECCOMP_RET_KILL_PROCESS);
	emit(LOAD, 0, 0, (uint32_t)offsetof(struct seccomp_data, nr));
	emit(IF_GT, 0, 1, X32_CALL - 1);
	emit(RETURN, 0, 0, SECCOMP_RET_KILL_PROCESS);
	emit(IF_GT, 0, 1, NEWEST_CALL);
	emit(RETURN, 0, 0, SECCOMP_RET_ERRNO | ENOSYS);
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].roles & (1U << role))
			emit_rule(&rules[i]);
	emit(RETURN, 0, 0, SECCOMP_RET_KILL_PROCESS);
	if (filter_len > FILTER_MAX) {
		errno = E2BIG;
		return (-1);
	}
	prog.len = (unsigned short)filter_len;
	prog.filter = filter;
	if (prctl(PR_SET_SECCOMP, (long)SECCOMP_MODE_FILTER, &prog, 0L, 0L) ==
	    -1)
		return (-1);
	seccomp_on = 1;
	return (0);
}

#ifdef SANITIZED
/* Looking for leaks needs ptrace, which a confined process has given up. */
int	__lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return (seccomp_on || landlock_abi > 0);
}
#endif
