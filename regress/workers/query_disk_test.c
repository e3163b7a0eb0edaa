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
 * guest-get-disks, -diskstats and -fsinfo against systems that are made here,
 * below the directory "s": each test case has one of its own.
 */

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <atf-c.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "query.h"
#include "tree.h"
#include "value.h"

#define PCI0	"/pci0000:00"

/* --- a system --- */

static char *text(const char *, ...) __attribute__((format(printf, 1, 2)));

static char *
text(const char *fmt, ...)
{
	va_list	 ap;
	char	*s;

	va_start(ap, fmt);
	ATF_REQUIRE(vasprintf(&s, fmt, ap) != -1);
	va_end(ap);
	return (s);
}

/* And every directory on the way to it. */
static void
make_dir(const char *path)
{
	char	*full = text("s%s", path), *p;

	for (p = strchr(full, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		ATF_REQUIRE(mkdir(full, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
	ATF_REQUIRE(mkdir(full, 0755) == 0 || errno == EEXIST);
	free(full);
}

static void
make_parent(const char *path)
{
	char	*dir = text("%s", path);

	*strrchr(dir, '/') = '\0';
	make_dir(dir);
	free(dir);
}

static void
make_file(const char *path, const char *content)
{
	char	*full = text("s%s", path);
	int	 fd;

	make_parent(path);
	ATF_REQUIRE((fd = open(full, O_WRONLY | O_CREAT | O_TRUNC,
	    0644)) != -1);
	ATF_REQUIRE_EQ((ssize_t)strlen(content), write(fd, content,
	    strlen(content)));
	ATF_REQUIRE_EQ(0, close(fd));
	free(full);
}

static void
make_link(const char *path, const char *to)
{
	char	*full = text("s%s", path);

	make_parent(path);
	ATF_REQUIRE_EQ_MSG(0, symlink(to, full), "%s: %s", path,
	    strerror(errno));
	free(full);
}

/* From the directory s/sys/A/B to one below s/sys, so many steps up. */
static void
make_sys_link(const char *path, const char *device)
{
	make_link(path, text("../../devices%s", device));
}

/* A block device, at a path below /sys/devices. */
static void
make_device(const char *path, const char *node, int major, int minor)
{
	make_file(text("/sys/devices%s/uevent", path),
	    text("MAJOR=%d\nMINOR=%d\nDEVNAME=%s\nDEVTYPE=disk\n", major,
	    minor, node));
	make_file(text("/sys/devices%s/size", path), "2048\n");
	make_sys_link(text("/sys/dev/block/%d:%d", major, minor), path);
}

static void
make_disk(const char *path, const char *node, int major, int minor)
{
	make_device(path, node, major, minor);
	make_link(text("/sys/block%s", strrchr(path, '/')),
	    text("../devices%s", path));
}

static void
make_driver(const char *path, const char *driver)
{
	make_link(text("/sys/devices%s/driver", path),
	    text("../../../bus/pci/drivers/%s", driver));
}

/* Of a virtual device, by the name of another. */
static void
make_slave(const char *disk, const char *path)
{
	make_link(text("/sys/devices/virtual/block/%s/slaves%s", disk,
	    strrchr(path, '/')), text("../../../..%s", path));
}

static void
make_mounts(const char *lines)
{
	make_file("/proc/self/mountinfo", lines);
}

/* A system of which nothing is there yet. */
static void
begin(void)
{
	static char	 root[4096];

	ATF_REQUIRE(getcwd(root, sizeof(root) - 2) != NULL);
	strcat(root, "/s");
	ATF_REQUIRE_EQ(0, mkdir(root, 0755));
	linux_root = root;
}

/* --- answers --- */

/* The answer, or "error: " and its text. */
static char *
ask(query_fn fn)
{
	struct value_writer	 w;
	char			 err[256] = "";

	value_start(&w, VALUE_SIZE);
	if (fn(&w, err, sizeof(err)) == -1) {
		value_abort(&w);
		return (text("error: %s", err));
	}
	return (finish(&w));
}

static char *
address_of(const char *path)
{
	struct value_writer	 w;

	value_start(&w, VALUE_SIZE);
	value_array(&w, NULL);
	linux_addresses(&w, text("/sys/devices%s", path));
	value_close(&w);
	return (finish(&w));
}

static char *
address(const char *pci, const char *type, const char *place,
    const char *more)
{
	return (text("[{\"pci-controller\":{%s},\"bus-type\":\"%s\",%s%s}]",
	    pci, type, place, more));
}

#define PCI(d, b, s, f)	"\"domain\":" #d ",\"bus\":" #b ",\"slot\":" #s \
			",\"function\":" #f
#define PCI_NONE	PCI(-1, -1, -1, -1)
#define AT(b, t, u)	"\"bus\":" #b ",\"target\":" #t ",\"unit\":" #u

/* --- tests --- */

/* Every kind of controller, and what is wrong about some. */
ATF_TC_WITHOUT_HEAD(controllers);
ATF_TC_BODY(controllers, tc)
{
	static const struct {
		const char	*path, *driven, *driver;
		const char	*pci, *type, *place;
	} v[] = {
		{ PCI0 "/0000:00:02.0/virtio1/block/vda",
		    PCI0 "/0000:00:02.0", "virtio-pci",
		    PCI(0, 0, 2, 0), "virtio", AT(0, 0, 0) },
		/* Behind two bridges, numbers past 9, a partition. */
		{ PCI0 "/0000:00:1c.4/0000:0a:00.0/0000:1f:1e.7/virtio3/block/"
		    "vdb/vdb1", PCI0 "/0000:00:1c.4/0000:0a:00.0/0000:1f:1e.7",
		    "virtio-pci", PCI(0, 31, 30, 7), "virtio", AT(0, 0, 0) },
		{ "/pci10000:e0/10000:e1:00.0/nvme/nvme0/nvme0n1/nvme0n1p1",
		    "/pci10000:e0/10000:e1:00.0", "nvme",
		    PCI(65536, 225, 0, 0), "nvme", AT(0, 0, 0) },
		{ PCI0 "/0000:00:03.0/virtio0/host2/target2:1:3/2:1:3:5/block/"
		    "sda", PCI0 "/0000:00:03.0", "virtio-pci",
		    PCI(0, 0, 3, 0), "scsi", AT(1, 3, 5) },
		{ PCI0 "/0000:00:04.0/host3/target3:0:6/3:0:6:0/block/sdb/sdb2",
		    PCI0 "/0000:00:04.0", "sym53c8xx",
		    PCI(0, 0, 4, 0), "scsi", AT(0, 0, 6) },
		/* The third of this controller's, the eleventh of all. */
		{ PCI0 "/0000:00:1f.2/ata11/host12/target12:0:0/12:0:0:0/"
		    "block/sdc", PCI0 "/0000:00:1f.2", "ahci",
		    PCI(0, 0, 31, 2), "sata", AT(0, 0, 2) },
		{ PCI0 "/0000:00:01.1/ata8/host8/target8:0:1/8:0:1:0/block/"
		    "sdd", PCI0 "/0000:00:01.1", "ata_piix",
		    PCI(0, 0, 1, 1), "ide", AT(1, 0, 1) },
		{ PCI0 "/0000:00:05.0/usb1/1-1/1-1:1.0/host5/target5:0:0/"
		    "5:0:0:0/block/sde", PCI0 "/0000:00:05.0", "xhci_hcd",
		    PCI(0, 0, 5, 0), "usb", AT(0, 0, 0) },
		{ PCI0 "/0000:00:06.0/usb2/2-1/2-1:1.0/host6/target6:0:0/"
		    "6:0:0:0/block/sdf", PCI0 "/0000:00:06.0", "ehci-pci",
		    PCI(0, 0, 6, 0), "usb", AT(0, 0, 0) },
		/* A driver that QEMU's hosts know no place for. */
		{ PCI0 "/0000:00:07.0/host7/target7:2:0/7:2:0:0/block/sdg",
		    PCI0 "/0000:00:07.0", "megaraid_sas",
		    PCI_NONE, "unknown", AT(0, 0, 0) },
		{ PCI0 "/0000:00:08.0/host9/target9:0:0/9:0:0:0/block/sdh",
		    NULL, NULL, PCI_NONE, "unknown", AT(0, 0, 0) },
		/* The place on the controller is missing. */
		{ PCI0 "/0000:00:09.0/ata9/block/sdi", PCI0 "/0000:00:09.0",
		    "ahci", PCI(0, 0, 9, 0), "unknown", AT(0, 0, 0) },
		{ "/pci0000:00000000000000000001/0000:00:01.0/block/sdj",
		    "/pci0000:00000000000000000001/0000:00:01.0", "nvme",
		    PCI(0, 0, 1, 0), "nvme", AT(0, 0, 0) },
		{ "/pci0000:00/0000:00:fffffffff.0/block/sdk",
		    "/pci0000:00/0000:00:fffffffff.0", "nvme",
		    PCI_NONE, "unknown", AT(0, 0, 0) },
		{ "/pcipci/block/sdl", NULL, NULL,
		    PCI_NONE, "unknown", AT(0, 0, 0) },
		/* Machines without PCI. */
		{ "/platform/a003e00.virtio_mmio/virtio2/block/vdc",
		    NULL, NULL, PCI_NONE, "virtio", AT(0, 0, 0) },
		{ "/platform/a003c00.virtio_mmio/virtio4/host0/target0:0:1/"
		    "0:0:1:7/block/sdm", NULL, NULL,
		    PCI_NONE, "scsi", AT(0, 1, 7) },
		{ "/platform/floppy.0/block/fd0", NULL, NULL,
		    PCI_NONE, "unknown", AT(0, 0, 0) },
	};
	char	*want, *node;
	size_t	 i;

	begin();
	make_dir("/sys/devices" PCI0 "/0000:00:1f.2/ata9");
	make_dir("/sys/devices" PCI0 "/0000:00:1f.2/ata10");
	make_dir("/sys/devices" PCI0 "/0000:00:1f.2/ata12");
	make_dir("/sys/devices" PCI0 "/0000:00:1f.2/ata");
	make_dir("/sys/devices" PCI0 "/0000:00:1f.2/atax1");
	make_dir("/sys/devices" PCI0 "/0000:00:01.1/ata7");
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		node = strrchr(v[i].path, '/') + 1;
		make_device(v[i].path, node, 8, (int)i);
		if (v[i].driven != NULL)
			make_driver(v[i].driven, v[i].driver);
		if (strstr(v[i].path, "0000:0a:00.0") != NULL)
			make_driver(PCI0 "/0000:00:1c.4", "pcieport");
		want = address(v[i].pci, v[i].type, v[i].place,
		    text(",\"dev\":\"/dev/%s\"", node));
		ATF_CHECK_STREQ_MSG(want, address_of(v[i].path), "%s",
		    v[i].path);
	}
}

ATF_TC_WITHOUT_HEAD(ccw);
ATF_TC_BODY(ccw, tc)
{
	static const char	 blk[] =
	    "/css0/0.0.0007/0.0.abcd/virtio1/block/vda";
	static const char	 scsi[] = "/cssfe/fe.1.0002/fe.1.0010/virtio0/"
	    "host0/target0:0:2/0:0:2:9/block/sda";
	static const char	 dasd[] = "/css0/0.0.0009/0.0.0200/block/dasda";
	static const char	 bad[] = "/css0/0.0/0.0.0200/block/dasdb";

	begin();
	make_device(blk, "vda", 252, 0);
	make_device(scsi, "sda", 8, 0);
	make_device(dasd, "dasda", 94, 0);
	make_device(bad, "dasdb", 94, 4);
	ATF_CHECK_STREQ(address(PCI_NONE, "virtio", AT(0, 0, 0),
	    ",\"dev\":\"/dev/vda\",\"ccw-address\":{\"cssid\":0,\"ssid\":0,"
	    "\"subchno\":7,\"devno\":43981}"), address_of(blk));
	ATF_CHECK_STREQ(address(PCI_NONE, "scsi", AT(0, 2, 9),
	    ",\"dev\":\"/dev/sda\",\"ccw-address\":{\"cssid\":254,\"ssid\":1,"
	    "\"subchno\":2,\"devno\":16}"), address_of(scsi));
	ATF_CHECK_STREQ(address(PCI_NONE, "unknown", AT(0, 0, 0),
	    ",\"dev\":\"/dev/dasda\",\"ccw-address\":{\"cssid\":0,\"ssid\":0,"
	    "\"subchno\":9,\"devno\":512}"), address_of(dasd));
	ATF_CHECK_STREQ(address(PCI_NONE, "unknown", AT(0, 0, 0),
	    ",\"dev\":\"/dev/dasdb\""), address_of(bad));
}

/* What udev wrote down, and what it might have. */
ATF_TC_WITHOUT_HEAD(serial);
ATF_TC_BODY(serial, tc)
{
	static const char	 path[] = "/platform/x/block/sda";
	static char		 large[70000];
	const struct {
		const char	*record, *serial;	/* NULL: none */
	} v[] = {
		{ "I:123\nE:ID_SERIAL=abc-1\nG:systemd\n", "abc-1" },
		{ "E:ID_SERIAL_SHORT=no\nE:ID_SERIAL=yes", "yes" },
		{ "E:ID_SERIAL=\n", NULL },
		{ "S:disk/E:ID_SERIAL=no\nID_SERIAL=no\n E:ID_SERIAL=no\n",
		    NULL },
		{ "E:ID_SERIAL", NULL },
		{ "", NULL },
		{ "\n\n\nE:ID_SERIAL=a\"b\xff\xc3\x28\n", "a\"b\xff\xc3\x28" },
		{ text("E:ID_SERIAL=%0600d\n", 0), NULL },	/* never cut */
		{ text("E:ID_SERIAL=%0511d\n", 7), text("%0511d", 7) },
		{ large, NULL },
	};
	size_t	 i;

	begin();
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, "E:ID_SERIAL=1\n", 14);
	ATF_CHECK_STREQ("[]", address_of(path));	/* no such device */
	make_device(path, "sda", 8, 0);
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		make_file("/run/udev/data/b8:0", v[i].record);
		ATF_CHECK_STREQ_MSG(address(PCI_NONE, "unknown", AT(0, 0, 0),
		    v[i].serial == NULL ? ",\"dev\":\"/dev/sda\"" :
		    text(",\"serial\":\"%s\",\"dev\":\"/dev/sda\"",
		    v[i].serial)), address_of(path), "%zu", i);
	}
	/* A device that no uevent file names and no path places is nothing. */
	make_file("/sys/devices/platform/x/block/sda/uevent", "MAJOR=8\n");
	ATF_CHECK_STREQ("[]", address_of(path));
	ATF_REQUIRE_EQ(0, unlink("s/sys/devices/platform/x/block/sda/uevent"));
	ATF_CHECK_STREQ("[]", address_of(path));
}

#define VIRTUAL	"/virtual/block"
#define SDA	"/platform/x/block/sda"
#define DISK(n)	"{\"pci-controller\":{" PCI_NONE "}," \
		"\"bus-type\":\"unknown\"," AT(0, 0, 0) \
		",\"dev\":\"/dev/" n "\"}"

/* A volume on a crypt on an array on two partitions; a loop device. */
ATF_TC_WITHOUT_HEAD(stack);
ATF_TC_BODY(stack, tc)
{
	char	*s;
	int	 i, n;

	begin();
	make_disk(SDA, "sda", 8, 0);
	make_device(SDA "/sda1", "sda1", 8, 1);
	make_device(SDA "/sda2", "sda2", 8, 2);
	make_disk(VIRTUAL "/md0", "md0", 9, 0);
	make_disk(VIRTUAL "/dm-0", "dm-0", 253, 0);
	make_disk(VIRTUAL "/dm-1", "dm-1", 253, 1);
	make_disk(VIRTUAL "/loop0", "loop0", 7, 0);
	make_file("/sys/devices" VIRTUAL "/dm-1/dm/name", "vg-home\n");
	make_file("/sys/devices" VIRTUAL "/dm-0/dm/name", "\n");
	make_link("/sys/devices" VIRTUAL "/dm-1/slaves/dm-0", "../../dm-0");
	make_link("/sys/devices" VIRTUAL "/dm-0/slaves/md0", "../../md0");
	make_slave("md0", SDA "/sda1");
	make_slave("md0", SDA "/sda2");
	make_dir("/sys/devices" VIRTUAL "/loop0/slaves");
	s = address_of(VIRTUAL "/dm-1");
	if (strcmp(s, "[" DISK("sda1") "," DISK("sda2") "]") != 0)
		ATF_CHECK_STREQ("[" DISK("sda2") "," DISK("sda1") "]", s);
	ATF_CHECK_STREQ("[]", address_of(VIRTUAL "/loop0"));

	s = ask(linux_disks);
	ATF_CHECK_MSG(strstr(s, "{\"name\":\"/dev/dm-1\",\"partition\":false,"
	    "\"dependencies\":[\"/dev/dm-0\"],\"alias\":\"vg-home\"}") !=
	    NULL, "%s", s);
	ATF_CHECK_MSG(strstr(s, "{\"name\":\"/dev/dm-0\",\"partition\":false,"
	    "\"dependencies\":[\"/dev/md0\"]}") != NULL, "%s", s);
	ATF_CHECK_MSG(strstr(s, "{\"name\":\"/dev/loop0\",\"partition\":false,"
	    "\"dependencies\":[]}") != NULL, "%s", s);

	/* No kernel makes a circle: it must come to an end all the same. */
	make_link("/sys/devices" VIRTUAL "/md0/slaves/dm-1", "../../dm-1");
	make_link("/sys/devices" VIRTUAL "/md0/slaves/dm-0", "../../dm-0");
	s = address_of(VIRTUAL "/dm-1");
	for (n = 0; (s = strstr(s, "bus-type")) != NULL; s++)
		n++;
	ATF_CHECK(n > 0 && n <= 1024);

	/* Links that lead nowhere, or out of where they should. */
	for (i = 0; i < 3; i++) {
		static const char *const to[] = { "/etc",
		    "../../../../../../../../../../../../../etc",
		    "../../nothing" };

		make_link(text("/sys/devices" VIRTUAL "/loop0/slaves/%d", i),
		    to[i]);
	}
	ATF_CHECK_STREQ("[]", address_of(VIRTUAL "/loop0"));
}

/* Partitions, a name with a slash, what is no disk. */
ATF_TC_WITHOUT_HEAD(disks);
ATF_TC_BODY(disks, tc)
{
	static const char	 vda[] =
	    PCI0 "/0000:00:02.0/virtio1/block/vda";
	char			*s;

	begin();
	ATF_CHECK_STREQ("error: Can't open directory \"/sys/block\": "
	    "No such file or directory", ask(linux_disks));
	make_dir("/sys/block");
	ATF_CHECK_STREQ("[]", ask(linux_disks));

	make_driver(PCI0 "/0000:00:02.0", "virtio-pci");
	make_disk(vda, "vda", 254, 0);
	make_file("/run/udev/data/b254:0", "E:ID_SERIAL=root-disk\n");
	make_device(text("%s/vda1", vda), "vda1", 254, 1);
	make_dir(text("/sys/devices%s/vdb1", vda));	/* of another */
	make_dir(text("/sys/devices%s/vda-x", vda));
	make_dir(text("/sys/devices%s/vdap", vda));
	make_dir(text("/sys/devices%s/vda2", vda));	/* without a node */
	make_dir(text("/sys/devices%s/slaves", vda));
	ATF_CHECK_STREQ("[{\"name\":\"/dev/vda1\",\"partition\":true,"
	    "\"dependencies\":[\"/dev/vda\"]},"
	    "{\"name\":\"/dev/vda\",\"partition\":false,\"dependencies\":[],"
	    "\"address\":{\"pci-controller\":{" PCI(0, 0, 2, 0) "},"
	    "\"bus-type\":\"virtio\"," AT(0, 0, 0) ","
	    "\"serial\":\"root-disk\",\"dev\":\"/dev/vda\"}}]",
	    ask(linux_disks));

	/* Empty, not a link, without size, without node, gone. */
	make_disk(VIRTUAL "/loop1", "loop1", 7, 1);
	make_file("/sys/devices" VIRTUAL "/loop1/size", "0\n");
	make_dir("/sys/block/sdz");
	make_file("/sys/block/sdy", "");
	make_disk(VIRTUAL "/loop2", "loop2", 7, 2);
	ATF_REQUIRE_EQ(0, unlink("s/sys/devices" VIRTUAL "/loop2/size"));
	make_disk(VIRTUAL "/loop3", "loop3", 7, 3);
	make_file("/sys/devices" VIRTUAL "/loop3/uevent", "MAJOR=7\n");
	make_link("/sys/block/sdx", "../devices/nothing");
	make_link("/sys/block/sdw", "/etc");
	s = ask(linux_disks);
	ATF_CHECK_MSG(strstr(s, "loop") == NULL && strstr(s, "/dev/sd") ==
	    NULL, "%s", s);

	make_disk("/platform/y/block/cciss!c0d0", "cciss/c0d0", 104, 0);
	make_device("/platform/y/block/cciss!c0d0/cciss!c0d0p1",
	    "cciss/c0d0p1", 104, 1);
	s = ask(linux_disks);
	ATF_CHECK_MSG(strstr(s, "{\"name\":\"/dev/cciss/c0d0p1\","
	    "\"partition\":true,\"dependencies\":[\"/dev/cciss/c0d0\"]},"
	    "{\"name\":\"/dev/cciss/c0d0\",\"partition\":false,\"address\":") !=
	    NULL, "%s", s);
}

ATF_TC_WITHOUT_HEAD(diskstats);
ATF_TC_BODY(diskstats, tc)
{
#define STAT(name, more)	"{\"name\":\"" name "\",\"major\":8," \
				"\"minor\":1,\"stats\":{" more "}}"
#define ELEVEN	"\"read-ios\":1,\"read-merges\":2,\"read-sectors\":3," \
		"\"read-ticks\":4,\"write-ios\":5,\"write-merges\":6," \
		"\"write-sectors\":7,\"write-ticks\":8,\"ios-pgr\":9," \
		"\"total-ticks\":10,\"weight-ticks\":11"
#define FIFTEEN	ELEVEN ",\"discard-ios\":12,\"discard-merges\":13," \
		"\"discard-sectors\":14,\"discard-ticks\":15"
#define SEVENTEEN FIFTEEN ",\"flush-ios\":16,\"flush-ticks\":17"
	static const struct {
		const char	*file, *answer;
	} v[] = {
		{ "", "" },
		{ "8 1 a 1 2 3 4\n", STAT("a", "\"read-ios\":1,"
		    "\"read-sectors\":2,\"write-ios\":3,"
		    "\"write-sectors\":4") },
		{ "8 1 a 1 2 3 4 5\n", STAT("a", "") },
		{ "   8       1 sda 1 2 3 4 5 6 7 8 9 10 11\n",
		    STAT("sda", ELEVEN) },
		{ "8 1 a 1 2 3 4 5 6 7 8 9 10 11 12 13\n", STAT("a", ELEVEN) },
		{ "8 1 a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n",
		    STAT("a", FIFTEEN) },
		{ "8 1 a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
		    STAT("a", SEVENTEEN) },
		{ "8 1 a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19\n",
		    STAT("a", SEVENTEEN) },
		/* Lines that are none of a disk's. */
		{ "8 1 a 1 2 3\n\n \n8\n8 1\n8 1 a\na b c 1 2 3 4\n"
		    "-8 1 a 1 2 3 4\n8 1 a 99999999999999999999999 2 3 4\n"
		    "8 1 \xff\" 1 2 3 4 5\n", STAT("\xff\"", "") },
	};
	char	*longest;
	size_t	 i;

	begin();
	ATF_CHECK_STREQ("error: open(\"/proc/diskstats\"): "
	    "No such file or directory", ask(linux_diskstats));
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		make_file("/proc/diskstats", v[i].file);
		ATF_CHECK_STREQ_MSG(text("[%s]", v[i].answer),
		    ask(linux_diskstats), "%zu", i);
	}
	make_file("/proc/diskstats", "8 1 a 18446744073709551600 2 3 4\n"
	    "8 1 b 1 2 3 4 5\n");
	ATF_CHECK_STREQ("[" STAT("a", "\"read-ios\":18446744073709551600,"
	    "\"read-sectors\":2,\"write-ios\":3,\"write-sectors\":4") ","
	    STAT("b", "") "]", ask(linux_diskstats));
	longest = text("8 1 %020000d 1 2 3 4 5\n", 0);
	make_file("/proc/diskstats", longest);
	ATF_CHECK_STREQ(text("[{\"name\":\"%020000d\",\"major\":8,\"minor\":1,"
	    "\"stats\":{}}]", 0), ask(linux_diskstats));
}

