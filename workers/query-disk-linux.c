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
 * Linux: block devices as /sys, udev's records and /proc/diskstats show them.
 * No device is opened.  Which controller a disk hangs on is read off its path
 * in sysfs, as qemu-ga does it: hosts look their own disks up by that.
 */

#include <sys/types.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "query.h"
#include "readall.h"
#include "value.h"

#define DISK_TEXT	512		/* of a device's name or serial */
#define NAMES_MAX	65536		/* entries of a directory */
#define RECORD_MAX	65536		/* bytes of a udev record */
#define STATS_MAX	(16 * 1024 * 1024)
#define STACK_MAX	1024		/* devices below a virtual one */

enum place { PLACE_DOMAIN, PLACE_BUS, PLACE_SLOT, PLACE_FUNCTION, PLACES };

struct address {
	const char	*type;		/* of the bus, as the schema names it */
	int64_t		 pci[PLACES];	/* -1: unknown */
	unsigned int	 ccw[4];	/* css, ss, subchannel, device */
	int		 hasccw;
	unsigned int	 bus, target, unit;
	char		 dev[DISK_TEXT];	/* "": unknown */
	char		 serial[DISK_TEXT];
};

/* Where on its controller a disk is. */
struct way {
	int		 index;		/* of its port; -1: unknown */
	int		 hastarget;
	unsigned int	 target[3];	/* channel, id, unit */
};

struct names {
	char		**v;
	size_t		 n, size;
};

struct stat_line {
	const char	*name;
	size_t		 len;
	uint64_t	 major, minor;
	uint64_t	 v[17];
	size_t		 n;
};

static int	 names_add(struct names *, const char *);
static int	 names_read(struct names *, int, unsigned char, const char *);
static void	 names_free(struct names *);
static int	 is_partition(const char *, const char *);
static int	 is_virtual(const char *);
static ssize_t	 read_at(int, const char *, char *, size_t);
static int	 line_value(const char *, const char *, char *, size_t);
static int	 device_node(int, char *, size_t, char *, size_t);
static void	 udev_serial(const char *, char *, size_t);
static int	 address_find(struct address *, int, const char *);
static int	 address_pci(struct address *, const char *);
static int	 address_ccw(struct address *, const char *);
static int	 address_virtio(struct address *, const char *);
static void	 address_write(struct value_writer *, const char *,
		    const struct address *);
static const char *pci_driver(const char *, size_t, char *, size_t);
static void	 way_find(struct way *, const char *);
static int	 way_index(const char *, size_t, const char *);
static int	 by_ata(struct address *, const struct way *);
static int	 by_ahci(struct address *, const struct way *);
static int	 by_lsi(struct address *, const struct way *);
static int	 by_virtio(struct address *, const struct way *);
static int	 by_itself(struct address *, const struct way *);
static void	 disk_write(struct value_writer *, const char *);
static void	 disk_members(struct value_writer *, int, const char *,
		    const char *);
static void	 partition_write(struct value_writer *, int, const char *,
		    const char *);
static void	 dependencies_write(struct value_writer *, int);
static int	 stat_parse(struct stat_line *, const char *, const char *);
static int	 stat_number(const char **, const char *, uint64_t *);
static void	 stat_write(struct value_writer *, const struct stat_line *);

/* Of those that QEMU has, what a disk's place on them means. */
static const struct {
	const char	*driver, *type;
	int		(*find)(struct address *, const struct way *);
} controllers[] = {
	{ "virtio-pci", "virtio", by_virtio },
	{ "ahci", "sata", by_ahci },
	{ "nvme", "nvme", by_itself },
	{ "ata_piix", "ide", by_ata },
	{ "sym53c8xx", "scsi", by_lsi },
	{ "xhci_hcd", "usb", by_itself },
	{ "ehci-pci", "usb", by_itself }
};
#define CONTROLLERS	(sizeof(controllers) / sizeof(controllers[0]))

const char	*linux_root = "";

/* --- files --- */

int
linux_open(const char *path, int flags)
{
	char	 full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s%s", linux_root, path) >=
	    (int)sizeof(full)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags));
}

