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

# Shared by the system tests: starts and stops a real qgad in the test's work
# directory and talks to it.  A test case's body and its cleanup are separate
# A freeze of real file systems on loop devices, in a cage (cage.subr).

# what HEAD every case has
about() {
	atf_set descr "$1"
	atf_set require.user root
}

atf_test_case basic cleanup
basic_head() {
	about "freeze by list: writers block, thaw, they go on, data is equal"
}
basic_body() {
	cage_make
	fs a ext4
	fs b ext4
	if command -v mkfs.xfs >/dev/null; then
		fs x xfs
	else
		fs x ext4
	fi
	if grep -q btrfs /proc/filesystems && command -v mkfs.btrfs \
	    >/dev/null; then
		fs y btrfs
	else
		fs y ext4
	fi
	hook one </dev/null
	hook two </dev/null
	caged_qgad
	says '{"return": "thawed"}' fsfreeze-status
	returns 0 fsfreeze-thaw
	for f in a x y; do
		start_writer $f
	done
	returns 3 fsfreeze-freeze-list /mnt/a /mnt/x /mnt/x /nowhere /mnt/y
	says '{"return": "frozen"}' fsfreeze-status
	is_frozen /mnt/a /mnt/x /mnt/y
	is_thawed /mnt/b
	for f in a x y; do
		wait_for blocked $f || atf_fail "the writer to $f goes on"
	done
	# Again: what is, is said, and nothing more is frozen.
	returns 3 fsfreeze-freeze
	returns 3 fsfreeze-freeze-list /mnt/b
	is_thawed /mnt/b
	returns 3 fsfreeze-thaw
	says '{"return": "thawed"}' fsfreeze-status
	is_thawed /mnt/a /mnt/b /mnt/x /mnt/y
	returns 0 fsfreeze-thaw
	atf_check_equal "one freeze,two freeze,two thaw,one thaw" \
	    "$(paste -sd, cage/run/hooks)"
	for f in a x y; do
		written $f $(($(cat count.$f) + 1)) ||
		    wait_for written $f $(($(cat count.$f) + 5)) ||
		    atf_fail "the writer to $f does not go on"
		stop_writer $f
	done
	[ ! -e cage/run/state/qgad.frozen ] || atf_fail "the marker stays"
	# An empty list freezes none; no list, all.
	says '{"return": 0}' fsfreeze-freeze-list /nowhere
	atf_check_equal '{"return": 0}' "$(qga '{"execute":"guest-fsfreeze-freeze-list","arguments":{"mountpoints":[]}}')"
	says '{"return": "thawed"}' fsfreeze-status
	returns 4 fsfreeze-freeze-list
	is_frozen /mnt/b
	returns 4 fsfreeze-thaw
	is_thawed /mnt/a /mnt/b /mnt/x /mnt/y
	returns 4 fsfreeze-freeze
	is_frozen /mnt/a /mnt/b /mnt/x /mnt/y
	returns 4 fsfreeze-thaw
	stop_qgad
}
basic_cleanup() {
	cage_cleanup
}


atf_test_case stacked cleanup
stacked_head() {
	about "a loop device on what is frozen too: in an order that works"
}
stacked_body() {
	cage_make
	fs lower ext4
	fs upper ext4 /mnt/lower/upper.img
	truncate -s 8M "$in/mnt/upper/top.img"
	mkfs.ext4 -q "$in/mnt/upper/top.img"
	loop /mnt/upper/top.img
	mkdir cage/mnt/top
	inside mount "$dev" /mnt/top
	# The oldest mount stands on the newest: no order of mounts would do.
	fs late ext4
	echo dirty >"$in/mnt/upper/data"
	caged_qgad
	start_writer top
	returns 4 fsfreeze-freeze
	is_frozen /mnt/lower /mnt/upper /mnt/top /mnt/late
	wait_for blocked top || atf_fail "the writer goes on"
	returns 4 fsfreeze-thaw
	is_thawed /mnt/top /mnt/upper /mnt/lower /mnt/late
	stop_writer top
	# The lowest alone, or the highest, or these two.
	returns 1 fsfreeze-freeze-list /mnt/lower
	returns 1 fsfreeze-thaw
	returns 2 fsfreeze-freeze-list /mnt/lower /mnt/top
	returns 2 fsfreeze-thaw
	is_thawed /mnt/top /mnt/upper /mnt/lower
}
stacked_cleanup() {
	cage_cleanup
}

atf_test_case stacked_control cleanup
stacked_control_head() {
	about "control: the other way round the freeze hangs, and is undone"
}
stacked_control_body() {
	cage_make "$(sh "$common/variant.sh" order 0x4000000)"
	fs lower ext4
	fs upper ext4 /mnt/lower/upper.img
	printf '[freeze]\nstuck-after = 1\n' >cage/etc/qgad.conf
	caged_qgad
	echo dirty >"$in/mnt/upper/data"
	# It takes the host's answer to tell.
	case $(ask fsfreeze-freeze) in
	*'failed to freeze /mnt/upper: it takes longer than 1 seconds'*) ;;
	*)	atf_fail "the wrong order works" ;;
	esac
	# Only now the lower is thawed, by the test: the rest follows.
	"$h_freeze" thaw "$in/mnt/lower" || :
	is_thawed /mnt/upper /mnt/lower
}
stacked_control_cleanup() {
	cage_cleanup
}

# /mnt/upper on a device that lies, through others, on a file of /mnt/lower:
# loop devices in truth, dm and md on them in a record of /sys.
devices_make() {
	fs lower ext4
	truncate -s 16M "$in/mnt/lower/upper.img"
	mkfs.ext4 -q "$in/mnt/lower/upper.img"
	loop /mnt/lower/upper.img
	below=$dev
	loop "$below"
	mkdir cage/mnt/upper
	inside mount "$dev" /mnt/upper || atf_fail "mount of upper"
	# Mounted once more, the lower is the newer: mounts alone would say
	# that it is the first.
	mkdir cage/mnt/again
	inside mount --bind /mnt/lower /mnt/again
	printf '[freeze]\nstuck-after = 1\n' >cage/etc/qgad.conf
}

# sys PATH TEXT: recorded
sys() {
	mkdir -p "cage/sys.new/$(dirname "$1")"
	echo "$2" >"cage/sys.new/$1"
}

