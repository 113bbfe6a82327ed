"""One row per site: energy, cost, peak, PUE and how busy its GPUs are.

GPUs in use against those available: the fleet by site, and each site by kind.

Price, dry bulb and load of a site over the horizon: one picture per site, the same scales where that reads well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes

from energy.report import charts
from energy.report.charts import light, series
from energy.report.text import Cell, Column, Table, hours, number, places, row, share, table, unit, words
from energy.report.view import Horizon, View
from energy.schema import Floats

COLUMNS = (
    words("Site"), Column("Energy", "MWh"), Column("Cost", "EUR"), Column("All-in price", "EUR/MWh"),
    Column("Run-now cost", "EUR"), Column("Difference", "EUR"), Column("Peak load", "MW"), Column("PUE"),
    Column("GPUs busy"),
)  # fmt: skip


def site_table(view: View) -> Table:
    """The plan by site, run-now's energy, price, peak, PUE and business below each figure."""
    return table(COLUMNS, [_row(view, s) for s in range(len(view.sites))], _total(view))


def _row(view: View, s: int) -> tuple[Cell, ...]:
    energy, base_energy = (float(view.energy(who)[s]) for who in ("plan", "base"))
    cost, base = (float(view.cost(who)[s]) for who in ("plan", "base"))
    peaks = [float(view.replay(who)["facility_mw"].values[s].max()) for who in ("plan", "base")]
    return _cells(view, view.sites[s], (energy, base_energy), (cost, base), peaks, s)


def _total(view: View) -> tuple[Cell, ...]:
    energy, base_energy = (float(view.energy(who).sum()) for who in ("plan", "base"))
    cost, base = (float(view.cost(who).sum()) for who in ("plan", "base"))
    return _cells(view, "fleet", (energy, base_energy), (cost, base), None, None)


def _cells(
    view: View,
    name: str,
    energy: tuple[float, float],
    cost: tuple[float, float],
    peaks: list[float] | None,
    s: int | None,
) -> tuple[Cell, ...]:
    e, c = places(float(view.energy("base").max())), places(float(view.cost("base").max()))
    busy_plan, busy_base = (busy(view, who, s) for who in ("plan", "base"))
    return row(
        name, Cell(number(energy[0], e), number(energy[1], e)), number(cost[0], c),
        Cell(_price(cost[0], energy[0]), _price(cost[1], energy[1])), number(cost[1], c),
        difference(cost[0] - cost[1], c),
        Cell(number(peaks[0], 2), number(peaks[1], 2)) if peaks else "",
        Cell(_pue(view, "pue", name), _pue(view, "pue_baseline", name)), Cell(share(busy_plan), share(busy_base)),
    )  # fmt: skip


def difference(value: float, digits: int = 0) -> Cell:
    """Plan minus run-now, marked by whether it is a gain or a loss."""
    text = number(value, digits, sign=True)
    return Cell(text, mark="good" if text.startswith("−") else "bad" if text.startswith("+") else "")


def _price(cost: float, energy: float) -> str:
    return number(cost / energy, 2) if energy > 0 else "–"


def _pue(view: View, which: str, name: str) -> str:
    value = view.record.summary[which].get(name)
    return number(value, 4) if value is not None else "–"


#: Height of one panel [px].
HEIGHT = 120.0
#: From so many GPUs on the pictures count in thousands, so that every scale has short numbers.
MANY, KILO = 5000.0, 1000.0


def fleet_pictures(view: View, horizon: Horizon) -> list[Picture]:
    """GPUs in use stacked by site: the plan and run-now side by side."""
    available = view.problem["available"].values.sum(axis=0)
    out = []
    for who, name in (("plan", "Plan"), ("base", "Run-now")):
        figure, (ax,) = charts.panels([HEIGHT])
        per, heading = scale(view)
        stack(ax, horizon, _by_site(view, who) / per, ["firm", *fleet_roles(view)], available / per)
        charts.title(ax, heading, [("- - available", "soft")])
        picture = charts.inline(figure, f"gpus {who}", f"{name}: GPUs in use by site against those available")
        out.append(Picture(name, f"{share(busy(view, who))} of available GPU-hours used", picture))
    return out


