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
 * The arguments of each command, as tables, and the check of a request
 * against them.  Nothing here acts; the strings stay json-c's.
 */

#ifndef SCHEMA_H
#define SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "commands.h"

struct json_object;
struct unit;

#define SCHEMA_ARGS	5	/* the most that a command has */

enum { SYNC_ID };
enum { EXEC_PATH, EXEC_ARG, EXEC_ENV, EXEC_INPUT, EXEC_CAPTURE };
enum { EXEC_STATUS_PID };
enum { FILE_OPEN_PATH, FILE_OPEN_MODE };
enum { FILE_HANDLE };			/* of all the others, then */
enum { FILE_READ_COUNT = 1 };
enum { FILE_WRITE_BUF = 1, FILE_WRITE_COUNT };
enum { FILE_SEEK_OFFSET = 1, FILE_SEEK_WHENCE };
enum { SHUTDOWN_MODE };
enum { SET_TIME_TIME };
enum { SET_UNITS_LIST };
enum { FSTRIM_MINIMUM };
enum { PASSWORD_USER, PASSWORD_SECRET, PASSWORD_CRYPTED };
enum { SSH_USER, SSH_KEYS, SSH_RESET };
enum { FREEZE_MOUNTS };

struct arg {
	int		 given;
	int64_t		 num;		/* integer, capture_mode, whence, */
					/* file_mode by its number */
	const char	*str;		/* a string */
	struct json_object *list;	/* of strings, of objects */
	size_t		 n;		/* how many */
};

/*
 * The command that the message names, CMD_MAX if there is no such, and the
 * object of its arguments, NULL if there is none.  0, or -1 with the text of
 * the error, malloc'd.
 */
int	 schema_message(struct json_object *, enum command_id *,
	    const char **name, struct json_object **args, char **error);
/*
 * Fill in the command's arguments, by the numbers above.  0, or -1 with the
 * error's text, malloc'd.
 */
int	 schema_args(enum command_id, struct json_object *,
	    struct arg[SCHEMA_ARGS], char **error);
/* The i'th processor or memory block of a list. */
void	 schema_unit(const struct arg *, size_t, struct unit *);
/* The i'th string of a list. */
const char *schema_item(const struct arg *, size_t);
/* printf to malloc'd memory; never NULL. */
char	*text_format(const char *, ...) __attribute__((format(printf, 1, 2)));

#endif
