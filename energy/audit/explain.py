"""Why work is left undone or a PUE cap is breached, and the cheapest cure: in the words of the input files.

The cheapest cure is the one that saves most, that is, after which the work costs least to run. Where all work is done
and every cap is met, the limits that cost most money are named instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
import xarray as xr

from energy.audit.cures import Cure, Plan, cures

#: Undone work below this share of all work is the solver's tolerance, as in `summary`.
UNDONE_SHARE = 1e-7
#: A cap counts as breached above this energy [MWh], as in `summary`.
BREACH_MWH = 1e-6
#: Savings below this are rounding of duals [EUR].
LEAST_SAVING_EUR = 1e-6
#: A limit is tight when one more unit of it saves at least this much [EUR]; less is nobody's concern.
TIGHT_EUR = 1.0
#: Tight limits that are named, dearest first.
MOST_TIGHT = 5
#: The step of a PUE cap whose saving is given.
CAP_STEP = 0.01


@dataclass(frozen=True)
class Undone:
    """A job that is not finished: where and when room is dearest in its window, and its cures, cheapest first."""

    job: str
    gpu_hours: float
    site: str
    hour: str
    penalty_eur: float
    cures: tuple[Cure, ...]

    def words(self) -> str:
        """One line."""
        first = self.cures[0].words() if self.cures else "no change of one of them alone helps"
        return (f"job {self.job}: {self.gpu_hours:.1f} GPU-hours undone ({self.penalty_eur:.2f} EUR), scarcest at "
                f"{self.site} at {self.hour}; cheapest cure: {first}")  # fmt: skip


@dataclass(frozen=True)
class Breach:
    """A cap that is exceeded: where its window's worst hour lies, and how much looser it would have to be."""

    cap: str
    site: str
    hour: str
    mwh: float
    penalty_eur: float
    cure: Cure

    def words(self) -> str:
        """One line."""
        return (f"PUE cap {self.cap}: exceeded by {self.mwh:.4f} MWh ({self.penalty_eur:.2f} EUR), most at {self.site} "
                f"at {self.hour}; cure: {self.cure.words()}")  # fmt: skip


@dataclass(frozen=True)
class Tight:
    """A limit that costs money although all work is done: where, when most, and what one more unit saves."""

    limit: str
    site: str
    hour: str
    cure: Cure

    def words(self) -> str:
        """One line."""
        return f"tight, most at {self.site} at {self.hour}: {self.cure.words()}"


def explain(problem: xr.Dataset, solution: xr.Dataset, prices: xr.Dataset) -> tuple[Undone | Breach, ...]:
    """Every undone job, most work first, then every breached cap; empty when all is done and met."""
    plan = Plan.of(problem, solution, prices)
    there = plan.x["short"] * (1 - plan.p["expected"])  # an expected arrival without room is no job left undone
    short = np.flatnonzero(there > UNDONE_SHARE * plan.p["work_left"].sum())
    jobs = sorted((_undone(plan, int(j)) for j in short), key=lambda u: (-u.gpu_hours, u.job))
    return (*jobs, *(_breach(plan, int(r)) for r in np.flatnonzero(plan.x["over_cap"] > BREACH_MWH)))


def tight(problem: xr.Dataset, solution: xr.Dataset, prices: xr.Dataset) -> tuple[Tight, ...]:
    """The limits of which one more unit saves most, dearest first: connections, pools, PUE caps."""
    plan = Plan.of(problem, solution, prices)
    found = [*_connections(plan), *_pools(plan), *_caps(plan)]
    dear = [x for x in found if x.cure.saves_eur >= TIGHT_EUR]
    return tuple(sorted(dear, key=lambda x: (-x.cure.saves_eur, x.limit))[:MOST_TIGHT])


def what_would_help(problem: xr.Dataset, solution: xr.Dataset, prices: xr.Dataset) -> list[dict[str, object]]:
    """For summary.json: what is undone or breached with its cures; without any, the limits that cost most.

    Each entry has `kind` (undone, breach, tight), the fields of its class, and `words`, one line.
    """
    reasons = explain(problem, solution, prices) or tight(problem, solution, prices)
    return [{"kind": type(r).__name__.lower(), **asdict(r), "words": r.words()} for r in reasons]


def _undone(plan: Plan, j: int) -> Undone:
    p, speed = plan.p, plan.speed(j)
    usable = (speed > 0)[:, None] & (p["open"][j] > 0)
    worth = np.where(usable, plan.v["value_gpu"] / p["dt"] / np.where(speed > 0, speed, 1.0)[:, None], -np.inf)
    n, t = (int(i) for i in np.unravel_index(np.argmax(worth), worth.shape))
    short = float(plan.x["short"][j])
    site = str(plan.names["site"][p["hall_site"][p["pool_hall"][n]]])
    penalty = float(p["penalty"][j]) * short
    limited = (
        replace(c, saves_eur=min(c.saves_eur, penalty)) for c in cures(plan, j) if c.saves_eur > LEAST_SAVING_EUR
    )
    best = sorted(limited, key=lambda c: (-c.saves_eur, c.key, c.where))
    return Undone(str(plan.names["job"][j]), short, site, plan.stamp(t), penalty, tuple(best))


def _breach(plan: Plan, r: int) -> Breach:
    """The excess, its worst site and hour, and the cap at which nothing would be exceeded."""
    p, x = plan.p, plan.x
    sites, _, when = plan.members(r)
    mwh, label = float(x["over_cap"][r]), str(plan.names["cap"][r])
    it = np.zeros_like(p["price"])
    np.add.at(it, p["hall_site"], x["it"])
    excess = np.where(sites[:, None], (x["facility"] - p["cap_limit"][r] * it) * p["dt"], -np.inf)[:, when]
    s, t = (int(i) for i in np.unravel_index(np.argmax(excess), excess.shape))
    penalty = float(p["cap_penalty"][r]) * mwh
    cure = Cure("limit", f"PUE cap {label}", mwh / plan.it_energy(r), "", None, penalty)
    return Breach(label, str(plan.names["site"][s]), plan.stamp(when.start + t), mwh, penalty, cure)


def _connections(plan: Plan) -> Iterator[Tight]:
    """One more MW through the hours in which a site's connection is full."""
    for site, value in zip(plan.names["site"], plan.v["value_grid"], strict=True):
        if value.max() > 0:
            cure = Cure("grid_limit_mw", str(site), 1.0, "MW", plan.span(value > 0), float(value.sum()))
            yield Tight(f"the grid connection of {site}", str(site), plan.stamp(int(value.argmax())), cure)


def _pools(plan: Plan) -> Iterator[Tight]:
    """One more GPU through the whole horizon, what it draws when idle included."""
    for n, value in enumerate(plan.v["value_gpu"]):
        pool, site = plan.names["pool"][n], plan.names["site"][plan.p["hall_site"][plan.p["pool_hall"][n]]]
        cure = Cure("count", str(pool), 1.0, "GPU", None, float(value.sum()))
        yield Tight(f"pool {pool}", str(site), plan.stamp(int(value.argmax())), cure)


def _caps(plan: Plan) -> Iterator[Tight]:
    """A hundredth more of a PUE cap; the hour is the one with most energy above it."""
    for r in np.flatnonzero(plan.v["value_cap"] > 0):
        at, label = _breach(plan, int(r)), str(plan.names["cap"][r])
        cure = Cure("limit", f"PUE cap {label}", CAP_STEP, "", None, float(plan.v["value_cap"][r]) * CAP_STEP)
        yield Tight(f"PUE cap {label}", at.site, at.hour, cure)
