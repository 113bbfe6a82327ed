"""Golden lines of clocks and calendars: days of 23 and 25 hours, holidays, quarter hours, rates of exchange by day."""

from datetime import date

import numpy as np
import pytest

from energy.problem.tariffs import demand_charges, energy_charge, fixed_eur, site_tariff
from tests.bills.meter import NOK, Meter, agree, daily_rates, prices, tariff

NIGHT = {"kind": "energy", "name": "night", "value": 10, "when": {"hours": [[0, 6]]}}
DAY = {"kind": "energy", "name": "day", "value": 20, "when": {"hours": [[6, 24]]}}
SMALL_HOURS = {"kind": "energy", "name": "small_hours", "value": 1, "when": {"hours": [[2, 3]]}}
FLAT = {"kind": "energy", "name": "levy", "value": 10}
PEAK = {"kind": "demand", "name": "peak", "value": 1000}


def test_spring_day_of_23_hours():
    """31 March 2024 in Germany: the night from 0 to 6 has five hours, none of them from 2 to 3."""
    meter = Meter(tariff(NIGHT, DAY, SMALL_HOURS), "2024-03-31", "2024-04-01")
    agree(meter.bill(meter.load(1))["2024-03"], {
        "spot": 23 * 40, "night": 5 * 10, "day": 18 * 20, "small_hours": 0,
    })  # fmt: skip


def test_autumn_day_of_25_hours():
    """27 October 2024 in Germany: the night has seven hours, two of them from 2 to 3."""
    meter = Meter(tariff(NIGHT, DAY, SMALL_HOURS), "2024-10-27", "2024-10-28")
    agree(meter.bill(meter.load(1))["2024-10"], {
        "spot": 25 * 40, "night": 7 * 10, "day": 18 * 20, "small_hours": 2 * 1,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "hours"), [("2024-03-01", "2024-04-01", 743), ("2024-10-01", "2024-11-01", 745)]
)
def test_a_month_with_a_clock_change_is_one_month(start, end, hours):
    """743 and 745 h: a whole month of demand and fixed charge all the same."""
    meter = Meter(tariff(FLAT, PEAK, {"kind": "fixed", "name": "fixed", "value": 300}), start, end)
    agree(meter.bill(meter.load(2))[start[:7]], {
        "spot": hours * 2 * 40, "levy": hours * 2 * 10, "peak": 2 * 1000, "fixed": 300,
    })  # fmt: skip


@pytest.mark.parametrize(("start", "end"), [("2024-03-31", "2024-04-01"), ("2024-10-27", "2024-10-28")])
def test_a_day_of_23_or_25_hours_is_one_day(start, end):
    """A charge of 50 EUR a day is 50 EUR on the day the clock changes, for bill and program alike."""
    meter = Meter(tariff({"kind": "fixed", "name": "fixed", "value": 50, "unit": "EUR/day"}), start, end)
    line = meter.bill(meter.load(1))[start[:7]]["fixed"]
    assert (line.quantity, line.amount_eur) == pytest.approx((1, 50), abs=1e-12)
    inputs = meter.inputs(40.0)
    assert fixed_eur(site_tariff(inputs, "s", meter.horizon)) == pytest.approx({start[:7]: 50})


def test_part_of_a_day_of_23_hours():
    """31 March 2024 from midnight to noon has 11 of 23 hours, the day before is whole: 1 + 11/23 days in March."""
    meter = Meter(
        tariff({"kind": "fixed", "name": "fixed", "value": 50, "unit": "EUR/day"}), "2024-03-30", "2024-03-31 12:00"
    )
    assert meter.bill(meter.load(1))["2024-03"]["fixed"].amount_eur == pytest.approx(50 * (1 + 11 / 23))
    inputs = meter.inputs(40.0)
    assert fixed_eur(site_tariff(inputs, "s", meter.horizon)) == pytest.approx({"2024-03": 50 * (1 + 11 / 23)})


