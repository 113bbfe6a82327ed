"""ENTSO-E market documents: TimeSeries, Periods and Points, with the rules of their curve types.

A01: each position stands for itself, a missing one is a gap. A03: a value holds until the next position that
is there, and the LAST one to the end of its Period; never across Periods. Positions count steps of the
Period's resolution; days and weeks are counted in the zone's local time (a week across the spring change
has 167 hours, its neighbours begin at the local Monday all the same).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from xml.etree.ElementTree import Element

import numpy as np

from energy.schema import Floats, Times
from energy.sources.clock import local_steps
from energy.sources.labelled import utc
from energy.sources.xmltree import parse_xml, text

#: Resolutions of fixed length [min], and those counted in local days.
MINUTES = {"PT1M": 1, "PT5M": 5, "PT15M": 15, "PT30M": 30, "PT60M": 60, "PT1H": 60}
LOCAL_DAYS = {"P1D": 1, "P7D": 7}
#: Most steps of a Period: a leap year of quarter hours has 35 136.
MOST_STEPS = 40_000


@dataclass(frozen=True)
class Period:
    """One Period with what its TimeSeries says about it; `sequence` is the auction's, 1 where not stated."""

    sequence: int
    unit: str
    currency: str
    psr: str
    consumption: bool
    time: Times
    dt: Floats
    value: Floats

    @property
    def step_h(self) -> float:
        """Shortest step [h]."""
        return float(self.dt.min()) if len(self.dt) else 0.0


def periods(body: bytes, value: str, clock: str) -> list[Period]:
    """All Periods of a document.

    Parameters
    ----------
    value : element that holds the number, ``price.amount`` or ``quantity``
    clock : time zone in which days and weeks are counted

    Raises
    ------
    ValueError : not the documented form.
    """
    return [p for series in parse_xml(body).findall("TimeSeries") for p in _of_series(series, value, clock)]


def _of_series(series: Element, value: str, clock: str) -> Iterator[Period]:
    sequence = series.findtext("classificationSequence_AttributeInstanceComponent.position")
    held = series.findtext("curveType", "A01").strip() == "A03"
    unit = series.findtext("price_Measure_Unit.name") or series.findtext("quantity_Measure_Unit.name") or ""
    for period in series.findall("Period"):
        time, dt, numbers = _points(period, value, held, clock)
        yield Period(
            int(sequence) if sequence else 1, unit.strip(), series.findtext("currency_Unit.name", "").strip(),
            series.findtext("MktPSRType/psrType", "").strip(), series.find("outBiddingZone_Domain.mRID") is not None,
            time, dt, numbers,
        )  # fmt: skip


def _points(period: Element, value: str, held: bool, clock: str) -> tuple[Times, Floats, Floats]:
    """Starts, lengths [h] and values of the steps that have one."""
    start, end = utc([text(period, "timeInterval/start"), text(period, "timeInterval/end")])
    edges = _edges(start, end, text(period, "resolution"), clock)
    given = sorted((int(text(p, "position")), float(text(p, value))) for p in period.findall("Point"))
    at = np.array([position for position, _ in given], dtype=int)
    if len(at) == 0 or at[0] < 1 or at[-1] >= len(edges) or (np.diff(at) == 0).any():
        raise ValueError(f"positions {at[:1]} … {at[-1:]} do not fit {len(edges) - 1} steps, each once")
    numbers = np.full(len(edges) - 1, np.nan)
    numbers[at - 1] = [number for _, number in given]
    if held:
        last = np.maximum.accumulate(np.where(np.isfinite(numbers), np.arange(len(numbers)), -1))
        numbers = np.where(last >= 0, numbers[np.maximum(last, 0)], np.nan)
    keep = np.isfinite(numbers)
    return edges[:-1][keep], (np.diff(edges) / np.timedelta64(1, "h"))[keep], numbers[keep]


def _edges(start: np.datetime64, end: np.datetime64, resolution: str, clock: str) -> Times:
    """Starts of all steps of a Period and its end."""
    if resolution in MINUTES:
        step = np.timedelta64(MINUTES[resolution], "m")
        edges = start + np.arange(min(int((end - start) / step), MOST_STEPS) + 1) * step
    elif resolution in LOCAL_DAYS:
        days = LOCAL_DAYS[resolution]
        count = min(round((end - start) / np.timedelta64(days, "D")), MOST_STEPS)
        edges = local_steps(start, count + 1, timedelta(days=days), clock)
    else:
        raise ValueError(f"resolution {resolution} is not one of {', '.join([*MINUTES, *LOCAL_DAYS])}")
    if len(edges) < 2 or edges[-1] != end:
        raise ValueError(f"Period {start} … {end} is no whole number of {resolution} in {clock}")
    return edges
