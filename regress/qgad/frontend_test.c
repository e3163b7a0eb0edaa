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
 * The whole frontend, its sandbox included, between a host and a monitor
 * that the test plays.  QGAD_FRONTEND names the program, else it is the one
 * that was built in ../../qgad.
 */

#include <sys/resource.h>
#include <sys/socket.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base64.h"
#include "fake_monitor.h"
#include "value.h"

#define PING	"{\"execute\": \"guest-ping\"}\n"
#define PONG	"{\"return\": {}}"
#define TIME	"{\"execute\": \"guest-get-time\"}\n"
#define SET_TIME	"{\"execute\": \"guest-set-time\", \"arguments\": "
#define SSH(what) "{\"execute\": \"guest-ssh-" what		\
	"-authorized-keys\", \"arguments\": "
#define EXEC	"{\"execute\": \"guest-exec\", \"arguments\": "
#define STATUS	"{\"execute\": \"guest-exec-status\", \"arguments\": "	\
		"{\"pid\": 4242}}\n"
#define OPEN(mode)							\
	"{\"execute\": \"guest-file-open\", \"arguments\": "		\
	"{\"path\": \"x\", \"mode\": \"" mode "\"}}\n"
#define READ	"{\"execute\": \"guest-file-read\", \"arguments\": "	\
		"{\"handle\": 7, \"count\": 8}}\n"
#define ERROR	"{\"error\": {\"class\": \"GenericError\", \"desc\": "
#define ABSENT	"{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "

static struct fake f;
static struct limits limits = LIMITS_DEFAULT;
static int fd;				/* the host's end */

static void
start(const atf_tc_t *tc, enum channel_kind kind)
{
	const char *program = getenv("QGAD_FRONTEND");
	char path[1024];

	if (program == NULL) {
		snprintf(path, sizeof(path), "%s/../../qgad/qgad",
		    atf_tc_get_config_var(tc, "srcdir"));
		program = path;
	}
	fake_start(&f, program, &limits);
	if (kind != CHANNEL_NONE)
		fd = fake_connect(&f, kind);
}

static void
expect(const char *want)
{
	char *line = host_line(&f, fd);

	if (want == NULL)
		ATF_REQUIRE_MSG(line == NULL, "unexpected: %s", line);
	else {
		ATF_REQUIRE_MSG(line != NULL, "end of file, not: %s", want);
		ATF_REQUIRE_STREQ(want, line);
	}
	free(line);
}

static void
say(const char *what)
{
	host_say(&f, fd, what);
}

/* Until the frontend has sent n messages of that type. */
static void
await(enum msg_type type, unsigned int n)
{
	int turns;

	for (turns = 0; f.seen[type] < n; turns++) {
		ATF_REQUIRE_MSG(turns < 300 && !f.eof, "no %s: %s",
		    msg_name(type), f.log);
		(void)fake_serve(&f, -1, 100);
	}
}

/* The frontend has read and judged all that was sent. */
static void
settle(void)
{
	int i;

	for (i = 0; i < 20; i++)
		(void)fake_serve(&f, -1, 10);
}

/* The answers to what a test left on the wire are right after all. */
static void
end(void)
{
	say(PING);
	expect(PONG);
	close(fd);
	fake_stop(&f);
}

ATF_TC_WITHOUT_HEAD(protocol);
ATF_TC_BODY(protocol, tc)
{
	char *line;
	int i;

	start(tc, CHANNEL_STREAM);
	say(PING "{'execute': 'guest-sync', 'arguments': "
	    "{'id': 9223372036854775807}}");
	expect(PONG);
	expect("{\"return\": 9223372036854775807}");
	say("{\"execute\": \"guest-sync-delimited\", \"arguments\": "
	    "{\"id\": -9223372036854775808}}\n");
	expect("\xff{\"return\": -9223372036854775808}");
	say("{\"execute\": \"guest-sync-delimited\"}\n");
	expect(ERROR "\"Parameter 'id' is missing\"}}");
	say("{\"execute\": \"guest-info\"}\n");
	line = host_line(&f, fd);
	ATF_REQUIRE(line != NULL);
	ATF_CHECK(strncmp(line, "{\"return\": {\"version\": \"1", 25) == 0);
	for (i = 0; i < CMD_MAX; i++)
		ATF_CHECK_MSG(strstr(line, commands[i].name) != NULL, "%s",
		    commands[i].name);
	ATF_CHECK(strstr(line, "{\"enabled\": true, \"name\": "
	    "\"guest-shutdown\", \"success-response\": false}") != NULL);
	free(line);
	end();
}

ATF_TC_WITHOUT_HEAD(errors);
ATF_TC_BODY(errors, tc)
{
	static const struct {
		const char	*in, *want;
	} cases[] = {
		{ "[1]\n", ERROR "\"QMP input must be a JSON object\"}}" },
		{ "{\"execute\": \"guest-none\", \"id\": [1, 0.10]}\n",
		  ABSENT "\"The command guest-none has not been found\"}, "
		  "\"id\": [1, 0.10]}" },
		{ "{\"execute\": \"\", \"id\": 1e3}\n",
		  ABSENT "\"The command  has not been found\"}, "
		  "\"id\": 1e3}" },
		{ "{\"id\": \"\\u20ac\"}\n",
		  ERROR "\"QMP input lacks member 'execute'\"}, "
		  "\"id\": \"\\u20ac\"}" },
		{ "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": "
		  "9223372036854775808}, \"id\": null}\n",
		  ERROR "\"Invalid parameter type for 'id', expected: "
		  "integer\"}, \"id\": null}" },
		{ "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": "
		  "-9223372036854775809}}\n",
		  ERROR "\"Invalid parameter type for 'id', expected: "
		  "integer\"}}" },
		{ "{\"execute\": \"guest-ping\\u0000\"}\n",
		  ABSENT "\"The command guest-ping\\uFFFD\\uFFFD has not "
		  "been found\"}}" },
		{ "{\"execute\": \"guest-ping\", \"arguments\\u0000\": 1}\n",
		  ERROR "\"QMP input member 'arguments\\uFFFD\\uFFFD' is "
		  "unexpected\"}}" },
		{ "{\"execute\": \"guest-shutdown\", \"arguments\": "
		  "{\"mode\": \"off\"}}\n",
		  ERROR "\"mode is invalid (valid values are: "
		  "halt|powerdown|reboot\"}}" },
		{ SET_TIME "{\"time\": -1}}\n", ERROR "\"Invalid time\"}}" },
		{ SET_TIME "{\"time\": 3155760000000000000}}\n",
		  ERROR "\"Invalid time\"}}" },
		{ SET_TIME "{\"time\": 9223372036854775807}}\n",
		  ERROR "\"Invalid time\"}}" },
		{ EXEC "{\"path\": \"x\", \"input-data\": \"YWI\"}}\n",
		  ERROR "\"Base64 data contains invalid characters\"}}" },
	};
	size_t i;

	start(tc, CHANNEL_STREAM);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		say(cases[i].in);
		expect(cases[i].want);
	}
	ATF_CHECK_EQ(0, f.seen[MSG_EXEC] + f.seen[MSG_SHUTDOWN] +
	    f.seen[MSG_SET_TIME]);
	end();
}

