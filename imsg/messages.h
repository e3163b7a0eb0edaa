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
 * Every message between qgad's processes: type, payload, who sends it to
 * whom, whether a descriptor goes with it.  msg_info[] holds the sizes;
 * msg_check() is asked before a message is decoded.  Each payload has its
 * send and its recv beside each other in messages.c; a recv reads through a
 * cursor that must end at zero bytes left.
 *
 * Strings travel as a 32-bit length that counts the NUL, the bytes and the
 * NUL; a NUL inside is malformed.  Decoded strings point into the message
 * and live until imsg_free().  Integers are big endian.
 *
 * A send returns 0, or -1 with errno: ENOMEM, or EMSGSIZE when the payload
 * is past the bound; a log line and an error's text are cut instead.  A
 * descriptor handed to a send is taken over, always.  A send does not judge
 * values: one out of range is refused by the recv.
 * A recv returns 0, or -1 with errno: EBADMSG (the sender broke the
 * protocol), or ENOMEM.  It consumes the payload; call it before
 * imsg_get_fd(), since some look whether a descriptor fits the values.
 */

#ifndef MESSAGES_H
#define MESSAGES_H

#include <sys/types.h>

#include <stdint.h>

#include "commands.h"
#include "bounds.h"

struct imsg;
struct imsgbuf;

enum msg_type {
	MSG_NONE,
	/* any child to the monitor */
	MSG_HELLO,		/* confined and ready; always the first */
	MSG_LOG,		/* a line for the log */
	/* the monitor to the frontend */
	MSG_LIMITS,		/* once, the answer to its hello */
	MSG_POLICY,		/* what is enabled, frozen; when it changes */
	MSG_CHANNEL,		/* fd: the channel to the host */
	MSG_DATA,		/* fd: where the query worker's results come */
	MSG_RESULT,		/* fd: where that of this one request comes */
	MSG_GO,			/* fd: the request's bulk data goes there, or */
				/* comes */
	MSG_REPLY,		/* fd with exec output: read it there */
	/* the frontend to the monitor */
	MSG_CHANNEL_END,	/* the channel was closed or lost */
	MSG_ASK,		/* a command the frontend holds disabled */
	MSG_QUERY,		/* and from the monitor to the query worker */
	MSG_EXEC,		/* and from the monitor to an exec worker, */
				/* with fd: its input-data comes there */
	MSG_EXEC_STATUS,
	MSG_FILE_OPEN,		/* and from the monitor, the rule attached, */
				/* to a file worker */
	MSG_FILE_CLOSE,		/* these too, READ and WRITE with fd: the */
	MSG_FILE_READ,		/* bytes go or come there */
	MSG_FILE_WRITE,
	MSG_FILE_SEEK,
	MSG_FILE_FLUSH,
	/* and from the monitor to a system worker */
	MSG_SHUTDOWN,
	MSG_SET_TIME,
	MSG_SET_VCPUS,
	MSG_SET_MEMORY_BLOCKS,
	MSG_FSTRIM,
	MSG_SUSPEND,
	/* the query worker to the monitor, from there to a system worker, */
	/* and back with fd: NVMe disks' logs come there */
	MSG_SMART,
	/* and from the monitor to an account worker */
	MSG_ACCOUNT_RULE,	/* only from there, before one of these */
	MSG_PASSWORD,		/* with fd: the password comes there */
	MSG_SSH_KEYS,
	/* a worker to the monitor */
	MSG_DONE,		/* the request in hand has ended */
	MSG_EXEC_STARTED,
	MSG_EXEC_ENDED,
	MSG_FILE_DONE,		/* and how it ended */
	MSG_FILE_WAITING,	/* for the frontend to take bytes, or no more */
	/* the monitor to an exec worker */
	MSG_EXEC_RULE,		/* just before MSG_EXEC: what it runs under */
	MSG_EXEC_SEND,		/* fd: write that much output there */
	/* the monitor to the log worker */
	MSG_LINE,
	/* the monitor to the hook worker */
	MSG_HOOK,		/* run the hooks; its answer is MSG_DONE */
	/* of a freeze: the frontend to the monitor */
	MSG_FREEZE,		/* and from the monitor to the freezer */
	MSG_FSFREEZE,		/* status, thaw */
	/* the monitor to a freezer, and its answer */
	MSG_FREEZE_ORDER,
	MSG_FREEZE_DONE,
	MSG_MAX
};

