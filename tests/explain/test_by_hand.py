"""Every remedy, breach and tight limit with all its fields, from prices made up by hand: no solver, half-hours, speeds
other than 1, GPUs that draw other than 1 MW (problem and plan of `tests.audit.toy`)."""

from dataclasses import asdict

import numpy as np
import pytest

from energy.audit.diagnosis import Breach, Remedy, Tight, Unserved, binding_limits, explain, tight
from energy.schema import arrays as arrays_module
from energy.schema import validate
from tests.audit.toy import plan, toy

T0, T1, T2 = (f"2021-01-01T{m}Z" for m in ("00:00", "00:30", "01:00"))
PRICES = {
    "value_grid": [[0, 0, 5], [0, 6, 4]],
    "value_gpu": [[4, 0, 3], [1, 3, 0], [0, 0, 0], [10, 20, 0]],
    "value_cap": [200, 0, 0, 300],
    "gpu_hour": [[12, 9, 20], [50, 8, 8], [1, 1, 1], [30, 50, 10]],
    "gpu_hour_capacity": [[10, 5, 20], [1, 8, 8], [0, 0, 0], [5, 50, 0]],
}  # fmt: skip


def prices_of(case, **changes):
    given = PRICES | changes
    arrays = {n: np.array(given.get(n, np.zeros([case.sizes[d] for d in row.dims])), float)
              for n, row in arrays_module.PRICES.items()}  # fmt: skip
    dims = {d for row in arrays_module.PRICES.values() for d in row.dims}
    return validate.dataset(arrays, {d: case[d].values for d in dims if d in case.coords}, arrays_module.PRICES)


@pytest.fixture(scope="module")
def case():
    """A GPU of pool 3 draws 0.8 MW; job 2 may run in the first period only."""
    made = toy()
    return made.assign(
        busy_mw=("pool", [1.0, 1, 1, 0.8]), open=made["open"].copy(data=[[1, 1, 1], [1, 1, 1], [1, 0, 0]])
    )


@pytest.fixture(scope="module")
def found(case):
    """The plan with prices of work, and of the bounds of job 1's GPUs."""
    x = plan()
    bound = np.zeros(x["bound_cumulative_gpus"].shape)
    bound[1] = [[-3, 2, 0], [-5, 0, -2]]
    return x.assign(
        dual_finish=("job", [100.0, 80, 60]), bound_cumulative_gpus=x["bound_cumulative_gpus"].copy(data=bound)
    )


def alike(found, expected):
    """Dataclasses field by field, numbers to rounding, None as None."""
    assert type(found) is type(expected)
    a, b = asdict(found), asdict(expected)
    remedies = [(x.pop("remedies", ()), x.pop("remedy", None)) for x in (a, b)]
    numbers = {k: v for k, v in b.items() if isinstance(v, float)}
    assert {k: a.pop(k) for k in numbers} == pytest.approx(numbers)
    assert a == {k: v for k, v in b.items() if k not in numbers}
    assert len(remedies[0][0]) == len(remedies[1][0])
    if remedies[1][1] is not None:
        alike(found.remedy, expected.remedy)
    for one, other in zip(getattr(found, "remedies", ()), getattr(expected, "remedies", ()), strict=True):
        alike(one, other)


