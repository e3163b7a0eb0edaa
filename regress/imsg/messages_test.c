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
 * Every message, smallest and largest, there and back; then everything that
 * a peer could do to one of them, which has to be refused.
 */

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "imsg.h"
#include "messages.h"
#include "confine.h"
#include "filemode.h"
#include "log.h"
#include "value.h"

#define BUILD		"0123456789abcdef0123456789abcde"
#define PATH		"/bin/true"

static struct imsgbuf	 queue;
static char		*texts[2];	/* the longest text, the longest line */
static char		 longpath[MSG_EXEC_MAX];

static void	 setup(void);
static void	 take(struct imsg *);
static void	 payload(struct imsg *, uint32_t, const void *, size_t);
static void	 send_it(enum msg_type, int);
static int	 recv_it(struct imsg *, int);
static void	 send_exec(int);
static int	 recv_exec(struct imsg *, int);
static void	 units(struct msg_units *, int);
static int	 same_units(struct imsg *, int);
static void	 result(struct exec_result *, int);
static int	 same_result(const struct exec_result *, int);

static void
setup(void)
{
	int	 i;

	ATF_REQUIRE_EQ(0, imsgbuf_init(&queue, -1));
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&queue, MSG_SIZE_MAX));
	for (i = 0; i < 2; i++) {
		texts[i] = calloc(1, i ? MSG_LINE_MAX : MSG_TEXT_MAX);
		ATF_REQUIRE(texts[i] != NULL);
		memset(texts[i], 't', (i ? MSG_LINE_MAX : MSG_TEXT_MAX) - 1);
	}
}

/* What was sent, as the other side would get it. */
static void
take(struct imsg *imsg)
{
	struct ibuf	*buf;

	ATF_REQUIRE_EQ(1, imsgbuf_queuelen(&queue));
	buf = queue.head;
	queue.head = NULL;
	queue.tail = &queue.head;
	queue.queued = 0;
	queue.queuedbytes = 0;
	ATF_REQUIRE_EQ(0, ibuf_get(buf, &imsg->hdr, IMSG_HEADER_SIZE));
	imsg->buf = buf;
}

