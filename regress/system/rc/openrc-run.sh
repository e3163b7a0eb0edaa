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

# Stand-in for openrc-run(8) and supervise-daemon(8): what etc/openrc/qgad
# uses of them, by the manuals.  openrc-run SCRIPT COMMAND; $rc_conf is its
# conf.d file, $rc_state a directory.

RC_SVCNAME=${1##*/}
ebegin() { echo " * $*"; }
eend() { return "$1"; }
after() { echo "after $*"; }
running() {
	[ -s "$rc_state/pid" ] && kill -0 "$(cat "$rc_state/pid")" 2>/dev/null
}
# supervise-daemon NAME --signal SIGNAL; no name for a function.
if [ ! -e "$rc_state/bin" ]; then
	mkdir "$rc_state/bin"
	printf '#!/bin/sh\nkill "-$3" "$(cat %s)"\n' "'$rc_state/pid'" \
	    >"$rc_state/bin/supervise-daemon"
	chmod 755 "$rc_state/bin/supervise-daemon"
fi
PATH=$rc_state/bin:$PATH
stop_post() { :; }
. "$rc_conf"
. "$1"
case $2 in
start)	! running || exit 0
	[ "$supervisor" = supervise-daemon ] || exit 1
	(
		set -f
		while :; do
			$command $command_args >/dev/null 2>&1 &
			echo $! >"$rc_state/pid"
			wait $! || :
			[ ! -e "$rc_state/stopping" ] || exit 0
			sleep "$respawn_delay"
		done
	) >/dev/null 2>&1 &
	echo $! >"$rc_state/supervisor" ;;
stop)	: >"$rc_state/stopping"
	kill "-${retry%/*}" "$(cat "$rc_state/pid")"
	n=0
	while running; do
		n=$((n + 1))
		[ $n -lt "${retry#*/}" ] || exit 1
		sleep 1
	done
	rm -f "$rc_state/stopping" "$rc_state/pid"
	stop_post ;;
status)	running || exit 3 ;;
depend)	depend ;;
*)	case " $extra_started_commands " in
	*" $2 "*) running && "$2" ;;
	*)	exit 1 ;;
	esac ;;
esac
