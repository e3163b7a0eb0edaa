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

#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "log.h"

static enum log_level	 last_level;
static char		 last[LOG_LINE * 2];
static int		 lines;

static void
sink(enum log_level level, const char *line)
{
	errno = EDOM;			/* as any sink might leave it */
	last_level = level;
	lines++;
	snprintf(last, sizeof(last), "%s", line);
}

ATF_TC_WITHOUT_HEAD(visible);
ATF_TC_BODY(visible, tc)
{
	static const struct {
		const char	*in, *out;
	} cases[] = {
		{ "plain text ~", "plain text ~" },
		{ "a\nb\r\tc\033[31m\177", "a\\x0ab\\x0d\\x09c\\x1b[31m\\x7f" },
		{ "gr\303\274n \342\202\254 \360\237\230\200",
		    "gr\303\274n \342\202\254 \360\237\230\200" },
		{ "\302\233m", "\\xc2\\x9bm" },		/* C1: CSI */
		{ "\300\257", "\\xc0\\xaf" },		/* overlong */
		{ "\340\200\257", "\\xe0\\x80\\xaf" },
		{ "\355\240\200", "\\xed\\xa0\\x80" },	/* surrogate */
		{ "\364\220\200\200", "\\xf4\\x90\\x80\\x80" },
		{ "\342\202", "\\xe2\\x82" },		/* cut short */
		{ "\303(", "\\xc3(" },
		{ "\377", "\\xff" }
	};
	char buf[128];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ATF_CHECK_STREQ(cases[i].out, log_visible(buf, sizeof(buf),
		    cases[i].in, strlen(cases[i].in)));
	ATF_CHECK_STREQ("a\\x00b", log_visible(buf, sizeof(buf), "a\0b", 3));
}

/* A cut never leaves half a character or half an escape. */
ATF_TC_WITHOUT_HEAD(visible_cut);
ATF_TC_BODY(visible_cut, tc)
{
	char buf[8];

	ATF_CHECK_STREQ("", log_visible(buf, 1, "abc", 3));
	ATF_CHECK_STREQ("ab", log_visible(buf, 3, "abc", 3));
	ATF_CHECK_STREQ("a", log_visible(buf, 4, "a\342\202\254", 4));
	ATF_CHECK_STREQ("a\342\202\254", log_visible(buf, 5, "a\342\202\254",
	    4));
	ATF_CHECK_STREQ("a", log_visible(buf, 5, "a\n", 2));
	ATF_CHECK_STREQ("a\\x0a", log_visible(buf, 6, "a\n", 2));
}

ATF_TC_WITHOUT_HEAD(levels);
ATF_TC_BODY(levels, tc)
{
	log_init("test", LEVEL_WARN);
	log_set_sink(sink);
	log_info("no");
	log_debug("no");
	ATF_CHECK_EQ(0, lines);
	log_error("e %d", 1);
	ATF_CHECK_EQ(LEVEL_ERROR, last_level);
	ATF_CHECK_STREQ("e 1", last);
	log_warnx("w");
	ATF_CHECK_EQ(LEVEL_WARN, last_level);
	log_audit("a");
	ATF_CHECK_EQ(LEVEL_AUDIT, last_level);
	ATF_CHECK_EQ(3, lines);
	log_set_level(LEVEL_DEBUG);
	log_debug("d");
	ATF_CHECK_EQ(LEVEL_DEBUG, last_level);
	log_set_level(LEVEL_ERROR);
	log_audit("always");
	ATF_CHECK_STREQ("always", last);
	ATF_CHECK_EQ(5, lines);
}

ATF_TC_WITHOUT_HEAD(errno_kept);
ATF_TC_BODY(errno_kept, tc)
{
	log_init("test", LEVEL_INFO);
	log_set_sink(sink);
	errno = ENOENT;
	log_warn("file %s", "x");
	ATF_CHECK_EQ(ENOENT, errno);
	ATF_CHECK_STREQ("file x: No such file or directory", last);
	log_info("more");
	ATF_CHECK_EQ(ENOENT, errno);
}

ATF_TC_WITHOUT_HEAD(hostile);
ATF_TC_BODY(hostile, tc)
{
	static char big[LOG_LINE * 3];

	log_init("test", LEVEL_INFO);
	log_set_sink(sink);
	log_info("name %s", "x\n1.000000: audit: monitor: all is well");
	ATF_CHECK_STREQ("name x\\x0a1.000000: audit: monitor: all is well",
	    last);
	memset(big, 'a', sizeof(big) - 1);
	log_info("%s", big);
	ATF_CHECK_EQ(LOG_LINE - 1, strlen(last));
	memset(big, '\n', sizeof(big) - 1);
	errno = EPERM;
	log_warn("%s", big);
	ATF_CHECK(strlen(last) < LOG_LINE);
	ATF_CHECK(strlen(last) > LOG_LINE - 5);
	ATF_CHECK_STREQ("\\x0a", last + strlen(last) - 4);
}

/* As qemu-ga writes them: seconds, microseconds, level. */
ATF_TC_WITHOUT_HEAD(standard_error);
ATF_TC_BODY(standard_error, tc)
{
	pid_t pid;

	if ((pid = atf_utils_fork()) == 0) {
		log_init("query", LEVEL_INFO);
		log_warnx("a\nb");
		_exit(0);
	}
	atf_utils_wait(pid, 0, "", "save:err");
	ATF_CHECK(atf_utils_grep_file(
	    "^[0-9]+\\.[0-9]{6}: warning: query: a\\\\x0ab$", "err"));
}

ATF_TC_WITHOUT_HEAD(fatal_ends);
ATF_TC_BODY(fatal_ends, tc)
{
	pid_t pid;

	if ((pid = atf_utils_fork()) == 0) {
		log_init("query", LEVEL_ERROR);
		errno = EACCES;
		fatal("open");
	}
	atf_utils_wait(pid, 1, "", "save:err");
	ATF_CHECK(atf_utils_grep_file(
	    "error: query: fatal: open: Permission denied$", "err"));
	if ((pid = atf_utils_fork()) == 0)
		fatalx("no errno");
	atf_utils_wait(pid, 1, "", "save:err");
	ATF_CHECK(atf_utils_grep_file("fatal: no errno$", "err"));
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	ATF_CHECK_STREQ("error", log_level_name(LEVEL_ERROR));
	ATF_CHECK_STREQ("audit", log_level_name(LEVEL_AUDIT));
	ATF_CHECK_STREQ("unknown", log_level_name(LEVEL_MAX));
	ATF_CHECK_STREQ("unknown", log_level_name((enum log_level)-1));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, visible);
	ATF_TP_ADD_TC(tp, visible_cut);
	ATF_TP_ADD_TC(tp, levels);
	ATF_TP_ADD_TC(tp, errno_kept);
	ATF_TP_ADD_TC(tp, hostile);
	ATF_TP_ADD_TC(tp, standard_error);
	ATF_TP_ADD_TC(tp, fatal_ends);
	ATF_TP_ADD_TC(tp, names);
	return (atf_no_error());
}
