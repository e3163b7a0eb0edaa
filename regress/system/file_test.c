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
 * guest-file-* of the shipped daemon: what each does, what is an error, how
 * long a handle lives.  The files are in the test's own directory.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

#define MANY		64		/* handles, the default of max-files */
#define MIB		((size_t)1024 * 1024)
#define BULK		(48 * MIB)
#define WIDE		"[limits]\nmax-reply = 68M\n"

#define TEST(name, what)						\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", "%s", what);		\
		atf_tc_set_md_var(tc, "require.user", "root");		\
	}								\
	ATF_TC_BODY(name, tc)

static struct wire h;
static char	 here[1024];

static void
begin(const atf_tc_t *tc, const char *conf)
{
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	daemon_conf(conf);
	daemon_listen(tc, "-c", DAEMON_CONF, (char *)NULL);
	wire_connect(&h);
}

static void
finish(void)
{
	wire_ask(&h, PING, PONG);
	wire_close(&h);
	daemon_stop();
}

static const char *ask(const char *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

/* One request; its reply, valid until the next. */
static const char *
ask(const char *command, const char *fmt, ...)
{
	char args[2048], request[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	snprintf(request, sizeof(request), "{\"execute\": \"guest-file-%s\", "
	    "\"arguments\": {%s}}\n", command, args);
	wire_say(&h, request);
	return (wire_line(&h));
}

#define SAYS(want, ...)	ATF_CHECK_STREQ(want, ask(__VA_ARGS__))
#define FAILS(want, ...)						\
	ATF_CHECK_STREQ(GENERIC(want), ask(__VA_ARGS__))

static const char *
ask_open(const char *name, const char *mode)
{
	return (ask("open", "\"path\": \"%s%s%s\", \"mode\": \"%s\"",
	    *name == '/' ? "" : here, *name == '/' ? "" : "/", name, mode));
}

static long long
file_open(const char *name, const char *mode)
{
	const char *line = ask_open(name, mode);
	long long handle;

	ATF_REQUIRE_MSG(sscanf(line, "{\"return\": %lld}", &handle) == 1,
	    "open %s %s: %s", name, mode, line);
	return (handle);
}

static void
file_close(long long handle)
{
	SAYS(PONG, "close", "\"handle\": %lld", handle);
}

static void
file_make(const char *name, const char *text)
{
	int fd;

	ATF_REQUIRE((fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600)) !=
	    -1);
	ATF_REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static const char *
contents(const char *name)
{
	static char buf[4096];
	ssize_t n;
	int fd;

	if ((fd = open(name, O_RDONLY)) == -1)
		return ("(none)");
	ATF_REQUIRE((n = read(fd, buf, sizeof(buf) - 1)) != -1);
	close(fd);
	buf[n] = '\0';
	return (buf);
}

TEST(operations, "open, write, seek, read, flush, close: their replies")
{
	long long f;

	begin(tc, "");
	f = file_open("file", "w+");
	ATF_CHECK(f >= 1000);
	/* "hello world" */
	SAYS("{\"return\": {\"count\": 11, \"eof\": false}}", "write",
	    "\"handle\": %lld, \"buf-b64\": \"aGVsbG8gd29ybGQ=\"", f);
	SAYS(PONG, "flush", "\"handle\": %lld", f);
	ATF_CHECK_STREQ("hello world", contents("file"));
	SAYS("{\"return\": {\"position\": 11, \"eof\": false}}", "seek",
	    "\"handle\": %lld, \"offset\": 0, \"whence\": \"cur\"", f);
	SAYS("{\"return\": {\"position\": 6, \"eof\": false}}", "seek",
	    "\"handle\": %lld, \"offset\": -5, \"whence\": \"end\"", f);
	SAYS("{\"return\": {\"position\": 7, \"eof\": false}}", "seek",
	    "\"handle\": %lld, \"offset\": 1, \"whence\": 1", f);
	SAYS("{\"return\": {\"position\": 4, \"eof\": false}}", "seek",
	    "\"handle\": %lld, \"offset\": 4, \"whence\": 0", f);
	SAYS("{\"return\": {\"position\": 11, \"eof\": false}}", "seek",
	    "\"handle\": %lld, \"offset\": 0, \"whence\": 2", f);
	SAYS("{\"return\": {\"position\": 0, \"eof\": false}}", "seek",
	    "\"handle\": %lld, \"offset\": 0, \"whence\": \"set\"", f);
	SAYS("{\"return\": {\"buf-b64\": \"aGVsbG8=\", \"count\": 5, "
	    "\"eof\": false}}", "read", "\"handle\": %lld, \"count\": 5", f);
	/* To the end exactly is not its end; the next one is. */
	SAYS("{\"return\": {\"buf-b64\": \"IHdvcmxk\", \"count\": 6, "
	    "\"eof\": false}}", "read", "\"handle\": %lld, \"count\": 6", f);
	SAYS("{\"return\": {\"buf-b64\": \"\", \"count\": 0, \"eof\": true}}",
	    "read", "\"handle\": %lld", f);
	SAYS("{\"return\": {\"buf-b64\": \"\", \"count\": 0, "
	    "\"eof\": false}}", "read", "\"handle\": %lld, \"count\": 0", f);
	/* A count writes the first bytes; none is no error. */
	SAYS("{\"return\": {\"count\": 2, \"eof\": false}}", "write",
	    "\"handle\": %lld, \"buf-b64\": \"ISE/\", \"count\": 2", f);
	SAYS("{\"return\": {\"count\": 0, \"eof\": false}}", "write",
	    "\"handle\": %lld, \"buf-b64\": \"\"", f);
	SAYS("{\"return\": {\"count\": 0, \"eof\": false}}", "write",
	    "\"handle\": %lld, \"buf-b64\": \"ISE/\", \"count\": 0", f);
	ATF_CHECK_STREQ("hello world!!", contents("file"));
	file_close(f);
	file_await(DAEMON_LOG, "operations=16 read=11 written=13 errors=0 "
	    "end=\"closed\"");
	finish();
}

/* What each does to a file that is there, with "old" in it, and to none. */
static const struct {
	const char	*mode;
	int		 makes, reads, writes;
	const char	*after;		/* "N" was written to "old" */
} modes[] = {
	{ "r",   0, 1, 0, "old" }, { "rb",  0, 1, 0, "old" },
	{ "w",   1, 0, 1, "N" },   { "wb",  1, 0, 1, "N" },
	{ "a",   1, 0, 1, "oldN" },{ "ab",  1, 0, 1, "oldN" },
	{ "r+",  0, 1, 1, "Nld" }, { "rb+", 0, 1, 1, "Nld" },
	{ "r+b", 0, 1, 1, "Nld" }, { "w+",  1, 1, 1, "N" },
	{ "wb+", 1, 1, 1, "N" },   { "w+b", 1, 1, 1, "N" },
	{ "a+",  1, 1, 1, "oldN" },{ "ab+", 1, 1, 1, "oldN" },
	{ "a+b", 1, 1, 1, "oldN" },
};

TEST(all_modes, "every mode of fopen(3) that qemu-ga takes, and no other")
{
	static const char *const bad[] = { "", "x", "rw", "wr", "r++", "bb",
	    "br", "rbx", " r", "r ", "R", "re", "wx", "a+bb" };
	const char *line, *want;
	char text[256];
	struct stat st;
	long long f;
	size_t i;

	begin(tc, "");
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		unlink("none");
		line = ask_open("none", modes[i].mode);
		ATF_CHECK_EQ_MSG(modes[i].makes, strstr(line, "return") !=
		    NULL, "%s: %s", modes[i].mode, line);
		ATF_CHECK_EQ(modes[i].makes, stat("none", &st) == 0);
		/* Whatever the umask is. */
		if (modes[i].makes)
			ATF_CHECK_EQ(0666, st.st_mode & 07777);
		if (!modes[i].makes)
			ATF_CHECK(strstr(line, "No such file or directory") !=
			    NULL);
		file_make("there", "old");
		f = file_open("there", modes[i].mode);
		line = ask("write", "\"handle\": %lld, \"buf-b64\": \"Tg==\"",
		    f);
		want = modes[i].writes ?
		    "{\"return\": {\"count\": 1, \"eof\": false}}" :
		    GENERIC("failed to write to file: Bad file descriptor");
		ATF_CHECK_STREQ(want, line);
		line = ask("read", "\"handle\": %lld", f);
		ATF_CHECK_EQ_MSG(modes[i].reads, strstr(line, "return") !=
		    NULL, "%s: %s", modes[i].mode, line);
		if (!modes[i].reads)
			ATF_CHECK_STREQ(GENERIC("failed to read file: "
			    "Bad file descriptor"), line);
		file_close(f);
		ATF_CHECK_STREQ_MSG(modes[i].after, contents("there"), "%s",
		    modes[i].mode);
		/* What was there keeps its bits. */
		ATF_REQUIRE(stat("there", &st) == 0);
		ATF_CHECK_EQ(0600, st.st_mode & 07777);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), GENERIC("invalid file open mode "
		    "'%s'"), bad[i]);
		ATF_CHECK_STREQ(text, ask_open("there", bad[i]));
	}
	/* Without a mode it is "r". */
	line = ask("open", "\"path\": \"%s/there\"", here);
	ATF_REQUIRE(sscanf(line, "{\"return\": %lld}", &f) == 1);
	FAILS("failed to write to file: Bad file descriptor", "write",
	    "\"handle\": %lld, \"buf-b64\": \"Tg==\"", f);
	finish();
}

