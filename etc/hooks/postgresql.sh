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

# A hook for qgad and PostgreSQL: a checkpoint before the freeze, nothing
# after it.
#
# PostgreSQL needs no hook to be backed up right.  An image of all its file
# systems at one instant is what it finds after a power failure, and it
# recovers from that: with fsync and synchronous_commit on, as they are unless
# somebody turned them off, each commit that a client was told of is in it.
# The freeze makes that instant one for all file systems, if the host takes
# the data directory, pg_wal and every tablespace within the same freeze.
#
# The checkpoint makes the recovery short and the freeze quick, since less is
# left to be flushed then.  Should it fail the image is as good; the log says
# so, and with hook-failure = abort the freeze does not take place.
#
# pg_backup_start() is not called, on purpose: its session would have to stay
# open until pg_backup_stop(), whose result belongs beside the image and not
# in it.  It is for copies that are not of one instant.

set -u
cd / || exit 1

# --- to be edited ---
ACCOUNT=postgres	# the system's user; _postgresql on OpenBSD, pgsql ...
PORTS=5432		# one or more, a cluster each: "5432 5433"
HOST=			# the socket's directory if it is not the usual one
CONNECT=5		# seconds
LIMIT=20		# seconds, for the checkpoint; less than 30 together
# --------------------

PATH=$PATH:/usr/local/bin:/usr/pkg/bin:/opt/homebrew/bin
export PATH

# limited SECONDS COMMAND...: where the system has timeout(1)
limited()
{
	if command -v timeout >/dev/null 2>&1; then
		timeout -k 2 "$@"
	else
		shift
		"$@"
	fi
}

# as_postgres COMMAND
as_postgres()
{
	limited $((LIMIT + 5)) su "$ACCOUNT" -c \
	    "PGCONNECT_TIMEOUT=$CONNECT ${HOST:+PGHOST=$HOST} $1"
}

# 0: done, or it does not run; 1: it runs and there was no checkpoint
checkpoint()
{
	as_postgres "pg_isready -q -t $CONNECT -p $1"
	case $? in
	0)	;;
	2)	echo "port $1: no server answers, nothing to do"
		return 0 ;;
	*)	echo "port $1: the server takes no connections"
		return 1 ;;
	esac
	as_postgres "psql -X -q -w -d postgres -p $1 -v ON_ERROR_STOP=1 \
	    -c 'SET statement_timeout = ${LIMIT}000' -c CHECKPOINT" || {
		echo "port $1: no checkpoint"
		return 1
	}
}

case ${1-} in
freeze)
	rc=0
	for port in $PORTS; do
		checkpoint "$port" || rc=1
	done
	exit $rc ;;
thaw)
	exit 0 ;;
*)
	echo "usage: ${0##*/} freeze | thaw" >&2
	exit 64 ;;
esac
