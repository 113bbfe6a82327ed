"""Optima of demand charges, contracts and minimum bills, derived by hand. One GPU draws 1 MW."""

import numpy as np
import pytest

from tests.closed_forms.builder import best, one, problem
from tests.closed_forms.words import Charge, Contract, Job, Minimum


def test_peak_shaving_level():
    """12 GPU-hours over prices 10 11 12; a charge of 50 per MW outweighs any spread: level 4. 4·33 + 50·4 = 332."""
    answer = best(problem([one([10, 11, 12])], [Job(12, 12)], [Charge(((1e3, 50.0),))]))
    assert answer.cost == pytest.approx(332)
    np.testing.assert_allclose(answer.draws(), [4, 4, 4])


def test_peak_shaving_stops_where_the_spread_is_larger():
    """Level over k hours costs k more hours' prices against 1/k of peak. Prices 10 20 100, charge 15, 12 GPU-hours:
    one hour 120 + 180 = 300; two hours 6·30 + 15·6 = 270; three hours 4·130 + 60 = 580. Two."""
    assert best(problem([one([10, 20, 100])], [Job(12, 12)], [Charge(((1e3, 15.0),))])).cost == pytest.approx(270)


def test_peak_that_is_already_set_is_used():
    """8 MW have been drawn this month: up to 8 is free in hour 0. Charge 50, prices 10 and 40, 12 GPU-hours:
    8·10 + 4·40 + 50·8 = 640."""
    answer = best(problem([one([10, 40])], [Job(12, 12)], [Charge(((1e3, 50.0),), floor=8.0)]))
    assert answer.cost == pytest.approx(640)
    np.testing.assert_allclose(answer.draws(), [8, 4])


def test_ratchet_charges_a_share_of_another_month():
    """80 % of hour 0 sets the billed peak as well as hour 1 does. Prices 10 and 12, 9 GPU-hours, charge 100:
    0.8 a = 9 - a: a = 5, peak 4: 50 + 48 + 400 = 498."""
    answer = best(problem([one([10, 12])], [Job(9, 9)], [Charge(((1e3, 100.0),), weight=[0.8, 1.0])]))
    assert answer.cost == pytest.approx(498)


def test_only_declared_hours_count():
    """The charge counts hour 0 alone: all work goes to hour 1 although it is dearer by less than the charge.
    6·15 = 90 against 6·10 + 50·6."""
    answer = best(problem([one([10, 15])], [Job(6, 6)], [Charge(((1e3, 50.0),), weight=[1.0, 0.0])]))
    assert answer.cost == pytest.approx(90)
    assert float(answer.found["peak"][0]) == pytest.approx(0, abs=1e-7)


def test_bands_fill_in_their_order():
    """First 5 MW at 2, above at 30. Prices 10 and 20, 14 GPU-hours. Peak p >= 7; in the dear band a MW costs 30, moving
    one from hour 0 to hour 1 costs 10: level 7. 7·10 + 7·20 + 5·2 + 2·30 = 280."""
    answer = best(problem([one([10, 20])], [Job(14, 14)], [Charge(((5.0, 2.0), (1e3, 30.0)))]))
    assert answer.cost == pytest.approx(280)
    np.testing.assert_allclose(answer.found["band"].values[0], [5, 2])


def test_cheap_band_is_worth_filling():
    """First 5 MW at 2, above at 30; prices 10 and 20, 8 GPU-hours: 5 in hour 0 (10 + 2 beat 20), 3 in hour 1:
    50 + 60 + 10 = 120."""
    answer = best(problem([one([10, 20])], [Job(8, 8)], [Charge(((5.0, 2.0), (1e3, 30.0)))]))
    assert answer.cost == pytest.approx(120)
    np.testing.assert_allclose(answer.draws(), [5, 3], atol=1e-6)


def test_each_site_and_month_has_its_own_peak():
    """Charges of 20 at both sites in hour 0's month and none for hour 1 of site 1: the work goes there.
    5 GPU-hours: site 1, hour 1 at 12: 60. Elsewhere 5·10 + 5·20."""
    charges = [Charge(((1e3, 20.0),)), Charge(((1e3, 20.0),), site=1, weight=[1.0, 0.0])]
    assert best(problem([one([10, 10]), one([10, 12])], [Job(5, 5)], charges)).cost == pytest.approx(60)


def test_contract_volume_first():
    """4 MW save 15 against 40 in hour 0 (25 net); hour 1 costs 30. 10 GPU-hours: 4 at 25, 6 at 30 = 280."""
    answer = best(problem([one([40, 30])], [Job(10, 10)], contracts=[Contract(4.0, [15.0, 0.0])]))
    assert answer.cost == pytest.approx(280)
    assert float(answer.found["offtake"][0, 0]) == pytest.approx(4)


