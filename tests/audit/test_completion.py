"""A given Schedule completed by the linear program, and its cost evaluated: every array of a small Problem by hand."""

import numpy as np
import pytest

from energy.audit.array_model import array_model
from energy.audit.certificate import certify
from energy.audit.completion import complete
from energy.audit.reconciliation import evaluate_cost
from energy.errors import ImpossibleWork
from energy.schedule.setpoints import setpoints
from energy.schema import UNLIMITED_MW, arrays, validate
from tests.audit.toy import BY_HAND, CUMULATIVE, DEMAND, ENERGY, GPUS, HELD, OBJECTIVE, entries, plan, schedule, toy
from tests.closed_forms.builder import one, problem
from tests.closed_forms.words import Contract, Job


def without_gains():
    """The toy where more power drawn earns nothing: no feeding in at site 0, whose minimum bill is reached."""
    case = toy()
    export = case["export_limit_mw"].values * [[0.0], [1.0]]
    return case.assign(
        export_limit_mw=case["export_limit_mw"].copy(data=export), minimum_eur=("minimum", [0.0, 100, 10])
    )


#: As by hand, but all that may wait does: job 1 does 2 GPU-hours of its 4 left after the horizon (the capacity of its group),
#: job 2 the 1.5 GPU-hours, at speed 1/2, that the capacity of all jobs then has left. The minimum bill of site 0 adds nothing.
COMPLETED = BY_HAND | {"deferred": [0, 2, 0.75], "unserved": [1, 2, 1.25], "top_up": [0, 99.05, 0]}


@pytest.fixture(scope="module")
def found():
    case = without_gains()
    return case, complete(case, schedule(case, HELD))[1]


def test_every_name_of_a_solution_is_there_and_nothing_else(found):
    assert set(found[1].data_vars) == set(arrays.SOLUTION)


@pytest.mark.parametrize("name", COMPLETED)
def test_values_by_hand(found, name):
    np.testing.assert_allclose(found[1][name].values, COMPLETED[name], rtol=1e-12, atol=1e-12)


def test_gpus_by_job_and_group(found):
    for name, held in (("cumulative_gpus", CUMULATIVE), ("group_gpus", GPUS)):
        expected = np.zeros(found[1][name].shape)
        for at, gpus in held.items():
            expected[at] = gpus
        np.testing.assert_array_equal(found[1][name].values, expected)
    assert all((found[1][n] == 0).all() for n in found[1].data_vars if n.startswith(("dual_", "bound_")))


def test_no_row_is_broken_but_no_gap_is_proven(found):
    proof = certify(*found)
    assert proof.max_violation <= 1e-12, proof.worst_row
    assert not proof.passed


def test_its_cost_is_the_sum_of_the_terms(found):
    """Against the plan by hand: no top-up at site 0, 1.75 GPU-hours more at 5 and 6 EUR instead of 1000."""
    waits = 1.0 * (5 - 1000) - 0.25 * (6 - 1000)
    expected = OBJECTIVE - BY_HAND["top_up"][0] + waits
    assert found[1].attrs["objective_eur"] == pytest.approx(expected, rel=1e-12)


def test_no_plan_by_hand_is_cheaper():
    """With a minimum bill that pays for drawing, and feeding in dearer than drawing, there is more to gain."""
    case, by_hand = toy(), plan()
    assert certify(case, by_hand).max_violation <= 1e-12
    model = array_model(case)
    assert float(model.cost @ model.vector(by_hand)) + model.offset == pytest.approx(OBJECTIVE, rel=1e-12)
    given, best = complete(case, schedule(case, HELD))
    assert certify(case, best).max_violation <= 1e-12
    assert best.attrs["objective_eur"] < OBJECTIVE - 100
    assert entries(given) == HELD
    assert given["device"].values.tolist() == ["site0/solar"]


def test_cost_by_hour_site_charge_and_minimum_bill():
    case, x = toy(), plan()
    of = evaluate_cost(case, *(x[n].values for n in ("grid_import", "grid_export", "heat")))
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


