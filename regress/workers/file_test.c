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
 * qgad-file by itself: what it does with messages that are none of its, and
 * with data that is too short or too long; and the two ways to a file below
 * a directory, beside one who moves links about.
 */

#define main		file_main
int	 file_main(int, char *[]);
#include "file.c"
#undef main

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atf-c.h>

#include "driver.h"

#define ROUNDS		20000
#define ENOUGH		100000000
#define EXCHANGE	2U		/* RENAME_EXCHANGE */

static const char *const none[] = { NULL };

static void
make(const char *name, const char *data)
{
	int fd;

	ATF_REQUIRE((fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600)) !=
	    -1);
	ATF_REQUIRE(write(fd, data, strlen(data)) == (ssize_t)strlen(data));
	close(fd);
}

/* --- below a directory --- */

/* Who moves dir/name and dir/name.link about until killed. */
static pid_t
exchanger(int dir, const char *name)
{
	char link[64];
	pid_t pid;

	snprintf(link, sizeof(link), "%s.link", name);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0)
		for (;;)
			if (syscall(SYS_renameat2, dir, name, dir, link,
			    EXCHANGE) == -1)
				_exit(1);
	return (pid);
}

enum way { BENEATH, WALK, PLAIN };

static int
below(enum way way, int dir, const char *path, int flags)
{
	if (way == BENEATH)
		return (file_beneath(dir, path, flags, 0600, 0));
	if (way == WALK)
		return (file_walk(dir, path, flags, 0600));
	return (openat(dir, path, flags, 0600));
}

/* How often it was opened outside. */
static int
race(enum way way, int dir, const char *name, const char *path)
{
	int fd, in = 0, out = 0, refused = 0, i;
	pid_t pid = exchanger(dir, name);
	char c;

	/* As many as that, and on until both of them have had their turn. */
	for (i = 0; i < ROUNDS || (i < ENOUGH && (in == 0 ||
	    refused + out == 0)); i++) {
		if ((fd = below(way, dir, path, O_RDONLY)) == -1) {
			refused++;
			continue;
		}
		ATF_REQUIRE(read(fd, &c, 1) == 1);
		close(fd);
		if (c == 'i')
			in++;
		else
			out++;
	}
	ATF_REQUIRE(kill(pid, SIGKILL) == 0);
	ATF_REQUIRE(waitpid(pid, NULL, 0) == pid);
	printf("%s, way %d: %d inside, %d outside, %d refused\n", path, way,
	    in, out, refused);
	ATF_CHECK(in > 0);
	ATF_CHECK(way == PLAIN || refused > 0);
	return (out);
}

ATF_TC_WITHOUT_HEAD(exchange);
ATF_TC_BODY(exchange, tc)
{
	static const char *const names[2][2] = {
		{ "dir", "dir/file" }, { "file", "file" }
	};
	int dir, i;

	ATF_REQUIRE(mkdir("in", 0700) == 0 && mkdir("in/dir", 0700) == 0 &&
	    mkdir("out", 0700) == 0);
	make("in/file", "inside");
	make("in/dir/file", "inside");
	make("out/file", "outside");
	ATF_REQUIRE(symlink("../out", "in/dir.link") == 0 &&
	    symlink("../out/file", "in/file.link") == 0);
	ATF_REQUIRE((dir = open("in", O_RDONLY | O_DIRECTORY)) != -1);
	for (i = 0; i < 2; i++) {
		ATF_CHECK_EQ(0, race(BENEATH, dir, names[i][0], names[i][1]));
		ATF_CHECK_EQ(0, race(WALK, dir, names[i][0], names[i][1]));
		/* The control. */
		ATF_CHECK(race(PLAIN, dir, names[i][0], names[i][1]) > 0);
	}
}

