"""A cap that does not hold in all of the horizon says so, naming the keys that would change it."""

import pytest

from energy.problem import notices

SIX = {"name": "day", "limit": 1.25, "period": "rolling", "window_h": 6}
HISTORY = [
    {"start": f"2024-03-04T{h:02d}:00:00Z", "hours": 1, "facility_mwh": 1.3, "it_mwh": 1.0} for h in range(18, 24)
]


def told(case):
    inputs = case.inputs()
    return notices(inputs, case.problem())


def test_yearly_caps_hold_throughout(case):
    assert told(case) == []


def test_rolling_cap_without_history(case):
    case.edit("fleet.yaml", "sites.north.pue_caps", [SIX])
    assert told(case) == [
        "fleet.yaml: sites.north.pue_caps.0 (day): rolling cap of window_h 6 is not held in the 5 of 48 windows that "
        "begin before the horizon, as their history is not known; give sites.north.history from 2024-03-04T19:00Z on "
        "in a state file, which the case names by state"
    ]


def test_history_that_the_notice_asks_for_is_enough(case):
    case.edit("fleet.yaml", "sites.north.pue_caps", [SIX]).edit("case.yaml", "state", "state.yaml")
    case.edit("state.yaml", "sites", {"north": {"history": HISTORY[1:]}})
    assert told(case) == []
    [line] = told(case.edit("state.yaml", "sites", {"north": {"history": HISTORY[3:]}}))
    assert "in the 2 of 48 windows" in line
    assert line.endswith("in state.yaml")


def test_window_longer_than_the_horizon_holds_nowhere(case):
    case.edit("fleet.yaml", "fleet_pue_caps", [{**SIX, "name": "week", "window_h": 168}])
    [line] = told(case)
    assert line.startswith(
        "fleet.yaml: fleet_pue_caps.0 (week): rolling cap of window_h 168 is not held in the 48 of 48"
    )
    assert "give sites.north.history, sites.south.history from 2024-02-27T01:00Z on" in line


@pytest.mark.parametrize(("above", "held"), [(0.5, 46), (2.0, 0)])
def test_hourly_cap_names_what_keeps_it_from_holding(case, above, held):
    """Idle load is 0.53 MW, and 0.45 in two hours of maintenance."""
    case.edit("fleet.yaml", "sites.north.pue_caps", [
        {"name": "year", "limit": 1.25}, {"name": "h", "limit": 1.4, "period": "hour", "above_it_mw": above}])  # fmt: skip
    window = {"from": "2024-03-05T06:00", "to": "2024-03-05T08:00", "gpus": 200}
    case.edit("fleet.yaml", "sites.north.halls.liquid.pools.gb300.maintenance", [window])
    [line] = told(case)
    least = case.problem()["base_it"].sel(hall="north/liquid").values
    assert line == (
        f"fleet.yaml: sites.north.pue_caps.1 (h): hourly cap holds in {held} of 48 periods: only where IT power cannot "
        f"fall below above_it_mw {above:g}, and it can fall to {least.min():.3f} … {least.max():.3f} MW; a lower "
        "above_it_mw, or more firm_gpus, makes it hold in more"
    )
