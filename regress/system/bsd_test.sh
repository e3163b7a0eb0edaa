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

# The queries of OpenBSD, NetBSD, FreeBSD and macOS, run here: each back end's own object code,
# compiled for its system, whose system calls regress/system/standin answers;
# through the real daemon, and by themselves where calls fail or answer what
# no kernel should.

shape_normal=0 shape_grows=1 shape_huge=2 shape_hostile=3 shape_empty=4
shape_cut=5

# as SYSTEM: prefix becomes the one of a qgad as on that system
as() {
	rc=0
	prefix=$(sh "$common/standin.sh" "$1" 2>standin.err) || rc=$?
	if [ $rc = 3 ]; then
		# .ci/run has just fetched it.
		[ -z "${QGAD_CROSS:-}" ] || atf_fail "no cross compiler"
		atf_skip "needs the cross compiler: make cross"
	fi
	[ $rc = 0 ] || { cat standin.err >&2; atf_fail "standin.sh: $rc"; }
	orders=$prefix/libexec/qgad/standin
	echo "$orders" >orders
	rm -f "$orders"
}

forget_orders() {
	[ ! -f orders ] || rm -f "$(cat orders)"
}

# ask COMMAND: its reply without white space
ask() {
	qga "{\"execute\":\"$1\"}" | tr -d ' \n'
}

# expect COMMAND VALUE
expect() {
	got=$(ask "$1")
	[ "$got" = "{\"return\":$2}" ] || {
		printf '%s\nwanted: %s\ngot:    %s\n' "$1" \
		    "{\"return\":$2}" "$got" >&2
		atf_fail "$1"
	}
}

# commands: guest-info's names, sorted, in a line
commands() {
	qga '{"execute":"guest-info"}' | tr ',' '\n' |
	    sed -n 's/.*"name": "\([^"]*\)".*/\1/p' | sort | tr '\n' ' '
}

link_statistics='"rx-errs":1,"rx-dropped":2,"tx-bytes":1099511627776'
interfaces='[{"name":"vio0","hardware-address":"52:54:00:12:34:56",
"ip-addresses":[{"ip-address":"10.0.2.15","ip-address-type":"ipv4","prefix":24},
{"ip-address":"fe80::5054:ff:fe12:3456","ip-address-type":"ipv6","prefix":64}],
"statistics":{"rx-bytes":1001,"rx-packets":11,'$link_statistics',
"tx-packets":21,"tx-errs":3,"tx-dropped":0}},
{"name":"lo0","ip-addresses":[
{"ip-address":"127.0.0.1","ip-address-type":"ipv4","prefix":8},
{"ip-address":"::1","ip-address-type":"ipv6","prefix":128}],
"statistics":{"rx-bytes":1003,"rx-packets":13,'$link_statistics',
"tx-packets":23,"tx-errs":3,"tx-dropped":0}},
{"name":"vlan7","hardware-address":"52:54:00:12:34:56"}]'
# Neighbours are no routes; fe80::2 comes with its interface within; an
# interface that nobody knows has no name.
routes='[{"iface":"vio0","destination":"0.0.0.0","metric":0,
"gateway":"10.0.2.2","mask":"0.0.0.0","flags":3,"mtu":1500,"version":4},
{"iface":"vio0","destination":"10.0.2.0","metric":0,"gateway":"0.0.0.0",
"mask":"255.255.255.0","flags":1,"mtu":1500,"version":4},
{"iface":"lo0","destination":"127.0.0.1","metric":0,"gateway":"127.0.0.1",
"mask":"255.255.255.255","flags":5,"mtu":1500,"version":4},
{"iface":"vio0","destination":"::","metric":0,"nexthop":"fe80::2",
"desprefixlen":"0","flags":3,"mtu":1500,"version":6},
{"iface":"","destination":"2001:db8::","metric":0,"nexthop":"::",
"desprefixlen":"61","flags":1,"mtu":1500,"version":6}]'
everywhere="guest-exec guest-exec-status guest-file-close guest-file-flush \
guest-file-open guest-file-read guest-file-seek guest-file-write \
guest-get-cpustats guest-get-disks \
guest-get-diskstats guest-get-fsinfo guest-get-host-name guest-get-hostname \
guest-get-load guest-get-osinfo guest-get-time guest-get-timezone \
guest-get-users guest-get-vcpus guest-info guest-network-get-interfaces \
guest-network-get-route guest-ping guest-set-time guest-shutdown \
guest-ssh-add-authorized-keys guest-ssh-get-authorized-keys \
guest-ssh-remove-authorized-keys guest-sync guest-sync-delimited"

join() {
	printf '%s' "$1" | tr -d '\n'
}

# shellcheck disable=SC2089,SC2090 # they are meant
sizes='"total-bytes-privileged":2048000'

disk() {
	printf '%s' '[{"pci-controller":{"domain":-1,"bus":-1,"slot":-1,"function":-1},"bus-type":"unknown","bus":0,"target":0,"unit":0,"dev":"'"$1"'"}]'
}

# lacks COMMAND...: they are in no list, and not found when called
lacks() {
	for name in "$@"; do
		case " $(commands) " in
		*" $name "*)	atf_fail "$name is in guest-info" ;;
		esac
		got=$(ask "$name")
		case $got in
		'{"error":{"class":"CommandNotFound"'*) ;;
		*)	atf_fail "$name: $got" ;;
		esac
	done
}

