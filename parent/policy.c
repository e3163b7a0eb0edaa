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
#include "filemode.h"
#include "parent.h"
#include "pathname.h"

#define OWED		INT32_MAX	/* bytes, at most */
#define FORGOTTEN	4000000		/* ms, of longer ago nothing counts */

static const struct file_rule *file_rule(const struct policy *, const char *,
		    int);

static enum verdict decide(enum command_id, const char **, int *);
static void	 by_rules(struct policy *);
static void	 disable(struct policy *, enum command_id, const char *, int);
static const struct words *account_words(const struct rules *,
		    enum command_id);
static void	 exec_ruling(struct ruling *, const struct exec_rule *);
static void	 exec_grant(struct exec_grant *, const struct exec_rule *,
		    const char *);
static int	 exec_same(const struct exec_rule *, const struct exec_rule *);
static int	 same(const char *, const char *);
static void	 exec_narrow(struct exec_grant *, const struct exec_rule *);
static void	 lower(uint64_t *, uint64_t);

/* Commands that are one with a key of [system]; shutdown has two. */
static const struct {
	enum command_id	 command;
	enum system_kind kind;
	const char	*key;
} machine[] = {
	{ CMD_GUEST_SET_TIME, SYSTEM_CLOCK, "[system]clock" },
	{ CMD_GUEST_SET_VCPUS, SYSTEM_VCPUS, "[system]vcpus" },
	{ CMD_GUEST_SET_MEMORY_BLOCKS, SYSTEM_MEMORY, "[system]memory" },
	{ CMD_GUEST_FSTRIM, SYSTEM_TRIM, "[system]trim" },
	{ CMD_GUEST_SUSPEND_DISK, SYSTEM_SUSPEND, "[system]suspend" },
	{ CMD_GUEST_SUSPEND_RAM, SYSTEM_SUSPEND, "[system]suspend" },
	{ CMD_GUEST_SUSPEND_HYBRID, SYSTEM_SUSPEND, "[system]suspend" },
};

static struct policy	 at_start, newest;
static int		 have_root, frozen, reloaded;

struct bucket {
	int64_t	 left;		/* less than 0: owed */
	uint64_t at;		/* ms, when it was filled */
};
static struct bucket	 requests, bytes;

static void	 refill(struct bucket *, uint64_t, uint64_t);

/*
 * The profile, or in its place the whole of an allow list; then what a block
 * list names is disabled.  Without a profile this is qemu-ga's rule.
 */
