# make install · demo [KEEP=1] · test [THOROUGH=1] [TESTS=path] · check · audit · docs · bench · lock. Everything stays under .venv/ and .syncline/.

PYTHON ?=
PYTHONS := $(if $(PYTHON),$(PYTHON),python3.13 python3.12 python3.11 python3.14 python3 python)
BIN := .venv/bin
CACHE := $(CURDIR)/.venv/.cache
TESTS ?=

export DO_NOT_TRACK ?= 1
export PREFECT_SERVER_ANALYTICS_ENABLED ?= false
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_CACHE_DIR := $(CACHE)/uv
export RUFF_CACHE_DIR := $(CACHE)/ruff
export MYPY_CACHE_DIR := $(CACHE)/mypy
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis

.PHONY: install demo test check docs audit bench lock clean
.DEFAULT_GOAL := demo

install: .venv/.installed
	@:

demo: install
	@$(BIN)/syncline demo $(if $(KEEP),--keep)

PYTEST := $(BIN)/pytest -o cache_dir=$(CACHE)/pytest

test: install
	@$(PYTEST) -n 4 --dist loadfile --no-loadscope-reorder --maxfail=20 $(TESTS) || { \
		echo "What failed beside the others is run once more by itself: if it passes now, the test is too sensitive to load." >&2; \
		$(PYTEST) --last-failed --last-failed-no-failures none $(TESTS); \
	}

check: install
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --cache-dir $(CACHE)/imports

# Known vulnerabilities, and a list of components in sbom.json. It asks PyPI, so it is no part of the tests.
audit: install
	@$(BIN)/pip-audit --strict -r requirements.lock --disable-pip --progress-spinner off -f cyclonedx-json -o sbom.json

docs: install
	@$(BIN)/python docs/generate.py

bench: .venv/.installed-bench
	@$(BIN)/python -m benchmarks $(BENCH)

# The interpreter is looked for only once: .venv keeps it.
.venv/bin/python:
	@found=; for python in $(PYTHONS); do \
		"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && found="$$python" && break; \
	done; \
	if [ -z "$$found" ]; then \
		echo "error: Syncline needs CPython 3.11 or newer with its venv module; install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	"$$found" -m venv --clear .venv

.venv/bin/uv: .venv/bin/python requirements.lock
	@mkdir -p $(CACHE)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(CACHE)/uv.lock
	@$(BIN)/python -m pip install -qq --no-cache-dir --require-hashes -r $(CACHE)/uv.lock || echo "uv cannot be had here: pip goes on without it" >&2
	@if [ -e $@ ]; then touch $@; fi

.venv/.installed: requirements.lock pyproject.toml .venv/bin/uv
	@echo "Installing into .venv (once)" >&2
	@if [ -x $(BIN)/uv ]; then \
		VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install -q --require-hashes -r requirements.lock && \
		VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install -q --no-deps --no-build-isolation --offline -e .; \
	else \
		$(BIN)/python -m pip install -q --no-cache-dir --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .; \
	fi
	@# Without bytecode every command would compile Prefect anew: 7 s instead of 1.5 s where Python may not write it.
	@$(BIN)/python -m compileall -q -j 0 .venv/lib connectors storage tasks flows deployments web cli sandbox >/dev/null || true
	@touch $@

.venv/.installed-bench: requirements-bench.lock .venv/.installed
	@if [ -x $(BIN)/uv ]; then \
		VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install -q --require-hashes -r requirements-bench.lock; \
	else \
		$(BIN)/python -m pip install -q --no-cache-dir --require-hashes -r requirements-bench.lock; \
	fi
	@touch $@

# Hashes, no addresses: whoever installs asks the registry that their machine is set up for.
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -q
lock: install
	@$(LOCK) --group dev -o requirements.lock
	@$(LOCK) --group bench -c requirements.lock -o requirements-bench.lock

clean:
	@rm -rf .venv
