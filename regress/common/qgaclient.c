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
 * A host for the tests: sends requests to a guest agent over a Unix socket
 * or a terminal device and prints the reply lines, or plays what Proxmox VE
 * and libvirt do.  Writing and reading go on at the same time, so nothing
 * deadlocks however much is piped through.
 *
 * Exit status: 0 all came; 1 usage or a failing system call; 2 fewer replies
 * than asked for, or wrong ones (said on standard error).
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define EXIT_REPLIES	2
#define REPLY_LIMIT	(64UL * 1024 * 1024)

struct buffer {
	char	*data;
	size_t	 len, size;
};

struct options {
	const char	*path;
	int64_t		 deadline;	/* us, monotonic */
	long		 replies;	/* -1: until end of file */
	long		 delay;		/* us between writes */
	size_t		 chunk;		/* bytes a write, 0: all */
	int		 halfclose, closeatonce;
	int		 whole;		/* what is behind the replies, too */
	int		 first;		/* -P: 0xFF before the sync */
	int		 leave;		/* close with a reply unread */
	int		 patient;	/* a timeout is the caller's to judge */
};

static void	 usage(void) __attribute__((noreturn));
static void	 die(int, const char *, ...)
		    __attribute__((noreturn, format(printf, 2, 3)));
static int64_t	 now_us(void);
static long	 number(const char *, const char *);
static void	 append(struct buffer *, const void *, size_t);
static void	 read_stdin(struct buffer *);
static int	 connect_socket(const struct options *);
static int	 open_device(const char *);
static int	 open_path(const struct options *);
static int	 open_master(const char *, int *);
static void	 nonblocking(int);
static int	 converse(int, const struct options *, const struct buffer *,
		    struct buffer *);
static long	 take(const char *, size_t, long *);
static int	 write_some(int, const struct options *, const char *, size_t);
static void	 raw(int, const char *);
static long	 lines(const struct buffer *);
static void	 line_pair(const struct buffer *, const char *);
static void	 proxmox(struct options *, char **, int);
static void	 libvirt(struct options *, char **, int);
static void	 hang_up(int, int, struct options *, const struct buffer *);
static void	 on_signal(int);
static void	 await_signal(int64_t);

static volatile sig_atomic_t	 signalled;

static void
usage(void)
{
	fprintf(stderr, "usage: qgaclient [-CcfLhPsx] [-d delay-us] "
	    "[-n replies] [-t seconds]\n"
	    "           PATH [REQUEST ...]\n"
	    "       qgaclient -M [options] LINK [REQUEST ...]\n"
	    "PATH is a socket or a terminal device; each REQUEST gets a "
	    "newline; without\n"
	    "REQUEST standard input is sent as it is.\n"
	    " -C close once a reply came, unread     -c close after sending, "
	    "read nothing\n"
	    " -h half-close after sending\n"
	    " -d wait so long between writes        -s one byte a write\n"
	    " -n end after so many replies          -t give up after seconds "
	    "(10)\n"
	    " -x no newline after a REQUEST\n"
	    " -P as Proxmox VE: delimited sync and command in one write, a "
	    "connection each; -f: after a 0xFF\n"
	    " -L as libvirt: one connection, sync first, then one command "
	    "after another\n"
	    " -M make a pseudo terminal with the kernel's settings, LINK "
	    "names its slave\n"
	    " -u with -M: raw line; after the replies hang the line up, say "
	    "so, wait for SIGUSR1,\n"
	    "    then ask the same again\n"
	    " -w with -M: nothing is sent before SIGUSR1\n");
	exit(1);
}

static void
die(int status, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "qgaclient: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

static int64_t
now_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		die(1, "clock_gettime: %s", strerror(errno));
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static long
number(const char *s, const char *what)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || n < 0)
		die(1, "%s: not a number: %s", what, s);
	return (n);
}

