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
 * h_intruder uid:gid target ...
 *
 * Becomes that user, without any capability, and tries what a user of the
 * guest could against each target: the path of a socket, a pid, or "self", a
 * process of its own.  A line each: what, then "ok", "refused" (EPERM, EACCES)
 * or "failed" and why.  Linux.
 */

#include <stdio.h>

#ifdef HAVE_LINUX_SECCOMP_H
#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void	 say(const char *, int);
static int	 try_connect(const char *);
static int	 try_open(pid_t, const char *, int);
static int	 try_list(pid_t, const char *);
static int	 try_link(pid_t, const char *);
static int	 try_vm(pid_t);
static int	 try_descriptor(pid_t);
static void	 intrude(pid_t);
static pid_t	 own(void);

static void
say(const char *what, int n)
{
	if (n != -1)
		printf("%s ok\n", what);
	else if (errno == EPERM || errno == EACCES)
		printf("%s refused\n", what);
	else
		printf("%s failed: %s\n", what, strerror(errno));
}

static int
try_connect(const char *path)
{
	struct sockaddr_un sun;
	int fd, n, save;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun.sun_path) ||
	    (fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		return (-1);
	strcpy(sun.sun_path, path);
	n = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	save = errno;
	close(fd);
	errno = save;
	return (n);
}

static int
try_open(pid_t pid, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	if ((fd = open(path, flags)) == -1)
		return (-1);
	close(fd);
	return (0);
}

static int
try_list(pid_t pid, const char *name)
{
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	if ((d = opendir(path)) == NULL)
		return (-1);
	closedir(d);
	return (0);
}

static int
try_link(pid_t pid, const char *name)
{
	char path[64], target[256];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	return (readlink(path, target, sizeof(target)) == -1 ? -1 : 0);
}

/* Nothing is mapped at 1: EFAULT comes after the permission. */
static int
try_vm(pid_t pid)
{
	char c;
	struct iovec here = { &c, 1 }, there = { (void *)1, 1 };

	if (process_vm_readv(pid, &here, 1, &there, 1, 0) == -1 &&
	    errno != EFAULT)
		return (-1);
	return (0);
}

static int
try_descriptor(pid_t pid)
{
	int fd, n, save;

	if ((fd = (int)syscall(SYS_pidfd_open, pid, 0)) == -1)
		return (-1);
	n = (int)syscall(SYS_pidfd_getfd, fd, 0, 0);
	save = errno;
	if (n != -1)
		close(n);
	close(fd);
	errno = save;
	return (n == -1 ? -1 : 0);
}

static void
intrude(pid_t pid)
{
	say("signal", kill(pid, 0));
	say("environ", try_open(pid, "environ", O_RDONLY));
	say("mem-read", try_open(pid, "mem", O_RDONLY));
	say("mem-write", try_open(pid, "mem", O_RDWR));
	say("maps", try_open(pid, "maps", O_RDONLY));
	say("fd", try_list(pid, "fd"));
	say("root", try_link(pid, "root"));
	say("cwd", try_link(pid, "cwd"));
	say("vm-read", try_vm(pid));
	say("take-descriptor", try_descriptor(pid));
	say("ptrace", ptrace(PTRACE_SEIZE, pid, NULL, NULL) == -1 ? -1 : 0);
}

/* Dumpable, as after an exec. */
static pid_t
own(void)
{
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return (pid);
}

int
main(int argc, char *argv[])
{
	unsigned long uid, gid;
	gid_t group;
	pid_t pid;
	char *end;
	int i;

	if (argc < 3 || sscanf(argv[1], "%lu:%lu", &uid, &gid) != 2) {
		fprintf(stderr, "usage: h_intruder uid:gid target ...\n");
		return (2);
	}
	group = (gid_t)gid;
	if (setgroups(1, &group) == -1 ||
	    setresgid(group, group, group) == -1 ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) == -1 ||
	    prctl(PR_SET_DUMPABLE, 1L) == -1) {
		perror("h_intruder");
		return (2);
	}
	for (i = 2; i < argc; i++) {
		if (argv[i][0] == '/') {
			say("connect", try_connect(argv[i]));
			continue;
		}
		pid = (pid_t)strtol(argv[i], &end, 10);
		if (*end != '\0' && (pid = own()) == -1) {
			perror("fork");
			return (2);
		}
		intrude(pid);
		if (*end != '\0') {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, NULL, 0);
		}
	}
	return (fflush(stdout) == 0 ? 0 : 2);
}

#else
int
main(void)
{
	fprintf(stderr, "h_intruder: not on this system\n");
	return (2);
}
#endif
