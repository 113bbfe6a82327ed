"""A case as it was known at a moment: values that nobody could have had by then are blanked.

Rules by what a value is (its `quality`), for plans of past nights ("as known then"):

    auction, secondary prices         13:00 in Brussels on the day before delivery
    measured, secondary, proxy        the end of the interval
    forecast, persistence, scenario   always: they say nothing about what happened
    exchange rates                    16:00 in Brussels on their day

A night cuts more simply: rows before a moment, and forecasts.

Blanks are filled only where the reader asks for it (`fill`), from earlier days, and labelled `persistence`. What was
fetched live is replayed from the answers kept then instead: ``energy.fetch.open_client(as_of=…)``.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from energy.schema import Bools

#: The coupled auction's results are out at 12:45, at 13:00 everybody has them; its delivery days are Brussels'.
MARKET_CLOCK, AUCTION_HOUR = "Europe/Brussels", 13
#: The central bank publishes at 16:00 there.
RATES_HOUR = 16
#: Age of a series' last value, at the moment that looks at it, beyond which a plan says so [h]. Weather: a day, after which
#: persistence is worth little. Carbon and exchange rates: a week, more than any holidays of a bank or a grid operator's portal.
#: Prices have none: each hour of the delivery day without one is named.
LONGEST_AGE_H = {"weather": 24.0, "carbon": 168.0, "fx": 168.0}
#: Known whenever: statements about the future, or made up.
NO_EVENT = ("forecast", "persistence", "scenario")
#: Known by the auction, where the series is a price.
OF_AUCTION = ("auction", "secondary")


def as_known(values: pd.DataFrame, quality: pd.Series | str, as_of: datetime | None, price: bool) -> pd.DataFrame:
    """`values` with NaN where they were not known yet.

    Parameters
    ----------
    values : over interval starts (UTC, naive)
    quality : of each row, or one for all
    as_of : the moment (UTC, naive); None keeps everything
    price : a price of the coupled auction, known the day before
    """
    if as_of is None or len(values) < 2:
        return values
    index = pd.DatetimeIndex(values.index)
    labels = pd.Series(quality, index=index) if isinstance(quality, str) else quality.reindex(index)
    step = pd.Timedelta(pd.Series(index[1:] - index[:-1]).mode().iloc[0])
    ended = np.asarray(index + step <= pd.Timestamp(as_of))
    known = np.where(price & labels.isin(OF_AUCTION).to_numpy(), _passed(index, AUCTION_HOUR - 24, as_of), ended)
    return values.where(pd.Series(known | labels.isin(NO_EVENT).to_numpy(), index=values.index), np.nan)


def too_old(kind: str, last: np.datetime64, moment: np.datetime64) -> str:
    """How old a series is whose last value is older than its kind may be; empty where it is not."""
    age = float((moment - last) / np.timedelta64(1, "h"))
    if age <= LONGEST_AGE_H[kind]:
        return ""
    ends = np.datetime_as_string(last.astype("datetime64[m]"))
    return f"ends at {ends}Z, {age / 24:.0f} days before {np.datetime_as_string(moment.astype('datetime64[m]'))}Z"


def published_before(table: pd.DataFrame, until: np.datetime64) -> pd.DataFrame:
    """Rows that begin before `until`, later ones where they are forecasts; a source's own persistence is left out.

    Parameters
    ----------
    table : with `quality` in words, over interval starts (UTC)
    """
    past = (table.index < pd.Timestamp(until)) & (table["quality"] != "persistence")
    return table[past | (table["quality"] == "forecast")]


def rates_known(days: pd.DatetimeIndex, as_of: datetime | None) -> Bools:
    """Flags of the daily exchange rates that were public by then, shape (D,)."""
    return np.ones(len(days), dtype=bool) if as_of is None else _passed(days, RATES_HOUR, as_of)


def _passed(index: pd.DatetimeIndex, hour: int, as_of: datetime) -> Bools:
    """Flags of the local days whose `hour` o'clock (negative: on the day before) had come by then."""
    local = index.tz_localize("UTC").tz_convert(MARKET_CLOCK).tz_localize(None).normalize()
    moment = (local + timedelta(hours=hour)).tz_localize(MARKET_CLOCK).tz_convert("UTC").tz_localize(None)
    return np.asarray(moment <= pd.Timestamp(as_of))
