"""Sites: facility power, the grid connection, and the month's peak."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.cooling import overhead
from energy.program.jobs import Bounds, Index
from energy.program.plain import Plain


def site_periods(p: Plain) -> list[Index]:
    """All (s, t)."""
    return [(s, t) for s in p.S for t in p.T]


def charged_months(p: Plain) -> list[Index]:
    """(s, m) with a demand charge."""
    return [(s, month) for s in p.S for month in p.M if p.peak_rate[s][month] > 0]


def charged_periods(p: Plain) -> list[Index]:
    """(s, t) in a month with a demand charge."""
    return [(s, t) for s in p.S for t in p.T if p.peak_rate[s][p.month_of[s][t]] > 0]


def not_negative(m: Any, s: int, t: int) -> Bounds:
    """0 <= facility[s,t]        facility power: what cooling and PUE know"""
    return 0.0, None


def grid_limit(m: Any, s: int, t: int) -> Bounds:
    """0 <= grid_import[s,t] <= grid_limit_mw[s,t]        what prices, peaks and the connection know"""
    return 0.0, m.p.grid_limit_mw[s][t]


def export_limit(m: Any, s: int, t: int) -> Bounds:
    """0 <= grid_export[s,t] <= export_limit_mw[s,t]        0 without generation on site"""
    return 0.0, m.p.export_limit_mw[s][t]


def peak_so_far(m: Any, s: int, month: int) -> Bounds:
    """peak_so_far[s,m] <= peak[s,m]        what the month has already reached is paid in any case"""
    return m.p.peak_so_far[s][month], None


def facility_power(m: Any, s: int, t: int) -> Any:
    """facility[s,t] = Σ_{h in s} (it[h,t] + overhead_min[h,t] + Σ_i slope[h,t,i] over[h,t,i]) + other_site_mw[s,t]"""
    p = m.p
    moving = [x for h in p.halls_in[s] for x in (m.it[h, t], *overhead(m, h, t))]
    fixed = sum(p.overhead_min[h][t] for h in p.halls_in[s]) + p.other_site_mw[s][t]
    return m.facility[s, t] - quicksum(moving) == fixed


def balance(m: Any, s: int, t: int) -> Any:
    """facility[s,t] = grid_import[s,t] - grid_export[s,t]"""
    return m.facility[s, t] - m.grid_import[s, t] + m.grid_export[s, t] == 0.0


def month_peak(m: Any, s: int, t: int) -> Any:
    """grid_import[s,t] <= peak[s,m(s,t)]        m(s,t): billing month in site-local time"""
    return m.grid_import[s, t] - m.peak[s, m.p.month_of[s][t]] <= 0.0
