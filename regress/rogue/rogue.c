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
 * Peers: the monitor, imsg on descriptor 3.  Root, unconfined, unless the
 * script says "confine": an attacker stronger than the real frontend can
 * become.  Script, log and counters are the files rogue.script, rogue.log,
 * rogue.starts and rogue.attack beside the program; rogue.build, if there is
 * one, has the id that its hello takes from another build.
 *
 * One word with its arguments a line, carried out in order; at the end it
 * goes on logging until the monitor ends it.
 *	once			end the script here, but for the first start
 *	sweep N M		every attack of the table whose number is N
 *				modulo M; see attacks()
 *	attack NAME		that one; "list" logs their names
 *	hello [wrong]		the hello, or that of another build
 *	ask COMMAND, ask-all	query COMMAND
 *	exec PATH [ARG ...]	exec-status [PID]: of the last job started
 *	input CLAIM SEND PATH [ARG ...]
 *				exec with input-data, of which SEND bytes come
 *	open PATH MODE		MODE a number; write, flush: of that handle
 *	write CLAIM SEND	of which SEND bytes come, one by one
 *	flush
 *	change MESSAGE		one of the system worker's (shutdown, fstrim),
 *				only where the policy is known to refuse it
 *	password USER [BASE64]	guest-set-user-password; with BASE64, says that
 *				it comes, and sends it when it may
 *	ssh-add USER KEY	guest-ssh-add-authorized-keys
 *	freeze MOUNT ...	those; never all
 *	thaw, status
 *	channel-end N		log LEVEL TEXT
 *	flood N ask|log		N messages; answers are read when they are
 *				sent or no more are taken for a second
 *	stuff N			N queries and a log line in one write
 *	wait [SECONDS]		log messages for so long (5)
 *	until NAME [SECONDS]	until such a message has come (10)
 *	confine			become the frontend's user
 *	signals			which of the monitor's children it may signal
 *	stop			SIGSTOP
 *	exit [STATUS]
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
#include "filemode.h"
#include "imsg.h"
#include "log.h"
#include "messages.h"

#define MAX_WORDS	64
#define FD_MARK		0x80000000U	/* in a header's length */
#define PATIENCE	10000		/* ms, where something must happen */
#define NOTHING		UINT32_MAX	/* of pump: no message came */
#define RESULTS		(UINT32_MAX - 1)	/* bytes on the data socket */
#define FRAME_MAX	(MSG_SIZE_MAX + 4096)
#define ATTACKS		2000

enum { FD_NO, FD_YES, FD_PROMISED, FD_STRAY, FD_KINDS };

/* What there is of a message: sizes are of the payload. */
enum {
	SIZE_VALID,		/* well formed, as short as may be */
	SIZE_LONGEST,		/* well formed, as long as may be */
	SIZE_EMPTY,
	SIZE_SHORT,		/* one byte less than valid */
	SIZE_LONG,		/* one byte more than the longest */
	SIZE_HUGE,		/* the header says 2^31 - 1 */
	SIZE_ALL,		/* it says 2^32 - 1, the descriptor's mark too */
	SIZE_NOTHING,		/* it says 0: not even itself */
	SIZE_LESS,		/* it says 15 */
	SIZE_CUT,		/* half of a valid one, silence, then close */
	SIZES
};

static const char *const size_names[SIZES] = {
	"valid", "longest", "empty", "short", "long", "huge", "all",
	"nothing", "less", "cut"
};

static const char *const fd_names[FD_KINDS] = {
	"", " with a descriptor", " with one promised", " with one unannounced"
};

enum verdict { ENDED, ANSWERED, QUIET, CLOSES, VERDICTS };

struct attack {
	uint32_t	 type;
	int		 size, fd;
	int		 early;			/* before the hello */
	int		 craft;			/* of crafts[], -1: none */
	enum verdict	 verdict;
};

/* What a payload is made of by hand. */
struct payload {
	unsigned char	 bytes[FRAME_MAX];
	size_t		 len;
};

static void	 note(const char *, ...) __attribute__((format(printf, 1, 2)));
static void	 broken(const char *, ...)
		    __attribute__((noreturn, format(printf, 1, 2)));
static void	 ended(void) __attribute__((noreturn));
static int64_t	 now_ms(void);
static void	 beside(char *, size_t, const char *);
static void	 find_home(const char *);
static long	 counter(const char *, long);
static void	 find_build(void);
static uint32_t	 type_number(const char *);
static uint64_t	 number(const char *);
static enum command_id command_number(const char *);
static int	 writable(int, int);
static void	 send_all(void);
static void	 send_frame(uint32_t, uint32_t, const void *, size_t, int);
static void	 send_bytes(int, const void *, size_t, int);
static uint32_t	 pump(int, uint32_t);
static size_t	 got_data(void);
static void	 got(struct imsg *);
static void	 got_policy(struct imsg *);
static void	 got_reply(struct imsg *);
static int	 compose(struct imsgbuf *, uint32_t, int);
static int	 compose_exec(struct imsgbuf *, int);
static int	 compose_account(struct imsgbuf *, uint32_t, int);
static int	 compose_freeze(struct imsgbuf *, int);
static size_t	 valid(uint32_t, int, unsigned char *);
static int	 refused(enum command_id);
static uint32_t	 shutdown_mode(void);
static int	 compose_system(struct imsgbuf *, uint32_t, int);
static void	 add8(struct payload *, uint8_t);
static void	 add32(struct payload *, uint32_t);
static void	 add64(struct payload *, uint64_t);
static void	 addstr(struct payload *, uint32_t, const char *, size_t);
static void	 addexec(struct payload *, const uint32_t *, uint64_t);
static void	 craft_open(struct payload *, int);
static void	 craft(struct payload *, int);
static int	 sizes_differ(uint32_t, int);
static enum verdict expect(uint32_t, int, int, int);
static size_t	 attacks(void);
static void	 attack_name(const struct attack *, char *, size_t);
static void	 attack_send(const struct attack *);
static void	 attack(const struct attack *);

static void	 do_ask(int, char **);
static void	 do_ask_all(int, char **);
static void	 do_attack(int, char **);
static void	 do_channel_end(int, char **);
static void	 do_confine(int, char **);
static void	 do_exec(int, char **);
static void	 do_exec_status(int, char **);
static void	 do_exit(int, char **);
static void	 do_flood(int, char **);
static void	 do_freeze(int, char **);
static void	 do_hello(int, char **);
static void	 do_input(int, char **);
static void	 do_flush(int, char **);
static void	 do_log(int, char **);
static void	 do_open(int, char **);
static void	 do_password(int, char **);
static void	 do_query(int, char **);
static void	 do_change(int, char **);
static void	 do_signals(int, char **);
static void	 do_ssh_add(int, char **);
static void	 do_status(int, char **);
static void	 do_stop(int, char **);
static void	 do_stuff(int, char **);
static void	 do_sweep(int, char **);
static void	 do_thaw(int, char **);
static void	 do_until(int, char **);
static void	 do_wait(int, char **);
static void	 do_write(int, char **);
static void	 run_script(FILE *, long);

static const struct {
	const char	*word;
	int		 arguments;	/* at least */
	void		(*run)(int, char **);
} words[] = {
	{ "ask",		1,	do_ask },
	{ "ask-all",		0,	do_ask_all },
	{ "attack",		1,	do_attack },
	{ "channel-end",	1,	do_channel_end },
	{ "confine",		0,	do_confine },
	{ "exec",		1,	do_exec },
	{ "exec-status",	0,	do_exec_status },
	{ "exit",		0,	do_exit },
	{ "flood",		2,	do_flood },
	{ "flush",		0,	do_flush },
	{ "freeze",		1,	do_freeze },
	{ "hello",		0,	do_hello },
	{ "input",		3,	do_input },
	{ "log",		2,	do_log },
	{ "open",		2,	do_open },
	{ "password",		1,	do_password },
	{ "query",		1,	do_query },
	{ "change",		1,	do_change },
	{ "signals",		0,	do_signals },
	{ "ssh-add",		2,	do_ssh_add },
	{ "status",		0,	do_status },
	{ "stop",		0,	do_stop },
	{ "stuff",		1,	do_stuff },
	{ "sweep",		2,	do_sweep },
	{ "thaw",		0,	do_thaw },
	{ "until",		1,	do_until },
	{ "wait",		0,	do_wait },
	{ "write",		2,	do_write },
};