int
linux_link(const char *path, char *to, size_t size)
{
	char		 full[PATH_MAX], link[PATH_MAX];
	const char	*p = link;
	char		*slash;
	ssize_t		 n;

	if (snprintf(full, sizeof(full), "%s%s", linux_root, path) >=
	    (int)sizeof(full) || strlcpy(to, path, size) >= size) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((n = readlink(full, link, sizeof(link) - 1)) == -1)
		return (-1);
	link[n] = '\0';
	/* The link's own name goes, then one more for each step up. */
	if ((slash = strrchr(to, '/')) != NULL)
		*slash = '\0';
	for (; strncmp(p, "../", 3) == 0 && slash != NULL; p += 3)
		if ((slash = strrchr(to, '/')) != NULL)
			*slash = '\0';
	if (slash == NULL || *p == '/') {
		errno = EINVAL;
		return (-1);
	}
	if (strlcat(to, "/", size) >= size || strlcat(to, p, size) >= size) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (0);
}

/* A small file below a directory, terminated; -1: it cannot be read. */
static ssize_t
read_at(int dir, const char *path, char *buf, size_t size)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return (-1);
	if ((n = query_read(fd, buf, size - 1)) != -1)
		buf[n] = '\0';
	(void)close(fd);
	return (n);
}

/*
 * Of the first line that begins so, the rest.  1, or 0 if there is none or it
 * is longer than what takes it: a serial number cut short is another disk's.
 */
static int
line_value(const char *text, const char *key, char *out, size_t size)
{
	size_t	 len = strlen(key), n;

	for (; text != NULL; text = strchr(text, '\n')) {
		if (*text == '\n')
			text++;
		if (strncmp(text, key, len) != 0)
			continue;
		n = strcspn(text + len, "\n");
		if (n >= size)
			break;
		memcpy(out, text + len, n);
		out[n] = '\0';
		return (1);
	}
	out[0] = '\0';
	return (0);
}

size_t
linux_scan(const char *text, const char *pattern, unsigned int *v)
{
	const char	*p = text;
	unsigned long	 n;
	char		*end;

	for (; *pattern != '\0'; pattern++) {
		if (strchr("xXuU", *pattern) == NULL) {
			if (*p++ != *pattern)
				return (0);
			continue;
		}
		/* No sign and no space, which strtoul(3) would take. */
		if (!isxdigit((unsigned char)*p))
			return (0);
		errno = 0;
		n = strtoul(p, &end, tolower((unsigned char)*pattern) == 'x' ?
		    16 : 10);
		if (errno != 0 || n > UINT_MAX || end == p)
			return (0);
		if (*pattern == 'x' || *pattern == 'u')
			*v++ = (unsigned int)n;
		p = end;
	}
	return ((size_t)(p - text));
}

/* --- names in a directory --- */

static int
names_add(struct names *ns, const char *name)
{
	char	**v;
	size_t	 size;

	if (ns->n == NAMES_MAX) {
		errno = ERANGE;
		return (-1);
	}
	if (ns->n == ns->size) {
		size = ns->size == 0 ? 16 : ns->size * 2;
		if ((v = reallocarray(ns->v, size, sizeof(*v))) == NULL)
			return (-1);
		ns->v = v;
		ns->size = size;
	}
	if ((ns->v[ns->n] = strdup(name)) == NULL)
		return (-1);
	ns->n++;
	return (0);
}

static void
names_free(struct names *ns)
{
	while (ns->n > 0)
		free(ns->v[--ns->n]);
	free(ns->v);
	memset(ns, 0, sizeof(*ns));
}

/*
 * Appends what is of that type and, unless disk is NULL, named as one of its
 * partitions.  Takes the descriptor, which may be -1, over.
 */
static int
names_read(struct names *ns, int fd, unsigned char type, const char *disk)
{
	struct dirent	*d;
	DIR		*dir;
	int		 saved;

	if (fd == -1)
		return (-1);
	if ((dir = fdopendir(fd)) == NULL) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return (-1);
	}
	for (;;) {
		errno = 0;
		if ((d = readdir(dir)) == NULL)
			break;
		if (d->d_type != type || strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0 ||
		    (disk != NULL && !is_partition(disk, d->d_name)))
			continue;
		if (names_add(ns, d->d_name) == -1)
			break;
	}
	saved = errno;
	(void)closedir(dir);
	errno = saved;
	return (errno == 0 ? 0 : -1);
}

/* sda1, nvme0n1p1 */
static int
is_partition(const char *disk, const char *name)
{
	size_t	 len = strlen(disk);

	if (strncmp(disk, name, len) != 0)
		return (0);
	name += len;
	if (*name == 'p')
		name++;
	return (isdigit((unsigned char)*name));
}

/* --- one device --- */