def test_contract_saves_only_what_is_drawn():
    """10 MW offered at a saving of 5 in both hours, 3 drawn: 3·(20 - 5) = 45; two contracts share what is drawn."""
    both = [Contract(10.0, 5.0), Contract(1.0, 8.0)]
    assert best(problem([one([20, 30])], [Job(3, 3)], contracts=both[:1])).cost == pytest.approx(45)
    assert best(problem([one([20, 30])], [Job(3, 3)], contracts=both)).cost == pytest.approx(20 * 3 - 8 - 2 * 5)


def test_minimum_bill_makes_energy_charges_free():
    """Energy charge 10 of a price of 30 counts towards a minimum of 100: 5 MWh give 50, so 50 are topped up:
    5·30 + 50 = 200. With a minimum of 20 nothing is topped up: 150."""
    for eur, cost in ((100.0, 200.0), (20.0, 150.0)):
        answer = best(problem([one([30])], [Job(5, 5)], minimums=[Minimum(eur, 10.0)]))
        assert answer.cost == pytest.approx(cost)


def test_minimum_bill_counts_demand_of_its_month():
    """Minimum 100, energy counts 2, peak 3 per MW: 10 MWh and 10 MW give 20 + 30 of it: 50 topped up.
    10·30 + 30 + 50 = 380. A charge of another month does not count: 80 topped up."""
    mine, other = Charge(((1e3, 3.0),)), Charge(((1e3, 3.0),), month=1)
    assert best(problem([one([30])], [Job(10, 10)], [mine], minimums=[Minimum(100.0, 2.0)])).cost == pytest.approx(380)
    assert best(problem([one([30])], [Job(10, 10)], [other], minimums=[Minimum(100.0, 2.0)])).cost == pytest.approx(410)


def test_minimum_bill_moves_work():
    """Below its minimum a site's energy charge costs nothing more. Site 0: price 30 of which 15 count, minimum 300;
    site 1: 20. 10 MWh at site 0 cost 150 + 300, at site 1 200 + 300 topped up: site 0 by 50."""
    answer = best(problem([one([30]), one([20])], [Job(10, 10)], minimums=[Minimum(300.0, 15.0)]))
    assert answer.cost == pytest.approx(450)
    np.testing.assert_allclose(answer.draws(0), [10])


def test_fixed_costs_are_paid_whatever_the_plan():
    """10·5 + 77."""
    assert best(problem([one([10], fixed=77.0)], [Job(5, 5)])).cost == pytest.approx(127)


KINK = ((5.0, 0.0), (5.0, 0.6))  # overhead: none up to 5 MW, 60 % on the next 5; 30 % as one chord


def test_minimum_bill_does_not_pay_for_burned_power():
    """Spot -20 and an energy charge of 25 make a price of 5, but below a minimum of 500 the charge is paid already and
    drawing earns 20. 4 MW: 500 - 20·4·1.3 = 396 on the chord; segments filled backwards would claim 500 - 20·6.4."""
    answer = best(problem([one([5], gpus=4, overhead=KINK)], [Job(4, 4)], minimums=[Minimum(500.0, 25.0)]))
    assert answer.cost == pytest.approx(396)


def test_minimum_bill_at_full_load_is_exact():
    """At the ends of the load range the chord is the curve: 10 MW draw 13: 500 - 20·13 = 240."""
    answer = best(problem([one([5], gpus=10, overhead=KINK)], [Job(10, 10)], minimums=[Minimum(500.0, 25.0)]))
    assert answer.cost == pytest.approx(240)


def test_minimum_bill_pays_for_real_work_at_negative_spot():
    """Hours at spot -20 and 0, charge 25, minimum 500: all 8 GPU-hours go where drawing earns 20, as far as 5 GPUs
    reach: 500 - 20·5 = 400; the other 3 cost nothing more."""
    answer = best(problem([one([5, 25])], [Job(8, 5)], minimums=[Minimum(500.0, 25.0)]))
    assert answer.cost == pytest.approx(400)
    np.testing.assert_allclose(answer.draws(), [5, 3], atol=1e-6)


def test_contract_that_saves_more_than_the_price_does_not_pay_for_burned_power():
    """A MWh costs 10, taking it from the contract saves 14: 4 earned per MWh. 4 MW on the chord: -4·5.2 = -20.8;
    burned: -4·6.4. Without overhead 4 MW earn 16."""
    case = problem([one([10], gpus=4, overhead=KINK)], [Job(4, 4)], contracts=[Contract(100.0, 14.0)])
    assert best(case).cost == pytest.approx(-20.8)
    assert best(problem([one([10])], [Job(4, 4)], contracts=[Contract(100.0, 14.0)])).cost == pytest.approx(-16)


def test_sun_stands_still_while_a_minimum_bill_pays_for_drawing():
    """Spot -20, charge 25, minimum 500, 3 MW of sun: 4 MW drawn earn 80: 500 - 80 = 420. A minimum of 20 is passed by
    the first MW drawn: the sun then saves 5 per MWh, and 1 MW at 5 is all that is paid."""
    for eur, cost in ((500.0, 420), (20.0, 5)):
        site = one([5.0], solar=3.0)
        assert best(problem([site], [Job(4, 4)], minimums=[Minimum(eur, 25.0)])).cost == pytest.approx(cost)
