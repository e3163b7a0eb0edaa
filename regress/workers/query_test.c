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
 * The query worker: its functions against recorded data and against what
 * other ways of asking the system say, and the program as its two peers see
 * it.  The program is found in $QGAD_WORKERS, else where the build leaves it.
 */

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "confine.h"
#include "imsg.h"
#include "messages.h"
#include "query.h"
#include "tree.h"
#include "value.h"

#define PATIENCE	20000	/* ms; a failure, not a measurement */

static char *
ask_system(enum command_id id)
{
	struct value_writer	 w;
	char			 err[256] = "";

	ATF_REQUIRE(system_queries[id] != NULL);
	value_start(&w, VALUE_SIZE);
	ATF_REQUIRE_EQ_MSG(0, system_queries[id](&w, err, sizeof(err)), "%s",
	    err);
	return (finish(&w));
}

/* --- guest-get-osinfo --- */

ATF_TC_WITHOUT_HEAD(osrelease_quoting);
ATF_TC_BODY(osrelease_quoting, tc)
{
	static const struct {
		const char	*file;
		const char	*name;		/* NULL: left out */
	} v[] = {
		{ "NAME=plain\n", "plain" },
		{ "NAME=two words\n", "two words" },
		{ "NAME=\"two words\"\n", "two words" },
		{ "NAME='two words'\n", "two words" },
		{ "NAME=\"it's\"\n", "it's" },
		{ "NAME=it's\n", "it's" },
		{ "NAME='say \"so\"'\n", "say \"so\"" },
		{ "NAME=\"a\\\"b\\\\c\\$d\\`e\\'f\"\n", "a\"b\\c$d`e'f" },
		{ "NAME=\"a\\nb\"\n", "a\\nb" },
		{ "NAME='a\\\\b'\n", "a\\\\b" },
		{ "NAME=a\\$b\n", "a$b" },
		{ "NAME=\"open\n", "open" },
		{ "NAME=\"end\" # comment\n", "end" },
		{ "NAME=\"back\\\n", "back\\" },
		{ "NAME=\"\"\n", "" },
		{ "NAME=\n", "" },
		{ "NAME=\"\n", "" },
		{ "NAME=   spaced  \t\n", "spaced" },
		{ "  NAME=indented\n", "indented" },
		{ "NAME=dos\r\n", "dos" },
		{ "NAME=no newline", "no newline" },
		{ "NAME=first\nNAME=last\n", "last" },
		{ "\n\n#NAME=comment\nNAME=x=y\n", "x=y" },
		{ "NAME=\xc3\xa4\xff\n", "\xc3\xa4\xff" },
		{ "NAME\n", NULL },
		{ "=NAME\n", NULL },
		{ "NAMES=x\nNAM=y\nname=z\nNAME =u\n", NULL },
		{ "", NULL },
	};
	struct osinfo	 o;
	char		*copy;
	size_t		 i, j, len;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		/* Its own memory: a byte too far is seen by a sanitizer. */
		len = strlen(v[i].file);
		ATF_REQUIRE((copy = malloc(len + (len == 0))) != NULL);
		memcpy(copy, v[i].file, len);
		memset(&o, 0, sizeof(o));
		osinfo_parse(&o, copy, len);
		for (j = 0; j < OSINFO_MEMBERS; j++)
			ATF_CHECK(j == OSINFO_NAME || o.str[j] == NULL);
		if (v[i].name == NULL)
			ATF_CHECK_MSG(o.str[OSINFO_NAME] == NULL, "%s",
			    v[i].file);
		else
			ATF_CHECK_MSG(o.str[OSINFO_NAME] != NULL &&
			    o.len[OSINFO_NAME] == strlen(v[i].name) &&
			    memcmp(o.str[OSINFO_NAME], v[i].name,
			    o.len[OSINFO_NAME]) == 0, "%s: %.*s", v[i].file,
			    (int)o.len[OSINFO_NAME], o.str[OSINFO_NAME]);
		free(copy);
	}
}

/* Each member, their order, what is missing, and a file past its bound. */
ATF_TC_WITHOUT_HEAD(osinfo_members);
ATF_TC_BODY(osinfo_members, tc)
{
	static const char file[] = "VARIANT_ID=server\nVARIANT='Server Ed'\n"
	    "VERSION_ID=\"41\"\nVERSION=\"41 (X)\"\nPRETTY_NAME=\"P 41\"\n"
	    "NAME=P\nID=p\nHOME_URL=\"https://example.org/\"\n";
	static char	 large[OSINFO_FILE + 64];
	struct text	 kernel;
	struct utsname	 u;
	struct text	 want;

	memset(&kernel, 0, sizeof(kernel));
	memset(&want, 0, sizeof(want));
	ATF_REQUIRE_EQ(0, uname(&u));
	add(&kernel, "{\"kernel-release\":\"%s\",\"kernel-version\":\"%s\","
	    "\"machine\":\"%s\"", u.release, u.version, u.machine);

	write_file("os-release", file, sizeof(file) - 1);
	ATF_REQUIRE_EQ(0, setenv("QGA_OS_RELEASE", "os-release", 1));
	query_open();
	add(&want, "%s,\"id\":\"p\",\"name\":\"P\",\"pretty-name\":\"P 41\","
	    "\"version\":\"41 (X)\",\"version-id\":\"41\","
	    "\"variant\":\"Server Ed\",\"variant-id\":\"server\"}", kernel.s);
	ATF_CHECK_STREQ(want.s, ask_system(CMD_GUEST_GET_OSINFO));

	/* Written anew in place: the answer is today's. */
	write_file("os-release", "ID=q\n", 5);
	want.len = 0;
	add(&want, "%s,\"id\":\"q\"}", kernel.s);
	ATF_CHECK_STREQ(want.s, ask_system(CMD_GUEST_GET_OSINFO));

	memset(large, '#', sizeof(large));
	memcpy(large, "ID=r\n", 5);
	memcpy(large + sizeof(large) - 9, "\nNAME=no\n", 9);
	write_file("os-release", large, sizeof(large));
	want.len = 0;
	add(&want, "%s,\"id\":\"r\"}", kernel.s);
	ATF_CHECK_STREQ(want.s, ask_system(CMD_GUEST_GET_OSINFO));

	ATF_REQUIRE_EQ(0, truncate("os-release", 0));
	want.len = 0;
	add(&want, "%s}", kernel.s);
	ATF_CHECK_STREQ(want.s, ask_system(CMD_GUEST_GET_OSINFO));
}

