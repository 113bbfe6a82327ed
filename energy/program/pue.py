"""PUE caps (ISO/IEC 30134-2): energy over a window, never the mean of ratios."""

from __future__ import annotations

from typing import Any

from pyomo.environ import quicksum

from energy.program.part import Bounds, Part
from energy.program.sets import Sets


def cap_rows(p: Sets) -> range:
    """All r."""
    return p.R  # type: ignore[no-any-return]


def not_negative(m: Any, r: int) -> Bounds:
    """0 <= cap_breach[r]        energy by which the cap is exceeded [MWh]"""
    return 0.0, None


def pue_cap(m: Any, r: int) -> Any:
    """Σ_{t in window r} dt_t Σ_{s in r} (facility[s,t] - cap_limit[r] Σ_{h in s} it[h,t]) <= cap_credit[r] + cap_breach[r]

    The window is a year (with the year-to-date balance as credit), a rolling window (with its history)
    or one period; the sites are one, or all for a fleet cap. Rows of single periods exist only where the
    load that cannot be lowered is above the stated minimum: near zero load no plant meets a ratio.
    """
    p = m.p
    sites = p.S if p.cap_site[r] < 0 else (p.cap_site[r],)
    window = range(p.cap_start[r], p.cap_stop[r])
    drawn = [p.dt[t] * m.facility[s, t] for s in sites for t in window]
    allowed = [-p.cap_limit[r] * p.dt[t] * m.it[h, t] for s in sites for h in p.halls_in[s] for t in window]
    return quicksum(drawn + allowed) - m.cap_breach[r] <= p.cap_credit[r]


def cap_breach(m: Any) -> Any:
    """Σ_r cap_penalty[r] cap_breach[r]"""
    return quicksum([m.p.cap_penalty[r] * m.cap_breach[r] for r in m.p.R])


PART = Part(
    "pue",
    variables={"cap_breach": (cap_rows, not_negative)},
    constraints={"pue_cap": (cap_rows, pue_cap)},
    cost={"cap_breach": cap_breach},
)
