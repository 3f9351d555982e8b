# All runs in the environment VENV, from the versions pinned in constraints.txt; with VENV= in what is activated.
# Macs have make 3.81, which looks for commands on its own PATH unless a shell other than its usual one runs them.
SHELL := /usr/bin/env bash
VENV ?= .venv
PYTHON ?=
export VENV PYTHON
export PATH := $(if $(VENV),$(if $(filter /%,$(VENV)),,$(CURDIR)/)$(VENV)/bin:)$(PATH)

define REPRO
@convscope before
dvc repro
@convscope after
endef

.PHONY: help install repro undo compare test check bench torture ui plots publish clean

help:  ## show these lines
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install:  ## create .venv with the pinned requirements; PYTHON names the Python, VENV another folder
	@python=$$(command -v "$$PYTHON" || command -v python3) || { \
		echo 'convscope: there is no python3: install Python (README, "Install")' >&2; exit 2; }; \
	"$$python" install.py

repro: install  ## run what is out of date; says first what and about how long, and last what came of it
	$(REPRO)

undo: install  ## set changes of params.yaml aside and run the committed one; nothing computed is lost
	git stash push --message 'params.yaml before make undo' -- params.yaml
	$(REPRO)

compare: install  ## run revision BASE and the working tree, say what is different; OUT is a folder to keep it in
	@convscope compare "$$BASE" $(if $(OUT),--out "$$OUT")

test: install  ## run the tests
	python -m pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder --durations 20

check: install  ## format, lint, types, direction of imports, the workflows, that versions fit together
	ruff format --check src tests benchmarks install.py
	ruff check src tests benchmarks install.py
	mypy
	mypy install.py
	lint-imports --no-cache
	zizmor --offline --quiet --strict-collection --persona auditor .github
	python -m pip check

bench: install  ## time it against what it could be slower than, as ratios
	python -m benchmarks

torture: install  ## kill the pipeline a hundred times and see that nothing is lost; half an hour
	python -m tests.torture

ui: install  ## open the MLflow UI on http://127.0.0.1:5000
	convscope ui

plots: install  ## draw the charts of the runs on a page that needs no network
	convscope plots

publish: install  ## send finished stages to MLflow, each once
	convscope publish

clean:  ## remove what the pipeline made and ALL kept runs (`convscope clean`: those that nothing refers to)
	git clean -qfdX data models reports logs .convscope/runs