/*
 * Messages made by hand, each with one thing wrong, or (not ENDED) unusual
 * and right.  craft() has their payloads, by the number here.
 */
enum {
	CRAFT_TWICE, CRAFT_BACK, CRAFT_ZERO, CRAFT_WRAP, CRAFT_JUMP,
	CRAFT_ROLE, CRAFT_NOROLE,
	CRAFT_ASK_MAX, CRAFT_ASK_ALL, CRAFT_QUERY_MAX, CRAFT_QUERY_EXEC,
	CRAFT_QUERY_PING, CRAFT_QUERY_SHUTDOWN,
	CRAFT_MODE, CRAFT_END, CRAFT_LEVEL, CRAFT_LINE_NUL, CRAFT_LINE_OPEN,
	CRAFT_LINE_LEN, CRAFT_DEAF,
	CRAFT_OPEN_MODE, CRAFT_OPEN_RULE, CRAFT_OPEN_BASE, CRAFT_OPEN_EMPTY,
	CRAFT_OPEN_NUL, CRAFT_OPEN_REST, CRAFT_CLOSE_NUMBER, CRAFT_READ_NUMBER,
	CRAFT_READ_MINUS, CRAFT_READ_WHENCE, CRAFT_WRITE_NUMBER,
	CRAFT_SEEK_WHENCE, CRAFT_FLUSH_WHENCE, CRAFT_SEEK_FAR,
	/* exec from here on */
	CRAFT_CAPTURE, CRAFT_HASINPUT, CRAFT_INPUT_UNSAID, CRAFT_INPUT_MORE,
	CRAFT_INPUT_MAX, CRAFT_HASENV, CRAFT_ENV_UNSAID, CRAFT_ENV_MANY,
	CRAFT_ARGS_MANY, CRAFT_ARGS_MAX, CRAFT_ARGS_ABSENT, CRAFT_PATH_EMPTY,
	CRAFT_PATH_NONE, CRAFT_PATH_NUL, CRAFT_PATH_OPEN, CRAFT_PATH_LEN,
	CRAFT_ARG_NUL, CRAFT_ARG_OPEN, CRAFT_ARG_LEN, CRAFT_REST,
	CRAFT_ARGS_BOUND, CRAFT_UTF8,
	/* accounts */
	CRAFT_CRYPTED, CRAFT_SECRET, CRAFT_USER_OPEN, CRAFT_USER_LONG,
	CRAFT_KEYS_OTHER, CRAFT_KEYS_PASSWORD, CRAFT_KEYS_RESET,
	CRAFT_KEYS_MANY, CRAFT_KEYS_ABSENT, CRAFT_KEYS_GET,
	CRAFTS
};

static const struct {
	const char	*name;
	uint32_t	 type;
	enum verdict	 verdict;
} crafts[CRAFTS] = {
	[CRAFT_TWICE] =	{ "id of before", MSG_ASK, ENDED },
	[CRAFT_BACK] =	{ "id backwards", MSG_QUERY, ENDED },
	[CRAFT_ZERO] =	{ "id 0", MSG_EXEC_STATUS, ENDED },
	[CRAFT_WRAP] =	{ "id past 2^64", MSG_EXEC_STATUS, ENDED },
	[CRAFT_JUMP] =	{ "id far ahead", MSG_ASK, ANSWERED },
	[CRAFT_ROLE] =	{ "role query", MSG_HELLO, ENDED },
	[CRAFT_NOROLE] = { "role unknown", MSG_HELLO, ENDED },
	[CRAFT_ASK_MAX] = { "command past the table", MSG_ASK, ENDED },
	[CRAFT_ASK_ALL] = { "command 2^32 - 1", MSG_ASK, ENDED },
	[CRAFT_QUERY_MAX] = { "command past the table", MSG_QUERY, ENDED },
	[CRAFT_QUERY_EXEC] = { "command guest-exec", MSG_QUERY, ENDED },
	[CRAFT_QUERY_PING] = { "command guest-ping", MSG_QUERY, ENDED },
	[CRAFT_QUERY_SHUTDOWN] = { "command guest-shutdown", MSG_QUERY, ENDED },
	[CRAFT_MODE] =	{ "mode unknown", MSG_SHUTDOWN, ENDED },
	[CRAFT_END] =	{ "end unknown", MSG_CHANNEL_END, ENDED },
	[CRAFT_LEVEL] =	{ "level unknown", MSG_LOG, ENDED },
	[CRAFT_LINE_NUL] = { "line with a NUL", MSG_LOG, ENDED },
	[CRAFT_LINE_OPEN] = { "line without its NUL", MSG_LOG, ENDED },
	[CRAFT_LINE_LEN] = { "line of 2^32 - 1", MSG_LOG, ENDED },
	[CRAFT_DEAF] =	{ "answer not taken", MSG_ASK, CLOSES },
	[CRAFT_OPEN_MODE] = { "mode unknown", MSG_FILE_OPEN, ENDED },
	[CRAFT_OPEN_RULE] = { "a rule without its base", MSG_FILE_OPEN,
	    ENDED },
	[CRAFT_OPEN_BASE] = { "a rule of its own", MSG_FILE_OPEN, ENDED },
	[CRAFT_OPEN_EMPTY] = { "path empty", MSG_FILE_OPEN, ENDED },
	[CRAFT_OPEN_NUL] = { "path with a NUL", MSG_FILE_OPEN, ENDED },
	[CRAFT_OPEN_REST] = { "bytes behind it", MSG_FILE_OPEN, ENDED },
	[CRAFT_CLOSE_NUMBER] = { "number", MSG_FILE_CLOSE, ENDED },
	[CRAFT_READ_NUMBER] = { "too many bytes", MSG_FILE_READ, ENDED },
	[CRAFT_READ_MINUS] = { "number -1", MSG_FILE_READ, ENDED },
	[CRAFT_READ_WHENCE] = { "whence", MSG_FILE_READ, ENDED },
	[CRAFT_WRITE_NUMBER] = { "more than max-bulk", MSG_FILE_WRITE,
	    ENDED },
	[CRAFT_SEEK_WHENCE] = { "whence unknown", MSG_FILE_SEEK, ENDED },
	[CRAFT_FLUSH_WHENCE] = { "whence", MSG_FILE_FLUSH, ENDED },
	[CRAFT_SEEK_FAR] = { "number -2^63", MSG_FILE_SEEK, ANSWERED },
	[CRAFT_CAPTURE] = { "capture unknown", MSG_EXEC, ENDED },
	[CRAFT_HASINPUT] = { "has-input 2", MSG_EXEC, ENDED },
	[CRAFT_INPUT_UNSAID] = { "input unsaid", MSG_EXEC, ENDED },
	[CRAFT_INPUT_MORE] = { "input past max-bulk", MSG_EXEC, ENDED },
	[CRAFT_INPUT_MAX] = { "input 2^64 - 1", MSG_EXEC, ENDED },
	[CRAFT_HASENV] = { "has-env 2", MSG_EXEC, ENDED },
	[CRAFT_ENV_UNSAID] = { "env unsaid", MSG_EXEC, ENDED },
	[CRAFT_ENV_MANY] = { "env of 1025", MSG_EXEC, ENDED },
	[CRAFT_ARGS_MANY] = { "args 1025", MSG_EXEC, ENDED },
	[CRAFT_ARGS_MAX] = { "args 2^32 - 1", MSG_EXEC, ENDED },
	[CRAFT_ARGS_ABSENT] = { "args absent", MSG_EXEC, ENDED },
	[CRAFT_PATH_EMPTY] = { "path empty", MSG_EXEC, ENDED },
	[CRAFT_PATH_NONE] = { "path of no bytes", MSG_EXEC, ENDED },
	[CRAFT_PATH_NUL] = { "path with a NUL", MSG_EXEC, ENDED },
	[CRAFT_PATH_OPEN] = { "path without its NUL", MSG_EXEC, ENDED },
	[CRAFT_PATH_LEN] = { "path of 2^32 - 1", MSG_EXEC, ENDED },
	[CRAFT_ARG_NUL] = { "arg with a NUL", MSG_EXEC, ENDED },
	[CRAFT_ARG_OPEN] = { "arg without its NUL", MSG_EXEC, ENDED },
	[CRAFT_ARG_LEN] = { "arg of 2^32 - 1", MSG_EXEC, ENDED },
	[CRAFT_REST] =	{ "bytes behind it", MSG_EXEC, ENDED },
	[CRAFT_ARGS_BOUND] = { "args 1024", MSG_EXEC, ANSWERED },
	[CRAFT_UTF8] =	{ "path not UTF-8", MSG_EXEC, ANSWERED },
	[CRAFT_CRYPTED] = { "crypted 2", MSG_PASSWORD, ENDED },
	[CRAFT_SECRET] = { "secret too long", MSG_PASSWORD, ENDED },
	[CRAFT_USER_OPEN] = { "user without its NUL", MSG_PASSWORD, ENDED },
	[CRAFT_USER_LONG] = { "user of 256", MSG_PASSWORD, ENDED },
	[CRAFT_KEYS_OTHER] = { "command guest-exec", MSG_SSH_KEYS, ENDED },
	[CRAFT_KEYS_PASSWORD] = { "command guest-set-user-password",
	    MSG_SSH_KEYS, ENDED },
	[CRAFT_KEYS_RESET] = { "reset 2", MSG_SSH_KEYS, ENDED },
	[CRAFT_KEYS_MANY] = { "keys 1025", MSG_SSH_KEYS, ENDED },
	[CRAFT_KEYS_ABSENT] = { "keys absent", MSG_SSH_KEYS, ENDED },
	[CRAFT_KEYS_GET] = { "no such user", MSG_SSH_KEYS, ANSWERED },
};

