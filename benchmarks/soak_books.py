"""The accounts of a soak against all its days priced in one go: invoices, balances of the year, peaks of the month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from energy.audit.invoice import bill
from energy.audit.replay import replay
from energy.inputs.load import Inputs, read_inputs
from energy.inputs.series import read_all
from energy.inputs.state import SiteState, State
from energy.nightly.accounts import day_schedule, executed, work_of
from energy.nightly.config import NightlyWorkspace
from energy.nightly.database import Store
from energy.nightly.queue import read_queue
from energy.schedule.table import read_schedule
from energy.schema import Floats
from energy.schema.calendar import Horizon

#: Relative difference up to which sums in another order are equal.
EQUAL = 1e-9


def balances(place: NightlyWorkspace, store: Store, last: date) -> list[str]:
    """What the accounts of the days to `last` say otherwise than the same days in one go; empty when they agree."""
    rows = store.rows("SELECT * FROM settled_days WHERE policy = 'plan' AND day <= ? ORDER BY day", str(last))
    days = [date.fromisoformat(r["day"]) for r in rows]
    if days != [days[0] + timedelta(days=k) for k in range(len(days))]:
        return ["a day has no account"]
    inputs = _whole(place, store, days[0], last)
    drawn = replay(inputs, day_schedule(inputs, _run(place, store, inputs, days)))
    states = [State.model_validate_json(r["state"]) for r in rows]
    bad = _invoices(inputs, drawn, sum(r["realised_cost_eur"] for r in rows))
    for s, name in enumerate(inputs.fleet.sites):
        mine = [state.sites[name] for state in states]
        local = Horizon.of(drawn).on_clock(inputs.fleet.sites[name].time_zone).local
        bad += [f"{name}: {p}" for p in _years(drawn, s, local, days, mine)]
        bad += [f"{name}: {p}" for p in _peaks(drawn["import_mw"].values[s], local, days, mine)]
    return bad


def _whole(place: NightlyWorkspace, store: Store, first: date, last: date) -> Inputs:
    """Inputs over all settled days, series straight from the soak's files."""
    plan = store.row("SELECT snapshot FROM plans ORDER BY night DESC LIMIT 1")
    assert plan is not None
    case = place.snapshots / plan["snapshot"] / "case.yaml"
    of = read_inputs(case)
    horizon = of.case.horizon.model_copy(update={"start": first, "end": last})
    prices = tuple(p.model_copy(update={"file": _file(place, p)}) for p in place.config.prices)
    weather = {k: w.model_copy(update={"file": _file(place, w)}) for k, w in place.config.weather.items()}
    cut = of.case.model_copy(update={"horizon": horizon, "prices": prices, "weather": weather})
    return replace(of, case=cut, series=read_all(cut, case.parent), state=State())


def _file(place: NightlyWorkspace, source: Any) -> str:
    return str(place.beside(source.file).resolve())


def _run(place: NightlyWorkspace, store: Store, inputs: Inputs, days: list[date]) -> pd.DataFrame:
    """What the active plans on the days made a cluster run."""
    jobs = read_queue(place.beside(place.config.jobs), place.config.known_at(days[-1] + timedelta(days=2))).jobs
    tables, done = [], dict[str, float]()
    for day, folder in zip(days, _active(store, days), strict=True):
        horizon = inputs.case.horizon.model_copy(update={"start": day, "end": day})
        one = replace(inputs, case=inputs.case.model_copy(update={"horizon": horizon}))
        table = executed(one, read_schedule(place.out / folder / "schedule.parquet"), jobs, done)
        for name, hours in work_of(one, table, jobs).items():
            done[name] = done.get(name, 0.0) + hours
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _active(store: Store, days: list[date]) -> Iterator[Path]:
    for day in days:
        row = store.row("SELECT folder FROM plans WHERE night <= ? ORDER BY night DESC LIMIT 1", str(day))
        assert row is not None
        yield Path(row["folder"])


def _invoices(inputs: Inputs, drawn: xr.Dataset, nights_eur: float) -> list[str]:
    """All invoices in one go against the sum of what every day added to them."""
    whole = bill(inputs, drawn).total()
    agree = abs(whole - nights_eur) <= EQUAL * abs(whole)
    return [] if agree else [f"nights add up to {nights_eur:.6f} EUR, the whole is {whole:.6f}"]


def _years(drawn: xr.Dataset, s: int, local: pd.DatetimeIndex, days: list[date], states: list[SiteState]) -> list[str]:
    """After every day: facility and IT energy of the local year that goes on, [MWh]."""
    bad = []
    for key, row in (("facility_mwh", "facility_mw"), ("it_mwh", "site_it_mw")):
        energy = (drawn[row].values[s] * drawn["dt"].values).cumsum()
        for day, state in zip(days, states, strict=True):
            year = (day + timedelta(days=1)).year
            sum_ = _until(energy, local, day) - _until(energy, local, date(year, 1, 1) - timedelta(days=1))
            sum_, held = max(sum_, 0.0), getattr(state.year_to_date, key)
            if abs(sum_ - held) > EQUAL * max(energy[-1], 1.0):
                bad.append(f"{key} of {year} after {day} is {held:.9f} on record, {sum_:.9f} in one go")
    return bad


def _until(energy: Floats, local: pd.DatetimeIndex, day: date) -> float:
    """Energy from the first hour to the end of a local day; none before the first hour."""
    after = int(np.searchsorted(local, pd.Timestamp(day + timedelta(days=1), tz=local.tz)))
    return float(energy[after - 1]) if after else 0.0


def _peaks(drawn: Floats, local: pd.DatetimeIndex, days: list[date], states: list[SiteState]) -> list[str]:
    """After every day: highest import of its month so far, [MW]; and at the end, of all months."""
    bad, month_of = [], local.strftime("%Y-%m").to_numpy()
    for day, state in zip(days, states, strict=True):
        month, after = f"{day:%Y-%m}", pd.Timestamp(day + timedelta(days=1), tz=local.tz)
        peak = float(drawn[(month_of == month) & (local < after)].max())
        held = state.peak_so_far_mw.get(month, 0.0)
        if abs(peak - held) > EQUAL:
            bad.append(f"peak of {month} after {day} is {held} on record, {peak} in one go")
    months = {m: float(drawn[month_of == m].max()) for m in sorted(set(month_of))}
    wrong = [m for m, peak in months.items() if abs(peak - states[-1].peak_so_far_mw.get(m, 0.0)) > EQUAL]
    return bad + [f"peak of {m} was changed afterwards" for m in wrong]
