"""Peaks of a Solution as low as the power drawn allows: where a minimum bill binds, a higher one costs nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from energy.schema import TINY_MW, Floats, values_of


def least_peaks(problem: xr.Dataset, solution: xr.Dataset) -> xr.Dataset:
    """The Solution with `peak` and `band` of charges that count towards a minimum bill taken from `grid_import`.

    Below the minimum a demand charge is paid already, so the solver may leave any peak and any order of the bands.
    Both are stated as the meter would show them, and the top-up makes good what they counted for: the cost is the
    same. Nothing else is touched: a peak below the power drawn, bands that do not add up to their peak and a top-up
    that is too small stay as wrong as they were, for the certificate to see.
    """
    p: dict[str, Any] = values_of(problem)
    x: dict[str, Any] = {k: solution[k].values for k in ("grid_import", "peak", "band", "top_up")}
    same = (p["charge_site"] == p["minimum_site"][:, None]) & (p["charge_month"] == p["minimum_month"][:, None])
    many = (p["charge_band_mw"] > 0).sum(axis=1) > 1
    whole = ~many | (np.abs(x["band"].sum(axis=1) - x["peak"]) < TINY_MW)
    peak = np.where(same.any(axis=0) & whole, np.minimum(x["peak"], _drawn(p, x["grid_import"])), x["peak"])
    band = np.where((same.any(axis=0) & whole & many)[:, None], _filled(p, peak), x["band"])
    lost = same @ (_money(p, x["peak"], x["band"], many) - _money(p, peak, band, many))
    energy = (p["minimum_rate"] * p["dt"] * x["grid_import"][p["minimum_site"]]).sum(axis=1)
    missing = p["minimum_eur"] - energy - same @ _money(p, peak, band, many)
    new = {"peak": peak, "band": band, "top_up": np.maximum(x["top_up"], np.minimum(missing, x["top_up"] + lost))}
    return solution.assign({k: (solution[k].dims, v, solution[k].attrs) for k, v in new.items()})


def _drawn(p: dict[str, Any], drawn: Floats) -> Floats:
    """Billed peak of the power drawn, (D,) [MW]."""
    peak = (p["charge_weight"] * drawn[p["charge_site"]]).max(axis=1, initial=0.0)
    return np.asarray(np.maximum(peak, p["charge_floor"]))


def _filled(p: dict[str, Any], peak: Floats) -> Floats:
    """Each peak cut into its bands in their order, (D, bands) [MW]."""
    width = p["charge_band_mw"]
    return np.asarray(np.clip(peak[:, None] - (np.cumsum(width, axis=1) - width), 0.0, width))


def _money(p: dict[str, Any], peak: Floats, band: Floats, many: Floats) -> Floats:
    """Demand charges as the program prices them, (D,) [EUR]: by band, or by peak where there is one band."""
    first = np.argmax(p["charge_band_mw"] > 0, axis=1)[:, None]
    single = np.take_along_axis(p["charge_rate"], first, axis=1)[:, 0] * peak
    return np.where(many, (band * p["charge_rate"]).sum(axis=1), single)
