"""A run folder reproduced from the inputs it keeps, whatever became of the originals: bill, attribution, solution."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from energy.errors import RunFolderError
from energy.optimize import NOT_SOLVED, Run, Saved, Stage, optimize, revive
from energy.runs.folder import read_run
from energy.runs.record import FORMAT, INPUTS, PLAN_STATUS, Record
from energy.solve import Options

#: The case file in a run folder's inputs.
CASE = "case.yaml"
#: Relative agreement of objectives and bills: that of the regression table. The optimum is unique, its vertex is not.
SAME = 1e-7
#: The fallback method of a night that is another method of the solver.
SIMPLEX = "simplex"


@dataclass(frozen=True)
class Replayed:
    """A run as it was, and solved once more."""

    before: Record
    now: Run

    def differences(self) -> list[str]:
        """Lines on objective, certificate and status where they do not agree; empty when all agree."""
        manifest, proof = self.before.manifest, self.now.certificate
        kept = manifest["certificate"]
        status = manifest.get(PLAN_STATUS, manifest["status"]), self.now.outcome.status
        out = []
        if not abs(proof.primal_eur - kept["primal_eur"]) <= SAME * abs(kept["primal_eur"]):
            out.append(f"objective {kept['primal_eur']:.6f} EUR then, {proof.primal_eur:.6f} EUR now")
        if proof.passed != kept["pass"]:
            out.append(f"certificate {_passed(kept['pass'])} then, {_passed(proof.passed)} now")
        if status[0] != status[1]:
            out.append(f"status {status[0]} then, {status[1]} now")
        return out

    def message(self) -> list[str]:
        """Comparison of the saved run with the new one, one line per item."""
        manifest, proof = self.before.manifest, self.now.certificate
        kept, versions = manifest["certificate"], manifest["versions"]
        same = "the same" if self.now.problem.identical(self.before.problem) else "NOT the same"
        return [
            f"run {manifest['run_id']}, made by hydrocool {versions['hydrocool']} with HiGHS {versions['highs']}",
            f"problem from the kept inputs: {same} as problem.nc",
            f"objective: {kept['primal_eur']:.6f} EUR then, {proof.primal_eur:.6f} EUR now (at most {SAME:g} apart)",
            f"certificate: {_passed(kept['pass'])} then (gap {kept['relative_gap']:.1e}), "
            f"{_passed(proof.passed)} now (gap {proof.relative_gap:.1e})",
            f"bill: {self.before.summary['bill_eur']:.2f} EUR then, {self.now.plan.bill.total():.2f} EUR now",
        ]


def _passed(proof: bool) -> str:
    return "passed" if proof else "FAILED"


def reproduce(folder: Path) -> tuple[Record, Saved]:
    """A run folder's record, and its plan replayed and priced again without the solver.

    Raises
    ------
    RunFolderError : no finished run, a damaged one, or one without its inputs.
    InputError : the kept inputs no longer hold in this version.
    """
    record = read_run(folder)
    case, fill, as_of = _arguments(folder, record)
    manifest = record.manifest
    # Of an older program the Solution is the same, but its duals can prove less of today's program.
    proof = manifest["certificate"] if manifest["format"] < FORMAT else None
    return record, revive(case, fill, record.solution, record.schedule, record.baseline_schedule, as_of, proof)


def replay_run(folder: Path, on_progress: Stage = lambda _: None) -> Replayed:
    """Solve a run folder's inputs once more; a plan that no solver made is placed once more.

    Raises
    ------
    RunFolderError, InputError : as `reproduce`.
    SolverError : the solver's answer cannot be trusted.
    """
    record = read_run(folder)
    case, fill, as_of = _arguments(folder, record)
    maker = (lambda _: record.schedule) if record.manifest["solver"]["status"] == NOT_SOLVED else None
    options = Options(method=SIMPLEX) if record.manifest.get("method") == SIMPLEX else Options()
    now = optimize(case, fill=fill, options=options, tell=on_progress, as_of=as_of, maker=maker)
    return Replayed(record, now)


def bill_agrees(record: Record, saved: Saved) -> bool:
    """Whether the bill computed again is the bill of the run, to SAME."""
    before = float(record.bills["bill"]["amount_eur"].sum())
    return abs(saved.plan.bill.total() - before) <= SAME * max(abs(before), 1.0)


def _arguments(folder: Path, record: Record) -> tuple[Path, bool, datetime | None]:
    """Case file, gap filling, and the moment whose knowledge the run had, None for all of it."""
    if CASE not in record.inputs:
        raise RunFolderError(
            f"{folder / INPUTS}: no {CASE}, the run was made before inputs were kept; run energy optimize again"
        )
    arguments = record.manifest["arguments"]
    as_of = datetime.fromisoformat(arguments["as_of"]) if arguments["as_of"] else None
    return folder / INPUTS / CASE, bool(arguments["fill"]), as_of
