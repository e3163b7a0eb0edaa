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

# Files under rules, files whose disk never answers, and much of them: the
# section [file] of the configuration, an attacker who moves links about
# beneath a directory that is allowed, workers that cannot be killed, and
# that what went in and out is what it was.

# open PATH [MODE]: the reply
open() {
	qga '{"execute":"guest-file-open","arguments":{"path":"'"$1"'",
	    "mode":"'"${2:-r}"'"}}'
}

# opens PATH [MODE]: it works; ./handle has its number
opens() {
	open "$@" >reply
	sed -n 's/^{"return": \([0-9]*\)}$/\1/p' reply >handle
	[ -s handle ] || { show_log; atf_fail "open $*: $(cat reply)"; }
}

# refuses TEXT PATH [MODE]
refuses() {
	refusal=$1
	shift
	open "$@" >reply
	grep -q "\"class\": \"GenericError\", .*$refusal" reply ||
	    { show_log; atf_fail "open $*: $(cat reply)"; }
}

# file COMMAND [ARGUMENTS]: of ./handle
file() {
	qga '{"execute":"guest-file-'"$1"'","arguments":{
	    "handle":'"$(cat handle)${2:+,$2}"'}}'
}

configure() {
	printf '%s\n' "$@" >conf
}

not_allowed='the configuration does not allow to'
leads_out='it leads out of what the configuration allows'

atf_test_case rules cleanup
rules_head() {
	atf_set descr "[file]: what it names works, what it does not is refused"
	atf_set require.user root
}
rules_body() {
	mkdir -p in/sub ro wo special other
	for f in in/file in/sub/file ro/file wo/file other/file inside \
	    special/file; do
		echo "$f" >$f
	done
	mkfifo in/fifo special/fifo
	ln -s file in/link
	ln -s ../other/file in/out
	ln -s "$PWD/other/file" in/absolute
	ln -s ../other in/dir
	ln -s sub in/subdir
	ln -s /proc/self/root in/magic
	ln -s in/file exact.link
	configure '[file]' "read = $PWD/in,$PWD/ro/, $PWD/exact.link" \
	    "write = $PWD/in, $PWD/./wo//,$PWD/inside" \
	    "read-any = $PWD/special,/dev/null"
	start_qgad -c "$PWD/conf"

	opens "$PWD/in/file"
	file read '"count":3' >reply
	grep -q '"buf-b64": "aW4v"' reply || atf_fail "read: $(cat reply)"
	opens "$PWD/in/file" r+
	opens "$PWD/in/sub/file" a
	opens "$PWD/in/new" w
	opens "$PWD/in/new2" w+
	opens "$PWD/in/link"
	opens "$PWD/in/subdir/file"
	opens "$PWD/ro/file"
	opens "$PWD/wo/file" w
	opens "$PWD/wo/new" a
	opens "$PWD/inside" w
	opens "$PWD/special/fifo"
	opens /dev/null

	refuses "$not_allowed read it" "$PWD/other/file"
	refuses "$not_allowed read it" "$PWD/info"
	refuses "$not_allowed read it" "$PWD/in2/file"
	refuses "$not_allowed read it" /etc/passwd
	refuses "$not_allowed read it" "$PWD/wo/file"
	refuses "$not_allowed read it" "$PWD/wo/file" w+
	refuses "$not_allowed write it" "$PWD/ro/file" w
	refuses "$not_allowed write it" "$PWD/ro/file" r+
	refuses "$not_allowed write it" "$PWD/special/file" a
	refuses "$not_allowed read it" "$PWD/inside"
	refuses "$not_allowed write it" "$PWD/inside2" w
	refuses 'an absolute path is expected' in/file
	refuses "'\.\.' is not allowed" "$PWD/in/../other/file"
	refuses "'\.\.' is not allowed" "$PWD/in/.."
	refuses "$leads_out" "$PWD/in/out"
	refuses "$leads_out" "$PWD/in/out" w
	refuses "$leads_out" "$PWD/in/absolute"
	refuses "$leads_out" "$PWD/in/dir/file"
	refuses "$leads_out" "$PWD/in/dir/new" w
	refuses "$leads_out" "$PWD/in/magic/etc/passwd"
	# A name that is allowed by itself may be no link.
	refuses "$leads_out" "$PWD/exact.link"
	refuses 'it is no regular file' "$PWD/in/fifo"
	refuses 'Is a directory' "$PWD/in/sub"
	refuses 'Is a directory' "$PWD/in"
	[ "$(cat other/file)" = other/file ] || atf_fail "it was written"
	[ ! -e other/new ] || atf_fail "it was made"
	[ "$(cat ro/file)" = ro/file ] || atf_fail "it was emptied"
	[ ! -s inside ] || atf_fail "it was not emptied"
	said="object=\"$PWD/ro/file\" mode=w verdict=refused rule=.file.write"
	grep -q "$said" qgad.log ||
	    { show_log; atf_fail "it is not on record"; }
	stop_qgad
}
rules_cleanup() {
	cleanup_qgad
}

