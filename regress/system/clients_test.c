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
 * The shipped daemon as its clients use it.  Each case plays one of them;
 * the rules that break a real client when ignored, and where they are held:
 *	only whole lines of valid text	every line read by wire_line()
 *	a line stays under 10 MiB	the same; wire_test exec_output_bound
 *	requests of 1.5 MiB		proxmox_stdin
 *	base64 with line breaks		proxmox_stdin
 *	sync and command in one read	proxmox
 *	replies in order		order
 *	pids outlive a connection	proxmox_exec
 *	CommandNotFound, a desc		libvirt
 *	information commands succeed	information
 *	and within a second		information
 *	nothing beside "return"		kubevirt
 *	integers exact to 2^63-1	libvirt
 *	what tp-qemu runs		conformance
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"

#define COMMAND(name)	"{\"execute\":\"" name "\"}\n"

#define TEST(name, what)						\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", "%s", what);		\
	}								\
	ATF_TC_BODY(name, tc)
#define ROOT_TEST(name, what)						\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", "%s", what);		\
		atf_tc_set_md_var(tc, "require.user", "root");		\
	}								\
	ATF_TC_BODY(name, tc)

/* What vdsm, KubeVirt and virDomainGetGuestInfo ask, and must get. */
static const struct {
	const char	*name, *begins, *has;
} information[] = {
	{ "guest-info", "{\"return\": {\"version\": \"", "success-response" },
	{ "guest-get-osinfo", "{\"return\": {", "\"kernel-release\": \"" },
	{ "guest-get-host-name", "{\"return\": {\"host-name\": \"", "" },
	{ "guest-get-timezone", "{\"return\": {", "\"offset\": " },
	{ "guest-get-users", "{\"return\": [", "" },
	{ "guest-network-get-interfaces", "{\"return\": [",
	    "\"name\": \"lo" },
	{ "guest-get-disks", "{\"return\": [", "" },
	{ "guest-get-diskstats", "{\"return\": [", "" },
	{ "guest-get-fsinfo", "{\"return\": [", "" },
	{ "guest-get-time", "{\"return\": ", "" },
	{ "guest-ping", "{\"return\": {}}", "" },
};

#define INFORMATION	(sizeof(information) / sizeof(information[0]))

static struct wire h;

static void
finish(void)
{
	wire_ask(&h, PING, PONG);
	wire_close(&h);
	daemon_stop();
}

/* --- libvirt --- */

