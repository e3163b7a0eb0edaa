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
 * Plays the monitor to a real frontend: starts it, gives it channels, and
 * answers what it asks, so that a test can be the host.
 */

#ifndef FAKE_MONITOR_H
#define FAKE_MONITOR_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "imsg.h"
#include "messages.h"

#define FAKE_LOGS	16
#define FAKE_WAIT	30000	/* ms: nothing here takes that long */

struct fake {
	pid_t		 pid;
	struct imsgbuf	 ibuf;
	int		 eof;		/* the frontend has ended */
	/* set by the test */
	int		 hold;		/* leave requests unanswered */
	struct exec_result status;	/* of every job */
	size_t		 short_by;	/* bytes of output not sent */
	const void	*tree;		/* of every query */
	size_t		 treelen;
	const char	*refuse;	/* MSG_ASK: the text, NULL: allowed */
	/* what was seen */
	unsigned int	 seen[MSG_MAX];
	uint64_t	 lastid;	/* of the request not answered yet */
	uint32_t	 lasttype;
	struct msg_exec	 exec;		/* its strings are gone, argc is not */
	char		 path[256], arg0[256];
	unsigned char	*input;		/* of the last guest-exec */
	size_t		 inputlen;
	uint32_t	 mode;		/* of the last shutdown, suspend */
	uint32_t	 command;	/* of the last SSH keys; mode: reset, crypted */
	struct msg_set_time settime;
	struct msg_fstrim fstrim;
	struct msg_units units;		/* not its v */
	struct unit	 unit;		/* the last of it */
	struct msg_file	 file;		/* the last of them, always held */
	uint32_t	 openmode;
	long		 mounts;	/* of the last freeze; -1: all */
	uint32_t	 ended;		/* enum channel_end of the last one */
	char		 log[8192];	/* its lines */
	/* own */
	int		 data;		/* our end of the data socket */
	int		 gofd, outfd;	/* bytes under way */
	size_t		 outleft;
	unsigned char	 outbyte;
	char		 host[16384];	/* read from the host's end */
	size_t		 hostpos, hostlen;
};

/* Each ends the process with a message if it fails. */
void	 fake_start(struct fake *, const char *program, const struct limits *);
void	 fake_policy(struct fake *, int enabled);	/* all commands */
void	 fake_channel(struct fake *, enum channel_kind, int newline, int fd);
/* A connected pair: the frontend gets one end, the host's is returned. */
int	 fake_connect(struct fake *, enum channel_kind);
void	 fake_query_worker(struct fake *);	/* a new data socket */
/* Answer what was left unanswered because of hold. */
void	 fake_answer(struct fake *);
/* Serve until fd is readable: 1; or ms have passed: 0.  fd -1: just serve. */
int	 fake_serve(struct fake *, int fd, int ms);
void	 fake_stop(struct fake *);

/* The host's side; the frontend is served meanwhile. */
void	 host_send(struct fake *, int, const void *, size_t);
void	 host_say(struct fake *, int, const char *);
/* The next line, without its newline, malloc'd; NULL: end of file. */
char	*host_line(struct fake *, int);

#endif
