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

/* May this command run?  Every command under every kind of list and state. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "filemode.h"
#include "parent.h"

static struct conf conf;

static void
lists(const char *allow, const char *block)
{
	struct policy policy;
	char err[256];

	conf_free(&conf);
	conf_defaults(&conf);
	if (allow != NULL) {
		conf.allowset = 1;
		ATF_REQUIRE_EQ(0, conf_list(&conf.allow, allow, 1, err,
		    sizeof(err)));
	}
	if (block != NULL)
		ATF_REQUIRE_EQ(0, conf_list(&conf.block, block, 2, err,
		    sizeof(err)));
	policy_make(&policy, &conf);
	policy_start(&policy, 1);
	policy_frozen(0);
}

static enum verdict
verdict(const char *name)
{
	const char *rule;

	return (policy_decide((enum command_id)command_lookup(name), &rule));
}

ATF_TC_WITHOUT_HEAD(by_lists);
ATF_TC_BODY(by_lists, tc)
{
	int i;

	lists(NULL, NULL);
	for (i = 0; i < CMD_MAX; i++)
		ATF_CHECK_EQ(VERDICT_ALLOWED, verdict(commands[i].name));
	lists(NULL, "guest-exec");
	for (i = 0; i < CMD_MAX; i++)
		ATF_CHECK_EQ(i == CMD_GUEST_EXEC ? VERDICT_LISTED :
		    VERDICT_ALLOWED, verdict(commands[i].name));
	lists("guest-ping", NULL);
	for (i = 0; i < CMD_MAX; i++)
		ATF_CHECK_EQ(i == CMD_GUEST_PING ? VERDICT_ALLOWED :
		    VERDICT_LISTED, verdict(commands[i].name));
	/* An allow list that names nothing allows nothing. */
	lists("", NULL);
	for (i = 0; i < CMD_MAX; i++)
		ATF_CHECK_EQ(VERDICT_LISTED, verdict(commands[i].name));
	/* Both: block wins. */
	lists("guest-ping,guest-exec", "guest-exec");
	ATF_CHECK_EQ(VERDICT_ALLOWED, verdict("guest-ping"));
	ATF_CHECK_EQ(VERDICT_LISTED, verdict("guest-exec"));
	ATF_CHECK_EQ(VERDICT_LISTED, verdict("guest-get-osinfo"));
	/* qemu-ga's own names that have no row here are harmless. */
	lists("guest-ping,guest-get-devices", "guest-file-open");
	ATF_CHECK_EQ(VERDICT_ALLOWED, verdict("guest-ping"));
}

ATF_TC_WITHOUT_HEAD(by_state);
ATF_TC_BODY(by_state, tc)
{
	int i;

	lists(NULL, "guest-sync");
	policy_frozen(1);
	for (i = 0; i < CMD_MAX; i++)
		ATF_CHECK_EQ(i == CMD_GUEST_SYNC ? VERDICT_LISTED :
		    commands[i].flags & CMD_THAWING ? VERDICT_ALLOWED :
		    VERDICT_FROZEN, verdict(commands[i].name));
	policy_frozen(0);
	ATF_CHECK_EQ(VERDICT_ALLOWED, verdict("guest-exec"));
}

ATF_TC_WITHOUT_HEAD(by_root);
ATF_TC_BODY(by_root, tc)
{
	struct policy policy;
	int i;

	lists(NULL, NULL);
	policy_make(&policy, &conf);
	policy_start(&policy, 0);
	for (i = 0; i < CMD_MAX; i++)
		ATF_CHECK_EQ(commands[i].flags & CMD_ROOT ? VERDICT_ROOT :
		    VERDICT_ALLOWED, verdict(commands[i].name));
}