/* Milliseconds since the epoch, as libvirt takes them. */
static long long
libvirt_id(void)
{
	static long long last;
	struct timespec ts;
	long long ms;

	ATF_REQUIRE(clock_gettime(CLOCK_REALTIME, &ts) == 0);
	ms = (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	return (last = ms > last ? ms : last + 1);
}

/*
 * An error or an older number is skipped while a sync is awaited.  The first
 * sync of a connection is sent again if the first try had no answer.
 */
static void
libvirt_sync(int tries)
{
	char request[128], want[64];
	const char *line;
	long long id;
	int i;

	for (i = 0; i < tries; i++) {
		id = libvirt_id();
		snprintf(request, sizeof(request), "{\"execute\":"
		    "\"guest-sync\",\"arguments\":{\"id\":%lld}}\n", id);
		snprintf(want, sizeof(want), "{\"return\": %lld}", id);
		wire_say(&h, request);
	}
	while (strcmp(line = wire_line(&h), want) != 0)
		ATF_REQUIRE_MSG(tries > 1 &&
		    (strncmp(line, "{\"error\": ", 10) == 0 ||
		    strncmp(line, "{\"return\": 1", 12) == 0), "%s", line);
}

TEST(libvirt, "libvirt: one connection, a sync, then command after command")
{
	static const char *const absent[] = { "guest-get-devices",
	    "guest-suspend-never", "guest-no-such-command" };
	char request[128], want[192];
	size_t i, j;

	daemon_listen(tc, "-b", "guest-shutdown", NULL);
	wire_connect(&h);
	libvirt_sync(1);
	for (j = 0; j < 3; j++)
		for (i = 0; i < INFORMATION; i++) {
			snprintf(request, sizeof(request), COMMAND("%s"),
			    information[i].name);
			wire_say(&h, request);
			ATF_CHECK(strncmp(wire_line(&h), "{\"return\": ", 11)
			    == 0);
			if (i % 3 == 0)
				libvirt_sync(1);
		}
	/* Unsupported is told by the class, blocked by class and text. */
	for (i = 0; i < 3; i++) {
		snprintf(request, sizeof(request), COMMAND("%s"), absent[i]);
		snprintf(want, sizeof(want), ABSENT("The command %s has not "
		    "been found"), absent[i]);
		wire_ask(&h, request, want);
	}
	wire_ask(&h, "{\"execute\":\"guest-shutdown\",\"arguments\":"
	    "{\"mode\":\"powerdown\"}}\n", ABSENT("Command guest-shutdown has "
	    "been disabled: the command is not allowed"));
	/* The largest number it sends. */
	wire_ask(&h, "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":"
	    "9223372036854775807}}\n", "{\"return\": 9223372036854775807}");
	libvirt_sync(1);
	finish();
}

TEST(libvirt_again, "libvirt comes back where another left half a request")
{
	static const char *const left[] = { "{\"execute\":\"guest-",
	    "{\"execute\":\"guest-ping\"", "{", "\x01\x02", "]]}", "\"x",
	    "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":12" };
	size_t i;

	daemon_listen(tc, NULL);
	for (i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		/* On the line itself, as after a restart of the host. */
		wire_connect(&h);
		wire_say(&h, left[i]);
		libvirt_sync(2);
		wire_ask(&h, PING, PONG);
		wire_close(&h);
		/* And on the next connection, where the first one counts. */
		wire_connect(&h);
		libvirt_sync(1);
		wire_close(&h);
	}
	wire_connect(&h);
	finish();
}

/* --- Proxmox VE --- */

/*
 * All up to the last 0xFF is dropped; then two lines that end in a brace,
 * the first {"return": ID}.  A connection each, closed after the answer.
 */
static const char *
proxmox(const char *command)
{
	static char reply[1024 * 1024];
	static int counter;
	struct text t = { 0 };
	char want[64];
	const char *line, *p;
	size_t len;

	counter++;
	text_add(&t, "{\"execute\":\"guest-sync-delimited\",\"arguments\":"
	    "{\"id\":%d0%d}}\n%s\n", (int)getpid(), counter, command);
	wire_connect(&h);
	ATF_REQUIRE(write(h.fd, t.p, t.len) == (ssize_t)t.len);
	text_free(&t);
	ATF_REQUIRE((line = wire_raw(&h, &len)) != NULL);
	p = strrchr(line, '\xff');
	/* Nothing was left to be skipped. */
	ATF_REQUIRE_MSG(p == line, "%s", line);
	snprintf(want, sizeof(want), "{\"return\": %d0%d}", (int)getpid(),
	    counter);
	ATF_REQUIRE_STREQ(want, p + 1);
	line = wire_line(&h);
	ATF_REQUIRE(strlen(line) < sizeof(reply));
	strcpy(reply, line);
	ATF_CHECK_EQ(h.pos, h.len);	/* nothing after the second line */
	wire_close(&h);
	return (reply);
}

TEST(proxmox, "Proxmox VE: sync and command in one write, 200 connections")
{
	char command[128];
	const char *line;
	size_t i;
	int n;

	daemon_listen(tc, NULL);
	for (n = 0; n < 200; n++) {
		i = (size_t)n % INFORMATION;
		snprintf(command, sizeof(command), "{\"execute\":\"%s\","
		    "\"arguments\":{}}", information[i].name);
		line = proxmox(command);
		ATF_REQUIRE_MSG(strncmp(line, information[i].begins,
		    strlen(information[i].begins)) == 0, "%s: %s",
		    information[i].name, line);
	}
	ATF_CHECK_STREQ(ABSENT("The command guest-fstrimm has not been found"),
	    proxmox("{\"execute\":\"guest-fstrimm\"}"));
	ATF_CHECK_STREQ(GENERIC("JSON parse error, expecting value"),
	    proxmox("}"));
	ATF_CHECK(!file_has(DAEMON_LOG, "a new one is started"));
	wire_connect(&h);
	finish();
}

ROOT_TEST(proxmox_exec, "Proxmox VE: a pid is asked for on other connections")
{
	char command[256];
	const char *line;
	long long pid;
	int64_t end;

	daemon_listen(tc, NULL);
	line = proxmox("{\"execute\":\"guest-exec\",\"arguments\":{\"path\":"
	    "\"sh\",\"arg\":[\"-c\",\"read x; echo $x; exit 3\"],"
	    "\"input-data\":\"eWVzCg==\",\"capture-output\":true}}");
	pid = reply_number(line, "pid");
	ATF_CHECK(pid > 0);
	snprintf(command, sizeof(command), "{\"execute\":"
	    "\"guest-exec-status\",\"arguments\":{\"pid\":%lld}}", pid);
	end = now_ms() + PATIENCE;
	while (strcmp(line = proxmox(command),
	    "{\"return\": {\"exited\": false}}") == 0)
		ATF_REQUIRE(now_ms() < end);
	ATF_CHECK_STREQ("{\"return\": {\"out-data\": \"eWVzCg==\", "
	    "\"exited\": true, \"exitcode\": 3, \"out-truncated\": false}}",
	    line);
	/* It may send input and no path. */
	ATF_CHECK_STREQ(GENERIC("Parameter 'path' is missing"),
	    proxmox("{\"execute\":\"guest-exec\",\"arguments\":"
	    "{\"input-data\":\"eWVzCg==\"}}"));
	wire_connect(&h);
	finish();
}

/* 1 MiB in lines of 76 characters, as Perl encodes: 1.4 MiB of request. */
ROOT_TEST(proxmox_stdin, "Proxmox VE: --pass-stdin of 1 MiB")
{
	static unsigned char data[1024 * 1024];
	struct text t = { 0 };
	size_t i, n;
	FILE *f;

	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 2654435761U >> 13);
	ATF_REQUIRE((f = fopen("copy", "w")) != NULL);
	ATF_REQUIRE(fwrite(data, 1, sizeof(data), f) == sizeof(data));
	ATF_REQUIRE(fclose(f) == 0);
	daemon_listen(tc, NULL);
	wire_connect(&h);
	text_add(&t, "\"path\":\"cmp\",\"arg\":[\"-\",\"copy\"],"
	    "\"capture-output\":true,\"input-data\":\"");
	for (i = 0; i < sizeof(data); i += n) {
		n = sizeof(data) - i < 57 ? sizeof(data) - i : 57;
		text_base64(&t, data + i, n);
		text_add(&t, "\\n");
	}
	text_add(&t, "\"");
	ATF_CHECK(t.len > 1400000);
	exec_expect(&h, t.p,
	    "{\"return\": {\"exited\": true, \"exitcode\": 0}}");
	text_free(&t);
	finish();
}

/* --- the others --- */

/* It strips the wrapper by pattern and takes what is within unchecked. */
TEST(kubevirt, "KubeVirt: a reply is its return member and nothing else")
{
	char request[128];
	const char *line, *p;
	size_t i;
	int depth, quoted;

	daemon_listen(tc, NULL);
	wire_connect(&h);
	for (i = 0; i < INFORMATION; i++) {
		snprintf(request, sizeof(request), COMMAND("%s"),
		    information[i].name);
		wire_say(&h, request);
		line = wire_line(&h);
		ATF_REQUIRE(strncmp(line, "{\"return\": ", 11) == 0);
		/* The one value ends where the line's last brace follows. */
		for (p = line + 11, depth = quoted = 0; *p != '\0'; p++) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				quoted = !quoted;
			else if (!quoted && (*p == '{' || *p == '['))
				depth++;
			else if (!quoted && (*p == '}' || *p == ']')) {
				if (depth-- == 0)
					break;
			} else if (!quoted && depth == 0)
				ATF_REQUIRE_MSG(*p != ',', "%s", line);
		}
		ATF_CHECK_STREQ("}", p);
	}
	finish();
}

