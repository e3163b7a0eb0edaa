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


# --self-test: for each of its lines something is broken, and the line says
# so.  All in a small world: mounts and processes of its own, a copy of what
# is installed in its place, and nothing of the machine's altered.

# Runs at the start of each world; $1 is the prefix, $2 the work directory,
# which is /mnt there.  A directory on the way to the prefix that is not
# root's alone is covered.
# shellcheck disable=SC2016 # for another shell
setup='
umask 022
prefix=$1
mount --bind "$2" /mnt
cd /mnt
at=
for part in $(echo "$prefix" | tr / " "); do
	at=$at/$part
	case $(stat -c %u:%A "$at") in
	0:d????-??-? | 0:d????????[tT]) continue ;;
	esac
	mount -t tmpfs -o mode=755 tmpfs "$at"
	break
done
mkdir -p "$prefix"
mount --bind copy "$prefix"
for file in passwd shadow; do
	cp /etc/$file $file
	mount --bind $file /etc/$file
done
lib=$prefix/libexec/qgad
hide() {
	for hidden; do
		[ ! -e "$hidden" ] ||
		    mount --bind /dev/null "$(readlink -f "$hidden")"
	done
}
look() {
	rc=0
	"$prefix/sbin/qgad" --self-test=json -c /mnt/conf -m unix-listen \
	    -p /mnt/run/sock -t /mnt/run -f /mnt/run/pid "$@" >out 2>err ||
	    rc=$?
	echo $rc >status
}
start() {
	"$prefix/sbin/qgad" -d -c /mnt/conf -m unix-listen -p /mnt/run/sock \
	    -t /mnt/run -f /mnt/run/pid -l /mnt/log "$@"
}
'

# world SCRIPT: runs it as root of a new one; look there is qgad --self-test
world() {
	need_linux
	need_root
	need_prog unshare
	unshare -m -p -f --propagation private --mount-proc true ||
	    atf_skip "needs namespaces"
	rm -rf ./*
	mkdir -p run
	chmod 755 . run
	cp -Rp "$prefix" copy
	chown -R 0:0 copy
	# What may lie where a world is covered.
	cp "$common/../system/h_pty" "$common/../system/h_deadfuse" .
	printf '[general]\n' >conf
	chmod 644 conf
	unshare -m -p -f --kill-child --propagation private --mount-proc \
	    sh -euc "$setup$1" sh "$prefix" "$PWD" 2>world.err ||
	    { cat world.err >&2; atf_fail "the world: status $?"; }
	[ -s out ] || { cat err world.err >&2; atf_fail "no output"; }
}

# says STATUS NAME [PATTERN]: there is such a line, PATTERN in what it says
says() {
	said="^\{\"name\": \"$2\", \"status\": \"$1\", \"detail\": \".*${3-}"
	grep -E "$said" out >said ||
	    { cat out err >&2; atf_fail "no $1 of $2: ${3-}"; }
}

# silent NAME: no line of it
silent() {
	! grep "^{\"name\": \"$1\"" out || atf_fail "a line of $1"
}

# broken SCRIPT NAME [PATTERN]: where that was done, a failure and status 1
broken() {
	world "$1
look"
	says failure "$2" "${3-}"
	atf_check_equal 1 "$(cat status)"
}

# A JSON parser that is not ours.
parsed() {
	if command -v python3 >/dev/null 2>&1; then
		python3 -c 'import json, sys
a = json.load(open(sys.argv[1]))
assert set(a) == {"version", "status", "checks"}, a.keys()
for c in a["checks"]:
	assert set(c) == {"name", "status", "detail"}, c
	assert c["status"] in ("ok", "warning", "failure"), c
	assert c["name"] and c["detail"], c
	print(c["status"], c["name"])
' "$1"
	elif command -v jq >/dev/null 2>&1; then
		jq -r '.checks[] | .status + " " + .name' "$1"
	else
		atf_skip "needs python3 or jq"
	fi
}

# shape NAME DESCRIPTION: a case but for its body
shape() {
	atf_test_case "$1" cleanup
	eval "$1_head() {
		atf_set descr \"$2\"
	}
	$1_cleanup() {
		cleanup_qgad
	}"
}

shape sound "nothing is wrong: no failure, status 0, both formats"
sound_body() {
	world 'look
	"$prefix/sbin/qgad" --self-test -c /mnt/conf -m unix-listen \
	    -p /mnt/run/sock -t /mnt/run -f /mnt/run/pid >text 2>>err
	ls run >left'
	[ ! -s err ] || atf_fail "$(cat err)"
	! grep '"failure"' out || atf_fail "a failure"
	atf_check_equal 0 "$(cat status)"
	for name in configuration "configuration file" "user _qgad" \
	    "user _qgadw" users "users' processes" "empty directory" programs \
	    build "state directory" channel sandbox "sandbox monitor" \
	    "sandbox frontend" "sandbox query" "sandbox exec-spare" \
	    "sandbox exec" "sandbox file" "sandbox log" frozen hooks clock; do
		says ok "$name"
	done
	silent root
	atf_check cat left
	# The other format has the same lines, in 80 columns.
	parsed out >names || atf_fail "not JSON: $(cat out)"
	sed -n 's/^\([a-z][a-z]*\)  *\([^ :][^:]*\):.*/\1 \2/p' text >text.names
	atf_check diff names text.names
	! grep -E '^.{80}' text | grep -E '^.{9}[^ ]+ ' ||
	    atf_fail "a line of more than 80 columns"
	grep -Eqx '[0-9]+ ok, warnings: [0-9]+, failures: 0' text ||
	    atf_fail "no sum: $(cat text)"
}

