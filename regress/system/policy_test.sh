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

# What an administrator may say of programs, of the machine and of how much:
# for each rule what it allows is done and what it does not is refused,
# whoever asks, a host or a frontend in an attacker's hands (regress/rogue).

# configure LINE ...: ./conf
configure() {
	printf '%s\n' "$@" >conf
}

tool() {
	mkdir -p bin
	printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
	chmod 755 bin "bin/$1"
}

# exec_request PATH [MORE]: the request, its output captured
exec_request() {
	printf '{"execute":"guest-exec","arguments":{"path":"%s",%s%s}}' "$1" \
	    '"capture-output":true' "${2:+,$2}"
}

# allowed PATH [MORE]: it runs; its pid is in $job
allowed() {
	reply=$(qga "$(exec_request "$@")") || exit 1
	job=$(echo "$reply" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
	[ -n "$job" ] || { show_log; atf_fail "exec $*: $reply"; }
}

# refused WORDS PATH [MORE]: it does not, for that reason
refused() {
	said=$1
	shift
	reply=$(qga "$(exec_request "$@")") || exit 1
	case $reply in
	*GenericError*"$said"*) ;;
	*) show_log; atf_fail "exec $*: $reply" ;;
	esac
}

status_of() {
	qga '{"execute":"guest-exec-status","arguments":{"pid":'"$1"'}}'
}

over() {
	status_of "$1" >status
	grep -q '"exited": true' status
}

# output: what $job wrote, when it has ended
output() {
	wait_for over "$job" || { show_log; atf_fail "it does not end"; }
	sed -n 's/.*"out-data": "\([^"]*\)".*/\1/p' status | base64 -d
}

logged() {
	wait_for grep -Eq -e "$1" qgad.log ||
	    { show_log; atf_fail "the log does not say: $1"; }
}

NO_PROGRAM="no rule allows this program"
NO_ARGUMENTS="no rule allows this program with these arguments"

# --- which programs, with which arguments ---

atf_test_case programs cleanup
programs_head() {
	atf_set descr "[exec]: programs by path and by name, and their arguments"
	atf_set require.user root
}
programs_body() {
	tool show 'for a; do printf "<%s>" "$a"; done'
	tool other 'echo other'
	mkdir also
	cp bin/other also/show
	ln -s "$PWD/bin/show" bin/link
	configure '[exec]' "program = $PWD/bin/other" '[exec show]' \
	    "program = $PWD/bin/show, $PWD/bin/link" \
	    'arguments = -v --file=/srv/*.log a\sb \\* ?'
	start_qgad -c "$PWD/conf"
	good='"arg":["-v","--file=/srv/x.log","a b","*","y"]'
	allowed "$PWD/bin/show" "$good"
	atf_check_equal '<-v><--file=/srv/x.log><a b><*><y>' "$(output)"
	allowed show "$good"
	atf_check_equal '<-v><--file=/srv/x.log><a b><*><y>' "$(output)"
	allowed "$PWD/./bin//show" "$good"
	allowed "$PWD/bin/link" "$good"
	# Without patterns any arguments are.
	allowed "$PWD/bin/other" '"arg":["-x","\n"]'
	atf_check_equal other "$(output)"
	logged "command=guest-exec object=\"$PWD/bin/show\" pid=[0-9]+ verdict=allowed rule=\[exec\]show at=\"$PWD/conf:3\" worker=exec"

	refused "$NO_PROGRAM" /bin/sh
	refused "$NO_PROGRAM" sh
	refused "$NO_PROGRAM" "$PWD/also/show" "$good"
	refused "$NO_PROGRAM" "$PWD/bin/../bin/show" "$good"
	refused "$NO_PROGRAM" "bin/show" "$good"
	refused "$NO_PROGRAM" "$PWD/bin/sho" "$good"
	refused "$NO_ARGUMENTS" "$PWD/bin/show"
	logged "verdict=refused rule=\[exec\] at=\"$PWD/conf:1\" worker=- "
	stop_qgad
}
programs_cleanup() {
	cleanup_qgad
}

