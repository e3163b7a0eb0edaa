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
 * Each message's send and its recv, beside each other.  A send writes the
 * whole payload and lets finish() look at what failed; a recv reads the same
 * fields in the same order, checks each against what its type allows, and
 * is done only when nothing is left.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "value.h"
#include "messages.h"
#include "confine.h"
#include "control.h"
#include "filemode.h"
#include "log.h"

/* Bytes on the wire; a string's include its NUL. */
#define U8		((size_t)1)
#define U32		((size_t)4)
#define U64		((size_t)8)
#define STR(n)		(U32 + (n))
#define LIMITS		(sizeof(struct limits) / U64)
#define RESULT		(7 * U32)
#define EXEC_FIXED	(2 * U64 + 5 * U32)
#define REPLY_FIXED	(2 * U64 + 2 * U32 + RESULT)
#define OPEN_FIXED	(U64 + 2 * U32)
#define FILE_SIZE	(3 * U64 + U32)
#define FILE_DONE_FIXED	(2 * U64 + 3 * U32)
#define PASSWORD_FIXED	(U64 + 2 * U32)
#define KEYS_FIXED	(U64 + 3 * U32)
#define RULE_FIXED	((2 + EXEC_BOUNDS) * U64 + U32)
#define UNITS(n)	(U64 + U32 + (n) * (U64 + U8))
#define FREEZE_FIXED	(U64 + 3 * U32)

#define EXACTLY(n)	(n), (n)

const struct msg_info msg_info[MSG_MAX] = {
	[MSG_NONE] =	{ "none", EXACTLY(0), MSG_FD_NONE },
	[MSG_HELLO] =	{ "hello", EXACTLY(MSG_BUILD_LEN + U32), MSG_FD_NONE },
	[MSG_LOG] =	{ "log", U32 + U64 + STR(1),
			    U32 + U64 + STR(MSG_LINE_MAX), MSG_FD_NONE },
	[MSG_LIMITS] =	{ "limits", EXACTLY(sizeof(struct limits)), MSG_FD_NONE },
	[MSG_POLICY] =	{ "policy", EXACTLY(U8 + CMD_MAX * U8), MSG_FD_NONE },
	[MSG_CHANNEL] =	{ "channel", EXACTLY(2 * U32), MSG_FD_ONE },
	[MSG_DATA] =	{ "data", EXACTLY(U64), MSG_FD_ONE },
	[MSG_RESULT] =	{ "result", EXACTLY(U64), MSG_FD_ONE },
	[MSG_GO] =	{ "go", EXACTLY(U64), MSG_FD_ONE },
	[MSG_REPLY] =	{ "reply", REPLY_FIXED + STR(1),
			    REPLY_FIXED + STR(MSG_TEXT_MAX), MSG_FD_MAY },
	[MSG_CHANNEL_END] = { "channel-end", EXACTLY(U32), MSG_FD_NONE },
	[MSG_ASK] =	{ "ask", EXACTLY(U64 + U32), MSG_FD_NONE },
	[MSG_QUERY] =	{ "query", EXACTLY(U64 + U32), MSG_FD_NONE },
	[MSG_EXEC] =	{ "exec", EXEC_FIXED + STR(2), MSG_EXEC_MAX,
			    MSG_FD_MAY },
	[MSG_EXEC_STATUS] = { "exec-status", EXACTLY(2 * U64), MSG_FD_NONE },
	[MSG_SHUTDOWN] = { "shutdown", EXACTLY(U64 + U32), MSG_FD_NONE },
	[MSG_FILE_OPEN] = { "file-open", OPEN_FIXED + STR(1) + STR(2),
			    OPEN_FIXED + 2 * STR(MSG_PATH_MAX), MSG_FD_NONE },
	[MSG_FILE_CLOSE] = { "file-close", EXACTLY(FILE_SIZE), MSG_FD_NONE },
	[MSG_FILE_READ] = { "file-read", EXACTLY(FILE_SIZE), MSG_FD_MAY },
	[MSG_FILE_WRITE] = { "file-write", EXACTLY(FILE_SIZE), MSG_FD_MAY },
	[MSG_FILE_SEEK] = { "file-seek", EXACTLY(FILE_SIZE), MSG_FD_NONE },
	[MSG_FILE_FLUSH] = { "file-flush", EXACTLY(FILE_SIZE), MSG_FD_NONE },
	[MSG_FILE_DONE] = { "file-done", FILE_DONE_FIXED + STR(1),
			    FILE_DONE_FIXED + STR(MSG_TEXT_MAX), MSG_FD_NONE },
	[MSG_FILE_WAITING] = { "file-waiting", EXACTLY(U64 + U32),
			    MSG_FD_NONE },
	[MSG_SET_TIME] = { "set-time", EXACTLY(2 * U64 + U32), MSG_FD_NONE },
	[MSG_SET_VCPUS] = { "set-vcpus", UNITS(0), UNITS(MSG_UNITS_MAX),
			    MSG_FD_NONE },
	[MSG_SET_MEMORY_BLOCKS] = { "set-memory-blocks", UNITS(0),
			    UNITS(MSG_UNITS_MAX), MSG_FD_NONE },
	[MSG_FSTRIM] =	{ "fstrim", EXACTLY(2 * U64), MSG_FD_NONE },
	[MSG_SUSPEND] =	{ "suspend", EXACTLY(U64 + U32), MSG_FD_NONE },
	[MSG_SMART] =	{ "smart", EXACTLY(U64), MSG_FD_MAY },
	[MSG_ACCOUNT_RULE] = { "account-rule", EXACTLY(U32), MSG_FD_NONE },
	[MSG_PASSWORD] = { "password", PASSWORD_FIXED + STR(1),
			    PASSWORD_FIXED + STR(MSG_USER_MAX), MSG_FD_MAY },
	[MSG_SSH_KEYS] = { "ssh-keys", KEYS_FIXED + STR(1), MSG_SSH_KEYS_MAX,
			    MSG_FD_NONE },
	[MSG_FREEZE] =	{ "freeze", FREEZE_FIXED, MSG_FREEZE_MAX, MSG_FD_NONE },
	[MSG_FSFREEZE] = { "fsfreeze", EXACTLY(U64 + U32), MSG_FD_NONE },
	[MSG_DONE] =	{ "done", U64 + U32 + STR(1),
			    U64 + U32 + STR(MSG_TEXT_MAX), MSG_FD_NONE },
	[MSG_EXEC_STARTED] = { "exec-started", 2 * U64 + U32 + STR(1),
			    2 * U64 + U32 + STR(MSG_TEXT_MAX), MSG_FD_NONE },
	[MSG_EXEC_ENDED] = { "exec-ended", EXACTLY(RESULT), MSG_FD_NONE },
	[MSG_FREEZE_DONE] = { "freeze-done", 4 * U32 + STR(1),
			    4 * U32 + STR(MSG_TEXT_MAX), MSG_FD_NONE },
	[MSG_EXEC_RULE] = { "exec-rule", RULE_FIXED + 2 * STR(2) + 2 * STR(1),
			    MSG_RULE_MAX, MSG_FD_NONE },
	[MSG_EXEC_SEND] = { "exec-send", EXACTLY(U64 + 2 * U32), MSG_FD_ONE },
	[MSG_LINE] =	{ "line", U32 + U64 + STR(1),
			    U32 + U64 + STR(MSG_LINE_MAX), MSG_FD_NONE },
	[MSG_HOOK] =	{ "hook", EXACTLY(U64 + 2 * U32), MSG_FD_NONE },
	[MSG_FREEZE_ORDER] = { "freeze-order", EXACTLY(U32), MSG_FD_NONE },
};

