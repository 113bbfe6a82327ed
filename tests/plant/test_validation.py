"""The validation table's checks catch what they are for; the table itself is `make validate-cooling`."""

from benchmarks import cooling_table
from benchmarks.validate_cooling import ESIF_BAND, PUBLISHED, SITES, Band, Year, check_bands, esif


def years(**pue):
    return {zone: Year(value, 0.0, 0, value, 0) for zone, value in pue.items()}


MIDDLE = {"2A": 1.218, "3C": 1.131, "4A": 1.150, "5A": 1.133}


def test_the_middle_of_every_band_passes():
    for name, (_, bands) in PUBLISHED.items():
        assert check_bands(name, years(**{zone: band.p50 for zone, band in bands.items()}), bands) == []


def test_a_constant_pue_and_one_outside_its_band_fail():
    name = "airside_economizer"
    bands = PUBLISHED[name][1]
    constant = check_bands(name, years(**dict.fromkeys(bands, 1.15)), bands)
    assert constant == [f"{name}: 2A minus 5A is 0.0000, published 0.0850, not within a factor of 2"]
    low = check_bands(name, years(**MIDDLE | {"3C": 1.05}), bands)
    assert low == [f"{name} in 3C: PUE 1.0500 outside 1.072-1.195"]


def test_esif_boundary_keeps_only_plug_loads():
    losses = esif().electrical.model_dump()
    assert losses.pop("miscellaneous") > 0
    assert set(losses.values()) == {0.0}


def test_the_kept_figures_pass_the_checks():
    """Those that docs/cooling.md prints; tests/house has the page in step with them."""
    kept = cooling_table.kept()
    fields = Year._fields
    for name, (_, bands) in PUBLISHED.items():
        zones = kept[name]["zones"]
        assert list(zones) == list(SITES)
        assert {z: Band(*zones[z]["band"]) for z in bands} == bands
        assert check_bands(name, {z: Year(**{f: v[f] for f in fields}) for z, v in zones.items()}, bands) == []
    assert ESIF_BAND[0] <= kept["esif"]["pue"] <= ESIF_BAND[1]


def test_another_figure_than_the_kept_one_is_named():
    kept = cooling_table.kept()
    assert cooling_table.differences(kept) == []
    kept["chiller_tower"]["zones"]["5A"]["pue"] += 0.001
    [found] = cooling_table.differences(kept)
    assert found.startswith("chiller_tower in 5A: PUE 1.118")
    assert "Chicago" in cooling_table.text(kept)
