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
 * What the system worker runs, by system: system-<system>.c.  Paths are
 * absolute and fixed when it is built; SYSTEM_PREFIX is set by a test alone.
 */

#ifndef SYSTEM_H
#define SYSTEM_H

#ifndef SYSTEM_PREFIX
#define SYSTEM_PREFIX	""
#endif

#define SYSTEM_ARGS	6

struct system_program {
	const char	*argv[SYSTEM_ARGS + 1];	/* argv[0] is the path */
};

/*
 * The nth way, best first, to end the system in that enum shutdown_mode;
 * NULL: there are no more, or there is no such mode.
 */
const struct system_program *system_shutdown(unsigned int mode,
		    unsigned int n);

#endif
