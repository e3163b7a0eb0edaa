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
 * Each process killed by SIGKILL, again and again, under load and in the
 * middle of a long reply: what a host sees of it, and that nothing is left
 * of it, neither process nor descriptor.
 */

#include <sys/stat.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "h_host.h"

#define ROUNDS		210		/* of five roles */
#define MONITOR_ROUNDS	42
#define LOAD		60		/* requests written at once */
#define KILL_AFTER	20		/* replies */
#define PATIENT		"frontend-restarts = 1000\n"
#define LONG_REPLY	(4 * 1024 * 1024)
/* Fits what frontend and sockets hold: its worker is done long before. */
#define SHORT_REPLY	(300 * 1024)

enum role { FRONTEND, QUERY, EXEC, SPARE, LOG, ROLES };

static const char *const role_names[ROLES] = { "frontend", "query", "exec",
    "exec-spare", "log" };

/* A job that waits until it is told to end, and then leaves a mark. */
struct waiter {
	long long	 pid;
	pid_t		 worker;
	char		 fifo[1100], mark[1100];
};

static char	 here[1024];

static void
waiter_start(struct host *h, struct waiter *w, int n)
{
	char *line;

	memset(w, 0, sizeof(*w));
	snprintf(w->fifo, sizeof(w->fifo), "%s/fifo.%d", here, n);
	snprintf(w->mark, sizeof(w->mark), "%s/mark.%d", here, n);
	ATF_REQUIRE(mkfifo(w->fifo, 0600) == 0);
	line = host_ask(h, "{\"execute\": \"guest-exec\", \"arguments\": "
	    "{\"path\": \"/bin/sh\", \"capture-output\": true, \"arg\": "
	    "[\"-c\", \"read x <%s; echo survived; >%s; exit 7\"]}}",
	    w->fifo, w->mark);
	w->pid = host_number(line, "pid");
	w->worker = proc_parent((pid_t)w->pid);
	ATF_REQUIRE(w->worker > 1);
}

/* Only a job that still runs takes it from the fifo. */
static void
waiter_tell(const struct waiter *w)
{
	int fd;

	UNTIL((fd = open(w->fifo, O_WRONLY | O_NONBLOCK)) != -1);
	ATF_REQUIRE(write(fd, "\n", 1) == 1);
	close(fd);
}

static long long
zeros_start(struct host *h, int bytes)
{
	return (host_number(host_ask(h, "{\"execute\": \"guest-exec\", "
	    "\"arguments\": {\"path\": \"/usr/bin/head\", \"arg\": "
	    "[\"-c\", \"%d\", \"/dev/zero\"], \"capture-output\": true}}",
	    bytes), "pid"));
}

/* The job is a zombie: it has ended, and all it wrote was collected. */
static void
ended_wait(long long pid)
{
	char text[64];

	snprintf(text, sizeof(text), "pid=%lld event=end", pid);
	UNTIL(host_logged(text));
}

static void
zeros_check(const char *line, int bytes)
{
	const char *s;
	size_t len, want = ((size_t)bytes + 2) / 3 * 4;

	ATF_REQUIRE_MSG((s = strstr(line, "\"out-data\": \"")) != NULL,
	    "no output in %.200s", line);
	s += strlen("\"out-data\": \"");
	len = strcspn(s, "\"");
	ATF_REQUIRE_MSG(len == want && strspn(s, "A") + 2 >= want,
	    "%zu bytes of base64, not %zu", len, want);
	ATF_REQUIRE(strstr(line, "\"exited\": true") != NULL);
	ATF_REQUIRE(strstr(line, "truncated\": true") == NULL);
	ATF_REQUIRE_EQ(0, host_number(line, "exitcode"));
}

/* Ask until the job has ended; its last status. */
static char *
status_wait(struct host *h, long long pid)
{
	char *line;

	UNTIL(strstr(line = host_ask(h, STATUS, pid), "\"exited\": false") ==
	    NULL);
	ATF_REQUIRE_MSG(strstr(line, "\"exited\": true") != NULL,
	    "status of %lld: %.200s", pid, line);
	return (line);
}

static void
no_such_job(struct host *h, long long pid)
{
	const char *line = host_ask(h, STATUS, pid);

	ATF_REQUIRE_MSG(strstr(line, "does not exist") != NULL,
	    "status of %lld: %.200s", pid, line);
}

