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
 * The configuration file: qemu-ga's [general], a GLib key file, [limits], and
 * sections of rules on what commands are about (rules.c).
 * Whatever is not understood stops the start, with file, line and key: a
 * policy that was misread is worse than none.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "filemode.h"
#include "parent.h"

enum key_type { KEY_BOOL, KEY_STRING, KEY_LIST, KEY_SIZE, KEY_COUNT,
	KEY_PATHS, KEY_NAME, KEY_PATH, KEY_PREFIXES, KEY_ABORT, KEY_PROFILE,
	KEY_WORDS };

static const struct key {
	const char	*section, *name;
	enum key_type	 type;
	size_t		 offset;	/* in struct conf, of "exec" in its */
					/* rule */
	uint64_t	 min, max;	/* of KEY_PATHS: access, any; of */
					/* KEY_WORDS: what is between them */
	int		(*words)(struct words *, char *, char *, size_t);
} keys[] = {
#define GENERAL(name, type, member)					\
	{ "general", name, type, offsetof(struct conf, member), 0, 0, NULL }
	GENERAL("daemon", KEY_BOOL, daemon),
	GENERAL("method", KEY_STRING, method),
	GENERAL("path", KEY_STRING, path),
	GENERAL("logfile", KEY_STRING, logfile),
	GENERAL("pidfile", KEY_STRING, pidfile),
	GENERAL("fsfreeze-hook", KEY_STRING, hook),
	GENERAL("statedir", KEY_STRING, statedir),
	GENERAL("verbose", KEY_BOOL, verbose),
	GENERAL("retry-path", KEY_BOOL, retry),
	GENERAL("block-rpcs", KEY_LIST, block),
	GENERAL("blacklist", KEY_LIST, block),
	GENERAL("allow-rpcs", KEY_LIST, allow),
	GENERAL("profile", KEY_PROFILE, profile),
#undef GENERAL
#define LIMIT(name, type, member, min, max)				\
	{ "limits", name, type, offsetof(struct conf, limits) +		\
	    offsetof(struct limits, member), min, max, NULL }
	LIMIT("max-request", KEY_SIZE, max_request, 4096, 16 << 20),
	LIMIT("max-bulk", KEY_SIZE, max_bulk, 4096, 48 << 20),
	LIMIT("max-depth", KEY_COUNT, max_depth, 4, 1024),
	LIMIT("max-pending", KEY_COUNT, max_pending, 1, 4096),
	LIMIT("max-reply", KEY_SIZE, max_reply, 64 << 10, 68 << 20),
	LIMIT("max-jobs", KEY_COUNT, max_jobs, 1, 1024),
	LIMIT("max-output", KEY_SIZE, max_output, 4096, 16 << 20),
	LIMIT("output-wait", KEY_COUNT, output_wait, 0, 3600),
	LIMIT("stale-after", KEY_COUNT, stale_after, 1, 86400),
	LIMIT("max-files", KEY_COUNT, max_files, 1, 1024),
	LIMIT("frontend-restarts", KEY_COUNT, restarts, 1, 1000),
	LIMIT("refusal-lines", KEY_COUNT, refusal_lines, 1, 1000000),
	LIMIT("requests-per-second", KEY_COUNT, requests, 0, 1000000),
	LIMIT("bytes-per-second", KEY_SIZE, bytes, 0, UINT64_C(1) << 40),
#undef LIMIT
#define PATHS(name, access, any)					\
	{ "file", name, KEY_PATHS, 0, access, any, NULL }
	PATHS("read", FILE_READ, 0),
	PATHS("read-any", FILE_READ, 1),
	PATHS("write", FILE_WRITE, 0),
	PATHS("write-any", FILE_WRITE, 1),
#undef PATHS
#define FREEZE(name, type, member, min, max)				\
	{ "freeze", name, type, offsetof(struct conf, member), min, max, NULL }
	FREEZE("auto-thaw", KEY_COUNT, auto_thaw, 1, 86400),
	FREEZE("exclude", KEY_PREFIXES, exclude, 0, 0),
	FREEZE("hook-failure", KEY_ABORT, hook_abort, 0, 0),
	FREEZE("quiesce", KEY_BOOL, quiesce, 0, 0),
	FREEZE("stuck-after", KEY_COUNT, stuck_after, 1, 300),
#undef FREEZE
#define RULE(name, type, member, min, max)				\
	{ "exec", name, type, offsetof(struct exec_rule, member), min, max, \
	    NULL }
#define WORDS(name, member, between, words)				\
	{ "exec", name, KEY_WORDS, offsetof(struct exec_rule, member),	\
	    between, 0, words }
	WORDS("program", programs, ',', rules_programs),
	WORDS("arguments", arguments, ' ', rules_patterns),
	WORDS("environment", environment, ' ', rules_environment),
	WORDS("host-environment", hostenv, ',', rules_variables),
	RULE("user", KEY_NAME, user, 0, 0),
	RULE("group", KEY_NAME, group, 0, 0),
	RULE("directory", KEY_PATH, directory, 0, 0),
	RULE("input", KEY_BOOL, input, 0, 0),
	RULE("max-time", KEY_COUNT, time, 1, 31536000),
	RULE("max-jobs", KEY_COUNT, jobs, 1, 1024),
	RULE("max-output", KEY_SIZE, output, 0, 16 << 20),
	RULE("max-cpu", KEY_COUNT, bound[BOUND_CPU], 1, 31536000),
	RULE("max-memory", KEY_SIZE, bound[BOUND_MEMORY], 1 << 20,
	    UINT64_C(1) << 50),
	RULE("max-file-size", KEY_SIZE, bound[BOUND_FILE_SIZE], 0,
	    UINT64_C(1) << 50),
	/* Fewer, and no program could load its libraries. */
	RULE("max-open-files", KEY_COUNT, bound[BOUND_OPEN_FILES], 8, 1048576),
	RULE("max-processes", KEY_COUNT, bound[BOUND_PROCESSES], 1, 4194304),
	RULE("max-core", KEY_SIZE, bound[BOUND_CORE], 0, UINT64_C(1) << 50),
#undef RULE
#undef WORDS
#define ACCOUNT(name, member)						\
	{ "account", name, KEY_WORDS, offsetof(struct conf, rules.member), \
	    ',', 0, rules_names }
	ACCOUNT("passwords", passwords),
	ACCOUNT("ssh-keys", keys),
#undef ACCOUNT
#define SYSTEM(name, kind)						\
	{ "system", name, KEY_BOOL, offsetof(struct conf,		\
	    rules.system[kind]), 0, 0, NULL }
	SYSTEM("shutdown", SYSTEM_SHUTDOWN),
	SYSTEM("reboot", SYSTEM_REBOOT),
	SYSTEM("suspend", SYSTEM_SUSPEND),
	SYSTEM("clock", SYSTEM_CLOCK),
	SYSTEM("vcpus", SYSTEM_VCPUS),
	SYSTEM("memory", SYSTEM_MEMORY),
	SYSTEM("trim", SYSTEM_TRIM),
#undef SYSTEM
};

