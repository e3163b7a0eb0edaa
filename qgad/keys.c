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

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "keys.h"
#include "log.h"

#define KEYS_MIN	16

static void	 room_for(struct keys *, unsigned int);
static void	 grow(struct keys *, const char *);
static unsigned int slot_find(const struct keys *, const char *,
		    const struct key *, int *);

void
keys_init(struct keys *ks)
{
	memset(ks, 0, sizeof(*ks));
	randombytes_buf(ks->seed, sizeof(ks->seed));
	room_for(ks, KEYS_MIN);
}

void
keys_free(struct keys *ks)
{
	free(ks->keys);
	free(ks->slots);
	explicit_bzero(ks, sizeof(*ks));
}

int
keys_add(struct keys *ks, const char *text, size_t off, size_t len,
    unsigned int depth)
{
	unsigned char hash[crypto_shorthash_BYTES];
	struct key k = { 0 };
	int found;

	if (ks->n == ks->cap)
		grow(ks, text);
	k.off = off;
	k.len = len;
	k.depth = depth;
	crypto_shorthash(hash, (const unsigned char *)text + off, len,
	    ks->seed);
	memcpy(&k.hash, hash, sizeof(k.hash));
	k.hash += depth;
	k.slot = slot_find(ks, text, &k, &found);
	if (found)
		return (-1);
	ks->keys[ks->n++] = k;
	ks->slots[k.slot] = ks->n;
	return (0);
}

void
keys_pop(struct keys *ks, unsigned int n)
{
	while (n-- > 0)
		ks->slots[ks->keys[--ks->n].slot] = 0;
}

void
keys_clear(struct keys *ks)
{
	if (ks->cap > KEYS_MIN) {
		free(ks->keys);
		free(ks->slots);
		ks->n = 0;
		room_for(ks, KEYS_MIN);
	} else
		keys_pop(ks, ks->n);
}

static void
room_for(struct keys *ks, unsigned int cap)
{
	if ((ks->keys = calloc(cap, sizeof(*ks->keys))) == NULL ||
	    (ks->slots = calloc(cap, 2 * sizeof(*ks->slots))) == NULL)
		fatal("calloc of %u keys", cap);
	ks->cap = cap;
}

static void
grow(struct keys *ks, const char *text)
{
	struct key *old = ks->keys;
	unsigned int i;
	int found;

	free(ks->slots);
	room_for(ks, ks->cap * 2);
	memcpy(ks->keys, old, ks->n * sizeof(*old));
	free(old);
	for (i = 0; i < ks->n; i++) {
		ks->keys[i].slot = slot_find(ks, text, &ks->keys[i], &found);
		ks->slots[ks->keys[i].slot] = i + 1;
	}
}

static unsigned int
slot_find(const struct keys *ks, const char *text, const struct key *k,
    int *found)
{
	const struct key *o;
	unsigned int i, mask = 2 * ks->cap - 1;

	*found = 0;
	for (i = (unsigned int)k->hash & mask; ks->slots[i] != 0;
	    i = (i + 1) & mask) {
		o = &ks->keys[ks->slots[i] - 1];
		if (o->hash == k->hash && o->depth == k->depth &&
		    o->len == k->len && memcmp(text + o->off, text + k->off,
		    k->len) == 0) {
			*found = 1;
			break;
		}
	}
	return (i);
}
