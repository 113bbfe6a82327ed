"""What `energy check` prints beside the series: rates at low confidence, caps that do not hold throughout."""

MEM = {"name": "levy", "kind": "energy", "valid_from": "2015-01-01", "value": 7, "unit": "NOK/MWh", "source": "from memory",
       "confidence": "MEM"}  # fmt: skip
BANDS = [{"up_to_mw": 1, "value": 10}, {"value": 20}]


def rates(out):
    """Lines of the list of rates, below its heading."""
    lines = out.splitlines()
    first = next(i for i, line in enumerate(lines) if "assumed at low confidence (" in line)
    return [line.strip() for line in lines[first + 1 :] if line.startswith("  ")][:-1]


def test_rates_at_low_confidence_with_the_key_to_change(case, energy):
    """Both sites on one file: one line. Versions of other times and rates of good confidence are not named."""
    case.edit("fleet.yaml", "sites.south.tariff", "tariff.yaml")
    good = {**MEM, "name": "known", "confidence": "M"}
    past, next_, coming = (
        {**MEM, "valid_from": day, "value": value}
        for day, value in (("2014-01-01", 1), ("2024-03-06", 8), ("2024-03-09", 9))
    )
    power = {**MEM, "name": "power", "kind": "demand", "unit": "NOK/MW/month", "bands": BANDS, "confidence": "L"}
    del power["value"]
    case.edit("tariff.yaml", "components", [good, past, MEM, next_, coming, power])
    out = energy("check", case.path).out
    assert "3 rates in force are assumed at low confidence" in out
    assert rates(out) == [
        "tariff.yaml: components.2.value: levy = 7 NOK/MWh (MEM) at north, south: from memory",
        "tariff.yaml: components.3.value: levy = 8 NOK/MWh (MEM) at north, south: from memory",
        "tariff.yaml: components.5.bands: power = 10 / 20 NOK/MW/month (L) at north, south: from memory",
    ]


def test_the_reduced_rate_is_the_one_a_site_pays(case, energy):
    case.edit("fleet.yaml", "sites.south.tariff", "tariff.yaml").edit(
        "fleet.yaml", "sites.south.reduced_rates", ["levy"]
    )
    case.edit("tariff.yaml", "components", [{**MEM, "reduced": 0.5}])
    assert rates(energy("check", case.path).out) == [
        "tariff.yaml: components.0.value: levy = 7 NOK/MWh (MEM) at north: from memory",
        "tariff.yaml: components.0.reduced: levy = 0.5 NOK/MWh (MEM) at south: from memory",
    ]


def test_a_first_rate_that_stands_in_is_one_of_them(case, energy):
    case.edit("fleet.yaml", "sites.south.tariff", "tariff.yaml")
    case.edit("tariff.yaml", "components", [{**MEM, "valid_from": "2024-04-01"}, {**MEM, "valid_from": "2024-05-01"}])
    assert rates(energy("check", case.path).out) == [
        "tariff.yaml: components.0.value: levy = 7 NOK/MWh (MEM) at north, south: from memory"
    ]


def test_nothing_assumed_is_said(case, energy):
    case.edit("fleet.yaml", "sites.south.tariff", "tariff.yaml")
    case.edit("tariff.yaml", "components", [{**MEM, "confidence": "H"}])
    assert "No rate in force is assumed at low confidence" in energy("check", case.path).out


def test_check_optimize_and_report_print_it(case, energy):
    case.edit("fleet.yaml", "sites.north.pue_caps", [{"name": "h", "limit": 1.4, "period": "hour", "above_it_mw": 2.0}])
    line = "fleet.yaml: sites.north.pue_caps.0 (h): hourly cap holds in 0 of 48 periods"
    assert f"NOTICE: {line}" in energy("check", case.path).out
    assert f"NOTICE: {line}" in energy("optimize", case.path, "--out", case.folder / "runs").out
    page = next((case.folder / "runs").iterdir()) / "report.html"
    assert line in page.read_text()