#define NKEYS	(sizeof(keys) / sizeof(keys[0]))

/* Where the parser is. */
struct place {
	struct conf	*conf;
	const char	*file;
	char		 section[64];	/* without what tells rules apart */
	struct exec_rule *rule;		/* that the keys of "exec" are of */
	int		 line;
	int		 seen[NKEYS];	/* in that line */
	char		*err;
	size_t		 errsize;
};

static const char	*others(const char *, const struct stat *);
static const char	*others_above(const char *);
static int		 section_begin(struct place *, char *);
static int		 section_named(struct place *, const char *);
static int		 key_take(struct place *, char *);
static int		 check(struct place *);
static int		 line_of(const struct place *, const char *);
static int		 wrong(struct place *, const char *, ...)
			    __attribute__((format(printf, 2, 3)));
static const struct key	*key_find(const char *, const char *, int *);
static int		 key_set(struct place *, const struct key *, char *,
			    char *, size_t);
static int		 copy(char **, const char *, const struct key *, char *,
			    size_t);
static int		 flag(const char *, const struct key *, int *, char *,
			    size_t);
static int		 prefixes(const char *);
static int		 number(const char *, const struct key *, uint64_t *);
static int		 paths(struct place *, const struct key *, char *,
			    char *, size_t);
static char		*trim(char *);
static void		 dump_section(const struct conf *, const char *,
			    const void *);