void
policy_make(struct policy *policy, struct conf *conf)
{
	const struct rpc *rpc;
	int id;

	for (id = 0; id < CMD_MAX; id++) {
		policy->command[id].allowed = !conf->allowset &&
		    (commands[id].profiles & conf->profile) != 0;
		policy->command[id].rule = conf->allowset ? "allow-rpcs" :
		    conf->profileline != 0 ? "profile" : "default";
		policy->command[id].line = conf->allowset ? conf->allowline :
		    conf->profileline != 0 ? conf->profileline : -1;
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
	policy->profile = conf->allowset ? 0 : conf->profile;
	policy->blocked = conf->block != NULL;
	policy->rules = conf->rules;
	memset(&conf->rules, 0, sizeof(conf->rules));
	by_rules(policy);
}

/* A command of which the rules leave nothing is disabled, and seen so. */
static void
by_rules(struct policy *policy)
{
	const struct rules *rules = &policy->rules;
	const struct exec_rule *exec;
	size_t i;

	if (rules->systemline != 0) {
		for (i = 0; i < sizeof(machine) / sizeof(machine[0]); i++)
			if (!rules->system[machine[i].kind])
				disable(policy, machine[i].command,
				    machine[i].key, rules->systemline);
		if (!rules->system[SYSTEM_SHUTDOWN] &&
		    !rules->system[SYSTEM_REBOOT])
			disable(policy, CMD_GUEST_SHUTDOWN,
			    "[system]shutdown", rules->systemline);
	}
	for (i = 0; rules->accountline != 0 && i < CMD_MAX; i++)
		if (commands[i].class == CLASS_ACCOUNT &&
		    account_words(rules, (enum command_id)i)->n == 0)
			disable(policy, (enum command_id)i, "[account]",
			    rules->accountline);
	for (exec = rules->execs; exec != NULL; exec = exec->next)
		if (exec->programs.n > 0)
			break;
	if (rules->execline != 0 && exec == NULL)
		disable(policy, CMD_GUEST_EXEC, "[exec]", rules->execline);
	if (rules->fileline != 0 && rules->files == NULL)
		disable(policy, CMD_GUEST_FILE_OPEN, "[file]",
		    rules->fileline);
}

/* A list that says so already is what the log names. */
static void
disable(struct policy *policy, enum command_id id, const char *rule, int line)
{
	if (!policy->command[id].allowed)
		return;
	policy->command[id].allowed = 0;
	policy->command[id].rule = rule;
	policy->command[id].line = line;
}

void
policy_start(const struct policy *policy, int root)
{
	at_start = newest = *policy;
	reloaded = 0;
	have_root = root;
}

void
policy_reload(const struct policy *policy)
{
	/* At first both are one. */
	if (reloaded)
		rules_free(&newest.rules);
	reloaded = 1;
	newest = *policy;
}

const struct policy *
policy_newest(void)
{
	return (&newest);
}

void
policy_frozen(int on)
{
	frozen = on;
}

enum verdict
policy_decide(enum command_id id, struct ruling *r)
{
	const char *rule = "system";
	enum verdict verdict;
	int line = 0;

	verdict = decide(id, &rule, &line);
	ruling_set(r, rule, line);
	return (verdict);
}

static enum verdict
decide(enum command_id id, const char **rule, int *line)
{
	const struct command *command = &commands[id];

	if (!command_here(id))
		return (VERDICT_LISTED);
	*rule = at_start.command[id].rule;
	*line = at_start.command[id].line;
	if (!DEFENCE(CONTROL_POLICY))
		return (VERDICT_ALLOWED);
	if (!at_start.command[id].allowed)
		return (VERDICT_LISTED);
	*rule = newest.command[id].rule;
	*line = newest.command[id].line;
	if (!newest.command[id].allowed)
		return (VERDICT_LISTED);
	*line = -1;
	if (frozen && DEFENCE(CONTROL_GATE) &&
	    !(command->flags & CMD_THAWING)) {
		*rule = "frozen";
		return (VERDICT_FROZEN);
	}
	if (!have_root && (command->flags & CMD_ROOT)) {
		*rule = "root";
		return (VERDICT_ROOT);
	}
	*line = newest.command[id].line;
	return (VERDICT_ALLOWED);
}

void
ruling_set(struct ruling *r, const char *key, int line)
{
	strlcpy(r->key, key, sizeof(r->key));
	r->line = line;
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
		[VERDICT_REQUESTS] = { REPLY_ERROR,
		    "there are more requests a second than it allows" },
		[VERDICT_BYTES] = { REPLY_ERROR,
		    "there are more bytes a second than it allows" },
	};

	text[0] = '\0';
	if (verdict != VERDICT_ALLOWED)
		snprintf(text, size, "Command %s has been %s: %s",
		    commands[id].name, verdict < VERDICT_REQUESTS ?
		    "disabled" : "refused", refusals[verdict].why);
	return (refusals[verdict].kind);
}

void
policy_fill(struct msg_policy *msg)
{
	struct ruling ruling;
	int id;

	memset(msg, 0, sizeof(*msg));
	msg->frozen = (uint8_t)(frozen != 0);
	for (id = 0; id < CMD_MAX; id++)
		msg->enabled[id] = policy_decide((enum command_id)id,
		    &ruling) ==
		    VERDICT_ALLOWED;
}

/* --- how much --- */

