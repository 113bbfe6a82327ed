"""Golden lines of demand charges with memory: months, ratchets, declared hours, bands, and their share of a month.

January 2024 has 744 h, February 696 h; all sites are German (CET), all rates round.
"""

from itertools import pairwise

import numpy as np
import pytest

from energy.audit.invoice import roll_forward
from energy.problem.tariffs import demand_arrays, demand_charges, site_tariff
from tests.bills.meter import Meter, agree, tariff

PEAK = {"kind": "demand", "name": "peak", "value": 1000}
YEAR = {"kind": "demand", "name": "peak", "value": 12000, "unit": "EUR/MW/year"}
EVENING = {"kind": "demand", "name": "evening", "value": 1000,
           "when": {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "hours": [[16, 19]]}}  # fmt: skip


def peaks(lines):
    """(billed MW, EUR) of each demand line by month and component."""
    return {(m, c): (x.quantity, pytest.approx(x.amount_eur)) for m, of in lines.items()
            for c, x in of.items() if x.kind == "demand"}  # fmt: skip


def test_month_crossing_charges_each_month_by_its_covered_hours():
    """Two days of each month: 5 MW in January for 48 of 744 h, 3 MW in February for 48 of 696 h."""
    meter = Meter(tariff(PEAK), "2024-01-30", "2024-02-03")
    lines = meter.bill(meter.load(2, {"2024-01-31 23:00": 5, "2024-02-01 00:00": 3}))
    assert peaks(lines) == {
        ("2024-01", "peak"): (5, 5 * 1000 * 48 / 744),
        ("2024-02", "peak"): (3, 3 * 1000 * 48 / 696),
    }


def test_months_change_at_local_midnight():
    """31 January 23:00 UTC is 1 February in Berlin: its 7 MW are February's."""
    meter = Meter(tariff(PEAK), "2024-01-31", "2024-02-02")
    assert meter.time[24] == np.datetime64("2024-01-31T23:00")
    power = meter.load(1)
    power[24] = 7
    assert {k: q for k, (q, _) in peaks(meter.bill(power)).items()} == {
        ("2024-01", "peak"): 1,
        ("2024-02", "peak"): 7,
    }


@pytest.mark.parametrize(("known", "own", "billed"), [(4, 5, 5), (6, 5, 6)])
def test_a_month_with_a_peak_on_record_bears_its_remainder(known, own, billed):
    """30 January alone: 24 of the 48 hours that are left, not of 744."""
    meter = Meter(tariff(PEAK), "2024-01-30", "2024-01-31", state={"peak_so_far_mw": {"2024-01": known}})
    assert peaks(meter.bill(meter.load(own))) == {("2024-01", "peak"): (billed, billed * 1000 * 24 / 48)}


def test_yearly_rate_is_paid_in_twelfths():
    meter = Meter(tariff(YEAR), "2024-02-01", "2024-03-01")
    assert peaks(meter.bill(meter.load(3))) == {("2024-02", "peak"): (3, 3 * 12000 / 12)}


def test_ratchet_across_months_inside_the_horizon():
    """January's 10 MW bill 80 % in February and March; March looks back two months, April's bill would not.

    March 2024 has 743 h and is whole, as January and February are.
    """
    ratchet = {**PEAK, "look_back_months": 2, "ratchet_share": 0.8}
    meter = Meter(tariff(ratchet), "2024-01-01", "2024-05-01")
    lines = meter.bill(meter.load(3, {"2024-01-15 12:00": 10, "2024-03-15 12:00": 4}))
    assert {m: q for (m, _), (q, _) in peaks(lines).items()} == {
        "2024-01": 10,
        "2024-02": 8,  # 0.8 · 10
        "2024-03": 8,  # 0.8 · 10, above its own 4
        "2024-04": pytest.approx(3.2),  # 0.8 · 4 of March; January is three months back
    }


def test_ratchet_from_state_and_from_the_horizon_together():
    """Look-back 11 and ratchet 1: the highest of twelve months, wherever it is on record."""
    annual = {**YEAR, "look_back_months": 11}
    state = {"peak_so_far_mw": {"2023-01": 30.0, "2023-02": 9.0, "2023-12": 5.0}}
    meter = Meter(tariff(annual), "2024-01-01", "2024-03-01", state=state)
    lines = meter.bill(meter.load(2, {"2024-01-20 08:00": 7}))
    assert {m: (q, x) for (m, _), (q, x) in peaks(lines).items()} == {
        "2024-01": (9, 9 * 1000),  # February 2023 is eleven months back, January 2023 twelve
        "2024-02": (7, 7 * 1000),  # January's 7; February 2023 is twelve months back
    }


