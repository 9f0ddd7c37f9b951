# The whole project's commands. `make serve` and `make test` need nothing set up beforehand.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := $(PIP) install -q --no-deps --require-hashes --only-binary :all:

.DEFAULT_GOAL := help
.PHONY: help setup serve test check unit quick quality fuzz api hostile faults pages image-steps sanity bench bench-report http changes growth nearest screenshots reference docs docs-serve wheels licences lock clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed ## make .venv from the lock, with the kb command in it

$(VENV)/.installed: lock/requirements.lock lock/torch.lock lock/cuda.lock pyproject.toml kb/compute/native.c
	@PYTHON=$(PYTHON) VENV=$(VENV) sh scripts/make-venv
	@echo "Installing torch into $(VENV) (all of this takes some minutes the first time) ..."
	@VENV=$(VENV) TORCH="$(TORCH)" sh scripts/install-torch
	@echo "Installing the other locked dependencies ..."
	@$(LOCKED) -r lock/requirements.lock
	@if $(BIN)/python scripts/torch_wants_cuda.py; then \
		echo "Installing the CUDA libraries that this build of torch asks for (2.2 GB) ..."; $(LOCKED) -r lock/cuda.lock; fi
	@VENV=$(VENV) sh scripts/install-project
	@touch $@

serve: setup ## build the index from corpus/ where it is missing or stale, and serve it
	@# Exit code 1 may mean that some articles could not be read; they are named, the others are served.
	@$(BIN)/kb build --if-stale || [ $$? -eq 1 ]
	@exec $(BIN)/kb serve $(if $(PORT),--port $(PORT))

test: setup ## install what the tests need, then format, lint, types and every test
	@sh scripts/install-browser
	@sh scripts/install-servers
	@sh scripts/install-strace
	@$(MAKE) --no-print-directory check unit

check: setup ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Two processes, each with the tests of one file after the other.
unit: setup ## the tests alone
	HF_HUB_OFFLINE=1 $(BIN)/pytest -n 2 --dist loadfile

quick: setup ## the tests that need no index and no browser, to run while one works (2,111 tests; 36 s on two cores)
	HF_HUB_OFFLINE=1 $(BIN)/pytest -q -n 2 --dist loadfile -m "not slow" --hypothesis-profile=quick

quality: setup ## this ranking beside plain ones over every judged collection in ../shared (hours the first time; some: ONLY="SleepQA fresh")
	$(BIN)/python -m benchmarks.suite --json benchmarks/suite/run.json $(if $(ONLY),--only $(ONLY))

fuzz: setup ## the properties alone, with a thousand examples that are others each time
	HF_HUB_OFFLINE=1 $(BIN)/pytest -n 2 --dist loadfile --hypothesis-profile=fuzz -m hypothesis

api: setup ## Schemathesis over the whole OpenAPI document, with many examples
	HF_HUB_OFFLINE=1 SCHEMATHESIS_EXAMPLES=50 $(BIN)/pytest tests/search_api/test_schemathesis.py tests/faults/service/test_document.py

hostile: setup ## 5,000 hostile questions to a service over index/: none may fail or take more than 300 ms
	@$(BIN)/kb build --if-stale
	$(BIN)/python benchmarks/hostile.py

faults: setup ## the fault tests in full: kills, power cuts, full disks, damage, publications (an hour; one: FAULTS=tests/faults/disk/test_kill.py)
	HF_HUB_OFFLINE=1 $(BIN)/pytest $(or $(FAULTS),tests/faults) --long

pages: setup ## the pages in full: every state in every layout, every hostile text, in Chromium
	HF_HUB_OFFLINE=1 $(BIN)/pytest tests/browser --long

image-steps: setup ## the steps of deploy/Containerfile in a Debian root, and what they make run (as root; some minutes, 3 GB)
	@command -v mmdebstrap >/dev/null && command -v ip >/dev/null || sh scripts/apt-install mmdebstrap iproute2
	@$(BIN)/kb build --if-stale
	$(BIN)/python -m scripts.image_steps

sanity: setup ## the plain package on other Pythons in Debian roots, and with the oldest libraries it allows (as root; some minutes, 4 GB)
	@command -v mmdebstrap >/dev/null || sh scripts/apt-install mmdebstrap
	$(BIN)/python -m scripts.sanity

# Beside what: `make bench PEERS="own lancedb"` measures these again, with REBUILD=1 filled anew, `make bench` those that
# the run has not yet.
DATA  ?= ../shared/data/medquad
INDEX ?= build/bench/index
PEERS ?=

bench: setup build/peers/.installed ## this project beside its peers, over the collection in DATA, into benchmarks/peers/run.json and the documents
	@test $(INDEX) != build/bench/index || $(BIN)/kb build --index $(INDEX) --corpus $(DATA)/articles.jsonl.gz --if-stale
	$(BIN)/python -m benchmarks.peers run --index $(INDEX) --topics $(DATA)/topics.dev.jsonl --qrels $(DATA)/qrels.dev.txt \
		--engines "$(PEERS)" $(if $(REBUILD),--rebuild)
	@$(MAKE) --no-print-directory bench-report

