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
 * ~user/.ssh/authorized_keys.  The process becomes the user before it looks
 * at anything of his, walks from the descriptor of his home without following
 * a link, touches none but a regular file of his with one name, and puts a new
 * file in its place.  So whatever he makes of his home meanwhile, nothing
 * happens that he could not have done himself.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "account.h"
#include "control.h"
#include "imsg.h"
#include "log.h"
#include "value.h"

#define DIR_NAME	".ssh"
#define FILE_NAME	"authorized_keys"
#define FILE_MAX	(1024 * 1024)	/* bytes of it, before and after */
#define SPACE		" \t\r\v\f"

#define NOFOLLOW	(DEFENCE(CONTROL_SSHKEYS) ? O_NOFOLLOW : 0)

/* A key, or a line of the file, without the space around it. */
struct key {
	const char	*text;
	size_t		 len;
	int		 there;		/* nothing to add: in the file, or */
					/* given before, or empty */
};

struct place {
	const struct passwd *pw;
	int		 ssh;		/* ~/.ssh; -1: there is none */
	char		 dir[PATH_MAX], file[PATH_MAX];
	int		 old;		/* the file; -1: there is none */
	char		*text;		/* what is in it, len bytes */
	size_t		 len;
};

struct keys {
	struct key	*all, **sorted;
	size_t		 n, nsorted;	/* sorted has each once */
};

typedef void (*change)(struct place *, const struct msg_ssh_keys *,
    struct keys *, struct outcome *);

static void	 carry_out(struct place *, const struct msg_ssh_keys *,
		    struct outcome *);
static void	 get(struct place *, const struct msg_ssh_keys *,
		    struct keys *, struct outcome *);
static void	 add(struct place *, const struct msg_ssh_keys *,
		    struct keys *, struct outcome *);
static void	 take_away(struct place *, const struct msg_ssh_keys *,
		    struct keys *, struct outcome *);
static int	 keys_check(const struct msg_ssh_keys *, struct outcome *);
static void	 keys_sort(struct keys *, const struct msg_ssh_keys *);
static int	 key_compare(const void *, const void *);
static struct key *key_find(const struct keys *, const struct key *);
static int	 line_next(const struct place *, size_t *, struct key *);
static void	 strip(struct key *, const char *, size_t);
static int	 become(const struct passwd *, struct outcome *);
static int	 place_open(struct place *, int, struct outcome *);
static void	 place_tighten(struct place *);
static void	 place_make(struct place *, int, struct outcome *);
static int	 directory(struct place *, int, const char *, const char *,
		    struct outcome *);
static int	 file_read(struct place *, struct outcome *);
static const char *file_wrong(const struct place *, const struct stat *);
static void	 file_write(struct place *, const char *, size_t,
		    struct outcome *);
static int	 file_fill(struct place *, int, const char *, size_t);

static const change changes[CMD_MAX] = {
	[CMD_GUEST_SSH_GET_AUTHORIZED_KEYS] = get,
	[CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS] = add,
	[CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS] = take_away,
};

void
ssh_keys_order(struct imsgbuf *ib, struct imsg *imsg, struct outcome *o)
{
	static struct place p;
	struct msg_ssh_keys m;

	(void)ib;
	if (msg_recv_ssh_keys(imsg, &m) == -1)
		fatal("bad message: ssh-keys");
	if (changes[m.command] == NULL)
		fatalx("bad message: ssh-keys of command %u",
		    (unsigned int)m.command);
	o->id = m.id;
	o->wanted = (commands[m.command].flags & CMD_VALUE) != 0;
	p.ssh = p.old = -1;
	if (keys_check(&m, o) == 0) {
		errno = 0;
		/* No such user is no error of getpwnam(3)'s. */
		if ((p.pw = getpwnam(m.username)) == NULL)
			account_fail(o, "failed to lookup user '%s': %s",
			    m.username, strerror(errno));
		else if (account_judge(o, m.username, p.pw->pw_uid) == 0 &&
		    become(p.pw, o) == 0)
			carry_out(&p, &m, o);
	}
	msg_ssh_keys_free(&m);
}

static void
carry_out(struct place *p, const struct msg_ssh_keys *m, struct outcome *o)
{
	struct keys keys;

	if (place_open(p, m->command == CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS,
	    o) == -1)
		return;
	if (p->ssh != -1 && file_read(p, o) == -1)
		return;
	keys_sort(&keys, m);
	changes[m->command](p, m, &keys, o);
}

