"""Random lies about a Schedule that was proven: whatever changes work, window, residency or bill is refused.

What a lie changes is worked out here from the job table, job by job and entry by entry, and from the bill of the Schedule.
"""

import numpy as np
import pytest

from energy.audit.invoice import price
from energy.audit.published import SLACK, violations
from energy.audit.raw_limits import raw_limits
from energy.audit.reconciliation import UNEXPLAINED_EUR
from energy.optimize import optimize
from energy.schema import as_schedule
from tests.cases import SmallCase

#: Work that differs by this share of the job's is more than the Schedule's own tolerance, with what it drops as noise.
WORK_SHARE = 2 * SLACK
#: The same in reference GPU-hours: a millionth of a GPU in each of 48 hours and three pools, at speed 2.2.
WORK_GPU_HOURS = 1e-3
#: GPUs outside a window or at a wrong site that are no rounding.
HELD_GPUS = 1e-4


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The small case, with a job that takes the northern kind and may not go there; solved and honest."""
    case = SmallCase(tmp_path_factory.mktemp("case")).cell("jobs.csv", "j2", "jurisdictions", "EU")
    found = optimize(case.path)
    assert violations(raw_limits(found.inputs), found.problem, found.solution, found.plan.schedule) == []
    return found


def swap_job(e, rng, sizes):
    e["job"][pick(e, rng)] = rng.integers(sizes["job"])


def exchange_jobs(e, rng, sizes):
    a, b = rng.integers(sizes["job"], size=2)
    e["job"] = np.where(e["job"] == a, b, np.where(e["job"] == b, a, e["job"]))


def shift_hour(e, rng, sizes):
    at = pick(e, rng)
    e["time"][at] = (e["time"][at] + rng.integers(1, sizes["time"])) % sizes["time"]


def swap_pool(e, rng, sizes):
    e["pool"][pick(e, rng)] = rng.integers(sizes["pool"])


def scale_gpus(e, rng, sizes):
    e["gpus"][pick(e, rng)] *= 1 + rng.choice([-1, 1]) * 10 ** rng.uniform(-9, 0)


def drop_entry(e, rng, sizes):
    gone = pick(e, rng)
    for key in e:
        e[key] = np.delete(e[key], gone)


def double_entry(e, rng, sizes):
    twice = pick(e, rng)
    for key in e:
        e[key] = np.append(e[key], e[key][twice])


LIES = (swap_job, exchange_jobs, shift_hour, swap_pool, scale_gpus, drop_entry, double_entry)


def pick(e, rng):
    """Positions of one to three entries."""
    return rng.choice(len(e["job"]), size=rng.integers(1, 4), replace=False)


def matters(run, e):
    """Whether it changes work, runs outside a window or where it may not, by the job table alone."""
    jobs, sites = run.inputs.jobs, run.inputs.fleet.sites
    kinds, names = [p.kind for p in run.inputs.powers.values()], list(run.inputs.powers)
    tags = [{sites[n.split("/")[0]].country, *sites[n.split("/")[0]].jurisdictions} for n in names]
    begin, hour = run.inputs.horizon.time, np.timedelta64(1, "h")
    done = dict.fromkeys(range(len(jobs)), 0.0)
    for j, n, t, gpus in zip(e["job"], e["pool"], e["time"], e["gpus"], strict=True):
        job = jobs[j]
        inside = job.release.to_datetime64() < begin[t] + hour and job.deadline.to_datetime64() > begin[t]
        allowed = kinds[n] in job.gpu_kinds and (not job.jurisdictions or job.jurisdictions & tags[n])
        if gpus > HELD_GPUS and not (inside and allowed):
            return True
        done[j] += gpus * job.gpu_kinds.get(kinds[n], 0.0)
    return any(abs(done[j] - job.gpu_hours) > WORK_SHARE * job.gpu_hours + WORK_GPU_HOURS for j, job in enumerate(jobs))


def lies(run, seeds):
    """(lies, refused ones): one that is not refused changes neither work, window, residency nor bill."""
    raw = raw_limits(run.inputs)
    sizes, honest, refused = run.problem.sizes, run.plan.schedule, 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        e = {k: honest[f"entry_{k}"].values.copy() for k in ("job", "pool", "time", "gpus")}
        lie = LIES[seed % len(LIES)]
        lie(e, rng, sizes)
        schedule = as_schedule(run.problem, e["job"], e["pool"], e["time"], e["gpus"])
        if violations(raw, run.problem, run.solution, schedule):
            refused += 1
            continue
        assert not matters(run, e), f"{lie.__name__}, seed {seed}"
        stated = price(run.inputs, schedule).bill.total()
        assert abs(stated - run.plan.bill.total()) <= UNEXPLAINED_EUR, f"{lie.__name__}, seed {seed}"
    return len(seeds), refused


def test_every_lie_that_matters_is_refused(run, record_property):
    made, refused = lies(run, range(200))
    record_property("attacks", made)
    assert 150 < refused < made


@pytest.mark.slow
def test_of_a_thousand_lies_every_one_that_matters_is_refused(run, record_property):
    made, refused = lies(run, range(1000, 2000))
    record_property("attacks", made)
    assert 750 < refused < made


def test_rounding_is_no_lie(run):
    """A Schedule off by less than the tolerance is published: what is refused is not chance."""
    honest = run.plan.schedule
    e = {k: honest[f"entry_{k}"].values.copy() for k in ("job", "pool", "time", "gpus")}
    near = as_schedule(run.problem, e["job"], e["pool"], e["time"], e["gpus"] * (1 + 1e-7))
    assert not matters(run, e)
    assert violations(raw_limits(run.inputs), run.problem, run.solution, near) == []
