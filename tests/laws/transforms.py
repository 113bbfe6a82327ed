"""The same problem written differently: other units, other order, a job or an hour in two parts."""

from __future__ import annotations

import numpy as np
import xarray as xr

from energy.schema import PROBLEM

#: Arrays that point at positions of another axis; -1 points nowhere.
POINTERS = {
    "site": ("hall_site", "charge_site", "contract_site", "minimum_site", "cap_site"),
    "hall": ("pool_hall",),
    "group": ("job_group", "post_horizon_group"),
    "month": ("month_of", "charge_month", "minimum_month"),
    "speed_class": ("pool_class",),
}
#: Money per MW, MWh, GPU-hour or on its own, by power of money.
MONEY = [a.name for a in PROBLEM.values() if a.unit.startswith("EUR")]


def changed(problem: xr.Dataset, **arrays: object) -> xr.Dataset:
    """Other values in place, without a check: laws go beyond the valid ranges."""
    return problem.assign({k: (problem[k].dims, np.asarray(v)) for k, v in arrays.items()})


def times_money(problem: xr.Dataset, factor: float) -> xr.Dataset:
    """Every price, rate, penalty and amount of money times a factor."""
    return changed(problem, **{k: problem[k].values * factor for k in MONEY if k != "fx"})


def in_kw(problem: xr.Dataset) -> xr.Dataset:
    """The same problem in kW, kWh and EUR per kW or kWh."""
    out = {}
    for a in PROBLEM.values():
        power = {"MW": 1000.0, "MWh": 1000.0, "EUR MWh-1": 1e-3, "EUR MW-1": 1e-3, "t MWh-1": 1e-3}.get(a.unit)
        if power is not None:
            out[a.name] = problem[a.name].values * power
    return changed(problem, **out)


def permuted(problem: xr.Dataset, dim: str, order: np.ndarray) -> xr.Dataset:
    """Another order along an axis, and every array that points into it."""
    out = problem.isel({dim: order})
    to = np.empty(len(order), int)
    to[order] = np.arange(len(order))
    pointing = {k: out[k].values for k in POINTERS.get(dim, ())}
    out = changed(out, **{k: np.where(v < 0, v, to[np.maximum(v, 0)]) for k, v in pointing.items()})
    return out.assign_coords(time=problem["time"])


def split_job(problem: xr.Dataset, job: int, share: float) -> xr.Dataset:
    """Job in two jobs of the same group and window, with shares of its work and of its GPUs."""
    jobs = np.append(np.arange(problem.sizes["job"]), job)
    out = problem.isel(job=jobs)
    parts = np.ones(len(jobs))
    parts[[job, -1]] = share, 1 - share
    return changed(out, **{k: out[k].values * parts for k in ("work_left", "max_gpus", "deferred_max")})


def split_hour(problem: xr.Dataset, hour: int) -> xr.Dataset:
    """Period in two halves that are alike."""
    periods = np.insert(np.arange(problem.sizes["time"]), hour, hour)
    out = problem.isel(time=periods)
    dt, time = out["dt"].values.copy(), problem["time"].values
    dt[hour : hour + 2] /= 2
    middle = time[hour] + np.timedelta64(round(dt[hour] * 3600), "s")
    start, stop = problem["cap_start"].values, problem["cap_stop"].values
    out = changed(out, dt=dt, cap_start=start + (start > hour), cap_stop=stop + (stop > hour))
    return out.assign_coords(time=np.insert(time, hour + 1, middle))


#: What must be nothing in hours that are put in front and shall cost nothing.
STILL = (
    "open",
    "price",
    "charge_weight",
    "minimum_rate",
    "contract_mw",
    "solar_mw",
    "export_limit_mw",
    "export_price",
    "heat_limit_mw",
)


def after_idle_hours(problem: xr.Dataset, hours: int) -> xr.Dataset:
    """The whole problem so many periods later, behind idle ones in which power is free."""
    periods = np.concatenate([np.zeros(hours, int), np.arange(problem.sizes["time"])])
    out = problem.isel(time=periods)
    quiet = {k: np.where(np.arange(len(periods)) < hours, 0.0, out[k].values) for k in STILL}
    caps = {k: problem[k].values + hours for k in ("cap_start", "cap_stop")}
    step = np.timedelta64(round(float(problem["dt"].values[0]) * 3600), "s")
    first = problem["time"].values[0] - hours * step
    return changed(out, **quiet, **caps).assign_coords(time=first + np.arange(len(periods)) * step)