/* The shell reads this machine's own file as well. */
ATF_TC_WITHOUT_HEAD(osinfo_shell);
ATF_TC_BODY(osinfo_shell, tc)
{
	static const char *const keys[] = { "ID", "NAME", "PRETTY_NAME",
	    "VERSION", "VERSION_ID", "VARIANT", "VARIANT_ID" };
	static const char *const members[] = { "id", "name", "pretty-name",
	    "version", "version-id", "variant", "variant-id" };
	char	 command[128], line[1024];
	FILE	*p;
	char	*have;
	struct text want;
	size_t	 i;

	if (access("/etc/os-release", R_OK) == -1)
		atf_tc_skip("no /etc/os-release");
	ATF_REQUIRE_EQ(0, unsetenv("QGA_OS_RELEASE"));
	have = ask_system(CMD_GUEST_GET_OSINFO);
	ATF_REQUIRE((have = strstr(have, ",\"id\":")) != NULL);
	memset(&want, 0, sizeof(want));
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(command, sizeof(command), ". /etc/os-release; "
		    "test -n \"${%s+x}\" && echo \"$%s\"", keys[i], keys[i]);
		ATF_REQUIRE((p = popen(command, "r")) != NULL);
		if (fgets(line, sizeof(line), p) != NULL) {
			line[strcspn(line, "\n")] = '\0';
			add(&want, ",\"%s\":\"%s\"", members[i], line);
		}
		pclose(p);
	}
	add(&want, "}");
	ATF_CHECK_STREQ(want.s, have);
}

/* --- guest-get-users --- */

static void
session(int fd, short type, const char *user, int sec, int usec)
{
	struct utmp	 u;

	memset(&u, 0, sizeof(u));
	u.ut_type = type;
	memcpy(u.ut_user, user, strnlen(user, sizeof(u.ut_user)));
	u.ut_tv.tv_sec = sec;
	u.ut_tv.tv_usec = usec;
	ATF_REQUIRE_EQ((ssize_t)sizeof(u), write(fd, &u, sizeof(u)));
}

static char *
users_of(const char *path)
{
	struct value_writer	 w;
	struct users		 us;
	char			*s;

	memset(&us, 0, sizeof(us));
	ATF_REQUIRE_EQ(0, linux_utmp(&us, path));
	value_start(&w, VALUE_SIZE);
	users_write(&w, &us);
	s = finish(&w);
	users_free(&us);
	return (s);
}

ATF_TC_WITHOUT_HEAD(users);
ATF_TC_BODY(users, tc)
{
	static const char	 longest[] = "abcdefghijklmnopqrstuvwxyz123456";
	struct users		 us;
	char			 name[16];
	struct text		 want;
	int			 fd, i;

	ATF_CHECK_STREQ("[]", users_of("absent"));
	write_file("utmp", "", 0);
	ATF_CHECK_STREQ("[]", users_of("utmp"));

	ATF_REQUIRE((fd = open("utmp", O_WRONLY | O_TRUNC)) != -1);
	session(fd, BOOT_TIME, "reboot", 100, 0);
	session(fd, USER_PROCESS, "ann", 2000, 500000);
	session(fd, DEAD_PROCESS, "gone", 10, 0);
	/* Past one read: the fold is over the whole file. */
	for (i = 0; i < 100; i++)
		session(fd, LOGIN_PROCESS, "LOGIN", 5, 0);
	session(fd, USER_PROCESS, "bob", 3000, 0);
	session(fd, USER_PROCESS, longest, 1, 1);
	session(fd, USER_PROCESS, "ann", 1999, 250000);
	session(fd, USER_PROCESS, "ann", 2001, 0);
	session(fd, USER_PROCESS, "an", 7, 0);
	session(fd, USER_PROCESS, "", 7, 0);
	ATF_REQUIRE_EQ(3, write(fd, "\7\0\0", 3));	/* torn */
	ATF_REQUIRE_EQ(0, close(fd));
	memset(&want, 0, sizeof(want));
	add(&want, "[{\"user\":\"ann\",\"login-time\":1999.250000},"
	    "{\"user\":\"bob\",\"login-time\":3000.000000},"
	    "{\"user\":\"%s\",\"login-time\":1.000001},"
	    "{\"user\":\"an\",\"login-time\":7.000000}]", longest);
	ATF_CHECK_STREQ(want.s, users_of("utmp"));

	/* One more than there may be is said, not left out. */
	memset(&us, 0, sizeof(us));
	for (i = 0; i < USERS_MAX; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		ATF_REQUIRE_EQ(0, users_add(&us, name, sizeof(name), 1));
	}
	ATF_CHECK_EQ(0, users_add(&us, "u7", 3, 0.5));
	ATF_CHECK_ERRNO(ERANGE, users_add(&us, "more", 5, 1) == -1);
	users_free(&us);
}

/* --- guest-network-get-interfaces --- */

static char *
netifs_text(const struct netifs *ns)
{
	struct value_writer	 w;

	value_start(&w, VALUE_SIZE);
	netifs_write(&w, ns);
	return (finish(&w));
}

