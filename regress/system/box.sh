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

# box.sh DIRECTORY UNIT: run systemd, with this system's files and none of
# its units but UNIT, in namespaces of its own: what is written goes to a
# tmpfs, the kernel's settings are read-only, its cgroup is removed at the
# end.  DIRECTORY/box becomes /box in it, the file system in DIRECTORY/disk is
# on /mnt, and DIRECTORY/pid has the pid of its systemd as it is seen from
# outside.  Ends when that ends, or by SIGTERM; then the disk is thawed.

set -eu

# The end of its first process is the end of all.
cleanup()
{
	trap '' HUP INT TERM
	# shellcheck disable=SC2046 # two pids
	[ -z "$child" ] || kill -KILL $(cat "$dir/pid" 2>/dev/null) "$child" \
	    2>/dev/null || :
	wait || :
	[ ! -f "$dir/disk" ] || fsfreeze -u "$dir/m/disk" 2>/dev/null || :
	tries=0
	while [ -d "$group" ] && [ $tries -lt 100 ]; do
		find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || :
		tries=$((tries + 1))
		sleep 0.1
	done
}

outer()
{
	mount -t tmpfs none "$dir/m"
	mkdir "$dir/m/up" "$dir/m/work" "$dir/m/root" "$dir/m/cg"
	mount -t overlay -o \
	    "lowerdir=/,upperdir=$dir/m/up,workdir=$dir/m/work" \
	    none "$dir/m/root"
	mkdir "$dir/m/disk"
	[ ! -f "$dir/disk" ] || mount -o loop "$dir/disk" "$dir/m/disk"
	mount -t cgroup2 none "$dir/m/cg"
	group=$dir/m/cg/qgad-box.$$
	mkdir "$group"
	child=
	trap cleanup EXIT
	trap 'exit 0' HUP INT TERM
	# shellcheck disable=SC2016 # for the inner shell
	sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$group" \
	    unshare -C -m -p -f -u -i -n --kill-child \
	    sh "$0" "$dir" "$unit" inner &
	child=$!
	tries=0
	until pid=$(ps -A -o ppid= -o pid= |
	    awk -v p=$child '$1 == p { print $2 }') && [ -n "$pid" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || exit 1
		sleep 0.1
	done
	echo "$pid" >"$dir/pid"
	wait "$child" || :
}

inner()
{
	m=$dir/m/root
	mount -t proc proc "$m/proc"
	for f in sys sysrq-trigger irq bus; do
		[ -e "$m/proc/$f" ] || continue
		mount --bind "$m/proc/$f" "$m/proc/$f"
		mount -o remount,bind,ro "$m/proc/$f"
	done
	mount -t sysfs -o ro sysfs "$m/sys"
	mount -t tmpfs -o mode=755 none "$m/run"
	mount -t tmpfs -o mode=755 none "$m/dev"
	for f in null zero full random urandom; do
		: >"$m/dev/$f"
		mount --bind "/dev/$f" "$m/dev/$f"
	done
	mkdir "$m/dev/pts" "$m/dev/shm"
	ln -s /proc/self/fd "$m/dev/fd"
	mount -t cgroup2 none "$m/sys/fs/cgroup"
	[ ! -f "$dir/disk" ] || mount --bind "$dir/m/disk" "$m/mnt"
	mkdir -p "$m/box"
	cp -R "$dir/box/." "$m/box"
	rm -rf "$m/etc/systemd/system"
	mkdir -p "$m/etc/systemd/system"
	[ ! -d "$m/box/units" ] ||
	    cp "$m/box/units"/* "$m/etc/systemd/system"
	exec setpriv --bounding-set \
	    -sys_module,-sys_rawio,-sys_time,-syslog,-mknod \
	    chroot "$m" /usr/bin/env -i container=box \
	    PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	    /lib/systemd/systemd --unit="$unit" --log-target=null
}

dir=$1 unit=$2
case ${3-start} in
start)	mkdir -p "$dir/m"
	exec unshare -m --propagation private sh "$0" "$dir" "$unit" outer ;;
outer)	outer ;;
inner)	inner ;;
esac
