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
 * qgad-hook over directories of scripts, good and bad.  Everything is in a
 * tmpfs of the test's own mount namespace: a directory above which all is
 * root's, and which is gone with the test.
 */

#include <sys/types.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bounds.h"
#include "confine.h"
#include "driver.h"
#include "hook.h"
#include "log.h"
#include "messages.h"

#define ROOM	"/mnt"
#define DIR_D	ROOM "/d"
#define LOCK	ROOM "/lock"
#define RAN	ROOM "/ran"

#define HOOK_TC(name)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "require.user", "root");		\
	}								\
	ATF_TC_BODY(name, tc)

static void	 room(void);
static void	 file(const char *, const char *, mode_t);
static void	 script(const char *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static void	 open_worker(struct worker *, const atf_tc_t *, const char *,
		    const char *, const char *, const char *);
static void	 tell(struct worker *, uint32_t, uint32_t);
static const char *answer(struct worker *);
static const char *phase(const atf_tc_t *, const char *, uint32_t, uint32_t);
static const char *ran(void);
static void	 ran_is(const char *);
static void	 said(const char *);
static void	 unsaid(const char *);
static void	 lines_are(const char *, int, int);
static void	 await(const char *);
static pid_t	 pid_in(const char *);
static void	 await_death(pid_t);
static int64_t	 now_ms(void);

static void
room(void)
{
	umask(022);
	if (unshare(CLONE_NEWNS) == -1)
		atf_tc_fail("unshare: %s", strerror(errno));
	ATF_REQUIRE_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ATF_REQUIRE_EQ(0, mount("hooks", ROOM, "tmpfs", 0, "mode=0755"));
	ATF_REQUIRE_EQ(0, mkdir(DIR_D, 0755));
	file(RAN, "", 0644);
}

static void
file(const char *path, const char *text, mode_t mode)
{
	int fd;

	ATF_REQUIRE_MSG((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600))
	    != -1, "%s: %s", path, strerror(errno));
	ATF_REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	ATF_REQUIRE_EQ(0, fchmod(fd, mode));
	close(fd);
}

/* In DIR_D unless absolute: it says that it ran, and goes on with more. */
static void
script(const char *name, const char *fmt, ...)
{
	char path[PATH_MAX], more[2048], text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(more, sizeof(more), fmt, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s%s", *name == '/' ? "" : DIR_D "/",
	    name);
	snprintf(text, sizeof(text), "#!/bin/sh\necho \"${0##*/} $1\" >>" RAN
	    "\n%s\n", more);
	file(path, text, 0755);
}

static void
open_worker(struct worker *w, const atf_tc_t *tc, const char *path,
    const char *each, const char *total, const char *grace)
{
	const char *args[6];
	struct msg_hello hello;
	struct imsg imsg;

	args[0] = path;
	args[1] = LOCK;
	args[2] = each;
	args[3] = total;
	args[4] = grace;
	args[5] = NULL;
	driver_start(w, atf_tc_get_config_var(tc, "srcdir"), "qgad-hook",
	    "-", args);
	driver_expect(w, &imsg, MSG_HELLO);
	ATF_REQUIRE_EQ(0, msg_recv_hello(&imsg, &hello));
	ATF_CHECK_EQ(ROLE_HOOK, hello.role);
	imsg_free(&imsg);
}

static void
tell(struct worker *w, uint32_t what, uint32_t abort)
{
	struct msg_hook m = { 77, what, abort };

	ATF_REQUIRE_EQ(0, msg_send_hook(&w->ib, &m));
	driver_flush(w);
}

/* "" for success. */
static const char *
answer(struct worker *w)
{
	static char text[MSG_TEXT_MAX];
	struct msg_done done;
	struct imsg imsg;

	driver_expect(w, &imsg, MSG_DONE);
	ATF_REQUIRE_EQ(0, msg_recv_done(&imsg, &done));
	ATF_CHECK_EQ(77, done.id);
	ATF_CHECK_EQ(*done.text == '\0', done.ok);
	snprintf(text, sizeof(text), "%s", done.text);
	imsg_free(&imsg);
	return (text);
}

/* One phase by a worker of its own, with times that none should need. */
static const char *
phase(const atf_tc_t *tc, const char *path, uint32_t what, uint32_t abort)
{
	struct worker w;
	const char *text;

	open_worker(&w, tc, path, "60000", "120000", "1000");
	tell(&w, what, abort);
	text = answer(&w);
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
	return (text);
}

/* What ran since the last time, a line each. */
static const char *
ran(void)
{
	static char buf[64 * 1024];
	ssize_t n;
	int fd;

	ATF_REQUIRE((fd = open(RAN, O_RDONLY)) != -1);
	ATF_REQUIRE((n = read(fd, buf, sizeof(buf) - 1)) != -1);
	close(fd);
	buf[n] = '\0';
	file(RAN, "", 0644);
	return (buf);
}

static void
ran_is(const char *want)
{
	ATF_CHECK_STREQ(want, ran());
}

