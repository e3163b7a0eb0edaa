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
 * The machine around it: the service, the port, hooks, clocks, tools.
 */

#include <sys/socket.h>
#include <sys/stat.h>

#ifdef HAVE_LINUX_VM_SOCKETS_H
#include <linux/vm_sockets.h>
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "selftest.h"
#include "workers/account.h"
#include "workers/freeze.h"
#include "workers/hook.h"
#include "workers/system.h"
#include "workers/tool.h"

#define WHY		(PATH_MAX + 256)
#define LIST		1024	/* bytes of names in one line */
#define RTC_APART	5	/* seconds, between clock and RTC */

/* What a freeze would do, while it is being told. */
struct plan {
	const struct self *self;
	size_t		 n, nodisk;
	char		 order[LIST], types[LIST];
};

static int	 pid_of(const char *);
static int	 runs(const struct self *, const char *, pid_t *);
static void	 check_device(const struct self *);
static int	 held(const struct self *, const char *);
static void	 check_listener(const struct self *);
static void	 check_vsock(const struct self *);
static void	 plan_mount(void *, enum freeze_verdict, const char *,
		    const char *, const char *);
static void	 list_add(char *, const char *);
static void	 check_hook(const char *, const char *, int);
static void	 check_passed_over(const char *, const struct hook_list *);
static const char *starts(const char *);
static void	 check_rtc(const struct self *);
static void	 check_shutdown(const struct self *);
static void	 check_password(const struct self *);
static void	 check_suspend(const struct self *);

/* --- the service --- */

/* What a pid file says; 0: nothing. */
static int
pid_of(const char *path)
{
	const char *error;
	char text[32];
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1)
		return (0);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return (0);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	n = (ssize_t)strtonum(text, 1, INT_MAX, &error);
	return (error == NULL ? (int)n : 0);
}

/* The first process of a program by that name. */
static int
runs(const struct self *self, const char *name, pid_t *pid)
{
	size_t i;

	for (i = 0; i < self->nprocs; i++)
		if (strcmp(self->procs[i].name, name) == 0) {
			*pid = self->procs[i].pid;
			return (1);
		}
	return (0);
}

void
check_service(const struct self *self)
{
	const struct process *p = NULL;
	pid_t other;
	size_t i;
	int pid = pid_of(self->conf.pidfile);

	if (self->procs == NULL)
		return;
	for (i = 0; i < self->nprocs; i++)
		if (is_monitor(self, &self->procs[i]) &&
		    (p == NULL || self->procs[i].pid == pid))
			p = &self->procs[i];
	if (p == NULL && pid != 0 && kill(pid, 0) == -1 && errno == ESRCH)
		say(WARNING, "service", "qgad does not run, though %s is "
		    "there: it was killed; start it", self->conf.pidfile);
	else if (p == NULL)
		say(WARNING, "service", "qgad does not run: start it, or the "
		    "host gets no answer");
	else if (self->conf.daemon && pid != p->pid)
		say(WARNING, "service", "qgad runs, pid %ld, but %s does not "
		    "say so", (long)p->pid, self->conf.pidfile);
	else
		say(OK, "service", "%s runs, pid %ld",
		    self->root ? "qgad" : "a qgad", (long)p->pid);
	if (runs(self, "qemu-ga", &other))
		say(WARNING, "qemu-ga", "it runs as well, pid %ld: one of "
		    "them gets the port; disable the other", (long)other);
}

/* --- the way to the host --- */

void
check_channel(const struct self *self)
{
	switch (self->conf.methodno) {
	case METHOD_VIRTIO_SERIAL:
	case METHOD_ISA_SERIAL:
		check_device(self);
		break;
	case METHOD_UNIX_LISTEN:
		check_listener(self);
		break;
	case METHOD_VSOCK_LISTEN:
		check_vsock(self);
		break;
	default:
		say(OK, "channel", "standard input and output");
		break;
	}
}