def test_coincident_peak_counts_declared_hours_only():
    """Week of Monday 8 January: 9 MW at 15-16, 8 MW at 19-20 and 7 MW on Saturday at 17 do not count, 4 MW does."""
    meter = Meter(tariff(EVENING), "2024-01-08", "2024-01-15")
    power = {"2024-01-09 15:00": 9, "2024-01-09 19:00": 8, "2024-01-13 17:00": 7, "2024-01-11 18:00": 4}
    assert peaks(meter.bill(meter.load(1, power))) == {("2024-01", "evening"): (4, 4 * 1000 * 168 / 744)}


def test_declared_hours_have_their_own_peaks_on_record():
    """The month's highest hour of 20 MW is no evening; the evening's record is 6 MW, and 22 days are left."""
    state = {"peak_so_far_mw": {"2024-01": 20.0}, "window_peaks_mw": {"evening": {"2024-01": 6.0}}}
    meter = Meter(tariff(EVENING, PEAK), "2024-01-10", "2024-01-11", state=state)
    assert peaks(meter.bill(meter.load(2))) == {
        ("2024-01", "evening"): (6, 6 * 1000 / 22),
        ("2024-01", "peak"): (20, 20 * 1000 / 22),
    }


def test_no_line_where_no_declared_hour_is_covered():
    meter = Meter(tariff(EVENING), "2024-01-13", "2024-01-15")  # Saturday and Sunday
    assert peaks(meter.bill(meter.load(5))) == {}


@pytest.mark.parametrize(
    ("mw", "parts"), [(1.5, {1: 1.5}), (2, {1: 2}), (4.5, {1: 2, 2: 2.5}), (9, {1: 2, 2: 3, 3: 4})]
)
def test_bands(mw, parts):
    """0-2 MW at 100, 2-5 MW at 200, above at 400 EUR/MW; a whole month."""
    bands = [{"up_to_mw": 2, "value": 100}, {"up_to_mw": 5, "value": 200}, {"value": 400}]
    meter = Meter(tariff({"kind": "demand", "name": "power", "bands": bands}), "2024-01-01", "2024-02-01")
    rate = {1: 100, 2: 200, 3: 400}
    expected = {("2024-01", f"power_band_{i}"): (part, part * rate[i]) for i, part in parts.items()}
    assert peaks(meter.bill(meter.load(mw))) == expected


def test_a_new_rate_holds_from_its_first_month():
    """1,000 until January, 1,500 from February on, for two whole months of 2 MW."""
    later = {**PEAK, "value": 1500, "valid_from": "2024-02-01"}
    meter = Meter(tariff(PEAK, later), "2024-01-01", "2024-03-01")
    assert [x for _, x in peaks(meter.bill(meter.load(2))).values()] == [2 * 1000, 2 * 1500]


@pytest.mark.parametrize(("mw", "added"), [(0.1, 1000 - 744 * 0.1 * 5 - 0.1 * 1000 - 200), (1, 0), (0, 800)])
def test_minimum_bill_binding_and_not(mw, added):
    """744 h at 5 EUR/MWh, 1,000 EUR/MW and 200 EUR fixed against 1,000 EUR; a spot share does not count.

    0.1 MW: 372 + 100 + 200 = 672, so 328 are added; 1 MW: 4,920, nothing; nothing drawn: 800.
    """
    parts = [{"kind": "energy", "value": 5}, PEAK, {"kind": "fixed", "value": 200},
             {"kind": "spot_share", "value": 0.5}, {"kind": "minimum_bill", "name": "least", "value": 1000}]  # fmt: skip
    meter = Meter(tariff(*parts), "2024-01-01", "2024-02-01")
    agree(meter.bill(meter.load(mw))["2024-01"], {
        "spot": 744 * mw * 40, "energy_0": 744 * mw * 5, "peak": mw * 1000, "fixed_2": 200,
        "spot_share_3": 744 * mw * 40 * 0.5, "least": added,
    })  # fmt: skip


def test_minimum_bill_of_two_months_is_two_minimums():
    """Two days of each month: 1,000 EUR times 48/744 and 48/696, less 2 MW·48 h·5 EUR = 480: nothing; at 0: all."""
    parts = [{"kind": "energy", "value": 5}, {"kind": "minimum_bill", "name": "least", "value": 1000}]
    meter = Meter(tariff(*parts), "2024-01-30", "2024-02-03")
    power = np.where(meter.local.month == 1, 2.0, 0.0)
    lines = meter.bill(power)
    assert lines["2024-01"]["least"].amount_eur == 0
    assert lines["2024-02"]["least"].amount_eur == pytest.approx(1000 * 48 / 696)


