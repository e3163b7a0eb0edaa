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

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "channel.h"
#include "filemode.h"
#include "handlers.h"
#include "json.h"
#include "log.h"
#include "request.h"
#include "stream.h"

#define QUEUE_BYTES	(1024 * 1024)	/* of text in the queue */
#define ERROR_BYTES	4096		/* of an error's text */
#define GRACE		15		/* s after the deadline, which the */
					/* monitor keeps: then it or a */
					/* worker has lost the request */
#define TOKENER_KEEP	(64 * 1024)	/* after a longer text: a new one */

static struct {
	struct request	*head, **tail;
	uint64_t	 count;
	size_t		 bytes;
	int		 bulk;		/* of them and in hand, with bulk */
} queue = { .tail = &queue.head };

static struct hand		 hand;
static struct limits		 limits;
static struct msg_policy	 policy;
static struct json_tokener	*tokener;
static uint64_t			 last_id;
static struct event		 overdue;

static void	 tokener_new(void);
static void	 begin(void);
static int	 stale(void);
static void	 start(void);
static int	 expected(uint64_t);
static void	 on_overdue(evutil_socket_t, short, void *);
static void	 answer_class(const char *, char *);
static void	 answer_id(void);
static void	 release(void);

/* json-c seeds its hash with the first object it makes: now it still can. */
void
requests_init(struct event_base *base)
{
	if (event_assign(&overdue, base, -1, 0, on_overdue, NULL) == -1)
		fatalx("requests: event");
	json_object_put(json_tokener_parse("{\"execute\": \"warm-up\"}"));
}

void
requests_limits(const struct limits *l)
{
	limits = *l;
	tokener_new();
}

/* The lexer has counted the depth: json-c's bound must not come first. */
static void
tokener_new(void)
{
	if (tokener != NULL)
		json_tokener_free(tokener);
	tokener = json_tokener_new_ex((int)limits.max_depth + 4);
	if (tokener == NULL)
		fatal("json_tokener_new_ex");
}

void
requests_policy(const struct msg_policy *p)
{
	policy = *p;
}

const struct limits *
requests_bounds(void)
{
	return (&limits);
}

int
command_enabled(enum command_id cmd)
{
	return (policy.enabled[cmd]);
}

int
requests_room(void)
{
	return (queue.count < limits.max_pending &&
	    queue.bytes < QUEUE_BYTES);
}

int
requests_idle(void)
{
	return (queue.head == NULL && hand.req == NULL);
}

void
requests_push(struct request *from)
{
	struct request *req;

	if ((req = malloc(sizeof(*req))) == NULL)
		fatal("request");
	*req = *from;
	req->next = NULL;
	*queue.tail = req;
	queue.tail = &req->next;
	queue.count++;
	queue.bytes += req->len;
	if (req->bulk != BULK_NONE && queue.bulk++ == 0)
		channel_bulk(1);
}

int
requests_run(void)
{
	int some = 0;

	if (hand.wait == WAIT_STREAM || hand.wait == WAIT_DATA)
		return (stream_pump());
	while (hand.req == NULL && queue.head != NULL && !channel_full()) {
		begin();
		some = 1;
	}
	return (some);
}

/* Take the next one in hand, find out what it wants. */
static void
begin(void)
{
	struct msg_request ask;
	const char *name;
	char *error;

	hand.req = queue.head;
	if ((queue.head = hand.req->next) == NULL)
		queue.tail = &queue.head;
	queue.count--;
	queue.bytes -= hand.req->len;
	if (hand.req->error != NULL) {
		answer_error(text_format("%s", hand.req->error));
		return;
	}
	json_tokener_reset(tokener);
	hand.root = json_tokener_parse_ex(tokener, hand.req->text,
	    (int)hand.req->len);
	if (!json_object_is_type(hand.root, json_type_object)) {
		log_warnx("json-c refused what the lexer passed: %s",
		    json_tokener_error_desc(json_tokener_get_error(tokener)));
		answer_error(text_format("internal error: request not "
		    "understood"));
		return;
	}
	if (schema_message(hand.root, &hand.cmd, &name, &hand.args,
	    &error) == -1) {
		answer_error(error);
		return;
	}
	if (hand.cmd == CMD_MAX) {
		answer_class("CommandNotFound", text_format("The command %s "
		    "has not been found", name));
		return;
	}
	if (command_enabled(hand.cmd)) {
		start();
		return;
	}
	ask.id = request_wait(WAIT_ASK);
	ask.command = hand.cmd;
	handler_ask(&ask);
}

/* Nobody waits for it any more, and it would change the guest. */
static int
stale(void)
{
	enum command_id cmd = hand.cmd;

	if ((commands[cmd].flags & CMD_PERISHABLE) == 0 ||
	    (cmd == CMD_GUEST_FILE_OPEN && (file_modes[
	    hand.arg[FILE_OPEN_MODE].num].access & FILE_WRITE) == 0))
		return (0);
	if (channel_gone()) {
		log_info("%s is dropped: its client has gone",
		    commands[cmd].name);
		answer_nothing();
		return (1);
	}
	if (!channel_serial() || monotonic_ms() - hand.req->arrived <=
	    limits.stale_after * 1000)
		return (0);
	answer_error(text_format("Command %s was not carried out: it waited "
	    "longer than %llu seconds", commands[cmd].name,
	    (unsigned long long)limits.stale_after));
	return (1);
}

static void
start(void)
{
	char *error;

	hand.wait = WAIT_NONE;
	if (schema_args(hand.cmd, hand.args, hand.arg, &error) == -1)
		answer_error(error);
	else if (!stale())
		handlers[hand.cmd].start(&hand);
}

