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

# Users' passwords and SSH keys, set for real: in a root of the test's own, a
# tmpfs with copies of what is needed and users of its own (h_jail).  Nothing
# of the system is changed.  Then where a password can be found (h_secret),
# and a rogue frontend that asks by itself.

here=$(atf_get_srcdir)
A="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA a@host"
B='from=\"10.0.0.0/8\",no-pty ssh-rsa AAAAB3NzaC1yc2EA b'

# libraries FILE ...: what the loader will want for them
libraries() {
	for lib_of in "$@"; do
		ldd "$lib_of" 2>/dev/null
	done | sed -n -e 's/.*=> \(\/[^ ]*\) .*/\1/p' \
	    -e 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | sort -u
}

# jail_list: everything that is copied; "own" files are made here
jail_list() {
	mkdir -p own
	uid=$(id -u _qgad) wuid=$(id -u _qgadw)
	{
		echo "root:x:0:0:root:/root:/bin/sh"
		echo "bob:x:1000:1000::/home/bob:/bin/sh"
		echo "_qgad:x:$uid:$(id -g _qgad)::/nonexistent:/bin/false"
		echo "_qgadw:x:$wuid:$(id -g _qgadw)::/nonexistent:/bin/false"
	} >own/passwd
	echo 'root:*:19000:0:99999:7:::
bob:!:19000:0:99999:7:::' >own/shadow
	chmod 600 own/shadow
	printf 'root:x:0:\nbob:x:1000:\n_qgad:x:%s:\n_qgadw:x:%s:\n' \
	    "$(id -g _qgad)" "$(id -g _qgadw)" >own/group
	echo 'passwd: files
group: files
shadow: files' >own/nsswitch.conf
	for own in passwd shadow group nsswitch.conf; do
		echo "$PWD/own/$own /etc/$own"
	done
	echo /home/
	echo /root/
	echo /run/
	echo /state/
	echo /tmp/
	echo /var/log/
	echo "$prefix/libexec/qgad/empty/"
	for program in "$prefix"/libexec/qgad/qgad-*; do
		echo "$program"
	done
	# Where a rogue frontend can be put in its place.
	echo "${frontend:-$prefix/sbin/qgad} $prefix/sbin/qgad"
	libraries "$prefix/sbin/qgad" "$prefix/libexec/qgad/qgad-account"
}