def test_the_sun_serves_the_site_unless_drawing_is_paid_for():
    """1 MW beside, 3 MW of sun: none is drawn at 0 or at half a euro; at -0.5 the array stands still."""
    case = problem([one([0.0, 0.5, -0.5], solar=3.0, other=1.0)], [Job(1, 1)])
    x = complete(case, schedule(case, []))[1]
    assert (x["solar_use"].values[0].tolist(), x["grid_import"].values[0].tolist()) == ([1, 1, 0], [0, 0, 1])


def test_heat_that_earns_nothing_is_not_handed_over():
    """Wanted at 0 EUR/MWh: none; at half a euro: all 2 MW of a hall that gives the half of 4 MW."""
    case = problem([one([10.0, 10.0], firm_it=4.0, heat_share=0.5, heat=9.0, heat_price=[0.0, 0.5])], [Job(1, 1)])
    assert complete(case, schedule(case, []))[1]["heat"].values.tolist() == [[0, 2]]


def test_surplus_sun_that_earns_little_is_still_sold():
    """Half a euro per MWh fed in is more than nothing."""
    case = problem([one([10.0, 10.0], solar=3.0, export=9.0, export_price=[0.0, 0.5])], [Job(1, 1)])
    assert complete(case, schedule(case, []))[1]["grid_export"].values.tolist() == [[0, 3]]


def test_an_offer_that_saves_little_is_taken_and_one_that_saves_nothing_is_not():
    """1 MW drawn: half a euro is worth taking, from two offers alike no more than there is."""
    offers = [Contract(0.6, [0.5, 0.0]), Contract(0.6, [0.5, 0.0])]
    case = problem([one([10.0, 10.0], other=1.0)], [Job(1, 1)], contracts=offers)
    taken = complete(case, schedule(case, []))[1]["offtake"].values
    np.testing.assert_allclose(taken.sum(axis=0), [1, 0])
    assert (taken <= 0.6 + 1e-12).all()


def test_setpoints_that_a_schedule_has_are_kept():
    """3 MW of sun for 2 MW of load; held at 0.5 MW in the second hour, off at a negative price without a setpoint."""
    case = problem([one([10.0, 10.0, -10.0], solar=3.0, other=2.0)], [Job(1, 1)])
    limit = np.array([UNLIMITED_MW, 0.5, UNLIMITED_MW])
    given = validate.as_schedule(case, *np.zeros((4, 0)), setpoints={"site0/solar": limit})
    again, x = complete(case, given)
    np.testing.assert_allclose(x["solar_use"].values, [[2, 0.5, 0]])
    np.testing.assert_allclose(x["grid_import"].values, [[0, 1.5, 2]])
    assert setpoints(again)["site0/solar"][:2].tolist() == [UNLIMITED_MW, 0.5]


@pytest.mark.parametrize(
    ("held", "kept"),
    [
        ([(0, 0, 0, 3), (0, 0, 1, 3)], [(0, 0, 0, 1), (0, 0, 1, 3)]),  # 4 GPU-hours of work, the second hour is cheaper
        ([(0, 0, 0, 1), (1, 0, 0, 4)], [(0, 0, 0, 1), (1, 0, 0, 3)]),  # 4 GPUs; job 1 may hold 3 of them
        ([(0, 0, 0, 1), (1, 0, 1, 1)], [(0, 0, 0, 1)]),  # job 1 ends after the first hour
    ],
    ids=["work", "gpus", "window"],
)
def test_gpus_that_the_rows_do_not_allow_are_lowered(held, kept):
    case = problem([one([20.0, 10.0], gpus=4)], [Job(4, 3), Job(4, 3, window=(0, 1))])
    given, x = complete(case, schedule(case, held))
    assert [e[:3] for e in entries(given)] == [e[:3] for e in kept]
    np.testing.assert_allclose([e[3] for e in entries(given)], [e[3] for e in kept], atol=1e-9)
    assert certify(case, x).max_violation <= 1e-9
    work = np.zeros(2)
    for job, _, _, gpus in kept:
        work[job] += gpus
    np.testing.assert_allclose(x["unserved"].values, 4 - work, atol=1e-9)


def test_load_that_no_job_causes_may_be_impossible():
    """2 MW beside the halls on a connection of 1 MW."""
    case = problem([one([10.0], grid=1.0, other=2.0)], [Job(1, 1)])
    with pytest.raises(ImpossibleWork, match="schedule: cannot be completed"):
        complete(case, schedule(case, []))
