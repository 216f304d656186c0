# Every target works alone, on a machine with Python 3.11+, make and a package index.
# The first one to run sets up .venv from the locked dependencies.

PYTHON ?= python3
JOBS ?= 2
PYTEST_ARGS ?=
VERIFY_ARGS ?=
BENCH_ARGS ?=
HOSTILE_ARGS ?=
FUZZ_SECONDS ?= 120
FUZZ_SEED ?= 1
PEERS_ARGS ?=
FAULTS_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMPILED := build/compiled
# Of the indexes, which are what is compiled, and of allocators over them.
COMPILED_TESTS := $(addprefix tests/,gap_tree id_bitmap test_many.py test_requests.py test_moves.py)
LOCK_TOOLS := build/lock-tools
MUTATION_TOOLS := build/mutation-tools
FUZZ_TOOLS := build/fuzz-tools
UV_VERSION := 0.13.9
PIP_FLAGS := --quiet --disable-pip-version-check --no-input
RUST := $(addprefix adapters/rust,/ /vm-allocator-0-1-0 /vm-allocator-0-1-3)
TYPED := $(strip src spec tests adapters $(sort $(dir $(wildcard benchmarks/*.py examples/*.py))))

.DEFAULT_GOAL := help
.PHONY: help verify test test-full hot-plug lint mutation faults hostile fuzz adapters peers bench
.PHONY: bench-quick pictures lock
.PHONY: wheel clean wheel-compiled compiled test-compiled
.PHONY: check-python check-style check-format check-types check-arrows check-adapters

help: ## list the targets
	@echo "usage: make TARGET [PYTHON=python3] [JOBS=2] [PYTEST_ARGS=...] [VERIFY_ARGS=...]" \
		"[BENCH_ARGS=...]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

verify: $(READY) ## prove the specification and run the state machines: the main job
	@echo "==> vm-allocator verify"
	@$(BIN)/vm-allocator verify $(VERIFY_ARGS)

test: $(READY) ## run the tests, a fixed part of the slow ones, with branch coverage
	@echo "==> tests, $(JOBS) at a time, with branch coverage"
	@$(BIN)/python -m pytest -n $(JOBS) --cov --cov-branch --cov-report=term $(PYTEST_ARGS)

test-full: $(READY) ## run every test, with many more examples, fresh ones each time
	@echo "==> tests, $(JOBS) at a time, with many more examples"
	@$(BIN)/python -m pytest -n $(JOBS) --every-test -p tests.long_profile --hypothesis-profile=full $(PYTEST_ARGS)

hot-plug: $(READY) ## plug and unplug devices a million times, and account for every range
	@echo "==> a million rounds of hot-plug"
	@HOT_PLUG_ROUNDS=1000000 $(BIN)/python -m pytest -q tests/devices/test_devices.py -k leaks

lint: check-style check-format check-types check-arrows ## check style, format, types and imports

check-style: $(READY)
	@echo "==> ruff check"
	@$(BIN)/ruff check

check-format: $(READY)
	@echo "==> ruff format --check"
	@$(BIN)/ruff format --check

check-types: $(READY)
	@echo "==> mypy --strict $(TYPED)"
	@$(BIN)/mypy --strict $(TYPED)

check-arrows: $(READY)
	@echo "==> lint-imports: the one-way arrows between packages"
	@$(BIN)/lint-imports --no-cache --no-logo

mutation: $(READY) ## put every mutant of the shipped source through proofs and tests (20 minutes)
	@echo "==> mutants of the shipped source"
	@$(BIN)/vm-allocator verify --only source --every-mutant --keep-going --jobs $(JOBS)
	@echo "==> mutmut over the core"
	@$(PYTHON) -m venv --clear $(MUTATION_TOOLS)
	@$(MUTATION_TOOLS)/bin/pip install $(PIP_FLAGS) --no-deps --require-hashes -r requirements/mutation.lock
	@$(BIN)/python -m tests.mutation.core $(MUTATION_TOOLS)/bin/python

faults: $(READY) ## raise an exception at every instruction of every operation (5 minutes)
	@echo "==> an exception at every instruction of the library"
	@$(BIN)/python -m tests.faults $(FAULTS_ARGS)

hostile: $(READY) ## restore 12,000 hostile snapshots: a state or a typed refusal each, and the count
	@echo "==> hostile snapshots"
	@$(BIN)/python -m tests.snapshots.hostile $(HOSTILE_ARGS)

# In an environment of its own: atheris is there for some versions of Python, on Linux.
fuzz: check-python ## let a coverage-guided fuzzer look for a snapshot that breaks a restore
	@echo "==> setting up $(FUZZ_TOOLS) from requirements/fuzz.lock"
	@$(PYTHON) -m venv $(FUZZ_TOOLS)
	@$(FUZZ_TOOLS)/bin/pip install $(PIP_FLAGS) --no-deps --require-hashes --only-binary :all: \
		-r requirements/fuzz.lock || { \
		echo "skipped: there is no atheris for this Python or system (3.11 to 3.13 on Linux have one)"; \
		exit 0; } && \
	echo "==> fuzzing for $(FUZZ_SECONDS) s, seed $(FUZZ_SEED)" && \
	PYTHONPATH=src:. $(FUZZ_TOOLS)/bin/python -m tests.snapshots.fuzz build/fuzz-corpus \
		-max_total_time=$(FUZZ_SECONDS) -seed=$(FUZZ_SEED) -max_len=8192 -timeout=20 \
		-rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=build/fuzz-found-

adapters: ## build the Rust adapters into adapters/target/release; needs cargo
	@for place in $(RUST); do \
		echo "==> cargo build in $$place" && \
		cargo build --quiet --release --locked --manifest-path $$place/Cargo.toml \
			--target-dir adapters/target || exit 1; \
	done

peers: $(READY) adapters ## check released crates and Python packages; print what is found
	@echo "==> vm-allocator check of every peer"
	@$(BIN)/python -m adapters.peers $(PEERS_ARGS)

check-adapters: # style, lints and tests of the Rust adapters, and of the rivals
	@for place in $(RUST) benchmarks/rivals; do \
		echo "==> cargo fmt, clippy and test in $$place" && \
		cargo fmt --all --check --manifest-path $$place/Cargo.toml && \
		cargo clippy --quiet --all-targets --locked --manifest-path $$place/Cargo.toml \
			--target-dir adapters/target -- -D warnings && \
		cargo test --quiet --locked --workspace --manifest-path $$place/Cargo.toml \
			--target-dir adapters/target || exit 1; \
	done

bench: $(READY) ## measure against the rivals: tables and pictures in build/benchmarks
	@echo "==> benchmarks: this takes about 25 minutes"
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-quick: $(READY) ## the same in under two minutes, for the ratios
	@echo "==> benchmarks, quickly"
	@$(BIN)/python -m benchmarks --quick --out build/benchmarks/quick $(BENCH_ARGS)

pictures: $(READY) ## draw the pictures of the README again
	@echo "==> pictures"
	@$(BIN)/python -m vm_allocator.pictures docs/pictures tests/traces/i440fx-seabios.alloc.jsonl

wheel: $(READY) ## build the source distribution, and the wheel from it, into dist/
	@echo "==> source distribution and wheel"
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation --outdir dist

wheel-compiled: $(READY) ## build the wheel of machine code for this Python into dist/compiled; needs a C compiler
	@echo "==> wheel compiled by mypyc"
	@rm -rf dist/compiled
	@HATCH_BUILD_HOOK_ENABLE_MYPYC=1 $(BIN)/python -m build --no-isolation --outdir dist/compiled >/dev/null

# An environment like .venv, apart from the package: that is the compiled wheel.
compiled: wheel-compiled ## install the compiled wheel into build/compiled, with what its tests need
	@echo "==> setting up $(COMPILED)"
	@[ -x $(COMPILED)/bin/pip ] || $(PYTHON) -m venv --clear $(COMPILED)
	@$(COMPILED)/bin/pip install $(PIP_FLAGS) --no-deps --require-hashes -r requirements/dev.lock
	@$(COMPILED)/bin/pip install $(PIP_FLAGS) --no-deps --force-reinstall dist/compiled/*.whl

test-compiled: compiled ## run machines and tests of the library against the compiled wheel
	@echo "==> state machines on the compiled build"
	@$(COMPILED)/bin/vm-allocator verify --only machine --max-time 12
	@echo "==> tests of the compiled build, $(JOBS) at a time"
	@$(COMPILED)/bin/python -m pytest -n $(JOBS) $(PYTEST_ARGS) $(COMPILED_TESTS)

lock: check-python ## resolve requirements/*.in into requirements/*.lock again
	@echo "==> locking the dependencies with uv $(UV_VERSION)"
	@$(PYTHON) -m venv $(LOCK_TOOLS)
	@$(LOCK_TOOLS)/bin/pip install $(PIP_FLAGS) uv==$(UV_VERSION)
	@for name in dev fuzz mutation; do \
		$(LOCK_TOOLS)/bin/uv pip compile --quiet --system-certs --universal --python-version 3.11 \
			--generate-hashes --no-header --no-annotate requirements/$$name.in \
			-o requirements/$$name.lock || exit 1; \
	done
	@echo "the locks are up to date; delete one first to move to the newest versions"

clean: ## remove .venv and everything else that was made
	@echo "==> removing .venv, caches, build and dist"
	@rm -rf $(VENV) build dist adapters/target .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage .coverage.*
	@find src spec tests adapters benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

check-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not:" \
			"run 'make PYTHON=/path/to/python3.11 ...'" >&2; \
		exit 1; }

# Made anew when the lock or the package's own metadata changes. A virtual environment
# of another Python version is replaced; one of the same version is brought up to date.
# The lock is complete: `--no-deps` keeps pip from asking the index what is newer.
$(READY): requirements/dev.lock pyproject.toml | check-python
	@echo "==> setting up $(VENV) from requirements/dev.lock; the first time takes a minute"
	@version=$$($(PYTHON) -c 'import sys; print("python%d.%d" % sys.version_info[:2])') && \
		{ [ -x "$(BIN)/pip" ] && [ -d "$(VENV)/lib/$$version" ]; } || \
		$(PYTHON) -m venv --clear $(VENV) || { \
		echo "'$(PYTHON) -m venv' failed: install the venv module of this Python" \
			"(a package of its own on some systems)" >&2; \
		exit 1; }
	@$(BIN)/python -m pip install $(PIP_FLAGS) --no-deps --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install $(PIP_FLAGS) --no-deps --no-build-isolation -e .
	@touch $@
