"""What reports show, as data: statuses, figures with units, texts and tables; no HTML and no picture.

Pages, Markdown and terminal consume it. What two of them show is worked out here, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from energy.report.formatting import eur, number, share
from energy.report.tables import Table

#: Labels with their colour roles, in the order they are read.
Legend = Sequence[tuple[str, str]]
#: Statuses: sign that reads without colour, meaning.
STATUSES = {
    "OK": ("✓", "proven cheapest, all work done, every limit kept"),
    "DEGRADED": ("!", "usable with the reservations named here"),
    "FAILED": ("✕", "not proven: do not use"),
}
#: Status of a PUE cap or limit, as tables name it.
LIMIT_STATUS = {"contract": "of the fleet file", "in_force": "in force", "draft": "draft", "own": "own target",
                "reporting": "reporting only"}  # fmt: skip


@dataclass(frozen=True)
class Status:
    """A light: its word, a sign that reads without colour, and what it means."""

    word: str
    sign: str
    meaning: str


def status_of(word: object, meaning: str | None = None) -> Status:
    """The status of a run or night; what is unknown counts as FAILED."""
    known = str(word) if str(word) in STATUSES else "FAILED"
    return Status(known, STATUSES[known][0], meaning or STATUSES[known][1])


@dataclass(frozen=True)
class Saving:
    """A cost against run-now's [EUR]; the saving also counts work that was put off."""

    cost_eur: float
    run_now_eur: float
    saving_eur: float

    @property
    def share(self) -> float:
        """The saving over run-now's cost."""
        return self.saving_eur / abs(self.run_now_eur) if self.run_now_eur else 0.0

    def verb(self, less: str, more: str) -> str:
        """Whether the plan saves or costs an extra, as a sentence needs it, and how much."""
        return f"{less if self.saving_eur >= 0 else more} {eur(abs(self.saving_eur))}"

    def of_run_now(self) -> str:
        """11.1 % of run-now's 53 602 EUR."""
        return f"{share(self.share)} of run-now's {eur(self.run_now_eur)}"


def pue(value: float | None) -> str:
    """A PUE as tiles and tables show it."""
    return "–" if value is None else number(value, 4)


@dataclass(frozen=True)
class Tile:
    """A headline figure with the line below it."""

    name: str
    figure: str
    below: str


@dataclass(frozen=True)
class Top:
    """How every page begins: status, headline, the period it is for, reasons, tiles, and sentences to be sent on."""

    title: str
    status: Status
    headline: str
    tiles: Sequence[Tile]
    period: str = ""
    reasons: Sequence[str] = ()
    summary: Sequence[str] = ()


@dataclass(frozen=True)
class Bar:
    """A bar beside its name: width and offset [% of the line], parts by colour role, figure, and a line below."""

    name: str
    text: str
    width: float = 0.0
    offset: float = 0.0
    parts: Legend | Sequence[tuple[str, float]] = ()
    below: str = ""
    loss: bool = False


@dataclass(frozen=True)
class PlanView:
    """What the report of a plan shows, in the order of the page."""

    top: Top
    case: str
    sections: Sequence[tuple[str, str]]
    undone: Table | None
    warnings: Sequence[str]
    notes: Sequence[str]
    urgent: bool
    remedies_text: str
    remedies: Table | None
    sites: Table
    steps_note: str
    shown_note: str
    most_gpus: str
    fleet_legend: Legend
    kinds_legend: Legend
    caps: Table | None
    caps_text: str
    derated: Sequence[str]
    cooling_legend: Legend
    halls: Table | None
    limits: Table | None
    missed: Sequence[str]
    limit_sources: Sequence[str]
    causes: Sequence[Bar]
    cost_legend: Legend
    cost_bars: Sequence[tuple[Bar, Bar]]
    foresight: Sequence[Bar]
    rules: Table | None
    classes: Table
    invoice: Table
    jobs_text: str
    changes: Sequence[tuple[str, str]]
    jobs: Table
    deadlines_text: str
    deadlines: Table | None
    gpus_text: str
    gpus: Table
    grid: Table | None
    shape: Table | None
    series: Table | None
    credits: Sequence[str]
    reconciliation_text: str
    reconciliation: Table | None
    certificate: Sequence[str]
    run: Sequence[tuple[str, Table]]


@dataclass(frozen=True)
class Strip:
    """Neighbouring hours of one quality: colour role, width [%], caption."""

    role: str
    width: float
    caption: str


@dataclass(frozen=True)
class QualityStrips:
    """Quality of each shown site's hours by series, with the days below: text and width [%]."""

    legend: Legend
    series: Sequence[tuple[str, Sequence[tuple[str, Sequence[Strip]]]]]
    days: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class NightJob:
    """A job that is late or at risk: what is left or short [GPU-h]; of one at risk the remedy and what its work costs."""

    name: str
    deadline: str
    gpu_hours: float
    remedy: str = ""
    cost_eur: float | None = None


@dataclass(frozen=True)
class NightCap:
    """A PUE cap or limit before the plan: the overhead still free is its balance [MWh], below zero it is overdrawn."""

    site: str
    name: str
    limit: float
    status: str
    period: str
    so_far: float | None
    balance_mwh: float | None

    @property
    def overdrawn(self) -> bool:
        """Whether it is known to be exceeded so far."""
        return self.balance_mwh is not None and self.balance_mwh < 0


@dataclass(frozen=True)
class NightDay:
    """Energy [MWh] and cost [EUR] of the fleet on a day ahead, and of each site that the plan names for it."""

    day: str
    mwh: float
    eur: float
    sites: dict[str, tuple[float, float]]

    @property
    def most_at(self) -> str:
        """The site that takes most."""
        return max(self.sites, key=lambda s: self.sites[s][0])


@dataclass(frozen=True)
class SettledDay:
    """The last settled day: ex-ante cost, realised cost against run-now's, variance by cause, work put off [EUR]."""

    day: str
    ex_ante_eur: float
    saving: Saving
    variance_eur: dict[str, float]
    backlog_gpu_hours: float
    backlog_eur: float


@dataclass(frozen=True)
class NightFigures:
    """The figures of a night that several of its texts, tiles and tables show."""

    last_settled_day: SettledDay | None
    days: Sequence[NightDay]
    site_names: Sequence[str]
    cost_eur: float
    late: Sequence[NightJob]
    at_risk: Sequence[NightJob]
    refused: Sequence[str]
    remedy_eur: float | None
    caps: Sequence[NightCap]


@dataclass(frozen=True)
class NightView:
    """What the report of a night shows before the plan, in the order of the page."""

    top: Top
    figures: NightFigures
    fleet: str
    run_id: str
    known_at: str
    notes: Sequence[str]
    ex_ante_text: str
    ex_ante: Table | None
    variance: Sequence[Bar]
    plan: Table | None
    days: Sequence[Bar]
    sites_legend: Legend
    prices: Table | None
    changes: Table | None
    caps: Table | None
    peaks: Table | None
    jobs_text: str
    at_risk: Table | None
    late: Table | None
    remedy_cost: str
    refused: Sequence[str]
    more_jobs: str
    quality: Table | None
    forecast: Table | None
    strips: QualityStrips | None


@dataclass(frozen=True)
class ReportView:
    """What the report of a run record shows; of a nightly run with the night before the plan."""

    title: str
    plan: PlanView
    night: NightView | None
