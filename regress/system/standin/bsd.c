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

/* What the BSDs' stand-ins share. */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <net/if.h>
#include <net/if_dl.h>
#include <net/if_types.h>
#include <net/route.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#include <errno.h>
#include <ifaddrs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "standin.h"

#define MANY	3000

int
refuse(int error)
{
	errno = error;
	return (-1);
}

int
answer(void *old, size_t *oldlen, const void *data, size_t len)
{
	if (old == NULL) {
		*oldlen = host_shape() == SHAPE_GROWS ? len / 2 : len;
		return (0);
	}
	if (*oldlen < len) {
		memcpy(old, data, *oldlen);
		return (refuse(ENOMEM));
	}
	memcpy(old, data, len);
	*oldlen = len;
	return (0);
}

/* --- pure, but for numbers that differ between systems --- */

const char *
inet_ntop(int af, const void *restrict from, char *restrict to,
    socklen_t size)
{
	return (host_ntop(af == AF_INET6, from, to, size));
}

char *
strerror(int error)
{
	static const struct {
		int	 error;
		char	 text[40];
	} texts[] = {
		{ EPERM, "Operation not permitted" },
		{ ENOENT, "No such file or directory" },
		{ EIO, "Input/output error" },
		{ ENXIO, "Device not configured" },
		{ EBADF, "Bad file descriptor" },
		{ ENOMEM, "Cannot allocate memory" },
		{ EACCES, "Permission denied" },
		{ EINVAL, "Invalid argument" },
		{ ENFILE, "Too many open files in system" },
		{ EMFILE, "Too many open files" },
		{ EFBIG, "File too large" },
		{ EAGAIN, "Resource temporarily unavailable" },
		{ EOPNOTSUPP, "Operation not supported" },
		{ ENOBUFS, "No buffer space available" }
	};
	static char other[32];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].error == error)
			return ((char *)(uintptr_t)texts[i].text);
	(void)snprintf(other, sizeof(other), "Unknown error: %d", error);
	return (other);
}

/* --- time --- */

void
tzset(void)
{
}

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	int e;

	(void)clock;
	if ((e = host_error("clock_gettime")) != 0)
		return (refuse(e));
	ts->tv_sec = 1700000000;
	ts->tv_nsec = 0;
	return (0);
}

struct tm *
localtime_r(const time_t *restrict t, struct tm *restrict tm)
{
	static char zone[] = "EEST";
	int e;

	(void)t;
	if ((e = host_error("localtime_r")) != 0) {
		(void)refuse(e);
		return (NULL);
	}
	memset(tm, 0, sizeof(*tm));
	tm->tm_gmtoff = 3 * 3600;
	tm->tm_zone = zone;
	return (tm);
}

/* --- interfaces --- */

struct entry {
	struct ifaddrs	 ifa;
	struct if_data	 data;
	char		 name[32];
	unsigned char	 addr[64], mask[64];
};

static struct entry *entries;
static size_t	 nentries, entriesmax;

static struct entry *
entry(const char *name)
{
	struct entry *e = &entries[nentries++];

	if (nentries > entriesmax)
		abort();
	(void)snprintf(e->name, sizeof(e->name), "%s", name);
	e->ifa.ifa_name = e->name;
	return (e);
}

static void
add_link(const char *name, unsigned int index, const unsigned char *mac)
{
	static const uint64_t obytes = UINT64_C(1) << 40;
	struct entry *e = entry(name);
	struct sockaddr_dl dl;
	size_t n = strlen(name);

	memset(&dl, 0, sizeof(dl));
	dl.sdl_len = (unsigned char)sizeof(dl);
	dl.sdl_family = AF_LINK;
	dl.sdl_index = (unsigned short)index;
	dl.sdl_type = mac != NULL ? IFT_ETHER : IFT_LOOP;
	dl.sdl_nlen = (unsigned char)n;
	if (mac != NULL)
		dl.sdl_alen = 6;
	memcpy(e->addr, &dl, sizeof(dl));
	memcpy(e->addr + offsetof(struct sockaddr_dl, sdl_data), name, n);
	if (mac != NULL)
		memcpy(e->addr + offsetof(struct sockaddr_dl, sdl_data) + n,
		    mac, 6);
	e->ifa.ifa_addr = (void *)e->addr;
	e->data.ifi_ibytes = 1000 + index;
	e->data.ifi_ipackets = 10 + index;
	e->data.ifi_ierrors = 1;
	e->data.ifi_iqdrops = 2;
	/* Of macOS's 32 bits nothing is left. */
	memcpy(&e->data.ifi_obytes, &obytes, sizeof(e->data.ifi_obytes));
	e->data.ifi_opackets = 20 + index;
	e->data.ifi_oerrors = 3;
	e->ifa.ifa_data = &e->data;
}