static void
said(const char *what)
{
	ATF_CHECK_MSG(strstr(driver_log(), what) != NULL, "not said: %s",
	    what);
}

static void
unsaid(const char *what)
{
	ATF_CHECK_MSG(strstr(driver_log(), what) == NULL, "said: %s", what);
}

/* Some of so many lines "y" are in the log, the others counted. */
static void
lines_are(const char *name, int lines, int bytes)
{
	char line[128];
	const char *p;
	int shown = 0;

	snprintf(line, sizeof(line), "\nhook %s: y\n", name);
	for (p = driver_log(); (p = strstr(p, line)) != NULL; p++)
		shown++;
	ATF_CHECK_MSG(shown >= 24 && shown <= 64, "%d lines", shown);
	/* The first line of all has no newline before it. */
	if (strncmp(driver_log(), line + 1, strlen(line + 1)) == 0)
		shown++;
	snprintf(line, sizeof(line), "hook %s: %d more lines are not shown, "
	    "it wrote %d bytes\n", name, lines - shown, bytes);
	said(line);
}

static void
await(const char *path)
{
	int i;

	for (i = 0; i < 6000; i++) {
		if (access(path, F_OK) == 0)
			return;
		poll(NULL, 0, 10);
	}
	atf_tc_fail("%s does not come", path);
}

static pid_t
pid_in(const char *path)
{
	char buf[32] = "";
	ssize_t n = 0;
	int fd, i;

	await(path);
	for (i = 0; i < 6000 && n <= 0; i++) {
		ATF_REQUIRE((fd = open(path, O_RDONLY)) != -1);
		n = read(fd, buf, sizeof(buf) - 1);
		close(fd);
		poll(NULL, 0, 1);
	}
	ATF_REQUIRE_MSG(atoi(buf) > 1, "%s: no pid", path);
	return ((pid_t)atoi(buf));
}

/* Or only its reaping by init is missing. */
static void
await_death(pid_t pid)
{
	char path[64], buf[512], *p;
	ssize_t n;
	int fd, i;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	for (i = 0; i < 6000; i++) {
		if ((fd = open(path, O_RDONLY)) == -1)
			return;
		n = read(fd, buf, sizeof(buf) - 1);
		close(fd);
		if (n <= 0)
			return;
		buf[n] = '\0';
		if ((p = strrchr(buf, ')')) != NULL && p[2] == 'Z')
			return;
		poll(NULL, 0, 10);
	}
	kill(pid, SIGKILL);
	atf_tc_fail("pid %d goes on", (int)pid);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	ATF_REQUIRE_EQ(0, clock_gettime(CLOCK_MONOTONIC, &now));
	return ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

HOOK_TC(order)
{
	static const char *const names[] = { "b", "10", "a", "B", "9", "_",
	    "\303\251", "a.sh" };
	size_t i;

	room();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		script(names[i], "exit 0");
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_FREEZE, 0));
	ran_is("10 freeze\n9 freeze\nB freeze\n_ freeze\na freeze\n"
	    "a.sh freeze\nb freeze\n\303\251 freeze\n");
	ATF_CHECK_STREQ("", phase(tc, DIR_D "/", HOOK_THAW, 0));
	ran_is("\303\251 thaw\nb thaw\na.sh thaw\na thaw\n_ thaw\nB thaw\n"
	    "9 thaw\n10 thaw\n");
}

/* One worker does several phases; its own end is the end of file. */
HOOK_TC(phases)
{
	struct worker w;

	room();
	script("a", "exit 0");
	open_worker(&w, tc, DIR_D, "60000", "60000", "1000");
	tell(&w, HOOK_FREEZE, 1);
	ATF_CHECK_STREQ("", answer(&w));
	tell(&w, HOOK_THAW, 1);
	ATF_CHECK_STREQ("", answer(&w));
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
	ran_is("a freeze\na thaw\n");
}

