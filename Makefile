# The obvious verbs. `make help` lists them.

VENV     := .venv
BIN      := $(VENV)/bin
PYTHON   ?= python3
PYTEST   := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test slow check interop prove fuzz long bench vm vm-reset guide image image-test docs clean setup setup-dev

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

ALONE := --ignore=tests/interop --ignore=tests/browser --ignore=tests/checks --ignore=tests/prove --ignore=tests/long --ignore=tests/vm
test: setup-dev  ## every test that needs no hardware, peer or browser
	$(PYTEST) -q -n 2 --dist loadfile -m "not slow" $(ALONE)

slow: setup-dev  ## those of them that take their time: ten thousand lives, half a minute of silence
	$(PYTEST) -q -n 2 -m slow $(ALONE)

check: setup-dev  ## style, types, layers, sizes, units
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python .ci/sizes.py
	sh .ci/units
	$(BIN)/python .ci/reliability.py --check
	$(BIN)/python .ci/rfc.py --check
	$(BIN)/python .ci/rfc4504.py --check
	$(BIN)/python .ci/wiring.py --check
	$(BIN)/python .ci/figures.py --check
	$(PYTEST) -q tests/checks

interop: setup-dev  ## real Kamailio, baresip, SIPp, coturn and Chromium (Debian packages)
	$(PYTEST) -q -n 2 --dist loadfile tests/interop tests/browser

prove: setup-dev  ## every state the phone can reach, each one checked
	$(PYTEST) -q -s -n 0 tests/prove

SECONDS := 60
fuzz: setup-dev  ## the property tests from new seeds, SECONDS=60 long
	@$(BIN)/python -m tests.fuzz $(SECONDS)

long: setup-dev  ## a week of an office on virtual time, memory watched (about 15 minutes)
	$(PYTEST) -q -n 2 tests/long

bench: setup-dev  ## our phone beside baresip: a table and JSON
	$(BIN)/python -m pip install -q 'pesq>=0.0.4'
	$(BIN)/python -m tests.bench --save
	$(BIN)/python -m tests.bench.quality --save

vm: setup-dev  ## a virtual Pi in QEMU: real systemd, real kernel sound, pins and input devices; SAVE=1 keeps its figures
	@$(BIN)/python -m tests.vm.root
	$(PYTEST) -q -n 2 --dist load --maxschedchunk 1 -p no:randomly -m "not slow" tests/vm

vm-reset: setup-dev  ## the virtual Pi freezes, is reset by its watchdog and goes on
	@$(BIN)/python -m tests.vm.root
	$(PYTEST) -q -n 0 -m slow tests/vm

guide:  ## not there yet: the pictures of the user guide
	@echo "make guide: not there yet; the pictures of every screen are in tests/data/golden." >&2; exit 1

image:  ## not there yet: the SD-card image
	@echo "make image: not there yet; image/README.md says what is planned." >&2; exit 1

image-test:  ## not there yet: start the SD-card image in an emulator
	@echo "make image-test: not there yet; there is no image to start (make image)." >&2; exit 1

docs: setup-dev  ## rewrite the generated pages under docs/
	$(BIN)/python .ci/reliability.py
	$(BIN)/python .ci/rfc.py
	$(BIN)/python .ci/rfc4504.py
	$(BIN)/python .ci/wiring.py
	$(BIN)/python .ci/figures.py
	$(BIN)/python -m firmware.cli_manual

clean:  ## remove what the build left here
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
