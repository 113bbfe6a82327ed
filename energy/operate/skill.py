"""How wrong the price forecast has been of late, walked forward over the history that a night keeps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from energy.forecast import LeadErrors, errors, shape
from energy.schema import Floats

if TYPE_CHECKING:
    from energy.operate.known import Known

#: Forecasts of so many past days are judged: with fewer, a week ahead is seen only once or twice.
JUDGED_DAYS = 14
#: Days ahead whose errors are told: those of docs/forecast.md.
LEAD_DAYS = (1, 2, 3, 5, 7)


def error_of_late(known: Known, zones: Sequence[str], time_zone: str) -> dict[str, float]:
    """Mean absolute error over that of the same hour of last week, by days ahead, all zones together.

    At each of the last days the `shape` rule is asked for the days that have since become known; a lead with nothing
    to compare, and one that last week's hour hits exactly, is left out.
    """
    found = [_of_zone(known, zone, time_zone) for zone in zones]
    own, last = (sum((_summed(f, which) for f in found), np.zeros(len(LEAD_DAYS))) for which in ("error", "last_week"))
    return {str(k): float(e / w) for k, e, w in zip(LEAD_DAYS, own, last, strict=True) if w > 0}


def _of_zone(known: Known, zone: str, time_zone: str) -> LeadErrors:
    table = known.tables[zone]
    values = table["value"].where(table["real"]).to_numpy(dtype=float)
    time = table.index.to_numpy()
    day = np.timedelta64(1, "D")
    past = [known.known_until.astype("datetime64[ns]") - k * day for k in range(JUDGED_DAYS, 0, -1)]
    begun = time[np.isfinite(values)][:1]  # before it there is nothing to forecast from
    origins = [o for o in past if (begun < o).any()]
    return errors(time, values, partial(shape, time_zone=time_zone), origins, LEAD_DAYS)


def _summed(found: LeadErrors, which: str) -> Floats:
    """Mean errors times their hours, so that zones add up."""
    total: Floats = np.array(getattr(found, which)) * np.array(found.hours)
    return total