# devices_record: upper a partition (259:0) of dm 253:1, a volume on md 9:0,
# which is of dm 253:0 and a disk; that dm is on the loop device.
devices_record() {
	b=dev/block
	l=$b/7:${below#/dev/loop}
	sys "$l/loop/backing_file" /mnt/lower/upper.img
	u=$b/7:${dev#/dev/loop}
	mkdir -p "cage/sys.new/devices/dm-1/upper1"
	sys devices/dm-1/dev 253:1
	echo 1 >cage/sys.new/devices/dm-1/upper1/partition
	ln -s ../../devices/dm-1/upper1 "cage/sys.new/$u"
	sys $b/253:1/slaves/md0/dev 9:0
	sys $b/9:0/slaves/sda/dev 8:0
	sys $b/9:0/slaves/dm-0/dev 253:0
	sys "$b/253:0/slaves/${below#/dev/}/dev" "7:${below#/dev/loop}"
	inside mount --bind /sys.new /sys || atf_fail "no record"
}

atf_test_case devices cleanup
devices_head() {
	about "a file system several devices above a file: in order"
}
devices_body() {
	cage_make
	devices_make
	echo dirty >"$in/mnt/upper/data"
	caged_qgad
	returns 2 fsfreeze-freeze
	is_frozen /mnt/lower /mnt/upper
	returns 2 fsfreeze-thaw
	is_thawed /mnt/upper /mnt/lower
	devices_record
	echo dirty more >"$in/mnt/upper/data"
	returns 2 fsfreeze-freeze
	is_frozen /mnt/lower /mnt/upper
	returns 2 fsfreeze-thaw
	is_thawed /mnt/upper /mnt/lower
	stop_qgad
}
devices_cleanup() {
	cage_cleanup
}

atf_test_case devices_control cleanup
devices_control_head() {
	about "control: where one of them is not recorded, it hangs"
}
devices_control_body() {
	cage_make
	devices_make
	devices_record
	rm "cage/sys.new/dev/block/253:0/slaves/${below#/dev/}/dev"
	caged_qgad
	echo dirty >"$in/mnt/upper/data"
	case $(ask fsfreeze-freeze) in
	*'failed to freeze /mnt/upper: it takes longer than 1 seconds'*) ;;
	*)	atf_fail "it is in order without" ;;
	esac
	"$h_freeze" thaw "$in/mnt/lower" || :
	is_thawed /mnt/upper /mnt/lower
}
devices_control_cleanup() {
	cage_cleanup
}

atf_test_case which cleanup
which_head() {
	about "binds, read-only ones, modes, what is not there, what is excluded"
}
which_body() {
	cage_make
	fs a ext4
	fs ro ext4
	fs gone ext4
	fs priv ext4
	fs left ext4
	mkdir -p cage/mnt/bind cage/mnt/robind "cage/mnt/with blank\\" \
	    cage/mnt/file cage/mnt/left/over
	: >cage/mnt/file/bound
	: >"$in/mnt/a/file"
	inside mount --bind /mnt/a /mnt/bind
	inside mount --bind /mnt/a /mnt/robind
	inside mount -o remount,bind,ro /mnt/robind
	inside mount --bind /mnt/a "/mnt/with blank\\"
	inside mount --bind /mnt/a/file /mnt/file/bound
	inside mount -o remount,ro /mnt/ro
	inside umount /mnt/gone
	chmod 0 "$in/mnt/priv"
	printf '[freeze]\nexclude = /mnt/lef,/mnt/left\n' >cage/etc/qgad.conf
	caged_qgad
	for point in /mnt/a /mnt/bind /mnt/robind /mnt/file/bound; do
		returns 1 fsfreeze-freeze-list "$point"
		is_frozen /mnt/a
		is_thawed /mnt/left
		returns 1 fsfreeze-thaw
	done
	returns 1 fsfreeze-freeze-list '/mnt/with blank\\'
	returns 1 fsfreeze-thaw
	returns 1 fsfreeze-freeze-list /mnt/a /mnt/bind /mnt/robind /mnt/a
	returns 1 fsfreeze-thaw
	returns 0 fsfreeze-freeze-list /mnt/ro
	returns 0 fsfreeze-freeze-list /mnt/gone
	returns 0 fsfreeze-freeze-list /proc / /sys
	returns 0 fsfreeze-freeze-list /mnt/left
	returns 1 fsfreeze-freeze-list /mnt/priv
	returns 1 fsfreeze-thaw
	returns 2 fsfreeze-freeze
	is_frozen /mnt/a /mnt/priv
	is_thawed /mnt/left
	returns 2 fsfreeze-thaw
	is_thawed /mnt/a /mnt/priv
	# Hidden by another: it cannot be reached, the other one can.
	inside mount --bind /mnt/left /mnt/priv
	returns 1 fsfreeze-freeze
	returns 1 fsfreeze-thaw
	logged 'something else is mounted over it'
	inside umount /mnt/priv
	# By one that was mounted on a directory above it.
	fs up/hidden ext4 /img/hidden.img
	inside mount -t tmpfs tmpfs /mnt/up
	returns 2 fsfreeze-freeze
	returns 2 fsfreeze-thaw
	logged '/mnt/up/hidden is not frozen: something else is mounted'
}
which_cleanup() {
	cage_cleanup
}

atf_test_case user_mounts cleanup
user_mounts_head() {
	about "a user's fuse over his directories neither ends nor delays a freeze"
}
user_mounts_body() {
	[ -c /dev/fuse ] || atf_skip "needs /dev/fuse"
	cage_make
	fs a ext4
	fs his ext4
	fs dir/below ext4 /img/below.img
	mkdir cage/mnt/mine
	fs on_his ext4 /mnt/mine/img
	mknod -m 666 cage/dev/fuse c 10 229
	copy "$(atf_get_srcdir)/h_deadfuse"
	caged_qgad
	returns 4 fsfreeze-freeze
	returns 4 fsfreeze-thaw
	inside "$(atf_get_srcdir)/h_deadfuse" -u 65534 /mnt/his /mnt/dir \
	    /mnt/mine >dead.out 2>dead.err &
	echo $! >dead.pid
	wait_for grep -q ready dead.out || atf_fail "$(cat dead.err)"
	returns 1 fsfreeze-freeze
	is_frozen /mnt/a
	returns 1 fsfreeze-thaw
	is_thawed /mnt/a
	logged '/mnt/his is not frozen: something else is mounted over it'
	logged '/mnt/dir/below is not frozen: something else is mounted over'
	logged 'on /mnt/mine/img is not frozen: a user answers for it'
	returns 1 fsfreeze-freeze-list /mnt/a /mnt/dir/below
	returns 1 fsfreeze-thaw
	stop_qgad
}
user_mounts_cleanup() {
	[ ! -f dead.pid ] || kill "$(cat dead.pid)"
	cage_cleanup
}

atf_test_case foreign cleanup
foreign_head() {
	about "what another tool froze is not counted and not thawed"
}
foreign_body() {
	cage_make
	fs a ext4
	fs b ext4
	caged_qgad
	"$h_freeze" freeze "$in/mnt/b"
	returns 1 fsfreeze-freeze
	is_frozen /mnt/a /mnt/b
	returns 1 fsfreeze-thaw
	is_thawed /mnt/a
	is_frozen /mnt/b
	returns 1 fsfreeze-freeze
	# Thawed by somebody else meanwhile: the count tells.
	"$h_freeze" thaw "$in/mnt/a"
	returns 0 fsfreeze-thaw
	is_frozen /mnt/b
	"$h_freeze" thaw "$in/mnt/b"
}
foreign_cleanup() {
	cage_cleanup
}

