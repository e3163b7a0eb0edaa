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
 * qgad beside qemu-ga: both on Unix sockets, measured in turns within one
 * run, so that what disturbs the machine disturbs both.  A ratio is the
 * median of the rounds' ratios.  In C, so that the client's own time does
 * not hide the agent's.  Linux (reads /proc).
 *
 * Exit status: 0 measured, whatever the figures; 1 measuring failed, or with
 * -e a target was missed.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROUNDS	50
#define MAX_TREE	256
#define MAX_SAMPLES	20000
#define WINDOW		1000		/* pipelined pings not yet answered */
#define SETTLE		700000		/* us until an agent is at rest */

#define PING	"{\"execute\":\"guest-ping\"}\n"
#define OSINFO	"{\"execute\":\"guest-get-osinfo\"}\n"
#define IFACES	"{\"execute\":\"guest-network-get-interfaces\"}\n"
#define EXEC	"{\"execute\":\"guest-exec\",\"arguments\":" \
		"{\"path\":\"/bin/true\"}}\n"
#define EXECCAP	"{\"execute\":\"guest-exec\",\"arguments\":" \
		"{\"path\":\"/bin/true\",\"capture-output\":true}}\n"

enum figure {
	PING_P50, PING_P99, PIPELINED, OSINFO_P50, IFACES_P50, EXEC_P50,
	EXECCAP_P50, MEM_FRESH, MEM_USED, WAKES, START, CPU, FIGURES
};

static const struct {
	const char	*name, *unit;
	double		 target;	/* of the ratio; -1: none */
	int		 atleast;	/* 1: the ratio is to be that or more */
} figures[FIGURES] = {
	[PING_P50] =	{ "ping p50",			"us",	0.6,	0 },
	[PING_P99] =	{ "ping p99",			"us",	-1,	0 },
	[PIPELINED] =	{ "pings pipelined",		"/s",	4,	1 },
	[OSINFO_P50] =	{ "osinfo p50",			"us",	1.3,	0 },
	[IFACES_P50] =	{ "interfaces p50",		"us",	0.8,	0 },
	[EXEC_P50] =	{ "exec to status p50",		"us",	1.0,	0 },
	[EXECCAP_P50] =	{ "exec, captured, p50",	"us",	1.0,	0 },
	[MEM_FRESH] =	{ "memory, fresh",		"kB",	1.5,	0 },
	[MEM_USED] =	{ "memory, used",		"kB",	1.5,	0 },
	/* Not a ratio: the first side's own number. */
	[WAKES] =	{ "wake-ups idle in 5 s",	"",	0,	0 },
	[START] =	{ "start to first ping",	"us",	4,	0 },
	[CPU] =		{ "CPU of 10k pings",		"ms",	-1,	0 },
};

struct agent {
	const char	*program, *name;
	char		 dir[64], sock[96], errors[96];
	pid_t		 pid;
	int		 fd;
	char		 buf[65536];
	size_t		 start, end;	/* unread bytes in buf */
	double		 value[FIGURES][MAX_ROUNDS];
};

struct thread {
	pid_t		 tid;
	uint64_t	 switches;
};

struct sizes {
	int		 rounds, starts, pings, pipelined, queries, execs;
	int		 idle;		/* seconds */
};

static void	 usage(void) __attribute__((noreturn));
static void	 die(const char *, ...)
		    __attribute__((noreturn, format(printf, 1, 2)));
