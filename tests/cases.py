"""A small complete case on disk: two sites, two halls, three pools, six jobs, two days. A test edits one thing.

Everything is made up; series follow formulas of the hour, so that any horizon can be asked for.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
import xarray as xr
from ruamel.yaml import YAML

from energy.errors import InputError
from energy.inputs.load import Inputs, read_inputs
from energy.problem import assemble

CASE = """\
name: small
fleet: fleet.yaml
jobs: jobs.csv
horizon: {start: START, end: END, time_zone: ZONE, market_time_unit_min: MINUTES}
prices:
  - {file: prices.csv, zones: [NO4, DE-LU], quality: auction, source: formula}
weather:
  north: {file: weather_north.csv, quality: measured, source: formula}
  south: {file: weather_south.csv, quality: forecast, source: formula}
fx:
  NOK: {eur_per_unit: 0.1, source: round figure}
"""
FLEET = """\
name: small
sites:
  north:
    place: {latitude: 68.4, longitude: 17.6, altitude_m: 30}
    bidding_zone: NO4
    time_zone: Europe/Oslo
    country: NO
    jurisdictions: [EEA]
    tariff: tariff.yaml
    grid_limit_mw: 3.0
    other_site_mw: 0.05
    pue_caps:
      - {name: contract, limit: 1.25, period: year}
    halls:
      liquid:
        plant: dlc_dry_cooler
        design_mw: 2.0
        other_it_mw: 0.05
        pools:
          gb300: {gpu: gb300, count: 800, firm_gpus: 80}
  south:
    place: {latitude: 50.1, longitude: 8.7, altitude_m: 110}
    bidding_zone: DE-LU
    time_zone: Europe/Berlin
    country: DE
    jurisdictions: [EEA, EU]
    tariff: de_regional
    grid_limit_mw: 2.0
    halls:
      air:
        plant: airside_economizer
        design_mw: 1.0
        pools:
          h200: {gpu: h200, count: 400, firm_gpus: 40}
          a100: {gpu: a100, count: 400}
"""
TARIFF = """\
name: nordic
country: NO
currency: NOK
components:
  - {name: tax, kind: energy, valid_from: 2015-01-01, value: 80, unit: NOK/MWh, source: made up, confidence: L}
  - {name: peak, kind: demand, valid_from: 2015-01-01, value: 31000, unit: NOK/MW/month,
     source: made up, confidence: L}
