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
 * The queries of another system on whatever its kernel may answer, compiled
 * for this one with that one's headers: see bsdfuzz.sh.  The first byte says
 * what is asked: one of the parsers, with the rest in memory of just that
 * size, or a query, whose calls are answered from the rest.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "log.h"
#include "query.h"
#include "query-bsd.h"
#include "query-darwin.h"
#include "query-freebsd.h"
#include "tape.h"
#include "value.h"

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static void	 routes(struct value_writer *, const uint8_t *, size_t);

static const uint8_t	*tape;
static size_t		 tapelen;

void
tape_start(const void *data, size_t len)
{
	tape = data;
	tapelen = len;
}

void
tape_take(void *to, size_t len)
{
	size_t n = len < tapelen ? len : tapelen;

	memset(to, 0, len);
	memcpy(to, tape, n);
	tape += n;
	tapelen -= n;
}

size_t
tape_length(void)
{
	unsigned char two[2];
	size_t n;

	tape_take(two, 2);
	n = (size_t)two[0] << 8 | two[1];
	return (n < tapelen ? n : tapelen);
}

unsigned char
tape_peek(void)
{
	return (tapelen > 0 ? *tape : 0);
}

int *
__errno(void)
{
	return (&errno);
}

int *
__error(void)
{
	return (&errno);
}

/* Two interfaces have names. */
static void
routes(struct value_writer *w, const uint8_t *data, size_t size)
{
	struct netifs ns;
	struct netif *n;
	uint32_t i;

	memset(&ns, 0, sizeof(ns));
	for (i = 1; i < 4; i += 2)
		if ((n = netif_add(&ns, i)) != NULL) {
			n->len = 4;
			memcpy(n->name, "vio0", 4);
		}
	(void)bsd_routes_parse(w, &ns, data, size);
#ifdef FUZZ_darwin
	(void)darwin_counters(&ns, data, size);
#endif
	netifs_free(&ns);
}

#ifdef FUZZ_freebsd
static int	 device(const char *, uint64_t *, uint64_t *);
static void	 geom(struct value_writer *, const uint8_t *, size_t);

static int
device(const char *name, uint64_t *major, uint64_t *minor)
{
	*major = strlen(name);
	*minor = 7;
	return (name[0] == 'x' ? -1 : 0);
}

static void
geom(struct value_writer *w, const uint8_t *data, size_t size)
{
	struct bsd_mount m;
	struct geom g;
	char *text;

	/* It is given the text for good. */
	if ((text = malloc(size + 1)) == NULL)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	if (geom_parse(&g, text, strlen(text)) == -1)
		return;
	geom_disks_write(w, &g);
	memset(&m, 0, sizeof(m));
	m.from = "/dev/gpt/root";
	m.frommax = strlen(m.from);
	geom_addresses(w, &m, &g);
	geom_free(&g);
}
#endif

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct value_writer w;
	uint8_t *copy, what;
	char err[512];
	size_t i, n = 0;

	if (size < 1)
		return (0);
	log_set_level(LEVEL_ERROR);
	what = *data++;
	size--;
	/* The parsers ask a little too. */
	tape_start(data, size);
	value_start(&w, VALUE_SIZE);
	value_array(&w, NULL);
	if (what < 0x40 || what >= 0xf0) {
		if ((copy = malloc(size)) == NULL && size > 0)
			return (0);
		if (size > 0)
			memcpy(copy, data, size);
		if (what < 0x40)
			routes(&w, copy, size);
#ifdef FUZZ_freebsd
		else if (what < 0xf8)
			geom(&w, copy, size);
		else
			(void)devstat_write(&w, copy, size, device);
#endif
		free(copy);
	} else {
		query_open();
		for (i = 0; i < CMD_MAX; i++)
			if (system_queries[i] != NULL &&
			    n++ == what % 0x10)
				(void)system_queries[i](&w, err, sizeof(err));
	}
	value_abort(&w);
	return (0);
}