# What is one argument for us is one for the program: no blank, quote, line
# or NUL makes two of it, and no number of them passes by the patterns.
atf_test_case arguments cleanup
arguments_head() {
	atf_set descr "patterns of arguments cannot be escaped"
	atf_set require.user root
	atf_set timeout 120
}
arguments_body() {
	tool show 'for a; do printf "<%s>" "$a"; done'
	configure '[exec one]' "program = $PWD/bin/show" \
	    'arguments = get /srv/*.log' '[exec any]' \
	    "program = $PWD/bin/show" 'arguments = any ...' \
	    '[exec wild]' "program = $PWD/bin/show" 'arguments = wild *' \
	    '[exec none]' "program = $PWD/bin/show" 'arguments ='
	start_qgad -c "$PWD/conf"
	allowed show '"arg":["get","/srv/a b'"'"'\"$(x)`;&|.log"]'
	[ "$(output)" = '<get></srv/a b'"'"'"$(x)`;&|.log>' ] ||
	    atf_fail "$(cat status)"
	allowed show '"arg":["any","-rf","\n","/etc/shadow"]'
	allowed show '"arg":["any"]'
	allowed show '"arg":["wild",""]'
	allowed show '"arg":[]'
	for bad in '"get","/srv/a.log","-o"' '"get","/srv/a.log",""' '"get"' \
	    '"get /srv/a.log"' '"get","/srv/x/../a.log"' '"get","/srv/.log\n"' \
	    '"get","/srv/\n.log"' '"get","/srv/a.log /etc/shadow"' \
	    '"get","/srv/../etc/x.log"' '"get","/etc/a.log"' \
	    '"get","/srv/x/y.log"' '"get\n","/srv/a.log"' \
	    '" get","/srv/a.log"' '"GET","/srv/a.log"' \
	    '"wild","-x"' '"wild","a/b"' '"wild",".."' '"wild","a","b"' \
	    '"wild","\u007f"' '"wild","\u0001"' '""' '"Any"'; do
		refused "$NO_ARGUMENTS" show '"arg":['"$bad"']'
	done
	# Each control character, within what a star may take.
	for c in 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 \
	    15 16 17 18 19 1a 1b 1c 1d 1e 1f; do
		refused "$NO_ARGUMENTS" show '"arg":["wild","a\u00'$c'b"]'
	done
	# QEMU makes 0xc0 0x80 of it, so that it ends nothing.
	refused "$NO_ARGUMENTS" show '"arg":["get","/srv/a\u0000.log"]'
	refused "$NO_ARGUMENTS" show '"arg":["wild","a\u0000/b"]'
	refused "$NO_ARGUMENTS" show '"arg":["wild\u0000","a"]'
	# As many as a message holds, and the longest.
	many=$(awk 'BEGIN { for (i = 0; i < 1000; i++) printf ",\"x\"" }')
	allowed show '"arg":["any"'"$many"']'
	refused "$NO_ARGUMENTS" show '"arg":["wild","x"'"$many"']'
	long=$(awk 'BEGIN { for (i = 0; i < 4097; i++) printf "x" }')
	refused "$NO_ARGUMENTS" show '"arg":["wild","'"$long"'"]'
	allowed show '"arg":["wild","'"${long%x}"'"]'
	stop_qgad
}
arguments_cleanup() {
	cleanup_qgad
}

# --- as whom, where, with what ---

# In a root of users of its own: the machine's are none of ours.
atf_test_case run_as cleanup
run_as_head() {
	atf_set descr "user, group, groups, directory, environment"
	atf_set require.user root
}
run_as_body() {
	need_linux
	need_prog unshare mount id
	tool who 'id -u; id -g; id -G; pwd; /usr/bin/env | sort;
	grep -E "^(CapEff|CapPrm|CapInh|CapAmb|Uid|Gid|Groups)" /proc/self/status'
	chmod 755 .
	mkdir place
	cat /etc/passwd - >passwd <<-EOT
	qgt:x:54321:54321::/nowhere:/bin/false
	EOT
	cat /etc/group - >group <<-EOT
	qgt:x:54321:
	qgt1:x:54322:other,qgt
	qgt2:x:54323:qgt,another
	qgt3:x:54324:notqgt,qgtx
	qgt4:x:54325:
	EOT
	configure '[exec user]' "program = $PWD/bin/who" 'user = qgt' \
	    'arguments = user' '[exec group]' "program = $PWD/bin/who" \
	    'user = qgt' 'group = qgt4' "directory = $PWD/place" \
	    'arguments = group' '[exec only]' "program = $PWD/bin/who" \
	    'group = qgt4' 'arguments = only' '[exec env]' \
	    "program = $PWD/bin/who" 'arguments = env' \
	    'environment = A=b\sc PATH=/bin:/usr/bin KEEP NOT_THERE' \
	    'host-environment = LANG,A'
	mkdir -p state
	KEEP=kept unshare -m sh -c 'mount --bind passwd /etc/passwd &&
	    mount --bind group /etc/group || exit 1; exec "$@"' sh \
	    "$prefix/sbin/qgad" -t "$PWD/state" -l "$PWD/qgad.log" \
	    -m unix-listen -p "$PWD/sock" -c "$PWD/conf" >qgad.out \
	    2>>qgad.err &
	echo $! >>qgad.pids
	echo $! >qgad.pid
	answers || { show_log; atf_fail "qgad does not answer"; }

	allowed who '"arg":["user"]'
	output >out
	printf '%s\n' 54321 54321 '54321 54322 54323' / HOME=/nowhere \
	    LOGNAME=qgt PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	    PWD=/ SHELL=/bin/false USER=qgt >want
	grep -v -e '^[CUG][a-z]*[A-Za-z]*:' -e '^_=' -e '^OLDPWD=' out >have
	diff want have >&2 || atf_fail "user: $(cat out)"
	grep -Eq '^Uid:.54321.54321.54321.54321$' out || atf_fail "$(cat out)"
	grep -Eq '^Gid:.54321.54321.54321.54321$' out || atf_fail "$(cat out)"
	grep -Eq '^Groups:.54321 54322 54323 ?$' out || atf_fail "$(cat out)"
	[ "$(grep -c '^Cap.*:.0*$' out)" -eq 4 ] || atf_fail "$(cat out)"

	allowed who '"arg":["group"]'
	output >out
	sed -n 1,4p out >have
	printf '%s\n' 54321 54325 '54325 54322 54323' "$PWD/place" >want
	diff want have >&2 || atf_fail "group"
	allowed who '"arg":["only"]'
	output >out
	sed -n 1,3p out >have
	printf '%s\n' 0 54325 54325 >want
	diff want have >&2 || atf_fail "only"

	allowed who '"arg":["env"],"env":["LANG=x","A=d"]'
	output | grep -E '^[A-Z_]+=' | grep -Ev '^(PWD|OLDPWD|_|SHLVL)=' >have
	printf '%s\n' A=d KEEP=kept LANG=x PATH=/bin:/usr/bin >want
	diff want have >&2 || atf_fail "environment"
	allowed who '"arg":["env"]'
	output | grep -q '^A=b c$' || atf_fail "A: $(cat status)"
	wont="its rule does not let the host set these variables"
	for bad in LD_PRELOAD=/x PATH=/x 'A' 'LANGX=1' 'lang=1' '' '=x'; do
		refused "$wont" who '"arg":["env"],"env":["LANG=x","'"$bad"'"]'
	done
	refused "$wont" who '"arg":["user"],"env":["LANG=x"]'
	refused "its rule does not allow input-data" who \
	    '"arg":["env"],"input-data":"eA=="'
	stop_qgad
	# Users must be there at the start.
	for bad in 'user = nosuchuser' 'group = nosuchgroup'; do
		configure '[exec]' 'program = /bin/true' "$bad"
		atf_check -s exit:1 -e match:"conf:1: .*there is no " \
		    "$prefix/sbin/qgad" -c "$PWD/conf" -n
	done
}
run_as_cleanup() {
	cleanup_qgad
}

