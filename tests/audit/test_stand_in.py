"""The Solution that a Schedule stands for and what it costs, every array of a small Problem worked out by hand."""

import numpy as np
import pytest

from energy.audit.certificate import certify
from energy.audit.completion import cost, stand_in, terms
from energy.schema import arrays
from tests.audit.toy import HELD, schedule, toy
from tests.closed_forms.builder import one, problem
from tests.closed_forms.words import Contract, Job

#: Hall A: 7.3 MW when idle (0.5 + 1 + 9·0.2 + 16·0.25), then 4·0.8 + 4·0.75 and 3·0.8 more.
#: Facility of site 0: 1 beside, 0.4 in any case, hall A with 2·0.1 + 4.2·0.3 (0.4·0.3), hall B with 1·0.2.
#: Its sun: 5 MW, none while drawing is paid for, then all that the site needs. Site 1: 0.5 beside, 2 MW with 0.5 + 0.9.
BY_HAND = {
    "it": [[13.5, 9.7, 7.3], [1, 0, 0], [0, 2, 0]],
    "over": [[[2, 4.2], [2, 0.4], [0, 0]], [[1, 0], [0, 0], [0, 0]], [[0, 0], [1, 1], [0, 0]]],
    "facility": [[17.56, 11.42, 8.7], [0.5, 3.9, 0.5]],
    "solar_use": [[5, 0, 8.7], [3.5, 2, 1.5]],
    "grid_import": [[12.56, 11.42, 0], [0, 1.9, 0]],
    "grid_export": [[0, 0, 0], [3, 0, 1]],
    "heat": [[7, 0, 3], [0, 0, 0]],  # 0.5·13.5 + 0.25·1; nothing where it costs money; the buyer's limit
    "peak": [11.42, 30],  # half of 12.56, or 11.42; the floor
    "band": [[3, 8.42], [0, 0]],  # one band alone has no variable
    "taken": [[9.56, 2, 0], [3, 0, 0], [0, 1.9, 0]],  # the dearest first, what is left from the next
    "top_up": [3000 - 47.96 - 1984, 100 - 0.95, 0],  # the charge of site 1 is of another month
    "over_cap": [0.705, 1.19, 0, 0.7],  # less a credit of 0.1; the fleet; none; from the second period on
    "short": [1, 3, 1],
    "later": [0, 1, 1],  # job 2 is due first and takes 2 of 2.5 GPU-hours at speed 1/2; job 1 the rest at speed 2
}
ENERGY = [[62.8, -28.55, 0], [0, 28.5, 0]]
DEMAND = [300 + 8.42 * 200, 1500]
#: In hours that may be paid for the chord replaces the segments: marginal prices 10 - 9 - 8 and -5 - 3 - 8.
HULL = 0.5 * (-7 * (0.22 * 6.2 - 1.46) - 16 * (0.22 * 2.4 - 0.32))


@pytest.fixture(scope="module")
def found():
    problem = toy()
    return problem, stand_in(problem, schedule(problem, HELD))


def test_every_name_of_a_solution_is_there_and_nothing_else(found):
    assert set(found[1].data_vars) == set(arrays.SOLUTION)


@pytest.mark.parametrize("name", BY_HAND)
def test_values_by_hand(found, name):
    np.testing.assert_allclose(found[1][name].values, BY_HAND[name], rtol=1e-12, atol=1e-12)


def test_gpus_by_job_and_group(found):
    """Speed classes are ordered fastest first: 4 GPUs of pool 1 run job 0 at speed 1/2."""
    run, gpus = np.zeros((3, 2, 3)), np.zeros((3, 4, 3))
    run[0, 0], run[0, 1, 0], run[1, 0, 0], run[1, 1, 1] = [4, 3, 0], 4, 1, 2
    gpus[0, 0], gpus[0, 1, 0], gpus[1, 2, 0], gpus[1, 3, 1] = [4, 3, 0], 4, 1, 2
    np.testing.assert_array_equal(found[1]["run"].values, run)
    np.testing.assert_array_equal(found[1]["gpus"].values, gpus)
    assert all((found[1][n] == 0).all() for n in found[1].data_vars if n.startswith(("dual_", "bound_")))


