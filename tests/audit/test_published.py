"""Limits read from the raw inputs by hand, and what a published Schedule is refused for, one thing at a time."""

import numpy as np
import pytest

from energy.audit.published import _caps_of, check_powers, check_published, power_violations, violations
from energy.audit.raw_limits import raw_limits
from energy.errors import CertificateError
from energy.optimize import optimize
from energy.schedule.dispatch import earliest_deadline_first
from energy.schema import as_schedule
from tests.cases import SmallCase

HISTORY = [
    {"start": f"2024-12-30T{h:02d}:00:00Z", "hours": 1, "facility_mwh": 1.2, "it_mwh": 1.0} for h in range(18, 24)
]
CAPS = [{"name": "own", "limit": 1.25}, {"name": "quarter", "limit": 1.3, "period": "rolling", "window_h": 6},
        {"name": "hour", "limit": 1.5, "period": "hour", "above_it_mw": 0.3}]  # fmt: skip
DOWN = [{"from": "2024-12-31T03:30", "to": "2024-12-31T05:00", "gpus": 100}]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Over New Year, with all sorts of caps and their past, maintenance, a second phase, work done, an expected arrival."""
    case = SmallCase(tmp_path_factory.mktemp("case"), "2024-12-31")
    case.edit("fleet.yaml", "sites.north.pue_caps", CAPS)
    case.edit("fleet.yaml", "fleet_pue_caps", [{"name": "all", "limit": 1.3}])
    case.edit("fleet.yaml", "sites.north.halls.liquid.pools.gb300.maintenance", DOWN)
    phases = [{"from": "2020-01-01", "value": 400}, {"from": "2025-01-01", "value": 500}]
    case.edit("fleet.yaml", "sites.south.halls.air.pools.a100.count", phases)
    case.edit("fleet.yaml", "sites.south.limits", ["own_targets"])
    case.edit("case.yaml", "state", "state.yaml").edit("case.yaml", "horizon.beyond", "terminal_value")
    case.edit(
        "state.yaml", "sites.north", {"year_to_date": {"facility_mwh": 1200.0, "it_mwh": 1000.0}, "history": HISTORY}
    )
    case.edit("state.yaml", "work_done", {"j1": 500.0})
    case.cell("jobs.csv", "j2", "deadline", "+60h").cell("jobs.csv", "j2", "jurisdictions", "EU")
    case.edit("case.yaml", "expected_jobs", "expected.csv")
    row = {**case.rows("jobs.csv")[2], "id": "expected-1", "gpu_hours": "9000", "deadline": "+52h"}
    return case.put("expected.csv", [row])


@pytest.fixture(scope="module")
def run(case):
    return optimize(case.path)


@pytest.fixture(scope="module")
def raw(run):
    return raw_limits(run.inputs)


def test_what_is_honest_is_published(run):
    raw = raw_limits(run.inputs)
    assert violations(raw, run.problem, run.solution, run.plan.schedule) == []
    assert power_violations(raw, run.problem, run.plan.replay) == []


def test_what_no_solver_made_is_published_too(case):
    run = optimize(case.path, maker=earliest_deadline_first)
    raw = raw_limits(run.inputs)
    assert violations(raw, run.problem, run.solution, run.plan.schedule) == []
    assert power_violations(raw, run.problem, run.plan.replay) == []


def test_jobs_by_hand(raw):
    """j5 begins at 01:30 and ends at 20:15; the arrival may do 128 · 2.2 in 44 hours and in 4 after them."""
    assert raw.jobs == ("j1", "j2", "j3", "j4", "j5", "j6", "expected-1")
    assert raw.work.tolist() == pytest.approx([3500, 2500, 900, 600, 150, 80, 9000])
    assert raw.most_gpus.tolist() == [256, 256, 128, 64, 32, 16, 128]
    assert raw.may_wait.tolist() == pytest.approx([0, 2500, 0, 0, 0, 0, 128 * 2.2 * 4])
    assert raw.expected.tolist() == [False] * 6 + [True]
    share = raw.open_share(np.full(5, 4), np.array([0, 1, 2, 20, 21]))
    assert share.tolist() == [0, 0.5, 1, 0.25, 0]
    assert raw.speed[1].tolist() == [2, 1, 0]
    assert raw.resident[1].tolist() == [False, True, True]
    assert raw.resident[2].all()
    assert np.isnan(raw.value[:5]).all()
    assert raw.value[5] == 5.5


def test_windows_to_the_nanosecond(tmp_path):
    """Offsets in hours with many digits, in quarter hours: 444 s and 444,440,760 ns after midnight."""
    case = SmallCase(tmp_path, minutes=15).cell("jobs.csv", "j1", "release", "+0.1234567891h")
    case.cell("jobs.csv", "j3", "deadline", "+30.7654321987h")
    raw, problem = raw_limits(case.inputs()), case.problem()
    assert raw.release[0] % 1_000_000_000 % 1000
    assert raw.open_share(np.array([0]), np.array([0])) == pytest.approx(1 - 444.44444076 / 900, abs=1e-15)
    jobs, periods = np.arange(len(raw.jobs))[:, None], np.arange(len(raw.horizon))
    np.testing.assert_allclose(raw.open_share(jobs, periods), problem["open"].values, rtol=0, atol=1e-15)


def test_an_arrival_is_cut_to_what_its_window_holds(case):
    """At 12 GPUs: 12 · 2.2 · 44 hours, and what 4 hours hold after the horizon."""
    rows = case.rows("expected.csv")
    inputs = case.put("expected.csv", [{**rows[0], "max_gpus": "12"}]).inputs()
    case.put("expected.csv", rows)
    assert raw_limits(inputs).work[-1] == pytest.approx(12 * 2.2 * 48)


def test_pools_halls_and_sites_by_hand(raw):
    """Maintenance from 02:30 to 04:00 UTC, a phase at local midnight: 23:00 UTC."""
    assert raw.available[0, :6].tolist() == [800, 800, 750, 700, 800, 800]
    assert raw.available[2, 21:25].tolist() == [400, 400, 500, 500]
    assert raw.firm[:, 0].tolist() == [80, 40, 0]
    assert (raw.hall_mw == [[2.0], [1.0]]).all()
    assert (raw.grid_mw == [[3.0], [2.0]]).all()


def test_caps_by_hand(raw):
    """The year to date belongs to 2024, 23 hours of which are left in Oslo; windows before 06:00 need the history."""
    years = [(c.start, c.stop, c.credit) for c in raw.caps if c.name == "north:own"]
    assert years == [(0, 23, 50.0), (23, 48, 0.0)]
    fleet = [(c.site, c.start, c.stop, c.credit) for c in raw.caps if c.name == "fleet:all"]
    assert fleet == [(-1, 0, 24, pytest.approx(100.0)), (-1, 24, 48, 0.0)]
    rolling = [(c.start, c.stop, c.credit) for c in raw.caps if c.name == "north:quarter"]
    assert len(rolling) == 48
    assert rolling[:2] == [(0, 1, pytest.approx(5 * 0.1)), (0, 2, pytest.approx(4 * 0.1))]
    assert rolling[5:7] == [(0, 6, 0.0), (1, 7, 0.0)]
    hours = [c.start for c in raw.caps if c.name == "north:hour"]
    assert set(range(48)) - set(hours) <= {2, 3}, "maintenance lowers the idle load"


def test_an_hourly_cap_at_just_the_idle_load_may_be_assembled_or_not(tmp_path):
    """Which of two sums of the same powers is above the other is rounding: neither is refused."""
    case = SmallCase(tmp_path)
    least = case.problem()["base_it"].values[0, 0]
    for near in (least * (1 - 1e-14), least, least * (1 + 1e-14)):
        case.edit("fleet.yaml", "sites.north.pue_caps", [CAPS[2] | {"above_it_mw": float(near)}])
        raw = raw_limits(case.inputs())
        assert [c.may_lack for c in raw.caps] == [True] * 48
        assert list(_caps_of(raw, case.problem())) == []
    case.edit("fleet.yaml", "sites.north.pue_caps", [CAPS[2] | {"above_it_mw": float(least) + 1e-6}])
    assert raw_limits(case.inputs()).caps == ()


def test_caps_whose_names_begin_alike(tmp_path):
    caps = [{"name": name, "limit": 1.25} for name in ("own", "own2", "own-3")]
    case = SmallCase(tmp_path).edit("fleet.yaml", "sites.north.pue_caps", caps)
    assert list(_caps_of(raw_limits(case.inputs()), case.problem())) == []


def entries(run):
    return {k: run.plan.schedule[f"entry_{k}"].values.copy() for k in ("job", "pool", "time", "gpus")}


def refused(run, e, solution=None):
    schedule = as_schedule(run.problem, e["job"], e["pool"], e["time"], e["gpus"])
    return violations(raw_limits(run.inputs), run.problem, run.solution if solution is None else solution, schedule)


def test_more_gpus_than_the_pool_has(run):
    e = entries(run)
    at = np.flatnonzero(e["pool"] == 0)[0]
    e["gpus"][at] = 5000
    t = str(run.problem["time"].values[e["time"][at]])[:16]
    found = refused(run, e)
    assert any(x.startswith(f"pool north/liquid/gb300 at {t}Z: ") and ", above its " in x for x in found), found
    assert any(", but " in x and "were proven" in x for x in found)


def test_more_power_than_the_hall_or_the_meter_gives(run, raw):
    """Replayed IT power and import of the first hall and site at 04:00 raised by a megawatt."""
    replayed = run.plan.replay.copy(deep=True)
    for name in ("it_mw", "import_mw"):
        replayed[name].values[0, 4] += 3.0
    found = power_violations(raw, run.problem, replayed)
    assert [x.rpartition(":")[0] for x in found] == [
        "hall north/liquid at 2024-12-31T04:00Z", "site north at 2024-12-31T04:00Z"
    ]  # fmt: skip
    assert all(x.endswith(f"above its {most} MW") for x, most in zip(found, ("2.0000", "3.0000"), strict=True))
    with pytest.raises(CertificateError, match="the schedule is not published: hall north/liquid at"):
        check_powers(raw, run.problem, replayed)
    replayed["import_mw"].values[0, 4] = np.nan
    assert any(
        x.startswith("site north at 2024-12-31T04:00Z: nan MW") for x in power_violations(raw, run.problem, replayed)
    )


def test_more_gpus_than_the_job_may_hold(run):
    e = entries(run)
    at = np.flatnonzero(run.plan.schedule["entry_job"].values == 4)[0]
    e["gpus"][at] = 40
    assert any(x.startswith("job j5 at ") and "40 GPUs, above its limit of" in x for x in refused(run, e))


def test_deferred_work_that_may_not_wait(run):
    """What j3 does not do is called deferred: it is due inside the horizon."""
    e = entries(run)
    mine = e["job"] == 2
    deferred = run.solution["deferred"].values.copy()
    deferred[2] = run.problem["work_left"].values[2]
    found = refused(run, {k: v[~mine] for k, v in e.items()}, run.solution.assign(deferred=("job", deferred)))
    assert "job j3: 900 GPU-hours deferred, of which 0 may wait" in found


def test_work_that_is_said_to_be_done_and_is_not(run):
    unserved = run.solution["unserved"].values.copy()
    unserved[0] += 10
    found = refused(run, entries(run), run.solution.assign(unserved=("job", unserved)))
    assert len(found) == 1
    assert found[0].startswith("job j1: ")


@pytest.mark.parametrize("name", ["unserved", "deferred", "group_gpus"])
def test_what_is_no_number_is_refused(run, name):
    values = run.solution[name].values.copy()
    values.flat[0] = np.nan
    assert refused(run, entries(run), run.solution.assign({name: (run.solution[name].dims, values)}))


def test_holdings_that_are_no_number_are_refused(run):
    schedule = run.plan.schedule.copy(deep=True)
    schedule["entry_gpus"].values[0] = np.nan
    found = violations(raw_limits(run.inputs), run.problem, run.solution, schedule)
    assert any(x.endswith(": nan GPUs") for x in found)


@pytest.mark.parametrize("axis", ["job", "pool", "time"])
def test_positions_on_other_axes_are_refused_at_once(run, axis):
    labels = run.plan.schedule[axis].values.copy()
    labels = labels[::-1] if axis != "time" else labels + np.timedelta64(1, "h")
    schedule = run.plan.schedule.assign_coords({axis: labels})
    found = violations(raw_limits(run.inputs), run.problem, run.solution, schedule)
    assert len(found) == 1
    assert found[0].startswith("schedule: its ")


def test_the_message_names_the_first_and_counts_the_rest(run):
    e = entries(run)
    e["job"] = np.zeros_like(e["job"])
    schedule = as_schedule(run.problem, e["job"], e["pool"], e["time"], e["gpus"])
    raw = raw_limits(run.inputs)
    every = violations(raw, run.problem, run.solution, schedule)
    with pytest.raises(CertificateError) as refusal:
        check_published(raw, run.problem, run.solution, schedule)
    message = str(refusal.value)
    assert message == f"certificate: the schedule is not published: {'; '.join(every[:5])}; and {len(every) - 5} more"
    assert "\n" not in message
