"""Invoice lines with all their columns: component, kind, quantity, unit, rate, amount and what was billed before.

A tariff in pounds (1.15 EUR), half-hours, a site in Berlin: 31 January 2024 and, in another month, 1 February.
"""

import numpy as np
import pytest

from energy.audit.invoice import Bill, bill
from energy.inputs.metered import Line
from tests.bills.meter import GBP, NOK, Meter, tariff

TARIFF = tariff(
    {"kind": "energy", "name": "levy", "value": 10},
    {"kind": "energy", "name": "night", "value": 4, "when": {"hours": [[0, 6]]}},
    {"kind": "spot_share", "name": "losses", "value": 0.1},
    {"kind": "demand", "name": "grid", "bands": [{"up_to_mw": 2, "value": 1200}, {"value": 3000}]},
    {"kind": "demand", "name": "evening", "value": 7440, "unit": "GBP/MW/year", "when": {"hours": [[18, 20]]}},
    {"kind": "fixed", "name": "meter", "value": 62},
    {"kind": "fixed", "name": "metering", "value": 3, "unit": "GBP/day"},
    {"kind": "fixed", "name": "office", "value": 3660, "unit": "GBP/year"},
    {"kind": "minimum_bill", "name": "least", "value": 99000},
    currency="GBP",
)
SITE = {
    "contracts": [
        {"kind": "take_or_pay", "name": "ppa", "mw": 1, "price": 30, "when": {"hours": [[8, 20]]}},
        {"kind": "capped_price", "name": "cap", "mw": 1, "price": 300, "premium": 20, "currency": "NOK"},
        {"kind": "hedge", "name": "hedge", "mw": 0.5, "price": 45},
    ],
}
SUNNY = {"solar": {"dc_mw": 5, "ac_mw": 4, "feed_in": {"limit_mw": 1, "spot_share": 0.9}}}  # fmt: skip
#: 2 MW, 4 MW in the half-hour at noon: 49 MWh, spot 40. The tariff's own lines of 31 January, in GBP.
OWN = {
    "levy": ("energy", 49, "MWh", 10),
    "night": ("energy", 12, "MWh", 4),
    "losses": ("energy", 49, "MWh", 4 / GBP),  # a tenth of spot, in EUR
    "grid_band_1": ("demand", 2, "MW", 1200 / 31),  # a day's part of the month's rate
    "grid_band_2": ("demand", 2, "MW", 3000 / 31),
    "evening": ("demand", 2, "MW", 7440 / 12 / 31),
    "meter": ("fixed", 1 / 31, "month", 62),
    "metering": ("fixed", 1, "day", 3),
    "office": ("fixed", 1 / 31 / 12, "year", 3660),
}
COUNTED = sum(q * rate for name, (_, q, _, rate) in OWN.items() if name != "losses")
#: Supply: the dearest spot avoided first, 40 by the take-or-pay volume, 10 by the cap at 30 EUR.
SUPPLY = {
    "ppa": ("contract", 12, "MWh", 30),
    "ppa_taken": ("contract", 12, "MWh", -40),
    "cap_premium": ("contract", 24, "MWh", 20 * NOK),
    "cap_taken": ("contract", 24, "MWh", -(40 - 300 * NOK)),
    "hedge": ("hedge", 12, "MWh", 45 - 40),
}


def bill_of(state=None, start="2024-01-31"):
    meter = Meter(TARIFF, start, "2024-02-02", 30, state or {}, SITE)
    return meter.bill(meter.load(2.0, {"2024-01-31T12:00": 4.0} if start < "2024-02" else {}), 40.0)


def test_every_line_of_a_day():
    found = bill_of()["2024-01"]
    expected = [Line("s", "2024-01", "spot", "spot", 49, "MWh", 40, 49 * 40)]
    expected += [Line("s", "2024-01", n, k, q, u, r * GBP, q * r * GBP) for n, (k, q, u, r) in OWN.items()]
    least = Line("s", "2024-01", "least", "minimum", 1 / 31, "month", 99000 * GBP, (99000 / 31 - COUNTED) * GBP)
    expected += [least, *(Line("s", "2024-01", n, k, q, u, r, q * r) for n, (k, q, u, r) in SUPPLY.items())]
    assert [x.component for x in found.values()] == [x.component for x in expected]
    for line, wanted in zip(found.values(), expected, strict=True):
        same(line, wanted)
    assert {x.so_far_eur for x in found.values()} == {0.0}


def same(line, wanted):
    assert (line.site, line.month, line.component, line.kind, line.unit) == (
        wanted.site, wanted.month, wanted.component, wanted.kind, wanted.unit)  # fmt: skip
    numbers = ("quantity", "rate_eur", "amount_eur", "so_far_eur")
    assert [getattr(line, n) for n in numbers] == pytest.approx([getattr(wanted, n) for n in numbers]), line.component


def test_the_next_month_begins_its_own_lines():
    """1 February: 48 MWh; a peak of 2 MW has no second band; the month has 29 days."""
    found = bill_of()["2024-02"]
    assert set(found) == {"spot", *OWN, "least", *SUPPLY} - {"grid_band_2"}
    same(found["levy"], Line("s", "2024-02", "levy", "energy", 48, "MWh", 10 * GBP, 480 * GBP))
    band = Line("s", "2024-02", "grid_band_1", "demand", 2, "MW", 1200 / 29 * GBP, 2400 / 29 * GBP)
    same(found["grid_band_1"], band)
    same(found["meter"], Line("s", "2024-02", "meter", "fixed", 1 / 29, "month", 62 * GBP, 62 / 29 * GBP))
    same(found["office"], Line("s", "2024-02", "office", "fixed", 1 / 29 / 12, "year", 3660 * GBP, 305 / 29 * GBP))


