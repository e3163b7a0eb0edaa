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
 * Linux: mounts from mountinfo, what they lie on from /sys, FIFREEZE.
 *
 * A superblock is frozen, not a mount: mountinfo's major:minor tells them
 * apart (a subvolume's st_dev is another).  A freeze writes the superblock's
 * dirty data, so it would wait for ever on one frozen before that it lies on.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <linux/fs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "freeze.h"
#include "log.h"
#include "pathname.h"

#define MOUNTINFO	"/proc/self/mountinfo"
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"
#define DEVICES_MAX	256	/* below one file system */

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER	57
#endif

struct super {
	dev_t		 dev;
	char		*source, *type;
	const char	*skip;		/* why it is left out, or NULL */
	int		 wanted;	/* one of its mounts is listed */
	int		 excluded;
	int		 root;		/* it is mounted on / */
	size_t		 last;		/* the newest of its mounts */
	unsigned int	 depth;		/* file systems below it */
};

struct mount {
	int		 id;
	char		*point;
	size_t		 super;
	int		 user;		/* a user's fuse: his to say who waits */
};

/* upper lies on lower, both indices of supers */
struct edge {
	size_t		 upper, lower;
};

struct table {
	struct super	*supers;
	struct mount	*mounts;
	struct edge	*edges;
	size_t		 nsupers, nmounts, nedges;
};

struct devices {
	dev_t		 dev[DEVICES_MAX];
	size_t		 n;
};

static const char no_disk[] = "it has no disk of its own";

static int	 table_read(struct table *);
static int	 table_line(struct table *, char *);
static size_t	 super_of(struct table *, dev_t);
static void	 table_free(struct table *);
static void	*grow(void *, size_t, size_t);
static char	*word(char **);
static const char *unfit(const char *, const char *, unsigned int);
static int	 of_user(const char *, const char *);
static int	 has_option(const char *, const char *);
static void	 choose(struct table *, char *const *, size_t, const char *);
static void	 stack(struct table *);
static void	 lies_on(struct table *, size_t);
static void	 device_add(struct devices *, dev_t);
static void	 device_look(struct table *, size_t, struct devices *, dev_t);
static void	 backing(struct table *, size_t, struct devices *,
		    const char *);
static int	 sys_read(const char *, char *, size_t);
static int	 sys_dev(const char *, dev_t *);
static int	 super_open(const struct table *, size_t, size_t *);
static int	 in_the_way(const struct table *, const char *, size_t);
static int	 mount_open(const struct mount *, dev_t);
static int	 mount_id(int);
static int	 compare(const void *, const void *);
static size_t	*sorted(const struct table *, size_t *);
static int	 freezes(const char *);
static int	 reach(struct freeze_fs *);
static int	 uncover(const struct freeze_fs *);
static int	 hides(const struct table *, size_t, dev_t);

/* --- the table of mounts --- */

static void *
grow(void *array, size_t n, size_t size)
{
	/* By steps that double, when n is a power of two. */
	if (n != 0 && (n & (n - 1)) != 0)
		return (array);
	if ((array = reallocarray(array, n == 0 ? 1 : n * 2, size)) == NULL)
		fatal("reallocarray");
	return (array);
}

static int
table_read(struct table *t)
{
	FILE *f;
	char *line = NULL;
	size_t size = 0;
	int rv = 0;

	memset(t, 0, sizeof(*t));
	if ((f = fopen(MOUNTINFO, "re")) == NULL)
		return (-1);
	while (rv == 0 && getline(&line, &size, f) > 0)
		rv = table_line(t, line);
	if (ferror(f))
		rv = -1;
	free(line);
	fclose(f);
	return (rv);
}

/* ID PARENT MAJ:MIN ROOT POINT OPTIONS [TAG ...] - TYPE SOURCE SUPEROPTIONS */
static int
table_line(struct table *t, char *line)
{
	struct super *s;
	struct mount *m;
	const char *end;
	uint32_t maj, min;
	char *id, *dev, *point, *type, *source, *options, *tag;

	line[strcspn(line, "\n")] = '\0';
	id = word(&line);
	(void)word(&line);
	dev = word(&line);
	(void)word(&line);
	point = word(&line);
	while ((tag = word(&line)) != NULL && strcmp(tag, "-") != 0)
		;
	type = word(&line);
	source = word(&line);
	options = word(&line);
	/* A source may be the empty string: two blanks, and no third word. */
	if (options == NULL) {
		options = source;
		source = NULL;
	}
	if (id == NULL || dev == NULL || point == NULL || type == NULL ||
	    options == NULL || freeze_device(dev, &maj, &min, &end) == -1) {
		errno = EINVAL;
		return (-1);
	}
	path_unescape(point);
	t->mounts = grow(t->mounts, t->nmounts, sizeof(*t->mounts));
	m = &t->mounts[t->nmounts];
	m->id = (int)strtol(id, NULL, 10);
	m->super = super_of(t, makedev(maj, min));
	m->user = of_user(type, options);
	if ((m->point = strdup(point)) == NULL)
		fatal("strdup");
	s = &t->supers[m->super];
	s->last = t->nmounts++;
	if (strcmp(point, "/") == 0)
		s->root = 1;
	if (s->skip == NULL)
		s->skip = unfit(type, options, maj);
	if (s->type == NULL && (s->type = strdup(type)) == NULL)
		fatal("strdup");
	if (s->source == NULL && source != NULL) {
		path_unescape(source);
		if ((s->source = strdup(source)) == NULL)
			fatal("strdup");
	}
	return (0);
}

/* The super of that device, a new one if there is none. */
static size_t
super_of(struct table *t, dev_t dev)
{
	size_t i;

	for (i = 0; i < t->nsupers; i++)
		if (t->supers[i].dev == dev)
			return (i);
	t->supers = grow(t->supers, t->nsupers, sizeof(*t->supers));
	memset(&t->supers[i], 0, sizeof(t->supers[i]));
	t->supers[i].dev = dev;
	return (t->nsupers++);
}

static void
table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->nsupers; i++) {
		free(t->supers[i].source);
		free(t->supers[i].type);
	}
	for (i = 0; i < t->nmounts; i++)
		free(t->mounts[i].point);
	free(t->supers);
	free(t->mounts);
	free(t->edges);
}

