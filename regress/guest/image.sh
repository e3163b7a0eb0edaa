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

# image.sh PREFIX: what the tests boot.  Prints the directory that has
#	vmlinuz		the distribution's cloud kernel
#	initrd		busybox, init.sh and what `make install` put in PREFIX
#	modules		the kernel's, loaded in that order
# The kernel's and busybox's packages are fetched once, by apt-get as any user,
# and unpacked there: nothing is installed in this machine.  Status 3 if this
# is no system to fetch from, 1 if something failed.

set -u

prefix=${1:?usage: image.sh PREFIX}
here=$(cd "$(dirname "$0")" && pwd -P) || exit 1
top=$(cd "$here/../.." && pwd -P) || exit 1
if [ -f "$top/.variant" ]; then
	dir=$(dirname "$top")/guest
else
	dir=${QGAD_BUILD:-$top/regress/build}/guest
fi
machine=$(uname -m)
multi=$machine-linux-gnu
# In the order of what needs what.
modules="virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev
    virtio_pci failover net_failover virtio_net virtio_blk virtio_console
    button"

die()
{
	echo "image.sh: $*" >&2
	exit 1
}

# The kernel's metapackage changes with each release: ask what it is today.
fetch()
{
	if [ "$machine" != x86_64 ] ||
	    ! command -v apt-get >/dev/null 2>&1; then
		echo "image.sh: no kernel to fetch for this system" >&2
		exit 3
	fi
	rm -rf "$dir/new" && mkdir -p "$dir/new" && cd "$dir/new" || exit 1
	kernel=$(apt-cache depends linux-image-cloud-amd64 |
	    sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
	[ -n "$kernel" ] || die "apt-cache knows no linux-image-cloud-amd64"
	apt-get download "$kernel" busybox-static >fetch.log 2>&1 || {
		cat fetch.log >&2
		die "$kernel and busybox-static could not be fetched"
	}
	for deb in ./*.deb; do
		dpkg-deb -x "$deb" tree || die "cannot unpack $deb"
	done
	mkdir modules || exit 1
	mv tree/boot/vmlinuz-* vmlinuz && mv tree/bin/busybox busybox ||
	    die "the packages have changed their layout"
	n=10
	for m in $modules; do
		f=$(find tree -name "$m.ko*")
		[ -n "$f" ] || die "no module $m in $kernel"
		cp "$f" "modules/$n.$m.ko" || exit 1
		n=$((n + 1))
	done
	rm -rf tree ./*.deb
	cd "$dir" || exit 1
	rm -rf fetched && mv new fetched || exit 1
}

# copy FILE...: to the same place in the image, with its libraries
copy()
{
	for f in "$@"; do
		[ -e "$f" ] || die "this machine has no $f"
		for p in "$f" $(ldd "$f" 2>/dev/null | tr ' \t' '\n\n' |
		    grep '^/'); do
			[ ! -e "$root$p" ] || continue
			mkdir -p "$root${p%/*}" && cp -L "$p" "$root$p" ||
			    die "cannot copy $p"
		done
	done
}

# A frontend with sanitizers has its libraries found too, by ldd.
agent()
{
	mkdir -p "$root$prefix/var/run" "$root$prefix/etc" || exit 1
	cp -Rp "$prefix/sbin" "$prefix/libexec" "$root$prefix/" || exit 1
	copy "$prefix/sbin/qgad"
	rm "$root$prefix/sbin/qgad"
	cp -p "$prefix/sbin/qgad" "$root$prefix/sbin/qgad" || exit 1
	ln -s "$prefix/sbin/qgad" "$root/sbin/qgad"
}

# chpasswd(8) as Debian has it, by way of PAM.
accounts()
{
	pam=/lib/$multi/security
	copy /usr/sbin/chpasswd "$pam/pam_unix.so" "$pam/pam_deny.so" \
	    "$pam/pam_permit.so"
	mkdir -p "$root/etc/pam.d"
	for f in chpasswd other; do
		cat >"$root/etc/pam.d/$f" <<-'EOT'
		auth		sufficient	pam_permit.so
		account		required	pam_permit.so
		password	required	pam_unix.so sha512 rounds=1000
		EOT
	done
	cat >"$root/etc/login.defs" <<-'EOT'
	ENCRYPT_METHOD	SHA512
	EOT
	cat >"$root/etc/passwd" <<-'EOT'
	root:x:0:0:root:/root:/bin/sh
	_qgad:x:901:901:qgad:/nonexistent:/bin/false
	_qgadw:x:902:902:qgad:/nonexistent:/bin/false
	gast:x:1000:1000:a guest:/home/gast:/bin/sh
	EOT
	cat >"$root/etc/group" <<-'EOT'
	root:x:0:
	_qgad:x:901:
	_qgadw:x:902:
	gast:x:1000:
	EOT
	cat >"$root/etc/shadow" <<-'EOT'
	root:*:19000:0:99999:7:::
	_qgad:!:19000::::::
	_qgadw:!:19000::::::
	gast:*:19000:0:99999:7:::
	EOT
	chmod 600 "$root/etc/shadow"
	chown 1000:1000 "$root/home/gast"
}

# busybox is init, as on the small systems that have no other: its poweroff,
# halt and reboot are what qgad finds.
image()
{
	root=$dir/root
	rm -rf "$root"
	for d in bin sbin usr/bin usr/sbin dev proc sys run etc home/gast root \
	    mnt/private/data var/log tmp lib lib64; do
		mkdir -p "$root/$d" || exit 1
	done
	chmod 700 "$root/root" "$root/mnt/private"
	chmod 1777 "$root/tmp"
	ln -s ../run "$root/var/run"
	cp "$dir/fetched/busybox" "$root/bin/busybox" || exit 1
	"$dir/fetched/busybox" --list-full | while IFS= read -r f; do
		[ -e "$root/$f" ] || ln -s /bin/busybox "$root/$f"
	done
	cp -R "$dir/fetched/modules" "$root/lib/" || exit 1
	accounts
	agent
	cp "$here/init.sh" "$root/etc/rc" || exit 1
	cp "$here/agent.sh" "$root/etc/agent" || exit 1
	chmod 755 "$root/etc/rc" "$root/etc/agent"
	ln -s /bin/busybox "$root/init"
	cat >"$root/etc/inittab" <<-'EOT'
	::sysinit:/etc/rc
	::respawn:/etc/agent
	::ctrlaltdel:/sbin/reboot
	::shutdown:/bin/umount -a -r
	EOT
	cat >"$root/etc/os-release" <<-'EOT'
	ID=qgadguest
	NAME="Guest of qgad"
	PRETTY_NAME="Guest of qgad 12.5 (test)"
	VERSION="12.5 (test)"
	VERSION_ID="12.5"
	VARIANT="Regress"
	VARIANT_ID=regress
	EOT
	# Not compressed: an emulated processor would have to undo that.
	(cd "$root" && find . | cpio -o -H newc --quiet) >"$dir/initrd.new" ||
	    die "cpio failed"
	mv "$dir/initrd.new" "$dir/initrd"
	ln -sf fetched/vmlinuz "$dir/vmlinuz"
	rm -rf "$root"
}

umask 022
mkdir -p "$dir" || exit 1
[ -f "$dir/fetched/vmlinuz" ] || fetch
stamp=$(cat "$prefix"/sbin/* "$prefix"/libexec/qgad/qgad-* "$here"/*.sh |
    cksum)
if [ ! -f "$dir/initrd" ] || [ "$(cat "$dir/stamp" 2>/dev/null)" != \
    "$prefix $stamp" ]; then
	rm -f "$dir/stamp"
	image
	echo "$prefix $stamp" >"$dir/stamp"
fi
echo "$dir"
