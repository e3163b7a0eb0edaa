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
 * qgad-hook: runs the administrator's scripts before a freeze and after the
 * thaw.  Runs as root, unconfined as they must be.  Started with
 *	PATH LOCK EACH TOTAL GRACE
 * the file or directory ("-": the system's directory), a file that one hook
 * worker at a time locks, and three times in milliseconds (bounds.h).  Each
 * MSG_HOOK is a phase, answered by MSG_DONE; end of file ends the scripts.
 * Peers: the monitor on fd 3.  Nothing of a host's gets here.
 */

#include <sys/types.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "hook.h"
#include "imsg.h"
#include "job.h"
#include "log.h"
#include "messages.h"

#define LINE_BYTES	400	/* of a line of output, the rest is left out */
#define LINES_EACH	64	/* of a script's output */
#define LINES_ALL	512	/* of a phase's */
#define LINES_SECOND	25	/* the monitor takes twice as many: it must */
				/* hear what became of a script as well */
#define LAST_LOOK	(1024 * 1024)	/* more than a pipe holds */
#define LOCK_NAP	50	/* ms */
#define WHY		(PATH_MAX + 128)
#define NEVER		(3600 * 1000)	/* no time is longer */

struct hooks {
	struct imsgbuf	*ib;
	int		 watch;
	const char	*path;
	int		 usual;		/* 1: the system's, need not be there */
	const char	*lockpath;
	int		 lockfd;	/* -1: it could not be opened */
	int		 each, total, grace;	/* ms */
	/* of a phase */
	int		 gone;		/* the monitor is */
	int		 thaw, abort;
	const char	*word;		/* a script's argument */
	int64_t		 deadline;	/* ms */
	unsigned int	 lines;		/* of output, in the log */
	unsigned int	 lately;	/* of them in the second since: */
	int64_t		 since;		/* ms */
	char		 text[MSG_TEXT_MAX];	/* of what ended it early */
};

enum { OUTPUT, STATUS, GATE, PIPES };	/* to and from a script's process */
enum stage { RUNS, TOLD, KILLED, LEFT };	/* how it is being ended */

struct run {
	struct hooks	*hooks;
	const char	*path, *name;
	pid_t		 pid;
	int		 status;	/* of job_start(); -1: looked at */
	int		 error;		/* of the execve */
	int		 fd;		/* what it writes; -1: no more */
	int		 gate;		/* what it waits for */
	int		 guard;		/* the guard's pipe; -1: none */
	pid_t		 guardpid;
	enum stage	 stage;
	int64_t		 next;		/* ms; when the next stage begins */
	int		 ended;
	struct job_end	 end;
	/* its output */
	char		 line[LINE_BYTES];
	size_t		 len;
	int		 cut;		/* the line was longer */
	unsigned int	 lines;
	uintmax_t	 unsaid;	/* lines not in the log */
	uintmax_t	 bytes;
};

static int	 number(const char *);
static int64_t	 now_ms(void);
static void	 phase(struct hooks *);
static int	 lock_open(const char *);
static void	 lock(struct hooks *);
static void	 directory(struct hooks *);
static int	 script(struct hooks *, const char *, size_t);
static void	 refused(struct hooks *, const char *, const char *);
static void	 failed(struct hooks *, const char *, const char *);
static void	 run_script(struct hooks *, const char *, int);
static int	 begin(struct run *);
static void	 wait_and_become(struct run *, int [PIPES][2], int)
		    __attribute__((noreturn));
static void	 close_fd(int *);
static void	 let_go(struct run *);
static void	 guard(struct run *);
static void	 unguard(struct run *);
static void	 supervise(struct run *);
static void	 advance(struct run *);
static void	 signal_group(struct run *, int);
static void	 wait_event(struct run *);
static void	 monitor_event(struct hooks *);
static size_t	 output(struct run *);
static void	 take(struct run *, const char *, size_t);
static void	 say(struct run *);
static int	 may_say(struct run *);
static void	 explain(struct run *, int);

int
main(int argc, char *argv[])
{
	struct imsgbuf ib;
	struct imsg imsg;
	struct ids ids;
	struct msg_hook m;
	struct msg_done done;
	struct hooks h;

	child_start(ROLE_HOOK, argc, argv, &ib, &ids);
	if (argc != 9)
		fatalx("five arguments are needed");
	memset(&h, 0, sizeof(h));
	h.ib = &ib;
	h.usual = strcmp(argv[4], "-") == 0;
	h.path = h.usual ? PATH_HOOK ".d" : argv[4];
	h.lockpath = argv[5];
	h.lockfd = lock_open(h.lockpath);
	h.each = number(argv[6]);
	h.total = number(argv[7]);
	h.grace = number(argv[8]);
	if ((h.watch = job_watch()) == -1)
		fatal("pipe");
	if (chdir("/") == -1)
		fatal("chdir /");
	confine(ROLE_HOOK, &ids);
	child_ready(ROLE_HOOK, &ib);

	while (!h.gone) {
		job_message(&ib, &imsg);
		if (imsg_get_type(&imsg) != MSG_HOOK ||
		    msg_check(&imsg) == -1 || msg_recv_hook(&imsg, &m) == -1)
			fatalx("bad message: %s",
			    msg_name(imsg_get_type(&imsg)));
		imsg_free(&imsg);
		h.thaw = m.phase == HOOK_THAW;
		h.word = h.thaw ? "thaw" : "freeze";
		/* What was locked is to be released, whatever fails. */
		h.abort = m.abort && !h.thaw;
		phase(&h);
		done.id = m.id;
		done.ok = *h.text == '\0';
		done.text = h.text;
		if (!h.gone && msg_send_done(&ib, &done) == -1)
			fatal("msg_send_done");
		if (!h.gone)
			job_flush(&ib);
	}
	return (0);
}

static int
number(const char *s)
{
	const char *error;
	long long n;

	n = strtonum(s, 1, NEVER, &error);
	if (error != NULL)
		fatalx("bad number on the command line: %s", error);
	return ((int)n);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		fatal("clock_gettime");
	return ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static void
phase(struct hooks *h)
{
	char why[WHY];
	struct stat st;

	h->lines = 0;
	*h->text = '\0';
	/* How a service's configuration says that there are none. */
	if (strcmp(h->path, "/dev/null") == 0)
		return;
	lock(h);
	h->deadline = now_ms() + h->total;
	if (h->gone)
		;
	else if (hook_check(h->path, h->usual ? HOOK_DIRECTORY : HOOK_EITHER,
	    &st, why, sizeof(why)) == -1) {
		if (h->usual && errno == ENOENT)
			log_debug("no hooks: %s", why);
		else
			refused(h, h->path, why);
	} else if (S_ISDIR(st.st_mode))
		directory(h);
	else
		(void)script(h, h->path, 0);
	if (h->lockfd != -1 && flock(h->lockfd, LOCK_UN) == -1)
		log_warn("unlock %s", h->lockpath);
}

/* One that others may open is theirs to hold as well. */
static int
lock_open(const char *path)
{
	struct stat st;
	int fd;

	if ((fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC, 0600)) == -1 || fstat(fd, &st) == -1) {
		log_warn("hooks run without the lock %s", path);
	} else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		log_warnx("hooks run without the lock %s: it is not root's "
		    "alone", path);
	} else
		return (fd);
	if (fd != -1)
		close(fd);
	return (-1);
}

