#! /usr/bin/env atf-sh
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

# The service files of every system: as their managers' own tools see them,
# or, where those are not to be had here, run under stand-ins of them (rc/).
# What they start is the installed qgad.

ping='{"execute":"guest-ping"}'
pong='{"return": {}}'
top=$(atf_get_srcdir)/../..
rc=$(atf_get_srcdir)/rc

# service OS INIT COMMAND: etc/service.sh as make calls it, into ./dest, with
# a qgad that writes down how it was started
service() {
	mkdir -p sbin state
	if [ ! -e sbin/qgad ]; then
		cp "$(atf_get_srcdir)/h_service" sbin/qgad
		ln -s "$prefix/sbin/qgad" sbin/qgad.real
		: >sbin/qgad.args
	fi
	DESTDIR=$PWD/dest OS=$1 INIT=$2 SBINDIR=$PWD/sbin \
	    LIBEXECDIR=/libexec STATEDIR=$PWD/state CONFDIR=/etc \
	    SERVICEDIR=/service UDEVDIR=/udev ROTATEDIR=/rotate \
	    sh "$top/etc/service.sh" "$3" >service.out ||
	    atf_fail "service.sh $*"
}

every() {
	cat <<-EOT
	linux systemd
	linux openrc
	openbsd rc.d
	freebsd rc.d
	netbsd rc.d
	darwin launchd
	linux none
	EOT
}

says() {
	said=$(qga "$2") || exit 1
	[ "$said" = "$1" ] || { show_log; atf_fail "$2: $said, not $1"; }
}

args() {
	tail -n 1 sbin/qgad.args
}

atf_test_case install_all
install_all_head() {
	atf_set descr "Each system's files: installed, filled in, taken away"
}
install_all_body() {
	every | while read -r os init; do
		rm -rf dest
		service $os $init install
		[ $init = none ] || [ -n "$(find dest -type f)" ] ||
		    atf_fail "nothing for $init on $os"
		find dest -type f | while read -r f; do
			case $f in
			dest/service/* | dest/udev/* | dest/rotate/* | \
			    dest/libexec/*) ;;
			*)	atf_fail "$os $init: strange place: $f" ;;
			esac
			grep '@[A-Z]*@' "$f" && atf_fail "$f is not filled in"
			case $(head -n 1 "$f") in
			'#!'*)	[ -x "$f" ] || atf_fail "$f cannot be run"
				sh -n "$f" || atf_fail "$f" ;;
			*)	[ ! -x "$f" ] || atf_fail "$f can be run" ;;
			esac
		done || exit 1
		service $os $init uninstall
		[ -z "$(find dest -type f)" ] ||
		    atf_fail "left: $(find dest -type f)"
	done || exit 1
	# Nothing in the real places by a prefix that is not usual: what make
	# install did for this build is all below it.
	case $prefix in
	/ | /usr | /usr/local | /usr/pkg) ;;
	*)	sed -n 's/^\(SERVICE\|UDEV\|ROTATE\)DIR=[[:blank:]]*//p' \
		    "$top/config.mk" >dirs
		[ "$(wc -l <dirs)" -eq 3 ] || atf_fail "$(cat dirs)"
		grep -v "^$prefix/" dirs && atf_fail "outside of $prefix" ;;
	esac
	return 0
}

atf_test_case scripts
scripts_head() {
	atf_set descr "shellcheck has nothing to say of the services' scripts"
}
scripts_body() {
	need_prog shellcheck
	every | while read -r os init; do
		rm -rf dest
		service $os $init install
		find dest -type f -perm -100 | while read -r f; do
			# Variables that the system's own script reads.
			shellcheck -s sh -S warning -e SC1007,SC2034,SC2154 \
			    -e SC1091 "$f" || atf_fail "$os $init: $f"
		done || exit 1
	done || exit 1
}

# --- systemd ---

