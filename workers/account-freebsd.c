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

/* FreeBSD: pw(8), which reads a password from a descriptor. */

#include <sys/types.h>

#include <stddef.h>

#include "account.h"

#define PW		ACCOUNT_PREFIX "/usr/sbin/pw"

/* -n: what else would be taken for a number if it is one. */
static const char *const plain[] = {
	PW, "usermod", "-n", "", "-h", "0", NULL
};
static const char *const hashed[] = {
	PW, "usermod", "-n", "", "-H", "0", NULL
};

const char *const *
account_chpasswd(int crypted, unsigned int n)
{
	if (n > 0)
		return (NULL);
	return (crypted ? hashed : plain);
}

void
account_label(int to, int like, const char *type)
{
	(void)to;
	(void)like;
	(void)type;
}
