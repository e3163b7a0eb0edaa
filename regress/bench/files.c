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
 * Bytes out of files, into files and out of programs.  The client does as
 * little as it can: base64 is made once, replies are counted, not kept.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents.h"
#include "draw.h"
#include "files.h"
#include "proc.h"

#define KB		((size_t)1024)
#define MB		(1024 * KB)
#define MOST		(48 * MB)	/* qemu-ga's limit of one read */
#define MOST_WRITTEN	(47 * MB)	/* its parser takes no more */
#define OUTPUT		(15 * MB)	/* it keeps 16 MiB of a stream */
#define POUR		3052		/* times 64 KiB: 200 MB */
#define POURS		10		/* until there are pings enough */
#define BESIDE		1000		/* pings */
#define OPERATIONS	256		/* of one size, at most */

#define REPLY	"[limits]\nmax-reply = 68M\n"

enum direction { READING, WRITING, DIRECTIONS };

enum {
	READ_64K, READ_1M, READ_MOST, WRITE_64K, WRITE_1M, WRITE_MOST,
	READ_PEAK, WRITE_PEAK, READ_CPU, WRITE_CPU, FIGURES
};

enum { EXEC_TIME, EXEC_PEAK, EXEC_CPU, POUR_TIME, BESIDE_P50, BESIDE_P99,
	OUTPUTS };

static struct figure figures[FIGURES] = {
	[READ_64K] =	{ "read, 64 KiB", "MB/s", REPORTED, .target = 0 },
	[READ_1M] =	{ "read, 1 MiB", "MB/s", AT_LEAST, .target = 6 },
	[READ_MOST] =	{ "read, 48 MiB", "MB/s", REPORTED, .target = 0 },
	[WRITE_64K] =	{ "write, 64 KiB", "MB/s", REPORTED, .target = 0 },
	[WRITE_1M] =	{ "write, 1 MiB", "MB/s", AT_LEAST, .target = 12 },
	[WRITE_MOST] =	{ "write, 47 MiB", "MB/s", REPORTED, .target = 0 },
	[READ_PEAK] =	{ "peak, 48 MiB read", "kB", AT_MOST, .target = 1. / 10 },
	[WRITE_PEAK] =	{ "peak, 47 MiB write", "kB", AT_MOST, .target = 1. / 3 },
	[READ_CPU] =	{ "CPU of all reads", "ms", AT_MOST, .target = 1. / 3 },
	[WRITE_CPU] =	{ "CPU of all writes", "ms", AT_MOST, .target = 1. / 3 },
};

static struct figure outputs[OUTPUTS] = {
	[EXEC_TIME] =	{ "15 MiB captured", "ms", REPORTED, .target = 0 },
	[EXEC_PEAK] =	{ "peak of that", "kB", REPORTED, .target = 0 },
	[EXEC_CPU] =	{ "CPU of that", "ms", AT_MOST, .target = 1. / 3 },
	[POUR_TIME] =	{ "200 MB poured out", "ms", REPORTED, .target = 0 },
	[BESIDE_P50] =	{ "ping p50 beside it", "us", REPORTED, .target = 0 },
	[BESIDE_P99] =	{ "ping p99 beside it", "us", AT_MOST, .target = 1.5 },
};

/* 0: the largest there is, by direction.  Which figure it is, if any. */
static const struct {
	size_t		 size;
	int		 figure[DIRECTIONS];
} chunks[] = {
	{ 4 * KB,	{ -1, -1 } },
	{ 16 * KB,	{ -1, -1 } },
	{ 64 * KB,	{ READ_64K, WRITE_64K } },
	{ 256 * KB,	{ -1, -1 } },
	{ MB,		{ READ_1M, WRITE_1M } },
	{ 4 * MB,	{ -1, -1 } },
	{ 16 * MB,	{ -1, -1 } },
	{ 0,		{ READ_MOST, WRITE_MOST } }
};
#define CHUNKS	(sizeof(chunks) / sizeof(chunks[0]))

static void	 files_run(const struct sizes *);
static void	 output_run(const struct sizes *);
static void	 prepare(void);
static void	 encode(char *, const unsigned char *, size_t);
static size_t	 chunk_size(size_t, enum direction);
static void	 measure_chunk(struct agent *, size_t, enum direction,
		    const struct sizes *, int);