/* --- the three commands --- */

static void
get(struct place *p, const struct msg_ssh_keys *m, struct keys *keys,
    struct outcome *o)
{
	struct value_writer *w = o->value;
	struct key line;
	size_t at = 0;

	(void)m;
	(void)keys;
	if (p->old == -1) {
		account_fail(o, "failed to read '%s': %s", p->file,
		    strerror(ENOENT));
		return;
	}
	value_object(w, NULL);
	value_array(w, "keys");
	while (line_next(p, &at, &line)) {
		if (line.len > VALUE_STRING) {
			account_fail(o, "failed to read '%s': a line is "
			    "longer than %d bytes", p->file, VALUE_STRING);
			return;
		}
		if (line.len > 0 && line.text[0] != '#')
			value_bytes(w, NULL, line.text, line.len);
	}
	value_close(w);
	value_close(w);
}

static void
add(struct place *p, const struct msg_ssh_keys *m, struct keys *keys,
    struct outcome *o)
{
	struct key line, *key;
	size_t at = 0, i, len = 0, size;
	char *text;
	int new = p->old == -1 || m->reset;

	size = m->reset ? 0 : p->len + 1;
	while (!m->reset && line_next(p, &at, &line))
		if ((key = key_find(keys, &line)) != NULL)
			key->there = 1;
	for (i = 0; i < keys->n; i++) {
		size += keys->all[i].len + 1;
		new |= !keys->all[i].there;
	}
	if (!new)
		return;
	if ((text = malloc(size + 1)) == NULL)
		fatal("malloc");
	if (!m->reset && p->len > 0) {
		memcpy(text, p->text, len = p->len);
		if (text[len - 1] != '\n')
			text[len++] = '\n';
	}
	for (i = 0; i < keys->n; i++) {
		if (keys->all[i].there)
			continue;
		memcpy(text + len, keys->all[i].text, keys->all[i].len);
		len += keys->all[i].len;
		text[len++] = '\n';
	}
	file_write(p, text, len, o);
	free(text);
}

/* What is not taken away stays as it was, each byte. */
static void
take_away(struct place *p, const struct msg_ssh_keys *m, struct keys *keys,
    struct outcome *o)
{
	struct key line;
	size_t at = 0, begin = 0, len = 0;
	char *text;

	(void)m;
	if (p->old == -1)
		return;
	if ((text = malloc(p->len + 1)) == NULL)
		fatal("malloc");
	for (; line_next(p, &at, &line); begin = at) {
		if (line.len > 0 && key_find(keys, &line) != NULL)
			continue;
		memcpy(text + len, p->text + begin, at - begin);
		len += at - begin;
	}
	if (len != p->len)
		file_write(p, text, len, o);
	free(text);
}

/* --- keys and lines --- */

static int
keys_check(const struct msg_ssh_keys *m, struct outcome *o)
{
	uint32_t i;

	for (i = 0; i < m->n; i++) {
		if (m->keys[i][0] == '#' || strchr(m->keys[i], '\n') != NULL)
			return (account_fail(o, "invalid OpenSSH public key: "
			    "'%s'", m->keys[i]));
		/* More than can be told when it is asked for. */
		if (strlen(m->keys[i]) > VALUE_STRING)
			return (account_fail(o, "invalid OpenSSH public key: "
			    "longer than %d bytes", VALUE_STRING));
	}
	return (0);
}

static void
keys_sort(struct keys *k, const struct msg_ssh_keys *m)
{
	size_t i, n = 0;

	k->n = m->n;
	if ((k->all = calloc(k->n + 1, sizeof(*k->all))) == NULL ||
	    (k->sorted = calloc(k->n + 1, sizeof(*k->sorted))) == NULL)
		fatal("calloc");
	for (i = 0; i < k->n; i++) {
		strip(&k->all[i], m->keys[i], strlen(m->keys[i]));
		k->all[i].there = k->all[i].len == 0;
		k->sorted[i] = &k->all[i];
	}
	qsort(k->sorted, k->n, sizeof(*k->sorted), key_compare);
	for (i = 0; i < k->n; i++) {
		if (n > 0 && k->sorted[i]->len == k->sorted[n - 1]->len &&
		    memcmp(k->sorted[i]->text, k->sorted[n - 1]->text,
		    k->sorted[i]->len) == 0)
			k->sorted[i]->there = 1;
		else
			k->sorted[n++] = k->sorted[i];
	}
	k->nsorted = n;
}

