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
 * A frontend in an attacker's hands, for the tests: put in the real one's
 * place, it sends the monitor what the script says and logs what comes back.
 *
 * Peers: the monitor, imsg on descriptor 3.  Root, unconfined, unless the
 * script says "confine": an attacker stronger than the real frontend can
 * become.  Script, log and counters are the files rogue.script, rogue.log,
 * rogue.starts and rogue.attack beside the program.
 *
 * One word with its arguments a line, carried out in order; at the end it
 * goes on logging until the monitor ends it.
 *	once			end the script here, but for the first start
 *	confine			become the frontend's user
 *	probe			log what it is and whom it may signal
 *	hello [wrong]		the hello, or that of another build
 *	wait [SECONDS]		log messages for so long (5)
 *	until NAME [SECONDS]	until such a message has come (10)
 *	reqid N			the next request's id
 *	ask COMMAND, query COMMAND, shutdown-ask
 *	exec PATH [ARG ...]	exec-status PID
 *	channel-end N
 *	raw TYPE SIZE [zero] [fd|mark|stray] [short]
 *				TYPE by name or number; payload 0xff; "mark"
 *				promises a descriptor that does not come,
 *				"stray" sends one that nothing announces,
 *				"short" ends the stream in the payload
 *	bytes N			N bytes of 0xff, no message at all
 *	spam N ask|log		N messages in one go
 *	sweep [all]		every type with every wrong size, see attacks
 *	kill, exit [STATUS]
 * A shutdown is never sent in a form that could be carried out.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "confine.h"
#include "imsg.h"
#include "messages.h"

#define MAX_WORDS	64
#define FD_MARK		0x80000000U	/* in a header's length */
#define HUGE_SIZE	0x7fffff00U
#define VERDICT		3000		/* ms to wait for being ended */
#define NOTHING		UINT32_MAX	/* of pump: no message came */

enum { FD_NO, FD_YES, FD_PROMISED, FD_STRAY };

struct attack {
	uint32_t	 type;
	uint32_t	 size;
	int		 fd;
	int		 early;		/* before the hello */
};

static void	 note(const char *, ...) __attribute__((format(printf, 1, 2)));
static void	 broken(const char *, ...)
		    __attribute__((noreturn, format(printf, 1, 2)));
static void	 ended(void) __attribute__((noreturn));
static int64_t	 now_ms(void);
static void	 beside(char *, size_t, const char *);
static void	 find_home(const char *);
static long	 counter(const char *, long);
static uint32_t	 type_number(const char *);
static uint64_t	 number(const char *);
static enum command_id command_number(const char *);
static void	 send_all(void);
static void	 send_raw(uint32_t, uint32_t, uint32_t, int, int);
static void	 send_bytes(const void *, size_t, int);
static uint32_t	 pump(int, uint32_t);
static void	 got_data(void);
static void	 got(struct imsg *);
static void	 got_policy(struct imsg *);
static void	 got_reply(struct imsg *);
static size_t	 add_attack(struct attack *, uint32_t, uint32_t, int, int);
static size_t	 add_type(struct attack *, uint32_t, int);
static size_t	 attacks(struct attack *, int);
static int	 attack_one(const struct attack *, long, size_t);
static void	 sweep(int);

static void	 do_ask(int, char **);
static void	 do_bytes(int, char **);
static void	 do_channel_end(int, char **);
static void	 do_confine(int, char **);
static void	 do_exec(int, char **);
static void	 do_exec_status(int, char **);
static void	 do_exit(int, char **);
static void	 do_hello(int, char **);
static void	 do_kill(int, char **);
static void	 do_probe(int, char **);
static void	 do_query(int, char **);
static void	 do_raw(int, char **);
static void	 do_reqid(int, char **);
static void	 do_shutdown_ask(int, char **);
static void	 do_spam(int, char **);
static void	 do_sweep(int, char **);
static void	 do_until(int, char **);
static void	 do_wait(int, char **);
static void	 run_script(FILE *, long);

