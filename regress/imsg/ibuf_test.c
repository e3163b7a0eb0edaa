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

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "imsg.h"

ATF_TC_WITHOUT_HEAD(numbers);
ATF_TC_BODY(numbers, tc)
{
	static const unsigned char	 wire[] = {
		0xf1, 0xf1, 0xf2, 0xf1, 0xf2, 0xf3, 0xf4,
		0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8
	};
	struct ibuf	*b;
	uint8_t		 n8;
	uint16_t	 n16;
	uint32_t	 n32;
	uint64_t	 n64;

	ATF_REQUIRE((b = ibuf_dynamic(0, 64)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add_n8(b, 0xf1));
	ATF_REQUIRE_EQ(0, ibuf_add_n16(b, 0xf1f2));
	ATF_REQUIRE_EQ(0, ibuf_add_n32(b, 0xf1f2f3f4));
	ATF_REQUIRE_EQ(0, ibuf_add_n64(b, 0xf1f2f3f4f5f6f7f8));
	ATF_REQUIRE_EQ(sizeof(wire), ibuf_size(b));
	ATF_REQUIRE_EQ(0, memcmp(wire, ibuf_data(b), sizeof(wire)));

	ATF_REQUIRE_EQ(0, ibuf_get_n8(b, &n8));
	ATF_REQUIRE_EQ(0, ibuf_get_n16(b, &n16));
	ATF_REQUIRE_EQ(0, ibuf_get_n32(b, &n32));
	ATF_REQUIRE_EQ(0, ibuf_get_n64(b, &n64));
	ATF_REQUIRE_EQ(0xf1, n8);
	ATF_REQUIRE_EQ(0xf1f2, n16);
	ATF_REQUIRE_EQ(0xf1f2f3f4, n32);
	ATF_REQUIRE_EQ(0xf1f2f3f4f5f6f7f8, n64);
	ATF_REQUIRE_EQ(0, ibuf_size(b));

	ATF_REQUIRE_EQ(0, ibuf_add_h16(b, 0xf1f2));
	ATF_REQUIRE_EQ(0, ibuf_add_h32(b, 0xf1f2f3f4));
	ATF_REQUIRE_EQ(0, ibuf_add_h64(b, 0xf1f2f3f4f5f6f7f8));
	ATF_REQUIRE_EQ(0, ibuf_get_h16(b, &n16));
	ATF_REQUIRE_EQ(0, ibuf_get_h32(b, &n32));
	ATF_REQUIRE_EQ(0, ibuf_get_h64(b, &n64));
	ATF_REQUIRE_EQ(0xf1f2, n16);
	ATF_REQUIRE_EQ(0xf1f2f3f4, n32);
	ATF_REQUIRE_EQ(0xf1f2f3f4f5f6f7f8, n64);

	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_n8(b, 0x100) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_n16(b, 0x10000) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_n32(b, 0x100000000) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_h16(b, 0x10000) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_add_h32(b, 0x100000000) == -1);
	ATF_REQUIRE_EQ(0, ibuf_size(b));
	ibuf_free(b);
}

/* A get that asks for more than there is moves nothing. */
ATF_TC_WITHOUT_HEAD(short_get);
ATF_TC_BODY(short_get, tc)
{
	unsigned char	 bytes[7] = { 1, 2, 3, 4, 5, 6, 7 }, to[8];
	char		 str[9];
	struct ibuf	 b, part;
	uint64_t	 n64;
	uint32_t	 n32;
	uint8_t		 n8;
	int		 i;

	ibuf_from_buffer(&b, bytes, sizeof(bytes));
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_n64(&b, &n64) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_h64(&b, &n64) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get(&b, to, 8) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_skip(&b, 8) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_skip(&b, SIZE_MAX) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_ibuf(&b, 8, &part) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_ibuf(&b, SIZE_MAX, &part) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_strbuf(&b, str, 8) == -1);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_string(&b, 8) == NULL);
	ATF_REQUIRE_EQ(7, ibuf_size(&b));
	ATF_REQUIRE_EQ(0, ibuf_get_n32(&b, &n32));
	ATF_REQUIRE_EQ(0x01020304, n32);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_n32(&b, &n32) == -1);
	for (i = 5; i <= 7; i++) {
		ATF_REQUIRE_EQ(0, ibuf_get_n8(&b, &n8));
		ATF_REQUIRE_EQ(i, n8);
	}
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_n8(&b, &n8) == -1);
	ibuf_rewind(&b);
	ATF_REQUIRE_EQ(7, ibuf_size(&b));
}