def test_a_windowed_line_shows_the_energy_of_its_window():
    """15 January 2024, 2 MW: 12 MWh at night at 10, 36 by day at 20, also where the rate is 0; spot shows all 48."""
    free = {**NIGHT, "name": "free", "value": 0}
    meter = Meter(tariff(NIGHT, DAY, free), "2024-01-15", "2024-01-16")
    of = meter.bill(meter.load(2))["2024-01"]
    shown = {name: (line.quantity, line.rate_eur) for name, line in of.items()}
    assert shown == {"spot": (48, 40), "night": (12, 10), "day": (36, 20), "free": (12, 0)}


def test_a_window_that_changes_with_a_new_version_shows_both():
    """Night from 0 to 6 on 31 January, from 0 to 3 from 1 February 2024 on; 1 MW: 6 MWh and 3 MWh."""
    later = {**NIGHT, "valid_from": "2024-02-01", "when": {"hours": [[0, 3]]}}
    meter = Meter(tariff(NIGHT, later), "2024-01-31", "2024-02-02")
    lines = meter.bill(meter.load(1))
    assert [lines[m]["night"].quantity for m in ("2024-01", "2024-02")] == [6, 3]


def test_the_clock_change_in_quarter_hours():
    """31 March 2024: 92 quarters; 5 MW in the first one after the change, 03:00-03:15, is in no small hour."""
    meter = Meter(tariff(SMALL_HOURS, FLAT, PEAK), "2024-03-31", "2024-04-01", 15)
    power = meter.load(1, {"2024-03-31 03:00": 5})
    assert len(power) == 92
    agree(meter.bill(power)["2024-03"], {
        "spot": 24 * 40, "small_hours": 0, "levy": 24 * 10, "peak": 5 * 1000 * 23 / 743,
    })  # fmt: skip


def test_quarter_hours_keep_their_own_peak_and_price():
    """15 January 2024: 96 quarters of 2 MW, 6 MW from 10:15 to 10:30 at 100 EUR/MWh: 47.5 + 1.5 = 49 MWh.

    As hourly means the peak would be 3 MW.
    """
    meter = Meter(tariff(FLAT, PEAK), "2024-01-15", "2024-01-16", 15)
    power, dear = meter.load(2, {"2024-01-15 10:15": 6}), meter.load(40, {"2024-01-15 10:15": 100})
    agree(meter.bill(power, dear)["2024-01"], {
        "spot": 47.5 * 40 + 1.5 * 100, "levy": 49 * 10, "peak": 6 * 1000 * 24 / 744,
    })  # fmt: skip


def test_quarter_hour_prices_on_an_hourly_meter():
    """20, 40, 60 and 80 EUR/MWh in the quarters of each hour: 2 MW pay their mean, 50."""
    fine = Meter(tariff(FLAT), "2024-01-15", "2024-01-16", 15)
    meter = Meter(tariff(FLAT), "2024-01-15", "2024-01-16")
    quarters = prices(fine.time, np.tile([20, 40, 60, 80], 24))
    agree(meter.bill(meter.load(2), quarters)["2024-01"], {"spot": 48 * 50, "levy": 48 * 10})


def test_hourly_prices_on_a_quarter_hour_meter():
    """2 MW, 6 MW in the second quarter after ten: 1 MWh more at 90, the price of that hour; 40 else."""
    coarse = Meter(tariff(FLAT), "2024-01-15", "2024-01-16")
    meter = Meter(tariff(FLAT), "2024-01-15", "2024-01-16", 15)
    hours = prices(coarse.time, coarse.load(40, {"2024-01-15 10:00": 90}))
    lines = meter.bill(meter.load(2, {"2024-01-15 10:15": 6}), hours)["2024-01"]
    agree(lines, {"spot": 23 * 2 * 40 + 3 * 90, "levy": 49 * 10})


def test_prices_in_another_currency():
    """400 NOK/MWh at 0.1 EUR/NOK are 40 EUR/MWh."""
    meter = Meter(tariff(FLAT), "2024-01-15", "2024-01-16")
    kroner = prices(meter.time, meter.load(400), "NOK")
    agree(meter.bill(meter.load(1), kroner)["2024-01"], {"spot": 24 * 400 * NOK, "levy": 24 * 10})


WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