static double	 now(void);
static void	 pause_us(long);
static int	 ascending(const void *, const void *);
static double	 quantile(double *, int, double);
static void	 agent_prepare(struct agent *, const char *);
static void	 agent_exec(struct agent *);
static void	 agent_connect(struct agent *, double);
static double	 agent_start(struct agent *);
static void	 agent_stop(struct agent *);
static void	 agent_errors(const struct agent *);
static void	 clean_up(void);
static void	 on_signal(int);
static char	*reply(struct agent *);
static char	*ask(struct agent *, const char *);
static double	 latency(struct agent *, const char *, int, double *);
static double	 pipelined(struct agent *, int);
static void	 read_pipelined(struct agent *, int *);
static double	 exec_once(struct agent *, const char *);
static double	 exec_latency(struct agent *, const char *, int);
static int	 read_file(const char *, char *, size_t);
static int	 tree(pid_t, pid_t *);
static double	 tree_memory(pid_t);
static double	 memory_rollup(pid_t);
static double	 memory_anonymous(pid_t);
static int	 threads(pid_t, struct thread *);
static uint64_t	 thread_switches(pid_t, const char *);
static double	 tree_cpu(pid_t);
static void	 measure_idle(const struct sizes *, int);
static void	 measure_used(struct agent *, int);
static void	 measure_ping(struct agent *, const struct sizes *, int);
static void	 measure_round(const struct sizes *, int);
static int	 print_row(enum figure, int);
static void	 print_csv(const char *, int);
static void	 print_targets(void);

static struct agent	 agents[2];
static double		 samples[MAX_SAMPLES];

static void
usage(void)
{
	fprintf(stderr, "usage: bench [-eqt] [-o file] [-r rounds] QGAD "
	    "[QEMU-GA]\n"
	    " -e a missed target is an error      -q quick, rough\n"
	    " -o each round's figures, as CSV     -r rounds (5)\n"
	    " -t print the targets, measure nothing\n");
	exit(1);
}

static void
die(const char *fmt, ...)
{
	va_list ap;
	int i;

	fflush(stdout);
	fprintf(stderr, "bench: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	for (i = 0; i < 2; i++)
		agent_errors(&agents[i]);
	exit(1);
}

/* Microseconds. */
static double
now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		die("clock_gettime: %s", strerror(errno));
	return ((double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3);
}

static void
pause_us(long us)
{
	struct timespec ts;

	ts.tv_sec = us / 1000000;
	ts.tv_nsec = us % 1000000 * 1000;
	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		;
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return ((x > y) - (x < y));
}

/* Sorts v. */
static double
quantile(double *v, int n, double q)
{
	int i = (int)(q * (n - 1) + 0.5);

	qsort(v, (size_t)n, sizeof(*v), ascending);
	return (n % 2 == 0 && q == 0.5 ? (v[n / 2 - 1] + v[n / 2]) / 2 : v[i]);
}

/* --- an agent --- */

static void
agent_prepare(struct agent *a, const char *program)
{
	const char *slash = strrchr(program, '/');

	a->program = program;
	a->name = slash == NULL ? program : slash + 1;
	a->fd = -1;
	if (access(program, X_OK) == -1)
		die("%s: %s", program, strerror(errno));
	strcpy(a->dir, "/tmp/qgad-bench.XXXXXX");
	if (mkdtemp(a->dir) == NULL)
		die("mkdtemp %s: %s", a->dir, strerror(errno));
	snprintf(a->sock, sizeof(a->sock), "%s/sock", a->dir);
	snprintf(a->errors, sizeof(a->errors), "%s/errors", a->dir);
}

/* The child's half. */
static void
agent_exec(struct agent *a)
{
	int in, out;

	in = open("/dev/null", O_RDWR);
	out = open(a->errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (in == -1 || out == -1 || dup2(in, 0) == -1 ||
	    dup2(in, 1) == -1 || dup2(out, 2) == -1)
		_exit(127);
	signal(SIGPIPE, SIG_DFL);
	execl(a->program, a->program, "-m", "unix-listen", "-p", a->sock,
	    "-t", a->dir, (char *)NULL);
	_exit(127);
}

/* Spins, since the time until it answers is measured. */
static void
agent_connect(struct agent *a, double deadline)
{
	const struct timeval limit = { 10, 0 };
	struct sockaddr_un sun;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, a->sock, strlen(a->sock));
	for (;;) {
		if ((a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
		    0)) == -1)
			die("socket: %s", strerror(errno));
		if (connect(a->fd, (struct sockaddr *)&sun,
		    sizeof(sun)) == 0)
			break;
		close(a->fd);
		a->fd = -1;
		if (now() > deadline)
			die("%s does not listen", a->program);
		if (waitpid(a->pid, NULL, WNOHANG) == a->pid) {
			a->pid = 0;
			die("%s has ended", a->program);
		}
		sched_yield();
	}
	if (setsockopt(a->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
	    sizeof(limit)) == -1 || setsockopt(a->fd, SOL_SOCKET,
	    SO_SNDTIMEO, &limit, sizeof(limit)) == -1)
		die("setsockopt: %s", strerror(errno));
	a->start = a->end = 0;
}

