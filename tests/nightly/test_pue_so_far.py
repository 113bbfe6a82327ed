"""PUE caps and legal limits of a night: the program's own balances, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy.inputs.fleet import load_fleet
from energy.inputs.limits import load_limits
from energy.inputs.load import read_inputs
from energy.inputs.state import Balance, PastPeriod, SiteState, State
from energy.nightly.summary import pue_so_far
from energy.problem.pue_limits import cap_rows, limit_rows
from tests.cases import SmallCase

BEGIN = np.datetime64("2026-11-26T00:00", "ns")


@pytest.fixture
def fleet(tmp_path):
    """A German site under the law, a yearly cap of the other, one of the fleet, a rolling and an hourly one."""
    case = SmallCase(tmp_path, start="2026-11-26")
    case.edit("fleet.yaml", "sites.south.limits", ["de_enefg"]).edit(
        "fleet.yaml", "sites.south.commissioned", "2026-08-01"
    )
    case.edit("fleet.yaml", "sites.south.pue_caps", [
        {"name": "day", "limit": 1.3, "period": "rolling", "window_h": 24},
        {"name": "hot", "limit": 2.0, "period": "hour", "above_it_mw": 0.1},
    ]).edit("fleet.yaml", "fleet_pue_caps", [{"name": "board", "limit": 1.25}])  # fmt: skip
    return load_fleet(tmp_path / "fleet.yaml")


def state(history=()):
    """North 220 over 200 MWh, south 130 over 100: overdrawn against 1.20."""
    years = {"north": Balance(facility_mwh=220, it_mwh=200), "south": Balance(facility_mwh=130, it_mwh=100)}
    sites = {n: SiteState(year_to_date=b, history=tuple(history) if n == "south" else ()) for n, b in years.items()}
    return State(sites=sites)


def hours(count):
    """The last hours before the horizon, each 1.4 over 1 MWh."""
    first = datetime(2026, 11, 26, tzinfo=UTC) - timedelta(hours=count)
    return [PastPeriod(start=first + timedelta(hours=h), hours=1, facility_mwh=1.4, it_mwh=1.0) for h in range(count)]


def legal(fleet, tmp_path, year=2026):
    """The limits as the run's summary has them."""
    found = load_limits(fleet, tmp_path / "fleet.yaml")["south"]
    return [{"site": "south", "limit_name": x.name, "year": year, "metric": x.rule.metric, "limit": x.rule.limit,
             "status": x.preset.status} for x in found]  # fmt: skip


def test_a_german_site_with_an_overdrawn_year_says_so(fleet, tmp_path):
    rows = {r["cap"]: r for r in pue_so_far(fleet, state(), legal(fleet, tmp_path), BEGIN, 2026)}
    assert rows["de_enefg.new_pue"] == {
        "site": "south", "cap": "de_enefg.new_pue", "limit": 1.2, "period": "year", "status": "in_force",
        "so_far": pytest.approx(1.3), "credit_mwh": pytest.approx(-10.0),
    }  # fmt: skip
    assert list(rows) == ["contract", "day", "hot", "board", "de_enefg.new_pue"], "heat reuse is no PUE"


def test_balances_are_those_of_the_program_s_rows(fleet, tmp_path):
    """A balance below zero is a debt, of which the row has the horizon's share of the hours left of the year."""
    rows = pue_so_far(fleet, state(hours(24)), legal(fleet, tmp_path), BEGIN, 2026)
    inputs = replace(read_inputs(tmp_path / "case.yaml"), state=state(hours(24)))
    program = [*cap_rows(inputs, np.ones((2, 48))), *limit_rows(inputs)]
    year = inputs.horizon.on_clock("Europe/Berlin")
    share = inputs.horizon.dt.sum() / year.rest_of_year_h[0]
    first = {
        r.name: r.credit / (share if r.credit < 0 else 1.0)
        for r in reversed(program)
        if not {"hot", "day"} & set(r.name.split(":"))
    }
    found = {f"{r['site']}:{r['cap']}": r["credit_mwh"] for r in rows}
    assert {k: found[k] for k in first} == pytest.approx(first)
    assert first.keys() == {"north:contract", "fleet:board", "south:de_enefg.new_pue"}


def test_the_fleet_s_cap_is_summed_and_a_window_needs_its_whole_history(fleet):
    """Fleet 1.25 · 300 - 350 = 25; window 24 h: 1.3 · 24 - 33.6 = -2.4."""
    rows = {r["cap"]: r for r in pue_so_far(fleet, state(hours(24)), [], BEGIN, 2026)}
    assert (rows["board"]["site"], rows["board"]["credit_mwh"]) == ("fleet", pytest.approx(25.0))
    assert (rows["day"]["period"], rows["day"]["credit_mwh"]) == ("24 h", pytest.approx(-2.4))
    assert (rows["hot"]["period"], rows["hot"]["credit_mwh"]) == ("hour", None)
    rows = {r["cap"]: r for r in pue_so_far(fleet, state(hours(23)), [], BEGIN, 2026)}
    assert (rows["day"]["so_far"], rows["day"]["credit_mwh"]) == (None, None)


def test_a_limit_of_next_year_has_no_balance_yet(fleet, tmp_path):
    assert "south" not in {
        r["site"]
        for r in pue_so_far(fleet, state(), legal(fleet, tmp_path, 2027), BEGIN, 2026)
        if r["status"] != "contract"
    }
