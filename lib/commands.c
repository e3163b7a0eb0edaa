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

#include <string.h>

#include "bounds.h"
#include "commands.h"

#define ALL	(PROFILE_AUDIT | PROFILE_BACKUP | PROFILE_FULL)
#define BACKUP	(PROFILE_BACKUP | PROFILE_FULL)
#define FULL	(PROFILE_FULL)
#define PROTOCOL	(CMD_THAWING | CMD_UNLIMITED)
#define SYSTEM	(CMD_ROOT | CMD_AUDIT | CMD_PERISHABLE)

/* The hooks' bound, and what the rest may take. */
#define FREEZE_DEADLINE	(HOOK_TOTAL / 1000 + 60)

/*
 * May this command run?  The row, then the configuration's lists, then the
 * state: parent/policy.c.  No row, no command.
 */
const struct command commands[CMD_MAX] = {
	[CMD_GUEST_SYNC] = {
		"guest-sync", CLASS_PROTOCOL, PROTOCOL, ALL, 0,
		"echoes a number: hosts find their place in the stream"
	},
	[CMD_GUEST_SYNC_DELIMITED] = {
		"guest-sync-delimited", CLASS_PROTOCOL, PROTOCOL, ALL, 0,
		"as guest-sync, with a byte before it that no JSON holds"
	},
	[CMD_GUEST_PING] = {
		"guest-ping", CLASS_PROTOCOL, PROTOCOL, ALL, 0,
		"says that the agent lives"
	},
	[CMD_GUEST_INFO] = {
		"guest-info", CLASS_PROTOCOL, PROTOCOL, ALL, 0,
		"lists this table and what of it is enabled"
	},
	[CMD_GUEST_GET_OSINFO] = {
		"guest-get-osinfo", CLASS_QUERY, 0, ALL, 5,
		"names and versions that every user may read"
	},
	[CMD_GUEST_GET_HOST_NAME] = {
		"guest-get-host-name", CLASS_QUERY, 0, ALL, 5,
		"the name of the machine"
	},
	[CMD_GUEST_GET_TIME] = {
		"guest-get-time", CLASS_QUERY, 0, ALL, 5,
		"the clock, read only"
	},
	[CMD_GUEST_GET_TIMEZONE] = {
		"guest-get-timezone", CLASS_QUERY, 0, ALL, 5,
		"the zone's name and offset"
	},
	[CMD_GUEST_GET_USERS] = {
		"guest-get-users", CLASS_QUERY, 0, ALL, 5,
		"who is logged in, as who(1) shows to everybody"
	},
	[CMD_GUEST_NETWORK_GET_INTERFACES] = {
		"guest-network-get-interfaces", CLASS_QUERY, 0, ALL, 5,
		"addresses and counters: what most hosts run an agent for"
	},
	[CMD_GUEST_GET_DISKS] = {
		"guest-get-disks", CLASS_QUERY, 0, ALL, 5,
		"block devices by name, place and serial number; not a byte of"
		" theirs"
	},
	[CMD_GUEST_GET_DISKSTATS] = {
		"guest-get-diskstats", CLASS_QUERY, 0, ALL, 5,
		"what the disks have done, which the host sees from its side"
	},
	[CMD_GUEST_GET_FSINFO] = {
		"guest-get-fsinfo", CLASS_QUERY, 0, ALL, 5,
		"mount points and how full they are, as df(1) shows"
	},
	[CMD_GUEST_GET_HOSTNAME] = {
		/* Not of the profiles' lists, which have the other spelling. */
		"guest-get-hostname", CLASS_QUERY, 0, FULL, 5,
		"guest-get-host-name, as some hosts spell it"
	},
	[CMD_GUEST_GET_LOAD] = {
		"guest-get-load", CLASS_QUERY, 0, ALL, 5,
		"the three load averages that uptime(1) shows to everybody"
	},
	[CMD_GUEST_GET_VCPUS] = {
		"guest-get-vcpus", CLASS_QUERY, 0, ALL, 5,
		"the processors, read only: the host gave them"
	},
	[CMD_GUEST_GET_MEMORY_BLOCKS] = {
		"guest-get-memory-blocks", CLASS_QUERY, 0, ALL, 5,
		"the blocks of memory, read only: the host gave them"
	},
	[CMD_GUEST_GET_MEMORY_BLOCK_INFO] = {
		"guest-get-memory-block-info", CLASS_QUERY, 0, ALL, 5,
		"how large such a block is"
	},
	[CMD_GUEST_GET_CPUSTATS] = {
		"guest-get-cpustats", CLASS_QUERY, 0, ALL, 5,
		"what each processor spent its time on, as top(1) shows"
	},
	[CMD_GUEST_NETWORK_GET_ROUTE] = {
		/* Says where else the guest can get to: not for an audit. */
		"guest-network-get-route", CLASS_QUERY, 0, FULL, 5,
		"the routes, which every user may list"
	},
	[CMD_GUEST_EXEC] = {
		"guest-exec", CLASS_EXEC,
		CMD_ROOT | CMD_AUDIT | CMD_PERISHABLE, FULL, 10,
		"runs any program as the agent's user: all power there is"
	},
	[CMD_GUEST_EXEC_STATUS] = {
		/* Start and end of a job are on record; questions are not. */
		"guest-exec-status", CLASS_EXEC, 0, FULL, 10,
		"the end and the output of a program that guest-exec ran"
	},
	[CMD_GUEST_FILE_OPEN] = {
		/* Perishable where the mode writes: qgad/request.c. */
		"guest-file-open", CLASS_FILE,
		CMD_ROOT | CMD_AUDIT | CMD_PERISHABLE, FULL, 120,
		"opens any file as root would, within the rules of [file]"
	},
	[CMD_GUEST_FILE_CLOSE] = {
		/* The handle's end is on record, however it comes. */
		"guest-file-close", CLASS_FILE, 0, FULL, 120,
		"gives up what guest-file-open opened"
	},
	[CMD_GUEST_FILE_READ] = {
		"guest-file-read", CLASS_FILE, 0, FULL, 120,
		"reads on in a file that is open"
	},
	[CMD_GUEST_FILE_WRITE] = {
		"guest-file-write", CLASS_FILE, CMD_PERISHABLE, FULL, 120,
		"writes to a file that was opened for it"
	},
	[CMD_GUEST_FILE_SEEK] = {
		"guest-file-seek", CLASS_FILE, 0, FULL, 120,
		"moves to another place in a file that is open"
	},
	[CMD_GUEST_FILE_FLUSH] = {
		"guest-file-flush", CLASS_FILE, 0, FULL, 120,
		"has the disk take what was written (fsync)"
	},
	[CMD_GUEST_SHUTDOWN] = {
		"guest-shutdown", CLASS_SYSTEM,
		SYSTEM | CMD_SILENT, BACKUP, 60,
		"ends the guest in good order; the host could cut its power"
	},
	[CMD_GUEST_SET_TIME] = {
		"guest-set-time", CLASS_SYSTEM, SYSTEM, BACKUP, 60,
		"after a pause or a snapshot; logs and leases go by the clock"
	},
	[CMD_GUEST_SET_VCPUS] = {
		"guest-set-vcpus", CLASS_SYSTEM, SYSTEM | CMD_VALUE, FULL, 60,
		"takes processors away from the guest, and gives them back"
	},
	[CMD_GUEST_SET_MEMORY_BLOCKS] = {
		"guest-set-memory-blocks", CLASS_SYSTEM, SYSTEM | CMD_VALUE,
		FULL, 60,
		"takes memory away from the guest, and gives it back"
	},
	[CMD_GUEST_FSTRIM] = {
		/*
		 * A large file system on a slow disk takes its minutes.  A
		 * copy is as good without: not for a backup.
		 */
		"guest-fstrim", CLASS_SYSTEM, SYSTEM | CMD_VALUE, FULL, 600,
		"gives unused blocks back to the host: thin disks, small copies"
	},
	[CMD_GUEST_SUSPEND_DISK] = {
		"guest-suspend-disk", CLASS_SYSTEM, SYSTEM | CMD_SILENT,
		FULL, 60,
		"stops the guest: it writes its memory to its own disk"
	},
	[CMD_GUEST_SUSPEND_RAM] = {
		"guest-suspend-ram", CLASS_SYSTEM, SYSTEM | CMD_SILENT,
		FULL, 60,
		"stops the guest until the host wakes it"
	},
	[CMD_GUEST_SUSPEND_HYBRID] = {
		"guest-suspend-hybrid", CLASS_SYSTEM, SYSTEM | CMD_SILENT,
		FULL, 60,
		"both at once: to disk, and then asleep"
	},
	[CMD_GUEST_SET_USER_PASSWORD] = {
		"guest-set-user-password", CLASS_ACCOUNT,
		CMD_ROOT | CMD_AUDIT | CMD_PERISHABLE, FULL, 30,
		"sets any user's password, root's too: a way in"
	},
	[CMD_GUEST_SSH_GET_AUTHORIZED_KEYS] = {
		/* Done as the user, which only root can become. */
		"guest-ssh-get-authorized-keys", CLASS_ACCOUNT,
		CMD_ROOT | CMD_AUDIT | CMD_PERISHABLE | CMD_VALUE, FULL, 30,
		"says who may log in as a user: his own file, read as he"
	},
	[CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS] = {
		"guest-ssh-add-authorized-keys", CLASS_ACCOUNT,
		CMD_ROOT | CMD_AUDIT | CMD_PERISHABLE, FULL, 30,
		"lets who has the key log in as that user: a way in"
	},
	[CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS] = {
		"guest-ssh-remove-authorized-keys", CLASS_ACCOUNT,
		CMD_ROOT | CMD_AUDIT | CMD_PERISHABLE, FULL, 30,
		"takes keys from that file; may lock a user out"
	},
	[CMD_GUEST_FSFREEZE_STATUS] = {
		"guest-fsfreeze-status", CLASS_FREEZE, PROTOCOL, ALL, 5,
		"says whether the guest is frozen"
	},
	[CMD_GUEST_FSFREEZE_FREEZE] = {
		/* While frozen it answers the count and freezes no more. */
		"guest-fsfreeze-freeze", CLASS_FREEZE,
		CMD_ROOT | CMD_THAWING | CMD_AUDIT | CMD_PERISHABLE, BACKUP,
		FREEZE_DEADLINE,
		"holds all writers while the host takes a snapshot"
	},
	[CMD_GUEST_FSFREEZE_FREEZE_LIST] = {
		/* A copy of the whole guest needs all of it. */
		"guest-fsfreeze-freeze-list", CLASS_FREEZE,
		CMD_ROOT | CMD_THAWING | CMD_AUDIT | CMD_PERISHABLE, FULL,
		FREEZE_DEADLINE,
		"the same for some file systems"
	},
	[CMD_GUEST_FSFREEZE_THAW] = {
		/* Late is better than never: not perishable. */
		"guest-fsfreeze-thaw", CLASS_FREEZE,
		CMD_ROOT | PROTOCOL | CMD_AUDIT, BACKUP, FREEZE_DEADLINE,
		"lets the writers go on; without it the guest thaws by itself"
	},
};

