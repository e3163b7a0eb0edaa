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


# The queries of the system, through the daemon, beside what other programs of
# the guest say and beside the installed qemu-ga; and on odd systems, which
# are namespaces of the test's own.

names="guest-get-hostname guest-get-load guest-get-vcpus \
guest-get-memory-blocks guest-get-memory-block-info guest-get-cpustats \
guest-network-get-route guest-network-get-interfaces guest-get-osinfo \
guest-get-timezone"

ask() {
	qga "{\"execute\":\"$1\"}"
}

# start_qemu [WRAPPER ...]: on the socket ./qemu.sock; false: there is none
start_qemu() {
	qemu=/usr/sbin/qemu-ga
	[ -x "$qemu" ] || qemu=$(command -v qemu-ga) || return 1
	mkdir -p qemu.state
	"$@" "$qemu" -m unix-listen -p "$PWD/qemu.sock" \
	    -t "$PWD/qemu.state" 2>qemu.err &
	echo $! >>qgad.pids
	wait_for "$qgaclient" -t 2 "$PWD/qemu.sock" \
	    '{"execute":"guest-ping"}' || atf_fail "qemu-ga does not answer"
}

ask_qemu() {
	"$qgaclient" -t 30 "$PWD/qemu.sock" "{\"execute\":\"$1\"}" ||
	    atf_fail "qemu-ga does not answer $1"
}

# wrapped WRAPPER ...: qgad started by it
wrapped() {
	mkdir -p state
	"$@" "$prefix/sbin/qgad" -t "$PWD/state" -l "$PWD/qgad.log" \
	    -m unix-listen -p "$PWD/sock" >qgad.out 2>>qgad.err &
	echo $! >>qgad.pids
	echo $! >qgad.pid
	answers || { show_log; atf_fail "qgad does not answer"; }
}

# Each object of a reply on a line, its own members in order; the lines too.
# No string here has "{" or ", " in it.
canon() {
	sed -e 's/^{"return": //' -e 's/}$//' | tr '{' '\n' | tr -d ']}[' |
	    awk '{
		sub(/, $/, "")
		n = split($0, m, /, /)
		for (i = 2; i <= n; i++) {
			v = m[i]
			for (j = i - 1; j > 0 && m[j] > v; j--)
				m[j + 1] = m[j]
			m[j + 1] = v
		}
		line = ""
		for (i = 1; i <= n; i++)
			line = line (i > 1 ? ", " : "") m[i]
		if (line != "")
			print line
	    }' | LC_ALL=C sort
}

# like_qemu NAME: the same objects with the same members
like_qemu() {
	ask "$1" | canon >ours
	ask_qemu "$1" | canon >theirs
	diff theirs ours >&2 || atf_fail "$1 differs from qemu-ga's"
}

# member NAME: its values on standard input, a line each
member() {
	tr '{' '\n' | sed -n "s/.*\"$1\": \"\{0,1\}\([^,}\"]*\).*/\1/p"
}

# A network of our own, where nothing moves; $ns is who holds it.
new_network() {
	unshare -n sleep 280 &
	ns=$!
	echo "$ns" >>qgad.pids
	wait_for other_network || atf_fail "no network namespace"
	in_network sh -c 'for f in all default lo; do
	    echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6; done
	    echo 0 >/proc/sys/net/ipv6/conf/lo/disable_ipv6
	    ip link set lo up' || atf_fail "no lo"
}

other_network() {
	[ "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$ns/ns/net")" ]
}

in_network() {
	nsenter -t "$ns" -n "$@"
}

# --- this machine ---

atf_test_case processors cleanup
processors_head() {
	atf_set descr "guest-get-vcpus: nproc, getconf, /sys, qemu-ga"
	atf_set require.user root
}
processors_body() {
	need_linux
	start_qgad
	ask guest-get-vcpus >reply
	[ "$(grep -o '"online": true' reply | wc -l)" -eq \
	    "$(getconf _NPROCESSORS_ONLN)" ] || atf_fail "$(cat reply)"
	member logical-id <reply >ids
	find /sys/devices/system/cpu -maxdepth 1 -name 'cpu[0-9]*' |
	    sed 's/.*cpu//' | sort -n >want
	atf_check -o file:want cat ids
	grep -o '"can-offline": true' reply | wc -l | tr -d ' ' >fixed
	find /sys/devices/system/cpu/cpu[0-9]* -maxdepth 1 -name online |
	    wc -l | tr -d ' ' >want
	atf_check -o file:want cat fixed
	start_qemu || { stop_qgad; atf_skip "needs qemu-ga"; }
	like_qemu guest-get-vcpus
	stop_qgad
}
processors_cleanup() {
	cleanup_qgad
}