/* What any client must get at any time. */
static void
all_well(struct host *h)
{
	long long pid;

	ATF_REQUIRE_STREQ("{\"return\": {}}", host_ask(h, PING));
	ATF_REQUIRE(strstr(host_ask(h, OSINFO), "kernel-release") != NULL);
	pid = host_number(host_ask(h, "{\"execute\": \"guest-exec\", "
	    "\"arguments\": {\"path\": \"/bin/true\"}}"), "pid");
	status_wait(h, pid);
}

/*
 * Jobs of which no host knows, or not any more: each is there on purpose,
 * so that its status can be fetched; fetch it.
 */
static void
fetch_all(struct host *h, pid_t monitor, long long but)
{
	struct proc workers[HOST_PROCS], job;
	size_t i, n;
	char *line;

	n = procs_of(monitor, workers, HOST_PROCS);
	for (i = 0; i < n; i++) {
		if (strcmp(workers[i].role, "exec") != 0 ||
		    procs_of(workers[i].pid, &job, 1) != 1 ||
		    job.pid == (pid_t)but)
			continue;
		/* One that was fetched just now may still be ending. */
		line = host_ask(h, STATUS, (long long)job.pid);
		if (strstr(line, "does not exist") != NULL)
			UNTIL(proc_gone(workers[i].pid));
		else if (strstr(line, "\"exited\": false") != NULL)
			status_wait(h, job.pid);
	}
}

/* A third pings, a third questions, a third jobs; n says which is which. */
static void
load_send(struct host *h, int n)
{
	static const char *const queries[] = { "guest-get-osinfo",
	    "guest-network-get-interfaces", "guest-get-users" };
	int r;

	if (n % 3 == 0)
		r = host_send(h, "{\"execute\": \"guest-ping\", \"id\": %d}",
		    n);
	else if (n % 3 == 1)
		r = host_send(h, "{\"execute\": \"%s\", \"id\": %d}",
		    queries[n / 3 % 3], n);
	else
		r = host_send(h, "{\"execute\": \"guest-exec\", "
		    "\"arguments\": {\"path\": \"/bin/true\"}, \"id\": %d}",
		    n);
	ATF_REQUIRE(r == 0);
}

/* Replies from first on, in their order; how many errors; -1: it closed. */
static int
load_read(struct host *h, int first, int last)
{
	char id[32], *line;
	int errors = 0, n;

	for (n = first; n < last; n++) {
		if ((line = host_line(h)) == NULL)
			return (-1);
		snprintf(id, sizeof(id), ", \"id\": %d}", n);
		ATF_REQUIRE_MSG(strlen(line) > strlen(id) && strcmp(line +
		    strlen(line) - strlen(id), id) == 0,
		    "reply %d is %.200s", n, line);
		if (strstr(line, "\"error\"") != NULL)
			errors++;
	}
	return (errors);
}

/*
 * On a busy machine a killed process takes a while to die.  A request that
 * comes meanwhile is still given to it, and fails as the one in hand does.
 */
static void
dead(pid_t victim)
{
	UNTIL(proc_gone(victim));
}

static void
kill_load(struct host *h, enum role role, pid_t victim)
{
	int errors, n;

	for (n = 0; n < LOAD; n++)
		load_send(h, n);
	ATF_REQUIRE_EQ(0, load_read(h, 0, KILL_AFTER));
	ATF_REQUIRE(kill(victim, SIGKILL) == 0);
	errors = load_read(h, KILL_AFTER, LOAD);
	dead(victim);
	if (role == FRONTEND)
		return;
	ATF_REQUIRE_MSG(errors >= 0, "%s killed: the channel was closed",
	    role_names[role]);
	/* The request in hand, if it was that one's. */
	ATF_REQUIRE_MSG(errors <= (role == QUERY || role == SPARE ? 1 : 0),
	    "%s killed: %d errors", role_names[role], errors);
}

