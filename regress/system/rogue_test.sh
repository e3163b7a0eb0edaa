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

# A frontend in an attacker's hands (regress/rogue) against the real monitor:
# whatever it sends, the monitor lives on and loses nothing, a broken message
# ends its sender, what the policy refuses is answered and not done, and the
# real frontend, put back in its place, serves.
#
# The rogue stands over sbin/qgad in a mount namespace of the monitor's own.
# There every program that ends the system is another, harmless one, and the
# monitor lacks what it takes to set the clock, trim or suspend, so that a
# test that goes wrong harms nothing.

SYSTEM="guest-shutdown guest-set-time guest-set-vcpus guest-set-memory-blocks
guest-fstrim guest-suspend-disk guest-suspend-ram guest-suspend-hybrid"
OFF=$(echo $SYSTEM | tr ' ' ,)
GROUPS_OF_ATTACKS=24

begin() {
	top=$PWD
	need_root
	need_linux
	need_prog unshare mount setpriv
	unshare -m true 2>/dev/null || atf_skip "no mount namespaces"
	[ -x "$common/../rogue/rogue" ] || atf_fail "no rogue was built"
}

# spawn DIR BLOCKED [ARGS]: a monitor there, with the rogue for its frontend,
# whose script is standard input
spawn() {
	cd "$top" || exit 1
	mkdir "$1"
	cd "$1" || atf_fail "cd $1"
	echo "$PWD" >>"$top/places"
	mkdir state rogue
	cp "$common/../rogue/rogue" rogue/qgad || atf_fail "no rogue"
	[ ! -f "$prefix/../buildid.h" ] ||
	    sed -n 's/.*"\(.*\)".*/\1/p' "$prefix/../buildid.h" \
	    >rogue/rogue.build
	cat >rogue/rogue.script
	: >rogue/rogue.log
	printf '#!/bin/sh\necho "$0 $*" >>%s/over\nexit 1\n' "$PWD" >harmless
	chmod 755 . rogue rogue/qgad harmless
	printf '[limits]\nfrontend-restarts = %s\n' "${restarts:-1000}" >conf
	for command in $SYSTEM; do
		case ,$2, in
		*,$command,*) ;;
		*) atf_fail "$command is not blocked" ;;
		esac
	done
	shift
	# shellcheck disable=SC2016 # for the inner sh
	unshare -m --propagation private sh -c '
	    for p in poweroff halt reboot shutdown chpasswd; do
		[ ! -e "/sbin/$p" ] ||
		    mount --bind "$1/harmless" "/sbin/$p" || exit 1
	    done
	    mount --bind "$1/rogue" "$2/sbin" || exit 1
	    [ ! -e /sys/power/state ] ||
		mount --bind "$1/harmless" /sys/power/state || exit 1
	    at=$2; shift 2
	    exec setpriv --bounding-set=-sys_time,-sys_boot,-sys_admin \
		"$at/libexec/qgad/qgad-parent" "$@"' sh \
	    "$PWD" "$prefix" -c "$PWD/conf" -t "$PWD/state" \
	    -l "$PWD/qgad.log" -m unix-listen -p "$PWD/sock" -b "$@" \
	    >qgad.out 2>>qgad.err &
	echo $! >>qgad.pids
	echo $! >qgad.pid
}

at() {
	cd "$top/$1" || atf_fail "cd $1"
}

cleanup_all() {
	[ -f places ] || return 0
	while read -r place; do
		(cd "$place" && cleanup_qgad)
	done <places
}

# --- what is asserted ---

wrong() {
	tail -n 30 rogue/rogue.log | sed 's/^/rogue.log: /' >&2
	[ ! -s qgad.err ] || sed 's/^/qgad.err: /' qgad.err >&2
	[ ! -s qgad.log ] || tail -n 30 qgad.log | sed 's/^/qgad.log: /' >&2
	atf_fail "$*"
}

# says RE [SECONDS]: the rogue's log has such a line, or gets it
says() {
	wait_seconds=${2:-20} wait_for grep -q -e "$1" rogue/rogue.log ||
	    wrong "the rogue's log has no: $1"
}

