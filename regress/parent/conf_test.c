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

/* The configuration file: what is taken, and how each mistake is named. */

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "parent.h"

/* conf.c says what goes wrong through the log only when memory ends. */

static int
parse(struct conf *conf, const char *text, char *err, size_t size)
{
	char *copy = strdup(text);
	int error;

	ATF_REQUIRE(copy != NULL);
	conf_defaults(conf);
	error = conf_parse(conf, "f", copy, err, size);
	free(copy);
	return (error);
}

ATF_TC_WITHOUT_HEAD(qemu_file);
ATF_TC_BODY(qemu_file, tc)
{
	struct conf conf;
	char err[256];

	ATF_REQUIRE_EQ_MSG(0, parse(&conf,
	    "# a file of qemu-ga's\r\n"
	    "[general]\n"
	    "daemon = 1\n"
	    "method=unix-listen\n"
	    "  path = /tmp/a b \n"
	    "logfile=/l\\sog\n"
	    "pidfile=/p\n"
	    "fsfreeze-hook=/h\n"
	    "statedir=/s\n"
	    "verbose=true\n"
	    "retry-path=false\n"
	    "block-rpcs=guest-exec, guest-file-open,,\n"
	    "allow-rpcs=guest-ping\n", err, sizeof(err)), "%s", err);
	ATF_CHECK_EQ(1, conf.daemon);
	ATF_CHECK_STREQ("unix-listen", conf.method);
	ATF_CHECK_STREQ("/tmp/a b", conf.path);
	ATF_CHECK_STREQ("/l og", conf.logfile);
	ATF_CHECK_STREQ("/p", conf.pidfile);
	ATF_CHECK_STREQ("/h", conf.hook);
	ATF_CHECK_STREQ("/s", conf.statedir);
	ATF_CHECK_EQ(1, conf.verbose);
	ATF_CHECK_EQ(0, conf.retry);
	ATF_REQUIRE(conf.block != NULL && conf.block->next != NULL);
	ATF_CHECK_STREQ("guest-file-open", conf.block->name);
	ATF_CHECK_EQ(12, conf.block->line);
	ATF_CHECK_STREQ("guest-exec", conf.block->next->name);
	ATF_CHECK(conf.block->next->next == NULL);
	ATF_CHECK_EQ(1, conf.allowset);
	conf_free(&conf);
}

ATF_TC_WITHOUT_HEAD(limits);
ATF_TC_BODY(limits, tc)
{
	struct conf conf;
	char err[256];

	ATF_REQUIRE_EQ_MSG(0, parse(&conf, "[limits]\nmax-reply = 68M\n"
	    "max-request = 8K\nmax-jobs=3\noutput-wait=0\n"
	    "bytes-per-second=1099511627776\n", err,
	    sizeof(err)), "%s", err);
	ATF_CHECK_EQ(68U << 20, conf.limits.max_reply);
	ATF_CHECK_EQ(8192, conf.limits.max_request);
	ATF_CHECK_EQ(3, conf.limits.max_jobs);
	ATF_CHECK_EQ(0, conf.limits.output_wait);
	ATF_CHECK_EQ(UINT64_C(1) << 40, conf.limits.bytes);
	ATF_CHECK_EQ(6, conf.bytesline);
	ATF_CHECK_EQ(0, conf.requestsline);
	conf_free(&conf);
}

ATF_TC_WITHOUT_HEAD(freeze);
ATF_TC_BODY(freeze, tc)
{
	struct conf conf;
	char err[256];

	ATF_REQUIRE_EQ_MSG(0, parse(&conf, "[general]\n", err, sizeof(err)),
	    "%s", err);
	ATF_CHECK(conf.exclude == NULL && !conf.hook_abort && !conf.quiesce);
	ATF_CHECK_EQ(600, conf.auto_thaw);
	ATF_CHECK_EQ(30, conf.stuck_after);
	conf_free(&conf);
	ATF_REQUIRE_EQ_MSG(0, parse(&conf, "[freeze]\nexclude = /,/a b,/c\n"
	    "auto-thaw=86400\nstuck-after = 1\nhook-failure = abort\n"
	    "quiesce = true\n", err, sizeof(err)), "%s", err);
	ATF_CHECK_STREQ("/,/a b,/c", conf.exclude);
	ATF_CHECK_EQ(86400, conf.auto_thaw);
	ATF_CHECK_EQ(1, conf.stuck_after);
	ATF_CHECK(conf.hook_abort && conf.quiesce);
	conf_free(&conf);
}