# --- how much ---

atf_test_case bounds cleanup
bounds_head() {
	atf_set descr "rlimits, output kept, jobs at once, input"
	atf_set require.user root
}
bounds_body() {
	tool limits 'ulimit -Ht; ulimit -Hv; ulimit -Hf; ulimit -Hn;
	ulimit -Hu; ulimit -Hc; ulimit -Sn' # of dash, which counts blocks
	sed -i 1s,sh,bash, bin/limits
	need_prog bash
	tool cat 'exec cat'
	tool wait 'exec sleep 1000'
	tool yes 'printf 123456789'
	configure '[exec bounds]' "program = $PWD/bin/limits" 'max-cpu = 7' \
	    'max-memory = 512M' 'max-file-size = 1M' 'max-open-files = 77' \
	    'max-processes = 4000' 'max-core = 0' \
	    '[exec cat]' "program = $PWD/bin/cat" 'input = true' \
	    '[exec one]' "program = $PWD/bin/wait" 'max-jobs = 1' \
	    '[exec yes]' "program = $PWD/bin/yes" 'max-output = 4'
	start_qgad -c "$PWD/conf"
	allowed limits
	output >have
	printf '%s\n' 7 524288 1024 77 4000 0 77 >want
	diff want have >&2 || atf_fail "limits"
	allowed cat '"input-data":"aW4="'
	atf_check_equal in "$(output)"
	allowed yes
	atf_check_equal 1234 "$(output)"
	grep -q '"out-truncated": true' status || atf_fail "$(cat status)"
	allowed wait
	one=$job
	refused 'programs of the rule [exec]one are running' wait
	allowed yes
	kill -KILL "$one"
	wait_for over "$one" || atf_fail "it lives"
	allowed wait
	kill -KILL "$job"
	stop_qgad
}
bounds_cleanup() {
	cleanup_qgad
}

