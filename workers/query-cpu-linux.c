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
 * The query worker on Linux: processors and memory blocks as /sys has them,
 * and what /proc/stat counts.
 */

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "query.h"
#include "value.h"

#define CPU_DIR		"/sys/devices/system/cpu"
#define MEMORY_DIR	"/sys/devices/system/memory"
#define PROC_STAT	"/proc/stat"

#define NUMBERS_MAX	(256 * 1024)	/* entries of a directory */
#define STAT_VALUES	10

/* Of the directories that are a name and a number, in order. */
struct numbers {
	uint64_t	*v;
	size_t		 n, size;
};

static int	 numbers_read(struct numbers *, DIR *, const char *);
static int	 numbers_add(struct numbers *, uint64_t);
static int	 numbers_compare(const void *, const void *);
static ssize_t	 read_at(int, const char *, char *, size_t);
static int	 vcpu(struct value_writer *, int, uint64_t, char *, size_t);
static int	 memory_block(struct value_writer *, int, uint64_t, char *,
		    size_t);
static void	 cpustat(struct value_writer *, char *);
static uint64_t	 milliseconds(uint64_t, uint64_t);

int
linux_vcpus(struct value_writer *w, char *err, size_t size)
{
	return (linux_vcpus_in(w, CPU_DIR, err, size));
}

int
linux_memory_blocks(struct value_writer *w, char *err, size_t size)
{
	return (linux_memory_blocks_in(w, MEMORY_DIR, err, size));
}

int
linux_memory_block_info(struct value_writer *w, char *err, size_t size)
{
	return (linux_memory_block_info_in(w, MEMORY_DIR, err, size));
}

int
linux_cpustats(struct value_writer *w, char *err, size_t size)
{
	return (linux_cpustats_in(w, PROC_STAT, err, size));
}

/* --- directories of /sys --- */

/* Each prefixN of it, N in the one way to write it. */
static int
numbers_read(struct numbers *ns, DIR *dir, const char *prefix)
{
	struct dirent	*e;
	const char	*s;
	uint64_t	 n;
	size_t		 len = strlen(prefix);

	memset(ns, 0, sizeof(*ns));
	for (;;) {
		errno = 0;
		if ((e = readdir(dir)) == NULL)
			break;
		if (strncmp(e->d_name, prefix, len) != 0 ||
		    (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN))
			continue;
		s = e->d_name + len;
		if ((s[0] == '0' && s[1] != '\0') ||
		    query_number(&s, 10, &n) == -1 || *s != '\0')
			continue;
		if (numbers_add(ns, n) == -1)
			break;
	}
	if (errno != 0) {
		free(ns->v);
		return (-1);
	}
	if (ns->n > 0)
		qsort(ns->v, ns->n, sizeof(*ns->v), numbers_compare);
	return (0);
}

static int
numbers_add(struct numbers *ns, uint64_t n)
{
	uint64_t	*v;
	size_t		 size;

	if (ns->n == ns->size) {
		if (ns->size >= NUMBERS_MAX) {
			errno = ERANGE;
			return (-1);
		}
		size = ns->size == 0 ? 64 : ns->size * 2;
		if ((v = realloc(ns->v, size * sizeof(*v))) == NULL)
			return (-1);
		ns->v = v;
		ns->size = size;
	}
	ns->v[ns->n++] = n;
	return (0);
}

static int
numbers_compare(const void *a, const void *b)
{
	const uint64_t	*x = a, *y = b;

	return ((*x > *y) - (*x < *y));
}

/* One read, as these files want it; terminated.  -1 with errno. */
static ssize_t
read_at(int dirfd, const char *name, char *buf, size_t size)
{
	ssize_t	 n;
	int	 fd, saved;

	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return (-1);
	do {
		n = read(fd, buf, size - 1);
	} while (n == -1 && errno == EINTR);
	saved = errno;
	if (close(fd) == -1)
		log_warn("close: %s", name);
	errno = saved;
	if (n >= 0)
		buf[n] = '\0';
	return (n);
}