ATF_TC_WITHOUT_HEAD(netif_search);
ATF_TC_BODY(netif_search, tc)
{
	struct netifs	 ns;
	uint32_t	 i, j;

	/* From wherever the last look-up ended, to each other one. */
	memset(&ns, 0, sizeof(ns));
	for (i = 1; i <= 16; i++)
		ATF_REQUIRE(netif_add(&ns, i * 10) != NULL);
	for (i = 1; i <= 16; i++) {
		for (j = 1; j <= 16; j++) {
			ATF_REQUIRE(netif_find(&ns, i * 10) != NULL);
			ATF_CHECK(netif_find(&ns, j * 10) == &ns.v[j - 1]);
		}
	}
	ATF_CHECK(netif_find(&ns, 11) == NULL);
	netifs_free(&ns);
	ATF_CHECK(netif_find(&ns, 10) == NULL);
}

/* A netlink message being built. */
struct packet {
	unsigned char	 b[1024];
	size_t		 len, start;
};

static void
put(struct packet *p, const void *bytes, size_t len)
{
	ATF_REQUIRE(p->len + len + 4 <= sizeof(p->b));
	memcpy(p->b + p->len, bytes, len);
	p->len += len;
	while (p->len % 4 != 0)
		p->b[p->len++] = 0;
}

static void
begin(struct packet *p, uint16_t type, uint16_t flags, uint32_t seq)
{
	struct nlmsghdr	 h;

	memset(&h, 0, sizeof(h));
	h.nlmsg_type = type;
	h.nlmsg_flags = flags;
	h.nlmsg_seq = seq;
	p->start = p->len;
	put(p, &h, sizeof(h));
}

static void
end(struct packet *p)
{
	uint32_t	 len = (uint32_t)(p->len - p->start);

	memcpy(p->b + p->start, &len, sizeof(len));
}

static void
attr(struct packet *p, uint16_t type, const void *bytes, size_t len)
{
	struct rtattr	 a;

	a.rta_type = type;
	a.rta_len = (uint16_t)(sizeof(a) + len);
	put(p, &a, sizeof(a));
	put(p, bytes, len);
}

static void
link_message(struct packet *p, uint32_t seq, int index, const char *name)
{
	struct rtnl_link_stats64 s;
	struct ifinfomsg	 i;

	begin(p, RTM_NEWLINK, NLM_F_MULTI, seq);
	memset(&i, 0, sizeof(i));
	i.ifi_index = index;
	put(p, &i, sizeof(i));
	attr(p, IFLA_IFNAME, name, strlen(name) + 1);
	attr(p, IFLA_ADDRESS, "\x02\xab\xCD\x00\x01\xff", 6);
	memset(&s, 0, sizeof(s));
	s.rx_bytes = UINT64_MAX;
	s.rx_packets = 2;
	s.rx_errors = 3;
	s.rx_dropped = 4;
	s.rx_missed_errors = 10;
	s.tx_bytes = 5;
	s.tx_packets = 6;
	s.tx_errors = 7;
	s.tx_dropped = 8;
	attr(p, IFLA_STATS64, &s, sizeof(s));
	end(p);
}

static void
address_message(struct packet *p, uint32_t seq, uint32_t index, int prefix)
{
	struct ifaddrmsg	 i;

	begin(p, RTM_NEWADDR, NLM_F_MULTI, seq);
	memset(&i, 0, sizeof(i));
	i.ifa_family = AF_INET;
	i.ifa_prefixlen = (uint8_t)prefix;
	i.ifa_index = index;
	put(p, &i, sizeof(i));
	attr(p, IFA_ADDRESS, "\x0a\0\0\x02", 4);	/* the peer's */
	attr(p, IFA_LOCAL, "\x0a\0\0\x01", 4);
	attr(p, IFA_LABEL, "n:1", 4);
	end(p);
}

static void
done_message(struct packet *p, uint32_t seq, int error)
{
	begin(p, NLMSG_DONE, NLM_F_MULTI, seq);
	put(p, &error, sizeof(error));
	end(p);
}

ATF_TC_WITHOUT_HEAD(netlink_messages);
ATF_TC_BODY(netlink_messages, tc)
{
	static const char want[] = "[{\"name\":\"n\","
	    "\"hardware-address\":\"02:ab:cd:00:01:ff\",\"ip-addresses\":"
	    "[{\"ip-address\":\"10.0.0.1\",\"ip-address-type\":\"ipv4\","
	    "\"prefix\":32}],\"statistics\":{"
	    "\"rx-bytes\":18446744073709551615,\"rx-packets\":2,"
	    "\"rx-errs\":3,\"rx-dropped\":14,\"tx-bytes\":5,"
	    "\"tx-packets\":6,\"tx-errs\":7,\"tx-dropped\":8}}]";
	struct packet	 p;
	struct netifs	 ns;
	int		 changed = 0;

	memset(&ns, 0, sizeof(ns));
	memset(&p, 0, sizeof(p));
	link_message(&p, 6, 9, "old");		/* another dump's: not seen */
	link_message(&p, 7, 1, "n");
	ATF_CHECK_EQ(1, linux_netlink(&ns, p.b, p.len, 7, &changed));
	p.len = 0;
	address_message(&p, 7, 2, 8);		/* of an interface not listed */
	address_message(&p, 7, 1, 200);		/* no such prefix */
	done_message(&p, 7, 0);
	ATF_CHECK_EQ(0, linux_netlink(&ns, p.b, p.len, 7, &changed));
	ATF_CHECK_EQ(0, changed);
	ATF_CHECK_STREQ(want, netifs_text(&ns));

	p.len = 0;
	begin(&p, NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, 7);
	end(&p);
	ATF_CHECK_EQ(0, linux_netlink(&ns, p.b, p.len, 7, &changed));
	ATF_CHECK_EQ(1, changed);

	p.len = 0;
	done_message(&p, 7, -EACCES);
	ATF_CHECK_ERRNO(EACCES, linux_netlink(&ns, p.b, p.len, 7,
	    &changed) == -1);
	p.len = 0;
	begin(&p, NLMSG_ERROR, 0, 7);
	put(&p, &(struct nlmsgerr){ .error = -EBUSY },
	    sizeof(struct nlmsgerr));
	end(&p);
	ATF_CHECK_ERRNO(EAGAIN, linux_netlink(&ns, p.b, p.len, 7,
	    &changed) == -1);
	netifs_free(&ns);
}

