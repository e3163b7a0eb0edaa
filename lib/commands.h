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
 * The one table that names every command.  guest-info, --list-commands, the
 * manual and the monitor's decision all read it, so they cannot disagree.
 */

#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdint.h>

enum command_id {
	CMD_GUEST_SYNC,
	CMD_GUEST_SYNC_DELIMITED,
	CMD_GUEST_PING,
	CMD_GUEST_INFO,
	CMD_GUEST_GET_OSINFO,
	CMD_GUEST_GET_HOST_NAME,
	CMD_GUEST_GET_TIME,
	CMD_GUEST_GET_TIMEZONE,
	CMD_GUEST_GET_USERS,
	CMD_GUEST_NETWORK_GET_INTERFACES,
	CMD_GUEST_GET_DISKS,
	CMD_GUEST_GET_DISKSTATS,
	CMD_GUEST_GET_FSINFO,
	CMD_GUEST_GET_HOSTNAME,
	CMD_GUEST_GET_LOAD,
	CMD_GUEST_GET_VCPUS,
	CMD_GUEST_GET_MEMORY_BLOCKS,
	CMD_GUEST_GET_MEMORY_BLOCK_INFO,
	CMD_GUEST_GET_CPUSTATS,
	CMD_GUEST_NETWORK_GET_ROUTE,
	CMD_GUEST_EXEC,
	CMD_GUEST_EXEC_STATUS,
	CMD_GUEST_FILE_OPEN,
	CMD_GUEST_FILE_CLOSE,
	CMD_GUEST_FILE_READ,
	CMD_GUEST_FILE_WRITE,
	CMD_GUEST_FILE_SEEK,
	CMD_GUEST_FILE_FLUSH,
	CMD_GUEST_SHUTDOWN,
	CMD_GUEST_SET_TIME,
	CMD_GUEST_SET_VCPUS,
	CMD_GUEST_SET_MEMORY_BLOCKS,
	CMD_GUEST_FSTRIM,
	CMD_GUEST_SUSPEND_DISK,
	CMD_GUEST_SUSPEND_RAM,
	CMD_GUEST_SUSPEND_HYBRID,
	CMD_GUEST_SET_USER_PASSWORD,
	CMD_GUEST_SSH_GET_AUTHORIZED_KEYS,
	CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS,
	CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS,
	CMD_GUEST_FSFREEZE_STATUS,
	CMD_GUEST_FSFREEZE_FREEZE,
	CMD_GUEST_FSFREEZE_FREEZE_LIST,
	CMD_GUEST_FSFREEZE_THAW,
	CMD_MAX
};

enum command_class {
	CLASS_PROTOCOL,		/* answered by the frontend alone */
	CLASS_QUERY,		/* reads the system, changes nothing */
	CLASS_FREEZE,
	CLASS_FILE,
	CLASS_EXEC,
	CLASS_ACCOUNT,
	CLASS_SYSTEM,
	CLASS_MAX
};

#define CMD_ROOT	0x01	/* needs root: refused under --test without */
#define CMD_THAWING	0x02	/* passes while the guest is not thawed */
#define CMD_SILENT	0x04	/* no reply on success */
#define CMD_AUDIT	0x08	/* one line in the log for each decision */
#define CMD_PERISHABLE	0x10	/* not carried out when it waited too long or */
				/* its client has gone */
#define CMD_VALUE	0x20	/* answered with a value by the worker, as */
				/* every query is */

#define CMD_UNLIMITED	0x40	/* no limit on requests a second holds it up */

#define PROFILE_AUDIT	0x01
#define PROFILE_BACKUP	0x02
#define PROFILE_FULL	0x04

struct command {
	const char	*name;
	enum command_class class;
	uint32_t	 flags;
	uint32_t	 profiles;
	uint32_t	 deadline;	/* seconds of the worker's time; 0: none */
	const char	*why;		/* the row's reason, for the manual */
};

extern const struct command commands[CMD_MAX];

/* The PROFILE_ bit of that name, 0: there is none; its name. */
uint32_t	 profile_lookup(const char *);
const char	*profile_name(uint32_t);

/*
 * commands-<system>.c: 1 if this system can do it.  Where not, the command is
 * nowhere to be seen, as one that has no row.
 */
int		 command_here(enum command_id);

/* The command of that name, -1: there is none here. */
int		 command_lookup(const char *);
const char	*command_class_name(enum command_class);
/*
 * 1 if name is a guest command that some qemu-ga, or this agent on another
 * system, has and this build lacks:
 * accepted in lists of the configuration, where it has no effect.
 */
int		 command_foreign(const char *);

#endif