@pytest.mark.parametrize(
    ("holidays", "hours"),
    [("as_weekday", 3 * 12), ("excluded", 2 * 12), ("included", 3 * 12), ("only", 12)],
)
def test_german_unity_day_on_a_thursday(holidays, hours):
    """2 to 6 October 2024: Wednesday, Thursday (holiday), Friday, Saturday; weekday hours 8 to 20."""
    window = {"weekdays": WEEKDAYS, "hours": [[8, 20]], "holidays": holidays}
    meter = Meter(tariff({**FLAT, "when": window}), "2024-10-02", "2024-10-06")
    assert meter.bill(meter.load(1))["2024-10"]["levy"].amount_eur == pytest.approx(hours * 10)


def test_a_weekend_rate_that_includes_holidays():
    """Low rate on Saturdays, Sundays and holidays: 3, 5 and 6 October 2024 are three days of 24 h."""
    window = {"weekdays": ["sat", "sun"], "holidays": "included"}
    meter = Meter(tariff({**FLAT, "when": window}), "2024-10-02", "2024-10-07")
    assert meter.bill(meter.load(1))["2024-10"]["levy"].amount_eur == pytest.approx(72 * 10)


def test_a_holiday_begins_at_local_midnight():
    """2 October 22:00 UTC is 3 October in Berlin: of 2 and 3 October only the first 24 h are no holiday."""
    window = {"holidays": "excluded"}
    meter = Meter(tariff({**FLAT, "when": window}), "2024-10-02", "2024-10-04")
    power = np.where(np.arange(48) < 24, 1.0, 100.0)
    assert meter.bill(power)["2024-10"]["levy"].amount_eur == pytest.approx(24 * 10)


def test_the_same_day_is_no_holiday_across_the_border():
    norway = tariff({**FLAT, "when": {"holidays": "excluded"}}, country="NO")
    meter = Meter(norway, "2024-10-03", "2024-10-04")
    assert meter.bill(meter.load(1))["2024-10"]["levy"].amount_eur == pytest.approx(24 * 10)


def test_rates_of_exchange_by_day():
    """10 and 11 January 2024 in Norway are 09T23Z to 11T23Z: 1 h at 0.09, 24 h at 0.10, 23 h at 0.12 EUR/NOK.

    Energy by the hour; peak and fixed charge at the mean of the 48 hours, for 48 of 744 h.
    """
    kroner = tariff(FLAT, PEAK, {"kind": "fixed", "name": "fixed", "value": 500}, country="NO", currency="NOK")
    fx = daily_rates("NOK", {"2024-01-08": 0.09, "2024-01-10": 0.10, "2024-01-11": 0.12})
    meter = Meter(kroner, "2024-01-10", "2024-01-12", fx=fx)
    mean = (1 * 0.09 + 24 * 0.10 + 23 * 0.12) / 48
    agree(meter.bill(meter.load(2))["2024-01"], {
        "spot": 48 * 2 * 40,
        "levy": 2 * 10 * (1 * 0.09 + 24 * 0.10 + 23 * 0.12),
        "peak": 2 * 1000 * mean * 48 / 744,
        "fixed": 500 * mean * 48 / 744,
    })  # fmt: skip


def test_a_charge_per_day_is_paid_in_the_money_of_its_day():
    """500 NOK a day over 30 and 31 March 2024 in Norway: 24 and 23 h, of which 1 h each is still the UTC day before.

    29, 30 and 31 March at 0.08, 0.10 and 0.12: 500 (1·0.08 + 23·0.10)/24 and 500 (1·0.10 + 22·0.12)/23; a mean over
    hours would give the shorter day less. Bill and program alike.
    """
    kroner = tariff({"kind": "fixed", "name": "daily", "value": 500, "unit": "NOK/day"}, country="NO", currency="NOK")
    fx = daily_rates("NOK", {"2024-03-29": 0.08, "2024-03-30": 0.10, "2024-03-31": 0.12})
    meter = Meter(kroner, "2024-03-30", "2024-04-01", fx=fx)
    expected = 500 * (0.08 + 23 * 0.10) / 24 + 500 * (0.10 + 22 * 0.12) / 23
    line = meter.bill(meter.load(1))["2024-03"]["daily"]
    assert (line.quantity, line.amount_eur) == (pytest.approx(2), pytest.approx(expected, rel=1e-12))
    inputs = meter.inputs(40.0)
    found = fixed_eur(site_tariff(inputs, "s", meter.horizon))
    assert found == {"2024-03": pytest.approx(expected, rel=1e-12)}


