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
 * qgad-account: sets one user's password or one user's SSH keys, and ends.
 * Starts as root, not dumpable, otherwise unconfined as the program it starts
 * must be (passwords), or becomes the user whose keys they are before it
 * looks at anything of his (sshkeys.c).
 * Peers: the monitor on fd 3; the frontend on fd 4 when the answer is a value,
 * and on a descriptor that comes with the order when there is a secret.
 * Links libsodium for the secret's memory, and libc's name service.
 */

#include <sys/types.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "account.h"
#include "answer.h"
#include "confine.h"
#include "imsg.h"
#include "job.h"
#include "log.h"
#include "tool.h"
#include "value.h"

static const struct {
	uint32_t	 type;
	void		(*take)(struct imsgbuf *, struct imsg *,
			    struct outcome *);
} orders[] = {
	{ MSG_PASSWORD, password_order },
	{ MSG_SSH_KEYS, ssh_keys_order },
};

int
main(int argc, char *argv[])
{
	static struct outcome o;
	struct imsgbuf ib;
	struct imsg imsg;
	struct ids ids;
	struct value_writer w;
	enum done how;
	size_t i;

	child_start(ROLE_ACCOUNT, argc, argv, &ib, &ids);
	imsgbuf_allow_fdpass(&ib);
	tool_init();
	confine(ROLE_ACCOUNT, &ids);
	child_ready(ROLE_ACCOUNT, &ib);

	job_message(&ib, &imsg);
	if (imsg_get_type(&imsg) == MSG_ACCOUNT_RULE) {
		if (msg_check(&imsg) == -1 ||
		    msg_recv_account_rule(&imsg, &o.notroot) == -1)
			fatal("bad message: account-rule");
		imsg_free(&imsg);
		job_message(&ib, &imsg);
	}
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (orders[i].type == imsg_get_type(&imsg))
			break;
	if (i == sizeof(orders) / sizeof(orders[0]) || msg_check(&imsg) == -1)
		fatalx("bad message: %s", msg_name(imsg_get_type(&imsg)));
	value_start(&w, VALUE_SIZE);
	o.value = &w;
	orders[i].take(&ib, &imsg, &o);
	imsg_free(&imsg);
	how = *o.text == '\0' ? DONE_OK : o.refused ? DONE_REFUSED :
	    DONE_FAILED;
	if (o.wanted)
		answer_value(&ib, o.id, &w, how, o.text);
	else
		answer_done(&ib, o.id, how, o.text);
	return (0);
}

int
account_fail(struct outcome *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(o->text, sizeof(o->text), fmt, ap);
	va_end(ap);
	return (-1);
}

int
account_judge(struct outcome *o, const char *name, uid_t uid)
{
	if (!o->notroot || uid != 0)
		return (0);
	o->refused = 1;
	return (account_fail(o, "user '%.256s' has uid 0, which the "
	    "configuration does not name", name));
}
