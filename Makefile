# Every way to use the project. `make` alone prints this list; ARGS=… reaches the command behind a target.
.DEFAULT_GOAL := help
.PHONY: help demo run test check bench lock clean
bin := .venv/bin

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

demo: ## service, simulator and database; asks one confirmation in front of you (ARGS=--auto answers it)
	@scripts/bootstrap run
	@$(bin)/sayso demo $(ARGS)

run: ## the service, with the settings of .env
	@scripts/bootstrap run
	@$(bin)/sayso serve $(ARGS)

test: ## all rings of tests (ARGS='-k stop tests/stories' narrows)
	@scripts/bootstrap dev
	@scripts/browser
	@scripts/javascript
	@$(bin)/pytest -n auto --maxprocesses 4 $(ARGS)

check: ## format, lint, types, import directions, rules of the house; seconds
	@scripts/bootstrap dev
	@$(bin)/ruff format --check --quiet . || { echo "Run $(bin)/ruff format ."; exit 1; }
	@$(bin)/ruff check --quiet .
	@$(bin)/mypy --no-error-summary
	@$(bin)/lint-imports >.venv/lint-imports.log 2>&1 || { cat .venv/lint-imports.log; exit 1; }
	@$(bin)/pytest -q tests/house

bench: ## speed and size on this machine, each beside a baseline
	@scripts/bootstrap dev
	@$(bin)/python bench/run.py $(ARGS)

lock: ## pin the packages again (ARGS=--upgrade for the newest)
	@scripts/lock $(ARGS)

clean: ## remove what was installed and built; data/ and .env stay
	rm -rf .venv build dist tests/clients/javascript/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests bench scripts -name __pycache__ -prune -exec rm -rf {} +
