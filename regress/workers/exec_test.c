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
 * The real qgad-exec with a monitor played by this test.  As root, and with
 * the account _qgadw there, it is confined as when installed.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "driver.h"
#include "messages.h"

#define MAXOUT	"65536"
#define MAXOUTN	65536
#define PROGRAM	"qgad-exec"
#define LEAKED	9		/* a descriptor the worker must not pass on */

struct answer {
	struct exec_result r;
	char	*out, *err;		/* terminated */
};

static void	 open_worker(struct worker *, const atf_tc_t *, const char *);
static void	 close_worker(struct worker *);
static void	 ask(struct worker *, struct msg_exec *, int);
static pid_t	 started(struct worker *, char *, size_t);
static pid_t	 shell(struct worker *, const char *, uint32_t);
static void	 ended(struct worker *, struct answer *);
static void	 fetch(struct worker *, struct answer *, uint64_t);
static void	 run(const atf_tc_t *, struct msg_exec *, struct answer *);
static void	 run_shell(const atf_tc_t *, const char *, uint32_t,
		    struct answer *);
static void	 file(const char *, const char *, mode_t);
static void	 wait_for_file(const char *);
static void	 feeder(int, size_t, size_t);
static char	*status_line(pid_t, const char *);
static void	 spoil(void);

static const char view_script[] =
    "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n'; umask;"
    "cat /proc/self/oom_score_adj;"
    "for i in 3 4 5 6 7 8 9 10 11 12 13 14 15; do"
    " test -e /proc/$$/fd/$i && echo fd $i; done;"
    "read -r a b c d e f g </proc/$$/stat; test \"$f\" = $$ && echo leader;"
    "ulimit -c; ulimit -n; pwd; readlink /proc/$$/fd/0; id -u;"
    "grep -E '^(NoNewPrivs|Seccomp):|^CapBnd' /proc/self/status";

static void
open_worker(struct worker *w, const atf_tc_t *tc, const char *wait)
{
	const char *args[] = { MAXOUT, wait, NULL };
	struct imsg imsg;
	struct msg_hello hello;

	driver_start(w, atf_tc_get_config_var(tc, "srcdir"), PROGRAM,
	    driver_ids(), args);
	driver_expect(w, &imsg, MSG_HELLO);
	ATF_REQUIRE_EQ(0, msg_recv_hello(&imsg, &hello));
	ATF_CHECK_EQ(ROLE_EXEC_SPARE, hello.role);
	imsg_free(&imsg);
}

static void
close_worker(struct worker *w)
{
	driver_close(w);
	ATF_CHECK_EQ(0, driver_wait(w));
}

static void
ask(struct worker *w, struct msg_exec *m, int fd)
{
	static char *none[] = { NULL };

	m->id = 7;
	while (m->argv != NULL && m->argv[m->argc] != NULL)
		m->argc++;
	while (m->envp != NULL && m->envp[m->envc] != NULL)
		m->envc++;
	m->hasenv = m->envp != NULL;
	if (m->argv == NULL)
		m->argv = none;
	if (m->envp == NULL)
		m->envp = none;
	ATF_REQUIRE_EQ(0, msg_send_exec(&w->ib, m, fd));
	driver_flush(w);
}

/* The pid, or 0 and why not. */
static pid_t
started(struct worker *w, char *text, size_t size)
{
	struct imsg imsg;
	struct msg_exec_started m;
	pid_t pid;

	driver_expect(w, &imsg, MSG_EXEC_STARTED);
	ATF_REQUIRE_EQ(0, msg_recv_exec_started(&imsg, &m));
	ATF_CHECK_EQ(7, m.id);
	pid = (pid_t)m.pid;
	if (text != NULL)
		snprintf(text, size, "%s", m.text);
	else if (pid == 0)
		atf_tc_fail("not started: %s", m.text);
	imsg_free(&imsg);
	return (pid);
}

static pid_t
shell(struct worker *w, const char *script, uint32_t capture)
{
	char *argv[3];
	struct msg_exec m;

	argv[0] = strdup("-c");
	argv[1] = strdup(script);
	argv[2] = NULL;
	memset(&m, 0, sizeof(m));
	m.path = "/bin/sh";
	m.argv = argv;
	m.capture = capture;
	ask(w, &m, -1);
	return (started(w, NULL, 0));
}

