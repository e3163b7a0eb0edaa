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

# Shared by the system tests: starts and stops a real qgad in the test's work
# directory and talks to it.  A test case's body and its cleanup are separate
# Whatever dies, whenever: each process is killed at each point of a freeze.
# What must be seen: all is thawed, the thaw hooks ran, the host got an answer
# or an error (or the end of its connection, where the frontend died), and
# the next freeze works.  The cases are a table in the output; one that takes
# more than ten seconds fails.
#
# The points are reached by what the test holds: a lock that the hook worker
# waits for, a FIFO that a hook reads, a lower file system that the test
# itself froze (a freeze or thaw of what lies on it then waits), or a freezer
# that is stopped while a hook is held.
#
#	lower1, lower2	not in the list; frozen by the test alone
#	one		on lower1, frozen first
#	two		on lower2, frozen second and thawed first

victims='monitor frontend freezer keeper hook-worker hook-script all'

# --- processes, of this cage only ---

# titled TITLE: pids in the cage whose title has that
titled() {
	for t in /proc/[0-9]*; do
		[ "$(readlink "$t/ns/mnt" 2>/dev/null)" = "$cage_ns" ] ||
		    continue
		case $(tr '\0' ' ' <"$t/cmdline" 2>/dev/null) in
		*"$1"*)
			gone "${t#/proc/}" || echo "${t#/proc/}" ;;
		esac
	done
}

pids_of() {
	case $1 in
	monitor)	qgad_pid ;;
	frontend)	titled 'qgad: frontend' ;;
	freezer)	titled 'qgad-freeze: freeze' ;;
	keeper)		titled 'qgad-freeze: keeper' ;;
	hook-worker)	titled 'qgad-hook: hook' | head -n 1 ;;
	hook-script)	titled '/hooks/h ' ;;
	all)
		titled qgad
		titled '/hooks/h ' ;;
	esac
}

there() {
	[ -n "$(pids_of "$1")" ]
}

state_of() {
	sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null
}

in_disk_wait() {
	p=$(pids_of freezer) && [ -n "$p" ] && [ "$(state_of "$p")" = D ]
}

# Another than the stopped one waits as well: the next monitor's.
both_wait() {
	n=0
	for p in $(pids_of freezer); do
		[ "$(state_of "$p")" = D ] || return 1
		n=$((n + 1))
	done
	[ $n -ge 2 ]
}

# --- the points; each leaves what holds it for release() ---

request() {
	"$qgaclient" -t 60 "$PWD/sock" "$1" >"answer" 2>&1 8>&- 9>&- &
	client=$!
}

freeze_list='{"execute":"guest-fsfreeze-freeze-list","arguments":{"mountpoints":["/mnt/one","/mnt/two"]}}'
thaw='{"execute":"guest-fsfreeze-thaw"}'

hold_hook() {
	: >"cage/run/hold-$1"
}

hooks_line() {
	[ "$(tail -n 1 cage/run/hooks)" = "h $1" ]
}

frozen_now() {
	grep -q '"return": 2' answer
}

reach() {
	case $1 in
	before-hooks)
		(umask 077 && : >>cage/run/state/qgad.hooks)
		exec 8>>cage/run/state/qgad.hooks
		flock 8
		request "$freeze_list"
		wait_for there hook-worker ;;
	in-hook)
		hold_hook freeze
		request "$freeze_list"
		wait_for hooks_line freeze && wait_for there hook-script ;;
	before-freeze)
		hold_hook freeze
		request "$freeze_list"
		wait_for hooks_line freeze || return 1
		stopped=$(pids_of freezer)
		kill -STOP "$stopped" || return 1
		release_hook freeze
		wait_for grep -q 'hooks done, freezing' cage/run/qgad.log ;;
	between-two)
		echo dirty$$ >"$in/mnt/two/data"
		"$h_freeze" freeze "$in/mnt/lower2" || return 1
		request "$freeze_list"
		wait_for in_disk_wait ;;
	frozen)
		request "$freeze_list"
		wait_for frozen_now ;;
	in-thaw)
		request "$freeze_list"
		wait_for frozen_now || return 1
		"$h_freeze" freeze "$in/mnt/lower1" || return 1
		request "$thaw"
		wait_for in_disk_wait ;;
	in-thaw-hooks)
		hold_hook thaw
		request "$freeze_list"
		wait_for frozen_now || return 1
		request "$thaw"
		wait_for hooks_line thaw && wait_for there hook-script ;;
	esac
}

release_hook() {
	rm -f "cage/run/hold-$1"
	echo go >&9
}

release() {
	case $1 in
	before-hooks)
		exec 8>&- ;;
	in-hook)
		release_hook freeze ;;
	before-freeze)
		kill -CONT "$stopped" 2>/dev/null ;;
	between-two)
		"$h_freeze" thaw "$in/mnt/lower2" ;;
	in-thaw)
		"$h_freeze" thaw "$in/mnt/lower1" ;;
	in-thaw-hooks)
		release_hook thaw ;;
	esac
	return 0
}

# --- one case ---

ms() {
	echo $(($(date +%s%N) / 1000000))
}

answered() {
	gone $client
}

