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


# The command line and the configuration file: what is taken, what is said,
# on which stream, with which status; and that qemu-ga's own options give
# what they give there.

# No file but those a test writes.
alone() {
	QGA_CONF=/nonexistent/qga.conf
	export QGA_CONF
	unset LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
	qgad=$prefix/sbin/qgad
}

# dump ARGS: qgad -D in ./dump, or the test fails
dump() {
	"$qgad" -D "$@" >dump 2>err || { cat err >&2; atf_fail "qgad -D $*"; }
	[ ! -s err ] || { cat err >&2; atf_fail "qgad -D $*: stderr"; }
}

# shows LINE ARGS: the dump has exactly that line
shows() {
	line=$1
	shift
	dump "$@"
	grep -Fxq -- "$line" dump ||
	    { cat dump >&2; atf_fail "no '$line' from qgad -D $*"; }
}

# refused TEXT ARGS: status 1, TEXT on standard error, nothing on the other
refused() {
	text=$1
	shift
	atf_check -s exit:1 -o empty -e "match:$text" "$qgad" "$@"
}

names_of() {
	sed -n 's/^\(guest-[a-z-]*\).*/\1/p' | sort
}

# Runs a script in a mount namespace of its own.
in_namespace() {
	unshare -m --propagation private sh -euc "$@"
}

need_namespace() {
	need_linux
	need_root
	need_prog unshare
	unshare -m --propagation private true 2>/dev/null ||
	    atf_skip "needs mount namespaces"
}

# $nobody COMMAND runs it as somebody who is nobody, if we are root.
be_nobody() {
	nobody=
	if [ "$(id -u)" -eq 0 ]; then
		need_prog setpriv
		nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	fi
}

# --- options that only inform ---

atf_test_case inform
inform_head() {
	atf_set descr "-h -V -D -n, -b help, --list-commands: no root needed"
}
# shellcheck disable=SC2086 # $nobody is words, or none
inform_body() {
	alone
	be_nobody
	for o in -V --version; do
		atf_check -o 'match:^QEMU Guest Agent 10\.2\.0-qgad[0-9.]*$' \
		    $nobody "$qgad" $o
	done
	for o in -h --help; do
		atf_check -o 'match:^usage: .*qgad ' $nobody "$qgad" $o
	done
	for o in "-b help" "-b ?" "-bhelp" "--block-rpcs=help" \
	    "--block-rpcs ?" "--blacklist=help" "--blacklist help"; do
		set -f
		$nobody "$qgad" $o >out 2>err || atf_fail "$o: status $?"
		set +f
		atf_check cat err
		grep -qx guest-ping out || atf_fail "$o: no guest-ping"
		grep -vq '^guest-[a-z-]*$' out && atf_fail "$o: $(cat out)"
	done
	atf_check -o match:guest-exec $nobody "$qgad" --list-commands
	atf_check -o 'match:^\[general\]$' $nobody "$qgad" -D
	atf_check -o 'match:^\[general\]$' $nobody "$qgad" --dump-conf
	atf_check $nobody "$qgad" -n
}

atf_test_case help_complete
help_complete_head() {
	atf_set descr "the help and the manual have every option"
}
help_complete_body() {
	alone
	"$qgad" -h >help
	page=$prefix/share/man/man8/qgad.8
	[ -f "$page" ] || atf_fail "no $page"
	for o in a:allow-rpcs b:block-rpcs c:config d:daemonize D:dump-conf \
	    F:fsfreeze-hook f:pidfile h:help l:logfile m:method p:path \
	    r:retry-path t:statedir v:verbose V:version; do
		grep -Eq "^  -${o%:*}, --${o#*:}( |\$)" help ||
		    atf_fail "-h lacks $o"
		grep -Eq "^\\.It Fl ${o%:*}.* , Fl -${o#*:}( |\$)" "$page" ||
		    atf_fail "qgad.8 lacks $o"
	done
	for o in -n --test --thaw --list-commands; do
		grep -Eq "^  $o( |\$)" help || atf_fail "-h lacks $o"
		grep -Eq "^\\.It Fl ${o#-}\$" "$page" ||
		    atf_fail "qgad.8 lacks $o"
	done
	grep -Fq '  --self-test[=json] ' help || atf_fail "-h: no --self-test"
	grep -q '^\.It Fl -self-test Ns Op' "$page" ||
	    atf_fail "qgad.8 lacks --self-test"
	# And qgad.conf(5) every key.
	cat >conf <<-EOT
	[freeze]
	exclude=/a
	[file]
	[account]
	passwords=a
	ssh-keys=a
	[system]
	[exec]
	program=/bin/true
	arguments=
	environment=
	host-environment=
	user=root
	group=root
	directory=/
	max-time=1
	max-jobs=1
	max-output=1
	max-cpu=1
	max-memory=1M
	max-file-size=1
	max-open-files=64
	max-processes=1
	max-core=1
	EOT
	dump -c conf -F -l /l -a ''
	sed -n 's/^\([a-z-]*\)=.*/\1/p' dump | sort -u >keys
	sed -n 's/^\.It Ic \([a-z-]*\)$/\1/p' \
	    "$prefix/share/man/man5/qgad.conf.5" | sort -u >page.keys
	atf_check diff keys page.keys
}

