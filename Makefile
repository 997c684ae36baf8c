# What a developer and the continuous integration run. `make run` is all it takes to try the gateway.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PACKAGES := build-essential cmake libssl-dev openssl pkg-config python3-venv chromium chromium-driver curl ca-certificates
VENV := target/jose-venv
# Cases of each property test: few in `make test`, many in `make soak`: about half of its half an hour on two busy cores.
SOAK_CASES ?= 20000
# Arguments of the benchmarks, such as --quick or a part of a name.
BENCH ?=
# Seconds for each target of the fuzzer.
FUZZ_SECONDS ?= 600
ifndef SEED
SEED := $(shell od -An -N8 -tu8 /dev/urandom | tr -d ' ')
endif

.PHONY: help deps deps-build deps-test run test soak fuzz check bench

help: ## lists what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 12

deps: deps-test ## installs what is missing: Debian packages and the Python JOSE of the tests

deps-build:
	@tools/deps.sh cmake libssl-dev pkg-config build-essential curl ca-certificates

deps-test:
	@tools/deps.sh $(PACKAGES)
	@tools/jose-venv.sh $(VENV)

run: deps-build ## builds a release and starts the gateway
	@echo 'A first build takes 10 minutes or more on two cores, longer on a busy machine, and 3 GB of memory and of disk;'
	@echo 'the last crate alone takes several minutes, without a line of output.'
	cargo build --release --locked --bin sidegate
	@echo
	@echo 'In a second terminal:  target/release/sidegate device demo'
	@echo 'or the walk-through of README.md. Stop with Ctrl-C.'
	@echo
	@exec target/release/sidegate

test: deps-test ## runs every test, with small counts
	cargo test --workspace --locked

soak: deps-test ## runs the same tests with full counts
	@echo 'seed $(SEED) (again: make soak SEED=$(SEED))'
	SIDEGATE_SOAK=1 PROPTEST_CASES=$(SOAK_CASES) PROPTEST_RNG_SEED=$(SEED) PROPTEST_MAX_GLOBAL_REJECTS=$$((4 * $(SOAK_CASES))) \
		cargo test --workspace --locked --no-fail-fast
	@echo 'the load once more, on a release: without optimisation many machines are too slow for its rate'
	SIDEGATE_SOAK=1 cargo test --release --locked --test it under_load -- --nocapture --test-threads=1

# Its coverage is a compiler pass that stable Rust has behind this switch. What it finds lands in target/fuzz/artifacts.
fuzz: deps-build ## feeds what nobody would send to the readers of UAF, ten minutes each
	@test -x target/tools/bin/cargo-fuzz || cargo install cargo-fuzz --version 0.13.2 --locked --root target/tools
	for target in assertions messages; do \
		mkdir -p target/fuzz/corpus/$$target target/fuzz/artifacts/$$target; \
		PATH="$(CURDIR)/target/tools/bin:$$PATH" RUSTC_BOOTSTRAP=1 nice cargo fuzz run --fuzz-dir uaf/fuzz \
			--target-dir target/fuzz -s none $$target target/fuzz/corpus/$$target uaf/tests/corpus/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=8192 -dict=uaf/fuzz/$$target.dict \
			-artifact_prefix=target/fuzz/artifacts/$$target/ -print_final_stats=1; \
	done

check: deps-build ## formatting, clippy with warnings as errors, documentation
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --package sidegate-uaf --lib --locked -- -D warnings # without the authenticator
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked

bench: deps-build ## runs the benchmarks, and prints what each piece of work costs beyond the least that it needs
	cargo bench --workspace --locked -- $(BENCH)
