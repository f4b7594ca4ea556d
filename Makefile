# make lists the targets. Everything needed beyond a Rust toolchain is installed by `make test`.

CARGO ?= cargo

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

demo: ## Passmuster and a small LMS on this machine; prints the addresses
	@$(CARGO) build --locked
	@$(CARGO) run --quiet --locked -- demo

test: ## every test, on SQLite and PostgreSQL, in a browser, against independent peers
	@scripts/test-env.sh run $(CARGO) test --workspace --locked

lint: ## formatting, clippy, documentation; warnings are errors
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --no-deps --locked

bench: ## how fast it is here
	$(CARGO) build --release --locked
	$(CARGO) run --release --locked --example bench
