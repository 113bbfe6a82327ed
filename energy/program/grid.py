"""Sites: facility power, the grid connection, solar on site and the power balance, heat that is sold."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.cooling import overhead
from energy.program.part import Bounds, Index, Part
from energy.program.sets import Sets


def site_periods(p: Sets) -> list[Index]:
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


def sunny_periods(p: Sets) -> list[Index]:
    """(s, t) in which the array on site can give something."""
    return [(s, t) for s in p.S for t in p.T if p.solar_mw[s][t] > 0]


def sun(m: Any, s: int, t: int) -> Bounds:
    """0 <= solar_use[s,t] <= solar_mw[s,t]        the rest is curtailed, free of charge"""
    return 0.0, m.p.solar_mw[s][t]


def facility_power(m: Any, s: int, t: int) -> Any:
    """facility[s,t] = Σ_{h in s} (it[h,t] + base_overhead[h,t] + Σ_i slope[h,t,i] segment_load[h,t,i]) + other_site_mw[s,t]"""
    p = m.p
    moving = [x for h in p.halls_in[s] for x in (m.it[h, t], *overhead(m, h, t))]
    fixed = sum(p.base_overhead[h][t] for h in p.halls_in[s]) + p.other_site_mw[s][t]
    return m.facility[s, t] - quicksum(moving) == fixed


def supply(m: Any, s: int, t: int) -> list[Any]:
    """Terms of grid_import[s,t] - grid_export[s,t] + solar_use[s,t]."""
    sunshine = [m.solar_use[s, t]] if m.p.solar_mw[s][t] > 0 else []
    return [m.grid_import[s, t], -m.grid_export[s, t], *sunshine]


def balance(m: Any, s: int, t: int) -> Any:
    """facility[s,t] = grid_import[s,t] - grid_export[s,t] + solar_use[s,t]

    Every part of the program may give or take power here.
    """
    return m.facility[s, t] - quicksum([x for part in m.parts for x in part.supply(m, s, t)]) == 0.0


def bought_periods(p: Sets) -> list[Index]:
    """(s, t) in which a buyer takes heat."""
    return [(s, t) for s in p.S for t in p.T if p.heat_limit_mw[s][t] > 0]


def heat_limit(m: Any, s: int, t: int) -> Bounds:
    """0 <= heat[s,t] <= heat_limit_mw[s,t]        what the buyer takes"""
    return 0.0, m.p.heat_limit_mw[s][t]


def heat_available(m: Any, s: int, t: int) -> Any:
    """heat[s,t] <= Σ_{h in s} heat_share[h] it[h,t]        heat of the liquid loops that are warm enough

    It never lowers facility power or PUE.
    """
    p = m.p
    given = [p.heat_share[h] * m.it[h, t] for h in p.halls_in[s] if p.heat_share[h] > 0]
    return m.heat[s, t] - quicksum(given) <= 0.0


def feed_in(m: Any) -> Any:
    """- Σ_{s,t} dt_t export_price[s,t] grid_export[s,t]        export_price <= price, so nothing is bought to be sold"""
    p = m.p
    paid = [(s, t) for s in p.S for t in p.T if p.export_limit_mw[s][t] > 0]
    return quicksum([-p.dt[t] * p.export_price[s][t] * m.grid_export[s, t] for s, t in paid])


def heat_sales(m: Any) -> Any:
    """- Σ_{s,t} dt_t heat_price[s,t] heat[s,t]        heat_price: the buyer's price less the power of a heat pump"""
    p = m.p
    return quicksum([-p.dt[t] * p.heat_price[s][t] * m.heat[s, t] for s, t in m.heat])


PART = Part(
    "grid",
    variables={
        "facility": (site_periods, not_negative),
        "grid_import": (site_periods, grid_limit),
        "grid_export": (site_periods, export_limit),
        "solar_use": (sunny_periods, sun),
        "heat": (bought_periods, heat_limit),
    },
    constraints={
        "facility_power": (site_periods, facility_power),
        "balance": (site_periods, balance),
        "heat_available": (bought_periods, heat_available),
    },
    cost={"feed_in": feed_in, "heat_sales": heat_sales},
    supply=supply,
)