/* --- guest-get-vcpus --- */

int
linux_vcpus_in(struct value_writer *w, const char *path, char *err,
    size_t size)
{
	struct numbers	 ns;
	DIR		*dir;
	char		 what[256];
	size_t		 i;
	int		 rv = 0;

	(void)snprintf(what, sizeof(what), "failed to list entries: %s",
	    path);
	if ((dir = opendir(path)) == NULL)
		return (query_fail(err, size, what));
	if (numbers_read(&ns, dir, "cpu") == -1)
		rv = query_fail(err, size, what);
	else {
		value_array(w, NULL);
		for (i = 0; i < ns.n && rv == 0; i++)
			rv = vcpu(w, dirfd(dir), ns.v[i], err, size);
		value_close(w);
		free(ns.v);
		/* No guest has none. */
		if (ns.n == 0) {
			(void)snprintf(err, size, "%s: no processors", what);
			rv = -1;
		}
	}
	if (closedir(dir) == -1)
		log_warn("closedir: %s", path);
	return (rv);
}

static int
vcpu(struct value_writer *w, int dir, uint64_t id, char *err, size_t size)
{
	struct stat	 st;
	char		 name[64], what[96], c[2];
	ssize_t		 n;

	(void)snprintf(name, sizeof(name), "cpu%" PRIu64 "/online", id);
	(void)snprintf(what, sizeof(what), "cannot read \"%s\"", name);
	if ((n = read_at(dir, name, c, sizeof(c))) == -1 && errno == ENOENT) {
		/* Always online; or just unplugged, then it is no more. */
		*strrchr(name, '/') = '\0';
		if (fstatat(dir, name, &st, 0) == -1 && errno == ENOENT)
			return (0);
		c[0] = '1';
	} else if (n == -1)
		return (query_fail(err, size, what));
	else if (n == 0) {
		(void)snprintf(err, size, "%s: unexpected EOF", what);
		return (-1);
	}
	value_object(w, NULL);
	value_uint(w, "logical-id", id);
	value_bool(w, "online", c[0] != '0');
	value_bool(w, "can-offline", n != -1);
	value_close(w);
	return (0);
}

/* --- guest-get-memory-blocks, guest-get-memory-block-info --- */

/* A system without them in /sys has none to show. */
int
linux_memory_blocks_in(struct value_writer *w, const char *path, char *err,
    size_t size)
{
	struct numbers	 ns;
	DIR		*dir;
	char		 what[256];
	size_t		 i;
	int		 rv = 0;

	(void)snprintf(what, sizeof(what), "Can't open directory\"%s/\"",
	    path);
	if ((dir = opendir(path)) == NULL) {
		if (errno != ENOENT)
			return (query_fail(err, size, what));
		value_array(w, NULL);
		value_close(w);
		return (0);
	}
	if (numbers_read(&ns, dir, "memory") == -1)
		rv = query_fail(err, size, what);
	else {
		value_array(w, NULL);
		for (i = 0; i < ns.n && rv == 0; i++)
			rv = memory_block(w, dirfd(dir), ns.v[i], err, size);
		value_close(w);
		free(ns.v);
		if (ns.n == 0) {
			(void)snprintf(err, size,
			    "guest reported zero memory blocks!");
			rv = -1;
		}
	}
	if (closedir(dir) == -1)
		log_warn("closedir: %s", path);
	return (rv);
}

