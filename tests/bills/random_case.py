"""Random small cases for laws of the bill: tariffs, contracts, solar, horizons, state. Everything is made up."""

from __future__ import annotations

import random
from calendar import monthrange
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.cases import SmallCase

KINDS = ("energy", "spot_share", "demand", "fixed", "minimum_bill")


def random_case(folder: Path, seed: int, whole_month: bool = False) -> SmallCase:
    """One small case of 2 or 3 days, or a calendar month, in 2024 and often across a month or a clock change."""
    rng = random.Random(seed)
    start = rng.choice([date(2024, 1, 1) + timedelta(days=rng.randrange(360)), date(2024, 3, 30), date(2024, 10, 26),
                        date(2024, rng.randrange(2, 12), 1) - timedelta(days=1)])  # fmt: skip
    days = rng.choice([2, 3])
    if whole_month:
        start, days = start.replace(day=1), monthrange(2024, start.month)[1]
    minutes = rng.choice([60, 60, 30])
    case = SmallCase(folder, str(start), days=days, zone=rng.choice(["UTC", "Europe/Oslo"]), minutes=minutes)
    for name, currency in (("north", "NOK"), ("south", "EUR")):
        case.edit(f"t_{name}.yaml", "name", name)
        data = _tariff(rng, name, currency)
        for key, value in data.items():
            case.edit(f"t_{name}.yaml", key, value)
        case.edit("fleet.yaml", f"sites.{name}.tariff", f"t_{name}.yaml")
        case.edit("fleet.yaml", f"sites.{name}.contracts", [_contract(rng, i) for i in range(rng.randrange(3))])
    if rng.random() < 0.5:
        contracts = case.yaml("fleet.yaml")["sites"]["south"].get("contracts", [])
        case.edit("fleet.yaml", "sites.south.solar", _solar(rng, all(c["kind"] == "hedge" for c in contracts)))
    if rng.random() < 0.5:
        _state(case, rng, start)
    if rng.random() < 0.4:
        _negative_hours(case, rng)
    if rng.random() < 0.5:
        _daily_kroner(case, rng, start, days)
    if rng.random() < 0.3:
        case.edit("case.yaml", "horizon.beyond", "terminal_value")
        case.cell("jobs.csv", "j2", "deadline", f"+{24 * days + 30}h")
    return case


def _tariff(rng: random.Random, name: str, currency: str) -> dict[str, Any]:
    scale = 10.0 if currency == "NOK" else 1.0
    kinds = rng.choices(KINDS[:-1], weights=(4, 2, 4, 1), k=rng.randrange(1, 6)) + rng.choice(
        [[], [], ["minimum_bill"]]
    )
    parts = [_component(rng, f"{name}_{i}", kind, currency, scale) for i, kind in enumerate(kinds)]
    return {"country": "NO" if name == "north" else "DE", "currency": currency, "components": parts}


def _component(rng: random.Random, name: str, kind: str, currency: str, scale: float) -> dict[str, Any]:
    base = {"name": name, "kind": kind, "valid_from": "2020-01-01", "source": "made up", "confidence": "L"}
    when = {"when": _window(rng)} if rng.random() < 0.5 else {}
    if kind == "energy":
        return base | when | {"value": round(rng.uniform(0, 40) * scale, 2), "unit": f"{currency}/MWh"}
    if kind == "spot_share":
        return base | when | {"value": round(rng.uniform(-0.05, 0.1), 3), "unit": "1"}
    if kind == "fixed":
        return base | {
            "value": round(rng.uniform(0, 900) * scale, 2),
            "unit": f"{currency}/{rng.choice(['day', 'month', 'year'])}",
        }
    if kind == "minimum_bill":
        return base | {"value": round(rng.uniform(0, 60000) * scale, 2), "unit": f"{currency}/month"}
    memory = {"look_back_months": rng.choice([0, 0, 1, 11]), "ratchet_share": rng.choice([1.0, 0.8])}
    unit = rng.choice(["month", "year"])
    rate = rng.uniform(500, 4000) * scale * (12 if unit == "year" else 1)
    price = {"value": round(rate, 2)} if rng.random() < 0.6 else {
        "bands": [{"up_to_mw": 0.7, "value": round(rate * 0.5, 2)}, {"value": round(rate, 2)}]}  # fmt: skip
    return base | when | memory | price | {"unit": f"{currency}/MW/{unit}"}


def _window(rng: random.Random) -> dict[str, Any]:
    first = rng.randrange(0, 20)
    out: dict[str, Any] = {"hours": [[first, rng.randrange(first + 1, 25)]]}
    if rng.random() < 0.5:
        out["weekdays"] = rng.sample(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], rng.randrange(2, 7))
        out["holidays"] = rng.choice(["as_weekday", "excluded", "included"])
    return out


def _contract(rng: random.Random, i: int) -> dict[str, Any]:
    kind = rng.choice(["hedge", "take_or_pay", "capped_price"])
    out = {"name": f"c{i}", "kind": kind, "mw": round(rng.uniform(0.1, 1.5), 3), "price": round(rng.uniform(20, 60), 2)}
    if rng.random() < 0.5:
        out["when"] = _window(rng)
    return out | ({"premium": 2.0} if kind == "capped_price" else {})


def _solar(rng: random.Random, feeds_in: bool) -> dict[str, Any]:
    out: dict[str, Any] = {"dc_mw": 1.5, "ac_mw": 1.2, "tilt_deg": 30, "azimuth_deg": 180}
    if feeds_in:
        out["feed_in"] = {"limit_mw": 0.4, "spot_share": rng.choice([0.5, 0.9])}
    return out


def _state(case: SmallCase, rng: random.Random, start: date) -> None:
    last = (start.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    peaks = {last: round(rng.uniform(0.5, 2.5), 3)}
    if rng.random() < 0.5:
        peaks[start.strftime("%Y-%m")] = round(rng.uniform(0.2, 2.0), 3)
    case.edit("state.yaml", "sites", {"north": {"peak_so_far_mw": peaks}, "south": {"peak_so_far_mw": peaks}})
    case.edit("case.yaml", "state", "state.yaml")


def _daily_kroner(case: SmallCase, rng: random.Random, start: date, days: int) -> None:
    """A rate of exchange for each day, weekends without."""
    dates = [start + timedelta(days=k) for k in range(-5, days + 1)]
    rows = [{"utc": str(d), "NOK": round(rng.uniform(0.08, 0.12), 4)} for d in dates if d.weekday() < 5]
    case.put("fx.csv", rows)
    case.edit("case.yaml", "fx.NOK", {"file": "fx.csv", "column": "NOK", "source": "made up"})


def _negative_hours(case: SmallCase, rng: random.Random) -> None:
    rows = case.rows("prices.csv")
    for row in rng.sample(rows, len(rows) // 6):
        row["DE-LU"] = str(round(-rng.uniform(1, 60), 2))
    case.put("prices.csv", rows)
