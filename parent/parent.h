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
 * What the monitor's files share.  The monitor is one thread around one
 * ppoll(2); nothing in it blocks, nothing in it parses what a host shaped.
 * Times are milliseconds of the monotonic clock.
 */

#ifndef PARENT_H
#define PARENT_H

#include <sys/types.h>

#include <poll.h>
#include <stdint.h>

#include "bounds.h"
#include "commands.h"
#include "confine.h"
#include "imsg.h"
#include "log.h"
#include "messages.h"

/* --- conf.c, options.c: what the administrator said --- */

enum method {
	METHOD_VIRTIO_SERIAL, METHOD_ISA_SERIAL, METHOD_UNIX_LISTEN,
	METHOD_VSOCK_LISTEN, METHOD_STDIO, METHOD_MAX
};

/* One name of allow-rpcs or block-rpcs, and where it was written. */
struct rpc {
	char		*name;
	int		 line;		/* 0: on the command line */
	struct rpc	*next;
};

/* A directory or a name, what of it may be opened, and how: [file]. */
struct file_rule {
	char		*base;		/* as path_normal() makes it */
	int		 access;	/* FILE_READ or FILE_WRITE */
	int		 any;		/* not regular files alone */
	int		 line;		/* where it was written */
	struct file_rule *next;
};

struct words {
	char		**v;		/* NULL at the end; NULL: none */
	uint32_t	 n;
	int		 set;		/* the key is there, perhaps empty */
};

/* A section [exec NAME]: programs, with which arguments, and as what. */
struct exec_rule {
	char		 name[32];	/* "": the section [exec] */
	int		 line;		/* the section's */
	struct words	 programs;	/* as path_normal() makes them */
	struct words	 arguments;	/* a pattern each, perhaps "..." */
	struct words	 environment;	/* NAME=value, or NAME */
	struct words	 hostenv;	/* names that a request may set */
	char		*user, *group;	/* NULL: the agent's, the user's */
	char		*directory;	/* NULL: the root */
	int		 input;		/* input-data may be given */
	uint64_t	 bound[EXEC_BOUNDS];	/* EXEC_FREE: none, so with */
	uint64_t	 time, jobs, output;	/* these; seconds, number, */
	struct exec_rule *next;			/* bytes of each stream */
};

/* What of the machine may be changed, a key of [system] each. */
enum system_kind { SYSTEM_SHUTDOWN, SYSTEM_REBOOT, SYSTEM_SUSPEND,
	SYSTEM_CLOCK, SYSTEM_VCPUS, SYSTEM_MEMORY, SYSTEM_TRIM, SYSTEM_KINDS };

/* The rules on objects.  A line is its section's, 0: there is none. */
struct rules {
	int		 fileline, execline, accountline, systemline;
	struct file_rule *files;
	struct exec_rule *execs;
	struct words	 passwords, keys;	/* users; "*": all but uid 0 */
	int		 system[SYSTEM_KINDS];
};

struct conf {
	char		*file;		/* that was read, NULL: none */
	int		 daemon;
	char		*method;
	char		*path;
	char		*logfile;
	char		*pidfile;
	char		*hook;
	char		*statedir;
	int		 verbose;
	int		 retry;
	struct rpc	*block, *allow;
	int		 allowset;	/* an empty allow list allows nothing */
	int		 allowline;	/* 0: on the command line alone */
	struct limits	 limits;
	int		 requestsline, bytesline;	/* of two of them */
	uint32_t	 profile;	/* PROFILE_ bit */
	int		 profileline;	/* 0: the default */
	struct rules	 rules;
	/* [freeze] */
	char		*exclude;	/* prefixes, commas between; NULL */
	uint64_t	 auto_thaw;	/* seconds */
	uint64_t	 stuck_after;	/* seconds that one freeze may take */
	int		 hook_abort;
	int		 quiesce;
	int		 test;		/* --test: root is not required */
	int		 thaw;		/* --thaw: that, and no more */
	enum method	 methodno;
};

#define CONF_SIZE	(256 * 1024)	/* of a configuration file */

void	 conf_defaults(struct conf *);
void	 conf_free(struct conf *);
/*
 * Read text (NUL-terminated, as read from the file called name) into conf.
 * 0, or -1 with err filled: "name:line: key: what is wrong".
 */
int	 conf_parse(struct conf *, const char *name, char *text, char *err,
	    size_t errsize);
/* Append a comma list's names, the last first; 0, or -1 with err filled. */
int	 conf_list(struct rpc **list, const char *names, int line, char *err,
	    size_t errsize);
