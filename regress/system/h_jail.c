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
 * h_jail dir program [argument ...] <list
 *
 * Runs the program in a mount namespace whose root is a tmpfs on dir, with
 * nothing of the system in it but copies: a test may change its users.  A
 * line of the list is a path to copy to the same place, two paths to copy
 * from and to, or a path with a slash at its end, a directory to make.
 * Modes are kept, owners are not: all is root's.  /dev/null and the like are
 * made; there is no /proc.  From outside it is /proc/PID/root.  Linux, root.
 */

#include <sys/types.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void	 die(const char *) __attribute__((noreturn));
static void	 parents(char *);
static void	 copy(const char *, const char *);
static void	 line(const char *, char *);
static void	 device(const char *, const char *, unsigned int);
static void	 turn(const char *);

static void
die(const char *what)
{
	fprintf(stderr, "h_jail: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* The directories above the last slash. */
static void
parents(char *path)
{
	char *p;

	for (p = strchr(path + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0755) == -1 && errno != EEXIST)
			die(path);
		*p = '/';
	}
}

static void
copy(const char *from, const char *to)
{
	static char buf[65536];
	struct stat st;
	ssize_t n;
	int in, out;

	if ((in = open(from, O_RDONLY)) == -1 || fstat(in, &st) == -1)
		die(from);
	if ((out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600)) == -1)
		die(to);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			die(to);
	if (n == -1 || fchmod(out, st.st_mode & 07777) == -1)
		die(to);
	close(in);
	close(out);
}

static void
line(const char *dir, char *text)
{
	char to[3 * PATH_MAX], *rest;
	size_t len;

	text[strcspn(text, "\n")] = '\0';
	if (*text == '\0')
		return;
	if ((rest = strchr(text, ' ')) != NULL)
		*rest++ = '\0';
	snprintf(to, sizeof(to), "%s%s", dir, rest != NULL ? rest : text);
	parents(to);
	len = strlen(to);
	if (to[len - 1] != '/')
		copy(text, to);
}

static void
device(const char *dir, const char *name, unsigned int minor_number)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/dev/%s", dir, name);
	parents(path);
	if (mknod(path, S_IFCHR | 0666, makedev(1, minor_number)) == -1 ||
	    chmod(path, 0666) == -1)
		die(path);
}

static void
turn(const char *dir)
{
	if (chdir(dir) == -1 || mkdir("old", 0700) == -1 ||
	    syscall(SYS_pivot_root, ".", "old") == -1 || chdir("/") == -1 ||
	    umount2("/old", MNT_DETACH) == -1 || rmdir("/old") == -1)
		die("pivot_root");
}

int
main(int argc, char *argv[])
{
	char text[2 * PATH_MAX];

	if (argc < 3) {
		fprintf(stderr, "usage: h_jail dir program [argument ...]\n");
		return (2);
	}
	umask(022);
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("jail", argv[1], "tmpfs", 0, "mode=755") == -1)
		die("mount");
	while (fgets(text, sizeof(text), stdin) != NULL)
		line(argv[1], text);
	device(argv[1], "null", 3);
	device(argv[1], "zero", 5);
	device(argv[1], "random", 8);
	device(argv[1], "urandom", 9);
	turn(argv[1]);
	execv(argv[2], argv + 2);
	die(argv[2]);
}
