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
 * The shipped daemon on a serial port: the test holds the other end of a
 * pseudo terminal and plays the host.  "port" is a link to the device, so
 * that another can be put in its place.
 */

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "daemon.h"

#define PORT		"port"
#define TOUCH		"{\"execute\": \"guest-exec\", \"arguments\": "	\
			"{\"path\": \"touch\", \"arg\": [\"marker\"]}}\n"
#define BURST		((size_t)2 * 1024 * 1024)

#define TEST(name, what)						\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", "%s", what);		\
		atf_tc_set_md_var(tc, "require.user", "root");		\
	}								\
	ATF_TC_BODY(name, tc)

struct port {
	int	 slave;		/* stays open here, as a port's cable */
	char	 name[128];
};

static const char *const methods[] = { "isa-serial", "virtio-serial" };
static struct wire h;
static struct port port;

/* A terminal as the kernel makes it: it echoes and edits lines. */
static int
port_make(struct port *p)
{
	const char *name;
	int fd;

	ATF_REQUIRE((fd = posix_openpt(O_RDWR | O_NOCTTY)) != -1);
	ATF_REQUIRE(grantpt(fd) == 0 && unlockpt(fd) == 0);
	ATF_REQUIRE((name = ptsname(fd)) != NULL);
	snprintf(p->name, sizeof(p->name), "%s", name);
	ATF_REQUIRE((p->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) !=
	    -1);
	return (fd);
}

/* The link names it from now on, without a moment between. */
static void
port_link(const char *name)
{
	ATF_REQUIRE(symlink(name, PORT ".new") == 0);
	ATF_REQUIRE(rename(PORT ".new", PORT) == 0);
}

/* The daemon has made the device its own. */
static void
port_await(const struct wire *host)
{
	int64_t end = now_ms() + PATIENCE;
	struct termios t;

	do {
		ATF_REQUIRE(tcgetattr(host->fd, &t) == 0);
		if ((t.c_lflag & ECHO) == 0)
			return;
		pause_ms(5);
	} while (now_ms() < end);
	atf_tc_fail("the device is not opened");
}

static void
begin(const atf_tc_t *tc, const char *method)
{
	wire_open(&h, port_make(&port));
	port_link(port.name);
	daemon_spawn(tc, "-m", method, "-p", PORT, NULL);
	port_await(&h);
}

static void
end(void)
{
	wire_ask(&h, PING, PONG);
	daemon_stop();
	wire_close(&h);
	close(port.slave);
}

/* The daemon must end by itself and say that. */
static void
refused(const atf_tc_t *tc, const char *method, const char *path,
    const char *why)
{
	daemon_spawn(tc, "-m", method, "-p", path, NULL);
	ATF_CHECK_EQ(1, daemon_wait());
	ATF_CHECK_MSG(file_has(DAEMON_STDERR, why), "%s: not said: %s", path,
	    why);
	ATF_CHECK_MSG(file_has(DAEMON_STDERR, path), "%s is not named", path);
	ATF_CHECK(unlink(DAEMON_STDERR) == 0);
}

TEST(raw, "The line is raw before the first byte is read")
{
	static const char request[] = "{\"execute\": \"guest-ping\", \"id\": "
	    "\"\x7f\x7f caf\xc3\xa9\"}\r\n";
	struct termios t;
	size_t i, j;
	int excl = 0;

	for (i = 0; i < 2; i++) {
		begin(tc, methods[i]);
		ATF_REQUIRE(tcgetattr(port.slave, &t) == 0);
		ATF_CHECK_EQ(0, t.c_lflag & (tcflag_t)(ECHO | ECHONL | ICANON |
		    ISIG | IEXTEN));
		ATF_CHECK_EQ(0, t.c_iflag & (tcflag_t)(IGNBRK | BRKINT |
		    PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON));
		ATF_CHECK_EQ(0, t.c_oflag & (tcflag_t)OPOST);
		ATF_CHECK_EQ(CS8, t.c_cflag & (tcflag_t)CSIZE);
		ATF_CHECK_EQ(0, t.c_cflag & (tcflag_t)PARENB);
		ATF_CHECK_EQ(1, t.c_cc[VMIN]);
		ATF_CHECK_EQ(0, t.c_cc[VTIME]);
		ATF_CHECK_EQ(B115200, cfgetospeed(&t));
		ATF_CHECK_EQ(B115200, cfgetispeed(&t));
#ifdef TIOCGEXCL
		ATF_CHECK(ioctl(port.slave, TIOCGEXCL, &excl) == 0);
		ATF_CHECK_EQ(1, excl);
#else
		(void)excl;
#endif
		/* Bytes that edit, interrupt or stop a line that is not raw. */
		for (j = 0; j < 20; j++)
			wire_ask(&h, request, "{\"return\": {}, \"id\": "
			    "\"\\u007f\\u007f caf\\u00e9\"}");
		wire_say(&h, "\x03\x13" PING);
		wire_expect(&h, GENERIC("JSON parse error, stray "
		    "'\\u0003'"));
		wire_expect(&h, GENERIC("JSON parse error, stray "
		    "'\\u0013'"));
		wire_expect(&h, PONG);
		wire_say(&h, "\xff{\"execute\": \"guest-sync-delimited\", "
		    "\"arguments\": {\"id\": 1}}\n");
		wire_expect(&h, GENERIC("JSON parse error, stray "
		    "'\\uFFFD'"));
		wire_expect(&h, "\xff{\"return\": 1}");
		end();
	}
}

