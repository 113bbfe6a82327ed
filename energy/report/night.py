"""The view of a night: the plan of one delivery day and its data, the cost of the day before, jobs and caps at risk.

A night is the content of `night.json`. Texts from outside become one line each, cut where a reader stops reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from energy.report import night_tables as tables
from energy.report import view
from energy.report.charts import series
from energy.report.figures import RunFigures
from energy.report.formatting import counted, day, eur, hours, moment, mwh, name, number, sentence, share, short_day
from energy.report.remedies import change
from energy.schema import QUALITY, Floats, Ints

Night = Mapping[str, Any]
SECTIONS = (
    ("ex-ante", "Ex-ante and realised cost"), ("ahead", "The next days"), ("moves", "Changes against yesterday's plan"),
    ("balance", "PUE caps and peaks so far"), ("risk", "Jobs late or at risk"), ("hours", "How good the data is, hour by hour"),
)  # fmt: skip
#: The plan of each fallback method, in a reader's words.
METHODS = {
    "lp": "the optimised plan, proven cheapest",
    "simplex": "the optimised plan, proven cheapest by the second method",
    "greedy": "a plan by rule (earliest deadline first into the cheapest hours), not proven cheapest",
    "last_good": "the last good plan, trimmed to what is still open and checked again",
    "nothing": "no new plan: the one before stays active",
}
#: Differences below this [EUR] need no explanation.
LEAST_EUR = 0.5
#: Colour role of each quality in the strips: blue and green were seen, warm hues were not.
QUALITY_ROLES = {
    "auction": "series1", "measured": "series3", "forecast": "series5", "secondary": "series7", "proxy": "series2",
    "persistence": "series6", "scenario": "series4",
}  # fmt: skip
#: Most labels below the strips.
MOST_LABELS = 5


def night_view(night: Night, run: RunFigures | None = None) -> SimpleNamespace:
    """The view of a night: the names that night.html.j2 shows; quality by hour comes from the figures of its run."""
    n = night_figures(night)
    ex_ante_text = _ex_ante_text(n)
    return SimpleNamespace(
        top=_top(night, n, ex_ante_text), figures=n, fleet=name(night["fleet"]), run_id=name(night["run_id"]),
        known_at=moment(night["known_at"]), notes=[sentence(x) for x in night.get("notes", [])],
        ex_ante_text=ex_ante_text, ex_ante=tables.ex_ante(n), variance=tables.variance(n), plan=tables.plan(n),
        days=tables.day_bars(n), sites_legend=[(name(s), series(i)) for i, s in enumerate(n.site_names)],
        prices=tables.prices(night), changes=tables.changes(night), caps=tables.caps(n), peaks=tables.peaks(night),
        jobs_text=_jobs_text(night), at_risk=tables.at_risk(n), late=tables.late(n), missing=tables.missing(n),
        remedy_cost="" if n.remedy_eur is None else eur(n.remedy_eur), refused=n.refused[: tables.MOST_JOBS],
        more_jobs=tables.more_jobs(n), quality=tables.quality(night), forecast=tables.forecast(night),
        strips=None if run is None else _strips(run),
    )  # fmt: skip


def night_figures(night: Night) -> view.NightFigures:
    """The figures that several texts, tiles and tables show."""
    jobs, rows = night["jobs"], night["plan"]
    late = [view.NightJob(name(j["id"]), moment(j["deadline"]), j["gpu_hours_left"]) for j in jobs["late"]]
    at_risk = [
        view.NightJob(name(j["id"]), moment(j["deadline"]), j["unserved_gpu_hours"], _remedy(night, j),
                 j["cost_eur"] if j.get("remedy") else None)
        for j in jobs["at_risk"]
    ]  # fmt: skip
    caps = [
        view.NightCap(name(p["site"]), name(p["cap"]), p["limit"], p["status"], p["period"], p["so_far"], p["credit_mwh"])
        for p in night["pue"]
    ]  # fmt: skip
    return view.NightFigures(
        last_settled_day=_last_settled_day(night["last_settled_day"]), days=[_day(d, rows) for d in sorted({str(r["date"]) for r in rows})],
        site_names=list(dict.fromkeys(str(r["site"]) for r in rows)), cost_eur=night["cost_eur"],
        late=sorted(late, key=lambda j: -j.gpu_hours), at_risk=sorted(at_risk, key=lambda j: -j.gpu_hours),
        refused=[sentence(r) for r in jobs["refused"]],
        missing=[view.NightJob(name(j["id"]), moment(j["deadline"]), j["gpu_hours_left"]) for j in jobs.get("missing", [])], remedy_eur=remedy_eur(night), caps=caps,
    )  # fmt: skip


def _last_settled_day(y: Night | None) -> view.SettledDay | None:
    if not y:
        return None
    saving = view.Saving(y["realised_cost_eur"], y["run_now_eur"], y["saving_eur"])
    return view.SettledDay(
        y["date"],
        y["ex_ante_cost_eur"],
        saving,
        {k: y["variance_eur"][k] for k in tables.CAUSES},
        y["backlog_gpu_hours"],
        y["backlog_eur"],
    )


def _day(date: str, rows: list[Night]) -> view.NightDay:
    mine = [r for r in rows if r["date"] == date]
    sites = {str(r["site"]): (r["mwh"], r["eur"]) for r in mine}
    return view.NightDay(date, sum(r["mwh"] for r in mine), sum(r["eur"] for r in mine), sites)


def remedy_eur(night: Night) -> float | None:
    """The least that the work of all jobs at risk would cost, each with its cheapest remedy [EUR].

    None where a job has no remedy, or where it is not known; 0 without such jobs.
    """
    costs = [j["cost_eur"] if "remedy" in j else None for j in night["jobs"]["at_risk"]]
    known = [float(c) for c in costs if c is not None]
    return sum(known) if len(known) == len(costs) else None


def _remedy(night: Night, job: Night) -> str:
    """The change that saves a job at risk."""
    if job.get("remedy"):
        return change(job["remedy"])
    known = "remedy" in job and night["gap"] is not None  # a plan by rule has no duals, older nights had no remedies
    return "none: it cannot be saved by one change" if known else "not known"


def night_status(status: object, method: object) -> view.Status:
    """The status of a night, with the plan that its fallback method published."""
    return view.status_of(status, METHODS.get(str(method), METHODS["nothing"]))


def _top(night: Night, n: view.NightFigures, ex_ante_text: str) -> view.Top:
    status, headline = night_status(night["status"], night["method"]), _headline(night, n)
    summary = (_last_settled_day_text(night, n), ex_ante_text, _ahead_text(n), _care_text(night, n))
    f = night["forecast"]
    forecast = f"{hours(f['hours'])} forecast by the rule “{name(f['method'])}”" if f["hours"] else "nothing was needed"
    period = (
        f"Plan for {day(night['date'])}, made with what was known on {moment(night['known_at'])}; "
        f"prices known to {moment(night['known_until'])}, after that {forecast}."
    )
    return view.Top(
        f"{status.word}: {name(night['fleet'])}, {day(night['date'])}: {headline}", status, headline,
        _tiles(night, n), period, [sentence(r) for r in night["reasons"]], [s for s in summary if s],
    )  # fmt: skip


def _headline(night: Night, n: view.NightFigures) -> str:
    """The night in one line: work that will not be done first, then what last night saved."""
    if night["method"] == "nothing":
        return "No new plan: the one before stays active"
    missed = len(n.late) + len(n.at_risk)
    undone = [f"{counted(missed, 'job')} will not be done in time"] if missed else []
    undone += [f"{counted(len(n.refused), 'job')} set aside"] if n.refused else []
    undone += [f"{counted(len(n.missing), 'job')} missing"] if n.missing else []
    saving = _saving_text(night, n)
    return f"{', '.join(undone)}; {saving[0].lower()}{saving[1:]}" if undone else saving


def _saving_text(night: Night, n: view.NightFigures) -> str:
    saved, y = night["saving_eur"]["last_settled_day"], n.last_settled_day
    if saved is None:
        return f"The plan for {day(night['date'])} is ready"
    if saved < 0:
        return f"Last night cost {eur(-saved)} more than starting every job at once"
    part = f", {share(y.saving.share)} of the bill" if y and y.saving.run_now_eur > 0 else ""
    return f"Last night saved {eur(saved)}{part}"


def _tiles(night: Night, n: view.NightFigures) -> list[view.Tile]:
    """Saved last night, this month, this year; jobs late or at risk."""
    y = n.last_settled_day
    at = y.day if y else night["date"]
    against = y.saving.of_run_now() if y and y.saving.run_now_eur > 0 else "no night before"
    saved = {k: eur(v) for k, v in night["saving_eur"].items()}
    remedies = "not each has a remedy" if n.remedy_eur is None else f"cheapest remedies from {eur(n.remedy_eur)}"
    busy = f"{number(night['jobs']['running'])} running, {number(night['jobs']['left'])} waiting"
    late = f"{number(len(n.late))} late; " if n.late else ""
    return [
        view.Tile("Saved last night", saved["last_settled_day"], against),
        view.Tile("Saved this month", saved["month_to_date"], f"{day(at).split(' ', 1)[1]}, to {short_day(at)}"),
        view.Tile("Saved this year", saved["year_to_date"], f"{day(at).rsplit(' ', 1)[1]}, to {short_day(at)}"),
        view.Tile("Jobs late or at risk", number(len(n.late) + len(n.at_risk)), f"{late}{remedies if n.at_risk else busy}"),
    ]  # fmt: skip


def _last_settled_day_text(night: Night, n: view.NightFigures) -> str:
    y = n.last_settled_day
    if not y and night["saving_eur"]["month_to_date"] is None:
        return "This is the first night on record: savings are counted from tomorrow."
    if not y:
        return "The day before has not been priced."
    behind = ""
    if abs(y.backlog_eur) >= LEAST_EUR:
        work = f"{number(abs(y.backlog_gpu_hours))} GPU-hours"
        what = (
            "more, which the plan still has to do" if y.backlog_gpu_hours > 0 else "less, which the plan caught up on"
        )
        behind = f" and would have done {work} {what} (counted at {eur(abs(y.backlog_eur))})"
    return (
        f"On {short_day(y.day)} power and cooling cost {eur(y.saving.cost_eur)}; starting every job at once would "
        f"have cost {eur(y.saving.run_now_eur)}{behind}, so the plan {y.saving.verb('saved', 'cost an extra')}."
    )


def _ex_ante_text(n: view.NightFigures) -> str:
    """SettledDay's realised cost against its ex-ante cost, and the main cause of a difference."""
    y = n.last_settled_day
    if not y:
        return ""
    more = y.saving.cost_eur - y.ex_ante_eur
    if abs(more) < LEAST_EUR:
        return f"That is what the plan had expected, {eur(y.ex_ante_eur)}."
    cause = max(tables.CAUSES, key=lambda c: y.variance_eur[c] * (1 if more > 0 else -1))
    return (
        f"The plan had expected {eur(y.ex_ante_eur)}; the day came {eur(abs(more))} {'dearer' if more > 0 else 'cheaper'}, "
        f"mainly through {tables.CAUSES[cause][0]} ({eur(y.variance_eur[cause], sign=True)})."
    )


