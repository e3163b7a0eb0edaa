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

#include <json-c/json.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "filemode.h"
#include "log.h"
#include "messages.h"
#include "schema.h"

struct arg_row;

typedef int (*arg_check)(const struct arg_row *, struct json_object *,
    struct arg *, char **);

static int	 check_int(const struct arg_row *, struct json_object *,
		    struct arg *, char **);
static int	 check_string(const struct arg_row *, struct json_object *,
		    struct arg *, char **);
static int	 check_strings(const struct arg_row *, struct json_object *,
		    struct arg *, char **);
static int	 check_uint(const struct arg_row *, struct json_object *,
		    struct arg *, char **);
static int	 check_bool(const struct arg_row *, struct json_object *,
		    struct arg *, char **);
static int	 check_vcpus(const struct arg_row *, struct json_object *,
		    struct arg *, char **);
static int	 check_blocks(const struct arg_row *, struct json_object *,
		    struct arg *, char **);
static int	 check_objects(const struct arg_row *, const struct arg_row *,
		    struct json_object *, struct arg *, char **);
static int	 check_capture(const struct arg_row *, struct json_object *,
		    struct arg *, char **);
static int	 check_mode(const struct arg_row *, struct json_object *,
		    struct arg *, char **);
static int	 check_whence(const struct arg_row *, struct json_object *,
		    struct arg *, char **);
static int	 wrong_type(const char *, const char *, char **);
static int	 has_nul(struct json_object *);
static int	 check_members(const struct arg_row *, const char *,
		    struct json_object *, struct arg *, char **);
static int	 known(const struct arg_row *, const char *);
static int	 row_used(const struct arg_row *, size_t);

struct arg_row {
	const char	*name;
	arg_check	 check;
	int		 optional;
};

/* Of the objects in a list. */
static const struct arg_row vcpu[SCHEMA_ARGS] = {
	{ "logical-id", check_int, 0 },
	{ "online", check_bool, 0 },
	{ "can-offline", check_bool, 1 },
};
static const struct arg_row memory_block[SCHEMA_ARGS] = {
	{ "phys-index", check_uint, 0 },
	{ "online", check_bool, 0 },
	{ "can-offline", check_bool, 1 },
};