shape usage "an unknown format is refused"
usage_body() {
	atf_check -s exit:1 -e match:json "$prefix/sbin/qgad" --self-test=xml
}

# shellcheck disable=SC2016 # in each script below
shape configuration "its mistakes, its permissions, its directory"
configuration_body() {
	broken 'printf "[general]\nfoo=1\n" >conf' configuration \
	    'conf:2: unknown key .foo'
	# The rest is looked at all the same.
	says ok "sandbox frontend"
	broken 'rm conf' configuration 'No such file'
	world 'look -m carrier-pigeon'
	says failure configuration carrier-pigeon
	broken 'chmod g+w conf' 'configuration' 'conf.* is writable|conf.*wr'
	world 'mkdir -p d; chmod 777 d; cp conf d; look -c /mnt/d/conf'
	says failure 'configuration( file)?' '/mnt/d.* is writable'
	world 'printf "[general]\nblock-rpcs=guest-exec\n" >conf; look'
	says ok configuration '/mnt/conf, [0-9]* of'
	# Nothing is asked of it that the configuration refuses.
	says ok sandbox 'guest-ping'
	silent 'sandbox exec'
}

# shellcheck disable=SC2016 # in each script below
shape rules "paths that are not there, programs that would be refused"
rules_body() {
	world 'mkdir -m 755 bin; for f in good open plain; do
		cp /bin/true bin/$f; done
	chmod o+w bin/open; chmod -x bin/plain
	printf "%s\n" "[exec]" "program = /mnt/bin/good" "[exec bad]" \
	    "program = /mnt/bin/none, /mnt/bin/open, /mnt/bin/plain, /mnt/bin" \
	    "[file]" "read = /mnt, /mnt/nowhere" >conf
	look'
	says ok configuration
	says warning 'rule \[exec\]bad' '/mnt/bin/none: No such file'
	says warning 'rule \[exec\]bad' '/mnt/bin/open is refused: .*writable'
	says warning 'rule \[exec\]bad' '/mnt/bin/plain is not a program'
	says warning 'rule \[exec\]bad' '/mnt/bin is not a program'
	says warning 'rule \[file\]' '/mnt/conf:6: /mnt/nowhere: No such file'
	silent 'rule \[exec\]'
	! grep '"/mnt:' out || atf_fail "of what is there"
	atf_check_equal 0 "$(cat status)"
}

