"""Arrays of supply contracts and solar: what they save, what they cost in any case."""

from collections.abc import Mapping
from typing import assert_never

import numpy as np

from energy.inputs.contracts import Contract
from energy.inputs.dated import at
from energy.inputs.fleet import Site
from energy.inputs.load import Inputs
from energy.inputs.terms import OfferedVolume, Premium, Settlement
from energy.plant.photovoltaics import Array, solar_power
from energy.schema import Floats
from energy.schema.calendar import Horizon
from energy.series.resample import variable


def contract_arrays(inputs: Inputs, spot: Mapping[str, Floats]) -> tuple[list[str], dict[str, Floats]]:
    """Labels and contract_site (Q,), contract_mw and contract_saving (Q, T) of contracts that are decided on.

    The saving may exceed what the MWh costs (charges below zero, a negative marginal loss): drawing it then earns
    money, which is what `schema.lowest_price` looks for.
    """
    sites, horizon = inputs.fleet.sites, inputs.horizon
    rows = [(s, name, c, term) for s, (name, site) in enumerate(sites.items())
            for c in site.contracts for term in c.terms() if isinstance(term, OfferedVolume)]  # fmt: skip
    mw = [delivered(c, sites[name], horizon) for _, name, c, _ in rows]
    money = [inputs.fx.at(c.currency, horizon.time) for *_, c, _ in rows]
    saving = [np.maximum(spot[n] - term.strike * m, 0.0) for (_, n, _, term), m in zip(rows, money, strict=True)]
    shape = (len(rows), len(horizon))
    return [f"{name}:{c.name}" for _, name, c, _ in rows], {
        "contract_site": np.array([s for s, *_ in rows], dtype=np.int64),
        "contract_mw": np.array(mw, dtype=float).reshape(shape),
        "contract_saving": np.array(saving, dtype=float).reshape(shape),
    }


def delivered(c: Contract, site: Site, horizon: Horizon) -> Floats:
    """Power of the contract in its hours [MW], (T,)."""
    inside = c.when.holds(horizon.on_clock(site.time_zone), site.country)
    return at(c.mw, horizon.time, site.time_zone) * inside


def unavoidable_eur(inputs: Inputs, name: str, spot: Floats) -> float:
    """Cost of contracts that no plan changes: settled hedges, take-or-pay volumes, premiums [EUR]."""
    total, site, horizon = 0.0, inputs.fleet.sites[name], inputs.horizon
    for c in site.contracts:
        energy, money = delivered(c, site, horizon) * horizon.dt, inputs.fx.at(c.currency, horizon.time)
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
    inputs: Inputs, spot: Mapping[str, Floats], price: Mapping[str, Floats], already_paid: Floats
) -> dict[str, Floats]:
    """solar_mw, export_limit_mw, export_price, export_clip; each (S, T), 0 without an array or a feed-in price.

    Parameters
    ----------
    already_paid : part of the price that a minimum bill may have paid for already [EUR/MWh], (S, T)
    """
    horizon, sites = inputs.horizon, inputs.fleet.sites
    out = {
        key: np.zeros((len(sites), len(horizon)))
        for key in ("solar_mw", "export_limit_mw", "export_price", "export_clip")
    }
    for s, (name, site) in enumerate(sites.items()):
        if site.solar is None:
            continue
        raw, feed = inputs.series.weather[name], site.solar.feed_in
        has = {str(k): variable(raw, str(k), horizon) for k in raw.data_vars if k != "quality"}
        light = (has["ghi"], has["dni"], has["dhi"]) if {"ghi", "dni", "dhi"} <= set(has) else None
        panel = Array(**site.place.model_dump(), **site.solar.model_dump(exclude={"feed_in"}))
        power = solar_power(panel, horizon.time, horizon.dt, has["temp_air"], has.get("wind_speed"), light)
        power = np.where(price[name] < 0, 0.0, power)  # curtailed where drawing is paid for, as the replay does
        out["solar_mw"][s] = power
        if feed is not None:
            fixed = (feed.price or 0.0) * inputs.fx.at(feed.currency, horizon.time)
            earned = fixed if feed.spot_share is None else spot[name] * feed.spot_share
            # Never above what the MWh costs at least: selling dear while buying cheap is one meter, and not linear.
            paid = np.minimum(earned, price[name] - already_paid[s])
            out["export_limit_mw"][s] = np.minimum(power, feed.limit_mw)
            out["export_price"][s], out["export_clip"][s] = paid, np.maximum(earned - paid, 0.0)
    return out
