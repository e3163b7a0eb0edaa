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
 * h_view [file]
 *
 * What a program finds itself with, a fact a line, on standard output or in
 * the file: run as a job by two agents, the outputs can be compared.  Left
 * out is what differs from run to run: pids, inode numbers, memory, counters.
 * Linux.
 */

#include <stdio.h>

#ifdef HAVE_LINUX_SECCOMP_H
#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FD_MAX	256

extern char **environ;

static void	 show_file(const char *, const char *const *);
static void	 show_link(const char *);
static void	 show_descriptors(void);
static void	 show_rest(void);

/*
 * The C library's own two, 32 and 33: whoever ran the test may have left
 * them ignored, and the library lets nobody change them.
 */
#define LIBC_SIGNALS	0x180000000ULL

/* Lines of /proc/self/name; all of them, or those that begin so. */
static void
show_file(const char *name, const char *const *begins)
{
	char path[64], line[1024];
	size_t i;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	if ((f = fopen(path, "re")) == NULL) {
		printf("%s: none\n", name);
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		for (i = 0; begins != NULL && begins[i] != NULL; i++)
			if (strncmp(line, begins[i], strlen(begins[i])) == 0)
				break;
		if (strncmp(line, "SigIgn:", 7) == 0)
			snprintf(line + 7, sizeof(line) - 7, "\t%016llx",
			    strtoull(line + 7, NULL, 16) & ~LIBC_SIGNALS);
		if (begins == NULL || begins[i] != NULL)
			printf("%s: %s\n", name, line);
	}
	fclose(f);
}

static void
show_link(const char *name)
{
	char path[64], target[512];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	if ((n = readlink(path, target, sizeof(target) - 1)) == -1)
		n = 0;
	target[n] = '\0';
	printf("%s: %s\n", name, target);
}

/* Called before any other is opened. */
static void
show_descriptors(void)
{
	char path[64], target[512];
	int fd, flags;
	ssize_t n;

	for (fd = 0; fd < FD_MAX; fd++) {
		if ((flags = fcntl(fd, F_GETFL)) == -1)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if ((n = readlink(path, target, sizeof(target) - 1)) == -1)
			n = 0;
		target[n] = '\0';
		if (target[0] != '/')	/* pipe:[number] */
			target[strcspn(target, "[")] = '\0';
		printf("fd %d: %s%s%s%s\n", fd, target,
		    (flags & O_ACCMODE) == O_RDONLY ? " read" :
		    (flags & O_ACCMODE) == O_WRONLY ? " write" : " both",
		    flags & O_NONBLOCK ? " nonblocking" : "",
		    flags & O_APPEND ? " append" : "");
	}
}

static void
show_rest(void)
{
	int sig = -1, sub = -1;

	printf("leader: session %s, group %s\n",
	    getsid(0) == getpid() ? "own" : "another's",
	    getpgrp() == getpid() ? "own" : "another's");
	printf("nice: %d\n", getpriority(PRIO_PROCESS, 0));
	printf("scheduler: %d\n", sched_getscheduler(0));
	printf("dumpable: %d\n", prctl(PR_GET_DUMPABLE));
	printf("securebits: %d\n", prctl(PR_GET_SECUREBITS));
	printf("keepcaps: %d\n", prctl(PR_GET_KEEPCAPS));
	printf("timer slack: %d\n", prctl(PR_GET_TIMERSLACK));
	if (prctl(PR_GET_PDEATHSIG, &sig) == 0)
		printf("parent's death: signal %d\n", sig);
	if (prctl(PR_GET_CHILD_SUBREAPER, &sub) == 0)
		printf("subreaper: %d\n", sub);
}

int
main(int argc, char *argv[])
{
	static const char *const status[] = {
		"Umask", "TracerPid", "Uid", "Gid", "Groups", "SigPnd",
		"ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm",
		"CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp",
		"Spec", "Cpus_allowed", "Mems_allowed", "Threads", NULL
	};
	static const char *const files[] = {
		"limits", "oom_score_adj", "personality", "coredump_filter",
		"loginuid", "sessionid", "cgroup"
	};
	static const char *const links[] = {
		"cwd", "root", "exe", "ns/cgroup", "ns/ipc", "ns/mnt",
		"ns/net", "ns/pid", "ns/user", "ns/uts"
	};
	size_t i;
	int n;

	/* Nothing goes out before the end: it may be a descriptor's name. */
	static char buf[65536];

	if (setvbuf(stdout, buf, _IOFBF, sizeof(buf)) != 0)
		return (1);
	show_descriptors();
	show_file("status", status);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		show_file(files[i], NULL);
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		show_link(links[i]);
	show_rest();
	for (n = 0; n < argc; n++)
		printf("argument %d: %s\n", n, argv[n]);
	for (n = 0; environ[n] != NULL; n++)
		printf("environment: %s\n", environ[n]);
	if (argc > 1 && strcmp(argv[1], "-") != 0) {
		if ((n = open(argv[1], O_WRONLY | O_CREAT | O_EXCL, 0666)) ==
		    -1 || dup2(n, STDOUT_FILENO) == -1)
			return (1);
	}
	return (fflush(stdout) == 0 ? 0 : 1);
}

#else
int
main(void)
{
	fprintf(stderr, "h_view: not on this system\n");
	return (2);
}
#endif
