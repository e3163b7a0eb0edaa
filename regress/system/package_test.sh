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


# The Debian package: built, then installed, started, upgraded, removed and
# purged under a systemd of its own (box.sh).  This machine's packages, users
# and services are not touched, and that is looked at too.

ping='{"execute":"guest-ping"}'
pong='{"return": {}}'
top=$(atf_get_srcdir)/../..

need_box() {
	need_linux
	need_root
	need_prog dpkg-buildpackage unshare nsenter setpriv mkfs.ext4 fsfreeze
	[ -x /lib/systemd/systemd ] || atf_skip "needs systemd"
	unshare -C -m -p -f -u -i -n true 2>/dev/null ||
	    atf_skip "needs namespaces"
}

# build TREE REVISION: prints its path; objects are kept beside this build
build() {
	sh "$1/etc/debian/build.sh" "$top/../deb" "$2" >build.out 2>&1 ||
	    { cat build.out >&2; atf_fail "no package"; }
	tail -n 1 build.out
}

# start_box: with both packages in it
start_box() {
	mkdir -p box/units
	cp "$(build "$top" 1)" box/1.deb || exit 1
	# The same with another build id.
	mkdir src
	# shellcheck disable=SC2046
	(cd "$top" && tar cf - Makefile build.mk configure LICENSE ./*.md etc \
	    man $(sed -n 's/^ROOMS=//p' build.mk)) | (cd src && tar xf -)
	echo '/* another build */' >>src/lib/build.c
	cp "$(build "$PWD/src" 2)" box/2.deb || exit 1
	cp "$common/qgaclient" box
	truncate -s 16M disk
	mkfs.ext4 -q disk || atf_fail "mkfs.ext4"
	printf '[Unit]\nDefaultDependencies=no\n' >box/units/box.target
	# There is no port here.  The unit as an administrator may have it
	# with an ISA port, see qgad.service.
	dpkg-deb --fsys-tarfile box/1.deb |
	    tar xOf - --wildcards './*/systemd/system/qgad.service' |
	    sed -e '/^BindsTo=/d' -e '/^After=dev/d' \
	    -e 's/^WantedBy=.*/WantedBy=multi-user.target/' \
	    >box/units/qgad.service
	grep -q '^ExecStart=' box/units/qgad.service || atf_fail "no unit"
	# Not in the group that is killed when this has ended: it cleans up.
	setsid sh "$(atf_get_srcdir)/box.sh" "$PWD" box.target >box.out 2>&1 &
	echo $! >box.pid
	wait_for box systemctl is-active box.target ||
	    { cat box.out >&2; atf_fail "no systemd"; }
}

stop_box() {
	kill -TERM "$(cat box.pid)" 2>/dev/null || return 0
	wait_seconds=30 wait_for gone "$(cat box.pid)"
}

# box COMMAND ...: in there
box() {
	[ -s pid ] || return 1
	nsenter -t "$(cat pid)" -m -p -u -i -n -C -r -w -- env -i \
	    PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ \
	    DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}

fail() {
	box cat /var/log/qgad.log >&2
	box systemctl --no-pager status qgad.service >&2
	atf_fail "$*"
}

# want PATTERN COMMAND ...: that is what it prints
want() {
	wanted=$1
	shift
	printed=$("$@") || fail "status $?: $*"
	# shellcheck disable=SC2254 # a pattern
	case $printed in
	$wanted) ;;
	*)	fail "$*: $printed, not $wanted" ;;
	esac
}

ask() {
	box /box/qgaclient -t 10 /run/qga.sock "$1"
}

answers_ping() {
	box test -S /run/qga.sock || return 1
	[ "$(box /box/qgaclient -t 2 /run/qga.sock "$ping" 2>/dev/null)" = \
	    "$pong" ]
}

# tell NAME [ARGUMENTS]
tell() {
	ask "{\"execute\":\"$1\"${2:+,\"arguments\":{$2}}}"
}

main_pid() {
	box systemctl show -P MainPID qgad.service
}

is() {
	[ "$(box systemctl is-active qgad.service)" = "$1" ]
}

dpkg_i() {
	box dpkg -i "$1" >dpkg.out 2>&1 ||
	    { cat dpkg.out >&2; fail "dpkg -i $1"; }
}

builds_in_log() {
	box grep -o 'build [0-9a-f]*' /var/log/qgad.log | sort -u | wc -l
}

two_builds() {
	tell guest-get-load >/dev/null
	[ "$(builds_in_log)" -eq 2 ]
}

# Of a log that was emptied: the one that goes on says which it is.
one_build() {
	tell guest-get-load >/dev/null
	[ "$(builds_in_log)" -eq 1 ]
}

freezes() {
	box qgad --list-commands | grep -q fsfreeze-freeze
}

