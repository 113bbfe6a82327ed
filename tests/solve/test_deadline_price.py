"""A later deadline where nothing else runs: no dual says there what power costs, or that no GPU is free."""

import numpy as np
import pytest

from energy.solve import dual_prices
from tests.closed_forms.builder import best, one, problem
from tests.closed_forms.words import Charge, Contract, Job, Minimum
from tests.few import few
from tests.laws.transforms import changed

#: Two hours in which the job can hold 4 of the 12 it needs; the third, after its deadline, is free and idle.
JOB = Job(12, 4, window=(0, 2), penalty=100.0)
#: Share of the third hour that is opened.
SLIVER = 1e-3


def value(case):
    """Worth of the job's deadline one hour later by the duals."""
    return float(dual_prices(case, best(case).found)["value_deadline"].values[0])


def saving(case, share=SLIVER):
    """What opening a share of the third hour saves, per hour."""
    more = case["open"].values.copy()
    more[0, 2] = share
    return (best(case).cost - best(changed(case, open=more)).cost) / share


@pytest.mark.parametrize(
    ("site", "rest", "gpu_hour"),
    [
        (one([10, 20, 7]), {}, 7.0),
        (one([10, 20, 7], overhead=((1000.0, 0.25),)), {}, 7 * 1.25),
        (one([10, 20, -7], overhead=((1000.0, 0.25),)), {}, -7 * 1.25),
        (one([10, 20, 7]), {"contracts": [Contract([0, 0, 50], [0, 0, 3])]}, 7.0 - 3),
        (one([10, 20, 7], solar=[0, 0, 50]), {}, 0.0),
        (one([10, 20, 7], solar=[0, 0, 50], export=50.0, export_price=2.0), {}, 2.0),
        (one([10, 20, 7]), {"charges": [Charge(((1e3, 60.0),), weight=[0, 0, 1])]}, 7.0 + 60),
        (one([10, 20, 7]), {"charges": [Charge(((1e3, 60.0),), weight=[0, 0, 1], floor=50.0)]}, 7.0),
        (one([10, 20, 7]), {"charges": [Charge(((1e3, 60.0),))]}, 7.0),  # 4 MW are billed already
        (one([10, 20, 7]), {"minimums": [Minimum(900.0, 5.0)]}, 7.0 - 5),
        (one([10, 20, 7]),
         {"minimums": [Minimum(900.0, 5.0)], "charges": [Charge(((1e3, 60.0),), weight=[0, 0, 1])]}, 7.0 - 5),
    ],
    ids=["spot", "overhead", "negative", "contract", "curtailed", "feed-in lost", "fresh peak", "peak paid", "old peak",
         "minimum bill", "minimum bill pays the peak"],
)  # fmt: skip
def test_an_idle_site_has_a_power_price(site, rest, gpu_hour):
    """A GPU-hour finishes work worth the penalty of 100, at what its power costs in an hour in which nothing is drawn."""
    case = problem([site], [JOB], **rest)
    assert value(case) == pytest.approx(4 * (100 - gpu_hour), abs=1e-6)
    assert saving(case) == pytest.approx(4 * (100 - gpu_hour), rel=1e-6)
    assert saving(case, 1.0) == pytest.approx(4 * (100 - gpu_hour), rel=1e-6)


@pytest.mark.parametrize(("gpus", "firm"), [([4, 4, 0], 0.0), ([9, 9, 3], [0, 0, 3])], ids=["none there", "all firm"])
def test_no_deadline_is_worth_anything_where_no_gpu_is_free(gpus, firm):
    case = problem([one([10, 20, 7], gpus=gpus, firm=firm, other=1.0)], [JOB])
    assert value(case) == saving(case) == 0.0


def test_the_pool_with_free_gpus_sets_the_worth():
    """Cheap site 0 has no GPU in the third hour; site 1 at 30 has, and sells none to a group that may not run there."""
    sites = [one([10, 20, 7], gpus=[4, 4, 0], other=1.0), one([90, 90, 30])]
    case = problem(sites, [JOB])
    assert value(case) == pytest.approx(4 * 70)
    assert saving(case) == pytest.approx(4 * 70)
    here = problem(sites, [Job(12, 4, window=(0, 2), penalty=100.0, speeds={0: 1.0})])
    assert value(here) == saving(here) == 0.0


def test_a_pool_full_of_others_work_is_priced_by_it():
    """In the third hour 3 GPUs run work of penalty 60 that has no other hour: each hour of it taken costs 60 less 7."""
    case = problem([one([10, 20, 7], gpus=[4, 4, 3], other=1.0)], [JOB, Job(5, 9, window=(2, 3), penalty=60.0)])
    assert value(case) == pytest.approx(4 * (100 - 60))
    assert saving(case) == pytest.approx(4 * (100 - 60))


@pytest.mark.parametrize("seed", few(range(12), 5))
def test_the_worth_is_never_less_than_the_saving(seed):
    """Random prices, overhead, sun, charges, contracts: an idle hour behind the deadline, opened in part and whole."""
    rng = np.random.default_rng(seed)
    price, sun, rate = rng.uniform(-20, 90, 3), float(rng.choice([0, 1, 3])), 5.0
    saving_eur = float(rng.uniform(0, max(price[2], 0)))
    sold_at = np.minimum(price - saving_eur - rate, 15.0)  # below what a MWh costs: nothing is bought to be sold
    site = one(list(price), gpus=[9, 9, int(rng.integers(1, 9))], overhead=((2.0, 0.1), (50.0, 0.4)),
               solar=[0, 0, sun], export=[0, 0, sun], export_price=list(sold_at))  # fmt: skip
    rest = {
        "charges": [Charge(((2.0, 10.0), (50.0, 40.0)), weight=[0, 0, 1], floor=float(rng.choice([0, 3])))],
        "contracts": [Contract([0, 0, 2], [0, 0, saving_eur])],
        "minimums": [Minimum(float(rng.choice([0, 600])), rate)],
    }
    case = problem([site], [JOB], **rest)
    worth = value(case)
    for share in (SLIVER, 1.0):
        assert saving(case, share) <= worth * (1 + 1e-6) + 1e-6
    assert saving(case) == pytest.approx(worth, rel=1e-6)
