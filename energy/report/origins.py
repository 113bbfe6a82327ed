"""Where every series came from, how good it is, and what a reader must know before trusting a saving."""

from __future__ import annotations

from typing import Any

from energy.report.tables import Cell, Table, prose, row, table, words
from energy.report.view import NOT_SEEN, View
from energy.report.words import listed, number, share

#: What a quality means to a reader.
MEANING = {
    "auction": "cleared in the day-ahead auction",
    "measured": "measured at the place and time",
    "forecast": "forecast",
    "secondary": "taken from a second-hand source",
    "proxy": "measured elsewhere or in another year",
    "persistence": "a gap filled with earlier values",
    "scenario": "made up from summary figures",
}
COLUMNS = (words("Kind"), words("For"), words("Quality, periods"), prose("Source"), prose("Licence"), words("File"))


def series_table(view: View) -> Table | None:
    """One row per series of the manifest."""
    found: list[dict[str, Any]] = view.record.manifest.get("series", [])
    return table(COLUMNS, [_row(s) for s in found]) if found else None


def _row(series: dict[str, Any]) -> tuple[Cell, ...]:
    quality: dict[str, int] = series.get("quality", {})
    told = ", ".join(f"{name} {number(count)}" for name, count in quality.items())
    mark = "bad" if set(quality) & set(NOT_SEEN) else ""
    return row(series["kind"], series["name"], Cell(told, mark=mark), series.get("source", ""),
               series.get("licence", ""), series.get("file", ""))  # fmt: skip


def credits_due(view: View) -> list[str]:
    """What the licences of the series, rates and hydropower signals ask a reader to be told, each once."""
    manifest, water = view.record.manifest, (view.record.reservoirs, view.record.hydro)
    owed = [*manifest.get("series", []), *manifest.get("rates", []), *(ds.attrs for ds in water if ds is not None)]
    texts = [(str(o.get("attribution", "")), str(o.get("licence", ""))) for o in owed]
    return list(dict.fromkeys(f"{who} ({terms})" if terms else who for who, terms in texts if who))


def warnings(view: View) -> list[str]:
    """One line per quality that was not seen: which series, and what it means."""
    doubtful = view.doubtful()
    out = []
    for quality in NOT_SEEN:
        names = [_part(name, shares[quality]) for name, shares in doubtful.items() if quality in shares]
        out += [f"{quality} ({MEANING[quality]}): {listed(_merged(names), 6)}"] if names else []
    return out


def _part(name: str, part: float) -> str:
    return name if part == 1 else f"{name} ({share(part, 0)} of periods)"


def _merged(names: list[str]) -> list[str]:
    """ "weather of a", "weather of b" become "weather of a, b"."""
    groups: dict[str, list[str]] = {}
    for name in names:
        kind, _, place = name.partition(" of ")
        groups.setdefault(kind, []).append(place)
    return [f"{kind} of {listed(places, 8)}" for kind, places in groups.items()]
