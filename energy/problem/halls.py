"""Arrays of pools and halls: GPUs in phases, IT power, cooling as convex segments, heat for buyers."""

from collections.abc import Mapping, Sequence

import numpy as np

from energy.errors import ConfigError, ImpossibleWork
from energy.inputs.dated import at
from energy.inputs.fleet import Fleet
from energy.inputs.gpus import GpuPower
from energy.plant import Plant, Weather, chords_within, load_limit
from energy.schema import TINY_MW, Floats, Times
from energy.schema.calendar import Horizon, to_utc

#: Largest error of the chords [PUE points] over u in [0.2, 1]; chosen so that all chords together stay below
#: 0.05 % of cost. Each hall gets the fewest segments that meet it in its own weather.
CHORD_ERROR = 0.0005


def pool_arrays(fleet: Fleet, powers: Mapping[str, GpuPower], horizon: Horizon) -> dict[str, Floats]:
    """available, firm (N, T); busy_mw, idle_mw (N,); installed and off_mw for the hall's firm load.

    Raises
    ------
    ImpossibleWork : firm GPUs above what maintenance leaves.
    """
    counts, time = gpu_counts(fleet, horizon), horizon.time
    for name, firm, available in zip(fleet.pools(), counts["firm"], counts["available"], strict=True):
        above = ~(firm <= available)
        if above.any():
            t = int(np.argmax(above))
            raise ImpossibleWork(
                f"pool {name} at {time[t].astype('datetime64[m]')}Z",
                f"firm_gpus {firm[t]:g} above the {available[t]:g} GPUs that phases and maintenance leave",
                f"at most {available[t]:g} firm_gpus then, or maintenance of fewer GPUs",
            )
    power = [powers[name] for name in fleet.pools()]
    return counts | {
        f"{state}_mw": np.array([getattr(p, f"{state}_mw") for p in power]) for state in ("busy", "idle", "off")
    }


def gpu_counts(fleet: Fleet, horizon: Horizon) -> dict[str, Floats]:
    """installed, available (less maintenance) and firm GPUs of each pool, (N, T)."""
    halls, length = fleet.halls(), horizon.ends - horizon.time
    installed, available, firm = [], [], []
    for hall, pool in fleet.pools().values():
        zone, out = fleet.sites[halls[hall][0]].time_zone, np.zeros(len(horizon))
        for window in pool.maintenance:  # by the share of each period that it covers
            begin, end = to_utc(window.from_, zone), to_utc(window.to, zone)
            overlap = np.minimum(horizon.ends, end) - np.maximum(horizon.time, begin)
            out += window.gpus * np.maximum(overlap / length, 0.0)
        installed.append(at(pool.count, horizon.time, zone))
        available.append(np.maximum(installed[-1] - out, 0.0))
        firm.append(at(pool.firm_gpus, horizon.time, zone))
    return {"installed": np.array(installed), "available": np.array(available), "firm": np.array(firm)}


def hall_arrays(
    fleet: Fleet, plants: Mapping[str, Plant], weather: Mapping[str, Weather], pools: Mapping[str, Floats], time: Times
) -> dict[str, Floats]:
    """hall_mw, firm_it_mw, base_it, base_overhead, chord (H, T); width, slope (H, T, I).

    Raises
    ------
    ImpossibleWork : a hall whose limit is below its idle load, or that has no design load in some hour.
    """
    rows = [_hall(fleet, name, plants[name], weather[site], pools, time) for name, (site, _) in fleet.halls().items()]
    most = max(row["width"].shape[1] for row in rows)
    for row in rows:  # halls that need fewer segments than others get segments of no width
        for key in ("width", "slope"):
            row[key] = np.pad(row[key], ((0, 0), (0, most - row[key].shape[1])))
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}


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
    base_it = firm_it + load["busy_mw"] @ load["firm"] + load["idle_mw"] @ (load["available"] - load["firm"])
    it_all = firm_it + load["busy_mw"] @ load["available"]
    if not design.all():
        where = f"hall {name} at {time[int(np.argmin(design > 0))].astype('datetime64[m]')}Z"
        allowed = "above 0 MW throughout the horizon; for a hall still to come, a horizon after its first phase"
        raise ImpossibleWork(where, "design_mw is 0 MW", allowed)
    above = ~(base_it <= limit)
    if above.any():
        t = int(np.argmax(above))
        where = f"hall {name} at {time[t].astype('datetime64[m]')}Z"
        what = f"idle and firm load of {base_it[t]:.3f} MW above the hall's limit of {limit[t]:.3f} MW"
        raise ImpossibleWork(where, what, "a higher design_mw or limit_mw, or fewer GPUs")
    it_max = np.maximum(np.minimum(it_all, limit), base_it)
    return {"hall_mw": limit, "firm_it_mw": firm_it, "base_it": base_it} | cooling(
        plant, weather, design, base_it, it_max
    )


def cooling(plant: Plant, weather: Weather, design: Floats, base_it: Floats, it_max: Floats) -> dict[str, Floats]:
    """Overhead between the least and the most IT power as convex segments and as one chord.

    Chords of a convex curve lie above it, so a plan that meets a PUE cap here meets it in the plant.
    """
    curve = chords_within(plant, weather, base_it / design, it_max / design, CHORD_ERROR)
    power, overhead = curve.breaks * design[:, None], curve.overhead * design[:, None]
    width = np.diff(power, axis=1)
    slope = _ratio(np.diff(overhead, axis=1), width)
    span = power[:, -1] - power[:, 0]
    # Segments too narrow for the solver's tolerance are given to the widest one of their hour.
    kept = np.where(width > TINY_MW, width, 0.0)
    kept[np.arange(len(kept)), np.argmax(width, axis=1)] += (width - kept).sum(axis=1)
    return {
        "base_overhead": overhead[:, 0],
        "width": np.where(kept > TINY_MW, kept, 0.0),
        "slope": slope,
        "chord": _ratio(overhead[:, -1] - overhead[:, 0], span),
    }


def _ratio(rise: Floats, run: Floats) -> Floats:
    """rise / run, 0 on segments too narrow to matter."""
    return np.divide(rise, run, out=np.zeros_like(rise), where=run > TINY_MW)


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
    share = np.zeros(len(fleet.halls()))  # heat that can be handed over per IT power; 0 where the return is too cold
    for s, (name, site) in enumerate(fleet.sites.items()):
        if (buyer := site.heat_reuse) is None:
            continue
        limit[s], cop = at(buyer.limit_mw, time, site.time_zone), buyer.heat_pump_cop
        net[s] = buyer.price_eur_per_mwh - (price[s] / cop if cop else 0.0)
        mine = [
            (h, *plants[hall].liquid_heat())
            for h, (hall, (owner, _)) in enumerate(fleet.halls().items())
            if owner == name
        ]
        for h, carried, warm in mine:
            share[h] = carried * buyer.recoverable_share if cop or warm >= buyer.temperature_c else 0.0
        if not any(share[h] for h, *_ in mine):
            what = f"no hall has a liquid loop that returns {buyer.temperature_c:g} °C or more"
            allowed = "a lower temperature_c, a heat_pump_cop, or a liquid-cooled hall"
            raise ConfigError(f"sites.{name}.heat_reuse", what, allowed)
    return {"heat_share": share, "heat_limit_mw": limit, "heat_price": net}