atf_test_case many cleanup
many_head() {
	about "two hundred file systems"
	atf_set timeout 300
}
many_body() {
	cage_make
	truncate -s 2M cage/img/template
	mkfs.ext4 -q -O ^has_journal cage/img/template
	i=0
	while [ $i -lt 200 ]; do
		cp --sparse=always cage/img/template cage/img/$i
		loop /img/$i
		mkdir cage/mnt/$i
		inside mount "$dev" /mnt/$i || atf_fail "mount $i"
		i=$((i + 1))
	done
	caged_qgad
	qga_seconds=60
	returns 200 fsfreeze-freeze
	is_frozen /mnt/0 /mnt/77 /mnt/199
	returns 200 fsfreeze-thaw
	is_thawed /mnt/0 /mnt/77 /mnt/199
	returns 200 fsfreeze-freeze
	kill -KILL "$(freezer)"
	returns 0 fsfreeze-thaw
	is_thawed /mnt/0 /mnt/77 /mnt/199
	stop_qgad
	i=0
	while [ $i -lt 200 ]; do
		inside umount /mnt/$i || atf_fail "umount $i"
		i=$((i + 1))
	done
}
many_cleanup() {
	cage_cleanup
}

freezer() {
	role_pids freeze
}

# The keeper is the freezer's child, or nobody's.
keeper() {
	for k in /proc/[0-9]*; do
		case $(cat "$k/cmdline" 2>/dev/null | tr '\0' ' ') in
		*"qgad-freeze: keeper"*)
			[ "$(stat -Lc %i "$k/ns/mnt" 2>/dev/null)" = \
			    "$(stat -Lc %i "/proc/$(cat cage.pid)/ns/mnt")" ] &&
			    echo "${k#/proc/}" ;;
		esac
	done
}

atf_test_case umounts cleanup
umounts_head() {
	about "umount is refused while frozen; umount -l does no harm"
}
umounts_body() {
	cage_make
	fs a ext4
	fs b ext4
	caged_qgad
	returns 2 fsfreeze-freeze
	inside umount /mnt/a 2>/dev/null && atf_fail "umount while frozen"
	inside umount -l /mnt/b || atf_fail "umount -l"
	returns 2 fsfreeze-thaw
	is_thawed /mnt/a
	inside umount /mnt/a || atf_fail "umount after the thaw"
	# It was thawed though it had no name any more.
	inside mount "$(tail -n 1 loops)" /mnt/b
	is_thawed /mnt/b
}
umounts_cleanup() {
	cage_cleanup
}

atf_test_case timer cleanup
timer_head() {
	about "the host vanishes while frozen: it thaws by itself, and says so"
}
timer_body() {
	cage_make
	fs a ext4
	hook h </dev/null
	printf '[freeze]\nauto-thaw = 1\n' >cage/etc/qgad.conf
	caged_qgad
	start_writer a
	returns 1 fsfreeze-freeze
	n=$(cat count.a)
	wait_for written a $((n + 5)) || { show_log; atf_fail "still frozen"; }
	wait_for thawed || atf_fail "the status says frozen"
	returns 0 fsfreeze-thaw
	logged 'time for a freeze, auto-thaw, is over'
	stop_writer a
	atf_check_equal "h freeze,h thaw" "$(paste -sd, cage/run/hooks)"
}
timer_cleanup() {
	cage_cleanup
}

thawed() {
	[ "$(ask fsfreeze-status)" = '{"return": "thawed"}' ]
}

atf_test_case ends cleanup
ends_head() {
	about "SIGTERM while frozen thaws, runs the thaw hooks, then ends"
}
ends_body() {
	cage_make
	fs a ext4
	hook h </dev/null
	caged_qgad
	for sig in TERM INT; do
		: >cage/run/hooks
		returns 1 fsfreeze-freeze
		p=$(qgad_pid)
		kill -$sig "$p"
		wait_for gone "$p" || atf_fail "it does not end"
		is_thawed /mnt/a
		atf_check_equal "h freeze,h thaw" \
		    "$(paste -sd, cage/run/hooks)"
		[ ! -e cage/run/state/qgad.frozen ] || atf_fail "a marker"
		caged_qgad
	done
	# SIGTERM to the freezer itself thaws too.
	returns 1 fsfreeze-freeze
	kill -TERM "$(freezer)"
	is_thawed /mnt/a
	returns 0 fsfreeze-thaw
	stop_qgad
}
ends_cleanup() {
	cage_cleanup
}

atf_test_case stuck cleanup
stuck_head() {
	about "a freeze that does not return: an error in time, no deadlock"
}
stuck_body() {
	cage_make
	fs lower ext4
	fs other ext4
	fs upper ext4 /mnt/lower/upper.img
	hook h </dev/null
	printf '[freeze]\nstuck-after = 1\n' >cage/etc/qgad.conf
	caged_qgad
	echo dirty >"$in/mnt/upper/data"
	"$h_freeze" freeze "$in/mnt/lower"
	case $(ask fsfreeze-freeze-list /mnt/other /mnt/upper) in
	*'failed to freeze /mnt/upper: it takes longer than 1 seconds'*) ;;
	*)	show_log; atf_fail "no error, or another" ;;
	esac
	# Nobody is thawed before the freezer has gone, and it cannot go.
	says '{"return": "frozen"}' fsfreeze-status
	says '{"return": {}}' ping
	case $(ask fsfreeze-freeze) in
	*'a thaw is under way'*) ;;
	*)	atf_fail "a freeze during the thaw" ;;
	esac
	"$h_freeze" thaw "$in/mnt/lower"
	is_thawed /mnt/upper /mnt/other /mnt/lower
	wait_for thawed || { show_log; atf_fail "the status says frozen"; }
	atf_check_equal "h freeze,h thaw" "$(paste -sd, cage/run/hooks)"
	returns 3 fsfreeze-freeze
	returns 3 fsfreeze-thaw
	stop_qgad
}
stuck_cleanup() {
	cage_cleanup
}

# The shipped objects but for a thaw that fails as long as /run/broken is 1.
broken_thaws() {
	b=${prefix%/root}
	flags() {
		sed -n "s/^$1=[	 ]*//p" "$b/config.mk"
	}
	# shellcheck disable=SC2046 # flags
	(cd "$b" && $(flags CC) $(flags CFLAGS) $(flags LDFLAGS) \
	    $(flags WORKERFLAGS) -Wl,--wrap=fs_thaw \
	    -Wl,--wrap=fs_freeze -o "$OLDPWD/broken" \
	    regress/system/standin/thaw.c workers/freeze.o \
	    workers/workers.ar lib/lib.ar imsg/imsg.ar lib/lib.ar \
	    imsg/imsg.ar) || atf_fail "no freezer whose thaws fail"
	cp broken "cage$prefix/libexec/qgad/qgad-freeze" ||
	    atf_fail "it cannot be put there"
	printf 1-0 >cage/run/broken
}

unbroken() {
	printf 0- | dd of=cage/run/broken conv=notrunc 2>/dev/null
}

