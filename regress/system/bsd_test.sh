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

# OpenBSD's and NetBSD's queries, run here: each back end's own object code,
# compiled for its system, whose system calls regress/system/standin answers;
# through the real daemon, and by themselves where calls fail or answer what
# no kernel should.

shape_normal=0 shape_grows=1 shape_huge=2 shape_hostile=3 shape_empty=4
shape_cut=5

# as SYSTEM: prefix becomes the one of a qgad as on that system
as() {
	rc=0
	prefix=$(sh "$common/standin.sh" "$1" 2>standin.err) || rc=$?
	[ $rc != 3 ] || atf_skip "needs the cross compiler: make cross"
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

expect_both() {
	[ "$(commands)" = "$(printf '%s\n' $everywhere "$@" | sort |
	    tr '\n' ' ')" ] || atf_fail "guest-info: $(commands)"
	lacks guest-get-memory-blocks guest-get-memory-block-info \
	    guest-set-vcpus guest-set-memory-blocks guest-fstrim \
	    guest-fsfreeze-freeze guest-fsfreeze-thaw guest-fsfreeze-status \
	    guest-suspend-hybrid guest-set-user-password
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
	expect_both guest-suspend-disk guest-suspend-ram
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
	expect_both
	lacks guest-suspend-ram guest-suspend-disk
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

# run_queries ORDERS: a line of each of the ten commands, in out
run_queries() {
	echo "$*" >"$orders"
	rc=0
	"$prefix/libexec/qgad/queries" >out 2>err || rc=$?
	[ $rc = 0 ] || { head -c 2000 err >&2; atf_fail "$*: status $rc"; }
	[ "$(grep -ac '^guest-[a-z-]*[!:] ' out)" = 10 ] || {
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
			[ "$call,$error" = read,4 ] ||
			    run_queries shape 0 fail "$call" "$error" 0
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

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case openbsd
	atf_add_test_case netbsd
	atf_add_test_case openbsd_failing
	atf_add_test_case netbsd_failing
	atf_add_test_case openbsd_odd
	atf_add_test_case netbsd_odd
}
