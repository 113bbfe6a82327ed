"""The run summary of a night (night.json): plan, costs, jobs, prices, limits and what makes it DEGRADED. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from energy.problem.pue_limits import cap_debts
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
    plan, peaks = plan_rows(run.plan.replay, schedule, config.time_zone), state.sites.items()
    month, was = month_of(night.day), {(r["site"], r["date"]): r["mwh"] for r in night.previous.plan}
    reasons = [
        *work_reasons(night),
        *night.reasons,
        *inputs.fx.complaints,
        *night.superseded,
        *failed,
        *run.outcome.reasons,
    ]
    return {
        "format": FORMAT, "date": str(night.day), "fleet": inputs.fleet.name, "run_id": night.run_id,
        "status": "DEGRADED" if reasons else "OK", "method": method, "reasons": reasons,
        "notes": [*known.notes, *night.previous.notes, *night.settlement.notes, *cap_debts(inputs)],
        "known_at": _iso(known.known_at), "known_until": _iso(known.known_until),
        "forecast": {"method": "shape", "hours": known.forecast_hours,
                     "error_relative_to_last_week": known.forecast_error or None},
        "imputed_hours": known.imputed_hours, "quality": hours_by_quality(series_origins(inputs)),
        "jobs": job_status(night, s["binding_limits"]),
        "unserved_gpu_hours": float(s["unserved_gpu_hours"]),
        "deferred_gpu_hours": float(s["deferred"]["gpu_hours"]), "expected_gpu_hours": float(s["expected"]["due_gpu_hours"]),
        "last_settled_day": _last_settled_day(days), "saving_eur": _savings(days),
        "pue": pue_so_far(inputs.fleet, state, s["limits"], config.begin(night.day), night.day.year),
        "peaks": [{"site": n, "month": month, "mw": x.peak_so_far_mw[month]} for n, x in peaks if month in x.peak_so_far_mw],
        "prices": price_context(config, snapshot.prices, night.day),
        "plan": plan, "changes": [
            {"site": r["site"], "date": r["date"], "mwh_before": was[r["site"], r["date"]], "mwh_after": r["mwh"]}
            for r in plan if (r["site"], r["date"]) in was
        ],
        "cost_eur": float(s["bill_eur"]),
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
    """Cost of run-now per GPU-hour of its jobs on the settled days [EUR]: the price of work put off.

    The cost of its jobs is its bill less that of the same days with no job at all (`idle_cost_eur`).
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
    by_day, digits = (
        saved_by_day(days),
        {"last_settled_day": 10, "month_to_date": 7, "year_to_date": 4},
    )  # of 2026-11-24
    last = max(by_day, default="")
    sums = {k: total({d: v for d, v in by_day.items() if d[:n] == last[:n]}) for k, n in digits.items()}
    return {**sums} if by_day else dict.fromkeys(digits)


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


#: Days before the delivery day that it is set against: a week, and four whole ones for the season.
WEEK, WEEKS = 7, 28


def price_context(config: Nightly, prices: pd.DataFrame, day: date) -> list[dict[str, Any]]:
    """Mean, extremes and hours below zero of the day [currency per MWh], and means of the weeks before; None: not known.

    Parameters
    ----------
    prices : of all zones with their labels
    """
    known = {z: prices[~prices[f"{z}_quality"].isin(GUESSED)][z] for z in config.zones()}
    real = {z: pd.to_numeric(p).astype(float).dropna() for z, p in known.items()}
    return [
        {"zone": zone, "currency": spec.currency} | _zone(config, real[zone], day)
        for spec in config.prices
        for zone in spec.zones
    ]


def _zone(config: Nightly, real: pd.Series[float], day: date) -> dict[str, Any]:
    def within(first: date, after: date) -> pd.Series[float]:
        return real[(real.index >= config.begin(first)) & (real.index < config.begin(after))]

    def mean(values: pd.Series[float]) -> float | None:
        return float(values.mean()) if len(values) else None

    now = within(day, day + timedelta(days=1))
    ends: tuple[Any, Any] = (now.idxmin(), now.idxmax()) if len(now) else (None, None)
    lowest, highest = ends
    step_h = float(pd.Series(real.index).diff().mode().iloc[0].total_seconds() / 3600) if len(real) > 1 else 1.0
    return {
        "mean": mean(now), **{f"mean_{n}_days": mean(within(day - timedelta(days=n), day)) for n in (WEEK, WEEKS)},
        "lowest": lowest and float(now[lowest]), "lowest_at": lowest and f"{pd.Timestamp(lowest).isoformat()}Z",
        "highest": highest and float(now[highest]), "highest_at": highest and f"{pd.Timestamp(highest).isoformat()}Z",
        "hours": len(now) * step_h, "hours_below_zero": float((now < 0).sum()) * step_h,
    }  # fmt: skip


#: Name of a cap's place where it is the whole fleet's, as in the program's rows.
FLEET = "fleet"
#: Status of a cap of the fleet file itself; legal limits have that of their preset.
CONTRACT = "contract"
#: A window's history counts as whole when it lacks no more than this [h]: rounding of lengths.
WHOLE_H = 1e-6