HOOK_TC(view)
{
	char want[1024], got[1024] = "", caps[64] = "", line[256];
	ssize_t n;
	FILE *fp;
	int fd;

	room();
	/* A worker's own surroundings must not show. */
	ATF_REQUIRE_EQ(0, setenv("QGAD_TEST", "secret", 1));
	ATF_REQUIRE_EQ(0, setenv("LD_PRELOAD_NOT", "x", 1));
	umask(077);
	file(DIR_D "/a", "#!/bin/sh\n"
	    "exec >" ROOM "/seen 2>&1\n"
	    "tr '\\0' '\\n' </proc/$$/environ | sort\n"
	    "echo \"$0 $# $1\"; pwd -P; umask\n"
	    "grep -E '^(Sig(Blk|Ign)|Uid|CapBnd|Seccomp:|NoNewPrivs)' "
	    "/proc/self/status | tr '\\t' ' '\n"
	    "read -r a b c d pgrp sid g </proc/$$/stat\n"
	    "test \"$sid\" = $$ && test \"$pgrp\" = $$ && echo leader\n"
	    "readlink /proc/$$/fd/0\n"
	    "for i in 3 4 5 6 7 8 9 11 12; do\n"
	    " test -e /proc/$$/fd/$i && echo fd $i; done\n"
	    "(: </dev/tty) 2>/dev/null || echo no terminal\nexit 0\n", 0755);
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_FREEZE, 1));
	ATF_REQUIRE((fp = fopen("/proc/self/status", "r")) != NULL);
	while (fgets(line, sizeof(line), fp) != NULL)
		if (strncmp(line, "CapBnd:\t", 8) == 0)
			strlcpy(caps, line + 8, sizeof(caps));
	fclose(fp);
	/* The tenth is the script itself, where this sh keeps it. */
	snprintf(want, sizeof(want), "LC_ALL=C\n"
	    "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n" DIR_D "/a 1 freeze\n/\n"
	    "0022\nUid: 0 0 0 0\nSigBlk: 0000000000000000\n"
	    "SigIgn: 0000000000000000\nCapBnd: %sNoNewPrivs: 0\nSeccomp: 0\n"
	    "leader\n/dev/null\nno terminal\n", caps);
	ATF_REQUIRE((fd = open(ROOM "/seen", O_RDONLY)) != -1);
	ATF_REQUIRE((n = read(fd, got, sizeof(got) - 1)) != -1);
	close(fd);
	ATF_CHECK_STREQ(want, got);
}

/* What -F may be, and what is said of it. */
HOOK_TC(path)
{
	room();
	script(ROOM "/one", "exit 0");
	script("a", "exit 0");

	ATF_CHECK_STREQ("", phase(tc, ROOM "/one", HOOK_FREEZE, 1));
	ATF_CHECK_STREQ("", phase(tc, "//mnt/./d/../one", HOOK_THAW, 1));
	ran_is("one freeze\none thaw\n");
	ATF_CHECK_STREQ("", phase(tc, "/dev/null", HOOK_FREEZE, 1));
	ATF_CHECK_STREQ("", driver_log());
	ran_is("");

	ATF_CHECK_STREQ("can't access fsfreeze hook '" ROOM "/none': " ROOM
	    "/none: No such file or directory",
	    phase(tc, ROOM "/none", HOOK_FREEZE, 1));
	ATF_CHECK_STREQ("", phase(tc, ROOM "/none", HOOK_FREEZE, 0));
	said("hook " ROOM "/none is not run: " ROOM "/none: No such file or "
	    "directory");
	ATF_CHECK_STREQ("can't access fsfreeze hook 'd': d: not an absolute "
	    "path", phase(tc, "d", HOOK_FREEZE, 1));
	ATF_CHECK_STREQ("can't access fsfreeze hook '" ROOM "/one/x': " ROOM
	    "/one is not a directory", phase(tc, ROOM "/one/x", HOOK_FREEZE,
	    1));
	/* The only one, and it cannot be run: that is no way to disable it. */
	ATF_REQUIRE_EQ(0, chmod(ROOM "/one", 0644));
	ATF_CHECK_STREQ("can't access fsfreeze hook '" ROOM "/one': it is "
	    "not executable by its owner",
	    phase(tc, ROOM "/one", HOOK_FREEZE, 1));
	ran_is("");
}

/* Without -F: a directory that need not be there. */
HOOK_TC(usual)
{
	room();
	ATF_REQUIRE_EQ(0, mount("etc", "/etc", "tmpfs", 0, "mode=0755"));
	ATF_CHECK_STREQ("", phase(tc, "-", HOOK_FREEZE, 1));
	ATF_CHECK_STREQ("", driver_log());
	ATF_REQUIRE_EQ(0, mkdir("/etc/qemu", 0755));
	/* qemu-ga's own script is run only when it is named. */
	script("/etc/qemu/fsfreeze-hook", "exit 0");
	ATF_CHECK_STREQ("", phase(tc, "-", HOOK_FREEZE, 1));
	ran_is("");
	ATF_REQUIRE_EQ(0, mkdir("/etc/qemu/fsfreeze-hook.d", 0755));
	ATF_CHECK_STREQ("", phase(tc, "-", HOOK_FREEZE, 1));
	script("/etc/qemu/fsfreeze-hook.d/a", "exit 0");
	ATF_CHECK_STREQ("", phase(tc, "-", HOOK_FREEZE, 1));
	ran_is("a freeze\n");
	ATF_REQUIRE_EQ(0, chmod("/etc/qemu", 0775));
	ATF_CHECK_STREQ("", phase(tc, "-", HOOK_THAW, 0));
	said("hook /etc/qemu/fsfreeze-hook.d is not run: /etc/qemu is "
	    "writable by group or others");
	ran_is("");
}