static void
append(struct buffer *b, const void *data, size_t len)
{
	size_t size;
	char *p;

	if (b->len + len > b->size) {
		size = (b->len + len) * 2;
		if ((p = realloc(b->data, size)) == NULL)
			die(1, "out of memory");
		b->data = p;
		b->size = size;
	}
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void
read_stdin(struct buffer *b)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0)
		append(b, chunk, (size_t)n);
	if (n == -1)
		die(1, "standard input: %s", strerror(errno));
}

/*
 * A daemon that is starting is waited for, as is one that does not accept,
 * for whose backlog a connect(2) that may block would wait without end.
 */
static int
connect_socket(const struct options *o)
{
	const struct timespec pause = { 0, 10000000 };
	struct sockaddr_un sun;
	int error, fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlen(o->path) >= sizeof(sun.sun_path))
		die(1, "%s: path too long for a socket", o->path);
	memcpy(sun.sun_path, o->path, strlen(o->path));
	for (;;) {
		if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
			die(1, "socket: %s", strerror(errno));
		nonblocking(fd);
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
			return (fd);
		error = errno;
		close(fd);
		if (error != ENOENT && error != ECONNREFUSED &&
		    error != EAGAIN && error != EINTR)
			die(1, "connect %s: %s", o->path, strerror(error));
		if (now_us() >= o->deadline)
			die(EXIT_REPLIES, "connect %s: %s, given up", o->path,
			    strerror(error));
		nanosleep(&pause, NULL);
	}
}

/* The host's own end of a line: raw, or it would echo the replies. */
static int
open_device(const char *path)
{
	int fd;

	if ((fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK)) == -1)
		die(1, "open %s: %s", path, strerror(errno));
	if (isatty(fd))
		raw(fd, path);
	return (fd);
}

static void
raw(int fd, const char *path)
{
	struct termios t;

	if (tcgetattr(fd, &t) == -1)
		die(1, "tcgetattr %s: %s", path, strerror(errno));
	t.c_iflag = 0;
	t.c_oflag &= ~(tcflag_t)OPOST;
	t.c_lflag = 0;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSANOW, &t) == -1)
		die(1, "tcsetattr %s: %s", path, strerror(errno));
}

static int
open_path(const struct options *o)
{
	struct stat st;
	int fd;

	if (stat(o->path, &st) == -1 || S_ISSOCK(st.st_mode))
		fd = connect_socket(o);
	else
		fd = open_device(o->path);
	nonblocking(fd);
	return (fd);
}

/* The slave stays open here too, as a port does that nobody unplugs. */
static int
open_master(const char *path, int *slave)
{
	const char *name;
	int fd;

	if ((fd = posix_openpt(O_RDWR | O_NOCTTY)) == -1 ||
	    grantpt(fd) == -1 || unlockpt(fd) == -1 ||
	    (name = ptsname(fd)) == NULL ||
	    (*slave = open(name, O_RDWR | O_NOCTTY)) == -1)
		die(1, "pseudo terminal: %s", strerror(errno));
	if (unlink(path) == -1 && errno != ENOENT)
		die(1, "unlink %s: %s", path, strerror(errno));
	if (symlink(name, path) == -1)
		die(1, "symlink %s: %s", path, strerror(errno));
	nonblocking(fd);
	return (fd);
}

static void
nonblocking(int fd)
{
	int flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		die(1, "fcntl: %s", strerror(errno));
}

/*
 * Bytes of data up to the end of the last line wanted; *left counts down.
 * Empty lines are no replies.
 */
static long
take(const char *data, size_t len, long *left)
{
	static int empty = 1;
	size_t i;

	for (i = 0; i < len && *left != 0; i++) {
		if (data[i] != '\n') {
			empty = 0;
			continue;
		}
		if (!empty && *left > 0)
			--*left;
		empty = 1;
	}
	return ((long)i);
}

