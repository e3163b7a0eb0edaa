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
 * The request in hand: one at a time, frontend.c begins and ends it, work.c,
 * jobs.c and files.c carry it out.
 */

#ifndef REQUEST_H
#define REQUEST_H

#include "parent.h"

struct request {
	int		 active;
	uint64_t	 id;
	enum command_id	 command;
	uint64_t	 began, deadline;	/* 0: no deadline runs */
	uint64_t	 answer;		/* guest-exec-status: by then */
	struct child	*worker;		/* that carries it out */
	int		 sent;			/* the worker has it */
	size_t		 secret;		/* bytes it gets besides */
	uint32_t	 notroot;		/* an account worker's rule */
	unsigned int	 again;			/* query: how often anew */
	uint64_t	 lazy;			/* query: until then its end */
						/* need not wake us; 0: it does */
	int		 smart;			/* MSG_SMART has come */
	int		 asked;			/* MSG_ASK: nothing runs */
	int		 refused;
	struct ruling	 ruling;		/* the verdict's */
	char		 object[256];		/* for the audit line */
	/* the frontend's message until a worker is ready for it */
	int		 held;
	struct imsg	 imsg;			/* owns what exec points to */
	struct msg_exec	 exec;			/* guest-exec's */
	struct msg_file_open open;		/* its strings are malloc'd */
	struct msg_file	 file;
	enum msg_type	 type;			/* of file */
	uint64_t	 left;			/* of a deadline that stands */
	int		 data;			/* guest-file-read: the */
						/* worker's end of its socket */
	char		 note[64];		/* our words, for the audit */
};

extern struct request request;

void	 request_done(const char *);
/* A rule says no, after policy_decide() had said yes: answered so. */
void	 request_refuse(const char *, ...)
	    __attribute__((format(printf, 1, 2)));

/* audit.c */
void	 request_audit(const char *result);
/* One line of "key=value" pairs, behind its number and its times. */
void	 audit_line(const char *, ...) __attribute__((format(printf, 1, 2)));
/* What a host chose, as it may stand between quotes in such a line. */
char	*audit_text(char *, size_t, const char *);
/* " at=..." of a ruling's line, or "". */
void	 audit_at(char *, size_t, int);

/* work.c: workers that answer one request after another, or one at all */
void	 query_begin(void);
void	 query_timers(uint64_t now, uint64_t *next);
/* The frontend dies: what a worker has in hand is nobody's now. */
void	 workers_returned(void);
void	 workers_timers(uint64_t now, uint64_t *next);
/*
 * A worker of that role is started for this request alone; it gets the
 * frontend's message, which is taken over, and secret (0: none) bytes that
 * the frontend sends it past us.
 */
void	 single_begin(enum role, struct imsg *, size_t secret);
void	 worker_message(struct child *, struct imsg *);
void	 worker_gone(struct child *);

/* freeze.c */
void	 freeze_begin(struct imsg *);		/* takes it over */
void	 freeze_status_begin(void);
void	 freeze_thaw_begin(void);
void	 freeze_ready(struct child *);
int	 freeze_done(struct child *, struct imsg *);
int	 freeze_hooks_done(struct child *, const struct msg_done *);

/* jobs.c */
void	 exec_begin(struct msg_exec *, struct imsg *);	/* takes both over */
void	 exec_status_begin(int64_t pid);
void	 job_ready(struct child *);
int	 job_started(struct child *, struct imsg *);
int	 exec_ended(struct child *, struct imsg *);
int	 job_done(struct child *, uint32_t);
void	 job_gone(struct child *);

/* files.c */
void	 file_open_begin(const struct msg_file_open *);
void	 file_begin(enum msg_type, const struct msg_file *);
int	 file_open_send(struct child *);
int	 file_done(struct child *, struct imsg *);
int	 file_waiting(struct child *, struct imsg *);
void	 file_gone(struct child *);

#endif
