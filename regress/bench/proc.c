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

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents.h"
#include "proc.h"

#define MAX_SEEN	1024		/* processes of one peak */
#define LOOK		5000		/* us between two looks */

struct seen {
	pid_t		 pid;
	unsigned long long began;	/* pids come again */
	double		 kb;
};

static int	 tree(pid_t, pid_t *);
static double	 memory_rollup(pid_t);
static double	 memory_anonymous(pid_t);
static uint64_t	 thread_switches(pid_t, const char *);
static const char *stat_field(pid_t, char *, size_t, int);
static double	 task_cpu(pid_t);
static int	 children(pid_t, pid_t *, int);
static void	 look(pid_t);
static void	 look_at(pid_t);

static struct {
	volatile int	 stop;
	int		 count;
	struct seen	 seen[MAX_SEEN];
} *peak;
static pid_t	 looker, looked_at;

int
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

double
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

int
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

double
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

/* From the nth field (proc(5)) of its stat on; NULL: it is gone. */
static const char *
stat_field(pid_t pid, char *text, size_t size, int n)
{
	char path[64], *p;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if (read_file(path, text, size) <= 0 ||
	    (p = strrchr(text, ')')) == NULL)
		return (NULL);
	for (; n > 2 && p != NULL; n--)
		if ((p = strchr(p, ' ')) != NULL)
			p++;
	return (p);
}

char
process_state(pid_t pid)
{
	char text[1024];
	const char *p = stat_field(pid, text, sizeof(text), 3);

	return (p == NULL ? '\0' : *p);
}

/*
 * The living to the nanosecond, each thread; what they have reaped, and that
 * in turn, to the clock tick.
 */
double
tree_cpu_all(pid_t root)
{
	pid_t pids[MAX_TREE];
	char text[1024], *end;
	const char *p;
	double sum = 0, ticks;
	int i, n;

	n = tree(root, pids);
	for (i = 0; i < n; i++) {
		sum += task_cpu(pids[i]);
		if ((p = stat_field(pids[i], text, sizeof(text), 16)) == NULL)
			continue;
		ticks = strtod(p, &end);
		ticks += strtod(end, NULL);
		sum += ticks * 1000 / (double)sysconf(_SC_CLK_TCK);
	}
	return (sum);
}

static double
task_cpu(pid_t pid)
{
	struct dirent *de;
	char path[330], text[128];
	double sum = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	if ((dir = opendir(path)) == NULL)
		return (0);
	while ((de = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat",
		    (long)pid, de->d_name);
		if (de->d_name[0] != '.' && read_file(path, text,
		    sizeof(text)) > 0)
			sum += strtod(text, NULL) / 1e6;
	}
	closedir(dir);
	return (sum);
}

/* --- the peak --- */

void
peak_start(pid_t root)
{
	if (peak == NULL && (peak = mmap(NULL, sizeof(*peak),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) ==
	    MAP_FAILED)
		die("mmap: %s", strerror(errno));
	peak->stop = peak->count = 0;
	looked_at = root;
	fflush(NULL);
	if ((looker = fork()) == -1)
		die("fork: %s", strerror(errno));
	if (looker > 0)
		return;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		_exit(1);
	while (!peak->stop) {
		look(root);
		pause_us(LOOK);
	}
	_exit(0);
}

double
peak_end(void)
{
	double sum = 0;
	int i, status;

	peak->stop = 1;
	if (waitpid(looker, &status, 0) == -1 || status != 0)
		die("the looker at %ld has failed", (long)looked_at);
	look(looked_at);
	if (peak->count == MAX_SEEN)
		die("too many processes below %ld", (long)looked_at);
	for (i = 0; i < peak->count; i++)
		sum += peak->seen[i].kb;
	return (sum);
}

/* Reads no more of /proc than it must: the agent needs the processor. */
static void
look(pid_t root)
{
	pid_t pids[MAX_TREE];
	int i, n = 1;

	pids[0] = root;
	for (i = 0; i < n; i++) {
		n += children(pids[i], pids + n, MAX_TREE - n);
		look_at(pids[i]);
	}
}

/* Of its main thread: no agent has another that forks. */
static int
children(pid_t pid, pid_t *pids, int room)
{
	char path[64], text[4096], *p = text, *end;
	int n;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children",
	    (long)pid, (long)pid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return (0);
	for (n = 0; n < room; n++) {
		pids[n] = (pid_t)strtol(p, &end, 10);
		if (end == p)
			break;
		p = end;
	}
	return (n);
}

static void
look_at(pid_t pid)
{
	char path[64], text[4096], *p;
	const char *field;
	unsigned long long began;
	double kb;
	int i;

	if ((field = stat_field(pid, text, sizeof(text), 22)) == NULL)
		return;
	began = strtoull(field, NULL, 10);
	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	/* One that has ended has no memory; what was seen of it stays. */
	if (read_file(path, text, sizeof(text)) <= 0 ||
	    (p = strstr(text, "\nVmHWM:")) == NULL)
		return;
	kb = strtod(p + 7, NULL);
	for (i = 0; i < peak->count; i++)
		if (peak->seen[i].pid == pid && peak->seen[i].began == began)
			break;
	if (i == MAX_SEEN)
		return;
	if (i == peak->count)
		peak->seen[peak->count++] = (struct seen){ pid, began, 0 };
	/* It begins anew with each exec(2). */
	if (kb > peak->seen[i].kb)
		peak->seen[i].kb = kb;
}