/* Half of the reply is read, then it happens. */
static void
kill_midreply(struct host *h, enum role role, pid_t monitor, int bytes)
{
	long long pid;
	pid_t victim;
	char *line;

	pid = zeros_start(h, bytes);
	ended_wait(pid);
	victim = role == EXEC ? proc_parent((pid_t)pid) :
	    procs_one(monitor, role_names[role]);
	ATF_REQUIRE(victim > 1);
	ATF_REQUIRE(host_send(h, STATUS, pid) == 0);
	host_read(h, 65536);
	/* A short one is with the frontend already: its worker may go. */
	ATF_REQUIRE(kill(victim, SIGKILL) == 0 || (role == EXEC &&
	    bytes == SHORT_REPLY && errno == ESRCH));
	line = host_line(h);
	dead(victim);
	if (role == FRONTEND) {
		ATF_REQUIRE_MSG(line == NULL, "a whole line of half a reply");
		host_close(h);
		host_open(h);
		zeros_check(status_wait(h, pid), bytes);
	} else if (role == EXEC) {
		ATF_REQUIRE(line != NULL);
		ATF_REQUIRE(strstr(line, "\"exited\": true") != NULL);
	} else {
		ATF_REQUIRE(line != NULL);
		zeros_check(line, bytes);
	}
	no_such_job(h, pid);
}

/* Its worker dies: the job runs on, but its end is not known any more. */
static void
kill_worker(struct host *h, int round)
{
	struct waiter w;

	waiter_start(h, &w, round);
	kill_load(h, EXEC, w.worker);
	UNTIL(proc_parent((pid_t)w.pid) != w.worker);
	no_such_job(h, w.pid);
	ATF_REQUIRE(!proc_gone((pid_t)w.pid));
	waiter_tell(&w);
	UNTIL(access(w.mark, F_OK) == 0 || proc_gone((pid_t)w.pid));
	UNTIL(proc_gone((pid_t)w.pid));
	unlink(w.fifo);
	unlink(w.mark);
}

/* A new log worker writes on. */
static void
log_goes_on(struct host *h, int round)
{
	char path[64];

	snprintf(path, sizeof(path), "/nonexistent/%d", round);
	ATF_REQUIRE(strstr(host_ask(h, "{\"execute\": \"guest-exec\", "
	    "\"arguments\": {\"path\": \"%s\"}}", path), "\"error\"") !=
	    NULL);
	UNTIL(host_logged(path));
}

ATF_TC_WITH_CLEANUP(children);
ATF_TC_HEAD(children, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "descr", "frontend, query, exec, spare and log "
	    "killed 42 times each");
}
ATF_TC_BODY(children, tc)
{
	char before[256], after[256];
	struct waiter witness;
	struct host h;
	enum role role;
	pid_t monitor;
	size_t fds;
	int mode, round, done[ROLES] = { 0 };

	host_needs();
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	monitor = host_start(tc, PATIENT);
	host_open(&h);
	waiter_start(&h, &witness, -1);
	all_well(&h);
	host_close(&h);
	UNTIL((procs_shape(monitor, before, sizeof(before)),
	    strcmp(before, "frontend=1 log=1 query=1 exec-spare=1 exec=1 "
	    "other=0 zombies=0") == 0));
	fds = proc_fds(monitor);

	for (round = 0; round < ROUNDS; round++) {
		role = (enum role)(round % ROLES);
		mode = round / ROLES % 3;
		UNTIL(procs_count(monitor, "frontend") == 1);
		host_open(&h);
		if (mode > 0)
			kill_midreply(&h, role, monitor, mode == 1 ?
			    LONG_REPLY : SHORT_REPLY);
		else if (role == EXEC)
			kill_worker(&h, round);
		else
			kill_load(&h, role, procs_one(monitor,
			    role_names[role]));
		host_close(&h);
		host_open(&h);
		all_well(&h);
		ATF_REQUIRE(strstr(host_ask(&h, STATUS, witness.pid),
		    "\"exited\": false") != NULL);
		if (role == LOG)
			log_goes_on(&h, round);
		fetch_all(&h, monitor, witness.pid);
		host_close(&h);
		done[role]++;
	}

	host_open(&h);
	all_well(&h);
	host_close(&h);
	UNTIL((procs_shape(monitor, after, sizeof(after)),
	    strcmp(after, before) == 0));
	UNTIL(proc_fds(monitor) == fds);
	host_open(&h);
	waiter_tell(&witness);
	ATF_REQUIRE_EQ(7, host_number(status_wait(&h, witness.pid),
	    "exitcode"));
	host_close(&h);
	for (round = 0; round < ROLES; round++)
		printf("%s killed %d times\n", role_names[round],
		    done[round]);
	printf("before: %s, %zu descriptors\nafter:  %s\n", before, fds,
	    after);
	host_stop(monitor);
}
ATF_TC_CLEANUP(children, tc)
{
	(void)tc;
	host_cleanup();
}