#define FS(name, dir, type)	"{\"name\":\"" name "\",\"mountpoint\":\"" dir \
				"\",\"type\":\"" type "\",\"disk\":[]}"

/* Without /sys the device's numbers are its name; no directory, no sizes. */
ATF_TC_WITHOUT_HEAD(mountinfo);
ATF_TC_BODY(mountinfo, tc)
{
	static const struct {
		const char	*file, *answer;
	} v[] = {
		{ "", "" },
		{ "21 1 8:1 / /a rw - ext4 /dev/sda1 rw\n",
		    FS("8:1", "/a", "ext4") },
		/* The newest first. */
		{ "21 1 8:1 / /a rw shared:1 - ext4 /dev/sda1 rw\n"
		    "22 21 8:2 /sub /a/b rw,noatime shared:2 master:3 "
		    "propagate_from:4 - xfs /dev/sda2 rw",
		    FS("8:2", "/a/b", "xfs") "," FS("8:1", "/a", "ext4") },
		{ "1 1 8:1 / /a\\040b\\011c\\012d\\134e\\043f rw - ext4 x rw\n",
		    FS("8:1", "/a b\tc\nd\\e#f", "ext4") },
		/* Not octal: itself. */
		{ "1 1 8:1 / /\\04\\999\\400\\\\134\\ rw - ext4 x rw\n",
		    FS("8:1", "/\\04\\999\\400\\\\\\", "ext4") },
		{ "1 1 8:1 / /\"\xff\xc3\x28 rw - ext4 x rw\n",
		    FS("8:1", "/\"\xff\xc3\x28", "ext4") },
		/* Sources that are empty, or try to be more. */
		{ "1 1 8:1 / /a rw - ext4  rw\n", FS("8:1", "/a", "ext4") },
		{ "1 1 8:1 / /a rw - ext4 -\\040-\\040nfs rw\n",
		    FS("8:1", "/a", "ext4") },
		{ "1 1 8:1 /\\040-\\040x /a rw - a\\040b x rw\n",
		    FS("8:1", "/a", "a b") },
		{ "1 1 1048575:4294967295 / /a rw - ext4 x rw\n",
		    FS("1048575:4294967295", "/a", "ext4") },
		/* No block device: not listed. */
		{ "1 1 0:5 / /t rw - tmpfs tmpfs rw\n"
		    "2 1 0:6 / /n rw - nfs4 srv:/x rw\n"
		    "3 1 0:7 / /z rw - zfs pool rw\n"
		    "4 1 0:8 / /b rw - btrfs /dev/nothing rw\n"
		    "4 1 0:8 / /b rw - btrfs relative rw\n"
		    "5 1 0:9 / /o rw - overlay overlay rw\n", "" },
		/* Lines that are none. */
		{ "\n \n1\n1 1 8:1\n1 1 8:1 / /a\n1 1 8:1 / /a rw\n"
		    "1 1 8:1 / /a rw -\n1 1 8:1 / /a rw - ext4\n"
		    "1 1 8 / /a rw - ext4 x rw\n1 1 8: / /a rw - ext4 x rw\n"
		    "1 1 8:1x / /a rw - ext4 x rw\n"
		    "1 1 -8:1 / /a rw - ext4 x rw\n"
		    "1 1 99999999999:1 / /a rw - ext4 x rw\n"
		    "1 1 8:1 / a rw - ext4 x rw\n"
		    "1 1 8:1 / /a rw shared:1 ext4 x rw\n"
		    "1  1 8:1 / /a rw - ext4 x rw\n", "" },
	};
	char	*s;
	size_t	 i;

	begin();
	ATF_CHECK_STREQ("error: open(\"/proc/self/mountinfo\"): "
	    "No such file or directory", ask(linux_fsinfo));
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		make_mounts(v[i].file);
		ATF_CHECK_STREQ_MSG(text("[%s]", v[i].answer),
		    ask(linux_fsinfo), "%zu", i);
	}
	/* Longer than any path that could be used, and than any value. */
	make_mounts(text("1 1 8:1 / /%05000d rw - ext4 x rw\n"
	    "2 1 8:2 / /%070000d rw - ext4 x rw\n", 0, 0));
	s = ask(linux_fsinfo);
	ATF_CHECK_STREQ(text("[{\"name\":\"8:1\",\"mountpoint\":\"/%05000d\","
	    "\"type\":\"ext4\",\"disk\":[]}]", 0), s);
}

