"""Power, cost and emissions of a Schedule, hour by hour: from the raw inputs, through the plant.

It does not use the Problem: phases, maintenance, weather and prices are put on the periods here a second time, by sampling
every minute instead of by interval arithmetic, so that a slip in either shows. The figures of cooling in the summary
(PUE, WUE, ERF, hours without compressor) come from its arrays.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from energy.audit.site_prices import energy_price, grid_exchange, minute_mean, reused, sample
from energy.inputs.dated import at
from energy.inputs.fleet import Fleet, Hall, Pool, Site
from energy.inputs.gpus import GpuPower
from energy.inputs.load import Inputs
from energy.plant import Plant, Weather, load_limit, overhead, weather_from
from energy.schedule.setpoints import SOLAR, by_owner
from energy.schema import COMPONENTS, TINY_MW, Bools, Floats, Ints, validate
from energy.schema import arrays as arrays_module
from energy.schema.calendar import Horizon, to_utc

#: Weather variables that cooling knows.
MOIST_AIR = ("temp_air", "temp_dew", "relative_humidity", "temp_wet_bulb", "pressure")


def replay(inputs: Inputs, schedule: xr.Dataset) -> xr.Dataset:
    """Power, overhead, water, grid exchange, energy cost and carbon of a Schedule: the `replay` table.

    Raises
    ------
    ValueError : the schedule holds GPUs of a pool that the fleet does not have.
    """
    horizon = Horizon.of(schedule)
    time, dt = horizon.time, horizon.dt
    busy = _busy(inputs.fleet, schedule)
    halls = {name: _hall(inputs, name, busy, horizon) for name in inputs.fleet.halls()}
    by_hall = {key: np.array([h[key] for h in halls.values()]) for key in next(iter(halls.values()))}
    site_of = [list(inputs.fleet.sites).index(site) for site, _ in inputs.fleet.halls().values()]
    sites = inputs.fleet.sites
    it = _sum_by(site_of, by_hall["it_mw"], len(sites))
    facility = it + _sum_by(site_of, by_hall["overhead_mw"], len(sites))
    facility += np.array([at(s.other_site_mw, time, s.time_zone) for s in sites.values()])
    limit = by_owner(schedule, SOLAR, sites)
    exchange = np.array([grid_exchange(inputs, n, facility[i], horizon, limit[i]) for i, n in enumerate(sites)])
    drawn, fed, sun = exchange[:, 0], exchange[:, 1], exchange[:, 2]
    price = np.array([energy_price(inputs, name, horizon) for name in sites])
    power = dict(zip(halls, by_hall["it_mw"], strict=True))
    heat = np.array([reused(inputs, name, power, horizon) for name in sites])
    arrays: dict[str, object] = {
        "dt": dt, **by_hall, "facility_mw": facility, "site_it_mw": it, "import_mw": drawn, "export_mw": fed,
        "solar_mw": sun, "heat_mw": heat, "cost_eur": drawn * price * dt,
        "carbon_t": drawn * np.array([carbon(inputs, s, horizon) for s in sites.values()]) * dt,
    }  # fmt: skip
    coords: dict[str, object] = {"time": time, "site": list(sites), "hall": list(halls)}
    return validate.dataset(arrays, coords, arrays_module.REPLAY)


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


def _hall(inputs: Inputs, name: str, busy: Mapping[str, Floats], horizon: Horizon) -> dict[str, Floats]:
    """IT power [MW] of a hall with what its cooling draws, each (T,)."""
    site_name, hall = inputs.fleet.halls()[name]
    site = inputs.fleet.sites[site_name]
    it = at(hall.other_it_mw, horizon.time, site.time_zone)
    for pool_name, pool in hall.pools.items():
        key = f"{name}/{pool_name}"
        it = it + _pool_power(pool, inputs.powers[key], busy[key], horizon, site.time_zone)
    raw = inputs.series.weather[site_name]
    columns = {str(k): sample(raw, str(k), horizon) for k in raw.data_vars if k in MOIST_AIR}
    weather = weather_from(altitude_m=site.place.altitude_m, **columns)
    return {"it_mw": it} | cooling(inputs.plants[name], hall, weather, it, horizon, site.time_zone)


def _pool_power(pool: Pool, power: GpuPower, held: Floats, horizon: Horizon, zone: str) -> Floats:
    """Busy, idle and switched-off GPUs times their power [MW], shape (T,)."""
    installed = at(pool.count, horizon.time, zone)
    out = np.zeros(len(horizon))
    for window in pool.maintenance:
        out += window.gpus * _share_inside(horizon, to_utc(window.from_, zone), to_utc(window.to, zone))
    up = np.maximum(installed - out, 0.0)
    working = at(pool.firm_gpus, horizon.time, zone) + held
    return power.busy_mw * working + power.idle_mw * (up - working) + power.off_mw * (installed - up)


def _share_inside(horizon: Horizon, begin: np.datetime64, end: np.datetime64) -> Floats:
    """Share of each period between two moments (UTC), (T,)."""
    return minute_mean(horizon, lambda moment: (moment >= begin) & (moment < end))


def carbon(inputs: Inputs, site: Site, horizon: Horizon) -> Floats:
    """Carbon intensity [t/MWh], 0 where not known, shape (T,)."""
    raw = inputs.series.carbon.get(site.bidding_zone)
    return np.zeros(len(horizon)) if raw is None else sample(raw, "value", horizon)


#: An hour cools freely when all but this share of the heat goes without compressor: rounding of sums of order 1.
FREE = 1e-9


def cooling(plant: Plant, hall: Hall, weather: Weather, it: Floats, horizon: Horizon, zone: str) -> dict[str, Floats]:
    """Overhead by component [MW], water [m3], free-cooling share [1] and derating [MW] of a hall, each (T,)."""
    design = at(hall.design_mw, horizon.time, zone)
    drawn = overhead(plant, weather, (it / design)[:, None])
    limit = np.minimum(design, at(hall.limit_mw, horizon.time, zone)) if hall.limit_mw else design
    parts = {name: getattr(drawn, name.removesuffix("_mw"))[:, 0] * design for name in COMPONENTS}
    return {
        "overhead_mw": drawn.total[:, 0] * design,
        "water_m3": drawn.water[:, 0] * design * horizon.dt,
        **parts,
        "free_cooling": np.clip(drawn.free_cooling[:, 0], 0.0, 1.0),
        "derating_mw": np.maximum(limit - design * load_limit(plant, weather), 0.0),
    }


def figures(replayed: xr.Dataset, hall_site: Ints) -> dict[str, object]:
    """Cooling of every site and hall over the horizon, for summary.json; energies in MWh, water in m3."""
    halls = {str(n): _hall_cooling(replayed, h) for h, n in enumerate(replayed["hall"].values)}
    sites = {str(n): _site(replayed, s, hall_site == s) for s, n in enumerate(replayed["site"].values)}
    dt = replayed["dt"].values
    water = float(replayed["water_m3"].sum())
    facility, it, heat = (float((replayed[n].values @ dt).sum()) for n in ("facility_mw", "site_it_mw", "heat_mw"))
    return {"fleet": {"wue_l_per_kwh": _ratio(water, it), **_reuse(facility, it, heat)},
            "sites": sites, "halls": halls}  # fmt: skip


def _site(replayed: xr.Dataset, s: int, mine: Bools) -> dict[str, object]:
    """WUE (ISO/IEC 30134-9: water into the site over IT energy), hours without compressor in any hall, worst hour."""
    dt = replayed["dt"].values
    facility, it, heat = (replayed[n].values[s] for n in ("facility_mw", "site_it_mw", "heat_mw"))
    free = (replayed["free_cooling"].values[mine] >= 1.0 - FREE).all(axis=0)
    return {
        "wue_l_per_kwh": _ratio(float(replayed["water_m3"].values[mine].sum()), float(it @ dt)),
        "free_cooling_hours": float(dt[free].sum()),
        **_worst(replayed, facility, it),
        **_reuse(float(facility @ dt), float(it @ dt), float(heat @ dt)),
    }


def _reuse(facility: float, it: float, heat: float) -> dict[str, object]:
    """ERF (ISO/IEC 30134-6) and ERE = (facility - reused) / IT. PUE knows nothing of reuse."""
    return {"reused_mwh": heat, "erf": _ratio(heat, facility), "ere": _ratio(facility - heat, it)}


def _hall_cooling(replayed: xr.Dataset, h: int) -> dict[str, object]:
    dt, it = replayed["dt"].values, replayed["it_mw"].values[h]
    derating = replayed["derating_mw"].values[h]
    free, derated = replayed["free_cooling"].values[h] >= 1.0 - FREE, derating > TINY_MW
    overhead_mw, water = replayed["overhead_mw"].values[h], float(replayed["water_m3"].values[h].sum())
    return {
        "it_mwh": float(it @ dt),
        "overhead_mwh": {n.removesuffix("_mw"): float(replayed[n].values[h] @ dt) for n in COMPONENTS},
        "pue": _ratio(float((it + overhead_mw) @ dt), float(it @ dt)),
        "water_m3": water,
        "wue_l_per_kwh": _ratio(water, float(it @ dt)),
        "free_cooling_hours": float(dt[free].sum()),
        "derated_hours": float(dt[derated].sum()),
        "most_derated_mw": float(derating.max(initial=0.0)),
        **_worst(replayed, it + overhead_mw, it),
    }


def _worst(replayed: xr.Dataset, facility: Floats, it: Floats) -> dict[str, object]:
    """Highest PUE of a single period and when it begins (UTC); none without IT load."""
    loaded = it > TINY_MW
    if not loaded.any():
        return {"worst_pue": None, "worst_hour": None}
    ratio = np.where(loaded, facility / np.where(loaded, it, 1.0), 0.0)
    t = int(np.argmax(ratio))
    return {
        "worst_pue": float(ratio[t]),
        "worst_hour": f"{np.datetime_as_string(replayed['time'].values[t], unit='m')}Z",
    }


def _ratio(above: float, below: float) -> float | None:
    return above / below if below > 0 else None
