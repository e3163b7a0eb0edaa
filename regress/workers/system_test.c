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
 * find no program, file of /sys or mount but the stand-ins that a test makes
 * in its own directory.  The two calls that need no path are replaced.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <time.h>

static int	 fake_settime(clockid_t, const struct timespec *);
static int	 fake_ioctl(int, unsigned long, void *);

#define SYSTEM_PREFIX	"."
#define clock_settime	fake_settime
#define ioctl(fd, request, arg)	fake_ioctl(fd, request, arg)
#define main		system_main
int	 system_main(int, char *[]);
#include "system.c"
#include "system-linux.c"
#undef main
#undef clock_settime
#undef ioctl

#include <sys/wait.h>

#include <atf-c.h>
#include <poll.h>
#include <signal.h>

#include "driver.h"

_Static_assert(sizeof(SYSTEM_PREFIX) == sizeof("."),
    "this test must not reach the real programs");

struct result {
	uint32_t	 kind;		/* of the frame; FRAME_KINDS: none */
	uint32_t	 len;
	unsigned char	 bytes[256 * 1024];
};

static void	 file(const char *, mode_t, const char *, ...)
		    __attribute__((format(printf, 3, 4)));
static void	 stand_in(const char *, const char *);
static void	 note(const char *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static void	 begin(struct worker *);
static void	 ask(struct worker *, uint32_t);
static void	 answer(struct worker *, char *, size_t);
static void	 shutdown_says(uint32_t, const char *);
static void	 set_time_says(int, uint64_t, const char *);
static void	 suspend_says(uint32_t, const char *);
static void	 value_open(struct worker *, int[2]);
static void	 value_get(struct worker *, int[2], struct result *);
static void	 units_ask(enum msg_type, const struct unit *, uint32_t,
		    struct result *);
static void	 vcpus_say(const struct unit *, uint32_t, const char *);
static void	 blocks_say(const struct unit *, uint32_t, const char *);
static void	 fstrim_says(uint64_t, const char *);
static const char *shown(const struct result *);
static const char *contents(const char *);
static void	 wait_for_file(const char *);

/* Each call is a line of a file; "settime-fails", "rtc" say how it goes. */
static int
fake_settime(clockid_t clock, const struct timespec *ts)
{
	ATF_REQUIRE_EQ(CLOCK_REALTIME, clock);
	if (access("settime-fails", F_OK) == 0) {
		errno = EPERM;
		return (-1);
	}
	note("clock", "%lld.%09ld", (long long)ts->tv_sec, ts->tv_nsec);
	return (0);
}

/* Begins a second at the third look. */
static int
fake_rtc_read(struct rtc_time *rtc)
{
	static int looks;

	if (access("rtc-fails", F_OK) == 0) {
		errno = EINVAL;
		return (-1);
	}
	ATF_REQUIRE_EQ(6, sscanf(contents("rtc"), "%d-%d-%d %d:%d:%d",
	    &rtc->tm_year, &rtc->tm_mon, &rtc->tm_mday, &rtc->tm_hour,
	    &rtc->tm_min, &rtc->tm_sec));
	rtc->tm_year -= 1900;
	rtc->tm_mon--;
	if (++looks >= 3)
		rtc->tm_sec++;
	return (0);
}

/* A disk's log is full of the byte that its node holds; "x": it has none. */
static int
fake_nvme(int fd, struct nvme_admin_cmd *cmd)
{
	char c;

	ATF_REQUIRE_EQ(2, cmd->opcode);
	ATF_REQUIRE_EQ(UINT32_MAX, cmd->nsid);
	ATF_REQUIRE_EQ(SMART_LOG, cmd->data_len);
	ATF_REQUIRE_EQ(0x007f8002, cmd->cdw10);
	ATF_REQUIRE_EQ(1, pread(fd, &c, 1, 0));
	if (c == 'x')
		return (0x4002);	/* a status of the disk's */
	memset((void *)(uintptr_t)cmd->addr, c, SMART_LOG);
	return (0);
}

static int
fake_ioctl(int fd, unsigned long request, void *arg)
{
	const struct rtc_time *rtc = arg;
	struct fstrim_range *range = arg;
	struct stat st;
	char path[64];
	int error, state;

	if (request == RTC_RD_TIME)
		return (fake_rtc_read(arg));
	if (request == RTC_SET_TIME) {
		if (access("rtc-fails", F_OK) == 0) {
			errno = EIO;
			return (-1);
		}
		note("rtc", "%d-%02d-%02d %02d:%02d:%02d",
		    rtc->tm_year + 1900, rtc->tm_mon + 1, rtc->tm_mday,
		    rtc->tm_hour, rtc->tm_min, rtc->tm_sec);
		return (0);
	}
	if (request == NVME_IOCTL_ADMIN_CMD)
		return (fake_nvme(fd, arg));
	ATF_REQUIRE_EQ(FITRIM, request);
	ATF_REQUIRE_EQ(0, fstat(fd, &st));
	ATF_REQUIRE(S_ISDIR(st.st_mode));
	ATF_REQUIRE(range->start == 0 && range->len == UINT64_MAX);
	/* The directory says how it goes. */
	snprintf(path, sizeof(path), "trims/%llu",
	    (unsigned long long)st.st_ino);
	note(path, "%llu", (unsigned long long)range->minlen);
	if ((state = openat(fd, "errno", O_RDONLY)) != -1) {
		close(state);
		snprintf(path, sizeof(path), "/proc/self/fd/%d/errno", fd);
		error = atoi(contents(path));
		errno = error;
		return (-1);
	}
	range->len = 12345;
	if (range->minlen < 512)
		range->minlen = 512;
	return (0);
}

/* A file, and the directories that it is in. */
static void
file(const char *path, mode_t mode, const char *fmt, ...)
{
	char text[8192], dir[256], *p;
	va_list ap;
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	for (p = dir; (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = '\0';
		if (mkdir(dir, 0755) == -1)
			ATF_REQUIRE_EQ(EEXIST, errno);
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ATF_REQUIRE((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)) !=
	    -1);
	ATF_REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void
note(const char *path, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	file(path, 0644, "%s", text);
}

static void
stand_in(const char *name, const char *script)
{
	char path[64];

	snprintf(path, sizeof(path), strchr(name, '/') == NULL ? "sbin/%s" :
	    "%s", name);
	file(path, 0755, "#!/bin/sh\n%s\n", script);
}

/* A worker that has said hello. */
static void
begin(struct worker *w)
{
	struct msg_hello hello;
	struct imsg imsg;

	driver_call(w, system_main, "-");
	driver_expect(w, &imsg, MSG_HELLO);
	ATF_REQUIRE_EQ(0, msg_recv_hello(&imsg, &hello));
	ATF_CHECK_EQ(ROLE_SYSTEM, hello.role);
	imsg_free(&imsg);
}

/* A worker that has been told. */
static void
ask(struct worker *w, uint32_t mode)
{
	struct msg_shutdown m;

	begin(w);
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

static void
set_time_says(int given, uint64_t ns, const char *want)
{
	char text[MSG_TEXT_MAX];
	struct msg_set_time m;
	struct worker w;

	begin(&w);
	m.id = 11;
	m.given = given != 0;
	m.ns = ns;
	ATF_REQUIRE_EQ(0, msg_send_set_time(&w.ib, &m));
	driver_flush(&w);
	answer(&w, text, sizeof(text));
	ATF_CHECK_STREQ(want, text);
}

static void
suspend_says(uint32_t mode, const char *want)
{
	char text[MSG_TEXT_MAX];
	struct msg_suspend m;
	struct worker w;

	begin(&w);
	m.id = 11;
	m.mode = mode;
	ATF_REQUIRE_EQ(0, msg_send_suspend(&w.ib, &m));
	driver_flush(&w);
	answer(&w, text, sizeof(text));
	ATF_CHECK_STREQ(want, text);
}

/* --- results on the data socket --- */

/* A worker with a data socket on fd 4, whose other end is pair[0]. */
static void
value_open(struct worker *w, int pair[2])
{
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ATF_REQUIRE(fcntl(pair[0], F_SETFD, FD_CLOEXEC) == 0);
	if (pair[1] != CHILD_DATA_FD) {
		if (pair[0] == CHILD_DATA_FD) {
			ATF_REQUIRE((pair[0] = fcntl(pair[0],
			    F_DUPFD_CLOEXEC, 10)) != -1);
		}
		ATF_REQUIRE(dup2(pair[1], CHILD_DATA_FD) == CHILD_DATA_FD);
		close(pair[1]);
		pair[1] = CHILD_DATA_FD;
	}
	begin(w);
	close(pair[1]);
}

/* The frame, and MSG_DONE that says the same; the worker has then ended. */
static void
value_get(struct worker *w, int pair[2], struct result *r)
{
	unsigned char header[FRAME_HEADER];
	char text[MSG_TEXT_MAX];
	struct frame f;

	ATF_REQUIRE_EQ(FRAME_HEADER, recv(pair[0], header, FRAME_HEADER,
	    MSG_WAITALL));
	ATF_REQUIRE_EQ(0, frame_decode(header, &f));
	ATF_CHECK_EQ(11, f.id);
	ATF_REQUIRE(f.len < sizeof(r->bytes));
	ATF_REQUIRE_EQ(f.len, recv(pair[0], r->bytes, f.len, MSG_WAITALL));
	r->bytes[f.len] = '\0';
	r->kind = f.kind;
	r->len = f.len;
	answer(w, text, sizeof(text));
	ATF_CHECK_STREQ(f.kind == FRAME_ERROR ? (char *)r->bytes : "", text);
	ATF_CHECK_EQ(0, recv(pair[0], header, 1, 0));
	close(pair[0]);
}

static void
units_ask(enum msg_type type, const struct unit *v, uint32_t n,
    struct result *r)
{
	struct msg_units m;
	struct worker w;
	int pair[2];

	value_open(&w, pair);
	m.id = 11;
	m.n = n;
	m.v = (struct unit *)(uintptr_t)v;
	ATF_REQUIRE_EQ(0, msg_send_units(&w.ib, type, &m));
	driver_flush(&w);
	value_get(&w, pair, r);
}

static void
vcpus_say(const struct unit *v, uint32_t n, const char *want)
{
	struct result r;

	units_ask(MSG_SET_VCPUS, v, n, &r);
	ATF_CHECK_STREQ(want, shown(&r));
}

static void
blocks_say(const struct unit *v, uint32_t n, const char *want)
{
	struct result r;

	units_ask(MSG_SET_MEMORY_BLOCKS, v, n, &r);
	ATF_CHECK_STREQ(want, shown(&r));
}

static void
fstrim_says(uint64_t minimum, const char *want)
{
	struct msg_fstrim m;
	struct worker w;
	struct result r;
	int pair[2];

	value_open(&w, pair);
	m.id = 11;
	m.minimum = minimum;
	ATF_REQUIRE_EQ(0, msg_send_fstrim(&w.ib, &m));
	driver_flush(&w);
	value_get(&w, pair, &r);
	ATF_CHECK_STREQ(want, shown(&r));
}

/* An error's text, or the tree in one line. */
static const char *
shown(const struct result *r)
{
	static char out[sizeof(r->bytes)];
	struct value_reader vr;
	struct value_item item;
	size_t len = 0;
	int n;

	if (r->kind == FRAME_ERROR)
		return ((const char *)r->bytes);
	*out = '\0';
	value_read(&vr, r->bytes, r->len);
	while ((n = value_next(&vr, &item)) == 1) {
		ATF_REQUIRE(len + item.len + 64 < sizeof(out));
		switch (item.type) {
		case VALUE_KEY:
			len += (size_t)sprintf(out + len, "%.*s=",
			    (int)item.len, item.str);
			break;
		case VALUE_STR:
			len += (size_t)sprintf(out + len, "%.*s ",
			    (int)item.len, item.str);
			break;
		case VALUE_INT:
			len += (size_t)sprintf(out + len, "%lld ",
			    (long long)item.num.i);
			break;
		case VALUE_UINT:
			len += (size_t)sprintf(out + len, "%llu ",
			    (unsigned long long)item.num.u);
			break;
		case VALUE_OBJECT:
			len += (size_t)sprintf(out + len, "{ ");
			break;
		case VALUE_ARRAY:
			len += (size_t)sprintf(out + len, "[ ");
			break;
		case VALUE_CLOSE:
			len += (size_t)sprintf(out + len, "/ ");
			break;
		default:
			atf_tc_fail("type %c", item.type);
		}
	}
	ATF_REQUIRE_EQ(0, n);
	while (len > 0 && out[len - 1] == ' ')
		out[--len] = '\0';
	return (out);
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
	memset(want + n, 'x', TOOL_OUTPUT);
	want[n + TOOL_OUTPUT] = '\0';
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

/* --- the clock --- */

#define NOON	UINT64_C(1700049600)	/* 2023-11-15 12:00:00 UTC */

ATF_TC_WITHOUT_HEAD(set_time);
ATF_TC_BODY(set_time, tc)
{
	(void)tc;
	file("dev/rtc0", 0644, "%s", "");
	ATF_REQUIRE_EQ(0, setenv("TZ", "EAST-2", 1));
	set_time_says(1, NOON * NS + 123456789, "");
	ATF_CHECK_STREQ("1700049600.123456789", contents("clock"));
	ATF_CHECK_STREQ("2023-11-15 12:00:00", contents("rtc"));
	/* The hardware's clock has no more than seconds. */
	set_time_says(1, NOON * NS + 500000000, "");
	ATF_CHECK_STREQ("1700049600.500000000", contents("clock"));
	ATF_CHECK_STREQ("2023-11-15 12:00:01", contents("rtc"));
	set_time_says(1, 0, "");
	ATF_CHECK_STREQ("0.000000000", contents("clock"));
	ATF_CHECK_STREQ("1970-01-01 00:00:00", contents("rtc"));
	set_time_says(1, MSG_TIME_END * NS - 1, "");
	ATF_CHECK_STREQ("3155759999.999999999", contents("clock"));

	/* Where the hardware's clock has the local time. */
	file("etc/adjtime", 0644, "0.0 0 0.0\n0\nLOCAL\n");
	set_time_says(1, NOON * NS, "");
	ATF_CHECK_STREQ("2023-11-15 14:00:00", contents("rtc"));
	file("etc/adjtime", 0644, "0.0 0 0.0\n0\nUTC\n");
	set_time_says(1, NOON * NS, "");
	ATF_CHECK_STREQ("2023-11-15 12:00:00", contents("rtc"));
	/* And where its file is cut short. */
	file("etc/adjtime", 0644, "LOCAL");
	set_time_says(1, NOON * NS, "");
	ATF_CHECK_STREQ("2023-11-15 12:00:00", contents("rtc"));
}

ATF_TC_WITHOUT_HEAD(set_time_fails);
ATF_TC_BODY(set_time_fails, tc)
{
	(void)tc;
	set_time_says(1, NOON * NS, "failed to set hardware clock to system "
	    "time: /dev/rtc0: No such file or directory");
	ATF_CHECK_STREQ("1700049600.000000000", contents("clock"));
	set_time_says(0, 0, "failed to read hardware clock: /dev/rtc0: "
	    "No such file or directory");
	file("dev/rtc0", 0644, "%s", "");
	file("rtc-fails", 0644, "%s", "");
	set_time_says(1, NOON * NS, "failed to set hardware clock to system "
	    "time: /dev/rtc0: Input/output error");
	set_time_says(0, 0, "failed to read hardware clock: /dev/rtc0: "
	    "Invalid argument");
	ATF_REQUIRE_EQ(0, unlink("rtc-fails"));
	ATF_REQUIRE_EQ(0, unlink("clock"));
	file("settime-fails", 0644, "%s", "");
	set_time_says(1, NOON * NS, "Failed to set time to guest: Operation "
	    "not permitted");
	/* Then the hardware's is not touched. */
	ATF_CHECK_EQ(-1, access("rtc", F_OK));
	file("rtc", 0644, "2023-11-15 12:00:00");
	set_time_says(0, 0, "Failed to set time to guest: Operation not "
	    "permitted");
	ATF_CHECK_EQ(-1, access("clock", F_OK));
}

ATF_TC_WITHOUT_HEAD(hardware_clock);
ATF_TC_BODY(hardware_clock, tc)
{
	(void)tc;
	file("dev/rtc0", 0644, "%s", "");
	ATF_REQUIRE_EQ(0, setenv("TZ", "EAST-2", 1));
	/* The second that begins is the one that is right. */
	file("rtc", 0644, "2023-11-15 12:00:00");
	set_time_says(0, 0, "");
	ATF_CHECK_STREQ("1700049601.000000000", contents("clock"));
	file("etc/adjtime", 0644, "0.0 0 0.0\n0\nLOCAL\n");
	set_time_says(0, 0, "");
	ATF_CHECK_STREQ("1700042401.000000000", contents("clock"));
	ATF_CHECK_STREQ("2023-11-15 12:00:00", contents("rtc"));
	/* A clock that has never been set. */
	ATF_REQUIRE_EQ(0, unlink("clock"));
	ATF_REQUIRE_EQ(0, unlink("etc/adjtime"));
	file("rtc", 0644, "1900-01-01 00:00:00");
	set_time_says(0, 0, "failed to read hardware clock: /dev/rtc0: "
	    "Invalid argument");
	ATF_CHECK_EQ(-1, access("clock", F_OK));
}

/* --- processors, memory blocks --- */

#define CPUS	"sys/devices/system/cpu/"
#define BLOCKS	"sys/devices/system/memory/"

ATF_TC_WITHOUT_HEAD(vcpus);
ATF_TC_BODY(vcpus, tc)
{
	static const struct unit off[] = { { 2, 0 }, { 1, 0 } };
	static const struct unit again[] = { { 1, 0 }, { 1, 1 }, { 1, 1 },
	    { 2, 1 }, { 1, 0 } };
	static const struct unit boot[] = { { 0, 1 } };
	static const struct unit prefix[] = { { 1, 1 }, { 0, 1 }, { 7, 0 },
	    { 2, 0 } };

	(void)tc;
	file(CPUS "cpu0/topology/core_id", 0644, "0\n");
	file(CPUS "cpu1/online", 0644, "1\n");
	file(CPUS "cpu2/online", 0644, "1\n");
	vcpus_say(NULL, 0, "0");
	vcpus_say(off, 2, "2");
	ATF_CHECK_STREQ("0\n", contents(CPUS "cpu1/online"));
	ATF_CHECK_STREQ("0\n", contents(CPUS "cpu2/online"));
	vcpus_say(again, 5, "5");
	ATF_CHECK_STREQ("0\n", contents(CPUS "cpu1/online"));
	ATF_CHECK_STREQ("1\n", contents(CPUS "cpu2/online"));
	vcpus_say(boot, 1, "1");
	/* Up to the first that cannot be done, and no further. */
	vcpus_say(prefix, 4, "2");
	ATF_CHECK_STREQ("1\n", contents(CPUS "cpu1/online"));
	ATF_CHECK_STREQ("1\n", contents(CPUS "cpu2/online"));
}

ATF_TC_WITHOUT_HEAD(vcpus_fail);
ATF_TC_BODY(vcpus_fail, tc)
{
	static const struct unit none[] = { { 7, 0 }, { 1, 0 } };
	static const struct unit below[] = { { UINT64_MAX, 1 } };
	static const struct unit boot[] = { { 0, 0 } };
	static const struct unit dir[] = { { 3, 0 } };
	static const struct unit empty[] = { { 4, 0 } };

	(void)tc;
	vcpus_say(boot, 1, "open(\"/sys/devices/system/cpu/cpu0/\"): "
	    "No such file or directory");
	file(CPUS "cpu0/topology/core_id", 0644, "0\n");
	file(CPUS "cpu1/online", 0644, "1\n");
	file(CPUS "cpu3/online/x", 0644, "%s", "");
	file(CPUS "cpu4/online", 0644, "%s", "");
	vcpus_say(none, 2, "open(\"/sys/devices/system/cpu/cpu7/\"): "
	    "No such file or directory");
	ATF_CHECK_STREQ("1\n", contents(CPUS "cpu1/online"));
	vcpus_say(below, 1, "open(\"/sys/devices/system/cpu/cpu-1/\"): "
	    "No such file or directory");
	vcpus_say(boot, 1, "logical processor #0 can't be offlined");
	vcpus_say(dir, 1, "open(\"/sys/devices/system/cpu/cpu3//online\"): "
	    "Is a directory");
	vcpus_say(empty, 1, "pread(\"/sys/devices/system/cpu/cpu4//online"
	    "\"): unexpected EOF");
}

ATF_TC_WITHOUT_HEAD(memory_blocks);
ATF_TC_BODY(memory_blocks, tc)
{
	static const struct unit all[] = { { 33, 1 }, { 32, 0 }, { 99, 1 },
	    { 32, 0 }, { 40, 1 }, { 40, 0 }, { 41, 0 }, { UINT64_MAX, 0 },
	    { 32, 1 } };
	static const struct unit one[] = { { 33, 0 } };

	(void)tc;
	/* A system that has no such thing. */
	blocks_say(one, 1, "[ { phys-index=33 "
	    "response=operation-not-supported error-code=2 / /");
	file(BLOCKS "memory32/state", 0644, "online\n");
	file(BLOCKS "memory33/state", 0644, "offline\n");
	file(BLOCKS "memory40/phys_index", 0644, "28\n");
	file(BLOCKS "memory41/state/x", 0644, "%s", "");
	blocks_say(NULL, 0, "[ /");
	blocks_say(all, 9, "[ "
	    "{ phys-index=33 response=success / "
	    "{ phys-index=32 response=success / "
	    "{ phys-index=99 response=not-found error-code=2 / "
	    "{ phys-index=32 response=success / "
	    "{ phys-index=40 response=success / "
	    "{ phys-index=40 response=operation-not-supported error-code=2 / "
	    "{ phys-index=41 response=operation-failed error-code=21 / "
	    "{ phys-index=18446744073709551615 response=not-found "
	    "error-code=2 / "
	    "{ phys-index=32 response=success / /");
	ATF_CHECK_STREQ("online", contents(BLOCKS "memory32/state"));
	ATF_CHECK_STREQ("online", contents(BLOCKS "memory33/state"));
	blocks_say(one, 1, "[ { phys-index=33 response=success / /");
	ATF_CHECK_STREQ("offline", contents(BLOCKS "memory33/state"));
}

/* As many as a message may hold, of each. */
ATF_TC_WITHOUT_HEAD(most_units);
ATF_TC_BODY(most_units, tc)
{
	static struct unit v[MSG_UNITS_MAX];
	struct result r;
	const char *s;
	size_t i, n = 0;

	(void)tc;
	file(CPUS "cpu1/online", 0644, "1\n");
	file(BLOCKS "memory1/state", 0644, "online\n");
	for (i = 0; i < MSG_UNITS_MAX; i++) {
		v[i].number = 1;
		v[i].online = i % 2 == 0;
	}
	vcpus_say(v, MSG_UNITS_MAX, "4096");
	ATF_CHECK_STREQ("0\n", contents(CPUS "cpu1/online"));
	units_ask(MSG_SET_MEMORY_BLOCKS, v, MSG_UNITS_MAX, &r);
	for (s = shown(&r); (s = strstr(s, "=success")) != NULL; s++)
		n++;
	ATF_CHECK_EQ(MSG_UNITS_MAX, n);
	ATF_CHECK_STREQ("offline", contents(BLOCKS "memory1/state"));
}

/* --- trimming --- */

static unsigned long long
inode(const char *path)
{
	struct stat st;

	ATF_REQUIRE_EQ(0, stat(path, &st));
	return (st.st_ino);
}

/* The minimum it was trimmed with, or "" when it was not. */
static const char *
trimmed(const char *dir)
{
	char path[64];

	snprintf(path, sizeof(path), "trims/%llu", inode(dir));
	return (access(path, F_OK) == 0 ? contents(path) : "");
}

ATF_TC_WITHOUT_HEAD(fstrim);
ATF_TC_BODY(fstrim, tc)
{
	static const char *const dirs[] = { "plain", "a b\n", "old", "bad",
	    "cd" };
	struct stat st;
	size_t i;

	(void)tc;
	ATF_REQUIRE_EQ(0, stat(".", &st));
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		ATF_REQUIRE_EQ(0, mkdir(dirs[i], 0755));
	file("old/errno", 0644, "%d", EOPNOTSUPP);
	file("cd/errno", 0644, "%d", ENOTTY);
	file("bad/errno", 0644, "%d", EIO);
	file("proc/self/mountinfo", 0644,
	    "1 0 0:5 / /sys rw - sysfs sysfs rw\n"
	    "2 1 %u:%u / /plain rw,noatime shared:1 - ext4 /dev/sda1 rw,x\n"
	    "3 1 0:41 / /a\\040b\\012 rw - btrfs /dev/sdb rw\n"
	    "4 1 0:42 / /old rw - btrfs /dev/sdc rw\n"
	    "5 1 0:43 / /bad rw master:1 propagate_from:2 - btrfs /d rw\n"
	    "6 1 0:44 / /gone rw - btrfs /dev/sde rw\n"
	    "7 1 0:45 / /cd rw - btrfs /dev/sdf rw\n"
	    "8 1 0:41 /s /plain rw - btrfs /dev/sdb rw\n",
	    major(st.st_dev), minor(st.st_dev));
	fstrim_says(0, "{ paths=[ "
	    "{ path=/cd error=trim not supported / "
	    "{ path=/gone error=failed to open: No such file or directory / "
	    "{ path=/bad error=failed to trim: Input/output error / "
	    "{ path=/old error=trim not supported / "
	    "{ path=/a b\n trimmed=12345 minimum=512 / "
	    "{ path=/plain trimmed=12345 minimum=512 / / /");
	ATF_CHECK_STREQ("0", trimmed("plain"));
	ATF_CHECK_STREQ("0", trimmed("a b\n"));
	file("proc/self/mountinfo", 0644,
	    "3 1 0:41 / /plain rw - btrfs /dev/sdb rw\n");
	fstrim_says(1048576, "{ paths=[ { path=/plain trimmed=12345 "
	    "minimum=1048576 / / /");
	ATF_CHECK_STREQ("1048576", trimmed("plain"));
	file("proc/self/mountinfo", 0644, "%s", "");
	fstrim_says(0, "{ paths=[ / /");
	ATF_REQUIRE_EQ(0, unlink("proc/self/mountinfo"));
	fstrim_says(0, "open(\"/proc/self/mountinfo\"): No such file or "
	    "directory");
}

ATF_TC_WITHOUT_HEAD(fstrim_left_out);
ATF_TC_BODY(fstrim_left_out, tc)
{
	static const char *const dirs[] = { "a", "b", "c", "d", "net",
	    "net/e", "netb", "over", "under" };
	struct stat st;
	size_t i;

	(void)tc;
	ATF_REQUIRE_EQ(0, stat(".", &st));
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		ATF_REQUIRE_EQ(0, mkdir(dirs[i], 0755));
	ATF_REQUIRE_EQ(0, symlink("c", "link"));
	file("file", 0644, "%s", "");
	file("proc/self/mountinfo", 0644,
	    "nonsense\n"
	    "1 0 8:1 / / rw - nfs server:/ rw\n"
	    /* the super block or this mount read-only; no device; a lie */
	    "2 1 8:1 / /a rw - ext4 /dev/sda1 ro,x\n"
	    "3 1 8:2 / /a ro,nosuid - ext4 /dev/sda2 rw\n"
	    "4 1 0:50 / /a rw - tmpfs tmpfs rw\n"
	    "5 1 0:51 / /a rw - overlay overlay rw\n"
	    "6 1 0:52 / /a rw - nfs4 server:/x rw\n"
	    "7 1 8:3 / /a rw - ext4 /dev/sda3 rw\n"
	    "8 1 8:x / /a rw - ext4 /dev/sda4 rw\n"
	    "9 1 8:5 / a rw - ext4 /dev/sda5 rw\n"
	    "10 1 8:6 / /a rw ext4 /dev/sda6 rw\n"
	    /* not where a link leads, not by a file */
	    "11 1 0:60 / /link rw - btrfs /dev/sdb rw\n"
	    "12 1 0:61 / /file rw - btrfs /dev/sdc rw\n"
	    /* behind a server that may be dead */
	    "13 1 0:53 / /net rw - nfs server:/y rw\n"
	    "14 1 0:62 / /net/e rw - btrfs /dev/sdd rw\n"
	    "15 1 0:63 / /netb rw - btrfs /dev/sde rw\n"
	    /* a user's, mounted over it and under it */
	    "19 1 0:64 / /over rw - btrfs /dev/sdg rw\n"
	    "20 1 0:54 / /over rw - fuse.x x rw,user_id=1\n"
	    "21 1 0:55 / /under rw - fuse.x x rw,user_id=1\n"
	    "22 1 0:65 / /under rw - btrfs /dev/sdh rw\n"
	    /* behind it too, and yet in reach by another name */
	    "23 1 0:66 / /net/f rw - btrfs /dev/sdi rw\n"
	    "24 1 0:66 / /net/g rw - btrfs /dev/sdi rw\n"
	    "25 1 0:66 / /d rw - btrfs /dev/sdi rw\n"
	    "26 1 0:67 / /net/h rw - btrfs /dev/sdj rw\n"
	    "27 1 0:67 / /net/i rw - btrfs /dev/sdj rw\n"
	    /* hidden by another one, and yet mounted elsewhere */
	    "16 1 %u:%u / /file rw - ext4 /dev/sdf rw\n"
	    "17 1 %u:%u / /b rw - ext4 /dev/sdf rw\n"
	    "18 1 %u:%u / /c rw - ext4 /dev/sdf rw\n",
	    major(st.st_dev), minor(st.st_dev), major(st.st_dev),
	    minor(st.st_dev), major(st.st_dev), minor(st.st_dev));
	fstrim_says(0, "{ paths=[ "
	    "{ path=/b trimmed=12345 minimum=512 / "
	    "{ path=/net/h error=failed to open: below a file system that "
	    "may not answer / "
	    "{ path=/d trimmed=12345 minimum=512 / "
	    "{ path=/under trimmed=12345 minimum=512 / "
	    "{ path=/over error=failed to open: below a file system that "
	    "may not answer / "
	    "{ path=/netb trimmed=12345 minimum=512 / "
	    "{ path=/net/e error=failed to open: below a file system that "
	    "may not answer / / /");
	ATF_CHECK_STREQ("", trimmed("a"));
	ATF_CHECK_STREQ("0", trimmed("b"));
	ATF_CHECK_STREQ("", trimmed("c"));
	ATF_CHECK_STREQ("", trimmed("net/e"));
	ATF_CHECK_STREQ("", trimmed("over"));
	ATF_CHECK_STREQ("0", trimmed("netb"));
}

/* --- disks' logs --- */

ATF_TC_WITHOUT_HEAD(smart);
ATF_TC_BODY(smart, tc)
{
	static struct smart_record v[SMART_MAX + 1];
	char text[MSG_TEXT_MAX], path[64];
	struct worker w;
	int a, b, i, n, pair[2];

	(void)tc;
	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "sys/block/nvme%dn1/size", i);
		file(path, 0644, "1\n");
	}
	file("sys/block/sda/size", 0644, "1\n");
	file("sys/block/nvme_whose_name_is_longer_than_any/size", 0644,
	    "1\n");
	file("dev/sda", 0644, "s");
	file("dev/nvme0n1", 0644, "a");
	file("dev/nvme1n1", 0644, "x");
	file("dev/nvme2n1", 0644, "b");
	file("dev/nvme_whose_name_is_longer_than_any", 0644, "c");
	ATF_REQUIRE_EQ(0, symlink("sda", "dev/nvme3n1"));
	value_open(&w, pair);
	ATF_REQUIRE_EQ(0, msg_send_data(&w.ib, MSG_SMART, 11, -1));
	driver_flush(&w);
	answer(&w, text, sizeof(text));
	ATF_CHECK_STREQ("", text);
	n = (int)recv(pair[0], v, sizeof(v), MSG_WAITALL);
	ATF_REQUIRE_EQ(2 * sizeof(v[0]), (size_t)n);
	a = strcmp(v[0].name, "nvme0n1") != 0;
	b = 1 - a;
	ATF_CHECK_STREQ("nvme0n1", v[a].name);
	ATF_CHECK_STREQ("nvme2n1", v[b].name);
	for (i = 0; i < SMART_LOG; i++)
		ATF_CHECK(v[a].log[i] == 'a' && v[b].log[i] == 'b');
	close(pair[0]);
}

/* More than are told of, and none. */
ATF_TC_WITHOUT_HEAD(smart_many);
ATF_TC_BODY(smart_many, tc)
{
	static struct smart_record v[SMART_MAX + 1];
	char text[MSG_TEXT_MAX], path[64];
	struct worker w;
	int i, n, pair[2], round;

	(void)tc;
	for (round = 0; round < 2; round++) {
		value_open(&w, pair);
		ATF_REQUIRE_EQ(0, msg_send_data(&w.ib, MSG_SMART, 11, -1));
		driver_flush(&w);
		answer(&w, text, sizeof(text));
		ATF_CHECK_STREQ("", text);
		n = (int)recv(pair[0], v, sizeof(v), MSG_WAITALL);
		ATF_CHECK_EQ(round == 0 ? 0 : SMART_MAX * sizeof(v[0]),
		    (size_t)n);
		close(pair[0]);
		for (i = 0; i < SMART_MAX + 5; i++) {
			snprintf(path, sizeof(path), "sys/block/nvme%dn1/x",
			    i);
			file(path, 0644, "%s", "");
			snprintf(path, sizeof(path), "dev/nvme%dn1", i);
			file(path, 0644, "a");
		}
	}
}

/* --- suspending --- */

#define UNSUPPORTED	"the requested suspend mode is not supported by the " \
			"guest"

ATF_TC_WITHOUT_HEAD(suspend_kernel);
ATF_TC_BODY(suspend_kernel, tc)
{
	uint32_t mode;

	(void)tc;
	for (mode = 0; mode < SUSPEND_MODES; mode++)
		suspend_says(mode, UNSUPPORTED);
	file("sys/power/state", 0644, "freeze memory disk\n");
	suspend_says(SUSPEND_RAM, UNSUPPORTED);
	suspend_says(SUSPEND_HYBRID, UNSUPPORTED);
	ATF_CHECK_STREQ("freeze memory disk\n", contents("sys/power/state"));
	suspend_says(SUSPEND_DISK, "");
	ATF_CHECK_STREQ("disk", contents("sys/power/state"));
	file("sys/power/state", 0644, "freeze mem\n");
	suspend_says(SUSPEND_DISK, UNSUPPORTED);
	suspend_says(SUSPEND_RAM, "");
	ATF_CHECK_STREQ("mem", contents("sys/power/state"));
}

ATF_TC_WITHOUT_HEAD(suspend_programs);
ATF_TC_BODY(suspend_programs, tc)
{
	static const char log[] = "echo $0 \"$@\" >>calls";

	(void)tc;
	file("sys/power/state", 0644, "mem disk\n");
	/* Without systemd its program is of no use. */
	stand_in("bin/systemctl", "echo $0 \"$@\" >>calls\n"
	    "test $1 != status || exit 3");
	suspend_says(SUSPEND_RAM, "");
	ATF_CHECK_STREQ("mem", contents("sys/power/state"));
	ATF_CHECK_EQ(-1, access("calls", F_OK));

	ATF_REQUIRE_EQ(0, mkdir("run", 0755));
	ATF_REQUIRE_EQ(0, mkdir("run/systemd", 0755));
	ATF_REQUIRE_EQ(0, mkdir("run/systemd/system", 0755));
	file("sys/power/state", 0644, "mem disk\n");
	suspend_says(SUSPEND_RAM, "");
	suspend_says(SUSPEND_DISK, "");
	suspend_says(SUSPEND_HYBRID, "");
	ATF_CHECK_STREQ("./bin/systemctl status systemd-suspend\n"
	    "./bin/systemctl suspend\n"
	    "./bin/systemctl status systemd-hibernate\n"
	    "./bin/systemctl hibernate\n"
	    "./bin/systemctl status systemd-hybrid-sleep\n"
	    "./bin/systemctl hybrid-sleep\n", contents("calls"));
	ATF_CHECK_STREQ("mem disk\n", contents("sys/power/state"));

	/* Its unit is unknown: pm-utils', if it says that it can. */
	stand_in("bin/systemctl", "exit 4");
	stand_in("usr/bin/pm-is-supported", log);
	stand_in("usr/sbin/pm-suspend", log);
	stand_in("usr/sbin/pm-hibernate", log);
	stand_in("usr/sbin/pm-suspend-hybrid", log);
	ATF_REQUIRE_EQ(0, unlink("calls"));
	suspend_says(SUSPEND_RAM, "");
	suspend_says(SUSPEND_DISK, "");
	suspend_says(SUSPEND_HYBRID, "");
	ATF_CHECK_STREQ("./usr/bin/pm-is-supported --suspend\n"
	    "./usr/sbin/pm-suspend\n"
	    "./usr/bin/pm-is-supported --hibernate\n"
	    "./usr/sbin/pm-hibernate\n"
	    "./usr/bin/pm-is-supported --suspend-hybrid\n"
	    "./usr/sbin/pm-suspend-hybrid\n", contents("calls"));
	stand_in("usr/bin/pm-is-supported", "exit 1");
	suspend_says(SUSPEND_HYBRID, UNSUPPORTED);
	suspend_says(SUSPEND_RAM, "");
	ATF_CHECK_STREQ("mem", contents("sys/power/state"));
}

ATF_TC_WITHOUT_HEAD(suspend_fails);
ATF_TC_BODY(suspend_fails, tc)
{
	(void)tc;
	file("run/systemd/system/x", 0644, "%s", "");
	stand_in("bin/systemctl", "test $1 != status || exit 3; exit 1");
	suspend_says(SUSPEND_RAM, "the helper program 'systemctl suspend' "
	    "returned an unexpected exit status code (1)");
	/* What comes after it may do it. */
	stand_in("bin/systemctl", "test $1 != status || exit 3\n"
	    "echo Sleep verb not supported; exit 1");
	file("sys/power/state", 0644, "mem\n");
	suspend_says(SUSPEND_RAM, "");
	/* Where nothing does it, the last reason is told. */
	suspend_says(SUSPEND_DISK, "the helper program 'systemctl "
	    "hibernate' returned an unexpected exit status code (1): "
	    "Sleep verb not supported");
	stand_in("bin/systemctl", "test $1 != status || exit 3\n"
	    "kill -9 $$");
	suspend_says(SUSPEND_HYBRID, "the helper program 'systemctl "
	    "hybrid-sleep' was terminated by a signal (9)");
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
	driver_close(&w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, programs);
	ATF_TP_ADD_TC(tp, none);
	ATF_TP_ADD_TC(tp, failures);
	ATF_TP_ADD_TC(tp, view);
	ATF_TP_ADD_TC(tp, pipe_held);
	ATF_TP_ADD_TC(tp, monitor_dies);
	ATF_TP_ADD_TC(tp, set_time);
	ATF_TP_ADD_TC(tp, set_time_fails);
	ATF_TP_ADD_TC(tp, hardware_clock);
	ATF_TP_ADD_TC(tp, vcpus);
	ATF_TP_ADD_TC(tp, vcpus_fail);
	ATF_TP_ADD_TC(tp, memory_blocks);
	ATF_TP_ADD_TC(tp, most_units);
	ATF_TP_ADD_TC(tp, fstrim);
	ATF_TP_ADD_TC(tp, fstrim_left_out);
	ATF_TP_ADD_TC(tp, smart);
	ATF_TP_ADD_TC(tp, smart_many);
	ATF_TP_ADD_TC(tp, suspend_kernel);
	ATF_TP_ADD_TC(tp, suspend_programs);
	ATF_TP_ADD_TC(tp, suspend_fails);
	ATF_TP_ADD_TC(tp, bad_message);
	return (atf_no_error());
}
