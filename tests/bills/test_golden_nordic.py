"""Golden invoices of the Nordic country files: every line of a month worked out by hand.

Each docstring counts the month; each table multiplies quantity, rate and exchange rate in the open.
"""

import pytest

from tests.bills.meter import DKK, NOK, SEK, SPOT, Meter, agree, committed


def test_norway_central_grid():
    """January 2024: 31 days, 744 h. 2 MW throughout, and

    - 6 MW on Monday 1 January 17-18, a public holiday: does not count for the central grid,
    - 5 MW on Wednesday 10 January 03-04, outside the declared hours: does not count,
    - 4 MW on Tuesday 16 January 17-18, inside them: the billed peak.

    Energy 744·2 + 4 + 3 + 2 = 1497 MWh. Central grid 270 kr/kW and year, a fifth a month: 54,000 NOK/MW.
    """
    meter = Meter(committed("no_central_grid"), "2024-01-01", "2024-02-01")
    power = meter.load(2, {"2024-01-01 17:00": 6, "2024-01-10 03:00": 5, "2024-01-16 17:00": 4})
    lines = meter.bill(power)["2024-01"]
    assert lines["spot"].quantity == 1497
    assert lines["central_grid_power"].quantity == 4
    agree(lines, {
        "spot": 1497 * 40,
        "supplier_margin": 1497 * 3 * NOK,
        "marginal_loss": 1497 * 40 * 0.03,
        "electricity_tax": 1497 * 95.1 * NOK,
        "central_grid_power": 4 * 54000 * NOK,
        "enova_levy": 800 / 12 * NOK,
    })  # fmt: skip


def test_norway_reduced_electricity_tax_is_a_switch():
    """February 2026: 28 days, 672 h of 2 MW = 1344 MWh. 71.3 NOK/MWh by default, 6.0 with the switch."""
    ordinary = Meter(committed("no_central_grid"), "2026-02-01", "2026-03-01")
    reduced = Meter(
        committed("no_central_grid"), "2026-02-01", "2026-03-01", site={"reduced_rates": ["electricity_tax"]}
    )
    amounts = [m.bill(m.load(2))["2026-02"]["electricity_tax"].amount_eur for m in (ordinary, reduced)]
    assert amounts == pytest.approx([1344 * 71.3 * NOK, 1344 * 6.0 * NOK])


def test_norway_taxes_data_centres_little_before_2023():
    """December 2018 and February 2023: 744 h and 672 h of 2 MW. 4.8 NOK/MWh then, 154.1 since the rate ended."""
    for month, hours, rate, end in (("2018-12", 744, 4.8, "2019-01-01"), ("2023-02", 672, 154.1, "2023-03-01")):
        for name in ("no_central_grid", "no_regional_grid"):
            meter = Meter(committed(name), f"{month}-01", end)
            tax = meter.bill(meter.load(2))[month]["electricity_tax"].amount_eur
            assert tax == pytest.approx(2 * hours * rate * NOK)


def test_norway_central_grid_charges_no_peak_in_summer():
    """July 2024: no declared hour, hence no line for the central grid."""
    meter = Meter(committed("no_central_grid"), "2024-07-01", "2024-08-01")
    assert "central_grid_power" not in meter.bill(meter.load(9))["2024-07"]


def test_norway_regional_grid_in_three_bands():
    """February 2023: 28 days, 672 h. 6 MW throughout and 18 MW in one hour.

    Energy 672·6 + 12 = 4044 MWh. Peak 18 MW = 5 MW at 320, 10 MW at 370, 3 MW at 423 kr/kW and year.
    Own lines come to far more than the minimum bill.
    """
    meter = Meter(committed("no_regional_grid"), "2023-02-01", "2023-03-01")
    lines = meter.bill(meter.load(6, {"2023-02-14 12:00": 18}))["2023-02"]
    agree(lines, {
        "spot": 4044 * 40,
        "supplier_margin": 4044 * 3 * NOK,
        "marginal_loss": 4044 * 40 * 0.045,
        "electricity_tax": 4044 * 154.1 * NOK,
        "regional_grid_power_band_1": 5 * 320000 / 12 * NOK,
        "regional_grid_power_band_2": 10 * 370000 / 12 * NOK,
        "regional_grid_power_band_3": 3 * 423000 / 12 * NOK,
        "regional_grid_fixed": 11900 / 12 * NOK,
        "enova_levy": 800 / 12 * NOK,
        "minimum_bill": 0,
    })  # fmt: skip


def test_norway_regional_grid_minimum_bill():
    """February 2023: 672 h of 0.05 MW = 33.6 MWh. Marginal loss follows spot and does not count.

    Own lines in NOK: margin 33.6·3 = 100.80, tax 33.6·154.1 = 5177.76, power 0.05·320000/12 = 1333.33,
    fixed 11900/12 = 991.67 and 800/12 = 66.67; together 7670.23. The minimum of 25,000 adds 17,329.77.
    """
    meter = Meter(committed("no_regional_grid"), "2023-02-01", "2023-03-01")
    lines = meter.bill(meter.load(0.05))["2023-02"]
    own = 33.6 * 3 + 33.6 * 154.1 + 0.05 * 320000 / 12 + 11900 / 12 + 800 / 12
    assert round(25000 - own, 2) == 17329.77
    agree(lines, {
        "spot": 33.6 * SPOT,
        "supplier_margin": 33.6 * 3 * NOK,
        "marginal_loss": 33.6 * SPOT * 0.045,
        "electricity_tax": 33.6 * 154.1 * NOK,
        "regional_grid_power_band_1": 0.05 * 320000 / 12 * NOK,
        "regional_grid_fixed": 11900 / 12 * NOK,
        "enova_levy": 800 / 12 * NOK,
        "minimum_bill": (25000 - own) * NOK,
    })  # fmt: skip