static void
ended(struct worker *w, struct answer *a)
{
	struct imsg imsg;

	driver_expect(w, &imsg, MSG_EXEC_ENDED);
	ATF_REQUIRE_EQ(0, msg_recv_exec_ended(&imsg, &a->r));
	ATF_CHECK_EQ(1, a->r.exited);
	imsg_free(&imsg);
}

/* As the frontend would: the output over a socket of its own. */
static void
fetch(struct worker *w, struct answer *a, uint64_t id)
{
	struct msg_exec_send m;
	struct msg_done done;
	struct imsg imsg;
	size_t len, pos = 0;
	ssize_t n;
	int sp[2];

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
	memset(&m, 0, sizeof(m));
	m.id = id;
	m.out = a->r.out;
	m.err = a->r.err;
	ATF_REQUIRE_EQ(0, msg_send_exec_send(&w->ib, &m, sp[1]));
	driver_flush(w);
	len = (size_t)m.out + m.err;
	ATF_REQUIRE((a->out = calloc(1, (size_t)m.out + 1)) != NULL);
	ATF_REQUIRE((a->err = calloc(1, (size_t)m.err + 1)) != NULL);
	while (pos < len) {
		if (pos < m.out)
			n = read(sp[0], a->out + pos, m.out - pos);
		else
			n = read(sp[0], a->err + (pos - m.out), len - pos);
		ATF_REQUIRE(n > 0);
		pos += (size_t)n;
	}
	ATF_CHECK_EQ(0, read(sp[0], &n, 1));
	close(sp[0]);
	driver_expect(w, &imsg, MSG_DONE);
	ATF_REQUIRE_EQ(0, msg_recv_done(&imsg, &done));
	ATF_CHECK_EQ(id, done.id);
	ATF_CHECK_EQ(1, done.ok);
	imsg_free(&imsg);
}

/* From start to end. */
static void
run(const atf_tc_t *tc, struct msg_exec *m, struct answer *a)
{
	struct worker w;

	open_worker(&w, tc, "5");
	ask(&w, m, -1);
	(void)started(&w, NULL, 0);
	ended(&w, a);
	fetch(&w, a, 8);
	close_worker(&w);
}

static void
run_shell(const atf_tc_t *tc, const char *script, uint32_t capture,
    struct answer *a)
{
	struct worker w;

	open_worker(&w, tc, "5");
	(void)shell(&w, script, capture);
	ended(&w, a);
	fetch(&w, a, 8);
	close_worker(&w);
}

static void
file(const char *path, const char *text, mode_t mode)
{
	int fd;

	ATF_REQUIRE((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600)) !=
	    -1);
	ATF_REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	ATF_REQUIRE(fchmod(fd, mode) == 0);
	close(fd);
}

static void
wait_for_file(const char *path)
{
	struct timespec nap = { 0, 10000000 };
	int i;

	for (i = 0; i < 6000; i++) {
		if (access(path, F_OK) == 0)
			return;
		nanosleep(&nap, NULL);
	}
	atf_tc_fail("%s does not come", path);
}

/* A process that writes len bytes of a pattern, of which all says how many. */
static void
feeder(int fd, size_t len, size_t all)
{
	static char buf[65536];
	size_t i, n;
	ssize_t w;

	switch (fork()) {
	case -1:
		atf_tc_fail("fork");
	case 0:
		break;
	default:
		return;
	}
	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (char)('a' + i % 26);
	for (i = 0; i < len; i += (size_t)w) {
		n = sizeof(buf) - i % sizeof(buf);
		if (n > len - i)
			n = len - i;
		if ((w = write(fd, buf + i % sizeof(buf), n)) == -1)
			_exit(1);
	}
	_exit(len == all ? 0 : 1);
}