static long	 file_open(struct agent *, const char *, const char *);
static void	 file_close(struct agent *, long);
static void	 read_one(struct agent *, long, size_t);
static void	 write_one(struct agent *, long, size_t);
static long	 job_start(struct agent *, const char *);
static void	 job_wait(struct agent *, long, size_t);
static void	 measure_output(struct agent *, int);
static void	 measure_beside(struct agent *, const struct sizes *, int);
static int	 ping_beside(struct agent *, long, int);
static void	 plot_fill(struct plot *, const struct plot *, enum direction,
		    int);

const struct group files_group = { "files",
	"files; max-reply = 68M", figures, FIGURES, files_run };
const struct group output_group = { "output",
	"output; max-reply = 68M", outputs, OUTPUTS, output_run };

/* In memory: no disk is measured. */
static char		 dir[64], source[80], sink[80];
static unsigned char	*bytes;		/* MOST */
static char		*base64;	/* of them, without their end */

static struct {
	double		 rate[2][MAX_ROUNDS], peak[2][MAX_ROUNDS];
} curve[DIRECTIONS][CHUNKS];

static void
files_run(const struct sizes *size)
{
	struct agent *a;
	size_t i;
	int d, round, side;

	prepare();
	for (i = 0; i < 2; i++)
		agent_configure(&agents[i], REPLY);
	for (round = 0; round < size->rounds; round++)
		for (d = 0; d < DIRECTIONS; d++)
			for (i = 0; i < CHUNKS; i++)
				EACH(a, side, round)
					measure_chunk(a, i,
					    (enum direction)d, size, round);
	for (i = 0; i < 2; i++)
		agent_configure(&agents[i], NULL);
}

static void
prepare(void)
{
	uint32_t x = 2463534242U;
	FILE *f;
	size_t i;

	if (bytes != NULL)
		return;
	if ((bytes = malloc(MOST)) == NULL ||
	    (base64 = malloc(MOST / 3 * 4)) == NULL)
		die("malloc: %s", strerror(errno));
	for (i = 0; i < MOST; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[i] = (unsigned char)x;
	}
	encode(base64, bytes, MOST);
	snprintf(dir, sizeof(dir), "%s/qgad-bench.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL) {
		dir[0] = '\0';
		die("mkdtemp: %s", strerror(errno));
	}
	snprintf(source, sizeof(source), "%s/source", dir);
	snprintf(sink, sizeof(sink), "%s/sink", dir);
	if ((f = fopen(source, "w")) == NULL ||
	    fwrite(bytes, 1, MOST, f) != MOST || fclose(f) == EOF)
		die("%s: %s", source, strerror(errno));
}

/* len: a multiple of three */
static void
encode(char *to, const unsigned char *p, size_t len)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *end = p + len;
	unsigned int v;

	for (; p < end; p += 3) {
		v = (unsigned int)p[0] << 16 | (unsigned int)p[1] << 8 | p[2];
		*to++ = set[v >> 18];
		*to++ = set[v >> 12 & 63];
		*to++ = set[v >> 6 & 63];
		*to++ = set[v & 63];
	}
}

/* Called by a signal's handler, too. */
void
files_clean(void)
{
	if (dir[0] == '\0')
		return;
	(void)unlink(source);
	(void)unlink(sink);
	(void)rmdir(dir);
	dir[0] = '\0';
}

static size_t
chunk_size(size_t i, enum direction d)
{
	if (chunks[i].size > 0)
		return (chunks[i].size);
	return (d == READING ? MOST : MOST_WRITTEN);
}

/*
 * By a new agent, so that its peak is this size's.  The peak is taken before
 * the handle is closed, which ends qgad's worker.
 */
static void
measure_chunk(struct agent *a, size_t i, enum direction d,
    const struct sizes *size, int round)
{
	size_t chunk = chunk_size(i, d), k, n;
	int f = chunks[i].figure[d], side = SIDE(a);
	double began, cpu, rate, peak;
	long handle;

	n = (size->quick ? MOST / 8 : MOST) / chunk;
	if (n > OPERATIONS)
		n = OPERATIONS;
	if (n == 0)
		n = 1;
	(void)agent_start(a);
	peak_start(a->pid);
	handle = d == READING ? file_open(a, source, "r") :
	    file_open(a, sink, "w");
	cpu = tree_cpu_all(a->pid);
	began = now();
	for (k = 0; k < n; k++)
		(d == READING ? read_one : write_one)(a, handle, chunk);
	rate = (double)(n * chunk) / (now() - began);
	cpu = tree_cpu_all(a->pid) - cpu;
	peak = peak_end();
	file_close(a, handle);
	agent_stop(a);
	curve[d][i].rate[side][round] = rate;
	curve[d][i].peak[side][round] = peak;
	figures[d == READING ? READ_CPU : WRITE_CPU].value[side][round] += cpu;
	if (f != -1)
		figures[f].value[side][round] = rate;
	if (f == READ_MOST || f == WRITE_MOST)
		figures[d == READING ? READ_PEAK : WRITE_PEAK]
		    .value[side][round] = peak;
}