TEST(arguments, "what is no argument, and what is no handle")
{
	long long f;

	begin(tc, "");
	file_make("file", "text");
	f = file_open("file", "r+");
	FAILS("handle '999' has not been found", "read", "\"handle\": 999");
	FAILS("handle '-1' has not been found", "close", "\"handle\": -1");
	FAILS("handle '0' has not been found", "flush", "\"handle\": 0");
	FAILS("handle '9223372036854775807' has not been found", "seek",
	    "\"handle\": 9223372036854775807, \"offset\": 0, \"whence\": 0");
	FAILS("Parameter 'handle' is missing", "write", "\"buf-b64\": \"\"");
	FAILS("Parameter 'buf-b64' is missing", "write", "\"handle\": %lld",
	    f);
	FAILS("Invalid parameter type for 'buf-b64', expected: string",
	    "write", "\"handle\": %lld, \"buf-b64\": 1", f);
	FAILS("Invalid parameter type for 'handle', expected: integer",
	    "read", "\"handle\": \"%lld\"", f);
	FAILS("Invalid parameter type for 'mode', expected: string", "open",
	    "\"path\": \"/etc/passwd\", \"mode\": 1");
	FAILS("Parameter 'more' is unexpected", "close",
	    "\"handle\": %lld, \"more\": 1", f);
	FAILS("value '-1' is invalid for argument count", "read",
	    "\"handle\": %lld, \"count\": -1", f);
	FAILS("value '50331649' is invalid for argument count", "read",
	    "\"handle\": %lld, \"count\": 50331649", f);
	FAILS("value '-1' is invalid for argument count", "write",
	    "\"handle\": %lld, \"buf-b64\": \"Tg==\", \"count\": -1", f);
	FAILS("value '2' is invalid for argument count", "write",
	    "\"handle\": %lld, \"buf-b64\": \"Tg==\", \"count\": 2", f);
	FAILS("invalid whence code 3", "seek",
	    "\"handle\": %lld, \"offset\": 0, \"whence\": 3", f);
	FAILS("invalid whence code -1", "seek",
	    "\"handle\": %lld, \"offset\": 0, \"whence\": -1", f);
	FAILS("Parameter 'whence' does not accept value 'SET'", "seek",
	    "\"handle\": %lld, \"offset\": 0, \"whence\": \"SET\"", f);
	FAILS("Invalid parameter type for 'whence', expected: "
	    "GuestFileWhence", "seek",
	    "\"handle\": %lld, \"offset\": 0, \"whence\": true", f);
	FAILS("failed to seek file: Invalid argument", "seek",
	    "\"handle\": %lld, \"offset\": -1, \"whence\": 0", f);
	FAILS("failed to open file '' (mode: 'r'): No such file or "
	    "directory", "open", "\"path\": \"\"");
	SAYS("{\"return\": {\"buf-b64\": \"dGV4dA==\", \"count\": 4, "
	    "\"eof\": true}}", "read", "\"handle\": %lld", f);
	file_close(f);
	FAILS("failed to open file '/\\u00E9' (mode: 'r'): No such file or "
	    "directory", "open", "\"path\": \"/\\u00e9\"");
	finish();
}