/* Made of others, or of nothing: it has no place, but they may. */
static int
is_virtual(const char *path)
{
	return (strstr(path, "/devices/virtual/block/") != NULL);
}

/*
 * The path of its node from its uevent file, as udev has it, and its record's
 * name unless that is NULL.  -1: it has none.
 */
static int
device_node(int dir, char *dev, size_t size, char *record, size_t rsize)
{
	char	 text[4096], name[DISK_TEXT], major[16], minor[16];

	dev[0] = '\0';
	if (read_at(dir, "uevent", text, sizeof(text)) == -1)
		return (-1);
	if (record != NULL && line_value(text, "MAJOR=", major,
	    sizeof(major)) && line_value(text, "MINOR=", minor,
	    sizeof(minor)))
		(void)snprintf(record, rsize, "/run/udev/data/b%s:%s", major,
		    minor);
	if (!line_value(text, "DEVNAME=", name, sizeof(name)) ||
	    snprintf(dev, size, "/dev/%s", name) >= (int)size) {
		dev[0] = '\0';
		return (-1);
	}
	return (0);
}

static void
udev_serial(const char *record, char *serial, size_t size)
{
	char	*text;
	size_t	 len;
	int	 fd;

	if ((fd = linux_open(record, 0)) == -1)
		return;
	if (read_all(fd, &text, &len, RECORD_MAX) == 0)
		(void)line_value(text, "E:ID_SERIAL=", serial, size);
	free(text);
	(void)close(fd);
}

/* dir is open at path.  0: nothing is known of where it is. */
static int
address_find(struct address *a, int dir, const char *path)
{
	char	 record[64] = "";
	int	 known = 0, i;

	memset(a, 0, sizeof(*a));
	a->type = "unknown";
	for (i = 0; i < PLACES; i++)
		a->pci[i] = -1;
	(void)device_node(dir, a->dev, sizeof(a->dev), record,
	    sizeof(record));
	if (record[0] != '\0')
		udev_serial(record, a->serial, sizeof(a->serial));
	if (strstr(path, "/devices/pci") != NULL)
		known = address_pci(a, path);
	else if (strstr(path, "/devices/css") != NULL)
		known = address_ccw(a, path);
	else if (strstr(path, "/virtio") != NULL)
		known = address_virtio(a, path);
	return (known || a->dev[0] != '\0' || a->serial[0] != '\0');
}

/* From the bridge down to the first function whose driver has disks. */
static int
address_pci(struct address *a, const char *path)
{
	struct way	 way;
	unsigned int	 at[PLACES];
	const char	*p, *driver;
	char		 buf[PATH_MAX];
	size_t		 i, n;

	p = strstr(path, "/devices/pci") + strlen("/devices/pci");
	if ((n = linux_scan(p, "X:X", NULL)) == 0)
		return (0);
	for (;;) {
		p += n;
		if ((n = linux_scan(p, "/x:x:x.x", at)) == 0)
			return (0);
		driver = pci_driver(path, (size_t)(p + n - path), buf,
		    sizeof(buf));
		for (i = 0; driver != NULL && i < CONTROLLERS; i++)
			if (strcmp(controllers[i].driver, driver) == 0)
				break;
		if (driver != NULL && i < CONTROLLERS)
			break;
	}
	way_find(&way, path);
	a->pci[PLACE_DOMAIN] = at[0];
	a->pci[PLACE_BUS] = at[1];
	a->pci[PLACE_SLOT] = at[2];
	a->pci[PLACE_FUNCTION] = at[3];
	if (!controllers[i].find(a, &way))
		return (0);
	if (strcmp(a->type, "unknown") == 0)
		a->type = controllers[i].type;
	return (1);
}

/* Of the device whose path is so long; NULL: it has none. */
static const char *
pci_driver(const char *path, size_t len, char *buf, size_t size)
{
	char		 link[PATH_MAX];
	const char	*slash;
	ssize_t		 n;

	if (snprintf(link, sizeof(link), "%s%.*s/driver", linux_root,
	    (int)len, path) >= (int)sizeof(link))
		return (NULL);
	if ((n = readlink(link, buf, size - 1)) == -1)
		return (NULL);
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	return (slash == NULL ? buf : slash + 1);
}

