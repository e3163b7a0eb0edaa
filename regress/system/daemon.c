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


#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"

#define ARGS	32
#define PIDS	512

static pid_t	 running = -1;		/* the daemon */
static pid_t	 started_by;		/* a fork of the test cleans nothing */
static uid_t	 run_as;
static int	 run_as_set;

static void	 cleanup(void);
static void	 show(const char *);
static void	 spawn(const char *, const char **);
static void	 child(const char *, const char **) __attribute__((noreturn));
static void	 collect(const char **, size_t, va_list);
static size_t	 tree(pid_t *, size_t);
static pid_t	 parent_of(pid_t);
static int	 has_role(pid_t, const char *);
static long	 status_sum(const char *);
static size_t	 read_file(const char *, char *, size_t);
static void	 wire_fill(struct wire *);
static void	 wire_wait(struct wire *, short);
static void	 judge(const char *, size_t);
static int	 sextet(char);

/* --- text --- */

void
text_put(struct text *t, const void *data, size_t n)
{
	size_t size;

	if (t->len + n + 1 > t->size) {
		size = (t->len + n + 1) * 2;
		t->p = realloc(t->p, size);
		ATF_REQUIRE(t->p != NULL);
		t->size = size;
	}
	memcpy(t->p + t->len, data, n);
	t->len += n;
	t->p[t->len] = '\0';
}

void
text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	ATF_REQUIRE(n != -1);
	text_put(t, s, (size_t)n);
	free(s);
}

void
text_fill(struct text *t, int byte, size_t n)
{
	char block[4096];
	size_t k;

	memset(block, byte, sizeof(block));
	for (; n > 0; n -= k) {
		k = n < sizeof(block) ? n : sizeof(block);
		text_put(t, block, k);
	}
}

