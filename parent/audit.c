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
 * The record of what was decided and done: a line of key=value pairs, a
 * value without blanks and quotes as it is, any other between quotes, with
 * what could be taken for the quote's end, or for another line, written as
 * \xHH.  seq counts the lines, so that a gap shows; time is the clock's,
 * seconds since the epoch, mono the monotonic clock's, which nobody sets.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "parent.h"
#include "request.h"

#define TEXT_MAX	1032		/* of a quoted value, NUL included */

static int	 refused_often(void);
static void	 say_refusals(void);

static const struct conf *conf;
static uint64_t	 sequence;
static uint64_t	 second, refusals;	/* in that second */

void
audit_init(const struct conf *c)
{
	conf = c;
}

void
audit_line(const char *fmt, ...)
{
	struct timespec now, mono;
	char text[LOG_LINE];
	va_list ap;

	if (clock_gettime(CLOCK_REALTIME, &now) == -1 ||
	    clock_gettime(CLOCK_MONOTONIC, &mono) == -1)
		fatal("clock_gettime");
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_audit("seq=%llu time=%lld.%03ld mono=%lld.%03ld %s",
	    (unsigned long long)++sequence,
	    (long long)now.tv_sec, now.tv_nsec / 1000000,
	    (long long)mono.tv_sec, mono.tv_nsec / 1000000, text);
}

char *
audit_text(char *dst, size_t size, const char *src)
{
	char raw[1024];
	size_t len;

	for (len = 0; *src != '\0' && len < sizeof(raw) - 4; src++)
		if (*src == '"' || *src == '\\')
			len += (size_t)snprintf(raw + len, sizeof(raw) - len,
			    "\\x%02x", (unsigned char)*src);
		else
			raw[len++] = *src;
	return (log_visible(dst, size, raw, len));
}

/*
 * Is this refusal one too many in its second?  A host that asks and asks
 * must not push what was allowed out of the log; what was left out is
 * counted, and the count is said when that second has passed.
 */
static int
refused_often(void)
{
	uint64_t now = now_ms() / 1000;

	if (now != second) {
		say_refusals();
		second = now;
	}
	return (++refusals > conf->limits.refusal_lines);
}

static void
say_refusals(void)
{
	uint64_t shown = conf->limits.refusal_lines;

	if (refusals > shown)
		audit_line("verdict=refused not-shown=%llu",
		    (unsigned long long)(refusals - shown));
	refusals = 0;
}

void
audit_timers(uint64_t now, uint64_t *next)
{
	if (refusals <= conf->limits.refusal_lines)
		return;
	if (now / 1000 != second)
		say_refusals();
	else
		sooner(next, (second + 1) * 1000);
}

void
audit_end(void)
{
	say_refusals();
}

/* One line for each decision on a command that changes or reveals. */
void
request_audit(const char *result)
{
	char object[TEXT_MAX], text[256], at[TEXT_MAX], worker[64] = "-";
	const struct ruling *r = &request.ruling;

	/* A question whether it may is no decision on record, a no is. */
	if (!request.refused && (request.asked ||
	    !(commands[request.command].flags & CMD_AUDIT)))
		return;
	if (request.refused) {
		report_counters()->refused++;
		if (refused_often())
			return;
	}
	audit_text(object, sizeof(object), request.object);
	audit_text(text, sizeof(text), result);
	audit_at(at, sizeof(at), r->line);
	if (request.worker != NULL)
		snprintf(worker, sizeof(worker), "%s[%d]",
		    confinements[request.worker->role].name,
		    (int)request.worker->pid);
	audit_line("command=%s object=\"%s\"%s verdict=%s rule=%s%s "
	    "worker=%s result=\"%s\" ms=%llu", commands[request.command].name,
	    object, request.note, request.refused ? "refused" : "allowed",
	    r->key, at, worker, text,
	    (unsigned long long)(now_ms() - request.began));
}

/* Where the rule is written: " at=...", or nothing. */
void
audit_at(char *dst, size_t size, int line)
{
	char file[256];		/* so that a line has room for all of it */

	if (line > 0 && conf->file != NULL)
		snprintf(dst, size, " at=\"%s:%d\"", audit_text(file,
		    sizeof(file), conf->file), line);
	else
		strlcpy(dst, line == 0 ? " at=\"command line\"" : "", size);
}
