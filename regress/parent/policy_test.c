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
	struct ruling r;

	return (policy_decide((enum command_id)command_lookup(name), &r));
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
	struct ruling r;
	const char *why = "";
	char deep[MSG_PATH_MAX + 8];
	size_t i;
	int error;

	rules(&policy, "[file]\nread = /in\nread-any = /in/any\n"
	    "write = /in/any\n");
	policy_start(&policy, 1);
	for (i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
		error = policy_file(grants[i].path, grants[i].access, &g, &r,
		    &why);
		ATF_CHECK_EQ_MSG(grants[i].base == NULL ? -1 : 0, error,
		    "%s",
		    grants[i].path);
		if (error == -1 || grants[i].base == NULL)
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
	ATF_CHECK_EQ(0, policy_file(deep, FILE_READ, &g, &r, &why));
	ATF_CHECK_STREQ(deep + 4, g.path);
	deep[MSG_PATH_MAX - 1] = 'a';
	deep[MSG_PATH_MAX] = '\0';
	ATF_CHECK_EQ(-1, policy_file(deep, FILE_READ, &g, &r, &why));

	/* The whole of it; and nothing. */
	rules(&policy, "[file]\nread = /\n");
	policy_start(&policy, 1);
	ATF_CHECK_EQ(0, policy_file("/x", FILE_READ, &g, &r, &why));
	ATF_CHECK_STREQ("/", g.base);
	ATF_CHECK_STREQ("x", g.path);
	ATF_CHECK_EQ(0, policy_file("/", FILE_READ, &g, &r, &why));
	ATF_CHECK_STREQ(".", g.path);
	rules(&policy, "[file]\n");
	policy_start(&policy, 1);
	ATF_CHECK_EQ(-1, policy_file("/x", FILE_READ, &g, &r, &why));
	ATF_CHECK_STREQ("[file]read", r.key);
	ATF_CHECK_EQ(1, r.line);
	rules(&policy, "[general]\n");
	policy_start(&policy, 1);
	ruling_set(&r, "as it was", 7);
	ATF_CHECK_EQ(0, policy_file("../x", FILE_READ, &g, &r, &why));
	ATF_CHECK_STREQ("", g.base);
	ATF_CHECK_STREQ("../x", g.path);
	ATF_CHECK_STREQ("as it was", r.key);
	ATF_CHECK_EQ(7, r.line);

	/* Old and new together, whichever of them has rules. */
	rules(&policy, "[file]\nread = /in\n");
	policy_reload(&policy);
	ATF_CHECK_EQ(0, policy_file("/in/x", FILE_READ, &g, &r, &why));
	ATF_CHECK_EQ(-1, policy_file("/x", FILE_READ, &g, &r, &why));
	rules(&policy, "[file]\nread-any = /in\n");
	policy_start(&policy, 1);
	rules(&policy, "[file]\nread = /in/a,/b\n");
	policy_reload(&policy);
	ATF_CHECK_EQ(0, policy_file("/in/a/x", FILE_READ, &g, &r, &why));
	ATF_CHECK_STREQ("/in/a", g.base);
	ATF_CHECK_EQ(0, g.rule);
	ATF_CHECK_EQ(-1, policy_file("/in/x", FILE_READ, &g, &r, &why));
	ATF_CHECK_EQ(-1, policy_file("/b/x", FILE_READ, &g, &r, &why));
	rules(&policy, "[general]\n");
	policy_reload(&policy);
	ATF_CHECK_EQ(0, policy_file("/in/x", FILE_READ, &g, &r, &why));
}

/* As the founding document has them; what has no row yet is left out. */
static const char *const audit_list[] = {
	"guest-ping", "guest-sync", "guest-sync-delimited", "guest-info",
	"guest-get-osinfo", "guest-get-host-name", "guest-get-timezone",
	"guest-get-time", "guest-get-users", "guest-get-load",
	"guest-get-vcpus", "guest-get-memory-blocks",
	"guest-get-memory-block-info", "guest-get-cpustats",
	"guest-get-disks", "guest-get-fsinfo", "guest-get-diskstats",
	"guest-fsfreeze-status", "guest-network-get-interfaces", NULL
};
static const char *const backup_list[] = {
	"guest-set-time", "guest-fsfreeze-freeze", "guest-fsfreeze-thaw",
	"guest-shutdown", NULL
};
static const char *const root_list[] = {
	"guest-set-time", "guest-shutdown", "guest-suspend-disk",
	"guest-suspend-ram", "guest-suspend-hybrid", "guest-fsfreeze-freeze",
	"guest-fsfreeze-freeze-list", "guest-fsfreeze-thaw",
	"guest-file-open", "guest-exec", "guest-ssh-get-authorized-keys",
	"guest-ssh-add-authorized-keys", "guest-ssh-remove-authorized-keys",
	"guest-set-user-password",
	/* of no word there, or an error on macOS */
	"guest-set-vcpus", "guest-set-memory-blocks", "guest-fstrim", NULL
};

