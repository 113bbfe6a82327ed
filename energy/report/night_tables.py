"""Tables and bars of a night: ex-ante and realised cost, days ahead by site, prices, PUE balances, jobs, data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from energy.report.charts import series
from energy.report.formatting import (
    counted,
    day_of,
    eur,
    limit,
    moment_of,
    mwh,
    name,
    number,
    number_or_dash,
    places,
    share,
    short_day,
    unit,
)  # fmt: skip
from energy.report.tables import Cell, Column, Table, left, prose, row, table
from energy.report.view import LIMIT_STATUS, Bar, NightDay, NightFigures, SettledDay, pue

Night = Mapping[str, Any]
#: Causes of a difference between ex-ante and realised cost: key in night.json -> word in a sentence, meaning.
CAUSES = {
    "price": ("prices", "day-ahead prices other than forecast"),
    "weather": ("weather", "cooling in the weather that came"),
    "load": ("load", "jobs and GPUs that ran other than planned"),
    "other": ("the rest", "what none of the three explains"),
}
#: Most days ahead that get a column of their own; one more column has the later ones.
MOST_DAYS = 7
#: Most jobs of a table; how many more there are is said below it.
MOST_JOBS = 20
#: Changes of a site's day below this are noise of the solution, not a decision [MWh].
CHANGED_MWH = 0.05
#: Width of the longest bar of a cause [% of the line].
WIDTH = 60


def variance(n: NightFigures) -> list[Bar]:
    """Why the last settled day did not cost what was expected; empty before any is settled."""
    if not n.last_settled_day:
        return []
    by_cause = n.last_settled_day.variance_eur
    largest = max(map(abs, by_cause.values())) or 1.0
    return [
        Bar(CAUSES[key][0].capitalize(), unit(x, "EUR", places(largest), sign=True), round(WIDTH * abs(x) / largest, 1), loss=x > 0)
        for key, x in by_cause.items()
    ]  # fmt: skip


def ex_ante(n: NightFigures) -> Table | None:
    """From the ex-ante cost to the realised one, and to run-now, in figures that add up."""
    y = n.last_settled_day
    if not y:
        return None
    d, s = places(y.saving.cost_eur), y.saving
    rows = (
        ("Ex-ante cost of the plan", number(y.ex_ante_eur, d), "at the prices and weather forecast then"),
        *((word.capitalize(), number(y.variance_eur[key], d, sign=True), why) for key, (word, why) in CAUSES.items()),
        ("Realised cost", number(s.cost_eur, d), "at the real prices and weather, metered where there is a meter"),
        ("Starting every job at once", number(s.run_now_eur, d), "run-now, at the same real prices and weather"),
        ("Work put off", number(-y.backlog_eur, d, sign=True), _put_off(y)),
        ("Saved", number(s.saving_eur, d), "run-now less what it cost and what was put off"),
    )
    return table((left("Item"), Column(short_day(day_of(y.day)), "EUR"), prose("Meaning")), [row(*r) for r in rows])


def _put_off(y: SettledDay) -> str:
    """Work that run-now has done and the plan not yet, or the other way round."""
    if y.backlog_gpu_hours == 0:
        return "both did the same work"
    what = "run-now did and the plan still has to do" if y.backlog_gpu_hours > 0 else "the plan caught up on"
    return f"{number(abs(y.backlog_gpu_hours))} GPU-hours that {what}, at what run-now pays for one"


def plan(n: NightFigures) -> Table | None:
    """Energy by site and day, with its cost and all-in price below."""
    if not n.days:
        return None
    near, far = n.days[:MOST_DAYS], n.days[MOST_DAYS:]
    groups = [[d] for d in near] + ([far] if far else [])
    heads = [*(Column(short_day(day_of(d.day)), "MWh") for d in near), *([Column("Later", "MWh")] if far else [])]
    rows = [_plan_row([s], name(s), groups, n.days) for s in n.site_names]
    total = _plan_row(n.site_names, "Fleet", groups, n.days)
    return table((left("Site"), *heads, Column("Together", "MWh")), rows, total)


def _plan_row(
    sites: Sequence[str], label: str, groups: Sequence[Sequence[NightDay]], days: Sequence[NightDay]
) -> tuple[Cell, ...]:
    return row(
        label, *(_energy([d.sites[s] for d in group for s in sites if s in d.sites]) for group in (*groups, days))
    )


def _energy(found: Sequence[tuple[float, float]]) -> Cell:
    if not found:
        return Cell("–")
    energy, cost = (sum(x) for x in zip(*found, strict=True))
    price = f" at {number(cost / energy)}" if energy > CHANGED_MWH else ""
    return Cell(number(energy, 0 if energy >= 10 else 1), f"{eur(cost)}{price}")


def day_bars(n: NightFigures) -> list[Bar]:
    """Each day as a bar of its sites' energy."""
    near = n.days[:MOST_DAYS]
    most = max((d.mwh for d in near), default=0.0) or 1.0
    return [Bar(short_day(day_of(d.day)), mwh(d.mwh), parts=_parts(n, d, most), below=eur(d.eur)) for d in near]


