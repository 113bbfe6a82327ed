"""The committed reference case: whole, unchanged, labelled, and sized so that any week of 2018 runs."""

from __future__ import annotations

import hashlib
import importlib
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data/reference"
MODELS = ROOT / "models"
SHARED = ROOT.parent / "shared/data"
SERIES = sorted(DATA.glob("prices*.csv")) + sorted(DATA.glob("weather_*.csv"))
NOMINAL_SPEED = {"gb300": 2.0, "h200": 1.0, "a100": 0.4}
WEEKS = [date(2018, 1, 1) + timedelta(weeks=i) for i in range(52)]


def read_yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def read_series(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, index_col="utc")
    frame.index = pd.to_datetime(frame.index, format="%Y-%m-%dT%H:%M:%SZ")
    return frame


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    return read_series(DATA / "prices.csv")


@pytest.fixture(scope="module")
def jobs() -> pd.DataFrame:
    frame = pd.read_csv(DATA / "jobs.csv")
    for column in ("release", "deadline"):
        assert frame[column].str.fullmatch(r"\+\d+(\.\d+)?h").all()
        frame[column] = frame[column].str[1:-1].astype(float)
    frame["fastest"] = [max(kinds.values()) for kinds in map(kinds_of, frame.gpu_kinds)]
    frame["runtime"] = frame.gpu_hours / frame.max_gpus / frame.fastest
    return frame


def kinds_of(cell: str) -> dict[str, float]:
    return {kind: float(speed) for kind, speed in (part.split("=") for part in cell.split(";"))}


@pytest.fixture(scope="module")
def sites() -> dict[str, Any]:
    sites: dict[str, Any] = read_yaml(MODELS / "fleets/reference.yaml")["sites"]
    return sites


def pools_of(sites: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(s, p) for s, site in sites.items() for h in site["halls"].values() for p in h["pools"].values()]


# --- files ---------------------------------------------------------------------------------------


def test_hashes_in_sums_and_readme_are_those_of_the_files() -> None:
    sums = (DATA / "SHA256SUMS").read_text(encoding="ascii")
    listed = dict(reversed(line.split("  ")) for line in sums.splitlines())
    assert set(listed) == {path.name for path in DATA.glob("*.csv")}
    for name, digest in listed.items():
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest, name
    assert sums in (DATA / "README.md").read_text(encoding="utf-8")


def test_check_flag_agrees_and_notices_a_changed_file(tmp_path: Path) -> None:
    command = [sys.executable, "-B", str(DATA / "build.py"), "--check"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    for path in [*DATA.glob("*.csv"), DATA / "SHA256SUMS"]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "jobs.csv").write_bytes(b"id\n")
    changed = subprocess.run([*command, "--out", str(tmp_path)], check=False, capture_output=True, text=True)
    assert changed.returncode == 1
    assert changed.stderr.startswith("jobs.csv: differs")


def test_narvik_scenario_is_rebuilt_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DATA))
    importlib.import_module("builder.weather").build_narvik(tmp_path / "narvik.csv")
    assert (tmp_path / "narvik.csv").read_bytes() == (DATA / "weather_narvik.csv").read_bytes()


