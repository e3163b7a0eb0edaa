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
 * qgad-system: ends, suspends, trims, sets.  Runs as root, unconfined as the
 * programs it starts must be, for one order of the monitor, which it carries
 * out by system call; a program is one of a fixed table, by absolute path,
 * with fixed arguments and environment, never a shell.
 * Peers: the monitor on fd 3; with an order that has a result who gets it on
 * fd 4, the frontend or the query worker.  Nothing the host sent gets here
 * but numbers.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "confine.h"
#include "imsg.h"
#include "job.h"
#include "log.h"
#include "messages.h"
#include "system.h"
#include "value.h"

#define OUTPUT_MAX	1024		/* of a program, for the error */
#define LAST_LOOK	(1024 * 1024)	/* more than a pipe holds */

struct run {
	struct imsgbuf	*ib;
	uint64_t	 id;		/* of the request */
	int		 gone;		/* nobody waits for the answer */
	int		 watch;
	pid_t		 pid;
	int		 fd;		/* what the program writes; -1: all read */
	char		 out[OUTPUT_MAX + 1];
	size_t		 len;
	char		 text[OUTPUT_MAX + 256];	/* the error */
};

static int	 o_shutdown(struct run *, struct imsg *,
		    struct value_writer *);
static int	 o_set_time(struct run *, struct imsg *,
		    struct value_writer *);
static int	 o_set_vcpus(struct run *, struct imsg *,
		    struct value_writer *);
static int	 o_set_memory_blocks(struct run *, struct imsg *,
		    struct value_writer *);
static int	 o_fstrim(struct run *, struct imsg *, struct value_writer *);
static int	 o_suspend(struct run *, struct imsg *, struct value_writer *);
static int	 o_smart(struct run *, struct imsg *, struct value_writer *);
static void	 malformed(const struct imsg *) __attribute__((noreturn));
static const struct system_program *choose(unsigned int, char *, size_t);
static int	 executable(const char *);
static int	 suspend_by(struct run *, const struct system_suspend *);
static int	 run_program(struct run *, const struct system_program *,
		    struct job_end *);
static int	 start(struct run *, const struct system_program *);
static void	 wait_for_end(struct run *, struct job_end *);
static void	 monitor_event(struct run *);
static size_t	 output(struct run *);
static void	 explain(struct run *, const struct job_end *, const char *);
static void	 trim(struct run *);

/* 0, or -1 with the reason in text.  value: the frontend gets the result. */
static const struct {
	int	(*carry)(struct run *, struct imsg *, struct value_writer *);
	int	 value;
} orders[MSG_MAX] = {
	[MSG_SHUTDOWN] =	{ o_shutdown,	0 },
	[MSG_SET_TIME] =	{ o_set_time,	0 },
	[MSG_SET_VCPUS] =	{ o_set_vcpus,	1 },
	[MSG_SET_MEMORY_BLOCKS] = { o_set_memory_blocks, 1 },
	[MSG_FSTRIM] =		{ o_fstrim,	1 },
	[MSG_SUSPEND] =		{ o_suspend,	0 },
	[MSG_SMART] =		{ o_smart,	0 },
};

int
main(int argc, char *argv[])
{
	struct imsgbuf ib;
	struct imsg imsg;
	struct ids ids;
	struct run run;
	struct value_writer w;
	uint32_t type;
	int failed;

	child_start(ROLE_SYSTEM, argc, argv, &ib, &ids);
	memset(&run, 0, sizeof(run));
	run.ib = &ib;
	run.fd = -1;
	if ((run.watch = job_watch()) == -1)
		fatal("pipe");
	confine(ROLE_SYSTEM, &ids);
	child_ready(ROLE_SYSTEM, &ib);

	job_message(&ib, &imsg);
	type = imsg_get_type(&imsg);
	if (type >= MSG_MAX || orders[type].carry == NULL ||
	    msg_check(&imsg) == -1)
		malformed(&imsg);
	value_start(&w, VALUE_SIZE);
	failed = orders[type].carry(&run, &imsg, &w) == -1;
	imsg_free(&imsg);
	if (run.gone)
		return (0);
	if (orders[type].value)
		answer_value(&ib, run.id, &w, failed, run.text);
	else
		answer_done(&ib, run.id, failed ? DONE_FAILED : DONE_OK,
		    failed ? run.text : "");
	return (0);
}