static char *
word(char **line)
{
	char *start = *line;
	size_t len;

	if (start == NULL || *start == '\0')
		return (NULL);
	len = strcspn(start, " ");
	*line = start[len] == '\0' ? NULL : start + len + 1;
	start[len] = '\0';
	return (start);
}

/*
 * Nothing to freeze: no block device behind it, but for the kinds that have
 * several; one served by a process, which could be frozen by it; read-only
 * as a whole, not just as a mount.
 */
static const char *
unfit(const char *type, const char *options, unsigned int maj)
{
	if (maj == 0 && strcmp(type, "btrfs") != 0 &&
	    strcmp(type, "bcachefs") != 0)
		return (no_disk);
	if (strncmp(type, "fuse", 4) == 0)
		return ("a program serves it");
	if (has_option(options, "ro"))
		return ("it is read-only");
	return (NULL);
}

/* fusermount(1) mounts for whoever owns the directory. */
static int
of_user(const char *type, const char *options)
{
	return (strncmp(type, "fuse", 4) == 0 &&
	    !has_option(options, "user_id=0"));
}

static int
has_option(const char *options, const char *name)
{
	size_t len = strlen(name);

	for (;; options += strcspn(options, ",") + 1) {
		if (strncmp(options, name, len) == 0 &&
		    (options[len] == ',' || options[len] == '\0'))
			return (1);
		if (strchr(options, ',') == NULL)
			return (0);
	}
}

