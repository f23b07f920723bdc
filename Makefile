# Everything a person does with this checkout. `make help` lists it.
PYTHON ?=
VENV   ?= .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup setup-quix setup-interop interop demo torture mutants test bench check format wheels lock clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# Quick when there is nothing to do, so everything asks it first.
setup: ## the virtual environment with everything, hashes checked; PYTHON=, VENV=
	@sh ops/setup/setup.sh "$(PYTHON)" "$(VENV)" requirements.lock ops.cli

demo: setup ## the whole fleet on simulated platforms; ARGS="--orders 50000", "--kill", "--help"
	@"$(BIN)/python" -m ops.cli demo $(ARGS)

ROUNDS ?= 10
KAFKA  ?= embedded
SEED   ?= 1

torture: setup ## random faults, then a proof; ROUNDS=200 KAFKA=embedded|apache|apache3 SEED=1 ARGS="--help"
	@"$(BIN)/python" -m ops.testbed.torture --rounds $(ROUNDS) --kafka $(KAFKA) --seed $(SEED) $(ARGS)

mutants: setup ## payloads, answers and files changed in every way that hurts; ARGS="--orders 500000", "--help"
	@"$(BIN)/python" -m ops.testbed.fuzz $(ARGS)

# One more than there are cores: much of the time a test waits for a server.
JOBS ?= $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) + 1 )))

test: setup ## tests and checks, on a real broker and Redis of their own; DEEP=1: the long ones, too
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"
	"$(BIN)/lint-imports"
	"$(BIN)/pytest" -n $(JOBS) --dist worksteal $(if $(DEEP),,-m "not deep") $(ARGS)

QUIX := .venv-quix

bench: setup setup-quix ## speed beside a bare loop, Quix Streams and plain Faust; KAFKA=apache, ARGS="--quick", "--help"
	"$(BIN)/python" -m ops.bench $(if $(KAFKA),--kafka $(KAFKA)) $(ARGS)

# Quix Streams wants an older confluent-kafka than the fleet has: it gets an environment of its own.
setup-quix:
	@sh ops/setup/setup.sh "$(PYTHON)" $(QUIX) ops/bench/quix/requirements.lock

# SDKs of others want an older httpx than the fleet has: they, too, are on their own.
setup-interop:
	@sh ops/setup/setup.sh "$(PYTHON)" .venv-interop tests/interop/requirements.lock

interop: setup setup-interop ## the SDKs of others against the simulated platforms; see tests/interop/README.md
	"$(BIN)/pytest" tests/interop $(ARGS)

check: setup ## lint, types and import contracts only
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"
	"$(BIN)/lint-imports"

format: setup ## put the code into its form
	"$(BIN)/ruff" check --fix .
	"$(BIN)/ruff" format .

wheels: setup ## whether everything of the lock comes ready-built, on every machine of the README; ARGS="--json"
	@"$(BIN)/python" -m ops.setup.wheels $(ARGS)

RESOLVE := uv pip compile --generate-hashes --no-header --no-emit-index-url --no-annotate --universal --python-version 3.11

lock: setup ## resolve the dependencies anew (needs uv); the image gets the same versions, without extras
	$(RESOLVE) --all-extras pyproject.toml -o requirements.lock
	$(RESOLVE) --constraint requirements.lock pyproject.toml -o requirements-image.lock
	$(RESOLVE) tests/interop/requirements.in -o tests/interop/requirements.lock

clean: ## remove the virtual environment and caches
	rm -rf "$(VENV)" "$(VENV).lock" $(QUIX) $(QUIX).lock .venv-interop .venv-interop.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
