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


# qgad as a service: how it starts, what it leaves, what signals, sockets and
# upgrades do to it, and what its log says.

ping='{"execute":"guest-ping"}'
pong='{"return": {}}'

alone() {
	QGA_CONF=/nonexistent/qga.conf
	export QGA_CONF
	unset LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
	qgad=$prefix/sbin/qgad
}

need_namespace() {
	need_linux
	need_root
	need_prog unshare
	unshare -m --propagation private true 2>/dev/null ||
	    atf_skip "needs mount namespaces"
}

# qgad -d, known to the others by its pid file
daemon() {
	mkdir -p state
	"$qgad" -d -m unix-listen -p "$PWD/sock" -f "$PWD/pid" \
	    -t "$PWD/state" -l "$PWD/qgad.log" >qgad.out 2>>qgad.err ||
	    { show_log; atf_fail "qgad -d fails"; }
	adopt
}

adopt() {
	cp pid qgad.pid
	cat pid >>qgad.pids
}

stop_daemon() {
	kill -TERM "$(qgad_pid)" || atf_fail "the daemon had ended already"
	wait_for gone "$(qgad_pid)" ||
	    { show_log; atf_fail "the daemon does not end"; }
	: >qgad.pids
}

# says REPLY REQUEST
says() {
	said=$(qga "$2") || exit 1
	[ "$said" = "$1" ] || { show_log; atf_fail "$2: $said, not $1"; }
}

# logged PATTERN: it comes to be
logged() {
	wait_for grep -Eq -- "$1" qgad.log ||
	    { show_log; atf_fail "the log does not say: $1"; }
}

not_logged() {
	grep -E -- "$1" qgad.log && { show_log; atf_fail "logged: $1"; }
	return 0
}

# refusal REQUEST: it is answered by CommandNotFound or GenericError
refusal() {
	case $(qga "$1") in
	'{"error": {'*'has been disabled'*) ;;
	*)	return 1 ;;
	esac
}

# run_job PATH [JSON-ARGUMENTS]: its pid
run_job() {
	qga "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"$1\"${2:+,$2}}}" |
	    json_get pid
}

job_over() {
	case $(qga "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":$1}}") in
	*'"exited": true'*) ;;
	*)	return 1 ;;
	esac
}

# --- the daemon ---

atf_test_case daemonize
daemonize_head() {
	atf_set descr "-d is back when it serves; pid file and lock"
	atf_set require.user root
}
daemonize_body() {
	alone
	echo 99999999 >pid
	daemon
	[ ! -s qgad.out ] || atf_fail "output: $(cat qgad.out)"
	[ ! -s qgad.err ] || atf_fail "errors: $(cat qgad.err)"
	# No waiting: what connect(2) finds now decides.
	[ -S sock ] || atf_fail "-d is back before there is a socket"
	says "$pong" "$ping"
	atf_check -o 'match:^[1-9][0-9]*$' cat pid
	atf_check_equal 1 "$(wc -l <pid | tr -d ' ')"
	p=$(qgad_pid)
	case $(ps -o args= -p "$p") in
	*qgad*)	;;
	*)	atf_fail "pid $p is not qgad: $(ps -o args= -p "$p")" ;;
	esac
	# A session and a directory of its own.
	atf_check_equal "$p" "$(ps -o sid= -p "$p" | tr -d ' ')"
	if [ -d /proc/self/fd ]; then
		atf_check_equal / "$(readlink "/proc/$p/cwd")"
		for fd in 0 1 2; do
			atf_check_equal /dev/null \
			    "$(readlink "/proc/$p/fd/$fd")"
		done
	fi
	# One only, and the first one stays.
	atf_check -s exit:1 -o empty -e match:"Cannot lock pid file $PWD/pid" \
	    "$qgad" -d -m unix-listen -p "$PWD/other" -f "$PWD/pid" \
	    -t "$PWD/state" -l "$PWD/other.log"
	atf_check_equal "$p" "$(cat pid)"
	says "$pong" "$ping"
	stop_daemon
	[ ! -e pid ] || atf_fail "the pid file stays"
	# qemu-ga's leaves it too; the next start takes it over.
	[ -S sock ] || atf_fail "the socket's name is gone"
	daemon
	stop_daemon
	# By its key in the file too, with the file's pid file.
	printf '[general]\ndaemon=true\npidfile=%s\n' "$PWD/of-file" >conf
	"$qgad" -c "$PWD/conf" -m unix-listen -p "$PWD/sock" \
	    -t "$PWD/state" -l "$PWD/qgad.log" || atf_fail "status $?"
	cp of-file pid
	adopt
	says "$pong" "$ping"
	stop_daemon
	[ ! -e of-file ] || atf_fail "the pid file stays"
}
daemonize_cleanup() {
	cleanup_qgad
}

