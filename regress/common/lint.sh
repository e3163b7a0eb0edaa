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

# lint.sh: every checker over every file; run by make lint, which gives it
# CPPFLAGS, OS, SANDBOX and SEEN.  Goes on to the end and fails if one complained.

set -u

cd "$(dirname "$0")/../.." || exit 1
bad=

# step NAME COMMAND...
step()
{
	name=$1
	shift
	if "$@"; then
		echo "lint: $name: fine"
	else
		echo "lint: $name: FAILED"
		bad="$bad $name"
	fi
}

# The files of this system; the others' do not compile here.
sources()
{
	for f in "$@"; do
		[ -f "$f" ] || continue
		case $f in
		lib/sandbox-"$SANDBOX".c | lib/commands-"$OS".c | \
		    workers/*-"$OS".c | parent/*-"$OS".c | lib/confcheck-"$SEEN".c | \
		    selftest/see-"$SEEN".c) ;;
		lib/sandbox-*.c | lib/commands-*.c | lib/confcheck-*.c | \
		    selftest/see-*.c | \
		    workers/*bsd.c | workers/*-darwin.c | \
		    workers/*-linux.c | parent/*bsd.c | \
		    parent/*-darwin.c | parent/*-linux.c) continue ;;
		lib/compat/*)
			f=${f%.c}.o
			grep -q "$f" config.mk || continue
			f=${f%.o}.c ;;
		esac
		echo "$f"
	done
}

# in_rooms PATTERN: the files of that name in every room, lib/compat not
in_rooms()
{
	for room in $(sed -n 's/^ROOMS=//p' build.mk); do
		# shellcheck disable=SC2086
		echo "$room"/$1
	done
}

includes="-I. -Iimsg -Ilib"
# shellcheck disable=SC2046
code=$(sources $(in_rooms '*.c') lib/compat/*.c)
tests=$(sources regress/*/*.c)

# Two files may have one name (qgad/channel.h, parent/channel.h): each finds
# its own beside it, a test its room's.
tidy()
{
	rc=0
	for f in $code $tests; do
		room=${f%/*}
		room=${room#regress/}
		more=
		[ ! -d "$room" ] || more="-I$room"
		[ "$room" != fuzz ] || more="-Iqgad -Iparent -Iworkers"
		echo "$f $more"
	done | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I '{}' sh -c '
		set -- {}
		f=$1
		shift
		clang-tidy --quiet --warnings-as-errors="*" "$f" -- -std=c11 \
		    -include config.h '"$includes"' "$@" '"${CPPFLAGS:-}"' \
		    2>&1 | grep -v "^[0-9]* warnings\{0,1\} " >"'"$tmp"'/$$"
		if grep -qE "(warning|error):" "'"$tmp"'/$$"; then
			cat "'"$tmp"'/$$"
			exit 1
		fi' || rc=1
	return $rc
}

check()
{
	# shellcheck disable=SC2086
	cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr \
	    --enable=warning,performance,portability \
	    --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
	    --suppress=toomanyconfigs \
	    --suppressions-list=regress/common/cppcheck \
	    $includes --include=config.h $code
}

scripts()
{
	for f in configure .ci/run etc/*.sh man/*.sh regress/*.sh regress/*/*.sh \
	    etc/hooks/*.sh etc/systemd/qgad-start etc/debian/p* \
	    etc/debian/*.sh; do
		[ -f "$f" ] || continue
		case $f in
		*_test.sh) continue ;;
		esac
		echo "$f"
	done | xargs shellcheck -S warning -e SC1007
}

# atf-sh is sh with functions that only it knows; so are the service managers'
# for their scripts.
atfscripts()
{
	set --
	for f in regress/*/*_test.sh regress/*/*.subr regress/system/rc/* \
	    etc/rc.d/* etc/openrc/*; do
		[ ! -f "$f" ] || set -- "$@" "$f"
	done
	[ $# = 0 ] || shellcheck -S warning -s sh -e SC1007,SC2034,SC2317,SC1090,SC1091,SC2154 "$@"
}

manuals()
{
	mandoc -T lint -W warning man/*.[1-9]
}

# Every source is in build.mk, every defence off says why, no system's name
# outside its place.
named()
{
	rc=0
	for f in $(in_rooms '*.[ch]'); do
		n=${f%.c}
		case $f in
		*.c)	n=$n.o ;;
		esac
		case $f in
		lib/sandbox-*.c | lib/commands-*.c | lib/confcheck-*.c | \
		    selftest/see-*.c | \
		    workers/*bsd.c | workers/*-darwin.c | \
		    workers/*-linux.c | parent/*bsd.c | \
		    parent/*-darwin.c | parent/*-linux.c) continue ;;
		esac
		grep -qE "(^|[[:space:]])$n([[:space:]]|\$)" build.mk && continue
		echo "$f is not in build.mk"
		rc=1
	done
	# shellcheck disable=SC2046
	if grep -nE '^#[ ]*(if|elif).*__(linux|OpenBSD|FreeBSD|NetBSD|APPLE)__' \
	    $(in_rooms '*.[ch]') | grep -v '^lib/sandbox-'; then
		echo "a system is asked for outside lib/compat and lib/sandbox-*"
		rc=1
	fi
	return $rc
}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/qgad-lint.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

step names named
step mandoc manuals
step shellcheck scripts
step "shellcheck of tests" atfscripts
step cppcheck check
step clang-tidy tidy
[ -z "$bad" ] || echo "lint: failed:$bad"
[ -z "$bad" ]
