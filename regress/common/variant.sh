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

# variant.sh NAME [CONTROL_MASK] [EXTRA_CFLAGS]
#
# A build of these sources in regress/build/NAME, installed in its root/;
# prints that root's path and nothing else.  A second run compiles only what
# has changed.
#	stock		as it is shipped: what every system test starts
#	asan		with the address and undefined behaviour sanitizers
#	fuzz		by clang, for libFuzzer; not installed
# Any other name with a CONTROL_MASK (lib/control.h) is stock with these
# defences off: its objects are stock's but for those the mask or the prefix
# changes.  Works from within a variant too, for tests that want another.

set -u

name=${1:?usage: variant.sh NAME [CONTROL_MASK] [EXTRA_CFLAGS]}
mask=${2:-0}
extra=${3:-}

die()
{
	echo "variant.sh: $*" >&2
	exit 1
}

case $name in
*[!a-z0-9_-]*)	die "not a name: $name" ;;
esac
case $mask in
*[!0-9a-fA-FxX]*) die "not a mask: $mask" ;;
esac

top=$(cd "$(dirname "$0")/../.." && pwd -P) || exit 1
if [ -f "$top/.variant" ]; then
	build=$(dirname "$top")
else
	build=${QGAD_BUILD:-$top/regress/build}
fi
mkdir -p "$build" || exit 1
build=$(cd "$build" && pwd -P) || exit 1
dir=$build/$name
make=${MAKE:-make}
# The outer make's job server and macros are not for this build.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR MAKE
umask 022

jobs()
{
	n=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || n=$(sysctl -n hw.ncpu)
	echo "${n:-2}"
}

# One at a time: a test may ask for a variant while another does.
lock=$build/$name.lock
tries=0
until mkdir "$lock" 2>/dev/null; do
	owner=$(cat "$lock/pid" 2>/dev/null)
	if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
		rm -rf "$lock"
		continue
	fi
	tries=$((tries + 1))
	[ $tries -lt 1200 ] || die "$lock is held by ${owner:-somebody}"
	sleep 1
done
trap 'rm -rf "$lock"' EXIT
trap 'exit 1' HUP INT TERM
echo $$ >"$lock/pid"

# Every file that is not made by a build.
sources()
{
	(cd "$1" && find . \( -path ./.git -o -path ./regress/build -o \
	    -path ./root \) -prune -o -type f \
	    ! -name '*.o' ! -name '*.ar' ! -name '*.new' ! -name '*.core' \
	    ! -path './config.*' ! -path ./buildid.h ! -path './.variant*' \
	    ! -path ./qgad/qgad ! -path ./parent/qgad-parent \
	    ! -path './workers/qgad-*' ! -path ./selftest/qgad-selftest \
	    ! -path ./regress/tests.mk \
	    ! -path './regress/regress.*' \
	    ! -path './build.log*' -print | while IFS= read -r f; do
		case $f in
		./regress/*)
			# A program beside its source.
			[ ! -f "$f.c" ] && [ ! -f "$f.sh" ] || continue ;;
		esac
		printf '%s\n' "$f"
	done)
}

# Times are kept, so that make sees what has changed and nothing else.
copy()
{
	mkdir -p "$dir" || exit 1
	[ "$dir" != "$top" ] || return 0
	sources "$top" >"$lock/list"
	while IFS= read -r f; do
		# Every sh has -nt, and POSIX since 2024.
		# shellcheck disable=SC3013
		if [ -f "$dir/$f" ] && ! [ "$top/$f" -nt "$dir/$f" ] &&
		    ! [ "$dir/$f" -nt "$top/$f" ]; then
			continue
		fi
		d=$dir/${f%/*}
		[ -d "$d" ] || mkdir -p "$d" || exit 1
		cp -p "$top/$f" "$dir/$f" || exit 1
		[ "$(id -u)" != 0 ] || chown 0:0 "$dir/$f"
	done <"$lock/list"
	# What is gone from the sources goes from the copy.
	sources "$dir" | sort >"$lock/there"
	sort "$lock/list" | comm -13 - "$lock/there" |
	    while IFS= read -r f; do
		rm -f "$dir/$f"
	done
}

# in_rooms PATTERN: the files of that name in every room
in_rooms()
{
	for room in $(sed -n 's/^ROOMS=//p' build.mk); do
		# shellcheck disable=SC2086
		echo "$room"/$1
	done
}

# Those whose code depends on the mask or on a path; headers that name one
# are found through who includes them.
affected()
{
	pattern='DEFENCE|CONTROL_OFF|"control\.h"|PATH_[A-Z]'
	# shellcheck disable=SC2046
	for h in $(cd "$dir" && grep -lE 'DEFENCE|PATH_[A-Z]' \
	    $(in_rooms '*.h') | grep -v control.h); do
		pattern="$pattern|\"${h##*/}\""
	done
	# shellcheck disable=SC2046
	(cd "$dir" && grep -lE "$pattern" $(in_rooms '*.c'))
}

