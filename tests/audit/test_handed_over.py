"""Heat handed over from raw inputs, and what a site's clock makes of carried balances: by hand."""

from dataclasses import replace

import numpy as np
import pytest

from energy.audit.invoice import roll_forward
from energy.audit.site_prices import reused
from tests.bills.meter import Meter, tariff
from tests.plant.conftest import named

LEVY = {"kind": "energy", "name": "levy", "value": 10}
HALLS = {
    h: {"plant": "none", "design_mw": 1.0, "pools": {"p": {"gpu": "none", "count": 1}}} for h in ("warm", "cool", "air")
}
BUYER = {"limit_mw": [{"from": "2024-01-01", "value": 9.0}, {"from": "2024-01-10T12:00", "value": 0.5}],
         "price_eur_per_mwh": 15.0, "temperature_c": 50.0, "recoverable_share": 0.8}  # fmt: skip
#: Returns 50 °C and carries 0.85 of the heat; 34 °C and 0.9; none.
PLANTS = {"s/warm": named("dlc_dry_cooler"), "s/cool": named("dlc_tower"), "s/air": named("airside_economizer")}


def handed(buyer, spot):
    """Halls of 1, 2 and 4 MW; another site's hall, here none, gives nothing."""
    site = {"halls": HALLS} | ({"heat_reuse": buyer} if buyer else {})
    meter = Meter(tariff(LEVY), "2024-01-10", "2024-01-11", site=site)
    inputs = replace(meter.inputs(spot), plants=PLANTS)
    it = {name: np.full(24, mw) for name, mw in zip(PLANTS, (1.0, 2.0, 4.0), strict=True)}
    return reused(inputs, "s", it, meter.horizon)


def test_warm_enough_loops_up_to_what_the_buyer_takes():
    """0.8·0.85·1 MW from the loop that is as warm as wanted; from noon on half a MW."""
    np.testing.assert_allclose(handed(BUYER, 40.0), [0.68] * 12 + [0.5] * 12)
    hotter = BUYER | {"temperature_c": 50.5}
    assert (handed(hotter, 40.0) == 0).all()
    assert (handed(None, 40.0) == 0).all()


def test_a_heat_pump_takes_every_loop_while_it_pays():
    """0.8·(0.85·1 + 0.9·2) MW, where (spot + 10)/4 is below 15 EUR/MWh: at spot 40 and 49.9, not at 50."""
    spot = np.array([40.0] * 6 + [49.9] * 3 + [50.0] * 3 + [40.0] * 12)
    pumped = handed(BUYER | {"heat_pump_cop": 4.0, "temperature_c": 80.0}, spot)
    np.testing.assert_allclose(pumped, [2.12] * 9 + [0.0] * 3 + [0.5] * 12)


def test_heat_for_nothing_is_not_handed_over():
    assert (handed(BUYER | {"price_eur_per_mwh": 0.0}, 40.0) == 0).all()


CHARGED = tariff(
    LEVY, {"kind": "spot_share", "name": "losses", "value": 0.1},
    {"kind": "demand", "name": "grid", "value": 3100},
    {"kind": "demand", "name": "evening", "value": 620, "when": {"hours": [[18, 20]]}},
    {"kind": "fixed", "name": "meter", "value": 62}, {"kind": "minimum_bill", "name": "least", "value": 31000},
)  # fmt: skip


def test_what_a_first_night_leaves_behind():
    """10 January, 2 MW and 3 MW at 19:00, half of 48 half-hours: 48.5 MWh, 0.8 of it IT.

    A 31st of each month's rate: 3 MW at 100 and at 20; levy 485, fixed 2; the minimum bill of 1000 adds the rest."""
    caps = [{"name": "week", "limit": 1.3, "period": "rolling", "window_h": 2}]
    meter = Meter(CHARGED, "2024-01-10", "2024-01-11", 30, site={"pue_caps": caps})
    state = roll_forward(meter.inputs(40.0), meter.replayed(meter.load(2.0, {"2024-01-10T19:00": 3.0})))
    mine = state.sites["s"]
    assert mine.peak_so_far_mw == {"2024-01": 3.0}
    assert mine.window_peaks_mw == {"evening": {"2024-01": 3.0}}
    assert mine.year_to_date.model_dump() == pytest.approx(
        {"facility_mwh": 48.5, "it_mwh": 38.8, "water_m3": 0.0, "reused_mwh": 0.0}
    )
    invoice = mine.invoice_so_far["2024-01"].model_dump()
    charges = invoice.pop("charges")
    assert invoice == pytest.approx({"minimum_eur": 1000, "counted_eur": 485 + 300 + 60 + 2, "top_up_eur": 153})
    assert charges["grid"] == pytest.approx({"rate_eur_per_mw": 100, "spread_h": 744, "billed_eur": 300})
    assert charges["evening"] == pytest.approx({"rate_eur_per_mw": 20, "spread_h": 744, "billed_eur": 60})
    assert [(f"{p.start:%H:%M}", p.hours, p.facility_mwh) for p in mine.history] == [
        ("21:00", 0.5, 1.0), ("21:30", 0.5, 1.0), ("22:00", 0.5, 1.0), ("22:30", 0.5, 1.0)]  # fmt: skip
    assert [p.it_mwh for p in mine.history] == pytest.approx([0.8] * 4)


def test_a_night_into_the_next_year_begins_it_anew():
    """31 December until two hours after local midnight: only those count for 2024, on the invoice and in the balance."""
    meter = Meter(CHARGED, "2023-12-31", "2024-01-01T02:00", 30, {"year_to_date": {"facility_mwh": 9, "it_mwh": 8}})
    mine = roll_forward(meter.inputs(40.0), meter.replayed(meter.load(2.0))).sites["s"]
    assert mine.year_to_date.model_dump() == pytest.approx(
        {"facility_mwh": 4.0, "it_mwh": 3.2, "water_m3": 0, "reused_mwh": 0}
    )
    assert list(mine.invoice_so_far) == ["2024-01"]
    assert mine.peak_so_far_mw == {"2023-12": 2.0, "2024-01": 2.0}
    assert mine.window_peaks_mw == {"evening": {"2023-12": 2.0}}
    assert mine.invoice_so_far["2024-01"].counted_eur == pytest.approx(40 + 2 * 3100 * 2 / 744 + 62 * 2 / 744)
    assert mine.history == ()


def test_a_night_to_the_end_of_a_month_leaves_no_invoice_but_its_year():
    """The first period after it is of February: nothing is billed of it yet; the year goes on from 9 and 8 MWh."""
    meter = Meter(CHARGED, "2024-01-31", "2024-02-01", 30, {"year_to_date": {"facility_mwh": 9, "it_mwh": 8}})
    mine = roll_forward(meter.inputs(40.0), meter.replayed(meter.load(2.0))).sites["s"]
    assert mine.invoice_so_far == {}
    assert (mine.year_to_date.facility_mwh, mine.year_to_date.it_mwh) == pytest.approx((57.0, 46.4))
