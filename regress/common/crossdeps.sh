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

# crossdeps.sh CACHE		the compiler and the libraries' sources
# crossdeps.sh CACHE TARGET	the libraries, built for that target
#
# What building for another system from this one needs, put in CACHE, which
# is complete when this ends well and is not touched again: zig (from PyPI:
# a C compiler with the headers and stub libraries of many systems), and
# Debian's sources of libevent, json-c and libsodium.  Nothing of the machine
# is changed: apt gets a list of sources of its own.

set -eu
LC_ALL=C
export LC_ALL

zigversion=0.17.1
cache=${1:?usage: crossdeps.sh CACHE [TARGET]}
target=${2:-}
zig=$cache/zig-$zigversion/ziglang/zig

fetch_zig()
{
	[ ! -x "$zig" ] || return 0
	rm -rf "$cache/zig.new" "$cache/wheel"
	python3 -m pip download -q --disable-pip-version-check --no-deps \
	    --only-binary :all: -d "$cache/wheel" "ziglang==$zigversion"
	python3 -m zipfile -e "$cache"/wheel/*.whl "$cache/zig.new"
	chmod 755 "$cache/zig.new/ziglang/zig"
	rm -rf "$cache/wheel" "$cache/zig-$zigversion"
	mv "$cache/zig.new" "$cache/zig-$zigversion"
}

# One of /etc/apt's lists, for sources, in a place of its own.
fetch_sources()
{
	[ ! -d "$cache/src" ] || return 0
	rm -rf "$cache/src.new" "$cache/apt"
	mkdir -p "$cache/src.new" "$cache/apt/lists/partial" \
	    "$cache/apt/cache/archives/partial" "$cache/apt/parts"
	. /etc/os-release
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	{
		echo "deb-src [signed-by=$keys]" \
		    "http://deb.debian.org/debian $VERSION_CODENAME main"
		echo "deb-src [signed-by=$keys]" \
		    "http://deb.debian.org/debian-security" \
		    "$VERSION_CODENAME-security main"
	} >"$cache/apt/sources.list"
	set -- -q -o "Dir::Etc::SourceList=$cache/apt/sources.list" \
	    -o "Dir::Etc::SourceParts=$cache/apt/parts" \
	    -o "Dir::State::Lists=$cache/apt/lists" \
	    -o "Dir::Cache=$cache/apt/cache" -o APT::Sandbox::User=root
	apt-get "$@" update
	(
		cd "$cache/src.new"
		apt-get "$@" source --download-only libevent json-c libsodium
		for dsc in *.dsc; do
			dpkg-source --no-check -x "$dsc" "${dsc%%_*}"
		done
		rm -f ./*.dsc ./*.tar.* 
	)
	rm -rf "$cache/apt"
	mv "$cache/src.new" "$cache/src"
}

# The compiler as one program, which is what CMake and configure want.  zig
# without -O puts its own checks in.
wrappers()
{
	mkdir -p "$1"
	for tool in cc ar ranlib; do
		args=
		[ $tool != cc ] || args=" -target $target"
		printf '#!/bin/sh\nexec "%s" %s%s "$@"\n' "$zig" $tool \
		    "$args" >"$1/$tool"
		chmod 755 "$1/$tool"
	done
}

cmake_system()
{
	case $target in
	*-openbsd*)	echo OpenBSD ;;
	*-freebsd*)	echo FreeBSD ;;
	*-netbsd*)	echo NetBSD ;;
	*-macos*)	echo Darwin ;;
	*)		echo "crossdeps.sh: no such target: $target" >&2
			exit 1 ;;
	esac
}

# configure NAME OPTION...: by CMake, in $work/NAME.  libevent's own configure
# would run a program to see whether kqueue works.  What the system was found
# to have is not looked for again for another processor.
configure()
{
	name=$1
	shift
	[ ! -f "$seed/$name.cmake" ] || set -- -C "$seed/$name.cmake" "$@"
	cmake -G Ninja -S "$cache/src/$name" -B "$work/$name" \
	    -DCMAKE_SYSTEM_NAME="$(cmake_system)" \
	    -DCMAKE_SYSTEM_PROCESSOR="${target%%-*}" \
	    -DCMAKE_C_COMPILER="$work/bin/cc" -DCMAKE_AR="$work/bin/ar" \
	    -DCMAKE_RANLIB="$work/bin/ranlib" \
	    -DCMAKE_INSTALL_NAME_TOOL=/bin/true \
	    -DCMAKE_FIND_ROOT_PATH="$work/root" \
	    -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
	    -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY \
	    -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
	    -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY \
	    -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-O1 \
	    -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
	    -Wno-dev "$@"
	sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\):INTERNAL=\(.*\)$/set(\1 "\2" CACHE INTERNAL "")/p' \
	    "$work/$name/CMakeCache.txt" |
	    grep -vE '^set\((_|CMAKE_|FIND_)' >"$new/$name.cmake"
}

libevent()
{
	configure libevent -DEVENT__LIBRARY_TYPE=STATIC \
	    -DEVENT__DISABLE_OPENSSL=ON -DEVENT__DISABLE_MBEDTLS=ON \
	    -DEVENT__DISABLE_BENCHMARK=ON -DEVENT__DISABLE_TESTS=ON \
	    -DEVENT__DISABLE_REGRESS=ON -DEVENT__DISABLE_SAMPLES=ON \
	    -DEVENT__DISABLE_THREAD_SUPPORT=ON
	ninja -C "$work/libevent" -j 1 event_core_static
	cp "$work"/libevent/lib/libevent_core.a "$new/lib"
	cp -R "$cache/src/libevent/include/event2" "$new/include"
	cp "$work"/libevent/include/event2/*.h "$new/include/event2"
}

json_c()
{
	configure json-c -DBUILD_SHARED_LIBS=OFF -DBUILD_STATIC_LIBS=ON \
	    -DBUILD_APPS=OFF -DBUILD_TESTING=OFF -DDISABLE_WERROR=ON \
	    -DDISABLE_EXTRA_LIBS=ON -DCMAKE_INSTALL_PREFIX="$new" \
	    -DCMAKE_INSTALL_LIBDIR=lib
	ninja -C "$work/json-c" -j 1 install
}

# Its autotools would try hundreds of flags, for each of which zig makes a
# library.  This leaves out what needs a newer processor.
libsodium()
{
	src=$cache/src/libsodium/src/libsodium
	mkdir -p "$new/include/sodium"
	cp "$src"/include/*.h "$new/include"
	cp "$src"/include/sodium/*.h "$new/include/sodium"
	version='' major='' minor=''
	eval "$(sed -n \
	    -e 's/^AC_INIT(\[libsodium\],\[\([0-9.]*\)\].*/version=\1/p' \
	    -e 's/^SODIUM_LIBRARY_VERSION_MAJOR=\([0-9]*\)$/major=\1/p' \
	    -e 's/^SODIUM_LIBRARY_VERSION_MINOR=\([0-9]*\)$/minor=\1/p' \
	    "$cache/src/libsodium/configure.ac")"
	sed -e "s/@VERSION@/$version/" \
	    -e "s/@SODIUM_LIBRARY_VERSION_MAJOR@/$major/" \
	    -e "s/@SODIUM_LIBRARY_VERSION_MINOR@/$minor/" \
	    -e 's/@SODIUM_LIBRARY_MINIMAL_DEF@//' \
	    "$src/include/sodium/version.h.in" >"$new/include/sodium/version.h"
	has="CONFIGURED HAVE_MMAP HAVE_MLOCK HAVE_MPROTECT HAVE_MADVISE
	    HAVE_POSIX_MEMALIGN HAVE_GETPID HAVE_NANOSLEEP HAVE_SYS_MMAN_H
	    HAVE_WEAK_SYMBOLS NATIVE_LITTLE_ENDIAN"
	case $target in
	*-macos*)	has="$has HAVE_SAFE_ARC4RANDOM HAVE_MEMSET_S" ;;
	*-openbsd*)	has="$has HAVE_SAFE_ARC4RANDOM HAVE_EXPLICIT_BZERO" ;;
	*-freebsd*)	has="$has HAVE_SAFE_ARC4RANDOM HAVE_EXPLICIT_BZERO
			    HAVE_GETRANDOM HAVE_SYS_RANDOM_H" ;;
	*-netbsd*)	has="$has HAVE_SAFE_ARC4RANDOM HAVE_EXPLICIT_MEMSET" ;;
	esac
	set --
	for h in $has; do
		set -- "$@" "-D$h=1"
	done
	# shellcheck disable=SC2046
	(cd "$work" && find "$src" -name '*.c' | sort >sodium.files &&
	    "$zig" build-lib -static -target "$target" -lc -fPIC -O ReleaseSmall \
	    -j1 --name sodium -femit-bin="$new/lib/libsodium.a" \
	    "-I$new/include" "-I$new/include/sodium" \
	    "-I$src/include/sodium" -DSODIUM_STATIC=1 "$@" \
	    -cflags -w -- $(cat sodium.files))
}

mkdir -p "$cache"
if [ -z "$target" ]; then
	fetch_zig
	fetch_sources
	exit 0
fi

final=$cache/deps/$target
# What made them: another answer means from the start.
sum=$(cat "$0" "$cache"/src/*/debian/changelog | cksum)
if [ "$(cat "$final/made" 2>/dev/null)" = "$sum" ]; then
	exit 0
fi
ZIG_GLOBAL_CACHE_DIR=$cache/zig-cache
ZIG_LOCAL_CACHE_DIR=$cache/zig-cache
export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
new=$cache/deps/$target.new
seed=$cache/deps/x86_64-${target#*-}
[ "$(cat "$seed/made" 2>/dev/null)" = "$sum" ] || seed=/nonexistent
work=$cache/work/$target
rm -rf "$new" "$work"
mkdir -p "$new/include" "$new/lib" "$work/root"
wrappers "$work/bin"
libevent
json_c
libsodium
printf '%s\n' "$sum" >"$new/made"
rm -rf "$final" "$work"
mv "$new" "$final"
