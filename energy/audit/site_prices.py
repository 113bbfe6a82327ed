"""What a site pays per MWh in each period, and what its array and its grid exchange, from raw inputs.

The raw inputs that every audit starts from, and how a raw series is sampled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from energy.inputs.case import Case
from energy.inputs.components import blended
from energy.inputs.dated import at
from energy.inputs.fleet import Fleet, Site
from energy.inputs.fx import Fx
from energy.inputs.gpus import GpuPower
from energy.inputs.metered import Metered
from energy.inputs.series import Series
from energy.inputs.state import State
from energy.inputs.tariffs import Tariff
from energy.plant import Plant
from energy.plant.photovoltaics import Array, solar_power
from energy.schema import Floats, Times


def spot(facts: Facts, site: Site, time: Times, dt: Floats) -> Floats:
    """Day-ahead price of the site's zone [EUR/MWh], shape (T,)."""
    raw = facts.series.prices[site.bidding_zone]
    return sample(raw, "value", time, dt) * facts.fx.at(raw.attrs["currency"], time)


def metered(facts: Facts, name: str, time: Times, dt: Floats, drawn: Floats) -> Metered:
    """The site's meter with what prices it, for components and contracts."""
    site, tariff = facts.fleet.sites[name], facts.tariffs[name]
    return Metered(
        name, site.country, site.time_zone, site.reduced_rates, tariff.currency, time, dt, drawn,
        spot(facts, site, time, dt), facts.fx, facts.state.site(name),
    )  # fmt: skip


def energy_price(facts: Facts, name: str, time: Times, dt: Floats) -> Floats:
    """Spot and what the components add per MWh [EUR/MWh], (T,)."""
    meter = metered(facts, name, time, dt, np.zeros(len(time)))
    added = (blended(versions, meter, lambda c: c.per_mwh(meter)) for versions in facts.tariffs[name].versions.values())
    return meter.spot + sum(added, np.zeros(len(time)))


def solar(facts: Facts, name: str, time: Times, dt: Floats) -> Floats:
    """What the array could give [MW], (T,)."""
    site = facts.fleet.sites[name]
    if site.solar is None:
        return np.zeros(len(time))
    raw, s, place = facts.series.weather[name], site.solar, site.place
    has = {k: sample(raw, k, time, dt) for k in ("ghi", "dni", "dhi", "wind_speed", "temp_air") if k in raw}
    light = (has["ghi"], has["dni"], has["dhi"]) if {"ghi", "dni", "dhi"} <= set(has) else None
    panel = Array(place.latitude, place.longitude, place.altitude_m, s.dc_mw, s.ac_mw, s.tilt_deg, s.azimuth_deg,
                  s.losses_percent, s.temperature_coefficient_per_k)  # fmt: skip
    return solar_power(panel, time, float(dt[0]), has["temp_air"], has.get("wind_speed"), light)


def feed_in_price(facts: Facts, name: str, time: Times, dt: Floats) -> Floats:
    """What an exported MWh earns [EUR/MWh], (T,); 0 without a feed-in contract."""
    solar_plant = facts.fleet.sites[name].solar
    if solar_plant is None or solar_plant.feed_in is None:
        return np.zeros(len(time))
    feed = solar_plant.feed_in
    if feed.spot_share is not None:
        return spot(facts, facts.fleet.sites[name], time, dt) * feed.spot_share
    return (feed.price or 0.0) * facts.fx.at(feed.currency, time)


def grid_exchange(
    facts: Facts, name: str, facility: Floats, time: Times, dt: Floats, limit: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """Drawn, fed in and solar used [MW], each (T,).

    The sun serves the site first; where drawing is paid for (negative price) it is curtailed, and so is the
    surplus wherever feeding in is not possible or earns nothing. `limit` is the most solar power that a plan uses.
    """
    sun = np.where(energy_price(facts, name, time, dt) < 0, 0.0, solar(facts, name, time, dt))
    sun = sun if limit is None else np.minimum(sun, limit)
    own = np.minimum(sun, facility)
    plant = facts.fleet.sites[name].solar
    most = plant.feed_in.limit_mw if plant is not None and plant.feed_in is not None else 0.0
    fed = np.where(feed_in_price(facts, name, time, dt) > 0, np.minimum(sun - own, most), 0.0)
    return facility - own, fed, own + fed


@dataclass(frozen=True)
class Facts:
    """Everything the files say that prices or powers a schedule."""

    case: Case
    fleet: Fleet
    powers: Mapping[str, GpuPower]
    plants: Mapping[str, Plant]
    tariffs: Mapping[str, Tariff]
    series: Series
    fx: Fx
    state: State


def minutes(time: Times, dt: Floats) -> Times:
    """Middles of the minutes of each period, shape (T, minutes); periods are equally long."""
    count = round(float(dt[0]) * 60)
    return time[:, None] + np.timedelta64(30, "s") + np.arange(count) * np.timedelta64(1, "m")


def sample(ds: xr.Dataset, name: str, time: Times, dt: Floats) -> Floats:
    """Mean of a raw step series over each period, from its value in every minute, shape (T,)."""
    position = np.searchsorted(ds["time"].values, minutes(time, dt), side="right") - 1
    return np.asarray(ds[name].values[position].mean(axis=1))


def clock(time: Times, site: Site) -> pd.DatetimeIndex:
    """Period starts on the site's clock."""
    return pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(site.time_zone)


def reused(facts: Facts, name: str, it: Mapping[str, Floats], time: Times, dt: Floats) -> Floats:
    """Heat handed over by a site [MW], (T,): all that is warm enough, wanted, and earns more than its heat pump costs.

    Parameters
    ----------
    it : IT power by hall id [MW], each (T,)
    """
    site = facts.fleet.sites[name]
    if site.heat_reuse is None:
        return np.zeros(len(time))
    buyer, there = site.heat_reuse, np.zeros(len(time))
    for hall, (owner, _) in facts.fleet.halls().items():
        share, warm = facts.plants[hall].liquid_heat()
        if owner == name and (buyer.heat_pump_cop is not None or warm >= buyer.temperature_c):
            there = there + buyer.recoverable_share * share * it[hall]
    worth = buyer.price_eur_per_mwh > _pump_price(facts, name, time, dt)
    return np.where(worth, np.minimum(there, at(buyer.limit_mw, time, site.time_zone)), 0.0)


def _pump_price(facts: Facts, name: str, time: Times, dt: Floats) -> Floats:
    """Cost of the heat pump's power per heat taken [EUR/MWh], (T,)."""
    buyer = facts.fleet.sites[name].heat_reuse
    if buyer is None or buyer.heat_pump_cop is None:
        return np.zeros(len(time))
    return np.asarray(energy_price(facts, name, time, dt) / buyer.heat_pump_cop)
