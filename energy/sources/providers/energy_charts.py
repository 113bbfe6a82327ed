"""energy-charts.info (Fraunhofer ISE): day-ahead prices without a key, each answer with its own licence.

Contract (api.energy-charts.info, OpenAPI 1.6): ``/price?bzn=NO2&start=2026-06-20&end=2026-06-20`` ->
``{license_info, unix_seconds[], price[], unit, deprecated}``; a date means midnight in Berlin, the end day is
included; nothing yet is a 404, an unknown zone a 400; about one request per second.

Licence gate: of 38 zones, 22 (the Norwegian and Swedish among them) have carried "private and internal use
only". The licence of EACH answer is read; without CC BY the prices are refused, unless the user has stated
private use, and then the text stays with the data.
"""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import xarray as xr

from energy.schema import Floats, Times
from energy.series.labels import clip, dataset, finite, spacing
from energy.series.local_time import Span, day_of, days, midnight
from energy.sources.client.answer import LicenceError, json_answer, number, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import Source, ttl
from energy.sources.client.windows import fetch_windows, parse_answers

SOURCE = Source(
    name="energy_charts",
    gives="day-ahead prices of most European zones (not GB, IE)",
    base_url="https://api.energy-charts.info/",
    licence="stated in each answer: CC BY 4.0 or private use only",
    attribution="energy-charts.info (Fraunhofer ISE)",
    classify=json_answer,
    commercial="as each response says",
    budget=((1.2, 1.0),),
)
ZONES = frozenset((
    "NO1", "NO2", "NO3", "NO4", "NO5", "SE1", "SE2", "SE3", "SE4", "FI", "DK1", "DK2", "EE", "LV", "LT", "DE-LU",
    "DE-AT-LU", "AT", "FR", "BE", "NL", "PL", "CZ", "SK", "HU", "RO", "BG", "SI", "HR", "GR", "ES", "PT", "CH",
))  # fmt: skip
#: Days are Berlin's.
CLOCK = "Europe/Berlin"
#: Licences that allow any use with attribution.
OPEN = ("CC BY 4.0", "creativecommons.org/licenses/by/4.0")
#: Longest window of a request [days]: answers of a month stay small and quick.
WINDOW = 31
#: Longest step of a day-ahead market [h]: that of a day with a single stamp.
LONGEST_STEP_H = 1.0


def get_prices(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Prices of the periods that begin in [start, end) (UTC) [EUR/MWh]; quality `secondary`.

    LicenceError where the answer's licence forbids commercial use and private use was not stated.
    """

    def month(span: Span) -> xr.Dataset | None:
        first, last = day_of(span[0], CLOCK), day_of(span[1] - np.timedelta64(1, "s"), CLOCK)
        params = {"bzn": zone, "start": first.isoformat(), "end": last.isoformat()}
        answer = client.get(SOURCE.name, "price", params, ttl_s=ttl(end, client.now()))
        return parse_answers(lambda body: _allowed(parse_prices(body), client.settings.private_use), answer)

    # Pieces meet at midnights of Berlin, or no day would be asked for once.
    cuts = [midnight(d, CLOCK) for d in days(start, end, CLOCK)[WINDOW::WINDOW]]
    months = pairwise([start, *cuts, end]) if start < end else ()
    none = _prices(np.zeros(0, dtype="datetime64[ns]"), [], SOURCE.licence)
    return clip(fetch_windows(none, months, month), start, end).assign_attrs(zone=zone)


def _allowed(ds: xr.Dataset, private_use: bool) -> xr.Dataset:
    licence = str(ds.attrs["licence"])
    if not private_use and not any(text in licence for text in OPEN):
        raise LicenceError(SOURCE.name, licence)
    return ds


def parse_prices(body: bytes) -> xr.Dataset:
    """`price` [EUR/MWh]; the answer's licence is in ``attrs["licence"]``. Null prices are absent."""
    with reading(SOURCE.name):
        data = json.loads(body)
        if str(data["unit"]).replace(" ", "") != "EUR/MWh":
            raise ValueError(f"prices in {data['unit']!r}, not in EUR / MWh")
        time = np.array(data["unix_seconds"], dtype="int64").astype("datetime64[s]").astype("datetime64[ns]")
        price = np.array([number(v) for v in data["price"]])
        licence = " ".join(str(data.get("license_info") or "none stated").split())
        order = np.argsort(time, kind="stable")
        return _prices(time[order], price[order], licence)


def _prices(time: np.ndarray, price: object, licence: str) -> xr.Dataset:
    dt, columns = np.minimum(spacing(time), _usual_steps(time)), {"price": (price, "EUR MWh-1")}
    ds = dataset(SOURCE, time, dt, columns, "secondary", currency="EUR")
    return finite(ds, ["price"]).assign_attrs(licence=licence)


def _usual_steps(time: Times) -> Floats:
    """The step that most stamps of each one's day in Berlin have [h]: what is longer has a gap in it, not a long step.

    Markets go over to another step at midnight, and a day never changes its own.
    """
    day = pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(CLOCK).normalize()
    within = pd.Series(np.diff(time) / np.timedelta64(1, "h")).where(day[1:] == day[:-1])
    usual = within.groupby(day[:-1]).agg(lambda steps: steps.mode().get(0, LONGEST_STEP_H))
    return usual.reindex(day).fillna(LONGEST_STEP_H).clip(upper=LONGEST_STEP_H).to_numpy(dtype=float)
