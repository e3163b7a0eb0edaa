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
 * What was installed: configuration, users, directories, programs.
 */

#include <sys/mman.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "selftest.h"
#include "users.h"

#define WHY		(PATH_MAX + 256)
#define WRITABLE(mode)	(((mode) & (S_IWGRP | S_IWOTH)) != 0)

static void	 add(char *, size_t, const char *, ...)
		    __attribute__((format(printf, 3, 4)));
static void	 check_executed(const struct self *, const char *,
		    const struct exec_rule *, const char *);
static int	 no_shell(const char *);
static void	 check_user(struct self *, const char *, struct ids *);
static void	 check_strangers(const struct self *);
static int	 of_ours(const char *);
static void	 check_program(const char *, const char *, size_t *);
static int	 of_build(int, const struct stat *);
static int	 entries(const char *);

/* One more sentence of a line. */
static void
add(char *text, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	if (*text != '\0')
		strlcat(text, "; ", size);
	len = strlen(text);
	va_start(ap, fmt);
	vsnprintf(text + len, size - len, fmt, ap);
	va_end(ap);
}

int
trusted(const char *path, char *why, size_t size)
{
	char whole[PATH_MAX], *p, end;
	struct stat st;

	if (realpath(path, whole) == NULL) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return (-1);
	}
	/* From the root down: who owns one owns all below. */
	for (p = whole; p != NULL; p = end == '\0' ? NULL : p + 1) {
		p = p == whole ? p : p + strcspn(p, "/");
		end = *p;
		if (p != whole)
			*p = '\0';
		if (lstat(p == whole ? "/" : whole, &st) == -1) {
			snprintf(why, size, "%s: %s", whole, strerror(errno));
			return (-1);
		}
		if (st.st_uid != 0) {
			snprintf(why, size, "%s belongs to uid %lu and not to "
			    "root: chown root it", p == whole ? "/" : whole,
			    (unsigned long)st.st_uid);
			return (-1);
		}
		/* Where a directory is sticky, nobody takes root's away. */
		if (WRITABLE(st.st_mode) && (end == '\0' ||
		    !S_ISDIR(st.st_mode) || !(st.st_mode & S_ISVTX))) {
			snprintf(why, size, "%s is writable by group or "
			    "others: chmod go-w it", p == whole ? "/" : whole);
			return (-1);
		}
		if (p != whole)
			*p = end;
	}
	return (0);
}

void
check_configuration(struct self *self, const char *error)
{
	char why[WHY];
	struct stat st;
	int id, n = 0;

	if (*error != '\0') {
		say(FAILURE, "configuration", "%s; mend it: qgad does not "
		    "start with it.  What follows is of the defaults", error);
		return;
	}
	for (id = 0; id < CMD_MAX; id++)
		n += self->policy.command[id].allowed;
	say(OK, "configuration", "%s, %d of %d commands are enabled",
	    self->conf.file != NULL ? self->conf.file :
	    "no file, the defaults are in force", n, CMD_MAX);
	if (self->conf.file == NULL || (stat(self->conf.file, &st) == 0 &&
	    S_ISCHR(st.st_mode)))
		return;
	if (trusted(self->conf.file, why, sizeof(why)) == -1)
		say(self->conf.test ? WARNING : FAILURE, "configuration file",
		    "%s; who can write there decides what a host may do", why);
	else
		say(OK, "configuration file", "it and its directories are "
		    "root's alone");
}

/*
 * A path that a rule names and that is not there, or that will not be
 * executed: mistyped, more often than not, and seen only when a host asks.
 */
void
check_rules(const struct self *self)
{
	const struct exec_rule *exec;
	const struct file_rule *file;
	char line[64];
	struct stat st;
	uint32_t i;

	for (exec = self->policy.rules.execs; exec != NULL; exec = exec->next)
		for (i = 0; i < exec->programs.n; i++) {
			snprintf(line, sizeof(line), "rule [exec]%s",
			    exec->name);
			check_executed(self, line, exec,
			    exec->programs.v[i]);
		}
	for (file = self->policy.rules.files; file != NULL; file = file->next)
		if (stat(file->base, &st) == -1 &&
		    (self->root || errno != EACCES))
			say(WARNING, "rule [file]", "%s:%d: %s: %s; there is "
			    "nothing to be opened", self->conf.file,
			    file->line, file->base, strerror(errno));
}

