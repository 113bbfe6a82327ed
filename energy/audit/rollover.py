"""State after a horizon: what the next one has to know of peaks, invoices, balances and rolling windows."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.compliance import drawn as balance
from energy.audit.invoice import site_lines
from energy.audit.invoice_lines import Line, bands, counted_hours, latest, raised
from energy.audit.site_prices import Facts, clock
from energy.inputs.dated import ALWAYS
from energy.inputs.state import Balance, ChargeSoFar, InvoiceSoFar, PastPeriod, SiteState, State
from energy.inputs.tariffs import Demand, SpotShare
from energy.schema import Floats, Times

#: Kinds of lines of a tariff that a minimum bill counts, but for those that follow spot.
COUNTED = ("energy", "demand", "fixed")


def carry(facts: Facts, replayed: xr.Dataset) -> State:
    """State after the horizon of a replay or a meter reading; work done is the schedule's to say."""
    sites = {name: _site(facts, name, replayed.sel(site=name), replayed) for name in facts.fleet.sites}
    return facts.state.model_copy(update={"sites": sites})


def _site(facts: Facts, name: str, mine: xr.Dataset, replayed: xr.Dataset) -> SiteState:
    """Peaks and history of all the horizon; invoice and year-to-date of what goes on after it."""
    site, old = facts.fleet.sites[name], facts.state.site(name)
    time, dt = replayed["time"].values, replayed["dt"].values
    end = clock(np.array([time[-1] + np.timedelta64(round(float(dt[-1]) * 3600), "s")]), site)[0]
    local = clock(time, site)
    months, drawn = local.strftime("%Y-%m").to_numpy(), mine["import_mw"].values
    running = f"{end:%Y-%m}"
    return SiteState(
        peak_so_far_mw=raised(old.peak_so_far_mw, months, drawn, np.full(len(time), True)),
        window_peaks_mw=_window_peaks(facts, name, old, local, drawn),
        invoice_so_far={running: _invoice(facts, name, running, mine)} if running in months else {},
        year_to_date=_year(old.year_to_date, replayed, name, local.year.to_numpy(), end.year),
        history=_history(facts, name, old, mine, time, dt),
    )


def _window_peaks(
    facts: Facts, name: str, old: SiteState, local: pd.DatetimeIndex, drawn: Floats
) -> dict[str, dict[str, float]]:
    """Peaks of declared hours by charge and month, in the hours of the version that bills the month."""
    months, out = local.strftime("%Y-%m").to_numpy(), dict(old.window_peaks_mw)
    tariff, site = facts.tariffs[name], facts.fleet.sites[name]
    windowed = {c.name: c for c in tariff.components if isinstance(c, Demand) and c.when != ALWAYS}
    for c in windowed.values():
        out[c.name] = raised(out.get(c.name, {}), months, drawn, counted_hours(tariff, c, local, site))
    return {k: v for k, v in out.items() if v}


def _invoice(facts: Facts, name: str, month: str, mine: xr.Dataset) -> InvoiceSoFar:
    """The month's invoice with the lines of the horizon added to what it held."""
    time, dt = mine["time"].values, mine["dt"].values
    old = facts.state.site(name).invoice_so_far.get(month, InvoiceSoFar())
    every = site_lines(facts, name, time, dt, mine["import_mw"].values, mine["export_mw"].values)
    lines = [x for x in every if x.month == month]
    tariff = facts.tariffs[name]
    following = {c.name for c in tariff.components if isinstance(c, SpotShare)}
    minimum = [x for x in lines if x.kind == "minimum"]
    counted = sum(x.amount_eur for x in lines if x.kind in COUNTED and x.component not in following)
    return InvoiceSoFar(
        charges=_charges(facts, name, month, time, dt, lines),
        minimum_eur=old.minimum_eur + sum(x.quantity * x.rate_eur for x in minimum),
        counted_eur=old.counted_eur + counted,
        top_up_eur=max(old.top_up_eur + sum(x.amount_eur for x in minimum), 0.0),  # -1e-16 is rounding
    )


def _charges(facts: Facts, name: str, month: str, time: Times, dt: Floats, lines: list[Line]) -> dict[str, ChargeSoFar]:
    """Demand charges by band; those without a line yet accrue their rate all the same."""
    added = {x.component: x.amount_eur for x in lines if x.kind == "demand"}
    local = clock(time, facts.fleet.sites[name])
    first = local[local.strftime("%Y-%m") == month][0].date()
    return {
        b.label: ChargeSoFar(rate_eur_per_mw=b.rate, spread_h=b.spread_h, billed_eur=max(b.billed + added.get(b.label, 0.0), 0.0))
        for c in latest(facts.tariffs[name], Demand, first)
        for b in bands(facts, name, month, time, dt, c)
    }  # fmt: skip


def _year(old: Balance, replayed: xr.Dataset, name: str, years: Any, running: int) -> Balance:
    """Year-to-date balance of the local year that goes on after the horizon."""
    now = balance(replayed, name, years == running)
    before = old if years[0] == running else Balance(facility_mwh=0, it_mwh=0)
    return Balance(**{k: getattr(before, k) + getattr(now, k) for k in Balance.model_fields})


def _history(
    facts: Facts, name: str, old: SiteState, mine: xr.Dataset, time: Times, dt: Floats
) -> tuple[PastPeriod, ...]:
    """Periods that the longest rolling cap still looks back on."""
    caps = [*facts.fleet.sites[name].pue_caps, *facts.fleet.fleet_pue_caps]
    longest = max((c.window_h or 0.0 for c in caps), default=0.0)
    stamps = pd.DatetimeIndex(time).tz_localize(UTC)
    since = stamps[-1] + pd.Timedelta(hours=float(dt[-1]) - longest)
    powers = zip(stamps, dt, mine["facility_mw"].values * dt, mine["site_it_mw"].values * dt, strict=True)
    new = [
        PastPeriod(start=t.to_pydatetime(), hours=float(h), facility_mwh=float(f), it_mwh=float(i))
        for t, h, f, i in powers
    ]
    return tuple(p for p in (*old.history, *new) if _utc(p) >= since) if longest else ()


def _utc(past: PastPeriod) -> pd.Timestamp:
    stamp = pd.Timestamp(past.start)
    return stamp if stamp.tzinfo else stamp.tz_localize(UTC)
