# The two commands of a newcomer:
#   make demo   train on real data with the gradient monitor, in an environment of its own
#   make test   run the whole suite on TensorFlow, JAX and PyTorch
# and those of a developer:
#   make lint   ruff, mypy, import-linter
#   make format
#   make test-everywhere   every test on every backend (make test runs some once)
#   make test-floor   the suite on the oldest supported Keras
#   make test-nightly   the suite on a nightly build of the coming Keras
#   make docs   build the documentation
#   make pages   run the code of README and guide, write what it prints and draws below it
#   make gallery   draw the pictures of the claims that are out of date
#   make notebooks   write the claims as notebooks (make notebooks-check runs three of them)
#   make bench  measure what watching costs
#   make package-check   build sdist and wheel, check them, use the wheel on each backend
#   make release-check   the same, and that addresses and the date of the release are given
#   make clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
CONSTRAINTS := requirements/constraints.txt
SOURCES := $(shell find keras_dlbasic -type f -not -name '*.pyc') setup.cfg pyproject.toml
BACKENDS ?= tensorflow jax torch
WORKERS ?= 2
FLOOR := .venv-floor
NIGHTLY := .venv-nightly
PLOT ?= 1

export TF_CPP_MIN_LOG_LEVEL ?= 3
export MPLBACKEND ?= Agg

.PHONY: demo test test-everywhere test-floor test-nightly lint format docs bench \
  pages gallery gallery-check notebooks notebooks-check package-check release-check clean

demo: $(VENV)/.demo
	KERAS_BACKEND=tensorflow $(BIN)/python examples/demo.py demo-output

test: $(VENV)/.test
	@for backend in $(BACKENDS); do \
	  echo "== tests on $$backend"; \
	  KERAS_BACKEND=$$backend $(BIN)/pytest -q -n $(WORKERS) --dist worksteal tests || exit 1; \
	done

test-everywhere: export EVERYWHERE = 1
test-everywhere: test

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# claims that did not change since the last build are not run again; PLOT=0 runs none
docs: $(VENV)/.docs
	KERAS_BACKEND=tensorflow $(BIN)/sphinx-build -q -W --keep-going \
	  -D plot_gallery=$(PLOT) -b html docs docs/_build/html

pages: $(VENV)/.test
	KERAS_BACKEND=torch $(BIN)/python docs/extensions/page_output.py

gallery: $(VENV)/.test
	KERAS_BACKEND=torch $(BIN)/python docs/pictures/claims.py

gallery-check: $(VENV)/.docs
	$(BIN)/python docs/pictures/claims.py --check

notebooks: $(VENV)/.docs
	$(BIN)/python docs/extensions/notebooks.py notebooks

notebooks-check: $(VENV)/.docs
	KERAS_BACKEND=tensorflow $(BIN)/python docs/extensions/notebooks.py notebooks --run 3

bench: $(VENV)/.test
	$(PIP) install -c $(CONSTRAINTS) greenlet
	@for backend in $(BACKENDS); do \
	  KERAS_BACKEND=$$backend $(BIN)/python benchmarks/overhead.py || exit 1; \
	done

package-check: $(VENV)/.release
	$(BIN)/python .ci/release_check.py --no-address

release-check: $(VENV)/.release
	$(BIN)/python .ci/release_check.py

# -- environments: each stamp adds to the one before --------------------------------

$(VENV)/.base: $(CONSTRAINTS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install -c $(CONSTRAINTS) setuptools wheel
	@touch $@

$(VENV)/.demo: $(VENV)/.base requirements/demo.txt $(SOURCES)
	$(PIP) install -c $(CONSTRAINTS) --no-build-isolation -r requirements/demo.txt .
	@touch $@

$(VENV)/.test: $(VENV)/.base requirements/test.txt $(SOURCES)
	$(PIP) install -c $(CONSTRAINTS) --no-build-isolation -r requirements/test.txt '.[test]'
	@touch $@

$(VENV)/.dev: $(VENV)/.base setup.cfg
	$(PIP) install -c $(CONSTRAINTS) ruff mypy import-linter numpy jinja2
	@touch $@

$(VENV)/.docs: $(VENV)/.demo
	$(PIP) install -c $(CONSTRAINTS) sphinx myst-parser \
	  pydata-sphinx-theme sphinx-design sphinx-gallery jupytext nbclient ipykernel
	@touch $@

$(VENV)/.release: $(VENV)/.test setup.cfg
	$(PIP) install -c $(CONSTRAINTS) build twine check-wheel-contents trove-classifiers
	@touch $@

$(FLOOR)/.test: requirements/floor.txt $(SOURCES)
	test -x $(FLOOR)/bin/python || $(PYTHON) -m venv $(FLOOR)
	$(FLOOR)/bin/python -m pip --disable-pip-version-check -q install -r requirements/floor.txt
	$(FLOOR)/bin/python -m pip --disable-pip-version-check -q install '.[test]'
	@touch $@

test-floor: $(FLOOR)/.test
	@for backend in $(BACKENDS); do \
	  echo "== tests on $$backend, oldest Keras"; \
	  KERAS_BACKEND=$$backend $(FLOOR)/bin/pytest -q -n $(WORKERS) --dist worksteal tests || exit 1; \
	done

# TensorFlow and this package ask for `keras`, which keras-nightly is not by its name:
# both install the same folder, so that one has to go before the other comes
$(NIGHTLY)/.test: requirements/nightly.txt requirements/test.txt $(CONSTRAINTS) $(SOURCES)
	test -x $(NIGHTLY)/bin/python || $(PYTHON) -m venv $(NIGHTLY)
	$(NIGHTLY)/bin/python -m pip --disable-pip-version-check -q install \
	  -c $(CONSTRAINTS) -r requirements/test.txt '.[test]'
	$(NIGHTLY)/bin/python -m pip --disable-pip-version-check -q uninstall -y keras keras-nightly
	$(NIGHTLY)/bin/python -m pip --disable-pip-version-check -q install \
	  -c $(CONSTRAINTS) -r requirements/nightly.txt
	@touch $@

test-nightly: $(NIGHTLY)/.test
	@for backend in $(BACKENDS); do \
	  echo "== tests on $$backend, nightly Keras"; \
	  KERAS_BACKEND=$$backend $(NIGHTLY)/bin/pytest -q -n $(WORKERS) --dist worksteal tests || exit 1; \
	done

clean:
	rm -rf $(VENV) $(FLOOR) $(NIGHTLY) build dist *.egg-info demo-output claims-output \
	  docs/_build docs/gallery docs/reference notebooks
