"""Sites: facility power, solar on site, and the grid connection.

Heat reuse: heat that the liquid loops give, up to what the buyer takes. It never lowers facility power or PUE.
"""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.cooling import overhead
from energy.program.jobs import Bounds, Index
from energy.program.sets import Plain


def site_periods(p: Plain) -> list[Index]:
    """All (s, t)."""
    return [(s, t) for s in p.S for t in p.T]


def not_negative(m: Any, s: int, t: int) -> Bounds:
    """0 <= facility[s,t]        facility power: what cooling and PUE know"""
    return 0.0, None


def grid_limit(m: Any, s: int, t: int) -> Bounds:
    """0 <= grid_import[s,t] <= grid_limit_mw[s,t]        what prices, peaks and the connection know"""
    return 0.0, m.p.grid_limit_mw[s][t]


def export_limit(m: Any, s: int, t: int) -> Bounds:
    """0 <= grid_export[s,t] <= export_limit_mw[s,t]        0 without generation on site"""
    return 0.0, m.p.export_limit_mw[s][t]


def sunny_periods(p: Plain) -> list[Index]:
    """(s, t) in which the array on site can give something."""
    return [(s, t) for s in p.S for t in p.T if p.solar_mw[s][t] > 0]


def sun(m: Any, s: int, t: int) -> Bounds:
    """0 <= solar_use[s,t] <= solar_mw[s,t]        the rest is curtailed, free of charge"""
    return 0.0, m.p.solar_mw[s][t]


def facility_power(m: Any, s: int, t: int) -> Any:
    """facility[s,t] = Σ_{h in s} (it[h,t] + overhead_min[h,t] + Σ_i slope[h,t,i] over[h,t,i]) + other_site_mw[s,t]"""
    p = m.p
    moving = [x for h in p.halls_in[s] for x in (m.it[h, t], *overhead(m, h, t))]
    fixed = sum(p.overhead_min[h][t] for h in p.halls_in[s]) + p.other_site_mw[s][t]
    return m.facility[s, t] - quicksum(moving) == fixed


def balance(m: Any, s: int, t: int) -> Any:
    """facility[s,t] = grid_import[s,t] - grid_export[s,t] + solar_use[s,t]"""
    sunshine = m.solar_use[s, t] if m.p.solar_mw[s][t] > 0 else 0.0
    return m.facility[s, t] - m.grid_import[s, t] + m.grid_export[s, t] - sunshine == 0.0


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
