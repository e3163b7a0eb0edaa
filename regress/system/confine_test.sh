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


# The separation as the system sees it on a running qgad, never as our log
# says it.  confcheck compares a process with its role's row of the one table;
# builds with one defence off show that it would see each missing.  Then what
# a job finds, beside qemu-ga's job, and what users of the guest can do.

osinfo='{"execute":"guest-get-osinfo"}'
intruder=64999
# What h_intruder tries, and may do to a process of its own user.
reach="signal environ mem-read mem-write maps fd root cwd vm-read \
take-descriptor ptrace"

# qgad-start is a script of the service's.
programs() {
	find "$prefix/libexec/qgad" -type f ! -name qgad-start | sort
}

# symbols FILE: all names, of the symbol table and the dynamic one
symbols() {
	{ nm "$1"; nm -D "$1"; } 2>/dev/null | awk '{ print $NF }' |
	    sed 's/@.*//' | sort -u
}

atf_test_case libraries
libraries_head() {
	atf_set descr "json-c, libevent and libsodium are in the frontend alone, but for the account worker's libsodium"
}
libraries_body() {
	need_prog nm
	parsers='^(json_|lh_table_|array_list_|printbuf_|event_|ev(util|buffer'
	parsers="$parsers|thread|connlistener)_|bufferevent_)"
	foreign="$parsers|^(sodium_|crypto_|randombytes_)"
	# The control: it would see them.
	symbols "$prefix/sbin/qgad" >qgad.symbols
	for name in json_tokener_ event_base_ sodium_; do
		grep -E "$foreign" qgad.symbols | grep -q "^$name" ||
		    atf_fail "the control passes: no $name in qgad"
	done
	[ "$(programs | grep -c -e qgad-parent -e qgad-query -e qgad-exec \
	    -e qgad-file -e qgad-log -e qgad-system -e qgad-account \
	    -e qgad-hook -e qgad-freeze)" -eq 9 ] ||
	    atf_fail "programs missing"
	for file in $(programs); do
		symbols "$file" >symbols
		grep -qx build_id symbols ||
		    atf_fail "$file has no symbols to look at"
		echo "${file##*/}: $(wc -l <symbols) symbols"
		not=$foreign
		# Where a password is kept: that one library and no other.
		[ "${file##*/}" != qgad-account ] || not=$parsers
		if grep -E "$not" symbols; then
			atf_fail "${file##*/} has these"
		fi
	done
}

# --- against the table ---

# Not what a system gives by itself.
some_limits() {
	# shellcheck disable=SC3045 # every shell of Linux has these
	ulimit -c 1000 && ulimit -n 3000
}

# start_all: every role that lasts, with a job running that has been fed, so
# that its worker relays; limits and a descriptor that must not be passed on
start_all() {
	some_limits
	exec 9</etc/passwd
	start_qgad
	qga "$osinfo" >/dev/null
	echo written >opened
	qga '{"execute":"guest-file-open","arguments":{
	    "path":"'"$PWD/opened"'","mode":"r+"}}' >file.reply
	grep -q '"return": 1' file.reply ||
	    { show_log; atf_fail "no file: $(cat file.reply)"; }
	rm -f relayed
	qga "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/sh\",
	    \"arg\":[\"-c\",\"read x; : >$PWD/relayed; exec sleep 100\"],
	    \"input-data\":\"eAo=\"}}" >exec.reply
	job=$(json_get pid <exec.reply)
	echo "$job" >>qgad.pids
	wait_for test -e relayed ||
	    { show_log; atf_fail "the job is not fed: $(cat exec.reply)"; }
}

stop_all() {
	kill "$job"
	stop_qgad
	exec 9<&-
}

# bad PID ROLE [IDS]: the properties that are not as the table says, and all
# that was seen in ./seen
bad() {
	"$confcheck" "$1" "$2" "${3:--}" "$prefix/libexec/qgad/empty" >seen ||
	    [ $? -eq 1 ] || return 1
	sed -n 's/^BAD \([^:]*\):.*/\1/p' seen | paste -s -d , - | sed 's/^$/-/'
}

# expect ROLE PROPERTIES: of each process of that role just these are BAD; a
# worker that has just started gets the time to confine itself
expect() {
	wait_for as_expected "$1" "$2" || {
		cat seen
		show_log
		atf_fail "$1: BAD is $(cat bad), not $2"
	}
	printf '%-10s %s\n' "$1" "$(cat bad)"
}

