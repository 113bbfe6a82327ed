"""Golden invoices of the other country files: every line of a month worked out by hand.

Each docstring counts the month; each table multiplies quantity, rate and exchange rate in the open.
"""

import pytest

from tests.bills.meter import GBP, Meter, agree, committed


@pytest.mark.parametrize(("switch", "tax"), [((), 20.5), (("electricity_tax",), 0.5)])
def test_germany_annual_peak_in_quarter_hours(switch, tax):
    """September 2024: 720 h in 2880 quarters. 5 MW throughout, 9 MW in one quarter: 3600 + 4·0.25 = 3601 MWh.

    The 12 MW of October 2023, eleven months back, are the year's peak: a twelfth of 72,000 EUR/MW; the 20 MW of
    September 2023 are forgotten.
    """
    state = {"peak_so_far_mw": {"2023-09": 20.0, "2023-10": 12.0, "2024-08": 6.0}}
    meter = Meter(committed("de_regional"), "2024-09-01", "2024-10-01", 15, state, {"reduced_rates": switch})
    agree(meter.bill(meter.load(5, {"2024-09-10 11:45": 9}))["2024-09"], {
        "spot": 3601 * 40,
        "supplier_margin": 3601 * 0.5,
        "electricity_tax": 3601 * tax,
        "chp_levy": 3601 * 2.75,
        "offshore_levy": 3601 * 6.56,
        "special_grid_use": 3601 * 0.5,
        "concession": 3601 * 1.1,
        "grid_energy": 3601 * 3.0,
        "grid_power": 12 * 72000 / 12,
        "metering": 2400 / 12,
    })  # fmt: skip


@pytest.mark.parametrize(("switch", "excise"), [((), 12.0), (("excise",), 0.5)])
def test_france_five_classes_and_a_holiday(switch, excise):
    """December 2024: 744 h, 26 days Monday to Saturday of which 25 December is a holiday: 25 days.

    3 MW throughout; 7 MW on 25 December 18-19 (holiday: in no day class); 5 MW on Tuesday 10 December 19-20 (winter
    day, peak class, capacity hours). Energy 2232 + 4 + 2 = 2238 MWh, all in winter; winter days 25·16·3 + 2 = 1202;
    peak class 25·4·3 + 2 = 302. Subscribed power 7 MW, in the peak class and capacity hours 5 MW.
    """
    meter = Meter(committed("fr_regional"), "2024-12-01", "2025-01-01", site={"reduced_rates": switch})
    agree(meter.bill(meter.load(3, {"2024-12-25 18:00": 7, "2024-12-10 19:00": 5}))["2024-12"], {
        "spot": 2238 * 40,
        "supplier_margin": 2238 * 0.5,
        "excise": 2238 * excise,
        "grid_energy": 2238 * 3.0,
        "grid_energy_summer_day": 0,
        "grid_energy_winter": 2238 * 3.0,
        "grid_energy_winter_day": 1202 * 4.0,
        "grid_energy_peak": 302 * 3.0,
        "grid_power": 7 * 20000 / 12,
        "grid_power_peak": 5 * 3333,
        "capacity_obligation": 5 * 2000,
        "grid_management": 12000 / 12,
    })  # fmt: skip


def test_france_in_summer():
    """July 2024: 744 h of 2 MW = 1488 MWh. 27 days Monday to Saturday, 14 July is a Sunday: 27·16·2 = 864 MWh."""
    meter = Meter(committed("fr_regional"), "2024-07-01", "2024-08-01")
    agree(meter.bill(meter.load(2))["2024-07"], {
        "spot": 1488 * 40,
        "supplier_margin": 1488 * 0.5,
        "excise": 1488 * 12,
        "grid_energy": 1488 * 3.0,
        "grid_energy_summer_day": 864 * 1.5,
        "grid_energy_winter": 0,
        "grid_energy_winter_day": 0,
        "grid_energy_peak": 0,
        "grid_power": 2 * 20000 / 12,
        "grid_management": 1000,
    })  # fmt: skip


