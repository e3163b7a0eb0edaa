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

/* What the system says of the processes of an agent.  Linux: /proc. */

#ifndef PROC_H
#define PROC_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#define MAX_TREE	256

struct thread {
	pid_t		 tid;
	uint64_t	 switches;
};

/* Bytes read, buf terminated; -1: not there. */
int	 read_file(const char *, char *, size_t);

/* The letter of its state; 0: gone. */
char	 process_state(pid_t);

/* kB of anonymous memory of it and all below it, shared pages by share. */
double	 tree_memory(pid_t);

/* Threads of a tree with their context switches; at most MAX_TREE. */
int	 threads(pid_t, struct thread *);

/* ms of CPU so far of living processes; and with those they have reaped. */
double	 tree_cpu(pid_t);
double	 tree_cpu_all(pid_t);

/*
 * The peak: VmHWM of each process that was seen below the root, the root's
 * own with it, summed, whether or not they lived at one time; jobs of
 * guest-exec count.  A process is looked at every few milliseconds and once
 * more at the end; one that lives shorter may be missed.
 */
void	 peak_start(pid_t);
double	 peak_end(void);	/* kB */

#endif /* PROC_H */