says_not() {
	! grep -e "$1" rogue/rogue.log >&2 || wrong "the rogue's log has: $1"
}

logged() {
	wait_for grep -q -e "$1" qgad.log || wrong "the log has no: $1"
}

logged_not() {
	! grep -e "$1" qgad.log >&2 || wrong "the log has: $1"
}

# count RE FILE
count() {
	grep -c -e "$1" "$2"
}

alive() {
	! gone "$(qgad_pid)" || wrong "the monitor has ended"
}

descriptors() {
	find "/proc/$(qgad_pid)/fd" -type l 2>/dev/null | wc -l
}

zombies() {
	for zombie in $(children_of "$(qgad_pid)"); do
		case $(ps -o stat= -p "$zombie") in
		Z*) echo "$zombie" ;;
		esac
	done
}

# settled DESCRIPTORS: so many, and nobody waits to be reaped
settled() {
	[ "$(descriptors)" -eq "$1" ] && [ -z "$(zombies)" ] &&
	    one_role frontend && one_role exec-spare && one_role log
}

unchanged() {
	wait_for settled "$1" || {
		ls -l "/proc/$(qgad_pid)/fd" >&2
		ps -A -o ppid,pid,stat,args | grep "^ *$(qgad_pid) " >&2
		wrong "$(descriptors) descriptors, there were $1"
	}
}

# What it holds when all is quiet: with a frontend that has said hello.
quiet() {
	says 'got policy'
	wait_for eval 'one_role frontend && one_role exec-spare && one_role log
	    [ -z "$(zombies)" ]'
	descriptors
}

# The monitor's anonymous memory stays small, kB.
small() {
	[ "$(atf_config_get sanitized no)" = no ] || return 0
	small_now=$(awk '$1 == "RssAnon:" { print $2 }' \
	    "/proc/$(qgad_pid)/status")
	[ "$small_now" -le 6144 ] || wrong "the monitor has $small_now kB"
}

# Ticks of processor time.
spent() {
	sed 's/.*) //' "/proc/$(qgad_pid)/stat" | awk '{ print $12 + $13 }'
}

# It waits, and does not spin.
idle() {
	idle_before=$(spent)
	sleep 1
	idle_after=$(spent)
	[ $((idle_after - idle_before)) -le 10 ] ||
	    wrong "$((idle_after - idle_before)) ticks in a second"
}

# The real frontend in the rogue's place.
restore() {
	replace
	answers || wrong "the real frontend does not answer"
}

replace() {
	{ cp "$prefix/sbin/qgad" rogue/real && mv -f rogue/real rogue/qgad; } ||
	    atf_fail "the real frontend"
	end_frontend
}

end_frontend() {
	for end_pid in $(role_pids frontend); do
		kill -KILL "$end_pid"
	done
}

# serves [refused]: a ping, and a program that runs, or does not
serves() {
	qga '{"execute":"guest-ping"}' >reply
	grep -q '{"return": {}}' reply || wrong "ping: $(cat reply)"
	qga '{"execute":"guest-exec","arguments":{"path":"/usr/bin/touch",'\
'"arg":["'"$PWD"'/served"]}}' >reply
	if [ "${1:-}" = refused ]; then
		grep -q CommandNotFound reply || wrong "exec: $(cat reply)"
		[ ! -e served ] || wrong "a blocked program was run"
	else
		grep -q '"pid"' reply || wrong "exec: $(cat reply)"
		wait_for test -e served || wrong "the program did not run"
	fi
}

# Nothing of the rogue's was carried out; and the end.
the_end() {
	alive
	stop_qgad
	says_not 'SURVIVED\|UNANSWERED\|BROKEN'
	[ ! -e rogue/marker ] || wrong "a blocked program was run"
	[ ! -e over ] || wrong "a shutdown was carried out: $(cat over)"
}

# --- messages that break the protocol ---

