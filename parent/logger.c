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
 * Lines on their way to the log worker.  The monitor never waits for a log:
 * lines are kept up to QUEUE_MAX bytes while the worker is slow, stuck or
 * being started anew, and what is past that is counted and said later.
 */

#include <sys/time.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "parent.h"

#define QUEUE_MAX	(256 * 1024)
#define QUEUE_PLAIN	(192 * 1024)	/* the rest is for the audit's lines */
#define INFLIGHT_MAX	(8 * 1024)	/* given to the worker's socket */
#define LINES_MAX	50		/* a second of one child, the rest lost */
#define RESTART_MIN	1000
#define RESTART_MAX	60000		/* there may be no syslogd at all */

struct line {
	struct line	*next;
	uint64_t	 when;
	enum log_level	 level;
	char		 text[];
};

static struct line	*head, **tail = &head;
static size_t		 queued;
static uint64_t		 dropped, restart_at, delay = RESTART_MIN;
static int		 active, held;

static void	 logger_line(enum log_level, const char *);

/* Lines wait in the queue until logger_sink(); a child's at once. */
void
logger_start(void)
{
	if (child_spawn(ROLE_LOG, -1) == NULL)
		fatal("start of the log worker");
}

void
logger_off(void)
{
	active = 0;
	log_set_sink(NULL);
}

void
logger_sink(void)
{
	active = 1;
	log_set_sink(logger_line);
	/* fatal() exits: its line must not stay behind. */
	if (atexit(logger_flush) != 0)
		fatal("atexit");
}

/* Sent at the end of the turn: a reply goes first. */
static void
logger_line(enum log_level level, const char *text)
{
	struct line *line;
	struct timeval tv;
	size_t len = strlen(text) + 1;

	if (queued + len > (level == LEVEL_AUDIT ? QUEUE_MAX : QUEUE_PLAIN) ||
	    (line = malloc(sizeof(*line) + len)) == NULL) {
		dropped++;
		return;
	}
	gettimeofday(&tv, NULL);
	line->next = NULL;
	line->when = (uint64_t)tv.tv_sec * 1000000 + (uint64_t)tv.tv_usec;
	line->level = level;
	memcpy(line->text, text, len);
	*tail = line;
	tail = &line->next;
	queued += len;
}

/* A child's line: made visible by the log itself, its role before it. */
void
logger_child(struct child *c, const struct msg_log *msg)
{
	uint64_t now = now_ms() / 1000;
	char text[LOG_LINE], line[LOG_LINE];

	if (now != c->second) {
		c->second = now;
		c->lines = 0;
	}
	if (++c->lines > LINES_MAX) {
		dropped++;
		return;
	}
	log_visible(text, sizeof(text), msg->line, strlen(msg->line));
	snprintf(line, sizeof(line), "%s[%d]: %.1900s",
	    confinements[c->role].name, (int)c->pid, text);
	if (!active) {
		log_warnx("%s", line);
		return;
	}
	logger_line((enum log_level)(msg->level == LEVEL_AUDIT ? LEVEL_INFO :
	    msg->level), line);
}

/* Hand over what the worker's socket takes now. */
void
logger_flush(void)
{
	struct child *c;
	struct line *line;
	struct msg_log msg;
	char text[64];

	if (!active || held || (c = child_find(ROLE_LOG)) == NULL)
		return;
	if (c->state == CHILD_READY)
		delay = RESTART_MIN;
	if (dropped > 0 && queued < QUEUE_PLAIN / 2) {
		snprintf(text, sizeof(text), "%llu lines of the log were lost",
		    (unsigned long long)dropped);
		dropped = 0;
		logger_line(LEVEL_WARN, text);
	}
	while ((line = head) != NULL &&
	    imsgbuf_queuebytes(&c->ibuf) < INFLIGHT_MAX) {
		msg.when = line->when;
		msg.level = line->level;
		msg.line = line->text;
		if (msg_send_log(&c->ibuf, MSG_LINE, &msg) == -1)
			break;
		if ((head = line->next) == NULL)
			tail = &head;
		queued -= strlen(line->text) + 1;
		free(line);
		if (imsgbuf_queuelen(&c->ibuf) > 16)
			(void)child_send(c);
	}
	if (imsgbuf_queuelen(&c->ibuf) > 0)
		(void)child_send(c);
	if (!DEFENCE(CONTROL_LOGNONBLOCK))
		while (imsgbuf_queuelen(&c->ibuf) > 0 && c->ibuf.fd != -1) {
			usleep(10000);
			(void)child_send(c);
		}
}

void
logger_hold(int hold)
{
	if (hold)
		logger_flush();
	held = hold;
	if (!hold)
		logger_flush();
}

void
logger_queue(void)
{
	log_set_sink(logger_line);
}

void
logger_print(void)
{
	struct line *line;

	log_set_sink(NULL);
	for (line = head; line != NULL; line = line->next)
		fprintf(stderr, "qgad: %s: %s\n",
		    log_level_name(line->level), line->text);
}

/* A new worker opens the file anew; the old one writes what it was given. */
void
logger_reopen(void)
{
	struct child *c;

	if ((c = child_find(ROLE_LOG)) != NULL)
		child_release(c);
	restart_at = now_ms();
}

/* Given to a worker, but not yet to its socket. */
void
logger_lost(size_t lines)
{
	dropped += lines;
}

void
logger_gone(void)
{
	if (child_find(ROLE_LOG) != NULL || restart_at != 0)
		return;
	restart_at = now_ms() + delay;
	if ((delay *= 2) > RESTART_MAX)
		delay = RESTART_MAX;
}

void
logger_timers(uint64_t now, uint64_t *next)
{
	if (!active || held || restart_at == 0)
		return;
	if (now < restart_at) {
		sooner(next, restart_at);
		return;
	}
	restart_at = 0;
	if (child_find(ROLE_LOG) == NULL && child_spawn(ROLE_LOG, -1) == NULL) {
		restart_at = now + delay;
		sooner(next, restart_at);
		return;
	}
	logger_flush();
}