/* Of two that are the same, the one given first. */
static int
key_compare(const void *a, const void *b)
{
	const struct key *const *ka = a, *const *kb = b;
	size_t len = (*ka)->len < (*kb)->len ? (*ka)->len : (*kb)->len;
	int c;

	if ((c = memcmp((*ka)->text, (*kb)->text, len)) != 0)
		return (c);
	if ((*ka)->len != (*kb)->len)
		return ((*ka)->len < (*kb)->len ? -1 : 1);
	return (*ka < *kb ? -1 : *ka > *kb);
}

static struct key *
key_find(const struct keys *k, const struct key *line)
{
	size_t low = 0, high = k->nsorted, middle, len;
	int c;

	while (low < high) {
		middle = (low + high) / 2;
		len = k->sorted[middle]->len;
		c = memcmp(line->text, k->sorted[middle]->text,
		    len < line->len ? len : line->len);
		if (c == 0 && len == line->len)
			return (k->sorted[middle]);
		if (c < 0 || (c == 0 && line->len < len))
			high = middle;
		else
			low = middle + 1;
	}
	return (NULL);
}

/* The line that begins at *at, which then is where the next begins. */
static int
line_next(const struct place *p, size_t *at, struct key *line)
{
	const char *begin = p->text + *at, *end;

	if (*at >= p->len)
		return (0);
	if ((end = memchr(begin, '\n', p->len - *at)) == NULL) {
		strip(line, begin, p->len - *at);
		*at = p->len;
	} else {
		strip(line, begin, (size_t)(end - begin));
		*at += (size_t)(end - begin) + 1;
	}
	return (1);
}

static void
strip(struct key *key, const char *text, size_t len)
{
	while (len > 0 && memchr(SPACE, text[len - 1], sizeof(SPACE) - 1))
		len--;
	while (len > 0 && memchr(SPACE, *text, sizeof(SPACE) - 1)) {
		text++;
		len--;
	}
	memset(key, 0, sizeof(*key));
	key->text = text;
	key->len = len;
}

/* --- the user, his home and what is in it --- */

/* For good; proven.  Root's own keys stay root's business. */
static int
become(const struct passwd *pw, struct outcome *o)
{
	umask(077);
	if (!DEFENCE(CONTROL_SSHKEYS))
		return (0);
	if (geteuid() == 0 && initgroups(pw->pw_name, pw->pw_gid) == -1)
		return (account_fail(o, "failed to become user '%s': "
		    "initgroups: %s", pw->pw_name, strerror(errno)));
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)
		return (account_fail(o, "failed to become user '%s': %s",
		    pw->pw_name, strerror(errno)));
	if (pw->pw_uid != 0 && (setuid(0) != -1 || seteuid(0) != -1))
		fatalx("uid 0 can be had again");
	return (0);
}

/* make: what is missing is made; else p->ssh may be -1. */
static int
place_open(struct place *p, int make, struct outcome *o)
{
	const char *home = p->pw->pw_dir;
	int fd, missing, n;

	n = snprintf(p->file, sizeof(p->file), "%s/%s/%s", home, DIR_NAME,
	    FILE_NAME);
	if (n < 0 || (size_t)n >= sizeof(p->file))
		return (account_fail(o, "the home of user '%s' has too long "
		    "a path", p->pw->pw_name));
	snprintf(p->dir, sizeof(p->dir), "%s/%s", home, DIR_NAME);
	if ((fd = directory(p, AT_FDCWD, home, home, o)) != -1) {
		p->ssh = directory(p, fd, DIR_NAME, p->dir, o);
		if (p->ssh == -1 && errno == ENOENT && make)
			place_make(p, fd, o);
	}
	missing = errno == ENOENT && !make;
	if (fd != -1)
		close(fd);
	if (p->ssh == -1 && !missing)
		return (-1);
	if (make)
		place_tighten(p);
	*o->text = '\0';
	return (0);
}

/* sshd(8) has no faith in what others may change. */
static void
place_tighten(struct place *p)
{
	struct stat st;

	if (fstat(p->ssh, &st) == -1)
		fatal("fstat");
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    fchmod(p->ssh, 0700) == -1)
		log_warn("chmod of %s", p->dir);
}

static void
place_make(struct place *p, int home, struct outcome *o)
{
	if (mkdirat(home, DIR_NAME, 0700) == -1 && errno != EEXIST)
		account_fail(o, "failed to create directory '%s': %s",
		    p->dir, strerror(errno));
	else if ((p->ssh = directory(p, home, DIR_NAME, p->dir, o)) != -1)
		account_label(p->ssh, home, "ssh_home_t");
}

