"""Tables and bars of a night: ex-ante and realised cost, days ahead by site, prices, PUE balances, jobs, data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from energy.report.charts import series
from energy.report.formatting import clock, counted, eur, limit, mwh, name, number, places, share, short_day, unit
from energy.report.view import LIMIT_STATUS, Bar, Cell, Column, NightFigures, Table, left, prose, table

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
    """Ex-ante cost, causes of the difference, realised cost, run-now and saving, in figures that add up."""
    y = n.last_settled_day
    if not y:
        return None
    d, s = places(y.saving.cost_eur), y.saving
    put_off = "both did the same work"
    if y.backlog_gpu_hours != 0:
        did = "run-now did and the plan still has to do" if y.backlog_gpu_hours > 0 else "the plan caught up on"
        put_off = f"{number(abs(y.backlog_gpu_hours))} GPU-hours that {did}, at what run-now pays for one"
    rows = (
        ("Ex-ante cost of the plan", number(y.ex_ante_eur, d), "at the prices and weather forecast then"),
        *((word.capitalize(), number(y.variance_eur[key], d, sign=True), why) for key, (word, why) in CAUSES.items()),
        ("Realised cost", number(s.cost_eur, d), "at the real prices and weather, metered where there is a meter"),
        ("Starting every job at once", number(s.run_now_eur, d), "run-now, at the same real prices and weather"),
        ("Work put off", number(-y.backlog_eur, d, sign=True), put_off),
        ("Saved", number(s.saving_eur, d), "run-now less what it cost and what was put off"),
    )
    return table((left("Item"), Column(short_day(y.day), "EUR"), prose("Meaning")), rows)


def plan(n: NightFigures) -> Table | None:
    """Energy by site and day, with its cost and all-in price below."""
    near, far = n.days[:MOST_DAYS], n.days[MOST_DAYS:]
    groups = [[d] for d in near] + ([far] if far else [])
    heads = [*(Column(short_day(d.day), "MWh") for d in near), *([Column("Later", "MWh")] if far else [])]
    rows = [
        (label, *(_energy([d.sites[s] for d in group for s in sites if s in d.sites]) for group in (*groups, n.days)))
        for label, sites in (*((name(s), [s]) for s in n.site_names), ("Fleet", n.site_names))
    ]
    return table((left("Site"), *heads, Column("Together", "MWh")), rows[:-1], rows[-1])


def _energy(found: Sequence[tuple[float, float]]) -> Cell | None:
    if not found:
        return None
    energy, cost = (sum(x) for x in zip(*found, strict=True))
    price = f" at {number(cost / energy)}" if energy > CHANGED_MWH else ""
    return Cell(number(energy, 0 if energy >= 10 else 1), f"{eur(cost)}{price}")


def day_bars(n: NightFigures) -> list[Bar]:
    """Each day as a bar of its sites' energy."""
    near = n.days[:MOST_DAYS]
    most = max((d.mwh for d in near), default=0.0) or 1.0
    drawn = [[(series(i), d.sites.get(s, (0.0, 0.0))[0]) for i, s in enumerate(n.site_names)] for d in near]
    parts = [[(role, round(100 * x / most, 2)) for role, x in day if x > 0] for day in drawn]
    return [Bar(short_day(d.day), mwh(d.mwh), parts=p, below=eur(d.eur)) for d, p in zip(near, parts, strict=True)]


def prices(night: Night) -> Table | None:
    """Prices of the delivery day by zone against the weeks before; None in nights of earlier versions."""
    heads = (left("Zone"), Column("Mean"), Column("Last 7 days"), Column("Last 28 days"), Column("Lowest"),
             Column("Highest"), Column("Below zero", "h"))  # fmt: skip
    return table(heads, [
        (
            Cell(name(p["zone"]), f"{name(p['currency'])}/MWh"), number(p["mean"], 2),
            *(_against(p["mean"], p[f"mean_{days}_days"]) for days in (7, 28)),
            *(Cell(number(p[k], 2), f"{clock(at)} UTC" if (at := p[f"{k}_at"]) else "") for k in ("lowest", "highest")),
            number(p["hours_below_zero"] if p["hours"] else None),
        )
        for p in night.get("prices", [])
    ])  # fmt: skip


def _against(mean: float | None, before: float | None) -> Cell:
    """An earlier mean, and below it the day's difference to it [%] where the mean is above zero."""
    known = mean is not None and before is not None and before > 0
    more = f"the day {unit(100 * (mean / before - 1), '%', 0, sign=True)}" if known else ""  # type: ignore[operator]
    return Cell(number(before, 2), more)