expect_all() {
	[ "$(commands)" = "$(printf '%s\n' $everywhere "$@" | sort |
	    tr '\n' ' ')" ] || atf_fail "guest-info: $(commands)"
	lacks guest-get-memory-blocks guest-get-memory-block-info \
	    guest-set-vcpus guest-set-memory-blocks guest-fstrim \
	    guest-suspend-hybrid
	# What every host asks first has to be an answer.
	for name in guest-get-host-name guest-get-time guest-get-load; do
		case $(ask $name) in
		'{"return":'*)	;;
		*)		atf_fail "$name" ;;
		esac
	done
	expect guest-get-timezone '{"zone":"EEST","offset":10800}'
	expect guest-network-get-interfaces "$(join "$interfaces")"
	expect guest-network-get-route "$(join "$routes")"
}

atf_test_case openbsd cleanup
openbsd_head() {
	atf_set descr "OpenBSD: guest-info and every query, through the daemon"
}
openbsd_body() {
	as openbsd
	start_qgad
	expect_all guest-suspend-disk guest-suspend-ram
	lacks guest-set-user-password
	lacks guest-fsfreeze-freeze guest-fsfreeze-thaw \
	    guest-fsfreeze-status
	expect guest-get-osinfo '{"kernel-release":"7.8","kernel-version":"GENERIC.MP#54","machine":"amd64","id":"openbsd","name":"OpenBSD","pretty-name":"OpenBSD7.8","version":"7.8","version-id":"7.8"}'
	expect guest-get-users '[{"user":"root","login-time":1700000050},{"user":"eve","login-time":1700000300}]'
	# Each of these needs a worker that was started for it.
	for i in 1 2; do
		expect guest-get-disks '[{"name":"/dev/sd0c","partition":false},{"name":"/dev/sd1c","partition":false},{"name":"/dev/cd0c","partition":false}]'
		stats='"stats":{"read-ios":100,"read-sectors":100,"write-ios":200,"write-sectors":2,"ios-pgr":1,"total-ticks":12345}'
		expect guest-get-diskstats '[{"name":"sd0","major":4,"minor":2,'"$stats"'},{"name":"sd1","major":4,"minor":18,'"$stats"'}]'
	done
	expect guest-get-fsinfo '[{"name":"cd0a","mountpoint":"/mnt","type":"cd9660","used-bytes":1228800,"total-bytes":1945600,'"$sizes"',"disk":'"$(disk /dev/cd0a)"'},{"name":"sd0d","mountpoint":"/home/a\"b\"","type":"ffs","used-bytes":1228800,"total-bytes":1228800,'"$sizes"',"disk":'"$(disk /dev/sd0d)"'},{"name":"sd0a","mountpoint":"/","type":"ffs","used-bytes":1228800,"total-bytes":1945600,'"$sizes"',"disk":'"$(disk /dev/sd0a)"'}]'
	expect guest-get-vcpus '[{"logical-id":0,"online":true,"can-offline":false},{"logical-id":1,"online":true,"can-offline":false},{"logical-id":2,"online":false,"can-offline":false},{"logical-id":3,"online":false,"can-offline":false}]'
	expect guest-get-cpustats '[{"type":"linux","cpu":0,"user":1000,"nice":2000,"system":1000,"idle":1000000,"irq":250},{"type":"linux","cpu":1,"user":1007,"nice":2000,"system":1000,"idle":1000000,"irq":250}]'
	stop_qgad
}
openbsd_cleanup() {
	cleanup_qgad
}

atf_test_case netbsd cleanup
netbsd_head() {
	atf_set descr "NetBSD: guest-info and every query, through the daemon"
}
netbsd_body() {
	as netbsd
	start_qgad
	expect_all
	lacks guest-suspend-ram guest-suspend-disk guest-set-user-password
	lacks guest-fsfreeze-freeze guest-fsfreeze-thaw \
	    guest-fsfreeze-status
	expect guest-get-osinfo '{"kernel-release":"11.0","kernel-version":"NetBSD11.0(GENERIC)","machine":"amd64","id":"netbsd","name":"NetBSD","pretty-name":"NetBSD11.0","version":"11.0","version-id":"11.0"}'
	expect guest-get-users '[{"user":"root","login-time":1700000050.5},{"user":"eve","login-time":1700000300.5}]'
	expect guest-get-disks '[{"name":"/dev/wd0d","partition":false},{"name":"/dev/cd0d","partition":false},{"name":"/dev/dk0","partition":true},{"name":"/dev/dk1","partition":true}]'
	# wd1 is a tape.
	stats='"stats":{"read-ios":100,"read-sectors":100,"write-ios":200,"write-sectors":2,"ios-pgr":1,"total-ticks":12345}'
	expect guest-get-diskstats '[{"name":"wd0","major":0,"minor":3,'"$stats"'},{"name":"wd2","major":0,"minor":19,'"$stats"'}]'
	expect guest-get-fsinfo '[{"name":"tank/data","mountpoint":"/tank","type":"zfs","used-bytes":1228800,"total-bytes":1945600,'"$sizes"',"disk":[]},{"name":"wd0e","mountpoint":"/home/a\"b\"","type":"ffs","used-bytes":1228800,"total-bytes":1228800,'"$sizes"',"disk":'"$(disk /dev/wd0e)"'},{"name":"dk0","mountpoint":"/","type":"ffs","used-bytes":1228800,"total-bytes":1945600,'"$sizes"',"disk":'"$(disk /dev/dk0)"'}]'
	expect guest-get-vcpus '[{"logical-id":0,"online":true,"can-offline":false},{"logical-id":1,"online":false,"can-offline":false},{"logical-id":2,"online":true,"can-offline":false}]'
	expect guest-get-cpustats '[{"type":"linux","cpu":0,"user":1000,"nice":2000,"system":1000,"idle":1000000,"irq":250},{"type":"linux","cpu":1,"user":1007,"nice":2000,"system":1000,"idle":1000000,"irq":250},{"type":"linux","cpu":2,"user":1015,"nice":2000,"system":1000,"idle":1000000,"irq":250}]'
	stop_qgad
}
netbsd_cleanup() {
	cleanup_qgad
}

