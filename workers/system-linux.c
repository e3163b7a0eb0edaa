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
 * Linux.  To end: the init system's own short names first, as qemu-ga 10.2
 * has it, then the shutdown(8) that every one of them brings along.  To
 * suspend: systemd if it runs the system, pm-utils, the kernel itself.  The
 * rest is ioctls on /dev/rtc0 and mounted directories, and files of /sys.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <linux/fs.h>
#include <linux/nvme_ioctl.h>
#include <linux/rtc.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "messages.h"
#include "mounts.h"
#include "system.h"
#include "value.h"

#define RTC		SYSTEM_PREFIX "/dev/rtc0"
#define ADJTIME		SYSTEM_PREFIX "/etc/adjtime"
#define CPU		SYSTEM_PREFIX "/sys/devices/system/cpu"
#define MEMORY		SYSTEM_PREFIX "/sys/devices/system/memory"
#define POWER_STATE	SYSTEM_PREFIX "/sys/power/state"
#define BLOCK		SYSTEM_PREFIX "/sys/block"
#define DEV		SYSTEM_PREFIX "/dev"
#define MOUNTINFO	SYSTEM_PREFIX "/proc/self/mountinfo"
/* What the host is told: the path without the tests' prefix. */
#define PLAIN(path)	((path) + sizeof(SYSTEM_PREFIX) - 1)

#define NS		UINT64_C(1000000000)	/* a second */
#define TICK_POLL	5000000			/* ns between two looks */
#define TICK_LOOKS	300			/* for a second and a half */

#define GET_LOG_PAGE	0x02			/* NVMe's admin command */
#define LOG_SMART	0x02U
#define LOG_RETAIN	(1U << 15)		/* its events stay */

/* What became of a mount that was to be trimmed. */
enum trim_state { TRIM_NOT, TRIM_DONE, TRIM_UNREACHABLE, TRIM_OPEN,
	TRIM_FAILED };
struct trim {
	enum trim_state	 state;
	int		 error;		/* of TRIM_OPEN, TRIM_FAILED */
	uint64_t	 trimmed, minimum;
};

static int	 fail(char *, size_t, const char *, ...)
		    __attribute__((format(printf, 3, 4)));
static int	 rtc_is_local(void);
static int	 rtc_write(time_t);
static int	 rtc_read(int, time_t *);
static int	 clock_from_rtc(char *, size_t);
static int	 vcpu_switch(int, const char *, int, char *, size_t);
static int	 block_state(int, int *);
static int	 block_switch(int, int);
static int	 power_has(const char *);
static int	 smart_log(const char *, unsigned char *);
static int	 same_device(const struct mount *, const struct mount *);
static int	 trimmable(const struct mounts *, const struct trim *, size_t);
static void	 told_once(const struct mounts *, struct trim *, size_t);
static void	 trim_mount(const struct mounts *, const struct mount *,
		    uint64_t, struct trim *);
static int	 trim_open(const struct mount *);
static void	 trim_write(struct value_writer *, const struct mount *,
		    const struct trim *);

/* --- to end, to suspend --- */

#define SHUTDOWN	SYSTEM_PREFIX "/sbin/shutdown"
#define WAYS		2
#define WHY		"hypervisor initiated shutdown"

static const struct system_program programs[SHUTDOWN_MODES][WAYS] = {
	[SHUTDOWN_POWERDOWN] = {
		{ { SYSTEM_PREFIX "/sbin/poweroff" } },
		{ { SHUTDOWN, "-h", "-P", "+0", WHY } }
	},
	[SHUTDOWN_HALT] = {
		{ { SYSTEM_PREFIX "/sbin/halt" } },
		{ { SHUTDOWN, "-h", "-H", "+0", WHY } }
	},
	[SHUTDOWN_REBOOT] = {
		{ { SYSTEM_PREFIX "/sbin/reboot" } },
		{ { SHUTDOWN, "-r", "+0", WHY } }
	}
};

const struct system_program *
system_shutdown(unsigned int mode, unsigned int n)
{
	if (mode >= SHUTDOWN_MODES || n >= WAYS)
		return (NULL);
	return (&programs[mode][n]);
}