enum msg_fd { MSG_FD_NONE, MSG_FD_ONE, MSG_FD_MAY };

struct msg_info {
	const char	*name;
	uint32_t	 min, max;	/* payload bytes, max included */
	enum msg_fd	 fd;
};

extern const struct msg_info msg_info[MSG_MAX];

/* 0, or -1: unknown type, size out of bounds, descriptor missing or extra. */
int		 msg_check(const struct imsg *);
const char	*msg_name(uint32_t);		/* never NULL */
/*
 * Send the payload on as it came, once a recv has found it good: to the
 * worker that the frontend's message was for.
 */
int		 msg_forward(struct imsgbuf *, struct imsg *, int fd);

/* Payload bounds. */
#define MSG_BUILD_LEN	32	/* of the build's id, fixed size on the wire */
#define MSG_LINE_MAX	2048	/* a log line, NUL included */
#define MSG_TEXT_MAX	4096	/* an error's text, NUL included; cut to it */
#define MSG_EXEC_MAX	0x100000	/* 1 MiB */
#define MSG_PATH_MAX	4096	/* of a file, NUL included */
#define MSG_COUNT_MAX	0x3000000	/* 48 MiB: of a read, qemu-ga's bound */
#define MSG_NAME_MAX	256	/* of a user or a group, NUL included */
#define MSG_RULE_MAX	0x4000	/* 16 KiB: a rule of [exec] */
#define MSG_ARGS_MAX	1024	/* arguments, and as many environment strings */
#define MSG_USER_MAX	256	/* a user's name, NUL included */
#define MSG_SECRET_MAX	4096	/* a password's base64 text */
#define MSG_SSH_KEYS_MAX	MSG_EXEC_MAX
#define MSG_KEYS_MAX	MSG_ARGS_MAX	/* keys of one request */
#define MSG_UNITS_MAX	4096	/* processors, memory blocks */

#define MSG_TIME_END	UINT64_C(3155760000)	/* s; 2070, as qemu-ga has it */
#define MSG_MOUNTS_MAX	1024	/* of a freeze */
#define MSG_FREEZE_MAX	0x100000	/* 1 MiB */

/* The largest payload any role may get; imsgbuf_set_maxsize() with it. */
#define MSG_SIZE_MAX	(MSG_EXEC_MAX + 64 * 1024)

struct msg_hello {
	char		 build[MSG_BUILD_LEN];
	uint32_t	 role;		/* enum role, confine.h */
};
int	 msg_send_hello(struct imsgbuf *, const struct msg_hello *);
int	 msg_recv_hello(struct imsg *, struct msg_hello *);

struct msg_log {		/* MSG_LOG, MSG_LINE */
	uint32_t	 level;		/* enum log_level, log.h */
	uint64_t	 when;		/* microseconds since the epoch; a */
					/* child sends 0, MSG_LINE has it */
	const char	*line;		/* cut to MSG_LINE_MAX by the send */
};
int	 msg_send_log(struct imsgbuf *, enum msg_type, const struct msg_log *);
int	 msg_recv_log(struct imsg *, struct msg_log *);

int	 msg_send_limits(struct imsgbuf *, const struct limits *);
int	 msg_recv_limits(struct imsg *, struct limits *);

struct msg_policy {
	uint8_t		 frozen;
	uint8_t		 enabled[CMD_MAX];	/* 0 or 1, by command id */
};
int	 msg_send_policy(struct imsgbuf *, const struct msg_policy *);
int	 msg_recv_policy(struct imsg *, struct msg_policy *);

enum channel_kind {
	CHANNEL_NONE,
	CHANNEL_STREAM,		/* Unix or vsock: the host closes, we close */
	CHANNEL_PORT,		/* virtio: read 0 is no host, wait */
	CHANNEL_TTY,		/* a virtio port that is a tty: 0 is a hangup */
	CHANNEL_ISA,		/* as TTY, without flow control */
	CHANNEL_STDIN,		/* read this, */
	CHANNEL_STDOUT,		/* write that; sent just before STDIN */
	CHANNEL_KINDS
};
struct msg_channel {		/* fd: one */
	uint32_t	 kind;
	uint32_t	 newline;	/* 1: send one newline first */
};
int	 msg_send_channel(struct imsgbuf *, const struct msg_channel *, int);
int	 msg_recv_channel(struct imsg *, struct msg_channel *);