/* Incomplete or not base64, also where the last byte alone is wrong. */
TEST(bad_base64, "of data that is no base64 nothing is written")
{
	static const char *const bad[] = { "YWI", "Y", "YQ=", "YQ==YQ==",
	    "YW J", "YWJj!", "=", "====", "YWJjZ", "YWJj-_==", "\\u0000AAA" };
	struct text t = { NULL, 0, 0 };
	struct stat st;
	long long f;
	size_t i;

	begin(tc, "");
	f = file_open("file", "w");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		FAILS("Base64 data contains invalid characters", "write",
		    "\"handle\": %lld, \"buf-b64\": \"%s\"", f, bad[i]);
	text_add(&t, "{\"execute\": \"guest-file-write\", \"arguments\": "
	    "{\"handle\": %lld, \"buf-b64\": \"", f);
	text_fill(&t, 'A', 4 * MIB);
	text_add(&t, "A\"}}\n");
	wire_send(&h, t.p, t.len);
	wire_expect(&h, GENERIC("Base64 data contains invalid characters"));
	text_free(&t);
	ATF_REQUIRE(stat("file", &st) == 0);
	ATF_CHECK_EQ(0, st.st_size);
	/* Line breaks are no mistake. */
	SAYS("{\"return\": {\"count\": 3, \"eof\": false}}", "write",
	    "\"handle\": %lld, \"buf-b64\": \"Y\\nWJ\\r\\nj\\n\"", f);
	ATF_CHECK_STREQ("abc", contents("file"));
	finish();
}

