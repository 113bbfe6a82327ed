"""Two currencies, from files to the optimum: prices and tariff of one site in NOK at a daily rate, the other in EUR.

One GPU draws 1 MW here as in the other closed forms; money comes out of the files as it does in any case.
"""

import numpy as np
import pytest

from tests.closed_forms.builder import best, one, problem
from tests.closed_forms.words import Charge, Job

TARIFF = {
    "north": ("NO", "NOK", [{"name": "tax", "kind": "energy", "value": 80, "unit": "NOK/MWh"}]),
    "south": ("DE", "EUR", [{"name": "tax", "kind": "energy", "value": 3, "unit": "EUR/MWh"}]),
}
CITED = {"valid_from": "2015-01-01", "source": "made up", "confidence": "L"}
#: EUR per NOK on the two days of the case.
DAY_1, DAY_2 = 0.10, 0.12


def landed(case, north_peak=None):
    """Prices of the two sites in the four hours about midnight [EUR/MWh], and the Problem they come from."""
    for site, (country, currency, components) in TARIFF.items():
        extra = [north_peak] if site == "north" and north_peak else []
        tariff = {"name": site, "country": country, "currency": currency,
                  "components": [c | CITED for c in components + extra]}  # fmt: skip
        for key, value in tariff.items():
            case.edit(f"{site}.yaml", key, value)
        case.edit("fleet.yaml", f"sites.{site}.tariff", f"{site}.yaml")
    hours = case.rows("prices.csv")
    case.put("nok.csv", [{"utc": r["utc"], "NO4": 220} for r in hours])
    case.put("eur.csv", [{"utc": r["utc"], "DE-LU": 32 if "T01" in r["utc"] else 30} for r in hours])
    file = {"quality": "auction", "source": "made up"}
    case.edit("case.yaml", "prices", [{"file": "nok.csv", "zones": ["NO4"], "currency": "NOK", **file},
                                      {"file": "eur.csv", "zones": ["DE-LU"], **file}])  # fmt: skip
    case.put("fx.csv", [{"utc": "2024-03-05T00:00:00Z", "NOK": DAY_1}, {"utc": "2024-03-06T00:00:00Z", "NOK": DAY_2}])
    case.edit("case.yaml", "fx", {"NOK": {"file": "fx.csv", "column": "NOK", "source": "made up"}})
    whole = case.problem()
    return whole["price"].values[:, 22:26], whole


def test_two_currencies_with_a_daily_rate(case):
    """Narvik: 220 NOK spot and 80 NOK tax. At 0.10 EUR on the first day that is 30 EUR, at 0.12 on the second 36.
    Frankfurt: 30 EUR spot (32 from one o'clock) and 3 EUR tax. Hours 22, 23 | 0, 1:

        north   30  30 | 36  36
        south   33  33 | 33  35

    30 GPU-hours at 10 GPUs are three hours. The cheapest are 22 and 23 in the north and midnight in the south:
    10·(30 + 30 + 33) = 930. A rate of one day for both would stay in the north (900 or 1080), and NOK taken for EUR
    would go south throughout (990).
    """
    price, _ = landed(case)
    answer = best(problem([one(list(row)) for row in price], [Job(30, 10)]))
    assert answer.cost == pytest.approx(930)
    np.testing.assert_allclose(answer.draws(0), [10, 10, 0, 0], atol=1e-6)
    np.testing.assert_allclose(answer.draws(1), [0, 0, 10, 0], atol=1e-6)


def test_demand_charge_in_the_other_currency(case):
    """The same with a peak charge in the north, in NOK/MW and month. The horizon is 48 of March's 743 hours (clocks go
    forward), so of 3715 NOK it bears 240, at the mean rate of 0.11: 26.40 EUR/MW. In the north two hours save 3 EUR
    each per MW, 6 in all, against 26.40: all work goes south, to hours 22, 23 and midnight: 10·3·33 = 990.
    Of 743 NOK it bears 48, 5.28 EUR/MW: the north stays the cheaper place, by 0.72 per MW: 930 + 10·5.28 = 982.80.
    """
    for month_nok, rate, cost in ((3715, 26.4, 990.0), (743, 5.28, 982.8)):
        peak = {"name": "peak", "kind": "demand", "value": month_nok, "unit": "NOK/MW/month"}
        price, whole = landed(case, peak)
        assert whole["charge_rate"].values.tolist() == [[pytest.approx(rate)]]
        charge = Charge(((1e3, float(whole["charge_rate"].values[0, 0])),), site=int(whole["charge_site"].values[0]))
        answer = best(problem([one(list(row)) for row in price], [Job(30, 10)], [charge]))
        assert answer.cost == pytest.approx(cost)