static struct ibuf	*start(struct imsgbuf *, enum msg_type, size_t, int);
static int		 finish(struct imsgbuf *, enum msg_type, struct ibuf *,
			    int);
static int		 malformed(void);
static int		 end(const struct ibuf *);
static int		 add_string(struct ibuf *, const char *, size_t);
static int		 get_string(struct ibuf *, char **, size_t);
static int		 get_text(struct ibuf *, const char **, size_t);
static int		 get_below(struct ibuf *, uint32_t *, uint32_t);
static int		 get_bool(struct ibuf *, uint32_t *);
static int		 get_pid(struct ibuf *, int64_t *);
static int		 add_vector(struct ibuf *, char *const *, uint32_t);
static int		 get_vector(struct ibuf *, char ***, uint32_t);
static int		 vector_size(char *const *, uint32_t, size_t *);
static int		 too_long(const char *, int);
static int		 add_result(struct ibuf *, const struct exec_result *);
static int		 get_result(struct ibuf *, struct exec_result *);

int
msg_check(const struct imsg *imsg)
{
	const struct msg_info	*info;
	uint32_t		 type = imsg_get_type(imsg);
	size_t			 len = imsg_get_len(imsg);

	if (type == MSG_NONE || type >= MSG_MAX)
		return (malformed());
	if (!DEFENCE(CONTROL_MESSAGES))
		return (0);
	info = &msg_info[type];
	if (len < info->min || len > info->max)
		return (malformed());
	if (info->fd != MSG_FD_MAY &&
	    imsg_has_fd(imsg) != (info->fd == MSG_FD_ONE))
		return (malformed());
	return (0);
}

const char *
msg_name(uint32_t type)
{
	return (type < MSG_MAX ? msg_info[type].name : "unknown");
}

int
msg_forward(struct imsgbuf *b, struct imsg *imsg, int fd)
{
	struct ibuf	*in = imsg->buf;

	ibuf_rewind(in);
	return (imsg_compose(b, imsg_get_type(imsg), 0, 0, fd, ibuf_data(in),
	    ibuf_size(in)) == -1 ? -1 : 0);
}

/* --- what every send and recv is made of --- */

/* A message with room for len bytes that owns fd, closed if there is none. */
static struct ibuf *
start(struct imsgbuf *b, enum msg_type type, size_t len, int fd)
{
	struct ibuf	*msg;
	int		 error;

	if (len <= msg_info[type].max &&
	    (msg = imsg_create(b, type, 0, 0, len)) != NULL) {
		ibuf_fd_set(msg, fd);
		return (msg);
	}
	error = len <= msg_info[type].max && errno == ENOMEM ?
	    ENOMEM : EMSGSIZE;
	if (fd != -1)
		close(fd);
	errno = error;
	return (NULL);
}

/* Queue the message, unless something in it failed. */
static int
finish(struct imsgbuf *b, enum msg_type type, struct ibuf *msg, int failed)
{
	if (!failed &&
	    ibuf_size(msg) - IMSG_HEADER_SIZE <= msg_info[type].max) {
		imsg_close(b, msg);
		return (0);
	}
	if (!failed || errno == ERANGE)
		errno = EMSGSIZE;
	ibuf_free(msg);
	return (-1);
}

static int
malformed(void)
{
	errno = EBADMSG;
	return (-1);
}

static int
end(const struct ibuf *b)
{
	if (ibuf_size(b) != 0 && DEFENCE(CONTROL_MESSAGES))
		return (malformed());
	return (0);
}

/* Cut so that it is at most max bytes, NUL included. */
static int
add_string(struct ibuf *b, const char *str, size_t max)
{
	size_t	 len = strnlen(str, max - 1);

	if (ibuf_add_n32(b, len + 1) == -1 || ibuf_add(b, str, len) == -1)
		return (-1);
	return (ibuf_add_n8(b, '\0'));
}

static int
get_string(struct ibuf *b, char **str, size_t max)
{
	struct ibuf	 part;
	uint32_t	 len;
	char		*p, *nul;

	if (ibuf_get_n32(b, &len) == -1)
		return (-1);
	if (len == 0 || len > max)
		return (malformed());
	if (ibuf_get_ibuf(b, len, &part) == -1)
		return (-1);
	p = ibuf_data(&part);
	nul = memchr(p, '\0', len);
	if (nul != &p[len - 1])
		return (malformed());
	*str = p;
	return (0);
}