ATF_TC_WITHOUT_HEAD(split_and_pipelined);
ATF_TC_BODY(split_and_pipelined, tc)
{
	static const char sync[] = "\xff{\"execute\": \"guest-sync\", "
	    "\"arguments\": {\"id\": 7}, \"id\": \"\\ud83d\\udc21\"}\n";
	char *all, *line;
	size_t cut, i;

	start(tc, CHANNEL_STREAM);
	for (cut = 1; cut < sizeof(sync) - 1; cut++) {
		host_send(&f, fd, sync, cut);
		(void)fake_serve(&f, -1, 1);
		host_send(&f, fd, sync + cut, sizeof(sync) - 1 - cut);
		line = host_line(&f, fd);	/* for the 0xff */
		ATF_REQUIRE(line != NULL && strstr(line, "error") != NULL);
		free(line);
		expect("{\"return\": 7, \"id\": \"\\ud83d\\udc21\"}");
	}
	ATF_REQUIRE((all = malloc(1000 * sizeof(PING))) != NULL);
	for (i = 0; i < 1000; i++)
		memcpy(all + i * (sizeof(PING) - 1), PING, sizeof(PING));
	say(all);
	for (i = 0; i < 1000; i++)
		expect(PONG);
	free(all);
	end();
}

/* A client that has said all is answered; half a request is nobody's. */
ATF_TC_WITHOUT_HEAD(half_close);
ATF_TC_BODY(half_close, tc)
{
	int i;

	start(tc, CHANNEL_STREAM);
	for (i = 0; i < 200; i++)
		say(PING);
	say("{\"execute\": \"guest-");
	ATF_REQUIRE_EQ(0, shutdown(fd, SHUT_WR));
	for (i = 0; i < 200; i++)
		expect(PONG);
	expect(NULL);
	close(fd);
	await(MSG_CHANNEL_END, 1);
	ATF_CHECK_EQ(CHANNEL_CLOSED, f.ended);
	fd = fake_connect(&f, CHANNEL_STREAM);
	say("info\"}" PING);
	free(host_line(&f, fd));	/* of the stray rest */
	end();
}

/* One that leaves with its replies unread takes nothing with it. */
ATF_TC_WITHOUT_HEAD(client_leaves);
ATF_TC_BODY(client_leaves, tc)
{
	int i, round;

	start(tc, CHANNEL_STREAM);
	for (round = 1; round <= 20; round++) {
		for (i = 0; i < 100; i++)
			say("{\"execute\": \"guest-info\"}\n");
		close(fd);
		await(MSG_CHANNEL_END, (unsigned int)round);
		fd = fake_connect(&f, CHANNEL_STREAM);
	}
	end();
}

/* What changes the guest is dropped when its client has gone, no other. */
ATF_TC_WITHOUT_HEAD(perishable);
ATF_TC_BODY(perishable, tc)
{
	start(tc, CHANNEL_STREAM);
	f.hold = 1;
	say(TIME EXEC "{\"path\": \"x\"}}\n" STATUS);
	await(MSG_QUERY, 1);
	close(fd);
	settle();
	f.hold = 0;
	fake_answer(&f);
	await(MSG_CHANNEL_END, 1);
	ATF_CHECK_EQ(0, f.seen[MSG_EXEC]);
	ATF_CHECK_EQ(1, f.seen[MSG_EXEC_STATUS]);

	/* of files, what writes */
	fd = fake_connect(&f, CHANNEL_STREAM);
	f.hold = 1;
	say(TIME OPEN("w") OPEN("a+") OPEN("r"));
	await(MSG_QUERY, 2);
	close(fd);
	settle();
	f.hold = 0;
	fake_answer(&f);
	await(MSG_CHANNEL_END, 2);
	ATF_CHECK_EQ(1, f.seen[MSG_FILE_OPEN]);
	ATF_CHECK_EQ(0, f.openmode);

	/* only half closed: carried out and answered */
	fd = fake_connect(&f, CHANNEL_STREAM);
	f.hold = 1;
	say(TIME EXEC "{\"path\": \"x\"}}\n");
	await(MSG_QUERY, 3);
	ATF_REQUIRE_EQ(0, shutdown(fd, SHUT_WR));
	settle();
	f.hold = 0;
	f.tree = "n";
	f.treelen = 1;
	fake_answer(&f);
	expect("{\"return\": null}");
	expect("{\"return\": {\"pid\": 4242}}");
	expect(NULL);
	close(fd);
	fd = fake_connect(&f, CHANNEL_STREAM);
	end();
}

