"""An active plan whose folder is gone or damaged stands in no night's way."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest

from energy.nightly import run as page
from energy.nightly.database import open_store
from energy.nightly.doctor import check_health
from energy.nightly.outcome import NightContext
from energy.nightly.prepare import prepare, previous_plan
from tests.nightly.nightcase import DAY, canned, publish_plan

ROWS = [("j1", "north/liquid/gb300", "2024-03-12T00:00", 8.0)]
ROW = {"site": "north", "date": "2024-03-12", "mwh": 1.5}


@pytest.fixture
def folder(nights):
    """The published folder of the night before."""
    folder = nights.out / publish_plan(nights, ROWS).run_id
    (folder / "night.json").write_text(json.dumps({"plan": [ROW | {"eur": 3.0}]}))
    return folder


def before(nights, day=DAY + timedelta(days=1)):
    with open_store(nights.place.database) as store:
        return previous_plan(NightContext(nights.place, store, day))


def test_what_a_plan_in_force_leaves(nights, folder):
    found = before(nights)
    assert (found.schedule, found.plan, found.notes) == (folder / "schedule.parquet", [ROW], [])
    assert before(nights, DAY) == type(found)(), "nothing before the first night"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"plan": [{"site": "north"}]}', '{"plan": 1}', "\x00"])
def test_a_damaged_summary_costs_the_changes_alone(text, nights, folder):
    (folder / "night.json").write_text(text)
    found = before(nights)
    assert (found.schedule, found.plan) == (folder / "schedule.parquet", [])
    assert [n for n in found.notes if "no changes are shown" in n]


def test_without_its_folder_the_fallback_sequence_has_no_last_method_and_its_day_no_account(nights, folder):
    shutil.rmtree(folder)
    found = before(nights)
    assert (found.schedule, found.plan, len(found.notes)) == (None, [], 2)
    with open_store(nights.place.database) as store:
        settled = prepare(NightContext(nights.place, store, DAY + timedelta(days=2))).settlement
    assert [r for r in settled.reasons if r.startswith(f"{DAY} cannot be settled")]


def test_doctor_warns_of_a_folder_that_is_gone(nights, folder):
    shutil.rmtree(folder)
    found = next(f for f in check_health(nights.place) if f.what == "database")
    assert (found.ok, found.warns) == (True, True)
    assert f"the last of {DAY}" in found.message


@pytest.mark.slow
def test_a_night_after_a_deleted_one_is_published(solved, nights, monkeypatch):
    shutil.rmtree(nights.out / publish_plan(nights, ROWS, DAY - timedelta(days=1)).run_id)
    monkeypatch.setattr(page, "run_fallbacks", canned(solved.run))
    night = nights.night()
    assert night.folder is not None
    assert [n for n in night.night["notes"] if "is gone" in n]
