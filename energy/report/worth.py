"""What one more of anything is worth: deadlines, GPUs, grid, PUE caps; from the `prices` table."""

from __future__ import annotations

import numpy as np

from energy.report.pue import Cap
from energy.report.tables import Column, Table, row, table, words
from energy.report.view import View
from energy.report.words import clipped, counted, eur, hours, listed, moment, number
from energy.schema import Floats, Ints

#: Rows shown.
TOP = 10
#: Values below this [EUR] are the solver's rounding.
LEAST_EUR = 0.005
#: A pool with less than this free is full [GPU].
WHOLE_GPU = 1e-3
#: A pool is full much of the time from this share of the periods on.
OFTEN = 0.25

DEADLINES = (
    words("Job"), words("Deadline"), Column("Work", "GPU-h"), Column("Most GPUs"),
    Column("One hour later saves", "EUR/h"),
)  # fmt: skip
GPUS = (words("Pool"), Column("All in use", "periods"), Column("One more GPU", "EUR"), Column("Dearest period", "EUR"))
GRID = (words("Site"), Column("One more MW", "EUR"), Column("Periods at the limit"), Column("Dearest period", "EUR"))


def deadline_table(view: View) -> Table | None:
    """The jobs whose deadline costs most; None where no deadline costs anything."""
    value = view.prices["value_deadline"].values * view.there
    work, most = (view.problem[n].values for n in ("work_left", "max_gpus"))
    rows = [
        row(
            view.jobs[j], _deadline(view, j), number(float(work[j])), number(float(most[j])), number(float(value[j]), 2)
        )
        for j in _largest(value)
    ]
    return table(DEADLINES, rows) if rows else None


def deadline_words(view: View) -> str:
    """How many deadlines cost something."""
    value = view.prices["value_deadline"].values[view.there]
    costly = int((value > LEAST_EUR).sum())
    if not costly:
        return "No deadline inside the horizon costs anything: every job that waits has all the time it wants."
    return (
        f"{number(costly)} of {counted(len(value), 'job')} would run cheaper with a later deadline. "
        "The figure is the saving from the first extra hour; deadlines beyond the horizon count as free."
    )


def _largest(value: Floats) -> list[int]:
    """Positions of the largest values above rounding, largest first."""
    return [int(i) for i in np.argsort(-value, kind="stable")[:TOP] if value[i] > LEAST_EUR]


def _deadline(view: View, j: int) -> str:
    """End of the job's window (UTC)."""
    share_open = view.problem["open"].values[j]
    if not (share_open > 0).any():
        return "not open in the horizon"
    last = int(np.flatnonzero(share_open > 0)[-1])
    return moment(view.at(float(view.edges[last] + share_open[last] * view.dt[last])))


def gpu_table(view: View) -> Table:
    """One more GPU through the whole horizon by pool, dearest first."""
    value = view.prices["value_gpu"].values
    total = value.sum(axis=1)
    full = full_periods(view)
    rows = [
        row(clipped(view.pools[n]), number(int(full[n])), number(float(total[n]), 2), number(float(value[n].max()), 2))
        for n in np.argsort(-total, kind="stable")[:TOP]
    ]
    return table(GPUS, rows)


def full_periods(view: View) -> Ints:
    """Periods in which every GPU of the pool is in use, (N,)."""
    free = view.problem["available"].values - view.problem["firm"].values - view.used("plan")
    return np.asarray((free < WHOLE_GPU).sum(axis=1))


def gpu_words(view: View) -> str:
    """Whether one more GPU saves anything."""
    best = float(view.prices["value_gpu"].values.sum(axis=1).max(initial=-np.inf))
    saves = f"saves {eur(best)} in the best pool" if best > LEAST_EUR else "saves nothing in any pool"
    text = f"By the program's duals one more GPU {saves} over {hours(float(view.edges[-1]))}"
    return f"{text}; a negative figure is what it costs to keep it idle. {_lower_bound(view)}".strip()


def _lower_bound(view: View) -> str:
    """What the figure leaves out where a pool is full for long."""
    full = full_periods(view)
    often = [n for n in np.argsort(-full, kind="stable") if full[n] >= OFTEN * len(view.dt)]
    if not often:
        return ""
    names = listed([clipped(view.pools[n]) for n in often])
    return (
        f"{names} {'is' if len(often) == 1 else 'are'} full much of the time: "
        "the program's cooling ends where the last GPU of a hall is busy, and scarcity can count there and not here, "
        "so that the figure is a lower bound."
    )


def grid_table(view: View) -> Table | None:
    """One more MW of grid connection through the whole horizon by site; None where no limit binds."""
    value = view.prices["value_grid"].values
    total = value.sum(axis=1)
    rows = [
        row(
            view.sites[s],
            number(float(total[s]), 2),
            number(int((value[s] > LEAST_EUR).sum())),
            number(float(value[s].max()), 2),
        )
        for s in _largest(total)
    ]
    return table(GRID, rows) if rows else None


def cap_words(found: list[Cap]) -> str:
    """Which caps cost something, and how much a hundredth is worth."""
    if not found:
        return "There is no PUE cap."
    costly = sorted((c for c in found if c.worth_eur > LEAST_EUR), key=lambda c: -c.worth_eur)
    if not costly:
        return "No PUE cap costs anything: the cheapest plan meets all of them."
    told = [f"{c.name} ({eur(c.worth_eur)} per 0.01)" for c in costly]
    return f"{counted(len(costly), 'cap')} cost money: {listed(told, 8)}."
