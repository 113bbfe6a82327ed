"""What a small Problem is told in: sites of halls of pools, jobs, tariffs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MANY = 1000.0
Series = float | Sequence[float]


@dataclass(frozen=True)
class Pool:
    """GPUs of one kind."""

    gpus: Series = 100.0
    busy: float = 1.0
    idle: float = 0.0
    firm: Series = 0.0


@dataclass(frozen=True)
class Hall:
    """Pools behind one cooling plant; `overhead` is ((width, slope), ...) above base_it."""

    pools: tuple[Pool, ...] = (Pool(),)
    overhead: tuple[tuple[float, float], ...] = ((MANY, 0.0),)
    base_overhead: Series = 0.0
    limit: Series = MANY
    firm_it: Series = 0.0
    heat_share: float = 0.0


@dataclass(frozen=True)
class Site:
    """Halls behind one connection."""

    price: Sequence[float]
    halls: tuple[Hall, ...] = (Hall(),)
    grid: Series = MANY
    other: Series = 0.0
    solar: Series = 0.0
    export: Series = 0.0
    export_price: Series = 0.0
    fixed: float = 0.0
    heat: Series = 0.0
    heat_price: Series = 0.0


@dataclass(frozen=True)
class Job:
    """GPU-hours, most GPUs, window [first, after) and speed by pool position (1 in all pools unless told)."""

    work: float
    gpus: float
    window: tuple[int, int | None] = (0, None)
    speeds: dict[int, float] | None = None
    penalty: float = 1000.0
    share: float = 1.0  # of its last period inside the window
    deferred_max: float = (
        0.0  # most work it may leave for after the horizon, at `terminal_price`, due `due` hours after it
    )
    terminal_price: float = 0.0
    due: float = 0.0
    expected: bool = False


@dataclass(frozen=True)
class Charge:
    """Demand charge with bands ((width, rate), ...)."""

    bands: tuple[tuple[float, float], ...]
    site: int = 0
    weight: Series = 1.0
    floor: float = 0.0
    month: int = 0


@dataclass(frozen=True)
class Contract:
    """Volume that saves money against spot."""

    mw: Series
    saving: Series
    site: int = 0


@dataclass(frozen=True)
class Minimum:
    """Minimum bill: energy at `rate` and the demand charges of site and month count towards it."""

    eur: float
    rate: Series = 0.0
    site: int = 0
    month: int = 0


@dataclass(frozen=True)
class Cap:
    """PUE cap over [start, stop); site -1 is the fleet."""

    limit: float
    site: int = 0
    start: int = 0
    stop: int | None = None
    credit: float = 0.0
    penalty: float = 1e5


@dataclass(frozen=True)
class PostHorizon:
    """Most GPU-hours of work due until so many hours after the horizon that may wait; group -1 is all jobs."""

    capacity: float
    until: float
    group: int = -1