enum channel_end {
	CHANNEL_CLOSED,		/* the client is done; accept the next */
	CHANNEL_LOST,		/* the device went away; reopen it */
	CHANNEL_ENDS
};
int	 msg_send_channel_end(struct imsgbuf *, uint32_t);
int	 msg_recv_channel_end(struct imsg *, uint32_t *);

/*
 * MSG_ASK, MSG_QUERY, MSG_FSFREEZE: request id and command id; MSG_DATA,
 * MSG_RESULT, MSG_GO and MSG_SMART: id only.
 */
struct msg_request {
	uint64_t	 id;		/* the frontend's, ever higher */
	uint32_t	 command;	/* enum command_id */
};
int	 msg_send_request(struct imsgbuf *, enum msg_type,
	    const struct msg_request *);
int	 msg_recv_request(struct imsg *, struct msg_request *);
int	 msg_send_data(struct imsgbuf *, enum msg_type, uint64_t, int);
int	 msg_recv_data(struct imsg *, uint64_t *);

enum capture_mode {		/* QEMU's GuestExecCaptureOutputMode */
	CAPTURE_NONE, CAPTURE_STDOUT, CAPTURE_STDERR, CAPTURE_SEPARATED,
	CAPTURE_MERGED, CAPTURE_MODES
};
struct msg_exec {		/* fd: from the monitor, if input is not 0 */
	uint64_t	 id;
	uint32_t	 capture;
	uint32_t	 hasinput;	/* input-data given, even if empty */
	uint64_t	 input;		/* its decoded bytes */
	uint32_t	 hasenv;	/* env was given: it replaces all */
	const char	*path;		/* empty: EINVAL of the send */
	uint32_t	 argc, envc;	/* envc is 0 unless hasenv */
	char		**argv;		/* path not included; NULL at the end */
	char		**envp;		/* NULL at the end */
};
int	 msg_send_exec(struct imsgbuf *, const struct msg_exec *, int);
int	 msg_recv_exec(struct imsg *, struct msg_exec *);
void	 msg_exec_free(struct msg_exec *);	/* the two vectors only */

/* What a rule of [exec] makes of a job; a bound that is EXEC_FREE is none. */
enum exec_bound { BOUND_CPU, BOUND_MEMORY, BOUND_FILE_SIZE, BOUND_OPEN_FILES,
	BOUND_PROCESSES, BOUND_CORE, EXEC_BOUNDS };
#define EXEC_FREE	UINT64_MAX
#define EXEC_ENV_MAX	64	/* variables of a rule */
struct msg_exec_rule {
	uint64_t	 output;	/* bytes kept of each stream */
	uint64_t	 time;		/* seconds, or EXEC_FREE */
	uint64_t	 bound[EXEC_BOUNDS];
	const char	*program;	/* absolute: this is executed */
	const char	*user;		/* "": as the agent */
	const char	*group;		/* "": the user's own */
	const char	*directory;	/* absolute */
	uint32_t	 envc;
	char		**envp;		/* NAME=value, or NAME: the agent's; */
};					/* NULL at the end */
int	 msg_send_exec_rule(struct imsgbuf *, const struct msg_exec_rule *);
int	 msg_recv_exec_rule(struct imsg *, struct msg_exec_rule *);
void	 msg_exec_rule_free(struct msg_exec_rule *);	/* envp only */

struct msg_exec_status {
	uint64_t	 id;
	int64_t		 pid;
};
int	 msg_send_exec_status(struct imsgbuf *, const struct msg_exec_status *);
int	 msg_recv_exec_status(struct imsg *, struct msg_exec_status *);

enum shutdown_mode { SHUTDOWN_POWERDOWN, SHUTDOWN_HALT, SHUTDOWN_REBOOT,
	SHUTDOWN_MODES };