atf_test_case thaw_fails cleanup
thaw_fails_head() {
	about "a thaw that fails: tried again, never taken for done"
}
thaw_fails_body() {
	cage_make
	fs a ext4
	fs b ext4
	hook h </dev/null
	broken_thaws
	caged_qgad
	m=cage/run/state/qgad.frozen
	returns 2 fsfreeze-freeze
	"$qgaclient" -t 60 "$PWD/sock" '{"execute":"guest-fsfreeze-thaw"}' \
	    >late &
	client=$!
	wait_for grep -q '1!' cage/run/broken || atf_fail "no thaw is tried"
	is_frozen /mnt/a /mnt/b
	[ -e $m ] || atf_fail "no marker while it is frozen"
	unbroken
	wait $client || atf_fail "the thaw has no answer"
	atf_check_equal '{"return": 2}' "$(cat late)"
	is_thawed /mnt/a /mnt/b
	thawed || atf_fail "the status says frozen"
	logged '/mnt/a cannot be thawed: Input/output error'
	logged '/mnt/b cannot be thawed: Input/output error'
	# Freezer and keeper have gone, and the sweeper's thaw fails as well:
	# the status says so, and what the host asks for is to try again.
	printf 1- | dd of=cage/run/broken conv=notrunc 2>/dev/null
	: >cage/run/hooks
	returns 2 fsfreeze-freeze
	kill -KILL "$(freezer)" "$(keeper)"
	wait_for grep -q 'h thaw' cage/run/hooks || atf_fail "no thaw hooks"
	says '{"return": "frozen"}' fsfreeze-status
	case $(ask fsfreeze-thaw) in
	*'not all could be thawed'*) ;;
	*)	show_log; atf_fail "the thaw does not fail" ;;
	esac
	case $(ask fsfreeze-freeze) in
	*'what was frozen before could not be thawed'*) ;;
	*)	show_log; atf_fail "a freeze of what is frozen" ;;
	esac
	is_frozen /mnt/a /mnt/b
	[ -e $m ] || atf_fail "the marker has gone"
	# A start cannot either, and says so; --thaw fails.
	kill -KILL "$(qgad_pid)"
	wait_for gone "$(qgad_pid)"
	caged_qgad
	says '{"return": "frozen"}' fsfreeze-status
	inside "$prefix/sbin/qgad" -c /etc/qgad.conf -t /run/state -F/hooks \
	    --thaw 2>thaw.err && atf_fail "--thaw succeeds"
	is_frozen /mnt/a /mnt/b
	[ -e $m ] || atf_fail "the marker has gone"
	unbroken
	returns 2 fsfreeze-thaw
	is_thawed /mnt/a /mnt/b
	says '{"return": "thawed"}' fsfreeze-status
	[ ! -e $m ] || atf_fail "the marker stays"
	returns 2 fsfreeze-freeze
	returns 2 fsfreeze-thaw
	stop_qgad
}
thaw_fails_cleanup() {
	cage_cleanup
}

atf_test_case quiesce cleanup
quiesce_head() {
	about "what knows no freeze: left out, or flushed where that is wanted"
}
quiesce_body() {
	cage_make
	fs a ext4
	hook h </dev/null
	broken_thaws
	printf 0-1 >cage/run/broken
	caged_qgad
	returns 0 fsfreeze-freeze
	says '{"return": "thawed"}' fsfreeze-status
	stop_qgad
	printf '[freeze]\nquiesce = true\n' >cage/etc/qgad.conf
	: >cage/run/hooks
	caged_qgad
	start_writer a
	returns 1 fsfreeze-freeze
	says '{"return": "frozen"}' fsfreeze-status
	# Its writers go on, the agent does not.
	wait_for written a $(($(cat count.a) + 5)) ||
	    atf_fail "the writer is blocked"
	case $(ask get-osinfo) in
	*'the agent is in frozen state'*) ;;
	*)	atf_fail "a query passes" ;;
	esac
	returns 1 fsfreeze-thaw
	says '{"return": "thawed"}' fsfreeze-status
	atf_check_equal "h freeze,h thaw" "$(paste -sd, cage/run/hooks)"
	# One that can be frozen is, all the same.
	printf 0-0 | dd of=cage/run/broken conv=notrunc 2>/dev/null
	returns 1 fsfreeze-freeze
	wait_for blocked a || atf_fail "the writer goes on"
	returns 1 fsfreeze-thaw
	stop_writer a
	stop_qgad
}
quiesce_cleanup() {
	cage_cleanup
}

atf_test_case hooks cleanup
hooks_head() {
	about "hooks that fail: warned of, or by the key an end of the freeze"
}
hooks_body() {
	cage_make
	fs a ext4
	hook bad <<'EOT'
[ "$1" != freeze ]
EOT
	caged_qgad
	returns 1 fsfreeze-freeze
	returns 1 fsfreeze-thaw
	stop_qgad
	printf '[freeze]\nhook-failure = abort\n' >cage/etc/qgad.conf
	caged_qgad
	: >cage/run/hooks
	case $(ask fsfreeze-freeze) in
	*'failed to execute fsfreeze hook'*) ;;
	*)	show_log; atf_fail "no error" ;;
	esac
	says '{"return": "thawed"}' fsfreeze-status
	is_thawed /mnt/a
	atf_check_equal "bad freeze,bad thaw" "$(paste -sd, cage/run/hooks)"
	returns 0 fsfreeze-thaw
	stop_qgad
}
hooks_cleanup() {
	cage_cleanup
}

atf_test_case held_log cleanup
held_log_head() {
	about "the log lies on what is frozen: nothing waits for it"
}
held_log_body() {
	cage_make
	fs a ext4
	mkdir "$in/mnt/a/log"
	chmod 777 "$in/mnt/a/log"
	caged_qgad -l /mnt/a/log/qgad
	returns 1 fsfreeze-freeze
	for i in 1 2 3 4 5 6; do
		says '{"return": {}}' ping
		ask get-osinfo >refused
		grep -q 'frozen state' refused || atf_fail "$(cat refused)"
	done
	# SIGHUP, which opens it anew, waits as well.
	kill -HUP "$(qgad_pid)"
	says '{"return": {}}' ping
	returns 1 fsfreeze-thaw
	is_thawed /mnt/a
	wait_for grep -q guest-get-osinfo "$in/mnt/a/log/qgad" ||
	    atf_fail "the lines of the freeze are lost"
	stop_qgad
}
held_log_cleanup() {
	cage_cleanup
}

atf_test_case markers cleanup
markers_head() {
	about "a start and --thaw: what a marker of this boot names, no other"
}
markers_body() {
	cage_make
	fs a ext4
	fs b ext4
	hook h </dev/null
	m=cage/run/state/qgad.frozen
	boot=$(cat /proc/sys/kernel/random/boot_id)
	dev_a=$(stat -Lc '%Hd:%Ld' "$in/mnt/a") || atf_fail stat
	thaw_run() {
		inside "$prefix/sbin/qgad" -c /etc/qgad.conf -t /run/state \
		    -F/hooks --thaw >thaw.out 2>thaw.err ||
		    { cat thaw.err >&2; atf_fail "--thaw fails"; }
	}
	: >cage/etc/qgad.conf
	# Nothing to do, and nothing done.
	thaw_run
	[ ! -s cage/run/hooks ] || atf_fail "hooks ran"
	# Of this boot: by its number, the path is only a name.
	"$h_freeze" freeze "$in/mnt/a"
	"$h_freeze" freeze "$in/mnt/b"
	printf 'qgad-freeze 1\nboot %s\nfs %s /mnt/x\nend\n' "$boot" \
	    "$dev_a" >$m
	thaw_run
	is_thawed /mnt/a
	is_frozen /mnt/b
	grep -q 'was frozen and is thawed' thaw.err || atf_fail "not said"
	atf_check_equal "h thaw" "$(paste -sd, cage/run/hooks)"
	[ ! -e $m ] || atf_fail "the marker stays"
	# Of another boot: it is removed, and that is all.
	"$h_freeze" freeze "$in/mnt/a"
	printf 'qgad-freeze 1\nboot %s\nfs %s /mnt/a\nend\n' other \
	    "$dev_a" >$m
	: >cage/run/hooks
	thaw_run
	is_frozen /mnt/a /mnt/b
	[ ! -e $m ] || atf_fail "the marker of another boot stays"
	[ ! -s cage/run/hooks ] || atf_fail "hooks ran"
	# Half of one, somebody else's, a link: not obeyed.
	printf 'qgad-freeze 1\nboot %s\nfs %s /mnt/a\n' "$boot" "$dev_a" >$m
	thaw_run
	is_frozen /mnt/a
	echo end >>$m
	chmod 666 $m
	thaw_run
	is_frozen /mnt/a
	chmod 600 $m
	mv $m cage/run/elsewhere
	ln -s /run/elsewhere $m
	thaw_run
	is_frozen /mnt/a
	rm $m
	mv cage/run/elsewhere $m
	# A start does the same, before its log, which lies on it, is open.
	mkdir "$in/mnt/a/log" 2>/dev/null &
	caged_qgad -l /run/qgad.log
	is_thawed /mnt/a
	is_frozen /mnt/b
	"$h_freeze" thaw "$in/mnt/b"
	stop_qgad
}
markers_cleanup() {
	cage_cleanup
}