/* In the order in which missing and mistyped ones are told. */
static const struct arg_row schemas[CMD_MAX][SCHEMA_ARGS] = {
	[CMD_GUEST_SYNC] = {
		[SYNC_ID] =		{ "id", check_int, 0 },
	},
	[CMD_GUEST_SYNC_DELIMITED] = {
		[SYNC_ID] =		{ "id", check_int, 0 },
	},
	[CMD_GUEST_EXEC] = {
		[EXEC_PATH] =		{ "path", check_string, 0 },
		[EXEC_ARG] =		{ "arg", check_strings, 1 },
		[EXEC_ENV] =		{ "env", check_strings, 1 },
		/* The lexer's marker: its bytes are with the request. */
		[EXEC_INPUT] =		{ "input-data", check_string, 1 },
		[EXEC_CAPTURE] =	{ "capture-output", check_capture, 1 },
	},
	[CMD_GUEST_EXEC_STATUS] = {
		[EXEC_STATUS_PID] =	{ "pid", check_int, 0 },
	},
	[CMD_GUEST_FILE_OPEN] = {
		[FILE_OPEN_PATH] =	{ "path", check_string, 0 },
		[FILE_OPEN_MODE] =	{ "mode", check_mode, 1 },
	},
	[CMD_GUEST_FILE_CLOSE] = {
		[FILE_HANDLE] =		{ "handle", check_int, 0 },
	},
	[CMD_GUEST_FILE_READ] = {
		[FILE_HANDLE] =		{ "handle", check_int, 0 },
		[FILE_READ_COUNT] =	{ "count", check_int, 1 },
	},
	[CMD_GUEST_FILE_WRITE] = {
		[FILE_HANDLE] =		{ "handle", check_int, 0 },
		/* The lexer's marker, as of input-data. */
		[FILE_WRITE_BUF] =	{ "buf-b64", check_string, 0 },
		[FILE_WRITE_COUNT] =	{ "count", check_int, 1 },
	},
	[CMD_GUEST_FILE_SEEK] = {
		[FILE_HANDLE] =		{ "handle", check_int, 0 },
		[FILE_SEEK_OFFSET] =	{ "offset", check_int, 0 },
		[FILE_SEEK_WHENCE] =	{ "whence", check_whence, 0 },
	},
	[CMD_GUEST_FILE_FLUSH] = {
		[FILE_HANDLE] =		{ "handle", check_int, 0 },
	},
	[CMD_GUEST_SHUTDOWN] = {
		[SHUTDOWN_MODE] =	{ "mode", check_string, 1 },
	},
	[CMD_GUEST_SET_TIME] = {
		[SET_TIME_TIME] =	{ "time", check_int, 1 },
	},
	[CMD_GUEST_SET_VCPUS] = {
		[SET_UNITS_LIST] =	{ "vcpus", check_vcpus, 0 },
	},
	[CMD_GUEST_SET_MEMORY_BLOCKS] = {
		[SET_UNITS_LIST] =	{ "mem-blks", check_blocks, 0 },
	},
	[CMD_GUEST_FSTRIM] = {
		[FSTRIM_MINIMUM] =	{ "minimum", check_int, 1 },
	},
	[CMD_GUEST_SET_USER_PASSWORD] = {
		[PASSWORD_USER] =	{ "username", check_string, 0 },
		/* A marker too: the secret is in memory of its own. */
		[PASSWORD_SECRET] =	{ "password", check_string, 0 },
		[PASSWORD_CRYPTED] =	{ "crypted", check_bool, 0 },
	},
	[CMD_GUEST_SSH_GET_AUTHORIZED_KEYS] = {
		[SSH_USER] =		{ "username", check_string, 0 },
	},
	[CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS] = {
		[SSH_USER] =		{ "username", check_string, 0 },
		[SSH_KEYS] =		{ "keys", check_strings, 0 },
		[SSH_RESET] =		{ "reset", check_bool, 1 },
	},
	[CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS] = {
		[SSH_USER] =		{ "username", check_string, 0 },
		[SSH_KEYS] =		{ "keys", check_strings, 0 },
	},
	[CMD_GUEST_FSFREEZE_FREEZE_LIST] = {
		[FREEZE_MOUNTS] =	{ "mountpoints", check_strings, 1 },
	},
};

static const char *const capture_names[CAPTURE_MODES] = {
	[CAPTURE_NONE] = "none",
	[CAPTURE_STDOUT] = "stdout",
	[CAPTURE_STDERR] = "stderr",
	[CAPTURE_SEPARATED] = "separated",
	[CAPTURE_MERGED] = "merged",
};

char *
text_format(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n == -1)
		fatal("vasprintf");
	return (s);
}

int
schema_message(struct json_object *msg, enum command_id *cmd,
    const char **name, struct json_object **args, char **error)
{
	int id;

	*name = NULL;
	*args = NULL;
	json_object_object_foreach(msg, key, val) {
		if (strcmp(key, "execute") == 0) {
			if (!json_object_is_type(val, json_type_string)) {
				*error = text_format("QMP input member "
				    "'execute' must be a string");
				return (-1);
			}
			*name = json_object_get_string(val);
		} else if (strcmp(key, "arguments") == 0) {
			if (!json_object_is_type(val, json_type_object)) {
				*error = text_format("QMP input member "
				    "'arguments' must be an object");
				return (-1);
			}
			*args = val;
		} else if (strcmp(key, "id") != 0) {
			*error = text_format("QMP input member '%s' is "
			    "unexpected", key);
			return (-1);
		}
	}
	if (*name == NULL) {
		*error = text_format("QMP input lacks member 'execute'");
		return (-1);
	}
	id = command_lookup(*name);
	*cmd = id == -1 ? CMD_MAX : (enum command_id)id;
	return (0);
}

