"""From words to the arrays of the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.closed_forms.words import Cap, Charge, Contract, Job, Minimum, PostHorizon, Series, Site


def rows(values: Sequence[Series], periods: int) -> Any:
    """Numbers or series as rows, (len(values), T)."""
    return np.array([np.broadcast_to(v, periods) for v in values], dtype=float).reshape(len(values), periods)


def site_arrays(sites: Sequence[Site], periods: int) -> dict[str, Any]:
    price = rows([s.price for s in sites], periods)
    zero, one_ = np.zeros_like(price), np.ones_like(price)
    return {
        "temp_air": 10 * one_,
        "temp_wet_bulb": 8 * one_,
        "pressure": 101325 * one_,
        "weather_quality": zero,
        "price_quality": zero,
        "spot": price,
        "energy_charge": zero,
        "price": price,
        "carbon_intensity": zero,
        "carbon_known": np.zeros(len(sites)),
        "month_of": zero,
        "fixed_eur": [s.fixed for s in sites],
        "grid_limit_mw": rows([s.grid for s in sites], periods),
        "other_site_mw": rows([s.other for s in sites], periods),
        "solar_mw": rows([s.solar for s in sites], periods),
        "export_limit_mw": rows([s.export for s in sites], periods),
        "export_price": rows([s.export_price for s in sites], periods),
        "export_clip": zero,
        "heat_limit_mw": rows([s.heat for s in sites], periods),
        "heat_price": rows([s.heat_price for s in sites], periods),
    }


def hall_arrays(sites: Sequence[Site], periods: int) -> dict[str, Any]:
    halls = [(s, h) for s, site in enumerate(sites) for h in site.halls]
    pools = [(i, p) for i, (_, h) in enumerate(halls) for p in h.pools]
    firm, available = rows([p.firm for _, p in pools], periods), rows([p.gpus for _, p in pools], periods)
    busy, idle = (np.array([getattr(p, k) for _, p in pools]) for k in ("busy", "idle"))
    of = np.array([i for i, _ in pools])
    firm_it = rows([h.firm_it for _, h in halls], periods)
    base_it = firm_it.copy()
    np.add.at(base_it, of, busy[:, None] * firm + idle[:, None] * (available - firm))
    most = max(len(h.overhead) for _, h in halls)
    curve = np.array([[*h.overhead, *[(0.0, 0.0)] * (most - len(h.overhead))] for _, h in halls])
    width, slope = (np.repeat(curve[:, None, :, k], periods, axis=1) for k in (0, 1))
    return {
        "heat_share": [h.heat_share for _, h in halls],
        "hall_site": [s for s, _ in halls],
        "pool_hall": of,
        "available": available,
        "firm": firm,
        "busy_mw": busy,
        "idle_mw": idle,
        "firm_it_mw": firm_it,
        "base_it": base_it,
        "hall_mw": rows([h.limit for _, h in halls], periods),
        "base_overhead": rows([h.base_overhead for _, h in halls], periods),
        "width": width,
        "slope": slope,
        "chord": (width * slope).sum(axis=2) / width.sum(axis=2),
    }


def job_arrays(sites: Sequence[Site], jobs: Sequence[Job], periods: int) -> dict[str, Any]:
    pools = sum(len(h.pools) for s in sites for h in s.halls)
    speeds = [j.speeds if j.speeds is not None else dict.fromkeys(range(pools), 1.0) for j in jobs]
    groups = [s for i, s in enumerate(speeds) if s not in speeds[:i]]
    classes = [sorted(set(s.values()), reverse=True) for s in groups]
    speed = np.zeros((len(groups), max(len(c) for c in classes)))
    pool_class = np.full((len(groups), pools), -1)
    for k, (table, values) in enumerate(zip(groups, classes, strict=True)):
        speed[k, : len(values)] = values
        for n, v in table.items():
            pool_class[k, n] = values.index(v)
    share = np.zeros((len(jobs), periods))
    for row, j in zip(share, jobs, strict=True):
        after = periods if j.window[1] is None else j.window[1]
        row[j.window[0] : after] = 1.0
        row[after - 1] = j.share
    return {
        "job_group": [groups.index(s) for s in speeds],
        "speed": speed,
        "pool_class": pool_class,
        "open": share,
        "max_gpus": [j.gpus for j in jobs],
        "work_left": [j.work for j in jobs],
        "penalty": [j.penalty for j in jobs],
        "expected": [float(j.expected) for j in jobs],
        "deferred_max": [j.deferred_max for j in jobs],
        "terminal_price": [j.terminal_price for j in jobs],
        "due_after": [j.due for j in jobs],
    }


def post_horizon_arrays(post_horizon: Sequence[PostHorizon]) -> dict[str, Any]:
    return {
        "post_horizon_group": np.array([g.group for g in post_horizon], int),
        "post_horizon_until": [g.until for g in post_horizon],
        "post_horizon_capacity": [g.capacity for g in post_horizon],
    }


def tariff_arrays(
    charges: Sequence[Charge], contracts: Sequence[Contract], minimums: Sequence[Minimum], periods: int
) -> dict[str, Any]:
    most = max([len(c.bands) for c in charges], default=1)
    bands = np.array([[*c.bands, *[(0.0, 0.0)] * (most - len(c.bands))] for c in charges]).reshape(
        len(charges), most, 2
    )
    return {
        "charge_site": np.array([c.site for c in charges], int),
        "charge_month": np.array([c.month for c in charges], int),
        "charge_weight": rows([c.weight for c in charges], periods),
        "charge_floor": [c.floor for c in charges],
        "charge_band_mw": bands[..., 0],
        "charge_rate": bands[..., 1],
        "contract_site": np.array([q.site for q in contracts], int),
        "contract_mw": rows([q.mw for q in contracts], periods),
        "contract_saving": rows([q.saving for q in contracts], periods),
        "minimum_site": np.array([b.site for b in minimums], int),
        "minimum_month": np.array([b.month for b in minimums], int),
        "minimum_eur": [b.eur for b in minimums],
        "minimum_rate": rows([b.rate for b in minimums], periods),
    }


def cap_arrays(caps: Sequence[Cap], periods: int) -> dict[str, Any]:
    return {
        "cap_site": np.array([r.site for r in caps], int),
        "cap_limit": [r.limit for r in caps],
        "cap_start": np.array([r.start for r in caps], int),
        "cap_credit": [r.credit for r in caps],
        "cap_stop": np.array([periods if r.stop is None else r.stop for r in caps], int),
        "cap_penalty": [r.penalty for r in caps],
    }
