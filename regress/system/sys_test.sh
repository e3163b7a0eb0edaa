#!/bin/sh
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

# What the system worker does, through the whole of qgad, in a small system
# made for it: a tmpfs of its own that is the root of its mount namespace,
# with a /sys of plain files, no RTC, stand-ins for programs, and nothing
# mounted but what the test mounts, which is looked at before anything runs.
# qgad lacks the capabilities to set the clock and to end the system there.

ping='{"execute":"guest-ping"}'
cpus=sys/devices/system/cpu
blocks=sys/devices/system/memory

begin() {
	need_linux
	need_root
	need_prog unshare setpriv pivot_root mount umount ldd mkfs.ext4
	unshare -m --propagation private true 2>/dev/null ||
	    atf_skip "needs mount namespaces"
	QGA_CONF=/nonexistent/qga.conf
	export QGA_CONF
	unset LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
	case $PWD in
	*" "*) atf_skip "needs a directory without a space" ;;
	esac
	mkdir tree tree/old tree/proc tree/dev tree/etc tree/run tree/tmp \
	    tree/state tree/mnt
	mkdir -p "tree$prefix" tree/bin tree/sbin tree/$blocks
	for b in sbin libexec; do
		cp -a "$prefix/$b" "tree$prefix/"
	done
	cp /etc/passwd /etc/group tree/etc/
	for b in sh umount setpriv cat grep; do
		bring "$(command -v $b)" bin/$b
	done
	needed "$prefix/sbin/qgad"
	mkdir -p tree/$cpus/cpu0/topology
	vcpu 1 1
	vcpu 2 1
	mkdir -p tree/sys/power
	echo "freeze mem disk" >tree/sys/power/state
	: >mounts
}

# bring FILE PLACE: into the tree, and the libraries it needs
bring() {
	cp -L "$1" "tree/$2"
	needed "$1"
}

needed() {
	for lib in $(ldd "$1" | grep -o '/[^ ]*'); do
		[ ! -e "tree$lib" ] || continue
		mkdir -p "tree${lib%/*}"
		cp -L "$lib" "tree$lib"
	done
}

vcpu() {
	mkdir -p tree/$cpus/cpu$1
	echo $2 >tree/$cpus/cpu$1/online
}

block() {
	mkdir -p tree/$blocks/memory$1
	echo $2 >tree/$blocks/memory$1/state
}

# stand_in PATH SCRIPT
stand_in() {
	mkdir -p "tree/${1%/*}"
	printf '#!/bin/sh\n%s\n' "$2" >"tree/$1"
	chmod 755 "tree/$1"
}

# start [ARGS]: qgad in the tree.  The file mounts is what is mounted there
# besides, as a script for sh.
start() {
	mkdir -p root
	cat >enter <<-'EOT'
	set -eu
	cd /
	umount -l /old
	# The root of the system that runs this test is out of reach.
	! grep -Ev ' - (tmpfs|proc) |^[0-9]+ [0-9]+ 7:[0-9]+ ' \
	    /proc/self/mountinfo
	exec setpriv --bounding-set=-sys_time,-sys_boot "$@"
	EOT
	cp enter mounts tree/
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m --propagation private sh -euc '
		mount -t tmpfs tmpfs root
		cp -a tree/. root/
		mount -t proc proc root/proc
		mknod -m 666 root/dev/null c 1 3
		cd root
		. ./mounts
		pivot_root . old
		exec /bin/sh /enter "$@"' sh \
	    "$prefix/sbin/qgad" -m unix-listen -p /sock -t /state \
	    -l /qgad.log "$@" >>qgad.err 2>&1 &
	echo $! | tee -a qgad.pids >qgad.pid
	there=/proc/$(qgad_pid)/root
	ln -sf "$there/sock" sock
	ln -sf "$there/qgad.log" qgad.log
	answers || { show_log; atf_fail "no answer"; }
	covered
}

# With the eyes of qgad: none of this system's file systems is in reach.
covered() {
	[ "$(readlink /proc/self/ns/mnt)" != \
	    "$(readlink "/proc/$(qgad_pid)/ns/mnt")" ] ||
	    atf_fail "qgad is in our mount namespace"
	! grep -Ev ' - (tmpfs|proc) |^[0-9]+ [0-9]+ 7:[0-9]+ ' \
	    "/proc/$(qgad_pid)/mountinfo" >&2 ||
	    atf_fail "this is mounted there"
	[ -f $there/sys/power/state ] && [ ! -e $there/dev/rtc0 ] &&
	    [ "$(stat -f -c %T $there/sys)" = tmpfs ] ||
	    atf_fail "that is no system of files"
}

