"""The run summary of a night (night.json): plan, costs, jobs, prices, limits and what makes it DEGRADED. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, assert_never

import numpy as np
import pandas as pd
import xarray as xr

from energy.inputs.case import Nightly
from energy.inputs.fleet import Fleet, PueCap
from energy.inputs.provenance import series_origins
from energy.inputs.state import Balance, PastPeriod, SiteState, State
from energy.nightly.inputs import GUESSED, Prepared, Snapshot
from energy.nightly.outcome import PLAN, RUN_NOW
from energy.nightly.queue import NO_WORK, total
from energy.optimize import Run
from energy.runs.record import FORMAT
from energy.schema.calendar import Horizon, month_of, to_local


def night_summary(
    snapshot: Snapshot, run: Run, schedule: pd.DataFrame, method: str, failed: Sequence[str]
) -> dict[str, Any]:
    """The content of night.json.

    Parameters
    ----------
    schedule : the plan as a table
    method : fallback method that made the plan
    failed : why each better method made none
    """
    night, inputs = snapshot.night, snapshot.inputs
    s: Any = run.summary
    known, state, config, days = night.series, night.settlement.state, night.config, night.settled_days
    plan = plan_rows(run.plan.replay, schedule, config.time_zone)
    reasons = [*work_reasons(night), *night.reasons, *night.superseded, *failed, *run.outcome.reasons]
    return {
        "format": FORMAT, "date": str(night.day), "fleet": inputs.fleet.name, "run_id": night.run_id,
        "status": "DEGRADED" if reasons else "OK", "method": method, "reasons": reasons,
        "notes": [*known.notes, *night.previous.notes, *night.settlement.notes],
        "known_at": _iso(known.known_at), "known_until": _iso(known.known_until),
        "forecast": {"method": "shape", "hours": known.forecast_hours,
                     "error_relative_to_last_week": known.forecast_error or None},
        "imputed_hours": known.imputed_hours, "quality": hours_by_quality(series_origins(inputs)),
        "jobs": job_status(night, s["binding_limits"]),
        "unserved_gpu_hours": float(s["unserved_gpu_hours"]),
        "deferred_gpu_hours": float(s["deferred"]["gpu_hours"]), "expected_gpu_hours": float(s["expected"]["due_gpu_hours"]),
        "last_settled_day": _last_settled_day(days), "saving_eur": _savings(days),
        "pue": pue_so_far(inputs.fleet, state, s["limits"], config.begin(night.day), night.day.year),
        "peaks": _peaks(state, night.day), "prices": price_context(config, snapshot.prices, night.day),
        "plan": plan, "changes": _changes(night.previous.plan, plan), "cost_eur": float(s["bill_eur"]),
        # Proven gap; None where a schedule has no proof of being cheapest.
        "gap": float(run.certificate.relative_gap) if run.certificate.passed else None,
    }  # fmt: skip


def _iso(moment: np.datetime64) -> str:
    return f"{np.datetime_as_string(moment.astype('datetime64[s]'))}Z"


def hours_by_quality(series: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Hours by label, of each series."""
    return {f"{s['kind']} {s['name']}": s["quality"] for s in series}