# Its group ends with it, whoever it runs as; what it left behind too.
atf_test_case time cleanup
time_head() {
	atf_set descr "max-time: the job and its group are ended"
	atf_set require.user root
}
time_body() {
	chmod 755 .
	mkdir pids
	chmod 777 pids
	tool stay 'trap "" TERM; sleep 1000 & echo $! >pids/child;
	echo $$ >pids/self; echo started; wait; sleep 1000'
	tool leave 'sleep 1000 & echo $! >pids/left; exit 3'
	tool quick 'exit 4'
	configure '[exec stay]' "program = $PWD/bin/stay" 'user = daemon' \
	    "directory = $PWD" 'max-time = 1' '[exec leave]' \
	    "program = $PWD/bin/leave, $PWD/bin/quick" "directory = $PWD" \
	    'max-time = 3600'
	start_qgad -c "$PWD/conf"
	allowed stay
	wait_for test -s pids/self || atf_fail "it does not start"
	child=$(cat pids/child)
	output >/dev/null
	grep -q '"signal": 9' status || atf_fail "$(cat status)"
	wait_for gone "$child" || atf_fail "its child lives on"
	logged "pid=$job event=end signal=9 "
	allowed leave
	output >/dev/null
	grep -q '"exitcode": 3' status || atf_fail "$(cat status)"
	left=$(cat pids/left)
	wait_for gone "$left" || atf_fail "what it left lives on"
	allowed quick
	output >/dev/null
	grep -q '"exitcode": 4' status || atf_fail "$(cat status)"
	# The guards have gone with them.
	wait_for no_guards || atf_fail "guards: $(guards)"
	stop_qgad
}
guards() {
	ps -A -o pid= -o args= | grep '[e]xec-guard'
}
no_guards() {
	! guards
}
time_cleanup() {
	cleanup_qgad
}

# --- whose the program is ---

atf_test_case owners cleanup
owners_head() {
	atf_set descr "a program that others than root may have put there"
	atf_set require.user root
}
owners_body() {
	owners "$prefix"
}
owners_cleanup() {
	cleanup_qgad
}

atf_test_case owners_control cleanup
owners_control_head() {
	atf_set descr "with that defence off such a program runs"
	atf_set require.user root
	atf_set timeout 300
}
owners_control_body() {
	off=$(sh "$common/variant.sh" off-program 0x10000) ||
	    atf_fail "the variant is not to be built"
	owners "$off" off
}
owners_control_cleanup() {
	cleanup_qgad
}

# owners PREFIX [off]
owners() {
	chmod 755 .
	for t in good group other owner dir linked; do
		tool $t 'echo ran'
	done
	chmod 775 bin/group
	chmod 757 bin/other
	chown daemon bin/owner
	mkdir open mine
	mv bin/dir open/dir
	chmod 777 open
	ln -s "$PWD/bin/good" mine/link
	chown -h daemon mine/link
	mkdir of
	cp bin/good of/tool
	chown -R daemon of
	configure '[exec]' "program = $PWD/bin/good, $PWD/bin/group, \
$PWD/bin/other, $PWD/bin/owner, $PWD/open/dir, $PWD/mine/link, $PWD/bin" \
	    '[exec as]' "program = $PWD/of/tool" 'user = daemon'
	prefix=$1
	start_qgad -c "$PWD/conf"
	allowed "$PWD/bin/good"
	atf_check_equal ran "$(output)"
	allowed "$PWD/of/tool"
	atf_check_equal ran "$(output)"
	for t in bin/group bin/other bin/owner open/dir mine/link; do
		if [ "${2:-}" = off ]; then
			allowed "$PWD/$t"
			atf_check_equal ran "$(output)"
			continue
		fi
		case $t in
		bin/owner|mine/link) want="belongs neither to root nor" ;;
		*) want="is writable by group or others" ;;
		esac
		refused "$want" "$PWD/$t"
		logged "object=\"$PWD/$t\" verdict=refused rule=\[exec\] at=\"$PWD/conf:1\" worker=exec"
	done
	stop_qgad
}

# --- a restart's rules and the newest ---

atf_test_case reread cleanup
reread_head() {
	atf_set descr "SIGHUP: a program must pass the rules at start and the new"
	atf_set require.user root
}
reread_body() {
	tool show 'echo "$1"'
	configure '[exec]' "program = $PWD/bin/show" 'arguments = *'
	start_qgad -c "$PWD/conf"
	allowed show '"arg":["a"]'
	configure '[exec]' "program = $PWD/bin/show, /bin/true" 'arguments = a*'
	reread
	allowed show '"arg":["a"]'
	refused "$NO_ARGUMENTS" show '"arg":["b"]'
	refused "$NO_PROGRAM" /bin/true '"arg":["a"]'
	configure '[exec]' "program = $PWD/bin/show" 'user = daemon'
	reread
	refused "its rule is another than at the start" show '"arg":["a"]'
	configure '[general]'
	reread
	allowed show '"arg":["b"]'
	refused "$NO_PROGRAM" /bin/true
	stop_qgad
}
reread_cleanup() {
	cleanup_qgad
}

reread() {
	times=$(($(grep -c 'was read again' qgad.log) + 1))
	kill -HUP "$(qgad_pid)"
	wait_for read_times || { show_log; atf_fail "it is not read again"; }
}
read_times() {
	[ "$(grep -c 'was read again' qgad.log)" -ge "$times" ]
}

# --- mistakes ---