atf_test_case memory cleanup
memory_head() {
	atf_set descr "Memory blocks and their size: /sys, qemu-ga"
	atf_set require.user root
}
memory_body() {
	need_linux
	dir=/sys/devices/system/memory
	start_qgad
	ask guest-get-memory-blocks >reply
	if [ ! -d $dir ]; then
		atf_check -o inline:'{"return": []}\n' cat reply
		atf_check -o match:GenericError.*open.*"$dir".*No \
		    echo "$(ask guest-get-memory-block-info)"
	else
		member phys-index <reply >ids
		find $dir -maxdepth 1 -name 'memory[0-9]*' |
		    sed 's/.*memory//' | sort -n >want
		atf_check -o file:want cat ids
		atf_check -o inline:"$(printf '{"return": {"size": %d}}' \
		    "0x$(cat $dir/block_size_bytes)")\n" \
		    echo "$(ask guest-get-memory-block-info)"
	fi
	start_qemu || { stop_qgad; atf_skip "needs qemu-ga"; }
	like_qemu guest-get-memory-blocks
	[ ! -d $dir ] || like_qemu guest-get-memory-block-info
	stop_qgad
}
memory_cleanup() {
	cleanup_qgad
}

# ticks FILE: as a reply's lines "cpu user nice system idle" in ms
ticks() {
	awk -v hz="$(getconf CLK_TCK)" '/^cpu[0-9]/ {
		print substr($1, 4), $2 * 1000 / hz, $3 * 1000 / hz,
		    $4 * 1000 / hz, $5 * 1000 / hz }' "$1"
}

atf_test_case times cleanup
times_head() {
	atf_set descr "guest-get-cpustats lies between two looks at /proc/stat"
	atf_set require.user root
}
times_body() {
	need_linux
	start_qgad
	ask guest-get-cpustats >reply	# the worker is there now
	cat /proc/stat >before
	ask guest-get-cpustats >reply
	cat /proc/stat >after
	for m in cpu user nice system idle; do
		member $m <reply >"have.$m"
	done
	paste -d ' ' have.cpu have.user have.nice have.system have.idle >have
	ticks before >low
	ticks after >high
	[ "$(wc -l <have)" -eq "$(wc -l <low)" ] || atf_fail "$(cat reply)"
	# Idle time is an estimate that may go back a little.
	paste -d ' ' low have high | awk '{
		for (i = 1; i <= 5; i++)
			if ($i - (i == 5 ? 100 : 0) > $(i + 5) ||
			    $(i + 5) > $(i + 10) + (i == 5 ? 100 : 0))
				bad = 1
	    } END { exit bad }' ||
	    atf_fail "not between: $(paste -d ' ' low have high)"
	start_qemu || { stop_qgad; atf_skip "needs qemu-ga"; }
	ask guest-get-cpustats | sed 's/: [0-9]*/: N/g' | canon >ours
	ask_qemu guest-get-cpustats | sed 's/: [0-9]*/: N/g' | canon >theirs
	atf_check diff theirs ours
	stop_qgad
}
times_cleanup() {
	cleanup_qgad
}

atf_test_case load cleanup
load_head() {
	atf_set descr "guest-get-load is /proc/loadavg"
	atf_set require.user root
}
load_body() {
	need_linux
	start_qgad
	tries=0
	until
		cut -d ' ' -f 1-3 /proc/loadavg >before
		ask guest-get-load >reply
		cut -d ' ' -f 1-3 /proc/loadavg >after
		cmp -s before after
	do
		tries=$((tries + 1))
		[ $tries -lt 20 ] || atf_fail "the load never stands still"
	done
	grep -q '^{"return": {"load1m": [0-9.]*, "load5m": [0-9.]*, '\
'"load15m": [0-9.]*}}$' reply || atf_fail "$(cat reply)"
	{ member load1m <reply; member load5m <reply; member load15m <reply; } |
	    tr '\n' ' ' | paste -d ' ' - before | awk '{
		for (i = 1; i <= 3; i++)
			if ($i - $(i + 3) > 0.0101 || $(i + 3) - $i > 0.0101)
				exit 1 }' ||
	    atf_fail "$(cat reply) is not $(cat before)"
	stop_qgad
}
load_cleanup() {
	cleanup_qgad
}

