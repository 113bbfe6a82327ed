"""Caps that do not hold in all of the horizon, in the words of the files that would change it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from energy.inputs.fleet import PueCap
from energy.problem.read import Inputs
from energy.schema import Floats


def cap_notices(inputs: Inputs, problem: xr.Dataset) -> list[str]:
    """One sentence for each PUE cap that some of its windows do not have; empty when all caps hold throughout."""
    names = [str(c).split("@")[0] for c in problem["cap"].values]
    out = []
    for key, label, site, cap in _caps(inputs):
        lacking = problem.sizes["time"] - names.count(f"{label}:{cap.name}")
        if cap.period == "year" or not lacking:
            continue
        told = _rolling if cap.period == "rolling" else _hourly
        out.append(f"{inputs.fleet_path.name}: {key} ({cap.name}): {told(inputs, problem, site, cap, lacking)}")
    return out


def _caps(inputs: Inputs) -> Iterator[tuple[str, str, int | None, PueCap]]:
    """(key of the fleet file, first part of its rows' labels, position of the site or None, cap)."""
    for s, (name, site) in enumerate(inputs.fleet.sites.items()):
        for i, cap in enumerate(site.pue_caps):
            yield f"sites.{name}.pue_caps.{i}", name, s, cap
    for i, cap in enumerate(inputs.fleet.fleet_pue_caps):
        yield f"fleet_pue_caps.{i}", "fleet", None, cap


def _rolling(inputs: Inputs, problem: xr.Dataset, site: int | None, cap: PueCap, lacking: int) -> str:
    names = list(inputs.fleet.sites) if site is None else [list(inputs.fleet.sites)[site]]
    assert cap.window_h is not None  # the file model demands it for rolling caps
    first = problem["time"].values[0] + np.timedelta64(round(float(problem["dt"][0]) * 3600), "s")
    since = (first - np.timedelta64(round(cap.window_h * 3600), "s")).astype("datetime64[m]")
    file = inputs.case.state or "a state file, which the case names by state"
    keys = ", ".join(f"sites.{n}.history" for n in names)
    return (
        f"rolling cap of window_h {cap.window_h:g} is not held in the {lacking} of {problem.sizes['time']} windows that "
        f"begin before the horizon, as their history is not known; give {keys} from {since}Z on in {file}"
    )


def _hourly(inputs: Inputs, problem: xr.Dataset, site: int | None, cap: PueCap, lacking: int) -> str:
    least = _least_it(problem, site)
    return (
        f"hourly cap holds in {problem.sizes['time'] - lacking} of {problem.sizes['time']} periods: only where IT power "
        f"cannot fall below above_it_mw {cap.above_it_mw:g}, and it can fall to {least.min():.3f} … {least.max():.3f} MW; "
        "a lower above_it_mw, or more firm_gpus, makes it hold in more"
    )


def _least_it(problem: xr.Dataset, site: int | None) -> Floats:
    """IT power that no plan can lower [MW], (T,)."""
    mine = problem["hall_site"].values == site if site is not None else np.full(problem.sizes["hall"], True)
    return np.asarray(problem["it_min"].values[mine].sum(axis=0))