TEST(hangup, "A port that was hung up is opened again")
{
	struct port next;
	struct wire other;
	size_t i;
	int j;

	for (i = 0; i < 2; i++) {
		begin(tc, methods[i]);
		for (j = 0; j < 3; j++) {
			wire_ask(&h, PING, PONG);
			/* Half a request is lost with the line. */
			wire_piece(&h, "{\"execute\": \"guest-pi", 21);
			wire_open(&other, port_make(&next));
			if (j == 1)
				ATF_REQUIRE(unlink(PORT) == 0);
			if (j == 2)
				port_link(next.name);
			close(port.slave);
			wire_close(&h);
			if (j < 2) {
				file_await(DAEMON_LOG, "was hung up; opening "
				    "it again");
				port_link(next.name);
			}
			h = other;
			port = next;
			port_await(&h);
		}
		end();
		ATF_REQUIRE(unlink(DAEMON_LOG) == 0);
	}
}

TEST(missing, "A device that is not there: an error, or with -r a wait")
{
	size_t i;

	for (i = 0; i < 2; i++) {
		refused(tc, methods[i], PORT, "No such file or directory");
		daemon_spawn(tc, "-r", "-m", methods[i], "-p", PORT, NULL);
		file_await(DAEMON_STDERR, "cannot open channel " PORT);
		wire_open(&h, port_make(&port));
		port_link(port.name);
		port_await(&h);
		end();
		ATF_REQUIRE(unlink(PORT) == 0);
		ATF_REQUIRE(unlink(DAEMON_STDERR) == 0);
	}
}

TEST(no_device, "What is no character device is refused")
{
	size_t i;
	FILE *f;

	ATF_REQUIRE((f = fopen("regular", "w")) != NULL);
	ATF_REQUIRE(fclose(f) == 0);
	ATF_REQUIRE(mkdir("folder", 0755) == 0);
	ATF_REQUIRE(mkfifo("fifo", 0600) == 0);
	for (i = 0; i < 2; i++) {
		refused(tc, methods[i], "regular",
		    "it is not a character device");
		refused(tc, methods[i], "folder", "Is a directory");
		refused(tc, methods[i], "fifo",
		    "it is not a character device");
		refused(tc, methods[i], "regular/x", "Not a directory");
	}
}

/* Exclusive use binds whoever is not root. */
TEST(busy, "A device that another agent has is named so")
{
	static const char busy[] = "it is busy: another guest agent";

	wire_open(&h, port_make(&port));
	port_link(port.name);
	ATF_REQUIRE(fchmod(port.slave, 0666) == 0);
	ATF_REQUIRE(ioctl(port.slave, TIOCEXCL) == 0);
	daemon_as(61234);
	refused(tc, "isa-serial", PORT, busy);
	refused(tc, "virtio-serial", PORT, busy);
	/* And once it is free, a waiting one takes it. */
	daemon_spawn(tc, "-r", "-m", "virtio-serial", "-p", PORT, NULL);
	file_await(DAEMON_STDERR, busy);
	ATF_REQUIRE(ioctl(port.slave, TIOCNXCL) == 0);
	port_await(&h);
	end();
}