def test_sweden_highest_of_five_months():
    """January 2025: 744 h, 23 weekdays of 16 high-load hours = 368 h (holidays as they fall). 3 MW throughout,
    6 MW on Thursday 16 January 10-11, 8 MW on Saturday 18 January 10-11 (no high load).

    Energy 744·3 + 3 + 5 = 2240 MWh, in high load 368·3 + 3 = 1107 MWh. Highest hours on record: 8.5 MW in September,
    four months back, which is billed; 9 MW in August, five months back, which is not. High load: 6 MW.
    """
    state = {"peak_so_far_mw": {"2024-08": 9.0, "2024-09": 8.5, "2024-12": 5.0}}
    meter = Meter(committed("se_regional"), "2025-01-01", "2025-02-01", state=state)
    lines = meter.bill(meter.load(3, {"2025-01-16 10:00": 6, "2025-01-18 10:00": 8}))["2025-01"]
    agree(lines, {
        "spot": 2240 * 40,
        "supplier_margin": 2240 * 5 * SEK,
        "marginal_loss": 2240 * 40 * 0.01,
        "electricity_tax": 2240 * 439 * SEK,
        "grid_energy": 2240 * 20 * SEK,
        "grid_energy_high_load": 1107 * 60 * SEK,
        "grid_power": 8.5 * 21000 * SEK,
        "grid_power_high_load": 6 * 66000 * SEK,
        "grid_fixed": 2180 * SEK,
        "authority_fees": 3904 / 12 * SEK,
    })  # fmt: skip


def test_sweden_data_centres_lose_the_reduced_tax_in_july_2023():
    """June and July 2023 in one series: 720 h and 744 h of 1 MW; 5 and 392 SEK/MWh, 6 with industry's rate."""
    meter = Meter(committed("se_regional"), "2023-06-01", "2023-08-01")
    industry = Meter(committed("se_regional"), "2023-06-01", "2023-08-01", site={"reduced_rates": ["electricity_tax"]})
    tax = [
        [m.bill(m.load(1))[month]["electricity_tax"].amount_eur for month in ("2023-06", "2023-07")]
        for m in (meter, industry)
    ]
    expected = [[720 * 5 * SEK, 744 * 392 * SEK], [720 * 5 * SEK, 744 * 6 * SEK]]
    assert tax == [pytest.approx(row) for row in expected]


def test_finland_ratchet_of_eighty_percent():
    """February 2021: 672 h, 20 weekdays of 14 winter hours = 280 h. 4 MW throughout.

    Energy 2688 MWh, on winter weekdays 1120 MWh. The 10 MW of March 2020, eleven months back, bill 8 MW; the 20 MW
    of February 2020 are forgotten.
    """
    state = {"peak_so_far_mw": {"2020-02": 20.0, "2020-03": 10.0}}
    meter = Meter(committed("fi_regional"), "2021-02-01", "2021-03-01", state=state)
    agree(meter.bill(meter.load(4))["2021-02"], {
        "spot": 2688 * 40,
        "supplier_margin": 2688 * 0.4,
        "electricity_tax": 2688 * 0.63,
        "grid_energy": 2688 * 3.4,
        "grid_energy_winter_weekday": 1120 * 6.3,
        "grid_power": 8 * 1500,
        "grid_fixed": 600,
        "minimum_bill": 0,
    })  # fmt: skip


def test_finland_minimum_bill_and_class_one():
    """August 2026: 744 h of 0.05 MW = 37.2 MWh, no winter hours. Class I by default, class II with the switch.

    Own lines, class I: 37.2·(0.4 + 22.53 + 3.4) = 979.476, power 0.05·1500 = 75, fixed 600: 1654.476 of 2,500.
    Class II: 37.2·(0.4 + 0.63 + 3.4) + 675 = 839.796.
    """
    for switch, tax in (((), 22.53), (("electricity_tax",), 0.63)):
        meter = Meter(committed("fi_regional"), "2026-08-01", "2026-09-01", site={"reduced_rates": switch})
        agree(meter.bill(meter.load(0.05))["2026-08"], {
            "spot": 37.2 * 40,
            "supplier_margin": 37.2 * 0.4,
            "electricity_tax": 37.2 * tax,
            "grid_energy": 37.2 * 3.4,
            "grid_energy_winter_weekday": 0,
            "grid_power": 0.05 * 1500,
            "grid_fixed": 600,
            "minimum_bill": 2500 - 37.2 * (0.4 + tax + 3.4) - 75 - 600,
        })  # fmt: skip


def test_denmark():
    """November 2024: 30 days, 720 h. 2 MW throughout, 3 MW on the 12th from 12 to 13.

    Energy 1441 MWh; from 06 to 24: 540 h·2 + 1 = 1081 MWh; winter peak 17-21: 120 h·2 = 240 MWh.
    """
    meter = Meter(committed("dk_regional"), "2024-11-01", "2024-12-01")
    agree(meter.bill(meter.load(2, {"2024-11-12 12:00": 3}))["2024-11"], {
        "spot": 1441 * 40,
        "supplier_margin": 1441 * 4 * DKK,
        "electricity_tax": 1441 * 4 * DKK,
        "transmission_and_system": 1441 * 125 * DKK,
        "distribution_day": 1081 * 6 * DKK,
        "distribution_winter_peak": 240 * 20 * DKK,
        "grid_power": 3 * 5000 * DKK,
        "grid_subscription": 4000 * DKK,
        "transmission_subscription": 180 / 12 * DKK,
    })  # fmt: skip
