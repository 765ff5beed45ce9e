# `make demo` shows the main job, `make test` passes the tests; both set up what they need.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
READY := $(VENV)/ready

# A real Rasa: installed at the first `make e2e`, unless RASA_VENV names one that is there.
RASA_VENV ?= .venv-rasa
RASA_READY := $(if $(filter .venv-rasa,$(RASA_VENV)),.venv-rasa/ready)

.PHONY: demo test campaign e2e bench lint setup clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

demo: $(READY)
	$(BIN)/cc-bridge demo $(if $(KEEP),--keep)

test: $(READY) lint
	$(BIN)/python -m pytest

# kill -9 twenty times during 2,000 messages, on each engine; prints what became of them.
campaign: $(READY)
	$(BIN)/python -m pytest -s -m full --timeout 300 tests/campaign

e2e: $(READY) $(RASA_READY)
	RASA_VENV=$(RASA_VENV) $(BIN)/python -m pytest -m e2e --timeout 300 tests/e2e

.venv-rasa/ready: tests/e2e/constraints.txt tests/e2e/install.sh
	tests/e2e/install.sh $(@D)
	touch $@

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Side by side with baselines that run with it; KEEP=1 writes the README's figures.
bench: $(READY)
	$(BIN)/python -m tests.bench.translate
	$(BIN)/python -m tests.bench $(if $(KEEP),--keep)

clean:
	rm -rf $(VENV) build dist
