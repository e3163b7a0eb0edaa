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


# cross.sh [TARGET...]: qgad for other systems, from Linux.
#
# Each target is configured (nothing of its is run), compiled with every
# warning an error, and linked with the real libraries; clang-tidy, with its
# analyzer, looks at each system's files with that system's headers.  That
# both would find something is seen by an error planted for each system.
# Compiler and libraries are kept in QGAD_CROSS_CACHE, else in
# XDG_CACHE_HOME/qgad-cross; the first run needs the network for them.  At
# most QGAD_CROSS_JOBS (2) things are done at a time.  With QGAD_CROSS_LINT=no
# it stops at the linking.

set -u

cd "$(dirname "$0")/../.." || exit 1
top=$(pwd -P)
rooms=$(sed -n 's/^ROOMS=//p' build.mk)
self=$top/regress/common/cross.sh
cache=${QGAD_CROSS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/qgad-cross}
jobs=${QGAD_CROSS_JOBS:-2}
build=${QGAD_BUILD:-$top/regress/build}/cross
export QGAD_CROSS_CACHE="$cache"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR MAKE CC CFLAGS CPPFLAGS \
    LDFLAGS
umask 022

# Target, whose libraries, system, and what clang is told when it is to look
# at the files: by one of a system's targets.  The compiler, not the headers,
# says which version of a system it is.
targets()
{
	cat <<-'EOT'
	x86_64-openbsd.7.8 x86_64-openbsd.7.8 openbsd --target=x86_64-unknown-openbsd7.8 -D___OpenBSD=202510 -DOpenBSD7_8=1
	x86_64-netbsd.11.0 x86_64-netbsd.11.0 netbsd --target=x86_64-unknown-netbsd11.0 -D__NetBSD_Version__=1100000000
	x86_64-freebsd.14.0 x86_64-freebsd.14.0 freebsd --target=x86_64-unknown-freebsd14.0 -D__FreeBSD_version=1400500
	x86_64-macos.11.0 x86_64-macos.11.0 darwin --target=x86_64-apple-macosx11.0
	x86_64-openbsd.7.9 x86_64-openbsd.7.8 openbsd
	x86_64-freebsd.15.0 x86_64-freebsd.14.0 freebsd
	aarch64-openbsd.7.8 aarch64-openbsd.7.8 openbsd
	aarch64-openbsd.7.9 aarch64-openbsd.7.8 openbsd
	aarch64-netbsd.11.0 aarch64-netbsd.11.0 netbsd
	aarch64-freebsd.14.0 aarch64-freebsd.14.0 freebsd
	aarch64-freebsd.15.0 aarch64-freebsd.14.0 freebsd
	aarch64-macos.11.0 aarch64-macos.11.0 darwin
	EOT
}

# Every file that is not made by a build; times are kept, so that make
# compiles what has changed.
copy()
{
	mkdir -p "$dir"
	# shellcheck disable=SC2086
	cp -Rpu configure build.mk Makefile .clang-tidy $rooms etc man "$dir"
	# What is gone, and what a build left in our own directories.
	# shellcheck disable=SC2086
	(cd "$dir" && find $rooms -type f) |
	    while IFS= read -r f; do
		case $f in
		*.c)	[ -f "$f" ] || rm -f "$dir/$f" "$dir/${f%.c}.o" ;;
		*.h)	[ -f "$f" ] || rm -f "$dir/$f" ;;
		*)	[ ! -f "$f" ] || rm -f "$dir/$f" ;;
		esac
	done
}

# zig goes by names, and our archives are not called .a.
compiler()
{
	mkdir -p bin
	cat >bin/cc <<-EOT
	#!/bin/sh
	for arg in "\$@"; do
		shift
		case \$arg in
		*.ar)	cp "\$arg" "\${arg%r}" || exit 1
			arg=\${arg%r} ;;
		esac
		set -- "\$@" "\$arg"
	done
	exec "$zig" cc -target $target "\$@"
	EOT
	printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$zig" >bin/ar
	chmod 755 bin/cc bin/ar
}

configured()
{
	set -- "CC=$dir/bin/cc" "AR=$dir/bin/ar" CFLAGS=-O2 \
	    "CPPFLAGS=-isystem $cache/deps/$deps/include" \
	    "LDFLAGS=-L$cache/deps/$deps/lib" "--os=$os"
	# Every sh has -nt, and POSIX since 2024.
	# shellcheck disable=SC3013
	if [ config.mk -nt configure ] &&
	    [ "$(cat .cross 2>/dev/null)" = "$*" ]; then
		return 0
	fi
	compiler || return 1
	# shellcheck disable=SC2086
	find $rooms -name '*.o' -exec rm -f {} +
	rm -f config.mk .cross
	sh ./configure "$@" && printf '%s\n' "$*" >.cross
}

# The files of this system that were compiled.
sources()
{
	# shellcheck disable=SC2086
	find $rooms -name '*.o' | sed 's/o$/c/' | sort
}

