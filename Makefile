# `make demo` and `make test` are the two commands to know; `make` alone lists the rest.
# Only Python 3.11 or newer, make and git are needed. Another Python: make demo PYTHON=python3.13

PYTHON ?= python3
BIN := .venv/bin
DEMO := scenarios/vaccination_district.yaml
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo test quick lint lock lowest bench verify clean

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

setup: ## make .venv with the pinned packages and mobsim
	@$(PYTHON) tools/setup.py

setup-test:
	@$(PYTHON) tools/setup.py --test

demo: setup ## compare the strategies of the vaccination scenario and write the page
	$(BIN)/mobsim compare $(DEMO)
	@page=$$(ls -t results/*/*/*.html 2>/dev/null | head -n 1); [ -z "$$page" ] || echo "Open in a browser: $(CURDIR)/$$page"

test: setup-test ## run all tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

quick: setup-test ## run the tests that take less than a minute together
	$(BIN)/python -m pytest -m quick

lint: setup-test ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src

lock: ## write requirements/ again from pyproject.toml (needs uv; tools/lock --upgrade takes newer versions)
	tools/lock

lowest: ## run the quick tests on the lowest versions that pyproject.toml allows (needs uv)
	tools/lowest

bench: ## measure mobsim beside other programs (about 30 minutes); WHAT="--works W3-10k" or WHAT=--large: see benchmarks/run.py
	@$(PYTHON) tools/setup.py --bench
	.venv-bench/bin/python -m benchmarks.run $(WHAT)

verify: setup-test ## run the published cases and exact laws at full size (about 30 minutes); WHAT="S04 S06": some; see verification/README.md
	$(BIN)/python -m verification.run $(WHAT)

clean: ## remove .venv, caches and builds; results/ stays
	rm -rf .venv .venv-bench build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