/* The directory, if it is the user's; -1 with errno and the text. */
static int
directory(struct place *p, int at, const char *name, const char *path,
    struct outcome *o)
{
	struct stat st;
	int fd, save;

	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | NOFOLLOW);
	if (fd == -1) {
		save = errno;
		/* A link to one says ENOTDIR or ELOOP, by system. */
		account_fail(o, "failed to open '%s': %s", path,
		    fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode) && save != EACCES ? "a symbolic "
		    "link, which is not followed" : strerror(save));
		errno = save;
		return (-1);
	}
	if (fstat(fd, &st) == -1)
		fatal("fstat");
	if (at != AT_FDCWD && st.st_uid != p->pw->pw_uid &&
	    DEFENCE(CONTROL_SSHKEYS)) {
		account_fail(o, "failed to open '%s': it belongs to uid %lu",
		    path, (unsigned long)st.st_uid);
		close(fd);
		errno = EPERM;
		return (-1);
	}
	return (fd);
}

/* p->old stays -1 when there is none, which is no error yet. */
static int
file_read(struct place *p, struct outcome *o)
{
	struct stat st;
	const char *wrong;
	ssize_t n;

	p->old = openat(p->ssh, FILE_NAME, O_RDONLY | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC | NOFOLLOW);
	if (p->old == -1 && errno == ENOENT)
		return (0);
	if (p->old == -1)
		return (account_fail(o, "failed to read '%s': %s", p->file,
		    errno == ELOOP ? "a symbolic link, which is not followed" :
		    strerror(errno)));
	if (fstat(p->old, &st) == -1)
		fatal("fstat");
	if ((wrong = file_wrong(p, &st)) != NULL)
		return (account_fail(o, "failed to read '%s': %s", p->file,
		    wrong));
	if ((p->text = malloc(FILE_MAX + 1)) == NULL)
		fatal("malloc");
	/* What its size was said to be may not be true any more. */
	while (p->len <= FILE_MAX && (n = read(p->old, p->text + p->len,
	    FILE_MAX + 1 - p->len)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (account_fail(o, "failed to read '%s': %s",
			    p->file, strerror(errno)));
		p->len += (size_t)n;
	}
	if (p->len > FILE_MAX)
		return (account_fail(o, "failed to read '%s': larger than %d "
		    "bytes", p->file, FILE_MAX));
	return (0);
}

static const char *
file_wrong(const struct place *p, const struct stat *st)
{
	if (!DEFENCE(CONTROL_SSHKEYS))
		return (NULL);
	if (!S_ISREG(st->st_mode))
		return ("not a regular file");
	if (st->st_uid != p->pw->pw_uid)
		return ("it belongs to another user");
	if (st->st_nlink != 1)
		return ("it has more than one name");
	return (NULL);
}

/* A new file, whole on disk before it takes the old one's name. */
static void
file_write(struct place *p, const char *text, size_t len, struct outcome *o)
{
	char name[64];
	int fd, error = 0;

	if (len > FILE_MAX) {
		account_fail(o, "failed to write to '%s': larger than %d "
		    "bytes", p->file, FILE_MAX);
		return;
	}
	snprintf(name, sizeof(name), FILE_NAME ".qgad%08lx%08lx",
	    (unsigned long)randombytes_random(),
	    (unsigned long)randombytes_random());
	fd = openat(p->ssh, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    NOFOLLOW, 0600);
	if (fd == -1 || file_fill(p, fd, text, len) == -1 ||
	    renameat(p->ssh, name, p->ssh, FILE_NAME) == -1) {
		error = errno;
		if (fd != -1)
			(void)unlinkat(p->ssh, name, 0);
	} else if (fsync(p->ssh) == -1 && errno != EINVAL)
		error = errno;
	if (fd != -1)
		close(fd);
	if (error != 0)
		account_fail(o, "failed to write to '%s': %s", p->file,
		    strerror(error));
}

static int
file_fill(struct place *p, int fd, const char *text, size_t len)
{
	ssize_t n;

	/* A directory may have a default for its files. */
	if (fchmod(fd, 0600) == -1)
		return (-1);
	account_label(fd, p->old != -1 ? p->old : p->ssh, NULL);
	while (len > 0) {
		if ((n = write(fd, text, len)) == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return (-1);
		text += n;
		len -= (size_t)n;
	}
	return (fsync(fd));
}