#: Job 1: 3 undone. 3 more GPUs of pool 3 for an hour save 10 + 20 each. A MW for pool 3: 3·0.8·1.9 in an hour; for
#: pool 2: 3/2·1.2 in half an hour. Caps: 3·0.8·(1.9 - 1.5) in 1 MWh of IT; 3/2·(1.2 - 1.1) in 7.25 MWh. Its limit: 3 over
#: speed 2 for 1.5 h; a GPU more saves 3 + 1 + 4 in the first and 2 in the last period.
JOB1 = Unserved("job1", 3.0, "site1", T1, 3000.0, (
    Remedy("limit", "PUE cap cap3", 0.96, "", None, 288.0),
    Remedy("count", "pool3", 3.0, "GPUs", (T0, T1), 90.0),
    Remedy("grid_limit_mw", "site1", 4.56, "MW", (T1, T2), 45.6),
    Remedy("grid_limit_mw", "site0", 3.6, "MW", (T2, T2), 18.0),
    Remedy("max_gpus", "job job1", 1.0, "GPUs", None, 10.0),
    Remedy("limit", "PUE cap cap0", 0.15 / 7.25, "", None, 30 / 7.25),
))  # fmt: skip
#: Job 0: 1 undone. Pool 1 at speed 1/2: 2 GPUs; its first period saves 25 of work less 24.5 of power, not 1. The scarcest
#: hour counts work: 3 EUR for a quarter GPU-hour. Connection and cap: the pool that needs less, 0.8 MW at speed 1.
JOB0 = Unserved("job0", 1.0, "site0", T1, 1000.0, (
    Remedy("grid_limit_mw", "site0", 2.08, "MW", (T2, T2), 10.4),
    Remedy("count", "pool0", 1.0, "GPUs", (T0, T2), 7.0),
    Remedy("count", "pool1", 2.0, "GPUs", (T0, T1), 7.0),
    Remedy("limit", "PUE cap cap0", 0.16 / 7.25, "", None, 32 / 7.25),
))  # fmt: skip
#: Job 2: 1 undone, its window is one period. Pool 3 saves 15 of work less 12.5 of power; 4 GPUs. Behind the deadline
#: the second period costs more than it saves (50 > 30), the third saves 20 per GPU-hour: 9 GPUs do 2.25.
JOB2 = Unserved("job2", 1.0, "site1", T0, 1000.0, (
    Remedy("deadline", "job job2", 0.5 + 0.5 / 2.25, "h", None, 40.0),
    Remedy("count", "pool3", 4.0, "GPUs", (T0, T0), 10.0),
))  # fmt: skip
#: Energy above the cap over IT energy; the fleet's worst hour is site 1's (1.5 MW above), not site 0's first (0.16).
BREACHES = [
    Breach("cap0", "site0", T0, 0.705, 28.2, Remedy("limit", "PUE cap cap0", 0.705 / 7.25, "", None, 28.2)),
    Breach("cap1", "site1", T1, 1.19, 59.5, Remedy("limit", "PUE cap cap1", 1.19 / 16.75, "", None, 59.5)),
    Breach("cap3", "site1", T1, 0.7, 49.0, Remedy("limit", "PUE cap cap3", 0.7, "", None, 49.0)),
]
TIGHT = [
    Tight("pool pool3", "site1", T1, Remedy("count", "pool3", 1.0, "GPU", None, 30.0)),
    Tight("the grid connection of site1", "site1", T1, Remedy("grid_limit_mw", "site1", 1.0, "MW", (T1, T2), 10.0)),
    Tight("pool pool0", "site0", T0, Remedy("count", "pool0", 1.0, "GPU", None, 7.0)),
    Tight("the grid connection of site0", "site0", T2, Remedy("grid_limit_mw", "site0", 1.0, "MW", (T2, T2), 5.0)),
    Tight("pool pool1", "site0", T1, Remedy("count", "pool1", 1.0, "GPU", None, 4.0)),
]
CAPS = [
    Tight("PUE cap cap3", "site1", T1, Remedy("limit", "PUE cap cap3", 0.01, "", None, 3.0)),
    Tight("PUE cap cap0", "site0", T0, Remedy("limit", "PUE cap cap0", 0.01, "", None, 2.0)),
]


def test_undone_jobs_most_work_first_then_breaches(case, found):
    got = explain(case, found, prices_of(case))
    for one, expected in zip(got, [JOB1, JOB0, JOB2, *BREACHES], strict=True):
        alike(one, expected)


def test_a_remedy_saves_no_more_than_the_penalty(case, found):
    cheap = case.assign(penalty=("job", [1000.0, 20.0, 1000.0]))
    saved = [c.saving_eur for c in explain(cheap, found, prices_of(case))[0].remedies]
    assert saved == pytest.approx([60, 60, 45.6, 18, 10, 30 / 7.25])


