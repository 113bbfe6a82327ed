"""Arrays of the sites: weather, spot, limits, carbon."""

from collections.abc import Mapping

import numpy as np

from energy.errors import SeriesError
from energy.inputs.dated import at
from energy.inputs.fleet import Fleet, keys_of
from energy.inputs.load import Inputs
from energy.inputs.series import Series
from energy.plant import PlantError, Weather, weather_from
from energy.schema import Floats, Times
from energy.schema.calendar import Horizon
from energy.series.resample import quality, variable

#: Weather variables that cooling knows.
MOIST_AIR = ("temp_air", "temp_dew", "relative_humidity", "temp_wet_bulb", "pressure")


def site_weather(fleet: Fleet, series: Series, horizon: Horizon) -> dict[str, Weather]:
    """Weather of each site on the grid, moist-air properties completed by the plant's psychrometrics.

    Raises
    ------
    SeriesError : values that are each in range but together are no air, such as a wet bulb far too low.
    """
    out = {}
    for name, site in fleet.sites.items():
        raw = series.weather[name]
        columns = {str(k): variable(raw, str(k), horizon) for k in raw.data_vars if k in MOIST_AIR}
        try:
            out[name] = weather_from(altitude_m=site.place.altitude_m, **columns)
        except PlantError as e:
            first = horizon.start.astype("datetime64[m]")
            where = f"{raw.attrs['file']}: weather of {name}, periods of {horizon.dt[0]:g} h counted from {first}Z"
            raise SeriesError(where, str(e)) from None
    return out


def site_arrays(inputs: Inputs, weather: Mapping[str, Weather]) -> dict[str, object]:
    """Weather, carbon intensity [t/MWh] and the dated keys of the fleet file, each (S, T); carbon_known (S,)."""
    sites, horizon = inputs.fleet.sites, inputs.horizon
    carbon = [inputs.series.carbon.get(site.bidding_zone) for site in sites.values()]
    unknown = np.zeros(len(horizon))
    return {
        **{key: [getattr(weather[s], key) for s in sites] for key in ("temp_air", "temp_wet_bulb", "pressure")},
        "weather_quality": [quality(inputs.series.weather[s], horizon) for s in sites],
        **fleet_arrays(inputs.fleet, horizon.time),
        "carbon_intensity": [unknown if raw is None else variable(raw, "value", horizon) for raw in carbon],
        "carbon_known": np.array([float(raw is not None) for raw in carbon]),
    }


def spot_prices(inputs: Inputs) -> dict[str, Floats]:
    """Day-ahead price of each site's bidding zone, in EUR from here on [EUR/MWh], (T,)."""
    out, horizon = {}, inputs.horizon
    for name, site in inputs.fleet.sites.items():
        raw = inputs.series.prices[site.bidding_zone]
        out[name] = variable(raw, "value", horizon) * inputs.fx.at(raw.attrs["currency"], horizon.time)
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
