"""A night as a function: the same snapshot gives the same plan, and nothing outside the snapshot is looked at."""

from __future__ import annotations

import builtins
import io
import json
import pickle
import socket
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timedelta

import pandas as pd
import pytest

import energy.program  # noqa: F401 - imported by the first solve, which may not open a file here
from energy.inputs.state import State
from energy.nightly.config import sweep
from energy.nightly.database import open_store
from energy.nightly.inputs import Snapshot
from energy.nightly.outcome import PLAN, RUN_NOW, NightContext
from energy.nightly.plan import METHODS, NightPlan, plan_night
from energy.nightly.prepare import prepare
from energy.nightly.settlement import PastDays, settle_day
from energy.runs.folder import read_run
from tests.nightly.nightcase import DAY, publish_plan


def snapshot_of(case, with_schedule=False) -> Snapshot:
    """The snapshot of a night."""
    with open_store(case.place.database) as store:
        night = prepare(NightContext(case.place, store, DAY))
    sweep(case.out)
    return night.snapshot(with_schedule)


class NoClock(type):
    """Of datetimes whose clock stands still."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime)


class Timeless(datetime, metaclass=NoClock):
    """A datetime without a present."""

    @classmethod
    def now(cls, tz=None):
        raise AssertionError("the clock")

    utcnow = today = now


@pytest.fixture
def nothing_outside(monkeypatch):
    """Files, processes, sockets, databases and clocks raise."""

    connect_really = sqlite3.connect

    def refuse(*args, **_):
        raise AssertionError(f"a pure function touched {args}")

    def connect(path, *args, **options):
        """Refuse, but for the coverage tool, which notes in its own database which test runs a line."""
        return connect_really(path, *args, **options) if ".coverage" in str(path) else refuse(path)

    def patch():
        for owner, name in ((builtins, "open"), (io, "open"), (subprocess, "Popen"), (socket, "socket"),
                            (time, "time"), (time, "monotonic")):  # fmt: skip
            monkeypatch.setattr(owner, name, refuse)
        monkeypatch.setattr(sqlite3, "connect", connect)
        for name, module in list(sys.modules.items()):
            if name.startswith("energy.") and getattr(module, "datetime", None) is datetime:
                monkeypatch.setattr(module, "datetime", Timeless)

    yield patch
    monkeypatch.undo()


def same(one: NightPlan, other: NightPlan) -> None:
    """Equal in everything but the seconds."""
    assert one.summary == other.summary
    assert (one.run_id, one.method, one.ex_ante_cost_eur) == (other.run_id, other.method, other.ex_ante_cost_eur)
    for name in ("problem", "solution", "prices"):
        assert getattr(one.run, name).identical(getattr(other.run, name)), name
    for mine, theirs in ((one.run.plan, other.run.plan), (one.run.baseline, other.run.baseline)):
        assert mine.schedule.identical(theirs.schedule)
        assert mine.replay.identical(theirs.replay)
        assert mine.bill.frame().equals(theirs.bill.frame())
    assert one.run.certificate == other.run.certificate
    assert one.run.outcome == other.run.outcome


def test_the_test_notices_a_file_and_a_clock(nights, nothing_outside):
    nothing_outside()
    with pytest.raises(AssertionError, match="touched"):
        (nights.folder / "queue.csv").read_text()
    with pytest.raises(AssertionError, match="the clock"):
        sys.modules["energy.nightly.config"].now()


@pytest.mark.parametrize("method", ["lp", "greedy"])
def test_a_snapshot_gives_the_same_plan_whatever_is_outside(method, nights, nothing_outside):
    snapshot = snapshot_of(nights)
    stored = pickle.dumps(snapshot)
    nothing_outside()
    one = plan_night(snapshot, method)
    same(one, plan_night(snapshot, method))
    same(one, plan_night(pickle.loads(stored), method))
    assert one.summary["status"] == ("OK" if method == "lp" else "DEGRADED")


def test_the_previous_schedule_is_part_of_the_snapshot(nights, nothing_outside):
    publish_plan(
        nights, [("j1", "north/liquid/gb300", f"2024-03-12T{h:02d}:00", 8.0) for h in range(24)], DAY.replace(day=11)
    )
    snapshot = snapshot_of(nights, with_schedule=True)
    nothing_outside()
    plan = plan_night(snapshot, "last_good", failed=["lp: failed"])
    assert (plan.summary["status"], plan.summary["method"]) == ("DEGRADED", "last_good")
    assert "lp: failed" in plan.summary["reasons"]


def test_a_past_day_that_was_read_is_settled_by_a_pure_function(nights, nothing_outside):
    """With the rows of the night that settles it."""
    publish_plan(nights, [("j1", "north/liquid/gb300", f"2024-03-12T{h:02d}:00", 8.0) for h in range(24)])
    with open_store(nights.place.database) as store:
        context = NightContext(nights.place, store, DAY + timedelta(days=2))
        night = prepare(context)
        known_at = pd.Timestamp(night.series.known_at)
        past = PastDays(context, night.case, night.queue.jobs, known_at).read(DAY, settled=True)
    nothing_outside()
    states, days, work = settle_day(past, {PLAN: State(), RUN_NOW: State()}, settled=True)
    assert len(days) == 2
    assert (days, work) == (night.settlement.days, night.settlement.work)
    assert set(states) == {PLAN, RUN_NOW}


def test_a_method_that_cannot_be_is_refused(nights):
    snapshot = snapshot_of(nights)
    with pytest.raises(ValueError, match=", ".join(METHODS)):
        plan_night(snapshot, "last_good")


def test_a_published_night_is_what_the_function_says(solved):
    """By its night.json, its objective and its bill."""
    plan = plan_night(snapshot_of(solved.case))
    folder = solved.night.folder
    record = read_run(folder)
    assert plan.run_id == folder.name
    assert json.loads((folder / "night.json").read_text()) == plan.summary
    assert plan.run.certificate.primal_eur == record.manifest["certificate"]["primal_eur"]
    assert plan.run.plan.bill.total() == record.summary["bill_eur"]
    with open_store(solved.case.place.database) as store:
        [row] = store.rows("SELECT * FROM plans")
    assert plan.ex_ante_cost_eur in row.values()