static void
choose(struct table *t, char *const *names, size_t n, const char *exclude)
{
	struct super *s;
	size_t i, j;

	for (i = 0; i < t->nmounts; i++) {
		s = &t->supers[t->mounts[i].super];
		if (path_below_any(t->mounts[i].point, exclude))
			s->excluded = 1;
		for (j = 0; j < n && !s->wanted; j++)
			if (strcmp(names[j], t->mounts[i].point) == 0)
				s->wanted = 1;
	}
	for (i = 0; i < t->nsupers; i++)
		if (names == NULL)
			t->supers[i].wanted = 1;
}

/* --- what lies on what --- */

/* Depths: no way leads up for ever, or the kernel would have hung. */
static void
stack(struct table *t)
{
	struct super *upper;
	size_t i, round;
	int changed = 1;

	for (i = 0; i < t->nsupers; i++)
		if (t->supers[i].skip == NULL)
			lies_on(t, i);
	for (round = 0; changed && round < t->nsupers; round++) {
		changed = 0;
		for (i = 0; i < t->nedges; i++) {
			upper = &t->supers[t->edges[i].upper];
			if (upper->depth > t->supers[t->edges[i].lower].depth)
				continue;
			upper->depth = t->supers[t->edges[i].lower].depth + 1;
			changed = 1;
		}
	}
}

/* All devices below, and each loop device's file. */
static void
lies_on(struct table *t, size_t super)
{
	struct devices d;
	struct stat st;
	const struct super *s = &t->supers[super];
	size_t i;

	d.n = 0;
	if (major(s->dev) != 0)
		device_add(&d, s->dev);
	else if (s->source != NULL && *s->source == '/' &&
	    stat(s->source, &st) == 0 && S_ISBLK(st.st_mode))
		device_add(&d, st.st_rdev);
	for (i = 0; i < d.n; i++)
		device_look(t, super, &d, d.dev[i]);
}

static void
device_add(struct devices *d, dev_t dev)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (d->dev[i] == dev)
			return;
	if (d->n < DEVICES_MAX)
		d->dev[d->n++] = dev;
}

/* A partition's disk, the parts of dm and md, a loop device's file. */
static void
device_look(struct table *t, size_t super, struct devices *d, dev_t dev)
{
	char sys[64], path[PATH_MAX], text[PATH_MAX];
	struct dirent *entry;
	dev_t other;
	DIR *dir;

	snprintf(sys, sizeof(sys), "/sys/dev/block/%u:%u", major(dev),
	    minor(dev));
	snprintf(path, sizeof(path), "%s/partition", sys);
	if (access(path, F_OK) == 0) {
		snprintf(path, sizeof(path), "%s/../dev", sys);
		if (sys_dev(path, &other) == 0)
			device_add(d, other);
	}
	snprintf(path, sizeof(path), "%s/slaves", sys);
	if ((dir = opendir(path)) != NULL) {
		while ((entry = readdir(dir)) != NULL) {
			if (*entry->d_name == '.')
				continue;
			snprintf(path, sizeof(path), "%s/slaves/%s/dev", sys,
			    entry->d_name);
			if (sys_dev(path, &other) == 0)
				device_add(d, other);
		}
		closedir(dir);
	}
	snprintf(path, sizeof(path), "%s/loop/backing_file", sys);
	if (sys_read(path, text, sizeof(text)) == 0)
		backing(t, super, d, text);
}

/*
 * By the mount that the path leads to; a file that was removed has none, and
 * a device is one more to look at.
 * What lies on a user's fuse is served by him, and left out like that.
 */
