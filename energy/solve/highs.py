"""HiGHS on plain arrays: options, run, raw answer; the scaling guard before it and the status gate behind it.

Coefficient spreads of 1e7 to 1e9 from near-zero prices are normal and solve exactly. What a solver cannot resolve are
costs near its own tolerance, which `check_scale` refuses with the name of the cause.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np

from energy.schema import Floats

#: Feasibility and optimality tolerance handed to HiGHS (its default): a tenth of a GPU-second, 0.1 W.
TOLERANCE = 1e-7
#: Relative gap at which the first-order method PDLP stops: at HiGHS's 1e-7 its optima were up to 1.1e-5 of the money
#: that moves away from the others'. Its rows hold to the same: at 1e-7 one of 100 problems was 2.0e-6 away, now 2e-7.
PDLP_TOLERANCE = 1e-8
#: Relative gap at which the interior point hands over to crossover: three iterations more than at HiGHS's 1e-8, from
#: which crossover of the reference week now and then ended "imprecise" and 37,000 dual simplex iterations made it good
#: (60 s in place of 18), depending on the last digit of a rate.
CROSSOVER_TOLERANCE = 1e-10
#: Wall-clock limit [s]; a nightly run must end.
TIME_LIMIT_S = 1200.0
#: The largest objective coefficient must stand this far above the dual tolerance. Money scaled by 1e-9 came
#: back "Optimal" and 142 % too dear; four decades leave a relative error of 1e-4 of the dearest unit at worst.
LEAST_DECADES = 4.0


class SolverError(RuntimeError):
    """The solver gave no usable answer, or the model is one it would answer wrongly."""


@dataclass(frozen=True)
class Raw:
    """Answer of the solver, unjudged."""

    status: str
    objective: float
    values: Floats
    row_duals: Floats
    column_duals: Floats
    iterations: int
    seconds: float
    version: str


@dataclass(frozen=True)
class Options:
    """Options of a solve. Interior point beats simplex by an order of magnitude on these models; crossover makes
    the plan a vertex: without it 96 % of active job-hours were fractional, with it 6 %."""

    method: str = "ipx"
    crossover: bool = True
    time_limit_s: float = TIME_LIMIT_S
    log: bool = False


def check_scale(cost: Floats, names: list[Any] | None = None) -> float:
    """Largest objective coefficient, when the solver can resolve it.

    Raises
    ------
    SolverError : it is within four decades of the dual tolerance, or not finite.
    """
    if not np.isfinite(cost).all():
        culprit = names[int(np.argmax(~np.isfinite(cost)))] if names else "a coefficient"
        raise SolverError(f"objective: {culprit} is not finite")
    largest = float(np.abs(cost).max(initial=0.0))
    if largest and not largest >= TOLERANCE * 10**LEAST_DECADES:
        culprit = str(names[int(np.argmax(np.abs(cost)))]) if names else "the largest coefficient"
        raise SolverError(
            f"objective: {culprit} = {largest:g} is the largest coefficient, too close to the solver's tolerance "
            f"{TOLERANCE:g} for a trustworthy answer; keep money in EUR and power in MW"
        )
    return largest


def hand_over(form: Any) -> highspy.HighsLp:
    """The arrays as a HighsLp. `form` has the fields of StandardForm; the audit's own matrix has them too."""
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = form.matrix.shape
    lp.col_cost_, lp.offset_ = form.cost, form.offset
    lp.col_lower_, lp.col_upper_ = form.low, form.up
    lp.row_lower_, lp.row_upper_ = form.row_low, form.row_up
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = form.matrix.indptr
    lp.a_matrix_.index_ = form.matrix.indices
    lp.a_matrix_.value_ = form.matrix.data
    return lp


class _Quiet(highspy.Highs):
    """HiGHS without the banner that highspy's constructor prints to stdout, where --json belongs."""

    def enableCallbacks(self) -> None:  # noqa: N802 - highspy's name; its constructor calls it
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def solve(form: Any, options: Options = Options()) -> Raw:
    """Solve the arrays and return the raw answer; Ctrl-C stops HiGHS and is raised again.

    Raises
    ------
    SolverError : the model cannot be resolved at the solver's tolerance, or HiGHS refuses it.
    """
    check_scale(form.cost, getattr(form, "columns", None))
    h = _Quiet()  # type: ignore[no-untyped-call]
    _set_options(h, options)
    if h.passModel(hand_over(form)) == highspy.HighsStatus.kError:
        raise SolverError("HiGHS refused the model: a coefficient or bound is not a number")
    began = time.perf_counter()
    _run(h)
    seconds = time.perf_counter() - began
    answer, info = h.getSolution(), h.getInfo()
    return Raw(
        status=h.modelStatusToString(h.getModelStatus()),
        objective=float(info.objective_function_value),
        values=np.array(answer.col_value),
        row_duals=np.array(answer.row_dual),
        column_duals=np.array(answer.col_dual),
        iterations=int(max(info.ipm_iteration_count, info.simplex_iteration_count, info.pdlp_iteration_count)),
        seconds=seconds,
        version=h.version(),
    )