static long
file_open(struct agent *a, const char *path, const char *mode)
{
	struct line l;
	char request[256];
	long handle;

	snprintf(request, sizeof(request), "{\"execute\":\"guest-file-open\","
	    "\"arguments\":{\"path\":\"%s\",\"mode\":\"%s\"}}\n", path, mode);
	if (ask_line(a, request, &l) == -1 ||
	    (handle = line_number(&l, "return")) == -1)
		die("%s: open: %s", a->name, l.head);
	return (handle);
}

static void
file_close(struct agent *a, long handle)
{
	struct line l;
	char request[128];

	snprintf(request, sizeof(request), "{\"execute\":\"guest-file-close\","
	    "\"arguments\":{\"handle\":%ld}}\n", handle);
	if (ask_line(a, request, &l) == -1)
		die("%s: close: %s", a->name, l.head);
}

static void
read_one(struct agent *a, long handle, size_t size)
{
	struct line l;
	char request[128];

	snprintf(request, sizeof(request), "{\"execute\":\"guest-file-read\","
	    "\"arguments\":{\"handle\":%ld,\"count\":%zu}}\n", handle, size);
	if (ask_line(a, request, &l) == -1 ||
	    line_number(&l, "count") != (long)size || l.len < size / 3 * 4)
		die("%s: read %zu: %s .. %s", a->name, size, l.head, l.tail);
}

static void
write_one(struct agent *a, long handle, size_t size)
{
	char head[128], tail[] = "====\"}}\n";
	unsigned char last[3] = { 0, 0, 0 };
	size_t whole = (size - 1) / 3;
	struct iovec iov[3];
	struct line l;

	snprintf(head, sizeof(head), "{\"execute\":\"guest-file-write\","
	    "\"arguments\":{\"handle\":%ld,\"buf-b64\":\"", handle);
	memcpy(last, bytes + whole * 3, size - whole * 3);
	encode(tail, last, 3);
	memset(tail + 4 - (3 - (size - whole * 3)), '=',
	    3 - (size - whole * 3));
	iov[0] = (struct iovec){ head, strlen(head) };
	iov[1] = (struct iovec){ base64, whole * 4 };
	iov[2] = (struct iovec){ tail, sizeof(tail) - 1 };
	send_all(a, iov, 3);
	reply_line(a, &l);
	if (line_number(&l, "count") != (long)size)
		die("%s: write %zu: %s", a->name, size, l.head);
}

/* --- programs --- */

static void
output_run(const struct sizes *size)
{
	struct agent *a;
	int i, round, side;

	prepare();
	for (i = 0; i < 2; i++)
		agent_configure(&agents[i], REPLY);
	for (round = 0; round < size->rounds; round++) {
		EACH(a, side, round) {
			(void)agent_start(a);
			measure_output(a, round);
			agent_stop(a);
		}
		EACH(a, side, round) {
			(void)agent_start(a);
			measure_beside(a, size, round);
			agent_stop(a);
		}
	}
	for (i = 0; i < 2; i++)
		agent_configure(&agents[i], NULL);
}

/* Returns its pid. */
static long
job_start(struct agent *a, const char *what)
{
	struct line l;
	char request[256];
	long pid;

	snprintf(request, sizeof(request), "{\"execute\":\"guest-exec\","
	    "\"arguments\":{%s,\"capture-output\":true}}\n", what);
	if (ask_line(a, request, &l) == -1 ||
	    (pid = line_number(&l, "pid")) <= 0)
		die("%s: exec: %s", a->name, l.head);
	return (pid);
}

/* Until its end and as many bytes of output have come. */
static void
job_wait(struct agent *a, long pid, size_t output)
{
	struct line l;
	char request[128];

	snprintf(request, sizeof(request), "{\"execute\":\"guest-exec-status\""
	    ",\"arguments\":{\"pid\":%ld}}\n", pid);
	for (;;) {
		if (ask_line(a, request, &l) == -1)
			die("%s: status: %s", a->name, l.head);
		if (line_has(&l, "\"exited\": true"))
			break;
		pause_us(1000);
	}
	if (line_number(&l, "exitcode") != 0 || l.len < output / 3 * 4)
		die("%s: %zu bytes of a status: %s .. %s", a->name, l.len,
		    l.head, l.tail);
}

