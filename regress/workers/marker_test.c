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


/* The marker of a freeze: what is written is read, the rest is refused. */

#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "freeze.h"

#define NAME	"./qgad.frozen"

static void
put(const char *text)
{
	FILE *f;

	(void)unlink(NAME);
	ATF_REQUIRE((f = fopen(NAME, "w")) != NULL);
	ATF_REQUIRE(fputs(text, f) >= 0);
	ATF_REQUIRE_EQ(0, fclose(f));
	ATF_REQUIRE_EQ(0, chmod(NAME, 0600));
}

ATF_TC_WITHOUT_HEAD(roundtrip);
ATF_TC_BODY(roundtrip, tc)
{
	char odd[] = "/a b\\n\n\t\303\251", plain[] = "/", boot[BOOT_ID_MAX];
	struct freeze_fs fs[] = {
		{ odd, 4095, 1048575, 3 }, { plain, 0, 1, 4 },
	};
	struct freeze_list list = { fs, 2 }, none = { NULL, 0 };
	struct freeze_marker m;
	struct stat st;

	ATF_REQUIRE_EQ(0, marker_read(".", &m));
	ATF_REQUIRE_EQ(0, marker_remove("."));
	ATF_REQUIRE_EQ(0, freeze_boot(boot));
	ATF_REQUIRE_EQ(0, marker_write(".", &none));
	ATF_REQUIRE_EQ(1, marker_read(".", &m));
	ATF_CHECK_EQ(0, m.list.n);
	/* Over the one that is there. */
	ATF_REQUIRE_EQ(0, marker_write(".", &list));
	ATF_REQUIRE_EQ(1, marker_read(".", &m));
	ATF_CHECK_STREQ(boot, m.boot);
	ATF_REQUIRE_EQ(2, m.list.n);
	ATF_CHECK_STREQ(odd, m.list.fs[0].path);
	ATF_CHECK_STREQ("/", m.list.fs[1].path);
	ATF_CHECK_EQ(4095, m.list.fs[0].major);
	ATF_CHECK_EQ(1048575, m.list.fs[0].minor);
	ATF_CHECK_EQ(-1, m.list.fs[0].fd);
	ATF_REQUIRE_EQ(0, stat(NAME, &st));
	ATF_CHECK_EQ(0600, st.st_mode & 07777);
	ATF_CHECK_EQ(-1, access(NAME ".new", F_OK));
	ATF_REQUIRE_EQ(0, marker_remove("."));
	ATF_REQUIRE_EQ(0, marker_read(".", &m));
	ATF_CHECK_ERRNO(ENOENT, marker_write("nowhere", &list) == -1);
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	static const char *const bad[] = {
		"",
		"qgad-freeze 2\nboot x\nend\n",
		"qgad-freeze 1\nend\n",
		"qgad-freeze 1\nboot x\n",
		"qgad-freeze 1\nboot x\nend",
		"qgad-freeze 1\nboot x\nfs 1:2 a\nend\n",
		"qgad-freeze 1\nboot x\nfs 1 /a\nend\n",
		"qgad-freeze 1\nboot x\nfs 1:2\nend\n",
		"qgad-freeze 1\nboot x\nfs a:b /\nend\n",
		"qgad-freeze 1\nboot x\njunk\nend\n",
		("qgad-freeze 1\nboot 0123456789012345678901234567890123456789"
		    "0123456789012345678901234\nend\n"),
	};
	struct freeze_marker m;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(bad[i]);
		ATF_CHECK_EQ_MSG(-1, marker_read(".", &m), "%s", bad[i]);
	}
	put("qgad-freeze 1\nboot x\nfs 1:2 /\nend\n");
	ATF_REQUIRE_EQ(1, marker_read(".", &m));
	/* Not one that somebody else can write, nor a way to another. */
	ATF_REQUIRE_EQ(0, chmod(NAME, 0620));
	ATF_CHECK_EQ(-1, marker_read(".", &m));
	ATF_REQUIRE_EQ(0, chmod(NAME, 0600));
	ATF_REQUIRE_EQ(0, rename(NAME, "other"));
	ATF_REQUIRE_EQ(0, symlink("other", NAME));
	ATF_CHECK_EQ(-1, marker_read(".", &m));
	/* A write puts its own in place of the link. */
	ATF_REQUIRE_EQ(0, marker_write(".", &m.list));
	ATF_REQUIRE_EQ(1, marker_read(".", &m));
	ATF_REQUIRE_EQ(0, marker_remove("."));
	ATF_REQUIRE_EQ(0, mkdir(NAME, 0700));
	ATF_CHECK_EQ(-1, marker_read(".", &m));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, roundtrip);
	ATF_TP_ADD_TC(tp, refused);
	return (atf_no_error());
}