atf_test_case systemd_verify
systemd_verify_head() {
	atf_set descr "systemd has nothing to complain of in the unit"
}
systemd_verify_body() {
	need_prog systemd-analyze
	need_linux
	service linux systemd install
	mkdir unit
	sed "s,/libexec/qgad-start,$PWD/dest&," dest/service/qgad.service \
	    >unit/qgad.service
	systemd-analyze verify --man=no "$PWD/unit/qgad.service" >out 2>&1 ||
	    { cat out >&2; atf_fail "verify"; }
	[ ! -s out ] || { cat out >&2; atf_fail "it complains"; }
	# It would have.
	for wrong in 's/^KillMode=.*/KillMode=none-such/' \
	    's/^OOMScoreAdjust=/OOMScore=/' \
	    's,^ExecStart=.*,ExecStart=/nonexistent,' \
	    's/^TimeoutStopSec=.*/TimeoutStopSec=long/'; do
		sed "$wrong" unit/qgad.service >unit/wrong.service
		systemd-analyze verify --man=no "$PWD/unit/wrong.service" \
		    >out 2>&1 && [ ! -s out ] &&
		    atf_fail "not seen: $wrong"
	done
	# Longer than the thaw hooks may take.
	stop=$(sed -n 's/^TimeoutStopSec=//p' unit/qgad.service)
	us=$(systemd-analyze timespan "$stop" |
	    sed -n 's/^ *[^ ]*s: \([0-9]*\)$/\1/p')
	[ "${us:-0}" -gt 330000000 ] || atf_fail "it stops after $stop"
	# What jobs would inherit.
	grep -E '^(Protect|Private|NoNewPriv|Capab|Restrict|SystemCall|ReadOnly|Inaccess|User=|UMask)' \
	    unit/qgad.service && atf_fail "that breaks jobs"
	atf_check -o ignore grep '^ExecStopPost=.* --thaw$' unit/qgad.service
}

# with VARIABLE=VALUE ...: how qgad-start starts it under these
with() {
	env "$@" dest/libexec/qgad-start --thaw || atf_fail "qgad-start: $*"
	args
}

atf_test_case environment
environment_head() {
	atf_set descr "qgad-start: the options of the distributions' files"
}
environment_body() {
	service linux systemd install
	while IFS='|' read -r set want; do
		got=$(with "$set") || exit 1
		[ "$got" = "--thaw${want:+ }$want" ] ||
		    atf_fail "$set: $got, not $want"
	done <<-'EOT'
	FILTER_RPC_ARGS=|
	FILTER_RPC_ARGS=--allow-rpcs=guest-sync,guest-ping|--allow-rpcs=guest-sync,guest-ping
	FILTER_RPC_ARGS=--block-rpcs=guest-exec  -v|--block-rpcs=guest-exec -v
	BLACKLIST_RPC=guest-exec,guest-file-open|--block-rpcs=guest-exec,guest-file-open
	BLACKLIST_RPC=|
	BLOCK_RPCS=guest-exec|--block-rpcs=guest-exec
	FSFREEZE_HOOK_PATHNAME=/etc/qemu-ga/fsfreeze-hook|--fsfreeze-hook=/etc/qemu-ga/fsfreeze-hook
	FSFREEZE_HOOK_PATHNAME=|
	DAEMON_ARGS=-v -l /tmp/x|-v -l /tmp/x
	QGAD_ARGS=-m isa-serial -p /dev/ttyS*|-m isa-serial -p /dev/ttyS*
	OTHER=x|
	EOT
	got=$(with BLACKLIST_RPC=guest-exec BLOCK_RPCS=guest-get-time \
	    FILTER_RPC_ARGS=-a DAEMON_ARGS=-b QGAD_ARGS=-c) || exit 1
	[ "$got" = "--thaw --block-rpcs=guest-exec --block-rpcs=guest-get-time -a -b -c" ] ||
	    atf_fail "all: $got"
}