static void
way_find(struct way *way, const char *path)
{
	const char	*p;

	memset(way, 0, sizeof(*way));
	way->index = -1;
	if ((p = strstr(path, "/target")) != NULL)
		way->hastarget = linux_scan(p + strlen("/target"),
		    "U:U:U/U:u:u:u", way->target) != 0;
	if ((p = strstr(path, "/ata")) != NULL)
		way->index = way_index(path, (size_t)(p - path), "ata");
	else if ((p = strstr(path, "/host")) != NULL)
		way->index = way_index(path, (size_t)(p - path), "host");
}

/*
 * Ports are numbered through the whole machine: the port's place among its
 * controller's, which is the directory that the first len bytes name.
 */
static int
way_index(const char *path, size_t len, const char *prefix)
{
	struct names	 ns;
	char		 dir[PATH_MAX];
	unsigned int	 port, other;
	size_t		 i;
	int		 index = 0;

	if (linux_scan(path + len + 1 + strlen(prefix), "u", &port) == 0 ||
	    len >= sizeof(dir))
		return (-1);
	memcpy(dir, path, len);
	dir[len] = '\0';
	memset(&ns, 0, sizeof(ns));
	if (names_read(&ns, linux_open(dir, O_DIRECTORY), DT_DIR, NULL) == -1)
		index = -1;
	for (i = 0; i < ns.n && index != -1; i++)
		if (strncmp(ns.v[i], prefix, strlen(prefix)) == 0 &&
		    linux_scan(ns.v[i] + strlen(prefix), "u", &other) != 0 &&
		    other < port)
			index++;
	names_free(&ns);
	return (index);
}

/* A port for each IDE bus, its id the unit. */
static int
by_ata(struct address *a, const struct way *way)
{
	if (way->index == -1 || !way->hastarget)
		return (0);
	a->bus = (unsigned int)way->index;
	a->unit = way->target[1];
	return (1);
}

/* A port for each disk. */
static int
by_ahci(struct address *a, const struct way *way)
{
	if (way->index == -1 || !way->hastarget)
		return (0);
	a->unit = (unsigned int)way->index;
	return (1);
}

static int
by_lsi(struct address *a, const struct way *way)
{
	if (!way->hastarget)
		return (0);
	a->unit = way->target[1];
	return (1);
}

/* virtio-scsi has many disks, virtio-blk is one. */
static int
by_virtio(struct address *a, const struct way *way)
{
	if (!way->hastarget)
		return (1);
	a->type = "scsi";
	a->bus = way->target[0];
	a->target = way->target[1];
	a->unit = way->target[2];
	return (1);
}

static int
by_itself(struct address *a, const struct way *way)
{
	(void)a;
	(void)way;
	return (1);
}

/* s390x: the subchannel, then the device on it. */
static int
address_ccw(struct address *a, const char *path)
{
	const char	*p;

	p = strstr(path, "/devices/css") + strlen("/devices/css");
	if (linux_scan(p, "X/x.x.x/X.X.x/", a->ccw) == 0)
		return (0);
	a->hasccw = 1;
	if (strstr(p, "/virtio") != NULL)
		(void)address_virtio(a, path);
	return (1);
}

/* On a bus that is not PCI. */
static int
address_virtio(struct address *a, const char *path)
{
	struct way	 way;

	if (strstr(path, "/block") == NULL)
		return (0);
	way_find(&way, path);
	a->type = "virtio";
	return (by_virtio(a, &way));
}

static void
address_write(struct value_writer *w, const char *key,
    const struct address *a)
{
	static const char *const places[PLACES] = {
		"domain", "bus", "slot", "function"
	};
	static const char *const channels[] = {
		"cssid", "ssid", "subchno", "devno"
	};
	int	 i;

	value_object(w, key);
	value_object(w, "pci-controller");
	for (i = 0; i < PLACES; i++)
		value_int(w, places[i], a->pci[i]);
	value_close(w);
	value_string(w, "bus-type", a->type);
	value_uint(w, "bus", a->bus);
	value_uint(w, "target", a->target);
	value_uint(w, "unit", a->unit);
	if (a->serial[0] != '\0')
		value_string(w, "serial", a->serial);
	if (a->dev[0] != '\0')
		value_string(w, "dev", a->dev);
	if (a->hasccw) {
		value_object(w, "ccw-address");
		for (i = 0; i < 4; i++)
			value_uint(w, channels[i], a->ccw[i]);
		value_close(w);
	}
	value_close(w);
}

/*
 * Devices still to be looked at wait on a stack: last in, first out, which is
 * qemu-ga's order turned round, as its lists are.
 */
