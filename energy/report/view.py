"""Content of the reports as data: statuses, figures with units, texts and tables; no HTML and no picture.

Pages, Markdown and terminal show it. A figure that two of them show is worked out once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from energy.report.formatting import DASH, eur, share


@dataclass(frozen=True)
class Column:
    """Heading and unit; `left`: words, not figures, which are set right; only `prose` may break into lines."""

    label: str
    unit: str = ""
    left: bool = False
    prose: bool = False


@dataclass(frozen=True)
class Cell:
    """Text, a smaller line below it, a mark that the style sheet knows (good, bad), and a link."""

    text: str
    below: str = ""
    mark: str = ""
    href: str = ""


#: Cells of a row: texts alone as they are, None for what is not known.
Row = Sequence[str | Cell | None]


@dataclass(frozen=True)
class Table:
    """Columns and rows; `total` is the last row, set apart."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()


def left(label: str) -> Column:
    """A column of words, set left."""
    return Column(label, left=True)


def prose(label: str) -> Column:
    """A column of sentences."""
    return Column(label, left=True, prose=True)


def table(columns: Sequence[Column], rows: Sequence[Row], total: Row = ()) -> Table | None:
    """Build a Table, None without rows.

    Raises
    ------
    ValueError : a row does not have one cell per column
    """
    for cells in (*rows, *([total] if total else [])):
        if len(cells) != len(columns):
            raise ValueError(f"{len(cells)} cells under {len(columns)} columns, first {cells[:1]}")
    every = [tuple(c if isinstance(c, Cell) else Cell(DASH if c is None else c) for c in r) for r in (*rows, total)]
    return Table(tuple(columns), tuple(every[:-1]), every[-1]) if rows else None


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
    """A status: its word, a sign that reads without colour, and its meaning."""

    word: str
    sign: str
    meaning: str


def status_of(word: object, meaning: str | None = None) -> Status:
    """The status of a run or night; an unknown word counts as FAILED."""
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
        """The word for a saving or for an extra cost, and the amount."""
        return f"{less if self.saving_eur >= 0 else more} {eur(abs(self.saving_eur))}"

    def of_run_now(self) -> str:
        """The saving as "11.1 % of run-now's 53 602 EUR"."""
        return f"{share(self.share)} of run-now's {eur(self.run_now_eur)}"


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
class NightJob:
    """A job that is late or at risk: work left or short [GPU-h]; of one at risk the remedy and the cost of its work."""

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
        """True where it is known to be exceeded so far."""
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
    missing: Sequence[NightJob]
    remedy_eur: float | None
    caps: Sequence[NightCap]