"""
JOBS = """\
id,label,gpu_hours,max_gpus,release,deadline,gpu_kinds,jurisdictions,home_site,value_eur_per_gpu_hour
j1,pretrain,4000,256,+0h,+40h,gb300=2;h200=1,EEA,north,
j2,pretrain,2500,256,+2h,+46h,gb300=2;h200=1,EEA,south,
j3,finetune,900,128,+4h,+30h,gb300=2.2,,north,
j4,finetune,600,64,+10h,+47h,h200=1;a100=0.4,DE,south,
j5,evaluation,150,32,+1.5h,+20.25h,a100=1,EU,south,
j6,evaluation,80,16,+20h,+36h,a100=1,EU,south,5.5
"""
#: Removes a key or a cell's value.
GONE = object()


class SmallCase:
    """The folder of a small case, and short ways to change one thing in it.

    Series begin eight days before the first day and end two days after the last.
    """

    def __init__(
        self, folder: Path, start: str = "2024-03-05", days: int = 2, zone: str = "UTC", minutes: int = 60
    ) -> None:
        self.folder, self.path = folder, folder / "case.yaml"
        first = datetime.fromisoformat(start).replace(tzinfo=UTC)
        last = first + timedelta(days=days - 1)
        words = {"START": f"{first:%Y-%m-%d}", "END": f"{last:%Y-%m-%d}", "ZONE": zone, "MINUTES": str(minutes)}
        text = CASE
        for word, value in words.items():
            text = text.replace(word, value)
        for name, content in (("case.yaml", text), ("fleet.yaml", FLEET), ("tariff.yaml", TARIFF), ("jobs.csv", JOBS)):
            (folder / name).write_text(content, encoding="utf-8")
        hours = [first + timedelta(hours=h) for h in range(-8 * 24, (days + 2) * 24)]
        _write(folder / "prices.csv", [{"utc": _stamp(t), "NO4": _price(t, 25), "DE-LU": _price(t, 55)} for t in hours])
        _write(folder / "weather_north.csv", [{"utc": _stamp(t), **_weather(t, -2)} for t in hours])
        _write(folder / "weather_south.csv", [{"utc": _stamp(t), **_weather(t, 9)} for t in hours])

    def edit(self, file: str, key: str, value: Any) -> Self:
        """Set a YAML key such as ``sites.north.pue_caps.0.limit``; GONE removes it."""
        data = self.yaml(file)
        *way, last = [int(part) if part.isdigit() else part for part in key.split(".")]
        node = data
        for part in way:
            node = node[part] if isinstance(part, int) else node.setdefault(part, {})
        if value is GONE:
            del node[last]
        else:
            node[last] = value
        with (self.folder / file).open("w", encoding="utf-8") as f:
            _yaml().dump(data, f)
        return self

    def yaml(self, file: str) -> Any:
        """Content of a YAML file; an empty mapping when it does not exist yet."""
        path = self.folder / file
        return _yaml().load(path.read_text(encoding="utf-8")) if path.exists() else {}

    def cell(self, file: str, row: str, column: str, value: object) -> Self:
        """Set a CSV cell; the row is named by the beginning of its first cell."""
        rows = self.rows(file)
        found = [r for r in rows if next(iter(r.values())).startswith(row)]
        assert len(found) == 1, f"{len(found)} rows begin with {row}"
        found[0][column] = "" if value is GONE else str(value)
        return self.put(file, rows)

    def rows(self, file: str) -> list[dict[str, str]]:
        """Rows of a CSV file."""
        with (self.folder / file).open(encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f))

    def put(self, file: str, rows: list[dict[str, Any]]) -> Self:
        """Write the rows of a CSV file."""
        _write(self.folder / file, rows)
        return self

    def each(self, file: str, change: Callable[[dict[str, str]], dict[str, Any]]) -> Self:
        """Replace every row of a CSV file."""
        return self.put(file, [change(row) for row in self.rows(file)])

    def drop(self, file: str, *rows: str) -> Self:
        """Remove the CSV rows whose first cell begins with one of the given texts."""
        return self.put(file, [r for r in self.rows(file) if not next(iter(r.values())).startswith(rows)])

    def text(self, file: str, old: str, new: str) -> Self:
        """Replace a text that stands once in a file."""
        path = self.folder / file
        content = path.read_text(encoding="utf-8")
        assert content.count(old) == 1, f"{old!r} stands {content.count(old)} times in {file}"
        path.write_text(content.replace(old, new), encoding="utf-8")
        return self

    def inputs(self, fill: bool = False, **horizon: object) -> Inputs:
        """Read it."""
        return read_inputs(self.path, horizon, fill)

    def problem(self, fill: bool = False, **horizon: object) -> xr.Dataset:
        """Read and assemble it."""
        return assemble(self.inputs(fill, **horizon))

    def refused(self, error: type[InputError], *words: str, fill: bool = False) -> str:
        """Assert that reading or assembling fails with one clear line that has all the words; returns it."""
        with pytest.raises(InputError) as caught:
            self.problem(fill)
        message = str(caught.value)
        assert type(caught.value) is error, message
        assert [w for w in words if w not in message] == [], message
        assert "\n" not in message
        return message


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.sort_base_mapping_type_on_output = False  # the order of sites and pools is that of their axes
    return yaml


def _stamp(t: datetime) -> str:
    return f"{t:%Y-%m-%dT%H:%M:%SZ}"


def _price(t: datetime, mean: float) -> float:
    """A daily wave and a slow one, in cents."""
    h = t.timestamp() / 3600
    return round(mean * (1 + 0.4 * math.sin(2 * math.pi * (h - 3) / 24) + 0.3 * math.sin(h / 31)), 2)


def _weather(t: datetime, mean: float) -> dict[str, float]:
    h = t.timestamp() / 3600
    air = mean + 4 * math.sin(2 * math.pi * (h - 9) / 24) + 2 * math.sin(h / 17)
    return {"temp_air": round(air, 1), "temp_dew": round(air - 3, 1), "pressure": 101000 + 50 * (t.day % 10)}


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as f:
        writer = csv.DictWriter(f, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
