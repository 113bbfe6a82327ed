"""The nightly edition's tiles: what was saved, and the jobs that need a hand."""

from __future__ import annotations

from energy.report.headline import Tile
from energy.report.night import Night, day_of, rescue
from energy.report.words import day, eur, number, share, short_day


def tiles(night: Night) -> list[Tile]:
    """Saved last night, this month, this year; jobs at risk."""
    saved, y = night["saving_eur"], night["yesterday"]
    at = day_of(y["date"]) if y else day_of(night["date"])
    jobs = night["jobs"]
    against = (
        f"{share(y['saving_eur'] / y['run_now_eur'])} of run-now's {eur(y['run_now_eur'])}"
        if y and y["run_now_eur"] > 0
        else "no night before"
    )
    risk = _cures(night) if jobs["at_risk"] else f"{number(jobs['running'])} running, {number(jobs['left'])} waiting"
    late = f"{number(len(jobs['late']))} late; " if jobs["late"] else ""
    return [
        Tile("Saved last night", _money(saved["last_night"]), against),
        Tile("Saved this month", _money(saved["month_to_date"]), f"{day(at).split(' ', 1)[1]}, to {short_day(at)}"),
        Tile("Saved this year", _money(saved["year_to_date"]), f"{day(at).rsplit(' ', 1)[1]}, to {short_day(at)}"),
        Tile("Jobs late or at risk", number(len(jobs["late"]) + len(jobs["at_risk"])), f"{late}{risk}"),
    ]


def _cures(night: Night) -> str:
    cost = rescue(night)
    return "not each has a cure" if cost is None else f"cheapest cures from {eur(cost)}"


def _money(value: float | None) -> str:
    return "–" if value is None else eur(value)