atf_test_case no_rule cleanup
no_rule_head() {
	atf_set descr "a [file] that names nothing; none at all; bad ones"
	atf_set require.user root
}
no_rule_body() {
	configure '[file]'
	start_qgad -c "$PWD/conf"
	open /etc/passwd >reply
	grep -q 'CommandNotFound.*guest-file-open has been disabled' reply ||
	    atf_fail "open: $(cat reply)"
	stop_qgad
	configure '[general]'
	start_qgad -c "$PWD/conf"
	opens /etc/passwd
	stop_qgad
	for bad in 'read = relative' 'write = /a/../b' 'both = /a' \
	    'read = /a,b'; do
		configure '[file]' "$bad"
		atf_check -s exit:1 -e match:'conf:2: ' \
		    "$prefix/sbin/qgad" -c "$PWD/conf" -n
	done
	configure '[file]' 'write-any = /b//c/., /d/' 'read ='
	atf_check -s exit:0 -o match:'^write-any=/b/c,/d$' -o match:'^read=$' \
	    "$prefix/sbin/qgad" -c "$PWD/conf" -D
}
no_rule_cleanup() {
	cleanup_qgad
}

# Old and new rules hold together until a restart; what is open stays so.
atf_test_case reread cleanup
reread_head() {
	atf_set descr "SIGHUP: a file must pass the rules at start and the new"
	atf_set require.user root
}
reread_body() {
	mkdir -p a/b c
	for f in a/file a/b/file c/file; do echo $f >$f; done
	configure '[file]' "read = $PWD/a"
	start_qgad -c "$PWD/conf"
	opens "$PWD/a/file"
	configure '[file]' "read = $PWD/a/b, $PWD/c"
	kill -HUP "$(qgad_pid)"
	wait_for grep -q 'was read again' qgad.log || atf_fail "not read again"
	file read >reply
	grep -q '"count": 7' reply || atf_fail "read: $(cat reply)"
	refuses "$not_allowed read it" "$PWD/a/file"
	opens "$PWD/a/b/file"
	refuses "$not_allowed read it" "$PWD/c/file"
	stop_qgad
}
reread_cleanup() {
	cleanup_qgad
}

# --- links that move ---

# race ROUNDS MODE NAME PATH: below ./in, whose links lead to ./out
race() {
	"$common/../system/h_race" "$PWD/sock" "$1" "$2" "$PWD/in" "$3" \
	    "$PWD/in/$4" >raced ||
	    { show_log; atf_fail "h_race $*"; }
	echo "$*: $(paste -s -d ' ' raced)"
}

raced() {
	awk -v what="$1" '$1 == what { n = $2 } END { print n + 0 }' raced
}

start_race() {
	mkdir -p in/dir out
	printf A >in/dir/file
	printf U >out/file
	printf A >in/name
	ln -s ../out in/dir.link
	ln -s ../out/file in/name.link
	configure '[file]' "read = $PWD/in" "write = $PWD/in"
	start_qgad -c "$PWD/conf"
}