def fleet_roles(view: View) -> list[str]:
    """Colour roles of the shown sites, then of the rest."""
    return [series(i) for i in range(len(view.shown))] + (["base"] if len(view.shown) < len(view.sites) else [])


def _by_site(view: View, who: str) -> Floats:
    """Firm GPUs of the fleet, jobs at each shown site, jobs at all others, (.., T)."""
    used = view.used(who)
    rows = [view.problem["firm"].values.sum(axis=0)]
    rows += [used[view.pool_site == s].sum(axis=0) for s in view.shown]
    rest = ~np.isin(view.pool_site, view.shown)
    return np.array(rows + ([used[rest].sum(axis=0)] if rest.any() else []))


def site_pictures(view: View, horizon: Horizon) -> list[Picture]:
    """GPUs in use at each shown site stacked by kind, with run-now's total."""
    plan, base = view.used("plan"), view.used("base").copy()
    return [_gpus_of(view, horizon, s, plan, base) for s in view.shown]


def _gpus_of(view: View, horizon: Horizon, s: int, plan: Floats, base: Floats) -> Picture:
    mine = view.pool_site == s
    firm, available = (view.problem[n].values for n in ("firm", "available"))
    rows = [firm[mine].sum(axis=0)]
    rows += [plan[mine & (np.array(view.kinds) == kind)].sum(axis=0) for kind in kinds(view)]
    roles = ["firm", *(series(i) for i in range(len(rows) - 1))]
    per, heading = scale(view)
    figure, (ax,) = charts.panels([HEIGHT])
    stack(ax, horizon, np.array(rows) / per, roles, available[mine].sum(axis=0) / per)
    horizon.line(ax, (firm + base)[mine].sum(axis=0) / per, "ink", 1.1)
    sums = np.array([available[view.pool_site == i].sum(axis=0).max() for i in range(len(view.sites))])
    ax.set_ylim(0, top(sums / per, view.shown, s))
    charts.title(ax, heading, [("run-now", "ink"), ("- - available", "soft")])
    words = f"{view.sites[s]}: GPUs in use by kind against those available"
    facts = f"{share(busy(view, 'plan', s))} used, run-now {share(busy(view, 'base', s))}"
    return Picture(view.sites[s], facts, charts.inline(figure, f"gpus site {s}", words))


def kinds(view: View) -> list[str]:
    """Kinds of GPU in the fleet, those with most GPUs first."""
    count: dict[str, float] = {}
    for kind, most in zip(view.kinds, view.problem["available"].values.max(axis=1), strict=True):
        count[kind] = count.get(kind, 0.0) + float(most)
    return sorted(count, key=lambda k: (-count[k], k))


def stack(ax: Axes, horizon: Horizon, rows: Floats, roles: list[str], available: Floats) -> None:
    """Stacked steps, the available GPUs as a line above."""
    levels = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows, axis=0)])
    for lower, upper, role in zip(levels[:-1], levels[1:], roles, strict=True):
        if (upper - lower).max() > 0:
            charts.stairs(ax, horizon.mean(upper), horizon.edges, horizon.mean(lower),
                       facecolor=light(role), edgecolor="none", linewidth=0)  # fmt: skip
    horizon.line(ax, available, "soft", 1.0, dashed=True)
    ax.set_ylim(0, 1.05 * float(available.max()) or 1.0)
    horizon.label(ax)


def scale(view: View) -> tuple[float, str]:
    """GPUs per unit of the pictures, and the pictures' title."""
    most = float(view.problem["available"].values.sum(axis=0).max())
    return (KILO, "GPUs in use, thousand") if most >= MANY else (1.0, "GPUs in use")


def busy(view: View, who: str, site: int | None = None) -> float:
    """GPU-hours used, firm ones included, of those available; of the fleet or of one site."""
    mine = np.full(len(view.pools), True) if site is None else view.pool_site == site
    used = (view.used(who) + view.problem["firm"].values)[mine] @ view.dt
    room = view.problem["available"].values[mine] @ view.dt
    return float(used.sum() / room.sum()) if room.sum() > 0 else 0.0


def fleet_key(view: View) -> Markup:
    """Names in their colours, in the order of the stack from below."""
    names = [view.sites[s] for s in view.shown] + ["other sites"]
    return key(["firm inference", *names[: len(fleet_roles(view))]], ["firm", *fleet_roles(view)])


