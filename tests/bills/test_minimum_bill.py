"""A minimum bill that binds makes energy charges and peaks free: what the program may do with that, and what not.

All of them are the small case with one change at its southern site: spot below zero in some hours, an energy charge
that lifts the price above zero, and a minimum bill.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from energy.audit.certificate import certify
from energy.audit.reconciliation import NAMED_SHARE, reconcile
from energy.optimize import optimize
from energy.problem.halls import CHORD_ERROR
from energy.report.plan import held_back
from energy.schedule.dispatch import earliest_deadline_first
from energy.schedule.setpoints import setpoints
from energy.schema import lowest_price
from energy.solve.standard_form import least_peaks
from tests.bills.random_case import random_case
from tests.cases import SmallCase
from tests.closed_forms.builder import best, one, problem
from tests.closed_forms.words import Charge, Job, Minimum

BASE = {"valid_from": "2020-01-01", "source": "made up", "confidence": "L"}
CHARGE = BASE | {"name": "charge", "kind": "energy", "value": 70.0, "unit": "EUR/MWh"}
PEAK = BASE | {"name": "peak", "kind": "demand", "value": 3000.0, "unit": "EUR/MW/month"}
FIXED = BASE | {"name": "fixed", "kind": "fixed", "value": 100.0, "unit": "EUR/month"}
#: Per month: far above what 2 of 31 days add up to, and below what the load that no plan lowers does.
BINDING, REACHED = 200_000.0, 1_000.0


def minimum(value):
    return BASE | {"name": "least", "kind": "minimum_bill", "value": value, "unit": "EUR/month"}


def small(tmp_path, *components, solar=None):
    """The small case with these components at the southern site and spot of -5 to -20 in every fourth hour."""
    case = SmallCase(tmp_path)
    data = {"name": "t", "country": "DE", "currency": "EUR", "components": list(components)}
    for key, value in data.items():
        case.edit("t.yaml", key, value)
    case.edit("fleet.yaml", "sites.south.tariff", "t.yaml").edit("fleet.yaml", "sites.north.pue_caps", [])
    if solar:
        case.edit("fleet.yaml", "sites.south.solar", solar)
    rows = case.rows("prices.csv")
    for i, row in enumerate(rows):
        row["DE-LU"] = str(-5 - i % 16) if i % 4 == 0 else row["DE-LU"]
    return case.put("prices.csv", rows)


def south(run, name):
    return run.plan.replay[name].sel(site="south").values


def test_no_power_is_burned_below_the_minimum(tmp_path):
    """Spot is negative, the price is not: drawing more is paid for, and the bill is the objective all the same."""
    run = optimize(small(tmp_path, CHARGE, PEAK, minimum(BINDING)).path)
    price, low = (
        x[list(run.problem["site"].values).index("south")]
        for x in (run.problem["price"].values, lowest_price(run.problem))
    )
    assert ((low < 0) & (price > 0)).sum() == 12
    assert float(run.solution["top_up"].sum()) > 0
    r = run.reconciliation
    assert r.agrees, r.problems()
    assert r.negative_hour_chords_eur != 0


def test_a_minimum_bill_that_every_plan_reaches_is_left_out(tmp_path):
    """It cannot bind, so its hours keep their exact cost: the program is the one without it."""
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    bound = small(tmp_path / "with", CHARGE, PEAK, minimum(REACHED)).problem()
    free = small(tmp_path / "without", CHARGE, PEAK).problem()
    assert bound.sizes["minimum"] == 0
    np.testing.assert_array_equal(lowest_price(bound), lowest_price(free))


@pytest.mark.parametrize("value", [2_000.0, 5_000.0, 10_000.0, 20_000.0, 40_000.0])
def test_objective_is_the_bill_on_both_sides_of_the_minimum(tmp_path, value):
    """Reached, just reached, not reached."""
    run = optimize(small(tmp_path, CHARGE, PEAK, FIXED, minimum(value)).path)
    assert run.reconciliation.agrees, run.reconciliation.problems()


def test_peaks_are_those_of_the_power_drawn(tmp_path):
    """Below the minimum a peak is free: one stated too high, and topped up less, changes no figure of the bill."""
    run = optimize(small(tmp_path, CHARGE, PEAK, minimum(BINDING)).path)
    found, extra = run.solution, 0.5
    mine = run.problem["charge_site"].values == run.problem["minimum_site"].values[0]
    rate = float(run.problem["charge_rate"].values[mine].max())
    inflated = found.assign(peak=found["peak"] + np.where(mine, extra, 0.0), top_up=found["top_up"] - extra * rate)
    assert certify(run.problem, inflated).passed
    assert reconcile(run.problem, inflated, run.plan.replay, run.plan.bill) == run.reconciliation
    tidied = least_peaks(run.problem, inflated)
    for name in ("peak", "top_up"):
        np.testing.assert_allclose(tidied[name], found[name], atol=1e-9)
    drawn = found["grid_import"].sel(site="south").values.max()
    assert found["peak"].values[mine] == pytest.approx([drawn])
    assert abs(run.reconciliation.peaks_on_chords_eur) <= CHORD_ERROR * drawn * rate
    billed = sum(x.quantity for x in run.plan.bill.lines if x.site == "south" and x.component == "peak")
    assert billed == pytest.approx(south(run, "import_mw").max(), abs=1e-9)


def test_the_array_stands_still_where_a_minimum_bill_pays_for_drawing(tmp_path):
    """The plan holds the array back although the price is above zero, says so, and the replay follows."""
    sun = {"dc_mw": 0.6, "ac_mw": 0.5}
    run = optimize(small(tmp_path, CHARGE, minimum(BINDING), solar=sun).path)
    s = list(run.problem["site"].values).index("south")
    low, there = lowest_price(run.problem)[s], run.problem["solar_mw"].values[s]
    assert ((low < 0) & (there > 0.05)).any()
    used = south(run, "solar_mw")
    assert used[(low < 0) & (there > 0)].max() == pytest.approx(0, abs=1e-6)
    assert used[(low > 0) & (there > 0.05)].min() > 0.05
    told = held_back(SimpleNamespace(record=SimpleNamespace(schedule=run.plan.schedule)))
    assert len(told) == 1
    assert told[0].startswith("At south the plan holds the solar array back for ")
    assert run.reconciliation.agrees, run.reconciliation.problems()


def test_a_completed_schedule_holds_the_array_back_too(tmp_path):
    """Without a solver: the same jobs in the same hours, the sun where drawing is not paid for, and a bill that says so."""
    case = small(tmp_path, CHARGE, minimum(BINDING), solar={"dc_mw": 0.6, "ac_mw": 0.5})
    run = optimize(case.path, maker=earliest_deadline_first)
    assert list(setpoints(run.plan.schedule)) == ["south/solar"]
    used = run.solution["solar_use"].sel(site="south").values
    np.testing.assert_allclose(south(run, "solar_mw"), used, atol=1e-3)
    assert used.sum() < run.problem["solar_mw"].sel(site="south").values.sum() - 0.5
    assert run.reconciliation.agrees, run.reconciliation.problems()


def test_no_array_is_held_back_without_a_reason(tmp_path):
    run = optimize(small(tmp_path, CHARGE, minimum(REACHED), solar={"dc_mw": 0.6, "ac_mw": 0.5}).path)
    assert run.plan.schedule.sizes["device"] == 0


def test_feed_in_above_the_price_is_named_and_refused_where_it_is_large(tmp_path):
    """The one ambiguous class: fed in at 300, bought at about 60. One meter draws or feeds in, so the hour's cost is
    concave in load where the sun may be above or below it: no linear program has it. The program pays the price for
    what is fed in, the bill 300; the difference is named, and above its share the plan is DEGRADED."""
    case = random_case(tmp_path, 3).edit("fleet.yaml", "sites.south.contracts", [])
    sun = {"dc_mw": 8.0, "ac_mw": 8.0, "feed_in": {"limit_mw": 3.0, "price": 300.0}}
    run = optimize(case.edit("fleet.yaml", "sites.south.solar", sun).path)
    r = run.reconciliation
    assert abs(r.unexplained_eur) <= 0.01
    assert r.clipped_prices_eur > NAMED_SHARE * abs(r.bill_eur)
    assert run.outcome.status == "DEGRADED"


def test_bands_of_a_free_peak_are_stated_in_their_order():
    """9 MW, bands of 5 at 2 and 1000 at 30, minimum 1000: 4 MW in the first and 5 in the second count 158 instead of
    130; the top-up makes the 28 good. Bands that do not add up are left alone."""
    charge, least = Charge(((5.0, 2.0), (1e3, 30.0))), Minimum(1000.0, 10.0)
    case = problem([one([30])], [Job(9, 9)], [charge], minimums=[least])
    found = best(case).found
    np.testing.assert_allclose(found["band"].values, [[5, 4]], atol=1e-9)
    assert float(found["top_up"][0]) == pytest.approx(1000 - 90 - 130)
    mixed = found.assign(band=(("charge", "rate_band"), [[4.0, 5.0]]), top_up=found["top_up"] - 28)
    np.testing.assert_allclose(least_peaks(case, mixed)["band"], [[5, 4]], atol=1e-9)
    assert float(least_peaks(case, mixed)["top_up"][0]) == pytest.approx(780)
    broken = found.assign(band=(("charge", "rate_band"), [[4.0, 4.0]]))
    assert least_peaks(case, broken)["band"].equals(broken["band"])