def test_fixed_charges_by_month_year_and_day():
    """12 of January's 31 days: 12/31 of a month, of a twelfth of a year, and 12 days."""
    parts = [
        {"kind": "fixed", "name": f"per_{per}", "value": 1200, "unit": f"EUR/{per}"} for per in ("month", "year", "day")
    ]
    meter = Meter(tariff(*parts), "2024-01-05", "2024-01-17")
    agree(meter.bill(meter.load(0))["2024-01"], {
        "spot": 0, "per_month": 1200 * 12 / 31, "per_year": 1200 / 12 * 12 / 31, "per_day": 1200 * 12,
    })  # fmt: skip


def test_state_after_the_horizon():
    """30 January to 2 February: 5 MW on record stay, 6 MW are new; evenings reach 3 and 4 MW (2 February: Friday)."""
    meter = Meter(tariff(EVENING), "2024-01-30", "2024-02-03", state={"peak_so_far_mw": {"2024-01": 5.0}})
    power = meter.load(2, {"2024-01-30 17:00": 3, "2024-02-01 03:00": 6, "2024-02-02 16:00": 4})
    after = roll_forward(meter.inputs(40), meter.replayed(power)).sites["s"]
    assert after.peak_so_far_mw == {"2024-01": 5, "2024-02": 6}
    assert after.window_peaks_mw == {"evening": {"2024-01": 3, "2024-02": 4}}


def test_window_peaks_are_those_of_the_version_that_bills_the_month():
    """Evenings (16-19) until January, late hours (22-24) from February on.

    January's record is its 3 MW of an evening, not the 6 MW at 23:00; February's the 4 MW at 22:00.
    """
    late = {**EVENING, "valid_from": "2024-02-01", "when": {"hours": [[22, 24]]}}
    meter = Meter(tariff(EVENING, late), "2024-01-30", "2024-02-03")
    power = meter.load(1, {"2024-01-30 17:00": 3, "2024-01-30 23:00": 6, "2024-02-01 17:00": 5, "2024-02-01 22:00": 4})
    after = roll_forward(meter.inputs(40), meter.replayed(power)).sites["s"]
    assert after.window_peaks_mw == {"evening": {"2024-01": 3, "2024-02": 4}}


@pytest.mark.parametrize("now", [True, False])
def test_a_ratchet_looks_back_at_the_hours_that_were_declared_then(now):
    """6 MW at 23:00 on 31 January, when 22-24 did not count yet, else 1 MW; 0.8 of January's record.

    In one go and in two nights: 1 MW of February, the ratchet's 0.8 MW is less; the other way round, at 17:00, when
    it did count, 4.8 MW. The program's weight is that of the bill.
    """
    late = {**EVENING, "valid_from": "2024-02-01", "when": {"hours": [[22, 24]]}}
    parts = [{**c, "look_back_months": 3, "ratchet_share": 0.8} for c in (EVENING, late)]
    meter = Meter(tariff(*parts), "2024-01-31", "2024-02-02")
    power = meter.load(1, {f"2024-01-31 {17 if now else 23}:00": 6})
    line = meter.bill(power)["2024-02"]["evening"]
    assert line.quantity == pytest.approx(4.8 if now else 1.0)
    first = Meter(tariff(*parts), "2024-01-31", "2024-02-01")
    state = roll_forward(first.inputs(40), first.replayed(power[:24])).sites["s"].model_dump()
    second = Meter(tariff(*parts), "2024-02-01", "2024-02-02", state=state)
    assert second.bill(power[24:])["2024-02"]["evening"].amount_eur == pytest.approx(line.amount_eur)
    owed = demand_charges([site_tariff(meter.inputs(40), "s", meter.horizon)])
    weight = demand_arrays(owed, ["s"], ["2024-01", "2024-02"], len(power))["charge_weight"]
    (of,) = (k for k, c in enumerate(owed) if c.month.label == "2024-02")
    assert (weight[of] * power).max() == pytest.approx(line.quantity)


def nights(parts, power, cuts, **given):
    """Lines of each night of February 2024 with the state carried on; `cuts` are days of the month."""
    state: dict = given.pop("state", {})
    out = []
    for first, after in pairwise(cuts):
        end = "2024-03-01" if after == 30 else f"2024-02-{after:02}"
        night = Meter(tariff(*parts), f"2024-02-{first:02}", end, state=state, **given)
        drawn = power[24 * (first - 1) : 24 * (after - 1)]
        out.append(night.bill(drawn)["2024-02"])
        state = roll_forward(night.inputs(40), night.replayed(drawn)).sites["s"].model_dump()
    return out, state


