"""What the cooling of each hall draws by component, evaporates and holds: arrays of the replay, figures of the summary."""

from __future__ import annotations

import numpy as np
import xarray as xr

from energy.inputs.dated import at
from energy.inputs.fleet import Hall
from energy.plant import Plant, Weather, load_limit, overhead
from energy.schema import COMPONENTS, TINY_MW, Bools, Floats, Ints, Times

#: An hour cools freely when all but this share of the heat goes without compressor: rounding of sums of order 1.
FREE = 1e-9


def cooling(
    plant: Plant, hall: Hall, weather: Weather, it: Floats, time: Times, dt: Floats, zone: str
) -> dict[str, Floats]:
    """Overhead by component [MW], water [m3], free-cooling share [1] and derating [MW] of a hall, each (T,)."""
    design = at(hall.design_mw, time, zone)
    drawn = overhead(plant, weather, (it / design)[:, None])
    limit = np.minimum(design, at(hall.limit_mw, time, zone)) if hall.limit_mw else design
    parts = {name: getattr(drawn, name.removesuffix("_mw"))[:, 0] * design for name in COMPONENTS}
    return {
        "overhead_mw": drawn.total[:, 0] * design,
        "water_m3": drawn.water[:, 0] * design * dt,
        **parts,
        "free_cooling": np.clip(drawn.free_cooling[:, 0], 0.0, 1.0),
        "derating_mw": np.maximum(limit - design * load_limit(plant, weather), 0.0),
    }


def figures(replayed: xr.Dataset, hall_site: Ints) -> dict[str, object]:
    """Cooling of every site and hall over the horizon, for summary.json; energies in MWh, water in m3."""
    halls = {str(n): _hall(replayed, h) for h, n in enumerate(replayed["hall"].values)}
    sites = {str(n): _site(replayed, s, hall_site == s) for s, n in enumerate(replayed["site"].values)}
    dt = replayed["dt"].values
    water = float(replayed["water_m3"].sum())
    facility, it, heat = (float((replayed[n].values @ dt).sum()) for n in ("facility_mw", "site_it_mw", "heat_mw"))
    return {"fleet": {"wue_l_per_kwh": _ratio(water, it), **_reuse(facility, it, heat)},
            "sites": sites, "halls": halls}  # fmt: skip


def _site(replayed: xr.Dataset, s: int, mine: Bools) -> dict[str, object]:
    """WUE (ISO/IEC 30134-9: water into the site over IT energy), hours without compressor in any hall, worst hour."""
    dt, it = replayed["dt"].values, replayed["site_it_mw"].values[s]
    free = (replayed["free_cooling"].values[mine] >= 1.0 - FREE).all(axis=0)
    return {
        "wue_l_per_kwh": _ratio(float(replayed["water_m3"].values[mine].sum()), float(it @ dt)),
        "free_cooling_hours": float(dt[free].sum()),
        **_worst(replayed, replayed["facility_mw"].values[s], it),
        **_reuse(
            float(replayed["facility_mw"].values[s] @ dt), float(it @ dt), float(replayed["heat_mw"].values[s] @ dt)
        ),
    }


def _reuse(facility: float, it: float, heat: float) -> dict[str, object]:
    """ERF (ISO/IEC 30134-6) and ERE = (facility - reused) / IT. PUE knows nothing of reuse."""
    return {"reused_mwh": heat, "erf": _ratio(heat, facility), "ere": _ratio(facility - heat, it)}


def _hall(replayed: xr.Dataset, h: int) -> dict[str, object]:
    dt, it = replayed["dt"].values, replayed["it_mw"].values[h]
    derating = replayed["derating_mw"].values[h]
    free, derated = replayed["free_cooling"].values[h] >= 1.0 - FREE, derating > TINY_MW
    overhead_mw = replayed["overhead_mw"].values[h]
    return {
        "it_mwh": float(it @ dt),
        "overhead_mwh": {n.removesuffix("_mw"): float(replayed[n].values[h] @ dt) for n in COMPONENTS},
        "pue": _ratio(float((it + overhead_mw) @ dt), float(it @ dt)),
        "water_m3": float(replayed["water_m3"].values[h].sum()),
        "wue_l_per_kwh": _ratio(float(replayed["water_m3"].values[h].sum()), float(it @ dt)),
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
