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
 * Messages over a stream socket.  A message is a header of four words in the
 * machine's order and its payload; a descriptor travels with the first byte
 * of its message, whose header carries a mark.  The kernel may deliver that
 * byte long before the rest of the header, and plain bytes of an earlier
 * message together with it: a descriptor therefore waits in rfd[] until the
 * message that claims it is complete.
 */

#include <sys/types.h>
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

#define IMSG_FD_MARK	0x80000000U	/* in hdr.len */
#define IMSG_RBUF	1024		/* enough for nearly every message */
#define IMSG_IOV	64

static int	 dead(struct imsgbuf *, int);
static int	 resize(struct imsgbuf *, size_t);
static int	 make_room(struct imsgbuf *);
static int	 peek(struct imsgbuf *, struct imsg_hdr *, unsigned int *);
static int	 incomplete(struct imsgbuf *, unsigned int, unsigned int);
static void	 consume(struct imsgbuf *, void *, size_t);
static int	 claim(struct imsgbuf *);
static int	 gather(struct imsgbuf *, struct iovec *, size_t *);
static void	 sent(struct imsgbuf *, size_t);

int
imsgbuf_init(struct imsgbuf *b, int fd)
{
	memset(b, 0, sizeof(*b));
	b->tail = &b->head;
	b->maxsize = MAX_IMSGSIZE;
	b->fd = fd;
	b->pid = getpid();
	return (resize(b, IMSG_RBUF));
}

void
imsgbuf_allow_fdpass(struct imsgbuf *b)
{
	b->fdpass = 1;
}

int
imsgbuf_set_maxsize(struct imsgbuf *b, uint32_t max)
{
	if (max == 0 || max >= IMSG_FD_MARK - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		return (-1);
	}
	b->maxsize = (size_t)max + IMSG_HEADER_SIZE;
	return (0);
}

uint32_t
imsgbuf_queuelen(const struct imsgbuf *b)
{
	return (b->queued);
}

size_t
imsgbuf_queuebytes(const struct imsgbuf *b)
{
	return (b->queuedbytes);
}

void
imsgbuf_clear(struct imsgbuf *b)
{
	struct ibuf	*buf;

	while ((buf = b->head) != NULL) {
		b->head = buf->next;
		ibuf_free(buf);
	}
	b->tail = &b->head;
	b->queued = 0;
	b->queuedbytes = 0;
	while (b->nrfd > 0)
		close(b->rfd[--b->nrfd]);
	if (b->rbuf != NULL)
		explicit_bzero(b->rbuf + b->rstart, b->rend - b->rstart);
	free(b->rbuf);
	b->rbuf = NULL;
	b->rsize = b->rstart = b->rend = 0;
}

/* --- reading --- */

static int
dead(struct imsgbuf *b, int error)
{
	errno = b->error = error;
	return (-1);
}

/*
 * Move the unread bytes to the start of a buffer of that size, which holds
 * them.  Outside rstart..rend the buffer never holds anything of a peer's.
 */
static int
resize(struct imsgbuf *b, size_t size)
{
	unsigned char	*p;
	size_t		 left = b->rend - b->rstart;

	if ((p = malloc(size)) == NULL)
		return (-1);
	if (b->rbuf != NULL) {
		memcpy(p, b->rbuf + b->rstart, left);
		explicit_bzero(b->rbuf + b->rstart, left);
		free(b->rbuf);
	}
	b->rbuf = p;
	b->rsize = size;
	b->rstart = 0;
	b->rend = left;
	return (0);
}

/* Make the buffer as large as the message that has begun says it is. */
static int
make_room(struct imsgbuf *b)
{
	struct imsg_hdr	 hdr;
	unsigned int	 fds;
	size_t		 left = b->rend - b->rstart;

	hdr.len = 0;
	if (left >= IMSG_HEADER_SIZE && peek(b, &hdr, &fds) == -1)
		return (-1);
	if (b->rbuf == NULL || hdr.len > b->rsize)
		return (resize(b, hdr.len > IMSG_RBUF ? hdr.len : IMSG_RBUF));
	if (b->rstart > 0) {
		memmove(b->rbuf, b->rbuf + b->rstart, left);
		explicit_bzero(b->rbuf + left, b->rend - left);
		b->rstart = 0;
		b->rend = left;
	}
	return (0);
}

int
imsgbuf_read(struct imsgbuf *b)
{
	ssize_t	 n;
	int	 fd;

	if (b->error != 0)
		return (dead(b, b->error));
	if (make_room(b) == -1)
		return (dead(b, errno));
	if (b->rend == b->rsize)
		return (1);
	n = recvfd(b->fd, b->rbuf + b->rend, b->rsize - b->rend, &fd);
	if (n == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return (1);
		/* A peer's refused descriptors may have left bytes there. */
		explicit_bzero(b->rbuf + b->rend, b->rsize - b->rend);
		return (dead(b, errno));
	}
	b->rend += (size_t)n;
	if (fd != -1) {
		if (n == 0 || !b->fdpass || b->nrfd == IMSG_FDS) {
			close(fd);
			return (dead(b, EPROTO));
		}
		b->rfd[b->nrfd++] = fd;
	}
	return (n != 0);
}