static const struct {
	const char	*word;
	int		 arguments;	/* at least */
	void		(*run)(int, char **);
} words[] = {
	{ "ask",		1,	do_ask },
	{ "bytes",		1,	do_bytes },
	{ "channel-end",	1,	do_channel_end },
	{ "confine",		0,	do_confine },
	{ "exec",		1,	do_exec },
	{ "exec-status",	1,	do_exec_status },
	{ "exit",		0,	do_exit },
	{ "hello",		0,	do_hello },
	{ "kill",		0,	do_kill },
	{ "probe",		0,	do_probe },
	{ "query",		1,	do_query },
	{ "raw",		2,	do_raw },
	{ "reqid",		1,	do_reqid },
	{ "shutdown-ask",	0,	do_shutdown_ask },
	{ "spam",		2,	do_spam },
	{ "sweep",		0,	do_sweep },
	{ "until",		1,	do_until },
	{ "wait",		0,	do_wait },
};

static struct imsgbuf	 ibuf;
static FILE		*logfile;
static char		 home[512];
static const char	*identity;	/* uid:gid, from the monitor */
static uint64_t		 next_id = 1;
static int		 greeted;
static int		 data_fd = -1;	/* of the query worker */

/* --- the log and the other files --- */

static void
note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(logfile, fmt, ap);
	va_end(ap);
	fputc('\n', logfile);
	fflush(logfile);
}

/* The test itself is wrong, or the machine. */
static void
broken(const char *fmt, ...)
{
	FILE *out = logfile == NULL ? stderr : logfile;
	va_list ap;

	fputs("BROKEN: ", out);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
	fflush(out);
	exit(1);
}

