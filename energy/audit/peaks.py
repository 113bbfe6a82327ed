"""Demand charges on the invoice: measured peaks, look-back, bands, and the share a horizon bears."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.facts import Facts, clock
from energy.audit.lines import Line, latest
from energy.inputs.state import SiteState, State
from energy.inputs.tariffs import Demand
from energy.inputs.windows import ALWAYS
from energy.schema import Bools, Floats, Times


def demand_lines(facts: Facts, name: str, month: str, time: Times, dt: Floats, drawn: Floats) -> list[Line]:
    """One line per demand charge and band of the month."""
    site, tariff = facts.fleet.sites[name], facts.tariffs[name]
    local = clock(time, site)
    inside = local.strftime("%Y-%m").to_numpy() == month
    money = float(facts.fx.at(tariff.currency, time)[inside].mean())
    out: list[Line] = []
    for c in latest(tariff, Demand, local[inside][0].date()):
        counted = c.when.holds(local, site.country)
        if not (counted & inside).any():
            continue
        before = _known(facts.state, name, c)
        measured = {
            m: float(drawn[counted & (local.strftime("%Y-%m") == m)].max(initial=0.0))
            for m in set(local.strftime("%Y-%m"))
        }
        peak = billed(c, month, measured, before)
        share = _share(month in before, month, local, inside, dt, site.time_zone)
        yearly = 12 if c.unit.endswith("/year") else 1
        out += _bands(name, month, c, peak, money * share / yearly)
    return out


def billed(c: Demand, month: str, measured: dict[str, float], before: dict[str, float]) -> float:
    """Billed peak [MW]: the month's highest, or the ratchet's share of the highest look-back month."""

    def highest(label: str) -> float:
        return max(measured.get(label, 0.0), before.get(label, 0.0))

    earlier = [highest(str(pd.Period(month, "M") - k)) for k in range(1, c.look_back_months + 1)]
    return max([highest(month), *(c.ratchet_share * p for p in earlier)])


def _bands(name: str, month: str, c: Demand, peak: float, factor: float) -> list[Line]:
    """The peak cut into bands, each at its rate."""
    out, left = [], peak
    for i, (width, rate) in enumerate(c.rates()):
        part = min(left, width)
        label = c.name if len(c.rates()) == 1 else f"{c.name}_band_{i + 1}"
        if rate and (part > 0 or i == 0):
            out.append(Line(name, month, label, "demand", part, "MW", rate * factor, part * rate * factor))
        left -= part
    return out


def _share(known: bool, month: str, local: pd.DatetimeIndex, inside: Bools, dt: Floats, zone: str) -> float:
    """Covered hours over the whole month; over its remainder where the month already has a peak on record."""
    covered = float(dt[inside].sum())
    after = (pd.Timestamp(f"{month}-01") + pd.offsets.MonthBegin(1)).tz_localize(zone)
    if known:
        return covered / ((after - local[inside][0]).total_seconds() / 3600)
    start = pd.Timestamp(f"{month}-01").tz_localize(zone)
    return covered / ((after - start).total_seconds() / 3600)


def _known(state: State, name: str, c: Demand) -> dict[str, float]:
    site = state.sites.get(name)
    return {} if site is None else site.peaks_of(None if c.when == ALWAYS else c.name)


def carry(facts: Facts, replayed: xr.Dataset) -> State:
    """State after the horizon: peaks by month, year-to-date energy; work done is the schedule's to say."""
    sites = {}
    for s, name in enumerate(facts.fleet.sites):
        old = facts.state.sites.get(name, SiteState())
        drawn = replayed["import_mw"].values[s]
        sites[name] = _carry_site(facts, name, old, replayed["time"].values, drawn)
    return facts.state.model_copy(update={"sites": sites})


def _carry_site(facts: Facts, name: str, old: SiteState, time: Times, drawn: Floats) -> SiteState:
    site = facts.fleet.sites[name]
    local = clock(time, site)
    months = local.strftime("%Y-%m").to_numpy()
    peaks = _raised(old.peak_so_far_mw, months, drawn, np.full(len(time), True))
    windows = dict(old.window_peaks_mw)
    for c in facts.tariffs[name].components:
        if isinstance(c, Demand) and c.when != ALWAYS:
            windows[c.name] = _raised(windows.get(c.name, {}), months, drawn, c.when.holds(local, site.country))
    return old.model_copy(update={"peak_so_far_mw": peaks, "window_peaks_mw": windows})


def _raised(peaks: dict[str, float], months: Any, drawn: Floats, counted: Bools) -> dict[str, float]:
    out = dict(peaks)
    for month in sorted(set(months)):
        highest = float(drawn[(months == month) & counted].max(initial=0.0))
        out[str(month)] = max(out.get(str(month), 0.0), highest)
    return out