atf_test_case daemon_relative cleanup
daemon_relative_head() {
	atf_set descr "-d finds files again that were named without their root"
	atf_set require.user root
}
daemon_relative_body() {
	alone
	mkdir state
	printf '[general]\n' >conf
	"$qgad" -d -c conf -f pid -t state -l log -m unix-listen -p sock ||
	    atf_fail "status $?"
	adopt
	says "$pong" "$ping"
	echo 'block-rpcs = guest-ping' >>conf
	mv log old
	kill -HUP "$(cat pid)"
	wait_for grep -q 'conf was read again' log ||
	    atf_fail "conf or log is not found again"
	qga "$ping" | grep -q 'has been disabled' ||
	    atf_fail "the file is read, but to no effect"
	stop_daemon
	[ ! -e pid ] || atf_fail "the pid file is not found again"
}
daemon_relative_cleanup() {
	cleanup_qgad
}

atf_test_case no_pidfile
no_pidfile_head() {
	atf_set descr "without -d no pid file is written"
	atf_set require.user root
}
no_pidfile_body() {
	alone
	echo kept >pid
	start_qgad
	stop_qgad
	atf_check -o 'inline:kept\n' cat pid
}
no_pidfile_cleanup() {
	cleanup_qgad
}

atf_test_case lets_go
lets_go_head() {
	atf_set descr "the daemon keeps nothing of its caller's open"
	atf_set require.user root
}
lets_go_body() {
	alone
	mkdir state
	# Whoever reads what -d says must see its end.
	(
		"$qgad" -d -m unix-listen -p "$PWD/sock" -f "$PWD/pid" \
		    -t "$PWD/state" -l "$PWD/qgad.log" 2>&1
		echo "status $?"
	) 9>lock | cat >said &
	wait_for grep -q status said
	adopt
	wait_for gone $! || atf_fail "it holds what its caller wrote to"
	atf_check -o 'inline:status 0\n' cat said
	if [ -d /proc/self/fd ]; then
		for p in $(tree "$(qgad_pid)"); do
			# shellcheck disable=SC2012 # links, of ours
			ls -l "/proc/$p/fd" >fds 2>/dev/null || continue
			grep -E "$PWD/(lock|said)" fds &&
			    atf_fail "pid $p holds what was its caller's"
		done
	fi
	stop_daemon
}
lets_go_cleanup() {
	cleanup_qgad
}

atf_test_case daemon_error
daemon_error_head() {
	atf_set descr "what goes wrong with -d is said, with status 1"
	atf_set require.user root
}
daemon_error_body() {
	alone
	mkdir state
	set -- -d -f "$PWD/pid" -t "$PWD/state" -l "$PWD/qgad.log"
	while IFS='|' read -r args want; do
		# shellcheck disable=SC2086 # words
		atf_check -s exit:1 -o empty -e "match:$want" "$qgad" "$@" \
		    $args
		[ ! -e pid ] || atf_fail "a pid file after: $args"
	done <<-EOT
	-m virtio-serial -p $PWD/no|cannot open channel $PWD/no: No such file
	-m virtio-serial -p $PWD/state|cannot open channel $PWD/state
	-m isa-serial -p /dev/null/x|cannot open channel
	-m isa-serial -p /etc/passwd|not a character device
	-m unix-listen -p $PWD/no/sock|bind $PWD/no/sock: No such file
	-m unix-listen|must specify a path
	-m vsock-listen -p nonsense|'nonsense' is not a vsock address
	-m unix-listen -p $PWD/sock -l $PWD/no/log|log file $PWD/no/log: No such
	-m unix-listen -p $PWD/sock -f $PWD/no/pid|pid file $PWD/no/pid: No such
	-m unix-listen -p $PWD/sock -t $PWD/no/state|state directory
	-m unix-listen -p $PWD/sock -b guest-no|there is no command
	EOT
	long=$PWD/$(printf '%0120d' 0)
	atf_check -s exit:1 -o empty -e "match:longer than" "$qgad" "$@" \
	    -m unix-listen -p "$long"
	# With -r a device that is not there is waited for.
	"$qgad" "$@" -r -m virtio-serial -p "$PWD/no" >out 2>err ||
	    { cat err >&2; atf_fail "-r: status $?"; }
	adopt
	grep -q "trying again" err || atf_fail "-r does not say what it does"
	stop_daemon
}
daemon_error_cleanup() {
	cleanup_qgad
}

atf_test_case no_syslogd
no_syslogd_head() {
	atf_set descr "-d without a syslogd: said, and started all the same"
	atf_set require.user root
}
no_syslogd_body() {
	alone
	need_namespace
	mkdir state
	# shellcheck disable=SC2016 # expanded by the other shell
	unshare -m --propagation private sh -euc '
		if [ -e /dev/log ]; then
			l=$(readlink -f /dev/log)
			mount -t tmpfs none "${l%/*}"
		fi
		! [ -S /var/run/log ] || exit 3
		exec "$1/sbin/qgad" -d -m unix-listen -p "$2/sock" \
		    -f "$2/pid" -t "$2/state"' sh "$prefix" "$PWD" 2>err ||
	    atf_fail "status $?: $(cat err)"
	adopt
	grep -q "no syslog" err || atf_fail "not said: $(cat err)"
	says "$pong" "$ping"
	stop_daemon
}
no_syslogd_cleanup() {
	cleanup_qgad
}

