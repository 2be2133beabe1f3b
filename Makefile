# Two commands for a newcomer: `make demo` and `make test`. Both set up .venv first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: help demo test test-long test-exhaustive check lock docs clean

help:
	@echo "make demo       build the demo corpora and run both configurations on them"
	@echo "make test       the test suite"
	@echo "make test-long  crash, fuzz and scale tests"
	@echo "make test-exhaustive  every step at which a run can die or fail: hours"
	@echo "make check      lint, types, import rules: what continuous integration runs first"
	@echo "make docs       generate pages and the drawing of the rooms from models and contracts"
	@echo "make lock       resolve constraints.txt anew"

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[demo,test,check]'
	touch $@

demo: .venv/ready
	$(BIN)/python -m demo

test: .venv/ready
	$(BIN)/python -m pytest -m 'not long and not exhaustive' -n 2 --dist worksteal

test-long: .venv/ready
	$(BIN)/python -m pytest -m long -n 2 --dist worksteal

test-exhaustive: .venv/ready
	$(BIN)/python -m pytest -m exhaustive

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/ready
	$(BIN)/python -m docs.generate

lock:
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check '.[demo,test,check,encoders]'
	.venv-lock/bin/python -m pip freeze --exclude polyculture | sed -E 's/\+[a-z0-9.]+$$//' > constraints.txt
	rm -rf .venv-lock

clean:
	rm -rf .venv .venv-lock runs build dist .mypy_cache .ruff_cache .pytest_cache
