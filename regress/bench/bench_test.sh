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

# regress/bench measures both agents and draws; what comes out of it decides
# nothing here.

bench=$(atf_get_srcdir)/bench

need_qemu() {
	need_linux
	qemu=/usr/sbin/qemu-ga
	[ -x "$qemu" ] || qemu=$(command -v qemu-ga) ||
	    atf_skip "needs qemu-ga"
}

# What of the bench's would be seen on the machine, were it not in namespaces,
# and what it makes in /tmp and /dev/shm.
traces() {
	grep '^bench \| /mnt/[0-9]* ' /proc/mounts
	ip -br link show | grep '^v[0-9]'
	ip route | grep '^10[.]8[.]'
	find /tmp /dev/shm -maxdepth 1 -name 'qgad-bench.*' | sort
}

atf_test_case quick
quick_head() {
	atf_set descr "each group is measured, printed and drawn"
	atf_set require.user root
}
quick_body() {
	need_qemu
	need_prog ip python3
	traces >before
	"$bench" -q -r 1 -o figures.csv -s plots.svg "$prefix/sbin/qgad" \
	    "$qemu" >out 2>err || {
		cat err >&2
		atf_fail "bench has failed"
	}
	cat out err
	for row in "ping p50" "read, 1 MiB" "peak, 47 MiB write" \
	    "CPU of all reads" "15 MiB captured" "ping p99 beside it" \
	    "fsinfo" "1,000 routes" "50 mounts" "200 interfaces"; do
		atf_check -o "match:^$row +[a-zA-Z/]* +[0-9.]+" cat out
	done
	# Both sides have a figure; only qemu-ga may lack a command.
	atf_check -o 'match:^"?[a-z]+"?,"read, 1 MiB",MB/s,1,[1-9][^,]*,[1-9]' \
	    cat figures.csv
	# The drawing: two plots each of speed and memory, a line each side.
	cat >check.py <<-'EOT'
	import sys
	import xml.etree.ElementTree as tree
	svg = "{http://www.w3.org/2000/svg}"
	root = tree.parse(sys.argv[1]).getroot()
	assert root.tag == svg + "svg", root.tag
	words = [t.text for t in root.iter(svg + "text")]
	for word in ("qgad", "qemu-ga", "guest-file-read", "guest-file-write",
	    "guest-file-write, peak memory", "MB/s", "4K", "48M", "47M"):
	    assert word in words, word
	lines = [p for p in root.iter(svg + "path") if "L" in p.get("d")]
	assert len(lines) == 8, len(lines)
	assert all(p.get("d").count("L") == 7 for p in lines)
	EOT
	python3 check.py plots.svg || atf_fail "no good drawing"
	sed 's,</svg>,,' plots.svg >wrong.svg
	python3 check.py wrong.svg 2>/dev/null && atf_fail "anything will do"
	traces >after
	atf_check diff before after
}

atf_test_case refused
refused_head() {
	atf_set descr "what cannot be measured is an error, and leaves nothing"
	atf_set require.user root
}
refused_body() {
	need_qemu
	traces >before
	atf_check -s exit:1 -e match:usage "$bench" -g nothing \
	    "$prefix/sbin/qgad" "$qemu"
	atf_check -s exit:1 -e 'match:/nonexistent' "$bench" -q -g queries \
	    "$prefix/sbin/qgad" /nonexistent
	atf_check -s exit:1 -e 'match:/bin/false has ended' "$bench" -q \
	    -g files "$prefix/sbin/qgad" /bin/false
	traces >after
	atf_check diff before after
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	atf_add_test_case quick
	atf_add_test_case refused
}
