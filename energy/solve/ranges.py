"""Coefficient ranges of a program, and who has the largest and the smallest: the numerical report.

Spreads of 1e7 to 1e9 from near-zero prices are normal and solve exactly; what a solver cannot resolve are costs
near its own tolerance, which `check_scale` refuses with the culprit's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from energy.schema import Floats


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
    entries = form.matrix.tocoo()
    pairs = [f"{form.rows[r]}, {form.columns[c]}" for r, c in _extreme_entries(entries)]
    columns, rows = [str(v) for v in form.columns], [str(r) for r in form.rows]
    return (
        _range("cost", form.cost, columns),
        Range("matrix", *_both(np.abs(entries.data[entries.data != 0]), pairs)),
        _range("bounds", np.concatenate([form.low, form.up]), columns * 2),
        _range("right-hand sides", np.concatenate([form.row_low, form.row_up]), rows * 2),
    )


def _extreme_entries(entries: Any) -> list[tuple[int, int]]:
    """Row and column of the smallest and the largest nonzero of a matrix."""
    size = np.where(entries.data != 0, np.abs(entries.data), np.nan)
    if not np.isfinite(size).any():
        return []
    return [(int(entries.row[i]), int(entries.col[i])) for i in (np.nanargmin(size), np.nanargmax(size))]


def _both(size: Floats, names: list[str]) -> tuple[float, str, float, str]:
    if not len(names):
        return 0.0, "none", 0.0, "none"
    return float(size.min()), names[0], float(size.max()), names[1]


def _range(kind: str, values: Floats, names: list[str]) -> Range:
    size = np.abs(values)
    there = np.flatnonzero(np.isfinite(size) & (size > 0))
    if not len(there):
        return Range(kind, 0.0, "none", 0.0, "none")
    low, high = there[np.argmin(size[there])], there[np.argmax(size[there])]
    return Range(kind, float(size[low]), names[low], float(size[high]), names[high])