atf_test_case exec_start cleanup
exec_start_head() {
	atf_set descr "Started as the unit says: a host's first requests"
	atf_set require.user root
}
exec_start_body() {
	need_linux
	service linux systemd install
	start=$(sed -n 's/^ExecStart=//p' dest/service/qgad.service)
	[ "$start" = /libexec/qgad-start ] || atf_fail "ExecStart=$start"
	QGAD_ARGS="-m unix-listen -p $PWD/sock -t $PWD/state -l $PWD/qgad.log"
	FILTER_RPC_ARGS=--block-rpcs=guest-get-users
	export QGAD_ARGS FILTER_RPC_ARGS
	"dest$start" >qgad.out 2>qgad.err &
	echo $! | tee qgad.pid >>qgad.pids
	unset QGAD_ARGS FILTER_RPC_ARGS
	answers || { show_log; atf_fail "it does not answer"; }
	# The service's process is the monitor.
	atf_check -o inline:'qgad-parent\n' cat "/proc/$(qgad_pid)/comm"
	says "$pong" "$ping"
	says '{"return": 9}' '{"execute":"guest-sync","arguments":{"id":9}}'
	for c in guest-info guest-get-osinfo guest-get-host-name \
	    guest-get-time guest-network-get-interfaces guest-get-vcpus; do
		case $(qga "{\"execute\":\"$c\"}") in
		'{"return": '*)	;;
		*)	show_log; atf_fail "$c" ;;
		esac
	done
	qga '{"execute":"guest-get-users"}' | grep -q 'has been disabled' ||
	    atf_fail "FILTER_RPC_ARGS is not obeyed"
	job=$(qga '{"execute":"guest-exec","arguments":{"path":"/usr/bin/env","capture-output":true}}' |
	    json_get pid)
	wait_for job_over || atf_fail "no end of a job"
	json_get out-data <status | base64 -d >job.env
	[ -s job.env ] || atf_fail "$(cat status)"
	grep -E '^(FILTER_RPC|QGAD)_ARGS=' job.env && atf_fail "jobs see the service's options"
	stop_qgad
}
job_over() {
	qga "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":$job}}" \
	    >status
	grep -q '"exited": true' status
}
exec_start_cleanup() {
	cleanup_qgad
}

# --- the others ---

# lives COMMAND ...: a service's script; start, reload, stop with a thaw
lives() {
	mkdir -p state
	"$@" start >out 2>&1 || { cat out >&2; show_log; atf_fail "start"; }
	wait_for says_pong || { show_log; atf_fail "it does not answer"; }
	p=$(service_pid)
	echo "$p" >>qgad.pids
	sbin=$PWD/sbin/qgad
	case $(ps -o args= -p "$p") in
	"$sbin "*)	;;
	*)	atf_fail "$p is not $sbin" ;;
	esac
	# A second start starts nothing.
	"$@" start >out 2>&1
	[ "$(grep -vc thaw sbin/qgad.args)" -eq 1 ] ||
	    atf_fail "started twice: $(cat sbin/qgad.args)"
	"$@" reload >out 2>&1 || { cat out >&2; atf_fail "reload"; }
	says "$pong" "$ping"
	! grep -q -- --thaw sbin/qgad.args || atf_fail "a thaw at the start"
	"$@" stop >out 2>&1 || { cat out >&2; atf_fail "stop"; }
	gone "$p" || atf_fail "it runs after its stop"
	args | grep -q -- --thaw || atf_fail "no thaw after a stop: $(args)"
	# The thaw has the options: its state is where qgad's was.
	args | grep -q -- "-t $PWD/state" || atf_fail "thawed where? $(args)"
	: >qgad.pids
}

says_pong() {
	[ "$("$qgaclient" -t 2 "$PWD/sock" "$ping")" = "$pong" ]
}

service_pid() {
	ps -A -o pid= -o args= | awk -v want="$PWD/sbin/qgad" \
	    '$2 == want && !/--frontend|--thaw/ { print $1 }' | head -n 1
}

flags() {
	echo "-m unix-listen -p $PWD/sock -t $PWD/state"
}