says() {
	covered
	said=$(qga "$2") || exit 1
	[ "$said" = "$1" ] || { show_log; atf_fail "$2: $said, not $1"; }
}

fails() {
	says '{"error": {"class": "GenericError", "desc": "'"$1"'"}}' "$2"
}

# silent REQUEST: it has no reply, what is behind it has
silent() {
	covered
	"$qgaclient" -n 1 "$PWD/sock" "$1" \
	    '{"execute":"guest-sync","arguments":{"id":77}}' >reply ||
	    { show_log; atf_fail "no reply"; }
	atf_check -o 'inline:{"return": 77}\n' cat reply
}

audit() {
	wait_for grep -Eq -- "^[0-9]+\.[0-9]{6}: audit: .*$1" qgad.log ||
	    { show_log; atf_fail "the log does not say: $1"; }
}

same() {
	[ "$(cat "$1")" = "$2" ] || atf_fail "$1: $(cat "$1"), not $2"
}

request() {
	echo '{"execute":"guest-'"$1"'"'"${2:+,\"arguments\":{$2\}}"'}'
}

cpu() {
	echo '{"logical-id":'"$1"',"online":'"$2"'}'
}

mem() {
	echo '{"phys-index":'"$1"',"online":'"$2"'}'
}

# --- the clock ---

atf_test_case set_time cleanup
set_time_head() {
	atf_set descr "guest-set-time: what is wrong is told, nothing is set"
}
set_time_body() {
	begin
	start
	for t in -1 -9223372036854775808 3155760000000000000 \
	    9223372036854775807; do
		fails "Invalid time" "$(request set-time '"time":'$t)"
	done
	fails "Failed to set time to guest: Operation not permitted" \
	    "$(request set-time '"time":1000000000123456789')"
	audit 'command=guest-set-time object="1000000000123456789" verdict=allowed rule=default .*result="Failed to set time to guest: Operation not permitted"'
	fails "failed to read hardware clock: /dev/rtc0: No such file or directory" \
	    "$(request set-time)"
	audit 'command=guest-set-time object="" verdict=allowed'
	says '{"return": {}}' "$ping"
	stop_qgad
}
set_time_cleanup() {
	cleanup_qgad
}

# --- processors, memory blocks ---

atf_test_case vcpus cleanup
vcpus_head() {
	atf_set descr "guest-set-vcpus: any order, repeats, the prefix done"
}
vcpus_body() {
	begin
	start
	says '{"return": 0}' "$(request set-vcpus '"vcpus":[]')"
	says '{"return": 3}' "$(request set-vcpus \
	    '"vcpus":['"$(cpu 2 false),$(cpu 1 false),$(cpu 0 true)]")"
	audit 'command=guest-set-vcpus object="2=off,1=off,0=on" verdict=allowed rule=default .*result="ok"'
	same $there/$cpus/cpu1/online 0
	same $there/$cpus/cpu2/online 0
	says '{"return": 4}' "$(request set-vcpus \
	    '"vcpus":['"$(cpu 1 true),$(cpu 1 false),$(cpu 1 true),$(cpu 1 true)]")"
	same $there/$cpus/cpu1/online 1
	says '{"return": 1}' "$(request set-vcpus \
	    '"vcpus":['"$(cpu 1 false),$(cpu 7 true),$(cpu 2 true)]")"
	same $there/$cpus/cpu1/online 0
	same $there/$cpus/cpu2/online 0
	# The first: an error.
	fails 'open(\"/sys/devices/system/cpu/cpu7/\"): No such file or directory' \
	    "$(request set-vcpus '"vcpus":['"$(cpu 7 true),$(cpu 2 true)]")"
	audit 'command=guest-set-vcpus object="7=on,2=on" .*result="open\('
	fails "logical processor #0 can't be offlined" \
	    "$(request set-vcpus '"vcpus":['"$(cpu 0 false)]")"
	# As many as there may be, and one more.
	entry=$(cpu 0 true)
	awk -v e="$entry" 'BEGIN {
		for (n = 4096; n <= 4097; n++) {
			printf "{\"execute\":\"guest-set-vcpus\",\"arguments\":{\"vcpus\":["
			for (i = 0; i < n; i++)
				printf "%s%s", i == 0 ? "" : ",", e
			print "]}}"
		} }' >requests
	"$qgaclient" -n 2 -t 20 "$PWD/sock" <requests >replies ||
	    atf_fail "no replies"
	cat >want <<-'EOT'
	{"return": 4096}
	{"error": {"class": "GenericError", "desc": "guest-set-vcpus: more than 4096 entries"}}
	EOT
	atf_check diff want replies
	stop_qgad
}
vcpus_cleanup() {
	cleanup_qgad
}

