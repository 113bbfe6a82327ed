"""Arrays of the sites: weather, spot, limits, carbon."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from energy.errors import SeriesError
from energy.inputs.dated import at
from energy.inputs.fleet import Fleet, keys_of
from energy.inputs.fx import Fx
from energy.inputs.series import Series
from energy.plant import PlantError, Weather, weather_from
from energy.schema import Floats, Times
from energy.series.resample import quality, variable

#: Weather variables that cooling knows.
MOIST_AIR = ("temp_air", "temp_dew", "relative_humidity", "temp_wet_bulb", "pressure")


def site_weather(fleet: Fleet, series: Series, time: Times, hours: float) -> dict[str, Weather]:
    """Weather of each site on the grid, moist-air properties completed by the plant's psychrometrics.

    Raises
    ------
    SeriesError : values that are each in range but together are no air, such as a wet bulb far too low.
    """
    out = {}
    for name, site in fleet.sites.items():
        raw = series.weather[name]
        columns = {str(k): variable(raw, str(k), time, hours) for k in raw.data_vars if k in MOIST_AIR}
        try:
            out[name] = weather_from(altitude_m=site.place.altitude_m, **columns)
        except PlantError as e:
            first = time[0].astype("datetime64[m]")
            where = f"{raw.attrs['file']}: weather of {name}, periods of {hours:g} h counted from {first}Z"
            raise SeriesError(where, str(e)) from None
    return out


def weather_arrays(
    fleet: Fleet, series: Series, weather: Mapping[str, Weather], time: Times, hours: float
) -> dict[str, object]:
    """temp_air, temp_wet_bulb, pressure, weather_quality; each (S, T)."""
    return {
        "temp_air": [weather[s].temp_air for s in fleet.sites],
        "temp_wet_bulb": [weather[s].temp_wet_bulb for s in fleet.sites],
        "pressure": [weather[s].pressure for s in fleet.sites],
        "weather_quality": [quality(series.weather[s], time, hours) for s in fleet.sites],
    }


def spot_prices(fleet: Fleet, series: Series, fx: Fx, time: Times, hours: float) -> dict[str, Floats]:
    """Day-ahead price of each site's bidding zone, in EUR from here on [EUR/MWh], (T,)."""
    out = {}
    for name, site in fleet.sites.items():
        raw = series.prices[site.bidding_zone]
        out[name] = variable(raw, "value", time, hours) * fx.at(raw.attrs["currency"], time)
    return out


def fleet_arrays(fleet: Fleet, time: Times) -> dict[str, object]:
    """Every array that a dated key of a site or hall gives as it is (`fleet_key`), each (S, T) or (H, T)."""
    zones = {name: site.time_zone for name, site in fleet.sites.items()}
    owners: dict[str, list[tuple[object, str]]] = {
        "sites.*": [(site, zones[name]) for name, site in fleet.sites.items()],
        "sites.*.halls.*": [(hall, zones[name]) for name, hall in fleet.halls().values()],
    }
    return {
        row.name: [at(getattr(part, key), time, zone) for part, zone in parts]
        for owner, parts in owners.items()
        for key, row in keys_of(owner).items()
    }


def carbon_arrays(fleet: Fleet, series: Series, time: Times, hours: float) -> dict[str, object]:
    """carbon_intensity (S, T) [t/MWh], 0 where not known, and carbon_known (S,)."""
    known = [s.bidding_zone in series.carbon for s in fleet.sites.values()]
    rows = [
        variable(series.carbon[s.bidding_zone], "value", time, hours) if k else np.zeros(len(time))
        for s, k in zip(fleet.sites.values(), known, strict=True)
    ]
    return {"carbon_intensity": rows, "carbon_known": np.array(known, dtype=float)}