static struct imsgbuf	 ibuf;
static FILE		*logfile;
static char		 home[512], marker[600];
static const char	*identity;	/* uid:gid, from the monitor */
static char		 build[MSG_BUILD_LEN];
static uint64_t		 next_id = 1;
static int		 greeted;
static int		 data_fd = -1;	/* of the query worker */
static int		 go_fd = -1;	/* for the input of a job */
static int64_t		 last_pid;	/* of the last job; the last handle */
static uint64_t		 replies;
static struct msg_policy policy;
static int		 policy_known;
static struct attack	 list[ATTACKS];

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

static void
find_build(void)
{
	char path[600];
	FILE *f;

	memcpy(build, build_id, sizeof(build));
	beside(path, sizeof(path), "rogue.build");
	if ((f = fopen(path, "re")) == NULL)
		return;
	if (fread(build, 1, sizeof(build) - 1, f) != sizeof(build) - 1)
		broken("%s: too short", path);
	fclose(f);
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

static int
writable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return (poll(&pfd, 1, ms) > 0);
}

static void
send_all(void)
{
	while (imsgbuf_queuelen(&ibuf) > 0) {
		if (imsgbuf_write(&ibuf) == -1)
			ended();
		if (imsgbuf_queuelen(&ibuf) > 0 &&
		    !writable(CHILD_IMSG_FD, PATIENCE))
			broken("the monitor does not read");
	}
}

/* A header that says len in all, and what there is of the payload. */
static void
send_frame(uint32_t type, uint32_t len, const void *payload, size_t size,
    int fd)
{
	static unsigned char bytes[FRAME_MAX];
	struct imsg_hdr hdr;
	int null = -1;

	memset(&hdr, 0, sizeof(hdr));
	hdr.type = type;
	hdr.len = len;
	if (fd == FD_YES || fd == FD_PROMISED)
		hdr.len |= FD_MARK;
	memcpy(bytes, &hdr, sizeof(hdr));
	memcpy(bytes + sizeof(hdr), payload, size);
	if ((fd == FD_YES || fd == FD_STRAY) &&
	    (null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		broken("/dev/null: %s", strerror(errno));
	send_bytes(CHILD_IMSG_FD, bytes, sizeof(hdr) + size, null);
	if (null != -1)
		close(null);
}

/* Whatever happens to them: pump() sees it if we are ended. */
static void
send_bytes(int to, const void *data, size_t len, int fd)
{
	struct iovec iov;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		/* sendfd(3) only reads what iov points to. */
		iov.iov_base = (void *)(uintptr_t)((const char *)data + done);
		iov.iov_len = len - done;
		n = sendfd(to, &iov, 1, done == 0 ? fd : -1);
		if (n >= 0)
			done += (size_t)n;
		else if (errno != EAGAIN)
			return;
		else if (!writable(to, PATIENCE))
			broken("nobody reads");
	}
}

/*
 * Log what comes within so many ms (-1: for ever); back at once when it is
 * what is wanted: a type, RESULTS, or NOTHING.  The last type, or NOTHING.
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
		pfd[0].revents = pfd[1].revents = 0;
		if (poll(pfd, 2, (int)left) == -1 && errno != EINTR)
			broken("poll: %s", strerror(errno));
		if (pfd[0].revents != 0 && imsgbuf_read(&ibuf) != 1)
			ended();
		if (pfd[1].revents != 0 && got_data() > 0 && want == RESULTS)
			return (RESULTS);
	}
}

static size_t
got_data(void)
{
	unsigned char block[65536];
	ssize_t n;

	n = read(data_fd, block, sizeof(block));
	if (n == -1 && errno == EAGAIN)
		return (0);
	if (n > 0) {
		note("got %zd bytes of results", n);
		return ((size_t)n);
	}
	note("results ended");
	close(data_fd);
	data_fd = -1;
	return (0);
}

static void
got(struct imsg *imsg)
{
	uint32_t type = imsg_get_type(imsg);
	struct msg_channel channel;
	uint64_t id;
	int fd, *keep = NULL;

	if (msg_check(imsg) == -1)
		note("got %s (%" PRIu32 "), malformed", msg_name(type), type);
	else if (type == MSG_POLICY)
		got_policy(imsg);
	else if (type == MSG_REPLY)
		got_reply(imsg);
	else if (type == MSG_CHANNEL && msg_recv_channel(imsg, &channel) == 0)
		note("got channel kind %" PRIu32 " newline %" PRIu32,
		    channel.kind, channel.newline);
	else if ((type == MSG_DATA || type == MSG_RESULT ||
	    type == MSG_GO) &&
	    msg_recv_data(imsg, &id) == 0) {
		note("got %s id %" PRIu64, msg_name(type), id);
		keep = type == MSG_GO ? &go_fd : &data_fd;
	} else
		note("got %s", msg_name(type));
	if ((fd = imsg_get_fd(imsg)) == -1)
		return;
	/* A channel stays open: to close it would end it for the host. */
	if (keep != NULL) {
		if (*keep != -1)
			close(*keep);
		*keep = fd;
	} else if (type != MSG_CHANNEL)
		close(fd);
}

static void
got_policy(struct imsg *imsg)
{
	char off[1024] = "";
	size_t len = 0;
	int i;

	if (msg_recv_policy(imsg, &policy) == -1) {
		note("got policy, malformed");
		return;
	}
	policy_known = 1;
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
		"empty", "number", "exec", "file", "error", "refused"
	};
	struct msg_reply r;

	if (msg_recv_reply(imsg, &r) == -1) {
		note("got reply, malformed");
		return;
	}
	replies++;
	if (r.kind == REPLY_NUMBER)
		last_pid = r.number;
	if (replies > 100)
		return;			/* to a flood */
	if (r.kind == REPLY_EXEC)
		note("got reply id %" PRIu64 " exec exited %" PRIu32
		    " signaled %" PRIu32 " code %" PRIu32 " out %" PRIu32
		    " err %" PRIu32, r.id, r.result.exited, r.result.signaled,
		    r.result.code, r.result.out, r.result.err);
	else
		note("got reply id %" PRIu64 " %s number %" PRId64 " text %s",
		    r.id, kinds[r.kind], r.number, r.text);
}

