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

# service.sh install | uninstall: the service files of this system's manager,
# with the paths that configure found (build.mk gives them).  Nothing is
# enabled and nothing is started.

set -eu

# SOURCE MODE TARGET: what is installed, and what is taken away again.
files()
{
	case $INIT in
	systemd)
		echo "systemd/qgad.service 644 $SERVICEDIR/qgad.service"
		echo "systemd/qgad-start 755 $LIBEXECDIR/qgad-start"
		echo "systemd/qgad.rules 644 $UDEVDIR/60-qgad.rules"
		echo "logrotate/qgad 644 $ROTATEDIR/qgad" ;;
	openrc)
		echo "openrc/qgad 755 $SERVICEDIR/qgad"
		echo "logrotate/qgad 644 $ROTATEDIR/qgad" ;;
	launchd)
		echo "launchd/org.qgad.plist 644 $SERVICEDIR/org.qgad.plist"
		echo "newsyslog/$OS 644 $ROTATEDIR/qgad.conf" ;;
	rc.d)
		echo "rc.d/qgad.$OS 755 $SERVICEDIR/qgad"
		case $OS in
		freebsd) echo "newsyslog/$OS 644 $ROTATEDIR/qgad.conf" ;;
		*)	echo "newsyslog/$OS 644 $ROTATEDIR/newsyslog.conf" ;;
		esac ;;
	esac
}

# How it is started, for who sits before it.
hint()
{
	case $INIT,$OS in
	systemd,*)
		echo "systemctl daemon-reload"
		echo "udevadm control --reload"
		echo "udevadm trigger --subsystem-match=virtio-ports --action=add"
		echo "systemctl enable --now qgad" ;;
	openrc,*)
		echo "rc-update add qgad && rc-service qgad start" ;;
	launchd,*)
		echo "launchctl bootstrap system $SERVICEDIR/org.qgad.plist" ;;
	rc.d,openbsd)
		echo "rcctl enable qgad && rcctl start qgad" ;;
	rc.d,freebsd)
		echo "sysrc qgad_enable=YES && service qgad start" ;;
	rc.d,netbsd)
		echo "echo qgad=YES >>/etc/rc.conf && service qgad start" ;;
	esac
}

install()
{
	mkdir -p "${3%/*}"
	sed -e "s,@SBINDIR@,$SBINDIR,g" -e "s,@LIBEXECDIR@,$LIBEXECDIR,g" \
	    -e "s,@STATEDIR@,$STATEDIR,g" -e "s,@CONFDIR@,$CONFDIR,g" \
	    "$1" >"$3.new"
	[ "$(id -u)" != 0 ] || chown 0:0 "$3.new"
	chmod "$2" "$3.new"
	mv -f "$3.new" "$3"
	echo "installed $3"
}

cd "$(dirname "$0")"
case ${1-} in
install)
	files | while read -r source mode target; do
		install "$source" "$mode" "${DESTDIR-}$target"
	done
	[ -n "${DESTDIR-}${QGAD_NO_USERS-}" ] || hint | sed 's/^/to start:  /'
	;;
uninstall)
	files | while read -r source mode target; do
		rm -f "${DESTDIR-}$target"
	done
	;;
*)
	echo "usage: service.sh install | uninstall" >&2
	exit 2
	;;
esac