def _ahead_text(n: view.NightFigures) -> str:
    if not n.days:
        return ""
    first = n.days[0]
    text = f"The new plan runs to {short_day(n.days[-1].day)} and costs {eur(n.cost_eur)}; "
    text += f"{short_day(first.day)} takes {mwh(first.mwh)}"
    if first.mwh > 0:
        text += f", {share(first.sites[first.most_at][0] / first.mwh, 0)} of it in {name(first.most_at)}"
    return f"{text}."


def _care_text(night: Night, n: view.NightFigures) -> str:
    """Jobs and caps that someone must see to."""
    tight = sum(c.overdrawn for c in n.caps)
    late, risk, aside = len(n.late), len(n.at_risk), len(n.refused)
    missed = f"{counted(late, 'job')} cannot meet {'its deadline' if late == 1 else 'their deadlines'} any more"
    parts = [missed] if late else []
    remedies = "no remedy is known" if night["gap"] is None else "not each can be saved by one change"
    if n.remedy_eur is not None:
        remedies = f"with the cheapest remedy of each the work would cost at least {eur(n.remedy_eur)}"
    parts += [f"{counted(risk, 'job')} cannot be finished in time: {remedies}"] if risk else []
    parts += [f"{counted(aside, 'job')} {'is' if aside == 1 else 'are'} set aside and not planned"] if aside else []
    if lost := len(n.missing):
        parts.append(
            f"{counted(lost, 'unfinished job')} of the last plan {'is' if lost == 1 else 'are'} missing from the queue"
        )
    parts += [f"{counted(tight, 'PUE cap')} {'is' if tight == 1 else 'are'} overdrawn"] if tight else []
    if parts:
        return f"{'; '.join(parts)}."
    known = [c for c in n.caps if c.balance_mwh is not None]
    within = "no PUE cap is in force" if not n.caps else "no PUE cap has a balance yet"
    if known:
        within = f"PUE so far is within every cap{'' if len(known) == len(n.caps) else ' whose balance is known'}"
    return f"No job is at risk, and {within}."