/* The escapes of a GLib key file, in place; -1: an unknown one. */
int	 conf_unescape(char *);
/* To standard output, as conf_unescape() takes it; all: blanks within too. */
void	 conf_escaped(const char *, int all);
/* All sections but [general], as they are in force. */
void	 conf_dump(const struct conf *);
/*
 * Read a file whole that nobody but root, or who runs us, could have written.
 * NULL with errno, EFBIG past CONF_SIZE, EPERM, and *why, which is a text.
 */
char	*conf_read(const char *path, const char **why);

/* Command line and file; answers -h, -V and the like itself and exits. */
void	 options(int argc, char *argv[], struct conf *);

enum selftest { SELFTEST_NONE, SELFTEST_TEXT, SELFTEST_JSON };
/* Is it asked for?  Another format than these ends the program. */
enum selftest selftest_asked(int argc, char *argv[]);

/* --- policy.c: may this happen? --- */

struct policy {
	struct {
		uint8_t		 allowed;
		const char	*rule;	/* the key that decided */
		int		 line;	/* in the file, 0: none */
	} command[CMD_MAX];
	uint32_t	 profile;	/* 0: an allow list in its place */
	int		 blocked;	/* there is a block list */
	struct rules	 rules;
};

/* What decided, for the audit line. */
struct ruling {
	char		 key[64];
	int		 line;		/* 0: the command line, -1: nowhere */
};

enum verdict {
	VERDICT_ALLOWED,
	VERDICT_LISTED,		/* allow-rpcs or block-rpcs keeps it out */
	VERDICT_FROZEN,		/* not in this state */
	VERDICT_ROOT,		/* needs root, which --test lacks */
	VERDICT_REQUESTS,	/* too many in this second */
	VERDICT_BYTES,		/* too much in the seconds before */
	VERDICT_MAX
};

/* Takes the rules on objects over. */
void		 policy_make(struct policy *, struct conf *);
/* The policy at start, and the newest one: a request must pass both. */
void		 policy_start(const struct policy *, int root);
void		 policy_reload(const struct policy *);
void		 policy_frozen(int);
/* This is the line that decides.  rule is set to what decided. */
enum verdict	 policy_decide(enum command_id, struct ruling *);
/* The reply to a refusal, class and text. */
enum reply_kind	 policy_refusal(enum verdict, enum command_id, char *,
	    size_t);
void		 policy_fill(struct msg_policy *);

const struct policy *policy_newest(void);

/* Is it within what a second may have?  now: ms. */
enum verdict	 policy_measure(enum command_id, const struct limits *,
		    uint64_t now, struct ruling *);
/* So many bytes of a file or a program have gone by. */
void		 policy_bytes(uint64_t);

/* What the rules say of a path: base "" and the path, or where it is. */
struct file_grant {
	char		 base[MSG_PATH_MAX], path[MSG_PATH_MAX];
	uint32_t	 rule;		/* FILE_RULE_ bits */
};
/*
 * May this be opened so?  0; -1: *why says why not.  The ruling is set to the
 * key that decided, if there are rules; so it is in those below.
 * access: FILE_READ, FILE_WRITE or both.
 */
int		 policy_file(const char *path, int access, struct file_grant *,
		    struct ruling *, const char **why);
/*
 * An absolute path without "." and doubled slashes, to a buffer of
 * MSG_PATH_MAX.  NULL, or what is wrong with it.
 */
const char	*path_normal(const char *, char *);

/* What the rules make of a job; it points to the policy, for this turn. */
struct exec_grant {
	int		 ruled;		/* 0: no rules, the rest is not set */
	char		 name[32];	/* the rule's */
	uint64_t	 jobs;		/* of it at once */
	struct msg_exec_rule msg;
};
int		 policy_exec(const struct msg_exec *, struct exec_grant *,
		    struct ruling *, const char **why);
/*
 * May this be done to that user?  notroot: 1 if not to one with uid 0, which
 * the worker sees.
 */
int		 policy_account(enum command_id, const char *user,
		    struct ruling *, uint32_t *notroot);
/* Of what is left of guest-shutdown, this?  0 or -1. */
int		 policy_shutdown(int reboot, struct ruling *);
void		 ruling_set(struct ruling *, const char *key, int line);

/* --- audit.c: the record; request.h has the rest --- */

void		 audit_init(const struct conf *);
void		 audit_timers(uint64_t now, uint64_t *next);
void		 audit_end(void);	/* what was not shown is said */

/* --- report.c: SIGUSR1 --- */

struct counters {
	uint64_t	 requests, refused, limited, deaths;
};
struct counters	*report_counters(void);
void		 report(const struct conf *);

/* --- rules.c: sections of rules on objects --- */