static void
check_executed(const struct self *self, const char *line,
    const struct exec_rule *rule, const char *path)
{
	char why[WHY];
	struct stat st;

	if (stat(path, &st) == -1) {
		if (self->root || errno != EACCES)
			say(WARNING, line, "%s: %s; no host can have it run",
			    path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) ||
	    !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		say(WARNING, line, "%s is not a program; no host can have it "
		    "run", path);
	/* One that runs as its owner may be his. */
	else if (rule->user == NULL && trusted(path, why, sizeof(why)) == -1)
		say(WARNING, line, "%s is refused: %s", path, why);
}

/* --- users --- */

void
check_users(struct self *self)
{
	struct ids *front = &self->ids[ACCOUNT_FRONTEND];
	struct ids *work = &self->ids[ACCOUNT_WORKER];

	check_user(self, USER_FRONTEND, front);
	check_user(self, USER_WORKER, work);
	if (front->drop && work->drop) {
		if (front->uid == work->uid || front->gid == work->gid)
			say(FAILURE, "users", "%s and %s have one %s: a "
			    "frontend that was taken over could reach the "
			    "workers; remove them and make them anew",
			    USER_FRONTEND, USER_WORKER,
			    front->uid == work->uid ? "uid" : "group");
		else
			say(OK, "users", "%s and %s are two", USER_FRONTEND,
			    USER_WORKER);
	}
	check_strangers(self);
}

static int
no_shell(const char *shell)
{
	const char *name = strrchr(shell, '/');

	if (*shell == '\0')		/* means /bin/sh */
		return (0);
	name = name != NULL ? name + 1 : shell;
	return (strcmp(name, "nologin") == 0 || strcmp(name, "false") == 0 ||
	    access(shell, X_OK) == -1);
}

static void
check_user(struct self *self, const char *name, struct ids *ids)
{
	char line[64], text[512] = "";
	struct user user;

	snprintf(line, sizeof(line), "user %s", name);
	if (user_find(name, &user) != 1) {
		say(FAILURE, line, "it does not exist, and qgad does not "
		    "start without; make install makes it");
		return;
	}
	ids->uid = user.uid;
	ids->gid = user.gid;
	ids->drop = 1;
	if (user.uid == 0 || user.gid == 0)
		add(text, sizeof(text), "it is uid %lu, gid %lu, which are "
		    "root's: remove it and make it anew",
		    (unsigned long)user.uid, (unsigned long)user.gid);
	if (!no_shell(user.shell))
		add(text, sizeof(text), "it has the shell '%s': give it "
		    "nologin", user.shell);
	switch (see_password(name)) {
	case PASSWORD_LOCKED:
		break;
	case PASSWORD_SET:
		add(text, sizeof(text), "it has a password: lock it");
		break;
	case PASSWORD_EMPTY:
		add(text, sizeof(text), "it needs no password: lock it");
		break;
	case PASSWORD_UNSEEN:
		if (ids == &self->ids[ACCOUNT_FRONTEND])
			unseen("the users' passwords");
		break;
	}
	if (*text != '\0')
		say(FAILURE, line, "%s", text);
	else
		say(OK, line, "uid %lu, gid %lu, no shell%s",
		    (unsigned long)user.uid, (unsigned long)user.gid,
		    self->root ? ", no password" : "");
}

/* Is that file one of our programs, or was until an upgrade? */
static int
of_ours(const char *exe)
{
	return (strcmp(exe, PATH_SBIN "/qgad") == 0 || strncmp(exe,
	    PATH_LIBEXEC "/qgad-", strlen(PATH_LIBEXEC "/qgad-")) == 0);
}

/* What runs as one of them could signal our processes. */
static void
check_strangers(const struct self *self)
{
	const struct process *p;
	char text[512] = "";
	size_t i, j;

	if (self->procs == NULL)
		return;
	if (!self->root) {
		unseen("whose processes run as those users");
		return;
	}
	for (i = 0; i < self->nprocs; i++)
		for (j = ACCOUNT_FRONTEND; j <= ACCOUNT_WORKER; j++) {
			p = &self->procs[i];
			if (!self->ids[j].drop || p->uid != self->ids[j].uid ||
			    *p->exe == '\0' || of_ours(p->exe))
				continue;
			add(text, sizeof(text), "pid %ld, %s, runs as %s",
			    (long)p->pid, p->exe, j == ACCOUNT_FRONTEND ?
			    USER_FRONTEND : USER_WORKER);
		}
	if (*text != '\0')
		say(FAILURE, "users' processes", "%s; it is not of this "
		    "installation and can reach what is: end it", text);
	else
		say(OK, "users' processes", "nothing but qgad's runs as "
		    "these users");
}

/* --- directories --- */

/* -1: errno. */
static int
entries(const char *path)
{
	struct dirent *de;
	DIR *dir;
	int n = 0;

	if ((dir = opendir(path)) == NULL)
		return (-1);
	while ((de = readdir(dir)) != NULL)
		n += strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0;
	closedir(dir);
	return (n);
}

void
check_chroot(void)
{
	static const char line[] = "empty directory";
	char why[WHY];
	struct stat st;
	int n;

	if (stat(PATH_CHROOT, &st) == -1)
		say(FAILURE, line, "%s: %s; make install makes it",
		    PATH_CHROOT, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		say(FAILURE, line, "%s is not a directory: remove it, make "
		    "install makes it", PATH_CHROOT);
	else if (trusted(PATH_CHROOT, why, sizeof(why)) == -1)
		say(FAILURE, line, "%s; it is what the confined processes "
		    "see as their root", why);
	else if ((n = entries(PATH_CHROOT)) == -1)
		unseen("whether " PATH_CHROOT " is empty");
	else if (n > 0)
		say(FAILURE, line, "%s is not empty: remove what is in it, "
		    "the confined processes can reach it", PATH_CHROOT);
	else
		say(OK, line, "%s is root's and empty", PATH_CHROOT);
}

void
check_statedir(const struct self *self)
{
	static const char line[] = "state directory";
	const char *dir = self->conf.statedir;
	char why[WHY];
	struct stat st;

	if (stat(dir, &st) == -1 && errno == ENOENT)
		say(OK, line, "%s is made at the start", dir);
	else if (stat(dir, &st) == -1)
		say(FAILURE, line, "%s: %s", dir, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		say(FAILURE, line, "%s is not a directory", dir);
	else if (trusted(dir, why, sizeof(why)) == -1)
		say(self->conf.test ? WARNING : FAILURE, line, "%s; who can "
		    "write there can make qgad thaw, or not thaw, what he "
		    "likes", why);
	else if (self->root && access(dir, W_OK) == -1)
		say(FAILURE, line, "%s cannot be written: %s; without a note "
		    "there nothing is frozen", dir, strerror(errno));
	else
		say(OK, line, "%s is root's alone", dir);
}

/* --- programs --- */

void
check_programs(void)
{
	const char *program;
	size_t i, j, n = 0, good = 0;

	for (i = 0; i < ROLE_MAX; i++) {
		if ((program = confinements[i].program) == NULL)
			continue;
		for (j = 0; j < i; j++)
			if (confinements[j].program != NULL &&
			    strcmp(confinements[j].program, program) == 0)
				break;
		if (j < i)
			continue;
		n++;
		check_program(i == ROLE_FRONTEND ? PATH_SBIN : PATH_LIBEXEC,
		    program, &good);
	}
	n++;
	check_program(PATH_LIBEXEC, "qgad-selftest", &good);
	if (good == n)
		say(OK, "programs", "%zu, root's alone, of one build", n);
	if (CONTROL_OFF != 0)
		say(FAILURE, "build", "it was made for tests: defences are "
		    "off; install another");
	else
		say(OK, "build", "%s, version %s", build_id, QGAD_VERSION);
}

static void
check_program(const char *dir, const char *name, size_t *good)
{
	char line[64], path[PATH_MAX], why[WHY];
	struct stat st;
	int fd, same;

	snprintf(line, sizeof(line), "program %s", name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (stat(path, &st) == -1) {
		say(FAILURE, line, "%s: %s; install it again", path,
		    strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode) || !(st.st_mode & S_IXUSR)) {
		say(FAILURE, line, "%s is no executable file: install it "
		    "again", path);
		return;
	}
	if (st.st_mode & (S_ISUID | S_ISGID)) {
		say(FAILURE, line, "%s is setuid or setgid: chmod 755 it",
		    path);
		return;
	}
	if (trusted(path, why, sizeof(why)) == -1) {
		say(FAILURE, line, "%s; it runs as root", why);
		return;
	}
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		unseen(line);
		return;
	}
	same = of_build(fd, &st);
	close(fd);
	if (!same)
		say(FAILURE, line, "%s is of another build, and programs of "
		    "two do not talk to each other: install all again", path);
	else
		(*good)++;
}

/* Each has the id of its build in it, and we have ours. */
static int
of_build(int fd, const struct stat *st)
{
	size_t i, size = (size_t)st->st_size, len = strlen(build_id);
	const char *p, *at;
	void *map;
	int found = 0;

	if (size < len || (map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd,
	    0)) == MAP_FAILED)
		return (0);
	p = map;
	for (i = 0; !found && i <= size - len; i++) {
		if ((at = memchr(p + i, build_id[0], size - len - i + 1)) ==
		    NULL)
			break;
		i = (size_t)(at - p);
		found = memcmp(at, build_id, len) == 0;
	}
	munmap(map, size);
	return (found);
}