TEST(member_order, "the members may come in any order")
{
	char line[512];
	long long f;

	begin(tc, "");
	f = file_open("file", "w");
	snprintf(line, sizeof(line), "{\"arguments\": {\"buf-b64\": "
	    "\"YWJj\", \"count\": 2, \"handle\": %lld}, \"id\": 7, "
	    "\"execute\": \"guest-file-write\"}\n", f);
	wire_ask(&h, line, "{\"return\": {\"count\": 2, \"eof\": false}, "
	    "\"id\": 7}");
	snprintf(line, sizeof(line), "{'id':'x','arguments':{'handle':%lld,"
	    "'buf-b64':'Yw=='},'execute':'guest-file-write'}", f);
	wire_ask(&h, line, "{\"return\": {\"count\": 1, \"eof\": false}, "
	    "\"id\": \"x\"}");
	/* Bulk of another command, and of none. */
	wire_ask(&h, "{\"arguments\": {\"buf-b64\": \"YWJj\"}, "
	    "\"execute\": \"guest-ping\"}",
	    GENERIC("Parameter 'buf-b64' is unexpected"));
	wire_ask(&h, "{\"arguments\": {\"buf-b64\": \"YWJj\"}}",
	    GENERIC("QMP input lacks member 'execute'"));
	ATF_CHECK_STREQ("abc", contents("file"));
	finish();
}

TEST(odd_files, "a directory, FIFOs, a socket, devices, /proc: no hang")
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char text[2048];
	long long f;
	int fd;

	begin(tc, "");
	ATF_CHECK_STREQ(GENERIC("failed to open file '/etc' (mode: 'r'): "
	    "Is a directory"), ask_open("/etc", "r"));
	ATF_CHECK_STREQ(GENERIC("failed to open file '/etc' (mode: 'w'): "
	    "Is a directory"), ask_open("/etc", "w"));

	ATF_REQUIRE(mkfifo("fifo", 0600) == 0);
	snprintf(text, sizeof(text), GENERIC("failed to open file '%s/fifo' "
	    "(mode: 'w'): No such device or address"), here);
	ATF_CHECK_STREQ(text, ask_open("fifo", "w"));
	f = file_open("fifo", "r");
	SAYS("{\"return\": {\"buf-b64\": \"\", \"count\": 0, \"eof\": true}}",
	    "read", "\"handle\": %lld", f);
	ATF_REQUIRE((fd = open("fifo", O_WRONLY)) != -1);
	FAILS("failed to read file: Resource temporarily unavailable",
	    "read", "\"handle\": %lld", f);
	ATF_REQUIRE(write(fd, "abc", 3) == 3);
	/* What there is; qemu-ga would lose it. */
	SAYS("{\"return\": {\"buf-b64\": \"YWJj\", \"count\": 3, "
	    "\"eof\": false}}", "read", "\"handle\": %lld", f);
	FAILS("failed to seek file: Illegal seek", "seek",
	    "\"handle\": %lld, \"offset\": 0, \"whence\": 0", f);
	file_close(f);
	close(fd);

	ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	strlcpy(sun.sun_path, "listening", sizeof(sun.sun_path));
	ATF_REQUIRE(bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0);
	snprintf(text, sizeof(text), GENERIC("failed to open file "
	    "'%s/listening' (mode: 'r'): No such device or address"), here);
	ATF_CHECK_STREQ(text, ask_open("listening", "r"));

	f = file_open("/dev/zero", "r");
	SAYS("{\"return\": {\"buf-b64\": \"AAAA\", \"count\": 3, "
	    "\"eof\": false}}", "read", "\"handle\": %lld, \"count\": 3", f);
	file_close(f);
	f = file_open("/dev/full", "w");
	FAILS("failed to write to file: No space left on device", "write",
	    "\"handle\": %lld, \"buf-b64\": \"YWJj\"", f);
	SAYS(PONG, "flush", "\"handle\": %lld", f);
	file_close(f);
	f = file_open("/proc/version", "r");
	ATF_CHECK(strstr(ask("read", "\"handle\": %lld", f),
	    "\"eof\": true") != NULL);
	file_close(f);
	finish();
}

