"""PUE limits of the presets a site names, as rows beside its own caps; WUE and ERF are reported by the audit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from energy.inputs.fleet import Fleet, Site
from energy.inputs.limits import Limit
from energy.inputs.state import Balance, State
from energy.problem.caps import CapRow
from energy.schema import Times


def limit_rows(fleet: Fleet, limits: Mapping[str, tuple[Limit, ...]], state: State, time: Times) -> list[CapRow]:
    """One row per PUE limit and calendar year (site-local) that the horizon touches while the limit is in force.

    The first year carries the year-to-date balance, all of it, also where the limit began within the year.
    """
    rows: list[CapRow] = []
    for s, (name, site) in enumerate(fleet.sites.items()):
        past = state.sites[name].year_to_date if name in state.sites else Balance(facility_mwh=0, it_mwh=0)
        for limit in limits.get(name, ()):
            if limit.rule.metric == "pue" and limit.rule.at_most is not None:
                rows += _rows(limit, limit.rule.at_most, f"{name}:{limit.name}", s, site, past, time)
    return rows


def _rows(limit: Limit, most: float, label: str, s: int, site: Site, past: Balance, time: Times) -> list[CapRow]:
    local = pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(site.time_zone)
    days, years = np.array(local.date), local.year.to_numpy()
    counted = (days >= limit.rule.valid_from) & (days <= (limit.rule.valid_to or date.max))
    rows = []
    for year in sorted(set(years[counted].tolist())):
        inside = np.flatnonzero(counted & (years == year))
        credit = most * past.it_mwh - past.facility_mwh if year == years[0] else 0.0
        rows.append(CapRow(f"{label}@{year}", label, s, most, int(inside[0]), int(inside[-1]) + 1, credit))
    return rows
