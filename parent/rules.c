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
 * The rules on what commands are about: how their values are read, and what
 * matches them.  Nothing here resolves a path or a name, and a decision
 * allocates nothing: what was really opened, looked up or executed is the
 * worker's to judge, which gets the rule with the request.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parent.h"
#include "users.h"

#define WORDS_MAX	64		/* of one key */
#define PATTERN_MAX	255		/* bytes */
#define MATCHED_MAX	4096		/* longer than that matches nothing */
#define ENVIRONMENT_MAX	4096		/* bytes of one rule's */
#define MORE		"..."		/* any arguments from here on */

static int	 split(struct words *, char *, char, char *, size_t);
static int	 bad(char *, size_t, const char *, const char *);
static int	 is_variable(const char *, size_t);
static const char *program_of(const struct exec_rule *, const char *);
static int	 arguments_match(const struct words *, const struct msg_exec *);
static int	 wild(char);
static int	 climbs(const char *);
static void	 words_free(struct words *);

/* --- values --- */

int
rules_programs(struct words *w, char *value, char *why, size_t size)
{
	char path[MSG_PATH_MAX];
	const char *wrong;
	uint32_t i;

	if (split(w, value, ',', why, size) == -1)
		return (-1);
	for (i = 0; i < w->n; i++) {
		if ((wrong = path_normal(w->v[i], path)) != NULL)
			return (bad(why, size, w->v[i], wrong));
		if (path[1] == '\0')
			return (bad(why, size, path, "a program is expected"));
		/* It cannot have grown. */
		memcpy(w->v[i], path, strlen(path) + 1);
	}
	return (0);
}

int
rules_patterns(struct words *w, char *value, char *why, size_t size)
{
	const char *p;
	uint32_t i;

	if (split(w, value, ' ', why, size) == -1)
		return (-1);
	for (i = 0; i < w->n; i++) {
		if (strcmp(w->v[i], MORE) == 0 && i + 1 < w->n)
			return (bad(why, size, w->v[i], "is for the end"));
		if (strlen(w->v[i]) > PATTERN_MAX)
			return (bad(why, size, w->v[i], "is too long"));
		for (p = w->v[i]; *p != '\0'; p++)
			if (*p == '\\' && *++p == '\0')
				return (bad(why, size, w->v[i], "nothing "
				    "stands behind its last backslash"));
	}
	return (0);
}

int
rules_environment(struct words *w, char *value, char *why, size_t size)
{
	size_t len = 0;
	uint32_t i;

	if (split(w, value, ' ', why, size) == -1)
		return (-1);
	for (i = 0; i < w->n; i++) {
		if (!is_variable(w->v[i], strcspn(w->v[i], "=")))
			return (bad(why, size, w->v[i],
			    "NAME=value or NAME is expected"));
		len += strlen(w->v[i]) + 1;
	}
	if (len > ENVIRONMENT_MAX) {
		snprintf(why, size, "at most %d bytes are expected",
		    ENVIRONMENT_MAX);
		return (-1);
	}
	return (0);
}

int
rules_variables(struct words *w, char *value, char *why, size_t size)
{
	uint32_t i;

	if (split(w, value, ',', why, size) == -1)
		return (-1);
	for (i = 0; i < w->n; i++)
		if (!is_variable(w->v[i], strlen(w->v[i])))
			return (bad(why, size, w->v[i],
			    "is not the name of a variable"));
	return (0);
}

int
rules_names(struct words *w, char *value, char *why, size_t size)
{
	uint32_t i;

	if (split(w, value, ',', why, size) == -1)
		return (-1);
	for (i = 0; i < w->n; i++)
		if (strlen(w->v[i]) >= MSG_NAME_MAX ||
		    w->v[i][strcspn(w->v[i], " :/\t\n\r")] != '\0')
			return (bad(why, size, w->v[i], "is not a name"));
	return (0);
}

