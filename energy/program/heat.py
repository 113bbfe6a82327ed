"""Heat reuse: heat that the liquid loops give, up to what the buyer takes. It never lowers facility power or PUE."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.jobs import Bounds, Index
from energy.program.plain import Plain


def bought_periods(p: Plain) -> list[Index]:
    """(s, t) in which somebody takes heat."""
    return [(s, t) for s in p.S for t in p.T if p.heat_limit_mw[s][t] > 0]


def heat_limit(m: Any, s: int, t: int) -> Bounds:
    """0 <= heat[s,t] <= heat_limit_mw[s,t]        what the buyer takes"""
    return 0.0, m.p.heat_limit_mw[s][t]


def heat_available(m: Any, s: int, t: int) -> Any:
    """heat[s,t] <= Σ_{h in s} heat_share[h] it[h,t]        heat of the liquid loops that are warm enough"""
    p = m.p
    given = [p.heat_share[h] * m.it[h, t] for h in p.halls_in[s] if p.heat_share[h] > 0]
    return m.heat[s, t] - quicksum(given) <= 0.0


def heat_sales(m: Any) -> Any:
    """- Σ_{s,t} dt_t heat_price[s,t] heat[s,t]        heat_price: the buyer's price less the power of a heat pump"""
    p = m.p
    return quicksum([-p.dt[t] * p.heat_price[s][t] * m.heat[s, t] for s, t in m.heat])