/* A reload narrows; it never gives back what the start refused. */
ATF_TC_WITHOUT_HEAD(reload);
ATF_TC_BODY(reload, tc)
{
	struct policy policy;
	struct conf empty;
	char err[256];

	lists(NULL, "guest-exec");
	conf_defaults(&empty);
	policy_make(&policy, &empty);
	policy_reload(&policy);
	ATF_CHECK_EQ(VERDICT_LISTED, verdict("guest-exec"));
	ATF_REQUIRE_EQ(0, conf_list(&empty.block, "guest-ping", 7, err,
	    sizeof(err)));
	policy_make(&policy, &empty);
	policy_reload(&policy);
	ATF_CHECK_EQ(VERDICT_LISTED, verdict("guest-exec"));
	ATF_CHECK_EQ(VERDICT_LISTED, verdict("guest-ping"));
	conf_free(&empty);
	conf_defaults(&empty);
	policy_make(&policy, &empty);
	policy_reload(&policy);
	ATF_CHECK_EQ(VERDICT_LISTED, verdict("guest-exec"));
	ATF_CHECK_EQ(VERDICT_ALLOWED, verdict("guest-ping"));
}

ATF_TC_WITHOUT_HEAD(texts);
ATF_TC_BODY(texts, tc)
{
	char text[256];

	ATF_CHECK_EQ(REPLY_REFUSED, policy_refusal(VERDICT_LISTED,
	    CMD_GUEST_EXEC, text, sizeof(text)));
	ATF_CHECK_STREQ("Command guest-exec has been disabled: the command is "
	    "not allowed", text);
	ATF_CHECK_EQ(REPLY_ERROR, policy_refusal(VERDICT_FROZEN,
	    CMD_GUEST_EXEC, text, sizeof(text)));
	ATF_CHECK_STREQ("Command guest-exec has been disabled: the agent is "
	    "in frozen state", text);
}

/* base, path, rule of what is granted; "" base: no rule; NULL: refused */
static const struct {
	const char	*path;
	int		 access;
	const char	*base, *rest;
	uint32_t	 rule;
} grants[] = {
	{ "/in/x", FILE_READ, "/in", "x", 0 },
	{ "//in/.//a/b/", FILE_READ, "/in", "a/b", 0 },
	{ "/in", FILE_READ, "/", "in", FILE_RULE_EXACT },
	{ "/in/any/x", FILE_READ, "/in/any", "x", FILE_RULE_ANY },
	{ "/in/any", FILE_READ, "/in", "any",
	    FILE_RULE_ANY | FILE_RULE_EXACT },
	{ "/in/anyone", FILE_READ, "/in", "anyone", 0 },
	{ "/in/any/x", FILE_READ | FILE_WRITE, "/in/any", "x", 0 },
	{ "/in/x", FILE_WRITE, NULL, NULL, 0 },
	{ "/in/any/x", FILE_WRITE, "/in/any", "x", 0 },
	{ "/inside", FILE_READ, NULL, NULL, 0 },
	{ "/", FILE_READ, NULL, NULL, 0 },
	{ "in/x", FILE_READ, NULL, NULL, 0 },
	{ "", FILE_READ, NULL, NULL, 0 },
	{ "/in/../in/x", FILE_READ, NULL, NULL, 0 },
	{ "/in/x/..", FILE_READ, NULL, NULL, 0 },
	{ "/in/..x", FILE_READ, "/in", "..x", 0 },
	{ "/in/...", FILE_READ, "/in", "...", 0 },
};

static void
rules(struct policy *policy, const char *text)
{
	char err[256], copy[512];

	conf_free(&conf);
	conf_defaults(&conf);
	snprintf(copy, sizeof(copy), "%s", text);
	ATF_REQUIRE_EQ_MSG(0, conf_parse(&conf, "f", copy, err, sizeof(err)),
	    "%s", err);
	policy_make(policy, &conf);
}

