"""CSV cells that a spreadsheet shows as text: names that begin like a formula get an apostrophe, as spreadsheets do.

Parquet and JSON files keep every name as it is; reading a CSV file of a run takes the apostrophe away again.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from pandas.api.types import is_numeric_dtype

#: First characters that make a spreadsheet calculate (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
MARK = "'"


def escape(text: str) -> str:
    """The text with one apostrophe more where, apostrophes aside, it begins like a formula."""
    return MARK + text if text.lstrip(MARK).startswith(FORMULA) else text


def unescape(text: str) -> str:
    """The text that `escape` was given."""
    return text[1:] if text.startswith(MARK) and text.lstrip(MARK).startswith(FORMULA) else text


def escape_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with every text cell escaped; numbers and times are untouched."""
    return _each(frame, escape)


def unescape_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The table that `escape_frame` was given."""
    return _each(frame, unescape)


def _each(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    text = [c for c in frame.columns if not is_numeric_dtype(frame[c]) and frame[c].dtype.kind != "M"]
    return frame.assign(**{c: [change(v) if isinstance(v, str) else v for v in frame[c]] for c in text})