/* The text after "name:" in /proc/pid/status. */
static char *
status_line(pid_t pid, const char *name)
{
	static char line[256];
	char path[64], *p = NULL;
	FILE *fp;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	ATF_REQUIRE((fp = fopen(path, "r")) != NULL);
	while (fgets(line, sizeof(line), fp) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0) {
			p = line + strlen(name) + 1;
			break;
		}
	}
	fclose(fp);
	ATF_REQUIRE(p != NULL);
	return (p);
}

/* What a worker might be started with, and a job must not see. */
static void
spoil(void)
{
	sigset_t set;
	int fd, null;

	umask(077);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ATF_REQUIRE(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	ATF_REQUIRE(signal(SIGUSR2, SIG_IGN) != SIG_ERR);
	ATF_REQUIRE((null = open("/dev/null", O_RDWR)) != -1);
	ATF_REQUIRE(dup2(null, LEAKED) == LEAKED);
	if ((fd = open("/proc/self/oom_score_adj", O_WRONLY)) != -1) {
		ATF_REQUIRE(write(fd, "300", 3) == 3);
		close(fd);
	}
}

ATF_TC_WITHOUT_HEAD(separated);
ATF_TC_BODY(separated, tc)
{
	struct worker w;
	struct answer a;

	open_worker(&w, tc, "5");
	ATF_CHECK(shell(&w, "echo out; echo err >&2; exit 3",
	    CAPTURE_SEPARATED) > 0);
	ended(&w, &a);
	ATF_CHECK_EQ(0, a.r.signaled);
	ATF_CHECK_EQ(3, a.r.code);
	ATF_CHECK_EQ(4, a.r.out);
	ATF_CHECK_EQ(4, a.r.err);
	ATF_CHECK_EQ(0, a.r.outcut + a.r.errcut);
	fetch(&w, &a, 8);
	ATF_CHECK_STREQ("out\n", a.out);
	ATF_CHECK_STREQ("err\n", a.err);
	/* Asked again, and for less. */
	a.r.out = 2;
	a.r.err = 1;
	fetch(&w, &a, 9);
	ATF_CHECK_STREQ("ou", a.out);
	ATF_CHECK_STREQ("e", a.err);
	close_worker(&w);
}

ATF_TC_WITHOUT_HEAD(capture_modes);
ATF_TC_BODY(capture_modes, tc)
{
	static const char script[] = "echo out; echo err >&2";
	struct answer a;

	run_shell(tc, script, CAPTURE_MERGED, &a);
	ATF_CHECK_STREQ("out\nerr\n", a.out);
	ATF_CHECK_EQ(0, a.r.err);
	run_shell(tc, script, CAPTURE_STDOUT, &a);
	ATF_CHECK_STREQ("out\n", a.out);
	ATF_CHECK_EQ(0, a.r.err);
	run_shell(tc, script, CAPTURE_STDERR, &a);
	ATF_CHECK_EQ(0, a.r.out);
	ATF_CHECK_STREQ("err\n", a.err);
	run_shell(tc, script, CAPTURE_NONE, &a);
	ATF_CHECK_EQ(0, a.r.out + a.r.err);
	/* What is not captured goes to /dev/null, not to the agent's. */
	run_shell(tc, "readlink /proc/$$/fd/2", CAPTURE_STDOUT, &a);
	ATF_CHECK_STREQ("/dev/null\n", a.out);
}

ATF_TC_WITHOUT_HEAD(not_executable);
ATF_TC_BODY(not_executable, tc)
{
	static const struct {
		const char *path, *why;
	} t[] = {
		{ "/no/such program", "No such file or directory" },
		{ "no-such-program", "No such file or directory" },
		{ "/", "Permission denied" },
		{ "/etc/passwd", "Permission denied" },
		/* A shell would run it; execve does not, nor do we. */
		{ "./no-interpreter", "Exec format error" }
	};
	char text[512], want[512];
	struct worker w;
	struct msg_exec m;
	size_t i;

	file("no-interpreter", "echo here >made\n", 0755);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		open_worker(&w, tc, "5");
		memset(&m, 0, sizeof(m));
		m.path = t[i].path;
		ask(&w, &m, -1);
		ATF_CHECK_EQ(0, started(&w, text, sizeof(text)));
		snprintf(want, sizeof(want), "Failed to execute child process "
		    "“%s” (%s)", t[i].path, t[i].why);
		ATF_CHECK_STREQ(want, text);
		/* It is of no more use and ends by itself. */
		ATF_CHECK_EQ(0, driver_wait(&w));
		driver_close(&w);
	}
	ATF_CHECK_EQ(-1, access("made", F_OK));
}