void
text_base64(struct text *t, const void *data, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = data;
	char out[4];
	uint32_t v;
	size_t i, k;

	for (i = 0; i < n; i += 3) {
		k = n - i < 3 ? n - i : 3;
		v = (uint32_t)p[i] << 16;
		if (k > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (k > 2)
			v |= p[i + 2];
		out[0] = alphabet[v >> 18];
		out[1] = alphabet[v >> 12 & 63];
		out[2] = k > 1 ? alphabet[v >> 6 & 63] : '=';
		out[3] = k > 2 ? alphabet[v & 63] : '=';
		text_put(t, out, 4);
	}
}

void
text_free(struct text *t)
{
	free(t->p);
	memset(t, 0, sizeof(*t));
}

/* --- the daemon --- */

void
daemon_program(const atf_tc_t *tc, char *path, size_t size)
{
	const char *prefix = getenv("QGAD_PREFIX");

	prefix = atf_tc_get_config_var_wd(tc, "prefix",
	    prefix != NULL ? prefix : "/usr/local");
	ATF_REQUIRE((size_t)snprintf(path, size, "%s/sbin/qgad", prefix) <
	    size);
}

void
daemon_as(uid_t uid)
{
	run_as = uid;
	run_as_set = 1;
	/* The working directory is this test's own. */
	ATF_REQUIRE(chown(".", uid, (gid_t)-1) == 0);
}

void
daemon_conf(const char *text)
{
	FILE *f;

	ATF_REQUIRE((f = fopen(DAEMON_CONF, "w")) != NULL);
	ATF_REQUIRE(fputs(text, f) >= 0);
	ATF_REQUIRE(fclose(f) == 0);
}

static void
collect(const char **argv, size_t n, va_list ap)
{
	const char *s;

	while ((s = va_arg(ap, const char *)) != NULL) {
		ATF_REQUIRE(n < ARGS - 1);
		argv[n++] = s;
	}
	argv[n] = NULL;
}

void
daemon_spawn(const atf_tc_t *tc, ...)
{
	const char *argv[ARGS] = { [2] = "-t", "state", "-l", DAEMON_LOG };
	char program[1024];
	va_list ap;

	daemon_program(tc, program, sizeof(program));
	va_start(ap, tc);
	collect(argv, 6, ap);
	va_end(ap);
	spawn(program, argv);
}

void
daemon_listen(const atf_tc_t *tc, ...)
{
	const char *argv[ARGS] = { [2] = "-t", "state", "-l", DAEMON_LOG,
	    "-m", "unix-listen", "-p", DAEMON_SOCKET };
	char program[1024];
	struct wire h;
	va_list ap;

	daemon_program(tc, program, sizeof(program));
	va_start(ap, tc);
	collect(argv, 10, ap);
	va_end(ap);
	spawn(program, argv);
	wire_connect(&h);
	wire_ask(&h, PING, PONG);
	wire_close(&h);
}

static void
spawn(const char *program, const char **argv)
{
	uid_t uid = run_as_set ? run_as : geteuid();

	argv[0] = "qgad";
	argv[1] = "--test";
	if (uid == 0)
		*++argv = "qgad";
	ATF_REQUIRE(running == -1);
	if (started_by == 0) {
		ATF_REQUIRE(atexit(cleanup) == 0);
		started_by = getpid();
		/* A daemon that has gone is seen as the failing write. */
		ATF_REQUIRE(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	}
	ATF_REQUIRE((running = fork()) != -1);
	if (running == 0)
		child(program, argv);
}

static void
child(const char *program, const char **argv)
{
	int fd;

	(void)signal(SIGPIPE, SIG_DFL);
	if (run_as_set && (setgroups(0, NULL) == -1 ||
	    setgid((gid_t)run_as) == -1 || setuid(run_as) == -1))
		_exit(99);
	if ((fd = open(DAEMON_STDERR, O_WRONLY | O_CREAT | O_APPEND, 0666)) ==
	    -1 || dup2(fd, STDOUT_FILENO) == -1 ||
	    dup2(fd, STDERR_FILENO) == -1 || (fd = open("/dev/null",
	    O_RDONLY)) == -1 || dup2(fd, STDIN_FILENO) == -1)
		_exit(98);
	execv(program, (char **)(uintptr_t)argv);
	fprintf(stderr, "%s: %s\n", program, strerror(errno));
	_exit(97);
}

/* After a failure: the test is over, the daemon must be too. */
static void
cleanup(void)
{
	int i;

	if (started_by != getpid() || running == -1)
		return;
	show(DAEMON_STDERR);
	show(DAEMON_LOG);
	(void)kill(running, SIGTERM);
	for (i = 0; i < 300; i++) {
		if (waitpid(running, NULL, WNOHANG) != 0)
			return;
		pause_ms(10);
	}
	(void)kill(running, SIGKILL);
	(void)waitpid(running, NULL, 0);
}

/* Its end, where a failure has left its traces. */
static void
show(const char *file)
{
	char text[16384];
	size_t n;
	FILE *f;

	if ((f = fopen(file, "r")) == NULL)
		return;
	if (fseek(f, -(long)sizeof(text), SEEK_END) == -1)
		rewind(f);
	n = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	if (n > 0)
		fprintf(stderr, "--- %s\n%.*s", file, (int)n, text);
}

pid_t
daemon_pid(void)
{
	return (running);
}

int
daemon_wait(void)
{
	int64_t end = now_ms() + PATIENCE;
	pid_t pid;
	int status;

	while ((pid = waitpid(running, &status, WNOHANG)) == 0) {
		ATF_REQUIRE_MSG(now_ms() < end, "the daemon does not end");
		pause_ms(5);
	}
	ATF_REQUIRE(pid == running);
	running = -1;
	return (WIFSIGNALED(status) ? -WTERMSIG(status) :
	    WEXITSTATUS(status));
}

void
daemon_stop(void)
{
	int status;

	ATF_REQUIRE(kill(running, SIGTERM) == 0);
	if ((status = daemon_wait()) == 0)
		return;
	show(DAEMON_LOG);
	atf_tc_fail("the daemon ended with status %d", status);
}

void
need_proc(void)
{
	if (access("/proc/self/status", R_OK) == -1)
		atf_tc_skip("needs Linux's /proc");
}

static size_t
read_file(const char *path, char *buf, size_t size)
{
	size_t n = 0;
	FILE *f;

	if ((f = fopen(path, "r")) != NULL) {
		n = fread(buf, 1, size - 1, f);
		(void)fclose(f);
	}
	buf[n] = '\0';
	return (n);
}

static pid_t
parent_of(pid_t pid)
{
	char path[64], buf[1024], *p;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_file(path, buf, sizeof(buf)) == 0 ||
	    (p = strrchr(buf, ')')) == NULL ||
	    sscanf(p + 1, " %*c %d", &parent) != 1)
		return (-1);
	return (parent);
}

/* The monitor first, then all below it. */
static size_t
tree(pid_t *pids, size_t max)
{
	struct { pid_t pid, parent; } all[8192];
	struct dirent *entry;
	size_t i, j, n = 0, found = 1;
	DIR *dir;

	ATF_REQUIRE((dir = opendir("/proc")) != NULL);
	while ((entry = readdir(dir)) != NULL && n < 8192) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		all[n].pid = (pid_t)strtol(entry->d_name, NULL, 10);
		all[n].parent = parent_of(all[n].pid);
		n++;
	}
	closedir(dir);
	pids[0] = running;
	for (i = 0; i < found; i++)
		for (j = 0; j < n && found < max; j++)
			if (all[j].parent == pids[i])
				pids[found++] = all[j].pid;
	return (found);
}