atf_test_case sweep cleanup
sweep_head() {
	atf_set descr "each broken message ends its sender and nothing else"
	atf_set timeout 240
}
sweep_body() {
	begin
	group=0
	while [ $group -lt $GROUPS_OF_ATTACKS ]; do
		echo hello >script
		spawn g$group $OFF,guest-exec <script
		cd "$top" || exit 1
		group=$((group + 1))
	done
	group=0
	while [ $group -lt $GROUPS_OF_ATTACKS ]; do
		at g$group
		quiet >quiet
		echo "sweep $group $GROUPS_OF_ATTACKS" >rogue/rogue.script
		end_frontend
		group=$((group + 1))
	done
	ended=0 fine=0 closed=0 group=0
	while [ $group -lt $GROUPS_OF_ATTACKS ]; do
		at g$group
		swept
		group=$((group + 1))
	done
	group=0
	while [ $group -lt $GROUPS_OF_ATTACKS ]; do
		at g$group
		answers || wrong "the real frontend does not answer"
		unchanged "$(cat quiet)"
		serves refused
		the_end
		group=$((group + 1))
	done
	echo "$ended attacks ended their sender, $fine were answered," \
	    "$closed closed by themselves"
	[ "$ended" -ge 700 ] || atf_fail "too few attacks: $ended"
}
sweep_cleanup() {
	cleanup_all
}

# One group has done its attacks.  Its log has a line for each attack, and the monitor's one
# for each frontend that it ended.
swept() {
	says '^sweep done' 120
	alive
	small
	# shellcheck disable=SC2046 # words
	set -- $(sed -n 's/^sweep done: //p' rogue/rogue.log | tail -n 1)
	[ "$(count '^fine' rogue/rogue.log)" -eq "$3" ] ||
	    wrong "$3 messages should have been answered"
	[ "$(count '^closes' rogue/rogue.log)" -eq "$5" ] ||
	    wrong "$5 should have closed"
	wait_for eval '[ "$(count "frontend, pid [0-9]*: killed: " qgad.log)" \
	    -eq '"$1"' ]' || wrong "$1 should have been killed"
	replace
	ended=$((ended + $1)) fine=$((fine + $3)) closed=$((closed + $5))
}

atf_test_case too_often cleanup
too_often_head() {
	atf_set descr "a frontend that ends over and over: status 75"
}
too_often_body() {
	begin
	restarts=5
	spawn t $OFF <<-'EOT'
	attack hello valid
	EOT
	wait_for gone "$(qgad_pid)" || wrong "the monitor goes on"
	[ "$(cat rogue/rogue.starts)" -eq 6 ] ||
	    wrong "$(cat rogue/rogue.starts) starts"
	grep -q 'ended too often' qgad.log qgad.err || wrong "it does not say why"
	status=0
	wait "$(qgad_pid)" || status=$?
	[ "$status" -eq 75 ] || wrong "status $status"
}
too_often_cleanup() {
	cleanup_all
}

atf_test_case wrong_build cleanup
wrong_build_head() {
	atf_set descr "hello of another build: the monitor anew, once; then 75"
}
wrong_build_body() {
	begin
	spawn w $OFF <<-'EOT'
	hello wrong
	wait
	EOT
	wait_for gone "$(qgad_pid)" || wrong "the monitor goes on"
	[ "$(cat rogue/rogue.starts)" -eq 2 ] ||
	    wrong "$(cat rogue/rogue.starts) starts"
	[ "$(cat qgad.log qgad.err | grep -c 'another build is installed')" \
	    -eq 1 ] || wrong "not started anew, or more than once"
	status=0
	wait "$(qgad_pid)" || status=$?
	[ "$status" -eq 75 ] || wrong "status $status"
}
wrong_build_cleanup() {
	cleanup_all
}

# --- messages that are in order, and too many or none ---

