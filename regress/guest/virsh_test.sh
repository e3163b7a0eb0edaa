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

# libvirt's own virsh in front of a real guest, command by command, against
# what the guest or its disk shows by another way.

virsh_case() {
	atf_set descr "$1"
	atf_set require.user root
	atf_set require.progs qemu-system-x86_64 cpio mkfs.ext4 dumpe2fs \
	    unshare libvirtd virsh perl
	atf_set timeout 300
}

# virsh ARGS: must do it; what it prints is in ./printed
virsh_does() {
	lv "$@" >printed 2>printed.err || {
		cat printed printed.err >&2
		tail -n 20 libvirt/log vm.console >&2
		atf_fail "virsh $*"
	}
}

prints() {
	for want in "$@"; do
		grep -q -e "$want" printed || {
			cat printed >&2
			atf_fail "not printed: $want"
		}
	done
}

state_is() {
	[ "$(lv domstate guest | head -n 1)" = "$1" ]
}

booted() {
	[ "$(grep -c 'guest: booted' vm.console)" -eq "$1" ]
}

begin() {
	start_domain
	via_libvirt
}

atf_test_case queries cleanup
queries_head() {
	virsh_case "qemu-agent-command, guestinfo, domifaddr; reboot, shutdown"
}
queries_body() {
	begin
	virsh_does qemu-agent-command guest '{"execute":"guest-ping"}'
	prints '^{"return":{}}$'
	! lv qemu-agent-command guest '{"execute":"guest-no-such"}' 2>err &&
	    grep -q 'CommandNotFound\|guest-no-such' err ||
	    atf_fail "an unknown command is no error"
	virsh_does guestinfo guest --os --hostname --timezone --user \
	    --interface
	prints '^user.count *: 1$' '^user.0.name *: gast$' \
	    '^os.id *: qgadguest$' '^os.version-id *: 12.5$' \
	    "^os.kernel-release *: $(inside 'uname -r')$" \
	    '^hostname *: qgadguest$' '^timezone.offset *: 0$' \
	    '^if.count *: 2$' '^if.0.name *: lo$' \
	    '^if.1.hwaddr *: 52:54:00:12:34:56$' \
	    '^if.1.addr.0.addr *: 10.0.2.15$' '^if.1.addr.0.prefix *: 24$'
	# All types: those that are not there yet must not spoil the rest.
	virsh_does guestinfo guest
	prints '^os.id *: qgadguest$' '^hostname *: qgadguest$'
	virsh_does domifaddr guest --source agent
	prints '^ *lo .* 127.0.0.1/8$' \
	    '^ *eth0 *52:54:00:12:34:56 *ipv4 *10.0.2.15/24$'
	virsh_does domhostname guest --source agent
	prints '^qgadguest$'
	virsh_does reboot guest --mode agent
	until_true booted 2 || { cat vm.console >&2
	    atf_fail "virsh reboot"; }
	until_true agent '{"execute":"guest-ping"}' ||
	    atf_fail "libvirt does not reach the agent after a reboot"
	virsh_does shutdown guest --mode agent
	until_true no_domain || { cat vm.console >&2
	    atf_fail "virsh shutdown"; }
	grep -q 'reboot: Power down' vm.console || atf_fail "not in order"
}
queries_cleanup() {
	cleanup_qgad
}

no_domain() {
	! lv domstate guest
}

