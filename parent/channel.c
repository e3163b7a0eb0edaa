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
 * The way to the host.  The monitor opens, binds, accepts and reopens it and
 * hands the descriptor to the frontend; it never reads or writes a byte of
 * it.  A device's descriptor is kept here as well, so that the port stays
 * ours while a frontend is being replaced.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#ifdef HAVE_LINUX_VM_SOCKETS_H
#include <linux/vm_sockets.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "parent.h"

#define BACKOFF_MIN	100
#define BACKOFF_MAX	30000
#define BACKOFF_ACCEPT	1000
#define STEADY		10000	/* open that long: the next try is soon */

static void	 device_close(void);
static int	 listen_inherited(enum method *);
static int	 listen_unix(const char *);
static int	 listen_vsock(const char *);
static int	 offer(int, enum channel_kind);
static int	 from_host(const struct sockaddr_storage *);
#ifdef HAVE_LINUX_VM_SOCKETS_H
static int	 number(const char **, unsigned long long,
		    unsigned long long *);
#endif
static void	 retry(void);

static const struct conf *conf;
static enum method	 method;
static int		 listenfd = -1;
static int		 devicefd = -1;		/* our copy of the device */
static int		 stdiofd[2];
static int		 inherited;		/* listenfd came from outside */
static int		 busy;			/* the frontend has a channel */
static int		 ready;			/* the frontend asked for one */
static int		 newline;		/* first thing on the next one */
static uint64_t		 retry_at, backoff;	/* of the device */
static uint64_t		 opened;		/* when */
static uint64_t		 accept_at;		/* not before; 0: now */

int
channel_open(const struct conf *c)
{
	const char *why;

	conf = c;
	method = c->methodno;
	if ((listenfd = listen_inherited(&method)) == -2)
		return (-1);
	if (listenfd != -1)
		return (0);
	if (c->path == NULL) {
		log_error("must specify a path for this channel");
		return (-1);
	}
	switch (method) {
	case METHOD_UNIX_LISTEN:
		return ((listenfd = listen_unix(c->path)) == -1 ? -1 : 0);
	case METHOD_VSOCK_LISTEN:
		return ((listenfd = listen_vsock(c->path)) == -1 ? -1 : 0);
	case METHOD_STDIO:
		if ((stdiofd[0] = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10)) ==
		    -1 || (stdiofd[1] = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC,
		    10)) == -1) {
			log_error("standard input and output: %s",
			    strerror(errno));
			return (-1);
		}
		return (0);
	default:
		break;
	}
	if ((devicefd = device_open(conf->path, method, &why)) != -1)
		return (0);
	if (!c->retry) {
		log_error("cannot open channel %s: %s", c->path, why);
		return (-1);
	}
	log_warnx("cannot open channel %s: %s; trying again", c->path, why);
	retry();
	return (0);
}

int
channel_pollfd(void)
{
	return (ready && !busy && accept_at == 0 ? listenfd : -1);
}

/* The frontend can take a channel. */
void
channel_offer(struct child *frontend)
{
	(void)frontend;
	ready = 1;
	if (busy)
		return;
	if (method == METHOD_STDIO) {
		(void)offer(stdiofd[1], CHANNEL_STDOUT);
		(void)offer(stdiofd[0], CHANNEL_STDIN);
	} else if (devicefd != -1 && offer(devicefd, method ==
	    METHOD_ISA_SERIAL ? CHANNEL_ISA : isatty(devicefd) ? CHANNEL_TTY :
	    CHANNEL_PORT) == -1) {
		device_close();
		retry();
	}
}

static int
offer(int fd, enum channel_kind kind)
{
	struct child *frontend;
	struct msg_channel msg;
	int copy;

	if ((frontend = child_find(ROLE_FRONTEND)) == NULL)
		return (-1);
	if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 3)) == -1) {
		log_warn("channel");
		return (-1);
	}
	msg.kind = kind;
	msg.newline = (uint32_t)(newline && kind == CHANNEL_ISA);
	if (msg_send_channel(&frontend->ibuf, &msg, copy) == -1) {
		log_warn("channel");
		return (-1);
	}
	newline = 0;
	busy = 1;
	(void)child_send(frontend);
	return (0);
}

