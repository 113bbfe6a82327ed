"""Optima of cooling, PUE caps, sun and negative hours, derived by hand. One GPU draws 1 MW."""

import numpy as np
import pytest

from tests.closed_forms.builder import best, one, problem
from tests.closed_forms.words import Cap, Hall, Job, Pool, Site


def test_convex_cooling_levels_load_between_sites():
    """Overhead 10 % up to 4 MW, 60 % above; equal prices of 10. 8 MW are cheapest as 4 + 4: 8·1.1·10 = 88.
    All at one site would cost (4·1.1 + 4·1.6)·10 = 108."""
    curve = ((4.0, 0.1), (100.0, 0.6))
    answer = best(problem([one([10], overhead=curve), one([10], overhead=curve)], [Job(8, 8)]))
    assert answer.cost == pytest.approx(88)


def test_convex_cooling_against_the_price():
    """Hours at 10 and 14, overhead 0 up to 4 MW, then 50 %: the next MW costs 15 in hour 0 and 14 in hour 1:
    4 MW in each: 40 + 56 = 96."""
    answer = best(problem([one([10, 14], overhead=((4.0, 0.0), (100.0, 0.5)))], [Job(8, 8)]))
    assert answer.cost == pytest.approx(96)
    np.testing.assert_allclose(answer.draws(), [4, 4], atol=1e-6)


def test_two_pools_share_a_hall():
    """The plant sees the hall: pools of 5 and 5 MW with overhead 0 up to 5 MW, 40 % above. 10 MW in one hour at 10:
    (10 + 0.4·5)·10 = 120, however it is split."""
    halls = (Hall((Pool(5.0), Pool(5.0)), overhead=((5.0, 0.0), (5.0, 0.4))),)
    assert best(problem([Site([10.0], halls)], [Job(10, 10)])).cost == pytest.approx(120)


def test_two_halls_level_their_load():
    """The same pools in a hall each stay below their kinks: 10·10 = 100."""
    hall = Hall((Pool(5.0),), overhead=((5.0, 0.0), (5.0, 0.4)))
    assert best(problem([Site([10.0], (hall, hall))], [Job(10, 10)])).cost == pytest.approx(100)


def test_pue_cap_sends_work_to_the_dearer_site():
    """10 MW in one hour; site 0 costs 10 but has PUE 1.4, site 1 costs 30 with PUE 1.1. Fleet cap 1.2:
    1.4 x + 1.1 (10 - x) <= 1.2·10, so x <= 10/3. 1.4·10/3·10 + 1.1·20/3·30 = 140/3 + 220 = 266.67."""
    sites = [one([10], overhead=((100.0, 0.4),)), one([30], overhead=((100.0, 0.1),))]
    answer = best(problem(sites, [Job(10, 10)], caps=[Cap(1.2, site=-1)]))
    assert answer.cost == pytest.approx(140 / 3 + 220)
    assert float(answer.found["it"][0, 0]) == pytest.approx(10 / 3)


def test_cap_of_a_site_over_a_window_is_energy_weighted():
    """PUE 1.0 up to 5 MW and 1.5 on what is above; cap 1.1 over both hours at 10 and 50. Load 10 - a in hour 1.
    Overhead in hour 0: (a - 5)/2 <= 0.1·10: a = 7. Cost (7 + 1)·10 + 3·50 = 230; hour by hour it would be 6.25."""
    answer = best(problem([one([10, 50], overhead=((5.0, 0.0), (100.0, 0.5)))], [Job(10, 10)], caps=[Cap(1.1)]))
    assert answer.cost == pytest.approx(230)


def test_cap_of_a_single_hour():
    """The same, but hour 0 alone is capped: (a - 5)/2 <= 0.1 a: a = 6.25. (6.25 + 0.625)·10 + 3.75·50 = 256.25."""
    case = problem([one([10, 50], overhead=((5.0, 0.0), (100.0, 0.5)))], [Job(10, 10)], caps=[Cap(1.1, stop=1)])
    assert best(case).cost == pytest.approx(256.25)


