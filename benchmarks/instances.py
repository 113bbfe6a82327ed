"""Random Problems of a stated size, straight as Datasets: for benchmarks, laws and differential tests.

Synthetic throughout: prices, cooling curves and jobs are drawn with a seed, nothing is measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from energy.schema import Floats, validate
from energy.schema import arrays as arrays_module


@dataclass(frozen=True)
class Size:
    """Size of an instance; timings mean nothing without the number of groups."""

    jobs: int = 12
    sites: int = 3
    periods: int = 24
    groups: int = 3
    segments: int = 4
    utilisation: float = 0.6
    speeds: int = 1
    negative_share: float = 0.05
    demand_rate: float = 800.0
    cap: float | None = 1.25
    bands: bool = False
    hours: float = 1.0
    heat_price: float | None = None
    halls_per_site: int = 1
    pools_per_hall: int = 1

    @property
    def halls(self) -> int:
        """All halls."""
        return self.sites * self.halls_per_site

    @property
    def pools(self) -> int:
        """All pools."""
        return self.halls * self.pools_per_hall


def random_problem(size: Size = Size(), seed: int = 0) -> xr.Dataset:  # noqa: RUF100
    """A feasible Problem: halls and pools as stated, groups with random sets of pools."""
    rng = np.random.default_rng(seed)
    work = _jobs(size, rng)
    halls = _halls(size, rng, work)
    arrays: dict[str, object] = {**_axes(size), **_sites(size, rng, halls), **halls, **work}
    dearest = (halls["busy_mw"][0] - halls["idle_mw"][0]) * (200 + size.demand_rate / size.hours) * 1.5
    arrays["penalty"] = np.full(size.jobs, 10 * dearest / work["speed"][work["speed"] > 0].min())
    arrays |= _caps(size, float(arrays["penalty"][0] / halls["busy_mw"][0]))  # type: ignore[index]
    coords: dict[str, object] = {
        "time": np.datetime64("2020-01-31T00:00", "ns")
        + np.arange(size.periods) * np.timedelta64(round(size.hours * 60), "m"),
        "site": [f"s{i}" for i in range(size.sites)],
        "hall": [f"s{i // size.halls_per_site}/h{i}" for i in range(size.halls)],
        "pool": [f"s{i // size.halls_per_site // size.pools_per_hall}/h/p{i}" for i in range(size.pools)],
        "job": [f"j{i}" for i in range(size.jobs)],
        "group": [f"g{i}" for i in range(size.groups)], "month": ["2020-01", "2020-02"],
        "charge": [f"s{i // 2}:demand@2020-0{i % 2 + 1}" for i in range(len(arrays["charge_site"]))],  # type: ignore[arg-type]
        "cap": [f"s{i}:year@2020" for i in range(size.sites)] if size.cap else [],
    }  # fmt: skip
    return validate.dataset(arrays, coords, arrays_module.PROBLEM)


def _axes(size: Size) -> dict[str, object]:
    first_month = (np.arange(size.periods) * size.hours >= 24).astype(int)
    return {
        "dt": np.full(size.periods, size.hours), "hall_site": np.arange(size.halls) // size.halls_per_site,
        "pool_hall": np.arange(size.pools) // size.pools_per_hall,
        "month_of": np.tile(first_month, (size.sites, 1)), **_tariffs(size, first_month),
    }  # fmt: skip


def _tariffs(size: Size, first_month: Floats) -> dict[str, object]:
    """A demand charge per site and month, some with a rising second band."""
    charges = size.sites * 2 if size.demand_rate > 0 else 0
    site, month = np.arange(charges) // 2, np.arange(charges) % 2
    bands = np.tile([[0.05, 1e3]], (charges, 1)) if size.bands else np.tile([[1e3, 0.0]], (charges, 1))
    return {
        "charge_site": site, "charge_month": month,
        "charge_weight": (first_month == month[:, None]).astype(float).reshape(charges, size.periods),
        "charge_rate": np.tile([[1.0, 1.5]], (charges, 1)) * size.demand_rate, "charge_band_mw": bands,
    }  # fmt: skip


def _jobs(size: Size, rng: np.random.Generator) -> dict[str, Floats]:
    """Windows, groups and speeds; every group may use at least one site, site 0 always."""
    release = rng.integers(0, max(1, size.periods // 2), size.jobs)
    length = rng.integers(max(2, size.periods // 5), max(3, size.periods * 5 // 7), size.jobs)
    deadline = np.minimum(size.periods, release + length)
    periods = np.arange(size.periods)
    is_open = ((periods >= release[:, None]) & (periods < deadline[:, None])).astype(float)
    shape = (size.groups, size.pools)
    pool_class = np.where(rng.random(shape) < 0.6, rng.integers(0, size.speeds, shape), -1)
    pool_class[:, 0] = 0
    used = np.array([[(row == c).any() for c in range(size.speeds)] for row in pool_class])
    speed = np.where(used, np.array([1.0, 0.55, 0.3, 0.2])[: size.speeds], 0.0)
    most = rng.uniform(8, 64, size.jobs).round()
    return {
        "job_group": np.arange(size.jobs) % size.groups, "open": is_open, "pool_class": pool_class, "speed": speed,
        "max_gpus": most, "work_left": 0.4 * most * is_open.sum(axis=1) * size.hours,
    }  # fmt: skip


def _halls(size: Size, rng: np.random.Generator, work: dict[str, Floats]) -> dict[str, Floats]:
    """Pools sized for the stated utilisation of the whole fleet; overhead rises like a cube."""
    shape = (size.halls, size.periods)
    total = work["work_left"].sum() / (size.periods * size.hours) / size.utilisation
    count = np.ceil(np.maximum(total / size.pools * rng.uniform(0.8, 1.2, size.pools), 70))
    available = np.broadcast_to(count[:, None], (size.pools, size.periods)).copy()
    scale = 1 - 0.25 * (np.arange(size.pools) % size.pools_per_hall)  # kinds of GPUs in one hall differ in power
    busy, idle = 1.9e-3 * scale, 0.5e-3 * scale
    firm, firm_it = np.full(available.shape, 4.0), np.full(shape, 0.02)
    base_it, it_max = firm_it.copy(), firm_it.copy()
    hall = np.arange(size.pools) // size.pools_per_hall
    np.add.at(base_it, hall, busy[:, None] * firm + idle[:, None] * (available - firm))
    np.add.at(it_max, hall, busy[:, None] * available)
    warm = rng.uniform(0.6, 1.6, shape)
    at = base_it[..., None] + np.linspace(0, 1, size.segments + 1) * (it_max - base_it)[..., None]
    load = at / it_max[..., None]
    overhead = it_max[..., None] * (0.02 + 0.02 * load + 0.05 * warm[..., None] * load**3)
    width, rise = np.diff(at, axis=2), np.diff(overhead, axis=2)
    return {
        "hall_mw": it_max * 1.02, "firm_it_mw": firm_it, "base_it": base_it, "base_overhead": overhead[..., 0],
        "width": width, "slope": rise / width, "chord": rise.sum(axis=2) / width.sum(axis=2),
        "available": available, "firm": firm, "busy_mw": busy, "idle_mw": idle,
    }  # fmt: skip


def _sites(size: Size, rng: np.random.Generator, halls: dict[str, Floats]) -> dict[str, object]:
    shape = (size.sites, size.periods)
    hour = np.arange(size.periods) * size.hours
    level = rng.uniform(10, 60, size.sites)[:, None]
    spot = level * (1 + 0.35 * np.sin(2 * np.pi * (hour - 8) / 24)) + rng.normal(0, 6, shape)
    spot = np.where(rng.random(shape) < size.negative_share, -rng.uniform(1, 40, shape), spot)
    zeros, ones = np.zeros(shape), np.ones(shape)
    site_mw = halls["hall_mw"].reshape(size.sites, size.halls_per_site, size.periods).sum(axis=1)
    facility = site_mw * 1.12
    bought = 0.5 * site_mw * (hour % 3 > 0) if size.heat_price is not None else zeros
    return {
        "temp_air": 10 * ones, "temp_wet_bulb": 8 * ones, "pressure": 101325 * ones,
        "weather_quality": np.full(shape, 6, np.int8), "price_quality": np.full(shape, 6, np.int8),
        "spot": spot, "price": spot, "grid_limit_mw": facility, "other_site_mw": 0.01 * ones,
        "heat_share": 0.7 * (np.arange(size.halls) // size.halls_per_site % 2 == 0), "heat_limit_mw": bought,
        "heat_price": zeros + (size.heat_price or 0.0) - 0.2 * spot * (size.heat_price is not None),
    }  # fmt: skip


def _caps(size: Size, penalty: float) -> dict[str, object]:
    rows = size.sites if size.cap else 0
    return {
        "cap_site": np.arange(rows), "cap_start": np.zeros(rows, int), "cap_stop": np.full(rows, size.periods),
        "cap_limit": np.full(rows, size.cap or 1.0),
        "cap_penalty": np.full(rows, 10 * penalty),
    }  # fmt: skip