static void
check_device(const struct self *self)
{
	const char *path = self->conf.path, *why;
	char real[PATH_MAX];
	int fd;

	if (realpath(path, real) != NULL) {
		if (!self->root) {
			say(OK, "channel", "%s is there", path);
			unseen("whether the port is usable and who holds it");
			return;
		}
		if (self->procs != NULL && held(self, real))
			return;
	}
	/* As the monitor does it; the host sees it open for a moment. */
	if ((fd = device_open(path, self->conf.methodno, &why)) != -1) {
		close(fd);
		say(OK, "channel", "%s is there and usable, nobody holds it",
		    path);
	} else
		say(self->conf.retry ? WARNING : FAILURE, "channel", "%s: "
		    "%s; %s", path, why, self->conf.retry ? "qgad waits for "
		    "it" : "qgad does not start without");
}

/* Somebody has it: another look would disturb him. */
static int
held(const struct self *self, const char *path)
{
	const struct process *p, *holder = NULL;
	size_t i, n = 0;

	for (i = 0; i < self->nprocs; i++) {
		p = &self->procs[i];
		if (see_holds(p->pid, path) != 1)
			continue;
		if (is_monitor(self, p))
			n++;
		else if (strcmp(p->exe, PATH_SBIN "/qgad") != 0)
			holder = p;
	}
	if (holder != NULL)
		say(FAILURE, "channel", "%s is held by %s, pid %ld: stop it, "
		    "a port has room for one", path, holder->name,
		    (long)holder->pid);
	else if (n > 0)
		say(OK, "channel", "%s is held by the qgad that runs", path);
	return (holder != NULL || n > 0);
}

static void
check_listener(const struct self *self)
{
	const char *path = self->conf.path;
	char why[WHY], dir[PATH_MAX], *slash;
	struct stat st;
	pid_t pid;

	if (path == NULL) {
		say(OK, "channel", "a socket of the service manager's");
		return;
	}
	strlcpy(dir, path, sizeof(dir));
	if ((slash = strrchr(dir, '/')) == NULL)
		strlcpy(dir, ".", sizeof(dir));
	else
		slash[slash == dir] = '\0';
	if (trusted(dir, why, sizeof(why)) == -1)
		say(self->conf.test ? WARNING : FAILURE, "channel", "%s; "
		    "who can write there can stand between host and qgad",
		    why);
	else if (lstat(path, &st) == -1 && errno == ENOENT)
		say(OK, "channel", "%s is made at the start", path);
	else if (!S_ISSOCK(st.st_mode))
		say(FAILURE, "channel", "%s is there and is not a socket: "
		    "remove it", path);
	else if (!see_listens(path))
		say(OK, "channel", "%s is left from before, and is made anew",
		    path);
	else if (runs(self, "qgad-parent", &pid))
		say(OK, "channel", "somebody listens on %s already, qgad "
		    "runs", path);
	else
		say(FAILURE, "channel", "another program listens on %s: end "
		    "it", path);
}

static void
check_vsock(const struct self *self)
{
#ifdef HAVE_LINUX_VM_SOCKETS_H
	int fd;

	if ((fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0)) != -1 &&
	    access("/dev/vsock", F_OK) == 0)
		say(OK, "channel", "vsock %s: the machine has vsock",
		    self->conf.path);
	else
		say(FAILURE, "channel", "vsock %s: the machine has no vsock "
		    "device; give it one", self->conf.path);
	if (fd != -1)
		close(fd);
#else
	say(FAILURE, "channel", "vsock %s: this system has no vsock",
	    self->conf.path);
#endif
}

/* --- file systems --- */

/* A name of a list, once. */
static void
list_add(char *list, const char *name)
{
	const char *at;
	size_t len = strlen(name);

	for (at = list; *at != '\0'; at += strcspn(at, ",")) {
		at += strspn(at, ", ");
		if (strncmp(at, name, len) == 0 &&
		    (at[len] == ',' || at[len] == '\0'))
			return;
	}
	if (*list != '\0')
		strlcat(list, ", ", LIST);
	strlcat(list, name, LIST);
}