atf_test_case flood cleanup
flood_head() {
	atf_set descr "requests whose answers are not read, log lines: bounded"
}
flood_body() {
	begin
	spawn f $OFF <<-'EOT'
	hello
	EOT
	before=$(quiet)
	printf 'hello\nuntil policy\nflood 1000000 ask\n' >rogue/rogue.script
	end_frontend
	says '^flooded'
	small
	# Without a bound they would all be taken, and all answers kept.
	says '^flooded full'
	says '^flood answered all'
	idle
	printf 'hello\nuntil policy\nflood 100000 log\nask guest-ping\n' \
	    >rogue/rogue.script
	end_frontend
	says '^flooded all' 60
	says 'sent ask id 1 '
	says_not UNANSWERED
	small
	logged 'lines of the log were lost'
	# At most fifty lines of a child's in a second are kept.
	[ "$(count 'frontend\[' qgad.log)" -le 2000 ] ||
	    wrong "$(count 'frontend\[' qgad.log) lines of the flood"
	restore
	unchanged "$before"
	serves
	the_end
}
flood_cleanup() {
	cleanup_all
}

atf_test_case forged_log cleanup
forged_log_head() {
	atf_set descr "a frontend's log line is shown as its own, on one line"
}
forged_log_body() {
	begin
	spawn l $OFF <<-'EOT'
	log 4 pretended\nqgad-parent: audit: seq=1 command=guest-exec
	log 0 loud
	hello
	until policy
	EOT
	says 'got policy'
	logged loud
	[ "$(count pretended qgad.log)" -eq 1 ] || wrong "no line, or several"
	[ "$(count 'frontend\[[0-9]*\]: pretended.*audit' qgad.log)" -eq 1 ] ||
	    wrong "it does not show who says so"
	logged_not '^qgad-parent: audit'
	the_end
}
forged_log_cleanup() {
	cleanup_all
}

atf_test_case stuffed cleanup
stuffed_head() {
	atf_set descr "requests sent together are answered one after another"
}
stuffed_body() {
	begin
	spawn s $OFF <<-'EOT'
	hello
	until policy
	stuff 50
	EOT
	says 'sent 50 queries'
	logged 'frontend\[[0-9]*\]: stuffed'
	alive
	the_end
}
stuffed_cleanup() {
	cleanup_all
}

# One that says no hello is ended; one that is silent later is waited for.
# Its end is seen, and the monitor's own does not wait for it.
atf_test_case silent cleanup
silent_head() {
	atf_set descr "a silent frontend costs nothing"
}
silent_body() {
	begin
	for how in hello mute; do
		case $how in
		mute)	echo wait 3600 ;;
		hello)	printf 'hello\nuntil policy\nwait 3600\n' ;;
		esac >script
		spawn $how $OFF <script
		cd "$top" || exit 1
	done
	for how in hello mute; do
		at $how
		case $how in
		mute)	says '^start 1 ' ;;
		hello)	says '^got channel\|^got policy' ;;
		esac
		idle
		[ $how = mute ] || end_frontend
		says '^start 2 '
		[ $how != mute ] || logged 'killed: it does not start'
		left=$(role_pid frontend)
		the_end
		wait_for gone "$left" ||
		    atf_fail "$how: the frontend outlived the monitor"
		cd "$top" || exit 1
	done
}
silent_cleanup() {
	cleanup_all
}

atf_test_case stopped cleanup
stopped_head() {
	atf_set descr "a stopped frontend, by itself or from outside, is replaced"
}
stopped_body() {
	begin
	spawn rogue $OFF <<-'EOT'
	hello
	until policy
	once
	stop
	EOT
	says '^stops'
	says '^start 2 '
	logged 'frontend, pid [0-9]*: killed: it was stopped'
	alive
	the_end

	cd "$top" || exit 1
	mkdir real
	echo "$PWD/real" >>places
	cd real || exit 1
	start_qgad
	stopped=$(role_pid frontend)
	kill -STOP "$stopped"
	wait_for gone "$stopped" || wrong "it stands there still"
	wait_for answers || wrong "no other frontend answers"
	logged "frontend, pid $stopped: killed: it was stopped"
	stop_qgad
}
stopped_cleanup() {
	cleanup_all
}

# --- what the policy says ---