shape users "absent, one, with a shell, with a password, not alone"
users_body() {
	broken 'sed -i.old /^_qgad:/d passwd; cat passwd >/etc/passwd' \
	    'user _qgad' 'does not exist'
	silent sandbox
	broken 'sed "s/^_qgadw:x:[0-9]*/_qgadw:x:$(id -u _qgad)/" passwd >p
	    mount --bind p /etc/passwd' users 'one uid'
	broken 'sed "s/^\(_qgadw:x\):[0-9]*/\1:0/" passwd >p
	    mount --bind p /etc/passwd' 'user _qgadw' "root's"
	broken 'sed "/^_qgad:/s,[^:]*\$,/bin/sh," passwd >p
	    mount --bind p /etc/passwd' 'user _qgad' 'has the shell ./bin/sh'
	broken 'sed "/^_qgad:/s,[^:]*\$,," passwd >p
	    mount --bind p /etc/passwd' 'user _qgad' 'has the shell'
	broken 'sed "s/^_qgadw:[^:]*/_qgadw:\$y\$j9T\$x/" shadow >s
	    mount --bind s /etc/shadow' 'user _qgadw' 'has a password'
	broken 'sed "s/^_qgadw:[^:]*/_qgadw:/" shadow >s
	    mount --bind s /etc/shadow' 'user _qgadw' 'needs no password'
	broken 'setpriv --reuid=_qgadw --regid=_qgadw --clear-groups \
	    sleep 60 & sleep 0.2' "users' processes" 'sleep, runs as _qgadw'
}

shape chroot "the empty directory: absent, not empty, not root's alone"
chroot_body() {
	broken 'rmdir "$lib/empty"' 'empty directory' 'No such file'
	says failure sandbox 'does not work'
	broken 'rmdir "$lib/empty"; : >"$lib/empty"' 'empty directory' \
	    'not a directory'
	broken ': >"$lib/empty/file"' 'empty directory' 'not empty'
	broken 'chmod o+w "$lib/empty"' 'empty directory' 'empty is writable'
	broken 'chown _qgadw "$lib/empty"' 'empty directory' 'belongs to uid'
	# Who owns a directory above owns it.
	broken 'chmod 777 "$lib"' 'empty directory' 'qgad is writable'
}

