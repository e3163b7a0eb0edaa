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

# with-users.sh COMMAND...: run it with the users _qgad and _qgadw there;
# those that were made for it are removed after it.  Without root the command
# is just run.

set -u

here=$(cd "$(dirname "$0")/../.." && pwd -P) || exit 1

if [ "$(id -u)" != 0 ]; then
	exec "$@"
fi

made=$(sh "$here/etc/users.sh" add) || exit 1
# shellcheck disable=SC2086
trap '[ -z "$made" ] || sh "$here/etc/users.sh" remove $made' EXIT
trap 'exit 130' HUP INT TERM
"$@"
exit $?