static int
get_text(struct ibuf *b, const char **str, size_t max)
{
	char	*p;

	if (get_string(b, &p, max) == -1)
		return (-1);
	*str = p;
	return (0);
}

static int
get_below(struct ibuf *b, uint32_t *value, uint32_t bound)
{
	if (ibuf_get_n32(b, value) == -1)
		return (-1);
	return (*value < bound ? 0 : malformed());
}

static int
get_bool(struct ibuf *b, uint32_t *value)
{
	return (get_below(b, value, 2));
}

/* A pid_t is an int on every system; 0 is none. */
static int
get_pid(struct ibuf *b, int64_t *pid)
{
	uint64_t	 value;

	if (ibuf_get_n64(b, &value) == -1)
		return (-1);
	if (value > INT32_MAX)
		return (malformed());
	*pid = (int64_t)value;
	return (0);
}

/* --- hello, log, limits, policy --- */

int
msg_send_hello(struct imsgbuf *b, const struct msg_hello *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_HELLO, MSG_BUILD_LEN + U32, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_HELLO, msg,
	    ibuf_add(msg, m->build, sizeof(m->build)) == -1 ||
	    ibuf_add_n32(msg, m->role) == -1));
}

int
msg_recv_hello(struct imsg *imsg, struct msg_hello *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get(&in, m->build, sizeof(m->build)) == -1 ||
	    get_below(&in, &m->role, ROLE_MAX) == -1)
		return (-1);
	return (end(&in));
}

int
msg_send_log(struct imsgbuf *b, enum msg_type type, const struct msg_log *m)
{
	struct ibuf	*msg;
	size_t		 len = strnlen(m->line, MSG_LINE_MAX - 1) + 1;

	if ((msg = start(b, type, U32 + U64 + STR(len), -1)) == NULL)
		return (-1);
	return (finish(b, type, msg,
	    ibuf_add_n32(msg, m->level) == -1 ||
	    ibuf_add_n64(msg, m->when) == -1 ||
	    add_string(msg, m->line, MSG_LINE_MAX) == -1));
}

int
msg_recv_log(struct imsg *imsg, struct msg_log *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    get_below(&in, &m->level, LEVEL_MAX) == -1 ||
	    ibuf_get_n64(&in, &m->when) == -1 ||
	    get_text(&in, &m->line, MSG_LINE_MAX) == -1)
		return (-1);
	return (end(&in));
}

/* All of it is 64-bit numbers, in the struct's order. */
int
msg_send_limits(struct imsgbuf *b, const struct limits *m)
{
	struct ibuf	*msg;
	uint64_t	 n[LIMITS];
	int		 failed = 0;
	size_t		 i;

	memcpy(n, m, sizeof(n));
	if ((msg = start(b, MSG_LIMITS, sizeof(n), -1)) == NULL)
		return (-1);
	for (i = 0; i < LIMITS; i++)
		failed |= ibuf_add_n64(msg, n[i]) == -1;
	return (finish(b, MSG_LIMITS, msg, failed));
}

int
msg_recv_limits(struct imsg *imsg, struct limits *m)
{
	struct ibuf	 in;
	uint64_t	 n[LIMITS];
	size_t		 i;

	if (imsg_get_ibuf(imsg, &in) == -1)
		return (-1);
	for (i = 0; i < LIMITS; i++)
		if (ibuf_get_n64(&in, &n[i]) == -1)
			return (-1);
	memcpy(m, n, sizeof(n));
	return (end(&in));
}

int
msg_send_policy(struct imsgbuf *b, const struct msg_policy *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_POLICY, U8 + CMD_MAX * U8, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_POLICY, msg,
	    ibuf_add_n8(msg, m->frozen) == -1 ||
	    ibuf_add(msg, m->enabled, sizeof(m->enabled)) == -1));
}

int
msg_recv_policy(struct imsg *imsg, struct msg_policy *m)
{
	struct ibuf	 in;
	size_t		 i;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n8(&in, &m->frozen) == -1 ||
	    ibuf_get(&in, m->enabled, sizeof(m->enabled)) == -1)
		return (-1);
	if (m->frozen > 1)
		return (malformed());
	for (i = 0; i < CMD_MAX; i++)
		if (m->enabled[i] > 1)
			return (malformed());
	return (end(&in));
}

/* --- channel --- */

int
msg_send_channel(struct imsgbuf *b, const struct msg_channel *m, int fd)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_CHANNEL, 2 * U32, fd)) == NULL)
		return (-1);
	return (finish(b, MSG_CHANNEL, msg,
	    ibuf_add_n32(msg, m->kind) == -1 ||
	    ibuf_add_n32(msg, m->newline) == -1));
}

int
msg_recv_channel(struct imsg *imsg, struct msg_channel *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    get_below(&in, &m->kind, CHANNEL_KINDS) == -1 ||
	    get_bool(&in, &m->newline) == -1)
		return (-1);
	if (m->kind == CHANNEL_NONE)
		return (malformed());
	return (end(&in));
}

int
msg_send_channel_end(struct imsgbuf *b, uint32_t how)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_CHANNEL_END, U32, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_CHANNEL_END, msg,
	    ibuf_add_n32(msg, how) == -1));
}

int
msg_recv_channel_end(struct imsg *imsg, uint32_t *how)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    get_below(&in, how, CHANNEL_ENDS) == -1)
		return (-1);
	return (end(&in));
}

/* --- requests without arguments, and their data sockets --- */

int
msg_send_request(struct imsgbuf *b, enum msg_type type,
    const struct msg_request *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, type, U64 + U32, -1)) == NULL)
		return (-1);
	return (finish(b, type, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->command) == -1));
}

int
msg_recv_request(struct imsg *imsg, struct msg_request *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->command, CMD_MAX) == -1)
		return (-1);
	return (end(&in));
}

int
msg_send_data(struct imsgbuf *b, enum msg_type type, uint64_t id, int fd)
{
	struct ibuf	*msg;

	if ((msg = start(b, type, U64, fd)) == NULL)
		return (-1);
	return (finish(b, type, msg, ibuf_add_n64(msg, id) == -1));
}