/* --- payloads --- */

/*
 * The valid payload of a type, the shortest or the longest, as its own send
 * makes it; zeros for what is nobody's.
 */
static size_t
valid(uint32_t type, int size, unsigned char *out)
{
	struct imsgbuf scratch;
	size_t len;

	if (imsgbuf_init(&scratch, -1) == -1 ||
	    imsgbuf_set_maxsize(&scratch, MSG_SIZE_MAX) == -1)
		broken("imsg: %s", strerror(errno));
	if (compose(&scratch, type, size) == -1)
		broken("%s: %s", msg_name(type), strerror(errno));
	if (scratch.head == NULL) {
		len = type >= MSG_MAX ? 0 : size == SIZE_LONGEST ?
		    msg_info[type].max : msg_info[type].min;
		memset(out, 0, len);
	} else {
		len = ibuf_size(scratch.head) - IMSG_HEADER_SIZE;
		memcpy(out, (char *)ibuf_data(scratch.head) + IMSG_HEADER_SIZE,
		    len);
	}
	imsgbuf_clear(&scratch);
	return (len);
}

static int
compose(struct imsgbuf *b, uint32_t type, int size)
{
	static char line[MSG_LINE_MAX], text[MSG_TEXT_MAX];
	struct msg_hello hello = { .role = ROLE_FRONTEND };
	struct msg_log log = { .level = LEVEL_INFO, .line = line };
	struct msg_request ask = { next_id, CMD_GUEST_PING };
	struct msg_request query = { next_id, CMD_GUEST_GET_HOST_NAME };
	struct msg_request frozen = { next_id, CMD_GUEST_FSFREEZE_STATUS };
	struct msg_exec_status status = { next_id, INT32_MAX };
	struct msg_exec_rule rule = { .program = "/", .user = "", .group = "",
	    .directory = "/" };
	/* What is not there is not opened. */
	struct msg_file_open open = { next_id, 0, 0, "", marker };
	struct msg_file file = { .id = next_id, .handle = 1 };
	struct msg_file_done filed = { .id = next_id, .ok = 1, .text = text };
	struct msg_file_waiting waiting = { next_id, 1 };
	struct msg_shutdown down = { next_id, shutdown_mode() };
	struct msg_done done = { next_id, 1, text };
	struct msg_exec_started started = { next_id, 1, 0, text };
	struct exec_result result = { .exited = 1 };
	struct msg_reply reply = { .id = next_id, .text = text };
	struct msg_policy all;
	struct limits limits = LIMITS_DEFAULT;

	memcpy(hello.build, build, sizeof(hello.build));
	memset(line, 'x', size == SIZE_LONGEST ? sizeof(line) - 1 : 0);
	memset(text, 'x', size == SIZE_LONGEST ? sizeof(text) - 1 : 0);
	line[size == SIZE_LONGEST ? sizeof(line) - 1 : 0] = '\0';
	text[size == SIZE_LONGEST ? sizeof(text) - 1 : 0] = '\0';
	memset(&all, 1, sizeof(all));
	switch (type) {
	case MSG_HELLO:
		return (msg_send_hello(b, &hello));
	case MSG_LOG:
	case MSG_LINE:
		return (msg_send_log(b, type, &log));
	case MSG_LIMITS:
		return (msg_send_limits(b, &limits));
	case MSG_POLICY:
		return (msg_send_policy(b, &all));
	case MSG_REPLY:
		return (msg_send_reply(b, &reply, -1));
	case MSG_CHANNEL_END:
		return (msg_send_channel_end(b, CHANNEL_CLOSED));
	case MSG_ASK:
		return (msg_send_request(b, MSG_ASK, &ask));
	case MSG_QUERY:
		return (msg_send_request(b, MSG_QUERY, &query));
	case MSG_EXEC:
		return (compose_exec(b, size));
	case MSG_EXEC_STATUS:
		return (msg_send_exec_status(b, &status));
	case MSG_ACCOUNT_RULE:
		return (msg_send_account_rule(b, 1));
	case MSG_EXEC_RULE:
		return (msg_send_exec_rule(b, &rule));
	case MSG_FILE_OPEN:
		if (size == SIZE_LONGEST)
			open.base = open.path = text;
		return (msg_send_file_open(b, &open));
	case MSG_FILE_CLOSE:
	case MSG_FILE_READ:
	case MSG_FILE_WRITE:
	case MSG_FILE_SEEK:
	case MSG_FILE_FLUSH:
		return (msg_send_file(b, type, &file, -1));
	case MSG_FILE_DONE:
		return (msg_send_file_done(b, &filed));
	case MSG_FILE_WAITING:
		return (msg_send_file_waiting(b, &waiting));
	case MSG_SHUTDOWN:
		return (msg_send_shutdown(b, &down));
	case MSG_SET_TIME:
	case MSG_SET_VCPUS:
	case MSG_SET_MEMORY_BLOCKS:
	case MSG_FSTRIM:
	case MSG_SUSPEND:
		return (compose_system(b, type, size));
	case MSG_PASSWORD:
	case MSG_SSH_KEYS:
		return (compose_account(b, type, size));
	case MSG_FREEZE:
		return (compose_freeze(b, size));
	case MSG_FSFREEZE:
		return (msg_send_request(b, MSG_FSFREEZE, &frozen));
	case MSG_DONE:
		return (msg_send_done(b, &done));
	case MSG_EXEC_STARTED:
		return (msg_send_exec_started(b, &started));
	case MSG_EXEC_ENDED:
		return (msg_send_exec_ended(b, &result));
	default:
		return (0);
	}
}

/* A list, always: without one it would be this machine. */
static int
compose_freeze(struct imsgbuf *b, int size)
{
	static char fill[MSG_FREEZE_MAX];
	char *mounts[] = { fill };
	struct msg_freeze m;

	memset(&m, 0, sizeof(m));
	m.id = next_id;
	m.command = CMD_GUEST_FSFREEZE_FREEZE_LIST;
	m.listed = 1;
	m.mounts = mounts;
	if (size == SIZE_LONGEST) {
		/* One word of 64 and three of 32 bits, a length, a NUL. */
		memset(fill, 'x', MSG_FREEZE_MAX - 8 - 3 * 4 - 4 - 1);
		m.n = 1;
	}
	return (msg_send_freeze(b, &m));
}

/* Would make the marker, were it carried out. */
static int
compose_exec(struct imsgbuf *b, int size)
{
	static char path[] = "/usr/bin/touch", dash[] = "--", fill[MSG_EXEC_MAX];
	struct msg_exec m;
	char *args[] = { dash, marker, fill };
	size_t len;

	memset(&m, 0, sizeof(m));
	m.id = next_id;
	m.path = path;
	m.argv = args;
	m.argc = 2;
	if (size == SIZE_LONGEST) {
		/* Two words of 64 and five of 32 bits, then the strings. */
		len = 2 * 8 + 5 * 4 + 4 * 4 + sizeof(path) + sizeof(dash) +
		    strlen(marker) + 1;
		memset(fill, 'x', MSG_EXEC_MAX - len - 1);
		m.argc = 3;
	}
	return (msg_send_exec(b, &m, -1));
}

static int
refused(enum command_id cmd)
{
	return (policy_known && !policy.enabled[cmd]);
}

/* Never one that could be carried out. */
static uint32_t
shutdown_mode(void)
{
	return (refused(CMD_GUEST_SHUTDOWN) ? SHUTDOWN_POWERDOWN :
	    UINT32_MAX);
}

