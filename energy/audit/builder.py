"""Numbers columns and rows of an array model block by block, with no idea of what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from energy.schema import Bools, Floats, Ints


@dataclass
class Builder:
    """Numbers columns and rows block by block and collects coefficients."""

    columns: dict[str, Ints] = field(default_factory=dict)
    rows: dict[str, Ints] = field(default_factory=dict)
    low: list[Floats] = field(default_factory=list)
    up: list[Floats] = field(default_factory=list)
    row_low: list[Floats] = field(default_factory=list)
    row_up: list[Floats] = field(default_factory=list)
    entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    n_columns: int = 0
    n_rows: int = 0

    def variable(self, name: str, exists: Bools, low: Any, up: Any) -> None:
        """Columns of one name where they exist, with their bounds."""
        self.columns[name], self.n_columns = _number(exists, self.n_columns)
        self.low.append(np.broadcast_to(low, exists.shape)[exists].astype(float))
        self.up.append(np.broadcast_to(up, exists.shape)[exists].astype(float))

    def row(self, name: str, exists: Bools, low: Any, up: Any) -> None:
        """Rows of one name where they exist, with their sides."""
        self.rows[name], self.n_rows = _number(exists, self.n_rows)
        self.row_low.append(np.broadcast_to(low, exists.shape)[exists].astype(float))
        self.row_up.append(np.broadcast_to(up, exists.shape)[exists].astype(float))

    def put(self, row: Any, column: Any, value: Any) -> None:
        """Coefficients where both the row and the column exist; shapes are broadcast together."""
        r, c, v = np.broadcast_arrays(row, column, np.asarray(value, dtype=float))
        there = (r >= 0) & (c >= 0)
        self.entries.append((r[there], c[there], v[there]))

    def matrix(self) -> Any:
        """All coefficients, sparse by columns."""
        r, c, v = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        return sp.csc_array(sp.coo_array((v, (r, c)), shape=(self.n_rows, self.n_columns)))


def _number(exists: Bools, first: int) -> tuple[Ints, int]:
    numbers = np.full(exists.shape, -1, dtype=np.int64)
    count = int(exists.sum())
    numbers[exists] = np.arange(first, first + count)
    return numbers, first + count
