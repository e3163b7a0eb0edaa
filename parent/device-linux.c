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
 * Linux: whose a terminal is, by /proc, and ports by name, by /sys.
 */

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"

int
device_session(const char *name, const struct stat *st)
{
	struct dirent *entry;
	char path[64], text[512], *p;
	unsigned long long tty;
	ssize_t n;
	size_t i;
	DIR *dir;
	int fd, found = 0;

	(void)name;
	if ((dir = opendir("/proc")) == NULL)
		return (0);
	while (!found && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/stat",
		    entry->d_name);
		if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
			continue;
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n <= 0)
			continue;
		text[n] = '\0';
		/* pid (comm) state ppid pgrp session tty_nr: proc(5) */
		p = strrchr(text, ')');
		for (i = 0; i < 5 && p != NULL; i++)
			p = strchr(p + 1, ' ');
		if (p != NULL && (tty = strtoull(p, NULL, 10)) != 0 &&
		    tty == (unsigned long long)st->st_rdev)
			found = 1;
	}
	closedir(dir);
	return (found);
}

/*
 * What the kernel writes to, whatever /dev/console is: its messages would be
 * among our replies.  Linux has a line for each, the name first.
 */
int
device_kernel(const char *name, const struct stat *st)
{
	struct stat other;
	char line[256], path[280];
	FILE *fp;
	int found = 0;

	(void)name;
	if ((fp = fopen("/proc/consoles", "re")) == NULL)
		return (0);
	while (!found && fgets(line, sizeof(line), fp) != NULL) {
		snprintf(path, sizeof(path), "/dev/%.*s",
		    (int)strcspn(line, " \n"), line);
		found = stat(path, &other) == 0 && S_ISCHR(other.st_mode) &&
		    other.st_rdev == st->st_rdev;
	}
	fclose(fp);
	return (found);
}

/*
 * Without udev nothing makes the link in /dev/virtio-ports: look the port up
 * by its name in sysfs.
 */
char *
device_named(const char *path)
{
	static const char dirname[] = "/sys/class/virtio-ports";
	const char *name;
	struct dirent *entry;
	char file[512], text[128], *found = NULL;
	ssize_t n;
	DIR *dir;
	int fd;

	if ((name = strrchr(path, '/')) == NULL ||
	    (dir = opendir(dirname)) == NULL)
		return (NULL);
	while (found == NULL && (entry = readdir(dir)) != NULL) {
		snprintf(file, sizeof(file), "%s/%.100s/name", dirname,
		    entry->d_name);
		if ((fd = open(file, O_RDONLY | O_CLOEXEC)) == -1)
			continue;
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n <= 0)
			continue;
		text[n] = '\0';
		text[strcspn(text, "\n")] = '\0';
		if (strcmp(text, name + 1) != 0)
			continue;
		snprintf(file, sizeof(file), "/dev/%.100s", entry->d_name);
		found = strdup(file);
	}
	closedir(dir);
	return (found);
}