/* On a port nobody is seen to leave: age decides. */
ATF_TC_WITHOUT_HEAD(stale);
ATF_TC_BODY(stale, tc)
{
	limits.stale_after = 1;
	start(tc, CHANNEL_PORT);
	f.hold = 1;
	f.tree = "n";
	f.treelen = 1;
	say(TIME EXEC "{\"path\": \"x\"}}\n" PING);
	await(MSG_QUERY, 1);
	(void)fake_serve(&f, fd, 1500);
	f.hold = 0;
	fake_answer(&f);
	expect("{\"return\": null}");
	expect(ERROR "\"Command guest-exec was not carried out: it waited "
	    "longer than 1 seconds\"}}");
	expect(PONG);
	ATF_CHECK_EQ(0, f.seen[MSG_EXEC]);
	say(EXEC "{\"path\": \"x\"}}\n");
	expect("{\"return\": {\"pid\": 4242}}");
	end();
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	start(tc, CHANNEL_STREAM);
	fake_policy(&f, 0);
	f.refuse = "Command guest-ping has been disabled: no";
	/* the decision comes before the arguments */
	say("{\"execute\": \"guest-ping\", \"arguments\": {\"x\": 1}, "
	    "\"id\": 1}\n");
	expect(ABSENT "\"Command guest-ping has been disabled: no\"}, "
	    "\"id\": 1}");
	ATF_CHECK_EQ(1, f.seen[MSG_ASK]);
	f.refuse = NULL;
	say(PING);
	expect(PONG);
	f.tree = "i\0\0\0\0\0\0\0\5";
	f.treelen = 9;
	say(TIME);
	expect("{\"return\": 5}");
	ATF_CHECK_EQ(3, f.seen[MSG_ASK]);
	fake_policy(&f, 1);
	say(PING);
	expect(PONG);
	ATF_CHECK_EQ(3, f.seen[MSG_ASK]);
	end();
}

ATF_TC_WITHOUT_HEAD(queries);
ATF_TC_BODY(queries, tc)
{
	static char many[300000];
	struct value_writer w;
	struct ibuf *tree;
	char *line;
	int i;

	limits.max_reply = 2 * 1024 * 1024;
	start(tc, CHANNEL_STREAM);
	memset(many, 'x', sizeof(many));
	value_start(&w, VALUE_SIZE);
	value_array(&w, NULL);
	for (i = 0; i < 30; i++)
		value_bytes(&w, NULL, many, 60000);
	value_close(&w);
	ATF_REQUIRE((tree = value_done(&w)) != NULL);
	f.tree = ibuf_data(tree);
	f.treelen = ibuf_size(tree);
	say(TIME);
	line = host_line(&f, fd);
	ATF_REQUIRE(line != NULL);
	ATF_CHECK_EQ(30 * 60000 + 30 * 4 + 13, (int)strlen(line) + 1);
	free(line);
	ibuf_free(tree);

	value_start(&w, VALUE_SIZE);
	value_array(&w, NULL);
	for (i = 0; i < 40; i++)
		value_bytes(&w, NULL, many, 60000);
	value_close(&w);
	ATF_REQUIRE((tree = value_done(&w)) != NULL);
	f.tree = ibuf_data(tree);
	f.treelen = ibuf_size(tree);
	say(TIME);
	expect(ERROR "\"result of guest-get-time is larger than max-reply "
	    "(2097152 bytes)\"}}");
	ibuf_free(tree);

	f.tree = "o";			/* not closed */
	f.treelen = 1;
	say(TIME);
	expect(ERROR "\"internal error: malformed result\"}}");
	/* an answer to another question is none */
	f.hold = 1;
	say(TIME);
	await(MSG_QUERY, 4);
	f.tree = "n";
	f.lastid--;
	fake_answer(&f);
	f.lastid++;
	f.tree = "t";
	fake_answer(&f);
	f.hold = 0;
	expect("{\"return\": true}");
	/* nonsense instead of a frame, then the next worker */
	f.hold = 1;
	say(TIME);
	await(MSG_QUERY, 5);
	ATF_REQUIRE_EQ(20, write(f.data, many, 20));
	expect(ERROR "\"internal error: malformed result\"}}");
	f.hold = 0;
	fake_query_worker(&f);
	say(TIME);
	expect("{\"return\": true}");
	end();
}

ATF_TC_WITHOUT_HEAD(shutdown_is_silent);
ATF_TC_BODY(shutdown_is_silent, tc)
{
	start(tc, CHANNEL_STREAM);
	say("{\"execute\": \"guest-shutdown\", \"arguments\": "
	    "{\"mode\": \"reboot\"}}\n" PING);
	expect(PONG);
	ATF_CHECK_EQ(1, f.seen[MSG_SHUTDOWN]);
	ATF_CHECK_EQ(SHUTDOWN_REBOOT, f.mode);
	say("{\"execute\": \"guest-shutdown\"}\n" PING);
	expect(PONG);
	ATF_CHECK_EQ(SHUTDOWN_POWERDOWN, f.mode);
	end();
}

ATF_TC_WITHOUT_HEAD(system_commands);
ATF_TC_BODY(system_commands, tc)
{
	static const struct {
		const char	*name;
		uint32_t	 mode;
	} suspends[] = {
		{ "disk", SUSPEND_DISK }, { "ram", SUSPEND_RAM },
		{ "hybrid", SUSPEND_HYBRID },
	};
	char request[128];
	size_t i;

	start(tc, CHANNEL_STREAM);
	f.tree = "i\0\0\0\0\0\0\0\5";
	f.treelen = 9;
	say(SET_TIME "{\"time\": 3155759999999999999}}\n");
	expect("{\"return\": {}}");
	ATF_CHECK_EQ(1, f.settime.given);
	ATF_CHECK_EQ(UINT64_C(3155759999999999999), f.settime.ns);
	say(SET_TIME "{\"time\": 0}}\n");
	expect("{\"return\": {}}");
	ATF_CHECK_EQ(1, f.settime.given);
	say(SET_TIME "{}}\n");
	expect("{\"return\": {}}");
	ATF_CHECK(!f.settime.given && f.settime.ns == 0);
	say("{\"execute\": \"guest-fstrim\"}\n");
	expect("{\"return\": 5}");
	ATF_CHECK_EQ(0, f.fstrim.minimum);
	say("{\"execute\": \"guest-fstrim\", \"arguments\": "
	    "{\"minimum\": -1}}\n");
	expect("{\"return\": 5}");
	ATF_CHECK_EQ(UINT64_MAX, f.fstrim.minimum);
	for (i = 0; i < 3; i++) {
		snprintf(request, sizeof(request),
		    "{\"execute\": \"guest-suspend-%s\"}\n" PING,
		    suspends[i].name);
		say(request);
		expect(PONG);		/* and nothing before it */
		ATF_CHECK_EQ(suspends[i].mode, f.mode);
		ATF_CHECK_EQ(i + 1, f.seen[MSG_SUSPEND]);
	}
	end();
}

