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
 * Linux: what /proc says of a process, beside its role's row.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confcheck.h"

#define SEEN_MAX	1024

struct look {
	pid_t		 pid;
	confcheck_fn	*say;
	void		*arg;
	int		 bad;		/* so many properties */
};

static void	 check(struct look *, const char *, int, const char *,
		    const char *);
static void	 check_same(struct look *, const char *, const char *,
		    const char *);
static void	 field(pid_t, const char *, const char *, char *, size_t);
static long	 stat_number(pid_t, int);
static void	 check_ids(struct look *, const struct ids *);
static void	 check_directory(struct look *, const char *, const char *);
static int	 landlock_there(void);
static void	 check_caps(struct look *, const struct confinement *);
static void	 check_dumpable(struct look *);
static void	 check_limits(struct look *, const struct confinement *);
static int	 descriptor_fits(enum role, int, const char *);
static void	 check_descriptors(struct look *, enum role);

static void
check(struct look *l, const char *property, int ok, const char *expected,
    const char *seen)
{
	l->say(l->arg, property, ok, expected, seen);
	if (!ok)
		l->bad++;
}

static void
check_same(struct look *l, const char *property, const char *expected,
    const char *seen)
{
	check(l, property, strcmp(expected, seen) == 0, expected, seen);
}

/*
 * The rest of the line of /proc/pid/file that begins with name, blanks
 * squeezed; "?" if there is none.
 */
static void
field(pid_t pid, const char *file, const char *name, char *dst, size_t size)
{
	char path[64], line[SEEN_MAX], *p;
	size_t o = 0;
	FILE *f;

	strlcpy(dst, "?", size);
	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	if ((f = fopen(path, "r")) == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		for (p = line + strlen(name); *p != '\0'; p++) {
			if (strchr(" \t\n", *p) == NULL) {
				if (o + 2 < size)
					dst[o++] = *p;
			} else if (o > 0 && dst[o - 1] != ' ' && o + 2 < size)
				dst[o++] = ' ';
		}
		while (o > 0 && dst[o - 1] == ' ')
			o--;
		dst[o] = '\0';
		break;
	}
	fclose(f);
}

/* The parent, or with which = 1 the session, of /proc/pid/stat; or -1. */
static long
stat_number(pid_t pid, int which)
{
	char path[64], line[SEEN_MAX], *p = NULL;
	FILE *f;
	int i;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if ((f = fopen(path, "r")) == NULL)
		return (-1);
	/* pid (name) state ppid pgrp session ... */
	if (fgets(line, sizeof(line), f) != NULL)
		p = strrchr(line, ')');
	fclose(f);
	for (i = 0; p != NULL && i < (which == 0 ? 2 : 4); i++)
		p = strchr(p + 1, ' ');
	return (p == NULL ? -1 : strtol(p, NULL, 10));
}

static void
check_ids(struct look *l, const struct ids *ids)
{
	char want[128], seen[SEEN_MAX];
	unsigned long u = ids->uid, g = ids->gid;

	snprintf(want, sizeof(want), "%lu %lu %lu %lu", u, u, u, u);
	field(l->pid, "status", "Uid:", seen, sizeof(seen));
	check_same(l, "uid", want, seen);
	snprintf(want, sizeof(want), "%lu %lu %lu %lu", g, g, g, g);
	field(l->pid, "status", "Gid:", seen, sizeof(seen));
	check_same(l, "gid", want, seen);
	if (u == 0)
		return;
	snprintf(want, sizeof(want), "%lu", g);
	field(l->pid, "status", "Groups:", seen, sizeof(seen));
	check_same(l, "groups", want, seen);
}

static void
check_directory(struct look *l, const char *property, const char *expected)
{
	char path[64], seen[SEEN_MAX];
	struct stat want, st;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)l->pid, property);
	if ((n = readlink(path, seen, sizeof(seen) - 1)) == -1)
		n = 0;
	seen[n] = '\0';
	check(l, property, stat(expected, &want) == 0 && stat(path, &st) == 0 &&
	    want.st_dev == st.st_dev && want.st_ino == st.st_ino, expected,
	    seen);
}

static int
landlock_there(void)
{
	/* landlock_create_ruleset, asked for its version */
	return (syscall(444L, NULL, (size_t)0, 1U) > 0);
}

static void
check_caps(struct look *l, const struct confinement *row)
{
	static const char *const sets[] = {
		"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"
	};
	char want[SEEN_MAX], seen[SEEN_MAX], name[16];
	uint64_t keep;
	size_t i;

	keep = row->steps & KEEP_CAPS || landlock_there() ? row->keepcaps : 0;
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		snprintf(name, sizeof(name), "%s:", sets[i]);
		if (row->steps & STEP_CAPS)
			snprintf(want, sizeof(want), "%016" PRIx64,
			    i == 1 || i == 2 ? keep : 0);
		else	/* root with all that this root has */
			field(getpid(), "status", name, want, sizeof(want));
		field(l->pid, "status", name, seen, sizeof(seen));
		check_same(l, sets[i], want, seen);
	}
}

/* Files of /proc/pid are root's when the process is not dumpable. */
static void
check_dumpable(struct look *l)
{
	char path[64], seen[128];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%ld/environ", (long)l->pid);
	if (stat(path, &st) == -1)
		snprintf(seen, sizeof(seen), "%s", strerror(errno));
	else
		snprintf(seen, sizeof(seen), "%s, owner %lu", path,
		    (unsigned long)st.st_uid);
	check(l, "dumpable", strstr(seen, ", owner 0") != NULL, "no: owner 0",
	    seen);
}

