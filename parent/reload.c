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
 * SIGHUP: the configuration is read again by a child that does nothing else,
 * since a read can hang; its bytes come over a pipe and are parsed here as
 * at the start.  Until a restart a request must pass the old policy and the
 * new one; a mistake leaves the one in force.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parent.h"

#define RELOAD_FD	3
#define RELOAD_SIZE	(CONF_SIZE + 2)	/* a mark before it, a NUL behind */
#define RELOAD_PATIENCE	10		/* seconds */

static const struct conf *conf;
static int	 fd = -1;
static char	*text;
static size_t	 have;
static int	 again;		/* asked for while one was under way */

static void	 reload_child(const char *, int) __attribute__((noreturn));
static void	 reload_done(void);

void
reload_start(const struct conf *c)
{
	int pair[2];

	conf = c;
	if (conf->file == NULL)
		return;
	if (fd != -1) {
		again = 1;
		return;
	}
	if ((text = malloc(RELOAD_SIZE)) == NULL ||
	    pipe2(pair, O_CLOEXEC | O_NONBLOCK) == -1) {
		log_warn("reading %s again", conf->file);
		free(text);
		return;
	}
	switch (fork()) {
	case -1:
		log_warn("reading %s again", conf->file);
		close(pair[0]);
		close(pair[1]);
		free(text);
		return;
	case 0:
		reload_child(conf->file, pair[1]);
	}
	close(pair[1]);
	fd = pair[0];
	have = 0;
}

/* "1" and the text, or "0" and why not. */
static void
reload_child(const char *path, int out)
{
	const char *body, *why;
	char *bytes;
	sigset_t none;
	size_t len, done;
	ssize_t n;

	/* Nothing of the monitor's: neither descriptors nor signals. */
	logger_off();
	if (dup2(out, RELOAD_FD) == -1)
		_exit(1);
	closefrom(RELOAD_FD + 1);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(RELOAD_PATIENCE);
	bytes = conf_read(path, &why);
	body = bytes != NULL ? bytes : why;
	if (fcntl(RELOAD_FD, F_SETFL, 0) == -1 ||
	    write(RELOAD_FD, bytes != NULL ? "1" : "0", 1) != 1)
		_exit(1);
	/* With its NUL: half of a file must not be taken for all of it. */
	for (len = strlen(body) + 1, done = 0; done < len; done += (size_t)n)
		if ((n = write(RELOAD_FD, body + done, len - done)) == -1)
			_exit(1);
	_exit(0);
}

int
reload_pollfd(void)
{
	return (fd);
}

void
reload_read(void)
{
	ssize_t n;

	if ((n = read(fd, text + have, RELOAD_SIZE - have)) == -1) {
		if (errno == EAGAIN || errno == EINTR)
			return;
	} else if (n > 0) {
		have += (size_t)n;
		return;
	}
	close(fd);
	fd = -1;
	reload_done();
	free(text);
	text = NULL;
	if (again) {
		again = 0;
		reload_start(conf);
	}
}

static void
reload_done(void)
{
	struct conf new;
	struct policy policy;
	struct rpc *rpc;
	char err[1024];

	if (have < 2 || text[have - 1] != '\0') {
		log_error("%s could not be read again; the policy in force "
		    "stays", conf->file);
		return;
	}
	if (text[0] != '1') {
		log_error("%s: %s; the policy in force stays", conf->file,
		    text + 1);
		return;
	}
	conf_defaults(&new);
	if (conf_parse(&new, conf->file, text + 1, err, sizeof(err)) == -1) {
		log_error("%s; the policy in force stays", err);
		conf_free(&new);
		return;
	}
	/* What the command line said stays said. */
	for (rpc = conf->block; rpc != NULL; rpc = rpc->next)
		if (rpc->line == 0)
			(void)conf_list(&new.block, rpc->name, 0, err,
			    sizeof(err));
	for (rpc = conf->allow; rpc != NULL; rpc = rpc->next)
		if (rpc->line == 0) {
			new.allowset = 1;
			(void)conf_list(&new.allow, rpc->name, 0, err,
			    sizeof(err));
		}
	policy_make(&policy, &new);
	policy_reload(&policy);
	conf_free(&new);
	frontend_policy();
	log_info("%s was read again", conf->file);
}
