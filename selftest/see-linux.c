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
 * Linux: /proc.  No file of another process is opened or looked at itself:
 * one on a dead server would be waited for.
 */

#include <sys/prctl.h>
#include <sys/types.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "see.h"

#define LISTENS		0x10000		/* __SO_ACCEPTCON of the kernel */

static int	 number(const char *, pid_t *);
static ssize_t	 slurp(pid_t, const char *, char *, size_t);
static int	 process(pid_t, struct process *);
static enum password password_in(const char *, const char *);

/* A directory of /proc that is a process's. */
static int
number(const char *name, pid_t *pid)
{
	const char *error;

	*pid = (pid_t)strtonum(name, 1, INT32_MAX, &error);
	return (error == NULL ? 0 : -1);
}

static ssize_t
slurp(pid_t pid, const char *file, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = read(fd, buf, size - 1);
	close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return (n);
}

static int
process(pid_t pid, struct process *p)
{
	static const char gone[] = " (deleted)", ppid[] = "\nPPid:",
	    uid[] = "\nUid:";
	char text[4096], *at;
	ssize_t n;
	size_t len;

	memset(p, 0, sizeof(*p));
	p->pid = pid;
	if (slurp(pid, "status", text, sizeof(text)) <= 0 ||
	    sscanf(text, "Name: %31[^\n]", p->name) != 1 ||
	    (at = strstr(text, ppid)) == NULL)
		return (-1);
	p->ppid = (pid_t)strtol(at + strlen(ppid), NULL, 10);
	if ((at = strstr(text, uid)) == NULL)
		return (-1);
	p->uid = (uid_t)strtoul(at + strlen(uid), NULL, 10);
	n = slurp(pid, "cmdline", p->title, sizeof(p->title));
	for (at = p->title; n > 0 && at < p->title + n - 1; at++)
		if (*at == '\0')
			*at = ' ';
	for (len = strlen(p->title); len > 0 && p->title[len - 1] == ' ';)
		p->title[--len] = '\0';
	snprintf(text, sizeof(text), "/proc/%ld/exe", (long)pid);
	if ((n = readlink(text, p->exe, sizeof(p->exe) - 1)) == -1)
		n = 0;
	p->exe[n] = '\0';
	/* After an upgrade it runs on. */
	len = strlen(p->exe);
	if (len >= sizeof(gone) &&
	    strcmp(p->exe + len - (sizeof(gone) - 1), gone) == 0)
		p->exe[len - (sizeof(gone) - 1)] = '\0';
	return (0);
}

int
see_processes(struct process **procs, size_t *nprocs)
{
	struct dirent *de;
	struct process p, *v = NULL, *more;
	size_t n = 0, size = 0;
	pid_t pid;
	DIR *dir;

	if ((dir = opendir("/proc")) == NULL)
		return (-1);
	while ((de = readdir(dir)) != NULL) {
		if (number(de->d_name, &pid) == -1 || process(pid, &p) == -1)
			continue;
		if (n == size) {
			size = size == 0 ? 128 : size * 2;
			if ((more = reallocarray(v, size, sizeof(*v))) ==
			    NULL) {
				free(v);
				closedir(dir);
				return (-1);
			}
			v = more;
		}
		v[n++] = p;
	}
	closedir(dir);
	*procs = v;
	*nprocs = n;
	return (n > 0 ? 0 : -1);
}

int
see_holds(pid_t pid, const char *path)
{
	char name[64], link[320], target[4096];
	struct dirent *de;
	ssize_t n;
	DIR *dir;
	int holds = 0;

	snprintf(name, sizeof(name), "/proc/%ld/fd", (long)pid);
	if ((dir = opendir(name)) == NULL)
		return (-1);
	while (!holds && (de = readdir(dir)) != NULL) {
		snprintf(link, sizeof(link), "%s/%s", name, de->d_name);
		if ((n = readlink(link, target, sizeof(target) - 1)) == -1)
			continue;
		target[n] = '\0';
		holds = strcmp(target, path) == 0;
	}
	closedir(dir);
	return (holds);
}

/* Num RefCount Protocol Flags Type St Inode Path; a listener's flags. */
int
see_listens(const char *path)
{
	char line[512], flags[16], name[256];
	FILE *f;
	int found = 0;

	if ((f = fopen("/proc/net/unix", "re")) == NULL)
		return (0);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = sscanf(line, "%*s %*s %*s %15s %*s %*s %*s %255[^\n]",
		    flags, name) == 2 &&
		    strtoul(flags, NULL, 16) & LISTENS &&
		    strcmp(name, path) == 0;
	fclose(f);
	return (found);
}

/* The field of a user's line of passwd(5) or shadow(5). */
static enum password
password_in(const char *file, const char *user)
{
	/* Without an entry there is no password that would do. */
	enum password found = PASSWORD_LOCKED;
	size_t len = strlen(user);
	char line[1024];
	FILE *f;

	if ((f = fopen(file, "re")) == NULL)
		return (errno == ENOENT ? PASSWORD_LOCKED : PASSWORD_UNSEEN);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, user, len) != 0 || line[len] != ':')
			continue;
		if (line[len + 1] == ':')
			found = PASSWORD_EMPTY;
		else if (strchr("!*", line[len + 1]) == NULL)
			found = PASSWORD_SET;
		/* It stands in the other file. */
		if (strncmp(line + len + 1, "x:", 2) == 0)
			found = PASSWORD_UNSEEN;
		break;
	}
	fclose(f);
	return (found);
}

enum password
see_password(const char *user)
{
	enum password found = password_in("/etc/passwd", user);

	return (found == PASSWORD_UNSEEN ? password_in("/etc/shadow", user) :
	    found);
}

void
see_tie(void)
{
	(void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGTERM, 0UL, 0UL, 0UL);
}