as_expected() {
	found=no
	for pid in $(role_pids "$1"); do
		bad "$pid" "$1" >bad || return 1
		wanted=$2
		# What query keeps it keeps where landlock is alone.
		[ "$1" != query ] ||
		    ! grep -q 'CapPrm: expected 0000000000000000' seen ||
		    wanted=$(echo "$2" | sed 's/CapPrm,CapEff,//
			s/,CapPrm,CapEff//')
		[ "$(cat bad)" = "$wanted" ] || return 1
		found=yes
	done
	[ $found = yes ]
}

atf_test_case shipped cleanup
shipped_head() {
	atf_set descr "Every running process is as the table says"
	atf_set require.user root
}
shipped_body() {
	need_linux
	start_all
	[ "$(bad "$(qgad_pid)" monitor)" = - ] ||
	    atf_fail "the monitor: $(cat seen)"
	for role in frontend query exec-spare exec file log; do
		expect $role -
		cat seen
	done
	# Nobody else: the job, and the root that waits to be the next.
	wait_for starters_only || atf_fail "more processes: $(cat others)"
	# What the monitor holds, but for what it was started with.
	find "/proc/$$/fd" -type l -exec readlink {} + | sort >ours
	find "/proc/$(qgad_pid)/fd" -type l -exec readlink {} + |
	    grep -v -e '^socket:' -e '^/dev/null$' -e '/qgad\.err$' | sort |
	    comm -23 - ours >held
	atf_check -s exit:0 cat held
	stop_all
}
shipped_cleanup() {
	cleanup_qgad
}

# All that is below the monitor and has no row: the job, and of each spare
# worker the child that will be a job, root as qemu-ga is.
starters_only() {
	: >others
	for pid in $(tree "$(qgad_pid)"); do
		[ "$pid" != "$(qgad_pid)" ] && [ "$pid" != "$job" ] || continue
		case $(tr '\0' ' ' <"/proc/$pid/cmdline") in
		*": frontend "* | *": query "* | *": log "* | *": exec "* | \
		*": file "* | \
		*": exec-spare "*) ;;
		*": exec-starter "*)
			# Its limits and session are its worker's, till then.
			bad "$pid" system >bad || return 1
			tr , '\n' <bad | grep -vx -e - -e session -e core \
			    -e fsize -e nproc -e nofile >>others ;;
		*)	echo "$pid $(cat "/proc/$pid/comm")" >>others ;;
		esac
	done
	[ ! -s others ]
}

# defence mask, then what is BAD of: frontend query exec-spare exec file log.
# Without no_new_privs neither landlock nor seccomp can be had; without
# landlock query gives its capability up.
defences() {
	cat <<-EOT
	chroot     0x001 root,cwd - root,cwd root,cwd root,cwd root,cwd
	ids        0x002 uid,gid uid,gid uid,gid uid,gid uid,gid uid,gid
	groups     0x004 groups groups groups groups groups groups
	rlimits    0x008 $limits $limits $limits $limits $writer $writer
	caps       0x020 CapBnd CapPrm,CapEff,CapBnd CapBnd CapBnd CapBnd CapBnd
	nonewprivs 0x1c0 $nnp $nnp,CapPrm,CapEff $nnp $nnp $nnp $nnp
	syscalls   0x100 seccomp seccomp seccomp seccomp seccomp seccomp
	closefrom  0x200 $fds $fds $fds $fds $fds $fds
	setsid     0x800 session session session session session session
	EOT
}
limits=core,fsize,nproc,nofile
writer=core,nproc,nofile
nnp=no_new_privs,seccomp
fds=descriptors

# without DEFENCE MASK: the prefix of such a build
without() {
	sh "$common/variant.sh" "without-$1" "$2" 2>variant.err ||
	    { cat variant.err >&2; atf_fail "no build without $1"; }
}

control() {
	need_linux
	defences >table
	while read -r defence mask frontend query spare exec file log; do
		[ "$defence" != "$1" ] || break
	done <table
	prefix=$(without "$defence" "$mask") || exit 1
	start_all
	expect frontend "$frontend"
	expect query "$query"
	expect exec-spare "$spare"
	expect exec "$exec"
	expect file "$file"
	expect log "$log"
	stop_all
}

controls="chroot ids groups rlimits caps nonewprivs syscalls closefrom setsid"
for defence in $controls; do
	eval "atf_test_case without_$defence cleanup
	without_${defence}_head() {
		atf_set descr \"confcheck sees that $defence is off, only that\"
		atf_set require.user root
	}
	without_${defence}_body() { control $defence; }
	without_${defence}_cleanup() { cleanup_qgad; }"