static void
make4(unsigned char *to, uint32_t address)
{
	struct sockaddr_in sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_len = (unsigned char)sizeof(sin);
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(address);
	memcpy(to, &sin, sizeof(sin));
}

static void
make6(unsigned char *to, const char *hex)
{
	struct sockaddr_in6 sin6;
	unsigned int byte;
	size_t i;

	memset(&sin6, 0, sizeof(sin6));
	sin6.sin6_len = (unsigned char)sizeof(sin6);
	sin6.sin6_family = AF_INET6;
	for (i = 0; i < 16; i++) {
		byte = (unsigned int)(hex[2 * i] <= '9' ? hex[2 * i] - '0' :
		    hex[2 * i] - 'a' + 10) << 4;
		byte |= (unsigned int)(hex[2 * i + 1] <= '9' ?
		    hex[2 * i + 1] - '0' : hex[2 * i + 1] - 'a' + 10);
		sin6.sin6_addr.s6_addr[i] = (unsigned char)byte;
	}
	memcpy(to, &sin6, sizeof(sin6));
}

static void
add4(const char *name, uint32_t address, uint32_t mask)
{
	struct entry *e = entry(name);

	make4(e->addr, address);
	make4(e->mask, mask);
	e->ifa.ifa_addr = (void *)e->addr;
	e->ifa.ifa_netmask = (void *)e->mask;
}

static void
add6(const char *name, const char *address, const char *mask)
{
	struct entry *e = entry(name);

	make6(e->addr, address);
	make6(e->mask, mask);
	e->ifa.ifa_addr = (void *)e->addr;
	e->ifa.ifa_netmask = (void *)e->mask;
}

static void
add_hostile(void)
{
	struct entry *e;
	int i;

	for (i = 0; i < 256; i++) {
		add_link("bad\377\"\\", (unsigned int)i, NULL);
		e = &entries[nentries - 1];
		e->addr[0] = (unsigned char)i;		/* sa_len */
		memset(e->addr + 5, 0xff, 3);	/* lengths within */
		e = entry("bad\377\"\\");
		make4(e->addr, 0xffffffff);
		make4(e->mask, 0xff00ff00);
		e->addr[0] = (unsigned char)(i & 15);
		e->mask[0] = (unsigned char)(i & 15);
		e->ifa.ifa_addr = (void *)e->addr;
		e->ifa.ifa_netmask = i & 1 ? (void *)e->mask : NULL;
		e = entry("none");
		e->ifa.ifa_addr = NULL;
	}
}

int
getifaddrs(struct ifaddrs **list)
{
	static const unsigned char mac[6] = { 0x52, 0x54, 0, 0x12, 0x34,
	    0x56 };
	char name[16];
	size_t i;
	int e;

	if ((e = host_error("getifaddrs")) != 0)
		return (refuse(e));
	nentries = 0;
	entriesmax = 3 * MANY + 16;
	if ((entries = calloc(entriesmax, sizeof(*entries))) == NULL)
		abort();
	if (host_shape() == SHAPE_HOSTILE)
		add_hostile();
	else if (host_shape() == SHAPE_HUGE) {
		for (i = 0; i < MANY; i++) {
			(void)snprintf(name, sizeof(name), "vlan%zu", i);
			add_link(name, (unsigned int)i + 1, mac);
			add4(name, 0x0a000000 + (uint32_t)i, 0xffffff00);
			add6(name, "20010db8000000000000000000000001",
			    "ffffffffffffffff0000000000000000");
		}
	} else if (host_shape() != SHAPE_EMPTY) {
		add_link("vio0", 1, mac);
		add_link("lo0", 3, NULL);
		add_link("vlan7", 4, mac);
		add4("vio0", 0x0a00020f, 0xffffff00);
		/* The kernel's own form, the number of vio0 within. */
		add6("vio0", "fe80000100000000505400fffe123456",
		    "ffffffffffffffff0000000000000000");
		add4("lo0", 0x7f000001, 0xff000000);
		add6("lo0", "00000000000000000000000000000001",
		    "ffffffffffffffffffffffffffffffff");
	}
	for (i = 0; i + 1 < nentries; i++)
		entries[i].ifa.ifa_next = &entries[i + 1].ifa;
	*list = nentries > 0 ? &entries[0].ifa : NULL;
	return (0);
}

