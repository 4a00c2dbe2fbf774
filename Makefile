# The commands of a developer. `make` alone explains them.

PYTHON ?= python3
UV ?= uv
DEMO_SECONDS ?= 60
PYTEST_ARGS ?=
BENCH_ARGS ?=
CHAOS_ARGS ?=
FUZZ_EXAMPLES ?= 1000000

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PATHS := casework schemas streams agents connectors operations benchmarks tests
LOCK := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench chaos fuzz lint format pages lock sbom clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Settings: PYTHON=$(PYTHON)  DEMO_SECONDS=$(DEMO_SECONDS)  PYTEST_ARGS=...  BENCH_ARGS=...  CHAOS_ARGS=..."

install: .venv/dev.stamp ## create .venv with everything a developer needs

demo: .venv/run.stamp ## run the exchange with simulated members on a real Kafka (DEMO_SECONDS=60)
	$(BIN)/hx demo --seconds $(DEMO_SECONDS)

test: lint ## everything, with the tests on the real Kafka
	$(BIN)/python -m pytest -m "not kafka" -n auto --dist worksteal $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m kafka -n 2 --dist loadfile $(PYTEST_ARGS)

check: lint ## lint, types and the quick tests without Kafka: under a minute
	$(BIN)/python -m pytest -m "not kafka and not slow" -n auto --dist worksteal --hypothesis-profile=quick $(PYTEST_ARGS)

bench: .venv/run.stamp ## the speed of everything that was promised, beside its peers on the same broker
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

chaos: .venv/run.stamp ## break a running exchange on purpose and compare by ids what is left (CHAOS_ARGS="--seed 1")
	$(BIN)/python -m operations.chaos $(CHAOS_ARGS)

fuzz: .venv/dev.stamp ## hostile input for every parser, a million in all (FUZZ_EXAMPLES=1000000)
	PYTHONPATH=.:tests/hostile $(BIN)/python tests/hostile/fuzz.py --examples $(FUZZ_EXAMPLES)

lint: .venv/dev.stamp ## style, types, layers, schema compatibility
	$(BIN)/ruff check $(PATHS)
	$(BIN)/ruff format --check $(PATHS)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hx schemas check
	$(BIN)/python -m operations.rule_pages --check

format: .venv/dev.stamp ## let ruff format and sort
	$(BIN)/ruff check --fix-only $(PATHS)
	$(BIN)/ruff format $(PATHS)

pages: .venv/dev.stamp ## write the pages about the rules from the table of transitions
	$(BIN)/python -m operations.rule_pages

lock: ## renew the hash-locked requirements from pyproject.toml (needs uv)
	$(LOCK) --upgrade --group build --output-file requirements/run.txt
	$(LOCK) --upgrade --group build --group dev --output-file requirements/dev.txt
	@! grep -nE '://|^-' requirements/*.txt || { echo "addresses or options stand in the lock files" >&2; exit 1; }

sbom: .venv/dev.stamp ## what this software is made of, as CycloneDX 1.6, into build/sbom.cdx.json
	$(BIN)/python -m operations.bill_of_materials --out build/sbom.cdx.json

clean: ## remove what tools left behind; .venv and the downloaded archives stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(PATHS) -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# Installed again only when a lock file or the project's metadata changed.
.venv/run.stamp .venv/dev.stamp: .venv/%.stamp: requirements/%.txt pyproject.toml | .venv/bin/python
	@echo "installing into .venv; the first time takes about a minute"
	$(PIP) install --quiet --require-hashes -r requirements/$*.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