/* Microseconds from fork to the first reply. */
static double
agent_start(struct agent *a)
{
	double began;

	if (unlink(a->sock) == -1 && errno != ENOENT)
		die("unlink %s: %s", a->sock, strerror(errno));
	began = now();
	if ((a->pid = fork()) == -1)
		die("fork: %s", strerror(errno));
	if (a->pid == 0)
		agent_exec(a);
	agent_connect(a, began + 10e6);
	ask(a, PING);
	return (now() - began);
}

static void
agent_stop(struct agent *a)
{
	int i;

	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
	if (a->pid <= 0)
		return;
	kill(a->pid, SIGTERM);
	for (i = 0; i < 200; i++) {
		if (waitpid(a->pid, NULL, WNOHANG) != 0)
			break;
		pause_us(10000);
	}
	if (i == 200) {
		fprintf(stderr, "bench: %s had to be killed\n", a->name);
		kill(a->pid, SIGKILL);
		(void)waitpid(a->pid, NULL, 0);
	}
	a->pid = 0;
}

static void
agent_errors(const struct agent *a)
{
	char text[4096];

	if (a->program != NULL && read_file(a->errors, text,
	    sizeof(text)) > 0)
		fprintf(stderr, "%s said:\n%s", a->name, text);
}

static void
clean_up(void)
{
	struct dirent *de;
	char path[512];
	DIR *dir;
	int i;

	for (i = 0; i < 2; i++) {
		agent_stop(&agents[i]);
		if (agents[i].dir[0] == '\0' ||
		    (dir = opendir(agents[i].dir)) == NULL)
			continue;
		while ((de = readdir(dir)) != NULL) {
			snprintf(path, sizeof(path), "%s/%s", agents[i].dir,
			    de->d_name);
			if (de->d_name[0] != '.' && unlink(path) == -1)
				fprintf(stderr, "bench: unlink %s: %s\n",
				    path, strerror(errno));
		}
		closedir(dir);
		if (rmdir(agents[i].dir) == -1)
			fprintf(stderr, "bench: rmdir %s: %s\n",
			    agents[i].dir, strerror(errno));
	}
}

/* The agents are not to outlive us; exit(3)'s handlers end them. */
static void
on_signal(int sig)
{
	int i;

	for (i = 0; i < 2; i++)
		if (agents[i].pid > 0)
			kill(agents[i].pid, SIGTERM);
	_exit(128 + sig);
}

/* --- talking --- */

/* The next line, terminated, good until the next call. */
static char *
reply(struct agent *a)
{
	char *line, *nl;
	ssize_t n;

	for (;;) {
		line = a->buf + a->start;
		nl = memchr(line, '\n', a->end - a->start);
		if (nl != NULL)
			break;
		if (a->start > 0) {
			memmove(a->buf, line, a->end - a->start);
			a->end -= a->start;
			a->start = 0;
		}
		if (a->end == sizeof(a->buf))
			die("%s: reply too long", a->name);
		n = read(a->fd, a->buf + a->end, sizeof(a->buf) - a->end);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			die("%s: %s", a->name, n == 0 ? "it closed" :
			    strerror(errno));
		a->end += (size_t)n;
	}
	*nl = '\0';
	a->start = (size_t)(nl + 1 - a->buf);
	return (line);
}