int
msg_recv_data(struct imsg *imsg, uint64_t *id)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 || ibuf_get_n64(&in, id) == -1)
		return (-1);
	return (end(&in));
}

/* --- exec --- */

/*
 * Add up what the strings need; stop early, a sum never gets far past.  The
 * bounds of exec are those of a freeze, too.
 */
static int
vector_size(char *const *vec, uint32_t n, size_t *size)
{
	uint32_t	 i;

	for (i = 0; i < n && i < MSG_ARGS_MAX && *size <= MSG_EXEC_MAX; i++)
		*size += STR(strnlen(vec[i], MSG_EXEC_MAX) + 1);
	if (n > MSG_ARGS_MAX || *size > MSG_EXEC_MAX) {
		errno = EMSGSIZE;
		return (-1);
	}
	return (0);
}

static int
add_vector(struct ibuf *b, char *const *vec, uint32_t n)
{
	uint32_t	 i;

	for (i = 0; i < n; i++)
		if (add_string(b, vec[i], MSG_EXEC_MAX) == -1)
			return (-1);
	return (0);
}

static int
get_vector(struct ibuf *b, char ***vec, uint32_t n)
{
	uint32_t	 i;

	if ((*vec = calloc((size_t)n + 1, sizeof(**vec))) == NULL)
		return (-1);
	for (i = 0; i < n; i++)
		if (get_string(b, &(*vec)[i], MSG_EXEC_MAX) == -1)
			return (-1);
	return (0);
}

int
msg_send_exec(struct imsgbuf *b, const struct msg_exec *m, int fd)
{
	struct ibuf	*msg;
	char		*path = (char *)m->path;
	size_t		 size = EXEC_FIXED;

	if (m->path[0] == '\0') {
		if (fd != -1)
			close(fd);
		errno = EINVAL;
		return (-1);
	}
	/* Past a bound: let start() refuse it and close fd. */
	if (vector_size(&path, 1, &size) == -1 ||
	    vector_size(m->argv, m->argc, &size) == -1 ||
	    vector_size(m->envp, m->envc, &size) == -1)
		size = MSG_EXEC_MAX + 1;
	if ((msg = start(b, MSG_EXEC, size, fd)) == NULL)
		return (-1);
	return (finish(b, MSG_EXEC, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->capture) == -1 ||
	    ibuf_add_n32(msg, m->hasinput) == -1 ||
	    ibuf_add_n64(msg, m->input) == -1 ||
	    ibuf_add_n32(msg, m->hasenv) == -1 ||
	    ibuf_add_n32(msg, m->argc) == -1 ||
	    ibuf_add_n32(msg, m->envc) == -1 ||
	    add_string(msg, m->path, MSG_EXEC_MAX) == -1 ||
	    add_vector(msg, m->argv, m->argc) == -1 ||
	    add_vector(msg, m->envp, m->envc) == -1));
}

int
msg_recv_exec(struct imsg *imsg, struct msg_exec *m)
{
	struct ibuf	 in;

	m->argv = m->envp = NULL;
	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->capture, CAPTURE_MODES) == -1 ||
	    get_bool(&in, &m->hasinput) == -1 ||
	    ibuf_get_n64(&in, &m->input) == -1 ||
	    get_bool(&in, &m->hasenv) == -1 ||
	    get_below(&in, &m->argc, MSG_ARGS_MAX + 1) == -1 ||
	    get_below(&in, &m->envc, MSG_ARGS_MAX + 1) == -1 ||
	    get_text(&in, &m->path, MSG_EXEC_MAX) == -1)
		return (-1);
	if (m->path[0] == '\0' || (!m->hasinput && m->input != 0) ||
	    (!m->hasenv && m->envc != 0) ||
	    (m->input == 0 && imsg_has_fd(imsg)))
		return (malformed());
	if (get_vector(&in, &m->argv, m->argc) == -1 ||
	    get_vector(&in, &m->envp, m->envc) == -1 ||
	    end(&in) == -1) {
		msg_exec_free(m);
		return (-1);
	}
	return (0);
}

void
msg_exec_free(struct msg_exec *m)
{
	int	 saved = errno;

	free(m->argv);
	free(m->envp);
	m->argv = m->envp = NULL;
	errno = saved;
}

int
msg_send_exec_rule(struct imsgbuf *b, const struct msg_exec_rule *m)
{
	struct ibuf	*msg;
	const char	*texts[] = { m->program, m->user, m->group,
			    m->directory };
	size_t		 i, size = RULE_FIXED;
	int		 bad;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		size += STR(strlen(texts[i]) + 1);
	if (vector_size(m->envp, m->envc, &size) == -1)
		size = MSG_RULE_MAX + 1;
	if ((msg = start(b, MSG_EXEC_RULE, size, -1)) == NULL)
		return (-1);
	bad = ibuf_add_n64(msg, m->output) == -1 ||
	    ibuf_add_n64(msg, m->time) == -1;
	for (i = 0; i < EXEC_BOUNDS; i++)
		bad |= ibuf_add_n64(msg, m->bound[i]) == -1;
	bad |= ibuf_add_n32(msg, m->envc) == -1;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		bad |= add_string(msg, texts[i], MSG_RULE_MAX) == -1;
	return (finish(b, MSG_EXEC_RULE, msg,
	    bad || add_vector(msg, m->envp, m->envc) == -1));
}

int
msg_recv_exec_rule(struct imsg *imsg, struct msg_exec_rule *m)
{
	struct ibuf	 in;
	size_t		 i;

	m->envp = NULL;
	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->output) == -1 ||
	    ibuf_get_n64(&in, &m->time) == -1)
		return (-1);
	for (i = 0; i < EXEC_BOUNDS; i++)
		if (ibuf_get_n64(&in, &m->bound[i]) == -1)
			return (-1);
	if (get_below(&in, &m->envc, EXEC_ENV_MAX + 1) == -1 ||
	    get_text(&in, &m->program, MSG_PATH_MAX) == -1 ||
	    get_text(&in, &m->user, MSG_NAME_MAX) == -1 ||
	    get_text(&in, &m->group, MSG_NAME_MAX) == -1 ||
	    get_text(&in, &m->directory, MSG_PATH_MAX) == -1)
		return (-1);
	if (m->program[0] != '/' || m->directory[0] != '/')
		return (malformed());
	if (get_vector(&in, &m->envp, m->envc) == -1 || end(&in) == -1) {
		msg_exec_rule_free(m);
		return (-1);
	}
	return (0);
}

