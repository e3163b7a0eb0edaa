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
 * The keys of all open objects of one text, to find a key that its object has
 * already.  One table: keys leave it newest first, so that clearing its slot
 * is all it takes to remove one.  The hash is keyed; a host cannot choose
 * keys that collide.  ENOMEM ends the process.
 */

#ifndef KEYS_H
#define KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

struct key {
	uint64_t	 hash;
	size_t		 off, len;	/* in the text */
	unsigned int	 depth;
	unsigned int	 slot;
};

struct keys {
	struct key	*keys;		/* newest last */
	uint32_t	*slots;		/* index + 1; twice cap of them */
	unsigned int	 n, cap;
	unsigned char	 seed[crypto_shorthash_KEYBYTES];
};

/* libsodium must have been initialized. */
void	 keys_init(struct keys *);
void	 keys_free(struct keys *);
/*
 * The key of len bytes at off in text, of the object at that depth.  text may
 * move between calls, the bytes of keys in it must not change.  0, or -1: the
 * object has it already.
 */
int	 keys_add(struct keys *, const char *text, size_t off, size_t len,
	    unsigned int depth);
void	 keys_pop(struct keys *, unsigned int);	/* the newest so many */
void	 keys_clear(struct keys *);	/* all, and the memory many needed */

#endif