/* Old kernels lack either file, new ones may lack "removable". */
static int
memory_block(struct value_writer *w, int dir, uint64_t index, char *err,
    size_t size)
{
	struct stat	 st;
	char		 name[64], what[96], state[32], c[2];
	int		 online = 1, removable = 0;

	(void)snprintf(name, sizeof(name), "memory%" PRIu64, index);
	(void)snprintf(what, sizeof(what), "cannot read \"%s\"", name);
	strlcat(name, "/state", sizeof(name));
	if (read_at(dir, name, state, sizeof(state)) != -1) {
		online = strncmp(state, "online", 6) == 0;
		*strrchr(name, '/') = '\0';
		strlcat(name, "/removable", sizeof(name));
		switch (read_at(dir, name, c, sizeof(c))) {
		case 1:
			removable = c[0] != '0';
			break;
		case -1:
			if (errno != ENOENT)
				return (query_fail(err, size, what));
			break;
		}
	} else if (errno != ENOENT)
		return (query_fail(err, size, what));
	else {
		*strrchr(name, '/') = '\0';
		if (fstatat(dir, name, &st, 0) == -1 && errno == ENOENT)
			return (0);		/* just unplugged */
	}
	value_object(w, NULL);
	value_uint(w, "phys-index", index);
	value_bool(w, "online", online);
	value_bool(w, "can-offline", removable);
	value_close(w);
	return (0);
}

int
linux_memory_block_info_in(struct value_writer *w, const char *path,
    char *err, size_t size)
{
	const char	*s;
	char		 what[256], file[32];
	uint64_t	 bytes;
	ssize_t		 n;
	int		 dir;

	(void)snprintf(what, sizeof(what), "open(\"%s/\")", path);
	if ((dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (query_fail(err, size, what));
	(void)snprintf(what, sizeof(what), "open sysfs file \"%s\"",
	    "block_size_bytes");
	if ((n = read_at(dir, "block_size_bytes", file, sizeof(file))) == -1)
		(void)query_fail(err, size, what);
	if (close(dir) == -1)
		log_warn("close: %s", path);
	if (n == -1)
		return (-1);
	s = file;
	if (query_number(&s, 16, &bytes) == -1 || (*s != '\n' && *s != '\0')) {
		(void)snprintf(err, size, "%s/block_size_bytes: no number",
		    path);
		return (-1);
	}
	value_object(w, NULL);
	value_uint(w, "size", bytes);
	value_close(w);
	return (0);
}

/* --- guest-get-cpustats --- */

int
linux_cpustats_in(struct value_writer *w, const char *path, char *err,
    size_t size)
{
	static struct lines	 in;
	char			 what[256], *line;
	int			 rv = 0;

	(void)snprintf(what, sizeof(what), "open(\"%s\")", path);
	if (lines_open(&in, path) == -1)
		return (query_fail(err, size, what));
	value_array(w, NULL);
	/* Processors come first; what interrupts did is long and no use. */
	while ((line = lines_next(&in)) != NULL &&
	    strncmp(line, "cpu", 3) == 0)
		cpustat(w, line + 3);
	value_close(w);
	if (in.error != 0) {
		errno = in.error;
		rv = query_fail(err, size, path);
	}
	lines_close(&in);
	return (rv);
}

/* The line's rest; the sum of all, which has no number, is left out. */
static void
cpustat(struct value_writer *w, char *s)
{
	static const char *const members[STAT_VALUES] = { "user", "nice",
	    "system", "idle", "iowait", "irq", "softirq", "steal", "guest",
	    "guestnice" };
	const char	*p = s;
	uint64_t	 id, v[STAT_VALUES];
	long		 hz;
	size_t		 i, n;

	if (query_number(&p, 10, &id) == -1 || *p != ' ')
		return;
	for (n = 0; n < STAT_VALUES && *p == ' '; n++) {
		while (*p == ' ')
			p++;
		if (query_number(&p, 10, &v[n]) == -1)
			break;
	}
	if (n < 4 || (hz = sysconf(_SC_CLK_TCK)) <= 0)
		return;
	value_object(w, NULL);
	value_string(w, "type", "linux");
	value_uint(w, "cpu", id);
	for (i = 0; i < n; i++)
		value_uint(w, members[i], milliseconds(v[i], (uint64_t)hz));
	value_close(w);
}

static uint64_t
milliseconds(uint64_t ticks, uint64_t hz)
{
	if (ticks / hz >= UINT64_MAX / 1000)
		return (UINT64_MAX);
	return (ticks / hz * 1000 + ticks % hz * 1000 / hz);
}