bench-report: build/peers/.installed ## the tables and the plot of benchmarks/peers/run.json into README.md and docs/
	build/peers/bin/python -m benchmarks.peers report --readme README.md --details docs/experiments/performance.md --plot docs/images/peers.svg

http: setup ## questions a second through HTTP by 8 clients, and what commands take from nothing, over INDEX
	$(BIN)/python benchmarks/http_rate.py --index $(INDEX) --topics $(DATA)/topics.dev.jsonl --field summary
	$(BIN)/python benchmarks/cold_start.py --index $(INDEX)

CHANGED ?= 5000
changes: setup ## how long a change waits for its 202, at rest and beside a build, over an index of CHANGED articles
	HF_HUB_OFFLINE=1 $(BIN)/python benchmarks/changes.py --articles $(CHANGED)

build/peers/.installed: benchmarks/peers/requirements.txt lock/torch.lock
	@PYTHON=$(PYTHON) VENV=build/peers sh scripts/make-venv
	@echo "Installing the peers into build/peers (2.3 GB with torch's CPU build; hnswlib is compiled) ..."
	@VENV=build/peers TORCH="$(TORCH)" sh scripts/install-torch
	@build/peers/bin/python -m pip --disable-pip-version-check install -q --only-binary :all: --no-binary hnswlib -r $<
	@touch $@

GROWTH_SIZES ?= 1000 10000 31000 100000 1000000
growth: setup build/peers/.installed ## how questions, memory, disk and rebuilds grow: REAL=INDEX TOPICS=FILE OUT=FOLDER (two hours, 20 GB of disk)
	HF_HUB_OFFLINE=1 $(BIN)/python -m benchmarks.growth build --real $(REAL) --out $(OUT) $(GROWTH_SIZES)
	$(BIN)/python -m benchmarks.growth ask --topics $(TOPICS) --out $(OUT)
	build/peers/bin/python -m benchmarks.growth_report --out $(OUT) --images docs/images

nearest: setup ## engines for a million vectors beside each other: REAL=INDEX TOPICS=FILE OUT=FOLDER ENGINES=SOME (all: two hours)
	$(BIN)/python benchmarks/nearest.py build --real $(REAL) --out $(OUT) $(ENGINES)
	$(BIN)/python benchmarks/nearest.py ask --topics $(TOPICS) --real $(REAL) --out $(OUT) $(ENGINES)

screenshots: setup ## the pages' pictures, into docs/images/
	@sh scripts/install-browser
	@$(BIN)/kb build --if-stale
	$(BIN)/python scripts/screenshots.py

reference: setup ## write docs/reference/ from the code: commands, HTTP API, settings
	$(BIN)/python -m scripts.reference

docs: build/docs-tools/.installed ## the site into build/docs/: strict, and nothing in it comes from elsewhere
	@rm -rf build/docs
	build/docs-tools/bin/python -m sphinx -W --keep-going -q -c docs -d build/docs-cache . build/docs
	@cp build/docs/README.html build/docs/index.html
	build/docs-tools/bin/python scripts/check_site.py build/docs

docs-serve: setup ## these pages in an index of their own (build/docs-index), searched by this project
	@rm -rf build/docs-corpus && mkdir -p build/docs-corpus
	@cp --parents *.md $$(find docs -name '*.md') build/docs-corpus
	@$(BIN)/kb build --index build/docs-index --corpus build/docs-corpus || [ $$? -eq 1 ]
	@exec $(BIN)/kb serve --index build/docs-index --site-name "$(DOCS_NAME)" $(if $(PORT),--port $(PORT))
DOCS_NAME = Documentation

wheels: build/wheels-tools/.installed ## a wheel with the compiled part (manylinux on Linux) and a pure one, into build/wheels/
	build/wheels-tools/bin/python scripts/wheels.py build/wheels

licences: setup build/licences-tools/.installed ## licences of all dependencies and a CycloneDX SBOM, into build/licences/
	@mkdir -p build/licences
	build/licences-tools/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible -o build/licences/sbom.cdx.json $(BIN)/python
	$(BIN)/python scripts/licences.py build/licences/sbom.cdx.json build/licences/licences.md

build/%-tools/.installed: lock/%.lock
	@PYTHON=$(PYTHON) VENV=build/$*-tools sh scripts/make-venv
	@build/$*-tools/bin/python -m pip --disable-pip-version-check install -q --no-deps --require-hashes --only-binary :all: -r $<
	@touch $@

lock: setup ## resolve pyproject.toml anew into lock/
	$(PIP) install -qq uv
	PATH="$(BIN):$$PATH" $(BIN)/python lock/relock.py

clean: ## remove what was made here: .venv, the index, caches
	rm -rf $(VENV) build index .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
