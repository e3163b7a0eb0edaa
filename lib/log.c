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
 * Lines are formatted, made visible and handed to the sink: all on the
 * stack, so that a process that may not allocate can still speak.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "log.h"

static void	 vlog(enum log_level, const char *, int, const char *,
		    va_list) __attribute__((format(printf, 4, 0)));
static void	 log_stderr(enum log_level, const char *);
static size_t	 utf8_len(const unsigned char *, size_t);

static const char *const level_names[LEVEL_MAX] = {
	[LEVEL_ERROR] = "error",
	[LEVEL_WARN] = "warning",
	[LEVEL_INFO] = "info",
	[LEVEL_DEBUG] = "debug",
	[LEVEL_AUDIT] = "audit"
};

static char		 log_role[32] = "qgad";
static enum log_level	 log_most = LEVEL_INFO;
static log_sink		 log_to = log_stderr;

void
log_init(const char *role, enum log_level most)
{
	log_visible(log_role, sizeof(log_role), role, strlen(role));
	log_most = most;
}

void
log_set_sink(log_sink sink)
{
	log_to = sink == NULL ? log_stderr : sink;
}

void
log_set_level(enum log_level most)
{
	log_most = most;
}

const char *
log_level_name(enum log_level level)
{
	if ((unsigned int)level >= LEVEL_MAX)
		return ("unknown");
	return (level_names[level]);
}

/*
 * Bytes of the UTF-8 sequence at s that may be shown as it is, 0: none.
 * The C1 controls are valid, and a terminal obeys them: not shown.
 */
static size_t
utf8_len(const unsigned char *s, size_t left)
{
	unsigned char	 low = 0x80, high = 0xbf;
	size_t		 i, len;

	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return (0);
	switch (s[0]) {
	case 0xc2:
		low = 0xa0;		/* C1 */
		break;
	case 0xe0:
		low = 0xa0;		/* overlong */
		break;
	case 0xed:
		high = 0x9f;		/* surrogates */
		break;
	case 0xf0:
		low = 0x90;		/* overlong */
		break;
	case 0xf4:
		high = 0x8f;		/* past U+10FFFF */
		break;
	}
	if (len > left || s[1] < low || s[1] > high)
		return (0);
	for (i = 2; i < len; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return (0);
	return (len);
}

char *
log_visible(char *dst, size_t size, const char *src, size_t len)
{
	static const char	 hex[] = "0123456789abcdef";
	const unsigned char	*s = (const unsigned char *)src;
	size_t			 i, n, o = 0;

	if (size == 0)
		return (dst);
	for (i = 0; i < len; i += n) {
		if (s[i] >= 0x20 && s[i] < 0x7f)
			n = 1;
		else
			n = utf8_len(s + i, len - i);
		if (n > 0) {
			if (size - o <= n)
				break;
			memcpy(dst + o, s + i, n);
			o += n;
			continue;
		}
		if (size - o <= 4)
			break;
		dst[o++] = '\\';
		dst[o++] = 'x';
		dst[o++] = hex[s[i] >> 4];
		dst[o++] = hex[s[i] & 0xf];
		n = 1;
	}
	dst[o] = '\0';
	return (dst);
}

/* One write a line: lines of several processes do not mix. */
static void
log_stderr(enum log_level level, const char *line)
{
	char		 buf[LOG_LINE + 128];
	struct timespec	 now;
	size_t		 len, off = 0;
	ssize_t		 n;
	int		 r;

	if (clock_gettime(CLOCK_REALTIME, &now) == -1)
		memset(&now, 0, sizeof(now));
	r = snprintf(buf, sizeof(buf), "%lld.%06ld: %s: %s: %s\n",
	    (long long)now.tv_sec, now.tv_nsec / 1000, log_level_name(level),
	    log_role, line);
	if (r < 0)
		return;
	len = (size_t)r < sizeof(buf) ? (size_t)r : sizeof(buf) - 1;
	while (off < len) {
		if ((n = write(STDERR_FILENO, buf + off, len - off)) == -1) {
			if (errno == EINTR)
				continue;
			return;		/* there is nobody left to tell */
		}
		off += (size_t)n;
	}
}

static void
vlog(enum log_level level, const char *prefix, int error, const char *fmt,
    va_list ap)
{
	char	 raw[LOG_LINE], line[LOG_LINE];
	size_t	 len;
	int	 saved = errno, r;

	if (level != LEVEL_AUDIT && level > log_most)
		return;
	r = snprintf(raw, sizeof(raw), "%s%s",
	    CONTROL_OFF != 0 ? "CONTROL BUILD: " : "", prefix);
	len = r < 0 ? 0 : (size_t)r;
	if ((r = vsnprintf(raw + len, sizeof(raw) - len, fmt, ap)) > 0)
		len += (size_t)r;
	if (len >= sizeof(raw))
		len = sizeof(raw) - 1;
	if (error != 0) {
		r = snprintf(raw + len, sizeof(raw) - len, ": %s",
		    strerror(error));
		if (r > 0)
			len += (size_t)r;
		if (len >= sizeof(raw))
			len = sizeof(raw) - 1;
	}
	log_visible(line, sizeof(line), raw, len);
	log_to(level, line);
	errno = saved;
}

void
log_warn(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vlog(LEVEL_WARN, "", errno, fmt, ap);
	va_end(ap);
}

void
log_warnx(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vlog(LEVEL_WARN, "", 0, fmt, ap);
	va_end(ap);
}

void
log_error(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vlog(LEVEL_ERROR, "", 0, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vlog(LEVEL_INFO, "", 0, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list	 ap;

	/* Here, for vlog() would touch what it has on the stack. */
	if (log_most < LEVEL_DEBUG)
		return;
	va_start(ap, fmt);
	vlog(LEVEL_DEBUG, "", 0, fmt, ap);
	va_end(ap);
}

void
log_audit(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vlog(LEVEL_AUDIT, "", 0, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vlog(LEVEL_ERROR, "fatal: ", errno, fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vlog(LEVEL_ERROR, "fatal: ", 0, fmt, ap);
	va_end(ap);
	exit(1);
}