/* Of a bucket that fills by the second and holds what a second may have. */
static void
refill(struct bucket *b, uint64_t rate, uint64_t now)
{
	uint64_t add, passed = now - b->at;

	/* The product fits. */
	if (passed > FORGOTTEN) {
		passed = FORGOTTEN;
		b->at = now - passed;
	}
	if ((add = rate * passed / 1000) == 0)
		return;
	b->at += add * 1000 / rate;
	b->left += (int64_t)add;
	if (b->left > (int64_t)rate) {
		b->left = (int64_t)rate;
		b->at = now;
	}
}

enum verdict
policy_measure(enum command_id id, const struct limits *limits, uint64_t now,
    struct ruling *r)
{
	if (commands[id].flags & CMD_UNLIMITED || !DEFENCE(CONTROL_POLICY))
		return (VERDICT_ALLOWED);
	if (limits->bytes > 0) {
		refill(&bytes, limits->bytes, now);
		if (bytes.left <= 0) {
			ruling_set(r, "[limits]bytes-per-second", -1);
			return (VERDICT_BYTES);
		}
	}
	if (limits->requests > 0) {
		refill(&requests, limits->requests, now);
		if (requests.left <= 0) {
			ruling_set(r, "[limits]requests-per-second", -1);
			return (VERDICT_REQUESTS);
		}
		requests.left--;
	}
	return (VERDICT_ALLOWED);
}

/*
 * What an operation took, which may be more than was left.  It is counted
 * without a limit too, and nobody owes more than OWED.
 */
void
policy_bytes(uint64_t n)
{
	bytes.left -= n > OWED ? OWED : (int64_t)n;
	if (bytes.left < -OWED)
		bytes.left = -OWED;
}

/* --- files --- */

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

