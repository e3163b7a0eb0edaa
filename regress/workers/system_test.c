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
 * qgad-system, its sources compiled in with every path made relative: it can
 * find no program but the stand-ins that a test makes in its own directory.
 */

#define SYSTEM_PREFIX	"."
#define main		system_main
int	 system_main(int, char *[]);
#include "system.c"
#include "system-linux.c"
#undef main

#include <sys/wait.h>

#include <atf-c.h>
#include <signal.h>

#include "driver.h"

_Static_assert(sizeof(SYSTEM_PREFIX) == sizeof("."),
    "this test must not reach the real programs");

static void	 stand_in(const char *, const char *);
static void	 ask(struct worker *, uint32_t);
static void	 answer(struct worker *, char *, size_t);
static void	 shutdown_says(uint32_t, const char *);
static const char *contents(const char *);
static void	 wait_for_file(const char *);

static void
stand_in(const char *name, const char *script)
{
	char path[64], text[1024];
	int fd;

	if (mkdir("sbin", 0755) == -1)
		ATF_REQUIRE_EQ(EEXIST, errno);
	snprintf(path, sizeof(path), "sbin/%s", name);
	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	ATF_REQUIRE((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755)) !=
	    -1);
	ATF_REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* A worker that has been told. */
static void
ask(struct worker *w, uint32_t mode)
{
	struct msg_shutdown m;
	struct msg_hello hello;
	struct imsg imsg;

	driver_call(w, system_main, "-");
	driver_expect(w, &imsg, MSG_HELLO);
	ATF_REQUIRE_EQ(0, msg_recv_hello(&imsg, &hello));
	ATF_CHECK_EQ(ROLE_SYSTEM, hello.role);
	imsg_free(&imsg);
	memset(&m, 0, sizeof(m));
	m.id = 11;
	m.mode = mode;
	ATF_REQUIRE_EQ(0, msg_send_shutdown(&w->ib, &m));
	driver_flush(w);
}

/* "" for success; the worker has then ended. */
static void
answer(struct worker *w, char *text, size_t size)
{
	struct msg_done done;
	struct imsg imsg;

	driver_expect(w, &imsg, MSG_DONE);
	ATF_REQUIRE_EQ(0, msg_recv_done(&imsg, &done));
	ATF_CHECK_EQ(11, done.id);
	ATF_CHECK_EQ(*done.text == '\0', done.ok);
	snprintf(text, size, "%s", done.text);
	imsg_free(&imsg);
	ATF_CHECK_EQ(0, driver_wait(w));
	driver_close(w);
}

static void
shutdown_says(uint32_t mode, const char *want)
{
	char text[MSG_TEXT_MAX];
	struct worker w;

	ask(&w, mode);
	answer(&w, text, sizeof(text));
	ATF_CHECK_STREQ(want, text);
}

static const char *
contents(const char *path)
{
	static char buf[4096];
	ssize_t n;
	int fd;

	ATF_REQUIRE((fd = open(path, O_RDONLY)) != -1);
	ATF_REQUIRE((n = read(fd, buf, sizeof(buf) - 1)) != -1);
	close(fd);
	buf[n] = '\0';
	return (buf);
}

static void
wait_for_file(const char *path)
{
	int i;

	for (i = 0; i < 6000; i++) {
		if (access(path, F_OK) == 0)
			return;
		poll(NULL, 0, 10);
	}
	atf_tc_fail("%s does not come", path);
}

ATF_TC_WITHOUT_HEAD(programs);
ATF_TC_BODY(programs, tc)
{
	static const char log[] = "echo $0 \"$@\" >>calls";
	uint32_t mode;

	(void)tc;
	/* shutdown(8) alone. */
	stand_in("shutdown", "for a; do echo \"$a\" >>args; done");
	shutdown_says(SHUTDOWN_POWERDOWN, "");
	ATF_CHECK_STREQ("-h\n-P\n+0\nhypervisor initiated shutdown\n",
	    contents("args"));
	ATF_REQUIRE_EQ(0, unlink("args"));
	shutdown_says(SHUTDOWN_HALT, "");
	ATF_CHECK_STREQ("-h\n-H\n+0\nhypervisor initiated shutdown\n",
	    contents("args"));
	ATF_REQUIRE_EQ(0, unlink("args"));
	shutdown_says(SHUTDOWN_REBOOT, "");
	ATF_CHECK_STREQ("-r\n+0\nhypervisor initiated shutdown\n",
	    contents("args"));
	ATF_REQUIRE_EQ(0, unlink("args"));

	/* The short names go before it, without arguments. */
	stand_in("poweroff", log);
	stand_in("halt", log);
	stand_in("reboot", log);
	for (mode = 0; mode < SHUTDOWN_MODES; mode++)
		shutdown_says(mode, "");
	ATF_CHECK_STREQ("./sbin/poweroff\n./sbin/halt\n./sbin/reboot\n",
	    contents("calls"));
	ATF_CHECK_EQ(-1, access("args", F_OK));

	/* One that may not be executed, or is no file, is passed over. */
	ATF_REQUIRE_EQ(0, chmod("sbin/halt", 0644));
	shutdown_says(SHUTDOWN_HALT, "");
	ATF_REQUIRE(unlink("sbin/reboot") == 0 &&
	    mkdir("sbin/reboot", 0755) == 0);
	shutdown_says(SHUTDOWN_REBOOT, "");
	ATF_CHECK_STREQ("-h\n-H\n+0\nhypervisor initiated shutdown\n"
	    "-r\n+0\nhypervisor initiated shutdown\n", contents("args"));
}