/*
 * Every truncation and every length that lies, each in memory of its own
 * size: under a sanitizer one byte too far is seen, and without one, what
 * is cut off must be an error, never an answer.
 */
ATF_TC_WITHOUT_HEAD(netlink_malformed);
ATF_TC_BODY(netlink_malformed, tc)
{
	struct packet	 p;
	struct netifs	 ns;
	unsigned char	*copy;
	uint32_t	 whole;
	size_t		 i;
	int		 changed = 0, value;

	memset(&ns, 0, sizeof(ns));
	memset(&p, 0, sizeof(p));
	link_message(&p, 7, 1, "n");
	whole = (uint32_t)p.len;
	address_message(&p, 7, 1, 8);
	for (i = 1; i < p.len; i++) {
		ATF_REQUIRE((copy = malloc(i)) != NULL);
		memcpy(copy, p.b, i);
		netifs_reset(&ns);
		ATF_CHECK_EQ_MSG(i == whole ? 1 : -1, linux_netlink(&ns, copy,
		    i, 7, &changed), "%zu bytes", i);
		free(copy);
	}
	ATF_REQUIRE((copy = malloc(p.len)) != NULL);
	for (i = 0; i < p.len; i++) {
		for (value = 0; value < 256; value += 5) {
			memcpy(copy, p.b, p.len);
			copy[i] = (unsigned char)value;
			netifs_reset(&ns);
			(void)linux_netlink(&ns, copy, p.len, 7, &changed);
			free(netifs_text(&ns));
		}
	}
	free(copy);
	/* A header that claims to be shorter than itself would loop. */
	for (value = 0; value < 16; value++) {
		p.b[0] = (unsigned char)value;
		p.b[1] = p.b[2] = p.b[3] = 0;
		ATF_CHECK_ERRNO(EBADMSG, linux_netlink(&ns, p.b, p.len, 7,
		    &changed) == -1);
	}
	netifs_free(&ns);
}

static void
counters_of(struct text *t, const char *name)
{
	unsigned long long v[16];
	char		 line[512], *p;
	FILE		*f;
	int		 i, n;

	ATF_REQUIRE((f = fopen("/proc/net/dev", "r")) != NULL);
	while (fgets(line, sizeof(line), f) != NULL) {
		p = line + strspn(line, " ");
		if (strncmp(p, name, strlen(name)) != 0 ||
		    p[strlen(name)] != ':')
			continue;
		p += strlen(name) + 1;
		for (i = 0; i < 16; i++, p += n)
			ATF_REQUIRE_EQ(1, sscanf(p, "%llu%n", &v[i], &n));
		add(t, ",\"statistics\":{\"rx-bytes\":%llu,"
		    "\"rx-packets\":%llu,\"rx-errs\":%llu,"
		    "\"rx-dropped\":%llu,\"tx-bytes\":%llu,"
		    "\"tx-packets\":%llu,\"tx-errs\":%llu,"
		    "\"tx-dropped\":%llu}", v[0], v[1], v[2], v[3], v[8], v[9],
		    v[10], v[11]);
	}
	fclose(f);
}

/* One interface, asked of getifaddrs, SIOCGIFHWADDR and /proc/net/dev. */
static void
interface_text(struct text *t, const struct ifaddrs *list, const char *name,
    int s)
{
	const struct ifaddrs	*a;
	const unsigned char	*m;
	struct ifreq		 r;
	char			 ip[INET6_ADDRSTRLEN];
	const void		*bytes, *mask;
	size_t			 i, size, n = 0;
	int			 prefix;

	memset(&r, 0, sizeof(r));
	strncpy(r.ifr_name, name, sizeof(r.ifr_name) - 1);
	ATF_REQUIRE_EQ(0, ioctl(s, SIOCGIFHWADDR, &r));
	m = (const unsigned char *)r.ifr_hwaddr.sa_data;
	add(t, "{\"name\":\"%s\",\"hardware-address\":"
	    "\"%02x:%02x:%02x:%02x:%02x:%02x\"", name, m[0], m[1], m[2], m[3],
	    m[4], m[5]);
	for (a = list; a != NULL; a = a->ifa_next) {
		if (strncmp(a->ifa_name, name, strlen(name)) != 0 ||
		    (a->ifa_name[strlen(name)] != '\0' &&
		    a->ifa_name[strlen(name)] != ':') || a->ifa_addr == NULL)
			continue;
		if (a->ifa_addr->sa_family == AF_INET) {
			bytes = &((struct sockaddr_in *)
			    (void *)a->ifa_addr)->sin_addr;
			mask = &((struct sockaddr_in *)
			    (void *)a->ifa_netmask)->sin_addr;
			size = 4;
		} else if (a->ifa_addr->sa_family == AF_INET6) {
			bytes = &((struct sockaddr_in6 *)
			    (void *)a->ifa_addr)->sin6_addr;
			mask = &((struct sockaddr_in6 *)
			    (void *)a->ifa_netmask)->sin6_addr;
			size = 16;
		} else
			continue;
		for (i = 0, prefix = 0; i < size; i++)
			prefix += __builtin_popcount(
			    ((const unsigned char *)mask)[i]);
		ATF_REQUIRE(inet_ntop(a->ifa_addr->sa_family, bytes, ip,
		    sizeof(ip)) != NULL);
		add(t, "%s{\"ip-address\":\"%s\",\"ip-address-type\":\"%s\","
		    "\"prefix\":%d}", n++ == 0 ? ",\"ip-addresses\":[" : ",",
		    ip, size == 4 ? "ipv4" : "ipv6", prefix);
	}
	if (n > 0) {
		add(t, "]");
		counters_of(t, name);
	}
	add(t, "}");
}