shape programs "absent, of another, writable, setuid, of another build"
programs_body() {
	broken 'rm "$lib/qgad-log"' 'program qgad-log' 'No such file'
	says failure sandbox 'does not work: .*log worker'
	silent programs
	broken 'chmod -x "$lib/qgad-query"' 'program qgad-query' executable
	broken 'chmod o+w "$lib/qgad-exec"' 'program qgad-exec' writable
	broken 'chown _qgadw "$lib/qgad-exec"' 'program qgad-exec' belongs
	broken 'chmod u+s "$prefix/sbin/qgad"' 'program qgad' setuid
	broken 'id=$("$prefix/sbin/qgad" --self-test=json |
		sed -n "s/.*\"build\".*\"\([0-9a-f]\{31\}\),.*/\1/p")
	    [ ${#id} -eq 31 ]
	    LC_ALL=C sed "s/$id/$(printf %031d 0)/g" "$lib/qgad-hook" >new
	    cat new >"$lib/qgad-hook"' 'program qgad-hook' 'another build'
}

shape statedir "writable by others, no directory, read-only"
statedir_body() {
	broken 'chmod 777 run' 'state directory' 'run is writable'
	world 'look -t /mnt/conf'
	says failure 'state directory' 'not a directory'
	broken 'mount -t tmpfs -o ro,mode=755 tmpfs /mnt/run' \
	    'state directory' 'cannot be written'
	world 'look -t /mnt/run/new'
	says ok 'state directory' 'made at the start'
}

shape service "does not run, was killed, runs, and is looked at"
service_body() {
	world look
	says warning service 'does not run'
	world 'echo 4000000 >run/pid; look'
	says warning service 'was killed'
	world 'start; look -d; kill "$(cat run/pid)"'
	says ok service 'pid [0-9]'
	for role in monitor frontend exec-spare log; do
		says ok "service $role"
		says ok "sandbox $role"
	done
	atf_check_equal 0 "$(cat status)"
	world 'start; mv run/pid run/p; look -d; kill "$(cat run/p)"'
	says warning service 'does not say so'
	world 'cp /bin/sleep qemu-ga; ./qemu-ga 60 & sleep 0.2; look'
	says warning qemu-ga 'runs as well'
	# What a service manager takes from it, jobs lack.
	world 'setpriv --no-new-privs "$prefix/sbin/qgad" -d -c /mnt/conf \
	    -m unix-listen -p /mnt/run/sock -t /mnt/run -f /mnt/run/pid \
	    -l /mnt/log; look -d; kill "$(cat run/pid)"'
	says warning 'service monitor' no_new_privs
	says ok 'service frontend'
}

shape channel "a device: absent, busy, none, a console; a socket's place"
channel_body() {
	need_prog socat
	device='-m isa-serial -p /mnt/port'
	port="./h_pty port & until [ -e port ]; do sleep 0.1; done"
	world "look $device"
	says failure channel 'No such file'
	atf_check_equal 1 "$(cat status)"
	world "look -r $device"
	says warning channel 'waits for it'
	world ": >port; look $device"
	says failure channel 'not a character device'
	world "$port; look $device"
	says ok channel 'nobody holds it'
	world "$port; sleep 60 <port & sleep 0.5; look $device"
	says failure channel 'held by sleep, pid [0-9]+: stop it'
	# A session's terminal, which nobody has open any more.
	world "$port; setsid sh -c 'exec 3<>/mnt/port 3>&- && exec sleep 60' &
	    sleep 0.5; look $device"
	says failure channel 'terminal session'
	world "$port; start $device; look $device; kill \"\$(cat run/pid)\""
	says ok channel 'held by the qgad that runs'
	world 'chmod 777 run; look'
	says failure channel '/mnt/run is writable'
	world ': >run/sock; look'
	says failure channel 'not a socket'
	world 'socat UNIX-LISTEN:/mnt/run/sock,fork PIPE &
	    until [ -e run/sock ]; do sleep 0.1; done; look'
	says failure channel 'another program listens'
	world 'start; look; kill "$(cat run/pid)"'
	says ok channel 'listens on .* already'
	[ -e /dev/vsock ] || {
		world 'look -m vsock-listen -p 3:1234'
		says failure channel 'no vsock'
	}
}

# without NAME MASK: the prefix of a build with these defences off, of which
# confine_test has made the same
without() {
	prefix=$(sh "$common/variant.sh" "without-$1" "$2" 2>variant.err) ||
	    { cat variant.err >&2; atf_fail "no build without $1"; }
}

shape sandbox "a defence that is off is seen, of the service too"
sandbox_body() {
	without nonewprivs 0x1c0
	world 'start; look; kill "$(cat run/pid)"'
	says failure build 'defences are off'
	for whose in sandbox service; do
		for role in frontend exec-spare log; do
			says failure "$whose $role" "seccomp is '0' and not '2'"
		done
		says ok "$whose monitor"
	done
	says warning landlock 'has none'
	atf_check_equal 1 "$(cat status)"
	without chroot 0x001
	world look
	says failure 'sandbox frontend' "root is '/' and not"
	says ok 'sandbox query'
}

hooks='mkdir -m 755 hooks
for hook in good.sh ${more-}; do
	printf "#!/bin/sh\n" >hooks/$hook
	chmod 755 hooks/$hook
done
'

shape hooks "each that would not run is named, with the reason"
hooks_body() {
	world "more='open.sh off.sh suid.sh'
	$hooks"'
	chmod o+w hooks/open.sh
	chmod -x hooks/off.sh
	chmod u+s hooks/suid.sh
	ln -s good.sh hooks/link
	cp hooks/good.sh hooks/old.bak
	echo "echo no first line" >hooks/plain
	printf "#!/nonexistent/sh\n" >hooks/lost
	chmod 755 hooks/plain hooks/lost
	cp hooks/good.sh "$(printf "hooks/a\"b\\\\c\nd\346")"
	look -F/mnt/hooks'
	says ok 'hook good.sh'
	says failure 'hook open.sh' 'skipped: .*writable'
	says warning 'hook off.sh' 'skipped: .*not executable'
	says failure 'hook suid.sh' 'skipped: .*setuid'
	says failure 'hook link' 'skipped: .*symbolic link'
	says ok 'hook old.bak' 'skipped: its name'
	says failure 'hook plain' '#!'
	says failure 'hook lost' '/nonexistent/sh.*No such file'
	# Whatever a name is, the line is one and the JSON is sound.
	says ok 'hook a\\"b\\\\c\\\\x0ad\\\\xe6'
	parsed out >names || atf_fail "not JSON: $(cat out)"
	atf_check_equal 1 "$(cat status)"

	world "$hooks look -F/mnt/hooks"
	says ok hooks '1 in /mnt/hooks'
	atf_check_equal 0 "$(cat status)"
	world "$hooks chmod g+w hooks; look -F/mnt/hooks"
	says failure hooks 'none is run: /mnt/hooks is writable'
	world "$hooks look -F/mnt/hooks/good.sh"
	says ok 'hook /mnt/hooks/good.sh'
	world "$hooks chmod -x hooks/good.sh
	    look -F/mnt/hooks/good.sh"
	says failure 'hook /mnt/hooks/good.sh' 'not executable'
	world 'look -F/mnt/none'
	says failure hooks 'none is run: .*No such file'
	world 'look -F/dev/null'
	says ok hooks 'none, says the configuration'
	world 'mkdir -m 755 hooks; i=0
	    while [ $i -lt 257 ]; do : >hooks/$i; i=$((i + 1)); done
	    look -F/mnt/hooks'
	says failure hooks 'more than 256'
}

