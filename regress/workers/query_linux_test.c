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
 * The query worker on processors, memory blocks and routes: recorded and
 * hostile trees in place of /sys and /proc, and this machine's own beside
 * what other ways of asking say.
 */

#include <sys/stat.h>

#include <arpa/inet.h>

#include <atf-c.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "query.h"
#include "tree.h"
#include "value.h"

typedef int query_in_fn(struct value_writer *, const char *, char *, size_t);

/* The answer, or the error after a "!". */
static char *
ask(query_in_fn *fn, const char *path)
{
	struct value_writer	 w;
	struct text		 t;
	char			 err[256] = "";

	value_start(&w, VALUE_SIZE);
	if (fn(&w, path, err, sizeof(err)) == 0)
		return (finish(&w));
	value_abort(&w);
	memset(&t, 0, sizeof(t));
	add(&t, "!%s", err);
	return (t.s);
}

static char *
ask_routes(const char *v4, const char *v6)
{
	struct value_writer	 w;
	struct text		 t;
	char			 err[256] = "";

	value_start(&w, VALUE_SIZE);
	if (linux_routes_in(&w, v4, v6, err, sizeof(err)) == 0)
		return (finish(&w));
	value_abort(&w);
	memset(&t, 0, sizeof(t));
	add(&t, "!%s", err);
	return (t.s);
}

