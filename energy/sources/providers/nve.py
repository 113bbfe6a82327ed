"""NVE reservoir statistics: weekly filling of Norway's bidding zones against its twenty-year median; no key.

Contract (biapi.nve.no/magasinstatistikk, Swagger): `HentOffentligData` is the whole history, unsorted, some
MB; `HentOffentligDataMinMaxMedian` the twenty-year minimum, median and maximum by ISO week, with irregular
keys. `omrType` EL with `omrnr` 1 to 5 are NO1 to NO5 (VASS rows share the numbers). A value is that of the
week's Sunday and is published the Wednesday after at 13:00 in Oslo; a public client once filled faults with
0.0, so an empty reservoir is taken for a missing value.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from energy.series.labels import dataset, in_one_line, join, touching
from energy.series.local_time import midnight
from energy.sources.client.answer import SourceError, json_answer, number, reading
from energy.sources.client.http import Client
from energy.sources.client.settings import Source
from energy.sources.client.windows import stamped

SOURCE = Source(
    name="nve",
    gives="weekly reservoir filling NO1 to NO5 with 20-year minimum, median, maximum",
    base_url="https://biapi.nve.no/magasinstatistikk/api/Magasinstatistikk/",
    licence="NLOD 2.0",
    attribution="Norges vassdrags- og energidirektorat (NVE)",
    classify=json_answer,
    budget=((1.0, 2.0),),
)
#: Zone -> (omrType, omrnr).
AREAS = {"NO": ("NO", 0)} | {f"NO{n}": ("EL", n) for n in range(1, 6)}
CLOCK = "Europe/Oslo"
#: The statistics come once a week; they are asked for again after this long [s].
TTL_S = 6 * 3600
#: From the end of the week to the publication, Wednesday 13:00.
PUBLISHED_AFTER = np.timedelta64(2 * 24 + 13, "h")
#: Filling above this share of the capacity is a fault: reservoirs spill a few per cent above it at most.
MOST_FULL = 1.05
#: Key of the reference statistics -> our name.
REFERENCE = {"minFyllingsgrad": "minimum", "medianFyllingsGrad": "median", "maxFyllingsgrad": "maximum"}
UNITS = {"filling": "1", "filling_twh": "TWh", "capacity_twh": "TWh", "minimum": "1", "median": "1", "maximum": "1",
         "deviation": "1"}  # fmt: skip


def get_reservoirs(client: Client, zone: str, start: np.datetime64, end: np.datetime64) -> xr.Dataset:
    """Weeks that touch [start, end) (UTC); see `parse_reservoirs`. None where NVE has no statistics (404)."""
    history = client.get(SOURCE.name, "HentOffentligData", ttl_s=TTL_S)
    if history.kind == "empty":
        return stamped(_weeks([]), history).assign_attrs(zone=zone)
    try:  # filling is worth having without its median
        answer = client.get(SOURCE.name, "HentOffentligDataMinMaxMedian", ttl_s=TTL_S)
        normal, why_not = (answer.body, "") if answer.kind == "ok" else (b"[]", f"no twenty-year median: {answer.note}")
    except SourceError as e:
        normal, why_not = b"[]", f"no twenty-year median: {e.reason}"
    ds = stamped(parse_reservoirs(history.body, normal, zone), history)
    return touching(ds.assign_attrs(note=in_one_line([str(ds.attrs["note"]), why_not])), start, end)


def parse_reservoirs(history: bytes, reference: bytes, zone: str) -> xr.Dataset:
    """Filling and its deviation from the twenty-year median [share of capacity]; quality `measured`.

    `filling`, `minimum`, `median`, `maximum`, `deviation` [1], `filling_twh`, `capacity_twh` [TWh] by week, and
    `known_from`: when the week was published, so that nobody forecasts with tomorrow's numbers.
    """
    with reading(SOURCE.name):
        rows = _by_area(history).get(AREAS[zone], [])
        normal = {int(r["iso_uke"]): r for r in _by_area(reference).get(AREAS[zone], [])}
        good = [r for r in rows if _sound(r)]
        weeks = [_week(r, normal.get(int(r["iso_uke"]), {})) for r in good]
        if not weeks:
            raise ValueError(f"no row of {zone}")
    left_out = len(rows) - len(good)
    note = f"{left_out} rows of {zone} left out: impossible filling or week" if left_out else ""
    return join([_weeks(weeks)]).assign_attrs(zone=zone, note=note)


@lru_cache(maxsize=2)
def _by_area(body: bytes) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """Rows by (omrType, omrnr). The history is megabytes, the same for every zone and asked for twice a zone."""
    out: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in json.loads(body):
        out.setdefault((row["omrType"], int(row["omrnr"])), []).append(row)
    return out


def _sound(row: dict[str, Any]) -> bool:
    """A possible filling, and a date that is the Sunday of the week stated."""
    filling = row.get("fyllingsgrad")
    sunday = date.fromisoformat(str(row["dato_Id"])[:10])
    week = (int(row["iso_aar"]), int(row["iso_uke"]), 7)
    return filling is not None and 0 < float(filling) <= MOST_FULL and tuple(sunday.isocalendar()) == week


def _week(row: dict[str, Any], normal: dict[str, Any]) -> dict[str, Any]:
    monday = date.fromisocalendar(int(row["iso_aar"]), int(row["iso_uke"]), 1)
    reference = {ours: number(normal.get(key)) for key, ours in REFERENCE.items()}
    filling = float(row["fyllingsgrad"])
    return {
        "time": midnight(monday, CLOCK), "after": midnight(monday + timedelta(days=7), CLOCK), "filling": filling,
        "filling_twh": number(row.get("fylling_TWh")), "capacity_twh": number(row.get("kapasitet_TWh")),
        **reference, "deviation": filling - reference["median"],
    }  # fmt: skip


def _weeks(weeks: list[dict[str, Any]]) -> xr.Dataset:
    time, after = (np.array([w[n] for w in weeks], dtype="datetime64[ns]") for n in ("time", "after"))
    columns = {name: ([w[name] for w in weeks], unit) for name, unit in UNITS.items()}
    ds = dataset(SOURCE, time, (after - time) / np.timedelta64(1, "h"), columns, "measured")
    known = np.sort(after) + PUBLISHED_AFTER
    return ds.assign(known_from=("time", known, {"long_name": "first moment the value was public (UTC)"}))