ATF_TC_WITHOUT_HEAD(beneath);
ATF_TC_BODY(beneath, tc)
{
	static const struct {
		const char *path;
		int flags, beneath, walk;	/* 0, or the errno */
	} cases[] = {
		{ "file", O_RDONLY, 0, 0 },
		{ "dir/file", O_RDWR, 0, 0 },
		{ "dir/new", O_RDWR | O_CREAT | O_EXCL, 0, EEXIST },
		{ "dir/", O_RDONLY, 0, ENOENT },
		{ ".", O_RDONLY, 0, 0 },
		{ "none", O_RDONLY, ENOENT, ENOENT },
		{ "none/x", O_RDONLY, ENOENT, ENOENT },
		{ "file/x", O_RDONLY, ENOTDIR, ENOTDIR },
		{ "dir.in/file", O_RDONLY, 0, ENOTDIR },
		{ "file.in", O_RDONLY, 0, ELOOP },
		{ "file.out", O_RDONLY, EXDEV, ELOOP },
		{ "dir.out/file", O_RDONLY, EXDEV, ENOTDIR },
		{ "dir.out/new", O_RDWR | O_CREAT, EXDEV, ENOTDIR },
		{ "absolute", O_RDONLY, EXDEV, ELOOP },
		{ "dir/../../out/file", O_RDONLY, EXDEV, EXDEV },
		{ "..", O_RDONLY, EXDEV, EXDEV },
		{ "../out/file", O_RDONLY, EXDEV, EXDEV },
		{ "magic/version", O_RDONLY, EXDEV, ENOTDIR },
	};
	char longest[300];
	int dir, fd, way, want;
	size_t i;

	ATF_REQUIRE(mkdir("in", 0700) == 0 && mkdir("in/dir", 0700) == 0 &&
	    mkdir("out", 0700) == 0);
	make("in/file", "inside");
	make("in/dir/file", "inside");
	make("out/file", "outside");
	ATF_REQUIRE(symlink("dir", "in/dir.in") == 0 &&
	    symlink("dir/file", "in/file.in") == 0 &&
	    symlink("../out", "in/dir.out") == 0 &&
	    symlink("../out/file", "in/file.out") == 0 &&
	    symlink("/etc/passwd", "in/absolute") == 0 &&
	    symlink("/proc/self/root/proc", "in/magic") == 0);
	ATF_REQUIRE((dir = open("in", O_RDONLY | O_DIRECTORY)) != -1);
	for (way = BENEATH; way <= WALK; way++)
		for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			want = way == BENEATH ? cases[i].beneath :
			    cases[i].walk;
			errno = 0;
			fd = below((enum way)way, dir, cases[i].path,
			    cases[i].flags);
			ATF_CHECK_EQ_MSG(want, fd == -1 ? errno : 0,
			    "way %d, %s: %s", way, cases[i].path,
			    strerror(errno));
			if (fd != -1)
				close(fd);
		}
	ATF_CHECK(access("out/new", F_OK) == -1);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	ATF_CHECK_ERRNO(ENAMETOOLONG, file_walk(dir, longest, 0, 0) == -1);
	/* Exactly this name: no link, even one that stays inside. */
	ATF_CHECK_ERRNO(ELOOP, file_beneath(dir, "file.in", 0, 0, 1) == -1);
	ATF_CHECK((fd = file_beneath(dir, "file", 0, 0, 1)) != -1);
}

/* --- the worker --- */

static void
start(struct worker *w, const atf_tc_t *tc)
{
	struct msg_hello hello;
	struct imsg imsg;

	driver_start(w, atf_tc_get_config_var(tc, "srcdir"), "qgad-file",
	    driver_ids(), none);
	driver_expect(w, &imsg, MSG_HELLO);
	ATF_REQUIRE_EQ(0, msg_recv_hello(&imsg, &hello));
	ATF_CHECK_EQ(ROLE_FILE_OPENING, hello.role);
	imsg_free(&imsg);
}

static void
answer(struct worker *w, struct msg_file_done *done)
{
	static char copy[MSG_TEXT_MAX];
	struct imsg imsg;

	driver_expect(w, &imsg, MSG_FILE_DONE);
	ATF_REQUIRE_EQ(0, msg_recv_file_done(&imsg, done));
	snprintf(copy, sizeof(copy), "%s", done->text);
	done->text = copy;
	imsg_free(&imsg);
}

static void
open_it(struct worker *w, const char *base, const char *path,
    const char *mode, uint32_t rule, struct msg_file_done *done)
{
	struct msg_file_open m = { 7, (uint32_t)file_mode_lookup(mode), rule,
	    base, path };

	ATF_REQUIRE_EQ(0, msg_send_file_open(&w->ib, &m));
	driver_flush(w);
	answer(w, done);
	ATF_CHECK_EQ(7, done->id);
}

static void
started(struct worker *w, const atf_tc_t *tc, const char *path,
    const char *mode)
{
	struct msg_file_done done;

	start(w, tc);
	open_it(w, "", path, mode, 0, &done);
	ATF_REQUIRE_MSG(done.ok, "%s", done.text);
}

/* Our end of the data socket; -1: there is none. */
static int
tell(struct worker *w, enum msg_type type, int64_t n, int data)
{
	struct msg_file m = { .id = 8, .handle = 1000, .number = n };
	int pair[2] = { -1, -1 };

	if (data)
		ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ATF_REQUIRE_EQ(0, msg_send_file(&w->ib, type, &m, pair[1]));
	driver_flush(w);
	return (pair[0]);
}