struct msg_shutdown {
	uint64_t	 id;
	uint32_t	 mode;
};
int	 msg_send_shutdown(struct imsgbuf *, const struct msg_shutdown *);
int	 msg_recv_shutdown(struct imsg *, struct msg_shutdown *);

/* A rule on files, and how far it goes. */
#define FILE_RULE_ANY	0x1	/* not regular files alone */
#define FILE_RULE_EXACT	0x2	/* this one name, which may be no link */
#define FILE_RULES	0x4

struct msg_file_open {
	uint64_t	 id;
	uint32_t	 mode;		/* of file_modes[], filemode.h */
	uint32_t	 rule;		/* bits; 0 from the frontend */
	const char	*base;		/* of the rule; path is below it; */
					/* "": no rule, so from the frontend */
	const char	*path;		/* not "" */
};
int	 msg_send_file_open(struct imsgbuf *, const struct msg_file_open *);
int	 msg_recv_file_open(struct imsg *, struct msg_file_open *);

/* The others, by type; what a type does not have is 0. */
struct msg_file {		/* fd: from the monitor, READ and WRITE */
	uint64_t	 id;
	int64_t		 handle;	/* any number: looked up */
	int64_t		 number;	/* bytes, or where SEEK goes */
	uint32_t	 whence;	/* SEEK: 0 set, 1 cur, 2 end */
};
#define FILE_WHENCES	3
int	 msg_send_file(struct imsgbuf *, enum msg_type,
	    const struct msg_file *, int);
int	 msg_recv_file(struct imsg *, struct msg_file *);

struct msg_file_done {
	uint64_t	 id;
	uint32_t	 ok;		/* 1, or 0 and text says why */
	uint32_t	 refused;	/* it is a rule that says no */
	int64_t		 number;	/* bytes read or written, where it is */
	uint32_t	 eof;
	const char	*text;		/* "" when ok */
};
int	 msg_send_file_done(struct imsgbuf *, const struct msg_file_done *);
int	 msg_recv_file_done(struct imsg *, struct msg_file_done *);

struct msg_file_waiting {
	uint64_t	 id;
	uint32_t	 on;
};
int	 msg_send_file_waiting(struct imsgbuf *,
	    const struct msg_file_waiting *);
int	 msg_recv_file_waiting(struct imsg *, struct msg_file_waiting *);

enum hook_phase { HOOK_FREEZE, HOOK_THAW, HOOK_PHASES };
struct msg_hook {
	uint64_t	 id;
	uint32_t	 phase;
	uint32_t	 abort;		/* 1: a freeze ends at the first failure */
};
int	 msg_send_hook(struct imsgbuf *, const struct msg_hook *);
int	 msg_recv_hook(struct imsg *, struct msg_hook *);
struct msg_set_time {
	uint64_t	 id;
	uint32_t	 given;		/* 0: as the hardware's clock says */
	uint64_t	 ns;		/* since the epoch, to MSG_TIME_END */
};
int	 msg_send_set_time(struct imsgbuf *, const struct msg_set_time *);
int	 msg_recv_set_time(struct imsg *, struct msg_set_time *);

struct unit {			/* a processor or a memory block */
	uint64_t	 number;	/* of a processor: an int64_t */
	uint32_t	 online;
};
struct msg_units {		/* MSG_SET_VCPUS, MSG_SET_MEMORY_BLOCKS */
	uint64_t	 id;
	uint32_t	 n;
	struct unit	*v;
};
int	 msg_send_units(struct imsgbuf *, enum msg_type,
	    const struct msg_units *);
int	 msg_recv_units(struct imsg *, struct msg_units *);
void	 msg_units_free(struct msg_units *);	/* v only */

struct msg_fstrim {
	uint64_t	 id;
	uint64_t	 minimum;	/* bytes; smaller free ranges stay */
};
int	 msg_send_fstrim(struct imsgbuf *, const struct msg_fstrim *);
int	 msg_recv_fstrim(struct imsg *, struct msg_fstrim *);

enum suspend_mode { SUSPEND_DISK, SUSPEND_RAM, SUSPEND_HYBRID,
	SUSPEND_MODES };
