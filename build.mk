# The rules of the build; run by Makefile, once config.mk is there.

.POSIX:
.SUFFIXES:
.SUFFIXES: .c .o

include config.mk

# The directories of the sources; scripts ask here.
ROOMS=		imsg lib parent qgad selftest workers

# --- what is made of what ---

IMSG_OBJS=	imsg/imsg.o imsg/ibuf.o imsg/sendfd.o imsg/messages.o \
		imsg/value.o
LIB_OBJS=	lib/log.o lib/confine.o lib/commands.o lib/filemode.o \
		lib/commands-$(OS).o lib/users.o lib/build.o lib/pathname.o \
		lib/readall.o lib/sandbox-$(SANDBOX).o \
		lib/confcheck-$(SEEN).o $(COMPAT_OBJS)
QGAD_OBJS=	qgad/channel.o qgad/lexer.o qgad/request.o qgad/schema.o \
		qgad/json.o qgad/base64.o qgad/monitor.o \
		qgad/handlers.o qgad/stream.o qgad/buf.o qgad/keys.o \
		qgad/utf8.o
PARENT_OBJS=	parent/options.o parent/conf.o parent/policy.o \
		parent/channel.o parent/spawn.o parent/frontend.o \
		parent/device.o parent/files.o parent/freeze.o parent/jobs.o \
		parent/logger.o parent/reload.o parent/work.o parent/audit.o \
		parent/rules.o parent/report.o parent/device-$(OS).o \
		$(DEVICE_$(OS))
DEVICE_openbsd=	parent/device-bsd.o
DEVICE_netbsd=	parent/device-bsd.o
DEVICE_freebsd=	parent/device-bsd.o
DEVICE_darwin=	parent/device-bsd.o
ANSWER_OBJS=	workers/answer.o
MOUNTS_linux=	workers/mounts-linux.o
MOUNTS_OBJS=	$(MOUNTS_$(OS))
QUERY_linux=	workers/query-cpu-linux.o workers/query-disk-linux.o \
		workers/query-mount-linux.o workers/query-route-linux.o
QUERY_openbsd=	workers/query-bsd.o
QUERY_darwin=	workers/query-bsd.o workers/query-utmpx-bsd.o
QUERY_freebsd=	workers/query-bsd.o workers/query-utmpx-bsd.o workers/query-geom-freebsd.o
QUERY_netbsd=	workers/query-bsd.o workers/query-utmpx-bsd.o
QUERY_OBJS=	workers/query-$(OS).o $(QUERY_$(OS)) workers/query-smart.o \
		workers/query-util.o
JOB_OBJS=	workers/job.o
TOOL_OBJS=	workers/tool.o
EXEC_OBJS=	workers/exec-starter.o workers/runas.o
# BENEATH is linux, or posix: workers/file-posix.o
FILE_OBJS=	workers/file-walk.o workers/file-$(BENEATH).o
SYSTEM_openbsd=	workers/system-bsd.o
SYSTEM_netbsd=	workers/system-bsd.o
SYSTEM_freebsd=	workers/system-bsd.o
SYSTEM_darwin=	workers/system-bsd.o
SYSTEM_OBJS=	workers/system-$(OS).o $(SYSTEM_$(OS))
HOOK_OBJS=	workers/hook-check.o
ACCOUNT_linux=	workers/account-linux.o
ACCOUNT_openbsd= workers/account-bsd.o
ACCOUNT_netbsd=	workers/account-bsd.o
ACCOUNT_freebsd= workers/account-freebsd.o
ACCOUNT_darwin=	workers/account-bsd.o
ACCOUNT_OBJS=	workers/password.o workers/sshkeys.o $(ACCOUNT_$(OS))
FREEZE_linux=	workers/freeze-linux.o
FREEZE_openbsd=	workers/freeze-bsd.o workers/freeze-boot-bsd.o
FREEZE_netbsd=	workers/freeze-bsd.o workers/freeze-boot-bsd.o
FREEZE_freebsd=	workers/freeze-freebsd.o workers/freeze-boot-bsd.o
FREEZE_darwin=	workers/freeze-bsd.o workers/freeze-boot-bsd.o
FREEZE_OBJS=	$(FREEZE_$(OS)) workers/freeze-marker.o
MAIN_OBJS=	qgad/qgad.o parent/parent.o workers/query.o workers/exec.o \
		workers/file.o workers/log.o workers/system.o workers/hook.o \
		workers/account.o workers/freeze.o