atf_test_case freebsd cleanup
freebsd_head() {
	atf_set descr "FreeBSD: guest-info and every query, through the daemon"
}
freebsd_body() {
	as freebsd
	start_qgad
	expect_all guest-suspend-ram guest-set-user-password \
	    guest-fsfreeze-freeze guest-fsfreeze-freeze-list \
	    guest-fsfreeze-status guest-fsfreeze-thaw
	lacks guest-suspend-disk
	expect guest-get-osinfo '{"kernel-release":"14.3-RELEASE-p2","kernel-version":"FreeBSD14.3-RELEASE-p2GENERIC","machine":"amd64","id":"freebsd","name":"FreeBSD","pretty-name":"FreeBSD14.3-RELEASE","version":"14.3-RELEASE","version-id":"14.3"}'
	expect guest-get-users '[{"user":"root","login-time":1700000050.5},{"user":"eve","login-time":1700000300.5}]'
	nowhere='"pci-controller":{"domain":-1,"bus":-1,"slot":-1,"function":-1}'
	vtbd0='{"pci-controller":{"domain":0,"bus":0,"slot":5,"function":0},"bus-type":"virtio","bus":0,"target":0,"unit":0,"serial":"disk&1\"","dev":"/dev/vtbd0"}'
	da0='{'$nowhere',"bus-type":"scsi","bus":0,"target":0,"unit":0,"dev":"/dev/da0"}'
	ada0='{'$nowhere',"bus-type":"unknown","bus":0,"target":0,"unit":0,"dev":"/dev/ada0"}'
	# cd0 is empty; a label is no disk of its own.
	expect guest-get-disks '[{"name":"/dev/vtbd0","partition":false,"address":'"$vtbd0"'},{"name":"/dev/da0","partition":false,"address":'"$da0"'},{"name":"/dev/ada0","partition":false,"address":'"$ada0"'},{"name":"/dev/vtbd0p1","partition":true,"dependencies":["/dev/vtbd0"]},{"name":"/dev/vtbd0p2","partition":true,"dependencies":["/dev/vtbd0"]},{"name":"/dev/mirror/m","partition":false,"dependencies":["/dev/da0","/dev/ada0"]}]'
	stats='"stats":{"read-ios":100,"read-sectors":100,"read-ticks":1500,"write-ios":200,"write-sectors":2,"write-ticks":0,"discard-ios":4,"discard-sectors":8,"discard-ticks":0,"ios-pgr":2,"total-ticks":12250}'
	expect guest-get-diskstats '[{"name":"vtbd0","major":0,"minor":90,'"$stats"'},{"name":"vtbd1","major":0,"minor":91,'"$stats"'}]'
	expect guest-get-fsinfo '[{"name":"vtbd9","mountpoint":"/gone","type":"ufs","used-bytes":1228800,"total-bytes":1945600,'"$sizes"',"disk":[]},{"name":"zroot/data","mountpoint":"/data","type":"zfs","used-bytes":1228800,"total-bytes":1945600,'"$sizes"',"disk":[]},{"name":"mirror/m","mountpoint":"/home/a\"b\"","type":"ufs","used-bytes":1228800,"total-bytes":1228800,'"$sizes"',"disk":['"$ada0,$da0"']},{"name":"gpt/root","mountpoint":"/","type":"ufs","used-bytes":1228800,"total-bytes":1945600,'"$sizes"',"disk":['"$vtbd0"']}]'
	expect guest-get-vcpus '[{"logical-id":0,"online":true,"can-offline":false},{"logical-id":1,"online":true,"can-offline":false}]'
	expect guest-get-cpustats '[{"type":"linux","cpu":0,"user":1000,"nice":2000,"system":1000,"idle":1000000,"irq":0},{"type":"linux","cpu":2,"user":1015,"nice":2000,"system":1000,"idle":1000000,"irq":0}]'
	stop_qgad
}
freebsd_cleanup() {
	cleanup_qgad
}

atf_test_case darwin cleanup
darwin_head() {
	atf_set descr "macOS: guest-info and every query, through the daemon"
}
darwin_body() {
	as darwin
	everywhere=$(printf '%s\n' $everywhere | grep -v get-diskstats)
	start_qgad
	expect_all guest-suspend-ram
	lacks guest-suspend-disk guest-set-user-password \
	    guest-get-diskstats
	lacks guest-fsfreeze-freeze guest-fsfreeze-thaw \
	    guest-fsfreeze-status
	expect guest-get-osinfo '{"kernel-release":"24.1.0","kernel-version":"DarwinKernelVersion24.1.0","machine":"x86_64","id":"macos","name":"macOS","pretty-name":"macOS15.1","version":"15.1(24B83)","version-id":"15.1"}'
	expect guest-get-users '[{"user":"root","login-time":1700000050.5},{"user":"eve","login-time":1700000300.5}]'
	expect guest-get-disks '[{"name":"/dev/disk0","partition":false},{"name":"/dev/disk0s1","partition":true,"dependencies":["/dev/disk0"]},{"name":"/dev/disk0s2","partition":true,"dependencies":["/dev/disk0"]},{"name":"/dev/disk3s1s1","partition":true,"dependencies":["/dev/disk3s1"]}]'
	# A share is not looked at, what the system hides is not shown.
	volume='"used-bytes":1228800,"total-bytes":1945600,"total-bytes-privileged":2048000'
	expect guest-get-fsinfo '[{"name":"disk4s2","mountpoint":"/Volumes/a\"b\"","type":"hfs",'"$volume"',"disk":'"$(disk /dev/disk4s2)"'},{"name":"disk3s5","mountpoint":"/System/Volumes/Data","type":"apfs",'"$volume"',"disk":'"$(disk /dev/disk3s5)"'},{"name":"disk3s1s1","mountpoint":"/","type":"apfs",'"$volume"',"disk":'"$(disk /dev/disk3s1s1)"'}]'
	expect guest-get-vcpus '[{"logical-id":0,"online":true,"can-offline":false},{"logical-id":1,"online":true,"can-offline":false}]'
	# Mach counts in 32 bits without a sign.
	expect guest-get-cpustats '[{"type":"linux","cpu":0,"user":1000,"nice":2000,"system":1000,"idle":42949672940,"irq":0},{"type":"linux","cpu":1,"user":1010,"nice":2000,"system":1000,"idle":42949672940,"irq":0}]'
	stop_qgad
}
darwin_cleanup() {
	cleanup_qgad
}