atf_test_case filesystems cleanup
filesystems_head() {
	virsh_case "domfsinfo, guestinfo --filesystem --disk, domfstrim"
}
filesystems_body() {
	begin
	virsh_does domfsinfo guest
	prints '^ */mnt/private/data *vda *ext4 *vda *$'
	virsh_does guestinfo guest --filesystem
	# What a user who is not root can have: qemu-ga's total-bytes.
	total=$(($(inside 'stat -f -c "(%b-%f+%a)*%S" /mnt/private/data')))
	prints '^fs.count *: 1$' '^fs.0.name *: vda$' '^fs.0.fstype *: ext4$' \
	    '^fs.0.mountpoint *: /mnt/private/data$' \
	    "^fs.0.total-bytes *: $total$" '^fs.0.disk.count *: 1$' \
	    '^fs.0.disk.0.alias *: vda$' '^fs.0.disk.0.device *: /dev/vda$'
	virsh_does guestinfo guest --disk
	prints '^disk.count *: 1$' '^disk.0.name *: /dev/vda$' \
	    '^disk.0.partition *: no$' '^disk.0.alias *: vda$'
	inside 'cd /mnt/private/data
	    dd if=/dev/urandom of=big bs=1M count=20 conv=fsync
	    rm big; sync' >/dev/null 2>&1
	before=$(stat -c %b disk)
	[ "$before" -gt 40000 ] || atf_fail "nothing to trim: $before"
	virsh_does domfstrim guest
	after=$(stat -c %b disk)
	[ "$after" -lt $((before - 30000)) ] ||
	    atf_fail "nothing was trimmed: $before, $after"
}
filesystems_cleanup() {
	cleanup_qgad
}

# ext4 takes this flag off a disk that may be copied: frozen or unmounted.
disk_is_clean() {
	! dumpe2fs -h disk 2>/dev/null | grep -q needs_recovery
}

atf_test_case freeze cleanup
freeze_head() {
	virsh_case "domfsfreeze and domfsthaw, seen on the disk itself"
}
freeze_body() {
	begin
	! disk_is_clean || atf_fail "the disk is not mounted"
	virsh_does domfsfreeze guest
	prints '^Froze 1 filesystem(s)$\|^Freezed 1 filesystem(s)$'
	disk_is_clean || atf_fail "the disk is not frozen"
	agent '{"execute":"guest-fsfreeze-status"}' | grep -q '"frozen"' ||
	    atf_fail "status while frozen"
	! lv qemu-agent-command guest '{"execute":"guest-get-osinfo"}' ||
	    atf_fail "osinfo while frozen"
	virsh_does domfsthaw guest
	prints '^Thawed 1 filesystem(s)$'
	inside 'echo thawed >/mnt/private/data/file; sync' >/dev/null
	! disk_is_clean || atf_fail "the disk is frozen"
	virsh_does domfsfreeze guest --mountpoint /mnt/private/data
	disk_is_clean || atf_fail "not frozen by its mount point"
	virsh_does domfsthaw guest
	virsh_does domfsthaw guest
}
freeze_cleanup() {
	cleanup_qgad
}

atf_test_case clock cleanup
clock_head() {
	virsh_case "domtime: the guest's clock, and from its RTC"
}
clock_body() {
	begin
	virsh_does domtime guest
	now=$(sed -n 's/^Time: //p' printed)
	near "$now" "$(date +%s)" || atf_fail "domtime: $now"
	virsh_does domtime guest --time 1500000000
	set_to=$(inside 'date +%s')
	near "$set_to" 1500000000 || atf_fail "not set: $set_to"
	near "$(inside 'hwclock -u -r >/dev/null
	    cat /sys/class/rtc/rtc0/since_epoch')" 1500000000 ||
	    atf_fail "the RTC was not set"
	inside 'date -s @1000000000' >/dev/null
	virsh_does domtime guest --sync
	near "$(inside 'date +%s')" 1500000000 ||
	    atf_fail "not set from the RTC"
}
clock_cleanup() {
	cleanup_qgad
}

# near A B: within ten minutes, on the slowest of machines
near() {
	[ "$1" -gt $(($2 - 600)) ] && [ "$1" -lt $(($2 + 600)) ]
}

atf_test_case vcpus cleanup
vcpus_head() {
	virsh_case "guestvcpus: off and on, seen in sysfs"
}
vcpus_body() {
	begin
	virsh_does guestvcpus guest
	prints '^vcpus *: 0-1$' '^online *: 0-1$' '^offlinable *: 1$'
	virsh_does guestvcpus guest 1 --disable
	[ "$(inside 'cat /sys/devices/system/cpu/online')" = 0 ] ||
	    atf_fail "it is not off"
	virsh_does guestvcpus guest
	prints '^vcpus *: 0-1$' '^online *: 0$'
	virsh_does guestvcpus guest 1 --enable
	[ "$(inside 'cat /sys/devices/system/cpu/online')" = 0-1 ] ||
	    atf_fail "it is not on"
	! lv guestvcpus guest 0 --disable || atf_fail "the first is off"
}
vcpus_cleanup() {
	cleanup_qgad
}