def test_a_month_metered_night_by_night_bills_the_same_peak_and_the_same_sum():
    """February 2024 in 29 single days: 2 MW, 6 MW on the 7th.

    The first night bears 2 MW · 1,000 · 1/29; the 7th raises the seven days so far to 6 MW: (7·6 - 6·2)/29 · 1,000;
    the last adds its own day at 6 MW.
    """
    whole = Meter(tariff(PEAK), "2024-02-01", "2024-03-01")
    power = whole.load(2, {"2024-02-07 09:00": 6, "2024-02-20 09:00": 4})
    lines, _ = nights([PEAK], power, range(1, 31))
    added = [x["peak"].amount_eur for x in lines]
    assert lines[-1]["peak"].quantity == whole.bill(power)["2024-02"]["peak"].quantity == 6
    assert added[0] == pytest.approx(2000 / 29)
    assert added[6] == pytest.approx((7 * 6 - 6 * 2) * 1000 / 29)
    assert added[-1] == pytest.approx(6000 / 29)
    assert sum(added) == pytest.approx(6 * 1000, abs=1e-9)
    last = lines[-1]["peak"]
    assert last.quantity * last.rate_eur - last.so_far_eur == pytest.approx(last.amount_eur)


def test_minimum_bill_in_two_parts_gives_back_what_use_makes_up_for():
    """Ten days at nothing, 19 days at 1 MW; 5 EUR/MWh against 1,500 EUR.

    Ten days add 1,500·10/29 = 517.24; then 19·24·5 = 2,280 EUR of energy are above the whole minimum, and what was
    added comes back.
    """
    parts = [{"kind": "energy", "value": 5}, {"kind": "minimum_bill", "name": "least", "value": 1500}]
    power = np.repeat([0.0, 1.0], [240, 456])
    lines, _ = nights(parts, power, (1, 11, 30))
    assert [x["least"].amount_eur for x in lines] == pytest.approx([1500 * 10 / 29, -1500 * 10 / 29])
    assert Meter(tariff(*parts), "2024-02-01", "2024-03-01").bill(power)["2024-02"]["least"].amount_eur == 0


def test_bands_in_two_parts():
    """1 MW for ten days, then 3 MW: 0-2 MW at 100, above at 400 EUR/MW."""
    parts = [{"kind": "demand", "name": "power", "bands": [{"up_to_mw": 2, "value": 100}, {"value": 400}]}]
    lines, _ = nights(parts, np.repeat([1.0, 3.0], [240, 456]), (1, 11, 30))
    assert {k: x.amount_eur for k, x in lines[0].items() if x.kind == "demand"} == {
        "power_band_1": pytest.approx(100 * 10 / 29)
    }
    assert lines[1]["power_band_1"].amount_eur == pytest.approx(200 - 100 * 10 / 29)
    assert lines[1]["power_band_2"].amount_eur == pytest.approx(400)


def test_a_weekend_bears_its_days_of_the_evening_peak():
    """Friday 9 February 18:00 sets 4 MW; Saturday has no declared hour, and bears a day of 4 MW all the same."""
    power = Meter(tariff(), "2024-02-01", "2024-03-01").load(1, {"2024-02-09 18:00": 4})
    lines, _ = nights([EVENING], power, (1, 9, 10, 11, 30))
    assert lines[2]["evening"].amount_eur == pytest.approx(4 * 1000 / 29)
    assert sum(x["evening"].amount_eur for x in lines) == pytest.approx(4000, abs=1e-9)


def test_nights_after_a_peak_without_an_invoice_share_what_is_left_of_the_month():
    """5 MW on record on the 20th, ten days left: each bears a tenth of 5,000, the last ones of what 6 MW make of it."""
    power = Meter(tariff(), "2024-02-01", "2024-03-01").load(2, {"2024-02-25 09:00": 6})
    lines, _ = nights([PEAK], power, (20, 22, 30), state={"peak_so_far_mw": {"2024-02": 5.0}})
    assert [x["peak"].amount_eur for x in lines] == pytest.approx([5000 * 2 / 10, 6000 - 1000])


def test_state_after_a_month_has_no_invoice_but_the_year():
    """February: 2 MW, 0.8 of it IT; January's year-to-date goes on. The last six hours are kept for a rolling cap."""
    site = {"pue_caps": [{"name": "day", "limit": 1.3, "period": "rolling", "window_h": 6}]}
    state = {"year_to_date": {"facility_mwh": 1000, "it_mwh": 800}}
    _, after = nights([PEAK], np.full(696, 2.0), (1, 15, 30), state=state, site=site)
    assert after["invoice_so_far"] == {}
    assert after["year_to_date"] == pytest.approx(
        {"facility_mwh": 2392, "it_mwh": 1913.6, "water_m3": 0, "reused_mwh": 0}
    )
    assert [(f"{p['start']:%d %H}", p["it_mwh"]) for p in after["history"]] == [
        (f"29 {h}", pytest.approx(1.6)) for h in range(17, 23)
    ]
