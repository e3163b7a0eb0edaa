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

# The log in trouble: nothing else may notice.  The mounts are the daemon's
# alone, in a mount namespace of its own, and go with it; what is in them is
# seen through /proc/PID/root.

REFUSED='{"execute":"guest-get-users"}'
TRUE='{"execute":"guest-exec","arguments":{"path":"/bin/true"}}'

h() {
	helper=$1
	shift
	"$(atf_get_srcdir)/h_$helper" "$@"
}

need_namespace() {
	need_linux
	need_prog unshare nsenter mount
	unshare -m true 2>/dev/null || atf_skip "no mount namespaces"
}

# Each refusal is a line: they are what fills a log here.
all_refusals() {
	printf '%s\n' '[general]' 'block-rpcs=guest-get-users' '[limits]' \
	    'refusal-lines=1000000' >conf
}

# spawn_with SETUP ARGS: SETUP is run where the daemon will be
spawn_with() {
	setup=$1
	shift
	mkdir -p state
	all_refusals
	# shellcheck disable=SC2016 # for the inner sh
	unshare -m --propagation private sh -c \
	    'set -e; eval "$1"; shift; exec "$@"' sh "$setup" \
	    "$prefix/sbin/qgad" -t "$PWD/state" -m unix-listen \
	    -p "$PWD/sock" -f "$PWD/pid" -c "$PWD/conf" "$@" \
	    >qgad.out 2>>qgad.err &
	echo $! >>qgad.pids
	echo $! >qgad.pid
}

must_answer() {
	answers && return 0
	show_log
	atf_fail "qgad does not answer"
}

inside() {
	echo "/proc/$(qgad_pid)/root$PWD"
}

# load N M: N refusals and M jobs, all of which must be answered.
load() {
	echo "$1 refusals:"
	h load "$PWD/sock" "$1" "$REFUSED" || atf_fail "not answered"
	[ "$2" -gt 0 ] || return 0
	echo "$2 jobs:"
	h load -e "$PWD/sock" "$2" "$TRUE" || atf_fail "not answered"
}

# hangs: what a monitor does that waits for its log
hangs() {
	hangs_status=0
	h load -t 3 "$PWD/sock" 6000 "$REFUSED" || hangs_status=$?
	[ "$hangs_status" -eq 2 ] ||
	    atf_fail "requests are answered with the defence off"
}

# accounted FILE [SLACK]: in the end every line is there or said to be
# lost.  A worker tells of lost ones when it has another one: hence the asking.
accounted() {
	wait_for ask_and_account "$@" && { cat account; return 0; }
	cat account >&2
	tail -n 5 "$1" >&2
	atf_fail "lines are missing without a word"
}

ask_and_account() {
	qga "$REFUSED"
	last=$(sed -n 's/.*seq=\([0-9]*\) .*/\1/p' "$1" | tail -n 1)
	there=$(grep -c 'seq=[0-9].* ms=[0-9]*$' "$1")
	lost=$(sed -n 's/.*: \([0-9]*\) lines of the log were lost.*/\1/p' \
	    "$1" | awk '{ n += $1 } END { print n + 0 }')
	echo "$last lines: $there there, $lost said to be lost" \
	    >account
	missing=$((last - there - lost))
	[ "$lost" -gt 0 ] && [ "$missing" -le 0 ] &&
	    [ "$missing" -ge "-${2:-0}" ]
}

atf_test_case disk_full cleanup
disk_full_head() {
	atf_set descr "the log's file system is full"
	atf_set require.user root
}
disk_full_body() {
	need_namespace
	mkdir small
	spawn_with "mount -t tmpfs -o size=128k tmpfs '$PWD/small'
	    head -c 100000 /dev/zero >'$PWD/small/filler'" \
	    -l "$PWD/small/log"
	must_answer
	load 2000 200
	echo x 2>/dev/null >"$(inside)/small/more" &&
	    atf_fail "the disk is not full"
	load 100 10
	rm "$(inside)/small/filler"
	# A line that was cut right before its newline is both.
	accounted "$(inside)/small/log" 1
	stop_qgad
}
disk_full_cleanup() {
	cleanup_qgad
}

# --- frozen: an ext4 in a file, on a loop device ---

