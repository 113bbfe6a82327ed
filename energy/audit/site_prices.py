"""Price of a MWh at a site in each period, and its exchange with grid and heat buyers, from the raw inputs.

The audit puts raw series on the periods by sampling every minute, where `problem` uses interval arithmetic.
"""

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from energy.inputs.components import blended
from energy.inputs.dated import at
from energy.inputs.fleet import Site
from energy.inputs.load import Inputs
from energy.inputs.metered import Metered
from energy.plant.photovoltaics import Array, solar_power
from energy.schema import Bools, Floats, Times
from energy.schema.calendar import Horizon


def spot(inputs: Inputs, site: Site, horizon: Horizon) -> Floats:
    """Day-ahead price of the site's zone [EUR/MWh], shape (T,)."""
    raw = inputs.series.prices[site.bidding_zone]
    return sample(raw, "value", horizon) * inputs.fx.at(raw.attrs["currency"], horizon.time)


def metered(inputs: Inputs, name: str, horizon: Horizon, drawn: Floats) -> Metered:
    """The site's meter with what prices it, for components and contracts."""
    site, tariff = inputs.fleet.sites[name], inputs.tariffs[name]
    return Metered(
        name, site.country, site.reduced_rates, tariff.currency, horizon.on_clock(site.time_zone), drawn,
        spot(inputs, site, horizon), inputs.fx, inputs.state.site(name),
    )  # fmt: skip


def energy_price(inputs: Inputs, name: str, horizon: Horizon) -> Floats:
    """Spot and what the components add per MWh [EUR/MWh], (T,)."""
    meter = metered(inputs, name, horizon, np.zeros(len(horizon)))
    versions_of = inputs.tariffs[name].versions.values()
    added = (blended(versions, meter, lambda c: c.per_mwh(meter)) for versions in versions_of)
    return meter.spot + sum(added, np.zeros(len(horizon)))


def solar(inputs: Inputs, name: str, horizon: Horizon) -> Floats:
    """Power that the solar array could give [MW], (T,)."""
    site = inputs.fleet.sites[name]
    if site.solar is None:
        return np.zeros(len(horizon))
    raw = inputs.series.weather[name]
    has = {k: sample(raw, k, horizon) for k in ("ghi", "dni", "dhi", "wind_speed", "temp_air") if k in raw}
    light = (has["ghi"], has["dni"], has["dhi"]) if {"ghi", "dni", "dhi"} <= set(has) else None
    panel = Array(**site.place.model_dump(), **site.solar.model_dump(exclude={"feed_in"}))
    return solar_power(panel, horizon.time, horizon.dt, has["temp_air"], has.get("wind_speed"), light)


def feed_in_price(inputs: Inputs, name: str, horizon: Horizon) -> Floats:
    """Earning of an exported MWh [EUR/MWh], (T,); 0 without a feed-in contract."""
    solar_plant = inputs.fleet.sites[name].solar
    if solar_plant is None or solar_plant.feed_in is None:
        return np.zeros(len(horizon))
    feed = solar_plant.feed_in
    if feed.spot_share is not None:
        return spot(inputs, inputs.fleet.sites[name], horizon) * feed.spot_share
    return (feed.price or 0.0) * inputs.fx.at(feed.currency, horizon.time)


def grid_exchange(
    inputs: Inputs, name: str, facility: Floats, horizon: Horizon, limit: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """Drawn, fed in and solar used [MW], each (T,).

    The sun serves the site first; where drawing is paid for (negative price) it is curtailed, and so is the
    surplus wherever feeding in is not possible or earns nothing. `limit` is the most solar power that a plan uses.
    """
    sun = np.where(energy_price(inputs, name, horizon) < 0, 0.0, solar(inputs, name, horizon))
    sun = sun if limit is None else np.minimum(sun, limit)
    own = np.minimum(sun, facility)
    plant = inputs.fleet.sites[name].solar
    most = plant.feed_in.limit_mw if plant is not None and plant.feed_in is not None else 0.0
    fed = np.where(feed_in_price(inputs, name, horizon) > 0, np.minimum(sun - own, most), 0.0)
    return facility - own, fed, own + fed


def minute_mean(horizon: Horizon, of: Callable[[Times], Floats | Bools]) -> Floats:
    """Mean over each period of a function of the moment, from the middle of every minute, (T,)."""
    out = np.empty(len(horizon))
    for length in np.unique(horizon.dt):
        here, count = horizon.dt == length, round(float(length) * 60)
        moments = horizon.time[here, None] + np.timedelta64(30, "s") + np.arange(count) * np.timedelta64(1, "m")
        out[here] = of(moments).mean(axis=1)
    return out


def sample(ds: xr.Dataset, name: str, horizon: Horizon) -> Floats:
    """Mean of a raw step series over each period, from its value in every minute, shape (T,)."""
    starts, values = ds["time"].values, ds[name].values
    return minute_mean(horizon, lambda moments: values[np.searchsorted(starts, moments, side="right") - 1])


def reused(inputs: Inputs, name: str, it: Mapping[str, Floats], horizon: Horizon) -> Floats:
    """Heat handed over by a site [MW], (T,): all that is warm enough, wanted, and earns more than its heat pump costs.

    Parameters
    ----------
    it : IT power by hall id [MW], each (T,)
    """
    site = inputs.fleet.sites[name]
    if site.heat_reuse is None:
        return np.zeros(len(horizon))
    buyer, there = site.heat_reuse, np.zeros(len(horizon))
    for hall, (owner, _) in inputs.fleet.halls().items():
        share, warm = inputs.plants[hall].liquid_heat()
        if owner == name and (buyer.heat_pump_cop is not None or warm >= buyer.temperature_c):
            there = there + buyer.recoverable_share * share * it[hall]
    worth = buyer.price_eur_per_mwh > pump_price(inputs, name, horizon)
    return np.where(worth, np.minimum(there, at(buyer.limit_mw, horizon.time, site.time_zone)), 0.0)


def pump_price(inputs: Inputs, name: str, horizon: Horizon) -> Floats:
    """Cost of the heat pump's power per heat taken [EUR/MWh], (T,)."""
    buyer = inputs.fleet.sites[name].heat_reuse
    if buyer is None or buyer.heat_pump_cop is None:
        return np.zeros(len(horizon))
    return np.asarray(energy_price(inputs, name, horizon) / buyer.heat_pump_cop)