# Whatever the machine has of its own.
machine() {
	cksum /etc/passwd /etc/group /etc/shadow /var/lib/dpkg/status
	ls /etc/systemd/system /var/lib/dpkg/info /etc/logrotate.d
	sysctl fs.file-max fs.nr_open kernel.pid_max 2>/dev/null
	awk '$2 ~ /qgad-box|\/box/' /proc/mounts
}

atf_test_case contents
contents_head() {
	atf_set descr "What is in the package, and what it says of itself"
	atf_set timeout 900
}
contents_body() {
	need_linux
	need_prog dpkg-buildpackage
	deb=$(build "$top" 1) || exit 1
	dpkg-deb -f "$deb" >fields || atf_fail "not a package"
	atf_check -o ignore grep -E '^Provides: qemu-guest-agent \(= ' fields
	atf_check -o ignore grep '^Conflicts: qemu-guest-agent$' fields
	atf_check -o ignore grep '^Replaces: qemu-guest-agent$' fields
	for lib in libevent-core libjson-c libsodium libc6; do
		grep -q "^Depends:.*$lib" fields || atf_fail "needs no $lib"
	done
	# The wildcard is dpkg's.
	dpkg-deb -c "$deb" >list
	for f in usr/sbin/qgad usr/libexec/qgad/qgad-parent \
	    usr/libexec/qgad/qgad-query usr/libexec/qgad/qgad-start \
	    lib/systemd/system/qgad.service usr/share/man/man8/qgad.8.gz \
	    lib/udev/rules.d/60-qgad.rules usr/share/doc/qgad/copyright; do
		grep -q "/$f\$" list || atf_fail "not in it: $f"
	done
	# Root's, no set-id, nothing that others write, no /run.
	awk '$2 != "root/root" || $1 ~ /[sS]/ ||
	    ($1 !~ /^l/ && substr($1, 9, 1) == "w") ||
	    $6 ~ /^.\/(run|var)/' list >odd
	[ ! -s odd ] || { cat odd >&2; atf_fail "odd files"; }
	mkdir x
	dpkg-deb -x "$deb" x
	(cd x && find . -type f ! -name '*.gz' -exec grep -Il '@[A-Z]*@' {} +) &&
	    atf_fail "not filled in"
	dpkg-deb -e "$deb" x/control
	for f in postinst prerm postrm; do
		sh -n x/control/$f || atf_fail "$f"
	done
	(cd x && md5sum --quiet -c control/md5sums) || atf_fail "md5sums"
}

