"""What fetches the series of a night: its failures are the night's, its time is the budget's."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager

import pytest

from energy.errors import SeriesError
from energy.nightly import live, run
from energy.nightly.database import open_store
from energy.nightly.history import last_nights
from energy.nightly.live import AFTERWARDS, fetched_then
from energy.nightly.outcome import Night, NightContext
from energy.nightly.prepare import prepare
from energy.nightly.run import run_night
from energy.nightly.snapshot import read_series_snapshot
from energy.sources.client.answer import SourceError
from energy.sources.client.cache import NotOnFile
from tests.nightly.nightcase import DAY


@contextmanager
def no_source(place, day, tell):
    raise SeriesError("live series", "no source has price NO4")
    yield place


def test_a_fetch_that_fails_altogether_is_a_failed_night_on_record(nights):
    night = run_night(nights.place, DAY, series=no_source)
    assert (night.status, night.code) == ("FAILED", 7)
    [row] = last_nights(nights.place, 9)
    assert row["reasons"] == ["live series: no source has price NO4"]
    assert 'status="FAILED"} 1' in (nights.out / "hydrocool.prom").read_text(encoding="utf-8")


def test_the_time_of_a_fetch_is_part_of_the_budget(nights, monkeypatch):
    seen = []

    @contextmanager
    def slow(place, day, tell):
        seen.append(time.monotonic())
        yield place

    monkeypatch.setattr(run, "_night", lambda context, *_: seen.append(context.began) or Night(DAY, "OK", "lp", 0))
    run_night(nights.place, DAY, series=slow)
    assert seen[1] <= seen[0]


def test_a_night_that_kept_its_inputs_is_made_again_without_a_fetch(nights, monkeypatch):
    with open_store(nights.place.database) as store:
        prepare(NightContext(nights.place, store, DAY))
    monkeypatch.setattr(run, "_night", lambda *_: Night(DAY, "OK", "lp", 0))
    assert (
        run_night(nights.place, DAY, from_snapshot=True, series=lambda *_: pytest.fail("something was fetched")).code
        == 0
    )
    fault = run_night(nights.place, DAY, series=lambda *_: 1 / 0)
    assert fault.status == "FAILED"
    assert "ZeroDivisionError" in fault.reasons[0]


def test_a_past_night_that_nobody_fetched_for_is_fetched_now_and_says_so(nights, monkeypatch):
    asked = []

    @contextmanager
    def fetched_now(place, day, tell, as_of=None):
        asked.append(as_of)
        if as_of is not None:
            raise NotOnFile("nothing before 13:10")
        yield place

    monkeypatch.setattr(live, "fetched_now", fetched_now)
    with fetched_then(nights.place, DAY, print) as here:
        assert read_series_snapshot(here, DAY, 2, None).notes == [AFTERWARDS]
    assert [str(a) for a in asked] == ["2024-03-11 12:00:00", "None"]


def test_what_a_source_says_is_a_reason_like_that_of_a_file(nights, monkeypatch):
    @contextmanager
    def no_client(**_):
        raise SourceError("entsoe", "auth", "no key")
        yield

    monkeypatch.setattr(live, "open_client", no_client)
    night = run_night(nights.place, DAY, series=live.fetched_now)
    assert night.reasons == ["live series: entsoe: auth: no key"]
    assert json.loads((nights.out / "log.jsonl").read_text().splitlines()[-1])["status"] == "FAILED"
