"""night.json: what a night is summed up in, from its run folder, its case and the books."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from energy.inputs.fleet import Fleet
from energy.inputs.nightly import Nightly
from energy.inputs.state import SiteState, State
from energy.operate.night_case import PRICES
from energy.operate.one_day import PLAN, RUN_NOW
from energy.operate.prepare import Prepared
from energy.operate.price_context import price_context
from energy.operate.pue_so_far import pue_so_far
from energy.operate.queue import NO_WORK, total
from energy.operate.store import Store
from energy.operate.work_told import jobs_of, work_reasons
from energy.report.record import Record


def night_of(
    config: Nightly, fleet: Fleet, prepared: Prepared, record: Record, rung: str, reasons: list[str],
    days: list[dict[str, Any]], before: list[dict[str, Any]],
) -> dict[str, Any]:  # fmt: skip
    """The dictionary of a published night.

    Parameters
    ----------
    days : settled days of both policies up to this night
    before : `plan` rows of the night in force until now
    """
    s, known, zone = record.summary, prepared.known, config.time_zone
    plan = plan_rows(record, zone)
    reasons = [*work_reasons(prepared), *reasons]  # undone work is what a reader must see first
    status = "DEGRADED" if reasons else "OK"
    return {
        "date": str(prepared.day), "fleet": fleet.name, "run_id": prepared.run_id, "status": status, "rung": rung,
        "reasons": reasons, "notes": [*known.notes, *prepared.settled.notes],
        "known_at": _iso(known.known_at), "known_until": _iso(known.known_until),
        "forecast": {"method": "shape", "hours": known.forecast_hours,
                     "error_relative_to_last_week": known.forecast_error or None},
        "fallback_hours": known.fallback_hours, "quality": _quality(record), "jobs": jobs_of(prepared, record),
        "undone_gpu_hours": float(s["undone_gpu_hours"]),
        "later_gpu_hours": float(s["later"]["gpu_hours"]), "expected_gpu_hours": float(s["expected"]["due"]),
        "yesterday": _yesterday(days), "saving_eur": _savings(days),
        "pue": pue_so_far(fleet, prepared.settled.state, s.get("limits", []), config.begin(prepared.day), prepared.day.year),
        "peaks": _peaks(prepared.settled.state, prepared.day),
        "prices": price_context(config, prepared.case.parent / PRICES, prepared.day),
        "plan": plan, "changes": _changes(before, plan), "cost_eur": float(s["bill_eur"]),
        "gap": _gap(s),
    }  # fmt: skip


def _iso(moment: np.datetime64) -> str:
    return f"{np.datetime_as_string(moment.astype('datetime64[s]'))}Z"


def _gap(summary: dict[str, Any]) -> float | None:
    """Proven gap; None where a schedule has no proof of being cheapest."""
    proof = summary["certificate"]
    return float(proof["relative_gap"]) if proof["pass"] else None


def _quality(record: Record) -> dict[str, dict[str, float]]:
    """Hours by label, of each price and weather series."""
    return {f"{s['kind']} {s['name']}": s["quality"] for s in record.manifest["series"]}


def _yesterday(days: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The last settled day: promise, reality, why they differ, and run-now beside them."""
    mine = [d for d in days if d["policy"] == PLAN]
    if not mine:
        return None
    d = max(mine, key=lambda row: str(row["day"]))
    base = next((b for b in days if b["policy"] == RUN_NOW and b["day"] == d["day"]), None)
    why = {k: d[f"{k}_eur"] for k in ("price", "weather", "load", "other")}
    behind = base["gpu_hours"] - d["gpu_hours"] if base else 0.0
    return {"date": d["day"], "promised_eur": d["promised_eur"], "real_eur": d["real_eur"], "why": why,
            "run_now_eur": base and base["real_eur"], "behind_gpu_hours": behind, "behind_eur": behind * _work_eur(days),
            "saving_eur": saved_by_day(days).get(d["day"]) if base else None}  # fmt: skip