ATF_TC_WITHOUT_HEAD(mistakes);
ATF_TC_BODY(mistakes, tc)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "daemon=1\n", "f:1: daemon: stands before any [section]" },
		{ "[generl]\n", "f:1: unknown section [generl]" },
		{ "[general\n",
		    "f:1: '[general' is not a section, [name] is expected" },
		{ "[general]x\n",
		    "f:1: '[general]x' is not a section, [name] is expected" },
		{ "[general]\n\ndeamon=1\n",
		    "f:3: unknown key 'deamon' in section [general]" },
		{ "[general]\ndaemon\n",
		    "f:2: 'daemon': key=value is expected" },
		{ "[general]\ndaemon=yes\n",
		    "f:2: daemon: 'yes' is not true, false, 1 or 0" },
		{ "[general]\npath=\n", "f:2: path: a value is expected" },
		{ "[general]\npath=a\npath=b\n",
		    "f:3: path: is given twice" },
		{ "[general]\npath=a\\q\n",
		    "f:2: path: unknown escape in the value" },
		{ "[general]\npath=a\\\n",
		    "f:2: path: unknown escape in the value" },
		{ "[general]\nblock-rpcs=guest-ping,guest-exce\n",
		    "f:2: block-rpcs: there is no command 'guest-exce'" },
		{ "[limits]\nmax-depth=100000\n", "f:2: max-depth: '100000' "
		    "is not a number from 4 to 1024" },
		{ "[limits]\nmax-reply=69M\n", "f:2: max-reply: '69M' is not "
		    "a size (bytes, or with K, M or G behind it) from 65536 to "
		    "71303168" },
		{ "[limits]\nmax-jobs=99999999999999999999999\n",
		    "f:2: max-jobs: '99999999999999999999999' is not a number "
		    "from 1 to 1024" },
		{ "[limits]\nmax-jobs=-1\n",
		    "f:2: max-jobs: '-1' is not a number from 1 to 1024" },
		{ "[limits]\nmax-jobs=\n",
		    "f:2: max-jobs: '' is not a number from 1 to 1024" },
		{ "[limits]\nmax-reply=1M\n", "f:2: max-reply: 1048576 is "
		    "less than max-request and 64K" },
		{ "[limits]\nmax-reply=1M\n#\nmax-request=2M\n[file]\n",
		    "f:4: max-reply: 1048576 is less than max-request and "
		    "64K" },
		{ "[limits]\nbytes-per-second=1025G\n", "f:2: "
		    "bytes-per-second: '1025G' is not a size (bytes, or with "
		    "K, M or G behind it) from 0 to 1099511627776" },
		{ "[limits]\nbytes-per-second=18446744073709551616\n", "f:2: "
		    "bytes-per-second: '18446744073709551616' is not a size "
		    "(bytes, or with K, M or G behind it) from 0 to "
		    "1099511627776" },
		{ "[limits]\nbytes-per-second=17179869184G\n", "f:2: "
		    "bytes-per-second: '17179869184G' is not a size (bytes, "
		    "or with K, M or G behind it) from 0 to 1099511627776" },
		{ "[freeze]\nauto-thaw=0\n",
		    "f:2: auto-thaw: '0' is not a number from 1 to 86400" },
		{ "[freeze]\nexclude=/a,b\n", "f:2: exclude: '/a,b' is not "
		    "a list of absolute paths, commas between" },
		{ "[freeze]\nexclude=/a/\n", "f:2: exclude: '/a/' is not "
		    "a list of absolute paths, commas between" },
		{ "[freeze]\nexclude=\n", "f:2: exclude: a value "
		    "is expected" },
		{ "[freeze]\nhook-failure=ignore\n",
		    "f:2: hook-failure: 'ignore' is not abort or warn" },
		{ "[limits]\nmax-jobs=5K\n",
		    "f:2: max-jobs: '5K' is not a number from 1 to 1024" },
	};
	struct conf conf;
	char err[256];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ATF_CHECK_EQ_MSG(-1, parse(&conf, cases[i].text, err,
		    sizeof(err)), "taken: %s", cases[i].text);
		ATF_CHECK_STREQ(cases[i].error, err);
		conf_free(&conf);
	}
}

