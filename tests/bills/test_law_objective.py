"""Objective and bill agree to the cent for any tariff, contract, solar array, horizon and state."""

import numpy as np
import pytest

from energy.optimize import optimize
from energy.schedule.dispatch import earliest_deadline_first
from tests.bills.random_case import random_case


def agree(tmp_path, seed):
    run = agreed(optimize(random_case(tmp_path, seed).path), f"seed {seed}")
    named_is_small([run])
    return run


def agreed(run, name):
    r = run.reconciliation
    assert run.certificate.passed, run.outcome.reasons
    assert abs(r.unexplained_eur) <= 0.01, f"{name}: {r}"
    assert r.it_mismatch_mw < 1e-4
    assert r.chord_below_curve_mw < 1e-5
    named = r.chords_eur + r.negative_hour_chords_eur + r.peaks_on_chords_eur + r.contracts_on_chords_eur
    named += r.clipped_prices_eur + r.unserved_penalty_eur + r.terminal_value_eur + r.cap_penalty_eur
    assert r.objective_eur - r.bill_eur == pytest.approx(named, abs=0.01)
    return run


def named_is_small(runs):
    """Each named group by its size, so that none hides another; minimum bills and contracts are no exception."""
    named = sum(run.reconciliation.named_share * abs(run.reconciliation.bill_eur) for run in runs)
    assert named <= 5e-4 * sum(abs(x.amount_eur) for run in runs for x in run.plan.bill.lines) + 0.01


@pytest.mark.parametrize("seed", range(4))
def test_objective_is_the_bill(tmp_path, seed):
    agree(tmp_path, seed)


@pytest.mark.parametrize("seed", range(4))
def test_objective_of_a_completed_schedule_is_the_bill(tmp_path, seed):
    """Sun, contracts, minimum bills and what may wait are those that the replay of the completed schedule finds."""
    run = optimize(random_case(tmp_path, seed).path, maker=earliest_deadline_first)
    assert run.certificate.max_violation <= 1e-9, run.certificate.worst_row
    assert run.reconciliation.agrees, run.reconciliation.problems()
    assert run.outcome.reasons[0].startswith("no solver made this schedule")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 200))
def test_objective_is_the_bill_for_many_more(tmp_path, seed):
    agree(tmp_path, seed)


def bare(tmp_path, **contract):
    """The small case with one contract at the southern site, or none."""
    case = random_case(tmp_path, 3)
    case.edit("fleet.yaml", "sites.north.contracts", []).edit(
        "fleet.yaml", "sites.south.contracts", [contract] if contract else []
    )
    return optimize(case.path)


def test_a_settled_hedge_leaves_the_schedule_unchanged(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    without = bare(tmp_path / "a")
    hedged = bare(tmp_path / "b", name="base", kind="hedge", mw=1.0, price=42.0)
    assert hedged.plan.schedule.identical(without.plan.schedule)
    spot = hedged.problem["spot"].sel(site="south").values
    settled = float(((42.0 - spot) * hedged.problem["dt"].values).sum())
    assert hedged.certificate.primal_eur - without.certificate.primal_eur == pytest.approx(settled, abs=1e-6)
    assert hedged.plan.bill.total() - without.plan.bill.total() == pytest.approx(settled, abs=1e-6)


def test_a_take_or_pay_volume_shifts_load_into_its_hours(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    without = bare(tmp_path / "a")
    window = {"hours": [[17, 23]]}
    bound = bare(tmp_path / "b", name="evening", kind="take_or_pay", mw=1.0, price=30.0, when=window)
    local = without.problem["time"].to_index().tz_localize("UTC").tz_convert("Europe/Berlin")
    inside = np.asarray((local.hour >= 17) & (local.hour < 23))
    drawn = [r.plan.replay["import_mw"].sel(site="south").values[inside].sum() for r in (without, bound)]
    assert drawn[1] > drawn[0] + 0.1
    assert bound.reconciliation.agrees