void
freeifaddrs(struct ifaddrs *list)
{
	(void)list;
	free(entries);
	entries = NULL;
}

/* --- routes --- */

static unsigned char *dump;
static size_t	 dumplen, dumpmax;

static void
put(const void *bytes, size_t len)
{
	size_t room = (len + route_round - 1) / route_round * route_round;

	if (dumplen + room > dumpmax)
		abort();
	memcpy(dump + dumplen, bytes, len);
	memset(dump + dumplen + len, 0, room - len);
	dumplen += room;
}

/* to and via in the form of make6() if six; prefix 129: a host's. */
static void
add_route(int six, const char *to, const char *via, unsigned int prefix,
    int flags, unsigned int index)
{
	unsigned char a[64], b[64], m[64];
	struct rt_msghdr h;
	size_t at = dumplen, len = six ? sizeof(struct sockaddr_in6) :
	    sizeof(struct sockaddr_in), used, i;

	memset(&h, 0, sizeof(h));
	h.rtm_version = RTM_VERSION;
	h.rtm_type = RTM_GET;
	h.rtm_flags = flags | RTF_UP | (prefix == 129 ? RTF_HOST : 0);
	h.rtm_index = (unsigned short)index;
	h.rtm_addrs = RTA_DST | RTA_GATEWAY |
	    (prefix != 129 ? RTA_NETMASK : 0);
	h.rtm_rmx.rmx_mtu = 1500;
	route_header(&h);
	put(&h, sizeof(h));
	make6(a, six ? to : "00000000000000000000000000000000");
	if (!six)
		make4(a, (uint32_t)strtoul(to, NULL, 16));
	put(a, len);
	if (via != NULL) {
		make6(b, six ? via : "00000000000000000000000000000000");
		if (!six)
			make4(b, (uint32_t)strtoul(via, NULL, 16));
		put(b, len);
	} else {
		struct sockaddr_dl dl;

		memset(&dl, 0, sizeof(dl));
		dl.sdl_len = (unsigned char)sizeof(dl);
		dl.sdl_family = AF_LINK;
		dl.sdl_index = (unsigned short)index;
		put(&dl, sizeof(dl));
	}
	if (prefix != 129) {
		/* Zeros at its end are cut off, its family is not there. */
		memset(m, 0, sizeof(m));
		used = six ? offsetof(struct sockaddr_in6, sin6_addr) :
		    offsetof(struct sockaddr_in, sin_addr);
		for (i = 0; i < prefix; i++)
			m[used + i / 8] |= (unsigned char)(0x80 >> i % 8);
		used += (prefix + 7) / 8;
		m[0] = prefix == 0 ? 0 : (unsigned char)used;
		put(m, prefix == 0 ? route_round : used);
	}
	h.rtm_msglen = (unsigned short)(dumplen - at);
	memcpy(dump + at, &h, sizeof(h));
}

int
answer_routes(void *old, size_t *oldlen)
{
	static const char zero6[] = "00000000000000000000000000000000";
	unsigned int i, n;
	int rv;

	dumpmax = 8 * 1024 * 1024;
	if ((dump = calloc(1, dumpmax)) == NULL)
		abort();
	dumplen = 0;
	if (host_shape() != SHAPE_EMPTY) {
		add_route(0, "0", "a000202", 0, RTF_GATEWAY, 1);
		add_route(0, "a000200", NULL, 24, 0, 1);
		add_route(0, "a000202", NULL, 129, route_neighbour, 1);
		add_route(0, "7f000001", "7f000001", 129, 0, 3);
		add_route(1, zero6, "fe800001000000000000000000000002", 0,
		    RTF_GATEWAY, 1);
		add_route(1, "20010db8000000000000000000000000", NULL, 61, 0,
		    99);
	}
	n = host_shape() == SHAPE_HUGE ? 20000 : 0;
	for (i = 0; i < n; i++)
		add_route(0, "c0a80000", "a000202", 24, RTF_GATEWAY, 1);
	if (host_shape() == SHAPE_CUT)
		dumplen -= 9;
	if (host_shape() == SHAPE_HOSTILE)
		for (i = 0; i < dumplen; i += 7)
			dump[i] ^= (unsigned char)(i * 37 + 11);
	rv = answer(old, oldlen, dump, dumplen);
	free(dump);
	return (rv);
}