static void
plan_mount(void *arg, enum freeze_verdict verdict, const char *point,
    const char *type, const char *why)
{
	struct plan *plan = arg;
	char line[PATH_MAX + 8];

	snprintf(line, sizeof(line), "mount %s", point);
	/* A directory on the way may be closed to us, and not to root. */
	if (verdict == PLAN_FAIL && !plan->self->root)
		verdict = PLAN_FREEZE;
	switch (verdict) {
	case PLAN_FREEZE:
		plan->n++;
		list_add(plan->order, point);
		break;
	case PLAN_SKIP:
		say(OK, line, "is not frozen: %s (%s)", why, type);
		break;
	case PLAN_NO_DISK:
		plan->nodisk++;
		list_add(plan->types, type);
		break;
	case PLAN_FAIL:
		say(FAILURE, line, "cannot be opened: %s; nothing is frozen "
		    "as long as it is so.  Mend it, or name it in exclude",
		    why);
		break;
	}
}

void
check_mounts(const struct self *self)
{
	struct plan plan;

	memset(&plan, 0, sizeof(plan));
	plan.self = self;
	if (freeze_plan(self->conf.exclude != NULL ? self->conf.exclude : "",
	    plan_mount, &plan) == -1) {
		if (errno == EOPNOTSUPP)
			say(WARNING, "mounts", "this system freezes none");
		else
			say(FAILURE, "mounts", "the list of mounts cannot be "
			    "read: %s", strerror(errno));
		return;
	}
	if (plan.n > 0)
		say(OK, "mounts", "%zu would be frozen, in this order: %s",
		    plan.n, plan.order);
	else
		say(WARNING, "mounts", "no file system here can be frozen; "
		    "%s", self->conf.quiesce ? "quiesce flushes them, "
		    "without holding the writers" : "a freeze does no more "
		    "than run the hooks");
	if (plan.nodisk > 0)
		say(OK, "mounts without disk", "%zu have no disk to be "
		    "frozen: %s", plan.nodisk, plan.types);
}

/* The note of a freeze; 1: it is of this boot. */
int
check_marker(const struct self *self)
{
	const char *dir = self->conf.statedir;
	struct freeze_marker m;
	char boot[BOOT_ID_MAX];
	pid_t pid;
	int there;

	if ((there = marker_read(dir, &m)) == -1 && !self->root) {
		unseen("what a freeze left");
		return (0);
	}
	if (there == -1)
		say(FAILURE, "frozen", "the note of a freeze in %s cannot be "
		    "used: %s; see what is frozen, thaw it, remove the note",
		    dir, strerror(errno));
	else if (there == 0)
		say(OK, "frozen", "nothing is, and nothing was left so");
	else if (freeze_boot(boot) == -1 || strcmp(boot, m.boot) != 0) {
		say(WARNING, "frozen", "a note in %s is of an earlier boot; "
		    "the next start removes it", dir);
		return (0);
	} else if (runs(self, "qgad-parent", &pid))
		say(WARNING, "frozen", "%zu file systems are frozen now or "
		    "about to be: the sandbox is not tried meanwhile",
		    m.list.n);
	else
		say(FAILURE, "frozen", "a qgad that was killed left %zu file "
		    "systems frozen: qgad --thaw thaws them", m.list.n);
	return (there == 1);
}

/* --- hooks --- */