WORKER_OBJS=	$(ANSWER_OBJS) $(QUERY_OBJS) $(JOB_OBJS) $(TOOL_OBJS) \
		$(MOUNTS_OBJS) $(FILE_OBJS) $(SYSTEM_OBJS) $(HOOK_OBJS) \
		$(ACCOUNT_OBJS) $(FREEZE_OBJS) \
		$(EXEC_OBJS)

SELFTEST_OBJS=	selftest/cage.o selftest/installed.o selftest/machine.o \
		selftest/report.o selftest/selftest.o selftest/see-$(SEEN).o

IMSG_H=		imsg/imsg.h imsg/messages.h imsg/value.h
LIB_H=		lib/bounds.h lib/commands.h lib/compat.h lib/confcheck.h \
		lib/confine.h lib/control.h lib/filemode.h lib/log.h \
		lib/pathname.h lib/readall.h lib/users.h
QGAD_H=		qgad/base64.h qgad/buf.h qgad/channel.h qgad/handlers.h \
		qgad/json.h qgad/keys.h qgad/lexer.h qgad/monitor.h \
		qgad/request.h qgad/schema.h qgad/stream.h qgad/utf8.h
PARENT_H=	parent/device-bsd.h parent/parent.h parent/request.h
WORKERS_H=	workers/account.h workers/answer.h workers/exec.h \
		workers/file.h workers/freeze.h \
		workers/hook.h workers/job.h workers/mounts.h \
		workers/query.h workers/query-bsd.h workers/query-darwin.h \
		workers/query-freebsd.h workers/runas.h workers/system.h \
		workers/system-bsd.h \
		workers/tool.h
SELFTEST_H=	selftest/see.h selftest/selftest.h
COMMON_H=	config.h $(IMSG_H) $(LIB_H)

# One archive a room, without the files that have a main(): what the tests
# link with.  Not named .a, which bmake would take for a library of its own.
IMSG=		imsg/imsg.ar
LIB=		lib/lib.ar
ARCHIVES=	$(IMSG) $(LIB) qgad/qgad.ar parent/parent.ar workers/workers.ar
# Each of the two needs the other.
COMMON=		$(LIB) $(IMSG) $(LIB) $(IMSG)

WORKERS=	workers/qgad-query workers/qgad-exec workers/qgad-file \
		workers/qgad-log workers/qgad-system workers/qgad-hook \
		workers/qgad-account workers/qgad-freeze
PROGRAMS=	qgad/qgad parent/qgad-parent selftest/qgad-selftest $(WORKERS)

all: $(PROGRAMS)

# --- how; make Q= shows the commands whole ---

Q=		@

ALLFLAGS=	-include config.h -I. -Iimsg -Ilib $(CPPFLAGS) $(LIBCFLAGS) \
		$(CONTROL) $(CFLAGS)
LINK=		$(CC) $(CFLAGS) $(LDFLAGS)

.c.o:
	@echo "  CC    $@"
	$(Q)$(CC) $(ALLFLAGS) -c -o $@ $<

# Every object depends on every header it could see: there are few, and a
# list that is too long is never wrong.
$(IMSG_OBJS) $(LIB_OBJS): $(COMMON_H) config.mk
$(QGAD_OBJS) qgad/qgad.o: $(COMMON_H) $(QGAD_H) config.mk
$(PARENT_OBJS) parent/parent.o: $(COMMON_H) $(PARENT_H) config.mk
$(WORKER_OBJS) workers/query.o workers/exec.o workers/file.o workers/log.o \
    workers/system.o workers/hook.o workers/account.o workers/freeze.o: \
    $(COMMON_H) $(WORKERS_H) config.mk
$(SELFTEST_OBJS): $(COMMON_H) $(PARENT_H) $(WORKERS_H) \
    $(SELFTEST_H) config.mk
lib/build.o: buildid.h

$(IMSG): $(IMSG_OBJS)
	$(Q)rm -f $@ && $(AR) cr $@ $(IMSG_OBJS)
$(LIB): $(LIB_OBJS)
	$(Q)rm -f $@ && $(AR) cr $@ $(LIB_OBJS)
qgad/qgad.ar: $(QGAD_OBJS)
	$(Q)rm -f $@ && $(AR) cr $@ $(QGAD_OBJS)
parent/parent.ar: $(PARENT_OBJS)
	$(Q)rm -f $@ && $(AR) cr $@ $(PARENT_OBJS)
workers/workers.ar: $(WORKER_OBJS)
	$(Q)rm -f $@ && $(AR) cr $@ $(WORKER_OBJS)

