# HPMQ. `make` lists the targets; `make check` is what CI runs.

# Versions of tools. What makes bytes that are committed (TinyGo, LLVM, wasi-libc, binaryen, jco) is
# pinned to the package in tools/versions.sh, which the scripts read.
GO_VERSION = 1.26

# The programs, the targets they must build for, and the two that CI links.
PROGRAMS     = ./host/cmd/hpmq ./sdk/cmd/hpmq-cli ./lite/cmd/hpmq-lite
TARGETS      = linux/amd64 linux/arm64 linux/arm linux/riscv64 linux/mipsle windows/amd64 darwin/arm64
LINK_TARGETS = linux/arm64 linux/mipsle
# Small programs: see RATIONALE.md. The test of hpmq-lite's size and tools/cross-link.sh have the same.
SMALL = -trimpath -ldflags='-s -w -funcalign=2' -gcflags=fmt=-l -gcflags=debug/dwarf=-l -gcflags=strings=-l

# How long each decoder is fuzzed in CI (hours are run by hand: make fuzz FUZZTIME=10m), and flags of go test, as in: make test TESTFLAGS=-v
FUZZTIME  = 5s
TESTFLAGS =

# Simulated worlds, and the seed of the first.
RUNS = 10000
FROM = 1

# The languages that a newcomer tries.
NEWCOMER = c,go,assemblyscript

# Compiled guests outlive a test run here: under the race detector compiling is most of the time. By the
# engine's version, which a test does not know. Not named HPMQ_: the broker would take it for a key.
TEST_CACHE_HPMQ ?= $(or $(XDG_CACHE_HOME),$(and $(HOME),$(HOME)/.cache),/tmp)/hpmq-test/$(shell cksum <go.sum | cut -d' ' -f1)
export TEST_CACHE_HPMQ

export CGO_ENABLED = 0
# Small devices without a floating-point unit.
export GOMIPS = softfloat

.DEFAULT_GOAL := help
.PHONY: help run build bundles fixtures test demo demo-languages newcomer conformance mutants conformance-peers interop siege churn crash canary swap-storm bench bench-wasm bench-peers bench-store bench-idle check format vet tidy invariants race size fuzz fuel-arm64 cross \
	sim cross-link cross-link-all components guests guests-bench wit clean-tree

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run the broker on 127.0.0.1:1883
	go run ./host/cmd/hpmq

build: ## build the programs into bin/
	@mkdir -p bin
	go build $(SMALL) -o bin/ $(PROGRAMS)

test: ## run all tests
	go test $(TESTFLAGS) ./...

