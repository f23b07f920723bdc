# Everything a person does with this checkout. `make help` lists it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo torture test bench check format lock clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## the virtual environment with everything, hashes checked

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("orderfleet needs Python 3.11 or newer; set PYTHON=...") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing dependencies (once; about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . 2>/dev/null \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

demo: $(READY) ## the whole fleet on simulated platforms; ARGS="--orders 50000", "--kill", "--help"
	@$(BIN)/orderfleet demo $(ARGS)

ROUNDS ?= 10
KAFKA  ?= embedded
SEED   ?= 1

torture: $(READY) ## random faults, then a proof; ROUNDS=200 KAFKA=embedded|apache|apache3 SEED=1 ARGS="--help"
	@$(BIN)/python -m ops.torture --rounds $(ROUNDS) --kafka $(KAFKA) --seed $(SEED) $(ARGS)

# One more than there are cores: much of the time a test waits for a server.
JOBS ?= $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) + 1 )))

test: $(READY) ## all tests and checks, on a real broker and Redis of their own
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n $(JOBS) $(ARGS)

QUIX := .venv-quix

bench: $(READY) $(QUIX)/.ready ## speed beside a bare loop, Quix Streams and plain Faust; KAFKA=apache, ARGS="--quick", "--help"
	$(BIN)/python -m ops.bench $(if $(KAFKA),--kafka $(KAFKA)) $(ARGS)

# Quix Streams wants an older confluent-kafka than the fleet has: it gets an environment of its own.
$(QUIX)/.ready: ops/bench/quix/requirements.lock
	@test -x $(QUIX)/bin/python || $(PYTHON) -m venv $(QUIX)
	@$(QUIX)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

check: $(READY) ## lint, types and import contracts only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY) ## resolve the dependencies anew (needs uv)
	uv pip compile --generate-hashes --no-header --no-emit-index-url --no-annotate --universal \
		--python-version 3.11 --all-extras pyproject.toml -o requirements.lock

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) $(QUIX) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
