"""Energy: what power drawn costs at the price of the hour, and the hull of hours in which drawing is paid for [EUR]."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.cooling import overhead
from energy.program.part import Part


def energy(m: Any) -> Any:
    """Σ_{s,t} dt_t price[s,t] grid_import[s,t]"""
    p = m.p
    return quicksum([p.dt[t] * p.price[s][t] * m.grid_import[s, t] for s in p.S for t in p.T])


def negative_hours(m: Any) -> Any:
    """Σ_{s,t: lowest[s,t] < 0} dt_t lowest[s,t] Σ_{h in s} (chord[h,t] (it[h,t] - base_it[h,t]) - Σ_i slope[h,t,i] segment_load[h,t,i])

    lowest = price - max_{q at s that deliver} contract_saving[q,t] - Σ_{b at s} max(minimum_rate[b,t], 0): the lowest
    price that one more MWh can have, with a contract taken and the minimum bill not yet reached. Where it is negative
    drawing more can be paid for, the energy cost is concave in load, and segments would invent revenue by burning
    power. There, and only in the energy term, this part of the price sees the overhead as its chord over the whole
    load range: without contracts and minimum bills, together with `energy`, price · (it + base_overhead + chord (it -
    base_it)), the convex hull of the hour's cost. With them, burning power costs at least price - lowest less what it
    saves, never less than nothing. Facility power, peaks and PUE keep the segments.
    """
    p = m.p
    terms = []
    for s in p.S:
        for t in (t for t in p.T if p.lowest_price[s][t] < 0):
            rate = p.dt[t] * p.lowest_price[s][t]
            for h in p.halls_in[s]:
                terms += [rate * p.chord[h][t] * (m.it[h, t] - p.base_it[h][t])]
                terms += [-rate * x for x in overhead(m, h, t)]
    return quicksum(terms)


PART = Part("cost", cost={"energy": energy, "negative_hours": negative_hours})
