# The door station: every command a person needs. `make` alone lists them.

GO      ?= go
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BUILT   := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
TAGS    := $(shell sed -n 's/^tags=//p' scripts/tags)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.built=$(BUILT)
PROGRAMS := doorstationd doorguard doorctl sim

.DEFAULT_GOAL := help
.PHONY: help run demo test build cross cross-container emulate test-board bench-board lint bench setup clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s  %s\n", $$1, $$2 }' Makefile

run: ## the simulated building on loopback; prints the address of its page
	@scripts/setup run
	@$(MAKE) --no-print-directory build
	@exec bin/sim run

demo: ## one call from press to open door without a person; fails if a step fails
	@scripts/setup run
	@$(MAKE) --no-print-directory build
	@exec bin/sim demo

test: ## everything: lint, unit tests with the race detector, real peers, demo, ARM, emulated boards
	@scripts/setup board
	@scripts/test

build: ## the programs, into bin/
	@scripts/setup build
	CGO_ENABLED=1 $(GO) build -trimpath -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o bin/ $(PROGRAMS:%=./firmware/%)

cross: ## the panel's programs for ARM, into dist/cross; sizes, licences, bills of materials
	@scripts/setup cross
	@scripts/cross

cross-container: ## the same in a container, and a look whether it is the same to the bit
	@scripts/setup container
	@scripts/cross-container

BOARD ?= qemu-virt-armhf

emulate: ## an emulated board for a person: BOARD=qemu-virt-armhf, qemu-virt-arm64 or imx6ul-evk
	@scripts/setup board
	@[ -x dist/cross/linux-armv7/doorstationd ] || $(MAKE) --no-print-directory cross
	@mkdir -p bin dist/emulate
	@$(GO) build -o bin/ ./firmware/doorctl ./board/emulator/emulate
	@bin/doorctl board compile board/$(BOARD).yaml >dist/emulate/$(BOARD).json
	@exec bin/emulate -board $(BOARD) -compiled dist/emulate/$(BOARD).json

test-board: cross ## the firmware on emulated boards: pressed and watched at the pins, killed, cut off
	@scripts/setup board
	$(GO) test -tags board -count=1 -p 1 -v -timeout 30m ./board ./firmware/doorctl ./board/emulator ./drivers/gpio ./drivers/v4l2
	BOARD_KILLS=200 BOARD_CUTS=100 $(GO) test -tags board -count=1 -v -timeout 90m -run '^TestBoard' ./firmware/e2e

bench-board: cross ## the figures of the emulated boards
	@scripts/setup board
	$(GO) test -tags board -count=1 -timeout 60m -run '^$$' -bench '^BenchmarkBoard' -benchtime 1x ./firmware/e2e

lint: ## formatting, vet, staticcheck, 32-bit ARM, import graphs
	@scripts/setup lint
	@scripts/lint

bench: ## the figures: ours, and the peers' beside them
	@scripts/setup test
	@scripts/bench

setup: ## install what the tests need (scripts/setup GROUP for less)
	@scripts/setup test

clean: ## remove what was built
	rm -rf bin dist
