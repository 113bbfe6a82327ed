"""PVGIS (Joint Research Centre): a typical meteorological year for any place in Europe and beyond, no key.

Contract (re.jrc.ec.europa.eu/api, version 5.3): ``tmy?lat=&lon=&outputformat=json``; 8760 hours in UTC, each
month from the year named in `months_selected`; faults are a 400 with a message, overload a 429 or 529. The
text is fetched here and read by pvlib's own reader. A typical year is a scenario, not what happened.
"""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from energy.series.labels import WEATHER_UNITS, dataset
from energy.sources.client.answer import json_answer, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import SETTLED_TTL_S, Source
from energy.sources.client.windows import parse_answers
from energy.sources.providers.met_norway import decimals

SOURCE = Source(
    name="pvgis",
    gives="typical meteorological year for a place: design studies",
    base_url="https://re.jrc.ec.europa.eu/api/v5_3/",
    licence="free to use, with acknowledgement (European Commission, JRC)",
    attribution="PVGIS © European Union, 2001-2026",
    classify=json_answer,
    budget=((1.0, 10.0),),  # stated: 30 per second and address
)
#: Variables that we keep.
KEPT = ("temp_air", "relative_humidity", "pressure", "wind_speed", "ghi", "dni", "dhi")
#: The year that a typical year is shown in: not a leap year, like the typical year itself.
YEAR = 2001


def get_tmy(client: Client, latitude: float, longitude: float, year: int = YEAR) -> xr.Dataset:
    """The typical year of a place; see `parse_tmy`. Empty where PVGIS has none."""
    params = {"lat": decimals(latitude), "lon": decimals(longitude), "outputformat": "json"}
    answer = client.get(SOURCE.name, "tmy", params, ttl_s=SETTLED_TTL_S)
    ds = parse_answers(partial(parse_tmy, year=year), answer)
    return dataset(SOURCE, [], 1.0, {n: ([], WEATHER_UNITS[n]) for n in KEPT}, "scenario") if ds is None else ds


def parse_tmy(body: bytes, year: int = YEAR) -> xr.Dataset:
    """temp_air [°C], relative_humidity [%], pressure [Pa], wind_speed [m/s], ghi, dni, dhi [W/m²]; `scenario`.

    Parameters
    ----------
    year : the calendar year that the hours are put in
    """
    from pvlib.iotools import read_pvgis_tmy  # here, not above: pvlib takes half a second to import

    with reading(SOURCE.name):
        frame, meta = read_pvgis_tmy(io.StringIO(body.decode("utf-8")), pvgis_format="json")
        stamps = pd.DatetimeIndex(frame.index)
        fields = {"year": np.full(len(stamps), year), "month": stamps.month, "day": stamps.day, "hour": stamps.hour}
        time = pd.to_datetime(pd.DataFrame(fields)).to_numpy()
        columns = {n: (frame[n].to_numpy(float), WEATHER_UNITS[n]) for n in KEPT}
        months = " ".join(f"{m['month']}:{m['year']}" for m in meta["months_selected"])
        offset = float(meta["inputs"]["location"].get("irradiance_time_offset", 0.0))
    ds = dataset(SOURCE, time, 1.0, columns, "scenario")
    return ds.assign_attrs(months_selected=months, irradiance_time_offset_h=offset)
