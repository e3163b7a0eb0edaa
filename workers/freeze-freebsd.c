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
 * FreeBSD: UFS by /dev/ufssuspend, of which one descriptor holds one file
 * system and lets it go when its last copy is closed, whoever dies.  The
 * kernel asks whether root may write the disk, so the freezer stays root;
 * it is in capability mode, and its descriptors can do nothing else.  ZFS has
 * nothing of the kind.  A file system in a memory disk may lie on another
 * one, which then would wait for it: it is left alone.
 *
 * The kernel refuses who has threads, or a file open for writing there: the
 * freezer has neither.
 */

#include <sys/param.h>
#include <sys/capsicum.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/procctl.h>
#include <sys/resource.h>
#include <ufs/ffs/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "freeze.h"
#include "log.h"
#include "pathname.h"

#define MOUNTS_MAX	65536
#define MEMORY_DISK	"/dev/md"

/* What a descriptor is to hold; found again by its number. */
struct held {
	int		 fd;
	fsid_t		 id;
};

static struct held *held;
static size_t	 nheld;

static int	 mounts(struct statfs **);
static enum freeze_verdict judge(const struct statfs *, const char *,
		    const char **);
static int	 wanted(const struct statfs *, char *const *, size_t,
		    const char *);
static int	 add(struct freeze_list *, const struct statfs *, char *, size_t);
static int	 suspender(fsid_t);

/* All of them, the newest last; how many, or -1.  The caller frees *v. */
static int
mounts(struct statfs **v)
{
	int n, room;

	if ((n = getfsstat(NULL, 0, MNT_NOWAIT)) < 0)
		return (-1);
	room = (n > MOUNTS_MAX ? MOUNTS_MAX : n) + 16;
	if ((*v = calloc((size_t)room, sizeof(**v))) == NULL)
		return (-1);
	n = getfsstat(*v, room * (long)sizeof(**v), MNT_NOWAIT);
	if (n < 0) {
		free(*v);
		*v = NULL;
		return (-1);
	}
	return (n > room ? room : n);
}

int
freeze_find(char *const *names, size_t n, const char *exclude,
    struct freeze_list *list, char *text, size_t size)
{
	struct statfs *v;
	struct rlimit rl;
	int i, count, rv = 0;

	memset(list, 0, sizeof(*list));
	/* A descriptor each. */
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	if ((count = mounts(&v)) == -1) {
		(void)snprintf(text, size, "getfsstat: %s", strerror(errno));
		return (-1);
	}
	if ((list->fs = calloc((size_t)count + 1, sizeof(*list->fs))) ==
	    NULL || (held = calloc((size_t)count + 1, sizeof(*held))) ==
	    NULL)
		fatal("calloc");
	/* The newest first: what is mounted on another stands before it. */
	for (i = count; i > 0 && rv == 0; i--)
		if (wanted(&v[i - 1], names, n, exclude))
			rv = add(list, &v[i - 1], text, size);
	free(v);
	return (rv);
}

/* What is to become of it, and why it is not frozen. */
static enum freeze_verdict
judge(const struct statfs *f, const char *exclude, const char **why)
{
	*why = "";
	if ((f->f_flags & MNT_LOCAL) == 0 ||
	    (strncmp(f->f_mntfromname, _PATH_DEV, strlen(_PATH_DEV)) != 0 &&
	    strcmp(f->f_fstypename, "zfs") != 0)) {
		*why = "it is on no disk of this machine";
		return (PLAN_NO_DISK);
	}
	if (path_below_any(f->f_mntonname, exclude))
		*why = "the configuration excludes it";
	else if ((f->f_flags & MNT_RDONLY) != 0)
		*why = "it is read-only";
	else if (strcmp(f->f_fstypename, "zfs") == 0)
		*why = "ZFS cannot be";
	else if (strcmp(f->f_fstypename, "ufs") != 0)
		*why = "its kind cannot be frozen";
	else if (strncmp(f->f_mntfromname, MEMORY_DISK,
	    strlen(MEMORY_DISK)) == 0)
		*why = "it is on a memory disk";
	return (**why == '\0' ? PLAN_FREEZE : PLAN_SKIP);
}

