"""Fleets, tariffs and cases that ship with the reference data: cited, consistent, covered by their series."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from ruamel.yaml import YAML

MODELS = Path(__file__).parents[2] / "models"


def read_yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("fleet", ["reference", "norway"])
def test_every_site_has_a_tariff_of_its_country(fleet: str) -> None:
    for site in read_yaml(MODELS / f"fleets/{fleet}.yaml")["sites"].values():
        assert site["country"] in site["jurisdictions"]
        assert read_yaml(MODELS / f"tariffs/{site['tariff']}.yaml")["country"] == site["country"]


@pytest.mark.parametrize("path", sorted((MODELS / "tariffs").glob("*.yaml")), ids=lambda p: p.stem)
def test_tariff_components_are_cited_and_in_their_currency(path: Path) -> None:
    tariff = read_yaml(path)
    assert tariff["name"] == path.stem
    for component in tariff["components"]:
        assert component["unit"] == "1" or component["unit"].startswith(f"{tariff['currency']}/")
        assert component["source"]
        assert component["confidence"] in {"H", "M", "L", "CALC", "MEM"}


@pytest.mark.parametrize("name", ["reference", "reference_hot"])
def test_case_files_name_series_that_cover_their_days(name: str) -> None:
    sites = read_yaml(MODELS / "fleets/reference.yaml")["sites"]
    case = read_yaml(MODELS / f"cases/{name}.yaml")
    zones = {zone for entry in case["prices"] for zone in entry["zones"]}
    assert zones == {site["bidding_zone"] for site in sites.values()}
    assert set(case["weather"]) == set(sites)
    berlin = ZoneInfo(case["horizon"]["time_zone"])
    first = datetime.combine(case["horizon"]["start"], datetime.min.time(), berlin)
    for entry in [*case["prices"], *case["weather"].values()]:
        series = pd.read_csv((MODELS / "cases" / entry["file"]).resolve(), index_col="utc")
        hours = pd.date_range(pd.Timestamp(first).tz_convert("UTC").tz_localize(None), periods=168, freq="h")
        assert hours.strftime("%Y-%m-%dT%H:%M:%SZ").isin(series.index).all()
        assert entry["source"]
        assert "licence" in entry