static char *
interfaces_text(void)
{
	struct ifaddrs	*list, *a;
	struct text	 t;
	int		 s, n = 0;

	memset(&t, 0, sizeof(t));
	ATF_REQUIRE((s = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	ATF_REQUIRE_EQ(0, getifaddrs(&list));
	add(&t, "[");
	for (a = list; a != NULL; a = a->ifa_next) {
		/* One each without address; those of tunnels are NULL. */
		if (a->ifa_addr != NULL && a->ifa_addr->sa_family != AF_PACKET)
			continue;
		add(&t, n++ == 0 ? "" : ",");
		interface_text(&t, list, a->ifa_name, s);
	}
	add(&t, "]");
	freeifaddrs(list);
	close(s);
	return (t.s);
}

static void
shell(const char *command)
{
	ATF_REQUIRE_EQ_MSG(0, system(command), "%s", command);
}

static void
new_network(void)
{
	ATF_REQUIRE_MSG(unshare(CLONE_NEWNET) == 0, "unshare: %s",
	    strerror(errno));
	/* No router solicitations: counters must stand still. */
	shell("for f in all default lo; do "
	    "echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done");
	shell("echo 0 > /proc/sys/net/ipv6/conf/lo/disable_ipv6; "
	    "ip link set lo up");
}

ATF_TC(interfaces);
ATF_TC_HEAD(interfaces, tc)
{
	atf_tc_set_md_var(tc, "descr", "Interfaces as getifaddrs, the ioctl "
	    "and /proc/net/dev have them, in a network of its own");
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "ip");
}
ATF_TC_BODY(interfaces, tc)
{
	static const char *const more[] = {
		"ip link add v0 type veth peer name v1",
		"ip link add br0 type bridge",
		"ip link add link v0 name v0.5 type vlan id 5",
		"ip link add \"we'ird\\\"\" type bridge",
		"ip link add \"$(printf 'b\\377\\376')\" type bridge",
		"ip link add sit1 type sit local 10.1.2.3",
		"ip link add gre1 type gre local 10.1.2.3 remote 10.9.9.9",
		"ip tuntap add dev tun0 mode tun",
	};
	struct sockaddr_in	 to;
	char			 command[256], *have;
	size_t			 i;
	int			 s;

	new_network();
	/* What a kernel lacks is left out. */
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		snprintf(command, sizeof(command), "%s 2>/dev/null || :",
		    more[i]);
		shell(command);
	}
	shell("ip addr add 10.1.2.3/24 dev v0;"
	    "ip addr add 10.1.2.4/24 dev v0 label v0:1;"
	    "ip addr add 10.7.7.1 peer 10.7.7.2/31 dev v1;"
	    "ip addr add 127.0.0.2/0 dev lo;"
	    "ip addr add fd00::1:2/0 dev lo;"
	    "ip addr add ::ffff:1.2.3.4/96 dev lo;"
	    "ip addr add 10.8.8.1/30 dev tun0 2>/dev/null || :");

	/* Something to count. */
	memset(&to, 0, sizeof(to));
	to.sin_family = AF_INET;
	to.sin_port = htons(9);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	ATF_REQUIRE_EQ(3, sendto(s, "abc", 3, 0, (struct sockaddr *)&to,
	    sizeof(to)));
	close(s);

	query_open();
	have = ask_system(CMD_GUEST_NETWORK_GET_INTERFACES);
	ATF_CHECK(strstr(have, "\"v0:1\"") == NULL);
	ATF_CHECK(strstr(have, "\"ip-address\":\"10.1.2.4\"") != NULL);
	ATF_CHECK_STREQ(interfaces_text(), have);

	/* And again, once it is another: nothing is remembered. */
	shell("ip link del v0; ip addr del 127.0.0.2/0 dev lo");
	have = ask_system(CMD_GUEST_NETWORK_GET_INTERFACES);
	ATF_CHECK(strstr(have, "\"v0\"") == NULL);
	ATF_CHECK_STREQ(interfaces_text(), have);
}

/* Interfaces with an address each, and one with many. */
static void
many(int interfaces, int addresses)
{
	FILE	*f;
	int	 i;

	new_network();
	ATF_REQUIRE((f = fopen("batch", "w")) != NULL);
	for (i = 0; i < interfaces; i++) {
		fprintf(f, "link add p%d type bridge\n", i);
		fprintf(f, "addr add 10.%d.%d.1/24 dev p%d\n", i / 250,
		    i % 250, i);
	}
	for (i = 0; i < addresses; i++)
		fprintf(f, "addr add 11.%d.%d.1/16 dev p3\n", i / 250,
		    i % 250);
	ATF_REQUIRE_EQ(0, fclose(f));
	shell("ip -batch batch");
}

ATF_TC(interfaces_many);
ATF_TC_HEAD(interfaces_many, tc)
{
	atf_tc_set_md_var(tc, "descr", "Hundreds of them, and an interface "
	    "with thousands of addresses");
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "ip");
}
ATF_TC_BODY(interfaces_many, tc)
{
	char	*have, *want;

	many(200, 2500);
	query_open();
	have = ask_system(CMD_GUEST_NETWORK_GET_INTERFACES);
	want = interfaces_text();
	ATF_CHECK_MSG(strcmp(have, want) == 0, "lists of %zu and %zu bytes "
	    "differ", strlen(have), strlen(want));
}

/* --- the program --- */

struct worker {
	struct imsgbuf	 ibuf;
	int		 data;
	pid_t		 pid;
};

