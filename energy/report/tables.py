"""Tables as data: columns with units, cells of finished text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """Heading and unit; `left`: words, not figures, which are set right; only `prose` may break into lines."""

    label: str
    unit: str = ""
    left: bool = False
    prose: bool = False


@dataclass(frozen=True)
class Cell:
    """Text, a smaller line below it, a mark that the style sheet knows (good, bad), and a link."""

    text: str
    below: str = ""
    mark: str = ""
    href: str = ""


@dataclass(frozen=True)
class Table:
    """What a table shows; `total` is the last row, set apart."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()


def row(*cells: str | Cell) -> tuple[Cell, ...]:
    """Cells of one row; plain text becomes a cell."""
    return tuple(c if isinstance(c, Cell) else Cell(c) for c in cells)


def left(label: str) -> Column:
    """A column of words, set left."""
    return Column(label, left=True)


def prose(label: str) -> Column:
    """A column of sentences."""
    return Column(label, left=True, prose=True)


def table(columns: Sequence[Column], rows: Sequence[tuple[Cell, ...]], total: tuple[Cell, ...] = ()) -> Table:
    """Build a Table; a row needs as many cells as there are columns."""
    for cells in (*rows, *([total] if total else [])):
        if len(cells) != len(columns):
            raise ValueError(f"{len(cells)} cells under {len(columns)} columns, first {cells[:1]}")
    return Table(tuple(columns), tuple(rows), total)
