"""The nightly edition's tables: reasons, days ahead by site, changes, PUE balances, peaks, jobs, data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from energy.report.night_text import CAUSES, Night, by_work, cure, day_of, moment_of, name, refused
from energy.report.text import (
    Cell,
    Column,
    Table,
    counted,
    eur,
    mwh,
    number,
    places,
    prose,
    row,
    share,
    short_day,
    table,
    unit,
    words,
)

#: Most days ahead that get a column of their own; what comes later stands in one more.
MOST_DAYS = 7
#: Most jobs of a table; how many more there are is said below it.
MOST_JOBS = 20
#: Changes of a site's day below this are noise of the solution, not a decision [MWh].
CHANGED_MWH = 0.05


@dataclass(frozen=True)
class Reason:
    """One cause of the difference between promise and bill; `width` is its bar [%]."""

    name: str
    meaning: str
    text: str
    width: float
    dearer: bool


def reasons(night: Night) -> list[Reason]:
    """Why the day did not cost what was promised; empty on the first night."""
    y = night["yesterday"]
    if not y:
        return []
    largest = max(abs(y["why"][key]) for key, _, _ in CAUSES) or 1.0
    digits = places(largest)
    return [
        Reason(word.capitalize(), meaning, unit(y["why"][key], "EUR", digits, sign=True), round(60 * abs(y["why"][key]) / largest, 1), y["why"][key] > 0)
        for key, word, meaning in CAUSES
    ]  # fmt: skip


def promise_table(night: Night) -> Table | None:
    """From the promise to the bill, and to run-now, in figures that add up."""
    y = night["yesterday"]
    if not y:
        return None
    digits = places(y["real_eur"])
    rows = [row("Promised by the plan", number(y["promised_eur"], digits), "at the prices and weather forecast then")]
    rows += [row(word.capitalize(), number(y["why"][key], digits, sign=True), meaning) for key, word, meaning in CAUSES]
    rows.append(
        row(
            "Starting every job at once",
            number(y["run_now_eur"], digits),
            "run-now, at the same real prices and weather",
        )
    )
    rows.append(row("Work put off", number(-y.get("behind_eur", 0.0), digits, sign=True), _put_off(y)))
    rows.append(row("Saved", number(y["saving_eur"], digits), "run-now less what it cost and what was put off"))
    cost = row(
        "What it cost", number(y["real_eur"], digits), "at the real prices and weather, metered where there is a meter"
    )
    at = 1 + len(CAUSES)
    return table(
        (words("Item"), Column(short_day(day_of(y["date"])), "EUR"), prose("Meaning")), [*rows[:at], cost, *rows[at:]]
    )


def _put_off(yesterday: Mapping[str, Any]) -> str:
    """Work that run-now has done and the plan not yet, or the other way round."""
    hours = yesterday.get("behind_gpu_hours", 0.0)
    if hours == 0:
        return "both did the same work"
    what = "run-now did and the plan still has to do" if hours > 0 else "the plan caught up on"
    return f"{number(abs(hours))} GPU-hours that {what}, at what run-now pays for one"


def _days(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Days with a column of their own, and the later ones."""
    found = sorted({str(r["date"]) for r in rows})
    return found[:MOST_DAYS], found[MOST_DAYS:]