atf_test_case version_agrees
version_agrees_head() {
	atf_set descr "-V and guest-info say the same"
}
version_agrees_body() {
	alone
	mkdir state
	v=$("$qgad" -V) || atf_fail "-V"
	echo '{"execute":"guest-info"}' |
	    "$qgad" --test -m stdio -t "$PWD/state" >out 2>err ||
	    { cat err >&2; atf_fail "status $?"; }
	w=$(json_get version <out)
	atf_check_equal "$v" "QEMU Guest Agent $w"
}

atf_test_case commands_agree
commands_agree_head() {
	atf_set descr "-b help, --list-commands, guest-info, manual: one table"
}
commands_agree_body() {
	alone
	mkdir state
	"$qgad" -b help | names_of >help
	"$qgad" --list-commands >table
	names_of <table >listed
	atf_check cmp help listed
	echo '{"execute":"guest-info"}' |
	    "$qgad" --test -m stdio -t "$PWD/state" 2>err |
	    tr '{' '\n' | sed -n 's/.*"name": "\(guest-[^"]*\)".*/\1/p' |
	    sort >info
	atf_check cmp help info
	[ "$(wc -l <help)" -ge 13 ] || atf_fail "too few: $(cat help)"
	# The page has name, class, root, frozen and the least profile as the
	# program does.
	awk 'NR > 1 { print $1, $2, $3, $4, $5 }' table >program
	sed -n '/^\.\\" BEGIN generated/,/^\.\\" END/p' \
	    "$prefix/share/man/man8/qgad.8" |
	    sed -n 's/^\.It Ic \(.*\)$/\1/p' | sed 's/ Ta / /g' >page
	atf_check diff program page
}

# --- the same as qemu-ga ---

# What is documented to differ: where state and pid file are by default,
# allow-rpcs, which 7.2 lacks, and what no qemu-ga has, behind all else.
plain() {
	sed -e '/^profile=/,$d' -e "s,^pidfile=$prefix/var/run/qgad\.pid\$,pidfile=DEFAULT," \
	    -e 's,^pidfile=/.*/qemu-ga\.pid$,pidfile=DEFAULT,' \
	    -e "s,^statedir=$prefix/var/run\$,statedir=DEFAULT," \
	    -e 's,^statedir=/var/run$,statedir=DEFAULT,' \
	    -e 's,^statedir=/run$,statedir=DEFAULT,' "$1"
}

like_qemu() {
	"$qemu" -D "$@" >theirs 2>theirs.err || atf_fail "qemu-ga -D $*"
	dump "$@"
	plain theirs >a
	plain dump >b
	diff a b >&2 || atf_fail "qgad -D $* differs from qemu-ga's"
}

