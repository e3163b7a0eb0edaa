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

# A hook for qgad, to be filled in: run as root with the argument "freeze"
# before the guest's file systems are frozen, and "thaw" after the thaw.
#
# What it can rely on:
#  - PATH=/usr/sbin:/usr/bin:/sbin:/bin and LC_ALL=C are all its environment,
#    / is its directory, standard input is empty;
#  - what it writes to its output is in qgad's log, line by line, up to a
#    bound; with status 0 all is well, any other is a warning there (and the
#    end of the freeze with hook-failure = abort);
#  - whenever a freeze was begun a thaw follows, even if the freeze failed,
#    the host went away, or qgad was killed.
# What it must do:
#  - be quick: after 30 seconds it is ended, with all that it started;
#  - take a thaw without a freeze, and a second one, as success: nobody tells
#    it how far the freeze came;
#  - let go by itself of what it locked, should nobody ask: HOLD below.
# What it may do: leave a process behind that holds a lock until the thaw.
# That process must write neither to a disk, which is frozen, nor to the
# hook's output, which nobody reads then: start it with >/dev/null 2>&1.

set -u
umask 077

HOLD=660	# seconds; a little more than qgad's own limit of 600
export HOLD

freeze()
{
	# Stop what writes, flush what is buffered; with a limit of its own
	# that is well below 30 seconds, for instance:
	#	timeout -k 2 20 /usr/sbin/mydatabasectl suspend --for "$HOLD"
	:
}

thaw()
{
	# Let go of it:
	#	timeout -k 2 20 /usr/sbin/mydatabasectl resume
	:
}

case ${1-} in
freeze | thaw)
	"$1" ;;
*)
	echo "usage: ${0##*/} freeze | thaw" >&2
	exit 64 ;;
esac