static void
worker_start(const atf_tc_t *tc, struct worker *w, const char *ids)
{
	const char *dir;
	char	 path[1024];
	int	 imsg[2], data[2];

	if ((dir = getenv("QGAD_WORKERS")) != NULL)
		snprintf(path, sizeof(path), "%s/qgad-query", dir);
	else
		snprintf(path, sizeof(path), "%s/../../workers/qgad-query",
		    atf_tc_get_config_var(tc, "srcdir"));
	if (access(path, X_OK) == -1)
		atf_tc_fail("%s: not built", path);
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    imsg));
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    data));
	ATF_REQUIRE((w->pid = fork()) != -1);
	if (w->pid == 0) {
		/* By way of high numbers: the low ones may be in use. */
		imsg[1] = fcntl(imsg[1], F_DUPFD, 64);
		data[1] = fcntl(data[1], F_DUPFD, 64);
		if (dup2(imsg[1], CHILD_IMSG_FD) == -1 ||
		    dup2(data[1], CHILD_DATA_FD) == -1)
			_exit(99);
		closefrom(CHILD_DATA_FD + 1);
		execl(path, path, "--worker", ids, "2", (char *)NULL);
		_exit(98);
	}
	close(imsg[1]);
	close(data[1]);
	ATF_REQUIRE_EQ(0, imsgbuf_init(&w->ibuf, imsg[0]));
	w->data = data[0];
}

static void
wait_readable(int fd)
{
	struct pollfd	 p = { .fd = fd, .events = POLLIN };

	ATF_REQUIRE_EQ_MSG(1, poll(&p, 1, PATIENCE), "nothing came");
}

/* The next message that is not a line for the log. */
static void
worker_message(struct worker *w, struct imsg *m)
{
	int	 n;

	for (;;) {
		while ((n = imsgbuf_get(&w->ibuf, m)) == 1) {
			ATF_REQUIRE_EQ(0, msg_check(m));
			if (imsg_get_type(m) != MSG_LOG)
				return;
			imsg_free(m);
		}
		ATF_REQUIRE_EQ(0, n);
		wait_readable(w->ibuf.fd);
		ATF_REQUIRE_EQ_MSG(1, imsgbuf_read(&w->ibuf),
		    "the worker has ended");
	}
}

static void
worker_hello(struct worker *w)
{
	struct msg_hello h;
	struct imsg	 m;

	worker_message(w, &m);
	ATF_REQUIRE_EQ(MSG_HELLO, imsg_get_type(&m));
	ATF_REQUIRE_EQ(0, msg_recv_hello(&m, &h));
	ATF_CHECK_EQ(ROLE_QUERY, h.role);
	imsg_free(&m);
}

static void
worker_ask(struct worker *w, uint64_t id, uint32_t command)
{
	struct msg_request r = { .id = id, .command = command };

	ATF_REQUIRE_EQ(0, msg_send_request(&w->ibuf, MSG_QUERY, &r));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&w->ibuf));
}

/* The result's bytes, terminated. */
static char *
worker_frame(struct worker *w, struct frame *f)
{
	unsigned char	 header[FRAME_HEADER];
	char		*bytes = NULL;
	size_t		 have = 0;
	ssize_t		 n;

	while (bytes == NULL || have < f->len) {
		wait_readable(w->data);
		if (bytes == NULL)
			n = read(w->data, header + have,
			    sizeof(header) - have);
		else
			n = read(w->data, bytes + have, f->len - have);
		ATF_REQUIRE(n > 0);
		have += (size_t)n;
		if (bytes != NULL || have < sizeof(header))
			continue;
		ATF_REQUIRE_EQ(0, frame_decode(header, f));
		ATF_REQUIRE((bytes = calloc(1, f->len + 1UL)) != NULL);
		have = 0;
	}
	return (bytes);
}

/* MSG_DONE first: by then the result must be there to be read. */
static char *
worker_answer(struct worker *w, uint64_t id, uint32_t command, int ok)
{
	struct msg_done	 d;
	struct frame	 f;
	struct imsg	 m;
	char		*bytes, peek;

	worker_ask(w, id, command);
	worker_message(w, &m);
	ATF_REQUIRE_EQ(MSG_DONE, imsg_get_type(&m));
	ATF_REQUIRE_EQ(0, msg_recv_done(&m, &d));
	ATF_CHECK_EQ(id, d.id);
	ATF_CHECK_EQ_MSG((uint32_t)ok, d.ok, "%s", d.text);
	ATF_CHECK_EQ(1, recv(w->data, &peek, 1, MSG_PEEK | MSG_DONTWAIT));
	bytes = worker_frame(w, &f);
	ATF_CHECK_EQ(id, f.id);
	ATF_CHECK_EQ((uint32_t)(ok ? FRAME_VALUE : FRAME_ERROR), f.kind);
	if (!ok)
		ATF_CHECK_STREQ(d.text, bytes);
	imsg_free(&m);
	return (ok ? render(bytes, f.len) : bytes);
}

static int
worker_status(struct worker *w)
{
	pid_t	 pid = 0;
	int	 i, status = 0;

	for (i = 0; i < PATIENCE / 10 && pid == 0; i++) {
		if ((pid = waitpid(w->pid, &status, WNOHANG)) == 0)
			usleep(10000);
	}
	if (pid == 0)
		(void)kill(w->pid, SIGKILL);
	ATF_REQUIRE_EQ_MSG(w->pid, pid, "it does not end");
	ATF_REQUIRE_MSG(WIFEXITED(status), "ended by signal %d",
	    WTERMSIG(status));
	return (WEXITSTATUS(status));
}