/*
 * A monitor that was killed may be there again while the worker of the one
 * before still ends its script: thaw must not overtake freeze.  The guard of
 * a worker that was killed holds the lock too.  Not for ever: a hook that
 * does not run at all is worse.
 */
static void
lock(struct hooks *h)
{
	int64_t until = now_ms() + 2 * h->grace + 1000;
	struct pollfd pfd;

	while (h->lockfd != -1 && !h->gone &&
	    flock(h->lockfd, LOCK_EX | LOCK_NB) == -1) {
		if ((errno != EWOULDBLOCK && errno != EINTR) ||
		    now_ms() >= until) {
			log_warn("hooks run without the lock %s", h->lockpath);
			return;
		}
		memset(&pfd, 0, sizeof(pfd));
		pfd.fd = h->ib->fd;
		pfd.events = POLLIN;
		if (poll(&pfd, 1, LOCK_NAP) > 0)
			monitor_event(h);
	}
}

static void
directory(struct hooks *h)
{
	struct hook_list list;
	char path[PATH_MAX];
	size_t i, left;
	int n;

	if (hook_list(h->path, &list) == -1) {
		if (errno == E2BIG)
			snprintf(path, sizeof(path), "more than %d scripts, "
			    "none is run", HOOK_MAX);
		else
			strlcpy(path, strerror(errno), sizeof(path));
		refused(h, h->path, path);
		return;
	}
	for (left = list.n; left > 0; left--) {
		i = h->thaw ? left - 1 : list.n - left;
		n = snprintf(path, sizeof(path), "%s/%s", h->path,
		    list.names[i]);
		if (n < 0 || (size_t)n >= sizeof(path))
			refused(h, list.names[i], strerror(ENAMETOOLONG));
		else if (script(h, path, left) == -1)
			break;
	}
	hook_list_free(&list);
}

