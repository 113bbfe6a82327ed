"""What random Problems lack for laws: contracts, sun, minimum bills, ratchets, odd windows and caps.

Synthetic throughout, like `instances`; every function takes a Problem and returns a new, checked one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from energy.schema import Floats, validate, values_of
from energy.schema import arrays as arrays_module


def replaced(problem: xr.Dataset, coords: Mapping[str, object] | None = None, **arrays: object) -> xr.Dataset:
    """The Problem with other arrays, and other axes where their lengths change; checked again."""
    kept: dict[str, object] = values_of(problem)
    axes: dict[str, object] = {str(k): v.values for k, v in problem.coords.items()}
    return validate.dataset(kept | arrays, axes | dict(coords or {}), arrays_module.PROBLEM)


def arrays_of(problem: xr.Dataset) -> dict[str, Floats]:
    """Plain arrays by name, copied."""
    return {k: v.copy() for k, v in values_of(problem).items()}


def with_sun(problem: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Solar arrays on some sites, some of which may feed in below the price."""
    p = arrays_of(problem)
    shape = p["price"].shape
    day = np.maximum(np.sin(np.linspace(0, 2 * np.pi, shape[1])), 0.0)
    size = rng.uniform(0.05, 0.4, shape[0])[:, None] * (rng.random(shape[0]) < 0.7)[:, None]
    limit = np.broadcast_to(np.where(rng.random(shape[0]) < 0.6, 0.2, 0.0)[:, None], shape)
    paid = p["price"] - rng.uniform(0, 20, shape)
    return replaced(problem, solar_mw=size * day, export_limit_mw=limit.copy(), export_price=paid)


