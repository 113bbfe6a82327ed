"""Make format_1.tar.xz: a run folder, three nights and what the commands of then said about them.

    git worktree add --detach ../then 1f26693
    cp tests/format_1/make.py ../then/make.py && cd ../then && PYTHONPATH=. python make.py OUT.tar.xz

1f26693 is the last commit whose folders have format version 1. The case is the small one of the tests with a solar
array that a minimum bill holds back.

- ``runs``: a run with the array held back, work that cannot be done in time, and its attribution.
- ``case``: a nightly file with three nights. The first has a late job, a job that no pool may run, and two that do
  not fit side by side; the second is planned by the greedy method; before the third, readings and a progress report come in.
- ``said.json``: objective of the run, its bill, history, quotas, sums of the database's tables, metrics.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from datetime import date, timedelta
from pathlib import Path

from energy.cli.app import main
from energy.nightly import fallback
from tests.bills.test_minimum_bill import BINDING, CHARGE, minimum, small
from tests.nightly.nightcase import NIGHTLY, QUEUE, NightCase

FIRST = date(2024, 3, 12)
SUN = {"dc_mw": 0.6, "ac_mw": 0.5}
MORE_JOBS = """\
late,finetune,3000,64,2024-03-10T00:00Z,2024-03-12T12:00Z,h200=1,EU,south,2024-03-10T00:00Z
wide,pretrain,7900,200,2024-03-11T00:00Z,2024-03-13T20:00Z,h200=1,EU,south,2024-03-11T00:00Z
wider,pretrain,7900,200,2024-03-11T00:00Z,2024-03-13T20:00Z,h200=1,EU,south,2024-03-11T00:00Z
nowhere,finetune,50,8,2024-03-12T00:00Z,2024-03-14T00:00Z,h100=1,,,2024-03-11T00:00Z
"""
METER = "site,utc,hours,import_mwh,it_mwh\n" + "".join(
    f"south,2024-03-{day}T{hour:02}:00:00Z,1,0.2,0.15\n" for day in (11, 12, 13) for hour in range(24)
)
PROGRESS = "at,job,gpu_hours\n2024-03-12T15:00:00Z,j3,120\n"


def command(*args: object) -> str:
    """Output of a command."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main([str(a) for a in args])
    return out.getvalue()


def at(moment: str) -> None:
    os.environ["HYDROCOOL_NOW"] = moment


def solar(folder: Path) -> Path:
    """The tariff and the solar array of `small` in a folder that is there already."""
    folder.mkdir(parents=True)
    case = small(folder, CHARGE, minimum(BINDING), solar=SUN)
    return case.path


def make_run(root: Path) -> None:
    """A run of two jobs more than fit, its originals away afterwards."""
    case = solar(root / "undone")
    jobs = case.with_name("jobs.csv")
    more = "".join(f"{name},pretrain,7900,200,+0h,+40h,h200=1,EU,south,\n" for name in ("j7", "j8"))
    jobs.write_text(jobs.read_text(encoding="utf-8") + more, encoding="utf-8")
    command("optimize", case, "--attribute", "--no-page", "--out", root / "runs")
    shutil.rmtree(root / "undone")


def make_nights(root: Path) -> NightCase:
    """Three nights in a row."""
    case = NightCase(root / "case")
    sunny = root / "sunny"
    solar(sunny)
    shutil.copy(sunny / "t.yaml", case.folder)
    shutil.copy(sunny / "fleet.yaml", case.folder)
    shutil.rmtree(sunny)
    rows = case.rows("prices.csv")
    for i, row in enumerate(rows):
        row["DE-LU"] = str(-5 - i % 16) if i % 4 == 0 else row["DE-LU"]
    case.put("prices.csv", rows)
    (case.folder / "queue.csv").write_text(QUEUE + MORE_JOBS, encoding="utf-8")
    (case.folder / "nightly.yaml").write_text(NIGHTLY.replace("days: 3", "days: 2"), encoding="utf-8")
    methods = fallback.METHODS
    for k in range(3):
        day = FIRST + timedelta(days=k)
        at(f"{day - timedelta(days=1)}T13:00:00+00:00")
        if k == 2:
            for name, text in (("meter", METER), ("progress", PROGRESS)):
                (root / f"{name}.csv").write_text(text, encoding="utf-8")
                print(command("ingest", name, root / f"{name}.csv", "--config", case.folder / "nightly.yaml"))
                (root / f"{name}.csv").unlink()
        fallback.METHODS = ("greedy",) if k == 1 else methods
        print(command("nightly", case.folder / "nightly.yaml", "--date", day))
    return case


def said(root: Path, case: NightCase) -> dict[str, object]:
    """What the commands and the database say."""
    at("2024-03-13T20:00:00+00:00")
    nightly = case.folder / "nightly.yaml"
    run = next((root / "runs").iterdir())
    with contextlib.closing(sqlite3.connect(case.out / "state.sqlite")) as db:
        names = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        tables = {}
        for name in names:
            columns = [r[1:3] for r in db.execute(f"PRAGMA table_info({name})")]
            sums = {
                c: db.execute(f"SELECT sum({c}) FROM {name}").fetchone()[0] for c, kind in columns if kind != "TEXT"
            }
            tables[name] = {"rows": db.execute(f"SELECT count(*) FROM {name}").fetchone()[0], "sums": sums}
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {
        "objective_eur": json.loads((run / "manifest.json").read_text())["certificate"]["primal_eur"],
        "bill": command("bill", "--run", run),
        "history": json.loads(command("history", nightly, "--json")),
        "kueue": command("handover", case.out, "--to", "kueue", "--at", "2024-03-13T10:00Z"),
        "kueue_of_first": command("handover", sorted(case.out.glob(f"small_{FIRST}_*"))[0], "--to", "kueue",
                                  "--at", "2024-03-12T10:00Z"),
        "tables": tables,
        "metrics": (case.out / "hydrocool.prom").read_text(),
    }  # fmt: skip


def main_() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        make_run(root)
        case = make_nights(root)
        (root / "said.json").write_text(json.dumps(said(root, case), indent=1) + "\n", encoding="utf-8")
        with tarfile.open(sys.argv[1], "w:xz", preset=9) as tar:
            for name in ("runs", "case", "said.json"):
                tar.add(root / name, name, filter=plain)


def plain(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Nobody's name, and no page, log or lock."""
    if Path(info.name).name in ("history.html", "log.jsonl", ".lock"):
        return None
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


if __name__ == "__main__":
    main_()
