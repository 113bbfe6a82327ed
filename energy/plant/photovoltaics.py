"""On-site solar: the PVWatts chain of pvlib from irradiance, or a labelled estimate from a clear sky.

References
----------
.. [1] A. Dobos, "PVWatts Version 5 Manual", NREL/TP-6A20-62641 (2014).
.. [2] K. Anderson et al., "pvlib python: 2023 project update", JOSS 8(92), 5994 (2023).
.. [3] E. Maxwell, "A quasi-physical model for converting hourly global horizontal to direct normal
   insolation", SERI/TR-215-3087 (1987); via pvlib.irradiance.erbs for the diffuse part.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Times = np.ndarray[Any, np.dtype[np.datetime64]]
#: Mean yearly clearness where irradiance is missing: share of clear-sky global irradiance that reaches the
#: ground in north-western Europe, 0.5-0.6 over a year; an estimate, labelled proxy on every hour.
CLEARNESS = 0.55
#: Wind speed assumed where the weather has none [m/s]; pvlib's own default for the SAPM cell temperature.
CALM_WIND = 1.0
#: SAPM cell temperature parameters of an open rack, glass/polymer (pvlib TEMPERATURE_MODEL_PARAMETERS).
MOUNT = {"a": -3.56, "b": -0.075, "deltaT": 3}
#: Nominal inverter efficiency of PVWatts [1]_.
INVERTER_EFFICIENCY = 0.96


@dataclass(frozen=True)
class Array:
    """A fixed-tilt array: powers in MW, angles in degrees (azimuth clockwise from north), losses in percent."""

    latitude: float
    longitude: float
    altitude_m: float
    dc_mw: float
    ac_mw: float
    tilt_deg: float
    azimuth_deg: float
    losses_percent: float
    temperature_coefficient_per_k: float


def solar_power(
    array: Array, time: Times, dt: Floats, temp_air: Floats, wind_speed: Floats | None = None,
    irradiance: tuple[Floats, Floats, Floats] | None = None,
) -> Floats:  # fmt: skip
    """AC power of the array, mean of each period [MW], shape (T,).

    Sun position at the middle of the period; Perez transposition, reflection at the glass; SAPM cell temperature; PVWatts DC and
    inverter. Powers are linear in dc_mw.

    Parameters
    ----------
    time : starts of the periods (UTC), shape (T,)
    dt : lengths of the periods [h], shape (T,)
    temp_air : dry bulb [°C], (T,)
    wind_speed : [m/s], (T,); 1 m/s where not given
    irradiance : (ghi, dni, dhi) [W/m²], each (T,); without it a clear Ineichen sky times CLEARNESS, split by Erbs
    """
    import pandas as pd  # here: the rest of the plant needs neither pandas nor pvlib
    import pvlib

    middle = pd.DatetimeIndex(time + np.round(dt * 1800).astype("timedelta64[s]"), tz="UTC")
    place = pvlib.location.Location(array.latitude, array.longitude, altitude=array.altitude_m)
    sun = place.get_solarposition(middle)
    zenith, azimuth = sun["apparent_zenith"].to_numpy(), sun["azimuth"].to_numpy()
    if irradiance is None:
        clear = place.get_clearsky(middle, solar_position=sun, linke_turbidity=3.0)["ghi"].to_numpy()
        ghi = CLEARNESS * clear
        split = pvlib.irradiance.erbs(ghi, sun["zenith"].to_numpy(), middle.day_of_year.to_numpy())
        dni, dhi = (np.nan_to_num(np.asarray(split[k]), nan=0.0) for k in ("dni", "dhi"))
    else:
        ghi, dni, dhi = irradiance
    light = pvlib.irradiance.get_total_irradiance(
        array.tilt_deg, array.azimuth_deg, zenith, azimuth, dni, ghi, dhi, model="perez",
        airmass=pvlib.atmosphere.get_relative_airmass(zenith),
        dni_extra=pvlib.irradiance.get_extra_radiation(middle.day_of_year.to_numpy()),
    )  # fmt: skip
    angle = pvlib.irradiance.aoi(array.tilt_deg, array.azimuth_deg, zenith, azimuth)
    reached = np.asarray(light["poa_direct"]) * pvlib.iam.physical(angle) + np.asarray(light["poa_diffuse"])
    plane = np.asarray(np.nan_to_num(reached, nan=0.0).clip(min=0.0))  # irradiance that reaches the cells [W/m²]
    wind = np.full(len(time), CALM_WIND) if wind_speed is None else wind_speed
    cell = pvlib.temperature.sapm_cell(plane, temp_air, wind, **MOUNT)
    gross = pvlib.pvsystem.pvwatts_dc(plane, cell, array.dc_mw, array.temperature_coefficient_per_k)
    net = gross * (1 - array.losses_percent / 100)
    # pvwatts' pdc0 is the DC power at which the inverter gives its rated AC power.
    return np.asarray(pvlib.inverter.pvwatts(net, array.ac_mw / INVERTER_EFFICIENCY, INVERTER_EFFICIENCY)).clip(min=0.0)
