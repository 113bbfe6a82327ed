"""YAML files that cannot be used: one clear line with file, key and what is allowed (exit code 2)."""

import math
from datetime import UTC, datetime

import pytest

from energy.errors import ConfigError
from tests.cases import GONE


def since(moment, value):
    """A phase."""
    return {"from": moment, "value": value}


#: What is wrong -> (file, key, value, words of the message).
EDITS = {
    # zones, places, names
    "zone NO": ("fleet.yaml", "sites.north.bidding_zone", "NO",
        ["fleet.yaml", "sites.north.bidding_zone", "'NO' is not a bidding zone", "NO1, NO2, NO3, NO4, NO5"]),
    "zone of no country": ("fleet.yaml", "sites.north.bidding_zone", "XX1", ["sites.north.bidding_zone", "SE4"]),
    "time zone": ("fleet.yaml", "sites.north.time_zone", "Oslo", ["sites.north.time_zone", "Europe/Oslo"]),
    "country": ("fleet.yaml", "sites.north.country", "Norway", ["sites.north.country", "^[A-Z]{2}$", "'Norway'"]),
    "latitude": ("fleet.yaml", "sites.north.place.latitude", 168.4, ["place.latitude", "less than or equal to 90"]),
    # keys
    "unknown key of a hall": ("fleet.yaml", "sites.north.halls.liquid.desing_mw", 2,
        ["fleet.yaml: sites.north.halls.liquid.desing_mw: unknown key", "allowed", "design_mw"]),
    "unknown key of a phase": ("fleet.yaml", "sites.north.grid_limit_mw", [{"from": "2020-01-01", "valeu": 3}],
        ["sites.north.grid_limit_mw.0.valeu: unknown key; allowed there: from, value"]),
    "unknown key of the case": ("case.yaml", "horizont", 1, ["case.yaml: horizont: unknown key", "horizon"]),
    "missing key": ("fleet.yaml", "sites.north.tariff", GONE, ["fleet.yaml: sites.north.tariff: missing"]),
    "no halls": ("fleet.yaml", "sites.north.halls", {}, ["sites.north.halls", "at least 1"]),
    # numbers
    "NaN": ("fleet.yaml", "sites.north.place.latitude", math.nan, ["sites.north.place.latitude", "finite", "nan"]),
    "inf": ("case.yaml", "fx.NOK.eur_per_unit", math.inf, ["case.yaml: fx.NOK.eur_per_unit", "finite", "inf"]),
    "NaN in a dated number": ("fleet.yaml", "sites.north.grid_limit_mw", math.nan,
        ["north.grid_limit_mw.0.value", "finite"]),
    "inf in a phase": ("fleet.yaml", "sites.north.halls.liquid.pools.gb300.count",
        [since("2020-01-01", math.inf)], ["gb300.count.0.value", "finite"]),
    "NaN in a tariff": ("tariff.yaml", "components.0.value", math.nan, ["tariff.yaml: components.0.value", "finite"]),
    "text for a number": ("fleet.yaml", "sites.north.grid_limit_mw", "3 MW",
        ["sites.north.grid_limit_mw: must be a number, or a list of {from: date, value: number}",
        "'3 MW'"]),
    "decimal comma": ("case.yaml", "fx.NOK.eur_per_unit", "0,1", ["fx.NOK.eur_per_unit", "valid number", "'0,1'"]),
    "negative GPUs": ("fleet.yaml", "sites.north.halls.liquid.pools.gb300.count", -1,
        ["gb300.count", "greater than or equal to 0"]),
    # PUE caps
    "PUE below 1": ("fleet.yaml", "sites.north.pue_caps.0.limit", 0.95,
        ["fleet.yaml: sites.north.pue_caps.0.limit", "greater than or equal to 1", "0.95"]),
    "rolling without window": ("fleet.yaml", "sites.north.pue_caps.0.period", "rolling",
        ["pue_caps.0", "window_h belongs to"]),
    "hour without load": ("fleet.yaml", "sites.north.pue_caps.0.period", "hour",
        ["pue_caps.0", "above_it_mw belongs to"]),
    "two caps of one name": ("fleet.yaml", "fleet_pue_caps", [{"name": "a", "limit": 1.2}, {"name": "a", "limit": 1.3}],
        ["fleet_pue_caps: two caps are named 'a'"]),
    # dates
    "phases not rising": ("fleet.yaml", "sites.north.grid_limit_mw", [since("2022-01-01", 3), since("2021-01-01", 2)],
        ["sites.north.grid_limit_mw", "rising dates"]),
    "first phase too late": ("fleet.yaml", "sites.north.halls.liquid.design_mw", [since("2024-03-06", 2)],
        ["fleet.yaml: sites.north.halls.liquid.design_mw", "no value before 2024-03-06",
        "2024-03-05"]),
    "phase with an offset": ("fleet.yaml", "sites.north.grid_limit_mw", [since(datetime(2020, 1, 1, tzinfo=UTC), 3)],
        ["sites.north.grid_limit_mw.0.from", "site's local time, without an offset"]),
    "a number for a date": ("fleet.yaml", "sites.north.grid_limit_mw", [since(20200101, 3)],
        ["sites.north.grid_limit_mw.0.from", "a date or a moment such as 2018-05-03T06:00"]),
    "year 3024": ("fleet.yaml", "sites.north.grid_limit_mw", [since("3024-01-01", 3)],
        ["grid_limit_mw.0.from", "between the years 1900 and 2200"]),
    "maintenance backwards": ("fleet.yaml", "sites.north.halls.liquid.pools.gb300.maintenance",
        [{"from": "2024-03-06T08:00", "to": "2024-03-06T06:00", "gpus": 8}],
        ["gb300.maintenance.0", "must end after it begins"]),
    "maintenance with an offset": ("fleet.yaml", "sites.north.halls.liquid.pools.gb300.maintenance",
        [{"from": "2024-03-06T08:00Z", "to": "2024-03-06T10:00", "gpus": 8}],
        ["gb300.maintenance.0.from", "without an offset"]),
    "horizon backwards": ("case.yaml", "horizon.end", "2024-03-01",
        ["case.yaml: horizon", "end 2024-03-01 is before start 2024-03-05"]),
    "horizon without end": ("case.yaml", "horizon.end", "9999-12-31", ["case.yaml: horizon.end", "2200"]),
    "market time unit": ("case.yaml", "horizon.market_time_unit_min", 20,
        ["horizon.market_time_unit_min", "15, 30 or 60", "20"]),
    # what the files need of each other
    "weather of a site missing": ("case.yaml", "weather.north", GONE,
        ["case.yaml: weather", "no weather for site north"]),
    "weather of no site": ("case.yaml", "weather.nroth",
        {"file": "weather_north.csv", "quality": "proxy", "source": "none"},
        ["case.yaml: weather.nroth", "no such site", "north, south"]),
    "prices of a zone missing": ("case.yaml", "prices.0.zones", ["NO4"],
        ["case.yaml: prices", "zone DE-LU of site south"]),
    "zone named twice": ("case.yaml", "prices.0.zones", ["NO4", "DE-LU", "NO4"],
        ["case.yaml: prices: zone NO4 is named twice"]),
    "column of no zone": ("case.yaml", "prices.0.columns", {"SE4": "x"},
        ["prices.0", "columns names SE4", "NO4, DE-LU"]),
    "rate of a currency missing": ("case.yaml", "fx", {},
        ["case.yaml: fx", "no rate for NOK, which tariff nordic needs"]),
    "rate of a contract's currency missing": ("fleet.yaml", "sites.north.contracts",
        [{"kind": "hedge", "name": "ppa", "mw": 1, "price": 400, "currency": "SEK"}],
        ["case.yaml: fx", "no rate for SEK, which contract ppa of site north needs"]),
    "rate of a feed-in currency missing": ("fleet.yaml", "sites.north.solar",
        {"dc_mw": 1, "ac_mw": 1, "feed_in": {"limit_mw": 1, "price": 50, "currency": "GBP"}},
        ["case.yaml: fx", "no rate for GBP, which feed_in of site north needs"]),
    "quality": ("case.yaml", "prices.0.quality", "guess", ["prices.0.quality", "'auction', 'measured'", "'guess'"]),
    "GPU kind": ("fleet.yaml", "sites.north.halls.liquid.pools.gb300.gpu", "gb3000",
        ["fleet.yaml: pool north/liquid/gb300: gpu", "'gb3000'", "gb300, h200"]),
    "plant": ("fleet.yaml", "sites.north.halls.liquid.plant", "snow",
        ["fleet.yaml: hall north/liquid: plant", "'snow'", "dlc_dry_cooler"]),
    "electrical preset": ("fleet.yaml", "sites.north.halls.liquid.electrical", "magic",
        ["dlc_dry_cooler.yaml", "'magic'", "best, typical"]),
    "tariff": ("fleet.yaml", "sites.north.tariff", "free", ["fleet.yaml: sites.north.tariff", "'free'", "de_regional"]),
    "idle above busy": ("fleet.yaml", "sites.north.halls.liquid.pools.gb300.idle_kw_per_gpu", 2.5,
        ["fleet.yaml: pool north/liquid/gb300", "1.9 kW busy, 2.5 kW idle", "busy > idle >= off"]),
    "tariff per kWh": ("tariff.yaml", "components.0.unit", "NOK/kWh",
        ["tariff.yaml: components.0.unit: 'NOK/kWh' of tax", "NOK/MWh"]),
    "demand charge that changes in mid-month": ("tariff.yaml", "components.0",
        {"name": "peak", "kind": "demand", "valid_from": "2024-03-15", "value": 1, "unit": "NOK/MW/month", "source": "made up",
         "confidence": "L"},
        ["components.0.valid_from: 2024-03-15 of peak", "changes on the first of one"]),
    "two rates from one day": ("tariff.yaml", "components.1",
        {"name": "tax", "kind": "energy", "valid_from": "2015-01-01", "value": 1,
        "unit": "NOK/MWh", "source": "made up", "confidence": "L"},
        ["tax has two rates from 2015-01-01"]),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_bad_key(case, name):
    file, key, value, words = EDITS[name]
    case.edit(file, key, value).refused(ConfigError, *words)


#: What is wrong -> (key of state.yaml, value, words of the message).
STATES = {
    "unknown site": ("sites", {"nroth": {}}, ["state.yaml: sites.nroth", "no such site", "north, south"]),
    "month": ("sites", {"north": {"peak_so_far_mw": {"2024-13": 1.0}}}, ["sites.north.peak_so_far_mw.2024-13"]),
    "negative peak": (
        "sites",
        {"north": {"peak_so_far_mw": {"2024-03": -1.0}}},
        ["2024-03", "greater than or equal to 0"],
    ),
    "NaN of work": ("work_done", {"j1": math.nan}, ["state.yaml: work_done.j1", "finite"]),
    "unknown key": ("work_doen", {}, ["state.yaml: work_doen: unknown key; allowed there: sites, work_done"]),
}


@pytest.mark.parametrize("name", STATES)
def test_bad_state(case, name):
    key, value, words = STATES[name]
    case.edit("case.yaml", "state", "state.yaml").edit("state.yaml", key, value).refused(ConfigError, *words)


#: What is wrong -> (text in fleet.yaml, what stands there instead, words of the message).
TEXTS = {
    "duplicate key": ("    grid_limit_mw: 3.0\n", "    grid_limit_mw: 3.0\n    grid_limit_mw: 4.0\n",
        ["fleet.yaml:11", 'duplicate key "grid_limit_mw"', "each key once"]),
    "duplicate site": ("  south:", "  north:", ["fleet.yaml:", 'duplicate key "north"']),
    "tab": ("    country: NO", "\tcountry: NO", ["fleet.yaml:7", "YAML 1.2"]),
    "no such day": ("grid_limit_mw: 3.0", "grid_limit_mw: [{from: 2023-02-30, value: 3}]",
        ["fleet.yaml", "a date that does not exist", "YYYY-MM-DD"]),
    "control character": ("country: NO", "country: N\x00O", ["fleet.yaml", "YAML 1.2"]),
    "two documents": ("sites:\n", "---\nsites:\n", ["fleet.yaml:", "document"]),
    "python object": ("country: NO", "country: !!python/name:os.system", ["fleet.yaml:7", "tag"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_bad_yaml(case, name):
    old, new, words = TEXTS[name]
    case.text("fleet.yaml", old, new).refused(ConfigError, *words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["fleet.yaml", "empty"]),
        (b"- a\n- b\n", ["fleet.yaml", "not a mapping"]),
        ("name: Malmö".encode("latin-1"), ["fleet.yaml", "not UTF-8"]),
    ],
)
def test_not_a_yaml_mapping(case, content, words):
    (case.folder / "fleet.yaml").write_bytes(content)
    case.refused(ConfigError, *words)


@pytest.mark.parametrize("file", ["case.yaml", "fleet.yaml", "tariff.yaml"])
def test_missing_yaml_file(case, file):
    (case.folder / file).unlink()
    case.refused(ConfigError, file)


def test_many_problems_are_named_together_but_not_all(case):
    pools = {f"p{i}": {"gpu": "gb300"} for i in range(9)}
    message = case.edit("fleet.yaml", "sites.north.halls.liquid.pools", pools).refused(ConfigError, "p0.count: missing")
    assert message.count("missing") == 6
    assert message.endswith("… and 3 more")