/* A device of sysfs: its name, and its disks. */
ATF_TC_WITHOUT_HEAD(fsinfo);
ATF_TC_BODY(fsinfo, tc)
{
	char	*s;

	begin();
	make_disk(SDA, "sda", 8, 0);
	make_device(SDA "/sda1", "sda1", 8, 1);
	make_disk(VIRTUAL "/dm-0", "dm-0", 253, 0);
	make_slave("dm-0", SDA "/sda1");
	make_mounts("1 1 8:1 / /boot rw - ext4 /dev/sda1 rw\n"
	    "2 1 253:0 / /home rw - xfs /dev/mapper/home rw\n");
	ATF_CHECK_STREQ("[{\"name\":\"dm-0\",\"mountpoint\":\"/home\","
	    "\"type\":\"xfs\",\"disk\":[" DISK("sda1") "]},"
	    "{\"name\":\"sda1\",\"mountpoint\":\"/boot\","
	    "\"type\":\"ext4\",\"disk\":[" DISK("sda1") "]}]",
	    ask(linux_fsinfo));
	/* What is there is measured. */
	make_dir("/home");
	s = ask(linux_fsinfo);
	ATF_CHECK_MSG(strstr(s, "\"type\":\"xfs\",\"used-bytes\":") != NULL &&
	    strstr(s, ",\"total-bytes\":") != NULL &&
	    strstr(s, ",\"total-bytes-privileged\":") != NULL &&
	    strstr(s, "\"type\":\"ext4\",\"disk\"") != NULL, "%s", s);
}