/* As little: nothing is made of one that is not refused. */
static int
compose_system(struct imsgbuf *b, uint32_t type, int size)
{
	static const struct unit far = { UINT64_MAX, 1 };
	static struct unit v[MSG_UNITS_MAX];
	struct msg_set_time set = { next_id, 1, 0 };
	struct msg_units units = { next_id, size == SIZE_LONGEST ?
	    MSG_UNITS_MAX : 0, v };
	struct msg_fstrim trim = { next_id, UINT64_MAX };
	struct msg_suspend sleep = { next_id, SUSPEND_HYBRID };
	size_t i;

	for (i = 0; i < MSG_UNITS_MAX; i++)
		v[i] = far;
	if (type == MSG_SET_TIME && refused(CMD_GUEST_SET_TIME))
		return (msg_send_set_time(b, &set));
	if ((type == MSG_SET_VCPUS && refused(CMD_GUEST_SET_VCPUS)) ||
	    (type == MSG_SET_MEMORY_BLOCKS &&
	    refused(CMD_GUEST_SET_MEMORY_BLOCKS)))
		return (msg_send_units(b, type, &units));
	if (type == MSG_FSTRIM && refused(CMD_GUEST_FSTRIM))
		return (msg_send_fstrim(b, &trim));
	if (type == MSG_SUSPEND && refused(CMD_GUEST_SUSPEND_HYBRID))
		return (msg_send_suspend(b, &sleep));
	return (0);
}

/* A user whom no system can have: nothing is looked for, or even started. */
static int
compose_account(struct imsgbuf *b, uint32_t type, int size)
{
	static char user[MSG_USER_MAX], fill[MSG_SSH_KEYS_MAX];
	struct msg_password password = { next_id, 0, 0, user };
	struct msg_ssh_keys keys = { .id = next_id, .username = user,
	    .command = CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS };
	char *one[] = { fill };
	size_t len = size == SIZE_LONGEST ? sizeof(user) - 1 : 1;

	memset(user, '\n', len);
	user[len] = '\0';
	if (type == MSG_PASSWORD)
		return (msg_send_password(b, &password, -1));
	if (size == SIZE_LONGEST) {
		/* A word of 64 and three of 32 bits, then the strings. */
		memset(fill, 'x', sizeof(fill) - (8 + 3 * 4 + 4 + len + 1 +
		    4 + 1));
		keys.n = 1;
		keys.keys = one;
	}
	return (msg_send_ssh_keys(b, &keys));
}

static void
add8(struct payload *p, uint8_t value)
{
	p->bytes[p->len++] = value;
}

static void
add32(struct payload *p, uint32_t value)
{
	int i;

	for (i = 24; i >= 0; i -= 8)
		add8(p, (uint8_t)(value >> i));
}

static void
add64(struct payload *p, uint64_t value)
{
	add32(p, (uint32_t)(value >> 32));
	add32(p, (uint32_t)value);
}