# --- signals ---

atf_test_case ends
ends_head() {
	atf_set descr "SIGTERM, SIGINT: status 0, nothing left but running jobs"
	atf_set require.user root
}
ends_body() {
	alone
	need_prog sleep
	for signal in TERM INT; do
		start_qgad
		qga '{"execute":"guest-get-osinfo"}' >/dev/null
		job=$(run_job /bin/sleep '"arg":["300"]')
		[ -n "$job" ] || { show_log; atf_fail "no job"; }
		echo "$job" >>job.pids
		role_pid query >/dev/null
		role_pid log >/dev/null
		monitor=$(qgad_pid)
		all=$(children_of "$monitor")
		worker=$(ps -o ppid= -p "$job" | tr -d ' ')
		[ "$(echo "$all" | wc -l)" -ge 4 ] || atf_fail "few: $all"
		kill -$signal "$monitor"
		wait_for gone "$monitor" ||
		    { show_log; atf_fail "it does not end on SIG$signal"; }
		status=0
		wait "$monitor" || status=$?
		atf_check_equal 0 "$status"
		: >qgad.pids
		for p in $all; do
			[ "$p" != "$worker" ] || continue
			wait_for gone "$p" ||
			    atf_fail "$p is left: $(ps -o args= -p "$p")"
		done
		gone "$job" && atf_fail "SIG$signal ended the running job"
		gone "$worker" && atf_fail "SIG$signal ended the job's worker"
		kill -KILL "$job"
		wait_for gone "$worker" || atf_fail "the worker outlives its job"
		logged 'ending: asked to end'
	done
}
ends_cleanup() {
	cleanup_qgad
	[ ! -f job.pids ] || xargs kill -KILL <job.pids 2>/dev/null
	return 0
}

atf_test_case sighup_policy
sighup_policy_head() {
	atf_set descr "SIGHUP reads the file again: blocks add, none comes off"
	atf_set require.user root
}
sighup_policy_body() {
	alone
	time='{"execute":"guest-get-time"}'
	name='{"execute":"guest-get-host-name"}'
	printf '[general]\nblock-rpcs=guest-get-time\n' >conf
	start_qgad -c "$PWD/conf" -b guest-get-users
	refusal "$time" || atf_fail "the file's block is not in force"
	refusal "$name" && atf_fail "blocked by nothing"

	# A block added is in force.
	printf '[general]\nblock-rpcs=guest-get-time,guest-get-host-name\n' \
	    >conf
	kill -HUP "$(qgad_pid)"
	wait_for refusal "$name" ||
	    { show_log; atf_fail "the new block is not in force"; }
	logged "$PWD/conf was read again"
	refusal '{"execute":"guest-get-users"}' ||
	    atf_fail "the command line's block is forgotten"
	qga '{"execute":"guest-info"}' | tr '{' '\n' |
	    grep guest-get-host-name | grep -q '"enabled": false' ||
	    atf_fail "guest-info does not know"

	# Taken off: what was there at the start stays, the other goes.
	printf '[general]\n' >conf
	kill -HUP "$(qgad_pid)"
	wait_for sh -c '[ "$(grep -c "was read again" qgad.log)" = 2 ]' ||
	    { show_log; atf_fail "not read again"; }
	refusal "$name" && atf_fail "a block of the last file is still there"
	refusal "$time" || atf_fail "SIGHUP took a block of the start off"

	# A mistake: file, line and key are said, the policy stays.
	printf '[general]\n\nblock-rpcs=guest-nonsense\n' >conf
	kill -HUP "$(qgad_pid)"
	logged "$PWD/conf:3: block-rpcs: .*guest-nonsense.*policy in force"
	refusal "$name" && atf_fail "a file with a mistake blocks"
	refusal "$time" || atf_fail "a file with a mistake unblocks"
	rm conf
	kill -HUP "$(qgad_pid)"
	logged "$PWD/conf: No such file.*policy in force stays"
	refusal "$time" || atf_fail "without its file nothing is blocked"
	says "$pong" "$ping"

	# Many at once: the last file counts.
	printf '[general]\n' >conf
	i=0
	while [ $i -lt 30 ]; do
		kill -HUP "$(qgad_pid)"
		i=$((i + 1))
	done
	printf '[general]\nblock-rpcs=guest-get-host-name\n' >conf
	kill -HUP "$(qgad_pid)"
	wait_for refusal "$name" ||
	    { show_log; atf_fail "the last SIGHUP was lost"; }
	stop_qgad
	printf '[general]\n' >conf
	start_qgad -c "$PWD/conf"
	refusal "$time" && atf_fail "blocked after a restart"
	stop_qgad
}
sighup_policy_cleanup() {
	cleanup_qgad
}