void
msg_exec_rule_free(struct msg_exec_rule *m)
{
	int	 saved = errno;

	free(m->envp);
	m->envp = NULL;
	errno = saved;
}

int
msg_send_exec_status(struct imsgbuf *b, const struct msg_exec_status *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_EXEC_STATUS, 2 * U64, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_EXEC_STATUS, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n64(msg, (uint64_t)m->pid) == -1));
}

/* The pid is the host's word: any number, looked up, never used as such. */
int
msg_recv_exec_status(struct imsg *imsg, struct msg_exec_status *m)
{
	struct ibuf	 in;
	uint64_t	 pid;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    ibuf_get_n64(&in, &pid) == -1)
		return (-1);
	m->pid = (int64_t)pid;
	return (end(&in));
}

int
msg_send_exec_started(struct imsgbuf *b, const struct msg_exec_started *m)
{
	struct ibuf	*msg;
	size_t		 len = strnlen(m->text, MSG_TEXT_MAX - 1) + 1;

	msg = start(b, MSG_EXEC_STARTED, 2 * U64 + U32 + STR(len), -1);
	if (msg == NULL)
		return (-1);
	return (finish(b, MSG_EXEC_STARTED, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n64(msg, (uint64_t)m->pid) == -1 ||
	    ibuf_add_n32(msg, m->refused) == -1 ||
	    add_string(msg, m->text, MSG_TEXT_MAX) == -1));
}

int
msg_recv_exec_started(struct imsg *imsg, struct msg_exec_started *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_pid(&in, &m->pid) == -1 ||
	    get_bool(&in, &m->refused) == -1 ||
	    get_text(&in, &m->text, MSG_TEXT_MAX) == -1)
		return (-1);
	return (m->refused && m->pid != 0 ? malformed() : end(&in));
}

static int
add_result(struct ibuf *b, const struct exec_result *r)
{
	if (ibuf_add_n32(b, r->exited) == -1 ||
	    ibuf_add_n32(b, r->signaled) == -1 ||
	    ibuf_add_n32(b, r->code) == -1 ||
	    ibuf_add_n32(b, r->out) == -1 ||
	    ibuf_add_n32(b, r->err) == -1 ||
	    ibuf_add_n32(b, r->outcut) == -1 ||
	    ibuf_add_n32(b, r->errcut) == -1)
		return (-1);
	return (0);
}

static int
get_result(struct ibuf *b, struct exec_result *r)
{
	if (get_bool(b, &r->exited) == -1 ||
	    get_bool(b, &r->signaled) == -1 ||
	    ibuf_get_n32(b, &r->code) == -1 ||
	    ibuf_get_n32(b, &r->out) == -1 ||
	    ibuf_get_n32(b, &r->err) == -1 ||
	    get_bool(b, &r->outcut) == -1 ||
	    get_bool(b, &r->errcut) == -1)
		return (-1);
	if (!r->exited && (r->signaled | r->code | r->out | r->err |
	    r->outcut | r->errcut) != 0)
		return (malformed());
	return (0);
}

int
msg_send_exec_ended(struct imsgbuf *b, const struct exec_result *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_EXEC_ENDED, RESULT, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_EXEC_ENDED, msg, add_result(msg, m) == -1));
}

int
msg_recv_exec_ended(struct imsg *imsg, struct exec_result *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 || get_result(&in, m) == -1)
		return (-1);
	if (!m->exited)
		return (malformed());
	return (end(&in));
}

int
msg_send_exec_send(struct imsgbuf *b, const struct msg_exec_send *m, int fd)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_EXEC_SEND, U64 + 2 * U32, fd)) == NULL)
		return (-1);
	return (finish(b, MSG_EXEC_SEND, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->out) == -1 ||
	    ibuf_add_n32(msg, m->err) == -1));
}

int
msg_recv_exec_send(struct imsg *imsg, struct msg_exec_send *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    ibuf_get_n32(&in, &m->out) == -1 ||
	    ibuf_get_n32(&in, &m->err) == -1)
		return (-1);
	return (end(&in));
}

/* --- files --- */

int
msg_send_file_open(struct imsgbuf *b, const struct msg_file_open *m)
{
	struct ibuf	*msg;
	size_t		 base = strnlen(m->base, MSG_PATH_MAX) + 1;
	size_t		 path = strnlen(m->path, MSG_PATH_MAX) + 1;
	size_t		 size = OPEN_FIXED + STR(base) + STR(path);

	/* A path is not cut, it would be another's. */
	if (base > MSG_PATH_MAX || path > MSG_PATH_MAX)
		size = msg_info[MSG_FILE_OPEN].max + 1;
	if ((msg = start(b, MSG_FILE_OPEN, size, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_FILE_OPEN, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->mode) == -1 ||
	    ibuf_add_n32(msg, m->rule) == -1 ||
	    add_string(msg, m->base, MSG_PATH_MAX) == -1 ||
	    add_string(msg, m->path, MSG_PATH_MAX) == -1));
}

int
msg_recv_file_open(struct imsg *imsg, struct msg_file_open *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->mode, FILE_MODES) == -1 ||
	    get_below(&in, &m->rule, FILE_RULES) == -1 ||
	    get_text(&in, &m->base, MSG_PATH_MAX) == -1 ||
	    get_text(&in, &m->path, MSG_PATH_MAX) == -1)
		return (-1);
	if (m->path[0] == '\0' || (m->base[0] == '\0' && m->rule != 0))
		return (malformed());
	return (end(&in));
}

