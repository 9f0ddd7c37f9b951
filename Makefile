# The whole project's commands. `make serve` and `make test` need nothing set up beforehand.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := $(PIP) install -qq --no-deps --require-hashes --only-binary :all:

.DEFAULT_GOAL := help
.PHONY: help setup serve test check unit faults screenshots lock clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed ## make .venv from the lock, with the kb command in it

$(VENV)/.installed: lock/requirements.lock lock/torch.lock lock/cuda.lock pyproject.toml
	@PYTHON=$(PYTHON) VENV=$(VENV) sh scripts/make-venv
	@echo "Installing the locked dependencies into $(VENV) (a few minutes the first time) ..."
	@# A build of torch that pip's find-links offers (a CPU build, say) comes before the registry's.
	@if [ -n "$(TORCH)" ]; then $(PIP) install -qq --no-deps "$(TORCH)"; \
	else $(LOCKED) --no-index -r lock/torch.lock 2>/dev/null || $(LOCKED) -r lock/torch.lock; fi
	@$(LOCKED) -r lock/requirements.lock
	@if $(BIN)/python scripts/torch_wants_cuda.py; then $(LOCKED) -r lock/cuda.lock; fi
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

serve: setup ## build the index from corpus/ where it is missing or stale, and serve it
	@# Exit code 1 may mean that some articles could not be read; they are named, the others are served.
	@$(BIN)/kb build --if-stale || [ $$? -eq 1 ]
	@exec $(BIN)/kb serve $(if $(PORT),--port $(PORT))

test: setup ## install what the tests need, then format, lint, types and every test
	@sh scripts/install-browser
	@$(MAKE) --no-print-directory check unit

check: setup ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

unit: setup ## the tests alone
	HF_HUB_OFFLINE=1 $(BIN)/pytest

faults: setup ## the fault tests in full: kills, power cuts, full disks, damage, a thousand publications (an hour or so)
	HF_HUB_OFFLINE=1 $(BIN)/pytest tests/faults --faults-long

screenshots: setup ## the pages' pictures, into docs/images/
	@sh scripts/install-browser
	@$(BIN)/kb build --if-stale
	$(BIN)/python scripts/screenshots.py

lock: setup ## resolve pyproject.toml anew into lock/
	$(PIP) install -qq uv
	PATH="$(BIN):$$PATH" $(BIN)/python lock/relock.py

clean: ## remove what was made here: .venv, the index, caches
	rm -rf $(VENV) index .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
