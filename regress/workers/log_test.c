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

/* The real qgad-log with a monitor played by this test. */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "driver.h"
#include "log.h"
#include "messages.h"

#define PROGRAM	"qgad-log"

static void	 launch(struct worker *, const atf_tc_t *, const char *,
		    const char *);
static void	 ready(struct worker *);
static void	 say(struct worker *, enum log_level, const char *);
static void	 finish(struct worker *);
static const char *contents(const char *);
static void	 settle(struct worker *);

static void
launch(struct worker *w, const atf_tc_t *tc, const char *dest,
    const char *path)
{
	const char *args[] = { dest, path, NULL };

	driver_start(w, atf_tc_get_config_var(tc, "srcdir"), PROGRAM,
	    driver_ids(), args);
}

static void
ready(struct worker *w)
{
	struct imsg imsg;
	struct msg_hello hello;

	driver_expect(w, &imsg, MSG_HELLO);
	ATF_REQUIRE_EQ(0, msg_recv_hello(&imsg, &hello));
	ATF_CHECK_EQ(ROLE_LOG, hello.role);
	imsg_free(&imsg);
}

static void
say(struct worker *w, enum log_level level, const char *text)
{
	struct msg_log m;

	memset(&m, 0, sizeof(m));
	m.level = level;
	m.when = UINT64_C(1700000000000042);
	m.line = text;
	ATF_REQUIRE_EQ(0, msg_send_log(&w->ib, MSG_LINE, &m));
	driver_flush(w);
}

/* All that was sent is written before it ends. */
static void
finish(struct worker *w)
{
	driver_close(w);
	ATF_CHECK_EQ(0, driver_wait(w));
}

static const char *
contents(const char *path)
{
	static char buf[65536];
	ssize_t n;
	int fd;

	ATF_REQUIRE((fd = open(path, O_RDONLY)) != -1);
	ATF_REQUIRE((n = read(fd, buf, sizeof(buf) - 1)) != -1);
	close(fd);
	buf[n] = '\0';
	return (buf);
}

/* Until it has read all and sleeps again, so has written what it could. */
static void
settle(struct worker *w)
{
	char path[64];
	const char *p;
	int i, left;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)w->pid);
	for (i = 0; i < 6000; i++) {
		ATF_REQUIRE(ioctl(w->fd, TIOCOUTQ, &left) == 0);
		p = strrchr(contents(path), ')');
		if (left == 0 && p != NULL && p[2] == 'S')
			return;
		poll(NULL, 0, 10);
	}
	atf_tc_fail("the worker is never idle");
}

ATF_TC_WITHOUT_HEAD(file);
ATF_TC_BODY(file, tc)
{
	struct worker w;
	struct stat st;

	umask(0);
	launch(&w, tc, "file", "log");
	ready(&w);
	ATF_REQUIRE_EQ(0, stat("log", &st));
	ATF_CHECK_EQ(0640, st.st_mode & 0777);
	say(&w, LEVEL_ERROR, "one");
	say(&w, LEVEL_WARN, "two");
	say(&w, LEVEL_INFO, "three");
	say(&w, LEVEL_DEBUG, "four");
	say(&w, LEVEL_AUDIT, "five");
	finish(&w);
	/*
	 * A second one goes on where the first ended, and a monitor that goes
	 * without reading what came from it loses no line either.
	 */
	launch(&w, tc, "file", "log");
	ATF_REQUIRE_EQ(1, poll(&(struct pollfd){ w.fd, POLLIN, 0 }, 1, 60000));
	say(&w, LEVEL_INFO, "six");
	finish(&w);
	ATF_CHECK_STREQ("1700000000.000042: error: one\n"
	    "1700000000.000042: warning: two\n"
	    "1700000000.000042: info: three\n"
	    "1700000000.000042: debug: four\n"
	    "1700000000.000042: audit: five\n"
	    "1700000000.000042: info: six\n", contents("log"));
}

ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	char want[65536], text[64];
	struct worker w;
	size_t len = 0;
	int i;

	launch(&w, tc, "file", "log");
	ready(&w);
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		say(&w, LEVEL_INFO, text);
		len += (size_t)snprintf(want + len, sizeof(want) - len,
		    "1700000000.000042: info: %s\n", text);
	}
	finish(&w);
	ATF_CHECK_STREQ(want, contents("log"));
}

