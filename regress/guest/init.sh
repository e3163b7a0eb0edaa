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

# What init runs first in the guest: its devices, a disk, the network, one
# user who is logged in.  See image.sh for what is there.

PATH=/sbin:/usr/sbin:/bin:/usr/bin
export PATH

mount -t devtmpfs none /dev
mount -t proc none /proc
mount -t sysfs none /sys
mkdir -p /dev/pts
mount -t devpts none /dev/pts
for f in /lib/modules/*.ko; do
	insmod "$f"
done

hostname qgadguest
ip link set lo up
if ip link set eth0 up 2>/dev/null; then
	ip addr add 10.0.2.15/24 dev eth0
	ip route add default via 10.0.2.2
fi

# Below a directory that only root may look into.
if [ -b /dev/vda ]; then
	mount -t ext4 /dev/vda /mnt/private/data
fi

# A record of utmp(5): struct utmp is 384 bytes.
{
	printf '\7\0\0\0\1\0\0\0'
	printf tty1
	dd if=/dev/zero bs=28 count=1 2>/dev/null
	printf '1\0\0\0gast'
	dd if=/dev/zero bs=292 count=1 2>/dev/null
	printf '\0\0\145\124\100\342\1\0'
	dd if=/dev/zero bs=36 count=1 2>/dev/null
} >/run/utmp
chmod 644 /run/utmp

echo "guest: booted"
