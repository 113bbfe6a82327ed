"""The figures of summary.json and manifest without a solver, every entry by hand."""

from types import SimpleNamespace

import pytest

from energy.audit.invoice import Bill
from energy.audit.replay import figures
from energy.audit.verdict import Outcome, summarise
from energy.inputs.metered import Line
from energy.schema import arrays
from tests.audit.toy import AGREED, HELD, PROOF, plan, replayed, schedule, toy


@pytest.fixture(scope="module")
def case():
    return toy()


@pytest.fixture(scope="module")
def found(case):
    return plan()


def test_cooling_by_fleet_site_and_hall(case):
    """Half-hours: site 0 draws 18.5 MWh for 16 of IT; its halls cool freely together in the first period only."""
    assert figures(replayed(case), case["hall_site"].values) == {
        "fleet": pytest.approx({"wue_l_per_kwh": 1.0 / 17, "reused_mwh": 5.0, "erf": 5 / 21, "ere": 16 / 17}),
        "sites": {
            "site0": {"wue_l_per_kwh": pytest.approx(0.6 / 16), "free_cooling_hours": 0.5,
                      "worst_pue": pytest.approx(17 / 14), "worst_hour": "2021-01-01T00:00Z", "reused_mwh": 5.0,
                      "erf": pytest.approx(5 / 18.5), "ere": pytest.approx(13.5 / 16)},
            "site1": {"wue_l_per_kwh": 0.4, "free_cooling_hours": 0.5, "worst_pue": 2.0, "worst_hour": "2021-01-01T00:30Z",
                      "reused_mwh": 0.0, "erf": 0.0, "ere": 2.5},
        },
        "halls": {
            "hall0": hall(15.0, 1.75, 0.6, 1.0, 1.0, 0.5, 15 / 13, "2021-01-01T00:00Z"),
            "hall1": hall(1.0, 0.3, 0.0, 1.0, 0.0, 0.0, 1.5, "2021-01-01T00:00Z"),
            "hall2": hall(1.0, 1.0, 0.4, 0.5, 0.0, 1e-9, 1.75, "2021-01-01T00:30Z"),
        },
    }  # fmt: skip


def hall(it, overhead, water, free, derated, most, worst, when):
    parts = {"electrical": 0.4, "pumps": 0.3, "fans": 0.15, "heat_rejection": 0.1, "compressors": 0.05}
    assert [f"{n}_mw" for n in parts] == list(arrays.COMPONENTS)
    return {
        "it_mwh": pytest.approx(it), "overhead_mwh": pytest.approx({n: s * overhead for n, s in parts.items()}),
        "pue": pytest.approx((it + overhead) / it), "water_m3": pytest.approx(water),
        "wue_l_per_kwh": pytest.approx(water / it), "free_cooling_hours": free, "derated_hours": derated,
        "most_derated_mw": most, "worst_pue": pytest.approx(worst), "worst_hour": when,
    }  # fmt: skip


def priced(case, held, eur, **changes):
    lines = (Line("site0", "2021-01", "spot", "spot", 1, "MWh", eur, eur),)
    return SimpleNamespace(schedule=schedule(case, held), replay=replayed(case, **changes), bill=Bill(lines))


def test_summary_of_a_plan_and_its_baseline(case, found):
    known = case.assign(carbon_known=("site", [1.0, 0.0]), expected=("job", [0.0, 1.0, 0.0]),
                        open=case["open"].copy(data=[[1, 1, 0], [1, 1, 1], [1, 1, 1]]))  # fmt: skip
    plan = priced(known, HELD, 900.0)
    base = priced(known, [(0, 0, 2, 4), (1, 2, 0, 4)], 1200.0, facility_mw=[[20, 12, 9], [1, 4, 0]],
                  carbon_t=[[4, 2, 0], [0, 9, 0]], water_m3=[[1, 1, 1], [0, 0, 0], [0, 0, 0]])  # fmt: skip
    got = summarise(known, found, plan, base, PROOF, AGREED, Outcome("DEGRADED", ("a", "b")))
    assert got == {
        "status": "DEGRADED", "reasons": ["a", "b"],
        "horizon": {"first": "2021-01-01T00:00Z", "last": "2021-01-01T01:00Z", "hours": 1.5},
        "objective_eur": 12.0, "bill_eur": 900.0, "baseline_eur": 1200.0, "saving_eur": 300.0, "saving_share": 0.25,
        "equal_work": False, "work_gpu_hours": {"due": 13.5, "plan": 6.5, "baseline": 6.0},
        "unserved_gpu_hours": 2.0, "deferred": {"jobs": 1, "gpu_hours": 1.0, "eur": 6.0},
        "expected": {"pseudo_jobs": 1, "due_gpu_hours": 6.0, "plan_gpu_hours": 2.0, "deferred_gpu_hours": 1.0, "unserved_gpu_hours": 3.0},
        "energy_mwh": {"plan": 21.0, "baseline": 23.0},
        "carbon_t": {"known_sites": ["site0"], "plan": 5.0, "baseline": 6.0},
        "water_m3": pytest.approx({"plan": 1.0, "baseline": 3.0}),
        "cooling": figures(plan.replay, known["hall_site"].values),
        "pue": pytest.approx({"site0": 37 / 32, "site1": 2.5, "fleet": 42 / 34}),
        "pue_baseline": pytest.approx({"site0": 41 / 32, "site1": 2.5, "fleet": 46 / 34}),
        "baseline_late_gpu_hours": 2.0,  # job 0 may not run in the third half-hour
        "busy_share": pytest.approx((7 + 1.5) / 60),  # 14 GPUs for half an hour and a firm one, of 40
        "certificate": PROOF.as_dict(), "reconciliation": AGREED.as_dict(),
    }  # fmt: skip


def test_equal_work_is_equal_to_a_millionth(case, found):
    """At 4 GPU-hours: 3.9e-6 less is equal, 4.1e-6 less is not; below one GPU-hour it is a millionth of one."""

    def equal(gpus, held):
        plan, base = priced(case, held, 0.0), priced(case, [(0, 0, 1, gpus)], 0.0)
        got = summarise(case, found, plan, base, PROOF, AGREED, Outcome("OK", ()))
        assert got["saving_share"] == 0.0
        return got["equal_work"]

    assert equal(8 - 7.8e-6, [(0, 0, 0, 8)])
    assert not equal(8 - 8.2e-6, [(0, 0, 0, 8)])
    assert equal(2e-6, [])
    assert not equal(3e-6, [])


def test_the_manifest_has_every_figure_of_the_proof():
    kept = PROOF.as_dict()
    assert kept.pop("pass") is True
    assert kept == {k: v for k, v in vars(PROOF).items() if k != "passed"}
