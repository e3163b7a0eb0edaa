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
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "filemode.h"
#include "parent.h"

static int	 below(const char *, const char *);
static const struct file_rule *file_rule(const struct policy *, const char *,
		    int);

static struct policy	 at_start, newest;
static int		 have_root, frozen;

/*
 * qemu-ga's rule: an allow list alone enables what it names; a block list
 * alone disables what it names; both: all is blocked, then allowed, then
 * blocked again.
 */
void
policy_make(struct policy *policy, struct conf *conf)
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
	policy->fileset = conf->fileset;
	policy->files = conf->files;
	conf->files = NULL;
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
	if (newest.files != at_start.files)
		file_rules_free(newest.files);
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
	if (frozen && DEFENCE(CONTROL_GATE) &&
	    !(command->flags & CMD_THAWING)) {
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

/* --- files --- */

void
file_rules_free(struct file_rule *rule)
{
	struct file_rule *next;

	for (; rule != NULL; rule = next) {
		next = rule->next;
		free(rule->base);
		free(rule);
	}
}

const char *
path_normal(const char *path, char *out)
{
	size_t len, have = 0;

	if (*path != '/')
		return ("an absolute path is expected");
	for (;; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0)
			break;
		if (len == 1 && path[0] == '.')
			continue;
		/* Where it leads is not to be seen from here. */
		if (len == 2 && memcmp(path, "..", 2) == 0)
			return ("'..' is not allowed in a path");
		if (have + len + 2 > MSG_PATH_MAX)
			return ("the path is too long");
		out[have++] = '/';
		memcpy(out + have, path, len);
		have += len;
	}
	if (have == 0)
		out[have++] = '/';
	out[have] = '\0';
	return (NULL);
}

/* Is it the base, or below it?  Both as path_normal() makes them. */
static int
below(const char *path, const char *base)
{
	size_t len = strlen(base);

	return (len == 1 || (strncmp(path, base, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/')));
}

/* The longest that fits decides; of two the one that allows more. */
static const struct file_rule *
file_rule(const struct policy *policy, const char *path, int access)
{
	const struct file_rule *rule, *best = NULL;
	size_t len, bestlen = 0;

	for (rule = policy->files; rule != NULL; rule = rule->next) {
		if (rule->access != access || !below(path, rule->base))
			continue;
		len = strlen(rule->base);
		if (best == NULL || len > bestlen ||
		    (len == bestlen && rule->any)) {
			best = rule;
			bestlen = len;
		}
	}
	return (best);
}

/*
 * Each policy that has rules must allow each access.  Of the bases, which
 * are all above the path, the longest is below the others.
 */
int
policy_file(const char *path, int access, struct file_grant *g,
    const char **key, const char **why)
{
	static const struct {
		int access;
		const char *key, *why;
	} ways[] = {
		{ FILE_READ, "[file]read",
		    "the configuration does not allow to read it" },
		{ FILE_WRITE, "[file]write",
		    "the configuration does not allow to write it" },
	};
	const struct policy *policies[2] = { &at_start, &newest };
	const struct file_rule *rule;
	char whole[MSG_PATH_MAX];
	size_t i, j, len = 0;

	memset(g, 0, sizeof(*g));
	if ((!at_start.fileset && !newest.fileset) ||
	    !DEFENCE(CONTROL_POLICY)) {
		strlcpy(g->path, path, sizeof(g->path));
		return (0);
	}
	*key = "[file]";
	if ((*why = path_normal(path, whole)) != NULL)
		return (-1);
	g->rule = FILE_RULE_ANY;
	for (i = 0; i < 4; i++) {
		j = i % 2;
		if (!policies[i / 2]->fileset || !(access & ways[j].access))
			continue;
		*key = ways[j].key;
		*why = ways[j].why;
		if ((rule = file_rule(policies[i / 2], whole,
		    ways[j].access)) == NULL)
			return (-1);
		if (!rule->any)
			g->rule &= ~(uint32_t)FILE_RULE_ANY;
		if (strlen(rule->base) > len)
			len = strlen(rule->base);
	}
	/* The name of a rule itself, in its directory. */
	if (whole[len] == '\0' && len > 1) {
		g->rule |= FILE_RULE_EXACT;
		while (whole[len] != '/')
			len--;
	}
	memcpy(g->base, whole, len == 0 ? 1 : len);
	strlcpy(g->path, whole[len] == '/' ? whole + len + 1 : whole + len,
	    sizeof(g->path));
	if (g->path[0] == '\0')
		strlcpy(g->path, ".", sizeof(g->path));
	return (0);
}
