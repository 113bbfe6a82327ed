"""The series of a live night: fetched like those of `energy optimize --live`, then read like any night's files."""

from __future__ import annotations

import tempfile
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from energy.errors import InputError, SeriesError
from energy.fetch import Fetched, Tell, fetch, fetched_files, open_client
from energy.inputs.case import Case, Nightly, load_case
from energy.inputs.fleet import load_fleet
from energy.inputs.fx import Rate
from energy.inputs.tariffs import load_tariffs
from energy.inputs.yaml_files import Frozen, validate
from energy.nightly.config import LATEST, NightlyWorkspace
from energy.nightly.inputs import CASE
from energy.nightly.snapshot import HISTORY_DAYS
from energy.series.vintage import LONGEST_AGE_H
from energy.sources.client.answer import SourceError
from energy.sources.client.cache import NotOnFile
from energy.sources.client.credentials import CredentialError
from energy.sources.client.http import Client

#: Name of a file that no source filled: reading it fails, and what an earlier night kept replaces it and is reported.
NOT_FETCHED = "not-fetched.nc"
#: Note of a past night that nobody had fetched for by its moment.
AFTERWARDS = (
    "series were fetched after the night's moment: of what sources have revised since the revised figures count"
)


@contextmanager
def fetched_now(
    workspace: NightlyWorkspace, day: date, tell: Tell, as_of: datetime | None = None
) -> Iterator[NightlyWorkspace]:
    """The nightly file of one night with its series as the sources have them.

    Parameters
    ----------
    as_of : as they had them at this moment (UTC, naive), from the answers kept until then

    Raises
    ------
    ConfigError : the fleet file is invalid.
    SeriesError : nothing can be fetched, and no earlier night kept it.
    NotOnFile : a replay asks for an answer that had not been fetched by then.
    """
    try:
        with open_client(as_of=as_of) as client, fetched_place(workspace, day, client, tell) as here:
            yield here
    except NotOnFile:
        raise
    except (SourceError, CredentialError) as e:
        raise SeriesError("live series", str(e)) from None


@contextmanager
def fetched_then(workspace: NightlyWorkspace, day: date, tell: Tell) -> Iterator[NightlyWorkspace]:
    """The nightly file of a past night, from the answers kept until its moment, else as the sources have its days now.

    The fetch of the night itself ended after its moment, so that without kept inputs there is often no answer on file.
    Of what the sources have now the night looks only at what was known then.

    Raises
    ------
    ConfigError, SeriesError : as `fetched_now`.
    """
    moment = workspace.config.known_at(day).astype("datetime64[s]").item()
    with ExitStack() as stack:
        try:
            here = stack.enter_context(fetched_now(workspace, day, tell, moment))
        except NotOnFile:
            here = stack.enter_context(fetched_now(workspace, day, tell))
            here = here.model_copy(update={"notes": (*here.notes, AFTERWARDS)})
        yield here


@contextmanager
def fetched_place(
    workspace: NightlyWorkspace, day: date, client: Client, tell: Tell = lambda _: None
) -> Iterator[NightlyWorkspace]:
    """The nightly file of one night with its series in files, which are gone afterwards: the night keeps what it used.

    Raises
    ------
    ConfigError : the fleet file is invalid.
    SeriesError : a price or weather was neither fetched now nor kept by an earlier night.
    """
    days = workspace.config.horizon.days or workspace.config.horizon.most_days
    with tempfile.TemporaryDirectory(prefix="hydrocool-") as folder:  # elsewhere: two runs at once sweep the same `out`
        fleet = workspace.beside(workspace.config.fleet)
        last = day + timedelta(days=days - 1)
        got = fetch(fleet, day, last, client, Path(folder), tell, HISTORY_DAYS)
        here = _with_series(workspace, got, day)
        yield here.model_copy(update={"water": got.folder})


