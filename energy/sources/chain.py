"""Source chains: source after source for the hours still missing, then an earlier day; every attempt is on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from energy.schema import QUALITY
from energy.series.gap_filling import LOOK_BACK, fill_from_earlier_days
from energy.series.labels import clip, ends, join
from energy.series.local_time import Span, iso
from energy.series.quality_control import Finding, refused, uncovered
from energy.series.resample import held
from energy.sources.client.answer import Kind, SourceError

#: Start and end (UTC) -> a labelled Dataset.
Fetch = Callable[[np.datetime64, np.datetime64], xr.Dataset]
#: Dataset -> findings.
Check = Callable[[xr.Dataset], list[Finding]]
#: Dataset that reaches over the seam, and what the chain already has of the same series -> findings.
Compare = Callable[[xr.Dataset, xr.Dataset], list[Finding]]
#: Stretches nearer than this are asked for in one request.
ONE_REQUEST = np.timedelta64(36, "h")
#: A later source is asked this much into what is known already, where the two are compared: a day has all hours of
#: the day, twice the fewest (`quality_control.FEWEST`) that show a sign or a unit.
OVERLAP = np.timedelta64(24, "h")


@dataclass(frozen=True)
class Link:
    """One source of a chain; `skip` says why it is not asked, if so."""

    name: str
    fetch: Fetch
    skip: str = ""


@dataclass(frozen=True)
class Attempt:
    """Outcome of asking one source: hours that it supplied [h], or the reason for none."""

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
    steps: tuple[Attempt, ...]
    missing: tuple[Span, ...]
    findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        return "; ".join(map(str, self.steps)) + self.gaps()

    def gaps(self) -> str:
        """Stretches without a value, as text; empty where the series is whole."""
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


def fill(
    links: Sequence[Link], start: np.datetime64, end: np.datetime64, check: Check, compare: Compare | None = None
) -> Filled:
    """[start, end) from the links in order; what is missing after them is taken from earlier days.

    Parameters
    ----------
    check : finds faults; a source with a refusing finding counts as failed
    compare : finds what a source says otherwise than those before it did; it is asked OVERLAP wider for that
    """
    chain = _Chain(start, end, check, compare)
    chain.ask(links)
    if chain.missing():  # repeat the days before, fetched if they are not there
        earlier = _Chain(start - LOOK_BACK, start, check, compare)
        earlier.ask(links)
        known = _on_one_step([s for s in (_on_one_step(c.parts) for c in (earlier, chain)) if s is not None])
        if known is None:
            said = dict.fromkeys(str(s) for s in earlier.steps if s.outcome != "skipped" and s not in chain.steps)
            chain.steps.append(Attempt("persistence", "empty", reason="; ".join(["no earlier day is known", *said])))
        else:
            found = fill_from_earlier_days(known, start, end, float(known["dt"].min()))
            chain.add("persistence", found, "same hour of an earlier day")
    whole, record = _on_one_step(chain.parts), (tuple(chain.steps), tuple(chain.missing()), tuple(chain.findings))
    return Filled(xr.Dataset() if whole is None else clip(whole, start, end), *record)


def _on_one_step(parts: Sequence[xr.Dataset]) -> xr.Dataset | None:
    """All parts on the shortest step, earlier parts first; None where they have no interval."""
    parts = [p for p in parts if p.sizes["time"]]
    step_h = min((float(p["dt"].min()) for p in parts), default=0.0)
    return join([held(p, step_h) for p in parts]) if parts else None


@dataclass
class _Chain:
    """The series as it grows."""

    start: np.datetime64
    end: np.datetime64
    check: Check
    compare: Compare | None = None
    parts: list[xr.Dataset] = field(default_factory=list)
    steps: list[Attempt] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def missing(self) -> list[Span]:
        """Stretches that no part covers."""
        none = np.zeros(0, dtype="datetime64[ns]")
        time = np.concatenate([none, *(p["time"].values for p in self.parts)])
        until = np.concatenate([none, *(ends(p) for p in self.parts)])
        order = np.argsort(time, kind="stable")
        return uncovered(time[order], until[order], self.start, self.end)

    def ask(self, links: Sequence[Link]) -> None:
        """Ask one source after the other for what is missing."""
        for link in links:
            gaps = self.missing()
            if gaps and link.skip:
                self.steps.append(Attempt(link.name, "skipped", reason=link.skip))
            elif gaps:
                windows = gaps[:1]  # near ones together
                for begin, stop in gaps[1:]:
                    if begin - windows[-1][1] <= ONE_REQUEST:
                        windows[-1] = (windows[-1][0], stop)
                    else:
                        windows.append((begin, stop))
                for window in windows:
                    self._ask(link, *window)

    def _ask(self, link: Link, begin: np.datetime64, stop: np.datetime64) -> None:
        """Ask one source for [begin, stop); findings are about what it gave, and about its seams with what is known."""
        known = None if self.compare is None else _on_one_step(self.parts)
        try:
            if self.compare is None or known is None:
                ds, seams = link.fetch(begin, stop), []
            else:
                wide = link.fetch(max(begin - OVERLAP, self.start), min(stop + OVERLAP, self.end))
                ds, seams = clip(wide, begin, stop), self.compare(wide, known)
        except SourceError as e:
            self.steps.append(Attempt(link.name, e.kind, reason=e.reason))
            return
        found, note = [*self.check(ds), *seams], str(ds.attrs.get("note", ""))
        self.findings += found
        if bad := refused(found):
            self.steps.append(Attempt(link.name, "refused", reason=bad))
        elif not ds.sizes["time"]:
            self.steps.append(Attempt(link.name, "empty", reason=note))
        else:
            self.add(link.name, ds, note)

    def add(self, name: str, ds: xr.Dataset, note: str) -> None:
        """Put a part behind those that are there, and the hours that it fills on record."""
        before = _hours(self.missing())
        self.parts.append(ds)
        self.steps.append(Attempt(name, "ok", before - _hours(self.missing()), note))


def _hours(gaps: Sequence[Span]) -> float:
    return float(sum((b - a) / np.timedelta64(1, "h") for a, b in gaps))
