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
 * For the system tests in C: starts a real qgad in the work directory, looks
 * at its processes from outside, and talks to it as a host does.  What goes
 * wrong fails the test case.  Nothing here waits for a time to pass: UNTIL
 * looks again and again, and fails after HOST_PATIENCE.
 */

#ifndef H_HOST_H
#define H_HOST_H

#include <sys/types.h>

#include <atf-c.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_PATIENCE	30000	/* ms */
#define HOST_PROCS	256

#define UNTIL(condition) do {						\
	int64_t until_ = host_ms() + HOST_PATIENCE;			\
									\
	while (!(condition)) {						\
		if (host_ms() > until_)					\
			atf_tc_fail("%s:%d: never came true: %s",	\
			    __FILE__, __LINE__, #condition);		\
		host_nap();						\
	}								\
} while (0)

int64_t	 host_ms(void);			/* monotonic */
void	 host_nap(void);		/* a few ms */

/* --- the daemon: ./sock, ./qgad.log, ./state --- */

/* Is there a /proc, are we root; else the case is skipped. */
void	 host_needs(void);
/* limits: lines of the configuration's section [limits].  Answers then. */
pid_t	 host_start(const atf_tc_t *, const char *limits);
int	 host_ended(pid_t);		/* wait for it: the status of wait(2) */
void	 host_stop(pid_t);		/* SIGTERM, and 0 is expected */
/* For the cleanup part: what a failed body left. */
void	 host_cleanup(void);
/* Is that text in ./qgad.log? */
int	 host_logged(const char *);

/* --- its processes --- */

struct proc {
	pid_t	 pid, parent;
	char	 state;			/* as ps(1) shows it */
	char	 role[24];		/* "" when it has none (yet) */
};

/* The children of parent, as many as fit; how many there are. */
size_t	 procs_of(pid_t parent, struct proc *, size_t max);
/* How many children of that role it has, zombies not counted. */
size_t	 procs_count(pid_t parent, const char *role);
/* One of that role, waited for. */
pid_t	 procs_one(pid_t parent, const char *role);
/* "frontend=1 log=1 ...", each role once, and zombies, in a fixed order. */
void	 procs_shape(pid_t parent, char *, size_t);
/* Gone, or a zombie that somebody else has yet to collect. */
int	 proc_gone(pid_t);
pid_t	 proc_parent(pid_t);		/* -1: gone */
size_t	 proc_fds(pid_t);
/* A line of /proc/PID/status in kB: "RssAnon". */
long	 proc_kb(pid_t, const char *);

/* --- the host's side --- */

struct host {
	int	 fd;
	char	*buf;
	size_t	 have, size, line;
};

void	 host_open(struct host *);
void	 host_close(struct host *);
/* 0; -1: the agent has closed. */
int	 host_send(struct host *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* The next line, without its newline, valid until the next call; NULL: end. */
char	*host_line(struct host *);
/* Read at least that many bytes of whatever comes; not to be lost. */
void	 host_read(struct host *, size_t);
char	*host_ask(struct host *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* The number behind "name": in a reply. */
long long host_number(const char *, const char *);

#define PING	"{\"execute\": \"guest-ping\"}"
#define OSINFO	"{\"execute\": \"guest-get-osinfo\"}"
#define STATUS	"{\"execute\": \"guest-exec-status\", " \
		"\"arguments\": {\"pid\": %lld}}"

#endif
