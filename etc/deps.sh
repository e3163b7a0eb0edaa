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

# deps.sh SET...: install what is missing for build, regress, deb, fuzz, ci,
# cross.
# Looks first, and does nothing when all is there.  Without root it prints
# the one command to run.

set -u

case $(uname -s) in
Linux)		system=linux ;;
OpenBSD)	system=openbsd ;;
FreeBSD)	system=freebsd ;;
NetBSD)		system=netbsd ;;
Darwin)		system=darwin ;;
*)		system=other ;;
esac
if [ $system = linux ]; then
	if command -v apt-get >/dev/null 2>&1; then
		system=debian
	elif command -v apk >/dev/null 2>&1; then
		system=alpine
	elif command -v dnf >/dev/null 2>&1; then
		system=fedora
	fi
fi

missing=

# program NAME PACKAGE
program()
{
	PATH=$PATH:/usr/sbin:/sbin:/usr/libexec \
	    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

# header NAME PACKAGE: by the compiler, which knows where it looks
header()
{
	found=no
	for dir in /usr/include /usr/local/include /usr/pkg/include \
	    /opt/homebrew/include; do
		[ -f "$dir/$1" ] && found=yes
	done
	if [ $found = no ] && ! echo "#include <$1>" |
	    ${CC:-cc} ${CPPFLAGS:-} -E - >/dev/null 2>&1; then
		missing="$missing $2"
	fi
}

# file PACKAGE PATTERN...: one of them exists
file()
{
	package=$1
	shift
	for f in "$@"; do
		[ -e "$f" ] && return
	done
	missing="$missing $package"
}

# package WHAT: its name here
package()
{
	case $system,$1 in
	debian,cc)		echo gcc ;;
	debian,libc)		echo libc6-dev ;;
	debian,libevent)	echo libevent-dev ;;
	debian,json-c)		echo libjson-c-dev ;;
	debian,sodium)		echo libsodium-dev ;;
	debian,kernel)		echo linux-libc-dev ;;
	debian,atf-c)		echo libatf-dev ;;
	debian,nm)		echo binutils ;;
	debian,qemu-ga)		echo qemu-guest-agent ;;
	debian,mkfs.ext4)	echo e2fsprogs ;;
	debian,mkfs.xfs)	echo xfsprogs ;;
	debian,mkfs.btrfs)	echo btrfs-progs ;;
	debian,losetup)		echo mount ;;
	debian,qemu)		echo qemu-system-x86 ;;
	debian,libvirtd)	echo libvirt-daemon ;;
	debian,libvirt-qemu)	echo libvirt-daemon-driver-qemu ;;
	debian,virsh)		echo libvirt-clients ;;
	debian,fuzzer)		echo libclang-rt-dev ;;
	debian,*)		echo "$1" ;;
	alpine,cc)		echo gcc ;;
	alpine,libc)		echo musl-dev ;;
	alpine,kernel)		echo linux-headers ;;
	alpine,libevent | alpine,json-c)	echo "$1-dev" ;;
	alpine,sodium)		echo libsodium-dev ;;
	alpine,atf-c | alpine,atf-sh)	echo atf ;;
	alpine,nm)		echo binutils ;;
	fedora,cc)		echo gcc ;;
	fedora,libc)		echo glibc-devel ;;
	fedora,kernel)		echo kernel-headers ;;
	fedora,libevent | fedora,json-c)	echo "$1-devel" ;;
	fedora,sodium)		echo libsodium-devel ;;
	fedora,atf-c)		echo libatf-c-devel ;;
	fedora,atf-sh)		echo atf ;;
	fedora,nm)		echo binutils ;;
	*,sodium)		echo libsodium ;;
	*,atf-c | *,atf-sh)	echo atf ;;
	*)			echo "$1" ;;
	esac
}

