"""Arrays of the sites: weather, prices, charges, limits, months."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from energy.inputs.case import Case
from energy.inputs.dated import at
from energy.inputs.errors import SeriesError
from energy.inputs.fleet import Fleet, Site
from energy.inputs.series import Series
from energy.inputs.state import State
from energy.inputs.tariffs import Tariff
from energy.plant import PlantError, Weather, weather_from
from energy.problem.align import quality, variable
from energy.schema import Floats, Times


def site_weather(fleet: Fleet, series: Series, time: Times, hours: float) -> dict[str, Weather]:
    """Weather of each site on the grid, moist-air properties completed by the plant's psychrometrics.

    Raises
    ------
    SeriesError : values that are each in range but together are no air, such as a wet bulb far too low.
    """
    out = {}
    for name, site in fleet.sites.items():
        raw = series.weather[name]
        columns = {str(k): variable(raw, str(k), time, hours) for k in raw.data_vars if k != "quality"}
        try:
            out[name] = weather_from(altitude_m=site.place.altitude_m, **columns)
        except PlantError as e:
            first = time[0].astype("datetime64[m]")
            where = f"{raw.attrs['file']}: weather of {name}, periods of {hours:g} h counted from {first}Z"
            raise SeriesError(where, str(e)) from None
    return out


def weather_arrays(
    fleet: Fleet, series: Series, weather: Mapping[str, Weather], time: Times, hours: float
) -> dict[str, object]:
    """temp_air, temp_wet_bulb, pressure, weather_quality; each (S, T)."""
    return {
        "temp_air": [weather[s].temp_air for s in fleet.sites],
        "temp_wet_bulb": [weather[s].temp_wet_bulb for s in fleet.sites],
        "pressure": [weather[s].pressure for s in fleet.sites],
        "weather_quality": [quality(series.weather[s], time, hours) for s in fleet.sites],
    }


def eur_per_unit(case: Case, currency: str) -> float:
    """Exchange rate of the case; that it has one is looked at when the files are read."""
    return 1.0 if currency == "EUR" else case.fx[currency].eur_per_unit


def price_arrays(
    case: Case, fleet: Fleet, series: Series, tariffs: Mapping[str, Tariff], time: Times, hours: float
) -> dict[str, object]:
    """spot, price_quality, energy_charge, price; each (S, T), money in EUR from here on."""
    spot, label, charge = [], [], []
    for name, site in fleet.sites.items():
        raw = series.prices[site.bidding_zone]
        spot.append(variable(raw, "value", time, hours) * eur_per_unit(case, raw.attrs["currency"]))
        label.append(quality(raw, time, hours))
        charge.append(energy_charge(case, site, tariffs[name], time))
    total = np.array(spot) + np.array(charge)
    return {"spot": spot, "price_quality": label, "energy_charge": charge, "price": total}


def energy_charge(case: Case, site: Site, tariff: Tariff, time: Times) -> Floats:
    """Sum of the tariff's energy components on each period's local day [EUR/MWh], shape (T,)."""
    rate = eur_per_unit(case, tariff.currency)
    days = local(time, site).date
    by_day = {d: sum(c.value for c in tariff.on(d, "energy").values()) * rate for d in sorted(set(days))}
    return np.array([by_day[d] for d in days])


def local(time: Times, site: Site) -> pd.DatetimeIndex:
    """Period starts in the site's local time."""
    return pd.DatetimeIndex(time).tz_localize("UTC").tz_convert(site.time_zone)


def month_arrays(
    case: Case, fleet: Fleet, tariffs: Mapping[str, Tariff], state: State, time: Times, hours: float
) -> tuple[list[str], dict[str, object]]:
    """Billing months, with month_of (S, T) and peak_rate, peak_so_far (S, M).

    A demand charge is paid per calendar month; the horizon bears the share of it that it covers, so a week
    is not charged a whole month's peak.
    """
    labels = {s: local(time, site).strftime("%Y-%m") for s, site in fleet.sites.items()}
    months = sorted({m for row in labels.values() for m in row})
    number = {m: i for i, m in enumerate(months)}
    month_of = [[number[m] for m in labels[s]] for s in fleet.sites]
    rate = [
        [_peak_rate(case, site, tariffs[s], m, float((labels[s] == m).sum()) * hours) for m in months]
        for s, site in fleet.sites.items()
    ]
    so_far = [
        [state.sites[s].peak_so_far_mw.get(m, 0.0) if s in state.sites else 0.0 for m in months] for s in fleet.sites
    ]
    return months, {"month_of": month_of, "peak_rate": rate, "peak_so_far": so_far}


def _peak_rate(case: Case, site: Site, tariff: Tariff, month: str, covered_h: float) -> float:
    """Demand charge of the month times the covered share of it [EUR/MW]."""
    first = pd.Timestamp(month).tz_localize(site.time_zone)
    whole_h = (first + pd.DateOffset(months=1) - first) / pd.Timedelta(hours=1)
    rates = tariff.on(date.fromisoformat(f"{month}-01"), "monthly_peak")
    return sum(c.value for c in rates.values()) * eur_per_unit(case, tariff.currency) * covered_h / whole_h


def limit_arrays(fleet: Fleet, time: Times) -> dict[str, object]:
    """grid_limit_mw, export_limit_mw, other_site_mw; each (S, T)."""
    sites = fleet.sites.values()
    return {
        "grid_limit_mw": [at(s.grid_limit_mw, time, s.time_zone) for s in sites],
        # Without generation on site an export would only resell what was imported.
        "export_limit_mw": np.zeros((len(fleet.sites), len(time))),
        "other_site_mw": [at(s.other_site_mw, time, s.time_zone) for s in sites],
    }


def carbon_arrays(fleet: Fleet, series: Series, time: Times, hours: float) -> dict[str, object]:
    """carbon_intensity (S, T) [t/MWh], 0 where not known, and carbon_known (S,)."""
    known = [s.bidding_zone in series.carbon for s in fleet.sites.values()]
    rows = [
        variable(series.carbon[s.bidding_zone], "value", time, hours) if k else np.zeros(len(time))
        for s, k in zip(fleet.sites.values(), known, strict=True)
    ]
    return {"carbon_intensity": rows, "carbon_known": np.array(known, dtype=float)}