void
linux_addresses(struct value_writer *w, const char *path)
{
	struct address	 a;
	struct names	 todo, slaves;
	char		 link[PATH_MAX], to[PATH_MAX];
	char		*at;
	size_t		 i, seen;
	int		 dir;

	memset(&todo, 0, sizeof(todo));
	memset(&slaves, 0, sizeof(slaves));
	if (names_add(&todo, path) == -1)
		log_warn("%s", path);
	for (seen = 0; todo.n > 0 && seen < STACK_MAX; seen++) {
		at = todo.v[--todo.n];
		dir = linux_open(at, O_DIRECTORY);
		if (dir != -1 && !is_virtual(at)) {
			if (address_find(&a, dir, at))
				address_write(w, NULL, &a);
		} else if (dir != -1) {
			(void)names_read(&slaves, openat(dir, "slaves",
			    O_RDONLY | O_CLOEXEC | O_DIRECTORY), DT_LNK, NULL);
			for (i = 0; i < slaves.n; i++)
				if (snprintf(link, sizeof(link),
				    "%s/slaves/%s", at, slaves.v[i]) <
				    (int)sizeof(link) && linux_link(link, to,
				    sizeof(to)) == 0)
					(void)names_add(&todo, to);
			names_free(&slaves);
		}
		if (dir != -1)
			(void)close(dir);
		free(at);
	}
	names_free(&todo);
}

/* --- guest-get-disks --- */

int
linux_disks(struct value_writer *w, char *err, size_t size)
{
	struct names	 ns;
	size_t		 i;
	int		 rv = 0;

	memset(&ns, 0, sizeof(ns));
	if (names_read(&ns, linux_open("/sys/block", O_DIRECTORY), DT_LNK,
	    NULL) == -1)
		rv = query_fail(err, size,
		    "Can't open directory \"/sys/block\"");
	else {
		value_array(w, NULL);
		for (i = ns.n; i > 0; i--)
			disk_write(w, ns.v[i - 1]);
		value_close(w);
	}
	names_free(&ns);
	return (rv);
}

/* One without a size or a node, or gone since, is none. */
static void
disk_write(struct value_writer *w, const char *name)
{
	struct names	 partitions;
	char		 link[PATH_MAX], path[PATH_MAX], sectors[32];
	char		 dev[DISK_TEXT];
	size_t		 i;
	int		 dir;

	if (snprintf(link, sizeof(link), "/sys/block/%s", name) >=
	    (int)sizeof(link) || linux_link(link, path, sizeof(path)) == -1 ||
	    (dir = linux_open(path, O_DIRECTORY)) == -1)
		return;
	if (read_at(dir, "size", sectors, sizeof(sectors)) != -1 &&
	    strcmp(sectors, "0\n") != 0 &&
	    device_node(dir, dev, sizeof(dev), NULL, 0) != -1) {
		memset(&partitions, 0, sizeof(partitions));
		(void)names_read(&partitions, openat(dir, ".", O_RDONLY |
		    O_CLOEXEC | O_DIRECTORY), DT_DIR, name);
		for (i = partitions.n; i > 0; i--)
			partition_write(w, dir, partitions.v[i - 1], dev);
		names_free(&partitions);
		disk_members(w, dir, path, dev);
	}
	(void)close(dir);
}

static void
partition_write(struct value_writer *w, int disk, const char *name,
    const char *on)
{
	char	 dev[DISK_TEXT];
	int	 dir;

	if ((dir = openat(disk, name, O_RDONLY | O_CLOEXEC | O_DIRECTORY)) ==
	    -1)
		return;
	if (device_node(dir, dev, sizeof(dev), NULL, 0) != -1) {
		value_object(w, NULL);
		value_string(w, "name", dev);
		value_bool(w, "partition", 1);
		value_array(w, "dependencies");
		value_string(w, NULL, on);
		value_close(w);
		value_close(w);
	}
	(void)close(dir);
}

static void
disk_members(struct value_writer *w, int dir, const char *path,
    const char *dev)
{
	const unsigned char *log;
	struct address	 a;
	char		 alias[DISK_TEXT];

	value_object(w, NULL);
	value_string(w, "name", dev);
	value_bool(w, "partition", 0);
	dependencies_write(w, dir);
	if (!is_virtual(path)) {
		if (address_find(&a, dir, path)) {
			address_write(w, "address", &a);
			if (strcmp(a.type, "nvme") == 0 && (log =
			    smart_find(strrchr(dev, '/') + 1)) != NULL)
				smart_write(w, log);
		}
	} else if (read_at(dir, "dm/name", alias, sizeof(alias)) > 0) {
		alias[strcspn(alias, "\n")] = '\0';
		if (alias[0] != '\0')
			value_string(w, "alias", alias);
	}
	value_close(w);
}