/* Bytes written, 0 for later, -1: the agent has closed. */
static int
write_some(int fd, const struct options *o, const char *data, size_t len)
{
	ssize_t n;

	if (o->chunk != 0 && len > o->chunk)
		len = o->chunk;
	if (len > 65536)
		len = 65536;
	if ((n = write(fd, data, len)) != -1)
		return ((int)n);
	if (errno == EAGAIN || errno == EINTR)
		return (0);
	if (errno == EPIPE || errno == ECONNRESET)
		return (-1);
	die(1, "write: %s", strerror(errno));
}

/* 0, or -1: timeout, if the caller is patient. */
static int
converse(int fd, const struct options *o, const struct buffer *out,
    struct buffer *in)
{
	char chunk[65536];
	struct pollfd pfd;
	size_t sent = 0;
	ssize_t n;
	long left = o->replies, used, want = o->replies, came = 0;
	int64_t next = 0, now, wait;
	int halfclosed = 0, k;

	pfd.fd = fd;
	while (left != 0 || sent < out->len) {
		if ((now = now_us()) >= o->deadline && o->patient)
			return (-1);
		if (now >= o->deadline)
			die(EXIT_REPLIES, "timeout: %ld of %ld replies, %zu of "
			    "%zu bytes sent", came, want, sent, out->len);
		pfd.events = o->closeatonce ? 0 : POLLIN;
		if (sent < out->len && now >= next)
			pfd.events |= POLLOUT;
		wait = sent < out->len && next > now ? next : o->deadline;
		if (poll(&pfd, 1, (int)((wait - now) / 1000) + 1) == -1 &&
		    errno != EINTR)
			die(1, "poll: %s", strerror(errno));
		if (sent < out->len && now_us() >= next) {
			k = write_some(fd, o, out->data + sent,
			    out->len - sent);
			if (k == -1 && o->closeatonce)
				return (0);
			if (k == -1)
				sent = out->len;	/* read what is left */
			else
				sent += (size_t)k;
			next = o->delay > 0 ? now_us() + o->delay : 0;
		}
		if (sent == out->len && (o->closeatonce || (o->leave &&
		    pfd.revents & POLLIN)))
			return (0);
		if (sent == out->len && o->halfclose && !halfclosed) {
			if (shutdown(fd, SHUT_WR) == -1 && errno != ENOTSOCK &&
			    errno != ENOTCONN)
				die(1, "shutdown: %s", strerror(errno));
			halfclosed = 1;
		}
		if (o->closeatonce || o->leave ||
		    (pfd.revents & ~POLLOUT) == 0)
			continue;
		if ((n = read(fd, chunk, sizeof(chunk))) == -1) {
			if (errno == EAGAIN || errno == EINTR)
				continue;
			die(EXIT_REPLIES, "read: %s after %ld of %ld replies",
			    strerror(errno), came, want);
		}
		if (n == 0) {
			if (want == -1)
				return (0);
			die(EXIT_REPLIES, "the agent closed after %ld of %ld "
			    "replies", came, want);
		}
		used = take(chunk, (size_t)n, &left);
		if (o->whole)
			used = n;
		came = want - left;
		if (in != NULL) {
			append(in, chunk, (size_t)used);
			if (in->len > REPLY_LIMIT)
				die(EXIT_REPLIES, "reply too long");
		} else if (fwrite(chunk, 1, (size_t)used, stdout) !=
		    (size_t)used || fflush(stdout) == EOF)
			die(1, "standard output: %s", strerror(errno));
	}
	return (0);
}

/* Those behind the last 0xFF; before it is what an earlier client left. */
static long
lines(const struct buffer *in)
{
	long n = 0;
	size_t i;
	int seen = 0;

	for (i = 0; i < in->len; i++) {
		if ((unsigned char)in->data[i] == 0xff) {
			seen = 1;
			n = 0;
		} else
			n += in->data[i] == '\n';
	}
	return (seen ? n : 0);
}

/*
 * Proxmox VE's rule: bytes up to the last 0xFF are dropped, then come two
 * lines, each ending in '}', the first {"return": ID} and nothing else.
 */