static void
payload(struct imsg *imsg, uint32_t type, const void *data, size_t len)
{
	memset(imsg, 0, sizeof(*imsg));
	imsg->hdr.type = type;
	ATF_REQUIRE((imsg->buf = ibuf_open(len)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add(imsg->buf, data, len));
}

static void
units(struct msg_units *m, int large)
{
	static struct unit v[MSG_UNITS_MAX];
	uint32_t	 i;

	memset(m, 0, sizeof(*m));
	m->id = 5;
	m->n = large ? MSG_UNITS_MAX : 0;
	m->v = v;
	for (i = 0; i < MSG_UNITS_MAX; i++) {
		v[i].number = i % 3 == 0 ? UINT64_MAX : i;
		v[i].online = i % 2;
	}
}

static int
same_units(struct imsg *imsg, int large)
{
	struct msg_units m, want;
	int		 same = 1;

	if (msg_recv_units(imsg, &m) == -1) {
		ATF_CHECK(m.v == NULL);
		return (-1);
	}
	if (large != -1) {
		units(&want, large);
		same = m.id == 5 && m.n == want.n &&
		    memcmp(m.v, want.v, m.n * sizeof(*m.v)) == 0;
	}
	msg_units_free(&m);
	return (same);
}

static void
result(struct exec_result *r, int large)
{
	memset(r, 0, sizeof(*r));
	r->exited = 1;
	if (large) {
		r->signaled = r->outcut = r->errcut = 1;
		r->code = UINT32_MAX;
		r->out = UINT32_MAX;
		r->err = 1;
	}
}

static int
same_result(const struct exec_result *r, int large)
{
	struct exec_result	 want;

	result(&want, large);
	return (memcmp(r, &want, sizeof(want)) == 0);
}

/* Largest: one argument and one variable, and a path that fills the rest. */
static void
send_exec(int large)
{
	char		*argv[] = { (char *)"-x", NULL };
	char		*envp[] = { (char *)"A=b", NULL };
	struct msg_exec	 m;

	memset(&m, 0, sizeof(m));
	m.id = 5;
	m.path = "x";
	if (large) {
		m.capture = CAPTURE_MERGED;
		m.hasinput = m.hasenv = m.argc = m.envc = 1;
		m.input = UINT64_MAX;
		memset(longpath, 'p', sizeof(longpath));
		longpath[MSG_EXEC_MAX - 36 - 4 - (4 + 3) - (4 + 4) - 1] = '\0';
		m.path = longpath;
		m.argv = argv;
		m.envp = envp;
	}
	ATF_REQUIRE_EQ(0, msg_send_exec(&queue, &m, -1));
}

/* Largest: one variable that fills it. */
static void
exec_rule(struct msg_exec_rule *m, int large)
{
	static char	*envp[2];
	int		 i;

	memset(m, 0, sizeof(*m));
	m->output = m->time = EXEC_FREE;
	for (i = 0; i < EXEC_BOUNDS; i++)
		m->bound[i] = (uint64_t)i;
	m->program = m->directory = "/";
	m->user = m->group = "";
	if (large) {
		memset(longpath, 'p', sizeof(longpath));
		longpath[MSG_RULE_MAX - 68 - 2 * 6 - 2 * 5 - 4 - 1] = '\0';
		envp[0] = longpath;
		m->envc = 1;
		m->envp = envp;
	}
}

static int
recv_exec_rule(struct imsg *imsg, int large)
{
	struct msg_exec_rule m, want;
	int		 i;

	if (msg_recv_exec_rule(imsg, &m) == -1) {
		ATF_CHECK(m.envp == NULL);
		return (-1);
	}
	if (large != -1) {
		exec_rule(&want, large);
		ATF_CHECK_EQ(want.output, m.output);
		ATF_CHECK_EQ(want.time, m.time);
		for (i = 0; i < EXEC_BOUNDS; i++)
			ATF_CHECK_EQ(want.bound[i], m.bound[i]);
		ATF_CHECK_STREQ(want.program, m.program);
		ATF_CHECK_STREQ(want.user, m.user);
		ATF_CHECK_STREQ(want.group, m.group);
		ATF_CHECK_STREQ(want.directory, m.directory);
		ATF_REQUIRE_EQ(want.envc, m.envc);
		if (large)
			ATF_CHECK_STREQ(want.envp[0], m.envp[0]);
	}
	msg_exec_rule_free(&m);
	return (0);
}

static int
recv_exec(struct imsg *imsg, int large)
{
	struct msg_exec	 m;

	if (msg_recv_exec(imsg, &m) == -1) {
		ATF_CHECK(m.argv == NULL && m.envp == NULL);
		return (-1);
	}
	ATF_CHECK_EQ(5, m.id);
	ATF_CHECK_EQ(large ? CAPTURE_MERGED : CAPTURE_NONE, m.capture);
	ATF_CHECK_EQ(large ? UINT64_MAX : 0, m.input);
	ATF_CHECK_EQ((uint32_t)large, m.hasinput);
	ATF_CHECK_EQ((uint32_t)large, m.hasenv);
	ATF_CHECK_EQ((uint32_t)large, m.argc);
	ATF_CHECK_EQ((uint32_t)large, m.envc);
	ATF_CHECK_STREQ(large ? longpath : "x", m.path);
	if (large) {
		ATF_CHECK_STREQ("-x", m.argv[0]);
		ATF_CHECK_STREQ("A=b", m.envp[0]);
	}
	ATF_CHECK(m.argv[m.argc] == NULL && m.envp[m.envc] == NULL);
	msg_exec_free(&m);
	return (0);
}

/* Largest: the longest name, and a key that fills the rest. */
static void
send_ssh_keys(int large)
{
	static char		 user[MSG_USER_MAX];
	char			*keys[] = { longpath, NULL };
	struct msg_ssh_keys	 m;

	memset(&m, 0, sizeof(m));
	m.id = 5;
	m.username = user;
	if (large) {
		memset(user, 'u', sizeof(user) - 1);
		memset(longpath, 'k', sizeof(longpath));
		longpath[MSG_SSH_KEYS_MAX - 20 - (4 + sizeof(user)) - 4 - 1] =
		    '\0';
		m.command = CMD_MAX - 1;
		m.reset = m.n = 1;
		m.keys = keys;
	} else
		user[0] = '\0';
	ATF_REQUIRE_EQ(0, msg_send_ssh_keys(&queue, &m));
}

static int
recv_ssh_keys(struct imsg *imsg, int large)
{
	struct msg_ssh_keys	 m;

	if (msg_recv_ssh_keys(imsg, &m) == -1) {
		ATF_CHECK(m.keys == NULL);
		return (-1);
	}
	if (large != -1) {
		ATF_CHECK_EQ(5, m.id);
		ATF_CHECK_EQ(large ? CMD_MAX - 1 : 0, m.command);
		ATF_CHECK_EQ((uint32_t)large, m.reset);
		ATF_CHECK_EQ((uint32_t)large, m.n);
		ATF_CHECK_EQ(large ? MSG_USER_MAX - 1 : 0,
		    strlen(m.username));
		if (large)
			ATF_CHECK_STREQ(longpath, m.keys[0]);
	}
	ATF_CHECK(m.keys[m.n] == NULL);
	msg_ssh_keys_free(&m);
	return (0);
}

/* Largest: as many as may be, the last of which fills the rest. */
static void
send_freeze(int large)
{
	static char		*mounts[MSG_MOUNTS_MAX + 1];
	struct msg_freeze	 m = { 5, 0, 0, 0, mounts };
	size_t			 i;

	if (large) {
		m.command = CMD_MAX - 1;
		m.listed = 1;
		m.n = MSG_MOUNTS_MAX;
		for (i = 0; i < MSG_MOUNTS_MAX; i++)
			mounts[i] = (char *)(uintptr_t)"/";
		memset(longpath, 'p', sizeof(longpath));
		longpath[MSG_FREEZE_MAX - 20 - (MSG_MOUNTS_MAX - 1) * 6 -
		    4 - 1] = '\0';
		mounts[MSG_MOUNTS_MAX - 1] = longpath;
	}
	ATF_REQUIRE_EQ(0, msg_send_freeze(&queue, &m));
}

static int
recv_freeze(struct imsg *imsg, int large)
{
	struct msg_freeze	 m;

	if (msg_recv_freeze(imsg, &m) == -1) {
		ATF_CHECK(m.mounts == NULL);
		return (-1);
	}
	ATF_CHECK_EQ(5, m.id);
	ATF_CHECK_EQ(large ? CMD_MAX - 1 : 0, m.command);
	ATF_CHECK_EQ((uint32_t)large, m.listed);
	ATF_CHECK_EQ(large ? MSG_MOUNTS_MAX : 0, m.n);
	if (large) {
		ATF_CHECK_STREQ("/", m.mounts[0]);
		ATF_CHECK_STREQ(longpath, m.mounts[MSG_MOUNTS_MAX - 1]);
	}
	ATF_CHECK(m.mounts[m.n] == NULL);
	msg_freeze_free(&m);
	return (0);
}

static void
send_it(enum msg_type type, int large)
{
	struct msg_hello	 hello = { BUILD, large ? ROLE_MAX - 1 : 0 };
	struct msg_log		 line = { large ? LEVEL_MAX - 1 : 0,
				    large ? UINT64_MAX : 0,
				    large ? texts[1] : "" };
	struct limits		 limits = LIMITS_DEFAULT;
	struct msg_policy	 policy;
	struct msg_channel	 channel = { large ? CHANNEL_KINDS - 1 : 1,
				    (uint32_t)large };
	struct msg_request	 request = { 5, large ? CMD_MAX - 1 : 0 };
	struct msg_exec_status	 status = { 5, large ? INT64_MAX : INT64_MIN };
	struct msg_exec_started	 started = { 5, large ? INT32_MAX : 0,
				    0, large ? texts[0] : "" };
	struct msg_exec_send	 out = { 5, UINT32_MAX, 2 };
	struct msg_file_open	 open = { 5, large ? FILE_MODES - 1 : 0,
				    large ? FILE_RULES - 1 : 0,
				    large ? texts[0] : "",
				    large ? texts[0] : "x" };
	struct msg_file		 file = { 5, large ? INT64_MAX : INT64_MIN,
				    0, 0 };
	struct msg_file_done	 filed = { 5, (uint32_t)!large, 0,
				    large ? INT64_MAX : 0, (uint32_t)large,
				    large ? texts[0] : "" };
	struct msg_file_waiting	 waiting = { 5, (uint32_t)large };
	struct msg_shutdown	 shut = { 5, large ? SHUTDOWN_MODES - 1 : 0 };
	struct msg_hook		 hook = { 5, large ? HOOK_PHASES - 1 : 0,
				    (uint32_t)large };
	struct msg_set_time	 set = { 5, (uint32_t)large, large ?
				    MSG_TIME_END * 1000000000 - 1 : 0 };
	struct msg_units	 list;
	struct msg_exec_rule	 rule;
	struct msg_fstrim	 trim = { 5, large ? UINT64_MAX : 0 };
	struct msg_suspend	 sleep = { 5, large ? SUSPEND_MODES - 1 : 0 };
	static char		 user[MSG_USER_MAX];
	struct msg_password	 pass = { 5, (uint32_t)large,
				    large ? MSG_SECRET_MAX : 0, user };
	struct msg_done		 done = { 5, (uint32_t)!large,
				    large ? texts[0] : "" };
	struct msg_freeze_done	 freeze_done = {
				    large ? FREEZE_ORDERS - 1 : 0,
				    (uint32_t)large, (uint32_t)large,
				    large ? UINT32_MAX : 0,
				    large ? texts[0] : "" };
	struct msg_reply	 reply;
	struct exec_result	 res;
	int			 r = -1;

	memset(user, large ? 'u' : '\0', sizeof(user) - 1);
	memset(&policy, large, sizeof(policy));
	result(&res, large);
	memset(&reply, 0, sizeof(reply));
	reply.id = 5;
	reply.kind = large ? REPLY_KINDS - 1 : 0;
	reply.number = large ? -1 : 7;
	reply.result = res;
	reply.eof = (uint32_t)large;
	reply.text = done.text;
	limits.restarts = large ? UINT64_MAX : 0;
	switch (type) {
	case MSG_HELLO:
		r = msg_send_hello(&queue, &hello);
		break;
	case MSG_LOG:
	case MSG_LINE:
		r = msg_send_log(&queue, type, &line);
		break;
	case MSG_LIMITS:
		r = msg_send_limits(&queue, &limits);
		break;
	case MSG_POLICY:
		r = msg_send_policy(&queue, &policy);
		break;
	case MSG_CHANNEL:
		r = msg_send_channel(&queue, &channel, -1);
		break;
	case MSG_CHANNEL_END:
		r = msg_send_channel_end(&queue, large ? CHANNEL_ENDS - 1 : 0);
		break;
	case MSG_FREEZE:
		send_freeze(large);
		r = 0;
		break;
	case MSG_FREEZE_ORDER:
		r = msg_send_freeze_order(&queue, large ? FREEZE_ORDERS - 1 :
		    0);
		break;
	case MSG_FREEZE_DONE:
		r = msg_send_freeze_done(&queue, &freeze_done);
		break;
	case MSG_ASK:
	case MSG_FSFREEZE:
	case MSG_QUERY:
		r = msg_send_request(&queue, type, &request);
		break;
	case MSG_DATA:
	case MSG_RESULT:
	case MSG_GO:
	case MSG_SMART:
		r = msg_send_data(&queue, type, large ? UINT64_MAX : 0, -1);
		break;
	case MSG_EXEC:
		send_exec(large);
		r = 0;
		break;
	case MSG_ACCOUNT_RULE:
		r = msg_send_account_rule(&queue, (uint32_t)large);
		break;
	case MSG_EXEC_RULE:
		exec_rule(&rule, large);
		r = msg_send_exec_rule(&queue, &rule);
		break;
	case MSG_EXEC_STATUS:
		r = msg_send_exec_status(&queue, &status);
		break;
	case MSG_EXEC_STARTED:
		r = msg_send_exec_started(&queue, &started);
		break;
	case MSG_EXEC_ENDED:
		r = msg_send_exec_ended(&queue, &res);
		break;
	case MSG_EXEC_SEND:
		r = msg_send_exec_send(&queue, &out, -1);
		break;
	case MSG_FILE_OPEN:
		r = msg_send_file_open(&queue, &open);
		break;
	case MSG_FILE_SEEK:
		file.whence = large ? FILE_WHENCES - 1 : 0;
		/* FALLTHROUGH */
	case MSG_FILE_READ:
	case MSG_FILE_WRITE:
		file.number = large ? MSG_COUNT_MAX : 0;
		/* FALLTHROUGH */
	case MSG_FILE_CLOSE:
	case MSG_FILE_FLUSH:
		r = msg_send_file(&queue, type, &file, -1);
		break;
	case MSG_FILE_DONE:
		r = msg_send_file_done(&queue, &filed);
		break;
	case MSG_FILE_WAITING:
		r = msg_send_file_waiting(&queue, &waiting);
		break;
	case MSG_SHUTDOWN:
		r = msg_send_shutdown(&queue, &shut);
		break;
	case MSG_HOOK:
		r = msg_send_hook(&queue, &hook);
		break;
	case MSG_SET_TIME:
		r = msg_send_set_time(&queue, &set);
		break;
	case MSG_SET_VCPUS:
	case MSG_SET_MEMORY_BLOCKS:
		units(&list, large);
		r = msg_send_units(&queue, type, &list);
		break;
	case MSG_FSTRIM:
		r = msg_send_fstrim(&queue, &trim);
		break;
	case MSG_SUSPEND:
		r = msg_send_suspend(&queue, &sleep);
		break;
	case MSG_PASSWORD:
		r = msg_send_password(&queue, &pass, -1);
		break;
	case MSG_SSH_KEYS:
		send_ssh_keys(large);
		r = 0;
		break;
	case MSG_DONE:
		r = msg_send_done(&queue, &done);
		break;
	case MSG_REPLY:
		r = msg_send_reply(&queue, &reply, -1);
		break;
	case MSG_NONE:
	case MSG_MAX:
		break;
	}
	ATF_REQUIRE_EQ_MSG(0, r, "send of %s", msg_name(type));
}

/* Decode by type; large -1: whatever is in it. */
static int
recv_it(struct imsg *imsg, int large)
{
	struct msg_hello	 hello;
	struct msg_log		 line;
	struct limits		 limits, defaults = LIMITS_DEFAULT;
	struct msg_policy	 policy;
	struct msg_channel	 channel;
	struct msg_request	 request;
	struct msg_exec		 exec;
	struct msg_exec_status	 status;
	struct msg_exec_started	 started;
	struct msg_exec_send	 out;
	uint32_t		 notroot;
	struct msg_file_open	 open;
	struct msg_file		 file;
	struct msg_file_done	 filed;
	struct msg_file_waiting	 waiting;
	struct msg_shutdown	 shut;
	struct msg_hook		 hook;
	struct msg_set_time	 set;
	struct msg_fstrim	 trim;
	struct msg_suspend	 sleep;
	struct msg_password	 pass;
	struct msg_done		 done;
	struct msg_freeze	 freeze;
	struct msg_freeze_done	 freeze_done;
	struct msg_reply	 reply;
	struct exec_result	 res;
	uint64_t		 n64;
	uint32_t		 n32;
	int			 r = -1, same = 0;
	uint32_t		 type = imsg_get_type(imsg);

	switch (type) {
	case MSG_HELLO:
		if ((r = msg_recv_hello(imsg, &hello)) == 0)
			same = strcmp(hello.build, BUILD) == 0 &&
			    hello.role == (large ? ROLE_MAX - 1 : 0);
		break;
	case MSG_LOG:
	case MSG_LINE:
		if ((r = msg_recv_log(imsg, &line)) == 0)
			same = line.level == (large ? LEVEL_MAX - 1 : 0) &&
			    line.when == (large ? UINT64_MAX : 0) &&
			    strcmp(line.line, large ? texts[1] : "") == 0;
		break;
	case MSG_LIMITS:
		defaults.restarts = large ? UINT64_MAX : 0;
		if ((r = msg_recv_limits(imsg, &limits)) == 0)
			same = memcmp(&limits, &defaults,
			    sizeof(limits)) == 0;
		break;
	case MSG_POLICY:
		if ((r = msg_recv_policy(imsg, &policy)) == 0)
			same = policy.frozen == large &&
			    policy.enabled[0] == large &&
			    policy.enabled[CMD_MAX - 1] == large;
		break;
	case MSG_CHANNEL:
		if ((r = msg_recv_channel(imsg, &channel)) == 0)
			same = channel.newline == (uint32_t)large &&
			    channel.kind == (large ? CHANNEL_KINDS - 1 : 1);
		break;
	case MSG_CHANNEL_END:
		if ((r = msg_recv_channel_end(imsg, &n32)) == 0)
			same = n32 == (large ? CHANNEL_ENDS - 1 : 0);
		break;
	case MSG_FREEZE:
		if (large == -1) {
			if ((r = msg_recv_freeze(imsg, &freeze)) == 0)
				msg_freeze_free(&freeze);
			break;
		}
		r = recv_freeze(imsg, large);
		same = 1;
		break;
	case MSG_FREEZE_ORDER:
		if ((r = msg_recv_freeze_order(imsg, &n32)) == 0)
			same = n32 == (large ? FREEZE_ORDERS - 1 : 0);
		break;
	case MSG_FREEZE_DONE:
		if ((r = msg_recv_freeze_done(imsg, &freeze_done)) == 0)
			same = freeze_done.order ==
			    (large ? FREEZE_ORDERS - 1 : 0) &&
			    freeze_done.found == (uint32_t)large &&
			    freeze_done.hooks == (uint32_t)large &&
			    freeze_done.count == (large ? UINT32_MAX : 0) &&
			    strcmp(freeze_done.text,
			    large ? texts[0] : "") == 0;
		break;
	case MSG_ASK:
	case MSG_FSFREEZE:
	case MSG_QUERY:
		if ((r = msg_recv_request(imsg, &request)) == 0)
			same = request.id == 5 &&
			    request.command == (large ? CMD_MAX - 1 : 0);
		break;
	case MSG_DATA:
	case MSG_RESULT:
	case MSG_GO:
	case MSG_SMART:
		if ((r = msg_recv_data(imsg, &n64)) == 0)
			same = n64 == (large ? UINT64_MAX : 0);
		break;
	case MSG_EXEC:
		if (large == -1) {
			if ((r = msg_recv_exec(imsg, &exec)) == 0)
				msg_exec_free(&exec);
			break;
		}
		r = recv_exec(imsg, large);
		same = 1;
		break;
	case MSG_ACCOUNT_RULE:
		if ((r = msg_recv_account_rule(imsg, &notroot)) == 0)
			same = notroot == (uint32_t)large;
		break;
	case MSG_EXEC_RULE:
		r = recv_exec_rule(imsg, large);
		same = 1;
		break;
	case MSG_EXEC_STATUS:
		if ((r = msg_recv_exec_status(imsg, &status)) == 0)
			same = status.id == 5 &&
			    status.pid == (large ? INT64_MAX : INT64_MIN);
		break;
	case MSG_EXEC_STARTED:
		if ((r = msg_recv_exec_started(imsg, &started)) == 0)
			same = started.id == 5 &&
			    started.pid == (large ? INT32_MAX : 0) &&
			    started.refused == 0 &&
			    strcmp(started.text, large ? texts[0] : "") == 0;
		break;
	case MSG_EXEC_ENDED:
		if ((r = msg_recv_exec_ended(imsg, &res)) == 0)
			same = same_result(&res, large);
		break;
	case MSG_EXEC_SEND:
		if ((r = msg_recv_exec_send(imsg, &out)) == 0)
			same = out.id == 5 && out.out == UINT32_MAX &&
			    out.err == 2;
		break;
	case MSG_FILE_OPEN:
		if ((r = msg_recv_file_open(imsg, &open)) == 0)
			same = open.id == 5 &&
			    open.mode == (large ? FILE_MODES - 1 : 0) &&
			    open.rule == (large ? FILE_RULES - 1 : 0) &&
			    strcmp(open.base, large ? texts[0] : "") == 0 &&
			    strcmp(open.path, large ? texts[0] : "x") == 0;
		break;
	case MSG_FILE_CLOSE:
	case MSG_FILE_READ:
	case MSG_FILE_WRITE:
	case MSG_FILE_SEEK:
	case MSG_FILE_FLUSH:
		if ((r = msg_recv_file(imsg, &file)) == 0)
			same = file.id == 5 &&
			    file.handle == (large ? INT64_MAX : INT64_MIN) &&
			    file.number == (large && type != MSG_FILE_CLOSE &&
			    type != MSG_FILE_FLUSH ? MSG_COUNT_MAX : 0) &&
			    file.whence == (large && type == MSG_FILE_SEEK ?
			    FILE_WHENCES - 1 : 0);
		break;
	case MSG_FILE_DONE:
		if ((r = msg_recv_file_done(imsg, &filed)) == 0)
			same = filed.id == 5 && filed.ok == (uint32_t)!large &&
			    filed.number == (large ? INT64_MAX : 0) &&
			    filed.eof == (uint32_t)large &&
			    strcmp(filed.text, large ? texts[0] : "") == 0;
		break;
	case MSG_FILE_WAITING:
		if ((r = msg_recv_file_waiting(imsg, &waiting)) == 0)
			same = waiting.id == 5 &&
			    waiting.on == (uint32_t)large;
		break;
	case MSG_SHUTDOWN:
		if ((r = msg_recv_shutdown(imsg, &shut)) == 0)
			same = shut.id == 5 &&
			    shut.mode == (large ? SHUTDOWN_MODES - 1 : 0);
		break;
	case MSG_HOOK:
		if ((r = msg_recv_hook(imsg, &hook)) == 0)
			same = hook.id == 5 &&
			    hook.phase == (large ? HOOK_PHASES - 1 : 0) &&
			    hook.abort == (uint32_t)large;
		break;
	case MSG_SET_TIME:
		if ((r = msg_recv_set_time(imsg, &set)) == 0)
			same = set.id == 5 && set.given == (uint32_t)large &&
			    set.ns == (large ? MSG_TIME_END * 1000000000 - 1 :
			    0);
		break;
	case MSG_SET_VCPUS:
	case MSG_SET_MEMORY_BLOCKS:
		if ((same = same_units(imsg, large)) != -1)
			r = 0;
		break;
	case MSG_FSTRIM:
		if ((r = msg_recv_fstrim(imsg, &trim)) == 0)
			same = trim.id == 5 &&
			    trim.minimum == (large ? UINT64_MAX : 0);
		break;
	case MSG_SUSPEND:
		if ((r = msg_recv_suspend(imsg, &sleep)) == 0)
			same = sleep.id == 5 &&
			    sleep.mode == (large ? SUSPEND_MODES - 1 : 0);
		break;
	case MSG_PASSWORD:
		if ((r = msg_recv_password(imsg, &pass)) == 0)
			same = pass.id == 5 &&
			    pass.crypted == (uint32_t)large &&
			    pass.secret == (large ? MSG_SECRET_MAX : 0) &&
			    strlen(pass.username) == (large ?
			    MSG_USER_MAX - 1 : 0);
		break;
	case MSG_SSH_KEYS:
		r = recv_ssh_keys(imsg, large);
		same = 1;
		break;
	case MSG_DONE:
		if ((r = msg_recv_done(imsg, &done)) == 0)
			same = done.id == 5 && done.ok == (uint32_t)!large &&
			    strcmp(done.text, large ? texts[0] : "") == 0;
		break;
	case MSG_REPLY:
		if ((r = msg_recv_reply(imsg, &reply)) == 0)
			same = reply.id == 5 &&
			    reply.kind == (large ? REPLY_KINDS - 1 : 0) &&
			    reply.number == (large ? -1 : 7) &&
			    same_result(&reply.result, large) &&
			    reply.eof == (uint32_t)large &&
			    strcmp(reply.text, large ? texts[0] : "") == 0;
		break;
	}
	if (r == 0 && large != -1)
		ATF_CHECK_MSG(same, "%s came changed", msg_name(type));
	return (r);
}

/* The table's sizes are those of the encoding, exactly. */
ATF_TC_WITHOUT_HEAD(roundtrip);
ATF_TC_BODY(roundtrip, tc)
{
	struct imsg	 imsg;
	enum msg_type	 type;
	int		 large, fd;

	setup();
	for (type = MSG_NONE + 1; type < MSG_MAX; type++) {
		for (large = 0; large < 2; large++) {
			send_it(type, large);
			take(&imsg);
			ATF_CHECK_EQ_MSG(large ? msg_info[type].max :
			    msg_info[type].min, imsg_get_len(&imsg),
			    "%s has %zu bytes", msg_name(type),
			    imsg_get_len(&imsg));
			ATF_CHECK_EQ(type, imsg_get_type(&imsg));
			fd = msg_info[type].fd == MSG_FD_ONE ?
			    open("/dev/null", O_RDONLY) : -1;
			imsg.buf->fd = fd;
			ATF_CHECK_EQ(0, msg_check(&imsg));
			ATF_CHECK_EQ_MSG(0, recv_it(&imsg, large),
			    "recv of %s", msg_name(type));
			imsg_free(&imsg);
		}
	}
}

/* One byte less, one more, and every other length up to a bound. */
ATF_TC_WITHOUT_HEAD(wrong_length);
ATF_TC_BODY(wrong_length, tc)
{
	unsigned char	*bytes;
	struct imsg	 imsg;
	enum msg_type	 type;
	size_t		 len, cut;
	int		 large;

	setup();
	for (type = MSG_NONE + 1; type < MSG_MAX; type++) {
		for (large = 0; large < 2; large++) {
			send_it(type, large);
			take(&imsg);
			len = imsg_get_len(&imsg);
			ATF_REQUIRE((bytes = calloc(1, len + 1)) != NULL);
			memcpy(bytes, ibuf_data(imsg.buf), len);
			imsg_free(&imsg);
			for (cut = 0; cut <= len + 1; cut++) {
				/* Of the largest, the ends are enough. */
				if (len > 10000 && cut == 200)
					cut = len - 20;
				if (cut == len)
					continue;
				payload(&imsg, type, bytes, cut);
				ATF_CHECK_EQ_MSG(-1, recv_it(&imsg, -1),
				    "%s: %zu of %zu", msg_name(type), cut,
				    len);
				ATF_CHECK_EQ(EBADMSG, errno);
				imsg_free(&imsg);
			}
			free(bytes);
		}
	}
}

ATF_TC_WITHOUT_HEAD(check);
ATF_TC_BODY(check, tc)
{
	static unsigned char	 zeroes[MSG_SIZE_MAX];
	struct imsg		 imsg;
	const struct msg_info	*info;
	uint32_t		 type;
	int			 has, want;

	for (type = 1; type < MSG_MAX; type++) {
		info = &msg_info[type];
		ATF_CHECK(info->name != NULL && info->min <= info->max);
		ATF_CHECK(info->min > 0 && info->max <= MSG_SIZE_MAX);
		payload(&imsg, type, zeroes, info->min - 1);
		if (info->fd == MSG_FD_ONE)
			imsg.buf->fd = open("/dev/null", O_RDONLY);
		ATF_CHECK_ERRNO(EBADMSG, msg_check(&imsg) == -1);
		imsg_free(&imsg);
		payload(&imsg, type, zeroes, info->max + 1);
		if (info->fd == MSG_FD_ONE)
			imsg.buf->fd = open("/dev/null", O_RDONLY);
		ATF_CHECK_ERRNO(EBADMSG, msg_check(&imsg) == -1);
		imsg_free(&imsg);
		for (has = 0; has < 2; has++) {
			payload(&imsg, type, zeroes, info->max);
			if (has)
				imsg.buf->fd = open("/dev/null", O_RDONLY);
			want = info->fd == MSG_FD_MAY ||
			    has == (info->fd == MSG_FD_ONE) ? 0 : -1;
			ATF_CHECK_EQ(want, msg_check(&imsg));
			imsg_free(&imsg);
		}
	}
	payload(&imsg, MSG_NONE, zeroes, 0);
	ATF_CHECK_ERRNO(EBADMSG, msg_check(&imsg) == -1);
	for (type = MSG_MAX; type != 0; type *= 2) {
		imsg.hdr.type = type;
		ATF_CHECK_ERRNO(EBADMSG, msg_check(&imsg) == -1);
		ATF_CHECK(msg_name(type) != NULL);
	}
	imsg.hdr.type = UINT32_MAX;
	ATF_CHECK_ERRNO(EBADMSG, msg_check(&imsg) == -1);
	imsg_free(&imsg);
}

/* Each field with a range: the value below the bound passes, not the bound. */
ATF_TC_WITHOUT_HEAD(ranges);
ATF_TC_BODY(ranges, tc)
{
	static const struct {
		enum msg_type	 type;
		size_t		 at, width;
		uint32_t	 bound;
	} field[] = {
		{ MSG_HELLO, MSG_BUILD_LEN, 4, ROLE_MAX },
		{ MSG_LOG, 0, 4, LEVEL_MAX },
		{ MSG_LINE, 0, 4, LEVEL_MAX },
		{ MSG_POLICY, 0, 1, 2 },
		{ MSG_POLICY, 1, 1, 2 },
		{ MSG_POLICY, CMD_MAX, 1, 2 },
		{ MSG_CHANNEL, 0, 4, CHANNEL_KINDS },
		{ MSG_CHANNEL, 4, 4, 2 },
		{ MSG_CHANNEL_END, 0, 4, CHANNEL_ENDS },
		{ MSG_ASK, 8, 4, CMD_MAX },
		{ MSG_QUERY, 8, 4, CMD_MAX },
		{ MSG_FSFREEZE, 8, 4, CMD_MAX },
		{ MSG_FREEZE, 8, 4, CMD_MAX },
		{ MSG_FREEZE, 12, 4, 2 },
		{ MSG_ACCOUNT_RULE, 0, 4, 2 },
		{ MSG_FREEZE_ORDER, 0, 4, FREEZE_ORDERS },
		{ MSG_FREEZE_DONE, 0, 4, FREEZE_ORDERS },
		{ MSG_FREEZE_DONE, 4, 4, 2 },
		{ MSG_FREEZE_DONE, 8, 4, 2 },
		{ MSG_EXEC, 8, 4, CAPTURE_MODES },
		{ MSG_EXEC, 12, 4, 2 },
		{ MSG_EXEC, 24, 4, 2 },
		{ MSG_EXEC_STARTED, 8, 4, 1 },
		{ MSG_EXEC_STARTED, 12, 4, 0x80000000 },
		{ MSG_EXEC_STARTED, 16, 4, 2 },
		{ MSG_EXEC_ENDED, 0, 4, 2 },
		{ MSG_EXEC_ENDED, 4, 4, 2 },
		{ MSG_EXEC_ENDED, 20, 4, 2 },
		{ MSG_EXEC_ENDED, 24, 4, 2 },
		{ MSG_FILE_OPEN, 8, 4, FILE_MODES },
		{ MSG_FILE_OPEN, 12, 4, 1 },
		{ MSG_FILE_CLOSE, 20, 4, 1 },
		{ MSG_FILE_CLOSE, 24, 4, 1 },
		{ MSG_FILE_READ, 16, 4, 1 },
		{ MSG_FILE_READ, 20, 4, MSG_COUNT_MAX + 1 },
		{ MSG_FILE_READ, 24, 4, 1 },
		{ MSG_FILE_WRITE, 16, 4, 1 },
		{ MSG_FILE_WRITE, 20, 4, MSG_COUNT_MAX + 1 },
		{ MSG_FILE_WRITE, 24, 4, 1 },
		{ MSG_FILE_SEEK, 24, 4, FILE_WHENCES },
		{ MSG_FILE_FLUSH, 20, 4, 1 },
		{ MSG_FILE_FLUSH, 24, 4, 1 },
		{ MSG_FILE_DONE, 8, 4, 2 },
		{ MSG_FILE_DONE, 12, 4, 1 },	/* refused, and ok */
		{ MSG_FILE_DONE, 16, 4, 0x80000000 },
		{ MSG_FILE_DONE, 24, 4, 2 },
		{ MSG_FILE_WAITING, 8, 4, 2 },
		{ MSG_SHUTDOWN, 8, 4, SHUTDOWN_MODES },
		{ MSG_HOOK, 8, 4, HOOK_PHASES },
		{ MSG_HOOK, 12, 4, 2 },
		{ MSG_SET_TIME, 8, 4, 2 },
		{ MSG_SUSPEND, 8, 4, SUSPEND_MODES },
		{ MSG_PASSWORD, 8, 4, 2 },
		{ MSG_PASSWORD, 12, 4, MSG_SECRET_MAX + 1 },
		{ MSG_SSH_KEYS, 8, 4, CMD_MAX },
		{ MSG_SSH_KEYS, 12, 4, 2 },
		{ MSG_SSH_KEYS, 16, 4, 1 },
		{ MSG_DONE, 8, 4, DONES },
		{ MSG_REPLY, 8, 4, REPLY_KINDS },
		{ MSG_REPLY, 20, 4, 2 },
		{ MSG_REPLY, 24, 4, 2 },
		{ MSG_REPLY, 40, 4, 2 },
		{ MSG_REPLY, 44, 4, 2 },
		{ MSG_REPLY, 48, 4, 2 },
	};
	unsigned char	*p;
	struct imsg	 imsg;
	uint32_t	 value[3], k;
	size_t		 i, j;

	setup();
	for (i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
		value[0] = field[i].bound - 1;
		value[1] = field[i].bound;
		value[2] = UINT32_MAX;
		for (k = 0; k < 3; k++) {
			send_it(field[i].type, 0);
			take(&imsg);
			p = ibuf_data(imsg.buf);
			for (j = 0; j < field[i].width; j++)
				p[field[i].at + j] = (unsigned char)
				    (value[k] >> (field[i].width - 1 - j) * 8);
			errno = 0;
			ATF_CHECK_EQ_MSG(k == 0 ? 0 : -1, recv_it(&imsg, -1),
			    "%s, at %zu: %u", msg_name(field[i].type),
			    field[i].at, value[k]);
			ATF_CHECK_EQ(k == 0 ? 0 : EBADMSG, errno);
			imsg_free(&imsg);
		}
	}
}

/* Values that are each in range and do not fit together. */
ATF_TC_WITHOUT_HEAD(together);
ATF_TC_BODY(together, tc)
{
	static const struct {
		enum msg_type	 type;
		size_t		 at;
		unsigned char	 value;
	} bad[] = {
		{ MSG_CHANNEL, 3, CHANNEL_NONE },
		{ MSG_EXEC, 23, 1 },		/* input without hasinput */
		{ MSG_SET_TIME, 19, 1 },	/* a time, and not given */
		{ MSG_FREEZE, 19, 1 },		/* some of a list there is not */
		{ MSG_EXEC_ENDED, 3, 0 },	/* ended, and not exited */
		{ MSG_REPLY, 27, 1 },		/* signaled, not exited */
		{ MSG_REPLY, 31, 1 },
		{ MSG_REPLY, 35, 1 },
		{ MSG_REPLY, 39, 1 },
		{ MSG_REPLY, 43, 1 },
		{ MSG_REPLY, 47, 1 },
	};
	unsigned char	*p;
	struct imsg	 imsg;
	size_t		 i;
	int		 kind;

	setup();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		send_it(bad[i].type, 0);
		take(&imsg);
		p = ibuf_data(imsg.buf);
		if (bad[i].type == MSG_REPLY)
			p[23] = 0;
		p[bad[i].at] = bad[i].value;
		ATF_CHECK_ERRNO(EBADMSG, recv_it(&imsg, -1) == -1);
		imsg_free(&imsg);
	}
	/* A descriptor comes with a secret, with no other password. */
	for (kind = 0; kind < 2; kind++) {
		send_it(MSG_PASSWORD, kind);
		take(&imsg);
		imsg.buf->fd = open("/dev/null", O_RDONLY);
		ATF_CHECK_EQ(kind - 1, recv_it(&imsg, -1));
		imsg_free(&imsg);
	}
	/* A descriptor comes with exec output, with nothing else. */
	for (kind = 0; kind < REPLY_KINDS; kind++) {
		send_it(MSG_REPLY, 0);
		take(&imsg);
		((unsigned char *)ibuf_data(imsg.buf))[11] =
		    (unsigned char)kind;
		imsg.buf->fd = open("/dev/null", O_RDONLY);
		ATF_CHECK_EQ(kind == REPLY_EXEC ? 0 : -1, recv_it(&imsg, -1));
		imsg_free(&imsg);
	}
	/* And with exec, only when input is to come. */
	for (kind = 0; kind < 2; kind++) {
		send_it(MSG_EXEC, kind);
		take(&imsg);
		imsg.buf->fd = open("/dev/null", O_RDONLY);
		ATF_CHECK_EQ(kind ? 0 : -1, recv_it(&imsg, -1));
		imsg_free(&imsg);
	}
}