@pytest.mark.skipif(not SHARED.exists(), reason="the development data ../shared/data are not here")
def test_jobs_and_no4_scenario_are_rebuilt_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DATA))
    kalos, figures = SHARED / "jobs/acme_kalos_completed_jobs.csv.gz", SHARED / "reference/no4_2018_summary.csv"
    importlib.import_module("builder.jobs").build(kalos, tmp_path / "jobs.csv")
    importlib.import_module("builder.prices").build_no4(figures, tmp_path / "prices_no4_scenario.csv")
    for name in ("jobs.csv", "prices_no4_scenario.csv"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name


def test_folder_is_small() -> None:
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 5e6


def test_no_host_and_no_local_path_is_named() -> None:
    texts = [p for folder in (DATA, MODELS) for p in folder.rglob("*") if p.suffix in {".py", ".md", ".yaml", ".csv"}]
    forbidden = re.compile(r"://|pypi\.|pythonhosted|index-url|/work/|/tmp/|/home/")
    assert [p.name for p in texts if forbidden.search(p.read_text(encoding="utf-8"))] == []


# --- series --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SERIES, ids=lambda p: p.stem)
def test_series_has_every_hour_of_the_common_axis(path: Path) -> None:
    series = read_series(path)
    hours = pd.date_range("2017-12-31 23:00", "2018-12-31 22:00", freq="h")
    assert np.array_equal(series.index.to_numpy(), hours.to_numpy())
    assert np.isfinite(series.to_numpy(float)).all()


def test_known_auction_prices_stand_at_their_hours(prices: pd.DataFrame) -> None:
    assert prices.loc["2018-05-01 12:00", "DE"] == -58.96  # 14:00 in Berlin, summer time
    assert prices.loc["2018-10-28 00:00", "DE"] == 41.62  # the first 02:00 of that night
    assert prices.loc["2018-10-28 01:00", "DE"] == 41.59  # the second
    assert prices.loc["2018-03-25 01:00", "DK2"] == 37.85  # 03:00, after the hour that is not there
    assert prices.loc["2018-09-30 21:00", "DE"] == 60.87  # last hour of the German-Austrian zone
    assert prices.loc["2018-09-30 22:00", "DE"] == 59.53


def test_default_week_has_negative_german_and_french_hours(prices: pd.DataFrame) -> None:
    week = prices["2018-04-29 22:00":"2018-05-06 21:00"]  # type: ignore[misc]
    assert len(week) == 168
    assert (week["DE"] < 0).sum() >= 10
    assert (week["FR"] < 0).sum() >= 1


def test_no4_scenario_keeps_the_published_block_means_and_nothing_more() -> None:
    series = read_series(DATA / "prices_no4_scenario.csv")["NO4"]
    oslo = pd.DatetimeIndex(series.index).tz_localize("UTC").tz_convert("Europe/Oslo")
    blocks = series.groupby((oslo.day_of_year - 1) // 7)
    assert blocks.mean()[[0, 11, 16, 17, 52]].tolist() == pytest.approx([29.87, 42.33, 36.66, 36.10, 48.44], abs=0.005)
    assert (blocks.std() / blocks.mean()).max() < 0.12


@pytest.mark.parametrize("path", sorted(DATA.glob("weather_*.csv")), ids=lambda p: p.stem)
def test_weather_is_physical(path: Path) -> None:
    weather = read_series(path)
    assert (weather.temp_dew <= weather.temp_air).all()
    assert weather.temp_air.between(-30, 45).all()
    assert weather.pressure.between(9.3e4, 1.07e5).all()
    assert weather.wind_speed.between(0, 40).all()
    assert weather.temp_air["2018-07"].mean() > weather.temp_air["2018-01"].mean() + 10


def test_hot_week_is_hot_in_paris() -> None:
    weather = read_series(DATA / "weather_paris.csv")
    assert weather.temp_air["2018-07-22":"2018-07-28"].max() > 39  # type: ignore[misc]


# --- jobs ----------------------------------------------------------------------------------------


def test_no_job_is_more_than_a_tenth_of_the_work(jobs: pd.DataFrame) -> None:
    assert 280 <= len(jobs) <= 320
    assert jobs.id.is_unique
    assert (jobs.gpu_hours > 0).all()
    assert jobs.gpu_hours.max() <= 0.10 * jobs.gpu_hours.sum()


def test_slack_is_one_to_five_days_and_every_deadline_inside_the_shortest_week(jobs: pd.DataFrame) -> None:
    slack = jobs.deadline - jobs.release - jobs.runtime
    assert slack.between(24, 120).all()
    assert (jobs.release >= 0).all()
    assert jobs.deadline.max() <= 167  # the week in which summer time begins


def test_groups_are_few(jobs: pd.DataFrame) -> None:
    combinations = jobs.groupby(["gpu_kinds", "jurisdictions"]).size()
    assert 7 <= len(combinations) <= 9
    assert combinations.min() >= 10


def test_every_job_may_run_at_home_and_fits_into_its_largest_pool(jobs: pd.DataFrame, sites: dict[str, Any]) -> None:
    for job in jobs.itertuples():
        kinds, tags = kinds_of(job.gpu_kinds), set(job.jurisdictions.split(";"))
        pools = [(s, p) for s, p in pools_of(sites) if p["gpu"] in kinds and tags & set(sites[s]["jurisdictions"])]
        assert job.home_site in {s for s, _ in pools}, job.id
        assert job.max_gpus <= max(at(p["count"], date(2018, 1, 1)) - p["firm_gpus"] for _, p in pools), job.id


def test_jobs_are_scenario_made_from_whole_distribution(jobs: pd.DataFrame) -> None:
    assert (jobs.max_gpus <= 64).sum() >= 15
    assert (jobs.max_gpus >= 1984).sum() >= 15
    assert (jobs.runtime > 36).sum() >= 20
    assert (jobs.runtime < 1).sum() >= 50


# --- fleet against jobs --------------------------------------------------------------------------


def at(value: Any, day: date) -> float:
    """Value of a number or of dated steps on a day."""
    if not isinstance(value, list):
        return float(value)
    return float([step["value"] for step in value if step["from"] <= day][-1])


def capacity(sites: dict[str, Any], week: date, key: str) -> float:
    """Reference GPU-hours of a week that the pools have (`count`) or that inference holds (`firm_gpus`)."""
    days = [week + timedelta(days=i) for i in range(7)]
    return sum(24 * NOMINAL_SPEED[p["gpu"]] * at(p[key], day) for _, p in pools_of(sites) for day in days)


@pytest.mark.parametrize("week", WEEKS, ids=str)
def test_every_week_is_busy_but_not_full(week: date, jobs: pd.DataFrame, sites: dict[str, Any]) -> None:
    held = capacity(sites, week, "firm_gpus") + jobs.gpu_hours.sum()
    assert 0.60 <= held / capacity(sites, week, "count") <= 0.75


def test_fleet_has_a_phase_and_a_maintenance_window_in_the_default_week(sites: dict[str, Any]) -> None:
    first, last = date(2018, 4, 30), date(2018, 5, 6)
    counts = [p["count"] for _, p in pools_of(sites) if isinstance(p["count"], list)]
    assert any(first < step["from"] <= last for count in counts for step in count)
    windows = [w for _, p in pools_of(sites) for w in p.get("maintenance", [])]
    assert any(first <= date.fromisoformat(w["from"][:10]) <= last for w in windows)


def test_fleet_is_of_the_stated_size(sites: dict[str, Any]) -> None:
    busy = {k: read_yaml(MODELS / f"gpus/{k}.yaml")["busy_kw_per_gpu"]["value"] / 1000 for k in NOMINAL_SPEED}
    megawatts = sum(busy[p["gpu"]] * at(p["count"], date(2018, 5, 2)) for _, p in pools_of(sites))
    assert len(sites) >= 5
    assert 45 <= megawatts <= 80
