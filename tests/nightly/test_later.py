"""Nights of later days: none is run ahead of its auction, and what a clock that was ahead has left is in nobody's way."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from energy.errors import OlderNight
from energy.nightly import run as page
from energy.nightly.config import latest
from energy.nightly.database import open_store
from energy.nightly.history import pasts
from energy.nightly.outcome import NightContext
from energy.nightly.precedence import Precedence, is_older, precedence_of
from energy.nightly.run import enter
from tests.cli.conftest import energy  # noqa: F401 - the fixture that runs a command
from tests.nightly.nightcase import DAY, canned, publish_plan

AHEAD = DAY + timedelta(days=3)
RUN = {"status": "FAILED", "method": "nothing", "exit_code": 7, "reasons": "[]", "started": "", "finished": "2024-03-11T12:10:00+00:00",
       "solve_seconds": 0, "wall_seconds": 0, "published": 0, "imputed_hours": 0}  # fmt: skip


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Ten past one in Oslo, the day before."""
    monkeypatch.setenv("HYDROCOOL_NOW", f"{DAY - timedelta(days=1)}T12:10:00+00:00")


@pytest.fixture
def ahead(nights):
    """A plan that a clock three days ahead has made, in the books and on file."""
    folder = nights.out / f"small_{AHEAD}"
    folder.mkdir(parents=True)
    told = {"quality": {"price NO4": {}, "weather north": {}}, "imputed_hours": {"price": {"NO4": 24}}}
    (folder / "night.json").write_text(json.dumps(told))
    with open_store(nights.place.database) as store:
        store.put(
            "plans",
            {
                "night": str(AHEAD),
                "run_id": folder.name,
                "folder": folder.name,
                "snapshot": "gone",
                "ex_ante_cost_eur": 1.0,
            },
        )
    return nights


def of(nights, again=False):
    with open_store(nights.place.database) as store:
        return precedence_of(NightContext(nights.place, store, DAY), again)


@pytest.mark.parametrize(
    "args", [("--date", "2024-03-13"), ("--from", "2024-03-11", "--to", "2024-03-14"), ("--date", "2027-01-05")]
)
def test_a_day_later_than_tomorrow_is_refused_and_nothing_written(args, energy, nights):  # noqa: F811
    done = energy("nightly", nights.folder / "nightly.yaml", *args)
    assert done.code == 2
    assert f"is later than tomorrow ({DAY} on the fleet's clock)" in done.err
    assert not nights.out.exists()


def test_a_plan_of_a_clock_that_was_ahead_is_withdrawn(ahead):
    found = of(ahead)
    assert (found.active, [r["night"] for r in found.superseded]) == (True, [str(AHEAD)])


def test_a_plan_that_knew_its_prices_says_that_the_clock_is_behind(ahead):
    told = {"quality": {"price NO4": {}}, "imputed_hours": {"price": {}}}
    (ahead.out / f"small_{AHEAD}" / "night.json").write_text(json.dumps(told))
    with pytest.raises(OlderNight, match="is the clock right"):
        of(ahead)
    assert not of(ahead, again=True).active


def test_a_real_later_night_is_in_the_way_whatever_stands_behind_it(ahead, monkeypatch):
    monkeypatch.setenv("HYDROCOOL_NOW", f"{AHEAD - timedelta(days=1)}T12:10:00+00:00")
    with pytest.raises(OlderNight):
        of(ahead)


def test_its_row_goes_with_the_entry_of_the_night_and_its_folder_stays(ahead):
    prepared = publish_plan(ahead, [("j1", "north/liquid/gb300", "2024-03-12T00:00", 8.0)])
    with open_store(ahead.place.database) as store:
        plan = store.row("SELECT * FROM plans WHERE night = ?", str(DAY))
        enter(store, prepared, plan, precedence_of(NightContext(ahead.place, store, DAY), False).superseded)
        assert [r["night"] for r in store.rows("SELECT night FROM plans")] == [str(DAY)]
    assert (ahead.out / f"small_{AHEAD}").is_dir()


def test_a_run_of_a_clock_that_was_ahead_mutes_nobody(ahead):
    with open_store(ahead.place.database) as store:
        for night in (DAY - timedelta(days=1), AHEAD + timedelta(days=290)):
            store.put("runs", RUN | {"night": str(night)})
        assert not is_older(ahead.place, store, DAY)
        assert is_older(ahead.place, store, DAY - timedelta(days=2))
        assert [p.date for p in pasts(store)] == [str(DAY - timedelta(days=1))]


@pytest.mark.slow
def test_the_night_that_withdraws_a_plan_says_so(solved, ahead, monkeypatch):
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    night = ahead.night()
    assert (night.status, night.code, latest(ahead.out)) == ("DEGRADED", 6, night.run_id)
    assert Precedence(True, ({"night": AHEAD, "folder": f"small_{AHEAD}"},)).reasons()[0] in night.reasons
    assert ahead.night().unchanged


@pytest.mark.slow
def test_a_night_as_it_is_published_knew_its_prices(solved, nights, monkeypatch):
    """By the very words of its night.json: of a clock that is behind, its plan is in the way of an earlier night."""
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    assert nights.night().folder is not None
    monkeypatch.setenv("HYDROCOOL_NOW", "2020-01-01T12:10:00+00:00")
    with open_store(nights.place.database) as store, pytest.raises(OlderNight, match="is the clock right"):
        precedence_of(NightContext(nights.place, store, DAY - timedelta(days=1)), False)