ATF_TC_WITHOUT_HEAD(none);
ATF_TC_BODY(none, tc)
{
	(void)tc;
	shutdown_says(SHUTDOWN_REBOOT, "no program to shut down with, looked "
	    "for ./sbin/reboot, ./sbin/shutdown");
	ATF_CHECK(system_shutdown(SHUTDOWN_MODES, 0) == NULL);
	ATF_CHECK(system_shutdown(UINT32_MAX, 0) == NULL);
}

ATF_TC_WITHOUT_HEAD(failures);
ATF_TC_BODY(failures, tc)
{
	char want[2048];
	int n;

	(void)tc;
	stand_in("halt", "exit 3");
	shutdown_says(SHUTDOWN_HALT,
	    "child process has failed to shutdown: exit status 3");
	stand_in("halt", "kill -9 $$");
	shutdown_says(SHUTDOWN_HALT,
	    "child process has failed to shutdown: terminated by signal 9");
	stand_in("halt", "echo; echo '  no bus '; printf 'a\\tb\\n' >&2;"
	    "echo; exit 1");
	shutdown_says(SHUTDOWN_HALT,
	    "child process has failed to shutdown: no bus  a b");
	/* More than is kept, and more than a pipe holds. */
	stand_in("halt", "head -c 300000 /dev/zero | tr '\\0' x; exit 1");
	n = snprintf(want, sizeof(want),
	    "child process has failed to shutdown: ");
	memset(want + n, 'x', OUTPUT_MAX);
	want[n + OUTPUT_MAX] = '\0';
	shutdown_says(SHUTDOWN_HALT, want);
	/* Executable and yet not. */
	stand_in("halt", "");
	ATF_REQUIRE_EQ(0, truncate("sbin/halt", 0));
	shutdown_says(SHUTDOWN_HALT, "child process has failed to shutdown: "
	    "./sbin/halt: Exec format error");
}

ATF_TC_WITHOUT_HEAD(view);
ATF_TC_BODY(view, tc)
{
	char want[512], cwd[256];

	(void)tc;
	ATF_REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	ATF_REQUIRE_EQ(0, setenv("QGAD_TEST", "secret", 1));
	umask(077);
	stand_in("poweroff", "exec >seen; /usr/bin/env | grep -v ^PWD= | sort;"
	    "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t'; umask;"
	    "read -r a b c d e f g </proc/$$/stat;"
	    "test \"$f\" = $$ && echo leader; readlink /proc/$$/fd/0;"
	    "for i in 3 4 5 6 7 8 9; do"
	    " test -e /proc/$$/fd/$i && echo fd $i; done; exit 0");
	ATF_REQUIRE_EQ(0, chmod("sbin/poweroff", 0755));
	shutdown_says(SHUTDOWN_POWERDOWN, "");
	snprintf(want, sizeof(want), "LC_ALL=C\n"
	    "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nSigBlk:0000000000000000\n"
	    "SigIgn:0000000000000000\n0022\nleader\n/dev/null\n");
	ATF_CHECK_STREQ(want, contents("seen"));
}

/* A daemon that it started keeps the pipe: nobody waits for that. */
ATF_TC_WITHOUT_HEAD(pipe_held);
ATF_TC_BODY(pipe_held, tc)
{
	(void)tc;
	stand_in("halt", "sleep 600 & echo $! >left; echo held; exit 1");
	shutdown_says(SHUTDOWN_HALT,
	    "child process has failed to shutdown: held");
	ATF_CHECK_EQ(0, kill((pid_t)atoi(contents("left")), SIGKILL));
}

ATF_TC_WITHOUT_HEAD(monitor_dies);
ATF_TC_BODY(monitor_dies, tc)
{
	struct worker w;

	(void)tc;
	stand_in("halt", "touch begun; until test -e go; do sleep 0.02; done;"
	    "head -c 300000 /dev/zero && touch done");
	ask(&w, SHUTDOWN_HALT);
	wait_for_file("begun");
	driver_close(&w);
	stand_in("go", "");
	ATF_REQUIRE_EQ(0, rename("sbin/go", "go"));
	wait_for_file("done");
	ATF_CHECK_EQ(0, driver_wait(&w));
}

ATF_TC_WITHOUT_HEAD(bad_message);
ATF_TC_BODY(bad_message, tc)
{
	struct msg_request m;
	struct worker w;
	struct imsg imsg;

	(void)tc;
	driver_call(&w, system_main, "-");
	driver_expect(&w, &imsg, MSG_HELLO);
	imsg_free(&imsg);
	memset(&m, 0, sizeof(m));
	m.id = 1;
	ATF_REQUIRE_EQ(0, msg_send_request(&w.ib, MSG_QUERY, &m));
	driver_flush(&w);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, programs);
	ATF_TP_ADD_TC(tp, none);
	ATF_TP_ADD_TC(tp, failures);
	ATF_TP_ADD_TC(tp, view);
	ATF_TP_ADD_TC(tp, pipe_held);
	ATF_TP_ADD_TC(tp, monitor_dies);
	ATF_TP_ADD_TC(tp, bad_message);
	return (atf_no_error());
}