# The base64 of A begins with Q, that of U with V.
atf_test_case exchange cleanup
exchange_head() {
	atf_set descr "links exchanged in thousands of rounds never lead out"
	atf_set require.user root
	atf_set timeout 600
}
exchange_body() {
	need_linux
	start_race
	for what in 'dir dir/file' 'name name'; do
		# shellcheck disable=SC2086 # two words
		race 700 r $what
		[ "$(raced Q)" -gt 0 ] || atf_fail "never opened"
		[ "$(raced refused)" -gt 0 ] || atf_fail "never refused"
		[ "$(raced V)" -eq 0 ] || atf_fail "opened outside"
		# shellcheck disable=SC2086
		race 300 w $what
		[ "$(raced w)" -gt 0 ] || atf_fail "never opened"
	done
	[ "$(cat out/file)" = U ] || atf_fail "written outside"
	stop_qgad
	# The control: without resolving beneath the directory it is opened.
	prefix=$(sh "$common/variant.sh" beneath 0x200000) ||
	    atf_fail "no such build"
	start_qgad -c "$PWD/conf"
	for what in 'dir dir/file' 'name name'; do
		# shellcheck disable=SC2086
		race 200 r $what
		[ "$(raced V)" -gt 0 ] || atf_fail "the control passes"
	done
	race 200 w name name
	[ "$(cat out/file)" = w ] || atf_fail "the control passes: w"
	stop_qgad
}
exchange_cleanup() {
	cleanup_qgad
}

# --- files that never answer ---

# A build whose deadlines are a fortieth: 3 seconds.
hasty() {
	prefix=$(sh "$common/variant.sh" deadlines 0x100000) ||
	    atf_fail "no such build"
}

others_served() {
	qga '{"execute":"guest-ping"}' >reply
	grep -q '{"return": {}}' reply || atf_fail "ping: $(cat reply)"
	opens "$PWD/other" w
	file write '"buf-b64":"YWJj"' >reply
	grep -q '"count": 3' reply || atf_fail "write: $(cat reply)"
	file flush >reply
	grep -q '{"return": {}}' reply || atf_fail "flush: $(cat reply)"
	file close >reply
	[ "$(cat other)" = abc ] || atf_fail "other has: $(cat other)"
}

timed_out() {
	grep -q "Command guest-file-$1 timed out after 120 seconds" reply ||
	    { show_log; atf_fail "$1: $(cat reply)"; }
}

atf_test_case frozen cleanup
frozen_head() {
	atf_set descr "a write to a file system that is frozen from outside"
	atf_set require.user root
	atf_set timeout 300
}
frozen_body() {
	need_linux
	need_prog mkfs.ext4 fsfreeze losetup mount
	hasty
	mkdir disk
	truncate -s 16M image
	mkfs.ext4 -q image || atf_skip "no mkfs.ext4"
	mount -o loop image disk || atf_skip "no loop device"
	start_qgad
	for n in 1 2 3 4 5 6 7 8; do
		opens "$PWD/disk/file$n" w
		cp handle handle.$n
	done
	opens "$PWD/other" w
	cp handle handle.other
	# Whatever becomes of this test, the disk is thawed.
	{ sleep 90; fsfreeze -u disk; } >watchdog 2>&1 &
	echo $! >watchdog.pid
	fsfreeze -f disk || atf_fail "fsfreeze"
	for n in 1 2 3 4 5 6 7 8; do
		cp handle.$n handle
		file write '"buf-b64":"YWJj"' >reply
		timed_out write
		[ $n -ne 1 ] || others_served
	done
	# So many cannot be killed; no new one, but what is open works.
	wait_for grep -q 'file, pid .* written off (8 of 8)' qgad.log ||
	    { show_log; atf_fail "not written off"; }
	refuses 'too many of them are stuck' "$PWD/other"
	cp handle.other handle
	file write '"buf-b64":"YWJj"' >reply
	grep -q '"count": 3' reply || atf_fail "write: $(cat reply)"
	cp handle.1 handle
	file read >reply
	grep -q "handle '$(cat handle)' has not been found" reply ||
	    atf_fail "read: $(cat reply)"
	fsfreeze -u disk || atf_fail "thaw"
	# They end, and are counted no more.
	wait_for one_role file || atf_fail "they do not end"
	wait_for eval 'open "$PWD/other" | grep -q return' ||
	    atf_fail "open: $(open "$PWD/other")"
	stop_qgad
	umount disk
}
frozen_cleanup() {
	[ ! -d disk ] || fsfreeze -u disk 2>/dev/null
	cleanup_qgad
	[ ! -f watchdog.pid ] || kill "$(cat watchdog.pid)" 2>/dev/null
	umount -l disk 2>/dev/null
	return 0
}

