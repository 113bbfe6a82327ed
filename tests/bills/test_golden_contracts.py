"""Golden lines of supply contracts and of solar feed-in: one German day, spot 40 EUR/MWh unless said."""

import numpy as np
import pytest

from energy.audit import site_prices
from tests.bills.meter import NOK, Meter, agree, tariff

LEVY = tariff({"kind": "energy", "name": "levy", "value": 10})
NIGHT_AND_DAY = np.where(np.arange(24) < 12, 40.0, 80.0)


def day(*contracts, solar=None):
    """15 January 2024 with these contracts."""
    return Meter(LEVY, "2024-01-15", "2024-01-16", site={"contracts": contracts, "solar": solar})


def lines(meter, drawn, spot=40.0, fed=None):
    """The month's lines."""
    return meter.bill(meter.load(drawn), spot, fed)["2024-01"]


PPA = {"kind": "take_or_pay", "name": "ppa", "mw": 3, "price": 30, "when": {"hours": [[8, 20]]}}


@pytest.mark.parametrize(("drawn", "taken"), [(2, 24), (3, 36), (5, 36), (0, 0)])
def test_take_or_pay_under_and_over_drawn(drawn, taken):
    """3 MW in twelve hours: 36 MWh are paid at 30 in any case; what is drawn of them needs no spot at 40."""
    agree(lines(day(PPA), drawn), {
        "spot": 24 * drawn * 40, "levy": 24 * drawn * 10, "ppa": 36 * 30, "ppa_taken": -taken * 40,
    })  # fmt: skip


def test_take_or_pay_at_a_negative_price_is_not_taken():
    """At -10 EUR/MWh the site is better off with spot, and pays the volume all the same."""
    agree(lines(day(PPA), 5, -10.0), {"spot": -24 * 5 * 10, "levy": 24 * 5 * 10, "ppa": 36 * 30, "ppa_taken": 0})


def test_capped_price():
    """2 MW capped at 50, premium 3 on 48 MWh: spot is 40 for twelve hours and 80 for twelve; 3 MW are drawn.

    Where spot is 80, 2 MW·12 h = 24 MWh save 30 EUR/MWh each; the third MW pays 80.
    """
    cap = {"kind": "capped_price", "name": "cap", "mw": 2, "price": 50, "premium": 3}
    agree(lines(day(cap), 3, NIGHT_AND_DAY), {
        "spot": 36 * 40 + 36 * 80, "levy": 72 * 10, "cap_premium": 48 * 3, "cap_taken": -24 * (80 - 50),
    })  # fmt: skip


def test_capped_price_under_drawn():
    """Only 1 of 2 MW is drawn: 12 MWh save 30 EUR/MWh; the premium stays."""
    cap = {"kind": "capped_price", "name": "cap", "mw": 2, "price": 50, "premium": 3}
    of = lines(day(cap), 1, NIGHT_AND_DAY)
    assert (of["cap_premium"].amount_eur, of["cap_taken"].amount_eur) == (48 * 3, -12 * 30)


def test_the_contract_that_saves_most_is_taken_first():
    """At 80 a PPA saves 80 and a cap at 50 saves 30; 4 MW are drawn, 3 from the PPA and 1 of the cap's 2.

    At 40 the PPA saves 40, the cap nothing.
    """
    cap = {"kind": "capped_price", "name": "cap", "mw": 2, "price": 50}
    ppa = {"kind": "take_or_pay", "name": "ppa", "mw": 3, "price": 30}
    of = lines(day(cap, ppa), 4, NIGHT_AND_DAY)
    assert of["ppa_taken"].amount_eur == pytest.approx(-36 * 40 - 36 * 80)
    assert of["cap_taken"].amount_eur == pytest.approx(-12 * 1 * 30)


@pytest.mark.parametrize(("price", "settled"), [(45, 48 * 5), (30, -48 * 10), (40, 0)])
def test_hedge_above_and_below_spot(price, settled):
    """2 MW all day, settled against 40: pays 5 or receives 10 EUR/MWh, whatever is drawn."""
    hedge = {"kind": "hedge", "name": "hedge", "mw": 2, "price": price}
    for drawn in (0, 1, 7):
        agree(lines(day(hedge), drawn), {"spot": 24 * drawn * 40, "levy": 24 * drawn * 10, "hedge": settled})


