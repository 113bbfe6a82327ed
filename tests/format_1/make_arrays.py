"""Make arrays_1.tar.xz: a run of format version 1 with every array that has another name since.

    git worktree add --detach ../then 1f26693
    cp tests/format_1/make_arrays.py ../then/make.py && cd ../then && PYTHONPATH=. python make.py OUT.tar.xz

The small case with a solar array, a paid volume and a capped price, a minimum bill, a PUE cap, work that waits for
after the horizon, and jobs that no GPU has time for. `said.json` has its objective, its bill and sums of its arrays.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

from energy.cli.app import main
from tests.bills.test_minimum_bill import BASE, BINDING, CHARGE, FIXED, minimum, small

PEAK = BASE | {"name": "peak", "kind": "demand", "value": 3000.0, "unit": "EUR/MW/month"}
CONTRACTS = [
    {"name": "ppa", "kind": "take_or_pay", "mw": 0.1, "price": 30.0},
    {"name": "capped", "kind": "capped_price", "mw": 0.2, "price": 45.0, "premium": 2.0},
]


def command(*args: object) -> str:
    """Output of a command."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        main([str(a) for a in args])
    return out.getvalue()


def make_run(root: Path) -> Path:
    """The run folder; its originals stay outside."""
    folder = root / "case"
    folder.mkdir()
    case = small(folder, CHARGE, PEAK, FIXED, minimum(BINDING), solar={"dc_mw": 0.6, "ac_mw": 0.5})
    case.edit("fleet.yaml", "sites.south.contracts", CONTRACTS)
    case.edit("fleet.yaml", "sites.north.pue_caps", [{"name": "tight", "limit": 1.109, "period": "year"}])
    case.edit("case.yaml", "horizon.beyond", "terminal_value")
    for name, deadline in (("j1", "+72h"), ("j2", "+84h"), ("j4", "+60h")):
        case.cell("jobs.csv", name, "deadline", deadline)
    jobs = folder / "jobs.csv"
    rows = [f"{name},pretrain,7900,200,+0h,+40h,h200=1,EU,south," for name in ("wide", "wider")]
    rows += [f"{name},pretrain,40000,720,+0h,+84h,gb300=2,EEA,north," for name in ("long", "longer")]
    jobs.write_text(jobs.read_text(encoding="utf-8") + "\n".join([*rows, ""]), encoding="utf-8")
    print(command("optimize", case.path, "--no-page", "--out", root / "runs"))
    return next((root / "runs").iterdir())


def said(run: Path) -> dict[str, object]:
    """What the command then says of it, and the sum of each array."""
    sums = {}
    for name in ("problem", "solution", "prices"):
        found = xr.load_dataset(run / f"{name}.nc", engine="h5netcdf")
        sums[name] = {str(k): float(np.sum(v.values.astype(float))) for k, v in found.data_vars.items()}
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    return {"objective_eur": manifest["certificate"]["primal_eur"], "bill": command("bill", "--run", run), "sums": sums}


def main_() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        run = make_run(root)
        (root / "said.json").write_text(json.dumps(said(run), indent=1) + "\n", encoding="utf-8")
        with tarfile.open(sys.argv[1], "w:xz", preset=9) as tar:
            for path, name in ((run, f"runs/{run.name}"), (root / "said.json", "said.json")):
                tar.add(path, name, filter=plain)


def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nobody's name."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


if __name__ == "__main__":
    main_()
