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

# What Debian's qemu-ga does wrong and qgad does not.  Each case runs both:
# The block queries through the whole daemon, beside what lsblk, findmnt, df,
# /proc and qemu-ga say.  Mounts are made in a mount namespace that is kept by
# a sleeping process and goes with it; loop devices go with their mounts.

queries='guest-get-disks guest-get-diskstats guest-get-fsinfo'
fsinfo='{"execute":"guest-get-fsinfo"}'

need_qemu() {
	qemu=/usr/sbin/qemu-ga
	[ -x "$qemu" ] || qemu=$(command -v qemu-ga) ||
	    atf_skip "needs qemu-ga"
}

# A namespace, gone after five minutes whatever happens to the test.
make_ns() {
	need_root
	need_linux
	need_prog unshare nsenter mkfs.ext4 losetup findmnt
	unshare -m sh -c 'echo $$ >ns.new && mv ns.new ns && exec sleep 300' &
	echo $! >>ns.pids
	wait_for test -s ns || atf_fail "no namespace"
	mkdir -p m
}

# enter COMMAND: in the namespace and, anew, this directory; takes the shell's
# place, so that $! is the command
enter() {
	# shellcheck disable=SC2016 # for the inner shell
	exec nsenter -m -t "$(cat ns)" -- \
	    sh -c 'cd "$1" && shift && exec "$@"' sh "$PWD" "$@"
}

inns() {
	(enter "$@")
}

# loop NAME: an ext4 at m/NAME, one a test
loop() {
	truncate -s 4M image || atf_fail "no image"
	mkfs.ext4 -q -m 10 image || atf_fail "no file system"
	# shellcheck disable=SC2016 # for the inner shell
	inns sh -c 'mkdir -p "m/$1" && mount -o loop image "m/$1"' sh "$1" ||
	    atf_fail "no loop mount"
}

# agent qemu|qgad [ARGS]: on ./KIND.sock, in the namespace
agent() {
	kind=$1
	shift
	mkdir -p state
	if [ "$kind" = qemu ]; then
		enter "$qemu" -m unix-listen -p "$PWD/qemu.sock" \
		    -t "$PWD/state" 2>qemu.err &
	else
		enter "$prefix/sbin/qgad" -t "$PWD/state" -l "$PWD/qgad.log" \
		    -m unix-listen -p "$PWD/qgad.sock" "$@" 2>qgad.err &
	fi
	echo $! >>qgad.pids
	echo $! >"$kind.pid"
	echo $! >qgad.pid
	wait_for "$qgaclient" -t 2 "$PWD/$kind.sock" \
	    '{"execute":"guest-ping"}' ||
	    { show_log; atf_fail "$kind does not answer"; }
}

# ask qemu|qgad COMMAND: its reply
ask() {
	"$qgaclient" -t 10 "$PWD/$1.sock" "{\"execute\":\"$2\"}" ||
	    { show_log; atf_fail "$1: no reply to $2"; }
}

# In any order of members; what only newer versions have left out, and what
# moves by itself.
comparable() {
	json_flat | grep -v -e '\.total-bytes-privileged ' \
	    -e '\.used-bytes ' -e '\.stats\.' | sort
}

clean() {
	[ ! -f dead.pid ] || kill "$(cat dead.pid)" 2>/dev/null
	cleanup_qgad
	[ ! -f ns.pids ] || while read -r left; do
		kill -KILL "$left" 2>/dev/null
	done <ns.pids
	return 0
}

atf_test_case errors cleanup
errors_head() {
	atf_set descr "Arguments are refused; blocked is not found"
	atf_set require.user root
}
errors_body() {
	start_qgad
	for q in $queries; do
		atf_check -o inline:'{"error": {"class": "GenericError", "desc": "Parameter '"'x'"' is unexpected"}}\n' \
		    "$qgaclient" "$PWD/sock" \
		    "{\"execute\":\"$q\",\"arguments\":{\"x\":1}}"
		atf_check -o match:"member 'arguments' must be an object" \
		    "$qgaclient" "$PWD/sock" \
		    "{\"execute\":\"$q\",\"arguments\":[]}"
		atf_check -o match:'^[{]"return": \[' "$qgaclient" \
		    "$PWD/sock" "{\"execute\":\"$q\",\"arguments\":{}}"
	done
	stop_qgad
	start_qgad -b guest-get-disks,guest-get-diskstats,guest-get-fsinfo
	for q in $queries; do
		atf_check -o match:"CommandNotFound.*Command $q has been disabled: the command is not allowed" \
		    "$qgaclient" "$PWD/sock" "{\"execute\":\"$q\"}"
	done
	stop_qgad
}
errors_cleanup() {
	cleanup_qgad
}

