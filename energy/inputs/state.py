"""What earlier days left behind: peaks, PUE balances and history, work done. All zero by default."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field

from energy.inputs.yamlfile import Frozen, load_model

#: A calendar month in site-local time.
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
NotNegative = Annotated[float, Field(ge=0)]


class Balance(Frozen):
    """The running year up to the horizon: the two terms of PUE, make-up water (WUE), heat reused (ERF)."""

    facility_mwh: float = Field(ge=0)
    it_mwh: float = Field(ge=0)
    water_m3: float = Field(default=0.0, ge=0)
    reused_mwh: float = Field(default=0.0, ge=0)


class PastPeriod(Frozen):
    """One period before the horizon, for rolling caps; `start` in UTC."""

    start: datetime
    hours: float = Field(gt=0, le=24)
    facility_mwh: float = Field(ge=0)
    it_mwh: float = Field(ge=0)


class SiteState(Frozen):
    """What a site carries into the horizon; months are ``YYYY-MM`` in site-local time.

    Peaks of earlier months serve ratchets. `window_peaks_mw` are those of demand charges that count declared
    hours only, by the name of the component.
    """

    peak_so_far_mw: dict[Month, NotNegative] = {}
    window_peaks_mw: dict[str, dict[Month, NotNegative]] = {}
    year_to_date: Balance = Balance(facility_mwh=0, it_mwh=0)
    history: tuple[PastPeriod, ...] = ()

    def peaks_of(self, component: str | None) -> dict[Month, NotNegative]:
        """Peaks by month that a demand charge knows; None: the charge counts all hours."""
        return self.peak_so_far_mw if component is None else self.window_peaks_mw.get(component, {})


class State(Frozen):
    """The whole state; `work_done` is in reference GPU-hours by job id."""

    sites: dict[str, SiteState] = {}
    work_done: dict[str, NotNegative] = {}


def load_state(path: Path | None) -> State:
    """Read a state file, or the empty state where there is none.

    Raises
    ------
    ConfigError : names the file, the key and what is allowed.
    """
    return State() if path is None else load_model(path, State)