/* left: scripts of a directory, this one included.  -1: it was the last. */
static int
script(struct hooks *h, const char *path, size_t left)
{
	char why[WHY];
	int64_t ms = h->deadline - now_ms();
	struct stat st;

	/* Each anew: the one before may have changed it. */
	if (hook_check(path, HOOK_SCRIPT, &st, why, sizeof(why)) == -1)
		refused(h, path, why);
	else if (!(st.st_mode & S_IXUSR) && left > 0)
		/* In a directory that is how a script is switched off. */
		log_info("hook %s is left out: it is not executable", path);
	else if (!(st.st_mode & S_IXUSR))
		refused(h, path, "it is not executable by its owner");
	else if (ms <= 0)
		failed(h, path, "not run, the time for all hooks is over");
	else {
		/* What a freeze has locked must get its turn. */
		if (h->thaw && left > 1)
			ms /= (int64_t)left;
		run_script(h, path, ms < h->each ? (int)ms : h->each);
	}
	return (h->gone || *h->text != '\0' ? -1 : 0);
}

/* The texts of a failure that a host gets begin as qemu-ga's. */
static void
refused(struct hooks *h, const char *path, const char *why)
{
	log_warnx("hook %s is not run: %s", path, why);
	if (h->abort)
		snprintf(h->text, sizeof(h->text),
		    "can't access fsfreeze hook '%s': %s", path, why);
}

static void
failed(struct hooks *h, const char *path, const char *why)
{
	log_warnx("hook %s %s: %s", path, h->word, why);
	if (h->abort)
		snprintf(h->text, sizeof(h->text), "child process has failed "
		    "to execute fsfreeze hook: %s: %s", path, why);
}

/* --- one script --- */

static void
run_script(struct hooks *h, const char *path, int ms)
{
	struct run r;
	const char *slash;

	memset(&r, 0, sizeof(r));
	r.hooks = h;
	r.path = path;
	slash = strrchr(path, '/');
	r.name = slash != NULL ? slash + 1 : path;
	r.guard = -1;
	r.next = now_ms() + ms;
	if (begin(&r) == -1) {
		failed(h, path, strerror(errno));
		return;
	}
	guard(&r);
	let_go(&r);
	supervise(&r);
	explain(&r, ms);
	unguard(&r);
	if (r.ended)
		job_reap(r.pid);
}

