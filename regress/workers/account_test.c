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
 * qgad-account, its sources compiled in: every path is relative, so that it
 * finds no chpasswd(8) but the stand-ins that a test makes in its directory;
 * users are the test's own, with homes there; and the defences can be taken
 * away, for the controls.
 */

#include <sys/types.h>

#include <pwd.h>

#include "control.h"

static unsigned int defences_off;
static struct passwd *test_getpwnam(const char *);

#undef DEFENCE
#define DEFENCE(bit)	((defences_off & (bit)) == 0)
#define ACCOUNT_PREFIX	"."
#define getpwnam	test_getpwnam
#define main		account_main
int	 account_main(int, char *[]);
#include "account.c"
#include "password.c"
#include "sshkeys.c"
#include "account-linux.c"
#undef main
#undef getpwnam

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <linux/fs.h>

#include <atf-c.h>
#include <signal.h>
#include <time.h>

#include "driver.h"

_Static_assert(sizeof(ACCOUNT_PREFIX) == sizeof("."),
    "this test must not reach the real programs");

#define USER		64997	/* nobody is that, nor the other */
#define STRANGER	64998
#define KEYS		"home/.ssh/authorized_keys"
#define ID		11

#define ROOT_TC(name)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "require.user", "root");		\
	}								\
	ATF_TC_BODY(name, tc)

static int	 data_fd = -1;		/* the frontend's end */
static int	 worker_fd = -1;
static char	 cwd[PATH_MAX / 2];
static uid_t	 user_uid = USER;

static int	 with_data(int, char *[]);
static void	 make(const char *, const char *, mode_t, uid_t);
static void	 remake(const char *, const char *, mode_t, uid_t);
static const char *contents(const char *);
static void	 stand_in(const char *, const char *);
static void	 begin(struct worker *);
static const char *end(struct worker *);
static const char *set(const char *, const void *, size_t, int);
static const char *base64(const void *, size_t);
static void	 home(void);
static const char *ask(enum command_id, const char *, int, uint32_t,
		    const char *const *);
static const char *listed(void);
static const char *add_key(const char *);
static const char *remove_key(const char *);
static const char *says(const char *);
static void	 check_mode(const char *, mode_t);
static void	 racer(void) __attribute__((noreturn));
static int	 race(int64_t);
static const char *label(const char *);
static int64_t	 clock_ms(void);

static struct passwd *
test_getpwnam(const char *name)
{
	static char user[] = "bob", dir[PATH_MAX];
	static struct passwd pw;

	if (strcmp(name, "bob") != 0) {
		errno = 0;
		return (NULL);
	}
	snprintf(dir, sizeof(dir), "%s/home", cwd);
	memset(&pw, 0, sizeof(pw));
	pw.pw_name = user;
	pw.pw_uid = user_uid;
	pw.pw_gid = user_uid;
	pw.pw_dir = dir;
	return (&pw);
}

/* Descriptor 4 as the monitor leaves it to the worker. */
static int
with_data(int argc, char *argv[])
{
	if (worker_fd != -1 && dup2(worker_fd, CHILD_DATA_FD) == -1)
		_exit(98);
	return (account_main(argc, argv));
}

static int64_t
clock_ms(void)
{
	struct timespec ts;

	ATF_REQUIRE_EQ(0, clock_gettime(CLOCK_MONOTONIC, &ts));
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* --- files --- */

static void
make(const char *path, const char *text, mode_t mode, uid_t uid)
{
	size_t len = strlen(text);
	int fd;

	ATF_REQUIRE((fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)) !=
	    -1);
	ATF_REQUIRE_EQ((ssize_t)len, write(fd, text, len));
	ATF_REQUIRE_EQ(0, fchmod(fd, mode));
	ATF_REQUIRE_EQ(0, fchown(fd, uid, uid));
	close(fd);
}

static void
remake(const char *path, const char *text, mode_t mode, uid_t uid)
{
	if (unlink(path) == -1)
		ATF_REQUIRE_EQ(ENOENT, errno);
	make(path, text, mode, uid);
}

static const char *
contents(const char *path)
{
	static char buf[2 * FILE_MAX];
	size_t len = 0;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY)) == -1)
		return ("none");
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	buf[len] = '\0';
	return (buf);
}

static void
stand_in(const char *name, const char *script)
{
	char path[64], text[1024];

	(void)mkdir("usr", 0755);
	(void)mkdir("usr/sbin", 0755);
	(void)mkdir("sbin", 0755);
	(void)mkdir("bin", 0755);
	snprintf(path, sizeof(path), "%s", name);
	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	remake(path, text, 0755, geteuid());
}

/* --- orders --- */

static void
begin(struct worker *w)
{
	struct msg_hello hello;
	struct imsg imsg;

	ATF_REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	driver_call(w, with_data, "-");
	driver_expect(w, &imsg, MSG_HELLO);
	ATF_REQUIRE_EQ(0, msg_recv_hello(&imsg, &hello));
	ATF_CHECK_EQ(ROLE_ACCOUNT, hello.role);
	imsg_free(&imsg);
}