/* Where somebody else would have to answer, nobody is asked. */
ATF_TC_WITHOUT_HEAD(waiting);
ATF_TC_BODY(waiting, tc)
{
#define ON(dir, dev, type)	"1 1 " dev " / " dir " rw - " type " x rw\n"
	static const struct {
		const char	*file;
		int		 measured;	/* /a/b/c is on ext4 */
	} v[] = {
		{ "", 1 },
		{ ON("/a", "8:2", "ext4"), 1 },
		{ ON("/a", "0:2", "tmpfs") ON("/a/b", "0:3", "overlay"), 1 },
		{ ON("/a/b/c/d", "0:2", "nfs"), 1 },
		{ ON("/a/b/cc", "0:2", "nfs") ON("/a/bb", "0:3", "cifs")
		    ON("/aa", "0:4", "9p") ON("/b", "0:5", "ceph"), 1 },
		{ ON("/", "0:2", "nfs"), 1 },		/* we run on it */
		{ ON("/a", "0:2", "nfs"), 0 },
		{ ON("/a", "0:2", "nfs4") ON("/a/b", "8:2", "ext4"), 0 },
		{ ON("/a/b", "0:2", "cifs"), 0 },
		{ ON("/a/b", "0:2", "smb3"), 0 },
		{ ON("/a/b", "0:2", "9p"), 0 },
		{ ON("/a/b", "0:2", "virtiofs"), 0 },
		{ ON("/a/b", "0:2", "fuse"), 0 },
		{ ON("/a/b", "0:2", "fuse.sshfs"), 0 },
		{ ON("/a/b", "8:2", "fuseblk"), 0 },
		{ ON("/a/b", "8:2", "fuseblk.ntfs-3g"), 0 },
		{ ON("/a/b", "8:2", "ocfs2"), 0 },
		{ ON("/a/b", "0:2", "never-heard-of"), 0 },
		{ ON("/a/b/c", "0:2", "nfs"), 0 },	/* covered */
		{ ON("/zz", "0:2", "nfs") ON("/a", "0:2", "nfs")
		    ON("/0", "0:2", "nfs") ON("/a/b/d", "0:2", "nfs"), 0 },
	};
	static const char	 begins[] = "[{\"name\":\"8:1\","
	    "\"mountpoint\":\"/a/b/c\",\"type\":\"ext4\",";
	char			*s;
	size_t			 i;

	begin();
	make_dir("/a/b/c");
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		make_mounts(text("%s" ON("/a/b/c", "8:1", "ext4"),
		    v[i].file));
		s = ask(linux_fsinfo);
		ATF_CHECK_MSG(strncmp(s, begins, strlen(begins)) == 0, "%s",
		    s);
		*strchr(s, '}') = '\0';
		ATF_CHECK_EQ_MSG(v[i].measured, strstr(s, "used-bytes") !=
		    NULL, "%s: %s", v[i].file, s);
	}
	/* Itself one. */
	make_mounts(ON("/a/b/c", "8:1", "fuseblk"));
	ATF_CHECK_STREQ("[" FS("8:1", "/a/b/c", "fuseblk") "]",
	    ask(linux_fsinfo));
}