static int
has_role(pid_t pid, const char *role)
{
	char path[64], line[1024];
	size_t i, n, len = strlen(role);

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	n = read_file(path, line, sizeof(line));
	while (n > 0 && (line[n - 1] == '\0' || line[n - 1] == ' '))
		n--;
	for (i = 0; i < n; i++)
		if (line[i] == '\0')
			line[i] = ' ';
	/* "NAME: ROLE", its title once it is confined. */
	return (n > len + 2 && memcmp(line + n - len - 2, ": ", 2) == 0 &&
	    memcmp(line + n - len, role, len) == 0);
}

pid_t
daemon_child(const char *role)
{
	int64_t end = now_ms() + PATIENCE;
	pid_t pids[PIDS], found;
	size_t i, n, count;

	do {
		n = tree(pids, PIDS);
		for (i = 1, count = 0, found = -1; i < n; i++)
			if (has_role(pids[i], role)) {
				found = pids[i];
				count++;
			}
		if (count == 1)
			return (found);
		pause_ms(5);
	} while (now_ms() < end);
	atf_tc_fail("%zu processes are %s", count, role);
}

static char
state_of(pid_t pid)
{
	char path[64], buf[1024], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_file(path, buf, sizeof(buf)) == 0 ||
	    (p = strrchr(buf, ')')) == NULL || p[1] == '\0')
		return ('?');
	return (p[2]);
}

/* Its answer is seen before it has told the monitor that it is done. */
pid_t
daemon_halt(const char *role)
{
	int64_t end = now_ms() + PATIENCE;
	pid_t pid = daemon_child(role);

	while (state_of(pid) != 'S') {
		ATF_REQUIRE_MSG(now_ms() < end, "%s is never idle", role);
		pause_ms(1);
	}
	ATF_REQUIRE(kill(pid, SIGSTOP) == 0);
	return (pid);
}

/* Of all processes, what stands behind that name in their status. */
static long
status_sum(const char *name)
{
	char path[64], buf[8192];
	pid_t pids[PIDS];
	const char *p;
	size_t i, n;
	long sum = 0;

	n = tree(pids, PIDS);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/%d/status", (int)pids[i]);
		(void)read_file(path, buf, sizeof(buf));
		if ((p = strstr(buf, name)) != NULL)
			sum += strtol(p + strlen(name), NULL, 10);
	}
	return (sum);
}

long
daemon_rss(void)
{
	return (status_sum("\nVmRSS:"));
}

long
daemon_switches(void)
{
	return (status_sum("\nvoluntary_ctxt_switches:") +
	    status_sum("\nnonvoluntary_ctxt_switches:"));
}

int
file_has(const char *file, const char *want)
{
	struct text t = { 0 };
	char block[4096];
	size_t n;
	FILE *f;
	int found;

	if ((f = fopen(file, "r")) == NULL)
		return (0);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		text_put(&t, block, n);
	(void)fclose(f);
	found = t.p != NULL && strstr(t.p, want) != NULL;
	text_free(&t);
	return (found);
}

