# Everything a newcomer needs is one word after `make`. The work is done by tools/*.sh.
SHELL := bash
VENV_PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help demo test setup setup-python setup-r test-python test-r test-install coverage-r lint check-r vignettes models bench-to-r clean

help: ## this list
	@printf 'Photographs as data, from Python, R and the shell.\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

demo: setup-python ## set up, then classify photographs from the shell, Python and R and compare (start here)
	@tools/setup-r.sh --optional
	@demo/demo.sh

test: setup-python ## set up, then style, types, Python tests and R tests
	@tools/setup-r.sh $(if $(CI),,--optional)
	@tools/test.sh

setup: setup-python setup-r ## set up both halves (.venv and .r-lib)

setup-python: ## set up Python only: .venv
	@tools/setup-python.sh

setup-r: setup-python ## set up R: its packages (as root, with apt), rpy2 and .r-lib
	@tools/setup-r.sh

test-python: setup-python ## the Python tests; ARGS="-k faces -x" goes to pytest
	@tools/test-python.sh $(ARGS)

test-r: setup-r ## the R tests, without Python and with it
	@tools/test-r.sh

test-install: setup-r ## each way to install from R (docs/install.md), in fresh environments
	@tools/test-install.sh

coverage-r: setup-r ## how much of rpkg/R its tests run, without Python and with it
	@tools/coverage-r.sh

lint: setup-python ## style (ruff) and types (mypy)
	@tools/lint.sh

check-r: setup-r ## R CMD build and R CMD check of rpkg/
	@tools/check-r.sh

vignettes: setup-r ## build the articles into build/vignettes
	@tools/vignettes.sh

models: setup-python ## make the bundled models again from their origin and compare them with models/
	@. tools/env.sh && $(VENV_PYTHON) models/build/ --check

bench-to-r: setup-r ## time the ways a table can go from Python to R
	@tools/bench.sh to_r

clean: ## delete everything that make made
	rm -rf .venv .r-lib .cache .hypothesis .pytest_cache .mypy_cache .ruff_cache build dist rpkg/*.tar.gz
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