atf_test_case hidden cleanup
hidden_head() {
	about "a sweep thaws what later mounts hide, and leaves those alone"
}
hidden_body() {
	cage_make
	fs a ext4
	fs up/deep ext4 /img/deep.img
	fs gone ext4
	: >cage/etc/qgad.conf
	m=cage/run/state/qgad.frozen
	{
		printf 'qgad-freeze 1\nboot %s\n' \
		    "$(cat /proc/sys/kernel/random/boot_id)"
		for f in a up/deep gone; do
			stat -Lc "fs %Hd:%Ld /mnt/$f" "$in/mnt/$f" ||
			    atf_fail "stat"
		done
		echo end
	} >marker
	inside umount /mnt/gone
	for f in a up/deep; do
		"$h_freeze" freeze "$in/mnt/$f"
	done
	inside mount -t tmpfs tmpfs /mnt/a
	inside mount -t tmpfs tmpfs /mnt/a
	inside mount -t tmpfs tmpfs /mnt/up
	if [ -c /dev/fuse ]; then
		mknod -m 666 cage/dev/fuse c 10 229
		copy "$(atf_get_srcdir)/h_deadfuse"
		inside "$(atf_get_srcdir)/h_deadfuse" -u 65534 /mnt/a \
		    >dead.out 2>dead.err &
		echo $! >dead.pid
		wait_for grep -q ready dead.out || atf_fail "$(cat dead.err)"
	fi
	inside cat /proc/self/mountinfo >before
	cp marker $m
	inside "$prefix/sbin/qgad" -c /etc/qgad.conf -t /run/state -F/hooks \
	    --thaw 2>thaw.err ||
	    { cat thaw.err >&2; atf_fail "--thaw fails"; }
	inside cat /proc/self/mountinfo >after
	atf_check cmp before after
	for f in a up/deep; do
		atf_check -o ignore grep "/mnt/$f was frozen and is" thaw.err
	done
	# What is not mounted any more cannot be frozen by us still.
	atf_check -o ignore grep '/mnt/gone, which may be frozen,' thaw.err
	[ ! -e $m ] || atf_fail "the marker stays"
	[ ! -f dead.pid ] || inside umount -l /mnt/a
	inside umount /mnt/up
	inside umount /mnt/a
	inside umount /mnt/a
	is_thawed /mnt/a /mnt/up/deep
}
hidden_cleanup() {
	[ ! -f dead.pid ] || kill "$(cat dead.pid)"
	cage_cleanup
}

# every command of the table; those that need arguments are refused first
all_commands() {
	"$prefix/sbin/qgad" --list-commands | awk 'NR > 1 { print $1, $4 }'
}

gate() {
	all_commands | while read -r command passes; do
		case $command in
		# What passes is asked for with what it needs.
		guest-sync*)	args=',"arguments":{"id":7}' ;;
		*)		args= ;;
		esac
		reply=$(qga "{\"execute\":\"$command\"$args}" | tr -d '\377')
		case $passes,$reply in
		passes,'{"return": '*) ;;
		refused,*'"GenericError"'*"Command $command has been disabled: the agent is in frozen state"*) ;;
		*)	echo "$command $passes: $reply" ;;
		esac
		# The thaw is among them.
		[ "$command" != guest-fsfreeze-thaw ] ||
		    returns 1 fsfreeze-freeze-list /mnt/a
	done
}

# How long they take, for who reads the output.
pings() {
	began=$(date +%s%N)
	i=0
	set --
	while [ $i -lt 500 ]; do
		set -- "$@" '{"execute":"guest-ping"}'
		i=$((i + 1))
	done
	qga "$@" >pongs
	atf_check_equal 500 "$(grep -c '"return": {}' pongs)"
	echo $((($(date +%s%N) - began) / 1000000))
}

atf_test_case gate cleanup
gate_head() {
	about "while frozen eight commands pass, and no other"
}
gate_body() {
	cage_make
	fs a ext4
	caged_qgad
	returns 1 fsfreeze-freeze-list /mnt/a
	gate >wrong
	atf_check cat wrong
	echo "500 pings frozen: $(pings) ms"
	atf_check_equal 8 "$(all_commands | grep -c passes)"
	# guest-info says which.
	n=$(ask info | grep -o '"enabled": true' | wc -l)
	atf_check_equal 8 "$n"
	returns 1 fsfreeze-thaw
	n=$(ask info | grep -o '"enabled": false' | wc -l)
	atf_check_equal 0 "$n"
	echo "500 pings thawed: $(pings) ms"
	stop_qgad
}
gate_cleanup() {
	cage_cleanup
}

atf_test_case confined cleanup
confined_head() {
	about "freezer and keeper while frozen: as the table of roles says"
}
confined_body() {
	cage_make
	fs a ext4
	fs b ext4
	caged_qgad
	returns 2 fsfreeze-freeze
	empty=$PWD/cage$prefix/libexec/qgad/empty
	atf_check -o ignore "$confcheck" "$(freezer)" freeze - "$empty"
	atf_check -o ignore "$confcheck" "$(keeper)" keeper - "$empty"
	# One of root's powers, and nobody's.
	for p in $(freezer) $(keeper); do
		atf_check -o 'match:CapEff:.0000000000200000' \
		    -o 'match:CapBnd:.0000000000000000' \
		    cat "/proc/$p/status"
	done
	# What was held is let go: nobody is left.
	returns 2 fsfreeze-thaw
	wait_for none_left || atf_fail "a freezer or a keeper is left"
	inside umount /mnt/a || atf_fail "a descriptor of it is left"
	stop_qgad
}
confined_cleanup() {
	cage_cleanup
}

none_left() {
	[ -z "$(freezer)$(keeper)" ]
}

