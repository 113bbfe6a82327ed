"""The nights on record, as the history page beside the run folders and the terminal show them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from energy.report import charts
from energy.report.charts import HEADROOM
from energy.report.formatting import counted, day, eur, name, number, power_of_ten, sentence, short_day
from energy.report.night import Night, night_status
from energy.report.view import STATUSES, Cell, Column, Row, Saving, Status, Tile, Top, left, prose, status_of, table

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
    method: str
    run_id: str
    saving_eur: float | None
    cost_eur: float | None
    gap: float | None
    solve_seconds: float | None
    wall_seconds: float | None
    unserved_gpu_hours: float
    imputed_hours: float
    reasons: tuple[str, ...]

    @classmethod
    def of(cls, night: Night, saving_eur: float | None = None, cost_eur: float | None = None,
           solve_seconds: float | None = None, wall_seconds: float | None = None) -> Past:  # fmt: skip
        """Make it from night.json, with the figures of its own day once that is settled, and with durations."""
        filled = sum(float(h) for found in night["imputed_hours"].values() for h in found.values())
        return cls(
            str(night["date"]), str(night["status"]), str(night["method"]), str(night["run_id"]), saving_eur,
            cost_eur, night["gap"], solve_seconds, wall_seconds, float(night["unserved_gpu_hours"]), filled,
            tuple(str(r) for r in night["reasons"]),
        )  # fmt: skip

    @property
    def light(self) -> Status:
        """Status of the night with its sign, and the plan that was published."""
        return night_status(self.status, self.method)

    @property
    def href(self) -> str:
        """Its report beside the history page; empty where the id is not the name of a folder."""
        inside = _FOLDER.fullmatch(self.run_id) and self.method != "nothing"
        return f"./{quote(self.run_id)}/report.html" if inside else ""

    @property
    def why(self) -> str:
        """Its reasons on one line."""
        return sentence("; ".join(self.reasons))


#: Every day of a window with its night, None where none is on record.
Days = Sequence[tuple[str, Past | None]]


def window(nights: Sequence[Past], most: int = NIGHTS) -> Days:
    """Every day of the last `most` to the newest night, None where none is on record; the last run of a day counts."""
    known = {p.date: p for p in nights}
    if not known:
        return []
    last = date.fromisoformat(max(known))
    first = max(date.fromisoformat(min(known)), last - timedelta(days=most - 1))
    days = [(first + timedelta(days=i)).isoformat() for i in range((last - first).days + 1)]
    return [(d, known.get(d)) for d in days]


def counts(days: Days) -> dict[str, int]:
    """Nights by status, and days without a run."""
    found = {status: sum(p is not None and p.status == status for _, p in days) for status in STATUSES}
    return found | {"no run": sum(p is None for _, p in days)}


def saving(days: Days) -> Saving:
    """Costs and savings of the window."""
    saved = sum(p.saving_eur for _, p in days if p and p.saving_eur is not None)
    cost = sum(p.cost_eur for _, p in days if p and p.cost_eur is not None)
    return Saving(cost, cost + saved, saved)


def terminal(nights: Sequence[Past], most: int = NIGHTS, width: int = 110) -> list[str]:
    """Lights, bars of savings, and the nights that were not OK, as plain lines no wider than the terminal."""
    days = window(nights, most)[-max(width - 12, 1) :]
    if not days:
        return ["No night is on record yet; energy nightly makes the first."]
    found = ", ".join(f"{n} {what}" for what, n in counts(days).items() if n)
    lines = [f"{days[0][0]} to {days[-1][0]}: {found}; saved {eur(saving(days).saving_eur)}"]
    lines.append("state   " + "".join(p.light.sign if p else "·" for _, p in days))
    values = [p.saving_eur if p else None for _, p in days]
    top = max((v for v in values if v is not None), default=0.0) or 1.0
    lines.append("saving  " + "".join(_bar(v, top) for v in values))
    lines += [_line(p, width) for _, p in reversed(days) if p and p.status != "OK"]
    return lines


def _bar(saving_eur: float | None, top: float) -> str:
    """A block by the share of the largest saving, a minus for a loss against run-now, a space where not known."""
    if saving_eur is None or saving_eur < 0:
        return " " if saving_eur is None else "−"
    return BLOCKS[min(int(saving_eur / top * len(BLOCKS)), len(BLOCKS) - 1)]


def _line(p: Past, width: int) -> str:
    text = f"{name(p.date)} {p.light.sign} {name(p.status)} ({name(p.method)}): {p.why or 'no reason on record'}"
    return text if len(text) <= width else f"{text[: width - 1]}…"


COLUMNS = (
    left("Plan for"), left("State"), Column("Saved", "EUR"), Column("Cost", "EUR"), Column("Unserved", "GPU-h"),
    Column("Imputed", "h"), Column("Gap"), Column("Solve", "s"), Column("Run", "s"), prose("Reasons"),
)  # fmt: skip
#: Size of the chart of savings [px] and most labels below it.
HEIGHT, MOST_LABELS = 130.0, 7
#: Colour of a night's bar by status.
ROLES = {"OK": "plan", "DEGRADED": "series2", "FAILED": "warm"}


def history_view(days: Days) -> SimpleNamespace:
    """The view of a window of nights: top of the page, day of the last one, a square per day, table of the nights."""
    last = next((p for _, p in reversed(days) if p), None)
    status = last.light if last else status_of("FAILED", "no night on record")
    saved = f"{eur(saving(days).saving_eur)} saved in {counted(len(days), 'night')}"
    headline = saved if days else "No night on record yet"
    return SimpleNamespace(
        top=Top("hydrocool: nights", status, headline, _tiles(days)), last=day(last.date) if last else "",
        squares=[
            Cell(p.light.sign, f"{day(d)}: {name(p.status)}. {p.why}".strip(), p.light.word.lower(), p.href)
            if p else Cell("·", f"{day(d)}: no run", "none")
            for d, p in days
        ],
        nights=table(COLUMNS, [_row(p) for _, p in reversed(days) if p]),
    )  # fmt: skip


def _tiles(days: Days) -> list[Tile]:
    found, whole = counts(days), saving(days)
    walls = [p.wall_seconds for _, p in days if p and p.wall_seconds is not None]
    longest = f"longest run {number(max(walls))} s" if walls else "the plan before stayed active"
    return [
        Tile("Saved", eur(whole.saving_eur), whole.of_run_now() if whole.run_now_eur > 0 else "nothing priced yet"),
        Tile("Nights OK", number(found["OK"]), f"of {len(days)}; {found['no run']} without a run"),
        Tile("Degraded", number(found["DEGRADED"]), "published with reservations"),
        Tile("Failed", number(found["FAILED"]), longest),
    ]


def _row(p: Past) -> Row:
    status = Cell(f"{p.light.sign} {name(p.status)}", name(p.method), f"light {p.light.word.lower()}")
    amounts = [number(x) for x in (p.saving_eur, p.cost_eur, p.unserved_gpu_hours, p.imputed_hours)]
    seconds = [number(x) for x in (p.solve_seconds, p.wall_seconds)]
    gap = None if p.gap is None else power_of_ten(p.gap)
    return Cell(day(p.date), href=p.href), status, *amounts, gap, *seconds, p.why


#: Width of a bar, of the distance between two nights.
BAR = 0.82


def chart(days: Days) -> Markup:
    """Saving of each night as a bar in the colour of its state."""
    panels = [panel] = charts.panels([HEIGHT])
    values = np.array([p.saving_eur if p and p.saving_eur is not None else 0.0 for _, p in days])
    kilo = 1000.0 if np.abs(values).max() >= 10_000 else 1.0
    roles = [ROLES.get(p.status, "warm") if p else "rule" for _, p in days]
    for i, (value, role) in enumerate(zip(values / kilo, roles, strict=True)):
        panel.area(np.array([i - BAR / 2, i + BAR / 2]), np.zeros(2), np.full(2, value), role)
    panel.y = (
        HEADROOM * float(values.min(initial=0.0)) / kilo,
        HEADROOM * float(values.max(initial=0.0)) / kilo or 1.0,
    )
    step = -(-len(days) // MOST_LABELS)
    panel.x_labels = [(float(i), short_day(days[i][0])) for i in range(0, len(days), step)]
    panel.x = (-0.6, len(days) - 0.4)
    keys = [("OK", "plan"), ("degraded", "series2"), ("failed", "warm")]
    panel.title(f"Saved by night, {'thousand ' if kilo > 1 else ''}EUR", keys)
    return charts.svg(panels, "Saving of each night, coloured by its state")