int
schema_args(enum command_id cmd, struct json_object *args,
    struct arg out[SCHEMA_ARGS], char **error)
{
	memset(out, 0, SCHEMA_ARGS * sizeof(*out));
	return (check_members(schemas[cmd], "", args, out, error));
}

/* at: what the names in an error begin with; out NULL: only checked. */
static int
check_members(const struct arg_row *rows, const char *at,
    struct json_object *obj, struct arg *out, char **error)
{
	struct json_object *val;
	struct arg_row row;
	struct arg arg;
	char name[96];
	size_t i;

	for (i = 0; row_used(rows, i); i++) {
		row = rows[i];
		(void)snprintf(name, sizeof(name), "%s%s", at, row.name);
		row.name = name;
		if (obj == NULL ||
		    !json_object_object_get_ex(obj, rows[i].name, &val)) {
			if (row.optional)
				continue;
			*error = text_format("Parameter '%s' is missing",
			    name);
			return (-1);
		}
		memset(&arg, 0, sizeof(arg));
		arg.given = 1;
		if (row.check(&row, val, &arg, error) == -1)
			return (-1);
		if (out != NULL)
			out[i] = arg;
	}
	if (obj == NULL)
		return (0);
	json_object_object_foreach(obj, key, unused) {
		(void)unused;
		if (!known(rows, key)) {
			*error = text_format("Parameter '%s%s' is unexpected",
			    at, key);
			return (-1);
		}
	}
	return (0);
}

static int
row_used(const struct arg_row *rows, size_t i)
{
	return (i < SCHEMA_ARGS && rows[i].name != NULL);
}

static int
known(const struct arg_row *rows, const char *key)
{
	size_t i;

	for (i = 0; row_used(rows, i); i++)
		if (strcmp(rows[i].name, key) == 0)
			return (1);
	return (0);
}

static int
wrong_type(const char *name, const char *expected, char **error)
{
	*error = text_format("Invalid parameter type for '%s', expected: %s",
	    name, expected);
	return (-1);
}

/* What int64 cannot hold is a double by now: the lexer saw to it. */
static int
check_int(const struct arg_row *row, struct json_object *val,
    struct arg *arg, char **error)
{
	if (!json_object_is_type(val, json_type_int))
		return (wrong_type(row->name, "integer", error));
	arg->num = json_object_get_int64(val);
	return (0);
}

/* The lexer keeps \u0000 as two bytes: a string is never cut. */
static int
has_nul(struct json_object *val)
{
	return (strlen(json_object_get_string(val)) !=
	    (size_t)json_object_get_string_len(val));
}

static int
check_string(const struct arg_row *row, struct json_object *val,
    struct arg *arg, char **error)
{
	if (!json_object_is_type(val, json_type_string) || has_nul(val))
		return (wrong_type(row->name, "string", error));
	arg->str = json_object_get_string(val);
	return (0);
}

static int
check_strings(const struct arg_row *row, struct json_object *val,
    struct arg *arg, char **error)
{
	struct json_object *item;
	size_t i;
	char name[64];

	if (!json_object_is_type(val, json_type_array))
		return (wrong_type(row->name, "array", error));
	arg->list = val;
	arg->n = json_object_array_length(val);
	for (i = 0; i < arg->n; i++) {
		item = json_object_array_get_idx(val, i);
		if (json_object_is_type(item, json_type_string) &&
		    !has_nul(item))
			continue;
		(void)snprintf(name, sizeof(name), "%s[%zu]", row->name, i);
		return (wrong_type(name, "string", error));
	}
	return (0);
}

/* A negative one is taken for what it is without a sign, as QEMU does. */
static int
check_uint(const struct arg_row *row, struct json_object *val,
    struct arg *arg, char **error)
{
	if (!json_object_is_type(val, json_type_int)) {
		*error = text_format("Parameter '%s' expects uint64",
		    row->name);
		return (-1);
	}
	arg->num = json_object_get_int64(val);
	return (0);
}

static int
check_bool(const struct arg_row *row, struct json_object *val,
    struct arg *arg, char **error)
{
	if (!json_object_is_type(val, json_type_boolean))
		return (wrong_type(row->name, "boolean", error));
	arg->num = json_object_get_boolean(val);
	return (0);
}

