"""The committed country files: every number is dated, cited and graded, and every file has a golden invoice."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from energy.cli.tables import check_table
from energy.inputs.components.demand import Demand
from energy.inputs.dated import is_holiday
from energy.inputs.provenance import early_rates
from energy.report.plan import notes
from tests.bills.meter import TARIFF_FILES, committed
from tests.cases import SmallCase

NAMES = [p.stem for p in TARIFF_FILES]
COMPONENTS = [(name, c) for name in NAMES for c in committed(name).components]
every_file = pytest.mark.parametrize("name", NAMES)
every_component = pytest.mark.parametrize(("name", "c"), COMPONENTS, ids=[f"{n}:{c.name}@{c.valid_from}" for n, c in COMPONENTS])  # fmt: skip
#: What a source says that is no more than a guess or stands in for another date.
WEAK_WORDS = ("assumption", "stand", "memory", "not known", "proxy")


def versions(name):
    """Components by name, in file order."""
    out = {}
    for c in committed(name).components:
        out.setdefault(c.name, []).append(c)
    return out


def test_all_countries_are_there():
    assert set(NAMES) == {
        "no_central_grid", "no_regional_grid", "se_regional", "fi_regional", "dk_regional", "de_regional",
        "fr_regional", "nl_regional", "gb_industrial", "pt_regional",
    }  # fmt: skip


@every_component
def test_source_and_confidence(name, c):
    assert len(c.source) >= 10
    assert c.confidence in ("H", "M", "L", "MEM")
    if c.confidence == "L":
        assert any(word in c.source for word in WEAK_WORDS), "a weak number says why"
    if c.confidence == "H":
        assert re.search(r"\w\.(no|fi|dk|uk)|Statnett", c.source), "a strong number names where it was read"


@every_file
def test_valid_dates_rise_and_versions_are_alike(name):
    """A later version changes the rate, never what is measured, when, or in which unit."""
    for found in versions(name).values():
        for before, after in pairwise(found):
            assert before.valid_from < after.valid_from
            assert (before.kind, before.unit) == (after.kind, after.unit)
            assert getattr(before, "when", None) == getattr(after, "when", None)
            assert getattr(before, "look_back_months", None) == getattr(after, "look_back_months", None)


@every_file
def test_every_component_begins_early_enough_for_the_reference_year(name):
    assert all(str(found[0].valid_from) <= "2017-01-01" for found in versions(name).values())


@every_file
def test_every_file_has_margin_tax_power_and_fixed_charge(name):
    kinds = {c.kind for c in committed(name).components}
    assert {"energy", "demand", "fixed"} <= kinds
    names = set(versions(name))
    assert "supplier_margin" in names
    assert names & {"electricity_tax", "excise", "climate_change_levy"}
    assert "without VAT" in (next(p for p in TARIFF_FILES if p.stem == name)).read_text(encoding="utf-8")


@every_component
def test_sizes_are_plausible(name, c):
    """A rate per kWh taken for one per MWh, or kW for MW, would fall out of these ranges."""
    eur = {"NOK": 0.1, "SEK": 0.1, "DKK": 0.13, "GBP": 1.15, "EUR": 1.0}[committed(name).currency]
    if c.kind == "energy":
        assert 0.04 <= c.value * eur <= 80
        assert c.reduced is None or 0 < c.reduced < c.value
    if isinstance(c, Demand):
        yearly = 1 if c.unit.endswith("/year") else 12
        assert all(rate == 0 or 4000 <= rate * eur * yearly <= 120000 for _, rate in c.rates())
    assert c.unit in [u.format(currency=committed(name).currency) for u in c.units]


@every_file
def test_holidays_of_the_country_are_known(name):
    christmas = pd.date_range("2024-12-25", periods=2, freq="D")
    assert is_holiday(christmas, committed(name).country)[0]


@every_file
def test_doubtful_components_are_told(name):
    weak = committed(name).low_confidence()
    assert {c.confidence for c in weak} <= {"L", "MEM"}
    assert len(weak) == sum(c.confidence in ("L", "MEM") for c in committed(name).components)


@pytest.mark.parametrize(
    ("name", "component"),
    [("no_central_grid", "electricity_tax"), ("no_regional_grid", "electricity_tax"), ("de_regional", "electricity_tax"),
     ("fr_regional", "excise"), ("gb_industrial", "climate_change_levy"), ("se_regional", "electricity_tax"),
     ("fi_regional", "electricity_tax")],
)  # fmt: skip
def test_disputed_or_conditional_taxes_are_switches(name, component):
    assert versions(name)[component][-1].reduced is not None


def test_shapes_of_demand_charges():
    """Each country in its own shape."""

    def demand(name, component):
        return versions(name)[component][-1]

    assert len(demand("no_regional_grid", "regional_grid_power").bands) == 3
    assert demand("no_central_grid", "central_grid_power").when.months == (1, 2, 3, 11, 12)
    assert demand("gb_industrial", "transmission_locational").when.hours == ((16, 19),)
    assert demand("se_regional", "grid_power").look_back_months == 4
    annual = demand("de_regional", "grid_power")
    assert (annual.look_back_months, annual.ratchet_share, annual.unit) == (11, 1.0, "EUR/MW/year")
    assert demand("fi_regional", "grid_power").ratchet_share == 0.8


def test_statnett_winter_months_add_up_to_the_yearly_rate():
    """230 … 393, 0, 270 kr/kW and year as published, a fifth in each of five months."""
    published = {"2016-01-01": 230, "2017-01-01": 275, "2018-01-01": 360, "2019-01-01": 393, "2020-01-01": 393,
                 "2021-01-01": 300, "2022-01-01": 325, "2022-04-01": 0, "2024-01-01": 270, "2025-01-01": 270}  # fmt: skip
    ours = {str(c.valid_from): c.value * 5 / 1000 for c in versions("no_central_grid")["central_grid_power"]}
    assert ours == pytest.approx(published)


def test_every_file_has_a_golden_invoice():
    golden = "".join(p.read_text(encoding="utf-8") for p in sorted(Path(__file__).parent.glob("test_golden_*.py")))
    assert [name for name in NAMES if f'committed("{name}")' not in golden] == []


def test_a_rate_that_stands_in_is_told(tmp_path, capsys):
    """Whoever plans for March with a levy known from April on reads it in `energy check`, in the result and the report."""
    case = SmallCase(tmp_path).edit("tariff.yaml", "components.0.valid_from", date(2024, 4, 1))
    inputs = case.inputs()
    line = "tariff nordic: tax is not known before 2024-04-01; its first rate is used from 2024-03-05 on"
    assert early_rates(inputs) == [line]
    check_table(inputs, case.problem())
    assert line in " ".join(capsys.readouterr().out.split())
    arrays = {"setpoint": (("device", "time"), np.zeros((0, 0))), "dt": ("time", [])}
    unset = xr.Dataset(arrays, {"device": np.array([], dtype=str), "time": np.array([], dtype="datetime64[ns]")})
    record = SimpleNamespace(summary={"equal_work": True, "notices": [line], "cooling": {}}, schedule=unset)
    assert notes(SimpleNamespace(record=record)) == [f"{line}."]
    np.testing.assert_allclose(case.problem()["energy_charge"].sel(site="north"), 8.0)


def test_no_rate_stands_in_within_its_dates(tmp_path):
    assert early_rates(SmallCase(tmp_path).inputs()) == []