ATF_TC_WITHOUT_HEAD(files);
ATF_TC_BODY(files, tc)
{
	struct file_grant g;
	struct policy policy;
	const char *rule = "", *why = "";
	char deep[MSG_PATH_MAX + 8];
	size_t i;
	int r;

	rules(&policy, "[file]\nread = /in\nread-any = /in/any\n"
	    "write = /in/any\n");
	policy_start(&policy, 1);
	for (i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
		r = policy_file(grants[i].path, grants[i].access, &g, &rule,
		    &why);
		ATF_CHECK_EQ_MSG(grants[i].base == NULL ? -1 : 0, r, "%s",
		    grants[i].path);
		if (r == -1 || grants[i].base == NULL)
			continue;
		ATF_CHECK_STREQ(grants[i].base, g.base);
		ATF_CHECK_STREQ(grants[i].rest, g.path);
		ATF_CHECK_EQ_MSG(grants[i].rule, g.rule, "%s",
		    grants[i].path);
	}
	/* Its longest, and one more. */
	memset(deep, 'a', sizeof(deep));
	memcpy(deep, "/in/", 4);
	deep[MSG_PATH_MAX - 1] = '\0';
	ATF_CHECK_EQ(0, policy_file(deep, FILE_READ, &g, &rule, &why));
	ATF_CHECK_STREQ(deep + 4, g.path);
	deep[MSG_PATH_MAX - 1] = 'a';
	deep[MSG_PATH_MAX] = '\0';
	ATF_CHECK_EQ(-1, policy_file(deep, FILE_READ, &g, &rule, &why));

	/* The whole of it; and nothing. */
	rules(&policy, "[file]\nread = /\n");
	policy_start(&policy, 1);
	ATF_CHECK_EQ(0, policy_file("/x", FILE_READ, &g, &rule, &why));
	ATF_CHECK_STREQ("/", g.base);
	ATF_CHECK_STREQ("x", g.path);
	ATF_CHECK_EQ(0, policy_file("/", FILE_READ, &g, &rule, &why));
	ATF_CHECK_STREQ(".", g.path);
	rules(&policy, "[file]\n");
	policy_start(&policy, 1);
	ATF_CHECK_EQ(-1, policy_file("/x", FILE_READ, &g, &rule, &why));
	ATF_CHECK_STREQ("[file]read", rule);
	rules(&policy, "[general]\n");
	policy_start(&policy, 1);
	rule = "as it was";
	ATF_CHECK_EQ(0, policy_file("../x", FILE_READ, &g, &rule, &why));
	ATF_CHECK_STREQ("", g.base);
	ATF_CHECK_STREQ("../x", g.path);
	ATF_CHECK_STREQ("as it was", rule);

	/* Old and new together, whichever of them has rules. */
	rules(&policy, "[file]\nread = /in\n");
	policy_reload(&policy);
	ATF_CHECK_EQ(0, policy_file("/in/x", FILE_READ, &g, &rule, &why));
	ATF_CHECK_EQ(-1, policy_file("/x", FILE_READ, &g, &rule, &why));
	rules(&policy, "[file]\nread-any = /in\n");
	policy_start(&policy, 1);
	rules(&policy, "[file]\nread = /in/a,/b\n");
	policy_reload(&policy);
	ATF_CHECK_EQ(0, policy_file("/in/a/x", FILE_READ, &g, &rule, &why));
	ATF_CHECK_STREQ("/in/a", g.base);
	ATF_CHECK_EQ(0, g.rule);
	ATF_CHECK_EQ(-1, policy_file("/in/x", FILE_READ, &g, &rule, &why));
	ATF_CHECK_EQ(-1, policy_file("/b/x", FILE_READ, &g, &rule, &why));
	rules(&policy, "[general]\n");
	policy_reload(&policy);
	ATF_CHECK_EQ(0, policy_file("/in/x", FILE_READ, &g, &rule, &why));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, by_lists);
	ATF_TP_ADD_TC(tp, by_state);
	ATF_TP_ADD_TC(tp, by_root);
	ATF_TP_ADD_TC(tp, reload);
	ATF_TP_ADD_TC(tp, texts);
	ATF_TP_ADD_TC(tp, files);
	return (atf_no_error());
}