# tidy FILE: with the headers that zig has for the system.  Newer than make
# lint's, it has checks that .clang-tidy does not judge; the ones left out are
# taste, or know C++ alone.
newer=-bugprone-multi-level-implicit-pointer-conversion
newer=$newer,-bugprone-switch-missing-default-case
newer=$newer,-bugprone-casting-through-void
newer=$newer,-bugprone-inc-dec-in-conditions
newer=$newer,-bugprone-suspicious-realloc-usage
newer=$newer,-clang-analyzer-optin.core.EnumCastOutOfRange

tidy()
{
	f=$1
	headers=${zig%/zig}/lib/libc/include
	case $os in
	darwin)	set -- -isystem "$headers/any-darwin-any" ;;
	*)	set -- -isystem "$headers/x86_64-$os-none" \
		    -isystem "$headers/generic-$os" ;;
	esac
	# shellcheck disable=SC2086
	clang-tidy-19 --quiet --warnings-as-errors='*' --checks="$newer" \
	    "$f" -- $clang -nostdlibinc -std=c11 -include config.h -I. -Iimsg -Ilib \
	    "$@" -isystem "$cache/deps/$deps/include" 2>&1
}

# What they were when they were found good is not looked at again.
tidied()
{
	# shellcheck disable=SC2086
	sum=$({ cat .clang-tidy config.h
	    find $rooms -name '*.h' | sort | xargs cat; } | cksum)
	mkdir -p tidy
	rc=0
	for f in $(sources); do
		stamp=tidy/$(echo "$f" | tr / .)
		now="$sum $(cksum <"$f")"
		[ "$(cat "$stamp" 2>/dev/null)" != "$now" ] || continue
		if tidy "$f" >tidy.out &&
		    ! grep -qE '(warning|error):' tidy.out; then
			printf '%s\n' "$now" >"$stamp"
		else
			grep -v '^[0-9]* warnings\{0,1\} ' tidy.out
			rc=1
		fi
	done
	return $rc
}

# A warning and a bug that no compiler sees: both must be found.
planted()
{
	file=workers/system-$os.c
	cp "$file" workers/planted.c
	echo 'int unasked(void) { return (1); }' >>workers/planted.c
	flags=$(sed -n 's/^CFLAGS=//p' config.mk)
	# shellcheck disable=SC2086
	if bin/cc $flags -include config.h -I. -Iimsg -Ilib -c \
	    -o planted.o workers/planted.c >planted.out 2>&1; then
		echo "a warning was planted and not found"
		return 1
	fi
	grep -q missing-prototypes planted.out || {
		cat planted.out
		return 1
	}
	cp "$file" workers/planted.c
	printf '%s\n' 'int unasked(int);' 'int' 'unasked(int n)' '{' \
	    '	int *p = n > 2 ? &n : NULL;' '' '	return (*p);' '}' \
	    >>workers/planted.c
	tidy workers/planted.c >planted.out
	grep -q NullDereference planted.out || {
		echo "a bug was planted and not found"
		cat planted.out
		return 1
	}
	rm -f planted.* workers/planted.c
}

one()
{
	row=$(targets | grep "^$1 ") || return 1
	# shellcheck disable=SC2086
	set -- $row
	target=$1 deps=$2 os=$3
	shift 3
	clang=$*
	dir=$build/$target
	ZIG_GLOBAL_CACHE_DIR=$cache/zig-cache
	ZIG_LOCAL_CACHE_DIR=$cache/zig-cache
	export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
	zig=$(echo "$cache"/zig-*/ziglang/zig)
	copy || return 1
	cd "$dir" || return 1
	configured || return 1
	make -f build.mk all || return 1
	[ -n "$clang" ] && [ "${QGAD_CROSS_LINT:-yes}" != no ] || return 0
	tidied && planted
}

# step NAME COMMAND...: its words only if it fails.
step()
{
	name=$1
	shift
	start=$(date +%s)
	if "$@" >"$build/$name.log" 2>&1; then
		echo "cross: $name: fine, $(($(date +%s) - start)) s"
	else
		cat "$build/$name.log"
		echo "cross: $name: FAILED"
		return 1
	fi
}

mkdir -p "$build" || exit 1
case ${1:-} in
--libraries)
	step "$2-libraries" flock "$cache/lock.$2" \
	    sh regress/common/crossdeps.sh "$cache" "$2"
	exit ;;
--one)
	step "$2" one "$2"
	exit ;;
esac

# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(targets | cut -d ' ' -f 1)
for t in "$@"; do
	targets | grep -q "^$t " || {
		echo "cross.sh: no such target: $t" >&2
		exit 2
	}
done
# Two trees may share the cache.
mkdir -p "$cache" || exit 1
step compiler flock "$cache/lock" sh regress/common/crossdeps.sh "$cache" || exit 1
# One of a system before the others, who need not ask again what it has.
libraries=$(targets | while read -r t deps rest; do
	case " $* " in
	*" $t "*)	echo "$deps" ;;
	esac
done | sort -u)
rc=0
for arch in x86_64 aarch64; do
	echo "$libraries" | grep "^$arch" |
	    xargs -r -n 1 -P "$jobs" sh "$self" --libraries || rc=1
done
[ $rc = 0 ] || exit 1
printf '%s\n' "$@" | xargs -n 1 -P "$jobs" sh "$self" --one || exit 1
echo "cross: $# targets: fine"