def _work_eur(days: list[dict[str, Any]]) -> float:
    """What run-now has paid per GPU-hour of its jobs on the settled days [EUR]: the price of work put off.

    Paid for its jobs: its bill less that of the same days with no job at all (`idle_eur`).
    """
    mine = sorted((d for d in days if d["policy"] == RUN_NOW), key=lambda d: str(d["day"]))
    hours = total({d["day"]: d["gpu_hours"] for d in mine})
    return total({d["day"]: d["real_eur"] - d["idle_eur"] for d in mine}) / hours if hours > 0 else 0.0


def saved_by_day(days: list[dict[str, Any]]) -> dict[str, float]:
    """Realised saving of each settled day for equal work [EUR].

    bill(run-now) - bill(plan) - price of work · (work of run-now - work of the plan): one price for all days, so that
    what is saved by waiting for a cheaper day counts, and work that is still to be done does not.
    """
    price = _work_eur(days)
    out: dict[str, float] = {}
    for d in sorted(days, key=lambda row: (str(row["day"]), str(row["policy"]))):
        worth = d["real_eur"] - price * d["gpu_hours"]
        out[d["day"]] = out.get(d["day"], 0.0) + (worth if d["policy"] == RUN_NOW else -worth)
    return out


def realised(store: Store) -> dict[str, tuple[float, float]]:
    """Saving and cost of each settled day [EUR]: each day once, whichever night settled it."""
    days = store.rows("SELECT * FROM days")
    saved = saved_by_day(days)
    return {d["day"]: (saved[d["day"]], d["real_eur"]) for d in days if d["policy"] == PLAN}


def _savings(days: list[dict[str, Any]]) -> dict[str, float | None]:
    """Realised saving of the last settled day, its month and its year, so far; None before any is settled."""
    by_day = saved_by_day(days)
    if not by_day:
        return dict.fromkeys(("last_night", "month_to_date", "year_to_date"))
    last = max(by_day)
    return {
        "last_night": by_day[last],
        "month_to_date": total({k: v for k, v in by_day.items() if k[:7] == last[:7]}),
        "year_to_date": total({k: v for k, v in by_day.items() if k[:4] == last[:4]}),
    }


def _peaks(state: State, day: date) -> list[dict[str, Any]]:
    """Peaks of the running month so far."""
    month = f"{day:%Y-%m}"
    sites: Iterable[tuple[str, SiteState]] = state.sites.items()
    return [{"site": n, "month": month, "mw": s.peak_so_far_mw[month]} for n, s in sites if month in s.peak_so_far_mw]


def plan_rows(record: Record, zone: str) -> list[dict[str, Any]]:
    """Energy, energy cost (spot and charges per MWh) and GPU-hours of jobs by site and local day."""
    local = pd.DatetimeIndex(record.replay["time"].values).tz_localize("UTC").tz_convert(zone)
    days, dt = local.strftime("%Y-%m-%d").to_numpy(), record.replay["dt"].values
    table = record.schedule[record.schedule["job"] != NO_WORK]
    starts = pd.DatetimeIndex(table["start"]).tz_localize("UTC").tz_convert(zone).strftime("%Y-%m-%d")
    held = (table["gpus"] * table["hours"]).groupby([table["site"].to_numpy(), starts.to_numpy()]).sum()
    return [
        {"site": str(site), "date": str(d), "mwh": float((record.replay["import_mw"].values[s] * dt)[days == d].sum()),
         "eur": float(record.replay["cost_eur"].values[s][days == d].sum()),
         "gpu_hours": float(held.get((str(site), str(d)), 0.0))}
        for s, site in enumerate(record.replay["site"].values) for d in sorted(set(days))
    ]  # fmt: skip


def _changes(before: list[dict[str, Any]], plan: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Energy by site and day against the night before, where both plan it."""
    was = {(r["site"], r["date"]): r["mwh"] for r in before}
    return [
        {"site": r["site"], "date": r["date"], "mwh_before": was[r["site"], r["date"]], "mwh_after": r["mwh"]}
        for r in plan
        if (r["site"], r["date"]) in was
    ]


def days_until(store: Store, day: date, new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Settled days of both policies that a night knows, those it settles itself included."""
    old = store.rows("SELECT * FROM days WHERE day < ? ORDER BY day, policy", str(day - timedelta(days=1)))
    known = {(d["policy"], d["day"]) for d in old}
    return old + [d for d in new if (d["policy"], d["day"]) not in known]