/* As many as there may be, and one more, of both kinds. */
ATF_TC_WITHOUT_HEAD(system_lists);
ATF_TC_BODY(system_lists, tc)
{
	static const struct {
		const char	*command, *list, *number;
		enum msg_type	 type;
	} kinds[] = {
		{ "guest-set-vcpus", "vcpus", "logical-id", MSG_SET_VCPUS },
		{ "guest-set-memory-blocks", "mem-blks", "phys-index",
		  MSG_SET_MEMORY_BLOCKS },
	};
	static char request[(MSG_UNITS_MAX + 2) * 48], want[128];
	size_t i, j, n, len;

	start(tc, CHANNEL_STREAM);
	f.tree = "i\0\0\0\0\0\0\0\5";
	f.treelen = 9;
	for (i = 0; i < 2; i++)
		for (n = 0; n <= MSG_UNITS_MAX + 1; n = n == 0 ?
		    MSG_UNITS_MAX : n + 1) {
			len = (size_t)sprintf(request, "{\"execute\": "
			    "\"%s\", \"arguments\": {\"%s\": [",
			    kinds[i].command, kinds[i].list);
			for (j = 0; j < n; j++)
				len += (size_t)sprintf(request + len,
				    "%s{\"%s\": %zu, \"online\": %s}",
				    j == 0 ? "" : ", ", kinds[i].number,
				    n - j, j % 2 == 0 ? "false" : "true");
			sprintf(request + len, "]}}\n");
			say(request);
			if (n <= MSG_UNITS_MAX) {
				expect("{\"return\": 5}");
				ATF_CHECK_EQ(n, f.units.n);
				continue;
			}
			snprintf(want, sizeof(want), ERROR "\"%s: more than "
			    "4096 entries\"}}", kinds[i].command);
			expect(want);
			ATF_CHECK_EQ(2, f.seen[kinds[i].type]);
			ATF_CHECK_EQ(1, f.unit.number);
			ATF_CHECK_EQ(1, f.unit.online);
		}
	end();
}

/* However it is written, it goes where no JSON is, as it was meant. */
ATF_TC_WITHOUT_HEAD(password);
ATF_TC_BODY(password, tc)
{
	static const struct {
		const char	*key, *text, *want;
	} cases[] = {
		{ "\"password\"", "\"c2VjcmV0\"", "c2VjcmV0" },
		{ "\"pass\\u0077ord\"", "\"c2Vj\\/mV0\"", "c2Vj/mV0" },
		{ "'password'", "'c2Vj\\ncm\\u0056\\r\\n0'",
		  "c2Vj\ncmV\r\n0" },
	};
	char text[512];
	size_t i;

	start(tc, CHANNEL_STREAM);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{\"arguments\": {%s: %s, "
		    "\"crypted\": %s, \"username\": \"b\\u00f6b\"}, "
		    "\"execute\": \"guest-set-user-password\", \"id\": 1}\n",
		    cases[i].key, cases[i].text, i == 0 ? "false" : "true");
		say(text);
		expect("{\"return\": {}, \"id\": 1}");
		ATF_CHECK_EQ(i + 1, f.seen[MSG_PASSWORD]);
		ATF_CHECK_EQ(i > 0, f.mode);
		ATF_CHECK_STREQ("b\xc3\xb6" "b", f.path);
		ATF_REQUIRE_EQ(strlen(cases[i].want), f.inputlen);
		ATF_CHECK(memcmp(cases[i].want, f.input, f.inputlen) == 0);
	}
	/* None, then one too many, a name too long, and all goes on. */
	say("{\"execute\": \"guest-set-user-password\", \"arguments\": "
	    "{\"username\": \"u\", \"password\": \"\", \"crypted\": "
	    "true}}\n");
	expect("{\"return\": {}}");
	say("{\"execute\": \"guest-set-user-password\", \"arguments\": "
	    "{\"password\": \"YQ==\", \"username\": \"u\", \"crypted\": "
	    "true, \"pass\\u0077ord\": \"YQ==\"}}\n");
	expect(ERROR "\"JSON parse error, duplicate key\"}}");
	memset(text, 'u', 256);
	text[256] = '\0';
	say("{\"execute\": \"guest-set-user-password\", \"arguments\": "
	    "{\"password\": \"YQ==\", \"crypted\": true, \"username\": \"");
	say(text);
	say("\"}}\n" PING);
	expect(ERROR "\"Parameter 'username' is longer than 255 bytes\"}}");
	expect(PONG);
	ATF_CHECK_EQ(4, f.seen[MSG_PASSWORD]);
	end();
}