/* "" for success; the worker has then ended. */
static const char *
end(struct worker *w)
{
	static char text[MSG_TEXT_MAX];
	struct msg_done done;
	struct imsg imsg;

	driver_expect(w, &imsg, MSG_DONE);
	ATF_REQUIRE_EQ(0, msg_recv_done(&imsg, &done));
	ATF_CHECK_EQ(ID, done.id);
	ATF_CHECK_EQ(*done.text == '\0', done.ok);
	snprintf(text, sizeof(text), "%s", done.text);
	imsg_free(&imsg);
	ATF_CHECK_EQ(0, driver_wait(w));
	driver_close(w);
	return (text);
}

/* The text on the socket is given as it stands. */
static const char *
set(const char *user, const void *text, size_t len, int crypted)
{
	struct msg_password m = { ID, (uint32_t)crypted, (uint32_t)len, user };
	struct worker w;
	int pair[2] = { -1, -1 };

	begin(&w);
	if (len > 0)
		ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ATF_REQUIRE_EQ(0, msg_send_password(&w.ib, &m, pair[1]));
	driver_flush(&w);
	if (len > 0) {
		ATF_REQUIRE_EQ((ssize_t)len, write(pair[0], text, len));
		close(pair[0]);
	}
	return (end(&w));
}

static const char *
base64(const void *data, size_t n)
{
	static char text[MSG_SECRET_MAX + 64];

	return (sodium_bin2base64(text, sizeof(text), data, n,
	    sodium_base64_VARIANT_ORIGINAL));
}

#define SET(user, password, crypted) set(user,				\
    base64(password, sizeof(password) - 1),				\
    strlen(base64(password, sizeof(password) - 1)), crypted)

ATF_TC_WITHOUT_HEAD(password);
ATF_TC_BODY(password, tc)
{
	static char longest[MSG_USER_MAX], most[MSG_SECRET_MAX / 4 * 3],
	    want[8192];
	static const char lines[] = "c2Vj\ncmV0\r\n", pad[] = "YQ==\n";

	(void)tc;
	stand_in("usr/sbin/chpasswd", "cat >got; echo \"$0\" \"$@\" >call");
	ATF_CHECK_STREQ("", SET("bob", "secret", 0));
	ATF_CHECK_STREQ("bob:secret\n", contents("got"));
	ATF_CHECK_STREQ("./usr/sbin/chpasswd\n", contents("call"));
	ATF_CHECK_STREQ("", SET("bob", "$6$salt$hash", 1));
	ATF_CHECK_STREQ("bob:$6$salt$hash\n", contents("got"));
	ATF_CHECK_STREQ("./usr/sbin/chpasswd -e\n", contents("call"));
	/* A colon is like any other byte of a password, as is no UTF-8. */
	ATF_CHECK_STREQ("", SET("-root", "a:b \\ \xff'\"$x", 0));
	ATF_CHECK_STREQ("-root:a:b \\ \xff'\"$x\n", contents("got"));
	/* Base64 in lines, as Proxmox VE has it. */
	ATF_CHECK_STREQ("", set("bob", lines, sizeof(lines) - 1, 0));
	ATF_CHECK_STREQ("bob:secret\n", contents("got"));
	ATF_CHECK_STREQ("", set("bob", pad, sizeof(pad) - 1, 0));
	ATF_CHECK_STREQ("bob:a\n", contents("got"));
	/* None at all, which the tool may refuse. */
	ATF_CHECK_STREQ("", set("bob", "", 0, 0));
	ATF_CHECK_STREQ("bob:\n", contents("got"));
	/* The longest of all. */
	memset(longest, 'u', sizeof(longest) - 1);
	memset(most, 'p', sizeof(most));
	ATF_CHECK_EQ(MSG_SECRET_MAX, strlen(base64(most, sizeof(most))));
	ATF_CHECK_STREQ("", set(longest, base64(most, sizeof(most)),
	    MSG_SECRET_MAX, 0));
	snprintf(want, sizeof(want), "%s:%.*s\n", longest, (int)sizeof(most),
	    most);
	ATF_CHECK_STREQ(want, contents("got"));
}

ATF_TC_WITHOUT_HEAD(places);
ATF_TC_BODY(places, tc)
{
	static const char log[] = "cat >/dev/null; echo \"$0\" \"$@\"; exit 1";
	static const char *const paths[] = {
		"bin/busybox", "bin/chpasswd", "sbin/chpasswd",
		"usr/sbin/chpasswd"
	};
	char want[128];
	size_t i;

	(void)tc;
	ATF_CHECK_STREQ(FAILED ": no tool for it is here",
	    SET("bob", "secret", 0));
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		stand_in(paths[i], log);
		snprintf(want, sizeof(want), FAILED ": ./%s%s", paths[i],
		    i == 0 ? " chpasswd" : "");
		ATF_CHECK_STREQ(want, SET("bob", "secret", 0));
		strlcat(want, " -e", sizeof(want));
		ATF_CHECK_STREQ(want, SET("bob", "secret", 1));
	}
}