static int
among(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return (1);
	return (0);
}

ATF_TC_WITHOUT_HEAD(profiles);
ATF_TC_BODY(profiles, tc)
{
	struct policy policy;
	struct ruling r;
	int audit, backup, i;

	for (i = 0; i < CMD_MAX; i++) {
		audit = among(audit_list, commands[i].name);
		backup = audit || among(backup_list, commands[i].name);
		ATF_CHECK_EQ_MSG(audit, !!(commands[i].profiles &
		    PROFILE_AUDIT), "%s", commands[i].name);
		ATF_CHECK_EQ_MSG(backup, !!(commands[i].profiles &
		    PROFILE_BACKUP), "%s", commands[i].name);
		ATF_CHECK_MSG(commands[i].profiles & PROFILE_FULL, "%s",
		    commands[i].name);
		ATF_CHECK_EQ_MSG(among(root_list, commands[i].name),
		    !!(commands[i].flags & CMD_ROOT), "%s", commands[i].name);
	}
	rules(&policy, "[general]\nprofile = audit\n");
	policy_start(&policy, 1);
	ATF_CHECK_EQ(VERDICT_ALLOWED, verdict("guest-get-osinfo"));
	ATF_CHECK_EQ(VERDICT_LISTED, verdict("guest-shutdown"));
	ATF_CHECK_EQ(VERDICT_LISTED, policy_decide(CMD_GUEST_EXEC, &r));
	ATF_CHECK_STREQ("profile", r.key);
	ATF_CHECK_EQ(2, r.line);
	rules(&policy, "[general]\nprofile = backup\n"
	    "block-rpcs = guest-set-time\n");
	policy_start(&policy, 1);
	ATF_CHECK_EQ(VERDICT_ALLOWED, verdict("guest-shutdown"));
	ATF_CHECK_EQ(VERDICT_LISTED, policy_decide(CMD_GUEST_SET_TIME, &r));
	ATF_CHECK_STREQ("block-rpcs", r.key);
	ATF_CHECK_EQ(3, r.line);
	ATF_CHECK_EQ(VERDICT_LISTED, verdict("guest-exec"));
	/* An allow list is the whole of it. */
	rules(&policy, "[general]\nprofile = audit\n"
	    "allow-rpcs = guest-exec\n");
	policy_start(&policy, 1);
	ATF_CHECK_EQ(VERDICT_ALLOWED, policy_decide(CMD_GUEST_EXEC, &r));
	ATF_CHECK_STREQ("allow-rpcs", r.key);
	ATF_CHECK_EQ(3, r.line);
	ATF_CHECK_EQ(VERDICT_LISTED, verdict("guest-get-osinfo"));
	ATF_CHECK_EQ(VERDICT_LISTED, verdict("guest-ping"));
}

