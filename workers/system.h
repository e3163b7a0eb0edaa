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
 * What the system worker does, by system: system-<system>.c.  Paths are
 * absolute and fixed when it is built; SYSTEM_PREFIX is set by a test alone.
 * Where a function takes err and a size, -1 is answered with the text for the
 * host in err.
 */

#ifndef SYSTEM_H
#define SYSTEM_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifndef SYSTEM_PREFIX
#define SYSTEM_PREFIX	""
#endif

#define SYSTEM_ARGS	6

struct value_writer;

struct system_program {
	const char	*argv[SYSTEM_ARGS + 1];	/* argv[0] is the path */
};

/*
 * The nth way, best first, to end the system in that enum shutdown_mode;
 * NULL: there are no more, or there is no such mode.
 */
const struct system_program *system_shutdown(unsigned int mode,
		    unsigned int n);

/* A way to suspend by a program. */
struct system_suspend {
	const char	*need;		/* no use unless this path is there */
	struct system_program check;	/* exits with yes to yesmax if the */
	int		 yes, yesmax;	/* system can do it */
	struct system_program act;
};
/* The nth way of that enum suspend_mode, as system_shutdown(). */
const struct system_suspend *system_suspend(unsigned int mode,
		    unsigned int n);
/*
 * The last way, without a program; back when the guest is awake again.  1:
 * done; 0: the system cannot; -1.
 */
int	 system_sleep(unsigned int mode, char *err, size_t);

/*
 * given: set the clock, ns since the epoch, and the hardware's by it; else
 * the clock by the hardware's.
 */
int	 system_set_time(int given, uint64_t ns, char *err, size_t);

/* What the hardware's says, now; -1: errno. */
int	 system_rtc(time_t *);

/*
 * The logs of the NVMe disks there are, SMART_MAX at most.  How many; one
 * that cannot be read is left out.
 */
struct smart_record;
size_t	 system_smart(struct smart_record *);

/* One processor.  One that is as it should be is a success. */
int	 system_vcpu(int64_t number, int online, char *err, size_t);

enum block_response {		/* QEMU's GuestMemoryBlockResponseType */
	BLOCK_SUCCESS, BLOCK_NOT_FOUND, BLOCK_UNSUPPORTED, BLOCK_FAILED,
	BLOCK_RESPONSES
};
/* One memory block.  *error: the errno of anything but a success. */
enum block_response system_memory_block(uint64_t number, int online,
		    int *error);

/*
 * Trim each file system that is mounted for writing and has a device, once,
 * and write the list of results, the newest mount first.
 */
int	 system_fstrim(uint64_t minimum, struct value_writer *, char *err,
	    size_t);

#endif
