"""What a Schedule draws, costs and emits, hour by hour: from the raw inputs, through the plant.

It knows nothing of the Problem: phases, maintenance, weather and prices are put on the grid here a second
time, by sampling every minute instead of by interval arithmetic, so that a slip in either shows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from energy import schema
from energy.audit.cooling import cooling
from energy.audit.facts import Facts, minutes, sample
from energy.audit.heat import reused
from energy.audit.onsite import energy_price, grid_exchange
from energy.inputs.dated import at, to_utc
from energy.inputs.fleet import Fleet, Pool, Site
from energy.inputs.gpus import GpuPower
from energy.plant import Weather, weather_from
from energy.schema import Floats, Times

#: Weather variables that cooling knows.
MOIST_AIR = ("temp_air", "temp_dew", "relative_humidity", "temp_wet_bulb", "pressure")


def replay(facts: Facts, schedule: xr.Dataset) -> xr.Dataset:
    """Power, overhead, water, grid exchange, energy cost and carbon of a Schedule: the `replay` table.

    Raises
    ------
    ValueError : the schedule holds GPUs of a pool that the fleet does not have.
    """
    time, dt = schedule["time"].values, schedule["dt"].values
    busy = _busy(facts.fleet, schedule)
    halls = {name: _hall(facts, name, busy, time, dt) for name in facts.fleet.halls()}
    by_hall = {key: np.array([h[key] for h in halls.values()]) for key in next(iter(halls.values()))}
    site_of = [list(facts.fleet.sites).index(site) for site, _ in facts.fleet.halls().values()]
    sites = facts.fleet.sites
    it = _sum_by(site_of, by_hall["it_mw"], len(sites))
    facility = it + _sum_by(site_of, by_hall["overhead_mw"], len(sites))
    facility += np.array([at(s.other_site_mw, time, s.time_zone) for s in sites.values()])
    held = dict(zip(sites, schedule["solar_limit_mw"].values, strict=True)) if "solar_limit_mw" in schedule else {}
    exchange = np.array([grid_exchange(facts, n, facility[i], time, dt, held.get(n)) for i, n in enumerate(sites)])
    drawn, fed, sun = exchange[:, 0], exchange[:, 1], exchange[:, 2]
    price = np.array([energy_price(facts, name, time, dt) for name in sites])
    power = dict(zip(halls, by_hall["it_mw"], strict=True))
    heat = np.array([reused(facts, name, power, time, dt) for name in sites])
    arrays: dict[str, object] = {
        "dt": dt, **by_hall, "facility_mw": facility, "site_it_mw": it, "import_mw": drawn, "export_mw": fed,
        "solar_mw": sun, "heat_mw": heat, "cost_eur": drawn * price * dt,
        "carbon_t": drawn * np.array([carbon(facts, s, time, dt) for s in sites.values()]) * dt,
    }  # fmt: skip
    coords: dict[str, object] = {"time": time, "site": list(sites), "hall": list(halls)}
    return schema.dataset(arrays, coords, schema.REPLAY)


def _sum_by(owner: list[int], rows: Floats, count: int) -> Floats:
    out = np.zeros((count, rows.shape[1]))
    np.add.at(out, owner, rows)
    return out


def _busy(fleet: Fleet, schedule: xr.Dataset) -> dict[str, Floats]:
    """GPUs held by jobs, per pool id, shape (T,)."""
    out = {name: np.zeros(schedule.sizes["time"]) for name in fleet.pools()}
    names = schedule["pool"].values.astype(str)
    unknown = sorted(set(names.tolist()) - set(out))
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
    weather = _weather(facts, site_name, site, time, dt)
    return {"it_mw": it} | cooling(facts.plants[name], hall, weather, it, time, dt, site.time_zone)


def _pool_power(pool: Pool, power: GpuPower, held: Floats, time: Times, dt: Floats, zone: str) -> Floats:
    """Busy, idle and switched-off GPUs times their power [MW], shape (T,)."""
    installed = at(pool.count, time, zone)
    out = np.zeros(len(time))
    for window in pool.maintenance:
        begin, end = to_utc(window.from_, zone), to_utc(window.to, zone)
        moments = minutes(time, dt)
        out += window.gpus * ((moments >= begin) & (moments < end)).mean(axis=1)
    up = np.maximum(installed - out, 0.0)
    working = at(pool.firm_gpus, time, zone) + held
    return power.busy_mw * working + power.idle_mw * (up - working) + power.off_mw * (installed - up)


def _weather(facts: Facts, name: str, site: Site, time: Times, dt: Floats) -> Weather:
    raw = facts.series.weather[name]
    columns = {str(k): sample(raw, str(k), time, dt) for k in raw.data_vars if k in MOIST_AIR}
    return weather_from(altitude_m=site.place.altitude_m, **columns)


def carbon(facts: Facts, site: Site, time: Times, dt: Floats) -> Floats:
    """Carbon intensity [t/MWh], 0 where not known, shape (T,)."""
    raw = facts.series.carbon.get(site.bidding_zone)
    return np.zeros(len(time)) if raw is None else sample(raw, "value", time, dt)