queries=10
# run_queries ORDERS: a line of each of the commands, in out
run_queries() {
	echo "$*" >"$orders"
	rc=0
	"$prefix/libexec/qgad/queries" >out 2>err || rc=$?
	[ $rc = 0 ] || { head -c 2000 err >&2; atf_fail "$*: status $rc"; }
	[ "$(grep -ac '^guest-[a-z-]*[!:] ' out)" = $queries ] || {
		head -c 2000 out >&2
		atf_fail "$*: a command without an answer"
	}
}

# failed TEXT COMMAND...: just these did, with that text
failed() {
	text=$1
	shift
	[ "$(sed -n 's/^\([a-z-]*\)! .*/\1/p' out)" = \
	    "$(printf '%s\n' "$@")" ] || {
		grep -a '^[a-z-]*!' out >&2
		atf_fail "not just these failed: $*"
	}
	[ "$(grep -ac "^[a-z-]*! .*: $text\$" out)" = $# ] || {
		grep -a '^[a-z-]*!' out >&2
		atf_fail "not with that text: $text"
	}
}

# Every call with errors of all kinds, each time, then one time alone; the
# numbers are the BSDs'.
refuse_all() {
	for call in "$@"; do
		for error in 1 2 4 5 6 9 12 13 22 23 24 35 45 55; do
			run_queries shape 0 fail "$call" "$error" 2
			# Cut short each time, they are tried for ever.
			case $call,$error in
			read,4 | pread,4) ;;
			*)	run_queries shape 0 fail "$call" "$error" 0 ;;
			esac
		done
	done
}

# misshapen: what is odd and what is too much
misshapen() {
	run_queries shape $shape_normal
	mv out normal
	run_queries shape $shape_grows
	cmp normal out || atf_fail "a table that grows is not read whole"
	run_queries shape $shape_empty
	[ "$(grep -ac '^guest-get-fsinfo: \[\]$' out)" = 1 ] ||
	    atf_fail "no mounts, and yet some"
	[ "$(grep -ac '^guest-network-get-interfaces: \[\]$' out)" = 1 ] ||
	    atf_fail "no interfaces, and yet some"
	run_queries shape $shape_huge
	[ "$(sed -n 's/^guest-network-get-interfaces: //p' out |
	    grep -o '"name"' | wc -l)" = 3000 ] || atf_fail "interfaces"
	[ "$(sed -n 's/^guest-network-get-route: //p' out |
	    grep -o '"iface"' | wc -l)" = 20005 ] || atf_fail "routes"
	[ "$(sed -n 's/^guest-get-users: //p' out |
	    grep -o '"user"' | wc -l)" = 4000 ] || atf_fail "users"
	run_queries shape $shape_cut
	grep -q '^guest-network-get-route! the routing table makes no sense' \
	    out || atf_fail "half a route is one"
	run_queries shape $shape_hostile
}

# to_hosts: odd data through the daemon is JSON and UTF-8
to_hosts() {
	echo "shape $shape_hostile" >"$orders"
	start_qgad
	for name in $everywhere; do
		case $name in
		*-get-*keys)	continue ;;
		guest-get-* | guest-network-*) ;;
		*)		continue ;;
		esac
		qga "{\"execute\":\"$name\"}" >reply
		iconv -f UTF-8 -t UTF-8 reply >/dev/null ||
		    atf_fail "$name: not UTF-8"
		[ ! -x "$(command -v python3)" ] ||
		    python3 -c 'import json,sys; json.load(sys.stdin)' \
		    <reply || atf_fail "$name: not JSON"
	done
	stop_qgad
}

atf_test_case openbsd_failing cleanup
openbsd_failing_head() {
	atf_set descr "OpenBSD: each call fails with each error"
}
openbsd_failing_body() {
	as openbsd
	refuse_all sysctl getifaddrs getfsstat uname open read stat \
	    clock_gettime localtime_r
	run_queries shape 0 fail sysctl 12 0
	failed "Cannot allocate memory" guest-get-disks guest-get-diskstats \
	    guest-network-get-route
	run_queries shape 0 fail open 13 0
	failed "Permission denied" guest-get-users
	run_queries shape 0 fail read 5 0
	failed "Input/output error" guest-get-users
	run_queries shape 0 fail getfsstat 45 0
	failed "Operation not supported" guest-get-fsinfo
	run_queries shape 0 fail getifaddrs 55 0
	failed "No buffer space available" guest-network-get-interfaces \
	    guest-network-get-route
	# A node that is not there costs its number alone.
	run_queries shape 0 fail stat 2 0
	failed ""
	grep -q '"name":"sd0","major":0,"minor":0' out || atf_fail "stat"
}
openbsd_failing_cleanup() {
	forget_orders
}

