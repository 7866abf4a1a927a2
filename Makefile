# make build      every command, static, in build/bin
# make demo       the whole job on sample input, step by step, under build/demo
# make test       all tests (as root it installs the Debian packages they need)
# make bench      speed and memory against the usual tools, under build/bench
# make fuzz       each decoder for ten seconds under the fuzzer; test/fuzz/record.tsv has the time of all runs
# make curves     how time and memory grow, as docs/scaling.svg and .tsv
# make race       the tests of packages and tools under the race detector, which takes long
# make lint       format, vet, staticcheck, shellcheck
# make man        the manual pages, in build/man
# make completions  for bash, zsh and fish, in build/completions
# make install    to $(DESTDIR)$(PREFIX)
# make dist       a source tarball that is built without a network, in build/dist
# make rpm, deb   packages, built from that tarball, in build/dist
# make version    which version this is
# make clean      removes build/

GO         ?= go
PREFIX     ?= /usr
SYSCONFDIR ?= /etc
DESTDIR    ?=
INSTALL    ?= install

# -count=1 runs tests again whose result is cached.
TESTFLAGS  ?=
# -h lists them: which jobs, how many runs, where the table goes.
BENCHFLAGS ?=
# -h lists them: how much time, and which targets.
FUZZFLAGS  ?=

BIN      := build/bin
COMMANDS := $(patsubst %/main.go,%,$(wildcard *_digest_lists/main.go))
# Those that are not Markdown lead to another page, for tools of two names.
MAN      := $(patsubst man/%.md,build/man/%,$(wildcard man/*.[58].md)) $(patsubst man/%,build/man/%,$(wildcard man/*.[58]))
# Where the shells look below share: site-functions is vendor-completions on Debian.
BASH     := bash-completion/completions
FISH     := fish/vendor_completions.d
ZSH      ?= zsh/site-functions

# Where the two makers of initramfs images look for what others add to them.
DRACUT          := $(DESTDIR)$(PREFIX)/lib/dracut/modules.d/98digestlist
INITRAMFS_TOOLS := $(DESTDIR)$(PREFIX)/share/initramfs-tools

# git archive writes the commit to the file VERSION, for builds from a tarball;
# a build in a checkout takes its version from git, whatever GOFLAGS says.
RELEASE  := $(shell awk '!/Format:/ { print $$3 != "" ? $$3 : \
	"v0.0.0-" strftime("%Y%m%d%H%M%S", $$2, 1) "-" substr($$1, 1, 12) }' VERSION)
COMMIT   := $(if $(RELEASE),,$(shell git rev-parse --verify -q HEAD 2>/dev/null))
# Without symbol tables (-s -w): what loads lists at boot is to be small.
LDFLAGS  := -s -w $(if $(RELEASE),-X digestlists/internal/command.release=$(RELEASE))
# Without the pages that the flag library could make of its help.
TAGS     := -tags=urfave_cli_no_docs
STAMP    := -buildvcs=$(if $(COMMIT),auto,false) -ldflags='$(LDFLAGS)'

.PHONY: build demo test bench fuzz race curves lint man completions install install-tools install-dnf install-initramfs \
	install-dracut install-initramfs-tools dist rpm deb version clean

build:
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build -trimpath $(TAGS) $(STAMP) -o $(BIN)/ $(addprefix ./,$(COMMANDS))

demo: build
	./demo/run

# The boots of test/boot take seven minutes on two cores, and on busy ones more than go test's ten.
test:
	test/setup
	$(GO) test -timeout 30m $(TESTFLAGS) ./...

bench: build
	test/setup
	$(GO) run ./test/bench $(BENCHFLAGS)

fuzz:
	$(GO) run ./test/fuzz $(FUZZFLAGS)

# What else is in test/ runs programs that are built without the detector. SQLite is Go code
# here, and takes minutes with it.
race:
	test/setup
	GORACE=atexit_sleep_ms=20 $(GO) test -race -timeout 1h $(TESTFLAGS) $$($(GO) list ./... | grep -v '^digestlists/test/') ./test/leaks

curves: build
	test/setup
	$(GO) run ./test/bench $(BENCHFLAGS) -curves docs/scaling

lint:
	test/setup
	GO='$(GO)' test/lint

man: $(MAN)

build/man/%: man/%.md
	@mkdir -p $(@D)
	$(GO) tool go-md2man -in $< -out $@

build/man/%: man/%
	@mkdir -p $(@D)
	cp $< $@

# They are made from what the tools say of themselves, and so run what was built.
completions: build
	rm -rf build/completions
	$(GO) run ./packaging/completions $(BIN) build/completions

install: install-tools install-dnf install-initramfs

# The folders are there for plug-ins and for lists: both are empty at first.
install-tools: build man completions
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/digestlist $(DESTDIR)$(SYSCONFDIR)/ima/digest_lists
	$(INSTALL) -m 0755 $(addprefix $(BIN)/,$(COMMANDS)) $(DESTDIR)$(PREFIX)/bin
	ln -sf setup_ima_digest_lists $(DESTDIR)$(PREFIX)/bin/setup_ima_digest_lists_demo
	$(INSTALL) -m 0755 libexec/digestlist-update $(DESTDIR)$(PREFIX)/libexec
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(PREFIX)/lib/systemd/system systemd/*.path systemd/*.service
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/lib/systemd/system/sysinit.target.wants
	ln -sf ../setup-ima-digest-lists.service $(DESTDIR)$(PREFIX)/lib/systemd/system/sysinit.target.wants/
	test -e $(DESTDIR)$(SYSCONFDIR)/ima/digest_lists.conf || $(INSTALL) -m 0644 packaging/digest_lists.conf $(DESTDIR)$(SYSCONFDIR)/ima
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/digestlist/policies internal/imapolicy/ready/policies/*
	$(foreach page,$(MAN),$(INSTALL) -D -m 0644 $(page) $(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page)) &&) true
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/$(BASH) build/completions/bash/*
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/$(FISH) build/completions/fish/*
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/$(ZSH) build/completions/zsh/*

# Packages of rpm have file triggers instead.
install-dnf:
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(SYSCONFDIR)/dnf/plugins/post-transaction-actions.d packaging/hooks/digest_lists.action

# What goes into an initramfs, and what puts it there.
install-initramfs: install-dracut install-initramfs-tools

install-dracut:
	$(INSTALL) -D -m 0755 -t $(DRACUT) initramfs/*.sh dracut/98digestlist/*.sh

install-initramfs-tools:
	$(INSTALL) -D -m 0755 -t $(INITRAMFS_TOOLS)/hooks initramfs-tools/hooks/digestlists
	$(foreach when,init-top init-bottom,$(INSTALL) -D -m 0755 -t $(INITRAMFS_TOOLS)/scripts/$(when) initramfs-tools/scripts/$(when)/digestlists &&) true
	$(INSTALL) -m 0644 initramfs/build.sh $(INITRAMFS_TOOLS)/digestlists-build.sh
	$(INSTALL) -m 0644 initramfs/boot.sh $(INITRAMFS_TOOLS)/scripts/digestlists

dist:
	GO='$(GO)' packaging/dist

rpm deb:
	tarball=$$(GO='$(GO)' packaging/dist) && GO='$(GO)' packaging/$@/build "$$tarball" build/dist

# Without a release, the version is git's: packaging/dist asks in what git has archived.
version:
	@echo $(or $(RELEASE),$(shell git describe --always --dirty))

clean:
	rm -rf build
