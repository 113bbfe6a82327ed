"""Overhead as chords for the linear program: breakpoints on the kinks, exact values on the curve.

Chords of a convex curve lie on or above it, so a plan that meets a limit on chords meets it on the curve.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from energy.plant.arrays import Floats, PlantError, check_range
from energy.plant.model import MAX_LOAD, Curve, curve_of
from energy.plant.parameters import Plant
from energy.plant.weather import Weather

#: Segments narrower than this [share of design] have no slope of their own: 1 W in a 1 MW hall.
MIN_WIDTH = 1e-6
#: Slopes may fall from one segment to the next by this much [MW/MW]: overheads of order 0.1 carry rounding of some
#: 1e-17, over the narrowest width that counts some 1e-10. A real concavity is larger by orders of magnitude.
SLOPE_TOLERANCE = 1e-8
#: Kinks closer than this to a stronger breakpoint [share of design] get none of their own: the chord across so short
#: an interval errs by at most a quarter of it times the jump in slope, 1e-4 for a jump of 0.04 MW/MW.
MERGE = 0.001
#: Hours worked on at a time: 4096 hours x 9 loads x 8 byte stay in a second-level cache, which halves the time.
BLOCK_HOURS = 4096
#: Load by which an error is divided to make PUE points [share of design]: below it PUE has no practical meaning.
LEAST_LOAD = 0.05
#: Default error allowed between chord and curve [PUE points].
TOLERANCE = 0.0005
#: Least load at which an error is promised [share of design].
PROMISED_FROM = 0.2
#: Share of the tolerance aimed at: of the loads looked at inside a segment the nearest lies within 1/16 of its length
#: of the highest excess, which costs at most (1/8)² = 1.6 % of it.
AIM = 0.98
#: Hours in which the search for the number of segments begins: all hours of a year take seconds at each step.
SAMPLE_HOURS = 256
#: More segments than this cost the program more than they bring.
MAX_SEGMENTS = 40
Counts: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class Chords:
    """A convex piecewise linear overhead curve for each hour.

    Attributes
    ----------
    breaks : IT load at the breakpoints [share of design], shape (T, segments + 1), non-decreasing; repeated where
        an hour needs fewer segments
    overhead : overhead there [MW per MW of design], shape (T, segments + 1), on the curve
    """

    breaks: Floats
    overhead: Floats


def chords(plant: Plant, weather: Weather, low: Floats, high: Floats, segments: int) -> Chords:
    """Chords of the overhead curve between the least and the highest load of each hour.

    Parameters
    ----------
    plant, weather : as in `overhead`, T hours
    low, high : reachable loads [share of design], shape (T,), 0 <= low <= high
    segments : number of segments, 1 or more; `chords_within` finds how many

    Returns
    -------
    Chords : breakpoints at `low`, `high`, the kinks between them (the strongest first, if there are more than
        segments allow), and points that split the pieces between them evenly, more where they are more curved;
        even spacing is near the best for curves between u² and u⁴ when the error counts in PUE points

    Raises
    ------
    PlantError : bad range or number of segments; or slopes that fall, which would let the program invent
        savings; names the archetype and the hour.
    """
    low, high = (np.asarray(x, float) for x in (low, high))
    if not segments >= 1 or low.shape != weather.temp_air.shape or high.shape != low.shape:
        raise PlantError(
            f"chords need at least one segment and loads of shape {weather.temp_air.shape}, "
            f"got {segments} segments, low {low.shape}, high {high.shape}"
        )
    check_range("low", low, 0.0, MAX_LOAD, "of design")
    check_range("high", high, 0.0, MAX_LOAD, "of design")
    check_range("high - low", high - low, 0.0, MAX_LOAD, "of design")
    breaks, overhead = [], []
    for first in range(0, max(len(low), 1), BLOCK_HOURS):  # one empty block for no hours
        hours = slice(first, first + BLOCK_HOURS)
        some, least, most = Weather(*(values[hours] for values in weather)), low[hours], high[hours]
        hall = curve_of(plant, some)
        edges = np.column_stack([least, _apart(least, most, hall.kinks()[:, : segments - 1]), most])
        breaks.append(_split(edges, _share_out(edges, _sagitta(hall, edges), segments), segments))
        overhead.append(hall.overhead(breaks[-1]).total)
        _check_convex(plant, Chords(breaks[-1], overhead[-1]), first)
    return Chords(np.concatenate(breaks), np.concatenate(overhead))


def chords_within(plant: Plant, weather: Weather, low: Floats, high: Floats, tolerance: float = TOLERANCE) -> Chords:
    """Chords with as few segments as keep them within `tolerance` in these very hours and load ranges.

    Parameters
    ----------
    plant, weather, low, high : as in `chords`
    tolerance : error allowed at loads of 0.2 of design and more [PUE points]

    Raises
    ------
    PlantError : as `chords`; or more than 40 segments would be needed.
    """
    # Hours spread evenly over the order of dry bulb, the coldest and the hottest among them.
    places = np.linspace(0, max(len(weather.temp_air) - 1, 0), min(len(weather.temp_air), SAMPLE_HOURS))
    sample = np.argsort(weather.temp_air, kind="stable")[places.round().astype(np.intp)]
    some = Weather(*(values[sample] for values in weather))
    begin = _search(plant, some, low[sample], high[sample], tolerance, 1)[0]
    return _search(plant, weather, low, high, tolerance, begin)[1]


def _search(
    plant: Plant, weather: Weather, low: Floats, high: Floats, tolerance: float, begin: int
) -> tuple[int, Chords]:
    """Least number of segments from `begin` on that keeps the tolerance in every hour, and its chords."""
    for segments in range(begin, MAX_SEGMENTS + 1):
        curve = chords(plant, weather, low, high, segments)
        if chord_error(plant, weather, curve).max(initial=0.0) <= AIM * tolerance:
            return segments, curve
    what = f"more than {MAX_SEGMENTS} segments for a chord error of {tolerance:g} PUE points"
    raise PlantError(f"plant {plant.archetype}: {what}")


def _sagitta(hall: Curve, edges: Floats) -> Floats:
    """Height of the chord of each piece over the curve at its middle [PUE points], shape of the pieces."""
    middle = 0.5 * (edges[:, :-1] + edges[:, 1:])
    both = hall.overhead(np.concatenate([edges, middle], axis=1)).total
    at_edges, at_middle = both[:, : edges.shape[1]], both[:, edges.shape[1] :]
    rise = 0.5 * (at_edges[:, :-1] + at_edges[:, 1:]) - at_middle
    return np.asarray(np.maximum(rise, 0.0) / np.maximum(middle, LEAST_LOAD))


def _share_out(edges: Floats, sagitta: Floats, segments: int) -> Counts:
    """Segments per piece: one for each piece with a length, each of the rest where the error is largest.

    n even segments in a piece of sagitta s leave an error of about s/n². Each row adds up to `segments`. Sharing out by
    the largest root/n is Adams' apportionment, n = ⌈root/λ⌉. The n add up to `segments` in k pieces, so
    Σ root/λ > segments - k, and n >= root·(segments - k)/Σ root: a start that leaves few to share out one by one.
    """
    root, there = np.sqrt(sagitta), np.diff(edges, axis=1) > 0.0
    few = segments - there.sum(axis=1, keepdims=True)
    share = few * root / np.maximum(root.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    counts = np.asarray(np.maximum(np.ceil(share - MIN_WIDTH), 1.0) * there).astype(np.intp)
    height, left = root / np.maximum(counts, 1), segments - counts.sum(axis=1)
    first = np.arange(len(edges)) * counts.shape[1]
    for _ in range(int(left.max(initial=0))):
        worst, more = first + np.argmax(height, axis=1), left > 0
        now = counts.ravel()[worst] + more
        counts.ravel()[worst] = now
        height.ravel()[worst] = root.ravel()[worst] / np.maximum(now, 1)
        left -= more
    return counts


def _split(edges: Floats, counts: Counts, segments: int) -> Floats:
    """Breakpoints, shape (T, segments + 1), that split piece i of each hour into counts[i] even segments."""
    step = np.diff(edges, axis=1) / np.maximum(counts, 1)
    before = np.cumsum(counts, axis=1) - counts
    start, width, skip = (
        np.repeat(x.ravel(), counts.ravel()).reshape(-1, segments) for x in (edges[:, :-1], step, before)
    )
    return np.column_stack([start + width * (np.arange(segments) - skip), edges[:, -1]])


def _apart(low: Floats, high: Floats, at: Floats) -> Floats:
    """Kinks inside (low, high), sorted; those outside or within MERGE of an end or a stronger kink put on `high`."""
    kept: list[Floats] = []
    for column in at.T:
        good = (column > low + MERGE) & (column < high - MERGE)
        for other in kept:
            good &= np.abs(column - other) > MERGE
        kept.append(np.where(good, column, high))
    return np.sort(np.column_stack(kept), axis=1) if kept else np.empty((len(low), 0))


def _check_convex(plant: Plant, curve: Chords, first: int) -> None:
    """Raise PlantError where a slope falls; `first` is the number of the block's first hour."""
    widths = np.diff(curve.breaks, axis=1)
    wide = widths > MIN_WIDTH
    slopes = np.divide(np.diff(curve.overhead, axis=1), widths, out=np.full_like(widths, -np.inf), where=wide)
    steepest = np.maximum.accumulate(slopes, axis=1)
    fall = np.subtract(steepest, slopes, out=np.zeros_like(widths), where=wide).max(axis=1, initial=0.0)
    if fall.size and not fall.max() <= SLOPE_TOLERANCE:
        hour = int(np.argmax(fall))
        raise PlantError(
            f"plant {plant.archetype}: overhead is not convex in load in hour {first + hour}: a slope falls by "
            f"{fall[hour]:.3g} MW/MW; allowed: {SLOPE_TOLERANCE:g}"
        )


def chord_error(plant: Plant, weather: Weather, curve: Chords, points: int = 7) -> Floats:
    """Largest height of the chords over the curve in each hour at 0.2 of design and more [PUE points], shape (T,).

    Parameters
    ----------
    curve : chords of this plant in this weather
    points : loads looked at inside each segment
    """
    share = np.arange(1, points + 1) / (points + 1)
    left, width = curve.breaks[:, :-1, None], np.diff(curve.breaks, axis=1)[:, :, None]
    load = (left + width * share).reshape(len(left), left.shape[1] * points)
    rise = np.diff(curve.overhead, axis=1)[:, :, None]
    chord = (curve.overhead[:, :-1, None] + rise * share).reshape(load.shape)
    excess = (chord - curve_of(plant, weather).overhead(load).total) / np.maximum(load, PROMISED_FROM)
    return np.asarray(np.where(load >= PROMISED_FROM, excess, 0.0).max(axis=1))
