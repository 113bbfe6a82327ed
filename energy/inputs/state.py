"""State that earlier days leave: peaks, invoices, PUE balances and history, work done. All zero by default."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from energy.inputs.yaml_files import Frozen, load_model
from energy.schema.calendar import naive_utc

#: A calendar month in site-local time.
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
NotNegative = Annotated[float, Field(ge=0)]


class Balance(Frozen):
    """The running year up to the horizon: the two terms of PUE, make-up water (WUE), heat reused (ERF)."""

    facility_mwh: float = Field(ge=0)
    it_mwh: float = Field(ge=0)
    water_m3: float = Field(default=0.0, ge=0)
    reused_mwh: float = Field(default=0.0, ge=0)

    def __add__(self, other: Balance) -> Balance:
        """Sum of both balances."""
        return Balance(**{k: getattr(self, k) + getattr(other, k) for k in Balance.model_fields})


class PastPeriod(Frozen):
    """One period before the horizon, for rolling caps; `start` in UTC."""

    start: datetime
    hours: float = Field(gt=0, le=24)
    facility_mwh: float = Field(ge=0)
    it_mwh: float = Field(ge=0)

    @property
    def utc(self) -> np.datetime64:
        """Start of the period (UTC)."""
        return np.datetime64(naive_utc(self.start), "ns")


class ChargeSoFar(Frozen):
    """One demand charge, or one band of it, on the invoice of a running month.

    `rate_eur_per_mw` is the part of the month's rate that the hours on record bear, `spread_h` the hours that the
    whole rate is spread over: the month, or what was left of it when its record began with a peak alone.
    """

    rate_eur_per_mw: NotNegative
    spread_h: float = Field(gt=0, le=800)
    billed_eur: NotNegative


class InvoiceSoFar(Frozen):
    """Invoice of a running month so far; all other lines add up night by night by themselves.

    `charges` are by component, or ``component_band_2`` where there are bands. `minimum_eur` is the part of the
    minimum bill that the hours on record bear, `counted_eur` the lines that count towards it, `top_up_eur` what it
    has added.
    """

    charges: dict[str, ChargeSoFar] = {}
    minimum_eur: NotNegative = 0.0
    counted_eur: float = 0.0
    top_up_eur: NotNegative = 0.0


class SiteState(Frozen):
    """State of a site before the horizon; months are ``YYYY-MM`` in site-local time.

    Peaks of earlier months serve ratchets. `window_peaks_mw` are those of demand charges that count declared
    hours only, by the name of the component. With `invoice_so_far` the bill of a horizon shows what it adds to the
    month's invoice; without it, it is the month's invoice for the hours of the horizon.
    """

    peak_so_far_mw: dict[Month, NotNegative] = {}
    window_peaks_mw: dict[str, dict[Month, NotNegative]] = {}
    invoice_so_far: dict[Month, InvoiceSoFar] = {}
    year_to_date: Balance = Balance(facility_mwh=0, it_mwh=0)
    history: tuple[PastPeriod, ...] = ()

    @model_validator(mode="after")
    def _invoice_has_a_peak(self) -> SiteState:
        if alone := sorted(set(self.invoice_so_far) - set(self.peak_so_far_mw)):
            raise ValueError(f"invoice_so_far of {alone[0]} needs a peak_so_far_mw of {alone[0]}")
        return self

    def peaks_of(self, component: str | None) -> dict[Month, NotNegative]:
        """Peaks by month that a demand charge knows; None: the charge counts all hours."""
        return self.peak_so_far_mw if component is None else self.window_peaks_mw.get(component, {})

    def knows(self, month: Month, component: str | None, name: str) -> bool:
        """Whether the month's invoice holds the demand charge `name` and hours that it counts are on record."""
        held = month in self.invoice_so_far and any(
            line == name or line.startswith(f"{name}_band_") for line in self.invoice_so_far[month].charges
        )
        return held and month in self.peaks_of(component)

    def peak_without_invoice(self, month: Month, component: str | None) -> bool:
        """Whether a month has a peak on record but no invoice: what is left of it bears the whole charge."""
        return month in self.peaks_of(component) and month not in self.invoice_so_far


class State(Frozen):
    """The whole state; `work_done` is in reference GPU-hours by job id."""

    sites: dict[str, SiteState] = {}
    work_done: dict[str, NotNegative] = {}

    def site(self, name: str) -> SiteState:
        """State of a site; of one that it does not name, nothing has happened yet."""
        return self.sites.get(name, SiteState())


def load_state(path: Path | None) -> State:
    """Read a state file, or the empty state where there is none.

    Raises
    ------
    ConfigError : names the file, the key and what is allowed.
    """
    return State() if path is None else load_model(path, State)
