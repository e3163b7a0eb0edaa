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

# What only a real guest can lose: programs as root beside a real init, and
# the end of the system, by each way that there is.

ping='{"execute":"guest-ping"}'

power_case() {
	atf_set descr "$1"
	atf_set require.user root
	atf_set require.progs qemu-system-x86_64 cpio mkfs.ext4 dumpe2fs \
	    debugfs
	atf_set timeout 300
}

# shut MODE: success is silence; what comes back is in ./said
shut() {
	"$qgaclient" -t 120 "$PWD/sock" '{"execute":"guest-shutdown",
	    "arguments":{"mode":"'"$1"'"}}' >said 2>/dev/null &
	shut_pid=$!
	echo "$shut_pid" >>qgad.pids
}

silent() {
	kill "$shut_pid" 2>/dev/null
	wait "$shut_pid"
	[ ! -s said ] || { cat said >&2; atf_fail "success is not silent"; }
}

atf_test_case powerdown cleanup
powerdown_head() {
	power_case "programs run as root; the guest is powered down"
}
powerdown_body() {
	need_guest
	start_guest virtio
	[ "$(inside 'id -u; pwd; umask; echo $PPID' | tr '\n' ' ' |
	    sed 's/[0-9]* $//')" = "0 / 0022 " ] ||
	    atf_fail "a job is not started as init's child would be"
	# Its standard input, its end, and a signal.
	ask guest-exec '{"path":"cat","input-data":"aGFsbG8=",
	    "capture-output":true}' >started
	[ "$(inside_ended "$(json_get pid <started)")" = hallo ] ||
	    atf_fail "cat does not say what it was told"
	inside 'exit 7' && grep -q '"exitcode": 7' inside.status ||
	    atf_fail "a job's exit code"
	inside 'kill -9 $$' && grep -q '"signal": 9' inside.status ||
	    atf_fail "a job's signal"
	# What a job writes is on the disk after the end.
	inside 'echo written >/mnt/private/data/file' >/dev/null
	ask guest-shutdown '{"mode":"sideways"}' | grep -q '"error"' ||
	    atf_fail "no error for a mode that there is not"
	shut powerdown
	until_true gone "$vm_pid" ||
	    { show_guest; atf_fail "the guest is still there"; }
	silent
	grep 'reboot: Power down' vm.console || atf_fail "not powered down"
	case $(debugfs -R 'cat file' disk 2>/dev/null) in
	written)	;;
	*)	atf_fail "the disk was not written back" ;;
	esac
	dumpe2fs -h disk 2>/dev/null | grep -q needs_recovery &&
	    atf_fail "the disk was not unmounted"
	return 0
}
powerdown_cleanup() {
	cleanup_qgad
}

booted() {
	[ "$(grep -c 'guest: booted' vm.console)" -eq "$1" ]
}

atf_test_case reboot cleanup
reboot_head() {
	power_case "the guest is rebooted, and its agent is there again"
}
reboot_body() {
	need_guest
	start_guest virtio
	booted 1 || atf_fail "it has booted before"
	shut reboot
	until_true booted 2 || { show_guest; atf_fail "it does not reboot"; }
	grep 'reboot: Restarting system' vm.console ||
	    atf_fail "not rebooted in order"
	silent
	answers_guest || { show_guest; atf_fail "no agent after a reboot"; }
}
reboot_cleanup() {
	cleanup_qgad
}

atf_test_case halt cleanup
halt_head() {
	power_case "the guest is halted, by way of an ISA port"
}
halt_body() {
	need_guest
	start_guest isa
	shut halt
	until_true grep 'reboot: System halted' vm.console ||
	    { show_guest; atf_fail "it does not halt"; }
	silent
	qmp '{"execute":"query-status"}' | grep -q '"status": "running"' ||
	    atf_fail "a halt has ended the machine"
}
halt_cleanup() {
	cleanup_qgad
}

thawed() {
	ask guest-fsfreeze-status | grep -q '"thawed"'
}