frozen_start() {
	need_namespace
	need_prog fsfreeze losetup mkfs.ext4
	[ -e /dev/loop-control ] || atf_skip "no loop devices"
	mkdir mnt
	truncate -s 4M img
	atf_check -o ignore -e ignore mkfs.ext4 -q -F img
	spawn_with "mount -o loop '$PWD/img' '$PWD/mnt'" -l "$PWD/mnt/log"
	must_answer
}

# One process of its own session freezes and, whatever becomes of the test,
# thaws: told to, or after a minute.  It holds the file system by a
# descriptor, which must be on a loop device (major 7), or nothing is frozen.
freeze() {
	# shellcheck disable=SC2016 # for the inner sh
	setsid nsenter --mount="/proc/$(qgad_pid)/ns/mnt" sh -c '
		trap "" HUP INT TERM
		cd "$1" || exit
		exec 9<mnt || exit
		[ $(($(stat -L -c %d /proc/self/fd/9) / 256)) -eq 7 ] || exit
		fsfreeze -f /proc/self/fd/9 || exit
		: >frozen
		n=0
		while [ $n -lt 600 ] && [ ! -e thaw ] && [ -e frozen ]; do
			n=$((n + 1))
			sleep 0.1
		done
		until fsfreeze -u /proc/self/fd/9; do sleep 0.1; done
		: >thawed' sh "$PWD" </dev/null >/dev/null 2>&1 &
	wait_for test -e frozen || atf_fail "fsfreeze fails"
}

thaw() {
	[ ! -e thawed ] || atf_fail "thawed too early: nothing was tested"
	: >thaw
	wait_for test -e thawed
}

stuck() {
	case $(ps -o stat= -p "$1") in
	D*) ;;
	*) return 1 ;;
	esac
}

atf_test_case frozen cleanup
frozen_head() {
	atf_set descr "the log's file system is frozen"
	atf_set require.user root
}
frozen_body() {
	frozen_start
	worker=$(role_pid log)
	freeze
	load 4000 200
	wait_for stuck "$worker" || atf_fail "the log worker is not stuck"
	kill -HUP "$(qgad_pid)"
	load 1000 10
	stuck "$worker" || atf_fail "the log worker is not stuck any more"
	thaw
	wait_for gone "$worker" || atf_fail "the old worker stays"
	accounted "$(inside)/mnt/log"
	# A second time, and the monitor's end while it is.
	rm -f thaw thawed frozen
	freeze
	load 100 0
	stop_qgad
	thaw
}
frozen_cleanup() {
	: >thaw
	cleanup_qgad
	[ ! -e frozen ] || wait_for test -e thawed
}

atf_test_case frozen_control cleanup
frozen_control_head() {
	atf_set descr "the same, and a monitor that waits for its log"
	atf_set require.user root
}
frozen_control_body() {
	prefix=$(sh "$common/variant.sh" log-blocks 0x4000) ||
	    atf_fail "the control build fails"
	frozen_start
	freeze
	hangs
	thaw
	must_answer
	stop_qgad
}
frozen_control_cleanup() {
	frozen_cleanup
}

# --- syslog: a socket that nobody reads ---

syslog_start() {
	need_namespace
	mkdir dev
	spawn_with "mount -t tmpfs -o mode=755 tmpfs '$PWD/dev'
	    mknod -m 666 '$PWD/dev/null' c 1 3
	    mknod -m 666 '$PWD/dev/zero' c 1 5
	    mknod -m 666 '$PWD/dev/random' c 1 8
	    mknod -m 666 '$PWD/dev/urandom' c 1 9
	    '$(atf_get_srcdir)/h_syslog' '$PWD/dev/log' '$PWD/syslog' &
	    echo \$! >'$PWD/syslog.pid'
	    while [ ! -S '$PWD/dev/log' ]; do sleep 0.1; done
	    mount --bind '$PWD/dev' /dev" -d
	launcher=$(qgad_pid)
	wait "$launcher" || { show_log; atf_fail "qgad -d fails"; }
	cp pid qgad.pid
	cp pid qgad.pids
	must_answer
}

stop_daemon() {
	kill -TERM "$(qgad_pid)"
	wait_for gone "$(qgad_pid)" || atf_fail "qgad does not end"
	: >qgad.pids
}

