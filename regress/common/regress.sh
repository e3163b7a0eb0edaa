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

# regress.sh [VARIANT]: build it (stock), run every test, and end with
#	N passed, N failed, N skipped
# Status 0 only if nothing failed and nothing was skipped that should not be.
# Root runs everything, another user what that allows.

set -u

variant=${1:-stock}
here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
top=$(cd "$here/../.." && pwd -P) || exit 1
make=${MAKE:-make}

# No test was run: said in the words of the last line.
die()
{
	echo "regress.sh: $*"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

# Root's unprivileged tests run as _qgadw, who may not be let into the
# directory that this tree is in (/root): then it is built elsewhere.
reachable()
{
	d=$1
	while [ "$d" != / ]; do
		[ -n "$(find "$d" -prune -perm -001 2>/dev/null)" ] || return 1
		d=$(dirname "$d")
	done
}

if [ -z "${QGAD_BUILD:-}" ] && [ "$(id -u)" = 0 ] && ! reachable "$top"; then
	QGAD_BUILD=/var/tmp/qgad-build.$(echo "$top" | cksum | cut -d ' ' -f 1)
	umask 022
	mkdir -p "$QGAD_BUILD" || exit 1
	if [ -L "$QGAD_BUILD" ] || [ -n "$(find "$QGAD_BUILD" -prune \
	    \( ! -user 0 -o -perm -020 -o -perm -002 \))" ]; then
		die "$QGAD_BUILD is not root's alone"
	fi
	echo "$top is not for other users: building in $QGAD_BUILD"
	export QGAD_BUILD
fi

echo "building $variant"
root=$(MAKE=$make sh "$here/variant.sh" "$variant") ||
    die "$variant could not be built"
dir=${root%/root}
cd "$dir" || exit 1
(
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKE
	n=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || n=2
	$make -f build.mk "-j$n" tests >regress/regress.build 2>&1 || {
		cat regress/regress.build
		exit 1
	}
) || die "the tests do not compile"
sh regress/common/mktests.sh Kyuafiles || die "a Kyuafile is wrong"

results=regress/regress.db
rm -f "$results"

case $variant in
asan)	sanitized=yes ;;
*)	sanitized=no ;;
esac
UBSAN_OPTIONS=print_stacktrace=1
export UBSAN_OPTIONS
# A test's HOME is none, so it is told where make cross keeps its compiler.
: "${QGAD_CROSS_CACHE:=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/qgad-cross}"
export QGAD_CROSS_CACHE

# A make that got an interrupt must not leave daemons behind: kyua ends its
# tests by itself, so it only has to be waited for.
rc=0
sh regress/common/with-users.sh kyua -c none -v unprivileged_user=_qgadw \
    -v "test_suites.qgad.prefix=$root" \
    -v "test_suites.qgad.srcdir=$dir/regress" \
    -v "test_suites.qgad.sanitized=$sanitized" \
    test -k Kyuafile -r "$results" || rc=$?

sh regress/common/summary.sh "$results" "$rc" "$variant"