/* --- bulk --- */

static unsigned char	*bytes;

static void
random_bytes(size_t len)
{
	int fd;
	size_t have;
	ssize_t n;

	ATF_REQUIRE((bytes = malloc(len)) != NULL);
	ATF_REQUIRE((fd = open("/dev/urandom", O_RDONLY)) != -1);
	for (have = 0; have < len; have += (size_t)n)
		ATF_REQUIRE((n = read(fd, bytes + have, len - have)) > 0);
	close(fd);
}

static void
same_file(const char *name, const unsigned char *want, size_t len)
{
	static unsigned char buf[65536];
	size_t have = 0;
	ssize_t n;
	int fd;

	ATF_REQUIRE((fd = open(name, O_RDONLY)) != -1);
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		ATF_REQUIRE(have + (size_t)n <= len);
		ATF_REQUIRE_MSG(memcmp(buf, want + have, (size_t)n) == 0,
		    "%s differs after %zu bytes", name, have);
		have += (size_t)n;
	}
	close(fd);
	ATF_CHECK_EQ(len, have);
}

TEST(split_write, "48 MiB, the head and the tail of it in single bytes")
{
	struct text t = { NULL, 0, 0 };
	long long f;
	size_t i, n;

	begin(tc, WIDE);
	random_bytes(BULK);
	f = file_open("file", "w");
	text_add(&t, "{\"execute\": \"guest-file-write\", \"arguments\": "
	    "{\"handle\": %lld, \"buf-b64\": \"", f);
	text_base64(&t, bytes, BULK);
	text_add(&t, "\"}}\n");
	for (i = 0; i < t.len; i += n) {
		n = i < 3000 || i >= t.len - 3000 ? 1 : t.len - 3000 - i;
		wire_send(&h, t.p + i, n);
	}
	wire_expect(&h, "{\"return\": {\"count\": 50331648, "
	    "\"eof\": false}}");
	same_file("file", bytes, BULK);
	/* One byte more is too many, and nothing of it is written. */
	t.len = 0;
	text_add(&t, "{\"execute\": \"guest-file-write\", \"arguments\": "
	    "{\"buf-b64\": \"");
	text_base64(&t, bytes, BULK);
	text_add(&t, "QQ==\", \"handle\": %lld}}\n", f);
	wire_send(&h, t.p, t.len);
	ATF_CHECK_STREQ(GENERIC("argument 'buf-b64' is larger than 50331648 "
	    "bytes"), wire_line(&h));
	wire_ask(&h, PING, PONG);
	same_file("file", bytes, BULK);
	text_free(&t);
	free(bytes);
	finish();
}

/* A reply may be longer than wire_line() would have it. */
static size_t
read_chunk(long long f, size_t count, const unsigned char *want, int *eof)
{
	char request[256], end[64];
	const char *line;
	unsigned char *data;
	size_t len, n;

	snprintf(request, sizeof(request), "{\"execute\": \"guest-file-read\","
	    " \"arguments\": {\"handle\": %lld, \"count\": %zu}}\n", f, count);
	wire_say(&h, request);
	ATF_REQUIRE((line = wire_raw(&h, &len)) != NULL);
	data = (unsigned char *)reply_data(line, "buf-b64", &n);
	ATF_REQUIRE(data != NULL);
	ATF_REQUIRE_MSG(memcmp(data, want, n) == 0, "%zu bytes differ", n);
	free(data);
	*eof = strcmp(line + len - 6, "true}}") == 0;
	snprintf(end, sizeof(end), "\", \"count\": %zu, \"eof\": %s}}", n,
	    *eof ? "true" : "false");
	ATF_CHECK_STREQ(end, line + len - strlen(end));
	return (n);
}

