"""Last known date of every tariff component: ``python -m benchmarks.tariff_dates`` (make tariff-dates).

Per component: the day from which its last rate holds, the rate's grade, and how many of its rates are graded L or MEM. A
component that has changed before and whose last rate is old may have a new one; `energy check` says so of a horizon.
"""

from __future__ import annotations

from datetime import UTC, datetime

from energy.inputs.provenance import STALE_DAYS
from energy.inputs.resources import root
from energy.inputs.tariffs import Tariff
from energy.inputs.yaml_files import load_model

#: Grades of weak sources, assumptions and memory.
WEAK = ("L", "MEM")


def lines(today: datetime) -> list[str]:
    """A table of all components of the package's tariffs."""
    out = [f"{'tariff':18} {'component':28} {'last from':10}  grade  weak of all  source of the last rate"]
    for path in sorted((root() / "models" / "tariffs").glob("*.yaml")):
        tariff = load_model(path, Tariff)
        for name, versions in tariff.versions.items():
            last, weak = versions[-1], sum(c.confidence in WEAK for c in versions)
            stale = len(versions) > 1 and (today.date() - last.valid_from).days > STALE_DAYS
            mark = "  OLD" if stale else ""
            out.append(
                f"{tariff.name:18} {name:28} {last.valid_from}  {last.confidence:5}  {weak:4} of {len(versions):2}  "
                f"{last.source[:90]}{mark}"
            )
    return out


if __name__ == "__main__":
    print("\n".join(lines(datetime.now(UTC))))
