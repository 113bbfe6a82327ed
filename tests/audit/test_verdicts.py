"""Verdict and reconciliation without a solver: every reason in words, every difference with its cause, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from energy.audit.invoice import Bill
from energy.audit.reconciliation import evaluate_cost, reconcile
from energy.audit.verdict import Outcome, judge, judge_given
from energy.errors import CertificateError
from energy.inputs.metered import Line
from tests.audit.toy import AGREED, PROOF, plan, replayed, toy


@pytest.fixture(scope="module")
def case():
    return toy()


@pytest.fixture(scope="module")
def found(case):
    return plan()


def calm(case, found, **changes):
    return found.assign({n: found[n] * 0 for n in ("unserved", "cap_breach")}).assign(changes)


def met(case):
    """A replay that meets every cap."""
    return replayed(case, facility_mw=[[14, 10, 8], [0, 2, 0]])


def test_a_plan_without_fault_is_ok(case, found):
    assert judge(case, calm(case, found), PROOF, AGREED, met(case)) == Outcome("OK", ())


def test_no_solver_is_degraded_and_says_so(case, found):
    outcome = judge_given(case, calm(case, found), replace(PROOF, passed=False), AGREED, met(case))
    assert outcome == Outcome("DEGRADED", ("no solver made this schedule: it is feasible, not proven cheapest",))
    edge = replace(PROOF, max_violation=1e-6)
    assert judge_given(case, calm(case, found), edge, AGREED, met(case)).status == "DEGRADED"


def test_a_failed_proof_names_gap_violation_row_and_both_costs(case, found):
    failed = replace(PROOF, passed=False, relative_gap=0.25, max_violation=0.5, stated_eur=1.5)
    assert judge(case, found, failed, AGREED, met(case)) == Outcome("FAILED", (
        "certificate: gap 2.50e-01 of the gross bill (at most 1e-06), violation 5.00e-01 in finish[2] (at most 1e-06), "
        "cost stated 1.500000 EUR, recomputed 12.000000 EUR",))  # fmt: skip
    assert judge_given(case, found, failed, AGREED, met(case)) == Outcome(
        "FAILED", ("schedule: violation 5.00e-01 in finish[2] (at most 1e-06)",)
    )
    nan = replace(failed, max_violation=float("nan"))
    assert judge_given(case, found, nan, AGREED, met(case)).status == "FAILED"


REASONS = ("5.0 GPU-hours of 3 jobs left undone, most of job job1 (3.0)",
           "PUE cap cap0 exceeded by 0.7050 MWh in 1 windows", "PUE cap cap1 exceeded by 1.1900 MWh in 1 windows",
           "PUE cap cap3 exceeded by 0.7000 MWh in 1 windows",
           "bill and objective differ by 0.0200 EUR without a named cause")  # fmt: skip


def test_every_reason_in_order(case, found):
    wrong = replace(AGREED, unexplained_eur=0.02)
    assert judge(case, found, PROOF, wrong, met(case)) == Outcome("DEGRADED", REASONS)
    given = judge_given(case, found, PROOF, wrong, met(case))
    assert given.reasons[1:] == REASONS


def test_a_cap_that_only_the_replay_breaks_is_said(case, found):
    """Site 0 in the first period: (17 - 1.1·14)/2 - 0.1 = 0.7; the fleet: (42 - 1.2·34)/2 = 0.6; site 1 from the second on:
    (4 - 1.5·2)/2 = 0.5."""
    outcome = judge(case, calm(case, found), PROOF, AGREED, replayed(case))
    assert outcome.reasons == ("PUE cap cap0 exceeded by 0.7000 MWh in 1 windows",
                               "PUE cap cap1 exceeded by 0.6000 MWh in 1 windows",
                               "PUE cap cap3 exceeded by 0.5000 MWh in 1 windows")  # fmt: skip


def test_windows_of_one_cap_are_counted_together(case, found):
    labels = case.assign_coords(cap=["site0:h@0", "site0:h@1", "site1:y@2021", "site0:h@2"])
    over = found["cap_breach"].copy(data=[0.5, 1.5, 0.0, 2e-6])
    outcome = judge(labels, calm(case, found, cap_breach=over), PROOF, AGREED, met(case))
    assert outcome.reasons == ("PUE cap site0:h exceeded by 1.5000 MWh in 3 windows",)


def test_expected_arrivals_without_room_are_no_undone_jobs(case, found):
    hoped = case.assign(expected=("job", [0.0, 1.0, 0.0]))
    first = judge(hoped, found, PROOF, AGREED, met(case)).reasons[0]
    assert first == "2.0 GPU-hours of 2 jobs left undone, most of job job0 (1.0)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unexplained_eur": -0.0101}, "bill and objective differ by -0.0101 EUR without a named cause"),
        ({"chords_eur": 0.6}, "chords change the cost by 0.100%, more than 0.05%"),
        ({"negative_hour_chords_eur": -0.7}, "chords change the cost by 0.110%, more than 0.05%"),
        ({"it_mismatch_mw": 0.0002}, "replay draws up to 0.000200 MW of IT power more or less than the program"),
        ({"chord_below_curve_mw": 0.00002}, "replayed power exceeds the program's by up to 0.000020 MW"),
    ],
)
def test_what_does_not_agree_is_said(changes, words):
    """Named: |0.1 + 0.05| + |-0.1| + |0.2| + |0.05| = 0.5 of 1000 EUR are just allowed."""
    assert AGREED.named_share == pytest.approx(5e-4)
    at_the_bar = replace(AGREED, peaks_on_chords_eur=-0.19, unexplained_eur=0.01, it_mismatch_mw=1e-4,
                         chord_below_curve_mw=1e-5)  # fmt: skip
    assert at_the_bar.agrees
    assert at_the_bar.problems() == []
    wrong = replace(at_the_bar, peaks_on_chords_eur=-0.2, **changes)
    changes.setdefault("unexplained_eur", 0.0)
    assert [p for p in wrong.problems() if "0.050%" not in p] == [words]
    assert not wrong.agrees
    assert wrong.as_dict()["agrees"] is False


@pytest.mark.parametrize(
    "name", ["unexplained_eur", "bill_eur", "chords_eur", "peaks_on_chords_eur", "negative_hour_chords_eur",
             "it_mismatch_mw", "chord_below_curve_mw"],
)  # fmt: skip
def test_what_is_no_number_agrees_with_nothing(case, found, name):
    nan = replace(AGREED, **{name: float("nan")})
    assert not nan.agrees
    assert judge(case, calm(case, found), PROOF, nan, met(case)).status == "DEGRADED"


@pytest.mark.parametrize("name", ["unexplained_eur", "chords_eur", "peaks_on_chords_eur", "gross_bill_eur"])
def test_a_bill_that_is_no_number_is_not_published(name):
    with pytest.raises(CertificateError, match="bill and objective differ"):
        replace(AGREED, **{name: float("nan")}).check_publishable()


def test_a_bill_is_refused_above_a_hundredth_of_its_gross_sum():
    """Chords 0.1 + 0.05 and peaks 0.2 count with what has no name; of 1 EUR gross or less, a cent is the least."""
    named = 0.35
    replace(AGREED, unexplained_eur=9.6499).check_publishable()
    with pytest.raises(
        CertificateError, match=r"differ by 10\.00 EUR, more than 1% of the gross bill of 1,000\.00 EUR"
    ):
        replace(AGREED, unexplained_eur=-(10.0001 - named)).check_publishable()
    nothing = replace(AGREED, gross_bill_eur=0.0, chords_eur=0, contracts_on_chords_eur=0, peaks_on_chords_eur=0)
    replace(nothing, unexplained_eur=0.0099).check_publishable()
    with pytest.raises(CertificateError):
        replace(nothing, unexplained_eur=0.0101).check_publishable()


def test_gross_is_what_moves_and_the_total_what_is_left():
    lines = [Line("s", "2021-01", name, "spot", 1, "MWh", eur, eur) for name, eur in (("spot", 50.0), ("sold", -48.0))]
    assert (Bill(tuple(lines)).total(), Bill(tuple(lines)).gross_eur()) == (2.0, 98.0)


def test_reconciliation_as_it_is_kept():
    kept = AGREED.as_dict()
    assert kept.pop("named_share") == AGREED.named_share
    assert kept.pop("agrees") is True
    assert kept == {name: value for name, value in vars(AGREED).items() if name != "other_unbilled_eur"}
    nothing = replace(AGREED, bill_eur=0.0)
    assert nothing.named_share == pytest.approx(0.5)


def test_every_difference_between_objective_and_bill_has_its_cause(case, found):
    """The terms of the toy (see `tests.audit.toy`), priced for the program's powers and for replayed ones.

    Minimum bill of site 0 binds: what its energy (4 EUR/MWh) and peak cost more, its top-up costs less.
    """
    replay = replayed(case)
    bill = Bill((Line("site0", "2021-01", "all", "spot", 1, "MWh", 3000.0, 3000.0),))
    got = reconcile(case, found, replay, bill)
    planned = evaluate_cost(case, *(found[n].values for n in ("grid_import", "grid_export", "heat")))
    actual = evaluate_cost(case, *(replay[n].values for n in ("import_mw", "export_mw", "heat_mw")))
    energy, counted = planned.energy - actual.energy, planned.counted - actual.counted
    contracts = planned.contracts - actual.contracts + planned.feed_in - actual.feed_in
    # paid for: site 0 in the first two periods; both minimum bills of sites 0 and 1 in month 0 bind throughout
    back = counted[0] + counted[1]
    paid = np.zeros((2, 3), bool)
    paid[0, :2] = True
    hull = -1.328  # half an hour of chord less segments, 0.096 MW at -7 and -0.208 MW at -16 EUR/MWh
    expected = {
        "objective_eur": found.attrs["objective_eur"], "bill_eur": 3000.0, "chords_eur": (energy - back)[~paid].sum(),
        "negative_hour_chords_eur": (energy - back + contracts)[paid].sum() + hull, "peaks_on_chords_eur": 0.0,
        "contracts_on_chords_eur": contracts[~paid].sum(), "clipped_prices_eur": 1.4, "unserved_penalty_eur": 5000.0,
        "terminal_value_eur": 11.0, "cap_penalty_eur": 40 * 0.705 + 50 * 1.19 + 70 * 0.7,
        "it_mismatch_mw": 1.0, "chord_below_curve_mw": 0.5,
    }  # fmt: skip
    for name, value in expected.items():
        assert getattr(got, name) == pytest.approx(value, abs=1e-9), name
    named = [v for k, v in expected.items() if k.endswith("_eur") and k not in ("objective_eur",)]
    assert got.unexplained_eur == pytest.approx(expected["objective_eur"] - sum(named))