def _with_series(workspace: NightlyWorkspace, got: Fetched, day: date) -> NightlyWorkspace:
    """The nightly file with the fetched files; a series without any hour is described as the previous night did."""
    config, fleet = workspace.config, load_fleet(workspace.beside(workspace.config.fleet))
    found, kept = fetched_files(got), workspace.snapshots / (workspace.out / LATEST).resolve().name
    before = _previous_case(kept)
    nowhere = {"file": str((got.folder / NOT_FETCHED).resolve())}  # its hours come from what that night kept

    def here(spec: dict[str, Any]) -> dict[str, Any]:
        return spec | {"file": str((got.folder / spec["file"]).resolve())}

    def with_kept(fetched: dict[str, Any], kept: Mapping[str, Frozen], names: Container[str]) -> dict[str, Any]:
        lacking = {n: s.model_dump() | nowhere for n, s in kept.items() if n in names and n not in fetched}
        return {n: here(s) for n, s in fetched.items()} | lacking

    zones, wanted = {z for p in found["prices"] for z in p["zones"]}, {s.bidding_zone for s in fleet.sites.values()}
    prices = [here(spec) for spec in found["prices"]]
    for p in before.prices if before else ():
        if lacking := [z for z in p.zones if z in wanted - zones]:
            prices.append(p.model_dump() | {"zones": lacking, "columns": {}} | nowhere)
    weather = with_kept(found["weather"], before.weather if before else {}, fleet.sites)
    if wanted - {z for p in prices for z in p["zones"]} or set(fleet.sites) - set(weather):
        got.require()
    carbon = with_kept(found["carbon"], before.carbon if before else {}, wanted)
    tariffs = load_tariffs(fleet, workspace.beside(config.fleet)).values()
    currencies = {t.currency for t in tariffs} | set(fleet.currencies()) | {str(p["currency"]) for p in prices}
    rates = found["fx"] | {k: r.model_dump(exclude_none=True) for k, r in config.fx.items()}
    older, notes, reasons = carried(dict(before.fx) if before else {}, currencies - {"EUR"} - set(rates), day)
    rates |= {k: r | ({"file": str((kept / r["file"]).resolve())} if "file" in r else {}) for k, r in older.items()}
    series = {"prices": prices, "weather": weather, "carbon": carbon, "fx": rates}
    whole = config.model_dump(mode="json", exclude_none=True) | series | {"live": False}
    messages = {"notes": (*workspace.notes, *notes), "reasons": (*workspace.reasons, *reasons)}
    return workspace.model_copy(update={"config": validate(workspace.path, whole, Nightly)} | messages)


def _previous_case(kept: Path) -> Case | None:
    """The case of the newest night; None before the first, or where what it kept can no longer be read."""
    with suppress(InputError, OSError):
        return load_case(kept / CASE) if (kept / CASE).is_file() else None
    return None


#: Age beyond which a bank's rate is too old for the day [days].
LONGEST_DAYS = int(LONGEST_AGE_H["fx"] / 24)


def carried(
    before: dict[str, Rate], lacking: Iterable[str], day: date
) -> tuple[dict[str, dict[str, Any]], list[str], list[str]]:
    """Rates of the previous night that replace lacking ones, with notes on them and reasons against them.

    Parameters
    ----------
    before : rates of the case of the previous night
    lacking : currencies that are needed, and that nobody gave now
    day : delivery day; its night knows the rates of the day before, and a later day's are not for it
    """
    rates: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    reasons: list[str] = []
    for currency in sorted(set(lacking) & set(before)):
        rate = before[currency]
        try:  # a fetched rate's source ends in its day: ecb 2026-11-24
            of = date.fromisoformat(rate.source.rpartition(" ")[2])
        except ValueError:
            of = None
        if of is not None and of > day - timedelta(days=1):
            continue
        rates[currency] = rate.model_dump(exclude_none=True)
        message = f"exchange rate of {currency}: no bank gave one; replaced by {rate.source!r} of the last night"
        old = of is None or (day - timedelta(days=1) - of).days > LONGEST_DAYS
        (reasons if old else notes).append(f"{message}, more than {LONGEST_DAYS} days old" if old and of else message)
    return rates, notes, reasons