ATF_TC_WITHOUT_HEAD(forbidden);
ATF_TC_BODY(forbidden, tc)
{
	static const char raw[] = "forbidden characters in raw password",
	    name[] = "forbidden characters in username",
	    bad[] = "Base64 data contains invalid characters";
	static const char *const broken[] = {
		"c2Vjc", "c2VjcmV", "c2Vj*mV0", "=", "====", "Y===",
		"c2VjcmV0=", "YQ==YQ==", "c2Vj cmV0", "c2Vj-_V0"
	};
	size_t i;

	(void)tc;
	stand_in("usr/sbin/chpasswd", "cat >got");
	ATF_CHECK_STREQ(raw, SET("bob", "x\nroot:y", 0));
	ATF_CHECK_STREQ(raw, SET("bob", "x\n", 1));
	ATF_CHECK_STREQ(raw, SET("bob", "x\0y", 0));
	ATF_CHECK_STREQ(raw, SET("bob", "hash:0:0", 1));
	ATF_CHECK_STREQ(name, SET("bob:x", "secret", 0));
	ATF_CHECK_STREQ(name, SET("bob:x\nroot", "secret", 1));
	ATF_CHECK_STREQ(name, SET("\n", "secret", 0));
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		ATF_CHECK_STREQ(bad, set("bob", broken[i], strlen(broken[i]),
		    0));
	ATF_CHECK_EQ(-1, access("got", F_OK));
}

ATF_TC_WITHOUT_HEAD(password_fails);
ATF_TC_BODY(password_fails, tc)
{
	(void)tc;
	stand_in("usr/sbin/chpasswd", "exit 3");
	ATF_CHECK_STREQ(FAILED ": exit status 3", SET("bob", "secret", 0));
	stand_in("usr/sbin/chpasswd", "kill -9 $$");
	ATF_CHECK_STREQ(FAILED ": terminated by signal 9",
	    SET("bob", "secret", 0));
	stand_in("usr/sbin/chpasswd", "cat >/dev/null; echo said; exit 0");
	ATF_CHECK_STREQ("", SET("bob", "secret", 0));
	stand_in("usr/sbin/chpasswd",
	    "echo \"chpasswd: line 1: user 'bob' does not exist\" >&2\n"
	    "echo 'chpasswd: error detected, changes ignored' >&2; exit 1");
	ATF_CHECK_STREQ(FAILED ": chpasswd: line 1: user 'bob' does not exist "
	    "chpasswd: error detected, changes ignored",
	    SET("bob", "secret", 0));
}

ATF_TC_WITHOUT_HEAD(view);
ATF_TC_BODY(view, tc)
{
	(void)tc;
	ATF_REQUIRE_EQ(0, setenv("QGAD_TEST", "secret", 1));
	stand_in("usr/sbin/chpasswd", "exec 2>&1 >seen; cat; /usr/bin/env |"
	    "grep -v ^PWD= | sort; umask; ulimit -c;"
	    "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t';"
	    "read -r a b c d e f g </proc/$$/stat;"
	    "test \"$f\" = $$ && echo leader;"
	    "for i in 3 4 5 6 7 8 9; do"
	    " test -e /proc/$$/fd/$i && echo fd $i; done; exit 0");
	ATF_CHECK_STREQ("", SET("bob", "x", 0));
	ATF_CHECK_STREQ("bob:x\nLC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
	    "0022\n0\nSigBlk:0000000000000000\nSigIgn:0000000000000000\n"
	    "leader\n", contents("seen"));
}

/* It is told to end, then made to; what it has left does not matter. */
ATF_TC_WITHOUT_HEAD(limit);
ATF_TC_BODY(limit, tc)
{
	static const char *const argv[] = { "./bin/tool", NULL };
	struct tool t = { .argv = argv, .input = -1, .limit = 300 };
	struct imsgbuf ib;
	char text[256];
	int pair[2];

	(void)tc;
	tool_init();
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ATF_REQUIRE_EQ(0, imsgbuf_init(&ib, pair[0]));
	stand_in("bin/tool", "trap 'echo term >>told' TERM;"
	    "while :; do sleep 0.1; done");
	tool_run(&t, &ib);
	ATF_CHECK(t.late && !t.gone);
	tool_explain(&t, "failed", text, sizeof(text));
	ATF_CHECK_STREQ("failed: ./bin/tool did not end within 0 seconds",
	    text);
	ATF_CHECK_STREQ("term\n", contents("told"));
	/* The monitor goes: it is seen through, and nobody hears of it. */
	t.limit = 60000;
	stand_in("bin/tool", "sleep 1; >done");
	close(pair[1]);
	tool_run(&t, &ib);
	ATF_CHECK(t.gone && !t.late);
	ATF_CHECK_EQ(0, t.end.code);
	ATF_CHECK_EQ(0, access("done", F_OK));
}

