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
 * The modes of guest-file-open: those of fopen(3) that qemu-ga takes.  The
 * frontend turns the name to a number, which is what travels; monitor and
 * worker know from the same table what it means.
 */

#ifndef FILEMODE_H
#define FILEMODE_H

#define FILE_MODES	15

#define FILE_READ	0x1
#define FILE_WRITE	0x2

struct file_mode {
	const char	*name;
	int		 access;	/* FILE_READ, FILE_WRITE */
	int		 flags;		/* of open(2) */
};

extern const struct file_mode file_modes[FILE_MODES];

/* The number of that name, -1: there is none. */
int	 file_mode_lookup(const char *);

#endif
