"""Fallback chains: source after source for the hours still missing, every step on record, never silent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from energy.schema import QUALITY
from energy.series import quality_control
from energy.series.gap_filling import LOOK_BACK, fill_from_earlier_days
from energy.series.labels import clip, ends, join
from energy.series.local_time import iso
from energy.series.resample import held
from energy.sources.client.answer import Kind, SourceError

#: Start and end (UTC) -> a labelled Dataset.
Fetch = Callable[[np.datetime64, np.datetime64], xr.Dataset]
#: Dataset -> findings.
Check = Callable[[xr.Dataset], list[quality_control.Finding]]
#: Dataset that reaches over the seam, and what the chain already has of the same series -> findings.
Compare = Callable[[xr.Dataset, xr.Dataset], list[quality_control.Finding]]
#: Stretches nearer than this are asked for in one request.
ONE_REQUEST = np.timedelta64(36, "h")
#: A later source is asked this much into what is known already, where the two are compared: a day has all hours of
#: the day, twice the fewest (`hygiene.FEWEST`) that tell a sign or a unit.
OVERLAP = np.timedelta64(24, "h")


@dataclass(frozen=True)
class Link:
    """One source of a chain; `skip` says why it is not asked, if so."""

    name: str
    fetch: Fetch
    skip: str = ""


@dataclass(frozen=True)
class Step:
    """What one link did: hours it supplied, or why none."""

    name: str
    outcome: Kind | str
    hours: float = 0.0
    reason: str = ""

    def __str__(self) -> str:
        supplied = f"{self.hours:g} h" if self.hours else self.outcome
        return f"{self.name}: {supplied}" + (f" ({self.reason})" if self.reason else "")


@dataclass(frozen=True)
class Filled:
    """A series with the record of its chain and what is still missing."""

    ds: xr.Dataset
    steps: tuple[Step, ...]
    missing: tuple[tuple[np.datetime64, np.datetime64], ...]
    findings: tuple[quality_control.Finding, ...] = ()

    def __str__(self) -> str:
        return "; ".join(map(str, self.steps)) + self.gaps()

    def gaps(self) -> str:
        """What is missing, in words; empty where nothing is."""
        stretches = ", ".join(f"{iso(a)} to {iso(b)}" for a, b in self.missing)
        return f"; MISSING {stretches}" if stretches else ""

    def within(self, start: np.datetime64, end: np.datetime64) -> Filled:
        """The part of it inside [start, end)."""
        gaps = tuple((max(a, start), min(b, end)) for a, b in self.missing if a < end and b > start)
        ds = clip(self.ds, start, end) if self.ds.sizes.get("time") else self.ds
        return replace(self, ds=ds, missing=gaps)

    def by_quality(self) -> dict[str, float]:
        """Hours by quality."""
        if not self.ds.sizes.get("time"):
            return {}
        dt, quality = self.ds["dt"].values, self.ds["quality"].values
        return {q: float(dt[quality == i].sum()) for i, q in enumerate(QUALITY) if (quality == i).any()}


@dataclass
class _Chain:
    """The series as it grows."""

    start: np.datetime64
    end: np.datetime64
    check: Check
    compare: Compare | None = None
    parts: list[xr.Dataset] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    findings: list[quality_control.Finding] = field(default_factory=list)

    @property
    def step_h(self) -> float:
        """Shortest step so far [h]."""
        return min((float(p["dt"].min()) for p in self.parts if p.sizes["time"]), default=1.0)

    def series(self) -> xr.Dataset | None:
        """All parts on the shortest step, earlier parts first."""
        with_hours = [p for p in self.parts if p.sizes["time"]]
        if not with_hours:
            return None
        return join([held(p, self.step_h) for p in with_hours])

    def missing(self) -> list[tuple[np.datetime64, np.datetime64]]:
        """Stretches that no part covers."""
        time = np.concatenate([np.zeros(0, dtype="datetime64[ns]"), *(p["time"].values for p in self.parts)])
        until = np.concatenate([np.zeros(0, dtype="datetime64[ns]"), *(ends(p) for p in self.parts)])
        order = np.argsort(time, kind="stable")
        return quality_control.uncovered(time[order], until[order], self.start, self.end)

    def run(self, link: Link) -> None:
        """Ask one source for what is missing."""
        gaps = self.missing()
        if not gaps:
            return
        if link.skip:
            self.steps.append(Step(link.name, "skipped", reason=link.skip))
            return
        for begin, stop in _requests(gaps):
            self._ask(link, begin, stop)

    def _ask(self, link: Link, begin: np.datetime64, stop: np.datetime64) -> None:
        try:
            ds, found = self._fetched(link, begin, stop)
        except SourceError as e:
            self.steps.append(Step(link.name, e.kind, reason=e.reason))
            return
        self.findings += found
        note = str(ds.attrs.get("note", ""))
        if bad := quality_control.refused(found):
            self.steps.append(Step(link.name, "refused", reason=bad))
        elif not ds.sizes["time"]:
            self.steps.append(Step(link.name, "empty", reason=note))
        else:
            self._add(link, ds, note)

    def _fetched(
        self, link: Link, begin: np.datetime64, stop: np.datetime64
    ) -> tuple[xr.Dataset, list[quality_control.Finding]]:
        """What a source has of [begin, stop), and what is found in it and at its seams with what is known."""
        known = self.series()
        if self.compare is None or known is None:
            ds = link.fetch(begin, stop)
            return ds, self.check(ds)
        wide = link.fetch(max(begin - OVERLAP, self.start), min(stop + OVERLAP, self.end))
        ds = clip(wide, begin, stop)
        return ds, [*self.check(ds), *self.compare(wide, known)]

    def _add(self, link: Link, ds: xr.Dataset, note: str) -> None:
        before = _hours(self.missing())
        self.parts.append(ds)
        self.steps.append(Step(link.name, "ok", before - _hours(self.missing()), note))


def _hours(gaps: Sequence[tuple[np.datetime64, np.datetime64]]) -> float:
    return float(sum((b - a) / np.timedelta64(1, "h") for a, b in gaps))


def _requests(gaps: Sequence[tuple[np.datetime64, np.datetime64]]) -> list[tuple[np.datetime64, np.datetime64]]:
    """Gaps as windows to ask for; near ones together."""
    out = [gaps[0]]
    for begin, stop in gaps[1:]:
        if begin - out[-1][1] <= ONE_REQUEST:
            out[-1] = (out[-1][0], stop)
        else:
            out.append((begin, stop))
    return out


def fill(
    links: Sequence[Link], start: np.datetime64, end: np.datetime64, check: Check, compare: Compare | None = None
) -> Filled:
    """[start, end) from the links in order; what then is missing is carried over from earlier days.

    Parameters
    ----------
    check : finds faults; a source with a refusing finding counts as failed
    compare : finds what a source says otherwise than those before it did; it is asked OVERLAP wider for that
    """
    chain = _Chain(start, end, check, compare)
    for link in links:
        chain.run(link)
    if chain.missing():
        _persist(chain, links)
    whole = chain.series()
    if whole is None:
        return Filled(xr.Dataset(), tuple(chain.steps), ((start, end),), tuple(chain.findings))
    return Filled(clip(whole, start, end), tuple(chain.steps), tuple(chain.missing()), tuple(chain.findings))


def _persist(chain: _Chain, links: Sequence[Link]) -> None:
    """Fetch the days before, if they are not there, and carry them over."""
    earlier = _Chain(chain.start - LOOK_BACK, chain.start, chain.check, chain.compare)
    for link in links:
        earlier.run(link)
    parts = [p for p in (earlier.series(), chain.series()) if p is not None]
    if not parts:
        chain.steps.append(Step("persistence", "empty", reason=_why_none(earlier.steps, chain.steps)))
        return
    step_h = min(float(p["dt"].min()) for p in parts)
    known = join([held(p, step_h) for p in parts])
    before = _hours(chain.missing())
    chain.parts.append(fill_from_earlier_days(known, chain.start, chain.end, step_h))
    chain.steps.append(Step("persistence", "ok", before - _hours(chain.missing()), "same hour of an earlier day"))


def _why_none(earlier: Sequence[Step], told: Sequence[Step]) -> str:
    """That no earlier day is known, with what the sources said to that and had not said before."""
    said = dict.fromkeys(str(s) for s in earlier if s.outcome != "skipped" and s not in told)
    return "; ".join(["no earlier day is known", *said])
