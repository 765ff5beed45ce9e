# `make demo` shows the main job, `make check` looks over a change in a minute, `make test` passes
# all tests; each sets up what it needs.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
READY := $(VENV)/ready

# A real Rasa: installed at the first `make e2e`, unless RASA_VENV names one that is there.
RASA_VENV ?= .venv-rasa
RASA_READY := $(if $(filter .venv-rasa,$(RASA_VENV)),.venv-rasa/ready)

# Tests that open no database and start no bridge: the ones that `make check` runs.
PURE := tests/unit tests/translate tests/config tests/simulator tests/test_imports.py tests/test_glossary.py \
	tests/gateway/test_wire.py tests/core/test_policy.py tests/core/test_breaker.py \
	tests/core/test_outcome.py tests/core/test_planners.py tests/core/test_the_command_queue.py tests/process/test_frames.py \
	tests/web/test_auth.py tests/web/test_logs.py tests/web/test_serializers.py \
	tests/demo/test_the_requests.py

# Tests of what the dependencies do for a server and its store: with PURE, the ones that run with
# the lowest and the newest versions.
STARTS := tests/test_packaging.py tests/store/test_store.py tests/gateway/test_client.py \
	tests/web/test_start_and_stop.py tests/web/test_readiness.py tests/web/test_metrics.py

# Processes of `make test`, each with servers of its own. Tests wait more than they compute: four
# keep two cores busy.
WORKERS ?= 4
PYTEST := $(BIN)/python -m pytest

# The resolver of `make test-lowest` and `make test-newest`; it downloads no interpreter.
UV := UV_PYTHON_DOWNLOADS=never .venv-uv/bin/uv

.PHONY: demo check test suite browser browser-tools test-lowest test-newest campaign e2e bench lint pure setup clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

demo: $(READY)
	$(BIN)/cc-bridge demo $(if $(KEEP),--keep)

check: $(READY)
	@$(MAKE) --no-print-directory -j 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync) lint pure

pure: $(READY)
	$(PYTEST) -n 2 $(PURE)

# All tests: what the browser tests need is looked for first.
test: browser-tools suite browser

suite: $(READY)
	$(PYTEST) -n $(WORKERS)

# The lowest versions that pyproject.toml allows, and the newest, whatever constraints.txt says. Each
# run installs afresh; PYTHON chooses the interpreter.
test-lowest: RESOLUTION := lowest-direct
test-newest: RESOLUTION := highest
test-lowest test-newest: test-%: .venv-uv/ready
	$(UV) venv --quiet --clear --python $(PYTHON) .venv-$*
	$(UV) pip install --quiet --python .venv-$* --resolution $(RESOLUTION) -e '.[test]'
	.venv-$*/bin/python -m pytest -n $(WORKERS) $(PURE) $(STARTS)

.venv-uv/ready: constraints.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt uv
	touch $@

# The panel in the system's Chromium; axe-core comes from npm, at the version of the lock file.
browser: browser-tools $(READY) tests/browser/node_modules/axe-core
	$(PYTEST) -m browser tests/browser

browser-tools:
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || { \
		echo "The browser tests need Chromium; on Debian: apt-get install chromium" >&2; exit 1; }
	@command -v npm > /dev/null || { \
		echo "The browser tests need npm, for axe-core; on Debian: apt-get install npm" >&2; exit 1; }

tests/browser/node_modules/axe-core: tests/browser/package-lock.json
	npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund
	touch $@

# kill -9 twenty times during 2,000 messages and fifty stops during 3,000, on each engine; prints
# what became of the messages.
campaign: $(READY)
	$(PYTEST) -s -m full --timeout 300 tests/campaign

e2e: $(READY) $(RASA_READY)
	RASA_VENV=$(RASA_VENV) $(PYTEST) -m e2e --timeout 300 tests/e2e

.venv-rasa/ready: tests/e2e/constraints.txt tests/e2e/install.sh
	tests/e2e/install.sh $(@D)
	touch $@

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Side by side with baselines that run with it; KEEP=1 writes docs/figures.md and the README's summary.
bench: $(READY)
	$(BIN)/python -m tests.bench.translate
	$(BIN)/python -m tests.bench $(if $(KEEP),--keep)

clean:
	rm -rf $(VENV) .venv-uv .venv-lowest .venv-newest build dist
