"""A night publishes no plan that is not what the inputs say: the next method is tried, and without one the night has FAILED."""

from __future__ import annotations

import json

import pytest

from energy import optimize as main
from energy.errors import SOLVER, CertificateError
from energy.nightly import fallback
from energy.nightly import run as page
from energy.nightly.database import open_store
from energy.nightly.fallback import Ended
from energy.schema import as_schedule
from tests.laws.transforms import changed
from tests.nightly.nightcase import DAY


def in_process(night, method, failed, limit, work):
    """An attempt in this process, where a test can put in a fault; a refusal ends like the child that it would end."""
    try:
        return fallback.plan_in_process(night, method, failed, limit, work)
    except CertificateError as e:
        return Ended(SOLVER, 0.0, str(e))


@pytest.fixture
def here(nights, monkeypatch):
    monkeypatch.setattr(page, "run_fallbacks", lambda *a: fallback.run_fallbacks(*a, attempt=in_process))
    return nights


def an_hour_later(problem, solution):
    """Every holding of the solver's plan, moved by an hour."""
    found = honest(problem, solution)
    e = [found[f"entry_{k}"].values for k in ("job", "pool", "time", "gpus")]
    return as_schedule(problem, e[0], e[1], (e[2] + 1) % problem.sizes["time"], e[3])


honest = main.disaggregate


def test_a_plan_that_is_not_what_was_proven_makes_way_for_the_next_method(here, monkeypatch):
    monkeypatch.setattr(main, "disaggregate", an_hour_later)
    night = here.night()
    assert (night.status, night.method, night.code) == ("DEGRADED", "greedy", 6)
    for reason, method in zip(night.reasons[:2], ("lp", "simplex"), strict=True):
        assert reason.startswith(f"{method}: certificate: the schedule is not published: ")
    assert json.loads((night.folder / "manifest.json").read_text())["method"] == "greedy"


def test_a_bill_wrong_a_thousandfold_publishes_nothing_and_is_on_record(here, monkeypatch):
    assemble = main.assemble

    def thousandfold(inputs):
        problem = assemble(inputs)
        return changed(problem, price=problem["price"].values * 1000)

    monkeypatch.setattr(main, "assemble", thousandfold)
    night = here.night()
    assert (night.status, night.method, night.folder) == ("FAILED", "nothing", None)
    refused = [r for r in night.reasons if "more than 1% of the gross bill" in r]
    assert [r.partition(":")[0] for r in refused] == ["lp", "simplex", "greedy"]
    assert not (here.out / "latest").exists()
    with open_store(here.place.database) as store:
        [row] = store.rows("SELECT * FROM runs")
    assert (row["night"], row["status"], row["published"]) == (str(DAY), "FAILED", 0)
    assert json.loads(row["reasons"]) == night.reasons