# The programs, their libraries, the log, the state, the hooks: all of it lies
# on the root, and that is what is frozen.
root_make() {
	cage_make
	copy "$(command -v chroot)"
	truncate -s 256M cage/img/root.img
	mkfs.ext4 -q cage/img/root.img
	loop /img/root.img
	mkdir cage/mnt/root
	inside mount "$dev" /mnt/root || atf_fail "mount of the root"
	r=$in/mnt/root
	for d in etc dev hooks run tmp "$(echo "$prefix" | cut -d/ -f2)" \
	    lib lib64 usr bin; do
		[ ! -e "cage/$d" ] || cp -a "cage/$d" "$r/" ||
		    atf_fail "cp $d"
	done
	mkdir -p "$r/proc" "$r/sys"
	inside mount -t proc proc /mnt/root/proc || atf_fail "proc"
	inside mount -t sysfs sysfs /mnt/root/sys || atf_fail "sys"
	ln -s "$r/run/sock" sock
	ln -s "$r/run/qgad.log" qgad.log
	: >"$r/etc/qgad.conf"
	printf '#!/bin/sh\necho "h $1" >>/run/hooks\n' >"$r/hooks/h"
	chmod 755 "$r/hooks/h"
}

root_qgad() {
	nsenter -t "$(cat cage.pid)" -m -- chroot /mnt/root \
	    "$prefix/sbin/qgad" -c /etc/qgad.conf -t /run/state \
	    -l /run/qgad.log -m unix-listen -p /run/sock -F/hooks -v \
	    >qgad.out 2>>qgad.err &
	echo $! >>qgad.pids
	echo $! >qgad.pid
	answers || { show_log; atf_fail "qgad does not answer"; }
	safe "$(qgad_pid)"
}

root_is_thawed() {
	is_thawed /mnt/root
	wait_for thawed || { show_log; atf_fail "the status says frozen"; }
	atf_check_equal "$1" "$(paste -sd, "$r/run/hooks")"
	rm "$r/run/hooks"
	[ ! -e "$r/run/state/qgad.frozen" ] || atf_fail "the marker stays"
}

atf_test_case root cleanup
root_head() {
	about "the root itself, with all of qgad on it: frozen, left, killed"
}
root_body() {
	root_make
	root_qgad
	returns 1 fsfreeze-freeze
	is_frozen /mnt/root
	says '{"return": {}}' ping
	returns 1 fsfreeze-freeze
	returns 1 fsfreeze-thaw
	root_is_thawed "h freeze,h thaw"
	# A sweeper is started from what is frozen, and so is the next qgad.
	returns 1 fsfreeze-freeze
	kill -KILL "$(freezer)" "$(keeper)"
	root_is_thawed "h freeze,h thaw"
	returns 0 fsfreeze-thaw
	returns 1 fsfreeze-freeze
	f=$(freezer)
	k=$(keeper)
	# Or one sees the end of the other, and thaws.
	kill -STOP "$f" "$k"
	# shellcheck disable=SC2046 # a list of pids
	kill -KILL $(tree "$(qgad_pid)") "$k"
	wait_for gone "$f" || atf_fail "the freezer lives"
	wait_for gone "$k" || atf_fail "the keeper lives"
	is_frozen /mnt/root
	root_qgad
	root_is_thawed "h freeze,h thaw"
	returns 1 fsfreeze-freeze
	kill -TERM "$(qgad_pid)"
	wait_for gone "$(qgad_pid)" || atf_fail "it does not end"
	is_thawed /mnt/root
	atf_check_equal "h freeze,h thaw" "$(paste -sd, "$r/run/hooks")"
}
root_cleanup() {
	cage_cleanup
}

atf_test_case thawing cleanup
thawing_head() {
	about "while the thaw hooks run after a thaw by itself: still refused"
}
thawing_body() {
	cage_make
	fs a ext4
	mkfifo cage/run/fifo
	exec 9<>cage/run/fifo
	hook h <<'EOT'
[ "$1" = freeze ] || read x </run/fifo
EOT
	printf '[freeze]\nauto-thaw = 1\n' >cage/etc/qgad.conf
	caged_qgad
	returns 1 fsfreeze-freeze
	wait_for grep -q thaw cage/run/hooks || atf_fail "no thaw hook"
	# The writers go on already; the state is not thawed.
	is_thawed /mnt/a
	says '{"return": "frozen"}' fsfreeze-status
	case $(ask get-osinfo) in
	*'the agent is in frozen state'*) ;;
	*)	atf_fail "a query passes" ;;
	esac
	case $(ask fsfreeze-freeze) in
	*'a thaw is under way'*) ;;
	*)	atf_fail "a freeze passes" ;;
	esac
	"$qgaclient" -t 60 "$PWD/sock" '{"execute":"guest-fsfreeze-thaw"}' \
	    >late 9>&- &
	echo go >&9
	wait $! || atf_fail "the thaw fails"
	# It thawed nothing: the freeze had ended before.
	atf_check_equal '{"return": 0}' "$(cat late)"
	says '{"return": "thawed"}' fsfreeze-status
	stop_qgad
}
thawing_cleanup() {
	cage_cleanup
}

atf_test_case jobs cleanup
jobs_head() {
	about "jobs of before go on, or block on their own writes"
}
jobs_body() {
	cage_make
	fs a ext4
	caged_qgad
	for to in /mnt/a/job /run/job; do
		qga "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/sh\",\"arg\":[\"-c\",\"while [ ! -e /run/stop ]; do echo x >>$to; sleep 0.01; done\"],\"capture-output\":true}}" |
		    json_get pid >>started
	done
	wait_for test -s "$in/mnt/a/job" -a -s "$in/run/job" ||
	    atf_fail "no jobs"
	returns 1 fsfreeze-freeze
	n=$(wc -c <"$in/run/job")
	m=$(wc -c <"$in/mnt/a/job")
	wait_for longer "$in/run/job" "$n" || atf_fail "that job is held"
	# Its writer may be one step behind the freeze, no more.
	[ "$(wc -c <"$in/mnt/a/job")" -le $((m + 2)) ] ||
	    atf_fail "it writes on"
	returns 1 fsfreeze-thaw
	wait_for longer "$in/mnt/a/job" $((m + 2)) || atf_fail "it is held"
	: >cage/run/stop
	while read -r pid; do
		wait_for job_over "$pid" || atf_fail "pid $pid goes on"
	done <started
	stop_qgad
}
jobs_cleanup() {
	: >cage/run/stop
	cage_cleanup
}

longer() {
	[ "$(wc -c <"$1")" -gt "$2" ]
}

job_over() {
	case $(qga "{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":$1}}") in
	*'"exited": true'*) ;;
	*)	return 1 ;;
	esac
}

rogue_in_cage() {
	# The same build's id, the real frontend's place.
	cp "$common/../rogue/rogue" "cage$prefix/sbin/qgad.rogue" ||
	    atf_fail "no rogue was built"
	copy "$common/../rogue/rogue"
	r=cage$prefix/sbin
	mv "$r/qgad.rogue" "$r/qgad"
	cat >"$r/rogue.script"
	sed -n 's/.*"\(.*\)".*/\1/p' "$prefix/../buildid.h" >"$r/rogue.build"
	caged_spawn_parent
}

