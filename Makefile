# make run     builds the launcher and runs Procfile.example with it
# make test    what CI runs: lint, then every test
# make test-platforms   on real platforms, each of them or ON=systemd
# make package the buildpack, for Heroku and for pack, in build/package
# make release binaries, Debian packages and checksums, in build/release
# make bench   the figures, beside the peers that are on PATH (BENCH="-quick -row stop")

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
BUILD    := $(GO) build -ldflags "$(LDFLAGS)"
# Where .ci/setup puts the linters.
TOOLS    := $(shell $(GO) env GOPATH)/bin

# A checkout that belongs to another user, or no git, is no reason not to build.
# Everything is built in one way, so that each package is compiled once: for the
# release, its tests, vet and staticcheck. But for the race detector, which needs C.
export GOFLAGS := $(GOFLAGS) -buildvcs=false -trimpath
export CGO_ENABLED := 0

# Where everything goes that is made.
OUT      ?= build
BIN      := $(OUT)/binaries
PLATFORMS := linux/amd64 linux/arm64 darwin/arm64

RUN      ?= start -m all=1,worker=2
# For go test, and for what it gives the test binaries.
TESTFLAGS ?=
# make lint vets it all.
TEST     := $(GO) test -vet=off -timeout 5m $(TESTFLAGS)
FUZZTIME ?= 20s
CHECKS   ?= 20000
BENCH    ?=

# The tests that start the real binary. They mind the clock of a real kernel, so
# nothing runs beside them, and the race detector, which slows them down, watches
# the packages instead.
BINARY   := ./cmd/launcher
SERVERS  := ^Test(Servers|Sidekiq)

.PHONY: run build binaries package release setup test test-platforms packages binary servers lint fuzz chaos bench flood rolling clean

run: build
	$(OUT)/launcher $(RUN) -f Procfile.example

build:
	$(BUILD) -o "$(OUT)/launcher" ./cmd/launcher

# Every platform that is released, as launcher-OS-ARCH.
binaries:
	@for p in $(PLATFORMS); do \
		echo "$(BIN)/launcher-$${p%/*}-$${p#*/}"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(BUILD) -o "$(BIN)/launcher-$${p%/*}-$${p#*/}" ./cmd/launcher || exit 1; \
	done

package:
	@$(MAKE) --no-print-directory binaries PLATFORMS="linux/amd64 linux/arm64"
	$(GO) run ./packaging -version "$(VERSION)" -binaries "$(BIN)" -out "$(OUT)/package" buildpack

release: binaries build
	$(GO) run ./packaging -version "$(VERSION)" -binaries "$(BIN)" -launcher "$(OUT)/launcher" -out "$(OUT)/release" release

setup:
	.ci/setup

# Each of .ci/platforms/NAME.sh, side by side: mostly they wait. Needs root and
# namespaces, and the network the first time.
ON ?= systemd capistrano heroku buildpack alerts podman docker kubelet kubernetes

test-platforms:
	@running=; for name in $(ON); do .ci/platforms/$$name.sh & running="$$running $$!:$$name"; done; \
	failed=; for one in $$running; do wait $${one%:*} || failed="$$failed $${one#*:}"; done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

# In this order, also under make -j; and all of it, for one look at what fails.
test: setup
	@failed=; for part in lint packages binary servers; do \
		$(MAKE) $$part || failed="$$failed $$part"; \
	done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

# -p 1 is for the tests, but would compile one package at a time as well: so all
# is compiled before, without linking.
packages: export CGO_ENABLED = 1
packages: PACKAGES = $$($(GO) list ./... | grep -v -e '/cmd/launcher$$' -e '/packaging$$')
packages:
	$(GO) list -race -test -deps -export $(PACKAGES) >/dev/null
	$(TEST) -race -p 1 $(PACKAGES)
	$(TEST) -race -tags outputpoll ./internal/output

# The tests of packaging do nothing at once that a race detector could watch. Those of
# the binary that say that they may run side by side mostly wait.
binary:
	$(TEST) -p 1 -parallel 4 -skip '$(SERVERS)' ./packaging $(BINARY)

# Real servers mostly wait: four of them side by side disturb nobody.
servers:
	$(TEST) -parallel 4 -run '$(SERVERS)' $(BINARY)

lint:
	@unformatted=$$($(TOOLS)/gofumpt -l .) || exit 1; \
	if [ -n "$$unformatted" ]; then echo "gofumpt -w these:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(TOOLS)/staticcheck ./...
	GOOS=darwin GOARCH=arm64 $(GO) vet ./...
	@$(MAKE) --no-print-directory binaries
	@scripts=$$(shfmt -f . | grep -v '^$(OUT)/') || exit 1; \
	echo "shellcheck, shfmt:" $$scripts; \
	shellcheck -x $$scripts && shfmt -d $$scripts

# Each fuzz test in turn.
fuzz:
	@grep -rno --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | while IFS=: read -r file line func; do \
		echo "$$(dirname $$file) $${func#func }"; \
		$(GO) test -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) "./$$(dirname $$file)" </dev/null || exit 1; \
	done

# The random schedules of which CI takes a sample, at length.
chaos:
	CHAOS=1 $(GO) test -count=1 -timeout 30m -run '^TestModel' ./launcher -rapid.checks=$(CHECKS)

bench: build
	$(GO) run ./bench -launcher $(OUT)/launcher $(BENCH)

# Issue 4: 1,000 status calls a second for 10 s while processes crash.
flood:
	FLOOD=10s $(GO) test -v -count=1 -run '^TestStatusFlood$$' $(BINARY)

# Issue 5: real web servers rolled for 60 s each, a new process each second.
rolling:
	ROLLING=60s $(GO) test -v -count=1 -timeout 30m -run '^TestServersRolledAtLength$$' $(BINARY)

clean:
	rm -rf "$(OUT)"
