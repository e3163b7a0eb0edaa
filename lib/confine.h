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
 * The one prologue of every child, and the one table that says how each role
 * is confined.  The tests read the same table and compare it with what the
 * system says of the running processes.
 */

#ifndef CONFINE_H
#define CONFINE_H

#include <sys/types.h>

#include <stdint.h>

enum role {
	ROLE_MONITOR,
	ROLE_FRONTEND,
	ROLE_QUERY,
	ROLE_EXEC_SPARE,	/* waits for a job, as its child does, which is */
				/* root and becomes the job */
	ROLE_EXEC,		/* the same process once its job runs */
	ROLE_FILE_OPENING,	/* root, until it has opened its one file */
	ROLE_FILE,		/* the same process, with that alone */
	ROLE_SYSTEM,
	ROLE_HOOK,
	ROLE_ACCOUNT,
	ROLE_FREEZE,		/* holds what it froze, and thaws it */
	ROLE_KEEPER,		/* its child, thaws what it left frozen */
	ROLE_LOG,
	ROLE_MAX
};

enum account { ACCOUNT_ROOT, ACCOUNT_FRONTEND, ACCOUNT_WORKER };

/* Steps that a role's row names; each that is named is fatal if it fails. */
#define STEP_CHROOT	0x001	/* into the empty directory, chdir / */
#define STEP_IDS	0x002	/* setgroups, setresgid, setresuid, proven */
#define STEP_RLIMITS	0x004	/* core 0, fsize 0, nproc 0 (and see nofile) */
#define STEP_UNDUMP	0x008	/* not dumpable, not traceable; core 0 */
#define STEP_CAPS	0x010	/* bounding set and all sets emptied (Linux) */
#define STEP_NONEWPRIVS	0x020	/* no_new_privs (Linux) */
#define STEP_LANDLOCK	0x040	/* where the kernel has it (Linux) */
#define STEP_SYSCALLS	0x080	/* seccomp, pledge, capsicum, seatbelt */
#define STEP_ALL	0x0ff
#define MAY_WRITE	0x100	/* no step: RLIMITS leaves fsize alone */
#define KEEP_CAPS	0x200	/* no step: keepcaps without landlock too */

struct confinement {
	enum role	 role;
	const char	*name;		/* in ps, in the log */
	const char	*program;	/* file name in libexec, NULL: none */
	enum account	 account;
	uint32_t	 steps;
	uint64_t	 keepcaps;	/* bit mask, Linux, when landlock is on */
	int		 nofile;	/* RLIMIT_NOFILE; 0: left alone */
};

extern const struct confinement confinements[ROLE_MAX];

/*
 * A child is started as
 *	PROGRAM --worker IDS LEVEL [ROLE'S OWN ...]
 * (qgad with --frontend in place of --worker).  IDS is "uid:gid" of the
 * account the role ends as, looked up by the monitor at its start; or "-"
 * under --test without root: no chroot and no id is dropped then, the other
 * steps are taken.  LEVEL is a number of enum log_level.
 */
struct ids {
	uid_t	 uid;
	gid_t	 gid;
	int	 drop;		/* 0: stay who we are */
	int	 files;		/* 1: may write files that are open already */
};

/*
 * Take the steps of the role's row, in the table's order, for this process.
 * Does not return on failure: logs which step failed, and exits.
 */
void	 confine(enum role, const struct ids *);

/*
 * The start of every child's main(), the frontend's too: arguments as above,
 * descriptor 3 must be a socket (run by hand, it says so and exits 1); imsg
 * on it, non-blocking; log lines sent to the monitor; process title; own
 * session; INT, HUP, TERM, USR1, PIPE ignored.  Does not return on failure.
 * The caller then opens what needs root, calls confine(), child_ready().
 */
struct imsgbuf;
void	 child_start(enum role, int argc, char *argv[], struct imsgbuf *,
	    struct ids *);
/* Sends the hello with the build's id. */
void	 child_ready(enum role, struct imsgbuf *);

#define CHILD_IMSG_FD	3
#define CHILD_DATA_FD	4	/* roles that start with a data socket */

/* The system's half: sandbox-<system>.c, chosen by configure. */
const char *sandbox_name(void);		/* for the log: "seccomp, landlock 7" */
/* Each: 0, or -1 with errno; *what names the step that failed. */
/* still root, just before setresuid: what only root can give up */
int	 sandbox_prepare(const struct confinement *, const char **what);
/* just after it, before the proof: what a change of uid may leave */
int	 sandbox_privs(const struct confinement *, const char **what);
/* Steps of the role's row that this system lets it not take; why is there. */
uint32_t sandbox_without(enum role);
/* last: not dumpable, no_new_privs, landlock, system calls */
int	 sandbox_enter(const struct confinement *, const char **what);

extern const char build_id[];		/* MSG_BUILD_LEN - 1 characters */

#endif