atf_test_case refused cleanup
refused_head() {
	atf_set descr "what is blocked is refused, on record, and not done"
}
refused_body() {
	begin
	blocked="$SYSTEM guest-exec guest-exec-status guest-get-osinfo"
	{
		echo hello
		echo until policy
		echo query guest-get-osinfo
		echo until reply
		echo "exec /usr/bin/touch $PWD/r/rogue/marker"
		echo until reply
		echo exec-status 1
		echo until reply
		for message in shutdown set-time set-vcpus \
		    set-memory-blocks fstrim suspend; do
			echo "change $message"
			echo until reply
		done
		echo ask-all
		echo query guest-get-host-name
		echo until results
		echo wait 0
	} >script
	spawn r "$(echo $blocked | tr ' ' ,)" <script
	says '^waited'
	says_not 'UNANSWERED\|BROKEN'
	for id in 1 2 3 4 5 6 7 8 9; do
		says "^got reply id $id refused .* has been disabled"
	done
	for command in $blocked; do
		logged "command=$command .*verdict=refused"
		id=$(sed -n "s/^sent ask id \([0-9]*\) $command\$/\1/p" \
		    rogue/rogue.log)
		says "^got reply id $id refused"
	done
	[ "$(count '^got reply id [0-9]* empty' rogue/rogue.log)" -eq \
	    $(($(count '^sent ask' rogue/rogue.log) - \
	    $(echo $blocked | wc -w))) ] ||
	    wrong "not every other command is allowed"
	says 'bytes of results'
	logged_not 'verdict=allowed'
	[ "$(cat rogue/rogue.starts)" -eq 1 ] || wrong "it was ended"
	restore
	serves refused
	the_end
}
refused_cleanup() {
	cleanup_all
}

# That all this is not for a rogue that can do nothing.
atf_test_case allowed cleanup
allowed_head() {
	atf_set descr "what is allowed is done, for the rogue too"
}
allowed_body() {
	begin
	spawn a $OFF <<-EOT
	hello
	until policy
	exec /usr/bin/touch $PWD/a/made
	until reply
	wait 1
	exec-status
	until reply
	exec /nonexistent
	until reply
	exec-status 1
	until reply
	wait 0
	EOT
	says '^waited'
	says '^got reply id 1 number number [1-9]'
	says '^got reply id 2 exec exited 1 signaled 0 code 0 '
	says '^got reply id 3 error .*/nonexistent'
	says '^got reply id 4 error .*PID 1 does not exist'
	[ -e made ] || wrong "the program did not run"
	logged 'command=guest-exec .*verdict=allowed'
	restore
	serves
	the_end
}
allowed_cleanup() {
	cleanup_all
}

atf_test_case input cleanup
input_head() {
	atf_set descr "input-data that does not come, is short, or is too long"
}
input_body() {
	begin
	for how in none short long; do
		case $how in
		none)	sends=0 ;;
		short)	sends=500 ;;
		long)	sends=5000 ;;
		esac
		spawn $how $OFF <<-EOT
		hello
		until policy
		input 1000 $sends /usr/bin/tee $PWD/$how/made
		until reply 30
		ask guest-ping
		EOT
		cd "$top" || exit 1
	done
	at short
	says '^got reply id 1 error .*(Software caused connection abort)'
	at long
	says '^got reply id 1 number number [1-9]'
	wait_for eval '[ "$(wc -c <made)" -eq 1000 ]' ||
	    wrong "not the input that was said"
	at none
	before=$(descriptors)
	says '^got reply id 1 error .*timed out after 10 seconds' 30
	for how in none short long; do
		at $how
		says '^sent ask id 2'
		[ $how = long ] || [ ! -e made ] || wrong "the program ran"
		wait_for one_role exec-spare || wrong "no worker is ready"
		restore
		serves
		the_end
	done
}
input_cleanup() {
	cleanup_all
}

