"""The inputs that a night keeps: whole on the disk before their name is, and named by all that decides about the plan."""

from __future__ import annotations

import pytest

from energy.nightly.database import open_store
from energy.nightly.outcome import NightContext
from energy.nightly.prepare import prepare
from energy.runs import folder as durable
from tests.nightly.nightcase import DAY, NightCase


def kept(nights: NightCase):
    with open_store(nights.place.database) as store:
        return prepare(NightContext(nights.place, store, DAY)).case.parent


def test_kept_inputs_are_on_the_disk_before_they_have_their_name(nights, monkeypatch):
    synced = []
    monkeypatch.setattr(durable, "sync_one", synced.append)
    folder = kept(nights)
    assert {p.name for p in folder.rglob("*")} <= {p.name for p in synced}
    assert {p.parts[-1] for p in synced if p.parent == nights.place.snapshots} == {f".new-{DAY}"}, "under no final name"


def test_files_that_a_power_cut_left_empty_are_written_again(nights):
    folder = kept(nights)
    wanted = (folder / "prices.csv").read_bytes()
    (folder / "prices.csv").write_bytes(b"")
    assert kept(nights) == folder
    assert (folder / "prices.csv").read_bytes() == wanted


@pytest.mark.parametrize(("limit", "more"), [("budget_minutes", 60), ("solve_limit_s", 600)])
def test_a_night_with_more_time_is_another_run(limit, more, nights):
    before = kept(nights)
    nights.edit("nightly.yaml", limit, more)
    assert kept(nights) != before