def _set_options(h: highspy.Highs, options: Options) -> None:
    settings: dict[str, Any] = {
        "output_flag": options.log,
        "solver": options.method,
        "run_crossover": "on" if options.crossover else "off",
        "threads": 1,
        "parallel": "off",
        "time_limit": options.time_limit_s,
        "primal_feasibility_tolerance": TOLERANCE,
        "dual_feasibility_tolerance": TOLERANCE,
        "pdlp_optimality_tolerance": PDLP_TOLERANCE,
    }
    if options.method == "pdlp":
        settings |= dict.fromkeys(("primal_feasibility_tolerance", "dual_feasibility_tolerance"), PDLP_TOLERANCE)
    if options.crossover:
        settings["ipm_optimality_tolerance"] = CROSSOVER_TOLERANCE
    for name, value in settings.items():
        if h.setOptionValue(name, value) == highspy.HighsStatus.kError:
            raise SolverError(f"HiGHS {h.version()} does not take {name} = {value!r}")


def _run(h: highspy.Highs) -> None:
    h.HandleUserInterrupt = True
    h.startSolve()
    try:
        while not h.wait(0.2)[0]:
            pass
    except KeyboardInterrupt:
        h.cancelSolve()  # type: ignore[no-untyped-call]
        h.wait()
        raise


#: The stated objective and c·x must agree to this relative difference; both are sums of the same numbers.
OBJECTIVE_AGREES = 1e-9


def gate(raw: Raw, cost: np.ndarray, offset: float) -> None:
    """Let an optimal, finite, self-consistent answer through.

    A NaN price, a timed-out solve and a mis-scaled model all come back looking fine: status alone is not trusted.

    Raises
    ------
    SolverError : status other than optimal, a value that is not finite, or an objective that is not c·x.
    """
    if raw.status != "Optimal":
        raise SolverError(f"solver status {raw.status!r} after {raw.seconds:.1f} s: no plan")
    if not len(raw.values) == len(raw.column_duals) == len(cost):
        raise SolverError(
            f"the solver returned {len(raw.values)} values and {len(raw.column_duals)} reduced costs for {len(cost)} columns"
        )
    for name, vector in (("value", raw.values), ("row dual", raw.row_duals), ("reduced cost", raw.column_duals)):
        if np.asarray(vector).dtype.kind != "f" or not np.isfinite(vector).all():
            raise SolverError(f"the solver returned a {name} that is not finite")
    own = float(cost @ raw.values) + offset
    scale = float(np.abs(cost) @ np.abs(raw.values)) + abs(offset)
    if not abs(own - raw.objective) <= OBJECTIVE_AGREES * max(scale, 1.0):  # a NaN objective agrees with nothing
        raise SolverError(f"the solver states {raw.objective:.6f} EUR, its own plan costs {own:.6f} EUR")


@dataclass(frozen=True)
class Range:
    """Smallest and largest magnitude of nonzero, finite numbers of one kind, with their names."""

    kind: str
    smallest: float
    smallest_name: str
    largest: float
    largest_name: str

    @property
    def decades(self) -> float:
        """Powers of ten between them."""
        return float(np.log10(self.largest / self.smallest)) if self.smallest > 0 else 0.0

    def words(self) -> str:
        """One line."""
        return (f"{self.kind}: {self.smallest:.3g} ({self.smallest_name}) to {self.largest:.3g} ({self.largest_name}), "
                f"{self.decades:.1f} decades")  # fmt: skip


def ranges(form: Any) -> tuple[Range, ...]:
    """Ranges of the cost, the matrix, the bounds and the right-hand sides of a StandardForm."""
    entries, columns, rows = form.matrix.tocoo(), form.columns, form.rows
    return (
        _range("cost", form.cost, lambda i: str(columns[i])),
        _range("matrix", entries.data, lambda i: f"{rows[entries.row[i]]}, {columns[entries.col[i]]}"),
        _range("bounds", np.concatenate([form.low, form.up]), lambda i: str(columns[i % len(columns)])),
        _range("right-hand sides", np.concatenate([form.row_low, form.row_up]), lambda i: str(rows[i % len(rows)])),
    )


def _range(kind: str, values: Floats, name: Callable[[int], str]) -> Range:
    size = np.abs(values)
    there = np.flatnonzero(np.isfinite(size) & (size > 0))
    if not len(there):
        return Range(kind, 0.0, "none", 0.0, "none")
    low, high = int(there[np.argmin(size[there])]), int(there[np.argmax(size[there])])
    return Range(kind, float(size[low]), name(low), float(size[high]), name(high))
