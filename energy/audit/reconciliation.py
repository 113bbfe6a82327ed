"""Objective against bill: every difference has a name, and what has no name is an error.

The program's cost terms are evaluated for the grid powers that it planned and for the replayed ones, from the Problem alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from energy.audit import array_model
from energy.audit.array_model import lowest
from energy.audit.certificate import LEAST_GROSS_EUR
from energy.audit.invoice import Bill
from energy.errors import CertificateError
from energy.schema import Floats, values_of

#: Largest difference between objective and bill without a name [EUR]: one cent.
UNEXPLAINED_EUR = 0.01
#: Largest sum of the named modelling differences, as a share of the bill.
NAMED_SHARE = 5e-4
#: Differences above this share of the gross bill are no matter of chords or cents: such a bill is wrong, and is not published.
REFUSED_SHARE = 0.01
#: Largest difference of IT power between program and replay [MW]; LEAST_GPUS dropped holdings are far below.
IT_MISMATCH_MW = 1e-4
#: Variables whose cost no invoice has, in the order of their fields below; that of another is named after it.
UNBILLED = ("unserved", "deferred", "cap_breach")
#: Chords lie above the curve; replayed facility power may exceed the program's by rounding only [MW].
CHORD_BELOW_MW = 1e-5


@dataclass(frozen=True)
class Reconciliation:
    """Objective - bill, split by cause [EUR]; positive: the program over-states cost.

    Attributes
    ----------
    gross_bill_eur : sum of the absolute lines of the bill
    other_unbilled_eur : by variable, costs that no invoice has besides those named here
    """

    objective_eur: float
    bill_eur: float
    chords_eur: float
    negative_hour_chords_eur: float
    peaks_on_chords_eur: float
    contracts_on_chords_eur: float
    clipped_prices_eur: float
    unserved_penalty_eur: float
    terminal_value_eur: float
    cap_penalty_eur: float
    unexplained_eur: float
    it_mismatch_mw: float
    chord_below_curve_mw: float
    gross_bill_eur: float
    other_unbilled_eur: dict[str, float] = field(default_factory=dict)

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
        """Sentences about each disagreement; empty when all agrees."""
        out = []
        if not abs(self.unexplained_eur) <= UNEXPLAINED_EUR:  # so that what is no number agrees with nothing
            out.append(f"bill and objective differ by {self.unexplained_eur:.4f} EUR without a named cause")
        if not self.named_share <= NAMED_SHARE:
            out.append(f"chords change the cost by {self.named_share:.3%}, more than {NAMED_SHARE:.2%}")
        if not self.it_mismatch_mw <= IT_MISMATCH_MW:
            out.append(f"replay draws up to {self.it_mismatch_mw:.6f} MW of IT power more or less than the program")
        if not self.chord_below_curve_mw <= CHORD_BELOW_MW:
            out.append(f"replayed power exceeds the program's by up to {self.chord_below_curve_mw:.6f} MW")
        return out

    def check_publishable(self) -> None:
        """Refuse a bill that is wrong by more than REFUSED_SHARE of its gross sum.

        What chords change in hours that may be paid for does not count: it grows with negative prices, not with mistakes.

        Raises
        ------
        CertificateError : names the difference and the share.
        """
        named = abs(self.chords_eur + self.contracts_on_chords_eur) + abs(self.peaks_on_chords_eur)
        apart = abs(self.unexplained_eur) + named + 0.0 * self.negative_hour_chords_eur  # NaN stays NaN
        if not apart <= REFUSED_SHARE * max(self.gross_bill_eur, LEAST_GROSS_EUR):
            raise CertificateError(
                f"certificate: bill and objective differ by {apart:,.2f} EUR, more than {REFUSED_SHARE:.0%} of the gross bill "
                f"of {self.gross_bill_eur:,.2f} EUR: the plan is not published"
            )

    def as_dict(self) -> dict[str, object]:
        """Fields for summary and manifest."""
        data = asdict(self)
        data |= {f"{name}_eur": eur for name, eur in data.pop("other_unbilled_eur").items()}
        return {**data, "named_share": self.named_share, "agrees": self.agrees}


def reconcile(problem: xr.Dataset, solution: xr.Dataset, replayed: xr.Dataset, priced: Bill) -> Reconciliation:
    """Explain the objective in terms of the bill.

    The program's own cost terms are computed once for the powers it planned and once for the replayed ones:
    their difference is what chords change. What then still differs from the bill has no name.

    Raises
    ------
    CertificateError : a line of the bill is not a finite number; names it.
    """
    for line in priced.lines:
        if not np.isfinite(line.amount_eur):
            where = f"{line.component} of {line.site} in {line.month}"
            raise CertificateError(
                f"certificate: the bill's line {where} is {line.amount_eur:g} EUR: the plan is not published"
            )
    p = values_of(problem)
    x, r = values_of(solution), values_of(replayed)
    planned = evaluate_cost(problem, x["grid_import"], x["grid_export"], x["heat"])
    actual = evaluate_cost(problem, r["import_mw"], r["export_mw"], r["heat_mw"])
    chords, burned, peaks, others = _chords(p, planned, actual)
    # What the energy term of hours that may be paid for adds: chord (it - base_it) - Σ_i slope over, (H, T).
    on_chord = p["chord"] * (x["it"] - p["base_it"]) - (p["slope"] * x["segment_load"]).sum(axis=2)
    burned += float(((p["dt"] * np.minimum(lowest(p), 0.0))[p["hall_site"]] * on_chord).sum())
    unbilled = array_model.cost_by_variable(problem, solution, array_model.UNBILLED)
    undone, deferred, breach = (unbilled.pop(name, 0.0) for name in UNBILLED)
    objective = float(solution.attrs["objective_eur"])
    clipped = float(abs(actual.clipped.sum()))
    unexplained = objective - priced.total() - chords - burned - peaks - others - clipped - undone - deferred - breach
    return Reconciliation(
        objective, priced.total(), chords, burned, peaks, others, clipped, undone, deferred, breach,
        unexplained - sum(unbilled.values()),
        it_mismatch_mw=float(np.abs(x["it"] - r["it_mw"]).max()),
        chord_below_curve_mw=float((r["facility_mw"] - x["facility"]).max()),
        gross_bill_eur=priced.gross_eur(),
        other_unbilled_eur=unbilled,
    )  # fmt: skip


def _chords(p: dict[str, Any], planned: Cost, actual: Cost) -> tuple[float, float, float, float]:
    """Cost of chords [EUR]: energy, energy of hours that may be paid for, peaks, contracts with the rest.

    What a minimum bill gives back goes to the energy and the peaks that it gives it back for: the share of a MWh or
    a MW that counts towards it and is topped up less.
    """
    # Part of what counts towards each minimum bill that its top-up gives back, (B,): 1 where the bill binds for both
    # powers, 0 for neither, between them where it is reached on the way. A ratio of two roundings may be anything.
    top_up = planned.top_up - actual.top_up
    counted = (planned.counted - actual.counted).sum(axis=(1, 2)) + minimum_of(p) @ (planned.demand - actual.demand)
    share = np.clip(np.divide(-top_up, counted, out=np.zeros(len(counted)), where=counted != 0), 0.0, 1.0)
    energy = planned.energy - actual.energy - np.tensordot(share, planned.counted - actual.counted, axes=1)
    others = planned.contracts - actual.contracts + planned.feed_in - actual.feed_in
    peaks = (1 - share @ minimum_of(p)) * (planned.demand - actual.demand)
    paid_for = lowest(p) < 0
    heat = planned.heat_sales - actual.heat_sales
    return (
        float(energy[~paid_for].sum()), float((energy + others)[paid_for].sum()), float(peaks.sum()),
        float(others[~paid_for].sum()) + heat,
    )  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """Cost of given grid powers [EUR]: by hour where it has one, else by demand charge or minimum bill.

    Attributes
    ----------
    energy, contracts, feed_in, clipped : (S, T)
    counted : energy charges that count towards each minimum bill, (B, S, T)
    demand : (D,);  top_up : (B,);  heat_sales, fixed : sums
    """

    energy: Floats
    contracts: Floats
    feed_in: Floats
    clipped: Floats
    counted: Floats
    demand: Floats
    top_up: Floats
    heat_sales: float
    fixed: float


def evaluate_cost(problem: xr.Dataset, drawn: Floats, fed: Floats, heat: Floats) -> Cost:
    """Evaluate the program's cost terms for sites that draw and feed in these powers and hand over this heat [MW], (S, T).

    Peaks, their bands and the top-up are those of the powers drawn: where a minimum bill binds, the program's own
    variables for them may be anything that costs the same.
    """
    p: dict[str, Any] = values_of(problem)
    saved = np.zeros_like(drawn)
    np.add.at(saved, p["contract_site"], p["dt"] * p["contract_saving"] * contract_taken(p, drawn))
    at_site = p["minimum_site"][:, None] == np.arange(len(drawn))
    counted = at_site[:, :, None] * (p["minimum_rate"] * p["dt"])[:, None, :] * drawn
    demand = demand_by_charge(p, drawn)
    return Cost(
        energy=p["dt"] * p["price"] * drawn, contracts=-saved, feed_in=-(p["dt"] * p["export_price"] * fed),
        clipped=-(p["dt"] * p["export_clip"] * fed), counted=counted, demand=demand,
        top_up=top_up(p, drawn, demand),
        heat_sales=-float((p["dt"] * p["heat_price"] * heat).sum()), fixed=float(p["fixed_eur"].sum()),
    )  # fmt: skip


def minimum_of(p: dict[str, Any]) -> Floats:
    """1 where a demand charge counts towards a minimum bill: same site and month, (B, D)."""
    same = (p["charge_site"] == p["minimum_site"][:, None]) & (p["charge_month"] == p["minimum_month"][:, None])
    return np.asarray(same, dtype=float)


def billed_peak(p: dict[str, Any], drawn: Floats) -> Floats:
    """Billed peak of each demand charge, (D,) [MW]."""
    highest = (p["charge_weight"] * drawn[p["charge_site"]]).max(axis=1, initial=0.0)
    return np.asarray(np.maximum(highest, p["charge_floor"]))


def demand_by_charge(p: dict[str, Any], drawn: Floats) -> Floats:
    """Demand charges, (D,) [EUR]: the billed peak filled into its bands, the first ones first, each at its rate."""
    below = np.cumsum(p["charge_band_mw"], axis=1) - p["charge_band_mw"]
    bands = np.clip(billed_peak(p, drawn)[:, None] - below, 0.0, p["charge_band_mw"])  # (D, bands) [MW]
    return np.asarray((bands * p["charge_rate"]).sum(axis=1))


def contract_taken(p: dict[str, Any], drawn: Floats) -> Floats:
    """Power taken from each contract when every hour takes the best offers first, (Q, T) [MW]."""
    left, taken = drawn.copy(), np.zeros(p["contract_mw"].shape)
    order = np.argsort(-p["contract_saving"], axis=0, kind="stable")
    for rank in range(len(order)):
        for q in range(len(order)):
            wanted = (order[rank] == q) & (p["contract_saving"][q] > 0)
            s = p["contract_site"][q]
            taken[q] += np.where(wanted, np.minimum(left[s], p["contract_mw"][q]), 0.0)
            left[s] -= np.where(wanted, np.minimum(left[s], p["contract_mw"][q]), 0.0)
    return np.asarray(taken)


def top_up(p: dict[str, Any], drawn: Floats, demand: Floats) -> Floats:
    """Top-up of each minimum bill, (B,) [EUR]."""
    energy = (p["minimum_rate"] * p["dt"] * drawn[p["minimum_site"]]).sum(axis=1)
    return np.asarray(np.maximum(p["minimum_eur"] - energy - minimum_of(p) @ demand, 0.0))
