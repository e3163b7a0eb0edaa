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

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "config.h"
#include "filemode.h"
#include "handlers.h"
#include "json.h"
#include "log.h"
#include "monitor.h"
#include "stream.h"

#define FILE_READ_DEFAULT	4096	/* qemu-ga's count */

static void	 sync_start(struct hand *);
static void	 ping_start(struct hand *);
static void	 info_start(struct hand *);
static void	 query_start(struct hand *);
static void	 exec_start(struct hand *);
static void	 exec_reply(const struct msg_reply *);
static void	 exec_status_start(struct hand *);
static void	 file_open_start(struct hand *);
static void	 handle_reply(const struct msg_reply *);
static void	 file_send(struct hand *, enum msg_type, int64_t, uint32_t);
static void	 file_close_start(struct hand *);
static void	 file_read_start(struct hand *);
static void	 file_write_start(struct hand *);
static void	 count_reply(const struct msg_reply *);
static void	 file_seek_start(struct hand *);
static void	 position_reply(const struct msg_reply *);
static void	 file_flush_start(struct hand *);
static void	 bad_count(int64_t);
static void	 shutdown_start(struct hand *);
static void	 set_time_start(struct hand *);
static void	 set_units_start(struct hand *);
static void	 fstrim_start(struct hand *);
static void	 suspend_start(struct hand *);
static void	 password_start(struct hand *);
static void	 ssh_start(struct hand *);
static int	 user_fits(const struct arg *);
static void	 empty_reply(const struct msg_reply *);
static void	 freeze_start(struct hand *);
static void	 fsfreeze_start(struct hand *);
static void	 status_reply(const struct msg_reply *);
static void	 number_reply(const struct msg_reply *);
static void	 nothing_reply(const struct msg_reply *);
static char	**strings(const struct arg *);