/*
 * Ansible compares whole entries: name, enabled, success-response.  The
 * names are those of --list-commands, in its order.
 */
TEST(commands, "guest-info lists exactly the table of commands")
{
	static const char close[] = "]}}";
	char command[1200], line[512], name[128], entry[256];
	const char *p;
	FILE *list;
	int n = 0;

	daemon_program(tc, command, sizeof(command) - 32);
	strcat(command, " --list-commands");
	ATF_REQUIRE((list = popen(command, "r")) != NULL);
	ATF_REQUIRE(fgets(line, sizeof(line), list) != NULL);
	ATF_CHECK(strncmp(line, "command ", 8) == 0);

	daemon_listen(tc, NULL);
	wire_connect(&h);
	wire_say(&h, COMMAND("guest-info"));
	p = wire_line(&h);
	ATF_CHECK_MSG(strncmp(p, "{\"return\": {\"version\": \"10.", 27) == 0,
	    "%s", p);
	ATF_REQUIRE((p = strstr(p, "\", \"supported_commands\": [")) != NULL);
	p += strlen("\", \"supported_commands\": [");
	for (; fgets(line, sizeof(line), list) != NULL; n++) {
		ATF_REQUIRE(sscanf(line, "%127s", name) == 1);
		if (geteuid() != 0 && strstr(line, " yes ") != NULL)
			snprintf(entry, sizeof(entry), "%s{\"enabled\": "
			    "false, \"name\": \"%s\", \"success-response\": ",
			    n == 0 ? "" : ", ", name);
		else
			snprintf(entry, sizeof(entry), "%s{\"enabled\": "
			    "true, \"name\": \"%s\", \"success-response\": ",
			    n == 0 ? "" : ", ", name);
		ATF_REQUIRE_MSG(strncmp(p, entry, strlen(entry)) == 0,
		    "not %s: %.128s", entry, p);
		p += strlen(entry);
		/* Hosts wait for no reply to these. */
		snprintf(entry, sizeof(entry), "%s}",
		    strcmp(name, "guest-shutdown") == 0 ||
		    strncmp(name, "guest-suspend-", 14) == 0 ? "false" :
		    "true");
		ATF_REQUIRE_MSG(strncmp(p, entry, strlen(entry)) == 0,
		    "%s: not %s: %.128s", name, entry, p);
		p += strlen(entry);
	}
	ATF_CHECK_STREQ(close, p);
	ATF_CHECK(n >= 13);
	ATF_CHECK_EQ(0, pclose(list));
	finish();
}

