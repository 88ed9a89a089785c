# The obvious verbs. `make help` lists them.

VENV     := .venv
BIN      := $(VENV)/bin
PYTHON   ?= python3
PYTEST   := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test check interop prove bench docs clean setup setup-dev

help:  ## this list
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(VENV)/.run  ## what the phone needs to run, in .venv
setup-dev: $(VENV)/.dev

$(VENV)/.run: pyproject.toml .ci/setup
	@PYTHON=$(PYTHON) sh .ci/setup run

$(VENV)/.dev: pyproject.toml .ci/setup
	@PYTHON=$(PYTHON) sh .ci/setup dev

demo: setup  ## the virtual phone with the practice PBX; prints the page's address
	@$(BIN)/deskphone demo

test: setup-dev  ## every test that needs no hardware, peer or browser
	$(PYTEST) -q -n 2 --dist loadfile --ignore=tests/interop --ignore=tests/browser --ignore=tests/checks --ignore=tests/prove

check: setup-dev  ## style, types, layers, sizes, units
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python .ci/sizes.py
	sh .ci/units
	$(BIN)/python .ci/reliability.py --check
	$(PYTEST) -q tests/checks

interop: setup-dev  ## real Kamailio, baresip, SIPp and Chromium (Debian packages)
	$(PYTEST) -q tests/interop tests/browser

prove: setup-dev  ## every state the phone can reach, each one checked
	$(PYTEST) -q -s -n 0 tests/prove

bench: setup-dev  ## our phone beside baresip: a table and JSON
	$(BIN)/python -m tests.bench

docs: setup-dev  ## rewrite the generated pages under docs/
	$(BIN)/python .ci/reliability.py
	$(BIN)/python -m firmware.cli_manual

clean:  ## remove what the build left here
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