static void		 dump_key(const struct conf *, const struct key *,
			    const void *);
static void		 dump_paths(const struct conf *, const struct key *);

void
conf_defaults(struct conf *conf)
{
	static const struct limits defaults = LIMITS_DEFAULT;

	memset(conf, 0, sizeof(*conf));
	conf->limits = defaults;
	conf->profile = PROFILE_FULL;
	conf->auto_thaw = AUTO_THAW;
	conf->stuck_after = STUCK_AFTER;
}

static void
list_free(struct rpc *rpc)
{
	struct rpc *next;

	for (; rpc != NULL; rpc = next) {
		next = rpc->next;
		free(rpc->name);
		free(rpc);
	}
}

void
conf_free(struct conf *conf)
{
	free(conf->file);
	free(conf->method);
	free(conf->path);
	free(conf->logfile);
	free(conf->pidfile);
	free(conf->hook);
	free(conf->statedir);
	free(conf->exclude);
	list_free(conf->block);
	list_free(conf->allow);
	rules_free(&conf->rules);
	memset(conf, 0, sizeof(*conf));
}

char *
conf_read(const char *path, const char **why)
{
	struct stat st;
	char *text;
	size_t have;
	ssize_t n;
	int fd, saved;

	*why = NULL;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) ==
	    -1) {
		*why = strerror(errno);
		return (NULL);
	}
	if ((text = malloc(CONF_SIZE + 1)) == NULL)
		goto fail;
	if (fstat(fd, &st) == -1)
		goto fail;
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		goto fail;
	}
	if (S_ISREG(st.st_mode) && (*why = others(path, &st)) != NULL) {
		errno = EPERM;
		goto fail;
	}
	for (have = 0; have <= CONF_SIZE; have += (size_t)n) {
		if ((n = read(fd, text + have, CONF_SIZE + 1 - have)) == -1)
			goto fail;
		if (n == 0)
			break;
	}
	if (have > CONF_SIZE) {
		errno = EFBIG;
		goto fail;
	}
	text[have] = '\0';
	if (memchr(text, '\0', have) != NULL) {
		errno = EILSEQ;
		*why = "a NUL byte is in it";
		goto fail;
	}
	close(fd);
	return (text);
fail:
	saved = errno;
	if (*why == NULL)
		*why = strerror(saved);
	free(text);
	close(fd);
	errno = saved;
	return (NULL);
}

/*
 * Who but root, or who runs us, could have written it?  NULL: nobody.  Where
 * the path has a link both directories count.
 */
static const char *
others(const char *path, const struct stat *st)
{
	const char *why;
	char *real;

	if (!DEFENCE(CONTROL_CONF))
		return (NULL);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return ("it does not belong to root");
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return ("it is writable by group or others");
	if ((real = realpath(path, NULL)) == NULL)
		return ("its path cannot be resolved");
	if ((why = others_above(path)) == NULL)
		why = others_above(real);
	free(real);
	return (why);
}

static const char *
others_above(const char *path)
{
	struct stat up;
	char *dir, *slash;
	int bad;

	if ((dir = strdup(path)) == NULL)
		return (strerror(errno));
	if ((slash = strrchr(dir, '/')) != NULL)
		slash[slash == dir] = '\0';
	/* In a sticky one a file of root's stays where it is. */
	bad = stat(slash == NULL ? "." : dir, &up) == -1 ||
	    (up.st_uid != 0 && up.st_uid != geteuid()) ||
	    ((up.st_mode & (S_IWGRP | S_IWOTH)) && !(up.st_mode & S_ISVTX));
	free(dir);
	return (bad ? "others than root may put another file in its place: "
	    "its directory is writable by group or others, or not root's" :
	    NULL);
}

int
conf_parse(struct conf *conf, const char *name, char *text, char *err,
    size_t errsize)
{
	struct place at;
	char *line, *next;

	memset(&at, 0, sizeof(at));
	at.conf = conf;
	at.file = name;
	at.err = err;
	at.errsize = errsize;
	for (line = text; line != NULL; line = next) {
		at.line++;
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		line = trim(line);
		if (*line == '\0' || *line == '#')
			continue;
		if ((*line == '[' ? section_begin(&at, line) :
		    key_take(&at, line)) == -1)
			return (-1);
	}
	return (check(&at));
}

