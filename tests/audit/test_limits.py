"""Where a site stands against a limit: figures before, in and with the horizon, room left, price, by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from energy.audit.compliance import drawn, figure, limit_compliance
from energy.inputs.limits import Limit, Preset
from energy.inputs.state import State
from tests.bills.meter import Meter, tariff

METER = Meter(tariff({"kind": "fixed", "value": 1}), "2023-12-31", "2024-01-02", 30)


def limit(metric="pue", side=None, valid_from="2020-01-01", valid_to=None):
    rule = {"name": "r", "metric": metric, "valid_from": valid_from, "valid_to": valid_to, "source": "a law",
            "confidence": "H", **({"at_least" if metric == "erf" else "at_most": side} if side else {})}  # fmt: skip
    preset = Preset.model_validate({"name": "p", "status": "draft", "description": "made up", "boundary": "at the meter",
                                    "fine": "a lot", "rules": [rule]})  # fmt: skip
    return Limit(preset, preset.rules[0])


def reading():
    """1.2 MW for 1 MW of IT on 31 December, 1.5 MW for 1.2 on 1 January; 0.25 MW of heat; 0.125 m3 in a half-hour.

    The hall of another site, with a name that begins alike, has water of its own."""
    first = np.arange(96) < 48
    power = {
        "facility_mw": np.where(first, 1.2, 1.5),
        "site_it_mw": np.where(first, 1.0, 1.2),
        "heat_mw": np.full(96, 0.25),
    }
    site = {k: (("site", "time"), v[None, :]) for k, v in power.items()}
    water = np.array([np.full(96, 0.125), np.full(96, 7.0)])
    arrays = {**site, "dt": ("time", np.full(96, 0.5)), "water_m3": (("hall", "time"), water)}
    return xr.Dataset(arrays, {"time": METER.time, "site": ["s"], "hall": ["s/h", "s2/h"]})


def stands(*limits, caps=(), state=None):
    problem = xr.Dataset({"cap_penalty": ("cap", [77.0] * len(caps))}, {"cap": list(caps)})
    prices = xr.Dataset({"value_cap": ("cap", [1000.0 + i for i in range(len(caps))])})
    past = State.model_validate({"sites": {"s": {"year_to_date": state}}} if state else {})
    inputs = replace(METER.inputs(40.0), limits={"s": limits}, state=past)
    return limit_compliance(inputs, problem, prices, reading())


PAST = {"facility_mwh": 100.0, "it_mwh": 80.0, "water_m3": 24.0, "reused_mwh": 30.0}


def test_each_year_has_its_own_balance():
    """2023: 100 + 28.8 MWh for 80 + 24; 2024 begins anew: 36 for 28.8. Room: 1.2·104 - 128.8, 1.2·28.8 - 36."""
    first, second = stands(limit(side=1.2), caps=("s:other@2023", "s:p.r@2024"), state=PAST)
    text = {"site": "s", "limit_name": "p.r", "metric": "pue", "limit": 1.2, "status": "draft", "boundary": "at the meter",
            "fine": "a lot", "source": "a law", "confidence": "H", "met": False}  # fmt: skip
    assert first == text | {"year": 2023, "so_far": 1.25, "plan": pytest.approx(1.2), "together": pytest.approx(128.8 / 104),
                            "room": pytest.approx(-4.0), "tighter_eur": None, "breach_eur_per_mwh": None}  # fmt: skip
    assert second == text | {"year": 2024, "so_far": None, "plan": pytest.approx(1.25), "together": pytest.approx(1.25),
                             "room": pytest.approx(-1.44), "tighter_eur": 10.01, "breach_eur_per_mwh": 77.0}  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "side", "figures", "room", "met"),
    [
        ("pue", 1.25, (1.25, 1.2, 128.8 / 104), 1.25 * 104 - 128.8, True),
        ("wue", 0.3, (0.3, 0.25, 30 / 104), 0.3 * 104 - 30, True),
        ("wue", 0.28, (0.3, 0.25, 30 / 104), 0.28 * 104 - 30, False),
        ("erf", 0.27, (0.3, 6 / 28.8, 36 / 128.8), 36 - 0.27 * 128.8, True),
        ("erf", 0.3, (0.3, 6 / 28.8, 36 / 128.8), 36 - 0.3 * 128.8, False),
        ("wue", None, (0.3, 0.25, 30 / 104), None, None),
    ],
)
def test_figures_room_and_verdict_of_every_metric(metric, side, figures, room, met):
    """31 December adds 28.8 MWh, 24 of IT, 6 m3 and 6 MWh of heat to 100, 80, 24 and 30."""
    found = stands(limit(metric, side), state=PAST)[0]
    assert (found["so_far"], found["plan"], found["together"]) == pytest.approx(figures)
    assert found["room"] == pytest.approx(room)
    assert found["met"] is met


def test_met_to_rounding_of_a_year():
    """At the limit is met; below by a billionth of the energy too, by more is not."""
    at = {"facility_mwh": 0.0, "it_mwh": 0.0}
    assert [stands(limit(side=1.2 * (1 + e)), state=at)[0]["met"] for e in (0, -8e-10, -1e-8)] == [True, True, False]


def test_only_days_in_force_count():
    """From 1 January on; until 31 December; not at all."""
    (found,) = stands(limit(side=1.3, valid_from="2024-01-01"), state=PAST)
    assert (found["year"], found["so_far"], found["together"]) == (2024, None, pytest.approx(1.25))
    (found,) = stands(limit(side=1.3, valid_to="2023-12-31"), state=PAST)
    assert (found["year"], found["so_far"], found["plan"]) == (2023, 1.25, pytest.approx(1.2))
    assert stands(limit(side=1.3, valid_from="2024-01-02")) == []


def test_without_a_state_nothing_was_before():
    found = stands(limit(side=1.3))[0]
    assert (found["so_far"], found["together"]) == (None, pytest.approx(1.2))


def test_balance_of_some_hours():
    """Two half-hours: only the site's own halls give water."""
    some = drawn(reading(), "s", np.arange(96) < 2)
    assert some.model_dump() == pytest.approx(
        {"facility_mwh": 1.2, "it_mwh": 1.0, "reused_mwh": 0.25, "water_m3": 0.25}
    )


def test_no_energy_no_figure():
    nothing = SimpleNamespace(facility_mwh=0.0, it_mwh=0.0, water_m3=1.0, reused_mwh=1.0)
    assert [figure(m, nothing) for m in ("pue", "wue", "erf")] == [None] * 3