ATF_TC_WITHOUT_HEAD(broken_orders);
ATF_TC_BODY(broken_orders, tc)
{
	struct msg_password m = { ID, 0, 8, "bob" };
	struct msg_shutdown down = { ID, SHUTDOWN_HALT };
	struct msg_ssh_keys keys = { .id = ID, .username = "bob",
	    .command = CMD_GUEST_SET_USER_PASSWORD };
	struct worker w;
	struct imsg imsg;
	int pair[2];

	(void)tc;
	stand_in("usr/sbin/chpasswd", "cat >got");
	/* No socket; one that ends too soon; other messages. */
	begin(&w);
	ATF_REQUIRE_EQ(0, msg_send_password(&w.ib, &m, -1));
	driver_flush(&w);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	begin(&w);
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ATF_REQUIRE_EQ(4, write(pair[0], "c2Vj", 4));
	ATF_REQUIRE_EQ(0, msg_send_password(&w.ib, &m, pair[1]));
	driver_flush(&w);
	close(pair[0]);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	begin(&w);
	ATF_REQUIRE_EQ(0, msg_send_shutdown(&w.ib, &down));
	driver_flush(&w);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	begin(&w);
	ATF_REQUIRE_EQ(0, msg_send_ssh_keys(&w.ib, &keys));
	driver_flush(&w);
	ATF_CHECK_EQ(0, driver_get(&w, &imsg));
	ATF_CHECK_EQ(1, driver_wait(&w));
	/* The monitor goes while the secret is waited for. */
	begin(&w);
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ATF_REQUIRE_EQ(0, msg_send_password(&w.ib, &m, pair[1]));
	driver_flush(&w);
	driver_close(&w);
	ATF_CHECK_EQ(0, driver_wait(&w));
	close(pair[0]);
	ATF_CHECK_EQ(-1, access("got", F_OK));
}

/* --- keys --- */

/* A home with nothing in it. */
static void
home(void)
{
	ATF_REQUIRE_EQ(0, chmod(".", 0755));
	ATF_REQUIRE_EQ(0, mkdir("home", 0755));
	ATF_REQUIRE_EQ(0, chown("home", user_uid, user_uid));
}

static const char *
ask(enum command_id command, const char *user, int reset, uint32_t n,
    const char *const *keys)
{
	struct msg_ssh_keys m = { ID, command, (uint32_t)reset, user, n,
	    (char **)(uintptr_t)keys };
	struct worker w;

	begin(&w);
	ATF_REQUIRE_EQ(0, msg_send_ssh_keys(&w.ib, &m));
	driver_flush(&w);
	return (end(&w));
}

/* The keys, each with a bar behind it, or the error's text. */
static const char *
listed(void)
{
	static char text[2 * FILE_MAX];
	static unsigned char bytes[2 * FILE_MAX];
	unsigned char header[FRAME_HEADER];
	struct msg_ssh_keys m = { .id = ID, .username = "bob",
	    .command = CMD_GUEST_SSH_GET_AUTHORIZED_KEYS };
	struct value_reader r;
	struct value_item item;
	struct worker w;
	struct frame f;
	size_t have, len = 0;
	ssize_t n;
	int pair[2];

	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	worker_fd = pair[1];
	data_fd = pair[0];
	begin(&w);
	close(worker_fd);
	worker_fd = -1;
	ATF_REQUIRE_EQ(0, msg_send_ssh_keys(&w.ib, &m));
	driver_flush(&w);
	ATF_REQUIRE_EQ(sizeof(header), (size_t)recv(data_fd, header,
	    sizeof(header), MSG_WAITALL));
	ATF_REQUIRE_EQ(0, frame_decode(header, &f));
	ATF_REQUIRE(f.len < sizeof(bytes));
	ATF_CHECK_EQ(ID, f.id);
	for (have = 0; have < f.len; have += (size_t)n)
		ATF_REQUIRE((n = read(data_fd, bytes + have,
		    f.len - have)) > 0);
	ATF_CHECK_EQ(0, read(data_fd, header, 1));
	close(data_fd);
	bytes[have] = '\0';
	if (f.kind == FRAME_ERROR) {
		ATF_CHECK_STREQ((char *)bytes, end(&w));
		return ((char *)bytes);
	}
	ATF_CHECK_STREQ("", end(&w));
	value_read(&r, bytes, have);
	while (value_next(&r, &item) == 1)
		if (item.type == VALUE_STR)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%.*s|", (int)item.len, item.str);
	text[len] = '\0';
	ATF_CHECK_EQ(0, r.error);
	return (text);
}

static const char *
add_key(const char *key)
{
	return (ask(CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS, "bob", 0, 1, &key));
}

static const char *
remove_key(const char *key)
{
	return (ask(CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS, "bob", 0, 1, &key));
}

/* What a text says with the test's directory in it. */
static const char *
says(const char *fmt)
{
	static char text[MSG_TEXT_MAX];
	const char *at = strchr(fmt, '@');

	ATF_REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	snprintf(text, sizeof(text), "%.*s%s/home%s", (int)(at - fmt), fmt,
	    cwd, at + 1);
	return (text);
}

static void
check_mode(const char *path, mode_t mode)
{
	struct stat st;

	ATF_REQUIRE_EQ_MSG(0, lstat(path, &st), "%s", path);
	ATF_CHECK_EQ_MSG(mode, st.st_mode & 07777, "%s: mode %o", path,
	    (unsigned int)st.st_mode);
	ATF_CHECK_EQ_MSG(user_uid, st.st_uid, "%s: uid %u", path,
	    (unsigned int)st.st_uid);
	ATF_CHECK_EQ_MSG(user_uid, st.st_gid, "%s: gid %u", path,
	    (unsigned int)st.st_gid);
}

