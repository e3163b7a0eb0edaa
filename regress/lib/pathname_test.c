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

#include <stddef.h>
#include <stdio.h>

#include <atf-c.h>

#include "pathname.h"

ATF_TC_WITHOUT_HEAD(below);
ATF_TC_BODY(below, tc)
{
	static const struct {
		const char	*path, *bases;
		int		 below;
	} v[] = {
		{ "/a", "/a", 1 }, { "/a/b", "/a", 1 }, { "/", "/", 1 },
		{ "/a", "/", 1 }, { "/ab", "/a", 0 }, { "/", "/a", 0 },
		{ "/a", "/a/b", 0 }, { "/a", "", 0 },
		{ "/b/c", "/a,/b", 1 }, { "/a/c", "/a,/b", 1 },
		{ "/bc", "/a,/b", 0 }, { "/b", "/a,,/b", 1 },
		{ "/x", "/a,,/b", 0 }, { "/x", "/a,/", 1 },
	};
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		ATF_CHECK_EQ_MSG(v[i].below,
		    path_below_any(v[i].path, v[i].bases), "%zu", i);
		if (i < 8)
			ATF_CHECK_EQ_MSG(v[i].below,
			    path_below(v[i].path, v[i].bases), "%zu", i);
	}
}

ATF_TC_WITHOUT_HEAD(unescape);
ATF_TC_BODY(unescape, tc)
{
	static const char *const v[][2] = {
		{ "", "" }, { "/a", "/a" }, { "a\\040b", "a b" },
		{ "\\134040", "\\040" }, { "\\377\\101", "\377A" },
		{ "\\400\\04", "\\400\\04" }, { "\\\\101", "\\A" },
		{ "\\08x\\", "\\08x\\" },
	};
	char s[32];
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		snprintf(s, sizeof(s), "%s", v[i][0]);
		path_unescape(s);
		ATF_CHECK_STREQ(v[i][1], s);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, below);
	ATF_TP_ADD_TC(tp, unescape);
	return (atf_no_error());
}