def _last_settled_day(days: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The last settled day: ex-ante and realised cost, their variance by cause, and run-now for comparison."""
    mine = [d for d in days if d["policy"] == PLAN]
    if not mine:
        return None
    d = max(mine, key=lambda row: str(row["day"]))
    base = next((b for b in days if b["policy"] == RUN_NOW and b["day"] == d["day"]), None)
    why = {k: d[f"{k}_variance_eur"] for k in ("price", "weather", "load", "other")}
    behind = base["gpu_hours"] - d["gpu_hours"] if base else 0.0
    return {"date": d["day"], "ex_ante_cost_eur": d["ex_ante_cost_eur"], "realised_cost_eur": d["realised_cost_eur"], "variance_eur": why,
            "run_now_eur": base and base["realised_cost_eur"], "backlog_gpu_hours": behind, "backlog_eur": behind * _work_eur(days),
            "saving_eur": saved_by_day(days).get(d["day"]) if base else None}  # fmt: skip


def _work_eur(days: list[dict[str, Any]]) -> float:
    """What run-now has paid per GPU-hour of its jobs on the settled days [EUR]: the price of work put off.

    Paid for its jobs: its bill less that of the same days with no job at all (`idle_cost_eur`).
    """
    mine = sorted((d for d in days if d["policy"] == RUN_NOW), key=lambda d: str(d["day"]))
    hours = total({d["day"]: d["gpu_hours"] for d in mine})
    return total({d["day"]: d["realised_cost_eur"] - d["idle_cost_eur"] for d in mine}) / hours if hours > 0 else 0.0


def saved_by_day(days: list[dict[str, Any]]) -> dict[str, float]:
    """Realised saving of each settled day for equal work [EUR].

    bill(run-now) - bill(plan) - price of work · (work of run-now - work of the plan): one price for all days, so that
    what is saved by waiting for a cheaper day counts, and work that is still to be done does not.
    """
    price = _work_eur(days)
    out: dict[str, float] = {}
    for d in sorted(days, key=lambda row: (str(row["day"]), str(row["policy"]))):
        worth = d["realised_cost_eur"] - price * d["gpu_hours"]
        out[d["day"]] = out.get(d["day"], 0.0) + (worth if d["policy"] == RUN_NOW else -worth)
    return out


def _savings(days: list[dict[str, Any]]) -> dict[str, float | None]:
    """Realised saving of the last settled day, its month and its year, so far; None before any is settled."""
    by_day = saved_by_day(days)
    if not by_day:
        return dict.fromkeys(("last_settled_day", "month_to_date", "year_to_date"))
    last = max(by_day)
    return {
        "last_settled_day": by_day[last],
        "month_to_date": total({k: v for k, v in by_day.items() if k[:7] == last[:7]}),
        "year_to_date": total({k: v for k, v in by_day.items() if k[:4] == last[:4]}),
    }


def _peaks(state: State, day: date) -> list[dict[str, Any]]:
    """Peaks of the running month so far."""
    month = month_of(day)
    sites: Iterable[tuple[str, SiteState]] = state.sites.items()
    return [{"site": n, "month": month, "mw": s.peak_so_far_mw[month]} for n, s in sites if month in s.peak_so_far_mw]


def plan_rows(replay: xr.Dataset, schedule: pd.DataFrame, zone: str) -> list[dict[str, Any]]:
    """Energy, energy cost (spot and charges per MWh) and GPU-hours of jobs by site and local day."""
    horizon = Horizon.of(replay)
    days, dt = horizon.on_clock(zone).days.astype(str), horizon.dt
    table = schedule[schedule["job"] != NO_WORK]
    starts = to_local(table["start"].to_numpy(), zone).strftime("%Y-%m-%d")
    held = (table["gpus"] * table["hours"]).groupby([table["site"].to_numpy(), starts.to_numpy()]).sum()
    return [
        {"site": str(site), "date": str(d), "mwh": float((replay["import_mw"].values[s] * dt)[days == d].sum()),
         "eur": float(replay["cost_eur"].values[s][days == d].sum()),
         "gpu_hours": float(held.get((str(site), str(d)), 0.0))}
        for s, site in enumerate(replay["site"].values) for d in sorted(set(days))
    ]  # fmt: skip


def _changes(before: list[dict[str, Any]], plan: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Energy by site and day against the night before, where both plan it."""
    was = {(r["site"], r["date"]): r["mwh"] for r in before}
    return [
        {"site": r["site"], "date": r["date"], "mwh_before": was[r["site"], r["date"]], "mwh_after": r["mwh"]}
        for r in plan
        if (r["site"], r["date"]) in was
    ]


#: Days before the delivery day that it is set against: a week, and four whole ones for the season.
WEEK, WEEKS = 7, 28


def price_context(config: Nightly, prices: pd.DataFrame, day: date) -> list[dict[str, Any]]:
    """Mean, extremes and hours below zero of the day [currency per MWh], and means of the weeks before; None: not known.

    Parameters
    ----------
    prices : of all zones with their labels
    """
    return [
        {"zone": zone, "currency": spec.currency} | _zone(config, _real(prices, zone), day)
        for spec in config.prices
        for zone in spec.zones
    ]


def _real(table: pd.DataFrame, zone: str) -> pd.Series[float]:
    """Prices of the hours that are neither forecast nor filled."""
    known = pd.to_numeric(table[zone]).astype(float)
    return known[known.notna() & ~table[f"{zone}_quality"].isin(GUESSED)]


def _zone(config: Nightly, real: pd.Series[float], day: date) -> dict[str, Any]:
    def within(first: date, after: date) -> pd.Series[float]:
        return real[(real.index >= config.begin(first)) & (real.index < config.begin(after))]

    now = within(day, day + timedelta(days=1))
    before = {f"mean_{n}_days": _mean(within(day - timedelta(days=n), day)) for n in (WEEK, WEEKS)}
    return {
        "mean": _mean(now), **before,
        "lowest": float(now.min()) if len(now) else None, "lowest_at": _at(now.idxmin()) if len(now) else None,
        "highest": float(now.max()) if len(now) else None, "highest_at": _at(now.idxmax()) if len(now) else None,
        "hours": len(now) * _step(real), "hours_below_zero": float((now < 0).sum()) * _step(real),
    }  # fmt: skip


def _mean(values: pd.Series[float]) -> float | None:
    return float(values.mean()) if len(values) else None


def _at(moment: Any) -> str:
    return f"{pd.Timestamp(moment).isoformat()}Z"


def _step(real: pd.Series[float]) -> float:
    """Length of a period [h]."""
    if len(real) < 2:
        return 1.0
    return float(pd.Series(real.index).diff().mode().iloc[0].total_seconds() / 3600)


#: Name of a cap's place where it is the whole fleet's, as in the program's rows.
FLEET = "fleet"
#: Status of a cap of the fleet file itself; legal limits have that of their preset.
CONTRACT = "contract"
#: A window's history counts as whole when it lacks no more than this [h]: rounding of lengths.
WHOLE_H = 1e-6


def pue_so_far(
    fleet: Fleet, state: State, limits: Iterable[Mapping[str, Any]], begin: np.datetime64, year: int
) -> list[dict[str, Any]]:
    """Each cap of sites and fleet, and each legal limit in force in the horizon, with its balance so far [MWh].

    PUE and balance are None where the state does not know them, and of hourly caps, which have none.

    Parameters
    ----------
    limits : `limits` of the run's summary: legal and own limits, each from the day it is in force
    begin : first moment of the horizon (UTC)
    year : of the delivery day, whose balance the state has
    """
    return [*_site_caps(fleet, state, begin), *_legal(state, limits, year)]


def _site_caps(fleet: Fleet, state: State, begin: np.datetime64) -> Iterator[dict[str, Any]]:
    for name, site in fleet.sites.items():
        yield from (_cap(cap, name, [name], state, begin) for cap in site.pue_caps)
    yield from (_cap(cap, FLEET, list(fleet.sites), state, begin) for cap in fleet.fleet_pue_caps)


def _cap(cap: PueCap, place: str, members: Sequence[str], state: State, begin: np.datetime64) -> dict[str, Any]:
    used, period = _used(cap, members, state, begin), f"{cap.window_h:g} h" if cap.window_h is not None else cap.period
    return _row(place, cap.name, cap.limit, period, CONTRACT, used)


def _used(cap: PueCap, members: Sequence[str], state: State, begin: np.datetime64) -> Balance | None:
    """What is used of a cap before the horizon; None where the state does not know it."""
    match cap.period:
        case "year":
            return _together(state.site(m).year_to_date for m in members)
        case "rolling":
            assert cap.window_h is not None  # the file model demands it for rolling caps
            return _window(cap.window_h, members, state, begin)
        case "hour":
            return None
        case _:
            assert_never(cap.period)


def _legal(state: State, limits: Iterable[Mapping[str, Any]], year: int) -> Iterator[dict[str, Any]]:
    """Limits of a later year have not begun: nothing of them is used."""
    for x in limits:
        if x["metric"] == "pue" and x["limit"] is not None and x["year"] == year:
            used = state.site(x["site"]).year_to_date
            yield _row(x["site"], x["limit_name"], x["limit"], "year", x["status"], used)


def _row(place: str, cap: str, limit: float, period: str, status: str, used: Balance | None) -> dict[str, Any]:
    return {"site": place, "cap": cap, "limit": limit, "period": period, "status": status,
            "so_far": used.facility_mwh / used.it_mwh if used and used.it_mwh else None,
            "credit_mwh": limit * used.it_mwh - used.facility_mwh if used else None}  # fmt: skip


def _together(balances: Iterable[Balance | PastPeriod]) -> Balance:
    found = list(balances)
    return Balance(facility_mwh=sum(b.facility_mwh for b in found), it_mwh=sum(b.it_mwh for b in found))


def _window(window_h: float, members: Sequence[str], state: State, begin: np.datetime64) -> Balance | None:
    """Energy balance [MWh] of the rolling window up to the horizon's start; None where a site's history is too short."""
    since = pd.Timestamp(begin) - pd.Timedelta(hours=window_h)
    mine = [[p for p in state.site(m).history if since <= pd.Timestamp(p.utc) < pd.Timestamp(begin)] for m in members]
    if any(sum(p.hours for p in past) < window_h - WHOLE_H for past in mine):
        return None
    return _together(p for past in mine for p in past)


#: Jobs that a reason names; the others are counted, the report has them all.
MOST_NAMED = 3


def job_status(night: Prepared, binding_limits: Any) -> dict[str, Any]:
    """Counts, the jobs that are late or at risk, and why others are set aside.

    Parameters
    ----------
    binding_limits : what the duals say about undone work and tight limits, of the run's summary
    """
    started = {k for k, v in night.settlement.state.work_done.items() if v > 0}
    left = set(night.left)
    late = [{"id": k, "deadline": _deadline(night, k), "gpu_hours_left": v} for k, v in sorted(night.late.items())]
    undone = [x for x in binding_limits if x["kind"] == "unserved"]
    at_risk = [_at_risk(night, x) for x in undone if x["job"] in night.queue.jobs and x["job"] not in night.late]
    return {"done": len(set(night.queue.jobs) - left), "running": len(left & started), "left": len(left),
            "late": late, "at_risk": at_risk, "refused": list(night.queue.refused)}  # fmt: skip


def _at_risk(night: Prepared, undone: dict[str, Any]) -> dict[str, Any]:
    """A job that the plan does not finish, with its cheapest remedy and what the work then costs at least [EUR].

    The cost is power and cooling by the program's duals, the penalty less what the remedy saves of it; what GPUs or
    connections cost is not known. Both are None where no single change saves the job.
    """
    remedy = next(iter(undone["remedies"]), None)  # cheapest first
    cost = remedy and max(undone["penalty_eur"] - remedy["saving_eur"], 0.0)
    shown = remedy and {k: remedy[k] for k in ("key", "where", "amount", "unit", "hours")}
    return {"id": undone["job"], "deadline": _deadline(night, undone["job"]), "unserved_gpu_hours": undone["gpu_hours"],
            "remedy": shown, "cost_eur": cost}  # fmt: skip


def _deadline(night: Prepared, name: str) -> str:
    return f"{night.queue.jobs[name].deadline.isoformat()}Z"


def work_reasons(night: Prepared) -> list[str]:
    """Work that was submitted and will not be done in time, or not at all: it makes the night DEGRADED."""
    return [*late_reason(night.late), *refused_reason(night.queue.refused)]  # what a reader must see first


def late_reason(late: Mapping[str, float]) -> list[str]:
    """One reason for all late jobs, most work first; none without any.

    Parameters
    ----------
    late : GPU-hours left by job
    """
    if not late:
        return []
    most = sorted(late, key=lambda k: (-late[k], k))
    named = [f"{k} ({late[k]:.1f} GPU-hours left)" for k in most[:MOST_NAMED]]
    rest = most[MOST_NAMED:]
    more = [f"{len(rest)} more ({sum(late[k] for k in rest):.1f} GPU-hours left)"] if rest else []
    whose = "1 job cannot meet its deadline" if len(late) == 1 else f"{len(late)} jobs cannot meet their deadlines"
    return [f"{whose} any more: {', '.join([*named, *more])}"]


def refused_reason(refused: list[str]) -> list[str]:
    """One reason for all jobs that are set aside: submitted work that nobody plans. None without any."""
    if not refused:
        return []
    rest = len(refused) - MOST_NAMED
    more = [f"{rest} more"] if rest > 0 else []
    what = "1 job is" if len(refused) == 1 else f"{len(refused)} jobs are"
    return [f"{what} set aside and not planned: {'; '.join([*refused[:MOST_NAMED], *more])}"]