#define A "ssh-ed25519 AAAA a@host"
#define B "command=\"/bin/x \\\"y\\\"\",no-pty ssh-rsa BBBB b"
#define C "ssh-rsa CCCC"

ROOT_TC(keys)
{
	static const char *const abc[] = { A, B, C, A }, *const ca[] = { C, A };

	(void)tc;
	home();
	ATF_CHECK_STREQ(says("failed to read '@/.ssh/authorized_keys': No such "
	    "file or directory"), listed());
	ATF_CHECK_STREQ("", remove_key(A));
	ATF_CHECK_EQ(-1, access("home/.ssh", F_OK));

	ATF_CHECK_STREQ("", add_key(A));
	check_mode("home/.ssh", 0700);
	check_mode(KEYS, 0600);
	ATF_CHECK_STREQ(A "\n", contents(KEYS));
	ATF_CHECK_STREQ(A "|", listed());
	/* Each once, in order; nothing else in the directory. */
	ATF_CHECK_STREQ("", ask(CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS, "bob", 0,
	    4, abc));
	ATF_CHECK_STREQ(A "\n" B "\n" C "\n", contents(KEYS));
	ATF_CHECK_STREQ(A "|" B "|" C "|", listed());
	ATF_CHECK_STREQ("", remove_key(B));
	ATF_CHECK_STREQ(A "\n" C "\n", contents(KEYS));
	ATF_CHECK_STREQ("", remove_key("ssh-rsa CCC"));	/* part of one */
	ATF_CHECK_STREQ(A "\n" C "\n", contents(KEYS));
	ATF_CHECK_STREQ("", ask(CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS, "bob", 1,
	    1, abc + 1));
	ATF_CHECK_STREQ(B "\n", contents(KEYS));
	check_mode(KEYS, 0600);
	ATF_CHECK_STREQ("", ask(CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS, "bob", 1,
	    0, abc));
	ATF_CHECK_STREQ("", contents(KEYS));
	ATF_CHECK_STREQ("", listed());

	/* What somebody wrote stays: comments, order, space, ends. */
	remake(KEYS, "# mine\n\n  " A "\r\n#" C "\n" C "\t\nodd", 0644, USER);
	ATF_CHECK_STREQ(A "|" C "|odd|", listed());
	ATF_CHECK_STREQ("", ask(CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS, "bob", 0,
	    2, ca));
	ATF_CHECK_STREQ("# mine\n\n  " A "\r\n#" C "\n" C "\t\nodd",
	    contents(KEYS));
	check_mode(KEYS, 0644);			/* nothing had to be done */
	ATF_CHECK_STREQ("", add_key(B));
	ATF_CHECK_STREQ("# mine\n\n  " A "\r\n#" C "\n" C "\t\nodd\n" B "\n",
	    contents(KEYS));
	check_mode(KEYS, 0600);
	ATF_CHECK_STREQ("", ask(CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS, "bob",
	    0, 2, ca));
	ATF_CHECK_STREQ("# mine\n\n#" C "\nodd\n" B "\n", contents(KEYS));
	ATF_REQUIRE_EQ(0, unlink(KEYS));
	ATF_REQUIRE_EQ(0, rmdir("home/.ssh"));	/* it is empty */
}

ROOT_TC(bad_keys)
{
	static char big[VALUE_STRING + 2], text[FILE_MAX + 64];
	static const char *many[MSG_KEYS_MAX];
	char want[256];
	size_t i;

	(void)tc;
	home();
	ATF_CHECK_STREQ("failed to lookup user 'carol': Success",
	    ask(CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS, "carol", 0, 0, many));
	ATF_CHECK_STREQ("failed to lookup user '': Success",
	    ask(CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS, "", 0, 0, many));
	ATF_CHECK_STREQ("invalid OpenSSH public key: '#" A "'",
	    add_key("#" A));
	ATF_CHECK_STREQ("invalid OpenSSH public key: '" A "\n" B "'",
	    add_key(A "\n" B));
	ATF_CHECK_STREQ("invalid OpenSSH public key: '\n'", remove_key("\n"));
	memset(big, 'k', VALUE_STRING + 1);
	snprintf(want, sizeof(want), "invalid OpenSSH public key: longer than "
	    "%d bytes", VALUE_STRING);
	ATF_CHECK_STREQ(want, add_key(big));
	ATF_CHECK_EQ(-1, access("home/.ssh", F_OK));
	/* Empty ones are none, and one of the greatest length is one. */
	big[VALUE_STRING] = '\0';
	ATF_CHECK_STREQ("", add_key(" \t"));
	ATF_CHECK_STREQ("", contents(KEYS));
	ATF_CHECK_STREQ("", add_key(big));
	ATF_CHECK_EQ(VALUE_STRING + 1, strlen(contents(KEYS)));
	ATF_CHECK_EQ(VALUE_STRING + 1, strlen(listed()));

	/* The most at once, and a file of exactly the greatest size. */
	for (i = 0; i < MSG_KEYS_MAX; i++) {
		char *key = malloc(32);

		ATF_REQUIRE(key != NULL);
		snprintf(key, 32, "ssh-rsa %zu", i);
		many[i] = key;
	}
	ATF_CHECK_STREQ("", ask(CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS, "bob", 1,
	    MSG_KEYS_MAX, many));
	ATF_CHECK(strncmp(contents(KEYS), "ssh-rsa 0\nssh-rsa 1\n", 20) == 0);
	ATF_CHECK_STREQ("", ask(CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS, "bob",
	    0, MSG_KEYS_MAX - 1, many));
	snprintf(want, sizeof(want), "%s\n", many[MSG_KEYS_MAX - 1]);
	ATF_CHECK_STREQ(want, contents(KEYS));
	memset(text, '\n', FILE_MAX - 2);
	text[FILE_MAX - 2] = '\0';
	remake(KEYS, text, 0600, USER);
	ATF_CHECK_STREQ("", add_key("k"));
	ATF_CHECK_EQ(FILE_MAX, strlen(contents(KEYS)));
	ATF_CHECK_STREQ("k|", listed());
	snprintf(want, sizeof(want), "': larger than %d bytes", FILE_MAX);
	ATF_CHECK(strstr(add_key("j"), want) != NULL);
	ATF_CHECK_EQ(FILE_MAX, strlen(contents(KEYS)));
	memset(text, 'x', FILE_MAX + 1);
	text[FILE_MAX + 1] = '\0';
	remake(KEYS, text, 0600, USER);
	ATF_CHECK(strstr(listed(), want) != NULL);
	ATF_CHECK(strstr(remove_key("x"), want) != NULL);
	/* A line that the value cannot hold is said to be too long. */
	text[VALUE_STRING + 1] = '\0';
	remake(KEYS, text, 0600, USER);
	ATF_CHECK(strstr(listed(), "a line is longer than") != NULL);
}

