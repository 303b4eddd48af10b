# Every target works alone on a fresh machine with Python 3.11+, git and make.
PYTHON ?= python3
BIN := .venv/bin
LOCK = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

unexport PYTHONDONTWRITEBYTECODE  # or each of two hundred Python processes compiles the operator and the tests anew

.PHONY: setup controlplane tools generate lint test chaos bench demo requirements clean

setup: .venv/.installed                       ## the Python environment in .venv

.venv/.installed: requirements/dev.txt pyproject.toml
	@echo "==> Python environment in .venv"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; set PYTHON=")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

controlplane: setup                           ## kube-apiserver, etcd and kubectl in .cache/controlplane/bin
	@$(BIN)/python -m tests.controlplane.build

tools: setup                                  ## helm, promtool and prometheus in .cache/tools/bin, for the tests
	@$(BIN)/python -m tests.tools.build
	@$(BIN)/python -m tests.chart.container

generate: setup                               ## the CRDs from the Pydantic models, the dashboards from their code
	@$(BIN)/python -m voyado_operator.api.crd crds
	@$(BIN)/python -m voyado_operator.api.crd helm/voyado-operator/files/crds
	@$(BIN)/python -m helm.dashboards
	@$(BIN)/python -m examples.argocd
	@$(BIN)/python -m docs.generate

install.yaml: tools generate                  ## the whole installation in one file, as a release has it
	@$(BIN)/python -m tests.tools.chart > $@

lint: setup                                   ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: controlplane tools                      ## every test, real control plane included
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

chaos: controlplane                           ## 100 kills -9 (CHAOS_SEED=) and 2,000 sequences of all that happens around runs (CAMPAIGN_SEED=)
	CHAOS_KILLS=$${CHAOS_KILLS:-100} $(BIN)/python -m pytest -s tests/faults/test_kills.py
	CAMPAIGN=$${CAMPAIGN:-2000} CAMPAIGN_SEED=$${CAMPAIGN_SEED:-$$(date +%s)} $(BIN)/python -m pytest -n 2 tests/campaign/test_campaign.py

bench: setup .cache/bench/.installed          ## against the floor, drt and dlt, into docs/benchmark.md; QUICK=1 is short
	@$(BIN)/python -m tests.bench

.cache/bench/.installed: requirements/bench.txt
	@echo "==> the peers in .cache/bench"
	@$(PYTHON) -m venv .cache/bench
	@.cache/bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/bench.txt
	@touch $@

demo: controlplane                            ## the whole promise in a minute; KEEP=1 leaves it running
	@$(BIN)/python -m examples.demo

requirements: setup                           ## lock again after a change of the dependencies in pyproject.toml
	$(LOCK) pyproject.toml -o requirements/runtime.txt
	$(LOCK) --group dev -c requirements/runtime.txt pyproject.toml -o requirements/dev.txt
	$(LOCK) --all-extras -c requirements/runtime.txt pyproject.toml -o requirements/extras.txt
	$(LOCK) --group build -c requirements/dev.txt -o requirements/build.txt

clean:
	rm -rf .venv .cache