atf_test_case sighup_log
sighup_log_head() {
	atf_set descr "SIGHUP opens the log anew"
	atf_set require.user root
}
sighup_log_body() {
	alone
	daemon
	logged "build "
	mv qgad.log old
	kill -HUP "$(qgad_pid)"
	wait_for test -e qgad.log || atf_fail "no new log"
	qga '{"execute":"guest-exec","arguments":{"path":"/bin/true"}}' \
	    >/dev/null
	logged 'object="/bin/true"'
	grep -q 'object="/bin/true"' old && atf_fail "the old log is written"
	says "$pong" "$ping"
	stop_daemon
	logged "ending: asked to end"
}
sighup_log_cleanup() {
	cleanup_qgad
}

# --- sockets ---

atf_test_case activation
activation_head() {
	atf_set descr "a socket handed over by LISTEN_PID and LISTEN_FDS"
	atf_set require.user root
}
activation_body() {
	alone
	mkdir state
	activate=$(atf_get_srcdir)/h_activate
	set -- -t "$PWD/state" -l "$PWD/qgad.log"
	for args in "" "-m isa-serial -p /dev/null" "-m unix-listen"; do
		rm -f sock
		# shellcheck disable=SC2086 # words
		"$activate" "$PWD/sock" "$qgad" "$@" $args 2>>qgad.err &
		echo $! | tee -a qgad.pids >qgad.pid
		answers || { show_log; atf_fail "no answer: $args"; }
		# The job does not get the variables.
		job=$(run_job /usr/bin/env '"capture-output":true')
		until qga "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":$job}}" \
		    >status && grep -q '"exited": true' status; do
			sleep 0.1
		done
		json_get out-data <status | base64 -d 2>/dev/null |
		    grep LISTEN_ && atf_fail "the job has the variables"
		# After a client, the next one.
		says "$pong" "$ping"
		stop_qgad
	done

	rm -f sock
	atf_check -s exit:1 -o empty -e match:"only supports listening on one" \
	    "$activate" -n 2 "$PWD/sock" "$qgad" "$@"
	atf_check -s exit:1 -o empty -e match:"unsupported listen fd type" \
	    "$activate" -i "$PWD/sock" "$qgad" "$@"
	# Another process's: not ours to take.
	rm -f sock other
	"$activate" -p 1 "$PWD/other" "$qgad" "$@" -m unix-listen \
	    -p "$PWD/sock" 2>>qgad.err &
	echo $! | tee -a qgad.pids >qgad.pid
	answers || { show_log; atf_fail "no answer"; }
	stop_qgad
}
activation_cleanup() {
	cleanup_qgad
}

atf_test_case sockets
sockets_head() {
	atf_set descr "a stale socket is replaced, anything else is not"
	atf_set require.user root
}
sockets_body() {
	alone
	start_qgad
	atf_check_equal 600 "$(stat -c %a sock 2>/dev/null ||
	    stat -f %Lp sock)"
	atf_check_equal 0 "$(stat -c %u sock 2>/dev/null ||
	    stat -f %u sock)"

	# One that is alive: refused, and the first one serves on.
	atf_check -s exit:1 -o empty -e match:"$PWD/sock is in use" \
	    "$qgad" -m unix-listen -p "$PWD/sock" -t "$PWD/state" \
	    -l "$PWD/other.log"
	says "$pong" "$ping"

	# One whose agent was killed is replaced.
	first=$(qgad_pid)
	kill -KILL "$first"
	wait_for gone "$first" || atf_fail "SIGKILL"
	[ -S sock ] || atf_fail "no stale socket"
	: >qgad.pids
	start_qgad
	says "$pong" "$ping"
	stop_qgad

	for what in file link dir fifo; do
		rm -rf sock
		case $what in
		file)	echo precious >sock ;;
		link)	echo precious >kept; ln -s kept sock ;;
		dir)	mkdir sock; echo precious >sock/kept ;;
		fifo)	mkfifo sock ;;
		esac
		atf_check -s exit:1 -o empty \
		    -e match:"$PWD/sock is there and is not a socket" \
		    "$qgad" -m unix-listen -p "$PWD/sock" -t "$PWD/state" \
		    -l "$PWD/other.log"
		case $what in
		file)	atf_check -o 'inline:precious\n' cat sock ;;
		link)	atf_check -o 'inline:precious\n' cat sock
			[ -L sock ] || atf_fail "the link is gone" ;;
		dir)	atf_check -o 'inline:precious\n' cat sock/kept ;;
		fifo)	[ -p sock ] || atf_fail "the fifo is gone" ;;
		esac
	done
}
sockets_cleanup() {
	cleanup_qgad
}

atf_test_case other_user
other_user_head() {
	atf_set descr "the socket's mode keeps other users out"
	atf_set require.user root
}
other_user_body() {
	alone
	need_prog setpriv
	start_qgad
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	# shellcheck disable=SC2086 # words
	atf_check -s exit:1 -o empty -e match:"Permission denied" \
	    $nobody "$qgaclient" "$PWD/sock" "$ping"
	# It is the mode and nothing else.
	chmod 666 sock
	# shellcheck disable=SC2086 # words
	atf_check -o "inline:$pong\n" $nobody "$qgaclient" "$PWD/sock" "$ping"
	stop_qgad
}
other_user_cleanup() {
	cleanup_qgad
}

