#! /usr/bin/env atf-sh
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

# The example hooks, with programs that stand in for the databases' own.

# example NAME [SED...]: ./hook, with what is to be edited there edited
example() {
	name=$1
	shift
	sed "$@" -e '' "$(atf_get_srcdir)/../../etc/hooks/$name.sh" >hook ||
	    atf_fail "no $name.sh"
	chmod 755 hook
	mkdir -p bin
}

# stub NAME: a program that the hook finds first, from standard input
stub() {
	{
		echo '#!/bin/sh'
		cat
	} >"bin/$1"
	chmod 755 "bin/$1"
}

# hook STATUS WORD [OUTPUT]: as qgad runs it, but for the path
hook() {
	status=0
	env -i LC_ALL=C PATH="$PWD/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
	    ./hook "$2" </dev/null >out 2>&1 || status=$?
	[ $status = "$1" ] || atf_fail "$2: status $status: $(cat out)"
	[ "$(cat out)" = "${3-}" ] || atf_fail "$2: $(cat out)"
}

await() {
	n=0
	until "$@"; do
		n=$((n + 1))
		[ $n -lt 600 ] || atf_fail "does not come: $*"
		sleep 0.1
	done
}

atf_test_case usage
usage_body() {
	for name in template postgresql mariadb; do
		example $name -e "s,^STATE=.*,STATE=$PWD/state,"
		hook 64 '' 'usage: hook freeze | thaw'
		hook 64 status 'usage: hook freeze | thaw'
		# A thaw comes without a freeze, too.
		hook 0 thaw
		hook 0 thaw
	done
	example template
	hook 0 freeze
}

atf_test_case postgresql
postgresql_body() {
	example postgresql -e 's/^PORTS=.*/PORTS="1 2"/'
	stub su <<-EOT
	[ "\$1 \$2" = "postgres -c" ] || exit 99
	echo "\$3" | tr -s ' \t\\\\' ' ' >>$PWD/asked
	exec sh -c "\$3"
	EOT
	stub pg_isready <<-EOT
	exit \$(cat $PWD/ready)
	EOT
	stub psql <<-EOT
	exit \$(cat $PWD/result)
	EOT
	echo 0 >ready
	echo 0 >result
	hook 0 freeze
	[ "$(grep -c 'psql .*-p [12] .* -c CHECKPOINT$' asked)" = 2 ] ||
	    atf_fail "$(cat asked)"
	grep -q 'SET statement_timeout = 20000' asked || atf_fail "no limit"
	rm asked
	hook 0 thaw
	[ ! -e asked ] || atf_fail "asked at a thaw"
	echo 3 >result
	hook 1 freeze 'port 1: no checkpoint
port 2: no checkpoint'
	echo 1 >ready
	hook 1 freeze 'port 1: the server takes no connections
port 2: the server takes no connections'
	echo 2 >ready
	hook 0 freeze 'port 1: no server answers, nothing to do
port 2: no server answers, nothing to do'
}

# mariadb [SED...]: the hook, and a client that says what $PWD/answer has
mariadb() {
	example mariadb -e "s,^STATE=.*,STATE=$PWD/state," "$@"
	stub mariadb <<-EOT
	echo \$\$ >$PWD/client
	while read -r line; do
		echo "\$line" >>$PWD/heard
		[ "\$line" != "SELECT 'locked';" ] || cat $PWD/answer
	done
	echo end >>$PWD/heard
	EOT
	echo locked >answer
	rm -f heard client
}

atf_test_case mariadb
mariadb_body() {
	mariadb
	hook 0 freeze
	[ -s state/pid ] || atf_fail "no pid"
	kill -0 "$(cat client)" || atf_fail "the client has gone"
	hook 0 thaw
	[ ! -e state/pid ] || atf_fail "the pid is still there"
	cat >want <<-'EOT'
	SET SESSION lock_wait_timeout = 8;
	SET SESSION wait_timeout = 660;
	BACKUP STAGE START;
	BACKUP STAGE BLOCK_COMMIT;
	SELECT 'locked';
	end
	EOT
	cmp want heard || atf_fail "$(cat heard)"
	hook 0 thaw

	# Twice: one lock, the newer.
	mariadb -e 's/^METHOD=.*/METHOD=lock/'
	hook 0 freeze
	first=$(cat client)
	hook 0 freeze
	await sh -c "! kill -0 $first 2>/dev/null"
	grep -q 'FLUSH TABLES WITH READ LOCK' heard || atf_fail "no lock"
	hook 0 thaw
	[ "$(grep -c end heard)" = 2 ] || atf_fail "$(cat heard)"
}

atf_test_case mariadb_releases
mariadb_releases_body() {
	# By itself.
	mariadb -e 's/^HOLD=.*/HOLD=1/'
	hook 0 freeze
	await [ ! -e state/pid ]
	grep -q end heard || atf_fail "it still has its input"
	hook 0 thaw
	# The client is killed: nothing is left of it.
	mariadb
	hook 0 freeze
	sleeper=$(cat state/pid)
	kill -9 "$(cat client)"
	await [ ! -e state/pid ]
	await sh -c "! ps -o args= -p $sleeper | grep -q '^sleep'"
	hook 0 thaw
	# A pid that is another's by now is left alone.
	sleep 60 &
	echo $! >state/pid
	hook 0 thaw
	kill $! || atf_fail "it killed what is not its own"
}

atf_test_case mariadb_refused
mariadb_refused_body() {
	mariadb
	printf '%s\n' -------- 'BACKUP STAGE START' -------- \
	    'ERROR 1205 (HY000): too long' >answer
	hook 1 freeze 'no lock: ERROR 1205 (HY000): too long'
	await grep -q end heard
	hook 0 thaw
	mariadb
	echo "ERROR 2002 (HY000): Can't connect" >answer
	hook 0 freeze 'no server, nothing to do'
	hook 0 thaw
	mariadb -e 's,^CLIENT=.*,CLIENT=/no/such/client,'
	status=0
	./hook freeze >out 2>&1 || status=$?
	[ $status = 1 ] || atf_fail "status $status"
	grep '^no lock: .*/no/such/client' out || atf_fail "$(cat out)"
	hook 0 thaw
}

atf_init_test_cases() {
	atf_add_test_case usage
	atf_add_test_case postgresql
	atf_add_test_case mariadb
	atf_add_test_case mariadb_releases
	atf_add_test_case mariadb_refused
}