void
check_hooks(const struct self *self)
{
	const char *path = self->conf.hook;
	int usual = path == NULL;
	char why[WHY], script[PATH_MAX];
	struct hook_list list;
	struct stat st;
	size_t i;

	if (usual)
		path = PATH_HOOK ".d";
	if (strcmp(path, "/dev/null") == 0) {
		say(OK, "hooks", "none, says the configuration");
		return;
	}
	if (hook_check(path, usual ? HOOK_DIRECTORY : HOOK_EITHER, &st, why,
	    sizeof(why)) == -1) {
		if (usual && errno == ENOENT)
			say(OK, "hooks", "none, %s is not there", path);
		else
			say(FAILURE, "hooks", "none is run: %s", why);
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		check_hook(path, path, 0);
		return;
	}
	if (hook_list(path, &list) == -1) {
		if (errno == E2BIG)
			say(FAILURE, "hooks", "none is run: %s has more than "
			    "%d scripts", path, HOOK_MAX);
		else if (errno == EACCES && !self->root)
			unseen("the hooks");
		else
			say(FAILURE, "hooks", "none is run: %s: %s", path,
			    strerror(errno));
		return;
	}
	say(OK, "hooks", "%zu in %s", list.n, path);
	for (i = 0; i < list.n; i++) {
		snprintf(script, sizeof(script), "%s/%s", path,
		    list.names[i]);
		check_hook(list.names[i], script, 1);
	}
	check_passed_over(path, &list);
	hook_list_free(&list);
}

static void
check_hook(const char *name, const char *path, int listed)
{
	char line[NAME_MAX + 8], why[WHY];
	const char *wrong;
	struct stat st;

	snprintf(line, sizeof(line), "hook %s", name);
	if (hook_check(path, HOOK_SCRIPT, &st, why, sizeof(why)) == -1)
		say(FAILURE, line, "is skipped: %s", why);
	else if (!(st.st_mode & S_IXUSR))
		say(listed ? WARNING : FAILURE, line, "is skipped: it is not "
		    "executable by its owner; chmod u+x it, if it is to run");
	else if ((wrong = starts(path)) != NULL)
		say(FAILURE, line, "does not run: %s", wrong);
	else
		say(OK, line, "runs before a freeze and after the thaw");
}

/* By their names alone; who wonders why one does not run finds it here. */
static void
check_passed_over(const char *path, const struct hook_list *list)
{
	char line[NAME_MAX + 8];
	struct dirent *de;
	size_t i;
	DIR *dir;

	if ((dir = opendir(path)) == NULL)
		return;
	while ((de = readdir(dir)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		for (i = 0; i < list->n; i++)
			if (strcmp(list->names[i], de->d_name) == 0)
				break;
		if (i < list->n)
			continue;
		snprintf(line, sizeof(line), "hook %s", de->d_name);
		say(OK, line, "is skipped: its name is one of a hidden file "
		    "or a backup");
	}
	closedir(dir);
}

/* Why the system will not execute it; NULL: it will, or is not to be seen. */
static const char *
starts(const char *path)
{
	static char why[512];
	char text[256], *program;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1)
		return (NULL);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return (NULL);
	text[n] = '\0';
	if (n >= 4 && memcmp(text, "\177ELF", 4) == 0)
		return (NULL);
	if (strncmp(text, "#!", 2) != 0)
		return ("it is neither a program nor begins with #!; give it "
		    "a first line such as #!/bin/sh");
	program = text + 2 + strspn(text + 2, " \t");
	program[strcspn(program, " \t\n")] = '\0';
	if (access(program, X_OK) == 0)
		return (NULL);
	snprintf(why, sizeof(why), "its first line names '%s': %s", program,
	    strerror(errno));
	return (why);
}

/* --- clocks --- */

