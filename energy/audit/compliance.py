"""Legal and own limits: each with the balance of its year so far and of the plan, and what tightening it would cost."""

from typing import assert_never

import numpy as np
import xarray as xr

from energy.inputs.limits import Metric
from energy.inputs.load import Inputs
from energy.inputs.state import Balance
from energy.schema import Bools
from energy.schema.calendar import Horizon

#: A limit counts as broken when its figure misses it by more than this: rounding of sums over a year.
MISSED = 1e-9
#: The step of a limit whose cost is given.
TIGHTER = 0.01


def limit_compliance(
    inputs: Inputs, problem: xr.Dataset, prices: xr.Dataset, replayed: xr.Dataset
) -> list[dict[str, object]]:
    """Every limit that is in force in the horizon, by site and calendar year, for summary.json.

    `so_far`, `plan` and `together` are the figure before the horizon, in it, and of both; None without IT energy.
    `met` is together against the limit; None where the figure is reported only or is not known. `room` is what is left of
    the year's balance: MWh of facility energy (PUE), m3 of water (WUE), MWh of reuse (ERF); negative where the limit is
    missed. `tighter_eur` is the cost of a PUE limit tighter by TIGHTER, from the dual, and `breach_eur_per_mwh` what the
    program charges for a breach; None where the program does not know the limit.
    """
    rows = problem["cap"].values.astype(str)
    out: list[dict[str, object]] = []
    for name, site in inputs.fleet.sites.items():
        calendar, past = Horizon.of(replayed).on_clock(site.time_zone), inputs.state.site(name).year_to_date
        years = calendar.years
        for limit in inputs.limits.get(name, ()):
            rule, preset, counted = limit.rule, limit.preset, limit.rule.holds(calendar)
            for year in sorted(set(years[counted].tolist())):
                before = past if year == years[0] else Balance(facility_mwh=0, it_mwh=0)
                plan = drawn(replayed, name, counted & (years == year))
                whole, room, met = before + plan, None, None
                above, below = _sides(rule.metric, whole)
                together = above / below if below > 0 else None
                if rule.limit is not None:
                    room = above - rule.limit * below if rule.more_is_better else rule.limit * below - above
                    met = None if together is None else room >= -MISSED * max(whole.facility_mwh, 1.0)
                tighter, breach = None, None
                for at in np.flatnonzero(rows == f"{name}:{limit.name}@{year}"):
                    tighter = float(prices["value_cap"].values[at]) * TIGHTER
                    breach = float(problem["cap_penalty"].values[at])
                out.append({
                    "site": name, "limit_name": limit.name, "year": year, "metric": rule.metric, "limit": rule.limit,
                    "status": preset.status, "so_far": figure(rule.metric, before), "plan": figure(rule.metric, plan),
                    "together": together, "met": met, "room": room, "tighter_eur": tighter, "breach_eur_per_mwh": breach,
                    "boundary": preset.boundary, "fine": preset.fine, "source": rule.source, "confidence": rule.confidence,
                })  # fmt: skip
    return out


def drawn(replayed: xr.Dataset, name: str, when: Bools) -> Balance:
    """The site's energies and water over some periods, under the names of the state."""
    dt = np.where(when, replayed["dt"].values, 0.0)
    site = replayed.sel(site=name)
    mine = [str(h).startswith(f"{name}/") for h in replayed["hall"].values]
    return Balance(
        facility_mwh=float(site["facility_mw"].values @ dt),
        it_mwh=float(site["site_it_mw"].values @ dt),
        reused_mwh=float(site["heat_mw"].values @ dt),
        water_m3=float(replayed["water_m3"].values[mine][:, when].sum()),
    )


def figure(metric: Metric, b: Balance) -> float | None:
    """PUE [1], WUE [L/kWh] or ERF [1] of a balance; None where the denominator is 0."""
    above, below = _sides(metric, b)
    return above / below if below > 0 else None


def _sides(metric: Metric, b: Balance) -> tuple[float, float]:
    """Numerator and denominator of a figure."""
    match metric:
        case "pue":
            return b.facility_mwh, b.it_mwh
        case "wue":
            return b.water_m3, b.it_mwh
        case "erf":
            return b.reused_mwh, b.facility_mwh
        case _:
            assert_never(metric)