atf_test_case memory_blocks cleanup
memory_blocks_head() {
	atf_set descr "guest-set-memory-blocks: a result for each"
}
memory_blocks_body() {
	begin
	block 32 online
	block 33 offline
	mkdir -p tree/$blocks/memory34
	start
	says '{"return": []}' "$(request set-memory-blocks '"mem-blks":[]')"
	says '{"return": [{"phys-index": 33, "response": "success"}, {"phys-index": 9, "response": "not-found", "error-code": 2}, {"phys-index": 32, "response": "success"}, {"phys-index": 32, "response": "success"}, {"phys-index": 34, "response": "operation-not-supported", "error-code": 2}]}' \
	    "$(request set-memory-blocks '"mem-blks":['"$(mem 33 true),$(mem 9 true),$(mem 32 false),$(mem 32 false),$(mem 34 false)]")"
	same $there/$blocks/memory32/state offline
	same $there/$blocks/memory33/state online
	audit 'command=guest-set-memory-blocks object="33=on,9=on,32=off,32=off,34=off" verdict=allowed rule=default .*result="ok"'
	stop_qgad
}
memory_blocks_cleanup() {
	cleanup_qgad
}

# --- trimming ---

# shape WANT: of the reply, its numbers left out
shape() {
	sed 's/: [0-9][0-9]*/: N/g' reply >shape
	same shape "$1"
}

# image NAME: a file system of 64 MB in a file of the tree
image() {
	truncate -s 64M tree/$1
	mkfs.ext4 -q -F -m 0 -E nodiscard tree/$1
}

used() {
	stat -c %b $there/$1
}

atf_test_case fstrim cleanup
fstrim_head() {
	atf_set descr "guest-fstrim: each file system once, and it is trimmed"
}
fstrim_body() {
	begin
	image a.img
	image b.img
	image c.img
	image d.img
	odd=$(printf 'o"d\nd\377')
	printf %s "$odd" >tree/odd
	mkdir tree/mnt/a tree/mnt/again tree/mnt/ro "tree/mnt/$odd" \
	    tree/mnt/hidden
	cat >mounts <<-'EOT'
	odd=$(cat odd)
	mount -o loop a.img mnt/a
	mount --bind mnt/a mnt/again
	mount -o loop "b.img" "mnt/$odd"
	mount -o loop,ro c.img mnt/ro
	mount -o loop d.img mnt/hidden
	mount -t tmpfs tmpfs mnt/hidden
	for m in mnt/a "mnt/$odd"; do
		head -c 33554432 /dev/urandom >"$m/junk"
		sync -f "$m"
		rm "$m/junk"
		sync -f "$m"
	done
	EOT
	start
	before=$(used a.img)
	[ "$before" -ge 65536 ] || atf_fail "the junk is not there: $before"
	covered
	qga "$(request fstrim)" >reply
	shape '{"return": {"paths": [{"path": "/mnt/o\"d\nd\uFFFD", "trimmed": N, "minimum": N}, {"path": "/mnt/a", "trimmed": N, "minimum": N}]}}'
	for n in $(grep -o '"trimmed": [0-9]*' reply | tr -cd '0-9\n'); do
		[ "$n" -ge 33554432 ] || atf_fail "trimmed $n only"
	done
	after=$(used a.img)
	[ "$after" -lt 16384 ] || atf_fail "$before blocks before, $after after"
	[ "$(used b.img)" -lt 16384 ] || atf_fail "b.img: $(used b.img)"
	audit 'command=guest-fstrim object="0" verdict=allowed rule=default .*result="ok"'
	# A minimum is obeyed; one that cannot be is each file system's error.
	covered
	qga "$(request fstrim '"minimum":1048576')" >reply
	atf_check -o match:'"path": "/mnt/a", "trimmed": [0-9]+, "minimum": 1048576' cat reply
	covered
	qga "$(request fstrim '"minimum":-1')" >reply
	shape '{"return": {"paths": [{"path": "/mnt/o\"d\nd\uFFFD", "error": "failed to trim: Invalid argument"}, {"path": "/mnt/a", "error": "failed to trim: Invalid argument"}]}}'
	stop_qgad
}
fstrim_cleanup() {
	cleanup_qgad
}