# mistake LINE WORDS TEXT...: told with the line
mistake() {
	at=$1 said=$2
	shift 2
	configure "$@"
	atf_check -s exit:1 -e match:"conf:$at: .*$said" \
	    "$prefix/sbin/qgad" -c "$PWD/conf" -n
}

atf_test_case mistakes cleanup
mistakes_head() {
	atf_set descr "mistakes in rules: file, line, key, what was expected"
}
mistakes_body() {
	p='program = /bin/true'
	mistake 1 'program: is missing' '[exec x]'
	mistake 2 'an absolute path is expected' '[exec]' 'program = true'
	mistake 2 'a program is expected' '[exec]' 'program = /'
	mistake 2 "'..' is not allowed" '[exec]' 'program = /bin/../x'
	mistake 3 '\[exec a\]: is there already, in line 1' '[exec a]' "$p" \
	    '[exec a]'
	mistake 3 '\[exec\]: is there already' '[exec]' "$p" '[exec]'
	mistake 1 'letters, digits' '[exec a/b]'
	mistake 1 'unknown section' '[file x]'
	mistake 3 'unknown key' '[exec]' "$p" 'path = /x'
	mistake 4 'given twice' '[exec]' "$p" 'max-time = 1' 'max-time = 2'
	mistake 3 'is for the end' '[exec]' "$p" 'arguments = ... x'
	mistake 3 'unknown escape' '[exec]' "$p" 'arguments = a\x'
	mistake 3 'backslash' '[exec]' "$p" 'arguments = a\\'
	mistake 3 'NAME=value or NAME' '[exec]' "$p" 'environment = 1A=b'
	mistake 3 'name of a variable' '[exec]' "$p" 'host-environment = A=b'
	mistake 3 'not a name' '[exec]' "$p" 'user = a b'
	mistake 3 'absolute path' '[exec]' "$p" 'directory = x'
	mistake 3 'not true, false' '[exec]' "$p" 'input = yes'
	mistake 3 'number from' '[exec]' "$p" 'max-time = 0'
	mistake 3 'size .*from' '[exec]' "$p" 'max-memory = 1'
	mistake 2 'not true, false' '[system]' 'clock = 2'
	mistake 2 'not audit, backup or full' '[general]' 'profile = none'
	mistake 2 'not a name' '[account]' 'passwords = a b'
	# What is dumped is read, and gives the same.
	configure '[general]' 'profile = backup' '[exec]' "$p" \
	    'arguments = a\sb \\* ... ' 'environment = A=\sb B' 'max-cpu = 3' \
	    '[exec b]' 'program = /bin/false, /bin/true' 'arguments =' \
	    '[system]' 'clock = true' '[account]' 'passwords = x,y' \
	    '[file]' 'read = /a\\nb, /c\sd' '[limits]' \
	    'bytes-per-second = 1024G' '[exec c]' 'program = /bin/a\\b' \
	    'max-memory = 16G' '[general]' 'logfile = /var/log/a\s\\b'
	"$prefix/sbin/qgad" -c "$PWD/conf" -D >first || atf_fail "-D"
	grep -q '^arguments=a\\sb \\\\\* \.\.\.$' first || atf_fail "$(cat first)"
	for line in 'read=/a\\nb,/c\sd' 'bytes-per-second=1099511627776' \
	    'max-memory=17179869184' 'logfile=/var/log/a \\b' \
	    'program=/bin/a\\b'; do
		grep -Fxq -e "$line" first || atf_fail "$line: $(cat first)"
	done
	cp first conf
	"$prefix/sbin/qgad" -c "$PWD/conf" -D >second || atf_fail "-D of -D"
	diff first second >&2 || atf_fail "it differs"
}
mistakes_cleanup() {
	cleanup_qgad
}

# --- how much in a second ---