atf_test_case dump_like_qemu
dump_like_qemu_head() {
	atf_set descr "-D is what the installed qemu-ga's -D is"
}
dump_like_qemu_body() {
	alone
	need_linux
	qemu=/usr/sbin/qemu-ga
	[ -x "$qemu" ] || qemu=$(command -v qemu-ga) ||
	    atf_skip "needs qemu-ga"

	like_qemu
	like_qemu -m isa-serial
	like_qemu -m isa-serial -p /dev/ttyS1
	like_qemu -m virtio-serial -p relative
	like_qemu -m unix-listen -p /x/sock -l /x/log -f /x/pid -t /x/state
	like_qemu -munix-listen -p/x/sock -l/x/log -f/x/pid -t/x/state
	like_qemu --method=vsock-listen --path=3:1024
	like_qemu --method unix-listen --path /x --logfile /l --pidfile /f \
	    --statedir /t --verbose --daemonize --retry-path
	like_qemu -dvr
	like_qemu -F
	like_qemu -F/x/hook
	like_qemu --fsfreeze-hook
	like_qemu --fsfreeze-hook=/x/hook
	like_qemu -F/x/hook -F
	like_qemu -b guest-exec
	like_qemu -bguest-exec,guest-ping,guest-info
	like_qemu -b guest-exec,guest-ping -b guest-info,guest-get-time
	like_qemu --block-rpcs=guest-exec --block-rpcs guest-ping
	like_qemu -b ''
	like_qemu -m unix-listen -p /a -p /b -v -v -d -d
	like_qemu --meth unix-listen --pat /x
	like_qemu -v --

	cat >conf <<-'EOT'
	# a comment
	[general]
	daemon = true
	method = unix-listen
	path=/x/a\sb
	logfile=/x/log
	pidfile = /x/pid
	fsfreeze-hook=/x/hook
	statedir=/x/state
	verbose=1
	retry-path=0
	block-rpcs=guest-exec,guest-ping
	EOT
	QGA_CONF=$PWD/conf
	like_qemu
	like_qemu -p /y -l /y/log -t /y -f /y/pid -F -m isa-serial -r
	like_qemu -b guest-info,guest-get-time -b guest-sync

	# Refused by both.
	QGA_CONF=/nonexistent/qga.conf
	for bad in "-m unix-listen" "-m vsock-listen" "-m nonsense" "-Z" \
	    "--nonsense" "-p" "-b" "--verbose=1"; do
		for program in "$qemu" "$qgad"; do
			# shellcheck disable=SC2086 # words
			"$program" -D $bad >out 2>err &&
			    atf_fail "$program takes $bad"
		done
	done
	return 0
}

# --- each option by itself ---

atf_test_case each_option
each_option_head() {
	atf_set descr "every option, short, long, glued: what it sets"
}
each_option_body() {
	alone
	shows method=virtio-serial
	shows daemon=false
	shows verbose=false
	shows retry-path=false
	shows block-rpcs=
	for o in "-m unix-listen" -munix-listen "--method unix-listen" \
	    --method=unix-listen; do
		# shellcheck disable=SC2086 # words
		shows method=unix-listen $o -p /s
	done
	while read -r key short long; do
		for o in "-$short /x/y" "-$short/x/y" "--$long /x/y" \
		    "--$long=/x/y"; do
			# shellcheck disable=SC2086 # words
			shows "$key=/x/y" $o
		done
	done <<-EOT
	path p path
	logfile l logfile
	pidfile f pidfile
	statedir t statedir
	EOT
	while read -r key short long; do
		shows "$key=true" "-$short"
		shows "$key=true" "--$long"
	done <<-EOT
	daemon d daemonize
	verbose v verbose
	retry-path r retry-path
	EOT
	shows fsfreeze-hook=/etc/qemu/fsfreeze-hook -F
	shows fsfreeze-hook=/etc/qemu/fsfreeze-hook --fsfreeze-hook
	shows fsfreeze-hook=/x/h -F/x/h
	shows fsfreeze-hook=/x/h --fsfreeze-hook=/x/h
	refused "unexpected argument '/x/h'" -D -F /x/h
	refused "unexpected argument 'more'" -D more
	for o in "-b guest-exec" -bguest-exec "--block-rpcs guest-exec" \
	    --block-rpcs=guest-exec --blacklist=guest-exec \
	    "--blacklist guest-exec"; do
		# shellcheck disable=SC2086 # words
		shows block-rpcs=guest-exec $o
	done
	for o in "-a guest-exec" -aguest-exec "--allow-rpcs guest-exec" \
	    --allow-rpcs=guest-exec; do
		# shellcheck disable=SC2086 # words
		shows allow-rpcs=guest-exec $o
	done
	# An empty list allows nothing, which is not the same as no list.
	shows allow-rpcs= -a ''
	dump
	grep -q allow-rpcs dump && atf_fail "allow-rpcs without -a"
	# The order of the options does not matter, -D may stand anywhere.
	"$qgad" -v -D -r >out || atf_fail "-v -D -r"
	grep -Fxq retry-path=true out || atf_fail "-D hides what follows it"
	# The dump is a configuration that gives the same dump.
	dump -m unix-listen -p "/x/a b" -dvr -l /l -F/h -b guest-exec,guest-ping \
	    -a guest-ping
	cp dump first
	dump -c "$PWD/first"
	sort first >a; sort dump >b
	# A blank is an escape in the file, and lists turn round.
	for f in a b; do
		sed 's/^block-rpcs=.*/&/;s/guest-ping,guest-exec/L/
		    s/guest-exec,guest-ping/L/' $f >$f.n
	done
	atf_check diff a.n b.n
}