/* What was its children's goes, but for the job that runs and its worker. */
static void
monitor_killed(struct host *h, pid_t monitor, const struct waiter *w)
{
	struct proc procs[HOST_PROCS];
	size_t i, n;
	int status;

	n = procs_of(monitor, procs, HOST_PROCS);
	ATF_REQUIRE(n >= 4 && n <= HOST_PROCS);
	ATF_REQUIRE(kill(monitor, SIGKILL) == 0);
	status = host_ended(monitor);
	ATF_REQUIRE(WIFSIGNALED(status));
	for (i = 0; i < n; i++)
		if (procs[i].pid != w->worker)
			UNTIL(proc_gone(procs[i].pid));
	while (host_line(h) != NULL)
		;
	ATF_REQUIRE(!proc_gone((pid_t)w->pid));
	ATF_REQUIRE(proc_parent((pid_t)w->pid) == w->worker);
}

ATF_TC_WITH_CLEANUP(monitor);
ATF_TC_HEAD(monitor, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "descr", "the monitor killed 42 times");
}
ATF_TC_BODY(monitor, tc)
{
	struct waiter w;
	struct host h;
	long long pid;
	pid_t monitor;
	int n, round;

	host_needs();
	ATF_REQUIRE(getcwd(here, sizeof(here)) != NULL);
	monitor = host_start(tc, PATIENT);
	for (round = 0; round < MONITOR_ROUNDS; round++) {
		host_open(&h);
		waiter_start(&h, &w, round);
		all_well(&h);
		UNTIL(procs_count(monitor, "exec-spare") > 0);
		if (round % 2 == 0) {
			for (n = 0; n < LOAD; n++)
				load_send(&h, n);
			ATF_REQUIRE_EQ(0, load_read(&h, 0, KILL_AFTER));
		} else {
			pid = zeros_start(&h, LONG_REPLY);
			ended_wait(pid);
			ATF_REQUIRE(host_send(&h, STATUS, pid) == 0);
			host_read(&h, 65536);
		}
		monitor_killed(&h, monitor, &w);
		host_close(&h);

		monitor = host_start(tc, PATIENT);
		host_open(&h);
		all_well(&h);
		no_such_job(&h, w.pid);
		host_close(&h);
		waiter_tell(&w);
		UNTIL(access(w.mark, F_OK) == 0);
		UNTIL(proc_gone((pid_t)w.pid) && proc_gone(w.worker));
	}
	printf("the monitor was killed %d times\n", round);
	host_stop(monitor);
}
ATF_TC_CLEANUP(monitor, tc)
{
	(void)tc;
	host_cleanup();
}

ATF_TC_WITH_CLEANUP(bound);
ATF_TC_HEAD(bound, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "descr", "a frontend that keeps dying");
}
ATF_TC_BODY(bound, tc)
{
	struct proc procs[HOST_PROCS];
	struct host h;
	pid_t frontend, monitor;
	size_t i, n;
	int round, status;

	host_needs();
	monitor = host_start(tc, "frontend-restarts = 3\n");
	for (round = 0; round < 3; round++) {
		frontend = procs_one(monitor, "frontend");
		ATF_REQUIRE(kill(frontend, SIGKILL) == 0);
		dead(frontend);
		host_open(&h);
		all_well(&h);
		host_close(&h);
	}
	n = procs_of(monitor, procs, HOST_PROCS);
	ATF_REQUIRE(kill(procs_one(monitor, "frontend"), SIGKILL) == 0);
	status = host_ended(monitor);
	ATF_REQUIRE_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 75,
	    "the monitor's status is %#x", (unsigned int)status);
	for (i = 0; i < n; i++)
		UNTIL(proc_gone(procs[i].pid));
	ATF_REQUIRE(host_logged("the frontend ended too often"));
}
ATF_TC_CLEANUP(bound, tc)
{
	(void)tc;
	host_cleanup();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, children);
	ATF_TP_ADD_TC(tp, monitor);
	ATF_TP_ADD_TC(tp, bound);
	return (atf_no_error());
}
