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

# build.sh DIRECTORY [REVISION]: a Debian package of this tree, made in
# DIRECTORY/tree; its path is the last line.  What was compiled there before
# is used again.

set -eu

mkdir -p "$1"
dir=$(cd "$1" && pwd -P)
revision=${2:-1}
cd "$(dirname "$0")/../.."
umask 022
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR MAKE CC CFLAGS \
    CPPFLAGS LDFLAGS QGAD_NO_USERS

version=$(sed -n 's/^version=.*-qgad//p' configure)
mkdir -p "$dir/tree"
rooms=$(sed -n 's/^ROOMS=//p' build.mk)
# What is the same keeps its time, what differs is newer than its object.
# shellcheck disable=SC2086
find Makefile build.mk configure LICENSE README.md SECURITY.md etc man \
    $rooms -type f \( ! -path '*/*' -o -path 'etc/*' \
    -o -name '*.[ch58]' -o -name '*.sh' \) | while read -r file; do
	cmp -s "$file" "$dir/tree/$file" && continue
	mkdir -p "$(dirname "$dir/tree/$file")"
	cp "$file" "$dir/tree/$file"
done
cd "$dir/tree"
rm -rf debian "$dir"/*.deb
cp -R etc/debian debian
sed -e "s/@VERSION@/$version/" -e "s/@REVISION@/$revision/" \
    etc/debian/changelog >debian/changelog
chmod 755 debian/rules
dpkg-buildpackage -b -nc -us -uc >"$dir/log" 2>&1 || {
	cat "$dir/log" >&2
	exit 1
}
echo "$dir"/qgad_*.deb