void
channel_accept(void)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd;

	memset(&ss, 0, sizeof(ss));
	if ((fd = accept4(listenfd, (struct sockaddr *)&ss, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC)) == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK ||
		    errno == EINTR || errno == ECONNABORTED)
			return;
		/* No descriptors, say: the client still knocks. */
		log_warn("accept");
		accept_at = now_ms() + BACKOFF_ACCEPT;
		return;
	}
	if (!from_host(&ss))
		log_warnx("a client that is not the host was refused");
	else {
		log_debug("a client connected");
		(void)offer(fd, CHANNEL_STREAM);
	}
	close(fd);
}

/* By vsock a local user could come, or another guest. */
static int
from_host(const struct sockaddr_storage *ss)
{
#ifdef HAVE_LINUX_VM_SOCKETS_H
	struct sockaddr_vm svm;

	if (ss->ss_family == AF_VSOCK && !conf->test) {
		memcpy(&svm, ss, sizeof(svm));
		return (svm.svm_cid == VMADDR_CID_HOST);
	}
#else
	(void)ss;
#endif
	return (1);
}

/* The frontend closed its channel. */
int
channel_end(enum channel_end how)
{
	if (!busy)
		return (-1);
	busy = 0;
	if (method == METHOD_STDIO)
		end(0, "end of standard input");
	if (listenfd != -1) {
		log_debug("the client is gone");
		return (0);
	}
	if (how == CHANNEL_LOST)
		log_warnx("channel %s was hung up; opening it again",
		    conf->path);
	device_close();
	/* One that hangs up at once is not opened ten times a second. */
	if (now_ms() >= opened + STEADY)
		backoff = 0;
	retry();
	return (0);
}

/*
 * Half a reply may be on the wire.  A port is closed and reopened: the host
 * sees a disconnect and syncs again; a client has lost its connection
 * already; an ISA port has no such thing, there a newline ends the line.
 */
void
channel_frontend_died(void)
{
	int was = busy;

	busy = ready = 0;
	if (method == METHOD_ISA_SERIAL)
		newline = 1;
	else if (devicefd != -1 && was) {
		device_close();
		backoff = 0;
		retry();
	}
}

static void
retry(void)
{
	if (backoff == 0)
		backoff = BACKOFF_MIN;
	else if ((backoff *= 2) > BACKOFF_MAX)
		backoff = BACKOFF_MAX;
	retry_at = now_ms() + backoff;
}

void
channel_timers(uint64_t now, uint64_t *next)
{
	const char *why;

	if (accept_at != 0 && now >= accept_at)
		accept_at = 0;
	else if (accept_at != 0)
		sooner(next, accept_at);
	if (retry_at == 0)
		return;
	if (now < retry_at) {
		sooner(next, retry_at);
		return;
	}
	retry_at = 0;
	if ((devicefd = device_open(conf->path, method, &why)) == -1) {
		log_debug("cannot open channel %s: %s", conf->path, why);
		retry();
		sooner(next, retry_at);
		return;
	}
	opened = now_ms();
	log_info("channel %s is open", conf->path);
	if (ready)
		channel_offer(NULL);
}

/* The socket's name stays: the next start takes it over, as qemu-ga's. */
void
channel_close(void)
{
	device_close();
	if (listenfd != -1)
		close(listenfd);
}

/* An exec of ourselves finds the socket as a service manager hands it. */
void
channel_keep(void)
{
	char pid[32];

	if (listenfd == -1 || !inherited) {
		channel_close();
		return;
	}
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	if (dup2(listenfd, 3) == -1 || setenv("LISTEN_PID", pid, 1) == -1 ||
	    setenv("LISTEN_FDS", "1", 1) == -1)
		log_warn("socket activation");
}

/* --- devices --- */