# From stock's objects: the prefix is replaced where configure wrote it, and
# the files keep their times so that nothing else is compiled.
derive()
{
	stock=$build/stock
	rm -rf "$dir"
	cp -Rp "$stock" "$dir" || exit 1
	# Not what would be taken for this build's.
	rm -rf "$dir/root" "$dir/buildid.h" "$dir/lib/build.o" \
	    "$dir"/regress/*/*_test
	for f in config.h config.mk config.status; do
		sed -e "s,$stock/root,$dir/root,g" \
		    -e "s/^CONTROL=.*/CONTROL=	-DCONTROL_OFF=$mask/" \
		    "$stock/$f" >"$dir/$f" && touch -r "$stock/$f" "$dir/$f" ||
		    exit 1
	done
	affected | while IFS= read -r f; do
		rm -f "$dir/${f%.c}.o"
	done
}

# What this build is made with; another answer means from the start.
cc=${CC:-}
cflags=${CFLAGS--O2 -g}
ldflags=${LDFLAGS:-}
werror=--enable-werror
case $name in
asan)
	# They make gcc warn of what it then cannot follow.
	werror=--disable-werror
	cflags="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined"
	cflags="$cflags -fno-sanitize-recover=all"
	ldflags="$ldflags $dir/sanitize.o"
	;;
fuzz)
	cc=clang
	cflags="-O1 -g -fno-omit-frame-pointer"
	cflags="$cflags -fsanitize=fuzzer-no-link,address,undefined"
	cflags="$cflags -fno-sanitize-recover=all"
	;;
esac
[ -z "$extra" ] || cflags="$cflags $extra"
settings="$name $mask cc=$cc cflags=$cflags ldflags=$ldflags $werror"

run()
{
	"$@" >>"$lock/log" 2>&1 || {
		cat "$lock/log" >&2
		die "$name: failed: $*"
	}
}

# Linked into each program, for the confined ones get no environment: leaks
# are searched for by a second process, which a sandbox does not allow, and
# libatf has its own.  The fuzzers look for leaks.
sanitize()
{
	cat >sanitize.c <<-'EOT'
	const char *__asan_default_options(void);
	const char *
	__asan_default_options(void)
	{
		return ("detect_leaks=0:abort_on_error=1");
	}
	EOT
	run ${cc:-cc} -c -o sanitize.o sanitize.c
}

inside()
{
	cd "$dir" || exit 1
	if [ ! -f config.mk ]; then
		[ "$name" != asan ] || sanitize
		CC=$cc CFLAGS=$cflags LDFLAGS=$ldflags
		export CC CFLAGS LDFLAGS
		[ -n "$CC" ] || unset CC
		if [ "$mask" != 0 ]; then
			CPPFLAGS="${CPPFLAGS:-} -DCONTROL_OFF=$mask"
			export CPPFLAGS
		fi
		run sh ./configure --prefix="$dir/root" $werror
	fi
	unset CC CFLAGS LDFLAGS CPPFLAGS
	j=-j$(jobs)
	run $make config.mk
	case $name,$mask in
	fuzz,*)
		run $make -f build.mk "$j" fuzzers FUZZLIBS=-fsanitize=fuzzer
		return ;;
	*,0)
		run $make -f build.mk "$j" all programs ;;
	*)
		run $make -f build.mk "$j" all ;;
	esac
	QGAD_NO_USERS=1
	export QGAD_NO_USERS
	run $make -f build.mk install
}

: >"$lock/log"
if [ -n "$extra" ] || [ "$mask" = 0 ]; then
	[ ! -f "$dir/.variant" ] ||
	    [ "$(cat "$dir/.variant")" = "$settings" ] || rm -rf "$dir"
	copy
	printf '%s\n' "$settings" >"$dir/.variant"
	inside || exit 1
else
	# Tests run from within stock: it is not touched under their feet.
	[ -f "$top/.variant" ] && [ -d "$build/stock/root" ] ||
	    MAKE=$make QGAD_BUILD=$build sh "$0" stock >/dev/null || exit 1
	id=$(cat "$build/stock/buildid.h")
	if [ "$(cat "$dir/.variant" 2>/dev/null)" != "$settings $id" ] ||
	    [ ! -d "$dir/root" ]; then
		derive
		inside || exit 1
		printf '%s\n' "$settings $id" >"$dir/.variant"
	fi
fi
echo "$dir/root"