atf_test_case netbsd_failing cleanup
netbsd_failing_head() {
	atf_set descr "NetBSD: each call fails with each error"
}
netbsd_failing_body() {
	as netbsd
	refuse_all sysctl getifaddrs getvfsstat uname open ioctl stat \
	    clock_gettime localtime_r
	run_queries shape 0 fail sysctl 12 0
	failed "Cannot allocate memory" guest-get-disks guest-get-diskstats \
	    guest-get-vcpus guest-get-cpustats guest-network-get-route
	run_queries shape 0 fail getvfsstat 5 0
	failed "Input/output error" guest-get-fsinfo
	run_queries shape 0 fail ioctl 6 0
	failed "Device not configured" guest-get-vcpus
	run_queries shape 0 fail open 13 0
	failed "Bad file descriptor" guest-get-vcpus
}
netbsd_failing_cleanup() {
	forget_orders
}

atf_test_case freebsd_failing cleanup
freebsd_failing_head() {
	atf_set descr "FreeBSD: each call fails with each error"
	atf_set timeout 900
}
freebsd_failing_body() {
	as freebsd
	refuse_all sysctl sysctlnametomib getifaddrs getfsstat uname open \
	    pread stat clock_gettime localtime_r
	# Without disks there are still file systems.
	run_queries shape 0 fail sysctl 12 0
	failed "Cannot allocate memory" guest-get-disks guest-get-diskstats \
	    guest-get-vcpus guest-get-cpustats guest-network-get-route
	run_queries shape 0 fail sysctlnametomib 2 0
	failed "No such file or directory" guest-get-disks \
	    guest-get-diskstats guest-get-cpustats
	grep -q '^guest-get-fsinfo: .*"mountpoint":"/","type":"ufs".*"disk":\[\]' \
	    out || atf_fail "fsinfo without GEOM"
	run_queries shape 0 fail getfsstat 5 0
	failed "Input/output error" guest-get-fsinfo
	# Without os-release the kernel's name does, without a node no number.
	run_queries shape 0 fail open 13 0
	failed ""
	grep -q '"pretty-name":"FreeBSD 14.3-RELEASE-p2",.*"version-id":"14.3"' \
	    out || atf_fail "osinfo without a file"
	run_queries shape 0 fail stat 13 0
	failed ""
	grep -q '^guest-get-diskstats: \[\]' out || atf_fail "stat"
}
freebsd_failing_cleanup() {
	forget_orders
}

atf_test_case darwin_failing cleanup
darwin_failing_head() {
	atf_set descr "macOS: each call fails with each error"
	atf_set timeout 900
}
darwin_failing_body() {
	as darwin
	queries=9
	refuse_all sysctl sysctlbyname getifaddrs getfsstat uname opendir \
	    readdir host_processor_info clock_gettime localtime_r
	run_queries shape 0 fail sysctl 12 0
	failed "Cannot allocate memory" guest-get-vcpus \
	    guest-network-get-route
	# Without counters there are still interfaces.
	grep -q '^guest-network-get-interfaces: .*"prefix":24' out ||
	    atf_fail "no interfaces without counters"
	! grep -q rx-bytes out || atf_fail "counters from nowhere"
	run_queries shape 0 fail readdir 5 0
	failed "Input/output error" guest-get-disks
	run_queries shape 0 fail opendir 13 0
	failed "Permission denied" guest-get-disks
	run_queries shape 0 fail host_processor_info 1 0
	failed "error 5" guest-get-cpustats
	run_queries shape 0 fail sysctlbyname 2 0
	failed ""
	grep -q '"pretty-name":"macOS"}$' out || atf_fail "osinfo"
}
darwin_failing_cleanup() {
	forget_orders
}

atf_test_case darwin_odd cleanup
darwin_odd_head() {
	atf_set descr "macOS: data that is huge, growing, cut or hostile"
}
darwin_odd_body() {
	as darwin
	queries=9
	everywhere=$(printf '%s\n' $everywhere | grep -v get-diskstats)
	misshapen
	to_hosts
}
darwin_odd_cleanup() {
	cleanup_qgad
	forget_orders
}

atf_test_case openbsd_odd cleanup
openbsd_odd_head() {
	atf_set descr "OpenBSD: data that is huge, growing, cut or hostile"
}
openbsd_odd_body() {
	as openbsd
	misshapen
	to_hosts
}
openbsd_odd_cleanup() {
	cleanup_qgad
	forget_orders
}

atf_test_case netbsd_odd cleanup
netbsd_odd_head() {
	atf_set descr "NetBSD: data that is huge, growing, cut or hostile"
}
netbsd_odd_body() {
	as netbsd
	misshapen
	to_hosts
}
netbsd_odd_cleanup() {
	cleanup_qgad
	forget_orders
}

atf_test_case freebsd_freeze cleanup
freebsd_freeze_head() {
	atf_set descr "FreeBSD: each file system has a descriptor that holds it"
}
# freezes ORDERS MOUNT...: what the freezer's half does, call by call, in out
freezes() {
	echo "$1" >"$orders"
	shift
	rc=0
	"$prefix/libexec/qgad/freezes" "$@" >out 2>err || rc=$?
	[ $rc = 0 ] || { cat err >&2; atf_fail "freezes: $rc"; }
}