static void
dir(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
dir(const char *fmt, ...)
{
	char	 path[256];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	ATF_REQUIRE_EQ_MSG(0, mkdir(path, 0755), "%s", path);
}

static void
file(const char *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
file(const char *text, const char *fmt, ...)
{
	char	 path[256];
	va_list	 ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	write_file(path, text, strlen(text));
}

/* --- guest-get-vcpus --- */

/* 32 of them with holes, the first one fixed, some offline. */
ATF_TC_WITHOUT_HEAD(vcpus);
ATF_TC_BODY(vcpus, tc)
{
	static const char *const others[] = { "cpufreq", "cpuidle", "power",
	    "cpu", "cpu01", "cpu1x", "cpu-1", "cpu 1", "xcpu1",
	    "cpu99999999999999999999" };
	struct text	 want;
	size_t		 i;
	int		 id, n = 0;

	memset(&want, 0, sizeof(want));
	dir("cpu");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		dir("cpu/%s", others[i]);
	file("0-3\n", "cpu/online");
	file("x", "cpu/cpu7");			/* no directory */
	add(&want, "[");
	for (id = 0; n < 32; id++) {
		if (id % 5 == 2)
			continue;
		dir("cpu/cpu%d", id);
		if (id != 0)
			file(id % 3 == 0 ? "0\n" : "1\n", "cpu/cpu%d/online",
			    id);
		add(&want, "%s{\"logical-id\":%d,\"online\":%s,"
		    "\"can-offline\":%s}", n++ == 0 ? "" : ",", id,
		    id != 0 && id % 3 == 0 ? "false" : "true",
		    id == 0 ? "false" : "true");
	}
	add(&want, "]");
	ATF_CHECK_STREQ(want.s, ask(linux_vcpus_in, "cpu"));
}

ATF_TC_WITHOUT_HEAD(vcpus_odd);
ATF_TC_BODY(vcpus_odd, tc)
{
	/* An empty /sys, and one with nothing in it that is ours. */
	ATF_CHECK_STREQ("!failed to list entries: cpu: No such file or "
	    "directory", ask(linux_vcpus_in, "cpu"));
	dir("cpu");
	dir("cpu/cpufreq");
	ATF_CHECK_STREQ("!failed to list entries: cpu: no processors",
	    ask(linux_vcpus_in, "cpu"));
	dir("cpu/cpu18446744073709551615");
	dir("cpu/cpu3");
	file("1 and more than this needs to be read", "cpu/cpu3/online");
	ATF_CHECK_STREQ("[{\"logical-id\":3,\"online\":true,\"can-offline\":"
	    "true},{\"logical-id\":18446744073709551615,\"online\":true,"
	    "\"can-offline\":false}]", ask(linux_vcpus_in, "cpu"));
	file("", "cpu/cpu3/online");
	ATF_CHECK_STREQ("!cannot read \"cpu3/online\": unexpected EOF",
	    ask(linux_vcpus_in, "cpu"));
	/* One that nobody writes to must not be waited for. */
	ATF_REQUIRE_EQ(0, unlink("cpu/cpu3/online"));
	ATF_REQUIRE_EQ(0, mkfifo("cpu/cpu3/online", 0600));
	ATF_CHECK_STREQ("!cannot read \"cpu3/online\": unexpected EOF",
	    ask(linux_vcpus_in, "cpu"));
	ATF_REQUIRE_EQ(0, unlink("cpu/cpu3/online"));
	dir("cpu/cpu3/online");
	ATF_CHECK_STREQ("!cannot read \"cpu3/online\": Is a directory",
	    ask(linux_vcpus_in, "cpu"));
}

/* --- memory blocks --- */

ATF_TC_WITHOUT_HEAD(memory_blocks);
ATF_TC_BODY(memory_blocks, tc)
{
	static const struct {
		const char	*state, *removable;	/* NULL: no file */
		int		 online, canoffline;
	} v[] = {
		{ "online\n", "1\n", 1, 1 },
		{ "online\n", "0\n", 1, 0 },
		{ "offline\n", "1\n", 0, 1 },
		{ "going-offline\n", "0\n", 0, 0 },
		{ "online\n", NULL, 1, 0 },
		{ NULL, NULL, 1, 0 },
		{ NULL, "1\n", 1, 0 },
		{ "", "", 0, 0 },
		{ "a state that is longer than all the ones there are\n",
		    "1\n", 0, 1 },
	};
	struct text	 want;
	size_t		 i, index;

	/* No hotplug in this kernel: nothing to show, and no size. */
	ATF_CHECK_STREQ("[]", ask(linux_memory_blocks_in, "m"));
	ATF_CHECK_STREQ("!open(\"m/\"): No such file or directory",
	    ask(linux_memory_block_info_in, "m"));
	dir("m");
	file("online\n", "m/auto_online_blocks");
	ATF_CHECK_STREQ("!guest reported zero memory blocks!",
	    ask(linux_memory_blocks_in, "m"));
	ATF_CHECK_STREQ("!open sysfs file \"block_size_bytes\": No such file "
	    "or directory", ask(linux_memory_block_info_in, "m"));

	memset(&want, 0, sizeof(want));
	add(&want, "[");
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		index = i < 3 ? i : i * 32;	/* a hole in between */
		dir("m/memory%zu", index);
		if (v[i].state != NULL)
			file(v[i].state, "m/memory%zu/state", index);
		if (v[i].removable != NULL)
			file(v[i].removable, "m/memory%zu/removable", index);
		add(&want, "%s{\"phys-index\":%zu,\"online\":%s,"
		    "\"can-offline\":%s}", i == 0 ? "" : ",", index,
		    v[i].online ? "true" : "false",
		    v[i].canoffline ? "true" : "false");
	}
	add(&want, "]");
	dir("m/memory");
	dir("m/memory_tiering");
	ATF_CHECK_STREQ(want.s, ask(linux_memory_blocks_in, "m"));

	dir("m/memory7");
	dir("m/memory7/state");
	ATF_CHECK_STREQ("!cannot read \"memory7\": Is a directory",
	    ask(linux_memory_blocks_in, "m"));
	write_file("file", "", 0);
	ATF_CHECK_STREQ("!Can't open directory\"file/\": Not a directory",
	    ask(linux_memory_blocks_in, "file"));
}

ATF_TC_WITHOUT_HEAD(memory_block_info);
ATF_TC_BODY(memory_block_info, tc)
{
	static const struct {
		const char	*file, *want;	/* NULL: no number */
	} v[] = {
		{ "8000000\n", "{\"size\":134217728}" },
		{ "80000000", "{\"size\":2147483648}" },
		{ "1000000000\n", "{\"size\":68719476736}" },
		{ "FFFFFFFFFFFFFFFF\n", "{\"size\":18446744073709551615}" },
		{ "10000000000000000\n", NULL },
		{ "", NULL },
		{ "\n", NULL },
		{ "-1\n", NULL },
		{ "0x1\n", NULL },
		{ "1g\n", NULL },
		{ "80 00\n", NULL }
	};
	size_t	 i;
	char	*have;

	dir("m");
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		file(v[i].file, "m/block_size_bytes");
		have = ask(linux_memory_block_info_in, "m");
		ATF_CHECK_STREQ(v[i].want != NULL ? v[i].want :
		    "!m/block_size_bytes: no number", have);
		free(have);
	}
}

