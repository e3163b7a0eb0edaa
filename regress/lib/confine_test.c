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
 * Each confined role, seen from outside and tried from inside.  The sources
 * are included with CONTROL_OFF a variable: what is refused with all
 * defences on is tried again with those off that are meant to refuse it,
 * and must then succeed, or the test has shown nothing.  Linux, root.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

static unsigned int control_off;
#undef CONTROL_OFF
#define CONTROL_OFF	control_off

/* Nothing needs to be installed. */
static char	 empty[1024];
#undef PATH_CHROOT
#define PATH_CHROOT	empty

#define CONFCHECK_TEST
#include "../common/kyuasig.h"
#include "../../lib/log.c"
#include "../../lib/confine.c"
#include "../../lib/sandbox-linux.c"
#include "../../lib/confcheck-linux.c"
#include "../common/confcheck.c"

#define SYSC	CONTROL_SYSCALLS
#define LAND	CONTROL_LANDLOCK
#define CHRT	CONTROL_CHROOT
#define RLIM	CONTROL_RLIMITS
#define ROOT	(CONTROL_IDS | CONTROL_GROUPS | CONTROL_CAPS | SYSC | LAND)

#define KILLED	(-SIGSYS)
#ifdef SANITIZED		/* their runtime may try to open */
#define OPEN_KILLED	ENOENT
#else
#define OPEN_KILLED	KILLED
#endif
#define FREE	0

static struct ids	 ids = { 61001, 61002, 1, 0 };
static const enum role	 confined[] = {
	ROLE_FRONTEND, ROLE_QUERY, ROLE_EXEC, ROLE_FILE, ROLE_LOG
};
#define NCONFINED	(sizeof(confined) / sizeof(confined[0]))

/* --- attempts: 0, or the errno of the refusal --- */

static int	 data_fd = -1;		/* a regular file, open before */
static pid_t	 victim;		/* a process of the account's own uid */

static int
try_open(void)
{
	return (open("/etc/passwd", O_RDONLY) == -1 ? errno : 0);
}

static int
try_shadow(void)
{
	return (open("/etc/shadow", O_RDONLY) == -1 ? errno : 0);
}

static int
try_proc(void)
{
	char c;
	int fd;

	if ((fd = open("/proc/self/mountinfo", O_RDONLY)) == -1)
		return (errno);
	return (read(fd, &c, 1) == 1 ? 0 : EIO);
}

static int
try_write_open(void)
{
	return (open("/proc/self/comm", O_WRONLY) == -1 ? errno : 0);
}

static int
try_write_file(void)
{
	return (write(data_fd, "x", 1) == -1 ? errno : 0);
}

static int
try_exec(void)
{
	char name[] = "true", *argv[] = { name, NULL }, *envp[] = { NULL };

	execve("/bin/true", argv, envp);
	return (errno);
}

static int
try_fork(void)
{
	pid_t pid;

	if ((pid = fork()) == -1)
		return (errno);
	if (pid == 0)
		_exit(0);
	return (0);
}

static int
try_inet(void)
{
	return (socket(AF_INET, SOCK_STREAM, 0) == -1 ? errno : 0);
}

static int
try_bind(void)
{
	struct sockaddr_in sin;
	int fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		return (errno);
	return (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ? errno :
	    0);
}

static int
try_netlink(void)
{
	return (socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) ==
	    -1 ? errno : 0);
}

static int
try_netlink_other(void)
{
	return (socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT) == -1 ?
	    errno : 0);
}

static int
try_kill(void)
{
	return (kill(victim, 0) == -1 ? errno : 0);
}

static int
try_kill_monitor(void)
{
	return (kill((pid_t)syscall(SYS_getppid), 0) == -1 ? errno : 0);
}

static int
try_ptrace(void)
{
	return (ptrace(PTRACE_SEIZE, victim, NULL, NULL) == -1 ? errno : 0);
}

