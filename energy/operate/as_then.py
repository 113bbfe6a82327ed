"""What a night knew beside its case, kept with it: a back-fill makes the night again as it was known then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from energy.inputs.errors import ConfigError
from energy.operate.config import Place
from energy.operate.known import Known
from energy.operate.queue import Queue, as_table, read_queue
from energy.operate.store import Store

#: Among the kept inputs: what was known of the series in words and figures, and every job submitted so far.
KNOWN, QUEUE = "known.json", "queue.csv"


@dataclass(frozen=True)
class Then:
    """What a night knew.

    Attributes
    ----------
    known : without its tables, which are the case's series
    left, late : GPU-hours left of the jobs at hand, and of those that cannot meet their deadline
    """

    known: Known
    queue: Queue
    left: dict[str, float]
    late: dict[str, float]


def keep(folder: Path, then: Then) -> None:
    """Write it into the folder of kept inputs; the same knowledge, the same bytes."""
    k = then.known
    told = {
        "known_at": str(k.known_at), "known_until": str(k.known_until), "reasons": k.reasons, "notes": k.notes,
        "fallback_hours": k.fallback_hours, "forecast_hours": k.forecast_hours, "forecast_error": k.forecast_error,
        "refused": then.queue.refused, "left": then.left, "late": then.late,
    }  # fmt: skip
    (folder / KNOWN).write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    submitted = [f"{then.queue.submitted[name].isoformat()}Z" for name in sorted(then.queue.jobs)]
    table = as_table(list(then.queue.jobs.values())).assign(submitted=submitted)
    table.to_csv(folder / QUEUE, index=False, lineterminator="\n")


def recall(folder: Path) -> Then:
    """Read it back.

    Raises
    ------
    SeriesError : the kept queue cannot be read.
    """
    told = json.loads((folder / KNOWN).read_text(encoding="utf-8"))
    known = Known(
        np.datetime64(told["known_at"]), np.datetime64(told["known_until"]), {}, told["reasons"], told["notes"],
        told["fallback_hours"], told["forecast_hours"], told["forecast_error"],
    )  # fmt: skip
    queue = read_queue(folder / QUEUE, known.known_at)
    queue.refused = told["refused"]
    return Then(known, queue, told["left"], told["late"])


def kept_of(place: Place, store: Store, day: date) -> Path | None:
    """Kept inputs of a night: those of its published run, else of its last attempt; None where it never got so far."""
    rows = store.rows(
        "SELECT run_id FROM runs WHERE night = ? AND run_id IS NOT NULL ORDER BY published DESC, id DESC", str(day)
    )
    tried = [place.kept / r["run_id"] for r in rows]
    left = sorted(place.kept.glob(f"{place.config.name}_{day}_*"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
    return next((p for p in (*tried, *left) if (p / KNOWN).is_file()), None)


def chosen(store: Store, first: date, last: date, reprocess: str) -> list[date]:
    """Nights of a back-fill, in order.

    Raises
    ------
    ConfigError : `reprocess` is none of its words.
    """
    if reprocess not in ("none", "failed", "all"):
        raise ConfigError(f"--reprocess {reprocess}", "is no such choice", "none, failed or all")
    days = [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
    tried: dict[str, int] = {
        r["night"]: r["published"]
        for r in store.rows("SELECT night, max(published) AS published FROM runs GROUP BY night")
    }
    choices: dict[str, set[int | None]] = {"none": {None}, "failed": {None, 0}, "all": {None, 0, 1}}
    wanted = choices[reprocess]
    return [d for d in days if tried.get(str(d)) in wanted]
