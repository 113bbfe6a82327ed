"""A primal-dual interior point method for fleets of thousands of jobs, on the block form: Mehrotra's predictor and corrector.

S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2 (1992) 575, and the
multiple centrality correctors of J. Gondzio, Comput. Optim. Appl. 6 (1996) 137. Three things make it work here. Powers that
a row defines (`it`, `facility`, `grid_import`) are substituted in all other rows, because chains of equalities lose
digits. Columns are scaled by what they can be at most, and the products x z are kept in proportion to a column's power,
so that a GPU of one job and a peak of a site come to their ends together. The linear systems are refined by
conjugate gradients on their true residual. The answer is not judged here: a certificate does that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
import xarray as xr

from benchmarks.structured.block_form import BlockForm, UnknownStructure
from benchmarks.structured.normal_equations import DUAL_REGULARISATION, Blocks, NormalEquations, NotFactored
from energy.schema import Floats, Ints
from energy.schema import arrays as arrays_module

INF = float("inf")
#: Powers that an equality row defines: substituted in every other row.
DEFINED = (("it", "it_power"), ("facility", "facility_power"), ("grid_import", "balance"))
#: Relative gap and scaled infeasibility at which the method stops: a tenth of what the certificate allows.
STOP = 1e-7
#: Most steps; reference fleets and random ones take 45 to 85.
STEPS = 150
#: Correctors of centrality after the predictor and corrector.
CORRECTORS = 2
#: A step ends this share of the way to the boundary.
SHORT_OF_BOUNDARY = 0.995
#: The longest step towards the boundary: products x z stay above rounding.
NEVER_AT_BOUNDARY = 1 - 1e-8
#: Least room below an upper bound: nearer to it the difference is rounding alone.
LEAST_ROOM = 1e-15
#: Residual of a linear system, relative to its right-hand side, and most conjugate gradient steps towards it.
RESIDUAL = 1e-8
GRADIENTS = 12
#: Added to Θ⁻¹ so that a column far from both bounds keeps a finite weight.
PRIMAL_REGULARISATION = 1e-10
#: Steps without a better iterate after which the best is taken.
PATIENCE = 7
#: Projections onto the rows after the last step; each takes the infeasibility down by the residual of a linear system.
PROJECTIONS = 4
#: What one unit of a quantity is worth in MW, for proportions only: GPUs are at their own power, 100 EUR buy a MWh or two.
EUR_PER_MW = 100.0


class NotSolved(RuntimeError):
    """The method has come to no optimum; another one has to."""


@dataclass(frozen=True)
class Answer:
    """Values of all columns and duals of all rows of the block form, unjudged."""

    values: Floats
    duals: Floats
    gap: float
    infeasibility: float
    steps: int
    seconds: float


@dataclass(frozen=True)
class Equalities:
    """min c x with A x = b, 0 <= x <= u, scaled; and how to come back.

    Attributes
    ----------
    scale, shift : x of the block form = shift + scale · x here, of the columns that it has; the others are slacks
    source : position here of each column of the block form
    row_scale : rows here are those of the block form times this
    substituted : (columns, rows, pivots, coefficients of the columns elsewhere, cost) in the order of substitution
    weight : MW that a column is at most, for proportions
    """

    blocks: Blocks
    b: Floats
    c: Floats
    u: Floats
    offset: float
    scale: Floats
    shift: Floats
    source: Ints
    row_scale: Floats
    substituted: list[tuple[Ints, Ints, Floats, Any, Floats]]
    weight: Floats


def optimum(problem: xr.Dataset, form: BlockForm, stop: float = STOP, time_limit_s: float = INF) -> Answer:
    """Solve the block form.

    Raises
    ------
    UnknownStructure : a row or column is of none of the kinds that the elimination knows.
    NotSolved : no convergence, or time is up.
    """
    began = time.perf_counter()
    eq = equalities(problem, form)
    try:
        state, steps = _iterate(eq, stop, began + time_limit_s)
    except NotFactored as e:
        raise NotSolved(f"interior point: {e} cannot be factored") from e
    x = eq.shift + eq.scale * state.x
    y = state.y * eq.row_scale
    for _, rows, pivot, elsewhere, cost in reversed(eq.substituted):
        y[rows] += (cost - elsewhere.T @ y) / pivot
    return Answer(x[eq.source], y, state.gap, state.infeasibility, steps, time.perf_counter() - began)


def equalities(problem: xr.Dataset, form: BlockForm) -> Equalities:
    """Slacks, substitution and scales of a block form."""
    m, n = form.sparse.shape
    equal = form.row_low == form.row_up
    above = ~equal & np.isfinite(form.row_up)
    rows = np.flatnonzero(~equal)
    slack = sp.csc_array((np.where(above[rows], 1.0, -1.0), (rows, np.arange(len(rows)))), shape=(m, len(rows)))
    sparse = sp.csr_array(sp.hstack([form.sparse, slack]))
    b = np.where(above | equal, form.row_up, form.row_low)
    room = np.where(above[rows], form.row_up[rows] - form.row_low[rows], INF)
    low = np.concatenate([form.low[:n], np.zeros(len(rows)), form.low[n:]])
    up = np.concatenate([form.up[:n], room, form.up[n:]])
    if not (np.isfinite(b).all() and np.isfinite(low).all()):
        raise UnknownStructure("a row or a column without any bound")
    cost = np.concatenate([form.cost[:n], np.zeros(len(rows)), form.cost[n:]])
    sparse, b, cost, offset, substituted = _substitute(form, sparse, b, cost)
    wide = sparse.shape[1]
    offset += float(cost @ low)
    b = b - sparse @ low[:wide]  # the lower bounds of jobs' GPUs are 0
    scale, weight = _scales(problem, form, rows, sparse, up - low)
    sparse = sp.csr_array(sparse @ sp.diags_array(scale[:wide]))
    largest = np.asarray(abs(sparse).max(axis=1).todense()).ravel()
    finish, held = form.gpu_rate * scale[wide:], scale[wide:]
    np.maximum.at(largest, form.finish[form.gpu_job], np.abs(finish))
    np.maximum.at(largest, form.gpu_link, held)
    row_scale = 1.0 / np.maximum(largest, 1e-12)
    sparse = sp.csc_array(sp.diags_array(row_scale) @ sparse)
    sparse.eliminate_zeros()
    link = form.rows["link"]
    blocks = Blocks(
        sparse, form.gpu_job, form.gpu_link, finish * row_scale[form.finish[form.gpu_job]], held * row_scale[form.gpu_link],
        form.finish, [x[x >= 0] for x in link if (x >= 0).any()], _row_periods(form, sparse, n), problem.sizes["time"],
    )  # fmt: skip
    source = np.concatenate([np.arange(n), np.arange(wide, len(scale))])
    return Equalities(
        blocks, b * row_scale, cost * scale, (up - low) / scale, form.offset + offset, scale, low, source, row_scale,
        substituted, weight,
    )  # fmt: skip


def _substitute(form: BlockForm, sparse: Any, b: Floats, cost: Floats) -> tuple[Any, Floats, Floats, float, list[Any]]:
    """Row operations that leave each defined power in its own row alone; its cost moves to what defines it."""
    offset, done, cost, b = 0.0, [], cost.copy(), b.copy()
    for name, row in DEFINED:
        columns, rows = form.columns[name].ravel(), form.rows[row].ravel()
        own = sp.csc_array(sparse[rows][:, columns])
        pivot = own.diagonal()
        if abs(own - sp.diags_array(pivot)).nnz or not (pivot != 0).all():
            raise UnknownStructure(f"{row} does not define {name}")
        elsewhere = sparse[:, columns].tolil()
        elsewhere[rows] = 0.0
        elsewhere = sp.csr_array(elsewhere)
        defines, rhs = sp.diags_array(1.0 / pivot) @ sparse[rows], b[rows] / pivot
        price = cost[columns].copy()
        sparse = sp.csr_array(sparse - elsewhere @ defines)
        sparse.data[np.abs(sparse.data) < 1e-13] = 0.0
        sparse.eliminate_zeros()
        b -= elsewhere @ rhs
        offset += float(price @ rhs)
        cost[: sparse.shape[1]] -= defines.T @ price
        cost[columns] = 0.0
        done.append((columns, rows, pivot, elsewhere, price))
    return sparse, b, cost, offset, done


def _scales(problem: xr.Dataset, form: BlockForm, rows: Ints, sparse: Any, box: Floats) -> tuple[Floats, Floats]:
    """What each column is at most or about, and the MW that this stands for."""
    n, wide = form.sparse.shape[1], sparse.shape[1]
    gpu_mw = float(np.median(problem["busy_mw"].values - problem["idle_mw"].values))
    hall = float(problem["hall_mw"].values.max())
    worth = {"1": gpu_mw, "GPU h": gpu_mw, "MW": 1.0, "MWh": 1.0, "EUR": 1.0 / EUR_PER_MW}
    most = {"1": hall / gpu_mw, "GPU h": hall / gpu_mw, "MW": hall, "MWh": hall, "EUR": hall * EUR_PER_MW}
    scale, weight = np.ones(len(box)), np.full(len(box), gpu_mw)
    for name, number in form.columns.items():
        unit, there = arrays_module.SOLUTION[name].unit, number[(number >= 0) & (number < n)]
        scale[there], weight[there] = most[unit], worth[unit]
    free = (problem["available"] - problem["firm"]).values
    number = form.columns["group_gpus"]
    scale[number[number >= 0]] = np.maximum(np.broadcast_to(free, number.shape)[number >= 0], 1.0)
    finite = np.isfinite(box) & (box > 0)
    scale[finite] = box[finite]
    # A slack can be what its row can be; the unit of a row is that in which its dual is a price.
    size = np.asarray((abs(sparse[:, :n]) @ sp.diags_array(scale[:n])).max(axis=1).todense()).ravel()[rows]
    slacks = slice(n, wide)
    scale[slacks] = np.where(finite[slacks], scale[slacks], np.maximum(size, 1e-3))
    units = {"EUR": "1", "EUR MW-1": "MW", "EUR GPU-1 h-1": "GPU h", "EUR MWh-1": "MWh", "1": "EUR"}
    of_row = np.full(len(form.row_low), gpu_mw)
    for name, number in form.rows.items():
        of_row[number[number >= 0]] = worth[units[arrays_module.SOLUTION[f"dual_{name}"].unit]]
    weight[slacks] = of_row[rows]
    return scale, np.maximum(weight * scale, 1e-6)


def _row_periods(form: BlockForm, sparse: Any, n: int) -> Ints:
    """Period of each row whose columns with a period all have the same; -1: it joins periods or has none."""
    entries = sparse[:, :n].tocoo()
    period = form.column_period[entries.coords[1]]
    here, rows = period >= 0, entries.coords[0]
    low, high = np.full(sparse.shape[0], np.iinfo(np.int64).max), np.full(sparse.shape[0], -1)
    np.minimum.at(low, rows[here], period[here])
    np.maximum.at(high, rows[here], period[here])
    return np.where(low == high, high, -1)


@dataclass
class _State:
    """An iterate: x, y, and the prices of both bounds."""

    x: Floats
    y: Floats
    zl: Floats
    zu: Floats
    gap: float = INF
    infeasibility: float = INF


@dataclass
class _Step:
    """A direction, and how far it goes."""

    x: Floats
    y: Floats
    zl: Floats
    zu: Floats
    primal: float = 0.0
    dual: float = 0.0


@dataclass
class _Method:
    """Equalities with what every step needs: columns that have an upper bound, and the room below it."""

    eq: Equalities
    normal: NormalEquations
    boxed: Any = field(init=False)
    u: Floats = field(init=False)
    theta: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.boxed = np.isfinite(self.eq.u)
        self.u = np.where(self.boxed, np.maximum(self.eq.u, 1e-9), 1.0)

    def solve(self, r: Floats, tolerance: float = RESIDUAL) -> Floats:
        """(A Θ Aᵀ + δ) y = r, by conjugate gradients that the factors precondition."""
        a, target = self.eq.blocks, tolerance * (np.abs(r).max() + 1e-300)

        def product(y: Floats) -> Floats:
            return a.times(self.theta * a.transposed(y)) + DUAL_REGULARISATION * y

        y = self.normal.solve(r)
        left = r - product(y)
        best, least = y, np.abs(left).max()
        if least <= target:
            return y
        z = self.normal.solve(left)
        direction, fit = z, left @ z
        for _ in range(GRADIENTS):
            q = product(direction)
            bend = direction @ q
            if not bend > 0:
                break
            y, left = y + fit / bend * direction, left - fit / bend * q
            if np.abs(left).max() < least:
                best, least = y, np.abs(left).max()
            if least <= target:
                break
            z = self.normal.solve(left)
            fit, before = left @ z, fit
            direction = z + fit / before * direction
        return best

    def start(self) -> _State:
        """Least squares, in which dear columns are hardly used; away from every bound."""
        eq, a = self.eq, self.eq.blocks
        typical = np.median(np.abs(eq.c[eq.c != 0])) if (eq.c != 0).any() else 1.0
        x = np.where(self.boxed, 0.5 * self.u, 1.0)
        self.factor(1 / (1 + (np.abs(eq.c) / typical) ** 2))
        x = x + self.theta * a.transposed(self.solve(eq.b - a.times(x), 1e-6))
        x = np.where(self.boxed, np.clip(x, 0.02 * self.u, 0.98 * self.u), np.maximum(x, 0.02))
        y = self.solve(a.times(self.theta * eq.c), 1e-6)
        reduced = eq.c - a.transposed(y)
        least = eq.weight * typical / np.median(eq.weight) / x
        zu = np.where(self.boxed, np.maximum(-reduced, 0) + least * x / np.maximum(self.u - x, 1e-9), 0.0)
        return _State(x, y, np.maximum(reduced, 0) + least, zu)

    def factor(self, theta: Floats) -> None:
        self.theta = theta
        self.normal.factor(theta)

    def room(self, x: Floats) -> Floats:
        """Room below the upper bounds; 1 where there is none."""
        return np.where(self.boxed, np.maximum(self.u - x, LEAST_ROOM), 1.0)

    def direction(self, s: _State, low: Floats, high: Floats, primal: Floats, dual: Floats) -> _Step:
        """Newton step with given right-hand sides of x z, of room z, of the rows and of the reduced costs."""
        a, room = self.eq.blocks, self.room(s.x)
        g = dual - low / s.x + np.where(self.boxed, high / room, 0.0)
        y = self.solve(primal + a.times(self.theta * g))
        x = self.theta * (a.transposed(y) - g)
        step = _Step(x, y, (low - s.zl * x) / s.x, np.where(self.boxed, (high + s.zu * x) / room, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            step.primal = min(
                1.0, np.min(np.where(x < 0, -s.x / x, INF)), np.min(np.where(self.boxed & (x > 0), room / x, INF))
            )
            step.dual = min(
                1.0, np.min(np.where(step.zl < 0, -s.zl / step.zl, INF)),
                np.min(np.where(self.boxed & (step.zu < 0), -s.zu / step.zu, INF)),
            )  # fmt: skip
        return step

    def mean(self, x: Floats, zl: Floats, room: Floats, zu: Floats) -> float:
        """Mean of x z by weight."""
        products = x @ zl + (room * zu)[self.boxed].sum()
        return float(products / (self.eq.weight.sum() + self.eq.weight[self.boxed].sum()))


def _iterate(eq: Equalities, stop: float, until: float) -> tuple[_State, int]:
    """The best iterate and the number of steps to it."""
    method = _Method(eq, NormalEquations(eq.blocks))
    s = method.start()
    best, waited = s, 0
    for steps in range(STEPS):
        primal, dual = _residuals(method, s)
        if max(s.gap, s.infeasibility) < max(best.gap, best.infeasibility):
            best, waited = s, 0
        else:
            waited += steps > STEPS // 4
        if (s.gap < stop and s.infeasibility < stop) or waited > PATIENCE:
            break
        if time.perf_counter() > until:
            raise NotSolved(f"interior point: time is up after {steps} steps")
        s = _stepped(method, s, primal, dual)
        if not np.isfinite(s.x).all():
            break
    if not max(best.gap, best.infeasibility) < 100 * stop:
        raise NotSolved(
            f"interior point: gap {best.gap:.1e}, infeasibility {best.infeasibility:.1e} after {steps} steps"
        )
    return _projected(method, best), steps


def _residuals(method: _Method, s: _State) -> tuple[Floats, Floats]:
    """Residuals of rows and of reduced costs; sets gap and infeasibility of the iterate."""
    eq = method.eq
    primal = eq.b - eq.blocks.times(s.x)
    dual = eq.c - eq.blocks.transposed(s.y) - s.zl + s.zu
    cost = eq.c @ s.x + eq.offset
    bound = eq.b @ s.y - (method.u * s.zu)[method.boxed].sum() + eq.offset
    s.gap = float(abs(cost - bound) / max(abs(cost), 1.0))
    s.infeasibility = float(
        max(np.abs(primal).max() / (1 + np.abs(eq.b).max()), np.abs(dual).max() / (1 + np.abs(eq.c).max()))
    )
    return primal, dual


def _stepped(method: _Method, s: _State, primal: Floats, dual: Floats) -> _State:
    """Predictor, corrector, and correctors of centrality as long as they lengthen the step."""
    room, w, boxed = method.room(s.x), method.eq.weight, method.boxed
    method.factor(1 / (s.zl / s.x + np.where(boxed, s.zu / room, 0.0) + PRIMAL_REGULARISATION))
    mean = method.mean(s.x, s.zl, room, s.zu)
    d = method.direction(s, -s.x * s.zl, np.where(boxed, -room * s.zu, 0.0), primal, dual)
    ahead = method.mean(s.x + d.primal * d.x, s.zl + d.dual * d.zl, room - d.primal * d.x, s.zu + d.dual * d.zu)
    target = (ahead / mean) ** 3 * mean * w
    low = target - s.x * s.zl - d.x * d.zl
    high = np.where(boxed, target - room * s.zu + d.x * d.zu, 0.0)
    d = method.direction(s, low, high, primal, dual)
    for _ in range(CORRECTORS):
        if min(d.primal, d.dual) > 0.9:
            break
        p, q = min(1, 1.1 * d.primal + 0.1), min(1, 1.1 * d.dual + 0.1)
        more_low = _towards((s.x + p * d.x) * (s.zl + q * d.zl), target)
        more_high = np.where(boxed, _towards((room - p * d.x) * (s.zu + q * d.zu), target), 0.0)
        new = method.direction(s, low + more_low, high + more_high, primal, dual)
        if new.primal + new.dual <= d.primal + d.dual + 0.02:
            break
        d, low, high = new, low + more_low, high + more_high
    short = min(max(SHORT_OF_BOUNDARY, 1 - mean), NEVER_AT_BOUNDARY)
    p, q = min(1.0, short * d.primal), min(1.0, short * d.dual)
    return _State(s.x + p * d.x, s.y + q * d.y, s.zl + q * d.zl, s.zu + q * d.zu)


def _towards(products: Floats, target: Floats) -> Floats:
    """What brings products x z back between a tenth and ten times of where they should be."""
    up, down = 0.1 * target - products, np.maximum(10 * target - products, -10 * target)
    return np.where(products < 0.1 * target, up, np.where(products > 10 * target, down, 0.0))


def _projected(method: _Method, s: _State) -> _State:
    """The iterate moved onto its rows, columns near a bound least; they stay inside their bounds."""
    eq, room = method.eq, method.room(s.x)
    method.factor(1 / (s.zl / s.x + np.where(method.boxed, s.zu / room, 0.0) + PRIMAL_REGULARISATION))
    left = eq.b - eq.blocks.times(s.x)
    for _ in range(PROJECTIONS):
        x = s.x + method.theta * eq.blocks.transposed(method.solve(left))
        x = np.where(method.boxed, np.minimum(np.maximum(x, 0.0), eq.u), np.maximum(x, 0.0))
        after = eq.b - eq.blocks.times(x)
        if not np.abs(after).max() < np.abs(left).max():
            break
        s.x, left = x, after
    return s
