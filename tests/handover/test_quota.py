"""Quotas are the plan's own GPU-hours in whole GPUs: never more than the pool has, expected jobs left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.instances import Size, random_problem
from energy.handover import quotas
from energy.handover.quota import LONGEST, safe, whole
from tests.handover.plans import START, plan
from tests.nightly.nights import HOSTILE
from tests.report.build import record_of, renamed


@st.composite
def fractions(draw):
    """Held GPUs (K, N, T), rooms (N, T) that hold them, hours (T,)."""
    k, n, t = (draw(st.integers(1, m)) for m in (4, 3, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    held = rng.uniform(0, 5, (k, n, t)) * (rng.random((k, n, t)) < 0.8)
    held[rng.random(held.shape) < 0.2] //= 1
    room = np.ceil(held.sum(axis=0)).astype(np.int64)
    return held, room, np.full(t, draw(st.sampled_from([0.25, 1.0])))


@given(fractions())
@settings(max_examples=150, deadline=None)
def test_whole_gpus_follow_the_plan_within_the_room(case):
    held, room, dt = case
    got = whole(held, room, dt)
    assert (got >= np.floor(held)).all()
    assert (got <= np.ceil(held)).all()
    assert (got.sum(axis=0) <= room).all()
    drift = np.abs(np.cumsum((got - held) * dt, axis=2)) / dt.max()
    assert drift.max() < held.shape[0] + 1
    pool = np.abs(np.cumsum((got - held).sum(axis=0) * dt, axis=1)) / dt.max()
    assert pool.max() < held.shape[0] + 1


def test_a_steady_half_gpu_is_one_gpu_every_second_hour():
    got = whole(np.full((1, 1, 6), 0.5), np.ones((1, 6), dtype=np.int64), np.ones(6))
    assert got.sum() == 3
    assert np.abs(np.cumsum(got[0, 0] - 0.5)).max() <= 0.5


def test_two_halves_share_one_gpu_in_turns():
    got = whole(np.full((2, 1, 6), 0.5), np.ones((1, 6), dtype=np.int64), np.ones(6))
    assert got.sum(axis=0).tolist() == [[1] * 6]
    assert got.sum(axis=2).tolist() == [[3], [3]]


@pytest.fixture(scope="module")
def record():
    problem = random_problem(Size(jobs=8, sites=2, groups=2, periods=24), 3)
    return record_of(renamed(problem, "job", ["expected-0", *(f"j{i}" for i in range(1, 8))]))


def test_quotas_of_a_run_are_its_schedule_without_expected_jobs(record):
    found = quotas(record)
    placed, problem = record.schedule, record.problem
    real = placed["entry_job"].values > 0
    hours = (placed["entry_gpus"].values * problem["dt"].values[placed["entry_time"].values])[real].sum()
    assert found.gpus.sum(axis=(0, 1)) @ found.dt == pytest.approx(hours, abs=len(found.groups) * len(found.pools))
    assert (found.gpus.sum(axis=0) <= problem["available"].values - problem["firm"].values).all()
    assert {j for g in found.groups for j in g.jobs} == {f"j{i}" for i in range(1, 8)}


def test_flagged_jobs_are_left_out_too(record):
    flags = np.array([False, True] + [False] * 6)
    problem = record.problem.assign(expected=("job", flags.astype("int8")))
    found = quotas(replace(record, datasets=record.datasets | {"problem": problem}))
    assert {j for g in found.groups for j in g.jobs} == {f"j{i}" for i in range(2, 8)}


def test_group_keys_depend_on_pools_and_speeds_alone(record):
    other = renamed(record.problem, "job", [f"x{i}" for i in range(8)])
    keys = {g.key for g in quotas(replace(record, datasets=record.datasets | {"problem": other})).groups}
    assert keys >= {g.key for g in quotas(record).groups}


def test_period_at_a_moment():
    p = plan(hours=(0.25, 0.75, 1.0))
    minute = np.timedelta64(1, "m")
    assert [p.period_at(START + m * minute) for m in (-1, 0, 14, 15, 59, 60, 119, 120)] == [
        None,
        0,
        0,
        1,
        1,
        2,
        2,
        None,
    ]


def test_a_pair_that_gets_nothing_has_a_quota_of_zero():
    assert plan().pairs() == [(0, 0), (0, 1), (1, 0)]


def test_names_are_safe_short_and_apart():
    names = [
        safe(*t.split("/"))
        for t in (*HOSTILE, "a-b/c", "a/b-c", "A/b", "a/b", "x" * 70, "x" * 71, "", "é", "è", "a/../b", "-a-")
    ]
    assert len(set(names)) == len(names)
    for name in names:
        assert len(name) <= LONGEST
        assert all(
            part and part[0] != "-" != part[-1] and set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
            for part in name.split(".")
        )
    assert safe("narvik", "n1", "gb300") == "narvik.n1.gb300"