struct msg_suspend {
	uint64_t	 id;
	uint32_t	 mode;
};
int	 msg_send_suspend(struct imsgbuf *, const struct msg_suspend *);
int	 msg_recv_suspend(struct imsg *, struct msg_suspend *);

/* MSG_ACCOUNT_RULE: 1, users with uid 0 are none of it; else not sent */
int	 msg_send_account_rule(struct imsgbuf *, uint32_t);
int	 msg_recv_account_rule(struct imsg *, uint32_t *);

struct msg_password {		/* fd: from the monitor, if secret is not 0 */
	uint64_t	 id;
	uint32_t	 crypted;	/* the password is hashed already */
	uint32_t	 secret;	/* its bytes, base64 as it came */
	const char	*username;	/* longer: EMSGSIZE of the send */
};
int	 msg_send_password(struct imsgbuf *, const struct msg_password *, int);
int	 msg_recv_password(struct imsg *, struct msg_password *);

struct msg_ssh_keys {
	uint64_t	 id;
	uint32_t	 command;	/* one of the three */
	uint32_t	 reset;		/* add: all there were go */
	const char	*username;
	uint32_t	 n;		/* keys */
	char		**keys;		/* NULL at the end */
};
int	 msg_send_ssh_keys(struct imsgbuf *, const struct msg_ssh_keys *);
int	 msg_recv_ssh_keys(struct imsg *, struct msg_ssh_keys *);
void	 msg_ssh_keys_free(struct msg_ssh_keys *);	/* the vector only */

enum done {
	DONE_FAILED,		/* text says why */
	DONE_OK,
	DONE_AGAIN,		/* query: nothing was sent; ask a new worker */
	DONE_REFUSED,		/* account: by a rule; text says why */
	DONES
};

struct msg_freeze {
	uint64_t	 id;
	uint32_t	 command;	/* enum command_id */
	uint32_t	 listed;	/* 0: all file systems */
	uint32_t	 n;		/* 0 unless listed */
	char		**mounts;	/* NULL at the end */
};
int	 msg_send_freeze(struct imsgbuf *, const struct msg_freeze *);
int	 msg_recv_freeze(struct imsg *, struct msg_freeze *);
void	 msg_freeze_free(struct msg_freeze *);	/* the vector only */

enum freeze_order {
	ORDER_MARK,		/* write the marker: hooks are to run */
	ORDER_SWEEP,		/* thaw what a marker of this boot names */
	ORDER_CLEAR,		/* remove the marker */
	FREEZE_ORDERS
};
int	 msg_send_freeze_order(struct imsgbuf *, uint32_t);
int	 msg_recv_freeze_order(struct imsg *, uint32_t *);

struct msg_freeze_done {
	uint32_t	 order;
	uint32_t	 found;		/* SWEEP: 1: there was such a marker */
	uint32_t	 hooks;		/* SWEEP: freeze hooks had begun */
	uint32_t	 count;		/* SWEEP: file systems thawed */
	const char	*text;		/* "", or why it could not be done */
};
int	 msg_send_freeze_done(struct imsgbuf *,
	    const struct msg_freeze_done *);
int	 msg_recv_freeze_done(struct imsg *, struct msg_freeze_done *);

struct msg_done {
	uint64_t	 id;
	uint32_t	 ok;		/* enum done */
	const char	*text;		/* "" unless it failed */
};
int	 msg_send_done(struct imsgbuf *, const struct msg_done *);
int	 msg_recv_done(struct imsg *, struct msg_done *);

struct msg_exec_started {
	uint64_t	 id;
	int64_t		 pid;		/* 0: text says why not */
	uint32_t	 refused;	/* then: it is a rule that says no */
	const char	*text;
};
int	 msg_send_exec_started(struct imsgbuf *,
	    const struct msg_exec_started *);
int	 msg_recv_exec_started(struct imsg *, struct msg_exec_started *);

/* How a job ended and what it left, MSG_EXEC_ENDED and in MSG_REPLY. */
struct exec_result {
	uint32_t	 exited;	/* 0: still running, nothing else set */
	uint32_t	 signaled;	/* 1: code is a signal number */
	uint32_t	 code;
	uint32_t	 out, err;	/* bytes to be had */
	uint32_t	 outcut, errcut;	/* 1: there was more */
};
int	 msg_send_exec_ended(struct imsgbuf *, const struct exec_result *);
int	 msg_recv_exec_ended(struct imsg *, struct exec_result *);