# hashed USER: what shadow(5) has
hashed() {
	inside "grep '^$1:' /etc/shadow" | cut -d : -f 2
}

# fits PASSWORD HASH: by crypt(3), which perl has
fits() {
	[ "$(perl -e 'print crypt($ARGV[0], $ARGV[1])' "$1" "$2")" = "$2" ]
}

atf_test_case password cleanup
password_head() {
	virsh_case "set-user-password, plain and as a hash"
}
password_body() {
	begin
	virsh_does set-user-password guest gast 'pa:ss "w\ord'
	fits 'pa:ss "w\ord' "$(hashed gast)" || atf_fail "not the password"
	# shellcheck disable=SC2016 # no variables
	hash='$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/'
	virsh_does set-user-password guest gast "$hash" --encrypted
	[ "$(hashed gast)" = "$hash" ] || atf_fail "not the hash"
	! lv set-user-password guest nobody-here secret ||
	    atf_fail "a user that there is not"
	[ "$(hashed root)" = '*' ] || atf_fail "root's password was changed"
}
password_cleanup() {
	cleanup_qgad
}

key() {
	echo "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI$1 $2"
}

# printed_keys FILE: libvirt 9 prints them one behind the other
printed_keys() {
	[ "$(tr -d '\n' <printed)" = "$(tr -d '\n' <"$1")" ] || {
		cat printed >&2
		atf_fail "other keys than in $1"
	}
}

atf_test_case sshkeys cleanup
sshkeys_head() {
	virsh_case "set-user-sshkeys, get-user-sshkeys"
}
sshkeys_body() {
	begin
	key First a@host >keys
	key Second b@host >>keys
	virsh_does set-user-sshkeys guest gast --file "$PWD/keys"
	inside 'cat /home/gast/.ssh/authorized_keys' | diff keys - ||
	    atf_fail "other keys are in the file"
	[ "$(inside 'cd /home/gast; stat -c "%u:%g:%a" .ssh \
	    .ssh/authorized_keys' | tr '\n' ' ')" = \
	    "1000:1000:700 1000:1000:600 " ] || atf_fail "owner or mode"
	virsh_does get-user-sshkeys guest gast
	printed_keys keys
	key First a@host >one
	virsh_does set-user-sshkeys guest gast --remove --file "$PWD/one"
	virsh_does get-user-sshkeys guest gast
	key Second b@host >other
	printed_keys other
	virsh_does set-user-sshkeys guest gast --reset --file "$PWD/one"
	virsh_does get-user-sshkeys guest gast
	printed_keys one
}
sshkeys_cleanup() {
	cleanup_qgad
}

atf_test_case suspend cleanup
suspend_head() {
	virsh_case "dompmsuspend and dompmwakeup"
}
suspend_body() {
	begin
	virsh_does dompmsuspend guest mem
	until_true state_is pmsuspended || { cat vm.console >&2
	    atf_fail "it does not sleep"; }
	virsh_does dompmwakeup guest
	until_true state_is running || atf_fail "it does not wake"
	until_true agent '{"execute":"guest-ping"}' ||
	    atf_fail "no agent after waking up"
	virsh_does guestinfo guest --os
	prints '^os.id *: qgadguest$'
}
suspend_cleanup() {
	cleanup_qgad
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	. "$(atf_get_srcdir)/guest.subr"
	atf_add_test_case queries
	needs_command filesystems guest-get-fsinfo guest-get-disks \
	    guest-fstrim
	needs_command freeze guest-fsfreeze-freeze guest-fsfreeze-freeze-list \
	    guest-fsfreeze-thaw guest-fsfreeze-status
	needs_command clock guest-get-time guest-set-time
	needs_command vcpus guest-get-vcpus guest-set-vcpus
	needs_command password guest-set-user-password
	needs_command sshkeys guest-ssh-get-authorized-keys \
	    guest-ssh-add-authorized-keys guest-ssh-remove-authorized-keys
	needs_command suspend guest-suspend-ram
}
