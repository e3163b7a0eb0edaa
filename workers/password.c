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
 * A password: base64 on a socket from the frontend, a line on the standard
 * input of the system's own tool.  In between it is in locked memory that is
 * wiped before the tool starts; it is in no argument, variable, file or log.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "account.h"
#include "control.h"
#include "imsg.h"
#include "log.h"
#include "tool.h"

#define LIMIT		25000	/* ms, within the command's deadline */
#define FAILED		"child process has failed to set user password"

/* The line fits what a pipe takes at once, whoever reads. */
_Static_assert(MSG_USER_MAX + MSG_SECRET_MAX / 4 * 3 + 2 <= 4096, "PIPE_BUF");

static int	 may_change(const char *, struct outcome *);
static const char *const *choose(int, struct outcome *);
static int	 name(const char *const *, const char *,
		    const char *[ACCOUNT_ARGS + 1], struct outcome *);
static char	*fetch(struct imsgbuf *, int, size_t);
static char	*compose(const struct msg_password *, char *, size_t *,
		    struct outcome *);
static void	 forget(void *);
static int	 fill(const char *, size_t);

void
password_order(struct imsgbuf *ib, struct imsg *imsg, struct outcome *o)
{
	struct msg_password m;
	struct tool tool;
	const char *const *way;
	const char *argv[ACCOUNT_ARGS + 1];
	char *line, *text;
	size_t len, skip = 0;
	int fd, named = 0;

	if (msg_recv_password(imsg, &m) == -1)
		fatal("bad message: password");
	o->id = m.id;
	fd = imsg_get_fd(imsg);
	if ((fd == -1) != (m.secret == 0))
		fatalx("a password without its socket");
	if (sodium_init() == -1)
		fatalx("libsodium cannot start");
	text = fetch(ib, fd, m.secret);
	line = may_change(m.username, o) ? compose(&m, text, &len, o) : NULL;
	forget(text);
	memset(&tool, 0, sizeof(tool));
	if (line == NULL || (way = choose((int)m.crypted, o)) == NULL ||
	    (named = name(way, m.username, argv, o)) == -1) {
		forget(line);
		return;
	}
	if (named)
		skip = strlen(m.username) + 1;
	tool.argv = argv;
	tool.input = fill(line + skip, len - skip);
	forget(line);
	tool.limit = LIMIT;
	tool_run(&tool, ib);
	if (tool.gone)
		exit(0);
	tool_explain(&tool, FAILED, o->text, sizeof(o->text));
}

/* Who is not to be found is nobody of whom it could be said. */
static int
may_change(const char *name, struct outcome *o)
{
	const struct passwd *pw;

	if (!o->notroot)
		return (1);
	errno = 0;
	if ((pw = getpwnam(name)) == NULL) {
		account_fail(o, "failed to lookup user '%.256s': %s", name,
		    errno == 0 ? "there is none" : strerror(errno));
		return (0);
	}
	return (account_judge(o, name, pw->pw_uid) == 0);
}

/* The first way whose program is here. */
static const char *const *
choose(int crypted, struct outcome *o)
{
	const char *const *argv;
	unsigned int i;

	for (i = 0; (argv = account_chpasswd(crypted, i)) != NULL; i++)
		if (tool_there(argv[0]))
			return (argv);
	account_fail(o, FAILED ": no tool for it is here");
	return (NULL);
}

/*
 * The arguments with the user's name where it goes; 1: it is among them, 0:
 * it is not; -1: it would be taken for an option.
 */
static int
name(const char *const *way, const char *user,
    const char *argv[ACCOUNT_ARGS + 1], struct outcome *o)
{
	int i, named = 0;

	memset(argv, 0, sizeof(*argv) * (ACCOUNT_ARGS + 1));
	for (i = 0; i < ACCOUNT_ARGS && way[i] != NULL; i++) {
		argv[i] = way[i];
		if (way[i][0] == '\0') {
			argv[i] = user;
			named = 1;
		}
	}
	if (named && (user[0] == '-' || user[0] == '\0'))
		return (account_fail(o, "forbidden characters in username"));
	return (named);
}

/* What the frontend has for us, all of it; it or the monitor may go. */
static char *
fetch(struct imsgbuf *ib, int fd, size_t len)
{
	struct pollfd pfd[2];
	char *text;
	size_t have = 0;
	ssize_t n;

	if ((text = sodium_malloc(len + 1)) == NULL)
		fatal("sodium_malloc");
	text[len] = '\0';
	while (have < len) {
		memset(pfd, 0, sizeof(pfd));
		pfd[0].fd = fd;
		pfd[1].fd = ib->fd;
		pfd[0].events = pfd[1].events = POLLIN;
		if (poll(pfd, 2, -1) == -1 && errno != EINTR)
			fatal("poll");
		if (pfd[1].revents != 0) {
			forget(text);
			exit(0);
		}
		n = read(fd, text + have, len - have);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0) {
			forget(text);
			fatalx("the password broke off");
		}
		have += (size_t)n;
	}
	if (fd != -1)
		close(fd);
	return (text);
}

/*
 * "user:password\n", decoded in its place; NULL: o says what is wrong.  A
 * newline would begin another user's line; behind a colon a hash would be
 * cut, or reach the next field of the shadow file.
 */
static char *
compose(const struct msg_password *m, char *text, size_t *len,
    struct outcome *o)
{
	size_t user = strlen(m->username), room = m->secret / 4 * 3 + 3;
	size_t n, at = user + 1;
	char *line;

	if ((line = sodium_malloc(at + room + 1)) == NULL)
		fatal("sodium_malloc");
	memcpy(line, m->username, user);
	line[user] = ':';
	if (sodium_base642bin((unsigned char *)line + at, room, text,
	    m->secret, "\r\n", &n, NULL, sodium_base64_VARIANT_ORIGINAL) ==
	    -1)
		account_fail(o, "Base64 data contains invalid characters");
	else if (memchr(line + at, '\n', n) != NULL ||
	    memchr(line + at, '\0', n) != NULL ||
	    (m->crypted && memchr(line + at, ':', n) != NULL))
		account_fail(o, "forbidden characters in raw password");
	else if (strpbrk(m->username, ":\n") != NULL)
		account_fail(o, "forbidden characters in username");
	else {
		line[at + n] = '\n';
		*len = at + n + 1;
		return (line);
	}
	forget(line);
	return (NULL);
}

static void
forget(void *secret)
{
	if (DEFENCE(CONTROL_WIPE))
		sodium_free(secret);	/* wipes */
}

/* A pipe with the line in it, and nobody to write more. */
static int
fill(const char *line, size_t len)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1 ||
	    fcntl(fds[1], F_SETFL, O_NONBLOCK) == -1)
		fatal("pipe");
	if (write(fds[1], line, len) != (ssize_t)len)
		fatal("pipe of %zu bytes", len);
	close(fds[1]);
	return (fds[0]);
}