static void
backing(struct table *t, size_t super, struct devices *d, const char *path)
{
	struct stat st;
	size_t i, lower = t->nsupers;
	int fd, id;

	if (in_the_way(t, path, t->nmounts)) {
		log_warnx("the file system on %s is not frozen: a user "
		    "answers for it", path);
		t->supers[super].skip = "a user's program serves it";
		return;
	}
	if ((fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return;
	if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode)) {
		device_add(d, st.st_rdev);
		close(fd);
		return;
	}
	if ((id = mount_id(fd)) != -1)
		for (i = 0; i < t->nmounts; i++)
			if (t->mounts[i].id == id)
				lower = t->mounts[i].super;
	if (lower == t->nsupers && fstat(fd, &st) == 0)
		for (i = 0; i < t->nsupers; i++)
			if (t->supers[i].dev == st.st_dev)
				lower = i;
	close(fd);
	if (lower == t->nsupers || lower == super)
		return;
	t->edges = grow(t->edges, t->nedges, sizeof(*t->edges));
	t->edges[t->nedges].upper = super;
	t->edges[t->nedges++].lower = lower;
}

static int
sys_read(const char *path, char *text, size_t size)
{
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return (-1);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return (0);
}

static int
sys_dev(const char *path, dev_t *dev)
{
	char text[64];
	const char *end;
	uint32_t maj, min;

	if (sys_read(path, text, sizeof(text)) == -1 ||
	    freeze_device(text, &maj, &min, &end) == -1)
		return (-1);
	*dev = makedev(maj, min);
	return (0);
}

/* --- opening --- */

