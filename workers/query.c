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
 * when it is done; the frontend on descriptor 4, which gets the results and
 * never says a word.  Whoever of the two goes away, this process ends.
 */

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
static struct ibuf *result(uint32_t, char *, size_t);
static void	 send_frame(const struct frame *, const void *);
static void	 send_done(struct imsgbuf *, uint64_t, enum done,
		    const char *);
static void	 wait_for(int);

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
 * The result first: the monitor's MSG_DONE says that it can be read.  When
 * the sandbox has been outlived by what it names, a new process is to answer.
 */
static void
answer(struct imsgbuf *monitor, const struct msg_request *req)
{
	struct frame	 f;
	struct ibuf	*tree;
	char		 err[MSG_TEXT_MAX];

	memset(&f, 0, sizeof(f));
	f.id = req->id;
	err[0] = '\0';
	tree = result(req->command, err, sizeof(err));
	if (query_outlived) {
		send_done(monitor, req->id, DONE_AGAIN, "");
		exit(0);
	}
	if (tree != NULL) {
		f.kind = FRAME_VALUE;
		f.len = (uint32_t)ibuf_size(tree);
		send_frame(&f, ibuf_data(tree));
		ibuf_free(tree);
		send_done(monitor, req->id, DONE_OK, "");
	} else {
		f.kind = FRAME_ERROR;
		f.len = (uint32_t)strlen(err);
		send_frame(&f, err);
		send_done(monitor, req->id, DONE_FAILED, err);
	}
}

/* NULL: err says why. */
static struct ibuf *
result(uint32_t command, char *err, size_t size)
{
	struct value_writer	 w;
	struct ibuf		*tree;
	query_fn		 fn;

	if ((fn = portable_queries[command]) == NULL &&
	    (fn = system_queries[command]) == NULL) {
		(void)snprintf(err, size,
		    "this feature or command is not currently supported");
		return (NULL);
	}
	value_start(&w, VALUE_SIZE);
	if (fn(&w, err, size) == -1) {
		value_abort(&w);
		return (NULL);
	}
	if ((tree = value_done(&w)) == NULL) {
		if (errno == ERANGE)
			(void)snprintf(err, size, "the result is too large");
		else
			(void)query_fail(err, size, "the result");
	}
	return (tree);
}

/* All of it, or the process ends: half a frame is worth nothing. */
static void
send_frame(const struct frame *f, const void *bytes)
{
	unsigned char	 header[FRAME_HEADER];
	struct msghdr	 mh;
	struct iovec	 iov[2];
	size_t		 done = 0;
	ssize_t		 n;

	frame_encode(f, header);
	while (done < sizeof(header) + f->len) {
		memset(&mh, 0, sizeof(mh));
		mh.msg_iov = iov;
		mh.msg_iovlen = 0;
		if (done < sizeof(header)) {
			iov[0].iov_base = header + done;
			iov[0].iov_len = sizeof(header) - done;
			iov[1].iov_base = (void *)(uintptr_t)bytes;
			iov[1].iov_len = f->len;
			mh.msg_iovlen = f->len > 0 ? 2 : 1;
		} else {
			iov[0].iov_base = (unsigned char *)(uintptr_t)bytes +
			    (done - sizeof(header));
			iov[0].iov_len = f->len - (done - sizeof(header));
			mh.msg_iovlen = 1;
		}
		n = sendmsg(CHILD_DATA_FD, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			wait_for(CHILD_DATA_FD);
		else if (errno == EPIPE || errno == ECONNRESET)
			exit(0);
		else if (errno != EINTR)
			fatal("writing a result");
	}
}

static void
send_done(struct imsgbuf *monitor, uint64_t id, enum done how,
    const char *text)
{
	struct msg_done	 d;

	memset(&d, 0, sizeof(d));
	d.id = id;
	d.ok = how;
	d.text = text;
	if (msg_send_done(monitor, &d) == -1)
		fatal("answering the monitor");
	for (;;) {
		if (imsgbuf_write(monitor) == -1)
			exit(0);
		if (imsgbuf_queuelen(monitor) == 0)
			return;
		wait_for(CHILD_IMSG_FD);
	}
}

/* Sleep until fd takes more, or one of the two peers is gone. */
static void
wait_for(int fd)
{
	struct pollfd	 pfd[2];

	pfd[0].fd = CHILD_IMSG_FD;
	pfd[0].events = fd == CHILD_IMSG_FD ? POLLOUT : 0;
	pfd[1].fd = CHILD_DATA_FD;
	pfd[1].events = fd == CHILD_DATA_FD ? POLLOUT : 0;
	if (poll(pfd, 2, -1) == -1) {
		if (errno != EINTR)
			fatal("poll");
		return;
	}
	if (((pfd[0].revents | pfd[1].revents) &
	    (POLLHUP | POLLERR | POLLNVAL)) != 0)
		exit(0);
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
