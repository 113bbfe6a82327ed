"""The fleet file: sites with their bidding zone, limits and heat buyers, halls, pools of GPUs, with dated phases."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema, create_model, model_validator

from energy.inputs.contracts import AnyContract, Solar
from energy.inputs.dated import Dated, LocalMoment, Step, constant, dated_between
from energy.inputs.yaml_files import Frozen, load_model
from energy.schema import PROBLEM, Array


class HeatReuse(Frozen):
    """A buyer of heat from the liquid loops of a site's halls.

    `limit_mw` and `price_eur_per_mwh` count heat taken from the halls. Without a heat pump only halls whose return is at
    least `temperature_c` warm can deliver; with one all liquid loops can, for 1/`heat_pump_cop` MWh of power per MWh of heat
    taken, at the site's price of energy. `recoverable_share` of a loop's heat passes the exchanger (engineering
    judgement; replace it with your own).
    """

    limit_mw: Dated
    price_eur_per_mwh: float = Field(ge=0, le=1000)
    temperature_c: float = Field(ge=10, le=120)
    heat_pump_cop: float | None = Field(default=None, gt=1, le=20)
    recoverable_share: float = Field(default=0.9, gt=0, le=1)


#: Codes of the Single Day-Ahead Coupling areas and Great Britain, as ENTSO-E and Nord Pool name them;
#: DE and DE-AT-LU are the German zone before 2018-10-01, DE-LU since.
BIDDING_ZONES = frozenset({
    "NO1", "NO2", "NO3", "NO4", "NO5", "SE1", "SE2", "SE3", "SE4", "FI", "DK1", "DK2", "EE", "LV", "LT", "DE", "DE-LU",
    "DE-AT-LU", "AT", "FR", "BE", "NL", "PL", "CZ", "SK", "HU", "RO", "BG", "SI", "HR", "GR", "ES", "PT", "CH", "GB",
    "IE-SEM", "IT-NORTH", "IT-CNOR", "IT-CSUD", "IT-SUD", "IT-SICI", "IT-SARD", "IT-CALA",
})  # fmt: skip


def check_zone(zone: str) -> str:
    """`zone` if it is a bidding zone.

    Raises
    ------
    ValueError : names the zones of that country where the code is a country with several.
    """
    if zone in BIDDING_ZONES:
        return zone
    near = sorted(z for z in BIDDING_ZONES if z.startswith(zone[:2].upper()))
    hint = f"the bidding zones there are {', '.join(near)}" if near else f"one of {', '.join(sorted(BIDDING_ZONES))}"
    raise ValueError(f"{zone!r} is not a bidding zone; {hint}")


M = TypeVar("M", bound=BaseModel)


def _zone_known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Oslo") from None
    return name


TimeZone = Annotated[str, AfterValidator(_zone_known)]
BiddingZone = Annotated[
    str, AfterValidator(check_zone), WithJsonSchema({"type": "string", "enum": sorted(BIDDING_ZONES)})
]
#: Names become parts of ids such as site/hall/pool, file columns and Pyomo labels.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,39}$")]


def keys_of(owner: str) -> dict[str, Array]:
    """Key -> row of the table of arrays that it gives, for an owner such as ``sites.*`` or ``sites.*.halls.*``."""
    rows = (row for row in PROBLEM.values() if row.fleet_key.rpartition(".")[0] == owner)
    return {row.fleet_key.rpartition(".")[2]: row for row in rows}


def with_keys_of(owner: str) -> Callable[[type[M]], type[M]]:
    """Give a model, at its end, the dated keys that the table of arrays names and it does not declare itself.

    Range, unit, default and meaning are those of the row; a row without a default makes a key that must be given.
    """

    def complete(model: type[M]) -> type[M]:
        fields: dict[str, Any] = {}
        for key, row in keys_of(owner).items():
            if key not in model.model_fields:
                default = ... if row.default is None else constant(row.default)
                field = Field(default, description=f"{row.meaning} [{row.unit}]")
                fields[key] = (dated_between(row.low, row.high, row.unit), field)
        if not fields:
            return model
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
        )

    return complete


#: Keys of sites, halls and pools that may change on given dates.
DATED = tuple(dict.fromkeys((
    *keys_of("sites.*"), *keys_of("sites.*.halls.*"), "design_mw", "limit_mw", "other_it_mw", "count", "firm_gpus",
)))  # fmt: skip


class Place(Frozen):
    """Position of a site: WGS 84 degrees and metres above the sea."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    altitude_m: float = Field(default=0.0, ge=-430, le=6000)


#: What a PUE cap is held over.
Period = Literal["year", "rolling", "hour"]


class PueCap(Frozen):
    """A PUE limit (ISO/IEC 30134-2): energy weighted over its period, breached only at a price.

    `year`: the calendar year in site-local time, with the year-to-date balance from the state;
    `rolling`: every window of `window_h` hours, with its history; `hour`: single market time units,
    only those whose IT power can never fall below `above_it_mw`.
    """

    name: Name
    limit: float = Field(ge=1.0, le=10.0)
    period: Period = "year"
    window_h: float | None = Field(default=None, gt=0, le=8784)
    above_it_mw: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.period == "rolling") != (self.window_h is not None):
            raise ValueError("window_h belongs to period: rolling, and only there")
        if (self.period == "hour") != (self.above_it_mw is not None):
            raise ValueError("above_it_mw belongs to period: hour, and only there")
        return self