atf_test_case limits cleanup
limits_head() {
	atf_set descr "requests and bytes a second: an error at once, no delay"
	atf_set require.user root
}
limits_body() {
	time='{"execute":"guest-get-time"}'
	configure '[limits]' 'requests-per-second = 5'
	start_qgad -c "$PWD/conf"
	many=$(awk 'BEGIN { for (i = 0; i < 200; i++) print "'"$(echo "$time" |
	    sed 's/"/\\"/g')"'" }')
	# All at once: what is too much is answered, and nothing waits.
	echo "$many" | "$qgaclient" -n 200 -t 30 "$PWD/sock" >replies ||
	    { show_log; atf_fail "not all are answered"; }
	good=$(grep -c '"return"' replies)
	bad=$(grep -c 'GenericError.*guest-get-time has been refused: there are more requests a second than it allows' replies)
	[ $((good + bad)) -eq 200 ] && [ "$good" -ge 5 ] && [ "$bad" -gt 100 ] ||
	    atf_fail "$good, $bad: $(sort replies | uniq -c)"
	logged "verdict=refused rule=\[limits\]requests-per-second at=\"$PWD/conf:2\" worker=- "
	# What was too much for the log is said, though nothing comes after.
	wait_for all_refusals "$bad" || atf_fail "$(grep refused qgad.log)"
	many=$(awk 'BEGIN { for (i = 0; i < 200; i++) {
	    print "{\"execute\":\"guest-ping\"}"
	    print "{\"execute\":\"guest-info\"}"
	    print "{\"execute\":\"guest-fsfreeze-status\"}" } }')
	echo "$many" | "$qgaclient" -n 600 -t 30 "$PWD/sock" >replies
	[ "$(grep -c '"return"' replies)" -eq 600 ] ||
	    atf_fail "$(grep -v return replies | sort | uniq -c)"
	stop_qgad

	configure '[limits]' 'bytes-per-second = 1000'
	start_qgad -c "$PWD/conf"
	head -c 100000 /dev/zero >zeros
	allowed cat '"arg":["'"$PWD/zeros"'"]'
	wait_for over "$job" || atf_fail "$(cat status)"
	reply=$(qga "$time")
	case $reply in
	*"more bytes a second than it allows"*) ;;
	*) atf_fail "$reply" ;;
	esac
	qga '{"execute":"guest-ping"}' >/dev/null
	logged 'verdict=refused rule=\[limits\]bytes-per-second '
	stop_qgad
}
# all_refusals N: shown or counted, the log has all of them
all_refusals() {
	shown=$(grep -c 'command=.*verdict=refused' qgad.log)
	sed -n 's/.*verdict=refused not-shown=//p' qgad.log >hidden
	[ -s hidden ] && [ $((shown + $(tr '\n' + <hidden)0)) -eq "$1" ]
}
limits_cleanup() {
	cleanup_qgad
}

# --- the record ---

# Whatever a host writes, a line of the record is one line of its form.
atf_test_case record cleanup
record_head() {
	atf_set descr "the audit lines: a strict parser, every character"
	atf_set require.user root
	atf_set timeout 120
}
record_body() {
	auditcheck=$common/auditcheck
	configure '[exec]' 'program = /bin/true' '[limits]' \
	    'refusal-lines = 1000000'
	start_qgad -c "$PWD/conf" -b guest-set-time
	echo 0 >asked
	inject() {
		echo $(($(cat asked) + 1)) >asked
		qga '{"execute":"guest-exec","arguments":{"path":"'"$1"'"}}' \
		    '{"execute":"guest-file-open","arguments":{"path":"/none/'"$1"'"}}' \
		    >/dev/null
	}
	for c in 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 \
	    14 15 16 17 18 19 1a 1b 1c 1d 1e 1f 20 22 27 3d 5c 7f 80 85 9b \
	    a0; do
		inject "/a\\u00$c/b"
	done
	for bad in '/x\" verdict=allowed' '\n1.0: audit: seq=1 command=x' \
	    '\r\n' '\\' '\\\"' '\u2028' '\u202e' \
	    "$(awk 'BEGIN { for (i = 0; i < 2000; i++) printf "\\\"" }')"; do
		inject "$bad"
	done
	allowed /bin/true
	wait_for over "$job"
	qga '{"execute":"guest-set-time"}' >/dev/null
	wait_for grep -q 'command=guest-set-time' qgad.log
	stop_qgad
	"$auditcheck" qgad.log >fields 2>why ||
	    atf_fail "not strict: $(cat why)"
	# Each request is one, and says what was asked.
	want=$(($(cat asked) + 1))
	have=$(grep -c '^command.guest-exec$' fields)
	[ "$have" -ge $want ] || atf_fail "$have of $want"
	grep -q '^object./x" verdict=allowed$' fields ||
	    atf_fail "a quote: $(grep verdict= fields)"
	grep -q '^object.$(printf "/a\\001/b")' fields ||
	    grep -q "$(printf '^object\t/a\001/b')" fields ||
	    atf_fail "a control character is lost"
	[ "$(grep -c '^event.end$' fields)" -eq 1 ] || atf_fail "no end"
	grep -q "^at.$PWD/conf:1$" fields || atf_fail "no line of the rule"
	grep -q '^at.command line$' fields || atf_fail "no command line"
	# The parser is one: a line of another form is refused.
	for bad in 'seq=1 time=1.0 mono=1.0 a=b  c=d' \
	    'seq=1 time=1.0 mono=1.0 a="b' 'seq=2 time=1.0 mono=1.0 a=b' \
	    'seq=1 time=1.0 a=b' 'seq=1 time=1.0 mono=1.0 a="b"c"' \
	    'seq=1 time=1.0 mono=1.0 a="\n"' 'seq=1 time=1.0 mono=1.0 a b'; do
		printf '1.0: audit: %s\n' "$bad" >line
		! "$auditcheck" line >/dev/null 2>&1 ||
		    atf_fail "it takes: $bad"
	done
}
record_cleanup() {
	cleanup_qgad
}

