"""Cooling in replay and summary: components add up, water is counted, hot hours derate and are said so."""

import numpy as np
import pytest

from energy.audit.replay import figures
from energy.optimize import optimize
from energy.schema import COMPONENTS

HOT = {"temp_air": "44", "temp_dew": "5"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The small case with two hot afternoon hours in the north, where the hall has no chiller."""
    from tests.cases import SmallCase

    case = SmallCase(tmp_path_factory.mktemp("hot"))
    for hour in ("2024-03-05T14", "2024-03-05T15"):
        for column, value in HOT.items():
            case.cell("weather_north.csv", hour, column, value)
    return optimize(case.path)


def test_components_add_up_to_the_overhead(run):
    replayed = run.plan.replay
    total = sum(replayed[name].values for name in COMPONENTS)
    assert np.abs(total - replayed["overhead_mw"].values).max() <= 1e-12
    assert (replayed["electrical_mw"].values > 0).all()


def test_derating_is_the_limit_that_the_program_got(run):
    replayed, problem = run.plan.replay, run.problem
    design = np.array([[2.0], [1.0]])
    assert np.abs(design - replayed["derating_mw"].values - problem["hall_mw"].values).max() <= 1e-9
    hot = replayed["derating_mw"].values[0] > 0
    assert hot.sum() == 2
    assert (replayed["it_mw"].values <= problem["hall_mw"].values + 1e-6).all()


def test_summary_names_derated_hours_and_worst_hour(run):
    cooling = run.summary["cooling"]
    liquid, air = cooling["halls"]["north/liquid"], cooling["halls"]["south/air"]
    assert (liquid["derated_hours"], air["derated_hours"]) == (2.0, 0.0)
    assert liquid["most_derated_mw"] > 0.1
    north = cooling["sites"]["north"]
    replayed = run.plan.replay.sel(site="north")
    ratio = (replayed["facility_mw"] / replayed["site_it_mw"]).values
    assert north["worst_pue"] == pytest.approx(ratio.max())
    assert north["worst_hour"] == f"{np.datetime_as_string(replayed['time'].values[ratio.argmax()], unit='m')}Z"
    assert liquid["pue"] == pytest.approx(1 + sum(liquid["overhead_mwh"].values()) / liquid["it_mwh"])


def test_wue_is_water_over_it_energy(run):
    replayed = run.plan.replay.assign(water_m3=run.plan.replay["water_m3"] * 0 + 0.5)
    found = figures(replayed, run.problem["hall_site"].values)
    hours = replayed.sizes["time"]
    it = float(replayed["site_it_mw"].values[0].sum())
    assert found["sites"]["north"]["wue_l_per_kwh"] == pytest.approx(0.5 * hours / it)
    assert found["fleet"]["wue_l_per_kwh"] == pytest.approx(2 * 0.5 * hours / float(replayed["site_it_mw"].sum()))


def test_free_hours_need_every_hall_of_the_site(run):
    found = figures(run.plan.replay.assign(free_cooling=run.plan.replay["free_cooling"] * 0 + 1), np.array([0, 1]))
    assert found["sites"]["north"]["free_cooling_hours"] == run.plan.replay.sizes["time"]
    one = run.plan.replay["free_cooling"].copy(deep=True)
    one.values[:] = 1.0
    one.values[1, 3] = 0.999
    found = figures(run.plan.replay.assign(free_cooling=one), np.array([0, 0]))
    assert found["sites"]["north"]["free_cooling_hours"] == run.plan.replay.sizes["time"] - 1


def test_no_load_has_no_ratio(run):
    empty = run.plan.replay.assign({n: run.plan.replay[n] * 0 for n in ("it_mw", "site_it_mw", "facility_mw")})
    found = figures(empty, run.problem["hall_site"].values)
    assert found["sites"]["north"] | {"free_cooling_hours": 0} == {
        "wue_l_per_kwh": None, "free_cooling_hours": 0, "worst_pue": None, "worst_hour": None,
        "reused_mwh": 0.0, "erf": None, "ere": None,
    }  # fmt: skip
    assert found["halls"]["south/air"]["pue"] is None
