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

# fuzz.sh [SECONDS [NAME...]]: run the fuzzers, two at a time, starting from
# regress/fuzz/corpus/NAME; status 1 if one found something.  What they find
# is left in regress/build/fuzz/found.

set -u

seconds=${1:-60}
[ $# = 0 ] || shift
here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
root=$(sh "$here/variant.sh" fuzz) || exit 1
dir=${root%/root}
cd "$dir" || exit 1

if [ $# = 0 ]; then
	for f in regress/fuzz/*_fuzz.c; do
		[ -f "$f" ] || continue
		f=${f##*/}
		set -- "$@" "${f%_fuzz.c}"
	done
	set -- "$@" bsd-openbsd bsd-netbsd bsd-freebsd bsd-darwin
fi
bad=no
for f in "$@"; do
	shift
	case $f in
	bsd-*)	rc=0
		sh "$here/bsdfuzz.sh" "${f#bsd-}" >/dev/null || rc=$?
		# .ci/run has just fetched it.
		if [ $rc = 3 ] && [ -z "${QGAD_CROSS:-}" ]; then
			echo "$f: needs the cross compiler: make cross"
			continue
		fi
		[ $rc = 0 ] || {
			echo "$f: not built"
			bad=yes
			continue
		} ;;
	esac
	set -- "$@" "$f"
done
mkdir -p found work || exit 1
if [ $# = 0 ]; then
	echo "fuzz.sh: there is no fuzzer" >&2
	exit 1
fi

ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS UBSAN_OPTIONS

# What is new goes to work/, the corpus is only read.
one()
{
	mkdir -p "work/$1" "regress/fuzz/corpus/$1"
	fuzzer=./regress/fuzz/$1_fuzz
	case $1 in
	bsd-*)	fuzzer=$dir/../fuzz-bsd/${1#bsd-}/$1_fuzz ;;
	esac
	dict=
	[ ! -f "regress/fuzz/$1.dict" ] || dict=-dict=regress/fuzz/$1.dict
	if "$fuzzer" -max_total_time="$seconds" -timeout=20 \
	    -rss_limit_mb=1024 -artifact_prefix="found/$1-" $dict \
	    -print_final_stats=1 "work/$1" "regress/fuzz/corpus/$1" \
	    >"work/$1.log" 2>&1; then
		echo "$1: $(sed -n \
		    's/^stat::number_of_executed_units: *//p' "work/$1.log") runs"
	else
		tail -n 60 "work/$1.log"
		echo "$1: FOUND something, see $dir/found/$1-*"
		: >"work/$1.bad"
	fi
}

rm -f work/*.bad
while [ $# -gt 0 ]; do
	one "$1" &
	first=$!
	if [ $# -gt 1 ]; then
		one "$2"
		shift
	fi
	shift
	wait "$first"
done
for f in work/*.bad; do
	[ -f "$f" ] && exit 1
done
[ $bad = no ]
