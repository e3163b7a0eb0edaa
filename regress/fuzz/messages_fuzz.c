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
 * Payloads.  The first byte is the message's type, its high bit says that a
 * descriptor came.  A payload has one encoding only: what a recv accepts, the
 * send makes again, byte by byte.
 */

#include <sys/types.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filemode.h"
#include "imsg.h"
#include "messages.h"
#include "confine.h"
#include "log.h"

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static void	 need(int);
static int	 again(struct imsg *, struct imsgbuf *);
static int	 again_exec(struct imsg *, struct imsgbuf *);
static int	 again_exec_rule(struct imsg *, struct imsgbuf *);
static int	 again_units(struct imsg *, struct imsgbuf *);
static int	 again_ssh_keys(struct imsg *, struct imsgbuf *);
static void	 frame(const uint8_t *);

static void
need(int true)
{
	if (!true)
		abort();
}

static int
again_exec(struct imsg *imsg, struct imsgbuf *out)
{
	struct msg_exec	 m;
	uint32_t	 i;

	if (msg_recv_exec(imsg, &m) == -1)
		return (-1);
	need(m.argc <= MSG_ARGS_MAX && m.envc <= MSG_ARGS_MAX);
	for (i = 0; i < m.argc; i++)
		need(strlen(m.argv[i]) < MSG_EXEC_MAX);
	for (i = 0; i < m.envc; i++)
		need(strlen(m.envp[i]) < MSG_EXEC_MAX);
	need(m.argv[m.argc] == NULL && m.envp[m.envc] == NULL);
	need(m.capture < CAPTURE_MODES && m.path[0] != '\0');
	need(msg_send_exec(out, &m, -1) == 0);
	msg_exec_free(&m);
	return (0);
}

static int
again_exec_rule(struct imsg *imsg, struct imsgbuf *out)
{
	struct msg_exec_rule m;
	int		 r;

	if (msg_recv_exec_rule(imsg, &m) == -1)
		return (-1);
	need(m.program[0] == '/' && m.directory[0] == '/');
	need(m.envc <= EXEC_ENV_MAX && m.envp[m.envc] == NULL);
	r = msg_send_exec_rule(out, &m);
	msg_exec_rule_free(&m);
	return (r);
}

static int
again_units(struct imsg *imsg, struct imsgbuf *out)
{
	struct msg_units m;
	uint32_t	 i;

	if (msg_recv_units(imsg, &m) == -1)
		return (-1);
	need(m.n <= MSG_UNITS_MAX);
	for (i = 0; i < m.n; i++)
		need(m.v[i].online < 2);
	need(msg_send_units(out, imsg_get_type(imsg), &m) == 0);
	msg_units_free(&m);
	return (0);
}

static int
again_ssh_keys(struct imsg *imsg, struct imsgbuf *out)
{
	struct msg_ssh_keys	 m;
	uint32_t		 i;

	if (msg_recv_ssh_keys(imsg, &m) == -1)
		return (-1);
	need(m.n <= MSG_KEYS_MAX && m.command < CMD_MAX && m.reset < 2);
	need(strlen(m.username) < MSG_USER_MAX);
	for (i = 0; i < m.n; i++)
		need(strlen(m.keys[i]) < MSG_SSH_KEYS_MAX);
	need(m.keys[m.n] == NULL);
	need(msg_send_ssh_keys(out, &m) == 0);
	msg_ssh_keys_free(&m);
	return (0);
}

static int
again_freeze(struct imsg *imsg, struct imsgbuf *out)
{
	struct msg_freeze	 m;
	uint32_t		 i;

	if (msg_recv_freeze(imsg, &m) == -1)
		return (-1);
	need(m.n <= MSG_MOUNTS_MAX && m.command < CMD_MAX);
	for (i = 0; i < m.n; i++)
		need(strlen(m.mounts[i]) < MSG_FREEZE_MAX);
	need(m.mounts[m.n] == NULL);
	need(msg_send_freeze(out, &m) == 0);
	msg_freeze_free(&m);
	return (0);
}