ATF_TC_WITHOUT_HEAD(path_lookup);
ATF_TC_BODY(path_lookup, tc)
{
	char *argv0[] = { NULL };
	char *with[] = { strdup("PATH=/none:d1:d2"), NULL };
	char *without[] = { strdup("A=b"), NULL };
	struct msg_exec m;
	struct answer a;

	ATF_REQUIRE(mkdir("d1", 0755) == 0 && mkdir("d2", 0755) == 0);
	file("d1/prog", "#!/bin/sh\necho one\n", 0644);
	file("d2/prog", "#!/bin/sh\necho two\n", 0755);
	file("d1/other", "#!/bin/sh\necho other $0\n", 0755);

	/* env's PATH, past an entry without and one not executable. */
	memset(&m, 0, sizeof(m));
	m.capture = CAPTURE_STDOUT;
	m.path = "prog";
	m.argv = argv0;
	m.envp = with;
	run(tc, &m, &a);
	ATF_CHECK_STREQ("two\n", a.out);

	/* No PATH in env: the agent's own. */
	ATF_REQUIRE(setenv("PATH", "d1:/bin", 1) == 0);
	m.argc = m.envc = 0;
	m.path = "other";
	m.envp = without;
	run(tc, &m, &a);
	ATF_CHECK_STREQ("other d1/other\n", a.out);

	/* None at all. */
	ATF_REQUIRE(unsetenv("PATH") == 0);
	m.argc = m.envc = 0;
	m.path = "true";
	m.envp = without;
	run(tc, &m, &a);
	ATF_CHECK_EQ(0, a.r.code);
}

ATF_TC_WITHOUT_HEAD(environment);
ATF_TC_BODY(environment, tc)
{
	char *env[] = { strdup("ONE=1"), strdup("TWO=with space=x"), NULL };
	char *none[] = { NULL };
	struct msg_exec m;
	struct answer a;

	memset(&m, 0, sizeof(m));
	m.capture = CAPTURE_STDOUT;
	m.path = "/usr/bin/env";
	m.envp = env;
	run(tc, &m, &a);
	ATF_CHECK_STREQ("ONE=1\nTWO=with space=x\n", a.out);

	/* Given and empty: nothing. */
	m.argc = m.envc = 0;
	m.envp = none;
	run(tc, &m, &a);
	ATF_CHECK_STREQ("", a.out);

	/* Not given: the agent's. */
	ATF_REQUIRE(setenv("QGAD_TEST", "seen", 1) == 0);
	run_shell(tc, "echo $QGAD_TEST", CAPTURE_STDOUT, &a);
	ATF_CHECK_STREQ("seen\n", a.out);
}

ATF_TC_WITHOUT_HEAD(input);
ATF_TC_BODY(input, tc)
{
	struct worker w;
	struct msg_exec m;
	struct answer a;
	int sp[2];

	/* More than a pipe and a socket hold, read late by the job. */
	open_worker(&w, tc, "5");
	memset(&m, 0, sizeof(m));
	m.path = "/usr/bin/cksum";
	m.capture = CAPTURE_STDOUT;
	m.hasinput = 1;
	m.input = 3 * 65536;
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
	/* One byte more than announced is not the job's. */
	feeder(sp[0], (size_t)m.input + 1, (size_t)m.input + 1);
	close(sp[0]);
	ask(&w, &m, sp[1]);
	(void)started(&w, NULL, 0);
	ended(&w, &a);
	fetch(&w, &a, 8);
	/* for i in 1 2 3; do yes abc...z | tr -d '\n' | head -c 65536; done */
	ATF_CHECK_STREQ("2063197337 196608\n", a.out);
	close_worker(&w);

	/* Given and empty: the end at once, from a pipe. */
	open_worker(&w, tc, "5");
	memset(&m, 0, sizeof(m));
	m.path = "/bin/cat";
	m.hasinput = 1;
	ask(&w, &m, -1);
	(void)started(&w, NULL, 0);
	ended(&w, &a);
	ATF_CHECK_EQ(0, a.r.code);
	close_worker(&w);
}