def test_profiled_hedge_in_another_currency():
    """1 MW from 8 to 20 at 500 NOK = 50 EUR/MWh: four hours at spot 40, eight at 80: 4·10 - 8·30."""
    hedge = {"kind": "hedge", "name": "hedge", "mw": 1, "price": 500, "currency": "NOK", "when": {"hours": [[8, 20]]}}
    settled = 4 * (500 * NOK - 40) + 8 * (500 * NOK - 80)
    assert settled == 4 * 10 - 8 * 30
    assert lines(day(hedge), 1, NIGHT_AND_DAY)["hedge"].amount_eur == pytest.approx(settled)


def test_a_volume_that_grows_during_the_day():
    """1 MW until noon, 2 MW from then on: 12·1 + 12·2 = 36 MWh at 30."""
    mw = [{"from": "2024-01-01", "value": 1}, {"from": "2024-01-15T12:00", "value": 2}]
    of = lines(day({**PPA, "mw": mw, "when": {}}), 2)
    assert (of["ppa"].amount_eur, of["ppa_taken"].amount_eur) == (36 * 30, -36 * 40)


def test_contracts_do_not_change_grid_lines():
    """Levies and peaks are paid on what is drawn, whoever supplies it."""
    assert lines(day(PPA), 5)["levy"] == lines(day(), 5)["levy"]


ARRAY = {"dc_mw": 5, "ac_mw": 4, "feed_in": {"limit_mw": 1, "spot_share": 0.9}}


@pytest.mark.parametrize(
    ("feed_in", "earned"),
    [({"limit_mw": 1, "spot_share": 0.9}, 36), ({"limit_mw": 1, "price": 55}, 55),
     ({"limit_mw": 1, "price": 550, "currency": "NOK"}, 55)],
)  # fmt: skip
def test_feed_in_earns_its_own_price(feed_in, earned):
    """1 MW from 11 to 14 is fed in: 3 MWh at 90 % of 40, or at a fixed price; 2 MW are drawn else."""
    sunny = (np.arange(24) >= 11) & (np.arange(24) < 14)
    meter = day(solar={**ARRAY, "feed_in": feed_in})
    of = meter.bill(np.where(sunny, 0.0, 2.0), 40.0, np.where(sunny, 1.0, 0.0))["2024-01"]
    agree(of, {"spot": 42 * 40, "levy": 42 * 10, "feed_in": -3 * earned})


def test_a_day_without_feed_in_has_no_such_line():
    assert "feed_in" not in lines(day(solar=ARRAY), 2)


@pytest.mark.parametrize(
    ("spot", "sun", "expected"),
    [
        (40.0, 1.0, (2, 0, 1)),  # all used on site
        (40.0, 3.5, (0, 0.5, 3.5)),  # half a MW left to feed in
        (40.0, 9.0, (0, 1, 4)),  # limit 1 MW, the rest curtailed
        (-5.0, 9.0, (0, 0, 3)),  # spot below 0, energy price 5 above: used on site, fed in not
        (-15.0, 9.0, (3, 0, 0)),  # drawing is paid for: the array stands still
    ],
)
def test_sun_serves_the_site_then_the_grid(monkeypatch, spot, sun, expected):
    """3 MW of load, feed-in limit 1 MW, levy 10 EUR/MWh: drawn, fed in and used [MW]."""
    monkeypatch.setattr(site_prices, "solar", lambda *_: np.full(24, sun))
    meter = day(solar=ARRAY)
    exchange = site_prices.grid_exchange(meter.inputs(spot), "s", np.full(24, 3.0), meter.horizon)
    assert tuple(float(x[12]) for x in exchange) == expected


def test_own_sun_saves_the_avoided_components():
    """2 MW less for 6 h: 12 MWh of spot at 40 and levy at 10 are not paid."""
    meter, sunny = day(solar=ARRAY), (np.arange(24) >= 9) & (np.arange(24) < 15)
    without = sum(x.amount_eur for x in lines(meter, 3).values())
    with_sun = sum(x.amount_eur for x in meter.bill(np.where(sunny, 1.0, 3.0))["2024-01"].values())
    assert without - with_sun == pytest.approx(12 * (40 + 10))
