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
 * Each query of both, as the machine is; then those that list what there can
 * be many of, in mount and network namespaces of our own that both agents
 * are started in.  Nothing of it is seen from outside.
 */

#include <sys/types.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents.h"
#include "queries.h"

#define BUDGET		1e6		/* us for one query of one round */
#define STEPS		3
#define PER_CROWD	(STEPS + 1)	/* and how it grows */
#define ONE		50		/* bytes of an entry, at least */

static void	 queries_run(const struct sizes *);
static void	 crowd_run(const struct sizes *);
static void	 crowd_none(void);
static void	 crowd_step(int, int, const struct sizes *);
static void	 crowd_growth(int, int, int);
static int	 namespaces(void);
static void	 add_mounts(int, int);
static void	 add_interfaces(int, int);
static void	 add_routes(int, int);
static void	 ip(FILE *);
static int	 probe(struct agent *, const char *, const struct sizes *,
		    size_t *);
static double	 query(struct agent *, const char *, int,
		    const struct sizes *);
static void	 request_of(char *, size_t, const char *);

/* Named as the command is, without its guest-get- or guest-. */
static struct figure figures[] = {
	{ "load", "us", AT_MOST, .target = 1 },
	{ "vcpus", "us", AT_MOST, .target = 1 },
	{ "memory-blocks", "us", AT_MOST, .target = 1 },
	{ "memory-block-info", "us", AT_MOST, .target = 1 },
	{ "cpustats", "us", AT_MOST, .target = 1 },
	{ "disks", "us", AT_MOST, .target = 1 },
	{ "diskstats", "us", AT_MOST, .target = 1 },
	{ "fsinfo", "us", AT_MOST, .target = 1 },
	{ "network-get-interfaces", "us", AT_MOST, .target = 1 },
	{ "network-get-route", "us", AT_MOST, .target = 1 },
	{ "osinfo", "us", REPORTED, .target = 0 },
	{ "host-name", "us", REPORTED, .target = 0 },
	{ "time", "us", REPORTED, .target = 0 },
	{ "timezone", "us", REPORTED, .target = 0 },
	{ "users", "us", REPORTED, .target = 0 },
};
#define FIGURES	((int)(sizeof(figures) / sizeof(figures[0])))

static struct figure crowd[] = {
	{ "100 routes", "us", AT_MOST, .target = 1 },
	{ "1,000 routes", "us", AT_MOST, .target = 1 },
	{ "10,000 routes", "us", AT_MOST, .target = 1 },
	{ "  grow by the power", "", GROWTH, .target = 0 },
	{ "5 mounts", "us", AT_MOST, .target = 1 },
	{ "50 mounts", "us", AT_MOST, .target = 1 },
	{ "500 mounts", "us", AT_MOST, .target = 1 },
	{ "  grow by the power", "", GROWTH, .target = 0 },
	{ "20 interfaces", "us", AT_MOST, .target = 1 },
	{ "200 interfaces", "us", AT_MOST, .target = 1 },
	{ "2,000 interfaces", "us", AT_MOST, .target = 1 },
	{ "  grow by the power", "", GROWTH, .target = 0 },
};

/* The interfaces last: the kernel takes long to be rid of them. */
static const struct {
	const char	*command;
	int		 first;		/* ten times as many each step */
	void		(*add)(int, int);	/* from, to */
} crowds[] = {
	{ "network-get-route", 100, add_routes },
	{ "fsinfo", 5, add_mounts },
	{ "network-get-interfaces", 20, add_interfaces },
};
#define CROWDS	((int)(sizeof(crowds) / sizeof(crowds[0])))

const struct group queries_group = { "queries",
	"queries", figures, FIGURES, queries_run };
const struct group crowd_group = { "crowd",
	"routes, fsinfo, interfaces", crowd, CROWDS * PER_CROWD, crowd_run };

static void
queries_run(const struct sizes *size)
{
	struct agent *a;
	char request[128];
	int i, round, side, times[2];
	size_t len;

	for (i = 0; i < 2; i++)
		(void)agent_start(&agents[i]);
	for (i = 0; i < FIGURES; i++) {
		request_of(request, sizeof(request), figures[i].name);
		for (side = 0; side < 2; side++)
			times[side] = probe(&agents[side], request, size,
			    &len);
		for (round = 0; round < size->rounds; round++)
			EACH(a, side, round)
				figures[i].value[SIDE(a)][round] =
				    query(a, request, times[SIDE(a)], size);
	}
	for (i = 0; i < 2; i++)
		agent_stop(&agents[i]);
}

static void
request_of(char *request, size_t size, const char *name)
{
	snprintf(request, size, "{\"execute\":\"guest-%s%s\"}\n",
	    strncmp(name, "network-", 8) == 0 ? "" : "get-", name);
}

/*
 * How many times one round is to ask, for the first one's time; 0: this agent
 * has no such command.  *len: of the reply.
 */