ATF_TC_WITHOUT_HEAD(input_unread);
ATF_TC_BODY(input_unread, tc)
{
	char *argv[] = { strdup("-c"),
	    strdup("until test -e go; do sleep 0.02; done; echo done"), NULL };
	struct worker w;
	struct msg_exec m;
	struct answer a;
	int sp[2];

	open_worker(&w, tc, "5");
	memset(&m, 0, sizeof(m));
	m.path = "/bin/sh";
	m.argv = argv;
	m.capture = CAPTURE_STDOUT;
	m.hasinput = 1;
	m.input = 48 * 1024 * 1024;
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
	feeder(sp[0], (size_t)m.input, (size_t)m.input);
	close(sp[0]);
	ask(&w, &m, sp[1]);
	(void)started(&w, NULL, 0);
	file("go", "", 0644);
	ended(&w, &a);
	fetch(&w, &a, 8);
	ATF_CHECK_STREQ("done\n", a.out);
	close_worker(&w);
}

ATF_TC_WITHOUT_HEAD(input_short);
ATF_TC_BODY(input_short, tc)
{
	char *argv[] = { strdup("made"), NULL };
	char text[512];
	struct worker w;
	struct msg_exec m;
	int sp[2];

	open_worker(&w, tc, "5");
	memset(&m, 0, sizeof(m));
	m.path = "touch";
	m.argv = argv;
	m.hasinput = 1;
	m.input = 1000;
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
	ATF_REQUIRE(write(sp[0], "short", 5) == 5);
	close(sp[0]);
	ask(&w, &m, sp[1]);
	ATF_CHECK_EQ(0, started(&w, text, sizeof(text)));
	ATF_CHECK(strstr(text, "touch") != NULL);
	ATF_CHECK_EQ(0, driver_wait(&w));
	ATF_CHECK_EQ(-1, access("made", F_OK));
}

ATF_TC_WITHOUT_HEAD(output_bound);
ATF_TC_BODY(output_bound, tc)
{
	struct answer a;

	run_shell(tc, "head -c " MAXOUT " /dev/zero;"
	    "head -c 65535 /dev/zero >&2", CAPTURE_SEPARATED, &a);
	ATF_CHECK_EQ(MAXOUTN, a.r.out);
	ATF_CHECK_EQ(0, a.r.outcut);
	ATF_CHECK_EQ(MAXOUTN - 1, a.r.err);
	ATF_CHECK_EQ(0, a.r.errcut);

	/* The job is not held up by what nobody keeps. */
	run_shell(tc, "head -c 65537 /dev/zero; printf last >&2;"
	    "head -c 3000000 /dev/zero >&2; exit 4", CAPTURE_SEPARATED, &a);
	ATF_CHECK_EQ(4, a.r.code);
	ATF_CHECK_EQ(MAXOUTN, a.r.out);
	ATF_CHECK_EQ(1, a.r.outcut);
	ATF_CHECK_EQ(MAXOUTN, a.r.err);
	ATF_CHECK_EQ(1, a.r.errcut);
	ATF_CHECK_STREQ("last", a.err);
}

ATF_TC_WITHOUT_HEAD(pipe_held);
ATF_TC_BODY(pipe_held, tc)
{
	struct worker w;
	struct answer a;
	pid_t pid, left;

	open_worker(&w, tc, "1");
	pid = shell(&w, "sh -c 'echo $$; until test -e go; do sleep 0.02; "
	    "done; head -c 200000 /dev/zero; touch late; exec sleep 600' & "
	    "until test -s go || test -e ready; do touch ready; sleep 0.1; "
	    "done; exit 5", CAPTURE_STDOUT);
	ended(&w, &a);
	ATF_CHECK_EQ(5, a.r.code);
	fetch(&w, &a, 8);
	left = (pid_t)atoi(a.out);
	ATF_REQUIRE(left > 1);
	/* The pid is still the job's: nobody else can get it. */
	ATF_CHECK_STREQ("Z (zombie)\n", status_line(pid, "State:"));
	/* What stayed behind can go on writing, and changes nothing. */
	file("go", "", 0644);
	wait_for_file("late");
	fetch(&w, &a, 9);
	ATF_CHECK_EQ(left, atoi(a.out));
	close_worker(&w);
	ATF_CHECK_EQ(-1, kill(pid, 0));
	ATF_CHECK_EQ(0, kill(left, SIGKILL));
}