static void
malformed(const struct imsg *imsg)
{
	fatalx("bad message: %s", msg_name(imsg_get_type(imsg)));
}

static int
o_set_time(struct run *r, struct imsg *imsg, struct value_writer *w)
{
	struct msg_set_time m;

	(void)w;
	if (msg_recv_set_time(imsg, &m) == -1)
		malformed(imsg);
	r->id = m.id;
	return (system_set_time((int)m.given, m.ns, r->text,
	    sizeof(r->text)));
}

/* How many were done before the first that could not be. */
static int
o_set_vcpus(struct run *r, struct imsg *imsg, struct value_writer *w)
{
	struct msg_units m;
	uint32_t i;

	if (msg_recv_units(imsg, &m) == -1)
		malformed(imsg);
	r->id = m.id;
	for (i = 0; i < m.n; i++)
		if (system_vcpu((int64_t)m.v[i].number, (int)m.v[i].online,
		    r->text, sizeof(r->text)) == -1)
			break;
	value_uint(w, NULL, i);
	i = i == 0 ? m.n : 0;
	msg_units_free(&m);
	return (i == 0 ? 0 : -1);
}

static int
o_set_memory_blocks(struct run *r, struct imsg *imsg, struct value_writer *w)
{
	static const char *const names[BLOCK_RESPONSES] = {
		[BLOCK_SUCCESS] = "success",
		[BLOCK_NOT_FOUND] = "not-found",
		[BLOCK_UNSUPPORTED] = "operation-not-supported",
		[BLOCK_FAILED] = "operation-failed",
	};
	struct msg_units m;
	enum block_response response;
	uint32_t i;
	int error;

	if (msg_recv_units(imsg, &m) == -1)
		malformed(imsg);
	r->id = m.id;
	value_array(w, NULL);
	for (i = 0; i < m.n; i++) {
		response = system_memory_block(m.v[i].number,
		    (int)m.v[i].online, &error);
		value_object(w, NULL);
		value_uint(w, "phys-index", m.v[i].number);
		value_string(w, "response", names[response]);
		if (response != BLOCK_SUCCESS)
			value_int(w, "error-code", error);
		value_close(w);
	}
	value_close(w);
	msg_units_free(&m);
	return (0);
}

static int
o_fstrim(struct run *r, struct imsg *imsg, struct value_writer *w)
{
	struct msg_fstrim m;

	if (msg_recv_fstrim(imsg, &m) == -1)
		malformed(imsg);
	r->id = m.id;
	return (system_fstrim(m.minimum, w, r->text, sizeof(r->text)));
}

/* A socket takes them all at once, or the one that reads them has gone. */
static int
o_smart(struct run *r, struct imsg *imsg, struct value_writer *w)
{
	static struct smart_record v[SMART_MAX];
	size_t n;

	(void)w;
	if (msg_recv_data(imsg, &r->id) == -1)
		malformed(imsg);
	n = system_smart(v) * sizeof(v[0]);
	if (n > 0 && send(CHILD_DATA_FD, v, n, MSG_NOSIGNAL) != (ssize_t)n)
		log_warn("disks' logs");
	return (0);
}

