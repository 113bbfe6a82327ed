"""A run folder computed anew: bill, attribution and solution from the inputs it keeps, whatever became of the originals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from energy.errors import RunFolderError
from energy.optimize import NOT_SOLVED, Run, Saved, optimize, revive
from energy.optimize import Stage as Tell
from energy.runs.folder import read_run
from energy.runs.record import INPUTS, PLAN_STATUS, Record
from energy.solve import Options

#: The case file in a run folder's inputs.
CASE = "case.yaml"
#: Relative agreement of objectives and bills: that of the regression table. The optimum is unique, its vertex is not.
SAME = 1e-7
#: The rung of a night whose name is another method of the solver.
SIMPLEX = "simplex"


@dataclass(frozen=True)
class Replayed:
    """A run as it was, and solved once more."""

    then: Record
    now: Run

    def differences(self) -> list[str]:
        """What does not agree, in words; empty when objective, certificate and status do."""
        proof, before = self.now.certificate, self.then.manifest["certificate"]
        out = []
        if not abs(proof.primal_eur - before["primal_eur"]) <= SAME * abs(before["primal_eur"]):
            out.append(f"objective {before['primal_eur']:.6f} EUR then, {proof.primal_eur:.6f} EUR now")
        if proof.passed != before["pass"]:
            out.append(f"certificate {_passed(before['pass'])} then, {_passed(proof.passed)} now")
        status = self.then.manifest.get(PLAN_STATUS, self.then.manifest["status"])
        if self.now.outcome.status != status:
            out.append(f"status {status} then, {self.now.outcome.status} now")
        return out

    def words(self) -> list[str]:
        """The comparison, a line each."""
        proof, before = self.now.certificate, self.then.manifest["certificate"]
        versions = self.then.manifest["versions"]
        same = "the same" if self.now.problem.identical(self.then.problem) else "NOT the same"
        return [
            f"run {self.then.manifest['run_id']}, made by hydrocool {versions['hydrocool']} with HiGHS {versions['highs']}",
            f"problem from the kept inputs: {same} as problem.nc",
            f"objective: {before['primal_eur']:.6f} EUR then, {proof.primal_eur:.6f} EUR now (at most {SAME:g} apart)",
            f"certificate: {_passed(before['pass'])} then (gap {before['relative_gap']:.1e}), "
            f"{_passed(proof.passed)} now (gap {proof.relative_gap:.1e})",
            f"bill: {self.then.summary['bill_eur']:.2f} EUR then, {self.now.plan.bill.total():.2f} EUR now",
        ]


def _passed(proof: bool) -> str:
    return "passed" if proof else "FAILED"


def revived(folder: Path) -> tuple[Record, Saved]:
    """A run folder's record, and its plan replayed and priced anew.

    Raises
    ------
    RunFolderError : no finished run, a damaged one, or one without its inputs.
    InputError : the kept inputs no longer hold in this version.
    """
    record = read_run(folder)
    schedules = record.placement, record.baseline_placement
    return record, revive(_case(folder, record), _fill(record), record.solution, *schedules, _as_of(record))


def replay_run(folder: Path, tell: Tell = lambda _: None) -> Replayed:
    """Solve a run folder's inputs once more; a plan that no solver made is placed once more.

    Raises
    ------
    RunFolderError, InputError : as `revived`.
    SolverError : the solver's answer cannot be trusted.
    """
    record = read_run(folder)
    maker = (lambda _: record.placement) if record.manifest["solver"]["status"] == NOT_SOLVED else None
    again = optimize(
        _case(folder, record),
        fill=_fill(record),
        options=_options(record),
        tell=tell,
        as_of=_as_of(record),
        maker=maker,
    )
    return Replayed(record, again)


def bill_agrees(record: Record, saved: Saved) -> bool:
    """Whether the bill computed anew is the bill of the run, to SAME."""
    before = float(record.bills["bill"]["amount_eur"].sum())
    return abs(saved.plan.bill.total() - before) <= SAME * max(abs(before), 1.0)


def _case(folder: Path, record: Record) -> Path:
    if CASE not in record.inputs:
        raise RunFolderError(
            f"{folder / INPUTS}: no {CASE}, the run was made before inputs were kept; run energy optimize again"
        )
    return folder / INPUTS / CASE


def _fill(record: Record) -> bool:
    return bool(record.manifest["arguments"]["fill"])


def _options(record: Record) -> Options:
    """The solver's method: that of the night's rung."""
    return Options(method=SIMPLEX) if record.manifest.get("rung") == SIMPLEX else Options()


def _as_of(record: Record) -> datetime | None:
    """The moment whose knowledge the run had; None for all of it."""
    moment = record.manifest["arguments"]["as_of"]
    return datetime.fromisoformat(moment) if moment else None
