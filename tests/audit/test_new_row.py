"""A row or a cost that is new to the array model reaches every Schedule that no solver made, and the reconciliation.

The row limits the ramp of the power drawn: |grid_import[t] - grid_import[t-1]| <= ramp·dt. Row and cost stand in this file alone.
"""

import numpy as np
import pytest

from energy.audit import array_model
from energy.audit.completion import complete
from energy.audit.invoice import Bill
from energy.audit.reconciliation import reconcile
from energy.optimize import optimize, planner
from energy.runs.folder import record_of
from energy.runs.record import write
from energy.schema import SOLUTION, Array
from tests.audit import toy
from tests.cases import SmallCase

#: Ramp limit as a share of the largest ramp without one.
SHARE = 0.4
#: More than cooling on its curve draws less than on the chords of the program [MW].
CHORDS_MW = 0.02
INF = float("inf")


def ramps(power):
    return np.abs(np.diff(power.values, axis=1))


def ramp_rows(limit):
    """Block of rows: power drawn in a period less that in the one before, both ways, `limit` by site [MW/h]."""

    def block(b, p):
        drawn = b.columns["grid_import"]
        later = drawn >= 0
        later[:, 0] = False
        side = limit[:, None] * p["dt"]
        b.row("ramp", later, -side, side)
        b.put(b.rows["ramp"][:, 1:], drawn[:, 1:], 1.0)
        b.put(b.rows["ramp"][:, 1:], drawn[:, :-1], -1.0)

    return block


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Prices of a factor of ten from hour to hour: a dispatcher that looks at them ramps."""
    return SmallCase(tmp_path_factory.mktemp("ramp"))


@pytest.fixture(scope="module")
def free(case):
    """Greedy plan without the limit."""
    return optimize(case.path, maker=planner("greedy", 60.0)[1])


@pytest.fixture(scope="module")
def last_good(free, tmp_path_factory):
    """Its published schedule, as the night after finds it."""
    folder = tmp_path_factory.mktemp("published")
    write(record_of(free), folder)
    return folder / "schedule.parquet"


def held(schedule):
    return [schedule[f"entry_{k}"].values for k in ("job", "pool", "time", "gpus")]


def test_without_the_limit_schedules_are_those_of_their_makers(case, free, last_good):
    for plan in ("greedy", str(last_good)):
        maker = planner(plan, 60.0)[1]
        run = free if plan == "greedy" else optimize(case.path, maker=maker)
        for found, made in zip(held(run.plan.schedule), held(maker(run.problem)), strict=True):
            np.testing.assert_array_equal(found, made)


@pytest.mark.parametrize("plan", ["greedy", "last_good"])
def test_fallbacks_obey_a_row_they_do_not_know(case, free, last_good, plan, monkeypatch):
    limit = SHARE * ramps(free.solution["grid_import"]).max(axis=1)
    dual = Array("dual_ramp", ("site", "time"), "EUR MW-1", -INF, INF, "dual of the ramp limit", "dual", default=0.0)
    monkeypatch.setitem(SOLUTION, "dual_ramp", dual)
    monkeypatch.setattr(array_model, "ROWS", (*array_model.ROWS, ramp_rows(limit)))
    run = optimize(case.path, maker=planner(str(last_good) if plan == "last_good" else plan, 60.0)[1])
    assert run.certificate.max_violation <= 1e-6, run.certificate.worst_row
    assert run.certificate.rows > free.certificate.rows
    assert (ramps(run.solution["grid_import"]) <= limit[:, None] + 1e-6).all()
    assert (ramps(run.plan.replay["import_mw"]) <= limit[:, None] + CHORDS_MW).all()
    before, after = (dict(zip(zip(*held(r.plan.schedule)[:3], strict=True), held(r.plan.schedule)[3], strict=True))
                     for r in (free, run))  # fmt: skip
    assert all(gpus <= before[at] + 1e-9 for at, gpus in after.items()), "nothing is raised"
    undone = float(run.solution["unserved"].sum())
    assert undone > float(free.solution["unserved"].sum()) + 1.0
    assert run.outcome.status == "DEGRADED"
    assert any(f"{undone:.1f} GPU-hours of " in r and "left undone, most of job " in r for r in run.outcome.reasons)
    assert abs(run.reconciliation.unexplained_eur) <= 0.01
    again, once_more = complete(run.problem, run.plan.schedule)
    assert once_more.attrs["objective_eur"] == pytest.approx(run.solution.attrs["objective_eur"], rel=1e-9)
    for one, two in zip(held(again), held(run.plan.schedule), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-9)


def test_cost_that_no_invoice_has_is_named_after_its_variable(monkeypatch):
    """2 EUR/MWh for the 10 MW of heat that are handed over in half-hours."""
    case, found = toy.toy(), toy.plan()
    before = reconcile(case, found, toy.replayed(case), Bill(()))
    wear = lambda b, p: b.price(b.columns["heat"], 2.0 * p["dt"])  # noqa: E731
    monkeypatch.setattr(array_model, "UNBILLED", (*array_model.UNBILLED, wear))
    model = array_model.array_model(case)
    dearer = found.assign_attrs(objective_eur=float(model.cost @ model.vector(found)) + model.offset)
    after = reconcile(case, dearer, toy.replayed(case), Bill(()))
    assert after.objective_eur == pytest.approx(before.objective_eur + 10)
    assert after.unexplained_eur == pytest.approx(before.unexplained_eur)
    assert after.as_dict()["heat_eur"] == pytest.approx(10)
    assert set(after.as_dict()) == set(before.as_dict()) | {"heat_eur"}