ATF_TC_WITHOUT_HEAD(number);
ATF_TC_BODY(number, tc)
{
	struct msg_file_done done;
	struct worker w;
	struct stat st;
	char buf[64];
	int fd;

	started(&w, tc, "made", "w+");
	/* More than was said is not read; less is an error. */
	fd = tell(&w, MSG_FILE_WRITE, 4, 1);
	ATF_REQUIRE(write(fd, "abcdefgh", 8) == 8);
	answer(&w, &done);
	ATF_CHECK(done.ok && done.number == 4);
	ATF_REQUIRE(stat("made", &st) == 0);
	ATF_CHECK_EQ(4, st.st_size);
	close(fd);
	fd = tell(&w, MSG_FILE_WRITE, 100, 1);
	ATF_REQUIRE(write(fd, "xy", 2) == 2);
	close(fd);
	answer(&w, &done);
	ATF_CHECK(!done.ok && done.number == 2);
	ATF_CHECK_STREQ("failed to write to file: "
	    "Software caused connection abort", done.text);
	ATF_CHECK_EQ(-1, tell(&w, MSG_FILE_SEEK, 1, 0));
	answer(&w, &done);
	ATF_CHECK(done.ok && done.number == 1);
	fd = tell(&w, MSG_FILE_READ, 64, 1);
	answer(&w, &done);
	ATF_CHECK(done.ok && done.number == 5 && done.eof);
	ATF_CHECK_EQ(5, read(fd, buf, sizeof(buf)));
	ATF_CHECK(memcmp(buf, "bcdxy", 5) == 0);
	ATF_CHECK_EQ(0, read(fd, buf, sizeof(buf)));
	close(fd);
	ATF_CHECK_EQ(-1, tell(&w, MSG_FILE_FLUSH, 0, 0));
	answer(&w, &done);
	ATF_CHECK(done.ok);
	ATF_CHECK_EQ(-1, tell(&w, MSG_FILE_CLOSE, 0, 0));
	answer(&w, &done);
	ATF_CHECK(done.ok);
	ATF_CHECK_EQ(0, driver_wait(&w));
	driver_close(&w);
}

/* Nobody reads: the monitor is told, and told again when it goes on. */
ATF_TC_WITHOUT_HEAD(waits);
ATF_TC_BODY(waits, tc)
{
	static char buf[65536];
	struct msg_file_waiting waiting;
	struct msg_file_done done;
	struct worker w;
	struct imsg imsg;
	size_t have = 0;
	ssize_t n;
	uint32_t on;
	int fd;

	started(&w, tc, "/dev/zero", "r");
	fd = tell(&w, MSG_FILE_READ, 4000000, 1);
	for (on = 1;; on--) {
		driver_expect(&w, &imsg, MSG_FILE_WAITING);
		ATF_REQUIRE_EQ(0, msg_recv_file_waiting(&imsg, &waiting));
		imsg_free(&imsg);
		ATF_CHECK(waiting.id == 8 && waiting.on == on);
		if (on == 0)
			break;
		while (have < 3900000) {
			ATF_REQUIRE((n = read(fd, buf, sizeof(buf))) > 0);
			have += (size_t)n;
		}
	}
	answer(&w, &done);
	ATF_CHECK(done.ok && done.number == 4000000 && !done.eof);
	/* A frontend that goes ends the operation, not the worker. */
	close(fd);
	fd = tell(&w, MSG_FILE_READ, 4000000, 1);
	close(fd);
	answer(&w, &done);
	ATF_CHECK(done.ok);
	/* The monitor's end is everybody's, in the middle too. */
	fd = tell(&w, MSG_FILE_READ, 4000000, 1);
	ATF_REQUIRE(read(fd, buf, 1) == 1);
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
	close(fd);
}

ATF_TC_WITHOUT_HEAD(judged);
ATF_TC_BODY(judged, tc)
{
	static const struct {
		const char *base, *path, *mode;
		uint32_t rule;
		const char *why;		/* NULL: it is opened */
	} cases[] = {
		{ "in", "file", "r", 0, NULL },
		{ "in", "fifo", "r", FILE_RULE_ANY, NULL },
		{ "in", "fifo", "r", 0, "it is no regular file" },
		{ "in", "link", "r", 0, NULL },
		{ "in", "link", "r", FILE_RULE_EXACT, "it leads out" },
		{ "in", "out", "w", 0, "it leads out" },
		{ "in", ".", "r", 0, "Is a directory" },
		{ "in", "none/x", "w", 0, "No such file" },
		{ "none", "x", "w", 0, "No such file" },
		{ "in/file", "x", "w", 0, "Not a directory" },
		{ "", "in", "r", 0, "Is a directory" },
		{ "", "in/out", "r", 0, NULL },
	};
	struct msg_file_done done;
	struct worker w;
	size_t i;

	ATF_REQUIRE(mkdir("in", 0700) == 0);
	make("in/file", "inside");
	make("file", "outside");
	ATF_REQUIRE(mkfifo("in/fifo", 0600) == 0 &&
	    symlink("file", "in/link") == 0 &&
	    symlink("../file", "in/out") == 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(&w, tc);
		open_it(&w, cases[i].base, cases[i].path, cases[i].mode,
		    cases[i].rule, &done);
		ATF_CHECK_EQ_MSG(cases[i].why == NULL, done.ok, "%s: %s",
		    cases[i].path, done.text);
		if (cases[i].why != NULL)
			ATF_CHECK_MSG(strstr(done.text, cases[i].why) != NULL,
			    "%s", done.text);
		driver_close(&w);
		ATF_CHECK_EQ(0, driver_wait(&w));
	}
}

