"""The nights on record as the history page and the terminal show them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote

from energy.report.headline import LIGHTS
from energy.report.night import Night, name, sentence
from energy.report.words import eur

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