for set in "$@"; do
	case $set in
	build)
		if [ -z "${CC:-}" ] && ! command -v gcc >/dev/null 2>&1 &&
		    ! command -v clang >/dev/null 2>&1; then
			program cc "$(package cc)"
		fi
		header stdio.h "$(package libc)"
		header event2/event.h "$(package libevent)"
		header json-c/json.h "$(package json-c)"
		header sodium.h "$(package sodium)"
		case $system in
		debian | alpine | fedora | linux)
			header linux/seccomp.h "$(package kernel)" ;;
		esac
		;;
	regress)
		program kyua "$(package kyua)"
		program atf-sh "$(package atf-sh)"
		header atf-c.h "$(package atf-c)"
		program nm "$(package nm)"
		if [ $system = debian ]; then
			program qemu-ga "$(package qemu-ga)"
			program mkfs.ext4 "$(package mkfs.ext4)"
			program mkfs.xfs "$(package mkfs.xfs)"
			program mkfs.btrfs "$(package mkfs.btrfs)"
			program sqlite3 "$(package sqlite3)"
			file postgresql /usr/lib/postgresql/*/bin/postgres
			program losetup "$(package losetup)"
			program systemd-analyze systemd
			program dpkg-buildpackage dpkg-dev
			program python3 python3
			program socat socat
		fi
		# For regress/guest, whose kernel is not installed.
		if [ $system = debian ] && [ "$(uname -m)" = x86_64 ]; then
			program qemu-system-x86_64 "$(package qemu)"
			program cpio "$(package cpio)"
			program virsh "$(package virsh)"
			program libvirtd "$(package libvirtd)"
			file "$(package libvirt-qemu)" \
			    /usr/lib/*/libvirt/connection-driver/*_qemu.so
		fi
		;;
	deb)
		program dpkg-buildpackage dpkg-dev
		;;
	fuzz)
		program clang "$(package clang)"
		if [ $system = debian ]; then
			file "$(package fuzzer)" \
			    /usr/lib/llvm-*/lib/clang/*/lib/linux/*fuzzer-*
			# Names the lines in a report.
			program llvm-symbolizer llvm
		fi
		;;
	ci)
		program bash bash
		program bmake bmake
		program clang-tidy clang-tidy
		program cppcheck cppcheck
		program shellcheck shellcheck
		program mandoc mandoc
		;;
	cross)
		if [ $system != debian ]; then
			echo "deps.sh: make cross runs on Debian only" >&2
			exit 1
		fi
		program cmake cmake
		program ninja ninja-build
		program dpkg-source dpkg-dev
		program clang-tidy-19 clang-tidy-19
		python3 -m pip --version >/dev/null 2>&1 ||
		    missing="$missing python3-pip"
		;;
	*)
		echo "deps.sh: no such set: $set" >&2
		exit 2
		;;
	esac
done

# Debian's fuzzer runtime has its version in its name.
if [ $system = debian ]; then
	case " $missing " in
	*" libclang-rt-dev "*)
		v=$(clang --version 2>/dev/null |
		    sed -n 's/.*clang version \([0-9]*\)\..*/\1/p')
		[ -n "$v" ] || v=$(apt-cache show clang 2>/dev/null |
		    sed -n 's/^Depends:.*clang-\([0-9]*\).*/\1/p' | head -n 1)
		missing=$(echo " $missing " |
		    sed "s/ libclang-rt-dev / libclang-rt-${v:-14}-dev /")
		;;
	esac
fi

# shellcheck disable=SC2086
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
missing=${missing% }
[ -n "${missing# }" ] || exit 0

case $system in
debian)		install="apt-get install -y --no-install-recommends" ;;
alpine)		install="apk add" ;;
fedora)		install="dnf install -y" ;;
openbsd)	install="pkg_add" ;;
freebsd)	install="pkg install -y" ;;
netbsd)		install="pkgin -y install" ;;
darwin)		install="brew install" ;;
*)
	echo "deps.sh: install these, by hand on this system: $missing" >&2
	exit 1
	;;
esac

# brew is a person's, the others are root's.
if [ $system != darwin ] && [ "$(id -u)" != 0 ]; then
	echo "These are missing: $missing" >&2
	echo "As root, run:  $install $missing" >&2
	exit 1
fi

echo "installing: $missing" >&2
if [ $system = debian ]; then
	DEBIAN_FRONTEND=noninteractive
	# No service may start because of a test's package.
	RUNLEVEL=1
	export DEBIAN_FRONTEND RUNLEVEL
	# shellcheck disable=SC2086
	$install $missing >&2 && exit 0
	# The lists are absent, or older than the archive.
	apt-get update >&2 || exit 1
fi
# shellcheck disable=SC2086
$install $missing >&2
