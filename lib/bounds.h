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
 * The bounds that the configuration may move, section [limits]; the monitor
 * sends them to the frontend once.  Sizes in bytes, times in seconds.
 */

#ifndef BOUNDS_H
#define BOUNDS_H

#include <stdint.h>

struct limits {
	uint64_t max_request;	/* a request without its bulk part */
	uint64_t max_bulk;	/* decoded bytes of a bulk argument */
	uint64_t max_depth;	/* nesting of a request */
	uint64_t max_pending;	/* requests read and not answered */
	uint64_t max_reply;	/* a reply line, newline included */
	uint64_t max_jobs;	/* running, and as many ended not asked for */
	uint64_t max_output;	/* kept of each stream of a job */
	uint64_t output_wait;	/* for a pipe still open after the job's end */
	uint64_t stale_after;	/* a waiting perishable request, serial ports */
	uint64_t max_files;	/* open handles */
	uint64_t restarts;	/* of the frontend in a minute */
	uint64_t refusal_lines;	/* of the audit in a second */
	uint64_t requests;	/* in a second, 0: no limit; so with */
	uint64_t bytes;		/* these, of files and programs */
};

#define LIMITS_DEFAULT {						\
	.max_request = 1024 * 1024,					\
	.max_bulk = 48 * 1024 * 1024,					\
	.max_depth = 32,						\
	.max_pending = 64,						\
	.max_reply = 10 * 1024 * 1024,					\
	.max_jobs = 64,							\
	.max_output = 16 * 1024 * 1024,					\
	.output_wait = 5,						\
	.stale_after = 60,						\
	.max_files = 64,						\
	.restarts = 5,							\
	.refusal_lines = 20,						\
	.requests = 0,							\
	.bytes = 0							\
}

#define MAX_MEMBERS	1024	/* of one object in a request */

#define AUTO_THAW	600	/* seconds that a freeze may last */
#define STUCK_AFTER	30	/* seconds that one file system's may take */

/* Of the hooks around a freeze, in milliseconds; a phase is freeze or thaw. */
#define HOOK_EACH	30000	/* one script */
#define HOOK_TOTAL	300000	/* all scripts of a phase */
#define HOOK_GRACE	2000	/* between SIGTERM and SIGKILL */

#endif