atf_test_case hostname cleanup
hostname_head() {
	atf_set descr "guest-get-hostname is guest-get-host-name"
	atf_set require.user root
}
hostname_body() {
	start_qgad
	ask guest-get-host-name >want
	atf_check -o file:want echo "$(ask guest-get-hostname)"
	[ "$(json_get host-name <want)" = "$(uname -n)" ] ||
	    atf_fail "$(cat want)"
	stop_qgad
}
hostname_cleanup() {
	cleanup_qgad
}

# --- each command ---

atf_test_case arguments cleanup
arguments_head() {
	atf_set descr "Arguments that a query does not have are refused"
	atf_set require.user root
}
arguments_body() {
	start_qgad
	for name in $names; do
		qga "{\"execute\":\"$name\",\"arguments\":{}}" >reply
		grep -q '^{"return": ' reply || atf_fail "$name: $(cat reply)"
		atf_check -o inline:'{"error": {"class": "GenericError", '\
'"desc": "Parameter '"'x'"' is unexpected"}}\n' echo "$(qga \
		    "{\"execute\":\"$name\",\"arguments\":{\"x\":1}}")"
		atf_check -o inline:'{"error": {"class": "GenericError", '\
'"desc": "QMP input member '"'arguments'"' must be an object"}}\n' \
		    echo "$(qga "{\"execute\":\"$name\",\"arguments\":[]}")"
	done
	stop_qgad
}
arguments_cleanup() {
	cleanup_qgad
}

atf_test_case blocked cleanup
blocked_head() {
	atf_set descr "Each query blocked is refused, alone"
	atf_set require.user root
}
blocked_body() {
	for name in $names; do
		start_qgad -b "$name"
		ask "$name" >reply
		atf_check -o inline:'{"error": {"class": "CommandNotFound", '\
"\"desc\": \"Command $name has been disabled: the command is not "\
'allowed"}}\n' cat reply
		ask guest-info >info
		grep -q "\"enabled\": false, \"name\": \"$name\"" info ||
		    atf_fail "$name: $(cat info)"
		[ "$(grep -o '"enabled": false' info | wc -l)" -eq 1 ] ||
		    atf_fail "not $name alone: $(cat info)"
		for other in guest-get-hostname guest-get-vcpus; do
			[ "$other" != "$name" ] || continue
			atf_check -o match:'^[{]"return": ' \
			    echo "$(ask "$other")"
		done
		stop_qgad
		rm -f sock
	done
}
blocked_cleanup() {
	cleanup_qgad
}

# --- many of them ---

atf_test_case interfaces cleanup
interfaces_head() {
	atf_set descr "2,000 interfaces, odd names: ip(8), qemu-ga"
	atf_set require.user root
	atf_set require.progs "ip nsenter unshare"
}
interfaces_body() {
	need_linux
	new_network
	awk 'BEGIN { for (i = 0; i < 1000; i++) {
		printf "link add n%d type veth peer name m%d\n", i, i
		printf "addr add 10.%d.%d.1/24 dev n%d\n", i / 200, i % 200, i
	    } }' >batch.ip
	in_network ip -batch batch.ip || atf_fail "no interfaces"
	odd=$(printf 'b\377"x\\\047')
	in_network ip link add "$odd" type veth peer name "sp'ok" ||
	    atf_fail "no odd interfaces"
	wrapped nsenter -t "$ns" -n
	ask guest-network-get-interfaces >reply
	member name <reply | grep '^[nml][0-9o]*$' | LC_ALL=C sort >names
	in_network ip -o link show | sed 's/^[0-9]*: \([^:@]*\).*/\1/' |
	    grep -a '^[nml][0-9o]*$' | LC_ALL=C sort >want
	[ "$(wc -l <want)" -eq 2001 ] || atf_fail "the control: $(wc -l <want)"
	atf_check cmp want names
	member ip-address <reply | LC_ALL=C sort >addresses
	in_network ip -o addr show | awk '{ sub("/.*", "", $4); print $4 }' |
	    LC_ALL=C sort >want
	atf_check cmp want addresses
	# A byte that is no UTF-8, and what JSON protects.
	grep -qF '"name": "b\uFFFD\"x\\'"'"'"' reply ||
	    atf_fail "no odd name"
	grep -qF "\"name\": \"sp'ok\"" reply || atf_fail "no quoted name"
	start_qemu nsenter -t "$ns" -n || { stop_qgad
	    atf_skip "needs qemu-ga"; }
	# Nested, in another order: each member by itself.
	ask guest-network-get-interfaces | tr -d ']}[{' | sed 's/, /\n/g' |
	    LC_ALL=C sort >ours
	ask_qemu guest-network-get-interfaces | tr -d ']}[{' |
	    sed 's/, /\n/g' | LC_ALL=C sort >theirs
	sed -i 's/"return": //; s/"[a-z-]*": \("[a-z-]*":\)/\1/' ours theirs
	LC_ALL=C sort -o ours ours
	LC_ALL=C sort -o theirs theirs
	[ "$(wc -l <ours)" -gt 14000 ] || atf_fail "the control"
	diff theirs ours >&2 || atf_fail "not as qemu-ga's"
	stop_qgad
}
interfaces_cleanup() {
	cleanup_qgad
}