bundles: ## build a bundle of each default component into bin/
	@mkdir -p bin
	go build -o bin/ ./sdk/cmd/hpmq-cli
	@cd bin && for c in ../components/*/bundle.json; do ./hpmq-cli bundle build $${c%/*} || exit 1; done

demo: ## swap components while 1,000 messages a second flow
	go run ./conformance/demo/cmd/hpmq-demo

demo-languages: guests ## swap components of every language for each other while messages flow
	go run ./conformance/demo/cmd/hpmq-demo -rate 100 -each 200 -timeout 20m \
		-languages conformance/guests/policy,.tools/guests

newcomer: ## go the way from component new to a live link in three languages, and time it
	. tools/guests/lib.sh && clang_tools && node_tools
	go run ./conformance/demo/cmd/hpmq-demo -rate 100 -each 100 -timeout 20m -newcomer $(NEWCOMER)

conformance: ## judge the broker by the conformance suite on tcp, tls, ws and wss
	go test -count=1 -v -run TestOurBrokerConforms ./conformance/stand

mutants: ## see that the suite catches the broker with each of its faults
	go test -count=1 -v -run TestEveryMutantIsCaught ./conformance/mutants

conformance-peers: ## judge Debian's mosquitto and mochi by the suite, beside hpmq
	tools/conformance-peers.sh

interop: ## let clients that others wrote use the broker
	cd conformance/interop/js && npm ci --no-audit --no-fund --ignore-scripts
	go test -count=1 $(TESTFLAGS) ./conformance/interop -interop.require

siege: ## measure the memory of the broker under attack
	go test -count=1 -v ./conformance/siege

sim: ## run RUNS seeded worlds of clients, kills, failing disks and trapping guests from seed FROM on
	go test -count=1 -v -timeout 2h -run 'TestSim$$' ./conformance/sim -seeds $(RUNS) -from $(FROM)

churn: ## change a listener 100 times under 10,000 clients of another
	ulimit -n 20000 && go test -count=1 -v -timeout 20m ./conformance/churn -clients 10000 -rounds 100

canary: ## change to bad and good components beside traffic, and judge how soon they go back
	go test -count=1 -v -timeout 20m -run Beside ./conformance/canary -full $(TESTFLAGS)

crash: ## kill the broker 100 times, in all ways and with failing devices, and compare
	go test -count=1 -v -timeout 60m ./conformance/crash -rounds 100 -seed 0 $(TESTFLAGS)

swap-storm: ## swap signed bundles 1,000 times under 10,000 connections
	ulimit -n 20000 && go test -count=1 -v -timeout 90m -run TestSwapStorm ./conformance/storm \
		-connections 10000 -swaps 1000 -per-window 50 -rate 0 $(TESTFLAGS)

bench-idle: ## measure what 15,000 idle tcp and TLS connections take
	tools/bench-idle.sh

bench: ## run the benchmarks of every room
	go test -run '^$$' -bench . -benchmem $(TESTFLAGS) ./sdk/... ./lite/... ./host/...

bench-wasm: ## measure a question to a component: per role, form and engine, beside Go and a webhook
	go test -count=1 -v -run TestTheTable ./conformance/hop -table $(TESTFLAGS)

fixtures: ## build the components that tests have beside their sources (needs clang 19, node and Debian's Rust)
	tools/fixtures.sh
	tools/hop-rust.sh

bench-peers: ## measure the broker beside Debian's mosquitto
	tools/bench-peers.sh

bench-store: ## measure what keeping messages takes, beside Debian's mosquitto
	tools/bench-store.sh

check: format vet tidy test invariants race fuzz fuel-arm64 cross cross-link components wit clean-tree ## all that CI runs

format: ## fail if a file is not as gofmt writes it
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	if [ -n "$$files" ]; then echo "not formatted (gofmt -w):"; echo "$$files"; exit 1; fi

vet: ## run go vet on the host and on the guests
	@case "$$(go env GOVERSION)" in go$(GO_VERSION)*) ;; \
	*) echo "needs Go $(GO_VERSION), this is $$(go env GOVERSION)"; exit 1 ;; esac
	go vet ./...
	GOOS=wasip1 GOARCH=wasm go vet ./components/*/guest ./conformance/mqtt/enhanced/guest \
		./sdk/guest/...

tidy: ## hold the line of the house
	go test $(TESTFLAGS) ./conformance/tidy

invariants: ## run the tests that look inside: borrowed bytes, the way of a PUBLISH
	go test $(TESTFLAGS) -tags invariants ./lite/port ./host/gate ./host/shard \
		./conformance/path
	go vet -tags faults ./host/journal ./host/store
	go test $(TESTFLAGS) -tags faults ./host/fault

# The race detector needs cgo. Programs and guests have no goroutines of their own to race.
race: ## run the tests of rooms with goroutines under the race detector
	CGO_ENABLED=1 go test -race -timeout 30m $(TESTFLAGS) ./sdk/... ./lite/... ./host/... ./configs ./conformance/load

size: ## build hpmq-lite and say what it takes of a device
	go test -count=1 -v -run TestTheBinary ./lite/cmd/hpmq-lite

fuzz: ## fuzz every decoder for FUZZTIME
	tools/fuzz.sh $(FUZZTIME)

fuel-arm64: ## see that the default components spend the same fuel on arm64, in qemu
	tools/fuel-arm64.sh

cross: ## type-check the whole tree for every target
	go run ./conformance/cross/cmd/typecheck $(TARGETS)

cross-link: ## link the programs for two targets
	tools/cross-link.sh '$(LINK_TARGETS)' $(PROGRAMS)

cross-link-all: ## link the programs for every target; minutes each
	tools/cross-link.sh '$(TARGETS)' $(PROGRAMS)

components: ## build the components again and compare them byte for byte
	tools/components.sh --check

guests: ## build the policy in every language, and the examples of the SDKs; installs the toolchains
	tools/guests.sh
	tools/sdk.sh
	go test -count=1 -timeout 30m -run TestBuilt ./conformance/guests -built $(CURDIR)/.tools

guests-bench: ## measure the policy in every language: size, ns per call, memory
	@go test ./conformance/guests -count=1 -v -timeout 60m -run TestTheTableOfGuests -guests.table | \
		grep -E '^(\||FAIL|---|    )'

wit: ## parse the contracts with standard tools
	tools/wit-check.sh
	tools/js-types.sh --check

clean-tree: ## fail if anything is changed or not committed
	git diff --exit-code
	@files=$$(git status --porcelain); \
	if [ -n "$$files" ]; then echo "the tree is not clean:"; echo "$$files"; exit 1; fi
