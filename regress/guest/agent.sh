#!/bin/sh
#
# Copyright (c) 2026 The qgad authors
#
# Permission to use, copy, modify, and distribute this software for any
# purpose with or without fee is hereby granted, provided that the above
# copyright notice and this permission notice appear in all copies.
#
# THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
# WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
# MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
# ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
# WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
# ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
# OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.

# The agent, started anew by init when it ends, as by a service manager.
# Which port, the kernel's command line says: agent=...

PATH=/sbin:/usr/sbin:/bin:/usr/bin
export PATH

# shellcheck disable=SC2013 # words, not lines
for word in $(cat /proc/cmdline); do
	case $word in
	agent=*)	agent=${word#agent=} ;;
	esac
done
case ${agent-} in
virtio)	exec qgad ;;
late)	exec qgad -r ;;
short)	# a freeze
	printf '[freeze]\nauto-thaw = 5\n' >/run/short.conf
	exec qgad -c /run/short.conf ;;
isa)	exec qgad -m isa-serial -p /dev/ttyS1 ;;
console)
	# What is refused is said once, on that same console.
	qgad -m isa-serial -p /dev/ttyS0
	echo "guest: status $? of an agent on the console"
	while :; do
		sleep 60
	done
	;;
*)
	echo "guest: no agent= on the command line"
	while :; do
		sleep 60
	done
	;;
esac