TEST(long_read, "48 MiB in one reply if the bound allows, else short ones")
{
	size_t have, n;
	long long f;
	int eof, fd;

	random_bytes(BULK + 10);
	ATF_REQUIRE((fd = open("file", O_WRONLY | O_CREAT, 0600)) != -1);
	for (have = 0; have < BULK + 10; have += n)
		ATF_REQUIRE((n = (size_t)write(fd, bytes + have,
		    BULK + 10 - have)) > 0);
	close(fd);
	begin(tc, WIDE);
	f = file_open("file", "r");
	ATF_CHECK_EQ(BULK, read_chunk(f, BULK, bytes, &eof));
	ATF_CHECK(!eof);
	ATF_CHECK_EQ(10, read_chunk(f, BULK, bytes + BULK, &eof));
	ATF_CHECK(eof);
	finish();

	begin(tc, "");
	f = file_open("file", "r");
	for (have = 0, eof = 0; !eof; have += n) {
		n = read_chunk(f, BULK, bytes + have, &eof);
		ATF_CHECK(n <= 10 * MIB / 4 * 3);
		/* Not wastefully short. */
		ATF_CHECK(eof || n > 7 * MIB);
	}
	ATF_CHECK_EQ(BULK + 10, have);
	free(bytes);
	finish();
}

/* The other bulk that comes out, with the same bound. */
TEST(wide_exec, "16 MiB of each stream of a program fit a line of 68M")
{
	char request[128];
	const char *line;
	long long pid;
	size_t len;

	begin(tc, WIDE);
	pid = exec_start(&h, "\"path\": \"/bin/sh\", \"capture-output\": "
	    "true, \"arg\": [\"-c\", \"head -c 16777216 /dev/zero; "
	    "head -c 16777217 /dev/zero >&2\"]");
	snprintf(request, sizeof(request), "{\"execute\": "
	    "\"guest-exec-status\", \"arguments\": {\"pid\": %lld}}\n", pid);
	do {
		wire_say(&h, request);
		ATF_REQUIRE((line = wire_raw(&h, &len)) != NULL);
	} while (strcmp(line, "{\"return\": {\"exited\": false}}") == 0);
	/* In base64 16 MiB are 22369624 bytes, the last of them "==". */
	ATF_CHECK(strstr(line, "==\", \"err-data\": \"") != NULL);
	ATF_CHECK_STREQ("==\", \"exited\": true, \"exitcode\": 0, "
	    "\"out-truncated\": false, \"err-truncated\": true}}",
	    strstr(line + 22370000, "==\""));
	ATF_CHECK(len > 2 * 22369624 && len < 2 * 22369624 + 200);
	finish();
}

TEST(memory, "48 MiB out and in: the agent's memory is as before")
{
	long before, during;
	struct text t = { NULL, 0, 0 };
	long long f;
	int eof;

	need_proc();
	begin(tc, WIDE);
	random_bytes(BULK);
	text_add(&t, "{\"execute\": \"guest-file-write\", \"arguments\": "
	    "{\"handle\": 1000, \"buf-b64\": \"");
	text_base64(&t, bytes, 47 * MIB);
	text_add(&t, "\"}}\n");
	f = file_open("file", "w+");
	ATF_REQUIRE_EQ(1000, f);
	before = daemon_rss();
	/* All but the end: it holds the bytes decoded, and nothing else. */
	wire_send(&h, t.p, t.len - 10);
	do {
		during = daemon_rss();
		pause_ms(10);
	} while (during != daemon_rss());
	wire_send(&h, t.p + t.len - 10, 10);
	wire_expect(&h, "{\"return\": {\"count\": 49283072, "
	    "\"eof\": false}}");
	SAYS("{\"return\": {\"position\": 0, \"eof\": false}}", "seek",
	    "\"handle\": 1000, \"offset\": 0, \"whence\": 0");
	ATF_CHECK_EQ(47 * MIB, read_chunk(f, BULK, bytes, &eof));
	printf("kB: %ld before, %ld holding 47 MiB, %ld after\n", before,
	    during, daemon_rss());
	if (strcmp(atf_tc_get_config_var_wd(tc, "sanitized", "no"), "no") ==
	    0) {
		ATF_CHECK(during - before < 52 * 1024);
		ATF_CHECK(daemon_rss() - before < 2 * 1024);
	}
	text_free(&t);
	free(bytes);
	finish();
}