/* Each component above the script spoilt, one after another. */
HOOK_TC(above)
{
	static const struct {
		const char	*path;
		mode_t		 mode;
		uid_t		 uid;
		const char	*why;
	} bad[] = {
		{ ROOM, 0775, 0, "is writable by group or others" },
		{ ROOM, 01777, 0, "is writable by group or others" },
		{ ROOM "/x", 0757, 0, "is writable by group or others" },
		{ ROOM "/x", 0755, 65534, "does not belong to root" },
		{ ROOM "/x/y", 02775, 0, "is writable by group or others" },
		{ ROOM "/x/y", 0700, 1, "does not belong to root" },
	};
	char want[256];
	size_t i;

	room();
	ATF_REQUIRE_EQ(0, mkdir(ROOM "/x", 0755));
	ATF_REQUIRE_EQ(0, mkdir(ROOM "/x/y", 0755));
	script(ROOM "/x/y/a", "exit 0");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ATF_REQUIRE_EQ(0, chown(bad[i].path, bad[i].uid, 0));
		ATF_REQUIRE_EQ(0, chmod(bad[i].path, bad[i].mode));
		snprintf(want, sizeof(want), "hook " ROOM "/x/y is not run: "
		    "%s %s", bad[i].path, bad[i].why);
		ATF_CHECK_STREQ("", phase(tc, ROOM "/x/y", HOOK_FREEZE, 0));
		said(want);
		snprintf(want, sizeof(want), "hook " ROOM "/x/y/a is not run: "
		    "%s %s", bad[i].path, bad[i].why);
		ATF_CHECK_STREQ("", phase(tc, ROOM "/x/y/a", HOOK_FREEZE, 0));
		said(want);
		ran_is("");
		ATF_REQUIRE_EQ(0, chown(bad[i].path, 0, 0));
		ATF_REQUIRE_EQ(0, chmod(bad[i].path, 0755));
	}
	ATF_REQUIRE_EQ(0, symlink("x", ROOM "/l"));
	ATF_REQUIRE_EQ(0, symlink("/mnt/x/y", ROOM "/m"));
	phase(tc, ROOM "/l/y/a", HOOK_FREEZE, 0);
	said("hook " ROOM "/l/y/a is not run: " ROOM "/l is a symbolic link");
	phase(tc, ROOM "/m", HOOK_FREEZE, 0);
	said("hook " ROOM "/m is not run: " ROOM "/m is a symbolic link");
	ran_is("");
	phase(tc, ROOM "/x/y/a", HOOK_FREEZE, 0);
	ran_is("a freeze\n");
}

/* The entries that the test below has in its directory. */
static const struct entry {
	const char	*name;
	const char	*more;		/* of a script; NULL: made by hand */
	mode_t		 mode;		/* 0: 0755 */
	int		 runs;
	const char	*says;		/* what the log says; NULL: nothing */
} entries[] = {
	{ "00-first", "", 0, 1, NULL },
	{ "01-link", NULL, 0, 0, "is a symbolic link" },
	{ "02-dangling", NULL, 0, 0, "is a symbolic link" },
	{ "03-group", "", 0775, 0, "is writable by group or others" },
	{ "04-others", "", 0757, 0, "is writable by group or others" },
	{ "05-owner", "", 0, 0, "does not belong to root" },
	{ "06-setuid", "", 04755, 0, "is setuid or setgid" },
	{ "07-setgid", "", 02755, 0, "is setuid or setgid" },
	{ "08-directory", NULL, 0, 0, "is not a regular file" },
	{ "09-fifo", NULL, 0, 0, "is not a regular file" },
	{ "10-chr", NULL, 0, 0, "is not a regular file" },
	{ "11-blk", NULL, 0, 0, "is not a regular file" },
	{ "12-socket", NULL, 0, 0, "is not a regular file" },
	{ "13-empty", NULL, 0, 0, ": Exec format error" },
	{ "14-junk", NULL, 0, 0, ": Exec format error" },
	{ "15-interpreter", NULL, 0, 0, ": No such file or directory" },
	{ "16-plain", "", 0644, 0, "is left out: it is not executable" },
	{ "17-group-x", "", 0610, 0, "is left out: it is not executable" },
	{ "18-fails", "exit 3", 0, 1, ": exit status 3" },
	{ "19-signal", "kill -9 $$", 0, 1, ": terminated by signal 9" },
	{ "20-hangs", "exec sleep 600", 0, 1, "which is its time" },
	{ "21-ignores", "trap '' TERM; while :; do sleep 1; done", 0, 1,
	    "which is its time" },
	{ "22-forks", "sleep 600 & echo $! >" ROOM "/left", 0, 1, NULL },
	{ "23-group-hangs", "(trap '' TERM; echo x >" ROOM "/r; sleep 600) & "
	    "echo $! >" ROOM "/killed; wait", 0, 1, "which is its time" },
	{ "24-floods", "exec cat /dev/zero", 0, 1, "which is its time" },
	{ "25-lines", "yes | head -n 1000", 0, 1, NULL },
	{ "26-\n\033[31m", "", 0, 1, NULL },
	{ "27 a'b\"$c`d`;e", "", 0, 1, NULL },
	{ "28-closes", "exec >&- 2>&-; sleep 1.1; echo 28-closed >>" RAN, 0,
	    1, NULL },
	{ "29-reads", "read -r x; echo \"29-read=$x\" >>" RAN, 0, 1, NULL },
	{ "30-hardlink", NULL, 0, 1, NULL },
	{ "31-spoils", "chmod 777 " DIR_D "/32-spoilt; rm " DIR_D "/33-gone",
	    0, 1, NULL },
	{ "32-spoilt", "", 0, 0, "is writable by group or others" },
	{ "33-gone", "", 0, 0, ": No such file or directory" },
	{ "34-long", "head -c 100000 /dev/zero | tr '\\0' x", 0, 1, NULL },
	{ "35-binary", "printf 'a\\033[2J\\000b\\n\\n\\377\\n'", 0, 1, NULL },
	{ "36-old~", "", 0, 0, NULL },
	{ "36-old.bak", "", 0, 0, NULL },
	{ "36-old.orig", "", 0, 0, NULL },
	{ "36-old.rpmsave", "", 0, 0, NULL },
	{ "36-old.dpkg-old", "", 0, 0, NULL },
	{ "36-old.sample", "", 0, 0, NULL },
	{ ".hidden", "", 0, 0, NULL },
	{ "99-last", "", 0, 1, NULL },
};
#define NENTRIES	(sizeof(entries) / sizeof(entries[0]))

