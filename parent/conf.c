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
 * The configuration file: qemu-ga's [general], a GLib key file, [limits] and
 * [file].
 * Whatever is not understood stops the start, with file, line and key: a
 * policy that was misread is worse than none.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filemode.h"
#include "parent.h"

enum key_type { KEY_BOOL, KEY_STRING, KEY_LIST, KEY_SIZE, KEY_COUNT,
	KEY_PATHS, KEY_PREFIXES, KEY_ABORT };

static const struct key {
	const char	*section, *name;
	enum key_type	 type;
	size_t		 offset;
	uint64_t	 min, max;	/* of KEY_PATHS: access, any */
} keys[] = {
#define GENERAL(name, type, member)					\
	{ "general", name, type, offsetof(struct conf, member), 0, 0 }
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
#undef GENERAL
#define LIMIT(name, type, member, min, max)				\
	{ "limits", name, type, offsetof(struct conf, limits) +		\
	    offsetof(struct limits, member), min, max }
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
#undef LIMIT
#define PATHS(name, access, any)					\
	{ "file", name, KEY_PATHS, 0, access, any }
	PATHS("read", FILE_READ, 0),
	PATHS("read-any", FILE_READ, 1),
	PATHS("write", FILE_WRITE, 0),
	PATHS("write-any", FILE_WRITE, 1),
#undef PATHS
#define FREEZE(name, type, member, min, max)				\
	{ "freeze", name, type, offsetof(struct conf, member), min, max }
	FREEZE("auto-thaw", KEY_COUNT, auto_thaw, 1, 86400),
	FREEZE("exclude", KEY_PREFIXES, exclude, 0, 0),
	FREEZE("hook-failure", KEY_ABORT, hook_abort, 0, 0),
	FREEZE("quiesce", KEY_BOOL, quiesce, 0, 0),
	FREEZE("stuck-after", KEY_COUNT, stuck_after, 1, 300),
#undef FREEZE
};

#define NKEYS	(sizeof(keys) / sizeof(keys[0]))

static const struct key	*key_find(const char *, const char *, int *);
static int		 key_set(struct conf *, const struct key *, char *,
			    int, char *, size_t);
static int		 prefixes(const char *);
static int		 number(const char *, const struct key *, uint64_t *);
static int		 paths(struct conf *, const struct key *, char *,
			    char *, size_t);
static char		*trim(char *);
static int		 unescape(char *);

void
conf_defaults(struct conf *conf)
{
	static const struct limits defaults = LIMITS_DEFAULT;

	memset(conf, 0, sizeof(*conf));
	conf->limits = defaults;
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
	file_rules_free(conf->files);
	memset(conf, 0, sizeof(*conf));
}

char *
conf_read(const char *path)
{
	struct stat st;
	char *text;
	size_t have;
	ssize_t n;
	int fd, saved;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) ==
	    -1)
		return (NULL);
	if ((text = malloc(CONF_SIZE + 1)) == NULL)
		goto fail;
	if (fstat(fd, &st) == -1)
		goto fail;
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
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
		goto fail;
	}
	close(fd);
	return (text);
fail:
	saved = errno;
	free(text);
	close(fd);
	errno = saved;
	return (NULL);
}

