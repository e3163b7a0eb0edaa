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
 * The shipped daemon, started as a service would, and a host that talks to
 * it.  Files go to the working directory, which the test has for itself.
 * What fails here ends the test case, with the daemon's log shown; whatever
 * still runs is ended with it.
 */

#ifndef DAEMON_H
#define DAEMON_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include <atf-c.h>

#define PING	"{\"execute\": \"guest-ping\"}\n"
#define PONG	"{\"return\": {}}"
#define CLASS_ERROR(class, desc)					\
	"{\"error\": {\"class\": \"" class "\", \"desc\": \"" desc "\"}}"
#define GENERIC(desc)	CLASS_ERROR("GenericError", desc)
#define ABSENT(desc)	CLASS_ERROR("CommandNotFound", desc)

#define DAEMON_SOCKET	"sock"
#define DAEMON_LOG	"qgad.log"
#define DAEMON_STDERR	"qgad.err"
#define DAEMON_CONF	"qgad.conf"

#define PATIENCE	60000	/* ms: nothing here takes that long */
#define LINE_BOUND	((size_t)10 * 1024 * 1024)	/* libvirt's */

/* --- text --- */

struct text {
	char	*p;		/* NUL-terminated; NULL: empty */
	size_t	 len, size;
};

void	 text_put(struct text *, const void *, size_t);
void	 text_add(struct text *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
void	 text_fill(struct text *, int, size_t);		/* n times that byte */
void	 text_base64(struct text *, const void *, size_t);
void	 text_free(struct text *);

/* --- the daemon --- */

/*
 * Started with a state directory, a log and these options, NULL at the end,
 * and with --test when it does not run as root; not waited for.
 */
void	 daemon_spawn(const atf_tc_t *, ...) __attribute__((sentinel));
/* The same on the socket, waited for until it answers. */
void	 daemon_listen(const atf_tc_t *, ...) __attribute__((sentinel));
/* The next one runs as that user. */
void	 daemon_as(uid_t);
void	 daemon_conf(const char *);	/* writes DAEMON_CONF */
void	 daemon_program(const atf_tc_t *, char *, size_t);
pid_t	 daemon_pid(void);
int	 daemon_wait(void);		/* its exit status, or -signal */
void	 daemon_stop(void);		/* SIGTERM; it must end with 0 */
/* The only child of that role ("frontend", "query", "log"). */
pid_t	 daemon_child(const char *);
pid_t	 daemon_halt(const char *);	/* that child, idle; it is stopped */
long	 daemon_rss(void);		/* kB of the monitor and all below */
long	 daemon_switches(void);		/* their context switches so far */
void	 need_proc(void);		/* the last three do */

int	 file_has(const char *, const char *);
void	 file_await(const char *, const char *);	/* until it has that */
int	 file_there(const char *);
void	 gone_await(pid_t);		/* until there is no such process */
void	 pause_ms(long);
int64_t	 now_ms(void);

/* --- the host --- */

struct wire {
	int	 fd;
	char	*buf;
	size_t	 pos, len, size;
	int	 eof;
};

void	 wire_connect(struct wire *);
void	 wire_open(struct wire *, int);		/* takes the descriptor */
void	 wire_close(struct wire *);
/* All of it; what comes meanwhile is kept for wire_line(). */
void	 wire_send(struct wire *, const void *, size_t);
void	 wire_say(struct wire *, const char *);
/* What the channel takes while nothing is read; how much that was. */
size_t	 wire_push(struct wire *, const void *, size_t);
/* The daemon has read it when this returns, where the system can tell. */
void	 wire_piece(struct wire *, const void *, size_t);
/*
 * The next line without its newline, valid until the next call; it must look
 * as any reply must.  NULL: end of file.
 */
const char *wire_maybe(struct wire *);
const char *wire_line(struct wire *);
const char *wire_raw(struct wire *, size_t *);	/* whatever it looks like */
void	 wire_expect(struct wire *, const char *);
void	 wire_expect_end(struct wire *);
/* The first request, then the reply it must have. */
void	 wire_ask(struct wire *, const char *, const char *);
/* A new start: all up to the sync's answer must be errors; how many. */
size_t	 wire_resync(struct wire *);

/* --- replies --- */

long long reply_number(const char *, const char *);
/* That member's base64 decoded, malloc'd with a NUL; NULL: no such member. */
char	*reply_data(const char *, const char *, size_t *);

/* --- guest-exec; arguments are what stands in the braces --- */

long long exec_start(struct wire *, const char *);
/* The status reply once it has exited; valid until the next line. */
const char *exec_end(struct wire *, long long);
/* Both; the second reply must be this. */
void	 exec_expect(struct wire *, const char *, const char *);
/* Both with output captured, which must be this, and exit code 0. */
void	 exec_output(struct wire *, const char *, const char *);

#endif