def _parts(n: NightFigures, d: NightDay, most: float) -> list[tuple[str, float]]:
    energies = [(series(i), d.sites.get(s, (0.0, 0.0))[0]) for i, s in enumerate(n.site_names)]
    return [(role, round(100 * x / most, 2)) for role, x in energies if x > 0]


def prices(night: Night) -> Table | None:
    """Prices of the delivery day by zone against the weeks before; None in nights of earlier versions."""
    rows = [_price_row(p) for p in night.get("prices", [])]
    heads = (left("Zone"), Column("Mean"), Column("Last 7 days"), Column("Last 28 days"), Column("Lowest"),
             Column("Highest"), Column("Below zero", "h"))  # fmt: skip
    return table(heads, rows) if rows else None


def _price_row(p: Night) -> tuple[Cell, ...]:
    zone = Cell(name(p["zone"]), f"{name(p['currency'])}/MWh")
    before = [_against(p["mean"], p[f"mean_{days}_days"]) for days in (7, 28)]
    ends = [Cell(number_or_dash(p[k], 2), _clock(p[f"{k}_at"])) for k in ("lowest", "highest")]
    return row(zone, number_or_dash(p["mean"], 2), *before, *ends, number(p["hours_below_zero"]) if p["hours"] else "–")


def _clock(at: str | None) -> str:
    return moment_of(at).split(" ", 3)[-1] if at else ""


def _against(mean: float | None, before: float | None) -> Cell:
    """An earlier mean, and below it how much dearer or cheaper the day is; no share of what is not above zero."""
    known = mean is not None and before is not None and before > 0
    more = f"the day {unit(100 * (mean / before - 1), '%', 0, sign=True)}" if known else ""  # type: ignore[operator]
    return Cell(number_or_dash(before, 2), more)


def changes(night: Night) -> Table | None:
    """What this plan moves against yesterday's, site by day; None where nothing moved."""
    moved = [r for r in night["changes"] if abs(r["mwh_after"] - r["mwh_before"]) >= CHANGED_MWH]
    if not moved:
        return None
    days = sorted({str(r["date"]) for r in moved})[:MOST_DAYS]
    heads = [Column(short_day(day_of(d)), "MWh") for d in days]
    rows = [row(name(s), *(_change(moved, s, d) for d in days)) for s in dict.fromkeys(str(r["site"]) for r in moved)]
    return table((left("Site"), *heads), rows)


def _change(rows: Sequence[Night], site: str, date: str) -> Cell:
    mine = [r for r in rows if r["site"] == site and r["date"] == date]
    before, after = sum(r["mwh_before"] for r in mine), sum(r["mwh_after"] for r in mine)
    more = number(after - before, 1, sign=True)
    return Cell(more, f"{number(before, 1)} → {number(after, 1)}") if mine else Cell("–")