def test_netherlands_month_and_contracted_power():
    """June 2025: 720 h. 4 MW throughout, 6 MW in one hour: 2882 MWh, 6 MW this month, 9 MW in July 2024."""
    state = {"peak_so_far_mw": {"2024-06": 30.0, "2024-07": 9.0}}
    meter = Meter(committed("nl_regional"), "2025-06-01", "2025-07-01", state=state)
    agree(meter.bill(meter.load(4, {"2025-06-30 23:00": 6}))["2025-06"], {
        "spot": 2882 * 40,
        "supplier_margin": 2882 * 0.5,
        "electricity_tax": 2882 * 3.2,
        "grid_power_month": 6 * 3000,
        "grid_power_contracted": 9 * 30000 / 12,
        "grid_standing": 230,
    })  # fmt: skip


@pytest.mark.parametrize(("switch", "levy"), [((), 7.75), (("climate_change_levy",), 0.62)])
def test_great_britain_peak_in_declared_half_hours(switch, levy):
    """January 2026: 744 h in half hours; 22 weekdays, 1 January is a holiday: 21 days of 16-19 = 63 h.

    2 MW throughout; 10 MW on Tuesday 6 January 19:00-19:30 (too late), 8 MW 18:30-19:00 (counts), 12 MW on the
    holiday at 17:00. Energy 1488 + 0.5·(8 + 6 + 10) = 1500 MWh, in declared hours 63·2 + 0.5·6 = 129 MWh.
    Capacity 12 MW; residual 31 days. The tariff year 2025/26 is still in force.
    """
    meter = Meter(committed("gb_industrial"), "2026-01-01", "2026-02-01", 30, site={"reduced_rates": switch})
    power = meter.load(2, {"2026-01-06 19:00": 10, "2026-01-06 18:30": 8, "2026-01-01 17:00": 12})
    agree(meter.bill(power)["2026-01"], {
        "spot": 1500 * 40,
        "supplier_margin": 1500 * 0.5 * GBP,
        "losses": 1500 * 40 * 0.02,
        "climate_change_levy": 1500 * levy * GBP,
        "obligations": 1500 * 36 * GBP,
        "balancing": 1500 * 10 * GBP,
        "capacity_market": 129 * 60 * GBP,
        "distribution_super_red": 129 * 10 * GBP,
        "transmission_locational": 8 * 750 * GBP,
        "distribution_capacity": 12 * 3000 * GBP,
        "transmission_residual": 31 * 160.77 * GBP,
    })  # fmt: skip


def test_great_britain_new_tariff_year_begins_in_april():
    """June 2026: 720 h of 1 MW; levy 8.01, residual 325.48 a day for 30 days, no declared hours in summer."""
    meter = Meter(committed("gb_industrial"), "2026-06-01", "2026-07-01")
    lines = meter.bill(meter.load(1))["2026-06"]
    assert lines["climate_change_levy"].amount_eur == pytest.approx(720 * 8.01 * GBP)
    assert lines["transmission_residual"].amount_eur == pytest.approx(30 * 325.48 * GBP)
    assert lines["capacity_market"].amount_eur == 0
    assert "transmission_locational" not in lines


def test_portugal_weekly_cycle():
    """May 2025: 744 h; 22 weekdays less 1 May = 21; five Saturdays.

    1 MW throughout; 2 MW on Tuesday 6 May 10-11 (peak hour); 4 MW on 1 May 10-11 (holiday). Energy 748 MWh; full
    hours 21·17 + 1 = 358, Saturdays 5·8 = 40, peak hours 21·3 + 1 = 64. Contracted 5 MW: June 2024.
    """
    state = {"peak_so_far_mw": {"2024-05": 8.0, "2024-06": 5.0}}
    meter = Meter(committed("pt_regional"), "2025-05-01", "2025-06-01", state=state)
    agree(meter.bill(meter.load(1, {"2025-05-06 10:00": 2, "2025-05-01 10:00": 4}))["2025-05"], {
        "spot": 748 * 40,
        "supplier_margin": 748 * 0.5,
        "losses": 748 * 40 * 0.015,
        "electricity_tax": 748 * 1.0,
        "access_energy": 748 * 9.0,
        "access_energy_full": 358 * 5.0,
        "access_energy_full_saturday": 40 * 5.0,
        "access_energy_peak_winter": 0,
        "access_energy_peak_summer": 64 * 6.0,
        "access_power_peak_hours": 2 * 1500,
        "access_power_contracted": 5 * 500,
        "access_fixed": 31 * 2.5,
    })  # fmt: skip