const struct handler handlers[CMD_MAX] = {
	[CMD_GUEST_SYNC] = { .start = sync_start },
	[CMD_GUEST_SYNC_DELIMITED] = { .start = sync_start },
	[CMD_GUEST_PING] = { .start = ping_start },
	[CMD_GUEST_INFO] = { .start = info_start },
	[CMD_GUEST_GET_OSINFO] = { .start = query_start },
	[CMD_GUEST_GET_HOST_NAME] = { .start = query_start },
	[CMD_GUEST_GET_TIME] = { .start = query_start },
	[CMD_GUEST_GET_TIMEZONE] = { .start = query_start },
	[CMD_GUEST_GET_USERS] = { .start = query_start },
	[CMD_GUEST_NETWORK_GET_INTERFACES] = { .start = query_start },
	[CMD_GUEST_GET_DISKS] = { .start = query_start },
	[CMD_GUEST_GET_DISKSTATS] = { .start = query_start },
	[CMD_GUEST_GET_FSINFO] = { .start = query_start },
	[CMD_GUEST_GET_HOSTNAME] = { .start = query_start },
	[CMD_GUEST_GET_LOAD] = { .start = query_start },
	[CMD_GUEST_GET_VCPUS] = { .start = query_start },
	[CMD_GUEST_GET_MEMORY_BLOCKS] = { .start = query_start },
	[CMD_GUEST_GET_MEMORY_BLOCK_INFO] = { .start = query_start },
	[CMD_GUEST_GET_CPUSTATS] = { .start = query_start },
	[CMD_GUEST_NETWORK_GET_ROUTE] = { .start = query_start },
	[CMD_GUEST_EXEC] = { exec_start, REPLY_NUMBER, exec_reply },
	/* Its reply is streamed: request.c. */
	[CMD_GUEST_EXEC_STATUS] = { exec_status_start, REPLY_EXEC, NULL },
	[CMD_GUEST_FILE_OPEN] = { file_open_start, REPLY_NUMBER,
	    handle_reply },
	[CMD_GUEST_FILE_CLOSE] = { file_close_start, REPLY_EMPTY,
	    empty_reply },
	/* Streamed as well. */
	[CMD_GUEST_FILE_READ] = { file_read_start, REPLY_FILE, NULL },
	[CMD_GUEST_FILE_WRITE] = { file_write_start, REPLY_NUMBER,
	    count_reply },
	[CMD_GUEST_FILE_SEEK] = { file_seek_start, REPLY_NUMBER,
	    position_reply },
	[CMD_GUEST_FILE_FLUSH] = { file_flush_start, REPLY_EMPTY,
	    empty_reply },
	[CMD_GUEST_SHUTDOWN] = { shutdown_start, REPLY_EMPTY, nothing_reply },
	[CMD_GUEST_SET_TIME] = { set_time_start, REPLY_EMPTY, empty_reply },
	[CMD_GUEST_SET_VCPUS] = { .start = set_units_start },
	[CMD_GUEST_SET_MEMORY_BLOCKS] = { .start = set_units_start },
	[CMD_GUEST_FSTRIM] = { .start = fstrim_start },
	[CMD_GUEST_SUSPEND_DISK] = { suspend_start, REPLY_EMPTY,
	    nothing_reply },
	[CMD_GUEST_SUSPEND_RAM] = { suspend_start, REPLY_EMPTY,
	    nothing_reply },
	[CMD_GUEST_SUSPEND_HYBRID] = { suspend_start, REPLY_EMPTY,
	    nothing_reply },
	[CMD_GUEST_SET_USER_PASSWORD] = { password_start, REPLY_EMPTY,
	    empty_reply },
	[CMD_GUEST_SSH_GET_AUTHORIZED_KEYS] = { .start = ssh_start },
	[CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS] = { ssh_start, REPLY_EMPTY,
	    empty_reply },
	[CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS] = { ssh_start, REPLY_EMPTY,
	    empty_reply },
	[CMD_GUEST_FSFREEZE_STATUS] = { fsfreeze_start, REPLY_NUMBER,
	    status_reply },
	[CMD_GUEST_FSFREEZE_FREEZE] = { freeze_start, REPLY_NUMBER,
	    number_reply },
	[CMD_GUEST_FSFREEZE_FREEZE_LIST] = { freeze_start, REPLY_NUMBER,
	    number_reply },
	[CMD_GUEST_FSFREEZE_THAW] = { fsfreeze_start, REPLY_NUMBER,
	    number_reply },
};

void
handler_ask(const struct msg_request *ask)
{
	if (msg_send_request(monitor_imsg(), MSG_ASK, ask) == -1)
		fatal("MSG_ASK");
	monitor_flush();
}

static void
sync_start(struct hand *h)
{
	if (h->cmd == CMD_GUEST_SYNC_DELIMITED)
		out_str(channel_out(), "\xff");
	answer_begin();
	json_int(channel_out(), h->arg[SYNC_ID].num);
	answer_end();
}

static void
ping_start(struct hand *h)
{
	(void)h;
	empty_reply(NULL);
}

static void
info_start(struct hand *h)
{
	struct out *o = channel_out();
	int i;

	(void)h;
	answer_begin();
	out_str(o, "{\"version\": \"" QGAD_VERSION "\", "
	    "\"supported_commands\": [");
	/* The first row is everywhere. */
	for (i = 0; i < CMD_MAX; i++) {
		if (!command_here((enum command_id)i))
			continue;
		out_str(o, i == 0 ? "{\"enabled\": " : ", {\"enabled\": ");
		json_boolean(o, command_enabled((enum command_id)i));
		out_str(o, ", \"name\": \"");
		out_str(o, commands[i].name);
		out_str(o, "\", \"success-response\": ");
		json_boolean(o, (commands[i].flags & CMD_SILENT) == 0);
		out_str(o, "}");
	}
	out_str(o, "]}");
	answer_end();
}

static void
query_start(struct hand *h)
{
	struct msg_request msg;

	msg.id = request_wait(WAIT_FRAME);
	msg.command = h->cmd;
	if (msg_send_request(monitor_imsg(), MSG_QUERY, &msg) == -1)
		fatal("MSG_QUERY");
	monitor_flush();
}