# crash POINT VICTIM: prints the rest of the row; 1: it failed
crash() {
	stopped=
	: >cage/run/hooks
	: >answer
	# Nobody reads what one before was to.
	exec 9>&-
	rm -f cage/run/fifo cage/run/hold-*
	mkfifo cage/run/fifo
	exec 9<>cage/run/fifo
	: >cage/run/qgad.log
	if gone "$(qgad_pid)"; then
		caged_qgad
	fi
	if ! reach "$1"; then
		echo "the point is not reached"
		return 1
	fi
	victims_now=$(pids_of "$2")
	if [ -z "$victims_now" ]; then
		result='not there at this point'
	else
		result=
	fi
	began=$(ms)
	# shellcheck disable=SC2086 # a list
	[ -z "$victims_now" ] || kill -KILL $victims_now
	# The monitor is started again at once, as a service manager would.
	case $2,$1 in
	monitor,between-two | monitor,in-thaw | all,between-two | all,in-thaw)
		wait_for gone "$(qgad_pid)"
		caged_spawn
		wait_for both_wait || { echo "it does not sweep"; return 1; }
		began=$(ms) ;;
	monitor,* | all,*)
		wait_for gone "$(qgad_pid)"
		caged_spawn ;;
	esac
	release "$1"
	wait_for answered || { echo "the host has no answer"; return 1; }
	case $(cat answer) in
	*'{"return": 2}'*)
		said=answer ;;
	*'{"return": 0}'*)
		said='answer 0' ;;
	*'{"error"'*)
		said=error ;;
	*)
		said='end of connection'
		case $2 in
		monitor | frontend | all) ;;
		*)	echo "the host has no answer"; return 1 ;;
		esac ;;
	esac
	answers || { echo "no ping afterwards"; return 1; }
	# What the host does next; what went on all the same ends with it.
	case $(ask fsfreeze-thaw) in
	'{"return": 0}') then='thaw 0' ;;
	'{"return": 2}') then='thaw 2' ;;
	*)	echo "the thaw after it fails"; return 1 ;;
	esac
	"$h_freeze" writes 10 "$in/mnt/one" "$in/mnt/two" \
	    "$in/mnt/lower1" "$in/mnt/lower2" ||
	    { echo "something is frozen still"; return 1; }
	wait_for thawed || { echo "the status says frozen"; return 1; }
	if grep -q freeze cage/run/hooks && ! hooks_line thaw; then
		echo "hooks: $(paste -sd, cage/run/hooks)"
		return 1
	fi
	[ ! -e cage/run/state/qgad.frozen ] ||
	    { echo "the marker is there still"; return 1; }
	took=$(($(ms) - began))
	two='{"return": 2}'
	if [ "$(ask fsfreeze-freeze-list /mnt/one /mnt/two)" != "$two" ] ||
	    [ "$(ask fsfreeze-thaw)" != "$two" ]; then
		echo "the next freeze fails"
		return 1
	fi
	printf '%5d ms  %-18s %-8s %s\n' $took "$said" "$then" "$result"
	[ $took -le 10000 ]
}

thawed() {
	[ "$(ask fsfreeze-status)" = '{"return": "thawed"}' ]
}

matrix() {
	cage_make
	cage_ns=$(readlink "/proc/$(cat cage.pid)/ns/mnt")
	fs lower1 ext4
	fs lower2 ext4
	for pair in two:lower2 one:lower1; do
		f=/mnt/${pair#*:}/img
		truncate -s 6M "$in$f"
		mkfs.ext4 -q "$in$f"
		loop "$f"
		mkdir "cage/mnt/${pair%:*}"
		inside mount "$dev" "/mnt/${pair%:*}"
	done
	hook h <<-'EOT'
	if [ -e /run/hold-$1 ]; then
		read x </run/fifo
	fi
	EOT
	printf '[limits]\nfrontend-restarts = 1000\n' >cage/etc/qgad.conf
	caged_qgad
	bad=0
	printf '%-15s %-12s %s\n' point victim 'all is well after'
	for point in $1; do
		for victim in $victims; do
			row=$(crash "$point" "$victim") || {
				bad=$((bad + 1))
				row="FAILED: $row"
				echo "--- $point $victim" >&2
				cat answer cage/run/hooks cage/run/qgad.log >&2
			}
			printf '%-15s %-12s %s\n' "$point" "$victim" "$row"
		done
	done
	[ $bad -eq 0 ] || atf_fail "$bad cases failed"
}

about() {
	atf_set descr "each process killed, $1"
	atf_set require.user root
	atf_set timeout 300
}

atf_test_case before_hooks cleanup
before_hooks_head() {
	about "before the freeze hooks"
}
before_hooks_body() {
	matrix before-hooks
}
before_hooks_cleanup() {
	cage_cleanup
}

atf_test_case in_hook cleanup
in_hook_head() {
	about "in a freeze hook"
}
in_hook_body() {
	matrix in-hook
}
in_hook_cleanup() {
	cage_cleanup
}

atf_test_case before_freeze cleanup
before_freeze_head() {
	about "before the first freeze"
}
before_freeze_body() {
	matrix before-freeze
}
before_freeze_cleanup() {
	cage_cleanup
}

atf_test_case between_two cleanup
between_two_head() {
	about "between two freezes"
}
between_two_body() {
	matrix between-two
}
between_two_cleanup() {
	cage_cleanup
}

atf_test_case frozen cleanup
frozen_head() {
	about "while frozen"
}
frozen_body() {
	matrix frozen
}
frozen_cleanup() {
	cage_cleanup
}

atf_test_case in_thaw cleanup
in_thaw_head() {
	about "in the thaw"
}
in_thaw_body() {
	matrix in-thaw
}
in_thaw_cleanup() {
	cage_cleanup
}

atf_test_case in_thaw_hooks cleanup
in_thaw_hooks_head() {
	about "in a thaw hook"
}
in_thaw_hooks_body() {
	matrix in-thaw-hooks
}
in_thaw_hooks_cleanup() {
	cage_cleanup
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	. "$(atf_get_srcdir)/../common/cage.subr"
	atf_add_test_case before_hooks
	atf_add_test_case in_hook
	atf_add_test_case before_freeze
	atf_add_test_case between_two
	atf_add_test_case frozen
	atf_add_test_case in_thaw
	atf_add_test_case in_thaw_hooks
}
