# qgad: what one can ask for.  Works with GNU make and bmake; build.mk has
# the rules, and is read when configure has written config.mk for it.
#
#	make [all]	build everything that is installed
#	make demo	watch the real daemon answer, and how it is confined
#	make regress	run every test; ends with N passed, N failed, N skipped
#	make cross	build and lint it for OpenBSD, FreeBSD, NetBSD, macOS
#	make install	into the configured prefix (DESTDIR= is put before it)
#	make deb	a Debian package, in regress/build/deb
#
# also: uninstall clean distclean deps lint tests bench fuzz man-commands

.POSIX:
.SUFFIXES:

# There are a file, or directories, of these names.
.PHONY: all bench clean cross deb demo deps distclean fuzz install lint man-commands \
	programs regress tests uninstall

all install lint man-commands programs tests uninstall: config.mk
	@GNUMAKEFLAGS=--no-print-directory $(MAKE) -f build.mk $@

config.mk: configure
	@if test -f config.status; then sh ./config.status; \
	else sh ./configure; fi

deps:
	@sh etc/deps.sh build

deb:
	@sh etc/deps.sh build deb
	@sh etc/debian/build.sh regress/build/deb

demo:
	@sh etc/deps.sh build
	@root=`MAKE="$(MAKE)" sh regress/common/variant.sh stock` && \
	    sh regress/demo.sh "$$root" "$$root/../regress/common/qgaclient"

regress:
	@sh etc/deps.sh build regress
	@MAKE="$(MAKE)" sh regress/common/regress.sh

bench:
	@sh etc/deps.sh build regress
	@MAKE="$(MAKE)" sh regress/common/bench.sh $(BENCH)

cross:
	@sh etc/deps.sh cross
	@sh regress/common/cross.sh

fuzz:
	@sh etc/deps.sh build fuzz
	@MAKE="$(MAKE)" sh regress/common/fuzz.sh

clean:
	@sh regress/common/clean.sh

distclean: clean
	rm -rf config.h config.mk config.log config.status config.tmp.*
