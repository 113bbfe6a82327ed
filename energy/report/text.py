"""Numbers, times and lists as readers of the report see them.

Tables of the page: columns with units, cells of finished text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

#: Narrow no-break space between groups of three digits (ISO 80000-1).
THIN = "\u202f"
#: No-break space between a number and its unit.
SPACE = "\u00a0"
#: What stands where a figure is not known.
NOT_KNOWN = "not known"
#: Names longer than this are cut [characters]: a GUID (36) still fits.
LONGEST_NAME = 40
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 0, sign: bool = False) -> str:
    """A number with thin spaces between thousands, a decimal point and a true minus."""
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    elif sign and value > 0:
        text = f"+{text}"
    return text.replace(",", THIN).replace("-", "−")


def unit(value: float, name: str, digits: int = 0, sign: bool = False) -> str:
    """A number with its unit."""
    return f"{number(value, digits, sign)}{SPACE}{name}"


def places(largest: float) -> int:
    """Decimals of a column of money or energy, by its largest figure: small fleets have them."""
    return 0 if abs(largest) >= 1000 else 2


def mwh(value: float) -> str:
    """An energy [MWh]: decimals only below ten."""
    return unit(value, "MWh", 2 if 0 < abs(value) < 10 else 0)


def eur(value: float, sign: bool = False) -> str:
    """Money [EUR]: cents only below a hundred."""
    return unit(value, "EUR", 2 if 0 < abs(value) < 100 else 0, sign)


def share(value: float, digits: int = 1) -> str:
    """A share in per cent."""
    return unit(100 * value, "%", digits)


def power_of_ten(value: float) -> str:
    """A very small number as 1.7 × 10⁻¹⁵."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}".replace("-", "−")


def day(moment: np.datetime64) -> str:
    """30 Apr 2018."""
    at = _plain(moment)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def short_day(moment: np.datetime64) -> str:
    """30 Apr."""
    at = _plain(moment)
    return f"{at.day} {MONTHS[at.month - 1]}"


def clock(moment: np.datetime64) -> str:
    """22:00."""
    at = _plain(moment)
    return f"{at.hour:02d}:{at.minute:02d}"


def moment(at: np.datetime64) -> str:
    """30 Apr 2018 22:00 UTC."""
    return f"{day(at)} {clock(at)} UTC"


def _plain(moment: np.datetime64) -> datetime:
    plain: datetime = moment.astype("datetime64[s]").astype(datetime)
    return plain


def listed(items: Sequence[str], most: int = 4) -> str:
    """a, b and c; long lists end in how many others there are."""
    shown = list(items) if len(items) <= most else [*items[: most - 1], f"{len(items) - most + 1} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"


def clipped(name: str) -> str:
    """A name short enough for a table; the schedule has it in full."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def one_line(text: str) -> str:
    """A text from outside on one line: no line breaks, no control or direction marks, no runs of spaces."""
    shown = (c if c.isprintable() or c in (THIN, SPACE) else " " for c in text)
    return " ".join(filter(None, "".join(shown).split(" ")))


def counted(count: int, one: str, many: str | None = None) -> str:
    """1 job, 2 jobs."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def hours(value: float) -> str:
    """A length of time: 45 min, 3.5 h."""
    whole = abs(value) >= 100 or abs(value - round(value)) < 0.05
    return unit(60 * value, "min") if abs(value) < 1 else unit(value, "h", 0 if whole else 1)


def limit(value: float) -> str:
    """A PUE cap: two decimals, more where it has them."""
    return f"{value:.2f}" if abs(value - round(value, 2)) < 1e-9 else f"{value:g}"


@dataclass(frozen=True)
class Column:
    """Heading and unit; columns of words are set left, figures right, and only `prose` may break into lines."""

    label: str
    unit: str = ""
    words: bool = False
    prose: bool = False


@dataclass(frozen=True)
class Cell:
    """Text, a smaller line below it, and a mark that the style sheet knows (good, bad, quiet)."""

    text: str
    below: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """What a table shows; `total` is the last row, set apart."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()


def row(*cells: str | Cell) -> tuple[Cell, ...]:
    """Cells of one row; plain text becomes a cell."""
    return tuple(c if isinstance(c, Cell) else Cell(c) for c in cells)


def words(label: str, unit: str = "") -> Column:
    """A column of words."""
    return Column(label, unit, words=True)


def prose(label: str) -> Column:
    """A column of sentences."""
    return Column(label, words=True, prose=True)


def table(columns: Sequence[Column], rows: Sequence[tuple[Cell, ...]], total: tuple[Cell, ...] = ()) -> Table:
    """A table whose rows all have as many cells as there are columns."""
    for cells in (*rows, *([total] if total else [])):
        if len(cells) != len(columns):
            raise ValueError(f"{len(cells)} cells under {len(columns)} columns, first {cells[:1]}")
    return Table(tuple(columns), tuple(rows), total)
