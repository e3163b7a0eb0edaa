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
 * qgad-selftest: looks whether the installation and the machine are as they
 * should be, and says so.  Started by qgad-parent for --self-test, with its
 * command line; runs as who asked, unconfined, for it looks at everything.
 * Changes nothing: the daemon that it starts to see the sandbox at work has a
 * directory of its own and listens to nobody else.  Nothing of a host's gets
 * here.  Status 1 if something is a failure.
 */

#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "selftest.h"

static char	 hidden[512];		/* what root alone would have seen */

static int	 configure(struct self *, char *, size_t);
static int	 attempt(struct self *, char *, size_t);
static void	 check_backup(const struct self *);

int
main(int argc, char *argv[])
{
	static char nothing[] = "-c", null[] = "/dev/null";
	char error[1024], *fallback[] = { argv[0], nothing, null, NULL };
	struct self self;
	enum selftest format;

	log_init("selftest", LEVEL_ERROR);
	/* argv is reordered by the first who reads it. */
	format = selftest_asked(argc, argv);
	memset(&self, 0, sizeof(self));
	self.argc = argc;
	self.argv = argv;
	self.root = geteuid() == 0;
	if (configure(&self, error, sizeof(error)) == -1)
		/* What can be looked at without is. */
		options(3, fallback, &self.conf);
	else
		*error = '\0';
	policy_make(&self.policy, &self.conf);
	if (see_processes(&self.procs, &self.nprocs) == -1)
		say(WARNING, "processes", "this system does not show them: "
		    "neither the service nor the sandbox was looked at");

	check_configuration(&self, error);
	check_rules(&self);
	check_users(&self);
	check_chroot();
	check_programs();
	check_statedir(&self);
	check_service(&self);
	check_channel(&self);
	if (!check_marker(&self))
		check_cage(&self);
	check_hooks(&self);
	check_mounts(&self);
	check_clock(&self);
	check_tools(&self);
	if (*hidden != '\0')
		say(WARNING, "root", "not seen without root: %s; run this as "
		    "root", hidden);
	check_backup(&self);
	return (say_all(format == SELFTEST_JSON) > 0);
}

int
allowed(const struct self *self, const char *command)
{
	int id = command_lookup(command);

	return (id != -1 && self->policy.command[id].allowed);
}

void
unseen(const char *what)
{
	if (*hidden != '\0')
		strlcat(hidden, ", ", sizeof(hidden));
	strlcat(hidden, what, sizeof(hidden));
}

/* A mistake ends the program that reads it: let that be another one. */
static int
configure(struct self *self, char *error, size_t size)
{
	if (attempt(self, error, size) == -1)
		return (-1);
	options(self->argc, self->argv, &self->conf);
	return (0);
}

static int
attempt(struct self *self, char *error, size_t size)
{
	int pair[2], status;
	size_t have = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(pair) == -1 || (pid = fork()) == -1)
		fatal("fork");
	if (pid == 0) {
		if (dup2(pair[1], STDERR_FILENO) == -1 ||
		    dup2(pair[1], STDOUT_FILENO) == -1)
			_exit(1);
		options(self->argc, self->argv, &self->conf);
		/* Not through exit(3): one that ends there was refused. */
		_exit(2);
	}
	close(pair[1]);
	while (have < size - 1 && (n = read(pair[0], error + have,
	    size - 1 - have)) > 0)
		have += (size_t)n;
	error[have] = '\0';
	close(pair[0]);
	error[strcspn(error, "\n")] = '\0';
	if (strncmp(error, "qgad: ", 6) == 0)
		memmove(error, error + 6, strlen(error + 6) + 1);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			fatal("waitpid");
	return (WIFEXITED(status) && WEXITSTATUS(status) == 2 ? 0 : -1);
}

/* Will a host's backup find what it needs? */
static void
check_backup(const struct self *self)
{
	char names[512];

	failing(names, sizeof(names));
	if (command_lookup("guest-fsfreeze-freeze") == -1)
		say(WARNING, "backup", "there is no freeze here: a host's "
		    "snapshot is what a power failure would leave");
	else if (!allowed(self, "guest-fsfreeze-freeze") ||
	    !allowed(self, "guest-fsfreeze-thaw") ||
	    !allowed(self, "guest-fsfreeze-status"))
		say(WARNING, "backup", "not ready: the configuration blocks "
		    "guest-fsfreeze-freeze, -thaw or -status");
	else if (*names != '\0')
		say(FAILURE, "backup", "not ready because of: %s", names);
	else if (worst("service") != OK)
		say(WARNING, "backup", "ready as soon as the service runs");
	else
		say(OK, "backup", "ready: a host can freeze, take its "
		    "snapshot and thaw");
}
