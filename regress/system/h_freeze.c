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
 * What the freeze tests need and no shell has.
 *
 *	freeze PATH, thaw PATH	FIFREEZE, FITHAW; fails as they do
 *	frozen PATH		is it? asked by a thaw that is undone at once
 *	cage DIR PROGRAM [ARG ...]
 *				run it in a mount namespace of its own whose
 *				root is DIR, and nothing of this one is left;
 *				refused if it sees anything but memory, /proc,
 *				/sys and loop devices
 *	seen PID		is that all that process sees?
 *	writer FILE COUNT	write numbered lines to FILE for ever, and to
 *				COUNT how many it wrote; until COUNT.stop
 *	check FILE N		are these its first N lines, at least?
 *	writes SECONDS PATH ...	can each be written to by then?
 *	watchdog FILE PID SECONDS
 *				back at once; when that process has gone, or
 *				by then, thaws what is on the loop devices
 *				that FILE has, one a line
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/fs.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int
on_path(const char *path, unsigned long request)
{
	int fd;

	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		err(1, "%s", path);
	return (ioctl(fd, request, 0) == -1 ? errno : 0);
}

static int
do_ioctl(const char *path, unsigned long request)
{
	int error;

	if ((error = on_path(path, request)) == 0)
		return (0);
	warnx("%s: %s", path, strerror(error));
	return (1);
}

/* A thawed one is frozen for a moment: EBUSY says that it is already. */
static int
is_frozen(const char *path)
{
	int error;

	if ((error = on_path(path, FIFREEZE)) == EBUSY)
		return (0);
	if (error != 0)
		errx(2, "%s: %s", path, strerror(error));
	if (on_path(path, FITHAW) != 0)
		errx(2, "%s cannot be thawed", path);
	return (1);
}

/* --- the cage --- */

/* 0: nothing of the machine's is in sight. */
static int
sees(const char *mountinfo)
{
	char line[4096], type[64], source[1024];
	unsigned int maj, min;
	FILE *f;
	char *p;
	int bad = 0, loops = 0;

	if ((f = fopen(mountinfo, "r")) == NULL)
		err(1, "%s", mountinfo);
	while (fgets(line, sizeof(line), f) != NULL) {
		p = strstr(line, " - ");
		if (p == NULL || sscanf(p, " - %63s %1023s", type, source) !=
		    2 || sscanf(line, "%*d %*d %u:%u", &maj, &min) != 2)
			errx(1, "not understood: %s", line);
		if (strcmp(type, "tmpfs") == 0 || strcmp(type, "proc") == 0 ||
		    strcmp(type, "sysfs") == 0)
			continue;
		if (strncmp(source, "/dev/loop", 9) == 0 &&
		    (maj == 7 || strcmp(type, "btrfs") == 0)) {
			loops++;
			continue;
		}
		warnx("not of the test: %s", line);
		bad = 1;
	}
	fclose(f);
	return (bad);
}

static void
cage(char *argv[])
{
	if (unshare(CLONE_NEWNS) == -1)
		err(1, "unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		err(1, "private");
	if (chdir(argv[0]) == -1)
		err(1, "%s", argv[0]);
	/* The old root lies on the new one, and is taken off. */
	if (syscall(SYS_pivot_root, ".", ".") == -1)
		err(1, "pivot_root %s", argv[0]);
	if (umount2(".", MNT_DETACH) == -1)
		err(1, "umount of the old root");
	if (chdir("/") == -1)
		err(1, "/");
	if (sees("/proc/self/mountinfo") != 0)
		errx(1, "the cage is not closed");
	execv(argv[1], argv + 1);
	err(1, "%s", argv[1]);
}

/* --- the writer --- */

static void
writer(const char *file, const char *count)
{
	static const struct timespec moment = { 0, 1000000 };
	char text[32], stop[PATH_MAX];
	unsigned int n;
	int fd, cfd, len;

	snprintf(stop, sizeof(stop), "%s.stop", count);
	if ((fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND,
	    0644)) == -1)
		err(1, "%s", file);
	if ((cfd = open(count, O_RDWR | O_CREAT | O_TRUNC, 0644)) == -1)
		err(1, "%s", count);
	for (n = 0; access(stop, F_OK) == -1; n++) {
		len = snprintf(text, sizeof(text), "%08u\n", n);
		if (write(fd, text, (size_t)len) != len)
			err(1, "%s", file);
		/* The last is acknowledged when it is on disk. */
		if (fsync(fd) == -1)
			err(1, "fsync");
		len = snprintf(text, sizeof(text), "%u\n", n + 1);
		if (pwrite(cfd, text, (size_t)len, 0) != len)
			err(1, "%s", count);
		nanosleep(&moment, NULL);
	}
}

