# Every command of this repository. Nothing has to be installed first but Python 3.11 or newer
# (and Node for the page); each target makes what it needs.
PYTHON ?= python3
BIN := .venv/bin
# The tests start Python some hundred times. Where the shell forbids it to keep its bytecode, as in a
# container, every one of those compiled all that it imports anew: half of what they cost.
export PYTHONDONTWRITEBYTECODE :=
PYTEST = $(BIN)/python -m pytest --junitxml=.cache/junit/$@.xml
# Half of their time the tests wait, so five workers on two processors; a file's tests stay
# together, for they share what they start.
SIDE_BY_SIDE = --numprocesses=5 --dist=loadfile
# A real server with the embedded engine and its models, for the browser tests.
BESIDE_SERVER = $(BIN)/python -m tools.with_server
.DEFAULT_GOAL := help
.PHONY: help run dev check contract lint-fix test test-web test-clients test-engines test-vllm test-install test-lowest e2e images smoke screenshots bench bench-light engines ui docs \
	wheels wheelhouse lock bump release release-check gates clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Set everything up, ask a real model one question, serve the page (ONCE=1: stop after the answer)
	@$(PYTHON) tools/bootstrap.py run $(if $(ONCE),--once)

dev: ## .venv with what the checks and tests need
	@$(PYTHON) tools/bootstrap.py dev

check: dev ## Every rule of the house that a machine can check, in seconds
	@$(BIN)/python -m tools.check

gates: dev ## The hard gates of a change: check, test-web, test; none where it is documentation alone (BASE=a commit)
	@$(BIN)/python -m tools.gates $(if $(BASE),--base $(BASE))

lint-fix: dev ## Format, and fix what ruff can fix
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

test: dev ## Unit, contract, integration with the real embedded engine, and one browser flow
	@$(BIN)/python -m tools.browser --optional
	@$(BIN)/python -m tools.page --optional
	$(BESIDE_SERVER) $(PYTEST) $(SIDE_BY_SIDE) -m "unit or contract or integration or smoke"

test-web: ## The page's own checks: types, tests, size
	@$(PYTHON) -m tools.page --check

test-clients: dev ## The field's clients, unmodified, against real servers (RECORD=1: keep what they send)
	@$(BIN)/python -m tools.clients
	$(if $(RECORD),VENOM_RECORD=1) $(BESIDE_SERVER) $(subst $(BIN),.cache/clients/env/bin,$(PYTEST)) -W ignore -m clients tests/clients

test-lowest: dev ## Against the oldest dependencies that pyproject.toml allows
	$(BIN)/python -m tools.lowest $(SIDE_BY_SIDE) --junitxml=.cache/junit/$@.xml

audit: dev ## Which package is imported where, how, and whether a start reaches it: docs/dependencies.md
	$(BIN)/python -m tools.audit

requirements: dev ## The older system's requirement files, from the locks, into requirements/files
	$(BIN)/python -m tools.requirement_files

docs: dev ## The documentation as a site, strictly, each link checked: .cache/docs-site
	$(BIN)/python -m tools.docs_site

contract: dev ## The model area's operations: locked, checked, deviating
	$(BIN)/python -m tools.contract

test-engines: dev ## Long runs with real engines
	$(PYTEST) -m engines

test-vllm: dev ## vLLM on the processor, in an environment that is made for it (3.5 GB)
	VENOM_TEST_VLLM=1 $(PYTEST) -m engines tests/engines/test_vllm.py

test-install: wheelhouse ## The wheels in fresh environments, without a network but for one small model; a new plugin's own checkers
	$(PYTEST) -m install tests/install tests/integration/test_plugin_install.py tests/unit/cli/test_new_plugin.py \
		tests/unit/checks/test_planted_plugin.py

e2e: dev ui ## A real server and a real browser
	@$(BIN)/python -m tools.browser
	$(BESIDE_SERVER) $(PYTEST) -m e2e tests/e2e

images: wheelhouse ## Build the images and say how large they are (BASE=IMAGE: on another base; IMAGES: names, --json)
	@$(BIN)/python -m tools.containers.images $(IMAGES)

smoke: wheelhouse ## The images under podman as users have them, in a real browser (SMOKE_OLLAMA=real: a real Ollama)
	@$(BIN)/python -m tools.browser
	@$(BIN)/python -m tools.containers.smoke

screenshots: dev ui ## Every page in each width, theme and language, into .cache/screenshots; the chosen ones into docs/images
	@$(BIN)/python -m tools.browser
	$(BIN)/python tests/e2e/screenshots.py $(SCREENSHOTS)

bench: wheelhouse ## Measure; results in bench/results/*.json
	$(BIN)/python bench/run.py $(BENCH)

bench-light: dev ## Start, memory and readiness of light, llm_off and full; the table of docs/light.md (QUICK=1: one round)
	$(BIN)/python bench/run.py light $(if $(QUICK),--quick)
	$(BIN)/python -m tools.light_page

engines: wheelhouse ## Every engine with the same Gemma 3: size, start, memory, speed, answers (QUICK=1: fewer rounds)
	$(BIN)/python bench/run.py engines $(if $(QUICK),--quick)

ui: ## Build the page into venom_core/ui/static
	@$(PYTHON) -m tools.page

wheels: dev ## Every wheel and sdist into dist/
	@$(BIN)/python -m tools.page --optional
	@$(BIN)/python -m tools.wheels

wheelhouse: wheels ## dist/wheelhouse: our wheels and the locked dependencies, for installs without an index
	@$(BIN)/python -m tools.wheelhouse

lock: dev ## Write requirements/*.txt again, and for which systems they have wheels (UPGRADE=1: newest versions)
	@$(BIN)/python -m tools.lock $(if $(UPGRADE),--upgrade)
	@$(BIN)/python -m tools.platforms

bump: dev ## A new version everywhere, and its changelog entry: make bump VERSION=2026.12.0
	@$(BIN)/python -m tools.release bump $(VERSION)

release: wheelhouse ## dist/ whole: wheels, wheelhouse, bills of material, statement; every rule (FINAL=1: it is handed out)
	@$(BIN)/python -m tools.release build $(if $(FINAL),--final)

release-check: dev ## The rules of a release, of the tree and of what lies in dist/
	@$(BIN)/python -m tools.release check $(if $(FINAL),--final)

clean: ## Remove what was built; the data directory of Venom is not touched
	rm -rf .venv .cache dist build venom_core/ui/static web/out web/.next web/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