/* Decode, look, encode. */
static int
again(struct imsg *imsg, struct imsgbuf *out)
{
	union {
		struct msg_hello	 hello;
		struct msg_log		 log;
		struct limits		 limits;
		struct msg_policy	 policy;
		struct msg_channel	 channel;
		struct msg_request	 request;
		struct msg_exec_status	 status;
		struct msg_exec_started	 started;
		struct msg_exec_send	 send;
		uint32_t		 notroot;
		struct msg_file_open	 open;
		struct msg_file		 file;
		struct msg_file_done	 filed;
		struct msg_file_waiting	 waiting;
		struct msg_shutdown	 shutdown;
		struct msg_hook		 hook;
		struct msg_set_time	 set_time;
		struct msg_fstrim	 fstrim;
		struct msg_suspend	 suspend;
		struct msg_password	 password;
		struct msg_done		 done;
		struct msg_freeze_done	 freeze_done;
		struct msg_reply	 reply;
		struct exec_result	 result;
		uint64_t		 n64;
		uint32_t		 n32;
	} m;
	enum msg_type	 type = imsg_get_type(imsg);

	switch (type) {
	case MSG_HELLO:
		return (msg_recv_hello(imsg, &m.hello) == -1 ? -1 :
		    msg_send_hello(out, &m.hello));
	case MSG_LOG:
	case MSG_LINE:
		if (msg_recv_log(imsg, &m.log) == -1)
			return (-1);
		need(strlen(m.log.line) < MSG_LINE_MAX);
		need(m.log.level < LEVEL_MAX);
		return (msg_send_log(out, type, &m.log));
	case MSG_LIMITS:
		return (msg_recv_limits(imsg, &m.limits) == -1 ? -1 :
		    msg_send_limits(out, &m.limits));
	case MSG_POLICY:
		return (msg_recv_policy(imsg, &m.policy) == -1 ? -1 :
		    msg_send_policy(out, &m.policy));
	case MSG_CHANNEL:
		return (msg_recv_channel(imsg, &m.channel) == -1 ? -1 :
		    msg_send_channel(out, &m.channel, -1));
	case MSG_CHANNEL_END:
		return (msg_recv_channel_end(imsg, &m.n32) == -1 ? -1 :
		    msg_send_channel_end(out, m.n32));
	case MSG_FREEZE:
		return (again_freeze(imsg, out));
	case MSG_FREEZE_ORDER:
		return (msg_recv_freeze_order(imsg, &m.n32) == -1 ? -1 :
		    msg_send_freeze_order(out, m.n32));
	case MSG_FREEZE_DONE:
		return (msg_recv_freeze_done(imsg, &m.freeze_done) == -1 ?
		    -1 : msg_send_freeze_done(out, &m.freeze_done));
	case MSG_ASK:
	case MSG_FSFREEZE:
	case MSG_QUERY:
		if (msg_recv_request(imsg, &m.request) == -1)
			return (-1);
		need(m.request.command < CMD_MAX);
		return (msg_send_request(out, type, &m.request));
	case MSG_DATA:
	case MSG_RESULT:
	case MSG_GO:
	case MSG_SMART:
		return (msg_recv_data(imsg, &m.n64) == -1 ? -1 :
		    msg_send_data(out, type, m.n64, -1));
	case MSG_EXEC:
		return (again_exec(imsg, out));
	case MSG_EXEC_STATUS:
		return (msg_recv_exec_status(imsg, &m.status) == -1 ? -1 :
		    msg_send_exec_status(out, &m.status));
	case MSG_EXEC_STARTED:
		return (msg_recv_exec_started(imsg, &m.started) == -1 ? -1 :
		    msg_send_exec_started(out, &m.started));
	case MSG_EXEC_ENDED:
		return (msg_recv_exec_ended(imsg, &m.result) == -1 ? -1 :
		    msg_send_exec_ended(out, &m.result));
	case MSG_ACCOUNT_RULE:
		return (msg_recv_account_rule(imsg, &m.notroot) == -1 ? -1 :
		    msg_send_account_rule(out, m.notroot));
	case MSG_EXEC_RULE:
		return (again_exec_rule(imsg, out));
	case MSG_EXEC_SEND:
		return (msg_recv_exec_send(imsg, &m.send) == -1 ? -1 :
		    msg_send_exec_send(out, &m.send, -1));
	case MSG_FILE_OPEN:
		if (msg_recv_file_open(imsg, &m.open) == -1)
			return (-1);
		need(m.open.mode < FILE_MODES && m.open.path[0] != '\0');
		need(strlen(m.open.path) < MSG_PATH_MAX);
		return (msg_send_file_open(out, &m.open));
	case MSG_FILE_CLOSE:
	case MSG_FILE_READ:
	case MSG_FILE_WRITE:
	case MSG_FILE_SEEK:
	case MSG_FILE_FLUSH:
		return (msg_recv_file(imsg, &m.file) == -1 ? -1 :
		    msg_send_file(out, type, &m.file, -1));
	case MSG_FILE_DONE:
		return (msg_recv_file_done(imsg, &m.filed) == -1 ? -1 :
		    msg_send_file_done(out, &m.filed));
	case MSG_FILE_WAITING:
		return (msg_recv_file_waiting(imsg, &m.waiting) == -1 ? -1 :
		    msg_send_file_waiting(out, &m.waiting));
	case MSG_SHUTDOWN:
		return (msg_recv_shutdown(imsg, &m.shutdown) == -1 ? -1 :
		    msg_send_shutdown(out, &m.shutdown));
	case MSG_HOOK:
		return (msg_recv_hook(imsg, &m.hook) == -1 ? -1 :
		    msg_send_hook(out, &m.hook));
	case MSG_SET_TIME:
		if (msg_recv_set_time(imsg, &m.set_time) == -1)
			return (-1);
		need(m.set_time.ns / 1000000000 < MSG_TIME_END);
		return (msg_send_set_time(out, &m.set_time));
	case MSG_SET_VCPUS:
	case MSG_SET_MEMORY_BLOCKS:
		return (again_units(imsg, out));
	case MSG_FSTRIM:
		return (msg_recv_fstrim(imsg, &m.fstrim) == -1 ? -1 :
		    msg_send_fstrim(out, &m.fstrim));
	case MSG_SUSPEND:
		return (msg_recv_suspend(imsg, &m.suspend) == -1 ? -1 :
		    msg_send_suspend(out, &m.suspend));
	case MSG_PASSWORD:
		if (msg_recv_password(imsg, &m.password) == -1)
			return (-1);
		need(m.password.secret <= MSG_SECRET_MAX);
		need(strlen(m.password.username) < MSG_USER_MAX);
		return (msg_send_password(out, &m.password, -1));
	case MSG_SSH_KEYS:
		return (again_ssh_keys(imsg, out));
	case MSG_DONE:
		return (msg_recv_done(imsg, &m.done) == -1 ? -1 :
		    msg_send_done(out, &m.done));
	case MSG_REPLY:
		return (msg_recv_reply(imsg, &m.reply) == -1 ? -1 :
		    msg_send_reply(out, &m.reply, -1));
	case MSG_NONE:
	case MSG_MAX:
		break;
	}
	abort();
}

