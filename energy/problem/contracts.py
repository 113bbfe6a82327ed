"""Arrays of supply contracts and solar: what they save, what they cost in any case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import numpy as np

from energy.inputs.contracts import Contract, Solar
from energy.inputs.dated import at
from energy.inputs.fleet import Fleet, Site
from energy.inputs.fx import Fx
from energy.inputs.series import Series
from energy.inputs.terms import OfferedVolume, Premium, Settlement
from energy.plant.photovoltaics import Array, solar_power
from energy.problem.tariffs import local
from energy.schema import Floats, Times
from energy.series.resample import variable


def contract_arrays(
    fleet: Fleet, spot: Mapping[str, Floats], fx: Fx, time: Times
) -> tuple[list[str], dict[str, Floats]]:
    """Labels and contract_site (Q,), contract_mw and contract_saving (Q, T) of contracts that are decided on.

    The saving may exceed what the MWh costs (charges below zero, a negative marginal loss): drawing it then earns
    money, which is what `schema.lowest_price` looks for.
    """
    rows = [(s, name, c, term) for s, (name, site) in enumerate(fleet.sites.items())
            for c in site.contracts for term in c.terms() if isinstance(term, OfferedVolume)]  # fmt: skip
    mw = [delivered(c, fleet.sites[name], time) for _, name, c, _ in rows]
    saving = [np.maximum(spot[name] - term.strike * fx.at(c.currency, time), 0.0) for _, name, c, term in rows]
    shape = (len(rows), len(time))
    return [f"{name}:{c.name}" for _, name, c, _ in rows], {
        "contract_site": np.array([s for s, *_ in rows], dtype=np.int64),
        "contract_mw": np.array(mw, dtype=float).reshape(shape),
        "contract_saving": np.array(saving, dtype=float).reshape(shape),
    }


def delivered(c: Contract, site: Site, time: Times) -> Floats:
    """Power of the contract in its hours [MW], (T,)."""
    return at(c.mw, time, site.time_zone) * c.when.holds(local(time, site), site.country)


def unavoidable_eur(site: Site, spot: Floats, fx: Fx, time: Times, hours: float) -> float:
    """What contracts cost whatever the plan: settled hedges, take-or-pay volumes, premiums [EUR]."""
    total = 0.0
    for c in site.contracts:
        energy, money = delivered(c, site, time) * hours, fx.at(c.currency, time)
        for term in c.terms():
            match term:
                case OfferedVolume():
                    pass  # the program decides on it
                case Settlement():
                    price = term.price * money
                    total += float(energy @ (price - spot if term.against_spot else price))
                case Premium():
                    total += float((energy * term.per_mwh) @ money)
                case _:
                    assert_never(term)
    return total


def solar_arrays(
    fleet: Fleet,
    series: Series,
    spot: Mapping[str, Floats],
    price: Mapping[str, Floats],
    already_paid: Floats,
    fx: Fx,
    time: Times,
    hours: float,
) -> dict[str, object]:
    """solar_mw, export_limit_mw, export_price, export_clip; each (S, T).

    Parameters
    ----------
    already_paid : part of the price that a minimum bill may have paid for already [EUR/MWh], (S, T)
    """
    rows = [
        _solar(name, site, series, spot[name], price[name], already_paid[s], fx, time, hours)
        for s, (name, site) in enumerate(fleet.sites.items())
    ]
    return {
        key: [row[i] for row in rows]
        for i, key in enumerate(("solar_mw", "export_limit_mw", "export_price", "export_clip"))
    }


def _solar(
    name: str,
    site: Site,
    series: Series,
    spot: Floats,
    price: Floats,
    already_paid: Floats,
    fx: Fx,
    time: Times,
    hours: float,
) -> tuple[Floats, Floats, Floats, Floats]:
    zero = np.zeros(len(time))
    if site.solar is None:
        return zero, zero, zero, zero
    raw = series.weather[name]
    columns = {str(k): variable(raw, str(k), time, hours) for k in raw.data_vars if k != "quality"}
    sun = all(k in columns for k in ("ghi", "dni", "dhi"))
    irradiance = (columns["ghi"], columns["dni"], columns["dhi"]) if sun else None
    power = solar_power(
        array_of(site, site.solar), time, hours, columns["temp_air"], columns.get("wind_speed"), irradiance
    )
    power = np.where(price < 0, 0.0, power)  # curtailed where drawing is paid for, as the replay does
    feed = site.solar.feed_in
    if feed is None:
        return power, zero, zero, zero
    earned = spot * feed.spot_share if feed.spot_share is not None else (feed.price or 0.0) * fx.at(feed.currency, time)
    # Never above what the MWh costs at least: selling dear while buying cheap is one meter, and not linear.
    paid = np.minimum(earned, price - already_paid)
    return power, np.minimum(power, feed.limit_mw), paid, np.maximum(earned - paid, 0.0)


def array_of(site: Site, solar: Solar) -> Array:
    """The physical array of a site."""
    return Array(
        site.place.latitude, site.place.longitude, site.place.altitude_m, solar.dc_mw, solar.ac_mw, solar.tilt_deg,
        solar.azimuth_deg, solar.losses_percent, solar.temperature_coefficient_per_k,
    )  # fmt: skip