static void
by_hand(void)
{
	struct sockaddr_un sun;
	int fd;

	ATF_REQUIRE_EQ(0, chown(DIR_D "/05-owner", 1, 0));
	script(ROOM "/elsewhere", "%s", "");
	ATF_REQUIRE_EQ(0, symlink("../elsewhere", DIR_D "/01-link"));
	ATF_REQUIRE_EQ(0, symlink("/no/where", DIR_D "/02-dangling"));
	ATF_REQUIRE_EQ(0, mkdir(DIR_D "/08-directory", 0755));
	script("08-directory/inside", "%s", "");
	ATF_REQUIRE_EQ(0, mkfifo(DIR_D "/09-fifo", 0755));
	ATF_REQUIRE_EQ(0, mknod(DIR_D "/10-chr", S_IFCHR | 0755,
	    makedev(1, 3)));
	ATF_REQUIRE_EQ(0, mknod(DIR_D "/11-blk", S_IFBLK | 0755,
	    makedev(7, 0)));
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strlcpy(sun.sun_path, DIR_D "/12-socket", sizeof(sun.sun_path));
	ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE_EQ(0, bind(fd, (struct sockaddr *)&sun, sizeof(sun)));
	close(fd);
	ATF_REQUIRE_EQ(0, chmod(DIR_D "/12-socket", 0755));
	file(DIR_D "/13-empty", "", 0755);
	file(DIR_D "/14-junk", "\177ELF\001\377\377junk", 0755);
	file(DIR_D "/15-interpreter", "#!/no/such\n", 0755);
	script(ROOM "/hard", "%s", "");
	ATF_REQUIRE_EQ(0, link(ROOM "/hard", DIR_D "/30-hardlink"));
}

static void
adversaries(void)
{
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < NENTRIES; i++) {
		if (entries[i].more == NULL)
			continue;
		script(entries[i].name, "%s", entries[i].more);
		snprintf(path, sizeof(path), DIR_D "/%s", entries[i].name);
		if (entries[i].mode != 0)
			ATF_REQUIRE_EQ(0, chmod(path, entries[i].mode));
	}
	by_hand();
}

/* What runs and what does not, exactly, and what is said of it. */
HOOK_TC(adversarial)
{
	char want[8192] = "", line[1024], name[512];
	const struct entry *e;
	const char *p, *text;
	struct worker w;
	int64_t began;
	size_t i, x;
	pid_t left;

	room();
	adversaries();
	open_worker(&w, tc, DIR_D, "4000", "240000", "500");
	began = now_ms();
	tell(&w, HOOK_FREEZE, 0);
	text = answer(&w);
	ATF_CHECK_STREQ("", text);
	/* Four hang, two of them past SIGTERM; the bound is a loaded one's. */
	ATF_CHECK(now_ms() - began < 120 * 1000);

	for (i = 0; i < NENTRIES; i++) {
		e = &entries[i];
		log_visible(name, sizeof(name), e->name, strlen(e->name));
		snprintf(line, sizeof(line), "hook " DIR_D "/%s ", name);
		p = strstr(driver_log(), line);
		if (e->says == NULL) {
			ATF_CHECK_MSG(p == NULL, "%s: %.200s", name, p);
		} else {
			snprintf(line, sizeof(line), "%.*s",
			    p == NULL ? 0 : (int)strcspn(p, "\n"), p);
			ATF_CHECK_MSG(strstr(line, e->says) != NULL,
			    "%s: said '%s'", name, line);
		}
		if (e->runs) {
			snprintf(line, sizeof(line), "%s freeze\n", e->name);
			strlcat(want, line, sizeof(want));
		}
		if (strcmp(e->name, "28-closes") == 0)
			strlcat(want, "28-closed\n", sizeof(want));
		if (strcmp(e->name, "29-reads") == 0)
			strlcat(want, "29-read=\n", sizeof(want));
	}
	ran_is(want);

	/* Output: a line each, made visible, bounded. */
	lines_are("25-lines", 1000, 2000);
	said("hook 35-binary: a\\x1b[2J\\x00b\nhook 35-binary: \\xff\n");
	p = strstr(driver_log(), "hook 34-long: x");
	ATF_REQUIRE(p != NULL);
	p += strlen("hook 34-long: ");
	x = strspn(p, "x");
	ATF_CHECK_EQ(400, x);
	ATF_CHECK_EQ(0, strncmp(p + x, " [cut]\n", 7));

	/* One that ended may leave something; one that was ended may not. */
	left = pid_in(ROOM "/left");
	ATF_CHECK_EQ(0, kill(left, 0));
	ATF_CHECK_EQ(0, kill(left, SIGKILL));
	await_death(pid_in(ROOM "/killed"));
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
}