def with_contracts(problem: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """One to three contracts that save part of a positive price, two of them perhaps at one site."""
    price = problem["price"].values
    site = rng.integers(0, len(price), rng.integers(1, 4))
    offered = rng.uniform(0, 0.3, (len(site), price.shape[1])) * (rng.random((len(site), price.shape[1])) < 0.7)
    saving = np.maximum(price[site], 0.0) * rng.uniform(0, 0.9, offered.shape)
    return replaced(
        problem, {"contract": [f"c{q}" for q in range(len(site))]},
        contract_site=site, contract_mw=offered, contract_saving=saving,
        fixed_eur=rng.uniform(0, 50, len(price)),
    )  # fmt: skip


def with_minimums(problem: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Energy charges that count towards a minimum bill per site and month, some bills out of reach."""
    p = arrays_of(problem)
    sites, periods = p["price"].shape
    charge = np.broadcast_to(rng.uniform(1, 15, sites)[:, None], (sites, periods)).copy()
    months = np.unique(p["month_of"])
    site, month = np.repeat(np.arange(sites), len(months)), np.tile(months, sites)
    rate = np.where(p["month_of"][site] == month[:, None], charge[site], 0.0)
    usual = (rate * p["dt"] * p["grid_limit_mw"][site]).sum(axis=1)
    return replaced(
        problem, {"minimum": [f"m{b}" for b in range(len(site))]},
        energy_charge=charge, price=p["spot"] + charge, minimum_site=site, minimum_month=month, minimum_rate=rate,
        minimum_eur=usual * rng.uniform(-0.1, 1.5, len(site)),
    )  # fmt: skip


def with_memory(problem: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Demand charges of declared hours, with a ratchet on the other month and a peak already set."""
    p = arrays_of(problem)
    declared = rng.random(p["charge_weight"].shape) < 0.6
    weight = np.where(p["charge_weight"] > 0, declared * 1.0, 0.7 * (rng.random(declared.shape) < 0.3))
    floor = rng.uniform(0, 0.15, len(weight)) * (rng.random(len(weight)) < 0.5)
    return replaced(problem, charge_weight=weight, charge_floor=floor)


def with_windows(problem: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Windows that begin and end inside a period."""
    share = problem["open"].values
    edge = (share > 0) & ((np.roll(share, 1, axis=1) == 0) | (np.roll(share, -1, axis=1) == 0))
    return replaced(problem, open=np.where(edge, share * rng.uniform(0.2, 1.0, share.shape), share))


def with_caps(problem: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """A fleet cap, a window inside the horizon and one single hour, with credit and debt from before."""
    periods = problem.sizes["time"]
    begin, hour = int(rng.integers(0, periods // 2)), int(rng.integers(0, periods))
    penalty = float(problem["penalty"].max() / problem["busy_mw"].max()) * 10
    rows = (
        (-1, 0, periods, rng.uniform(1.08, 1.2), rng.uniform(-0.01, 0.05)),
        (0, begin, begin + periods // 2, rng.uniform(1.08, 1.2), rng.uniform(-0.01, 0.02)),
        (problem.sizes["site"] - 1, hour, hour + 1, rng.uniform(1.08, 1.2), 0.0),
    )
    site, start, stop, limit, credit = (np.array(x) for x in zip(*rows, strict=True))
    return replaced(
        problem, {"cap": ["fleet:f@2020", "s0:rolling@x", "last:hour@y"]}, cap_site=site, cap_start=start,
        cap_stop=stop, cap_limit=limit, cap_credit=credit, cap_penalty=np.full(3, penalty),
    )  # fmt: skip


def with_little_room(problem: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Fewer GPUs, smaller halls and grid connections: headroom over the idle fleet times a share."""
    p = arrays_of(problem)
    least = p["other_site_mw"].copy()
    np.add.at(least, p["hall_site"], p["base_it"] + p["base_overhead"])
    room, hall, grid = rng.uniform(0.2, 0.7), rng.uniform(0.3, 1.0), rng.uniform(0.3, 1.0)
    return replaced(
        problem, available=p["firm"] + room * (p["available"] - p["firm"]),
        hall_mw=p["base_it"] + hall * (p["hall_mw"] - p["base_it"]),
        grid_limit_mw=least + grid * (p["grid_limit_mw"] - least),
    )  # fmt: skip


def with_heat(problem: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Buyers of heat at some sites, in some hours above what the halls give, now and then at a loss."""
    shape = problem["price"].shape
    wanted = problem["grid_limit_mw"].values * rng.uniform(0, 1, shape) * (rng.random(shape) < 0.7)
    share = rng.uniform(0.3, 0.9, problem.sizes["hall"]) * (rng.random(problem.sizes["hall"]) < 0.7)
    return replaced(problem, heat_share=share, heat_limit_mw=wanted, heat_price=rng.uniform(-2, 15, shape))


def with_waiting(problem: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Some jobs may leave work for after the horizon at about its price, limited by day for all and by group."""
    p = arrays_of(problem)
    jobs, groups = problem.sizes["job"], problem.sizes["group"]
    due = rng.integers(1, 72, jobs) * (rng.random(jobs) < 0.7)
    most = np.minimum(p["work_left"] * rng.uniform(0.3, 1.5, jobs), p["work_left"]) * (due > 0)
    usual = float(np.median(p["price"]) * (p["busy_mw"] - p["idle_mw"]).max())
    group, until = np.repeat(np.arange(-1, groups), 3), np.tile([24.0, 48.0, 72.0], groups + 1)
    return replaced(
        problem, {"post_horizon": [f"g{k}@{u:.0f}" for k, u in zip(group, until, strict=True)]},
        due_after=due, deferred_max=most, terminal_price=usual * rng.uniform(0.5, 1.5, jobs), post_horizon_group=group,
        post_horizon_until=until, post_horizon_capacity=most.sum() * until / 72 * rng.uniform(0.1, 0.8, len(until)),
    )  # fmt: skip


ENRICHMENTS: tuple[Callable[[xr.Dataset, np.random.Generator], xr.Dataset], ...] = (
    with_minimums, with_sun, with_contracts, with_memory, with_windows, with_caps,
    with_little_room, with_heat, with_waiting,
)  # fmt: skip


def enriched(problem: xr.Dataset, seed: int, share: float = 0.6) -> xr.Dataset:
    """The Problem with a random choice of everything above. Minimum bills come first: they move the price."""
    rng = np.random.default_rng(seed)
    for enrich in ENRICHMENTS:
        if rng.random() < share:
            problem = enrich(problem, rng)
    return problem