done

# The kernel makes a process that changes its uid undumpable by itself (where
# fs.suid_dumpable is 0); so this one is looked at without root.
start_plain() {
	rm -rf plain
	mkdir -m 700 plain
	chown $intruder:$intruder plain
	setpriv --reuid=$intruder --regid=$intruder --groups=$intruder \
	    "$prefix/sbin/qgad" --test -m unix-listen -p "$PWD/plain/sock" \
	    -t "$PWD/plain" -l "$PWD/plain/log" >plain.out 2>>qgad.err &
	echo $! >>qgad.pids
	echo $! >qgad.pid
	"$qgaclient" "$PWD/plain/sock" "$osinfo" >/dev/null ||
	    { show_log; atf_fail "qgad --test does not answer"; }
}

atf_test_case without_undump cleanup
without_undump_head() {
	atf_set descr "confcheck sees that undump is off, only that"
	atf_set require.user root
}
without_undump_body() {
	need_linux
	need_prog setpriv
	for build in shipped control; do
		[ $build = shipped ] || prefix=$(without undump 0x010) || exit 1
		start_plain
		for role in frontend query log; do
			pid=$(role_pid $role)
			bad "$pid" $role $intruder:$intruder |
			    tr , '\n' >$build.$role
			paste -s -d ' ' $build.$role
		done
		stop_qgad
	done
	for role in frontend query log; do
		! grep -qx dumpable shipped.$role ||
		    atf_fail "$role is dumpable"
		atf_check -s exit:0 -o inline:'dumpable\n' \
		    grep -vxFf shipped.$role control.$role
	done
}
without_undump_cleanup() {
	cleanup_qgad
}

# --- a job, and qemu-ga's job ---

# as_service CMD ...: signals, mask, umask as a service manager leaves them,
# with limits of our own and a descriptor that a job must not get
as_service() {
	(
		some_limits
		umask 022
		echo 0 >/proc/self/oom_score_adj
		exec 9</etc/passwd
		exec env --default-signal "$@"
	) >agent.out 2>>qgad.err &
	echo $! >>qgad.pids
	echo $! >qgad.pid
}

# As somebody's shell might: a job of qgad is none the worse.
as_anybody() {
	(
		some_limits
		umask 027
		echo 200 >/proc/self/oom_score_adj
		exec 9</etc/passwd
		exec env --ignore-signal=USR1 --block-signal=USR2 "$@"
	) >agent.out 2>>qgad.err &
	echo $! >>qgad.pids
	echo $! >qgad.pid
}

# job_views AGENT WAY: what jobs of it see, in AGENT.{none,output,input,env}
job_views() {
	mkdir -p state
	case $1 in
	qemu*)	agent=$qemu ;;
	*)	agent=$prefix/sbin/qgad ;;
	esac
	rm -f sock
	"$2" "$agent" -m unix-listen -p "$PWD/sock" -t "$PWD/state"
	answers || { show_log; atf_fail "$agent does not answer"; }
	for with in none output input env; do
		case $with in
		none)	more= ;;
		output)	more=',"capture-output":true' ;;
		input)	more=',"capture-output":true,"input-data":"eAo="' ;;
		env)	more=',"env":["A=1","PATH=/nowhere","A=2"]' ;;
		esac
		rm -f view
		qga "{\"execute\":\"guest-exec\",\"arguments\":{
		    \"path\":\"$common/../system/h_view\",
		    \"arg\":[\"$PWD/view\",\"two words\"]$more}}" >exec.reply
		job=$(json_get pid <exec.reply)
		wait_for job_ended || { show_log; atf_fail "no end of $job"; }
		mv view "$1.$with" || atf_fail "no view: $(cat exec.status)"
	done
	kill "$(qgad_pid)"
	wait_for gone "$(qgad_pid)" || atf_fail "$agent does not end"
	: >qgad.pids
}

job_ended() {
	qga "{\"execute\":\"guest-exec-status\",
	    \"arguments\":{\"pid\":$job}}" >exec.status
	grep -q '"exited": true' exec.status
}

# differences AGENT AGENT: lines of jobs' views that only one has
differences() {
	for with in none output input env; do
		diff "$1.$with" "$2.$with" | sed -n "s/^\([<>]\)/$with \1/p"
	done
}

