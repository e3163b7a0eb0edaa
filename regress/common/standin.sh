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


# standin.sh SYSTEM: qgad as it would be on that system, to be run on this
# one; prints the path of its root, and nothing else.  Status 3: the cross
# compiler is not here, see cross.sh.
#
# The system's own half of the query worker is compiled for it, with its
# headers, and ends itself where it does what C leaves undefined; its system
# calls go to regress/system/standin/, all else is this system's.
# root/libexec/qgad/queries asks without a daemon, steps does what changes a
# process or the machine; steps-late and steps-early are controls, which do
# the former in a wrong order.

set -u

system=${1:?usage: standin.sh SYSTEM}
top=$(cd "$(dirname "$0")/../.." && pwd -P) || exit 1
zig="" target=""		# are there, or it ends
. "$top/regress/common/standin.subr"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR MAKE

die()
{
	echo "standin.sh: $*" >&2
	exit 1
}

# A variant of which no defence is off: bit 30 is nobody's.
root=$(sh "$top/regress/common/variant.sh" "as-$system" 0x40000000) ||
    die "no build to start from"
dir=${root%/root}
cd "$dir" || exit 1
log=standin.log
: >$log
from=$top/regress/system/standin
made=$(cat buildid.h workers/*.[ch] lib/*.[ch] parent/*.[ch] "$from"/* "$0" \
    "$top/regress/common/standin.subr" | cksum)
if [ "$(cat .standin 2>/dev/null)" = "$made" ]; then
	echo "$root"
	exit 0
fi
rm -f .standin

run()
{
	"$@" >>$log 2>&1 || {
		cat $log >&2
		die "failed: $*"
	}
}

# The system's table for the monitor and the frontend.
cp "lib/commands-$system.c" lib/commands-linux.c
rm -f lib/commands-linux.o
QGAD_NO_USERS=1
export QGAD_NO_USERS
run make -f build.mk all install

# What its libc has; configure needs no library of it.
rm -rf standin
mkdir -p standin/c
cat >standin/cc <<EOT
#!/bin/sh
exec "$zig" cc -target $target "\$@"
EOT
chmod 755 standin/cc
cp -R configure imsg lib parent workers standin/c
rm -f standin/c/*/*.o standin/c/*/*.ar
(cd standin/c && run sh ./configure --os="$system" --workers-only \
    CC="$dir/standin/cc" CFLAGS=-O2) || exit 1
compat=$(sed -n 's/^COMPAT_OBJS=//p' standin/c/config.mk)
flags=$(sed -n 's/^CFLAGS=//p' standin/c/config.mk |
    sed 's/-fstack-protector[a-z-]*//g; s/-[UD]_FORTIFY_SOURCE[=0-9]*//g')
objects=
more=

# Apple's objects no linker here takes.  Their code before it is made for a
# processor differs by names, and by sections: it is given ours.
translate()
{
	# shellcheck disable=SC2086
	ir=$dir/standin/$(basename "$1" .c).ll
	(cd standin/c && "$dir/standin/cc" $flags $more -fno-stack-protector -g0 \
	    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=0 \
	    -fsanitize=undefined,bounds -fsanitize-trap=all \
	    -Wno-unused-command-line-argument \
	    -include config.h -I. -Iimsg -Ilib -I"$from" -S -emit-llvm \
	    -o "$ir" "$2$1" &&
	    sed -e '/^target datalayout/s/-m:o-/-m:e-/' \
	    -e '/^target triple/s/".*"/"x86_64-unknown-linux-gnu"/' \
	    -e 's/"\\01_\([A-Za-z0-9_]*\)\$[A-Z0-9$]*"/\1/g' \
	    -e 's/"\\01_\([A-Za-z0-9_]*\)"/\1/g' \
	    -e 's/ section "__[^"]*"//' "$ir" >"$ir.new" &&
	    mv "$ir.new" "$ir" &&
	    "$zig" cc -target x86_64-linux-gnu -w -fPIC -O1 $more -c -o "$dir/$out" \
	    "$ir") >>$log 2>&1 || {
		cat $log >&2
		die "does not compile: $1"
	}
}

compile()
{
	out=standin/$(basename "$1" .c).o
	if [ "$system" = darwin ]; then
		translate "$1" "$2"
		return
	fi
	# shellcheck disable=SC2086
	(cd standin/c && "$dir/standin/cc" $flags $more -fPIC -fno-stack-protector \
	    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=0 \
	    -fsanitize=undefined,bounds -fsanitize-trap=all \
	    -include config.h -I. -Iimsg -Ilib -I"$from" \
	    -c -o "$dir/$out" "$2$1") >>$log 2>&1 || {
		cat $log >&2
		die "does not compile: $1"
	}
}
halves=$(sed -n "s/^QUERY_$system=//p" build.mk |
    sed 's,workers/,,g; s,\.o,,g')
for f in query-$system $halves query-util; do
	compile workers/$f.c ""
	objects="$objects standin/$f.o"
done
case $compat in
*reallocarray*)	compile lib/compat/reallocarray.c ""
		objects="$objects standin/reallocarray.o" ;;
