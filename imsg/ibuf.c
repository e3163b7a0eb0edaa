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
 * The buffer under every message.  Its bytes lie in the same allocation as
 * the structure until it has to grow, so that a small message costs one
 * malloc.  Bytes left behind, by growing, truncating or freeing, are zeroed.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

static unsigned char	*inline_bytes(struct ibuf *);
static int		 ibuf_grow(struct ibuf *, size_t);
static unsigned char	*ibuf_claim(struct ibuf *, size_t);
static const void	*ibuf_take(struct ibuf *, size_t);
static int		 ibuf_add_be(struct ibuf *, uint64_t, size_t);
static int		 ibuf_get_be(struct ibuf *, uint64_t *, size_t);
static void		 put_be(unsigned char *, uint64_t, size_t);

struct ibuf *
ibuf_open(size_t len)
{
	return (ibuf_dynamic(len, len));
}

struct ibuf *
ibuf_dynamic(size_t len, size_t max)
{
	struct ibuf	*buf;

	if (len > max || len > SIZE_MAX - sizeof(*buf)) {
		errno = ERANGE;
		return (NULL);
	}
	if ((buf = malloc(sizeof(*buf) + len)) == NULL)
		return (NULL);
	memset(buf, 0, sizeof(*buf));
	buf->buf = inline_bytes(buf);
	buf->size = len;
	buf->max = max;
	buf->fd = -1;
	return (buf);
}

void
ibuf_from_buffer(struct ibuf *buf, void *data, size_t len)
{
	memset(buf, 0, sizeof(*buf));
	buf->buf = data;
	buf->size = buf->max = buf->wpos = len;
	buf->fd = -1;
	buf->onstack = 1;
}

static unsigned char *
inline_bytes(struct ibuf *buf)
{
	return ((unsigned char *)(buf + 1));
}

/* Not realloc(3), which would leave the old bytes behind. */
static int
ibuf_grow(struct ibuf *buf, size_t need)
{
	unsigned char	*bytes;
	size_t		 size;

	size = buf->size > buf->max / 2 ? buf->max : buf->size * 2;
	if (size < need)
		size = need;
	if ((bytes = malloc(size)) == NULL)
		return (-1);
	memcpy(bytes, buf->buf, buf->wpos);
	explicit_bzero(buf->buf, buf->wpos);
	if (buf->buf != inline_bytes(buf))
		free(buf->buf);
	buf->buf = bytes;
	buf->size = size;
	return (0);
}

/* Room for len more bytes, not initialized. */
static unsigned char *
ibuf_claim(struct ibuf *buf, size_t len)
{
	unsigned char	*p;

	if (buf->onstack || len > buf->max - buf->wpos) {
		errno = ERANGE;
		return (NULL);
	}
	if (len > buf->size - buf->wpos &&
	    ibuf_grow(buf, buf->wpos + len) == -1)
		return (NULL);
	p = buf->buf + buf->wpos;
	buf->wpos += len;
	return (p);
}

int
ibuf_add(struct ibuf *buf, const void *data, size_t len)
{
	unsigned char	*p;

	if ((p = ibuf_claim(buf, len)) == NULL)
		return (-1);
	if (len != 0)
		memcpy(p, data, len);
	return (0);
}

void *
ibuf_reserve(struct ibuf *buf, size_t len)
{
	unsigned char	*p;

	if ((p = ibuf_claim(buf, len)) == NULL)
		return (NULL);
	return (memset(p, 0, len));
}

int
ibuf_add_zero(struct ibuf *buf, size_t len)
{
	return (ibuf_reserve(buf, len) == NULL ? -1 : 0);
}

static void
put_be(unsigned char *p, uint64_t value, size_t len)
{
	while (len > 0) {
		p[--len] = (unsigned char)(value & 0xff);
		value >>= 8;
	}
}

static int
ibuf_add_be(struct ibuf *buf, uint64_t value, size_t len)
{
	unsigned char	*p;

	if (len < sizeof(value) && value >> (len * 8) != 0) {
		errno = EINVAL;
		return (-1);
	}
	if ((p = ibuf_claim(buf, len)) == NULL)
		return (-1);
	put_be(p, value, len);
	return (0);
}

int
ibuf_add_n8(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_be(buf, value, sizeof(uint8_t)));
}

int
ibuf_add_n16(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_be(buf, value, sizeof(uint16_t)));
}

int
ibuf_add_n32(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_be(buf, value, sizeof(uint32_t)));
}

int
ibuf_add_n64(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add_be(buf, value, sizeof(uint64_t)));
}

int
ibuf_add_h16(struct ibuf *buf, uint64_t value)
{
	uint16_t	 v = (uint16_t)value;

	if (value > UINT16_MAX) {
		errno = EINVAL;
		return (-1);
	}
	return (ibuf_add(buf, &v, sizeof(v)));
}

int
ibuf_add_h32(struct ibuf *buf, uint64_t value)
{
	uint32_t	 v = (uint32_t)value;

	if (value > UINT32_MAX) {
		errno = EINVAL;
		return (-1);
	}
	return (ibuf_add(buf, &v, sizeof(v)));
}

int
ibuf_add_h64(struct ibuf *buf, uint64_t value)
{
	return (ibuf_add(buf, &value, sizeof(value)));
}