def kinds_key(view: View) -> Markup:
    """The kinds of GPU in their colours."""
    names = kinds(view)
    return key(["firm inference", *names], ["firm", *(series(i) for i in range(len(names)))])


def key(names: list[str], roles: list[str]) -> Markup:
    """Words with a square of their colour before them."""
    items = [
        f'<span class="key"><i style="background:var(--{r})"></i>{escape(n)}</span>'
        for n, r in zip(names, roles, strict=True)
    ]
    return Markup(" ".join(items))


def total(view: View) -> str:
    """Most GPUs available at once in the fleet, in words."""
    return number(float(view.problem["available"].values.sum(axis=0).max()))


#: Heights of the three panels [px].
HEIGHTS = (74.0, 56.0, 92.0)
#: Sites share one load scale unless the largest has more than this many times the load of the smallest.
COMPARABLE = 4.0
#: Empty space above and below a line, as a share of its range.
MARGIN = 0.06


@dataclass(frozen=True)
class Picture:
    """A picture with its heading and one line of figures."""

    name: str
    facts: str
    svg: Markup


def pictures(view: View, horizon: Horizon) -> list[Picture]:
    """One per shown site."""
    return [_week_of(view, horizon, s) for s in view.shown]


def _week_of(view: View, horizon: Horizon, s: int) -> Picture:
    figure, (price, weather, load) = charts.panels(HEIGHTS)
    _price_panel(price, view, horizon, s)
    _weather(weather, view, horizon, s)
    _load(load, view, horizon, s)
    for ax in (price, weather, load):
        horizon.label(ax)
    name = view.sites[s]
    return Picture(name, _facts(view, s), charts.inline(figure, f"week {s}", f"{name}: spot price, dry bulb and load"))


def _price_panel(ax: Axes, view: View, horizon: Horizon, s: int) -> None:
    spot = view.problem["spot"].values
    horizon.shade(ax, spot[s] < 0, "negative")
    horizon.line(ax, spot[s], "spot")
    ax.set_ylim(*span(spot[view.shown]))
    charts.title(ax, "Spot price, EUR/MWh", [("negative", "warm")] if (spot[s] < 0).any() else [])


def _weather(ax: Axes, view: View, horizon: Horizon, s: int) -> None:
    dry = view.problem["temp_air"].values
    horizon.line(ax, dry[s], "warm")
    ax.set_ylim(*span(dry[view.shown]))
    charts.title(ax, "Dry bulb, °C")


def _load(ax: Axes, view: View, horizon: Horizon, s: int) -> None:
    limit = view.problem["grid_limit_mw"].values
    horizon.line(ax, limit[s], "ink", 1.0, dashed=True)
    horizon.line(ax, view.base["facility_mw"].values[s], "base", 1.1)
    horizon.line(ax, view.plan["facility_mw"].values[s], "plan", 1.5)
    ax.set_ylim(0, top(limit.max(axis=1), view.shown, s))
    charts.title(ax, "Facility load, MW", [("plan", "plan"), ("run-now", "soft"), ("grid limit", "ink")])


def top(highest: Floats, shown: list[int], s: int) -> float:
    """Upper end of a scale from zero: shared by the sites where they are comparable."""
    most, least = float(highest[shown].max()), float(highest[shown].min())
    return 1.05 * (most if most <= COMPARABLE * least else float(highest[s])) or 1.0


def span(values: Floats) -> tuple[float, float]:
    """Range of a scale with a margin; never empty."""
    low, high = float(np.min(values)), float(np.max(values))
    room = MARGIN * (high - low) or 1.0
    return low - room, high + room


def _facts(view: View, s: int) -> str:
    spot, dry = view.problem["spot"].values[s], view.problem["temp_air"].values[s]
    negative = float(view.dt[spot < 0].sum())
    parts = [f"spot {number(float(spot.min()))} to {unit(float(spot.max()), 'EUR/MWh')}"]
    parts += [f"{hours(negative)} below zero"] if negative else []
    parts += [f"dry bulb {number(float(dry.min()))} to {unit(float(dry.max()), '°C')}"]
    return ", ".join(parts)
