"""A small nightly folder, and nights in processes of their own that can be killed."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from energy.nightly import run
from energy.nightly.config import NightlyWorkspace, load_nightly
from energy.nightly.database import open_store
from energy.nightly.fallback import Found
from energy.nightly.inputs import Prepared
from energy.nightly.outcome import Night, NightContext
from energy.nightly.plan import sum_up
from energy.nightly.prepare import prepare
from energy.nightly.run import run_night
from tests.cases import SmallCase

#: A night with four weeks of history before it.
DAY = date(2024, 3, 12)
NIGHTLY = """\
name: small
fleet: fleet.yaml
jobs: queue.csv
time_zone: Europe/Oslo
prices:
  - {file: prices.csv, zones: [NO4, DE-LU], quality: auction, source: formula}
weather:
  north: {file: weather_north.csv, quality: measured, source: formula}
  south: {file: weather_south.csv, quality: measured, source: formula}
fx:
  NOK: {eur_per_unit: 0.1, source: round figure}
horizon: {days: 3}
solve_limit_s: 120
report: false
"""
QUEUE = """\
id,label,gpu_hours,max_gpus,release,deadline,gpu_kinds,jurisdictions,home_site,submitted
j1,pretrain,9000,256,2024-03-10T08:00Z,2024-03-15T08:00Z,gb300=2;h200=1,EEA,north,2024-03-10T08:00Z
j2,pretrain,2500,256,2024-03-11T02:00Z,2024-03-14T12:00Z,gb300=2;h200=1,EEA,south,2024-03-11T02:00Z
j3,finetune,900,128,2024-03-12T04:00Z,2024-03-14T06:00Z,gb300=2.2,,north,2024-03-11T09:00Z
j4,finetune,600,64,2024-03-12T10:00Z,2024-03-15T23:00Z,h200=1;a100=0.4,DE,south,2024-03-12T10:00Z
j5,evaluation,150,32,2024-03-11T01:30Z,2024-03-12T20:00Z,a100=1,EU,south,
"""


class NightCase(SmallCase):
    """The small fleet with seven weeks of series and a queue with absolute times."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, start="2024-02-08", days=42)
        (folder / "queue.csv").write_text(QUEUE, encoding="utf-8")
        (folder / "nightly.yaml").write_text(NIGHTLY, encoding="utf-8")

    @property
    def place(self) -> NightlyWorkspace:
        """The nightly file as it stands."""
        return load_nightly(self.folder / "nightly.yaml")

    @property
    def out(self) -> Path:
        """Published nights."""
        return self.place.out

    def night(self, day: date = DAY, again: bool = False) -> Night:
        """One night in this process; the solver runs in its child."""
        return run_night(self.place, day, again)


def publish_plan(case: NightCase, rows: list[tuple[str, str, str, float]], day: date = DAY) -> Prepared:
    """A night in force that no solver made: its kept inputs, and a schedule of (job, pool, start, GPUs) by hours."""
    with open_store(case.place.database) as store:
        prepared = prepare(NightContext(case.place, store, day))
        folder = case.out / prepared.run_id
        folder.mkdir()
        table = pd.DataFrame(rows, columns=["job", "pool", "start", "gpus"])
        places = table["pool"].str.split("/", expand=True).set_axis(["site", "hall", "pool"], axis=1)
        table = table.assign(start=pd.to_datetime(table["start"]), hours=1.0).drop(columns="pool").join(places)
        table.to_parquet(folder / "schedule.parquet")
        store.put("plans", {"night": str(day), "run_id": prepared.run_id, "folder": folder.name, "snapshot": prepared.run_id,
                            "ex_ante_cost_eur": 1000.0})  # fmt: skip
    return prepared


def bytes_of(folder: Path) -> dict[str, str]:
    """Hash of every published byte: the nights, and where `latest` points."""
    out = {"latest": str((folder / "latest").readlink())}
    for path in sorted(p for p in folder.glob("*_*/**/*") if p.is_file()):
        out[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return out


def canned(run: Path) -> Callable[..., Found]:
    """A fallback sequence whose first method makes its plan at once: from an earlier solve of the same case."""

    def run_fallbacks(night: Prepared, *_: Any) -> Found:
        return Found(sum_up(night.snapshot(), pickle.loads(run.read_bytes()), "lp"))

    return run_fallbacks


def in_child(do: Callable[[], object], **env: str) -> int:
    """Run `do` in a forked process with an environment of its own; returns its exit code, -9 when it was killed."""
    pid = os.fork()
    if pid == 0:
        os.environ.update(env)
        try:
            do()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def keep_run(case: NightCase, keep: Path, day: date = DAY) -> Night:
    """A whole night whose solved run is kept."""
    run_fallbacks = run.run_fallbacks

    def and_keep(*args: Any) -> Found:
        found = run_fallbacks(*args)
        assert found.plan is not None, found.reasons
        keep.write_bytes(pickle.dumps(found.plan.run))
        return found

    run.run_fallbacks = and_keep
    try:
        return case.night(day)
    finally:
        run.run_fallbacks = run_fallbacks