/* Whatever the user has put there: what is said, and nothing is touched. */
ROOT_TC(hostile_file)
{
	static const char read[] = "failed to read '@/.ssh/authorized_keys': ";
	char want[256];
	struct stat st;

	(void)tc;
	home();
	make("root-only", "root's\n", 0600, 0);
	ATF_REQUIRE_EQ(0, mkdir("home/.ssh", 0700));
	ATF_REQUIRE_EQ(0, chown("home/.ssh", USER, USER));

#define REFUSED(why) do {						\
	snprintf(want, sizeof(want), "%s%s", read, why);		\
	ATF_CHECK_STREQ(says(want), listed());				\
	ATF_CHECK_STREQ(says(want), add_key(A));			\
	ATF_CHECK_STREQ(says(want), remove_key(A));			\
	ATF_CHECK_STREQ(says(want), ask(				\
	    CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS, "bob", 1, 0, NULL));	\
} while (0)
	ATF_REQUIRE_EQ(0, symlink("../../root-only", KEYS));
	REFUSED("a symbolic link, which is not followed");
	ATF_CHECK_EQ(0, lstat(KEYS, &st));
	ATF_CHECK(S_ISLNK(st.st_mode));
	ATF_REQUIRE_EQ(0, unlink(KEYS));
	ATF_REQUIRE_EQ(0, symlink("nowhere", KEYS));
	REFUSED("a symbolic link, which is not followed");
	ATF_CHECK_EQ(-1, access("home/.ssh/nowhere", F_OK));

	/* Another name of root's file; of his own. */
	ATF_REQUIRE_EQ(0, unlink(KEYS));
	ATF_REQUIRE_EQ(0, link("root-only", KEYS));
	REFUSED("Permission denied");
	ATF_REQUIRE_EQ(0, chmod("root-only", 0644));
	REFUSED("it belongs to another user");
	ATF_REQUIRE_EQ(0, unlink(KEYS));
	make("home/mine", A "\n", 0600, USER);
	ATF_REQUIRE_EQ(0, link("home/mine", KEYS));
	REFUSED("it has more than one name");
	ATF_CHECK_STREQ(A "\n", contents("home/mine"));

	ATF_REQUIRE_EQ(0, unlink(KEYS));
	ATF_REQUIRE_EQ(0, mkfifo(KEYS, 0600));
	ATF_REQUIRE_EQ(0, chown(KEYS, USER, USER));
	REFUSED("not a regular file");
	ATF_REQUIRE_EQ(0, unlink(KEYS));
	ATF_REQUIRE_EQ(0, mkdir(KEYS, 0700));
	ATF_REQUIRE_EQ(0, chown(KEYS, USER, USER));
	REFUSED("not a regular file");
	ATF_REQUIRE_EQ(0, rmdir(KEYS));
	make(KEYS, A "\n", 0644, STRANGER);
	REFUSED("it belongs to another user");
	ATF_CHECK_STREQ(A "\n", contents(KEYS));
	ATF_CHECK_STREQ("root's\n", contents("root-only"));
	remake(KEYS, A "\n", 0000, USER);
	REFUSED("Permission denied");
}