/* --- guest-get-cpustats --- */

ATF_TC_WITHOUT_HEAD(cpustats);
ATF_TC_BODY(cpustats, tc)
{
	static const struct {
		const char	*line, *members;	/* NULL: left out */
	} v[] = {
		{ "cpu0 1 2 3 4 5 6 7 8 9 10", "\"cpu\":0,\"user\":10,"
		    "\"nice\":20,\"system\":30,\"idle\":40,\"iowait\":50,"
		    "\"irq\":60,\"softirq\":70,\"steal\":80,\"guest\":90,"
		    "\"guestnice\":100" },
		/* Kernels of long ago, and one to come. */
		{ "cpu2 1 2 3 4", "\"cpu\":2,\"user\":10,\"nice\":20,"
		    "\"system\":30,\"idle\":40" },
		{ "cpu3  1  0 0 4 5", "\"cpu\":3,\"user\":10,\"nice\":0,"
		    "\"system\":0,\"idle\":40,\"iowait\":50" },
		{ "cpu63 1 1 1 1 1 1 1 1 1 1 99 98", "\"cpu\":63,\"user\":10,"
		    "\"nice\":10,\"system\":10,\"idle\":10,\"iowait\":10,"
		    "\"irq\":10,\"softirq\":10,\"steal\":10,\"guest\":10,"
		    "\"guestnice\":10" },
		{ "cpu4 1 2 3", NULL },
		{ "cpu5", NULL },
		{ "cpu6x 1 2 3 4", NULL },
		{ "cpux 1 2 3 4", NULL },
		{ "cpu7 1 2 -3 4 5", NULL },
		{ "cpu8 18446744073709551615 0 0 184467440737095516",
		    "\"cpu\":8,\"user\":18446744073709551615,\"nice\":0,"
		    "\"system\":0,\"idle\":1844674407370955160" },
		{ "cpu9 18446744073709551616 0 0 0", NULL },
		{ "cpu10 1 2 3 4 junk 6", "\"cpu\":10,\"user\":10,"
		    "\"nice\":20,\"system\":30,\"idle\":40" },
	};
	static char	 interrupts[3 * LINES_BUFFER];
	struct text	 in, want;
	size_t		 i;
	int		 n = 0;

	if (sysconf(_SC_CLK_TCK) != 100)
		atf_tc_skip("other ticks than 100 a second");
	ATF_CHECK_STREQ("!open(\"stat\"): No such file or directory",
	    ask(linux_cpustats_in, "stat"));
	write_file("stat", "", 0);
	ATF_CHECK_STREQ("[]", ask(linux_cpustats_in, "stat"));
	memset(&in, 0, sizeof(in));
	memset(&want, 0, sizeof(want));
	add(&in, "cpu  6 5 4 3 2 1 0 9 8 7\n");
	add(&want, "[");
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		add(&in, "%s\n", v[i].line);
		if (v[i].members != NULL)
			add(&want, "%s{\"type\":\"linux\",%s}",
			    n++ == 0 ? "" : ",", v[i].members);
	}
	add(&want, "]");
	memset(interrupts, '1', sizeof(interrupts));
	addb(&in, interrupts, sizeof(interrupts));
	add(&in, "\nintr 1\n");
	write_file("stat", in.s, in.len);
	ATF_CHECK_STREQ(want.s, ask(linux_cpustats_in, "stat"));
}

/* --- lines --- */