TEST(session, "A terminal of somebody's session is refused")
{
	pid_t getty;
	char byte;
	int fd, pair[2];

	wire_open(&h, port_make(&port));
	ATF_REQUIRE(pipe(pair) == 0);
	ATF_REQUIRE((getty = fork()) != -1);
	if (getty == 0) {
		if (setsid() == -1 || (fd = open(port.name, O_RDWR)) == -1 ||
		    ioctl(fd, TIOCSCTTY, 0) == -1 ||
		    write(pair[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(pair[1]);
	ATF_REQUIRE(read(pair[0], &byte, 1) == 1);
	refused(tc, "isa-serial", port.name,
	    "it is a console or has a terminal session");
	refused(tc, "virtio-serial", port.name,
	    "it is a console or has a terminal session");
	ATF_REQUIRE(kill(getty, SIGKILL) == 0);
}

TEST(frontend_killed, "After a frontend's death the line is clean again")
{
	struct text t = { 0 };
	const char *line;
	size_t len;
	pid_t frontend;
	int i;

	need_proc();
	begin(tc, "isa-serial");
	wire_ask(&h, PING, PONG);
	frontend = daemon_child("frontend");
	ATF_REQUIRE(kill(frontend, SIGKILL) == 0);
	/* One newline, unasked, then whole lines only. */
	ATF_REQUIRE((line = wire_raw(&h, &len)) != NULL);
	ATF_CHECK_EQ(0, len);
	wire_ask(&h, PING, PONG);

	/* With replies under way that the host does not read. */
	for (i = 0; i < 2000; i++)
		text_add(&t, "{\"execute\": \"guest-info\"}\n");
	(void)wire_push(&h, t.p, t.len);
	frontend = daemon_child("frontend");
	ATF_REQUIRE(kill(frontend, SIGKILL) == 0);
	gone_await(frontend);
	for (i = 0; (line = wire_raw(&h, &len)) != NULL; i++)
		if (len == 0 || line[len - 1] != '}' ||
		    strncmp(line, "{\"return\": {\"version\": ", 22) != 0)
			break;
	ATF_REQUIRE(line != NULL);
	printf("%d whole lines, then one of %zu bytes\n", i, len);
	/* What was half a line has ended.  Requests not read yet may follow. */
	wire_say(&h, "\n{\"execute\": \"guest-sync\", \"arguments\": "
	    "{\"id\": 4711}}\n");
	while (strcmp(line = wire_line(&h), "{\"return\": 4711}") != 0)
		ATF_REQUIRE_MSG(strncmp(line, "{\"return\": {\"version\"", 21)
		    == 0 || strncmp(line, "{\"error\"", 8) == 0, "%s", line);
	text_free(&t);
	end();

	/* The port of the other kind is closed and opened. */
	begin(tc, "virtio-serial");
	wire_ask(&h, PING, PONG);
	frontend = daemon_child("frontend");
	ATF_REQUIRE(kill(frontend, SIGKILL) == 0);
	file_await(DAEMON_LOG, "channel " PORT " is open");
	(void)wire_resync(&h);
	end();
}

TEST(stale, "A program that has waited too long is not run")
{
	size_t i;

	need_proc();
	daemon_conf("[limits]\nstale-after = 1\n");
	for (i = 0; i < 2; i++) {
		wire_open(&h, port_make(&port));
		port_link(port.name);
		daemon_spawn(tc, "-c", DAEMON_CONF, "-m", methods[i], "-p",
		    PORT, NULL);
		port_await(&h);
		wire_say(&h, "{\"execute\": \"guest-get-time\"}\n");
		ATF_CHECK(strncmp(wire_line(&h), "{\"return\": 1", 12) == 0);
		(void)daemon_halt("query");
		/* Five seconds pass until the first of them is given up. */
		wire_say(&h, "{\"execute\": \"guest-get-time\"}\n" TOUCH
		    "{\"execute\": \"guest-get-timezone\"}\n" PING);
		wire_expect(&h, GENERIC("Command guest-get-time timed out "
		    "after 5 seconds"));
		wire_expect(&h, GENERIC("Command guest-exec was not carried "
		    "out: it waited longer than 1 seconds"));
		ATF_CHECK(strstr(wire_line(&h), "\"offset\": ") != NULL);
		wire_expect(&h, PONG);
		/* One that has not waited is. */
		ATF_CHECK(!file_there("marker"));
		wire_say(&h, TOUCH);
		(void)exec_end(&h, reply_number(wire_line(&h), "pid"));
		ATF_CHECK(file_there("marker"));
		ATF_REQUIRE(unlink("marker") == 0);
		end();
	}
}

/* The last steps of a start are let pass; a clock never stops. */
static void
quiet(const char *what)
{
	long last, n = 0;
	int i;

	for (i = 0; i < 6; i++) {
		do {
			last = daemon_switches();
			pause_ms(200);
		} while (daemon_switches() != last && ++n < 100);
		n = daemon_switches();
		pause_ms(3000);
		if ((n = daemon_switches() - n) == 0)
			return;
		printf("%s: %ld in 3 s\n", what, n);
	}
	atf_tc_fail("%s: still %ld context switches in 3 s", what, n);
}

TEST(idle, "Nobody there, or nothing said: no process wakes up")
{
	size_t i;

	need_proc();
	for (i = 0; i < 2; i++) {
		begin(tc, methods[i]);
		quiet(methods[i]);
		wire_say(&h, "{\"execute\": \"guest-get-osinfo\"}\n" TOUCH);
		(void)wire_line(&h);
		(void)exec_end(&h, reply_number(wire_line(&h), "pid"));
		quiet(methods[i]);
		end();
	}
	daemon_listen(tc, NULL);
	quiet("no client");
	wire_connect(&h);
	wire_ask(&h, PING, PONG);
	quiet("a silent client");
	ATF_REQUIRE(shutdown(h.fd, SHUT_WR) == 0);
	wire_expect_end(&h);
	quiet("a client that has closed one way");
	wire_close(&h);
	wire_connect(&h);
	end();
}

TEST(overrun, "A burst past all buffers on a port without flow control")
{
	static const char lost[] = "{\"error\": {\"class\": \"GenericError\", "
	    "\"desc\": \"input overrun: ";
	struct text t = { 0 };
	const char *line;
	char *p;
	size_t answered = 0, missing = 0, pushed, size = 0;
	long last = -1, id;
	int i, overruns = 0;

	begin(tc, "isa-serial");
	for (i = 0; t.len < BURST; i++) {
		size = t.len;
		text_add(&t, "{\"execute\": \"guest-ping\", \"id\": %07d}\n",
		    i + 1000000);
		size = t.len - size;
	}
	pushed = wire_push(&h, t.p, t.len);
	ATF_CHECK_MSG(pushed == t.len, "%zu of %zu bytes were read", pushed,
	    t.len);
	while (strcmp(line = wire_line(&h), PONG) != 0) {
		if (strncmp(line, lost, sizeof(lost) - 1) == 0) {
			/* What comes once this is said is heard again. */
			if (overruns++ == 0)
				wire_say(&h, PING);
			missing += strtoul(line + sizeof(lost) - 1, &p, 10);
			ATF_CHECK_STREQ(" bytes lost, the bound is 1048576\"}}",
			    p);
			continue;
		}
		ATF_REQUIRE_MSG((p = strstr(line, "\"id\": ")) != NULL &&
		    strncmp(line, "{\"return\": {}", 13) == 0, "%s", line);
		id = strtol(p + 6, NULL, 10);
		ATF_REQUIRE_MSG(id > last, "%ld after %ld", id, last);
		last = id;
		answered += size;
	}
	printf("%zu bytes answered, %zu lost in %d, of %zu\n", answered,
	    missing, overruns, t.len);
	ATF_CHECK(overruns > 0);
	ATF_CHECK(answered >= 1024 * 1024 - size);
	/* Each overrun cuts a request in two: at most that much more. */
	ATF_CHECK_MSG(answered + missing <= t.len &&
	    answered + missing + 2 * size * (size_t)overruns >= t.len,
	    "%zu answered, %zu lost, of %zu", answered, missing, t.len);
	text_free(&t);
	end();
}

TEST(pressure, "A port with flow control is not read, and loses nothing")
{
	struct text t = { 0 };
	char want[64];
	size_t pushed;
	int i, n;

	begin(tc, "virtio-serial");
	for (n = 0; t.len < BURST; n++)
		text_add(&t, "{\"execute\": \"guest-ping\", \"id\": %d}\n", n);
	pushed = wire_push(&h, t.p, t.len);
	ATF_CHECK_MSG(pushed < t.len, "all of it was taken");
	wire_send(&h, t.p + pushed, t.len - pushed);
	for (i = 0; i < n; i++) {
		snprintf(want, sizeof(want), "{\"return\": {}, \"id\": %d}", i);
		wire_expect(&h, want);
	}
	text_free(&t);
	end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, raw);
	ATF_TP_ADD_TC(tp, hangup);
	ATF_TP_ADD_TC(tp, missing);
	ATF_TP_ADD_TC(tp, no_device);
	ATF_TP_ADD_TC(tp, busy);
	ATF_TP_ADD_TC(tp, session);
	ATF_TP_ADD_TC(tp, frontend_killed);
	ATF_TP_ADD_TC(tp, stale);
	ATF_TP_ADD_TC(tp, idle);
	ATF_TP_ADD_TC(tp, overrun);
	ATF_TP_ADD_TC(tp, pressure);
	return (atf_no_error());
}
