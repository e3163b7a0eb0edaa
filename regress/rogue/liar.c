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
 * A file worker in an attacker's hands, for the tests: put in qgad-file's
 * place, it says that it has opened what it was to open and, told to read,
 * does the first word of the file liar.how in the agent's directory, and then
 * nothing for ever.  The second word is the build that its hello names.
 *	silent		nothing
 *	waiting		says that the frontend does not take its bytes
 *	surplus		writes more than it was told to, as much as goes, and
 *			says the same
 * Peers: the monitor, imsg on descriptor 3.  Root, unconfined.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "imsg.h"
#include "log.h"
#include "messages.h"

static void	 look(void);
static uint32_t	 receive(struct imsgbuf *, uint64_t *, int *);
static void	 overfill(int);
static void	 claim(struct imsgbuf *, uint64_t);

static struct msg_hello hello = { .role = ROLE_FILE_OPENING };
static char	 how[16];

static void
look(void)
{
	FILE *f;

	if ((f = fopen("liar.how", "re")) == NULL ||
	    fscanf(f, "%15s %31s", how, hello.build) != 2)
		exit(1);
	fclose(f);
}

/* The type of the next message; what is no file's ends us. */
static uint32_t
receive(struct imsgbuf *ib, uint64_t *id, int *fd)
{
	struct msg_file_open open;
	struct msg_file file;
	struct imsg imsg;
	struct pollfd pfd;
	uint32_t type;

	while (imsgbuf_get(ib, &imsg) != 1) {
		pfd.fd = ib->fd;
		pfd.events = POLLIN;
		if (poll(&pfd, 1, -1) == -1 || imsgbuf_read(ib) != 1)
			exit(0);
	}
	type = imsg_get_type(&imsg);
	if (type == MSG_FILE_OPEN && msg_recv_file_open(&imsg, &open) == 0)
		*id = open.id;
	else if (msg_recv_file(&imsg, &file) == 0)
		*id = file.id;
	else
		exit(1);
	*fd = imsg_get_fd(&imsg);
	imsg_free(&imsg);
	return (type);
}

static void
overfill(int fd)
{
	static const char junk[4096];

	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		exit(1);
	/* The frontend takes some of it and may leave us. */
	for (;;)
		if (write(fd, junk, sizeof(junk)) == -1) {
			if (errno != EAGAIN)
				return;
			if (poll(&(struct pollfd){ .fd = fd,
			    .events = POLLOUT }, 1, 1500) == 0)
				return;
		}
}

static void
claim(struct imsgbuf *ib, uint64_t id)
{
	const struct msg_file_waiting waiting = { .id = id, .on = 1 };

	if (msg_send_file_waiting(ib, &waiting) == -1 ||
	    imsgbuf_write(ib) == -1)
		exit(1);
}

int
main(void)
{
	struct msg_file_done opened = { .ok = 1, .text = "" };
	struct imsgbuf ib;
	int fd;

	if (fcntl(CHILD_IMSG_FD, F_SETFL, O_NONBLOCK) == -1 ||
	    imsgbuf_init(&ib, CHILD_IMSG_FD) == -1 ||
	    imsgbuf_set_maxsize(&ib, MSG_SIZE_MAX) == -1)
		exit(1);
	imsgbuf_allow_fdpass(&ib);
	look();
	signal(SIGPIPE, SIG_IGN);
	if (msg_send_hello(&ib, &hello) == -1 || imsgbuf_write(&ib) == -1 ||
	    receive(&ib, &opened.id, &fd) != MSG_FILE_OPEN ||
	    msg_send_file_done(&ib, &opened) == -1 || imsgbuf_write(&ib) == -1)
		exit(1);
	while (receive(&ib, &opened.id, &fd) != MSG_FILE_READ)
		;
	if (strcmp(how, "surplus") == 0)
		overfill(fd);
	if (strcmp(how, "silent") != 0)
		claim(&ib, opened.id);
	for (;;)
		pause();
}
