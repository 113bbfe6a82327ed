"""Checks of the soak: after every night, and over all of it at the end; and the figures that it prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

from benchmarks.soak_books import balances
from benchmarks.soak_case import Soak
from benchmarks.soak_faults import Fault
from energy.audit.certificate import VIOLATION
from energy.errors import DEGRADED, OK, UNPUBLISHED
from energy.nightly.config import LATEST, NightlyWorkspace
from energy.nightly.database import Store, open_store
from energy.nightly.publish import is_published
from energy.nightly.queue import DONE, read_queue


def after_night(place: NightlyWorkspace, day: date, fault: Fault, runs: list[dict[str, Any]], before: str) -> list[str]:
    """What is wrong after a night; empty when all is well."""
    link, bad = place.out / LATEST, []
    now = link.resolve().name
    if not is_published(link):
        return [f"latest -> {now} is not whole"]
    manifest = json.loads((link / "manifest.json").read_text())
    proof = manifest["certificate"]
    if not (proof["pass"] or proof["max_violation"] <= VIOLATION):
        bad.append(f"latest -> {now} has no certificate")
    last = runs[-1]
    if last["code"] not in (OK, DEGRADED, UNPUBLISHED):
        bad.append(f"exit code {last['code']}: {last['err']}")
    if last["code"] == UNPUBLISHED and fault.kind == "none" and str(day) >= manifest["night"]:
        bad.append(f"nothing published without a fault: {last['err']}")
    if manifest["night"] < str(day) and before != now:
        bad.append("latest went to an older night")
    return bad + _labels(day, fault, runs, manifest) + _jobs(place, day)


def _labels(day: date, fault: Fault, runs: list[dict[str, Any]], manifest: dict[str, Any]) -> list[str]:
    """Exit codes, manifest and reasons tell the same; a night with a fault of data is DEGRADED."""
    bad = []
    for result in (r["result"] for r in runs if r["result"]):
        if (result["status"] == "OK") == bool(result["reasons"]):
            bad.append(f"status {result['status']} with reasons {result['reasons']}")
        if result["exit_code"] != {"OK": OK, "DEGRADED": DEGRADED, "FAILED": UNPUBLISHED}[result["status"]]:
            bad.append(f"status {result['status']} with exit code {result['exit_code']}")
    if fault.of_data and manifest["night"] == str(day) and manifest["status"] != "DEGRADED":
        bad.append(f"{fault.kind} is not labelled")
    codes = [r["code"] for r in runs]
    if fault.kind == "kill" and codes[0] not in (-9, UNPUBLISHED, OK, DEGRADED):
        bad.append(f"killed, but exit code {codes[0]}")
    if fault.kind == "two_at_once" and not set(codes) <= {OK, DEGRADED, UNPUBLISHED}:
        bad.append(f"two at once ended with {codes}")
    return bad


def _jobs(place: NightlyWorkspace, day: date) -> list[str]:
    """No job did more than its work; every job submitted is done or left in the newest case."""
    queue = read_queue(place.beside(place.config.jobs), place.config.known_at(day))
    with open_store(place.database) as store:
        rows = store.rows("SELECT job, sum(gpu_hours) AS done FROM settled_work WHERE policy = 'plan' GROUP BY job")
    over = [r["job"] for r in rows if r["job"] in queue.jobs and r["done"] > queue.jobs[r["job"]].gpu_hours + DONE]
    bad = [f"job {name} was run twice" for name in over]
    newest = json.loads((place.out / LATEST / "night.json").read_text())
    if newest["date"] == str(day):
        counted = newest["jobs"]["done"] + newest["jobs"]["left"]
        if counted != len(queue.jobs):
            bad.append(f"{len(queue.jobs)} jobs were submitted, {counted} are done or left")
    return bad


def at_end(soak: Soak, places: Mapping[str, NightlyWorkspace]) -> tuple[list[str], list[str]]:
    """(problems, figures) over all settled days that every policy has."""
    bad, lines, cost = [], [], {}
    last = min(_last(p) for p in places.values())
    for name, place in places.items():
        with open_store(place.database) as store:
            cost[name] = _sum(store, "plan", last)
            cost["run_now"] = _sum(store, "run_now", last)
            bad += [f"{name}: {p}" for p in balances(place, store, last)]
            bad += [f"{name}: {p}" for p in _all_done(place, store, last)]
    lines += [f"{soak.first} … {last}, landed cost [EUR]: " + ", ".join(f"{k} {v:,.2f}" for k, v in cost.items())]
    total, look = cost["run_now"] - cost["perfect"], cost["known"] - cost["perfect"]
    lines.append(f"S_total plan {(cost['run_now'] - cost['plan']) / total:.1%}, known day only "
                 f"{(cost['run_now'] - cost['known']) / total:.1%}, perfect 100 %")  # fmt: skip
    lines.append(f"S_look plan {(cost['known'] - cost['plan']) / look:.1%}, known day only 0 %, perfect 100 %")
    lines.append(f"saving of perfect foresight against run-now {total / cost['run_now']:.2%} of the bill")
    return bad, [*lines, _causes(places["plan"], last), *_states(places["plan"])]


def _causes(place: NightlyWorkspace, last: date) -> str:
    """Ex-ante cost of the nights for their own days, and why the realised cost differs."""
    causes = ("price", "weather", "load", "other")
    sums = ", ".join(f"sum({c}_variance_eur) AS {c}, max(abs({c}_variance_eur)) AS most_{c}" for c in causes)
    with open_store(place.database) as store:
        row = store.row(
            f"SELECT sum(ex_ante_cost_eur) AS ex_ante, {sums} FROM settled_days WHERE policy = 'plan' AND day <= ?",
            str(last),
        )
    assert row is not None
    why = ", ".join(f"{n} {row[n]:+,.2f} (at most {row[f'most_{n}']:,.2f} in a day)" for n in causes)
    return f"ex-ante {row['ex_ante']:,.2f} EUR; realised cost differs by {why}"


def _states(place: NightlyWorkspace) -> list[str]:
    with open_store(place.database) as store:
        rows = store.rows(
            "SELECT status, method, count(*) AS n, avg(wall_seconds) AS s FROM runs GROUP BY status, method ORDER BY n DESC"
        )
    return [f"{r['n']} runs {r['status']} by {r['method']}, {r['s']:.1f} s each" for r in rows]


def _last(place: NightlyWorkspace) -> date:
    with open_store(place.database) as store:
        row = store.row("SELECT max(day) AS day FROM settled_days WHERE policy = 'plan'")
    return date.fromisoformat(row["day"]) if row and row["day"] else date.min


def _sum(store: Store, policy: str, last: date) -> float:
    row = store.row(
        "SELECT sum(realised_cost_eur) AS eur FROM settled_days WHERE policy = ? AND day <= ?", policy, str(last)
    )
    return float(row["eur"]) if row else 0.0


def _all_done(place: NightlyWorkspace, store: Store, last: date) -> list[str]:
    """Once every deadline has passed, each job did its work, in the plan and in run-now: costs are of equal work."""
    queue = read_queue(place.beside(place.config.jobs), place.config.known_at(last))
    late = max((j.deadline for j in queue.jobs.values()), default=pd.Timestamp.min)
    if late > pd.Timestamp(last + timedelta(days=1)):
        return []
    bad = []
    for policy in ("plan", "run_now"):
        rows = store.rows("SELECT job, sum(gpu_hours) AS done FROM settled_work WHERE policy = ? GROUP BY job", policy)
        done = {r["job"]: r["done"] for r in rows}
        lost = [n for n, j in queue.jobs.items() if abs(done.get(n, 0.0) - j.gpu_hours) > 2 * DONE]
        bad += [
            f"{policy}: job {n} did {done.get(n, 0.0):.3f} of {queue.jobs[n].gpu_hours:.3f} GPU-hours" for n in lost
        ]
    return bad
