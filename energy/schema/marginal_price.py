"""The lowest price a MWh can have at the margin: what decides in which hours power could be burned for money."""

from typing import Any

import numpy as np
import xarray as xr

from energy.schema.arrays import Floats
from energy.schema.validate import values_of

#: Prices closer to zero than this are zero [EUR/MWh]: sums and differences of prices up to 1e4 are rounded by 1e-12,
#: and a thousand MWh at this price are worth a ten-thousandth of a cent.
LEAST_PRICE = 1e-9


def lowest_price(problem: xr.Dataset) -> Floats:
    """Least cost of one more MWh drawn, whatever the plan, (S, T) [EUR/MWh].

    The price, less the saving of the best contract that delivers in the hour, less the energy charges that a minimum
    bill has already paid for: below its minimum a site pays nothing more for them.
    """
    p: dict[str, Any] = values_of(problem)
    saved, paid = np.zeros_like(p["price"], dtype=float), np.zeros_like(p["price"], dtype=float)
    offered = np.where(p["contract_mw"] > 0, np.maximum(p["contract_saving"], 0.0), 0.0)
    np.maximum.at(saved, p["contract_site"], offered)
    np.add.at(paid, p["minimum_site"], np.maximum(p["minimum_rate"], 0.0))
    lowest = p["price"] - saved - paid
    return np.where(np.abs(lowest) < LEAST_PRICE, 0.0, lowest)