int
ibuf_add_strbuf(struct ibuf *buf, const char *str, size_t len)
{
	unsigned char	*p;
	size_t		 n;

	if ((n = strnlen(str, len)) == len) {
		errno = EOVERFLOW;
		return (-1);
	}
	if ((p = ibuf_reserve(buf, len)) == NULL)
		return (-1);
	memcpy(p, str, n);
	return (0);
}

int
ibuf_set_n32(struct ibuf *buf, size_t pos, uint64_t value)
{
	if (value > UINT32_MAX) {
		errno = EINVAL;
		return (-1);
	}
	if (pos > ibuf_size(buf) || ibuf_size(buf) - pos < sizeof(uint32_t)) {
		errno = ERANGE;
		return (-1);
	}
	put_be(buf->buf + buf->rpos + pos, value, sizeof(uint32_t));
	return (0);
}

void *
ibuf_data(const struct ibuf *buf)
{
	return (buf->buf + buf->rpos);
}

size_t
ibuf_size(const struct ibuf *buf)
{
	return (buf->wpos - buf->rpos);
}

size_t
ibuf_left(const struct ibuf *buf)
{
	return (buf->onstack ? 0 : buf->max - buf->wpos);
}

/* The one place where the cursor moves over a peer's bytes. */
static const void *
ibuf_take(struct ibuf *buf, size_t len)
{
	const unsigned char	*p = buf->buf + buf->rpos;

	if (len > ibuf_size(buf)) {
		errno = EBADMSG;
		return (NULL);
	}
	buf->rpos += len;
	return (p);
}

int
ibuf_get(struct ibuf *buf, void *data, size_t len)
{
	const void	*p;

	if ((p = ibuf_take(buf, len)) == NULL)
		return (-1);
	if (len != 0)
		memcpy(data, p, len);
	return (0);
}

static int
ibuf_get_be(struct ibuf *buf, uint64_t *value, size_t len)
{
	const unsigned char	*p;
	uint64_t		 v = 0;
	size_t			 i;

	if ((p = ibuf_take(buf, len)) == NULL)
		return (-1);
	for (i = 0; i < len; i++)
		v = v << 8 | p[i];
	*value = v;
	return (0);
}

int
ibuf_get_n8(struct ibuf *buf, uint8_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

int
ibuf_get_n16(struct ibuf *buf, uint16_t *value)
{
	uint64_t	 v;

	if (ibuf_get_be(buf, &v, sizeof(*value)) == -1)
		return (-1);
	*value = (uint16_t)v;
	return (0);
}

int
ibuf_get_n32(struct ibuf *buf, uint32_t *value)
{
	uint64_t	 v;

	if (ibuf_get_be(buf, &v, sizeof(*value)) == -1)
		return (-1);
	*value = (uint32_t)v;
	return (0);
}

int
ibuf_get_n64(struct ibuf *buf, uint64_t *value)
{
	return (ibuf_get_be(buf, value, sizeof(*value)));
}

int
ibuf_get_h16(struct ibuf *buf, uint16_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

int
ibuf_get_h32(struct ibuf *buf, uint32_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

int
ibuf_get_h64(struct ibuf *buf, uint64_t *value)
{
	return (ibuf_get(buf, value, sizeof(*value)));
}

int
ibuf_get_ibuf(struct ibuf *buf, size_t len, struct ibuf *part)
{
	unsigned char	*p = ibuf_data(buf);

	if (ibuf_take(buf, len) == NULL)
		return (-1);
	ibuf_from_buffer(part, p, len);
	return (0);
}

int
ibuf_get_strbuf(struct ibuf *buf, char *str, size_t len)
{
	const unsigned char	*p = ibuf_data(buf);

	if (len == 0) {
		errno = EINVAL;
		return (-1);
	}
	if (len <= ibuf_size(buf) && p[len - 1] != '\0') {
		errno = EOVERFLOW;
		return (-1);
	}
	return (ibuf_get(buf, str, len));
}

char *
ibuf_get_string(struct ibuf *buf, size_t len)
{
	char	*str;

	if (len > ibuf_size(buf)) {
		errno = EBADMSG;
		return (NULL);
	}
	if ((str = strndup(ibuf_data(buf), len)) == NULL)
		return (NULL);
	buf->rpos += len;
	return (str);
}

int
ibuf_skip(struct ibuf *buf, size_t len)
{
	return (ibuf_take(buf, len) == NULL ? -1 : 0);
}

void
ibuf_rewind(struct ibuf *buf)
{
	buf->rpos = 0;
}

int
ibuf_truncate(struct ibuf *buf, size_t len)
{
	size_t	 size = ibuf_size(buf);

	if (len > size)
		return (ibuf_add_zero(buf, len - size));
	if (!buf->onstack)
		explicit_bzero(buf->buf + buf->rpos + len, size - len);
	buf->wpos = buf->rpos + len;
	return (0);
}

void
ibuf_fd_set(struct ibuf *buf, int fd)
{
	if (buf->fd != -1)
		close(buf->fd);
	buf->fd = fd;
}

int
ibuf_fd_get(struct ibuf *buf)
{
	int	 fd = buf->fd;

	buf->fd = -1;
	return (fd);
}

void
ibuf_free(struct ibuf *buf)
{
	int	 saved = errno;

	if (buf == NULL || buf->onstack)
		return;
	if (buf->fd != -1)
		close(buf->fd);
	explicit_bzero(buf->buf, buf->wpos);
	if (buf->buf != inline_bytes(buf))
		free(buf->buf);
	free(buf);
	errno = saved;
}