/* However they lie with regard to the buffer's end. */
ATF_TC_WITHOUT_HEAD(lines);
ATF_TC_BODY(lines, tc)
{
	static struct lines	 l;
	static char		 big[LINES_BUFFER + 16];
	struct text		 in;
	char			*line;
	size_t			 i, n, len;

	for (len = LINES_BUFFER - 4; len < LINES_BUFFER + 4; len++) {
		memset(&in, 0, sizeof(in));
		memset(big, 'x', sizeof(big));
		add(&in, "first\n");
		addb(&in, big, len);
		add(&in, "\n\nlast");
		write_file("lines", in.s, in.len);
		ATF_REQUIRE_EQ(0, lines_open(&l, "lines"));
		ATF_CHECK_STREQ("first", lines_next(&l));
		ATF_REQUIRE((line = lines_next(&l)) != NULL);
		/* With its newline it must fit. */
		if (len + 1 < LINES_BUFFER) {
			ATF_CHECK_EQ(len, strlen(line));
			ATF_REQUIRE((line = lines_next(&l)) != NULL);
		}
		ATF_CHECK_STREQ("", line);
		ATF_CHECK_STREQ("last", lines_next(&l));
		ATF_CHECK(lines_next(&l) == NULL);
		ATF_CHECK_EQ(0, l.error);
		lines_close(&l);
		free(in.s);
	}
	/* Many, over many reads. */
	memset(&in, 0, sizeof(in));
	for (i = 0; i < 50000; i++)
		add(&in, "%zu\n", i);
	write_file("lines", in.s, in.len);
	ATF_REQUIRE_EQ(0, lines_open(&l, "lines"));
	for (n = 0; (line = lines_next(&l)) != NULL; n++)
		ATF_REQUIRE_EQ(n, strtoul(line, NULL, 10));
	ATF_CHECK_EQ(i, n);
	lines_close(&l);
	/* What cannot be read is an error, not an end. */
	ATF_REQUIRE_EQ(0, lines_open(&l, "."));
	ATF_CHECK(lines_next(&l) == NULL);
	ATF_CHECK_EQ(EISDIR, l.error);
	lines_close(&l);
	ATF_CHECK_ERRNO(ENOENT, lines_open(&l, "absent") == -1);
}

/* --- guest-network-get-route --- */

#define HEAD4	"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\t" \
		"Mask\t\tMTU\tWindow\tIRTT   \n"
#define ZERO	"00000000000000000000000000000000"

/* An address as the kernel prints it, on either kind of machine. */
static const char *
hex4(const char *address)
{
	static char	 s[4][9];
	static int	 n;
	uint32_t	 bytes;

	ATF_REQUIRE_EQ(1, inet_pton(AF_INET, address, &bytes));
	n = (n + 1) % 4;
	snprintf(s[n], sizeof(s[n]), "%08X", bytes);
	return (s[n]);
}

ATF_TC_WITHOUT_HEAD(routes);
ATF_TC_BODY(routes, tc)
{
	static const char route6[] =
	    "20010db8000000000000000000000001 80 " ZERO " 00 "
	    "fe800000000000000000000000000002 00000400 00000001 00000007 "
	    "80000003 longestname_ifX\n"
	    ZERO " 00 fd000000000000000000000000000000 08 " ZERO
	    " ffffffff 0000000a 00000000 00200200       lo\n";
	struct text	 in;

	memset(&in, 0, sizeof(in));
	add(&in, "%s", HEAD4);
	add(&in, "eth0\t%s\t%s\t0003\t0\t0\t100\t%s\t0\t0\t0     \n",
	    hex4("0.0.0.0"), hex4("192.0.2.1"), hex4("0.0.0.0"));
	add(&in, "b\377\"x'\t%s\t%s\t0001\t1\t2\t4294967295\t%s\t1500\t64\t9"
	    "\n", hex4("10.1.2.0"), hex4("0.0.0.0"), hex4("255.255.254.0"));
	write_file("v4", in.s, in.len);
	write_file("v6", route6, sizeof(route6) - 1);
	/* The first line of the second file is a route, no heading. */
	ATF_CHECK_STREQ("[{\"iface\":\"eth0\",\"destination\":\"0.0.0.0\","
	    "\"metric\":100,\"gateway\":\"192.0.2.1\",\"mask\":\"0.0.0.0\","
	    "\"irtt\":0,\"flags\":3,\"refcnt\":0,\"use\":0,\"window\":0,"
	    "\"mtu\":0,\"version\":4},"
	    "{\"iface\":\"b\377\"x'\",\"destination\":\"10.1.2.0\","
	    "\"metric\":4294967295,\"gateway\":\"0.0.0.0\","
	    "\"mask\":\"255.255.254.0\",\"irtt\":9,\"flags\":1,\"refcnt\":1,"
	    "\"use\":2,\"window\":64,\"mtu\":1500,\"version\":4},"
	    "{\"iface\":\"longestname_ifX\",\"destination\":\"2001:db8::1\","
	    "\"metric\":1024,\"desprefixlen\":\"128\",\"source\":\"::\","
	    "\"srcprefixlen\":\"0\",\"nexthop\":\"fe80::2\","
	    "\"flags\":2147483651,\"refcnt\":1,\"use\":7,\"version\":6},"
	    "{\"iface\":\"lo\",\"destination\":\"::\",\"metric\":4294967295,"
	    "\"desprefixlen\":\"0\",\"source\":\"fd00::\","
	    "\"srcprefixlen\":\"8\",\"nexthop\":\"::\",\"flags\":2097664,"
	    "\"refcnt\":10,\"use\":0,\"version\":6}]",
	    ask_routes("v4", "v6"));

	/* One missing file fails all. */
	ATF_CHECK_STREQ("!open(\"none\"): No such file or directory",
	    ask_routes("none", "v6"));
	ATF_CHECK_STREQ("!open(\"none\"): No such file or directory",
	    ask_routes("v4", "none"));
	write_file("v4", HEAD4, sizeof(HEAD4) - 1);
	write_file("v6", "", 0);
	ATF_CHECK_STREQ("[]", ask_routes("v4", "v6"));
}

