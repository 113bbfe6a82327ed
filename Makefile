# Two commands do everything, set-up included: make optimize, make test.
# ARGS goes to the command, for example: make optimize ARGS="--start 2018-07-22"
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.run-ready
DEV    := $(VENV)/.dev-ready
# One thread: the solver and the measured ratios are single-threaded, and two libraries' pools only fight.
export OMP_NUM_THREADS := 1

.PHONY: help optimize nightly report test coverage thorough laws test-sources test-nights check format docs lock bench bills \
  regression real validate-cooling golden differential peers canary study attack audit sbom pythons tariff-dates mutation soak soak-short clean

optimize: $(RUN)  ## the reference case (or ARGS), solved, proven, priced, reported
	$(BIN)/energy optimize $(ARGS)

nightly: $(RUN)  ## plan of the newest night that is due; ARGS="nightly.yaml --date 2026-03-01"
	$(BIN)/energy nightly $(ARGS)

# Expanded when the rule runs, so that no other target looks.
NEWEST = $(shell ls -td data/runs/*/ 2>/dev/null | head -n 1)
report: $(RUN)  ## the newest run's report, drawn again from its folder; ARGS="--run FOLDER" another one's
	@test -n "$(ARGS)$(NEWEST)" || { echo 'data/runs holds no run: make optimize first, or ARGS="--run FOLDER"' >&2; exit 2; }
	$(BIN)/energy report $(or $(ARGS),--run $(NEWEST))

FAST := -m "not slow" --numprocesses 2 --dist loadfile
test: $(DEV)  ## fast tests, under five minutes on two cores
	$(BIN)/python -m pytest $(FAST) $(ARGS)

coverage: $(DEV)  ## the same with their coverage, at least 90 %: measuring takes as long as the tests
	$(BIN)/python -m pytest $(FAST) --cov=energy --cov-report=term:skip-covered --cov-fail-under=90 $(ARGS)

thorough: $(DEV)  ## everything that make test leaves out; an hour or two
	$(BIN)/python -m pytest -m slow $(ARGS)

laws: $(DEV)  ## the laws on 25 random problems each, make test has 2
	$(BIN)/python -m pytest tests/laws --hypothesis-profile thorough $(ARGS)

test-sources: $(DEV)  ## live sources against local servers; with HYDROCOOL_LIVE=1 and ARGS="-m live" the real ones
	$(BIN)/python -m pytest tests/sources -rs $(ARGS)

check: $(DEV)  ## lint, types, generated files in step
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict energy
	$(BIN)/python -m tests.in_step

format: $(DEV)  ## what ruff mends by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(RUN)  ## everything under docs/ that is generated
	$(BIN)/energy formulation > docs/formulation.md
	$(BIN)/energy formulation --arrays > docs/arrays.md
	$(BIN)/energy schemas docs/schemas
	$(BIN)/python -m benchmarks.cooling_table
	$(BIN)/python -m benchmarks.plant_parameters

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

test-nights: $(DEV)  ## every test of the nightly run: state from night to night, fallback methods, kill -9 at every step and at 200 moments
	$(BIN)/python -m pytest tests/nightly $(ARGS)

golden: $(DEV)  ## golden LP files against the program; REASON="why" writes them and notes the reason
	$(BIN)/python -m tests.golden.rebase $(if $(REASON),--reason "$(REASON)")

differential: $(DEV)  ## two models, six methods, 100 random problems, one optimum each
	$(BIN)/python -m pytest tests/differential/test_methods.py $(ARGS)

PEERS := .venv-peers
peers: $(DEV)  ## the same problems in linopy, PyPSA and on Clarabel, in an environment of their own
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check linopy==0.10.1 pypsa==1.4.0 clarabel
	PYTHONPATH=. $(PEERS)/bin/python -m pytest tests/differential/test_peers.py $(ARGS)

canary: $(DEV)  ## newest Pyomo and HiGHS against the pinned ones, in a throw-away environment
	$(BIN)/python -m benchmarks.canary

attack: $(DEV)  ## lies, bombs, fuzzed files, hostile servers, kills, clocks: counted into docs/testing.md; ARGS="--only lies"
	$(BIN)/python -m benchmarks.attack $(ARGS)

audit: $(DEV)  ## known vulnerabilities of the locked packages; skipped by name where no advisory service answers
	$(BIN)/python -m benchmarks.supply_chain audit

sbom: $(DEV)  ## the locked packages as CycloneDX JSON in data/sbom.json
	$(BIN)/python -m benchmarks.supply_chain sbom

pythons: $(DEV)  ## fast tests on Python 3.12, 3.13 and 3.14 where they are there
	$(BIN)/python -m benchmarks.supply_chain pythons

tariff-dates: $(RUN)  ## last known date and grade of every tariff component
	$(BIN)/python -m benchmarks.tariff_dates

study: $(DEV)  ## "Let's Wait Awhile" through the pipeline; ARGS="--gpus 30" with a capacity limit
	$(BIN)/python -m benchmarks.lets_wait_awhile --series "$(SERIES)" $(ARGS)

MUTANTS := .venv-mutation
mutation: $(DEV)  ## 400 mutants of program/, audit/, plant/: at least 85 % killed
	test -x $(MUTANTS)/bin/python || $(PYTHON) -m venv $(MUTANTS)
	$(MUTANTS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(MUTANTS)/bin/python -m pip install --quiet --disable-pip-version-check mutmut==3.8.1
	PYTHONPATH=. $(MUTANTS)/bin/python -m benchmarks.mutation $(ARGS)

SOAK := data/soak
soak: $(DEV)  ## 365 nights on real series with faults, each checked; goes on where it was stopped
	$(BIN)/python -m benchmarks.soak --series "$(SERIES)" --folder $(SOAK)/year --first 2019-01-29 --nights 365 $(ARGS)

soak-short: $(DEV)  ## 30 nights of it, from the beginning
	rm -rf $(SOAK)/short
	$(BIN)/python -m benchmarks.soak --series "$(SERIES)" --folder $(SOAK)/short --nights 30 $(ARGS)

SERIES ?= ../shared/data

$(RUN): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(DEV): requirements-dev.lock $(RUN)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

# Extras stay in the lock: older pip looks for coverage[toml] apart from coverage and then finds a newer one unhashed.
lock: $(DEV)  ## new lock files from pyproject.toml; hashes, no addresses
	$(BIN)/python -m pip install --quiet uv
	printf 'hatchling==1.27.0\neditables\n' | $(LOCK) -o requirements.lock pyproject.toml -
	$(LOCK) -c requirements.lock --extra dev -o requirements-dev.lock pyproject.toml

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-strip-extras --no-emit-index-url --no-emit-find-links

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

clean:  ## away with environments, runs, caches and kept answers of live sources
	rm -rf $(VENV) $(PEERS) $(MUTANTS) data/runs data/cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
