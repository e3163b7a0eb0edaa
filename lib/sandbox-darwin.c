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
 * macOS: a profile for sandbox_init(3), deprecated, its header gone, the
 * function there.  Not yet run on the system.
 */

#include <sys/types.h>

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "confine.h"
#include "control.h"
#include "log.h"

/* <sys/ptrace.h> is not among the headers this is checked with. */
#define PT_DENY_ATTACH	31

int	 ptrace(int, pid_t, void *, int);
int	 sandbox_init(const char *, uint64_t, char **);
void	 sandbox_free_error(char *);

#define DENY	"(version 1)\n(deny default)\n"

static const char *const profiles[ROLE_MAX] = {
	[ROLE_FRONTEND] = DENY,
	[ROLE_QUERY] = DENY
	    "(allow sysctl-read)\n"
	    /* Links, which are looked at on the way. */
	    "(allow file-read-metadata (literal \"/etc\")"
	    " (literal \"/var\"))\n"
	    "(allow file-read* (literal \"/dev\")"
	    " (literal \"/etc/localtime\")"
	    " (literal \"/private/etc/localtime\")"
	    " (literal \"/private/var/run/utmpx\")"
	    " (subpath \"/private/var/db/timezone\")"
	    " (subpath \"/usr/share/zoneinfo\"))\n"
	    "(allow system-socket)\n",
	[ROLE_EXEC_SPARE] = DENY,
	[ROLE_EXEC] = DENY,
	[ROLE_FILE] = DENY,
	[ROLE_LOG] = DENY
};

const char *
sandbox_name(void)
{
	return ("sandbox profile");
}

uint32_t
sandbox_without(enum role role)
{
	(void)role;
	return (0);
}

int
sandbox_prepare(const struct confinement *row, const char **what)
{
	(void)row;
	(void)what;
	return (0);
}

int
sandbox_privs(const struct confinement *row, const char **what)
{
	(void)row;
	(void)what;
	return (0);
}

int
sandbox_enter(const struct confinement *row, const char **what)
{
	char *error = NULL;

	*what = "PT_DENY_ATTACH";
	if (row->steps & STEP_UNDUMP && DEFENCE(CONTROL_UNDUMP) &&
	    ptrace(PT_DENY_ATTACH, 0, NULL, 0) == -1)
		return (-1);
	if (!(row->steps & STEP_SYSCALLS) || !DEFENCE(CONTROL_SYSCALLS))
		return (0);
	*what = "sandbox_init";
	if (profiles[row->role] == NULL) {
		errno = EINVAL;
		return (-1);
	}
	if (sandbox_init(profiles[row->role], 0, &error) == -1) {
		log_error("sandbox_init: %s", error != NULL ? error : "?");
		sandbox_free_error(error);
		errno = EPERM;
		return (-1);
	}
	return (0);
}