/* Each cut of a good line, and each byte of it made another. */
ATF_TC_WITHOUT_HEAD(routes_hostile);
ATF_TC_BODY(routes_hostile, tc)
{
	static const char v4[] = "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t"
	    "000000FF\t0\t0\t0";
	static const char v6[] = "fd000000000000000000000000000000 40 " ZERO
	    " 00 " ZERO " 00000100 00000001 00000000 00000001     eth0";
	char		 copy[256];
	const char	*line;
	char		*have;
	size_t		 i, len;
	int		 c, six;

	for (six = 0; six < 2; six++) {
		line = six ? v6 : v4;
		len = strlen(line);
		write_file("empty", "", 0);
		for (i = 0; i <= len; i++) {
			write_file("v", line, i);
			have = six ? ask_routes("empty", "v") :
			    ask_routes("v", "empty");
			/* Whole but for some of its last field, or none. */
			if (i < len - (six ? 3 : 0))
				ATF_CHECK_STREQ("[]", have);
			else
				ATF_CHECK(strlen(have) > 100);
			free(have);
		}
		for (i = 0; i < len; i++) {
			for (c = 0; c < 256; c += 3) {
				memcpy(copy, line, len);
				copy[i] = (char)c;
				write_file("v", copy, len);
				have = six ? ask_routes("empty", "v") :
				    ask_routes("v", "empty");
				ATF_CHECK(have[0] == '[');
				free(have);
			}
		}
	}
	/* Too large for 32 bits; too long; too short. */
	file("e\t100000000\t0\t1\t0\t0\t0\t0\t0\t0\t0\n", "v");
	ATF_CHECK_STREQ("[]", ask_routes("v", "empty"));
	file(ZERO "0 40 " ZERO " 00 " ZERO " 1 1 0 1 eth0\n", "v");
	ATF_CHECK_STREQ("[]", ask_routes("empty", "v"));
}

/* --- this machine --- */

ATF_TC_WITHOUT_HEAD(here);
ATF_TC_BODY(here, tc)
{
	char	*s, *p;
	long	 n;

	s = ask(linux_vcpus_in, "/sys/devices/system/cpu");
	for (n = 0, p = s; (p = strstr(p, "\"online\":true")) != NULL; p++)
		n++;
	ATF_CHECK_EQ(sysconf(_SC_NPROCESSORS_ONLN), n);
	s = ask(linux_cpustats_in, "/proc/stat");
	for (n = 0, p = s; (p = strstr(p, "\"type\":\"linux\"")) != NULL; p++)
		n++;
	ATF_CHECK_EQ(sysconf(_SC_NPROCESSORS_ONLN), n);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, vcpus);
	ATF_TP_ADD_TC(tp, vcpus_odd);
	ATF_TP_ADD_TC(tp, memory_blocks);
	ATF_TP_ADD_TC(tp, memory_block_info);
	ATF_TP_ADD_TC(tp, cpustats);
	ATF_TP_ADD_TC(tp, lines);
	ATF_TP_ADD_TC(tp, routes);
	ATF_TP_ADD_TC(tp, routes_hostile);
	ATF_TP_ADD_TC(tp, here);
	return (atf_no_error());
}