# chpasswd(8) as this system has it, with PAM if it wants that
real_tool() {
	chpasswd=$(command -v chpasswd) || atf_skip "no chpasswd here"
	echo "$chpasswd /usr/sbin/chpasswd"
	libraries "$chpasswd"
	[ ! -e /etc/login.defs ] || echo /etc/login.defs
	libraries "$chpasswd" | grep -q libpam || return 0
	echo 'password required pam_unix.so sha512' >own/pam
	echo "$PWD/own/pam /etc/pam.d/chpasswd"
	for pam in /lib*/security/pam_unix.so /lib/*/security/pam_unix.so \
	    /usr/lib*/security/pam_unix.so /usr/lib/*/security/pam_unix.so; do
		[ -e "$pam" ] || continue
		echo "$pam"
		libraries "$pam"
	done
	# shadow's PAM module asks this one to write
	for helper in /sbin/unix_chkpwd /usr/sbin/unix_chkpwd; do
		[ ! -e $helper ] || echo $helper
	done
}

# One that keeps what it reads, says so, and waits to be told.
slow_tool() {
	printf '#!/bin/sh
read -r line
echo $$ >/state/pid
: >/state/in
until [ -e /state/go ]; do sleep 0.1; done
exit 0
' >own/slow
	chmod 755 own/slow
	echo "$PWD/own/slow /usr/sbin/chpasswd"
	for program in /bin/sh /bin/sleep; do
		echo "$program"
		libraries $program
	done
}

# start_jail TOOL [ARGS]: qgad in there, waited for until it answers
start_jail() {
	spawn_jail "$@"
	wait_for jail_answers || {
		show_jail
		atf_fail "qgad does not answer"
	}
}

spawn_jail() {
	need_root
	need_linux
	need_prog ldd unshare
	unshare -m true 2>/dev/null || atf_skip "no mount namespaces"
	cksum /etc/passwd /etc/shadow >before
	mkdir -p jail own
	{ jail_list && "$1"; } | sort -u >list || exit 1
	shift
	"$here/h_jail" "$PWD/jail" "${starts:-$prefix/sbin/qgad}" -m unix-listen \
	    -p /sock -t /state -l /log "$@" <list >qgad.out 2>qgad.err &
	echo $! >qgad.pids
	echo $! >qgad.pid
	root=/proc/$!/root
}

jail_answers() {
	gone "$(qgad_pid)" || "$qgaclient" -t 2 "$root/sock" \
	    '{"execute":"guest-ping"}'
}

show_jail() {
	for shown in qgad.err "$root/log"; do
		[ ! -s "$shown" ] || sed "s,^,$shown: ," "$shown" >&2
	done
}

wrong() {
	show_jail
	atf_fail "$*"
}

# ask COMMAND ARGUMENTS: the reply, in ./reply
ask() {
	"$qgaclient" -t 60 "$root/sock" \
	    "{\"execute\":\"$1\",\"arguments\":{$2}}" >reply ||
	    wrong "no reply to $1"
}

# replies TEXT: that is what the last one was
replies() {
	[ "$(cat reply)" = "$1" ] || wrong "$(cat reply), not $1"
}

fails() {
	replies "{\"error\": {\"class\": \"${2:-GenericError}\", \"desc\": \"$1\"}}"
}

set_password() {
	ask guest-set-user-password "\"username\":\"$1\",\"password\":\"$2\",\"crypted\":${3:-false}"
}

hash_of() {
	sed -n "s/^$1:\([^:]*\):.*/\1/p" "$root/etc/shadow"
}

# matches USER PASSWORD: as login(1) would see it
matches() {
	hash_of "$1" >crypted
	perl -e 'open(F, "crypted"); $h = <F>; chomp $h;
	    exit(crypt($ARGV[0], $h) eq $h ? 0 : 1)' "$2"
}

audit() {
	wait_for grep -q "audit: .*$1" "$root/log" || wrong "no audit of: $1"
}

# The users of the system are as they were; the agent ends in good order.
end_jail() {
	stop_qgad
	cksum /etc/passwd /etc/shadow | cmp - before ||
	    atf_fail "THE SYSTEM'S USERS WERE CHANGED"
}

# --- passwords ---

atf_test_case password cleanup
password_head() {
	atf_set descr "a password is set, plain, hashed and in lines; failures"
	atf_set require.user root
}
password_body() {
	need_prog perl
	start_jail real_tool
	set_password bob c2VjcmV0LTE=
	replies '{"return": {}}'
	matches bob secret-1 || wrong "bob has $(hash_of bob)"
	audit 'command=guest-set-user-password object="bob" verdict=allowed rule=default .*result="ok"'
	set_password bob 'c2Vj\ncmV0\nLTI=\n'
	replies '{"return": {}}'
	matches bob secret-2 || wrong "bob has $(hash_of bob)"
	# $6$salt$hash, verbatim
	set_password bob JDYkc2FsdCRoYXNo true
	replies '{"return": {}}'
	[ "$(hash_of bob)" = '$6$salt$hash' ] || wrong "bob: $(hash_of bob)"
	[ "$(hash_of root)" = '*' ] || wrong "root: $(hash_of root)"
	set_password root c2VjcmV0LTM=
	replies '{"return": {}}'
	matches root secret-3 || wrong "root has $(hash_of root)"
	cp "$root/etc/shadow" shadow

	set_password carol c2VjcmV0
	grep -q 'child process has failed to set user password: .*carol' \
	    reply || wrong "$(cat reply)"
	audit 'object="carol" verdict=allowed rule=default .*result="child process has failed'
	set_password bob 'c2VjcmV'
	fails "Base64 data contains invalid characters"
	set_password bob 'c2Vj*mV0'
	fails "Base64 data contains invalid characters"
	set_password bob "$(printf 'x\nroot:y' | base64)"
	fails "forbidden characters in raw password"
	set_password bob "$(printf 'a:0:0' | base64)" true
	fails "forbidden characters in raw password"
	set_password 'bob:x\nroot' c2VjcmV0
	fails "forbidden characters in username"
	cmp shadow "$root/etc/shadow" || wrong "a failure changed something"
	[ "$(qgad_pid)" -gt 0 ] && ! grep -q c2Vj "$root/log" ||
	    wrong "the log has it"
	end_jail
}
password_cleanup() {
	cleanup_qgad
}

