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
 * The two agents that are measured: started, stopped, talked to.  Times are
 * microseconds of the monotonic clock.  What fails ends the program.
 */

#ifndef AGENTS_H
#define AGENTS_H

#include <sys/types.h>
#include <sys/uio.h>

#define PING	"{\"execute\":\"guest-ping\"}\n"
#define ENDS	128		/* bytes kept of each end of a long line */
#define MAX_SAMPLES	20000

struct agent {
	const char	*program, *name;
	char		 dir[64], sock[96], errors[96], conf[96];
	int		 configured;	/* start it with conf */
	pid_t		 pid;
	int		 fd;
	char		 buf[65536];
	size_t		 start, end;	/* unread bytes in buf */
};

/* A reply of any length, of which only the ends are kept, terminated. */
struct line {
	size_t		 len;
	char		 head[ENDS], tail[ENDS];
};

extern struct agent	 agents[2];
extern double		 samples[MAX_SAMPLES];

void	 die(const char *, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));
double	 now(void);
void	 pause_us(long);

/* Sorts the values. */
double	 quantile(double *, int, double);

void	 agent_prepare(struct agent *, const char *);

/* From the next start on, if it is qgad. */
void	 agent_configure(struct agent *, const char *);

/* Microseconds from fork to the first reply. */
double	 agent_start(struct agent *);
void	 agent_stop(struct agent *);
void	 agents_stop(void);

/* The next line, terminated, good until the next call. */
char	*reply(struct agent *);

/* The same of one request, which must have succeeded. */
char	*ask(struct agent *, const char *);

/* The iovecs are used up. */
void	 send_all(struct agent *, struct iovec *, int);
void	 reply_line(struct agent *, struct line *);

/* 0: the reply is not an error. */
int	 ask_line(struct agent *, const char *, struct line *);

/* The number behind a member's name in either end of a line; -1: none. */
long	 line_number(const struct line *, const char *);
int	 line_has(const struct line *, const char *);

/* The median of up to n, fewer if a budget of us is spent; *p99, if wanted. */
double	 latency(struct agent *, const char *, int, double, double *);

#endif /* AGENTS_H */
