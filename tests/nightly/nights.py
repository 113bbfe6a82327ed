"""A night as night.json has it: figures made up, but adding up; a test changes what it needs."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

SITES = ("narvik", "malmo", "copenhagen", "frankfurt", "paris", "amsterdam")
ZONES = ("NO4", "SE4", "DK2", "DE-LU", "FR", "NL")
MWH = (301.6, 206.4, 139.8, 138.3, 183.1, 117.0)
PRICES = (36.0, 28.0, 33.0, 55.0, 34.0, 42.0)
#: Share of the first day's energy that each following day takes.
DAYS = (1.0, 0.94, 0.83, 0.97, 0.66, 0.41, 0.30)

#: What spreadsheets, browsers, shells, YAML, iCalendar and Prometheus would do something with.
HOSTILE = (
    '<script>alert("x")</script><img src=x onerror=1>', "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd", "../../../etc/passwd",
    "a\nBEGIN:VEVENT\r\nX: y", "$(rm -rf ~)`id`; 'quoted' \"double\" \\ {}#", "x" * 10_000, "\u202etxt.exe\x00\x1b[31m",
    "| a | b |\n|---|---|", "- name: evil\n  key: &a !!python/object", '{{7*7}}{% raw %}"',
)  # fmt: skip


def night(**changes: Any) -> dict[str, Any]:
    """Monday of the reference week; the week before came dearer than promised."""
    return deepcopy(_night() | changes)


def hostile_night() -> dict[str, Any]:
    """Every name and every reason is one of HOSTILE."""
    out = night(reasons=list(HOSTILE), status="DEGRADED", fleet=HOSTILE[0])
    for i, text in enumerate(HOSTILE):
        out["plan"].append({"site": text, "date": out["date"], "mwh": 1.0, "eur": 2.0, "gpu_hours": 3.0})
        out["changes"].append({"site": text, "date": out["date"], "mwh_before": 1.0, "mwh_after": 2.0 + i})
        out["pue"].append(
            {"site": text, "cap": text, "limit": 1.2, "period": text, "status": text, "so_far": 1.1, "credit_mwh": -1.0}
        )
        out["prices"].append(out["prices"][0] | {"zone": text, "currency": text})
        out["peaks"].append({"site": text, "month": text, "mw": 1.0})
        out["jobs"]["late"].append({"id": text, "deadline": "2018-04-30T06:00:00Z", "gpu_hours_left": 5.0})
        out["jobs"]["at_risk"].append(
            {
                "id": text,
                "deadline": "2018-05-02T06:00:00Z",
                "unserved_gpu_hours": 5.0,
                "remedy": REMEDIES[0] | {"where": text},
                "cost_eur": 5.0 + i,
            }
        )
        out["jobs"]["refused"].append(text)
        out["jobs"]["missing"].append(
            {"id": text, "gpu_hours": 9.0, "gpu_hours_left": 5.0, "deadline": "2018-05-02T06:00:00Z"}
        )
        out["notes"].append(text)
        out["quality"][text] = {text: 24}
        out["imputed_hours"]["price"][text] = 2
    return out


REMEDIES = (
    {"key": "count", "where": "malmo/air/h200", "amount": 12.0, "unit": "GPUs", "hours": ["2018-04-30T04:00Z", "2018-04-30T09:00Z"]},
    {"key": "deadline", "where": "job vision-ft-77", "amount": 3.0, "unit": "h", "hours": None},
)  # fmt: skip
AT_RISK = [
    {"id": "llm-eval-0412", "deadline": "2018-05-01T06:00:00Z", "unserved_gpu_hours": 118.5, "remedy": REMEDIES[0], "cost_eur": 342.0},
    {"id": "vision-ft-77", "deadline": "2018-05-02T18:00:00Z", "unserved_gpu_hours": 40.0, "remedy": REMEDIES[1], "cost_eur": 61.5},
]  # fmt: skip


def risky(**changes: Any) -> dict[str, Any]:
    """Two jobs are not finished in time."""
    told = "158.5 GPU-hours of 2 jobs left undone, most of job llm-eval-0412 (118.5)"
    jobs = _night()["jobs"] | {"at_risk": AT_RISK} | changes.pop("jobs", {})
    return night(**{"status": "DEGRADED", "reasons": [told], "unserved_gpu_hours": 158.5, "jobs": jobs} | changes)


def failed() -> dict[str, Any]:
    """Nothing was published."""
    return night(
        status="FAILED", method="nothing", reasons=["prices of SE4 unreadable", "no good plan younger than 3 days"],
        plan=[], changes=[], last_settled_day=None, saving_eur={"last_settled_day": None, "month_to_date": 41000.0, "year_to_date": 412000.0},
    )  # fmt: skip


def _night() -> dict[str, Any]:
    first = date(2018, 4, 30)
    plan, changes = [], []
    for i, share in enumerate(DAYS):
        at = (first + timedelta(days=i)).isoformat()
        for site, mwh, price in zip(SITES, MWH, PRICES, strict=True):
            energy = round(mwh * share, 3)
            plan.append(
                {
                    "site": site,
                    "date": at,
                    "mwh": energy,
                    "eur": round(energy * (price + 9 + 2 * i), 2),
                    "gpu_hours": round(energy * 700),
                }
            )
    for site, before, after in (("narvik", 288.0, 301.6), ("malmo", 219.5, 206.4), ("amsterdam", 121.9, 117.0)):
        changes.append({"site": site, "date": first.isoformat(), "mwh_before": before, "mwh_after": after})
        changes.append(
            {
                "site": site,
                "date": (first + timedelta(days=1)).isoformat(),
                "mwh_before": after,
                "mwh_after": before - 2,
            }
        )
    return {
        "date": "2018-04-30", "fleet": "reference-six", "run_id": "reference-six_2018-04-30_1a2b3c4d", "status": "OK", "method": "lp",
        "reasons": [], "notes": [], "known_at": "2018-04-29T11:00:00Z", "known_until": "2018-04-30T22:00:00Z",
        "forecast": {"method": "shape", "hours": 144, "error_relative_to_last_week": {"1": 0.73, "2": 0.81, "3": 0.86, "5": 0.93, "7": 1.02}},
        "imputed_hours": {"price": {}, "weather": {"copenhagen": 6}},
        "quality": {**{f"price {z}": {"auction": 24, "forecast": 144} for z in ZONES}, **{f"weather {s}": {"forecast": 168} for s in SITES},
                    "weather copenhagen": {"forecast": 162, "persistence": 6}},
        "jobs": {"done": 212, "running": 31, "left": 57, "late": [], "at_risk": [], "refused": [], "missing": []},
        "unserved_gpu_hours": 0.0, "deferred_gpu_hours": 18400.0, "expected_gpu_hours": 52000.0,
        "last_settled_day": {"date": "2018-04-29", "ex_ante_cost_eur": 46120.0, "realised_cost_eur": 47431.0,
                      "variance_eur": {"price": 1612.0, "weather": -138.0, "load": -171.0, "other": 8.0}, "run_now_eur": 53602.0,
                      "backlog_gpu_hours": 400.0, "backlog_eur": 200.0, "saving_eur": 5971.0},
        "saving_eur": {"last_settled_day": 5971.0, "month_to_date": 158912.0, "year_to_date": 671405.0},
        "pue": [{"site": "frankfurt", "cap": "de_enefg.new_pue", "limit": 1.2, "period": "year", "status": "in_force", "so_far": 1.1712,
                 "credit_mwh": 96.4},
                {"site": "amsterdam", "cap": "contract", "limit": 1.15, "period": "year", "status": "contract", "so_far": 1.1533,
                 "credit_mwh": -4.2}],
        "peaks": [{"site": s, "month": "2018-04", "mw": round(m / 22, 2)} for s, m in zip(SITES, MWH, strict=True)],
        "prices": [{"zone": z, "currency": "EUR", "mean": p, "mean_7_days": 40.0, "mean_28_days": 32.0, "lowest": p - 45, "lowest_at": "2018-04-30T11:00:00Z",
                    "highest": p + 20, "highest_at": "2018-04-30T17:00:00Z", "hours": 24.0, "hours_below_zero": 3.0 if p < 45 else 0.0}
                   for z, p in zip(ZONES, PRICES, strict=True)],
        "plan": plan, "changes": changes, "cost_eur": round(sum(r["eur"] for r in plan), 2), "gap": 3.1e-10,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(night(), indent=2))
