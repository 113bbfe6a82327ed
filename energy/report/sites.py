"""Sites: energy, cost, peak and PUE of each; GPUs in use; price, dry bulb and load over the horizon."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from energy.report import charts
from energy.report.charts import HEADROOM, Picture, TimeAxis, series, span
from energy.report.figures import RunFigures
from energy.report.formatting import hours, number, places, share, unit
from energy.report.tables import Cell, Column, Table, left, row, table
from energy.report.view import Legend
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


def site_table(run: RunFigures) -> Table:
    """The plan by site, run-now's energy, price, peak, PUE and business below each figure."""
    return table(COLUMNS, [_row(run, s) for s in range(len(run.sites))], _row(run, None))


def _row(run: RunFigures, s: int | None) -> tuple[Cell, ...]:
    """One site, or the fleet."""
    name, mine = ("fleet", slice(None)) if s is None else (run.sites[s], slice(s, s + 1))
    energy, base_energy = (float(run.energy(who)[mine].sum()) for who in ("plan", "base"))
    cost, base = (float(run.cost(who)[mine].sum()) for who in ("plan", "base"))
    e, c = places(float(run.energy("base").max())), places(float(run.cost("base").max()))
    peaks = (
        [] if s is None else [number(float(run.replays[w]["facility_mw"].values[s].max()), 2) for w in ("plan", "base")]
    )
    pue = [number(run.record.summary[key].get(name), 4) for key in ("pue", "pue_baseline")]
    return row(
        name, Cell(number(energy, e), number(base_energy, e)), number(cost, c),
        Cell(_price(cost, energy), _price(base, base_energy)), number(base, c), difference(cost - base, c),
        Cell(*peaks) if peaks else "", Cell(*pue), Cell(*(share(run.busy(who, s)) for who in ("plan", "base"))),
    )  # fmt: skip


def difference(value: float, digits: int = 0) -> Cell:
    """Plan minus run-now, marked by whether it is a gain or a loss."""
    text = number(value, digits, sign=True)
    return Cell(text, mark="good" if text.startswith("−") else "bad" if text.startswith("+") else "")


def _price(cost: float, energy: float) -> str:
    return number(cost / energy if energy > 0 else None, 2)


def fleet_pictures(run: RunFigures, time: TimeAxis) -> list[Picture]:
    """GPUs in use stacked by site: the plan and run-now side by side."""
    available = run.problem["available"].values.sum(axis=0)
    per, heading = _scale(run)
    out = []
    for who, name in (("plan", "Plan"), ("base", "Run-now")):
        figure, (ax,) = charts.panels([GPU_HEIGHT])
        _stack(ax, time, _by_site(run, who) / per, [role for _, role in fleet_legend(run)], available / per)
        charts.title(ax, heading, [("- - available", "soft")])
        svg = charts.inline(figure, f"gpus {who}", f"{name}: GPUs in use by site against those available")
        out.append(Picture(name, f"{share(run.busy(who))} of available GPU-hours used", svg))
    return out


def _by_site(run: RunFigures, who: str) -> Floats:
    """Firm GPUs of the fleet, jobs at each shown site, jobs at all others, (.., T)."""
    used = run.used(who)
    rows = [run.problem["firm"].values.sum(axis=0), *(used[run.pool_site == s].sum(axis=0) for s in run.shown)]
    rest = ~np.isin(run.pool_site, run.shown)
    return np.array(rows + ([used[rest].sum(axis=0)] if len(run.shown) < len(run.sites) else []))


def fleet_legend(run: RunFigures) -> Legend:
    """The shown sites, then all others, in the order of the stack from below."""
    shown = [(run.sites[s], series(i)) for i, s in enumerate(run.shown)]
    return (("firm inference", "firm"), *shown, *([("other sites", "base")] if len(shown) < len(run.sites) else []))


def gpu_pictures(run: RunFigures, time: TimeAxis) -> list[Picture]:
    """GPUs in use at each shown site stacked by kind, with run-now's total."""
    plan, base = run.used("plan"), run.used("base")
    return [_gpus_of(run, time, s, plan, base) for s in run.shown]