def test_what_was_billed_before_is_told_and_taken_off():
    """A peak of 3 MW on record, of which the day before bore a 29th: 2 MW at 1200 and 1 MW at 3000 more, twice now."""
    charge = {"spread_h": 29 * 24}
    before = {
        "peak_so_far_mw": {"2024-02": 3.0},
        "window_peaks_mw": {"evening": {"2024-02": 1.0}},
        "invoice_so_far": {"2024-02": {
            "charges": {"grid_band_1": {**charge, "rate_eur_per_mw": 1200 / 29 * GBP, "billed_eur": 80.0},
                        "grid_band_2": {**charge, "rate_eur_per_mw": 3000 / 29 * GBP, "billed_eur": 100.0}},
            "minimum_eur": 5000.0, "counted_eur": 700.0, "top_up_eur": 4000.0}},
    }  # fmt: skip
    found = bill_of(before, "2024-02-01")["2024-02"]
    for name, mw, rate, billed in (("grid_band_1", 2, 1200, 80.0), ("grid_band_2", 1, 3000, 100.0)):
        twice = 2 * rate / 29 * GBP
        same(found[name], Line("s", "2024-02", name, "demand", mw, "MW", twice, mw * twice - billed, billed))
    counted = sum(
        x.amount_eur for x in found.values() if x.kind in ("energy", "demand", "fixed") and x.component != "losses"
    )
    added = 99000 / 29 * GBP + 5000 - counted - 700 - 4000
    same(found["least"], Line("s", "2024-02", "least", "minimum", 1 / 29, "month", 99000 * GBP, added, 4000.0))


def test_nothing_drawn_has_no_rate():
    """Lines that follow energy say 0 per MWh rather than nothing per nothing."""
    meter = Meter(TARIFF, "2024-01-31", "2024-02-01", 30, {}, SITE)
    found = meter.bill(meter.load(0.0))["2024-01"]
    for name in ("spot", "levy", "night", "losses", "ppa_taken", "cap_taken"):
        same(found[name], Line("s", "2024-01", name, found[name].kind, 0, "MWh", 0, 0))
    same(found["grid_band_1"], Line("s", "2024-01", "grid_band_1", "demand", 0, "MW", 1200 / 31 * GBP, 0))
    assert "grid_band_2" not in found


def test_what_is_fed_in():
    """0.25 MW in four half-hours of the first day at 90 % of 40; no line for the day without."""
    meter = Meter(TARIFF, "2024-01-31", "2024-02-02", 30, {}, SUNNY)
    fed = meter.load(0.0)
    fed[24:28] = 0.25
    found = meter.bill(meter.load(2.0), 40.0, fed)
    same(found["2024-01"]["feed_in"], Line("s", "2024-01", "feed_in", "feed_in", 0.5, "MWh", -36, -18))
    assert "feed_in" not in found["2024-02"]


def test_totals_by_site_and_kind_and_the_table():
    lines = (Line("a", "2024-01", "x", "spot", 1, "MWh", 2, 3.0), Line("a", "2024-01", "y", "energy", 1, "MWh", 2, 5.0),
             Line("b", "2024-01", "x", "spot", 1, "MWh", 2, 7.0, 1.0))  # fmt: skip
    of = Bill(lines)
    assert (of.total(), of.total("a"), of.total(kind="spot"), of.total("b", "spot"), of.total("b", "energy")) == (
        15,
        8,
        10,
        7,
        0,
    )
    assert of.frame().to_dict("records") == [vars(x) for x in lines]


HEAT = {"limit_mw": 0.5, "price_eur_per_mwh": 15.0, "temperature_c": 70.0}


@pytest.mark.parametrize("cop", [None, 4.0])
def test_heat_lines_with_all_columns(cop):
    """0.4 MW for a day and none on the next: 9.6 MWh at 15; a pump of COP 4 draws 2.4 MWh, at spot 40, levy 10 and, for six
    hours, 4 more."""
    buyer = HEAT if cop is None else HEAT | {"heat_pump_cop": cop}
    plain = tariff({"kind": "energy", "name": "levy", "value": 10},
                   {"kind": "energy", "name": "night", "value": 4, "when": {"hours": [[0, 6]]}})  # fmt: skip
    meter = Meter(plain, "2024-01-31", "2024-02-02", 30, site={"heat_reuse": buyer})
    reading = meter.replayed(meter.load(1.0))
    heat = np.where(np.arange(96) < 48, 0.4, 0.0)
    lines = [
        x
        for x in bill(meter.facts(40.0), reading.assign(heat_mw=(("site", "time"), heat[None, :]))).lines
        if x.kind == "heat"
    ]
    sold = [
        Line("s", m, "heat_sales", "heat", q, "MWh heat", -15, -15 * q) for m, q in (("2024-01", 9.6), ("2024-02", 0))
    ]
    cost = (9.6 * 50 + 2.4 * 4) / 4
    pump = [Line("s", "2024-01", "heat_pump", "heat", 2.4, "MWh heat pump", cost / 2.4, cost),
            Line("s", "2024-02", "heat_pump", "heat", 0, "MWh heat pump", 0, 0)]  # fmt: skip
    expected = sold if cop is None else [sold[0], pump[0], sold[1], pump[1]]
    for line, wanted in zip(lines, expected, strict=True):
        same(line, wanted)