/* The header at the cursor, checked; fds: how many descriptors it claims. */
static int
peek(struct imsgbuf *b, struct imsg_hdr *hdr, unsigned int *fds)
{
	memcpy(hdr, b->rbuf + b->rstart, IMSG_HEADER_SIZE);
	*fds = (hdr->len & IMSG_FD_MARK) != 0;
	hdr->len &= ~IMSG_FD_MARK;
	if (hdr->len < IMSG_HEADER_SIZE || hdr->len > b->maxsize) {
		errno = ERANGE;
		return (-1);
	}
	return (0);
}

/*
 * The rest of a message is still to come.  Whatever descriptor arrived came
 * with a byte that is here, so only the message begun can still claim one.
 */
static int
incomplete(struct imsgbuf *b, unsigned int least, unsigned int most)
{
	if (b->nrfd < least || b->nrfd > most)
		return (dead(b, EPROTO));
	return (0);
}

int
imsgbuf_get(struct imsgbuf *b, struct imsg *imsg)
{
	size_t		 left = b->rend - b->rstart, len;
	unsigned int	 fds;

	if (b->error != 0)
		return (dead(b, b->error));
	if (left < IMSG_HEADER_SIZE)
		return (incomplete(b, 0, left != 0));
	if (peek(b, &imsg->hdr, &fds) == -1)
		return (dead(b, errno));
	if (left < imsg->hdr.len)
		return (incomplete(b, fds, fds));
	/* One that should have come, or one that nothing here can claim. */
	if (b->nrfd < fds || (b->nrfd > fds && left == imsg->hdr.len))
		return (dead(b, EPROTO));

	len = imsg->hdr.len - IMSG_HEADER_SIZE;
	if ((imsg->buf = ibuf_open(len)) == NULL)
		return (dead(b, errno));
	consume(b, NULL, IMSG_HEADER_SIZE);
	imsg->buf->wpos = len;
	consume(b, imsg->buf->buf, len);
	if (fds)
		imsg->buf->fd = claim(b);
	if (b->rsize > IMSG_RBUF && b->rend - b->rstart <= IMSG_RBUF)
		(void)resize(b, IMSG_RBUF);	/* else it stays large */
	return (1);
}

static void
consume(struct imsgbuf *b, void *to, size_t len)
{
	if (to != NULL)
		memcpy(to, b->rbuf + b->rstart, len);
	explicit_bzero(b->rbuf + b->rstart, len);
	b->rstart += len;
	if (b->rstart == b->rend)
		b->rstart = b->rend = 0;
}

static int
claim(struct imsgbuf *b)
{
	int	 fd = b->rfd[0];

	b->nrfd--;
	memmove(&b->rfd[0], &b->rfd[1], b->nrfd * sizeof(b->rfd[0]));
	return (fd);
}

/* --- writing --- */

/* Up to the next message with a descriptor, which has to begin a sendmsg. */
static int
gather(struct imsgbuf *b, struct iovec *iov, size_t *total)
{
	struct ibuf	*buf;
	int		 n = 0;

	*total = 0;
	for (buf = b->head; buf != NULL && n < IMSG_IOV; buf = buf->next) {
		if (n > 0 && buf->fd != -1)
			break;
		iov[n].iov_base = ibuf_data(buf);
		iov[n].iov_len = ibuf_size(buf);
		*total += ibuf_size(buf);
		n++;
	}
	return (n);
}

/* The descriptor, if there was one, went with the first of n > 0 bytes. */
static void
sent(struct imsgbuf *b, size_t n)
{
	struct ibuf	*buf;

	b->queuedbytes -= n;
	ibuf_fd_set(b->head, -1);
	while ((buf = b->head) != NULL && n >= ibuf_size(buf)) {
		n -= ibuf_size(buf);
		if ((b->head = buf->next) == NULL)
			b->tail = &b->head;
		b->queued--;
		ibuf_free(buf);
	}
	if (buf != NULL)
		(void)ibuf_skip(buf, n);	/* n is less than it has */
}

int
imsgbuf_write(struct imsgbuf *b)
{
	struct iovec	 iov[IMSG_IOV];
	size_t		 total;
	ssize_t		 n;
	int		 niov;

	while (b->head != NULL) {
		niov = gather(b, iov, &total);
		n = sendfd(b->fd, iov, niov, b->head->fd);
		if (n == -1) {
			/* ENOBUFS: how the BSDs say that a buffer is full */
			if (errno == EAGAIN || errno == EWOULDBLOCK ||
			    errno == ENOBUFS)
				return (0);
			return (-1);
		}
		if (n > 0)
			sent(b, (size_t)n);
		if ((size_t)n < total)
			return (0);
	}
	return (0);
}