/* Of an O_PATH descriptor too, and on every kernel; -1: not known. */
static int
mount_id(int fd)
{
	static const char key[] = "mnt_id:";
	char path[64], text[512], *p;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	memset(text, 0, sizeof(text));
	if (read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	close(fd);
	if ((p = strstr(text, key)) == NULL)
		return (-1);
	return ((int)strtol(p + sizeof(key) - 1, NULL, 10));
}

/*
 * The mount's top, without opening what it might be instead by now.  ESTALE:
 * something else is mounted over it.
 */
static int
mount_open(const struct mount *m, dev_t dev)
{
	char path[64];
	struct stat st;
	int error, fd, id, top;

	if ((top = open(m->point, O_PATH | O_NOFOLLOW | O_CLOEXEC)) == -1)
		return (-1);
	id = mount_id(top);
	/* A look at what is not ours may have to wait for a daemon. */
	if ((id != -1 && id != m->id) || fstat(top, &st) == -1 ||
	    (id == -1 && st.st_dev != dev) || (!S_ISDIR(st.st_mode) &&
	    !S_ISREG(st.st_mode))) {
		close(top);
		errno = ESTALE;
		return (-1);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", top);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	error = errno;
	close(top);
	errno = error;
	return (fd);
}

/*
 * Has a user mounted something over a directory on the way to the path, or
 * right over it since a mount?  Then to walk there is to wait for him, or to
 * be refused: it would be his to say whether there is a freeze.
 */
static int
in_the_way(const struct table *t, const char *path, size_t since)
{
	size_t i, len;

	for (i = 0; i < t->nmounts; i++) {
		if (!t->mounts[i].user)
			continue;
		len = strlen(t->mounts[i].point);
		if (strncmp(path, t->mounts[i].point, len) == 0 &&
		    (path[len] == '/' || (path[len] == '\0' && i > since)))
			return (1);
	}
	return (0);
}

/* By any of its mounts, the newest first; which one is in *which. */
static int
super_open(const struct table *t, size_t super, size_t *which)
{
	size_t i;
	int error = ESTALE, fd;

	for (i = t->nmounts; i > 0; i--) {
		if (t->mounts[i - 1].super != super ||
		    in_the_way(t, t->mounts[i - 1].point, i - 1))
			continue;
		fd = mount_open(&t->mounts[i - 1], t->supers[super].dev);
		/* Hidden by what is mounted further up, or just gone. */
		if (fd == -1 && (errno == ENOENT || errno == ENOTDIR))
			errno = ESTALE;
		if (fd != -1 || errno != ESTALE)
			*which = i - 1;
		if (fd != -1)
			return (fd);
		if (errno != ESTALE)
			error = errno;
	}
	errno = error;
	return (-1);
}

static const struct table *compared;

/* Deepest first; then the root last, the newest first. */
static int
compare(const void *one, const void *two)
{
	const struct super *a = &compared->supers[*(const size_t *)one];
	const struct super *b = &compared->supers[*(const size_t *)two];

	if (a->depth != b->depth && DEFENCE(CONTROL_ORDER))
		return (a->depth > b->depth ? -1 : 1);
	if (a->depth != b->depth)
		return (a->depth < b->depth ? -1 : 1);
	if (a->root != b->root)
		return (a->root ? 1 : -1);
	return (a->last > b->last ? -1 : 1);
}

/* Those that are to be frozen, in that order; to be freed. */
static size_t *
sorted(const struct table *t, size_t *count)
{
	size_t i, *order;

	if ((order = calloc(t->nsupers + 1, sizeof(*order))) == NULL)
		fatal("calloc");
	*count = 0;
	for (i = 0; i < t->nsupers; i++)
		if (t->supers[i].wanted && t->supers[i].skip == NULL &&
		    !t->supers[i].excluded)
			order[(*count)++] = i;
	compared = t;
	qsort(order, *count, sizeof(*order), compare);
	compared = NULL;
	return (order);
}

int
freeze_find(char *const *names, size_t n, const char *exclude,
    struct freeze_list *list, char *text, size_t size)
{
	struct table t;
	struct rlimit rl;
	struct freeze_fs *fs;
	const struct super *s;
	size_t i, *order, count = 0, which = 0;

	memset(list, 0, sizeof(*list));
	/* A descriptor each. */
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	if (table_read(&t) == -1) {
		snprintf(text, size, "%s: %s", MOUNTINFO, strerror(errno));
		return (-1);
	}
	choose(&t, names, n, exclude);
	stack(&t);
	if ((list->fs = calloc(t.nsupers + 1, sizeof(*list->fs))) == NULL)
		fatal("calloc");
	order = sorted(&t, &count);
	if (count > FREEZE_FS_MAX) {
		snprintf(text, size, "more than %d file systems",
		    FREEZE_FS_MAX);
		return (-1);
	}
	for (i = 0; i < count; i++) {
		s = &t.supers[order[i]];
		fs = &list->fs[list->n];
		fs->fd = super_open(&t, order[i], &which);
		if (fs->fd == -1 && errno == ESTALE) {
			log_warnx("%s is not frozen: something else is "
			    "mounted over it", t.mounts[s->last].point);
			continue;
		}
		if (fs->fd == -1) {
			snprintf(text, size, "failed to open %s: %s",
			    t.mounts[which].point, strerror(errno));
			return (-1);
		}
		fs->major = major(s->dev);
		fs->minor = minor(s->dev);
		if ((fs->path = strdup(t.mounts[which].point)) == NULL)
			fatal("strdup");
		list->n++;
	}
	free(order);
	table_free(&t);
	return (0);
}

/* Not of the kinds whose FIFREEZE is known to be EOPNOTSUPP. */
static int
freezes(const char *type)
{
	static const char *const kinds[] = { "affs", "exfat", "hfs",
	    "hfsplus", "minix", "msdos", "ntfs", "ntfs3", "udf", "ufs",
	    "vfat" };
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], type) == 0)
			return (0);
	return (1);
}

