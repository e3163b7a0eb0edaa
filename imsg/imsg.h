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
 * The OpenBSD imsg API (imsg_init(3), ibuf_add(3) of OpenBSD 7.8), written
 * anew: same names, same meaning, fewer of them.  Differences, all on the
 * safe side:
 *  - a descriptor that arrived is kept until the header that claims it is
 *    complete; one that nothing claims, a second one, or one on a channel
 *    that did not allow descriptors is EPROTO;
 *    as is a header that claims one which did not come;
 *  - every error of the read side is sticky: the channel is dead;
 *  - imsgbuf_allow_fdpass() is about receiving, sending is always allowed;
 *  - bytes are zeroed as they are consumed, buffers when they are freed;
 *  - the header's peer id and pid are only carried, never used.
 * Received descriptors are close-on-exec; the channel's own may block or
 * not.
 */

#ifndef IMSG_H
#define IMSG_H

#include <sys/types.h>
#include <sys/uio.h>

#include <stdint.h>

#define IMSG_HEADER_SIZE	16
#define MAX_IMSGSIZE		16384	/* header included */
#define IMSG_FDS		8	/* waiting for their headers */

/* --- ibuf: a growing byte buffer that is also a reading cursor --- */

struct ibuf {
	struct ibuf	*next;		/* of a queue */
	unsigned char	*buf;
	size_t		 size;		/* allocated */
	size_t		 max;		/* may grow to this */
	size_t		 wpos;		/* end of what was written */
	size_t		 rpos;		/* start of what is unread */
	int		 fd;		/* goes with the first byte, or -1 */
	int		 onstack;	/* borrowed: never freed, grown */
};

/*
 * Return NULL or -1 with errno: ENOMEM, ERANGE (would grow past max),
 * EBADMSG (fewer bytes left than asked for), EINVAL (a value too big for its
 * width), EOVERFLOW (a strbuf without its NUL).  A failed get moves nothing.
 * The n-variants store big endian, the h-variants as the machine does.
 */
struct ibuf	*ibuf_open(size_t);
struct ibuf	*ibuf_dynamic(size_t, size_t);		/* size, max */
void		 ibuf_from_buffer(struct ibuf *, void *, size_t);
int		 ibuf_add(struct ibuf *, const void *, size_t);
void		*ibuf_reserve(struct ibuf *, size_t);	/* zeroed */
int		 ibuf_add_zero(struct ibuf *, size_t);
int		 ibuf_add_n8(struct ibuf *, uint64_t);
int		 ibuf_add_n16(struct ibuf *, uint64_t);
int		 ibuf_add_n32(struct ibuf *, uint64_t);
int		 ibuf_add_n64(struct ibuf *, uint64_t);
int		 ibuf_add_h16(struct ibuf *, uint64_t);
int		 ibuf_add_h32(struct ibuf *, uint64_t);
int		 ibuf_add_h64(struct ibuf *, uint64_t);
int		 ibuf_add_strbuf(struct ibuf *, const char *, size_t);
int		 ibuf_set_n32(struct ibuf *, size_t, uint64_t);
void		*ibuf_data(const struct ibuf *);	/* the unread bytes */
size_t		 ibuf_size(const struct ibuf *);	/* how many */
size_t		 ibuf_left(const struct ibuf *);	/* room to write */
int		 ibuf_get(struct ibuf *, void *, size_t);
int		 ibuf_get_n8(struct ibuf *, uint8_t *);
int		 ibuf_get_n16(struct ibuf *, uint16_t *);
int		 ibuf_get_n32(struct ibuf *, uint32_t *);
int		 ibuf_get_n64(struct ibuf *, uint64_t *);
int		 ibuf_get_h16(struct ibuf *, uint16_t *);
int		 ibuf_get_h32(struct ibuf *, uint32_t *);
int		 ibuf_get_h64(struct ibuf *, uint64_t *);
/* Borrows the bytes: good for as long as they are. */
int		 ibuf_get_ibuf(struct ibuf *, size_t, struct ibuf *);
int		 ibuf_get_strbuf(struct ibuf *, char *, size_t);
char		*ibuf_get_string(struct ibuf *, size_t);	/* malloc'd */
int		 ibuf_skip(struct ibuf *, size_t);
void		 ibuf_rewind(struct ibuf *);
int		 ibuf_truncate(struct ibuf *, size_t);
void		 ibuf_fd_set(struct ibuf *, int);	/* takes it over */
int		 ibuf_fd_get(struct ibuf *);		/* gives it away */
void		 ibuf_free(struct ibuf *);		/* zeroes, closes fd */

