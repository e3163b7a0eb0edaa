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
 * h_fuse directory
 *
 * Mounts a file system there that never answers: its file "open" cannot be
 * opened, its file "read" can, and cannot be read or written.  Whoever tries
 * cannot be killed until this program has ended.
 */

#include <sys/types.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <linux/fuse.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT		1
#define NODE_OPEN	2
#define NODE_READ	3

static int	 dev;

static void
answer(uint64_t unique, int error, const void *data, size_t len)
{
	static unsigned char buf[4096];
	struct fuse_out_header out;

	memset(&out, 0, sizeof(out));
	out.unique = unique;
	out.error = -error;
	out.len = (uint32_t)(sizeof(out) + len);
	memcpy(buf, &out, sizeof(out));
	if (len > 0)
		memcpy(buf + sizeof(out), data, len);
	if (write(dev, buf, out.len) == -1 && errno != ENOENT)
		exit(1);
}

static void
attributes(struct fuse_attr *attr, uint64_t node)
{
	memset(attr, 0, sizeof(*attr));
	attr->ino = node;
	attr->mode = node == ROOT ? S_IFDIR | 0755 : S_IFREG | 0666;
	attr->nlink = 1;
	attr->size = 4096;
	attr->blksize = 4096;
}

static void
lookup(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out;

	memset(&out, 0, sizeof(out));
	if (strcmp(name, "open") == 0)
		out.nodeid = NODE_OPEN;
	else if (strcmp(name, "read") == 0)
		out.nodeid = NODE_READ;
	else {
		answer(in->unique, ENOENT, NULL, 0);
		return;
	}
	out.attr_valid = out.entry_valid = 3600;
	attributes(&out.attr, out.nodeid);
	answer(in->unique, 0, &out, sizeof(out));
}

static void
request(const struct fuse_in_header *in, const char *body)
{
	struct fuse_init_out init;
	struct fuse_attr_out attr;
	struct fuse_open_out open;

	switch (in->opcode) {
	case FUSE_INIT:
		memset(&init, 0, sizeof(init));
		init.major = FUSE_KERNEL_VERSION;
		init.minor = 31;
		init.max_write = 4096;
		answer(in->unique, 0, &init, sizeof(init));
		printf("mounted\n");
		fflush(stdout);
		break;
	case FUSE_GETATTR:
		memset(&attr, 0, sizeof(attr));
		attr.attr_valid = 3600;
		attributes(&attr.attr, in->nodeid);
		answer(in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_LOOKUP:
		lookup(in, body);
		break;
	case FUSE_OPEN:
		if (in->nodeid == NODE_OPEN)
			break;
		memset(&open, 0, sizeof(open));
		open.open_flags = FOPEN_DIRECT_IO;
		answer(in->unique, 0, &open, sizeof(open));
		break;
	case FUSE_READ:
	case FUSE_WRITE:
	case FUSE_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(in->unique, ENOSYS, NULL, 0);
		break;
	}
}

int
main(int argc, char *argv[])
{
	static _Alignas(struct fuse_in_header) char buf[65536 + 4096];
	struct fuse_in_header in;
	char options[128];
	ssize_t n;

	if (argc != 2)
		return (2);
	if ((dev = open("/dev/fuse", O_RDWR | O_CLOEXEC)) == -1) {
		perror("/dev/fuse");
		return (1);
	}
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,"
	    "group_id=0,allow_other", dev);
	if (mount("h_fuse", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) ==
	    -1) {
		perror(argv[1]);
		return (1);
	}
	while ((n = read(dev, buf, sizeof(buf) - 1)) > 0 || errno == EINTR) {
		if (n < (ssize_t)sizeof(in))
			continue;
		buf[n] = '\0';
		memcpy(&in, buf, sizeof(in));
		request(&in, buf + sizeof(in));
	}
	return (0);
}
