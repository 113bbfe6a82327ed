"""The index page of the last nights: one self-contained HTML file beside the run folders.

The nights on record as the history page and the terminal show them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from energy.report import charts
from energy.report.charts import light, variables
from energy.report.headline import LIGHTS, Tile
from energy.report.night_text import RUNGS, Night, day_of, name, sentence
from energy.report.page import environment
from energy.report.text import counted, day, eur, number, power_of_ten, share, short_day

#: Most nights that page and terminal go back.
NIGHTS = 90
#: Characters of a run id that is a folder's name; others get no link.
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}")
#: Heights of a bar in the terminal.
BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Past:
    """One night on record. `saving_eur` and `cost_eur` [EUR] are what its own day realised, None until it is settled."""

    date: str
    status: str
    rung: str
    run_id: str
    saving_eur: float | None
    cost_eur: float | None
    gap: float | None
    solve_seconds: float | None
    wall_seconds: float | None
    undone_gpu_hours: float
    fallback_hours: float
    reasons: tuple[str, ...]

    @classmethod
    def of(
        cls, night: Night, saving_eur: float | None = None, cost_eur: float | None = None,
        solve_seconds: float | None = None, wall_seconds: float | None = None,
    ) -> Past:  # fmt: skip
        """From night.json, and what is not part of it: its own day in the books, durations."""
        filled = sum(float(h) for found in night["fallback_hours"].values() for h in found.values())
        return cls(
            str(night["date"]), str(night["status"]), str(night["rung"]), str(night["run_id"]), saving_eur,
            cost_eur, night["gap"], solve_seconds, wall_seconds, float(night["undone_gpu_hours"]), filled,
            tuple(str(r) for r in night["reasons"]),
        )  # fmt: skip

    @property
    def sign(self) -> str:
        """The sign of its light."""
        return LIGHTS.get(self.status, LIGHTS["FAILED"])[0]

    @property
    def href(self) -> str:
        """Its report beside the history page; empty where the id is not the name of a folder."""
        inside = _FOLDER.fullmatch(self.run_id) and self.rung != "nothing"
        return f"./{quote(self.run_id)}/report.html" if inside else ""

    @property
    def why(self) -> str:
        """Its reasons on one line."""
        return sentence("; ".join(self.reasons))


def window(nights: Sequence[Past], most: int = NIGHTS) -> list[tuple[str, Past | None]]:
    """Every day of the last `most` to the newest night, None where none is on record; the last run of a day counts."""
    known = {p.date: p for p in nights}
    if not known:
        return []
    last = date.fromisoformat(max(known))
    first = max(date.fromisoformat(min(known)), last - timedelta(days=most - 1))
    days = [(first + timedelta(days=i)).isoformat() for i in range((last - first).days + 1)]
    return [(d, known.get(d)) for d in days]


def counts(days: Sequence[tuple[str, Past | None]]) -> dict[str, int]:
    """Nights by status, and days without a run."""
    found = {status: sum(p is not None and p.status == status for _, p in days) for status in LIGHTS}
    return found | {"no run": sum(p is None for _, p in days)}


def saved(days: Sequence[tuple[str, Past | None]]) -> float:
    """Savings of the window [EUR]."""
    return sum(p.saving_eur for _, p in days if p and p.saving_eur is not None)


def terminal(nights: Sequence[Past], most: int = NIGHTS, width: int = 110) -> list[str]:
    """Lights, bars of savings, and the nights that were not OK, as plain lines no wider than the terminal."""
    days = window(nights, most)[-max(width - 12, 1) :]
    if not days:
        return ["No night is on record yet; energy nightly makes the first."]
    told = ", ".join(f"{n} {what}" for what, n in counts(days).items() if n)
    lines = [f"{days[0][0]} to {days[-1][0]}: {told}; saved {eur(saved(days))}"]
    lines.append("state   " + "".join(p.sign if p else "·" for _, p in days))
    lines.append("saving  " + _bars([p.saving_eur if p else None for _, p in days]))
    lines += [_line(p, width) for _, p in reversed(days) if p and p.status != "OK"]
    return lines


def _bars(values: Sequence[float | None]) -> str:
    """One block per night, a minus where it cost more than run-now, a space where nothing is known."""
    top = max((v for v in values if v is not None), default=0.0)
    return "".join(
        " "
        if v is None
        else "−"
        if v < 0
        else BLOCKS[min(int(v / top * len(BLOCKS)), len(BLOCKS) - 1)]
        if top > 0
        else BLOCKS[0]
        for v in values
    )


def _line(p: Past, width: int) -> str:
    text = f"{name(p.date)} {p.sign} {name(p.status)} ({name(p.rung)}): {p.why or 'no reason on record'}"
    return text if len(text) <= width else f"{text[: width - 1]}…"


#: Size of the chart of savings [px] and most labels below it.
HEIGHT, MOST_LABELS = 130.0, 7
#: Colour of a night's bar by status.
BARS = {"OK": "plan", "DEGRADED": "series2", "FAILED": "warm"}


def render(nights: Sequence[Past], most: int = NIGHTS) -> str:
    """The page; `nights` in any order, the last run of a day counts."""
    days = window(nights, most)
    with charts.drawing():
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
    figure, (ax,) = charts.panels([HEIGHT])
    values = np.array([p.saving_eur if p and p.saving_eur is not None else 0.0 for _, p in days])
    kilo = 1000.0 if np.abs(values).max() >= 10_000 else 1.0
    roles = [BARS.get(p.status, "warm") if p else "rule" for _, p in days]
    ax.bar(np.arange(len(days)), values / kilo, width=0.82, color=[light(r) for r in roles], linewidth=0)
    step = -(-len(days) // MOST_LABELS)
    at = list(range(0, len(days), step))
    ax.set_xticks(at, [short_day(day_of(days[i][0])) for i in at])
    ax.set_xlim(-0.6, len(days) - 0.4)
    charts.title(
        ax,
        f"Saved by night, {'thousand ' if kilo > 1 else ''}EUR",
        [("OK", "plan"), ("degraded", "series2"), ("failed", "warm")],
    )
    return charts.inline(figure, "history", "Saving of each night, coloured by its state")