# --- what the log says ---

# audit PATTERN: there is an audit line with it
audit() {
	logged "^[0-9]+\.[0-9]{6}: audit: .*$1"
}

atf_test_case audit
audit_head() {
	atf_set descr "a line for each decision on what is not a query"
	atf_set require.user root
}
audit_body() {
	alone
	start_qgad -b guest-shutdown
	qga '{"execute":"guest-get-osinfo"}' "$ping" >/dev/null
	job=$(run_job /bin/true)
	audit 'seq=1 time=[0-9]+\.[0-9]{3} mono=[0-9]+\.[0-9]{3} command=guest-exec object="/bin/true" pid='"$job"' verdict=allowed rule=default worker=exec\[[0-9]+\] result="ok" ms=[0-9]+$'
	audit "command=guest-exec pid=$job event=end exit=0 output=0 worker=exec\[[0-9]+\] ms=[0-9]+\$"
	wait_for job_over "$job" || atf_fail "no end"
	job=$(run_job /bin/sh '"arg":["-c","kill -9 $$"]')
	audit "command=guest-exec pid=$job event=end signal=9 "
	job=$(run_job /bin/sh '"arg":["-c","exit 7"]')
	audit "command=guest-exec pid=$job event=end exit=7 "
	qga '{"execute":"guest-exec","arguments":{"path":"/no/such"}}' \
	    >/dev/null
	audit 'object="/no/such" verdict=allowed rule=default worker=exec.* result=".*No such file'
	refusal '{"execute":"guest-shutdown"}' || atf_fail "not refused"
	audit 'command=guest-shutdown object="[a-z]*" verdict=refused rule=block-rpcs at="command line" worker=- result="Command guest-shutdown has been disabled'
	refusal '{"execute":"guest-shutdown","arguments":{"mode":"reboot"}}' ||
	    atf_fail "not refused"
	# Questions are none of it, and every number is there once.
	not_logged 'command=guest-(get-osinfo|ping|info|exec-status)'
	stop_qgad
	sed -n 's/.*audit: .*seq=\([0-9]*\) .*/\1/p' qgad.log >seqs
	awk '$1 != NR { exit 1 }' seqs || atf_fail "numbers: $(cat seqs)"

	rm -f qgad.log
	start_qgad -a guest-ping,guest-exec-status
	refusal '{"execute":"guest-exec","arguments":{"path":"/bin/true"}}' ||
	    atf_fail "not refused"
	audit 'command=guest-exec object="[^"]*" verdict=refused rule=allow-rpcs'
	# A query that is refused is on record too.
	refusal '{"execute":"guest-get-time"}' || atf_fail "not refused"
	audit 'command=guest-get-time object="" verdict=refused rule=allow-rpcs'
	stop_qgad
}
audit_cleanup() {
	cleanup_qgad
}

atf_test_case verbose
verbose_head() {
	atf_set descr "-v says more, and still nothing of what is carried"
	atf_set require.user root
}
verbose_body() {
	alone
	m=XyzzyMarker
	e=$(printf %s "$m" | base64)
	for v in "" -v; do
		rm -f qgad.log
		# shellcheck disable=SC2086 # one or none
		start_qgad $v
		job=$(run_job /bin/sh "\"arg\":[\"-c\",\"cat; echo $m; echo $m >&2; exit 3\",\"$m\"],\"env\":[\"$m=$m\"],\"input-data\":\"$e\",\"capture-output\":true")
		until qga "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":$job}}" \
		    >status && grep -q '"exited": true' status; do
			sleep 0.1
		done
		# The control: it was carried.
		json_get out-data <status | base64 -d | grep -q "$m" ||
		    atf_fail "no output: $(cat status)"
		# In the text of errors it might be repeated.
		qga "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":\"$m\"}}" \
		    "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/true\",\"$m\":1}}" \
		    "{\"execute\":\"guest-ping\",\"$m\":1}" "{\"$m" \
		    >/dev/null
		kill -KILL "$(role_pid frontend)"
		wait_for answers || { show_log; atf_fail "no new frontend"; }
		stop_qgad
		grep -E "$m|$e" qgad.log qgad.err &&
		    atf_fail "content in the log ($v)"
		if [ -z "$v" ]; then
			not_logged ': debug: '
		else
			logged ': debug: '
		fi
	done
}
verbose_cleanup() {
	cleanup_qgad
}