@pytest.mark.parametrize("limit", ["available", "hall_mw", "grid_limit_mw"])
def test_what_is_free_behind_the_deadline(case, found, limit):
    """2 GPUs of pool 3 in the last period: 4 less 1 firm and 1 held; 2.1 MW less 0.5, at 0.8; 3.54 MW less 0.5, at
    0.8·1.9. They do half a GPU-hour, which is all that is undone, and save 2·20·0.5."""
    tightened = {"available": ("pool", 3, 4.0), "hall_mw": ("hall", 2, 2.1), "grid_limit_mw": ("site", 1, 3.54)}
    dim, at, value = tightened[limit]
    rows, firm, gpus = case[limit].values.copy(), case["firm"].values.copy(), found["group_gpus"].values.copy()
    rows[at, 2], firm[3, 2], gpus[1, 3, 2] = value, 1.0, 1.0
    it, drawn = found["it"].values.copy(), found["grid_import"].values.copy()
    it[2, 2] = drawn[1, 2] = 0.5
    tight_case = case.assign({limit: ((dim, "time"), rows), "firm": (("pool", "time"), firm)})
    plan = found.assign(group_gpus=found["group_gpus"].copy(data=gpus), it=found["it"].copy(data=it),
                        grid_import=found["grid_import"].copy(data=drawn), unserved=("job", [0.0, 0.0, 0.5]))  # fmt: skip
    (later,) = [c for c in explain(tight_case, plan, prices_of(case))[0].remedies if c.key == "deadline"]
    alike(later, Remedy("deadline", "job job2", 1.0, "h", None, 20.0))
    more = plan.assign(unserved=("job", [0.0, 0.0, 0.51]))  # the horizon ends before
    assert not [c for c in explain(tight_case, more, prices_of(case))[0].remedies if c.key == "deadline"]


def test_expected_arrivals_and_rounding_are_not_explained(case, found):
    """13.5 GPU-hours of work: 1.3e-6 undone is the solver's tolerance; a cap exceeded by 1 Wh is met."""
    hoped = case.assign(expected=("job", [0.0, 1.0, 0.0]))
    plan = found.assign(unserved=("job", [1.3e-6, 3.0, 1.4e-6]), cap_breach=("cap", [1e-6, 1.1e-6, 0.0, 0.0]))
    got = explain(hoped, plan, prices_of(case))
    assert [(type(r), r.message().split(":")[0]) for r in got] == [(Unserved, "job job2"), (Breach, "PUE cap cap1")]


def test_tight_limits_dearest_first(case, found):
    for one, expected in zip(tight(case, found, prices_of(case)), TIGHT, strict=True):
        alike(one, expected)
    no_gpus = prices_of(case, value_gpu=np.zeros((4, 3)), value_grid=[[0, 0, 1], [0, 0, 0.99]])
    for one, expected in zip(tight(case, found, no_gpus), [*CAPS, None], strict=True):
        assert expected is None or alike(one, expected) is None
    last = tight(case, found, no_gpus)[-1]
    assert (last.limit, last.remedy.saving_eur) == ("the grid connection of site0", 1.0)


def test_summary_has_kind_fields_and_words(case, found):
    got = binding_limits(case, found, prices_of(case))
    assert [x["kind"] for x in got] == ["unserved"] * 3 + ["breach"] * 3
    assert got[0] == {"kind": "unserved", **asdict(explain(case, found, prices_of(case))[0]), "message": (
        "job job1: 3.0 GPU-hours undone (3000.00 EUR), scarcest at site1 at 2021-01-01T00:30Z; cheapest remedy: "
        "limit of PUE cap cap3 looser by 0.96: saves up to 288.00 EUR")}  # fmt: skip
    assert got[2]["message"].endswith("cheapest remedy: deadline of job job2 later by 0.7222 h: saves up to 40.00 EUR")
    assert got[3]["message"] == (
        "PUE cap cap0: exceeded by 0.7050 MWh (28.20 EUR), most at site0 at 2021-01-01T00:00Z; remedy: "
        "limit of PUE cap cap0 looser by 0.09724: saves up to 28.20 EUR"
    )
    calm = found.assign(unserved=found["unserved"] * 0, cap_breach=found["cap_breach"] * 0)
    quiet = binding_limits(case, calm, prices_of(case))
    assert [x["kind"] for x in quiet] == ["tight"] * 5
    assert quiet[1]["message"] == (
        "tight, most at site1 at 2021-01-01T00:30Z: grid_limit_mw of site1 up by 1 MW from 2021-01-01T00:30Z to "
        "2021-01-01T01:00Z: saves up to 10.00 EUR"
    )
