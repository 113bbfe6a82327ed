"""Sites: energy, cost, peak and PUE of each; GPUs in use; price, dry bulb and load over the horizon."""

from __future__ import annotations

import numpy as np

from energy.report import charts
from energy.report.charts import HEADROOM, Panel, Picture, TimeAxis, series, span
from energy.report.figures import RunFigures
from energy.report.formatting import hours, number, places, share, unit
from energy.report.view import Cell, Column, Legend, Row, Table, left, table
from energy.schema import Floats

COLUMNS = (
    left("Site"), Column("Energy", "MWh"), Column("Cost", "EUR"), Column("All-in price", "EUR/MWh"),
    Column("Run-now cost", "EUR"), Column("Difference", "EUR"), Column("Peak load", "MW"), Column("PUE"),
    Column("GPUs busy"),
)  # fmt: skip
#: Heights of the picture of GPUs, and of the panels of price, dry bulb and load [px].
GPU_HEIGHT, HEIGHTS = 120.0, (74.0, 56.0, 92.0)
#: From so many GPUs on the pictures count in thousands, so that every scale has short numbers.
MANY, KILO = 5000.0, 1000.0
#: Sites share one load scale unless the largest has more than this many times the load of the smallest.
COMPARABLE = 4.0


def site_table(run: RunFigures) -> Table | None:
    """The plan by site, with run-now's energy, price, peak, PUE and share of busy GPUs below each figure."""
    return table(COLUMNS, [_row(run, s) for s in range(len(run.sites))], _row(run, None))


def _row(run: RunFigures, s: int | None) -> Row:
    """One site, or the fleet."""
    name, mine = ("fleet", slice(None)) if s is None else (run.sites[s], slice(s, s + 1))
    energy, base_energy = (float(run.energy(who)[mine].sum()) for who in ("plan", "base"))
    cost, base = (float(run.cost(who)[mine].sum()) for who in ("plan", "base"))
    e, c = places(float(run.energy("base").max())), places(float(run.cost("base").max()))
    power = [replay["facility_mw"].values for replay in run.replays.values()]
    peaks = "" if s is None else Cell(*(number(float(mw[s].max()), 2) for mw in power))
    pue = [number(run.record.summary[key].get(name), 4) for key in ("pue", "pue_baseline")]
    price = [number(paid / drawn if drawn > 0 else None, 2) for paid, drawn in ((cost, energy), (base, base_energy))]
    return (
        name, Cell(number(energy, e), number(base_energy, e)), number(cost, c), Cell(*price), number(base, c),
        difference(cost - base, c), peaks, Cell(*pue), Cell(*(share(run.busy(who, s)) for who in ("plan", "base"))),
    )  # fmt: skip


def difference(value: float, digits: int = 0) -> Cell:
    """Plan minus run-now, marked as a gain or a loss."""
    text = number(value, digits, sign=True)
    return Cell(text, mark="good" if text.startswith("−") else "bad" if text.startswith("+") else "")


def fleet_picture(run: RunFigures, time: TimeAxis, who: str, name: str) -> Picture:
    """GPUs in use in the plan or in run-now: firm ones, those of jobs at each shown site, then at all others."""
    used, available = run.used(who), run.problem["available"].values.sum(axis=0)
    rows = [run.problem["firm"].values.sum(axis=0), *(used[run.pool_site == s].sum(axis=0) for s in run.shown)]
    rows += [used[~np.isin(run.pool_site, run.shown)].sum(axis=0)] if len(run.shown) < len(run.sites) else []
    per, heading = _scale(run)
    panels = [panel] = charts.panels([GPU_HEIGHT])
    _stack(panel, time, np.array(rows) / per, [role for _, role in fleet_legend(run)], available / per)
    panel.title(heading, [("- - available", "soft")])
    svg = charts.svg(panels, f"{name}: GPUs in use by site against those available")
    return Picture(name, f"{share(run.busy(who))} of available GPU-hours used", svg)


def fleet_legend(run: RunFigures) -> Legend:
    """The shown sites, then all others, in the order of the stack from below."""
    shown = [(run.sites[s], series(i)) for i, s in enumerate(run.shown)]
    return (("firm inference", "firm"), *shown, *([("other sites", "base")] if len(shown) < len(run.sites) else []))