atf_test_case openbsd cleanup
openbsd_head() {
	atf_set descr "rc.d on OpenBSD"
	atf_set require.user root
}
openbsd_body() {
	need_linux
	service openbsd rc.d install
	sed "s,/etc/rc.d/rc.subr,$rc/openbsd.subr," dest/service/qgad >qgad
	rc_conf=$PWD/rc.conf.local
	export rc_conf
	echo "qgad_flags=$(flags)" >"$rc_conf"
	atf_check -s exit:1 -o ignore sh ./qgad check
	lives sh ./qgad
	atf_check -s exit:1 sh ./qgad check
	timeout=$(sed -n 's/^daemon_timeout="\(.*\)"/\1/p' qgad)
	[ "$timeout" -ge 330 ] || atf_fail "it stops after $timeout s"
}
openbsd_cleanup() {
	cleanup_qgad
}

atf_test_case freebsd cleanup
freebsd_head() {
	atf_set descr "rc.d on FreeBSD"
	atf_set require.user root
}
freebsd_body() {
	service freebsd rc.d install
	bsd qgad_enable YES
}
freebsd_cleanup() {
	cleanup_qgad
}

atf_test_case netbsd cleanup
netbsd_head() {
	atf_set descr "rc.d on NetBSD"
	atf_set require.user root
}
netbsd_body() {
	service netbsd rc.d install
	bsd qgad YES
}
netbsd_cleanup() {
	cleanup_qgad
}

bsd() {
	need_linux
	sed "s,/etc/rc.subr,$rc/bsd.subr," dest/service/qgad >qgad
	rc_conf=$PWD/rc.conf
	export rc_conf
	# What rcorder(8) reads.
	for k in PROVIDE REQUIRE KEYWORD; do
		atf_check -o ignore grep -E "^# $k: [a-zA-Z ]+\$" qgad
	done
	atf_check -o inline:'qgad\n' sed -n 's/^# PROVIDE: //p' qgad
	: >"$rc_conf"
	# Not enabled by itself.
	atf_check -o inline:"$1=NO\n" sh ./qgad rcvar
	atf_check -s exit:1 -o ignore -e match:'not enabled' sh ./qgad start
	printf '%s=%s\nqgad_flags="%s"\n' "$1" "$2" "$(flags)" >"$rc_conf"
	atf_check -o inline:"$1=YES\n" sh ./qgad rcvar
	atf_check -s exit:1 -o match:'not running' sh ./qgad status
	lives sh ./qgad
	atf_check -s exit:1 -o match:'not running' sh ./qgad status
	[ ! -e state/qgad.pid ] || atf_fail "the pid file stays"
}

atf_test_case openrc cleanup
openrc_head() {
	atf_set descr "OpenRC, and that it starts qgad anew"
	atf_set require.user root
}
openrc_body() {
	need_linux
	service linux openrc install
	rc_conf=$PWD/conf rc_state=$PWD/rcstate
	export rc_conf rc_state
	mkdir "$rc_state"
	printf 'qgad_args="%s"\nqgad_logfile=%s/qgad.log\n' "$(flags)" \
	    "$PWD" >"$rc_conf"
	set -- sh "$rc/openrc-run.sh" "$PWD/dest/service/qgad"
	atf_check -o match:after "$@" depend
	atf_check -s exit:3 "$@" status
	lives "$@"
	atf_check -s exit:3 "$@" status
	"$@" start
	wait_for says_pong || atf_fail "no second start"
	p=$(service_pid)
	kill -KILL "$p"
	wait_seconds=20 wait_for says_pong || atf_fail "not started anew"
	"$@" stop || atf_fail "stop"
}
openrc_cleanup() {
	[ ! -s rcstate/supervisor ] ||
	    kill -KILL "$(cat rcstate/supervisor)" 2>/dev/null
	[ ! -s rcstate/pid ] || kill -TERM "$(cat rcstate/pid)" 2>/dev/null
	cleanup_qgad
}