atf_test_case blocked cleanup
blocked_head() {
	atf_set descr "what is blocked is refused, on record, and not done"
	atf_set require.user root
}
blocked_body() {
	start_jail real_tool -b guest-set-user-password,guest-ssh-get-authorized-keys,guest-ssh-add-authorized-keys,guest-ssh-remove-authorized-keys
	mkdir "$root/home/bob"
	chown 1000:1000 "$root/home/bob"
	no="has been disabled: the command is not allowed"
	set_password bob c2VjcmV0
	fails "Command guest-set-user-password $no" CommandNotFound
	audit 'command=guest-set-user-password object="[a-z]*" verdict=refused rule=block-rpcs'
	for what in get add remove; do
		keys=",\"keys\":[\"$A\"]"
		[ $what != get ] || keys=
		ask guest-ssh-$what-authorized-keys "\"username\":\"bob\"$keys"
		fails "Command guest-ssh-$what-authorized-keys $no" \
		    CommandNotFound
		audit "command=guest-ssh-$what-authorized-keys .*verdict=refused"
	done
	[ "$(hash_of bob)" = '!' ] || wrong "bob has $(hash_of bob)"
	[ ! -e "$root/home/bob/.ssh" ] || wrong "there are keys"
	end_jail
}
blocked_cleanup() {
	cleanup_qgad
}

# The worker while its tool runs, as the one table says; its root is the
# jail's, which is not ours.
atf_test_case confined cleanup
confined_head() {
	atf_set descr "the account worker is as the table says, its tool as a job"
	atf_set require.user root
}
confined_body() {
	start_jail slow_tool
	"$qgaclient" -t 60 "$root/sock" "{\"execute\":\"guest-set-user-password\",\"arguments\":{\"username\":\"bob\",\"password\":\"YQ==\",\"crypted\":false}}" >reply &
	client=$!
	wait_for test -e "$root/state/in" || wrong "no tool is started"
	worker=$(role_pid account)
	"$confcheck" "$worker" account - / >seen || true
	[ "$(sed -n 's/^BAD \([^:]*\):.*/\1/p' seen | paste -s -d , -)" = root ] ||
	    wrong "$(cat seen)"
	tool=$(children_of "$worker")
	tr '\0' ' ' <"/proc/$tool/cmdline" | grep -qx '/bin/sh /usr/sbin/chpasswd ' ||
	    wrong "arguments: $(tr '\0' ' ' <"/proc/$tool/cmdline")"
	[ "$(tr '\0' '\n' <"/proc/$tool/environ" | sort | paste -s -d ' ' -)" = \
	    "LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin" ] ||
	    wrong "environment: $(tr '\0' ' ' <"/proc/$tool/environ")"
	awk '/Max core file size/ { exit $5 != 0 || $6 != 0 }' \
	    "/proc/$tool/limits" || wrong "the tool may leave a core"
	: >"$root/state/go"
	wait $client || wrong "no reply"
	replies '{"return": {}}'
	wait_for eval '[ -z "$(role_pids account)" ]' ||
	    wrong "the worker stays"
	end_jail
}
confined_cleanup() {
	cleanup_qgad
}