esac
answers=
for f in $system bsd; do
	compile $f.c "$from/"
	answers="$answers standin/$f.o"
done

judge

value()
{
	sed -n "s/^$1=//p" config.mk
}
cc="$(value CC) $(value CFLAGS)"
run $cc -include config.h -I. -Iimsg -Ilib "-I$from" \
    -c -o standin/host.o "$from/host.c"
run $cc -include config.h -I. -Iimsg -Ilib \
    -Iworkers -Iregress/workers -c -o standin/queries.o "$from/queries.c"
run $cc -include config.h -I. -Iimsg -Ilib \
    -Iregress/workers -c -o standin/tree.o regress/workers/tree.c
common="lib/lib.ar imsg/imsg.ar lib/lib.ar imsg/imsg.ar"
# shellcheck disable=SC2086,SC2046
run $cc $(value LDFLAGS) $(value WORKERFLAGS) \
    -o standin/qgad-query workers/query.o $objects $answers standin/host.o \
    workers/query-smart.o workers/answer.o $common
# shellcheck disable=SC2086,SC2046
run $cc $(value LDFLAGS) $(value PIEFLAGS) \
    -o standin/queries standin/queries.o standin/tree.o $objects $answers \
    standin/host.o $common -latf-c
programs="qgad-query queries"
if [ "$system" = freebsd ]; then
	compile workers/freeze-freebsd.c ""
	cp standin/freeze-freebsd.o standin/freezer.o
	compile freeze-freebsd.c "$from/"
	objects=standin/freezer.o
	answers=standin/freeze-freebsd.o
	judge
	run $cc -include config.h -I. -Iimsg -Ilib -Iworkers \
	    -c -o standin/freezes.o "$from/freezes.c"
	# shellcheck disable=SC2086,SC2046
	run $cc $(value LDFLAGS) $(value PIEFLAGS) -o standin/freezes \
	    standin/freezes.o $objects $answers standin/host.o $common
	programs="$programs freezes"
fi

# steps NAME CONFINE: of files that do more only what is asked for here.
roots="confine confinements sandbox_name system_shutdown system_suspend
    system_sleep system_set_time device_session device_kernel"
steps()
{
	parts=
	for f in "$2" "lib/sandbox-$sandbox" $ids "workers/system-$system" \
	    workers/system-bsd "parent/device-$system" parent/device-bsd; do
		compile "$f.c" ""
		parts="$parts standin/${f##*/}.o"
	done
	set -- "$1"
	for f in $roots; do
		set -- "$@" -u "$f"
	done
	name=$1
	shift
	# shellcheck disable=SC2086
	run ld -r --gc-sections "$@" -o "standin/$name-half.o" $parts
	# Undefined still are those that what is gone had called.
	run strip --strip-unneeded "standin/$name-half.o"
	compile steps.c "$from/"
	objects=standin/$name-half.o
	answers=standin/steps.o
	judge
	# shellcheck disable=SC2086,SC2046
	run $cc $(value LDFLAGS) $(value PIEFLAGS) -o "standin/$name" \
	    standin/stepping.o $objects $answers standin/host.o $common
	programs="$programs $name"
}

sandbox=$(sed -n 's/^SANDBOX=[	 ]*//p' standin/c/config.mk)
ids=
for f in setresid getresid; do
	case $compat in
	*$f*)	ids="$ids lib/compat/$f" ;;
	esac
done
run $cc -include config.h -I. -Iimsg -Ilib -Iworkers -c \
    -o standin/stepping.o "$from/stepping.c"
more="-ffunction-sections -fdata-sections"
steps steps lib/confine
# The root directory after the uid; the sandbox before the limits.
sed -e 's/^\(			\)step_chroot();$/\1step_uid(ids);/;t' \
    -e 's/^\(			\)step_uid(ids);$/\1step_chroot();/' \
    lib/confine.c >standin/c/lib/confine-late.c
sed 's/^	if (row->steps & STEP_RLIMITS/	if (sandbox_enter(row, \&what) == -1)\
		fatal("early");\
&/' lib/confine.c >standin/c/lib/confine-early.c
for f in late early; do
	! cmp -s lib/confine.c standin/c/lib/confine-$f.c ||
	    die "no control: $f"
	steps steps-$f lib/confine-$f
done
# Not in the place of one that runs.
for p in $programs; do
	cp standin/$p "$root/libexec/qgad/$p.new" &&
	mv "$root/libexec/qgad/$p.new" "$root/libexec/qgad/$p" || exit 1
done
echo "$made" >.standin
echo "$root"