/*
 * A value of such a key, changed in place: to words, with what is wrong as
 * text of why (size) and -1.
 */
int		 rules_programs(struct words *, char *, char *why, size_t);
int		 rules_patterns(struct words *, char *, char *why, size_t);
int		 rules_environment(struct words *, char *, char *why, size_t);
int		 rules_names(struct words *, char *, char *why, size_t);
int		 rules_variables(struct words *, char *, char *why, size_t);
struct exec_rule *rules_exec_new(struct rules *, const char *name, int line);
void		 rules_free(struct rules *);
/* Do the users and groups exist?  At start only.  0, or -1 with err filled. */
int		 rules_users(const struct rules *, const char *file, char *err,
		    size_t);
/*
 * The rule that allows this, and the program it names; NULL: *why says why
 * there is none.
 */
const struct exec_rule *rules_exec(const struct rules *,
		    const struct msg_exec *, const char **program,
		    const char **why);
int		 rules_hostenv(const struct exec_rule *,
		    const struct msg_exec *);
/* Does the text match?  See qgad.conf(5). */
int		 rules_match(const char *pattern, const char *text);

/* --- spawn.c: children --- */

enum child_state {
	CHILD_STARTING,		/* no hello yet */
	CHILD_READY,
	CHILD_RELEASED,		/* its socket is closed: it ends by itself */
	CHILD_KILLED,		/* SIGKILL sent, not reaped yet */
	CHILD_LOST		/* did not die: state D, never waited for */
};

/* Where an ended job's status and output are. */
enum job_status {
	JOB_KEPT,		/* with its worker, for who asks */
	JOB_SENDING,		/* the worker writes, the frontend reads */
	JOB_SENT,		/* the frontend has it, perhaps not the host */
	JOB_RETURNED		/* that frontend died while JOB_SENDING */
};

struct child {
	enum role	 role;
	enum child_state state;
	size_t		 slot;		/* in spawn.c's table */
	pid_t		 pid;
	int		 reaped;	/* the pid is not its any more */
	struct imsgbuf	 ibuf;		/* fd -1: closed */
	uint64_t	 started, used;
	uint64_t	 killed;	/* or let go */
	struct pollfd	*poll;		/* of this turn, NULL: not polled */
	uint64_t	 second;	/* in which it logged so many lines */
	unsigned int	 lines;
	/* an exec worker's */
	int64_t		 jobpid;	/* 0: a spare */
	char		 rule[32];	/* that it runs under */
	struct exec_result result;
	uint64_t	 ended;		/* order of ending, 0: running */
	enum job_status	 status;
	/* a file worker's */
	int64_t		 handle;	/* 0: none yet, or its end is logged */
	char		*shown;		/* its path, for the log */
	uint64_t	 op;		/* the operation it has, 0: none */
	enum msg_type	 optype;
	uint64_t	 until;		/* its deadline, once nobody waits */
	uint64_t	 ops, bytesin, bytesout, errors;
};

#define START_PATIENCE	10000		/* ms; then one that says no hello is */
#define END_PATIENCE	10000		/* killed, and one that does not end */
#define KILL_PATIENCE	2000		/* then a killed one is written off */
#define LOST_MAX	8		/* written off of one role: no more */

void		 spawn_init(const struct conf *, char *argv0, int errfd);
size_t		 spawn_slots(void);
/* Before an exec: as many descriptors as we were started with. */
void		 spawn_limits(void);
/* A running child of that role in STARTING or READY, or NULL. */
struct child	*child_find(enum role);
struct child	*child_each(struct child *);	/* NULL starts */
/*
 * Start one.  data: a descriptor for the child's fd 4, taken over, or -1.
 * NULL with errno: EAGAIN (no slot, or LOST_MAX written off), or fork's.
 */
struct child	*child_spawn(enum role, int data);
/* why: for the log; NULL: it went by itself, this makes sure. */
void		 child_kill(struct child *, const char *why);
void		 child_release(struct child *);
int		 child_send(struct child *);	/* write what is queued */
void		 child_reap(void);
/* What parent.c has happen when one has gone; c is valid during the call. */
void		 child_gone(struct child *, int status);
void		 spawn_timers(uint64_t now, uint64_t *next);

/* --- frontend.c: the frontend and its one request in hand --- */

void	 frontend_message(struct child *, struct imsg *);
void	 frontend_start(const struct conf *);
void	 frontend_died(void);
int	 frontend_idle(void);			/* no request in hand */
void	 frontend_policy(void);			/* tell it what changed */
void	 frontend_timers(uint64_t now, uint64_t *next);