atf_test_case injection
injection_head() {
	atf_set descr "what a host names cannot write a line of the log"
	atf_set require.user root
}
injection_body() {
	alone
	start_qgad -v -b guest-shutdown
	fake='1.000001: audit: seq=9 command=guest-exec verdict=allowed'
	for path in "/no/a\\n$fake" "/no/b\\r$fake" "/no/c\\u001b[2K$fake" \
	    "/no/d\\u009b2K" "/no/e\\u0085$fake" "/no/f\\t\\b\\b" \
	    "/no/g\\u2028$fake"; do
		qga "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"$path\"}}" \
		    >/dev/null
		qga "{\"execute\":\"no-such$path\"}" >/dev/null
	done
	# Quotes end nothing, a backslash is not taken for an escape of ours.
	qga '{"execute":"guest-exec","arguments":{"path":"/no/q\" verdict=refused rule=\"x"}}' \
	    '{"execute":"guest-exec","arguments":{"path":"/no/r\\x0a"}}' \
	    >/dev/null
	audit 'object="/no/q\\x22 verdict=refused rule=\\x22x" verdict=allowed rule=default'
	audit 'object="/no/r\\x5cx0a" verdict=allowed'
	audit 'object="/no/a\\x0a1\.000001: audit'
	audit 'object="/no/c\\x1b\[2K'
	audit 'object="/no/d\\xc2\\x9b2K'
	# A name that is longer than the line has room for is seen to be.
	long=$(printf '%0300d' 0)
	qga "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/no/$long/sh\"}}" \
	    >/dev/null
	audit 'object="/no/0+\.\.\." verdict=allowed'
	stop_qgad
	LC_ALL=C grep -v '^[0-9]\{10\}\.[0-9]\{6\}: [a-z]*: ' qgad.log &&
	    atf_fail "lines that are none of ours"
	LC_ALL=C tr -d '\n\040-\176\200-\377' <qgad.log >controls
	[ ! -s controls ] || atf_fail "control characters: $(od -c controls)"
}
injection_cleanup() {
	cleanup_qgad
}

# --- shutdown: only ever with stand-ins in the place of the programs ---

# The stand-ins, each of which writes what it was called as and ends as the
# file "how" says.  They are the whole of /sbin in a mount namespace of
# qgad's own; the real ones are not to be found there.
shutdown_prepare() {
	need_namespace
	sbin=$(readlink -f /sbin)
	[ "$sbin" != "$(readlink -f /bin)" ] ||
	    atf_skip "needs a /sbin that is not /bin"
	mkdir -p state standins
	cat >standin <<-EOT
	#!/bin/sh
	# a stand-in
	echo "\$0 \$*" >>$PWD/called
	. $PWD/how
	EOT
	for p in "$@"; do
		cp standin standins/$p
		chmod 755 standins/$p
	done
	: >called
	echo 'exit 0' >how
}

# Back only when the daemon sees the stand-ins
shutdown_start() {
	# shellcheck disable=SC2016 # expanded by the other shell
	unshare -m --propagation private sh -euc '
		sbin=$1 from=$2
		shift 2
		mount --bind "$from" "$sbin"
		for p in poweroff halt reboot shutdown; do
			[ ! -e "/sbin/$p" ] || cmp "$from/$p" "/sbin/$p"
		done
		exec "$@"' sh "$sbin" "$PWD/standins" "$qgad" \
	    -m unix-listen -p "$PWD/sock" -t "$PWD/state" \
	    -l "$PWD/qgad.log" 2>>qgad.err &
	echo $! | tee -a qgad.pids >qgad.pid
	answers || { show_log; atf_fail "no answer"; }
	covered
}

# Looked at with the eyes of the daemon: not one real program is in reach.
covered() {
	p=$(qgad_pid)
	[ "$(readlink /proc/self/ns/mnt)" != "$(readlink "/proc/$p/ns/mnt")" ] ||
	    atf_fail "the daemon is in our mount namespace"
	for f in poweroff halt reboot shutdown; do
		seen=/proc/$p/root$sbin/$f
		[ -e "$seen" ] || continue
		grep -q '^# a stand-in$' "$seen" && cmp -s standin "$seen" ||
		    atf_fail "$f is the real one"
	done
}

atf_test_case shutdown_modes
shutdown_modes_head() {
	atf_set descr "which program runs, with what; success is not answered"
	atf_set require.user root
}
shutdown_modes_body() {
	alone
	shutdown_prepare poweroff halt reboot shutdown
	shutdown_start
	for mode in "" powerdown halt reboot; do
		: >called
		covered
		# One reply: the one to the request behind it.
		"$qgaclient" -n 1 "$PWD/sock" \
		    "{\"execute\":\"guest-shutdown\"${mode:+,\"arguments\":{\"mode\":\"$mode\"\}}}" \
		    '{"execute":"guest-sync","arguments":{"id":77}}' >reply ||
		    { show_log; atf_fail "no reply"; }
		atf_check -o 'inline:{"return": 77}\n' cat reply
		case $mode in
		'' | powerdown) want="/sbin/poweroff " ;;
		*)	want="/sbin/$mode " ;;
		esac
		atf_check -o "inline:$want\n" cat called
	done
	: >called
	covered
	atf_check -o 'match:"error"' "$qgaclient" "$PWD/sock" \
	    '{"execute":"guest-shutdown","arguments":{"mode":"explode"}}'
	[ ! -s called ] || atf_fail "ran: $(cat called)"
	says "$pong" "$ping"
	stop_qgad
	grep -c 'audit: .*command=guest-shutdown object="powerdown" verdict=allowed rule=default .*result="ok"' \
	    qgad.log >n
	atf_check -o 'inline:2\n' cat n
	audit 'object="halt" verdict=allowed.*result="ok"'
	audit 'object="reboot" verdict=allowed.*result="ok"'
}
shutdown_modes_cleanup() {
	cleanup_qgad
}

