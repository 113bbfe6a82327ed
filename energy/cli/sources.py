"""The commands that go to the internet: `energy sources`, `energy fetch`, and the case of `energy optimize --live`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from energy.cli.exit_codes import exit_codes, fail
from energy.errors import CONFIGURATION

#: As in energy/fetch.py, which `energy --help` need not import.
CACHE, FETCHED = Path("data/cache/sources"), Path("data/cache/fetched")
Cache = Annotated[Path, typer.Option("--cache", help="Folder of fetched answers; what is there is not asked again.")]
Json = Annotated[bool, typer.Option("--json", help="Print the table as JSON and nothing else.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="Only what was known at this moment (UTC), such as 2026-11-24T13:05.")
]
_tell = partial(typer.echo, err=True)


def fetch(
    fleet: Annotated[
        Path | None, typer.Option("--fleet", help="Fleet file; without it Norway's.", show_default=False)
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="First local day; without it tomorrow.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last local day, inclusive; without it the first.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder that fetched files go to.")] = FETCHED,
    cache: Cache = CACHE,
    as_of: AsOf = None,
) -> None:
    """Prices, weather, hydropower signals and exchange rates of a fleet's days, as NetCDF files."""
    with exit_codes():
        from energy import fetch as fetching

        begin, end = _day("--from", first), _day("--to", last)
        with fetching.open_client(cache, moment(as_of)) as client:
            got = fetching.fetch(fleet or _norway(), begin, end, client, out, _tell)
        typer.echo("\n".join([*got.lines(), *map(str, got.files)]))
        got.require()


def _norway() -> Path:
    """The fleet that ships: three Norwegian sites, whose series need no key."""
    from energy.inputs.resources import root

    return root() / "models" / "fleets" / "norway.yaml"


def sources(as_json: Json = False, cache: Cache = CACHE) -> None:
    """Every live source: what it gives, key, terms, last success."""
    with exit_codes():
        from energy.cli.tables import sources_table
        from energy.fetch import open_client
        from energy.sources.status import rows

        with open_client(cache) as client:
            found = rows(client)
        print(json.dumps([asdict(r) for r in found], indent=2)) if as_json else sources_table(found)


def case_of(
    fleet: Path, jobs: Path | None, start: str | None, end: str | None, quiet: bool, as_of: str | None = None
) -> Path:
    """Fetch what the fleet needs and return the case written for it."""
    from energy.fetch import live_case, open_client

    first, last = _day("--start", start), _day("--end", end)
    with open_client(as_of=moment(as_of)) as client:
        return live_case(fleet, client, jobs, first, last, tell=(lambda _: None) if quiet else _tell)


def check_options(case: Path | None, live: bool, fleet: Path | None, jobs: Path | None) -> None:
    """End with one line where the options of `energy optimize` do not fit together."""
    for wrong, words in ((live and case, "either a case or --live"), (live and not fleet, "--live needs --fleet"),
                         (not live and (fleet or jobs), "--fleet and --jobs belong to --live")):  # fmt: skip
        if wrong:
            fail(CONFIGURATION, words)


def _day(option: str, value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value is not None else None
    except ValueError:
        fail(CONFIGURATION, f"{option} {value!r} is not a day; allowed: YYYY-MM-DD")


def moment(value: str | None) -> datetime | None:
    """`--as-of` as naive UTC; a moment without an offset is UTC."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        fail(CONFIGURATION, f"--as-of {value!r} is not a moment; allowed: YYYY-MM-DDTHH:MM, UTC or with an offset")
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
