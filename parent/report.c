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
 * What there is to be said of us, on SIGUSR1 (and SIGINFO): one block of the
 * log, between "status begin" and "status end".
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"
#include "request.h"

static void	 report_policy(const struct conf *);
static void	 report_section(const char *, int);
static void	 report_commands(int, const char *);
static void	 report_child(const struct child *, uint64_t);

static struct counters counters;

struct counters *
report_counters(void)
{
	return (&counters);
}

void
report(const struct conf *conf)
{
	static const char *const states[] = {
		[FREEZE_STATE_THAWED] = "thawed",
		[FREEZE_STATE_FREEZING] = "freezing",
		[FREEZE_STATE_FROZEN] = "frozen",
		[FREEZE_STATE_THAWING] = "thawing",
	};
	struct child *c;
	uint64_t now = now_ms(), jobs = 0, ended = 0, handles = 0;

	log_info("status begin: version=%s build=%s pid=%d", QGAD_VERSION,
	    build_id, (int)getpid());
	for (c = NULL; (c = child_each(c)) != NULL;) {
		if (c->role == ROLE_EXEC && c->state == CHILD_READY)
			(*(c->ended == 0 ? &jobs : &ended))++;
		if (c->role == ROLE_FILE && c->state == CHILD_READY)
			handles++;
	}
	log_info("status: state=%s jobs=%llu ended-jobs=%llu handles=%llu "
	    "request=%s", states[freeze_state()], (unsigned long long)jobs,
	    (unsigned long long)ended, (unsigned long long)handles,
	    request.active ? commands[request.command].name : "-");
	for (c = NULL; (c = child_each(c)) != NULL;)
		report_child(c, now);
	report_policy(conf);
	log_info("status: requests=%llu refused=%llu limited=%llu "
	    "frontend-ends=%llu",
	    (unsigned long long)counters.requests,
	    (unsigned long long)counters.refused,
	    (unsigned long long)counters.limited,
	    (unsigned long long)counters.deaths);
	log_info("status end");
}

static void
report_child(const struct child *c, uint64_t now)
{
	static const char *const states[] = {
		[CHILD_STARTING] = "starting",
		[CHILD_READY] = "ready",
		[CHILD_RELEASED] = "ending",
		[CHILD_KILLED] = "killed",
		[CHILD_LOST] = "lost",
	};
	char more[1200] = "";

	if (c->role == ROLE_EXEC)
		snprintf(more, sizeof(more), " job=%lld rule=[exec]%s "
		    "ended=%s", (long long)c->jobpid, c->rule,
		    c->ended != 0 ? "yes" : "no");
	else if (c->role == ROLE_FILE)
		snprintf(more, sizeof(more), " handle=%lld object=\"%s\" "
		    "operations=%llu", (long long)c->handle,
		    c->shown != NULL ? c->shown : "",
		    (unsigned long long)c->ops);
	log_info("status: process=%s pid=%d state=%s seconds=%llu%s",
	    confinements[c->role].name, (int)c->pid, states[c->state],
	    (unsigned long long)(now - c->started) / 1000, more);
}

static void
report_policy(const struct conf *conf)
{
	const struct policy *policy = policy_newest();
	const struct rules *rules = &policy->rules;
	char file[512];

	log_info("status: configuration=\"%s\" profile=%s allow-rpcs=%s "
	    "block-rpcs=%s", audit_text(file, sizeof(file),
	    conf->file != NULL ? conf->file : ""),
	    policy->profile == 0 ? "-" : profile_name(policy->profile),
	    policy->profile == 0 ? "given" : "-",
	    policy->blocked ? "given" : "-");
	report_section("exec", rules->execline);
	report_section("file", rules->fileline);
	report_section("account", rules->accountline);
	report_section("system", rules->systemline);
	report_commands(1, "enabled");
	report_commands(0, "disabled");
}

static void
report_section(const char *name, int line)
{
	if (line == 0)
		log_info("status: section=%s rules=none", name);
	else
		log_info("status: section=%s rules=line-%d", name, line);
}

/* Several lines: there are more names than one holds. */
static void
report_commands(int enabled, const char *what)
{
	struct ruling r;
	char list[512] = "";
	size_t len = 0;
	int id;

	for (id = 0; id < CMD_MAX; id++) {
		if ((policy_decide((enum command_id)id, &r) ==
		    VERDICT_ALLOWED) != enabled)
			continue;
		len += (size_t)snprintf(list + len, sizeof(list) - len,
		    "%s%s", len == 0 ? "" : ",", commands[id].name);
		if (len < sizeof(list) - 64)
			continue;
		log_info("status: %s=%s", what, list);
		len = 0;
	}
	if (len > 0)
		log_info("status: %s=%s", what, list);
}
