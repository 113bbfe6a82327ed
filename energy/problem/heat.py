"""Heat reuse of the sites: what each hall can give, what the buyer takes, and what a MWh earns net of the heat pump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from energy.inputs.dated import at
from energy.inputs.errors import ConfigError
from energy.inputs.fleet import Fleet
from energy.plant import Plant, liquid_heat
from energy.schema import Floats, Times


def heat_arrays(fleet: Fleet, plants: Mapping[str, Plant], price: Sequence[Floats], time: Times) -> dict[str, object]:
    """heat_share (H,); heat_limit_mw, heat_price (S, T).

    Parameters
    ----------
    price : what one more MWh of power costs at each site [EUR/MWh], each (T,)

    Raises
    ------
    ConfigError : a buyer of heat at a site where no hall is warm enough and there is no heat pump.
    """
    limit, net = np.zeros((len(fleet.sites), len(time))), np.zeros((len(fleet.sites), len(time)))
    for s, site in enumerate(fleet.sites.values()):
        if site.heat_reuse is not None:
            limit[s] = at(site.heat_reuse.limit_mw, time, site.time_zone)
            cop = site.heat_reuse.heat_pump_cop
            net[s] = site.heat_reuse.price_eur_per_mwh - (price[s] / cop if cop else 0.0)
    share = np.array([_share(fleet, plants[hall], site) for hall, (site, _) in fleet.halls().items()])
    _someone_delivers(fleet, share)
    return {"heat_share": share, "heat_limit_mw": limit, "heat_price": net}


def _share(fleet: Fleet, plant: Plant, site: str) -> float:
    """Heat that can be handed over per IT power; 0 where the return is too cold."""
    buyer = fleet.sites[site].heat_reuse
    if buyer is None:
        return 0.0
    carried, warm = liquid_heat(plant)
    return carried * buyer.recoverable_share if buyer.heat_pump_cop or warm >= buyer.temperature_c else 0.0


def _someone_delivers(fleet: Fleet, share: Floats) -> None:
    owner = np.array([site for site, _ in fleet.halls().values()])
    for name, site in fleet.sites.items():
        if site.heat_reuse is not None and not share[owner == name].any():
            raise ConfigError(
                f"sites.{name}.heat_reuse",
                f"no hall has a liquid loop that returns {site.heat_reuse.temperature_c:g} °C or more",
                "a lower temperature_c, a heat_pump_cop, or a liquid-cooled hall",
            )