/* Commands of qemu-ga 7.2 to 10.2 that may have no row above. */
static const char *const qemu_commands[] = {
	"guest-get-devices"
};

static const char *const class_names[CLASS_MAX] = {
	[CLASS_PROTOCOL] = "protocol",
	[CLASS_QUERY] = "query",
	[CLASS_FREEZE] = "freeze",
	[CLASS_FILE] = "file",
	[CLASS_EXEC] = "exec",
	[CLASS_ACCOUNT] = "account",
	[CLASS_SYSTEM] = "system",
};

static const struct {
	uint32_t	 bit;
	const char	*name;
} profiles[] = {
	{ PROFILE_AUDIT, "audit" },
	{ PROFILE_BACKUP, "backup" },
	{ PROFILE_FULL, "full" },
};

int
command_lookup(const char *name)
{
	int i;

	for (i = 0; i < CMD_MAX; i++)
		if (strcmp(commands[i].name, name) == 0)
			return (command_here((enum command_id)i) ? i : -1);
	return (-1);
}

const char *
command_class_name(enum command_class class)
{
	return (class < CLASS_MAX ? class_names[class] : "?");
}

uint32_t
profile_lookup(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return (profiles[i].bit);
	return (0);
}

const char *
profile_name(uint32_t bit)
{
	size_t i;

	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (profiles[i].bit == bit)
			return (profiles[i].name);
	return ("?");
}

int
command_foreign(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(qemu_commands) / sizeof(qemu_commands[0]); i++)
		if (strcmp(qemu_commands[i], name) == 0)
			return (1);
	for (i = 0; i < CMD_MAX; i++)
		if (strcmp(commands[i].name, name) == 0)
			return (!command_here((enum command_id)i));
	return (0);
}