/* The request in hand ends with this; extra text is the audit line's. */
void	 request_reply(const struct msg_reply *, int fd);
void	 request_error(const char *, ...)
	    __attribute__((format(printf, 1, 2)));

/* --- jobs.c: exec workers --- */

void	 jobs_init(const struct limits *);
void	 jobs_spare(void);			/* keep one ready */
void	 jobs_timers(uint64_t now, uint64_t *next);
/* The frontend is done with its last request; it died instead. */
void	 jobs_taken(void);
void	 jobs_returned(void);

/* --- files.c: file workers --- */

/* Reserves the numbers of handles in that directory: before all else. */
void	 files_init(const struct limits *, const char *statedir);
void	 files_end(void);		/* so do we: say so of each */
/* Writable once what a deadline stands still for has been taken, or -1. */
int	 file_pollfd(void);
void	 file_taken(void);		/* it is: the deadline runs on */

/* --- channel.c: the way to the host --- */

/* 0, or -1: said on the log (with -r: retried, 0). */
int	 channel_open(const struct conf *);
int	 channel_pollfd(void);			/* -1: nothing to accept */
void	 channel_accept(void);
/* The frontend is ready for one, or is done with the last one. */
void	 channel_offer(struct child *);
/* -1: there was none to end. */
int	 channel_end(enum channel_end);
void	 channel_frontend_died(void);
void	 channel_timers(uint64_t now, uint64_t *next);
void	 channel_close(void);
/* Keep a listening socket over an exec of ourselves. */
void	 channel_keep(void);

/* --- device.c: serial devices --- */

/*
 * Open one for reading and writing, without waiting; a terminal is made raw
 * and ours alone.  -1, with the reason in *why.
 */
int	 device_open(const char *path, enum method, const char **why);

/* --- device-<system>.c: of the device at that path, which is open --- */

struct stat;
/* It is the terminal of a process: a getty, somebody's session. */
int	 device_session(const char *path, const struct stat *);
/* The kernel writes its messages there. */
int	 device_kernel(const char *path, const struct stat *);
/* Where a port of the path's name is, if not there; NULL, or to be freed. */
char	*device_named(const char *path);

/* --- freeze.c: the freeze, its states, who thaws --- */

enum freeze_state {
	FREEZE_STATE_THAWED, FREEZE_STATE_FREEZING, FREEZE_STATE_FROZEN,
	FREEZE_STATE_THAWING
};

void	 freeze_init(const struct conf *);
enum freeze_state freeze_state(void);
/* Have a worker thaw what a marker names: a start's first act. */
void	 freeze_recover(void);
int	 freeze_trouble(void);			/* 1: it did not thaw all */
/* Thaw, if there is anything to thaw, with its hooks. */
void	 freeze_abort(const char *why);
/* The same, and begin no freeze any more; 1: all is done. */
int	 freeze_close(const char *why);
int	 freeze_pollfd(void);			/* -1: none is under way */
/* 0: nothing more is there. */
int	 freeze_read(void);
void	 freeze_gone(struct child *);
void	 freeze_timers(uint64_t now, uint64_t *next);

/* --- logger.c: lines on their way to the log worker --- */

void	 logger_start(void);
void	 logger_off(void);			/* in a child just forked */
void	 logger_sink(void);			/* our own lines too */
void	 logger_child(struct child *, const struct msg_log *);
void	 logger_flush(void);
/* While something may be frozen, lines wait here and no worker starts. */
void	 logger_hold(int);
/* Before there is a log: queue lines; to standard error after all. */
void	 logger_queue(void);
void	 logger_print(void);
void	 logger_reopen(void);
void	 logger_lost(size_t);			/* so many lines */
void	 logger_gone(void);
void	 logger_timers(uint64_t now, uint64_t *next);

/* --- reload.c: SIGHUP --- */

void	 reload_start(const struct conf *);
int	 reload_pollfd(void);			/* -1: none is under way */
void	 reload_read(void);

/* --- parent.c --- */

uint64_t now_ms(void);
/* Lower *next to at. */
void	 sooner(uint64_t *next, uint64_t at);
extern struct ids frontend_ids, worker_ids;
/* Read what a child sent and act on it; it may be gone afterwards. */
void	 child_read(struct child *);
/* End one, and have happen what its end brings. */
void	 child_lost(struct child *, const char *why);
/* It took too long to start, or to end. */
void	 child_overdue(struct child *);
/* The build on disk is another one: start it in our place when idle. */
void	 want_reexec(void);
void	 end(int status, const char *why) __attribute__((noreturn));
/* The same once all is thawed: it may return. */
void	 want_end(int status, const char *why);

#endif
