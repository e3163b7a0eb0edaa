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

# commands.sh PROGRAM PAGE: writes the rows of the command table in the
# manual page anew, from what the program says of itself.

set -eu

program=$1
page=$2

rows=$("$program" --list-commands |
    awk 'NR > 1 { print ".It Ic " $1 " Ta " $2 " Ta " $3 " Ta " $4 " Ta " $5 }')
[ -n "$rows" ] || { echo "commands.sh: no table from $program" >&2; exit 1; }
trap 'rm -f "$page.new"' EXIT
awk -v rows="$rows" '
	/^\.\\" BEGIN generated/ { print; print rows; skip = 1; next }
	/^\.\\" END/ { skip = 0; found = 1 }
	!skip
	END { exit !found }' "$page" >"$page.new" ||
    { echo "commands.sh: no BEGIN and END in $page" >&2; exit 1; }
cmp -s "$page" "$page.new" || cat "$page.new" >"$page"
