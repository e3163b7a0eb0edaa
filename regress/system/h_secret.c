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
 * h_secret [-d dir] [-r] root user
 *
 * A host that sets the password of a user, one that it has just made up, by
 * the socket root/sock; then looks for it, and for its base64, everywhere: in
 * the memory, the arguments and the environment of every process but itself,
 * in what is open or on its way in the descriptors of the agent's, and in the
 * files below root/state and root/log.  Where it was found goes to standard
 * output, a line each; status 1 if there was any, 2 if it could not look.
 *	-d dir	look while chpasswd(8) runs, too, at what is below root: a
 *		stand-in that makes dir/in and goes on when dir/go is there.  It alone may have the
 *		password then, and must.
 *	-r	the request is one that is refused or fails, at whatever point
 * With each request the base64 is written in another way, as JSON allows.
 * Linux, root.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RAW		48	/* bytes of the password */
#define B64		(RAW / 3 * 4)
#define PIECE		12	/* of the base64 that is looked for */
#define LINE		20	/* base64 characters, where it is broken */
#define CHUNK		(1024 * 1024)
#define HUGE_MAP	((uint64_t)1 << 34)	/* no agent's: a sanitizer's */
#define PATIENCE	60	/* seconds */

enum { PLAIN, SLASHES, LINES, ESCAPES, WAYS };

static char		 raw[RAW + 1], b64[B64 + 1];
static unsigned int	 found;
static int		 tool_has;	/* the stand-in does, as it should */
static dev_t		 device;	/* of the agent's root */
static const char	*tool;		/* NULL: nobody may have it */

static void	 die(const char *) __attribute__((noreturn));
static void	 invent(void);
static int	 holds(const char *, size_t);
static void	 report(long, const char *, const char *);
static void	 look(void);
static void	 look_process(long);
static void	 look_file(long, const char *, const char *);
static void	 look_memory(long);
static void	 look_map(long, int, int, uint64_t, uint64_t, const char *);
static void	 look_descriptors(long);
static void	 look_descriptor(long, int, int, const char *);
static int	 look_tree(const char *, const struct stat *, int,
		    struct FTW *);
static size_t	 request(char *, size_t, const char *, int);
static int	 connect_to(const char *);
static void	 wait_for(const char *);
static void	 set(const char *, const char *, int, const char *, int);