ATF_TC_WITHOUT_HEAD(output_wait_none);
ATF_TC_BODY(output_wait_none, tc)
{
	struct worker w;
	struct answer a;
	int i;

	/* What the job itself wrote is there, also with no patience. */
	for (i = 0; i < 20; i++) {
		open_worker(&w, tc, "0");
		(void)shell(&w, "head -c 65000 /dev/zero", CAPTURE_STDOUT);
		ended(&w, &a);
		ATF_CHECK_EQ(65000, a.r.out);
		close_worker(&w);
	}
}

ATF_TC_WITHOUT_HEAD(killed);
ATF_TC_BODY(killed, tc)
{
	struct answer a;

	run_shell(tc, "echo before; kill -9 $$", CAPTURE_STDOUT, &a);
	ATF_CHECK_EQ(1, a.r.signaled);
	ATF_CHECK_EQ(SIGKILL, a.r.code);
	ATF_CHECK_STREQ("before\n", a.out);
}

ATF_TC_WITHOUT_HEAD(view);
ATF_TC_BODY(view, tc)
{
	char cwd[512], want[2048];
	struct rlimit rl;
	struct answer a;

	ATF_REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	rl.rlim_cur = 256;
	rl.rlim_max = 512;
	ATF_REQUIRE(setrlimit(RLIMIT_NOFILE, &rl) == 0);
	ATF_REQUIRE(getrlimit(RLIMIT_CORE, &rl) == 0);
	/* Sanitizers set it to 0 themselves. */
	rl.rlim_cur = 1024;
	if (rl.rlim_max == 0 || strcmp(atf_tc_get_config_var_wd(tc,
	    "sanitized", "no"), "yes") == 0)
		rl.rlim_cur = rl.rlim_max = 0;
	ATF_REQUIRE(setrlimit(RLIMIT_CORE, &rl) == 0);
	spoil();
	run_shell(tc, view_script, CAPTURE_STDOUT, &a);
	snprintf(want, sizeof(want), "SigBlk:0000000000000000"
	    "SigIgn:00000000000000000022\n0\nleader\n"
	    "%d\n256\n%s\n/dev/null\n%d\nCapBnd:\t%sNoNewPrivs:\t0\n"
	    "Seccomp:\t%s", rl.rlim_cur == 0 ? 0 : 2, cwd, (int)geteuid(),
	    strdup(status_line(getpid(), "CapBnd:")),
	    strdup(status_line(getpid(), "Seccomp:")));
	ATF_CHECK_STREQ(want, a.out);
}

/*
 * Without the defences the same script sees other things, else the test
 * above would prove nothing.
 */
ATF_TC_WITHOUT_HEAD(view_control);
ATF_TC_BODY(view_control, tc)
{
	char command[1024], dir[1024], *p;
	struct answer a;
	FILE *fp;

	/* CLOSEFROM, JOBRESET, SETSID of control.h */
	snprintf(command, sizeof(command), "sh %s/../common/variant.sh "
	    "job-control 0xe00", atf_tc_get_config_var(tc, "srcdir"));
	ATF_REQUIRE((fp = popen(command, "r")) != NULL);
	ATF_REQUIRE(fgets(dir, sizeof(dir), fp) != NULL);
	ATF_REQUIRE_EQ(0, pclose(fp));
	ATF_REQUIRE((p = strrchr(dir, '/')) != NULL);
	ATF_REQUIRE_STREQ("/root\n", p);
	snprintf(p, sizeof(dir) - (size_t)(p - dir), "/workers");
	ATF_REQUIRE(setenv("QGAD_WORKERS", dir, 1) == 0);
	spoil();
	run_shell(tc, view_script, CAPTURE_STDOUT, &a);
	ATF_CHECK(strstr(a.out, "SigIgn:0000000000000000") == NULL);
	ATF_CHECK(strstr(a.out, "0077\n") != NULL);
	ATF_CHECK(strstr(a.out, "fd 9\n") != NULL);
	ATF_CHECK(strstr(a.out, "leader\n") == NULL);
}