static void
line_pair(const struct buffer *in, const char *id)
{
	const char *p = in->data, *end = in->data + in->len, *nl, *nl2;
	char expect[64];
	size_t len;

	for (nl = end; nl > p; nl--)
		if ((unsigned char)nl[-1] == 0xff)
			break;
	if (nl == p)
		die(EXIT_REPLIES, "no 0xFF in the reply");
	p = nl;
	len = (size_t)snprintf(expect, sizeof(expect), "{\"return\": %s}\n",
	    id);
	if ((size_t)(end - p) < len || memcmp(p, expect, len) != 0)
		die(EXIT_REPLIES, "the first line is not {\"return\": %s}: "
		    "%.*s", id, (int)(end - p > 100 ? 100 : end - p), p);
	p += len;
	nl2 = memchr(p, '\n', (size_t)(end - p));
	if (nl2 == NULL || nl2 + 1 != end || nl2 == p || nl2[-1] != '}')
		die(EXIT_REPLIES, "the second line is not one complete reply");
	fwrite(p, 1, (size_t)(end - p), stdout);
}

static void
proxmox(struct options *o, char **requests, int n)
{
	struct buffer in, out;
	char head[128], id[32];
	int fd, i;

	memset(&in, 0, sizeof(in));
	memset(&out, 0, sizeof(out));
	o->whole = 1;
	for (i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "%ld0%d", (long)getpid(), i + 1);
		snprintf(head, sizeof(head), "{\"execute\":"
		    "\"guest-sync-delimited\",\"arguments\":{\"id\":%s}}\n",
		    id);
		in.len = out.len = 0;
		if (o->first)
			append(&out, "\xff", 1);
		append(&out, head, strlen(head));
		append(&out, requests[i], strlen(requests[i]));
		append(&out, "\n", 1);
		fd = open_path(o);
		do {
			o->replies = 2 - lines(&in);
			(void)converse(fd, o, &out, &in);
			out.len = 0;
		} while (lines(&in) < 2);
		close(fd);
		line_pair(&in, id);
	}
	free(in.data);
	free(out.data);
}

/* Garbage is borne as the answer to the first sync alone, then one retry. */
static void
libvirt(struct options *o, char **requests, int n)
{
	struct buffer in, out;
	char expect[64], text[128];
	struct timespec ts;
	int64_t id;
	int fd, i, tries;

	memset(&in, 0, sizeof(in));
	memset(&out, 0, sizeof(out));
	o->replies = 1;
	fd = open_path(o);
	for (tries = 0;; tries++) {
		if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
			die(1, "clock_gettime: %s", strerror(errno));
		id = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
		in.len = out.len = 0;
		snprintf(text, sizeof(text), "{\"execute\":\"guest-sync\", "
		    "\"arguments\":{\"id\":%" PRId64 "}}\n", id);
		snprintf(expect, sizeof(expect), "{\"return\": %" PRId64 "}\n",
		    id);
		append(&out, text, strlen(text));
		(void)converse(fd, o, &out, &in);
		if (in.len == strlen(expect) &&
		    memcmp(in.data, expect, in.len) == 0)
			break;
		if (tries == 1)
			die(EXIT_REPLIES, "sync: %.*s is not %s", (int)in.len,
			    in.data, expect);
	}
	for (i = 0; i < n; i++) {
		in.len = out.len = 0;
		append(&out, requests[i], strlen(requests[i]));
		append(&out, "\n", 1);
		(void)converse(fd, o, &out, &in);
		if (in.len < 3 || in.data[0] != '{' ||
		    memcmp(in.data + in.len - 2, "}\n", 2) != 0)
			die(EXIT_REPLIES, "no whole line: %.*s", (int)in.len,
			    in.data);
		fwrite(in.data, 1, in.len, stdout);
	}
	close(fd);
	free(in.data);
	free(out.data);
}

static void
on_signal(int sig)
{
	(void)sig;
	signalled = 1;
}

static void
await_signal(int64_t deadline)
{
	const struct timespec pause = { 0, 20000000 };

	while (!signalled) {
		if (now_us() >= deadline)
			die(EXIT_REPLIES, "timeout: no SIGUSR1");
		nanosleep(&pause, NULL);
	}
	signalled = 0;
}

