"""What a fetch leaves behind: one NetCDF file per kind of series, and fetch.json with what every source said.

Prices come in a file per currency and weather in a file per site, as `energy/inputs` reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from energy.series.files import columns, one_place, write
from energy.sources import hydro
from energy.sources.chain import Filled

#: Kind and label of a series: ("price", "NO4"), ("weather", "narvik"), ("hydro", "NO4"), ("reservoirs", "NO4"),
#: ("carbon", "GB").
Key = tuple[str, str]


def of_kind(series: Mapping[Key, Filled], kind: str) -> dict[str, xr.Dataset]:
    """The series of one kind that have any hour, by label."""
    return {label: f.ds for (k, label), f in series.items() if k == kind and f.ds.sizes.get("time")}


def prices_by_currency(series: Mapping[Key, Filled]) -> dict[str, dict[str, xr.Dataset]]:
    """Price series grouped by currency, each group a file."""
    out: dict[str, dict[str, xr.Dataset]] = {}
    for zone, ds in of_kind(series, "price").items():
        out.setdefault(str(ds.attrs["currency"]), {})[zone] = ds
    return out


def write_all(series: Mapping[Key, Filled], folder: Path) -> tuple[Path, ...]:
    """Write the files of all series that have any hour."""
    content = {f"prices_{c.lower()}.nc": columns(group, "price") for c, group in prices_by_currency(series).items()}
    content |= {f"weather_{site}.nc": one_place(ds) for site, ds in of_kind(series, "weather").items()}
    if carbon := of_kind(series, "carbon"):
        content["carbon.nc"] = columns(carbon, "carbon_intensity")
    if signals := of_kind(series, "hydro"):
        content["hydro.nc"] = hydro.beside(signals, tuple(hydro.SIGNALS))
    if weeks := of_kind(series, "reservoirs"):
        content["reservoirs.nc"] = hydro.beside(weeks, hydro.WEEKLY)
    return tuple(write(ds, folder / name) for name, ds in content.items())


def record(series: Mapping[Key, Filled], about: Mapping[str, Any], folder: Path) -> Path:
    """fetch.json: `about`, and for every series its hours by quality, its chain, findings and gaps."""
    said = {f"{kind} {label}": _said(f) for (kind, label), f in series.items()}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fetch.json"
    path.write_text(json.dumps({**about, "series": said}, indent=2) + "\n", encoding="utf-8")
    return path


def _said(filled: Filled) -> dict[str, Any]:
    return {
        "hours": filled.by_quality(),
        "chain": [str(s) for s in filled.steps],
        "findings": [str(f) for f in filled.findings],
        "missing": [[str(a)[:16], str(b)[:16]] for a, b in filled.missing],
    }
