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

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "confine.h"
#include "imsg.h"
#include "job.h"
#include "log.h"
#include "messages.h"
#include "system.h"
#include "tool.h"
#include "value.h"

struct run {
	struct imsgbuf	*ib;
	uint64_t	 id;		/* of the request */
	int		 gone;		/* nobody waits for the answer */
	struct tool	 tool;
	char		 text[TOOL_OUTPUT + 256];	/* the error */
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
static int	 suspend_by(struct run *, const struct system_suspend *);
static void	 run_program(struct run *, const struct system_program *);

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
	enum done how;
	uint32_t type;

	child_start(ROLE_SYSTEM, argc, argv, &ib, &ids);
	memset(&run, 0, sizeof(run));
	run.ib = &ib;
	tool_init();
	confine(ROLE_SYSTEM, &ids);
	child_ready(ROLE_SYSTEM, &ib);

	job_message(&ib, &imsg);
	type = imsg_get_type(&imsg);
	if (type >= MSG_MAX || orders[type].carry == NULL ||
	    msg_check(&imsg) == -1)
		malformed(&imsg);
	value_start(&w, VALUE_SIZE);
	how = orders[type].carry(&run, &imsg, &w) == -1 ? DONE_FAILED :
	    DONE_OK;
	imsg_free(&imsg);
	if (run.gone)
		return (0);
	if (orders[type].value)
		answer_value(&ib, run.id, &w, how, run.text);
	else
		answer_done(&ib, run.id, how, how == DONE_OK ? "" : run.text);
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
	const struct tool *t = &r->tool;
	int i;

	if (access(ss->need, F_OK) == -1 || !tool_there(ss->check.argv[0]) ||
	    !tool_there(ss->act.argv[0]))
		return (0);
	run_program(r, &ss->check);
	if (t->error != 0 || t->end.signaled || t->end.code < ss->yes ||
	    t->end.code > ss->yesmax || r->gone)
		return (0);
	for (i = 0; ss->act.argv[i] != NULL; i++) {
		if (i > 0)
			(void)strlcat(name, " ", sizeof(name));
		(void)strlcat(name, i > 0 ? ss->act.argv[i] :
		    strrchr(ss->act.argv[0], '/') + 1, sizeof(name));
	}
	run_program(r, &ss->act);
	if (t->error != 0) {
		snprintf(r->text, sizeof(r->text), "%s' could not be "
		    "executed: %s", name, strerror(t->error));
		return (-1);
	}
	if (!t->end.signaled && t->end.code == 0)
		return (1);
	snprintf(r->text, sizeof(r->text), "%s' %s (%d)%s%s", name,
	    t->end.signaled ? "was terminated by a signal" :
	    "returned an unexpected exit status code", t->end.code,
	    *t->out != '\0' ? ": " : "", t->out);
	return (-1);
}

static int
o_shutdown(struct run *r, struct imsg *imsg, struct value_writer *w)
{
	static const char failed[] = "child process has failed to shutdown";
	const struct system_program *sp;
	struct msg_shutdown m;

	(void)w;
	if (msg_recv_shutdown(imsg, &m) == -1)
		malformed(imsg);
	r->id = m.id;
	if ((sp = choose(m.mode, r->text, sizeof(r->text))) == NULL)
		return (-1);
	run_program(r, sp);
	tool_explain(&r->tool, failed, r->text, sizeof(r->text));
	return (*r->text == '\0' ? 0 : -1);
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
		if (tool_there(sp->argv[0]))
			return (sp);
		len = strlen(text);
		snprintf(text + len, size - len, "%s %s", i == 0 ? "" : ",",
		    sp->argv[0]);
	}
	return (NULL);
}

/* What came of it is in r->tool. */
static void
run_program(struct run *r, const struct system_program *sp)
{
	memset(&r->tool, 0, sizeof(r->tool));
	r->tool.argv = sp->argv;
	r->tool.input = -1;
	tool_run(&r->tool, r->ib);
	r->gone |= r->tool.gone;
}