atf_test_case lsblk cleanup
lsblk_head() {
	atf_set descr "The disks and partitions that lsblk and sysfs show"
	atf_set require.user root
}
lsblk_body() {
	need_prog lsblk addpart
	make_ns
	truncate -s 4M disk.img
	node=$(losetup -f -P --show disk.img) || atf_fail "no loop device"
	echo "$node" >node
	# Not every kernel reads a table of them.
	addpart "$node" 1 8 2040 || atf_fail "no partition"
	agent qgad
	# Others may come and go meanwhile.
	for try in 1 2 3 4 5 6 7 8 9 10; do
		lsblk -bpnro NAME,TYPE,SIZE | awk '$3 > 0 {
		    print ".name \"" $1 "\" " ($2 == "part" ? "true" : "false")
		}' | sort -u >want
		ask qgad guest-get-disks >reply
		json_flat <reply | sed 's/^\.return\[[0-9]*\]//' | awk '
		    $1 == ".name" { name = $0 }
		    $1 == ".partition" { print name, $2 }' | sort >have
		cmp -s want have && break
	done
	atf_check -o file:want cat have
	json_flat <reply | grep -q "dependencies\[0\] \"$node\"" ||
	    atf_fail "no partition lies on $node: $(cat reply)"
	grep -q "{\"name\": \"$node\", \"partition\": false, \"dependencies\": \[\]}" reply ||
	    atf_fail "$node has more than it should: $(cat reply)"
	losetup -d "$node"
	rm node
	wait_for sh -c '! grep -q . "/sys/block/$1/loop/backing_file"' sh \
	    "${node#/dev/}"
	ask qgad guest-get-disks | json_flat | grep "\"$node\"" &&
	    atf_fail "a device without a size is listed"
	stop_qgad
}
lsblk_cleanup() {
	[ ! -f node ] || losetup -d "$(cat node)"
	clean
}

atf_test_case diskstats cleanup
diskstats_head() {
	atf_set descr "The counters are between two looks at /proc/diskstats"
	atf_set require.user root
}
diskstats_body() {
	start_qgad
	columns='read-ios read-merges read-sectors read-ticks write-ios
	    write-merges write-sectors write-ticks - total-ticks weight-ticks
	    discard-ios discard-merges discard-sectors discard-ticks
	    flush-ios flush-ticks'
	qga '{"execute":"guest-get-diskstats"}' >/dev/null
	cat /proc/diskstats >before
	qga '{"execute":"guest-get-diskstats"}' | json_flat >have
	cat /proc/diskstats >after
	for file in before after; do
		# shellcheck disable=SC2086 # words
		awk -v columns="$(echo $columns)" '{
			n = split(columns, c, " ")
			print "[" NR - 1 "].name \"" $3 "\""
			print "[" NR - 1 "].major " $1
			print "[" NR - 1 "].minor " $2
			for (i = 1; i <= n && i + 3 <= NF; i++)
				if (c[i] != "-")
					print "[" NR - 1 "].stats." c[i], $(i + 3)
		}' $file | sort >$file.flat
	done
	sed 's/^\.return//' have | grep -v 'ios-pgr' | sort >have.flat
	join before.flat have.flat | join - after.flat | awk '
	    $2 == $3 && $3 == $4 { same++; next }
	    $1 ~ /stats/ && $2 <= $3 && $3 <= $4 { next }
	    { print "not between: " $0; bad = 1 }
	    END { print same " at rest"; exit bad || same == 0 }' >verdict ||
	    atf_fail "$(cat verdict)"
	[ "$(wc -l <have.flat)" -eq "$(wc -l <before.flat)" ] ||
	    atf_fail "other members: $(diff before.flat have.flat)"
	stop_qgad
}
diskstats_cleanup() {
	cleanup_qgad
}