void
file_await(const char *file, const char *want)
{
	int64_t end = now_ms() + PATIENCE;

	while (!file_has(file, want)) {
		ATF_REQUIRE_MSG(now_ms() < end, "%s never has: %s", file,
		    want);
		pause_ms(5);
	}
}

int
file_there(const char *file)
{
	struct stat st;

	return (lstat(file, &st) == 0);
}

void
gone_await(pid_t pid)
{
	int64_t end = now_ms() + PATIENCE;

	while (kill(pid, 0) == 0) {
		ATF_REQUIRE_MSG(now_ms() < end, "process %d is still there",
		    (int)pid);
		pause_ms(5);
	}
}

void
pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

int64_t
now_ms(void)
{
	struct timespec ts;

	ATF_REQUIRE(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* --- the host --- */

void
wire_connect(struct wire *h)
{
	int64_t end = now_ms() + PATIENCE;
	struct sockaddr_un sun;
	int fd, status;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, DAEMON_SOCKET, sizeof(DAEMON_SOCKET));
	for (;;) {
		ATF_REQUIRE((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			break;
		close(fd);
		if (waitpid(running, &status, WNOHANG) != 0) {
			running = -1;
			show(DAEMON_STDERR);
			show(DAEMON_LOG);
			atf_tc_fail("the daemon ended, wait status %#x",
			    (unsigned int)status);
		}
		ATF_REQUIRE_MSG(now_ms() < end, "no connection: %s",
		    strerror(errno));
		pause_ms(2);
	}
	wire_open(h, fd);
}

void
wire_open(struct wire *h, int fd)
{
	int flags;

	memset(h, 0, sizeof(*h));
	h->fd = fd;
	h->size = 131072;
	ATF_REQUIRE((h->buf = malloc(h->size)) != NULL);
	ATF_REQUIRE((flags = fcntl(fd, F_GETFL)) != -1);
	ATF_REQUIRE(fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
	/* Not for the daemons and programs started from here. */
	ATF_REQUIRE(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
}

void
wire_close(struct wire *h)
{
	close(h->fd);
	free(h->buf);
	memset(h, 0, sizeof(*h));
	h->fd = -1;
}

/* What can be read now. */
static void
wire_fill(struct wire *h)
{
	size_t size;
	ssize_t n;

	if (h->pos > 0 && h->pos == h->len)
		h->pos = h->len = 0;
	if (h->size - h->len < 65536) {
		memmove(h->buf, h->buf + h->pos, h->len - h->pos);
		h->len -= h->pos;
		h->pos = 0;
	}
	if (h->size - h->len < 65536) {
		size = (h->len + 65536) * 2;
		h->buf = realloc(h->buf, size);
		ATF_REQUIRE(h->buf != NULL);
		h->size = size;
	}
	n = read(h->fd, h->buf + h->len, h->size - h->len - 1);
	if (n > 0)
		h->len += (size_t)n;
	else if (n == 0)
		h->eof = 1;
	else if (errno == ECONNRESET || errno == EIO)
		h->eof = 1;
	else
		ATF_REQUIRE_MSG(errno == EAGAIN || errno == EINTR,
		    "read: %s", strerror(errno));
}

static void
wire_wait(struct wire *h, short events)
{
	struct pollfd pfd = { .fd = h->fd, .events = events };

	ATF_REQUIRE_MSG(poll(&pfd, 1, PATIENCE) == 1,
	    "the daemon neither reads nor writes; unread: %.*s",
	    (int)(h->len - h->pos), h->buf + h->pos);
	if (pfd.revents & (POLLIN | POLLHUP) && events & POLLIN)
		wire_fill(h);
}

void
wire_send(struct wire *h, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = write(h->fd, p, len < 65536 ? len : 65536);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		ATF_REQUIRE_MSG(n == -1 && (errno == EAGAIN || errno == EINTR),
		    "write: %s", strerror(errno));
		wire_wait(h, h->eof ? POLLOUT : POLLIN | POLLOUT);
	}
}

void
wire_say(struct wire *h, const char *s)
{
	wire_send(h, s, strlen(s));
}

size_t
wire_push(struct wire *h, const void *data, size_t len)
{
	const char *p = data;
	size_t sent = 0;
	struct pollfd pfd = { .fd = h->fd, .events = POLLOUT };
	ssize_t n;

	/* Half a second in which nothing was taken: that was all. */
	while (sent < len && poll(&pfd, 1, 500) == 1) {
		n = write(h->fd, p + sent, len - sent < 65536 ? len - sent :
		    65536);
		if (n > 0)
			sent += (size_t)n;
		else
			ATF_REQUIRE(errno == EAGAIN || errno == EINTR);
	}
	return (sent);
}

void
wire_piece(struct wire *h, const void *data, size_t len)
{
	int64_t end = now_ms() + PATIENCE;
	int n;

	wire_send(h, data, len);
	while (ioctl(h->fd, TIOCOUTQ, &n) == 0 && n > 0)
		ATF_REQUIRE_MSG(now_ms() < end, "the daemon does not read");
}

const char *
wire_raw(struct wire *h, size_t *len)
{
	size_t seen = 0;
	char *line, *nl;

	for (;;) {
		line = h->buf + h->pos;
		if (h->len - h->pos > seen && (nl = memchr(line + seen, '\n',
		    h->len - h->pos - seen)) != NULL)
			break;
		seen = h->len - h->pos;
		if (h->eof) {
			ATF_REQUIRE_MSG(seen == 0, "half a line at the end: "
			    "%.*s", (int)seen, line);
			return (NULL);
		}
		wire_wait(h, POLLIN);
	}
	*nl = '\0';
	*len = (size_t)(nl - line);
	h->pos += *len + 1;
	return (line);
}

/* What holds of every reply, whatever was asked. */
static void
judge(const char *line, size_t len)
{
	static const char good[] = "{\"return\": ", bad[] =
	    "{\"error\": {\"class\": \"";
	size_t i;

	ATF_REQUIRE_MSG(len + 1 < LINE_BOUND, "a line of %zu bytes", len);
	if ((unsigned char)line[0] == 0xff) {
		line++;
		len--;
		ATF_REQUIRE_MSG(strncmp(line, good, sizeof(good) - 1) == 0,
		    "0xFF before: %s", line);
	}
	for (i = 0; i < len; i++)
		ATF_REQUIRE_MSG(line[i] >= 0x20 && line[i] < 0x7f,
		    "byte %#x at %zu in: %s", (unsigned char)line[i], i, line);
	ATF_REQUIRE_MSG(strncmp(line, good, sizeof(good) - 1) == 0 ||
	    strncmp(line, bad, sizeof(bad) - 1) == 0, "no reply: %s", line);
	ATF_REQUIRE_MSG(line[len - 1] == '}', "not closed: %s", line);
	ATF_REQUIRE_MSG(strstr(line, "\"desc\": \"\"") == NULL,
	    "an empty desc: %s", line);
}

const char *
wire_maybe(struct wire *h)
{
	const char *line;
	size_t len;

	if ((line = wire_raw(h, &len)) != NULL)
		judge(line, len);
	return (line);
}

const char *
wire_line(struct wire *h)
{
	const char *line = wire_maybe(h);

	ATF_REQUIRE_MSG(line != NULL, "end of file instead of a reply");
	return (line);
}

void
wire_expect(struct wire *h, const char *want)
{
	const char *line = wire_line(h);

	ATF_REQUIRE_STREQ(want, line);
}

void
wire_expect_end(struct wire *h)
{
	const char *line = wire_maybe(h);

	ATF_REQUIRE_MSG(line == NULL, "one more line: %s", line);
}

void
wire_ask(struct wire *h, const char *request, const char *want)
{
	wire_say(h, request);
	wire_expect(h, want);
}

size_t
wire_resync(struct wire *h)
{
	static long long id = 1000;
	struct text want = { 0 };
	const char *line;
	size_t n = 0;

	text_add(&want, "\n\xff{\"execute\": \"guest-sync-delimited\", "
	    "\"arguments\": {\"id\": %lld}}\n", ++id);
	wire_send(h, want.p, want.len);
	want.len = 0;
	text_add(&want, "\xff{\"return\": %lld}", id);
	while ((unsigned char)*(line = wire_line(h)) != 0xff) {
		ATF_REQUIRE_MSG(strncmp(line, "{\"error\": ", 10) == 0,
		    "not an error: %s", line);
		n++;
	}
	ATF_REQUIRE_STREQ(want.p, line);
	text_free(&want);
	return (n);
}

/* --- replies --- */

long long
reply_number(const char *line, const char *name)
{
	char key[64], *end;
	const char *p;
	long long n;

	snprintf(key, sizeof(key), "\"%s\": ", name);
	ATF_REQUIRE_MSG((p = strstr(line, key)) != NULL, "no %s in: %s", name,
	    line);
	errno = 0;
	n = strtoll(p + strlen(key), &end, 10);
	ATF_REQUIRE_MSG(errno == 0 && end != p + strlen(key) &&
	    (*end == ',' || *end == '}'), "no number %s in: %s", name, line);
	return (n);
}

static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	return (c == '+' ? 62 : c == '/' ? 63 : -1);
}

char *
reply_data(const char *line, const char *name, size_t *len)
{
	char key[64], *data;
	const char *p;
	uint32_t v = 0;
	size_t n, i, bits = 0;
	int s;

	snprintf(key, sizeof(key), "\"%s\": \"", name);
	if ((p = strstr(line, key)) == NULL)
		return (NULL);
	p += strlen(key);
	n = strcspn(p, "\"");
	ATF_REQUIRE_MSG(n > 0 && n % 4 == 0, "%s of %zu characters", name, n);
	ATF_REQUIRE((data = malloc(n)) != NULL);
	for (i = *len = 0; i < n && p[i] != '='; i++) {
		ATF_REQUIRE_MSG((s = sextet(p[i])) != -1, "%s: not base64",
		    name);
		v = v << 6 | (uint32_t)s;
		if ((bits += 6) >= 8) {
			bits -= 8;
			data[(*len)++] = (char)(v >> bits & 0xff);
		}
	}
	ATF_REQUIRE_MSG(n - i <= 2, "%s: not base64", name);
	data[*len] = '\0';
	return (data);
}

/* --- guest-exec --- */

long long
exec_start(struct wire *h, const char *arguments)
{
	struct text t = { 0 };
	const char *line;
	long long pid;

	text_add(&t, "{\"execute\": \"guest-exec\", \"arguments\": {%s}}\n",
	    arguments);
	wire_send(h, t.p, t.len);
	text_free(&t);
	line = wire_line(h);
	ATF_REQUIRE_MSG(strncmp(line, "{\"return\": {\"pid\": ", 19) == 0,
	    "not started: %s", line);
	pid = reply_number(line, "pid");
	ATF_REQUIRE_MSG(pid > 0, "%s", line);
	return (pid);
}

const char *
exec_end(struct wire *h, long long pid)
{
	int64_t end = now_ms() + PATIENCE;
	char request[128];
	const char *line;

	snprintf(request, sizeof(request), "{\"execute\": "
	    "\"guest-exec-status\", \"arguments\": {\"pid\": %lld}}\n", pid);
	for (;;) {
		wire_say(h, request);
		line = wire_line(h);
		if (strcmp(line, "{\"return\": {\"exited\": false}}") != 0)
			return (line);
		ATF_REQUIRE_MSG(now_ms() < end, "pid %lld does not end", pid);
		pause_ms(5);
	}
}

void
exec_expect(struct wire *h, const char *arguments, const char *want)
{
	const char *line = exec_end(h, exec_start(h, arguments));

	ATF_REQUIRE_STREQ(want, line);
}

void
exec_output(struct wire *h, const char *arguments, const char *want)
{
	struct text t = { 0 };
	const char *line;
	char *data;
	size_t len;

	text_add(&t, "%s, \"capture-output\": true", arguments);
	line = exec_end(h, exec_start(h, t.p));
	ATF_REQUIRE_MSG(strstr(line, "\"exited\": true, \"exitcode\": 0, "
	    "\"out-truncated\": false}}") != NULL, "%s", line);
	ATF_REQUIRE_MSG((data = reply_data(line, "out-data", &len)) != NULL,
	    "%s: no output: %s", arguments, line);
	ATF_REQUIRE_MSG(len == strlen(want) && memcmp(data, want, len) == 0,
	    "%s: output is: %s", arguments, data);
	free(data);
	text_free(&t);
}