static void
die(const char *what)
{
	fprintf(stderr, "h_secret: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Printable, and with bytes whose base64 has slashes. */
static void
invent(void)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char bytes[RAW];
	uint32_t v;
	int fd, i;

	if ((fd = open("/dev/urandom", O_RDONLY)) == -1 ||
	    read(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
		die("/dev/urandom");
	close(fd);
	for (i = 0; i < RAW; i++)
		raw[i] = i % 6 == 2 ? '?' : (char)('a' + bytes[i] % 26);
	for (i = 0; i < RAW; i += 3) {
		v = (uint32_t)(raw[i] << 16 | raw[i + 1] << 8 | raw[i + 2]);
		b64[i / 3 * 4] = alphabet[v >> 18];
		b64[i / 3 * 4 + 1] = alphabet[v >> 12 & 63];
		b64[i / 3 * 4 + 2] = alphabet[v >> 6 & 63];
		b64[i / 3 * 4 + 3] = alphabet[v & 63];
	}
	explicit_bzero(bytes, sizeof(bytes));
}

/* Any long piece of it, however its ends were lost or overwritten. */
static int
holds(const char *p, size_t len)
{
	int i;

	for (i = 0; i + PIECE <= RAW; i += PIECE)
		if (memmem(p, len, raw + i, PIECE) != NULL)
			return (1);
	for (i = 0; i + LINE <= B64; i += LINE)
		if (memmem(p, len, b64 + i + 8, PIECE) != NULL)
			return (1);
	return (0);
}

static void
report(long pid, const char *where, const char *what)
{
	char path[64], comm[64] = "?\n";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	if ((f = fopen(path, "r")) != NULL) {
		if (fgets(comm, sizeof(comm), f) == NULL)
			snprintf(comm, sizeof(comm), "?\n");
		fclose(f);
	}
	comm[strcspn(comm, "\n")] = '\0';
	if (pid != 0 && tool != NULL && strcmp(comm, tool) == 0) {
		tool_has = 1;
		return;
	}
	found++;
	printf("found in %s of %ld %s: %s\n", where, pid, comm, what);
}

/* --- processes --- */

static void
look(void)
{
	struct dirent *d;
	DIR *dir;
	long pid;

	if ((dir = opendir("/proc")) == NULL)
		die("/proc");
	while ((d = readdir(dir)) != NULL)
		if (isdigit((unsigned char)d->d_name[0]) &&
		    (pid = atol(d->d_name)) != (long)getpid())
			look_process(pid);
	closedir(dir);
}

/*
 * One that ends meanwhile has nothing.  While the tool is held the request's
 * deadline runs, and a machine may have much memory to look at: then it is
 * those below the agent's root, and all of them afterwards.
 */
static void
look_process(long pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%ld/root/", pid);
	if (tool != NULL && (stat(path, &st) == -1 || st.st_dev != device))
		return;
	look_file(pid, "cmdline", "arguments");
	look_file(pid, "environ", "environment");
	look_memory(pid);
	look_descriptors(pid);
}

static void
look_file(long pid, const char *name, const char *where)
{
	static char buf[CHUNK];
	char path[64];
	size_t len = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	if ((fd = open(path, O_RDONLY)) == -1)
		return;
	while (len < sizeof(buf) &&
	    (n = read(fd, buf + len, sizeof(buf) - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (holds(buf, len))
		report(pid, where, name);
}

static void
look_memory(long pid)
{
	char path[64], text[PATH_MAX + 256], perm[8];
	uint64_t begin, end;
	FILE *maps;
	int mem, pages, at;

	snprintf(path, sizeof(path), "/proc/%ld/maps", pid);
	if ((maps = fopen(path, "r")) == NULL)
		return;
	snprintf(path, sizeof(path), "/proc/%ld/mem", pid);
	mem = open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%ld/pagemap", pid);
	pages = open(path, O_RDONLY);
	while (mem != -1 && pages != -1 &&
	    fgets(text, sizeof(text), maps) != NULL) {
		text[strcspn(text, "\n")] = '\0';
		if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %n",
		    &begin, &end, perm, &at) < 3)
			continue;
		if (end - begin < HUGE_MAP && strstr(text, "[v") == NULL)
			look_map(pid, mem, pages, begin, end, text + at);
	}
	if (mem != -1)
		close(mem);
	if (pages != -1)
		close(pages);
	fclose(maps);
}

/* Pages that are there or swapped out; runs of them are read at once. */
static void
look_map(long pid, int mem, int pages, uint64_t begin, uint64_t end,
    const char *name)
{
	static char buf[CHUNK];
	static uint64_t entry[CHUNK / 4096];
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE), at, run;
	ssize_t n, i, first;

	for (at = begin; at < end; at += (uint64_t)n * size) {
		run = (end - at) / size;
		if (run > CHUNK / size)
			run = CHUNK / size;
		n = pread(pages, entry, run * sizeof(*entry),
		    (off_t)(at / size * sizeof(*entry)));
		if ((n /= (ssize_t)sizeof(*entry)) <= 0)
			return;
		for (i = 0; i < n; i++) {
			if (entry[i] >> 62 == 0)
				continue;
			for (first = i; i < n && entry[i] >> 62 != 0; i++)
				;
			if (pread(mem, buf, (size_t)(i - first) * size,
			    (off_t)(at + (uint64_t)first * size)) > 0 &&
			    holds(buf, (size_t)(i - first) * size)) {
				report(pid, "memory", name);
				return;
			}
		}
	}
}

/* Of the agent's processes, whose root is in its file system. */
static void
look_descriptors(long pid)
{
	char path[64];
	struct dirent *d;
	struct stat st;
	DIR *dir;
	int pidfd;

	snprintf(path, sizeof(path), "/proc/%ld/root", pid);
	if (stat(path, &st) == -1 || st.st_dev != device)
		return;
	snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (pidfd == -1 || (dir = opendir(path)) == NULL)
		return;
	while ((d = readdir(dir)) != NULL)
		if (isdigit((unsigned char)d->d_name[0]))
			look_descriptor(pid, pidfd, atoi(d->d_name), path);
	closedir(dir);
	close(pidfd);
}

static void
look_descriptor(long pid, int pidfd, int number, const char *dir)
{
	static char buf[CHUNK];
	char path[128], name[32];
	struct stat st;
	ssize_t n = 0;
	int fd, waiting = 0;

	snprintf(path, sizeof(path), "%s/%d", dir, number);
	snprintf(name, sizeof(name), "descriptor %d", number);
	if ((fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0)) == -1)
		return;
	if (fstat(fd, &st) == -1)
		die(path);
	if (S_ISSOCK(st.st_mode))
		n = recv(fd, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT);
	else if (S_ISREG(st.st_mode))
		n = pread(fd, buf, sizeof(buf), 0);
	else if (S_ISFIFO(st.st_mode) && ioctl(fd, FIONREAD, &waiting) == 0 &&
	    waiting >= PIECE)
		report(pid, name, "bytes in a pipe");
	if (n > 0 && holds(buf, (size_t)n))
		report(pid, name, "what is in it");
	close(fd);
}

static int
look_tree(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	static char buf[CHUNK];
	ssize_t n;
	int fd;

	(void)st;
	(void)ftw;
	if (flag != FTW_F || (fd = open(path, O_RDONLY)) == -1)
		return (0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (holds(buf, (size_t)n))
			report(0, "file", path);
	close(fd);
	return (0);
}

/* --- the host --- */

static size_t
request(char *out, size_t size, const char *user, int way)
{
	const char *key = way == ESCAPES ? "pass\\u0077ord" : "password";
	const char *args = way == ESCAPES ? "argum\\u0065nts" : "arguments";
	char text[B64 * 6 + 1];
	size_t len = 0;
	int i, n;

	for (i = 0; i < B64; i++) {
		if (way == LINES && i % LINE == 0 && i > 0)
			len += (size_t)sprintf(text + len, "\\n");
		if (way == ESCAPES && i % LINE == 4)
			len += (size_t)sprintf(text + len, "\\u%04x",
			    (unsigned int)b64[i]);
		else if (way == SLASHES && b64[i] == '/')
			len += (size_t)sprintf(text + len, "\\/");
		else
			text[len++] = b64[i];
	}
	text[len] = '\0';
	n = snprintf(out, size, "{\"execute\": \"guest-set-user-password\", "
	    "\"%s\": {\"%s\": \"%s\", \"username\": \"%s\", "
	    "\"crypted\": false}}\n", args, key, text, user);
	explicit_bzero(text, sizeof(text));
	return ((size_t)n);
}

static int
connect_to(const char *root)
{
	struct sockaddr_un un;
	int fd;

	memset(&un, 0, sizeof(un));
	un.sun_family = AF_UNIX;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/sock", root);
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&un, sizeof(un)) == -1)
		die(un.sun_path);
	return (fd);
}

static void
wait_for(const char *path)
{
	int i;

	for (i = 0; i < PATIENCE * 100; i++) {
		if (access(path, F_OK) == 0)
			return;
		(void)poll(NULL, 0, 10);
	}
	die(path);
}

static void
set(const char *root, const char *user, int way, const char *dir, int refused)
{
	char buf[4096], path[PATH_MAX];
	struct pollfd pfd;
	size_t len = 0;
	ssize_t n;
	int fd;

	invent();
	fd = connect_to(root);
	len = request(buf, sizeof(buf), user, way);
	if (write(fd, buf, len) != (ssize_t)len)
		die("write");
	if (dir != NULL) {
		snprintf(path, sizeof(path), "%s/in", dir);
		wait_for(path);
		tool = "chpasswd";
		tool_has = 0;
		look();
		if (!tool_has) {
			printf("the tool has it not: it was not looked for\n");
			exit(2);
		}
		tool = NULL;
		if (unlink(path) == -1)
			die(path);
		snprintf(path, sizeof(path), "%s/go", dir);
		if ((n = open(path, O_WRONLY | O_CREAT, 0600)) == -1)
			die(path);
		close((int)n);
	}
	for (len = 0; len == 0 || buf[len - 1] != '\n'; len += (size_t)n) {
		pfd.fd = fd;
		pfd.events = POLLIN;
		if (len == sizeof(buf) - 1 ||
		    poll(&pfd, 1, PATIENCE * 1000) != 1 ||
		    (n = read(fd, buf + len, sizeof(buf) - 1 - len)) <= 0)
			die("no reply");
	}
	buf[len] = '\0';
	if ((strstr(buf, "\"return\": {}") != NULL) == refused) {
		fprintf(stderr, "h_secret: %s", buf);
		exit(2);
	}
	if (holds(buf, len))
		report(0, "reply", "it");
	if (dir != NULL && unlink(path) == -1)
		die(path);
	/* With the client still there, and when it has gone. */
	look();
	close(fd);
	look();
	snprintf(path, sizeof(path), "%s/state", root);
	(void)nftw(path, look_tree, 16, FTW_PHYS);
	snprintf(path, sizeof(path), "%s/log", root);
	(void)nftw(path, look_tree, 16, FTW_PHYS);
}

int
main(int argc, char *argv[])
{
	const char *dir = NULL;
	struct stat st;
	int ch, refused = 0, way;

	while ((ch = getopt(argc, argv, "d:r")) != -1)
		if (ch == 'd')
			dir = optarg;
		else if (ch == 'r')
			refused = 1;
		else
			return (2);
	if (argc - optind != 2)
		return (2);
	if (stat(argv[optind], &st) == -1)
		die(argv[optind]);
	device = st.st_dev;
	for (way = PLAIN; way < WAYS; way++)
		set(argv[optind], argv[optind + 1], way, dir, refused);
	printf("%u times found\n", found);
	return (found > 0);
}