/* Without the validation, the same entries run. */
HOOK_TC(adversarial_control)
{
	char command[1024], dir[1024], *p;
	FILE *fp;

	snprintf(command, sizeof(command), "sh %s/../common/variant.sh "
	    "hooks-unchecked 0x8000", atf_tc_get_config_var(tc, "srcdir"));
	ATF_REQUIRE((fp = popen(command, "r")) != NULL);
	ATF_REQUIRE(fgets(dir, sizeof(dir), fp) != NULL);
	ATF_REQUIRE_EQ(0, pclose(fp));
	ATF_REQUIRE((p = strrchr(dir, '/')) != NULL);
	ATF_REQUIRE_STREQ("/root\n", p);
	snprintf(p, sizeof(dir) - (size_t)(p - dir), "/workers");
	ATF_REQUIRE(setenv("QGAD_WORKERS", dir, 1) == 0);

	room();
	ATF_REQUIRE_EQ(0, chmod(ROOM, 01777));
	script(ROOM "/elsewhere", "%s", "");
	ATF_REQUIRE_EQ(0, symlink("../elsewhere", DIR_D "/01-link"));
	script("03-group", "%s", "");
	ATF_REQUIRE_EQ(0, chmod(DIR_D "/03-group", 0775));
	script("05-owner", "%s", "");
	ATF_REQUIRE_EQ(0, chown(DIR_D "/05-owner", 1, 0));
	script("06-setuid", "%s", "");
	ATF_REQUIRE_EQ(0, chmod(DIR_D "/06-setuid", 04755));
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_FREEZE, 0));
	ran_is("01-link freeze\n03-group freeze\n05-owner freeze\n"
	    "06-setuid freeze\n");
}

/* 1 GiB of output is read, counted and not kept. */
HOOK_TC(flood)
{
	room();
	script("a", "dd if=/dev/zero bs=1M count=1024 2>/dev/null && "
	    "echo written >>" RAN);
	script("b", "%s", "");
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_FREEZE, 1));
	ran_is("a freeze\nwritten\nb freeze\n");
	said("hook a: \\x00\\x00");
	ATF_CHECK(strlen(driver_log()) < 4096);
	/* As lines, of which a few are shown. */
	script("a", "yes | head -c 104857600; echo written >>" RAN);
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_FREEZE, 1));
	ran_is("a freeze\nwritten\nb freeze\n");
	lines_are("a", 52428800, 104857600);
	ATF_CHECK(strlen(driver_log()) < 4096);
}

HOOK_TC(bounded_directory)
{
	char name[32];
	int i, lines = 0;
	const char *p;

	room();
	for (i = 0; i < HOOK_MAX; i++) {
		snprintf(name, sizeof(name), "%03d", i);
		script(name, "exit 0");
	}
	script("ignored.bak", "exit 0");
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_FREEZE, 1));
	for (p = ran(); *p != '\0'; p++)
		lines += *p == '\n';
	ATF_CHECK_EQ(HOOK_MAX, lines);
	script("one-more", "exit 0");
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_FREEZE, 0));
	ran_is("");
	said("hook " DIR_D " is not run: more than 256 scripts, none is run");
	ATF_CHECK_STREQ("can't access fsfreeze hook '" DIR_D "': more than "
	    "256 scripts, none is run", phase(tc, DIR_D, HOOK_FREEZE, 1));
}

HOOK_TC(abort)
{
	room();
	script("a", "exit 0");
	script("b", "echo no database; exit 7");
	script("c", "exit 0");
	file(DIR_D "/README", "not a script\n", 0644);
	ATF_CHECK_STREQ("child process has failed to execute fsfreeze hook: "
	    DIR_D "/b: exit status 7", phase(tc, DIR_D, HOOK_FREEZE, 1));
	ran_is("a freeze\nb freeze\n");
	said("hook b: no database");
	said("hook " DIR_D "/b freeze: exit status 7");
	/* All that may have been locked is released. */
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_THAW, 1));
	ran_is("c thaw\nb thaw\na thaw\n");
	said("hook " DIR_D "/b thaw: exit status 7");
	/* Without it, on to the end. */
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_FREEZE, 0));
	ran_is("a freeze\nb freeze\nc freeze\n");
	/* One that is left out is a failure; one switched off is none. */
	ATF_REQUIRE_EQ(0, chmod(DIR_D "/b", 0777));
	ATF_CHECK_STREQ("can't access fsfreeze hook '" DIR_D "/b': " DIR_D
	    "/b is writable by group or others",
	    phase(tc, DIR_D, HOOK_FREEZE, 1));
	ran_is("a freeze\n");
	ATF_REQUIRE_EQ(0, chmod(DIR_D "/b", 0644));
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_FREEZE, 1));
	ran_is("a freeze\nc freeze\n");
	said("hook " DIR_D "/README is left out: it is not "
	    "executable");
}

