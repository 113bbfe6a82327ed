"""Numbers, units, times, names and lists as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

#: Narrow no-break space between groups of three digits (ISO 80000-1).
THIN = "\u202f"
#: No-break space between a number and its unit.
SPACE = "\u00a0"
#: Text and table cell in place of a figure that is not known.
NOT_KNOWN, DASH = "not known", "–"
#: Names longer than this are cut [characters]: a GUID (36) still fits.
LONGEST_NAME = 40
#: Reasons longer than this are cut [characters]; night.json has them in full.
LONGEST_REASON = 300
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 0, sign: bool = False) -> str:
    """A number with thin spaces between thousands, a decimal point and a true minus; a dash where it is not known."""
    if value is None:
        return DASH
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


def eur(value: float | None, sign: bool = False) -> str:
    """Money [EUR]: cents only below a hundred; a dash where it is not known."""
    return DASH if value is None else unit(value, "EUR", 2 if 0 < abs(value) < 100 else 0, sign)


def share(value: float, digits: int = 1) -> str:
    """A share in per cent."""
    return unit(100 * value, "%", digits)


def power_of_ten(value: float) -> str:
    """A very small number as 1.7 × 10⁻¹⁵."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}".replace("-", "−")


def _naive(at: np.datetime64 | str) -> datetime:
    """The moment (UTC) of a datetime64, or of an ISO text with or without an offset."""
    if isinstance(at, str):
        parsed = datetime.fromisoformat(at)
        return parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed
    plain: datetime = at.astype("datetime64[s]").astype(datetime)
    return plain


def day(at: np.datetime64 | str) -> str:
    """A day as 30 Apr 2018."""
    return f"{short_day(at)} {_naive(at).year}"


def short_day(at: np.datetime64 | str) -> str:
    """A day as 30 Apr."""
    plain = _naive(at)
    return f"{plain.day} {MONTHS[plain.month - 1]}"


def clock(at: np.datetime64 | str) -> str:
    """A time of day as 22:00."""
    return f"{_naive(at):%H:%M}"


def moment(at: np.datetime64 | str) -> str:
    """A moment as 30 Apr 2018 22:00 UTC."""
    return f"{day(at)} {clock(at)} UTC"


def utc(stamp: str) -> str:
    """An ISO stamp as 2018-04-30 22:00 UTC."""
    return stamp.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC")


def listed(items: Sequence[str], most: int = 4) -> str:
    """Items as text: "a, b and c"; beyond `most` items "a, b and 3 others"; "none" without any."""
    shown = list(items) if len(items) <= most else [*items[: most - 1], f"{len(items) - most + 1} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"


def clipped(name: str) -> str:
    """A name short enough for a table; the schedule has it in full."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def one_line(text: str) -> str:
    """A text from outside on one line: no line breaks, no control or direction marks, no runs of spaces."""
    shown = (c if c.isprintable() or c in (THIN, SPACE) else " " for c in text)
    return " ".join(filter(None, "".join(shown).split(" ")))


def name(text: object) -> str:
    """A name from outside: one line, short enough for a table."""
    return clipped(one_line(str(text)))


def sentence(text: object) -> str:
    """A reason from outside: one line, cut where it is longer than a reader reads."""
    line = one_line(str(text))
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1]}…"


def capitalised(text: str) -> str:
    """The first letter in upper case, abbreviations left alone."""
    return text[:1].upper() + text[1:]


def counted(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun: 1 job, 2 jobs."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def hours(value: float) -> str:
    """A length of time: 45 min, 3.5 h."""
    whole = abs(value) >= 100 or abs(value - round(value)) < 0.05
    return unit(60 * value, "min") if abs(value) < 1 else unit(value, "h", 0 if whole else 1)


def limit(value: float) -> str:
    """A PUE cap: two decimals, more where it has them."""
    return f"{value:.2f}" if abs(value - round(value, 2)) < 1e-9 else f"{value:g}"
