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
 * The log of every program.  Before a sink is set, lines go to standard
 * error; a child's sink sends them to the monitor over descriptor 3, the
 * monitor's queues them for the log worker.  No function here allocates,
 * blocks (but for standard error) or changes errno.  Lines are cut at
 * LOG_LINE bytes and every byte that is not printable ASCII, valid UTF-8
 * excepted, is made visible as \xNN.
 */

#ifndef LOG_H
#define LOG_H

#define LOG_LINE	2048	/* NUL included */

enum log_level {		/* not syslog's LOG_*: no clash, fewer */
	LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG, LEVEL_AUDIT,
	LEVEL_MAX
};

typedef void (*log_sink)(enum log_level, const char *);

void	 log_init(const char *role, enum log_level most);
void	 log_set_sink(log_sink);		/* NULL: standard error */
void	 log_set_level(enum log_level most);	/* AUDIT always passes */
const char *log_level_name(enum log_level);

/* Copy src to dst, visible and terminated; returns dst. */
char	*log_visible(char *dst, size_t size, const char *src, size_t len);

void	 log_warn(const char *, ...) __attribute__((format(printf, 1, 2)));
void	 log_warnx(const char *, ...) __attribute__((format(printf, 1, 2)));
void	 log_error(const char *, ...) __attribute__((format(printf, 1, 2)));
void	 log_info(const char *, ...) __attribute__((format(printf, 1, 2)));
void	 log_debug(const char *, ...) __attribute__((format(printf, 1, 2)));
void	 log_audit(const char *, ...) __attribute__((format(printf, 1, 2)));
/* Both end the process with status 1; fatal adds strerror(errno). */
void	 fatal(const char *, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));
void	 fatalx(const char *, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));

#endif