/* What is unsent would be waited for. */
static void
device_close(void)
{
	if (devicefd == -1)
		return;
	if (isatty(devicefd))
		(void)tcflush(devicefd, TCIOFLUSH);
	close(devicefd);
	devicefd = -1;
}

/* --- sockets --- */

/* A socket from the service manager, moved off 3; -1: none; -2: error. */
static int
listen_inherited(enum method *how)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	const char *pid, *fds;
	long n;
	int fd;

	pid = getenv("LISTEN_PID");
	fds = getenv("LISTEN_FDS");
	if (pid == NULL || fds == NULL ||
	    strtol(pid, NULL, 10) != (long)getpid() ||
	    (n = strtol(fds, NULL, 10)) == 0)
		return (-1);
	/* A job must not take the socket for its own. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (n != 1) {
		log_error("qgad only supports listening on one socket, "
		    "%ld were handed over", n);
		return (-2);
	}
	memset(&ss, 0, sizeof(ss));
	if ((fd = fcntl(3, F_DUPFD_CLOEXEC, 10)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1) {
		log_warn("socket activation");
		return (-2);
	}
	close(3);
	inherited = 1;
	if (ss.ss_family == AF_UNIX)
		*how = METHOD_UNIX_LISTEN;
#ifdef AF_VSOCK
	else if (ss.ss_family == AF_VSOCK)
		*how = METHOD_VSOCK_LISTEN;
#endif
	else {
		log_error("unsupported listen fd type");
		return (-2);
	}
	return (fd);
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un sun;
	struct stat st;
	mode_t mask;
	int fd, saved;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		log_error("socket %s: the path is longer than %zu bytes",
		    path, sizeof(sun.sun_path) - 1);
		return (-1);
	}
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0)) == -1) {
		log_error("socket: %s", strerror(errno));
		return (-1);
	}
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			log_error("%s is there and is not a socket", path);
			goto fail;
		}
		if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 ||
		    errno == EAGAIN) {
			log_error("socket %s is in use: another guest agent "
			    "listens there", path);
			goto fail;
		}
		if (unlink(path) == -1) {
			log_error("unlink %s: %s", path, strerror(errno));
			goto fail;
		}
	}
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		saved = errno;
		umask(mask);
		log_error("bind %s: %s", path, strerror(saved));
		goto fail;
	}
	umask(mask);
	if (listen(fd, 1) == -1) {
		log_error("listen %s: %s", path, strerror(errno));
		goto fail;
	}
	return (fd);
fail:
	close(fd);
	return (-1);
}

#ifdef HAVE_LINUX_VM_SOCKETS_H
/* Digits at *p, up to max; moves *p past them. */
static int
number(const char **p, unsigned long long max, unsigned long long *n)
{
	char *end;

	if (**p < '0' || **p > '9')
		return (-1);
	errno = 0;
	*n = strtoull(*p, &end, 10);
	if (errno != 0 || *n > max)
		return (-1);
	*p = end;
	return (0);
}
#endif

static int
listen_vsock(const char *address)
{
#ifdef HAVE_LINUX_VM_SOCKETS_H
	struct sockaddr_vm svm;
	unsigned long long cid, port;
	const char *p = address;
	int fd;

	if (number(&p, UINT32_MAX, &cid) == -1 || *p++ != ':' ||
	    number(&p, UINT32_MAX, &port) == -1 || *p != '\0') {
		log_error("'%s' is not a vsock address <cid>:<port>", address);
		return (-1);
	}
	memset(&svm, 0, sizeof(svm));
	svm.svm_family = AF_VSOCK;
	svm.svm_cid = (unsigned int)cid;
	svm.svm_port = (unsigned int)port;
	if ((fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0)) == -1 || bind(fd, (struct sockaddr *)&svm, sizeof(svm)) ==
	    -1 || listen(fd, 1) == -1) {
		log_error("vsock %s: %s", address, strerror(errno));
		if (fd != -1)
			close(fd);
		return (-1);
	}
	return (fd);
#else
	log_error("vsock %s: this system has no vsock", address);
	return (-1);
#endif
}
