"""The main job on one page: files -> Problem -> program -> Solution -> Schedule -> proof, bill, summary."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from energy.audit.certificate import Certificate, certify
from energy.audit.completion import complete
from energy.audit.compliance import limit_compliance
from energy.audit.diagnosis import binding_limits
from energy.audit.invoice import Priced, price
from energy.audit.published import check_powers, check_published
from energy.audit.raw_limits import raw_limits
from energy.audit.reconciliation import Reconciliation, reconcile
from energy.audit.verdict import Outcome, judge, judge_given, summarise
from energy.errors import ConfigError
from energy.inputs.load import Inputs, read_inputs
from energy.problem import assemble, notices
from energy.schedule import dispatch as baselines
from energy.schedule.disaggregate import disaggregate
from energy.schedule.table import Maker, handed_over, read_schedule, shape_of
from energy.solve import Options, Raw, dual_prices, gate, solve

Stage = Callable[[str], None]
#: Status of a plan whose Schedule no solver made.
NOT_SOLVED = "not solved"


@dataclass
class Clock:
    """Seconds by stage; `tell` is called as each begins."""

    tell: Stage = lambda _: None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage."""
        self.tell(name)
        began = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


@dataclass(frozen=True)
class Saved:
    """A plan with its replay and bill beside run-now: of an optimisation, or of a run folder's inputs read again."""

    inputs: Inputs
    problem: xr.Dataset
    solution: xr.Dataset
    plan: Priced
    baseline: Priced
    certificate: Certificate


@dataclass(frozen=True)
class Run(Saved):
    """Everything one optimisation found."""

    prices: xr.Dataset
    reconciliation: Reconciliation
    raw: Raw
    outcome: Outcome
    summary: dict[str, object]
    seconds: dict[str, float]


def optimize(
    case: Path, overrides: dict[str, object] | None = None, fill: bool = False, options: Options = Options(),
    tell: Stage = lambda _: None, as_of: datetime | None = None, maker: Maker | None = None,
) -> Run:  # fmt: skip
    """Read a case, solve it, prove, price and judge the plan.

    Parameters
    ----------
    overrides : horizon keys that replace the case's, such as start and end
    fill : fill gaps in series, labelled, instead of refusing them
    tell : called with the name of each stage as it begins
    as_of : plan with what was known at this moment (UTC, naive)
    maker : makes the Schedule instead of the solver; such a plan is at best DEGRADED

    Raises
    ------
    InputError : invalid files (ConfigError, SeriesError), or work that cannot be done (ImpossibleWork).
    SolverError : the solver's answer cannot be trusted.
    CertificateError : the Schedule is not what the inputs allow or not what was proven, or the bill is wrong.
    """
    clock = Clock(tell)
    with clock.stage("read"):
        inputs = read_inputs(case, overrides, fill, as_of)
    return optimize_inputs(inputs, options, maker, clock)


def optimize_inputs(
    inputs: Inputs, options: Options = Options(), maker: Maker | None = None, clock: Clock | None = None
) -> Run:
    """Solve inputs that were read, prove, price and judge the plan; a pure function but for the seconds on the clock.

    Parameters
    ----------
    maker : makes the Schedule instead of the solver; such a plan is at best DEGRADED

    Raises
    ------
    InputError : the work cannot be done (ImpossibleWork).
    SolverError : the solver's answer cannot be trusted.
    CertificateError : the Schedule is not what the inputs allow or not what was proven, or the bill is wrong.
    """
    clock = clock or Clock()
    with clock.stage("assemble"):
        problem = assemble(inputs)
    solved, schedule, raw = _planned(problem, options, clock, maker)
    with clock.stage("check the schedule"):
        limits = raw_limits(inputs)
        check_published(limits, problem, solved, schedule)
    with clock.stage("replay and bill"):
        plan = price(inputs, schedule)
        reconciliation = reconcile(problem, solved, plan.replay, plan.bill)
    with clock.stage("certify"):
        certificate = certify(problem, solved, plan.bill.gross_eur())
        verdict = judge if maker is None else judge_given
        outcome = verdict(problem, solved, certificate, reconciliation, plan.replay)
        if outcome.status != "FAILED":  # a plan that failed is not published anyway
            check_powers(limits, problem, plan.replay)
            reconciliation.check_publishable()
        prices = dual_prices(problem, solved)
    with clock.stage("baseline"):
        work = baselines.planned_work(problem, solved)  # the same as the plan does, at once
        run_now = price(inputs, baselines.run_now(problem, work, [j.home_site for j in inputs.jobs]))
    summary = summarise(problem, solved, plan, run_now, certificate, reconciliation, outcome)
    summary |= {
        "limits": limit_compliance(inputs, problem, prices, plan.replay),
        "shape": shape_of(handed_over(problem, plan.schedule)),
        "jobs_outside_horizon": len(inputs.left_out),
        "case": inputs.case.name,
        "notices": notices(inputs, problem),
        "binding_limits": binding_limits(problem, solved, prices),
    }
    return Run(
        inputs, problem, solved, plan, run_now, certificate, prices, reconciliation, raw, outcome, summary,
        clock.seconds,
    )  # fmt: skip


