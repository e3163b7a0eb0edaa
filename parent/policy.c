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
 * May this command run?  policy_decide() is the one place that says so: the
 * command's row, the policy the monitor started with, the newest one read
 * since, the state.  Nothing is let through that no rule names.
 */

#include <stdio.h>
#include <string.h>

#include "control.h"
#include "parent.h"

static struct policy	 at_start, newest;
static int		 have_root, frozen;

/*
 * qemu-ga's rule: an allow list alone enables what it names; a block list
 * alone disables what it names; both: all is blocked, then allowed, then
 * blocked again.
 */
void
policy_make(struct policy *policy, const struct conf *conf)
{
	const struct rpc *rpc;
	int id;

	for (id = 0; id < CMD_MAX; id++) {
		policy->command[id].allowed = !conf->allowset;
		policy->command[id].rule = conf->allowset ? "allow-rpcs" :
		    "default";
		policy->command[id].line = 0;
	}
	for (rpc = conf->allow; rpc != NULL; rpc = rpc->next) {
		if ((id = command_lookup(rpc->name)) == -1)
			continue;
		policy->command[id].allowed = 1;
		policy->command[id].line = rpc->line;
	}
	for (rpc = conf->block; rpc != NULL; rpc = rpc->next) {
		if ((id = command_lookup(rpc->name)) == -1)
			continue;
		policy->command[id].allowed = 0;
		policy->command[id].rule = "block-rpcs";
		policy->command[id].line = rpc->line;
	}
}

void
policy_start(const struct policy *policy, int root)
{
	at_start = newest = *policy;
	have_root = root;
}

void
policy_reload(const struct policy *policy)
{
	newest = *policy;
}

void
policy_frozen(int on)
{
	frozen = on;
}

enum verdict
policy_decide(enum command_id id, const char **rule)
{
	const struct command *command = &commands[id];

	*rule = at_start.command[id].rule;
	if (!DEFENCE(CONTROL_POLICY))
		return (VERDICT_ALLOWED);
	if (!at_start.command[id].allowed)
		return (VERDICT_LISTED);
	*rule = newest.command[id].rule;
	if (!newest.command[id].allowed)
		return (VERDICT_LISTED);
	if (frozen && !(command->flags & CMD_THAWING)) {
		*rule = "frozen";
		return (VERDICT_FROZEN);
	}
	if (!have_root && (command->flags & CMD_ROOT)) {
		*rule = "root";
		return (VERDICT_ROOT);
	}
	return (VERDICT_ALLOWED);
}

enum reply_kind
policy_refusal(enum verdict verdict, enum command_id id, char *text,
    size_t size)
{
	static const struct {
		enum reply_kind kind;
		const char *why;
	} refusals[VERDICT_MAX] = {
		[VERDICT_ALLOWED] = { REPLY_EMPTY, "" },
		[VERDICT_LISTED] = { REPLY_REFUSED,
		    "the command is not allowed" },
		[VERDICT_FROZEN] = { REPLY_ERROR,
		    "the agent is in frozen state" },
		[VERDICT_ROOT] = { REPLY_REFUSED,
		    "it needs root, which the agent was started without" },
	};

	text[0] = '\0';
	if (verdict != VERDICT_ALLOWED)
		snprintf(text, size, "Command %s has been disabled: %s",
		    commands[id].name, refusals[verdict].why);
	return (refusals[verdict].kind);
}

void
policy_fill(struct msg_policy *msg)
{
	const char *rule;
	int id;

	memset(msg, 0, sizeof(*msg));
	msg->frozen = (uint8_t)(frozen != 0);
	for (id = 0; id < CMD_MAX; id++)
		msg->enabled[id] = policy_decide((enum command_id)id, &rule) ==
		    VERDICT_ALLOWED;
}