TEST(information, "vdsm: every information command succeeds within a second")
{
	char request[128];
	const char *line;
	int64_t began;
	size_t i;
	int round;

	daemon_listen(tc, NULL);
	wire_connect(&h);
	for (round = 0; round < 5; round++)
		for (i = 0; i < INFORMATION; i++) {
			snprintf(request, sizeof(request), COMMAND("%s"),
			    information[i].name);
			began = now_ms();
			wire_say(&h, request);
			line = wire_line(&h);
			ATF_CHECK_MSG(now_ms() - began < 1000, "%s takes %lld "
			    "ms", information[i].name,
			    (long long)(now_ms() - began));
			ATF_CHECK_MSG(strncmp(line, information[i].begins,
			    strlen(information[i].begins)) == 0 &&
			    strstr(line, information[i].has) != NULL,
			    "%s: %s", information[i].name, line);
		}
	finish();
}

/* What libvirt requires of an interface, lest it drop the whole list. */
TEST(interfaces, "Interfaces have what libvirt and Terraform read")
{
	const char *line, *p, *q;
	long long prefix;
	int n = 0, loopback = 0;

	daemon_listen(tc, NULL);
	wire_connect(&h);
	wire_say(&h, COMMAND("guest-network-get-interfaces"));
	line = wire_line(&h);
	for (p = line; (p = strstr(p, "\"ip-address\": \"")) != NULL; p++) {
		/* The members of its own object, in whatever order. */
		for (q = p; *q != '{'; q--)
			;
		ATF_REQUIRE((p = strchr(q, '}')) != NULL);
		ATF_CHECK(strstr(q, "\"ip-address-type\": \"ipv4\"") < p ||
		    strstr(q, "\"ip-address-type\": \"ipv6\"") < p);
		prefix = reply_number(q, "prefix");
		ATF_CHECK(prefix >= 0 && prefix <= 128);
		if (strstr(q, "\"127.0.0.1\"") != NULL &&
		    strstr(q, "\"127.0.0.1\"") < p) {
			ATF_CHECK_EQ(8, prefix);
			loopback++;
		}
		n++;
	}
	ATF_CHECK(n > 0 && loopback == 1);
	ATF_CHECK(reply_number(line, "rx-bytes") >= 0);
	ATF_CHECK(reply_number(line, "tx-errs") >= 0);
	finish();
}