def _gpus_of(run: RunFigures, time: TimeAxis, s: int, plan: Floats, base: Floats) -> Picture:
    mine = run.pool_site == s
    firm, available = (run.problem[n].values for n in ("firm", "available"))
    legend = kinds_legend(run)
    rows = [firm[mine].sum(axis=0)]
    rows += [plan[mine & (np.array(run.kinds) == kind)].sum(axis=0) for kind, _ in legend[1:]]
    per, heading = _scale(run)
    figure, (ax,) = charts.panels([GPU_HEIGHT])
    _stack(ax, time, np.array(rows) / per, [role for _, role in legend], available[mine].sum(axis=0) / per)
    time.line(ax, (firm + base)[mine].sum(axis=0) / per, "ink", 1.1)
    sums = np.array([available[run.pool_site == i].sum(axis=0).max() for i in range(len(run.sites))])
    ax.set_ylim(0, _top(sums / per, run.shown, s))
    charts.title(ax, heading, [("run-now", "ink"), ("- - available", "soft")])
    caption = f"{run.sites[s]}: GPUs in use by kind against those available"
    facts = f"{share(run.busy('plan', s))} used, run-now {share(run.busy('base', s))}"
    return Picture(run.sites[s], facts, charts.inline(figure, f"gpus site {s}", caption))


def kinds_legend(run: RunFigures) -> Legend:
    """Kinds of GPU in the fleet, those with most GPUs first, in the order of the stack from below."""
    count: dict[str, float] = {}
    for kind, most in zip(run.kinds, run.problem["available"].values.max(axis=1), strict=True):
        count[kind] = count.get(kind, 0.0) + float(most)
    kinds = sorted(count, key=lambda k: (-count[k], k))
    return (("firm inference", "firm"), *((kind, series(i)) for i, kind in enumerate(kinds)))


def _stack(ax: Axes, time: TimeAxis, rows: Floats, roles: list[str], available: Floats) -> None:
    """GPUs in use as areas, those available as a line above."""
    time.stack(ax, rows, roles)
    time.line(ax, available, "soft", 1.0, dashed=True)
    ax.set_ylim(0, HEADROOM * float(available.max()) or 1.0)


def most_gpus(run: RunFigures) -> float:
    """Most GPUs available at once in the fleet."""
    return float(run.problem["available"].values.sum(axis=0).max())


def _scale(run: RunFigures) -> tuple[float, str]:
    """GPUs per unit of the pictures, and the pictures' title."""
    return (KILO, "GPUs in use, thousand") if most_gpus(run) >= MANY else (1.0, "GPUs in use")


def week_pictures(run: RunFigures, time: TimeAxis) -> list[Picture]:
    """Spot price, dry bulb and load of each shown site, the same scales where that reads well."""
    return [_week_of(run, time, s) for s in run.shown]


def _week_of(run: RunFigures, time: TimeAxis, s: int) -> Picture:
    figure, (price, weather, load) = charts.panels(HEIGHTS)
    spot, dry, limit = (run.problem[n].values for n in ("spot", "temp_air", "grid_limit_mw"))
    time.shade(price, spot[s] < 0, "negative")
    time.line(price, spot[s], "spot")
    price.set_ylim(*span(spot[run.shown]))
    charts.title(price, "Spot price, EUR/MWh", [("negative", "warm")] if (spot[s] < 0).any() else [])
    time.line(weather, dry[s], "warm")
    weather.set_ylim(*span(dry[run.shown]))
    charts.title(weather, "Dry bulb, °C")
    time.line(load, limit[s], "ink", 1.0, dashed=True)
    time.line(load, run.base["facility_mw"].values[s], "base", 1.1)
    time.line(load, run.plan["facility_mw"].values[s], "plan", 1.5)
    load.set_ylim(0, _top(limit.max(axis=1), run.shown, s))
    charts.title(load, "Facility load, MW", [("plan", "plan"), ("run-now", "soft"), ("grid limit", "ink")])
    for ax in (price, weather, load):
        time.label(ax)
    caption = f"{run.sites[s]}: spot price, dry bulb and load"
    return Picture(run.sites[s], _week_facts(run, s), charts.inline(figure, f"week {s}", caption))


def _top(highest: Floats, shown: list[int], s: int) -> float:
    """Upper end of a scale from zero: shared by the sites where they are comparable."""
    most, least = float(highest[shown].max()), float(highest[shown].min())
    return HEADROOM * (most if most <= COMPARABLE * least else float(highest[s])) or 1.0


def _week_facts(run: RunFigures, s: int) -> str:
    spot, dry = run.problem["spot"].values[s], run.problem["temp_air"].values[s]
    negative = float(run.dt[spot < 0].sum())
    parts = [f"spot {number(float(spot.min()))} to {unit(float(spot.max()), 'EUR/MWh')}"]
    parts += [f"{hours(negative)} below zero"] if negative else []
    parts += [f"dry bulb {number(float(dry.min()))} to {unit(float(dry.max()), '°C')}"]
    return ", ".join(parts)