atf_test_case fuse cleanup
fuse_head() {
	atf_set descr "a file system in user space that never answers"
	atf_set require.user root
	atf_set timeout 300
}
fuse_body() {
	need_linux
	[ -e /dev/fuse ] || atf_skip "no /dev/fuse"
	hasty
	mkdir disk
	"$common/../system/h_fuse" "$PWD/disk" >fuse.out 2>&1 &
	echo $! >fuse.pid
	wait_for grep -q mounted fuse.out || atf_skip "$(cat fuse.out)"
	start_qgad
	open "$PWD/disk/open" >reply
	timed_out open
	others_served
	opens "$PWD/disk/read" r+
	file read >reply
	timed_out read
	others_served
	opens "$PWD/disk/read" r+
	file write '"buf-b64":"YWJj"' >reply
	timed_out write
	others_served
	wait_for grep -q 'file.*, pid .* written off (3 of 8)' qgad.log ||
	    { show_log; atf_fail "not written off"; }
	kill "$(cat fuse.pid)"
	wait_for eval '[ -z "$(role_pids file)$(role_pids file-opening)" ]' ||
	    atf_fail "they do not end"
	stop_qgad
}
fuse_cleanup() {
	[ ! -f fuse.pid ] || kill "$(cat fuse.pid)" 2>/dev/null
	cleanup_qgad
	umount -l disk 2>/dev/null
	return 0
}

# The deadline is the worker's, not the host's that reads slowly.
atf_test_case slow_host cleanup
slow_host_head() {
	atf_set descr "a host that does not read for longer than the deadline"
	atf_set require.user root
	atf_set timeout 300
}
slow_host_body() {
	need_linux
	need_prog sha256sum
	hasty
	configure '[limits]' 'max-reply = 68M'
	start_qgad -c "$PWD/conf"
	head -c 48000000 /dev/urandom >in
	sha256sum <in >sum.in
	"$common/../system/h_file" "$PWD/sock" slow "$PWD/in" 48000000 |
	    sha256sum >sum
	cmp sum.in sum || { show_log; atf_fail "other bytes"; }
	! grep -q killed qgad.log || { show_log; atf_fail "killed"; }
	stop_qgad
}
slow_host_cleanup() {
	cleanup_qgad
}

# Whose fault a pause is, the worker does not decide.
atf_test_case liar cleanup
liar_head() {
	atf_set descr "a worker that puts its idleness on the host ends in time"
	atf_set require.user root
	atf_set timeout 300
}
liar_body() {
	need_linux
	need_prog unshare
	hasty
	for how in silent waiting surplus; do
		spawn_liar "$how"
		opens "$PWD/other"
		file read >reply
		# Of the last the host has what it asked for already.
		if [ $how = surplus ]; then
			grep -q '"count": 4096' reply || atf_fail surplus
		else
			timed_out read
		fi
		wait_for grep -q 'its request.s deadline has passed' \
		    qgad.log || { show_log; atf_fail "$how: not ended"; }
		stop_qgad
	done
	# The control: the monitor believes it.
	prefix=$(sh "$common/variant.sh" without-waiting 0x500000) ||
	    atf_fail "no such build"
	spawn_liar waiting
	opens "$PWD/other"
	! "$qgaclient" -t 9 "$PWD/sock" '{"execute":"guest-file-read",
	    "arguments":{"handle":'"$(cat handle)"'}}' >reply 2>&1 ||
	    atf_fail "the control passes"
	stop_qgad
}
liar_cleanup() {
	cleanup_qgad
}

# spawn_liar HOW: the agent, with regress/rogue/liar for its file worker
spawn_liar() {
	mkdir -p state
	echo x >other
	: >qgad.log
	echo "$1 $(sed -n 's/.*"\(.*\)".*/\1/p' "$prefix/../buildid.h")" \
	    >liar.how
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m --propagation private sh -c '
	    mount --bind "$1" "$2/libexec/qgad/qgad-file" || exit 1
	    at=$2; shift 2; exec "$at/sbin/qgad" "$@"' sh \
	    "$common/../rogue/liar" "$prefix" -t "$PWD/state" \
	    -l "$PWD/qgad.log" -m unix-listen -p "$PWD/sock" \
	    >qgad.out 2>>qgad.err &
	echo $! | tee -a qgad.pids >qgad.pid
	answers || { show_log; atf_fail "no answer"; }
}

