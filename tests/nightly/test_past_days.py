"""Past days: with the fleet and jobs of then, and never in the way of tonight's plan. No solver is needed."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from energy.inputs.state import ChargeSoFar, InvoiceSoFar, SiteState, State
from energy.inputs.tariffs import load_tariffs
from energy.nightly import settlement
from energy.nightly.database import open_store
from energy.nightly.outcome import NightContext
from energy.nightly.prepare import prepare
from energy.nightly.settlement import fitted
from tests.nightly.nightcase import DAY, publish_plan

HOURS = [str(t) for t in pd.date_range("2024-03-11T23:00", periods=24, freq="h")]
#: 100 GPUs at twice the reference speed, all day: 4,800 GPU-hours of j1.
ROWS = [("j1", "north/liquid/gb300", t, 100.0) for t in HOURS]
WORK = 4800.0
SECOND = DAY + timedelta(days=2)


@pytest.fixture
def planned(nights):
    """A night of which only the plan is left."""
    publish_plan(nights, ROWS)
    return nights


def settled(case, day=SECOND):
    with open_store(case.place.database) as store:
        return prepare(NightContext(case.place, store, day)).settlement


def plan_day(found):
    return next(d for d in found.days if d["policy"] == "plan")


def test_a_pool_that_came_later_is_no_part_of_past_days(planned):
    before = plan_day(settled(planned))
    planned.edit("fleet.yaml", "sites.north.halls.liquid.pools.more", {"gpu": "h200", "count": 8})
    planned.cell("queue.csv", "j5", "gpu_kinds", "h200=1")
    found = settled(planned)
    assert found.reasons == []
    assert plan_day(found) == before
    assert [d["policy"] for d in found.days] == ["plan", "run_now"]


@pytest.mark.slow
def test_a_pool_that_is_gone_has_still_done_its_work(planned):
    before = settled(planned)
    planned.edit("fleet.yaml", "sites.south.halls.air.pools", {"a100": {"gpu": "a100", "count": 400}})
    found = settled(planned)
    assert found.reasons == []
    assert plan_day(found) == plan_day(before)
    assert found.days[1] == before.days[1], "run-now had the pool as well"


@pytest.mark.slow
def test_jobs_that_left_the_table_were_run_all_the_same(planned):
    before = settled(planned)
    planned.drop("queue.csv", "j1", "j2")
    found = settled(planned)
    assert plan_day(found) == plan_day(before)
    assert {w["job"]: w["gpu_hours"] for w in found.work if w["policy"] == "plan"} == {"j1": pytest.approx(WORK)}
    assert found.days[1]["realised_cost_eur"] == before.days[1]["realised_cost_eur"]


def broken(*_):
    raise RuntimeError("no such luck")


def test_a_day_without_books_is_told_and_stops_no_night(planned, monkeypatch):
    monkeypatch.setattr(settlement, "run_now_table", broken)
    with open_store(planned.place.database) as store:
        night = prepare(NightContext(planned.place, store, SECOND))
    [reason] = night.reasons
    assert reason.startswith(f"{DAY} cannot be settled (RuntimeError: no such luck); the next night tries again")
    assert night.settlement.days == [], "both policies or none"
    assert night.settlement.state.work_done == pytest.approx({"j1": WORK})
    assert night.left["j1"] == pytest.approx(9000 - WORK)


@pytest.mark.slow
def test_a_day_that_never_gets_books_is_given_up(planned, monkeypatch):
    monkeypatch.setattr(settlement, "run_now_table", broken)
    monkeypatch.setattr(settlement, "PATIENCE_DAYS", 2)
    found = settled(planned, DAY + timedelta(days=3))
    assert "after 2 days settlement is abandoned" in found.reasons[0]
    assert "the next night tries again" in found.reasons[1]


def test_a_plan_that_cannot_be_read_stops_no_night(planned):
    next(planned.out.glob("small_*/schedule.parquet")).unlink()
    found = settled(planned)
    assert [r for r in found.reasons if r.startswith(f"{DAY} cannot be settled") and "is no schedule" in r]
    assert found.days == []


@pytest.mark.slow
def test_days_before_the_series_are_given_up_but_for_their_work(planned, monkeypatch):
    monkeypatch.setattr(settlement, "REACH_DAYS", 2)
    found = settled(planned, DAY + timedelta(days=4))
    assert found.reasons[0].startswith(f"{DAY} to {DAY + timedelta(days=1)} were never settled")
    assert {d["day"] for d in found.days} == {str(SECOND)}
    assert found.state.work_done == pytest.approx({"j1": WORK})


def test_the_reach_is_that_of_the_series(planned):
    """Every day within reach has series, however long no night succeeded."""
    with open_store(planned.place.database) as store:
        known = prepare(NightContext(planned.place, store, DAY)).series
    first = planned.place.config.begin(DAY - timedelta(days=settlement.REACH_DAYS))
    assert all(t.index[0] < pd.Timestamp(first) for t in known.tables.values())
    assert known.tables["NO4"].index[0] > pd.Timestamp(first) - pd.Timedelta(days=3)


def report(case, at, hours):
    with open_store(case.place.database) as store:
        store.put("progress", {"at": at, "job": "j1", "gpu_hours": hours})


def test_the_first_night_knows_what_was_reported(nights):
    report(nights, "2024-03-10T12:00:00", 700.0)
    report(nights, "2024-03-11T11:00:00", 1500.0)
    report(nights, "2024-03-11T12:30:00", 1700.0)  # after the night's moment, which is noon in UTC
    assert settled(nights, DAY).state.work_done == {"j1": 1500.0}


@pytest.mark.slow
def test_reports_before_the_first_plan_count_in_the_nights_after_it(planned):
    report(planned, "2024-03-11T22:30:00", 1000.0)
    found = settled(planned)
    assert found.state.work_done["j1"] == pytest.approx(1000 + WORK)


@pytest.mark.slow
def test_a_report_of_no_work_takes_the_plans_away(planned):
    """A job that still waits in the cluster's queue has done nothing, whatever the plan says."""
    report(planned, "2024-03-12T22:30:00", 0.0)
    assert settled(planned).state.work_done["j1"] == 0.0


def test_the_state_fits_the_fleet_of_tonight(nights):
    charge = ChargeSoFar(rate_eur_per_mw=1.0, spread_h=700, billed_eur=1.0)
    invoice = {"2024-03": InvoiceSoFar(charges={"peak": charge, "old": charge})}
    north = SiteState(
        peak_so_far_mw={"2024-03": 1.0}, window_peaks_mw={"old": {"2024-03": 1.0}}, invoice_so_far=invoice
    )
    place = nights.place
    tariffs = load_tariffs(fleet_of(place), place.beside("fleet.yaml"))
    found = fitted(State(sites={"north": north, "gone": SiteState()}), tariffs)
    assert list(found.sites) == ["north"]
    assert list(found.sites["north"].invoice_so_far["2024-03"].charges) == ["peak"]
    assert found.sites["north"].window_peaks_mw == {}


def fleet_of(place):
    from energy.inputs.fleet import load_fleet

    return load_fleet(place.beside(place.config.fleet))
