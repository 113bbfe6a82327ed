"""The cost, term by term, in EUR."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.cooling import overhead


def energy(m: Any) -> Any:
    """Σ_{s,t} dt_t price[s,t] grid_import[s,t]"""
    p = m.p
    return quicksum([p.dt[t] * p.price[s][t] * m.grid_import[s, t] for s in p.S for t in p.T])


def negative_hours(m: Any) -> Any:
    """Σ_{s,t: price[s,t] < 0} dt_t price[s,t] Σ_{h in s} (chord[h,t] (it[h,t] - it_min[h,t]) - Σ_i slope[h,t,i] over[h,t,i])

    Where the marginal price is negative the energy cost is concave in load, and segments would invent
    revenue by burning power. There, and only in the energy term, the overhead is replaced by its chord over
    the whole load range: together with `energy` this is price · (it + overhead_min + chord (it - it_min)),
    the convex hull of the hour's cost. Facility power, peaks and PUE keep the segments.
    """
    p = m.p
    terms = []
    for s in p.S:
        for t in (t for t in p.T if p.price[s][t] < 0):
            rate = p.dt[t] * p.price[s][t]
            for h in p.halls_in[s]:
                terms += [rate * p.chord[h][t] * (m.it[h, t] - p.it_min[h][t])]
                terms += [-rate * x for x in overhead(m, h, t)]
    return quicksum(terms)


def demand(m: Any) -> Any:
    """Σ_{s,m} peak_rate[s,m] peak[s,m]        the rate is the month's, times its share inside the horizon"""
    p = m.p
    return quicksum([p.peak_rate[s][month] * m.peak[s, month] for s, month in m.peak])


def undone(m: Any) -> Any:
    """Σ_j penalty[j] short[j]"""
    return quicksum([m.p.penalty[j] * m.short[j] for j in m.p.J])


def cap_breach(m: Any) -> Any:
    """Σ_r cap_penalty[r] over_cap[r]"""
    return quicksum([m.p.cap_penalty[r] * m.over_cap[r] for r in m.p.R])
