# Two commands on a fresh machine: `make run` and `make test`. Python 3.11 and pip are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
T ?= tests

.DEFAULT_GOAL := help
.PHONY: help run test check bench crash assets docs openapi migration clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更高版本"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: $(STAMP) ## install, start database, web, scheduler and simulator, print addresses and accounts
	@exec $(BIN)/python -m app.devserver

test: $(STAMP) ## the whole suite on real PostgreSQL (T=tests/bpmn for a part)
	$(BIN)/python -m tests.support.requirements
	$(BIN)/python -m pytest -n 2 --dist worksteal $(T)

check: $(STAMP) ## format, lint, types, import contracts, committed bundles and documents
	$(BIN)/ruff format --check app tests
	$(BIN)/ruff check app tests
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg
	$(BIN)/python -m tests.support.openapi --check
	$(BIN)/python -m tests.support.reference --check

bench: $(STAMP) ## measure speed; results and method in docs/performance.md
	$(BIN)/python -m tests.bench

crash: $(STAMP) ## SIGKILL at every third statement, commit and HTTP call of ten stories; races; mutants
	$(BIN)/python -m tests.crash.sweep --every 3

assets: ## rebuild the vendored bundles (needs node 20)
	cd assets && npm ci && node build.mjs

openapi: $(STAMP) ## write docs/reference/openapi-*.json
	$(BIN)/python -m tests.support.openapi

docs: openapi ## refresh the generated reference pages
	$(BIN)/python -m tests.support.reference

migration: $(STAMP) ## draft a migration from the models: make migration M="what it does"
	$(BIN)/python -m tests.support.migration "$(M)"

clean: ## remove the environment; instance/ (data) stays
	rm -rf $(VENV)