# loops: makes ext4 file systems on fs and ro, the latter read-only
loops='truncate -s 8M image; mkfs.ext4 -q image; cp image image2
mkdir fs ro
mount -o loop image fs
mount -o loop,ro image2 ro
'

shape mounts "what would be frozen, and why the rest would not"
mounts_body() {
	need_prog mkfs.ext4
	losetup -f >/dev/null 2>&1 || atf_skip "no loop devices"
	world "$loops look"
	says ok mounts 'in this order: .*/mnt/fs'
	says ok 'mount /mnt/ro' 'not frozen: it is read-only \(ext4\)'
	says ok 'mounts without disk' 'proc'
	world "$loops"'
	printf "[freeze]\nexclude=/mnt/fs\n" >conf; look'
	says ok 'mount /mnt/fs' 'not frozen: the configuration excludes it'
	world "$loops mount -t tmpfs tmpfs fs; look"
	says ok 'mount /mnt/fs' 'not frozen: something else is mounted over it'
	world "$loops"'
	mkdir -p d/e; umount fs; mount -o loop image d/e
	mount -t tmpfs tmpfs d; look'
	says ok 'mount /mnt/d/e' 'not frozen: something else is mounted over it'
	# The way there is an error.
	[ -e /dev/fuse ] && world "$loops"'
	mkdir -p d/e; umount fs; mount -o loop image d/e
	./h_deadfuse d >ready & dead=$!
	until [ -s ready ]; do sleep 0.1; done
	kill $dead; wait $dead || :
	look' && {
		says failure 'mount /mnt/d/e' 'cannot be opened: Transport'
		says failure backup 'not ready because of: mount /mnt/d/e'
	}
	world 'printf "[freeze]\nexclude=/\n" >conf; look'
	says warning mounts 'no file system here can be frozen; a freeze'
	world 'printf "[freeze]\nexclude=/\nquiesce=true\n" >conf; look'
	says warning mounts 'quiesce flushes them'
}