atf_test_case status cleanup
status_head() {
	atf_set descr "SIGUSR1: what runs and which policy is in force"
	atf_set require.user root
}
status_body() {
	tool wait 'exec sleep 1000'
	echo text >file
	configure '[general]' 'block-rpcs = guest-set-time' '[exec wait]' \
	    "program = $PWD/bin/wait" '[file]' "read = $PWD"
	start_qgad -c "$PWD/conf"
	allowed wait
	qga '{"execute":"guest-file-open","arguments":{"path":"'"$PWD/file"'"}}' \
	    '{"execute":"guest-set-time"}' '{"execute":"guest-get-time"}' \
	    >/dev/null
	kill -USR1 "$(qgad_pid)"
	logged ': status end$'
	sed -n '/status begin/,/status end/p' qgad.log >block
	for want in 'status begin: version=.* build=[0-9a-f]* pid='"$(qgad_pid)"'$' \
	    'status: state=thawed jobs=1 ended-jobs=0 handles=1 request=-$' \
	    'process=frontend pid=[0-9]* state=ready seconds=[0-9]*$' \
	    "process=exec pid=[0-9]* state=ready seconds=[0-9]* job=$job rule=.exec.wait ended=no\$" \
	    "process=file .* handle=[0-9]* object=\"$PWD/file\" operations=0\$" \
	    "configuration=\"$PWD/conf\" profile=full allow-rpcs=- block-rpcs=given" \
	    'section=exec rules=line-3$' 'section=file rules=line-5$' \
	    'section=account rules=none$' 'enabled=.*guest-get-time' \
	    'disabled=guest-set-time$' 'status: requests=4 refused=1 limited=0 '; do
		grep -q "$want" block || atf_fail "no $want: $(cat block)"
	done
	# Sent to each of its processes it ends none but the job.
	pids=$(ps -A -o pid= -o ppid= | awk '$2 == '"$(qgad_pid)"' { print $1 }')
	# shellcheck disable=SC2086 # words
	kill -USR1 $pids
	handle=$(sed -n 's/.*process=file .* handle=\([0-9]*\) .*/\1/p' block)
	qga '{"execute":"guest-file-read","arguments":{"handle":'"$handle"'}}' \
	    >reply
	grep -q '"buf-b64": "dGV4dAo="' reply || atf_fail "$(cat reply)"
	kill -USR1 "$job"
	wait_for over "$job"
	grep -q '"signal": 10' status || atf_fail "$(cat status)"
	# A worker that is killed is the end of what is known of its job.
	allowed wait
	worker=$(sed -n "s/.* pid=$job verdict=allowed .*worker=exec\[\([0-9]*\)\].*/\1/p" qgad.log)
	kill -KILL "$worker"
	logged "command=guest-exec pid=$job event=lost worker=exec\[$worker\] ms="
	kill -KILL "$job"
	# After a reload it is the new one's.
	configure '[general]' 'profile = backup'
	reread
	kill -USR1 "$(qgad_pid)"
	logged 'status: configuration=.* profile=backup allow-rpcs=- block-rpcs=-$'
	logged 'status: requests=.* frontend-ends=0$'
	! grep -q 'frontend-ends=[1-9]' qgad.log || atf_fail "it ended"
	stop_qgad
}
status_cleanup() {
	cleanup_qgad
}

# --- what comes with it ---

atf_test_case examples
examples_head() {
	atf_set descr "the example policies are read, and are what they say"
}
examples_body() {
	examples=$(atf_get_srcdir)/../../etc/examples
	[ -d "$examples" ] || atf_skip "needs the sources"
	for f in "$examples"/*.conf; do
		cp "$f" conf
		chmod 644 conf
		# A user of theirs need not be here.
		sed -i 's/^user = nobody$/user = root/' conf
		"$prefix/sbin/qgad" -c "$PWD/conf" -n ||
		    atf_fail "${f##*/} is not read"
		"$prefix/sbin/qgad" -c "$PWD/conf" -D >dump
		case $f in
		*/audit.conf|*/backup.conf|*/full.conf)
			name=${f##*/}
			grep -Fxq "profile=${name%.conf}" dump ||
			    atf_fail "$name: $(cat dump)" ;;
		esac
	done
}

# --- the same asked past the frontend ---

atf_test_case rogue cleanup
rogue_head() {
	atf_set descr "a rogue frontend is held to the same rules"
	atf_set timeout 120
}
rogue_body() {
	need_root
	asked "$prefix"
	rogue_says '^got reply id 1 number number [1-9]'
	for id in 2 3 4 5; do
		rogue_says "^got reply id $id error .*is refused: no rule"
	done
	rogue_says '^got reply id 6 refused .*suspend-[a-z]* has been disabled'
	[ -e made/allowed ] || atf_fail "what is allowed did not run"
	[ ! -e made/refused ] || atf_fail "what is refused did run"
	stop_qgad
}
rogue_cleanup() {
	cleanup_qgad
}