/* The longest that fits decides; of two the one that allows more. */
static const struct file_rule *
file_rule(const struct policy *policy, const char *path, int access)
{
	const struct file_rule *rule, *best = NULL;
	size_t len, bestlen = 0;

	for (rule = policy->rules.files; rule != NULL; rule = rule->next) {
		if (rule->access != access || !path_below(path, rule->base))
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
    struct ruling *r, const char **why)
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
	if ((!at_start.rules.fileline && !newest.rules.fileline) ||
	    !DEFENCE(CONTROL_POLICY)) {
		strlcpy(g->path, path, sizeof(g->path));
		return (0);
	}
	ruling_set(r, "[file]", newest.rules.fileline);
	if ((*why = path_normal(path, whole)) != NULL)
		return (-1);
	g->rule = FILE_RULE_ANY;
	for (i = 0; i < 4; i++) {
		j = i % 2;
		if (!policies[i / 2]->rules.fileline ||
		    !(access & ways[j].access))
			continue;
		ruling_set(r, ways[j].key, policies[i / 2]->rules.fileline);
		*why = ways[j].why;
		if ((rule = file_rule(policies[i / 2], whole,
		    ways[j].access)) == NULL)
			return (-1);
		r->line = rule->line;
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

/* --- programs --- */

/*
 * What the start's rule and the newest one have in common.  Neither may run
 * a thing as what the other does not.
 */
int
policy_exec(const struct msg_exec *m, struct exec_grant *g, struct ruling *r,
    const char **why)
{
	const struct policy *policies[2] = { &at_start, &newest };
	const struct exec_rule *rule, *first = NULL;
	const char *program;
	size_t i;

	memset(g, 0, sizeof(*g));
	if (!DEFENCE(CONTROL_POLICY))
		return (0);
	for (i = 0; i < 2; i++) {
		if (policies[i]->rules.execline == 0)
			continue;
		ruling_set(r, "[exec]", policies[i]->rules.execline);
		if ((rule = rules_exec(&policies[i]->rules, m, &program,
		    why)) == NULL)
			return (-1);
		exec_ruling(r, rule);
		if (first == NULL) {
			exec_grant(g, rule, program);
			first = rule;
			continue;
		}
		if (strcmp(g->msg.program, program) != 0 ||
		    !exec_same(first, rule)) {
			*why = "its rule is another than at the start";
			return (-1);
		}
		exec_narrow(g, rule);
	}
	return (0);
}

static void
exec_ruling(struct ruling *r, const struct exec_rule *rule)
{
	snprintf(r->key, sizeof(r->key), "[exec]%s", rule->name);
	r->line = rule->line;
}

static void
exec_grant(struct exec_grant *g, const struct exec_rule *rule,
    const char *program)
{
	g->ruled = 1;
	strlcpy(g->name, rule->name, sizeof(g->name));
	g->jobs = rule->jobs;
	g->msg.output = rule->output;
	g->msg.time = rule->time;
	memcpy(g->msg.bound, rule->bound, sizeof(g->msg.bound));
	g->msg.program = program;
	g->msg.user = rule->user != NULL ? rule->user : "";
	g->msg.group = rule->group != NULL ? rule->group : "";
	g->msg.directory = rule->directory != NULL ? rule->directory : "/";
	g->msg.envc = rule->environment.n;
	g->msg.envp = rule->environment.v;
}

static int
same(const char *a, const char *b)
{
	return ((a == NULL) == (b == NULL) && (a == NULL ||
	    strcmp(a, b) == 0));
}

static int
exec_same(const struct exec_rule *a, const struct exec_rule *b)
{
	uint32_t i;

	if (!same(a->user, b->user) || !same(a->group, b->group) ||
	    !same(a->directory, b->directory) ||
	    a->environment.n != b->environment.n)
		return (0);
	for (i = 0; i < a->environment.n; i++)
		if (!same(a->environment.v[i], b->environment.v[i]))
			return (0);
	return (1);
}

static void
exec_narrow(struct exec_grant *g, const struct exec_rule *rule)
{
	int i;

	/* It counts by the name it has now. */
	strlcpy(g->name, rule->name, sizeof(g->name));
	lower(&g->jobs, rule->jobs);
	lower(&g->msg.output, rule->output);
	lower(&g->msg.time, rule->time);
	for (i = 0; i < EXEC_BOUNDS; i++)
		lower(&g->msg.bound[i], rule->bound[i]);
}

static void
lower(uint64_t *n, uint64_t to)
{
	if (to < *n)
		*n = to;
}

/* --- users --- */

/* One that "*" stands for must not be root by another name. */
int
policy_account(enum command_id id, const char *user, struct ruling *r,
    uint32_t *notroot)
{
	const struct rules *rules[2] = { &at_start.rules, &newest.rules };
	const struct words *w;
	uint32_t i, j;
	int named, all;

	*notroot = 0;
	if (!DEFENCE(CONTROL_POLICY))
		return (0);
	for (i = 0; i < 2; i++) {
		if (rules[i]->accountline == 0)
			continue;
		w = account_words(rules[i], id);
		ruling_set(r, id == CMD_GUEST_SET_USER_PASSWORD ?
		    "[account]passwords" : "[account]ssh-keys",
		    rules[i]->accountline);
		for (j = 0, named = all = 0; j < w->n; j++)
			if (strcmp(w->v[j], "*") == 0)
				all = 1;
			else if (strcmp(w->v[j], user) == 0)
				named = 1;
		if (!named && !all)
			return (-1);
		*notroot |= !named;
	}
	return (0);
}

static const struct words *
account_words(const struct rules *rules, enum command_id id)
{
	return (id == CMD_GUEST_SET_USER_PASSWORD ? &rules->passwords :
	    &rules->keys);
}

/* --- the machine --- */

int
policy_shutdown(int reboot, struct ruling *r)
{
	const struct rules *rules[2] = { &at_start.rules, &newest.rules };
	size_t i;

	if (!DEFENCE(CONTROL_POLICY))
		return (0);
	for (i = 0; i < 2; i++) {
		if (rules[i]->systemline == 0)
			continue;
		ruling_set(r, reboot ? "[system]reboot" : "[system]shutdown",
		    rules[i]->systemline);
		if (!rules[i]->system[reboot ? SYSTEM_REBOOT :
		    SYSTEM_SHUTDOWN])
			return (-1);
	}
	return (0);
}