/* --- handles --- */

TEST(many, "64 handles; the next is refused, until one is closed")
{
	long long first, f, last = 0;
	int i;

	begin(tc, "");
	file_make("file", "text");
	first = file_open("file", "r");
	for (i = 1; i < MANY; i++, last = f)
		ATF_CHECK_EQ(first + i, f = file_open("file", "r"));
	ATF_CHECK_STREQ(GENERIC("guest-file-open: 64 files are open, the "
	    "bound is max-files = 64"), ask_open("file", "r"));
	SAYS("{\"return\": {\"buf-b64\": \"dGV4dA==\", \"count\": 4, "
	    "\"eof\": true}}", "read", "\"handle\": %lld", last);
	file_close(first);
	FAILS("handle '1000' has not been found", "read", "\"handle\": %lld",
	    first);
	/* A number is never given twice. */
	ATF_CHECK_EQ(first + MANY, file_open("file", "r"));
	finish();
}

TEST(restart, "numbers go on after a restart, whatever the file says")
{
	long long f;
	int i;

	for (i = 0; i < 3; i++) {
		begin(tc, "");
		f = file_open("/dev/null", "r");
		ATF_CHECK_EQ(1000 + i * 1048576LL, f);
		ATF_CHECK_EQ(f + 1, file_open("/dev/null", "r"));
		finish();
	}
	file_make("state/qgad.handles", "nonsense\n");
	begin(tc, "");
	ATF_CHECK_EQ(1000, file_open("/dev/null", "r"));
	finish();
	file_await(DAEMON_STDERR, "qgad.handles: number of a handle");
}

TEST(survives, "a handle outlives its client and the frontend")
{
	long long f, g;
	pid_t frontend;

	begin(tc, "");
	file_make("file", "abcdef");
	f = file_open("file", "r");
	g = file_open("made", "w");
	SAYS("{\"return\": {\"buf-b64\": \"YWJj\", \"count\": 3, "
	    "\"eof\": false}}", "read", "\"handle\": %lld, \"count\": 3", f);
	wire_close(&h);
	wire_connect(&h);
	SAYS("{\"return\": {\"buf-b64\": \"ZA==\", \"count\": 1, "
	    "\"eof\": false}}", "read", "\"handle\": %lld, \"count\": 1", f);
	frontend = daemon_child("frontend");
	ATF_REQUIRE(kill(frontend, SIGKILL) == 0);
	gone_await(frontend);
	wire_close(&h);
	wire_connect(&h);
	SAYS("{\"return\": {\"buf-b64\": \"ZWY=\", \"count\": 2, "
	    "\"eof\": true}}", "read", "\"handle\": %lld", f);
	SAYS("{\"return\": {\"count\": 3, \"eof\": false}}", "write",
	    "\"handle\": %lld, \"buf-b64\": \"YWJj\"", g);
	ATF_CHECK_STREQ("abc", contents("made"));
	finish();
	file_await(DAEMON_LOG, "end=\"the agent ended\"");
}