def changes(night: Night) -> Table | None:
    """Energy that this plan moves against yesterday's, site by day; None where nothing moved."""
    moved = [r for r in night["changes"] if abs(r["mwh_after"] - r["mwh_before"]) >= CHANGED_MWH]
    days = sorted({str(r["date"]) for r in moved})[:MOST_DAYS]
    heads = [Column(short_day(d), "MWh") for d in days]
    rows = [(name(s), *(_change(moved, s, d) for d in days)) for s in dict.fromkeys(str(r["site"]) for r in moved)]
    return table((left("Site"), *heads), rows)


def _change(rows: Sequence[Night], site: str, date: str) -> Cell | None:
    mine = [r for r in rows if r["site"] == site and r["date"] == date]
    before, after = sum(r["mwh_before"] for r in mine), sum(r["mwh_after"] for r in mine)
    more = number(after - before, 1, sign=True)
    return Cell(more, f"{number(before, 1)} → {number(after, 1)}") if mine else None


def caps(n: NightFigures) -> Table | None:
    """Each cap and legal limit with its balance: MWh of overhead still free, or overdrawn."""
    periods = {"year": "the year", "hour": "every hour"}
    heads = (left("Site"), left("Cap"), Column("Limit"), left("Held over"), Column("So far"), Column("Balance"))
    return table(heads, [
        (c.site, Cell(c.name, LIMIT_STATUS.get(c.status, "")), limit(c.limit),
         periods.get(c.period, f"any {name(c.period)}"), number(c.so_far, 4), _balance(c.balance_mwh))
        for c in n.caps
    ])  # fmt: skip


def _balance(value: float | None) -> Cell | None:
    if value is None:
        return None
    return Cell(unit(value, "MWh", 1, sign=True), *(("overdrawn", "bad") if value < 0 else ("free", "good")))


def peaks(night: Night) -> Table | None:
    """Highest power of the month so far, for which the demand charge is already due."""
    rows = [(name(p["site"]), name(p["month"]), number(p["mw"], 2)) for p in night["peaks"]]
    return table((left("Site"), left("Month"), Column("Peak so far", "MW")), rows)


def at_risk(n: NightFigures) -> Table | None:
    """Jobs that are not finished in time, most work first, each with its cheapest remedy and what the work then costs."""
    rows = [(j.name, j.deadline, number(j.gpu_hours, 1), j.remedy, eur(j.cost_eur)) for j in n.at_risk[:MOST_JOBS]]
    heads = (left("Job"), left("Deadline"), Column("Work short", "GPU-h"), prose("Cheapest remedy"),
             Column("Work then costs"))  # fmt: skip
    return table(heads, rows)


def late(n: NightFigures) -> Table | None:
    """Jobs that cannot meet their deadline any more, passed or not, most work first."""
    rows = [(j.name, j.deadline, number(j.gpu_hours, 1)) for j in n.late[:MOST_JOBS]]
    return table((left("Job"), left("Deadline"), Column("Work left", "GPU-h")), rows)


def missing(n: NightFigures) -> Table | None:
    """Unfinished jobs of the last plan that the queue names no more."""
    rows = [(j.name, j.deadline, number(j.gpu_hours, 1)) for j in n.missing[:MOST_JOBS]]
    return table((left("Job"), left("Deadline"), Column("Work left", "GPU-h")), rows)


def more_jobs(n: NightFigures) -> str:
    """Number of jobs that tables and lists leave out, as a sentence."""
    hidden = sum(max(len(jobs) - MOST_JOBS, 0) for jobs in (n.at_risk, n.late, n.refused, n.missing))
    return f"{number(hidden)} more are in night.json." if hidden else ""


def forecast(night: Night) -> Table | None:
    """Error of the price forecast by lead day, against taking the same hour of last week."""
    error = night["forecast"]["error_relative_to_last_week"] or {}
    return table((left("Lead"), Column("Relative error"), prose("Meaning")), [
        (f"{counted(int(lead), 'day')} ahead", number(x, 2), f"{'better' if x < 1 else 'no better'} than last week's hour")
        for lead, x in sorted(error.items(), key=lambda p: int(p[0]))
    ])  # fmt: skip


def quality(night: Night) -> Table | None:
    """Hours of each series by quality, and the hours that had to be filled."""
    filled = {f"{kind} {k}": h for kind, found in night["imputed_hours"].items() for k, h in found.items()}
    rows = []
    for key, labels in night["quality"].items():
        total = sum(labels.values()) or 1.0
        parts = ", ".join(f"{name(k)} {number(h)} h ({share(h / total, 0)})" for k, h in labels.items() if h)
        hours = filled.get(key, 0.0)
        rows.append((name(key), parts, Cell(number(hours), "", "bad" if hours else "")))
    return table((left("Series"), prose("Hours by quality"), Column("Imputed", "h")), rows)
