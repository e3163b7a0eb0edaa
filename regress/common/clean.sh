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

# clean.sh: remove what builds and tests made, but not what configure wrote.

set -u

cd "$(dirname "$0")/../.." || exit 1
rm -rf regress/build regress/tests.mk buildid.h buildid.h.new
rooms=$(sed -n 's/^ROOMS=//p' build.mk)
for f in $rooms lib/compat regress/*; do
	rm -f "$f"/*.o "$f"/*.ar "$f"/*.new
done
rm -f qgad/qgad parent/qgad-parent selftest/qgad-selftest \
    workers/qgad-*
for f in regress/*/*.c regress/*/*.sh; do
	case $f in
	*_test.sh | *.c) rm -f "${f%.*}" ;;
	esac
done