def _sites(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sites in the order of the fleet."""
    return list(dict.fromkeys(str(r["site"]) for r in rows))


def plan_table(night: Night) -> Table | None:
    """Energy by site and day, with its cost and all-in price below."""
    rows = night["plan"]
    if not rows:
        return None
    near, far = _days(rows)
    groups = [[d] for d in near] + ([far] if far else [])
    heads = [Column(short_day(day_of(g[0])), "MWh") for g in groups[: len(near)]] + (
        [Column("Later", "MWh")] if far else []
    )
    body = [_plan_row(rows, [s], name(s), groups) for s in _sites(rows)]
    return table(
        (words("Site"), *heads, Column("Together", "MWh")), body, _plan_row(rows, _sites(rows), "Fleet", groups)
    )


def _plan_row(
    rows: Sequence[Mapping[str, Any]], sites: list[str], label: str, groups: list[list[str]]
) -> tuple[Cell, ...]:
    mine = [r for r in rows if r["site"] in sites]
    cells = [_energy([r for r in mine if r["date"] in g]) for g in groups]
    return row(label, *cells, _energy(mine))


def _energy(rows: Sequence[Mapping[str, Any]]) -> Cell:
    energy, cost = sum(r["mwh"] for r in rows), sum(r["eur"] for r in rows)
    if not rows:
        return Cell("–")
    price = f" at {number(cost / energy)}" if energy > CHANGED_MWH else ""
    return Cell(number(energy, 0 if energy >= 10 else 1), f"{eur(cost)}{price}")


def price_table(night: Night) -> Table | None:
    """Prices of the delivery day by zone against the weeks before; None in nights of earlier versions."""
    rows = [_price_row(p) for p in night.get("prices", [])]
    heads = (words("Zone"), Column("Mean"), Column("Last 7 days"), Column("Last 28 days"), Column("Lowest"),
             Column("Highest"), Column("Below zero", "h"))  # fmt: skip
    return table(heads, rows) if rows else None


def _price_row(p: Mapping[str, Any]) -> tuple[Cell, ...]:
    zone = Cell(name(p["zone"]), f"{name(p['currency'])}/MWh")
    means = [_price(p["mean"])] + [_against(p["mean"], p[f"mean_{n}_days"]) for n in (7, 28)]
    ends = [_price(p[k], p[f"{k}_at"]) for k in ("lowest", "highest")]
    return row(zone, *means, *ends, number(p["hours_below_zero"], 0) if p["hours"] else "–")


def _price(value: float | None, at: str | None = None) -> Cell:
    return Cell("–" if value is None else number(value, 2), moment_of(at).split(" ", 3)[-1] if at else "")


def _against(mean: float | None, before: float | None) -> Cell:
    """An earlier mean, and below it how much dearer or cheaper the day is; no share of what is not above zero."""
    more = (
        ""
        if mean is None or before is None or before <= 0
        else f"the day {number(100 * (mean / before - 1), 0, sign=True)}\u00a0%"
    )
    return Cell(_price(before).text, more)


def day_bars(night: Night) -> list[dict[str, Any]]:
    """Each day as a bar of its sites' energy: label, [(site position, width %)], words."""
    rows = night["plan"]
    near, _ = _days(rows)
    sites = _sites(rows)
    energy = {d: [sum(r["mwh"] for r in rows if r["date"] == d and r["site"] == s) for s in sites] for d in near}
    most = max((sum(v) for v in energy.values()), default=0.0) or 1.0
    cost = {d: sum(r["eur"] for r in rows if r["date"] == d) for d in near}
    return [
        {"name": short_day(day_of(d)), "parts": [(i, round(100 * v / most, 2)) for i, v in enumerate(energy[d]) if v > 0],
         "energy": mwh(sum(energy[d])), "cost": eur(cost[d])}
        for d in near
    ]  # fmt: skip


def change_table(night: Night) -> Table | None:
    """What this plan moves against yesterday's, site by day; None where nothing moved."""
    moved = [r for r in night["changes"] if abs(r["mwh_after"] - r["mwh_before"]) >= CHANGED_MWH]
    if not moved:
        return None
    near, _ = _days(moved)
    heads = [Column(short_day(day_of(d)), "MWh") for d in near]
    return table((words("Site"), *heads), [row(name(s), *[_change(moved, s, d) for d in near]) for s in _sites(moved)])


def _change(rows: Sequence[Mapping[str, Any]], site: str, date: str) -> Cell:
    mine = [r for r in rows if r["site"] == site and r["date"] == date]
    before, after = sum(r["mwh_before"] for r in mine), sum(r["mwh_after"] for r in mine)
    return (
        Cell(number(after - before, 1, sign=True), f"{number(before, 1)} → {number(after, 1)}") if mine else Cell("–")
    )


def risk_table(night: Night) -> Table | None:
    """Jobs that are not finished in time, most work first, each with its cheapest cure and what the work then costs."""
    found = by_work(night)
    rows = [
        row(name(j["id"]), moment_of(j["deadline"]), number(j["gpu_hours_short"], 1), *_cure(night, j))
        for j in found[:MOST_JOBS]
    ]
    heads = (
        words("Job"),
        words("Deadline"),
        Column("Work short", "GPU-h"),
        prose("Cheapest cure"),
        Column("Work then costs"),
    )
    return table(heads, rows) if rows else None


def _cure(night: Night, job: Mapping[str, Any]) -> tuple[str, str]:
    """The change that saves a job, and what its work then costs at least."""
    return cure(night, job), eur(job["cost_eur"]) if job.get("cure") else "–"


def late_table(night: Night) -> Table | None:
    """Jobs that cannot meet their deadline any more, passed or not, most work first."""
    found = sorted(night["jobs"]["late"], key=lambda j: -j["gpu_hours_left"])
    rows = [row(name(j["id"]), moment_of(j["deadline"]), number(j["gpu_hours_left"], 1)) for j in found[:MOST_JOBS]]
    return table((words("Job"), words("Deadline"), Column("Work left", "GPU-h")), rows) if rows else None


def more_jobs(night: Night) -> str:
    """How many jobs tables and lists leave out."""
    found = (night["jobs"]["at_risk"], night["jobs"]["late"], refused(night))
    hidden = sum(max(len(jobs) - MOST_JOBS, 0) for jobs in found)
    return f"{number(hidden)} more stand in night.json." if hidden else ""


def forecast_table(night: Night) -> Table | None:
    """Error of the price forecast by lead day, against taking the same hour of last week."""
    error = night["forecast"]["error_relative_to_last_week"]
    if not error:
        return None
    rows = [
        row(f"{counted(int(lead), 'day')} ahead", number(value, 2), "better than last week's hour" if value < 1 else "no better than last week's hour")
        for lead, value in sorted(error.items(), key=lambda p: int(p[0]))
    ]  # fmt: skip
    return table((words("Lead"), Column("Relative error"), prose("Meaning")), rows)


def quality_table(night: Night) -> Table | None:
    """Hours of each series by where they come from, and the hours that had to be filled."""
    filled = {f"{kind} {k}": h for kind, found in night["fallback_hours"].items() for k, h in found.items()}
    rows = []
    for series, labels in night["quality"].items():
        total = sum(labels.values()) or 1.0
        told = ", ".join(f"{name(k)} {number(h)} h ({share(h / total, 0)})" for k, h in labels.items() if h)
        hours = filled.get(series, 0.0)
        rows.append(row(name(series), told, Cell(number(hours), "", "bad" if hours else "")))
    return table((words("Series"), prose("Hours by quality"), Column("Filled in", "h")), rows) if rows else None