atf_test_case job cleanup
job_head() {
	atf_set descr "A job finds what a job of qemu-ga finds"
	atf_set require.user root
}
job_body() {
	need_linux
	qemu=/usr/sbin/qemu-ga
	[ -x "$qemu" ] || qemu=$(command -v qemu-ga) ||
	    atf_skip "needs qemu-ga"
	job_views qemu as_service
	grep -q 'fd 0: pipe' qemu.input || atf_fail "no view: $(cat qemu.input)"
	cut -d : -f 1 qemu.input | uniq -c

	# Its own session is the one difference.
	for with in none output input env; do
		echo "$with < leader: session another's, group another's"
		echo "$with > leader: session own, group own"
	done >session
	job_views qgad as_service
	differences qemu qgad >seen
	atf_check -s exit:0 diff session seen
	job_views qgad as_anybody
	differences qemu qgad >seen
	atf_check -s exit:0 diff session seen

	# The control: CONTROL_CLOSEFROM, CONTROL_JOBRESET, CONTROL_SETSID.
	prefix=$(without job 0xe00) || exit 1
	job_views qgad as_anybody
	differences qemu qgad >seen
	cat seen
	for line in 'leader: session own' 'Umask:.0022' 'SigIgn:.0*$' \
	    'fd 9:'; do
		case $line in
		fd*)	grep -q "> $line" seen ;;
		leader*) ! grep -q "$line" seen ;;
		*)	grep -q "< status: $line" seen ;;
		esac || atf_fail "the control passes: $line"
	done
}
job_cleanup() {
	cleanup_qgad
}

# --- users of the guest ---

# intrusion UID:GID TARGET ...: what is not refused
intrusion() {
	"$common/../system/h_intruder" "$@" >tried ||
	    atf_fail "h_intruder: $*"
	[ -s tried ] || atf_fail "nothing was tried: $*"
	grep -v ' refused$' tried
}

atf_test_case local_user cleanup
local_user_head() {
	atf_set descr "A user of the guest reaches neither socket nor process"
	atf_set require.user root
}
local_user_body() {
	need_linux
	start_all
	expect exec-spare -
	# shellcheck disable=SC2046 # a list of pids
	intrusion $intruder:$intruder "$PWD/sock" $(tree "$(qgad_pid)") >seen
	atf_check -s exit:0 cat seen
	# monitor, frontend, query, log, file; exec and its job; a spare and its
	[ "$(grep -c '^ptrace' tried)" -ge 9 ] ||
	    atf_fail "not every process: $(cat tried)"
	# The control: what it could do to its own, and to an open socket.
	chmod 666 sock
	intrusion $intruder:$intruder "$PWD/sock" self >seen
	for what in connect $reach; do
		echo "$what ok"
	done >could
	atf_check -s exit:0 diff could seen
	stop_all
}
local_user_cleanup() {
	cleanup_qgad
}

# as_user NAME ROLE ...: may it do to them more than signal its own?
as_user() {
	ids=$(id -u "$1"):$(id -g "$1")
	shift
	for role in "$@"; do
		for pid in $(role_pids "$role"); do
			intrusion "$ids" "$pid" >>seen
		done
	done
}

atf_test_case our_users cleanup
our_users_head() {
	atf_set descr "_qgad and _qgadw reach nothing of each other or root"
	atf_set require.user root
}
our_users_body() {
	need_linux
	start_all
	expect exec-spare -
	: >seen
	for user in _qgad _qgadw; do
		ids=$(id -u $user):$(id -g $user)
		intrusion "$ids" "$PWD/sock" "$(qgad_pid)" "$job" >>seen
		# The child of a spare worker, which will be a job.
		for pid in $(role_pids exec-spare); do
			starter=$(children_of "$pid")
			[ -z "$starter" ] || intrusion "$ids" "$starter" >>seen
		done
	done
	as_user _qgad query exec-spare exec file log
	as_user _qgadw frontend
	atf_check -s exit:0 cat seen
	# One's own may be signalled, but neither read nor traced.
	as_user _qgad frontend
	atf_check -s exit:0 -o inline:'signal ok\n' cat seen
	: >seen
	as_user _qgadw query exec file log
	for role in query exec file log; do
		echo 'signal ok'
	done >could
	atf_check -s exit:0 diff could seen
	stop_all
}
our_users_cleanup() {
	cleanup_qgad
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case libraries
	atf_add_test_case shipped
	for defence in $controls; do
		atf_add_test_case "without_$defence"
	done
	atf_add_test_case without_undump
	atf_add_test_case job
	atf_add_test_case local_user
	atf_add_test_case our_users
}