#: Methods of the solver that `energy optimize --plan` names.
SOLVER_METHODS = ("ipx", "simplex")


def planner(plan: str, time_limit_s: float) -> tuple[Options, Maker | None]:
    """Solver options of `energy optimize --plan`, and what makes the Schedule where the solver does not.

    Raises
    ------
    ConfigError : `plan` is neither a method, nor greedy, nor a schedule file.
    """
    if plan in SOLVER_METHODS:
        return Options(method=plan, time_limit_s=time_limit_s), None
    if plan == "greedy":
        return Options(), baselines.earliest_deadline_first
    if not Path(plan).is_file():
        allowed = f"{', '.join(SOLVER_METHODS)}, greedy, or a schedule.parquet or .csv"
        raise ConfigError(f"--plan {plan}", "is neither a method nor a file", allowed)
    return Options(), partial(baselines.trimmed, table=read_schedule(Path(plan)))


def _planned(
    problem: xr.Dataset, options: Options, clock: Clock, maker: Maker | None
) -> tuple[xr.Dataset, xr.Dataset, Raw]:
    """Solution, Schedule and raw answer; of a given Schedule the Solution that it stands for."""
    if maker is None:
        solved, raw = solve_problem(problem, options, clock)
        with clock.stage("place"):
            return solved, disaggregate(problem, solved), raw
    with clock.stage("place"):
        schedule, solved = complete(problem, maker(problem))
    none = np.zeros(0)
    return solved, schedule, Raw(NOT_SOLVED, solved.attrs["objective_eur"], none, none, none, 0, 0.0, "none")


def revive(
    case: Path, fill: bool, solved: xr.Dataset, schedule: xr.Dataset, run_now: xr.Dataset,
    as_of: datetime | None = None, proof: Mapping[str, Any] | None = None,
) -> Saved:  # fmt: skip
    """A solved case again without the solver: Problem, proof, replays and bills from its files.

    Parameters
    ----------
    proof : the certificate that the manifest of an older program states; None: it is made again

    Raises
    ------
    InputError : the files are invalid.
    """
    inputs = read_inputs(case, fill=fill, as_of=as_of)
    problem = assemble(inputs)
    plan, baseline = price(inputs, schedule), price(inputs, run_now)
    certificate = certify(problem, solved, plan.bill.gross_eur()) if proof is None else Certificate.from_dict(proof)
    return Saved(inputs, problem, solved, plan, baseline, certificate)


def solve_problem(
    problem: xr.Dataset, options: Options = Options(), clock: Clock | None = None
) -> tuple[xr.Dataset, Raw]:
    """The Solution of a Problem and the solver's raw answer.

    Raises
    ------
    SolverError : the solver's answer cannot be trusted.
    """
    clock = clock or Clock()
    with clock.stage("build"):
        # Here, not above: both import Pyomo, more than a second that replays and bills need not wait for.
        from energy.program import build
        from energy.solve import compile_model, merge_equal_jobs, solution

        merged = merge_equal_jobs(problem)
        model = build(merged.problem)
    with clock.stage("hand over"):
        form = compile_model(model)
    with clock.stage("solve"):
        raw = solve(form, options)
        gate(raw, form.cost, form.offset)
    with clock.stage("read back"):
        return merged.split(solution(merged.problem, model, form, raw), problem), raw