ROOT_TC(hostile_directory)
{
	static const char dir[] = "failed to open '@/.ssh': ";
	char want[256];

	(void)tc;
	home();
	ATF_REQUIRE_EQ(0, mkdir("etc", 0755));
	make("etc/authorized_keys", "root's\n", 0644, 0);

#define REFUSED_DIR(why) do {						\
	snprintf(want, sizeof(want), "%s%s", dir, why);			\
	ATF_CHECK_STREQ(says(want), listed());				\
	ATF_CHECK_STREQ(says(want), add_key(A));			\
	ATF_CHECK_STREQ(says(want), remove_key(A));			\
} while (0)
	ATF_REQUIRE_EQ(0, symlink("../etc", "home/.ssh"));
	REFUSED_DIR("a symbolic link, which is not followed");
	ATF_REQUIRE_EQ(0, unlink("home/.ssh"));
	make("home/.ssh", "", 0700, USER);
	REFUSED_DIR("Not a directory");
	ATF_REQUIRE_EQ(0, unlink("home/.ssh"));
	ATF_REQUIRE_EQ(0, rename("etc", "home/.ssh"));
	REFUSED_DIR("it belongs to uid 0");
	ATF_REQUIRE_EQ(0, rename("home/.ssh", "etc"));
	ATF_CHECK_STREQ("root's\n", contents("etc/authorized_keys"));

	/* One that others may write is taken back. */
	ATF_REQUIRE_EQ(0, mkdir("home/.ssh", 0700));
	ATF_REQUIRE_EQ(0, chown("home/.ssh", USER, USER));
	ATF_REQUIRE_EQ(0, chmod("home/.ssh", 0777));
	ATF_CHECK_STREQ("", remove_key(A));
	check_mode("home/.ssh", 0777);
	ATF_CHECK_STREQ("", add_key(A));
	check_mode("home/.ssh", 0700);
	ATF_REQUIRE_EQ(0, chmod("home/.ssh", 0755));
	ATF_CHECK_STREQ("", add_key(B));
	check_mode("home/.ssh", 0755);
	ATF_CHECK_STREQ(A "\n" B "\n", contents(KEYS));
	/* One without room for a new file: the old one stays whole. */
	ATF_REQUIRE_EQ(0, chmod("home/.ssh", 0500));
	ATF_CHECK_STREQ(says("failed to write to '@/.ssh/authorized_keys': "
	    "Permission denied"), add_key(C));
	ATF_CHECK_STREQ(A "\n" B "\n", contents(KEYS));

	/* A home that is another's, a link, or not there. */
	ATF_REQUIRE_EQ(0, rename("home", "other"));
	ATF_REQUIRE_EQ(0, mkdir("home", 0755));
	ATF_CHECK_STREQ(says("failed to create directory '@/.ssh': "
	    "Permission denied"), add_key(A));
	ATF_CHECK_STREQ("", remove_key(A));
	ATF_REQUIRE_EQ(0, rmdir("home"));
	ATF_CHECK_STREQ(says("failed to open '@': No such file or directory"),
	    add_key(A));
	ATF_CHECK_STREQ("", remove_key(A));
	ATF_CHECK_STREQ(says("failed to read '@/.ssh/authorized_keys': No "
	    "such file or directory"), listed());
	ATF_REQUIRE_EQ(0, symlink("other", "home"));
	ATF_CHECK_STREQ(says("failed to open '@': a symbolic link, which is "
	    "not followed"), add_key(A));
}

ROOT_TC(immutable)
{
	int fd, flags = FS_IMMUTABLE_FL, none = 0;

	(void)tc;
	home();
	ATF_CHECK_STREQ("", add_key(A));
	ATF_REQUIRE((fd = open(KEYS, O_RDONLY)) != -1);
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) == -1)
		atf_tc_skip("no immutable files here: %s", strerror(errno));
	ATF_CHECK_STREQ(A "|", listed());
	ATF_CHECK_STREQ("", add_key(A));	/* it is there */
	ATF_CHECK_STREQ(says("failed to write to '@/.ssh/authorized_keys': "
	    "Operation not permitted"), add_key(B));
	ATF_CHECK_STREQ(says("failed to write to '@/.ssh/authorized_keys': "
	    "Operation not permitted"), remove_key(A));
	ATF_CHECK_EQ(0, ioctl(fd, FS_IOC_SETFLAGS, &none));
	close(fd);
	ATF_CHECK_STREQ(A "|", listed());
	/* The new file is gone again. */
	ATF_REQUIRE_EQ(0, unlink(KEYS));
	ATF_CHECK_EQ(0, rmdir("home/.ssh"));
}

/*
 * The user puts a link to root's directory where his own was, and back, and
 * the same with the file, as fast as he can.
 */
static void
racer(void)
{
	char old[32];
	unsigned int n;

	if (setgid(USER) == -1 || setuid(USER) == -1 || chdir("home") == -1)
		_exit(97);
	for (n = 0;; n++) {
		/* Each step may fail, as things are while two are at it. */
		(void)mkdir(".ssh", 0700);
		if (symlink("../../etc/shadow", ".ssh/authorized_keys") == 0)
			(void)rename(".ssh/authorized_keys", ".ssh/k");
		(void)unlink(".ssh/k");
		(void)rename(".ssh", "real");
		if (symlink("../etc", ".ssh") == 0) {
			/* Now shorter than a look takes, now longer. */
			if (n % 32 == 0)
				(void)poll(NULL, 0, 1);
			(void)unlink(".ssh");
		}
		if (rename("real", ".ssh") == -1) {
			snprintf(old, sizeof(old), "old%u", n);
			(void)rename("real", old);
		}
	}
}