ATF_TC_WITHOUT_HEAD(ssh_keys);
ATF_TC_BODY(ssh_keys, tc)
{
	char *many;
	size_t len, i;

	start(tc, CHANNEL_STREAM);
	f.tree = "t";
	f.treelen = 1;
	say(SSH("add") "{\"username\": \"u\", \"keys\": [\"a\", \"b\"], "
	    "\"reset\": true}}\n");
	expect("{\"return\": {}}");
	ATF_CHECK_EQ(CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS, f.command);
	ATF_CHECK_STREQ("u", f.path);
	ATF_CHECK_STREQ("a", f.arg0);
	ATF_CHECK_EQ(2, f.exec.argc);
	ATF_CHECK_EQ(1, f.mode);
	say(SSH("remove") "{\"username\": \"u\", \"keys\": []}}\n");
	expect("{\"return\": {}}");
	ATF_CHECK_EQ(CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS, f.command);
	ATF_CHECK_EQ(0, f.exec.argc + f.mode);
	say(SSH("get") "{\"username\": \"u\"}}\n");
	expect("{\"return\": true}");
	ATF_CHECK_EQ(CMD_GUEST_SSH_GET_AUTHORIZED_KEYS, f.command);

	/* One key too many; too many bytes of them. */
	ATF_REQUIRE((many = malloc(1024 * 1024)) != NULL);
	len = (size_t)sprintf(many, SSH("add") "{\"username\": \"u\", "
	    "\"keys\": [");
	for (i = 0; i < 1025; i++)
		len += (size_t)sprintf(many + len, "%s\"a\"", i > 0 ? "," :
		    "");
	(void)sprintf(many + len, "]}}\n");
	say(many);
	expect(ERROR "\"guest-ssh-add-authorized-keys: more than 1024 "
	    "keys\"}}");
	free(many);
	ATF_CHECK_EQ(3, f.seen[MSG_SSH_KEYS]);
	end();
}

ATF_TC_WITHOUT_HEAD(freeze);
ATF_TC_BODY(freeze, tc)
{
	static const char open[] = "{\"execute\": "
	    "\"guest-fsfreeze-freeze-list\", \"arguments\": "
	    "{\"mountpoints\": [\"/0\"";
	static char many[32768];
	size_t len;
	int i;

	start(tc, CHANNEL_STREAM);
	say("{\"execute\": \"guest-fsfreeze-freeze\"}\n");
	expect("{\"return\": 4242}");
	ATF_CHECK_EQ(-1, f.mounts);
	say("{\"execute\": \"guest-fsfreeze-freeze-list\"}\n");
	expect("{\"return\": 4242}");
	ATF_CHECK_EQ(-1, f.mounts);
	/* None is none, not all. */
	say("{\"execute\": \"guest-fsfreeze-freeze-list\", "
	    "\"arguments\": {\"mountpoints\": []}}\n");
	expect("{\"return\": 4242}");
	ATF_CHECK_EQ(0, f.mounts);
	say("{\"execute\": \"guest-fsfreeze-thaw\"}\n");
	expect("{\"return\": 4242}");
	say("{\"execute\": \"guest-fsfreeze-status\"}\n");
	expect("{\"return\": \"frozen\"}");
	/* As many as may be, and one more. */
	len = strlcpy(many, open, sizeof(many));
	for (i = 1; i < MSG_MOUNTS_MAX; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len,
		    ", \"/%d\"", i);
	strlcpy(many + len, "]}}\n", sizeof(many) - len);
	say(many);
	expect("{\"return\": 4242}");
	ATF_CHECK_EQ(MSG_MOUNTS_MAX, f.mounts);
	strlcpy(many + len, ", \"/\"]}}\n", sizeof(many) - len);
	say(many);
	expect(ERROR "\"guest-fsfreeze-freeze-list: more than 1024 mount "
	    "points\"}}");
	say("{\"execute\": \"guest-fsfreeze-freeze-list\", "
	    "\"arguments\": {\"mountpoints\": [1]}}\n");
	expect(ERROR "\"Invalid parameter type for 'mountpoints[0]', "
	    "expected: string\"}}");
	ATF_CHECK_EQ(4, f.seen[MSG_FREEZE]);
	end();
}

ATF_TC_WITHOUT_HEAD(exec);
ATF_TC_BODY(exec, tc)
{
	static unsigned char data[3 * 1024 * 1024 + 1];
	char *b64, *many;
	size_t i, len;

	start(tc, CHANNEL_STREAM);
	say(EXEC "{\"path\": \"/bin/a\\u0000b\", \"arg\": [\"\\u00e9\"], "
	    "\"env\": [], \"capture-output\": \"merged\"}}\n");
	expect("{\"return\": {\"pid\": 4242}}");
	ATF_CHECK_STREQ("/bin/a\xc0\x80" "b", f.path);
	ATF_CHECK_STREQ("\xc3\xa9", f.arg0);
	ATF_CHECK_EQ(CAPTURE_MERGED, f.exec.capture);
	ATF_CHECK_EQ(1, f.exec.hasenv);
	ATF_CHECK_EQ(0, f.exec.hasinput);

	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	ATF_REQUIRE((b64 = malloc(BASE64_LEN(sizeof(data)))) != NULL);
	len = base64_encode(b64, data, sizeof(data));
	/* two at once: the second waits outside until the first is done */
	for (i = 0; i < 2; i++) {
		say(EXEC "{\"input-data\": \"");
		host_send(&f, fd, b64, len);
		say("\", \"path\": \"cat\"}}\n");
	}
	say(PING);
	expect("{\"return\": {\"pid\": 4242}}");
	expect("{\"return\": {\"pid\": 4242}}");
	expect(PONG);
	ATF_REQUIRE_EQ(sizeof(data), f.inputlen);
	ATF_CHECK(memcmp(data, f.input, sizeof(data)) == 0);
	free(b64);

	say(EXEC "{\"path\": \"cat\", \"input-data\": \"\"}}\n");
	expect("{\"return\": {\"pid\": 4242}}");
	ATF_CHECK_EQ(1, f.exec.hasinput);
	ATF_CHECK_EQ(0, f.exec.input);

	ATF_REQUIRE((many = malloc(1025 * 5 + 100)) != NULL);
	len = (size_t)sprintf(many, EXEC "{\"path\": \"x\", \"arg\": [");
	for (i = 0; i < 1025; i++)
		len += (size_t)sprintf(many + len, "%s\"a\"", i > 0 ? "," :
		    "");
	(void)sprintf(many + len, "]}}\n");
	say(many);
	expect(ERROR "\"guest-exec: more than 1024 arguments\"}}");
	free(many);
	end();
}

/* The bytes that give_output() makes, as base64, of n from the offset. */
static char *
counted(size_t from, size_t n)
{
	unsigned char *raw = malloc(n + 1);
	char *b64 = malloc(BASE64_LEN(n) + 1);
	size_t i;

	ATF_REQUIRE(raw != NULL && b64 != NULL);
	for (i = 0; i < n; i++)
		raw[i] = (unsigned char)(from + i);
	b64[base64_encode(b64, raw, n)] = '\0';
	free(raw);
	return (b64);
}

