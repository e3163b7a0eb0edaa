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

# summary.sh RESULTS KYUA_STATUS [VARIANT]: from kyua's results to the words
# people and machines read: what failed and its output, what was skipped and
# why, and as the very last line "N passed, N failed, N skipped".
#
# Broken is failed.  An expected failure is a pass: the test said so.  A skip
# that regress/common/skips does not name is a failure, for kyua itself
# counts skipped as passed.

set -u

results=$1
status=$2
variant=${3:-stock}
here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
tmp=$(mktemp -d "${TMPDIR:-/tmp}/qgad-summary.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

kyua -c none report -r "$results" \
    --results-filter=passed,skipped,xfail,broken,failed \
    --output="$tmp/all" || status=99
: >>"$tmp/all"

# "prog:case  ->  result: reason  [0.001s]", one a line, under headings.
sed -n 's/^\([^ ]*:[^ ]*\)  ->  \([a-z_]*\)\(: \(.*\)\)\{0,1\}  \[[0-9.]*s\]$/\2	\1	\4/p' \
    "$tmp/all" | sort -u >"$tmp/cases"

user=user
[ "$(id -u)" != 0 ] || user=root
system=$(uname -s | tr '[:upper:]' '[:lower:]')

# expected CASE REASON
expected()
{
	while IFS='	' read -r when cases reasons; do
		case $when in
		'' | '#'*)	continue ;;
		"$user" | "$system" | "$variant" | any) ;;
		*)		continue ;;
		esac
		# shellcheck disable=SC2254  # they are patterns
		case $1 in
		$cases)	;;
		*)	continue ;;
		esac
		# shellcheck disable=SC2254
		case $2 in
		$reasons) return 0 ;;
		esac
	done <"$here/skips"
	return 1
}

passed=0 failed=0 skipped=0
while IFS='	' read -r result case reason; do
	case $result in
	passed | xfail | expected_*)
		passed=$((passed + 1)) ;;
	skipped)
		if expected "$case" "$reason"; then
			skipped=$((skipped + 1))
		else
			failed=$((failed + 1))
			echo "$case: not expected to be skipped: $reason"
		fi
		echo "$reason" >>"$tmp/reasons" ;;
	*)
		failed=$((failed + 1))
		echo "$case" >>"$tmp/bad" ;;
	esac
done <"$tmp/cases"

if [ -f "$tmp/reasons" ]; then
	echo "skipped, and why:"
	sort "$tmp/reasons" | uniq -c | sort -rn
fi

# What each failed test said: all of its output, not its environment.
if [ -f "$tmp/bad" ]; then
	while IFS= read -r case; do
		echo
		echo "===> $case"
		kyua -c none report -r "$results" --verbose \
		    --results-filter=broken,failed "$case" 2>/dev/null |
		    awk '/^Standard (output|error):/ { show = 1 }
			/^===> / && !/^===> [^ ]*:[^ ]*$/ { show = 0 }
			/^(Result|Duration): / || show' | head -n 200
	done <"$tmp/bad"
	echo
	echo "failed:"
	sed 's/^/	/' "$tmp/bad"
fi

# No test at all, or kyua unhappy with something that is not a test.
if [ $((passed + failed + skipped)) = 0 ]; then
	echo "no test was run (kyua's status $status)"
	failed=1
elif [ "$status" -gt 1 ]; then
	echo "kyua ended with status $status"
	failed=$((failed + 1))
elif [ "$status" = 1 ] && [ "$failed" = 0 ]; then
	echo "kyua says that a test failed, its report names none"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