def gpu_picture(run: RunFigures, time: TimeAxis, s: int) -> Picture:
    """GPUs in use at a site stacked by kind, with run-now's total."""
    plan, base, mine = run.used("plan"), run.used("base"), run.pool_site == s
    firm, available = (run.problem[n].values for n in ("firm", "available"))
    legend = kinds_legend(run)
    rows = [firm[mine].sum(axis=0)]
    rows += [plan[mine & (np.array(run.kinds) == kind)].sum(axis=0) for kind, _ in legend[1:]]
    per, heading = _scale(run)
    panels = [panel] = charts.panels([GPU_HEIGHT])
    _stack(panel, time, np.array(rows) / per, [role for _, role in legend], available[mine].sum(axis=0) / per)
    time.line(panel, (firm + base)[mine].sum(axis=0) / per, "ink", 1.1)
    sums = np.array([available[run.pool_site == i].sum(axis=0).max() for i in range(len(run.sites))])
    panel.y = (0.0, _top(sums / per, run.shown, s))
    panel.title(heading, [("run-now", "ink"), ("- - available", "soft")])
    caption = f"{run.sites[s]}: GPUs in use by kind against those available"
    facts = f"{share(run.busy('plan', s))} used, run-now {share(run.busy('base', s))}"
    return Picture(run.sites[s], facts, charts.svg(panels, caption))


def kinds_legend(run: RunFigures) -> Legend:
    """Kinds of GPU in the fleet, those with most GPUs first, in the order of the stack from below."""
    most = run.problem["available"].values.max(axis=1)
    count = {kind: float(most[np.array(run.kinds) == kind].sum()) for kind in run.kinds}
    kinds = sorted(count, key=lambda k: (-count[k], k))
    return (("firm inference", "firm"), *((kind, series(i)) for i, kind in enumerate(kinds)))


def _stack(panel: Panel, time: TimeAxis, rows: Floats, roles: list[str], available: Floats) -> None:
    """GPUs in use as areas, those available as a line above."""
    time.stack(panel, rows, roles)
    time.line(panel, available, "soft", 1.0, dashed=True)
    panel.y = (0.0, HEADROOM * float(available.max()) or 1.0)


def most_gpus(run: RunFigures) -> float:
    """Most GPUs available at once in the fleet."""
    return float(run.problem["available"].values.sum(axis=0).max())


def _scale(run: RunFigures) -> tuple[float, str]:
    """GPUs per unit of the pictures, and the pictures' title."""
    return (KILO, "GPUs in use, thousand") if most_gpus(run) >= MANY else (1.0, "GPUs in use")


def week_picture(run: RunFigures, time: TimeAxis, s: int) -> Picture:
    """Spot price, dry bulb and load of a site, on the scales of the others where that reads well."""
    panels = [price, weather, load] = charts.panels(HEIGHTS)
    spot, dry, limit = (run.problem[n].values for n in ("spot", "temp_air", "grid_limit_mw"))
    time.shade(price, spot[s] < 0, "negative")
    time.line(price, spot[s], "spot")
    price.y = span(spot[run.shown])
    price.title("Spot price, EUR/MWh", [("negative", "warm")] if (spot[s] < 0).any() else [])
    time.line(weather, dry[s], "warm")
    weather.y = span(dry[run.shown])
    weather.title("Dry bulb, °C")
    time.line(load, limit[s], "ink", 1.0, dashed=True)
    time.line(load, run.base["facility_mw"].values[s], "base", 1.1)
    time.line(load, run.plan["facility_mw"].values[s], "plan", 1.5)
    load.y = (0.0, _top(limit.max(axis=1), run.shown, s))
    load.title("Facility load, MW", [("plan", "plan"), ("run-now", "soft"), ("grid limit", "ink")])
    for panel in (price, weather, load):
        time.label(panel)
    negative = float(run.dt[spot[s] < 0].sum())
    parts = [f"spot {number(float(spot[s].min()))} to {unit(float(spot[s].max()), 'EUR/MWh')}"]
    parts += [f"{hours(negative)} below zero"] if negative else []
    parts += [f"dry bulb {number(float(dry[s].min()))} to {unit(float(dry[s].max()), '°C')}"]
    caption = f"{run.sites[s]}: spot price, dry bulb and load"
    return Picture(run.sites[s], ", ".join(parts), charts.svg(panels, caption))


def _top(highest: Floats, shown: list[int], s: int) -> float:
    """Upper end of a scale from zero: shared by the sites where they are comparable."""
    most, least = float(highest[shown].max()), float(highest[shown].min())
    return HEADROOM * (most if most <= COMPARABLE * least else float(highest[s])) or 1.0
