# `make demo` and `make test` are all that a newcomer needs; each makes the virtual environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_HOME := data/demo
DEMO_PARTIES ?= 10000
BENCH_PARTIES ?= 10000

.PHONY: help demo test test-all check bench format ui clean
help:
	@echo "make demo      three nights of the sample bank, then what came out"
	@echo "make test      the test suite"
	@echo "make test-all  the test suite with the slow tests"
	@echo "make check     lint, types, SQL, definitions, dictionary"
	@echo "make bench     measure identity resolution (C360_BENCHMARK_DATA: folder of the public sets), and readers"
	@echo "make ui        Dagster's web page over the demo's nights, on http://127.0.0.1:3000"

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP)
	$(BIN)/c360 --home $(DEMO_HOME) demo --parties $(DEMO_PARTIES)

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-all: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m ''

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 models quality warehouse docs/examples
	$(BIN)/c360 check
	$(BIN)/c360 dictionary --check docs/dictionary.md
	$(BIN)/dagster definitions validate

bench: $(STAMP)
	$(BIN)/python -m benchmarks.identity --parties $(BENCH_PARTIES)
	$(BIN)/python -m benchmarks.identity.ablations --parties $(BENCH_PARTIES)
	$(BIN)/python -m benchmarks.readers

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --quiet models quality warehouse

ui: $(STAMP)
	$(BIN)/c360 --home $(DEMO_HOME) ui

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