void
handler_frame(struct hand *h, const struct frame *frame,
    const unsigned char *data)
{
	struct out *o = channel_out();
	size_t max = requests_bounds()->max_reply, mark = out_pending(o);

	if (frame->kind == FRAME_ERROR) {
		answer_error(text_format("%.*s", (int)frame->len,
		    (const char *)data));
		return;
	}
	answer_begin();
	errno = ERANGE;
	if (max > answer_overhead() && json_value(o, data, frame->len,
	    max - answer_overhead()) == 0) {
		answer_end();
		return;
	}
	out_rollback(o, mark);
	if (errno == EBADMSG) {
		log_warnx("%s: the worker's result is malformed",
		    commands[h->cmd].name);
		answer_error(text_format("internal error: malformed result"));
	} else
		answer_error(text_format("result of %s is larger than "
		    "max-reply (%zu bytes)", commands[h->cmd].name, max));
}

/* The list as a vector; its strings stay json-c's. */
static char **
strings(const struct arg *arg)
{
	char **v;
	size_t i;

	if ((v = calloc(arg->n + 1, sizeof(*v))) == NULL)
		fatal("calloc");
	for (i = 0; i < arg->n; i++)
		v[i] = (char *)(uintptr_t)schema_item(arg, i);
	return (v);
}

static void
exec_start(struct hand *h)
{
	static const char *const what[] = {
		[EXEC_ARG] = "arguments",
		[EXEC_ENV] = "environment strings",
	};
	const struct arg *arg = h->arg;
	struct msg_exec msg;
	int i, sent;

	if (h->req->bulk == BULK_BADBASE64) {
		answer_error(text_format("Base64 data contains invalid "
		    "characters"));
		return;
	}
	for (i = EXEC_ARG; i <= EXEC_ENV; i++)
		if (arg[i].n > MSG_ARGS_MAX) {
			answer_error(text_format("guest-exec: more than %d "
			    "%s", MSG_ARGS_MAX, what[i]));
			return;
		}
	if (arg[EXEC_PATH].str[0] == '\0') {
		answer_error(text_format("Failed to execute child process "
		    "\342\200\234\342\200\235 (No such file or directory)"));
		return;
	}
	memset(&msg, 0, sizeof(msg));
	msg.id = request_wait(WAIT_REPLY);
	msg.capture = (uint32_t)arg[EXEC_CAPTURE].num;
	msg.hasinput = arg[EXEC_INPUT].given != 0;
	msg.input = h->bytes = h->req->datalen;
	msg.hasenv = arg[EXEC_ENV].given != 0;
	msg.path = arg[EXEC_PATH].str;
	msg.argc = (uint32_t)arg[EXEC_ARG].n;
	msg.argv = strings(&arg[EXEC_ARG]);
	msg.envc = (uint32_t)arg[EXEC_ENV].n;
	msg.envp = strings(&arg[EXEC_ENV]);
	sent = msg_send_exec(monitor_imsg(), &msg, -1);
	free(msg.argv);
	free(msg.envp);
	if (sent == -1 && errno != EMSGSIZE)
		fatal("MSG_EXEC");
	if (sent == -1)
		answer_error(text_format("guest-exec: path, arguments and "
		    "environment are larger than %d bytes", MSG_EXEC_MAX));
	else
		monitor_flush();
}

static void
exec_reply(const struct msg_reply *reply)
{
	answer_begin();
	out_str(channel_out(), "{\"pid\": ");
	json_int(channel_out(), reply->number);
	out_str(channel_out(), "}");
	answer_end();
}

static void
exec_status_start(struct hand *h)
{
	struct msg_exec_status msg;

	msg.id = request_wait(WAIT_REPLY);
	msg.pid = h->arg[EXEC_STATUS_PID].num;
	if (msg_send_exec_status(monitor_imsg(), &msg) == -1)
		fatal("MSG_EXEC_STATUS");
	monitor_flush();
}

