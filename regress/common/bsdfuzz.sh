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

# bsdfuzz.sh SYSTEM: that system's queries as a fuzzer, in the fuzz variant;
# prints its path.  Status 3: the cross compiler is not here, see cross.sh.
#
# This system's clang compiles them for this system, so that its sanitizers
# work, with the headers of the other and as if it were that: structures are
# the same on one processor.  Calls go to regress/fuzz/bsd.

set -u

system=${1:?usage: bsdfuzz.sh SYSTEM}
top=$(cd "$(dirname "$0")/../.." && pwd -P) || exit 1
zig="" target=""		# are there, or it ends
. "$top/regress/common/standin.subr"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR MAKE CFLAGS CPPFLAGS

die()
{
	echo "bsdfuzz.sh: $*" >&2
	exit 1
}

root=$(sh "$top/regress/common/variant.sh" fuzz) ||
    die "no build to start from"
fuzz=${root%/root}
dir=${fuzz%/fuzz}/fuzz-bsd/$system
rm -rf "$dir/standin"
mkdir -p "$dir/standin" && cd "$dir" || exit 1
log=$dir/log
: >"$log"
from=$top/regress/fuzz/bsd

run()
{
	"$@" >>"$log" 2>&1 || {
		cat "$log" >&2
		die "failed: $*"
	}
}

# What its libc has.
printf '#!/bin/sh\nexec "%s" cc -target %s "$@"\n' "$zig" "$target" >cc
chmod 755 cc
rm -rf c
mkdir c
cp -R "$top/configure" "$top/imsg" "$top/lib" "$top/workers" c
(cd c && run sh ./configure --os="$system" --workers-only CC="$dir/cc" \
    CFLAGS=-O2) || exit 1

headers=${zig%/zig}/lib/libc/include
here="-U__linux__ -U__linux -Ulinux -U__gnu_linux__"
case $system in
openbsd)	here="$here -D__OpenBSD__=1 -D___OpenBSD=202510 -DOpenBSD7_8=1" ;;
netbsd)		here="$here -D__NetBSD__=1 -D__NetBSD_Version__=1100000000" ;;
freebsd)	here="$here -D__FreeBSD__=14 -D__FreeBSD_version=1400500" ;;
darwin)		here="$here -D__APPLE__=1 -D__MACH__=1 -D__APPLE_CC__=6000
		    -D__ENVIRONMENT_MAC_OS_X_VERSION_MIN_REQUIRED__=110000
		    -D__LITTLE_ENDIAN__=1 -D__DYNAMIC__=1" ;;
esac
case $system in
darwin)	here="$here -isystem $headers/any-darwin-any" ;;
*)	here="$here -isystem $headers/x86_64-$system-none
	    -isystem $headers/generic-$system" ;;
esac
value()
{
	sed -n "s/^$1=//p" "$fuzz/config.mk"
}
cc="$(value CC) $(value CFLAGS)"
halves=$(sed -n "s/^QUERY_$system=//p" "$top/build.mk" |
    sed 's,workers/,,g; s,\.o,,g')

# theirs SOURCE: with their headers
theirs()
{
	# shellcheck disable=SC2086
	(cd c && run $cc $here -nostdlibinc -U_FORTIFY_SOURCE \
	    -D_FORTIFY_SOURCE=0 -fno-stack-protector -fPIC \
	    -include config.h -I. -Iimsg -Ilib -Iworkers -I"$from" -c \
	    -o "$dir/standin/$(basename "$1" .c).o" "$1") || exit 1
}

objects=
for f in query-$system $halves query-util; do
	theirs "workers/$f.c"
	objects="$objects standin/$f.o"
done
if grep -q '^COMPAT_OBJS=.*reallocarray' c/config.mk; then
	theirs lib/compat/reallocarray.c
	objects="$objects standin/reallocarray.o"
fi
theirs "$from/answers.c"
answers=standin/answers.o
judge
# shellcheck disable=SC2086
(cd "$fuzz" && run $cc -include config.h -I. -Iimsg -Ilib -Iworkers \
    "-DFUZZ_$system" -I"$from" -c -o "$dir/standin/fuzz.o" "$from/fuzz.c") ||
    exit 1
# shellcheck disable=SC2046,SC2086
run $cc $(value LDFLAGS) -fsanitize=fuzzer -o "bsd-${system}_fuzz" \
    standin/fuzz.o $objects $answers "$fuzz/lib/lib.ar" \
    "$fuzz/imsg/imsg.ar" "$fuzz/lib/lib.ar" "$fuzz/imsg/imsg.ar"
echo "$dir/bsd-${system}_fuzz"