# --- the file ---

atf_test_case which_file
which_file_head() {
	atf_set descr "-c, else QGA_CONF; one file only"
}
which_file_body() {
	alone
	printf '[general]\npath=/of/c\n' >c.conf
	printf '[general]\npath=/of/env\nlogfile=/of/env\n' >env.conf
	QGA_CONF=$PWD/env.conf
	shows path=/of/env
	for o in "-c $PWD/c.conf" "-c$PWD/c.conf" "--config $PWD/c.conf" \
	    "--config=$PWD/c.conf"; do
		# shellcheck disable=SC2086 # words
		shows path=/of/c $o
		grep -q of/env dump && atf_fail "two files were read: $o"
	done
	# The last -c, as with any option.
	shows path=/of/c -c "$PWD/env.conf" -c "$PWD/c.conf"
	# A relative name is one of the directory we are in.
	shows path=/of/c -c c.conf
	# -c must be there, QGA_CONF need not.
	refused "/nonexistent/c: No such file" -n -c /nonexistent/c
	refused "c.conf: No such file" -n -c no/c.conf
	QGA_CONF=/nonexistent/env
	shows method=virtio-serial
	# A directory is no file, a file without end none either.
	refused "Is a directory" -n -c "$PWD"
	refused "/dev/zero" -n -c /dev/zero
	mkfifo fifo
	refused "fifo" -n -c "$PWD/fifo"
	if [ "$(id -u)" -ne 0 ]; then
		chmod 0 c.conf
		refused "c.conf: Permission denied" -n -c c.conf
	fi
}

atf_test_case fallback
fallback_head() {
	atf_set descr "qgad.conf, else qemu-ga's own qemu-ga.conf; not both"
	atf_set require.user root
}
fallback_body() {
	alone
	need_namespace
	unset QGA_CONF
	[ -d /etc/qemu ] || atf_skip "needs /etc/qemu"
	# shellcheck disable=SC2016 # expanded by the other shell
	in_namespace '
		mount -t tmpfs none /etc/qemu
		mount -t tmpfs none "$1/etc"
		"$1/sbin/qgad" -D >none
		printf "[general]\npath=/of/qemu\nverbose=true\n" \
		    >/etc/qemu/qemu-ga.conf
		"$1/sbin/qgad" -D >qemu
		printf "[general]\nblock-rpcs=no-such\n" \
		    >/etc/qemu/qemu-ga.conf
		! "$1/sbin/qgad" -D >/dev/null 2>bad
		printf "[general]\npath=/of/qgad\n" >"$1/etc/qgad.conf"
		"$1/sbin/qgad" -D >both
		QGA_CONF=/nonexistent "$1/sbin/qgad" -D >env' sh "$prefix" ||
	    atf_fail "status $?"
	grep -q /of/ none && atf_fail "a file where there is none"
	grep -Fxq path=/of/qemu qemu || atf_fail "qemu-ga.conf is not read"
	grep -Fxq verbose=true qemu || atf_fail "qemu-ga.conf is not read"
	grep -q '/etc/qemu/qemu-ga.conf:2: block-rpcs: ' bad ||
	    atf_fail "no place: $(cat bad)"
	grep -Fxq path=/of/qgad both || atf_fail "qgad.conf is not read"
	grep -Fxq verbose=false both || atf_fail "both files are read"
	grep -q /of/ env && atf_fail "QGA_CONF is not the last word"
	return 0
}