#define SYSTEMCTL	SYSTEM_PREFIX "/bin/systemctl"
#define SYSTEMD(unit, verb) {						\
	SYSTEM_PREFIX "/run/systemd/system",				\
	/* "loaded and not running": 3; no such unit: 4 */		\
	{ { SYSTEMCTL, "status", unit } }, 1, 3,			\
	{ { SYSTEMCTL, verb } }						\
}
#define PM_UTILS(flag, program) {					\
	SYSTEM_PREFIX "/usr/sbin/" program,				\
	{ { SYSTEM_PREFIX "/usr/bin/pm-is-supported", flag } }, 0, 0,	\
	{ { SYSTEM_PREFIX "/usr/sbin/" program } }			\
}

static const struct system_suspend suspends[SUSPEND_MODES][WAYS] = {
	[SUSPEND_DISK] = {
		SYSTEMD("systemd-hibernate", "hibernate"),
		PM_UTILS("--hibernate", "pm-hibernate")
	},
	[SUSPEND_RAM] = {
		SYSTEMD("systemd-suspend", "suspend"),
		PM_UTILS("--suspend", "pm-suspend")
	},
	[SUSPEND_HYBRID] = {
		SYSTEMD("systemd-hybrid-sleep", "hybrid-sleep"),
		PM_UTILS("--suspend-hybrid", "pm-suspend-hybrid")
	}
};

const struct system_suspend *
system_suspend(unsigned int mode, unsigned int n)
{
	if (mode >= SUSPEND_MODES || n >= WAYS)
		return (NULL);
	return (&suspends[mode][n]);
}

int
system_sleep(unsigned int mode, char *err, size_t size)
{
	/* The kernel has no word for both at once. */
	static const char *const words[SUSPEND_MODES] = {
		[SUSPEND_DISK] = "disk",
		[SUSPEND_RAM] = "mem"
	};
	const char *word;
	ssize_t n = -1;
	int error, fd;

	if (mode >= SUSPEND_MODES || (word = words[mode]) == NULL ||
	    !power_has(word))
		return (0);
	/* Truncated, as by a shell's >: /sys does not mind. */
	if ((fd = open(POWER_STATE, O_WRONLY | O_TRUNC | O_CLOEXEC)) != -1)
		n = write(fd, word, strlen(word));
	error = errno;
	if (fd != -1)
		close(fd);
	errno = error;
	if (n == -1)
		return (fail(err, size, "child process has failed to "
		    "suspend"));
	return (1);
}

static int
power_has(const char *word)
{
	char buf[128], *rest = buf, *s;
	ssize_t n;
	int fd;

	if ((fd = open(POWER_STATE, O_RDONLY | O_CLOEXEC)) == -1)
		return (0);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return (0);
	buf[n] = '\0';
	while ((s = strsep(&rest, " \n")) != NULL)
		if (strcmp(s, word) == 0)
			return (1);
	return (0);
}

/* err becomes "what: strerror(errno)"; -1. */
static int
fail(char *err, size_t size, const char *fmt, ...)
{
	const char *why = strerror(errno);
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	vsnprintf(err, size, fmt, ap);
	va_end(ap);
	len = strlen(err);
	snprintf(err + len, size - len, ": %s", why);
	return (-1);
}

/* --- clocks --- */

int
system_set_time(int given, uint64_t ns, char *err, size_t size)
{
	struct timespec ts;

	if (!given)
		return (clock_from_rtc(err, size));
	ts.tv_sec = (time_t)(ns / NS);
	ts.tv_nsec = (long)(ns % NS);
	if ((uint64_t)ts.tv_sec != ns / NS) {
		snprintf(err, size, "Time %llu is too large",
		    (unsigned long long)ns);
		return (-1);
	}
	if (clock_settime(CLOCK_REALTIME, &ts) == -1)
		return (fail(err, size, "Failed to set time to guest"));
	if (rtc_write((time_t)((ns + NS / 2) / NS)) == -1)
		return (fail(err, size, "failed to set hardware clock to "
		    "system time: %s", PLAIN(RTC)));
	return (0);
}

