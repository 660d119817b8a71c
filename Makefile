# Commands for newcomers: `make run` shows the product, `make test` tests it. `make help` lists all.

VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
READY := $(VENV)/.ready
PYTEST := $(BIN)/pytest -n 2
DJADE := find loyaltyview providers templates -path "*templates/*.html" -print0 | xargs -0 $(BIN)/djade --target-version 5.2
# The tests have databases of their own, whatever the caller's environment names.
ALONE := env -u DATABASE_URL -u ENV_FILE

# The loyalty program of the demo: house, or a vendor that the sandbox plays.
PROVIDER := house

.DEFAULT_GOAL := help
.PHONY: help run test texts stress needs lint format messages lock clean

help: ## List the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

run: $(READY) ## Set everything up and start the demo; Ctrl-C stops it (PROVIDER=... for a vendor)
	@exec env SANDBOX=true $(PYTHON) -m loyaltyview.sandbox.demo --provider $(PROVIDER)

test: $(READY) needs lint texts ## Set everything up and pass every test, on SQLite and on PostgreSQL
	$(ALONE) $(PYTEST)
	$(ALONE) $(PYTHON) -m tests.setup.postgres -- $(PYTEST) -m "not once"

texts: $(READY) ## Compile the translations, for tests that read them
	@DJANGO_SETTINGS_MODULE=tests.settings $(PYTHON) manage.py messages --compile

needs: $(READY) ## Find or install the programs that tests need: Chromium, WebKitGTK, PostgreSQL
	@$(PYTHON) -m tests.setup.needs

stress: $(READY) ## Measure what slow clients and hanging systems do to a running product (some minutes)
	$(ALONE) $(PYTHON) -m tests.load.slow_clients
	$(ALONE) $(PYTHON) -m tests.load.hanging_newstore

lint: $(READY) ## Check style, types, migrations, settings and translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(DJADE) --check
	$(BIN)/mypy --cache-dir=/dev/null # a cache would keep the settings that its plugin read
	DJANGO_SETTINGS_MODULE=tests.settings $(PYTHON) manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=tests.settings $(PYTHON) manage.py check
	DJANGO_SETTINGS_MODULE=tests.settings $(PYTHON) manage.py messages --check

format: $(READY) ## Format code and templates
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@$(DJADE) || true # which says by its exit code that it changed something

messages: $(READY) ## Collect the texts of the screens for translators, and compile (ADD=fr adds a language)
	DJANGO_SETTINGS_MODULE=tests.settings $(PYTHON) manage.py messages $(if $(ADD),--add $(ADD))

lock: $(READY) ## Pin the newest dependencies that pyproject.toml allows, with hashes
	$(PYTHON) -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --generate-hashes --no-header \
		--quiet pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --generate-hashes --no-header \
		--quiet --extra dev pyproject.toml --output-file requirements-dev.txt

clean: ## Remove what was installed and generated, the demo's data too
	rm -rf $(VENV) staticfiles var .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python of at least 3.11 that can make a virtual environment.
$(READY): requirements-dev.txt
	@if ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		for python in python3 python3.13 python3.12 python3.11; do \
			$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
			rm -rf $(VENV); \
			$$python -m venv $(VENV) 2>/dev/null && break; \
		done; \
	fi
	@if ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		echo "LoyaltyView needs Python 3.11 or newer with its venv module (Debian: python3-venv)," >&2; \
		echo "found as python3, python3.13, python3.12 or python3.11." >&2; \
		exit 1; \
	fi
	@echo "Installing what requirements-dev.txt pins"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $(READY)
