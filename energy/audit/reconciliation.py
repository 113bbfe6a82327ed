"""Objective against bill: every difference has a name, and what has no name is an error."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from energy.audit.array_model import lowest
from energy.audit.completion import Cost, cost, minimum_of
from energy.audit.invoice import Bill
from energy.schema import Floats, values_of

#: Largest difference between objective and bill without a name [EUR]: one cent.
UNEXPLAINED_EUR = 0.01
#: Largest sum of the named modelling differences, as a share of the bill.
NAMED_SHARE = 5e-4
#: Largest difference of IT power between program and replay [MW]; LEAST_GPUS dropped holdings are far below.
IT_MISMATCH_MW = 1e-4
#: Chords lie above the curve; replayed facility power may exceed the program's by rounding only [MW].
CHORD_BELOW_MW = 1e-5


@dataclass(frozen=True)
class Reconciliation:
    """Objective - bill, split by cause [EUR]; positive: the program over-states cost."""

    objective_eur: float
    bill_eur: float
    chords_eur: float
    negative_hour_chords_eur: float
    peaks_on_chords_eur: float
    contracts_on_chords_eur: float
    clipped_prices_eur: float
    undone_penalty_eur: float
    terminal_value_eur: float
    cap_penalty_eur: float
    unexplained_eur: float
    it_mismatch_mw: float
    chord_below_curve_mw: float

    @property
    def named_share(self) -> float:
        """Modelling differences (chords, not penalties) as a share of the bill."""
        # Sun and a paid volume are both free: which is used first moves energy from one term to the other.
        named = abs(self.chords_eur + self.contracts_on_chords_eur) + abs(self.negative_hour_chords_eur)
        named += abs(self.peaks_on_chords_eur) + abs(self.clipped_prices_eur)
        return named / abs(self.bill_eur) if self.bill_eur else named

    @property
    def agrees(self) -> bool:
        """All differences have names and are small."""
        return not self.problems()

    def problems(self) -> list[str]:
        """What does not agree, in words; empty when all does."""
        out = []
        if abs(self.unexplained_eur) > UNEXPLAINED_EUR:
            out.append(f"bill and objective differ by {self.unexplained_eur:.4f} EUR without a named cause")
        if self.named_share > NAMED_SHARE:
            out.append(f"chords change the cost by {self.named_share:.3%}, more than {NAMED_SHARE:.2%}")
        if self.it_mismatch_mw > IT_MISMATCH_MW:
            out.append(f"replay draws up to {self.it_mismatch_mw:.6f} MW of IT power more or less than the program")
        if self.chord_below_curve_mw > CHORD_BELOW_MW:
            out.append(f"replayed power exceeds the program's by up to {self.chord_below_curve_mw:.6f} MW")
        return out

    def as_dict(self) -> dict[str, object]:
        """For summary and manifest."""
        return {**asdict(self), "named_share": self.named_share, "agrees": self.agrees}


def reconcile(problem: xr.Dataset, solution: xr.Dataset, replayed: xr.Dataset, priced: Bill) -> Reconciliation:
    """Explain the objective in terms of the bill.

    The program's own cost terms are computed once for the powers it planned and once for the replayed ones:
    their difference is what chords change. What then still differs from the bill has no name.
    """
    p = values_of(problem)
    x = values_of(solution)
    planned = cost(problem, x["grid_import"], x["grid_export"], x["heat"])
    actual = cost(problem, replayed["import_mw"].values, replayed["export_mw"].values, replayed["heat_mw"].values)
    chords, burned, peaks, others = _chords(p, planned, actual)
    below = np.minimum(lowest(p), 0.0)
    burned += float(((p["dt"] * below)[p["hall_site"]] * _hull_minus_segments(p, x)).sum())
    undone, breach = float(p["penalty"] @ x["short"]), float(p["cap_penalty"] @ x["over_cap"])
    beyond = float(p["later_price"] @ x["later"])
    objective = float(solution.attrs["objective_eur"])
    clipped = float(abs(actual.clipped.sum()))
    unexplained = objective - priced.total() - chords - burned - peaks - others - clipped - undone - beyond - breach
    return Reconciliation(
        objective, priced.total(), chords, burned, peaks, others, clipped, undone, beyond, breach, unexplained,
        it_mismatch_mw=float(np.abs(x["it"] - replayed["it_mw"].values).max()),
        chord_below_curve_mw=float((replayed["facility_mw"].values - x["facility"]).max()),
    )  # fmt: skip


def _chords(p: dict[str, Any], planned: Cost, actual: Cost) -> tuple[float, float, float, float]:
    """What chords change [EUR]: energy, energy of hours that may be paid for, peaks, contracts with the rest.

    What a minimum bill gives back goes to the energy and the peaks that it gives it back for: the share of a MWh or
    a MW that counts towards it and is topped up less.
    """
    share = _given_back(p, planned, actual)
    energy = planned.energy - actual.energy - np.tensordot(share, planned.counted - actual.counted, axes=1)
    others = planned.contracts - actual.contracts + planned.feed_in - actual.feed_in
    peaks = (1 - share @ minimum_of(p)) * (planned.demand - actual.demand)
    paid_for = lowest(p) < 0
    heat = planned.heat_sales - actual.heat_sales
    return (
        float(energy[~paid_for].sum()), float((energy + others)[paid_for].sum()), float(peaks.sum()),
        float(others[~paid_for].sum()) + heat,
    )  # fmt: skip


def _given_back(p: dict[str, Any], planned: Cost, actual: Cost) -> Floats:
    """Part of what counts towards each minimum bill that its top-up gives back, between both powers, (B,).

    1 where it binds for both, 0 for neither, between them where it is reached on the way.
    """
    top_up = planned.top_up - actual.top_up
    counted = (planned.counted - actual.counted).sum(axis=(1, 2)) + minimum_of(p) @ (planned.demand - actual.demand)
    share = np.divide(-top_up, counted, out=np.zeros(len(counted)), where=counted != 0)
    return np.asarray(np.clip(share, 0.0, 1.0))  # a ratio of two roundings may be anything


def _hull_minus_segments(p: dict[str, Any], x: dict[str, Any]) -> Floats:
    """chord (it - it_min) - Σ_i slope over, (H, T): what the energy term of hours that may be paid for adds."""
    return np.asarray(p["chord"] * (x["it"] - p["it_min"]) - (p["slope"] * x["over"]).sum(axis=2))