/* At commas, blanks off both ends; or at blanks, and each word unescaped. */
static int
split(struct words *w, char *value, char at, char *why, size_t size)
{
	const char *blanks = " \t\r\v\f", *ends = at == ' ' ? blanks : ",";
	char *p, *next;
	size_t len;

	w->set = 1;
	w->n = 0;
	if ((w->v = calloc(WORDS_MAX + 1, sizeof(*w->v))) == NULL)
		fatal("calloc");
	if (at != ' ' && conf_unescape(value) == -1)
		return (bad(why, size, value, "unknown escape"));
	for (p = value; p != NULL; p = next) {
		p += strspn(p, blanks);
		len = strcspn(p, ends);
		next = p[len] == '\0' ? NULL : p + len + 1;
		p[len] = '\0';
		while (len > 0 && strchr(blanks, p[len - 1]) != NULL)
			p[--len] = '\0';
		if (len == 0)
			continue;
		if (at == ' ' && conf_unescape(p) == -1)
			return (bad(why, size, p, "unknown escape"));
		if (w->n == WORDS_MAX) {
			snprintf(why, size, "at most %d are expected",
			    WORDS_MAX);
			return (-1);
		}
		if ((w->v[w->n++] = strdup(p)) == NULL)
			fatal("strdup");
	}
	return (0);
}

static int
bad(char *why, size_t size, const char *value, const char *wrong)
{
	snprintf(why, size, "'%.64s': %s", value, wrong);
	return (-1);
}