/* qemu-ga's order: what does not work is not the end of it. */
static int
o_suspend(struct run *r, struct imsg *imsg, struct value_writer *w)
{
	const struct system_suspend *ss;
	struct msg_suspend m;
	unsigned int i;
	int done;

	(void)w;
	if (msg_recv_suspend(imsg, &m) == -1)
		malformed(imsg);
	r->id = m.id;
	snprintf(r->text, sizeof(r->text), "the requested suspend mode is "
	    "not supported by the guest");
	for (i = 0; (ss = system_suspend(m.mode, i)) != NULL; i++)
		if (suspend_by(r, ss) == 1)
			return (0);
	if (r->gone)
		return (-1);
	done = system_sleep(m.mode, r->text, sizeof(r->text));
	return (done == 1 ? 0 : -1);
}

/* 1: done; 0: the system cannot that way; -1: it did not work, see text. */
static int
suspend_by(struct run *r, const struct system_suspend *ss)
{
	char name[128] = "the helper program '";
	struct job_end end;
	int error, i;

	if (access(ss->need, F_OK) == -1 || !executable(ss->check.argv[0]) ||
	    !executable(ss->act.argv[0]) ||
	    run_program(r, &ss->check, &end) != 0 || end.signaled ||
	    end.code < ss->yes || end.code > ss->yesmax || r->gone)
		return (0);
	for (i = 0; ss->act.argv[i] != NULL; i++) {
		if (i > 0)
			(void)strlcat(name, " ", sizeof(name));
		(void)strlcat(name, i > 0 ? ss->act.argv[i] :
		    strrchr(ss->act.argv[0], '/') + 1, sizeof(name));
	}
	if ((error = run_program(r, &ss->act, &end)) != 0) {
		snprintf(r->text, sizeof(r->text), "%s' could not be "
		    "executed: %s", name, strerror(error));
		return (-1);
	}
	if (!end.signaled && end.code == 0)
		return (1);
	trim(r);
	snprintf(r->text, sizeof(r->text), "%s' %s (%d)%s%s", name,
	    end.signaled ? "was terminated by a signal" :
	    "returned an unexpected exit status code", end.code,
	    r->len > 0 ? ": " : "", r->out);
	return (-1);
}

static int
o_shutdown(struct run *r, struct imsg *imsg, struct value_writer *w)
{
	static const char failed[] = "child process has failed to shutdown";
	const struct system_program *sp;
	struct msg_shutdown m;
	struct job_end end;
	int error;

	(void)w;
	if (msg_recv_shutdown(imsg, &m) == -1)
		malformed(imsg);
	r->id = m.id;
	if ((sp = choose(m.mode, r->text, sizeof(r->text))) == NULL)
		return (-1);
	if ((error = run_program(r, sp, &end)) != 0) {
		snprintf(r->text, sizeof(r->text), "%s: %s: %s", failed,
		    sp->argv[0], strerror(error));
		return (-1);
	}
	if (!end.signaled && end.code == 0)
		return (0);
	explain(r, &end, failed);
	return (-1);
}

/* The first way whose program is here; NULL: text names what was missed. */
static const struct system_program *
choose(unsigned int mode, char *text, size_t size)
{
	const struct system_program *sp;
	unsigned int i;
	size_t len;

	snprintf(text, size, "no program to shut down with, looked for");
	for (i = 0; (sp = system_shutdown(mode, i)) != NULL; i++) {
		if (executable(sp->argv[0]))
			return (sp);
		len = strlen(text);
		snprintf(text + len, size - len, "%s %s", i == 0 ? "" : ",",
		    sp->argv[0]);
	}
	return (NULL);
}

static int
executable(const char *path)
{
	struct stat st;

	return (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0);
}

/* 0 when it has ended, output in out; or the errno of the exec. */
static int
run_program(struct run *r, const struct system_program *sp,
    struct job_end *end)
{
	int error;

	r->len = 0;
	if ((error = start(r, sp)) != 0) {
		close(r->fd);
		r->fd = -1;
		return (error);
	}
	wait_for_end(r, end);
	job_reap(r->pid);
	if (r->fd != -1)
		close(r->fd);		/* something it left holds it */
	r->fd = -1;
	return (0);
}