def test_the_last_published_rate_holds_over_a_weekend():
    """Friday 12 January 2024 at 0.11, nothing on Saturday and Sunday, Monday at 0.13: Sunday is paid at 0.11."""
    fx = daily_rates("NOK", {"2024-01-12": 0.11, "2024-01-15": 0.13})
    meter = Meter(tariff(FLAT, country="NO", currency="NOK"), "2024-01-14", "2024-01-15", fx=fx)
    assert meter.bill(meter.load(1))["2024-01"]["levy"].amount_eur == pytest.approx(24 * 10 * 0.11)


def test_a_new_energy_rate_begins_on_its_local_day():
    """10 until 31 March, 30 from 1 April 2024, over two days; 31 March has 23 h."""
    meter = Meter(tariff(FLAT, {**FLAT, "value": 30, "valid_from": "2024-04-01"}), "2024-03-31", "2024-04-02")
    lines = meter.bill(meter.load(1))
    assert [lines[m]["levy"].amount_eur for m in ("2024-03", "2024-04")] == [23 * 10, 24 * 30]


def test_before_its_first_date_the_first_rate_stands_in():
    """A levy of 10 from 2024-03-01, 30 from 2024-04-01, a peak of 1,000 and a fixed charge of 300 from then on: in January
    all of them are charged at their first rate, never at 0, by bill and program alike, and named by `used_before_valid`."""
    parts = [
        {**c, "valid_from": date(2024, 3, 1)} for c in (FLAT, PEAK, {"kind": "fixed", "name": "fixed", "value": 300})
    ]
    meter = Meter(tariff(*parts, {**FLAT, "value": 30, "valid_from": date(2024, 4, 1)}), "2024-01-01", "2024-02-01")
    agree(meter.bill(meter.load(2))["2024-01"], {
        "spot": 744 * 2 * 40, "levy": 744 * 2 * 10, "peak": 2 * 1000, "fixed": 300,
    })  # fmt: skip
    inputs = meter.inputs(40.0)
    mine = site_tariff(inputs, "s", meter.horizon)
    _, own = energy_charge(mine, np.full(len(meter.horizon), 40.0))
    assert set(own) == {10.0}
    assert fixed_eur(mine) == pytest.approx({"2024-01": 300})
    owed = demand_charges([mine])
    assert [(c.label, c.rates) for c in owed] == [("s:peak@2024-01", (1000.0,))]
    found = {c.name: c.value for c in meter.tariff.used_before_valid(date(2024, 1, 1))}
    assert found == {"levy": 10, "peak": 1000, "fixed": 300}
    assert meter.tariff.used_before_valid(date(2024, 3, 1)) == ()


def test_a_levy_that_did_not_exist_is_written_as_zero():
    """0 from 2015, 10 from 2024-03-01: nothing in January."""
    levy = tariff({**FLAT, "value": 0}, {**FLAT, "valid_from": date(2024, 3, 1)})
    meter = Meter(levy, "2024-01-15", "2024-01-16")
    assert meter.bill(meter.load(2))["2024-01"]["levy"].amount_eur == 0


@pytest.mark.parametrize(("switch", "rate"), [((), 20.5), (("levy",), 0.5)])
def test_reduced_rate_switch(switch, rate):
    meter = Meter(
        tariff({**FLAT, "value": 20.5, "reduced": 0.5}), "2024-01-15", "2024-01-16", site={"reduced_rates": switch}
    )
    assert meter.bill(meter.load(3))["2024-01"]["levy"].amount_eur == pytest.approx(72 * rate)


def test_negative_marginal_loss_pays_back():
    """-2 % of spot on 24 MWh at 40 EUR/MWh, and at -10: then it costs."""
    meter = Meter(tariff({"kind": "spot_share", "name": "loss", "value": -0.02}), "2024-01-15", "2024-01-16")
    amounts = [meter.bill(meter.load(1), spot)["2024-01"]["loss"].amount_eur for spot in (40, -10)]
    assert amounts == pytest.approx([-24 * 40 * 0.02, 24 * 10 * 0.02])
