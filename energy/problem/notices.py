"""What a reader of a case has to know that no figure shows."""

from __future__ import annotations

import xarray as xr

from energy.problem.caps_held import cap_notices
from energy.problem.read import Inputs


def notices(inputs: Inputs, problem: xr.Dataset) -> list[str]:
    """One sentence each: rates that stand in before their first date, PUE caps that do not hold throughout."""
    return [*inputs.stand_ins(), *cap_notices(inputs, problem)]