int
imsgbuf_flush(struct imsgbuf *b)
{
	struct pollfd	 pfd;

	for (;;) {
		if (imsgbuf_write(b) == -1)
			return (-1);
		if (b->head == NULL)
			return (0);
		pfd.fd = b->fd;
		pfd.events = POLLOUT;
		if (poll(&pfd, 1, -1) == -1 && errno != EINTR)
			return (-1);
	}
}

/* --- messages --- */

uint32_t
imsg_get_type(const struct imsg *imsg)
{
	return (imsg->hdr.type);
}

uint32_t
imsg_get_id(const struct imsg *imsg)
{
	return (imsg->hdr.peerid);
}

pid_t
imsg_get_pid(const struct imsg *imsg)
{
	return ((pid_t)imsg->hdr.pid);
}

size_t
imsg_get_len(const struct imsg *imsg)
{
	return (ibuf_size(imsg->buf));
}

int
imsg_has_fd(const struct imsg *imsg)
{
	return (imsg->buf->fd != -1);
}

int
imsg_get_fd(struct imsg *imsg)
{
	return (ibuf_fd_get(imsg->buf));
}

int
imsg_get_data(struct imsg *imsg, void *data, size_t len)
{
	if (len == 0 || ibuf_size(imsg->buf) != len) {
		errno = EBADMSG;
		return (-1);
	}
	return (ibuf_get(imsg->buf, data, len));
}

int
imsg_get_ibuf(struct imsg *imsg, struct ibuf *part)
{
	if (ibuf_size(imsg->buf) == 0) {
		errno = EBADMSG;
		return (-1);
	}
	return (ibuf_get_ibuf(imsg->buf, ibuf_size(imsg->buf), part));
}

void
imsg_free(struct imsg *imsg)
{
	ibuf_free(imsg->buf);
	imsg->buf = NULL;
}

struct ibuf *
imsg_create(struct imsgbuf *b, uint32_t type, uint32_t id, pid_t pid,
    size_t len)
{
	struct imsg_hdr	 hdr;
	struct ibuf	*msg;

	if (len > b->maxsize - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		return (NULL);
	}
	msg = ibuf_dynamic(len + IMSG_HEADER_SIZE, b->maxsize);
	if (msg == NULL)
		return (NULL);
	hdr.type = type;
	hdr.len = 0;			/* imsg_close knows */
	hdr.peerid = id;
	hdr.pid = (uint32_t)(pid == 0 ? b->pid : pid);
	if (ibuf_add(msg, &hdr, sizeof(hdr)) == -1) {
		ibuf_free(msg);
		return (NULL);
	}
	return (msg);
}

int
imsg_add(struct ibuf *msg, const void *data, size_t len)
{
	if (ibuf_add(msg, data, len) == -1) {
		ibuf_free(msg);
		return (-1);
	}
	return ((int)len);
}

void
imsg_close(struct imsgbuf *b, struct ibuf *msg)
{
	struct imsg_hdr	 hdr;

	memcpy(&hdr, msg->buf, sizeof(hdr));
	hdr.len = (uint32_t)msg->wpos;
	if (msg->fd != -1)
		hdr.len |= IMSG_FD_MARK;
	memcpy(msg->buf, &hdr, sizeof(hdr));
	msg->next = NULL;
	*b->tail = msg;
	b->tail = &msg->next;
	b->queued++;
	b->queuedbytes += msg->wpos;
}

int
imsg_compose(struct imsgbuf *b, uint32_t type, uint32_t id, pid_t pid, int fd,
    const void *data, size_t len)
{
	struct iovec	 iov;

	iov.iov_base = (void *)data;
	iov.iov_len = len;
	return (imsg_composev(b, type, id, pid, fd, &iov, 1));
}

int
imsg_composev(struct imsgbuf *b, uint32_t type, uint32_t id, pid_t pid, int fd,
    const struct iovec *iov, int niov)
{
	struct ibuf	*msg;
	size_t		 len = 0;
	int		 i, saved;

	for (i = 0; i < niov && len <= b->maxsize; i++)
		len = iov[i].iov_len > b->maxsize ? SIZE_MAX :
		    len + iov[i].iov_len;
	if ((msg = imsg_create(b, type, id, pid, len)) == NULL) {
		saved = errno;
		if (fd != -1)
			close(fd);
		errno = saved;
		return (-1);
	}
	ibuf_fd_set(msg, fd);
	for (i = 0; i < niov; i++)
		if (imsg_add(msg, iov[i].iov_base, iov[i].iov_len) == -1)
			return (-1);
	imsg_close(b, msg);
	return (1);
}

int
imsg_forward(struct imsgbuf *b, struct imsg *imsg)
{
	ibuf_rewind(imsg->buf);
	return (imsg_compose(b, imsg->hdr.type, imsg->hdr.peerid,
	    (pid_t)imsg->hdr.pid, -1, ibuf_data(imsg->buf),
	    ibuf_size(imsg->buf)));
}