static int
is_variable(const char *s, size_t len)
{
	return (len > 0 && (*s < '0' || *s > '9') && strspn(s,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_") == len);
}

/* --- the lists of them --- */

struct exec_rule *
rules_exec_new(struct rules *rules, const char *name, int line)
{
	struct exec_rule *rule, **tail;
	int i;

	if ((rule = calloc(1, sizeof(*rule))) == NULL)
		fatal("calloc");
	strlcpy(rule->name, name, sizeof(rule->name));
	rule->line = line;
	rule->time = rule->jobs = rule->output = EXEC_FREE;
	for (i = 0; i < EXEC_BOUNDS; i++)
		rule->bound[i] = EXEC_FREE;
	if (rules->execline == 0)
		rules->execline = line;
	for (tail = &rules->execs; *tail != NULL; tail = &(*tail)->next)
		;
	*tail = rule;
	return (rule);
}

void
rules_free(struct rules *rules)
{
	struct file_rule *file;
	struct exec_rule *exec;

	while ((file = rules->files) != NULL) {
		rules->files = file->next;
		free(file->base);
		free(file);
	}
	while ((exec = rules->execs) != NULL) {
		rules->execs = exec->next;
		words_free(&exec->programs);
		words_free(&exec->arguments);
		words_free(&exec->environment);
		words_free(&exec->hostenv);
		free(exec->user);
		free(exec->group);
		free(exec->directory);
		free(exec);
	}
	words_free(&rules->passwords);
	words_free(&rules->keys);
	memset(rules, 0, sizeof(*rules));
}

static void
words_free(struct words *w)
{
	uint32_t i;

	for (i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
}

int
rules_users(const struct rules *rules, const char *file, char *err,
    size_t size)
{
	const struct exec_rule *rule;
	struct user user;
	const char *what = NULL, *name = NULL;
	gid_t gid;

	for (rule = rules->execs; rule != NULL; rule = rule->next) {
		if (rule->user != NULL && user_find(rule->user, &user) != 1) {
			what = "user";
			name = rule->user;
		} else if (rule->group != NULL &&
		    group_find(rule->group, &gid) != 1) {
			what = "group";
			name = rule->group;
		} else
			continue;
		snprintf(err, size, "%s:%d: %s: there is no %s '%.64s'",
		    file, rule->line, what, what, name);
		return (-1);
	}
	return (0);
}

/* --- what matches --- */

/*
 * The first rule that allows all of it; NULL: *why is what the one that went
 * furthest says.
 */
const struct exec_rule *
rules_exec(const struct rules *rules, const struct msg_exec *m,
    const char **program, const char **why)
{
	static const char *const reasons[] = {
		"no rule allows this program",
		"no rule allows this program with these arguments",
		"its rule does not allow input-data",
		"its rule does not let the host set these variables",
	};
	const struct exec_rule *rule;
	size_t reason = 0, n;

	for (rule = rules->execs; rule != NULL; rule = rule->next) {
		if ((*program = program_of(rule, m->path)) == NULL)
			continue;
		if (!arguments_match(&rule->arguments, m))
			n = 1;
		else if (m->hasinput && !rule->input)
			n = 2;
		else if (!rules_hostenv(rule, m))
			n = 3;
		else
			return (rule);
		if (n > reason)
			reason = n;
	}
	*why = reasons[reason];
	return (NULL);
}

/*
 * A path must be one of the rule's; a name alone the last part of one, which
 * is then executed, wherever else such a name may be.
 */
static const char *
program_of(const struct exec_rule *rule, const char *path)
{
	char whole[MSG_PATH_MAX];
	const char *program;
	uint32_t i;

	if (strchr(path, '/') != NULL) {
		if (path_normal(path, whole) != NULL)
			return (NULL);
		path = whole;
	}
	for (i = 0; i < rule->programs.n; i++) {
		program = rule->programs.v[i];
		if (strcmp(*path == '/' ? program : strrchr(program, '/') + 1,
		    path) == 0)
			return (program);
	}
	return (NULL);
}

/* A pattern for each argument, and an argument for each pattern. */
static int
arguments_match(const struct words *patterns, const struct msg_exec *m)
{
	uint32_t i;

	if (!patterns->set)
		return (1);
	for (i = 0; i < patterns->n; i++) {
		if (strcmp(patterns->v[i], MORE) == 0)
			return (1);
		if (i >= m->argc || !rules_match(patterns->v[i], m->argv[i]))
			return (0);
	}
	return (i == m->argc);
}

int
rules_hostenv(const struct exec_rule *rule, const struct msg_exec *m)
{
	const char *name;
	uint32_t i, j;
	size_t len;

	for (i = 0; i < m->envc; i++) {
		len = strcspn(m->envp[i], "=");
		if (m->envp[i][len] == '\0')
			return (0);
		for (j = 0; j < rule->hostenv.n; j++) {
			name = rule->hostenv.v[j];
			if (strlen(name) == len &&
			    memcmp(name, m->envp[i], len) == 0)
				break;
		}
		if (j == rule->hostenv.n)
			return (0);
	}
	return (1);
}

/*
 * '*' is any run of characters, '?' one; neither a '/' nor a control
 * character, so that neither leads into another directory or line, and at
 * the start of a pattern not a '-', which would make an option of it.
 * Backslash takes a character as it is.
 */
int
rules_match(const char *pattern, const char *text)
{
	const char *p = pattern, *t = text, *star = NULL, *back = NULL;

	if (strlen(text) > MATCHED_MAX ||
	    ((*p == '*' || *p == '?') && *t == '-') ||
	    climbs(text) > climbs(pattern))
		return (0);
	for (;;) {
		if (*p == '*') {
			star = ++p;
			back = t;
			continue;
		}
		if (*p == '\0' && *t == '\0')
			return (1);
		if (*p == '?' && wild(*t)) {
			p++;
			t++;
			continue;
		}
		if (*p != '\0' && *p != '?' && p[*p == '\\'] == *t) {
			p += *p == '\\' ? 2 : 1;
			t++;
			continue;
		}
		/* The star before takes one more, if it may. */
		if (star == NULL || !wild(*back))
			return (0);
		p = star;
		t = ++back;
	}
}

/* No byte either that is in no UTF-8: QEMU writes a NUL as 0xc0 0x80. */
static int
wild(char ch)
{
	unsigned char c = (unsigned char)ch;

	return (c >= ' ' && c != 0x7f && c != '/' && c != 0xc0 && c != 0xc1 &&
	    c < 0xf5);
}

/* How many ".." of a path are in it, glued to a short option too? */
static int
climbs(const char *text)
{
	const char *p;
	int n = 0;

	for (p = text; (p = strstr(p, "..")) != NULL; p++)
		if ((p == text || strchr("/=:,", p[-1]) != NULL ||
		    (p == text + 2 && *text == '-')) &&
		    (p[2] == '\0' || p[2] == '/'))
			n++;
	return (n);
}
