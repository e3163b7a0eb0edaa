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

/* NVMe disks' logs, from a monitor that has answered already. */

#include <sys/types.h>
#include <sys/socket.h>

#include <atf-c.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "messages.h"
#include "query.h"
#include "value.h"

static struct imsgbuf	 ours, theirs;

static void	 answer(const void *, size_t, int);
static const char *text(const unsigned char *);

static void
both(void)
{
	int sp[2];

	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sp));
	ATF_REQUIRE_EQ(0, imsgbuf_init(&ours, sp[0]));
	ATF_REQUIRE_EQ(0, imsgbuf_init(&theirs, sp[1]));
	imsgbuf_allow_fdpass(&ours);
	imsgbuf_allow_fdpass(&theirs);
}

/* Bytes come, and the end of them, or (0) none; -1: no descriptor does. */
static void
answer(const void *bytes, size_t len, int end)
{
	int data[2];

	both();
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, data));
	ATF_REQUIRE_EQ((ssize_t)len, write(data[1], bytes, len));
	if (end == 1)
		close(data[1]);
	ATF_REQUIRE_EQ(0, msg_send_data(&theirs, MSG_SMART, 5, end == -1 ?
	    -1 : data[0]));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&theirs));
	smart_begin(&ours, 5);
}

/* The tree, one item after another. */
static const char *
text(const unsigned char *log)
{
	static char out[4096];
	struct value_writer w;
	struct value_reader r;
	struct value_item item;
	struct ibuf *tree;
	size_t len = 0;
	int n;

	value_start(&w, VALUE_SIZE);
	value_object(&w, NULL);
	smart_write(&w, log);
	value_close(&w);
	ATF_REQUIRE((tree = value_done(&w)) != NULL);
	value_read(&r, ibuf_data(tree), ibuf_size(tree));
	while ((n = value_next(&r, &item)) == 1)
		if (item.type == VALUE_KEY || item.type == VALUE_STR)
			len += (size_t)snprintf(out + len, sizeof(out) - len,
			    "%.*s ", (int)item.len, item.str);
		else if (item.type == VALUE_UINT)
			len += (size_t)snprintf(out + len, sizeof(out) - len,
			    "%llx ", (unsigned long long)item.num.u);
	ATF_REQUIRE_EQ(0, n);
	ibuf_free(tree);
	return (out);
}

ATF_TC_WITHOUT_HEAD(members);
ATF_TC_BODY(members, tc)
{
	unsigned char log[SMART_LOG];
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(log); i++)
		log[i] = (unsigned char)i;
	ATF_CHECK_STREQ("smart type nvme critical-warning 0 temperature 201 "
	    "available-spare 3 available-spare-threshold 4 "
	    "percentage-used 5 "
	    "data-units-read-lo 2726252423222120 "
	    "data-units-read-hi 2f2e2d2c2b2a2928 "
	    "data-units-written-lo 3736353433323130 "
	    "data-units-written-hi 3f3e3d3c3b3a3938 "
	    "host-read-commands-lo 4746454443424140 "
	    "host-read-commands-hi 4f4e4d4c4b4a4948 "
	    "host-write-commands-lo 5756555453525150 "
	    "host-write-commands-hi 5f5e5d5c5b5a5958 "
	    "controller-busy-time-lo 6766656463626160 "
	    "controller-busy-time-hi 6f6e6d6c6b6a6968 "
	    "power-cycles-lo 7776757473727170 "
	    "power-cycles-hi 7f7e7d7c7b7a7978 "
	    "power-on-hours-lo 8786858483828180 "
	    "power-on-hours-hi 8f8e8d8c8b8a8988 "
	    "unsafe-shutdowns-lo 9796959493929190 "
	    "unsafe-shutdowns-hi 9f9e9d9c9b9a9998 "
	    "media-errors-lo a7a6a5a4a3a2a1a0 "
	    "media-errors-hi afaeadacabaaa9a8 "
	    "number-of-error-log-entries-lo b7b6b5b4b3b2b1b0 "
	    "number-of-error-log-entries-hi bfbebdbcbbbab9b8 ", text(log));
}