/* The freezer's records: what goes in comes out, the rest is refused. */
ATF_TC_WITHOUT_HEAD(records);
ATF_TC_BODY(records, tc)
{
	static const struct {
		size_t		 at;
		uint32_t	 bound;
	} field[] = {
		{ 0, FREEZE_EVENTS }, { 8, FREEZE_WHYS }, { 12, 0x80000000 },
	};
	unsigned char		 bytes[FREEZE_RECORD];
	struct freeze_record	 in, out;
	size_t			 i, j;

	memset(&in, 0, sizeof(in));
	in.event = FREEZE_EVENTS - 1;
	in.count = UINT32_MAX;
	in.why = FREEZE_WHYS - 1;
	in.error = INT32_MAX;
	memset(in.path, 'p', sizeof(in.path) - 1);
	freeze_record_encode(&in, bytes);
	ATF_REQUIRE_EQ(0, freeze_record_decode(bytes, &out));
	ATF_CHECK(memcmp(&in, &out, sizeof(in)) == 0);
	bytes[FREEZE_RECORD - 1] = 'p';
	ATF_CHECK_ERRNO(EBADMSG, freeze_record_decode(bytes, &out) == -1);
	for (i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
		freeze_record_encode(&in, bytes);
		for (j = 0; j < 4; j++)
			bytes[field[i].at + j] = (unsigned char)
			    (field[i].bound >> (24 - j * 8));
		ATF_CHECK_ERRNO(EBADMSG, freeze_record_decode(bytes, &out) ==
		    -1);
	}
}