ATF_TC_WITHOUT_HEAD(standard_error);
ATF_TC_BODY(standard_error, tc)
{
	char buf[256];
	struct worker w;
	ssize_t n;
	int fds[2], keep;

	/* Also one that does not block, full at first. */
	ATF_REQUIRE(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
	memset(buf, '.', sizeof(buf));
	while (write(fds[1], buf, sizeof(buf)) > 0)
		continue;
	ATF_REQUIRE((keep = fcntl(2, F_DUPFD_CLOEXEC, 10)) != -1);
	ATF_REQUIRE(dup2(fds[1], 2) == 2);
	launch(&w, tc, "stderr", NULL);
	ATF_REQUIRE(dup2(keep, 2) == 2);
	close(fds[1]);
	ready(&w);
	say(&w, LEVEL_AUDIT, "heard");
	driver_close(&w);
	ATF_REQUIRE(fcntl(fds[0], F_SETFL, 0) == 0);
	do {
		n = read(fds[0], buf, sizeof(buf) - 1);
		ATF_REQUIRE(n > 0);
		buf[n] = '\0';
	} while (buf[n - 1] == '.');
	ATF_CHECK(strstr(buf, "1700000000.000042: audit: heard\n") != NULL);
	ATF_CHECK_EQ(0, driver_wait(&w));
}

ATF_TC_WITHOUT_HEAD(not_opened);
ATF_TC_BODY(not_opened, tc)
{
	struct worker w;
	struct imsg imsg;

	launch(&w, tc, "file", "no/such/directory");
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	ATF_CHECK(strstr(driver_last_log(), "no/such/directory") != NULL);
	ATF_CHECK(strstr(driver_last_log(), "No such file or directory") !=
	    NULL);
	driver_close(&w);

	/* A FIFO without a reader must not make the start hang. */
	ATF_REQUIRE(mkfifo("fifo", 0600) == 0);
	launch(&w, tc, "file", "fifo");
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);

	launch(&w, tc, "elsewhere", NULL);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
}

/* What could not be written is counted, and told of when writing works. */
ATF_TC_WITHOUT_HEAD(lost);
ATF_TC_BODY(lost, tc)
{
	char buf[4096];
	struct worker w;
	struct pollfd pfd;
	ssize_t n;
	size_t len = 0;

	ATF_REQUIRE(mkfifo("fifo", 0600) == 0);
	memset(&pfd, 0, sizeof(pfd));
	pfd.events = POLLIN;
	pfd.fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ATF_REQUIRE(pfd.fd != -1);
	launch(&w, tc, "file", "fifo");
	ready(&w);
	close(pfd.fd);
	say(&w, LEVEL_INFO, "lost one");
	say(&w, LEVEL_INFO, "lost two");
	say(&w, LEVEL_INFO, "lost three");
	settle(&w);
	pfd.fd = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ATF_REQUIRE(pfd.fd != -1);
	say(&w, LEVEL_ERROR, "kept");
	do {
		ATF_REQUIRE(len < sizeof(buf) - 1);
		ATF_REQUIRE_EQ(1, poll(&pfd, 1, 60000));
		n = read(pfd.fd, buf + len, sizeof(buf) - 1 - len);
		ATF_REQUIRE(n > 0);
		len += (size_t)n;
		buf[len] = '\0';
	} while (strstr(buf, "kept\n") == NULL);
	ATF_CHECK_STREQ("1700000000.000042: warning: 3 lines of the log were "
	    "lost: Broken pipe\n1700000000.000042: error: kept\n", buf);
	finish(&w);
}