struct msg_exec_send {		/* fd: one */
	uint64_t	 id;
	uint32_t	 out, err;	/* bytes of each, out first */
};
int	 msg_send_exec_send(struct imsgbuf *, const struct msg_exec_send *,
	    int);
int	 msg_recv_exec_send(struct imsg *, struct msg_exec_send *);

enum reply_kind {
	REPLY_EMPTY,		/* success, nothing to say */
	REPLY_NUMBER,		/* number */
	REPLY_EXEC,		/* result; with fd: .out, then .err bytes */
	REPLY_FILE,		/* number: bytes that came with MSG_GO; eof */
	REPLY_ERROR,		/* text; class GenericError */
	REPLY_REFUSED,		/* text; class CommandNotFound */
	REPLY_KINDS
};
struct msg_reply {
	uint64_t	 id;
	uint32_t	 kind;
	int64_t		 number;
	struct exec_result result;
	uint32_t	 eof;
	const char	*text;		/* "" unless an error */
};
int	 msg_send_reply(struct imsgbuf *, const struct msg_reply *, int);
int	 msg_recv_reply(struct imsg *, struct msg_reply *);

/* On MSG_SMART's socket: one of these for each disk, and the end. */
#define SMART_NAME	32
#define SMART_LOG	512
#define SMART_MAX	64		/* disks; of more, nothing is known */
struct smart_record {			/* bytes: no padding, no order */
	char		 name[SMART_NAME];	/* nvme0n1; NUL at the end */
	unsigned char	 log[SMART_LOG];	/* NVMe's log page 02h */
};

/*
 * Frames on a worker's data socket, worker to frontend, nothing the
 * other way: a header of three 32-bit words (magic, kind, len) and a 64-bit
 * id, then the bytes, at most VALUE_SIZE of a tree, MSG_TEXT_MAX of a text
 * (which has no NUL).
 */
#define FRAME_HEADER	20
#define FRAME_MAGIC	0x71676164U
struct frame {
	uint32_t	 kind;		/* FRAME_* */
	uint64_t	 id;		/* of the request */
	uint32_t	 len;		/* bytes that follow */
};
enum { FRAME_VALUE, FRAME_ERROR, FRAME_KINDS };	/* a tree; a text */
void	 frame_encode(const struct frame *, unsigned char *);
/* 0, or -1: EBADMSG. */
int	 frame_decode(const unsigned char *, struct frame *);

/*
 * What a freezer that may not allocate any more, and its keeper, tell the
 * monitor, on a socket of their own (fd 4): records of one size.  The other
 * way goes one byte, whichever: thaw.
 */
#define FREEZE_RECORD	256
#define FREEZE_PATH	(FREEZE_RECORD - 16)	/* NUL included; cut to it */
enum freeze_event {
	FREEZE_BEGUN,		/* path is being frozen */
	FREEZE_FROZEN,		/* all are; count */
	FREEZE_THAWED,		/* none is, count were; why */
	FREEZE_STUCK,		/* path could not be thawed: error */
	FREEZE_EVENTS
};
enum freeze_why {
	WHY_ASKED,		/* by the monitor */
	WHY_NOTHING,		/* there was nothing to freeze */
	WHY_FAILED,		/* path could not be frozen: error */
	WHY_OPEN,		/* path could not be opened: error */
	WHY_SETUP,		/* before that: error of what path names */
	WHY_TIMER,
	WHY_SIGNAL,
	WHY_GONE,		/* the monitor is: nobody reads this */
	WHY_KEEPER,		/* the keeper is */
	WHY_FREEZER,		/* the freezer is: the keeper says it */
	FREEZE_WHYS
};
struct freeze_record {
	uint32_t	 event;
	uint32_t	 count;
	uint32_t	 why;
	uint32_t	 error;		/* errno, 0: none */
	char		 path[FREEZE_PATH];
};
void	 freeze_record_encode(const struct freeze_record *, unsigned char *);
/* 0, or -1: EBADMSG. */
int	 freeze_record_decode(const unsigned char *, struct freeze_record *);

#endif