static int
wanted(const struct statfs *f, char *const *names, size_t n,
    const char *exclude)
{
	const char *why;
	enum freeze_verdict verdict = judge(f, exclude, &why);
	size_t i;

	for (i = 0; names != NULL && i < n; i++)
		if (strcmp(names[i], f->f_mntonname) == 0)
			break;
	if (names != NULL && i == n)
		return (0);
	if (verdict == PLAN_SKIP)
		log_info("%s is not frozen: %s", f->f_mntonname, why);
	return (verdict == PLAN_FREEZE);
}

int
freeze_plan(const char *exclude, freeze_plan_fn *show, void *arg)
{
	struct statfs *v;
	const char *why;
	enum freeze_verdict verdict;
	int i, count, frozen;

	if ((count = mounts(&v)) == -1)
		return (-1);
	/* First what would be frozen. */
	for (frozen = 1; frozen >= 0; frozen--)
		for (i = count; i > 0; i--) {
			verdict = judge(&v[i - 1], exclude, &why);
			if ((verdict == PLAN_FREEZE) == frozen)
				show(arg, verdict, v[i - 1].f_mntonname,
				    v[i - 1].f_fstypename, why);
		}
	free(v);
	return (0);
}

static int
add(struct freeze_list *list, const struct statfs *f, char *text, size_t size)
{
	struct freeze_fs *fs = &list->fs[list->n];

	if (list->n == FREEZE_FS_MAX) {
		(void)snprintf(text, size, "more than %d file systems",
		    FREEZE_FS_MAX);
		return (-1);
	}
	if ((fs->fd = suspender(f->f_fsid)) == -1) {
		(void)snprintf(text, size, "failed to open %s for %s: %s",
		    _PATH_UFSSUSPEND, f->f_mntonname, strerror(errno));
		return (-1);
	}
	fs->major = (uint32_t)f->f_fsid.val[0];
	fs->minor = (uint32_t)f->f_fsid.val[1];
	if ((fs->path = strdup(f->f_mntonname)) == NULL)
		fatal("strdup");
	list->n++;
	return (0);
}

/* A descriptor for one file system, which can hold and release and no more. */
static int
suspender(fsid_t id)
{
	static const unsigned long commands[] = { UFSSUSPEND, UFSRESUME };
	cap_rights_t rights;
	int fd, error;

	if ((fd = open(_PATH_UFSSUSPEND, O_RDWR | O_CLOEXEC)) == -1)
		return (-1);
	cap_rights_init(&rights, CAP_IOCTL);
	if ((cap_rights_limit(fd, &rights) == -1 ||
	    cap_ioctls_limit(fd, commands, 2) == -1) && errno != ENOSYS) {
		error = errno;
		(void)close(fd);
		errno = error;
		return (-1);
	}
	held[nheld].fd = fd;
	held[nheld++].id = id;
	return (fd);
}

/*
 * What a marker names was released when the freezer's descriptors were
 * closed; one of our own says so.
 */
int
freeze_reach(struct freeze_fs *fs)
{
	fsid_t id;

	id.val[0] = (int32_t)fs->major;
	id.val[1] = (int32_t)fs->minor;
	nheld = 0;
	if (held == NULL && (held = calloc(1, sizeof(*held))) == NULL)
		return (-1);
	fs->fd = suspender(id);
	return (fs->fd == -1 ? -1 : 0);
}

int
fs_freeze(int fd)
{
	size_t i;

	for (i = 0; i < nheld && held[i].fd != fd; i++)
		;
	if (i == nheld)
		return (EBADF);
	return (ioctl(fd, UFSSUSPEND, &held[i].id) == -1 ? errno : 0);
}

/* ENOENT: the descriptor holds nothing. */
int
fs_thaw(int fd)
{
	if (ioctl(fd, UFSRESUME) == 0)
		return (0);
	return (errno == ENOENT || errno == EBADF ? EINVAL : errno);
}

int
fs_flush(int fd)
{
	(void)fd;
	sync();
	return (0);
}

/* Nor is it to be killed for want of memory. */
const char *
freeze_lock_memory(void)
{
	int flags = PPROT_SET, protected, error;

	protected = procctl(P_PID, getpid(), PROC_SPROTECT, &flags);
	error = errno;
	if (mlockall(MCL_CURRENT | MCL_FUTURE) == -1)
		return ("memory is not locked");
	errno = error;
	return (protected == -1 ? "PROC_SPROTECT" : NULL);
}