static void
frame(const uint8_t *data)
{
	unsigned char	 out[FRAME_HEADER];
	struct frame	 f;

	if (frame_decode(data, &f) == -1)
		return;
	frame_encode(&f, out);
	need(memcmp(out, data, sizeof(out)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imsgbuf	 out;
	struct imsg	 imsg;
	int		 checked;

	if (size == 0)
		return (0);
	if (size >= FRAME_HEADER)
		frame(data);
	need(imsgbuf_init(&out, -1) == 0);
	need(imsgbuf_set_maxsize(&out, MSG_SIZE_MAX) == 0);
	memset(&imsg, 0, sizeof(imsg));
	imsg.hdr.type = data[0] & 0x7f;
	need((imsg.buf = ibuf_open(size - 1)) != NULL);
	need(ibuf_add(imsg.buf, data + 1, size - 1) == 0);
	if (data[0] & 0x80)
		need((imsg.buf->fd = open("/dev/null", O_RDONLY)) != -1);

	checked = msg_check(&imsg) == 0;
	if (imsg.hdr.type != MSG_NONE && imsg.hdr.type < MSG_MAX &&
	    again(&imsg, &out) == 0) {
		ibuf_rewind(imsg.buf);
		need(imsgbuf_queuelen(&out) == 1);
		need(ibuf_skip(out.head, IMSG_HEADER_SIZE) == 0);
		need(ibuf_size(out.head) == size - 1);
		need(memcmp(ibuf_data(out.head), data + 1, size - 1) == 0);
		/* What decodes is of a size that the table knows. */
		need(checked || msg_info[imsg.hdr.type].fd != MSG_FD_MAY);
	}
	imsg_free(&imsg);
	imsgbuf_clear(&out);
	return (0);
}
