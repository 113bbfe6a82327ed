"""Budgets: sliding windows, weights, many threads, bans that outlive the process."""

from __future__ import annotations

import sqlite3
import threading
import time as real_time
from contextlib import closing
from dataclasses import replace

import pytest

from energy.sources.catalogue import SOURCES
from energy.sources.client.answer import SourceError
from energy.sources.client.cache import Ledger
from energy.sources.client.rate_limits import MOST_WAITS, Limits

SOURCE = replace(SOURCES["nve"], budget=((10.0, 5.0), (100.0, 20.0)))


def test_both_windows_hold_at_every_moment(tmp_path, time):
    limits = Limits(Ledger(tmp_path / "l.sqlite"), time.wall, time.sleep)
    sent = []
    for _ in range(15):
        limits.take(SOURCE, 1.0)
        sent.append(time.seconds)
    for n, at in enumerate(sent):
        assert sum(1 for s in sent[: n + 1] if s > at - 10) <= 5
    assert time.slept == pytest.approx([10.0, 10.0])


def test_a_place_that_is_too_far_away_is_a_quota_at_once(tmp_path, time):
    limits = Limits(Ledger(tmp_path / "l.sqlite"), time.wall, time.sleep)
    for _ in range(4):
        limits.take(SOURCE, 5.0)
    before = len(time.slept)
    with pytest.raises(SourceError, match="next free place is 70 s away") as caught:
        limits.take(SOURCE, 1.0)
    assert (caught.value.kind, len(time.slept)) == ("quota", before)
    with pytest.raises(SourceError, match="weighs 6, more than 5 per 10 s"):
        limits.take(SOURCE, 6.0)


def test_a_clock_that_stands_still_ends_the_waiting(tmp_path):
    limits = Limits(Ledger(tmp_path / "l.sqlite"), lambda: 5.0, lambda s: None)
    for _ in range(5):
        limits.take(SOURCE, 1.0)
    with pytest.raises(SourceError, match=f"no place after {MOST_WAITS} waits"):
        limits.take(SOURCE, 1.0)


def test_threads_and_processes_share_one_budget(tmp_path):
    fast = replace(SOURCE, budget=((0.25, 4.0),))
    path = tmp_path / "l.sqlite"

    def work() -> None:
        ledger = Ledger(path)
        limits = Limits(ledger, real_time.time, real_time.sleep)
        for _ in range(4):
            limits.take(fast, 1.0)
        ledger.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    with closing(sqlite3.connect(path)) as db:
        Ledger(path)
        db.execute("CREATE TABLE log (at REAL)")
        db.execute("CREATE TRIGGER t AFTER INSERT ON sent BEGIN INSERT INTO log VALUES (new.at); END")
        db.commit()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        sent = sorted(at for (at,) in db.execute("SELECT at FROM log"))
    assert len(sent) == 16
    assert all(sum(1 for s in sent if at - 0.25 < s <= at) <= 4 for at in sent)


def test_a_ban_outlives_the_process(tmp_path, time):
    Limits(Ledger(tmp_path / "l.sqlite"), time.wall, time.sleep).block(SOURCE, 600, "HTTP 429: ten minutes")
    other = Limits(Ledger(tmp_path / "l.sqlite"), time.wall, time.sleep)
    with pytest.raises(SourceError, match="to be left alone for 600 s more: HTTP 429: ten minutes"):
        other.take(SOURCE, 1.0)
    time.seconds += 580
    other.take(SOURCE, 1.0)
    assert time.slept == [20.0], "a short rest of it is waited for"


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    ledger = Ledger(tmp_path / "l.sqlite")
    with pytest.raises(sqlite3.OperationalError), ledger.transaction() as db:
        db.executemany("INSERT INTO sent VALUES ('x', 1, ?)", [(1,)]) and db.execute("INSERT INTO none VALUES (1)")
    with ledger.transaction() as db:
        assert db.execute("SELECT COUNT(*) FROM sent").fetchone() == (0,)