caged_spawn_parent() {
	[ -e qgad.log ] || ln -s cage/run/qgad.log qgad.log
	: >cage/etc/qgad.conf
	nsenter -t "$(cat cage.pid)" -m -- "$prefix/libexec/qgad/qgad-parent" \
	    -c /etc/qgad.conf -t /run/state -l /run/qgad.log -m unix-listen \
	    -p /run/sock -F/hooks -v >qgad.out 2>>qgad.err &
	echo $! >>qgad.pids
	echo $! >qgad.pid
}

rogue_script() {
	cat <<-'EOT'
	once
	hello
	until policy
	freeze /mnt/a
	until reply 10
	ask-all
	query guest-get-host-name
	until reply 10
	exec /usr/bin/touch /tmp/marker
	until reply 10
	exec-status 1
	until reply 10
	status
	until reply 10
	thaw
	until reply 10
	exec /usr/bin/touch /tmp/later
	until reply 10
	ask guest-ping
	wait
	EOT
}

rogue_said() {
	wait_seconds=30 wait_for grep -q "$1" "cage$prefix/sbin/rogue.log" || {
		cat "cage$prefix/sbin/rogue.log" >&2
		show_log
		atf_fail "the rogue's log has no: $1"
	}
}

atf_test_case gate_rogue cleanup
gate_rogue_head() {
	about "the monitor itself refuses, whatever the frontend sends"
}
gate_rogue_body() {
	cage_make
	fs a ext4
	copy /usr/bin/touch
	rogue_script | rogue_in_cage
	rogue_said 'disabled none$'
	rogue_said 'frozen 1 disabled'
	rogue_said 'Command guest-exec has been disabled: the agent is in froz'
	rogue_said 'Command guest-exec-status has been disabled: the agent is'
	rogue_said 'Command guest-get-host-name has been disabled: the agent'
	wait_for test -e cage/tmp/later ||
	    { show_log; atf_fail "no job after the thaw"; }
	[ ! -e cage/tmp/marker ] || atf_fail "a job ran while frozen"
	is_thawed /mnt/a
}
gate_rogue_cleanup() {
	cage_cleanup
}

atf_test_case gate_control cleanup
gate_control_head() {
	about "control: without the gate a job runs while frozen"
}
gate_control_body() {
	cage_make "$(sh "$common/variant.sh" gate 0x1000000)"
	fs a ext4
	caged_qgad
	copy /usr/bin/touch
	returns 1 fsfreeze-freeze-list /mnt/a
	gate >wrong
	grep -q guest-get-osinfo wrong || atf_fail "refused without the gate"
	qga '{"execute":"guest-exec","arguments":{"path":"/usr/bin/touch","arg":["/tmp/marker"]}}'
	wait_for test -e cage/tmp/marker || atf_fail "no job"
	returns 1 fsfreeze-thaw
}
gate_control_cleanup() {
	cage_cleanup
}

atf_test_case keeper_control cleanup
keeper_control_head() {
	about "control: without a keeper and a sweep a dead freezer's stays frozen"
}
keeper_control_body() {
	cage_make "$(sh "$common/variant.sh" keeper 0xa000000)"
	fs a ext4
	caged_qgad
	returns 1 fsfreeze-freeze-list /mnt/a
	p=$(qgad_pid)
	f=$(freezer)
	# Or it sees the end of its monitor, and thaws.
	kill -STOP "$f"
	kill -KILL "$p" "$f"
	wait_for gone "$p"
	wait_for gone "$f"
	is_frozen /mnt/a
	# Its start does not thaw; the other build's does.
	caged_qgad
	is_frozen /mnt/a
	stop_qgad
	is_frozen /mnt/a
	inside "$prefix/sbin/qgad" -c /etc/qgad.conf -t /run/state -F/hooks \
	    --thaw || atf_fail "--thaw"
	is_thawed /mnt/a
}
keeper_control_cleanup() {
	cage_cleanup
}

atf_test_case database cleanup
database_head() {
	about "sqlite, written to meanwhile: the frozen image has all it said"
	atf_set require.progs sqlite3
}
database_body() {
	cage_make
	fs a ext4
	caged_qgad
	db=/mnt/a/db
	inside sqlite3 $db 'pragma journal_mode=wal; create table t(n integer);' \
	    >/dev/null
	# A process of its own: it will block.
	(
		n=0
		while [ ! -e stop ]; do
			n=$((n + 1))
			inside sqlite3 $db "insert into t values($n);" || exit 1
			echo $n >acknowledged.new
			mv acknowledged.new acknowledged
		done
	) &
	writer=$!
	wait_for test -e acknowledged || atf_fail "no row"
	for round in 1 2 3; do
		before=$(cat acknowledged)
		wait_for test "$(cat acknowledged)" -gt 0
		returns 1 fsfreeze-freeze
		ack=$(cat acknowledged)
		cp --sparse=always cage/img/a.img copy.img
		returns 1 fsfreeze-thaw
		[ "$ack" -ge "$before" ] || atf_fail "$ack after $before"
		mkdir -p copied
		c=$(losetup -f --show copy.img) || atf_fail "losetup"
		echo "$c" >>loops
		mount "$c" copied || atf_fail "the image cannot be mounted"
		check=$(sqlite3 copied/db 'pragma integrity_check;')
		rows=$(sqlite3 copied/db 'select count(*) from t;')
		umount copied
		losetup -d "$c"
		echo "round $round: $rows rows, $ack acknowledged, $check"
		[ "$check" = ok ] || atf_fail "integrity: $check"
		[ "$rows" -ge "$ack" ] ||
		    atf_fail "$ack were acknowledged, $rows are there"
	done
	: >stop
	wait $writer || atf_fail "the writer failed"
}
database_cleanup() {
	: >stop
	cage_cleanup
	umount copied 2>/dev/null
	return 0
}

# The server runs outside of the cage, on the same file system mounted there
# as well; the hook finds it by its socket, in the cage.
pg_user() {
	setpriv --reuid=postgres --regid=postgres --init-groups "$@"
}

# pg_start DATA SOCKETS NAME: its log is ./NAME.log
pg_start() {
	setpriv --reuid=postgres --regid=postgres --init-groups \
	    "$pg/postgres" -D "$1" -k "$2" -c listen_addresses= \
	    -c shared_buffers=8MB -c log_checkpoints=on >"$3.log" 2>&1 &
	echo $! >>pg.pids
	wait_seconds=60 wait_for "$pg/pg_isready" -q -h "$2" ||
	    { cat "$3.log" >&2; atf_fail "PostgreSQL does not start"; }
}

# sql SOCKETS STATEMENT
sql() {
	"$pg/psql" -X -q -A -t -h "$1" -U postgres -d postgres \
	    -v ON_ERROR_STOP=1 -c "$2"
}

checkpoints() {
	grep -c 'checkpoint starting: .*immediate' first.log
}

# What the hook takes, with a PAM that lets root become anybody.
pg_hook() {
	copy "$(command -v su)" "$(command -v timeout)"
	for program in psql pg_isready; do
		copy "$pg/$program"
		ln -s "$pg/$program" "cage/usr/bin/$program"
	done
	for m in rootok permit; do
		copy "$(ls /lib/*/security/pam_$m.so | head -n 1)"
	done
	mkdir cage/etc/pam.d
	printf '%s required pam_%s.so\n' auth rootok account permit \
	    session permit >cage/etc/pam.d/su
	sed 's,^\(postgres:.*:\)[^:]*$,\1/bin/sh,' /etc/passwd \
	    >cage/etc/passwd
	sed 's,^HOST=.*,HOST=/run/pg,' \
	    "$common/../../etc/hooks/postgresql.sh" >cage/hooks/postgresql
	chmod 755 cage/hooks/postgresql
}

