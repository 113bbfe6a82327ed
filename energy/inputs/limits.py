"""Legal and own limits on PUE, WUE and ERF: dated, cited presets of ``models/limits/``, named by the sites they bind."""

from calendar import isleap
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Self, assert_never

import numpy as np
from pydantic import Field, model_validator

from energy.errors import ConfigError
from energy.inputs.components import Confidence
from energy.inputs.fleet import Fleet, Name, Site
from energy.inputs.resources import named_model
from energy.inputs.yaml_files import Frozen, load_model
from energy.schema import Bools
from energy.schema.calendar import SiteCalendar

#: What a limit is on: PUE [1], WUE [L/kWh], ERF [1].
Metric = Literal["pue", "wue", "erf"]


class Threshold(Frozen):
    """Sites below this size are not bound: `of` the grid connection, or of the IT design load of all halls."""

    at_least_mw: float = Field(gt=0)
    of: Literal["connection", "it"]


class Rule(Frozen):
    """One limit over calendar years, in site-local time.

    PUE [1] (ISO/IEC 30134-2) and WUE [L/kWh] (-9) have an `at_most`, ERF [1] (-6) an `at_least`; with neither the
    figure is reported only. `commissioned_from` and `commissioned_before` say which sites are meant, `valid_from` and
    `valid_to` which days, both inclusive; a site has `years_after_commissioning` to get there.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    metric: Metric
    at_most: float | None = Field(default=None, gt=0, le=10)
    at_least: float | None = Field(default=None, ge=0, le=1)
    commissioned_from: date | None = None
    commissioned_before: date | None = None
    valid_from: date
    valid_to: date | None = None
    years_after_commissioning: int = Field(default=0, ge=0, le=20)
    source: str = Field(min_length=3)
    confidence: Confidence

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        wrong = "at_most" if self.more_is_better else "at_least"
        if getattr(self, wrong) is not None:
            raise ValueError(f"{wrong} does not belong to {self.metric}")
        if self.metric == "pue" and self.at_most is not None and self.at_most < 1:
            raise ValueError("at_most of pue must be 1 or more")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")
        return self

    @property
    def limit(self) -> float | None:
        """The number, whichever side; None where the figure is reported only."""
        return self.at_least if self.more_is_better else self.at_most

    @property
    def more_is_better(self) -> bool:
        """Whether the figure has a lower limit."""
        match self.metric:
            case "pue" | "wue":
                return False
            case "erf":
                return True
            case _:
                assert_never(self.metric)

    def holds(self, calendar: SiteCalendar) -> Bools:
        """Periods whose local day lies in its validity, (T,)."""
        return np.asarray((calendar.days >= self.valid_from) & (calendar.days <= (self.valid_to or date.max)))

    def of_site(self, commissioned: date | None) -> Self:
        """The rule from the day on which it holds for a site commissioned on a day."""
        if not self.years_after_commissioning or commissioned is None:
            return self
        year = commissioned.year + self.years_after_commissioning
        leap_day = (commissioned.month, commissioned.day) == (2, 29)
        begins = date(year, 3, 1) if leap_day and not isleap(year) else commissioned.replace(year=year)
        return self.model_copy(update={"valid_from": max(self.valid_from, begins)})

    def binds(self, commissioned: date | None) -> bool:
        """Whether a site commissioned on that day is meant."""
        if commissioned is None:
            return True  # `load_limits` refuses a site without a date where one is needed
        since, before = self.commissioned_from or date.min, self.commissioned_before or date.max
        return since <= commissioned < before


class Preset(Frozen):
    """One file of ``models/limits/``; `boundary` says what is measured where."""

    name: Name
    status: Literal["in_force", "draft", "reporting", "own"]
    description: str = Field(min_length=3)
    boundary: str = Field(min_length=3)
    threshold: Threshold | None = None
    fine: str = ""
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_name_once(self) -> Self:
        names = [r.name for r in self.rules]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"rules: two are named {twice[0]!r}; each name once")
        return self

    def concerns(self, site: Site) -> bool:
        """Whether the site is large enough at any time."""
        if self.threshold is None:
            return True
        it = sum(max(s.value for s in hall.design_mw) for hall in site.halls.values())
        connection = max(s.value for s in site.grid_limit_mw)
        match self.threshold.of:
            case "it":
                return it >= self.threshold.at_least_mw
            case "connection":
                return connection >= self.threshold.at_least_mw
            case _:
                assert_never(self.threshold.of)


@dataclass(frozen=True)
class Limit:
    """A rule that binds a site, with the preset it comes from."""

    preset: Preset
    rule: Rule

    @property
    def name(self) -> str:
        """de_enefg.new_pue"""
        return f"{self.preset.name}.{self.rule.name}"


def load_limits(fleet: Fleet, fleet_path: Path) -> dict[str, tuple[Limit, ...]]:
    """Site name -> the rules that bind it, for every site.

    Raises
    ------
    ConfigError : no such preset, an invalid file, or a site without `commissioned` where a rule asks for it.
    """
    out: dict[str, tuple[Limit, ...]] = {}
    for name, site in fleet.sites.items():
        where, bound = f"{fleet_path}: sites.{name}", list[Limit]()
        for wanted in site.limits:
            preset = load_model(named_model(f"{where}.limits", "limits", wanted, fleet_path), Preset)
            if site.commissioned is None and any(
                r.commissioned_from or r.commissioned_before or r.years_after_commissioning for r in preset.rules
            ):
                what = f"limits {preset.name} depend on when the site was commissioned"
                raise ConfigError(where, what, "commissioned: YYYY-MM-DD")
            if preset.concerns(site):
                rules = [rule.of_site(site.commissioned) for rule in preset.rules if rule.binds(site.commissioned)]
                bound += [Limit(preset, rule) for rule in rules]
        out[name] = tuple(bound)
    return out