static int
section_begin(struct place *at, char *line)
{
	struct rules *rules = &at->conf->rules;
	char *name, *p;
	int known;

	if ((p = strchr(line, ']')) == NULL || p[1] != '\0' ||
	    (size_t)(p - line) >= sizeof(at->section))
		return (wrong(at, "'%.64s' is not a section, [name] is "
		    "expected", line));
	*p = '\0';
	strlcpy(at->section, line + 1, sizeof(at->section));
	name = at->section + strcspn(at->section, " \t");
	if (*name != '\0') {
		*name++ = '\0';
		name = trim(name);
	}
	(void)key_find(at->section, NULL, &known);
	if (!known || (*name != '\0' && strcmp(at->section, "exec") != 0))
		return (wrong(at, "unknown section [%s]", line + 1));
	/* One need not have a key to restrict. */
	if (strcmp(at->section, "file") == 0)
		rules->fileline = at->line;
	else if (strcmp(at->section, "account") == 0)
		rules->accountline = at->line;
	else if (strcmp(at->section, "system") == 0)
		rules->systemline = at->line;
	else if (strcmp(at->section, "exec") == 0)
		return (section_named(at, name));
	return (0);
}

/* Each rule on programs is a section of its own. */
static int
section_named(struct place *at, const char *name)
{
	const struct exec_rule *rule;
	size_t i;

	for (rule = at->conf->rules.execs; rule != NULL; rule = rule->next)
		if (strcmp(rule->name, name) == 0)
			return (wrong(at, "[exec%s%s]: is there already, in "
			    "line %d", *name == '\0' ? "" : " ", name,
			    rule->line));
	if (strlen(name) >= sizeof(rule->name) || name[strspn(name,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-")] != '\0')
		return (wrong(at, "[exec %.64s]: a name of at most %zu "
		    "letters, digits, '.', '_' and '-' is expected", name,
		    sizeof(rule->name) - 1));
	at->rule = rules_exec_new(&at->conf->rules, name, at->line);
	for (i = 0; i < NKEYS; i++)
		if (strcmp(keys[i].section, "exec") == 0)
			at->seen[i] = 0;
	return (0);
}

static int
key_take(struct place *at, char *line)
{
	const struct key *key;
	char *p, *value, why[512];
	int known;

	if ((p = strchr(line, '=')) == NULL)
		return (wrong(at, "'%.64s': key=value is expected", line));
	*p = '\0';
	value = trim(p + 1);
	line = trim(line);
	if (at->section[0] == '\0')
		return (wrong(at, "%.64s: stands before any [section]", line));
	if ((key = key_find(at->section, line, &known)) == NULL)
		return (wrong(at, "unknown key '%.64s' in section [%s]", line,
		    at->section));
	if (at->seen[key - keys] != 0)
		return (wrong(at, "%s: is given twice", key->name));
	at->seen[key - keys] = at->line;
	/* In words a blank that is escaped is not one between them. */
	if (key->type != KEY_WORDS && conf_unescape(value) == -1)
		return (wrong(at, "%s: unknown escape in the value",
		    key->name));
	if (key_set(at, key, value, why, sizeof(why)) == -1)
		return (wrong(at, "%s: %s", key->name, why));
	return (0);
}

/* What is to be seen at the end only. */
static int
check(struct place *at)
{
	const struct exec_rule *rule;

	for (rule = at->conf->rules.execs; rule != NULL; rule = rule->next) {
		at->line = rule->line;
		if (rule->programs.n == 0 && (rule->name[0] != '\0' ||
		    rule->user != NULL || rule->arguments.set))
			return (wrong(at, "program: is missing in section "
			    "[exec%s%s]", rule->name[0] == '\0' ? "" : " ",
			    rule->name));
	}
	at->conf->requestsline = line_of(at, "requests-per-second");
	at->conf->bytesline = line_of(at, "bytes-per-second");
	/* A reply may echo an id as long as a request. */
	if (at->conf->limits.max_reply >= at->conf->limits.max_request + 65536)
		return (0);
	at->line = line_of(at, "max-reply");
	if (line_of(at, "max-request") > at->line)
		at->line = line_of(at, "max-request");
	return (wrong(at, "max-reply: %llu is less than max-request and 64K",
	    (unsigned long long)at->conf->limits.max_reply));
}

/* Of a key of [limits]. */
static int
line_of(const struct place *at, const char *name)
{
	int known;

	return (at->seen[key_find("limits", name, &known) - keys]);
}

static int
wrong(struct place *at, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(at->err, at->errsize, "%s:%d: ", at->file, at->line);
	if (n < 0 || (size_t)n >= at->errsize)
		return (-1);
	va_start(ap, fmt);
	vsnprintf(at->err + n, at->errsize - (size_t)n, fmt, ap);
	va_end(ap);
	return (-1);
}

/* The key of that section; known says whether the section exists. */
static const struct key *
key_find(const char *section, const char *name, int *known)
{
	size_t i;

	*known = 0;
	for (i = 0; i < NKEYS; i++) {
		if (strcmp(keys[i].section, section) != 0)
			continue;
		*known = 1;
		if (name != NULL && strcmp(keys[i].name, name) == 0)
			return (&keys[i]);
	}
	return (NULL);
}

static int
key_set(struct place *at, const struct key *key, char *value, char *why,
    size_t size)
{
	unsigned char *where = (strcmp(key->section, "exec") == 0 ?
	    (unsigned char *)at->rule : (unsigned char *)at->conf) +
	    key->offset;
	uint64_t n;
	uint32_t profile;
	int on;

	switch (key->type) {
	case KEY_BOOL:
	case KEY_ABORT:
		if (flag(value, key, &on, why, size) == -1)
			return (-1);
		memcpy(where, &on, sizeof(on));
		return (0);
	case KEY_PREFIXES:
	case KEY_STRING:
	case KEY_NAME:
	case KEY_PATH:
		return (copy((char **)(void *)where, value, key, why, size));
	case KEY_PROFILE:
		if ((profile = profile_lookup(value)) == 0) {
			snprintf(why, size, "'%.64s' is not audit, backup or "
			    "full", value);
			return (-1);
		}
		memcpy(where, &profile, sizeof(profile));
		at->conf->profileline = at->line;
		return (0);
	case KEY_LIST:
		if (key->offset == offsetof(struct conf, allow)) {
			at->conf->allowset = 1;
			at->conf->allowline = at->line;
		}
		return (conf_list((struct rpc **)(void *)where, value,
		    at->line, why, size));
	case KEY_SIZE:
	case KEY_COUNT:
		if (number(value, key, &n) == -1) {
			snprintf(why, size, "'%.64s' is not a %s from %llu to "
			    "%llu", value, key->type == KEY_SIZE ?
			    "size (bytes, or with K, M or G behind it)" :
			    "number", (unsigned long long)key->min,
			    (unsigned long long)key->max);
			return (-1);
		}
		memcpy(where, &n, sizeof(n));
		return (0);
	case KEY_PATHS:
		return (paths(at, key, value, why, size));
	case KEY_WORDS:
		return (key->words((struct words *)(void *)where, value, why,
		    size));
	}
	return (-1);
}

static int
copy(char **where, const char *value, const struct key *key, char *why,
    size_t size)
{
	char path[MSG_PATH_MAX];
	const char *bad;

	if (*value == '\0') {
		snprintf(why, size, "a value is expected");
		return (-1);
	}
	if (key->type == KEY_NAME && (strlen(value) >= MSG_NAME_MAX ||
	    value[strcspn(value, " ,:/\t\n\r")] != '\0')) {
		snprintf(why, size, "'%.64s' is not a name", value);
		return (-1);
	}
	if (key->type == KEY_PREFIXES && prefixes(value) == -1) {
		snprintf(why, size, "'%.64s' is not a list of absolute "
		    "paths, commas between", value);
		return (-1);
	}
	if (key->type == KEY_PATH) {
		if ((bad = path_normal(value, path)) != NULL) {
			snprintf(why, size, "'%.64s': %s", value, bad);
			return (-1);
		}
		value = path;
	}
	if ((*where = strdup(value)) == NULL)
		fatal("strdup");
	return (0);
}

static int
flag(const char *value, const struct key *key, int *on, char *why, size_t size)
{
	static const struct {
		const char *off[2], *on[2], *expected;
	} kinds[2] = {
		{ { "false", "0" }, { "true", "1" }, "true, false, 1 or 0" },
		{ { "warn", "warn" }, { "abort", "abort" }, "abort or warn" },
	};
	int i, kind = key->type == KEY_ABORT;

	for (i = 0; i < 2; i++) {
		*on = strcmp(value, kinds[kind].on[i]) == 0;
		if (*on || strcmp(value, kinds[kind].off[i]) == 0)
			return (0);
	}
	snprintf(why, size, "'%.64s' is not %s", value, kinds[kind].expected);
	return (-1);
}

static int
prefixes(const char *list)
{
	size_t len;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if (*list != '/' || (len > 1 && list[len - 1] == '/'))
			return (-1);
		if (list[len] == '\0')
			return (0);
	}
}

static int
number(const char *text, const struct key *key, uint64_t *out)
{
	uint64_t n, unit;

	for (n = 0; *text >= '0' && *text <= '9'; text++) {
		if (n > UINT64_MAX / 10 - 1)
			return (-1);
		n = n * 10 + (uint64_t)(*text - '0');
		if (text[1] == '\0') {
			text++;
			unit = 1;
			goto done;
		}
	}
	if (n == 0 || key->type != KEY_SIZE || text[1] != '\0')
		return (-1);
	if (*text == 'K')
		unit = 1 << 10;
	else if (*text == 'M')
		unit = 1 << 20;
	else if (*text == 'G')
		unit = 1 << 30;
	else
		return (-1);
done:
	if (n > UINT64_MAX / unit)
		return (-1);
	n *= unit;
	if (n < key->min || n > key->max)
		return (-1);
	*out = n;
	return (0);
}

/* Appended in their order. */
static int
paths(struct place *at, const struct key *key, char *value, char *why,
    size_t size)
{
	char base[MSG_PATH_MAX], *name, *next;
	struct file_rule *rule, **tail = &at->conf->rules.files;
	const char *bad;

	while (*tail != NULL)
		tail = &(*tail)->next;
	for (name = value; name != NULL; name = next) {
		if ((next = strchr(name, ',')) != NULL)
			*next++ = '\0';
		if (*(name = trim(name)) == '\0')
			continue;
		if ((bad = path_normal(name, base)) != NULL) {
			snprintf(why, size, "'%.64s': %s", name, bad);
			return (-1);
		}
		if ((rule = calloc(1, sizeof(*rule))) == NULL ||
		    (rule->base = strdup(base)) == NULL)
			fatal("calloc");
		rule->access = (int)key->min;
		rule->any = (int)key->max;
		rule->line = at->line;
		*tail = rule;
		tail = &rule->next;
	}
	return (0);
}

int
conf_list(struct rpc **list, const char *names, int line, char *err,
    size_t errsize)
{
	struct rpc *rpc, **tail;
	const char *p;
	char *name;
	size_t len;

	/* One list stands before the next, each in itself as qemu-ga has it. */
	for (tail = list; *tail != NULL; tail = &(*tail)->next)
		;
	for (p = names;; p += len + 1) {
		len = strcspn(p, ",");
		if ((name = strndup(p, len)) == NULL)
			fatal("strndup");
		memmove(name, trim(name), strlen(trim(name)) + 1);
		if (*name == '\0') {
			free(name);
		} else if (command_lookup(name) == -1 &&
		    !command_foreign(name)) {
			snprintf(err, errsize, "there is no command '%.64s'",
			    name);
			free(name);
			return (-1);
		} else {
			if ((rpc = calloc(1, sizeof(*rpc))) == NULL)
				fatal("calloc");
			rpc->name = name;
			rpc->line = line;
			rpc->next = *tail;
			*tail = rpc;
		}
		if (p[len] == '\0')
			return (0);
	}
}

/*
 * Each section in this form again.  Of one that is not there, and so
 * restricts nothing, a comment says so.
 */
void
conf_dump(const struct conf *conf)
{
	const struct rules *rules = &conf->rules;
	const struct {
		const char *name;
		int line;
	} sections[] = {
		{ "file", rules->fileline },
		{ "account", rules->accountline },
		{ "system", rules->systemline },
	};
	const struct exec_rule *rule;
	size_t i;

	printf("\n[limits]\n");
	dump_section(conf, "limits", conf);
	printf("\n[freeze]\n");
	dump_section(conf, "freeze", conf);
	for (rule = rules->execs; rule != NULL; rule = rule->next) {
		printf("\n[exec%s%s]\n", rule->name[0] == '\0' ? "" : " ",
		    rule->name);
		dump_section(conf, "exec", rule);
	}
	if (rules->execs == NULL)
		printf("\n# [exec] is not there: any program\n");
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (sections[i].line == 0) {
			printf("\n# [%s] is not there: no restriction\n",
			    sections[i].name);
			continue;
		}
		printf("\n[%s]\n", sections[i].name);
		dump_section(conf, sections[i].name, conf);
	}
}

static void
dump_section(const struct conf *conf, const char *section, const void *base)
{
	size_t i;

	for (i = 0; i < NKEYS; i++)
		if (strcmp(keys[i].section, section) == 0)
			dump_key(conf, &keys[i], (const unsigned char *)base +
			    keys[i].offset);
}

/* Nothing for one that is not given and has no default to be written. */
static void
dump_key(const struct conf *conf, const struct key *key, const void *where)
{
	const struct words *words = where;
	const char *text;
	uint64_t n;
	uint32_t i;
	int on;

	switch (key->type) {
	case KEY_BOOL:
		memcpy(&on, where, sizeof(on));
		printf("%s=%s\n", key->name, on ? "true" : "false");
		break;
	case KEY_ABORT:
		memcpy(&on, where, sizeof(on));
		printf("%s=%s\n", key->name, on ? "abort" : "warn");
		break;
	case KEY_SIZE:
	case KEY_COUNT:
		memcpy(&n, where, sizeof(n));
		if (n != EXEC_FREE)
			printf("%s=%llu\n", key->name, (unsigned long long)n);
		break;
	case KEY_STRING:
	case KEY_NAME:
	case KEY_PATH:
	case KEY_PREFIXES:
		memcpy(&text, where, sizeof(text));
		if (text == NULL)
			break;
		printf("%s=", key->name);
		conf_escaped(text, 1);
		printf("\n");
		break;
	case KEY_PATHS:
		dump_paths(conf, key);
		break;
	case KEY_WORDS:
		if (!words->set)
			break;
		printf("%s=", key->name);
		for (i = 0; i < words->n; i++) {
			if (i > 0)
				putchar((int)key->min);
			conf_escaped(words->v[i], 1);
		}
		printf("\n");
		break;
	case KEY_LIST:
	case KEY_PROFILE:
		break;		/* in [general], which options.c prints */
	}
}

static void
dump_paths(const struct conf *conf, const struct key *key)
{
	const struct file_rule *rule;
	const char *between = "";

	printf("%s=", key->name);
	for (rule = conf->rules.files; rule != NULL; rule = rule->next)
		if (rule->access == (int)key->min &&
		    rule->any == (int)key->max) {
			printf("%s", between);
			conf_escaped(rule->base, 1);
			between = ",";
		}
	printf("\n");
}

/*
 * What conf_unescape() makes this of.  all: blanks within it are escaped too,
 * where they would end a word; else as GLib does it.
 */
void
conf_escaped(const char *s, int all)
{
	static const char from[] = " \n\t\r\\", to[] = "sntr\\";
	const char *at, *begin = s + strspn(s, " \t"), *end = s + strlen(s);

	while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	for (; *s != '\0'; s++)
		if ((at = strchr(from, *s)) != NULL && (all || s < begin ||
		    s >= end || (*s != ' ' && *s != '\t')))
			printf("\\%c", to[at - from]);
		else
			putchar(*s);
}

/* Blanks off both ends, in place. */
static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r\v\f");
	for (len = strlen(s); len > 0 && strchr(" \t\r\v\f", s[len - 1]) !=
	    NULL; len--)
		s[len - 1] = '\0';
	return (s);
}

int
conf_unescape(char *s)
{
	static const char from[] = "sntr\\", to[] = " \n\t\r\\";
	const char *at;
	char *out;

	for (out = s; *s != '\0'; s++) {
		if (*s == '\\') {
			if (*++s == '\0' || (at = strchr(from, *s)) == NULL)
				return (-1);
			*out++ = to[at - from];
		} else
			*out++ = *s;
	}
	*out = '\0';
	return (0);
}