/* The script's process, which waits until it is let go. */
static int
begin(struct run *r)
{
	int error, null, p[PIPES][2] = { { -1, -1 }, { -1, -1 },
	    { -1, -1 } };

	r->pid = -1;
	null = open("/dev/null", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (null != -1 && pipe2(p[OUTPUT], O_CLOEXEC) == 0 &&
	    pipe2(p[STATUS], O_CLOEXEC) == 0 &&
	    pipe2(p[GATE], O_CLOEXEC) == 0 &&
	    fcntl(p[OUTPUT][0], F_SETFL, O_NONBLOCK) == 0 &&
	    (r->pid = fork()) == 0)
		wait_and_become(r, p, null);
	error = errno;
	close_fd(&null);
	close_fd(&p[OUTPUT][1]);
	close_fd(&p[STATUS][1]);
	close_fd(&p[GATE][0]);
	if (r->pid == -1) {
		close_fd(&p[OUTPUT][0]);
		close_fd(&p[STATUS][0]);
		close_fd(&p[GATE][1]);
		errno = error;
		return (-1);
	}
	r->fd = p[OUTPUT][0];
	r->status = p[STATUS][0];
	r->gate = p[GATE][1];
	return (0);
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* In the child.  Should the worker be gone first, nothing was done. */
static void
wait_and_become(struct run *r, int p[PIPES][2], int null)
{
	struct job_start js;
	char *argv[3], byte;
	ssize_t n;

	close(p[GATE][1]);
	while ((n = read(p[GATE][0], &byte, 1)) == -1 && errno == EINTR)
		continue;
	if (n != 1)
		_exit(0);
	argv[0] = (char *)(uintptr_t)r->path;
	argv[1] = (char *)(uintptr_t)r->hooks->word;
	argv[2] = NULL;
	memset(&js, 0, sizeof(js));
	js.path = r->path;
	js.argv = argv;
	js.envp = job_environment;
	js.fd[0] = null;
	js.fd[1] = js.fd[2] = p[OUTPUT][1];
	job_exec(&js, p[STATUS][1]);
}

/*
 * A process of ours that ends the script should we be killed: what then goes
 * on would lock a database after the hooks that release it have run.  It
 * holds the hooks' lock meanwhile.
 */
static void
guard(struct run *r)
{
	char byte = 0;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1) {
		log_warn("guard of hook %s", r->path);
		return;
	}
	switch (r->guardpid = fork()) {
	case -1:
		log_warn("guard of hook %s", r->path);
		close(fds[0]);
		close(fds[1]);
		return;
	case 0:
		/* The monitor must see our end, the script its reader's. */
		close(CHILD_IMSG_FD);
		close(r->fd);
		close(r->status);
		close(r->gate);
		close(fds[1]);
		setproctitle("hook guard");
		while (read(fds[0], &byte, 1) == -1 && errno == EINTR)
			continue;
		/* Unless there was a byte, the script was never reaped. */
		if (byte != 1)
			signal_group(r, SIGKILL);
		_exit(0);
	}
	close(fds[0]);
	r->guard = fds[1];
}

/* Not before the guard knows whom to end. */
static void
let_go(struct run *r)
{
	if (write(r->gate, "", 1) == -1)
		log_warn("start of hook %s", r->path);
	close_fd(&r->gate);
}

static void
unguard(struct run *r)
{
	if (r->guard == -1)
		return;
	if (write(r->guard, "\1", 1) == -1)
		log_warn("guard of hook %s", r->path);
	close_fd(&r->guard);
	job_reap(r->guardpid);
}

/*
 * Until the script itself has ended.  What it leaves behind is none of ours,
 * it may be what holds a lock until the thaw; but nobody reads its output.
 * One that had to be told to end is ended with all its group.
 */
static void
supervise(struct run *r)
{
	size_t n, total = 0;

	for (;;) {
		if (!r->ended && job_ended(r->pid, &r->end) == 1)
			r->ended = 1;
		if (r->ended && (r->stage != TOLD || r->fd == -1))
			break;
		if (r->stage == RUNS && r->hooks->gone)
			r->next = 0;
		if (now_ms() >= r->next)
			advance(r);
		if (r->stage == LEFT)
			break;
		wait_event(r);
	}
	if (r->stage == TOLD)
		signal_group(r, SIGKILL);
	/* Of one that ended, what was to be read is there. */
	if (r->status != -1 && r->ended)
		r->error = job_status(r->status);
	else
		close_fd(&r->status);
	while (r->fd != -1 && total < LAST_LOOK && (n = output(r)) > 0)
		total += n;
	close_fd(&r->fd);
	if (r->len > 0)
		say(r);
}

/* Its time is over: the next stage of its end. */
static void
advance(struct run *r)
{
	r->stage++;
	r->next = now_ms() + r->hooks->grace;
	if (r->stage == TOLD)
		signal_group(r, SIGTERM);
	else if (r->stage == KILLED)
		signal_group(r, SIGKILL);
}

/* Its pid is not reaped before, and so not another's. */
static void
signal_group(struct run *r, int sig)
{
	/* It may not lead its group yet, or have left a group of dead. */
	if (kill(-r->pid, sig) == -1)
		(void)kill(r->pid, sig);
}

static void
wait_event(struct run *r)
{
	struct hooks *h = r->hooks;
	struct pollfd pfd[4];
	int64_t ms = r->next - now_ms();

	memset(pfd, 0, sizeof(pfd));
	pfd[0].fd = h->gone ? -1 : h->ib->fd;
	pfd[1].fd = h->watch;
	pfd[2].fd = r->fd;
	pfd[3].fd = r->status;
	pfd[0].events = pfd[1].events = pfd[2].events = pfd[3].events =
	    POLLIN;
	if (!h->gone && imsgbuf_queuelen(h->ib) > 0)
		pfd[0].events |= POLLOUT;
	if (poll(pfd, 4, ms < 0 ? 0 : (int)ms) == -1) {
		if (errno != EINTR)
			fatal("poll");
		return;
	}
	if (pfd[0].revents & POLLOUT && imsgbuf_write(h->ib) == -1)
		h->gone = 1;
	if (pfd[0].revents & ~POLLOUT)
		monitor_event(h);
	if (pfd[1].revents != 0)
		job_noticed(h->watch);
	if (pfd[2].revents != 0)
		(void)output(r);
	if (pfd[3].revents != 0) {
		r->error = job_status(r->status);
		r->status = -1;
	}
}

/* Nothing may come now, so it can only be the end. */
static void
monitor_event(struct hooks *h)
{
	struct imsg imsg;

	if (imsgbuf_read(h->ib) != 1 || imsgbuf_get(h->ib, &imsg) != 0)
		h->gone = 1;
}

/* One read; returns its bytes, 0 when there is nothing or the end came. */
static size_t
output(struct run *r)
{
	static char buf[64 * 1024];
	ssize_t n;

	if ((n = read(r->fd, buf, sizeof(buf))) == -1 &&
	    (errno == EAGAIN || errno == EINTR))
		return (0);
	if (n <= 0) {
		close_fd(&r->fd);
		return (0);
	}
	take(r, buf, (size_t)n);
	return ((size_t)n);
}

static void
take(struct run *r, const char *p, size_t left)
{
	const char *end;
	size_t n, room;

	r->bytes += left;
	while (left > 0) {
		end = memchr(p, '\n', left);
		n = end != NULL ? (size_t)(end - p) : left;
		room = sizeof(r->line) - r->len;
		if (n > room)
			r->cut = 1;
		memcpy(r->line + r->len, p, n < room ? n : room);
		r->len += n < room ? n : room;
		if (end != NULL) {
			say(r);
			n++;
		}
		p += n;
		left -= n;
	}
}

/* The line is whole, or there is no more. */
static void
say(struct run *r)
{
	char text[4 * LINE_BYTES + 1];

	if (r->len > 0 && may_say(r)) {
		log_visible(text, sizeof(text), r->line, r->len);
		log_info("hook %s: %s%s", r->name, text,
		    r->cut ? " [cut]" : "");
	} else if (r->len > 0)
		r->unsaid++;
	r->len = 0;
	r->cut = 0;
}

static int
may_say(struct run *r)
{
	struct hooks *h = r->hooks;
	int64_t now;

	if (r->lines >= LINES_EACH || h->lines >= LINES_ALL)
		return (0);
	if ((now = now_ms()) >= h->since + 1000) {
		h->since = now;
		h->lately = 0;
	}
	if (h->lately >= LINES_SECOND)
		return (0);
	r->lines++;
	h->lines++;
	h->lately++;
	return (1);
}

static void
explain(struct run *r, int ms)
{
	char why[128];

	if (r->unsaid > 0)
		log_info("hook %s: %ju more lines are not shown, it wrote %ju "
		    "bytes", r->name, r->unsaid, r->bytes);
	if (r->stage == LEFT)
		snprintf(why, sizeof(why), "does not end, not even when "
		    "killed; left behind as pid %d", (int)r->pid);
	else if (r->stage != RUNS && r->hooks->gone)
		snprintf(why, sizeof(why), "ended, for the monitor has gone");
	else if (r->stage != RUNS)
		snprintf(why, sizeof(why), "ended after %d.%03d seconds, which "
		    "is its time", ms / 1000, ms % 1000);
	else if (r->error != 0)
		snprintf(why, sizeof(why), "%s", strerror(r->error));
	else if (r->end.signaled)
		snprintf(why, sizeof(why), "terminated by signal %d",
		    r->end.code);
	else if (r->end.code != 0)
		snprintf(why, sizeof(why), "exit status %d", r->end.code);
	else {
		log_debug("hook %s %s: done", r->path, r->hooks->word);
		return;
	}
	failed(r->hooks, r->path, why);
}