ATF_TC_WITHOUT_HEAD(grow);
ATF_TC_BODY(grow, tc)
{
	struct ibuf	*b;
	uint32_t	 i, n;

	ATF_REQUIRE((b = ibuf_dynamic(3, 40000)) != NULL);
	for (i = 0; i < 10000; i++)
		ATF_REQUIRE_EQ(0, ibuf_add_n32(b, i));
	ATF_REQUIRE_EQ(0, ibuf_left(b));
	ATF_REQUIRE(b->size <= 40000);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add_n8(b, 0) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_reserve(b, SIZE_MAX) == NULL);
	for (i = 0; i < 10000; i++) {
		ATF_REQUIRE_EQ(0, ibuf_get_n32(b, &n));
		ATF_REQUIRE_EQ(i, n);
	}
	ibuf_free(b);

	ATF_REQUIRE((b = ibuf_open(4)) != NULL);
	ATF_REQUIRE_EQ(4, ibuf_left(b));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add(b, "12345", 5) == -1);
	ATF_REQUIRE_EQ(0, ibuf_add(b, "1234", 4));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add(b, "5", 1) == -1);
	ibuf_free(b);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_dynamic(5, 4) == NULL);
	ATF_REQUIRE((b = ibuf_open(0)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_size(b));
	ibuf_free(b);
	ibuf_free(NULL);
}

ATF_TC_WITHOUT_HEAD(strings);
ATF_TC_BODY(strings, tc)
{
	char		 to[8], *s;
	struct ibuf	*b;

	ATF_REQUIRE((b = ibuf_dynamic(0, 64)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add_strbuf(b, "abc", sizeof(to)));
	ATF_REQUIRE_EQ(sizeof(to), ibuf_size(b));
	ATF_REQUIRE_EQ(0, memcmp(ibuf_data(b), "abc\0\0\0\0", 8));
	ATF_REQUIRE_ERRNO(EOVERFLOW,
	    ibuf_add_strbuf(b, "12345678", sizeof(to)) == -1);
	ATF_REQUIRE_EQ(0, ibuf_get_strbuf(b, to, sizeof(to)));
	ATF_REQUIRE_STREQ("abc", to);

	ATF_REQUIRE_EQ(0, ibuf_add(b, "12345678", 8));
	ATF_REQUIRE_ERRNO(EOVERFLOW, ibuf_get_strbuf(b, to, 8) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_get_strbuf(b, to, 0) == -1);
	ATF_REQUIRE((s = ibuf_get_string(b, 8)) != NULL);
	ATF_REQUIRE_STREQ("12345678", s);
	free(s);
	ATF_REQUIRE_EQ(0, ibuf_size(b));
	ibuf_free(b);
}

ATF_TC_WITHOUT_HEAD(edit);
ATF_TC_BODY(edit, tc)
{
	struct ibuf	*b;
	uint32_t	 n;

	ATF_REQUIRE((b = ibuf_open(16)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add_n32(b, 1));
	ATF_REQUIRE_EQ(0, ibuf_add_n32(b, 2));
	ATF_REQUIRE_EQ(0, ibuf_set_n32(b, 4, 9));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_n32(b, 5, 9) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_set_n32(b, SIZE_MAX - 1, 9) == -1);
	ATF_REQUIRE_ERRNO(EINVAL, ibuf_set_n32(b, 0, 0x100000000) == -1);
	ATF_REQUIRE_EQ(0, ibuf_get_n32(b, &n));
	ATF_REQUIRE_EQ(1, n);
	ATF_REQUIRE_EQ(9, ((unsigned char *)ibuf_data(b))[3]);

	/* What truncation cuts off is gone, what it adds is zero. */
	ATF_REQUIRE_EQ(0, ibuf_truncate(b, 3));
	ATF_REQUIRE_EQ(3, ibuf_size(b));
	ATF_REQUIRE_EQ(0, ((unsigned char *)ibuf_data(b))[3]);
	ATF_REQUIRE_EQ(0, ibuf_truncate(b, 12));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_truncate(b, 13) == -1);
	ATF_REQUIRE_EQ(0, ibuf_get_n32(b, &n));
	ATF_REQUIRE_EQ(0, n);
	ibuf_free(b);
}

