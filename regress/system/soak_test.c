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
 * A hundred thousand requests, a third of them programs run and their status
 * fetched, the rest questions and protocol.  After a tenth of them and after
 * all of them: the same processes, the same descriptors, the same memory.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h_host.h"

#define REQUESTS	100000
#define SANITIZED	10000		/* that build is many times slower */
#define CONNECTION	1000		/* requests, then a new one */
#define FLIGHT		8		/* jobs at once */
/*
 * Anonymous memory, kB.  A heap may yet find a better or a worse place for
 * the same things; 64 kB are less than one byte for each request.
 */
#define SLACK		64

enum { MONITOR, FRONTEND, QUERY, LOG, SPARE, WATCHED };

static const char *const watched[WATCHED] = { "monitor", "frontend", "query",
    "log", "exec-spare" };

struct sample {
	char	 shape[256];
	size_t	 fds[WATCHED];
	long	 anon[WATCHED], rss[WATCHED];
};

static struct {
	long long	 pid[FLIGHT];
	int		 n;
	long		 started, asked;
} jobs;

static long	 protocol, questions;

/* The oldest job's status, asked for until it has ended. */
static void
job_fetch(struct host *h)
{
	char *line;

	do {
		line = host_ask(h, STATUS, jobs.pid[0]);
		jobs.asked++;
	} while (strstr(line, "\"exited\": false") != NULL);
	ATF_REQUIRE_MSG(strstr(line, "\"exitcode\": 0") != NULL, "%.200s",
	    line);
	memmove(jobs.pid, jobs.pid + 1, sizeof(jobs.pid) -
	    sizeof(jobs.pid[0]));
	jobs.n--;
}

static void
job_start(struct host *h, int n)
{
	if (jobs.n == FLIGHT)
		job_fetch(h);
	jobs.pid[jobs.n++] = host_number(host_ask(h, n % 10 == 0 ?
	    "{\"execute\": \"guest-exec\", \"arguments\": {\"path\": "
	    "\"/bin/echo\", \"arg\": [\"some\", \"output\"], "
	    "\"capture-output\": \"separated\"}}" :
	    "{\"execute\": \"guest-exec\", \"arguments\": {\"path\": "
	    "\"/bin/true\"}}"), "pid");
	jobs.started++;
}

static void
question(struct host *h, int n)
{
	static const char *const names[] = { "osinfo", "host-name", "time",
	    "timezone", "users" };
	char *line;

	if (n % 6 == 5)
		line = host_ask(h, "{\"execute\": "
		    "\"guest-network-get-interfaces\"}");
	else
		line = host_ask(h, "{\"execute\": \"guest-get-%s\"}",
		    names[n % 6]);
	ATF_REQUIRE_MSG(strncmp(line, "{\"return\": ", 11) == 0, "%.200s",
	    line);
	questions++;
}

static void
talk(struct host *h, int n)
{
	char want[64], *line;

	snprintf(want, sizeof(want), "{\"return\": %d}", n);
	switch (n % 5) {
	case 0:
		line = host_ask(h, "{\"execute\": \"guest-sync\", "
		    "\"arguments\": {\"id\": %d}}", n);
		ATF_REQUIRE_STREQ(want, line);
		break;
	case 1:
		line = host_ask(h, "\xff{\"execute\": "
		    "\"guest-sync-delimited\", \"arguments\": {\"id\": %d}}",
		    n);
		/* The byte in front is an error of its own. */
		ATF_REQUIRE(strstr(line, "stray") != NULL);
		ATF_REQUIRE((line = host_line(h)) != NULL);
		ATF_REQUIRE(*line == '\xff');
		ATF_REQUIRE_STREQ(want, line + 1);
		break;
	case 2:
		line = host_ask(h, "{\"execute\": \"guest-info\"}");
		ATF_REQUIRE(strstr(line, "supported_commands") != NULL);
		break;
	case 3:
		line = host_ask(h, "{\"execute\": \"guest-nothing\", \"a\"}");
		ATF_REQUIRE(strstr(line, "\"error\"") != NULL);
		break;
	default:
		ATF_REQUIRE_STREQ("{\"return\": {}}", host_ask(h, PING));
		break;
	}
	protocol++;
}

/* Nothing is in flight when this is looked at. */
static void
sample(struct host *h, pid_t monitor, struct sample *s)
{
	pid_t pid;
	int i;

	while (jobs.n > 0)
		job_fetch(h);
	host_close(h);
	host_open(h);
	(void)host_ask(h, OSINFO);
	UNTIL((procs_shape(monitor, s->shape, sizeof(s->shape)),
	    strcmp(s->shape, "frontend=1 log=1 query=1 exec-spare=1 exec=0 "
	    "other=0 zombies=0") == 0));
	for (i = 0; i < WATCHED; i++) {
		pid = i == MONITOR ? monitor : procs_one(monitor, watched[i]);
		s->fds[i] = proc_fds(pid);
		s->anon[i] = proc_kb(pid, "RssAnon");
		s->rss[i] = proc_kb(pid, "VmRSS");
	}
}

static void
requests(struct host *h, int from, int to)
{
	int n;

	for (n = from; n < to; n++) {
		if (n % CONNECTION == 0) {
			host_close(h);
			host_open(h);
		}
		if (n % 3 == 0)
			job_start(h, n / 3);
		else if (n % 3 == 1)
			question(h, n / 3);
		else
			talk(h, n / 3);
	}
}

ATF_TC_WITH_CLEANUP(flat);
ATF_TC_HEAD(flat, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "descr", "1e5 requests leave nothing behind");
}
ATF_TC_BODY(flat, tc)
{
	struct sample early, late;
	struct host h = { .fd = -1 };
	int64_t began;
	pid_t monitor;
	int i, sanitized, total = REQUESTS;

	host_needs();
	sanitized = strcmp(atf_tc_get_config_var_wd(tc, "sanitized", "no"),
	    "yes") == 0;
	if (sanitized)
		total = SANITIZED;
	monitor = host_start(tc, "");
	began = host_ms();
	requests(&h, 0, total / 10);
	sample(&h, monitor, &early);
	requests(&h, total / 10, total);
	sample(&h, monitor, &late);
	host_close(&h);
	printf("%d requests in %lld ms: %ld programs run (status asked for "
	    "%ld times), %ld questions, %ld protocol\n", total,
	    (long long)(host_ms() - began), jobs.started, jobs.asked,
	    questions, protocol);
	printf("after a tenth: %s\nafter all:     %s\n", early.shape,
	    late.shape);
	for (i = 0; i < WATCHED; i++) {
		printf("%-10s descriptors %zu, %zu; RssAnon %ld, %ld kB; "
		    "VmRSS %ld, %ld kB\n", watched[i], early.fds[i],
		    late.fds[i], early.anon[i], late.anon[i], early.rss[i],
		    late.rss[i]);
		ATF_CHECK_EQ(early.fds[i], late.fds[i]);
		/* A sanitizer keeps what is freed, to see it used. */
		if (!sanitized)
			ATF_CHECK(late.anon[i] <= early.anon[i] + SLACK);
	}
	fflush(stdout);
	host_stop(monitor);
}
ATF_TC_CLEANUP(flat, tc)
{
	(void)tc;
	host_cleanup();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, flat);
	return (atf_no_error());
}