def _distinct(caps: tuple[PueCap, ...]) -> tuple[PueCap, ...]:
    names = [c.name for c in caps]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise ValueError(f"two caps are named {twice[0]!r}; each name once")
    return caps


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("each name once")
    return names


PueCaps = Annotated[tuple[PueCap, ...], AfterValidator(_distinct)]


class Maintenance(Frozen):
    """GPUs taken out between two site-local moments."""

    from_: LocalMoment = Field(alias="from")
    to: LocalMoment
    gpus: float = Field(gt=0)

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.to <= self.from_:
            raise ValueError(f"maintenance must end after it begins (from {self.from_}, to {self.to})")
        return self


class Pool(Frozen):
    """GPUs of one kind in one hall. Power per GPU includes its share of the server."""

    gpu: str
    count: Dated
    firm_gpus: Dated = constant(0.0)
    maintenance: tuple[Maintenance, ...] = ()
    busy_kw_per_gpu: float | None = Field(default=None, gt=0, le=20)
    idle_kw_per_gpu: float | None = Field(default=None, ge=0, le=20)
    off_kw_per_gpu: float | None = Field(default=None, ge=0, le=20)


@with_keys_of("sites.*.halls.*")
class Hall(Frozen):
    """One cooling plant and the pools it cools; `design_mw` is the plant's IT design load in MW."""

    plant: str
    electrical: str = "typical"
    design_mw: Dated
    limit_mw: Dated | None = None
    other_it_mw: Dated = constant(0.0)
    pools: dict[Name, Pool] = Field(min_length=1)


@with_keys_of("sites.*")
class Site(Frozen):
    """One grid connection with its halls."""

    place: Place
    bidding_zone: BiddingZone
    time_zone: TimeZone
    country: str = Field(pattern=r"^[A-Z]{2}$")
    jurisdictions: tuple[str, ...] = ()
    tariff: str
    reduced_rates: tuple[str, ...] = ()
    contracts: tuple[AnyContract, ...] = ()
    solar: Solar | None = None
    grid_limit_mw: Dated
    other_site_mw: Dated = constant(0.0)
    pue_caps: PueCaps = ()
    heat_reuse: HeatReuse | None = None
    limits: Annotated[tuple[str, ...], AfterValidator(_once)] = ()
    commissioned: date | None = None
    halls: dict[Name, Hall] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_meter(self) -> Self:
        """One meter draws or feeds in, and a volume that is cheap to draw beside a price for feeding in is not linear.

        Cost over net power then falls steeper below zero than it rises above: a concave kink in every sunny hour in
        which the sun may be above or below the load.
        """
        fed = self.solar is not None and self.solar.feed_in is not None
        volumes = [c.name for c in self.contracts if c.offers_volume()]
        if fed and volumes:
            raise ValueError(
                f"contract {volumes[0]} and solar.feed_in at one site: a MWh of the contract may cost less than a MWh "
                "fed in earns, and one meter never does both; allowed: one of them, and hedges"
            )
        return self

    def tags(self) -> frozenset[str]:
        """Jurisdiction tags a job can ask for; the country is always one of them."""
        return frozenset(self.jurisdictions) | {self.country}


class Fleet(Frozen):
    """The whole fleet file."""

    name: Name
    sites: dict[Name, Site] = Field(min_length=1)
    fleet_pue_caps: PueCaps = ()

    def halls(self) -> dict[str, tuple[str, Hall]]:
        """Hall id ``site/hall`` -> (site name, hall), in file order."""
        return {f"{s}/{h}": (s, hall) for s, site in self.sites.items() for h, hall in site.halls.items()}

    def pools(self) -> dict[str, tuple[str, Pool]]:
        """Pool id ``site/hall/pool`` -> (hall id, pool), in file order."""
        return {f"{h}/{p}": (h, pool) for h, (_, hall) in self.halls().items() for p, pool in hall.pools.items()}

    def dated(self) -> Iterator[tuple[str, str, tuple[Step, ...]]]:
        """Key, time zone and steps of every dated quantity, in file order."""
        for s, site in self.sites.items():
            parts: list[tuple[str, Site | HeatReuse | Hall | Pool]] = [(f"sites.{s}", site)]
            parts += [(f"sites.{s}.heat_reuse", site.heat_reuse)] if site.heat_reuse else []
            for h, hall in site.halls.items():
                parts.append((f"sites.{s}.halls.{h}", hall))
                parts += [(f"sites.{s}.halls.{h}.pools.{p}", pool) for p, pool in hall.pools.items()]
            for c in site.contracts:
                yield f"sites.{s}.contracts.{c.name}.mw", site.time_zone, c.mw
            for key, part in parts:
                steps = {n: getattr(part, n) for n in DATED if getattr(part, n, None) is not None}
                yield from ((f"{key}.{name}", site.time_zone, value) for name, value in steps.items())

    def currencies(self) -> dict[str, str]:
        """Currency of every contract and feed-in price -> one that is in it, in words."""
        fed = {s: site.solar.feed_in for s, site in self.sites.items() if site.solar and site.solar.feed_in}
        out = {f.currency: f"feed_in of site {s}" for s, f in fed.items()}
        return out | {
            c.currency: f"contract {c.name} of site {s}" for s, site in self.sites.items() for c in site.contracts
        }


def load_fleet(path: Path) -> Fleet:
    """Read a fleet file.

    Raises
    ------
    ConfigError : names the file, the key and what is allowed.
    """
    return load_model(path, Fleet)
