"""Arrays of pools and halls: GPUs in phases, IT power, cooling as convex segments.

Heat reuse of the sites: what each hall can give, what the buyer takes, and what a MWh earns net of the heat pump.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from energy.errors import ConfigError, ImpossibleWork
from energy.inputs.dated import at, to_utc
from energy.inputs.fleet import Fleet, Pool
from energy.inputs.gpus import GpuPower
from energy.plant import Plant, Weather, chords_within, load_limit
from energy.schema import TINY_MW, Floats, Times

#: Largest error of the chords [PUE points] over u in [0.2, 1]; chosen so that all chords together stay below
#: 0.05 % of cost. Each hall gets the fewest segments that meet it in its own weather.
CHORD_ERROR = 0.0005


def pool_arrays(fleet: Fleet, powers: Mapping[str, GpuPower], time: Times, hours: float) -> dict[str, Floats]:
    """available, firm (N, T); busy_mw, idle_mw (N,); installed and off_mw for the hall's firm load.

    Raises
    ------
    ImpossibleWork : firm GPUs above what maintenance leaves.
    """
    counts = gpu_counts(fleet, time, hours)
    for name, firm, available in zip(fleet.pools(), counts["firm"], counts["available"], strict=True):
        _firm_fits(name, firm, available, time)
    power = [powers[name] for name in fleet.pools()]
    return {
        **counts,
        "busy_mw": np.array([p.busy_mw for p in power]),
        "idle_mw": np.array([p.idle_mw for p in power]),
        "off_mw": np.array([p.off_mw for p in power]),
    }


def gpu_counts(fleet: Fleet, time: Times, hours: float) -> dict[str, Floats]:
    """installed, available (less maintenance) and firm GPUs of each pool, (N, T)."""
    halls = fleet.halls()
    installed, available, firm = [], [], []
    for hall, pool in fleet.pools().values():
        zone = fleet.sites[halls[hall][0]].time_zone
        installed.append(at(pool.count, time, zone))
        available.append(np.maximum(installed[-1] - _out(pool, time, hours, zone), 0.0))
        firm.append(at(pool.firm_gpus, time, zone))
    return {"installed": np.array(installed), "available": np.array(available), "firm": np.array(firm)}


def _out(pool: Pool, time: Times, hours: float, zone: str) -> Floats:
    """GPUs out for maintenance, by the share of each period the window covers, shape (T,)."""
    length = np.timedelta64(round(hours * 3600), "s")
    out = np.zeros(len(time))
    for window in pool.maintenance:
        begin, end = to_utc(window.from_, zone), to_utc(window.to, zone)
        overlap = np.minimum(time + length, end) - np.maximum(time, begin)
        out += window.gpus * np.maximum(overlap / length, 0.0)
    return out


def _firm_fits(name: str, firm: Floats, available: Floats, time: Times) -> None:
    bad = firm > available
    if bad.any():
        t = int(np.argmax(bad))
        raise ImpossibleWork(
            f"pool {name} at {time[t].astype('datetime64[m]')}Z",
            f"firm_gpus {firm[t]:g} above the {available[t]:g} GPUs that phases and maintenance leave",
            f"at most {available[t]:g} firm_gpus then, or maintenance of fewer GPUs",
        )


def hall_arrays(
    fleet: Fleet, plants: Mapping[str, Plant], weather: Mapping[str, Weather], pools: Mapping[str, Floats], time: Times
) -> dict[str, Floats]:
    """hall_mw, firm_it_mw, it_min, overhead_min, chord (H, T); width, slope (H, T, I).

    Raises
    ------
    ImpossibleWork : a hall whose limit is below its idle load, or that has no design load in some hour.
    """
    rows = [_hall(fleet, name, plants[name], weather[site], pools, time) for name, (site, _) in fleet.halls().items()]
    most = max(row["width"].shape[1] for row in rows)
    return {key: np.array([_padded(row[key], most) for row in rows]) for key in rows[0]}


def _padded(values: Floats, segments: int) -> Floats:
    """Segments of a hall that needs fewer than others, filled up with segments of no width."""
    missing = segments - values.shape[1] if values.ndim == 2 else 0
    return np.pad(values, ((0, 0), (0, missing))) if missing else values


def _hall(
    fleet: Fleet, name: str, plant: Plant, weather: Weather, pools: Mapping[str, Floats], time: Times
) -> dict[str, Floats]:
    site, hall = fleet.halls()[name]
    zone = fleet.sites[site].time_zone
    design = at(hall.design_mw, time, zone)
    limit = np.minimum(design, at(hall.limit_mw, time, zone)) if hall.limit_mw else design
    limit = np.minimum(limit, design * load_limit(plant, weather))
    mine = [n for n, (h, _) in enumerate(fleet.pools().values()) if h == name]
    load = {k: v[mine] for k, v in pools.items()}
    firm_it = at(hall.other_it_mw, time, zone) + load["off_mw"] @ (load["installed"] - load["available"])
    it_min = firm_it + load["busy_mw"] @ load["firm"] + load["idle_mw"] @ (load["available"] - load["firm"])
    it_all = firm_it + load["busy_mw"] @ load["available"]
    _has_design(name, design, time)
    _limit_holds(name, it_min, limit, time)
    it_max = np.maximum(np.minimum(it_all, limit), it_min)
    return {"hall_mw": limit, "firm_it_mw": firm_it, "it_min": it_min} | cooling(plant, weather, design, it_min, it_max)


def cooling(plant: Plant, weather: Weather, design: Floats, it_min: Floats, it_max: Floats) -> dict[str, Floats]:
    """Overhead between the least and the most IT power as convex segments and as one chord.

    Chords of a convex curve lie above it, so a plan that meets a PUE cap here meets it in the plant.
    """
    curve = chords_within(plant, weather, it_min / design, it_max / design, CHORD_ERROR)
    power, overhead = curve.breaks * design[:, None], curve.overhead * design[:, None]
    width = np.diff(power, axis=1)
    slope = _ratio(np.diff(overhead, axis=1), width)
    span = power[:, -1] - power[:, 0]
    return {
        "overhead_min": overhead[:, 0],
        "width": _without_slivers(width),
        "slope": slope,
        "chord": _ratio(overhead[:, -1] - overhead[:, 0], span),
    }


def _without_slivers(width: Floats) -> Floats:
    """Segments too narrow for the solver's tolerance, given to the widest one of their hour."""
    kept = np.where(width > TINY_MW, width, 0.0)
    widest = np.argmax(width, axis=1)
    kept[np.arange(len(kept)), widest] += (width - kept).sum(axis=1)
    return np.where(kept > TINY_MW, kept, 0.0)


