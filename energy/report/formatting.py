"""Numbers, units, times, names and lists as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np

#: Narrow no-break space between groups of three digits (ISO 80000-1).
THIN = "\u202f"
#: No-break space between a number and its unit.
SPACE = "\u00a0"
#: What stands where a figure is not known.
NOT_KNOWN = "not known"
#: Names longer than this are cut [characters]: a GUID (36) still fits.
LONGEST_NAME = 40
#: Reasons longer than this are cut [characters]; night.json has them in full.
LONGEST_REASON = 300
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


def number_or_dash(value: float | None, digits: int = 0) -> str:
    """A number, a dash where it is not known."""
    return "–" if value is None else number(value, digits)


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


def day_of(iso: str) -> np.datetime64:
    """A day such as 2019-03-02."""
    return np.datetime64(date.fromisoformat(iso).isoformat())


def moment_of(iso: str) -> str:
    """2 Mar 2019 11:00 UTC, from an ISO time with or without an offset."""
    at = datetime.fromisoformat(iso)
    plain = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    return moment(np.datetime64(plain.isoformat()))


def utc(stamp: str) -> str:
    """2018-04-30 22:00 UTC, from an ISO stamp."""
    return stamp.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC")


def _plain(moment: np.datetime64) -> datetime:
    plain: datetime = moment.astype("datetime64[s]").astype(datetime)
    return plain


def listed(items: Sequence[str], most: int = 4) -> str:
    """Items as text: "a, b and c"; beyond `most` items "a, b and 3 others"."""
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
    """1 job, 2 jobs."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def hours(value: float) -> str:
    """A length of time: 45 min, 3.5 h."""
    whole = abs(value) >= 100 or abs(value - round(value)) < 0.05
    return unit(60 * value, "min") if abs(value) < 1 else unit(value, "h", 0 if whole else 1)


def limit(value: float) -> str:
    """A PUE cap: two decimals, more where it has them."""
    return f"{value:.2f}" if abs(value - round(value, 2)) < 1e-9 else f"{value:g}"
