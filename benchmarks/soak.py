"""Nights in a row on real series, with faults, each checked; and what looking ahead is worth.

    python -m benchmarks.soak --series FOLDER [--nights 30] [--first 2019-02-10] [--seed 7] [--folder data/soak]

Four policies run through the same commands: `plan` (with faults, each night a process of its own), and without
faults `known` (the delivery day alone, nothing deferred), `perfect` (prices, weather and arrivals of ten days known)
and run-now (in the accounts of every night). Stopped, it goes on where it was. Exit code 1 when a check fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.soak_case import Soak, write_soak
from benchmarks.soak_checks import after_night, at_end
from benchmarks.soak_faults import Fault, draw, mend, prepare, restore
from energy.cli.tables import console
from energy.nightly import run
from energy.nightly.config import load_nightly
from energy.nightly.database import open_store
from energy.nightly.fallback import plan_in_process, run_fallbacks

STUDIES = ("known", "perfect")


def nightly(config: Path, day: date, **env: str) -> subprocess.Popen[str]:
    """`energy nightly` of one day at 13:30 of the day before, as a process."""
    command = [sys.executable, "-m", "energy", "nightly", str(config), "--date", str(day), "--json"]
    return subprocess.Popen(command, env=os.environ | env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Exit code, last words and result of a process."""
    out, err = process.communicate()
    lines = [x for x in out.splitlines() if x.startswith("{")]
    return {
        "code": process.returncode,
        "err": err.strip().splitlines()[-1:],
        "result": json.loads(lines[-1]) if lines else None,
    }


def night(soak: Soak, config: Path, day: date, fault: Fault) -> list[dict[str, Any]]:
    """One night with its fault, and what an operator does about it: run it again where nothing was published."""
    prepare(soak.folder, config, day, fault)
    try:
        if fault.kind == "two_at_once":
            both = [nightly(config, day), nightly(config, day)]
            runs = [ended(p) for p in both]
        elif fault.kind == "clock_jump":
            runs = [ended(nightly(config, day + timedelta(days=int(fault.detail)))), ended(nightly(config, day))]
        else:
            runs = [ended(nightly(config, day, **fault.env()))]
    finally:
        restore(soak.folder, config)
    if mend(fault):
        runs.append(ended(nightly(config, day)))
    return runs


def study(config: Path, soak: Soak) -> None:
    """All nights of a policy in this process, its solves too; those on record already are skipped."""
    place = load_nightly(config)
    run.run_fallbacks = partial(run_fallbacks, attempt=plan_in_process)
    for k in range(soak.nights):
        day = soak.first + timedelta(days=k)
        with open_store(place.database) as store:
            there = store.row("SELECT night FROM plans WHERE night = ?", str(day))
        if there is None:
            found = run.run_night(place, day)
            if found.folder is None:
                sys.exit(f"{config.name} {day}: {found.reasons}")


def soak_nights(soak: Soak, config: Path) -> int:
    """All nights of the plan that are not in the log yet; returns the number of failed checks."""
    log, bad = soak.folder / "log.jsonl", 0
    done = [json.loads(x) for x in log.read_text().splitlines()] if log.exists() else []
    for k in range(len(done), soak.nights):
        day, fault, began = soak.first + timedelta(days=k), draw(soak.seed, k), time.monotonic()
        before = (config.parent / "plan" / "latest").resolve().name
        runs = night(soak, config, day, fault)
        problems = after_night(load_nightly(config), day, fault, runs, before)
        bad += len(problems)
        line = {"night": str(day), "fault": fault.kind, "detail": fault.detail, "codes": [r["code"] for r in runs],
                "seconds": round(time.monotonic() - began, 1), "problems": problems}  # fmt: skip
        console().print(json.dumps(line), soft_wrap=True)
        with log.open("a") as file:
            file.write(json.dumps(line) + "\n")
    return bad + sum(len(d["problems"]) for d in done)


def main() -> None:
    """Run, check, print the figures; exit 1 when a check failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=Path, required=True)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--first", type=date.fromisoformat, default=date(2019, 2, 10))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path("data/soak"))
    parser.add_argument("--study", choices=STUDIES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    soak = Soak(args.folder, args.first, args.nights, args.seed)
    if args.study:
        study(args.folder / f"{args.study}.yaml", soak)
        return
    configs = {n: write_soak(soak, args.series, f, n) for n, f in
               (("plan", "forecast"), ("known", "known"), ("perfect", "perfect"))}  # fmt: skip
    studies = _studies(args)
    bad = soak_nights(soak, configs["plan"])
    codes = [p.wait() for p in studies]
    problems, lines = at_end(soak, {n: load_nightly(c) for n, c in configs.items()})
    for text in (*lines, *(f"PROBLEM {p}" for p in problems)):
        console().print(text, soft_wrap=True)
    console().print(f"{soak.nights} nights, {bad + len(problems)} failed checks")
    sys.exit(1 if bad or problems or any(codes) else 0)


def _studies(args: argparse.Namespace) -> list[subprocess.Popen[bytes]]:
    """The policies without faults, one after the other beside the nights."""
    own = ["--series", args.series, "--nights", args.nights, "--first", args.first, "--folder", args.folder]
    command = [sys.executable, "-m", "benchmarks.soak", *map(str, own), "--study"]
    each = " && ".join(shlex.join([*command, name]) for name in STUDIES)
    return [subprocess.Popen(["sh", "-c", each])]


if __name__ == "__main__":
    main()