# It takes long, so long as the tool may.
atf_test_case stuck cleanup
stuck_head() {
	atf_set descr "a tool that does not end is ended, and that is said"
	atf_set require.user root
}
stuck_body() {
	start_jail slow_tool
	set_password bob YQ==
	fails "child process has failed to set user password: /usr/sbin/chpasswd did not end within 25 seconds"
	[ -e "$root/state/in" ] || wrong "no tool was started"
	audit 'command=guest-set-user-password .*did not end'
	ask guest-ping ""
	replies '{"return": {}}'
	wait_for eval '[ -z "$(role_pids account)" ]' ||
	    wrong "the worker stays"
	wait_for gone "$(cat "$root/state/pid")" || wrong "the tool stays"
	end_jail
}
stuck_cleanup() {
	cleanup_qgad
}

# --- where it can be found ---

# secret WANTED [ARGS]: what h_secret ends with
secret() {
	wanted=$1
	shift
	status=0
	"$here/h_secret" "$@" >found 2>&1 || status=$?
	sed 's/^/h_secret: /' found
	[ $status -eq "$wanted" ] || wrong "h_secret ended with $status"
}

atf_test_case secret cleanup
secret_head() {
	atf_set descr "nobody has the password, while it is set and after"
	atf_set require.user root
}
secret_body() {
	start_jail slow_tool -v
	secret 0 -d "$root/state" "$root" bob
	# The worker breaks off: a name that is wrong.
	secret 0 -r "$root" bob:x
	end_jail
}
secret_cleanup() {
	cleanup_qgad
}

atf_test_case secret_refused cleanup
secret_refused_head() {
	atf_set descr "nor is it left where it was not wanted"
	atf_set require.user root
}
secret_refused_body() {
	start_jail real_tool -v -b guest-set-user-password
	secret 0 -r "$root" bob
	end_jail
	start_jail real_tool -v
	secret 0 "$root" bob
	secret 0 -r "$root" carol
	end_jail
}
secret_refused_cleanup() {
	cleanup_qgad
}

atf_test_case secret_control cleanup
secret_control_head() {
	atf_set descr "without the wiping it is found"
	atf_set require.user root
}
secret_control_body() {
	prefix=$(sh "$common/variant.sh" without-wipe 0x40000) ||
	    atf_fail "no build without wiping"
	start_jail slow_tool
	secret 1 -d "$root/state" "$root" bob
	grep -q 'memory of [0-9]* qgad' found || wrong "not in the frontend"
	grep -q 'memory of [0-9]* qgad-account' found ||
	    wrong "not in the worker"
	end_jail
}
secret_control_cleanup() {
	cleanup_qgad
}

# --- SSH keys ---

keys_of() {
	ask guest-ssh-get-authorized-keys "\"username\":\"$1\""
}

change_keys() {
	ask "guest-ssh-$1-authorized-keys" "\"username\":\"$2\",\"keys\":[$3]${4:-}"
}