atf_test_case command_line_wins
command_line_wins_head() {
	atf_set descr "the command line wins over the file, lists add up"
}
command_line_wins_body() {
	alone
	cat >conf <<-'EOT'
	[general]
	daemon=false
	verbose=false
	retry-path=false
	method=unix-listen
	path=/of/file
	logfile=/of/file
	pidfile=/of/file
	statedir=/of/file
	fsfreeze-hook=/of/file
	block-rpcs=guest-exec
	blacklist=guest-exec-status
	allow-rpcs=guest-ping,guest-info
	EOT
	shows path=/of/file -c conf
	dump -c conf -d -v -r -m isa-serial -p /of/line -l /of/line \
	    -f /of/line -t /of/line -F/of/line
	grep /of/file dump && atf_fail "the file wins"
	for l in daemon=true verbose=true retry-path=true method=isa-serial
	do
		grep -Fxq $l dump || atf_fail "no $l: the file wins"
	done
	dump -c conf -b guest-ping -b guest-shutdown -a guest-exec
	for l in guest-exec guest-exec-status guest-ping guest-shutdown; do
		grep -Eq "^block-rpcs=(.*,)?$l(,.*)?\$" dump ||
		    atf_fail "$l is lost: $(grep block dump)"
	done
	for l in guest-ping guest-info guest-exec; do
		grep -Eq "^allow-rpcs=(.*,)?$l(,.*)?\$" dump ||
		    atf_fail "$l is lost: $(grep allow dump)"
	done
	# What these lists do, over the wire: both, so all is blocked, then
	# allowed, then blocked.
	mkdir state
	echo '{"execute":"guest-info"}' | "$qgad" --test -m stdio -p - \
	    -l "$PWD/log" -t "$PWD/state" -c conf -b guest-ping -a guest-exec \
	    -a guest-get-time >out 2>err || atf_fail "$(cat err log)"
	tr '{' '\n' <out | sed -n \
	    's/.*"enabled": true.*"name": "\([^"]*\)".*/\1/p
	    s/.*"name": "\([^"]*\)".*"enabled": true.*/\1/p' | sort >enabled
	printf 'guest-get-time\nguest-info\n' >want
	atf_check diff want enabled
}

