"""The index page of the last nights: one self-contained HTML file beside the run folders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from energy.report import svg
from energy.report.headline import LIGHTS, Tile
from energy.report.history import NIGHTS, Past, counts, saved, window
from energy.report.night import RUNGS, day_of, name
from energy.report.page import environment
from energy.report.style import light, variables
from energy.report.words import counted, day, eur, number, power_of_ten, share, short_day

#: Size of the chart of savings [px] and most labels below it.
HEIGHT, MOST_LABELS = 130.0, 7
#: Colour of a night's bar by status.
BARS = {"OK": "plan", "DEGRADED": "series2", "FAILED": "warm"}


def render(nights: Sequence[Past], most: int = NIGHTS) -> str:
    """The page; `nights` in any order, the last run of a day counts."""
    days = window(nights, most)
    with svg.drawing():
        context = _context(days)
    return environment().get_template("history.html.j2").render(context)


def _context(days: list[tuple[str, Past | None]]) -> dict[str, Any]:
    last = next((p for _, p in reversed(days) if p), None)
    status = last.status if last and last.status in LIGHTS else "FAILED"
    return {
        "title": "hydrocool: nights", "status": status, "sign": LIGHTS[status][0], "last": last and day(day_of(last.date)),
        "meaning": RUNGS.get(last.rung, RUNGS["nothing"]) if last else "no night on record",
        "headline": f"{eur(saved(days))} saved in {counted(len(days), 'night')}" if days else "No night on record yet",
        "tiles": _tiles(days), "squares": [_square(d, p) for d, p in days], "chart": _chart(days) if days else None,
        "rows": [_row(p) for _, p in reversed(days) if p],
        "light_colours": Markup(variables("light")), "dark_colours": Markup(variables("dark")),
    }  # fmt: skip


def _tiles(days: list[tuple[str, Past | None]]) -> list[Tile]:
    found = counts(days)
    cost = sum(p.cost_eur for _, p in days if p and p.cost_eur is not None)
    whole = cost + saved(days)
    walls = [p.wall_seconds for _, p in days if p and p.wall_seconds is not None]
    return [
        Tile(
            "Saved",
            eur(saved(days)),
            f"{share(saved(days) / whole)} of run-now's {eur(whole)}" if whole > 0 else "nothing priced yet",
        ),
        Tile("Nights OK", number(found["OK"]), f"of {len(days)}; {found['no run']} without a run"),
        Tile("Degraded", number(found["DEGRADED"]), "published with reservations"),
        Tile(
            "Failed",
            number(found["FAILED"]),
            f"longest run {number(max(walls))} s" if walls else "the plan before stayed in force",
        ),
    ]


def _square(d: str, p: Past | None) -> dict[str, str]:
    """One night of the strip: class, sign, words."""
    at = day(day_of(d))
    if p is None:
        return {"mark": "none", "sign": "·", "words": f"{at}: no run", "href": ""}
    mark = p.status.lower() if p.status in LIGHTS else "failed"
    return {"mark": mark, "sign": p.sign, "words": f"{at}: {name(p.status)}. {p.why}".strip(), "href": p.href}


def _row(p: Past) -> dict[str, str]:
    """One night of the table."""
    return {
        "date": day(day_of(p.date)), "href": p.href, "mark": p.status.lower() if p.status in LIGHTS else "failed",
        "status": name(p.status), "sign": p.sign, "rung": name(p.rung), "why": p.why,
        "saving": _or_dash(p.saving_eur), "cost": _or_dash(p.cost_eur), "gap": "–" if p.gap is None else power_of_ten(p.gap),
        "solve": _or_dash(p.solve_seconds), "wall": _or_dash(p.wall_seconds), "undone": _or_dash(p.undone_gpu_hours),
        "filled": _or_dash(p.fallback_hours),
    }  # fmt: skip


def _or_dash(value: float | None) -> str:
    return "–" if value is None else number(value)


def _chart(days: list[tuple[str, Past | None]]) -> Markup:
    """Saving of each night as a bar in the colour of its state."""
    figure, (ax,) = svg.panels([HEIGHT])
    values = np.array([p.saving_eur if p and p.saving_eur is not None else 0.0 for _, p in days])
    kilo = 1000.0 if np.abs(values).max() >= 10_000 else 1.0
    roles = [BARS.get(p.status, "warm") if p else "rule" for _, p in days]
    ax.bar(np.arange(len(days)), values / kilo, width=0.82, color=[light(r) for r in roles], linewidth=0)
    step = -(-len(days) // MOST_LABELS)
    at = list(range(0, len(days), step))
    ax.set_xticks(at, [short_day(day_of(days[i][0])) for i in at])
    ax.set_xlim(-0.6, len(days) - 0.4)
    svg.title(
        ax,
        f"Saved by night, {'thousand ' if kilo > 1 else ''}EUR",
        [("OK", "plan"), ("degraded", "series2"), ("failed", "warm")],
    )
    return svg.inline(figure, "history", "Saving of each night, coloured by its state")