shape marker "what a freeze left is said, and nothing is tried meanwhile"
marker_body() {
	note='note() {
		printf "qgad-freeze 1\nboot %s\nfs 7:0 /x\nend\n" "$1" \
		    >run/qgad.frozen
		chmod 600 run/qgad.frozen
	}
	boot=$(cat /proc/sys/kernel/random/boot_id)
	'
	broken "$note note \$boot" frozen 'left 1 .*qgad --thaw'
	silent 'sandbox.*'
	world "$note note another; look"
	says warning frozen 'an earlier boot'
	says ok sandbox
	broken "$note note \$boot; chmod 666 run/qgad.frozen" frozen \
	    'cannot be used'
	broken ': >run/qgad.frozen' frozen 'cannot be used'
	world "$note start; note \$boot; look; kill \"\$(cat run/pid)\""
	says warning frozen '1 file systems are frozen now'
	silent 'sandbox.*'
}

shape backup "ready only where nothing stands against it"
backup_body() {
	world 'start; look; kill "$(cat run/pid)"'
	says ok backup 'ready: a host can freeze'
	world look
	says warning backup 'as soon as the service runs'
	world 'printf "[general]\nblock-rpcs=guest-fsfreeze-thaw\n" >conf
	start; look; kill "$(cat run/pid)"'
	says warning backup 'not ready: the configuration blocks'
	world ': >hook; start; look -F/mnt/hook; kill "$(cat run/pid)"'
	says failure backup 'not ready because of: hook /mnt/hook'
}

shape clock "a clock before its time, no RTC"
clock_body() {
	world 'touch -d "+3 days" "$lib/qgad-selftest"; hide /dev/rtc0; look'
	says warning clock 'before qgad was installed'
	says warning RTC 'cannot be read'
	world 'printf "[general]\nblock-rpcs=guest-set-time\n" >conf
	    hide /dev/rtc0; look'
	silent RTC
}

shape tools "no program to shut down, to set a password, to suspend"
tools_body() {
	world 'hide /sbin/poweroff /sbin/halt /sbin/reboot /sbin/shutdown
	hide /usr/sbin/chpasswd /sbin/chpasswd /usr/bin/chpasswd \
	    /bin/chpasswd /bin/busybox /usr/bin/busybox
	hide /bin/systemctl /usr/sbin/pm-suspend
	look'
	says failure 'tool shutdown' \
	    'powerdown \(/sbin/poweroff\), halt .*, reboot'
	says failure 'tool password' 'no /usr/sbin/chpasswd'
	says warning 'tool suspend' 'neither systemd nor pm-utils'
	atf_check_equal 1 "$(cat status)"
	# Not asked for what is blocked.
	world 'hide /sbin/poweroff /sbin/halt /sbin/reboot /sbin/shutdown
	printf "[general]\nallow-rpcs=guest-ping\n" >conf
	look'
	silent 'tool .*'
	atf_check_equal 0 "$(cat status)"
	# What is there: a stand-in is enough.
	world 'cp -R /sbin/. sbin; mount --bind sbin /sbin
	for f in poweroff halt reboot; do
		rm -f sbin/$f; cp /bin/true sbin/$f
	done
	look'
	says ok 'tool shutdown' /sbin/poweroff
}

# --- without root ---

shape plain "a plain user: what is not seen is said, and is no failure"
plain_body() {
	need_linux
	user=
	if [ "$(id -u)" -eq 0 ]; then
		need_prog setpriv
		user="setpriv --reuid=65534 --regid=65534 --clear-groups"
	fi
	# shellcheck disable=SC2086 # words, or none
	$user "$prefix/sbin/qgad" --self-test=json --test -m unix-listen \
	    -p /run/qgad-selftest-plain/sock >out 2>err </dev/null
	rc=$?
	[ ! -s err ] || atf_fail "$(cat err)"
	parsed out >names || atf_fail "not JSON: $(cat out)"
	says warning root "users' passwords.*sandbox of each.*run this as root"
	silent 'sandbox .*'
	says ok build
	# Status 1 if there is a failure, and only then.
	if grep -q '^failure' names; then
		atf_check_equal 1 $rc
	else
		atf_check_equal 0 $rc
	fi
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	for case in sound usage configuration rules users chroot programs statedir \
	    service channel sandbox hooks mounts marker backup clock tools \
	    plain; do
		atf_add_test_case $case
	done
}