ATF_TC(confined);
ATF_TC_HEAD(confined, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(confined, tc)
{
	char ids[128];
	struct worker w;
	struct answer a;
	pid_t pid;
	int uid;

	if ((uid = atoi(driver_ids())) == 0)
		atf_tc_skip("there is no user _qgadw");
	open_worker(&w, tc, "5");
	snprintf(ids, sizeof(ids), "\t%d\t%d\t%d\t%d\n", uid, uid, uid,
	    uid);
	/* From its hello on, before it has a job. */
	ATF_CHECK_STREQ(ids, status_line(w.pid, "Uid"));
	ATF_CHECK_STREQ("\t2\n", status_line(w.pid, "Seccomp"));
	pid = shell(&w, "until test -e go; do sleep 0.02; done; exit 6",
	    CAPTURE_SEPARATED);
	ATF_CHECK_STREQ("\t0\t0\t0\t0\n", status_line(pid, "Uid"));
	file("go", "", 0644);
	/* It sees the end of a child of another uid. */
	ended(&w, &a);
	ATF_CHECK_EQ(6, a.r.code);
	ATF_CHECK_STREQ(ids, status_line(w.pid, "Uid"));
	ATF_CHECK_STREQ("\t0000000000000000\n", status_line(w.pid, "CapBnd"));
	ATF_CHECK_STREQ("\t2\n", status_line(w.pid, "Seccomp"));
	ATF_CHECK_STREQ("\t1\n", status_line(w.pid, "NoNewPrivs"));
	close_worker(&w);
}

ATF_TC_WITHOUT_HEAD(monitor_dies);
ATF_TC_BODY(monitor_dies, tc)
{
	struct worker w;

	open_worker(&w, tc, "1");
	(void)shell(&w, "echo before; until test -e go; do sleep 0.02; done;"
	    "head -c 3000000 /dev/zero && echo all >&2 && touch done",
	    CAPTURE_SEPARATED);
	driver_close(&w);
	file("go", "", 0644);
	/* More than a pipe holds: it was read, and no SIGPIPE came. */
	wait_for_file("done");
	ATF_CHECK_EQ(0, driver_wait(&w));
}

ATF_TC_WITHOUT_HEAD(monitor_dies_input);
ATF_TC_BODY(monitor_dies_input, tc)
{
	char *argv[] = { strdup("-c"),
	    strdup("until test -e go; do sleep 0.02; done;"
	    "wc -c >count; mv count done"), NULL };
	char buf[32];
	struct worker w;
	struct msg_exec m;
	int fd, sp[2];

	/* The job has been promised its input. */
	open_worker(&w, tc, "1");
	memset(&m, 0, sizeof(m));
	m.path = "sh";
	m.argv = argv;
	m.hasinput = 1;
	m.input = 1000000;
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
	feeder(sp[0], (size_t)m.input, (size_t)m.input);
	close(sp[0]);
	ask(&w, &m, sp[1]);
	(void)started(&w, NULL, 0);
	driver_close(&w);
	file("go", "", 0644);
	wait_for_file("done");
	memset(buf, 0, sizeof(buf));
	ATF_REQUIRE((fd = open("done", O_RDONLY)) != -1);
	ATF_REQUIRE(read(fd, buf, sizeof(buf) - 1) > 0);
	ATF_CHECK_STREQ("1000000\n", buf);
	ATF_CHECK_EQ(0, driver_wait(&w));
}

ATF_TC_WITHOUT_HEAD(send_replaced);
ATF_TC_BODY(send_replaced, tc)
{
	struct msg_exec_send m;
	struct msg_done done;
	struct imsg imsg;
	struct worker w;
	struct answer a;
	int sp[2];

	open_worker(&w, tc, "5");
	(void)shell(&w, "head -c 60000 /dev/zero; head -c 60000 /dev/zero >&2",
	    CAPTURE_SEPARATED);
	ended(&w, &a);
	memset(&m, 0, sizeof(m));
	/* More than there is. */
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
	m.id = 20;
	m.out = a.r.out + 1;
	ATF_REQUIRE_EQ(0, msg_send_exec_send(&w.ib, &m, sp[1]));
	driver_flush(&w);
	driver_expect(&w, &imsg, MSG_DONE);
	ATF_REQUIRE_EQ(0, msg_recv_done(&imsg, &done));
	ATF_CHECK_EQ(20, done.id);
	ATF_CHECK_EQ(0, done.ok);
	imsg_free(&imsg);
	close(sp[0]);
	/* One whose reader has gone ends with an error. */
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
	close(sp[0]);
	m.id = 21;
	m.out = a.r.out;
	ATF_REQUIRE_EQ(0, msg_send_exec_send(&w.ib, &m, sp[1]));
	driver_flush(&w);
	driver_expect(&w, &imsg, MSG_DONE);
	ATF_REQUIRE_EQ(0, msg_recv_done(&imsg, &done));
	ATF_CHECK_EQ(21, done.id);
	ATF_CHECK_EQ(0, done.ok);
	imsg_free(&imsg);
	/* One that nobody reads gives way to the next, which is whole. */
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
	ATF_REQUIRE(setsockopt(sp[1], SOL_SOCKET, SO_SNDBUF, &(int){ 4096 },
	    sizeof(int)) == 0);
	m.id = 22;
	m.err = a.r.err;
	ATF_REQUIRE_EQ(0, msg_send_exec_send(&w.ib, &m, sp[1]));
	fetch(&w, &a, 23);
	close(sp[0]);
	close_worker(&w);
}

ATF_TC_WITHOUT_HEAD(spare);
ATF_TC_BODY(spare, tc)
{
	const char *args[] = { MAXOUT, "5", NULL };
	struct msg_request m;
	struct worker w;
	int settled;

	/* Never used. */
	open_worker(&w, tc, "5");
	close_worker(&w);
	/* The monitor has gone before it read the hello. */
	driver_start(&w, atf_tc_get_config_var(tc, "srcdir"), PROGRAM,
	    driver_ids(), args);
	settled = poll(&(struct pollfd){ w.fd, POLLIN, 0 }, 1, 60000);
	ATF_CHECK_EQ(1, settled);
	close_worker(&w);
	/* A message that starts no job. */
	open_worker(&w, tc, "5");
	memset(&m, 0, sizeof(m));
	m.id = 1;
	ATF_REQUIRE_EQ(0, msg_send_request(&w.ib, MSG_QUERY, &m));
	driver_flush(&w);
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
	/* Arguments that are no numbers. */
	args[1] = "5s";
	driver_start(&w, atf_tc_get_config_var(tc, "srcdir"), PROGRAM,
	    driver_ids(), args);
	ATF_CHECK_EQ(1, driver_wait(&w));
	driver_close(&w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, separated);
	ATF_TP_ADD_TC(tp, capture_modes);
	ATF_TP_ADD_TC(tp, not_executable);
	ATF_TP_ADD_TC(tp, path_lookup);
	ATF_TP_ADD_TC(tp, environment);
	ATF_TP_ADD_TC(tp, input);
	ATF_TP_ADD_TC(tp, input_unread);
	ATF_TP_ADD_TC(tp, input_short);
	ATF_TP_ADD_TC(tp, output_bound);
	ATF_TP_ADD_TC(tp, output_wait_none);
	ATF_TP_ADD_TC(tp, pipe_held);
	ATF_TP_ADD_TC(tp, killed);
	ATF_TP_ADD_TC(tp, view);
	ATF_TP_ADD_TC(tp, view_control);
	ATF_TP_ADD_TC(tp, confined);
	ATF_TP_ADD_TC(tp, monitor_dies);
	ATF_TP_ADD_TC(tp, monitor_dies_input);
	ATF_TP_ADD_TC(tp, send_replaced);
	ATF_TP_ADD_TC(tp, spare);
	return (atf_no_error());
}