static int
check(const char *file, unsigned long want)
{
	char line[64];
	unsigned long n, at;
	FILE *f;

	if ((f = fopen(file, "r")) == NULL)
		err(1, "%s", file);
	for (n = 0; fgets(line, sizeof(line), f) != NULL; n++)
		if (sscanf(line, "%lu", &at) != 1 || at != n ||
		    strlen(line) != 9) {
			warnx("%s: line %lu is %s", file, n, line);
			return (1);
		}
	fclose(f);
	if (n >= want)
		return (0);
	warnx("%s: %lu lines, %lu were acknowledged", file, n, want);
	return (1);
}

/* --- the watchdog --- */

/* By another mount of it: where the test had it may be gone. */
static void
free_one(const char *device)
{
	static const char *const types[] = { "ext4", "xfs", "btrfs" };
	char place[] = "/tmp/h_freeze.XXXXXX";
	size_t i;
	int fd;

	if (mkdtemp(place) == NULL)
		return;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (mount(device, place, types[i], 0, "") == 0 ||
		    mount(device, place, types[i], MS_RDONLY, "") == 0) {
			if ((fd = open(place, O_RDONLY)) != -1) {
				(void)ioctl(fd, FITHAW, 0);
				close(fd);
			}
			(void)umount2(place, MNT_DETACH);
			break;
		}
	rmdir(place);
}

static void
watchdog(const char *file, pid_t pid, int seconds)
{
	static const struct timespec nap = { 0, 20000000 };
	char path[PATH_MAX], device[256];
	time_t end = time(NULL) + seconds;
	FILE *f;
	int i;

	if (realpath(file, path) == NULL)
		err(1, "%s", file);
	if (daemon(0, 0) == -1)
		err(1, "daemon");
	/* Read while it is there: it may be removed with the test's place. */
	if ((f = fopen(path, "r")) == NULL)
		_exit(1);
	while ((kill(pid, 0) == 0 || errno != ESRCH) && time(NULL) < end)
		nanosleep(&nap, NULL);
	/* A lower one may be what a higher one waits for: all at once. */
	while (fscanf(f, "%255s", device) == 1)
		if (fork() == 0) {
			free_one(device);
			_exit(0);
		}
	fclose(f);
	for (i = 0; i < 500 && waitpid(-1, NULL, WNOHANG) != -1; i++)
		nanosleep(&nap, NULL);
	_exit(0);
}

/* --- is it thawed? --- */

/* A process each, since one that blocks cannot be ended. */
static int
writes(char *argv[])
{
	static const struct timespec nap = { 0, 5000000 };
	char path[PATH_MAX];
	time_t end = time(NULL) + atoi(argv[0]) + 1;
	int fd, n, status;

	for (n = 0; argv[n + 1] != NULL; n++) {
		if (fork() != 0)
			continue;
		snprintf(path, sizeof(path), "%s/written.%d", argv[n + 1],
		    (int)getpid());
		if ((fd = open(path, O_WRONLY | O_CREAT, 0600)) == -1 ||
		    write(fd, "x", 1) != 1 || fsync(fd) == -1 ||
		    unlink(path) == -1)
			err(1, "%s", path);
		_exit(0);
	}
	while (n > 0 && time(NULL) < end) {
		if (waitpid(-1, &status, WNOHANG) <= 0)
			nanosleep(&nap, NULL);
		else if (status != 0)
			return (1);
		else
			n--;
	}
	return (n > 0);
}

int
main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";
	char path[64];

	if (argc == 3 && strcmp(what, "freeze") == 0)
		return (do_ioctl(argv[2], FIFREEZE));
	if (argc == 3 && strcmp(what, "thaw") == 0)
		return (do_ioctl(argv[2], FITHAW));
	if (argc == 3 && strcmp(what, "frozen") == 0)
		return (is_frozen(argv[2]));
	if (argc >= 4 && strcmp(what, "cage") == 0)
		cage(argv + 2);
	if (argc == 3 && strcmp(what, "seen") == 0) {
		snprintf(path, sizeof(path), "/proc/%s/mountinfo", argv[2]);
		return (sees(path));
	}
	if (argc == 4 && strcmp(what, "writer") == 0) {
		writer(argv[2], argv[3]);
		return (0);
	}
	if (argc == 4 && strcmp(what, "check") == 0)
		return (check(argv[2], strtoul(argv[3], NULL, 10)));
	if (argc >= 3 && strcmp(what, "writes") == 0)
		return (writes(argv + 2));
	if (argc == 5 && strcmp(what, "watchdog") == 0)
		watchdog(argv[2], (pid_t)atol(argv[3]), atoi(argv[4]));
	errx(64, "usage: see the head of h_freeze.c");
}