atf_test_case filesystems cleanup
filesystems_head() {
	atf_set descr "The mounts that findmnt shows, with the sizes of df"
	atf_set require.user root
}
filesystems_body() {
	need_prog df
	make_ns
	loop quiet
	inns sh -c 'dd if=/dev/urandom of=m/quiet/x bs=1k count=100 &&
	    mkdir m/closed && chmod 700 m/closed && mkdir m/closed/in m/t &&
	    mount --bind m/quiet m/closed/in && mount -t tmpfs none m/t &&
	    sync -f m/quiet' 2>/dev/null || atf_fail "no mounts"
	agent qgad
	ask qgad guest-get-fsinfo | json_flat >have
	inns findmnt -nro MAJ:MIN,TARGET,FSTYPE | awk '$1 !~ /^0:/ {
		print $2, $3 }' | sort >want
	sed -n 's/^\.return\[[0-9]*\]//
	    s/^\.\(mountpoint\|type\) "\(.*\)"$/\2/p' have | paste -d ' ' - - |
	    sort >mounts
	atf_check -o file:want cat mounts
	grep -q '"tmpfs"' have && atf_fail "a tmpfs is listed"

	# A directory that is closed to our user as well.
	# shellcheck disable=SC2046 # words
	set -- $(inns df -B1 --output=size,used,avail m/quiet | tail -n 1)
	source=$(inns findmnt -nro SOURCE m/quiet)
	for dir in quiet closed/in; do
		at=$(sed -n "s,^\(.*\)\.mountpoint \"$PWD/m/$dir\"\$,\1,p" have)
		[ -n "$at" ] || atf_fail "no $dir: $(cat have)"
		grep -F "$at." have | sed 's/^\.return\[[0-9]*\]//' | sort >one
		cat >want <<-EOT
		.disk []
		.mountpoint "$PWD/m/$dir"
		.name "${source#/dev/}"
		.total-bytes $(($2 + $3))
		.total-bytes-privileged $1
		.type "ext4"
		.used-bytes $2
		EOT
		sort -o want want
		atf_check -o file:want cat one
	done
	[ "$1" -gt $(($2 + $3)) ] || atf_fail "root has nothing reserved"
	stop_qgad
}
filesystems_cleanup() {
	clean
}

