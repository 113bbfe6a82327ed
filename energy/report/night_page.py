"""The nightly edition: what the page of a record with a `night` shows before the plan itself.

The nightly edition's limits: balances of PUE caps and legal limits, peaks of the month so far.

The nightly edition's tiles: what was saved, and the jobs that need a hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np

from energy.report import night_tables as tables
from energy.report import night_text as told
from energy.report.charts import series
from energy.report.headline import Tile
from energy.report.night_text import Night, day_of, name, rescue
from energy.report.sites import key
from energy.report.text import (
    Cell,
    Column,
    Table,
    counted,
    day,
    eur,
    hours,
    limit,
    number,
    row,
    share,
    short_day,
    table,
    unit,
    words,
)
from energy.report.view import View
from energy.schema import QUALITY, Floats

SECTIONS = (
    ("promise", "Promised and real"), ("ahead", "The next days"), ("moves", "Changes against yesterday's plan"),
    ("balance", "PUE caps and peaks so far"), ("risk", "Jobs late or at risk"), ("hours", "How good the data is, hour by hour"),
)  # fmt: skip
#: Colour role of each quality in the strips: blue and green were seen, warm hues were not.
QUALITY_ROLES = {
    "auction": "series1", "measured": "series3", "forecast": "series5", "secondary": "series7", "proxy": "series2",
    "persistence": "series6", "scenario": "series4",
}  # fmt: skip
#: Most labels below the strips.
MOST_LABELS = 5


def context(night: Night, view: View) -> dict[str, Any]:
    """What the template of the night needs; `view` gives hours and qualities."""
    status, sign, meaning = told.light(night)
    return {
        "title": told.title(night), "fleet": told.name(night["fleet"]), "status": status, "sign": sign, "meaning": meaning,
        "headline": told.headline(night), "reasons": [told.sentence(r) for r in night["reasons"]], "period": period(night),
        "tiles": tiles(night), "summary": told.summary(night), "sections": SECTIONS, "promise": told.promise(night),
        "notes": [told.sentence(n) for n in night.get("notes", [])], "refused": told.refused(night)[: tables.MOST_JOBS],
    } | _tables(night) | _strips(view)  # fmt: skip


def period(night: Night) -> str:
    """What was known when this was planned."""
    return (
        f"Plan for {day(told.day_of(night['date']))}, made with what was known on {told.moment_of(night['known_at'])}; "
        f"prices known to {told.moment_of(night['known_until'])}, after that {_forecast(night)}."
    )


def _forecast(night: Night) -> str:
    f = night["forecast"]
    return (
        f"{hours(f['hours'])} forecast by the rule “{told.name(f['method'])}”" if f["hours"] else "nothing was needed"
    )


def _tables(night: Night) -> dict[str, Any]:
    bars = tables.day_bars(night)
    sites = list(dict.fromkeys(str(r["site"]) for r in night["plan"]))
    return {
        "causes": tables.reasons(night), "promise_table": tables.promise_table(night), "plan_table": tables.plan_table(night),
        "bars": [b | {"parts": [(series(i), w) for i, w in b["parts"]]} for b in bars],
        "sites_key": key([told.name(s) for s in sites], [series(i) for i in range(len(sites))]),
        "price_table": tables.price_table(night), "change_table": tables.change_table(night), "pue_table": pue_table(night), "peak_table": peak_table(night),
        "risk_table": tables.risk_table(night), "late_table": tables.late_table(night), "more_jobs": tables.more_jobs(night),
        "jobs_words": jobs_words(night), "rescue": _rescue(night), "forecast_table": tables.forecast_table(night),
        "quality_table": tables.quality_table(night),
    }  # fmt: skip


def _rescue(night: Night) -> str:
    cost = told.rescue(night)
    return "" if cost is None else eur(cost)


def jobs_words(night: Night) -> str:
    """How many jobs are done, running and waiting, and work that this plan leaves for later."""
    j = night["jobs"]
    text = f"{counted(j['done'], 'job')} done, {number(j['running'])} running, {number(j['left'])} waiting."
    for key_, meaning in (
        ("undone_gpu_hours", "GPU-hours of work cannot be done in time"),
        ("later_gpu_hours", "GPU-hours are left for after the horizon, within their deadlines"),
        ("expected_gpu_hours", "GPU-hours of jobs not yet submitted are expected and have room kept for them"),
    ):
        text += f" {number(night[key_])} {meaning}." if night[key_] > 0 else ""
    return text


def _strips(view: View) -> dict[str, Any]:
    """Quality of price and weather of each shown site by hour, as coloured runs, with day labels."""
    seen: set[int] = set()
    strips = []
    for kind, array in (("Prices", "price_quality"), ("Weather", "weather_quality")):
        rows = view.problem[array].values[view.shown]
        seen |= {int(q) for q in np.unique(rows)}
        strips.append(
            {
                "name": kind,
                "rows": [
                    {"name": view.sites[s], "runs": _runs(q, view.dt)} for s, q in zip(view.shown, rows, strict=True)
                ],
            }
        )
    names = [QUALITY[q] for q in sorted(seen)]
    return {"strips": strips, "quality_key": key(names, [QUALITY_ROLES[n] for n in names]), "day_labels": _labels(view)}


def _runs(quality: Any, dt: Floats) -> list[dict[str, Any]]:
    """Neighbouring periods of one quality as one run: role, width [%], words."""
    out, total, at = [], float(dt.sum()), 0
    for value, group in groupby(int(q) for q in quality):
        count = len(list(group))
        length = float(dt[at : at + count].sum())
        out.append(
            {
                "role": QUALITY_ROLES[QUALITY[value]],
                "width": round(100 * length / total, 3),
                "words": f"{QUALITY[value]}, {hours(length)}",
            }
        )
        at += count
    return out


def _labels(view: View) -> list[dict[str, Any]]:
    """Days (UTC) under the strips: text, width [%]."""
    midnights = view.time.astype("datetime64[D]")
    days, first = np.unique(midnights, return_index=True)
    lengths = np.add.reduceat(view.dt, first) / view.dt.sum()
    every = -(-len(days) // MOST_LABELS)
    full = float(lengths.max()) / 2  # half a day has no room for its name beside the next one's
    return [
        {"text": short_day(d) if i % every == 0 and w >= full else "", "width": round(100 * float(w), 3)}
        for i, (d, w) in enumerate(zip(days, lengths, strict=True))
    ]


#: Where a cap comes from, by its status in night.json.
CAP_STATUS = {"contract": "of the fleet file", "in_force": "legal, in force", "draft": "draft law", "own": "own target",
              "reporting": "reporting only"}  # fmt: skip


def pue_table(night: Night) -> Table | None:
    """Each cap and legal limit with what is used of it: MWh of overhead still free, or overdrawn."""
    rows = [
        row(name(p["site"]), Cell(name(p["cap"]), CAP_STATUS.get(p.get("status", ""), "")), limit(p["limit"]),
            _cap_period(p.get("period", "year")), _pue_so_far(p), _credit(p["credit_mwh"]))
        for p in night["pue"]
    ]  # fmt: skip
    heads = (words("Site"), words("Cap"), Column("Limit"), words("Held over"), Column("So far"), Column("Balance"))
    return table(heads, rows) if rows else None


def _cap_period(period: str) -> str:
    """A year, every single hour, or every window of so many hours."""
    return {"year": "the year", "hour": "every hour"}.get(period, f"any {name(period)}")


def _pue_so_far(cap: Mapping[str, Any]) -> str:
    value = cap.get("so_far", cap.get("year_to_date"))  # the key of earlier versions
    return "–" if value is None else number(value, 4)


def _credit(mwh_left: float | None) -> Cell:
    if mwh_left is None:
        return Cell("–")
    return Cell(unit(mwh_left, "MWh", 1, sign=True), *(("overdrawn", "bad") if mwh_left < 0 else ("free", "good")))


def peak_table(night: Night) -> Table | None:
    """Highest power of the month so far: what the demand charge is already due for."""
    rows = [row(name(p["site"]), name(p["month"]), number(p["mw"], 2)) for p in night["peaks"]]
    return table((words("Site"), words("Month"), Column("Peak so far", "MW")), rows) if rows else None


def tiles(night: Night) -> list[Tile]:
    """Saved last night, this month, this year; jobs at risk."""
    saved, y = night["saving_eur"], night["yesterday"]
    at = day_of(y["date"]) if y else day_of(night["date"])
    jobs = night["jobs"]
    against = (
        f"{share(y['saving_eur'] / y['run_now_eur'])} of run-now's {eur(y['run_now_eur'])}"
        if y and y["run_now_eur"] > 0
        else "no night before"
    )
    risk = _cures(night) if jobs["at_risk"] else f"{number(jobs['running'])} running, {number(jobs['left'])} waiting"
    late = f"{number(len(jobs['late']))} late; " if jobs["late"] else ""
    return [
        Tile("Saved last night", _money(saved["last_night"]), against),
        Tile("Saved this month", _money(saved["month_to_date"]), f"{day(at).split(' ', 1)[1]}, to {short_day(at)}"),
        Tile("Saved this year", _money(saved["year_to_date"]), f"{day(at).rsplit(' ', 1)[1]}, to {short_day(at)}"),
        Tile("Jobs late or at risk", number(len(jobs["late"]) + len(jobs["at_risk"])), f"{late}{risk}"),
    ]


def _cures(night: Night) -> str:
    cost = rescue(night)
    return "not each has a cure" if cost is None else f"cheapest cures from {eur(cost)}"


def _money(value: float | None) -> str:
    return "–" if value is None else eur(value)
