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
 * Passwords as FreeBSD has them set, by pw(8): the same worker in one program
 * with the test, with a stand-in for the tool in the test's directory.
 */

#define ACCOUNT_PREFIX	"."
#define main		account_main
int	 account_main(int, char *[]);
#include "account.c"
#include "password.c"
#include "sshkeys.c"
#include "account-freebsd.c"
#undef main

#include <sys/socket.h>
#include <sys/stat.h>

#include <atf-c.h>

#include "driver.h"

_Static_assert(sizeof(ACCOUNT_PREFIX) == sizeof("."),
    "this test must not reach the real programs");

#define ID		11
#define SET(user, password, crypted) set(user, password,		\
    sizeof(password) - 1, crypted)

static const char *contents(const char *);
static void	 stand_in(const char *);
static const char *set(const char *, const void *, size_t, int);

static const char *
contents(const char *path)
{
	static char buf[8192];
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY)) == -1)
		return ("none");
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	ATF_REQUIRE(n >= 0);
	buf[n] = '\0';
	return (buf);
}

static void
stand_in(const char *script)
{
	int fd;

	(void)mkdir("usr", 0755);
	(void)mkdir("usr/sbin", 0755);
	(void)unlink("usr/sbin/pw");
	ATF_REQUIRE((fd = open("usr/sbin/pw", O_WRONLY | O_CREAT | O_EXCL,
	    0755)) != -1);
	ATF_REQUIRE(dprintf(fd, "#!/bin/sh\n%s\n", script) > 0);
	close(fd);
}

/* "" for success. */
static const char *
set(const char *user, const void *password, size_t len, int crypted)
{
	static char secret[MSG_SECRET_MAX + 64], text[MSG_TEXT_MAX];
	struct msg_password m = { ID, (uint32_t)crypted, 0, user };
	struct msg_done done;
	struct imsg imsg;
	struct worker w;
	int pair[2];

	(void)sodium_bin2base64(secret, sizeof(secret), password, len,
	    sodium_base64_VARIANT_ORIGINAL);
	m.secret = (uint32_t)strlen(secret);
	driver_call(&w, account_main, "-");
	driver_expect(&w, &imsg, MSG_HELLO);
	imsg_free(&imsg);
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ATF_REQUIRE_EQ(0, msg_send_password(&w.ib, &m, pair[1]));
	driver_flush(&w);
	ATF_REQUIRE_EQ((ssize_t)m.secret, write(pair[0], secret, m.secret));
	close(pair[0]);
	driver_expect(&w, &imsg, MSG_DONE);
	ATF_REQUIRE_EQ(0, msg_recv_done(&imsg, &done));
	ATF_CHECK_EQ(*done.text == '\0', done.ok);
	snprintf(text, sizeof(text), "%s", done.text);
	imsg_free(&imsg);
	ATF_CHECK_EQ(0, driver_wait(&w));
	driver_close(&w);
	return (text);
}

/* The name is an argument, the secret is none, and in no variable. */
ATF_TC_WITHOUT_HEAD(password);
ATF_TC_BODY(password, tc)
{
	(void)tc;
	stand_in("cat >got; echo \"$0\" \"$@\" >call; env >env");
	ATF_CHECK_STREQ("", SET("bob", "sec:ret", 0));
	ATF_CHECK_STREQ("sec:ret\n", contents("got"));
	ATF_CHECK_STREQ("./usr/sbin/pw usermod -n bob -h 0\n",
	    contents("call"));
	ATF_CHECK(strstr(contents("env"), "ret") == NULL);
	ATF_CHECK_STREQ("", SET("1001", "$6$salt$hash", 1));
	ATF_CHECK_STREQ("$6$salt$hash\n", contents("got"));
	ATF_CHECK_STREQ("./usr/sbin/pw usermod -n 1001 -H 0\n",
	    contents("call"));
	ATF_CHECK_STREQ("", SET("b o\"b", "x", 0));
	ATF_CHECK_STREQ("./usr/sbin/pw usermod -n b o\"b -h 0\n",
	    contents("call"));
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	static const char name[] = "forbidden characters in username";

	(void)tc;
	ATF_CHECK_STREQ(FAILED ": no tool for it is here",
	    SET("bob", "secret", 0));
	stand_in("cat >got");
	/* Nobody's name may become an option. */
	ATF_CHECK_STREQ(name, SET("-D", "secret", 0));
	ATF_CHECK_STREQ(name, SET("-", "secret", 1));
	ATF_CHECK_STREQ(name, SET("bob:x", "secret", 0));
	ATF_CHECK_STREQ("forbidden characters in raw password",
	    SET("bob", "x\ny", 0));
	ATF_CHECK_EQ(-1, access("got", F_OK));
	stand_in("cat >/dev/null; echo pw: no such user; exit 67");
	ATF_CHECK_STREQ(FAILED ": pw: no such user", SET("eve", "x", 0));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, password);
	ATF_TP_ADD_TC(tp, refused);
	return (atf_no_error());
}