/* The owner of a directory on the way puts a link in a rule's place. */
ATF_TC(base);
ATF_TC_HEAD(base, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(base, tc)
{
	static const struct {
		const char *base;
		int error;
	} cases[] = {
		{ "out", 0 },
		{ "/", 0 },
		{ "roots/link", 0 },
		{ "roots/two", 0 },
		{ "roots/two/", 0 },
		{ "roots/link/deep/../deep", 0 },
		{ "roots/absolute", 0 },
		{ "roots/loop", ELOOP },
		{ "roots/none", ENOENT },
		{ "roots/none/x", ENOENT },
		{ "out/file", ENOTDIR },
		{ "his/link", ELOOP },
		{ "his/link/deep", ELOOP },
		{ "his/given", ELOOP },
		{ "sticky/link", ELOOP },
		{ "roots/his/link", ELOOP },
	};
	struct msg_file_done done;
	struct worker w;
	size_t i;
	int fd;

	ATF_REQUIRE(mkdir("out", 0755) == 0 && mkdir("out/deep", 0755) == 0 &&
	    mkdir("roots", 0755) == 0 && mkdir("his", 0755) == 0 &&
	    mkdir("sticky", 0755) == 0 && chmod("sticky", 01777) == 0);
	make("out/file", "outside");
	ATF_REQUIRE(symlink("../out", "roots/link") == 0 &&
	    symlink("link/deep", "roots/two") == 0 &&
	    symlink("/etc", "roots/absolute") == 0 &&
	    symlink("loop", "roots/loop") == 0 &&
	    symlink("../his", "roots/his") == 0 &&
	    symlink("../out", "his/link") == 0 &&
	    symlink("../out", "his/given") == 0 &&
	    symlink("../out", "sticky/link") == 0);
	ATF_REQUIRE(chown("his", 65534, 65534) == 0 &&
	    lchown("his/link", 65534, 65534) == 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		errno = 0;
		fd = file_base(cases[i].base);
		ATF_CHECK_EQ_MSG(cases[i].error, fd == -1 ? errno : 0,
		    "%s: %s", cases[i].base, strerror(errno));
		if (fd != -1)
			close(fd);
	}
	start(&w, tc);
	open_it(&w, "roots/link", "file", "r", 0, &done);
	ATF_CHECK_MSG(done.ok, "%s", done.text);
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
	start(&w, tc);
	open_it(&w, "his/link", "file", "r", 0, &done);
	ATF_CHECK(!done.ok);
	ATF_CHECK_MSG(strstr(done.text, "it leads out") != NULL, "%s",
	    done.text);
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
}

/* What the monitor would never send ends it. */
ATF_TC_WITHOUT_HEAD(no_sense);
ATF_TC_BODY(no_sense, tc)
{
	static const struct {
		enum msg_type type;
		int64_t number;
		int data;
	} cases[] = {
		{ MSG_FILE_READ, 10, 0 },
		{ MSG_FILE_READ, 0, 1 },
		{ MSG_FILE_WRITE, 10, 0 },
		{ MSG_FILE_FLUSH, 0, 1 },
		{ MSG_FILE_CLOSE, 1, 0 },
	};
	struct msg_shutdown shut = { 8, 0 };
	struct worker w;
	struct imsg imsg;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		started(&w, tc, "/dev/null", "r+");
		fd = tell(&w, cases[i].type, cases[i].number, cases[i].data);
		ATF_CHECK_EQ(0, driver_get(&w, &imsg));
		ATF_CHECK_EQ(1, driver_wait(&w));
		driver_close(&w);
		if (fd != -1)
			close(fd);
	}
	start(&w, tc);
	ATF_CHECK_EQ(-1, tell(&w, MSG_FILE_FLUSH, 0, 0));
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
	start(&w, tc);
	ATF_REQUIRE_EQ(0, msg_send_shutdown(&w.ib, &shut));
	driver_flush(&w);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
	/* Nothing at all is an end. */
	start(&w, tc);
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, exchange);
	ATF_TP_ADD_TC(tp, beneath);
	ATF_TP_ADD_TC(tp, number);
	ATF_TP_ADD_TC(tp, waits);
	ATF_TP_ADD_TC(tp, judged);
	ATF_TP_ADD_TC(tp, base);
	ATF_TP_ADD_TC(tp, no_sense);
	return (atf_no_error());
}
