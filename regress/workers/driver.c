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
#include <sys/socket.h>
#include <sys/wait.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "driver.h"
#include "../common/kyuasig.h"
#include "log.h"
#include "messages.h"

#define PATIENCE	60	/* seconds; a bound, not a measure */
#define ARGS_MAX	16

static pid_t	 start(struct worker *);

static char	 last_log[LOG_LINE], whole_log[128 * 1024];

const char *
driver_ids(void)
{
	static char ids[64];
	const char *env;
	struct passwd *pw;

	if ((env = getenv("QGAD_IDS")) != NULL)
		return (env);
	if (geteuid() != 0 || (pw = getpwnam("_qgadw")) == NULL)
		return ("-");
	snprintf(ids, sizeof(ids), "%lu:%lu", (unsigned long)pw->pw_uid,
	    (unsigned long)pw->pw_gid);
	return (ids);
}

/* 0 in the child, which has its end on fd 3. */
static pid_t
start(struct worker *w)
{
	int sp[2];

	last_log[0] = whole_log[0] = '\0';
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sp) == 0);
	ATF_REQUIRE(fcntl(sp[0], F_SETFD, FD_CLOEXEC) == 0);
	ATF_REQUIRE(fcntl(sp[0], F_SETFL, O_NONBLOCK) == 0);
	ATF_REQUIRE((w->pid = fork()) != -1);
	if (w->pid == 0) {
		close(sp[0]);
		if (sp[1] != 3) {
			if (dup2(sp[1], 3) == -1)
				_exit(99);
			close(sp[1]);
		}
		return (0);
	}
	close(sp[1]);
	w->fd = sp[0];
	ATF_REQUIRE(imsgbuf_init(&w->ib, w->fd) == 0);
	ATF_REQUIRE(imsgbuf_set_maxsize(&w->ib, MSG_SIZE_MAX) == 0);
	return (w->pid);
}

void
driver_start(struct worker *w, const char *dir, const char *name,
    const char *ids, const char *const *args)
{
	const char *argv[ARGS_MAX], *env;
	char path[1024];
	int n = 0;

	if ((env = getenv("QGAD_WORKERS")) != NULL)
		snprintf(path, sizeof(path), "%s/%s", env, name);
	else
		snprintf(path, sizeof(path), "%s/../../workers/%s", dir, name);
	if (access(path, X_OK) == -1)
		atf_tc_fail("%s: %s", path, strerror(errno));
	if (start(w) != 0)
		return;
	kyua_signals();
	argv[n++] = path;
	argv[n++] = "--worker";
	argv[n++] = ids;
	argv[n++] = "2";
	while (*args != NULL && n < ARGS_MAX - 1)
		argv[n++] = *args++;
	argv[n] = NULL;
	execv(path, (char *const *)(uintptr_t)argv);
	_exit(99);
}

void
driver_call(struct worker *w, int (*mainfn)(int, char **), const char *ids)
{
	char *argv[5];

	if (start(w) != 0)
		return;
	kyua_signals();
	/* Copies: a process title may be written over them. */
	argv[0] = strdup("worker");
	argv[1] = strdup("--worker");
	argv[2] = strdup(ids);
	argv[3] = strdup("2");
	argv[4] = NULL;
	exit(mainfn(4, argv));
}

int
driver_get(struct worker *w, struct imsg *imsg)
{
	struct msg_log line;
	struct pollfd pfd;
	int n;

	for (;;) {
		while ((n = imsgbuf_get(&w->ib, imsg)) == 1) {
			ATF_REQUIRE_EQ(0, msg_check(imsg));
			if (imsg_get_type(imsg) != MSG_LOG)
				return (1);
			ATF_REQUIRE_EQ(0, msg_recv_log(imsg, &line));
			fprintf(stderr, "worker: %s\n", line.line);
			snprintf(last_log, sizeof(last_log), "%s", line.line);
			strlcat(whole_log, line.line, sizeof(whole_log));
			strlcat(whole_log, "\n", sizeof(whole_log));
			imsg_free(imsg);
		}
		ATF_REQUIRE_EQ(0, n);
		memset(&pfd, 0, sizeof(pfd));
		pfd.fd = w->fd;
		pfd.events = POLLIN;
		if (poll(&pfd, 1, PATIENCE * 1000) != 1)
			atf_tc_fail("the worker says nothing");
		n = imsgbuf_read(&w->ib);
		if (n == 0 || (n == -1 && errno == ECONNRESET))
			return (0);
		ATF_REQUIRE_EQ(1, n);
	}
}

void
driver_expect(struct worker *w, struct imsg *imsg, unsigned int type)
{
	if (driver_get(w, imsg) == 0)
		atf_tc_fail("end of file in place of %s", msg_name(type));
	ATF_REQUIRE_STREQ(msg_name(type), msg_name(imsg_get_type(imsg)));
}

void
driver_flush(struct worker *w)
{
	struct pollfd pfd;

	for (;;) {
		ATF_REQUIRE_EQ(0, imsgbuf_write(&w->ib));
		if (imsgbuf_queuelen(&w->ib) == 0)
			return;
		memset(&pfd, 0, sizeof(pfd));
		pfd.fd = w->fd;
		pfd.events = POLLOUT;
		if (poll(&pfd, 1, PATIENCE * 1000) != 1)
			atf_tc_fail("the worker does not read");
	}
}

void
driver_close(struct worker *w)
{
	if (w->fd == -1)
		return;
	imsgbuf_clear(&w->ib);
	close(w->fd);
	w->fd = -1;
}

int
driver_wait(struct worker *w)
{
	struct timespec nap = { 0, 10000000 };
	int i, status;
	pid_t pid;

	for (i = 0; i < PATIENCE * 100; i++) {
		if ((pid = waitpid(w->pid, &status, WNOHANG)) == w->pid)
			return (WIFEXITED(status) ? WEXITSTATUS(status) : -1);
		ATF_REQUIRE_EQ(0, pid);
		nanosleep(&nap, NULL);
	}
	kill(w->pid, SIGKILL);
	atf_tc_fail("the worker does not end");
}

const char *
driver_last_log(void)
{
	return (last_log);
}

const char *
driver_log(void)
{
	return (whole_log);
}