def caps(n: NightFigures) -> Table | None:
    """Each cap and legal limit with what is used of it: MWh of overhead still free, or overdrawn."""
    periods = {"year": "the year", "hour": "every hour"}
    rows = [
        row(c.site, Cell(c.name, LIMIT_STATUS.get(c.status, "")), limit(c.limit),
            periods.get(c.period, f"any {name(c.period)}"), pue(c.so_far), _balance(c.balance_mwh))
        for c in n.caps
    ]  # fmt: skip
    heads = (left("Site"), left("Cap"), Column("Limit"), left("Held over"), Column("So far"), Column("Balance"))
    return table(heads, rows) if rows else None


def _balance(value: float | None) -> Cell:
    if value is None:
        return Cell("–")
    return Cell(unit(value, "MWh", 1, sign=True), *(("overdrawn", "bad") if value < 0 else ("free", "good")))


def peaks(night: Night) -> Table | None:
    """Highest power of the month so far: what the demand charge is already due for."""
    rows = [row(name(p["site"]), name(p["month"]), number(p["mw"], 2)) for p in night["peaks"]]
    return table((left("Site"), left("Month"), Column("Peak so far", "MW")), rows) if rows else None


def at_risk(n: NightFigures) -> Table | None:
    """Jobs that are not finished in time, most work first, each with its cheapest remedy and what the work then costs."""
    rows = [
        row(j.name, j.deadline, number(j.gpu_hours, 1), j.remedy, "–" if j.cost_eur is None else eur(j.cost_eur))
        for j in n.at_risk[:MOST_JOBS]
    ]
    heads = (
        left("Job"),
        left("Deadline"),
        Column("Work short", "GPU-h"),
        prose("Cheapest remedy"),
        Column("Work then costs"),
    )
    return table(heads, rows) if rows else None


def late(n: NightFigures) -> Table | None:
    """Jobs that cannot meet their deadline any more, passed or not, most work first."""
    rows = [row(j.name, j.deadline, number(j.gpu_hours, 1)) for j in n.late[:MOST_JOBS]]
    return table((left("Job"), left("Deadline"), Column("Work left", "GPU-h")), rows) if rows else None


def more_jobs(n: NightFigures) -> str:
    """How many jobs tables and lists leave out."""
    hidden = sum(max(len(jobs) - MOST_JOBS, 0) for jobs in (n.at_risk, n.late, n.refused))
    return f"{number(hidden)} more are in night.json." if hidden else ""


def forecast(night: Night) -> Table | None:
    """Error of the price forecast by lead day, against taking the same hour of last week."""
    error = night["forecast"]["error_relative_to_last_week"] or {}
    rows = [
        row(f"{counted(int(lead), 'day')} ahead", number(x, 2), f"{'better' if x < 1 else 'no better'} than last week's hour")
        for lead, x in sorted(error.items(), key=lambda p: int(p[0]))
    ]  # fmt: skip
    return table((left("Lead"), Column("Relative error"), prose("Meaning")), rows) if rows else None


def quality(night: Night) -> Table | None:
    """Hours of each series by where they come from, and the hours that had to be filled."""
    filled = {f"{kind} {k}": h for kind, found in night["imputed_hours"].items() for k, h in found.items()}
    rows = []
    for key, labels in night["quality"].items():
        total = sum(labels.values()) or 1.0
        parts = ", ".join(f"{name(k)} {number(h)} h ({share(h / total, 0)})" for k, h in labels.items() if h)
        hours = filled.get(key, 0.0)
        rows.append(row(name(key), parts, Cell(number(hours), "", "bad" if hours else "")))
    return table((left("Series"), prose("Hours by quality"), Column("Imputed", "h")), rows) if rows else None