atf_test_case rogue_control cleanup
rogue_control_head() {
	atf_set descr "with the monitor's decision off the rogue is not held"
	atf_set timeout 300
}
rogue_control_body() {
	need_root
	off=$(sh "$common/variant.sh" off-policy 0x1000) ||
	    atf_fail "the variant is not to be built"
	asked "$off"
	rogue_says '^got reply id 5 number number [1-9]'
	wait_for test -e made/refused || atf_fail "it was held"
	stop_qgad
}
rogue_control_cleanup() {
	cleanup_qgad
}

# measured PREFIX: more than it may have, all in one write
measured() {
	configure '[limits]' 'requests-per-second = 1'
	rogue_runs "$1" <<-EOT
	hello
	until policy
	stuff 50
	wait 1000
	EOT
	rogue_says '^sent 50 queries'
}

atf_test_case rogue_limits cleanup
rogue_limits_head() {
	atf_set descr "a rogue frontend is held to [limits]"
	atf_set timeout 120
}
rogue_limits_body() {
	need_root
	measured "$prefix"
	rogue_says 'error .*there are more requests a second than it allows'
	logged "verdict=refused rule=\[limits\]requests-per-second at=\"$PWD/conf:2\""
	# One of them was within.
	logged 'frontend.*stuffed'
	rogue_says 'bytes of results'
	stop_qgad
}
rogue_limits_cleanup() {
	cleanup_qgad
}

atf_test_case rogue_limits_control cleanup
rogue_limits_control_head() {
	atf_set descr "with the monitor's decision off there is no measure"
	atf_set timeout 300
}
rogue_limits_control_body() {
	need_root
	off=$(sh "$common/variant.sh" off-policy 0x1000) ||
	    atf_fail "the variant is not to be built"
	measured "$off"
	logged 'frontend.*stuffed'
	! grep -q 'more requests a second' rogue/rogue.log ||
	    atf_fail "it was held"
	stop_qgad
}
rogue_limits_control_cleanup() {
	cleanup_qgad
}

# asked PREFIX: by the rogue, in the place of that one's frontend.  What it
# could do to the machine if it were not held is another, harmless thing.
asked() {
	mkdir made
	tool touch 'exec touch "$@"'
	configure '[exec]' "program = $PWD/bin/touch" \
	    "arguments = $PWD/made/allowed" '[system]' 'shutdown = false'
	rogue_runs "$1" <<-EOT
	hello
	until policy
	exec $PWD/bin/touch $PWD/made/allowed
	until reply
	exec $PWD/bin/touch $PWD/made/allowed $PWD/made/refused
	until reply
	exec $PWD/bin/touch $PWD/made/refused
	until reply
	exec touch
	until reply
	exec /usr/bin/touch $PWD/made/refused
	until reply
	$([ "$1" = "$off" ] || echo change suspend)
	until reply
	wait 1000
	EOT
}

# rogue_runs PREFIX: with ./conf, and what is on standard input as its script
rogue_runs() {
	need_linux
	need_prog unshare setpriv
	mkdir state rogue
	tool harmless 'echo "$0 $*" >>over; exit 1'
	cp "$common/../rogue/rogue" rogue/qgad || atf_fail "no rogue was built"
	sed -n 's/.*"\(.*\)".*/\1/p' "$1/../buildid.h" >rogue/rogue.build
	cat >rogue/rogue.script
	: >rogue/rogue.log
	chmod 755 . rogue rogue/qgad
	# shellcheck disable=SC2016 # for the inner sh
	unshare -m --propagation private sh -c '
	    for p in poweroff halt reboot shutdown; do
		[ ! -e "/sbin/$p" ] ||
		    mount --bind bin/harmless "/sbin/$p" || exit 1
	    done
	    mount --bind rogue "$1/sbin" || exit 1
	    [ ! -e /sys/power/state ] ||
		mount --bind bin/harmless /sys/power/state || exit 1
	    at=$1; shift
	    exec setpriv --bounding-set=-sys_time,-sys_boot,-sys_admin \
		"$at/libexec/qgad/qgad-parent" "$@"' sh "$1" \
	    -c "$PWD/conf" -t "$PWD/state" -l "$PWD/qgad.log" \
	    -m unix-listen -p "$PWD/sock" >qgad.out 2>>qgad.err &
	echo $! >>qgad.pids
	echo $! >qgad.pid
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	off=none
	atf_add_test_case programs
	atf_add_test_case arguments
	atf_add_test_case run_as
	atf_add_test_case bounds
	atf_add_test_case time
	atf_add_test_case owners
	atf_add_test_case owners_control
	atf_add_test_case reread
	atf_add_test_case mistakes
	atf_add_test_case limits
	atf_add_test_case record
	atf_add_test_case status
	atf_add_test_case examples
	atf_add_test_case rogue
	atf_add_test_case rogue_control
	atf_add_test_case rogue_limits
	atf_add_test_case rogue_limits_control
}
