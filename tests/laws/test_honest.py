"""Random cases whose plans are honest: none is refused, whatever windows, phases, maintenance, caps and states they have."""

import numpy as np
import pytest

from energy.errors import ImpossibleWork
from energy.optimize import optimize
from energy.schedule.dispatch import earliest_deadline_first
from tests.cases import SmallCase

DAY = "2024-03-30"  # the clock changes within two days of it


def random_case(folder, seed):
    """Everything that has a second reading, at odd moments."""
    rng = np.random.default_rng(seed)
    case = SmallCase(folder, str(rng.choice([DAY, "2024-12-31", "2024-07-01"])), days=int(rng.integers(1, 4)),
                     zone=str(rng.choice(["UTC", "Europe/Oslo"])), minutes=int(rng.choice([15, 30, 60])))  # fmt: skip
    day = np.datetime64(case.yaml("case.yaml")["horizon"]["start"])
    _jobs(case, rng)
    moments = sorted(day + np.timedelta64(int(s), "s") for s in rng.integers(0, 100_000, 2))
    down = [
        {"from": str(moments[0]), "to": str(moments[1] + np.timedelta64(1, "s")), "gpus": float(rng.integers(1, 300))}
    ]
    case.edit("fleet.yaml", "sites.north.halls.liquid.pools.gb300.maintenance", down)
    phases = [{"from": "2020-01-01", "value": 300}, {"from": str(moments[0]), "value": 400.5}]
    case.edit("fleet.yaml", "sites.south.halls.air.pools.a100.count", phases)
    caps = [{"name": "a", "limit": 1.4}, {"name": "a2", "limit": 1.4, "period": "rolling", "window_h": float(rng.uniform(1, 40))},
            {"name": "h", "limit": 2.0, "period": "hour", "above_it_mw": float(rng.uniform(0.1, 0.5))}]  # fmt: skip
    case.edit("fleet.yaml", "sites.north.pue_caps", caps).edit(
        "fleet.yaml", "fleet_pue_caps", [{"name": "f", "limit": 1.6}]
    )
    case.edit("fleet.yaml", "sites.south.limits", ["own_targets"])
    begin = case.inputs().horizon.start
    history = [{"start": f"{begin - np.timedelta64(20 * k, 'm')}Z", "hours": 1 / 3, "facility_mwh": float(rng.uniform(0.3, 0.4)),
                "it_mwh": 0.3} for k in range(int(rng.integers(1, 130)), 0, -1)]  # fmt: skip
    balance = {"facility_mwh": float(rng.uniform(1000, 1200)), "it_mwh": 1000.0}
    case.edit("case.yaml", "state", "state.yaml").edit(
        "state.yaml", "sites.north", {"year_to_date": balance, "history": history}
    )
    case.edit("state.yaml", "work_done", {"k1": float(rng.uniform(0, 100))})
    return case.edit("case.yaml", "horizon.beyond", str(rng.choice(["must_finish", "terminal_value"])))


def _jobs(case, rng):
    rows = []
    for i in range(12):
        begin, length = rng.uniform(-10, 20), rng.uniform(2, 90)
        day = np.datetime64(case.yaml("case.yaml")["horizon"]["start"], "ns") + np.timedelta64(
            int(begin * 3.6e12), "ns"
        )
        rows.append(case.rows("jobs.csv")[0] | {
            "id": f"k{i}", "gpu_hours": f"{rng.uniform(0.01, 200):.6g}", "max_gpus": f"{rng.uniform(0.5, 64):.4g}",
            "release": f"{day}Z" if i % 2 else f"+{max(begin, 0):.10f}h", "deadline": f"+{max(begin, 0) + length:.10f}h",
            "gpu_kinds": rng.choice(["gb300=2;h200=1", "gb300=2.2", "h200=1;a100=0.4", "a100=1"]),
            "jurisdictions": rng.choice(["", "EEA", "EU;NO"]),
        })  # fmt: skip
    case.put("jobs.csv", [row for row in rows if "gb300" in row["gpu_kinds"] or row["jurisdictions"] != "NO"])


def published(folder, seeds):
    """How many of the random cases had a plan; one that is refused raises."""
    made = 0
    for seed in seeds:
        (folder / str(seed)).mkdir()
        try:
            run = optimize(
                random_case(folder / str(seed), seed).path, maker=earliest_deadline_first if seed % 2 else None
            )
        except ImpossibleWork:
            continue
        assert run.outcome.status != "FAILED", (seed, run.outcome.reasons)
        made += 1
    return made


def test_honest_plans_are_published(tmp_path):
    assert published(tmp_path, (1, 2)) == 2


@pytest.mark.slow
def test_sixty_honest_plans_are_published(tmp_path):
    assert published(tmp_path, range(100, 160)) >= 30