/* Every command, compared with what this process sees. */
static void
ask_all(const atf_tc_t *tc, const char *ids)
{
	struct timespec	 before, after;
	struct worker	 w;
	struct text	 want;
	struct tm	 tm;
	char		 host[256], *s;
	uint64_t	 id = 0x100000002ULL, t;
	time_t		 now;

	memset(&want, 0, sizeof(want));
	worker_start(tc, &w, ids);
	worker_hello(&w);

	ATF_REQUIRE_EQ(0, clock_gettime(CLOCK_REALTIME, &before));
	s = worker_answer(&w, id++, CMD_GUEST_GET_TIME, 1);
	ATF_REQUIRE_EQ(0, clock_gettime(CLOCK_REALTIME, &after));
	t = strtoull(s, NULL, 10);
	ATF_CHECK(t >= (uint64_t)before.tv_sec * 1000000000 +
	    (uint64_t)before.tv_nsec);
	ATF_CHECK(t <= (uint64_t)after.tv_sec * 1000000000 +
	    (uint64_t)after.tv_nsec);

	ATF_REQUIRE_EQ(0, gethostname(host, sizeof(host)));
	add(&want, "{\"host-name\":\"%s\"}", host);
	ATF_CHECK_STREQ(want.s,
	    worker_answer(&w, id++, CMD_GUEST_GET_HOST_NAME, 1));

	now = time(NULL);
	ATF_REQUIRE(localtime_r(&now, &tm) != NULL);
	want.len = 0;
	add(&want, "{\"zone\":\"%s\",\"offset\":%ld}", tm.tm_zone,
	    tm.tm_gmtoff);
	ATF_CHECK_STREQ(want.s,
	    worker_answer(&w, id++, CMD_GUEST_GET_TIMEZONE, 1));

	ATF_CHECK_STREQ(ask_system(CMD_GUEST_GET_OSINFO),
	    worker_answer(&w, id++, CMD_GUEST_GET_OSINFO, 1));
	ATF_CHECK_STREQ(ask_system(CMD_GUEST_GET_USERS),
	    worker_answer(&w, id++, CMD_GUEST_GET_USERS, 1));
	ATF_CHECK_STREQ(interfaces_text(),
	    worker_answer(&w, id++, CMD_GUEST_NETWORK_GET_INTERFACES, 1));
	ATF_CHECK_STREQ(interfaces_text(),
	    worker_answer(&w, id++, CMD_GUEST_NETWORK_GET_INTERFACES, 1));

	/* Not a query: an error, and the worker lives on. */
	ATF_CHECK(strlen(worker_answer(&w, id++, CMD_GUEST_EXEC, 0)) > 0);
	ATF_CHECK(strlen(worker_answer(&w, id++, CMD_GUEST_GET_TIME, 1)) > 0);

	close(w.ibuf.fd);
	ATF_CHECK_EQ(0, worker_status(&w));
}

ATF_TC(program);
ATF_TC_HEAD(program, tc)
{
	atf_tc_set_md_var(tc, "descr", "Every command, asked of the program "
	    "under the sandbox that it has without root");
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "ip");
}
ATF_TC_BODY(program, tc)
{
	new_network();
	ask_all(tc, "-");
}

ATF_TC(program_confined);
ATF_TC_HEAD(program_confined, tc)
{
	atf_tc_set_md_var(tc, "descr", "The same as _qgadw");
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "ip");
}
ATF_TC_BODY(program_confined, tc)
{
	struct passwd	*pw;
	char		 ids[64];

	if ((pw = getpwnam("_qgadw")) == NULL)
		atf_tc_skip("no user _qgadw");
	snprintf(ids, sizeof(ids), "%u:%u", pw->pw_uid, pw->pw_gid);
	new_network();
	ask_all(tc, ids);
}

/* The zone of TZ, east of Greenwich positive, and with its file's name. */
ATF_TC_WITHOUT_HEAD(timezone);
ATF_TC_BODY(timezone, tc)
{
	static const struct {
		const char	*tz, *file, *want;
	} v[] = {
		{ "ABC-5:30", NULL, "{\"zone\":\"ABC\",\"offset\":19800}" },
		{ "<-0330>3:30", NULL, "{\"zone\":\"-0330\","
		    "\"offset\":-12600}" },
		{ "Asia/Kathmandu", "/usr/share/zoneinfo/Asia/Kathmandu",
		    "{\"zone\":\"+0545\",\"offset\":20700}" },
		{ "Pacific/Honolulu", "/usr/share/zoneinfo/Pacific/Honolulu",
		    "{\"zone\":\"HST\",\"offset\":-36000}" }
	};
	struct worker	 w;
	size_t		 i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		if (v[i].file != NULL && access(v[i].file, R_OK) == -1)
			continue;
		ATF_REQUIRE_EQ(0, setenv("TZ", v[i].tz, 1));
		worker_start(tc, &w, "-");
		worker_hello(&w);
		ATF_CHECK_STREQ(v[i].want,
		    worker_answer(&w, 1, CMD_GUEST_GET_TIMEZONE, 1));
		close(w.ibuf.fd);
		ATF_CHECK_EQ(0, worker_status(&w));
		close(w.data);
	}
}

/* One answer; of a new worker, if this one says that its time is over. */
static char *
ask_twice(const atf_tc_t *tc, struct worker *w, const char *ids,
    uint32_t command)
{
	struct msg_done	 d;
	struct imsg	 m;
	struct frame	 f;
	char		*bytes, byte;

	worker_ask(w, 9, command);
	worker_message(w, &m);
	ATF_REQUIRE_EQ(0, msg_recv_done(&m, &d));
	ATF_CHECK_MSG(d.ok != DONE_FAILED, "%s", d.text);
	imsg_free(&m);
	if (d.ok == DONE_OK) {
		bytes = worker_frame(w, &f);
		ATF_CHECK_EQ(FRAME_VALUE, f.kind);
		return (render(bytes, f.len));
	}
	/* It has said nothing on the other socket. */
	ATF_CHECK_EQ(0, worker_status(w));
	ATF_CHECK_EQ(0, read(w->data, &byte, 1));
	close(w->data);
	close(w->ibuf.fd);
	worker_start(tc, w, ids);
	worker_hello(w);
	return (worker_answer(w, 10, command, 1));
}

