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

# install.sh MODE DIRECTORY FILE...	copy the files there with that mode
# install.sh empty DIRECTORY		it is, and root's, and nobody writes it
# install.sh new PATH FILE		copy, unless there is one already

set -eu

mode=$1
dir=$2
shift 2

own()
{
	[ "$(id -u)" != 0 ] || chown 0:0 "$1"
}

case $mode in
empty)
	# The system's own (/var/empty) is as it should be, or says so.
	if [ -n "$(ls -A "$dir")" ]; then
		echo "install: $dir is not empty" >&2
		exit 1
	fi
	case $dir in
	*/qgad/empty)
		own "$dir"
		chmod 555 "$dir" ;;
	esac
	;;
new)
	if [ -f "$1" ] && [ ! -e "$dir" ]; then
		cp "$1" "$dir"
		own "$dir"
		chmod 644 "$dir"
		echo "installed $dir"
	fi
	;;
*)
	for file in "$@"; do
		to=$dir/${file##*/}
		# Renamed into place: a running program keeps its own.
		cp "$file" "$to.new"
		own "$to.new"
		chmod "$mode" "$to.new"
		mv -f "$to.new" "$to"
		echo "installed $to"
	done
	;;
esac