def _ratio(rise: Floats, run: Floats) -> Floats:
    """rise / run, 0 on segments too narrow to matter."""
    return np.divide(rise, run, out=np.zeros_like(rise), where=run > TINY_MW)


def _has_design(name: str, design: Floats, time: Times) -> None:
    if not design.all():
        t = int(np.argmin(design > 0))
        raise ImpossibleWork(
            f"hall {name} at {time[t].astype('datetime64[m]')}Z",
            "design_mw is 0 MW",
            "above 0 MW throughout the horizon; for a hall still to come, a horizon after its first phase",
        )


def _limit_holds(name: str, it_min: Floats, limit: Floats, time: Times) -> None:
    bad = it_min > limit
    if bad.any():
        t = int(np.argmax(bad))
        raise ImpossibleWork(
            f"hall {name} at {time[t].astype('datetime64[m]')}Z",
            f"idle and firm load of {it_min[t]:.3f} MW above the hall's limit of {limit[t]:.3f} MW",
            "a higher design_mw or limit_mw, or fewer GPUs",
        )


def heat_arrays(fleet: Fleet, plants: Mapping[str, Plant], price: Sequence[Floats], time: Times) -> dict[str, object]:
    """heat_share (H,); heat_limit_mw, heat_price (S, T).

    Parameters
    ----------
    price : what one more MWh of power costs at each site [EUR/MWh], each (T,)

    Raises
    ------
    ConfigError : a buyer of heat at a site where no hall is warm enough and there is no heat pump.
    """
    limit, net = np.zeros((len(fleet.sites), len(time))), np.zeros((len(fleet.sites), len(time)))
    for s, site in enumerate(fleet.sites.values()):
        if site.heat_reuse is not None:
            limit[s] = at(site.heat_reuse.limit_mw, time, site.time_zone)
            cop = site.heat_reuse.heat_pump_cop
            net[s] = site.heat_reuse.price_eur_per_mwh - (price[s] / cop if cop else 0.0)
    share = np.array([_share(fleet, plants[hall], site) for hall, (site, _) in fleet.halls().items()])
    _someone_delivers(fleet, share)
    return {"heat_share": share, "heat_limit_mw": limit, "heat_price": net}


def _share(fleet: Fleet, plant: Plant, site: str) -> float:
    """Heat that can be handed over per IT power; 0 where the return is too cold."""
    buyer = fleet.sites[site].heat_reuse
    if buyer is None:
        return 0.0
    carried, warm = plant.liquid_heat()
    return carried * buyer.recoverable_share if buyer.heat_pump_cop or warm >= buyer.temperature_c else 0.0


def _someone_delivers(fleet: Fleet, share: Floats) -> None:
    owner = np.array([site for site, _ in fleet.halls().values()])
    for name, site in fleet.sites.items():
        if site.heat_reuse is not None and not share[owner == name].any():
            raise ConfigError(
                f"sites.{name}.heat_reuse",
                f"no hall has a liquid loop that returns {site.heat_reuse.temperature_c:g} °C or more",
                "a lower temperature_c, a heat_pump_cop, or a liquid-cooled hall",
            )