static void
ended(void)
{
	note("ended");
	exit(0);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		broken("clock_gettime: %s", strerror(errno));
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void
beside(char *path, size_t size, const char *name)
{
	int n = snprintf(path, size, "%s/%s", home, name);

	if (n < 0 || (size_t)n >= size)
		broken("path too long");
}

static void
find_home(const char *argv0)
{
	ssize_t n;
	char *slash;

	n = readlink("/proc/self/exe", home, sizeof(home) - 1);
	if (n == -1)
		n = snprintf(home, sizeof(home), "%s", argv0);
	if (n <= 0 || (size_t)n >= sizeof(home))
		broken("who am I? %s", argv0);
	home[n] = '\0';
	if ((slash = strrchr(home, '/')) == NULL)
		broken("not a path: %s", home);
	*slash = '\0';
}

/* The number in a file, 0: no file; value >= 0 replaces it. */
static long
counter(const char *name, long value)
{
	char path[600];
	long old = 0;
	FILE *f;

	beside(path, sizeof(path), name);
	if ((f = fopen(path, "r")) != NULL) {
		if (fscanf(f, "%ld", &old) != 1)
			old = 0;
		fclose(f);
	}
	if (value < 0)
		return (old);
	if ((f = fopen(path, "w")) == NULL || fprintf(f, "%ld\n", value) < 0 ||
	    fclose(f) == EOF)
		broken("%s: %s", path, strerror(errno));
	return (old);
}

/* --- sending and receiving --- */

static uint32_t
type_number(const char *name)
{
	uint32_t type;

	for (type = 0; type < MSG_MAX; type++)
		if (strcmp(name, msg_name(type)) == 0)
			return (type);
	return ((uint32_t)number(name));
}

static uint64_t
number(const char *text)
{
	uintmax_t n;
	char *end;

	errno = 0;
	n = strtoumax(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0')
		broken("neither a name nor a number: %s", text);
	return (n);
}

static enum command_id
command_number(const char *name)
{
	int id;

	if ((id = command_lookup(name)) == -1)
		id = (int)number(name);
	return ((enum command_id)id);
}

static void
send_all(void)
{
	struct pollfd pfd;

	while (imsgbuf_queuelen(&ibuf) > 0) {
		if (imsgbuf_write(&ibuf) == -1)
			ended();
		pfd.fd = CHILD_IMSG_FD;
		pfd.events = POLLOUT;
		if (imsgbuf_queuelen(&ibuf) > 0 && poll(&pfd, 1, 20000) == 0)
			broken("the monitor does not read");
	}
}

/* A header of our own making, and size bytes behind it, if they are sane. */
static void
send_raw(uint32_t type, uint32_t size, uint32_t payload, int fill, int fd)
{
	static unsigned char bytes[MSG_SIZE_MAX + 4096];
	struct imsg_hdr hdr;
	int null = -1;

	if (type == MSG_SHUTDOWN)
		fill = 0xff;
	memset(&hdr, 0, sizeof(hdr));
	hdr.type = type;
	hdr.len = size + IMSG_HEADER_SIZE;
	if (fd == FD_YES || fd == FD_PROMISED)
		hdr.len |= FD_MARK;
	memset(bytes, fill, sizeof(bytes));
	memcpy(bytes, &hdr, sizeof(hdr));
	if (payload > MSG_SIZE_MAX)
		payload = 64;
	if ((fd == FD_YES || fd == FD_STRAY) &&
	    (null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		broken("/dev/null: %s", strerror(errno));
	send_all();
	send_bytes(bytes, sizeof(hdr) + payload, null);
	if (null != -1)
		close(null);
}

static void
send_bytes(const void *data, size_t len, int fd)
{
	struct pollfd pfd;
	struct iovec iov;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		/* sendfd(3) only reads what iov points to. */
		iov.iov_base = (void *)(uintptr_t)((const char *)data + done);
		iov.iov_len = len - done;
		n = sendfd(CHILD_IMSG_FD, &iov, 1, done == 0 ? fd : -1);
		if (n >= 0) {
			done += (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			return;		/* pump() sees that we are ended */
		pfd.fd = CHILD_IMSG_FD;
		pfd.events = POLLOUT;
		if (poll(&pfd, 1, 20000) == 0)
			broken("the monitor does not read");
	}
}

/*
 * Log what comes within so many ms (-1: for ever); back at once when it is of
 * the type wanted (NOTHING: any will not do).  The last type, or NOTHING.
 */
static uint32_t
pump(int ms, uint32_t want)
{
	int64_t until = now_ms() + ms, left;
	uint32_t last = NOTHING;
	struct pollfd pfd[2];
	struct imsg imsg;
	int n;

	for (;;) {
		while ((n = imsgbuf_get(&ibuf, &imsg)) == 1) {
			last = imsg_get_type(&imsg);
			got(&imsg);
			imsg_free(&imsg);
			if (last == want)
				return (last);
		}
		if (n == -1)
			broken("the monitor sends garbage: %s",
			    strerror(errno));
		left = ms == -1 ? -1 : until - now_ms();
		if (ms != -1 && left <= 0)
			return (last);
		pfd[0].fd = CHILD_IMSG_FD;
		pfd[1].fd = data_fd;
		pfd[0].events = pfd[1].events = POLLIN;
		if (poll(pfd, 2, (int)left) == -1 && errno != EINTR)
			broken("poll: %s", strerror(errno));
		if (pfd[0].revents != 0 && imsgbuf_read(&ibuf) != 1)
			ended();
		if (pfd[1].revents != 0)
			got_data();
	}
}

static void
got_data(void)
{
	unsigned char block[65536];
	ssize_t n;

	n = read(data_fd, block, sizeof(block));
	if (n == -1 && errno == EAGAIN)
		return;
	if (n > 0) {
		note("got %zd bytes of results", n);
		return;
	}
	note("results ended");
	close(data_fd);
	data_fd = -1;
}

static void
got(struct imsg *imsg)
{
	uint32_t type = imsg_get_type(imsg);
	struct msg_channel channel;
	uint64_t id;
	int fd;

	if (msg_check(imsg) == -1)
		note("got %s (%" PRIu32 "), malformed", msg_name(type), type);
	else if (type == MSG_POLICY)
		got_policy(imsg);
	else if (type == MSG_REPLY)
		got_reply(imsg);
	else if (type == MSG_CHANNEL && msg_recv_channel(imsg, &channel) == 0)
		note("got channel kind %" PRIu32 " newline %" PRIu32,
		    channel.kind, channel.newline);
	else if ((type == MSG_DATA || type == MSG_GO) &&
	    msg_recv_data(imsg, &id) == 0)
		note("got %s id %" PRIu64, msg_name(type), id);
	else
		note("got %s", msg_name(type));
	if ((fd = imsg_get_fd(imsg)) == -1)
		return;
	if (type == MSG_DATA) {
		if (data_fd != -1)
			close(data_fd);
		data_fd = fd;
		return;
	}
	/* A channel stays open: to close it would end it for the host. */
	if (type != MSG_CHANNEL)
		close(fd);
}

static void
got_policy(struct imsg *imsg)
{
	struct msg_policy policy;
	char off[1024] = "";
	size_t len = 0;
	int i;

	if (msg_recv_policy(imsg, &policy) == -1) {
		note("got policy, malformed");
		return;
	}
	for (i = 0; i < CMD_MAX; i++)
		if (!policy.enabled[i] && len < sizeof(off) - 64)
			len += (size_t)snprintf(off + len, sizeof(off) - len,
			    " %s", commands[i].name);
	note("got policy frozen %d disabled%s", policy.frozen,
	    len == 0 ? " none" : off);
}

static void
got_reply(struct imsg *imsg)
{
	static const char *const kinds[REPLY_KINDS] = {
		"empty", "number", "exec", "error", "refused"
	};
	struct msg_reply r;

	if (msg_recv_reply(imsg, &r) == -1) {
		note("got reply, malformed");
		return;
	}
	if (r.kind == REPLY_EXEC)
		note("got reply id %" PRIu64 " exec exited %" PRIu32
		    " signaled %" PRIu32 " code %" PRIu32 " out %" PRIu32
		    " err %" PRIu32, r.id, r.result.exited, r.result.signaled,
		    r.result.code, r.result.out, r.result.err);
	else
		note("got reply id %" PRIu64 " %s number %" PRId64 " text %s",
		    r.id, kinds[r.kind], r.number, r.text);
}

/* --- the sweep --- */

static size_t
add_attack(struct attack *list, uint32_t type, uint32_t size, int fd,
    int early)
{
	list->type = type;
	list->size = size;
	list->fd = fd;
	list->early = early;
	return (1);
}

/*
 * One type with size 0, one short, the shortest, the longest, one more, and
 * a length that nobody has memory for; the same with a descriptor (all) or
 * the shortest with one; the shortest before the hello.  An exec-status of
 * the right size is no attack: any id and pid will do, it is answered.
 */
static size_t
add_type(struct attack *list, uint32_t type, int all)
{
	uint32_t min = 0, max = 0, size[6];
	size_t i, j, n = 0, sizes = 0;

	if (type < MSG_MAX) {
		min = msg_info[type].min;
		max = msg_info[type].max;
	}
	size[sizes++] = 0;
	size[sizes++] = min > 0 ? min - 1 : 0;
	size[sizes++] = min;
	size[sizes++] = max;
	size[sizes++] = max + 1;
	size[sizes++] = HUGE_SIZE;
	for (i = 0; i < sizes; i++) {
		for (j = 0; j < i && size[j] != size[i]; j++)
			;
		if (j < i)
			continue;
		if (type != MSG_EXEC_STATUS || size[i] != min)
			n += add_attack(&list[n], type, size[i], FD_NO, 0);
		if (all || size[i] == min)
			n += add_attack(&list[n], type, size[i], FD_YES, 0);
	}
	n += add_attack(&list[n], type, min, FD_NO, 1);
	return (n);
}

static size_t
attacks(struct attack *list, int all)
{
	uint32_t type;
	size_t n = 0;

	for (type = MSG_NONE; type <= MSG_MAX; type++)
		n += add_type(list + n, type, all);
	n += add_type(list + n, 0xffffffffU, all);
	n += add_attack(&list[n], MSG_QUERY, msg_info[MSG_QUERY].min,
	    FD_PROMISED, 0);
	n += add_attack(&list[n], MSG_QUERY, msg_info[MSG_QUERY].min,
	    FD_STRAY, 0);
	return (n);
}

/* 1: it was sent and we live. */
static int
attack_one(const struct attack *a, long n, size_t total)
{
	static const char *const fds[] = {
		"", " with descriptor", " descriptor promised",
		" descriptor unannounced"
	};
	uint32_t answer;

	if (!a->early && !greeted)
		do_hello(0, NULL);
	if (!a->early)
		(void)pump(10000, MSG_POLICY);
	note("attack %ld of %zu: %s (%" PRIu32 ") size %" PRIu32 "%s%s", n + 1,
	    total, msg_name(a->type), a->type, a->size, fds[a->fd],
	    a->early ? " before hello" : "");
	counter("rogue.attack", n + 1);
	send_raw(a->type, a->size, a->size, 0xff, a->fd);
	answer = pump(VERDICT, NOTHING);
	note("attack %ld survived, %s", n + 1,
	    answer == NOTHING ? "no answer" : msg_name(answer));
	return (1);
}

/*
 * The Nth start makes the Nth attack: the monitor ends us each time.  A test
 * looks for "survived", and for "sweep done".
 */
static void
sweep(int all)
{
	static struct attack list[(MSG_MAX + 2) * 13 + 2];
	size_t total = attacks(list, all);
	long n = counter("rogue.attack", -1);

	if ((size_t)n < total) {
		(void)attack_one(&list[n], n, total);
		exit(0);
	}
	note("sweep done, %zu attacks", total);
	if (!greeted)
		do_hello(0, NULL);
}

/* --- the words --- */

static void
do_hello(int argc, char **argv)
{
	struct msg_hello hello;

	(void)argv;
	memset(&hello, 0, sizeof(hello));
	memcpy(hello.build, build_id, sizeof(hello.build) - 1);
	if (argc > 0)
		memset(hello.build, 'x', sizeof(hello.build) - 1);
	hello.role = ROLE_FRONTEND;
	if (msg_send_hello(&ibuf, &hello) == -1)
		broken("hello: %s", strerror(errno));
	send_all();
	greeted = 1;
	note("sent hello");
}

static void
do_ask(int argc, char **argv)
{
	struct msg_request m;

	(void)argc;
	m.id = next_id++;
	m.command = command_number(argv[0]);
	if (msg_send_request(&ibuf, MSG_ASK, &m) == -1)
		broken("ask: %s", strerror(errno));
	note("sent ask id %" PRIu64 " %s", m.id, argv[0]);
	send_all();
}

static void
do_shutdown_ask(int argc, char **argv)
{
	static char name[] = "guest-shutdown";
	char *words1[] = { name };

	(void)argc;
	(void)argv;
	do_ask(1, words1);
}

static void
do_query(int argc, char **argv)
{
	struct msg_request m;

	(void)argc;
	m.id = next_id++;
	m.command = command_number(argv[0]);
	if (msg_send_request(&ibuf, MSG_QUERY, &m) == -1)
		broken("query: %s", strerror(errno));
	note("sent query id %" PRIu64 " %s", m.id, argv[0]);
	send_all();
}

static void
do_exec(int argc, char **argv)
{
	struct msg_exec m;

	memset(&m, 0, sizeof(m));
	m.id = next_id++;
	m.path = argv[0];
	m.argc = (uint32_t)argc - 1;
	m.argv = argv + 1;
	if (msg_send_exec(&ibuf, &m, -1) == -1)
		broken("exec: %s", strerror(errno));
	note("sent exec id %" PRIu64 " %s", m.id, argv[0]);
	send_all();
}

static void
do_exec_status(int argc, char **argv)
{
	struct msg_exec_status m;

	(void)argc;
	m.id = next_id++;
	m.pid = (int64_t)number(argv[0]);
	if (msg_send_exec_status(&ibuf, &m) == -1)
		broken("exec-status: %s", strerror(errno));
	note("sent exec-status id %" PRIu64 " pid %" PRId64, m.id, m.pid);
	send_all();
}

static void
do_channel_end(int argc, char **argv)
{
	(void)argc;
	if (msg_send_channel_end(&ibuf, (uint32_t)number(argv[0])) == -1)
		broken("channel-end: %s", strerror(errno));
	note("sent channel-end %s", argv[0]);
	send_all();
}

static void
do_raw(int argc, char **argv)
{
	uint32_t type = type_number(argv[0]);
	uint32_t size = (uint32_t)number(argv[1]), payload = size;
	int fd = FD_NO, fill = 0xff, i;

	for (i = 2; i < argc; i++)
		if (strcmp(argv[i], "fd") == 0)
			fd = FD_YES;
		else if (strcmp(argv[i], "mark") == 0)
			fd = FD_PROMISED;
		else if (strcmp(argv[i], "stray") == 0)
			fd = FD_STRAY;
		else if (strcmp(argv[i], "zero") == 0)
			fill = 0;
		else if (strcmp(argv[i], "short") == 0)
			payload = size / 2;
		else
			broken("raw: %s?", argv[i]);
	note("sent raw %s size %s", argv[0], argv[1]);
	send_raw(type, size, payload, fill, fd);
	if (payload != size && shutdown(CHILD_IMSG_FD, SHUT_WR) == -1)
		note("shutdown: %s", strerror(errno));
}

static void
do_bytes(int argc, char **argv)
{
	unsigned char block[4096];
	uint64_t left = number(argv[0]);
	size_t n;

	(void)argc;
	note("sent bytes %s", argv[0]);
	send_all();
	memset(block, 0xff, sizeof(block));
	for (; left > 0; left -= n) {
		n = left < sizeof(block) ? (size_t)left : sizeof(block);
		send_bytes(block, n, -1);
	}
}

static void
do_spam(int argc, char **argv)
{
	static char line[] = "the rogue's line, one of many";
	struct msg_log m = { 0 };
	struct msg_request r;
	uint64_t i, n = number(argv[0]);

	(void)argc;
	m.level = 0;
	m.line = line;
	r.command = CMD_GUEST_PING;
	for (i = 0; i < n; i++) {
		r.id = next_id;
		if (strcmp(argv[1], "log") == 0) {
			if (msg_send_log(&ibuf, MSG_LOG, &m) == -1)
				broken("log: %s", strerror(errno));
		} else {
			next_id++;
			if (msg_send_request(&ibuf, MSG_ASK, &r) == -1)
				broken("ask: %s", strerror(errno));
		}
	}
	note("sent spam %s %s", argv[0], argv[1]);
	/* Replies are read meanwhile, or both would wait for ever. */
	while (imsgbuf_queuelen(&ibuf) > 0) {
		if (imsgbuf_write(&ibuf) == -1)
			ended();
		(void)pump(1, NOTHING);
	}
}

static void
do_confine(int argc, char **argv)
{
	unsigned int uid, gid;

	(void)argc;
	(void)argv;
	if (sscanf(identity, "%u:%u", &uid, &gid) != 2) {
		note("confine: no ids");
		return;
	}
	if (setgroups(0, NULL) == -1 || setgid((gid_t)gid) == -1 ||
	    setuid((uid_t)uid) == -1)
		broken("confine: %s", strerror(errno));
	note("confined to %u:%u", uid, gid);
}

static void
do_probe(int argc, char **argv)
{
	int fd;

	(void)argc;
	(void)argv;
	note("probe uid %ld gid %ld monitor %ld", (long)getuid(),
	    (long)getgid(), (long)getppid());
	note("probe signal to the monitor: %s",
	    kill(getppid(), 0) == 0 ? "allowed" : strerror(errno));
	for (fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1 && fd != fileno(logfile))
			note("probe descriptor %d open", fd);
}

static void
do_reqid(int argc, char **argv)
{
	(void)argc;
	next_id = number(argv[0]);
}

static void
do_sweep(int argc, char **argv)
{
	sweep(argc > 0 && strcmp(argv[0], "all") == 0);
}

static void
do_wait(int argc, char **argv)
{
	(void)pump(argc > 0 ? (int)number(argv[0]) * 1000 : 5000, NOTHING);
	note("waited");
}

static void
do_until(int argc, char **argv)
{
	uint32_t type = type_number(argv[0]);

	if (pump(argc > 1 ? (int)number(argv[1]) * 1000 : 10000, type) != type)
		note("no %s came", argv[0]);
}

static void
do_kill(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	kill(getpid(), SIGKILL);
}

static void
do_exit(int argc, char **argv)
{
	exit(argc > 0 ? (int)number(argv[0]) : 0);
}

static void
run_script(FILE *script, long starts)
{
	char line[4096], *word[MAX_WORDS + 1], *rest;
	size_t i;
	int n;

	while (fgets(line, sizeof(line), script) != NULL) {
		n = 0;
		for (rest = strtok(line, " \t\n"); rest != NULL &&
		    n < MAX_WORDS; rest = strtok(NULL, " \t\n"))
			word[n++] = rest;
		word[n] = NULL;
		if (n == 0 || word[0][0] == '#')
			continue;
		if (strcmp(word[0], "once") == 0) {
			if (starts == 1)
				continue;
			if (!greeted)
				do_hello(0, NULL);
			return;
		}
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strcmp(words[i].word, word[0]) == 0)
				break;
		if (i == sizeof(words) / sizeof(words[0]) ||
		    n - 1 < words[i].arguments)
			broken("script: %s", word[0]);
		words[i].run(n - 1, word + 1);
	}
}

int
main(int argc, char *argv[])
{
	char path[600];
	FILE *script;
	struct stat st;
	long starts;

	find_home(argv[0]);
	beside(path, sizeof(path), "rogue.log");
	if ((logfile = fopen(path, "ae")) == NULL)
		broken("%s: %s", path, strerror(errno));
	beside(path, sizeof(path), "rogue.script");
	if ((script = fopen(path, "re")) == NULL)
		broken("%s: %s", path, strerror(errno));
	starts = counter("rogue.starts", -1) + 1;
	counter("rogue.starts", starts);
	if (argc < 4 || strcmp(argv[1], "--frontend") != 0 ||
	    fstat(CHILD_IMSG_FD, &st) == -1 || !S_ISSOCK(st.st_mode))
		broken("not started as a frontend");
	identity = argv[2];
	note("start %ld ids %s", starts, identity);
	signal(SIGPIPE, SIG_IGN);
	if (fcntl(CHILD_IMSG_FD, F_SETFL, O_NONBLOCK) == -1 ||
	    imsgbuf_init(&ibuf, CHILD_IMSG_FD) == -1 ||
	    imsgbuf_set_maxsize(&ibuf, MSG_SIZE_MAX) == -1)
		broken("imsg: %s", strerror(errno));
	imsgbuf_allow_fdpass(&ibuf);
	run_script(script, starts);
	note("script done");
	(void)pump(-1, NOTHING);
	return (0);
}