/* A borrowed part reads its own bytes and owns nothing. */
ATF_TC_WITHOUT_HEAD(borrow);
ATF_TC_BODY(borrow, tc)
{
	struct ibuf	*b, part;
	uint8_t		 n;

	ATF_REQUIRE((b = ibuf_open(4)) != NULL);
	ATF_REQUIRE_EQ(0, ibuf_add(b, "\1\2\3\4", 4));
	ATF_REQUIRE_EQ(0, ibuf_get_ibuf(b, 2, &part));
	ATF_REQUIRE_EQ(2, ibuf_size(&part));
	ATF_REQUIRE_EQ(0, ibuf_left(&part));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add_n8(&part, 0) == -1);
	ATF_REQUIRE_EQ(0, ibuf_get_n8(&part, &n));
	ATF_REQUIRE_EQ(0, ibuf_get_n8(&part, &n));
	ATF_REQUIRE_EQ(2, n);
	ATF_REQUIRE_ERRNO(EBADMSG, ibuf_get_n8(&part, &n) == -1);
	/* Cut short, it still may not write into what it borrowed. */
	ibuf_rewind(&part);
	ATF_REQUIRE_EQ(0, ibuf_truncate(&part, 1));
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_add_n8(&part, 9) == -1);
	ATF_REQUIRE_ERRNO(ERANGE, ibuf_truncate(&part, 2) == -1);
	ibuf_free(&part);
	ATF_REQUIRE_EQ(0, ibuf_get_n8(b, &n));
	ATF_REQUIRE_EQ(3, n);
	ibuf_free(b);
}

ATF_TC_WITHOUT_HEAD(descriptor);
ATF_TC_BODY(descriptor, tc)
{
	struct ibuf	*b;
	int		 p[2];

	ATF_REQUIRE_EQ(0, pipe(p));
	ATF_REQUIRE((b = ibuf_open(1)) != NULL);
	ATF_REQUIRE_EQ(-1, ibuf_fd_get(b));
	ibuf_fd_set(b, p[0]);
	ATF_REQUIRE_EQ(p[0], ibuf_fd_get(b));
	ATF_REQUIRE_EQ(-1, ibuf_fd_get(b));
	ibuf_fd_set(b, p[0]);
	ibuf_fd_set(b, p[1]);
	ATF_REQUIRE_ERRNO(EBADF, fcntl(p[0], F_GETFD) == -1);
	errno = ENOENT;
	ibuf_free(b);
	ATF_REQUIRE_EQ(ENOENT, errno);
	ATF_REQUIRE_ERRNO(EBADF, fcntl(p[1], F_GETFD) == -1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, short_get);
	ATF_TP_ADD_TC(tp, grow);
	ATF_TP_ADD_TC(tp, strings);
	ATF_TP_ADD_TC(tp, edit);
	ATF_TP_ADD_TC(tp, borrow);
	ATF_TP_ADD_TC(tp, descriptor);
	return (atf_no_error());
}