atf_test_case shutdown_second
shutdown_second_head() {
	atf_set descr "shutdown(8) where the first program is not there"
	atf_set require.user root
}
shutdown_second_body() {
	alone
	shutdown_prepare shutdown
	shutdown_start
	while read -r mode want; do
		: >called
		covered
		"$qgaclient" -n 1 "$PWD/sock" \
		    "{\"execute\":\"guest-shutdown\",\"arguments\":{\"mode\":\"$mode\"}}" \
		    '{"execute":"guest-sync","arguments":{"id":77}}' >reply ||
		    { show_log; atf_fail "no reply"; }
		atf_check -o 'inline:{"return": 77}\n' cat reply
		atf_check -o "inline:/sbin/shutdown $want \
hypervisor initiated shutdown\n" cat called
	done <<-EOT
	powerdown -h -P +0
	halt -h -H +0
	reboot -r +0
	EOT
	stop_qgad
	# And where none is.
	rm -f standins/*
	shutdown_start
	atf_check -o 'match:"error".*/sbin/poweroff.*/sbin/shutdown' \
	    "$qgaclient" "$PWD/sock" '{"execute":"guest-shutdown"}'
	stop_qgad
}
shutdown_second_cleanup() {
	cleanup_qgad
}

atf_test_case shutdown_fails
shutdown_fails_head() {
	atf_set descr "why a shutdown failed is in the reply and on record"
	atf_set require.user root
}
shutdown_fails_body() {
	alone
	shutdown_prepare poweroff
	shutdown_start
	failed="child process has failed to shutdown"
	while IFS='|' read -r line want; do
		echo "$line" >how
		covered
		said=$("$qgaclient" "$PWD/sock" '{"execute":"guest-shutdown"}')
		[ "$said" = '{"error": {"class": "GenericError", "desc": "'"$failed: $want"'"}}' ] ||
		    { show_log; atf_fail "$line: $said"; }
		audit "command=guest-shutdown .*result=\"$failed: $want"
	done <<-'EOT'
	echo Access denied; exit 1|Access denied
	echo Access denied >&2; exit 1|Access denied
	exit 3|exit status 3
	kill -9 $$|terminated by signal 9
	EOT
	says "$pong" "$ping"
	stop_qgad
}
shutdown_fails_cleanup() {
	cleanup_qgad
}

atf_test_case shutdown_hangs
shutdown_hangs_head() {
	atf_set descr "one that hangs: an error at the deadline, not before"
	atf_set require.user root
}
shutdown_hangs_body() {
	alone
	shutdown_prepare poweroff
	echo "echo \$\$ >>$PWD/hung.pids; exec sleep 600" >how
	shutdown_start
	# SIGTERM is obeyed meanwhile.
	covered
	"$qgaclient" -c "$PWD/sock" '{"execute":"guest-shutdown"}'
	wait_for test -s hung.pids || { show_log; atf_fail "it did not run"; }
	stop_qgad

	shutdown_start
	covered
	"$qgaclient" -t 100 "$PWD/sock" '{"execute":"guest-shutdown"}' \
	    '{"execute":"guest-sync","arguments":{"id":77}}' >replies ||
	    { show_log; atf_fail "no replies"; }
	cat >want <<-'EOT'
	{"error": {"class": "GenericError", "desc": "Command guest-shutdown timed out after 60 seconds"}}
	{"return": 77}
	EOT
	atf_check diff want replies
	audit 'command=guest-shutdown .*verdict=allowed.*result="Command guest-shutdown timed out'
	atf_check_equal "" "$(role_pids system)"
	stop_qgad
}
shutdown_hangs_cleanup() {
	cleanup_qgad
	[ ! -f hung.pids ] || xargs kill -KILL <hung.pids 2>/dev/null
	return 0
}

# --- upgrades ---