ATF_TC_WITHOUT_HEAD(exec_status);
ATF_TC_BODY(exec_status, tc)
{
	char *line, *out, *err, *want;
	size_t len;

	start(tc, CHANNEL_STREAM);
	say(STATUS);
	expect("{\"return\": {\"exited\": false}}");
	f.status.exited = 1;
	f.status.code = 3;
	say(STATUS);
	expect("{\"return\": {\"exited\": true, \"exitcode\": 3}}");
	f.status.signaled = 1;
	f.status.code = 9;
	f.status.err = 2;
	f.status.outcut = 1;
	say(STATUS);
	expect("{\"return\": {\"err-data\": \"AAE=\", \"exited\": true, "
	    "\"signal\": 9, \"out-truncated\": true, "
	    "\"err-truncated\": false}}");

	/* seven megabytes, with a host that is slow to read */
	memset(&f.status, 0, sizeof(f.status));
	f.status.exited = 1;
	f.status.out = 5 * 1024 * 1024 + 1;
	f.status.err = 2 * 1024 * 1024 + 2;
	say("{\"execute\": \"guest-exec-status\", \"arguments\": "
	    "{\"pid\": 4242}, \"id\": 5}\n" PING);
	settle();
	out = counted(0, f.status.out);
	err = counted(f.status.out, f.status.err);
	len = strlen(out) + strlen(err) + 200;
	ATF_REQUIRE((want = malloc(len)) != NULL);
	snprintf(want, len, "{\"return\": {\"out-data\": \"%s\", "
	    "\"err-data\": \"%s\", \"exited\": true, \"exitcode\": 0, "
	    "\"out-truncated\": false, \"err-truncated\": false}, "
	    "\"id\": 5}", out, err);
	line = host_line(&f, fd);
	ATF_REQUIRE(line != NULL);
	ATF_CHECK(strcmp(line, want) == 0);
	free(line);
	expect(PONG);

	/* it breaks off: a whole line all the same, that says so */
	f.status.out = 3000;
	f.status.err = 10;
	f.short_by = 2010;
	out = counted(0, 1000);
	snprintf(want, len, "{\"return\": {\"out-data\": \"%s\", \"exited\": "
	    "true, \"exitcode\": 0, \"out-truncated\": true, "
	    "\"err-truncated\": true}}", out);
	say(STATUS);
	expect(want);
	end();
}

/* More than the line may hold, as a faulty monitor could ask for. */
/* The monitor's word on a read, and the bytes that come past it. */
static void
file_reply(enum reply_kind kind, int64_t number, uint32_t eof,
    const char *text)
{
	struct msg_reply r;

	memset(&r, 0, sizeof(r));
	r.id = f.lastid;
	r.kind = kind;
	r.number = number;
	r.eof = eof;
	r.text = text;
	ATF_REQUIRE_EQ(0, msg_send_reply(&f.ibuf, &r, -1));
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&f.ibuf));
}

/* Asks for 8 bytes; what is sent of them, and whether it stays open. */
static int
file_data(const char *data, unsigned int n)
{
	int sp[2];

	say(READ);
	await(MSG_FILE_READ, n);
	ATF_CHECK_EQ(8, f.file.number);
	ATF_CHECK_EQ(7, f.file.handle);
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sp));
	ATF_REQUIRE_EQ(0, msg_send_data(&f.ibuf, MSG_GO, f.lastid, sp[1]));
	ATF_REQUIRE_EQ(0, imsgbuf_flush(&f.ibuf));
	ATF_REQUIRE(write(sp[0], data, strlen(data)) ==
	    (ssize_t)strlen(data));
	return (sp[0]);
}

#define DATA(b64, count, eof)						\
	"{\"return\": {\"buf-b64\": \"" b64 "\", \"count\": " #count	\
	", \"eof\": " #eof "}}"

ATF_TC_WITHOUT_HEAD(file_read);
ATF_TC_BODY(file_read, tc)
{
	unsigned int n = 0;
	int data;

	start(tc, CHANNEL_STREAM);
	f.hold = 1;
	/* as it should be, in either order */
	data = file_data("abc", ++n);
	file_reply(REPLY_FILE, 3, 1, "");
	expect(DATA("YWJj", 3, true));
	close(data);
	data = file_data("abc", ++n);
	close(data);
	settle();
	file_reply(REPLY_FILE, 3, 0, "");
	expect(DATA("YWJj", 3, false));
	data = file_data("", ++n);
	file_reply(REPLY_FILE, 3, 0, "");
	settle();
	ATF_REQUIRE(write(data, "ab", 2) == 2);
	settle();
	ATF_REQUIRE(write(data, "c", 1) == 1);
	expect(DATA("YWJj", 3, false));
	close(data);
	/* none at all */
	say(READ);
	await(MSG_FILE_READ, ++n);
	file_reply(REPLY_FILE, 0, 1, "");
	expect(DATA("", 0, true));
	/* an error before the first byte, and one behind it */
	data = file_data("", ++n);
	file_reply(REPLY_ERROR, 0, 0, "failed");
	expect(ERROR "\"failed\"}}");
	close(data);
	data = file_data("abcd", ++n);
	settle();
	file_reply(REPLY_ERROR, 0, 0, "failed");
	expect(DATA("YWJjZA==", 4, false));
	close(data);
	/* fewer than were announced, more, and more than asked for */
	data = file_data("ab", ++n);
	close(data);
	settle();
	file_reply(REPLY_FILE, 3, 1, "");
	expect(DATA("YWI=", 2, false));
	data = file_data("abcdefghijkl", ++n);
	settle();
	file_reply(REPLY_FILE, 100, 1, "");
	expect(DATA("YWJjZGVmZ2g=", 8, true));
	close(data);
	end();
}