static void
file_open_start(struct hand *h)
{
	const struct arg *path = &h->arg[FILE_OPEN_PATH];
	struct msg_file_open msg;
	size_t len = strlen(path->str);

	memset(&msg, 0, sizeof(msg));
	msg.mode = (uint32_t)h->arg[FILE_OPEN_MODE].num;
	if (len == 0 || len >= MSG_PATH_MAX) {
		answer_error(text_format("failed to open file '%.1024s' "
		    "(mode: '%s'): %s", path->str, file_modes[msg.mode].name,
		    strerror(len == 0 ? ENOENT : ENAMETOOLONG)));
		return;
	}
	msg.id = request_wait(WAIT_REPLY);
	msg.base = "";
	msg.path = path->str;
	if (msg_send_file_open(monitor_imsg(), &msg) == -1)
		fatal("MSG_FILE_OPEN");
	monitor_flush();
}

static void
handle_reply(const struct msg_reply *reply)
{
	answer_begin();
	json_int(channel_out(), reply->number);
	answer_end();
}

static void
file_send(struct hand *h, enum msg_type type, int64_t number, uint32_t whence)
{
	struct msg_file msg;

	msg.id = request_wait(WAIT_REPLY);
	msg.handle = h->arg[FILE_HANDLE].num;
	msg.number = number;
	msg.whence = whence;
	if (msg_send_file(monitor_imsg(), type, &msg, -1) == -1)
		fatal("%s", msg_name(type));
	monitor_flush();
}

static void
file_close_start(struct hand *h)
{
	file_send(h, MSG_FILE_CLOSE, 0, 0);
}

static void
file_read_start(struct hand *h)
{
	const struct arg *count = &h->arg[FILE_READ_COUNT];
	int64_t n = count->given ? count->num : FILE_READ_DEFAULT;
	int64_t room = (int64_t)stream_room();

	if (n < 0 || n > MSG_COUNT_MAX) {
		bad_count(n);
		return;
	}
	/* Short, with eof false: the host reads on. */
	if (n > room)
		n = room;
	h->bytes = (size_t)n;
	file_send(h, MSG_FILE_READ, n, 0);
}

static void
bad_count(int64_t n)
{
	answer_error(text_format("value '%lld' is invalid for argument count",
	    (long long)n));
}

static void
file_write_start(struct hand *h)
{
	const struct arg *count = &h->arg[FILE_WRITE_COUNT];

	h->bytes = h->req->datalen;
	if (h->req->bulk == BULK_BADBASE64)
		answer_error(text_format("Base64 data contains invalid "
		    "characters"));
	else if (count->given && (count->num < 0 ||
	    (uint64_t)count->num > h->bytes))
		bad_count(count->num);
	else {
		if (count->given)
			h->bytes = (size_t)count->num;
		file_send(h, MSG_FILE_WRITE, (int64_t)h->bytes, 0);
	}
}

static void
count_reply(const struct msg_reply *reply)
{
	answer_begin();
	out_str(channel_out(), "{\"count\": ");
	json_int(channel_out(), reply->number);
	out_str(channel_out(), ", \"eof\": false}");
	answer_end();
}

static void
file_seek_start(struct hand *h)
{
	file_send(h, MSG_FILE_SEEK, h->arg[FILE_SEEK_OFFSET].num,
	    (uint32_t)h->arg[FILE_SEEK_WHENCE].num);
}

static void
position_reply(const struct msg_reply *reply)
{
	answer_begin();
	out_str(channel_out(), "{\"position\": ");
	json_int(channel_out(), reply->number);
	out_str(channel_out(), ", \"eof\": false}");
	answer_end();
}

static void
file_flush_start(struct hand *h)
{
	file_send(h, MSG_FILE_FLUSH, 0, 0);
}