void
check_clock(const struct self *self)
{
	struct stat st;
	struct tm tm;
	char text[64];
	time_t now = time(NULL);

	if (gmtime_r(&now, &tm) == NULL || strftime(text, sizeof(text),
	    "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		strlcpy(text, "no time", sizeof(text));
	/* Nobody installs what is yet to be made. */
	if (stat(PATH_LIBEXEC "/qgad-selftest", &st) == 0 &&
	    st.st_mtime > now + 86400)
		say(WARNING, "clock", "%s is before qgad was installed: set "
		    "the clock", text);
	else
		say(OK, "clock", "%s", text);
	check_rtc(self);
}

static void
check_rtc(const struct self *self)
{
	time_t rtc, now;
	long long apart;

	if (!allowed(self, "guest-set-time"))
		return;
	if (system_rtc(&rtc) == -1) {
		if (errno == EACCES && !self->root)
			unseen("the RTC");
		else if (errno == EOPNOTSUPP)
			say(OK, "RTC", "it is the kernel's own; "
			    "guest-set-time must be given the time");
		else
			say(WARNING, "RTC", "it cannot be read: %s; "
			    "guest-set-time needs it and will fail",
			    strerror(errno));
		return;
	}
	now = time(NULL);
	apart = (long long)rtc - (long long)now;
	if (apart > RTC_APART || apart < -RTC_APART)
		say(WARNING, "RTC", "it is %lld seconds %s the clock, which "
		    "guest-set-time without a time sets by it: set one by "
		    "the other", apart < 0 ? -apart : apart, apart < 0 ?
		    "behind" : "ahead of");
	else
		say(OK, "RTC", "it agrees with the clock");
}

/* --- tools --- */

void
check_tools(const struct self *self)
{
	check_shutdown(self);
	check_password(self);
	check_suspend(self);
}

static void
check_shutdown(const struct self *self)
{
	static const char *const modes[SHUTDOWN_MODES] = {
		[SHUTDOWN_POWERDOWN] = "powerdown",
		[SHUTDOWN_HALT] = "halt",
		[SHUTDOWN_REBOOT] = "reboot"
	};
	const struct system_program *way;
	char found[512] = "", missing[512] = "";
	unsigned int mode, n;

	if (!allowed(self, "guest-shutdown"))
		return;
	for (mode = 0; mode < SHUTDOWN_MODES; mode++) {
		for (n = 0; (way = system_shutdown(mode, n)) != NULL; n++)
			if (tool_there(way->argv[0]))
				break;
		if (way == NULL) {
			way = system_shutdown(mode, 0);
			snprintf(missing + strlen(missing), sizeof(missing) -
			    strlen(missing), "%s%s (%s)", *missing != '\0' ?
			    ", " : "", modes[mode], way->argv[0]);
		} else
			snprintf(found + strlen(found), sizeof(found) -
			    strlen(found), "%s%s", *found != '\0' ? ", " : "",
			    way->argv[0]);
	}
	if (*missing != '\0')
		say(FAILURE, "tool shutdown", "there is no program for %s: "
		    "install one, or the host cannot end the machine",
		    missing);
	else
		say(OK, "tool shutdown", "%s", found);
}

static void
check_password(const struct self *self)
{
	const char *const *argv;
	unsigned int n;

	if (!allowed(self, "guest-set-user-password"))
		return;
	for (n = 0; (argv = account_chpasswd(0, n)) != NULL; n++)
		if (tool_there(argv[0])) {
			say(OK, "tool password", "%s", argv[0]);
			return;
		}
	say(FAILURE, "tool password", "there is no %s: install it, or "
	    "guest-set-user-password fails", account_chpasswd(0, 0)[0]);
}

static void
check_suspend(const struct self *self)
{
	const struct system_suspend *way;
	unsigned int n;

	if (!allowed(self, "guest-suspend-ram"))
		return;
	for (n = 0; (way = system_suspend(SUSPEND_RAM, n)) != NULL; n++)
		if (access(way->need, F_OK) == 0 &&
		    tool_there(way->act.argv[0])) {
			say(OK, "tool suspend", "%s", way->act.argv[0]);
			return;
		}
	say(WARNING, "tool suspend", "neither systemd nor pm-utils runs this "
	    "system: the kernel itself is asked, which may not be able to");
}
