"""Real prices, real weather and a real job trace through the ordinary command.

    python -m benchmarks.real_cases --series FOLDER [--only NAME]

FOLDER holds the development series (see `CASES`); they are read where they are and never copied into the
project. Each case is a case file written to a temporary folder, then `energy.optimize.optimize`, as the
command does. Jobs: the 319 jobs of the AcmeTrace Kalos cluster (CC BY 4.0), their 90 days of arrivals
compressed to the horizon, slack of one to five days by job number, GPUs and durations as in the trace.
Fleets, plants and tariffs are made up; what is real is stated per series in every report.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from energy.cli.tables import console, headline
from energy.optimize import Run, optimize
from energy.report.page import render
from energy.runs.folder import publish, record_of

HALL = {"dlc": ("dlc_dry_cooler", "h200"), "air": ("airside_economizer", "h200")}
#: Site -> latitude, longitude, altitude, bidding zone, time zone, country, tariff, cooling.
PLACES: dict[str, tuple[float, float, float, str, str, str, str, str]] = {
    "skien": (59.2, 9.6, 30, "NO2", "Europe/Oslo", "NO", "no_central_grid", "dlc"),
    "frankfurt": (50.1, 8.7, 110, "DE-LU", "Europe/Berlin", "DE", "de_regional", "air"),
    "london": (51.5, 0.1, 20, "GB", "Europe/London", "GB", "gb_industrial", "air"),
    "oslo": (59.9, 10.8, 20, "NO1", "Europe/Oslo", "NO", "no_central_grid", "dlc"),
    "copenhagen": (55.7, 12.6, 5, "DK2", "Europe/Copenhagen", "DK", "dk_regional", "air"),
    "helsinki": (60.2, 24.9, 10, "FI", "Europe/Helsinki", "FI", "fi_regional", "dlc"),
    "tallinn": (59.4, 24.8, 10, "EE", "Europe/Tallinn", "EE", "fi_regional", "air"),
}
GPUS = {"skien": 1152, "oslo": 1152, "helsinki": 1152}
OTHER_GPUS = 640
FX = {"NOK": 0.087, "DKK": 0.134, "GBP": 1.13, "SEK": 0.094}


@dataclass(frozen=True)
class RealCase:
    """One window of real series."""

    folder: str
    sites: tuple[str, ...]
    weather: dict[str, dict[str, Any]]
    prices: str
    start: date
    end: date
    minutes: int = 60
    fill: bool = False
    zone: str = "UTC"
    days_compressed: float = 90.0


def _measured(name: str, quality: str = "measured", **extra: Any) -> dict[str, Any]:
    return {"file": f"weather_{name}.csv.gz", "quality": quality, "source": f"{name}, development series", **extra}


_2020 = {
    "skien": _measured("skien", source="MET Norway, Skien (CC BY 3.0 NO)"),
    "frankfurt": _measured("frankfurt", "secondary", source="Open-Meteo archive (CC BY 4.0)"),
    "london": _measured("london", "secondary", source="Open-Meteo archive (CC BY 4.0)"),
}
_NSRDB = {"source": "NREL NSRDB 2019, no humidity", "humidity": "dew_point_daily_minimum"}
_2019 = {
    "skien": _measured("skien", source="MET Norway, Skien (CC BY 3.0 NO)"),
    "oslo": _measured("oslo_15min", "secondary", **_NSRDB),
    "copenhagen": _measured("copenhagen_15min", "secondary", **_NSRDB),
}
_PRICES = "prices_eur_per_mwh.csv.gz"
_SITES_2020, _SITES_2019 = ("skien", "frankfurt", "london"), ("skien", "oslo", "copenhagen")


def _2020_case(start: tuple[int, int], end: tuple[int, int], fill: bool = False, zone: str = "UTC") -> RealCase:
    return RealCase("real2020", _SITES_2020, _2020, _PRICES, date(2020, *start), date(2020, *end), fill=fill, zone=zone)


def _2019_case(start: tuple[int, int], end: tuple[int, int], zone: str = "UTC") -> RealCase:
    return RealCase("nordic2019", _SITES_2019, _2019, _PRICES, date(2019, *start), date(2019, *end), zone=zone)


def _quarter_case(start: date, end: date) -> RealCase:
    """Quarter-hour prices; weather of 2019 moved to that calendar, a proxy."""
    weather = {
        site: {"file": f"moved:{place}", "quality": "proxy", "source": f"NREL NSRDB 2019, {place}, moved to {start.year}",
               "humidity": "dew_point_daily_minimum"}
        for site, place in (("helsinki", "stockholm"), ("tallinn", "oslo"))
    }  # fmt: skip
    prices = "prices_fi_ee_lv_lt_eur_per_mwh.csv.gz"
    return RealCase(
        "quarter_hour", ("helsinki", "tallinn"), weather, prices, start, end, 15, fill=True, zone="Europe/Helsinki"
    )


CASES: dict[str, RealCase] = {
    "real2020-april": _2020_case((4, 1), (4, 28)),
    "real2020-may": _2020_case((5, 4), (5, 31)),
    "real2020-gaps": _2020_case((4, 27), (5, 3), fill=True),
    "real2020-dst": _2020_case((3, 23), (3, 29), zone="Europe/Oslo"),
    "nordic2019-february": _2019_case((2, 4), (3, 3)),
    "nordic2019-october-dst": _2019_case((10, 21), (10, 27), zone="Europe/Oslo"),
    "quarter-hour": _quarter_case(date(2026, 2, 2), date(2026, 2, 8)),
    "quarter-hour-dst": _quarter_case(date(2026, 3, 23), date(2026, 3, 29)),
}


def write_case(name: str, series: Path, folder: Path) -> Path:
    """Write fleet, jobs and case files for one window and return the case file."""
    case = CASES[name]
    _dump(_fleet(case), folder / "fleet.yaml")
    _jobs(series, case).to_csv(folder / "jobs.csv", index=False)
    zones = [PLACES[s][3] for s in case.sites]
    source = {"quality": "auction", "source": f"day-ahead prices, development series {case.folder}"}
    weather = {s: w | {"file": str(_weather_file(w["file"], series, case, folder))} for s, w in case.weather.items()}
    _dump({
        "name": name, "fleet": "fleet.yaml", "jobs": "jobs.csv",
        "horizon": {"start": case.start, "end": case.end, "time_zone": case.zone, "market_time_unit_min": case.minutes},
        "prices": [{"file": str((series / case.folder / case.prices).resolve()), "zones": zones, **source}],
        "weather": {s: weather[s] for s in case.sites},
        "fx": {k: {"eur_per_unit": v, "source": "round figure of the year, assumption"} for k, v in FX.items()},
    }, folder / "case.yaml")  # fmt: skip
    return folder / "case.yaml"


def _dump(data: Any, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(data, file)


def _fleet(case: RealCase) -> dict[str, Any]:
    return {"name": case.folder, "sites": {s: _site(s) for s in case.sites}, "fleet_pue_caps": []}


def _site(name: str) -> dict[str, Any]:
    lat, lon, alt, zone, time_zone, country, tariff, cooling = PLACES[name]
    plant, gpu = HALL[cooling]
    gpus = GPUS.get(name, OTHER_GPUS)
    hall = {"plant": plant, "electrical": "typical", "design_mw": gpus * 1.1e-3 + 0.1, "other_it_mw": 0.05,
            "pools": {gpu: {"gpu": gpu, "count": gpus, "firm_gpus": 96}}}  # fmt: skip
    return {
        "place": {"latitude": lat, "longitude": lon, "altitude_m": alt}, "bidding_zone": zone, "time_zone": time_zone,
        "country": country, "jurisdictions": ["EEA"], "tariff": tariff, "grid_limit_mw": gpus * 1.3e-3 + 0.3,
        "other_site_mw": 0.02, "halls": {"h1": hall}, "pue_caps": [{"name": "contract", "limit": 1.2, "period": "year"}],
    }  # fmt: skip


def _jobs(series: Path, case: RealCase) -> pd.DataFrame:
    """The Kalos queue on the horizon: arrivals compressed, what no longer fits before its end left out."""
    trace = pd.read_csv(series / "jobs" / "acme_kalos_completed_jobs.csv.gz")
    hours = ((case.end - case.start).days + 1) * 24.0 - 1  # an hour less where the clock is put forward
    release = trace["arrival_s"] / 3600 * hours / (case.days_compressed * 24)
    runtime = trace["duration_s"] / 3600
    deadline = (release + runtime + 24.0 * (1 + trace["job"] % 5)).clip(upper=hours)
    fits = deadline - release > runtime * 1.02
    longest = 0.25 * hours  # the few longer jobs keep their GPUs and lose work
    share = (longest / runtime).clip(upper=1.0)
    homes = [case.sites[j % len(case.sites)] for j in trace["job"]]
    table = pd.DataFrame({
        "id": [f"kalos-{j:03d}" for j in trace["job"]], "label": trace["kind"],
        "gpu_hours": (trace["gpus"] * runtime * share).round(6), "max_gpus": trace["gpus"],
        "release": [f"+{r:.4f}h" for r in release], "deadline": [f"+{d:.4f}h" for d in deadline],
        "gpu_kinds": "h200=1", "home_site": homes,
    })  # fmt: skip
    # A week gets every fourth job, so that all windows are about equally full.
    chosen = trace["job"] % 4 == 0 if hours < 200 else trace["job"] >= 0
    return table[fits & chosen & (table["gpu_hours"] > 0)]


def _weather_file(name: str, series: Path, case: RealCase, folder: Path) -> Path:
    if not name.startswith("moved:"):
        return (series / case.folder / name).resolve()
    place = name.removeprefix("moved:")
    table = pd.read_csv(series / "nordic2019" / f"weather_{place}_15min.csv.gz", parse_dates=["utc"])
    years = pd.DateOffset(years=case.start.year - 2019)
    moved = table.assign(utc=(table["utc"] + years).dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    moved.to_csv(folder / f"weather_{place}_moved.csv", index=False)
    return folder / f"weather_{place}_moved.csv"


def run(name: str, series: Path, tell: Callable[[str], None] = lambda _: None) -> Run:
    """Optimise one case."""
    with tempfile.TemporaryDirectory() as folder:
        return optimize(write_case(name, series, Path(folder)), fill=CASES[name].fill, tell=tell)


def main() -> None:
    """Run all cases, print a line each, exit 1 when one is not OK."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=Path, required=True)
    parser.add_argument("--only", choices=sorted(CASES))
    parser.add_argument("--out", type=Path, help="also publish the run folders here")
    args = parser.parse_args()
    bad = 0
    for name in [args.only] if args.only else CASES:
        result = run(name, args.series)
        if args.out:
            with tempfile.TemporaryDirectory() as folder:
                write_case(name, args.series, Path(folder))
                record = record_of(result)
                publish(record, args.out, render(record))
        s, proof = result.summary, result.certificate
        console().print(f"{name}: {headline(result)}; objective {proof.primal_eur:.6f} EUR, gap {proof.relative_gap:.1e}, "
                        f"{proof.rows} x {proof.columns}, solve {result.raw.seconds:.1f} s, named {result.reconciliation.named_share:.4%}, "
                        f"busy {s['busy_share']:.0%}, late run-now {s['baseline_late_gpu_hours']:.0f} GPU-h", soft_wrap=True)  # fmt: skip
        for reason in result.outcome.reasons:
            console().print(f"  - {reason}")
        bad += result.outcome.status != "OK"
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