def test_no_row_is_broken_but_no_gap_is_proven(found):
    proof = certify(*found)
    assert proof.max_violation <= 1e-12, proof.worst_row
    assert not proof.passed


def test_its_cost_is_the_sum_of_the_terms(found):
    """Energy, contracts, feed-in, heat, demand, top-up, fixed; 1000 EUR for each of 5 GPU-hours; caps; work left."""
    contracts = -0.5 * (9 * 3 + 8 * 9.56 + 3 * 2 + 6 * 1.9)
    expected = (62.8 - 28.55 + 28.5 + contracts - 0.5 * 4 * 4 - 0.5 * 2 * 10 + sum(DEMAND) + sum(BY_HAND["top_up"]) + 7
                + 5000 + 5 + 6 + 40 * 0.705 + 50 * 1.19 + 70 * 0.7 + HULL)  # fmt: skip
    assert found[1].attrs["objective_eur"] == pytest.approx(expected, rel=1e-12)


def test_cost_by_hour_site_charge_and_minimum_bill(found):
    problem, x = found
    of = cost(problem, *(x[n].values for n in ("grid_import", "grid_export", "heat")))
    expected = {
        "energy": ENERGY,
        "contracts": [[-0.5 * (27 + 8 * 9.56), -3, 0], [0, -5.7, 0]],
        "feed_in": [[0, 0, 0], [-6, 0, -2]],
        "clipped": [[0, 0, 0], [-1.05, 0, -0.35]],
        "counted": [[[25.12, 22.84, 0], [0] * 3], [[0] * 3, [0, 0.95, 0]], [[25.12, 22.84, 0], [0] * 3]],
        "demand": DEMAND,
        "top_up": BY_HAND["top_up"],
        "heat_sales": -10,
        "fixed": 7,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(of, name), value, rtol=1e-12, atol=1e-12, err_msg=name)


def test_terms_are_named_and_summed(found):
    problem, x = found
    assert terms(problem, *(x[n].values for n in ("grid_import", "grid_export", "heat"))) == pytest.approx(
        {"energy": 62.75, "demand": sum(DEMAND), "contracts": -0.5 * (27 + 76.48) - 8.7, "feed_in": -8.0,
         "heat_sales": -10.0, "top_up": sum(BY_HAND["top_up"]), "fixed": 7.0}
    )  # fmt: skip


def test_the_sun_serves_the_site_unless_drawing_is_paid_for():
    """1 MW beside, 3 MW of sun: none is drawn at 0 or at half a euro; at -0.5 the array stands still."""
    case = problem([one([0.0, 0.5, -0.5], solar=3.0, other=1.0)], [Job(1, 1)])
    x = stand_in(case, schedule(case, []))
    assert (x["solar_use"].values[0].tolist(), x["grid_import"].values[0].tolist()) == ([1, 1, 0], [0, 0, 1])


def test_heat_that_earns_nothing_is_not_handed_over():
    """Wanted at 0 EUR/MWh: none; at half a euro: all 2 MW of a hall that gives the half of 4 MW."""
    case = problem([one([10.0, 10.0], firm_it=4.0, heat_share=0.5, heat=9.0, heat_price=[0.0, 0.5])], [Job(1, 1)])
    assert stand_in(case, schedule(case, []))["heat"].values.tolist() == [[0, 2]]


def test_surplus_sun_that_earns_little_is_still_sold():
    """Half a euro per MWh fed in is more than nothing."""
    case = problem([one([10.0, 10.0], solar=3.0, export=9.0, export_price=[0.0, 0.5])], [Job(1, 1)])
    assert stand_in(case, schedule(case, []))["grid_export"].values.tolist() == [[0, 3]]


def test_an_offer_that_saves_little_is_taken_and_one_that_saves_nothing_is_not():
    """1 MW drawn: half a euro is worth taking; of two offers alike the first."""
    offers = [Contract(0.6, [0.5, 0.0]), Contract(0.6, [0.5, 0.0])]
    case = problem([one([10.0, 10.0], other=1.0)], [Job(1, 1)], contracts=offers)
    np.testing.assert_allclose(stand_in(case, schedule(case, []))["taken"].values, [[0.6, 0], [0.4, 0]])
