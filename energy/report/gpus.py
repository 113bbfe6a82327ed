"""GPUs in use against those available: the fleet by site, and each site by kind."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup, escape
from matplotlib.axes import Axes

from energy.report import svg
from energy.report.horizon import Horizon
from energy.report.style import light, series
from energy.report.view import View
from energy.report.week import Picture, top
from energy.report.words import number, share
from energy.schema import Floats

#: Height of one panel [px].
HEIGHT = 120.0
#: From so many GPUs on the pictures count in thousands, so that every scale has short numbers.
MANY, KILO = 5000.0, 1000.0


def fleet_pictures(view: View, horizon: Horizon) -> list[Picture]:
    """GPUs in use stacked by site: the plan and run-now side by side."""
    available = view.problem["available"].values.sum(axis=0)
    out = []
    for who, name in (("plan", "Plan"), ("base", "Run-now")):
        figure, (ax,) = svg.panels([HEIGHT])
        per, heading = scale(view)
        stack(ax, horizon, _by_site(view, who) / per, ["firm", *fleet_roles(view)], available / per)
        svg.title(ax, heading, [("- - available", "soft")])
        picture = svg.inline(figure, f"gpus {who}", f"{name}: GPUs in use by site against those available")
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
    return [_site(view, horizon, s, plan, base) for s in view.shown]


def _site(view: View, horizon: Horizon, s: int, plan: Floats, base: Floats) -> Picture:
    mine = view.pool_site == s
    firm, available = (view.problem[n].values for n in ("firm", "available"))
    rows = [firm[mine].sum(axis=0)]
    rows += [plan[mine & (np.array(view.kinds) == kind)].sum(axis=0) for kind in kinds(view)]
    roles = ["firm", *(series(i) for i in range(len(rows) - 1))]
    per, heading = scale(view)
    figure, (ax,) = svg.panels([HEIGHT])
    stack(ax, horizon, np.array(rows) / per, roles, available[mine].sum(axis=0) / per)
    horizon.line(ax, (firm + base)[mine].sum(axis=0) / per, "ink", 1.1)
    sums = np.array([available[view.pool_site == i].sum(axis=0).max() for i in range(len(view.sites))])
    ax.set_ylim(0, top(sums / per, view.shown, s))
    svg.title(ax, heading, [("run-now", "ink"), ("- - available", "soft")])
    words = f"{view.sites[s]}: GPUs in use by kind against those available"
    facts = f"{share(busy(view, 'plan', s))} used, run-now {share(busy(view, 'base', s))}"
    return Picture(view.sites[s], facts, svg.inline(figure, f"gpus site {s}", words))


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
            svg.stairs(ax, horizon.mean(upper), horizon.edges, horizon.mean(lower),
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