ATF_TC(replaced);
ATF_TC_HEAD(replaced, tc)
{
	atf_tc_set_md_var(tc, "descr", "Files that an upgrade replaces: never "
	    "an answer that is old, empty or UTC");
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.files",
	    "/usr/share/zoneinfo/Asia/Kathmandu "
	    "/usr/share/zoneinfo/Pacific/Honolulu");
}
ATF_TC_BODY(replaced, tc)
{
	struct passwd	*pw;
	struct worker	 w;
	char		 ids[64] = "-", *s;

	if ((pw = getpwnam("_qgadw")) != NULL)
		snprintf(ids, sizeof(ids), "%u:%u", pw->pw_uid, pw->pw_gid);
	ATF_REQUIRE_EQ(0, unsetenv("TZ"));
	ATF_REQUIRE_EQ(0, unshare(CLONE_NEWNS));
	shell("mount --make-rprivate / && mount -t tmpfs none /etc &&"
	    "echo ID=old > /etc/os-release &&"
	    "cp /usr/share/zoneinfo/Asia/Kathmandu /etc/localtime");
	worker_start(tc, &w, ids);
	worker_hello(&w);
	s = worker_answer(&w, 1, CMD_GUEST_GET_OSINFO, 1);
	ATF_CHECK_MSG(strstr(s, "\"id\":\"old\"") != NULL, "%s", s);
	ATF_CHECK_STREQ("{\"zone\":\"+0545\",\"offset\":20700}",
	    worker_answer(&w, 2, CMD_GUEST_GET_TIMEZONE, 1));

	shell("echo ID=new > /etc/new && mv /etc/new /etc/os-release");
	s = ask_twice(tc, &w, ids, CMD_GUEST_GET_OSINFO);
	ATF_CHECK_MSG(strstr(s, "\"id\":\"new\"") != NULL, "%s", s);

	shell("cp /usr/share/zoneinfo/Pacific/Honolulu /etc/new &&"
	    "mv /etc/new /etc/localtime");
	ATF_CHECK_STREQ("{\"zone\":\"HST\",\"offset\":-36000}",
	    ask_twice(tc, &w, ids, CMD_GUEST_GET_TIMEZONE));

	/* The usual way: a link into zoneinfo. */
	shell("ln -s /usr/share/zoneinfo/Asia/Kathmandu /etc/new &&"
	    "mv /etc/new /etc/localtime");
	ATF_CHECK_STREQ("{\"zone\":\"+0545\",\"offset\":20700}",
	    worker_answer(&w, 11, CMD_GUEST_GET_TIMEZONE, 1));
	close(w.ibuf.fd);
	ATF_CHECK_EQ(0, worker_status(&w));
}

/* However a peer goes or errs, the worker does not stay. */
ATF_TC_WITHOUT_HEAD(endings);
ATF_TC_BODY(endings, tc)
{
	struct msg_done	 d = { .id = 1, .ok = 1, .text = "" };
	struct worker	 w;

	worker_start(tc, &w, "-");
	worker_hello(&w);
	close(w.data);				/* the frontend, idle */
	ATF_CHECK_EQ(0, worker_status(&w));

	worker_start(tc, &w, "-");
	worker_hello(&w);
	ATF_REQUIRE_EQ(0, msg_send_done(&w.ibuf, &d));
	ATF_REQUIRE_EQ(0, imsgbuf_write(&w.ibuf));
	ATF_CHECK_EQ(1, worker_status(&w));	/* not a worker's message */
	close(w.data);

	worker_start(tc, &w, "-");
	worker_hello(&w);
	worker_ask(&w, 1, CMD_MAX);
	ATF_CHECK_EQ(1, worker_status(&w));	/* no such command */
	close(w.data);
}

ATF_TC(slow_reader);
ATF_TC_HEAD(slow_reader, tc)
{
	atf_tc_set_md_var(tc, "descr", "A result larger than the socket "
	    "waits for its reader, and ends with either peer");
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "ip");
}
ATF_TC_BODY(slow_reader, tc)
{
	struct worker	 w;
	struct frame	 f;
	struct imsg	 m;
	char		*bytes, *want, *have;
	int		 i;

	many(10, 4000);
	want = interfaces_text();
	for (i = 0; i < 3; i++) {
		worker_start(tc, &w, "-");
		worker_hello(&w);
		worker_ask(&w, 1, CMD_GUEST_NETWORK_GET_INTERFACES);
		wait_readable(w.data);
		if (i == 0) {
			bytes = worker_frame(&w, &f);
			have = render(bytes, f.len);
			ATF_CHECK(strcmp(have, want) == 0);
			ATF_CHECK_MSG(f.len > 256 * 1024, "only %u bytes: "
			    "nothing had to wait", f.len);
			worker_message(&w, &m);
			ATF_CHECK_EQ(MSG_DONE, imsg_get_type(&m));
			imsg_free(&m);
		}
		/* i 1: the monitor goes in mid-frame; 2: the frontend. */
		if (i == 2)
			close(w.data);
		else
			close(w.ibuf.fd);
		ATF_CHECK_EQ(0, worker_status(&w));
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, osrelease_quoting);
	ATF_TP_ADD_TC(tp, osinfo_members);
	ATF_TP_ADD_TC(tp, osinfo_shell);
	ATF_TP_ADD_TC(tp, users);
	ATF_TP_ADD_TC(tp, netif_search);
	ATF_TP_ADD_TC(tp, netlink_messages);
	ATF_TP_ADD_TC(tp, netlink_malformed);
	ATF_TP_ADD_TC(tp, interfaces);
	ATF_TP_ADD_TC(tp, interfaces_many);
	ATF_TP_ADD_TC(tp, program);
	ATF_TP_ADD_TC(tp, program_confined);
	ATF_TP_ADD_TC(tp, timezone);
	ATF_TP_ADD_TC(tp, replaced);
	ATF_TP_ADD_TC(tp, endings);
	ATF_TP_ADD_TC(tp, slow_reader);
	return (atf_no_error());
}