ATF_TC_WITHOUT_HEAD(strings);
ATF_TC_BODY(strings, tc)
{
	static const struct {
		const char	*bytes;
		size_t		 len;
		int		 result;
	} str[] = {
		{ "\0\0\0\4abc\0", 8, 0 },
		{ "\0\0\0\1\0", 5, 0 },
		{ "\0\0\0\0", 4, -1 },
		{ "\0\0\0\0\0", 5, -1 },
		{ "\0\0\0\4abcd", 8, -1 },
		{ "\0\0\0\4a\0c\0", 8, -1 },
		{ "\0\0\0\4a\0cd", 8, -1 },
		{ "\0\0\0\4\0\0\0\0", 8, -1 },
		{ "\0\0\0\5abc\0", 8, -1 },
		{ "\0\0\0\3abc\0", 8, -1 },
		{ "\377\377\377\377abc\0", 8, -1 },
		{ "\200\0\0\4abc\0", 8, -1 },
		{ "\0\0\20\1abc\0", 8, -1 },
	};
	char		*text;
	struct imsg	 imsg;
	struct ibuf	*b;
	struct msg_done	 done = { 5, 0, NULL };
	size_t		 i;

	setup();
	for (i = 0; i < sizeof(str) / sizeof(str[0]); i++) {
		memset(&imsg, 0, sizeof(imsg));
		imsg.hdr.type = MSG_DONE;
		ATF_REQUIRE((b = imsg.buf = ibuf_dynamic(0, 64)) != NULL);
		ATF_REQUIRE_EQ(0, ibuf_add_zero(b, 12));
		ATF_REQUIRE_EQ(0, ibuf_add(b, str[i].bytes, str[i].len));
		ATF_CHECK_EQ_MSG(str[i].result, recv_it(&imsg, -1),
		    "string %zu", i);
		imsg_free(&imsg);
	}
	/* From a peer, one byte too many is refused. */
	ATF_REQUIRE((text = malloc(MSG_TEXT_MAX + 10)) != NULL);
	memset(text, 't', MSG_TEXT_MAX + 10);
	text[MSG_TEXT_MAX] = '\0';
	ATF_REQUIRE((b = imsg.buf = ibuf_dynamic(0, 5000)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add_zero(b, 12));
	ATF_REQUIRE_EQ(0, ibuf_add_n32(b, MSG_TEXT_MAX + 1));
	ATF_REQUIRE_EQ(0, ibuf_add(b, text, MSG_TEXT_MAX + 1));
	ATF_CHECK_ERRNO(EBADMSG, recv_it(&imsg, -1) == -1);
	imsg_free(&imsg);
	/* Our own text or line past the bound is cut, not lost. */
	text[MSG_TEXT_MAX] = 't';
	text[MSG_TEXT_MAX + 9] = '\0';
	done.text = text;
	ATF_REQUIRE_EQ(0, msg_send_done(&queue, &done));
	take(&imsg);
	ATF_CHECK_EQ(0, msg_check(&imsg));
	ATF_REQUIRE_EQ(0, msg_recv_done(&imsg, &done));
	ATF_CHECK_STREQ(texts[0], done.text);
	imsg_free(&imsg);
	free(text);
}

ATF_TC_WITHOUT_HEAD(exec_bounds);
ATF_TC_BODY(exec_bounds, tc)
{
	char		*vec[MSG_ARGS_MAX + 2];
	struct msg_exec	 m, back;
	struct imsg	 imsg;
	int		 i, fd;

	setup();
	for (i = 0; i < MSG_ARGS_MAX + 1; i++)
		vec[i] = (char *)"a";
	vec[i] = NULL;
	memset(&m, 0, sizeof(m));
	m.path = PATH;
	m.hasenv = 1;
	m.argv = m.envp = vec;
	m.argc = m.envc = MSG_ARGS_MAX;
	ATF_REQUIRE_EQ(0, msg_send_exec(&queue, &m, -1));
	take(&imsg);
	ATF_REQUIRE_EQ(0, msg_check(&imsg));
	ATF_REQUIRE_EQ(0, msg_recv_exec(&imsg, &back));
	ATF_CHECK_EQ(MSG_ARGS_MAX, back.argc);
	ATF_CHECK_STREQ("a", back.argv[MSG_ARGS_MAX - 1]);
	ATF_CHECK_STREQ("a", back.envp[MSG_ARGS_MAX - 1]);
	ATF_CHECK(back.argv[MSG_ARGS_MAX] == NULL);
	msg_exec_free(&back);
	imsg_free(&imsg);

	/* One too many of either; the descriptor is closed all the same. */
	fd = open("/dev/null", O_RDONLY);
	m.argc = MSG_ARGS_MAX + 1;
	ATF_CHECK_ERRNO(EMSGSIZE, msg_send_exec(&queue, &m, fd) == -1);
	ATF_CHECK_ERRNO(EBADF, fcntl(fd, F_GETFD) == -1);
	m.argc = 0;
	m.envc = MSG_ARGS_MAX + 1;
	ATF_CHECK_ERRNO(EMSGSIZE, msg_send_exec(&queue, &m, -1) == -1);
	m.argc = UINT32_MAX;
	ATF_CHECK_ERRNO(EMSGSIZE, msg_send_exec(&queue, &m, -1) == -1);

	/* One byte past a full message, in the path or an argument. */
	m.argc = m.envc = 0;
	m.path = longpath;
	memset(longpath, 'p', sizeof(longpath));
	longpath[MSG_EXEC_MAX - 36 - 4 - 1] = '\0';
	ATF_CHECK_EQ(0, msg_send_exec(&queue, &m, -1));
	take(&imsg);
	ATF_CHECK_EQ(MSG_EXEC_MAX, imsg_get_len(&imsg));
	ATF_CHECK_EQ(0, recv_it(&imsg, -1));
	imsg_free(&imsg);
	longpath[MSG_EXEC_MAX - 36 - 4 - 1] = 'p';
	longpath[MSG_EXEC_MAX - 36 - 4] = '\0';
	ATF_CHECK_ERRNO(EMSGSIZE, msg_send_exec(&queue, &m, -1) == -1);
	m.path = PATH;
	vec[0] = vec[1] = longpath;
	m.argc = 2;
	ATF_CHECK_ERRNO(EMSGSIZE, msg_send_exec(&queue, &m, -1) == -1);
	/* Nor past what the channel takes. */
	longpath[MAX_IMSGSIZE] = '\0';
	m.argc = 1;
	ATF_REQUIRE_EQ(0, imsgbuf_set_maxsize(&queue,
	    MAX_IMSGSIZE - IMSG_HEADER_SIZE));
	ATF_CHECK_ERRNO(EMSGSIZE, msg_send_exec(&queue, &m, -1) == -1);
	m.path = "";
	m.argc = 0;
	ATF_CHECK_ERRNO(EINVAL, msg_send_exec(&queue, &m, -1) == -1);
	ATF_CHECK_EQ(0, imsgbuf_queuelen(&queue));
}

/* Counts that lie about the strings behind them. */
ATF_TC_WITHOUT_HEAD(exec_counts);
ATF_TC_BODY(exec_counts, tc)
{
	static const struct {
		uint32_t	 hasenv, argc, envc;
		int		 result;
	} count[] = {
		{ 1, 2, 1, 0 }, { 1, 1, 2, 0 }, { 1, 3, 0, 0 },
		{ 1, 0, 3, 0 }, { 0, 3, 0, 0 },
		{ 0, 2, 1, -1 }, { 1, 1, 1, -1 }, { 1, 2, 2, -1 },
		{ 1, MSG_ARGS_MAX, 0, -1 }, { 1, MSG_ARGS_MAX + 1, 0, -1 },
		{ 1, 0, MSG_ARGS_MAX + 1, -1 }, { 1, UINT32_MAX, 3, -1 },
		{ 1, 3, UINT32_MAX, -1 }, { 1, 0x80000000, 0x80000003, -1 },
	};
	char		*argv[] = { (char *)"1", (char *)"2", (char *)"3" };
	char		*many[MSG_ARGS_MAX];
	struct msg_exec	 m;
	struct imsg	 imsg;
	size_t		 i;

	setup();
	memset(&m, 0, sizeof(m));
	m.path = PATH;
	m.argv = argv;
	m.argc = 3;
	for (i = 0; i < sizeof(count) / sizeof(count[0]); i++) {
		ATF_REQUIRE_EQ(0, msg_send_exec(&queue, &m, -1));
		take(&imsg);
		ATF_REQUIRE_EQ(0, ibuf_set_n32(imsg.buf, 24,
		    count[i].hasenv));
		ATF_REQUIRE_EQ(0, ibuf_set_n32(imsg.buf, 28, count[i].argc));
		ATF_REQUIRE_EQ(0, ibuf_set_n32(imsg.buf, 32, count[i].envc));
		ATF_CHECK_EQ_MSG(count[i].result, recv_it(&imsg, -1),
		    "counts %zu", i);
		imsg_free(&imsg);
	}
	/* One argument too many that is really there. */
	m.argv = many;
	m.argc = MSG_ARGS_MAX;
	for (i = 0; i < MSG_ARGS_MAX; i++)
		many[i] = argv[0];
	for (i = 0; i < 2; i++) {
		ATF_REQUIRE_EQ(0, msg_send_exec(&queue, &m, -1));
		take(&imsg);
		if (i == 1) {
			ATF_REQUIRE_EQ(0, ibuf_set_n32(imsg.buf, 28,
			    MSG_ARGS_MAX + 1));
			ATF_REQUIRE_EQ(0, ibuf_add(imsg.buf, "\0\0\0\2a", 6));
		}
		ATF_CHECK_EQ(i == 0 ? 0 : -1, recv_it(&imsg, -1));
		imsg_free(&imsg);
	}
	m.argv = argv;
	m.argc = 3;
	/* A path of no character. */
	ATF_REQUIRE_EQ(0, msg_send_exec(&queue, &m, -1));
	take(&imsg);
	ATF_REQUIRE_EQ(0, ibuf_truncate(imsg.buf, 36));
	ATF_REQUIRE_EQ(0, ibuf_set_n32(imsg.buf, 28, 1));
	ATF_REQUIRE_EQ(0, ibuf_add(imsg.buf, "\0\0\0\1\0", 5));
	ATF_REQUIRE_EQ(0, ibuf_add(imsg.buf, "\0\0\0\2a\0", 6));
	ATF_CHECK_ERRNO(EBADMSG, recv_it(&imsg, -1) == -1);
	imsg_free(&imsg);
}

/* A time past the end, a state that is none, a list longer or shorter. */
ATF_TC_WITHOUT_HEAD(system_bounds);
ATF_TC_BODY(system_bounds, tc)
{
	struct msg_set_time set = { 5, 1, MSG_TIME_END * 1000000000 };
	struct msg_units m;
	struct imsg	 imsg;
	uint32_t	 n;

	setup();
	ATF_REQUIRE_EQ(0, msg_send_set_time(&queue, &set));
	take(&imsg);
	ATF_CHECK_ERRNO(EBADMSG, recv_it(&imsg, -1) == -1);
	imsg_free(&imsg);
	set.ns = UINT64_MAX;
	ATF_REQUIRE_EQ(0, msg_send_set_time(&queue, &set));
	take(&imsg);
	ATF_CHECK_ERRNO(EBADMSG, recv_it(&imsg, -1) == -1);
	imsg_free(&imsg);

	units(&m, 1);
	m.n = MSG_UNITS_MAX + 1;
	ATF_CHECK_ERRNO(EMSGSIZE, msg_send_units(&queue, MSG_SET_VCPUS,
	    &m) == -1);
	m.n = UINT32_MAX;
	ATF_CHECK_ERRNO(EMSGSIZE, msg_send_units(&queue, MSG_SET_VCPUS,
	    &m) == -1);
	m.n = 3;
	for (n = 0; n < 6; n++) {
		ATF_REQUIRE_EQ(0, msg_send_units(&queue, MSG_SET_VCPUS, &m));
		take(&imsg);
		ATF_REQUIRE_EQ(0, ibuf_set_n32(imsg.buf, 8, n == 5 ?
		    UINT32_MAX : n));
		ATF_CHECK_EQ(n == 3 ? 0 : -1, recv_it(&imsg, -1));
		imsg_free(&imsg);
	}
	/* One too many that is really there. */
	units(&m, 1);
	ATF_REQUIRE_EQ(0, msg_send_units(&queue, MSG_SET_VCPUS, &m));
	take(&imsg);
	ATF_REQUIRE_EQ(0, ibuf_set_n32(imsg.buf, 8, MSG_UNITS_MAX + 1));
	ATF_REQUIRE_EQ(0, ibuf_add_zero(imsg.buf, 9));
	ATF_CHECK_ERRNO(EBADMSG, msg_check(&imsg) == -1);
	ATF_CHECK_ERRNO(EBADMSG, recv_it(&imsg, -1) == -1);
	imsg_free(&imsg);
	m.n = 2;
	for (n = 0; n < 3; n++) {
		m.v[1].online = n;
		ATF_REQUIRE_EQ(0, msg_send_units(&queue,
		    MSG_SET_MEMORY_BLOCKS, &m));
		take(&imsg);
		ATF_CHECK_EQ(n < 2 ? 0 : -1, recv_it(&imsg, -1));
		imsg_free(&imsg);
	}
}

ATF_TC_WITHOUT_HEAD(frames);
ATF_TC_BODY(frames, tc)
{
	struct frame	 f, back;
	unsigned char	 h[FRAME_HEADER], bad[FRAME_HEADER];
	int		 i;

	memset(&f, 0, sizeof(f));
	f.kind = FRAME_VALUE;
	f.id = 0x0102030405060708;
	f.len = VALUE_SIZE;
	frame_encode(&f, h);
	ATF_REQUIRE_EQ(0, memcmp(h, "qgad\0\0\0\0\4\0\0\0"
	    "\1\2\3\4\5\6\7\10", FRAME_HEADER));
	ATF_REQUIRE_EQ(0, frame_decode(h, &back));
	ATF_CHECK_EQ(f.kind, back.kind);
	ATF_CHECK_EQ(f.id, back.id);
	ATF_CHECK_EQ(f.len, back.len);
	/* Wrong magic, kind, length. */
	for (i = 0; i < 9; i++) {
		memcpy(bad, h, sizeof(bad));
		bad[i] ^= 0x80;
		ATF_CHECK_ERRNO(EBADMSG, frame_decode(bad, &back) == -1);
	}
	memcpy(bad, h, sizeof(bad));
	bad[11] = 1;
	ATF_CHECK_ERRNO(EBADMSG, frame_decode(bad, &back) == -1);
	f.kind = FRAME_ERROR;
	frame_encode(&f, h);
	ATF_CHECK_ERRNO(EBADMSG, frame_decode(h, &back) == -1);
	f.len = MSG_TEXT_MAX;
	frame_encode(&f, h);
	ATF_CHECK_EQ(0, frame_decode(h, &back));
	f.kind = FRAME_KINDS;
	frame_encode(&f, h);
	ATF_CHECK_ERRNO(EBADMSG, frame_decode(h, &back) == -1);
}

/* --- what regress/fuzz/messages_fuzz begins with --- */

/* Is this such an input, of that type and one that its recv takes? */
static int
seeds(uint32_t type, const unsigned char *data, size_t len)
{
	struct imsg	 imsg;
	int		 ok;

	if (len == 0 || (data[0] & 0x7f) != type)
		return (0);
	payload(&imsg, type, data + 1, len - 1);
	if (data[0] & 0x80)
		ATF_REQUIRE((imsg.buf->fd = open("/dev/null", O_RDONLY)) !=
		    -1);
	ok = msg_check(&imsg) == 0 && recv_it(&imsg, -1) == 0;
	imsg_free(&imsg);
	return (ok);
}

/* What there is, if only its number has changed; else one made anew. */
static size_t
seed(uint32_t type, unsigned char *data, size_t len)
{
	unsigned char	 fd = msg_info[type].fd == MSG_FD_ONE ? 0x80 : 0;
	struct imsg	 imsg;
	size_t		 i;

	if (len > 0)
		data[0] = (unsigned char)((data[0] & 0x80) | type);
	if (seeds(type, data, len))
		return (len);
	send_it((enum msg_type)type, 0);
	take(&imsg);
	len = ibuf_size(imsg.buf) + 1;
	data[0] = (unsigned char)(fd | type);
	for (i = 1; i < len; i++)
		data[i] = ((unsigned char *)ibuf_data(imsg.buf))[i - 1];
	imsg_free(&imsg);
	return (len);
}

/*
 * One file a message, which goes stale when types are numbered anew; with
 * QGAD_CORPUS, the directory in the tree, they are mended.
 */
ATF_TC_WITHOUT_HEAD(corpus);
ATF_TC_BODY(corpus, tc)
{
	static unsigned char data[MSG_SIZE_MAX];
	const char	*to = getenv("QGAD_CORPUS");
	char		 from[512], path[600];
	FILE		*f;
	size_t		 len;
	uint32_t	 type;

	setup();
	snprintf(from, sizeof(from), "%s/../fuzz/corpus/messages",
	    atf_tc_get_config_var(tc, "srcdir"));
	for (type = MSG_NONE + 1; type < MSG_MAX; type++) {
		snprintf(path, sizeof(path), "%s/%s", to != NULL ? to : from,
		    msg_name(type));
		len = 0;
		if ((f = fopen(path, "r")) != NULL) {
			len = fread(data, 1, sizeof(data), f);
			fclose(f);
		}
		if (to == NULL) {
			ATF_CHECK_MSG(seeds(type, data, len), "%s: no input "
			    "of message %u: set QGAD_CORPUS", path, type);
			continue;
		}
		len = seed(type, data, len);
		ATF_REQUIRE((f = fopen(path, "w")) != NULL);
		ATF_CHECK_EQ(len, fwrite(data, 1, len, f));
		ATF_CHECK_EQ(0, fclose(f));
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, roundtrip);
	ATF_TP_ADD_TC(tp, wrong_length);
	ATF_TP_ADD_TC(tp, check);
	ATF_TP_ADD_TC(tp, ranges);
	ATF_TP_ADD_TC(tp, together);
	ATF_TP_ADD_TC(tp, records);
	ATF_TP_ADD_TC(tp, strings);
	ATF_TP_ADD_TC(tp, exec_bounds);
	ATF_TP_ADD_TC(tp, exec_counts);
	ATF_TP_ADD_TC(tp, system_bounds);
	ATF_TP_ADD_TC(tp, frames);
	ATF_TP_ADD_TC(tp, corpus);
	return (atf_no_error());
}
