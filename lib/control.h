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
 * Every adversarial test has a control: a build with one defence off, in
 * which the attack succeeds.  CONTROL_OFF is a mask of these and is 0 in
 * every build that is installed; regress/ alone sets it, and a program built
 * with it says so in each line of its log.
 */

#ifndef CONTROL_H
#define CONTROL_H

#define CONTROL_CHROOT		0x00001
#define CONTROL_IDS		0x00002
#define CONTROL_GROUPS		0x00004
#define CONTROL_RLIMITS		0x00008
#define CONTROL_UNDUMP		0x00010
#define CONTROL_CAPS		0x00020
#define CONTROL_NONEWPRIVS	0x00040
#define CONTROL_LANDLOCK	0x00080
#define CONTROL_SYSCALLS	0x00100
#define CONTROL_CLOSEFROM	0x00200
#define CONTROL_JOBRESET	0x00400	/* a job's signals, umask, descriptors */
#define CONTROL_SETSID		0x00800
#define CONTROL_POLICY		0x01000	/* the monitor's own decision */
#define CONTROL_MESSAGES	0x02000	/* size and descriptor checks */
#define CONTROL_LOGNONBLOCK	0x04000
#define CONTROL_HOOKS		0x08000	/* whose a hook's path is */
#define CONTROL_PROGRAM		0x10000	/* whose a rule's program is */
#define CONTROL_CONF		0x20000	/* whose the configuration is */
#define CONTROL_WIPE		0x40000	/* of secrets */
#define CONTROL_SSHKEYS		0x80000	/* as the user, no link followed */
#define CONTROL_DEADLINES	0x100000 /* off: a fortieth of each */
#define CONTROL_BENEATH		0x200000 /* what stays below a rule's base */
#define CONTROL_WAITING		0x400000 /* that a file's reader is slow */
#define CONTROL_GATE		0x1000000 /* what passes while not thawed */
#define CONTROL_KEEPER		0x2000000 /* a second process that thaws */
#define CONTROL_ORDER		0x4000000 /* the block stack's order */
#define CONTROL_MARKER		0x8000000 /* a start thaws */

#ifndef CONTROL_OFF
#define CONTROL_OFF	0
#endif

#define DEFENCE(bit)	((CONTROL_OFF & (bit)) == 0)

#endif
