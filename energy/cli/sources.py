"""The commands that go to the internet: `energy sources`, `energy fetch`, and the case of `energy optimize --live`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from energy.cli.exit_codes import day_of, exit_codes, moment_of

#: As in energy/fetch.py, which `energy --help` need not import.
CACHE, FETCHED = Path("data/cache/sources"), Path("data/cache/fetched")
Cache = Annotated[Path, typer.Option("--cache", help="Folder of fetched answers; what is there is not asked again.")]
Json = Annotated[bool, typer.Option("--json", help="Print the table as JSON and nothing else.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="Only what was known at this moment (UTC), such as 2026-11-24T13:05.")
]
FleetFile = Annotated[Path | None, typer.Option("--fleet", help="Fleet file; without it Norway's.", show_default=False)]
First = Annotated[str | None, typer.Option("--from", help="First local day; without it tomorrow.")]
Last = Annotated[str | None, typer.Option("--to", help="Last local day, inclusive; without it the first.")]
Out = Annotated[Path, typer.Option("--out", help="Folder that fetched files go to.")]


def fetch(
    fleet: FleetFile = None, first: First = None, last: Last = None, out: Out = FETCHED, cache: Cache = CACHE,
    as_of: AsOf = None,
) -> None:  # fmt: skip
    """Prices, weather, hydropower signals and exchange rates of a fleet's days, as NetCDF files."""
    with exit_codes():
        from energy import fetch as fetching
        from energy.inputs.resources import root

        begin, end = option_day("--from", first), option_day("--to", last)
        with fetching.open_client(cache, moment(as_of)) as client:
            norway = root() / "models" / "fleets" / "norway.yaml"  # three sites, whose series need no key
            got = fetching.fetch(fleet or norway, begin, end, client, out, partial(typer.echo, err=True))
        typer.echo("\n".join([*got.lines(), *map(str, got.files)]))
        got.require()


def sources(as_json: Json = False, cache: Cache = CACHE) -> None:
    """Every live source: what it gives, key, terms, last success."""
    with exit_codes():
        from energy.cli.tables import sources_table
        from energy.fetch import open_client
        from energy.sources.status import rows

        with open_client(cache) as client:
            found = rows(client)
        print(json.dumps([asdict(r) for r in found], indent=2)) if as_json else sources_table(found)


def option_day(option: str, value: str | None) -> date | None:
    """The day that an option names; None without one."""
    return None if value is None else day_of(option, value)


def moment(value: str | None) -> datetime | None:
    """`--as-of` as naive UTC."""
    allowed = " is not a moment; allowed: YYYY-MM-DDTHH:MM, UTC or with an offset"
    return None if value is None else moment_of("--as-of", value, allowed).replace(tzinfo=None)