atf_test_case launchd cleanup
launchd_head() {
	atf_set descr "launchd's file is a property list, and starts qgad"
	atf_set require.user root
}
launchd_body() {
	need_linux
	need_prog python3
	service darwin launchd install
	mv dest/service/org.qgad.plist plist
	cat >get.py <<-'EOT'
	import plistlib, sys
	p = plistlib.load(open(sys.argv[1], "rb"))
	known = {"Label": str, "ProgramArguments": list, "RunAtLoad": bool,
	    "KeepAlive": bool, "ExitTimeOut": int,
	    "AbandonProcessGroup": bool, "StandardErrorPath": str}
	assert {k: type(v) for k, v in p.items()} == known, p
	assert p["Label"] == "org.qgad"
	assert p["KeepAlive"] and p["RunAtLoad"] and p["AbandonProcessGroup"]
	assert p["ExitTimeOut"] >= 330
	sys.stdout.write("".join(a + "\0" for a in p["ProgramArguments"]))
	EOT
	python3 get.py plist >argv || atf_fail "not a good property list"
	sed 's,</array>,,' plist >wrong
	python3 get.py wrong >/dev/null 2>&1 && atf_fail "anything will do"
	# As launchd would, but with a socket and a log of our own.
	sed "s,/var/log/qgad.log,$PWD/qgad.log," argv >argv.here
	printf '%s\0' -m unix-listen -p "$PWD/sock" -t "$PWD/state" \
	    >>argv.here
	xargs -0 sh -c 'exec "$@"' sh <argv.here >qgad.out 2>qgad.err &
	echo $! >>qgad.pids
	wait_for says_pong || { show_log; atf_fail "it does not answer"; }
	# What newsyslog(8) sends its signal to.
	p=$(service_pid)
	echo "$p" >>qgad.pids
	atf_check -o inline:"$p\n" cat state/qgad.pid
	mv qgad.log qgad.log.0
	kill -HUP "$(awk '/^\/var/ { print $NF }' dest/rotate/qgad.conf |
	    xargs cat)"
	wait_for test -e qgad.log || atf_fail "the log is not opened again"
	kill -TERM "$p"
	wait_for gone "$p" || atf_fail "it does not end"
}
launchd_cleanup() {
	cleanup_qgad
}

# --- rotation ---

atf_test_case rotation
rotation_head() {
	atf_set descr "newsyslog's and logrotate's lines have their form"
}
rotation_body() {
	# File, owner on the two that require it, mode, count, size, when,
	# flags, pid file, signal.
	while read -r os re; do
		rm -rf dest
		init=rc.d
		[ $os != darwin ] || init=launchd
		service $os $init install
		grep -v '^#' dest/rotate/* >line
		[ "$(wc -l <line)" -eq 1 ] || atf_fail "$os: $(cat line)"
		tr -s '\t ' ' ' <line | grep -Eq "^$re\$" ||
		    atf_fail "$os: $(cat line)"
	done <<-'EOT'
	openbsd /var/log/qgad.log root:wheel 600 [0-9]+ [0-9]+ \* Z /[^ ]*/qgad.pid
	netbsd /var/log/qgad.log root:wheel 600 [0-9]+ [0-9]+ \* Z /[^ ]*/qgad.pid SIGHUP
	freebsd /var/log/qgad.log 600 [0-9]+ [0-9]+ \* J /[^ ]*/qgad.pid
	darwin /var/log/qgad.log 600 [0-9]+ [0-9]+ \* J /[^ ]*/qgad.pid
	EOT
	command -v logrotate >/dev/null || return 0
	service linux systemd install
	logrotate -d -s "$PWD/rotate.state" dest/rotate/qgad >out 2>&1 ||
	    { cat out >&2; atf_fail "logrotate"; }
	! grep -i error out || atf_fail "logrotate: $(cat out)"
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/../common/qga.subr"
	for test in install_all scripts systemd_verify environment \
	    exec_start openbsd freebsd netbsd openrc launchd rotation; do
		atf_add_test_case $test
	done
}