atf_test_case postgresql cleanup
postgresql_head() {
	about "PostgreSQL with its hook, written to: the frozen image has it all"
}
postgresql_body() {
	pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
	[ -x "$pg/postgres" ] && id postgres >/dev/null 2>&1 ||
	    atf_skip "needs PostgreSQL's server"
	cage_make
	truncate -s 256M cage/img/pg.img
	mkfs.ext4 -q cage/img/pg.img
	loop /img/pg.img
	mkdir cage/mnt/pg pg copied cage/run/pg second
	inside mount "$dev" /mnt/pg && mount "$dev" pg || atf_fail "mount"
	mkdir -m 700 pg/data
	chown postgres pg/data cage/run/pg second
	pg_user "$pg/initdb" -D "$PWD/pg/data" -A trust -k --no-sync \
	    >initdb.out 2>&1 || { cat initdb.out >&2; atf_fail initdb; }
	pg_start "$PWD/pg/data" "$PWD/cage/run/pg" first
	sql "$PWD/cage/run/pg" 'create table t(n integer)' ||
	    atf_fail "no table"
	pg_hook
	caged_qgad
	# A process of its own: it will block.
	(
		n=0
		while [ ! -e stop ]; do
			n=$((n + 1))
			sql "$PWD/cage/run/pg" "insert into t values($n)" ||
			    exit 1
			echo $n >acknowledged.new
			mv acknowledged.new acknowledged
		done
	) &
	writer=$!
	wait_for test -e acknowledged || atf_fail "no row"
	for round in 1 2; do
		made=$(checkpoints)
		returns 1 fsfreeze-freeze
		ack=$(cat acknowledged)
		cp --sparse=always cage/img/pg.img copy.img
		returns 1 fsfreeze-thaw
		logged 'hook /hooks/postgresql freeze: done'
		[ "$(checkpoints)" -gt "$made" ] ||
		    atf_fail "the hook made no checkpoint"
		c=$(losetup -f --show copy.img) || atf_fail "losetup"
		echo "$c" >>loops
		mount "$c" copied || atf_fail "the image cannot be mounted"
		# The server that it names lives, on this machine.
		rm copied/data/postmaster.pid
		pg_start "$PWD/copied/data" "$PWD/second" second
		rows=$(sql "$PWD/second" \
		    'select count(*), count(distinct n), max(n) from t')
		p=$(tail -n 1 pg.pids)
		kill -INT "$p"
		wait_for gone "$p" || atf_fail "the second does not end"
		# Each page fits its checksum.
		pg_user "$pg/pg_checksums" -c -D "$PWD/copied/data" \
		    >sums 2>&1 || { cat sums >&2; atf_fail "checksums"; }
		umount copied
		losetup -d "$c"
		echo "round $round: $rows rows, $ack acknowledged"
		n=${rows%%|*}
		[ "$rows" = "$n|$n|$n" ] || atf_fail "rows: $rows"
		[ "$n" -ge "$ack" ] ||
		    atf_fail "$ack were acknowledged, $n are there"
		# And the first goes on.
		wait_for more_than "$ack" || atf_fail "the writer hangs"
	done
	: >stop
	wait $writer || atf_fail "the writer failed"
	stop_qgad
}
postgresql_cleanup() {
	: >stop
	cage_cleanup
	while read -r p; do
		kill -INT "$p"
		wait_for gone "$p"
	done <pg.pids
	umount -l copied pg 2>/dev/null
	return 0
}

more_than() {
	[ "$(cat acknowledged)" -gt "$1" ]
}

atf_test_case stuck_file cleanup
stuck_file_head() {
	about "an operation on a file that cannot be killed when a freeze begins"
}
stuck_file_body() {
	[ -c /dev/fuse ] || atf_skip "needs /dev/fuse"
	cage_make "$(sh "$common/variant.sh" deadlines 0x100000)"
	fs a ext4
	fs low ext4
	mkdir cage/mnt/dead
	caged_qgad
	mknod -m 666 cage/dev/fuse c 10 229
	copy "$(atf_get_srcdir)/h_deadfuse"
	inside "$(atf_get_srcdir)/h_deadfuse" /mnt/dead >dead.out 2>dead.err &
	echo $! >dead.pid
	wait_for grep -q ready dead.out || atf_fail "$(cat dead.err)"
	list='{"execute":"guest-fsfreeze-freeze-list","arguments":{"mountpoints":["/mnt/a"]}}'
	opening='{"execute":"guest-file-open","arguments":{"mode":"w","path":"'
	# Past its deadline, and there still: no freeze.
	"$h_freeze" freeze "$in/mnt/low"
	qga "$opening/mnt/low/file\"}}" "$list" >said
	atf_check -o 'match:"error"' sed -n 1p said
	atf_check -o 'match:an operation on the file /mnt/low/file does not' \
	    sed -n 2p said
	says '{"return": "thawed"}' fsfreeze-status
	is_thawed /mnt/a
	# Written off since: named, and no reason any more.
	returns 1 fsfreeze-freeze-list /mnt/a
	is_frozen /mnt/a
	returns 1 fsfreeze-thaw
	logged '/mnt/low/file: an operation on it never ended'
	"$h_freeze" thaw "$in/mnt/low"
	# One that can be killed is none from the start.
	qga "$opening/mnt/dead/file\"}}" "$list" >said
	atf_check -o 'match:"error"' sed -n 1p said
	atf_check -o 'inline:{"return": 1}\n' sed -n 2p said
	returns 1 fsfreeze-thaw
	is_thawed /mnt/a /mnt/low
	stop_qgad
}
stuck_file_cleanup() {
	[ ! -f dead.pid ] || kill "$(cat dead.pid)"
	cage_cleanup
}

atf_init_test_cases() {
	. "$(atf_get_srcdir)/../common/qga.subr"
	. "$(atf_get_srcdir)/../common/cage.subr"
	atf_add_test_case basic
	atf_add_test_case stacked
	atf_add_test_case stacked_control
	atf_add_test_case which
	atf_add_test_case user_mounts
	atf_add_test_case foreign
	atf_add_test_case many
	atf_add_test_case umounts
	atf_add_test_case timer
	atf_add_test_case ends
	atf_add_test_case stuck
	atf_add_test_case thaw_fails
	atf_add_test_case quiesce
	atf_add_test_case hooks
	atf_add_test_case held_log
	atf_add_test_case markers
	atf_add_test_case hidden
	atf_add_test_case devices
	atf_add_test_case devices_control
	atf_add_test_case gate
	atf_add_test_case thawing
	atf_add_test_case jobs
	atf_add_test_case confined
	atf_add_test_case root
	atf_add_test_case gate_rogue
	atf_add_test_case gate_control
	atf_add_test_case keeper_control
	atf_add_test_case database
	atf_add_test_case postgresql
	atf_add_test_case stuck_file
}
