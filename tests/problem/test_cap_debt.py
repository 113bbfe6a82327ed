"""A yearly PUE cap that the year so far is over: a debt that the rest of the year makes up, never the end of planning."""

import numpy as np
import pytest

from energy.errors import ImpossibleWork
from energy.optimize import optimize
from energy.problem import assemble, notices
from tests.cases import SmallCase


@pytest.fixture
def case(tmp_path):
    return SmallCase(tmp_path).edit("case.yaml", "state", "state.yaml")


def with_past(case, facility, it=1000.0):
    """The year so far of site north, whose cap is the one of the small fleet."""
    text = f"sites:\n  north:\n    year_to_date: {{facility_mwh: {facility}, it_mwh: {it}}}\n"
    (case.folder / "state.yaml").write_text(text, encoding="utf-8")
    inputs = case.inputs()
    return inputs, float(inputs.fleet.sites["north"].pue_caps[0].limit)


def year_row(problem):
    [r] = [i for i, name in enumerate(problem["cap"].values) if str(name).startswith("north:") and "@20" in str(name)]
    return r


def test_a_balance_above_zero_may_all_be_used(case):
    inputs, limit = with_past(case, 1000.0)
    problem = assemble(inputs)
    assert problem["cap_credit"].values[year_row(problem)] == pytest.approx(1000 * (limit - 1))
    assert not any("the year so far is over" in n for n in notices(inputs, problem))


def test_a_debt_is_shared_by_the_hours_that_are_left_of_the_year(case):
    """Four days' worth of debt no longer stops the program; the horizon bears its hours of those that are left."""
    limit = with_past(case, 1000.0)[1]
    debt = 300.0
    inputs, _ = with_past(case, 1000 * limit + debt)
    problem = assemble(inputs)
    begin = inputs.horizon.on_clock(inputs.fleet.sites["north"].time_zone).local[0]
    end = begin.normalize().replace(year=begin.year + 1, month=1, day=1)
    share = inputs.horizon.dt.sum() / ((end - begin).total_seconds() / 3600)
    assert problem["cap_credit"].values[year_row(problem)] == pytest.approx(-debt * share)
    [notice] = [n for n in notices(inputs, problem) if "the year so far is over" in n]
    assert f"by {debt:.3f} MWh" in notice
    assert f"makes up {debt * share:.3f} MWh" in notice


def test_the_last_hours_of_a_year_bear_all_of_it(case):
    inputs, _ = with_past(case, 2000.0)
    calendar = inputs.horizon.on_clock("Europe/Oslo")
    left = calendar.rest_of_year_h
    assert (np.diff(left) == -inputs.horizon.dt[:-1]).all()
    assert left[0] == (np.datetime64(f"{calendar.years[0]}-12-31T23:00") - inputs.horizon.time[0]) / np.timedelta64(
        1, "h"
    )


def test_a_plan_is_made_however_large_the_debt(case):
    """Ten times what the whole year may use: DEGRADED with the breach in MWh, its price no money of the bill."""
    with_past(case, 20_000.0)
    run = optimize(case.path)
    assert run.outcome.status == "DEGRADED"
    assert any(r.startswith("PUE cap north:") for r in run.outcome.reasons)
    assert run.certificate.passed
    assert run.plan.bill.total() < 1e5


def test_what_no_plant_can_reach_is_still_refused_in_true_words(case):
    with_past(case, 20_000.0)
    case.edit("fleet.yaml", "sites.north.pue_caps.0.limit", 1.001)
    with pytest.raises(ImpossibleWork, match="below what the plants can reach") as error:
        assemble(case.inputs())
    at_least = float(str(error.value).split("at least ")[1].split(",")[0])
    assert 1.001 < at_least < 1.5
    assert assemble(case.inputs(), checked=False).sizes["cap"] > 0