/* How often something was read or written that is root's. */
static int
race(int64_t ms)
{
	int64_t until = clock_ms() + ms;
	int added = 0, gained = 0, asked = 0;
	pid_t pid;

	home();
	ATF_REQUIRE_EQ(0, mkdir("etc", 0755));
	make("etc/shadow", "root's\n", 0600, 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0)
		racer();
	do {
		added += *add_key(A) == '\0';
		gained += strstr(listed(), "root's|") != NULL;
		if (access("etc/authorized_keys", F_OK) == 0) {
			gained++;
			ATF_REQUIRE_EQ(0, unlink("etc/authorized_keys"));
		}
		asked++;
	} while (clock_ms() < until && (gained == 0 || defences_off == 0));
	ATF_CHECK_EQ(0, kill(pid, SIGKILL));
	ATF_CHECK_EQ(pid, waitpid(pid, NULL, 0));
	printf("%d of %d added, %d gained\n", added, asked, gained);
	ATF_CHECK_STREQ("root's\n", contents("etc/shadow"));
	ATF_REQUIRE_EQ(0, unlink("etc/shadow"));
	if (defences_off == 0)
		ATF_CHECK_EQ(0, rmdir("etc"));	/* nothing else is in it */
	return (gained);
}

ROOT_TC(hostile_user)
{
	(void)tc;
	ATF_CHECK_EQ(0, race(10000));
}

ROOT_TC(hostile_user_control)
{
	(void)tc;
	defences_off = CONTROL_SSHKEYS;
	ATF_CHECK_MSG(race(60000) > 0, "the race is lost without defences");
}

/* The worker has become the user before it opens anything of his. */
ROOT_TC(as_the_user)
{
	(void)tc;
	home();
	ATF_REQUIRE_EQ(0, mkdir("home/.ssh", 0700));
	make(KEYS, A "\n", 0600, 0);
	/* Root could read it, and write there. */
	ATF_CHECK_STREQ(says("failed to open '@/.ssh': Permission denied"),
	    add_key(B));
	defences_off = CONTROL_SSHKEYS;
	ATF_CHECK_STREQ("", add_key(B));
	ATF_CHECK_STREQ(A "\n" B "\n", contents(KEYS));
	ATF_CHECK_STREQ(A "|" B "|", listed());
}

static const char *
label(const char *path)
{
	static char text[LABEL_MAX + 1];
	ssize_t n;

	n = getxattr(path, LABEL, text, LABEL_MAX);
	text[n < 0 ? 0 : n] = '\0';
	return (text);
}

/* Where SELinux is: root's own keys, for labels are for root alone here. */
ROOT_TC(labels)
{
	static const char of_home[] = "system_u:object_r:admin_home_t:s0:c1,c2",
	    other[] = "staff_u:object_r:other_t:s0";

	(void)tc;
	user_uid = 0;
	home();
	if (setxattr("home", LABEL, of_home, sizeof(of_home), 0) == -1)
		atf_tc_skip("no labels here: %s", strerror(errno));
	ATF_CHECK_STREQ("", add_key(A));
	ATF_CHECK_STREQ("", label("home/.ssh"));
	ATF_REQUIRE_EQ(0, mkdir("sys", 0755));
	ATF_REQUIRE_EQ(0, mkdir("sys/fs", 0755));
	ATF_REQUIRE_EQ(0, mkdir("sys/fs/selinux", 0755));
	make("sys/fs/selinux/enforce", "1", 0644, 0);
	ATF_REQUIRE_EQ(0, unlink(KEYS));
	ATF_REQUIRE_EQ(0, rmdir("home/.ssh"));
	ATF_CHECK_STREQ("", add_key(A));
	ATF_CHECK_STREQ("system_u:object_r:ssh_home_t:s0:c1,c2",
	    label("home/.ssh"));
	ATF_CHECK_STREQ("system_u:object_r:ssh_home_t:s0:c1,c2", label(KEYS));
	ATF_REQUIRE_EQ(0, setxattr(KEYS, LABEL, other, sizeof(other), 0));
	ATF_CHECK_STREQ("", add_key(B));
	ATF_CHECK_STREQ(other, label(KEYS));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, password);
	ATF_TP_ADD_TC(tp, places);
	ATF_TP_ADD_TC(tp, forbidden);
	ATF_TP_ADD_TC(tp, password_fails);
	ATF_TP_ADD_TC(tp, view);
	ATF_TP_ADD_TC(tp, limit);
	ATF_TP_ADD_TC(tp, broken_orders);
	ATF_TP_ADD_TC(tp, keys);
	ATF_TP_ADD_TC(tp, bad_keys);
	ATF_TP_ADD_TC(tp, hostile_file);
	ATF_TP_ADD_TC(tp, hostile_directory);
	ATF_TP_ADD_TC(tp, immutable);
	ATF_TP_ADD_TC(tp, hostile_user);
	ATF_TP_ADD_TC(tp, hostile_user_control);
	ATF_TP_ADD_TC(tp, as_the_user);
	ATF_TP_ADD_TC(tp, labels);
	return (atf_no_error());
}
