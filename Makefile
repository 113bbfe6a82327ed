# Two commands do everything, set-up included: make optimize, make test.
# ARGS goes to the command, for example: make optimize ARGS="--start 2018-07-22"
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.run-ready
DEV    := $(VENV)/.dev-ready
# One thread: the solver and the measured ratios are single-threaded, and two libraries' pools only fight.
export OMP_NUM_THREADS := 1

.PHONY: optimize report test check format docs lock bench bills regression real validate-cooling clean

optimize: $(RUN)  ## the reference case (or ARGS), solved, proven, priced, reported
	$(BIN)/energy optimize $(ARGS)

test: $(DEV)  ## fast tests with coverage, under five minutes
	$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile --cov=energy --cov-report=term:skip-covered --cov-fail-under=90 $(ARGS)

check: $(DEV)  ## lint, types, generated files in step
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict energy
	$(BIN)/python -m tests.in_step

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(RUN)  ## everything under docs/ that is generated
	$(BIN)/energy formulation > docs/formulation.md
	$(BIN)/energy formulation --arrays > docs/arrays.md
	$(BIN)/energy schemas docs/schemas
	$(BIN)/python -m benchmarks.cooling_table

validate-cooling: $(DEV)  ## annual PUE of the plants against published bands and a measured hall; EPW names a folder
	$(BIN)/python -m benchmarks.validate_cooling $(EPW) $(ARGS)

bench: $(DEV)  ## build + hand-over + solve against HiGHS on the certificate's arrays, same run
	$(BIN)/python -m benchmarks.speed $(ARGS)

real: $(DEV)  ## real series and job traces; SERIES names the folder that holds them
	$(BIN)/python -m benchmarks.real_cases --series "$(SERIES)" $(ARGS)

regression: $(DEV)  ## objectives and sizes of the table, old beside new
	$(BIN)/python -m tests.regression.table --series "$(SERIES)" $(ARGS)

bills: $(DEV)  ## golden invoices, and objective = bill for 200 random fleets, tariffs and horizons
	$(BIN)/python -m pytest tests/bills $(ARGS)

SERIES ?= ../shared/data

$(RUN): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(DEV): requirements-dev.lock $(RUN)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

lock: $(DEV)  ## new lock files from pyproject.toml; hashes, no addresses
	$(BIN)/python -m pip install --quiet uv
	printf 'hatchling==1.27.0\neditables\n' | $(LOCK) -o requirements.lock pyproject.toml -
	$(LOCK) -c requirements.lock --extra dev -o requirements-dev.lock pyproject.toml

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

clean:
	rm -rf $(VENV) data/runs data/cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
