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
 * qgad-query: answers the commands that read the system and change nothing.
 * Runs as _qgadw, not chrooted; on Linux with seccomp and landlock (reading
 * /proc, /sys and the few files named there), behind which, and only there,
 * it keeps CAP_DAC_READ_SEARCH.
 * Peers: the monitor on descriptor 3, which says what to answer and is told
 * when it is done (and is asked for what root alone may read of NVMe disks);
 * the frontend on descriptor 4, which gets the results and
 * never says a word.  Whoever of the two goes away, this process ends.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "confine.h"
#include "imsg.h"
#include "log.h"
#include "messages.h"
#include "query.h"
#include "value.h"

static int	 q_host_name(struct value_writer *, char *, size_t);
static int	 q_time(struct value_writer *, char *, size_t);
static int	 q_load(struct value_writer *, char *, size_t);
static void	 serve(struct imsgbuf *);
static void	 answer(struct imsgbuf *, const struct msg_request *);

/* What POSIX alone answers; the rest is in system_queries[]. */
static const query_fn portable_queries[CMD_MAX] = {
	[CMD_GUEST_GET_HOST_NAME] = q_host_name,
	[CMD_GUEST_GET_HOSTNAME] = q_host_name,
	[CMD_GUEST_GET_TIME] = q_time,
	[CMD_GUEST_GET_LOAD] = q_load
};

int
main(int argc, char *argv[])
{
	struct imsgbuf	 monitor;
	struct ids	 ids;

	child_start(ROLE_QUERY, argc, argv, &monitor, &ids);
	imsgbuf_allow_fdpass(&monitor);
	query_open();
	confine(ROLE_QUERY, &ids);
	child_ready(ROLE_QUERY, &monitor);
	for (;;)
		serve(&monitor);
}

/* One sleep, and what came then. */
static void
serve(struct imsgbuf *monitor)
{
	struct pollfd		 pfd[2];
	struct msg_request	 req;
	struct imsg		 m;
	int			 n;

	/*
	 * Lines logged before now are on their way.  The data socket is
	 * looked at for its end only: no events, POLLHUP comes anyway.
	 */
	pfd[0].fd = CHILD_IMSG_FD;
	pfd[0].events = POLLIN;
	if (imsgbuf_queuelen(monitor) > 0)
		pfd[0].events |= POLLOUT;
	pfd[1].fd = CHILD_DATA_FD;
	pfd[1].events = 0;
	if (poll(pfd, 2, -1) == -1) {
		if (errno == EINTR)
			return;
		fatal("poll");
	}
	if (pfd[1].revents != 0)
		exit(0);
	if ((pfd[0].revents & POLLOUT) && imsgbuf_write(monitor) == -1)
		exit(0);
	if ((pfd[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0)
		return;
	if ((n = imsgbuf_read(monitor)) == 0)
		exit(0);
	if (n == -1)
		fatal("reading from the monitor");
	while ((n = imsgbuf_get(monitor, &m)) == 1) {
		if (smart_late(&m))
			continue;
		if (imsg_get_type(&m) != MSG_QUERY || msg_check(&m) == -1 ||
		    msg_recv_request(&m, &req) == -1 ||
		    req.command >= CMD_MAX)
			fatalx("a message that makes no sense: %s",
			    msg_name(imsg_get_type(&m)));
		imsg_free(&m);
		answer(monitor, &req);
	}
	if (n == -1)
		fatal("reading from the monitor");
}

/*
 * When the sandbox has been outlived by what it names, a new process is to
 * answer.
 */
static void
answer(struct imsgbuf *monitor, const struct msg_request *req)
{
	struct value_writer	 w;
	char			 err[MSG_TEXT_MAX];
	query_fn		 fn;
	int			 failed = 1;

	if ((fn = portable_queries[req->command]) == NULL)
		fn = system_queries[req->command];
	err[0] = '\0';
	smart_begin(monitor, req->id);
	value_start(&w, VALUE_SIZE);
	if (fn == NULL)
		(void)snprintf(err, sizeof(err),
		    "this feature or command is not currently supported");
	else
		failed = fn(&w, err, sizeof(err)) == -1;
	if (query_outlived) {
		answer_done(monitor, req->id, DONE_AGAIN, "");
		exit(0);
	}
	answer_value(monitor, req->id, &w, failed ? DONE_FAILED : DONE_OK,
	    err);
}

static int
q_host_name(struct value_writer *w, char *err, size_t size)
{
	char	 name[1024];

	if (gethostname(name, sizeof(name)) == -1)
		return (query_fail(err, size, "cannot get hostname"));
	name[sizeof(name) - 1] = '\0';
	value_object(w, NULL);
	value_string(w, "host-name", name);
	value_close(w);
	return (0);
}

static int
q_time(struct value_writer *w, char *err, size_t size)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return (query_fail(err, size, "Failed to get time"));
	value_int(w, NULL, (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
	return (0);
}

static int
q_load(struct value_writer *w, char *err, size_t size)
{
	static const char *const	 members[] = { "load1m", "load5m",
					    "load15m" };
	double				 load[3];
	size_t				 i;

	if (getloadavg(load, 3) != 3)
		return (query_fail(err, size, "cannot query load average"));
	value_object(w, NULL);
	for (i = 0; i < 3; i++)
		value_double(w, members[i], load[i]);
	value_close(w);
	return (0);
}
