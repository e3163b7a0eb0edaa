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
 * Starting a foreign program the way qemu-ga would have started it, for the
 * workers that do: exec, hook, system.  The one place where a child's session,
 * signals, umask and descriptors are put in order.
 */

#ifndef JOB_H
#define JOB_H

#include <sys/types.h>

struct imsg;
struct imsgbuf;

/*
 * Wait, for ever if need be, for the monitor's next message.  Does not
 * return without one: its end of file ends the process with status 0.
 */
void	 job_message(struct imsgbuf *, struct imsg *);
/* Wait until all that is queued was taken, or the monitor has gone. */
void	 job_flush(struct imsgbuf *);

struct job_start {
	const char	*path;
	const char	*search;	/* a PATH for a path without slash */
	char *const	*argv;
	char *const	*envp;
	int		 fd[3];		/* its 0, 1, 2; each above 3 */
	/* Called in the child's new session, -1 ends it; NULL: nothing is. */
	int		(*become)(void *);
	void		*arg;
};

/* Where a program is looked for if nothing else says so. */
#define JOB_PATH	\
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Of a program that qgad itself chose: PATH and LC_ALL=C, nothing else. */
extern char *const job_environment[];

struct job_end {
	int		 signaled;	/* 1: code is a signal number */
	int		 code;
};

/*
 * A descriptor that becomes readable when a child may have ended; to be read
 * empty with job_noticed().  Called once, before job_start().  -1: errno.
 */
int	 job_watch(void);
void	 job_noticed(int);

/*
 * In a child already: become the program, never by way of a shell.  status
 * is closed by a good execve, and gets the errno of one that failed.
 */
void	 job_exec(const struct job_start *, int status)
	    __attribute__((noreturn));
/*
 * Fork and execute, never by way of a shell.  Returns the pid, or -1 with
 * errno.  *status becomes readable when the program runs or could not be
 * executed; job_status() then closes it and returns 0 or the errno, in which
 * case the child is there to be reaped.  js->fd stay the caller's.
 */
pid_t	 job_start(const struct job_start *, int *status);
int	 job_status(int status);

/* 1: ended, how is in *end, and it stays a zombie; 0: it runs; -1: errno. */
int	 job_ended(pid_t, struct job_end *);
void	 job_reap(pid_t);

#endif