/* As on a full disk that later is not. */
ATF_TC_WITHOUT_HEAD(line_cut);
ATF_TC_BODY(line_cut, tc)
{
	const char *args[] = { "file", "log", NULL };
	struct rlimit rl;
	struct worker w;

	/* Not as another uid, whose limits we might not be allowed to set. */
	ATF_REQUIRE(getrlimit(RLIMIT_FSIZE, &rl) == 0);
	driver_start(&w, atf_tc_get_config_var(tc, "srcdir"), PROGRAM, "-",
	    args);
	ready(&w);
	rl.rlim_cur = 40;
	ATF_REQUIRE(prlimit(w.pid, RLIMIT_FSIZE, &rl, NULL) == 0);
	say(&w, LEVEL_INFO, "whole");
	say(&w, LEVEL_INFO, "cut");
	say(&w, LEVEL_INFO, "lost");
	settle(&w);
	ATF_CHECK_STREQ("1700000000.000042: info: whole\n170000000",
	    contents("log"));
	rl.rlim_cur = rl.rlim_max;
	ATF_REQUIRE(prlimit(w.pid, RLIMIT_FSIZE, &rl, NULL) == 0);
	say(&w, LEVEL_INFO, "again");
	finish(&w);
	ATF_CHECK_STREQ("1700000000.000042: info: whole\n170000000\n"
	    "1700000000.000042: warning: 2 lines of the log were lost: "
	    "File too large\n1700000000.000042: info: again\n",
	    contents("log"));
}

ATF_TC_WITHOUT_HEAD(disk_full);
ATF_TC_BODY(disk_full, tc)
{
	struct worker w;

	/* Nothing comes of it but that the worker lives on. */
	launch(&w, tc, "file", "/dev/full");
	ready(&w);
	say(&w, LEVEL_INFO, "lost");
	say(&w, LEVEL_INFO, "lost too");
	finish(&w);
}

/* In a mount namespace of our own: /dev/log is a fixed path. */
ATF_TC(syslog);
ATF_TC_HEAD(syslog, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(syslog, tc)
{
	struct sockaddr_un sun;
	char buf[256], want[64];
	struct worker w;
	struct imsg imsg;
	ssize_t n;
	int fd;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", "/dev", "tmpfs", 0, NULL) == -1 ||
	    mount("none", "/run", "tmpfs", 0, NULL) == -1)
		atf_tc_skip("no mount namespace: %s", strerror(errno));
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "/dev/log");

	/* Nobody there. */
	launch(&w, tc, "syslog", NULL);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	ATF_CHECK(strstr(driver_last_log(), "/dev/log") != NULL);
	driver_close(&w);

	ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_DGRAM, 0)) != -1);
	ATF_REQUIRE(bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	launch(&w, tc, "syslog", NULL);
	ready(&w);
	say(&w, LEVEL_ERROR, "wrong");
	say(&w, LEVEL_AUDIT, "who did what");
	ATF_REQUIRE((n = recv(fd, buf, sizeof(buf) - 1, 0)) > 0);
	buf[n] = '\0';
	snprintf(want, sizeof(want), "<27>qgad[%d]: wrong", (int)getpid());
	ATF_CHECK_STREQ(want, buf);
	ATF_REQUIRE((n = recv(fd, buf, sizeof(buf) - 1, 0)) > 0);
	buf[n] = '\0';
	snprintf(want, sizeof(want), "<86>qgad[%d]: who did what",
	    (int)getpid());
	ATF_CHECK_STREQ(want, buf);

	/* syslogd restarts: the monitor has to start us anew. */
	close(fd);
	say(&w, LEVEL_INFO, "unheard");
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
}

ATF_TC_WITHOUT_HEAD(bad_message);
ATF_TC_BODY(bad_message, tc)
{
	struct msg_log m;
	struct worker w;
	struct imsg imsg;

	launch(&w, tc, "file", "log");
	ready(&w);
	memset(&m, 0, sizeof(m));
	m.line = "as a child would";
	ATF_REQUIRE_EQ(0, msg_send_log(&w.ib, MSG_LOG, &m));
	driver_flush(&w);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
	ATF_CHECK_STREQ("", contents("log"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, file);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, standard_error);
	ATF_TP_ADD_TC(tp, not_opened);
	ATF_TP_ADD_TC(tp, lost);
	ATF_TP_ADD_TC(tp, line_cut);
	ATF_TP_ADD_TC(tp, disk_full);
	ATF_TP_ADD_TC(tp, syslog);
	ATF_TP_ADD_TC(tp, bad_message);
	return (atf_no_error());
}