/* --- imsg --- */

struct imsg_hdr {
	uint32_t	 type;
	uint32_t	 len;		/* header included; bit 31: has an fd */
	uint32_t	 peerid;
	uint32_t	 pid;
};

struct imsg {
	struct imsg_hdr	 hdr;
	struct ibuf	*buf;		/* payload only, its fd the message's */
};

struct imsgbuf {			/* not to be copied: tail points in */
	struct ibuf	*head, **tail;	/* to be written */
	uint32_t	 queued;	/* messages in that list */
	size_t		 queuedbytes;
	unsigned char	*rbuf;		/* partial message */
	size_t		 rsize;		/* allocated */
	size_t		 rstart, rend;	/* unread bytes in it */
	size_t		 maxsize;	/* of one message, header included */
	int		 fd;
	int		 rfd[IMSG_FDS];	/* arrived, not yet claimed */
	unsigned int	 nrfd;
	int		 fdpass;
	int		 error;		/* sticky errno of the read side */
	pid_t		 pid;
};

/* -1 with errno ENOMEM.  The descriptor stays the caller's. */
int	 imsgbuf_init(struct imsgbuf *, int);
void	 imsgbuf_allow_fdpass(struct imsgbuf *);
int	 imsgbuf_set_maxsize(struct imsgbuf *, uint32_t);	/* payload */
/*
 * 1: read something or EAGAIN; 0: end of file; -1: errno, channel dead.  Get
 * every message before reading again: a full buffer is not read into.
 */
int	 imsgbuf_read(struct imsgbuf *);
/* 0: all or as much as the socket took; -1: errno, EPIPE: peer gone. */
int	 imsgbuf_write(struct imsgbuf *);
/* Write, and wait, until the queue is empty; never in the monitor. */
int	 imsgbuf_flush(struct imsgbuf *);
/* 1: *imsg is a message, to be freed with imsg_free; 0: none; -1: errno. */
int	 imsgbuf_get(struct imsgbuf *, struct imsg *);
uint32_t imsgbuf_queuelen(const struct imsgbuf *);
size_t	 imsgbuf_queuebytes(const struct imsgbuf *);
void	 imsgbuf_clear(struct imsgbuf *);

uint32_t imsg_get_type(const struct imsg *);
uint32_t imsg_get_id(const struct imsg *);
pid_t	 imsg_get_pid(const struct imsg *);
size_t	 imsg_get_len(const struct imsg *);	/* unread payload */
int	 imsg_has_fd(const struct imsg *);
int	 imsg_get_fd(struct imsg *);		/* ownership moves; -1: none */
int	 imsg_get_data(struct imsg *, void *, size_t);	/* exact size */
int	 imsg_get_ibuf(struct imsg *, struct ibuf *);	/* borrow the rest */
void	 imsg_free(struct imsg *);

/* 1 or -1 with errno.  fd is taken over and closed in any case. */
int	 imsg_compose(struct imsgbuf *, uint32_t, uint32_t, pid_t, int,
	    const void *, size_t);
int	 imsg_composev(struct imsgbuf *, uint32_t, uint32_t, pid_t, int,
	    const struct iovec *, int);
struct ibuf *imsg_create(struct imsgbuf *, uint32_t, uint32_t, pid_t, size_t);
/* n, or -1 with the message freed */
int	 imsg_add(struct ibuf *, const void *, size_t);
void	 imsg_close(struct imsgbuf *, struct ibuf *);	/* queues it */
int	 imsg_forward(struct imsgbuf *, struct imsg *);	/* never the fd */

/* sendfd.c: the only place that touches control messages. */
#define SENDFD_MAX	64
/*
 * sendmsg(2) of iov with fd (or -1) attached to its first byte; EINTR is
 * retried.  Returns what sendmsg does; fd stays the caller's.
 */
ssize_t	 sendfd(int, const struct iovec *, int, int);
/*
 * recvmsg(2) into buf.  *fd is the one descriptor that came, or -1.  More
 * than one, or a truncated control message: all are closed, -1, EPROTO.
 */
ssize_t	 recvfd(int, void *, size_t, int *);

#endif