# A write was authorised for 1000 bytes: not one more is written, however they
# come, and none once its deadline has passed.
atf_test_case drip cleanup
drip_head() {
	atf_set descr "bytes that drip past an authorised write are not written"
	atf_set timeout 300
}
drip_body() {
	begin
	spawn past $OFF <<-EOT
	hello
	until policy
	open $PWD/past/made 2
	until reply
	write 1000 5000
	until reply
	flush
	until reply
	wait 0
	EOT
	says '^waited'
	says '^got reply id 1 number number 1000 '
	says '^got reply id 2 number number 1000 '
	says '^got reply id 3 empty'
	[ "$(wc -c <made)" -eq 1000 ] || wrong "$(wc -c <made) bytes"
	restore
	serves
	the_end

	# Deadlines are a fortieth of what they are.
	cd "$top" || exit 1
	prefix=$(sh "$common/variant.sh" deadlines 0x100000) ||
	    atf_fail "no such build"
	spawn late $OFF <<-EOT
	hello
	until policy
	open $PWD/late/made 2
	until reply
	write 1000 500
	until reply
	wait 0
	EOT
	says '^waited' 60
	says '^got reply id 2 error .*guest-file-write timed out'
	[ "$(wc -c <made)" -eq 500 ] || wrong "$(wc -c <made) bytes"
	logged 'handle=1000 .*written=0 .*end="the worker ended within'
	the_end
}
drip_cleanup() {
	cleanup_all
}

# Its user is the frontend's alone.
atf_test_case signals cleanup
signals_head() {
	atf_set descr "the frontend's user may signal no other process"
}
signals_body() {
	begin
	spawn k $OFF <<-'EOT'
	hello
	until policy
	query guest-get-host-name
	until results
	signals
	confine
	signals
	wait 0
	EOT
	says '^waited'
	sed -n '/^confined/,$p' rogue/rogue.log >confined
	[ "$(count '^signal .* not permitted' confined)" -ge 4 ] ||
	    wrong "log, query, exec and the monitor should be there"
	! grep '^signal .* allowed' confined >&2 || wrong "a signal is allowed"
	# The control: as root it may.
	sed '/^confined/,$d' rogue/rogue.log >root
	[ "$(count '^signal .* allowed' root)" -ge 4 ] ||
	    wrong "root may not either"
	the_end
}
signals_cleanup() {
	cleanup_all
}

# --- the defences off ---

atf_test_case without_policy cleanup
without_policy_head() {
	atf_set descr "control: without the monitor's policy it is done"
	atf_set timeout 300
}
without_policy_body() {
	begin
	prefix=$(sh "$common/variant.sh" rogue-policy 0x1000) ||
	    atf_fail "no such build"
	spawn p $OFF,guest-exec <<-EOT
	hello
	until policy
	exec /usr/bin/touch $PWD/p/rogue/marker
	until reply
	EOT
	says '^got reply id 1 number number [1-9]'
	wait_for test -e rogue/marker || wrong "the control passes"
	rm -f rogue/marker
	the_end
}
without_policy_cleanup() {
	cleanup_all
}

atf_test_case without_messages cleanup
without_messages_head() {
	atf_set descr "control: without the checks a broken message passes"
	atf_set timeout 300
}
without_messages_body() {
	begin
	prefix=$(sh "$common/variant.sh" rogue-messages 0x2000) ||
	    atf_fail "no such build"
	spawn long $OFF <<-'EOT'
	attack query long
	EOT
	spawn fd $OFF <<-'EOT'
	attack query valid with a descriptor
	EOT
	for how in long fd; do
		at $how
		says '^SURVIVED query' 30
		[ "$(cat rogue/rogue.starts)" -eq 1 ] || wrong "it was ended"
		stop_qgad
	done
}
without_messages_cleanup() {
	cleanup_all
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case sweep
	atf_add_test_case too_often
	atf_add_test_case wrong_build
	atf_add_test_case flood
	atf_add_test_case forged_log
	atf_add_test_case stuffed
	atf_add_test_case silent
	atf_add_test_case stopped
	atf_add_test_case refused
	atf_add_test_case allowed
	atf_add_test_case input
	atf_add_test_case drip
	atf_add_test_case signals
	atf_add_test_case without_policy
	atf_add_test_case without_messages
}