atf_test_case life cleanup
life_head() {
	atf_set descr "Install, serve, crash, upgrade, remove, purge"
	atf_set require.user root
	atf_set timeout 900
}
life_body() {
	need_box
	machine >machine.before
	start_box
	box sh -c 'userdel _qgad; userdel _qgadw' >/dev/null 2>&1
	box sh -c "echo 'QGAD_ARGS=-m unix-listen -p /run/qga.sock \
	    -l /var/log/qgad.log' >/etc/default/qgad"

	# A machine that tests are run on may not let packages start services.
	box rm -f /usr/sbin/policy-rc.d

	# Installed in the place of qemu-ga's, started, enabled.
	had=$(box dpkg-query -W -f '${db:Status-Status}' qemu-guest-agent)
	dpkg_i /box/1.deb
	want 'install ok installed' \
	    box dpkg-query -W -f '${Status}' qgad
	if [ "$had" = installed ]; then
		[ "$(box dpkg-query -W -f '${db:Status-Status}' \
		    qemu-guest-agent)" != installed ] ||
		    atf_fail "qemu-guest-agent is still installed"
	fi
	want '*nologin' box getent passwd _qgad
	want '*nologin' box getent passwd _qgadw
	want 'enabled' box systemctl is-enabled qgad.service
	wait_for answers_ping || fail "it is not started"
	want 'active' \
	    box systemctl is-active qemu-guest-agent.service

	# It does what a host asks for.
	want '*qgad*' tell guest-info
	want '{"return": 77}' tell guest-sync '"id":77'
	want '*"id": "*' tell guest-get-osinfo
	want '*"name": "lo"*' tell guest-network-get-interfaces
	job=$(tell guest-exec '"path":"/bin/sleep","arg":["600"]' |
	    json_get pid)
	[ -n "$job" ] || fail "no job"
	want '*"exited": false*' tell guest-exec-status "\"pid\":$job"
	[ "$(box cat "/proc/$job/oom_score_adj")" = 0 ] ||
	    fail "a job has the service's OOM score"

	# The service's process is the monitor; when it is killed it is
	# started anew, a job lives on.
	p=$(main_pid)
	want 'qgad-parent' box cat "/proc/$p/comm"
	# Where root may.
	if box sh -c 'echo -900 >/proc/self/oom_score_adj' 2>/dev/null; then
		want '-900' box cat "/proc/$p/oom_score_adj"
	fi
	box kill -KILL "$p"
	wait_seconds=30 wait_for answers_ping || fail "not started anew"
	[ "$(main_pid)" != "$p" ] || fail "it was not killed"
	box kill -0 "$job" || fail "the job is gone after a crash"
	job=$(tell guest-exec '"path":"/bin/sleep","arg":["600"]' |
	    json_get pid)
	box systemctl stop qgad.service || fail "stop"
	box kill -0 "$job" || fail "the job is gone after a stop"
	! answers_ping || fail "it answers after a stop"
	if freezes; then
		want '*status=0*' \
		    box systemctl show -P ExecStopPost qgad.service
		is inactive || fail "stopped, but not inactive"
	fi

	# Options of the distributions' files, the job's environment without.
	box sh -c 'mkdir -p /etc/sysconfig
	    echo "FILTER_RPC_ARGS=\"--block-rpcs=guest-get-osinfo\"" \
	    >/etc/sysconfig/qemu-ga
	    echo "BLACKLIST_RPC=guest-get-users" >>/etc/sysconfig/qemu-ga
	    echo "DAEMON_ARGS=-v" >/etc/default/qemu-guest-agent'
	box systemctl start qgad.service || fail "start"
	wait_for answers_ping || fail "it does not start again"
	for c in guest-get-osinfo guest-get-users; do
		want '*has been disabled*' tell $c
	done
	want '*"return"*' tell guest-get-host-name
	box cat "/proc/$(main_pid)/cmdline" | tr '\0' ' ' >line
	grep -q -- ' -v ' line || fail "DAEMON_ARGS: $(cat line)"
	box cat "/proc/$(main_pid)/environ" | tr '\0' '\n' |
	    grep -E '^(FILTER_RPC|BLACKLIST|DAEMON_ARGS)' &&
	    fail "jobs would see the service's options"

	# Upgraded while idle: the same process goes on with the new build.
	p=$(main_pid)
	[ "$(builds_in_log)" -eq 1 ] || fail "two builds before an upgrade"
	dpkg_i /box/2.deb
	atf_check_equal "$p" "$(main_pid)"
	wait_for two_builds || fail "the new build is not used"
	wait_for answers_ping || fail "no answer after the upgrade"
	atf_check_equal "$p" "$(main_pid)"
	is active || fail "not active after the upgrade"

	# While frozen: frozen it stays, and goes over afterwards.
	if freezes; then
		want '{"return": 1}' \
		    tell guest-fsfreeze-freeze-list '"mountpoints":["/mnt"]'
		box sh -c ': >/var/log/qgad.log'
		dpkg_i /box/1.deb
		atf_check_equal "$p" "$(main_pid)"
		want '{"return": "frozen"}' \
		    tell guest-fsfreeze-status
		want '{"return": 1}' tell guest-fsfreeze-thaw
		wait_for one_build ||
		    fail "the new build is not used after a thaw"
		atf_check_equal "$p" "$(main_pid)"

		# Stopped while frozen: thawed.
		wait_for answers_ping || fail "no answer"
		want '{"return": 1}' \
		    tell guest-fsfreeze-freeze-list '"mountpoints":["/mnt"]'
		box systemctl stop qgad.service || fail "stop while frozen"
		timeout 10 nsenter -t "$(cat pid)" -m -r sh -c \
		    ': >/mnt/written && sync /mnt/written' ||
		    fail "still frozen after a stop"
		box systemctl start qgad.service
		wait_for answers_ping || fail "no start after that"
	fi

	# Removed and purged: the administrator's files and the users stay.
	box dpkg -L qgad >files
	box dpkg -r qgad >/dev/null 2>&1 || fail "dpkg -r"
	! answers_ping || fail "it runs after its removal"
	[ "$(main_pid)" = 0 ] || fail "a process after the removal"
	box test -f /etc/logrotate.d/qgad || fail "remove is not purge"
	box dpkg -P qgad >/dev/null 2>&1 || fail "dpkg -P"
	while read -r f; do
		case $f in
		*qgad*)	! box test -e "$f" || fail "left: $f" ;;
		esac
	done <files
	! box test -e /var/log/qgad.log || fail "the log is left"
	box find /etc/systemd/system /var/lib/systemd -name '*qgad*' \
	    ! -path /etc/systemd/system/qgad.service >left
	[ ! -s left ] || { cat left >&2; fail "units left"; }
	want '*' box getent passwd _qgadw
	box test -f /etc/default/qgad || fail "an administrator's file is gone"

	stop_box || atf_fail "the box does not end"
	machine >machine.after
	diff machine.before machine.after || atf_fail "this machine is changed"
}
life_cleanup() {
	[ ! -f box.pid ] || stop_box
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case contents
	atf_add_test_case life
}