ATF_TC_WITHOUT_HEAD(files);
ATF_TC_BODY(files, tc)
{
	const char *why;
	char *text;

	ATF_CHECK_ERRNO(ENOENT, conf_read("none", &why) == NULL);
	ATF_CHECK_ERRNO(EISDIR, conf_read(".", &why) == NULL);
	atf_utils_create_file("ok", "[general]\n");
	ATF_REQUIRE((text = conf_read("ok", &why)) != NULL);
	ATF_CHECK_STREQ("[general]\n", text);
	free(text);
	ATF_CHECK_EQ(0, system("head -c 262145 /dev/zero >zeros"));
	ATF_CHECK_ERRNO(EFBIG, conf_read("zeros", &why) == NULL);
	ATF_CHECK_EQ(0, system("head -c 10 /dev/zero >nul"));
	ATF_CHECK_ERRNO(EILSEQ, conf_read("nul", &why) == NULL);
	ATF_CHECK_EQ(0, system("mkfifo fifo"));
	ATF_CHECK_ERRNO(EINVAL, conf_read("fifo", &why) == NULL);
}

/* A policy that somebody else can write is none. */
ATF_TC_WITHOUT_HEAD(owners);
ATF_TC_BODY(owners, tc)
{
	static const struct {
		const char *file;
		mode_t dir, mode;
		int good;
	} cases[] = {
		{ "d/conf", 0755, 0644, 1 },
		{ "d/conf", 0755, 0664, 0 },
		{ "d/conf", 0755, 0646, 0 },
		{ "d/conf", 0775, 0644, 0 },
		{ "d/conf", 0757, 0600, 0 },
		{ "d/conf", 01777, 0600, 1 },	/* /tmp */
		{ "e/link", 0755, 0600, 1 },
		{ "e/link", 0777, 0600, 0 },
	};
	const char *why;
	char *text;
	size_t i;

	ATF_REQUIRE_EQ(0, mkdir("d", 0755));
	ATF_REQUIRE_EQ(0, mkdir("e", 0755));
	ATF_REQUIRE_EQ(0, symlink("../d/conf", "e/link"));
	atf_utils_create_file("d/conf", "[general]\n");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ATF_REQUIRE_EQ(0, chmod("d/conf", cases[i].mode));
		ATF_REQUIRE_EQ(0, chmod("d", cases[i].dir));
		errno = 0;
		text = conf_read(cases[i].file, &why);
		ATF_CHECK_EQ_MSG(cases[i].good, text != NULL, "%zu: %s", i,
		    text == NULL ? why : "");
		ATF_CHECK(text != NULL || errno == EPERM);
		free(text);
	}
	if (geteuid() != 0)
		return;
	ATF_REQUIRE_EQ(0, chmod("d", 0755));
	ATF_REQUIRE_EQ(0, chown("d/conf", 1, 0));
	ATF_CHECK_ERRNO(EPERM, conf_read("d/conf", &why) == NULL);
	ATF_CHECK_STREQ("it does not belong to root", why);
	ATF_REQUIRE_EQ(0, chown("d/conf", 0, 0));
	ATF_REQUIRE_EQ(0, chown("d", 1, 0));
	ATF_CHECK_ERRNO(EPERM, conf_read("d/conf", &why) == NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, qemu_file);
	ATF_TP_ADD_TC(tp, limits);
	ATF_TP_ADD_TC(tp, freeze);
	ATF_TP_ADD_TC(tp, owners);
	ATF_TP_ADD_TC(tp, mistakes);
	ATF_TP_ADD_TC(tp, files);
	return (atf_no_error());
}
