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

#include <fcntl.h>
#include <string.h>

#include "filemode.h"

#define BOTH		(FILE_READ | FILE_WRITE)
#define R		FILE_READ, O_RDONLY
#define W		FILE_WRITE, O_WRONLY | O_CREAT | O_TRUNC
#define A		FILE_WRITE, O_WRONLY | O_CREAT | O_APPEND
#define RPLUS		BOTH, O_RDWR
#define WPLUS		BOTH, O_RDWR | O_CREAT | O_TRUNC
#define APLUS		BOTH, O_RDWR | O_CREAT | O_APPEND

const struct file_mode file_modes[FILE_MODES] = {
	{ "r", R }, { "rb", R },
	{ "w", W }, { "wb", W },
	{ "a", A }, { "ab", A },
	{ "r+", RPLUS }, { "rb+", RPLUS }, { "r+b", RPLUS },
	{ "w+", WPLUS }, { "wb+", WPLUS }, { "w+b", WPLUS },
	{ "a+", APLUS }, { "ab+", APLUS }, { "a+b", APLUS },
};

int
file_mode_lookup(const char *name)
{
	int i;

	for (i = 0; i < FILE_MODES; i++)
		if (strcmp(file_modes[i].name, name) == 0)
			return (i);
	return (-1);
}