ATF_TC_WITHOUT_HEAD(exec_status_bound);
ATF_TC_BODY(exec_status_bound, tc)
{
	char *line;

	limits.max_reply = 100000;
	start(tc, CHANNEL_STREAM);
	f.status.exited = 1;
	f.status.out = 200000;
	f.status.err = 1000;
	say(STATUS);
	line = host_line(&f, fd);
	ATF_REQUIRE(line != NULL);
	ATF_CHECK_MSG(strlen(line) < 100000 && strlen(line) > 99000, "%zu",
	    strlen(line));
	ATF_CHECK(strstr(line, "\"out-truncated\": true, "
	    "\"err-truncated\": false}}") != NULL);
	free(line);
	end();
}

/*
 * Nothing is read past the pending bound, nothing begun while the host does
 * not read; and nothing is lost by it.
 */
ATF_TC_WITHOUT_HEAD(back_pressure);
ATF_TC_BODY(back_pressure, tc)
{
	static const char info[] = "{\"execute\": \"guest-info\"}\n";
	size_t sent = 0, n = 0, i;
	char *line, *all;
	ssize_t got;

	start(tc, CHANNEL_STREAM);
	ATF_REQUIRE((all = malloc(20000 * (sizeof(info) - 1) + 1)) != NULL);
	for (i = 0; i < 20000; i++)
		memcpy(all + i * (sizeof(info) - 1), info, sizeof(info));
	/* write until nothing more is taken */
	for (i = 0; i < 50 && sent < strlen(all); ) {
		got = write(fd, all + sent, strlen(all) - sent);
		if (got > 0) {
			sent += (size_t)got;
			i = 0;
			continue;
		}
		i++;
		(void)fake_serve(&f, -1, 10);
	}
	ATF_CHECK_MSG(sent < strlen(all), "all was taken");
	for (n = 0; n < sent / (sizeof(info) - 1); n++) {
		line = host_line(&f, fd);
		ATF_REQUIRE(line != NULL);
		ATF_REQUIRE(strncmp(line, "{\"return\": {\"ver", 16) == 0);
		free(line);
	}
	/* the cut one is completed, the rest sent as it is taken */
	for (; n < 20000; n++) {
		got = write(fd, all + sent, strlen(all + sent));
		if (got > 0)
			sent += (size_t)got;
		free(host_line(&f, fd));
	}
	free(all);
	end();
}

ATF_TC_WITHOUT_HEAD(order);
ATF_TC_BODY(order, tc)
{
	char want[64];
	int i;

	start(tc, CHANNEL_STREAM);
	f.tree = "t";
	f.treelen = 1;
	f.hold = 1;
	say(TIME);
	await(MSG_QUERY, 1);
	for (i = 0; i < 300; i++) {
		snprintf(want, sizeof(want), "{\"execute\": \"guest-sync\", "
		    "\"arguments\": {\"id\": %d}}", i);
		say(want);
	}
	settle();
	ATF_CHECK_EQ(0, fake_serve(&f, fd, 100));
	f.hold = 0;
	fake_answer(&f);
	expect("{\"return\": true}");
	for (i = 0; i < 300; i++) {
		snprintf(want, sizeof(want), "{\"return\": %d}", i);
		expect(want);
	}
	end();
}

static int
open_pty(enum channel_kind kind, int newline)
{
	struct termios tio;
	int master, slave;

	ATF_REQUIRE((master = posix_openpt(O_RDWR | O_NOCTTY)) != -1);
	ATF_REQUIRE(grantpt(master) == 0 && unlockpt(master) == 0);
	ATF_REQUIRE((slave = open(ptsname(master), O_RDWR | O_NOCTTY)) !=
	    -1);
	ATF_REQUIRE(tcgetattr(slave, &tio) == 0);
	cfmakeraw(&tio);
	ATF_REQUIRE(tcsetattr(slave, TCSANOW, &tio) == 0);
	ATF_REQUIRE(fcntl(master, F_SETFL, O_NONBLOCK) == 0);
	ATF_REQUIRE(fcntl(slave, F_SETFL, O_NONBLOCK) == 0);
	ATF_REQUIRE(fcntl(master, F_SETFD, FD_CLOEXEC) == 0);
	fake_channel(&f, kind, newline, slave);
	return (master);
}

/* The device goes away in the middle of a request, and comes back. */
ATF_TC_WITHOUT_HEAD(tty_lost);
ATF_TC_BODY(tty_lost, tc)
{
	start(tc, CHANNEL_NONE);
	fd = open_pty(CHANNEL_TTY, 0);
	f.hold = 1;
	say(TIME EXEC "{\"path\": \"x\"}}\n" STATUS "{\"execute\": ");
	await(MSG_QUERY, 1);
	settle();
	close(fd);
	settle();
	ATF_CHECK_EQ(0, f.seen[MSG_CHANNEL_END]);
	f.hold = 0;
	fake_answer(&f);
	await(MSG_CHANNEL_END, 1);
	ATF_CHECK_EQ(CHANNEL_LOST, f.ended);
	ATF_CHECK_EQ(0, f.seen[MSG_EXEC]);
	ATF_CHECK_EQ(1, f.seen[MSG_EXEC_STATUS]);
	fd = open_pty(CHANNEL_TTY, 1);
	expect("");
	end();
}

/* No flow control: what is past the bound is lost, and said to be. */
ATF_TC_WITHOUT_HEAD(isa_overrun);
ATF_TC_BODY(isa_overrun, tc)
{
	char *line, *all;
	size_t n = 80000, i, pongs = 0;

	start(tc, CHANNEL_NONE);
	fd = open_pty(CHANNEL_ISA, 0);
	f.tree = "t";
	f.treelen = 1;
	f.hold = 1;
	say(TIME);
	await(MSG_QUERY, 1);
	ATF_REQUIRE((all = malloc(n * sizeof(PING))) != NULL);
	for (i = 0; i < n; i++)
		memcpy(all + i * (sizeof(PING) - 1), PING, sizeof(PING));
	say(all);			/* all of it is taken */
	free(all);
	settle();
	f.hold = 0;
	fake_answer(&f);
	expect("{\"return\": true}");
	while ((line = host_line(&f, fd)) != NULL &&
	    strcmp(line, PONG) == 0) {
		free(line);
		pongs++;
	}
	ATF_REQUIRE(line != NULL);
	ATF_CHECK_MSG(strncmp(line, ERROR "\"input overrun: ",
	    sizeof(ERROR) + 15) == 0, "%s", line);
	ATF_CHECK_MSG(pongs > 1024 * 1024 / sizeof(PING) && pongs < n / 2 +
	    n / 4, "%zu answered", pongs);
	free(line);
	/* what is between is dropped: up to the next newline at most */
	say("\n");
	end();
}