int
freeze_plan(const char *exclude, freeze_plan_fn *show, void *arg)
{
	struct table t;
	const struct super *s;
	size_t i, *order, count, which;
	int fd;

	if (table_read(&t) == -1)
		return (-1);
	choose(&t, NULL, 0, exclude);
	stack(&t);
	order = sorted(&t, &count);
	for (i = 0; i < count; i++) {
		s = &t.supers[order[i]];
		which = s->last;
		if ((fd = super_open(&t, order[i], &which)) == -1)
			show(arg, errno == ESTALE ? PLAN_SKIP : PLAN_FAIL,
			    t.mounts[which].point, s->type, errno == ESTALE ?
			    "something else is mounted over it" :
			    strerror(errno));
		else if (close(fd) == 0 && !freezes(s->type))
			show(arg, PLAN_SKIP, t.mounts[which].point, s->type,
			    "its kind cannot be frozen");
		else
			show(arg, PLAN_FREEZE, t.mounts[which].point, s->type,
			    "");
	}
	for (i = 0; i < t.nsupers; i++) {
		s = &t.supers[i];
		if (s->skip != NULL || s->excluded)
			show(arg, s->skip == no_disk ? PLAN_NO_DISK :
			    PLAN_SKIP, t.mounts[s->last].point, s->type,
			    s->skip != NULL ? s->skip :
			    "the configuration excludes it");
	}
	free(order);
	table_free(&t);
	return (0);
}

/* In a view of our own, what hides it can be taken off. */
int
freeze_reach(struct freeze_fs *fs)
{
	if (reach(fs) == 0)
		return (0);
	if (errno != ESTALE || unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return (-1);
	while (uncover(fs) == 0)
		if (reach(fs) == 0)
			return (0);
	errno = ESTALE;
	return (-1);
}

static int
reach(struct freeze_fs *fs)
{
	struct table t;
	size_t i, which;
	int saved;

	if (table_read(&t) == -1)
		return (-1);
	errno = ENOENT;
	for (i = 0; i < t.nsupers; i++)
		if (t.supers[i].dev == makedev(fs->major, fs->minor))
			fs->fd = super_open(&t, i, &which);
	saved = errno;
	table_free(&t);
	errno = saved;
	return (fs->fd == -1 ? -1 : 0);
}

/* The newest of those; -1: there is none, or it cannot be taken off. */
static int
uncover(const struct freeze_fs *fs)
{
	struct table t;
	size_t i;
	int rv = -1;

	if (table_read(&t) == -1)
		return (-1);
	for (i = t.nmounts; i > 0; i--)
		if (hides(&t, i - 1, makedev(fs->major, fs->minor)) &&
		    !in_the_way(&t, t.mounts[i - 1].point, i - 1))
			break;
	if (i > 0)
		rv = umount2(t.mounts[i - 1].point, MNT_DETACH |
		    UMOUNT_NOFOLLOW);
	table_free(&t);
	return (rv);
}

/* Is it mounted over one of its mounts, or further up, and newer? */
static int
hides(const struct table *t, size_t mount, dev_t dev)
{
	const char *point = t->mounts[mount].point, *p;
	size_t i, len = strlen(point);

	if (t->supers[t->mounts[mount].super].dev == dev)
		return (0);
	for (i = 0; i < mount; i++) {
		p = t->mounts[i].point;
		if (t->supers[t->mounts[i].super].dev == dev &&
		    strncmp(p, point, len) == 0 &&
		    (p[len] == '/' || p[len] == '\0'))
			return (1);
	}
	return (0);
}

/* --- the calls --- */

int
fs_freeze(int fd)
{
	return (ioctl(fd, FIFREEZE, 0) == -1 ? errno : 0);
}

int
fs_thaw(int fd)
{
	return (ioctl(fd, FITHAW, 0) == -1 ? errno : 0);
}

int
fs_flush(int fd)
{
	return (syncfs(fd) == -1 ? errno : 0);
}

/* And memory that is wanted must not wait for what is frozen. */
const char *
freeze_lock_memory(void)
{
	int flusher, error;

	flusher = prctl(PR_SET_IO_FLUSHER, 1L, 0L, 0L, 0L);
	error = errno;
	if (mlockall(MCL_CURRENT | MCL_FUTURE) == -1)
		return ("memory is not locked");
	errno = error;
	return (flusher == -1 ? "PR_SET_IO_FLUSHER" : NULL);
}

int
freeze_boot(char boot[BOOT_ID_MAX])
{
	return (sys_read(BOOT_ID, boot, BOOT_ID_MAX));
}
