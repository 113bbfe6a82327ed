"""Monotone laws: more room never costs more, higher prices never cost less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.instances import Size
from tests.laws.cases import BOUNDED, Case, cases, optimum
from tests.laws.transforms import changed


def times(name, factor):
    return lambda p, rng: changed(p, **{name: p[name].values * factor})


def plus(name, most):
    return lambda p, rng: changed(p, **{name: p[name].values + most * rng.random(p[name].shape)})


def later_deadline(p, rng):
    """One more period at the end of every window."""
    share = p["open"].values
    after = (np.roll(share, 1, axis=1) > 0) & (share == 0)
    after[:, 0] = False
    return changed(p, open=np.where(after, 1.0, share))


def more_sites(p, rng):
    """Every group may use every pool; new ones in a class that it has."""
    known = p["speed"].values > 0
    first = np.argmax(known, axis=1)
    return changed(p, pool_class=np.where(p["pool_class"].values < 0, first[:, None], p["pool_class"].values))


ROOM = {
    "GPUs": plus("available", 20.0), "hall": plus("hall_mw", 0.05), "grid": plus("grid_limit_mw", 0.05),
    "GPUs of a job": plus("max_gpus", 8.0), "open share": lambda p, rng: changed(p, open=np.ceil(p["open"].values)),
    "later deadline": later_deadline, "more sites": more_sites, "cap limit": plus("cap_limit", 0.05),
    "cap credit": plus("cap_credit", 0.05), "sun": times("solar_mw", 1.5),
    "feed-in limit": times("export_limit_mw", 2.0),
    "contract volume": times("contract_mw", 1.5), "contract saving": times("contract_saving", 1.2),
    "heat limit": times("heat_limit_mw", 1.5),
    "heat share": lambda p, rng: changed(p, heat_share=np.minimum(p["heat_share"].values * 1.3, 1.0)),
    "room after the horizon": plus("post_horizon_capacity", 20.0), "work that may wait": times("deferred_max", 1.3),
    "heat price": plus("heat_price", 5.0), "bands": times("charge_band_mw", 1.3),
}  # fmt: skip
PRICE = {
    "price": lambda p, rng: changed(p, price=p["price"].values + 20 * rng.random(p["price"].shape)),
    "demand charge": times("charge_rate", 1.5), "peak already set": plus("charge_floor", 0.1),
    "hours that count": lambda p, rng: changed(p, charge_weight=np.minimum(p["charge_weight"].values * 1.3, 1.0)),
    "minimum bill": plus("minimum_eur", 50.0), "value of work": times("penalty", 2.0),
    "terminal price": plus("terminal_price", 0.05), "cap penalty": times("cap_penalty", 3.0),
}  # fmt: skip


@pytest.mark.parametrize("name", ROOM)
@BOUNDED
@given(case=cases(share=0.75), seed=st.integers(0, 99))
def test_more_is_never_dearer(name, case, seed):
    problem = case.problem()
    assert optimum(ROOM[name](problem, np.random.default_rng(seed))).at_most(optimum(problem))


@pytest.mark.parametrize("name", PRICE)
@BOUNDED
@given(case=cases(share=0.75), seed=st.integers(0, 99))
def test_dearer_is_never_cheaper(name, case, seed):
    problem = case.problem()
    assert optimum(problem).at_most(optimum(PRICE[name](problem, np.random.default_rng(seed))))


@pytest.mark.slow
@pytest.mark.parametrize("changes", [ROOM, PRICE], ids=["room", "price"])
def test_each_change_changes_some_cost(changes):
    """A change that never moves an optimum would prove nothing."""
    size = Size(
        jobs=8, sites=2, periods=14, groups=2, speeds=2, utilisation=0.95, bands=True, cap=1.1, demand_rate=50.0
    )
    moved = set()
    for seed in range(12):
        problem = Case(size, seed, 0.9).problem()
        before = optimum(problem)
        for name in changes.keys() - moved:
            if not before.same(optimum(changes[name](problem, np.random.default_rng(seed)))):
                moved.add(name)
    assert moved == set(changes)