/* Past the check for privilege there is no such file system. */
static int
try_mount(void)
{
	if (mount("none", "/", "nosuchfs", 0, NULL) == 0)
		return (EDOM);
	return (errno == ENODEV ? 0 : errno);
}

static int
try_setuid(void)
{
	return (setuid(0) == -1 ? errno : 0);
}

static int
try_mmap_exec(void)
{
	return (mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0);
}

static int
try_setown(void)
{
	return (fcntl(0, F_SETOWN, getpid()) == -1 ? errno : 0);
}

static int
try_ioctl(void)
{
	return (ioctl(3, FIOASYNC, &victim) == -1 ? errno : 0);
}

static int
try_other_abi(void)
{
	return (syscall(0x40000000L | SYS_getpid) == -1 ? errno : 0);
}

static int
try_new_call(void)
{
	return (syscall(4000L) == -1 ? errno : 0);
}

static int
try_abort(void)
{
	abort();
}

/* What every role's libraries do after confine(). */
static int
try_work(void)
{
	struct timespec ts;
	struct sigaction sa;
	struct pollfd pfd;
	unsigned char r[16];
	struct stat st;
	void *p, *q;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return (errno);
	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) == -1)
		return (errno);
	memset(&ts, 0, sizeof(ts));
	if ((p = malloc(1024 * 1024)) == NULL ||
	    (q = realloc(p, 32 * 1024 * 1024)) == NULL)
		return (ENOMEM);
	free(q);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	if (sigaction(SIGUSR1, &sa, NULL) == -1 || raise(SIGUSR1) != 0)
		return (errno);
	memset(&pfd, 0, sizeof(pfd));
	pfd.fd = 3;
	if (poll(&pfd, 1, 0) == -1 || ppoll(&pfd, 1, &ts, NULL) == -1)
		return (errno);
	if (fcntl(3, F_SETFL, O_NONBLOCK) == -1 || fstat(3, &st) == -1)
		return (errno);
	if (syscall(SYS_getrandom, r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return (errno);
	if (send(3, "x", 1, MSG_NOSIGNAL) != 1)
		return (errno);
	if (recv(3, r, sizeof(r), MSG_DONTWAIT) == -1 && errno != EAGAIN)
		return (errno);
	printf("%f\n", 1.5);
	fflush(stdout);
	close(3);
	return (0);
}

/* --- running them --- */

static void
descriptors(void)
{
	int null, pair[2], fd;

	if ((null = open("/dev/null", O_RDWR)) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		_exit(99);
	if ((pair[0] = fcntl(pair[0], F_DUPFD, 10)) == -1 ||
	    (pair[1] = fcntl(pair[1], F_DUPFD, 10)) == -1)
		_exit(99);
	for (fd = 0; fd < 2; fd++)
		if (dup2(null, fd) == -1)
			_exit(99);
	if (dup2(pair[0], 3) == -1)
		_exit(99);
}

/* The errno, 0 for success, or minus the signal that ended it. */
static int
attempt(enum role role, unsigned int off, int (*try)(void))
{
	static const gid_t groups[] = { 0, 6 };
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == -1)
		atf_tc_fail("fork");
	if (pid == 0) {
		log_init("test", LEVEL_ERROR);
		control_off = off;
		descriptors();
		if (setgroups(2, groups) == -1)
			_exit(99);
		confine(role, &ids);
		_exit(try());
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	return (WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
}

static void
expect(int outcome, enum role role, unsigned int off, int (*try)(void),
    const char *name)
{
	int seen;

	seen = attempt(role, off, try);
	ATF_CHECK_MSG(seen == outcome, "%s as %s, off %#x: expected %d, seen "
	    "%d", name, confinements[role].name, off, outcome, seen);
}
#define EXPECT(outcome, role, off, try)					\
	expect(outcome, role, off, try, #try)

/* Every confined role but those in the mask. */
static void
expect_all(int outcome, unsigned int except, unsigned int off,
    int (*try)(void), const char *name)
{
	size_t i;

	for (i = 0; i < NCONFINED; i++)
		if (!(except & (1U << confined[i])))
			expect(outcome, confined[i], off, try, name);
}
#define EXPECT_ALL(outcome, except, off, try)				\
	expect_all(outcome, except, off, try, #try)

/*
 * As a child of a --test without root begins: another uid already, and
 * dumpable, as after an exec (a change of uid alone takes that away).
 */
static void
become(const struct ids *id)
{
	if (setgroups(0, NULL) == -1 ||
	    setresgid(id->gid, id->gid, id->gid) == -1 ||
	    setresuid(id->uid, id->uid, id->uid) == -1 ||
	    prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L) == -1)
		_exit(99);
}

static void
start_victim(int undump)
{
	struct ids keep = { 61001, 61002, 0, 0 };
	int ready[2];
	char c;

	ATF_REQUIRE(pipe(ready) == 0);
	ATF_REQUIRE((victim = fork()) != -1);
	if (victim == 0) {
		control_off = undump ? 0 : CONTROL_UNDUMP;
		descriptors();
		become(&keep);
		confine(ROLE_EXEC, &keep);
		if (write(ready[1], "", 1) != 1)
			_exit(99);
		for (;;)
			if (poll(NULL, 0, 1000) == -1)
				_exit(0);
	}
	close(ready[1]);
	ATF_REQUIRE_EQ(1, read(ready[0], &c, 1));
	close(ready[0]);
	confcheck(victim, ROLE_EXEC, &keep);
	ATF_CHECK_EQ(!undump, confcheck_bad("dumpable"));
}

static void
end_victim(void)
{
	ATF_REQUIRE(kill(victim, SIGKILL) == 0);
	ATF_REQUIRE_EQ(victim, waitpid(victim, NULL, 0));
	victim = 0;
}

/* --- the cases --- */

static void
make_empty(void)
{
	ATF_REQUIRE(getcwd(empty, sizeof(empty) - 8) != NULL);
	strlcat(empty, "/empty", sizeof(empty));
	ATF_REQUIRE(mkdir(empty, 0755) == 0 || errno == EEXIST);
}

#define ROOT_TC(name)							\
static void	 root_##name(void);					\
ATF_TC(name);								\
ATF_TC_HEAD(name, tc)							\
{									\
	atf_tc_set_md_var(tc, "require.user", "root");			\
	atf_tc_set_md_var(tc, "timeout", "60");				\
}									\
ATF_TC_BODY(name, tc)							\
{									\
	make_empty();							\
	root_##name();							\
}									\
static void								\
root_##name(void)

/* The system's view of a process that was confined with these off. */
static void
outside(enum role role, unsigned int off)
{
	static const gid_t groups[] = { 0, 6 };
	int pair[2], null;
	pid_t pid;
	char c;

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	fflush(stdout);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		control_off = off;
		if ((pair[1] = fcntl(pair[1], F_DUPFD, 10)) == -1 ||
		    (null = open("/dev/null", O_RDWR)) == -1 ||
		    dup2(null, 0) == -1 || dup2(null, 1) == -1 ||
		    dup2(null, 2) == -1 || dup2(pair[1], 3) == -1 ||
		    setgroups(2, groups) == -1)
			_exit(99);
		closefrom(4);
		if (DEFENCE(CONTROL_SETSID) && setsid() == -1)
			_exit(99);
		confine(role, &ids);
		if (write(3, "", 1) != 1 || read(3, &c, 1) == -1)
			_exit(99);
		_exit(0);
	}
	close(pair[1]);
	ATF_REQUIRE_EQ_MSG(1, read(pair[0], &c, 1),
	    "%s, off %#x: was not confined", confinements[role].name, off);
	printf("-- %s, off %#x\n", confinements[role].name, off);
	confcheck(pid, role, &ids);
	close(pair[0]);
	ATF_REQUIRE_EQ(pid, waitpid(pid, NULL, 0));
}

ROOT_TC(seen_from_outside)
{
	size_t i;

	for (i = 0; i < NCONFINED; i++) {
		outside(confined[i], 0);
		ATF_CHECK_EQ_MSG(0, nbad, "%s: %s is BAD",
		    confinements[confined[i]].name, nbad > 0 ? bad[0] : "");
	}
}

/* One defence off: its property, and as a rule no other, is seen BAD. */
ROOT_TC(seen_from_outside_control)
{
	static const struct {
		unsigned int	 off;
		const char	*property;
	} controls[] = {
		{ CONTROL_CHROOT, "root" },
		{ CONTROL_CHROOT, "cwd" },
		{ CONTROL_IDS, "uid" },
		{ CONTROL_IDS, "gid" },
		{ CONTROL_GROUPS, "groups" },
		{ CONTROL_RLIMITS, "core" },
		{ CONTROL_RLIMITS, "fsize" },
		{ CONTROL_RLIMITS, "nproc" },
		{ CONTROL_RLIMITS, "nofile" },
		{ CONTROL_CAPS, "CapBnd" },
		{ CONTROL_IDS | CONTROL_CAPS, "CapEff" },
		{ CONTROL_NONEWPRIVS | SYSC | LAND, "no_new_privs" },
		{ SYSC, "seccomp" },
		{ CONTROL_SETSID, "session" }
	};
	size_t i;

	for (i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		outside(ROLE_FRONTEND, controls[i].off);
		ATF_CHECK_MSG(confcheck_bad(controls[i].property),
		    "off %#x: %s is not seen", controls[i].off,
		    controls[i].property);
	}
}

/* Roles that start foreign programs give up nothing. */
ROOT_TC(unconfined_roles)
{
	static const enum role roles[] = {
		ROLE_MONITOR, ROLE_FILE_OPENING, ROLE_SYSTEM, ROLE_HOOK,
		ROLE_ACCOUNT
	};
	size_t i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		EXPECT(FREE, roles[i], 0, try_exec);
		EXPECT(FREE, roles[i], 0, try_fork);
		EXPECT(FREE, roles[i], 0, try_mount);
		EXPECT(FREE, roles[i], 0, try_mmap_exec);
	}
}

ROOT_TC(work_goes_on)
{
	EXPECT_ALL(0, 0, 0, try_work);
	EXPECT_ALL(-SIGABRT, 0, 0, try_abort);
	EXPECT_ALL(ENOSYS, 0, 0, try_new_call);
}

ROOT_TC(files)
{
	const unsigned int q = 1U << ROLE_QUERY;

	EXPECT_ALL(OPEN_KILLED, q, 0, try_open);
	EXPECT_ALL(ENOENT, q, SYSC | LAND, try_open);	/* chroot */
	EXPECT_ALL(EACCES, q, SYSC | CHRT, try_open);	/* landlock */
	EXPECT_ALL(FREE, q, SYSC | CHRT | LAND, try_open);

	EXPECT(EACCES, ROLE_QUERY, 0, try_open);
	EXPECT(FREE, ROLE_QUERY, LAND, try_open);
	EXPECT(FREE, ROLE_QUERY, 0, try_proc);
	EXPECT(KILLED, ROLE_QUERY, 0, try_write_open);
	EXPECT(EACCES, ROLE_QUERY, SYSC, try_write_open);
	EXPECT(FREE, ROLE_QUERY, SYSC | LAND | CONTROL_IDS,
	    try_write_open);
}

/* The capability to read all goes where landlock does not say which. */
ROOT_TC(read_capability)
{
	EXPECT(EACCES, ROLE_QUERY, 0, try_shadow);
	EXPECT(EACCES, ROLE_QUERY, LAND, try_shadow);
	EXPECT(FREE, ROLE_QUERY, LAND | CONTROL_IDS | CONTROL_CAPS,
	    try_shadow);
}

ROOT_TC(programs)
{
	const unsigned int q = 1U << ROLE_QUERY;

	EXPECT_ALL(KILLED, 0, 0, try_exec);
	EXPECT_ALL(ENOENT, q, SYSC | LAND, try_exec);
	EXPECT_ALL(EACCES, 0, SYSC | CHRT, try_exec);
	EXPECT_ALL(FREE, 0, SYSC | CHRT | LAND, try_exec);
	EXPECT_ALL(KILLED, 0, 0, try_fork);
	EXPECT_ALL(EAGAIN, 0, SYSC, try_fork);		/* nproc */
	EXPECT_ALL(FREE, 0, SYSC | RLIM, try_fork);
	EXPECT_ALL(KILLED, 0, 0, try_mmap_exec);
	EXPECT_ALL(FREE, 0, SYSC, try_mmap_exec);
}

ROOT_TC(network)
{
	const unsigned int q = 1U << ROLE_QUERY;

	EXPECT_ALL(KILLED, 0, 0, try_inet);
	EXPECT_ALL(FREE, 0, SYSC, try_inet);
	if (syscall(444L, NULL, (size_t)0, 1U) >= 4)
		EXPECT_ALL(EACCES, 0, SYSC, try_bind);
	EXPECT_ALL(FREE, 0, SYSC | LAND, try_bind);
	EXPECT_ALL(KILLED, q, 0, try_netlink);
	EXPECT(FREE, ROLE_QUERY, 0, try_netlink);
	EXPECT(KILLED, ROLE_QUERY, 0, try_netlink_other);
	EXPECT(FREE, ROLE_QUERY, SYSC, try_netlink_other);
}

ROOT_TC(other_processes)
{
	start_victim(1);
	EXPECT_ALL(KILLED, 0, 0, try_kill);
	EXPECT_ALL(FREE, 0, SYSC | LAND, try_kill);	/* same uid */
	EXPECT_ALL(KILLED, 0, 0, try_kill_monitor);
	EXPECT_ALL(EPERM, 0, SYSC | LAND, try_kill_monitor);
	EXPECT_ALL(FREE, 0, ROOT, try_kill_monitor);
	if (syscall(444L, NULL, (size_t)0, 1U) >= 6)
		EXPECT_ALL(EPERM, 0, SYSC, try_kill);
	EXPECT_ALL(KILLED, 0, 0, try_ptrace);
	/* the victim is not dumpable */
	EXPECT_ALL(EPERM, 0, SYSC | LAND, try_ptrace);
	EXPECT_ALL(FREE, 0, ROOT, try_ptrace);
	end_victim();
	start_victim(0);
	EXPECT(EPERM, ROLE_LOG, SYSC, try_ptrace);	/* landlock */
	if (access("/proc/sys/kernel/yama/ptrace_scope", F_OK) == -1)
		EXPECT(FREE, ROLE_LOG, SYSC | LAND, try_ptrace);
	end_victim();
}

ROOT_TC(privileges)
{
	EXPECT_ALL(KILLED, 0, 0, try_setuid);
	EXPECT_ALL(EPERM, 0, SYSC, try_setuid);
	EXPECT_ALL(FREE, 0, SYSC | CONTROL_IDS, try_setuid);
	EXPECT_ALL(KILLED, 0, 0, try_mount);
	EXPECT_ALL(EPERM, 0, SYSC | LAND, try_mount);
	/* uid 0 without capabilities is no root either */
	EXPECT_ALL(EPERM, 0, SYSC | LAND | CONTROL_IDS, try_mount);
	EXPECT_ALL(FREE, 0, ROOT, try_mount);
}

ROOT_TC(arguments)
{
	EXPECT_ALL(KILLED, 0, 0, try_setown);
	EXPECT_ALL(FREE, 0, SYSC, try_setown);
	EXPECT_ALL(KILLED, 0, 0, try_ioctl);
	EXPECT_ALL(KILLED, 0, 0, try_other_abi);
}

/* Only the log, and a file that was opened for it, may be made longer. */
ROOT_TC(file_size)
{
	ATF_REQUIRE((data_fd = open("data", O_RDWR | O_CREAT, 0600)) != -1);
	/* out of the way of the fixed numbers */
	ATF_REQUIRE((data_fd = fcntl(data_fd, F_DUPFD, 20)) != -1);
	EXPECT_ALL(-SIGXFSZ, 1U << ROLE_LOG | 1U << ROLE_FILE, 0,
	    try_write_file);
	EXPECT(FREE, ROLE_LOG, 0, try_write_file);
	EXPECT(FREE, ROLE_FILE, 0, try_write_file);
	EXPECT_ALL(FREE, 0, RLIM, try_write_file);
	/* a frontend whose standard output is the channel: "> file" */
	ids.files = 1;
	EXPECT(FREE, ROLE_FRONTEND, 0, try_write_file);
	ids.files = 0;
}

/* A step that cannot be taken ends the process: it never goes on without. */
ROOT_TC(failing_step_is_fatal)
{
	static const struct ids root = { 0, 0, 1, 0 };
	pid_t pid;

	if ((pid = atf_utils_fork()) == 0) {
		confine(ROLE_QUERY, &root);
		_exit(0);
	}
	atf_utils_wait(pid, 1, "", "save:err");
	ATF_CHECK(atf_utils_grep_file("root is no account", "err"));
	if ((pid = atf_utils_fork()) == 0) {
		if (setresuid(61003, 61003, 61003) == -1)
			_exit(99);
		confine(ROLE_QUERY, &ids);
		_exit(0);
	}
	atf_utils_wait(pid, 1, "", "save:err");
	ATF_CHECK(atf_utils_grep_file("fatal: confine: setgroups", "err"));
	ATF_REQUIRE(chmod(empty, 0777) == 0);
	if ((pid = atf_utils_fork()) == 0) {
		confine(ROLE_LOG, &ids);
		_exit(0);
	}
	atf_utils_wait(pid, 1, "", "save:err");
	ATF_CHECK(atf_utils_grep_file("only root can write", "err"));
	ATF_REQUIRE(chmod(empty, 0755) == 0);
	if ((pid = atf_utils_fork()) == 0) {
		/* no_new_privs off, and no privilege in its place */
		control_off = CONTROL_NONEWPRIVS;
		confine(ROLE_LOG, &ids);
		_exit(0);
	}
	atf_utils_wait(pid, 1, "", "save:err");
	ATF_CHECK(atf_utils_grep_file("confine log: (landlock|seccomp): ",
	    "err"));
	ATF_CHECK(atf_utils_grep_file("CONTROL BUILD", "err"));
}

/* --test without root: no id and no root directory, all else. */
ROOT_TC(without_root)
{
	struct ids keep = { 61003, 61003, 0, 0 };
	int status;
	pid_t pid;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		become(&keep);
		descriptors();
		confine(ROLE_FRONTEND, &keep);
		_exit(try_work() == 0 ? try_exec() : 98);
	}
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* --- child_start() and child_ready() --- */

static char worker_name[] = "qgad-log", worker_flag[] = "--worker";
static char worker_level[] = "2";

static void
start_arguments(char *first, char *idtext, char *level)
{
	char *argv[] = { worker_name, first, idtext, level, NULL };
	struct imsgbuf ib;
	struct ids got;

	child_start(ROLE_LOG, 4, argv, &ib, &got);
	_exit(0);
}

ATF_TC_WITHOUT_HEAD(by_hand);
ATF_TC_BODY(by_hand, tc)
{
	char idtext[] = "1:2";
	pid_t pid;

	if ((pid = atf_utils_fork()) == 0) {
		close(3);
		start_arguments(worker_flag, idtext, worker_level);
	}
	atf_utils_wait(pid, 1, "", "save:err");
	ATF_CHECK(atf_utils_grep_file("qgad-log is started by qgad-parent",
	    "err"));
	if ((pid = atf_utils_fork()) == 0) {
		if (dup2(open("/dev/null", O_RDWR), 3) == -1)
			_exit(99);
		start_arguments(worker_flag, idtext, worker_level);
	}
	atf_utils_wait(pid, 1, "", "save:err");
}

ATF_TC_WITHOUT_HEAD(bad_arguments);
ATF_TC_BODY(bad_arguments, tc)
{
	static char flag[] = "--frontend", good[] = "61001:61002";
	static char texts[][32] = {
		"", "1", "1:", ":1", "1:2:3", "1:2 ", " 1:2", "+1:2", "-1:2",
		"0x1:2", "4294967295:1", "1:4294967295", "1:99999999999999999"
	};
	static char levels[][8] = { "", "5", "-1", "1x" };
	pid_t pid;
	size_t i;

	for (i = 0; i < 1 + 13 + 4; i++) {
		if ((pid = atf_utils_fork()) == 0) {
			descriptors();
			if (i == 0)
				start_arguments(flag, good, worker_level);
			else if (i < 14)
				start_arguments(worker_flag, texts[i - 1],
				    worker_level);
			start_arguments(worker_flag, good, levels[i - 14]);
		}
		atf_utils_wait(pid, 1, "", "save:err");
	}
}

/* A child that has started, and the monitor's end of its descriptor 3. */
static pid_t
start_child(int *fd, void (*then)(struct imsgbuf *))
{
	char idtext[] = "61001:61002";
	char *argv[] = { worker_name, worker_flag, idtext, worker_level,
	    NULL };
	struct imsgbuf ib;
	sigset_t all;
	struct ids got;
	int pair[2];
	pid_t pid;

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	fflush(stdout);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if ((pair[1] = fcntl(pair[1], F_DUPFD, 10)) == -1 ||
		    dup2(pair[1], 3) == -1)
			_exit(99);
		closefrom(4);
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		signal(SIGCHLD, SIG_IGN);
		signal(SIGUSR1, SIG_IGN);
		child_start(ROLE_LOG, 4, argv, &ib, &got);
		if (got.uid != 61001 || got.gid != 61002 || !got.drop)
			_exit(98);
		then(&ib);
		_exit(0);
	}
	close(pair[1]);
	*fd = pair[0];
	return (pid);
}

static void
then_ready(struct imsgbuf *ib)
{
	char c;

	log_warnx("first");
	log_debug("not at this level");
	child_ready(ROLE_LOG, ib);
	for (;;) {			/* ends by end of file */
		if (read(3, &c, 1) == 0)
			return;
		poll(NULL, 0, 10);
	}
}

static void
next_message(struct imsgbuf *ib, struct imsg *imsg)
{
	int n;

	for (;;) {
		ATF_REQUIRE((n = imsgbuf_get(ib, imsg)) != -1);
		if (n == 1)
			return;
		ATF_REQUIRE(imsgbuf_read(ib) == 1);
	}
}

ATF_TC_WITHOUT_HEAD(started);
ATF_TC_BODY(started, tc)
{
	struct imsgbuf ib;
	struct imsg imsg;
	struct msg_log line;
	struct msg_hello hello;
	char seen[256];
	int fd, status;
	pid_t pid;

	kyua_signals();
	pid = start_child(&fd, then_ready);
	ATF_REQUIRE(imsgbuf_init(&ib, fd) == 0);
	next_message(&ib, &imsg);
	ATF_REQUIRE_EQ(MSG_LOG, imsg_get_type(&imsg));
	ATF_REQUIRE(msg_recv_log(&imsg, &line) == 0);
	ATF_CHECK_EQ(LEVEL_WARN, line.level);
	ATF_CHECK_STREQ("first", line.line);
	imsg_free(&imsg);
	next_message(&ib, &imsg);
	ATF_REQUIRE_EQ(MSG_HELLO, imsg_get_type(&imsg));
	ATF_REQUIRE(msg_recv_hello(&imsg, &hello) == 0);
	ATF_CHECK_EQ(ROLE_LOG, hello.role);
	ATF_CHECK(memcmp(hello.build, build_id, MSG_BUILD_LEN - 1) == 0);
	imsg_free(&imsg);
	ATF_CHECK_EQ(pid, getsid(pid));
	field(pid, "status", "SigIgn:", seen, sizeof(seen));
	/* HUP INT USR1 PIPE TERM */
	ATF_CHECK_STREQ("0000000000005203", seen);
	field(pid, "status", "SigBlk:", seen, sizeof(seen));
	ATF_CHECK_STREQ("0000000000000000", seen);
	kill(pid, SIGTERM);
	kill(pid, SIGINT);
	kill(pid, SIGHUP);
	kill(pid, SIGUSR1);
	imsgbuf_clear(&ib);
	close(fd);
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define FLOOD	20000

static void
then_flood(struct imsgbuf *ib)
{
	char c;
	int i;

	for (i = 0; i < FLOOD; i++)
		log_warnx("%d %0200d", i, 0);
	if (imsgbuf_queuebytes(ib) > LOG_QUEUE + LOG_LINE + 1024)
		_exit(97);
	/* Shows that all was logged with nobody reading. */
	if (write(2, "flooded", 7) != 7)
		_exit(96);
	while (imsgbuf_queuelen(ib) > 0) {
		if (imsgbuf_write(ib) == -1)
			_exit(95);
		poll(NULL, 0, 1);
	}
	log_warnx("last");
	while (read(3, &c, 1) != 0)
		poll(NULL, 0, 10);
}

/* Nobody reads the log: the child goes on, and counts what it dropped. */
ATF_TC_WITHOUT_HEAD(log_never_blocks);
ATF_TC_BODY(log_never_blocks, tc)
{
	struct imsgbuf ib;
	struct imsg imsg;
	struct msg_log line;
	unsigned int lost = 0, got = 0, n;
	int fd, flooded[2], saved, status;
	char buf[8];
	pid_t pid;

	ATF_REQUIRE(pipe(flooded) == 0);
	fflush(stderr);
	ATF_REQUIRE((saved = dup(2)) != -1 && dup2(flooded[1], 2) != -1);
	pid = start_child(&fd, then_flood);
	ATF_REQUIRE(dup2(saved, 2) != -1);
	close(flooded[1]);
	ATF_REQUIRE_EQ(7, read(flooded[0], buf, 7));
	ATF_REQUIRE(imsgbuf_init(&ib, fd) == 0);
	for (;;) {
		next_message(&ib, &imsg);
		ATF_REQUIRE(msg_recv_log(&imsg, &line) == 0);
		if (strcmp(line.line, "last") == 0)
			break;
		if (sscanf(line.line, "%u log lines were lost", &n) == 1 &&
		    strstr(line.line, "lost") != NULL)
			lost += n;
		else
			got++;
		imsg_free(&imsg);
	}
	imsg_free(&imsg);
	ATF_CHECK(lost > 0);
	ATF_CHECK_EQ(FLOOD, got + lost);
	imsgbuf_clear(&ib);
	close(fd);
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, seen_from_outside);
	ATF_TP_ADD_TC(tp, seen_from_outside_control);
	ATF_TP_ADD_TC(tp, unconfined_roles);
	ATF_TP_ADD_TC(tp, work_goes_on);
	ATF_TP_ADD_TC(tp, files);
	ATF_TP_ADD_TC(tp, read_capability);
	ATF_TP_ADD_TC(tp, programs);
	ATF_TP_ADD_TC(tp, network);
	ATF_TP_ADD_TC(tp, other_processes);
	ATF_TP_ADD_TC(tp, privileges);
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, file_size);
	ATF_TP_ADD_TC(tp, failing_step_is_fatal);
	ATF_TP_ADD_TC(tp, without_root);
	ATF_TP_ADD_TC(tp, by_hand);
	ATF_TP_ADD_TC(tp, bad_arguments);
	ATF_TP_ADD_TC(tp, started);
	ATF_TP_ADD_TC(tp, log_never_blocks);
	return (atf_no_error());
}
