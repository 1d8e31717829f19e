# Everything a developer types. `make` alone prints the list.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=
# Tests wait for processes more than they compute: one more worker than most machines have cores does no harm.
JOBS ?= 3
# What is run against the compiled modules.
COMPILED ?= tests/router

.DEFAULT_GOAL := help
.PHONY: help setup run test lint check format fuzz soak bench bench-quote bench-peers compiled pure test-compiled interop-setup clean

help: ## print this list
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: $(STAMP) ## make .venv with everything a developer needs

# Each missing piece of the machine is named in one line, before anything is written.
$(STAMP): pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	  test -x $(BIN)/python || uv venv --quiet --python '>=3.11' $(VENV) || exit 1; \
	  uv pip install --quiet --python $(BIN)/python -e '.[dev]' || exit 1; \
	else \
	  command -v $(PYTHON) >/dev/null 2>&1 \
	    || { echo "make setup: Python 3.11 or newer is missing: apt-get install python3 python3-venv" >&2; exit 1; }; \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "make setup: $(PYTHON) is older than 3.11: install a newer one and run make setup PYTHON=python3.11" >&2; exit 1; }; \
	  $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	    || { echo "make setup: the venv module of $(PYTHON) is missing: apt-get install python3-venv" >&2; exit 1; }; \
	  $(PYTHON) -m venv $(VENV) || exit 1; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' || exit 1; \
	fi
	@touch $@

run: $(STAMP) ## start clasp-router; flags by ARGS="--listen 127.0.0.1:7330"
	@exec $(BIN)/clasp-router $(ARGS)

test: $(STAMP) ## run the tests; ARGS="tests/house -q" narrows
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

lint: $(STAMP) ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint ## the same, and the house rules
	$(BIN)/python -m pytest -q tests/house

format: $(STAMP) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

fuzz: $(STAMP) ## the properties with 50,000 examples each, parsers with a million inputs
	HYPOTHESIS_PROFILE=fuzz CLASP_FUZZ_INPUTS=1000000 $(BIN)/python -m pytest -n $(JOBS) -m "property and not soak" $(ARGS)

soak: $(STAMP) ## the tests that run for minutes (marker `soak`)
	$(BIN)/python -m pytest -m soak -o faulthandler_timeout=7200 $(ARGS)

bench: $(STAMP) ## measure, also beside other brokers; ARGS="codec match --rounds 9"
	$(BIN)/python -m bench --peers $(ARGS)

bench-quote: $(STAMP) ## measure everything, and quote it in the README
	$(BIN)/python -m bench --peers --json bench/results/quoted.json $(ARGS)
	$(BIN)/python -m tests.readme_tables

bench-peers: $(STAMP) ## say which brokers the bench misses, and how to get them
	@$(BIN)/python -m bench.servers.peers

# In place, beside the files that they are made from; `make pure` is the way back. Forced, because what is only
# linked anew would keep its old time, and look older than its source.
compiled: $(STAMP) ## build the hot modules with mypyc; see setup.py
	@command -v cc >/dev/null 2>&1 || { echo "make compiled: cc is missing: apt-get install gcc libc6-dev" >&2; exit 1; }
	@$(BIN)/python -c 'import os, sys, sysconfig as s; sys.exit(not os.path.exists(s.get_path("include") + "/Python.h"))' \
	  || { echo "make compiled: the headers of Python are missing: apt-get install python3-dev" >&2; exit 1; }
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python -e '.[compiled]'; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[compiled]'; \
	fi
	CLASP_COMPILED=1 $(BIN)/python setup.py --quiet build_ext --inplace --force

pure: ## remove what `make compiled` has built
	find clasp_journal router -name '*.so' -delete

test-compiled: compiled ## build, and run the router's tests against it
	$(BIN)/clasp-router --version | grep -q compiled
	$(BIN)/python -m pytest -n $(JOBS) $(COMPILED) $(ARGS)

interop-setup: ## install the JavaScript peers of tests/interop
	@command -v npm >/dev/null 2>&1 || { echo "make interop-setup: npm is missing: apt-get install nodejs npm" >&2; exit 1; }
	npm install --prefix tests/interop --no-package-lock --no-audit --no-fund

clean: pure ## remove what was made here: .venv, caches, builds
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis tests/interop/node_modules .peers
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