# The frontend alone links libraries, and the account worker one; look at the
# others with nm.
qgad/qgad: qgad/qgad.o $(QGAD_OBJS) $(IMSG) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(PIEFLAGS) -o $@ qgad/qgad.o $(QGAD_OBJS) $(COMMON) $(LIBS)
parent/qgad-parent: parent/parent.o $(PARENT_OBJS) $(IMSG) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(WORKERFLAGS) -o $@ parent/parent.o $(PARENT_OBJS) $(COMMON)
# What it looks at, it asks those who use it: the monitor's reading of the
# configuration, the hook worker's of hooks.
selftest/qgad-selftest: $(SELFTEST_OBJS) parent/parent.ar \
    workers/workers.ar $(IMSG) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(WORKERFLAGS) -o $@ $(SELFTEST_OBJS) \
	    parent/parent.ar workers/workers.ar $(COMMON)
workers/qgad-query: workers/query.o $(QUERY_OBJS) $(MOUNTS_OBJS) \
    $(ANSWER_OBJS) $(IMSG) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(WORKERFLAGS) -o $@ workers/query.o $(QUERY_OBJS) \
	    $(MOUNTS_OBJS) $(ANSWER_OBJS) $(COMMON)
workers/qgad-exec: workers/exec.o $(EXEC_OBJS) $(JOB_OBJS) $(IMSG) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(WORKERFLAGS) -o $@ workers/exec.o $(EXEC_OBJS) \
	    $(JOB_OBJS) $(COMMON)
workers/qgad-file: workers/file.o $(FILE_OBJS) $(JOB_OBJS) $(IMSG) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(WORKERFLAGS) -o $@ workers/file.o $(FILE_OBJS) \
	    $(JOB_OBJS) $(COMMON)
workers/qgad-log: workers/log.o $(IMSG) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(WORKERFLAGS) -o $@ workers/log.o $(COMMON)
workers/qgad-system: workers/system.o $(SYSTEM_OBJS) $(MOUNTS_OBJS) \
    $(TOOL_OBJS) $(JOB_OBJS) $(ANSWER_OBJS) $(IMSG) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(WORKERFLAGS) -o $@ workers/system.o $(SYSTEM_OBJS) \
	    $(MOUNTS_OBJS) $(TOOL_OBJS) $(JOB_OBJS) $(ANSWER_OBJS) $(COMMON)
workers/qgad-hook: workers/hook.o $(HOOK_OBJS) $(JOB_OBJS) $(IMSG) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(WORKERFLAGS) -o $@ workers/hook.o $(HOOK_OBJS) \
	    $(JOB_OBJS) $(COMMON)
workers/qgad-freeze: workers/freeze.o $(FREEZE_OBJS) $(JOB_OBJS) $(IMSG) \
    $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(WORKERFLAGS) -o $@ workers/freeze.o $(FREEZE_OBJS) \
	    $(JOB_OBJS) $(COMMON)

# Dynamic: whose home it is, name service says.
workers/qgad-account: workers/account.o $(ACCOUNT_OBJS) $(TOOL_OBJS) \
    $(JOB_OBJS) $(ANSWER_OBJS) $(IMSG) $(LIB)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(PIEFLAGS) -o $@ workers/account.o $(ACCOUNT_OBJS) \
	    $(TOOL_OBJS) $(JOB_OBJS) $(ANSWER_OBJS) $(COMMON) $(SODIUMLIBS)

# The build's id: no time, no host, the same sources give the same id.
SUMMED=		$(IMSG_OBJS:.o=.c) $(LIB_OBJS:.o=.c) $(QGAD_OBJS:.o=.c) \
		$(PARENT_OBJS:.o=.c) $(WORKER_OBJS:.o=.c) $(MAIN_OBJS:.o=.c) \
		$(SELFTEST_OBJS:.o=.c) $(COMMON_H) $(QGAD_H) $(PARENT_H) \
		$(WORKERS_H) $(SELFTEST_H) config.mk build.mk

buildid.h: $(SUMMED)
	@id=`cat $(SUMMED) | $(SUM) | tr -cd '0-9a-f' | cut -c 1-31`; \
	id=`printf '%-31s' "$$id" | tr ' ' 0`; \
	echo "#define BUILD_ID \"$$id\"" >$@.new && mv $@.new $@

# --- installing ---

CONF=		$(CONFDIR)/qgad.conf
HOOKS=		etc/hooks/README etc/hooks/template.sh \
		etc/hooks/postgresql.sh etc/hooks/mariadb.sh
POLICIES=	etc/examples/README etc/examples/audit.conf \
		etc/examples/backup.conf etc/examples/full.conf \
		etc/examples/proxmox.conf etc/examples/libvirt.conf \
		etc/examples/hoster.conf

