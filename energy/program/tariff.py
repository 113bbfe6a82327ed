"""Tariffs and contracts: billed peaks with their bands, volumes taken from contracts, minimum bills."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.part import Bounds, Index, Part
from energy.program.sets import Sets


def charges(p: Sets) -> range:
    """All demand charges d: one per site, component and billing month."""
    return p.D  # type: ignore[no-any-return]


def banded(p: Sets) -> list[int]:
    """d with more than one band; one band needs no split."""
    return [d for d in p.D if sum(w > 0 for w in p.charge_band_mw[d]) > 1]


def real_bands(p: Sets) -> list[Index]:
    """(d, b) of charges with more than one band."""
    return [(d, b) for d in banded(p) for b, w in enumerate(p.charge_band_mw[d]) if w > 0]


def charged_periods(p: Sets) -> list[Index]:
    """(d, t) of hours that set the charge's peak."""
    return [(d, t) for d in p.D for t in p.T if p.charge_weight[d][t] > 0]


def offers(p: Sets) -> list[Index]:
    """(q, t) in which taking from contract q saves money."""
    return [(q, t) for q in p.Q for t in p.T if p.contract_mw[q][t] > 0 and p.contract_saving[q][t] > 0]


def offered_periods(p: Sets) -> list[Index]:
    """(s, t) with an offer of some contract."""
    return sorted({(p.contract_site[q], t) for q, t in offers(p)})


def minimums(p: Sets) -> range:
    """All minimum bills b: one per site, component and billing month."""
    return p.B  # type: ignore[no-any-return]


def charge_floor(m: Any, d: int) -> Bounds:
    """charge_floor[d] <= peak[d]        what earlier hours and look-back months have set is paid in any case"""
    return m.p.charge_floor[d], None


def band_width(m: Any, d: int, b: int) -> Bounds:
    """0 <= band[d,b] <= charge_band_mw[d,b]        rates rise with b, so the bands fill in their order"""
    return 0.0, m.p.charge_band_mw[d][b]


def volume_offered(m: Any, q: int, t: int) -> Bounds:
    """0 <= offtake[q,t] <= contract_mw[q,t]"""
    return 0.0, m.p.contract_mw[q][t]


def not_negative(m: Any, b: int) -> Bounds:
    """0 <= top_up[b]        what the minimum bill adds [EUR]"""
    return 0.0, None


def billed_peak(m: Any, d: int, t: int) -> Any:
    """charge_weight[d,t] · grid_import[s(d),t] <= peak[d]

    The weight is 1 in the hours of the month that the charge counts (all, or declared ones) and the ratchet's
    share in hours of look-back months that lie inside the horizon.
    """
    p = m.p
    return p.charge_weight[d][t] * m.grid_import[p.charge_site[d], t] - m.peak[d] <= 0.0


def bands(m: Any, d: int) -> Any:
    """peak[d] = Σ_b band[d,b]        for charges with more than one band"""
    return m.peak[d] - quicksum([m.band[d, b] for b, w in enumerate(m.p.charge_band_mw[d]) if w > 0]) == 0.0


def offtake_limit(m: Any, s: int, t: int) -> Any:
    """Σ_{q at s} offtake[q,t] <= grid_import[s,t]        nothing is taken that is not drawn"""
    p = m.p
    here = [m.offtake[q, t] for q in p.Q if p.contract_site[q] == s and (q, t) in m.offtake]
    return quicksum(here) - m.grid_import[s, t] <= 0.0


def minimum_bill(m: Any, b: int) -> Any:
    """top_up[b] + Σ_{t in month} dt_t minimum_rate[b,t] grid_import[s(b),t] + demand charges of site and month >= minimum_eur[b]"""
    p = m.p
    s = p.minimum_site[b]
    energy = [p.dt[t] * p.minimum_rate[b][t] * m.grid_import[s, t] for t in p.T if p.minimum_rate[b][t]]
    mine = [d for d in p.D if p.charge_site[d] == s and p.charge_month[d] == p.minimum_month[b]]
    return m.top_up[b] + quicksum(energy) + quicksum([x for d in mine for x in demand_of(m, d)]) >= p.minimum_eur[b]


def demand_of(m: Any, d: int) -> list[Any]:
    """Terms of Σ_b charge_rate[d,b] band[d,b], or charge_rate · peak where there is one band."""
    p = m.p
    real = [b for b, w in enumerate(p.charge_band_mw[d]) if w > 0]
    if len(real) == 1:
        return [p.charge_rate[d][real[0]] * m.peak[d]]
    return [p.charge_rate[d][b] * m.band[d, b] for b in real]


def demand(m: Any) -> Any:
    """Σ_d Σ_b charge_rate[d,b] band[d,b]        one band: charge_rate[d] peak[d]"""
    return quicksum([x for d in m.p.D for x in demand_of(m, d)])


def contracts(m: Any) -> Any:
    """- Σ_{q,t} dt_t contract_saving[q,t] offtake[q,t]

    A take-or-pay volume is paid anyway (in `fixed`), so taking it saves spot; a capped price saves what spot
    exceeds the cap by. A settled hedge changes the bill and no decision: it is part of `fixed` alone.
    """
    p = m.p
    return quicksum([-p.dt[t] * p.contract_saving[q][t] * m.offtake[q, t] for q, t in m.offtake])


def top_up(m: Any) -> Any:
    """Σ_b top_up[b]"""
    return quicksum([m.top_up[b] for b in m.p.B])


def fixed(m: Any) -> Any:
    """Σ_s fixed_eur[s]        fixed charges, settled hedges, take-or-pay volumes: paid whatever the plan"""
    return sum(m.p.fixed_eur)


PART = Part(
    "tariff",
    variables={
        "peak": (charges, charge_floor),
        "band": (real_bands, band_width),
        "offtake": (offers, volume_offered),
        "top_up": (minimums, not_negative),
    },
    constraints={
        "billed_peak": (charged_periods, billed_peak),
        "bands": (banded, bands),
        "offtake_limit": (offered_periods, offtake_limit),
        "minimum_bill": (minimums, minimum_bill),
    },
    cost={"demand": demand, "contracts": contracts, "top_up": top_up, "fixed": fixed},
)