static int
check_vcpus(const struct arg_row *row, struct json_object *val,
    struct arg *arg, char **error)
{
	return (check_objects(row, vcpu, val, arg, error));
}

static int
check_blocks(const struct arg_row *row, struct json_object *val,
    struct arg *arg, char **error)
{
	return (check_objects(row, memory_block, val, arg, error));
}

static int
check_objects(const struct arg_row *row, const struct arg_row *members,
    struct json_object *val, struct arg *arg, char **error)
{
	struct json_object *item;
	size_t i;
	char at[64];

	if (!json_object_is_type(val, json_type_array))
		return (wrong_type(row->name, "array", error));
	arg->list = val;
	arg->n = json_object_array_length(val);
	for (i = 0; i < arg->n; i++) {
		item = json_object_array_get_idx(val, i);
		(void)snprintf(at, sizeof(at), "%s[%zu]", row->name, i);
		if (!json_object_is_type(item, json_type_object))
			return (wrong_type(at, "object", error));
		(void)strlcat(at, ".", sizeof(at));
		if (check_members(members, at, item, NULL, error) == -1)
			return (-1);
	}
	return (0);
}

static int
check_capture(const struct arg_row *row, struct json_object *val,
    struct arg *arg, char **error)
{
	const char *name;
	int mode;

	if (json_object_is_type(val, json_type_boolean)) {
		arg->num = json_object_get_boolean(val) ?
		    CAPTURE_SEPARATED : CAPTURE_NONE;
		return (0);
	}
	if (!json_object_is_type(val, json_type_string))
		return (wrong_type(row->name, "GuestExecCaptureOutput",
		    error));
	name = json_object_get_string(val);
	for (mode = 0; mode < CAPTURE_MODES; mode++)
		if (strcmp(capture_names[mode], name) == 0) {
			arg->num = mode;
			return (0);
		}
	*error = text_format("Parameter '%s' does not accept value '%s'",
	    row->name, name);
	return (-1);
}

static int
check_mode(const struct arg_row *row, struct json_object *val,
    struct arg *arg, char **error)
{
	if (check_string(row, val, arg, error) == -1)
		return (-1);
	if ((arg->num = file_mode_lookup(arg->str)) != -1)
		return (0);
	*error = text_format("invalid file open mode '%s'", arg->str);
	return (-1);
}

/* QEMU's alternate: the name, or the number that lseek(2) has always had. */
static int
check_whence(const struct arg_row *row, struct json_object *val,
    struct arg *arg, char **error)
{
	static const char *const names[FILE_WHENCES] = { "set", "cur", "end" };
	const char *name;

	if (json_object_is_type(val, json_type_int)) {
		arg->num = json_object_get_int64(val);
		if (arg->num >= 0 && arg->num < FILE_WHENCES)
			return (0);
		*error = text_format("invalid whence code %lld",
		    (long long)arg->num);
		return (-1);
	}
	if (!json_object_is_type(val, json_type_string))
		return (wrong_type(row->name, "GuestFileWhence", error));
	name = json_object_get_string(val);
	for (arg->num = 0; arg->num < FILE_WHENCES; arg->num++)
		if (strcmp(names[arg->num], name) == 0)
			return (0);
	*error = text_format("Parameter '%s' does not accept value '%s'",
	    row->name, name);
	return (-1);
}

void
schema_unit(const struct arg *arg, size_t i, struct unit *unit)
{
	struct json_object *item = json_object_array_get_idx(arg->list, i);
	struct json_object *val;

	memset(unit, 0, sizeof(*unit));
	if (json_object_object_get_ex(item, "logical-id", &val) ||
	    json_object_object_get_ex(item, "phys-index", &val))
		unit->number = (uint64_t)json_object_get_int64(val);
	if (json_object_object_get_ex(item, "online", &val))
		unit->online = json_object_get_boolean(val) ? 1 : 0;
}

const char *
schema_item(const struct arg *arg, size_t i)
{
	return (json_object_get_string(json_object_array_get_idx(arg->list,
	    i)));
}