# --- suspending ---

atf_test_case suspend cleanup
suspend_head() {
	atf_set descr "guest-suspend-*: no reply when done, an error when not"
}
suspend_body() {
	begin
	start
	silent "$(request suspend-ram)"
	same $there/sys/power/state mem
	audit 'command=guest-suspend-ram object="" verdict=allowed rule=default .*result="ok"'
	no="the requested suspend mode is not supported by the guest"
	fails "$no" "$(request suspend-disk)"
	fails "$no" "$(request suspend-hybrid)"
	audit "command=guest-suspend-hybrid .*result=\"$no\""
	echo "disk" >$there/sys/power/state
	silent "$(request suspend-disk)"
	stop_qgad

	# systemd's, where it runs the system.
	mkdir -p tree/run/systemd/system
	stand_in bin/systemctl 'echo "$0 $*" >>/called
		test $1 != status || exit 3
		. /how'
	echo 'exit 0' >tree/how
	start
	for how in suspend-ram:suspend suspend-disk:hibernate \
	    suspend-hybrid:hybrid-sleep; do
		: >$there/called
		silent "$(request ${how%:*})"
		same $there/called "/bin/systemctl status systemd-${how#*:}
/bin/systemctl ${how#*:}"
	done
	same $there/sys/power/state "freeze mem disk"
	echo 'echo not now; exit 1' >$there/how
	fails "the helper program 'systemctl hybrid-sleep' returned an unexpected exit status code (1): not now" \
	    "$(request suspend-hybrid)"
	# One that hangs is not waited for: SIGTERM is obeyed.
	echo 'echo $$ >/hung; while :; do :; done' >$there/how
	"$qgaclient" -c "$PWD/sock" "$(request suspend-ram)"
	wait_for test -s $there/hung || atf_fail "it did not run"
	hung=$(role_pids system)
	hung=$(children_of "$hung")
	echo "$hung" >hung.pids
	stop_qgad
	kill -KILL "$hung"
}
suspend_cleanup() {
	cleanup_qgad
	[ ! -f hung.pids ] || xargs kill -KILL <hung.pids 2>/dev/null
	return 0
}

# --- disks' logs ---

atf_test_case smart cleanup
smart_head() {
	atf_set descr "guest-get-disks: an NVMe disk is asked, by a worker"
}
smart_body() {
	begin
	pci=devices/pci0000:00/0000:00:05.0
	mkdir -p tree/sys/$pci/nvme/nvme0/nvme0n1 tree/sys/block \
	    tree/sys/bus/pci/drivers/nvme
	ln -s ../../../bus/pci/drivers/nvme tree/sys/$pci/driver
	ln -s ../$pci/nvme/nvme0/nvme0n1 tree/sys/block/nvme0n1
	echo 2048 >tree/sys/$pci/nvme/nvme0/nvme0n1/size
	printf 'MAJOR=259\nMINOR=0\nDEVNAME=nvme0n1\n' \
	    >tree/sys/$pci/nvme/nvme0/nvme0n1/uevent
	: >tree/dev/nvme0n1
	start -v
	disk='{"return": [{"name": "/dev/nvme0n1", "partition": false, "address": {"pci-controller": {"domain": 0, "bus": 0, "slot": 5, "function": 0}, "bus-type": "nvme", "bus": 0, "target": 0, "unit": 0, "dev": "/dev/nvme0n1"}}]}'
	# A file is no disk that answers: all but its log is told, again too.
	for n in 1 2 3; do
		says "$disk" "$(request get-disks)"
		[ $n -gt 1 ] || asked=$(role_pid query)
		[ "$(role_pid query)" = "$asked" ] ||
		    atf_fail "the query worker has ended"
	done
	wait_for eval '[ -z "$(role_pids system)" ]' ||
	    atf_fail "a system worker is left"
	stop_qgad
}
smart_cleanup() {
	cleanup_qgad
}

# --- what the policy says ---

atf_test_case blocked cleanup
blocked_head() {
	atf_set descr "each is refused when it is blocked, and not done"
}
blocked_body() {
	begin
	block 32 online
	image a.img
	mkdir tree/mnt/a
	cat >mounts <<-'EOT'
	mount -o loop a.img mnt/a
	head -c 33554432 /dev/urandom >mnt/a/junk
	sync -f mnt/a
	rm mnt/a/junk
	sync -f mnt/a
	EOT
	commands="set-time set-vcpus set-memory-blocks fstrim suspend-disk
	    suspend-ram suspend-hybrid"
	list=$(for c in $commands; do echo "guest-$c"; done | paste -s -d ,)
	start -b "$list"
	before=$(used a.img)
	for c in $commands; do
		case $c in
		set-time)	args='"time":1000000000000000000' ;;
		set-vcpus)	args='"vcpus":['"$(cpu 1 false)]" ;;
		set-memory-blocks) args='"mem-blks":['"$(mem 32 false)]" ;;
		*)		args= ;;
		esac
		says '{"error": {"class": "CommandNotFound", "desc": "Command guest-'$c' has been disabled: the command is not allowed"}}' \
		    "$(request $c "$args")"
		audit "command=guest-$c object=\"\" verdict=refused rule=block-rpcs"
	done
	same $there/$cpus/cpu1/online 1
	same $there/$blocks/memory32/state online
	same $there/sys/power/state "freeze mem disk"
	[ "$(used a.img)" -ge "$before" ] || atf_fail "it was trimmed"
	stop_qgad
}
blocked_cleanup() {
	cleanup_qgad
}