# A copy of what is installed, over it in qgad's own mount namespace; files
# put into the copy are installed there.  Another build is the same programs
# with another id in them.
upgrade_prepare() {
	need_namespace
	old=$("$qgad" -t "$PWD" --test -m stdio -v </dev/null 2>&1 |
	    sed -n 's/.*, build \([0-9a-f]\{31\}\),.*/\1/p' | head -n 1)
	[ ${#old} -eq 31 ] || atf_fail "no build id: '$old'"
	new=$(printf '%031d' 0 | sed 's/^0/f/')
	cp -Rp "$prefix" copy
	mkdir state
}

# upgrade PROGRAM ...: in the copy, renamed into place as make install does
upgrade() {
	for f in "$@"; do
		LC_ALL=C sed "s/$old/$new/g" "copy/$f" >copy/new.bin
		cmp -s "copy/$f" copy/new.bin && atf_fail "no id in $f"
		chmod 755 copy/new.bin
		mv -f copy/new.bin "copy/$f"
	done
}

# In a subshell or the background, which becomes qgad.
upgrade_start() {
	# shellcheck disable=SC2016 # expanded by the other shell
	exec unshare -m --propagation private sh -euc '
		mount --bind "$1" "$2"
		shift 2
		exec "$@"' sh "$PWD/copy" "$prefix" "$qgad" -m unix-listen \
	    -p "$PWD/sock" -t "$PWD/state" -l "$PWD/qgad.log" \
	    -f "$PWD/pid" "$@" 2>>qgad.err
}

every="sbin/qgad libexec/qgad/qgad-parent libexec/qgad/qgad-exec
	libexec/qgad/qgad-query libexec/qgad/qgad-log
	libexec/qgad/qgad-system libexec/qgad/qgad-account
	libexec/qgad/qgad-hook libexec/qgad/qgad-file
	libexec/qgad/qgad-freeze libexec/qgad/qgad-selftest"

atf_test_case upgrade
upgrade_head() {
	atf_set descr "another build installed: the same pid goes on with it"
	atf_set require.user root
}
upgrade_body() {
	alone
	upgrade_prepare
	printf '[general]\nblock-rpcs=guest-get-time\n' >conf
	(upgrade_start -d -c "$PWD/conf") || atf_fail "status $?"
	adopt
	says "$pong" "$ping"
	logged "build $old"
	p=$(qgad_pid)
	# Its own stat: it is not of this shell's job.
	born=$(awk '{ print $22 }' "/proc/$p/stat")
	job=$(run_job /bin/sleep '"arg":["300"]')
	echo "$job" >>job.pids
	qga '{"execute":"guest-file-open","arguments":{
	    "path":"/dev/zero"}}' >reply
	# shellcheck disable=SC2086 # words
	upgrade $every
	not_logged "build $new"
	# The first child of the new build brings it up.
	run_job /bin/true >/dev/null
	logged "build $new"
	logged 'guest-file-close .*"/dev/zero" .* end="the agent ended"'
	atf_check_equal "$born" "$(awk '{ print $22 }' "/proc/$p/stat")"
	atf_check_equal "$p" "$(cat pid)"
	says "$pong" "$ping"
	refusal '{"execute":"guest-get-time"}' || atf_fail "the file is lost"
	# Nothing of the old build serves: all children are younger.
	for role in frontend log exec; do
		wait_for one_role $role || { show_log; atf_fail "no $role"; }
	done
	gone "$job" && atf_fail "the running job was ended"
	job2=$(run_job /bin/true)
	wait_for job_over "$job2" || atf_fail "no jobs any more"
	# The lock is held: a second one is refused.
	(upgrade_start -d -p "$PWD/other") 2>/dev/null &&
	    atf_fail "the pid file is not locked any more"
	atf_check_equal "$p" "$(cat pid)"
	# Once, not over and over.
	atf_check_equal 1 "$(grep -c "another build is installed" qgad.log)"
	stop_daemon
	[ ! -e pid ] || atf_fail "the pid file stays"
}
upgrade_cleanup() {
	cleanup_qgad
	[ ! -f job.pids ] || xargs kill -KILL <job.pids 2>/dev/null
	return 0
}

atf_test_case mixed_builds
mixed_builds_head() {
	atf_set descr "programs that do not fit each other: status 75"
	atf_set require.user root
}
mixed_builds_body() {
	alone
	upgrade_prepare
	# At the start ...
	upgrade libexec/qgad/qgad-exec
	upgrade_start &
	p=$!
	echo $p >>qgad.pids
	wait_for gone $p || { show_log; atf_fail "it goes on"; }
	status=0
	wait $p || status=$?
	atf_check_equal 75 "$status"
	logged 'ending: .*different builds'
	# ... and in the middle of it.
	rm -rf copy qgad.log
	cp -Rp "$prefix" copy
	upgrade_start &
	p=$!
	echo $p | tee -a qgad.pids >qgad.pid
	answers || { show_log; atf_fail "no answer"; }
	upgrade sbin/qgad
	says "$pong" "$ping"
	kill -KILL "$(role_pid frontend)"
	wait_for gone $p || { show_log; atf_fail "it goes on"; }
	status=0
	wait $p || status=$?
	atf_check_equal 75 "$status"
	: >qgad.pids
}
mixed_builds_cleanup() {
	cleanup_qgad
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case daemonize
	atf_add_test_case daemon_relative
	atf_add_test_case no_pidfile
	atf_add_test_case lets_go
	atf_add_test_case daemon_error
	atf_add_test_case no_syslogd
	atf_add_test_case ends
	atf_add_test_case sighup_policy
	atf_add_test_case sighup_log
	atf_add_test_case activation
	atf_add_test_case sockets
	atf_add_test_case other_user
	atf_add_test_case audit
	atf_add_test_case verbose
	atf_add_test_case injection
	atf_add_test_case shutdown_modes
	atf_add_test_case shutdown_second
	atf_add_test_case shutdown_fails
	atf_add_test_case shutdown_hangs
	atf_add_test_case upgrade
	atf_add_test_case mixed_builds
}
