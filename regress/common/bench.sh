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

# bench.sh [OPTION...]: qgad beside qemu-ga, see regress/bench/bench.c.  The
# figures go to bench.csv and a drawing to bench.svg in regress/build, unless
# -o and -s say otherwise.

set -u

here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
root=$(sh "$here/variant.sh" stock) || exit 1
qemuga=$(PATH=$PATH:/usr/sbin:/usr/local/bin command -v qemu-ga) || {
	echo "bench.sh: there is no qemu-ga to compare with" >&2
	exit 1
}
build=${root%/*/root}
exec sh "$here/with-users.sh" "${root%/root}/regress/bench/bench" \
    -o "$build/bench.csv" -s "$build/bench.svg" "$@" \
    "$root/sbin/qgad" "$qemuga"