/* Without flow control the second bulk argument cannot wait outside. */
ATF_TC_WITHOUT_HEAD(isa_bulk);
ATF_TC_BODY(isa_bulk, tc)
{
	char *line;

	start(tc, CHANNEL_NONE);
	fd = open_pty(CHANNEL_ISA, 0);
	f.hold = 1;
	say(EXEC "{\"path\": \"x\", \"input-data\": \"AAAA\"}}\n"
	    EXEC "{\"path\": \"x\", \"input-data\": \"AAAA\"}}\n");
	await(MSG_EXEC, 1);
	settle();
	f.hold = 0;
	fake_answer(&f);
	expect("{\"return\": {\"pid\": 4242}}");
	line = host_line(&f, fd);
	ATF_REQUIRE(line != NULL);
	ATF_CHECK_MSG(strncmp(line, ERROR, sizeof(ERROR) - 1) == 0, "%s",
	    line);
	free(line);
	ATF_CHECK_EQ(1, f.seen[MSG_EXEC]);
	end();
}

/* CPU time of all frontends that have ended, ms. */
static long
spent(void)
{
	struct rusage ru;

	ATF_REQUIRE_EQ(0, getrusage(RUSAGE_CHILDREN, &ru));
	return ((long)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000 +
	    (long)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1000);
}

/* A port that is "hung up" all the time, a client that half closed. */
ATF_TC_WITHOUT_HEAD(idle);
ATF_TC_BODY(idle, tc)
{
	long before;

	start(tc, CHANNEL_NONE);
	fd = open_pty(CHANNEL_PORT, 0);
	say(PING);
	expect(PONG);
	close(fd);
	(void)fake_serve(&f, -1, 2000);
	ATF_CHECK_EQ(0, f.seen[MSG_CHANNEL_END]);
	fake_stop(&f);
	ATF_CHECK_MSG(spent() < 400, "%ld ms", spent());

	before = spent();
	memset(&f, 0, sizeof(f));
	start(tc, CHANNEL_STREAM);
	f.hold = 1;
	say(TIME);
	await(MSG_QUERY, 1);
	ATF_REQUIRE_EQ(0, shutdown(fd, SHUT_WR));
	(void)fake_serve(&f, -1, 1000);
	close(fd);
	(void)fake_serve(&f, -1, 1000);
	fake_stop(&f);
	ATF_CHECK_MSG(spent() - before < 400, "%ld ms", spent() - before);
}

/* Read 0 on a port is a host that is not there: nothing ends, state stays. */
ATF_TC_WITHOUT_HEAD(port_without_host);
ATF_TC_BODY(port_without_host, tc)
{
	start(tc, CHANNEL_PORT);
	say("{\"execute\": \"guest-ping\"");
	ATF_REQUIRE_EQ(0, shutdown(fd, SHUT_WR));
	settle();
	ATF_CHECK_EQ(0, f.seen[MSG_CHANNEL_END]);
	ATF_CHECK_EQ(0, fake_serve(&f, fd, 50));
	close(fd);
	fake_stop(&f);
}

/* Standard input and output: two descriptors, the first may be a file. */
ATF_TC_WITHOUT_HEAD(stdio);
ATF_TC_BODY(stdio, tc)
{
	int out[2], file;

	start(tc, CHANNEL_NONE);
	ATF_REQUIRE(pipe(out) == 0);
	ATF_REQUIRE(fcntl(out[0], F_SETFL, O_NONBLOCK) == 0);
	ATF_REQUIRE((file = open("in", O_RDWR | O_CREAT, 0600)) != -1);
	ATF_REQUIRE_EQ(2 * (sizeof(PING) - 1), write(file, PING PING,
	    2 * (sizeof(PING) - 1)));
	ATF_REQUIRE_EQ(0, lseek(file, 0, SEEK_SET));
	fake_channel(&f, CHANNEL_STDOUT, 0, out[1]);
	fake_channel(&f, CHANNEL_STDIN, 0, file);
	fd = out[0];
	expect(PONG);
	expect(PONG);
	expect(NULL);
	await(MSG_CHANNEL_END, 1);
	ATF_CHECK_EQ(CHANNEL_CLOSED, f.ended);
	fake_stop(&f);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, protocol);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, split_and_pipelined);
	ATF_TP_ADD_TC(tp, half_close);
	ATF_TP_ADD_TC(tp, client_leaves);
	ATF_TP_ADD_TC(tp, perishable);
	ATF_TP_ADD_TC(tp, stale);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, queries);
	ATF_TP_ADD_TC(tp, shutdown_is_silent);
	ATF_TP_ADD_TC(tp, system_commands);
	ATF_TP_ADD_TC(tp, system_lists);
	ATF_TP_ADD_TC(tp, password);
	ATF_TP_ADD_TC(tp, ssh_keys);
	ATF_TP_ADD_TC(tp, freeze);
	ATF_TP_ADD_TC(tp, exec);
	ATF_TP_ADD_TC(tp, exec_status);
	ATF_TP_ADD_TC(tp, exec_status_bound);
	ATF_TP_ADD_TC(tp, file_read);
	ATF_TP_ADD_TC(tp, back_pressure);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, tty_lost);
	ATF_TP_ADD_TC(tp, isa_overrun);
	ATF_TP_ADD_TC(tp, isa_bulk);
	ATF_TP_ADD_TC(tp, idle);
	ATF_TP_ADD_TC(tp, port_without_host);
	ATF_TP_ADD_TC(tp, stdio);
	return (atf_no_error());
}
