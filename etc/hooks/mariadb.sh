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

# A hook for qgad and MariaDB (or MySQL): a client takes a lock before the
# freeze and holds it until the thaw.
#
# InnoDB alone needs no hook: an image of all its file systems at one instant
# is what it finds after a power failure, and it recovers from that.  The
# lock is for what cannot: tables of MyISAM, Aria and CSV, and a binary log
# that fits the tables.
#
# While it is held nobody's commit ends, so clients wait from here to the
# thaw.  Getting it waits for the statements that run: at most WAIT seconds a
# step, and then it is given up and the hook has failed.  It is released
#  - by the thaw;
#  - after HOLD seconds, by the client and by the server each for itself;
#  - when the client dies, whatever killed it.

set -u
umask 077
cd / || exit 1

# --- to be edited ---
CLIENT=mariadb		# or mysql
OPTIONS="--user=root"	# the socket's own authentication is expected
METHOD=stage		# MariaDB since 10.4; lock: older ones, and MySQL
CONNECT=5		# seconds
WAIT=8			# seconds, for each lock
HOLD=660		# seconds; a little more than qgad's own limit of 600
STATE=/run/qgad-mariadb	# root's; on BSD below /var/run
# --------------------

PATH=$PATH:/usr/local/bin:/usr/pkg/bin:/opt/homebrew/bin
export PATH

statements()
{
	echo "SET SESSION lock_wait_timeout = $WAIT;"
	echo "SET SESSION wait_timeout = $HOLD;"
	case $METHOD in
	stage)
		echo "BACKUP STAGE START;"
		echo "BACKUP STAGE BLOCK_COMMIT;" ;;
	*)
		echo "FLUSH TABLES WITH READ LOCK;" ;;
	esac
	echo "SELECT 'locked';"
}

# Not another's process, should ours have ended long ago.
end_sleep()
{
	case $(ps -o args= -p "$1" 2>/dev/null) in
	"sleep $HOLD")
		kill "$1" ;;
	*)
		return 1 ;;
	esac
}

# The session lives as long as its input, which the sleep keeps open; when it
# ends, for whatever reason, the file goes.
session()
{
	# In a shell of its own: this one may say that the client was killed,
	# and nobody reads the answer any more.  OPTIONS are words.
	# shellcheck disable=SC2086
	(exec "$CLIENT" $OPTIONS --connect-timeout="$CONNECT" --batch \
	    --skip-column-names --unbuffered >"$STATE/answer" 2>&1)
	rm -f "$STATE/pid"
	end_sleep "$1"
}

# The lock is gone when the file is.
release()
{
	[ -s "$STATE/pid" ] || return 0
	if ! end_sleep "$(cat "$STATE/pid")"; then
		rm -f "$STATE/pid"
		return 0
	fi
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ -e "$STATE/pid" ] || return 0
		[ "$i" = 1 ] || sleep 1
	done
	echo "the client does not end; the server ends it $HOLD seconds" \
	    "after the freeze"
	return 1
}

freeze()
{
	mkdir -p "$STATE" && release || return 1
	rm -f "$STATE/input" "$STATE/answer"
	mkfifo "$STATE/input" "$STATE/answer" || return 1
	{
		statements
		exec sleep "$HOLD"
	} >"$STATE/input" 2>/dev/null &
	feeder=$!
	echo "$feeder" >"$STATE/pid"
	session "$feeder" <"$STATE/input" >/dev/null 2>&1 &
	answer=
	while read -r line; do
		answer=$line
		case $line in
		locked | ERROR*)
			break ;;
		esac
	done <"$STATE/answer"
	rm -f "$STATE/input" "$STATE/answer"
	[ "$answer" != locked ] || return 0
	kill "$feeder" 2>/dev/null
	case $answer in
	*"ERROR 2002"*)
		echo "no server, nothing to do" ;;
	*)
		echo "no lock: $answer"
		return 1 ;;
	esac
}

case ${1-} in
freeze)	freeze ;;
thaw)	release ;;
*)
	echo "usage: ${0##*/} freeze | thaw" >&2
	exit 64 ;;
esac