# What [system] names is done, the rest is not; as without the section.
atf_test_case rules cleanup
rules_head() {
	atf_set descr "[system]: a key for each kind of change"
}
rules_body() {
	begin
	block 32 online
	stand_in sbin/shutdown 'echo "$@" >/ended; exit 1'
	printf '[system]\nvcpus = true\n' >tree/conf
	start -c /conf
	says '{"return": 1}' "$(request set-vcpus '"vcpus":['"$(cpu 1 false)]")"
	same $there/$cpus/cpu1/online 0
	audit 'command=guest-set-vcpus .*verdict=allowed rule=default '
	for c in shutdown set-time set-memory-blocks fstrim suspend-disk \
	    suspend-ram suspend-hybrid; do
		case $c in
		set-memory-blocks) args='"mem-blks":['"$(mem 32 false)]" ;;
		*)		args= ;;
		esac
		says '{"error": {"class": "CommandNotFound", "desc": "Command guest-'$c' has been disabled: the command is not allowed"}}' \
		    "$(request $c "$args")"
		audit "command=guest-$c object=\"[^\"]*\" verdict=refused rule=.system.[a-z]* at=\"/conf:1\" worker=- "
	done
	qga '{"execute":"guest-info"}' | tr '{' '\n' >info
	grep -q 'guest-set-vcpus", "enabled": true' info ||
	    grep -q '"enabled": true.*guest-set-vcpus' info || atf_fail info
	for c in shutdown set-time fstrim; do
		grep guest-$c info | grep -q '"enabled": false' ||
		    atf_fail "guest-info: $c"
	done
	same $there/$blocks/memory32/state online
	same $there/sys/power/state "freeze mem disk"
	[ ! -e $there/ended ] || atf_fail "it was ended"
	stop_qgad

	# The other way round.
	printf '[system]\nreboot=1\nsuspend=1\nclock=1\nmemory=1\ntrim=1\n' \
	    >tree/conf
	start -c /conf
	no='has been disabled: the command is not allowed'
	says '{"error": {"class": "CommandNotFound", "desc": "Command guest-set-vcpus '"$no"'"}}' \
	    "$(request set-vcpus '"vcpus":['"$(cpu 1 false)]")"
	same $there/$cpus/cpu1/online 1
	says '{"error": {"class": "GenericError", "desc": "guest-shutdown is refused: the configuration does not allow mode halt"}}' \
	    "$(request shutdown '"mode":"halt"')"
	audit 'object="halt" verdict=refused rule=\[system\]shutdown '
	says '{"return": [{"phys-index": 32, "response": "success"}]}' \
	    "$(request set-memory-blocks '"mem-blks":['"$(mem 32 false)]")"
	qga "$(request shutdown '"mode":"reboot"')" >/dev/null
	audit 'object="reboot" verdict=allowed rule=\[system\]reboot at='
	[ -e $there/ended ] || atf_fail "it was not ended"
	for c in set-time fstrim; do
		qga "$(request $c)" >/dev/null
		audit "command=guest-$c .*verdict=allowed rule=default "
	done
	silent "$(request suspend-ram)"
	audit 'suspend-ram object="" verdict=allowed rule=default '
	stop_qgad
}
rules_cleanup() {
	cleanup_qgad
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case set_time
	atf_add_test_case vcpus
	atf_add_test_case memory_blocks
	atf_add_test_case fstrim
	atf_add_test_case suspend
	atf_add_test_case smart
	atf_add_test_case blocked
	atf_add_test_case rules
}