/* The length it claims, and the bytes. */
static void
addstr(struct payload *p, uint32_t claim, const char *bytes, size_t len)
{
	add32(p, claim);
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

/* id, then word[]: capture, has-input, has-env, argc, envc. */
static void
addexec(struct payload *p, const uint32_t *word, uint64_t input)
{
	add64(p, next_id);
	add32(p, word[0]);
	add32(p, word[1]);
	add64(p, input);
	add32(p, word[2]);
	add32(p, word[3]);
	add32(p, word[4]);
}

/* id, mode, rule, base, path */
static void
craft_open(struct payload *p, int which)
{
	add64(p, next_id);
	add32(p, which == CRAFT_OPEN_MODE ? FILE_MODES : 0);
	add32(p, which == CRAFT_OPEN_RULE ? FILE_RULE_ANY : 0);
	if (which == CRAFT_OPEN_BASE)
		addstr(p, 5, "/etc", 5);
	else
		addstr(p, 1, "", 1);
	if (which == CRAFT_OPEN_EMPTY)
		addstr(p, 1, "", 1);
	else if (which == CRAFT_OPEN_NUL)
		addstr(p, 4, "a\0b", 4);
	else
		addstr(p, 7, "passwd", 7);
	if (which == CRAFT_OPEN_REST)
		add8(p, 0);
}

static void
craft(struct payload *p, int which)
{
	static const char path[] = "/usr/bin/touch";
	static const struct limits limits = LIMITS_DEFAULT;
	uint32_t word[5] = { 0, 0, 0, 0, 0 }, i, claim = sizeof(path);
	const char *bytes = path;
	char fill[MSG_USER_MAX + 1];
	size_t len = sizeof(path);
	uint64_t input = 0;

	p->len = 0;
	switch (which) {
	case CRAFT_TWICE:
	case CRAFT_BACK:
		add64(p, next_id - (which == CRAFT_TWICE ? 1 : 2));
		add32(p, CMD_GUEST_GET_HOST_NAME);
		return;
	case CRAFT_ZERO:
	case CRAFT_WRAP:
		add64(p, 0);
		add64(p, 1);
		return;
	case CRAFT_JUMP:
		next_id = UINT64_MAX - 1000;
		add64(p, next_id);
		add32(p, CMD_GUEST_PING);
		return;
	case CRAFT_ROLE:
	case CRAFT_NOROLE:
		memcpy(p->bytes, build, MSG_BUILD_LEN);
		p->len = MSG_BUILD_LEN;
		add32(p, which == CRAFT_ROLE ? ROLE_QUERY : ROLE_MAX);
		return;
	case CRAFT_ASK_MAX:
	case CRAFT_QUERY_MAX:
	case CRAFT_ASK_ALL:
	case CRAFT_QUERY_EXEC:
	case CRAFT_QUERY_PING:
	case CRAFT_QUERY_SHUTDOWN:
	case CRAFT_DEAF:
		add64(p, next_id);
		add32(p, which == CRAFT_QUERY_EXEC ? CMD_GUEST_EXEC :
		    which == CRAFT_QUERY_PING || which == CRAFT_DEAF ?
		    CMD_GUEST_PING : which == CRAFT_QUERY_SHUTDOWN ?
		    CMD_GUEST_SHUTDOWN : which == CRAFT_ASK_ALL ? UINT32_MAX :
		    CMD_MAX);
		return;
	case CRAFT_MODE:
		add64(p, next_id);
		add32(p, SHUTDOWN_MODES);
		return;
	case CRAFT_END:
		add32(p, CHANNEL_ENDS);
		return;
	case CRAFT_LEVEL:
	case CRAFT_LINE_NUL:
	case CRAFT_LINE_OPEN:
	case CRAFT_LINE_LEN:
		add32(p, which == CRAFT_LEVEL ? LEVEL_MAX : LEVEL_INFO);
		add64(p, 0);
		addstr(p, which == CRAFT_LINE_LEN ? UINT32_MAX : 4,
		    which == CRAFT_LINE_NUL ? "a\0b" :
		    which == CRAFT_LINE_OPEN ? "abcd" : "abc", 4);
		return;
	case CRAFT_OPEN_MODE:
	case CRAFT_OPEN_RULE:
	case CRAFT_OPEN_BASE:
	case CRAFT_OPEN_EMPTY:
	case CRAFT_OPEN_NUL:
	case CRAFT_OPEN_REST:
		craft_open(p, which);
		return;
	case CRAFT_CLOSE_NUMBER:
	case CRAFT_READ_NUMBER:
	case CRAFT_READ_MINUS:
	case CRAFT_READ_WHENCE:
	case CRAFT_WRITE_NUMBER:
	case CRAFT_SEEK_WHENCE:
	case CRAFT_FLUSH_WHENCE:
	case CRAFT_SEEK_FAR:
		add64(p, next_id);
		add64(p, 1);
		add64(p, which == CRAFT_CLOSE_NUMBER ? 1 :
		    which == CRAFT_READ_NUMBER ? MSG_COUNT_MAX + 1 :
		    which == CRAFT_WRITE_NUMBER ? limits.max_bulk + 1 :
		    which == CRAFT_READ_MINUS ? UINT64_MAX :
		    which == CRAFT_SEEK_FAR ? (uint64_t)INT64_MIN : 0);
		add32(p, which == CRAFT_SEEK_WHENCE ? FILE_WHENCES :
		    which == CRAFT_READ_WHENCE ||
		    which == CRAFT_FLUSH_WHENCE ? 1 : 0);
		return;
	case CRAFT_CRYPTED:
	case CRAFT_SECRET:
	case CRAFT_USER_OPEN:
	case CRAFT_USER_LONG:
		add64(p, next_id);
		add32(p, which == CRAFT_CRYPTED ? 2 : 0);
		add32(p, which == CRAFT_SECRET ? MSG_SECRET_MAX + 1 : 0);
		memset(fill, '\n', sizeof(fill));
		if (which == CRAFT_USER_LONG)
			addstr(p, MSG_USER_MAX + 1, fill, MSG_USER_MAX + 1);
		else
			addstr(p, 2, which == CRAFT_USER_OPEN ? "\n\n" :
			    "\n", 2);
		return;
	case CRAFT_KEYS_OTHER:
	case CRAFT_KEYS_PASSWORD:
	case CRAFT_KEYS_RESET:
	case CRAFT_KEYS_MANY:
	case CRAFT_KEYS_ABSENT:
	case CRAFT_KEYS_GET:
		add64(p, next_id);
		add32(p, which == CRAFT_KEYS_OTHER ? CMD_GUEST_EXEC :
		    which == CRAFT_KEYS_PASSWORD ?
		    CMD_GUEST_SET_USER_PASSWORD :
		    CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS);
		add32(p, which == CRAFT_KEYS_RESET ? 2 : 0);
		claim = which == CRAFT_KEYS_MANY ? MSG_KEYS_MAX + 1 :
		    which == CRAFT_KEYS_ABSENT ? MSG_KEYS_MAX : 0;
		add32(p, claim);
		addstr(p, 2, "\n", 2);
		for (i = 0; which == CRAFT_KEYS_MANY && i < claim; i++)
			addstr(p, 2, "a", 2);
		return;
	case CRAFT_CAPTURE:
		word[0] = CAPTURE_MODES;
		break;
	case CRAFT_HASINPUT:
		word[1] = 2;
		break;
	case CRAFT_INPUT_UNSAID:
		input = 1;
		break;
	case CRAFT_INPUT_MORE:
	case CRAFT_INPUT_MAX:
		word[1] = 1;
		input = which == CRAFT_INPUT_MORE ? limits.max_bulk + 1 :
		    UINT64_MAX;
		break;
	case CRAFT_HASENV:
		word[2] = 2;
		break;
	case CRAFT_ENV_UNSAID:
		word[4] = 1;
		break;
	case CRAFT_ENV_MANY:
		word[2] = 1;
		word[4] = MSG_ARGS_MAX + 1;
		break;
	case CRAFT_ARGS_MANY:
		word[3] = MSG_ARGS_MAX + 1;
		break;
	case CRAFT_ARGS_MAX:
		word[3] = UINT32_MAX;
		break;
	case CRAFT_ARGS_ABSENT:
	case CRAFT_ARGS_BOUND:
		word[3] = MSG_ARGS_MAX;
		break;
	case CRAFT_ARG_NUL:
	case CRAFT_ARG_OPEN:
	case CRAFT_ARG_LEN:
		word[3] = 1;
		break;
	case CRAFT_PATH_EMPTY:
		bytes = "";
		claim = 1;
		len = 1;
		break;
	case CRAFT_PATH_NONE:
		claim = 0;
		len = 0;
		break;
	case CRAFT_PATH_NUL:
		bytes = "/bin\0true";
		claim = 10;
		len = 10;
		break;
	case CRAFT_PATH_OPEN:
		claim--;
		len--;
		break;
	case CRAFT_PATH_LEN:
		claim = UINT32_MAX;
		break;
	case CRAFT_UTF8:
		bytes = "/\xff\xfe/\xc3(\x1b[2J\n";
		claim = 12;
		len = 12;
		break;
	default:
		break;
	}
	addexec(p, word, input);
	addstr(p, claim, bytes, len);
	if (which == CRAFT_ARGS_ABSENT || which == CRAFT_ARGS_MAX)
		return;
	if (which == CRAFT_ARG_NUL)
		addstr(p, 4, "a\0b", 4);
	else if (which == CRAFT_ARG_OPEN)
		addstr(p, 4, "abcd", 4);
	else if (which == CRAFT_ARG_LEN)
		addstr(p, UINT32_MAX, "abcd", 4);
	else
		for (i = 0; i < word[3] + word[4]; i++)
			addstr(p, 2, "a", 2);
	if (which == CRAFT_REST)
		add8(p, 0);
}

/* --- attacks --- */

/* 1 unless this size is the same as one before it. */
static int
sizes_differ(uint32_t type, int size)
{
	uint32_t min = 0, max = 0;

	if (type < MSG_MAX) {
		min = msg_info[type].min;
		max = msg_info[type].max;
	}
	switch (size) {
	case SIZE_LONGEST:
		return (max != min);
	case SIZE_EMPTY:
		return (min != 0);
	case SIZE_SHORT:
		return (min > 1);
	default:
		return (1);
	}
}

/* MSG_CHANNEL_END is wrong too: there is no client to have gone. */
static enum verdict
expect(uint32_t type, int size, int fd, int early)
{
	if (size == SIZE_CUT && fd == FD_NO)
		return (CLOSES);
	if ((size != SIZE_VALID && size != SIZE_LONGEST) || fd != FD_NO)
		return (ENDED);
	switch (type) {
	case MSG_FILE_OPEN:		/* the longest has a rule of its own */
		return (early || size == SIZE_LONGEST ? ENDED : ANSWERED);
	case MSG_HELLO:
		return (early ? ANSWERED : ENDED);
	case MSG_LOG:
		return (QUIET);
	case MSG_ASK:
	case MSG_QUERY:
	case MSG_EXEC:
	case MSG_EXEC_STATUS:
	case MSG_FILE_CLOSE:
	case MSG_FILE_READ:
	case MSG_FILE_WRITE:
	case MSG_FILE_SEEK:
	case MSG_FILE_FLUSH:
	case MSG_SHUTDOWN:
	case MSG_SET_TIME:
	case MSG_SET_VCPUS:
	case MSG_SET_MEMORY_BLOCKS:
	case MSG_FSTRIM:
	case MSG_PASSWORD:
	case MSG_SSH_KEYS:
	case MSG_SUSPEND:
	case MSG_FREEZE:
	case MSG_FSFREEZE:
		return (early ? ENDED : ANSWERED);
	default:
		return (ENDED);
	}
}

/*
 * Every type, known or not, in every size, with a descriptor and without,
 * before the hello and after it; a descriptor that was promised or that
 * nothing announces with the valid ones; then what is made by hand.
 */
static size_t
attacks(void)
{
	static const uint32_t unknown[] = { MSG_MAX, 0x10000, UINT32_MAX };
	struct attack *a = list;
	uint32_t i, type;
	int early, fd, size;

	for (i = 0; i < MSG_MAX + sizeof(unknown) / sizeof(unknown[0]); i++) {
		type = i < MSG_MAX ? i : unknown[i - MSG_MAX];
		for (early = 0; early <= 1; early++)
		for (size = 0; size < SIZES; size++)
		for (fd = 0; fd < FD_KINDS; fd++) {
			if (!sizes_differ(type, size) ||
			    (fd > FD_YES && size != SIZE_VALID))
				continue;
			if (a == list + ATTACKS - CRAFTS)
				broken("more attacks than room");
			a->type = type;
			a->size = size;
			a->fd = fd;
			a->early = early;
			a->craft = -1;
			a->verdict = expect(type, size, fd, early);
			a++;
		}
	}
	for (i = 0; i < CRAFTS; i++, a++) {
		a->type = crafts[i].type;
		a->early = a->type == MSG_HELLO;
		a->craft = (int)i;
		a->verdict = crafts[i].verdict;
	}
	return ((size_t)(a - list));
}

static void
attack_name(const struct attack *a, char *name, size_t size)
{
	char type[32];

	if (a->type < MSG_MAX)
		snprintf(type, sizeof(type), "%s", msg_name(a->type));
	else
		snprintf(type, sizeof(type), "%" PRIu32, a->type);
	if (a->craft != -1)
		snprintf(name, size, "%s, %s", type, crafts[a->craft].name);
	else
		snprintf(name, size, "%s %s%s%s", type, size_names[a->size],
		    fd_names[a->fd], a->early ? " before hello" : "");
}

static void
attack_send(const struct attack *a)
{
	static struct payload p;
	uint32_t len;

	if (a->craft != -1) {
		craft(&p, a->craft);
		len = (uint32_t)p.len + IMSG_HEADER_SIZE;
		if (a->craft == CRAFT_DEAF &&
		    shutdown(CHILD_IMSG_FD, SHUT_RD) == -1)
			broken("shutdown: %s", strerror(errno));
		send_frame(a->type, len, p.bytes, p.len, FD_NO);
		return;
	}
	p.len = valid(a->type, a->size == SIZE_LONG ? SIZE_LONGEST : a->size,
	    p.bytes);
	if (a->size == SIZE_EMPTY)
		p.len = 0;
	else if (a->size == SIZE_SHORT)
		p.len--;
	else if (a->size == SIZE_LONG)
		add8(&p, 0);
	len = (uint32_t)p.len + IMSG_HEADER_SIZE;
	if (a->size == SIZE_HUGE)
		len = ~FD_MARK;
	else if (a->size == SIZE_ALL)
		len = UINT32_MAX;
	else if (a->size == SIZE_NOTHING)
		len = 0;
	else if (a->size == SIZE_LESS)
		len = IMSG_HEADER_SIZE - 1;
	else if (a->size == SIZE_CUT && p.len == 0)
		len++;
	else if (a->size == SIZE_CUT)
		p.len /= 2;
	send_frame(a->type, len, p.bytes, p.len, a->fd);
}

/*
 * ENDED: we do not come back from here.  "SURVIVED" and "UNANSWERED" are what
 * a test looks for, and that as many were fine as should be.
 */
static void
attack(const struct attack *a)
{
	char name[256];
	uint32_t want, came;

	if (!a->early && !greeted)
		do_hello(0, NULL);
	if (!a->early && !policy_known && pump(PATIENCE, MSG_POLICY) !=
	    MSG_POLICY)
		broken("no policy came");
	if (a->craft == CRAFT_TWICE || a->craft == CRAFT_BACK ||
	    a->craft == CRAFT_WRAP) {
		/* Something to go back from. */
		next_id = a->craft == CRAFT_WRAP ? UINT64_MAX : 7;
		do_ask_all(1, NULL);
	}
	attack_name(a, name, sizeof(name));
	note("attack %s", name);
	if (a->verdict == CLOSES)
		note("closes");
	attack_send(a);
	switch (a->verdict) {
	case ENDED:
		came = pump(PATIENCE, NOTHING);
		note("SURVIVED %s, %s", name, came == NOTHING ? "no answer" :
		    msg_name(came));
		return;
	case CLOSES:
		if (a->craft != CRAFT_DEAF)
			(void)pump(50, NOTHING);
		if (a->craft != CRAFT_DEAF)
			exit(0);
		/* To read would find an end that is of our own making. */
		(void)poll(NULL, 0, PATIENCE);
		note("SURVIVED %s", name);
		return;
	case QUIET:
		if (!greeted)
			do_hello(0, NULL);
		/* The id was not used. */
		do_ask_all(1, NULL);
		break;
	default:
		want = a->type == MSG_QUERY ? RESULTS :
		    a->type == MSG_HELLO ? MSG_POLICY : MSG_REPLY;
		if (pump(PATIENCE, want) != want) {
			note("UNANSWERED %s", name);
			return;
		}
		if (a->type == MSG_HELLO)
			greeted = 1;
		else
			next_id++;
	}
	note("fine %s", name);
}

/* The Nth start goes on behind the attack that ended the one before. */
static void
do_sweep(int argc, char **argv)
{
	size_t total = attacks(), first = (size_t)number(argv[0]), i;
	size_t step = (size_t)number(argv[1]), n[VERDICTS] = { 0 };

	(void)argc;
	for (i = first; i < total; i += step)
		n[list[i].verdict]++;
	i = (size_t)counter("rogue.attack", -1) * step + first;
	for (; i < total; i += step) {
		/* Each of these is to be a program's first. */
		if (list[i].early && greeted)
			exit(0);
		counter("rogue.attack", (long)(i / step) + 1);
		attack(&list[i]);
	}
	if (!greeted)
		do_hello(0, NULL);
	note("sweep done: %zu ended %zu fine %zu closed", n[ENDED],
	    n[ANSWERED] + n[QUIET], n[CLOSES]);
}

static void
do_attack(int argc, char **argv)
{
	char name[256], wanted[256] = "";
	size_t i, total = attacks(), len = 0;
	int word;

	for (word = 0; word < argc && len < sizeof(wanted); word++)
		len += (size_t)snprintf(wanted + len, sizeof(wanted) - len,
		    "%s%s", word == 0 ? "" : " ", argv[word]);
	for (i = 0; i < total; i++) {
		attack_name(&list[i], name, sizeof(name));
		if (strcmp(wanted, "list") == 0)
			note("%s", name);
		else if (strcmp(wanted, name) == 0)
			break;
	}
	if (i < total)
		attack(&list[i]);
	else if (strcmp(wanted, "list") != 0)
		broken("no attack %s", wanted);
}

/* --- the words --- */

static void
do_hello(int argc, char **argv)
{
	struct msg_hello hello;

	(void)argv;
	memset(&hello, 0, sizeof(hello));
	memcpy(hello.build, build, sizeof(hello.build));
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
	if (pump(PATIENCE, MSG_REPLY) != MSG_REPLY)
		note("UNANSWERED ask %s", argv[0]);
}

/* argc 1: only whether the monitor serves us. */
static void
do_ask_all(int argc, char **argv)
{
	char *args[1], name[64];
	int i;

	(void)argv;
	args[0] = name;
	for (i = argc == 1 ? CMD_GUEST_PING : 0; i < CMD_MAX; i++) {
		snprintf(name, sizeof(name), "%s", commands[i].name);
		do_ask(1, args);
		if (argc == 1)
			return;
	}
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

	m.id = next_id++;
	m.pid = argc > 0 ? (int64_t)number(argv[0]) : last_pid;
	if (msg_send_exec_status(&ibuf, &m) == -1)
		broken("exec-status: %s", strerror(errno));
	note("sent exec-status id %" PRIu64 " pid %" PRId64, m.id, m.pid);
	send_all();
}

static void
do_input(int argc, char **argv)
{
	static const char block[4096];
	struct msg_exec m;
	size_t left, n;

	memset(&m, 0, sizeof(m));
	m.id = next_id++;
	m.hasinput = 1;
	m.input = number(argv[0]);
	m.path = argv[2];
	m.argc = (uint32_t)argc - 3;
	m.argv = argv + 3;
	if (msg_send_exec(&ibuf, &m, -1) == -1)
		broken("exec: %s", strerror(errno));
	note("sent exec id %" PRIu64 " input %s", m.id, argv[0]);
	send_all();
	if (pump(PATIENCE, MSG_GO) != MSG_GO || go_fd == -1) {
		note("UNANSWERED exec with input");
		return;
	}
	for (left = (size_t)number(argv[1]); left > 0; left -= n) {
		n = left < sizeof(block) ? left : sizeof(block);
		send_bytes(go_fd, block, n, -1);
	}
	/* All of it, or none: then it is held open. */
	if (number(argv[1]) > 0) {
		close(go_fd);
		go_fd = -1;
	}
	note("sent input %s", argv[1]);
}

static void
do_open(int argc, char **argv)
{
	struct msg_file_open m;

	(void)argc;
	memset(&m, 0, sizeof(m));
	m.id = next_id++;
	m.base = "";
	m.path = argv[0];
	m.mode = (uint32_t)number(argv[1]);
	if (msg_send_file_open(&ibuf, &m) == -1)
		broken("open: %s", strerror(errno));
	note("sent open id %" PRIu64 " %s", m.id, argv[0]);
	send_all();
}

static void
do_freeze(int argc, char **argv)
{
	struct msg_freeze m;

	memset(&m, 0, sizeof(m));
	m.id = next_id++;
	m.command = CMD_GUEST_FSFREEZE_FREEZE_LIST;
	m.listed = 1;
	m.n = (uint32_t)argc;
	m.mounts = argv;
	if (msg_send_freeze(&ibuf, &m) == -1)
		broken("freeze: %s", strerror(errno));
	note("sent freeze id %" PRIu64, m.id);
	send_all();
}

static void
do_write(int argc, char **argv)
{
	struct msg_file m;
	uint64_t left;

	(void)argc;
	memset(&m, 0, sizeof(m));
	m.id = next_id++;
	m.handle = last_pid;
	m.number = (int64_t)number(argv[0]);
	if (msg_send_file(&ibuf, MSG_FILE_WRITE, &m, -1) == -1)
		broken("write: %s", strerror(errno));
	note("sent write id %" PRIu64 " of %s", m.id, argv[0]);
	send_all();
	if (pump(PATIENCE, MSG_GO) != MSG_GO || go_fd == -1) {
		note("UNANSWERED write");
		return;
	}
	for (left = number(argv[1]); left > 0; left--)
		send_bytes(go_fd, "x", 1, -1);
	note("sent bytes %s", argv[1]);
}

static void
do_flush(int argc, char **argv)
{
	struct msg_file m;

	(void)argc;
	(void)argv;
	memset(&m, 0, sizeof(m));
	m.id = next_id++;
	m.handle = last_pid;
	if (msg_send_file(&ibuf, MSG_FILE_FLUSH, &m, -1) == -1)
		broken("flush: %s", strerror(errno));
	note("sent flush id %" PRIu64, m.id);
	send_all();
}

static void
send_fsfreeze(enum command_id command)
{
	struct msg_request m = { next_id++, command };

	if (msg_send_request(&ibuf, MSG_FSFREEZE, &m) == -1)
		broken("fsfreeze: %s", strerror(errno));
	note("sent fsfreeze id %" PRIu64, m.id);
	send_all();
}

static void
do_status(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	send_fsfreeze(CMD_GUEST_FSFREEZE_STATUS);
}

static void
do_thaw(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	send_fsfreeze(CMD_GUEST_FSFREEZE_THAW);
}

static void
do_change(int argc, char **argv)
{
	uint32_t type = MSG_SHUTDOWN;
	size_t queued = imsgbuf_queuelen(&ibuf);

	(void)argc;
	while (type < MSG_DONE && strcmp(msg_name(type), argv[0]) != 0)
		type++;
	if ((type == MSG_SHUTDOWN && shutdown_mode() == UINT32_MAX) ||
	    compose(&ibuf, type, SIZE_VALID) == -1 ||
	    imsgbuf_queuelen(&ibuf) == queued)
		broken("%s is not refused here", argv[0]);
	note("sent %s id %" PRIu64, argv[0], next_id++);
	send_all();
}

static void
do_password(int argc, char **argv)
{
	struct msg_password m = { next_id++, 0, 0, argv[0] };

	m.secret = argc > 1 ? (uint32_t)strlen(argv[1]) : 0;
	if (msg_send_password(&ibuf, &m, -1) == -1)
		broken("password: %s", strerror(errno));
	note("sent password id %" PRIu64, m.id);
	send_all();
	if (argc == 1)
		return;
	if (pump(PATIENCE, MSG_GO) != MSG_GO || go_fd == -1) {
		note("no password is wanted");
		return;
	}
	send_bytes(go_fd, argv[1], strlen(argv[1]), -1);
	close(go_fd);
	go_fd = -1;
}

static void
do_ssh_add(int argc, char **argv)
{
	struct msg_ssh_keys m = { next_id++, CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS,
	    0, argv[0], (uint32_t)argc - 1, argv + 1 };

	if (msg_send_ssh_keys(&ibuf, &m) == -1)
		broken("ssh-add: %s", strerror(errno));
	note("sent ssh-keys id %" PRIu64, m.id);
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

/* "\n" in a word is a newline. */
static void
do_log(int argc, char **argv)
{
	char line[1024] = "", *p;
	struct msg_log m = { .level = (uint32_t)number(argv[0]) };
	size_t len = 0;
	int i;

	for (i = 1; i < argc && len < sizeof(line); i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len,
		    "%s%s", i == 1 ? "" : " ", argv[i]);
	for (p = line; (p = strstr(p, "\\n")) != NULL;)
		memcpy(p, "\r\n", 2);
	m.line = line;
	if (msg_send_log(&ibuf, MSG_LOG, &m) == -1)
		broken("log: %s", strerror(errno));
	send_all();
}

static void
do_flood(int argc, char **argv)
{
	static unsigned char bytes[64 * 64];
	unsigned char one[64];
	struct imsg_hdr hdr;
	uint64_t n = number(argv[0]), sent = 0;
	uint32_t type = type_number(argv[1]);
	size_t len, at;
	ssize_t w;

	(void)argc;
	replies = 0;
	send_all();
	for (; sent < n; sent++) {
		/* One after another, as the answers are not read meanwhile. */
		len = valid(type, SIZE_VALID, one);
		memset(&hdr, 0, sizeof(hdr));
		hdr.type = type;
		hdr.len = (uint32_t)(len + sizeof(hdr));
		memcpy(bytes, &hdr, sizeof(hdr));
		memcpy(bytes + sizeof(hdr), one, len);
		for (at = 0; at < hdr.len; at += (size_t)w) {
			w = write(CHILD_IMSG_FD, bytes + at, hdr.len - at);
			if (w >= 0)
				continue;
			if (errno != EAGAIN)
				ended();
			if (!writable(CHILD_IMSG_FD, 1000))
				goto full;
			w = 0;
		}
		next_id += type == MSG_ASK;
	}
full:
	note("flooded %s after %" PRIu64, sent == n ? "all" : "full", sent);
	while (type == MSG_ASK && replies < sent &&
	    pump(PATIENCE, MSG_REPLY) == MSG_REPLY)
		;
	note("flood answered %s", type != MSG_ASK || replies == sent ? "all" :
	    "in part");
}

static void
do_stuff(int argc, char **argv)
{
	struct msg_log log = { .level = LEVEL_INFO, .line = "stuffed" };
	struct msg_request m = { 0, CMD_GUEST_GET_HOST_NAME };
	uint64_t n = number(argv[0]), i;

	(void)argc;
	for (i = 0; i < n; i++) {
		m.id = next_id++;
		if (msg_send_request(&ibuf, MSG_QUERY, &m) == -1)
			broken("query: %s", strerror(errno));
	}
	if (msg_send_log(&ibuf, MSG_LOG, &log) == -1)
		broken("log: %s", strerror(errno));
	note("sent %" PRIu64 " queries", n);
	send_all();
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
do_signals(int argc, char **argv)
{
	char path[64];
	int pid;
	FILE *f;

	(void)argc;
	(void)argv;
	note("signal to the monitor: %s",
	    kill(getppid(), 0) == 0 ? "allowed" : strerror(errno));
	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children",
	    (long)getppid(), (long)getppid());
	if ((f = fopen(path, "re")) == NULL)
		broken("%s: %s", path, strerror(errno));
	while (fscanf(f, "%d", &pid) == 1)
		if (pid != (int)getpid())
			note("signal to a worker: %s",
			    kill(pid, 0) == 0 ? "allowed" : strerror(errno));
	fclose(f);
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
	uint32_t type = strcmp(argv[0], "results") == 0 ? RESULTS :
	    type_number(argv[0]);

	if (pump(argc > 1 ? (int)number(argv[1]) * 1000 : PATIENCE, type) !=
	    type)
		note("UNANSWERED: no %s came", argv[0]);
}

static void
do_stop(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	note("stops");
	raise(SIGSTOP);
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
	beside(marker, sizeof(marker), "marker");
	find_build();
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