atf_test_case clock_jumps cleanup
clock_jumps_head() {
	power_case "the clock jumps during a freeze: its time is kept to"
}
clock_jumps_body() {
	need_guest
	start_guest short
	m=$prefix/var/run/qgad.frozen
	for by in -86400 +86400; do
		jump="n=0
		    until [ -e $m ]; do sleep 0.1; done
		    from=\$(cut -d . -f 1 /proc/uptime)
		    while [ -e $m ]; do
			date -s @\$((\$(date +%s) $by)) >/dev/null && n=\$((n + 1))
			sleep 0.2
		    done
		    echo \$n \$((\$(cut -d . -f 1 /proc/uptime) - from))"
		# In the freeze nothing can be started: it is there before.
		jumper=$(ask guest-exec "{\"path\":\"/bin/sh\",\"arg\":[\"-c\",\
\"$(script "$jump")\"],\"capture-output\":true}" | json_get pid)
		ask guest-fsfreeze-freeze | grep -q '"return": 1}' ||
		    atf_fail "no freeze"
		until_true thawed || atf_fail "not thawed: the clock by $by"
		inside_text=jumper
		found=$(inside_ended "$jumper")
		echo "the clock by $by: jumps, seconds frozen: $found"
		# shellcheck disable=SC2086 # two numbers
		set -- $found
		[ "$1" -ge 2 ] || atf_fail "the clock did not jump"
		# Not before its time by a monotonic clock, and not a day.
		[ "$2" -ge 4 ] || atf_fail "thawed too early"
		inside 'echo thawed >/mnt/private/data/file && sync' >/dev/null
		grep -q '"exitcode": 0' inside.status ||
		    atf_fail "the disk is not thawed"
	done
}
clock_jumps_cleanup() {
	cleanup_qgad
}

# blocks: "number state" of each, from sysfs
blocks() {
	inside 'cd /sys/devices/system/memory
	for b in memory[0-9]*; do
		echo ${b#memory} $(cat $b/state)
	done' | sort -n
}

said_blocks() {
	ask guest-get-memory-blocks | tr '{' '\n' | sed -n '
	    s/.*"phys-index": \([0-9]*\).*/& /
	    /phys-index/ {
		s/"online": true/online/
		s/"online": false/offline/
		s/.*"phys-index": \([0-9]*\), \([a-z]*\).*/\1 \2/p
	    }' | sort -n
}

atf_test_case memory_blocks cleanup
memory_blocks_head() {
	power_case "memory blocks as the kernel has them, off and on"
}
memory_blocks_body() {
	need_guest
	memory=512
	start_guest virtio
	blocks >there
	said_blocks >said
	[ -s there ] && diff there said >&2 || atf_fail "other blocks"
	size=$(inside 'cat /sys/devices/system/memory/block_size_bytes')
	ask guest-get-memory-block-info |
	    grep -q "\"size\": $((0x$size))[,}]" || atf_fail "a block's size"
	# Which of them can be spared, nobody knows: the answer must be true.
	last=$(tail -n 1 there | cut -d ' ' -f 1)
	ask guest-set-memory-blocks "{\"mem-blks\":[{\"phys-index\":$last,
	    \"online\":false}]}" >off
	blocks >now
	if grep -q '"response": "success"' off; then
		grep -q "^$last offline" now || atf_fail "it is not offline"
	else
		grep -q "^$last online" now || atf_fail "it is offline"
	fi
	ask guest-set-memory-blocks "{\"mem-blks\":[{\"phys-index\":$last,
	    \"online\":true},{\"phys-index\":9999,\"online\":true}]}" >on
	grep -q '"response": "success"' on &&
	    grep -q '"response": "not-found"' on ||
	    { cat on >&2; atf_fail "a block is not brought back"; }
	[ "$(blocks)" = "$(cat there)" ] || atf_fail "not as before"
}
memory_blocks_cleanup() {
	cleanup_qgad
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	. "$(atf_get_srcdir)/guest.subr"
	atf_add_test_case powerdown
	atf_add_test_case reboot
	atf_add_test_case halt
	needs_command clock_jumps guest-fsfreeze-freeze \
	    guest-fsfreeze-status
	needs_command memory_blocks guest-get-memory-blocks \
	    guest-set-memory-blocks guest-get-memory-block-info
}
