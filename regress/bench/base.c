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

/* What every host asks for, a program, and what an agent costs at rest. */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents.h"
#include "base.h"
#include "proc.h"

#define WINDOW		1000		/* pipelined pings not yet answered */
#define SETTLE		700000		/* us until an agent is at rest */
#define LONG		60e6		/* us: no budget */

#define OSINFO	"{\"execute\":\"guest-get-osinfo\"}\n"
#define IFACES	"{\"execute\":\"guest-network-get-interfaces\"}\n"
#define EXEC	"{\"execute\":\"guest-exec\",\"arguments\":" \
		"{\"path\":\"/bin/true\"}}\n"
#define EXECCAP	"{\"execute\":\"guest-exec\",\"arguments\":" \
		"{\"path\":\"/bin/true\",\"capture-output\":true}}\n"

enum {
	PING_P50, PING_P99, PIPELINED, OSINFO_P50, IFACES_P50, EXEC_P50,
	EXECCAP_P50, MEM_FRESH, MEM_USED, WAKES, START, CPU, FIGURES
};

static struct figure figures[FIGURES] = {
	[PING_P50] =	{ "ping p50", "us", AT_MOST, .target = 0.6 },
	[PING_P99] =	{ "ping p99", "us", REPORTED, .target = 0 },
	[PIPELINED] =	{ "pings pipelined", "/s", AT_LEAST, .target = 4 },
	[OSINFO_P50] =	{ "osinfo p50", "us", AT_MOST, .target = 1.3 },
	[IFACES_P50] =	{ "interfaces p50", "us", AT_MOST, .target = 0.8 },
	[EXEC_P50] =	{ "exec to status p50", "us", AT_MOST, .target = 1.0 },
	[EXECCAP_P50] =	{ "exec, captured, p50", "us", AT_MOST, .target = 1.0 },
	[MEM_FRESH] =	{ "memory, fresh", "kB", AT_MOST, .target = 1.5 },
	[MEM_USED] =	{ "memory, used", "kB", AT_MOST, .target = 1.5 },
	[WAKES] =	{ "wake-ups idle in 5 s", "", EXACTLY, .target = 0 },
	[START] =	{ "start to first ping", "us", AT_MOST, .target = 4 },
	[CPU] =		{ "CPU of 10k pings", "ms", REPORTED, .target = 0 },
};

static void	 base_run(const struct sizes *);
static void	 put(int, const struct agent *, int, double);
static double	 pipelined(struct agent *, int);
static void	 read_pipelined(struct agent *, int *);
static double	 exec_once(struct agent *, const char *);
static double	 exec_latency(struct agent *, const char *, int);
static void	 measure_idle(const struct sizes *, int);
static void	 measure_used(struct agent *, int);
static void	 measure_ping(struct agent *, const struct sizes *, int);
static void	 measure_round(const struct sizes *, int);

const struct group base_group = { "base",
	"pings, programs, memory", figures, FIGURES,
	base_run };

static void
put(int figure, const struct agent *a, int round, double value)
{
	figures[figure].value[SIDE(a)][round] = value;
}

/* Pings a second, with up to WINDOW of them on their way. */
static double
pipelined(struct agent *a, int n)
{
	static const char ping[] = PING;
	const size_t one = sizeof(ping) - 1;
	static char block[WINDOW * (sizeof(ping) - 1)];
	struct pollfd pfd;
	size_t room, sent = 0;		/* bytes */
	ssize_t k;
	int came = 0, i;
	double began;

	for (i = 0; i < WINDOW; i++)
		memcpy(block + (size_t)i * one, ping, one);
	pfd.fd = a->fd;
	began = now();
	while (came < n) {
		room = (size_t)(came + WINDOW < n ? came + WINDOW : n) * one;
		room -= sent;
		pfd.events = POLLIN;
		/* Not for a few: a write costs the client, too. */
		if (room >= sizeof(block) / 2 ||
		    (room > 0 && sent + room == (size_t)n * one))
			pfd.events |= POLLOUT;
		if (poll(&pfd, 1, 10000) <= 0)
			die("%s: %d of %d pings answered", a->name, came, n);
		if (pfd.revents & POLLOUT) {
			i = (int)(sent % one);
			if (room > sizeof(block) - (size_t)i)
				room = sizeof(block) - (size_t)i;
			k = send(a->fd, block + i, room, MSG_DONTWAIT);
			if (k == -1 && errno != EAGAIN)
				die("%s: %s", a->name, strerror(errno));
			sent += k > 0 ? (size_t)k : 0;
		}
		if (pfd.revents & ~POLLOUT)
			read_pipelined(a, &came);
	}
	return (n / ((now() - began) / 1e6));
}