int
msg_send_file(struct imsgbuf *b, enum msg_type type, const struct msg_file *m,
    int fd)
{
	struct ibuf	*msg;

	if ((msg = start(b, type, FILE_SIZE, fd)) == NULL)
		return (-1);
	return (finish(b, type, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n64(msg, (uint64_t)m->handle) == -1 ||
	    ibuf_add_n64(msg, (uint64_t)m->number) == -1 ||
	    ibuf_add_n32(msg, m->whence) == -1));
}

int
msg_recv_file(struct imsg *imsg, struct msg_file *m)
{
	uint32_t	 type = imsg_get_type(imsg);
	struct ibuf	 in;
	uint64_t	 handle, number;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    ibuf_get_n64(&in, &handle) == -1 ||
	    ibuf_get_n64(&in, &number) == -1 ||
	    get_below(&in, &m->whence, FILE_WHENCES) == -1)
		return (-1);
	m->handle = (int64_t)handle;
	m->number = (int64_t)number;
	if (type != MSG_FILE_SEEK && (m->whence != 0 || number >
	    (type == MSG_FILE_READ || type == MSG_FILE_WRITE ?
	    MSG_COUNT_MAX : 0)))
		return (malformed());
	return (end(&in));
}

int
msg_send_file_done(struct imsgbuf *b, const struct msg_file_done *m)
{
	struct ibuf	*msg;
	size_t		 len = strnlen(m->text, MSG_TEXT_MAX - 1) + 1;

	msg = start(b, MSG_FILE_DONE, FILE_DONE_FIXED + STR(len), -1);
	if (msg == NULL)
		return (-1);
	return (finish(b, MSG_FILE_DONE, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->ok) == -1 ||
	    ibuf_add_n32(msg, m->refused) == -1 ||
	    ibuf_add_n64(msg, (uint64_t)m->number) == -1 ||
	    ibuf_add_n32(msg, m->eof) == -1 ||
	    add_string(msg, m->text, MSG_TEXT_MAX) == -1));
}

int
msg_recv_file_done(struct imsg *imsg, struct msg_file_done *m)
{
	struct ibuf	 in;
	uint64_t	 number;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_bool(&in, &m->ok) == -1 ||
	    get_bool(&in, &m->refused) == -1 ||
	    ibuf_get_n64(&in, &number) == -1 ||
	    get_bool(&in, &m->eof) == -1 ||
	    get_text(&in, &m->text, MSG_TEXT_MAX) == -1)
		return (-1);
	m->number = (int64_t)number;
	return (m->number < 0 || (m->refused && m->ok) ? malformed() :
	    end(&in));
}

int
msg_send_file_waiting(struct imsgbuf *b, const struct msg_file_waiting *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_FILE_WAITING, U64 + U32, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_FILE_WAITING, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->on) == -1));
}

int
msg_recv_file_waiting(struct imsg *imsg, struct msg_file_waiting *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_bool(&in, &m->on) == -1)
		return (-1);
	return (end(&in));
}

/* --- what the system worker does --- */

int
msg_send_shutdown(struct imsgbuf *b, const struct msg_shutdown *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_SHUTDOWN, U64 + U32, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_SHUTDOWN, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->mode) == -1));
}

int
msg_recv_shutdown(struct imsg *imsg, struct msg_shutdown *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->mode, SHUTDOWN_MODES) == -1)
		return (-1);
	return (end(&in));
}

int
msg_send_set_time(struct imsgbuf *b, const struct msg_set_time *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_SET_TIME, 2 * U64 + U32, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_SET_TIME, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->given) == -1 ||
	    ibuf_add_n64(msg, m->ns) == -1));
}

int
msg_recv_set_time(struct imsg *imsg, struct msg_set_time *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_bool(&in, &m->given) == -1 ||
	    ibuf_get_n64(&in, &m->ns) == -1)
		return (-1);
	if (m->ns >= MSG_TIME_END * 1000000000 || (!m->given && m->ns != 0))
		return (malformed());
	return (end(&in));
}

int
msg_send_units(struct imsgbuf *b, enum msg_type type,
    const struct msg_units *m)
{
	struct ibuf	*msg;
	uint32_t	 i;
	int		 failed;

	/* Past the bound: let start() refuse it. */
	msg = start(b, type, UNITS(m->n <= MSG_UNITS_MAX ? m->n :
	    MSG_UNITS_MAX + 1), -1);
	if (msg == NULL)
		return (-1);
	failed = ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->n) == -1;
	for (i = 0; i < m->n && !failed; i++)
		failed = ibuf_add_n64(msg, m->v[i].number) == -1 ||
		    ibuf_add_n8(msg, m->v[i].online) == -1;
	return (finish(b, type, msg, failed));
}

int
msg_recv_units(struct imsg *imsg, struct msg_units *m)
{
	struct ibuf	 in;
	uint32_t	 i;
	uint8_t		 online;

	m->v = NULL;
	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->n, MSG_UNITS_MAX + 1) == -1)
		return (-1);
	if ((m->v = calloc((size_t)m->n + 1, sizeof(*m->v))) == NULL)
		return (-1);
	for (i = 0; i < m->n; i++) {
		if (ibuf_get_n64(&in, &m->v[i].number) == -1 ||
		    ibuf_get_n8(&in, &online) == -1)
			break;
		if (online > 1) {
			(void)malformed();
			break;
		}
		m->v[i].online = online;
	}
	if (i < m->n || end(&in) == -1) {
		msg_units_free(m);
		return (-1);
	}
	return (0);
}

void
msg_units_free(struct msg_units *m)
{
	int	 saved = errno;

	free(m->v);
	m->v = NULL;
	errno = saved;
}

int
msg_send_fstrim(struct imsgbuf *b, const struct msg_fstrim *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_FSTRIM, 2 * U64, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_FSTRIM, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n64(msg, m->minimum) == -1));
}

int
msg_recv_fstrim(struct imsg *imsg, struct msg_fstrim *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    ibuf_get_n64(&in, &m->minimum) == -1)
		return (-1);
	return (end(&in));
}

int
msg_send_suspend(struct imsgbuf *b, const struct msg_suspend *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_SUSPEND, U64 + U32, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_SUSPEND, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->mode) == -1));
}