/* All together have a bound; on thaw each gets its turn. */
HOOK_TC(together)
{
	struct worker w;
	const char *text;

	room();
	script("a", "exec sleep 600");
	script("b", "exec sleep 600");
	script("c", "exit 0");
	open_worker(&w, tc, DIR_D, "60000", "1500", "500");
	tell(&w, HOOK_FREEZE, 0);
	ATF_CHECK_STREQ("", answer(&w));
	said("hook " DIR_D "/a freeze: ended after 1.");
	said("hook " DIR_D "/b freeze: not run, the time for all hooks is "
	    "over");
	said("hook " DIR_D "/c freeze: not run, the time for all hooks is "
	    "over");
	ran_is("a freeze\n");
	tell(&w, HOOK_FREEZE, 1);
	text = answer(&w);
	ATF_CHECK_MSG(strncmp(text, "child process has failed to execute "
	    "fsfreeze hook: " DIR_D "/a: ended after 1.", 59) == 0, "%s",
	    text);
	ran_is("a freeze\n");
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));

	open_worker(&w, tc, DIR_D, "60000", "6000", "500");
	tell(&w, HOOK_THAW, 0);
	ATF_CHECK_STREQ("", answer(&w));
	ran_is("c thaw\nb thaw\na thaw\n");
	unsaid("not run");
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
}

/* The monitor goes while a script runs: that is ended, no other begun. */
HOOK_TC(monitor_dies)
{
	struct worker w;

	room();
	script("a", "trap 'echo told >>" RAN "; exit 0' TERM; echo $$ >" ROOM
	    "/pid; while :; do sleep 0.05; done");
	script("b", "exit 0");
	open_worker(&w, tc, DIR_D, "60000", "60000", "30000");
	tell(&w, HOOK_FREEZE, 0);
	(void)pid_in(ROOM "/pid");
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
	ran_is("a freeze\ntold\n");

	/* One that does not listen. */
	ATF_REQUIRE_EQ(0, unlink(ROOM "/pid"));
	script("a", "trap '' TERM; echo $$ >" ROOM "/pid; "
	    "while :; do sleep 0.05; done");
	open_worker(&w, tc, DIR_D, "60000", "60000", "200");
	tell(&w, HOOK_FREEZE, 0);
	(void)pid_in(ROOM "/pid");
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
	await_death(pid_in(ROOM "/pid"));
	ran_is("a freeze\n");
}

/* The next monitor's thaw waits for the end of the last one's freeze. */
HOOK_TC(thaw_waits)
{
	struct worker w, next;

	room();
	script("a", "test $1 = thaw && exit 0\n"
	    "trap 'until test -e " ROOM "/go; do sleep 0.02; done; "
	    "echo frozen >>" RAN "; exit 0' TERM; echo $$ >" ROOM "/pid; "
	    "while :; do sleep 0.02; done");
	open_worker(&w, tc, DIR_D, "60000", "60000", "30000");
	tell(&w, HOOK_FREEZE, 0);
	(void)pid_in(ROOM "/pid");
	driver_close(&w);
	open_worker(&next, tc, DIR_D, "60000", "60000", "30000");
	tell(&next, HOOK_THAW, 0);
	poll(NULL, 0, 300);	/* whatever it would do too early */
	file(ROOM "/go", "", 0644);
	ATF_CHECK_STREQ("", answer(&next));
	ran_is("a freeze\nfrozen\na thaw\n");
	driver_close(&next);
	ATF_CHECK_EQ(0, driver_wait(&next));
	ATF_CHECK_EQ(0, driver_wait(&w));
}