static int
probe(struct agent *a, const char *request, const struct sizes *size,
    size_t *len)
{
	struct line l;
	double began = now();
	int error = ask_line(a, request, &l) == -1;

	*len = l.len;
	if (!error)
		return (now() - began > BUDGET ? 1 : size->queries);
	/* Another error is the machine's, or ours: it is shown. */
	if (!line_has(&l, "CommandNotFound"))
		fprintf(stderr, "bench: %s: %.*s: %s\n", a->name,
		    (int)strlen(request) - 1, request, l.head);
	return (0);
}

/* The median; NONE if it cannot be asked. */
static double
query(struct agent *a, const char *request, int times,
    const struct sizes *size)
{
	if (times == 0)
		return (NONE);
	return (latency(a, request, times,
	    size->quick ? BUDGET / 10 : BUDGET, NULL));
}

/* --- crowds --- */

static void
crowd_run(const struct sizes *size)
{
	int i, step, steps = size->quick ? STEPS - 1 : STEPS;

	crowd_none();
	for (i = 0; i < CROWDS; i++) {
		if (namespaces() == -1) {
			fprintf(stderr, "bench: no namespaces: %s\n",
			    strerror(errno));
			return;
		}
		for (step = 0; step < steps; step++)
			crowd_step(i, step, size);
		crowd_growth(i, steps - 1, size->rounds);
	}
}

static void
crowd_none(void)
{
	int i, j, k;

	for (i = 0; i < CROWDS * PER_CROWD; i++)
		for (j = 0; j < 2; j++)
			for (k = 0; k < MAX_ROUNDS; k++)
				crowd[i].value[j][k] = NONE;
}

static void
crowd_step(int i, int step, const struct sizes *size)
{
	struct figure *f = &crowd[i * PER_CROWD + step];
	struct agent *a;
	char request[128];
	int n = crowds[i].first * (int)lround(pow(10, step));
	int round, side, times[2];
	size_t len;

	crowds[i].add(step == 0 ? 0 : n / 10, n);
	request_of(request, sizeof(request), crowds[i].command);
	for (side = 0; side < 2; side++) {
		(void)agent_start(&agents[side]);
		times[side] = probe(&agents[side], request, size, &len);
		if (times[side] > 0 && len < (size_t)n * ONE)
			die("%s: %s: not all of them: %zu bytes",
			    agents[side].name, f->name, len);
	}
	for (round = 0; round < size->rounds; round++)
		EACH(a, side, round)
			f->value[SIDE(a)][round] =
			    query(a, request, times[SIDE(a)], size);
	for (side = 0; side < 2; side++)
		agent_stop(&agents[side]);
}

/* 1: ten times as many cost ten times as much. */
static void
crowd_growth(int i, int last, int rounds)
{
	const struct figure *f = &crowd[i * PER_CROWD + last];
	struct figure *growth = &crowd[i * PER_CROWD + STEPS];
	int round, side;

	for (side = 0; side < 2; side++)
		for (round = 0; round < rounds; round++)
			if (f->value[side][round] != NONE)
				growth->value[side][round] =
				    log10(f->value[side][round] /
				    f[-1].value[side][round]);
}

/* New ones for each crowd; what is mounted in them does not get out. */
static int
namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return (-1);
	return (0);
}

/* Of a directory on a disk: what is on none is not listed. */
static void
add_mounts(int from, int to)
{
	char path[64];
	int i;

	if (from == 0 && mount("bench", "/mnt", "tmpfs", 0, NULL) == -1)
		die("mount /mnt: %s", strerror(errno));
	for (i = from; i < to; i++) {
		snprintf(path, sizeof(path), "/mnt/%d", i);
		if (mkdir(path, 0700) == -1 || mount(agents[0].dir, path,
		    NULL, MS_BIND, NULL) == -1)
			die("mount %s: %s", path, strerror(errno));
	}
}

/* Pairs, each end with an address. */
static void
add_interfaces(int from, int to)
{
	FILE *f;
	int i, j;

	if ((f = tmpfile()) == NULL)
		die("tmpfile: %s", strerror(errno));
	for (i = from; i < to; i += 2) {
		fprintf(f, "link add v%d type veth peer name v%d\n", i,
		    i + 1);
		for (j = i; j < i + 2; j++)
			fprintf(f, "addr add 10.9.%d.%d/32 dev v%d\n",
			    j / 250, j % 250 + 1, j);
	}
	ip(f);
}

static void
add_routes(int from, int to)
{
	FILE *f;
	int i;

	if ((f = tmpfile()) == NULL)
		die("tmpfile: %s", strerror(errno));
	if (from == 0)
		fprintf(f, "link set lo up\n");
	for (i = from; i < to; i++)
		fprintf(f, "route add 10.8.%d.%d/32 dev lo\n", i / 250,
		    i % 250 + 1);
	ip(f);
}

/* Carries out a file of commands, and closes it. */
static void
ip(FILE *commands)
{
	int status;
	pid_t pid;

	if (fflush(commands) == EOF || fseek(commands, 0, SEEK_SET) == -1)
		die("temporary file: %s", strerror(errno));
	if ((pid = fork()) == -1)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		if (dup2(fileno(commands), 0) != -1)
			execlp("ip", "ip", "-batch", "-", (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) == -1 || status != 0)
		die("ip -batch: status %#x", (unsigned int)status);
	fclose(commands);
}
