"""The numerical guard: ranges with names, refusal with the culprit, and wide spreads that solve exactly."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.instances import Size, random_problem
from energy.audit.certificate import certify
from energy.program import build
from energy.solve import SolverError, compile_model, ranges, solve
from energy.solve.highs import LEAST_DECADES, TOLERANCE, check_scale
from tests.closed_forms.builder import best, one, problem
from tests.closed_forms.words import Charge, Job
from tests.laws.cases import optimum
from tests.laws.transforms import changed
from tests.program.test_program import solved


def by_kind(case):
    model = build(case)
    return {r.kind: r for r in ranges(compile_model(model))}


def test_ranges_name_the_smallest_and_the_largest():
    """Price 0.002 against a demand charge of 5000; a GPU limit of 4 against a connection of 1000."""
    found = by_kind(problem([one([0.002, 30])], [Job(6, 4, penalty=77)], [Charge(((1e3, 5000.0),))]))
    cost = found["cost"]
    assert (cost.smallest_name, cost.smallest) == ("grid_import[0,0]", 0.002)
    assert (cost.largest_name, cost.largest) == ("peak[0]", 5000.0)
    assert cost.decades == pytest.approx(np.log10(2.5e6))
    assert (found["bounds"].smallest, found["bounds"].largest) == (4, 1000)
    assert found["bounds"].smallest_name.startswith("cumulative_gpus[0,0,")
    assert (found["right-hand sides"].smallest, found["right-hand sides"].largest) == (6, 100)
    assert found["matrix"].smallest == found["matrix"].largest == 1
    assert cost.words() == "cost: 0.002 (grid_import[0,0]) to 5e+03 (peak[0]), 6.4 decades"


def test_matrix_names_row_and_column():
    found = by_kind(problem([one([10, 30], busy=0.002, overhead=((1000.0, 0.25),))], [Job(6, 4)]))
    assert found["matrix"].smallest == pytest.approx(0.002)
    assert found["matrix"].smallest_name.startswith("it_power[0,")
    assert "group_gpus[0,0," in found["matrix"].smallest_name


def test_nothing_has_no_range():
    found = by_kind(problem([one([0.0])], [Job(6, 4, penalty=0.0)]))
    assert found["cost"].words() == "cost: 0 (none) to 0 (none), 0.0 decades"


@pytest.mark.parametrize("largest", [1.01e-3, 1e3])
def test_costs_above_the_guard_pass(largest):
    assert check_scale(np.array([0.0, -largest, 1e-9]), ["a", "b", "c"]) == largest


@pytest.mark.parametrize("largest", [0.99e-3, 1e-6])
def test_costs_below_it_are_refused_by_name(largest):
    assert pytest.approx(1e-3) == TOLERANCE * 10**LEAST_DECADES
    with pytest.raises(SolverError, match=r"^objective: b = .* is the largest coefficient"):
        check_scale(np.array([0.0, -largest, 1e-9]), ["a", "b", "c"])


def test_no_cost_at_all_is_no_trouble():
    assert check_scale(np.zeros(3)) == 0.0


def test_spread_of_1e9_from_prices_near_zero_is_exact():
    """Prices of a millionth beside a thousand: 10 GPU-hours at 4 GPUs take the hours at 1e-6, 3e-6 and half of 1000.
    4·1e-6 + 4·3e-6 + 2·1000 = 2000.000016, and the order of the two cheap hours is right although it is worth 1e-5."""
    case = problem([one([1000, 1e-6, 3e-6, 1001])], [Job(10, 4)])
    answer = best(case)
    assert answer.cost == pytest.approx(2000.000016, rel=1e-12)
    np.testing.assert_allclose(answer.draws(), [2, 4, 4, 0], atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_random_problems_with_a_spread_of_1e9_are_proven_and_scale(seed):
    """A third of the prices divided by 1e7: proven, and the optimum is that of the same problem with money x 1000."""
    case = random_problem(Size(speeds=2, negative_share=0.1), seed)
    tiny = np.random.default_rng(seed).random(case["price"].shape) < 0.33
    price = np.where(tiny, case["price"].values * 1e-7, case["price"].values)
    wide = changed(case, price=price)
    assert by_kind(wide)["cost"].decades > 8.5
    assert certify(wide, solved(wide)[0]).passed
    money = {k: wide[k].values * 1000 for k in ("price", "charge_rate", "penalty", "cap_penalty")}
    assert optimum(wide).same(optimum(changed(wide, **money)), factor=1000)


def test_money_in_gigaeuros_would_be_wrong_and_is_refused():
    """Why the guard is there: HiGHS says Optimal at 1e-9 and is off; asked past the guard, the optimum shows it."""
    case = random_problem(Size(jobs=60, sites=4, periods=96, groups=5), 1)
    form = compile_model(build(case))
    right = solve(form)
    with pytest.raises(SolverError, match="too close to the solver's tolerance"):
        solve(replace(form, cost=form.cost * 1e-9))
    past_the_guard = _past_the_guard(replace(form, cost=form.cost * 1e-9))
    assert past_the_guard.status == "Optimal"
    assert float(form.cost @ past_the_guard.values) + form.offset > right.objective * 1.001


def _past_the_guard(form):
    from energy.solve import highs

    kept = highs.check_scale
    highs.check_scale = lambda cost, names=None: 0.0
    try:
        return solve(form)
    finally:
        highs.check_scale = kept