def pue_so_far(
    fleet: Fleet, state: State, limits: Iterable[Mapping[str, Any]], begin: np.datetime64, year: int
) -> list[dict[str, Any]]:
    """Caps of sites and fleet, and legal limits in force in the horizon, each with its balance so far [MWh].

    PUE and balance are None where the state does not know them, and of hourly caps, which have none.

    Parameters
    ----------
    limits : `limits` of the run's summary: legal and own limits, each from the day it is in force
    begin : first moment of the horizon (UTC)
    year : of the delivery day, whose balance the state has
    """
    caps = [(cap, name, [name]) for name, site in fleet.sites.items() for cap in site.pue_caps]
    caps += [(cap, FLEET, list(fleet.sites)) for cap in fleet.fleet_pue_caps]
    rows = []
    for cap, place, members in caps:
        period = f"{cap.window_h:g} h" if cap.window_h is not None else cap.period
        used = _used(cap, [state.site(m) for m in members], begin)
        rows.append(_row(place, cap.name, cap.limit, period, CONTRACT, used))
    for x in limits:  # those of a later year have not begun: nothing of them is used
        if x["metric"] == "pue" and x["limit"] is not None and x["year"] == year:
            used = state.site(x["site"]).year_to_date
            rows.append(_row(x["site"], x["limit_name"], x["limit"], "year", x["status"], used))
    return rows


def _used(cap: PueCap, sites: Sequence[SiteState], begin: np.datetime64) -> Balance | None:
    """Energy balance of a cap before the horizon [MWh]; None where the state does not know it."""
    match cap.period:
        case "year":
            found: list[Balance | PastPeriod] = [s.year_to_date for s in sites]
        case "rolling":
            assert cap.window_h is not None  # the file model demands it for rolling caps
            since, until = pd.Timestamp(begin) - pd.Timedelta(hours=cap.window_h), pd.Timestamp(begin)
            past = [[p for p in s.history if since <= pd.Timestamp(p.utc) < until] for s in sites]
            if any(sum(p.hours for p in mine) < cap.window_h - WHOLE_H for mine in past):
                return None
            found = [p for mine in past for p in mine]
        case "hour":
            return None
        case _:
            assert_never(cap.period)
    return Balance(facility_mwh=sum(b.facility_mwh for b in found), it_mwh=sum(b.it_mwh for b in found))


def _row(place: str, cap: str, limit: float, period: str, status: str, used: Balance | None) -> dict[str, Any]:
    return {"site": place, "cap": cap, "limit": limit, "period": period, "status": status,
            "so_far": used.facility_mwh / used.it_mwh if used and used.it_mwh else None,
            "credit_mwh": limit * used.it_mwh - used.facility_mwh if used else None}  # fmt: skip


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
    at_risk = [
        {"id": x["job"], "deadline": _deadline(night, x["job"]), "unserved_gpu_hours": x["gpu_hours"]} | _remedy(x)
        for x in undone if x["job"] in night.queue.jobs and x["job"] not in night.late
    ]  # fmt: skip
    return {"done": len(set(night.queue.jobs) - left), "running": len(left & started), "left": len(left),
            "late": late, "at_risk": at_risk, "refused": list(night.queue.refused),
            "missing": [j.as_dict() for j in night.missing]}  # fmt: skip


def _remedy(undone: dict[str, Any]) -> dict[str, Any]:
    """The cheapest remedy of a job that the plan does not finish, and the least cost of the work with it [EUR].

    The cost is power and cooling by the program's duals: the penalty less what the remedy saves of it. The cost of
    GPUs or connections is not known. Both are None where no single change saves the job.
    """
    remedy = next(iter(undone["remedies"]), None)  # cheapest first
    cost = remedy and max(undone["penalty_eur"] - remedy["saving_eur"], 0.0)
    return {"remedy": remedy and {k: remedy[k] for k in ("key", "where", "amount", "unit", "hours")}, "cost_eur": cost}


def _deadline(night: Prepared, name: str) -> str:
    return f"{night.queue.jobs[name].deadline.isoformat()}Z"


def work_reasons(night: Prepared) -> list[str]:
    """Work that was submitted and will not be done in time, or not at all: it makes the night DEGRADED."""
    late, refused, reasons = night.late, night.queue.refused, list[str]()
    if late:
        most = sorted(late, key=lambda k: (-late[k], k))
        named = [f"{k} ({late[k]:.1f} GPU-hours left)" for k in most[:MOST_NAMED]]
        if rest := most[MOST_NAMED:]:
            named.append(f"{len(rest)} more ({sum(late[k] for k in rest):.1f} GPU-hours left)")
        whose = "1 job cannot meet its deadline" if len(late) == 1 else f"{len(late)} jobs cannot meet their deadlines"
        reasons.append(f"{whose} any more: {', '.join(named)}")
    if refused:
        more = [f"{len(refused) - MOST_NAMED} more"] if len(refused) > MOST_NAMED else []
        what = "1 job is" if len(refused) == 1 else f"{len(refused)} jobs are"
        reasons.append(f"{what} set aside and not planned: {'; '.join([*refused[:MOST_NAMED], *more])}")
    if missing := night.missing:
        named = [f"{j.id} ({j.left:.1f} GPU-hours left)" for j in missing[:MOST_NAMED]]
        named += [f"{len(missing) - MOST_NAMED} more"] if len(missing) > MOST_NAMED else []
        one = len(missing) == 1
        what = "1 unfinished job" if one else f"{len(missing)} unfinished jobs"
        reasons.append(
            f"{what} of the last plan {'is' if one else 'are'} not in the queue and not reported as ended: {', '.join(named)}; "
            "a hand-over gives their GPUs away and asks for --yes"
        )
    return reasons