/* btrfs has no device of its own: that of its source. */
ATF_TC(btrfs);
ATF_TC_HEAD(btrfs, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(btrfs, tc)
{
	begin();
	make_dir("/dev/mapper");
	make_dir("/nfs");
	ATF_REQUIRE_EQ(0, mknod("s/dev/dm-3", S_IFBLK | 0600,
	    makedev(253, 3)));
	ATF_REQUIRE_EQ(0, mknod("s/dev/tty", S_IFCHR | 0600, makedev(5, 0)));
	ATF_REQUIRE_EQ(0, mknod("s/nfs/dev", S_IFBLK | 0600, makedev(8, 0)));
	make_link("/dev/mapper/a b", "../dm-3");
	make_mounts(ON("/a", "0:40", "btrfs\\0")
	    "1 1 0:40 / /b rw - btrfs /dev/mapper/a\\040b rw\n"
	    "2 1 0:41 / /c rw - btrfs /dev/tty rw\n"
	    "3 1 0:42 / /nfs rw - nfs x rw\n"
	    "4 1 0:43 / /d rw - btrfs /nfs/dev rw\n"
	    "5 1 0:44 / /e rw - zfs /dev/dm-3 rw\n");
	ATF_CHECK_STREQ("[" FS("253:3", "/b", "btrfs") "]",
	    ask(linux_fsinfo));
}

ATF_TC_WITHOUT_HEAD(scan);
ATF_TC_BODY(scan, tc)
{
	static const struct {
		const char	*text, *pattern;
		size_t		 len;
		unsigned int	 v[2];
	} v[] = {
		{ "12:34", "u:u", 5, { 12, 34 } },
		{ "12:34x", "u:u", 5, { 12, 34 } },
		{ "ff.fe", "x.x", 5, { 255, 254 } },
		{ "1:2", "U:u", 3, { 2, 0 } },
		{ "f:2", "X:u", 3, { 2, 0 } },
		{ "4294967295", "u", 10, { 4294967295U, 0 } },
		{ "4294967296", "u", 0, { 0, 0 } },
		{ "99999999999999999999999999999", "u", 0, { 0, 0 } },
		{ "a", "u", 0, { 0, 0 } },
		{ "g", "x", 0, { 0, 0 } },
		{ "-1", "u", 0, { 0, 0 } },
		{ " 1", "u", 0, { 0, 0 } },
		{ "+1", "x", 0, { 0, 0 } },
		{ "", "u", 0, { 0, 0 } },
		{ "1:", "u:u", 0, { 0, 0 } },
		{ "1", "u:u", 0, { 0, 0 } },
	};
	unsigned int	 n[2];
	size_t		 i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		n[0] = n[1] = 0;
		ATF_CHECK_EQ_MSG(v[i].len, linux_scan(v[i].text, v[i].pattern,
		    n), "%s", v[i].text);
		if (v[i].len != 0)
			ATF_CHECK(n[0] == v[i].v[0] && n[1] == v[i].v[1]);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, controllers);
	ATF_TP_ADD_TC(tp, ccw);
	ATF_TP_ADD_TC(tp, serial);
	ATF_TP_ADD_TC(tp, stack);
	ATF_TP_ADD_TC(tp, disks);
	ATF_TP_ADD_TC(tp, diskstats);
	ATF_TP_ADD_TC(tp, mountinfo);
	ATF_TP_ADD_TC(tp, fsinfo);
	ATF_TP_ADD_TC(tp, waiting);
	ATF_TP_ADD_TC(tp, btrfs);
	ATF_TP_ADD_TC(tp, scan);
	return (atf_no_error());
}