int
msg_recv_suspend(struct imsg *imsg, struct msg_suspend *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->mode, SUSPEND_MODES) == -1)
		return (-1);
	return (end(&in));
}

/* --- accounts --- */

/* A user's name that is cut is another user's. */
static int
too_long(const char *username, int fd)
{
	if (strnlen(username, MSG_USER_MAX) < MSG_USER_MAX)
		return (0);
	if (fd != -1)
		close(fd);
	errno = EMSGSIZE;
	return (1);
}

int
msg_send_account_rule(struct imsgbuf *b, uint32_t notroot)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_ACCOUNT_RULE, U32, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_ACCOUNT_RULE, msg,
	    ibuf_add_n32(msg, notroot) == -1));
}

int
msg_recv_account_rule(struct imsg *imsg, uint32_t *notroot)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 || get_bool(&in, notroot) == -1)
		return (-1);
	return (end(&in));
}

int
msg_send_password(struct imsgbuf *b, const struct msg_password *m, int fd)
{
	struct ibuf	*msg;

	if (too_long(m->username, fd) ||
	    (msg = start(b, MSG_PASSWORD, PASSWORD_FIXED +
	    STR(strlen(m->username) + 1), fd)) == NULL)
		return (-1);
	return (finish(b, MSG_PASSWORD, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->crypted) == -1 ||
	    ibuf_add_n32(msg, m->secret) == -1 ||
	    add_string(msg, m->username, MSG_USER_MAX) == -1));
}

int
msg_recv_password(struct imsg *imsg, struct msg_password *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_bool(&in, &m->crypted) == -1 ||
	    get_below(&in, &m->secret, MSG_SECRET_MAX + 1) == -1 ||
	    get_text(&in, &m->username, MSG_USER_MAX) == -1)
		return (-1);
	if (m->secret == 0 && imsg_has_fd(imsg))
		return (malformed());
	return (end(&in));
}

int
msg_send_ssh_keys(struct imsgbuf *b, const struct msg_ssh_keys *m)
{
	struct ibuf	*msg;
	size_t		 size = KEYS_FIXED;

	if (too_long(m->username, -1))
		return (-1);
	size += STR(strlen(m->username) + 1);
	if (vector_size(m->keys, m->n, &size) == -1 ||
	    (msg = start(b, MSG_SSH_KEYS, size, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_SSH_KEYS, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->command) == -1 ||
	    ibuf_add_n32(msg, m->reset) == -1 ||
	    ibuf_add_n32(msg, m->n) == -1 ||
	    add_string(msg, m->username, MSG_USER_MAX) == -1 ||
	    add_vector(msg, m->keys, m->n) == -1));
}

int
msg_recv_ssh_keys(struct imsg *imsg, struct msg_ssh_keys *m)
{
	struct ibuf	 in;

	m->keys = NULL;
	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->command, CMD_MAX) == -1 ||
	    get_bool(&in, &m->reset) == -1 ||
	    get_below(&in, &m->n, MSG_KEYS_MAX + 1) == -1 ||
	    get_text(&in, &m->username, MSG_USER_MAX) == -1 ||
	    get_vector(&in, &m->keys, m->n) == -1 ||
	    end(&in) == -1) {
		msg_ssh_keys_free(m);
		return (-1);
	}
	return (0);
}

void
msg_ssh_keys_free(struct msg_ssh_keys *m)
{
	free(m->keys);
	m->keys = NULL;
}

/* --- hook, done, reply --- */

int
msg_send_hook(struct imsgbuf *b, const struct msg_hook *m)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_HOOK, U64 + 2 * U32, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_HOOK, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->phase) == -1 ||
	    ibuf_add_n32(msg, m->abort) == -1));
}

int
msg_recv_hook(struct imsg *imsg, struct msg_hook *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->phase, HOOK_PHASES) == -1 ||
	    get_bool(&in, &m->abort) == -1)
		return (-1);
	return (end(&in));
}

/* --- freeze --- */

int
msg_send_freeze(struct imsgbuf *b, const struct msg_freeze *m)
{
	struct ibuf	*msg;
	size_t		 size = FREEZE_FIXED;

	if (vector_size(m->mounts, m->n, &size) == -1)
		size = MSG_FREEZE_MAX + 1;
	if ((msg = start(b, MSG_FREEZE, size, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_FREEZE, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->command) == -1 ||
	    ibuf_add_n32(msg, m->listed) == -1 ||
	    ibuf_add_n32(msg, m->n) == -1 ||
	    add_vector(msg, m->mounts, m->n) == -1));
}

int
msg_recv_freeze(struct imsg *imsg, struct msg_freeze *m)
{
	struct ibuf	 in;

	m->mounts = NULL;
	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->command, CMD_MAX) == -1 ||
	    get_bool(&in, &m->listed) == -1 ||
	    get_below(&in, &m->n, MSG_MOUNTS_MAX + 1) == -1)
		return (-1);
	if (!m->listed && m->n != 0)
		return (malformed());
	if (get_vector(&in, &m->mounts, m->n) == -1 || end(&in) == -1) {
		msg_freeze_free(m);
		return (-1);
	}
	return (0);
}

void
msg_freeze_free(struct msg_freeze *m)
{
	int	 saved = errno;

	free(m->mounts);
	m->mounts = NULL;
	errno = saved;
}

int
msg_send_freeze_order(struct imsgbuf *b, uint32_t order)
{
	struct ibuf	*msg;

	if ((msg = start(b, MSG_FREEZE_ORDER, U32, -1)) == NULL)
		return (-1);
	return (finish(b, MSG_FREEZE_ORDER, msg,
	    ibuf_add_n32(msg, order) == -1));
}

int
msg_recv_freeze_order(struct imsg *imsg, uint32_t *order)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    get_below(&in, order, FREEZE_ORDERS) == -1)
		return (-1);
	return (end(&in));
}