/*
 * The carrier drops: every descriptor of the slave is dead from then on, as
 * a virtio port is while no host holds it; its name can be opened anew.
 * What is sent before the agent has done so may be flushed: it is repeated.
 */
static void
hang_up(int fd, int slave, struct options *o, const struct buffer *out)
{
#ifdef TIOCVHANGUP
	int64_t last = o->deadline;
	const char *name;
	int again;

	if (ioctl(slave, TIOCVHANGUP) == -1)
		die(1, "TIOCVHANGUP: %s", strerror(errno));
	if ((name = ptsname(fd)) == NULL ||
	    (again = open(name, O_RDWR | O_NOCTTY)) == -1)
		die(1, "opening the slave again: %s", strerror(errno));
	raw(again, name);
	printf("hung up\n");
	fflush(stdout);
	await_signal(last);
	o->patient = 1;
	do {
		if (now_us() >= last)
			die(EXIT_REPLIES, "timeout: no reply since the line "
			    "was hung up");
		o->deadline = now_us() + 1000000;
	} while (converse(fd, o, out, NULL) == -1);
	close(again);
#else
	(void)fd;
	(void)slave;
	(void)o;
	(void)out;
	die(1, "-u: this system cannot hang a line up");
#endif
}

int
main(int argc, char *argv[])
{
	struct options o;
	struct buffer out;
	int ch, fd, hangup = 0, i, master = 0, mode = 0, newline = 1;
	int slave = -1, wait = 0;
	long seconds = 10;

	memset(&o, 0, sizeof(o));
	memset(&out, 0, sizeof(out));
	o.replies = -2;
	while ((ch = getopt(argc, argv, "Ccd:fhLMn:Pst:uwx")) != -1)
		switch (ch) {
		case 'C':
			o.leave = 1;
			break;
		case 'c':
			o.closeatonce = 1;
			break;
		case 'd':
			o.delay = number(optarg, "-d");
			break;
		case 'f':
			o.first = 1;
			break;
		case 'h':
			o.halfclose = 1;
			break;
		case 'L':
		case 'P':
			mode = ch;
			break;
		case 'M':
			master = 1;
			break;
		case 'n':
			o.replies = number(optarg, "-n");
			break;
		case 's':
			o.chunk = 1;
			break;
		case 't':
			seconds = number(optarg, "-t");
			break;
		case 'u':
			hangup = 1;
			break;
		case 'w':
			wait = 1;
			break;
		case 'x':
			newline = 0;
			break;
		default:
			usage();
		}
	argc -= optind;
	argv += optind;
	if (argc < 1 || ((hangup || wait) && !master) ||
	    (mode != 0 && argc < 2))
		usage();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, on_signal);
	o.path = argv[0];
	o.deadline = now_us() + (int64_t)seconds * 1000000;
	if (mode == 'P')
		proxmox(&o, argv + 1, argc - 1);
	else if (mode == 'L')
		libvirt(&o, argv + 1, argc - 1);
	if (mode != 0)
		return (fflush(stdout) == EOF);

	if (argc == 1) {
		read_stdin(&out);
		if (o.replies == -2 && !o.closeatonce) {
			o.replies = -1;
			o.halfclose = 1;
		}
	}
	for (i = 1; i < argc; i++) {
		append(&out, argv[i], strlen(argv[i]));
		append(&out, "\n", (size_t)newline);
	}
	if (o.replies == -2)
		o.replies = argc - 1;
	fd = master ? open_master(argv[0], &slave) : open_path(&o);
	if (hangup)
		raw(slave, "slave");
	if (wait)
		await_signal(o.deadline);
	(void)converse(fd, &o, &out, NULL);
	if (hangup)
		hang_up(fd, slave, &o, &out);
	close(fd);
	if (slave != -1)
		close(slave);
	free(out.data);
	return (0);
}