/* Somebody who does not let go of the lock: it is not waited for for ever. */
HOOK_TC(lock_held)
{
	struct worker w;
	int fd;

	room();
	script("a", "exit 0");
	ATF_REQUIRE((fd = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) !=
	    -1);
	ATF_REQUIRE_EQ(0, flock(fd, LOCK_EX));
	open_worker(&w, tc, DIR_D, "60000", "60000", "100");
	tell(&w, HOOK_THAW, 0);
	ATF_CHECK_STREQ("", answer(&w));
	said("hooks run without the lock " LOCK);
	ran_is("a thaw\n");
	/* Nor when the monitor goes meanwhile. */
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
	open_worker(&w, tc, DIR_D, "60000", "60000", "30000");
	tell(&w, HOOK_THAW, 0);
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
	ran_is("");
	/* A link in its place is not followed. */
	close(fd);
	ATF_REQUIRE_EQ(0, unlink(LOCK));
	ATF_REQUIRE_EQ(0, symlink("elsewhere", LOCK));
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_THAW, 0));
	said("hooks run without the lock " LOCK);
	ran_is("a thaw\n");
	ATF_CHECK_EQ(-1, access(ROOM "/elsewhere", F_OK));
	unsaid("it is not root's alone");
	/* Nor is one used that others may open, and so hold. */
	ATF_REQUIRE_EQ(0, unlink(LOCK));
	ATF_REQUIRE((fd = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) !=
	    -1);
	ATF_REQUIRE_EQ(0, fchown(fd, 65534, 65534));
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_THAW, 0));
	said("without the lock " LOCK ": it is not root's alone");
	ATF_REQUIRE_EQ(0, fchown(fd, 0, 0));
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_THAW, 0));
	unsaid("without the lock");
	ATF_REQUIRE_EQ(0, fchmod(fd, 0604));
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_THAW, 0));
	said("without the lock " LOCK ": it is not root's alone");
	close(fd);
}

/* The worker is killed: what it had started does not go on. */
HOOK_TC(worker_killed)
{
	struct worker w;
	struct imsg imsg;
	pid_t child, pid;

	room();
	script("a", "test $1 = thaw && exit 0\ntrap '' TERM\n"
	    "sleep 600 & echo $! >" ROOM "/child; echo $$ >" ROOM "/pid; "
	    "wait; echo went on >>" RAN);
	open_worker(&w, tc, DIR_D, "60000", "60000", "30000");
	tell(&w, HOOK_FREEZE, 0);
	pid = pid_in(ROOM "/pid");
	child = pid_in(ROOM "/child");
	ATF_REQUIRE_EQ(0, kill(w.pid, SIGKILL));
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(-1, driver_wait(&w));
	driver_close(&w);
	await_death(pid);
	await_death(child);
	ATF_CHECK_STREQ("", phase(tc, DIR_D, HOOK_THAW, 0));
	unsaid("without the lock");
	ran_is("a freeze\na thaw\n");
}

/* Descriptors, processes: nothing grows from phase to phase. */
HOOK_TC(repeated)
{
	struct worker w;
	char path[64];
	int before = 0, fd, i, n, after = 0;

	room();
	script("a", "echo word; exit 1");
	open_worker(&w, tc, DIR_D, "60000", "60000", "1000");
	for (i = 0; i < 100; i++) {
		tell(&w, i % 2 ? HOOK_THAW : HOOK_FREEZE, 0);
		ATF_CHECK_STREQ("", answer(&w));
		if (i != 0 && i != 99)
			continue;
		for (n = fd = 0; fd < 256; fd++) {
			snprintf(path, sizeof(path), "/proc/%d/fd/%d",
			    (int)w.pid, fd);
			n += access(path, F_OK) == 0 || errno != ENOENT;
		}
		*(i == 0 ? &before : &after) = n;
	}
	ATF_CHECK_EQ(before, after);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)w.pid,
	    (int)w.pid);
	if ((fd = open(path, O_RDONLY)) != -1) {
		ATF_CHECK_EQ(0, read(fd, path, 1));
		close(fd);
	}
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
}

HOOK_TC(bad_message)
{
	struct msg_shutdown shut = { 1, 0 };
	static const char *const none[] = { NULL }, *const bad[] = { DIR_D,
	    LOCK, "1", "2", "0", NULL };
	const char *dir = atf_tc_get_config_var(tc, "srcdir");
	struct worker w;
	struct imsg imsg;

	room();
	script("a", "exit 0");
	open_worker(&w, tc, DIR_D, "60000", "60000", "1000");
	ATF_REQUIRE_EQ(0, msg_send_shutdown(&w.ib, &shut));
	driver_flush(&w);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
	/* A phase that does not exist. */
	open_worker(&w, tc, DIR_D, "60000", "60000", "1000");
	tell(&w, HOOK_PHASES, 0);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
	driver_start(&w, dir, "qgad-hook", "-", none);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
	driver_start(&w, dir, "qgad-hook", "-", bad);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
	ran_is("");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, phases);
	ATF_TP_ADD_TC(tp, view);
	ATF_TP_ADD_TC(tp, path);
	ATF_TP_ADD_TC(tp, usual);
	ATF_TP_ADD_TC(tp, above);
	ATF_TP_ADD_TC(tp, adversarial);
	ATF_TP_ADD_TC(tp, adversarial_control);
	ATF_TP_ADD_TC(tp, flood);
	ATF_TP_ADD_TC(tp, bounded_directory);
	ATF_TP_ADD_TC(tp, abort);
	ATF_TP_ADD_TC(tp, together);
	ATF_TP_ADD_TC(tp, monitor_dies);
	ATF_TP_ADD_TC(tp, thaw_waits);
	ATF_TP_ADD_TC(tp, lock_held);
	ATF_TP_ADD_TC(tp, worker_killed);
	ATF_TP_ADD_TC(tp, repeated);
	ATF_TP_ADD_TC(tp, bad_message);
	return (atf_no_error());
}
