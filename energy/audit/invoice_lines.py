"""Heat reuse from raw inputs: what a schedule's halls hand over, and the invoice lines of it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from energy.audit.site_prices import Facts, _pump_price, clock
from energy.inputs.metered import Line


def heat_lines(facts: Facts, replayed: xr.Dataset) -> list[Line]:
    """Heat sold and the power of heat pumps, by site and month in site-local time."""
    time, dt = replayed["time"].values, replayed["dt"].values
    lines = []
    for s, (name, site) in enumerate(facts.fleet.sites.items()):
        if site.heat_reuse is None:
            continue
        energy = replayed["heat_mw"].values[s] * dt
        pump, months = _pump_price(facts, name, time, dt), clock(time, site).strftime("%Y-%m").to_numpy()
        for month in sorted(set(months)):
            mine = np.where(months == month, energy, 0.0)
            sold, rate = float(mine.sum()), site.heat_reuse.price_eur_per_mwh
            lines.append(Line(name, str(month), "heat_sales", "heat", sold, "MWh heat", -rate, -rate * sold))
            if site.heat_reuse.heat_pump_cop is not None:
                power, cost = sold / site.heat_reuse.heat_pump_cop, float(mine @ pump)
                lines.append(
                    Line(
                        name,
                        str(month),
                        "heat_pump",
                        "heat",
                        power,
                        "MWh heat pump",
                        cost / power if power else 0.0,
                        cost,
                    )
                )
    return lines
