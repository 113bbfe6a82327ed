"""Bills of nights with carried state add up to the invoice of the whole, and the program agrees with each of them."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from energy.audit.invoice import bill, roll_forward
from energy.inputs.state import State
from energy.optimize import optimize
from tests.bills.random_case import random_case
from tests.bills.test_law_objective import agreed, named_is_small

#: Largest difference of a line's sum over nights from the line of the whole [EUR]: rounding of sums of 1e5.
ROUNDING = 1e-6


def metered(given, rng):
    """A made-up reading of every site: noise that rises from nothing, with a few spikes, and something fed in."""
    time, sites, halls = given.horizon.time, list(given.fleet.sites), list(given.fleet.halls())
    shape = (len(sites), len(time))
    drawn = rng.uniform(0, 3, shape) * (rng.random(shape) < 0.8) + 2 * (rng.random(shape) < 0.01)
    drawn *= np.linspace(0, 1, len(time)) ** 2
    solar = np.array([[given.fleet.sites[s].solar is not None] for s in sites])
    power = {"import_mw": drawn, "facility_mw": drawn, "site_it_mw": 0.8 * drawn, "heat_mw": 0 * drawn,
             "export_mw": solar * rng.uniform(0, 0.3, shape)}  # fmt: skip
    arrays = {k: (("site", "time"), v) for k, v in power.items()}
    arrays["water_m3"] = (("hall", "time"), np.zeros((len(halls), len(time))))
    arrays["dt"] = ("time", given.horizon.dt)
    return xr.Dataset(arrays, {"time": time, "site": sites, "hall": halls})


def sums(lines):
    """EUR by site, month and component."""
    out = defaultdict(float)
    for x in lines:
        out[x.site, x.month, x.component] += x.amount_eur
    return dict(out)


def check_split(case, seed, cuts):
    """Bill the reading as one, and in parts that end at `cuts` of 0..1."""
    rng = np.random.default_rng(seed)
    given = case.inputs()
    whole = metered(given, rng)
    n = whole.sizes["time"]
    ends = sorted({0, n, *(int(c * n) for c in cuts(rng))})
    assert len(ends) > 2
    lines, state = [], given.state
    for first, after in pairwise(ends):
        night = whole.isel(time=slice(first, after))
        here = replace(given, state=state)
        lines += bill(here, night).lines
        state = roll_forward(here, night)
        state = State.model_validate_json(state.model_dump_json())  # as a state file would keep it
    one = bill(given, whole)
    assert sums(lines) == pytest.approx(dict.fromkeys(sums(lines), 0.0) | sums(one.lines), abs=ROUNDING)
    assert sum(x.amount_eur for x in lines) == pytest.approx(one.total(), abs=ROUNDING)
    return lines


#: The first few seeds run with every test, the others with `make bills`.
MONTHS = [pytest.param(s, marks=[pytest.mark.slow] * (s >= 5)) for s in range(40)]
SHORT = [pytest.param(s, marks=[pytest.mark.slow] * (s >= 44)) for s in range(40, 80)]
SOLVED = [pytest.param(s, marks=[pytest.mark.slow] * (s >= 1)) for s in range(12)]


@pytest.mark.parametrize("seed", MONTHS)
def test_nights_of_a_month_add_up_to_its_invoice(tmp_path, seed):
    """Any tariff, contract, sun and state; parts of any length, so that they also end within a day."""
    case = random_case(tmp_path, seed, whole_month=True)
    check_split(case, seed, lambda rng: rng.random(rng.integers(1, 30)))


@pytest.mark.parametrize("seed", SHORT)
def test_parts_of_a_few_days_across_months_add_up(tmp_path, seed):
    check_split(random_case(tmp_path, seed), seed, lambda rng: rng.random(4))


def test_what_the_random_months_hold(tmp_path):
    """Every kind of line is among them, and a minimum bill that gives back."""
    kinds, refunds = set(), 0
    for seed in (1, 33):
        (tmp_path / str(seed)).mkdir()
        case = random_case(tmp_path / str(seed), seed, whole_month=True)
        lines = check_split(case, seed, lambda rng: (0.3, 0.6))
        kinds |= {x.kind for x in lines} | {"band" for x in lines if "_band_2" in x.component}
        refunds += sum(x.amount_eur < -0.01 for x in lines if x.kind == "minimum")
    assert kinds >= {"spot", "energy", "demand", "band", "fixed", "minimum", "contract", "hedge", "feed_in"}
    assert refunds > 0


def solved_night_by_night(tmp_path, seed):
    """Each day of a random case solved on its own, with the state that its plan leaves to the next."""
    case = random_case(tmp_path, seed).cell("jobs.csv", "j6", "release", "+2h")  # fits a single day
    days = case.inputs().case.horizon
    runs = []
    for k in range((days.end - days.start).days + 1):
        day = str(days.start + timedelta(days=k))
        case.edit("case.yaml", "horizon.start", day).edit("case.yaml", "horizon.end", day)
        runs.append(agreed(optimize(case.path), f"seed {seed}, {day}"))
        state = roll_forward(runs[-1].inputs, runs[-1].plan.replay).model_dump(mode="json")
        for key, value in state.items():
            case.edit("state.yaml", key, value)
        case.edit("case.yaml", "state", "state.yaml")
    return runs


@pytest.mark.parametrize("seed", SOLVED)
def test_program_agrees_with_the_bill_of_every_night(tmp_path, seed):
    """Objective = bill after the named differences, with an invoice so far; and the nights' bills are the whole's."""
    runs = solved_night_by_night(tmp_path, seed)
    named_is_small(runs)  # together: of one day with negative prices alone they are up to 0.07 %, and it is DEGRADED
    assert any(s.invoice_so_far for s in runs[1].inputs.state.sites.values())
    whole = xr.concat([r.plan.replay for r in runs], "time", data_vars="minimal")
    given = replace(runs[0].inputs, series=random_case(tmp_path, seed).inputs().series)
    lines = [x for r in runs for x in r.plan.bill.lines]
    one = bill(given, whole)
    assert sums(lines) == pytest.approx(dict.fromkeys(sums(lines), 0.0) | sums(one.lines), abs=ROUNDING)