int
msg_send_freeze_done(struct imsgbuf *b, const struct msg_freeze_done *m)
{
	struct ibuf	*msg;
	size_t		 len = strnlen(m->text, MSG_TEXT_MAX - 1) + 1;

	msg = start(b, MSG_FREEZE_DONE, 4 * U32 + STR(len), -1);
	if (msg == NULL)
		return (-1);
	return (finish(b, MSG_FREEZE_DONE, msg,
	    ibuf_add_n32(msg, m->order) == -1 ||
	    ibuf_add_n32(msg, m->found) == -1 ||
	    ibuf_add_n32(msg, m->hooks) == -1 ||
	    ibuf_add_n32(msg, m->count) == -1 ||
	    add_string(msg, m->text, MSG_TEXT_MAX) == -1));
}

int
msg_recv_freeze_done(struct imsg *imsg, struct msg_freeze_done *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    get_below(&in, &m->order, FREEZE_ORDERS) == -1 ||
	    get_bool(&in, &m->found) == -1 ||
	    get_bool(&in, &m->hooks) == -1 ||
	    ibuf_get_n32(&in, &m->count) == -1 ||
	    get_text(&in, &m->text, MSG_TEXT_MAX) == -1)
		return (-1);
	return (end(&in));
}

int
msg_send_done(struct imsgbuf *b, const struct msg_done *m)
{
	struct ibuf	*msg;
	size_t		 len = strnlen(m->text, MSG_TEXT_MAX - 1) + 1;

	if ((msg = start(b, MSG_DONE, U64 + U32 + STR(len), -1)) == NULL)
		return (-1);
	return (finish(b, MSG_DONE, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->ok) == -1 ||
	    add_string(msg, m->text, MSG_TEXT_MAX) == -1));
}

int
msg_recv_done(struct imsg *imsg, struct msg_done *m)
{
	struct ibuf	 in;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->ok, DONES) == -1 ||
	    get_text(&in, &m->text, MSG_TEXT_MAX) == -1)
		return (-1);
	return (end(&in));
}

int
msg_send_reply(struct imsgbuf *b, const struct msg_reply *m, int fd)
{
	struct ibuf	*msg;
	size_t		 len = strnlen(m->text, MSG_TEXT_MAX - 1) + 1;

	if ((msg = start(b, MSG_REPLY, REPLY_FIXED + STR(len), fd)) == NULL)
		return (-1);
	return (finish(b, MSG_REPLY, msg,
	    ibuf_add_n64(msg, m->id) == -1 ||
	    ibuf_add_n32(msg, m->kind) == -1 ||
	    ibuf_add_n64(msg, (uint64_t)m->number) == -1 ||
	    add_result(msg, &m->result) == -1 ||
	    ibuf_add_n32(msg, m->eof) == -1 ||
	    add_string(msg, m->text, MSG_TEXT_MAX) == -1));
}

int
msg_recv_reply(struct imsg *imsg, struct msg_reply *m)
{
	struct ibuf	 in;
	uint64_t	 number;

	if (imsg_get_ibuf(imsg, &in) == -1 ||
	    ibuf_get_n64(&in, &m->id) == -1 ||
	    get_below(&in, &m->kind, REPLY_KINDS) == -1 ||
	    ibuf_get_n64(&in, &number) == -1 ||
	    get_result(&in, &m->result) == -1 ||
	    get_bool(&in, &m->eof) == -1 ||
	    get_text(&in, &m->text, MSG_TEXT_MAX) == -1)
		return (-1);
	if (m->kind != REPLY_EXEC && imsg_has_fd(imsg))
		return (malformed());
	m->number = (int64_t)number;
	return (end(&in));
}

/* --- frames on a data socket --- */

void
frame_encode(const struct frame *f, unsigned char *header)
{
	uint32_t	 words[3] = { FRAME_MAGIC, f->kind, f->len };
	int		 i;

	for (i = 0; i < 12; i++)
		header[i] = (unsigned char)
		    (words[i / 4] >> (24 - i % 4 * 8) & 0xff);
	for (i = 0; i < 8; i++)
		header[12 + i] = (unsigned char)
		    (f->id >> (56 - i * 8) & 0xff);
}

int
frame_decode(const unsigned char *header, struct frame *f)
{
	struct ibuf	 in;
	uint32_t	 magic;

	ibuf_from_buffer(&in, (void *)header, FRAME_HEADER);
	if (ibuf_get_n32(&in, &magic) == -1 ||
	    get_below(&in, &f->kind, FRAME_KINDS) == -1 ||
	    ibuf_get_n32(&in, &f->len) == -1 ||
	    ibuf_get_n64(&in, &f->id) == -1)
		return (-1);
	if (magic != FRAME_MAGIC ||
	    f->len > (f->kind == FRAME_VALUE ? VALUE_SIZE : MSG_TEXT_MAX))
		return (malformed());
	return (end(&in));
}

/* --- a freezer's records --- */

void
freeze_record_encode(const struct freeze_record *r, unsigned char *out)
{
	uint32_t	 words[4] = { r->event, r->count, r->why, r->error };
	size_t		 len = strnlen(r->path, FREEZE_PATH - 1);
	int		 i;

	for (i = 0; i < 16; i++)
		out[i] = (unsigned char)
		    (words[i / 4] >> (24 - i % 4 * 8) & 0xff);
	memset(out + 16, 0, FREEZE_PATH);
	memcpy(out + 16, r->path, len);
}

int
freeze_record_decode(const unsigned char *record, struct freeze_record *r)
{
	struct ibuf	 in;

	ibuf_from_buffer(&in, (void *)(uintptr_t)record, FREEZE_RECORD);
	if (get_below(&in, &r->event, FREEZE_EVENTS) == -1 ||
	    ibuf_get_n32(&in, &r->count) == -1 ||
	    get_below(&in, &r->why, FREEZE_WHYS) == -1 ||
	    ibuf_get_n32(&in, &r->error) == -1 ||
	    ibuf_get(&in, r->path, sizeof(r->path)) == -1)
		return (-1);
	if (r->error > INT32_MAX || r->path[FREEZE_PATH - 1] != '\0')
		return (malformed());
	return (end(&in));
}
