#! /usr/bin/env atf-sh
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

# What Debian's qemu-ga does wrong and qgad does not.  Each case runs both:
# qemu-ga first, the control, which must fail, then qgad.
#
#   many_waiting   200 commands wait on a character device.  GLib's channel
#                  reads on until it has 4096 bytes or none are left; when a
#                  read ends past 4096 the rest stays in its buffer, each
#                  write then seeks back first, on a device that fails, and
#                  the reply is lost.  A terminal in the kernel's default mode
#                  hands out one line a read: so it happens every time.
#   reply_unread   the client closes its socket with a reply unread; qemu-ga
#                  reads ECONNRESET and ends.
#   no_host        nobody holds the port: poll(2) says so at once and read(2)
#                  returns 0, over and over; qemu-ga sleeps 0.1 s a turn.  A
#                  terminal that was hung up (TIOCVHANGUP) does the same.

ping='{"execute":"guest-ping"}'

need_qemu() {
	need_linux
	qemu=/usr/sbin/qemu-ga
	[ -x "$qemu" ] || qemu=$(command -v qemu-ga) ||
	    atf_skip "needs qemu-ga"
}

# start qemu|qgad METHOD PATH
start() {
	if [ "$1" = qemu ]; then
		mkdir -p state
		"$qemu" -m "$2" -p "$3" -t "$PWD/state" 2>qemu.err &
		echo $! >>qgad.pids
		echo $! >qgad.pid
	else
		spawn_qgad -m "$2" -p "$3"
	fi
}

stop() {
	kill -TERM "$(qgad_pid)" 2>/dev/null
	wait_for gone "$(qgad_pid)" || kill -KILL "$(qgad_pid)"
	: >qgad.pids
}

# client ARGS: qgaclient -M in the background, its pid in $client; what it
# sends may be in the file "in"
client() {
	rm -f port
	"$qgaclient" -M "$@" <in >replies 2>client.err &
	client=$!
	echo "$client" >>qgad.pids
	wait_for test -e port || atf_fail "no pseudo terminal"
}

# has_open NAME: the agent, or the frontend of qgad, holds that device
has_open() {
	if [ "$kind" = qemu ]; then
		holder=$(qgad_pid)
	else
		holder=$(role_pids frontend)
	fi
	[ -n "$holder" ] &&
	    find "/proc/$holder/fd" -lname "$(readlink "$1")" 2>/dev/null |
	    grep -q .
}

the_last() {
	grep -q '^{"return".*"id": 199}' replies
}

atf_test_case many_waiting cleanup
many_waiting_head() {
	atf_set descr "200 commands waiting on a device are all answered"
	atf_set require.user root
	atf_set timeout 90
}
many_waiting_body() {
	need_qemu
	awk 'BEGIN { for (i = 0; i < 200; i++)
		printf "{\"execute\":\"guest-ping\",\"id\":%d}\n", i }' >in
	for kind in qemu qgad; do
		client -w -t 60 -n 1000 port
		start $kind virtio-serial "$PWD/port"
		wait_for has_open port ||
		    { show_log; atf_fail "$kind does not open the device"; }
		kill -USR1 "$client"
		# Answered in order, so the last one says that all is done.
		wait_for the_last || { show_log
		    atf_fail "$kind does not answer the last command"; }
		answered=$(grep -c '^{"return"' replies)
		echo "$kind: $answered of 200 answered"
		if [ $kind = qgad ]; then
			[ "$answered" -eq 200 ] || atf_fail \
			    "qgad answers $answered of 200"
			[ "$(wc -l <replies)" -eq 200 ] || atf_fail \
			    "qgad's line has more on it than replies"
		else
			[ "$answered" -lt 200 ] || atf_fail \
			    "the control passes: qemu-ga answers all"
		fi
		kill "$client"
		stop
	done
}
many_waiting_cleanup() {
	cleanup_qgad
}

atf_test_case reply_unread cleanup
reply_unread_head() {
	atf_set descr "A client that leaves a reply unread ends nothing"
	atf_set require.user root
	atf_set timeout 60
}
reply_unread_body() {
	need_qemu
	start qemu unix-listen "$PWD/sock"
	atf_check -s exit:0 "$qgaclient" -C "$PWD/sock" "$ping"
	wait_for gone "$(qgad_pid)" ||
	    atf_fail "the control passes: qemu-ga lives on"
	: >qgad.pids

	start qgad unix-listen "$PWD/sock2"
	rounds=0
	while [ $rounds -lt 10 ]; do
		atf_check -s exit:0 "$qgaclient" -C "$PWD/sock2" "$ping"
		rounds=$((rounds + 1))
	done
	frontend=$(role_pid frontend)
	"$qgaclient" "$PWD/sock2" "$ping" >reply ||
	    { show_log; atf_fail "qgad does not answer the next client"; }
	atf_check -s exit:0 -o inline:'{"return": {}}\n' cat reply
	[ "$(role_pid frontend)" = "$frontend" ] ||
	    atf_fail "the frontend is another"
	stop_qgad
}
reply_unread_cleanup() {
	cleanup_qgad
}

atf_test_case no_host cleanup
no_host_head() {
	atf_set descr "A port that no host holds wakes nobody"
	atf_set require.user root
	atf_set timeout 180
}
no_host_body() {
	need_qemu
	: >in
	for kind in qemu qgad; do
		[ $kind = qemu ] && bound=70 || bound=120
		client -w -u -t $bound port "$ping"
		start $kind virtio-serial "$PWD/port"
		wait_for has_open port ||
		    { show_log; atf_fail "$kind does not open the device"; }
		kill -USR1 "$client"
		wait_for grep -q 'hung up' replies ||
		    { show_log; atf_fail "$kind does not answer"; }
		if [ $kind = qemu ]; then
			n=$(wakes "$(qgad_pid)" 3)
			echo "qemu-ga: $n wake-ups in 3 s"
			[ "$n" -ge 15 ] ||
			    atf_fail "the control passes: $n wake-ups"
			kill "$client"
			stop
			continue
		fi
		# It opens the line again, then is still.
		quiet=no
		for try in 1 2 3 4 5 6 7 8; do
			n=$(wakes "$(qgad_pid)" 5)
			echo "qgad: $n wake-ups in 5 s, try $try"
			[ "$n" -eq 0 ] && quiet=yes && break
		done
		[ $quiet = yes ] ||
		    { show_log; atf_fail "qgad does not come to rest"; }
		kill -USR1 "$client"
		wait "$client" ||
		    { show_log; atf_fail "no answer once a host is back"; }
		stop_qgad
	done
}
no_host_cleanup() {
	cleanup_qgad
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case many_waiting
	atf_add_test_case reply_unread
	atf_add_test_case no_host
}