ATF_TC_WITHOUT_HEAD(patterns);
ATF_TC_BODY(patterns, tc)
{
	static const struct {
		const char *pattern, *text;
		int matches;
	} cases[] = {
		{ "", "", 1 }, { "", "a", 0 }, { "a", "a", 1 },
		{ "a", "", 0 }, { "a", "ab", 0 }, { "ab", "a", 0 },
		{ "*", "", 1 }, { "*", "abc", 1 }, { "*", "a b\"'", 1 },
		{ "*", "-a", 0 }, { "?", "-", 0 }, { "a*", "a-", 1 },
		{ "-*", "-a", 1 }, { "-*", "--", 1 },
		{ "*", "a/b", 0 }, { "?", "/", 0 }, { "*/*", "a/b", 1 },
		{ "*", "a\nb", 0 }, { "*", "a\x7f", 0 }, { "?", "\t", 0 },
		{ "a\nb", "a\nb", 1 }, { "*", "\xc0\x80", 0 },
		{ "*", "\xc3\xa4", 1 }, { "*", "\xff", 0 },
		{ "a?c", "abc", 1 }, { "a?c", "ac", 0 }, { "a?c", "abbc", 0 },
		{ "a*c", "ac", 1 }, { "a*c", "abcc", 1 },
		{ "a*c", "abcd", 0 }, { "*b*", "abc", 1 },
		{ "*b*c*", "xbycz", 1 }, { "*b*c*", "xcybz", 0 },
		{ "*a*b/c", "xa1b2b/c", 1 }, { "*a*b/c", "xab/d/b/c", 0 },
		{ "**", "ab", 1 }, { "*\\*", "a*", 1 }, { "\\*", "a", 0 },
		{ "\\*", "*", 1 }, { "\\?", "?", 1 }, { "\\\\", "\\", 1 },
		{ "\\a", "a", 1 }, { "/srv/*", "/srv/..", 0 },
		{ "/srv/*/x", "/srv/../x", 0 }, { "/srv/*", "/srv/..a", 1 },
		{ "--f=*", "--f=..", 0 }, { "../*", "../a", 1 },
		{ "*", "..", 0 }, { "*", "a..", 1 },
		{ "../*", "../..", 0 }, { "a..b/*", "a..b/..", 0 },
		{ "a..b/*", "a..b/c", 1 }, { "../../*", "../../a", 1 },
		{ "-C*", "-C..", 0 }, { "-C*/x", "-C../x", 0 },
		{ "-C*", "-C..x", 1 }, { "-C..", "-C..", 1 },
		{ "a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0 },
	};
	char text[4100];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ATF_CHECK_EQ_MSG(cases[i].matches,
		    rules_match(cases[i].pattern, cases[i].text), "%s of %s",
		    cases[i].pattern, cases[i].text);
	memset(text, 'a', sizeof(text));
	text[4096] = '\0';
	ATF_CHECK(rules_match("*", text));
	ATF_CHECK(!rules_match("a*a*a*a*a*a*a*b", text));
	text[4096] = 'a';
	text[4097] = '\0';
	ATF_CHECK(!rules_match("*", text));
}

/* Never a delay: what is past the measure is refused at once. */
ATF_TC_WITHOUT_HEAD(measure);
ATF_TC_BODY(measure, tc)
{
	struct limits limits = LIMITS_DEFAULT;
	struct ruling r;
	uint64_t t = 5000000;
	int i, n;

	for (i = 0; i < 1000; i++)
		ATF_CHECK_EQ(VERDICT_ALLOWED, policy_measure(CMD_GUEST_EXEC,
		    &limits, t, &r));
	limits.requests = 10;
	for (i = 0; i < 10; i++)
		ATF_CHECK_EQ(VERDICT_ALLOWED, policy_measure(CMD_GUEST_EXEC,
		    &limits, t, &r));
	ATF_CHECK_EQ(VERDICT_REQUESTS, policy_measure(CMD_GUEST_EXEC, &limits,
	    t, &r));
	ATF_CHECK_STREQ("[limits]requests-per-second", r.key);
	for (i = 0; i < CMD_MAX; i++)
		if (commands[i].flags & CMD_UNLIMITED)
			ATF_CHECK_EQ(VERDICT_ALLOWED, policy_measure(
			    (enum command_id)i, &limits, t, &r));
	/* Over ten seconds as many as they may have, however often asked. */
	for (i = n = 0; i < 10000; i += 7)
		if (policy_measure(CMD_GUEST_EXEC, &limits, t + (uint64_t)i,
		    &r) == VERDICT_ALLOWED)
			n++;
	ATF_CHECK_MSG(n >= 98 && n <= 100, "%d", n);
	t += 100000;
	for (i = n = 0; i < 100; i++)
		if (policy_measure(CMD_GUEST_EXEC, &limits, t, &r) ==
		    VERDICT_ALLOWED)
			n++;
	ATF_CHECK_EQ(10, n);
	/* What an operation took is owed. */
	limits.requests = 0;
	limits.bytes = 1000;
	ATF_CHECK_EQ(VERDICT_ALLOWED, policy_measure(CMD_GUEST_FILE_READ,
	    &limits, t, &r));
	policy_bytes(6000);
	ATF_CHECK_EQ(VERDICT_BYTES, policy_measure(CMD_GUEST_FILE_READ,
	    &limits, t + 4900, &r));
	ATF_CHECK_EQ(VERDICT_ALLOWED, policy_measure(CMD_GUEST_PING,
	    &limits, t + 4900, &r));
	ATF_CHECK_EQ(VERDICT_ALLOWED, policy_measure(CMD_GUEST_FILE_READ,
	    &limits, t + 5100, &r));
	/* However much went by: no more than 2 GiB of it. */
	for (i = 0; i < 100; i++)
		policy_bytes(UINT64_MAX);
	limits.bytes = UINT64_C(1) << 31;
	ATF_CHECK_EQ(VERDICT_BYTES, policy_measure(CMD_GUEST_FILE_READ,
	    &limits, t + 5101, &r));
	ATF_CHECK_EQ(VERDICT_ALLOWED, policy_measure(CMD_GUEST_FILE_READ,
	    &limits, t + 7000, &r));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, profiles);
	ATF_TP_ADD_TC(tp, patterns);
	ATF_TP_ADD_TC(tp, measure);
	ATF_TP_ADD_TC(tp, by_lists);
	ATF_TP_ADD_TC(tp, by_state);
	ATF_TP_ADD_TC(tp, by_root);
	ATF_TP_ADD_TC(tp, reload);
	ATF_TP_ADD_TC(tp, texts);
	ATF_TP_ADD_TC(tp, files);
	return (atf_no_error());
}