/* The frontend dies while a write and a read are under way. */
TEST(half_way, "what a frontend leaves half done is ended; the handle lives")
{
	struct text t = { NULL, 0, 0 };
	char request[256];
	long long f, g;
	pid_t frontend;
	size_t len;
	int i;

	begin(tc, WIDE "frontend-restarts = 1000\n");
	g = file_open("/dev/zero", "r");
	f = file_open("made", "w");
	for (i = 0; i < 5; i++) {
		snprintf(request, sizeof(request), "{\"execute\": "
		    "\"guest-file-read\", \"arguments\": {\"handle\": %lld, "
		    "\"count\": 50331648}}\n", g);
		wire_say(&h, request);
		/* Begun, and more than the sockets hold is still to come. */
		do {
			pause_ms(1);
			ATF_REQUIRE(recv(h.fd, request, 1, MSG_PEEK) != 0);
		} while (recv(h.fd, request, 1, MSG_PEEK) != 1);
		frontend = daemon_child("frontend");
		ATF_REQUIRE(kill(frontend, SIGKILL) == 0);
		gone_await(frontend);
		wire_close(&h);
		wire_connect(&h);
		SAYS("{\"return\": {\"buf-b64\": \"AA==\", \"count\": 1, "
		    "\"eof\": false}}", "read",
		    "\"handle\": %lld, \"count\": 1", g);
		SAYS("{\"return\": {\"count\": 1, \"eof\": false}}", "write",
		    "\"handle\": %lld, \"buf-b64\": \"Tg==\"", f);
	}
	ATF_CHECK_STREQ("NNNNN", contents("made"));
	/* So does the client, within its request. */
	text_add(&t, "{\"execute\": \"guest-file-write\", \"arguments\": "
	    "{\"handle\": %lld, \"buf-b64\": \"QUFB", f);
	wire_send(&h, t.p, t.len);
	len = t.len;
	text_free(&t);
	wire_close(&h);
	wire_connect(&h);
	wire_ask(&h, PING, PONG);
	ATF_CHECK(len > 0);
	ATF_CHECK_STREQ("NNNNN", contents("made"));
	finish();
}

TEST(worker_dies, "a worker's death ends its handle alone")
{
	long long f, g;
	pid_t worker;

	begin(tc, "");
	f = file_open("made", "w");
	worker = daemon_child("file");
	g = file_open("/dev/zero", "r");
	ATF_REQUIRE(kill(worker, SIGKILL) == 0);
	gone_await(worker);
	file_await(DAEMON_LOG, "end=\"the worker ended\"");
	FAILS("handle '1000' has not been found", "write",
	    "\"handle\": %lld, \"buf-b64\": \"Tg==\"", f);
	SAYS("{\"return\": {\"buf-b64\": \"AA==\", \"count\": 1, "
	    "\"eof\": false}}", "read", "\"handle\": %lld, \"count\": 1", g);
	finish();
}

/* --- what may not be --- */

TEST(blocked, "what is blocked is refused, and not done")
{
	long long f;

	begin(tc, "[general]\nblock-rpcs = guest-file-write\n");
	f = file_open("file", "w");
	ATF_CHECK_STREQ(ABSENT("Command guest-file-write has been disabled: "
	    "the command is not allowed"), ask("write",
	    "\"handle\": %lld, \"buf-b64\": \"Tg==\"", f));
	ATF_CHECK_STREQ("", contents("file"));
	file_close(f);
	finish();
	begin(tc, "[general]\nblock-rpcs = guest-file-open\n");
	ATF_CHECK_STREQ(ABSENT("Command guest-file-open has been disabled: "
	    "the command is not allowed"), ask_open("made", "w"));
	ATF_CHECK(!file_there("made"));
	file_await(DAEMON_LOG, "verdict=refused rule=block-rpcs");
	finish();
}

TEST(without_root, "without root nothing is opened")
{
	static const uid_t nobody = 65534;

	file_make("file", "text");
	ATF_REQUIRE(chmod("file", 0644) == 0);
	ATF_REQUIRE(chown(".", nobody, (gid_t)-1) == 0);
	daemon_as(nobody);
	begin(tc, "");
	ATF_CHECK_STREQ(ABSENT("Command guest-file-open has been disabled: "
	    "it needs root, which the agent was started without"),
	    ask_open("file", "r"));
	finish();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, operations);
	ATF_TP_ADD_TC(tp, all_modes);
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, bad_base64);
	ATF_TP_ADD_TC(tp, member_order);
	ATF_TP_ADD_TC(tp, odd_files);
	ATF_TP_ADD_TC(tp, split_write);
	ATF_TP_ADD_TC(tp, long_read);
	ATF_TP_ADD_TC(tp, wide_exec);
	ATF_TP_ADD_TC(tp, memory);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, restart);
	ATF_TP_ADD_TC(tp, survives);
	ATF_TP_ADD_TC(tp, half_way);
	ATF_TP_ADD_TC(tp, worker_dies);
	ATF_TP_ADD_TC(tp, blocked);
	ATF_TP_ADD_TC(tp, without_root);
	return (atf_no_error());
}
