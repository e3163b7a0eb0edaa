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

# mktests.sh: prints the makefile of the test programs, from the files that
# are there.  In regress/<room>/ (and regress/common/):
#	X_test.c	a test program in C, linked with the room's archive
#	X_test.sh	a test program for atf-sh
#	X_fuzz.c	a libFuzzer harness, linked with everything
#	X.c with an X.h	goes into each C test program of its room
#	X.c		a program of its own, linked with imsg/ and lib/; in
#			bench/ with each X.c that has an X.h
# With Kyuafiles as argument: writes those that are missing, and complains of
# any that does not name exactly the tests that are there.

set -eu

cd "$(dirname "$0")/../.."

rooms=
for dir in regress/*/; do
	dir=${dir%/}
	[ "$dir" = regress/build ] || rooms="$rooms $dir"
done

# tests DIR: the test programs of a room
tests()
{
	for f in "$1"/*_test.c "$1"/*_test.sh; do
		[ -f "$f" ] || continue
		f=${f##*/}
		echo "${f%.*}"
	done | sort
}

if [ "${1-}" = Kyuafiles ]; then
	bad=0
	for dir in $rooms; do
		t=$(tests "$dir")
		[ -n "$t" ] || continue
		k=$dir/Kyuafile
		how="timeout=120"
		[ "$dir" != regress/system ] ||
		    how="timeout=300, is_exclusive=true"
		if [ ! -f "$k" ]; then
			printf 'syntax(2)\n\ntest_suite("qgad")\n\n' >"$k"
			for f in $t; do
				echo "atf_test_program{name=\"$f\", $how}"
			done >>"$k"
		fi
		named=$(sed -n 's/^[^-]*name *= *"\([^"]*\)".*/\1/p' "$k" | sort)
		if [ "$named" != "$t" ]; then
			echo "$k names other tests than there are:" >&2
			printf 'there:\n%s\nnamed:\n%s\n' "$t" "$named" >&2
			bad=1
		fi
		grep -q '^test_suite("qgad")' "$k" || {
			echo "$k lacks test_suite(\"qgad\")" >&2
			bad=1
		}
		grep -q "include(\"${dir#regress/}/Kyuafile\")" \
		    regress/Kyuafile || {
			echo "regress/Kyuafile does not include $k" >&2
			bad=1
		}
	done
	exit $bad
fi

# Where atf is: pkg-config may be absent, and atf-sh is not for everybody's
# PATH on some systems.
atfcflags=''
atflibs=-latf-c
for dir in /usr/local /usr/pkg /opt/homebrew; do
	if [ -f $dir/include/atf-c.h ]; then
		atfcflags=-I$dir/include
		atflibs="-L$dir/lib -Wl,-rpath,$dir/lib -latf-c"
		break
	fi
done
atfsh=$(PATH=$PATH:/usr/libexec:/usr/local/libexec command -v atf-sh) ||
    atfsh="/usr/bin/env atf-sh"
case $(uname -s) in
Darwin)	util='' ;;
*)	util=-lutil ;;
esac

cat <<EOT
# Written by mktests.sh.
.POSIX:
.SUFFIXES:
.SUFFIXES: .c .o

include config.mk

IMSG=		imsg/imsg.ar
LIB=		lib/lib.ar
COMMON=		\$(LIB) \$(IMSG) \$(LIB) \$(IMSG)
UTIL=		$util
ATFCFLAGS=	$atfcflags
ATFLIBS=	$atflibs
FLAGS=		-include config.h -I. -Iimsg -Ilib \$(CPPFLAGS) \$(LIBCFLAGS) \\
		\$(CONTROL) \$(CFLAGS)
LINK=		\$(LDFLAGS) \$(PIEFLAGS)

Q=		@

all: tests

EOT

tests='' programs='' fuzzers=''
for dir in $rooms; do
	room=${dir#regress/}
	archive='' libs='' headers='' helpers=''
	case $room in
	imsg | lib)	;;
	qgad)		archive=qgad/qgad.ar libs='$(LIBS)' ;;
	parent)		archive=parent/parent.ar ;;
	workers)	archive=workers/workers.ar libs='$(SODIUMLIBS)' ;;
	fuzz)		archive="qgad/qgad.ar parent/parent.ar \
workers/workers.ar" libs='$(LIBS)' ;;
	esac
	includes="-I$dir"
	case $room in
	fuzz)		includes="$includes -Iqgad -Iparent -Iworkers" ;;
	qgad | parent | workers)
			includes="$includes -I$room" ;;
	esac
	for f in "$dir"/*.h imsg/*.h lib/*.h; do
		[ ! -f "$f" ] || headers="$headers $f"
	done
	case $room in
	qgad | parent | workers)
		headers="$headers $(echo $room/*.h)" ;;
	fuzz)
		headers="$headers $(echo qgad/*.h parent/*.h workers/*.h)" ;;
	esac
	headers="$headers config.h config.mk"
	for f in "$dir"/*.c; do
		[ -f "${f%.c}.h" ] || continue
		helpers="$helpers ${f%.c}.o"
		printf '%s: %s %s\n' "${f%.c}.o" "$f" "$headers"
		printf '\t@echo "  CC    $@"\n\t$(Q)$(CC) $(FLAGS) $(ATFCFLAGS) %s -c -o $@ %s\n' \
		    "$includes" "$f"
	done
	for f in "$dir"/*.c "$dir"/*.sh; do
		[ -f "$f" ] || continue
		out=${f%.*}
		case $f in
		*_test.sh)
			tests="$tests $out"
			printf '%s: %s regress/tests.mk\n' "$out" "$f"
			printf "\t@sed '1s,.*,#! %s,' %s >\$@.new\n" \
			    "$atfsh" "$f"
			printf '\t@chmod 755 $@.new && mv $@.new $@\n'
			continue ;;
		*.sh)
			continue ;;
		*_test.c)
			tests="$tests $out"
			needs="$helpers $archive"
			with="$needs \$(COMMON) $libs \$(ATFLIBS) \$(UTIL)"
			extra='$(ATFCFLAGS)' ;;
		*_fuzz.c)
			fuzzers="$fuzzers $out"
			needs=$archive
			with="$needs \$(COMMON) $libs \$(FUZZLIBS)"
			extra= ;;
		*)
			[ ! -f "${f%.c}.h" ] || continue
			programs="$programs $out"
			needs=
			[ "$room" != bench ] || needs="$helpers" libs=-lm
			with="$needs \$(COMMON) $libs \$(UTIL)"
			extra= ;;
		esac
		printf '%s.o: %s %s\n' "$out" "$f" "$headers"
		printf '\t@echo "  CC    $@"\n\t$(Q)$(CC) $(FLAGS) %s %s -c -o $@ %s\n' "$extra" \
		    "$includes" "$f"
		printf '%s: %s.o %s $(IMSG) $(LIB)\n' "$out" "$out" "$needs"
		printf '\t@echo "  LINK  $@"\n\t$(Q)$(CC) $(CFLAGS) $(LINK) -o $@ %s.o %s\n' "$out" \
		    "$with"
	done
	echo
done
echo "programs: $programs"
echo "tests: $programs $tests"
echo "fuzzers: $fuzzers"
echo ".PHONY: all fuzzers programs tests"
