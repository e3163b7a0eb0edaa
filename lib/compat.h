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
 * What this libc lacks, by configure's word: declared here, defined in
 * lib/compat/.  config.h ends with this file, and every file is compiled with
 * config.h before its first line, so none of them has to ask.
 */

#ifndef COMPAT_H
#define COMPAT_H

#include <sys/types.h>
#include <sys/socket.h>

#include <signal.h>
#include <stddef.h>

#if !defined(HAVE_EXPLICIT_BZERO)
void	 explicit_bzero(void *, size_t);
#endif
#if !defined(HAVE_FREEZERO)
void	 freezero(void *, size_t);
#endif
#if !defined(HAVE_RECALLOCARRAY)
void	*recallocarray(void *, size_t, size_t, size_t);
#endif
#if !defined(HAVE_REALLOCARRAY)
void	*reallocarray(void *, size_t, size_t);
#endif
#if !defined(HAVE_CLOSEFROM)
void	 closefrom(int);
#endif
#if !defined(HAVE_STRLCPY)
size_t	 strlcpy(char *, const char *, size_t);
#endif
#if !defined(HAVE_STRLCAT)
size_t	 strlcat(char *, const char *, size_t);
#endif
#if !defined(HAVE_STRTONUM)
long long strtonum(const char *, long long, long long, const char **);
#endif
#if !defined(HAVE_GETPROGNAME)
const char *getprogname(void);
#endif

/*
 * setproctitle_init() is called once, early in main(): it moves the strings
 * of argv, so a pointer taken from argv before shows the title afterwards.
 */
#if !defined(HAVE_SETPROCTITLE)
void	 setproctitle_init(int, char *[], char *[]);
void	 setproctitle(const char *, ...)
	    __attribute__((format(printf, 1, 2)));
#else
#define setproctitle_init(argc, argv, envp)	((void)(envp))
#endif

/* ENOSYS unless the three ids are the same. */
#if !defined(HAVE_SETRESUID)
int	 setresuid(uid_t, uid_t, uid_t);
#endif
#if !defined(HAVE_SETRESGID)
int	 setresgid(gid_t, gid_t, gid_t);
#endif
#if !defined(HAVE_GETRESUID)
int	 getresuid(uid_t *, uid_t *, uid_t *);
#endif
#if !defined(HAVE_GETRESGID)
int	 getresgid(gid_t *, gid_t *, gid_t *);
#endif

#if !defined(HAVE_PPOLL)
#include <poll.h>
struct timespec;
int	 ppoll(struct pollfd *, nfds_t, const struct timespec *,
	    const sigset_t *);
#endif

/* sendmsg(2)'s EPIPE without a signal: every program ignores SIGPIPE. */
#if !defined(HAVE_MSG_NOSIGNAL)
#define MSG_NOSIGNAL	0
#endif
#if !defined(HAVE_MSG_CMSG_CLOEXEC)
#define MSG_CMSG_CLOEXEC 0	/* so FD_CLOEXEC is set by hand as well */
#endif
#if !defined(HAVE_SOCK_CLOEXEC)
#define SOCK_CLOEXEC	0x10000000
#define SOCK_NONBLOCK	0x20000000
int	 compat_socket(int, int, int);
int	 compat_socketpair(int, int, int, int[2]);
#define socket(d, t, p)		compat_socket(d, t, p)
#define socketpair(d, t, p, f)	compat_socketpair(d, t, p, f)
#endif
#if !defined(HAVE_ACCEPT4)
int	 accept4(int, struct sockaddr *, socklen_t *, int);
#endif
/* macOS: a group is an int there. */
#if defined(HAVE_INITGROUPS_INT)
#include <unistd.h>
#define initgroups(n, g)	initgroups(n, (int)(g))
#define getgrouplist(n, g, v, c) getgrouplist(n, (int)(g), v, c)
#endif

/* The newest macOS has one, which a program for older ones may not call. */
#if !defined(HAVE_PIPE2)
#include <unistd.h>
int	 compat_pipe2(int[2], int);
#define pipe2(p, f)		compat_pipe2(p, f)
#endif

#endif