atf_test_case mistakes
mistakes_head() {
	atf_set descr "a mistake in the file: file, line, key, status 1"
}
mistakes_body() {
	alone
	while IFS='|' read -r text want; do
		# shellcheck disable=SC2059 # it has the newlines
		printf "$text" >conf
		for o in -n -D --test ""; do
			# shellcheck disable=SC2086 # one or none
			refused "error loading configuration from path: $want" \
			    -c conf $o
		done
	done <<-'EOT'
	[general]\nblock-rpcs=guest-ping,guest-pong\n|conf:2: block-rpcs: there is no command 'guest-pong'
	[general]\n\n# x\nallow-rpcs=x\n|conf:4: allow-rpcs: there is no command 'x'
	[general]\nverbose=yes\n|conf:2: verbose: 'yes'
	[general]\ndaemonize=true\n|conf:2: unknown key 'daemonize' in section .general
	[generel]\n|conf:1: unknown section .generel
	path=/x\n|conf:1: path: stands before any
	[general\n|conf:1: .*section
	[general]\npath\n|conf:2: 'path': key=value
	[general]\npath=\n|conf:2: path: a value
	[general]\nfsfreeze-hook=\n|conf:2: fsfreeze-hook: a value
	[general]\npath=/a\npath=/b\n|conf:3: path: is given twice
	[general]\npath=a\\x\n|conf:2: path: unknown escape
	[limits]\nmax-depth=1\n|conf:2: max-depth: '1'
	[limits]\nmax-request=2G\n|conf:2: max-request: '2G'
	[freeze]\nauto-thaw=0\n|conf:2: auto-thaw: '0'
	[freeze]\nexclude=a\n|conf:2: exclude: 'a'
	EOT
	# A name of a newer qemu-ga's is no mistake.
	printf '[general]\nblock-rpcs=guest-set-vcpus,guest-get-load\n' >conf
	atf_check "$qgad" -c conf -n
	atf_check "$qgad" -b guest-set-vcpus -n
	# -n says nothing when all is well.
	printf '[general]\nblock-rpcs=guest-exec\n[limits]\nmax-jobs=3\n' >conf
	atf_check "$qgad" -c conf -n
}

# --- errors of the command line ---

atf_test_case errors
errors_head() {
	atf_set descr "status 1, and the text where qemu-ga has it"
}
errors_body() {
	alone
	# Unknown options: the hint is on standard output, as qemu-ga's.
	for o in -Z --nonsense -p --path -m --verbose=1 -b -c; do
		atf_check -s exit:1 -e not-empty -o "inline:Unknown option, \
try '$qgad --help' for more information.\n" "$qgad" $o
	done
	refused "there is no command 'guest-nonsense'" -b guest-nonsense
	refused "there is no command 'guest-nonsense'" -a guest-nonsense
	refused "there is no command 'help'" -a help
	refused "there is no command 'guest-x'" -b guest-ping,guest-x -n
	for o in -n -D --test; do
		refused "must specify a path for this channel" \
		    -m unix-listen $o
		refused "must specify a path for this channel" \
		    -m vsock-listen $o
		refused "unsupported channel method/type: nonsense" \
		    -m nonsense $o
		refused "unsupported channel method/type: " -m '' $o
	done
	refused "stdio is for --test" -m stdio
	refused "stdio is for --test" -m stdio -n
	refused "cannot be daemonized" -m stdio --test -d
}

atf_test_case without_root
without_root_head() {
	atf_set descr "started without root: refused, but for --test"
}
# shellcheck disable=SC2086 # $nobody is words, or none
without_root_body() {
	alone
	be_nobody
	chmod 777 .
	atf_check -s exit:1 -o empty -e 'match:root is needed; --test' \
	    $nobody "$qgad" -m unix-listen -p "$PWD/sock" -t "$PWD/state"
	[ ! -e sock ] || atf_fail "a socket was made"
	printf '%s\n' '{"execute":"guest-ping"}' \
	    '{"execute":"guest-exec","arguments":{"path":"/bin/true"}}' |
	    $nobody "$qgad" --test -m stdio -t "$PWD/state" >out 2>err ||
	    { cat err >&2; atf_fail "--test: status $?"; }
	atf_check -o 'inline:{"return": {}}\n' head -n 1 out
	atf_check -o 'match:"error".*it needs root' sed -n 2p out
	grep -q "nothing separates" err || atf_fail "no warning: $(cat err)"
}

atf_test_case without_users
without_users_head() {
	atf_set descr "no _qgad, or no _qgadw: said, with what helps"
	atf_set require.user root
}
without_users_body() {
	alone
	need_namespace
	for user in _qgad _qgadw; do
		grep -v "^$user:" /etc/passwd >passwd.$user
		# shellcheck disable=SC2016 # expanded by the other shell
		atf_check -s exit:1 -o empty \
		    -e "match:the user $user does not exist; make install" \
		    unshare -m --propagation private sh -euc '
			mount --bind "$2" /etc/passwd
			exec "$1/sbin/qgad" -m unix-listen -p "$3/sock" \
			    -t "$3/state"' sh "$prefix" "passwd.$user" "$PWD"
	done
	# One uid for both would separate nothing.
	uid=$(id -u _qgad)
	awk -F: -v OFS=: -v u="$uid" '$1 == "_qgadw" { $3 = u } { print }' \
	    /etc/passwd >passwd.same
	# shellcheck disable=SC2016 # expanded by the other shell
	atf_check -s exit:1 -o empty -e "match:have one uid" \
	    unshare -m --propagation private sh -euc '
		mount --bind passwd.same /etc/passwd
		exec "$1/sbin/qgad" -m unix-listen -p "$2/sock" \
		    -t "$2/state"' sh "$prefix" "$PWD"
	[ ! -e sock ] || atf_fail "a socket was made"
}

# --- where things are ---

atf_test_case stdio
stdio_head() {
	atf_set descr "requests from a file, a pipe; answers to a file, a pipe"
}
stdio_body() {
	alone
	mkdir state
	printf '%s\n' '{"execute":"guest-ping"}' \
	    '{"execute":"guest-sync","arguments":{"id":7}}' >in
	printf '{"return": {}}\n{"return": 7}\n' >want
	"$qgad" --test -m stdio -t "$PWD/state" <in >out 2>err ||
	    { cat err >&2; atf_fail "file to file: status $?"; }
	atf_check diff want out
	# shellcheck disable=SC2002 # it is to be a pipe
	{ cat in | "$qgad" --test -m stdio -t "$PWD/state" 2>err ||
	    echo "status $?"; } | cat >out
	atf_check diff want out
	"$qgad" --test -m stdio -t "$PWD/state" </dev/null >out 2>err ||
	    { cat err >&2; atf_fail "/dev/null: status $?"; }
	[ ! -s out ] || atf_fail "output without a request: $(cat out)"
	# The last line need not end; half a request is no request.
	printf '{"execute":"guest-ping"}' |
	    "$qgad" --test -m stdio -t "$PWD/state" >out 2>err || atf_fail $?
	atf_check -o 'inline:{"return": {}}\n' cat out
	# Nothing of it is left.
	atf_check_equal 0 "$(pgrep -f "$PWD/state" | wc -l | tr -d ' ')"
}

atf_test_case statedir
statedir_head() {
	atf_set descr "a state directory that cannot be: status 1"
	atf_set require.user root
}
statedir_body() {
	alone
	: >file
	refused "state directory $PWD/file: not a directory" \
	    -m unix-listen -p "$PWD/sock" -t "$PWD/file"
	refused "state directory $PWD/file/x: Not a directory" \
	    -m unix-listen -p "$PWD/sock" -t "$PWD/file/x"
	refused "state directory $PWD/no/x: No such file" \
	    -m unix-listen -p "$PWD/sock" -t "$PWD/no/x"
	mkdir dir
	for mode in 777 775 757; do
		chmod $mode dir
		refused "state directory $PWD/dir: writable by group or " \
		    -m unix-listen -p "$PWD/sock" -t "$PWD/dir"
	done
	chmod 755 dir
	chown 65534 dir
	refused "state directory $PWD/dir: belongs to uid 65534, not to" \
	    -m unix-listen -p "$PWD/sock" -t "$PWD/dir"
	[ -z "$(ls dir)" ] || atf_fail "something was made there"
	# The same one, root's alone, does.
	chown 0 dir
	"$qgad" --test -m stdio -t "$PWD/dir" </dev/null \
	    >out 2>err || { cat err >&2; atf_fail "refused beside it"; }
	# Nor is a sticky one refused: what /tmp is.
	chmod 1777 dir
	"$qgad" --test -m stdio -t "$PWD/dir" </dev/null >out 2>err ||
	    { cat err >&2; atf_fail "refused a sticky one"; }
	grep -q "state directory $PWD/dir: writable.*sticky" err ||
	    atf_fail "no word of that"
	[ ! -e sock ] || atf_fail "a socket was made"
	[ ! -s file ] || atf_fail "the file was touched"
}

atf_test_case logfile
logfile_head() {
	atf_set descr "a log that cannot be opened: status 1, with -d too"
	atf_set require.user root
}
logfile_body() {
	alone
	mkdir state
	for d in "" -d; do
		for l in "$PWD/no/log" "$PWD/state"; do
			# shellcheck disable=SC2086 # one or none
			refused "log file $l: " -m unix-listen \
			    -p "$PWD/sock" -t "$PWD/state" -f "$PWD/pid" \
			    -l "$l" $d
			[ ! -e pid ] || atf_fail "the pid file stays"
		done
	done
	# And one that can is root's, not readable by others.
	start_qgad
	atf_check_equal 640 "$(stat -c %a qgad.log 2>/dev/null ||
	    stat -f %Lp qgad.log)"
	stop_qgad
}
logfile_cleanup() {
	cleanup_qgad
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case inform
	atf_add_test_case help_complete
	atf_add_test_case version_agrees
	atf_add_test_case commands_agree
	atf_add_test_case dump_like_qemu
	atf_add_test_case each_option
	atf_add_test_case which_file
	atf_add_test_case fallback
	atf_add_test_case command_line_wins
	atf_add_test_case mistakes
	atf_add_test_case errors
	atf_add_test_case without_root
	atf_add_test_case without_users
	atf_add_test_case stdio
	atf_add_test_case statedir
	atf_add_test_case logfile
}