def _jobs_text(night: Night) -> str:
    """Numbers of jobs done, running and waiting, and work that this plan defers."""
    j = night["jobs"]
    text = f"{counted(j['done'], 'job')} done, {number(j['running'])} running, {number(j['left'])} waiting."
    for key, meaning in (
        ("unserved_gpu_hours", "GPU-hours of work cannot be done in time"),
        ("deferred_gpu_hours", "GPU-hours are left for after the horizon, within their deadlines"),
        ("expected_gpu_hours", "GPU-hours of jobs not yet submitted are expected and have room kept for them"),
    ):
        text += f" {number(night[key])} {meaning}." if night[key] > 0 else ""
    return text


def _strips(run: RunFigures) -> SimpleNamespace:
    """Quality of price and weather of each shown site by hour, with the days (UTC) below: text and width [%]."""
    rows = {kind: run.problem[f"{kind}_quality"].values[run.shown] for kind in ("price", "weather")}
    seen = [QUALITY[int(q)] for q in np.unique(np.concatenate([*rows.values()], axis=None))]
    days, first = np.unique(run.time.astype("datetime64[D]"), return_index=True)
    lengths = np.add.reduceat(run.dt, first) / run.dt.sum()
    every = -(-len(days) // MOST_LABELS)
    full = float(lengths.max()) / 2  # half a day has no room for its name beside the next one's
    return SimpleNamespace(
        legend=[(q, QUALITY_ROLES[q]) for q in seen],
        series=[
            (title, [(run.sites[s], _strip(q, run.dt)) for s, q in zip(run.shown, rows[kind], strict=True)])
            for kind, title in (("price", "Prices"), ("weather", "Weather"))
        ],
        days=[
            (short_day(d) if i % every == 0 and w >= full else "", round(100 * float(w), 3))
            for i, (d, w) in enumerate(zip(days, lengths, strict=True))
        ],
    )


def _strip(quality: Ints, dt: Floats) -> list[tuple[str, float, str]]:
    """Colour role, width [%] and caption of each run of periods of one quality."""
    first = np.flatnonzero(np.diff(quality, prepend=-1))
    lengths = np.add.reduceat(dt, first)
    return [
        (QUALITY_ROLES[kind], round(100 * float(h) / float(dt.sum()), 3), f"{kind}, {hours(float(h))}")
        for kind, h in zip((QUALITY[int(q)] for q in quality[first]), lengths, strict=True)
    ]