static void
check_limits(struct look *l, const struct confinement *row)
{
	static const struct {
		const char	*property, *line;
	} limits[] = {
		{ "core", "Max core file size" },
		{ "fsize", "Max file size" },
		{ "nproc", "Max processes" },
		{ "nofile", "Max open files" }
	};
	char want[SEEN_MAX], seen[SEEN_MAX], *p;
	pid_t like;
	size_t i;

	like = (pid_t)stat_number(l->pid, 0);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		field(l->pid, "limits", limits[i].line, seen, sizeof(seen));
		if (((row->steps & STEP_RLIMITS) == 0 &&
		    (i != 0 || (row->steps & STEP_UNDUMP) == 0)) ||
		    (i == 1 && row->steps & MAY_WRITE) ||
		    (i == 3 && row->nofile == 0)) {
			/* as the process that started it */
			field(like, "limits", limits[i].line, want,
			    sizeof(want));
			check_same(l, limits[i].property, want, seen);
			continue;
		}
		if ((p = strrchr(seen, ' ')) != NULL && i != 2)
			*p = '\0';	/* the unit */
		else if (p != NULL && strcmp(p, " processes") == 0)
			*p = '\0';
		snprintf(want, sizeof(want), "%d %d", i == 3 ? row->nofile : 0,
		    i == 3 ? row->nofile : 0);
		check_same(l, limits[i].property, want, seen);
	}
}

/* Is it something that this role may hold? */
static int
descriptor_fits(enum role role, int fd, const char *target)
{
	if (fd < 3)
		return (strcmp(target, "/dev/null") == 0 ||
		    (fd == 2 && role == ROLE_LOG));
	if (role == ROLE_MONITOR)
		return (1);
	if (strncmp(target, "socket:", 7) == 0)
		return (1);
	if (fd == 3)
		return (0);
	if (strncmp(target, "pipe:", 5) == 0 ||
	    strcmp(target, "anon_inode:[eventpoll]") == 0 ||
	    strcmp(target, "anon_inode:[eventfd]") == 0 ||
	    strcmp(target, "anon_inode:[pidfd]") == 0)
		return (1);
	switch (role) {
	case ROLE_FRONTEND:	/* the channel */
		return (strncmp(target, "/dev/vport", 10) == 0 ||
		    strncmp(target, "/dev/tty", 8) == 0 ||
		    strncmp(target, "/dev/pts/", 9) == 0);
	case ROLE_QUERY:
		return (strncmp(target, "/proc/", 6) == 0 ||
		    strncmp(target, "/sys/", 5) == 0);
	case ROLE_FILE:		/* what it opened, and nothing else */
	case ROLE_LOG:		/* its file */
	case ROLE_FREEZE:	/* where the file systems are mounted */
	case ROLE_KEEPER:
		return (target[0] == '/');
	default:
		return (0);
	}
}

static void
check_descriptors(struct look *l, enum role role)
{
	char dir[64], path[128], target[256], list[SEEN_MAX];
	struct dirent *de;
	int fd, files = 0, fits = 1;
	size_t o = 0;
	ssize_t n;
	DIR *d;

	list[0] = '\0';
	snprintf(dir, sizeof(dir), "/proc/%ld/fd", (long)l->pid);
	if ((d = opendir(dir)) == NULL)
		fits = 0;
	while (d != NULL && (de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		fd = (int)strtol(de->d_name, NULL, 10);
		snprintf(path, sizeof(path), "%s/%d", dir, fd);
		if ((n = readlink(path, target, sizeof(target) - 1)) == -1)
			continue;	/* closed meanwhile */
		target[n] = '\0';
		files += fd > 2 && target[0] == '/';
		if (!descriptor_fits(role, fd, target) ||
		    ((role == ROLE_LOG || role == ROLE_FILE) && files > 1))
			fits = 0;
		if (o < sizeof(list))
			o += (size_t)snprintf(list + o, sizeof(list) - o,
			    "%s%d=%s", o > 0 ? " " : "", fd, target);
	}
	if (d != NULL)
		closedir(d);
	check(l, "descriptors", fits, "what the role holds", list);
}

int
confinement_check(pid_t pid, enum role role, const struct ids *ids,
    const char *emptydir, confcheck_fn *say, void *arg)
{
	const struct confinement *row = &confinements[role];
	char want[64], seen[SEEN_MAX];
	struct look look = { pid, say, arg, 0 }, *l = &look;

	check_ids(l, ids);
	check_directory(l, "root", row->steps & STEP_CHROOT ? emptydir : "/");
	if (row->steps & STEP_CHROOT)
		check_directory(l, "cwd", emptydir);
	check_descriptors(l, role);
	if (role != ROLE_MONITOR) {
		snprintf(want, sizeof(want), "%ld", (long)pid);
		snprintf(seen, sizeof(seen), "%ld", stat_number(pid, 1));
		check_same(l, "session", want, seen);
	}
	field(pid, "status", "NoNewPrivs:", seen, sizeof(seen));
	check_same(l, "no_new_privs", row->steps & STEP_NONEWPRIVS ? "1" :
	    "0", seen);
	field(pid, "status", "Seccomp:", seen, sizeof(seen));
	check_same(l, "seccomp", row->steps & STEP_SYSCALLS ? "2" : "0", seen);
	check_caps(l, row);
	if (row->steps & STEP_UNDUMP)
		check_dumpable(l);
	if (role != ROLE_MONITOR)
		check_limits(l, row);
	return (l->bad);
}
