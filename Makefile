# The doors of this repository. `make` lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-kotlin test-swift android ios cross api bench check check-rust check-policy soak soak-status setup-demo setup-test setup-swift

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: setup-demo ## Start a real server on loopback and watch two people talk through it
	@cargo build -p eft-tests --bin demo
	@cargo run --quiet -p eft-tests --bin demo

test: setup-test test-rust ## Unit tests, scenarios on a real server, interop, Kotlin on the JVM, Swift on Linux
	@tests/setup/kotlin.sh short
	@if tests/setup/swift.sh able; then \
		tests/setup/swift.sh && ios/test.sh short && echo "make test: everything passed"; \
	else \
		echo "make test: everything passed but Swift, WHICH DOES NOT RUN HERE (the reason stands above)"; \
	fi

check: check-rust check-policy ## Format, lints, docs, exported API, import directions, words, licences, advisories

api: ## Accept a change of what Kotlin and Swift see: writes bindings/api.txt anew
	@tests/check/api.sh --accept

android: setup-test test-kotlin ## The Android library and sample: compile them against the framework, run them beside a real server

cross: ## Check core and bindings for Android and iOS
	@tests/setup/rust.sh
	@tests/setup/cross.sh

ios: setup-swift test-swift ## The Swift package: build it on Linux, test it beside a real server

bench: setup-test ## What things cost, in the profile that ships: a table, and target/figures.json
	cargo run --quiet --profile mobile -p eft-bench --bin store
	cargo run --quiet -p eft-tests --bin bench-login
	cargo run --quiet --profile mobile -p eft-tests --bin bench-wake
	EFT_FIGURES=1 EFT_SOAK=wake EFT_SOAK_MINUTES=1 cargo test --quiet --profile mobile -p eft-tests --test waking whoever -- --nocapture
	cargo build --quiet -p eft-tests --bin malicious
	cargo run --quiet --profile mobile -p eft-tests --bin bench-catchup
	tests/bench/ffi.sh

soak: setup-test ## Run a long campaign for a while: make soak WHAT=differential MINUTES=25
	tests/soak/run.py $(WHAT) $(or $(MINUTES),25)

soak-status: ## What the long campaigns have reached
	@tests/soak/run.py --status

# The parts, for those who work on one of them.

test-rust: ## Unit tests, scenarios and interop only (after a first `make test`)
	cargo test --workspace

test-kotlin: ## The Kotlin tests only, all of them (after a first `make test`)
	tests/setup/kotlin.sh

test-swift: ## The Swift tests only (after a first `make ios`)
	ios/test.sh

check-rust: ## Format, lints, docs and what Kotlin and Swift see only
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps
	tests/check/api.sh --self-test
	tests/check/api.sh

check-policy: ## Import directions, words, licences and advisories only
	tests/check/imports.py --self-test
	tests/check/imports.py
	tests/check/words.sh --self-test
	tests/check/words.sh
	tests/check/versions.sh --self-test
	tests/check/versions.sh
	tests/check/deny.sh --self-test
	tests/soak/run.py --self-test
	tests/check/deny.sh

setup-demo:
	@tests/setup/rust.sh
	@tests/setup/install.sh demo
	@tests/setup/venv.sh

setup-test:
	@tests/setup/rust.sh
	@tests/setup/install.sh test
	@tests/setup/venv.sh

setup-swift:
	@tests/setup/rust.sh
	@tests/setup/install.sh demo
	@tests/setup/swift.sh