int
conf_parse(struct conf *conf, const char *name, char *text, char *err,
    size_t errsize)
{
	char section[64] = "", *line, *next, *p, *value, why[512];
	const struct key *key;
	uint8_t seen[NKEYS] = { 0 };
	int known, no;

	for (no = 1, line = text; line != NULL; line = next, no++) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		line = trim(line);
		if (*line == '\0' || *line == '#')
			continue;
		if (*line == '[') {
			if ((p = strchr(line, ']')) == NULL || p[1] != '\0' ||
			    (size_t)(p - line) >= sizeof(section)) {
				snprintf(err, errsize, "%s:%d: '%.64s' is not "
				    "a section, [name] is expected", name, no,
				    line);
				return (-1);
			}
			*p = '\0';
			strlcpy(section, line + 1, sizeof(section));
			if (key_find(section, NULL, &known) == NULL && !known) {
				snprintf(err, errsize, "%s:%d: unknown section "
				    "[%s]", name, no, section);
				return (-1);
			}
			/* It need not have a key to restrict. */
			if (strcmp(section, "file") == 0)
				conf->fileset = 1;
			continue;
		}
		if ((p = strchr(line, '=')) == NULL) {
			snprintf(err, errsize, "%s:%d: '%.64s': key=value is "
			    "expected", name, no, line);
			return (-1);
		}
		*p = '\0';
		value = trim(p + 1);
		line = trim(line);
		if (section[0] == '\0') {
			snprintf(err, errsize, "%s:%d: %.64s: stands before "
			    "any [section]", name, no, line);
			return (-1);
		}
		if ((key = key_find(section, line, &known)) == NULL) {
			snprintf(err, errsize, "%s:%d: unknown key '%.64s' in "
			    "section [%s]", name, no, line, section);
			return (-1);
		}
		if (seen[key - keys]++) {
			snprintf(err, errsize, "%s:%d: %s: is given twice",
			    name, no, key->name);
			return (-1);
		}
		if (unescape(value) == -1) {
			snprintf(err, errsize, "%s:%d: %s: unknown escape in "
			    "the value", name, no, key->name);
			return (-1);
		}
		if (strcmp(section, "limits") == 0)
			conf->limitsset = 1;
		if (strcmp(section, "freeze") == 0)
			conf->freezeset = 1;
		if (key_set(conf, key, value, no, why, sizeof(why)) == -1) {
			snprintf(err, errsize, "%s:%d: %s: %s", name, no,
			    key->name, why);
			return (-1);
		}
	}
	/* A reply may echo an id as long as a request. */
	if (conf->limits.max_reply < conf->limits.max_request + 65536) {
		snprintf(err, errsize, "%s: max-reply: %llu is less than "
		    "max-request and 64K", name,
		    (unsigned long long)conf->limits.max_reply);
		return (-1);
	}
	return (0);
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
key_set(struct conf *conf, const struct key *key, char *value, int line,
    char *why, size_t size)
{
	unsigned char *where = (unsigned char *)conf + key->offset;
	char *copy;
	uint64_t n;
	int flag;

	switch (key->type) {
	case KEY_BOOL:
		if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0)
			flag = 1;
		else if (strcmp(value, "false") == 0 ||
		    strcmp(value, "0") == 0)
			flag = 0;
		else {
			snprintf(why, size, "'%.64s' is not true, false, 1 "
			    "or 0", value);
			return (-1);
		}
		memcpy(where, &flag, sizeof(flag));
		return (0);
	case KEY_ABORT:
		flag = strcmp(value, "abort") == 0;
		if (!flag && strcmp(value, "warn") != 0) {
			snprintf(why, size, "'%.64s' is not abort or warn",
			    value);
			return (-1);
		}
		memcpy(where, &flag, sizeof(flag));
		return (0);
	case KEY_PREFIXES:
		if (prefixes(value) == -1) {
			snprintf(why, size, "'%.64s' is not a list of "
			    "absolute paths, commas between", value);
			return (-1);
		}
		/* FALLTHROUGH */
	case KEY_STRING:
		if (*value == '\0') {
			snprintf(why, size, "a value is expected");
			return (-1);
		}
		if ((copy = strdup(value)) == NULL)
			fatal("strdup");
		memcpy(where, &copy, sizeof(copy));
		return (0);
	case KEY_LIST:
		if (key->offset == offsetof(struct conf, allow))
			conf->allowset = 1;
		return (conf_list((struct rpc **)(void *)where, value, line,
		    why, size));
	case KEY_SIZE:
	case KEY_COUNT:
		if (number(value, key, &n) == -1) {
			snprintf(why, size, "'%.64s' is not a %s from %llu to "
			    "%llu", value, key->type == KEY_SIZE ?
			    "size (bytes, or with K or M behind it)" :
			    "number", (unsigned long long)key->min,
			    (unsigned long long)key->max);
			return (-1);
		}
		memcpy(where, &n, sizeof(n));
		return (0);
	case KEY_PATHS:
		return (paths(conf, key, value, why, size));
	}
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
		if (n > (UINT64_MAX >> 24))
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
	else
		return (-1);
done:
	n *= unit;
	if (n < key->min || n > key->max)
		return (-1);
	*out = n;
	return (0);
}

/* Appended in their order. */
static int
paths(struct conf *conf, const struct key *key, char *value, char *why,
    size_t size)
{
	char base[MSG_PATH_MAX], *name, *next;
	struct file_rule *rule, **tail;
	const char *wrong;

	for (tail = &conf->files; *tail != NULL; tail = &(*tail)->next)
		;
	for (name = value; name != NULL; name = next) {
		if ((next = strchr(name, ',')) != NULL)
			*next++ = '\0';
		if (*(name = trim(name)) == '\0')
			continue;
		if ((wrong = path_normal(name, base)) != NULL) {
			snprintf(why, size, "'%.64s': %s", name, wrong);
			return (-1);
		}
		if ((rule = calloc(1, sizeof(*rule))) == NULL ||
		    (rule->base = strdup(base)) == NULL)
			fatal("calloc");
		rule->access = (int)key->min;
		rule->any = (int)key->max;
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

void
conf_dump(const struct conf *conf, const char *section)
{
	const unsigned char *where;
	const char *text;
	uint64_t n;
	size_t i;
	int flag;

	printf("\n[%s]\n", section);
	for (i = 0; i < NKEYS; i++) {
		if (strcmp(keys[i].section, section) != 0)
			continue;
		where = (const unsigned char *)conf + keys[i].offset;
		switch (keys[i].type) {
		case KEY_BOOL:
		case KEY_ABORT:
			memcpy(&flag, where, sizeof(flag));
			text = keys[i].type == KEY_BOOL ?
			    (flag ? "true" : "false") :
			    (flag ? "abort" : "warn");
			printf("%s=%s\n", keys[i].name, text);
			break;
		case KEY_PREFIXES:
		case KEY_STRING:
			memcpy(&text, where, sizeof(text));
			if (text != NULL)
				printf("%s=%s\n", keys[i].name, text);
			break;
		case KEY_SIZE:
		case KEY_COUNT:
			memcpy(&n, where, sizeof(n));
			printf("%s=%llu\n", keys[i].name,
			    (unsigned long long)n);
			break;
		case KEY_LIST:
		case KEY_PATHS:
			break;
		}
	}
}

void
conf_dump_files(const struct conf *conf)
{
	const struct file_rule *rule;
	const char *between;
	size_t i;

	printf("\n[file]\n");
	for (i = 0; i < NKEYS; i++) {
		if (keys[i].type != KEY_PATHS)
			continue;
		printf("%s=", keys[i].name);
		between = "";
		for (rule = conf->files; rule != NULL; rule = rule->next)
			if (rule->access == (int)keys[i].min &&
			    rule->any == (int)keys[i].max) {
				printf("%s%s", between, rule->base);
				between = ",";
			}
		printf("\n");
	}
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

/* The escapes of a GLib key file, in place. */
static int
unescape(char *s)
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