freebsd_freeze_body() {
	as freebsd
	# Not of ZFS, memory disks, networks, what is read-only; newest first.
	freezes "shape 0"
	cat >expected <<-'EOT'
	open /dev/ufssuspend 100
	limit 100
	open /dev/ufssuspend 101
	limit 101
	found /home/a "b" 7
	found / 5
	lock
	suspend 100 7
	suspend 101 5
	frozen: /home/a "b" 0, / 0
	resume 101
	resume 100
	thawed: / 0, /home/a "b" 0
	resume 100
	again: 22
	EOT
	diff expected out || atf_fail "all of them"
	grep -q 'ZFS cannot be' err && grep -q 'on a memory disk' err || {
		cat err >&2
		atf_fail "no reasons"
	}
	# What the self-test says of each.
	freezes "shape 0" -p
	cat >expected <<-'EOT'
	0 ufs /: 
	1 ufs /media: it is read-only
	1 ufs /memory: it is on a memory disk
	1 zfs /data: ZFS cannot be
	2 nfs /nfs: it is on no disk of this machine
	1 ufs /home/a "b": the configuration excludes it
	2 devfs /dev: it is on no disk of this machine
	EOT
	diff expected out || atf_fail "the plan"
	# The root alone; one that is not there.
	freezes "shape 0" / /none
	[ "$(grep -c '^found ' out)" = 1 ] && grep -q '^found / 5$' out ||
	    atf_fail "not the one that was named"
	# Left out is what lies below a prefix.
	freezes "shape 0" -x /home
	[ "$(grep '^found ' out)" = "found / 5" ] || atf_fail "left out"
	# What fails is said; a descriptor that cannot be limited is closed.
	freezes "shape 0 fail open 2 2"
	grep -q '^failed: failed to open /dev/ufssuspend for /: No such' out ||
	    atf_fail "open: $(cat out)"
	freezes "shape 0 fail cap_ioctls_limit 12 1"
	grep -q '^close 100$' out && grep -q '^failed: ' out ||
	    atf_fail "not limited, and yet used"
	freezes "shape 0 fail getfsstat 5 0"
	grep -q '^failed: getfsstat: Input/output error$' out ||
	    atf_fail "getfsstat"
	for error in 1 5 11 16 22; do
		freezes "shape 0 fail suspend $error 2"
		grep -q "^frozen: /home/a \"b\" 0, / $error\$" out ||
		    atf_fail "the error of a suspend"
		grep -q "^thawed: / 22, /home/a \"b\" 0\$" out ||
		    atf_fail "held by a suspend that failed"
	done
}
freebsd_freeze_cleanup() {
	forget_orders
}

atf_test_case freebsd_odd cleanup
freebsd_odd_head() {
	atf_set descr "FreeBSD: data that is huge, growing, cut or hostile"
}
freebsd_odd_body() {
	as freebsd
	misshapen
	run_queries shape $shape_cut
	grep -q '^guest-get-disks! kern.geom.confxml: ' out ||
	    atf_fail "half a list of disks is one"
	grep -q '^guest-get-diskstats! devstat version 7 instead of 6' out ||
	    atf_fail "another version is not"
	to_hosts
}
freebsd_odd_cleanup() {
	cleanup_qgad
	forget_orders
}

# steps PROGRAM ARGUMENT...: what that calls, in out; its status in rc
steps() {
	program=$1
	shift
	rc=0
	"$prefix/libexec/qgad/$program" "$@" >out 2>err || rc=$?
}

# confines ROLE: its calls are those of standard input
confines() {
	echo "shape 0" >"$orders"
	cat >expected
	steps steps confine "$1" 55 56
	sed 's, $,,; s,/[^ ]*/empty$,EMPTY,' out >got
	diff expected got || atf_fail "$1: $(cat err)"
	[ $rc = 0 ] || atf_fail "$1: status $rc"
}

# drops ROLE [unboxed]: no step of it may fail, nor be done by halves; the
# controls, which do it in another order, are seen
drops() {
	echo "shape 0" >"$orders"
	steps steps confine "$1" 55 56
	[ $rc = 0 ] || atf_fail "$1: $(cat err)"
	cp out whole
	for call in $(cut -d ' ' -f 1 whole | sort -u); do
		case $call in
		confined:)	continue ;;
		# Those are to fail, but for the one that gives root up.
		seteuid | setegid)	continue ;;
		setuid | setgid)
			! grep -q '^setresuid' whole || continue ;;
		esac
		echo "shape 0 fail $call 1 1" >"$orders"
		steps steps confine "$1" 55 56
		[ $rc = 1 ] && grep -q 'fatal: confine' err ||
		    atf_fail "$1 lives with a $call that failed: $rc"
		[ "$(tail -n 1 out | cut -d ' ' -f 1)" = "$call" ] ||
		    atf_fail "$1 went on behind a $call that failed"
	done
	for shape in 1 3 5; do
		echo "shape $shape" >"$orders"
		steps steps confine "$1" 55 56
		[ $rc = 1 ] && grep -q 'fatal: confine' err ||
		    atf_fail "$1: a kernel that lies, $shape: $rc"
	done
	echo "shape 0" >"$orders"
	steps steps-late confine "$1" 55 56
	[ $rc = 1 ] && ! cmp -s whole out ||
	    atf_fail "$1: the uid first, and nothing was seen of it"
	[ "${2:-}" != unboxed ] || return 0
	steps steps-early confine "$1" 55 56
	grep -q '^after the sandbox: setrlimit' out ||
	    atf_fail "$1: the sandbox first, and nothing was seen of it"
}

# asks ARGUMENT... : what the machine is told is standard input
asks() {
	cat >expected
	steps steps "$@"
	sed 's, $,,' out >got
	[ $rc = 0 ] || atf_fail "$*: status $rc"
	diff expected got || atf_fail "$*"
}