atf_test_case syslog_stuck cleanup
syslog_stuck_head() {
	atf_set descr "syslogd reads nothing"
	atf_set require.user root
}
syslog_stuck_body() {
	syslog_start
	load 4000 200
	[ ! -s syslog ] || atf_fail "somebody reads the log"
	kill -USR1 "$(cat syslog.pid)"
	accounted "$PWD/syslog"
	stop_daemon
}
syslog_stuck_cleanup() {
	cleanup_qgad
	[ ! -s syslog.pid ] || kill -KILL "$(cat syslog.pid)" 2>/dev/null
	return 0
}

atf_test_case syslog_stuck_control cleanup
syslog_stuck_control_head() {
	atf_set descr "the same, and a monitor that waits for its log"
	atf_set require.user root
}
syslog_stuck_control_body() {
	prefix=$(sh "$common/variant.sh" log-blocks 0x4000) ||
	    atf_fail "the control build fails"
	syslog_start
	hangs
	kill -USR1 "$(cat syslog.pid)"
	must_answer
	stop_daemon
}
syslog_stuck_control_cleanup() {
	syslog_stuck_cleanup
}

# --- the worker goes, or the file ---

atf_test_case killed cleanup
killed_head() {
	atf_set descr "a log worker that is killed is replaced"
	atf_set require.user root
}
killed_body() {
	all_refusals
	start_qgad -c "$PWD/conf"
	for n in 1 2 3; do
		old=$(role_pid log)
		kill -KILL "$old"
		load 100 10
		wait_for new_log "$old" || atf_fail "no new log worker"
		qga '{"execute":"guest-exec","arguments":{"path":"/none'$n'"}}'
		wait_for grep -q "audit.*/none$n" qgad.log ||
		    { show_log; atf_fail "the log does not go on"; }
	done
	atf_check -o ignore grep "log, pid $old: ended by signal 9" qgad.log
	stop_qgad
}
killed_cleanup() {
	cleanup_qgad
}

new_log() {
	one_role log && [ "$(role_pids log)" != "$1" ]
}

atf_test_case rotated cleanup
rotated_head() {
	atf_set descr "SIGHUP opens a renamed log anew; no line is lost"
	atf_set require.user root
}
rotated_body() {
	all_refusals
	start_qgad -c "$PWD/conf"
	h load "$PWD/sock" 20000 "$REFUSED" >answered &
	loader=$!
	for n in 1 2 3 4 5 6 7 8 9 10; do
		mv qgad.log "old.$n"
		kill -HUP "$(qgad_pid)"
		wait_for test -s qgad.log ||
		    atf_fail "no new file after SIGHUP"
	done
	wait "$loader" || atf_fail "not answered"
	cat answered
	qga "$REFUSED" >/dev/null
	wait_for grep -q 'seq=20001 ' qgad.log || atf_fail "the end is missing"
	sed -n 's/.* seq=\([0-9]*\) .*refused.*/\1/p' qgad.log old.* |
	    sort -n >seen
	seq 20001 >wanted
	diff wanted seen >lines ||
	    { head lines >&2; atf_fail "lines are missing or twice there"; }
	stop_qgad
}
rotated_cleanup() {
	cleanup_qgad
}

atf_test_case refusals cleanup
refusals_head() {
	atf_set descr "past refusal-lines in a second refusals are counted"
	atf_set require.user root
}
refusals_body() {
	printf '%s\n' '[general]' 'block-rpcs=guest-get-users' '[limits]' \
	    'refusal-lines=5' >conf
	start_qgad -c "$PWD/conf"
	h load "$PWD/sock" 5000 "$REFUSED" >answered
	wait_for counted || atf_fail "refusals are neither shown nor counted"
	grep "not-shown=" qgad.log || atf_fail "none is left out"
	stop_qgad
}
# The count comes with the first refusal of a later second.
counted() {
	qga "$REFUSED" >/dev/null
	asked=$((${asked:-5000} + 1))
	shown=$(grep -c 'verdict=refused rule=' qgad.log)
	left=$(sed -n 's/.* not-shown=\([0-9]*\)$/\1/p' qgad.log |
	    awk '{ n += $1 } END { print n + 0 }')
	[ $((shown + left)) = "$asked" ]
}
refusals_cleanup() {
	cleanup_qgad
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case disk_full
	atf_add_test_case frozen
	atf_add_test_case frozen_control
	atf_add_test_case syslog_stuck
	atf_add_test_case syslog_stuck_control
	atf_add_test_case killed
	atf_add_test_case rotated
	atf_add_test_case refusals
}