static void
empty_reply(const struct msg_reply *reply)
{
	(void)reply;
	answer_begin();
	out_str(channel_out(), "{}");
	answer_end();
}

static void
shutdown_start(struct hand *h)
{
	static const char *const modes[SHUTDOWN_MODES] = {
		[SHUTDOWN_POWERDOWN] = "powerdown",
		[SHUTDOWN_HALT] = "halt",
		[SHUTDOWN_REBOOT] = "reboot",
	};
	const struct arg *mode = &h->arg[SHUTDOWN_MODE];
	struct msg_shutdown msg;

	msg.mode = SHUTDOWN_POWERDOWN;
	if (mode->given)
		for (; msg.mode < SHUTDOWN_MODES; msg.mode++)
			if (strcmp(modes[msg.mode], mode->str) == 0)
				break;
	if (msg.mode == SHUTDOWN_MODES) {
		/* qemu-ga's text, which closes no bracket either. */
		answer_error(text_format("mode is invalid (valid values "
		    "are: halt|powerdown|reboot"));
		return;
	}
	msg.id = request_wait(WAIT_REPLY);
	if (msg_send_shutdown(monitor_imsg(), &msg) == -1)
		fatal("MSG_SHUTDOWN");
	monitor_flush();
}

static void
set_time_start(struct hand *h)
{
	const struct arg *ns = &h->arg[SET_TIME_TIME];
	struct msg_set_time msg;

	if (ns->given && (ns->num < 0 ||
	    (uint64_t)ns->num >= MSG_TIME_END * 1000000000)) {
		answer_error(text_format("Invalid time"));
		return;
	}
	msg.id = request_wait(WAIT_REPLY);
	msg.given = ns->given != 0;
	msg.ns = (uint64_t)ns->num;
	if (msg_send_set_time(monitor_imsg(), &msg) == -1)
		fatal("MSG_SET_TIME");
	monitor_flush();
}

/* Processors, or memory blocks. */
static void
set_units_start(struct hand *h)
{
	const struct arg *list = &h->arg[SET_UNITS_LIST];
	enum msg_type type = h->cmd == CMD_GUEST_SET_VCPUS ? MSG_SET_VCPUS :
	    MSG_SET_MEMORY_BLOCKS;
	struct msg_units msg;
	size_t i;

	if (list->n > MSG_UNITS_MAX) {
		answer_error(text_format("%s: more than %d entries",
		    commands[h->cmd].name, MSG_UNITS_MAX));
		return;
	}
	msg.id = request_wait(WAIT_FRAME);
	msg.n = (uint32_t)list->n;
	if ((msg.v = calloc(list->n + 1, sizeof(*msg.v))) == NULL)
		fatal("calloc");
	for (i = 0; i < list->n; i++)
		schema_unit(list, i, &msg.v[i]);
	if (msg_send_units(monitor_imsg(), type, &msg) == -1)
		fatal("%s", msg_name(type));
	msg_units_free(&msg);
	monitor_flush();
}

static void
fstrim_start(struct hand *h)
{
	struct msg_fstrim msg;

	msg.id = request_wait(WAIT_FRAME);
	/* A negative one is the kernel's to judge, as with qemu-ga. */
	msg.minimum = (uint64_t)h->arg[FSTRIM_MINIMUM].num;
	if (msg_send_fstrim(monitor_imsg(), &msg) == -1)
		fatal("MSG_FSTRIM");
	monitor_flush();
}

static void
suspend_start(struct hand *h)
{
	struct msg_suspend msg;

	msg.id = request_wait(WAIT_REPLY);
	msg.mode = h->cmd == CMD_GUEST_SUSPEND_DISK ? SUSPEND_DISK :
	    h->cmd == CMD_GUEST_SUSPEND_RAM ? SUSPEND_RAM : SUSPEND_HYBRID;
	if (msg_send_suspend(monitor_imsg(), &msg) == -1)
		fatal("MSG_SUSPEND");
	monitor_flush();
}