static void
read_pipelined(struct agent *a, int *came)
{
	char *p, *end;
	ssize_t n;

	n = recv(a->fd, a->buf, sizeof(a->buf), MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("%s: pipelined: %s", a->name, n == 0 ? "it closed" :
		    strerror(errno));
	end = a->buf + n;
	for (p = a->buf; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		++*came;
	a->start = a->end = 0;
}

/* From the request until a status says that it has ended, as Ansible asks. */
static double
exec_once(struct agent *a, const char *request)
{
	char *line, *number, status[128];
	double began = now();
	long pid;

	line = ask(a, request);
	if ((number = strstr(line, "\"pid\": ")) == NULL ||
	    (pid = strtol(number + 7, NULL, 10)) <= 0)
		die("%s: no pid: %s", a->name, line);
	snprintf(status, sizeof(status), "{\"execute\":\"guest-exec-status\","
	    "\"arguments\":{\"pid\":%ld}}\n", pid);
	do
		line = ask(a, status);
	while (strstr(line, "\"exited\": true") == NULL);
	if (strstr(line, "\"exitcode\": 0") == NULL)
		die("%s: /bin/true failed: %s", a->name, line);
	return (now() - began);
}

static double
exec_latency(struct agent *a, const char *request, int n)
{
	int i;

	for (i = 0; i < n / 10 + 1; i++)
		(void)exec_once(a, request);
	for (i = 0; i < n; i++)
		samples[i] = exec_once(a, request);
	return (quantile(samples, n, 0.5));
}

/* Both at once: neither does anything. */
static void
measure_idle(const struct sizes *size, int round)
{
	static struct thread before[2][MAX_TREE], after[MAX_TREE];
	int i, j, k, n[2], m;
	uint64_t sum;

	pause_us(SETTLE);
	for (i = 0; i < 2; i++) {
		figures[MEM_FRESH].value[i][round] =
		    tree_memory(agents[i].pid);
		n[i] = threads(agents[i].pid, before[i]);
	}
	pause_us(size->idle * 1000000L);
	for (i = 0; i < 2; i++) {
		m = threads(agents[i].pid, after);
		sum = 0;
		/* A thread that is new has woken; one that ended is gone. */
		for (j = 0; j < m; j++) {
			sum += after[j].switches;
			for (k = 0; k < n[i]; k++)
				if (before[i][k].tid == after[j].tid)
					sum -= before[i][k].switches;
		}
		figures[WAKES].value[i][round] = (double)sum * 5 / size->idle;
	}
}

/* Memory after a little of everything. */
static void
measure_used(struct agent *a, int round)
{
	static const char *const requests[] = {
		PING, OSINFO, IFACES,
		"{\"execute\":\"guest-info\"}\n",
		"{\"execute\":\"guest-get-host-name\"}\n",
		"{\"execute\":\"guest-get-timezone\"}\n",
		"{\"execute\":\"guest-get-users\"}\n",
		"{\"execute\":\"guest-get-time\"}\n"
	};
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		ask(a, requests[i]);
	(void)exec_once(a, EXECCAP);
	pause_us(SETTLE);
	put(MEM_USED, a, round, tree_memory(a->pid));
}

static void
measure_ping(struct agent *a, const struct sizes *size, int round)
{
	double cpu, p99;
	int all = size->pings + size->pings / 10 + 1;

	cpu = tree_cpu(a->pid);
	put(PING_P50, a, round, latency(a, PING, size->pings, LONG, &p99));
	put(PING_P99, a, round, p99);
	put(CPU, a, round, (tree_cpu(a->pid) - cpu) * 10000 / all);
}

static void
measure_round(const struct sizes *size, int round)
{
	struct agent *a;
	int i, side;

	for (i = 0; i < size->starts; i++)
		EACH(a, side, round) {
			agent_stop(a);
			samples[SIDE(a) * MAX_ROUNDS + i] = agent_start(a);
		}
	for (i = 0; i < 2; i++)
		figures[START].value[i][round] = quantile(samples +
		    i * MAX_ROUNDS, size->starts, 0.5);
	measure_idle(size, round);
	EACH(a, side, round)
		measure_used(a, round);
	EACH(a, side, round)
		measure_ping(a, size, round);
	EACH(a, side, round)
		put(PIPELINED, a, round, pipelined(a, size->pipelined));
	EACH(a, side, round)
		put(OSINFO_P50, a, round, latency(a, OSINFO, size->queries,
		    LONG, NULL));
	EACH(a, side, round)
		put(IFACES_P50, a, round, latency(a, IFACES, size->queries,
		    LONG, NULL));
	EACH(a, side, round)
		put(EXEC_P50, a, round, exec_latency(a, EXEC, size->execs));
	EACH(a, side, round)
		put(EXECCAP_P50, a, round, exec_latency(a, EXECCAP,
		    size->execs));
	for (i = 0; i < 2; i++)
		agent_stop(&agents[i]);
}

static void
base_run(const struct sizes *size)
{
	int i;

	for (i = 0; i < size->rounds; i++)
		measure_round(size, i);
}