uint64_t
request_wait(enum waiting wait)
{
	struct timeval tv = { .tv_sec = 0 };

	hand.wait = wait;
	hand.id = ++last_id;
	if (commands[hand.cmd].deadline != 0) {
		tv.tv_sec = (time_t)commands[hand.cmd].deadline + GRACE;
		if (event_add(&overdue, &tv) == -1)
			fatalx("requests: event");
	}
	return (hand.id);
}

static void
on_overdue(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (hand.req == NULL || hand.wait == WAIT_NONE ||
	    hand.wait == WAIT_STREAM || (hand.wait == WAIT_DATA &&
	    stream_begun()))
		return;
	log_warnx("%s: no answer came", commands[hand.cmd].name);
	answer_error(text_format("internal error: no answer came to %s",
	    commands[hand.cmd].name));
	channel_work();
}

/* An answer that comes too late, after a deadline's error, is no answer. */
static int
expected(uint64_t id)
{
	return (hand.req != NULL && hand.id == id &&
	    hand.wait != WAIT_NONE && hand.wait != WAIT_STREAM);
}

void
requests_reply(const struct msg_reply *reply, int fd)
{
	enum reply_kind kind = (enum reply_kind)reply->kind;

	if (!expected(reply->id)) {
		if (fd != -1)
			close(fd);
		return;
	}
	if (kind == REPLY_EXEC && hand.wait == WAIT_REPLY &&
	    handlers[hand.cmd].success == REPLY_EXEC) {
		hand.wait = WAIT_STREAM;
		stream_start(&reply->result, fd);
		channel_work();
		return;
	}
	if (fd != -1)
		close(fd);
	/* What has gone out can only be ended well. */
	if (hand.cmd == CMD_GUEST_FILE_READ && (kind == REPLY_FILE ||
	    (hand.wait == WAIT_DATA && stream_begun()))) {
		hand.wait = WAIT_DATA;
		stream_file_end(reply);
		channel_work();
		return;
	}
	if (kind == REPLY_ERROR)
		answer_error(text_format("%s", reply->text));
	else if (kind == REPLY_REFUSED)
		answer_class("CommandNotFound", text_format("%s",
		    reply->text));
	else if (kind == REPLY_EMPTY && hand.wait == WAIT_ASK)
		start();
	else if (hand.wait == WAIT_REPLY &&
	    handlers[hand.cmd].success == kind &&
	    handlers[hand.cmd].reply != NULL)
		handlers[hand.cmd].reply(reply);
	else {
		log_warnx("a reply of kind %d to %s", (int)kind,
		    commands[hand.cmd].name);
		answer_error(text_format("internal error: unexpected reply"));
	}
	channel_work();
}

void
requests_frame(const struct frame *frame, const unsigned char *data)
{
	if (!expected(frame->id) || hand.wait != WAIT_FRAME)
		return;
	handler_frame(&hand, frame, data);
	channel_work();
}

void
requests_malformed(void)
{
	if (hand.req == NULL || hand.wait != WAIT_FRAME)
		return;
	answer_error(text_format("internal error: malformed result"));
	channel_work();
}

void
requests_go(uint64_t id, int fd)
{
	if (!expected(id) || hand.wait != WAIT_REPLY)
		close(fd);
	else if (hand.req->secretlen > 0)
		push_start(fd, hand.req->secret, hand.req->secretlen, 1);
	else if (hand.cmd == CMD_GUEST_FILE_READ && hand.bytes > 0) {
		hand.wait = WAIT_DATA;
		stream_file(fd, hand.bytes);
		channel_work();
	} else if (hand.bytes > 0 && hand.req->datalen >= hand.bytes)
		push_start(fd, hand.req->data, hand.bytes, 0);
	else
		close(fd);
}

/* --- answers --- */

size_t
answer_overhead(void)
{
	size_t n = sizeof("{\"return\": , \"id\": }\n") - 1;

	return (n + (hand.req->idtext != NULL ? hand.req->idlen : 0));
}

void
answer_begin(void)
{
	out_str(channel_out(), "{\"return\": ");
}

void
answer_end(void)
{
	answer_id();
	release();
}

void
answer_nothing(void)
{
	release();
}

void
answer_error(char *text)
{
	answer_class("GenericError", text);
}

static void
answer_class(const char *class, char *text)
{
	struct out *o = channel_out();

	if (*text == '\0') {
		free(text);
		text = text_format("unknown error");
	}
	out_str(o, "{\"error\": {\"class\": \"");
	out_str(o, class);
	out_str(o, "\", \"desc\": ");
	json_string(o, text, strnlen(text, ERROR_BYTES));
	out_str(o, "}");
	free(text);
	answer_id();
	release();
}

static void
answer_id(void)
{
	struct out *o = channel_out();

	if (hand.req->idtext != NULL) {
		out_str(o, ", \"id\": ");
		out_add(o, hand.req->idtext, hand.req->idlen);
	}
	out_str(o, "}\n");
}

static void
release(void)
{
	struct request *req = hand.req;
	int bulk = req->bulk != BULK_NONE;

	push_stop();
	stream_stop();
	(void)event_del(&overdue);
	json_object_put(hand.root);
	memset(&hand, 0, sizeof(hand));
	if (req->len > TOKENER_KEEP)
		tokener_new();		/* it has grown with the request */
	request_clear(req);
	free(req);
	if (bulk && --queue.bulk == 0)
		channel_bulk(0);
}