# --- much ---

atf_test_case gibibyte cleanup
gibibyte_head() {
	atf_set descr "1 GiB in and out again: the same sum, constant memory"
	atf_set require.user root
	atf_set timeout 600
}
gibibyte_body() {
	need_linux
	need_prog sha256sum
	configure '[limits]' 'max-reply = 68M'
	start_qgad -c "$PWD/conf"
	head -c 1073741824 /dev/urandom | tee in | sha256sum >sum.in
	for how in 'put 1048576' 'get 50331648'; do
		size=${how#* }
		case $how in
		put*)	rm -f made
			"$common/../system/h_file" "$PWD/sock" put "$PWD/made" \
			    "$size" <in || { show_log; atf_fail "$how"; }
			sha256sum <made >sum ;;
		get*)	"$common/../system/h_file" "$PWD/sock" get "$PWD/made" \
			    "$size" | sha256sum >sum ;;
		esac
		cmp sum.in sum || { show_log; atf_fail "$how: other bytes"; }
	done
	stop_qgad
}
gibibyte_cleanup() {
	cleanup_qgad
	rm -f in made
}

# --- nobody waits ---

atf_test_case orphan cleanup
orphan_head() {
	atf_set descr "A job that does not start ends with its deadline, \
though the frontend that asked has gone"
	atf_set require.user root
}
orphan_body() {
	start_qgad
	worker=$(role_pid exec-spare)
	kill -STOP "$worker"
	# Once more if it was killed before it had sent anything.
	for pause in 1 2 3; do
		"$qgaclient" -t 10 "$PWD/sock" '{"execute":"guest-exec",
		    "arguments":{"path":"/bin/true"}}' >reply 2>&1 &
		sleep $pause
		kill -KILL "$(role_pid frontend)"
		answers || { show_log; atf_fail "no new frontend"; }
		grep -q 'guest-exec .*the frontend has gone' qgad.log && break
	done
	wait_seconds=30 wait_for gone "$worker" ||
	    { kill -CONT "$worker"; show_log; atf_fail "it waits for ever"; }
	answers || { show_log; atf_fail "no answer"; }
	stop_qgad
}
orphan_cleanup() {
	cleanup_qgad
}

# --- many ---

atf_test_case descriptors cleanup
descriptors_head() {
	atf_set descr "A host that opens all it may leaves the agent whole"
	atf_set require.user root
}
descriptors_body() {
	# shellcheck disable=SC3045 # every shell of Linux has it
	ulimit -S -n 64 || atf_skip "no limit of descriptors"
	start_qgad
	i=0
	while [ $i -lt 64 ]; do
		opens /dev/null
		i=$((i + 1))
	done
	refuses "the bound is max-files = 64" /dev/null
	file read >reply
	grep -q '"eof": true' reply || { show_log; atf_fail "$(cat reply)"; }
	kill -KILL "$(role_pid frontend)"
	answers || { show_log; atf_fail "no new frontend"; }
	file close >reply
	# What a job may have is what we were given.
	qga '{"execute":"guest-exec","arguments":{"path":"/bin/sh",
	    "arg":["-c","ulimit -n"],"capture-output":true}}' >reply
	job=$(tr -dc 0-9 <reply)
	wait_for ended "$job" || { show_log; atf_fail "$(cat reply)"; }
	grep -q '"out-data": "NjQK"' reply || atf_fail "$(cat reply)"
	stop_qgad
}
descriptors_cleanup() {
	cleanup_qgad
}

ended() {
	qga '{"execute":"guest-exec-status","arguments":{"pid":'"$1"'}}' \
	    >reply
	grep -q '"exited": true' reply
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case rules
	atf_add_test_case no_rule
	atf_add_test_case reread
	atf_add_test_case exchange
	atf_add_test_case frozen
	atf_add_test_case fuse
	atf_add_test_case slow_host
	atf_add_test_case liar
	atf_add_test_case gibibyte
	atf_add_test_case orphan
	atf_add_test_case descriptors
}