/* 0, or an errno. */
static int
start(struct run *r, const struct system_program *sp)
{
	char *argv[SYSTEM_ARGS + 1];
	struct job_start js;
	int error, fds[2], i, null, status;

	memset(&js, 0, sizeof(js));
	for (i = 0; i <= SYSTEM_ARGS; i++)
		argv[i] = (char *)(uintptr_t)sp->argv[i];
	if (pipe2(fds, O_CLOEXEC) == -1 ||
	    fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1)
		fatal("pipe");
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		fatal("/dev/null");
	js.path = argv[0];
	js.argv = argv;
	js.envp = job_environment;
	js.fd[0] = null;
	js.fd[1] = js.fd[2] = fds[1];
	if ((r->pid = job_start(&js, &status)) == -1)
		fatal("fork");
	close(null);
	close(fds[1]);
	r->fd = fds[0];
	if ((error = job_status(status)) != 0)
		job_reap(r->pid);
	return (error);
}

/*
 * The program's own end is what counts: something it left behind may hold
 * the pipe for ever.  A monitor that goes meanwhile is no reason to leave,
 * since a program that writes into a pipe without a reader would die of it.
 */
static void
wait_for_end(struct run *r, struct job_end *end)
{
	struct pollfd pfd[3];
	size_t n, total = 0;
	int ended;

	while ((ended = job_ended(r->pid, end)) == 0) {
		memset(pfd, 0, sizeof(pfd));
		pfd[0].fd = r->gone ? -1 : r->ib->fd;
		pfd[1].fd = r->watch;
		pfd[2].fd = r->fd;
		pfd[0].events = pfd[1].events = pfd[2].events = POLLIN;
		if (poll(pfd, 3, -1) == -1) {
			if (errno == EINTR)
				continue;
			fatal("poll");
		}
		if (pfd[0].revents != 0)
			monitor_event(r);
		if (pfd[1].revents != 0)
			job_noticed(r->watch);
		if (pfd[2].revents != 0)
			(void)output(r);
	}
	if (ended == -1)
		fatal("waitid");
	while (r->fd != -1 && total < LAST_LOOK && (n = output(r)) > 0)
		total += n;
}

/* Nothing may come now, so it can only be the end. */
static void
monitor_event(struct run *r)
{
	struct imsg imsg;

	if (imsgbuf_read(r->ib) != 1 || imsgbuf_get(r->ib, &imsg) != 0)
		r->gone = 1;
}

/* One read; returns its bytes, 0 when there is nothing or the end came. */
static size_t
output(struct run *r)
{
	char scratch[OUTPUT_MAX];
	size_t keep;
	ssize_t n;

	if ((n = read(r->fd, scratch, sizeof(scratch))) == -1 &&
	    (errno == EAGAIN || errno == EINTR))
		return (0);
	if (n <= 0) {
		close(r->fd);
		r->fd = -1;
		return (0);
	}
	keep = OUTPUT_MAX - r->len;
	if ((size_t)n < keep)
		keep = (size_t)n;
	memcpy(r->out + r->len, scratch, keep);
	r->len += keep;
	return ((size_t)n);
}

static void
explain(struct run *r, const struct job_end *end, const char *failed)
{
	trim(r);
	if (*r->out != '\0')
		snprintf(r->text, sizeof(r->text), "%s: %s", failed, r->out);
	else
		snprintf(r->text, sizeof(r->text), "%s: %s %d", failed,
		    end->signaled ? "terminated by signal" : "exit status",
		    end->code);
}

/* To one line without control characters or space around it. */
static void
trim(struct run *r)
{
	size_t i, skip = 0;

	for (i = 0; i < r->len; i++) {
		if ((unsigned char)r->out[i] < ' ' || r->out[i] == 0x7f)
			r->out[i] = ' ';
	}
	while (r->len > 0 && r->out[r->len - 1] == ' ')
		r->len--;
	while (skip < r->len && r->out[skip] == ' ')
		skip++;
	r->len -= skip;
	memmove(r->out, r->out + skip, r->len);
	r->out[r->len] = '\0';
}
