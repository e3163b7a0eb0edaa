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
 * kyua starts its tests with the C library's own two signals ignored, which
 * sigaction(2) of that library cannot change: on Linux ask the kernel.
 */

#ifndef KYUASIG_H
#define KYUASIG_H

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline void
kyua_signals(void)
{
#ifdef SYS_rt_sigaction
	unsigned long action[4];
	int sig;

	memset(action, 0, sizeof(action));
	for (sig = 32; sig < 34; sig++)
		(void)syscall(SYS_rt_sigaction, sig, action, NULL,
		    sizeof(action[0]));
#endif
}

#endif