# routes_of 4|6: of a reply, as "destination/length gateway dev metric"
routes_of() {
	tr '{' '\n' | sed -n "/\"version\": $1/p" | awk '
	    function get(name,	v) {
		v = $0
		if (!sub(".*\"" name "\": \"?", "", v))
			return ""
		sub(/[",}].*/, "", v)
		return v
	    }
	    function bits(mask,	b, m, n, i) {
		split(mask, m, ".")
		for (i = 1; i <= 4; i++)
			for (b = m[i]; b > 0; b = int(b / 2))
				n += b % 2
		return n + 0
	    }
	    {
		length_ = get("desprefixlen")
		gateway = get("nexthop")
		if (get("mask") != "") {
			length_ = bits(get("mask"))
			gateway = get("gateway")
		}
		if (gateway == "0.0.0.0" || gateway == "::")
			gateway = "-"
		print get("destination") "/" length_, gateway, get("iface"),
		    get("metric")
	    }' | LC_ALL=C sort
}

# ip_routes 4|6: the same from ip(8)
ip_routes() {
	in_network ip "-$1" route show | awk -v six="$1" '{
		gateway = "-"
		metric = 0
		for (i = 2; i < NF; i++) {
			if ($i == "via") gateway = $(i + 1)
			if ($i == "dev") dev = $(i + 1)
			if ($i == "metric") metric = $(i + 1)
		}
		if ($1 == "default")
			$1 = six == 6 ? "::/0" : "0.0.0.0/0"
		if ($1 !~ /\//)
			$1 = $1 (six == 6 ? "/128" : "/32")
		print $1, gateway, dev, metric
	    }' | LC_ALL=C sort
}

atf_test_case routes cleanup
routes_head() {
	atf_set descr "10,000 routes of both kinds: ip(8), /proc"
	atf_set require.user root
	atf_set require.progs "ip nsenter unshare"
}
routes_body() {
	need_linux
	[ -e /proc/net/ipv6_route ] || atf_skip "needs IPv6"
	new_network
	odd=$(printf 'b\377"x')
	in_network sh -c 'ip link add n0 type veth peer name "$0" &&
	    echo 0 >/proc/sys/net/ipv6/conf/n0/disable_ipv6 &&
	    echo 0 >/proc/sys/net/ipv6/conf/n0/accept_dad &&
	    ip link set n0 up && ip link set "$0" up &&
	    ip addr add 10.0.0.1/16 dev n0 && ip addr add fd00::1/64 dev n0 &&
	    ip addr add 172.16.0.1/30 dev "$0"' "$odd" ||
	    atf_fail "no interfaces"
	wrapped nsenter -t "$ns" -n
	awk 'BEGIN {
		print "route add default via 10.0.0.254 metric 77"
		print "route add 192.0.2.9/32 dev n0"
		for (i = 0; i < 7000; i++)
			printf "route add 11.%d.%d.0/24 via 10.0.1.%d dev " \
			    "n0 metric %d\n", i / 200, i % 200, i % 200 + 1,
			    i % 9
	    }' >batch.ip
	in_network ip -batch batch.ip || atf_fail "no routes"
	awk 'BEGIN {
		print "route add default via fd00::99"
		for (i = 0; i < 3000; i++)
			printf "route add fd01:0:%x::/48 dev n0 metric %d\n",
			    i, i + 1
	    }' >batch.ip
	in_network ip -batch batch.ip || atf_fail "no routes"
	ask guest-network-get-route >reply
	for v in 4 6; do
		# ip(8) leaves the local table out, /proc that of v4 alone.
		routes_of $v <reply | grep -v '"' |
		    LC_ALL=C grep -av ' b' >have
		ip_routes $v | LC_ALL=C grep -av ' b' >want
		[ "$(wc -l <want)" -gt 3000 ] || atf_fail "the control"
		comm -23 want have >missing
		[ ! -s missing ] || atf_fail "missing: $(head missing)"
	done
	# Each of the kernel's, the first of v6 included.
	in_network cat /proc/net/route | tail -n +2 | wc -l >want
	grep -o '"version": 4' reply | wc -l >have
	atf_check cmp want have
	in_network cat /proc/net/ipv6_route | wc -l >want
	grep -o '"version": 6' reply | wc -l >have
	atf_check cmp want have
	grep -qF '"iface": "b\uFFFD\"x", "destination": "172.16.0.0"' reply ||
	    atf_fail "no route by the odd interface"
	# Nothing is remembered.
	in_network ip route del default || atf_fail "ip route del"
	ask guest-network-get-route | routes_of 4 | grep '^0\.0\.0\.0/0' &&
	    atf_fail "the default route is still there"
	stop_qgad
}
routes_cleanup() {
	cleanup_qgad
}

