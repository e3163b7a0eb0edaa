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
#
# demo.sh PREFIX CLIENT: start the agent that is installed in PREFIX on a
# local socket, look at its processes, and talk to it.  Needs root; leaves
# nothing behind.

set -u

prefix=$1 client=$2
here=$(dirname "$0")/..
work=$(mktemp -d "${TMPDIR:-/tmp}/qgad-demo.XXXXXX") || exit 1
agent='' made=''

finish() {
	trap - EXIT INT TERM
	if [ -n "$agent" ]; then
		kill "$agent" 2>/dev/null
		wait "$agent" 2>/dev/null
	fi
	# shellcheck disable=SC2086
	[ -z "$made" ] || sh "$here/etc/users.sh" remove $made >/dev/null
	rm -rf "$work"
}
trap 'finish; exit 1' INT TERM
trap finish EXIT

if [ "$(id -u)" -ne 0 ]; then
	echo "demo.sh: the demo shows real uids and needs root" >&2
	exit 1
fi
made=$(sh "$here/etc/users.sh" add) || exit 1

# children PID: those of one process
children() {
	for stat in /proc/[0-9]*/stat; do
		sed -n "s/^\([0-9]*\) (.*) [A-Z] $1 .*/\1/p" "$stat" \
		    2>/dev/null
	done
}

# family: the agent's processes, the monitor first
family() {
	echo "$agent"
	for child in $(children "$agent"); do
		echo "$child"
		children "$child"
	done
}

field() {
	awk -v k="$2:" '$1 == k { print $2 }' "/proc/$1/status" 2>/dev/null
}

# role PID: what the process calls itself
role() {
	{ tr '\0' '\n' <"/proc/$1/cmdline"; } 2>/dev/null |
	    sed -n -e '1{s/^qgad[a-z-]*: //p;t' -e 's/.*/monitor/p' -e '}'
}

processes() {
	printf '   %-12s %7s  %-8s %-8s %-10s %-12s %s\n' process pid user \
	    root seccomp 'privileges' 'capabilities'
	for pid in $(family); do
		[ -r "/proc/$pid/status" ] || continue
		user=$(id -nu "$(field "$pid" Uid)" 2>/dev/null)
		root=$(readlink "/proc/$pid/root")
		[ "$root" = / ] || root=empty
		case $(field "$pid" Seccomp) in
		2) seccomp=filtered ;;
		*) seccomp=- ;;
		esac
		case $(field "$pid" NoNewPrivs) in
		1) nnp='no new ones' ;;
		*) nnp=- ;;
		esac
		case $(field "$pid" CapEff) in
		0000000000000000) caps=none ;;
		0000000000000004) caps='read any file (within landlock)' ;;
		*) caps=root ;;
		esac
		printf '   %-12s %7s  %-8s %-8s %-10s %-12s %s\n' \
		    "$(role "$pid")" "$pid" "$user" "$root" "$seccomp" \
		    "$nnp" "$caps"
	done
}

start() {
	"$prefix/sbin/qgad" -m unix-listen -p "$work/sock" -t "$work" \
	    -l "$work/log" "$@" &
	agent=$!
	"$client" -t 10 "$work/sock" '{"execute":"guest-ping"}' >/dev/null ||
	    { cat "$work/log" >&2; exit 1; }
}

stop() {
	kill "$agent" && wait "$agent"
	agent=
}

# ask REQUEST [REQUEST ...]: the host's lines and the agent's
ask() {
	for line in "$@"; do
		printf '   host   %s\n' "$line"
		"$client" -t 10 "$work/sock" "$line" | fold -w 68 |
		    sed -e '7{s/.*/.../;q' -e '}' -e '1s/^/   agent  /' -e '1!s/^/          /'
	done
}

frontend() {
	for pid in $(children "$agent"); do
		[ "$(role "$pid")" != frontend ] || echo "$pid"
	done
}

echo
echo "qgad answers a host.  Each side of the wall is a process of its own."
start
printf '\n1. Ask who is there, and what the machine is.\n\n'
ask '{"execute":"guest-ping"}' '{"execute":"guest-info"}' \
    '{"execute":"guest-get-osinfo"}' \
    '{"execute":"guest-get-host-name", "id": 7}'
printf '\n2. The processes that did it, as the kernel sees them.\n\n'
processes
printf '\n3. Run a program; its output comes back in base64.\n\n'
request='{"execute":"guest-exec","arguments":{"path":"id","capture-output":true}}'
ask "$request" | tee "$work/exec"
job=$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' "$work/exec")
while :; do
	status='{"execute":"guest-exec-status","arguments":{"pid":'$job'}}'
	answer=$("$client" -t 10 "$work/sock" "$status")
	case $answer in
	*'"exited": true'*) break ;;
	esac
done
printf '   host   %s\n   agent  %s\n' "$status" "$answer"
printf '   in it  %s\n' "$(printf '%s\n' "$answer" |
    sed -n 's/.*"out-data": "\([^"]*\)".*/\1/p' | base64 -d)"
printf '\n4. Nonsense is answered, and the next request too.\n\n'
ask '{"execute": nonsense}' '{"execute":"guest-ping"}'
printf '\n5. The frontend is killed; a new one takes over.\n\n'
old=$(frontend)
kill -9 "$old"
until new=$(frontend) && [ -n "$new" ] && [ "$new" != "$old" ]; do
	sleep 0.1
done
ask '{"execute":"guest-ping"}'
printf '   the frontend was pid %s and is pid %s now\n' "$old" "$new"
stop
printf '\n6. The same program, with "-b guest-exec": the monitor refuses.\n\n'
start -b guest-exec
ask "$request"
printf '\n   what the log says of it:\n'
sed -n 's/^[0-9.]*: \(audit: .*\)/   \1/p' "$work/log" | tail -n 1
stop
printf '\nThat was it; the socket, the log and what was made for this are gone.\n'