atf_test_case ssh_keys cleanup
ssh_keys_head() {
	atf_set descr "keys are listed, added, reset and removed"
	atf_set require.user root
}
ssh_keys_body() {
	start_jail real_tool
	mkdir "$root/home/bob"
	chown 1000:1000 "$root/home/bob"
	file=$root/home/bob/.ssh/authorized_keys
	keys_of bob
	fails "failed to read '/home/bob/.ssh/authorized_keys': No such file or directory"
	audit 'command=guest-ssh-get-authorized-keys object="bob" verdict=allowed .*No such file'
	change_keys remove bob "\"$A\""
	replies '{"return": {}}'
	change_keys add bob "\"$A\",\"$B\",\"$A\""
	replies '{"return": {}}'
	keys_of bob
	replies "{\"return\": {\"keys\": [\"$A\", \"$B\"]}}"
	[ "$(stat -c '%u %g %a' "$file" "$root/home/bob/.ssh" |
	    paste -s -d , -)" = "1000 1000 600,1000 1000 700" ] ||
	    wrong "$(ls -lan "$root/home/bob/.ssh")"
	change_keys remove bob "\"$A\""
	replies '{"return": {}}'
	keys_of bob
	replies "{\"return\": {\"keys\": [\"$B\"]}}"
	change_keys add bob "\"$A\"" ',"reset":true'
	replies '{"return": {}}'
	[ "$(cat "$file")" = "$A" ] || wrong "$(cat "$file")"
	audit 'command=guest-ssh-add-authorized-keys object="bob" verdict=allowed rule=default .*result="ok"'
	change_keys add root "\"$A\""
	replies '{"return": {}}'
	[ "$(cat "$root/root/.ssh/authorized_keys")" = "$A" ] ||
	    wrong "root's keys"
	change_keys add carol "\"$A\""
	fails "failed to lookup user 'carol': Success"
	change_keys add bob '"#x"'
	fails "invalid OpenSSH public key: '#x'"
	change_keys add bob '"a\nb"'
	fails "invalid OpenSSH public key: 'a\\nb'"
	end_jail
}
ssh_keys_cleanup() {
	cleanup_qgad
}

atf_test_case ssh_link cleanup
ssh_link_head() {
	atf_set descr "a link of the user's leads nowhere"
	atf_set require.user root
}
ssh_link_body() {
	start_jail real_tool
	mkdir "$root/home/bob"
	ln -s /etc "$root/home/bob/.ssh"
	chown -h 1000:1000 "$root/home/bob" "$root/home/bob/.ssh"
	change_keys add bob "\"$A\""
	fails "failed to open '/home/bob/.ssh': a symbolic link, which is not followed"
	[ ! -e "$root/etc/authorized_keys" ] || wrong "it was followed"
	rm "$root/home/bob/.ssh"
	mkdir -m 700 "$root/home/bob/.ssh"
	ln -s /etc/shadow "$root/home/bob/.ssh/authorized_keys"
	chown -h 1000:1000 "$root/home/bob/.ssh" "$root/home/bob/.ssh/"*
	keys_of bob
	fails "failed to read '/home/bob/.ssh/authorized_keys': a symbolic link, which is not followed"
	end_jail
}
ssh_link_cleanup() {
	cleanup_qgad
}

atf_test_case ssh_link_control cleanup
ssh_link_control_head() {
	atf_set descr "as root, and with links followed, it leads to /etc"
	atf_set require.user root
}
ssh_link_control_body() {
	prefix=$(sh "$common/variant.sh" without-sshkeys 0x80000) ||
	    atf_fail "no build without it"
	start_jail real_tool
	mkdir "$root/home/bob"
	ln -s /etc "$root/home/bob/.ssh"
	chown -h 1000:1000 "$root/home/bob" "$root/home/bob/.ssh"
	change_keys add bob "\"$A\""
	replies '{"return": {}}'
	[ -e "$root/etc/authorized_keys" ] || wrong "it was not followed"
	end_jail
}
ssh_link_control_cleanup() {
	cleanup_qgad
}

# --- a frontend in an attacker's hands ---

# start_rogue TOOL ARGS: it asks what its script says, and logs what it hears
# beside the program that it was started by, as there is no /proc to say where
# it is
start_rogue() {
	frontend=$here/../rogue/rogue
	[ -x "$frontend" ] || atf_fail "no rogue was built"
	starts=$prefix/libexec/qgad/qgad-parent
	spawn_jail "$@"
	rogue=$root$prefix/libexec/qgad/rogue.log
	wait_for grep -q 'got reply id 2 ' "$rogue" || {
		cat "$rogue" >&2
		wrong "the rogue gets no answers"
	}
	cat "$rogue"
}