# --- odd systems ---

atf_test_case bare cleanup
bare_head() {
	atf_set descr "An empty /sys and no /proc: answers, and errors that say"
	atf_set require.user root
	atf_set require.progs "unshare mount"
}
bare_body() {
	need_linux
	# shellcheck disable=SC2016 # for the inner shell
	wrapped unshare -m sh -c 'mount --make-rprivate / &&
	    mount -t tmpfs none /sys && mount -t tmpfs none /proc &&
	    exec "$0" "$@"'
	for name in guest-get-hostname guest-get-load guest-get-osinfo \
	    guest-get-users guest-get-timezone guest-get-time \
	    guest-network-get-interfaces; do
		atf_check -o match:'^[{]"return": ' echo "$(ask "$name")"
	done
	atf_check -o inline:'{"return": []}\n' \
	    echo "$(ask guest-get-memory-blocks)"
	while read -r name text; do
		ask "$name" >reply
		grep -qF '{"error": {"class": "GenericError", "desc": "'"$text" \
		    reply || atf_fail "$name: $(cat reply)"
	done <<-'EOT'
	guest-get-vcpus failed to list entries: /sys/devices/system/cpu: No such file or directory"}
	guest-get-memory-block-info open(\"/sys/devices/system/memory/\"): No such file or directory"}
	guest-get-cpustats open(\"/proc/stat\"): No such file or directory"}
	guest-network-get-route open(\"/proc/net/route\"): No such file or directory"}
	EOT
	stop_qgad
}
bare_cleanup() {
	cleanup_qgad
}

atf_test_case replaced cleanup
replaced_head() {
	atf_set descr "Files that an upgrade replaces: no query fails or is old"
	atf_set require.user root
	atf_set require.progs "unshare mount"
	atf_set require.files "/usr/share/zoneinfo/Asia/Kathmandu \
/usr/share/zoneinfo/Pacific/Honolulu"
}
replaced_body() {
	need_linux
	unset TZ
	mkdir etc
	cp /etc/passwd /etc/group etc
	echo ID=old >etc/os-release
	cp /usr/share/zoneinfo/Asia/Kathmandu etc/localtime
	# shellcheck disable=SC2016 # for the inner shell
	wrapped unshare -m sh -c 'mount --make-rprivate / &&
	    mount --bind etc /etc && exec "$0" "$@"'
	ask guest-get-osinfo | grep -q '"id": "old"' || atf_fail "not old"
	for round in 1 2 3 4 5 6; do
		worker=$(role_pid query)
		echo "ID=new$round" >etc/x
		mv etc/x etc/os-release
		ask guest-get-osinfo >reply
		grep -q "\"id\": \"new$round\"" reply || { show_log
		    atf_fail "os-release $round: $(cat reply)"; }
		if [ $((round % 2)) -eq 1 ]; then
			zone=Pacific/Honolulu want=-36000
		else
			zone=Asia/Kathmandu want=20700
		fi
		cp /usr/share/zoneinfo/$zone etc/x
		mv etc/x etc/localtime
		ask guest-get-timezone >reply
		grep -q "\"offset\": $want" reply || { show_log
		    atf_fail "localtime $round: $(cat reply)"; }
		# The control: the first worker could not have answered.
		[ "$(role_pid query)" != "$worker" ] ||
		    atf_skip "this kernel does not hold it to the old file"
	done
	stop_qgad
}
replaced_cleanup() {
	cleanup_qgad
}

atf_init_test_cases() {
	# shellcheck source=../common/qga.subr
	. "$(atf_get_srcdir)/../common/qga.subr"
	for test in processors memory times load hostname arguments blocked \
	    interfaces routes bare replaced; do
		atf_add_test_case $test
	done
}
