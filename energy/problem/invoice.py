"""A running month's invoice goes on: charges accrue on what it holds, and what it holds is paid already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from energy.inputs.fleet import Fleet
from energy.inputs.state import InvoiceSoFar, SiteState, State
from energy.schema import Floats


def add_so_far(
    fleet: Fleet, state: State, charges: Sequence[str], demand: dict[str, Floats], minimums: Sequence[str],
    minimum: dict[str, Floats],
) -> Floats:  # fmt: skip
    """Raise the rates of `demand` and the sums of `minimum` by what is on record; returns what is billed, (S,) [EUR].

    With K the rate on record, k the horizon's own, P the billed peak at its end and F the sum billed before, the
    month's invoice grows by (K + k) P - F. Nothing of it depends on how the month was cut into horizons. A MW above
    the record costs K + k: the share of the month that lies behind the horizon's end, which is the probability that
    the new record stays the month's highest where all hours are alike.
    """
    billed, held = np.zeros(len(fleet.sites)), np.zeros(len(minimums))
    of_minimum = {tuple(_parts(label)[::2]): b for b, label in enumerate(minimums)}
    for d, label in enumerate(charges):
        name, component, month = _parts(label)
        so_far = _so_far(state, name, month)
        if so_far is None:
            continue
        paid = _raise(demand, d, fleet.sites[name].time_zone, component, month, so_far)
        billed[int(demand["charge_site"][d])] += paid
        if (name, month) in of_minimum:
            held[of_minimum[name, month]] += paid
    for b, label in enumerate(minimums):
        name, _, month = _parts(label)
        known = _so_far(state, name, month) or InvoiceSoFar()
        minimum["minimum_eur"][b] += known.minimum_eur - known.counted_eur + held[b]
        billed[int(minimum["minimum_site"][b])] += known.top_up_eur
    return billed


def _raise(demand: Mapping[str, Floats], d: int, zone: str, component: str, month: str, so_far: InvoiceSoFar) -> float:
    """Put a charge's rates on top of those on record; returns what its bands have billed [EUR]."""
    real = int((demand["charge_band_mw"][d] > 0).sum())
    paid = 0.0
    for band in range(real):
        known = so_far.charges.get(component if real == 1 else f"{component}_band_{band + 1}")
        if known is not None:
            own = demand["charge_rate"][d, band] * _hours(month, zone) / known.spread_h
            demand["charge_rate"][d, band] = known.rate_eur_per_mw + own
            paid += known.billed_eur
    return paid


def _parts(label: str) -> tuple[str, str, str]:
    """(site, component, month) of a label such as north:peak@2024-03."""
    name, _, rest = label.partition(":")
    component, _, month = rest.partition("@")
    return name, component, month


def _so_far(state: State, name: str, month: str) -> InvoiceSoFar | None:
    return state.sites.get(name, SiteState()).invoice_so_far.get(month)


def _hours(month: str, zone: str) -> float:
    """Length of a month on the site's clock [h]: what the horizon's own rate is a share of."""
    first = pd.Timestamp(f"{month}-01")
    ends = [(first + pd.DateOffset(months=k)).tz_localize(zone) for k in (0, 1)]
    return float((ends[1] - ends[0]) / pd.Timedelta(hours=1))