static char *
ask(struct agent *a, const char *request)
{
	size_t len = strlen(request);
	char *line;

	if (write(a->fd, request, len) != (ssize_t)len)
		die("%s: write: %s", a->name, strerror(errno));
	line = reply(a);
	if (strncmp(line, "{\"return\"", 9) != 0)
		die("%s: %.*s: %s", a->name, (int)len - 1, request, line);
	return (line);
}

/* The median of n; *p99 too, if it is wanted. */
static double
latency(struct agent *a, const char *request, int n, double *p99)
{
	double began;
	int i;

	for (i = 0; i < n / 10 + 1; i++)
		ask(a, request);
	for (i = 0; i < n; i++) {
		began = now();
		ask(a, request);
		samples[i] = now() - began;
	}
	if (p99 != NULL)
		*p99 = quantile(samples, n, 0.99);
	return (quantile(samples, n, 0.5));
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

/* --- what the system says of an agent's processes --- */

/* Bytes read, buf terminated; -1: not there. */
static int
read_file(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	while (len < size - 1 &&
	    (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	close(fd);
	return ((int)len);
}

/* root and everything below it, by parent; returns how many. */
static int
tree(pid_t root, pid_t *pids)
{
	static pid_t all[65536][2];
	struct dirent *de;
	char path[300], text[512], *p;
	int i, j, n = 0, count = 1;
	DIR *dir;

	if ((dir = opendir("/proc")) == NULL)
		die("/proc: %s", strerror(errno));
	while ((de = readdir(dir)) != NULL && n < 65536) {
		if (de->d_name[0] < '1' || de->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", de->d_name);
		if (read_file(path, text, sizeof(text)) == -1 ||
		    (p = strrchr(text, ')')) == NULL || strlen(p) < 5)
			continue;
		all[n][0] = (pid_t)atoi(de->d_name);
		all[n++][1] = (pid_t)atoi(p + 4);
	}
	closedir(dir);
	pids[0] = root;
	for (i = 0; i < count; i++)
		for (j = 0; j < n && count < MAX_TREE; j++)
			if (all[j][1] == pids[i])
				pids[count++] = all[j][0];
	return (count);
}

/* kB of anonymous memory, shared pages by their share; a zombie has none. */
static double
tree_memory(pid_t root)
{
	pid_t pids[MAX_TREE];
	double kb, sum = 0;
	int i, n;

	n = tree(root, pids);
	for (i = 0; i < n; i++) {
		if ((kb = memory_rollup(pids[i])) == -1)
			kb = memory_anonymous(pids[i]);
		sum += kb;
	}
	return (sum);
}

/* -1: this kernel's rollup has no such line. */
static double
memory_rollup(pid_t pid)
{
	char path[64], text[4096], *p;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return (0);
	if ((p = strstr(text, "\nPss_Anon:")) == NULL)
		return (-1);
	return (strtod(p + 10, NULL));
}

/* Pss of the mappings that no file is behind. */
static double
memory_anonymous(pid_t pid)
{
	char line[512];
	unsigned long inode = 0, n;
	double sum = 0;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%ld/smaps", (long)pid);
	if ((f = fopen(line, "r")) == NULL)
		return (0);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%*x-%*x %*s %*x %*x:%*x %lu", &n) == 1)
			inode = n;
		else if (inode == 0 && strncmp(line, "Pss:", 4) == 0)
			sum += strtod(line + 4, NULL);
	}
	fclose(f);
	return (sum);
}

/* The threads of a tree with their context switches so far. */
static int
threads(pid_t root, struct thread *list)
{
	pid_t pids[MAX_TREE];
	struct dirent *de;
	char path[64];
	int i, count = 0, n;
	DIR *dir;

	n = tree(root, pids);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/%ld/task", (long)pids[i]);
		if ((dir = opendir(path)) == NULL)
			continue;
		while ((de = readdir(dir)) != NULL && count < MAX_TREE) {
			if (de->d_name[0] == '.')
				continue;
			list[count].tid = (pid_t)atoi(de->d_name);
			list[count++].switches = thread_switches(pids[i],
			    de->d_name);
		}
		closedir(dir);
	}
	return (count);
}

static uint64_t
thread_switches(pid_t pid, const char *tid)
{
	char path[320], text[8192], *p;
	uint64_t n = 0;

	snprintf(path, sizeof(path), "/proc/%ld/task/%s/status", (long)pid,
	    tid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return (0);
	for (p = text; (p = strstr(p, "voluntary_ctxt_switches:")) != NULL;) {
		p += sizeof("voluntary_ctxt_switches:") - 1;
		n += strtoull(p, NULL, 10);
	}
	return (n);
}

/* ms of CPU so far, of living processes */
static double
tree_cpu(pid_t root)
{
	pid_t pids[MAX_TREE];
	char path[64], text[128];
	double sum = 0;
	int i, n;

	n = tree(root, pids);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/%ld/schedstat",
		    (long)pids[i]);
		if (read_file(path, text, sizeof(text)) > 0)
			sum += strtod(text, NULL) / 1e6;
	}
	return (sum);
}

/* --- the figures --- */

/* Both at once: neither does anything. */
static void
measure_idle(const struct sizes *size, int round)
{
	static struct thread before[2][MAX_TREE], after[MAX_TREE];
	int i, j, k, n[2], m;
	uint64_t sum;

	pause_us(SETTLE);
	for (i = 0; i < 2; i++) {
		agents[i].value[MEM_FRESH][round] =
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
		agents[i].value[WAKES][round] = (double)sum * 5 / size->idle;
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
	a->value[MEM_USED][round] = tree_memory(a->pid);
}

static void
measure_ping(struct agent *a, const struct sizes *size, int round)
{
	double cpu;
	int all = size->pings + size->pings / 10 + 1;

	cpu = tree_cpu(a->pid);
	a->value[PING_P50][round] = latency(a, PING, size->pings,
	    &a->value[PING_P99][round]);
	a->value[CPU][round] = (tree_cpu(a->pid) - cpu) * 10000 / all;
}

/* Who goes first changes from round to round. */
static void
measure_round(const struct sizes *size, int round)
{
	struct agent *a;
	int i, side;

	for (i = 0; i < size->starts; i++)
		for (side = 0; side < 2; side++) {
			a = &agents[(side + round) % 2];
			agent_stop(a);
			samples[(a == &agents[1]) * MAX_ROUNDS + i] =
			    agent_start(a);
		}
	for (i = 0; i < 2; i++)
		agents[i].value[START][round] = quantile(samples +
		    i * MAX_ROUNDS, size->starts, 0.5);
	measure_idle(size, round);
#define EACH	for (side = 0; side < 2 && \
		    (a = &agents[(side + round) % 2]) != NULL; side++)
	EACH
		measure_used(a, round);
	EACH
		measure_ping(a, size, round);
	EACH
		a->value[PIPELINED][round] = pipelined(a, size->pipelined);
	EACH
		a->value[OSINFO_P50][round] = latency(a, OSINFO,
		    size->queries, NULL);
	EACH
		a->value[IFACES_P50][round] = latency(a, IFACES,
		    size->queries, NULL);
	EACH
		a->value[EXEC_P50][round] = exec_latency(a, EXEC,
		    size->execs);
	EACH
		a->value[EXECCAP_P50][round] = exec_latency(a, EXECCAP,
		    size->execs);
#undef EACH
	for (i = 0; i < 2; i++)
		agent_stop(&agents[i]);
}

/* Returns 1 if the target is missed. */
static int
print_row(enum figure f, int rounds)
{
	double ratio[MAX_ROUNDS], side[2][MAX_ROUNDS], r, v[2];
	int i, missed = 0;
	char text[3][32];

	for (i = 0; i < rounds; i++) {
		side[0][i] = agents[0].value[f][i];
		side[1][i] = agents[1].value[f][i];
		ratio[i] = side[1][i] > 0 ? side[0][i] / side[1][i] : 0;
	}
	v[0] = quantile(side[0], rounds, 0.5);
	v[1] = quantile(side[1], rounds, 0.5);
	r = quantile(ratio, rounds, 0.5);
	snprintf(text[0], sizeof(text[0]), "%.2f", r);
	if (f == WAKES || v[1] <= 0)
		strcpy(text[0], "-");
	if (f == WAKES)
		missed = v[0] > figures[f].target;
	else if (figures[f].target >= 0)
		missed = figures[f].atleast ? r < figures[f].target :
		    r > figures[f].target;
	strcpy(text[1], "");
	if (figures[f].target >= 0)
		snprintf(text[1], sizeof(text[1]), "%s %g",
		    f == WAKES ? "is" : figures[f].atleast ? ">=" : "<=",
		    figures[f].target);
	strcpy(text[2], figures[f].target < 0 ? "" : missed ? "over" : "ok");
	if (missed && figures[f].atleast)
		strcpy(text[2], "under");
	printf("%-21s %-3s %11.1f %11.1f %8s  %-7s %s\n", figures[f].name,
	    figures[f].unit, v[0], v[1], text[0], text[1], text[2]);
	return (missed);
}

static void
print_csv(const char *path, int rounds)
{
	FILE *out;
	int f, i;

	if ((out = fopen(path, "w")) == NULL)
		die("%s: %s", path, strerror(errno));
	fprintf(out, "figure,unit,round,%s,%s\n", agents[0].program,
	    agents[1].program);
	for (f = 0; f < FIGURES; f++)
		for (i = 0; i < rounds; i++)
			fprintf(out, "\"%s\",%s,%d,%.3f,%.3f\n",
			    figures[f].name, figures[f].unit, i + 1,
			    agents[0].value[f][i], agents[1].value[f][i]);
	if (fclose(out) == EOF)
		die("%s: %s", path, strerror(errno));
}

static void
print_targets(void)
{
	int f;

	for (f = 0; f < FIGURES; f++)
		if (figures[f].target >= 0)
			printf("%-21s %s %g%s\n", figures[f].name,
			    figures[f].atleast ? "at least" : "at most",
			    figures[f].target, f == WAKES ? "" : " times");
}

int
main(int argc, char *argv[])
{
	struct sizes size = { 5, 2, 4000, 40000, 500, 100, 5 };
	const char *csv = NULL;
	int ch, f, i, missed = 0, strict = 0;

	while ((ch = getopt(argc, argv, "eo:qr:t")) != -1)
		switch (ch) {
		case 'e':
			strict = 1;
			break;
		case 'o':
			csv = optarg;
			break;
		case 'q':
			size = (struct sizes){ 2, 2, 1000, 10000, 100, 30, 2 };
			break;
		case 'r':
			size.rounds = atoi(optarg);
			if (size.rounds < 1 || size.rounds > MAX_ROUNDS)
				usage();
			break;
		case 't':
			print_targets();
			return (0);
		default:
			usage();
		}
	argc -= optind;
	argv += optind;
	if (argc < 1 || argc > 2)
		usage();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	atexit(clean_up);
	agent_prepare(&agents[0], argv[0]);
	agent_prepare(&agents[1], argc == 2 ? argv[1] : "/usr/sbin/qemu-ga");
	for (i = 0; i < size.rounds; i++)
		measure_round(&size, i);
	printf("medians of %d rounds\n%-25s %11s %11s %8s  %s\n", size.rounds,
	    "", agents[0].name, agents[1].name, "ratio", "target");
	for (f = 0; f < FIGURES; f++)
		missed += print_row((enum figure)f, size.rounds);
	if (csv != NULL)
		print_csv(csv, size.rounds);
	return (strict && missed > 0);
}