rogue_tool() {
	real_tool
	rogue_asks 'password bob YQ==' 'ssh-add bob key'
	echo /home/bob/
}

# rogue_asks LINE ...: what it is to do
rogue_asks() {
	libraries "$frontend"
	printf '%s\n' hello 'until policy' "$@" 'wait 60' >own/script
	echo "$PWD/own/script $prefix/libexec/qgad/rogue.script"
	sed -n 's/.*"\(.*\)".*/\1/p' "$prefix/../buildid.h" >own/build
	echo "$PWD/own/build $prefix/libexec/qgad/rogue.build"
}

# Whose: by name in the monitor, by uid in the worker.
atf_test_case rules cleanup
rules_head() {
	atf_set descr "[account]: whose password and keys, and never root's"
	atf_set require.user root
}
ruled_tool() {
	real_tool
	echo "$PWD/own/conf /conf"
	echo /home/bob/
}
conf() {
	printf '%s\n' "$@" >own/conf
}
more_users() {
	for f in passwd shadow; do
		sed -e '/^root:/{p;s/^root/toor/;}' \
		    -e '/^bob:/{p;s/^bob/eve/;}' "own/$f" >own/new
		cat own/new >"own/$f"
	done
	chmod 600 own/shadow
	ruled_tool
}
rules_body() {
	need_prog perl
	mkdir own
	conf '[account]' 'passwords = *' 'ssh-keys = bob'
	start_jail more_users -c /conf
	set_password bob c2VjcmV0LTE=
	replies '{"return": {}}'
	matches bob secret-1 || wrong "bob has $(hash_of bob)"
	for user in root toor; do
		set_password $user c2VjcmV0LTE=
		fails "user '$user' has uid 0, which the configuration does not name"
		[ "$(hash_of $user)" = '*' ] || wrong "$user: $(hash_of $user)"
	done
	audit 'object="toor" verdict=refused rule=\[account\]passwords at="/conf:1" .*result="user .toor. has uid 0'
	# Of one that is not to be found nothing can be said.
	set_password nobody-there c2VjcmV0LTE=
	fails "failed to lookup user 'nobody-there': there is none"
	chown 1000:1000 "$root/home/bob"
	ask guest-ssh-add-authorized-keys '"username":"bob","keys":["'"$A"'"]'
	replies '{"return": {}}'
	for user in eve root; do
		for verb in add remove; do
			ask guest-ssh-$verb-authorized-keys \
			    '"username":"'$user'","keys":["'"$A"'"]'
			fails "guest-ssh-$verb-authorized-keys is refused: the configuration does not name user '$user'"
		done
		ask guest-ssh-get-authorized-keys '"username":"'$user'"'
		fails "guest-ssh-get-authorized-keys is refused: the configuration does not name user '$user'"
	done
	audit 'object="eve" verdict=refused rule=\[account\]ssh-keys at="/conf:1" worker=- '
	end_jail

	# Who is named is, and what is not there is for nobody.
	rm -rf jail
	conf '[account]' 'passwords = toor'
	start_jail more_users -c /conf
	set_password toor c2VjcmV0LTI=
	replies '{"return": {}}'
	matches toor secret-2 || wrong "toor has $(hash_of toor)"
	set_password root c2VjcmV0LTI=
	fails "guest-set-user-password is refused: the configuration does not name user 'root'"
	ask guest-ssh-get-authorized-keys '"username":"bob"'
	fails "Command guest-ssh-get-authorized-keys has been disabled: the command is not allowed" \
	    CommandNotFound
	end_jail
}
rules_cleanup() {
	cleanup_qgad
}

