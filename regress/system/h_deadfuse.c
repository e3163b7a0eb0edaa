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
 * [-u UID] PATH ...: mounts a fuse file system at each path, of which the
 * daemon has died without a word: whoever walks one waits.  -u: as for that
 * user by fusermount(1), open to all.  Says "ready" and waits itself; when it
 * ends they become errors.
 */

#include <sys/mount.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	char		 options[128];
	const char	*user = NULL;
	int		 fd, i = 1;

	if (argc > 2 && strcmp(argv[1], "-u") == 0) {
		user = argv[2];
		i = 3;
	}
	for (; i < argc; i++) {
		if ((fd = open("/dev/fuse", O_RDWR)) == -1) {
			fprintf(stderr, "h_deadfuse: /dev/fuse: %s\n",
			    strerror(errno));
			return (1);
		}
		snprintf(options, sizeof(options),
		    "fd=%d,rootmode=40755,user_id=%s,group_id=0%s", fd,
		    user == NULL ? "0" : user,
		    user == NULL ? "" : ",allow_other");
		if (mount("dead", argv[i], "fuse", 0, options) == -1) {
			fprintf(stderr, "h_deadfuse: %s: %s\n", argv[i],
			    strerror(errno));
			return (1);
		}
	}
	printf("ready\n");
	fflush(stdout);
	/* Nobody waits for us for ever, should the test be gone. */
	alarm(300);
	pause();
	return (0);
}
