"""The cost, term by term, in EUR."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.cooling import overhead
from energy.program.tariff import demand_of


def energy(m: Any) -> Any:
    """Σ_{s,t} dt_t price[s,t] grid_import[s,t]"""
    p = m.p
    return quicksum([p.dt[t] * p.price[s][t] * m.grid_import[s, t] for s in p.S for t in p.T])


def negative_hours(m: Any) -> Any:
    """Σ_{s,t: lowest[s,t] < 0} dt_t lowest[s,t] Σ_{h in s} (chord[h,t] (it[h,t] - it_min[h,t]) - Σ_i slope[h,t,i] over[h,t,i])

    lowest = price - max_{q at s that deliver} contract_saving[q,t] - Σ_{b at s} max(minimum_rate[b,t], 0): the lowest
    price that one more MWh can have, with a contract taken and the minimum bill not yet reached. Where it is negative
    drawing more can be paid for, the energy cost is concave in load, and segments would invent revenue by burning
    power. There, and only in the energy term, this part of the price sees the overhead as its chord over the whole
    load range: without contracts and minimum bills, together with `energy`, price · (it + overhead_min + chord (it -
    it_min)), the convex hull of the hour's cost. With them, burning power costs at least price - lowest less what it
    saves, never less than nothing. Facility power, peaks and PUE keep the segments.
    """
    p = m.p
    terms = []
    for s in p.S:
        for t in (t for t in p.T if p.lowest_price[s][t] < 0):
            rate = p.dt[t] * p.lowest_price[s][t]
            for h in p.halls_in[s]:
                terms += [rate * p.chord[h][t] * (m.it[h, t] - p.it_min[h][t])]
                terms += [-rate * x for x in overhead(m, h, t)]
    return quicksum(terms)


def demand(m: Any) -> Any:
    """Σ_d Σ_b charge_rate[d,b] band[d,b]        one band: charge_rate[d] peak[d]"""
    return quicksum([x for d in m.p.D for x in demand_of(m, d)])


def contracts(m: Any) -> Any:
    """- Σ_{q,t} dt_t contract_saving[q,t] taken[q,t]

    A take-or-pay volume is paid anyway (in `fixed`), so taking it saves spot; a capped price saves what spot
    exceeds the cap by. A settled hedge changes the bill and no decision: it stands in `fixed` alone.
    """
    p = m.p
    return quicksum([-p.dt[t] * p.contract_saving[q][t] * m.taken[q, t] for q, t in m.taken])


def feed_in(m: Any) -> Any:
    """- Σ_{s,t} dt_t export_price[s,t] grid_export[s,t]        export_price <= price, so nothing is bought to be sold"""
    p = m.p
    paid = [(s, t) for s in p.S for t in p.T if p.export_limit_mw[s][t] > 0]
    return quicksum([-p.dt[t] * p.export_price[s][t] * m.grid_export[s, t] for s, t in paid])


def top_up(m: Any) -> Any:
    """Σ_b top_up[b]"""
    return quicksum([m.top_up[b] for b in m.p.B])


def fixed(m: Any) -> Any:
    """Σ_s fixed_eur[s]        fixed charges, settled hedges, take-or-pay volumes: paid whatever the plan"""
    return sum(m.p.fixed_eur)


def undone(m: Any) -> Any:
    """Σ_j penalty[j] short[j]"""
    return quicksum([m.p.penalty[j] * m.short[j] for j in m.p.J])


def cap_breach(m: Any) -> Any:
    """Σ_r cap_penalty[r] over_cap[r]"""
    return quicksum([m.p.cap_penalty[r] * m.over_cap[r] for r in m.p.R])