ATF_TC_WITHOUT_HEAD(found);
ATF_TC_BODY(found, tc)
{
	static struct smart_record v[3];

	(void)tc;
	strlcpy(v[0].name, "nvme0n1", SMART_NAME);
	v[0].log[0] = 10;
	strlcpy(v[1].name, "nvme10n1", SMART_NAME);
	v[1].log[0] = 11;
	answer(v, sizeof(v[0]) * 2, 1);
	ATF_REQUIRE(smart_find("nvme10n1") != NULL);
	ATF_CHECK_EQ(11, smart_find("nvme10n1")[0]);
	ATF_CHECK_EQ(10, smart_find("nvme0n1")[0]);
	ATF_CHECK(smart_find("nvme1n1") == NULL);
	/* Nothing is kept for the next request. */
	smart_begin(NULL, 6);
	ATF_CHECK(smart_find("nvme0n1") == NULL);
}

/* A disk that hangs, one that broke off, no worker, a name without end. */
ATF_TC_WITHOUT_HEAD(not_found);
ATF_TC_BODY(not_found, tc)
{
	static struct smart_record v[2];

	(void)tc;
	strlcpy(v[0].name, "nvme0n1", SMART_NAME);
	memset(v[1].name, 'n', SMART_NAME);
	memset(v[1].log, 'n', SMART_LOG);
	answer(v, 0, 0);
	ATF_CHECK(smart_find("nvme0n1") == NULL);
	answer(v, 0, 1);
	ATF_CHECK(smart_find("nvme0n1") == NULL);
	answer(v, 0, -1);
	ATF_CHECK(smart_find("nvme0n1") == NULL);
	answer(v, sizeof(v[0]) - 1, 1);
	ATF_CHECK(smart_find("nvme0n1") == NULL);
	answer(v, sizeof(v[0]) + 1, 1);
	ATF_CHECK(smart_find("nvme0n1") != NULL);
	answer(v, sizeof(v), 1);
	ATF_CHECK(smart_find("nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn") != NULL);
	ATF_CHECK(smart_find("nvme0n1") != NULL);
}

static void
says(uint64_t id, const struct smart_record *r)
{
	int data[2];

	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, data));
	ATF_REQUIRE_EQ((ssize_t)sizeof(*r), write(data[1], r, sizeof(*r)));
	close(data[1]);
	ATF_REQUIRE_EQ(0, msg_send_data(&theirs, MSG_SMART, id, data[0]));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&theirs));
}

/* The monitor is silent for once, and late: the next request has its own. */
ATF_TC_WITHOUT_HEAD(late);
ATF_TC_BODY(late, tc)
{
	static struct smart_record old, new;
	struct imsg m;

	(void)tc;
	both();
	strlcpy(old.name, "old", SMART_NAME);
	strlcpy(new.name, "new", SMART_NAME);
	smart_begin(&ours, 5);
	ATF_CHECK(smart_find("old") == NULL);
	says(5, &old);
	says(6, &new);
	smart_begin(&ours, 6);
	ATF_CHECK(smart_find("new") != NULL);
	ATF_CHECK(smart_find("old") == NULL);
	/* Between two requests it is passed over, and no more than that. */
	smart_begin(&ours, 7);
	ATF_CHECK(smart_find("new") == NULL);
	says(7, &new);
	says(7, &new);
	ATF_REQUIRE_EQ(1, imsgbuf_read(&ours));
	ATF_REQUIRE_EQ(1, imsgbuf_get(&ours, &m));
	ATF_CHECK_EQ(1, smart_late(&m));
	while (imsgbuf_get(&ours, &m) == 0)
		ATF_REQUIRE_EQ(1, imsgbuf_read(&ours));
	ATF_CHECK_EQ(0, smart_late(&m));
	imsg_free(&m);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, members);
	ATF_TP_ADD_TC(tp, found);
	ATF_TP_ADD_TC(tp, not_found);
	ATF_TP_ADD_TC(tp, late);
	return (atf_no_error());
}
