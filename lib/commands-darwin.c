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

#include "commands.h"

/*
 * Not here: memory blocks, which this system has not and some agents invent;
 * statistics of disks, which IOKit alone has; passwords, for which there is
 * no tool that takes one without showing it; trimming, which it does itself.
 */
static const unsigned char here[CMD_MAX] = {
	[CMD_GUEST_SYNC] = 1,
	[CMD_GUEST_SYNC_DELIMITED] = 1,
	[CMD_GUEST_PING] = 1,
	[CMD_GUEST_INFO] = 1,
	[CMD_GUEST_GET_OSINFO] = 1,
	[CMD_GUEST_GET_HOST_NAME] = 1,
	[CMD_GUEST_GET_TIME] = 1,
	[CMD_GUEST_GET_TIMEZONE] = 1,
	[CMD_GUEST_GET_HOSTNAME] = 1,
	[CMD_GUEST_GET_LOAD] = 1,
	[CMD_GUEST_GET_USERS] = 1,
	[CMD_GUEST_NETWORK_GET_INTERFACES] = 1,
	[CMD_GUEST_GET_DISKS] = 1,
	[CMD_GUEST_GET_FSINFO] = 1,
	[CMD_GUEST_GET_VCPUS] = 1,
	[CMD_GUEST_GET_CPUSTATS] = 1,
	[CMD_GUEST_NETWORK_GET_ROUTE] = 1,
	[CMD_GUEST_EXEC] = 1,
	[CMD_GUEST_EXEC_STATUS] = 1,
	[CMD_GUEST_FILE_OPEN] = 1,
	[CMD_GUEST_FILE_CLOSE] = 1,
	[CMD_GUEST_FILE_READ] = 1,
	[CMD_GUEST_FILE_WRITE] = 1,
	[CMD_GUEST_FILE_SEEK] = 1,
	[CMD_GUEST_FILE_FLUSH] = 1,
	[CMD_GUEST_SHUTDOWN] = 1,
	[CMD_GUEST_SUSPEND_RAM] = 1,
	[CMD_GUEST_SET_TIME] = 1,
	[CMD_GUEST_SSH_GET_AUTHORIZED_KEYS] = 1,
	[CMD_GUEST_SSH_ADD_AUTHORIZED_KEYS] = 1,
	[CMD_GUEST_SSH_REMOVE_AUTHORIZED_KEYS] = 1
};

int
command_here(enum command_id id)
{
	return (id < CMD_MAX && here[id]);
}
