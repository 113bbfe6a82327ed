"""What follows a night: metrics, history page, PDF, messages. None of it can make a night fail; each failure is logged."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from energy.operate import metrics, pdf
from energy.operate.config import Place, now
from energy.operate.digest import realised
from energy.operate.later import is_older
from energy.operate.logs import logger
from energy.operate.notify import failures, notify
from energy.operate.publish import LATEST
from energy.operate.runs import PAGE
from energy.operate.store import Store, last_runs
from energy.report import history_page, markdown
from energy.report.history import NIGHTS, Past
from energy.report.record import NIGHT

if TYPE_CHECKING:
    from energy.operate.nightly import Night

#: Addresses of messages, apart by spaces (apprise URLs); in the environment because they hold passwords.
ADDRESSES = "HYDROCOOL_NOTIFY"
#: The page of the last nights, beside them.
HISTORY = "history.html"


def follow_up(place: Place, store: Store | None, night: Night, quiet: bool = False) -> None:
    """Everything that is made of a night once it is in the books.

    Parameters
    ----------
    store : None where the database cannot be used: no history then, and metrics and message without what it knows
    quiet : no metrics and no message, which tell of the newest night alone
    """
    if not night.unchanged:
        _attempt("pdf", lambda: _pdf(place, night))
        if store is not None:
            _attempt("history", lambda: _history(place, store))
    if quiet or (store is not None and is_older(place, store, night.day)):
        return
    undelivered = 0 if night.unchanged else _told(place, night)
    _attempt("metrics", lambda: _metrics(place, store, night, undelivered))


def _attempt(what: str, action: Callable[[], None]) -> None:
    try:
        action()
    except Exception as e:  # a full disk, a missing library, whatever a library raises: told, never fatal
        problem = str(e) if isinstance(e, OSError) else f"{type(e).__name__}: {e}"
        logger().error(f"{what} not made", extra={"problem": problem})


def _told(place: Place, night: Night) -> int:
    """Send the summary; returns how many messages did not arrive."""
    addresses = os.environ.get(ADDRESSES, "").split()
    try:
        return _notify(place, night, addresses) if addresses else 0
    except Exception as e:  # by its kind alone: its text may hold an address
        logger().error("not notified", extra={"problem": type(e).__name__})
        return len(addresses)


def _metrics(place: Place, store: Store | None, night: Night, undelivered: int) -> None:
    timing = _timing(store, undelivered) if store is not None else metrics.Timing(now(), None, None, None, undelivered)
    if timing is not None:
        metrics.write(night.night or unpublished(place, store, night), timing, place.metrics)


def _timing(store: Store, undelivered: int) -> metrics.Timing | None:
    """Of the last run on record; None where there is none."""
    last = store.row("SELECT * FROM runs ORDER BY id DESC LIMIT 1")
    until = now().isoformat(timespec="seconds")  # a clock that was ahead has left a later one
    good = store.row("SELECT max(finished) AS at FROM runs WHERE published = 1 AND finished <= ?", until)
    return None if last is None else metrics.Timing(
        datetime.fromisoformat(last["finished"]),
        datetime.fromisoformat(good["at"]) if good and good["at"] else None,
        last["solve_seconds"], last["wall_seconds"], undelivered,
    )  # fmt: skip


def unpublished(place: Place, store: Store | None, night: Night) -> dict[str, Any]:
    """A night without a plan in the words of night.json: what is not known is None, never zero."""
    return {
        "date": str(night.day), "fleet": _fleet(place, store), "run_id": night.run_id or "", "status": night.status,
        "rung": night.rung, "reasons": night.reasons, "forecast": {"hours": None}, "fallback_hours": {},
        "jobs": {"done": None, "running": None, "left": None, "late": None, "at_risk": None, "refused": None}, "undone_gpu_hours": None,
        "later_gpu_hours": None, "yesterday": None, "saving_eur": {}, "pue": [], "peaks": [], "cost_eur": None, "gap": None,
    }  # fmt: skip


def _fleet(place: Place, store: Store | None) -> str:
    """The fleet's name in the last plan: its file may be what is broken; without the database in the plan in force."""
    if store is None:
        told = place.out / LATEST / NIGHT
        text = told.read_text(encoding="utf-8") if told.is_file() else None
    else:
        row = store.row("SELECT night_json FROM runs WHERE night_json IS NOT NULL ORDER BY id DESC LIMIT 1")
        text = row["night_json"] if row else None
    return str(json.loads(text)["fleet"]) if text else place.config.name


def pasts(store: Store, most: int = NIGHTS) -> list[Past]:
    """The last nights as history page and terminal show them, each by its last published run, else its last run.

    Each night has the saving and the cost of its own day: a day counts once, whichever night settled it.
    """
    found = realised(store)
    return [_past(row, *found.get(row["night"], (None, None))) for row in last_runs(store, most)]


def _past(row: dict[str, Any], saved: float | None, cost: float | None) -> Past:
    if row["night_json"]:
        return Past.of(json.loads(row["night_json"]), saved, cost, row["solve_seconds"], row["wall_seconds"])
    return Past(
        row["night"], row["status"], row["rung"], row["run_id"] or "", saved, cost, None, row["solve_seconds"],
        row["wall_seconds"], 0.0, 0.0, tuple(json.loads(row["reasons"])),
    )  # fmt: skip


def _history(place: Place, store: Store) -> None:
    beside = place.out / f".{HISTORY}"
    beside.write_text(history_page.render(pasts(store)), encoding="utf-8")
    beside.replace(place.out / HISTORY)


def _pdf(place: Place, night: Night) -> None:
    """Beside the nights, not in them: a PDF's bytes are its library's affair."""
    if place.config.pdf and night.folder is not None and (night.folder / PAGE).is_file():
        work = place.out / ".work"
        work.mkdir(exist_ok=True)
        pdf.draw(night.folder / PAGE, place.out / "pdf" / f"{night.folder.name}.pdf", work / "pdf.log")


def _notify(place: Place, night: Night, addresses: list[str]) -> int:
    link = f"{place.config.link.rstrip('/')}/{night.run_id}/{PAGE}" if place.config.link and night.night else None
    if night.night is not None:
        return failures(notify(addresses, markdown.subject(night.night), markdown.page(night.night, link)))
    subject = f"{night.status}: {place.config.name}, {night.day}: nothing published, the last plan stays in force"
    reasons = "".join(f"- {markdown.escaped(r)}\n" for r in night.reasons)
    return failures(notify(addresses, subject, f"# {markdown.escaped(subject)}\n\n{reasons}"))