/* The secret stays where the lexer put it until the worker wants it. */
static void
password_start(struct hand *h)
{
	struct msg_password msg;

	if (!user_fits(&h->arg[PASSWORD_USER]))
		return;
	msg.id = request_wait(WAIT_REPLY);
	msg.crypted = h->arg[PASSWORD_CRYPTED].num != 0;
	msg.secret = (uint32_t)h->req->secretlen;
	msg.username = h->arg[PASSWORD_USER].str;
	if (msg_send_password(monitor_imsg(), &msg, -1) == -1)
		fatal("MSG_PASSWORD");
	monitor_flush();
}

static void
ssh_start(struct hand *h)
{
	const struct arg *keys = &h->arg[SSH_KEYS];
	struct msg_ssh_keys msg;
	int sent;

	if (!user_fits(&h->arg[SSH_USER]))
		return;
	if (keys->n > MSG_KEYS_MAX) {
		answer_error(text_format("%s: more than %d keys",
		    commands[h->cmd].name, MSG_KEYS_MAX));
		return;
	}
	msg.id = request_wait(commands[h->cmd].flags & CMD_VALUE ?
	    WAIT_FRAME : WAIT_REPLY);
	msg.command = h->cmd;
	msg.reset = h->arg[SSH_RESET].num != 0;
	msg.username = h->arg[SSH_USER].str;
	msg.n = (uint32_t)keys->n;
	msg.keys = strings(keys);
	sent = msg_send_ssh_keys(monitor_imsg(), &msg);
	free(msg.keys);
	if (sent == -1 && errno != EMSGSIZE)
		fatal("MSG_SSH_KEYS");
	if (sent == -1)
		answer_error(text_format("%s: the keys are larger than %d "
		    "bytes", commands[h->cmd].name, MSG_SSH_KEYS_MAX));
	else
		monitor_flush();
}

/* No system knows longer ones. */
static int
user_fits(const struct arg *user)
{
	if (strlen(user->str) < MSG_USER_MAX)
		return (1);
	answer_error(text_format("Parameter 'username' is longer than %d "
	    "bytes", MSG_USER_MAX - 1));
	return (0);
}

static void
freeze_start(struct hand *h)
{
	const struct arg *list = &h->arg[FREEZE_MOUNTS];
	struct msg_freeze msg;
	int sent;

	if (list->n > MSG_MOUNTS_MAX) {
		answer_error(text_format("%s: more than %d mount points",
		    commands[h->cmd].name, MSG_MOUNTS_MAX));
		return;
	}
	memset(&msg, 0, sizeof(msg));
	msg.id = request_wait(WAIT_REPLY);
	msg.command = h->cmd;
	msg.listed = list->given != 0;
	msg.n = (uint32_t)list->n;
	msg.mounts = strings(list);
	sent = msg_send_freeze(monitor_imsg(), &msg);
	free(msg.mounts);
	if (sent == -1 && errno != EMSGSIZE)
		fatal("MSG_FREEZE");
	if (sent == -1)
		answer_error(text_format("%s: the mount points are larger "
		    "than %d bytes", commands[h->cmd].name, MSG_FREEZE_MAX));
	else
		monitor_flush();
}

static void
fsfreeze_start(struct hand *h)
{
	struct msg_request msg;

	msg.id = request_wait(WAIT_REPLY);
	msg.command = h->cmd;
	if (msg_send_request(monitor_imsg(), MSG_FSFREEZE, &msg) == -1)
		fatal("MSG_FSFREEZE");
	monitor_flush();
}

static void
status_reply(const struct msg_reply *reply)
{
	answer_begin();
	out_str(channel_out(), reply->number != 0 ? "\"frozen\"" :
	    "\"thawed\"");
	answer_end();
}

static void
number_reply(const struct msg_reply *reply)
{
	answer_begin();
	json_int(channel_out(), reply->number);
	answer_end();
}

static void
nothing_reply(const struct msg_reply *reply)
{
	(void)reply;
	answer_nothing();
}
