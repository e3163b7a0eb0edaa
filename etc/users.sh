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

# users.sh add			make the users _qgad and _qgadw, each with a
#				group of its name; prints those it made
# users.sh remove [NAME ...]	remove them

set -u

system=$(uname -s)
status=0

have()
{
	command -v "$1" >/dev/null 2>&1
}

fail()
{
	echo "users.sh: $*" >&2
	status=1
}

present()
{
	id "$1" >/dev/null 2>&1
}

nologin()
{
	for f in /usr/sbin/nologin /sbin/nologin /usr/bin/false /bin/false; do
		[ -x $f ] && echo $f && return
	done
	echo /nonexistent
}

# The first number that is free as uid and as gid, below those of people.
darwin_id()
{
	n=450
	while dscl . -list /Users UniqueID | grep -qw "$n" ||
	    dscl . -list /Groups PrimaryGroupID | grep -qw "$n"; do
		n=$((n - 1))
		[ "$n" -gt 200 ] || return 1
	done
	echo "$n"
}

darwin_add()
{
	n=$(darwin_id) || return 1
	dscl . -create "/Groups/$1" PrimaryGroupID "$n" &&
	dscl . -create "/Groups/$1" Password '*' &&
	dscl . -create "/Users/$1" UniqueID "$n" &&
	dscl . -create "/Users/$1" PrimaryGroupID "$n" &&
	dscl . -create "/Users/$1" RealName "$2" &&
	dscl . -create "/Users/$1" NFSHomeDirectory /var/empty &&
	dscl . -create "/Users/$1" UserShell "$(nologin)" &&
	dscl . -create "/Users/$1" IsHidden 1 &&
	dscl . -create "/Users/$1" Password '*'
}

add()
{
	case $system in
	FreeBSD | DragonFly)
		pw groupadd "$1" &&
		pw useradd "$1" -g "$1" -c "$2" -d /var/empty \
		    -s "$(nologin)" -w no
		;;
	OpenBSD | NetBSD)
		groupadd "$1" &&
		useradd -g "$1" -c "$2" -d /var/empty -s "$(nologin)" "$1"
		;;
	Darwin)
		darwin_add "$1" "$2"
		;;
	*)
		if have useradd; then
			useradd --system --user-group --no-create-home \
			    --home-dir /nonexistent --shell "$(nologin)" \
			    --comment "$2" "$1"
		else
			addgroup -S "$1" &&
			adduser -S -D -H -h /nonexistent -s "$(nologin)" \
			    -G "$1" -g "$2" "$1"
		fi
		;;
	esac
}

# userdel(8) refuses while a process of theirs is ending.
remove()
{
	case $system in
	FreeBSD | DragonFly)
		pw userdel "$1" ;;
	OpenBSD | NetBSD)
		userdel "$1" && { groupdel "$1" 2>/dev/null || :; } ;;
	Darwin)
		dscl . -delete "/Users/$1" && dscl . -delete "/Groups/$1" ;;
	*)
		if have userdel; then
			userdel "$1"
		else
			deluser "$1"
		fi ;;
	esac
}

if [ "$(id -u)" != 0 ]; then
	echo "users.sh: only root can make users" >&2
	exit 1
fi
PATH=$PATH:/usr/sbin:/sbin

case ${1-} in
add)
	for user in _qgad _qgadw; do
		present "$user" && continue
		if [ "$user" = _qgad ]; then
			comment="qgad frontend"
		else
			comment="qgad workers"
		fi
		if add "$user" "$comment" >&2; then
			echo "$user"
		else
			fail "$user could not be made"
		fi
	done
	;;
remove)
	shift
	[ $# -gt 0 ] || set -- _qgad _qgadw
	for user in "$@"; do
		case $user in
		_qgad | _qgadw) ;;
		*)	fail "$user is not ours"; continue ;;
		esac
		present "$user" || continue
		tries=0
		until remove "$user" 2>/dev/null; do
			tries=$((tries + 1))
			if [ "$tries" -ge 10 ]; then
				remove "$user" >&2
				fail "$user could not be removed"
				break
			fi
			sleep 1
		done
	done
	;;
*)
	echo "usage: users.sh add | remove [name ...]" >&2
	exit 2
	;;
esac
exit $status
