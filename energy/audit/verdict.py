"""The verdict and the headline figures: what a plan saves for equal work, and whether it may be published."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from energy.audit.certificate import GAP, VIOLATION, Certificate
from energy.audit.invoice import Priced
from energy.audit.reconciliation import Reconciliation
from energy.audit.replay import figures
from energy.schedule.dispatch import done
from energy.schema import Floats

#: Undone work below this share of all work is the solver's tolerance, not a decision.
UNDONE_SHARE = 1e-7
#: A cap counts as breached above this energy [MWh]; 1 Wh.
BREACH_MWH = 1e-6
#: Baseline and plan do equal work when they differ by less than this share.
EQUAL_WORK = 1e-6


@dataclass(frozen=True)
class Outcome:
    """OK, DEGRADED or FAILED, with every reason in words."""

    status: str
    reasons: tuple[str, ...]


def judge(
    problem: xr.Dataset, solution: xr.Dataset, proof: Certificate, agreement: Reconciliation, replayed: xr.Dataset
) -> Outcome:
    """FAILED without proof; DEGRADED where work is left, a cap is breached or bill and objective differ."""
    if not proof.passed:
        why = f"certificate: gap {proof.relative_gap:.2e} of the gross bill (at most {GAP:g}), "
        why += f"violation {proof.max_violation:.2e} in {proof.worst_row} (at most {VIOLATION:g}), "
        why += f"cost stated {proof.stated_eur:.6f} EUR, recomputed {proof.primal_eur:.6f} EUR"
        return Outcome("FAILED", (why,))
    reasons = [*_undone(problem, solution), *_breached(problem, solution, replayed), *agreement.problems()]
    return Outcome("DEGRADED" if reasons else "OK", tuple(reasons))


def judge_given(
    problem: xr.Dataset, solution: xr.Dataset, proof: Certificate, agreement: Reconciliation, replayed: xr.Dataset
) -> Outcome:
    """Judge a Schedule that no solver made: FAILED when it breaks a row or bound, else DEGRADED, for want of a gap."""
    if not proof.max_violation <= VIOLATION:
        why = f"schedule: violation {proof.max_violation:.2e} in {proof.worst_row} (at most {VIOLATION:g})"
        return Outcome("FAILED", (why,))
    reasons = [*_undone(problem, solution), *_breached(problem, solution, replayed), *agreement.problems()]
    return Outcome("DEGRADED", ("no solver made this schedule: it is feasible, not proven cheapest", *reasons))


def real(problem: xr.Dataset) -> Floats:
    """1 for the jobs there are, 0 for expected arrivals, (J,)."""
    return np.asarray(1.0 - problem["expected"].values)


def _undone(problem: xr.Dataset, solution: xr.Dataset) -> list[str]:
    short, work = solution["unserved"].values * real(problem), problem["work_left"].values
    if short.sum() <= UNDONE_SHARE * work.sum():
        return []
    worst = int(np.argmax(short))
    jobs = int((~(short <= UNDONE_SHARE * work.sum())).sum())
    name = problem["job"].values[worst]
    return [f"{short.sum():.1f} GPU-hours of {jobs} jobs left undone, most of job {name} ({short[worst]:.1f})"]


def _breached(problem: xr.Dataset, solution: xr.Dataset, replayed: xr.Dataset) -> list[str]:
    """Caps breached in the program, or on replay."""
    over = np.maximum(solution["cap_breach"].values, cap_excess(problem, replayed))
    names = [str(c).split("@")[0] for c in problem["cap"].values]
    out = []
    for name in sorted(set(names)):
        excess = over[[n == name for n in names]]
        breached = ~(excess <= BREACH_MWH)
        if breached.any():
            windows = int(breached.sum())
            out.append(f"PUE cap {name} exceeded by {excess.max():.4f} MWh in {windows} windows")
    return out


def cap_excess(problem: xr.Dataset, replayed: xr.Dataset) -> Floats:
    """Energy above each cap on replay, (R,) [MWh]; 0 where it is met."""
    dt, out = problem["dt"].values, []
    facility, it = replayed["facility_mw"].values * dt, replayed["site_it_mw"].values * dt
    for r in range(problem.sizes["cap"]):
        site = int(problem["cap_site"].values[r])
        who = slice(None) if site < 0 else slice(site, site + 1)
        when = slice(int(problem["cap_start"].values[r]), int(problem["cap_stop"].values[r]))
        balance = facility[who, when].sum() - problem["cap_limit"].values[r] * it[who, when].sum()
        out.append(max(balance - problem["cap_credit"].values[r], 0.0))
    return np.array(out)


def pue(replayed: xr.Dataset) -> dict[str, float]:
    """Energy-weighted PUE (ISO/IEC 30134-2) per site and of the fleet over the horizon."""
    dt = replayed["dt"].values
    facility, it = (replayed[name].values @ dt for name in ("facility_mw", "site_it_mw"))
    names = replayed["site"].values.astype(str)
    ratio = {str(n): float(f / i) for n, f, i in zip(names, facility, it, strict=True) if i > 0}
    return ratio | ({"fleet": float(facility.sum() / it.sum())} if it.sum() > 0 else {})


def summarise(
    problem: xr.Dataset, solution: xr.Dataset, plan: Priced, baseline: Priced,
    proof: Certificate, agreement: Reconciliation, outcome: Outcome,
) -> dict[str, object]:  # fmt: skip
    """Content of summary.json. Savings compare bills for equal work, without penalties."""
    plan_eur, base_eur = plan.bill.total(), baseline.bill.total()
    plan_work, base_work = done(problem, plan.schedule), done(problem, baseline.schedule)
    equal = abs(plan_work.sum() - base_work.sum()) <= EQUAL_WORK * max(plan_work.sum(), 1.0)
    first, last = (str(problem["time"].values[i])[:16] for i in (0, -1))
    dt, held = problem["dt"].values, plan.schedule
    used = held["entry_gpus"].values @ dt[held["entry_time"].values] + (problem["firm"].values @ dt).sum()
    replays = {"plan": plan.replay, "baseline": baseline.replay}
    later = solution["deferred"].values * real(problem)
    waits = int((later > UNDONE_SHARE * problem["work_left"].values.sum()).sum())
    known = [str(s) for s, k in zip(problem["site"].values, problem["carbon_known"].values, strict=True) if k]
    carbon = {k: float(r["carbon_t"].sel(site=known).sum()) if known else None for k, r in replays.items()}
    return {
        "status": outcome.status,
        "reasons": list(outcome.reasons),
        "horizon": {"first": f"{first}Z", "last": f"{last}Z", "hours": float(problem["dt"].sum())},
        "objective_eur": proof.primal_eur,
        "bill_eur": plan_eur,
        "baseline_eur": base_eur,
        "saving_eur": base_eur - plan_eur,
        "saving_share": (base_eur - plan_eur) / abs(base_eur) if base_eur else 0.0,
        "equal_work": bool(equal),
        "work_gpu_hours": {
            "due": float(problem["work_left"].sum()),
            "plan": float(plan_work.sum()),
            "baseline": float(base_work.sum()),
        },
        "unserved_gpu_hours": float(solution["unserved"].values @ real(problem)),
        "deferred": {
            "jobs": waits,
            "gpu_hours": float(later.sum()),
            "eur": float(problem["terminal_price"].values @ later),
        },
        "expected": _expected(problem, solution, plan_work),
        "energy_mwh": {k: float((r["facility_mw"] * r["dt"]).sum()) for k, r in replays.items()},
        "carbon_t": {"known_sites": known, **carbon},  # None where no grid intensity is known
        "water_m3": {k: float(r["water_m3"].sum()) for k, r in replays.items()},
        "cooling": figures(plan.replay, problem["hall_site"].values),
        "pue": pue(plan.replay),
        "pue_baseline": pue(baseline.replay),
        "baseline_late_gpu_hours": late(problem, baseline.schedule),
        "busy_share": float(used / (problem["available"].values @ dt).sum()),  # firm GPUs included
        "certificate": proof.as_dict(),
        "reconciliation": agreement.as_dict(),
    }


def _expected(problem: xr.Dataset, solution: xr.Dataset, plan_work: Floats) -> dict[str, float]:
    """Expected arrivals in GPU-hours: due, planned, deferred, unserved."""
    hoped = problem["expected"].values
    of = {"due_gpu_hours": problem["work_left"].values, "plan_gpu_hours": plan_work, "deferred_gpu_hours": solution["deferred"].values,
          "unserved_gpu_hours": solution["unserved"].values}  # fmt: skip
    return {"pseudo_jobs": int(hoped.sum()), **{k: float(v @ hoped) for k, v in of.items()}}


def late(problem: xr.Dataset, schedule: xr.Dataset) -> float:
    """Reference GPU-hours done outside the jobs' windows; what run-now pays for not looking at deadlines."""
    outside = problem["open"].values[schedule["entry_job"].values, schedule["entry_time"].values] == 0
    part = schedule.isel(entry=np.flatnonzero(outside))
    return float(done(problem, part).sum())
