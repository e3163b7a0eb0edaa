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
 * The freezer's halves: freeze.c decides when, freeze-<system>.c knows the
 * system's file systems.
 */

#ifndef FREEZE_H
#define FREEZE_H

#include <stddef.h>
#include <stdint.h>

struct freeze_fs {
	char		*path;		/* one of its mount points */
	uint32_t	 major, minor;	/* how the system tells it apart */
	int		 fd;		/* -1: not open */
};

struct freeze_list {
	struct freeze_fs *fs;		/* in the order of freezing */
	size_t		 n;
};

#define FREEZE_FS_MAX	16384		/* more: an error */
#define BOOT_ID_MAX	64

/*
 * Find what is to be frozen, in an order in which no freeze waits for one
 * before it: whatever lies on another file system stands before that.  Each
 * once, however often it is mounted; open.  mounts: NULL: all; else those
 * that have one of the n as a mount point.  exclude: prefixes, separated by
 * commas, or "".  0, or -1 with the reason in text.
 */
int	 freeze_find(char *const *mounts, size_t n, const char *exclude,
	    struct freeze_list *, char *text, size_t);

/*
 * What freeze_find() of all would make of each file system, and why; first
 * those that it would freeze, in that order.  PLAN_FAIL: all of it would
 * fail there.  Borrowed for the call: where it is mounted, its kind, and the
 * reason.  0, or -1: errno.
 */
enum freeze_verdict { PLAN_FREEZE, PLAN_SKIP, PLAN_NO_DISK, PLAN_FAIL };
typedef void freeze_plan_fn(void *, enum freeze_verdict, const char *point,
    const char *type, const char *why);
int	 freeze_plan(const char *exclude, freeze_plan_fn *, void *);

/* Open, wherever it is mounted now, what a marker names; -1: errno. */
int	 freeze_reach(struct freeze_fs *);

/*
 * Each 0 or an errno.  They call the system once and nothing else.  EBUSY:
 * frozen by somebody else; EOPNOTSUPP: this kind cannot be.  EINVAL of a
 * thaw: it is thawed.
 */
int	 fs_freeze(int);
int	 fs_thaw(int);
int	 fs_flush(int);
/* NULL, or what could not be had, with errno: nothing to end for. */
const char *freeze_lock_memory(void);

/* "MAJOR:MINOR", and where it ends; -1: it is none. */
int	 freeze_device(const char *, uint32_t *, uint32_t *,
	    const char **end);

/* The boot's name: another one at each boot.  -1: errno. */
int	 freeze_boot(char[BOOT_ID_MAX]);

/*
 * freeze-marker.c: the file that says what was frozen, should nobody be left
 * who knows.  Of a directory that is root's.  -1: errno.
 */
struct freeze_marker {
	char		 boot[BOOT_ID_MAX];
	struct freeze_list list;	/* fds are -1 */
};
int	 marker_write(const char *dir, const struct freeze_list *);
/* 1: there is one; 0: there is none. */
int	 marker_read(const char *dir, struct freeze_marker *);
int	 marker_remove(const char *dir);

#endif