# ends POWERDOWN HALT REBOOT: what shutdown(8) is told for each
ends() {
	for mode in 0 1 2; do
		echo "by /sbin/shutdown $1 now" | asks shutdown $mode
		shift
	done
	asks shutdown 3 </dev/null
}

# lines NODE...: the kernel's console, with a getty, free, to call out by
lines() {
	want=1
	for node in "$@"; do
		echo "shape 0" >"$orders"
		steps steps device "/dev/$node"
		[ "$(tail -n 1 out)" = "device: $want" ] ||
		    atf_fail "$node: $(tail -n 1 out), not $want"
		# More than one process is one.
		echo "shape 0 fail sysctl 12 0" >"$orders"
		steps steps device "/dev/$node"
		[ "$(tail -n 1 out)" = "device: $((want == 1 ? 1 : 2))" ] ||
		    atf_fail "$node, with two: $(tail -n 1 out)"
		# Who may not ask is not told.
		echo "shape 0 fail sysctl 1 0" >"$orders"
		steps steps device "/dev/$node"
		[ "$(tail -n 1 out)" = "device: $((want == 1))" ] ||
		    atf_fail "$node, unasked: $(tail -n 1 out)"
		want=$(((want + 1) % 3))
	done
	echo "shape 0" >"$orders"
}

clock() {
	echo "shape 0" >"$orders"
	asks settime 1700000000123456789 <<-'EOT'
	settimeofday 1700000000.123456
	set: 0
	EOT
	asks settime <<-'EOT'
	set: -1 the hardware clock cannot be read here: give the time
	EOT
	echo "shape 0 fail settimeofday 1 1" >"$orders"
	asks settime 1000000000 <<-'EOT'
	settimeofday 1.000000
	set: -1 Failed to set time to guest: error 1
	EOT
	echo "shape 0" >"$orders"
}

ids_by_three='chroot EMPTY
chdir /
setgroups 1: 56
setresgid 56 56 56
setresuid 55 55 55'
# Where there are no calls for all three, the saved one is tried at once.
ids_by_one='chroot EMPTY
chdir /
setgroups 1: 56
setgid 56
setuid 55
seteuid 0
setuid 0'
proof='setuid 0
seteuid 0
setgid 0
setegid 0'

atf_test_case openbsd_steps cleanup
openbsd_steps_head() {
	atf_set descr "OpenBSD: root is given up, pledge is last; the machine"
}
openbsd_steps_body() {
	as openbsd
	confines frontend <<-EOT
	stat EMPTY
	$ids_by_three
	$proof
	setrlimit core 0 0
	setrlimit fsize 0 0
	setrlimit nofile 64 64
	setrlimit nproc 0 0
	unveil /
	unveil NULL NULL
	pledge stdio recvfd
	confined: pledge, unveil
	EOT
	confines query <<-EOT
	$(echo "$ids_by_three" | sed 1,2d)
	$proof
	setrlimit core 0 0
	setrlimit fsize 0 0
	setrlimit nofile 32 32
	setrlimit nproc 0 0
	unveil /etc/localtime r
	unveil /usr/share/zoneinfo r
	unveil /var/run/utmp r
	unveil NULL NULL
	pledge stdio rpath route vminfo
	confined: pledge, unveil
	EOT
	for role in frontend file exec log; do
		drops $role
	done
	lines cua00 cua01 cua02 tty00 tty01 tty02
	ends -hp -h -r
	clock
	asks suspend 1 <<-'EOT'
	if /var/run/apmdev, and /usr/bin/true: 0 to 0
	by /usr/sbin/zzz
	open /dev/apmctl
	ioctl A 2 0
	close 90
	sleep: 1
	EOT
	asks suspend 0 <<-'EOT'
	if /var/run/apmdev, and /usr/bin/true: 0 to 0
	by /usr/sbin/ZZZ
	open /dev/apmctl
	ioctl A 9 0
	close 90
	sleep: 1
	EOT
	asks suspend 2 <<-'EOT'
	sleep: 0
	EOT
	# No such machine is not an error, what went wrong is.
	for error in 2 6 45; do
		echo "shape 0 fail open $error 0" >"$orders"
		steps steps suspend 1
		grep -q '^sleep: 0 ' out || atf_fail "open: $error"
	done
	echo "shape 0 fail ioctl 5 0" >"$orders"
	steps steps suspend 1
	grep -q '^close 90' out && grep -q '^sleep: -1 /dev/apmctl: error 5' \
	    out || atf_fail "an ioctl that failed"
}
openbsd_steps_cleanup() {
	forget_orders
}