# Which service files, and where, is in etc/service.sh.
SERVICE=	DESTDIR="$(DESTDIR)" OS="$(OS)" INIT="$(INIT)" \
		SBINDIR="$(SBINDIR)" LIBEXECDIR="$(LIBEXECDIR)" \
		STATEDIR="$(STATEDIR)" CONFDIR="$(CONFDIR)" \
		SERVICEDIR="$(SERVICEDIR)" UDEVDIR="$(UDEVDIR)" \
		ROTATEDIR="$(ROTATEDIR)" sh etc/service.sh

install: all
	mkdir -p $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBEXECDIR) \
	    $(DESTDIR)$(CONFDIR) $(DESTDIR)$(CHROOTDIR) $(DESTDIR)$(STATEDIR)
	@sh etc/install.sh 755 $(DESTDIR)$(SBINDIR) qgad/qgad
	@sh etc/install.sh 755 $(DESTDIR)$(LIBEXECDIR) parent/qgad-parent \
	    selftest/qgad-selftest $(WORKERS)
	@sh etc/install.sh empty $(DESTDIR)$(CHROOTDIR)
	@sh etc/install.sh new $(DESTDIR)$(CONF) etc/qgad.conf
	mkdir -p $(DESTDIR)$(EXAMPLEDIR)/hooks
	@sh etc/install.sh 644 $(DESTDIR)$(EXAMPLEDIR)/hooks $(HOOKS)
	mkdir -p $(DESTDIR)$(EXAMPLEDIR)/policies
	@sh etc/install.sh 644 $(DESTDIR)$(EXAMPLEDIR)/policies $(POLICIES)
	@for n in 5 8; do \
		for m in man/*.$$n; do \
			test -f $$m || continue; \
			mkdir -p $(DESTDIR)$(MANDIR)/man$$n && \
			sh etc/install.sh 644 $(DESTDIR)$(MANDIR)/man$$n $$m \
			    || exit 1; \
		done; \
	done
	@$(SERVICE) install
	@if test -z "$(DESTDIR)" && test "`id -u`" = 0 && \
	    test -z "$$QGAD_NO_USERS"; then sh etc/users.sh add; fi

# Users, the configuration and what it names stay.
uninstall:
	@$(SERVICE) uninstall
	rm -f $(DESTDIR)$(SBINDIR)/qgad $(DESTDIR)$(MANDIR)/man8/qgad.8 \
	    $(DESTDIR)$(MANDIR)/man5/qgad.conf.5
	rm -f $(DESTDIR)$(LIBEXECDIR)/qgad-parent \
	    $(DESTDIR)$(LIBEXECDIR)/qgad-selftest \
	    $(DESTDIR)$(LIBEXECDIR)/qgad-query \
	    $(DESTDIR)$(LIBEXECDIR)/qgad-exec \
	    $(DESTDIR)$(LIBEXECDIR)/qgad-file \
	    $(DESTDIR)$(LIBEXECDIR)/qgad-log \
	    $(DESTDIR)$(LIBEXECDIR)/qgad-system \
	    $(DESTDIR)$(LIBEXECDIR)/qgad-hook \
	    $(DESTDIR)$(LIBEXECDIR)/qgad-account \
	    $(DESTDIR)$(LIBEXECDIR)/qgad-freeze
	@for f in $(HOOKS); do \
		rm -f $(DESTDIR)$(EXAMPLEDIR)/hooks/$${f##*/}; \
	done
	@for f in $(POLICIES); do \
		rm -f $(DESTDIR)$(EXAMPLEDIR)/policies/$${f##*/}; \
	done
	-rmdir $(DESTDIR)$(EXAMPLEDIR)/hooks $(DESTDIR)$(EXAMPLEDIR)/policies \
	    $(DESTDIR)$(EXAMPLEDIR)
	-test "$(CHROOTDIR)" != "$(LIBEXECDIR)/empty" || \
	    rmdir $(DESTDIR)$(CHROOTDIR) $(DESTDIR)$(LIBEXECDIR)

# The table in the manual page, from the program.
man-commands: parent/qgad-parent
	sh man/commands.sh parent/qgad-parent man/qgad.8

# --- tests: regress/tests.mk is made anew each time, from the files there ---

tests programs fuzzers: all $(ARCHIVES)
	@sh regress/common/mktests.sh >regress/tests.mk
	@GNUMAKEFLAGS=--no-print-directory $(MAKE) -f regress/tests.mk $@

lint: config.h buildid.h
	@CPPFLAGS="$(CPPFLAGS) $(LIBCFLAGS)" OS="$(OS)" SANDBOX="$(SANDBOX)" \
	    SEEN="$(SEEN)" sh regress/common/lint.sh

.PHONY: all fuzzers install lint man-commands programs tests uninstall