static void
dependencies_write(struct value_writer *w, int disk)
{
	struct names	 ns;
	char		 dev[DISK_TEXT];
	size_t		 i;
	int		 slaves, dir;

	slaves = openat(disk, "slaves", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (slaves == -1)
		return;
	memset(&ns, 0, sizeof(ns));
	(void)names_read(&ns, openat(slaves, ".", O_RDONLY | O_CLOEXEC |
	    O_DIRECTORY), DT_LNK, NULL);
	value_array(w, "dependencies");
	for (i = ns.n; i > 0; i--) {
		if ((dir = openat(slaves, ns.v[i - 1], O_RDONLY | O_CLOEXEC |
		    O_DIRECTORY)) == -1)
			continue;
		if (device_node(dir, dev, sizeof(dev), NULL, 0) != -1)
			value_string(w, NULL, dev);
		(void)close(dir);
	}
	value_close(w);
	names_free(&ns);
	(void)close(slaves);
}

/* --- guest-get-diskstats --- */

int
linux_diskstats(struct value_writer *w, char *err, size_t size)
{
	static const char	 file[] = "/proc/diskstats";
	struct stat_line	 s;
	const char		*line, *end;
	char			*text;
	size_t			 len;
	int			 fd;

	if ((fd = linux_open(file, 0)) == -1)
		return (query_fail(err, size, "open(\"/proc/diskstats\")"));
	if (read_all(fd, &text, &len, STATS_MAX) == -1) {
		(void)query_fail(err, size, "read(\"/proc/diskstats\")");
		(void)close(fd);
		return (-1);
	}
	(void)close(fd);
	value_array(w, NULL);
	for (line = text; line < text + len; line = end + 1) {
		end = memchr(line, '\n', len - (size_t)(line - text));
		if (end == NULL)
			end = text + len;
		if (stat_parse(&s, line, end) == 0)
			stat_write(w, &s);
	}
	value_close(w);
	free(text);
	return (0);
}

/* -1: a line that is not one of a disk. */
static int
stat_parse(struct stat_line *s, const char *p, const char *end)
{
	if (stat_number(&p, end, &s->major) == -1 ||
	    stat_number(&p, end, &s->minor) == -1)
		return (-1);
	while (p < end && *p == ' ')
		p++;
	s->name = p;
	while (p < end && *p != ' ')
		p++;
	s->len = (size_t)(p - s->name);
	for (s->n = 0; s->n < 17; s->n++)
		if (stat_number(&p, end, &s->v[s->n]) == -1)
			break;
	return (s->len == 0 || s->n < 4 ? -1 : 0);
}

static int
stat_number(const char **p, const char *end, uint64_t *n)
{
	const char	*digits;

	while (*p < end && **p == ' ')
		(*p)++;
	*n = 0;
	for (digits = *p; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		if (*n > (UINT64_MAX - 9) / 10)
			return (-1);
		*n = *n * 10 + (uint64_t)(**p - '0');
	}
	return (*p == digits ? -1 : 0);
}

/* Each version of the kernel has more of them; in steps, never between. */
static void
stat_write(struct value_writer *w, const struct stat_line *s)
{
	static const char *const names[] = {
		"read-ios", "read-merges", "read-sectors", "read-ticks",
		"write-ios", "write-merges", "write-sectors", "write-ticks",
		"ios-pgr", "total-ticks", "weight-ticks",
		"discard-ios", "discard-merges", "discard-sectors",
		"discard-ticks",
		"flush-ios", "flush-ticks"
	};
	static const char *const partition[] = {
		"read-ios", "read-sectors", "write-ios", "write-sectors"
	};
	const char *const	*name = names;
	size_t			 i, n = 0;

	if (s->n >= 17)
		n = 17;
	else if (s->n >= 15)
		n = 15;
	else if (s->n >= 11)
		n = 11;
	else if (s->n == 4) {
		n = 4;
		name = partition;
	}
	value_object(w, NULL);
	value_bytes(w, "name", s->name, s->len);
	value_uint(w, "major", s->major);
	value_uint(w, "minor", s->minor);
	value_object(w, "stats");
	for (i = 0; i < n; i++)
		value_uint(w, name[i], s->v[i]);
	value_close(w);
	value_close(w);
}