atf_test_case freebsd_steps cleanup
freebsd_steps_head() {
	atf_set descr "FreeBSD: root is given up, cap_enter is last; the machine"
}
freebsd_steps_body() {
	as freebsd
	rights='cap_rights_limit 0 read fstat
cap_rights_limit 1 write fstat
cap_rights_limit 2 write fstat
cap_rights_limit 3 read write event fstat getsockopt'
	confines frontend <<-EOT
	stat EMPTY
	$ids_by_three
	$proof
	setrlimit core 0 0
	setrlimit fsize 0 0
	setrlimit nofile 64 64
	setrlimit nproc 0 0
	procctl no trace
	procctl no new privs
	$rights
	cap_enter
	confined: capsicum
	EOT
	# It stays root, by capability mode alone what it is.
	confines freeze <<-EOT
	stat EMPTY
	chroot EMPTY
	chdir /
	setrlimit core 0 0
	setrlimit fsize 0 0
	setrlimit nproc 0 0
	procctl no trace
	procctl no new privs
	$rights
	cap_enter
	confined: capsicum
	EOT
	confines query <<-EOT
	$(echo "$ids_by_three" | sed 1,2d)
	$proof
	setrlimit core 0 0
	setrlimit fsize 0 0
	setrlimit nofile 32 32
	setrlimit nproc 0 0
	procctl no trace
	procctl no new privs
	$rights
	confined: descriptor rights, no capsicum
	EOT
	for role in frontend file log; do
		drops $role
	done
	lines cuau0 cuau1 cuau3 ttyu0 ttyu1 ttyu2
	ends -p -h -r
	clock
	asks suspend 1 <<-'EOT'
	sysctl hw.acpi.supported_sleep_state
	open /dev/acpi
	ioctl P 4 3
	close 90
	sleep: 1
	EOT
	asks suspend 0 <<-'EOT'
	sleep: 0
	EOT
	echo "shape 4" >"$orders"
	asks suspend 1 <<-'EOT'
	sysctl hw.acpi.supported_sleep_state
	sleep: 0
	EOT
	echo "shape 0 fail ioctl 6 0" >"$orders"
	steps steps suspend 1
	grep -q '^close 90' out && grep -q '^sleep: -1 suspending: error 6' \
	    out || atf_fail "an ioctl that failed"
}
freebsd_steps_cleanup() {
	forget_orders
}

atf_test_case netbsd_steps cleanup
netbsd_steps_head() {
	atf_set descr "NetBSD: root is given up; the machine"
}
netbsd_steps_body() {
	as netbsd
	confines frontend <<-EOT
	stat EMPTY
	$ids_by_one
	$proof
	setrlimit core 0 0
	setrlimit fsize 0 0
	setrlimit nofile 64 64
	setrlimit nproc 0 0
	confined: rlimits alone
	EOT
	grep -q 'this system has no sandbox' err || atf_fail "not said"
	for role in frontend file exec log; do
		drops $role unboxed
	done
	lines dty00 dty01 dty02 tty00 tty01 tty02
	ends -p -h -r
	clock
	for mode in 0 1 2; do
		asks suspend $mode <<-'EOT'
		sleep: 0
		EOT
	done
}
netbsd_steps_cleanup() {
	forget_orders
}

atf_test_case darwin_steps cleanup
darwin_steps_head() {
	atf_set descr "macOS: root is given up, the profile is last; the machine"
}
darwin_steps_body() {
	as darwin
	confines frontend <<-EOT
	stat EMPTY
	$ids_by_one
	$proof
	setrlimit core 0 0
	setrlimit fsize 0 0
	setrlimit nofile 64 64
	setrlimit nproc 0 0
	ptrace 31
	sandbox_init (version 1) (deny default)
	confined: sandbox profile
	EOT
	for role in frontend file exec log; do
		drops $role
	done
	# The one that reads, and no more than it has to.
	steps steps confine query 55 56
	grep -q '^sandbox_init (version 1) (deny default) (allow sysctl-read) ' \
	    out || atf_fail "query: $(cat err)"
	! grep -qE 'write|exec|mach|allow default' out ||
	    atf_fail "query may more than read: $(cat out)"
	for node in cu.serial1 tty.serial1; do
		steps steps device /dev/$node
		grep -q '^device: 2$' out || atf_fail "$node: $(cat out)"
	done
	steps steps device /dev/cu.serial2
	grep -q '^device: 0$' out || atf_fail "cu.serial2: $(cat out)"
	ends -h -h -r
	clock
	asks suspend 1 <<-'EOT'
	if /usr/bin/pmset, and /usr/bin/true: 0 to 0
	by /usr/bin/pmset sleepnow
	sleep: 0
	EOT
}
darwin_steps_cleanup() {
	forget_orders
}

atf_test_case table
table_head() {
	atf_set descr "README says of each system what its table says"
}
table_body() {
	top=$common/../..
	column=2
	for system in openbsd freebsd netbsd darwin; do
		column=$((column + 1))
		sed -n 's/^	\[CMD_\(GUEST_[A-Z_]*\)\] = 1,*$/\1/p' \
		    "$top/lib/commands-$system.c" | tr 'A-Z_' 'a-z-' |
		    sort >has
		sed -n '/^## The other systems/,/^- /s/^| guest-/&/p' \
		    "$top/README.md" | awk -F ' *\\| *' -v c=$column \
		    '$c == "yes" { print $2 }' | tr ' ' '\n' | sort >says
		[ -s has ] || atf_fail "$system: no table"
		diff has says || atf_fail "$system"
	done
	# None is left out.
	"$prefix/sbin/qgad" --list-commands | sed -n 's/^\(guest-[a-z-]*\) .*/\1/p' |
	    sort >all
	sed -n '/^## The other systems/,/^- /s/^| \(guest-[a-z -]*\) | .*/\1/p' \
	    "$top/README.md" | tr ' ' '\n' | sort >named
	diff all named || atf_fail "not each of them once"
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case openbsd
	atf_add_test_case netbsd
	atf_add_test_case openbsd_failing
	atf_add_test_case netbsd_failing
	atf_add_test_case openbsd_odd
	atf_add_test_case netbsd_odd
	atf_add_test_case freebsd
	atf_add_test_case freebsd_failing
	atf_add_test_case freebsd_odd
	atf_add_test_case freebsd_freeze
	atf_add_test_case table
	atf_add_test_case openbsd_steps
	atf_add_test_case freebsd_steps
	atf_add_test_case netbsd_steps
	atf_add_test_case darwin_steps
	atf_add_test_case darwin
	atf_add_test_case darwin_failing
	atf_add_test_case darwin_odd
}
