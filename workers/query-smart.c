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
 * NVMe disks' logs.  Root alone may ask a disk for its own: the monitor is
 * asked, and has a system worker do it.  A disk that does not answer costs
 * this moment and nothing else: the rest is told without it.
 */

#include <sys/types.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "log.h"
#include "messages.h"
#include "query.h"
#include "value.h"

#define PATIENCE	1000		/* ms, for each step */

static int	 ask(void);
static int	 taken(struct imsg *, uint64_t *);
static int	 wait_readable(int);
static void	 collect(int);
static uint64_t	 number(const unsigned char *, size_t);

static struct {
	struct imsgbuf	*monitor;	/* NULL: nobody to ask */
	uint64_t	 id;
	int		 asked;
	unsigned int	 owed;		/* answers of the monitor's */
	size_t		 n;		/* records */
	struct smart_record v[SMART_MAX];
} smart;

/* A pair of them: the low half's name, the high one's. */
static const struct {
	const char	*lo, *hi;
} counters[] = {
	{ "data-units-read-lo", "data-units-read-hi" },
	{ "data-units-written-lo", "data-units-written-hi" },
	{ "host-read-commands-lo", "host-read-commands-hi" },
	{ "host-write-commands-lo", "host-write-commands-hi" },
	{ "controller-busy-time-lo", "controller-busy-time-hi" },
	{ "power-cycles-lo", "power-cycles-hi" },
	{ "power-on-hours-lo", "power-on-hours-hi" },
	{ "unsafe-shutdowns-lo", "unsafe-shutdowns-hi" },
	{ "media-errors-lo", "media-errors-hi" },
	{ "number-of-error-log-entries-lo", "number-of-error-log-entries-hi" },
};
#define COUNTERS	(sizeof(counters) / sizeof(counters[0]))
#define COUNTERS_AT	32		/* in the log, 16 bytes each */

void
smart_begin(struct imsgbuf *monitor, uint64_t id)
{
	smart.monitor = monitor;
	smart.id = id;
	smart.asked = 0;
	smart.n = 0;
}

const unsigned char *
smart_find(const char *name)
{
	size_t	 i;
	int	 fd;

	if (!smart.asked && smart.monitor != NULL) {
		smart.asked = 1;
		if ((fd = ask()) != -1) {
			collect(fd);
			(void)close(fd);
		}
	}
	for (i = 0; i < smart.n; i++)
		if (strcmp(smart.v[i].name, name) == 0)
			return (smart.v[i].log);
	return (NULL);
}

/*
 * Where the logs come; -1: they do not, or nobody says so in time.  An answer
 * to the last time may come first.
 */
static int
ask(void)
{
	struct imsg	 m;
	uint64_t	 id;
	int		 fd, n;

	if (msg_send_data(smart.monitor, MSG_SMART, smart.id, -1) == -1 ||
	    imsgbuf_write(smart.monitor) == -1)
		return (-1);
	smart.owed++;
	for (;;) {
		while ((n = imsgbuf_get(smart.monitor, &m)) == 0) {
			if (!wait_readable(smart.monitor->fd)) {
				log_warnx("the disks' logs are left out: the "
				    "monitor says nothing");
				return (-1);
			}
			if ((n = imsgbuf_read(smart.monitor)) == 0)
				exit(0);
			if (n == -1)
				fatal("reading from the monitor");
		}
		if (n == -1 || (fd = taken(&m, &id)) == -2 ||
		    (id != smart.id && smart.owed == 0))
			fatalx("no answer that makes sense");
		if (id == smart.id)
			return (fd);
		if (fd != -1)
			(void)close(fd);
	}
}

/* What came with an answer, -1: nothing; -2: it is none that is owed. */
static int
taken(struct imsg *m, uint64_t *id)
{
	int	 fd;

	if (smart.owed == 0 || imsg_get_type(m) != MSG_SMART ||
	    msg_check(m) == -1 || msg_recv_data(m, id) == -1)
		return (-2);
	smart.owed--;
	fd = imsg_get_fd(m);
	imsg_free(m);
	return (fd);
}

int
smart_late(struct imsg *m)
{
	uint64_t id;
	int	 fd;

	if ((fd = taken(m, &id)) == -2)
		return (0);
	if (fd != -1)
		(void)close(fd);
	return (1);
}

static int
wait_readable(int fd)
{
	struct pollfd	 pfd;
	int		 n;

	pfd.fd = fd;
	pfd.events = POLLIN;
	while ((n = poll(&pfd, 1, PATIENCE)) == -1)
		if (errno != EINTR)
			fatal("poll");
	return (n);
}

/* Up to the end, and of that what is whole. */
static void
collect(int fd)
{
	size_t	 have = 0, i;
	ssize_t	 n = 1;

	while (n != 0 && have < sizeof(smart.v) && wait_readable(fd)) {
		n = read(fd, (char *)smart.v + have, sizeof(smart.v) - have);
		if (n > 0)
			have += (size_t)n;
		else if (n == -1 && errno != EAGAIN && errno != EINTR)
			n = 0;
	}
	smart.n = have / sizeof(smart.v[0]);
	for (i = 0; i < smart.n; i++)
		smart.v[i].name[SMART_NAME - 1] = '\0';
}

static uint64_t
number(const unsigned char *p, size_t n)
{
	uint64_t	 v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return (v);
}

void
smart_write(struct value_writer *w, const unsigned char *log)
{
	const unsigned char	*p = log + COUNTERS_AT;
	size_t			 i;

	value_object(w, "smart");
	value_string(w, "type", "nvme");
	value_uint(w, "critical-warning", log[0]);
	value_uint(w, "temperature", number(log + 1, 2));	/* kelvin */
	value_uint(w, "available-spare", log[3]);
	value_uint(w, "available-spare-threshold", log[4]);
	value_uint(w, "percentage-used", log[5]);
	for (i = 0; i < COUNTERS; i++, p += 16) {
		value_uint(w, counters[i].lo, number(p, 8));
		value_uint(w, counters[i].hi, number(p + 8, 8));
	}
	value_close(w);
}