static int
clock_from_rtc(char *err, size_t size)
{
	struct timespec ts;
	time_t now = 0, then = 0;
	int error, fd, i, n;

	if ((fd = open(RTC, O_RDONLY | O_CLOEXEC)) == -1)
		return (fail(err, size, "failed to read hardware clock: %s",
		    PLAIN(RTC)));
	/* It counts seconds: right is what it says when one begins. */
	ts.tv_sec = 0;
	ts.tv_nsec = TICK_POLL;
	n = rtc_read(fd, &then);
	now = then;
	for (i = 0; n == 0 && now == then && i < TICK_LOOKS; i++) {
		(void)nanosleep(&ts, NULL);
		n = rtc_read(fd, &now);
	}
	error = errno;
	close(fd);
	errno = error;
	if (n == -1)
		return (fail(err, size, "failed to read hardware clock: %s",
		    PLAIN(RTC)));
	ts.tv_sec = now;
	ts.tv_nsec = 0;
	if (clock_settime(CLOCK_REALTIME, &ts) == -1)
		return (fail(err, size, "Failed to set time to guest"));
	return (0);
}

int
system_rtc(time_t *t)
{
	int error, fd, n;

	if ((fd = open(RTC, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = rtc_read(fd, t);
	error = errno;
	close(fd);
	errno = error;
	return (n);
}

/* What hwclock(8) notes: the third line is LOCAL where the RTC's time is. */
static int
rtc_is_local(void)
{
	char buf[512], *rest = buf;
	ssize_t n;
	int fd;

	if ((fd = open(ADJTIME, O_RDONLY | O_CLOEXEC)) == -1)
		return (0);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return (0);
	buf[n] = '\0';
	(void)strsep(&rest, "\n");
	(void)strsep(&rest, "\n");
	return (rest != NULL && strncmp(rest, "LOCAL", 5) == 0);
}

static int
rtc_write(time_t t)
{
	struct rtc_time rtc;
	struct tm tm;
	int error, fd, n;

	if ((rtc_is_local() ? localtime_r(&t, &tm) : gmtime_r(&t, &tm)) ==
	    NULL)
		return (-1);
	memset(&rtc, 0, sizeof(rtc));
	rtc.tm_sec = tm.tm_sec;
	rtc.tm_min = tm.tm_min;
	rtc.tm_hour = tm.tm_hour;
	rtc.tm_mday = tm.tm_mday;
	rtc.tm_mon = tm.tm_mon;
	rtc.tm_year = tm.tm_year;
	if ((fd = open(RTC, O_WRONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = ioctl(fd, RTC_SET_TIME, &rtc);
	error = errno;
	close(fd);
	errno = error;
	return (n == -1 ? -1 : 0);
}

static int
rtc_read(int fd, time_t *t)
{
	struct rtc_time rtc;
	struct tm tm;

	memset(&rtc, 0, sizeof(rtc));
	if (ioctl(fd, RTC_RD_TIME, &rtc) == -1)
		return (-1);
	memset(&tm, 0, sizeof(tm));
	tm.tm_sec = rtc.tm_sec;
	tm.tm_min = rtc.tm_min;
	tm.tm_hour = rtc.tm_hour;
	tm.tm_mday = rtc.tm_mday;
	tm.tm_mon = rtc.tm_mon;
	tm.tm_year = rtc.tm_year;
	tm.tm_isdst = -1;
	*t = rtc_is_local() ? mktime(&tm) : timegm(&tm);
	if (*t < 0) {
		errno = EINVAL;
		return (-1);
	}
	return (0);
}

/* --- processors, memory blocks --- */

int
system_vcpu(int64_t number, int online, char *err, size_t size)
{
	char path[sizeof(CPU) + 32];
	int dir, fd, n;

	snprintf(path, sizeof(path), CPU "/cpu%lld/", (long long)number);
	if ((dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (fail(err, size, "open(\"%s\")", PLAIN(path)));
	if ((fd = openat(dir, "online", O_RDWR | O_CLOEXEC)) != -1) {
		n = vcpu_switch(fd, PLAIN(path), online, err, size);
		close(fd);
	} else if (errno != ENOENT)
		n = fail(err, size, "open(\"%s/online\")", PLAIN(path));
	else if ((n = online ? 0 : -1) == -1)
		snprintf(err, size, "logical processor #%lld can't be "
		    "offlined", (long long)number);
	close(dir);
	return (n);
}

static int
vcpu_switch(int fd, const char *path, int online, char *err, size_t size)
{
	char status;
	ssize_t n;

	if ((n = pread(fd, &status, 1, 0)) == -1)
		return (fail(err, size, "pread(\"%s/online\")", path));
	if (n == 0) {
		snprintf(err, size, "pread(\"%s/online\"): unexpected EOF",
		    path);
		return (-1);
	}
	if (online == (status != '0'))
		return (0);
	if (pwrite(fd, online ? "1" : "0", 1, 0) == -1)
		return (fail(err, size, "pwrite(\"%s/online\")", path));
	return (0);
}

enum block_response
system_memory_block(uint64_t number, int online, int *error)
{
	enum block_response response = BLOCK_FAILED;
	char path[sizeof(MEMORY) + 32];
	int dir, now;

	if ((dir = open(MEMORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		*error = errno;
		return (errno == ENOENT ? BLOCK_UNSUPPORTED : BLOCK_FAILED);
	}
	close(dir);
	snprintf(path, sizeof(path), MEMORY "/memory%llu",
	    (unsigned long long)number);
	if ((dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		*error = errno;
		return (errno == ENOENT ? BLOCK_NOT_FOUND : BLOCK_FAILED);
	}
	if (block_state(dir, &now) == 0) {
		if (now == online || block_switch(dir, online) == 0)
			response = BLOCK_SUCCESS;
	} else if (errno == ENOENT)
		/* What cannot be switched off is on. */
		response = online ? BLOCK_SUCCESS : BLOCK_UNSUPPORTED;
	*error = errno;
	close(dir);
	return (response);
}

static int
block_state(int dir, int *online)
{
	char state[16];
	ssize_t n;
	int error, fd;

	if ((fd = openat(dir, "state", O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = pread(fd, state, sizeof(state), 0);
	error = n == 0 ? EIO : errno;
	close(fd);
	errno = error;
	*online = n >= 6 && memcmp(state, "online", 6) == 0;
	return (n > 0 ? 0 : -1);
}

static int
block_switch(int dir, int online)
{
	const char *state = online ? "online" : "offline";
	ssize_t n;
	int error, fd;

	if ((fd = openat(dir, "state", O_WRONLY | O_TRUNC | O_CLOEXEC)) == -1)
		return (-1);
	n = pwrite(fd, state, strlen(state), 0);
	error = errno;
	close(fd);
	errno = error;
	return (n == -1 ? -1 : 0);
}

/* --- disks' logs --- */

/* Disks alone are there, no partitions, no controllers. */
size_t
system_smart(struct smart_record *v)
{
	struct dirent *d;
	DIR *dir;
	size_t n = 0;

	if ((dir = opendir(BLOCK)) == NULL)
		return (0);
	while (n < SMART_MAX && (d = readdir(dir)) != NULL)
		if (strncmp(d->d_name, "nvme", 4) == 0 &&
		    strlen(d->d_name) < SMART_NAME &&
		    smart_log(d->d_name, v[n].log) == 0)
			strlcpy(v[n++].name, d->d_name, SMART_NAME);
	closedir(dir);
	return (n);
}

static int
smart_log(const char *name, unsigned char *log)
{
	struct nvme_admin_cmd cmd;
	char path[sizeof(DEV) + SMART_NAME];
	int fd, n;

	snprintf(path, sizeof(path), DEV "/%s", name);
	if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW |
	    O_CLOEXEC)) == -1)
		return (-1);
	memset(log, 0, SMART_LOG);
	memset(&cmd, 0, sizeof(cmd));
	cmd.opcode = GET_LOG_PAGE;
	cmd.nsid = UINT32_MAX;			/* the whole controller's */
	cmd.addr = (uint64_t)(uintptr_t)log;
	cmd.data_len = SMART_LOG;
	cmd.cdw10 = LOG_SMART | LOG_RETAIN | (SMART_LOG / 4 - 1) << 16;
	n = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &cmd);
	close(fd);
	return (n == 0 ? 0 : -1);
}

/* --- trimming --- */

int
system_fstrim(uint64_t minimum, struct value_writer *w, char *err,
    size_t size)
{
	struct mounts ms;
	struct trim *trims;
	size_t i;
	int fd, rv;

	if ((fd = open(MOUNTINFO, O_RDONLY | O_CLOEXEC)) == -1)
		return (fail(err, size, "open(\"%s\")", PLAIN(MOUNTINFO)));
	rv = mounts_read(&ms, fd);
	close(fd);
	if (rv == -1)
		return (fail(err, size, "read(\"%s\")", PLAIN(MOUNTINFO)));
	if ((trims = calloc(ms.n + 1, sizeof(*trims))) == NULL) {
		mounts_free(&ms);
		return (fail(err, size, "calloc"));
	}
	for (i = 0; i < ms.n; i++)
		if (trimmable(&ms, trims, i)) {
			trim_mount(&ms, &ms.v[i], minimum, &trims[i]);
			told_once(&ms, trims, i);
		}
	value_object(w, NULL);
	value_array(w, "paths");
	for (i = ms.n; i > 0; i--)
		trim_write(w, &ms.v[i - 1], &trims[i - 1]);
	value_close(w);
	value_close(w);
	free(trims);
	mounts_free(&ms);
	return (0);
}

static int
same_device(const struct mount *a, const struct mount *b)
{
	return (a->major == b->major && a->minor == b->minor);
}

/*
 * Only btrfs hides its device.  One is trimmed once, however often it is
 * mounted, by its oldest mount that can be reached.
 */
static int
trimmable(const struct mounts *ms, const struct trim *trims, size_t i)
{
	const struct mount *m = &ms->v[i];
	size_t j;

	if (m->readonly || (m->major == 0 && strcmp(m->type, "btrfs") != 0))
		return (0);
	for (j = 0; j < i; j++)
		if ((trims[j].state == TRIM_DONE ||
		    trims[j].state == TRIM_FAILED) &&
		    same_device(&ms->v[j], m))
			return (0);
	return (1);
}

/* A mount that could not be reached is told of if none other could. */
static void
told_once(const struct mounts *ms, struct trim *trims, size_t i)
{
	int tried = trims[i].state == TRIM_DONE ||
	    trims[i].state == TRIM_FAILED;
	size_t j;

	for (j = 0; j < i; j++)
		if (trims[j].state != TRIM_NOT &&
		    same_device(&ms->v[j], &ms->v[i]))
			trims[tried ? j : i].state = TRIM_NOT;
}

static void
trim_mount(const struct mounts *ms, const struct mount *m, uint64_t minimum,
    struct trim *t)
{
	struct fstrim_range range;
	int fd;

	if (!mounts_reachable(ms, m)) {
		t->state = TRIM_UNREACHABLE;
		return;
	}
	if ((fd = trim_open(m)) == -1) {
		/* Not that mount: others may be. */
		t->state = errno == EXDEV ? TRIM_NOT : TRIM_OPEN;
		t->error = errno;
		return;
	}
	memset(&range, 0, sizeof(range));
	range.len = UINT64_MAX;
	range.minlen = minimum;
	if (ioctl(fd, FITRIM, &range) == -1) {
		t->state = TRIM_FAILED;
		t->error = errno;
	} else {
		t->state = TRIM_DONE;
		t->trimmed = range.len;
		t->minimum = range.minlen;
	}
	close(fd);
}

/*
 * By a path that neither follows a link nor has anything mounted on demand;
 * -1 with EXDEV: something else is there, above this mount, or a file.
 */
static int
trim_open(const struct mount *m)
{
	char path[PATH_MAX];
	struct stat st;
	int dir = -1, error, fd;

	if (snprintf(path, sizeof(path), "%s%s", SYSTEM_PREFIX, m->dir) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC)) == -1)
		return (-1);
	if (fstat(fd, &st) != -1) {
		errno = EXDEV;
		/* A file of btrfs shows its subvolume's number. */
		if (S_ISDIR(st.st_mode) && (m->major == 0 ||
		    st.st_dev == makedev(m->major, m->minor)))
			dir = openat(fd, ".", O_RDONLY | O_DIRECTORY |
			    O_CLOEXEC);
	}
	error = errno;
	close(fd);
	errno = error;
	return (dir);
}

static void
trim_write(struct value_writer *w, const struct mount *m,
    const struct trim *t)
{
	char text[256];

	if (t->state == TRIM_NOT)
		return;
	value_object(w, NULL);
	value_string(w, "path", m->dir);
	if (t->state == TRIM_DONE) {
		value_uint(w, "trimmed", t->trimmed);
		value_uint(w, "minimum", t->minimum);
	} else {
		if (t->state == TRIM_UNREACHABLE)
			snprintf(text, sizeof(text), "failed to open: below "
			    "a file system that may not answer");
		else if (t->state == TRIM_OPEN)
			snprintf(text, sizeof(text), "failed to open: %s",
			    strerror(t->error));
		else if (t->error == ENOTTY || t->error == EOPNOTSUPP)
			snprintf(text, sizeof(text), "trim not supported");
		else
			snprintf(text, sizeof(text), "failed to trim: %s",
			    strerror(t->error));
		value_string(w, "error", text);
	}
	value_close(w);
}