static void
measure_output(struct agent *a, int round)
{
	double began, cpu;
	char what[256];

	snprintf(what, sizeof(what), "\"path\":\"/usr/bin/head\",\"arg\":"
	    "[\"-c\",\"%zu\",\"%s\"]", OUTPUT, source);
	peak_start(a->pid);
	cpu = tree_cpu_all(a->pid);
	began = now();
	job_wait(a, job_start(a, what), OUTPUT);
	outputs[EXEC_TIME].value[SIDE(a)][round] = (now() - began) / 1e3;
	outputs[EXEC_CPU].value[SIDE(a)][round] =
	    tree_cpu_all(a->pid) - cpu;
	outputs[EXEC_PEAK].value[SIDE(a)][round] = peak_end();
}

static void
measure_beside(struct agent *a, const struct sizes *size, int round)
{
	double began, poured = 0;
	char what[128];
	int i, n = 0;
	long pid;

	snprintf(what, sizeof(what), "\"path\":\"/bin/dd\",\"arg\":"
	    "[\"if=/dev/zero\",\"bs=64k\",\"count=%d\"]", POUR);
	for (i = 0; i < (size->quick ? 1 : POURS) &&
	    (i == 0 || n < BESIDE); i++) {
		began = now();
		pid = job_start(a, what);
		n = ping_beside(a, pid, n);
		poured += now() - began;
		job_wait(a, pid, 0);
	}
	outputs[POUR_TIME].value[SIDE(a)][round] = poured / 1e3 / i;
	outputs[BESIDE_P50].value[SIDE(a)][round] = quantile(samples, n, 0.5);
	outputs[BESIDE_P99].value[SIDE(a)][round] =
	    quantile(samples, n, 0.99);
}

/* Pings until the job has ended; n samples are there, returns how many. */
static int
ping_beside(struct agent *a, long pid, int n)
{
	struct line l;
	double began;
	char state;
	int i;

	for (i = 0; n < MAX_SAMPLES; i++) {
		if (i % 8 == 0 && ((state = process_state((pid_t)pid)) ==
		    '\0' || state == 'Z') && n > 0)
			break;
		began = now();
		if (ask_line(a, PING, &l) == -1)
			die("%s: ping: %s", a->name, l.head);
		samples[n++] = now() - began;
	}
	return (n);
}

/* --- the drawing --- */

void
files_draw(const char *path, int rounds)
{
	static const struct plot rates[DIRECTIONS] = {
		{ .title = "guest-file-read", .unit = "MB/s" },
		{ .title = "guest-file-write", .unit = "MB/s" }
	}, peaks[DIRECTIONS] = {
		{ .title = "guest-file-read, peak memory", .unit = "MB" },
		{ .title = "guest-file-write, peak memory", .unit = "MB" }
	};
	const char *const names[2] = { agents[0].name, agents[1].name };
	struct plot plots[2 * DIRECTIONS];
	char caption[256];
	int d;

	for (d = 0; d < DIRECTIONS; d++) {
		plot_fill(&plots[d], &rates[d], (enum direction)d, rounds);
		plot_fill(&plots[DIRECTIONS + d], &peaks[d],
		    (enum direction)d, rounds);
	}
	snprintf(caption, sizeof(caption), "Over the bytes of one request; "
	    "medians of %d rounds; qgad with max-reply = 68M. Peak: VmHWM of "
	    "all processes, summed.", rounds);
	if (draw(path, caption, names, plots, 2 * DIRECTIONS) == -1)
		die("%s: %s", path, strerror(errno));
	printf("\ndrawn: %s\n", path);
}

static void
plot_fill(struct plot *p, const struct plot *kind, enum direction d,
    int rounds)
{
	int peak = strcmp(kind->unit, "MB") == 0, side;
	size_t i;

	*p = *kind;
	p->count = (int)CHUNKS;
	for (i = 0; i < CHUNKS; i++) {
		p->x[i] = (double)chunk_size(i, d);
		for (side = 0; side < 2; side++)
			p->y[side][i] = peak ?
			    figure_median(curve[d][i].peak[side], rounds) *
			    1024 / 1e6 :
			    figure_median(curve[d][i].rate[side], rounds);
	}
}