atf_test_case rogue cleanup
rogue_head() {
	atf_set descr "a rogue frontend's own request is refused if it is blocked"
	atf_set require.user root
}
rogue_body() {
	start_rogue rogue_tool \
	    -b guest-set-user-password,guest-ssh-add-authorized-keys
	grep -q 'no password is wanted' "$rogue" || wrong "it was wanted"
	audit 'command=guest-set-user-password object="bob" verdict=refused'
	audit 'command=guest-ssh-add-authorized-keys object="bob" verdict=refused'
	[ "$(hash_of bob)" = '!' ] || wrong "bob has $(hash_of bob)"
	stop_qgad
}
rogue_cleanup() {
	cleanup_qgad
}

atf_test_case rogue_control cleanup
rogue_control_head() {
	atf_set descr "without the monitor's decision it is done"
	atf_set require.user root
}
rogue_control_body() {
	prefix=$(sh "$common/variant.sh" rogue-policy 0x1000) ||
	    atf_fail "no build without the policy"
	start_rogue rogue_tool \
	    -b guest-set-user-password,guest-ssh-add-authorized-keys
	[ "$(hash_of bob)" != '!' ] || wrong "nothing was set"
	stop_qgad
}
rogue_control_cleanup() {
	cleanup_qgad
}

# The same rules, asked past the frontend.
atf_test_case rogue_rules cleanup
rogue_rules_head() {
	atf_set descr "a rogue frontend is held to [account], uid 0 above all"
	atf_set require.user root
}
ruled_rogue() {
	more_users
	rogue_asks 'password bob YQ==' 'until reply' 'password toor YQ==' \
	    'until reply' 'password root YQ==' 'until reply' \
	    'ssh-add eve key' 'until reply' 'ssh-add root key'
}
rogue_rules_body() {
	mkdir own
	conf '[account]' 'passwords = *' 'ssh-keys = bob'
	start_rogue ruled_rogue -c /conf
	wait_for grep -q 'got reply id 5 ' "$rogue" || wrong "$(cat "$rogue")"
	grep -q "got reply id 1 empty" "$rogue" || wrong "$(cat "$rogue")"
	[ "$(hash_of bob)" != '!' ] || wrong "nothing was set"
	for user in toor root; do
		grep -q "got reply id [23] error .*user '$user' has uid 0" \
		    "$rogue" || wrong "$(cat "$rogue")"
		audit "object=\"$user\" verdict=refused rule=\\[account\\]passwords"
		[ "$(hash_of $user)" = '*' ] || wrong "$user was changed"
	done
	for user in eve root; do
		grep -q "got reply id [45] error .*does not name user '$user'" \
		    "$rogue" || wrong "$(cat "$rogue")"
	done
	stop_qgad
}
rogue_rules_cleanup() {
	cleanup_qgad
}

atf_test_case rogue_rules_control cleanup
rogue_rules_control_head() {
	atf_set descr "without the monitor's decision uid 0 is anybody's"
	atf_set require.user root
}
rogue_rules_control_body() {
	prefix=$(sh "$common/variant.sh" rogue-policy 0x1000) ||
	    atf_fail "no build without the policy"
	mkdir own
	conf '[account]' 'passwords = *' 'ssh-keys = bob'
	start_rogue ruled_rogue -c /conf
	wait_for grep -q 'got reply id 5 ' "$rogue" || wrong "$(cat "$rogue")"
	[ "$(hash_of toor)" != '*' ] || wrong "it was held"
	stop_qgad
}
rogue_rules_control_cleanup() {
	cleanup_qgad
}

atf_init_test_cases()
{
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case password
	atf_add_test_case blocked
	atf_add_test_case confined
	atf_add_test_case stuck
	atf_add_test_case secret
	atf_add_test_case secret_refused
	atf_add_test_case secret_control
	atf_add_test_case ssh_keys
	atf_add_test_case ssh_link
	atf_add_test_case ssh_link_control
	atf_add_test_case rules
	atf_add_test_case rogue
	atf_add_test_case rogue_control
	atf_add_test_case rogue_rules
	atf_add_test_case rogue_rules_control
}
