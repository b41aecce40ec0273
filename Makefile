# Everything a checkout can do. `make demo` and `make test` begin on a machine that has only git, make and Python.

.DEFAULT_GOAL := help
.PHONY: help setup demo test-setup check unit contract integration e2e test bench docs clean

PYTHON_SCRIPTS := scripts/sizes scripts/commands-page scripts/from-heroku-page
SITE := .venv/bin/sphinx-build --quiet --fail-on-warning --keep-going -c docs . dist/site

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what running needs; the command is then .venv/bin/homeport
	@scripts/setup

demo: setup ## Start the platform, deploy an example and print its URL
	@scripts/demo

test-setup: ## Install what the tests need: tools, a browser, the official heroku CLI
	@scripts/setup-tests

check: ## Style, types, and every link of the documentation
	@.venv/bin/ruff check . $(PYTHON_SCRIPTS)
	@.venv/bin/ruff format --check . $(PYTHON_SCRIPTS)
	@.venv/bin/mypy
	@.venv/bin/python scripts/sizes
	@$(SITE)

unit: ## Tests of pure decisions: no network, no processes
	@scripts/run-tests unit

contract: ## One suite against every engine, the fake one too
	@scripts/run-tests contract

integration: ## Tests with real servers, processes and repositories
	@scripts/run-tests integration

e2e: ## The whole platform, driven by both command lines
	@scripts/run-tests e2e

test: ## Install what tests need and run them all, fast ones first
	@$(MAKE) --no-print-directory test-setup
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory contract
	@$(MAKE) --no-print-directory integration
	@$(MAKE) --no-print-directory e2e

bench: test-setup ## Measure the platform against its floor (ONLY="deploys gaps": only that)
	@PATH="$(CURDIR)/.node/bin:$$PATH" .venv/bin/python -m bench $(ONLY)

docs: ## Write what is made from the command table anew, and the documentation as a website: dist/site
	@.venv/bin/python scripts/commands-page >docs/commands.draft && mv docs/commands.draft docs/commands.md
	@.venv/bin/python scripts/from-heroku-page >docs/from-heroku.draft && mv docs/from-heroku.draft docs/from-heroku.md
	@$(SITE)
	@echo "The documentation is at dist/site/docs/index.html"

clean: ## Remove what was installed and built here (system packages, ~/.homeport and bench/results stay)
	rm -rf .venv .uv .node .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