atf_test_case as_qemu cleanup
as_qemu_head() {
	atf_set descr "What qemu-ga answers: disks, serial numbers, mounts"
	atf_set require.user root
}
as_qemu_body() {
	need_qemu
	make_ns
	loop one
	# udev's records, of every device there is.
	inns sh -c 'mount -t tmpfs none /run && mkdir -p /run/udev/data &&
	    for dev in /sys/dev/block/*; do
		dev=${dev##*/}
		printf "I:1\nE:ID_SERIAL=serial-of-%s\nG:x\n" "$dev" \
		    >"/run/udev/data/b$dev"
	    done' || atf_fail "no records"
	agent qemu
	agent qgad
	for q in $queries; do
		for try in 1 2 3 4 5 6 7 8 9 10; do
			ask qemu $q | comparable >want
			ask qgad $q | comparable >have
			cmp -s want have && break
		done
		atf_check -o file:want cat have
		[ -s want ] || atf_fail "nothing to compare"
	done
	# One that is not virtual shows its record, where this machine has any.
	if readlink /sys/block/* | grep -v -q /virtual/; then
		ask qgad guest-get-disks | grep -q 'serial-of-' ||
		    atf_fail "no serial number"
	fi
	stop_qgad
}
as_qemu_cleanup() {
	clean
}

atf_test_case many cleanup
many_head() {
	atf_set descr "500 mounts and names that are no text, as qemu-ga"
	atf_set require.user root
}
many_body() {
	need_qemu
	make_ns
	loop one
	inns sh -c '
	    try() { mkdir -p "m/$1" && mount --bind m/one "m/$1"; }
	    try "quote\"backslash\\" && try "new
line	tab" && try "$(printf "bytes\377\303\050")" &&
	    try "$(printf "\303\244 \342\202\254")" && try "hash#040\\040" &&
	    try "$(printf "control\001\033\177")" &&
	    mkdir m/t && mount -t tmpfs none m/t &&
	    for i in $(seq 500); do
		mkdir "m/t/$i" && mount --bind m/one "m/t/$i" || exit 1
	    done && for i in $(seq 100); do
		mkdir -p "m/u/$i" && mount -t tmpfs none "m/u/$i" || exit 1
	    done' || atf_fail "no mounts"
	agent qemu
	agent qgad
	ask qemu guest-get-fsinfo | comparable >want
	ask qgad guest-get-fsinfo >reply
	comparable <reply >have
	atf_check -o file:want cat have
	[ "$(grep -c '\.mountpoint ' have)" -ge 507 ] ||
	    atf_fail "mounts are missing"
	for name in 'quote\\"backslash\\\\"' 'new\\nline\\ttab"' \
	    'bytes\\uFFFD\\uFFFD("' '\\u00E4 \\u20AC"' 'hash#040\\\\040"' \
	    'control\\u0001\\u001B\\u007F"'; do
		grep -q "$PWD/m/$name" reply || {
			json_flat <reply | grep '/m/[^t]' >&2
			atf_fail "no $name"
		}
	done
	grep -q "$PWD/m/u/" reply && atf_fail "a tmpfs is listed"
	stop_qgad
}
many_cleanup() {
	clean
}

atf_test_case dead cleanup
dead_head() {
	atf_set descr "A file system whose daemon has died is not waited for"
	atf_set require.user root
}
# A local mount is still there below one that answers nobody: qemu-ga, the
# control, asks for its size and is not heard of again.
dead_body() {
	need_qemu
	[ -c /dev/fuse ] || atf_skip "needs /dev/fuse"
	make_ns
	loop below/one
	agent qemu
	agent qgad
	ask qemu guest-get-fsinfo >/dev/null
	enter "$(atf_get_srcdir)/h_deadfuse" "$PWD/m/below" >dead.out 2>dead.err &
	echo $! >dead.pid
	wait_for grep -q ready dead.out || atf_fail "$(cat dead.err)"

	ask qgad guest-get-fsinfo | json_flat >reply
	at=$(sed -n "s,^\(.*\)\.mountpoint \"$PWD/m/below/one\"\$,\1,p" reply)
	[ -n "$at" ] || atf_fail "the mount below is missing: $(cat reply)"
	grep -F "$at" reply | grep bytes && atf_fail "it was measured"
	grep -q 'used-bytes' reply || atf_fail "no other was either"
	ask qgad guest-get-disks >/dev/null

	"$qgaclient" -t 3 "$PWD/qemu.sock" "$fsinfo" >qemu.out 2>&1 &&
	    atf_fail "the control passes: qemu-ga answers: $(cat qemu.out)"
	kill "$(cat dead.pid)"
	wait_for gone "$(cat dead.pid)" || atf_fail "h_deadfuse lives on"
	rm dead.pid
	# That was what it waited for.
	"$qgaclient" -t 10 "$PWD/qemu.sock" "$fsinfo" >qemu.out ||
	    atf_fail "qemu-ga does not come back"
	stop_qgad
}
dead_cleanup() {
	clean
}

atf_test_case bare cleanup
bare_head() {
	atf_set descr "Answers of a system with an empty /sys and no /proc"
	atf_set require.user root
}
bare_body() {
	make_ns
	loop one
	agent qgad
	inns mount -t tmpfs none /sys || atf_fail "no empty /sys"
	atf_check -o inline:'{"error": {"class": "GenericError", "desc": "Can'"'"'t open directory \\"/sys/block\\": No such file or directory"}}\n' \
	    "$qgaclient" "$PWD/qgad.sock" '{"execute":"guest-get-disks"}'
	ask qgad guest-get-fsinfo | json_flat >reply
	number=$(inns findmnt -nro MAJ:MIN m/one)
	grep -q "\.name \"$number\"" reply ||
	    atf_fail "$number is not a name: $(cat reply)"
	grep -q '\.disk \[\]' reply && grep -q '\.used-bytes ' reply ||
	    atf_fail "$(cat reply)"
	inns mount -t tmpfs none /proc || atf_fail "no empty /proc"
	atf_check -o match:'GenericError.*open.."/proc/self/mountinfo.*: No such file or directory"' \
	    "$qgaclient" "$PWD/qgad.sock" "$fsinfo"
	atf_check -o match:'GenericError.*open.."/proc/diskstats.*: No such file or directory"' \
	    "$qgaclient" "$PWD/qgad.sock" '{"execute":"guest-get-diskstats"}'
	atf_check -o inline:'{"return": {}}\n' "$qgaclient" \
	    "$PWD/qgad.sock" '{"execute":"guest-ping"}'
	stop_qgad
}
bare_cleanup() {
	clean
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case errors
	atf_add_test_case lsblk
	atf_add_test_case diskstats
	atf_add_test_case filesystems
	atf_add_test_case as_qemu
	atf_add_test_case many
	atf_add_test_case dead
	atf_add_test_case bare
}
