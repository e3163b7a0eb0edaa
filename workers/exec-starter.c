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
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec.h"
#include "imsg.h"
#include "job.h"
#include "log.h"
#include "messages.h"
#include "runas.h"

static int	 take_exec(struct imsgbuf *, struct imsg *, struct imsg *);
static void	 job_of(struct job_start *, const struct msg_exec *,
		    const int *);
static int	 under_rule(struct runas *, struct msg_exec_rule *,
		    struct imsg *, const struct msg_exec *, struct order *);
static void	 give_order(struct order *, const struct msg_exec *, int, int,
		    int);
static void	 give(int, void *, size_t, int);
static const char *search_path(const struct msg_exec *);

extern char **environ;

/*
 * Its words would mix with the relay's on one socket: it has none.  What
 * goes wrong the relay sees from its end, or from the errno it leaves.
 */
void
starter(struct imsgbuf *ib, const int *ends, int control)
{
	struct job_start js;
	struct msg_exec exec;
	struct msg_exec_rule rule;
	struct runas as;
	struct order order;
	struct imsg imsg, imsgrule;
	int fd, guard = -1, ruled;
	char go;

	log_set_sink(NULL);
	setproctitle("exec-starter");
	ruled = take_exec(ib, &imsgrule, &imsg);
	if (msg_recv_exec(&imsg, &exec) == -1)
		fatalx("bad message: %s", msg_name(MSG_EXEC));
	fd = imsg_get_fd(&imsg);
	if ((exec.input > 0) != (fd != -1) || (exec.input > 0 &&
	    !exec.hasinput) || exec.input > SIZE_MAX / 2)
		fatalx("bad message: %s", msg_name(MSG_EXEC));
	memset(&order, 0, sizeof(order));
	order.output = EXEC_FREE;
	if (ruled) {
		guard = under_rule(&as, &rule, &imsgrule, &exec, &order);
		exec.path = rule.program;
	}
	job_of(&js, &exec, ends);
	if (ruled) {
		js.search = NULL;
		js.envp = as.envp;
		js.become = runas_become;
		js.arg = &as;
	}
	give_order(&order, &exec, control, fd, guard);
	if (order.why[0] != '\0')
		_exit(1);
	/* A job must not start with half of its input. */
	if (exec.input > 0 && read(control, &go, 1) != 1)
		_exit(1);
	job_exec(&js, control);
}

/* The message, before which its rule may come: 1. */
static int
take_exec(struct imsgbuf *ib, struct imsg *rule, struct imsg *exec)
{
	int ruled = 0;

	job_message(ib, exec);
	if (imsg_get_type(exec) == MSG_EXEC_RULE) {
		*rule = *exec;
		ruled = 1;
		job_message(ib, exec);
	}
	if (imsg_get_type(exec) != MSG_EXEC || msg_check(exec) == -1 ||
	    (ruled && msg_check(rule) == -1))
		fatalx("bad message: %s", msg_name(imsg_get_type(exec)));
	return (ruled);
}

static void
job_of(struct job_start *js, const struct msg_exec *exec, const int *ends)
{
	char **argv;
	int in, out;

	if ((argv = calloc((size_t)exec->argc + 2, sizeof(*argv))) == NULL ||
	    (in = open("/dev/null", O_RDONLY | O_CLOEXEC)) == -1 ||
	    (out = open("/dev/null", O_WRONLY | O_CLOEXEC)) == -1)
		fatal("/dev/null");
	argv[0] = (char *)(uintptr_t)exec->path;
	if (exec->argc > 0)
		memcpy(argv + 1, exec->argv, exec->argc * sizeof(*argv));
	memset(js, 0, sizeof(*js));
	js->path = exec->path;
	js->search = search_path(exec);
	js->argv = argv;
	js->envp = exec->hasenv ? exec->envp : environ;
	js->fd[0] = exec->hasinput ? ends[0] : in;
	js->fd[1] = exec->capture == CAPTURE_NONE ||
	    exec->capture == CAPTURE_STDERR ? out : ends[1];
	js->fd[2] = exec->capture == CAPTURE_MERGED ? ends[1] :
	    exec->capture == CAPTURE_STDERR ||
	    exec->capture == CAPTURE_SEPARATED ? ends[2] : out;
}

/* Returns the relay's end of the guard's pipe, -1: no guard. */
static int
under_rule(struct runas *as, struct msg_exec_rule *rule, struct imsg *imsg,
    const struct msg_exec *exec, struct order *order)
{
	int pair[2];

	if (msg_recv_exec_rule(imsg, rule) == -1)
		fatalx("bad message: %s", msg_name(MSG_EXEC_RULE));
	if (runas_init(as, rule, exec, order->why, sizeof(order->why)) == -1) {
		order->refused = (uint32_t)as->refused;
		return (-1);
	}
	order->output = rule->output;
	if (rule->time == EXEC_FREE)
		return (-1);
	if (pipe2(pair, O_CLOEXEC) == -1) {
		snprintf(order->why, sizeof(order->why), "pipe: %s",
		    strerror(errno));
		return (-1);
	}
	as->guard = pair[0];
	return (pair[1]);
}

static void
give_order(struct order *order, const struct msg_exec *exec, int control,
    int fd, int guard)
{
	size_t n;

	order->id = exec->id;
	order->input = exec->input;
	order->capture = exec->capture;
	order->hasinput = exec->hasinput;
	order->guarded = guard != -1;
	/* Not cut within a character. */
	if ((n = strlen(exec->path)) > SHOWN_PATH) {
		n = SHOWN_PATH;
		while (n > 0 && ((unsigned char)exec->path[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(order->path, exec->path, n);
	give(control, order, sizeof(*order), fd);
	if (guard != -1)
		give(control, (char []){ 0 }, 1, guard);
}

static void
give(int control, void *data, size_t len, int fd)
{
	struct iovec iov;

	iov.iov_base = data;
	iov.iov_len = len;
	if (sendfd(control, &iov, 1, fd) != (ssize_t)len)
		_exit(1);
	if (fd != -1)
		close(fd);
}

static const char *
search_path(const struct msg_exec *exec)
{
	const char *path;
	uint32_t i;

	if (exec->hasenv) {
		for (i = 0; i < exec->envc; i++) {
			if (strncmp(exec->envp[i], "PATH=", 5) == 0)
				return (exec->envp[i] + 5);
		}
	}
	if ((path = getenv("PATH")) != NULL)
		return (path);
	return (JOB_PATH);
}
