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

/* macOS: what query-darwin.c makes of bytes and names, for its tests. */

#ifndef QUERY_DARWIN_H
#define QUERY_DARWIN_H

#include <stddef.h>

struct netifs;
struct value_writer;

/* A dump of NET_RT_IFLIST2: counters for interfaces that are there; -1. */
int	 darwin_counters(struct netifs *, const void *, size_t);
/* An element of guest-get-disks, if it is a disk's name. */
void	 darwin_disk_write(struct value_writer *, const char *);

#endif
