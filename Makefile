# Every task of this project, by name. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
# `make test WORKERS=2` runs the test files in so many processes side by side; 0 runs them one after the other.
WORKERS ?= 0

.DEFAULT_GOAL := help
.PHONY: help setup run test test-all lint format bench screenshots lock clean

help: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## prepare this checkout: system packages, virtual environment
	@$(PYTHON) installer/prepare.py

run: setup ## run the main job once: card, market, container, earnings
	@$(BIN)/argentum-desktop --home build/home demo --picture build/dashboard.png

test: ## run every test
	@$(PYTHON) installer/prepare.py --for test
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile

test-all: ## run every test on each supported Python of this machine
	@$(PYTHON) tests/all_pythons.py

lint: setup ## check style, types and the import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## put the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: ## measure, print a table, write build/bench.json
	@$(PYTHON) installer/prepare.py --for test
	@$(BIN)/python tests/benchmarks/bench.py

screenshots: setup ## draw the window in every state into build/screenshots
	@QT_QPA_PLATFORM=offscreen $(BIN)/python tests/ui/make_pictures.py build/screenshots

lock: setup ## choose the newest allowed version of every dependency
	@$(BIN)/uv pip compile pyproject.toml --extra market --extra dev --universal --generate-hashes \
		--python-version 3.11 --no-header --no-emit-index-url --upgrade -q -o requirements.lock

clean: ## remove everything that was made here
	@rm -rf build dist .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
