"""The rate of an invoice line is what a unit costs, and a price of exactly zero is neither paid nor earned."""

import numpy as np
import pytest

from energy.audit import site_prices
from tests.bills.meter import Meter, tariff

PV = {"dc_mw": 5, "ac_mw": 4, "feed_in": {"limit_mw": 1, "spot_share": 0.9}}


def day(*components, **site):
    return Meter(
        tariff({"kind": "energy", "name": "levy", "value": 10}, *components), "2024-01-10", "2024-01-11", site=site
    )


def test_rates_are_amount_per_unit():
    """A take-or-pay volume of 1 MW at 30 all day, 2 MW drawn at 40: each line's amount is its quantity times its rate."""
    meter = day({"kind": "fixed", "name": "meter", "value": 62},
                contracts=[{"kind": "take_or_pay", "name": "ppa", "mw": 1, "price": 30}])  # fmt: skip
    lines = meter.bill(meter.load(2), 40.0)["2024-01"]
    rates = {name: (line.quantity, line.rate_eur) for name, line in lines.items()}
    assert rates["spot"] == pytest.approx((48, 40))
    assert rates["levy"] == pytest.approx((48, 10))
    assert rates["ppa"] == pytest.approx((24, 30))
    assert rates["ppa_taken"] == pytest.approx((24, -40))
    assert rates["meter"] == pytest.approx((1 / 31, 62))
    for line in lines.values():
        assert line.amount_eur == pytest.approx(line.quantity * line.rate_eur)
    assert meter.bill(meter.load(0), 40.0)["2024-01"]["ppa_taken"].rate_eur == 0.0


def test_at_a_price_of_exactly_zero_the_sun_serves_the_site(monkeypatch):
    """Spot -10 and a levy of 10: drawing costs nothing and earns nothing, so the array is not stopped."""
    monkeypatch.setattr(site_prices, "solar", lambda *_: np.full(24, 9.0))
    meter = day(solar=PV)
    exchange = site_prices.grid_exchange(meter.inputs(-10.0), "s", np.full(24, 3.0), meter.horizon)
    assert tuple(float(x[12]) for x in exchange) == (0.0, 0.0, 3.0)


def test_a_first_version_counts_before_its_day_in_its_own_hours_only():
    """4 EUR/MWh from midnight to six, valid from 2030: on a day of 2024 already, and nothing in other hours."""
    night = {"kind": "energy", "name": "night", "value": 4, "valid_from": "2030-01-01", "when": {"hours": [[0, 6]]}}
    meter = day(night)
    price = site_prices.energy_price(meter.inputs(40.0), "s", meter.horizon)
    assert price.tolist() == [54.0] * 6 + [50.0] * 18


def test_sun_beyond_what_a_plan_uses_is_held_back(monkeypatch):
    """9 MW of sun, 3 MW of load: a plan that uses 2 draws 1; one that uses 3.5 feeds half a MW in."""
    monkeypatch.setattr(site_prices, "solar", lambda *_: np.full(24, 9.0))
    meter, limit = day(solar=PV), np.array([2.0, 3.5] * 12)
    exchange = site_prices.grid_exchange(meter.inputs(40.0), "s", np.full(24, 3.0), meter.horizon, limit)
    assert [x[:2].tolist() for x in exchange] == [[1.0, 0.0], [0.0, 0.5], [2.0, 3.5]]
