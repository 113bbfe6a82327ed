"""Lies on the ordinary way from files to verdict: gate, certificate, or bill against objective; each its status."""

from dataclasses import replace

import numpy as np
import pytest

from energy import optimize as main
from energy.audit.invoice import Bill
from energy.errors import CertificateError
from energy.problem import assemble
from energy.solve import SolverError, highs
from tests.cases import SmallCase
from tests.laws.transforms import changed


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return SmallCase(tmp_path_factory.mktemp("case"))


def solver_that(lies):
    honest = highs.solve
    return lambda form, options: lies(honest(form, options))


def assembled_with(change):
    honest = assemble
    return lambda inputs: change(honest(inputs))


def test_the_truth_is_ok(case):
    assert main.optimize(case.path).outcome.status == "OK"


@pytest.mark.parametrize(
    "lie",
    [
        lambda raw: replace(raw, status="Time limit reached"),
        lambda raw: replace(raw, values=raw.values * np.nan),
        lambda raw: replace(raw, values=raw.values * 0),
        lambda raw: replace(raw, objective=raw.objective * 1e-9),
        lambda raw: replace(raw, values=-raw.values, objective=-raw.objective),
    ],
    ids=["time-out", "nan", "zeros", "scaled", "negative"],
)
def test_refused_by_the_gate(case, lie, monkeypatch):
    monkeypatch.setattr(main, "solve", solver_that(lie))
    with pytest.raises(SolverError):
        main.optimize(case.path)


def test_a_refusal_is_an_exit_code(case, monkeypatch, tmp_path, capsys):
    """The command ends with the solver's code, says why in one line and publishes nothing."""
    from energy.cli import app as cli

    monkeypatch.setattr(main, "solve", solver_that(lambda raw: replace(raw, status="Time limit reached")))
    monkeypatch.setattr("sys.argv", ["energy", "optimize", str(case.path), "--out", str(tmp_path / "runs")])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == cli.SOLVER
    assert "Time limit reached" in capsys.readouterr().err
    assert not list(tmp_path.glob("runs/*"))


@pytest.mark.parametrize(
    "lie",
    [
        lambda raw: replace(raw, row_duals=raw.row_duals[::-1].copy()),
        lambda raw: replace(raw, row_duals=-raw.row_duals),
        lambda raw: replace(raw, row_duals=raw.row_duals * 1e-3),
    ],
    ids=["swapped", "sign", "scaled"],
)
def test_failed_by_the_certificate(case, lie, monkeypatch):
    monkeypatch.setattr(main, "solve", solver_that(lie))
    outcome = main.optimize(case.path).outcome
    assert outcome.status == "FAILED"
    assert "certificate" in outcome.reasons[0]


def test_yesterdays_solution_is_failed(case, monkeypatch):
    honest = main.solve_problem

    def stale(problem, *rest):
        found, raw = honest(changed(problem, price=problem["price"].values[:, ::-1].copy()), *rest)
        return found, raw

    monkeypatch.setattr(main, "solve_problem", stale)
    assert main.optimize(case.path).outcome.status == "FAILED"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: changed(p, price=p["price"].values + 0.1), "without a named cause"),
        (lambda p: changed(p, charge_rate=p["charge_rate"].values * 1.1), "without a named cause"),
        (lambda p: changed(p, other_site_mw=p["other_site_mw"].values + 0.002), "chords change the cost"),
        (lambda p: changed(p, busy_mw=p["busy_mw"].values * 1.02), "IT power"),
        (lambda p: changed(p, slope=p["slope"].values * 0.5, base_overhead=p["base_overhead"].values * 0.9), "exceeds"),
        (lambda p: changed(p, fixed_eur=p["fixed_eur"].values + 5.0), "without a named cause"),
    ],
    ids=["price", "demand charge", "other load", "gpu power", "cooling", "fixed"],
)
def test_a_problem_assembled_wrongly_is_degraded_by_the_bill(case, change, words, monkeypatch):
    """Program and certificate believe the Problem; replay and bill start from the raw inputs and do not."""
    monkeypatch.setattr(main, "assemble", assembled_with(change))
    run = main.optimize(case.path)
    assert run.certificate.passed
    assert run.outcome.status == "DEGRADED"
    assert any(words in reason for reason in run.outcome.reasons), run.outcome.reasons


@pytest.mark.parametrize(
    "change",
    [
        lambda p: changed(p, price=p["price"].values * 1000),
        lambda p: changed(p, price=p["price"].values + 1.0),
        lambda p: changed(p, other_site_mw=p["other_site_mw"].values + 0.1),
        lambda p: changed(p, fixed_eur=p["fixed_eur"].values - 500.0),
    ],
    ids=["thousandfold", "price", "other load", "fixed"],
)
def test_a_bill_that_is_wrong_by_more_than_a_share_publishes_nothing(case, change, monkeypatch, record_property):
    record_property("attacks", 1)
    monkeypatch.setattr(main, "assemble", assembled_with(change))
    with pytest.raises(CertificateError, match=r"bill and objective differ by .* more than 1% of the gross bill"):
        main.optimize(case.path)


WRONG = {1000.0: "bill and objective differ", 0.0: "bill and objective differ", float("nan"): "line .* is nan EUR",
         float("inf"): "line .* is inf EUR"}  # fmt: skip


@pytest.mark.parametrize(("factor", "words"), WRONG.items())
@pytest.mark.parametrize("kind", ["spot", "demand"])
def test_a_line_of_the_bill_that_is_wrong_publishes_nothing(case, factor, words, kind, monkeypatch, record_property):
    record_property("attacks", 1)
    honest = main.price

    def price(inputs, schedule):
        plan = honest(inputs, schedule)
        lines = list(plan.bill.lines)
        at = max((i for i, x in enumerate(lines) if x.kind == kind), key=lambda i: lines[i].amount_eur)
        lines[at] = replace(lines[at], amount_eur=lines[at].amount_eur * factor)
        return replace(plan, bill=Bill(tuple(lines)))

    monkeypatch.setattr(main, "price", price)
    with pytest.raises(CertificateError, match=words):
        main.optimize(case.path)
