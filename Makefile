VENV := .venv
PY := $(VENV)/bin/python

.PHONY: test setup

setup: $(VENV)/.done

$(VENV)/.done: pyproject.toml
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet -e '.[dev]'
	touch $@

test: setup  ## all tests that need no hardware, peer or browser
	$(PY) -m pytest -q
