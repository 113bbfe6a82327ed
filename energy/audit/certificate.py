"""The proof: feasibility and a dual bound, recomputed with numpy from the Problem and the Solution alone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import xarray as xr

from energy.audit.array_model import BILLED, SUPPLIES, ArrayModel, array_model, cost_by_variable
from energy.schema import Floats, values_of

#: Largest scaled violation of a row or bound: ten times the solver's tolerance, 1 W in a MW balance.
VIOLATION = 1e-6
#: Largest duality gap |p - d| and largest error of the cost stated, as shares of the gross bill: a cent in ten thousand euros.
#: Never as shares of the objective: penalties of undone work may be ten thousand times the bill.
GAP = 1e-6
#: Least gross bill that gaps are measured against [EUR]: below it a millionth is less than any sum in EUR can resolve.
LEAST_GROSS_EUR = 1.0


@dataclass(frozen=True)
class Certificate:
    """Result of the proof.

    `stated_eur` is the cost that the program states, `primal_eur` the cost recomputed, `dual_eur` a bound below which no
    plan can cost; `relative_gap` is their distance over `gross_bill_eur`. `worst_row` names the row or bound with the
    largest violation.
    """

    passed: bool
    stated_eur: float
    primal_eur: float
    dual_eur: float
    relative_gap: float
    max_violation: float
    worst_row: str
    rows: int
    columns: int
    nonzeros: int
    largest_cost: float
    smallest_cost: float
    gross_bill_eur: float

    def as_dict(self) -> dict[str, object]:
        """Fields for the manifest, where the key is `pass`."""
        data = asdict(self)
        return {"pass": data.pop("passed"), **data}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Certificate":
        """The proof that a manifest states; a figure that it lacks is NaN."""
        names = [f.name for f in fields(cls) if f.name != "passed"]
        return cls(kept["pass"], **{name: kept.get(name, np.nan) for name in names})


def certify(problem: xr.Dataset, solution: xr.Dataset, gross_bill_eur: float | None = None) -> Certificate:
    """Check a Solution against the Problem.

    The dual bound holds for ANY row duals: Σ_i (y_i⁺ low_i - y_i⁻ up_i) + Σ_j min over the box of (c - Aᵀy)_j x_j,
    with boxes that every optimal plan obeys. The cost stated must be the plan's own. So neither
    the solver's status nor its objective is trusted.

    Parameters
    ----------
    gross_bill_eur : sum of the absolute lines of the plan's bill; without a bill, of what the program would have billed
    """
    model = array_model(problem)
    x, y = model.vector(solution), model.duals(solution)
    primal = float(model.cost @ x) + model.offset
    dual = dual_bound(model, boxes(model, problem), y)
    violation, worst = _violation(model, x)
    gross = max(gross_terms(problem, solution) if gross_bill_eur is None else gross_bill_eur, LEAST_GROSS_EUR)
    gap = abs(primal - dual) / gross
    stated = float(solution.attrs.get("objective_eur", np.nan))
    own = bool(abs(stated - primal) <= GAP * gross)  # a cost that is not stated agrees with nothing
    nonzero = np.abs(model.cost[model.cost != 0])
    finite = bool(np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(gross))
    return Certificate(
        passed=bool(finite and own and violation <= VIOLATION and gap <= GAP), stated_eur=stated,
        primal_eur=primal, dual_eur=dual, relative_gap=gap, max_violation=violation, worst_row=worst,
        rows=model.matrix.shape[0], columns=model.matrix.shape[1], nonzeros=int(model.matrix.nnz),
        largest_cost=float(nonzero.max(initial=0.0)), smallest_cost=float(nonzero.min(initial=np.inf)),
        gross_bill_eur=gross,
    )  # fmt: skip


def gross_terms(problem: xr.Dataset, solution: xr.Dataset) -> float:
    """Sum of the absolute terms of the objective that an invoice has lines for [EUR], by variable; never a penalty."""
    terms = cost_by_variable(problem, solution, BILLED)
    return sum(abs(eur) for eur in terms.values()) + float(np.abs(problem["fixed_eur"].values).sum())


def dual_bound(model: ArrayModel, box: Floats, y: Floats) -> float:
    """Lower bound on the optimum from any row duals y, by weak duality.

    Duals with the wrong sign for a one-sided row are set to 0; `box` replaces infinite upper bounds.
    """
    y = np.where((y > 0) & np.isinf(model.row_low), 0.0, y)
    y = np.where((y < 0) & np.isinf(model.row_up), 0.0, y)
    side = np.where(y > 0, model.row_low, np.where(y < 0, model.row_up, 0.0))
    reduced = model.cost - model.matrix.T @ y
    best = np.where(reduced > 0, model.low, box)
    return float(y @ side + np.where(reduced != 0, reduced * best, 0.0).sum()) + model.offset


def boxes(model: ArrayModel, problem: xr.Dataset) -> Floats:
    """Finite upper bounds that every optimal plan obeys, (columns,): the rows imply them."""
    p = values_of(problem)
    supplies = (model.columns[name] for name, sign in SUPPLIES.items() if sign > 0)
    facility = sum(np.where(number >= 0, model.up[number], 0.0) for number in supplies)  # the most a site draws, (S, T)
    counted = np.abs(p["minimum_rate"] * p["grid_limit_mw"][p["minimum_site"]] * p["dt"]).sum(axis=1)
    limits = {
        "group_gpus": np.broadcast_to(p["available"] - p["firm"], model.columns["group_gpus"].shape),
        "segment_load": (p["hall_mw"] - p["base_it"])[:, :, None],
        "facility": facility,
        "peak": np.maximum(p["charge_floor"], p["grid_limit_mw"].max(axis=1)[p["charge_site"]]),
        "cap_breach": float((facility * p["dt"]).sum()) + np.abs(p["cap_credit"]),
        "top_up": np.maximum(p["minimum_eur"], 0.0) + counted,
    }
    up = model.up.copy()
    for name, limit in limits.items():
        number = model.columns[name]
        exists = number >= 0
        up[number[exists]] = np.minimum(up[number[exists]], np.broadcast_to(limit, number.shape)[exists])
    return up


def _violation(model: ArrayModel, x: Floats) -> tuple[float, str]:
    """Largest violation over rows and bounds, each relative to max(1, |its limit|), and its name."""
    activity = model.matrix @ x
    rows = np.maximum(_below(activity, model.row_low), _below(-activity, -model.row_up))
    bounds = np.maximum(_below(x, model.low), _below(-x, -model.up))
    worst_row, worst_bound = rows.max(initial=0.0), bounds.max(initial=0.0)
    worst = float(np.maximum(worst_row, worst_bound))  # a NaN in either is a NaN here
    if np.isnan(worst_bound) or worst_bound > worst_row:
        return worst, _name(model.columns, int(np.argmax(bounds)))
    return worst, _name(model.rows, int(np.argmax(rows)) if len(rows) else 0)


def _below(value: Floats, limit: Floats) -> Floats:
    finite = np.isfinite(limit)
    scale = np.maximum(1.0, np.abs(np.where(finite, limit, 0.0)))
    return np.where(finite, np.maximum(limit - value, 0.0) / scale, 0.0)


def _name(blocks: dict[str, np.ndarray], number: int) -> str:
    for name, numbers in blocks.items():
        at = np.argwhere(numbers == number)
        if len(at):
            return f"{name}{[int(i) for i in at[0]]}"
    return ""