/* The other process answers slowly; what is behind it must wait. */
TEST(order, "Replies are in the order of the requests, slow ones too")
{
	pid_t query;

	need_proc();
	daemon_listen(tc, NULL);
	wire_connect(&h);
	wire_say(&h, COMMAND("guest-get-timezone"));
	ATF_CHECK(strstr(wire_line(&h), "\"offset\"") != NULL);
	query = daemon_halt("query");
	wire_piece(&h, COMMAND("guest-get-timezone") PING PING,
	    sizeof(COMMAND("guest-get-timezone") PING PING) - 1);
	/* All of it has been read; the ping must not have overtaken. */
	ATF_REQUIRE(kill(query, SIGCONT) == 0);
	ATF_CHECK(strstr(wire_line(&h), "\"offset\"") != NULL);
	wire_expect(&h, PONG);
	finish();
}

/* qemu-ga-client asks for a ping before any sync; avocado a 4-digit id. */
TEST(conformance, "tp-qemu's and qemu-ga-client's ways")
{
	char request[128], want[64];
	int i;

	daemon_listen(tc, NULL);
	wire_connect(&h);
	wire_ask(&h, COMMAND("guest-ping"), PONG);
	for (i = 1000; i < 10000; i += 1111) {
		snprintf(request, sizeof(request), "{\"execute\": "
		    "\"guest-sync-delimited\", \"arguments\": {\"id\": %d}}",
		    i);
		snprintf(want, sizeof(want), "\xff{\"return\": %d}", i);
		wire_ask(&h, request, want);
		snprintf(request, sizeof(request), "{\"execute\": "
		    "\"guest-sync\", \"arguments\": {\"id\": %d}}", i);
		wire_ask(&h, request, want + 1);
	}
	wire_close(&h);
	daemon_stop();
	/* Started and stopped again and again. */
	for (i = 0; i < 20; i++) {
		daemon_listen(tc, NULL);
		daemon_stop();
	}
	/* Asked the same very often. */
	daemon_listen(tc, NULL);
	wire_connect(&h);
	for (i = 0; i < 2000; i++) {
		wire_say(&h, COMMAND("guest-info"));
		(void)wire_line(&h);
	}
	finish();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, libvirt);
	ATF_TP_ADD_TC(tp, libvirt_again);
	ATF_TP_ADD_TC(tp, proxmox);
	ATF_TP_ADD_TC(tp, proxmox_exec);
	ATF_TP_ADD_TC(tp, proxmox_stdin);
	ATF_TP_ADD_TC(tp, kubevirt);
	ATF_TP_ADD_TC(tp, commands);
	ATF_TP_ADD_TC(tp, information);
	ATF_TP_ADD_TC(tp, interfaces);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, conformance);
	return (atf_no_error());
}
