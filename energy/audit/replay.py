"""What a Schedule draws, costs and emits, hour by hour: from the raw inputs, through the plant.

It knows nothing of the Problem: phases, maintenance, weather and prices are put on the grid here a second
time, by sampling every minute instead of by interval arithmetic, so that a slip in either shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from energy import schema
from energy.inputs.case import Case
from energy.inputs.dated import at, to_utc
from energy.inputs.fleet import Fleet, Pool, Site
from energy.inputs.gpus import GpuPower
from energy.inputs.series import Series
from energy.inputs.tariffs import Tariff
from energy.plant import Plant, Weather, overhead, weather_from
from energy.schema import Floats, Times


@dataclass(frozen=True)
class Facts:
    """The raw inputs that replay and bill start from."""

    case: Case
    fleet: Fleet
    powers: Mapping[str, GpuPower]
    plants: Mapping[str, Plant]
    tariffs: Mapping[str, Tariff]
    series: Series


def replay(facts: Facts, schedule: xr.Dataset) -> xr.Dataset:
    """Power, overhead, water, energy cost and carbon of a Schedule: the `replay` table.

    Raises
    ------
    ValueError : the schedule holds GPUs of a pool that the fleet does not have.
    """
    time, dt = schedule["time"].values, schedule["dt"].values
    busy = _busy(facts.fleet, schedule)
    halls = {name: _hall(facts, name, busy, time, dt) for name in facts.fleet.halls()}
    by_hall = {key: np.array([h[key] for h in halls.values()]) for key in ("it_mw", "overhead_mw", "water_m3")}
    site_of = [list(facts.fleet.sites).index(site) for site, _ in facts.fleet.halls().values()]
    sites = list(facts.fleet.sites.values())
    it = _sum_by(site_of, by_hall["it_mw"], len(sites))
    facility = it + _sum_by(site_of, by_hall["overhead_mw"], len(sites))
    facility += np.array([at(s.other_site_mw, time, s.time_zone) for s in sites])
    price = np.array([spot(facts, s, time, dt) + sum(charges(facts, s, n, time).values(), np.zeros(len(time)))
                      for n, s in facts.fleet.sites.items()])  # fmt: skip
    arrays: dict[str, object] = {
        "dt": dt, **by_hall, "facility_mw": facility, "site_it_mw": it, "cost_eur": facility * price * dt,
        "carbon_t": facility * np.array([carbon(facts, s, time, dt) for s in sites]) * dt,
    }  # fmt: skip
    coords: dict[str, object] = {"time": time, "site": list(facts.fleet.sites), "hall": list(halls)}
    return schema.dataset(arrays, coords, schema.REPLAY)


def _sum_by(owner: list[int], rows: Floats, count: int) -> Floats:
    out = np.zeros((count, rows.shape[1]))
    np.add.at(out, owner, rows)
    return out


def _busy(fleet: Fleet, schedule: xr.Dataset) -> dict[str, Floats]:
    """GPUs held by jobs, per pool id, shape (T,)."""
    out = {name: np.zeros(schedule.sizes["time"]) for name in fleet.pools()}
    names = schedule["pool"].values.astype(str)
    unknown = sorted(set(names) - set(out))
    if unknown:
        raise ValueError(f"schedule: pool {unknown[0]!r} is not in the fleet")
    for pool in range(len(names)):
        mine = schedule["entry_pool"].values == pool
        np.add.at(out[names[pool]], schedule["entry_time"].values[mine], schedule["entry_gpus"].values[mine])
    return out


def _hall(facts: Facts, name: str, busy: Mapping[str, Floats], time: Times, dt: Floats) -> dict[str, Floats]:
    site_name, hall = facts.fleet.halls()[name]
    site = facts.fleet.sites[site_name]
    it = at(hall.other_it_mw, time, site.time_zone)
    for pool_name, pool in hall.pools.items():
        key = f"{name}/{pool_name}"
        it = it + _pool_power(pool, facts.powers[key], busy[key], time, dt, site.time_zone)
    design = at(hall.design_mw, time, site.time_zone)
    drawn = overhead(facts.plants[name], _weather(facts, site_name, site, time, dt), (it / design)[:, None])
    return {"it_mw": it, "overhead_mw": drawn.total[:, 0] * design, "water_m3": drawn.water[:, 0] * design * dt}


def _pool_power(pool: Pool, power: GpuPower, held: Floats, time: Times, dt: Floats, zone: str) -> Floats:
    """Busy, idle and switched-off GPUs times their power [MW], shape (T,)."""
    installed = at(pool.count, time, zone)
    out = np.zeros(len(time))
    for window in pool.maintenance:
        begin, end = to_utc(window.from_, zone), to_utc(window.to, zone)
        minutes = _minutes(time, dt)
        out += window.gpus * ((minutes >= begin) & (minutes < end)).mean(axis=1)
    up = np.maximum(installed - out, 0.0)
    working = at(pool.firm_gpus, time, zone) + held
    return power.busy_mw * working + power.idle_mw * (up - working) + power.off_mw * (installed - up)


def _weather(facts: Facts, name: str, site: Site, time: Times, dt: Floats) -> Weather:
    raw = facts.series.weather[name]
    columns = {str(k): sample(raw, str(k), time, dt) for k in raw.data_vars if k != "quality"}
    return weather_from(altitude_m=site.place.altitude_m, **columns)


def _minutes(time: Times, dt: Floats) -> Times:
    """Middles of the minutes of each period, shape (T, minutes); periods are equally long."""
    count = round(float(dt[0]) * 60)
    return time[:, None] + np.timedelta64(30, "s") + np.arange(count) * np.timedelta64(1, "m")


def sample(ds: xr.Dataset, name: str, time: Times, dt: Floats) -> Floats:
    """Mean of a raw step series over each period, from its value in every minute, shape (T,)."""
    position = np.searchsorted(ds["time"].values, _minutes(time, dt), side="right") - 1
    return np.asarray(ds[name].values[position].mean(axis=1))


def spot(facts: Facts, site: Site, time: Times, dt: Floats) -> Floats:
    """Day-ahead price of the site's zone [EUR/MWh], shape (T,)."""
    raw = facts.series.prices[site.bidding_zone]
    return sample(raw, "value", time, dt) * in_eur(facts.case, raw.attrs["currency"])


def charges(facts: Facts, site: Site, name: str, time: Times) -> dict[str, Floats]:
    """Energy components of the site's tariff by name [EUR/MWh], each (T,), on each period's local day."""
    tariff = facts.tariffs[name]
    days = pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(site.time_zone).date
    names = sorted({c.name for c in tariff.components if c.kind == "energy"})
    rate = in_eur(facts.case, tariff.currency)

    def value(day: object, component: str) -> float:
        valid = [c for c in tariff.components if c.kind == "energy" and c.name == component and c.valid_from <= day]  # type: ignore[operator]
        return max(valid, key=lambda c: c.valid_from).value * rate if valid else 0.0

    table = {day: {n: value(day, n) for n in names} for day in sorted(set(days))}
    return {n: np.array([table[d][n] for d in days]) for n in names}


def carbon(facts: Facts, site: Site, time: Times, dt: Floats) -> Floats:
    """Carbon intensity [t/MWh], 0 where not known, shape (T,)."""
    raw = facts.series.carbon.get(site.bidding_zone)
    return np.zeros(len(time)) if raw is None else sample(raw, "value", time, dt)


def in_eur(case: Case, currency: str) -> float:
    """EUR per unit of a currency."""
    return 1.0 if currency == "EUR" else case.fx[currency].eur_per_unit
