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
 * The frontend: reads what the host sends, checks it, answers what needs
 * nobody else and asks the monitor for the rest.  Runs as _qgad, chrooted
 * into an empty directory, without a capability, system calls filtered.
 * Peers: the monitor on fd 3 (imsg); the channel to the host; for results
 * and exec data, sockets to workers, on which no command travels.
 * Started by hand it is only the name of qgad-parent.
 */

#include <sys/stat.h>

#include <errno.h>
#ifdef HAVE_MALLOPT
#include <malloc.h>
#endif
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "channel.h"
#include "config.h"
#include "confine.h"
#include "imsg.h"
#include "log.h"
#include "monitor.h"
#include "request.h"
#include "stream.h"

#define PARENT	PATH_LIBEXEC "/qgad-parent"

static int	 is_frontend(int, char *[]);
static struct event_base *new_base(void);
static void	 event_line(int, const char *);

int
main(int argc, char *argv[])
{
	static struct imsgbuf ibuf;
	struct event_base *base;
	struct ids ids;
	int files;

	if (!is_frontend(argc, argv)) {
		execv(PARENT, argv);
		fprintf(stderr, "qgad: %s: %s\n", PARENT, strerror(errno));
		return (1);
	}
	/* Before the process title takes the arguments' place. */
	files = argc > 4 && strcmp(argv[4], "stdio") == 0;
	child_start(ROLE_FRONTEND, argc, argv, &ibuf, &ids);
	ids.files = files;
#ifdef HAVE_MALLOPT
	/*
	 * Else the threshold rises with the first large buffer, and the next
	 * is copied as it grows and stays with us when it is freed.
	 */
	if (mallopt(M_MMAP_THRESHOLD, 128 * 1024) == 0)
		log_debug("mallopt");
#endif
	/* What makes system calls that the sandbox does not know, now. */
	if (sodium_init() == -1)
		fatalx("sodium_init");
	base = new_base();
	requests_init(base);
	channel_init(base);
	stream_init(base);
	confine(ROLE_FRONTEND, &ids);
	monitor_init(base, &ibuf);
	child_ready(ROLE_FRONTEND, &ibuf);
	monitor_flush();
	if (event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY) == -1)
		fatalx("event_base_loop");
	return (1);
}

static int
is_frontend(int argc, char *argv[])
{
	struct stat st;

	return (argc > 1 && strcmp(argv[1], "--frontend") == 0 &&
	    fstat(CHILD_IMSG_FD, &st) == 0 && S_ISSOCK(st.st_mode));
}

static struct event_base *
new_base(void)
{
	struct event_config *config;
	struct event_base *base;

	event_set_log_callback(event_line);
	if ((config = event_config_new()) == NULL ||
	    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK |
	    EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NO_CACHE_TIME) == -1)
		fatalx("event_config");
	if ((base = event_base_new_with_config(config)) == NULL)
		fatalx("event_base_new");
	event_config_free(config);
	return (base);
}

/* libevent's own complaints, a file that cannot be polled among them. */
static void
event_line(int severity, const char *line)
{
	(void)severity;
	log_debug("libevent: %s", line);
}