def test_credit_of_the_year_so_far():
    """The same again with 0.5 MWh of credit and both hours: (a - 5)/2 <= 1 + 0.5: a = 8: (8 + 1.5)·10 + 2·50 = 195."""
    curve = ((5.0, 0.0), (100.0, 0.5))
    assert best(
        problem([one([10, 50], overhead=curve)], [Job(10, 10)], caps=[Cap(1.1, credit=0.5)])
    ).cost == pytest.approx(195)


def test_cap_that_cannot_be_met_is_breached_at_its_price():
    """PUE 1.4 against a cap of 1.2: 10 MWh of IT exceed by 2 MWh at 40: 14·10 + 80 = 220; the work itself is worth
    more (1000 each)."""
    answer = best(problem([one([10], overhead=((100.0, 0.4),))], [Job(10, 10)], caps=[Cap(1.2, penalty=40)]))
    assert answer.cost == pytest.approx(220)
    assert float(answer.found["cap_breach"][0]) == pytest.approx(2)


def test_negative_hour_uses_the_chord():
    """Price -20, overhead 0 up to 5 MW, 60 % on the next 5: over the range 0 … 10 the chord is 30 %. At 4 MW the
    hour earns 20·4·1.3 = 104 in the program's hull; segments filled backwards would claim 20·4·1.6 = 128."""
    answer = best(problem([one([-20], gpus=4, overhead=((5.0, 0.0), (5.0, 0.6)))], [Job(4, 4)]))
    assert answer.cost == pytest.approx(-104)


def test_negative_hour_draws_work():
    """Hours at 5 and -10, no overhead; 10 GPU-hours, 8 GPUs: 8 earn 80, 2 cost 10."""
    assert best(problem([one([5, -10])], [Job(10, 8)])).cost == pytest.approx(-70)


def test_sun_is_free_and_what_is_left_is_sold():
    """Sun of 6 MW in hour 0 at price 40, feed-in 10 up to 3 MW. Job 5 GPU-hours, 5 GPUs; hour 1 costs 8.
    In hour 0 a MWh used is 10 not earned for the first 3 sold ... Selling 3 leaves 3 of sun for the job; the other
    2 cost 8 in hour 1 or 10 (not sold) in hour 0: 2·8 - 3·10 = -14."""
    case = problem([one([40, 8], solar=[6.0, 0.0], export=3.0, export_price=[10.0, 0.0])], [Job(5, 5)])
    answer = best(case)
    assert answer.cost == pytest.approx(2 * 8 - 3 * 10)
    np.testing.assert_allclose(answer.draws(), [0, 2], atol=1e-6)


def test_sun_that_nobody_buys_is_curtailed():
    """No feed-in: 6 MW of sun, 5 used, nothing paid."""
    answer = best(problem([one([40, 8], solar=[6.0, 0.0])], [Job(5, 5)]))
    assert answer.cost == pytest.approx(0)
    assert float(answer.found["solar_use"][0, 0]) == pytest.approx(5)


def test_heat_is_sold_as_far_as_it_is_there_and_wanted():
    """60 % of 5 MW of IT is heat, 4 wanted: 3 sold at 6. 5·20 - 3·6 = 82. With 2 wanted: 100 - 12 = 88."""
    for wanted, cost in ((4.0, 82), (2.0, 88)):
        case = problem([one([20], heat_share=0.6, heat=wanted, heat_price=6.0)], [Job(5, 5)])
        assert best(case).cost == pytest.approx(cost)


def test_buyer_of_heat_moves_work():
    """Hours at 20 and 17; heat is worth 0.5·8 = 4 per MW in hour 0 and nothing in hour 1: 16 net beats 17.
    6 GPU-hours in hour 0: 120 - 24 = 96."""
    answer = best(problem([one([20, 17], heat_share=0.5, heat=[9.0, 0.0], heat_price=8.0)], [Job(6, 6)]))
    assert answer.cost == pytest.approx(96)
    np.testing.assert_allclose(answer.draws(), [6, 0], atol=1e-6)


def test_heat_that_costs_more_than_it_earns_is_not_sold():
    """The buyer's price less a heat pump's power is -3: nothing is handed over."""
    answer = best(problem([one([20], heat_share=0.5, heat=9.0, heat_price=-3.0)], [Job(5, 5)]))
    assert answer.cost == pytest.approx(100)
    assert float(answer.found["heat"][0, 0]) == pytest.approx(0, abs=1e-9)
