"""Annual PUE, WUE and free cooling of a fleet's plants in given weather at a stated load: `energy pue`.

No jobs, no prices: every hall runs at the same share of its design load all the time, less where the weather
derates it. What a plan makes of the halls is in its own report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from markupsafe import Markup

from energy.errors import ConfigError
from energy.inputs.case import HorizonDays, WeatherFile, load_case
from energy.inputs.dated import at
from energy.inputs.fleet import Fleet, load_fleet
from energy.inputs.load import check_fleet
from energy.inputs.plants import load_plants
from energy.inputs.series import Series, read_weather
from energy.inputs.yaml_files import validate
from energy.plant import Plant, Weather, load_limit, overhead
from energy.problem.sites import site_weather
from energy.report import cooling
from energy.report.charts import series as hue
from energy.schema import Floats
from energy.schema.calendar import Horizon
from energy.series.files import read_series

#: Load at which plants are compared [share of design]: that of the published bands (docs/cooling.md).
LOAD = 0.85
#: Loads of the curve over load [share of design].
LOADS = np.linspace(0.1, 1.0, 19)
#: A derated load below this share of the stated one counts as derated; rounding is far below.
DERATED = 1.0 - 1e-9


@dataclass(frozen=True)
class Figures:
    """A site or hall over the hours looked at, at constant load; the site with what it draws outside its halls."""

    name: str
    hours: float
    pue: float
    wue_l_per_kwh: float
    free_cooling_hours: float
    worst_pue: float
    worst_hour: str
    derated_hours: float


@dataclass(frozen=True)
class Air:
    """Fleet, plants and weather over one horizon."""

    fleet: Fleet
    plants: Mapping[str, Plant]
    weather: Mapping[str, Weather]
    horizon: Horizon


@dataclass(frozen=True)
class _Drawn:
    """A hall or a site by hour, each (T,): IT and facility [MW], water [m3/h], cooled freely, derated."""

    it: Floats
    facility: Floats
    water: Floats
    free: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    derated: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def air_of_case(case_path: Path, overrides: Mapping[str, object] | None = None, fill: bool = False) -> Air:
    """Fleet and weather that a case names, over its horizon.

    Raises
    ------
    ConfigError, SeriesError : each names the file, the key or row, and what is allowed.
    """
    case = load_case(case_path)
    days = case.horizon.model_dump(mode="json") | dict(overrides or {})
    horizon = validate(f"{case_path}: horizon", days, HorizonDays)
    return _air(case_path.parent / case.fleet, case.weather, case_path.parent, horizon, fill)


def air_of_files(fleet_path: Path, files: Mapping[str, Path], days: Mapping[str, object], fill: bool = False) -> Air:
    """A fleet file and a weather file per site, over the days given or the year that the first file holds.

    Raises
    ------
    ConfigError, SeriesError : each names the file, the key or row, and what is allowed.
    """
    specs = {s: WeatherFile(file=str(f.resolve()), quality="measured", source="command line") for s, f in files.items()}
    whole = _year(next(iter(files.values()))) if set(days) != {"start", "end"} else {}
    horizon = validate("--start and --end", whole | dict(days), HorizonDays)
    return _air(fleet_path, specs, Path(), horizon, fill)


def _year(path: Path) -> dict[str, object]:
    """The calendar year (UTC) around the middle of a file; a typical year is put on 2001."""
    index = read_series(path).index
    year = index[len(index) // 2].year
    return {"start": date(year, 1, 1).isoformat(), "end": date(year, 12, 31).isoformat()}


def _air(fleet_path: Path, specs: Mapping[str, WeatherFile], folder: Path, horizon: HorizonDays, fill: bool) -> Air:
    """Plants and weather of the sites that have a weather file."""
    fleet = load_fleet(fleet_path)
    if unknown := sorted(set(specs) - set(fleet.sites)):
        raise ConfigError(f"{fleet_path}: sites", f"no site {unknown[0]!r}", ", ".join(fleet.sites))
    fleet = fleet.model_copy(update={"sites": {n: s for n, s in fleet.sites.items() if n in specs}})
    check_fleet(fleet_path, horizon, fleet)
    weather = {n: read_weather(folder / specs[n].file, specs[n], horizon, fill) for n in fleet.sites}
    periods = horizon.periods()
    completed = site_weather(fleet, Series({}, weather, {}), periods)
    return Air(fleet, load_plants(fleet, fleet_path), completed, periods)


def figures(air: Air, load: float = LOAD) -> list[Figures]:
    """Sites, each followed by its halls.

    Parameters
    ----------
    load : IT load of every hall [share of design], above 0, at most 1
    """
    out = []
    for name, site in air.fleet.sites.items():
        halls = {h: _hall(air, h, load) for h, (s, _) in air.fleet.halls().items() if s == name}
        other = at(site.other_site_mw, air.horizon.time, site.time_zone)
        out.append(_figures(air, name, _together(list(halls.values()), other)))
        out += [_figures(air, h, drawn) for h, drawn in halls.items()]
    return out


def _hall(air: Air, name: str, load: float) -> _Drawn:
    site, hall = air.fleet.halls()[name]
    design = at(hall.design_mw, air.horizon.time, air.fleet.sites[site].time_zone)
    plant, weather = air.plants[name], air.weather[site]
    held = np.minimum(load, load_limit(plant, weather))
    drawn = overhead(plant, weather, held[:, None])
    total, water, free = (x[:, 0] for x in (drawn.total, drawn.water, drawn.free_cooling))
    return _Drawn(
        held * design, (held + total) * design, water * design, free >= 1.0 - cooling.TINY, held < load * DERATED
    )


def _together(halls: list[_Drawn], other: Floats) -> _Drawn:
    it, facility, water = (np.sum([getattr(h, n) for h in halls], axis=0) for n in ("it", "facility", "water"))
    free, derated = np.all([h.free for h in halls], axis=0), np.any([h.derated for h in halls], axis=0)
    return _Drawn(it, facility + other, water, free, derated)


def _figures(air: Air, name: str, drawn: _Drawn) -> Figures:
    ratio = drawn.facility / drawn.it
    worst = int(np.argmax(ratio))
    return Figures(
        name=name,
        hours=float(air.horizon.dt.sum()),
        pue=float(drawn.facility.sum() / drawn.it.sum()),
        wue_l_per_kwh=float(drawn.water.sum() / drawn.it.sum()),
        free_cooling_hours=float(air.horizon.dt[drawn.free].sum()),
        worst_pue=float(ratio[worst]),
        worst_hour=f"{np.datetime_as_string(air.horizon.time[worst], unit='m')}Z",
        derated_hours=float(air.horizon.dt[drawn.derated].sum()),
    )


def picture(air: Air, load: float = LOAD) -> str:
    """A stand-alone SVG: for each site PUE over dry bulb at `load`, and over load, hall by hall."""
    pictures: list[Markup] = []
    for site in air.fleet.sites:
        halls = [h for h, (s, _) in air.fleet.halls().items() if s == site]
        dry = air.weather[site].temp_air
        over_dry = [cooling.band(_short(h), hue(i), dry, _ratio(_hall(air, h, load))) for i, h in enumerate(halls)]
        over_load = [_load_curve(air, h, hue(i)) for i, h in enumerate(halls)]
        pictures += [
            cooling.curves(f"{site} · PUE over dry bulb, °C, load {load:g}", over_dry),
            cooling.curves(f"{site} · PUE over load, share of design", over_load),
        ]
    return cooling.sheet(pictures)


def _short(hall: str) -> str:
    return hall.split("/", 1)[1]


def _ratio(drawn: _Drawn) -> Floats:
    return np.asarray(drawn.facility / drawn.it)


def _load_curve(air: Air, hall: str, role: str) -> cooling.Band:
    """Energy-weighted PUE over the load, between the 5th and the 95th percentile of the hours."""
    drawn = [_hall(air, hall, float(u)) for u in LOADS]
    ratios = np.array([_ratio(d) for d in drawn])
    low, high = np.percentile(ratios, [5, 95], axis=1)
    middle = np.array([d.facility.sum() / d.it.sum() for d in drawn])
    return cooling.Band(_short(hall), role, LOADS, low, middle, high)
